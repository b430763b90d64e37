//! Use of an instance: its time, at the prices of its moments, and the shares of it that tasks
//! hold. Exact integers; nothing is rounded here.

use super::split::CostMark;
use crate::units::{Rate, Time};

/// Time of one instance from its request on, each moment at its price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct InstanceUsage {
    since: Time,
    /// Time until which it is added up.
    last: Time,
    rate: Rate,
    /// Pico-dollar microseconds per hour until `last`.
    accrued: i128,
    /// Accrued when the instance became ready; `None` while it boots.
    boot: Option<i128>,
}

/// Use of a share of one instance, from the moment on at which it was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShareUsage {
    /// Dominant share of the instance, in millionths.
    pub millionths: u32,
    /// Mark of the instance's meter at that moment.
    pub(super) mark: CostMark,
}

impl ShareUsage {
    /// A share that is not in use yet.
    pub const fn unused(millionths: u32) -> Self {
        Self { millionths, mark: CostMark::new(0) }
    }
}

impl InstanceUsage {
    pub(super) const fn start(now: Time, rate: Rate) -> Self {
        Self { since: now, last: now, rate, accrued: 0, boot: Some(0) }
    }

    pub(super) const fn since(&self) -> Time {
        self.since
    }

    pub(super) const fn last(&self) -> Time {
        self.last
    }

    pub(super) const fn rate(&self) -> Rate {
        self.rate
    }

    /// Adds up until `now`; returns what is new.
    #[inline]
    pub(super) fn advance(&mut self, now: Time) -> i128 {
        let new = self.accrued_since_last(now);
        self.last = now;
        self.accrued += new;
        new
    }

    /// Accrued from what is added up until `at`, which is no earlier.
    pub(super) fn accrued_since_last(&self, at: Time) -> i128 {
        self.rate.accrue(at - self.last)
    }

    /// Accrued until `at`.
    pub(super) fn accrued_at(&self, at: Time) -> i128 {
        self.accrued + self.accrued_since_last(at)
    }

    /// Accrued until `at` while it was booting.
    pub(super) fn boot_at(&self, at: Time) -> i128 {
        self.boot.unwrap_or_else(|| self.accrued_at(at))
    }

    /// The instance is ready: all that is added up so far was boot.
    pub(super) fn ready(&mut self) {
        self.boot = Some(self.accrued);
    }

    /// The instance is not ready yet.
    pub(super) fn boots(&mut self) {
        self.boot = None;
    }

    /// The price is another one from now on; what came before is added up.
    pub(super) fn reprice(&mut self, rate: Rate) {
        self.rate = rate;
    }
}
