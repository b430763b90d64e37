//! Warnings about parts of a valid scenario that are probably not meant, each with its place.

mod idle;
mod impossible;
mod load;
mod promise;

pub use load::offered;

use super::survey::Survey;
use crate::problem::Problem;
use crate::scenario::Scenario;

/// Warnings about everything in the scenario that looks like a mistake; `survey` is of its work, if
/// that was read.
pub fn lint(scenario: &Scenario, survey: Option<&Survey>) -> Vec<Problem> {
    let mut warnings = scenario.idle_terms.clone();
    promise::alone(scenario, &mut warnings);
    idle::alone(scenario, &mut warnings);
    if let Some(survey) = survey {
        impossible::warn(scenario, survey, &mut warnings);
        load::warn(scenario, survey, &mut warnings);
        promise::with_work(scenario, survey, &mut warnings);
        idle::with_work(scenario, survey, &mut warnings);
    }
    warnings.sort_by_key(|warning| (warning.line, warning.column));
    warnings
}
