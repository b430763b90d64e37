//! The protocol without processes: conversations in memory. Parts that follow
//! the same rule as ours make the same run; whatever a policy does, nothing
//! breaks; and a recorded exchange can be played back.

#[path = "../../examples/external_policy/best_fit.rs"]
mod best_fit;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use windtunnel::experiment::{self, RunFailure, RunResult, Settings};
use windtunnel::policy::external::message::{
    Action, CallAnswer, CallMessage, CommitmentMessage, EventMessage, PROTOCOL, Question, Ready,
    Reply, Request, ShareMessage, Submitted, TakeMessage,
};
use windtunnel::policy::external::{BrokenConversation, Conversation, Launcher, Recorded};
use windtunnel::policy::spec::{External, PolicyPart, PolicySpec, Scalar};
use windtunnel::policy::{backfill, order, place, preempt, provision, release};
use windtunnel::scenario::Scenario;
use windtunnel::sim::Failure;
use windtunnel::units::Span;

use crate::dice::Dice;

/// Answers calls.
type Answers = Box<dyn FnMut(&Request, &mut CallAnswer)>;

/// Answers to calls alone; the hello is ignored.
fn calls(mut answers: impl FnMut(&CallMessage, &mut CallAnswer) + 'static) -> Answers {
    Box::new(move |request, answer| {
        if let Request::Call(call) = request {
            answers(call, answer);
        }
    })
}

/// Launches conversations in memory: one for each part, or for everything.
struct Inside<F>(F);

struct Talk(Answers);

impl std::fmt::Debug for Talk {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("Talk")
    }
}

impl<F: Fn(&str) -> Answers + Sync> Launcher for Inside<F> {
    fn launch(
        &self,
        _who: &External,
        part: &str,
    ) -> Result<Box<dyn Conversation>, BrokenConversation> {
        Ok(Box::new(Talk((self.0)(part))))
    }
}

impl Conversation for Talk {
    fn exchange(&mut self, line: &str) -> Result<String, BrokenConversation> {
        let request: Request = serde_json::from_str(line).expect("windtunnel writes the protocol");
        assert_eq!(serde_json::to_string(&request).expect("plain data"), line);
        let mut answer = CallAnswer::default();
        (self.0)(&request, &mut answer);
        let reply = match request {
            Request::Hello(hello) => {
                assert!(hello.seed < 1 << 53);
                Reply::Ready(Ready { protocol: PROTOCOL })
            }
            Request::Call(call) => {
                Reply::Answer(Box::new(CallAnswer { number: call.number, ..answer }))
            }
        };
        Ok(serde_json::to_string(&reply).expect("plain data"))
    }
}

fn scenario(world: &str) -> Scenario {
    let text = format!("question = \"?\"\n{world}\n[policy.p]\n");
    let read = Scenario::parse(&text, "a.toml", Path::new(""), &[]);
    read.unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn run(
    scenario: &Scenario,
    policy: &PolicySpec,
    launcher: &dyn Launcher,
) -> Result<RunResult, RunFailure> {
    let settings = Settings { audit: true, ..Settings::seeded(scenario.seed) };
    experiment::run_with(scenario, (policy, launcher), settings, &mut (), &mut |_| {
        ControlFlow::Continue(())
    })
}

#[track_caller]
fn hash(scenario: &Scenario, policy: &PolicySpec, launcher: &dyn Launcher) -> String {
    run(scenario, policy, launcher).unwrap_or_else(|failure| panic!("{failure:?}")).fingerprint
}

/// The same policy, with these parts decided elsewhere.
fn elsewhere(policy: &PolicySpec, parts: &[PolicyPart]) -> PolicySpec {
    let who = External::new(vec!["x".to_owned()], PathBuf::new());
    let mut policy = policy.clone();
    policy.external = parts.iter().map(|&part| (part, who.clone())).collect();
    policy
}

/// Jobs that fill whole nodes, of three priorities; some resume.
const NODES: &str = r#"
horizon = "20 d"
[workload.synthetic]
count = 200
arrivals = { per_hour = 9 }
class.low = { runtime = "exponential(mean=20 min)", estimate = "uniform(low=1, high=3)", vcpus = 3, memory = "4 GiB", weight = 6 }
class.mid = { runtime = "exponential(mean=1 h)", estimate = 1.5, vcpus = 3, memory = "6 GiB", priority = 1, resume = true, weight = 3 }
class.high = { runtime = "exponential(mean=30 min)", estimate = 1, vcpus = 3, memory = "4 GiB", tasks = 2, gang = false, spread = "instances", priority = 2 }
[cluster.c.group.big]
nodes = 3
shape = { vcpus = 4, memory = "16 GiB" }
[cluster.c.group.small]
nodes = 2
shape = { vcpus = 4, memory = "8 GiB" }
[cloud.aws]
regions = ["us-east-1"]
types = ["m5.xlarge"]
boot = "90 s"
"#;

/// Knowledge of a policy about work and about what runs.
#[derive(Debug, Default)]
struct Seen {
    work: BTreeMap<u64, Submitted>,
    /// Work and the time since which it runs, by allocation.
    running: BTreeMap<u64, (u64, Option<i64>)>,
    idle_since: BTreeMap<u32, i64>,
}

impl Seen {
    fn hear(&mut self, call: &CallMessage) {
        for record in &call.records {
            match record {
                EventMessage::Submitted(work) => {
                    self.work.insert(work.work, (**work).clone());
                }
                EventMessage::Placed(placed) => {
                    for share in &placed.on {
                        self.idle_since.remove(&share.instance.expect("it is known by now"));
                    }
                    self.running.insert(placed.allocation, (placed.work, None));
                }
                EventMessage::Started(started) => {
                    self.running.insert(started.allocation, (started.work, Some(started.at)));
                }
                EventMessage::Done(ended) | EventMessage::Preempted(ended) => {
                    self.running.remove(&ended.allocation);
                }
                EventMessage::Finished(ended) | EventMessage::Refused(ended) => {
                    self.work.remove(&ended.work);
                }
                _ => {}
            }
        }
    }
}

/// Every part, by the rule that one of ours follows.
fn rules(part: &str) -> Answers {
    let mut seen = Seen::default();
    match part {
        "preempt" => calls(move |call, answer| {
            seen.hear(call);
            let Question::Preempt { work } = call.ask else { panic!("{call:?}") };
            let head = seen.work[&work].priority;
            let priority = |work: &u64| seen.work[work].priority;
            let mut victims: Vec<_> = seen
                .running
                .iter()
                .filter(|(_, (work, since))| priority(work) < head && since.is_some())
                .map(|(&number, &(work, since))| {
                    (priority(&work), -since.unwrap_or(0), work, number)
                })
                .collect();
            victims.sort_unstable();
            answer.preempt = victims.into_iter().map(|victim| victim.3).collect();
        }),
        "admit" => calls(move |call, answer| {
            seen.hear(call);
            let Question::Admit { work, .. } = &call.ask else { panic!("{call:?}") };
            let urgent = |work: &&u64| seen.work[*work].priority == 2;
            answer.refuse = work.iter().filter(urgent).copied().collect();
        }),
        "order" => calls(move |call, answer| {
            seen.hear(call);
            let Question::Order { work } = &call.ask else { panic!("{call:?}") };
            let estimate = |work: &u64| seen.work[work].estimate.unwrap_or(i64::MAX) as f64;
            answer.scores = work.iter().map(|work| (*work, estimate(work))).collect();
        }),
        "place" => {
            let mut policy = best_fit::BestFit::default();
            Box::new(move |request, answer| {
                let line = serde_json::to_string(request).expect("plain data");
                let reply = serde_json::from_str(&policy.answer(&line)).expect("a reply");
                if let Reply::Answer(reply) = reply {
                    *answer = *reply;
                }
            })
        }
        "backfill" => calls(move |call, answer| {
            let Question::Backfill { waiting, .. } = &call.ask else { panic!("{call:?}") };
            answer.overtake.clone_from(waiting);
        }),
        "provision" => calls(move |call, answer| {
            let Question::Provision { work, tasks } = call.ask else { panic!("{call:?}") };
            let tasks = work.map_or(0, |_| tasks);
            answer.rent = vec!["aws/us-east-1a/m5.xlarge/on-demand".to_owned(); tasks as usize];
        }),
        "release" => calls(move |call, answer| {
            seen.hear(call);
            let Question::Release { idle } = &call.ask else { panic!("{call:?}") };
            let minutes = 10 * 60_000_000;
            seen.idle_since.retain(|instance, _| idle.contains(instance));
            for &instance in idle {
                seen.idle_since.entry(instance).or_insert(call.now);
            }
            let due = |since: &i64| since + minutes;
            let late = seen.idle_since.iter().filter(|(_, since)| due(since) <= call.now);
            answer.release = late.map(|(&instance, _)| instance).collect();
            answer.wake = seen.idle_since.values().map(due).filter(|&at| at > call.now).min();
        }),
        _ => panic!("nobody serves `{part}`"),
    }
}

#[test]
fn parts_that_follow_the_same_rule_make_the_same_run() {
    let scenario = scenario(NODES);
    let rent = provision::CHEAPEST.spec();
    let base = PolicySpec { backfill: backfill::GREEDY.spec(), ..PolicySpec::named("p") };
    let table = [
        (PolicyPart::Preempt, PolicySpec { preempt: preempt::PRIORITY.spec(), ..base.clone() }),
        (PolicyPart::Order, PolicySpec { order: order::SHORTEST.spec(), ..base.clone() }),
        (
            PolicyPart::Place,
            PolicySpec { place: place::BEST_FIT.spec().set("by", Scalar::Mean), ..base.clone() },
        ),
        (PolicyPart::Backfill, base.clone()),
        (PolicyPart::Provision, PolicySpec { provision: rent.clone(), ..base.clone() }),
        (
            PolicyPart::Release,
            PolicySpec {
                provision: rent,
                release: release::IDLE.spec().set("after", Span::from_secs(600)),
                ..base.clone()
            },
        ),
    ];
    let mut seen = Vec::new();
    for (part, ours) in &table {
        let native = hash(&scenario, ours, &Inside(rules));
        let theirs = hash(&scenario, &elsewhere(ours, &[*part]), &Inside(rules));
        assert_eq!(theirs, native, "{}", part.name());
        seen.push(native);
    }
    // Several at once, each in a conversation of its own.
    let ours = PolicySpec {
        preempt: preempt::PRIORITY.spec(),
        place: place::BEST_FIT.spec().set("by", Scalar::Mean),
        ..base
    };
    let native = hash(&scenario, &ours, &Inside(rules));
    let parts = [PolicyPart::Preempt, PolicyPart::Place, PolicyPart::Backfill];
    assert_eq!(hash(&scenario, &elsewhere(&ours, &parts), &Inside(rules)), native);
    seen.push(native);
    seen.sort();
    seen.dedup();
    // Greedy backfilling is what all of them have.
    assert_eq!(seen.len(), 7, "the rules differ from each other");
}

/// Does what comes to its mind, most of it legal: the run must end well or say
/// why not, and hold every law.
fn chaos(seed: u64) -> Answers {
    let mut dice = Dice::new(seed);
    let wild = dice.once_in(2);
    let mut seen = Seen::default();
    let mut waiting: BTreeMap<u64, u32> = BTreeMap::new();
    let mut started: BTreeSet<u64> = BTreeSet::new();
    // Whether each instance is rented, and empty.
    let mut instances: BTreeMap<u32, (bool, bool)> = BTreeMap::new();
    calls(move |call, answer| {
        for record in &call.records {
            match record {
                EventMessage::Submitted(work) => drop(waiting.insert(work.work, work.tasks)),
                EventMessage::Started(begun) => drop(started.insert(begun.work)),
                EventMessage::Placed(placed) => {
                    let tasks: u32 = placed.on.iter().map(|share| share.tasks).sum();
                    waiting.entry(placed.work).and_modify(|left| *left -= tasks);
                }
                EventMessage::Preempted(gone) => *waiting.entry(gone.work).or_insert(0) += 1,
                EventMessage::Finished(ended) | EventMessage::Refused(ended) => {
                    waiting.remove(&ended.work);
                }
                _ => {}
            }
        }
        seen.hear(call);
        let changed = call.instances.iter();
        instances.extend(
            changed.map(|one| (one.instance, (one.offer.starts_with("aws"), one.allocations == 0))),
        );
        for gone in &call.gone {
            instances.remove(gone);
        }
        // Mostly it keeps to what is left while it answers.
        let careless = wild && dice.once_in(60);
        let (mut left, mut taken) = (waiting.clone(), Vec::new());
        let mut running: Vec<u64> = seen.running.keys().copied().collect();
        for _ in 0..dice.within(0, 6) {
            if !careless {
                left.retain(|work, tasks| *tasks > 0 && seen.work.contains_key(work));
            }
            let works: Vec<u64> = left.keys().copied().collect();
            let action = dice.within(0, 9);
            let free: Vec<u32> = match action {
                0 | 4 => Vec::new(),
                _ => {
                    let empty = instances.iter().filter(|one| one.1.1 || careless);
                    empty.map(|one| *one.0).collect()
                }
            };
            match action {
                0 => {
                    let at = call.now + 1 + dice.within(0, 10_000_000_000) as i64;
                    answer.actions.push(Action::Wake { at });
                }
                1 if !running.is_empty() => {
                    let allocation = dice.of(&running);
                    running.retain(|other| *other != allocation || careless);
                    answer.actions.push(Action::Preempt { allocation });
                }
                2 if !works.is_empty() && dice.once_in(8) => {
                    let work = dice.of(&works);
                    if careless || !started.contains(&work) && left[&work] == seen.work[&work].tasks
                    {
                        left.remove(&work);
                        answer.actions.push(Action::Refuse { work });
                    }
                }
                3 if !free.is_empty() => {
                    let instance = dice.of(&free);
                    if instances[&instance].0 || careless {
                        taken.extend(instances.remove(&instance).map(|was| (instance, was)));
                        answer.actions.push(Action::Release { instance });
                    }
                }
                4 => {
                    let name = Some("new".to_owned());
                    let offer = "aws/us-east-1a/m5.xlarge/on-demand".to_owned();
                    answer.actions.push(Action::Rent { offer, name: name.clone() });
                    if !works.is_empty() && dice.once_in(2) {
                        let work = dice.of(&works);
                        left.entry(work).and_modify(|left| *left = left.saturating_sub(1));
                        let on = vec![ShareMessage {
                            rented: name,
                            instance: None,
                            ..ShareMessage::on(0, 1)
                        }];
                        answer.actions.push(Action::Place { work, on });
                    }
                }
                _ if !works.is_empty() && !free.is_empty() => {
                    let (work, instance) = (dice.of(&works), dice.of(&free));
                    left.entry(work).and_modify(|left| *left = left.saturating_sub(1));
                    instances.entry(instance).and_modify(|one| {
                        taken.push((instance, *one));
                        one.1 = false;
                    });
                    answer
                        .actions
                        .push(Action::Place { work, on: vec![ShareMessage::on(instance, 1)] });
                }
                _ => {}
            }
        }
        instances.extend(taken.into_iter().rev());
    })
}

#[test]
fn whatever_a_policy_does_nothing_breaks() {
    let mut ends: BTreeMap<String, u32> = BTreeMap::new();
    for seed in 0..60 {
        let mut scenario = scenario(NODES);
        scenario.seed = seed;
        let policy = elsewhere(&PolicySpec::named("p"), &[PolicyPart::Whole]);
        let launcher = Inside(|_: &str| chaos(seed));
        let how = match run(&scenario, &policy, &launcher) {
            Ok(_) => "it ends".to_owned(),
            Err(RunFailure::Sim(Failure::Policy { why, .. })) => {
                let rule = why.lines().next().and_then(|line| line.rsplit(": ").next());
                let rule = rule.unwrap_or_default().split(" (call").next().unwrap_or_default();
                rule.to_owned()
            }
            Err(other) => panic!("seed {seed}: {other:?}"),
        };
        *ends.entry(how).or_insert(0) += 1;
    }
    let well = ends.get("it ends").copied().unwrap_or(0);
    assert!(well >= 15 && ends.len() >= 3, "few ways to end were reached: {ends:?}");
}

/// Three jobs on two nodes, placed by a policy in another process.
const RECORDED: &str = r#"
[workload.synthetic]
count = 3
arrivals = { every = "10 min" }
class.a = { runtime = "25 min", vcpus = 3, memory = "1 GiB" }
[cluster.c]
nodes = 2
shape = { vcpus = 4, memory = "8 GiB" }
"#;

/// The exchange of a whole best fit with that scenario, on file.
const EXCHANGE: &str = "tests/it/golden/exchange.txt";

#[test]
fn a_recorded_exchange_plays_back() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(EXCHANGE);
    let text = std::fs::read_to_string(path).expect("the exchange is there");
    let recorded = Recorded::parse(&text, EXCHANGE).expect("it is an exchange");
    let scenario = scenario(RECORDED);
    let ours = PolicySpec {
        place: place::BEST_FIT.spec().set("by", Scalar::Mean),
        backfill: backfill::GREEDY.spec(),
        ..PolicySpec::named("p")
    };
    let whole = elsewhere(&ours, &[PolicyPart::Whole]);
    let native = hash(&scenario, &ours, &recorded);
    assert_eq!(hash(&scenario, &whole, &recorded), native);
    // Another run asks something else, and the record says so.
    let mut other = scenario;
    other.seed = 2;
    let Err(RunFailure::Sim(Failure::Policy { why, .. })) = run(&other, &whole, &recorded) else {
        panic!("a run of another seed is another exchange");
    };
    assert!(why.contains("is asked something else than in line 1 of the record"), "{why}");
    let wrong = Recorded::parse("policy > {}\nplace < {}\n", "a.txt").expect_err("another part");
    assert_eq!((wrong.line, wrong.message.as_str()), (2, "`place < {}` is no line of an exchange"));
}

/// An arrival of the highest priority is turned away, all others are let in.
#[test]
fn an_admit_part_turns_arrivals_away() {
    let scenario = scenario(NODES);
    let policy = elsewhere(&PolicySpec::named("p"), &[PolicyPart::Admit]);
    let result = run(&scenario, &policy, &Inside(rules)).expect("it runs");
    let (all, refused) = (result.summary.work.submitted, result.summary.work.refused);
    assert!(refused > 10 && refused < all / 2, "{refused} of {all}");
}

#[test]
fn the_rust_client_decides_as_ours_does() {
    let text = crate::external::BEST_FIT;
    let scenario = Scenario::parse(text, "a.toml", Path::new(""), &[]).expect("it is valid");
    let launcher = Inside(|_: &str| rules("place"));
    let [native, part, whole] =
        [0, 1, 2].map(|row| hash(&scenario, &scenario.policies[row], &launcher));
    assert_eq!([part, whole], [native.clone(), native]);
}

/// A part, its answer to its first question, and the message about that.
type Wrong = (PolicyPart, fn(&mut CallAnswer), &'static str);

#[test]
fn wrong_answers_of_parts_are_named() {
    let table: [Wrong; 15] = [
        (PolicyPart::Order, |_| {}, "gives no score for work 0"),
        (
            PolicyPart::Order,
            |answer| answer.scores = [(0, 1.0), (7, 1.0)].into(),
            "names work 7, which was never submitted",
        ),
        (
            PolicyPart::Order,
            |answer| answer.refuse = vec![0],
            "answers `refuse`, which was not asked",
        ),
        (PolicyPart::Admit, |answer| answer.refuse = vec![0, 0], "not among the arrivals"),
        (
            PolicyPart::Place,
            |answer| answer.on = vec![ShareMessage::on(9, 1)],
            "names instance 9, which is not",
        ),
        (
            PolicyPart::Place,
            |answer| answer.on = vec![ShareMessage::on(0, 9)],
            "places 9 tasks of work 0",
        ),
        (
            PolicyPart::Place,
            |answer| answer.on = vec![ShareMessage::on(0, 0)],
            "a placement covers between one and all waiting tasks",
        ),
        (
            PolicyPart::Place,
            |answer| {
                let devices = Some(vec![0]);
                answer.on = vec![ShareMessage { devices, ..ShareMessage::on(0, 1) }];
            },
            "as many GPU devices as it asks",
        ),
        (
            PolicyPart::Place,
            |answer| answer.on = vec![ShareMessage::default()],
            "places work on no instance",
        ),
        (
            PolicyPart::Preempt,
            |answer| answer.preempt = vec![99],
            "lets allocation 99 yield, which cannot",
        ),
        (PolicyPart::Backfill, |answer| answer.overtake = vec![0], "which does not wait"),
        (PolicyPart::Provision, |answer| answer.rent = vec!["x".into()], "names the offer `x`"),
        (
            PolicyPart::Provision,
            |answer| answer.rent = vec!["c/big".into()],
            "an owned offer is not for rent",
        ),
        (PolicyPart::Provision, |answer| answer.wake = Some(-1), "which is not later than now"),
        (
            PolicyPart::Release,
            |answer| answer.release = vec![0],
            "instance 0 back, which is not idle",
        ),
    ];
    let scenario = scenario(NODES);
    let rent = provision::CHEAPEST.spec();
    for (part, wrong, want) in table {
        let provision =
            if part == PolicyPart::Release { rent.clone() } else { provision::OWNED_ONLY.spec() };
        let policy = elsewhere(&PolicySpec { provision, ..PolicySpec::named("p") }, &[part]);
        let launcher = Inside(|_: &str| calls(move |_, answer| wrong(answer)));
        let Err(RunFailure::Sim(Failure::Policy { why, .. })) = run(&scenario, &policy, &launcher)
        else {
            panic!("{}: `{want}` was not found", part.name());
        };
        assert!(why.contains(want) && why.contains("\n  hint: "), "{want}:\n{why}");
        assert!(why.starts_with(&format!("the {} part of policy `p` (`x`)", part.name())), "{why}");
    }
}

#[test]
fn a_place_part_elsewhere_keeps_to_what_it_is_shown() {
    let scenario = scenario(NODES);
    let mut policy = elsewhere(&PolicySpec::named("p"), &[PolicyPart::Place]);
    policy.narrow.scope.types = vec!["small".to_owned(), "c/small".to_owned()];
    // Instances 0 to 2 are large, 3 and 4 small.
    let launcher = |instance: u32| {
        Inside(move |_: &str| {
            calls(move |call, answer| {
                let Question::Place { not_on, .. } = &call.ask else { panic!("{call:?}") };
                assert!(not_on.contains(&0) && !not_on.contains(&3), "{not_on:?}");
                answer.on = vec![ShareMessage::on(instance, 1)];
            })
        })
    };
    let Err(RunFailure::Sim(Failure::Policy { why, .. })) = run(&scenario, &policy, &launcher(0))
    else {
        panic!("a large one was used");
    };
    assert!(why.contains("on instance 0, where it must not look"), "{why}");
    match run(&scenario, &policy, &launcher(3)) {
        Err(RunFailure::Sim(Failure::Policy { why, .. })) => {
            assert!(!why.contains("not look"), "{why}")
        }
        ran => drop(ran.map_err(|failure| panic!("{failure:?}"))),
    }
}

/// A part that is never asked is told of what happens, so that it does not pile up.
#[test]
fn a_part_that_is_not_asked_hears_now_and_then() {
    let scenario = scenario(&NODES.replace("count = 200", "count = 4000"));
    let policy = elsewhere(&PolicySpec::named("p"), &[PolicyPart::Release]);
    let told = Arc::new(AtomicU64::new(0));
    let launcher = Inside(|_: &str| {
        let told = Arc::clone(&told);
        calls(move |call, _| {
            assert_eq!(call.ask, Question::Nothing {});
            told.fetch_add(call.records.len() as u64, Ordering::Relaxed);
        })
    });
    let result = run(&scenario, &policy, &launcher).expect("it runs");
    let told = told.load(Ordering::Relaxed);
    assert!(told > 3 * result.summary.work.submitted / 2, "{told} records were told");
}

/// The moment of a call, and its commitments.
type Told = (i64, Vec<CommitmentMessage>);

/// A year of a machine is bought at the end of the second hour. The hello knows of nothing; the first call
/// from then on tells of it, and no later one again.
#[test]
fn what_is_bought_is_told_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let jobs = "arrival_s,runtime_s,vcpus,memory_mib\n0,9000,2,1024\n7100,600,2,1024\n7200,60,2,1024\n7300,60,2,1024\n";
    std::fs::write(folder.path().join("jobs.csv"), jobs).expect("it is written");
    let text = "question = \"?\"\nstart = \"2026-03-01\"\n[workload]\ntrace = \"jobs.csv\"\n\
        [cloud.aws]\nregions = [\"us-east-1\"]\ntypes = [\"m5.large\"]\nmarkets = [\"on-demand\"]\nboot = \"0 s\"\n\
        [policy.p]\npreset = \"cloud-cheapest\"\n\
        commit.percentile = { every = \"2 h\", window = \"2 h\" }\n\
        [[offering]]\nname = \"year\"\nprovider = \"aws\"\nregion = \"us-east-1\"\n\
        type = \"m5.large\"\nhourly = \"0.03 USD/h\"\n";
    let read = Scenario::parse(text, "a.toml", folder.path(), &[]);
    let scenario = read.unwrap_or_else(|problems| panic!("{problems}"));
    let told: Arc<Mutex<Vec<Told>>> = Arc::default();
    let hears = Arc::clone(&told);
    let launcher = Inside(move |_: &str| -> Answers {
        let hears = Arc::clone(&hears);
        Box::new(move |request, _| match request {
            Request::Hello(hello) => assert_eq!(hello.world.commitments, []),
            Request::Call(call) => {
                hears.lock().expect("alone").push((call.now, call.commitments.clone()));
            }
        })
    });
    let policy = elsewhere(&scenario.policies[0], &[PolicyPart::Admit]);
    run(&scenario, &policy, &launcher).expect("it runs");
    let told = told.lock().expect("alone");
    let (first, rows) = told.iter().find(|(_, rows)| !rows.is_empty()).expect("it is told");
    let (hour, offer) = (3_600_000_000, 0..scenario.world.offers.len() as u32);
    let takes = |offer| TakeMessage { offer, units: Some(4.0), price: None, share: None };
    let year = CommitmentMessage {
        name: "year".to_owned(),
        from: 2 * hour,
        until: (2 + 8_760) * hour,
        kept: false,
        amount: 4.0,
        takes: offer.map(takes).collect(),
    };
    assert_eq!((*first, rows.as_slice()), (2 * hour, [year].as_slice()));
    let times = told.iter().filter(|(_, rows)| !rows.is_empty()).count();
    assert!(times == 1 && told.iter().any(|(now, _)| *now > 2 * hour), "{told:?}");
}
