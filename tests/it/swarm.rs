//! Hundreds of small random scenarios with every feature at once. Each keeps
//! every law under audit, gives the same fingerprint twice, and obeys the
//! symmetries that any simulator must have: an unused provider changes nothing,
//! dearer prices cost that much more, slower clocks take that much longer.
//! And together they must reach every corner that they are meant to test.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use windtunnel::metrics::{Fingerprint, Laws};
use windtunnel::model::{
    Ask, Billing, Budget, BudgetPeriod, BudgetScope, CapacityLaw, CapacityPath, Checkpoint,
    ClassOrder, CommitmentTake, Comovement, ComovementMember, DrawnCapacity, DrawnPrice, Fault,
    FaultDomain, FaultEffect, FaultTimes, Filter, GpuModel, HeldCommitment, InstanceType, Interner,
    LaunchStage, LaunchTerms, Lemons, LevelLaw, Link, Market, Migration, Offer, PowerCurve,
    PriceLaw, PriceMotion, PricePath, Provider, Quota, QuotaUnit, Reclaimed, Region, Rules,
    Speedup, SpotTerms, Spread, StateLaw, StepPath, Throttle, Together, Work, WorkId, WorkKind,
    World, Zone,
};
use windtunnel::part::{Part, Setting, SettingKind};
use windtunnel::policy::spec::{
    AdmitSpec, DemandMix, GpuMachines, Narrow, OfferScope, PartSpec, PolicySpec, Reach,
};
use windtunnel::policy::{
    self, backfill, cap, checkpoint, order, place, preempt, provision, recover, release, shift,
};
use windtunnel::sim::{self, Observer, Options, Outcome};
use windtunnel::state::{
    ChargeKind, Ending, Exit, LaunchRefusal, Phase, Record, RefusalReason, State, WorkRef,
};
use windtunnel::units::{
    Calendar, Demand, Distribution, Id, IdVec, Money, Rate, Shape, Span, Time,
};
use windtunnel::workload::WorkList;

use crate::dice::Dice;

const SEEDS: u64 = 4_000;

/// Everything that a run depends on.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) world: World,
    pub(crate) works: Vec<Work>,
    pub(crate) names: Interner,
    pub(crate) policy: PolicySpec,
    pub(crate) options: Options,
}

// ---------------------------------------------------------------------------
// Random scenarios.
// ---------------------------------------------------------------------------

/// A price of which every microsecond costs whole nano-dollars.
const EXACT_PRICE: i64 = 3_600_000_000_000;

fn secs(dice: &mut Dice, low: u64, high: u64) -> Span {
    Span::from_secs(dice.within(low, high) as i64)
}

pub(crate) fn scenario(seed: u64) -> Scenario {
    let mut dice = Dice::new(seed);
    let world = world(&mut dice);
    let names = names(&mut dice, &world);
    let works = works(&mut dice, &names);
    let policy = policy(&mut dice, &world, &works);
    let horizon = dice.once_in(6).then(|| Time::ZERO + secs(&mut dice, 10, 2_000));
    let options = Options { seed, horizon, max_events: 2_000_000, ..Options::default() };
    let mut scenario = Scenario { world, works, names, policy, options };
    // From draws of its own, so that the others stay.
    add_checkpoints(&mut Dice::new(!seed), &mut scenario);
    add_weather(&mut Dice::new(seed ^ 0x005e_ed0f_3ea7), &mut scenario);
    add_faults(&mut Dice::new(seed.rotate_left(32)), &mut scenario);
    add_shifts(&mut Dice::new(seed.rotate_left(16)), &mut scenario);
    add_spot_terms(&mut Dice::new(seed.rotate_left(48)), &mut scenario);
    add_slowness(&mut Dice::new(seed.rotate_left(40)), &mut scenario);
    add_broken_devices(&mut Dice::new(seed.rotate_left(60)), &mut scenario);
    add_launches(&mut Dice::new(seed.rotate_left(24)), &mut scenario);
    add_recovery(&mut Dice::new(seed.rotate_left(8)), &mut scenario);
    add_migration(&mut Dice::new(seed.rotate_left(56)), &mut scenario);
    add_shrinking(&mut Dice::new(seed.rotate_left(4)), &mut scenario);
    add_budgets(&mut Dice::new(seed.rotate_left(12)), &mut scenario);
    add_stops(&mut Dice::new(seed.rotate_left(36)), &mut scenario);
    add_commitments(&mut Dice::new(seed.rotate_left(20)), &mut scenario);
    scenario
}

/// Half of the scenarios hold reserved or kept machines of some offers for a part of the run.
fn add_commitments(dice: &mut Dice, scenario: &mut Scenario) {
    if dice.once_in(2) {
        return;
    }
    for row in 0..dice.within(1, 3) {
        let offers = scenario.world.offers.iter();
        let rented = offers.filter(|(_, facts)| facts.market == Market::OnDemand);
        let takes =
            rented.map(|(offer, _)| (offer, CommitmentTake::Units(dice.within(1, 4) * 1_000)));
        let takes: Vec<_> = takes.collect();
        let from = Time::ZERO + secs(dice, 0, 600);
        scenario.world.commitments.push(HeldCommitment {
            name: format!("commitment {row}"),
            from,
            until: from + secs(dice, 1, 4_000),
            ends: from + secs(dice, 1, 4_000),
            known: dice.once_in(2).then_some(from),
            order: [dice.within(0, 2) as u32, 0, row as u32],
            is_kept: dice.once_in(3),
            amount: i128::from(dice.within(0, 8)) * 1_000,
            takes,
        });
    }
}

/// Half of the scenarios have budgets: in all, of a provider or of a tenant, that are or are not used up.
fn add_budgets(dice: &mut Dice, scenario: &mut Scenario) {
    if dice.once_in(2) {
        return;
    }
    let providers = scenario.world.providers.len() as u64;
    if dice.once_in(2) {
        let (world, mix) = (&scenario.world, DemandMix::default());
        scenario.policy.cap = PartDice { world, mix }.of(dice, cap::PARTS);
    }
    for row in 0..dice.within(1, 4) {
        let of = match dice.within(0, 2) {
            0 => BudgetScope::Total,
            1 => BudgetScope::Provider(Id::new(dice.within(1, providers) as u32 - 1)),
            _ => BudgetScope::Tenant(dice.of(&["red", "blue", "nobody"]).to_owned()),
        };
        let period = match dice.within(0, 2) {
            0 => BudgetPeriod::Run,
            1 => BudgetPeriod::Clock(secs(dice, 60, 3_600)),
            _ => BudgetPeriod::Month,
        };
        // Some have room for hardly anything.
        let most = if dice.once_in(3) { 20 } else { 4_000 };
        scenario.world.budgets.push(Budget {
            name: format!("budget {row}"),
            of,
            limit: Money::from_nanos(i128::from(dice.within(1, most)) * 1_000_000_000),
            period,
            alert_at: vec![500_000, 1_000_000],
            forecast_at: vec![1_000_000],
        });
    }
}

/// A third of the scenarios hold work for low carbon or prices, and most have grids that change.
fn add_shifts(dice: &mut Dice, scenario: &mut Scenario) {
    if !dice.once_in(3) {
        return;
    }
    for region in scenario.world.regions.rows_mut() {
        let mut at = Time::from_secs(-100);
        let changes: Vec<(Time, i64)> = (0..dice.within(0, 30))
            .map(|_| {
                at = at + secs(dice, 1, 200);
                (at, dice.of(&[100_000_000, 200_000_000, 300_000_000]))
            })
            .collect();
        region.carbon = Some(StepPath::known(150_000_000, changes));
    }
    let (world, mix) = (&scenario.world, DemandMix::default());
    scenario.policy.shift = PartDice { world, mix }.of(dice, shift::PARTS);
}

/// A third of the scenarios have offers whose capacity or price is drawn, for ever where what is known
/// ends: so they have a horizon.
fn add_weather(dice: &mut Dice, scenario: &mut Scenario) {
    if !dice.once_in(3) {
        return;
    }
    let group = dice.once_in(3).then(|| comovement(dice));
    for offer in scenario.world.offers.rows_mut() {
        let from = offer.capacity.changes.last().map(|&(at, _)| at);
        let (until, key) = (None, [dice.within(0, 2), 0]);
        let anchor = from.unwrap_or(Time::ZERO);
        if offer.market != Market::Owned && dice.once_in(2) {
            let law = Arc::new(capacity_law(dice));
            let moves_with = group
                .clone()
                .map(|group| ComovementMember { group, row: dice.within(0, 1) as usize });
            let drawn = DrawnCapacity { from, until, anchor, key, law, moves_with };
            offer.capacity.drawn = vec![drawn];
        }
        let from = offer.price.changes.last().map(|&(at, _)| at);
        let anchor = from.unwrap_or(Time::ZERO);
        if offer.market != Market::Owned && dice.once_in(3) {
            let law = Arc::new(price_law(dice));
            let drawn = DrawnPrice { from, until, anchor, key, law, scales: Vec::new() };
            offer.price.drawn = vec![drawn];
        }
    }
    let horizon = Time::ZERO + secs(dice, 1_000, 10_000);
    scenario.options.horizon = Some(scenario.options.horizon.unwrap_or(horizon));
}

/// Two paths that are rarely there at once.
fn comovement(dice: &mut Dice) -> Arc<Comovement> {
    let steps = (Span::from_secs(600), secs(dice, 30, 200));
    Arc::new(Comovement::new(&[0.4, 0.5], &[((0, 1), -0.4)], steps, 1).expect("it is possible"))
}

/// A price in steps, or one that reverts.
fn price_law(dice: &mut Dice) -> PriceLaw {
    let bounds = (Rate::from_picos(EXACT_PRICE), Rate::from_picos(EXACT_PRICE * 4));
    let motion = match dice.once_in(2) {
        true => PriceMotion::Stepwise {
            to: Distribution::empirical_equal(&[3.6, 7.2, 14.4]).expect("a law"),
            chance: 0.5,
        },
        false => {
            PriceMotion::Reverting { median: 7.2, sigma: 0.5, relaxation: Span::from_secs(600) }
        }
    };
    PriceLaw::new(motion, secs(dice, 60, 300), bounds).expect("a law")
}

/// A third of the scenarios whose policies do not count their instances have spot instances that are
/// stopped or hibernated.
fn add_stops(dice: &mut Dice, scenario: &mut Scenario) {
    if !dice.once_in(3) || scenario.policy.follows_instances() {
        return;
    }
    for provider in scenario.world.providers.rows_mut() {
        provider.spot.reclaimed = dice.of(&Reclaimed::ALL);
        provider.spot.restart = secs(dice, 0, 60);
    }
    if dice.once_in(3) {
        let patience = secs(dice, 0, 600);
        scenario.policy.recover.settings.set("stopped_for", Setting::Span(patience));
    }
}

/// A third of the scenarios have spot instances that are protected, end at an age, or must not cost
/// too much. Work may never be done by that age: so they have a horizon.
fn add_spot_terms(dice: &mut Dice, scenario: &mut Scenario) {
    if !dice.once_in(3) {
        return;
    }
    for provider in scenario.world.providers.rows_mut() {
        let terms = &mut provider.spot;
        terms.protected = Span::from_secs(dice.of(&[0, 0, 60, 300]));
        terms.longest = dice.of(&[None, Some(300), Some(900)]).map(Span::from_secs);
    }
    for offer in scenario.world.offers.rows_mut() {
        if offer.market == Market::Spot && dice.once_in(3) {
            offer.max_price = Some(Rate::from_picos(dice.within(2, 9) as i64 * EXACT_PRICE));
        }
    }
    for provider in scenario.world.providers.rows_mut() {
        provider.spot.rebalance = dice.of(&[None, Some(60), Some(600)]).map(Span::from_secs);
    }
    let horizon = Time::ZERO + secs(dice, 1_000, 10_000);
    scenario.options.horizon = Some(scenario.options.horizon.unwrap_or(horizon));
}

/// A third of the scenarios have launches that come to nothing, stages of boots, and throttles.
fn add_launches(dice: &mut Dice, scenario: &mut Scenario) {
    if !dice.once_in(3) {
        return;
    }
    let constant = |dice: &mut Dice, most| Distribution::Constant(dice.within(0, most) as f64);
    for offer in scenario.world.offers.rows_mut() {
        if offer.market != Market::Owned && dice.once_in(2) {
            offer.launch.stages[LaunchStage::Image as usize] = constant(dice, 60);
            offer.launch.fails = dice.of(&[0, 300_000, 700_000]);
            offer.launch.fails_after = constant(dice, 120);
        }
    }
    for provider in scenario.world.providers.rows_mut() {
        let every = Span::from_secs(dice.within(1, 60) as i64);
        let burst = dice.within(1, 8) as u32;
        provider.throttle = dice.once_in(2).then_some(Throttle { burst, every });
    }
    // Gangs may be larger than what is let through at once, and be asked for for ever.
    let horizon = Time::ZERO + secs(dice, 1_000, 10_000);
    scenario.options.horizon = Some(scenario.options.horizon.unwrap_or(horizon));
}

/// A third of the scenarios have a policy that minds where work is tried again, when and how often.
fn add_recovery(dice: &mut Dice, scenario: &mut Scenario) {
    if !dice.once_in(3) {
        return;
    }
    let (world, mix) = (&scenario.world, DemandMix::default());
    scenario.policy.recover = PartDice { world, mix }.of(dice, recover::PARTS);
    let settings = &mut scenario.policy.recover.settings;
    settings.set("retries", Setting::Count(dice.within(0, 4)));
    settings.set("backoff", Setting::Span(secs(dice, 0, 60)));
}

/// A third of the scenarios have gangs that can run with fewer tasks, most with a speedup that is not
/// linear.
fn add_shrinking(dice: &mut Dice, scenario: &mut Scenario) {
    if !dice.once_in(3) {
        return;
    }
    for work in scenario.works.iter_mut().filter(|work| work.ask.gang && work.ask.tasks > 1) {
        work.min_tasks = dice.within(0, u64::from(work.ask.tasks)) as u32;
        work.speedup = Speedup::amdahl(dice.of(&[1_000_000, 950_000, 500_000, 0]));
    }
    scenario.policy.recover.settings.set("shrink", Setting::Flag(true));
}

/// Half of the scenarios have tasks that leave machines that are warned, and some move them together.
/// All times and bytes of three rounds are whole.
fn add_migration(dice: &mut Dice, scenario: &mut Scenario) {
    scenario.world.migration = Migration {
        bytes_per_sec: dice.of(&[0, 1 << 26]),
        rewrites: Span::from_secs(dice.of(&[1, 64])),
        pause: Span::from_secs(dice.of(&[0, 2])),
        rounds: 3,
    };
    if dice.once_in(2) {
        let settings = &mut scenario.policy.recover.settings;
        settings.set("on_warning", Setting::Word(dice.of(&["migrate", "live-migrate"])));
        settings.set("on_rebalance", Setting::Word(dice.of(&["stay", "migrate", "live-migrate"])));
    }
    if dice.once_in(4) {
        let manner = Setting::Word(dice.of(&["migrate", "live-migrate"]));
        let every = secs(dice, 1, 60);
        let part = release::CONSOLIDATE.spec().set("manner", manner).set("every", every);
        scenario.policy.release = part;
    }
}

/// Times of launches, made so many times as long.
pub(crate) fn stretch_launches(world: &mut World, times: i64) {
    for offer in world.offers.rows_mut() {
        let terms = &mut offer.launch;
        for time in terms.stages.iter_mut().chain([&mut terms.fails_after]) {
            if let Distribution::Constant(secs) = time {
                *secs *= times as f64;
            }
        }
    }
    for provider in world.providers.rows_mut() {
        if let Some(throttle) = &mut provider.throttle {
            throttle.every = Span::from_micros(throttle.every.micros() * times);
        }
    }
}

/// Times of terms for spot instances, made so many times as long.
pub(crate) fn stretch_spot(world: &mut World, times: i64) {
    let long = |span: Span| Span::from_micros(span.micros() * times);
    for provider in world.providers.rows_mut() {
        let terms = provider.spot;
        provider.spot = SpotTerms {
            notice: long(terms.notice),
            protected: long(terms.protected),
            longest: terms.longest.map(long),
            rebalance: terms.rebalance.map(long),
            restart: long(terms.restart),
            reclaimed: terms.reclaimed,
        };
    }
}

/// A third of the scenarios have machines that fail, and parts of the world that are out. Work may
/// never outlive its machines: so they have a horizon.
fn add_faults(dice: &mut Dice, scenario: &mut Scenario) {
    if !dice.once_in(3) || scenario.world.offers.is_empty() {
        return;
    }
    let horizon = Time::ZERO + secs(dice, 1_000, 10_000);
    scenario.options.horizon = Some(scenario.options.horizon.unwrap_or(horizon));
    let world = &mut scenario.world;
    for row in 0..dice.within(1, 3) {
        let of = |dice: &mut Dice| !dice.once_in(3);
        let mut offers: Vec<Id<Offer>> = world.offers.ids().filter(|_| of(dice)).collect();
        if offers.is_empty() {
            offers.extend(world.offers.ids());
        }
        let machines = dice.of(&[FaultEffect::Machines, FaultEffect::MachinesAndLaunches]);
        let (domain, effect, times) = match dice.within(0, 2) {
            0 => {
                let machines = FaultDomain::Machines(dice.within(1, 3) as u32);
                (machines, FaultEffect::Machines, fault_laws(dice))
            }
            1 => (FaultDomain::Share(dice.of(&[500_000, 1_000_000])), machines, fault_laws(dice)),
            _ => {
                let from = Time::ZERO + secs(dice, 0, 300);
                let until = (!dice.once_in(4)).then(|| from + secs(dice, 1, 300));
                let effect = dice.of(&[FaultEffect::Launches, machines]);
                let times = FaultTimes::Periods(vec![(from, until)]);
                (FaultDomain::Share(1_000_000), effect, times)
            }
        };
        let crews = dice.once_in(3).then_some(1);
        let loses_data = effect == FaultEffect::MachinesAndLaunches && dice.once_in(3);
        let home = world.region_name(world.region_of(offers[0]));
        let loses_data_of = if loses_data { vec![home] } else { Vec::new() };
        let name = format!("fault {row}");
        let surge = None;
        let fault = Fault { name, offers, domain, effect, times, loses_data_of, surge, crews };
        world.faults.push(fault);
    }
}

/// Half of the scenarios with GPUs have some that break while their machines go on: one by one, all of one
/// machine or of several. Work may never outlive its devices: so they have a horizon.
fn add_broken_devices(dice: &mut Dice, scenario: &mut Scenario) {
    let world = &scenario.world;
    let offers: Vec<_> = world.offers.ids().filter(|&offer| world.gpus_of(offer) > 0).collect();
    if offers.is_empty() || dice.once_in(2) {
        return;
    }
    let horizon = Time::ZERO + secs(dice, 1_000, 10_000);
    scenario.options.horizon = Some(scenario.options.horizon.unwrap_or(horizon));
    for row in 0..dice.within(1, 2) {
        let period = |dice: &mut Dice| {
            let from = Time::ZERO + secs(dice, 0, 300);
            (from, (!dice.once_in(4)).then(|| from + secs(dice, 1, 300)))
        };
        let (domain, times) = match dice.within(0, 4) {
            0 | 1 => (FaultDomain::Device, fault_laws(dice)),
            2 => {
                let parts = (0..dice.within(1, 8)).map(|_| vec![period(dice)]).collect();
                (FaultDomain::Device, FaultTimes::Listed(parts))
            }
            3 => (FaultDomain::Machines(dice.within(1, 3) as u32), fault_laws(dice)),
            _ => {
                let share = dice.of(&[500_000, 1_000_000]);
                (FaultDomain::Share(share), FaultTimes::Periods(vec![period(dice)]))
            }
        };
        scenario.world.faults.push(Fault {
            name: format!("devices {row}"),
            offers: offers.clone(),
            domain,
            effect: FaultEffect::Devices,
            times,
            loses_data_of: Vec::new(),
            surge: None,
            crews: dice.once_in(3).then_some(1),
        });
    }
}

/// A third of the scenarios have machines that are slow at times, or a network that is.
fn add_slowness(dice: &mut Dice, scenario: &mut Scenario) {
    if !dice.once_in(3) {
        return;
    }
    let world = &mut scenario.world;
    let offers: Vec<_> = world.offers.ids().filter(|_| !dice.once_in(3)).collect();
    let share = dice.of(&[250_000, 500_000]);
    let effect = dice.of(&[FaultEffect::Speed(share), FaultEffect::NetworkSpeed(share)]);
    let from = Time::ZERO + secs(dice, 0, 300);
    let period = (from, (!dice.once_in(4)).then(|| from + secs(dice, 1, 300)));
    let (domain, times) = match dice.within(0, 3) {
        0 => (FaultDomain::Machines(dice.within(1, 3) as u32), fault_laws(dice)),
        1 => {
            (FaultDomain::Machines(1), FaultTimes::Listed(vec![vec![period], vec![], vec![period]]))
        }
        2 => (FaultDomain::Share(500_000), fault_laws(dice)),
        _ => (FaultDomain::Share(1_000_000), FaultTimes::Periods(vec![period])),
    };
    let (name, loses_data_of) = ("slow".to_owned(), Vec::new());
    let (surge, crews) = (None, None);
    let fault = Fault { name, offers, domain, effect, times, loses_data_of, surge, crews };
    if !fault.offers.is_empty() {
        world.faults.push(fault);
    }
}

/// All failures so many times as late, and as long.
pub(crate) fn stretch_faults(world: &mut World, times: i64) {
    let later = |at: Time| Time::from_micros(at.micros() * times);
    let stretch = |(from, until): &mut (Time, Option<Time>)| {
        (*from, *until) = (later(*from), until.map(later));
    };
    for fault in &mut world.faults {
        match &mut fault.times {
            FaultTimes::Periods(periods) => periods.iter_mut().for_each(stretch),
            FaultTimes::Listed(parts) => parts.iter_mut().flatten().for_each(stretch),
            FaultTimes::Drawn { life, repair, .. } => {
                for law in [life, repair] {
                    let Distribution::Constant(secs) = law else { panic!("all are constant") };
                    *secs *= times as f64;
                }
            }
        }
    }
}

fn fault_laws(dice: &mut Dice) -> FaultTimes {
    let law = |dice: &mut Dice, low, high| Distribution::Constant(dice.within(low, high) as f64);
    let lemons = dice.once_in(3).then_some(Lemons { share: 500_000, times: 4.0 });
    FaultTimes::Drawn { life: law(dice, 20, 900), repair: law(dice, 0, 200), lemons }
}

/// Half of the scenarios have work that writes checkpoints.
fn add_checkpoints(dice: &mut Dice, scenario: &mut Scenario) {
    if dice.once_in(2) {
        return;
    }
    for _ in 0..dice.within(1, 3) {
        let most = dice.of(&[0, 20, 100]);
        let (write, restore) = (secs(dice, 0, most), secs(dice, 0, most));
        let blocking = !dice.once_in(3);
        scenario.names.checkpoint(Checkpoint { write, blocking, restore });
    }
    let last = scenario.names.checkpoints().len() as u64 - 1;
    for work in &mut scenario.works {
        let checkpoint = Id::new(dice.within(0, last) as u32);
        work.ask.checkpoint = (!dice.once_in(4)).then_some(checkpoint);
    }
    let (world, mix) = (&scenario.world, DemandMix::default());
    scenario.policy.checkpoint = PartDice { world, mix }.of(dice, checkpoint::PARTS);
    if scenario.policy.checkpoint.is(&checkpoint::PERIODIC) {
        let every = secs(dice, 1, 60).into();
        scenario.policy.checkpoint.settings.set("every", every);
    }
}

fn world(dice: &mut Dice) -> World {
    let mut world = World::empty(Calendar::from_unix_micros(1_772_366_400_000_000));
    if dice.once_in(8) {
        world.classes = ClassOrder { arrivals_first: true, ask_per_event: dice.once_in(2) };
    }
    for model in ["T4", "A100"] {
        world.gpu_models.push(GpuModel { name: model.to_owned() });
    }
    let clouds = dice.within(0, 3);
    if clouds == 0 || dice.once_in(2) {
        add_cluster(dice, &mut world);
    }
    for cloud in 0..clouds {
        add_cloud(dice, &mut world, &format!("cloud{cloud}"));
    }
    add_quotas(dice, &mut world);
    let regions = world.regions.len();
    if dice.once_in(2) {
        let link = |dice: &mut Dice| Link {
            nanos_per_gib: dice.within(0, 100) as i64 * 1_000_000,
            bytes_per_sec: dice.of(&[0, 1 << 25, 1 << 28]),
            path: None,
        };
        world.links = (0..regions * regions).map(|_| link(dice)).collect();
        for region in 0..regions {
            world.links[region * regions + region] = Link::default();
        }
    }
    world
}

fn add_provider(world: &mut World, name: &str, billing: Billing) -> Id<Provider> {
    let (name, title) = (name.to_owned(), name.to_owned());
    world.providers.push(Provider {
        name,
        title,
        billing,
        spot: SpotTerms::default(),
        throttle: None,
    })
}

fn add_region(world: &mut World, name: &str, provider: Id<Provider>, law: &str) -> Id<Region> {
    world.regions.push(Region {
        name: name.to_owned(),
        provider,
        jurisdiction: law.to_owned(),
        certifications: vec!["iso27001".to_owned()],
        carbon: Some(StepPath::constant(300_000_000)),
        pue_millionths: 1_000_000,
    })
}

fn instance_type(dice: &mut Dice, world: &mut World, name: &str) -> Id<InstanceType> {
    let gpus = if dice.once_in(3) { dice.within(1, 4) as u8 } else { 0 };
    let shape = Shape {
        cpu: dice.within(1, 16) as u32 * 1_000,
        memory: dice.within(1, 32) as u32 * 1_024,
        gpus,
    };
    let kept = if dice.once_in(3) { 500 } else { 0 };
    let whole = Shape { cpu: shape.cpu + kept, ..shape };
    let gpu_model = (gpus > 0).then(|| Id::new(dice.within(0, 1) as u32));
    world.types.push(InstanceType {
        name: name.to_owned(),
        family: "family".to_owned(),
        shape,
        whole,
        gpu_model,
        speed: dice.of(&[500_000, 1_000_000, 1_000_000, 2_000_000]),
        power: Some(PowerCurve::constant(100_000)),
    })
}

fn add_cluster(dice: &mut Dice, world: &mut World) {
    let billing = Billing { granularity: Span::from_secs(1), minimum: Span::ZERO };
    let provider = add_provider(world, "dc", billing);
    let region = add_region(world, "dc", provider, "EU");
    for group in 0..dice.within(1, 3) {
        let zone = world.zones.push(Zone { name: format!("dc-{group}"), region });
        let name = format!("dc/group{group}");
        let instance_type = instance_type(dice, world, &name);
        let count = dice.within(1, 4) as u32;
        world.offers.push(Offer {
            name,
            zone,
            instance_type,
            market: Market::Owned,
            price: PricePath::constant(Rate::from_picos(EXACT_PRICE)),
            max_price: None,
            capacity: CapacityPath::constant(Some(count)),
            launch: LaunchTerms::taking(Distribution::Constant(0.0)),
            running_at_start: count,
        });
    }
}

fn add_cloud(dice: &mut Dice, world: &mut World, name: &str) {
    let billing = Billing {
        granularity: Span::from_secs(dice.of(&[1, 1, 60, 3_600])),
        minimum: Span::from_secs(dice.of(&[0, 60])),
    };
    let provider = add_provider(world, name, billing);
    world.providers[provider].spot.notice = Span::from_secs(dice.of(&[0, 30, 120]));
    let types: Vec<Id<InstanceType>> = (0..dice.within(1, 3))
        .map(|at| instance_type(dice, world, &format!("{name}-type{at}")))
        .collect();
    for at in 0..dice.within(1, 2) {
        let law = dice.of(&["EU", "US"]);
        let region_name = format!("region{at}");
        let region = add_region(world, &region_name, provider, law);
        for at in 0..dice.within(1, 2) {
            let zone_name = format!("{region_name}{}", ["a", "b"][at as usize]);
            let zone = world.zones.push(Zone { name: zone_name.clone(), region });
            for &instance_type in &types {
                for market in [Market::OnDemand, Market::Spot] {
                    if market == Market::OnDemand || dice.once_in(2) {
                        let type_name = &world.types[instance_type].name;
                        let market_name = market.name();
                        let full = format!("{name}/{zone_name}/{type_name}/{market_name}");
                        let offer = offer(dice, full, zone, instance_type, market);
                        world.offers.push(offer);
                    }
                }
            }
        }
    }
}

fn offer(
    dice: &mut Dice,
    name: String,
    zone: Id<Zone>,
    instance_type: Id<InstanceType>,
    market: Market,
) -> Offer {
    let rate = |dice: &mut Dice| Rate::from_picos(dice.within(1, 9) as i64 * EXACT_PRICE);
    let mut changes: Vec<(Time, Rate)> = Vec::new();
    let mut at = Time::ZERO;
    for _ in 0..if market == Market::Spot { dice.within(0, 5) } else { 0 } {
        at = at + secs(dice, 1, 600);
        changes.push((at, rate(dice)));
    }
    let boots = [
        Distribution::Constant(0.0),
        Distribution::Constant(40.0),
        Distribution::uniform(5.0, 90.0).expect("a law"),
        Distribution::exponential(30.0).expect("a law"),
    ];
    Offer {
        name,
        zone,
        instance_type,
        market,
        price: PricePath::known(rate(dice), changes),
        max_price: None,
        capacity: capacity(dice, market),
        launch: LaunchTerms::taking(dice.of(&boots)),
        running_at_start: 0,
    }
}

/// A capacity that never changes, or one that comes and goes.
fn capacity(dice: &mut Dice, market: Market) -> CapacityPath {
    let some = |dice: &mut Dice| dice.once_in(2).then(|| dice.within(0, 4) as u32);
    let mut path = CapacityPath::constant(some(dice));
    let moves = market == Market::Spot || dice.once_in(3);
    let mut at = Time::ZERO;
    for _ in 0..if moves { dice.within(0, 6) } else { 0 } {
        at = at + secs(dice, 1, 900);
        path.changes.push((at, some(dice)));
    }
    path
}

/// A law of two or three states, of up to four instances.
fn capacity_law(dice: &mut Dice) -> CapacityLaw {
    let full = dice.within(2, 4) as u32;
    if dice.once_in(3) {
        let absence = dice.within(60, 900) as f64;
        return CapacityLaw::memoryless(full, dice.within(1, 12) as f64, absence).expect("a law");
    }
    let laws = [
        Distribution::Constant(300.0),
        Distribution::exponential(240.0).expect("a law"),
        Distribution::weibull(0.6, 400.0).expect("a law"),
        Distribution::lognormal_median_sigma(200.0, 1.0).expect("a law"),
    ];
    let state = |dice: &mut Dice, next| Some(StateLaw { lasts: dice.of(&laws), next });
    let states =
        [state(dice, [0.0, 1.0, 2.0]), state(dice, [1.0, 0.0, 1.0]), state(dice, [2.0, 1.0, 0.0])];
    let steps = dice
        .once_in(2)
        .then(|| (Distribution::Constant(60.0), Distribution::normal(0.0, 1.0).expect("a law")));
    let level = LevelLaw { begins: Distribution::Constant(2.0), steps };
    CapacityLaw::new(full, states, Some(level)).expect("a law")
}

fn add_quotas(dice: &mut Dice, world: &mut World) {
    let rented: Vec<Id<Offer>> = world
        .offers
        .iter()
        .filter(|(_, offer)| offer.market != Market::Owned)
        .map(|(id, _)| id)
        .collect();
    if rented.is_empty() || !dice.once_in(2) {
        return;
    }
    for at in 0..dice.within(1, 3) {
        let unit = dice.of(&[QuotaUnit::Instances, QuotaUnit::Cpu, QuotaUnit::Gpus]);
        let limit = match unit {
            QuotaUnit::Instances => dice.within(1, 6),
            QuotaUnit::Cpu => dice.within(4, 48) * 1_000,
            QuotaUnit::Gpus => dice.within(0, 8),
        };
        let offers = rented.iter().copied().filter(|_| dice.once_in(2)).collect();
        world.quotas.push(Quota { name: format!("quota{at}"), unit, limit, offers });
    }
}

fn names(dice: &mut Dice, world: &World) -> Interner {
    let regions: Vec<String> = world.regions.ids().map(|id| world.region_name(id)).collect();
    let filter =
        |forbidden: &str| Filter { allowed: Vec::new(), forbidden: vec![forbidden.to_owned()] };
    let rules = vec![
        Rules { regions: filter(&dice.of(&regions)), ..Rules::default() },
        Rules { jurisdictions: vec!["EU".to_owned()], ..Rules::default() },
        Rules { markets: filter("spot"), ..Rules::default() },
        Rules { spread: Spread::Instances, ..Rules::default() },
        Rules { spread: dice.of(&[Spread::Zones, Spread::EvenZones]), ..Rules::default() },
        Rules {
            gpu_models: filter("T4"),
            throughput: vec![("A100".to_owned(), 4_000_000)],
            ..Rules::default()
        },
        Rules {
            together: Some(dice.of(&[Together::Region, Together::Provider, Together::Anywhere])),
            ..Rules::default()
        },
    ];
    let mut names = Interner::default();
    for tenant in ["red", "blue"] {
        names.tenant(tenant);
    }
    for region in &regions {
        names.home(region);
    }
    for rules in &rules {
        names.rules(rules);
    }
    names
}

fn works(dice: &mut Dice, names: &Interner) -> Vec<Work> {
    let demands: Vec<Demand> = (0..dice.within(1, 5)).map(|_| demand(dice)).collect();
    let gap = dice.of(&[0, 5, 20, 60, 200]);
    let mut arrival = if dice.once_in(10) { -50 } else { 0 };
    (0..dice.within(1, 50))
        .map(|ordinal| {
            arrival += dice.within(0, gap) as i64;
            let runtime = if dice.once_in(30) { 0 } else { dice.within(1, 400) as i64 };
            let kind = if dice.once_in(5) { WorkKind::VirtualMachine } else { WorkKind::Job };
            Work {
                id: WorkId { source: 0, ordinal },
                name: String::new(),
                arrival: Time::from_secs(arrival),
                ask: ask(dice, names, &demands, arrival, runtime),
                min_tasks: 0,
                speedup: Speedup::LINEAR,
                body: kind.body(Some(Span::from_secs(runtime))),
            }
        })
        .collect()
}

fn demand(dice: &mut Dice) -> Demand {
    let gpus = if dice.once_in(3) { dice.within(1, 2) as u8 } else { 0 };
    let share = dice.of(&[1_000, 1_000, 500, 300]);
    Demand {
        cpu: dice.within(1, 8) as u32 * 500,
        memory: dice.within(0, 8) as u32 * 512,
        gpus,
        gpu_share: if gpus > 0 { share } else { 0 },
        exclusive: dice.once_in(6),
    }
}

fn ask(dice: &mut Dice, names: &Interner, demands: &[Demand], arrival: i64, runtime: i64) -> Ask {
    let estimate = match dice.within(0, 3) {
        0 => runtime / 2 + 1,
        1 => runtime + dice.within(1, 600) as i64,
        _ => runtime.max(1),
    };
    let deadline = arrival + runtime + dice.within(0, 500) as i64;
    // Parts of up to six tasks take whole microseconds.
    let moved = |dice: &mut Dice| dice.within(0, 4) as i64 * (15 << 26);
    let row = |dice: &mut Dice, rows: usize| dice.within(1, rows as u64) as u32;
    Ask {
        tasks: if dice.once_in(2) { 1 } else { dice.within(1, 6) as u32 },
        gang: !dice.once_in(3),
        demand: dice.of(demands),
        estimate: Some(Span::from_secs(estimate)),
        deadline: dice.once_in(2).then(|| Time::from_secs(deadline)),
        priority: dice.within(0, 3) as i32,
        tenant: Id::new(dice.within(0, names.tenants().len() as u64 - 1) as u32),
        class: 0,
        rules: Id::new(if dice.once_in(4) { row(dice, names.all_rules().len() - 1) } else { 0 }),
        home: dice.once_in(3).then(|| Id::new(row(dice, names.homes().len()) - 1)),
        input: moved(dice),
        output: moved(dice),
        resumes: dice.once_in(2),
        checkpoint: None,
    }
}

fn policy(dice: &mut Dice, world: &World, works: &[Work]) -> PolicySpec {
    let demands = works.iter().map(|work| (work.ask.demand, Vec::new(), 1)).collect();
    let mix = DemandMix { source: "all of it".into(), demands };
    let mut draw = PartDice { world, mix };
    PolicySpec {
        narrow: Narrow {
            scope: scope(dice, world),
            gpu_machines: dice.of(&[GpuMachines::Any, GpuMachines::GpuWork]),
            weigh_data: dice.once_in(2),
            weigh_price: dice.once_in(2),
        },
        name: "swarm".to_owned(),
        preempt: if dice.once_in(2) { preempt::NONE.spec() } else { draw.of(dice, preempt::PARTS) },
        admit: AdmitSpec {
            queue_limit: dice.once_in(4).then(|| dice.within(0, 5) as u32),
            patience: dice.once_in(4).then(|| secs(dice, 1, 300)),
        },
        shift: shift::NOW.spec(),
        order: draw.of(dice, order::PARTS),
        place: draw.of(dice, place::PARTS),
        backfill: draw.of(dice, backfill::PARTS),
        provision: draw.of(dice, provision::PARTS),
        release: draw.of(dice, release::PARTS),
        checkpoint: checkpoint::NEVER.spec(),
        recover: recover::ANYWHERE.spec(),
        cap: cap::NONE.spec(),
        commit: windtunnel::purchase::NONE.spec(),
        compatibility: None,
        external: BTreeMap::new(),
        factory: None,
    }
}

/// Draws parts from their rows, and values of their parameters by kind.
struct PartDice<'w> {
    world: &'w World,
    mix: DemandMix,
}

impl PartDice<'_> {
    fn of<T>(&mut self, dice: &mut Dice, parts: &[&'static Part<T>]) -> PartSpec<T> {
        let part = dice.of(parts);
        let mut spec = part.spec();
        let scope = scope(dice, self.world);
        // Patience for stopped instances is drawn where there are any, so that other draws stay.
        for parameter in part.parameters.iter().filter(|one| one.name != "stopped_for") {
            let value = self.value(dice, parameter.kind, &scope);
            if let Some(value) = value.filter(|_| !dice.once_in(3)) {
                spec.settings.set(parameter.name, value);
            }
        }
        spec
    }

    /// A value of this kind, where one other than the default is of use.
    fn value(&self, dice: &mut Dice, kind: SettingKind, scope: &OfferScope) -> Option<Setting> {
        let some = |names: &Vec<String>| (!names.is_empty()).then(|| names.clone().into());
        match kind {
            SettingKind::Flag => Some(dice.once_in(2).into()),
            SettingKind::Count(low, high) => {
                Some(Setting::Count(low.saturating_add(dice.within(0, 5)).min(high)))
            }
            SettingKind::Span => {
                Some(if dice.once_in(2) { secs(dice, 1, 200) } else { Span::ZERO }.into())
            }
            SettingKind::SpanAboveZero => Some(secs(dice, 1, 2_000).into()),
            SettingKind::Word(words) => Some(dice.of(words).into()),
            SettingKind::Providers => some(&scope.providers),
            SettingKind::Regions => some(&scope.regions),
            SettingKind::Types => some(&scope.types),
            SettingKind::Families => some(&scope.families),
            SettingKind::Markets => {
                Some(dice.of(&[vec![Market::Spot], vec![Market::OnDemand, Market::Spot]]).into())
            }
            SettingKind::Fleets => Some(fleets(dice, self.world).into()),
            SettingKind::Mix => Some(self.mix.clone().into()),
            // No part of a policy has these.
            SettingKind::Vcpus
            | SettingKind::Memory
            | SettingKind::SpanOr(_)
            | SettingKind::TimeZone
            | SettingKind::Columns => None,
        }
    }
}

/// Doubles all spans of a part.
fn stretch<T>(spec: &mut PartSpec<T>) {
    for parameter in spec.parameters() {
        if matches!(parameter.kind, SettingKind::Span | SettingKind::SpanAboveZero)
            && let Some(span) = spec.settings.span(parameter.name)
        {
            spec.settings.set(parameter.name, doubled(span).into());
        }
    }
}

fn fleets(dice: &mut Dice, world: &World) -> Vec<(String, u32)> {
    let rented: Vec<&Offer> =
        world.offers.rows().iter().filter(|offer| offer.market != Market::Owned).collect();
    if rented.is_empty() {
        return Vec::new();
    }
    let fleet = |dice: &mut Dice| (dice.of(&rented).name.clone(), dice.within(1, 3) as u32);
    let mut fleets: Vec<(String, u32)> = (0..dice.within(1, 2)).map(|_| fleet(dice)).collect();
    fleets.dedup_by(|a, b| a.0 == b.0);
    fleets
}

/// Mostly all offers, else those of one provider, region, or of some types.
fn scope(dice: &mut Dice, world: &World) -> OfferScope {
    let mut scope = OfferScope::default();
    match dice.within(0, 11) {
        0 => scope.providers = vec![dice.of(world.providers.rows()).name.clone()],
        1 => {
            let regions: Vec<Id<Region>> = world.regions.ids().collect();
            scope.regions = vec![world.region_name(dice.of(&regions))];
        }
        2 => {
            let some = world.types.rows().iter().filter(|_| dice.once_in(2));
            scope.types = some.map(|kind| kind.name.clone()).collect();
        }
        3 => scope.families = vec!["family".to_owned()],
        _ => (),
    }
    scope
}

// ---------------------------------------------------------------------------
// Watching.
// ---------------------------------------------------------------------------

/// A fact without money: when, what, which work, which offer and slot.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Fact {
    at: i64,
    what: &'static str,
    work: Option<u64>,
    on: Option<(String, u32)>,
}

/// Whether work of whole seconds takes whole microseconds, and makes whole ones of progress, with
/// `some` of `all` tasks.
fn divides(some: u32, all: u32) -> bool {
    let divides =
        |whole: u32, part: u32| (1_000_000 * u64::from(whole)).is_multiple_of(part.into());
    divides(all, some) && divides(some, all)
}

/// Facts in order, costs, and the corners that were reached.
#[derive(Clone, Debug, Default)]
struct Log {
    facts: Vec<Fact>,
    cost: Money,
    /// Transfers that ended early: a part of a GiB costs no whole nano-dollars.
    cut_transfers: u32,
    /// Bills at prices that were drawn, which are no whole number of nano-dollars a second.
    rounded_bills: u64,
    seen: BTreeMap<&'static str, u64>,
    /// First start of each work, and its place in the order of arrival.
    latest_started: u64,
    /// Rule by which the policy may rent, and the offers that it may rent from.
    reach: Reach,
    /// A gang may have ended, or come so far, between two microseconds: a share of its tasks ran that
    /// leaves a remainder.
    rounds_ends: bool,
    /// Whether an instance could be rented for each work that the run left waiting.
    left: Vec<bool>,
}

impl Log {
    fn see(&mut self, corner: &'static str) {
        *self.seen.entry(corner).or_default() += 1;
    }

    fn add(
        &mut self,
        state: &State<'_>,
        what: &'static str,
        work: Option<u64>,
        on: Option<(String, u32)>,
    ) {
        self.facts.push(Fact { at: state.now().micros(), what, work, on });
    }

    fn started(&mut self, state: &State<'_>, record: &Record) {
        let Record::Started(allocation) = *record else { return };
        let target = state.allocation(allocation);
        let live = state.work(target.work());
        let place = |held: &windtunnel::state::HeldShare| {
            let instance = state.instance(held.share.instance);
            (state.world().offers[instance.offer].name.clone(), instance.slot)
        };
        for held in &target.held {
            self.add(state, "started", Some(live.id.ordinal), Some(place(held)));
        }
        if live.ask.demand.exclusive && live.ask.demand.gpus > 0 && target.tasks > 1 {
            self.see("tasks share GPU machines that are theirs alone");
        }
        if target.tasks < state.gang_tasks(target.work()) {
            self.see("a gang goes on with fewer tasks");
            let work = target.work();
            self.rounds_ends |= !divides(target.tasks, state.gang_tasks(work));
            self.rounds_ends |= !state.speedup(work).is_linear();
            if state.planned_tasks(work) == Some(target.tasks) {
                self.see("a gang runs with as many tasks as are planned");
            }
        }
        if live.id.ordinal < self.latest_started {
            self.see("work starts after later work");
        }
        self.latest_started = self.latest_started.max(live.id.ordinal);
        if target.held.len() > 1 {
            self.see("an allocation spans instances");
        }
        if target.placed < state.now() {
            self.see("work waits for an instance to boot");
        }
        if live.preemptions > 0 {
            self.see("preempted work starts again");
        }
        if live.ask.demand.gpus > 0 && live.ask.demand.gpu_share < 1_000 {
            self.see("a fraction of a GPU is used");
        }
        if live.ask.demand.gpus > 1 {
            self.see("several GPUs are used");
        }
        if !live.ask.gang && target.tasks < live.ask.tasks {
            self.see("tasks start apart");
        }
        if target.input > Span::ZERO {
            self.see("input takes time to read");
        }
    }

    /// Whether the policy could rent an instance that holds all of the work.
    fn could_be_served(&self, state: &State<'_>, work: WorkRef) -> bool {
        let world = state.world();
        let rented = |offer: &Id<Offer>| world.offers[*offer].market != Market::Owned;
        let live: u32 =
            world.offers.ids().filter(rented).map(|offer| state.offer(offer).live).sum();
        let open = |offer: &Id<Offer>| self.reach.supplies(world, *offer);
        let offers = world.offers.ids().filter(open);
        let tenant = Some(state.work(work).ask.tenant);
        let has_budget =
            |offer: Id<Offer>| state.cap_room_for(offer, tenant).is_none_or(|(room, _)| room > 0);
        state.work(work).ask.tasks == 1
            && self.reach.max_instances.is_none_or(|most| live < most)
            && offers
                .filter(|&offer| state.could_hold(work, offer) && has_budget(offer))
                .any(|offer| state.launch_refusal(offer).is_none())
    }

    fn stopped(&mut self, state: &State<'_>, ending: Ending, useful: i128, lost: i128) {
        match ending {
            Ending::Preempted if lost > 0 && useful > 0 => {
                self.see("progress is kept to the last checkpoint");
            }
            Ending::Preempted if lost > 0 => self.see("progress is lost"),
            Ending::Preempted if useful > 0 => self.see("progress is kept"),
            Ending::Preempted => self.see("work is preempted before it did anything"),
            Ending::Migrated => self.see("tasks move to other machines"),
            Ending::RunOver => self.see("the run ends before the work"),
            Ending::Hibernated => self.see("work is hibernated"),
            Ending::Done | Ending::Interrupted | Ending::Failed | Ending::Cancelled => {}
        }
        let booting = state.instances().any(|(_, one)| one.phase == Phase::Booting);
        if booting && state.totals().waiting > 0 {
            self.see("work ends while instances boot and work waits");
        }
    }
}

impl Observer for Log {
    fn record(&mut self, state: &State<'_>, record: &Record) {
        let id = |work| Some(state.work(work).id.ordinal);
        let place = |instance| {
            let instance = state.instance(instance);
            Some((state.world().offers[instance.offer].name.clone(), instance.slot))
        };
        match *record {
            Record::Submitted(work) => self.add(state, "submitted", id(work), None),
            Record::Started(_) => self.started(state, record),
            Record::Stopped { allocation, ending, useful, lost, overhead } => {
                let work = state.allocation(allocation).work();
                if overhead > 0 {
                    self.see("checkpoints take time");
                }
                self.add(state, "stopped", id(work), None);
                self.stopped(state, ending, useful, lost);
            }
            Record::Finished(work) => {
                self.add(state, "finished", id(work), None);
                if state.work(work).ask.deadline.is_some_and(|at| state.now() > at) {
                    self.see("a deadline is missed");
                }
            }
            Record::Refused { work, reason } => {
                self.add(state, reason.name(), id(work), None);
                self.see(match reason {
                    RefusalReason::QueueFull => "the queue is full",
                    RefusalReason::Patience => "patience runs out",
                    RefusalReason::NeverFits => "work fits nowhere",
                    RefusalReason::Policy => "the policy refuses",
                    RefusalReason::DataLost => "data is lost",
                    RefusalReason::Retries => "work is given up",
                });
            }
            Record::Unfinished(work) => {
                self.add(state, "unfinished", id(work), None);
                if state.work(work).waiting > 0 {
                    self.left.push(self.could_be_served(state, work));
                }
            }
            Record::Requested(instance) => self.add(state, "requested", None, place(instance)),
            Record::Ready(instance) => self.add(state, "ready", None, place(instance)),
            Record::Restarted { instance, .. } => {
                self.add(state, "restarted", None, place(instance));
                self.see("a stopped instance starts again");
            }
            Record::GivenUp { work, lost, .. } => {
                self.add(state, "given up", id(work), None);
                if lost > 0 {
                    self.see("what was in memory is given up");
                }
            }
            Record::AtRisk { instance, .. } => {
                self.add(state, "at risk", None, place(instance));
                self.see("it is recommended to leave an instance");
            }
            Record::Slowed { instance, begins, .. } => {
                self.add(state, "slowed", None, place(instance));
                if begins && state.instance(instance).allocations > 0 {
                    self.see("work becomes slower");
                }
            }
            Record::Devices { instance, breaks, .. } => {
                let what = if breaks { "devices break" } else { "devices work again" };
                self.add(state, what, None, place(instance));
                self.see(what);
                let target = state.instance(instance);
                if breaks && target.phase.is_capacity() && target.allocations > 0 {
                    self.see("devices break beside work");
                }
            }
            Record::Draining { instance, .. } => {
                self.add(state, "draining", None, place(instance));
                self.see("a spot instance is warned");
            }
            Record::Released { instance, amount, exit, .. } => {
                self.add(state, "released", None, place(instance));
                let offer = &state.world().offers[state.instance(instance).offer];
                self.rounded_bills += u64::from(!offer.price.drawn.is_empty());
                self.cost += amount;
                self.see(match exit {
                    Exit::Returned => "an instance is given back",
                    Exit::Reclaimed => "a spot instance is taken back",
                    Exit::Stopped => "a spot instance is stopped",
                    Exit::Expired => "a spot instance reaches its age limit",
                    Exit::Failed => "a rented machine fails",
                    Exit::NotLaunched => "a launch comes to nothing",
                    Exit::RunOver => "an instance outlives the run",
                });
                if state.instance(instance).launch > 0 {
                    self.see("a slot is taken again");
                }
            }
            Record::LaunchRefused { why, .. } => self.see(match why {
                LaunchRefusal::Quota(_) => "a quota refuses a launch",
                LaunchRefusal::Capacity => "an offer has no capacity",
                LaunchRefusal::Price => "a launch is refused for its price",
                LaunchRefusal::Outage => "an outage refuses a launch",
                LaunchRefusal::Throttle => "a launch is throttled",
                LaunchRefusal::Budget(_) => "a budget refuses a launch",
            }),
            Record::Charged(charge) => {
                if charge.kind == ChargeKind::Transfer {
                    // All that tasks move is a multiple of 16 MiB.
                    if charge.bytes % (1 << 24) != 0 {
                        self.cut_transfers += 1;
                        self.see("a transfer is cut off");
                    }
                    self.cost += charge.amount;
                    self.see("data is moved for money");
                }
            }
            Record::Failed { instance, .. } => {
                self.add(state, "failed", None, place(instance));
                if state.instance(instance).market == Market::Owned {
                    self.see("an owned machine fails");
                }
            }
            Record::Repaired(instance) => {
                self.add(state, "repaired", None, place(instance));
                self.see("an owned machine is repaired");
            }
            Record::Outage { .. } => self.see("an outage begins or ends"),
            Record::Migrates { begins: true, .. } => {
                self.see("tasks are copied while they compute")
            }
            Record::Migrates { begins: false, .. } => {}
            Record::Placed(_) | Record::Noted(..) => {}
        }
    }
}

/// Corners that some scenario must reach, or the swarm tests less than it says.
const CORNERS: [&str; 52] = [
    "devices break",
    "devices work again",
    "devices break beside work",
    "work is hibernated",
    "a spot instance is stopped",
    "a stopped instance starts again",
    "what was in memory is given up",
    "a gang goes on with fewer tasks",
    "a gang runs with as many tasks as are planned",
    "tasks move to other machines",
    "tasks are copied while they compute",
    "it is recommended to leave an instance",
    "work is given up",
    "a launch comes to nothing",
    "a launch is throttled",
    "a budget refuses a launch",
    "a spot instance is warned",
    "a spot instance is taken back",
    "a spot instance reaches its age limit",
    "a rented machine fails",
    "an owned machine fails",
    "an owned machine is repaired",
    "an outage begins or ends",
    "an outage refuses a launch",
    "data is lost",
    "tasks share GPU machines that are theirs alone",
    "work waits for an instance to boot",
    "work ends while instances boot and work waits",
    "an instance is given back",
    "a slot is taken again",
    "a quota refuses a launch",
    "an offer has no capacity",
    "work starts after later work",
    "an allocation spans instances",
    "preempted work starts again",
    "a fraction of a GPU is used",
    "several GPUs are used",
    "tasks start apart",
    "input takes time to read",
    "progress is lost",
    "progress is kept",
    "progress is kept to the last checkpoint",
    "checkpoints take time",
    "work becomes slower",
    "the run ends before the work",
    "a deadline is missed",
    "the queue is full",
    "patience runs out",
    "work fits nowhere",
    "data is moved for money",
    "a transfer is cut off",
    "backfilling overtakes",
];

// ---------------------------------------------------------------------------
// Running.
// ---------------------------------------------------------------------------

struct Ran {
    outcome: Outcome,
    log: Log,
    fingerprint: String,
}

fn run(seed: u64, what: &str, scenario: &Scenario) -> Ran {
    let mut source = WorkList::new(&scenario.works).named(scenario.names.clone());
    let mut policy = policy::build(&scenario.policy);
    let log = Log { reach: scenario.policy.reach(), ..Log::default() };
    let mut observer = ((Laws::new(true), log), Fingerprint::default());
    let mut go_on = |_: sim::RunProgress| ControlFlow::Continue(());
    let options = &scenario.options;
    let outcome =
        sim::run(&scenario.world, &mut source, &mut *policy, options, &mut observer, &mut go_on)
            .unwrap_or_else(|failure| {
                panic!("seed {seed}, {what}: {failure:?} under {:?}", scenario.policy)
            });
    let ((laws, log), fingerprint) = observer;
    if let Some(broken) = laws.broken() {
        panic!("seed {seed}, {what}: {broken:?} under {:?}", scenario.policy);
    }
    let forgotten = scenario.options.horizon.is_none() && !log.left.is_empty();
    let forgotten = forgotten && log.left.iter().all(|&served| served);
    assert!(!forgotten, "seed {seed}, {what}: who waits could be served: {:?}", scenario.policy);
    Ran { outcome, log, fingerprint: fingerprint.hex() }
}

/// The same work in the same order, at times `scale` as long.
fn assert_same_facts(seed: u64, what: &str, scale: i64, one: &Ran, other: &Ran) {
    let stretched = |fact: &Fact| Fact { at: fact.at * scale, ..fact.clone() };
    let pairs = one.log.facts.iter().zip(&other.log.facts);
    for (fact, found) in pairs {
        assert_eq!(&stretched(fact), found, "seed {seed}, {what}");
    }
    assert_eq!(one.log.facts.len(), other.log.facts.len(), "seed {seed}, {what}");
}

#[test]
fn the_swarm_keeps_every_law_and_symmetry() {
    let mut seen: BTreeMap<&'static str, u64> = BTreeMap::new();
    for seed in 0..SEEDS {
        let scenario = scenario(seed);
        let first = run(seed, "as it is", &scenario);
        for (&corner, &times) in &first.log.seen {
            *seen.entry(corner).or_default() += times;
        }
        let fcfs =
            scenario.policy.order.is(&order::FCFS) && scenario.policy.preempt.is(&preempt::NONE);
        if fcfs
            && !scenario.policy.backfill.is(&backfill::NONE)
            && first.log.seen.contains_key("work starts after later work")
        {
            *seen.entry("backfilling overtakes").or_default() += 1;
        }
        assert!(first.outcome.illegal == 0, "seed {seed}: illegal actions");
        twice(seed, &scenario, &first);
        without_budgets(seed, &scenario, &first);
        without_commitments(seed, &scenario, &first);
        unused_provider(seed, &scenario, &first);
        dearer(seed, &scenario, &first);
        if can_be_stretched(&scenario) && !first.log.rounds_ends {
            slower(seed, &scenario);
        }
    }
    let missing: Vec<&str> =
        CORNERS.iter().copied().filter(|corner| !seen.contains_key(corner)).collect();
    assert!(missing.is_empty(), "never reached: {missing:?}; reached: {seen:?}");
}

fn twice(seed: u64, scenario: &Scenario, first: &Ran) {
    let again = run(seed, "again", scenario);
    assert_eq!(first.fingerprint, again.fingerprint, "seed {seed}: not the same twice");
}

/// Whether the policy looks at budgets.
fn heeds_budgets(scenario: &Scenario) -> bool {
    let PolicySpec { cap, provision, .. } = &scenario.policy;
    !cap.is(&cap::NONE) || provision.is(&provision::BUDGET_GREEDY)
}

/// Budgets that the policy does not heed change nothing.
fn without_budgets(seed: u64, scenario: &Scenario, first: &Ran) {
    if scenario.world.budgets.is_empty() || heeds_budgets(scenario) {
        return;
    }
    let mut changed = scenario.clone();
    changed.world.budgets.clear();
    let other = run(seed, "without budgets", &changed);
    assert_eq!(first.fingerprint, other.fingerprint, "seed {seed}: without budgets");
}

/// Commitments that the policy does not heed change nothing.
fn without_commitments(seed: u64, scenario: &Scenario, first: &Ran) {
    if scenario.world.commitments.is_empty() || scenario.policy.provision.is(&provision::COMMITTED)
    {
        return;
    }
    let mut changed = scenario.clone();
    changed.world.commitments.clear();
    let other = run(seed, "without commitments", &changed);
    assert_eq!(first.fingerprint, other.fingerprint, "seed {seed}: without commitments");
}

/// A table with one more row in front of it.
fn shifted<T: Clone>(table: &IdVec<T>, row: T) -> IdVec<T> {
    let mut shifted = IdVec::default();
    shifted.push(row);
    for row in table.rows() {
        shifted.push(row.clone());
    }
    shifted
}

fn next<T>(id: Id<T>) -> Id<T> {
    Id::new(id.raw() + 1)
}

/// A provider in front of all others, whose one instance type holds nothing.
fn with_unused_provider(scenario: &Scenario) -> Scenario {
    let mut changed = scenario.clone();
    let world = &mut changed.world;
    for offer in 0..world.offers.len() {
        let offer = &mut world.offers[Id::new(offer as u32)];
        (offer.zone, offer.instance_type) = (next(offer.zone), next(offer.instance_type));
    }
    for zone in 0..world.zones.len() {
        let zone = &mut world.zones[Id::new(zone as u32)];
        zone.region = next(zone.region);
    }
    for region in 0..world.regions.len() {
        let region = &mut world.regions[Id::new(region as u32)];
        region.provider = next(region.provider);
    }
    let mut fresh = World::empty(world.calendar);
    let billing = Billing { granularity: Span::from_secs(1), minimum: Span::ZERO };
    let provider = add_provider(&mut fresh, "unused", billing);
    // A pool where some work may not run everywhere is not a scalar pool any
    // more, and there EASY reserves instances instead of counting them, and next
    // fit tries gangs that cannot fit: those meet a provider where all may run.
    let policy = &scenario.policy;
    let counts = policy.backfill.is(&backfill::EASY) || policy.place.is(&place::NEXT_FIT);
    let region = add_region(&mut fresh, "nowhere", provider, if counts { "EU" } else { "XX" });
    world.providers = shifted(&world.providers, fresh.providers[provider].clone());
    world.regions = shifted(&world.regions, fresh.regions[region].clone());
    world.zones = shifted(&world.zones, Zone { name: "nowhere-a".to_owned(), region });
    let (name, family) = ("nothing".to_owned(), "nothing".to_owned());
    let (shape, whole) = (Shape::default(), Shape::default());
    let nothing =
        InstanceType { name, family, shape, whole, gpu_model: None, speed: 9_000_000, power: None };
    world.types = shifted(&world.types, nothing);
    let offer = Offer {
        name: "unused/nowhere-a/nothing/on-demand".to_owned(),
        zone: Id::new(0),
        instance_type: Id::new(0),
        market: Market::OnDemand,
        price: PricePath::constant(Rate::ZERO),
        max_price: None,
        capacity: CapacityPath::constant(None),
        launch: LaunchTerms::taking(Distribution::Constant(0.0)),
        running_at_start: 0,
    };
    world.offers = shifted(&world.offers, offer);
    for quota in &mut world.quotas {
        for offer in &mut quota.offers {
            *offer = next(*offer);
        }
    }
    for budget in &mut world.budgets {
        if let BudgetScope::Provider(provider) = &mut budget.of {
            *provider = next(*provider);
        }
    }
    for held in &mut world.commitments {
        held.takes.iter_mut().for_each(|(offer, _)| *offer = next(*offer));
    }
    for fault in &mut world.faults {
        fault.offers.iter_mut().for_each(|offer| *offer = next(*offer));
    }
    let old = scenario.world.regions.len();
    if !world.links.is_empty() {
        let mut links = vec![Link::default(); (old + 1) * (old + 1)];
        for from in 0..old {
            for to in 0..old {
                links[(from + 1) * (old + 1) + to + 1] = scenario.world.links[from * old + to];
            }
        }
        world.links = links;
    }
    changed
}

fn unused_provider(seed: u64, scenario: &Scenario, first: &Ran) {
    let more = run(seed, "an unused provider", &with_unused_provider(scenario));
    assert_same_facts(seed, "an unused provider", 1, first, &more);
    assert_eq!(first.fingerprint, more.fingerprint, "seed {seed}: an unused provider");
}

/// Three times the price: the same schedule, and exactly three times the cost, but
/// for the rounding of transfers that were cut off, and of bills at prices that were drawn.
fn dearer(seed: u64, scenario: &Scenario, first: &Ran) {
    const FACTOR: i64 = 3;
    let mut changed = scenario.clone();
    for offer in 0..changed.world.offers.len() {
        let offer = &mut changed.world.offers[Id::new(offer as u32)];
        offer.price.scale(FACTOR * 1_000_000);
        offer.max_price = offer.max_price.map(|most| most.scaled(FACTOR * 1_000_000));
    }
    for link in &mut changed.world.links {
        link.nanos_per_gib *= FACTOR;
    }
    for budget in &mut changed.world.budgets {
        budget.limit = Money::from_nanos(budget.limit.nanos() * i128::from(FACTOR));
    }
    let more = run(seed, "dearer", &changed);
    // A price that reverts leaves remainders that are rounded, by which costs that were as good as equal
    // may be told apart.
    let in_steps = |one: &DrawnPrice| matches!(one.law.motion(), PriceMotion::Stepwise { .. });
    let offers = scenario.world.offers.rows();
    let is_exact = offers.iter().all(|offer| offer.price.drawn.iter().all(in_steps));
    let policy = &scenario.policy;
    if is_exact || !policy.provision.build().weighs_price() && !policy.narrow.weigh_price {
        assert_same_facts(seed, "dearer", 1, first, &more);
    }
    if !is_exact {
        return;
    }
    let want = first.log.cost.nanos() * i128::from(FACTOR);
    let rounded = u64::from(first.log.cut_transfers) + first.log.rounded_bills;
    let rounding = i128::from(rounded) * i128::from(FACTOR);
    let off = (more.log.cost.nanos() - want).abs();
    assert!(off <= rounding, "seed {seed}: three times the price, off by {off}");
}

/// F1 measures times in seconds, forecasts by yesterday go by days, and laws that are drawn round to microseconds, as intervals by failures
/// do.
fn can_be_stretched(scenario: &Scenario) -> bool {
    let rounds = [&checkpoint::YOUNG, &checkpoint::DALY];
    if rounds.iter().any(|part| scenario.policy.checkpoint.is(part)) {
        return false;
    }
    let constant = |offer: &Offer| {
        offer.launch.stages.iter().all(|stage| matches!(stage, Distribution::Constant(_)))
    };
    let known = |offer: &Offer| offer.capacity.drawn.is_empty() && offer.price.drawn.is_empty();
    let offers = scenario.world.offers.rows();
    let fixed = offers.iter().all(|offer| constant(offer) && known(offer));
    let shift = &scenario.policy.shift;
    let by_days = !shift.is(&shift::NOW) && shift.settings.word("forecast") == "yesterday";
    // Periods of budgets lie on the clock, and budget-greedy looks an hour ahead by itself.
    let run = |budget: &Budget| budget.period == BudgetPeriod::Run;
    let heeds = heeds_budgets(scenario);
    let policy = &scenario.policy;
    let on_clock = heeds && !scenario.world.budgets.iter().all(run);
    let ahead = policy.provision.is(&provision::BUDGET_GREEDY) && policy.cap.is(&cap::NONE);
    !policy.order.is(&order::F1) && fixed && !by_days && !on_clock && !ahead
}

fn doubled(span: Span) -> Span {
    Span::from_micros(span.micros() * 2)
}

fn later(time: Time) -> Time {
    Time::from_micros(time.micros() * 2)
}

/// All times doubled: the same schedule at twice the time, and twice the cost.
fn slower(seed: u64, scenario: &Scenario) {
    let mut changed = scenario.clone();
    let world = &mut changed.world;
    for provider in 0..world.providers.len() {
        let provider = &mut world.providers[Id::new(provider as u32)];
        let billing = &mut provider.billing;
        *billing = Billing {
            granularity: doubled(billing.granularity),
            minimum: doubled(billing.minimum),
        };
    }
    for offer in 0..world.offers.len() {
        let offer = &mut world.offers[Id::new(offer as u32)];
        for (at, _) in &mut offer.price.changes {
            *at = later(*at);
        }
        for (at, _) in &mut offer.capacity.changes {
            *at = later(*at);
        }
    }
    for budget in &mut world.budgets {
        budget.limit = Money::from_nanos(budget.limit.nanos() * 2);
    }
    for held in &mut world.commitments {
        (held.from, held.until) = (later(held.from), later(held.until));
        (held.ends, held.known) = (later(held.ends), held.known.map(later));
    }
    stretch_spot(world, 2);
    stretch_launches(world, 2);
    stretch_faults(world, 2);
    for region in world.regions.rows_mut() {
        let path = region.carbon.take();
        region.carbon = path.map(|path| {
            let all = path.between(Time::MIN, Time::MAX);
            StepPath::known(path.at(Time::MIN), all.iter().map(|&(at, value)| (later(at), value)))
        });
    }
    for link in &mut world.links {
        link.bytes_per_sec /= 2;
        link.nanos_per_gib *= 2;
    }
    let terms = &mut world.migration;
    terms.bytes_per_sec /= 2;
    (terms.rewrites, terms.pause) = (doubled(terms.rewrites), doubled(terms.pause));
    for work in &mut changed.works {
        work.arrival = later(work.arrival);
        *work.body.length_mut() = work.body.length().map(doubled);
        work.ask.estimate = work.ask.estimate.map(doubled);
        work.ask.deadline = work.ask.deadline.map(later);
    }
    for (old, checkpoint) in scenario.names.checkpoints().iter() {
        let (write, restore) = (doubled(checkpoint.write), doubled(checkpoint.restore));
        let id = changed.names.checkpoint(Checkpoint { write, restore, ..*checkpoint });
        for (work, was) in changed.works.iter_mut().zip(&scenario.works) {
            if was.ask.checkpoint == Some(old) {
                work.ask.checkpoint = Some(id);
            }
        }
    }
    let policy = &mut changed.policy;
    policy.admit.patience = policy.admit.patience.map(doubled);
    stretch(&mut policy.preempt);
    stretch(&mut policy.shift);
    stretch(&mut policy.order);
    stretch(&mut policy.place);
    stretch(&mut policy.backfill);
    stretch(&mut policy.provision);
    stretch(&mut policy.cap);
    stretch(&mut policy.release);
    stretch(&mut policy.checkpoint);
    stretch(&mut policy.recover);
    changed.options.horizon = changed.options.horizon.map(later);
    let (first, more) = (run(seed, "as it is", scenario), run(seed, "slower", &changed));
    assert_same_facts(seed, "slower", 2, &first, &more);
    let want = first.log.cost.nanos() * 2;
    assert_eq!(more.log.cost.nanos(), want, "seed {seed}: twice the time");
}
