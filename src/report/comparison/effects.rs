//! Volume, mix, price and terms of a difference in cost: `effects.csv`, and a table.

use std::io;

use super::super::document::{Section, SectionPlace, Table, unquoted};
use super::super::figure::{amount, figure, money_difference};
use super::super::sheet::{Sheet, TextCells};
use super::ComparisonReport;
use crate::experiment::{CostEffects, ProductEffect, ProductSpending};
use crate::units::Money;

/// The columns of `effects.csv`, in order.
pub(in crate::report) const COLUMNS: [&str; 14] = [
    "policy",
    "provider",
    "service",
    "product",
    "unit",
    "baseline_quantity",
    "quantity",
    "baseline_usd",
    "usd",
    "volume_usd",
    "mix_usd",
    "price_usd",
    "terms_usd",
    "difference_usd",
];

/// Products of a table at most; the file has the others.
const MOST_PRODUCTS: usize = 12;

/// Effects of products of one service, and what they sum to.
struct ServiceEffects<'e> {
    provider: &'e str,
    service: &'e str,
    products: Vec<&'e ProductEffect>,
}

impl ComparisonReport<'_> {
    /// Writes `effects.csv`: by product and by kind of terms, what makes the difference in the cost
    /// of the runs, summed over all replications and exact.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn write_effects<W: io::Write>(&self, out: W, cells: TextCells) -> io::Result<W> {
        let mut sheet = Sheet::new(out, cells, COLUMNS);
        let money = Money::from_nanos;
        for policy in &self.many.policies {
            for one in &policy.effects.products {
                let (base, now) = (&one.base, &one.now);
                for text in [&policy.name, &now.provider, &now.service, &now.product] {
                    sheet.text(text);
                }
                sheet.word(now.unit());
                sheet.number(Some(quantity(base)));
                sheet.number(Some(quantity(now)));
                for nanos in [base.nanos, now.nanos, one.volume, one.mix, one.price] {
                    sheet.money(money(nanos));
                }
                sheet.money(Money::ZERO);
                sheet.money(money(now.nanos - base.nanos));
                sheet.end_row();
            }
            for one in &policy.effects.terms {
                for text in [policy.name.as_str(), &one.provider, "terms", &one.kind] {
                    sheet.text(text);
                }
                (0..5).for_each(|_| sheet.empty());
                (0..3).for_each(|_| sheet.money(Money::ZERO));
                (0..2).for_each(|_| sheet.money(money(one.nanos)));
                sheet.end_row();
            }
        }
        sheet.finish()
    }

    /// The section of the policy in `row`; empty where it costs what the baseline does.
    pub(super) fn effects(&self, row: usize) -> Section {
        let policy = &self.many.policies[row];
        let title = format!("Why {} costs what it costs", unquoted(&self.name(row)));
        let section = Section::new(&title, SectionPlace::Folded);
        if policy.effects == CostEffects::default() {
            return section;
        }
        let tables = [self.by_service(&policy.effects), self.by_product(&policy.effects)];
        let runs = match self.many.replications {
            1 => "The run costs".to_owned(),
            all => format!("Summed over {all} replications, the runs cost"),
        };
        let difference: i128 = policy.effects.sums().iter().sum();
        section.tables(tables).note(format!(
            "{runs} {} against the baseline. Volume: more or less is bought, at the same mix and prices. Mix: dearer or cheaper products are bought, at the prices before. Price: the same costs more or less. Terms: commitments and discounts. The parts sum to the difference exactly.",
            money_difference(Money::from_nanos(difference)),
        ))
    }

    fn by_service(&self, effects: &CostEffects) -> Table {
        let head = ["provider", "for", "volume", "mix", "price", "terms", "in all"];
        let mut table = Table::new("What makes the difference", &head);
        table.words = 2;
        let mut add = |provider: String, what: &str, parts: [i128; 4]| {
            let all: i128 = parts.iter().sum();
            let cells = parts.into_iter().chain([all]).map(shown);
            table.row([provider, what.to_owned()].into_iter().chain(cells));
        };
        for of in services(effects) {
            let mut parts = [0; 4];
            for one in &of.products {
                parts[0] += one.volume;
                parts[1] += one.mix;
                parts[2] += one.price;
            }
            add(unquoted(of.provider), of.service, parts);
        }
        for one in &effects.terms {
            add(unquoted(&one.provider), &one.kind, [0, 0, 0, one.nanos]);
        }
        add("all".to_owned(), "", effects.sums());
        table
    }

    fn by_product(&self, effects: &CostEffects) -> Table {
        let head = ["product", "quantity", "now", "price", "now", "volume", "mix", "price effect"];
        let mut table = Table::new("By product, the largest differences first", &head);
        let mut products: Vec<&ProductEffect> = effects.products.iter().collect();
        products.sort_by_key(|one| -(one.now.nanos - one.base.nanos).abs());
        for one in products.into_iter().take(MOST_PRODUCTS) {
            let (base, now) = (&one.base, &one.now);
            let name = format!("{} {}, {}s", now.provider, now.product, now.unit());
            table.row([
                unquoted(&name),
                amount(quantity(base)),
                amount(quantity(now)),
                price(base),
                price(now),
                shown(one.volume),
                shown(one.mix),
                shown(one.price),
            ]);
        }
        table
    }
}

/// Effects by provider and service, in order.
fn services(effects: &CostEffects) -> Vec<ServiceEffects<'_>> {
    let all = effects
        .products
        .chunk_by(|a, b| (&a.now.provider, &a.now.service) == (&b.now.provider, &b.now.service));
    all.map(|products| ServiceEffects {
        provider: &products[0].now.provider,
        service: &products[0].now.service,
        products: products.iter().collect(),
    })
    .collect()
}

/// Units that were bought.
fn quantity(bought: &ProductSpending) -> f64 {
    bought.quantity as f64 / bought.whole()
}

/// Mean price of a unit.
fn price(bought: &ProductSpending) -> String {
    match bought.quantity {
        0 => "–".to_owned(),
        _ => figure("USD", Some(bought.nanos as f64 / 1e9 / quantity(bought))),
    }
}

/// A part of a difference in a table: none below half a cent.
fn shown(nanos: i128) -> String {
    match nanos.abs() < 5_000_000 {
        true => "–".to_owned(),
        false => money_difference(Money::from_nanos(nanos)),
    }
}
