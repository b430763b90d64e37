//! Published windows in windtunnel's own semantics: events in place of ticks, in an ordinary run.

use super::ticks::{PER_MICRO, TickRules, TickZone};
use crate::metrics::{Collector, Laws};
use crate::model::{
    Ask, CapacityPath, Checkpoint, Interner, OfferSpec, PricePath, Work, World, WorldBuilder,
};
use crate::policy;
use crate::policy::provision::ProvisionSpec;
use crate::policy::spec::PolicySpec;
use crate::sim::Run;
use crate::units::{Demand, Distribution, Money, Rate, Shape, Span, Time};
use crate::workload::WorkList;

const SHAPE: Shape = Shape { cpu: 1_000, memory: 0, gpus: 0 };
const DEMAND: Demand = Demand { cpu: 1_000, memory: 0, gpus: 0, gpu_share: 0, exclusive: false };

/// Warning of Google Cloud, in which the work moves with all that it did.
const NOTICE: Span = Span::from_secs(30);

/// How a window went.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct OwnResult {
    pub(super) cost: Money,
    pub(super) is_in_time: bool,
}

/// Runs the work of a window under a provision part. A restart is a boot of that time and the copy of a
/// checkpoint, which takes `copy` wherever it goes.
///
/// # Errors
/// A sentence on a run that could not be done, or that broke a law: a bug.
pub(super) fn run(
    part: ProvisionSpec,
    rules: &TickRules,
    zones: &[TickZone<'_>],
    copy: Span,
) -> Result<OwnResult, String> {
    let world = world(rules, zones)?;
    let runtime = i64::try_from(rules.total / PER_MICRO).map_err(|error| error.to_string())?;
    let runtime = Span::from_micros(runtime);
    let mut names = Interner::default();
    let mut work = Work::job(0, Time::ZERO, DEMAND, runtime);
    work.ask = Ask {
        estimate: Some(runtime),
        deadline: Some(Time::ZERO + rules.deadline),
        resumes: true,
        checkpoint: Some(
            names.checkpoint(Checkpoint { restore: copy, ..Checkpoint::blocking(Span::ZERO) }),
        ),
        ..work.ask
    };
    let spec = PolicySpec { provision: part, ..PolicySpec::named("spot") };
    let mut policy = policy::build(&spec);
    let mut seen = (Collector::default(), Laws::new(false));
    let works = [work];
    let mut source = WorkList::new(&works).named(names);
    let run = Run::new(&world, &mut source).policy(&mut *policy).observe(&mut seen);
    let outcome = run.run().map_err(|failure| format!("a window: {failure:?}"))?;
    let (collector, laws) = seen;
    if let Some(broken) = laws.broken() {
        return Err(format!("a window broke a law: {} ({})", broken.law, broken.found));
    }
    let summary = collector.summary(&world, &[], &outcome);
    let is_in_time = outcome.drained && outcome.ended <= Time::ZERO + rules.deadline;
    Ok(OwnResult { cost: summary.cost.total, is_in_time })
}

/// On demand without limit and one spot instance in each zone, while its trace says so.
fn world(rules: &TickRules, zones: &[TickZone<'_>]) -> Result<World, String> {
    let boot = || Distribution::Constant(rules.restart.secs_f64());
    let at = |tick: usize| Time::from_micros(rules.tick.micros() * tick as i64);
    let mut prices: Vec<Rate> = Vec::new();
    let mut builder = World::builder();
    for (row, zone) in zones.iter().enumerate() {
        let place = format!("gcp/r{}/z{row}", zone.terms.region);
        let counts = zone.up.iter().map(|&is_up| Some(u32::from(is_up)));
        let mut changes: Vec<(Time, Option<u32>)> =
            counts.enumerate().map(|(tick, count)| (at(tick), count)).collect();
        changes.dedup_by_key(|&mut (_, count)| count);
        let first = changes.first().map_or(Some(0), |&(_, count)| count);
        let path = CapacityPath::known(first, changes.split_off(1.min(changes.len())));
        let spot = OfferSpec::spot(&place, "h100", SHAPE, "1").boot(boot()).capacity(path);
        let on_demand = OfferSpec::on_demand(&place, "h100", SHAPE, "1").boot(boot());
        builder = [on_demand, spot].into_iter().fold(builder, WorldBuilder::offer);
        prices.extend([zone.terms.on_demand, zone.terms.spot]);
    }
    let builder = builder.provider("gcp", |gcp| gcp.spot.notice = NOTICE);
    let mut world = builder.build().map_err(|problems| format!("{problems:?}"))?;
    for (offer, price) in world.offers.rows_mut().iter_mut().zip(prices) {
        offer.price = PricePath::constant(price);
    }
    Ok(world)
}

#[cfg(test)]
mod tests {
    use super::super::ticks::BilledEnd;
    use super::*;
    use crate::policy::provision::SPOT;
    use crate::policy::spot::SpotZone;

    /// An hour of work with boots of a minute and copies of half a minute, in ticks of ten minutes at
    /// 1.20 dollars an hour on spot. It is warned at 20 and launched again at 30 min: 19 min are done
    /// by then, and the other 41 end at 30 + 1 + 0.5 + 41 = 72.5 min: 62.5 min are paid.
    #[test]
    fn a_window_is_that_by_hand() {
        let rate = |text| Rate::parse(text).expect("a price");
        let (on_demand, spot) = (rate("6"), rate("1.2"));
        let terms = SpotZone { on_demand, spot, region: 0, copy: Money::ZERO };
        let up = [true, true, false, true, true, true, true, true, true, true, true, true];
        let rules = TickRules {
            tick: Span::from_secs(600),
            deadline: Span::from_secs(7_200),
            total: i128::from(Span::HOUR.micros()) * PER_MICRO,
            restart: Span::from_secs(60),
            end: BilledEnd::LastTick,
            has_net: false,
            copy: Money::ZERO,
        };
        let part = SPOT.spec().set("every", Span::from_secs(600));
        let zones = [TickZone { terms, up: &up }];
        let found = run(part, &rules, &zones, Span::from_secs(30)).expect("it runs");
        assert!((found.cost.dollars() - 62.5 * 0.02).abs() < 1e-9, "{found:?}");
        assert!(found.is_in_time);
    }
}
