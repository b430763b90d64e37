//! What was billed, on either side of a backtest: amounts by provider, group of lines and period.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::billing::commitment::{hour_of, start_of};
use crate::billing::feed::hour_after;
use crate::billing::table::{BillGroup, ColumnWords, UsageTable};
use crate::billing::usage::Service;
use crate::experiment::bill::worth;
use crate::experiment::settlement::SettledRun;
use crate::model::World;
use crate::problem::Problem;
use crate::scenario::BillFile;
use crate::sim::Observer;
use crate::state::{ChargeKind, Record, State};
use crate::units::{Calendar, Money, Time};

/// Lines of one provider and group that are for one period.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BilledPart {
    /// The provider, as the scenario calls it.
    pub(super) provider: String,
    pub(super) group: BillGroup,
    /// Beginning since 1970, and end: later, for what happens at a moment has its clock hour.
    pub(super) period: (Time, Time),
}

/// Amount and number of lines, by what they are for.
pub(super) type BilledParts = BTreeMap<BilledPart, (Money, u64)>;

/// One side: what was billed, and the clock hours since 1970 of which all is known.
#[derive(Clone, Debug)]
pub(super) struct BilledSide {
    pub(super) parts: BilledParts,
    pub(super) hours: Range<i64>,
}

/// Adds a line. What happens at a moment is for its clock hour.
fn add(
    parts: &mut BilledParts,
    (provider, group): (&str, BillGroup),
    (from, until): (Time, Time),
    billed: Money,
) {
    let until = if from < until { until } else { start_of(hour_of(from) + 1) };
    let part = BilledPart { provider: provider.to_owned(), group, period: (from, until) };
    let sum = parts.entry(part).or_default();
    *sum = (sum.0 + billed, sum.1 + 1);
}

/// By provider, the clock hours of its lines, over which those of months are spread.
pub(super) fn hours_by_provider(parts: &BilledParts) -> BTreeMap<String, Range<i64>> {
    let mut found: BTreeMap<String, BilledParts> = BTreeMap::new();
    for (part, sum) in parts {
        found.entry(part.provider.clone()).or_default().insert(part.clone(), *sum);
    }
    found.into_iter().filter_map(|(provider, parts)| Some((provider, hours(&parts)?))).collect()
}

/// The clock hours from the first line to the last; `None` without any. A month's credit comes in the middle of
/// what is known of that month, and a tax says nothing of use.
fn hours(parts: &BilledParts) -> Option<Range<i64>> {
    let periods = parts.keys().filter_map(|part| match part.group {
        BillGroup::Use(_) | BillGroup::Unused | BillGroup::Purchase => Some(part.period),
        BillGroup::Credit | BillGroup::Other(_) => None,
    });
    periods.fold(None, |all: Option<Range<i64>>, (from, until)| {
        let one = hour_of(from)..hour_after(until);
        Some(all.map_or(one.clone(), |all| all.start.min(one.start)..all.end.max(one.end)))
    })
}

/// A bill that was read, and the words in which it names things.
#[derive(Clone, Debug)]
pub(super) struct ReadBill {
    pub(super) side: BilledSide,
    pub(super) words: ColumnWords,
}

impl ReadBill {
    /// Reads the bill. A provider of that world has the name that it has there.
    ///
    /// # Errors
    /// The file cannot be read, says no amounts, has no lines of use or purchases, or none of a provider
    /// of the world.
    pub(super) fn of(file: &BillFile, world: &World) -> Result<Self, Problem> {
        let shown = file.path.display().to_string();
        let mut table = UsageTable::open(&file.path, &shown)?;
        let refuse =
            |message: &str, hint: &str| Err(Problem::with(&shown, message.to_owned()).hint(hint));
        if !table.tells_costs() {
            let hint = "it is in the column `billed`, `BilledCost` of FOCUS, or \
                        `lineItem/UnblendedCost` of AWS's report";
            return refuse("the table does not say what was billed", hint);
        }
        let known: Vec<&str> = world.providers.rows().iter().map(|one| one.name.as_str()).collect();
        let mut parts = BilledParts::new();
        while let Some(row) = table.next_billed()? {
            let hour = Some(hour_of(row.from));
            let worth = worth(&file.currencies, &row.currency, hour, (&shown, row.line))?;
            let name = known.iter().find(|name| name.eq_ignore_ascii_case(&row.provider));
            let provider = name.map_or(row.provider.as_str(), |name| *name);
            let amount = worth.amount(row.billed);
            add(&mut parts, (provider, row.group), (row.from, row.until), amount);
        }
        let Some(found) = hours(&parts) else {
            let hint = "export the time that the workload covers, with what was used in it";
            return refuse("the bill has no line of what was used or bought", hint);
        };
        if !parts.keys().any(|part| known.contains(&part.provider.as_str())) {
            let message = "the bill has no line of a provider or cluster of the scenario";
            return refuse(message, &format!("those are `{}`", known.join("`, `")));
        }
        // An hour of which a part is whole is not known.
        let hours =
            file.from.map_or(found.start, hour_after)..file.until.map_or(found.end, hour_of);
        if hours.is_empty() {
            let message = "no clock hour of the bill lies between `bill_from` and `bill_until`";
            return refuse(message, "they say which part of it is whole: leave them out for all");
        }
        Ok(Self { side: BilledSide { parts, hours }, words: table.words() })
    }
}

impl BilledSide {
    /// The side of a run of these hours. A provider's minimum may be charged for time beyond its end.
    fn covering(parts: BilledParts, run: Range<i64>) -> Self {
        let lines = hours(&parts).unwrap_or(run.clone());
        Self { parts, hours: run.start.min(lines.start)..run.end.max(lines.end) }
    }

    /// What a run was billed on the terms of its scenario, in the groups of that table.
    pub(super) fn of_settled(settled: &SettledRun, words: ColumnWords) -> Self {
        let biller = &settled.biller;
        let mut parts = BilledParts::new();
        for charge in &settled.charges {
            let (product, commitment) = charge.purpose.names();
            let held = || commitment.map(|held| &biller.terms().commitments[held].provider);
            let provider = product.map(|product| &biller.products()[product].provider);
            let provider = provider.or_else(held).map_or("", String::as_str);
            let group = BillGroup::of_charge(charge.purpose, biller, words);
            add(&mut parts, (provider, group), (charge.from, charge.until), charge.billed);
        }
        Self::covering(parts, settled.hours.clone())
    }
}

/// Adds up what a run costs at list prices, in the groups of a table. It watches behind
/// [`ChargePeriods`](crate::metrics::ChargePeriods), which cut charges at clock hours.
#[derive(Debug)]
pub(super) struct ListBill {
    words: ColumnWords,
    calendar: Calendar,
    parts: BilledParts,
    end: Time,
}

impl ListBill {
    pub(super) fn new(words: ColumnWords) -> Self {
        let calendar = Calendar::from_unix_micros(0);
        Self { words, calendar, parts: BilledParts::new(), end: Time::ZERO }
    }

    /// The side of a run that is over.
    pub(super) fn side(self) -> BilledSide {
        let [start, end] = [Time::ZERO, self.end].map(|at| unix(self.calendar, at));
        BilledSide::covering(self.parts, hour_of(start)..hour_after(end))
    }
}

fn unix(calendar: Calendar, at: Time) -> Time {
    Time::from_micros(calendar.unix_micros(at))
}

impl Observer for ListBill {
    fn begins(&mut self, state: &State<'_>) {
        self.calendar = state.world().calendar;
    }

    fn record(&mut self, state: &State<'_>, record: &Record) {
        let Record::Charged(charge) = record else { return };
        let world = state.world();
        let provider = &world.providers[world.regions[charge.region].provider].name;
        let service = match charge.kind {
            ChargeKind::Work | ChargeKind::Boot | ChargeKind::Idle => Service::Compute,
            ChargeKind::Transfer => Service::Transfer,
        };
        let group = BillGroup::of_service(service, self.words);
        let period = (unix(self.calendar, charge.from), unix(self.calendar, charge.until));
        add(&mut self.parts, (provider, group), period, charge.amount);
    }

    fn ends(&mut self, state: &State<'_>) {
        self.end = state.now();
    }
}
