//! Figures that were observed in sum, and that a backtest holds runs against. No run and no
//! policy sees them.

use std::path::{Path, PathBuf};

use super::composition::unknown_name;
use super::section::{ConfigTable, Diagnostics};
use super::terms;
use crate::billing::currency::Currency;
use crate::model::World;
use crate::problem::clip;
use crate::units::{Calendar, IdVec, Money, Time};

/// Figures of the real system over the time that the workload covers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observed {
    /// Figures by key of [`Observed::KEYS`], in seconds, dollars, hours, numbers and shares from 0
    /// to 1.
    pub figures: Vec<(&'static str, f64)>,
    /// Dollars by provider or cluster.
    pub provider_cost: Vec<(String, Money)>,
    /// The bill line by line.
    pub bill: Option<BillFile>,
}

/// A file with a bill. It is read by a backtest alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BillFile {
    /// The file.
    pub path: PathBuf,
    /// From when on it is whole, since 1970; `None` from its first line on.
    pub from: Option<Time>,
    /// Until when; `None` until its last line.
    pub until: Option<Time>,
    /// What currencies are worth.
    pub currencies: IdVec<Currency>,
}

impl Observed {
    /// Every figure that may be given. They are named like the metrics of
    /// reports, dollars with their unit.
    pub const KEYS: [&'static str; 11] = [
        "wait_mean",
        "wait_p50",
        "wait_p95",
        "makespan",
        "queue_length_mean",
        "utilisation_cpu",
        "utilisation_gpu",
        "core_hours",
        "gpu_hours",
        "instance_hours",
        "cost_usd",
    ];

    /// Whether nothing was observed.
    pub fn is_empty(&self) -> bool {
        self.figures.is_empty() && self.provider_cost.is_empty() && self.bill.is_none()
    }
}

/// Reads `[observed]` of a scenario in that folder.
pub(super) fn read(
    root: &ConfigTable,
    (world, calendar, base): (&World, Calendar, &Path),
    report: &mut Diagnostics<'_>,
) -> Observed {
    let section = root.section("observed");
    let bill = bill(root, (calendar, base), report);
    let mut observed = Observed { bill, ..Observed::default() };
    for key in Observed::KEYS {
        let span = section.span(key).map(|span| span.secs_f64());
        let scaled = section.integer(key).map(|value| match key {
            "cost_usd" => value as f64 / 1e9,
            _ => value as f64 / 1e6,
        });
        observed.figures.extend(span.or(scaled).or(section.number(key)).map(|value| (key, value)));
    }
    let costs = section.section("provider_cost_usd");
    for entry in &costs.entries {
        let known: Vec<&str> =
            world.providers.rows().iter().map(|provider| provider.name.as_str()).collect();
        if !known.contains(&entry.name.as_str()) {
            let message = format!("there is no provider or cluster called `{}`", clip(&entry.name));
            report.hint(&entry.key, message, unknown_name(&entry.name, &known));
        }
        let cost = costs.integer(&entry.name).map(|nanos| Money::from_nanos(nanos.into()));
        observed.provider_cost.extend(cost.map(|cost| (entry.name.clone(), cost)));
    }
    observed
}

/// Reads which file has the bill.
fn bill(
    root: &ConfigTable,
    (calendar, base): (Calendar, &Path),
    report: &mut Diagnostics<'_>,
) -> Option<BillFile> {
    let section = root.section("observed");
    let unix = |key: &str| {
        let moment = section.moment(key, calendar)?;
        Some(Time::from_micros(calendar.unix_micros(moment)))
    };
    let (from, until) = (unix("bill_from"), unix("bill_until"));
    let Some(file) = section.text("bill") else {
        for key in ["bill_from", "bill_until"].into_iter().filter(|key| section.has(key)) {
            report.hint(&section.spot(key), "there is no `bill`", "name the file: `bill`");
        }
        return None;
    };
    if from.zip(until).is_some_and(|(from, until)| until <= from) {
        let words = "lies before `bill_from`, or is the same";
        report.hint(&section.spot("bill_until"), words, "the bill is whole between the two");
    }
    let currencies = terms::currencies(root, report);
    Some(BillFile { path: base.join(file), from, until, currencies })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::scenario::{Scenario, key};

    const SMALL: &str = "question = \"?\"\n\
        [workload.synthetic]\ncount = 10\narrivals = { per_hour = 6 }\nclass.a.runtime = \"1 h\"\n\
        [cluster.c]\nnodes = 2\nshape = { vcpus = 4, memory = \"8 GiB\" }\n\
        [policy.p]\npreset = \"batch-fcfs\"\n[observed]\n";

    fn read(observed: &str) -> Result<Observed, String> {
        let text = format!("{SMALL}{observed}");
        let scenario = Scenario::parse(&text, "a.toml", Path::new(""), &[]);
        scenario.map(|scenario| scenario.observed).map_err(|problems| problems[0].to_string())
    }

    #[test]
    fn figures_come_in_their_units() {
        let found = read(
            "wait_mean = \"2 min\"\nutilisation_cpu = \"62.5 %\"\ncore_hours = 12\n\
             cost_usd = 10.50\nprovider_cost_usd = { c = 4 }\n",
        )
        .expect("it can be read");
        let want = [
            ("wait_mean", 120.0),
            ("utilisation_cpu", 0.625),
            ("core_hours", 12.0),
            ("cost_usd", 10.5),
        ];
        assert_eq!(found.figures, want);
        assert_eq!(found.provider_cost, [("c".to_owned(), Money::from_nanos(4_000_000_000))]);
        assert!(read("").expect("it can be read").is_empty());
        let unknown = read("provider_cost_usd = { d = 4 }\n").expect_err("there is no d");
        assert!(unknown.contains("no provider or cluster called `d`"), "{unknown}");
    }

    #[test]
    fn a_bill_has_its_file_and_its_stretch() {
        let dated = "bill = \"bill.csv\"\nbill_from = \"1 h\"\nbill_until = \"2 h\"\n";
        let bill = read(dated).expect("it can be read").bill.expect("a bill");
        let (from, until) = (bill.from.expect("said"), bill.until.expect("said"));
        assert_eq!((until - from).secs_f64(), 3_600.0);
        assert_eq!(bill.path, Path::new("bill.csv"));
        for (text, told) in [
            ("bill_from = \"1 h\"\n", "a.toml:12:13: there is no `bill`"),
            (
                "bill = \"bill.csv\"\nbill_from = \"1 h\"\nbill_until = \"1 h\"\n",
                "a.toml:14:14: lies before `bill_from`, or is the same",
            ),
        ] {
            let problem = read(text).expect_err("it is refused");
            assert!(problem.starts_with(told), "{problem}");
        }
    }

    #[test]
    fn figures_and_keys_are_the_same_list() {
        let others = ["bill", "bill_from", "bill_until", "provider_cost_usd"];
        let keys = key::children("observed").filter(|key| !others.contains(key));
        assert_eq!(keys.collect::<Vec<_>>(), Observed::KEYS);
    }
}
