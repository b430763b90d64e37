//! One piece of work in the hands of its spot policy.

use super::give_back;
use super::menu::{MenuKey, SpotMenu};
use crate::model::Market;
use crate::policy::provision::demand::shares;
use crate::policy::spot::{HeldMarket, SpotPolicy, SpotView, SpotZone};
use crate::policy::turn::Turn;
use crate::state::{AllocationRef, InstanceRef, WorkRef};
use crate::units::{Span, Time};

/// Work done in a microsecond.
const PER_MICRO: i128 = 1_000_000;

/// Longest deadline and estimate that are reckoned with: about 36 years. Products stay far from the
/// end of the numbers.
const LONGEST: Span = Span::from_micros(1 << 50);

/// Work, its policy and what it holds.
#[derive(Debug)]
pub(super) struct CarriedWork {
    pub(super) policy: Box<dyn SpotPolicy>,
    pub(super) key: MenuKey,
    /// Time from its arrival until it must be done.
    pub(super) deadline: Span,
    pub(super) held: HeldMarket,
    /// Instances that were rented for it.
    pub(super) instances: Vec<InstanceRef>,
    /// Time at which these were launched.
    pub(super) launched: Time,
    /// Zone of its last spot instance.
    pub(super) spot_zone: Option<usize>,
    /// Time of the last decision that set a timer.
    pub(super) asked: Option<Time>,
    /// Whether it is listed among those that wait for budgets.
    pub(super) is_short: bool,
    /// Time from a launch until it goes on, as the policy reckons.
    restart: Span,
    /// All of it by the estimate, and its output, in millionths of a microsecond on the slowest of its
    /// offers.
    total: i128,
    /// Speed of that offer.
    speed: u32,
    /// Zone where it last ran.
    worked: Option<usize>,
}

impl CarriedWork {
    /// Work that arrives now, whose policy reckons with restarts of this length. Work without a
    /// deadline has so many percent of slack.
    pub(super) fn new(
        turn: &Turn<'_, '_>,
        (work, menu): (WorkRef, &SpotMenu),
        policy: Box<dyn SpotPolicy>,
        (restart, slack): (Span, u64),
    ) -> Self {
        let live = turn.work(work);
        let ask = &live.ask;
        let speed = menu.speed.max(1);
        let run = ask.estimate.unwrap_or(Span::HOUR).min(LONGEST);
        let run = (i128::from(run.micros()) * PER_MICRO * PER_MICRO).div_euclid(speed.into());
        let output = menu.output(turn, work).min(LONGEST);
        let most = i128::from(LONGEST.micros()) * PER_MICRO;
        let total = (run + i128::from(output.micros()) * PER_MICRO).clamp(1, most);
        // Who takes restarts for costless moves for ever.
        let restart = restart.clamp(Span::from_micros(1), LONGEST);
        let own = || {
            let slack = total * i128::from(slack) / 100 / PER_MICRO;
            let even = total / PER_MICRO + i128::from(restart.micros());
            Span::from_micros(i64::try_from(even + slack).unwrap_or(i64::MAX / 2))
        };
        let deadline = ask.deadline.map_or_else(own, |deadline| deadline - live.arrival);
        Self {
            policy,
            key: (ask.rules, ask.demand, ask.home, turn.whole_tasks(work)),
            deadline: deadline.clamp(Span::from_micros(1), LONGEST),
            held: HeldMarket::Nothing,
            instances: Vec::new(),
            launched: turn.now(),
            spot_zone: None,
            asked: None,
            is_short: false,
            restart,
            total,
            speed,
            worked: None,
        }
    }

    /// Whether it holds instances.
    pub(super) fn holds(&self) -> bool {
        self.held != HeldMarket::Nothing
    }

    /// What its policy may see. Progress counts as far as the next loss leaves it: all of it on demand
    /// and on spot that is warned, if it resumes, else what is saved.
    pub(super) fn view<'v>(
        &self,
        turn: &Turn<'_, '_>,
        work: WorkRef,
        (menu, zones, step): (&SpotMenu, &'v [SpotZone], Span),
    ) -> SpotView<'v> {
        let live = turn.work(work);
        let now = (turn.now() - live.arrival).min(LONGEST);
        let current = self.current(turn, work);
        let keeps = live.ask.keeps_progress() && self.is_warned(turn, menu);
        let progress = current.and_then(|current| turn.progress(current));
        let done = match (current, progress) {
            (None, _) => turn.least_saved(work),
            (Some(current), None) => turn.saved(current),
            (Some(_), Some(progress)) if keeps => progress.done_at(turn.now()),
            (Some(_), Some(progress)) => progress.saved_at(turn.now()),
        };
        let done = done * PER_MICRO / i128::from(self.speed);
        // Work that runs beyond its estimate is taken to need a step more.
        let more = i128::from(step.micros()) * PER_MICRO;
        let total = if done < self.total { self.total } else { done + more };
        let computes = progress.is_some_and(|progress| progress.since <= turn.now());
        let left = self.launched.saturating_add(self.restart) - turn.now();
        let restart_left = match self.held {
            HeldMarket::Nothing => Span::ZERO,
            HeldMarket::OnDemand(_) if computes => Span::ZERO,
            HeldMarket::Spot(_) if computes && keeps => Span::ZERO,
            HeldMarket::OnDemand(_) | HeldMarket::Spot(_) => left.max(Span::from_micros(1)),
        };
        SpotView {
            now,
            deadline: self.deadline,
            done,
            total,
            restart: self.restart,
            restart_left,
            step,
            held: self.held,
            worked: self.worked,
            zones,
        }
    }

    /// Its allocation, if it has one.
    fn current(&self, turn: &Turn<'_, '_>, work: WorkRef) -> Option<AllocationRef> {
        let all = turn.work(work).allocations.iter().copied();
        all.into_iter().find(|&one| !turn.allocation(one).has_ended())
    }

    /// Whether nothing takes what is held without a warning.
    fn is_warned(&self, turn: &Turn<'_, '_>, menu: &SpotMenu) -> bool {
        match self.held {
            HeldMarket::Nothing | HeldMarket::OnDemand(_) => true,
            HeldMarket::Spot(zone) => menu.offers(Market::Spot, zone).first().is_some_and(|one| {
                let world = turn.world();
                world.providers[world.provider_of(one.offer)].spot.warning() > Span::ZERO
            }),
        }
    }

    /// Holds nothing from now on: the work waits, and its instances go back.
    pub(super) fn leave(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef) {
        part(turn, work, &self.instances);
        self.instances.clear();
        self.held = HeldMarket::Nothing;
    }

    /// Launches in place of what is held, if there is room for all. Returns whether it did.
    pub(super) fn launch(
        &mut self,
        turn: &mut Turn<'_, '_>,
        work: WorkRef,
        menu: &SpotMenu,
        wanted: HeldMarket,
    ) -> bool {
        let (market, zone) = match wanted {
            HeldMarket::Nothing => return false,
            HeldMarket::OnDemand(zone) => (Market::OnDemand, zone),
            HeldMarket::Spot(zone) => (Market::Spot, zone),
        };
        let Some(offer) = menu.open(turn, market, zone) else { return false };
        if turn.overruns(u64::from(offer.instances)) {
            return false;
        }
        let rented = turn.attempt(|turn| {
            part(turn, work, &self.instances);
            // All of a gang go, also where fewer of its tasks were to start last.
            turn.resize(work, turn.whole_tasks(work)).ok()?;
            let count = 0..offer.instances;
            let rented: Option<Vec<InstanceRef>> =
                count.map(|_| turn.rent(offer.offer).ok()).collect();
            let (rented, mut tasks) = (rented?, turn.work(work).waiting);
            let opened = turn.open(work);
            for &instance in &rented {
                let on = offer.each.min(tasks);
                tasks -= on;
                let mut parts = shares(turn, work, instance, on).into_iter();
                if !parts.all(|share| turn.add(opened, share).is_ok()) {
                    turn.abandon(opened);
                    return None;
                }
            }
            turn.commit(opened).ok().map(|()| rented)
        });
        let Some(rented) = rented else { return false };
        (self.instances, self.held, self.launched) = (rented, wanted, turn.now());
        self.worked = Some(zone);
        if market == Market::Spot {
            self.spot_zone = Some(zone);
        }
        true
    }
}

/// Takes the work off its instances, and gives these back.
fn part(turn: &mut Turn<'_, '_>, work: WorkRef, instances: &[InstanceRef]) {
    if turn.is_alive(work) {
        let mut at = 0;
        while let Some(&one) = turn.work(work).allocations.get(at) {
            if turn.allocation(one).has_ended() {
                at += 1;
            } else {
                turn.preempt(one).expect("what runs can be preempted");
                at = 0;
            }
        }
    }
    give_back(turn, instances);
}
