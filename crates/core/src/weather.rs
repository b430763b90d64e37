//! Weather of a cloud: how many instances could be had in a zone, over time.
//!
//! Two public forms are read: states in JSON (Can't Be Late, SkyNomad and their relatives) and a
//! CSV of counts, one column per zone. Files of zeros and ones disagree on what a one says, so
//! whoever reads one states it ([`Polarity`]), and may hold what was read against a share that is
//! known ([`Weather::confirm`]). What was read may be fitted to laws ([`ZoneFit`]), and what a world
//! will have can be drawn before any policy runs ([`Outlook`]). Beside them stand files of prices and
//! of the carbon intensity of a grid.

mod carbon;
mod counts;
mod duration;
mod failures;
mod fit;
mod outlook;
mod prices;
mod ribbon;
mod table;
mod states;

pub use carbon::{CarbonHistory, read_carbon};
pub use counts::read_counts;
pub use duration::{DurationFit, FittedLaw, SeenSpell};
pub use failures::{FailureHistory, Failures, read_failures};
pub use fit::{LevelFit, StateFit, ZoneFit, phi};
pub use outlook::{CapacityOutlook, Outlook, PoolOutlook, PriceOutlook, SpellSums};
pub use prices::{PriceHistory, read_prices};
pub use ribbon::{FaultRibbon, FaultRow};
pub use states::{Polarity, read_states, states};

use crate::problem::Problem;
use crate::units::{Rate, Span, Time};

/// What was seen of some zones over the same time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weather {
    /// Instant of [`Time::ZERO`] in microseconds since 1970, where the file says it.
    pub begins: Option<i64>,
    /// Periods in which somebody looked, in order and apart. Between them what was seen last holds,
    /// and no share or run counts that time.
    pub watched: Vec<(Time, Time)>,
    /// Zones in the order of the file.
    pub zones: Vec<ZoneWeather>,
}

/// What was seen of one zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneWeather {
    /// The zone, as the file names it.
    pub name: String,
    /// Instances that could be had from each time on: the first at [`Time::ZERO`], each other one
    /// unlike the one before it.
    pub counts: Vec<(Time, u32)>,
    /// Prices of the zone, where the file has them.
    pub prices: Option<ZonePrices>,
}

/// Prices of an instance in a zone, which do not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZonePrices {
    /// On demand.
    pub on_demand: Rate,
    /// Spot.
    pub spot: Rate,
}

impl ZoneWeather {
    /// Instances that could be had at `time`: none before the first was seen.
    pub fn at(&self, time: Time) -> u32 {
        let after = self.counts.partition_point(|&(from, _)| from <= time);
        after.checked_sub(1).map_or(0, |last| self.counts[last].1)
    }

    /// Whether at least `least` could be had, from each time on: the first at [`Time::ZERO`], then
    /// at each change.
    pub fn threshold(&self, least: u32) -> Vec<(Time, bool)> {
        let mut path: Vec<(Time, bool)> = Vec::new();
        for &(from, count) in &self.counts {
            let up = count >= least;
            if path.last().is_none_or(|&(_, last)| last != up) {
                path.push((from, up));
            }
        }
        path
    }
}

impl Weather {
    /// The zone called `name`, if the file has it.
    pub fn zone(&self, name: &str) -> Option<&ZoneWeather> {
        self.zones.iter().find(|zone| zone.name == name)
    }

    /// Length of the time in which somebody looked.
    pub fn watched_for(&self) -> Span {
        self.watched.iter().fold(Span::ZERO, |sum, &(from, to)| sum + (to - from))
    }

    /// Periods in which at least `least` instances could be had in `zone`, which is one of ours; cut
    /// where nobody looked.
    pub fn runs(&self, zone: &ZoneWeather, least: u32) -> Vec<Span> {
        let path = zone.threshold(least);
        let mut runs = Vec::new();
        let mut at = 0;
        for &(from, to) in &self.watched {
            while at < path.len() {
                let ends = path.get(at + 1).map_or(to, |&(next, _)| next);
                if path[at].1 && ends > from {
                    runs.push(ends.min(to) - path[at].0.max(from));
                }
                if ends >= to {
                    break;
                }
                at += 1;
            }
        }
        runs
    }

    /// Share of the watched time in which at least `least` instances could be had in `zone`, which
    /// is one of ours. From 0 to 1, 0 if nobody looked.
    pub fn share(&self, zone: &ZoneWeather, least: u32) -> f64 {
        let up = self.runs(zone, least).into_iter().fold(Span::ZERO, |sum, run| sum + run);
        let all = self.watched_for();
        if all == Span::ZERO { 0.0 } else { up.micros() as f64 / all.micros() as f64 }
    }

    /// Holds the share of the time in which any instance could be had in the zone called `name`
    /// against `known`, from 0 to 1: a file that is read with the wrong polarity is found out.
    /// `shown` is its name in messages.
    ///
    /// # Errors
    /// There is no such zone, or its share is more than 0.00005 off.
    pub fn confirm(&self, shown: &str, name: &str, known: f64) -> Result<(), Problem> {
        let zone = self.zone(name);
        let zone =
            zone.ok_or_else(|| Problem::with(shown, format!("has no zone called `{name}`")))?;
        let share = self.share(zone, 1);
        if (share - known).abs() <= 0.000_05 {
            return Ok(());
        }
        let message = format!("{name} is available {share:.4} of the time, not {known:.4}");
        Err(Problem::with(shown, message).hint("does a 1 say the opposite in this file?"))
    }
}

/// Change points of `seen`, which holds a time and a count for each look, in order of time.
fn changes(seen: impl IntoIterator<Item = (Time, u32)>) -> Vec<(Time, u32)> {
    let mut counts: Vec<(Time, u32)> = seen.into_iter().collect();
    counts.dedup_by_key(|&mut (_, count)| count);
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(secs: i64) -> Time {
        Time::from_secs(secs)
    }

    /// Looked at from 0 to 40 s and from 100 to 120 s.
    fn weather() -> (Weather, ZoneWeather) {
        let counts = vec![(at(0), 16), (at(10), 0), (at(30), 7), (at(110), 1)];
        let zone = ZoneWeather { name: "a".to_owned(), counts, prices: None };
        let watched = vec![(at(0), at(40)), (at(100), at(120))];
        (Weather { begins: None, watched, zones: vec![zone.clone()] }, zone)
    }

    #[test]
    fn a_threshold_joins_what_is_alike() {
        let (_, zone) = weather();
        let one = [(at(0), true), (at(10), false), (at(30), true)];
        assert_eq!(zone.threshold(1), one);
        assert_eq!(zone.threshold(8), one[..2]);
        assert_eq!(zone.threshold(17), [(at(0), false)]);
        assert_eq!(zone.threshold(0), [(at(0), true)]);
        assert_eq!(
            [-1, 0, 9, 10, 29, 30, 500].map(|secs| zone.at(at(secs))),
            [0, 16, 16, 0, 0, 7, 1]
        );
    }

    /// By hand: at least one for 10 s, 10 s and 20 s of 60; at least seven for 10 s, 10 s and 10 s.
    #[test]
    fn shares_and_runs_count_watched_time_alone() {
        let (weather, zone) = weather();
        let runs = |least| {
            let runs = weather.runs(&zone, least);
            runs.into_iter().map(|run| run.micros() / 1_000_000).collect::<Vec<i64>>()
        };
        assert_eq!(runs(1), [10, 10, 20]);
        assert_eq!(runs(7), [10, 10, 10]);
        assert_eq!(runs(16), [10]);
        assert_eq!(runs(0), [40, 20]);
        assert_eq!(weather.watched_for(), Span::from_secs(60));
        assert_eq!(
            [1, 7, 16].map(|least| weather.share(&zone, least)),
            [4.0 / 6.0, 0.5, 1.0 / 6.0]
        );
    }

    #[test]
    fn a_share_that_is_known_tells_a_wrong_polarity() {
        let (weather, _) = weather();
        assert_eq!(weather.confirm("x", "a", 0.6667), Ok(()));
        let found = weather.confirm("x", "a", 0.3333).expect_err("it is the opposite");
        assert_eq!(found.message, "a is available 0.6667 of the time, not 0.3333");
        assert!(weather.confirm("x", "b", 0.5).is_err());
    }
}
