//! The offers for alike work, and what it would cost and take there.

use super::Reach;
use crate::model::{Ask, Billing, Link, Offer, Provider, Region, World, Zone};
use crate::policy::turn::Turn;
use crate::state::LiveWork;
use crate::units::{Id, Money, Rate, Span, Time};

/// Offers that may and can run work of one demand, rule set, kind and home,
/// in order of their price for the same progress.
#[derive(Debug)]
pub(super) struct OfferRanking {
    pub(super) candidates: Vec<RankedOffer>,
    /// Providers with a candidate, in order.
    pub(super) providers: Vec<Id<Provider>>,
    /// Time of the next change of a price; until then, rates and order hold; `None` if no price
    /// changes any more.
    until: Option<Time>,
    /// Changes of prices that are in, where prices are drawn.
    seen: Option<u64>,
}

/// An offer, for one kind of work.
#[derive(Clone, Debug)]
pub(super) struct RankedOffer {
    pub(super) offer: Id<Offer>,
    pub(super) provider: Id<Provider>,
    pub(super) zone: Id<Zone>,
    /// Tasks that one instance holds, or one where no two may share it.
    pub(super) each: u32,
    /// Millionths of the reference machine.
    pub(super) speed: u32,
    pub(super) boot: Span,
    billing: Billing,
    /// Links for data in and out; `None` at home.
    pub(super) links: Option<(Link, Link)>,
    pub(super) rate: Rate,
    /// Pico-dollars per hour of progress of a task, rounded down.
    unit: i128,
}

/// Cost of a job on an offer, the instances that it takes, and its end there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quote {
    pub(super) cost: Money,
    /// The part of it for moving data.
    pub(super) moved: Money,
    pub(super) instances: u32,
    pub(super) end: Span,
}

impl OfferRanking {
    /// Looks through all offers once.
    pub(super) fn new(
        turn: &Turn<'_, '_>,
        live: &LiveWork,
        (reach, boots): (&Reach, &[Span]),
    ) -> Self {
        let world = turn.world();
        let open = world.offers.ids().filter(|&offer| reach.supplies(world, offer));
        let candidates: Vec<RankedOffer> =
            open.filter_map(|offer| RankedOffer::new(turn, live, offer, boots)).collect();
        let mut providers: Vec<_> = candidates.iter().map(|one| one.provider).collect();
        providers.sort_unstable();
        providers.dedup();
        let drawn = |one: &RankedOffer| !turn.world().offers[one.offer].price.drawn.is_empty();
        let seen = candidates.iter().any(drawn).then(|| turn.price_changes());
        Self { candidates, providers, until: Some(Time::MIN), seen }
    }

    /// Takes in new prices. Returns whether there were any.
    pub(super) fn refresh(&mut self, turn: &Turn<'_, '_>) -> bool {
        let now = turn.now();
        let changes = turn.price_changes();
        let is_same = self.seen.is_none_or(|seen| seen == changes);
        if is_same && self.until.is_none_or(|until| now < until) {
            return false;
        }
        self.until = None;
        self.seen = self.seen.map(|_| changes);
        for one in &mut self.candidates {
            one.rate = turn.price(one.offer);
            let progress = i128::from(one.each) * i128::from(one.speed.max(1));
            one.unit = i128::from(one.rate.picos()) * 1_000_000 / progress;
            let changes = &turn.world().offers[one.offer].price.changes;
            let next = changes.partition_point(|&(from, _)| from <= now);
            let next = changes.get(next).map(|&(from, _)| from);
            self.until = next.into_iter().chain(self.until).min();
        }
        self.candidates.sort_unstable_by_key(|one| (one.unit, one.offer));
        true
    }
}

impl RankedOffer {
    fn new(turn: &Turn<'_, '_>, live: &LiveWork, offer: Id<Offer>, boots: &[Span]) -> Option<Self> {
        let ask = &live.ask;
        let (world, rules) = (turn.world(), turn.rules(ask.rules));
        let holds = world.type_of(offer).shape.holds(ask.demand);
        if holds == 0 || !rules.allows(offer) {
            return None;
        }
        let provider = world.provider_of(offer);
        let facts = &world.offers[offer];
        let home = ask.home.and_then(|home| turn.home_region(home));
        Some(Self {
            offer,
            provider,
            zone: facts.zone,
            each: rules.each(ask.demand, holds),
            speed: rules.speed(live.kind, offer),
            boot: boots[offer.row()],
            billing: world.providers[provider].billing,
            links: home.and_then(|home| links(turn, home, world.region_of(offer))),
            rate: Rate::ZERO,
            unit: 0,
        })
    }

    /// Instances for `tasks` tasks.
    pub(super) fn instances(&self, tasks: u32) -> u32 {
        tasks.div_ceil(self.each)
    }

    /// The cost of `tasks` tasks there: their instances for the boot, the
    /// estimate at the offer's speed and the way of the data, by the provider's
    /// billing rule at the price now, and moving the data. And when they end.
    pub(super) fn quote(&self, ask: &Ask, tasks: u32) -> Quote {
        let (links, moved) = match self.links {
            Some((inbound, outbound)) => {
                let (input, output) =
                    (ask.part_of(ask.input, tasks), ask.part_of(ask.output, tasks));
                (
                    inbound.time(input) + outbound.time(output),
                    Money::for_bytes(input, inbound.nanos_per_gib)
                        + Money::for_bytes(output, outbound.nanos_per_gib),
                )
            }
            None => (Span::ZERO, Money::ZERO),
        };
        let run = i128::from(expected(ask).micros()) * 1_000_000;
        let speed = i128::from(self.speed.max(1));
        let run = (run + speed - 1) / speed;
        let fixed = i128::from((self.boot + links).micros());
        // Far beyond any run, and short enough to round up and to add to a clock.
        let life = i64::try_from(run + fixed).unwrap_or(i64::MAX).min(i64::MAX / 4);
        let end = Span::from_micros(life);
        let instances = self.instances(tasks);
        // Rounded once: many small instances cost what few large ones of the same price do.
        let one = self.rate.accrue(self.billing.billed(end));
        let all = one.saturating_mul(i128::from(instances)).min(i128::MAX / 2);
        let cost = Money::from_accrued(all) + moved;
        Quote { cost, moved, instances, end }
    }

    /// No quote for as many tasks is lower, here or further down the ranking.
    pub(super) fn floor(&self, ask: &Ask, tasks: u32) -> Money {
        let hours = i128::from(expected(ask).micros().min(i64::MAX / 4)) * i128::from(tasks);
        // Each task's rate was rounded down, and the cost by less than a nano-dollar.
        Money::from_nanos(hours * self.unit / (1_000 * 3_600_000_000) - i128::from(tasks))
    }
}

/// Boot time that is assumed for instances of each offer: the mean, else the median.
pub(super) fn boots(world: &World) -> Vec<Span> {
    world.offers.rows().iter().map(Offer::mean_boot).collect()
}

/// The estimate, or one hour.
fn expected(ask: &Ask) -> Span {
    ask.estimate.unwrap_or(Span::HOUR)
}

fn links(turn: &Turn<'_, '_>, home: Id<Region>, region: Id<Region>) -> Option<(Link, Link)> {
    (home != region).then(|| (turn.world().link(home, region), turn.world().link(region, home)))
}
