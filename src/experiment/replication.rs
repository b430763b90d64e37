//! Repetition of a scenario: under other seeds, over other windows of its trace, or over the trace
//! put together anew.

use std::borrow::Cow;

use crate::scenario::Scenario;
use crate::units::{Calendar, Span, Time};
use crate::workload::{Alive, Transform};

/// Differences from one replication to the next. Replication `k` has the seed of the scenario plus
/// `k`; the first is the scenario as it stands, except with windows and blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repetition {
    /// Seeds alone differ.
    Seeds {
        /// Length of the start of a run that is not counted; zero counts everything.
        warm_up: Span,
    },
    /// Disjoint windows of the trace, evenly spread over it.
    Windows {
        /// First arrival of the trace.
        first: Time,
        /// Length of the part that counts.
        width: Span,
        /// Length of the part that is played before each window and not counted.
        warm_up: Span,
        /// Number of such windows that the trace has.
        of: u32,
        /// Number of them that are taken.
        taken: u32,
        /// Number of taken windows that each replication is past the one before, going around: 1
        /// takes them in order of time.
        stride: u32,
    },
    /// Blocks of the trace, drawn with replacement.
    Blocks {
        /// Length of a block.
        length: Span,
    },
}

impl Repetition {
    /// The scenario of replication `index`.
    pub fn scenario<'a>(&self, scenario: &'a Scenario, index: u32) -> Cow<'a, Scenario> {
        match *self {
            Self::Seeds { .. } => Cow::Borrowed(scenario),
            Self::Windows { warm_up, .. } => {
                let (from, to) = self.window(index).unwrap_or((Time::ZERO, Time::ZERO));
                let from = from - warm_up;
                // Windows are on the clock of the trace, and so is the run then.
                let mut scenario = starting_at(scenario, from - scenario.workload.begins());
                let steps = &mut scenario.workload.transforms;
                steps.retain(|step| !matches!(step, Transform::Begin(_)));
                let alive = Alive::Machines;
                steps.insert(0, Transform::Window { from, to: Some(to), shift: true, alive });
                Cow::Owned(scenario)
            }
            Self::Blocks { length } => {
                let mut scenario = scenario.clone();
                scenario.workload.transforms.push(Transform::Resample { block: length });
                Cow::Owned(scenario)
            }
        }
    }

    /// Begin and end of the part of the trace that counts in replication `index`; `None` if all of
    /// it counts.
    pub fn window(&self, index: u32) -> Option<(Time, Time)> {
        let Self::Windows { first, width, warm_up, of, taken, stride } = *self else { return None };
        let [index, of, taken, stride] = [index, of, taken, stride].map(u64::from);
        let row = index * stride % taken * of / taken;
        let from = first + Span::from_micros(width.micros() * row as i64) + warm_up;
        Some((from, from + width))
    }

    /// The same windows in an order whose every beginning is spread over the trace, for
    /// replications that may stop early: each is about a golden section of all windows past the one
    /// before.
    pub(super) fn scattered(self) -> Self {
        match self {
            Self::Windows { first, width, warm_up, of, taken, .. } => {
                let golden = (f64::from(taken) * 0.618_034) as u32;
                let shared = |stride: u32| (2..=stride).any(|one| stride % one + taken % one == 0);
                let stride = (golden.max(1)..).find(|&stride| !shared(stride)).unwrap_or(1);
                Self::Windows { first, width, warm_up, of, taken, stride }
            }
            Self::Seeds { .. } | Self::Blocks { .. } => self,
        }
    }

    /// The seed of replication `index`.
    pub fn seed(&self, scenario: &Scenario, index: u32) -> u64 {
        scenario.seed.wrapping_add(u64::from(index))
    }

    /// Length of the start of a run that is not counted.
    pub fn warm_up(&self) -> Span {
        match *self {
            Self::Seeds { warm_up } | Self::Windows { warm_up, .. } => warm_up,
            Self::Blocks { .. } => Span::ZERO,
        }
    }

    /// All windows of the trace, where not all of them are taken.
    pub fn left_of(&self) -> Option<u32> {
        match *self {
            Self::Windows { of, taken, .. } => (taken < of).then_some(of),
            Self::Seeds { .. } | Self::Blocks { .. } => None,
        }
    }

    /// End of a window, from the start of its run; `None` without windows.
    pub fn until(&self) -> Option<Span> {
        match *self {
            Self::Windows { warm_up, width, .. } => Some(warm_up + width),
            Self::Seeds { .. } | Self::Blocks { .. } => None,
        }
    }

    /// Differences between replications, in words.
    pub fn description(&self) -> String {
        match *self {
            Self::Seeds { warm_up: Span::ZERO } => "one seed each".to_owned(),
            Self::Seeds { warm_up } => format!("one seed each, the first {warm_up} not counted"),
            Self::Windows { width, warm_up, of, taken, .. } => {
                let after = match warm_up {
                    Span::ZERO => "without a warm-up".to_owned(),
                    _ if taken == 1 => format!("after a warm-up of {warm_up}"),
                    _ => format!("each after a warm-up of {warm_up}"),
                };
                match taken {
                    _ if of == taken => {
                        format!("disjoint windows of {width} of the trace, {after}")
                    }
                    1 => format!("1 of the {of} windows of {width} that the trace has, {after}"),
                    _ => format!(
                        "{taken} of the {of} windows of {width} that the trace has, evenly spread, {after}"
                    ),
                }
            }
            Self::Blocks { length } => {
                format!("the trace put together anew from blocks of {length} of itself")
            }
        }
    }
}

/// The scenario with its clock started at `from`: dates, prices and capacities
/// stay what they are on the calendar. Its work is not moved.
fn starting_at(scenario: &Scenario, from: Time) -> Scenario {
    let mut scenario = scenario.clone();
    let micros = scenario.calendar.unix_micros(from);
    scenario.calendar = Calendar::from_unix_micros(micros);
    scenario.world.calendar = scenario.calendar;
    for offer in scenario.world.offers.rows_mut() {
        offer.price = offer.price.starting_at(from);
        offer.capacity = offer.capacity.starting_at(from);
    }
    for region in scenario.world.regions.rows_mut() {
        region.carbon = region.carbon.as_ref().map(|path| path.starting_at(from));
    }
    scenario
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Span = Span::from_secs(86_400);

    /// Rows of the windows of a day that the replications take.
    fn rows(repetition: Repetition, count: u32) -> Vec<i64> {
        let row = |index| {
            let (from, to) = repetition.window(index).expect("there are windows");
            assert_eq!(to - from, DAY);
            (from - Time::ZERO).micros() / DAY.micros()
        };
        (0..count).map(row).collect()
    }

    fn windows(of: u32, taken: u32) -> Repetition {
        let (first, warm_up) = (Time::ZERO, Span::ZERO);
        Repetition::Windows { first, width: DAY, warm_up, of, taken, stride: 1 }
    }

    #[test]
    fn windows_are_spread_over_the_trace() {
        assert_eq!(rows(windows(3, 3), 3), [0, 1, 2]);
        assert_eq!(rows(windows(10, 4), 4), [0, 2, 5, 7]);
        assert_eq!(
            windows(10, 4).description(),
            "4 of the 10 windows of 1 d that the trace has, evenly spread, without a warm-up"
        );
        assert_eq!(
            windows(10, 1).description(),
            "1 of the 10 windows of 1 d that the trace has, without a warm-up"
        );
    }

    /// 0.618 × 12 is 7.4, and 7 has nothing in common with 12.
    #[test]
    fn windows_that_may_stop_early_are_spread_all_along() {
        let scattered = rows(windows(12, 12).scattered(), 12);
        assert_eq!(scattered, [0, 7, 2, 9, 4, 11, 6, 1, 8, 3, 10, 5]);
    }

    /// A trace that begins late: its windows begin where they lie on its own clock.
    #[test]
    fn windows_of_a_late_trace_keep_their_dates() {
        let folder = tempfile::tempdir().expect("a folder");
        let rows = "arrival_s,lifetime_s,vcpus\n864000,forever,1\n950400,10,1\n1123200,10,1\n";
        std::fs::write(folder.path().join("a.csv"), rows).expect("written");
        let text = "question = \"?\"\n[workload]\ntrace = \"a.csv\"\n[cluster.c]\nnodes = 1\n\
            shape = { vcpus = 4, memory = \"8 GiB\" }\n[policy.p]\npreset = \"vm-packing\"\n";
        let mut scenario = Scenario::parse(text, "a.toml", folder.path(), &[]).expect("valid");
        assert_eq!(scenario.workload.begins(), Span::from_secs(864_000));
        let context = scenario.context(1, false);
        scenario.workload = scenario.workload.share(&context, 10).expect("it is read");
        let first = Time::from_secs(864_000);
        let (width, warm_up) = (DAY, Span::ZERO);
        let windows = Repetition::Windows { first, width, warm_up, of: 3, taken: 3, stride: 1 };
        let second = windows.scenario(&scenario, 1);
        // A day after the first arrival, which is when the run begins.
        let began = |scenario: &Scenario| scenario.calendar.unix_micros(Time::ZERO);
        assert_eq!(began(&second) - began(&scenario), DAY.micros());
        let mut source = second.workload.open(&second.context(1, false)).expect("it opens");
        let (mut book, mut work) = (Default::default(), Default::default());
        let mut arrivals = Vec::new();
        while source.next(&mut book, &mut work).expect("it is read") {
            arrivals.push((work.arrival, work.id.ordinal));
        }
        // The machine without an end is there, and the second arrives at once.
        assert_eq!(arrivals, [(Time::ZERO, 0), (Time::ZERO, 1)]);
    }
}
