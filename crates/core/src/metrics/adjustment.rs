//! What the terms of an account change in the costs of a run: they are metered at list prices, and
//! settled afterwards.

use super::ratio;
use super::summary::{CostPart, Costs, Summary, savings_rate};
use crate::units::Money;

/// What a change is due to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AdjustmentKind {
    /// Cost of commitments, used or not.
    Commitment,
    /// Less: list price of what commitments cover.
    Covered,
    /// Less: negotiated prices, and discounts of a month.
    Discount,
    /// Capacity that is kept and does not run.
    Kept,
}

impl AdjustmentKind {
    /// The word of tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Commitment => "commitment",
            Self::Covered => "covered",
            Self::Discount => "discount",
            Self::Kept => "kept",
        }
    }

    /// Whether a month of it is scaled from the time that the run takes, and not from the time that its
    /// work stands for. What a commitment covers in a month is never more than a month of it could.
    const fn stands(self) -> bool {
        match self {
            Self::Commitment | Self::Covered | Self::Kept => true,
            Self::Discount => false,
        }
    }
}

/// One change of the costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Adjustment {
    /// Name of the provider.
    pub provider: String,
    /// Name of the region, with its provider; `None` of what belongs to none.
    pub region: Option<String>,
    /// What it is due to.
    pub kind: AdjustmentKind,
    /// Amount that the costs grow by.
    pub amount: Money,
}

/// What the terms of an account did to a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settled {
    /// Changes of the costs, from those at list prices.
    pub adjustments: Vec<Adjustment>,
    /// Share of what was paid for commitments that was used; `None` without commitments.
    pub utilisation: Option<f64>,
    /// Share of the machines that could be covered, by what they cost before commitments, that
    /// was; `None` without either.
    pub coverage: Option<f64>,
}

impl Summary {
    /// Settles the costs, which are at list prices until then.
    pub fn settle(&mut self, settled: Settled) {
        let [cores, gpus] = [self.useful_core_hours, self.useful_gpu_hours];
        self.cost.adjust(&settled.adjustments, self.work.finished, [cores, gpus]);
        self.settled = Some(settled);
        self.spread_over_months();
    }
}

impl Costs {
    fn adjust(&mut self, all: &[Adjustment], finished: u64, [cores, gpus]: [f64; 2]) {
        let before = self.total;
        for one in all {
            self.total += one.amount;
            let stood = if one.kind.stands() { one.amount } else { Money::ZERO };
            self.standing += stood;
            let nowhere = || format!("{}, no region", one.provider);
            let region = one.region.clone().unwrap_or_else(nowhere);
            add(&mut self.by_provider, &one.provider, one.amount);
            add(&mut self.by_region, &region, one.amount);
            add(&mut self.by_market, "terms", one.amount);
            add(&mut self.by_kind, one.kind.name(), one.amount);
            let kind = one.kind.name();
            let same = |part: &&mut CostPart| part.provider == one.provider && part.kind == kind;
            match self.parts.iter_mut().find(same) {
                Some(part) => {
                    part.paid += one.amount;
                    part.standing += stood;
                }
                None => self.parts.push(CostPart {
                    provider: one.provider.clone(),
                    kind,
                    paid: one.amount,
                    standing: stood,
                    monthly: None,
                }),
            }
        }
        let terms = self.total - before;
        self.terms = Some(terms);
        self.effective_savings_rate = savings_rate(self.rented + terms, self.at_list);
        let total = self.total.dollars();
        self.per_job_usd = ratio(total, finished as f64);
        self.per_useful_core_hour_usd = ratio(total, cores);
        self.per_useful_gpu_hour_usd = ratio(total, gpus);
    }
}

/// Adds to the row of that name, which may be new.
fn add(rows: &mut Vec<(String, Money)>, name: &str, amount: Money) {
    match rows.iter_mut().find(|(known, _)| known == name) {
        Some((_, sum)) => *sum += amount,
        None => rows.push((name.to_owned(), amount)),
    }
}
