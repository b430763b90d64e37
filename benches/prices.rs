//! Reading a scenario with many changes of price, against reading its TOML alone; and
//! running with them, beside many machines.

use std::fmt::Write;
use std::hint::black_box;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use windtunnel::experiment::{self, Settings};
use windtunnel::model::Market;
use windtunnel::scenario::Scenario;
use windtunnel::sim::RunProgress;
use windtunnel::units::Time;

const HEAD: &str = "question = \"?\"\n[workload.synthetic]\ncount = 10\n\
    arrivals = { per_hour = 6 }\nclass.a.runtime = \"1 h\"\n[policy.p]\npreset = \"cloud-cheapest\"\n\
    [cloud.aws]\nregions = [\"us-east-1\", \"eu-central-1\"]\n";

/// Most time that a row may take, in times of a row of the fewest: linear, and room for caches.
const LIMIT: f64 = 2.0;

/// Microseconds from one change of an offer to the next: all come before the work is done.
const TENTH: i64 = 100_000;

/// Changes of all offers together.
const CHANGES: i64 = 2_000_000;

/// Longest time for two million changes beside 10,000 machines, in seconds.
const MOST_SECONDS: f64 = 2.0;

fn main() {
    read();
    run();
}

/// Plays changes of prices of rented offers beside owned machines.
fn run() {
    println!("\n| changes | offers | own machines | seconds | ns per change | limit, s |");
    println!("|---|---|---|---|---|---|");
    for machines in [10, 10_000] {
        let text = format!(
            "{HEAD}[cluster.dc]\nnodes = {machines}\nshape = {{ vcpus = 4, memory = \"16 GiB\" }}\n"
        );
        let text =
            text.replace("\"eu-central-1\"]", "\"eu-central-1\"]\nfamilies = [\"m5\", \"c5\"]");
        let mut scenario =
            Scenario::parse(&text, "prices.toml", Path::new(""), &[]).expect("it is valid");
        let rented: Vec<_> = scenario
            .world
            .offers
            .iter()
            .filter(|(_, offer)| offer.market != Market::Owned)
            .map(|(offer, _)| offer)
            .take(100)
            .collect();
        let each = CHANGES / rented.len() as i64;
        for &offer in &rented {
            let path = &mut scenario.world.offers[offer].price;
            let rate = path.first;
            path.changes =
                (0..each).map(|row| (Time::from_micros((row + 1) * TENTH), rate)).collect();
        }
        let changes = each as usize * rented.len();
        let seconds = best(|| {
            let settings = Settings::seeded(1);
            let control = &mut |_: RunProgress| ControlFlow::Continue(());
            let policy = &scenario.policies[0];
            let done = experiment::run(&scenario, policy, settings, &mut (), control);
            black_box(done.expect("it runs"));
        }) / 1e3;
        let nanos = seconds * 1e9 / changes as f64;
        let offers = rented.len();
        println!(
            "| {changes} | {offers} | {machines} | {seconds:.2} | {nanos:.0} | {MOST_SECONDS} |"
        );
        assert!(seconds <= MOST_SECONDS, "changes of prices take too long");
    }
}

fn read() {
    println!("| price rows | TOML alone, ms | whole scenario, ms | us per row | times | limit |");
    println!("|---|---|---|---|---|---|");
    let mut few = None;
    for rows in [1_000, 4_000, 16_000] {
        let mut text = HEAD.to_owned();
        for row in 0..rows {
            let (until, cents) = (row + 1, row % 7);
            writeln!(
                text,
                "[[cloud.aws.price]]\ntype = \"m5.xlarge\"\nmarket = \"on-demand\"\n\
                 from = \"{row} min\"\nuntil = \"{until} min\"\nusd_per_hour = 0.1{cents}"
            )
            .expect("a text can be written to");
        }
        let floor = best(|| drop(black_box(toml::de::DeTable::parse(&text).expect("it is TOML"))));
        let whole = best(|| {
            drop(black_box(
                Scenario::parse(&text, "prices.toml", Path::new(""), &[]).expect("it is valid"),
            ));
        });
        let each = whole * 1e3 / f64::from(rows);
        let times = each / *few.get_or_insert(each);
        println!("| {rows} | {floor:.1} | {whole:.1} | {each:.1} | {times:.2} | {LIMIT} |");
        assert!(times <= LIMIT, "a row takes longer where there are many");
    }
}

/// Milliseconds of the fastest of five.
fn best(part: impl Fn()) -> f64 {
    let timed = |_| {
        let start = Instant::now();
        part();
        start.elapsed().as_secs_f64() * 1e3
    };
    (0..5).map(timed).fold(f64::INFINITY, f64::min)
}
