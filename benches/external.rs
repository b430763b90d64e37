//! Cost of decisions in another process: best fit by windtunnel itself, by a process in Rust, as a
//! part and as a whole, and by one in Python.

#[path = "../examples/external_policy/best_fit.rs"]
mod best_fit;

use std::io::{self, BufRead, Write};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

const JOBS: u64 = 100_000;

fn main() -> io::Result<()> {
    if std::env::args().nth(1).as_deref() == Some("serve") {
        return serve();
    }
    let folder = tempfile::tempdir()?;
    let clients = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/python");
    for file in ["best_fit.py", "windtunnel_policy.py"] {
        std::fs::copy(clients.join(file), folder.path().join(file))?;
    }
    let this = std::env::current_exe()?;
    let path = folder.path().join("bench.toml");
    std::fs::write(&path, scenario(&this))?;
    println!("{JOBS} jobs on 20 nodes, best fit");
    println!(
        "| who decides | decisions | s | decisions per s | more than built in, us per decision |"
    );
    println!("|---|---|---|---|---|");
    let mut first = None;
    for (policy, who) in [
        ("native", "built in"),
        ("part", "the place part in Rust"),
        ("whole", "a whole policy in Rust"),
        ("python", "a whole policy in Python"),
    ] {
        let Some((decisions, secs, hash)) = time(&path, policy) else {
            println!("| {who} | it did not run | | | |");
            continue;
        };
        let (native, same) = first.get_or_insert_with(|| (secs, hash.clone()));
        assert_eq!(*same, hash, "all decide the same");
        let more = (secs - *native) / decisions as f64 * 1e6;
        println!(
            "| {who} | {decisions} | {secs:.2} | {:.0} | {more:.1} |",
            decisions as f64 / secs
        );
    }
    Ok(())
}

/// Decisions, seconds and event hash of a run, with the start of its processes.
fn time(path: &Path, policy: &str) -> Option<(u64, f64, String)> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_windtunnel"));
    command.arg("run").arg(path).args(["--policy", policy, "--no-out", "--json", "--quiet"]);
    let begin = Instant::now();
    let output = command.output().ok()?;
    let secs = begin.elapsed().as_secs_f64();
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).ok()?;
    let hash = json["fingerprint"].as_str()?.to_owned();
    Some((json["summary"]["decisions"].as_u64()?, secs, hash))
}

fn scenario(this: &Path) -> String {
    let this = serde_json::to_string(&this.display().to_string()).expect("a text");
    format!(
        "question = \"What does it cost?\"\nbaseline = \"native\"\n\
         [workload.synthetic]\ncount = {JOBS}\narrivals = {{ per_hour = 60 }}\n\
         class.a = {{ runtime = \"exponential(mean=1 h)\", vcpus = \"uniform(low=1, high=6)\", memory = \"8 GiB\" }}\n\
         [cluster.c]\nnodes = 20\nshape = {{ vcpus = 16, memory = \"64 GiB\" }}\n\
         [policy.native]\npreset = \"vm-packing\"\n\
         [policy.part]\npreset = \"vm-packing\"\nplace = {{ external = [{this}, \"serve\"] }}\n\
         [policy.whole]\nexternal = [{this}, \"serve\"]\n\
         [policy.python]\nexternal = [\"python3\", \"best_fit.py\"]\n"
    )
}

fn serve() -> io::Result<()> {
    let mut policy = best_fit::BestFit::default();
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        writeln!(out, "{}", policy.answer(&line?))?;
        out.flush()?;
    }
    Ok(())
}
