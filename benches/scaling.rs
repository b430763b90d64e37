//! Time per placement as instances grow from a hundred to a hundred thousand:
//! it should grow no faster than the logarithm of their number.

#[path = "floor/vms.rs"]
mod vms;

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use windtunnel::experiment::{self, Settings};
use windtunnel::scenario::Scenario;

/// Virtual machines per instance: enough to fill it several times over.
const PER_INSTANCE: u64 = 60;
const MOST_VMS: u64 = 3_000_000;

fn main() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench-data");
    fs::create_dir_all(&data).expect("target can be written to");
    println!("virtual machines placed and removed at 80 % load, us each");
    println!(
        "| instances | virtual machines | first fit | best fit | per log2, first | per log2, best |"
    );
    println!("|---|---|---|---|---|---|");
    for instances in [100, 1_000, 10_000, 100_000] {
        let count = (instances * PER_INSTANCE).clamp(200_000, MOST_VMS);
        let name = format!("scaling-{instances}.csv");
        vms::write_vms(&data.join(&name), count, instances, 0.8, 1).expect("it can be written");
        let times = ["first-fit", "best-fit"].map(|place| {
            let text = format!(
                "question = \"How fast is it?\"\n[workload]\ntrace = \"{name}\"\n\
                 [cluster.dc]\nnodes = {instances}\nshape = {{ vcpus = 64, memory = \"256 GiB\" }}\n\
                 [policy.pack]\nplace = \"{place}\"\n"
            );
            let scenario = Scenario::parse(&text, "scaling.toml", &data, &[]);
            let scenario = scenario.expect("the scenario is valid");
            let settings = Settings::seeded(1);
            let start = Instant::now();
            experiment::run(&scenario, &scenario.policies[0], settings, &mut (), &mut |_| {
                ControlFlow::Continue(())
            })
            .expect("the run ends");
            start.elapsed().as_secs_f64() * 1e6 / count as f64
        });
        let log = (instances as f64).log2();
        println!(
            "| {instances} | {count} | {:.3} | {:.3} | {:.4} | {:.4} |",
            times[0],
            times[1],
            times[0] / log,
            times[1] / log
        );
    }
}
