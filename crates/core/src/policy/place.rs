//! Place part: on which instance tasks go. One part per file.

mod dot;
mod fgd;
mod fit;
mod gpu;
mod limit;
mod narrow;
mod next;
mod random;
mod scored;

use super::spec;
use super::turn::Turn;
use crate::model::Offer;
use crate::part::{Part, PartSpec};
use crate::state::{AllocationRef, Needs, OfferSet, Share, WorkRef};
use crate::units::{Id, Money};

pub use dot::{DOT_PRODUCT, DotProduct, LEAST_DOT_PRODUCT, LEAST_REMAINDER, LeastRemainder};
pub use fgd::{FGD, Fgd};
pub(super) use fit::share_on;
pub use fit::{BEST_FIT, FIRST_FIT, Fit, LEAST_LOADED, WORST_FIT};
pub use gpu::{GPU_CLUSTERING, GPU_PACKING, GpuClustering, GpuPacking};
pub use limit::{CostLimit, JoinedPlace, LimitedPlace};
use narrow::Narrowed;
pub use narrow::{GpuMachines, NARROW, Narrow};
pub use next::{NEXT_FIT, NextFit};
pub use random::{RANDOM, Random};
pub use scored::{PlacementScore, Rating, Scored};

/// A row of [`PARTS`].
pub type PlacePart = Part<Box<dyn Place>>;
/// A place part with its settings. Ties go to the lowest stable id.
pub type PlaceSpec = PartSpec<Box<dyn Place>>;

/// Every place part.
pub static PARTS: &[&PlacePart] = &[
    &FIRST_FIT,
    &NEXT_FIT,
    &BEST_FIT,
    &WORST_FIT,
    &RANDOM,
    &DOT_PRODUCT,
    &LEAST_DOT_PRODUCT,
    &LEAST_REMAINDER,
    &LEAST_LOADED,
    &FGD,
    &GPU_PACKING,
    &GPU_CLUSTERING,
];

/// Picks an instance for the next task or tasks of a piece of work.
///
/// # What it may decline
/// Reservations, and so promises, count on every instance of the offers that the part
/// [admits](Place::admits), as soon as the next tasks fit there by the estimates. So wherever tasks fit on
/// such instances within reach, [`Place::pick`] picks some, whichever it prefers. What it would not use it
/// says in `admits`, offer by offer, the same whenever it is asked. A part that declines in `pick` by
/// anything else, such as how full or how old an instance is or what time it is, has its work start
/// later than promised: under backfilling with reservations (EASY, conservative) the run breaks a law,
/// and so it does where work is left that would fit. A [cost limit](Place::pick_below) may be declined by.
pub trait Place: std::fmt::Debug {
    /// Order of the index that its queries need; `ends` is not its to set. A policy of your own that
    /// asks the part returns these as its [`Policy::needs`](super::Policy::needs).
    fn needs(&self) -> Needs;

    /// Share of the next tasks of `work`: between one and all waiting tasks on one instance, or
    /// `None` where no running or booting instance has room. Shares already added to an open
    /// allocation are part of the state. Only instances within `reach` are looked at. It may not be asked
    /// at all where no instance has room for a task.
    fn pick(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef, reach: &OfferSet) -> Option<Share>;

    /// Whether tasks of `work` are ever placed on instances of `offer`, as far as it is
    /// this part's to say. Reservations count on no others.
    fn admits(&mut self, turn: &Turn<'_, '_>, work: WorkRef, offer: Id<Offer>) -> bool {
        let _ = (turn, work, offer);
        true
    }

    /// The same, but nothing where a task costs more than its part of `limit`, as far as
    /// this part weighs that.
    fn pick_below(
        &mut self,
        turn: &mut Turn<'_, '_>,
        work: WorkRef,
        reach: &OfferSet,
        limit: &mut CostLimit<'_>,
    ) -> Option<Share> {
        let _ = limit;
        self.pick(turn, work, reach)
    }

    /// Whether the part weighs what a place costs `work`, see [`Place::pick_below`].
    fn weighs(&self, turn: &Turn<'_, '_>, work: WorkRef) -> bool {
        let _ = (turn, work);
        false
    }

    /// Whether the part also places `work` on instances of offers that it does not admit, while
    /// others keep them for longer: then the room that there is depends on how long the work runs.
    fn joins(&self, turn: &Turn<'_, '_>, work: WorkRef) -> bool {
        let _ = (turn, work);
        false
    }

    /// The share that it picks below `limit` on such instances alone.
    fn pick_joined(
        &mut self,
        turn: &mut Turn<'_, '_>,
        work: WorkRef,
        reach: &OfferSet,
        limit: &mut CostLimit<'_>,
    ) -> Option<Share> {
        let _ = (turn, work, reach, limit);
        None
    }

    /// Whether `work` may be placed there now, though the part would pick another place first.
    fn takes(&mut self, turn: &Turn<'_, '_>, work: WorkRef, share: Share) -> bool {
        self.admits(turn, work, turn.instance(share.instance).offer)
    }

    /// Cost of `share` to the work beyond what is paid anyway, as far as this part weighs that.
    fn extra_cost(&self, turn: &Turn<'_, '_>, work: WorkRef, share: Share) -> Money {
        let _ = (turn, work, share);
        Money::ZERO
    }
}

/// The part that `policy` names, shown the instances that it names.
pub fn build(policy: &spec::PolicySpec) -> Box<dyn Place> {
    narrowed(policy.place.build(), policy)
}

/// `part`, shown the instances that `policy` names.
pub(super) fn narrowed(part: Box<dyn Place>, policy: &spec::PolicySpec) -> Box<dyn Place> {
    if policy.narrow.is_all() {
        return part;
    }
    let kept = policy.provision.build().keeps_all();
    let keeps = kept || policy.release.build().is_none();
    Box::new(Narrowed::new(part, &policy.narrow, keeps))
}

/// Places all waiting tasks of `work` (of a gang: all or none; otherwise as
/// many as fit, each instance's tasks as an allocation of their own).
/// Returns whether none is left waiting. A policy of your own that calls it returns `place.needs()` as
/// its [`Policy::needs`](super::Policy::needs): where the state keeps another order of instances than
/// a built-in part needs, the run stops and says so.
pub fn place_all(place: &mut dyn Place, turn: &mut Turn<'_, '_>, work: WorkRef) -> bool {
    let live = turn.work(work);
    let waiting = live.waiting;
    if live.ask.gang {
        let room = turn.scalar_room();
        if room.is_some_and(|room| room < u64::from(waiting)) {
            return false;
        }
        // One task has no others to be near.
        if waiting > 1 {
            return place_gang(place, turn, work);
        }
    }
    let mut left = waiting;
    while left > 0 {
        let Some(share) = place.pick(turn, work, &OfferSet::ALL) else { return false };
        if turn.place(work, &[share]).is_err() {
            return false;
        }
        left -= share.tasks;
    }
    true
}

/// Places a gang whole: in the site of the part's favourite instance or, where it
/// does not fit there, without a look at that site again.
#[inline(always)]
fn place_gang(place: &mut dyn Place, turn: &mut Turn<'_, '_>, work: WorkRef) -> bool {
    match place_in_site(place, turn, work, &OfferSet::ALL) {
        Ok(placed) => placed,
        Err(full) => place_elsewhere(place, turn, work, full),
    }
}

/// Places a gang in another site than that of `full`.
fn place_elsewhere(
    place: &mut dyn Place,
    turn: &mut Turn<'_, '_>,
    work: WorkRef,
    mut full: Id<Offer>,
) -> bool {
    let mut reach = turn.take_reach();
    let placed = loop {
        if turn.stop_reason().is_some() || !turn.pass_site(work, full, &mut reach) {
            break false;
        }
        match place_in_site(place, turn, work, &reach) {
            Ok(placed) => break placed,
            Err(offer) => full = offer,
        }
    };
    turn.put_reach(reach);
    placed
}

/// Places a gang in the site of the part's favourite within `reach`. Returns whether it
/// did, or the favourite's offer where the gang does not fit there.
#[inline(always)]
fn place_in_site(
    place: &mut dyn Place,
    turn: &mut Turn<'_, '_>,
    work: WorkRef,
    reach: &OfferSet,
) -> Result<bool, Id<Offer>> {
    let Some(share) = place.pick(turn, work, reach) else { return Ok(false) };
    if share.tasks == turn.work(work).waiting {
        return Ok(turn.place(work, &[share]).is_ok());
    }
    let offer = turn.instance(share.instance).offer;
    let opened = turn.open(work);
    if fill(place, turn, (work, share), opened, reach) { Ok(true) } else { Err(offer) }
}

fn fill(
    place: &mut dyn Place,
    turn: &mut Turn<'_, '_>,
    (work, first): (WorkRef, Share),
    opened: AllocationRef,
    reach: &OfferSet,
) -> bool {
    let mut next = Some(first);
    while next.is_some_and(|share| turn.add(opened, share).is_ok()) {
        if turn.work(work).waiting == 0 {
            return turn.commit(opened).is_ok();
        }
        next = place.pick(turn, work, reach);
    }
    turn.abandon(opened);
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Ask;
    use crate::state::testing::{Plan, demand, start, submit, world};
    use crate::units::{Scalar, Stream};

    /// A part that meets another order of instances than it needs would pick others without a word.
    #[test]
    fn a_part_meets_the_order_that_it_needs() {
        let world = world(&[Plan { running: 2, ..Plan::default() }]);
        let parts: [Box<dyn Place>; 6] = [
            Box::new(Fit::best(Scalar::Cpu)),
            Box::new(Fit::worst(Scalar::Mean)),
            DOT_PRODUCT.spec().build(),
            Box::new(Fit::first()),
            NEXT_FIT.spec().build(),
            RANDOM.spec().build(),
        ];
        for (row, mut part) in parts.into_iter().enumerate() {
            let other = if row < 3 { Needs::default() } else { Fit::best(Scalar::Cpu).needs() };
            for (needs, right) in [(part.needs(), true), (other, false)] {
                let mut state = start(&world, needs);
                let ask = Ask { demand: demand(1_000, 0, 0, 0), ..Ask::default() };
                let work = submit(&mut state, 0, ask);
                let mut stream = Stream::new(1, "policy");
                let turn = &mut Turn::new(&mut state, &mut stream);
                assert_eq!(place_all(&mut *part, turn, work), right, "{part:?}");
                let told = turn.stop_reason().unwrap_or_default();
                assert_eq!(
                    told.contains("`Policy::needs` must return"),
                    !right,
                    "{part:?}: {told}"
                );
            }
        }
    }

    /// A gang that fits in no zone leaves the memory of its search to the next one.
    #[test]
    fn a_gang_that_fits_nowhere_leaves_its_memory() {
        let zone = |zone| Plan { name: zone, zone, running: 1, ..Plan::default() };
        let world = world(&[zone("dc-a"), zone("dc-b")]);
        let part = &mut Fit::first();
        let mut state = start(&world, part.needs());
        let ask = Ask { demand: demand(3_000, 0, 0, 0), tasks: 2, gang: true, ..Ask::default() };
        let work = submit(&mut state, 0, ask);
        let mut stream = Stream::new(1, "policy");
        let turn = &mut Turn::new(&mut state, &mut stream);
        assert!(!place_all(part, turn, work));
        let reach = turn.take_reach();
        assert!(reach.has_memory(&world) && reach.is_all(), "{reach:?}");
    }
}
