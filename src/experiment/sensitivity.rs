//! Assumptions that an answer rests on, moved by a tenth, one at a time, and how far the difference
//! between two policies moves with them.

use super::compare::Arm;
use super::measurement::Measurement;
use super::replication::Repetition;
use super::runner::{RunRequest, Runner, RunnerFailure};
use crate::scenario::Scenario;
use crate::workload::Transform;

/// Factor by which assumptions are moved: a tenth more.
const STEP: f64 = 1.1;
/// Replications of each side of a moved assumption.
const REPLICATIONS: u32 = 3;

/// Effect of one assumption on a difference.
#[derive(Clone, Debug, PartialEq)]
pub struct Influence {
    /// The assumption and how it was moved: `arrivals 10 % denser`.
    pub assumption: String,
    /// The difference with all assumptions as they are.
    pub before: f64,
    /// The difference with this one moved.
    pub after: f64,
}

/// Effects of the moved assumptions on a difference.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sensitivity {
    /// Assumptions that move the difference, the most influential first.
    pub influences: Vec<Influence>,
    /// Assumptions with which less of the work gets done, so that the difference is not of the same
    /// thing any more.
    pub unfit: Vec<String>,
    /// Number of replications of each.
    pub replications: u32,
}

/// Work that may be left more than before, as a share of it, without its being
/// another question.
const LEFT: f64 = 0.01;

impl Influence {
    /// Distance by which the difference moved.
    pub fn moved(&self) -> f64 {
        self.after - self.before
    }
}

/// An assumption that can be moved.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Variation {
    Arrivals,
    Runtimes,
    Sizes,
    /// Prices that the provider or cluster of this name asks for its instances.
    Prices(String),
}

impl Variation {
    /// Variations of everything that can be moved in either of two scenarios.
    fn of(scenarios: [&Scenario; 2]) -> Vec<Self> {
        let mut all = vec![Self::Arrivals, Self::Runtimes, Self::Sizes];
        for provider in scenarios.iter().flat_map(|scenario| scenario.world.providers.rows()) {
            let prices = Self::Prices(provider.name.clone());
            if !all.contains(&prices) {
                all.push(prices);
            }
        }
        all
    }

    fn words(&self) -> String {
        match self {
            Self::Arrivals => "arrivals 10 % denser".to_owned(),
            Self::Runtimes => "runtimes 10 % longer".to_owned(),
            Self::Sizes => "demands for cores and memory 10 % larger".to_owned(),
            Self::Prices(provider) => format!("prices of {provider} 10 % higher"),
        }
    }

    /// The scenario with this assumption moved; its text says so, for it is
    /// another scenario.
    fn moved(&self, scenario: &Scenario) -> Scenario {
        let mut scenario = scenario.clone();
        let steps = &mut scenario.workload.transforms;
        match self {
            Self::Arrivals => steps.push(Transform::ScaleArrivals(1.0 / STEP)),
            Self::Runtimes => steps.push(Transform::ScaleRuntimes(STEP)),
            Self::Sizes => {
                steps.push(Transform::ScaleSizes { cpu: STEP, memory: STEP, tasks: 1.0 });
            }
            Self::Prices(provider) => reprice(&mut scenario, provider),
        }
        scenario.text.push_str("\n# moved: ");
        scenario.text.push_str(&self.words());
        scenario
    }
}

fn reprice(scenario: &mut Scenario, provider: &str) {
    let world = &mut scenario.world;
    let name = |offer| world.providers[world.provider_of(offer)].name == provider;
    let of_it: Vec<bool> = world.offers.ids().map(name).collect();
    let offers = world.offers.rows_mut().iter_mut().zip(of_it);
    for (offer, _) in offers.filter(|(_, of_it)| *of_it) {
        offer.price.scale((STEP * 1e6) as i64);
    }
}

/// Moves every assumption in turn and measures the difference between the two
/// sides over a few replications, evenly spread over all.
///
/// `difference` sums up one replication of both; `None` if the two cannot be held against each
/// other.
///
/// # Errors
/// See [`RunnerFailure`].
pub fn sensitivity(
    runner: &Runner<'_>,
    sides: [&Arm<'_>; 2],
    repetition: Repetition,
    replications: u32,
    difference: impl Fn(&Measurement, &Measurement) -> Option<f64>,
) -> Result<Sensitivity, RunnerFailure> {
    let count = replications.clamp(1, REPLICATIONS);
    let variations = Variation::of(sides.map(|side| side.scenario));
    let as_they_are = sides.map(|side| side.scenario.clone());
    let moved = |variation: &Variation| sides.map(|side| variation.moved(side.scenario));
    let all: Vec<[Scenario; 2]> =
        std::iter::once(as_they_are).chain(variations.iter().map(moved)).collect();
    let mut cells = Vec::new();
    for scenarios in &all {
        for replication in spread(count, replications) {
            for (scenario, side) in scenarios.iter().zip(sides) {
                cells.push(RunRequest { scenario, policy: side.policy, repetition, replication });
            }
        }
    }
    let measured = runner.measure(&cells)?;
    let runs = 2 * count as usize;
    let (known, moved) = measured.split_at(runs);
    let mut found = Sensitivity { replications: count, ..Sensitivity::default() };
    let Some(before) = mean(known, &difference) else { return Ok(found) };
    for (variation, rows) in variations.iter().zip(moved.chunks(runs)) {
        let assumption = variation.words();
        match mean(rows, &difference) {
            Some(after) if known.iter().zip(rows).all(|(known, row)| does_as_much(known, row)) => {
                found.influences.push(Influence { assumption, before, after });
            }
            _ => {
                let fit_nowhere = |all: &[Measurement]| all[0].facts.impossible;
                let more = fit_nowhere(rows).saturating_sub(fit_nowhere(known));
                found.unfit.push(match more {
                    0 => assumption,
                    1 => format!("{assumption} (1 piece of work more would fit nowhere)"),
                    more => format!("{assumption} ({more} pieces of work more would fit nowhere)"),
                });
            }
        }
    }
    found.influences.sort_by(|a, b| b.moved().abs().total_cmp(&a.moved().abs()));
    Ok(found)
}

/// `count` of `all` replications, evenly spread over them: the first few windows of a
/// trace are one season.
fn spread(count: u32, all: u32) -> impl Iterator<Item = u32> {
    let at = move |index: u32| u64::from(index) * u64::from(all.max(count)) / u64::from(count);
    (0..count).map(move |index| at(index) as u32)
}

/// The mean difference of pairs of runs; `None` if one of them shows none.
fn mean(
    rows: &[Measurement],
    difference: impl Fn(&Measurement, &Measurement) -> Option<f64>,
) -> Option<f64> {
    let differences: Option<Vec<f64>> =
        rows.chunks(2).map(|pair| difference(&pair[0], &pair[1])).collect();
    let differences = differences?;
    Some(differences.iter().sum::<f64>() / differences.len() as f64)
}

/// Whether about as much of the work is done with an assumption moved as before.
fn does_as_much(before: &Measurement, after: &Measurement) -> bool {
    let share = |one: &Measurement| one.metric("finished").unwrap_or(0.0);
    share(after) >= share(before) - LEFT
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Costs, Series, Summary, WorkCounts};

    fn run(finished: u64) -> Measurement {
        let share = finished as f64 / 1_000.0;
        let work = WorkCounts { finished_share: Some(share), ..WorkCounts::default() };
        let summary = Summary { work, cost: Costs::default(), ..Summary::default() };
        Measurement::of(&summary, &Series::default(), Vec::new(), None)
    }

    #[test]
    fn what_no_longer_fits_is_another_question() {
        assert!(does_as_much(&run(1_000), &run(1_000)));
        assert!(does_as_much(&run(980), &run(971)));
        assert!(!does_as_much(&run(1_000), &run(985)));
        assert!(!does_as_much(&run(1_000), &run(0)));
    }

    #[test]
    fn replications_are_spread_over_all() {
        let rows = |count, all| spread(count, all).collect::<Vec<_>>();
        assert_eq!(rows(3, 30), [0, 10, 20]);
        assert_eq!(rows(3, 4), [0, 1, 2]);
        assert_eq!(rows(1, 1), [0]);
    }

    #[test]
    fn a_pair_that_shows_nothing_leaves_no_mean() {
        let rows = [run(1_000), run(900), run(800), run(500)];
        let by =
            |a: &Measurement, b: &Measurement| Some(a.metric("finished")? - b.metric("finished")?);
        let found = mean(&rows, by).expect("both pairs show it");
        assert!((found - 0.2).abs() < 1e-12, "{found}");
        assert_eq!(mean(&rows, |a, b| by(a, b).filter(|by| *by < 0.2)), None);
    }
}
