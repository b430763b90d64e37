//! How launches of a cloud go: the stages of a boot, and what comes to nothing.

use super::Build;
use super::change::{self, Changes, OfferNames};
use crate::model::{LaunchStage, LaunchTerms, Throttle};
use crate::scenario::catalog::Catalog;
use crate::scenario::section::{ConfigTable, Diagnostics};
use crate::units::{Distribution, Span};

/// Shortest time from launch to launch of a throttle.
const FINEST: Span = Span::from_micros(1_000);

/// What a row says of launches, as far as it does.
#[derive(Debug)]
struct LaunchRow {
    stages: [Option<Distribution>; 4],
    fails: Option<u32>,
    fails_after: Option<Distribution>,
}

/// The rows of `[[cloud.NAME.launch]]`.
#[derive(Debug)]
pub(super) struct LaunchRows(Changes<LaunchRow>);

impl LaunchRows {
    pub(super) fn read(section: &ConfigTable) -> Self {
        Self(Changes::read(section, "launch", None, |row| {
            Some(LaunchRow {
                stages: LaunchStage::ALL.map(|stage| row.distribution(stage.name()).cloned()),
                fails: row.integer("fails").map(|share| share as u32),
                fails_after: row.distribution("fails_after").cloned(),
            })
        }))
    }

    /// Terms of an offer that takes so long to provision where no row says so. Of several rows that say
    /// something of one thing, the last counts.
    pub(super) fn terms(&self, provision: &Distribution, offer: OfferNames<'_>) -> LaunchTerms {
        let mut terms = LaunchTerms::taking(provision.clone());
        let mut rows: Vec<usize> = self.0.rows_of(offer).collect();
        rows.sort_unstable();
        for row in rows {
            let LaunchRow { stages, fails, fails_after } = &self.0.rows[row].effect;
            for (mine, theirs) in terms.stages.iter_mut().zip(stages) {
                if let Some(theirs) = theirs {
                    mine.clone_from(theirs);
                }
            }
            terms.fails = fails.unwrap_or(terms.fails);
            terms.fails_after = fails_after.clone().unwrap_or(terms.fails_after);
        }
        terms
    }
}

/// The limit on launches of a cloud, if it has one.
pub(super) fn throttle(
    build: &mut Build<'_>,
    name: &str,
    section: &ConfigTable,
    report: &mut Diagnostics<'_>,
) -> Option<Throttle> {
    if !section.has("throttle") {
        return None;
    }
    let throttle = section.section("throttle");
    throttle.require("burst", report);
    throttle.require("every", report);
    let every = throttle.span("every")?;
    if every < FINEST {
        let message = format!("a launch more at every moment is no limit: at least {FINEST}");
        report.at(&throttle.spot("every"), message);
    }
    let burst = throttle.count32("burst")?;
    let told = format!(
        "In each region of {name} {burst} launches are let through at once, and one more each \
         {every}: work that needs more instances than that at one moment is not rented for."
    );
    build.assumptions.push(told.into());
    Some(Throttle { burst, every })
}

/// Reports rows that say nothing, or name what is not there.
pub(super) fn check(section: &ConfigTable, catalog: &Catalog, report: &mut Diagnostics<'_>) {
    let stages = LaunchStage::ALL.map(LaunchStage::name);
    for row in section.list("launch") {
        if stages.iter().chain(&["fails", "fails_after"]).all(|key| !row.has(key)) {
            let hint = format!("give `{}` or `fails`", stages.join("`, `"));
            report.hint(&row.range, "`launch` says nothing", hint);
        }
    }
    change::check(section, "launch", catalog, None, report);
}
