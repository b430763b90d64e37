//! What a unit of an offering costs, and when it is worth it.

use crate::units::Money;

/// Costs of one unit of an offering, beside those of the use that it takes the place of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitCosts {
    /// All that is paid for it in its term, used or not: upfront and by the hour.
    pub committed: Money,
    /// Paid beside that for each hour in which it is used. Nothing for all that is sold today.
    pub used: Money,
    /// Paid for an hour of the same use where nothing covers it.
    pub on_demand: Money,
    /// Clock hours of its term.
    pub hours: u64,
}

impl UnitCosts {
    /// Saved in each hour in which it is used, before what is committed. In nano-dollars.
    const fn saved(self) -> i128 {
        self.on_demand.nanos() - self.used.nanos()
    }

    /// The most of `hours` in which a unit can be used and is still not worth more than what is
    /// committed for so many, where its utilisation must be so many percent of the hours above
    /// break-even: `floor((c + percent / 100) * hours)` with the break-even utilisation
    /// `c = committed / (term * (on_demand - used))`. It is worth it where it is used in more.
    pub(super) fn most_idle_use(self, hours: u64, percent: u64) -> u64 {
        let whole = self.saved().saturating_mul(self.hours.into());
        if whole <= 0 {
            return u64::MAX;
        }
        let margin = whole.saturating_mul(percent.into());
        let needed = self.committed.nanos().max(0).saturating_mul(100).saturating_add(margin);
        let most = needed.saturating_mul(hours.into()) / whole.saturating_mul(100);
        u64::try_from(most).unwrap_or(u64::MAX)
    }

    /// Hours of use that save what is committed.
    pub(super) fn break_even_hours(self) -> f64 {
        self.committed.nanos() as f64 / self.saved() as f64
    }

    /// Price of an hour in which it is used over that of the same use on demand: from 0 to 1.
    pub(super) fn alpha(self) -> f64 {
        match self.on_demand.nanos() {
            0 => 1.0,
            on_demand => (self.used.nanos() as f64 / on_demand as f64).clamp(0.0, 1.0),
        }
    }
}
