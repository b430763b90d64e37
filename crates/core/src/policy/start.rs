//! The one way in which waiting work starts at a decision, whoever lets it start: on what is
//! there where that costs no more than renting, else on what is rented, else where it costs more.

use super::place::{CostLimit, LimitedPlace, Place};
use super::provision::{Provision, Provisioned};
use super::turn::Turn;
use crate::state::{WaitReason, WorkRef};

/// The parts that start work.
#[derive(Debug)]
pub(super) struct WorkStarter<'p> {
    /// The place part, which says where tasks go.
    pub(super) place: &'p mut dyn Place,
    /// The provision part, which says what renting would cost, and rents.
    pub(super) provision: &'p mut dyn Provision,
}

/// Case in which instances are rented for work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rent {
    /// Wherever the work does not start on what is there.
    Wherever,
    /// Only where the work would start on what is there, but that costs more.
    Instead,
    /// In no case.
    Never,
}

impl WorkStarter<'_> {
    /// Starts waiting tasks of `work` as `how` does with the place part that it is given, and
    /// returns that they started. Places that cost more than renting are left out first, and taken
    /// after all where nothing can be rented.
    ///
    /// # Errors
    ///
    /// Tasks wait on, for this reason.
    #[inline(always)]
    pub(super) fn start(
        &mut self,
        turn: &mut Turn<'_, '_>,
        work: WorkRef,
        rent: Rent,
        mut how: impl FnMut(&mut dyn Place, &mut Turn<'_, '_>) -> bool,
    ) -> Result<(), Provisioned> {
        let mut too_dear = false;
        if self.place.weighs(turn, work) {
            let limit = CostLimit::new(&mut *self.provision, turn.work(work).waiting);
            let mut part = LimitedPlace { part: &mut *self.place, limit };
            if how(&mut part, turn) {
                return Ok(());
            }
            too_dear = part.limit.has_refused();
        } else if how(&mut *self.place, turn) {
            return Ok(());
        }
        let rents = match rent {
            Rent::Wherever => true,
            Rent::Instead => too_dear,
            Rent::Never => false,
        };
        if !rents {
            return Err(Provisioned::None(WaitReason::NoRoom));
        }
        match self.provision.supply(turn, work) {
            Provisioned::Rented => Ok(()),
            _ if too_dear && how(&mut *self.place, turn) => Ok(()),
            rest @ (Provisioned::Later(_) | Provisioned::None(_)) => Err(rest),
        }
    }
}
