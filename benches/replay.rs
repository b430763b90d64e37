//! Whole runs against the floors: a million virtual machines packed.
#[path = "floor/vms.rs"]
mod vms;
#[path = "floor/pack.rs"]
mod pack;

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;
use windtunnel::metrics::{Collector, Fingerprint, Laws, Series};
use windtunnel::model::*;
use windtunnel::policy::place::{Fit, Place, place_all};
use windtunnel::policy::{Policy, Trigger, Turn};
use windtunnel::problem::Problem;
use windtunnel::sim::{self, Options};
use windtunnel::state::Needs;
use windtunnel::units::*;
use windtunnel::workload::Source;

struct Csv {
    reader: csv::Reader<fs::File>,
    record: csv::ByteRecord,
    row: u64,
}
fn int(b: &[u8]) -> i64 {
    b.iter().fold(0, |n, d| n * 10 + i64::from(d - b'0'))
}
impl Source for Csv {
    fn next(&mut self, _book: &mut Book, work: &mut Work) -> Result<bool, Problem> {
        if !self.reader.read_byte_record(&mut self.record).expect("reads") {
            return Ok(false);
        }
        work.id = WorkId { source: 0, ordinal: self.row };
        self.row += 1;
        work.arrival = Time::from_secs(int(&self.record[1]));
        work.truth.runtime = Span::from_secs(int(&self.record[2]));
        work.ask = Ask {
            kind: Kind::VirtualMachine,
            demand: Demand {
                cpu: int(&self.record[3]) as u32,
                memory: int(&self.record[4]) as u32,
                gpus: 0,
                gpu_share: 0,
            },
            ..Ask::default()
        };
        Ok(true)
    }
}
struct Mini(Fit);
impl Policy for Mini {
    fn needs(&self) -> Needs {
        self.0.needs()
    }
    fn decide(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) {
        for t in triggers {
            if let Trigger::Arrived(work) = *t {
                if !place_all(&mut self.0, turn, work) {
                    turn.refuse(work, windtunnel::state::RefusalReason::Policy).expect("waits");
                }
            }
        }
    }
}
fn world(n: u32) -> World {
    let mut w = World::empty(Calendar::from_unix_micros(0));
    let provider = w.providers.push(Provider {
        name: "dc".into(),
        title: "dc".into(),
        billing: Billing { granularity: Span::from_micros(1), minimum: Span::ZERO },
        notice: Span::ZERO,
    });
    let region = w.regions.push(Region {
        name: "dc".into(),
        provider,
        jurisdiction: String::new(),
        certifications: vec![],
        carbon_mg_per_kwh: 0,
    });
    let zone = w.zones.push(Zone { name: "dc".into(), region });
    let shape = Shape { cpu: 64_000, memory: 262_144, gpus: 0 };
    let t = w.types.push(InstanceType {
        name: "n".into(),
        family: "n".into(),
        shape,
        whole: shape,
        gpu_model: None,
        speed: 1_000_000,
        power_milliwatts: 0,
    });
    w.offers.push(Offer {
        name: "dc".into(),
        zone,
        instance_type: t,
        market: Market::Owned,
        price: PricePath::constant(Rate::parse("1.5").expect("p")),
        capacity: None,
        boot: Distribution::Constant(0.0),
        running_at_start: n,
    });
    w
}
fn main() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench-data");
    fs::create_dir_all(&data).expect("target can be written to");
    for n in [1_000_u64, 10_000] {
        let trace = data.join(format!("vms-1000000-{n}.csv"));
        if !trace.exists() {
            vms::write_vms(&trace, 1_000_000, n, 0.8, 1).expect("w");
        }
        for (name, fit) in [("first", Fit::first()), ("best", Fit::best(Scalar::Cpu))] {
            for full in [false, true] {
                let w = world(n as u32);
                let mut src = Csv {
                    reader: csv::Reader::from_path(&trace).expect("t"),
                    record: csv::ByteRecord::new(),
                    row: 0,
                };
                let mut policy = Mini(fit);
                let t = Instant::now();
                let mut obs = full.then(|| {
                    (
                        (Collector::default(), Series::default()),
                        (Laws::new(false), Fingerprint::default()),
                    )
                });
                let out =
                    sim::run(&w, &mut src, &mut policy, &Options::default(), &mut obs, &mut |_| {
                        ControlFlow::Continue(())
                    })
                    .expect("runs");
                if let Some(((_, _), (laws, f))) = &obs {
                    assert_eq!(laws.broken(), None);
                    println!("{}", f.hex());
                }
                println!(
                    "{n} {name} full={full}: {:.3} us/VM events {} ",
                    t.elapsed().as_secs_f64(),
                    out.events
                );
            }
        }
    }
}
