//! What is rented beside commitments, by hand. Without one a machine of Google for 0.06701142 dollars an
//! hour is cheaper than one of AWS for 0.096.

use windtunnel::experiment::{self, Settings};
use windtunnel::scenario::Scenario;
use windtunnel::sim::Observer;
use windtunnel::state::{Record, State};

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

/// Clouds from which machines were launched for these jobs, in order, and what is said of the scenario.
fn launched(provision: &str, jobs: &str, more: &str) -> (String, Vec<String>) {
    let folder = tempfile::tempdir().expect("a folder");
    let jobs = format!("arrival_s,runtime_s,vcpus,memory_mib,estimate_s,tasks,gang\n{jobs}");
    std::fs::write(folder.path().join("jobs.csv"), jobs).expect("it is written");
    let text = format!("{CLOUDS}provision = \"{provision}\"\n{more}");
    let scenario = Scenario::parse(&text, "s.toml", folder.path(), &[]);
    let scenario = scenario.unwrap_or_else(|problems| panic!("{problems}"));
    let mut seen = Launches::default();
    let mut go_on = |_| std::ops::ControlFlow::Continue(());
    let policy = &scenario.policies[0];
    experiment::run(&scenario, policy, Settings::seeded(1), &mut seen, &mut go_on)
        .unwrap_or_else(|failure| panic!("{failure}"));
    let clouds = seen.0.iter().map(|name| name.split('/').next().unwrap_or_default());
    let said = scenario.assumed(&[0]);
    (clouds.collect::<Vec<_>>().join(" "), said)
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
