//! What is rented beside commitments, by hand. Without one a machine of Google for 0.06701142 dollars an
//! hour is cheaper than one of AWS for 0.096.

use tempfile::TempDir;
use windtunnel::experiment::{self, RunResult, Settings};
use windtunnel::policy::{self, Policy, Trigger, Turn};
use windtunnel::scenario::Scenario;
use windtunnel::sim::Observer;
use windtunnel::state::{Record, State};
use windtunnel::units::{Id, Span};

/// Names of the offers that were launched, in order.
#[derive(Debug, Default)]
struct Launches(Vec<String>);

impl Observer for Launches {
    fn record(&mut self, state: &State<'_>, record: &Record) {
        if let Record::Requested(instance) = *record {
            let offer = state.instance(instance).offer;
            self.0.push(state.world().offers[offer].name.clone());
        }
    }
}

const CLOUDS: &str = "question = \"?\"\nstart = \"2026-03-01\"\n[workload]\ntrace = \"jobs.csv\"\n\
    [cloud.aws]\nregions = [\"us-east-1\"]\ntypes = [\"m5.large\"]\nboot = \"0 s\"\n\
    [cloud.gcp]\nregions = [\"us-central1\"]\ntypes = [\"e2-standard-2\"]\nboot = \"0 s\"\n\
    [policy.p]\npreset = \"cloud-cheapest\"\nrelease = { idle = { after = \"0 s\" } }\n";

const JOB: &str = "0,7200,2,1024,7200,1,true\n";

/// A scenario of these jobs, with these types of AWS, and the folder that it reads as it runs.
fn scenario(provision: &str, jobs: &str, types: &str, more: &str) -> (TempDir, Scenario) {
    let folder = tempfile::tempdir().expect("a folder");
    let jobs = format!("arrival_s,runtime_s,vcpus,memory_mib,estimate_s,tasks,gang\n{jobs}");
    std::fs::write(folder.path().join("jobs.csv"), jobs).expect("it is written");
    let text = format!("{CLOUDS}provision = \"{provision}\"\n{more}");
    let types = [("cloud.aws.types".to_owned(), types.to_owned())];
    let scenario = Scenario::parse(&text, "s.toml", folder.path(), &types);
    (folder, scenario.unwrap_or_else(|problems| panic!("{problems}")))
}

/// Clouds from which the last policy of the scenario launches machines, in order, and its results.
fn launches(scenario: &Scenario, settings: Settings) -> (String, RunResult) {
    let mut seen = Launches::default();
    let mut go_on = |_| std::ops::ControlFlow::Continue(());
    let policy = scenario.policies.last().expect("there is one");
    let run = experiment::run(scenario, policy, settings, &mut seen, &mut go_on);
    let run = run.unwrap_or_else(|failure| panic!("{failure}"));
    let clouds = seen.0.iter().map(|name| name.split('/').next().unwrap_or_default());
    (clouds.collect::<Vec<_>>().join(" "), run)
}

/// Clouds from which machines were launched for these jobs, in order, and what is said of the scenario.
fn launched(provision: &str, jobs: &str, more: &str) -> (String, Vec<String>) {
    let (_folder, scenario) = scenario(provision, jobs, "[\"m5.large\"]", more);
    let (clouds, _) = launches(&scenario, Settings::seeded(1));
    (clouds, scenario.assumed(&[0]))
}

fn committed(jobs: &str, more: &str) -> String {
    launched("committed", jobs, &format!("[[account]]\nname = \"org\"\n{more}")).0
}

/// Reserved machines of that type, from that moment on for a year.
fn reserved(machines: u32, size: &str, from: &str) -> String {
    format!(
        "[[commitment]]\nprovider = \"aws\"\naccount = \"org\"\nfrom = \"{from}\"\n\
         machines = {machines}\ntype = \"{size}\"\nhourly = \"0.06 USD/h\"\n"
    )
}

const MARCH: &str = "2026-03-01";

/// Two machines are reserved and three jobs come: the third is cheaper with Google.
#[test]
fn what_is_reserved_comes_first_and_no_more_than_that() {
    let (jobs, terms) = (JOB.repeat(3), reserved(2, "m5.large", MARCH));
    assert_eq!(committed(&jobs, &terms), "aws aws gcp");
    let (cheapest, said) =
        launched("cheapest", &jobs, &format!("[[account]]\nname = \"org\"\n{terms}"));
    assert_eq!(cheapest, "gcp gcp gcp");
    assert!(!said.iter().any(|text| text.contains("rents as `cheapest`")), "{said:?}");
    // What is given back is there for the next.
    let later = JOB.repeat(2) + "7300,7200,2,1024,7200,1,true\n";
    assert_eq!(committed(&later, &reserved(1, "m5.large", MARCH)), "aws gcp aws");
    // A large machine is two small ones.
    assert_eq!(committed(&jobs, &reserved(1, "m5.xlarge", MARCH)), "aws aws gcp");
}

/// Of three machines of one job two are covered. A gang has all from one offer where it can: 0.192 dollars in all, and not 0.402.
#[test]
fn one_job_has_machines_from_both() {
    for gang in ["false", "true"] {
        let job = format!("0,7200,2,1024,7200,3,{gang}\n");
        let found = committed(&job, &reserved(2, "m5.large", MARCH));
        let wanted = if gang == "true" { "aws aws aws" } else { "aws aws gcp" };
        assert_eq!(found, wanted, "{gang}");
    }
}

/// A plan at 72 % of the list, 0.06912 dollars an hour and machine. 0.10368 an hour cover one and a half: half
/// of a machine costs 0.048. 0.0827 cover 1.1965: the rest of the second would cost 0.0771.
#[test]
fn a_plan_covers_parts_of_machines() {
    let plan = |spend: &str| {
        format!(
            "[[commitment]]\nprovider = \"aws\"\naccount = \"org\"\nfrom = \"{MARCH}\"\n\
             spend = \"{spend} USD/h\"\ndiscount = \"28 %\"\n"
        )
    };
    assert_eq!(committed(&JOB.repeat(3), &plan("0.10368")), "aws aws gcp");
    assert_eq!(committed(&JOB.repeat(3), &plan("0.0827")), "aws gcp gcp");
}

/// A year that began on 1 March 2025 ends as the run begins; one that began an hour later covers one of
/// two hours: 0.048 an hour in the mean. Of a job of four hours it covers a quarter: 0.072.
#[test]
fn a_term_that_ends_covers_a_part_of_the_time() {
    assert_eq!(committed(JOB, &reserved(1, "m5.large", "2025-03-01")), "gcp");
    assert_eq!(committed(JOB, &reserved(1, "m5.large", "2025-03-01T01:00:00Z")), "aws");
    let long = "0,14400,2,1024,14400,1,true\n";
    assert_eq!(committed(long, &reserved(1, "m5.large", "2025-03-01T01:00:00Z")), "gcp");
}

/// Of two reserved machines one is so for an hour more, and the other for the rest of the year: together
/// they cover all of the job, in whatever order they are said. For three hours of four only one of two jobs is covered.
#[test]
fn a_term_that_ends_does_not_hide_another() {
    let (short, long) =
        (reserved(1, "m5.large", "2025-03-01T01:00:00Z"), reserved(1, "m5.large", MARCH));
    let job = "0,14400,2,1024,14400,1,true\n";
    for terms in [format!("{short}{long}"), format!("{long}{short}")] {
        assert_eq!(committed(job, &terms), "aws");
        assert_eq!(committed(&job.repeat(2), &terms), "aws gcp");
    }
}

/// One machine of each cloud is paid for, and a first job has that of Google: the gang of three that
/// comes later costs 0.384 with AWS and 0.402 with Google. Without the reservation with AWS it costs
/// 0.576 there.
#[test]
fn a_gang_goes_where_all_of_it_costs_least() {
    let google = "[[commitment]]\nprovider = \"gcp\"\naccount = \"org\"\nfrom = \"2026-03-01\"\n\
        machines = 1\ntype = \"e2-standard-2\"\nhourly = \"0.05 USD/h\"\n";
    let jobs = "0,86400,2,1024,86400,1,true\n300,7200,2,1024,7200,3,true\n";
    let both = format!("{google}{}", reserved(1, "m5.large", MARCH));
    assert_eq!(committed(jobs, &both), "gcp aws aws aws");
    assert_eq!(committed(jobs, google), "gcp gcp gcp gcp");
}

/// Capacity that is kept is paid for anyway. It uses up the machine that is reserved, also while
/// it does not run.
#[test]
fn capacity_that_is_kept_is_paid_for_anyway() {
    let kept = "[[kept]]\nprovider = \"aws\"\naccount = \"org\"\nregion = \"us-east-1\"\n\
        type = \"m5.large\"\nmachines = 1\nfrom = \"2026-03-01\"\nuntil = \"2026-03-02\"\n";
    assert_eq!(committed(&JOB.repeat(2), kept), "aws gcp");
    let both = format!("{kept}{}", reserved(1, "m5.large", MARCH));
    assert_eq!(committed(&JOB.repeat(2), &both), "aws gcp");
    let more = format!("{kept}{}", reserved(2, "m5.large", MARCH));
    assert_eq!(committed(&JOB.repeat(3), &more), "aws aws gcp");
}

/// The first account pays for a run. What another holds for itself is not its own.
#[test]
fn what_others_hold_covers_nothing() {
    let other = "[[account]]\nname = \"other\"\nparent = \"org\"\n";
    let held = reserved(1, "m5.large", MARCH).replace("\"org\"", "\"other\"");
    assert_eq!(committed(JOB, &format!("{other}{held}")), "aws");
    let alone = format!("{other}{held}scope = \"other\"\n");
    assert_eq!(committed(JOB, &alone), "gcp");
}

#[test]
fn nothing_held_is_said() {
    let (found, said) = launched("committed", &JOB.repeat(2), "");
    assert_eq!(found, "gcp gcp");
    assert!(said.iter().any(|text| text.contains("rents as `cheapest`")), "{said:?}");
}

/// Machines are bought by the size, each for 0.03 dollars an hour: as many as were in use in any of two
/// hours, for that is less than half of what one costs on demand.
const BUYS: &str = "commit.percentile = { every = \"2 h\", window = \"2 h\" }\n\
    [[offering]]\nprovider = \"aws\"\nregion = \"us-east-1\"\ntype = \"m5.large\"\n\
    hourly = \"0.03 USD/h\"\n";

/// A first job needs a large machine, which only AWS has, and is two small ones.
const FIRST: &str = "0,6750,4,1024,7200,1,true\n";

fn buying(provision: &str, jobs: &str) -> (TempDir, Scenario) {
    scenario(provision, &format!("{FIRST}{jobs}"), "[\"m5.large\", \"m5.xlarge\"]", BUYS)
}

/// A job as above that comes at that second.
fn job_at(second: i64) -> String {
    format!("{second},7200,2,1024,7200,1,true\n")
}

/// After two hours two machines are bought: from then on, and not before, two jobs have them, and a third
/// is cheaper with Google.
#[test]
fn what_is_bought_is_seen_from_then_on() {
    let found = |provision: &str, jobs: &str| {
        let (_folder, scenario) = buying(provision, jobs);
        launches(&scenario, Settings::seeded(1))
    };
    let later = job_at(7_201).repeat(3);
    assert_eq!(found("cheapest", &later).0, "aws gcp gcp gcp");
    let (clouds, run) = found("committed", &later);
    assert_eq!(clouds, "aws aws aws gcp");
    // 6,750 seconds at 0.192; from then on for three begun hours 0.06; and two hours of Google.
    let cost = run.summary.cost.total.nanos();
    assert_eq!(cost, 360_000_000 + 180_000_000 + 2 * 67_011_420);
    // A second before it is not there, and at the very moment it is.
    assert_eq!(found("committed", &job_at(7_199)).0, "aws gcp");
    assert_eq!(found("committed", &job_at(7_200)).0, "aws aws");
}

/// What is bought at the end of the second hour ends a year later. Of a job that comes an hour before that
/// it covers one of two hours: 0.048 an hour. A minute later Google costs less than half an hour and 59 minutes of 0.096.
#[test]
fn what_is_bought_ends() {
    let end = 7_200 + 8_760 * 3_600;
    let clouds = |second: i64| {
        let (_folder, scenario) = buying("committed", &job_at(second));
        launches(&scenario, Settings::seeded(1)).0
    };
    // Where t hours of two are covered, 0.096 (2 - t) is to be below 0.13402284: t above 0.60393.
    assert_eq!(
        [end - 3_600, end - 2_178, end - 2_171].map(clouds),
        ["aws aws", "aws aws", "aws gcp"]
    );
    assert_eq!([end - 1, end].map(clouds), ["aws gcp", "aws gcp"]);
}

/// Where the first three hours are not counted, what is bought in them is seen all the same: the job of
/// the third hour runs on it in both runs, of which one is taken off the other.
#[test]
fn what_is_bought_before_a_run_counts_is_seen() {
    let (_folder, scenario) = buying("committed", &job_at(7_201));
    let settings = Settings { warm_up: Span::from_secs(3 * 3_600), ..Settings::seeded(1) };
    let (clouds, run) = launches(&scenario, settings);
    assert_eq!(clouds, "aws aws");
    let listed = run.spending.iter().map(|one| one.nanos).sum::<i128>();
    // A second more than an hour of 0.096.
    assert_eq!(listed, (96_000_000 * 3_601 + 3_599) / 3_600);
}

/// Rents one of everything at each question, and takes it back.
struct Fickle(Box<dyn Policy>);

impl Policy for Fickle {
    fn decide(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) {
        for offer in 0..turn.world().offers.len() as u32 {
            turn.attempt(|turn| {
                turn.rent(Id::new(offer)).ok()?;
                None::<()>
            });
        }
        self.0.decide(triggers, turn);
    }
}

/// Launches that are taken back buy nothing, also in the instant in which an hour ends.
#[test]
fn what_is_taken_back_buys_nothing() {
    let jobs = format!("{}{}", job_at(7_200), job_at(7_201).repeat(2));
    let (_folder, mut scenario) = buying("committed", &jobs);
    let (clouds, steady) = launches(&scenario, Settings::seeded(1));
    assert_eq!(clouds, "aws aws aws gcp");
    let spec = scenario.policies[0].clone();
    let built = spec.clone();
    scenario.add_policy("fickle", "1", move || Box::new(Fickle(policy::build(&built))));
    scenario.policies.last_mut().expect("it was added").commit = spec.commit;
    let (clouds, fickle) = launches(&scenario, Settings { audit: true, ..Settings::seeded(1) });
    assert_eq!(clouds, "aws aws aws gcp");
    assert_eq!(fickle.summary.cost.total, steady.summary.cost.total);
}

/// What a currency is worth, before and from three hours after the beginning.
const EUROS: &str = "[[currency]]\ncode = \"EUR\"\nusd = 1.08\n\
    [[currency]]\ncode = \"EUR\"\nfrom = \"2026-03-01T03:00:00Z\"\nusd = 1.62\n";

/// A plan of 0.064 euros an hour at 72 % of the list. At 1.08 dollars it is 0.06912 an hour, a machine; from
/// three hours on at 1.62 it is 0.10368, one and a half. A job that comes shortly before sees the one.
#[test]
fn a_plan_in_another_currency_is_worth_what_it_is_at_the_time() {
    let plan = |price: &str| {
        format!(
            "[[commitment]]\nprovider = \"aws\"\naccount = \"org\"\nfrom = \"{MARCH}\"\n\
             currency = \"EUR\"\nspend = \"0.064 USD/h\"\n{price}\n{EUROS}"
        )
    };
    let share = plan("discount = \"28 %\"");
    let at = |second: i64| job_at(second).repeat(3);
    for (second, clouds) in [
        (0, "aws gcp gcp"),
        (10_799, "aws gcp gcp"),
        (10_800, "aws aws gcp"),
        (20_000, "aws aws gcp"),
    ] {
        assert_eq!(committed(&at(second), &share), clouds, "{second}");
    }
    // At 0.064 euros each it is a machine whatever they are worth.
    let fixed = plan("price = [{ usd = 0.064 }]");
    for second in [0, 10_800] {
        assert_eq!(committed(&at(second), &fixed), "aws gcp gcp", "{second}");
    }
    let (_, said) = launched("committed", JOB, &format!("[[account]]\nname = \"org\"\n{share}"));
    assert!(
        said.iter().any(|text| text.contains("plans in EUR for what they are worth")),
        "{said:?}"
    );
}
