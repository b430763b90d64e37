//! Work that is left waiting when nothing more happens by itself.

use super::{Observer, Simulation};
use crate::policy::place::{self, Fit};
use crate::policy::{Trigger, Turn};
use crate::state::{Phase, WorkRef};

impl<O: Observer> Simulation<'_, '_, O> {
    /// Counts the waiting work that would fit on free resources, when nothing runs to an end, boots
    /// or arrives any more, and no timer or price is to come. A built-in policy is asked once more:
    /// all that it places now it should have placed before.
    #[cold]
    pub(super) fn stall(&mut self) {
        let pending = self.state.all_pending();
        for work in pending {
            let fits = self.fits(work);
            self.stranded += u64::from(fits);
            match (self.lacks_devices(work), fits) {
                (true, _) => self.lacking += 1,
                (false, false) => self.lacking_machines += u64::from(self.lacks_machines(work)),
                (false, true) => {}
            }
        }
        if self.stranded > 0 && self.policy.is_built_in() {
            let attempt = self.state.begin();
            let mut turn = Turn::new(&mut self.state, &mut self.stream);
            self.policy.decide(&[Trigger::Acted], &mut turn);
            let placed = self.state.new_allocations().next();
            let neglected = placed.map(|allocation| self.state.allocation(allocation).work());
            self.state.roll_back(attempt);
            if let Some(work) = neglected {
                self.observer.neglected(&self.state, work);
            }
        }
    }

    /// Whether instances that could hold tasks of `work` have GPUs that are broken and that its tasks have
    /// no room beside.
    fn lacks_devices(&self, work: WorkRef) -> bool {
        let demand = self.state.work(work).ask.demand;
        let could_hold = |offer| self.state.could_hold(work, offer);
        let mut broken = self.state.instances().filter(|(_, one)| one.broken() != 0);
        demand.gpus > 0 && broken.any(|(_, one)| one.room(demand) == 0 && could_hold(one.offer))
    }

    /// Whether machines that could hold tasks of `work`, and that the policy uses, are down.
    fn lacks_machines(&self, work: WorkRef) -> bool {
        let mut down = self.state.instances().filter(|(_, one)| one.phase == Phase::Down);
        down.any(|(_, one)| self.state.could_use(work, one.offer))
    }

    /// Whether tasks of `work`, all of a gang, fit on instances that the policy uses.
    fn fits(&mut self, work: WorkRef) -> bool {
        let turn = &mut Turn::new(&mut self.state, &mut self.stream);
        let mut fits = false;
        turn.attempt(|turn| {
            let waiting = turn.work(work).waiting;
            let first = &mut Fit::indexed(turn.needs().index);
            place::place_all(first, turn, work);
            fits = turn.work(work).waiting < waiting
                && turn.new_allocations().all(|new| {
                    let held = &turn.allocation(new).held;
                    held.iter()
                        .all(|one| turn.could_use(work, turn.instance(one.share.instance).offer))
                });
            None::<()>
        });
        fits
    }
}
