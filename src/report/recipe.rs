//! Recipe of a result, by which it can be made again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Value, json};

use super::files::RESULTS;
use crate::input;
use crate::problem::Problem;
use crate::scenario::Scenario;

/// Inputs that made a run: with them, the run can be made again.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Recipe {
    /// Version of the simulator.
    pub version: String,
    /// Question that the scenario asks, if it says so.
    pub question: Option<String>,
    /// Name of the scenario, without a path.
    pub scenario: String,
    /// The edits of `--set` that it ran with: `key=value`.
    pub set: Vec<String>,
    /// Hash of its text, edits included.
    pub scenario_hash: String,
    /// Name of the policy.
    pub policy: String,
    /// Versions of the policies of the scenario that are Rust types, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub rust_policies: BTreeMap<String, String>,
    /// Seed of every random stream.
    pub seed: u64,
    /// Traces, catalogs and other files that were read.
    pub inputs: Vec<InputHash>,
}

/// A file that was read.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct InputHash {
    /// Name of the file as the scenario gives it.
    pub name: String,
    /// Hash of its bytes.
    pub hash: String,
}

impl Recipe {
    /// Recipe of what `policy`, or several, did in a scenario. Reads the input files.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn of(scenario: &Scenario, policy: &str) -> Result<Self, Problem> {
        let rust = scenario.policies.iter().filter_map(|policy| {
            Some((policy.name.clone(), policy.factory.as_ref()?.version().to_owned()))
        });
        Ok(Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            question: Some(scenario.question.clone()).filter(|question| !question.is_empty()),
            scenario: scenario.name.clone(),
            set: scenario.edits.iter().map(|(key, value)| format!("{key}={value}")).collect(),
            scenario_hash: blake3::hash(scenario.text.as_bytes()).to_hex().to_string(),
            policy: policy.to_owned(),
            rust_policies: rust.collect(),
            seed: scenario.seed,
            inputs: InputHash::all(scenario)?,
        })
    }

    /// `manifest.json`, but for the hashes of the files.
    pub fn manifest(&self, event_hash: Option<&str>) -> Value {
        let mut value = json!({
            "kind": RESULTS,
            "recipe": self,
            "generator": crate::units::stream::GENERATOR,
        });
        if let Some(hash) = event_hash {
            value["event_hash"] = json!(hash);
        }
        value
    }

    /// The scenario and how it was edited: `quickstart, with --set seed=2`.
    pub(super) fn scenario_words(&self) -> String {
        let edits = self.set.iter().map(|edit| format!(", with --set {edit}"));
        edits.fold(self.scenario.clone(), |told, edit| told + &edit)
    }
}

impl InputHash {
    /// The files that a scenario reads, hashed.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn all(scenario: &Scenario) -> Result<Vec<Self>, Problem> {
        let hashed = |path: &PathBuf| Ok(Self { name: shown(path), hash: input::hash(path)? });
        scenario.inputs.iter().map(hashed).collect()
    }
}

/// A path without the folders of this machine.
fn shown(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
