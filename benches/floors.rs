//! Cost of hand-written loops that do only what no simulator can leave out: packing virtual
//! machines, and an M/M/c queue.

#[path = "floor/mmc.rs"]
mod mmc;
#[path = "floor/pack.rs"]
mod pack;
#[path = "floor/vms.rs"]
mod vms;

use std::fs;
use std::path::Path;

use pack::{Policy, pack};

const VMS: u64 = 1_000_000;
const JOBS: u64 = 10_000_000;

fn main() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench-data");
    fs::create_dir_all(&data).expect("target can be written to");
    for instances in [1_000, 10_000] {
        let trace = data.join(format!("vms-{VMS}-{instances}.csv"));
        vms::write_vms(&trace, VMS, instances, 0.8, 1).expect("the trace can be written");
        for policy in [Policy::FirstFit, Policy::BestFit] {
            let packed = pack(&trace, instances as usize, 64_000, 262_144, policy);
            let best = packed.micros_per_vm();
            println!("pack {policy:?}, {instances} instances: {best:.3} us/VM ({packed})");
        }
    }
    for servers in [1, 100] {
        let (elapsed, wait) = mmc::mmc(JOBS, servers, 0.9, 1);
        let cost = elapsed.as_nanos() as f64 / JOBS as f64;
        println!("M/M/{servers} at 0.9: {cost:.1} ns/job (mean wait {wait:.4} s)");
    }
}
