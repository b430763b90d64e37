//! Stored results of a policy, its baseline: a small file for a repository, readable, and ordered
//! so that a change shows as few lines.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::experiment::Measurement;
use crate::metrics::{HashTrace, METRICS};
use crate::problem::Problem;
use crate::scenario::{Identity, text_of};

/// The layout of the file.
const FORMAT: u32 = 3;
/// Changes that are named of those that make a baseline stale.
const NAMED: usize = 10;
/// Hint for a baseline that is of no use.
const ANEW: &str = "if that is as intended, store it anew with `windtunnel check SUITE --update`";

/// Stored results of one policy in all replications of one scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    format: u32,
    /// Hash over the metrics, which tells those that were edited from those that
    /// were stored.
    checksum: String,
    /// Version of windtunnel that stored it.
    pub version: String,
    /// The generator of random numbers.
    pub generator: String,
    /// Number of replications that the suite asked for.
    pub asked: u32,
    /// Differences between replications, in words.
    pub repeated: String,
    /// The policy and those that it extends, as tables of a scenario.
    pub policy: String,
    /// Hash over the records, by replication.
    pub events: Vec<String>,
    /// Identity of the scenario: values by key, hashes by file.
    pub world: BTreeMap<String, String>,
    /// Values by metric and replication; not a number where the run showed nothing.
    pub metrics: BTreeMap<String, Vec<f64>>,
    /// Hash trace along the records, by replication.
    pub trail: Vec<HashTrace>,
}

/// Terms under which a run is compared; a difference here makes a baseline stale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The scenario without its policies.
    pub identity: Identity,
    /// Number of replications that the suite asks for.
    pub asked: u32,
    /// Differences between replications, in words.
    pub repeated: String,
}

impl Baseline {
    /// Baseline from the replications of a policy.
    pub fn of(terms: &Terms, policy: String, runs: &[Measurement]) -> Self {
        let row = |row: usize| -> Vec<f64> {
            let value = |run: &Measurement| run.metrics.get(row).copied().flatten();
            runs.iter().map(|run| value(run).unwrap_or(f64::NAN)).collect()
        };
        let metrics = METRICS.iter().enumerate();
        let mut baseline = Self {
            format: FORMAT,
            checksum: String::new(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            generator: crate::units::stream::GENERATOR.to_owned(),
            asked: terms.asked,
            repeated: terms.repeated.clone(),
            policy,
            events: runs.iter().map(|run| run.fingerprint.clone()).collect(),
            world: terms.identity.0.clone(),
            metrics: metrics.map(|(at, metric)| (metric.key.to_owned(), row(at))).collect(),
            trail: runs.iter().map(|run| run.trail.clone()).collect(),
        };
        baseline.checksum = baseline.sum();
        baseline
    }

    /// Hash over the metrics, bit by bit; what is not a number is so in one way only.
    fn sum(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for (key, values) in &self.metrics {
            hasher.update(key.as_bytes());
            hasher.update(&[0]);
            for value in values {
                let value = if value.is_nan() { f64::NAN } else { *value };
                hasher.update(&value.to_bits().to_le_bytes());
            }
        }
        hasher.finalize().to_hex()[..16].to_owned()
    }

    /// Reads the baseline at `path`.
    ///
    /// # Errors
    /// Those of [`Baseline::parse`], or the reason why there is no text.
    pub fn load(path: &Path) -> Result<Self, Problem> {
        let text = text_of(path, "baseline")?;
        Self::parse(&text, &path.display().to_string())
    }

    /// Reads a file that [`Baseline::text`] made. Problems name it `shown`.
    ///
    /// # Errors
    /// Place and reason for which it is not a baseline.
    pub fn parse(text: &str, shown: &str) -> Result<Self, Problem> {
        let read: Self = toml::from_str(text).map_err(|error: toml::de::Error| {
            let before = &text[..error.span().map_or(0, |span| span.start).min(text.len())];
            let line = before.matches('\n').count() as u64 + 1;
            let column = before.chars().rev().take_while(|&letter| letter != '\n').count() as u64;
            let message = error.message().lines().collect::<Vec<_>>().join(", ");
            let message = format!("the baseline cannot be read: {message}");
            Problem::at(shown, line, column + 1, message).hint(ANEW)
        })?;
        let runs = read.events.len();
        let even = read.trail.len() == runs && read.metrics.values().all(|row| row.len() == runs);
        let wrong = match () {
            () if read.format != FORMAT => format!("it has format {}, not {FORMAT}", read.format),
            () if read.checksum != read.sum() => {
                "it is damaged or was edited, as its metrics have another checksum".to_owned()
            }
            () if runs == 0 => "it holds no replication".to_owned(),
            () if !even => "its rows differ in length".to_owned(),
            () if read.trail.iter().any(|trail| !trail.stride.is_power_of_two()) => {
                "its strides are not powers of two".to_owned()
            }
            () => return Ok(read),
        };
        Err(Problem::with(shown, format!("the baseline cannot be used: {wrong}")).hint(ANEW))
    }

    /// The file.
    ///
    /// # Errors
    /// It holds what TOML cannot.
    pub fn text(&self, scenario: &str, policy: &str) -> Result<String, toml::ser::Error> {
        let clean = |name: &str| name.replace(|letter: char| letter.is_control(), " ");
        Ok(format!(
            "# What policy {} of {} did; written by `windtunnel check --update`.\n{}",
            clean(policy),
            clean(scenario),
            toml::to_string(self)?
        ))
    }

    /// Reasons for which the baseline cannot be compared with a run on these terms; empty where it
    /// can.
    pub fn staleness(&self, terms: &Terms) -> Vec<String> {
        let mut changes = terms.identity.changes_since(&Identity(self.world.clone()));
        let mut differs = |what: &str, then: &str, now: &str| {
            if then != now {
                changes.push(format!("{what}: `{now}` instead of `{then}`"));
            }
        };
        differs("generator", &self.generator, crate::units::stream::GENERATOR);
        differs("replications", &self.asked.to_string(), &terms.asked.to_string());
        differs("repeated", &self.repeated, &terms.repeated);
        changes
    }

    /// The problem of a stale baseline at `shown`.
    pub fn stale(shown: &str, changes: &[String]) -> Problem {
        let named = changes.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join("; ");
        let more = match changes.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        let message = format!("the baseline is stale: {named}{more}");
        Problem::with(shown, message).hint(ANEW)
    }

    /// Number of replications that it holds.
    pub fn replications(&self) -> u32 {
        self.events.len() as u32
    }

    /// The values of a metric by replication; `None` where the run showed nothing.
    pub fn metric(&self, key: &str) -> Vec<Option<f64>> {
        let value = |value: &f64| Some(*value).filter(|value| !value.is_nan());
        self.metrics.get(key).into_iter().flatten().map(value).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{RecordHash, Summary};

    fn run(wait: Option<f64>) -> Measurement {
        let summary = Summary::default();
        let series = crate::metrics::Series::default();
        let mut run = Measurement::of(&summary, &series, Vec::new(), None);
        for (metric, value) in METRICS.iter().zip(&mut run.metrics) {
            *value = if metric.key == "wait_mean" { wait } else { Some(0.1) };
        }
        run.fingerprint = "ab".to_owned();
        run.trail.last = RecordHash(7);
        run
    }

    fn terms() -> Terms {
        let parts = [
            ("cluster.c.nodes", "1"),
            ("file a.csv", "blake3 2"),
            ("shipped catalog aws", "blake3 3"),
        ];
        let parts = parts.map(|(name, hash)| (name.to_owned(), hash.to_owned()));
        Terms { identity: Identity(parts.into()), asked: 2, repeated: "one seed each".to_owned() }
    }

    fn baseline() -> Baseline {
        let policy = "[policy.p]\npreset = \"batch-fcfs\"\n".to_owned();
        Baseline::of(&terms(), policy, &[run(None), run(Some(1.0 / 3.0))])
    }

    #[test]
    fn a_file_holds_every_bit() {
        let text = baseline().text("s", "p").expect("it is data");
        let read = Baseline::parse(&text, "b.toml").expect("as written");
        assert_eq!(read.text("s", "p").expect("it is data"), text);
        assert_eq!(read.metric("wait_mean"), [None, Some(1.0 / 3.0)]);
        assert_eq!(read.metric("unheard_of"), []);
        assert_eq!((read.replications(), read.trail[0].last), (2, RecordHash(7)));
        assert_eq!(read.staleness(&terms()), [""; 0]);
    }

    #[track_caller]
    fn check_broken(from: &str, to: &str, want: &str) {
        let text = baseline().text("s", "p").expect("it is data");
        assert!(text.contains(from), "{text}");
        let problem = Baseline::parse(&text.replacen(from, to, 1), "b.toml").expect_err("broken");
        let shown = problem.to_string();
        assert!(shown.starts_with(want), "{shown}");
        assert!(shown.contains("--update"), "{shown}");
    }

    #[test]
    fn a_corrupted_file_is_refused_with_its_place() {
        check_broken("asked = 2", "<<<<<<< HEAD", "b.toml:6:9: the baseline cannot be read: ");
        check_broken("asked = 2", "asked = \"2\"", "b.toml:6:9: the baseline cannot be read: ");
        check_broken("asked = 2\n", "", "b.toml:1:1: the baseline cannot be read: missing field");
        check_broken("asked = 2", "asked = 2\nnew = 1", "b.toml:7:1: the baseline cannot be read:");
        check_broken("format = 3", "format = 2", "b.toml: the baseline cannot be used: it has");
        check_broken("[\"ab\", \"ab\"]", "[\"ab\"]", "b.toml: the baseline cannot be used: its");
        check_broken("stride = 1", "stride = 0", "b.toml: the baseline cannot be used: its str");
        let edited = "b.toml: the baseline cannot be used: it is damaged or was edited";
        check_broken("0.3333333333333333]", "0.5]", edited);
        check_broken("wait_mean = [nan", "wait_mean = [0.0", edited);
        check_broken("checksum = \"", "checksum = \"0", edited);
        check_broken("last = \"0", "last = \"\\u0001", "b.toml:");
    }

    #[track_caller]
    fn check_stale(change: impl FnOnce(&mut Terms), want: &[&str]) {
        let mut now = terms();
        change(&mut now);
        assert_eq!(baseline().staleness(&now), want);
    }

    #[test]
    fn another_world_is_no_regression() {
        check_stale(
            |now| {
                now.identity.0.insert("file a.csv".to_owned(), "blake3 4".to_owned());
            },
            &["file a.csv has changed"],
        );
        check_stale(
            |now| {
                now.identity.0.remove("cluster.c.nodes");
                now.identity.0.insert("seed".to_owned(), "1".to_owned());
            },
            &["cluster.c.nodes is gone, was 1", "seed is new: 1"],
        );
        let many: Vec<String> = (0..12).map(|key| key.to_string()).collect();
        let problem = Baseline::stale("b.toml", &many).to_string();
        assert!(problem.contains("stale: 0; 1; 2; 3; 4; 5; 6; 7; 8; 9; and 2 more"), "{problem}");
        check_stale(|now| now.asked = 3, &["replications: `3` instead of `2`"]);
        check_stale(
            |now| now.repeated = "weekly".to_owned(),
            &["repeated: `weekly` instead of `one seed each`"],
        );
    }
}
