//! One instance over time, and the first moment from which several have room.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::free_capacity::FreeCapacity;
use super::step_function::{StepFunction, period};
use crate::model::{Offer, Spread};
use crate::state::{InstanceRef, ResolvedRules};
use crate::units::{Demand, Id, Time};

/// Free part of one instance over time.
#[derive(Debug)]
pub(super) struct InstanceProfile {
    pub(super) instance: InstanceRef,
    /// Number of its launch.
    pub(super) ordinal: u32,
    pub(super) offer: Id<Offer>,
    /// The work that is looked at may run, and would be placed, on it.
    pub(super) admitted: bool,
    pub(super) steps: StepFunction<FreeCapacity>,
}

impl InstanceProfile {
    /// Start of the period after that of `time`.
    fn next_step(&self, time: Time) -> Option<Time> {
        let next = self.steps.partition_point(|step| step.0 <= time);
        self.steps.get(next).map(|step| step.0)
    }
}

/// Number, demand and rules of the tasks that are asked of lanes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted<'a> {
    pub(super) demand: Demand,
    pub(super) rules: &'a ResolvedRules,
    pub(super) tasks: u32,
}

impl Wanted<'_> {
    /// Most tasks on one instance.
    pub(super) fn most(&self) -> u32 {
        match self.rules.spread {
            Spread::Instances | Spread::Zones => 1,
            Spread::EvenZones if self.demand.exclusive => 1,
            Spread::None | Spread::EvenZones => self.tasks,
        }
    }
}

/// The moments, in order, from which on the wanted tasks may have room until
/// `until(moment)`, if every lane is looked at by itself and every period of it by
/// its numbers: no other moment need be tried.
///
/// For each lane there is a bound on its room that holds until the fullest period
/// ahead has passed. So moments at which nothing changes are passed over, and a
/// search costs about as much as there are periods, times those that a stay spans.
pub(super) struct CandidateStarts<'l, 'w, U> {
    lanes: &'l [InstanceProfile],
    until: U,
    /// Number of tasks that fit, by lane and period.
    rooms: Vec<Vec<u32>>,
    /// Bound of each lane that is counted in `total`.
    bounds: Vec<u32>,
    /// Time at which the bound of each lane may rise; `None` if never.
    expires: Vec<Option<Time>>,
    /// The same in order, with what has been said before and is so no longer.
    rises: BinaryHeap<Reverse<(Time, usize)>>,
    total: u64,
    wanted: Wanted<'w>,
    next: Option<Time>,
}

impl<'l, 'w, U: Fn(Time) -> Time> CandidateStarts<'l, 'w, U> {
    pub(super) fn new(lanes: &'l [InstanceProfile], wanted: Wanted<'w>, until: U) -> Self {
        let most = wanted.most();
        let rooms = |lane: &InstanceProfile| -> Vec<u32> {
            if !lane.admitted {
                return Vec::new();
            }
            lane.steps.iter().map(|step| step.1.room(wanted.demand).min(most)).collect()
        };
        let rooms: Vec<_> = lanes.iter().map(rooms).collect();
        let next = lanes.first().map(|lane| lane.steps[0].0);
        let bounds = vec![0; lanes.len()];
        let (expires, rises) = (vec![None; lanes.len()], BinaryHeap::new());
        let mut moments =
            Self { lanes, until, rooms, bounds, expires, rises, total: 0, wanted, next };
        if let Some(first) = next {
            (0..lanes.len()).for_each(|lane| moments.bound(lane, first));
        }
        moments
    }

    /// Bounds the room of a lane for a stay that begins at `from`.
    fn bound(&mut self, lane: usize, from: Time) {
        let (steps, rooms) = (&self.lanes[lane].steps, &self.rooms[lane]);
        if rooms.is_empty() {
            return;
        }
        let until = (self.until)(from);
        let first = steps.partition_point(|step| step.0 <= from).saturating_sub(1);
        let (mut least, mut last) = (rooms[first], first);
        for at in first + 1..steps.len() {
            if steps[at].0 >= until {
                break;
            }
            if rooms[at] <= least {
                (least, last) = (rooms[at], at);
            }
        }
        self.total = self.total + u64::from(least) - u64::from(self.bounds[lane]);
        self.bounds[lane] = least;
        // No part of a stay from then on has more room than this.
        let expires = steps.get(last + 1).map(|step| step.0);
        if let Some(at) = expires.filter(|_| expires != self.expires[lane]) {
            self.rises.push(Reverse((at, lane)));
        }
        self.expires[lane] = expires;
    }

    /// Bounds anew what has expired by `from`.
    fn advance(&mut self, from: Time) {
        while let Some(&Reverse((at, lane))) = self.rises.peek() {
            if at > from {
                break;
            }
            self.rises.pop();
            if self.expires[lane] == Some(at) {
                self.bound(lane, from);
            }
        }
    }
}

impl<U: Fn(Time) -> Time> Iterator for CandidateStarts<'_, '_, U> {
    type Item = Time;

    fn next(&mut self) -> Option<Time> {
        let (mut from, tasks) = (self.next?, u64::from(self.wanted.tasks));
        loop {
            self.advance(from);
            if self.total >= tasks {
                // Bounds that have not expired may be too high by now.
                (0..self.lanes.len()).for_each(|lane| self.bound(lane, from));
                if self.total >= tasks {
                    break;
                }
            }
            let Reverse((at, _)) = *self.rises.peek()?;
            from = at;
        }
        self.next = self.lanes.iter().filter_map(|lane| lane.next_step(from)).min();
        Some(from)
    }
}

/// Free part of a lane all the time from `from` to `until`; `None` if not even one task fits.
pub(super) fn common(
    lane: &InstanceProfile,
    demand: Demand,
    from: Time,
    until: Time,
) -> Option<FreeCapacity> {
    let mut over = period(&lane.steps, from, until);
    if over.clone().any(|step| step.1.room(demand) == 0) {
        return None;
    }
    let mut free = over.next()?.1.clone();
    over.for_each(|step| free.keep_common(&step.1));
    Some(free)
}

#[cfg(test)]
mod tests {
    use super::super::step_function::change;
    use super::*;
    use crate::model::Rules;
    use crate::state::Needs;
    use crate::state::testing::{demand, instance, owned, shape, start};
    use crate::units::Stream;

    const CORE: Demand = demand(1_000, 0, 0, 0);

    fn at(micros: u64) -> Time {
        Time::from_micros(micros as i64)
    }

    /// The slow way: every boundary of every lane, one after the other.
    fn first_by_trying(
        lanes: &[InstanceProfile],
        wanted: Wanted<'_>,
        until: impl Fn(Time) -> Time,
    ) -> Option<Time> {
        let mut times: Vec<Time> =
            lanes.iter().flat_map(|lane| lane.steps.iter().map(|step| step.0)).collect();
        times.sort_unstable();
        let room = |lane: &InstanceProfile, from: Time| {
            let rooms = period(&lane.steps, from, until(from));
            rooms.map(|step| step.1.room(wanted.demand)).min().unwrap_or(0).min(wanted.most())
        };
        times
            .into_iter()
            .find(|&from| lanes.iter().map(|lane| room(lane, from)).sum::<u32>() >= wanted.tasks)
    }

    #[test]
    fn no_moment_is_missed_and_none_is_too_early() {
        let world = owned(&[shape(4_000, 0, 0), shape(4_000, 0, 0), shape(8_000, 0, 0)]);
        let state = start(&world, Needs::default());
        let mut stream = Stream::new(1, "lanes");
        let mut rules = ResolvedRules::new(&world, &Rules::default());
        let mut found = [0, 0];
        for round in 0..2_000 {
            let mut lanes: Vec<InstanceProfile> = (0..3)
                .map(|ordinal| {
                    let instance = instance(&state, ordinal);
                    let now = state.instance(instance);
                    let steps = vec![(Time::ZERO, FreeCapacity::of(now))];
                    InstanceProfile { instance, ordinal, offer: now.offer, admitted: true, steps }
                })
                .collect();
            for _ in 0..stream.below(30) {
                let lane = &mut lanes[stream.below(3) as usize];
                let from = stream.below(50);
                let (from, until) = (at(from), at(from + 1 + stream.below(20)));
                let fits = period(&lane.steps, from, until).all(|step| step.1.room(CORE) > 0);
                if fits {
                    change(&mut lane.steps, from, until, |free| free.take(CORE, 1, 0));
                }
            }
            rules.spread = if round % 3 == 0 { Spread::Instances } else { Spread::None };
            let tasks = 1 + stream.below(18) as u32;
            let wanted = Wanted { demand: CORE, rules: &rules, tasks };
            let length = crate::units::Span::from_micros(stream.below(25) as i64);
            let until = |from: Time| from.saturating_add(length);
            let first = CandidateStarts::new(&lanes, wanted, until).next();
            assert_eq!(first, first_by_trying(&lanes, wanted, until), "{round}: {lanes:?}");
            found[usize::from(first.is_some())] += 1;
        }
        assert!(found.iter().all(|&often| often > 100), "{found:?}");
    }
}
