//! What the terms of an account change in the costs of a run: they are metered at list prices, and
//! settled afterwards.

use super::ratio;
use super::summary::{CostPart, Costs, Summary, savings_rate};
use crate::state::ChargeKind;
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
    /// What transfers are paid by the tiers, negotiated and other prices of their path, less the
    /// prices of their links.
    Tiers,
    /// Capacity that is kept and does not run.
    Kept,
    /// Data that is kept.
    Storage,
    /// Disks of machines.
    Disk,
    /// Addresses of machines.
    Address,
    /// Less: what providers give back for outages.
    Credit,
}

impl AdjustmentKind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Commitment,
        Self::Covered,
        Self::Discount,
        Self::Tiers,
        Self::Kept,
        Self::Storage,
        Self::Disk,
        Self::Address,
        Self::Credit,
    ];

    /// The word of tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Commitment => "commitment",
            Self::Covered => "covered",
            Self::Discount => "discount",
            Self::Tiers => "tiers",
            Self::Kept => "kept",
            Self::Storage => "storage",
            Self::Disk => "disk",
            Self::Address => "address",
            Self::Credit => "credit",
        }
    }

    /// What a month of it is scaled from. What a commitment covers in a month is never more than a month
    /// of it could.
    const fn scale(self) -> MonthScale {
        match self {
            Self::Commitment | Self::Covered | Self::Kept | Self::Storage => MonthScale::Run,
            Self::Discount | Self::Tiers | Self::Credit => MonthScale::Work,
            Self::Disk | Self::Address => MonthScale::Machines,
        }
    }
}

/// What a month of a cost is scaled from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MonthScale {
    /// The time that the run takes.
    Run,
    /// The time that its work stands for.
    Work,
    /// Both, as the machines of the provider are.
    Machines,
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
    /// Whether it is for machines, whose savings are told.
    pub of_machines: bool,
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
        let (before, mut machines) = (self.total, Money::ZERO);
        for one in all {
            self.total += one.amount;
            machines += if one.of_machines { one.amount } else { Money::ZERO };
            let stood = self.stood(one);
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
        self.effective_savings_rate = savings_rate(self.rented + machines, self.at_list);
        let total = self.total.dollars();
        self.per_job_usd = ratio(total, finished as f64);
        self.per_useful_core_hour_usd = ratio(total, cores);
        self.per_useful_gpu_hour_usd = ratio(total, gpus);
    }
}

impl Costs {
    /// The part of an amount that is paid because time passes. Of disks and addresses it is the share
    /// that it is of the cost of the provider's machines; all, where those cost nothing.
    fn stood(&self, one: &Adjustment) -> Money {
        match one.kind.scale() {
            MonthScale::Run => one.amount,
            MonthScale::Work => Money::ZERO,
            MonthScale::Machines => {
                let is_machine = |part: &&CostPart| {
                    let kinds = [ChargeKind::Work, ChargeKind::Boot, ChargeKind::Idle];
                    part.provider == one.provider
                        && kinds.iter().any(|kind| part.kind == kind.name())
                };
                let of = |what: fn(&CostPart) -> Money| {
                    self.parts.iter().filter(is_machine).map(what).sum::<Money>().dollars()
                };
                let share = ratio(of(|part| part.standing), of(|part| part.paid)).unwrap_or(1.0);
                Money::from_nanos(libm::round(one.amount.nanos() as f64 * share) as i128)
            }
        }
    }
}

/// Adds to the row of that name, which may be new.
fn add(rows: &mut Vec<(String, Money)>, name: &str, amount: Money) {
    match rows.iter_mut().find(|(known, _)| known == name) {
        Some((_, sum)) => *sum += amount,
        None => rows.push((name.to_owned(), amount)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cents(cents: i128) -> Money {
        Money::from_nanos(cents * 10_000_000)
    }

    fn adjustment(region: Option<&str>, kind: AdjustmentKind, amount: i128) -> Adjustment {
        let region = region.map(str::to_owned);
        let amount = cents(amount);
        Adjustment { provider: "aws".into(), region, kind, of_machines: true, amount }
    }

    /// A day of work for 14 dollars by the list, done in 44 hours. Commitments cost 8 dollars in
    /// them and cover 10; what is not covered is 1 dollar cheaper than by the list.
    #[test]
    fn a_month_has_rent_by_the_work_and_commitments_by_the_run() {
        let named = |name: &str| vec![(name.to_owned(), cents(1_400))];
        let part = CostPart {
            provider: "aws".into(),
            kind: "work",
            paid: cents(1_400),
            ..CostPart::default()
        };
        let mut summary = Summary {
            simulated_s: 44.0 * 3_600.0,
            period_s: Some(86_400.0),
            useful_core_hours: 100.0,
            cost: Costs {
                total: cents(1_400),
                rented: cents(1_400),
                at_list: cents(2_000),
                by_provider: named("aws"),
                by_region: named("aws/us-east-1"),
                by_market: named("on-demand"),
                by_kind: named("work"),
                parts: vec![part],
                ..Costs::default()
            },
            ..Summary::default()
        };
        summary.work.finished = 10;
        let there = Some("aws/us-east-1");
        summary.settle(Settled {
            adjustments: vec![
                adjustment(there, AdjustmentKind::Commitment, 600),
                adjustment(None, AdjustmentKind::Commitment, 200),
                adjustment(there, AdjustmentKind::Covered, -1_000),
                adjustment(there, AdjustmentKind::Discount, -70),
                // What data costs less is no saving on machines.
                Adjustment { of_machines: false, ..adjustment(there, AdjustmentKind::Tiers, -30) },
            ],
            ..Settled::default()
        });
        let cost = &summary.cost;
        assert_eq!((cost.total, cost.terms), (cents(1_100), Some(cents(-300))));
        assert_eq!((cost.per_job_usd, cost.per_useful_core_hour_usd), (Some(1.1), Some(0.11)));
        assert_eq!(cost.effective_savings_rate, Some(0.435));
        for rows in [&cost.by_provider, &cost.by_region, &cost.by_market, &cost.by_kind] {
            assert_eq!(rows.iter().map(|(_, sum)| *sum).sum::<Money>(), cost.total, "{rows:?}");
        }
        assert_eq!(cost.by_region[1], ("aws, no region".to_owned(), cents(200)));
        // 13 dollars of a day, and -2 of 44 hours, in a month of 730.485 hours.
        let month = 13.0 * 730.485 / 24.0 - 2.0 * 730.485 / 44.0;
        let found = summary.monthly().expect("both times are known");
        assert!((found - month).abs() < 1e-9, "{found} and not {month}");
        let parts: f64 = cost.parts.iter().filter_map(|part| part.monthly).sum();
        assert!((parts - month).abs() < 1e-9, "{parts} and not {month}");
    }

    /// In a day that has work of an hour: disks of a cluster, which stood all along, are scaled from
    /// the day; those of a cloud, of which a quarter stood, by a quarter of it.
    #[test]
    fn disks_are_scaled_as_the_machines_of_their_provider() {
        let part = |provider: &str, standing: i128| CostPart {
            provider: provider.into(),
            kind: ChargeKind::Idle.name(),
            paid: cents(400),
            standing: cents(standing),
            monthly: None,
        };
        let disk = |provider: &str, amount| Adjustment {
            provider: provider.into(),
            of_machines: false,
            ..adjustment(None, AdjustmentKind::Disk, amount)
        };
        let mut summary = Summary {
            simulated_s: 86_400.0,
            arrivals_s: 3_600.0,
            cost: Costs { parts: vec![part("dc", 400), part("aws", 100)], ..Costs::default() },
            ..Summary::default()
        };
        let adjustments = vec![disk("dc", 24), disk("aws", 96), disk("free", 24)];
        summary.settle(Settled { adjustments, ..Settled::default() });
        let months: Vec<_> = summary.cost.parts[2..].iter().map(|part| part.monthly).collect();
        let month = 730.485;
        for (found, right) in months.into_iter().zip([
            0.24 * month / 24.0,
            0.24 * month / 24.0 + 0.72 * month,
            0.24 * month / 24.0,
        ]) {
            let found = found.expect("the run took time");
            assert!((found - right).abs() < 1e-9, "{found} and not {right}");
        }
    }
}
