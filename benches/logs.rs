//! Real logs, whole: HPC2N under EASY, and the openb cluster under FGD at
//! 130 % of its GPUs. Needs the data folder beside the project.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use windtunnel::experiment::{self, RunResult, Settings};
use windtunnel::scenario::Scenario;

const HPC2N: &str = r#"
question = "How fast is it?"
[workload]
trace = "swf/HPC2N-2002-2.2-cln.swf.gz"
[cluster.seth]
nodes = 240
shape = { vcpus = 1, memory = "1 GiB" }
[policy.easy]
preset = "batch-backfill"
"#;

const OPENB: &str = r#"
question = "How fast is it?"
[workload]
trace = "gpu/openb_pod_list_default.csv.gz"
[workload.openb]
arrivals_only = true
[[workload.transform]]
inflate = { share = "130 %", resource = "gpu" }
[cluster.openb]
node_list = "gpu/openb_node_list_gpu_node.csv.gz"
[policy.fgd]
preset = "gpu-fgd"
"#;

fn main() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    if !data.exists() {
        println!("SKIPPED: there is no {}", data.display());
        return;
    }
    println!("| run | jobs | s | limit s |");
    println!("|---|---|---|---|");
    for (name, text, limit) in [("HPC2N, EASY", HPC2N, 5.0), ("openb at 130 %, FGD", OPENB, 1.0)] {
        let start = Instant::now();
        let result = run(text, &data);
        let elapsed = start.elapsed().as_secs_f64();
        println!("| {name} | {} | {elapsed:.2} | {limit} |", result.summary.work.submitted);
    }
}

fn run(text: &str, data: &Path) -> RunResult {
    let scenario = Scenario::parse(text, "bench.toml", data, &[]);
    let scenario = scenario.unwrap_or_else(|problems| panic!("{problems:#?}"));
    let settings = Settings::seeded(1);
    experiment::run(&scenario, &scenario.policies[0], settings, &mut (), &mut |_| {
        ControlFlow::Continue(())
    })
    .expect("the run ends")
}
