//! Budgets over runs, by hand. A machine of four cores costs a dollar a second.

use std::ops::ControlFlow;

use super::*;
use crate::metrics::Laws;
use crate::model::{BudgetPeriod, BudgetScope, Market, Work, World};
use crate::policy::spec::PolicySpec;
use crate::policy::{self, provision};
use crate::sim::{self, Options};
use crate::state::testing::{Plan, demand, world};
use crate::workload::WorkList;

fn secs(secs: i64) -> Time {
    Time::from_secs(secs)
}

fn dollars(dollars: i128) -> Money {
    Money::from_nanos(dollars * 1_000_000_000)
}

/// A budget in all for each 100 s of the clock.
fn budget(limit: i128) -> Budget {
    Budget {
        name: "all".to_owned(),
        of: BudgetScope::Total,
        limit: dollars(limit),
        period: BudgetPeriod::Clock(Span::from_secs(100)),
        alert_at: vec![500_000, 1_000_000],
        forecast_at: vec![1_000_000],
    }
}

/// A cloud whose machines cost a dollar a second, with these budgets.
fn cloud(budgets: Vec<Budget>) -> World {
    let plan = Plan { name: "m", market: Market::OnDemand, price: "3600", ..Plan::default() };
    let mut world = world(&[plan]);
    world.budgets = budgets;
    world
}

/// Jobs of four cores: arrival and length in seconds. A machine is rented for each, and given back after.
fn ran(world: &World, jobs: &[(i64, i64)], horizon: Option<i64>) -> Budgets {
    let jobs: Vec<Work> = (0..)
        .zip(jobs)
        .map(|(row, &(at, run))| {
            Work::job(row, secs(at), demand(4_000, 0, 0, 0), Span::from_secs(run))
        })
        .collect();
    let spec = PolicySpec { provision: provision::CHEAPEST.spec(), ..PolicySpec::named("p") };
    let options = Options { horizon: horizon.map(secs), ..Options::default() };
    let mut observer = (Laws::new(true), Budgets::of(&world.budgets));
    let mut source = WorkList::new(&jobs);
    let mut policy = policy::build(&spec);
    let control = &mut |_: sim::RunProgress| ControlFlow::Continue(());
    sim::run(world, &mut source, &mut *policy, &options, &mut observer, control).expect("it runs");
    let (laws, budgets) = observer;
    assert_eq!(laws.broken(), None);
    budgets
}

/// Basis, percent and microseconds of what was crossed.
fn crossed(spell: &BudgetSpell) -> Vec<(ThresholdBasis, u32, i64)> {
    let one = |one: &Crossing| (one.basis, one.share / 10_000, one.at.micros());
    spell.crossings.iter().map(one).collect()
}

use ThresholdBasis::{Actual, Forecast};

#[test]
fn thresholds_are_crossed_to_the_microsecond_in_each_period() {
    let histories = ran(&cloud(vec![budget(50)]), &[(0, 250)], None).into_histories();
    let spells = &histories[0].spells;
    let told: Vec<_> =
        spells.iter().map(|one| (one.from, one.until, one.over, one.spent)).collect();
    let want = [
        (secs(0), secs(100), true, dollars(100)),
        (secs(100), secs(200), true, dollars(100)),
        (secs(200), secs(250), false, dollars(50)),
    ];
    assert_eq!(told, want);
    for (place, spell) in (0..).zip(spells) {
        // A dollar a second is 100 in the period; of it is told after a tenth.
        let at = |secs: i64| (100 * place + secs) * 1_000_000;
        let want = [(Forecast, 100, at(10)), (Actual, 50, at(25)), (Actual, 100, at(50))];
        assert_eq!(crossed(spell), want, "{place}");
        assert_eq!(spell.used_up, Some(secs(100 * place + 50)));
        assert_eq!(spell.forecast, Some(dollars(100)), "{place}");
    }
    assert_eq!(histories[0].period_end, Some(secs(300)));
}

/// From 40 s to 50 s, and from 150 s to 160 s, of a budget of 15 dollars: at t of the first period the forecast is
/// (t − 40) / t × 100, which is 15 at 4000/85 s; of the second x / (50 + x) × 100, at 7.5/0.85 s.
#[test]
fn a_forecast_rises_while_money_is_spent_and_falls_while_none_is() {
    let histories = ran(&cloud(vec![budget(15)]), &[(40, 10), (150, 10)], None).into_histories();
    let [first, second] = &histories[0].spells[..] else { panic!("two periods") };
    assert_eq!(crossed(first), [(Forecast, 100, 47_058_824), (Actual, 50, 47_500_000)]);
    // At its height it was 20, at 50 s.
    assert_eq!((first.crossings[0].most, first.spent), (dollars(20), dollars(10)));
    assert_eq!((first.forecast, first.used_up), (Some(dollars(10)), None));
    assert_eq!(crossed(second), [(Actual, 50, 157_500_000), (Forecast, 100, 158_823_530)]);
    // 10 / 60 × 100, rounded down.
    assert_eq!(second.forecast, Some(Money::from_nanos(16_666_666_666)));
    assert!(!second.over);
}

/// What a minimum adds counts when the machine is given back: of 30 s 60 are billed.
#[test]
fn a_minimum_counts_when_the_machine_goes() {
    let run = BudgetPeriod::Run;
    let mut world = cloud(vec![Budget { period: run, ..budget(60) }]);
    let provider = world.providers.ids().next().expect("there is one");
    let minute = Span::from_secs(60);
    world.providers[provider].billing =
        crate::model::Billing { granularity: minute, minimum: minute };
    let histories = ran(&world, &[(10, 30), (90, 5)], Some(200)).into_histories();
    let [spell] = &histories[0].spells[..] else { panic!("one period") };
    // At 20 s, a tenth of the run, ten dollars are spent: 100 in all.
    let want = [(Forecast, 100, 20_000_000), (Actual, 50, 40_000_000), (Actual, 100, 40_000_000)];
    assert_eq!(crossed(spell), want);
    assert_eq!((spell.spent, spell.until, spell.over), (dollars(120), secs(95), false));
}

#[test]
fn budgets_of_providers_and_tenants_count_their_own() {
    let of = |of| Budget { of, period: BudgetPeriod::Run, forecast_at: Vec::new(), ..budget(1) };
    let mut world = cloud(Vec::new());
    let provider = world.providers.ids().next().expect("there is one");
    let tenant = |name: &str| of(BudgetScope::Tenant(name.to_owned()));
    world.budgets = vec![of(BudgetScope::Provider(provider)), tenant("default"), tenant("other")];
    world.offers[crate::units::Id::new(0)].launch =
        crate::model::LaunchTerms::taking(crate::units::Distribution::Constant(20.0));
    let histories = ran(&world, &[(0, 30)], None).into_histories();
    let spent: Vec<_> = histories.iter().map(|one| one.spells[0].spent).collect();
    // The boot of 20 s is nobody's.
    assert_eq!(spent, [dollars(50), dollars(30), dollars(0)]);
    let used_up: Vec<_> = histories.iter().map(|one| one.spells[0].used_up).collect();
    assert_eq!(used_up, [Some(secs(1)), Some(secs(21)), None]);
}

#[test]
fn alerts_last_to_the_end_of_the_period() {
    let world = cloud(vec![budget(1_000), budget(50)]);
    let budgets = ran(&world, &[(0, 130)], None);
    let rules = budget_rules(&world.budgets);
    let names: Vec<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
    let want = ["all: 50 % spent", "all: 100 % spent", "all: forecast 100 %"];
    assert_eq!(names, [want, want].concat());
    let mut alerts = Alerts::new(&rules, None);
    budgets.tell(&mut alerts, 0);
    let (log, counts) = alerts.into_log();
    let told: Vec<_> = log.iter().map(|one| (one.rule, one.from, one.until, one.worst)).collect();
    let want = [
        (5, secs(10), secs(100), 2.0),
        (3, secs(25), secs(100), 2.0),
        (4, secs(50), secs(100), 2.0),
        (5, secs(110), secs(130), 2.0),
        (3, secs(125), secs(130), 0.6),
    ];
    assert_eq!(told, want);
    assert_eq!(counts.iter().map(|count| count.alerts).collect::<Vec<_>>(), [0, 0, 0, 2, 1, 2]);
}

#[test]
fn points_stay_few() {
    let histories = ran(&cloud(vec![budget(50)]), &[(0, 1_000_050)], None).into_histories();
    let points = &histories[0].points;
    assert!((MOST_POINTS / 2..=MOST_POINTS).contains(&points.len()), "{}", points.len());
    let steps: Vec<i64> =
        points.windows(2).map(|pair| (pair[1].at - pair[0].at).micros()).collect();
    assert!(steps[..steps.len() - 1].iter().all(|&step| step == steps[0]), "{steps:?}");
    assert_eq!(points.last().map(|point| point.at), Some(secs(1_000_050)));
}
