//! Free capacity in the future, by the estimates: of a scalar pool one number over time, of any
//! other pool the instances themselves.

use std::cmp::Reverse;

use smallvec::SmallVec;

use super::free_capacity::FreeCapacity;
use super::instance_profile::{CandidateStarts, InstanceProfile, Wanted, common};
use super::scalar_profile::ScalarProfile;
use super::step_function::{change, period};
use super::{FOREVER, Pass};
use crate::model::Spread;
use crate::policy::place::Place;
use crate::policy::turn::Turn;
use crate::state::{Allocation, Share, WorkRef};
use crate::units::{Demand, Span, Time};

/// Availability over time, from now on.
#[derive(Debug)]
pub(super) enum AvailabilityProfile {
    /// Free tasks of a scalar pool.
    Scalar(ScalarProfile),
    /// Free part of each instance, the oldest first.
    Lanes(Vec<InstanceProfile>),
}

impl Default for AvailabilityProfile {
    fn default() -> Self {
        Self::Lanes(Vec::new())
    }
}

/// Resources of a reservation.
#[derive(Clone, Debug)]
pub(super) enum ReservedResources {
    /// Number of tasks in a scalar pool.
    Tasks(u64),
    /// Demand of each task, and shares.
    Shares(Demand, Vec<Share>),
}

impl ReservedResources {
    /// Number of tasks that they are for.
    pub(super) fn tasks(&self) -> u32 {
        match self {
            Self::Tasks(tasks) => u32::try_from(*tasks).unwrap_or(u32::MAX),
            Self::Shares(_, shares) => shares.iter().map(|share| share.tasks).sum(),
        }
    }
}

impl AvailabilityProfile {
    /// Begins anew with what running work leaves free as it ends. Estimates that overran
    /// count as ending now.
    pub(super) fn restart(&mut self, pass: &mut Pass<'_, '_, '_, '_>) {
        let room = pass.scalar_room();
        let turn = &*pass.turn;
        let Some(room) = room else {
            *self = Self::Lanes(lanes(turn));
            return;
        };
        let mut free = match std::mem::take(self) {
            Self::Scalar(free) => free,
            Self::Lanes(_) => ScalarProfile::default(),
        };
        free.restart(turn.now(), room);
        for (end, allocation) in turn.ends() {
            free.free_from(end.max(turn.now()), u64::from(turn.allocation(allocation).tasks));
        }
        *self = Self::Scalar(free);
    }

    /// Prepares for searches; changes are slower from now on.
    pub(super) fn index(&mut self) {
        if let Self::Scalar(free) = self {
            free.index();
        }
    }

    /// Looks from now on for room for `work`: only where it would be placed.
    pub(super) fn admit(&mut self, turn: &Turn<'_, '_>, place: &mut dyn Place, work: WorkRef) {
        match self {
            Self::Scalar(_) => (),
            Self::Lanes(lanes) => {
                let rules = turn.rules(turn.work(work).ask.rules);
                for lane in lanes {
                    lane.admitted =
                        rules.allows(lane.offer) && place.admits(turn, work, lane.offer);
                }
            }
        }
    }

    /// Time of the last change.
    pub(super) fn last(&self) -> Time {
        match self {
            Self::Scalar(free) => free.last(),
            Self::Lanes(lanes) => {
                let last = |lane: &InstanceProfile| lane.steps.last().map(|step| step.0);
                lanes.iter().filter_map(last).max().unwrap_or(Time::ZERO)
            }
        }
    }

    /// Whether this is one number over time.
    pub(super) const fn is_scalar(&self) -> bool {
        match self {
            Self::Scalar(_) => true,
            Self::Lanes(_) => false,
        }
    }

    /// Whether `tasks` tasks that are held for `length` from `start` on can certainly not begin
    /// sooner.
    pub(super) fn is_earliest(&self, tasks: u32, length: Span, now: Time, start: Time) -> bool {
        match self {
            // They have room from `start` on, for they hold it.
            Self::Scalar(free) => free.earliest(u64::from(tasks), length, now, start).is_none(),
            Self::Lanes(_) => false,
        }
    }

    /// The earliest start from now on of tasks of `work`, and what they would hold then for
    /// `length`, or until `end` if that comes first: of between `tasks.0` and `tasks.1` tasks
    /// as many as fit then.
    pub(super) fn earliest(
        &self,
        turn: &Turn<'_, '_>,
        work: WorkRef,
        tasks: (u32, u32),
        length: Span,
        end: Option<Time>,
    ) -> Option<(Time, ReservedResources)> {
        let end = end.unwrap_or(FOREVER);
        let until = |start: Time| start.saturating_add(length).min(end);
        match self {
            Self::Scalar(free) => {
                let least = u64::from(tasks.0);
                let start = free.earliest(least, length, turn.now(), end)?;
                Some((start, self.hold(turn, work, tasks, start, until(start))?))
            }
            Self::Lanes(lanes) => {
                let moments = CandidateStarts::new(lanes, wanted(turn, work, tasks.0), until);
                moments.take_while(|&from| from < end).find_map(|from| {
                    let hold = hold_on_profiles(lanes, turn, work, tasks, from, until(from));
                    hold.map(|hold| (from, hold))
                })
            }
        }
    }

    /// Resources that between `tasks.0` and `tasks.1` tasks of `work`, as many as fit, can hold
    /// from `from` to `until`; `None` if fewer fit.
    pub(super) fn hold(
        &self,
        turn: &Turn<'_, '_>,
        work: WorkRef,
        tasks: (u32, u32),
        from: Time,
        until: Time,
    ) -> Option<ReservedResources> {
        match self {
            Self::Scalar(free) => {
                let most = free.least(from, until).min(u64::from(tasks.1));
                (most >= u64::from(tasks.0)).then_some(ReservedResources::Tasks(most))
            }
            Self::Lanes(lanes) => hold_on_profiles(lanes, turn, work, tasks, from, until),
        }
    }

    /// Resources that an allocation of work with this demand holds.
    pub(super) fn hold_of(&self, demand: Demand, allocation: &Allocation) -> ReservedResources {
        let shares: SmallVec<[Share; 4]> = allocation.held.iter().map(|held| held.share).collect();
        self.hold_of_shares(demand, &shares)
    }

    /// Resources that these shares are.
    pub(super) fn hold_of_shares(&self, demand: Demand, shares: &[Share]) -> ReservedResources {
        match self {
            Self::Scalar(_) => {
                ReservedResources::Tasks(shares.iter().map(|share| u64::from(share.tasks)).sum())
            }
            Self::Lanes(_) => ReservedResources::Shares(demand, shares.to_vec()),
        }
    }

    /// Whether `hold` is free from `from` to `until`.
    pub(super) fn is_free(&self, hold: &ReservedResources, from: Time, until: Time) -> bool {
        match (self, hold) {
            (Self::Scalar(free), ReservedResources::Tasks(tasks)) => {
                free.least(from, until) >= *tasks
            }
            (Self::Lanes(lanes), ReservedResources::Shares(demand, shares)) => {
                let known =
                    |share: &Share| lanes.iter().any(|lane| lane.instance == share.instance);
                shares.iter().all(known)
                    && lanes.iter().all(|lane| {
                        let mine = || shares.iter().filter(|share| share.instance == lane.instance);
                        mine().next().is_none()
                            || period(&lane.steps, from, until).all(|step| {
                                let mut free = step.1.clone();
                                mine().all(|share| {
                                    let fits = free.can_take(*demand, share.tasks, share.devices);
                                    if fits {
                                        free.take(*demand, share.tasks, share.devices);
                                    }
                                    fits
                                })
                            })
                    })
            }
            _ => false,
        }
    }

    /// Takes `hold`, which is free then.
    pub(super) fn take(&mut self, hold: &ReservedResources, from: Time, until: Time) {
        match (self, hold) {
            (Self::Scalar(free), &ReservedResources::Tasks(tasks)) => free.take(tasks, from, until),
            (Self::Lanes(lanes), ReservedResources::Shares(demand, shares)) => {
                on_profiles(lanes, shares, |share, lane| {
                    change(&mut lane.steps, from, until, |free| {
                        free.take(*demand, share.tasks, share.devices);
                    });
                });
            }
            _ => (),
        }
    }

    /// Gives a taken `hold` back.
    pub(super) fn give(&mut self, hold: &ReservedResources, from: Time, until: Time) {
        match (self, hold) {
            (Self::Scalar(free), &ReservedResources::Tasks(tasks)) => free.give(tasks, from, until),
            (Self::Lanes(lanes), ReservedResources::Shares(demand, shares)) => {
                on_profiles(lanes, shares, |share, lane| {
                    change(&mut lane.steps, from, until, |free| {
                        free.give(*demand, share.tasks, share.devices);
                    });
                });
            }
            _ => (),
        }
    }
}

/// Shows each share with its lane; shares of instances that have none are passed over.
fn on_profiles(
    profiles: &mut [InstanceProfile],
    shares: &[Share],
    mut each: impl FnMut(Share, &mut InstanceProfile),
) {
    for &share in shares {
        if let Some(lane) = profiles.iter_mut().find(|lane| lane.instance == share.instance) {
            each(share, lane);
        }
    }
}

fn lanes(turn: &Turn<'_, '_>) -> Vec<InstanceProfile> {
    let usable = turn.instances().filter(|(_, instance)| instance.phase.takes_work());
    let mut lanes: Vec<InstanceProfile> = usable
        .map(|(instance, now)| InstanceProfile {
            instance,
            ordinal: now.ordinal,
            offer: now.offer,
            admitted: true,
            steps: vec![(turn.now(), FreeCapacity::of(now))],
        })
        .collect();
    lanes.sort_unstable_by_key(|lane| lane.ordinal);
    for (end, allocation) in turn.ends() {
        let allocation = turn.allocation(allocation);
        let demand = turn.work(allocation.work()).ask.demand;
        let end = end.max(turn.now());
        for held in &allocation.held {
            on_profiles(&mut lanes, &[held.share], |share, lane| {
                change(&mut lane.steps, end, FOREVER, |free| {
                    free.give(demand, share.tasks, share.devices);
                });
            });
        }
    }
    lanes
}

fn wanted<'a>(turn: &'a Turn<'_, '_>, work: WorkRef, tasks: u32) -> Wanted<'a> {
    let live = turn.work(work);
    Wanted { demand: live.ask.demand, rules: turn.rules(live.ask.rules), tasks }
}

/// Instances that are free latest first, so that others can use the rest until then, the
/// oldest of these first. An even spread over zones counts as no spread.
fn hold_on_profiles(
    lanes: &[InstanceProfile],
    turn: &Turn<'_, '_>,
    work: WorkRef,
    (least, most): (u32, u32),
    from: Time,
    until: Time,
) -> Option<ReservedResources> {
    let demand = turn.work(work).ask.demand;
    let admitted = lanes.iter().filter(|lane| lane.admitted);
    let since = admitted.filter_map(|lane| Some((Reverse(free_since(lane, demand, from)?), lane)));
    let mut lanes: Vec<(Reverse<Time>, &InstanceProfile)> = since.collect();
    lanes.sort_by_key(|&(since, _)| since);
    let mut sites: Vec<Option<u32>> = Vec::new();
    for &(_, lane) in &lanes {
        let site = turn.site(work, lane.offer);
        if sites.contains(&site) {
            continue;
        }
        let hold = hold_in_site(&lanes, turn, (work, site), (least, most), from, until);
        if hold.is_some() {
            return hold;
        }
        sites.push(site);
    }
    None
}

/// Time from which there has been room for a task without a break until `time`; `None` if there is
/// none then.
fn free_since(lane: &InstanceProfile, demand: Demand, time: Time) -> Option<Time> {
    let until = lane.steps.partition_point(|step| step.0 <= time);
    let open = lane.steps[..until].iter().rev().take_while(|step| step.1.room(demand) > 0);
    open.last().map(|step| step.0)
}

fn hold_in_site(
    lanes: &[(Reverse<Time>, &InstanceProfile)],
    turn: &Turn<'_, '_>,
    (work, site): (WorkRef, Option<u32>),
    (least, most): (u32, u32),
    from: Time,
    until: Time,
) -> Option<ReservedResources> {
    let wanted = wanted(turn, work, most);
    let (mut left, mut shares, mut zones) = (most, Vec::new(), Vec::new());
    for &(_, lane) in lanes {
        if left == 0 {
            break;
        }
        if turn.site(work, lane.offer) != site {
            continue;
        }
        let zone = turn.world().offers[lane.offer].zone;
        let used = wanted.rules.spread == Spread::Zones && zones.contains(&zone);
        if used {
            continue;
        }
        let Some(mut free) = common(lane, wanted.demand, from, until) else { continue };
        let room = free.room(wanted.demand).min(left).min(wanted.most());
        let each = if wanted.demand.exclusive { room.max(1) } else { 1 };
        for _ in 0..room / each {
            let devices = free.devices_for(wanted.demand, each)?;
            free.take(wanted.demand, each, devices);
            shares.push(Share { instance: lane.instance, tasks: each, devices });
        }
        left -= room;
        zones.extend((room > 0).then_some(zone));
    }
    (most - left >= least).then_some(ReservedResources::Shares(wanted.demand, shares))
}
