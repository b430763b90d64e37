//! Plans whose answers textbooks know.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::experiment::verify::sizing::{self, HOURS, MARGIN, QUEUES, newsvendor, plan, queue};
use crate::experiment::verify::theory::mmc_wait;
use crate::experiment::{Measurement, RunCache};

#[track_caller]
fn task(vary: &[(&str, &str)]) -> Task {
    sizing::task(vary).unwrap_or_else(|failure| panic!("{failure:?}"))
}

#[track_caller]
fn found(text: &str, task: Task) -> Found {
    plan(text, task).unwrap_or_else(|failure| panic!("{failure:?}"))
}

/// A setup in words: `cluster.dc1.nodes = 12, policy.p.order = sjf`.
fn description(found: &Found, point: &SetupPoint) -> String {
    let one = |(one, level): (&Variable, Option<&str>)| Some(format!("{} = {}", one.key, level?));
    found.levels(point).filter_map(one).collect::<Vec<_>>().join(", ")
}

/// The answer in words.
#[track_caller]
fn answer(found: &Found) -> String {
    let choice = found.choice.unwrap_or_else(|| panic!("no answer: {:?}", found.finalists));
    description(found, &found.candidate(choice).point)
}

#[test]
fn servers_for_a_target_wait_are_those_of_erlang() {
    for (load, target) in QUEUES {
        let c = sizing::servers(load, target);
        assert!(mmc_wait(c, load) < 0.85 * target && mmc_wait(c - 1, load) > 1.15 * target);
        let text = queue(load, 4_000, &format!("wait_mean = \"<= {} s\"", target * 1e3));
        let found = found(&text, task(&[("cluster.c.nodes", "1..40")]));
        assert_eq!(answer(&found), format!("cluster.c.nodes = {c}"), "{load} erlangs");
        assert!(found.converged && found.separated && found.runs <= 400, "{}", found.runs);
        assert!(matches!(found.steps, StepEnd::AllJudged { cheaper: 1, .. }), "{:?}", found.steps);
        assert_eq!(found.effects, [VariableEffect::MoreIsSafer]);
    }
}

#[test]
fn owned_machines_under_random_demand_are_those_of_the_newsvendor() {
    assert!((newsvendor(58) - 38.971_674_990).abs() < 1e-8);
    assert!(newsvendor(57) > newsvendor(58) && newsvendor(59) > newsvendor(58));
    let found = found(&sizing::overflow(), task(&[("cluster.c.nodes", "30..90")]));
    let choice = found.choice.expect("there is an answer");
    let owned = sizing::chosen(&found).expect("a number") as u32;
    // 57 and 59 are within a tenth of a per cent; the margin is one per cent.
    let exact = newsvendor(owned);
    assert!(exact <= (1.0 + MARGIN) * newsvendor(58), "{owned} costs {exact}");
    let goal = found.finalists[choice].goal.expect("an interval");
    let hours = f64::from(HOURS);
    assert!(
        (goal.mean / hours - exact).abs() <= 2.0 * goal.half_width / hours,
        "{goal:?}, not {exact} an hour"
    );
    assert!(found.finalists.iter().any(|finalist| finalist.tied));
}

#[test]
fn nothing_is_found_where_nothing_will_do() {
    // Eight erlangs on at most eight servers.
    let text = queue(8.0, 1_000, "wait_mean = \"<= 10 s\"");
    let found = found(&text, task(&[("cluster.c.nodes", "2..8")]));
    assert_eq!(found.choice, None);
    assert!(found.finalists.iter().all(|finalist| finalist.verdict == SetupVerdict::Broken));
    assert_eq!((found.candidate(0).point[0], found.binding), (6, Some(0)));
}

#[test]
fn a_share_of_all_replications_takes_enough_of_them() {
    let text = queue(3.0, 400, "wait_mean = \"<= 300 s\"");
    let share = Task { keeping: Keeping::InShare(0.8), ..task(&[("cluster.c.nodes", "2..20")]) };
    let found = found(&text, share.clone());
    // 0.8^24 is the first power below 0.025 / 5; the budget has room for 30, of which after two steps
    // that are not shown a third can be: 0.8^30 is the first power below 0.05 × 0.2 / 8.
    assert_eq!((share.fewest(), found.held_out), (24, 30));
    let choice = found.choice.expect("there is an answer");
    assert!(found.finalists[choice].kept_in >= 22, "{:?}", found.finalists);
    let asked = Asked { replications: Some(20), ..Asked::default() };
    let Err(SearchFailure::Problems(problems)) = plan(&text, Task { asked, ..share }) else {
        panic!("20 cannot show it");
    };
    assert_eq!(problems[0].message, "20 held-out replications cannot show what is asked");
}

#[test]
fn what_does_not_matter_is_seen_and_a_small_budget_refused() {
    let text = queue(2.0, 200, "wait_mean = \"<= 2000 s\"")
        .replace("[policy.p]", "[policy.q]\npreset = \"batch-fcfs\"\n[policy.p]");
    let two = task(&[("cluster.c.nodes", "1..6"), ("baseline", "p, q")]);
    let found = found(&text, two.clone());
    assert_eq!(found.effects[1], VariableEffect::None);
    let Err(SearchFailure::Problems(problems)) = plan(&text, Task { budget: 50, ..two }) else {
        panic!("it is too small");
    };
    assert_eq!(problems[0].message, "a budget of 50 runs is too small");
    assert!(problems[0].hint.as_deref().is_some_and(|hint| hint.starts_with("it takes 70 ")));
}

/// A setting of another policy makes no other setup: it is looked at and judged once, and is
/// in none of its words.
#[test]
fn setups_that_differ_in_another_policys_setting_are_one() {
    let text = queue(2.0, 200, "wait_mean = \"<= 2000 s\"")
        .replace("[policy.p]", "[policy.q]\npreset = \"batch-fcfs\"\n[policy.p]");
    let order = ("policy.q.order", "shortest, largest, fcfs");
    let three = task(&[("cluster.c.nodes", "1..6"), order, ("baseline", "p, q")]);
    let both = found(&text, three.clone());
    assert_eq!(both.setups(), 6.0 * (1.0 + 3.0));
    let told: Vec<String> =
        both.candidates.iter().map(|one| description(&both, &one.point)).collect();
    let distinct: std::collections::BTreeSet<&String> = told.iter().collect();
    assert_eq!(distinct.len(), told.len(), "{told:?}");
    let of = |policy: &str| told.iter().filter(|one| one.ends_with(policy)).collect::<Vec<_>>();
    assert!(of("baseline = p").iter().all(|one| !one.contains("order")), "{told:?}");
    assert!(of("baseline = q").iter().all(|one| one.contains("order")), "{told:?}");
    // A search for one policy alone.
    let one = found(&text, Task { policy: Some("p".to_owned()), ..three });
    assert_eq!(one.setups(), 6.0);
    assert!(one.candidates.iter().all(|setup| one.edits(&setup.point).len() == 1));
    assert_eq!(one.effects[1..], [VariableEffect::None, VariableEffect::None]);
}

#[test]
fn without_chance_the_answer_is_exact() {
    let text = "question = \"?\"\n[workload]\ntrace = \"traces/batch-small.swf\"\n\
        [workload.swf]\nprocs = \"requested\"\n\
        [cluster.c]\nnodes = 256\nshape = { vcpus = 1, memory = \"4 GiB\" }\ncost = \"0.03 USD/h\"\n\
        [policy.p]\npreset = \"batch-backfill\"\n[objectives]\nwait_p95 = \"<= 12 h\"\n";
    let exact = found(text, task(&[("cluster.c.nodes", "256..512 step 32")]));
    // One run says it all, in whatever share promises are to be kept.
    let share = Keeping::InShare(0.9);
    let kept =
        found(text, Task { keeping: share, ..task(&[("cluster.c.nodes", "256..512 step 32")]) });
    assert_eq!(
        kept.choice.map(|row| kept.candidate(row).point.clone()),
        exact.choice.map(|row| exact.candidate(row).point.clone())
    );
    assert!(kept.finalists.iter().all(|one| one.verdict != SetupVerdict::NotShown));
    let found = exact;
    assert_eq!((found.chance, found.searched), (Chance::None, 1));
    let choice = found.choice.expect("there is an answer");
    assert_eq!(found.finalists[choice].goal.map(|goal| goal.half_width), Some(0.0));
    assert!(found.separated);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let text = queue(3.0, 200, "wait_mean = \"<= 300 s\"");
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        let found = pool.install(|| found(&text, task(&[("cluster.c.nodes", "1..20")])));
        format!("{:?} {:?}", found.finalists, found.candidates)
    };
    assert_eq!(on(1), on(3));
}

/// Has room for so many runs.
struct Room(usize, AtomicUsize);

impl RunCache for Room {
    fn recall(&self, _key: &str) -> Option<Measurement> {
        None
    }

    fn keep(&self, _key: &str, _run: &Measurement) -> io::Result<()> {
        let kept = self.1.fetch_add(1, Ordering::Relaxed);
        if kept < self.0 { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
    }
}

/// Words on a search depend on when it is stopped: none within the first setup, then the best that
/// it looked at. The tests of steps hold the words on setups that were judged.
#[test]
fn a_search_that_is_stopped_tells_the_best_so_far() {
    let text = queue(3.0, 400, "wait_mean = \"<= 300 s\"");
    let stopped = |runs: usize| {
        let memory = Room(runs, AtomicUsize::new(0));
        let runner = Runner { cache: &memory, ..Runner::default() };
        let scenario = Scenario::parse(&text, "a", Path::new(""), &[]).expect("a scenario");
        search(&runner, task(&[("cluster.c.nodes", "1..40")]), &scenario)
    };
    let whole = stopped(usize::MAX).expect("nothing stops it");
    assert!(matches!(stopped(3), Err(SearchFailure::Runs(_))));
    let progress = |runs: u32| match stopped(runs as usize) {
        Err(SearchFailure::Halted(RunnerFailure::Cache(_), progress)) => progress,
        other => panic!("{other:?}"),
    };
    let early = progress(whole.searched * 5);
    assert!(early.looked_at > 0 && early.runs <= whole.searched * 5, "{early:?}");
    assert_eq!((early.judged, early.best.shown), (0, false));
    assert_eq!(early.best.replications, whole.searched);
}
