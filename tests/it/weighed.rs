//! Place parts that weigh what a place costs: which machine is taken, and what all costs,
//! worked out by hand. Machines of four cores cost 0.192 USD/h, of sixteen 0.768 USD/h.

use std::fs;
use std::ops::ControlFlow;

use windtunnel::experiment::{self, Settings};
use windtunnel::metrics::Summary;
use windtunnel::scenario::Scenario;

/// Runs a policy that rents the cheapest, gives back what is idle, and places on the first
/// machine with room unless another costs less.
fn run(cloud: &str, weighs: &str, trace: &str) -> Summary {
    let dir = tempfile::tempdir().expect("a temporary directory");
    fs::write(dir.path().join("w.csv"), trace).expect("written");
    let text = format!(
        "question = \"q\"\n{cloud}[policy.p]\nprovision = \"cheapest\"\n\
         place = {{ first-fit = {{ weigh_price = true{weighs} }} }}\n\
         release = {{ idle = {{ after = \"0 s\" }} }}\n[workload]\ntrace = \"w.csv\"\n"
    );
    let scenario = Scenario::parse(&text, "s.toml", dir.path(), &[]).expect("it is valid");
    let settings = Settings { audit: true, ..Settings::seeded(1) };
    let mut go_on = |_| ControlFlow::Continue(());
    experiment::run(&scenario, &scenario.policies[0], settings, &mut (), &mut go_on)
        .expect("it runs")
        .summary
}

fn aws(regions: &str, types: &str, keys: &str) -> String {
    format!("[cloud.aws]\nregions = [{regions}]\ntypes = [{types}]\nboot = \"0 s\"\n{keys}")
}

#[track_caller]
fn costs(summary: &Summary, dollars: f64) {
    let total = summary.cost.total.dollars();
    assert!((total - dollars).abs() < 1e-6, "{total}, not {dollars}");
}

const HEAD: &str = "id,arrival_s,runtime_s,estimate_s,vcpus,tasks,gang,regions,home,input_bytes\n";
const ZONE: &str = "zones = [\"us-east-1a\"]\n";

#[test]
fn of_two_that_cost_the_same_the_older_is_kept() {
    // c keeps either machine for 1,000 s more; the two regions have one price.
    let cloud = aws("\"us-east-1\", \"us-east-2\"", "\"m6i.xlarge\"", "");
    for [first, second] in [["us-east-1", "us-east-2"], ["us-east-2", "us-east-1"]] {
        let trace = format!(
            "{HEAD}a,0,1000,1000,3,1,,aws/{first},,\nb,0,1000,1000,3,1,,aws/{second},,\n\
             c,500,1500,1500,1,1,,,,\n"
        );
        let summary = run(&cloud, "", &trace);
        costs(&summary, 0.192 * 3_000.0 / 3_600.0);
        let most = summary.cost.by_region.iter().max_by_key(|(_, cost)| *cost);
        assert_eq!(most.map(|(name, _)| name.as_str()), Some(&*format!("aws/{first}")));
    }
}

#[test]
fn what_a_place_costs_is_weighed_per_task() {
    // The large machine is held until 6,300 s and the small one until 3,600 s; three tasks last
    // until 7,200 s. The large one has room for three, for 15 minutes at 0.768 USD/h, which is
    // 0.064 USD each; the small one for one, for an hour at 0.096 USD/h.
    let cloud = aws("\"us-east-1\"", "\"m6i.4xlarge\", \"m6i.large\"", ZONE);
    let trace = format!(
        "{HEAD}b,0,3600,3600,1,1,,,,\na,0,6300,6300,13,1,,,,\nc,3000,4200,4200,1,3,false,,,\n"
    );
    let summary = run(&cloud, "", &trace);
    costs(&summary, 0.768 * 2.0 + 0.096);
    assert_eq!((summary.instances_launched, summary.wait_s.max), (2, Some(0.0)));
}

#[test]
fn a_machine_that_is_kept_anyway_comes_before_the_first() {
    // Both have room for c, which lasts until 5,000 s: the second is kept until then.
    let cloud = aws("\"us-east-1\"", "\"m6i.xlarge\"", ZONE);
    let trace =
        format!("{HEAD}a,0,1000,1000,3,1,,,,\nb,0,5000,5000,3,1,,,,\nc,500,4500,4500,1,1,,,,\n");
    let summary = run(&cloud, "", &trace);
    costs(&summary, 0.192 * 6_000.0 / 3_600.0);
    assert_eq!(summary.instances_launched, 2);
}

#[test]
fn what_is_too_dear_is_taken_where_nothing_can_be_rented() {
    // Two machines of four cores would cost the gang half of what the large one does, but only
    // one may be rented. It starts at once, on the large one, which is kept until 36,010 s.
    let types = "\"m6i.4xlarge\", \"m6i.xlarge\"";
    let cloud = aws("\"us-east-1\"", types, &format!("{ZONE}capacity = 1\n"));
    let trace = format!("{HEAD}a,0,3600,3600,10,1,,,,\ng,10,36000,36000,3,2,true,,,\n");
    let summary = run(&cloud, "", &trace);
    assert_eq!((summary.wait_s.max, summary.instances_launched), (Some(0.0), 1));
    costs(&summary, 0.768 * 36_010.0 / 3_600.0);
}

#[test]
fn what_moving_data_costs_is_weighed_with_the_price() {
    // c reads 100 GiB that live in us-east-1. There it keeps a machine for an hour longer; in
    // us-east-2 one is kept anyway, but moving costs 1 USD.
    let links = "[[transfer.link]]\nfrom = \"aws/us-east-1\"\nto = \"aws/us-east-2\"\n\
                 usd_per_gib = 0.01\ngbps = 100\n";
    let cloud = aws("\"us-east-1\", \"us-east-2\"", "\"m6i.xlarge\"", "") + links;
    let trace = format!(
        "{HEAD}a,0,3600,3600,3,1,,aws/us-east-1,,\nb,0,36000,36000,3,1,,aws/us-east-2,,\n\
         c,10,7190,7190,1,1,,,aws/us-east-1,107374182400\n"
    );
    let summary = run(&cloud, ", weigh_data = true", &trace);
    costs(&summary, 0.192 * (2.0 + 10.0));
    assert_eq!((summary.instances_launched, summary.transferred_gib), (2, 0.0));
}

#[test]
fn a_place_may_cost_its_part_of_what_renting_for_all_would() {
    // Four machines of four cores cost 0.768 USD for an hour. To keep the large one for 3,100 s,
    // for one of four tasks, is 0.66 USD, and more than a quarter of that.
    let cloud = aws("\"us-east-1\"", "\"m6i.4xlarge\", \"m6i.xlarge\"", ZONE);
    let trace = format!("{HEAD}a,0,1000,1000,13,1,,,,\nc,500,3600,3600,3,4,false,,,\n");
    costs(&run(&cloud, "", &trace), 0.768 * 1_000.0 / 3_600.0 + 0.768);
}

#[test]
fn work_without_gpus_keeps_no_machine_that_has_some() {
    // Beside the first it costs nothing until 36,000 s; ten seconds more would cost less than a
    // machine of its own.
    let cloud = aws("\"us-east-1\"", "\"p4d.24xlarge\", \"m6i.xlarge\"", ZONE);
    for (secs, launched) in [(36_000, 1), (36_010, 2)] {
        let trace = format!(
            "arrival_s,runtime_s,estimate_s,vcpus,gpus\n0,36000,36000,4,1\n0,{secs},{secs},2,0\n"
        );
        let summary = run(&cloud, ", gpu_machines = \"gpu-work\"", &trace);
        assert_eq!(summary.instances_launched, launched, "{secs}");
    }
}
