//! A million virtual machines packed, against a plain loop: with the summary
//! only, and with every file of a run folder.

#[path = "floor/pack.rs"]
mod pack;
#[path = "floor/vms.rs"]
mod vms;

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use windtunnel::experiment::{self, Settings};
use windtunnel::scenario::Scenario;

const VMS: u64 = 1_000_000;
const REPETITIONS: usize = 3;

fn main() {
    // Called with one of its scenarios: replays that once, for a profiler.
    if let Some(path) = std::env::args().nth(1).filter(|path| path.ends_with(".toml")) {
        println!("{:.3}", summary_only(Path::new(&path)));
        return;
    }
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench-data");
    fs::create_dir_all(&data).expect("target can be written to");
    println!("1,000,000 virtual machines on instances of 64 cores and 256 GiB, 80 % load");
    println!("us per virtual machine, median of {REPETITIONS}; floor: a plain loop");
    println!("| instances | place | floor | summary | ratio | limit | all files | ratio | limit |");
    println!("|---|---|---|---|---|---|---|---|---|");
    for instances in [1_000, 10_000] {
        let trace = data.join(format!("vms-{VMS}-{instances}.csv"));
        vms::write_vms(&trace, VMS, instances, 0.8, 1).expect("the trace can be written");
        for place in ["first-fit", "best-fit"] {
            let policy = match place {
                "first-fit" => pack::Policy::FirstFit,
                _ => pack::Policy::BestFit,
            };
            let scenario = scenario(&data, &trace, instances, place);
            let (mut floors, mut summaries, mut files) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..REPETITIONS {
                let packed = pack::pack(&trace, instances as usize, 64_000, 262_144, policy);
                floors.push(packed.micros_per_vm());
                summaries.push(summary_only(&scenario));
                files.push(all_files(&scenario, &data));
            }
            let [floor, summary, files] = [floors, summaries, files].map(median);
            println!(
                "| {instances} | {place} | {floor:.3} | {summary:.3} | {:.2} | 3 | {files:.3} | {:.2} | 6 |",
                summary / floor,
                files / floor
            );
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Writes the scenario beside its trace.
fn scenario(data: &Path, trace: &Path, instances: u64, place: &str) -> PathBuf {
    let name = trace.file_name().expect("the trace has a name").to_string_lossy();
    let path = data.join(format!("vms-{instances}-{place}.toml"));
    let place = match place {
        "best-fit" => "[policy.pack.place.best-fit]\nby = \"cpu\"\n".to_owned(),
        place => format!("[policy.pack]\nplace = \"{place}\"\n"),
    };
    let text = format!(
        "question = \"How fast is it?\"\n[workload]\ntrace = \"{name}\"\n\
         [cluster.dc]\nnodes = {instances}\nshape = {{ vcpus = 64, memory = \"256 GiB\" }}\n\
         cost = \"1.50 USD/h\"\n{place}"
    );
    fs::write(&path, text).expect("the scenario can be written");
    path
}

fn summary_only(path: &Path) -> f64 {
    let scenario = Scenario::load(path, &[]).expect("the scenario is valid");
    let settings = Settings::seeded(1);
    let start = Instant::now();
    let policy = &scenario.policies[0];
    let result =
        experiment::run(&scenario, policy, settings, &mut (), &mut |_| ControlFlow::Continue(()))
            .expect("the run ends");
    let elapsed = start.elapsed();
    assert_eq!(result.summary.work.finished, VMS, "every virtual machine is placed");
    elapsed.as_secs_f64() * 1e6 / VMS as f64
}

/// The whole command, with its folder of results.
fn all_files(path: &Path, data: &Path) -> f64 {
    let out = data.join("run");
    let start = Instant::now();
    let status = Command::new(env!("CARGO_BIN_EXE_windtunnel"))
        .args(["run", "--quiet", "--force", "--json", "--out"])
        .args([&out, path])
        .stdout(fs::File::create(data.join("summary.json")).expect("target can be written to"))
        .status()
        .expect("the command starts");
    assert!(status.success(), "the command succeeds");
    start.elapsed().as_secs_f64() * 1e6 / VMS as f64
}
