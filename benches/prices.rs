//! Reading a scenario with many changes of price, against reading its TOML alone.

use std::fmt::Write;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use windtunnel::scenario::Scenario;

const HEAD: &str = "question = \"?\"\n[workload.synthetic]\ncount = 10\n\
    arrivals = { per_hour = 6 }\nclass.a.runtime = \"1 h\"\n[policy.p]\npreset = \"cloud-cheapest\"\n\
    [cloud.aws]\nregions = [\"us-east-1\", \"eu-central-1\"]\n";

/// Most time that a row may take, in times of a row of the fewest: linear, and room for caches.
const LIMIT: f64 = 2.0;

fn main() {
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
