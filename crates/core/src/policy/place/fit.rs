//! First, best and worst fit: the first instance that fits in an index order.

use super::{Place, PlacePart};
use crate::model::Spread;
use crate::part::{Parameter, Part, PartSettings, Setting, SettingKind};
use crate::policy::turn::Turn;
use crate::state::{IndexBy, InstanceRef, Needs, OfferSet, Share, WorkRef};
use crate::units::Scalar;

/// The resource that best and worst fit compare.
const BY: Parameter = Parameter {
    name: "by",
    kind: SettingKind::Word(&["mean", "cpu", "memory", "gpu"]),
    default: Setting::Word("mean"),
    doc: "The resource to compare; `mean` is the mean free fraction over the instance's resources.",
};

fn by(settings: &PartSettings) -> Scalar {
    match settings.word(BY.name) {
        "cpu" => Scalar::Cpu,
        "memory" => Scalar::Memory,
        "gpu" => Scalar::Gpu,
        _ => Scalar::Mean,
    }
}

/// The oldest that fits.
pub static FIRST_FIT: PlacePart = Part {
    name: "first-fit",
    doc: "The oldest that fits.",
    parameters: &[],
    make: |_| Box::new(Fit::first()),
};

/// The one with the least left.
pub static BEST_FIT: PlacePart = Part {
    name: "best-fit",
    doc: "The one with the least left.",
    parameters: &[BY],
    make: |settings| Box::new(Fit::best(by(settings))),
};

/// The one with the most left.
pub static WORST_FIT: PlacePart = Part {
    name: "worst-fit",
    doc: "The one with the most left.",
    parameters: &[BY],
    make: |settings| Box::new(Fit::worst(by(settings))),
};

/// The smallest allocated share, the mean over its resources.
pub static LEAST_LOADED: PlacePart = Part {
    name: "least-loaded",
    doc: "The smallest allocated share, the mean over its resources.",
    parameters: &[],
    make: |_| Box::new(Fit::worst(Scalar::Mean)),
};

/// The first that fits, by age, by least or by most that is left. It reads the order of the state's
/// index, so a policy of your own that picks by it returns its [`Place::needs`] as its
/// [`Policy::needs`](crate::policy::Policy::needs); where the index has another order, the run stops
/// and says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fit {
    index: IndexBy,
    /// Puts as many tasks as fit on an instance before it looks further.
    fills: bool,
}

impl Fit {
    /// The oldest instance that fits.
    pub const fn first() -> Self {
        Self { index: IndexBy::Age, fills: true }
    }

    /// The first instance that fits in the order that the index has.
    pub const fn indexed(index: IndexBy) -> Self {
        Self { index, fills: true }
    }

    /// The instance with the least left of `by`.
    pub const fn best(by: Scalar) -> Self {
        Self { index: IndexBy::Least(by), fills: true }
    }

    /// The instance with the most left of `by`, asked anew for every task.
    pub const fn worst(by: Scalar) -> Self {
        Self { index: IndexBy::Most(by), fills: false }
    }
}

impl Place for Fit {
    fn needs(&self) -> Needs {
        Needs { index: self.index, ..Needs::default() }
    }

    fn pick(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef, reach: &OfferSet) -> Option<Share> {
        if !turn.is_indexed(self.index) {
            return None;
        }
        let instance = match self.index {
            IndexBy::Least(Scalar::Mean) if turn.live_offers().len() > 1 => {
                by_mean(turn, work, reach, |left| left)
            }
            IndexBy::Most(Scalar::Mean) if turn.live_offers().len() > 1 => {
                by_mean(turn, work, reach, |left| u32::MAX - left)
            }
            IndexBy::Age | IndexBy::Least(_) | IndexBy::Most(_) => {
                turn.first_fit_in(work, 0, reach).map(|(instance, _)| instance)
            }
        }?;
        share_on(turn, work, instance, self.fills)
    }
}

/// The instance with the least of `rank` of what one task leaves of it. Among
/// instances of one offer, that is the first in the index: the task takes the same
/// part of each.
fn by_mean(
    turn: &Turn<'_, '_>,
    work: WorkRef,
    reach: &OfferSet,
    rank: impl Fn(u32) -> u32,
) -> Option<InstanceRef> {
    let demand = turn.work(work).ask.demand;
    let offers = turn.live_offers().iter().filter(|&&offer| reach.has(offer));
    let first = offers.filter_map(|&offer| turn.first_fit_of(work, offer));
    first.min_by_key(|&instance| {
        let target = turn.instance(instance);
        (rank(target.mean_left(demand)), target.ordinal)
    })
}

/// Waiting tasks of `work` that fit on `instance`, on its tightest devices: one, unless it `fills`
/// or the instance is to be theirs alone.
#[inline(always)]
pub(in crate::policy) fn share_on(
    turn: &Turn<'_, '_>,
    work: WorkRef,
    instance: InstanceRef,
    fills: bool,
) -> Option<Share> {
    let live = turn.work(work);
    let target = turn.instance(instance);
    let demand = live.ask.demand;
    // Tasks with fractional shares go one by one: two may share a device.
    let spread = turn.rules(live.ask.rules).spread != Spread::None;
    let singly = !demand.exclusive && (!fills || !demand.whole_gpus());
    let tasks = match live.waiting {
        1 => 1,
        waiting if !spread && !singly => waiting.min(target.room(demand)),
        _ => 1,
    };
    let devices = target.tightest_devices(demand, tasks)?;
    Some(Share { instance, tasks, devices })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Ask;
    use crate::policy::place::place_all;
    use crate::state::testing::{demand, fill, owned, shape, start, submit};
    use crate::state::{IndexBy, State};
    use crate::units::{Demand, Shape, Stream};

    /// The ordinal of the instance chosen for one task of `demand`, where
    /// `used` is taken of instances of `shapes` first.
    fn chosen(
        part: &mut dyn Place,
        shapes: &[Shape],
        used: &[(u32, Demand)],
        demand: Demand,
    ) -> Option<(u32, u32)> {
        let world = owned(shapes);
        let mut state = start(&world, part.needs());
        for &(ordinal, demand) in used {
            fill(&mut state, ordinal, demand);
        }
        let work = submit(&mut state, 0, Ask { demand, ..Ask::default() });
        let mut stream = Stream::new(1, "policy");
        let turn = &mut Turn::new(&mut state, &mut stream);
        let share = part.pick(turn, work, &OfferSet::ALL)?;
        Some((state.instance(share.instance).ordinal, share.devices))
    }

    #[test]
    fn each_fit_has_its_favourite() {
        // Left: 3 cores and 1 GiB, 2 cores and 4 GiB, 4 cores and 2 GiB.
        let shapes = [shape(4_000, 4_096, 0); 3];
        let used = [(0, demand(1_000, 3_072, 0, 0)), (1, demand(2_000, 0, 0, 0))];
        let used = [used[0], used[1], (2, demand(0, 2_048, 0, 0))];
        let cases: [(Fit, Demand, Option<u32>); 8] = [
            (Fit::first(), demand(1_000, 512, 0, 0), Some(0)),
            (Fit::first(), demand(1_000, 2_048, 0, 0), Some(1)),
            (Fit::best(Scalar::Cpu), demand(1_000, 512, 0, 0), Some(1)),
            (Fit::best(Scalar::Cpu), demand(2_500, 512, 0, 0), Some(0)),
            (Fit::best(Scalar::Memory), demand(1_000, 512, 0, 0), Some(0)),
            (Fit::worst(Scalar::Cpu), demand(1_000, 512, 0, 0), Some(2)),
            (Fit::worst(Scalar::Memory), demand(1_000, 512, 0, 0), Some(1)),
            (Fit::worst(Scalar::Memory), demand(5_000, 0, 0, 0), None),
        ];
        for (mut part, demand, want) in cases {
            let got = chosen(&mut part, &shapes, &used, demand).map(|(ordinal, _)| ordinal);
            assert_eq!(got, want, "{part:?} for {demand:?}");
        }
    }

    #[test]
    fn a_share_goes_to_the_tightest_device() {
        // Device 0 has 300 left, device 1 has 500, device 2 is whole.
        let used = [(0, demand(0, 0, 1, 700)), (0, demand(0, 0, 1, 500))];
        let shapes = [shape(1_000, 0, 3)];
        for (share, device) in [(300, 0b001), (400, 0b010), (600, 0b100)] {
            let ask = demand(0, 0, 1, share);
            assert_eq!(chosen(&mut Fit::first(), &shapes, &used, ask), Some((0, device)));
        }
    }

    /// Johnson's bad sequence: capacity 420; 6 of 61, then 6 of 141, then 6 of
    /// 211. All 61s share bin 0 (366); 141s go in pairs, three bins; 211s go
    /// alone, six bins: 10 bins where 6 would do (61 + 141 + 211 = 413).
    #[test]
    fn first_and_best_fit_need_ten_bins() {
        for mut part in [Fit::first(), Fit::best(Scalar::Cpu)] {
            let world = owned(&[shape(420, 0, 0); 18]);
            let mut state: State<'_> = start(&world, part.needs());
            let mut stream = Stream::new(1, "policy");
            for (row, cpu) in [61, 141, 211].into_iter().enumerate() {
                for item in 0..6 {
                    let ask = Ask { demand: demand(cpu, 0, 0, 0), ..Ask::default() };
                    let work = submit(&mut state, row as u64 * 6 + item, ask);
                    assert!(place_all(&mut part, &mut Turn::new(&mut state, &mut stream), work));
                }
            }
            let used = state.instances().filter(|(_, bin)| bin.allocations > 0).count();
            assert_eq!(used, 10, "{part:?}");
        }
    }

    /// Unlike machines are compared by what the task leaves of them, not by what
    /// is free before.
    #[test]
    fn the_mean_is_that_after_the_task() {
        let (large, small) = (shape(64_000, 0, 0), shape(4_000, 0, 0));
        let best = || Fit::best(Scalar::Mean);
        let ask = demand(4_000, 0, 0, 0);
        // Empty: 60 of 64 cores left before 0 of 4.
        assert_eq!(chosen(&mut best(), &[large, small], &[], ask), Some((1, 0)));
        let worst = || Fit::worst(Scalar::Mean);
        assert_eq!(chosen(&mut worst(), &[small, large], &[], ask), Some((1, 0)));
        // The small one is empty, of the large one 60 % is free: 1 core leaves 75 %
        // and 58.4 %; 3 cores leave 25 % and 55.3 %.
        let used = [(1, demand(25_600, 0, 0, 0))];
        for (cpu, want) in [(1_000, 0), (3_000, 1)] {
            let got = chosen(&mut worst(), &[small, large], &used, demand(cpu, 0, 0, 0));
            assert_eq!(got, Some((want, 0)), "{cpu}");
        }
    }

    #[test]
    fn ties_go_to_the_lower_id() {
        let shapes = [shape(1_000, 0, 0); 4];
        for mut part in [Fit::best(Scalar::Cpu), Fit::worst(Scalar::Mean)] {
            let got = chosen(&mut part, &shapes, &[], demand(500, 0, 0, 0));
            assert_eq!(got, Some((0, 0)), "{part:?}");
        }
        assert_eq!(Fit::first().needs().index, IndexBy::Age);
    }
}
