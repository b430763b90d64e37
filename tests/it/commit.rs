//! `windtunnel commit`: how much to commit to, against what can be worked out by hand.

use std::path::Path;

use windtunnel::experiment::commit::{CommitFailure, CommitNote, CommitPlan, CommitStudy, commit};
use windtunnel::experiment::{self, Runner, Settings};
use windtunnel::scenario::Scenario;
use windtunnel::units::Money;

/// Machines of 0.096 dollars an hour, rented by jobs that fill them; the trace is two days of work.
const SCENARIO: &str = r#"
question = "How much?"
start = "2026-03-02"

[cloud.aws]
regions = ["us-east-1"]
types = ["m5.large"]
markets = ["on-demand"]
boot = "0 s"

[workload]
trace = "jobs.csv"
period = "2 d"

[policy.only]
provision = "cheapest"
release.idle = { after = "0 s" }
"#;

const PLAN: &str = "\n[[offering]]\nname = \"plan\"\nprovider = \"aws\"\ndiscount = \"30 %\"\n";

/// Reserved for 0.06 dollars an hour.
const RESERVED: &str = "\n[[offering]]\nname = \"reserved\"\nprovider = \"aws\"\ntype = \"m5.large\"\nhourly = \"0.06 USD/h\"\n";

const ASKED: CommitPlan = CommitPlan {
    policy: 0,
    replications: 2,
    years: None,
    growth: 0.0,
    spread: 0.0,
    confidence: 0.8,
};

/// What is advised for jobs of these hours from these hours on.
fn advised(jobs: &[(u32, u32)], more: &str) -> Result<CommitStudy, CommitFailure> {
    advised_on(SCENARIO, 2, jobs, more)
}

/// What is advised in that scenario for jobs of so many cores.
fn advised_on(
    scenario: &str,
    cores: u32,
    jobs: &[(u32, u32)],
    more: &str,
) -> Result<CommitStudy, CommitFailure> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut text = "arrival_s,runtime_s,vcpus,memory_mib\n".to_owned();
    for (from, hours) in jobs {
        text += &format!("{},{},{cores},1024\n", from * 3_600, hours * 3_600);
    }
    std::fs::write(folder.path().join("jobs.csv"), text).expect("it is written");
    let scenario = parsed(&format!("{scenario}{more}"), folder.path());
    commit(&Runner::default(), &scenario, &ASKED)
}

fn parsed(text: &str, folder: &Path) -> Scenario {
    let scenario = Scenario::parse(text, "s.toml", folder, &[]);
    scenario.unwrap_or_else(|problems| panic!("{problems}"))
}

/// What a machine costs in a year, on demand.
const YEAR: f64 = 8_760.0 * 0.096;

fn close(found: f64, right: f64) {
    assert!((found - right).abs() < 1e-3, "{found} and not {right}");
}

#[test]
fn a_machine_that_always_runs_is_committed_to() {
    // All of it: 30 % of what it costs on demand is saved, 67.20 dollars an hour for the plan.
    let study = advised(&[(0, 48)], PLAN).expect("there is advice");
    assert_eq!((study.window, study.horizon), (48, 8_760));
    close(study.coverable, YEAR);
    let best = &study.advice.offerings[0].cheapest;
    // Steps of a tenth of a cent: 0.0672 is between 67 and 68. The last fifth of a step is used and
    // costs 0.001 for 0.2/0.7 of it: 67 saves more.
    assert_eq!(best.units, 67);
    close(best.saving.mean, 67.0 * 0.001 * (1.0 / 0.7 - 1.0) * 8_760.0);
    close(best.utilisation.mean, 1.0);
    assert_eq!(best.pays.map(|pays| pays.share), Some(1.0));
    let study = advised(&[(0, 48)], RESERVED).expect("there is advice");
    let best = &study.advice.offerings[0].cheapest;
    assert_eq!(best.units, 1);
    close(best.saving.mean, (0.096 - 0.06) * 8_760.0);
    assert_eq!(study.advice.cheapest.holdings[0].units, 1);
}

#[test]
fn what_runs_for_a_part_of_the_time_must_run_for_long_enough() {
    // Break-even is at 0.06 / 0.096 = 62.5 % of the hours: 30 of 48. Two machines or more run in 33
    // hours, from the third to the 36th, and three in 27, from the seventh to the 34th.
    let study = advised(&[(0, 48), (3, 31), (7, 29)], RESERVED).expect("there is advice");
    let best = &study.advice.offerings[0].cheapest;
    assert_eq!(best.units, 2);
    // A year has 182 windows and the first half of one.
    let (second, third) = (182.0 * 33.0 + 21.0, 182.0 * 27.0 + 17.0);
    let saving = YEAR + second * 0.096 - 2.0 * 0.06 * 8_760.0;
    close(best.saving.mean, saving);
    close(best.utilisation.mean, (8_760.0 + second) / (2.0 * 8_760.0));
    close(best.coverage.mean, (8_760.0 + second) / (8_760.0 + second + third));
}

#[test]
fn work_after_the_window_counts_at_its_beginning() {
    // Six hours after 44 are four of this window and two of the next: with what runs from the second
    // hour on, a machine runs all the time.
    let study = advised(&[(2, 42), (44, 6)], RESERVED).expect("there is advice");
    let best = &study.advice.offerings[0].cheapest;
    assert_eq!(best.units, 1);
    close(best.utilisation.mean, 1.0);
}

#[test]
fn what_is_held_is_taken_off_first() {
    let held = "\n[[account]]\nname = \"a\"\n\n[[commitment]]\nprovider = \"aws\"\naccount = \"a\"\n\
        from = \"2026-03-01\"\nmachines = 1\ntype = \"m5.large\"\nhourly = \"0.05 USD/h\"\n";
    let study =
        advised(&[(0, 48), (0, 48)], &format!("{held}{RESERVED}")).expect("there is advice");
    assert_eq!(study.advice.offerings[0].cheapest.units, 1);
    close(study.coverable, YEAR);
}

#[test]
fn there_is_nothing_to_say_without_demand_or_offerings() {
    let problem = |found: Result<CommitStudy, CommitFailure>| match found {
        Err(CommitFailure::Problem(problem)) => problem.to_string(),
        other => panic!("{other:?}"),
    };
    let of_another = PLAN.replace("aws", "gcp");
    let found = problem(advised(&[(0, 48)], &of_another));
    assert!(found.contains("there is nothing to cover"), "{found}");
    let shipped = advised(&[(0, 48)], "").expect("AWS has plans");
    assert!(shipped.shipped && shipped.offerings.len() == 2, "{:?}", shipped.offerings);
    assert_eq!(shipped.horizon, 3 * 8_760);
}

/// Cores of 0.031611 dollars an hour for 0.02, and GiB of 0.004237 for 0.0029.
const PARTS: &str = "\n[[offering]]\nname = \"cores\"\nprovider = \"gcp\"\nregion = \"us-central1\"\n\
    type = \"n2-core\"\nhourly = \"0.02 USD/h\"\n\
    [[offering]]\nname = \"memory\"\nprovider = \"gcp\"\nregion = \"us-central1\"\n\
    type = \"n2-memory\"\nhourly = \"0.0029 USD/h\"\n";

/// The same with machines of Google: four cores and 16 GiB for 0.194236 dollars an hour.
fn google() -> String {
    let names = [("aws", "gcp"), ("us-east-1", "us-central1"), ("m5.large", "n2-standard-4")];
    names.into_iter().fold(SCENARIO.to_owned(), |text, (of, to)| text.replace(of, to))
}

#[test]
fn cores_and_memory_are_committed_apart() {
    // Break-even of cores is at 0.02 / 0.031611 = 63.3 % of the hours, of memory at 68.4 %: the second
    // machine runs in 32 of 48 hours, and its cores alone are worth it.
    let plan = "[[offering]]\nname = \"plan\"\nprovider = \"gcp\"\nfamilies = [\"n2\"]\ndiscount = \"30 %\"\n";
    let jobs = [(0, 48), (0, 32)];
    let study =
        advised_on(&google(), 4, &jobs, &format!("{PARTS}{plan}")).expect("there is advice");
    // Hours of a year with two machines: 182 windows, and the first half of one.
    let two = 182.0 * 32.0 + 24.0;
    close(study.coverable, 0.194236 * 8_760.0 * (1.0 + 32.0 / 48.0));
    let [cores, memory, plan] = &study.advice.offerings[..] else { panic!("three offerings") };
    assert_eq!([cores, memory, plan].map(|one| one.cheapest.units), [8, 16, 136]);
    let saving =
        |used: f64, price: f64, units: f64, paid: f64| used * price - units * paid * 8_760.0;
    close(cores.cheapest.saving.mean, saving(4.0 * (8_760.0 + two), 0.031611, 8.0, 0.02));
    close(memory.cheapest.saving.mean, saving(16.0 * 8_760.0, 0.004237, 16.0, 0.0029));
    // A plan is for both, as it is for the machine: 0.136 dollars cover one at 70 %, and a little of the next.
    let covered = (8_760.0 - two) * 0.194236 + two * 0.136 / 0.7;
    close(plan.cheapest.saving.mean, covered - 0.136 * 8_760.0);
    let held = study.advice.cheapest.holdings.iter().map(|held| held.units);
    assert_eq!(held.collect::<Vec<_>>(), [8, 16, 0]);
    // Beside whole machines that are on offer, machines stay whole.
    let whole = RESERVED.replace("aws", "gcp").replace("m5.large", "n2-standard-4");
    let study =
        advised_on(&google(), 4, &jobs, &format!("{PARTS}{whole}")).expect("there is advice");
    let nothing = |name: &str| CommitNote::CoversNothing(name.to_owned());
    assert!(["cores", "memory"].iter().all(|name| study.notes.contains(&nothing(name))));
    assert!(!study.notes.contains(&nothing("reserved")), "{:?}", study.notes);
    // What is held of cores covers first.
    let held = "[[account]]\nname = \"a\"\n[[commitment]]\nprovider = \"gcp\"\naccount = \"a\"\n\
        from = \"2026-03-01\"\nregion = \"us-central1\"\nmachines = 3\ntype = \"n2-core\"\nhourly = \"0.02 USD/h\"\n";
    let study =
        advised_on(&google(), 4, &jobs, &format!("{PARTS}{held}")).expect("there is advice");
    assert_eq!(study.advice.cheapest.holdings[0].units, 5);
}

/// A machine of Google runs for ten hours, and from the third on its parts are reserved.
#[test]
fn a_policy_buys_cores_and_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    let jobs = "arrival_s,runtime_s,vcpus,memory_mib\n0,36000,4,1024\n";
    std::fs::write(folder.path().join("jobs.csv"), jobs).expect("it is written");
    let commit = "[policy.only.commit.percentile]\nevery = \"2 h\"\nwindow = \"2 h\"\n";
    let cost = |more: &str| {
        let scenario = parsed(&format!("{}{commit}{more}", google()), folder.path());
        let policy = &scenario.policies[0];
        let mut go_on = |_| std::ops::ControlFlow::Continue(());
        let run = experiment::run(&scenario, policy, Settings::seeded(1), &mut (), &mut go_on);
        run.unwrap_or_else(|failure| panic!("{failure}")).summary.cost.total.dollars()
    };
    let reserved = 4.0 * 0.02 + 16.0 * 0.0029;
    close(cost(PARTS), 2.0 * 0.194236 + 8.0 * reserved);
    let (cores, memory) = PARTS.split_at(PARTS.rfind("[[offering]]").expect("two offerings"));
    close(cost(cores), 2.0 * 0.194236 + 8.0 * (4.0 * 0.02 + 16.0 * 0.004237));
    close(cost(memory), 2.0 * 0.194236 + 8.0 * (4.0 * 0.031611 + 16.0 * 0.0029));
    // Who also sees a plan for both buys what saves more of each.
    let plan = "[[offering]]\nname = \"plan\"\nprovider = \"gcp\"\nfamilies = [\"n2\"]\ndiscount = \"30 %\"\n";
    close(cost(&format!("{PARTS}{plan}")), cost(PARTS));
}

/// A machine runs for ten hours. The policy looks at two hours at the end of each second one, and
/// buys the machine that it saw in both: from the third hour on it is reserved.
#[test]
fn a_policy_buys_what_it_saw_and_pays_for_it_from_then_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let jobs = "arrival_s,runtime_s,vcpus,memory_mib\n0,36000,2,1024\n";
    std::fs::write(folder.path().join("jobs.csv"), jobs).expect("it is written");
    let commit = "[policy.only.commit.percentile]\nevery = \"2 h\"\nwindow = \"2 h\"\n";
    let cost = |more: &str| {
        let scenario = parsed(&format!("{SCENARIO}{more}"), folder.path());
        let policy = &scenario.policies[0];
        let mut go_on = |_| std::ops::ControlFlow::Continue(());
        let run = experiment::run(&scenario, policy, Settings::seeded(1), &mut (), &mut go_on);
        let run = run.unwrap_or_else(|failure| panic!("{failure}"));
        (run.summary.cost.total.dollars(), run.summary.metric("commitments_used"))
    };
    let (total, used) = cost(&format!("{commit}{RESERVED}"));
    close(total, 2.0 * 0.096 + 8.0 * 0.06);
    assert_eq!(used, Some(1.0));
    // Nothing is bought by who does not buy, or of what saves nothing.
    close(cost(RESERVED).0, 0.96);
    let dear = RESERVED.replace("0.06", "0.097");
    close(cost(&format!("{commit}{dear}")).0, 0.96);
    // Of two that cover the same the one that saves more is bought, and not both.
    close(cost(&format!("{commit}{PLAN}{RESERVED}")).0, total);
    // Who does not buy beside one who does is settled too, without commitments.
    let beside =
        format!("{commit}[policy.idle]\nextends = \"only\"\ncommit = \"none\"\n{RESERVED}");
    let scenario = parsed(&format!("{SCENARIO}{beside}"), folder.path());
    let mut go_on = |_| std::ops::ControlFlow::Continue(());
    let (idle, settings) = (&scenario.policies[1], Settings::seeded(1));
    let run = experiment::run(&scenario, idle, settings, &mut (), &mut go_on);
    let cost = run.unwrap_or_else(|failure| panic!("{failure}")).summary.cost;
    assert_eq!((cost.total.dollars(), cost.terms.map(Money::nanos)), (0.96, Some(0)));
    // With nothing for sale it says so.
    let scenario = parsed(&format!("{SCENARIO}{commit}"), folder.path());
    let told = scenario.assumed(&[0]);
    assert!(told.iter().any(|one| one.contains("nothing is for sale")), "{told:?}");
}

/// At 1.25 dollars a machine that is reserved for 0.048 euros an hour is one for 0.06 dollars.
const EUROS: &str = "\n[[currency]]\ncode = \"EUR\"\nusd = 1.25\n";

#[test]
fn an_offering_in_another_currency_is_judged_in_dollars() {
    let in_euros = RESERVED.replace("0.06 USD", "0.048 USD") + "currency = \"EUR\"\n" + EUROS;
    let jobs = [(0, 48), (0, 20)];
    let [dollars, euros] = [RESERVED, &in_euros].map(|sale| advised(&jobs, sale).expect("it is"));
    let holdings = |study: &CommitStudy| format!("{:?}", study.advice.cheapest);
    assert_eq!(holdings(&euros), holdings(&dollars));
    assert!(holdings(&dollars).contains("units: 1"), "{}", holdings(&dollars));
    let said = format!("{:?}", euros.notes);
    assert!(said.contains("Foreign(\"EUR\", Exchange(1250000000000))"), "{said}");
    // What is held is worth what it is as the run begins, too: a machine, and not eight tenths.
    let plan = "\n[[account]]\nname = \"org\"\n[[commitment]]\nprovider = \"aws\"\naccount = \"org\"\n\
        from = \"2026-03-02\"\nspend = \"0.0384 USD/h\"\ndiscount = \"50 %\"\ncurrency = \"EUR\"\n\
        [[currency]]\ncode = \"EUR\"\nusd = 1\n[[currency]]\ncode = \"EUR\"\nfrom = \"2026-03-02\"\nusd = 1.25\n";
    let held = advised(&[(0, 48), (0, 48)], &format!("{RESERVED}{plan}")).expect("it is advised");
    close(held.coverable, 0.096 * 8_760.0);
}

/// It is weighed at what it is worth as the run begins: at 2.1 dollars a machine that is reserved for 0.048
/// euros costs more than on demand and nobody buys it, whatever it is worth an hour later.
#[test]
fn a_policy_buys_in_another_currency() {
    let folder = tempfile::tempdir().expect("a folder");
    let jobs = "arrival_s,runtime_s,vcpus,memory_mib\n0,36000,2,1024\n";
    std::fs::write(folder.path().join("jobs.csv"), jobs).expect("it is written");
    let cost = |begins: &str, later: &str, offering: &str| {
        let more = format!(
            "[policy.only.commit.percentile]\nevery = \"2 h\"\nwindow = \"2 h\"\n{offering}\
             currency = \"EUR\"\n[[currency]]\ncode = \"EUR\"\nusd = {begins}\n\
             [[currency]]\ncode = \"EUR\"\nfrom = \"2026-03-02T06:00:00Z\"\nusd = {later}\n"
        );
        let scenario = parsed(&format!("{SCENARIO}{more}"), folder.path());
        let policy = &scenario.policies[0];
        let mut go_on = |_| std::ops::ControlFlow::Continue(());
        let run = experiment::run(&scenario, policy, Settings::seeded(1), &mut (), &mut go_on);
        run.unwrap_or_else(|failure| panic!("{failure}")).summary.cost.total.dollars()
    };
    let machine = RESERVED.replace("0.06 USD", "0.048 USD");
    close(cost("1.25", "1.5", &machine), 2.0 * 0.096 + 4.0 * 0.06 + 4.0 * 0.072);
    close(cost("2.1", "1.0", &machine), 0.96);
    // A plan at 70 %: 0.0672 dollars an hour are bought in steps of a thousandth of a euro, 53 of them at
    // 1.25 (0.06625, which covers 0.094643).
    let plan = cost("1.25", "1.25", PLAN);
    close(plan, 2.0 * 0.096 + 8.0 * (0.06625 + 0.096 - 0.06625 / 0.7));
    // 0.05376 euros are that 70 %.
    let fixed = PLAN.replace("discount = \"30 %\"", "price = [{ usd = 0.05376 }]");
    close(cost("1.25", "1.25", &fixed), plan);
    // Of what a step is worth more later, no more is bought and what is left is less.
    close(
        cost("1.25", "1.26", PLAN),
        2.0 * 0.096
            + 4.0 * (0.06625 + 0.096 - 0.06625 / 0.7)
            + 4.0 * (0.06678 + 0.096 - 0.06678 / 0.7),
    );
}

/// A currency must be known as the run begins.
#[test]
fn an_offering_in_a_currency_that_is_not_known_yet_is_refused() {
    let late = format!(
        "{RESERVED}currency = \"EUR\"\n[[currency]]\ncode = \"EUR\"\nfrom = \"2026-03-03\"\nusd = 1.25\n"
    );
    let folder = tempfile::tempdir().expect("a folder");
    let problems = |text: &str| {
        let read = Scenario::parse(&format!("{SCENARIO}{text}"), "s.toml", folder.path(), &[]);
        read.map(|_| String::new()).unwrap_or_else(|problems| problems.to_string())
    };
    assert!(problems(&late).contains("it is not said what `EUR` is worth as the run begins"));
    let none = format!("{RESERVED}currency = \"EUR\"\n");
    assert!(problems(&none).contains("it is not said what `EUR` is worth then"));
}
