//! The bill of a run, held against the one that was observed, over the clock hours of which both are known.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde::Serialize;

use super::billed::{BilledPart, BilledSide, hours_by_provider};
use crate::billing::commitment::start_of;
use crate::billing::table::BillGroup;
use crate::units::{Money, Time};

/// The lines of one provider and group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldLine {
    /// The provider, as the scenario calls it.
    pub provider: String,
    /// Name of the group.
    pub group: String,
    /// What was billed; `None` where the bill has no such line.
    pub observed: Option<Money>,
    /// What the run was billed; `None` where it has no such line.
    pub simulated: Option<Money>,
}

/// Reason why lines are not compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum UncomparedWhy {
    /// They lie beyond the hours of which both sides are known.
    Outside,
    /// They are of a provider that the other side does not know.
    Provider,
    /// Nobody bills such a thing here: a tax, a service that is not modelled.
    NotModelled,
}

/// Lines that are not compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uncompared {
    /// Reason.
    pub why: UncomparedWhy,
    /// Provider, and the word of what is not modelled.
    pub what: String,
    /// What was billed.
    pub observed: Money,
    /// What the run was billed.
    pub simulated: Money,
}

/// A bill that was observed, beside that of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldBill {
    /// Beginning and end, since 1970, of what is compared.
    pub stretch: (Time, Time),
    /// The same of which the bill is known.
    pub bill: (Time, Time),
    /// The same of which the run is.
    pub run: (Time, Time),
    /// What is compared, by provider and group.
    pub lines: Vec<HeldLine>,
    /// What is not.
    pub left_out: Vec<Uncompared>,
    /// Lines of both sides that reach over an edge of the stretch: a part of them counts.
    pub divided: u64,
}

/// The two sides of one row: observed and simulated.
type BothSides<T> = [T; 2];

/// Rows in the making.
#[derive(Default)]
struct HeldSums {
    lines: BTreeMap<(String, BillGroup), BothSides<Option<Money>>>,
    left_out: BTreeMap<(UncomparedWhy, String), BothSides<Money>>,
    divided: u64,
}

impl HeldBill {
    /// Holds the two against each other; `known` are the providers of the scenario. `None` where no hour is of both.
    pub(super) fn of(
        observed: &BilledSide,
        simulated: &BilledSide,
        known: &[&str],
    ) -> Option<Self> {
        let (theirs, ours) = (&observed.hours, &simulated.hours);
        let common = theirs.start.max(ours.start)..theirs.end.min(ours.end);
        if common.is_empty() {
            return None;
        }
        let providers = |side: &BilledSide| -> BTreeSet<String> {
            side.parts.keys().map(|part| part.provider.clone()).collect()
        };
        let mut known: BTreeSet<String> = known.iter().map(|&name| name.to_owned()).collect();
        known.extend(providers(simulated));
        let others = [known, providers(observed)];
        let mut sums = HeldSums::default();
        for (at, side) in [observed, simulated].into_iter().enumerate() {
            let used = hours_by_provider(&side.parts);
            for (part, sum) in &side.parts {
                let is_known = others[at].contains(&part.provider);
                let own = used.get(&part.provider).unwrap_or(&side.hours);
                sums.add((at, is_known), (part, *sum), (own, &common));
            }
        }
        let instants = |hours: &Range<i64>| (start_of(hours.start), start_of(hours.end));
        let (lines, left_out, divided) = sums.finish();
        let [stretch, bill, run] = [&common, theirs, ours].map(instants);
        Some(Self { stretch, bill, run, lines, left_out, divided })
    }

    /// Sums of all that is compared, observed and simulated: of one provider, or of all.
    pub fn total(&self, provider: Option<&str>) -> [Money; 2] {
        let lines = self.lines.iter();
        let lines = lines.filter(|line| provider.is_none_or(|name| line.provider == name));
        let sum = |side: fn(&HeldLine) -> Option<Money>| lines.clone().filter_map(side).sum();
        [sum(|line| line.observed), sum(|line| line.simulated)]
    }

    /// The providers of what is compared.
    pub fn providers(&self) -> BTreeSet<&str> {
        self.lines.iter().map(|line| line.provider.as_str()).collect()
    }
}

impl HeldSums {
    /// Adds what a side, of which the other `is_known` to know the provider, has billed for a part: the hours of its own lines, and those of both.
    fn add(
        &mut self,
        (side, is_known): (usize, bool),
        (part, (billed, lines)): (&BilledPart, (Money, u64)),
        (own, common): (&Range<i64>, &Range<i64>),
    ) {
        let inside = within(billed, part.period, own, common);
        let BilledPart { provider, group, .. } = part;
        let (why, what, left) = if let BillGroup::Other(word) = group {
            (UncomparedWhy::NotModelled, format!("{provider} {word}"), billed)
        } else if !is_known {
            (UncomparedWhy::Provider, provider.clone(), billed)
        } else {
            self.divided += if inside.is_part { lines } else { 0 };
            if inside.is_any {
                let line = self.lines.entry((provider.clone(), group.clone())).or_default();
                *line[side].get_or_insert_default() += inside.amount;
            }
            (UncomparedWhy::Outside, provider.clone(), billed - inside.amount)
        };
        if left != Money::ZERO {
            self.left_out.entry((why, what)).or_default()[side] += left;
        }
    }

    fn finish(self) -> (Vec<HeldLine>, Vec<Uncompared>, u64) {
        let lines = self.lines.into_iter().map(|((provider, group), [observed, simulated])| {
            HeldLine { provider, group: group.name().to_owned(), observed, simulated }
        });
        let left = self.left_out.into_iter();
        let left = left.map(|((why, what), [observed, simulated])| Uncompared {
            why,
            what,
            observed,
            simulated,
        });
        (lines.collect(), left.collect(), self.divided)
    }
}

/// The part of an amount that lies in some hours.
struct InsidePart {
    amount: Money,
    /// Any of its time does.
    is_any: bool,
    /// Some of its time does, and some does not.
    is_part: bool,
}

/// What falls on the common hours of an amount for a period. It lies evenly over the part of its period from
/// the first use of its provider to the last, by its own side: a month's discount is for what was used. Rounded half up.
fn within(
    amount: Money,
    (from, until): (Time, Time),
    own: &Range<i64>,
    common: &Range<i64>,
) -> InsidePart {
    let overlap = |hours: &Range<i64>| {
        let (from, until) = (from.max(start_of(hours.start)), until.min(start_of(hours.end)));
        i128::from((until - from).micros()).max(0)
    };
    let both = own.start.max(common.start)..own.end.min(common.end);
    let (whole, inside) = (overlap(own), overlap(&both));
    if inside == 0 {
        return InsidePart { amount: Money::ZERO, is_any: false, is_part: false };
    }
    // Whole multiples first, so that no amount is too large.
    let (times, rest) = (amount.nanos().div_euclid(whole), amount.nanos().rem_euclid(whole));
    let nanos = times * inside + (2 * rest * inside + whole).div_euclid(2 * whole);
    InsidePart { amount: Money::from_nanos(nanos), is_any: true, is_part: inside < whole }
}

#[cfg(test)]
mod tests;
