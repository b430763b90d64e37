//! Record of a backtest, to be told beside every later comparison on the same scenario.

use serde::{Deserialize, Serialize};

use super::{Backtest, Likeness, Reading, WaitErrors};
use crate::policy::spec::PolicySpec;
use crate::scenario::Scenario;

/// Hashes of the parts that a backtest was made of: with other parts its errors say nothing any
/// more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeOf {
    /// Version of the simulator.
    pub version: String,
    /// The trace and how it is read.
    pub workload: String,
    /// The world that work can run on.
    pub world: String,
    /// The policy as it is.
    pub policy: String,
}

/// Record of a backtest: its policy, its parts and its verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Kind of file, always [`KIND`](Self::KIND).
    pub kind: String,
    /// The policy that was replayed.
    pub policy: String,
    /// The seed of the run.
    pub seed: u64,
    /// Parts that it was made of.
    pub made_of: MadeOf,
    /// Verdict of the backtest.
    pub likeness: Likeness,
    /// Pieces of work whose start was not observed.
    pub unobserved: u64,
    /// Errors of the waits, where waits were observed.
    pub waits: Option<WaitErrors>,
    /// Figures of the whole.
    pub readings: Vec<Reading>,
}

impl MadeOf {
    /// The parts of a scenario under one of its policies; `trace` is the hash
    /// of the trace's bytes.
    ///
    /// Scenarios that say the same in other words have the same hashes, for
    /// what was read from them is hashed, in the form that debugging shows.
    /// That form is stable within a version, which is therefore one of the parts.
    pub fn of(scenario: &Scenario, policy: &PolicySpec, trace: &str) -> Self {
        let hash = |text: String| blake3::hash(text.as_bytes()).to_hex().to_string();
        let workload = &scenario.workload;
        let reading =
            workload.input.trace().map(|trace| (&trace.format, trace.on_bad_row, trace.unsorted));
        let rest = (&workload.defaults, &workload.transforms, scenario.horizon);
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            workload: hash(format!("{trace} {reading:?} {rest:?}")),
            world: hash(format!("{:?}", scenario.world)),
            policy: hash(format!("{policy:?}")),
        }
    }
}

impl Calibration {
    /// Value of `kind` in the file of a calibration.
    pub const KIND: &'static str = "windtunnel calibration";

    /// Calibration from a backtest of `policy`.
    pub fn of(backtest: &Backtest, policy: &PolicySpec, seed: u64, made_of: MadeOf) -> Self {
        Self {
            kind: Self::KIND.to_owned(),
            policy: policy.name.clone(),
            seed,
            made_of,
            likeness: backtest.likeness,
            unobserved: backtest.unobserved,
            waits: backtest.waits,
            readings: backtest.readings.clone(),
        }
    }

    /// Names of the parts that are not as they were when the backtest was made.
    pub fn changed(&self, now: &MadeOf) -> Vec<&'static str> {
        let then = &self.made_of;
        let parts = [
            ("the version of windtunnel", then.version != now.version),
            ("the workload", then.workload != now.workload),
            ("what it runs on", then.world != now.world),
            ("the policy", then.policy != now.policy),
        ];
        if then.version != now.version {
            // Hashes of another version cannot be set against each other.
            return vec![parts[0].0];
        }
        parts.into_iter().filter(|(_, changed)| *changed).map(|(part, _)| part).collect()
    }
}
