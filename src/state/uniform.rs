//! Scalar pools: where all live work asks the same per task and may run
//! anywhere, room is one number.

use crate::units::Demand;

/// Whether all live work is alike, and how many more tasks fit if so.
#[derive(Clone, Debug, Default)]
pub(super) struct Uniform {
    /// The demand of all live work; none when nothing is alive.
    demand: Option<Demand>,
    /// Live pieces of work.
    live: u64,
    /// Some live work differs, or did since the last time nothing was alive.
    mixed: bool,
    /// Tasks that fit, counted instance by instance.
    room: u64,
}

impl Uniform {
    /// Work arrives. Returns the demand for which room must be counted anew.
    pub(super) fn arrives(&mut self, demand: Demand, plain: bool) -> Option<Demand> {
        self.live += 1;
        if self.live == 1 {
            self.mixed = !plain;
            if plain && self.demand != Some(demand) {
                self.demand = Some(demand);
                return Some(demand);
            }
        } else if !plain || self.demand != Some(demand) {
            self.mixed = true;
            self.demand = None;
        }
        None
    }

    /// Work ends.
    pub(super) fn ends(&mut self) {
        self.live -= 1;
    }

    /// Sets the room after it was counted.
    pub(super) fn count(&mut self, room: u64) {
        self.room = room;
    }

    /// The demand that room is counted in.
    pub(super) fn demand(&self) -> Option<Demand> {
        self.demand
    }

    /// `tasks` more or fewer fit.
    pub(super) fn change(&mut self, tasks: i64) {
        if self.demand.is_some() {
            self.room = self.room.wrapping_add_signed(tasks);
        }
    }

    /// How many more tasks fit; `None` where work differs.
    pub(super) fn room(&self) -> Option<u64> {
        (!self.mixed && self.demand.is_some()).then_some(self.room)
    }
}
