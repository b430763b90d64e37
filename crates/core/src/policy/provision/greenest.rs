//! Rents where the work causes the least carbon.

use super::ProvisionPart;
use super::demand::{OfferChoice, OnDemand, RENT, Search};
use super::ranking::{Quote, RankedOffer};
use crate::model::{StepPath, World};
use crate::part::Part;
use crate::policy::turn::Turn;
use crate::units::{Demand, Time};

/// Rents where the work causes the least carbon.
pub static GREENEST: ProvisionPart = Part {
    name: "greenest",
    doc: "Rents where the job causes the least carbon: what its instances draw, at the load that it makes, from request to expected end, times the power usage effectiveness and the carbon of the grid over that time, which is foreseen. Then the lowest expected cost. Offers of which power or grid are not known come last.",
    parameters: RENT,
    make: |settings| Box::new(OnDemand::new(Greenest, settings)),
};

/// The least carbon; ties go to the lower cost, then to the fewest instances, then to the lower offer
/// id.
#[derive(Clone, Copy, Debug)]
pub(super) struct Greenest;

impl OfferChoice for Greenest {
    fn choose<'s>(
        &mut self,
        turn: &Turn<'_, '_>,
        search: &Search<'s, '_>,
    ) -> Option<(&'s RankedOffer, Quote)> {
        let (now, demand, tasks) = (turn.now(), search.ask.demand, search.quoted());
        let key = |&(one, quote): &(&RankedOffer, Quote)| {
            let carbon = carbon(turn.world(), one, quote, (now, demand, tasks));
            (carbon.is_none(), carbon, quote.cost, quote.instances, one.offer)
        };
        search.quotes(turn).min_by_key(key)
    }
}

/// Carbon of `tasks` tasks of `demand` on instances that are requested `now`, in microwatts times
/// microseconds times micrograms per kWh; `None` if it is not known.
fn carbon(
    world: &World,
    one: &RankedOffer,
    quote: Quote,
    (now, demand, tasks): (Time, Demand, u32),
) -> Option<i128> {
    let region = &world.regions[world.region_of(one.offer)];
    let machine = world.type_of(one.offer);
    let (power, grid) = (machine.power.as_ref()?, region.carbon.as_ref()?);
    let draws = |tasks: u32| power.at(machine.shape.load(demand, tasks), machine.shape.loadable());
    let ready = now.saturating_add(one.boot);
    let (boot, run) =
        (passed(grid, now, ready), passed(grid, ready, now.saturating_add(quote.end)));
    // All instances are full but one.
    let full = tasks / one.each;
    let rest = tasks % one.each;
    let at_work = i128::from(full) * i128::from(draws(one.each))
        + if rest > 0 { i128::from(draws(rest)) } else { 0 };
    let idle = i128::from(quote.instances) * i128::from(power.idle());
    let effectiveness = i128::from(region.pue_millionths);
    let carbon = idle.saturating_mul(boot).saturating_add(at_work.saturating_mul(run));
    Some(carbon.saturating_mul(effectiveness) / 1_000_000)
}

/// Integral of the grid's intensity between two times.
fn passed(grid: &StepPath, from: Time, until: Time) -> i128 {
    grid.integral(until) - grid.integral(from)
}
