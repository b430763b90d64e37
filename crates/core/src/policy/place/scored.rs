//! Placements that score instances: each distinct free state is scored once
//! per demand, and the best score wins.

use std::fmt::Debug;

use rustc_hash::FxHashMap;

use super::Place;
use super::fit::share_on;
use crate::model::{Spread, World};
use crate::policy::turn::Turn;
use crate::state::{
    ClassBy, InstanceClass, InstanceRef, Needs, OfferSet, Share, WorkRef, tightest_of,
};
use crate::units::Demand;

/// Penalty of one task on an instance, by a part, and the device that it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rating {
    /// Penalty of the task; the place with the least is chosen.
    pub penalty: i64,
    /// Free milli-shares of the device that the task takes, if it asks a part of one device. `None`
    /// takes the tightest devices.
    pub device: Option<u16>,
}

impl Rating {
    /// A penalty, on the tightest devices.
    pub const fn tightest(penalty: i64) -> Self {
        Self { penalty, device: None }
    }
}

/// Rates one task of a demand on any instance of a class, which has room for
/// it. Depends on nothing else, as ratings are kept.
pub trait PlacementScore: Debug {
    /// Property by which instances are alike for it.
    const BY: ClassBy = ClassBy::Free;

    /// The rating of one task of `demand` on an instance of `class`.
    fn rate(&mut self, world: &World, class: &InstanceClass, demand: Demand) -> Rating;
}

/// Distinct demands whose ratings are kept.
const MOST_DEMANDS: usize = 1_024;

/// The instance with the least penalty; ties go to the lowest stable id.
#[derive(Debug)]
pub struct Scored<S> {
    score: S,
    rows: FxHashMap<Demand, usize>,
    /// Ratings by row of the demand and slot of the class: the class's serial, and the rating of
    /// the demand there if it fits.
    rated: Vec<Vec<(u64, Option<Rating>)>>,
}

impl<S: PlacementScore> Scored<S> {
    /// Places by `score`.
    pub fn new(score: S) -> Self {
        Self { score, rows: FxHashMap::default(), rated: Vec::new() }
    }

    fn row(&mut self, demand: Demand) -> usize {
        if let Some(&row) = self.rows.get(&demand) {
            return row;
        }
        if self.rows.len() == MOST_DEMANDS {
            self.rows.clear();
            self.rated.clear();
        }
        self.rows.insert(demand, self.rated.len());
        self.rated.push(Vec::new());
        self.rated.len() - 1
    }

    /// The best instance for one more task of `work`, with its rating.
    fn best(
        &mut self,
        turn: &Turn<'_, '_>,
        work: WorkRef,
        reach: &OfferSet,
    ) -> Option<(InstanceRef, Rating)> {
        let ask = turn.work(work).ask;
        let row = self.row(ask.demand);
        let rated = &mut self.rated[row];
        let rules = turn.rules(ask.rules);
        let mut best: Option<(i64, u32, InstanceRef, Rating)> = None;
        let (all, bound) = (reach.is_all(), turn.is_bound(work));
        let looked_at = |(_, class): &(usize, &InstanceClass)| {
            let offer = class.offer();
            (all || reach.has(offer))
                && rules.allows(offer)
                && (!bound || turn.site_allows(work, offer))
        };
        for (slot, class) in turn.classes().filter(looked_at) {
            if rated.len() <= slot {
                rated.resize(slot + 1, (0, None));
            }
            if rated[slot].0 != class.serial() {
                let fits = class.fits(ask.demand);
                let rating = fits.then(|| self.score.rate(turn.world(), class, ask.demand));
                rated[slot] = (class.serial(), rating);
            }
            let Some(rating) = rated[slot].1 else { continue };
            if best.is_some_and(|(least, ..)| least < rating.penalty) {
                continue;
            }
            let spread = rules.spread != Spread::None;
            let found = class.members().find(|&(_, one)| !spread || turn.accepts(work, one));
            let Some((ordinal, instance)) = found else { continue };
            if best.is_none_or(|(least, oldest, ..)| (rating.penalty, ordinal) < (least, oldest)) {
                best = Some((rating.penalty, ordinal, instance, rating));
            }
        }
        best.map(|(_, _, instance, rating)| (instance, rating))
    }
}

impl<S: PlacementScore> Place for Scored<S> {
    fn needs(&self) -> Needs {
        Needs { classes: S::BY, ..Needs::default() }
    }

    fn pick(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef, reach: &OfferSet) -> Option<Share> {
        if !turn.is_classed(S::BY) {
            return None;
        }
        let (instance, rating) = self.best(turn, work, reach)?;
        let target = turn.instance(instance);
        let demand = turn.work(work).ask.demand;
        if demand.exclusive {
            return share_on(turn, work, instance, true);
        }
        let devices = match rating.device {
            Some(share) => {
                let at = target.devices().iter().position(|&free| free == share);
                1 << at.expect("every instance of the class has such a device")
            }
            None => target.tightest_devices(demand, 1)?,
        };
        Some(Share { instance, tasks: 1, devices })
    }
}

/// Writes to `into` what is left of a class's devices, ascending, after one task of `demand` has
/// taken the device with `share` free, or the tightest that fit; nothing is left where it has the
/// instance alone.
pub(super) fn devices_after(
    class: &InstanceClass,
    demand: Demand,
    share: Option<u16>,
    into: &mut Vec<u16>,
) {
    into.clear();
    into.extend_from_slice(class.devices());
    if demand.exclusive {
        into.fill(0);
    } else if demand.gpus > 1 && !demand.whole_gpus() {
        let chosen = tightest_of(class.free(), into, demand, 1).unwrap_or(0);
        for (at, free) in into.iter_mut().enumerate() {
            *free -= if chosen & (1 << at) != 0 { demand.gpu_share } else { 0 };
        }
        into.sort_unstable();
    } else if demand.gpus > 0 {
        let wanted = share.unwrap_or(demand.gpu_share);
        let from = into.partition_point(|&free| free < wanted);
        for free in &mut into[from..from + usize::from(demand.gpus)] {
            *free -= demand.gpu_share;
        }
        into.sort_unstable();
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::{Ask, Rules};
    use crate::policy::place::{self, place_all};
    use crate::policy::spec;
    use crate::state::testing::{demand, fill, owned, rules, shape, start, submit};
    use crate::state::{Ending, State};
    use crate::units::{Shape, Stream};

    /// The ordinal and devices chosen by `part` for one task of `asked`, where
    /// `used` is taken of instances of `shapes` first.
    pub(in crate::policy::place) fn chosen(
        part: &mut dyn Place,
        shapes: &[Shape],
        used: &[(u32, Demand)],
        asked: Demand,
    ) -> Option<(u32, u32)> {
        let world = owned(shapes);
        let mut state = start(&world, part.needs());
        for &(ordinal, demand) in used {
            fill(&mut state, ordinal, demand);
        }
        let work = submit(&mut state, 0, Ask { demand: asked, ..Ask::default() });
        let mut stream = Stream::new(1, "policy");
        let share = part.pick(&mut Turn::new(&mut state, &mut stream), work, &OfferSet::ALL)?;
        Some((state.instance(share.instance).ordinal, share.devices))
    }

    /// Least free memory, and of devices the emptiest.
    #[derive(Debug, Default)]
    struct Memory {
        calls: u32,
    }

    impl PlacementScore for Memory {
        fn rate(&mut self, _: &World, class: &InstanceClass, demand: Demand) -> Rating {
            self.calls += 1;
            let device = (demand.gpus == 1).then(|| class.free().best_share);
            Rating { penalty: i64::from(class.free().memory), device }
        }
    }

    #[test]
    fn each_state_is_rated_once() {
        let mut world = owned(&[shape(8_000, 8_192, 2)]);
        world.offers[crate::units::Id::new(0)].running_at_start = 100;
        let mut part = Scored::new(Memory::default());
        let mut state = start(&world, part.needs());
        let mut stream = Stream::new(1, "policy");
        let ask = Ask { demand: demand(1_000, 1_024, 1, 500), ..Ask::default() };
        for row in 0..8 {
            let work = submit(&mut state, row, ask);
            assert!(place_all(&mut part, &mut Turn::new(&mut state, &mut stream), work));
        }
        // Two full instances, by three states between empty and full: 100 empty
        // ones, 1 to 3 tasks, and 4, where nothing fits any more.
        let full = state.instances().filter(|(_, one)| one.free_gpu == 0).count();
        assert_eq!((full, part.score.calls), (2, 4));
    }

    /// Halves of two devices are taken from two half devices and a whole one, so that two more
    /// remain.
    #[test]
    fn what_a_task_leaves_of_several_devices_is_what_it_will_leave() {
        let world = owned(&[shape(8_000, 8_192, 3)]);
        let needs = Scored::new(Memory::default()).needs();
        let (mut state, mut stream) = (start(&world, needs), Stream::new(1, "policy"));
        let two = demand(1_000, 1_024, 2, 500);
        let mut devices = |state: &mut State<'_>| {
            let turn = Turn::new(state, &mut stream);
            let (_, class) = turn.classes().next().expect("there is one instance");
            let mut after = Vec::new();
            devices_after(class, two, None, &mut after);
            [class.devices().to_vec(), after]
        };
        fill(&mut state, 0, two);
        let halves = vec![500, 500, 1_000];
        assert_eq!(devices(&mut state), [halves, vec![0, 500, 500]]);
        fill(&mut state, 0, two);
        assert_eq!(devices(&mut state), [vec![0, 500, 500], vec![0, 0, 0]]);
    }

    /// The choice over classes is that of a scan over all instances.
    fn agrees_with_a_scan<S: PlacementScore>(score: S, mut other: S, spread: Spread) {
        let mut part = Scored::new(score);
        let mut stream = Stream::new(11, "scan");
        let shapes: Vec<_> = (0..24)
            .map(|at| shape(16_000 + 8_000 * (at % 3), 65_536, [0, 2, 4][at as usize % 3]))
            .collect();
        let world = owned(&shapes);
        let mut state = start(&world, part.needs());
        let forbidden = Rules { spread, ..Rules::default() };
        let rules = rules(&mut state, &forbidden);
        for row in 0..300 {
            let gpus = stream.below(3) as u8;
            let share = [0, 100 * (1 + stream.below(10) as u16), 1_000][usize::from(gpus)];
            let cpu = 1_000 * stream.below(5) as u32;
            let ask = demand(cpu, 1_024 * stream.below(9) as u32, gpus, share);
            let tasks = 1 + stream.below(2) as u32;
            let work = Ask { demand: ask, tasks, rules, gang: false, ..Ask::default() };
            let work = submit(&mut state, row, work);
            while state.is_alive(work) && state.work(work).waiting > 0 {
                let want = scan(&mut other, &state, work);
                let mut own = Stream::new(1, "policy");
                let mut turn = Turn::new(&mut state, &mut own);
                let share = part.pick(&mut turn, work, &OfferSet::ALL);
                let got = share.map(|share| turn.instance(share.instance).ordinal);
                assert_eq!(got, want, "row {row}: {ask:?}");
                match share {
                    Some(share) => turn.place(work, &[share]).expect("what is picked fits"),
                    None => break,
                }
            }
            end_one(&mut state, stream.below(40) as usize);
        }
    }

    /// Ends the live work at `nth` if it is all placed.
    fn end_one(state: &mut State<'_>, nth: usize) {
        let found = state.works().nth(nth).filter(|(_, live)| live.waiting == 0);
        let Some((work, allocations)) = found.map(|(work, live)| (work, live.allocations.clone()))
        else {
            return;
        };
        for allocation in allocations {
            state.stop(allocation, Ending::Done);
            state.close(allocation, &mut Vec::new());
            state.drop_allocation(allocation);
        }
        state.forget(work);
    }

    fn scan<S: PlacementScore>(score: &mut S, state: &State<'_>, work: WorkRef) -> Option<u32> {
        let mut best = None;
        for (reference, instance) in state.instances() {
            if state.accepts(work, reference) {
                let holds =
                    |class: &InstanceClass| class.members().any(|(_, one)| one == reference);
                let (_, class) = state.classes().find(|(_, class)| holds(class)).expect("live");
                let rating = score.rate(state.world(), class, state.work(work).ask.demand);
                let candidate = (rating.penalty, instance.ordinal);
                if best.is_none_or(|best| candidate < best) {
                    best = Some(candidate);
                }
            }
        }
        best.map(|(_, ordinal)| ordinal)
    }

    #[test]
    fn classes_choose_as_a_scan_does() {
        let mix = spec::DemandMix {
            source: "test".into(),
            demands: vec![
                (demand(4_000, 8_192, 1, 500), Vec::new(), 5),
                (demand(9_000, 8_192, 1, 1_000), Vec::new(), 3),
                (demand(2_000, 0, 2, 1_000), Vec::new(), 2),
                (demand(3_000, 1_024, 0, 0), Vec::new(), 1),
            ],
        };
        for spread in [Spread::None, Spread::Instances] {
            let fgd = || place::Fgd::new(&mix);
            agrees_with_a_scan(fgd(), fgd(), spread);
            agrees_with_a_scan(place::DotProduct::most(), place::DotProduct::most(), spread);
            agrees_with_a_scan(place::GpuPacking, place::GpuPacking, spread);
            agrees_with_a_scan(place::GpuClustering, place::GpuClustering, spread);
        }
    }
}
