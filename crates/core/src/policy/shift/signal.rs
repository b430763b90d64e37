//! What work waits for: a quantity over time, and what is foreseen of it.

use crate::model::{Market, Offer, Region, StepPath, World};
use crate::state::State;
use crate::units::{Id, Span, Time};

/// A quantity of which less is better.
#[derive(Clone, Debug)]
pub(super) enum AwaitedQuantity {
    /// Carbon intensity of these regions, or of all: the sum of those that are known.
    Carbon {
        /// Names of the regions; none stands for all.
        regions: Vec<String>,
    },
    /// Lowest price per core of what is for rent, by list and known changes.
    Price,
}

impl AwaitedQuantity {
    /// The quantity over time in the world of `state`, of offers that its policy may use; `None` if
    /// nothing is known of it.
    pub(super) fn path(&self, state: &State<'_>) -> Option<StepPath> {
        let world = state.world();
        let used = world.offers.ids().filter(|&offer| state.uses(offer));
        match self {
            Self::Carbon { regions } => {
                let mut all: Vec<Id<Region>> = used.map(|offer| world.region_of(offer)).collect();
                all.sort_unstable();
                all.dedup();
                let is_meant = |region: &Id<Region>| {
                    regions.is_empty() || regions.contains(&world.region_name(*region))
                };
                let known = all.iter().filter(|region| is_meant(region));
                let known = known.filter_map(|&region| world.regions[region].carbon.as_ref());
                let paths: Vec<&StepPath> = known.collect();
                // Least at the times at which their mean is, without its remainders.
                let sum = |all: &[i64]| all.iter().fold(0_i64, |sum, &one| sum.saturating_add(one));
                (!paths.is_empty()).then(|| StepPath::joined(&paths, sum))
            }
            Self::Price => {
                let rented = used.filter(|&offer| {
                    world.offers[offer].market != Market::Owned
                        && world.type_of(offer).shape.cpu > 0
                });
                let paths: Vec<StepPath> = rented.map(|offer| price_of(world, offer)).collect();
                let paths: Vec<&StepPath> = paths.iter().collect();
                let lowest = |all: &[i64]| all.iter().copied().min().unwrap_or(0);
                (!paths.is_empty()).then(|| StepPath::joined(&paths, lowest))
            }
        }
    }
}

/// Price of a core of `offer` in pico-dollars per hour, rounded down.
fn price_of(world: &World, offer: Id<Offer>) -> StepPath {
    let cores = i128::from(world.type_of(offer).shape.cpu.max(1));
    let price = &world.offers[offer].price;
    let per_core =
        |picos: i64| i64::try_from(i128::from(picos) * 1_000 / cores).unwrap_or(i64::MAX);
    let changes = price.changes.iter().map(|&(at, rate)| (at, per_core(rate.picos())));
    StepPath::known(per_core(price.first.picos()), changes)
}

/// A day.
const DAY: Span = Span::from_secs(86_400);

/// What is foreseen of a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Forecast {
    /// What will be.
    Perfect,
    /// At each time of the day what was at that time of the last day.
    Yesterday,
}

impl Forecast {
    /// Writes to `into` what is foreseen of `path` between `now` and `until`.
    pub(super) fn fill(self, path: &StepPath, now: Time, until: Time, into: &mut StepPath) {
        match self {
            Self::Perfect => {
                into.refill(path.at(now), path.between(now, until).iter().copied());
            }
            Self::Yesterday => {
                let day_ago = Time::from_micros(now.micros().saturating_sub(DAY.micros()));
                let past = path.between(day_ago, now);
                let days = (until - now).micros() / DAY.micros();
                let first = path.at(day_ago);
                let of_day = |day: i64| {
                    let later = Span::from_micros(DAY.micros() * (day + 1));
                    let begin = [(day_ago + later, first)];
                    let rest = past.iter().map(move |&(at, value)| (at + later, value));
                    begin.into_iter().chain(rest)
                };
                into.refill(first, (0..=days).flat_map(of_day));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Day after day what was between noon of the first day and noon of the second.
    #[test]
    fn yesterday_comes_again() {
        let hours = |hours: i64| Time::from_secs(3_600 * hours);
        let path =
            StepPath::known(1, [(hours(6), 2), (hours(18), 3), (hours(30), 4), (hours(40), 9)]);
        let mut seen = StepPath::constant(0);
        Forecast::Yesterday.fill(&path, hours(36), hours(90), &mut seen);
        let at = [36, 41, 42, 53, 54, 59, 60, 66, 78, 84, 89].map(|hour| seen.at(hours(hour)));
        assert_eq!(at, [2, 2, 3, 3, 4, 4, 2, 3, 4, 2, 2]);
        Forecast::Perfect.fill(&path, hours(36), hours(90), &mut seen);
        assert_eq!([36, 39, 40, 89].map(|hour| seen.at(hours(hour))), [4, 4, 9, 9]);
    }
}
