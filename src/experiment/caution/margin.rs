//! Caution about work that was late as its policy leaves less time for a start than one may take.

use super::CautionedRun;
use crate::model::{Market, Offer};
use crate::policy::shift::{CARBON_SCALER, PRICE_AWARE, WAIT_AWHILE};
use crate::policy::spec::PolicyPart;
use crate::problem::clip;
use crate::units::{Id, Span};

/// Deadlines were missed, and the policy holds work until later than a boot before its deadline allows.
pub(super) fn too_short(run: &CautionedRun<'_>) -> Option<String> {
    let part = &run.policy.shift;
    let holds = [&WAIT_AWHILE, &PRICE_AWARE, &CARBON_SCALER].into_iter().any(|row| part.is(row));
    if run.facts.missed == 0 || !holds || !run.policy.is_ours(PolicyPart::Shift) {
        return None;
    }
    let boot = boot(run);
    let short = |name: &str| part.settings.span(name).filter(|&given| given < boot);
    let margin = short("margin")?;
    let restart = if part.is(&CARBON_SCALER) { short("restart") } else { None };
    let (keys, is) = match restart {
        Some(restart) => (format!("`margin` ({margin}) and `restart` ({restart})"), "are"),
        None => (format!("`margin` ({margin})"), "is"),
    };
    let missed = run.facts.missed;
    Some(format!(
        "{} missed {missed} {}, maybe as its {keys} of `{}` {is} shorter than a boot may take: 999 of 1,000 are over in {boot}. \
         Work that it holds until its last moment is late by what is lacking. Leave out what is too short, or give it {boot}.",
        clip(run.name),
        if missed == 1 { "deadline" } else { "deadlines" },
        part.name()
    ))
}

/// Time in which 999 of 1,000 boots of machines that the policy uses are over, where they take longest.
fn boot(run: &CautionedRun<'_>) -> Span {
    let (world, reach) = (&run.scenario.world, run.policy.reach());
    let uses = |offer: &Id<Offer>| {
        world.offers[*offer].market == Market::Owned || reach.rents(world, *offer)
    };
    let boots = world.offers.ids().filter(uses).map(|offer| world.offers[offer].boot_within(0.999));
    boots.max().unwrap_or(Span::ZERO)
}
