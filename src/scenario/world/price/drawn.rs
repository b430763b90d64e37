//! Prices that are drawn from a law.

use std::sync::Arc;

use crate::model::{PriceLaw, PriceMotion};
use crate::scenario::catalog::Catalog;
use crate::scenario::section::{ConfigTable, Diagnostics};
use crate::units::{Calendar, Rate, Span, Time};

/// A law of a price.
#[derive(Clone, Debug)]
pub(super) struct PriceModel {
    law: Arc<PriceLaw>,
    /// Whether it draws factors on the price before it.
    is_relative: bool,
}

/// Deviations of the logarithm of a price beyond which it is cut where no bound is given.
const USUAL_BOUND: f64 = 4.0;

impl PriceModel {
    /// The model of a row, which has one.
    pub(super) fn read(
        row: &ConfigTable,
        catalog: &Catalog,
        calendar: Calendar,
        report: &mut Diagnostics<'_>,
    ) -> Option<Self> {
        let (model, spot) = (row.section("model"), row.spot("model"));
        if model.has("stepwise") == model.has("reverting") {
            report.hint(
                &spot,
                "a price has one model",
                "give `model.stepwise` or `model.reverting`",
            );
            return None;
        }
        let dollars = |section: &ConfigTable, name: &str| {
            section.integer(name).map(|nanos| nanos as f64 / 1e9)
        };
        let (motion, is_relative, usual) = if model.has("stepwise") {
            let stepwise = model.section("stepwise");
            stepwise.require("usd_per_hour", report);
            let to = stepwise.distribution("usd_per_hour")?.clone();
            let chance =
                stepwise.integer("chance").map_or(1.0, |millionths| millionths as f64 / 1e6);
            (PriceMotion::Stepwise { to, chance }, false, (0.0, 1e6))
        } else {
            let reverting = model.section("reverting");
            reverting.require("sigma", report);
            reverting.require("relaxation", report);
            let (sigma, relaxation) = (reverting.number("sigma")?, reverting.span("relaxation")?);
            let given = dollars(&reverting, "median");
            let median = given.unwrap_or(1.0);
            let reach = libm::exp(USUAL_BOUND * sigma);
            let motion = PriceMotion::Reverting { median, sigma, relaxation };
            (motion, given.is_none(), (median / reach, median * reach))
        };
        if is_relative && (model.has("lowest") || model.has("highest")) {
            report.at(&spot, "bounds in dollars need a `median` in dollars");
            return None;
        }
        let rate = |dollars: f64| {
            Rate::from_picos((libm::round(dollars * 1e6).clamp(0.0, 9e12) as i64) * 1_000_000)
        };
        let low = rate(dollars(&model, "lowest").unwrap_or(usual.0));
        let high = rate(dollars(&model, "highest").unwrap_or(usual.1));
        let from = row.moment("from", calendar).unwrap_or(Time::ZERO);
        let every = model.span("every").unwrap_or_else(|| usual_cadence(catalog, calendar, from));
        let law = PriceLaw::new(motion, every, (low, high));
        let law = law.map_err(|why| report.at(&spot, why)).ok()?;
        Some(Self { law: Arc::new(law), is_relative })
    }

    /// Its law.
    pub(super) fn law(&self) -> Arc<PriceLaw> {
        Arc::clone(&self.law)
    }

    /// Whether it draws factors on the price before it.
    pub(super) fn is_relative(&self) -> bool {
        self.is_relative
    }
}

/// The shortest time between two changes of a spot price by the provider's rule of that date; an hour
/// where there is none.
fn usual_cadence(catalog: &Catalog, calendar: Calendar, from: Time) -> Span {
    let at = calendar.unix_micros(from);
    let rule = catalog.spot_price.iter().find(|rule| rule.0.is_none_or(|until| at < until));
    rule.map_or(Span::HOUR, |rule| rule.1)
}
