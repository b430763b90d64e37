//! What is rented under budgets, by hand. A machine of four cores costs a dollar a second, billed by the
//! microsecond, and each job wants a whole one.

use std::ops::ControlFlow;

use crate::metrics::Laws;
use crate::model::{
    Billing, Budget, BudgetPeriod, BudgetScope, Interner, Market, Tenant, Work, World,
};
use crate::policy::spec::PolicySpec;
use crate::policy::{self, backfill, cap, provision};
use crate::sim::{self, Observer, Options};
use crate::state::testing::{Plan, demand, world};
use crate::state::{DecisionNote, Record, State, WaitReason};
use crate::units::{Id, Money, Span, Time};
use crate::workload::WorkList;

/// What happened: micros of a start by work, launches and releases by ordinal, the last reason of
/// each wait, and the bill.
#[derive(Debug, Default)]
struct Seen {
    started: Vec<(u64, i64)>,
    launched: Vec<(u32, String, i64)>,
    released: Vec<(u32, i64)>,
    waits: Vec<(u64, WaitReason)>,
    cost: Money,
}

impl Observer for Seen {
    fn record(&mut self, state: &State<'_>, record: &Record) {
        let now = state.now().micros();
        match *record {
            Record::Started(allocation) => {
                let work = state.allocation(allocation).work();
                self.started.push((state.work(work).id.ordinal, now));
            }
            Record::Requested(instance) => {
                let one = state.instance(instance);
                let offer = state.world().offers[one.offer].name.clone();
                self.launched.push((one.ordinal, offer, now));
            }
            Record::Released { instance, .. } => {
                self.released.push((state.instance(instance).ordinal, now));
            }
            Record::Charged(charge) => self.cost += charge.amount,
            Record::Noted(work, DecisionNote::Waits(wait)) => {
                let work = state.work(work).id.ordinal;
                self.waits.retain(|&(other, _)| other != work);
                self.waits.push((work, wait.reason));
            }
            _ => {}
        }
    }
}

fn dollars(dollars: i128) -> Money {
    Money::from_nanos(dollars * 1_000_000_000)
}

fn secs(secs: i64) -> i64 {
    secs * 1_000_000
}

fn budget(of: BudgetScope, limit: i128, period: BudgetPeriod) -> Budget {
    let (name, limit) = ("b".to_owned(), dollars(limit));
    Budget { name, of, limit, period, alert_at: Vec::new(), forecast_at: Vec::new() }
}

fn cloud(budgets: Vec<Budget>) -> World {
    cloud_of(&[("m", "p", "3600", 1_000_000)], budgets)
}

/// Offers: name, provider, price per hour and speed.
fn cloud_of(
    offers: &[(&'static str, &'static str, &'static str, u32)],
    budgets: Vec<Budget>,
) -> World {
    let plans: Vec<Plan> = offers
        .iter()
        .map(|&(name, provider, price, speed)| Plan {
            name,
            provider,
            price,
            speed,
            market: Market::OnDemand,
            ..Plan::default()
        })
        .collect();
    let mut world = world(&plans);
    for provider in world.providers.rows_mut() {
        provider.billing = Billing { granularity: Span::from_micros(1), minimum: Span::ZERO };
    }
    world.budgets = budgets;
    world
}

/// A job: arrival, length, cores and tenant.
type CappedJob = (i64, i64, u32, u32);

fn ran(world: &World, spec: PolicySpec, rows: &[CappedJob]) -> Seen {
    ran_until(world, spec, rows, None)
}

fn ran_until(world: &World, spec: PolicySpec, rows: &[CappedJob], horizon: Option<Time>) -> Seen {
    let mut names = Interner::default();
    for tenant in ["red", "blue"] {
        names.tenant(tenant);
    }
    let job = |(row, &(at, run, cores, tenant)): (u64, &CappedJob)| {
        let run = Span::from_secs(run);
        let mut job = Work::job(row, Time::from_secs(at), demand(cores * 1_000, 0, 0, 0), run);
        (job.ask.tenant, job.ask.estimate) = (Id::<Tenant>::new(tenant), Some(run));
        job
    };
    let jobs: Vec<Work> = (0..).zip(rows).map(job).collect();
    let options = Options { explain: true, horizon, ..Options::default() };
    let mut observer = (Laws::new(true), Seen::default());
    let mut source = WorkList::new(&jobs).named(names);
    let mut policy = policy::build(&spec);
    let control = &mut |_: sim::RunProgress| ControlFlow::Continue(());
    sim::run(world, &mut source, &mut *policy, &options, &mut observer, control).expect("it runs");
    let (laws, seen) = observer;
    assert_eq!(laws.broken(), None);
    seen
}

/// Rents what is cheapest for work, under a cap that looks so many seconds ahead.
fn capped(ahead: i64) -> PolicySpec {
    PolicySpec {
        provision: provision::CHEAPEST.spec(),
        cap: cap::BUDGET.spec().set("ahead", Span::from_secs(ahead)),
        ..PolicySpec::named("p")
    }
}

#[test]
fn what_lives_and_the_launch_must_fit_for_the_time_ahead() {
    let world = cloud(vec![budget(BudgetScope::Total, 100, BudgetPeriod::Run)]);
    // Each launch is taken to cost 30 dollars: three fit into 100. Then 90 are spent, and 10 are too few.
    let job = |at| (at, 30, 4, 1);
    let seen = ran(&world, capped(30), &[job(0), job(0), job(0), job(40)]);
    assert_eq!((seen.launched.len(), seen.cost), (3, dollars(90)));
    assert_eq!(seen.waits.last(), Some(&(3, WaitReason::OverBudget)));
    // Who waits takes machines that are there: those are not stopped.
    let seen = ran(&world, capped(30), &[job(0); 5]);
    assert_eq!((seen.launched.len(), seen.cost), (3, dollars(150)));
    // With 10 s ahead four fit. At 25 s the budget is used up, and nothing more is rented.
    let rows = [job(0), job(0), job(0), job(0), job(25)];
    let seen = ran(&world, capped(10), &rows);
    assert_eq!((seen.launched.len(), seen.started[4]), (4, (4, secs(30))));
    // Without a cap nothing is refused.
    let free = PolicySpec { cap: cap::NONE.spec(), ..capped(30) };
    assert_eq!(ran(&world, free, &[job(0); 5]).launched.len(), 5);
}

#[test]
fn a_new_period_rents_again() {
    let period = BudgetPeriod::Clock(Span::from_secs(100));
    let world = cloud(vec![budget(BudgetScope::Total, 50, period)]);
    // All of it is spent at 50 s: the second waits for the next period.
    let seen = ran(&world, capped(20), &[(0, 50, 4, 1), (55, 10, 4, 1)]);
    assert_eq!(seen.started, [(0, 0), (1, secs(100))]);
    // Ten are left at 45 s, and 20 s cost more; at 90 s no more than 10 s are left of the period.
    let seen = ran(&world, capped(20), &[(0, 40, 4, 1), (45, 10, 4, 1)]);
    assert_eq!(seen.started, [(0, 0), (1, secs(90))]);
    // A minute costs more than a period has, but from its middle on no more of it is in the period.
    let seen = ran(&world, capped(60), &[(0, 10, 4, 1)]);
    assert_eq!(seen.started, [(0, secs(50))]);
    // Of a minimum of a minute that does not hold: the job waits for ever, and nobody asks for ever.
    let mut world = world;
    for provider in world.providers.rows_mut() {
        provider.billing.minimum = Span::from_secs(60);
    }
    let seen = ran(&world, capped(60), &[(0, 10, 4, 1)]);
    assert_eq!((seen.started, seen.waits), (vec![], vec![(0, WaitReason::OverBudget)]));
}

/// The same of parts that carry work, in which each job decides for itself.
#[test]
fn who_carries_work_waits_for_a_new_period() {
    let period = BudgetPeriod::Clock(Span::from_secs(100));
    let spec = |ahead| PolicySpec { provision: provision::ON_DEMAND.spec(), ..capped(ahead) };
    let (early, late) = ((0, 50, 4, 1), (55, 10, 4, 1));
    for of in [BudgetScope::Total, BudgetScope::Tenant("red".to_owned())] {
        let world = cloud(vec![budget(of, 50, period)]);
        let seen = ran(&world, spec(20), &[early, late]);
        assert_eq!(seen.started, [(0, 0), (1, secs(100))]);
    }
    // What another tenant spends is no matter.
    let world = cloud(vec![budget(BudgetScope::Tenant("blue".to_owned()), 50, period)]);
    assert_eq!(ran(&world, spec(20), &[early, late]).started, [(0, 0), (1, secs(55))]);
}

#[test]
fn budgets_of_tenants_and_providers_cap_their_own() {
    let red = budget(BudgetScope::Tenant("red".to_owned()), 20, BudgetPeriod::Run);
    let world = cloud(vec![red]);
    // Rows of tenants: 0 is nobody, 1 red, 2 blue.
    let rows = [(0, 20, 4, 1), (30, 10, 4, 1), (40, 10, 4, 2)];
    let greedy = PolicySpec { backfill: backfill::GREEDY.spec(), ..capped(10) };
    let seen = ran(&world, greedy, &rows);
    // Nothing is rented for red any more: it waits for the machine that is rented for blue.
    assert_eq!(seen.started, [(0, 0), (2, secs(40)), (1, secs(50))]);
    assert_eq!(seen.launched.len(), 2);
    assert!(seen.waits.contains(&(1, WaitReason::OverBudget)), "{:?}", seen.waits);
    let offers = [("a", "one", "3600", 1_000_000), ("b", "two", "7200", 1_000_000)];
    let mut world = cloud_of(&offers, Vec::new());
    let one = world.providers.find(|provider| provider.name == "one").expect("it is there");
    world.budgets = vec![budget(BudgetScope::Provider(one), 10, BudgetPeriod::Run)];
    let seen = ran(&world, capped(5), &[(0, 10, 4, 1), (20, 10, 4, 1)]);
    let offers: Vec<&str> = seen.launched.iter().map(|(_, offer, _)| offer.as_str()).collect();
    assert_eq!(offers, ["a", "b"]);
}

/// A budget of 100, 20 s ahead. At two dollars a second 60 are spent at 30 s, and 40 are to come: the machine
/// that is used less goes, and its job waits. At one a second 80 are spent at 50 s.
#[test]
fn budget_greedy_gives_back_what_is_used_least() {
    let world = cloud(vec![budget(BudgetScope::Total, 100, BudgetPeriod::Run)]);
    let spec = PolicySpec { provision: provision::BUDGET_GREEDY.spec(), ..capped(20) };
    let seen = ran(&world, spec.clone(), &[(0, 1_000, 1, 1), (0, 1_000, 4, 1)]);
    assert_eq!(seen.launched.len(), 2);
    assert_eq!(seen.released, [(0, 30_000_001), (1, 50_000_000)]);
    assert_eq!(seen.cost.nanos(), 80_000_001_000);
    // Of equals the youngest goes first.
    let seen = ran(&world, spec, &[(0, 1_000, 4, 1), (0, 1_000, 4, 1)]);
    assert_eq!(seen.released, [(1, 30_000_001), (0, 50_000_000)]);
}

/// Four times as fast at one and a half times the price is cheaper for the job, and dearer by the hour.
#[test]
fn budget_greedy_rents_the_lowest_price_per_hour() {
    let offers = [("slow", "p", "3600", 1_000_000), ("fast", "p", "5400", 4_000_000)];
    let world = cloud_of(&offers, vec![budget(BudgetScope::Total, 1_000, BudgetPeriod::Run)]);
    for (part, want) in [(&provision::BUDGET_GREEDY, "slow"), (&provision::CHEAPEST, "fast")] {
        let spec = PolicySpec { provision: part.spec(), ..capped(20) };
        let seen = ran(&world, spec, &[(0, 100, 4, 1)]);
        assert_eq!(seen.launched[0].1, want);
    }
}

/// All of it is spent at 50 s. At 100 s the run is over: nothing begins, and nothing is rented.
#[test]
fn no_period_begins_as_the_run_ends() {
    for period in [BudgetPeriod::Run, BudgetPeriod::Clock(Span::from_secs(100))] {
        let world = cloud(vec![budget(BudgetScope::Total, 50, period)]);
        let rows = [(0, 50, 4, 1), (60, 10, 4, 1)];
        let seen = ran_until(&world, capped(20), &rows, Some(Time::from_secs(100)));
        assert_eq!((seen.launched.len(), seen.cost), (1, dollars(50)));
    }
}

/// A launch that just fits is one too many by rounding alone; it is not given back for that. Eleven cents
/// an hour are left for a second machine of seven cents from 3,600 x 10 / 7 s before the end of the hour on.
#[test]
fn budget_greedy_keeps_what_just_fits() {
    let limit = Money::from_nanos(110_000_000);
    let hour = BudgetPeriod::Clock(Span::HOUR);
    let world = Budget { limit, ..budget(BudgetScope::Total, 1, hour) };
    let world = cloud_of(&[("m", "p", "0.07", 1_000_000)], vec![world]);
    let spec = PolicySpec { provision: provision::BUDGET_GREEDY.spec(), ..capped(3_600) };
    let rows = [(0, 7_200, 4, 1), (100, 7_200, 4, 1)];
    let seen = ran_until(&world, spec, &rows, Some(Time::from_secs(3_600)));
    assert_eq!(seen.launched.len(), 2);
}
