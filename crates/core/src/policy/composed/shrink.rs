//! Gangs that lost their place and start again with fewer tasks, where not all can be had.

use super::Composed;
use crate::policy::place;
use crate::policy::provision::Provisioned;
use crate::policy::start::{Rent, WorkStarter};
use crate::policy::turn::Turn;
use crate::state::WorkRef;

impl Composed {
    /// Starts a gang that lost its place with as many tasks as can be had, found by halving, but no fewer
    /// than it goes on with. Returns whether it starts.
    pub(super) fn start_smaller(
        &mut self,
        turn: &mut Turn<'_, '_>,
        work: WorkRef,
        planned: bool,
    ) -> bool {
        // As many as were tried.
        let (fewest, tried) = (turn.fewest_tasks(work), turn.work(work).ask.tasks);
        if fewest == tried || !self.starts_with(turn, (work, fewest), planned, false) {
            return false;
        }
        let (mut most, mut too_many) = (fewest, tried);
        while too_many - most > 1 {
            let tasks = u32::midpoint(most, too_many);
            match self.starts_with(turn, (work, tasks), planned, false) {
                true => most = tasks,
                false => too_many = tasks,
            }
        }
        self.starts_with(turn, (work, most), planned, true)
    }

    /// Whether a gang can start with so many tasks; then it does, if it is to.
    fn starts_with(
        &mut self,
        turn: &mut Turn<'_, '_>,
        (work, tasks): (WorkRef, u32),
        planned: bool,
        is_to: bool,
    ) -> bool {
        let mut can_start = false;
        turn.attempt(|turn| {
            turn.resize(work, tasks).expect("the gang waits, and goes on with so many");
            can_start = self.starts(turn, work, planned);
            (can_start && is_to).then_some(())
        });
        can_start
    }

    /// Places all waiting tasks on what is there, or on what is rented for them.
    fn starts(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef, planned: bool) -> bool {
        let mut starter = WorkStarter { place: &mut *self.place, provision: &mut *self.provision };
        let all = |place: &mut dyn place::Place, turn: &mut Turn<'_, '_>| {
            !planned && place::place_all(place, turn, work)
        };
        matches!(starter.start(turn, work, Rent::Wherever, all), Ok(()) | Err(Provisioned::Rented))
    }
}
