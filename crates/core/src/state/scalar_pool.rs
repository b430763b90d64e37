//! Scalar pools: where all live work asks the same per task and may run on every
//! live instance, room is one number.
//!
//! Offers that nobody has rented do not count: a provider that is not used
//! changes nothing.

use crate::model::Rules;
use crate::units::{Demand, Id};

/// Whether all live work is alike, and how many more tasks fit if so.
#[derive(Clone, Debug, Default)]
pub(super) struct ScalarPool {
    /// The demand of all live work; `None` when nothing is alive.
    demand: Option<Demand>,
    /// Live pieces of work.
    live: u64,
    /// Some live work differs, or did since the last time nothing was alive.
    mixed: bool,
    /// Some work since the last time nothing was alive is a gang that stays together.
    stays: bool,
    /// Tasks that fit, counted instance by instance.
    room: u64,
    /// The rules of all work since nothing was alive.
    rules: Vec<Id<Rules>>,
    /// Whether each row of rules is among those.
    listed: Vec<bool>,
    /// Offers with live instances that some of those rules forbid.
    barred: u32,
}

impl ScalarPool {
    /// Work under `rules` is about to arrive. Returns whether barred offers must be
    /// counted anew.
    #[inline(always)]
    pub(super) fn joins(&mut self, rules: Id<Rules>) -> bool {
        let known = self.live > 0 && self.listed.get(rules.row()) == Some(&true);
        !known && self.lists(rules)
    }

    /// Lists `rules`, and no others where nothing is alive. Returns whether the list is another now.
    fn lists(&mut self, rules: Id<Rules>) -> bool {
        if self.rules == [rules] {
            return false;
        }
        if self.live == 0 {
            for gone in self.rules.drain(..) {
                self.listed[gone.row()] = false;
            }
        }
        if self.listed.len() <= rules.row() {
            self.listed.resize(rules.row() + 1, false);
        }
        self.listed[rules.row()] = true;
        self.rules.push(rules);
        true
    }

    /// The rules of all work since nothing was alive.
    pub(super) fn rules(&self) -> &[Id<Rules>] {
        &self.rules
    }

    /// Sets the number of barred offers after it was counted.
    pub(super) fn bar(&mut self, offers: u32) {
        self.barred = offers;
    }

    /// A barred offer has live instances from now on, or none any more.
    pub(super) fn change_barred(&mut self, live: bool) {
        self.barred = self.barred.wrapping_add_signed(if live { 1 } else { -1 });
    }

    /// Work arrives. Returns the demand for which room must be counted anew.
    pub(super) fn arrives(&mut self, demand: Demand, plain: bool, stays: bool) -> Option<Demand> {
        self.live += 1;
        self.stays |= stays;
        if self.live == 1 {
            (self.mixed, self.stays) = (!plain, stays);
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

    /// Whether some work is a gang that stays together, or was since the last time
    /// nothing was alive.
    pub(super) fn stays(&self) -> bool {
        self.stays
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

    /// Number of tasks that still fit; `None` where nothing is alive, where work differs, or
    /// where the rules of some of it forbid a live offer.
    pub(super) fn room(&self) -> Option<u64> {
        (!self.mixed && self.demand.is_some() && self.barred == 0).then_some(self.room)
    }
}
