//! `[[currency]]`, and the currency of what is priced in one.

use std::collections::BTreeSet;

use super::{BillingTerms, UNIX};
use crate::billing::commitment::{Benefit, hour_of, start_of};
use crate::billing::currency::{Currency, Exchange};
use crate::problem::clip;
use crate::scenario::section::{ConfigTable, Diagnostics};
use crate::units::{Id, IdVec, Time};

/// What holds always is known from here on: 1900-01-01.
const ALWAYS: Time = Time::from_micros(-2_208_988_800_000_000);

/// Reads what currencies are worth. Rows of one code are one currency.
pub(in crate::scenario) fn read(
    root: &ConfigTable,
    report: &mut Diagnostics<'_>,
) -> IdVec<Currency> {
    let mut currencies: IdVec<Currency> = IdVec::default();
    for row in root.list("currency") {
        row.require("code", report);
        row.require("usd", report);
        let (Some(code), Some(usd)) = (row.text("code"), row.number("usd")) else { continue };
        if code.len() != 3 || !code.bytes().all(|letter| letter.is_ascii_uppercase()) {
            let message = format!("`{}` is no code of a currency", clip(code));
            report.hint(&row.spot("code"), message, "three capitals, such as `EUR`");
        }
        let worth = Exchange::from_picos(libm::round(usd * 1e12) as i64);
        let Some(worth) = worth.filter(|_| usd < 1e6 && code != "USD") else {
            let message = "must be from 0.000000000001 to a million, and not of the dollar itself";
            report.at(&row.spot("usd"), message);
            continue;
        };
        let from = row.moment("from", UNIX).unwrap_or(ALWAYS);
        let known = currencies.find(|known| known.code == code);
        let new = || Currency { code: code.to_owned(), worth: Vec::new() };
        let id = known.unwrap_or_else(|| currencies.push(new()));
        let dates = &mut currencies[id].worth;
        match dates.binary_search_by_key(&from, |(from, _)| *from) {
            Ok(_) => report.at(&row.spot("from"), "two rows say what it was worth from then on"),
            Err(place) => dates.insert(place, (from, worth)),
        }
    }
    currencies
}

/// What is said where plans that are held or for sale are in other currencies than the dollar.
pub(in crate::scenario) fn told(terms: &BillingTerms) -> Option<String> {
    let held = terms.terms.commitments.iter().map(|(_, held)| (held.currency, &held.benefit));
    let sold = terms.offerings.iter().map(|sold| (sold.currency, &sold.benefit));
    let is_plan = |benefit: &Benefit| matches!(benefit, Benefit::Spending { .. });
    let plans = held.filter(|(_, benefit)| is_plan(benefit)).chain(sold);
    let found: BTreeSet<&str> = plans
        .filter_map(|(currency, _)| Some(terms.terms.currencies[currency?].code.as_str()))
        .collect();
    let codes: Vec<&str> = found.into_iter().collect();
    (!codes.is_empty()).then(|| {
        let codes = codes.join(" and ");
        format!(
            "Policies take plans in {codes} for what they are worth in dollars in the hour, as if it stayed so, \
             and weigh what is for sale at what it is worth as the run begins."
        )
    })
}

/// Reports offerings of which it is not said what their currency is worth as a run begins.
pub(super) fn check_offerings(root: &ConfigTable, begins: Time, report: &mut Diagnostics<'_>) {
    let hour = start_of(hour_of(begins));
    for section in root.list("offering") {
        let Some(code) = section.text("currency").filter(|code| *code != "USD") else { continue };
        let rows = root.list("currency").iter().filter(|row| row.text("code") == Some(code));
        let from: Vec<Time> = rows.map(|row| row.moment("from", UNIX).unwrap_or(ALWAYS)).collect();
        if !from.is_empty() && from.iter().all(|from| hour < *from) {
            let code = clip(code);
            let message = format!("it is not said what `{code}` is worth as the run begins");
            let hint = "say it from then on: `[[currency]]` with `code`, `from` and `usd`";
            report.hint(&section.spot("currency"), message, hint);
        }
    }
}

/// The currency that a table names, from `at` on; `None` is the dollar.
pub(super) fn of(
    section: &ConfigTable,
    currencies: &IdVec<Currency>,
    at: Option<Time>,
    report: &mut Diagnostics<'_>,
) -> Option<Id<Currency>> {
    let code = section.text("currency").filter(|code| *code != "USD")?;
    let found = currencies.find(|currency| currency.code == code);
    let is_known = |id: Id<Currency>| at.is_none_or(|at| currencies[id].is_known(hour_of(at)));
    if !found.is_some_and(is_known) {
        let message = format!("it is not said what `{}` is worth then", clip(code));
        let hint = "say it: `[[currency]]` with `code`, `from` and `usd`";
        report.hint(&section.spot("currency"), message, hint);
    }
    found
}
