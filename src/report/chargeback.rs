//! `chargeback.csv`: who has to pay what of a run; and the same as a table and for programs.

use std::io;

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::document::{Section, SectionPlace, Table};
use super::figure::{clean, share};
use super::sheet::{Sheet, TextCells};
use crate::experiment::{Chargeback, ChargebackParts};
use crate::units::Money;

/// The columns, in order.
pub(super) const COLUMNS: [&str; 8] = [
    "tenant",
    "class",
    "provider",
    "machines_usd",
    "transfer_usd",
    "idle_usd",
    "overhead_usd",
    "total_usd",
];

/// Tenants of the table at most.
const MOST_TENANTS: usize = 20;

/// Word for the row of what is nobody's.
const NOBODY: &str = "nobody";

/// Who has to pay what.
#[derive(Clone, Debug, PartialEq)]
pub struct ChargebackReport(pub Chargeback);

impl ChargebackReport {
    /// Writes one row per tenant, class and provider.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn write_csv<W: io::Write>(&self, out: W, cells: TextCells) -> io::Result<W> {
        let mut sheet = Sheet::new(out, cells, COLUMNS);
        for row in &self.0.rows {
            let parts = &row.parts;
            sheet.text(row.tenant.as_deref().unwrap_or_default());
            sheet.text(&row.class);
            sheet.text(&row.provider);
            for amount in
                [parts.machines, parts.transfer, parts.idle, parts.overhead, parts.total()]
            {
                sheet.money(amount);
            }
            sheet.end_row();
        }
        sheet.finish()
    }

    /// The section of a report, where several tenants share the cost.
    pub(super) fn section(&self) -> Option<Section> {
        let tenants = self.0.tenants();
        if tenants.len() < 2 {
            return None;
        }
        let head = ["tenant", "workload", "idle", "overhead", "total", "share"];
        let mut table = Table::new("Cost by tenant", &head);
        let mut add = |name: String, parts: &ChargebackParts| {
            let amounts = [parts.workload(), parts.idle, parts.overhead, parts.total()];
            let amounts = amounts.map(|amount| amount.to_string());
            let part = share_of(parts.total(), self.0.total);
            table.row([name].into_iter().chain(amounts).chain([part]));
        };
        let mut rest = ChargebackParts::default();
        let mut all = ChargebackParts::default();
        for (row, (tenant, parts)) in tenants.iter().enumerate() {
            all.add(parts);
            match row < MOST_TENANTS {
                true => add(tenant.map_or(NOBODY.to_owned(), clean), parts),
                false => rest.add(parts),
            }
        }
        if let Some(more) = tenants.len().checked_sub(MOST_TENANTS).filter(|more| *more > 0) {
            add(format!("{more} others"), &rest);
        }
        add("all".to_owned(), &all);
        let section = Section::new("Who pays", SectionPlace::Front).tables([table]);
        Some(section.note(self.words()))
    }

    fn words(&self) -> String {
        let prices = match self.0.is_settled {
            true => "Amounts are settled on the terms, with commitments spread over theirs.",
            false => "Amounts are at list prices.",
        };
        let overhead = [
            ("boots", self.0.boot),
            ("commitments that nobody used", self.0.unused),
            ("capacity that is kept and does not run", self.0.kept),
            ("data that is kept", self.0.stored),
        ];
        let overhead: Vec<String> = overhead
            .into_iter()
            .filter(|(_, amount)| *amount != Money::ZERO)
            .map(|(name, amount)| format!("{name} {amount}"))
            .collect();
        let overhead = match overhead.as_slice() {
            [] => "there is none".to_owned(),
            parts => parts.join(", "),
        };
        format!(
            "Workload is what work held of machines, and the data that it moved. Idle is each tenant's share of machines that were ready and that no work held, by what its work cost there. Overhead is shared alike: {overhead}. {prices}"
        )
    }

    fn json(&self) -> Value {
        let back = &self.0;
        let tenants = back.tenants().into_iter().map(|(tenant, parts)| {
            json!({
                "tenant": tenant,
                "machines_usd": parts.machines.exact(),
                "transfer_usd": parts.transfer.exact(),
                "idle_usd": parts.idle.exact(),
                "overhead_usd": parts.overhead.exact(),
                "total_usd": parts.total().exact(),
            })
        });
        json!({
            "amounts": if back.is_settled { "effective" } else { "list" },
            "total_usd": back.total.exact(),
            "workload_usd": back.workload().exact(),
            "idle_usd": back.idle.exact(),
            "overhead_usd": back.overhead().exact(),
            "boot_usd": back.boot.exact(),
            "unused_commitments_usd": back.unused.exact(),
            "kept_usd": back.kept.exact(),
            "stored_usd": back.stored.exact(),
            "tenants": tenants.collect::<Vec<_>>(),
        })
    }
}

fn share_of(part: Money, total: Money) -> String {
    match total {
        Money::ZERO => super::figure::NOTHING.to_owned(),
        total => share(part.dollars() / total.dollars()),
    }
}

impl Serialize for ChargebackReport {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.json().serialize(to)
    }
}
