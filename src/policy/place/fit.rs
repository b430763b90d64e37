//! First, best and worst fit: the first instance that fits in an index order.

use super::Place;
use crate::model::Spread;
use crate::policy::turn::Turn;
use crate::state::{IndexBy, Needs, Share, WorkRef};
use crate::units::Scalar;

/// The first that fits, by age, by least or by most that is left.
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
        Needs { index: self.index, ends: false }
    }

    fn pick(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef) -> Option<Share> {
        let (instance, _) = turn.first_fit(work, 0)?;
        share_on(turn, work, instance, self.fills)
    }
}

/// As many waiting tasks of `work` as fit on `instance` (one, unless `fills`),
/// on its tightest devices.
pub(super) fn share_on(
    turn: &Turn<'_, '_>,
    work: WorkRef,
    instance: crate::state::InstanceRef,
    fills: bool,
) -> Option<Share> {
    let live = turn.work(work);
    let target = turn.instance(instance);
    let demand = live.ask.demand;
    // Tasks with fractional shares go one by one: two may share a device.
    let alone = turn.rules(live.ask.rules).spread != Spread::None || !demand.whole_gpus();
    let tasks = match live.waiting {
        1 => 1,
        waiting if fills && !alone => waiting.min(target.room(demand)),
        _ => 1,
    };
    let devices = target.tightest_devices(demand, tasks)?;
    Some(Share { instance, tasks, devices })
}
