//! Capacities that are drawn from a law.

use std::sync::Arc;

use super::OfferNames;
use super::advisor::PublishedLosses;
use crate::model::{CapacityLaw, CapacityState, LevelLaw, Market, StateLaw};
use crate::scenario::section::{ConfigTable, Diagnostics};
use crate::units::stream::fnv1a;

/// Words of `together`.
pub(in crate::scenario) const TOGETHER: &[&str] = &["zone", "region", "provider"];

/// A law of capacity, and the offers that share one path of it.
#[derive(Debug)]
pub(super) struct CapacityModel {
    law: Arc<CapacityLaw>,
    /// Word of [`TOGETHER`], and the cloud; `None` where each offer has its own path.
    together: Option<String>,
    /// What was assumed of a figure that a provider publishes.
    pub(super) assumed: Option<String>,
}

impl CapacityModel {
    /// The model of a row, which has one.
    pub(super) fn read(row: &ConfigTable, report: &mut Diagnostics<'_>) -> Option<Self> {
        let (model, spot) = (row.section("model"), row.spot("model"));
        let full = row.capacity("instances").flatten().unwrap_or(1);
        let states = CapacityState::ALL.map(|state| state.name());
        let mut assumed = None;
        if let Some(whole) = ["memoryless", "advisor"].iter().find(|whole| model.has(whole)) {
            let mut others = states.into_iter().chain(["memoryless", "advisor"]);
            if let Some(other) = others.find(|other| other != whole && model.has(other)) {
                let message = format!("beside `{whole}` a model has no `{other}`");
                report.at(&model.spot(other), message);
                return None;
            }
        }
        let law = if model.has("advisor") {
            if row.text("market") != Some(Market::Spot.name()) {
                let message = "the figure of an advisor is one of spot instances";
                report.hint(&spot, message, "add `market = \"spot\"` to the row");
                return None;
            }
            let losses = PublishedLosses::read(&model.section("advisor"), report)?;
            assumed = Some(losses.assumed);
            CapacityLaw::memoryless(full, losses.per_hour, losses.absence)
        } else if model.has("memoryless") {
            let memoryless = model.section("memoryless");
            memoryless.require("losses_per_hour", report);
            memoryless.require("absence", report);
            let absence = memoryless.span("absence")?.secs_f64();
            CapacityLaw::memoryless(full, memoryless.number("losses_per_hour")?, absence)
        } else {
            let there = states.map(|state| model.has(state));
            let mut laws = [None, None, None];
            for (row, name) in states.into_iter().enumerate().filter(|&(row, _)| there[row]) {
                laws[row] = Some(state_law(&model.section(name), row, there, report)?);
            }
            CapacityLaw::new(full, laws, level_law(&model.section("partial"), report)?)
        };
        let law = law.map_err(|why| report.at(&spot, why)).ok()?;
        let together = row.text("together").map(str::to_owned);
        Some(Self { law: Arc::new(law), together, assumed })
    }

    /// Its law.
    pub(super) fn law(&self) -> Arc<CapacityLaw> {
        Arc::clone(&self.law)
    }

    /// The key of the path of an offer called `name`: its own, or that of its group.
    pub(super) fn entity(&self, name: &str, (_, region, zone, _): OfferNames<'_>) -> u64 {
        let cloud = name.split('/').next().unwrap_or_default();
        let group = match self.together.as_deref() {
            None => return fnv1a(name.as_bytes()),
            Some("zone") => format!("{cloud}/{zone}"),
            Some("region") => format!("{cloud}/{}", region.name),
            Some(_) => cloud.to_owned(),
        };
        fnv1a(format!("together/{group}").as_bytes())
    }
}

/// The law of a state that is there, as are those of `there`.
fn state_law(
    state: &ConfigTable,
    row: usize,
    there: [bool; 3],
    report: &mut Diagnostics<'_>,
) -> Option<StateLaw> {
    state.require("lasts", report);
    let others: Vec<usize> = (0..3).filter(|&other| other != row && there[other]).collect();
    let mut next = [0.0; 3];
    match (state.has("next"), &others[..]) {
        (false, &[only]) => next[only] = 1.0,
        (false, _) => {
            let message = "`next` is missing: which state follows?";
            report.hint(&state.range, message, "such as `next = { partial = 3, full = 1 }`");
            return None;
        }
        (true, _) => {
            let weights = state.section("next");
            for other in (0..3).filter(|&other| other != row) {
                next[other] = weights.number(CapacityState::ALL[other].name()).unwrap_or(0.0);
            }
        }
    }
    Some(StateLaw { lasts: state.distribution("lasts")?.clone(), next })
}

/// The law of the level of `partial`; `Some(None)` where it says nothing of that.
fn level_law(partial: &ConfigTable, report: &mut Diagnostics<'_>) -> Option<Option<LevelLaw>> {
    let steps = (partial.distribution("step_every"), partial.distribution("step_by"));
    if partial.has("step_every") != partial.has("step_by") {
        report.at(&partial.range, "`step_every` and `step_by` need each other");
        return None;
    }
    let steps = match steps {
        (Some(every), Some(by)) => Some((every.clone(), by.clone())),
        (_, _) => None,
    };
    match (partial.distribution("level"), steps) {
        (None, None) => Some(None),
        (Some(begins), steps) => Some(Some(LevelLaw { begins: begins.clone(), steps })),
        (None, Some(_)) => {
            report.at(&partial.range, "steps need the `level` that they begin at");
            None
        }
    }
}
