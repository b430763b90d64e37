use super::*;
use crate::model::{LaunchTerms, Link, Quota, QuotaUnit, World};
use crate::policy::provision::capacity_optimised::CapacityOptimised;
use crate::policy::provision::cheapest::Cheapest;
use crate::policy::provision::diversified::Diversified;
use crate::policy::provision::fastest::Fastest;
use crate::policy::provision::price_capacity_optimised::PriceCapacityOptimised;
use crate::policy::provision::round_robin::RoundRobin;
use crate::state::testing::{Plan, demand, rules, shape, start, submit, world};
use crate::state::{
    DecisionNote, Effect, ExpectedCost, LaunchRefusal, Needs, OfferRejection, State,
};
use crate::units::{Distribution, Money, Rate, Stream, Time};

/// PartSettings with this wait, these markets (on demand if there is none) and this limit.
fn settings(after_secs: i64, markets: &[Market], most: Option<u32>) -> PartSettings {
    let mut settings = PartSettings::new(RENT);
    settings.set("after_wait", Span::from_secs(after_secs).into());
    if !markets.is_empty() {
        settings.set("markets", markets.to_vec().into());
    }
    if let Some(most) = most {
        settings.set("max_instances", most.into());
    }
    settings
}

fn part(choice: impl OfferChoice + 'static) -> OnDemand {
    OnDemand::new(choice, &settings(0, &[], None))
}

fn ask(cpu: u32, tasks: u32, secs: i64) -> Ask {
    Ask {
        demand: demand(cpu, 0, 0, 0),
        tasks,
        estimate: Some(Span::from_secs(secs)),
        ..Ask::default()
    }
}

/// Supplies and returns what was said.
fn supply(part: &mut OnDemand, state: &mut State<'_>, work: WorkRef) -> Provisioned {
    part.supply(&mut Turn::new(state, &mut Stream::new(1, "policy")), work)
}

/// Instances live by offer.
fn live(state: &State<'_>) -> Vec<u32> {
    state.world().offers.ids().map(|offer| state.offer(offer).live).collect()
}

/// Result and live instances of one job in a fresh world.
fn rented(choice: impl OfferChoice + 'static, world: &World, ask: Ask) -> (Provisioned, Vec<u32>) {
    let mut state = start(world, Needs::default());
    let work = submit(&mut state, 0, ask);
    let supply = supply(&mut part(choice), &mut state, work);
    (supply, live(&state))
}

const fn rented_at(name: &'static str, price: &'static str, cpu: u32) -> Plan {
    Plan {
        name,
        provider: "cloud",
        zone: "cloud-a",
        shape: shape(cpu, 4_096, 0),
        model: "",
        speed: 1_000_000,
        market: Market::OnDemand,
        price,
        capacity: None,
        boot_secs: 0,
        running: 0,
    }
}

#[test]
fn the_cheapest_counts_instances_boot_speed_and_rounding() {
    // One hour of 4 cores: small 1.00; wide 1.90 for twice as much; fast
    // 1.60 at twice the speed, so 0.80; slow to boot 0.50, but it is paid
    // for one more hour, 1.00 (a tie with small, a higher id).
    let plans = [
        rented_at("small", "1.00", 4_000),
        rented_at("wide", "1.90", 8_000),
        Plan { speed: 2_000_000, ..rented_at("fast", "1.60", 4_000) },
        Plan { boot_secs: 3_600, ..rented_at("late", "0.50", 4_000) },
    ];
    let hour = |tasks| ask(4_000, tasks, 3_600);
    assert_eq!(rented(Cheapest, &world(&plans), hour(1)).1, [0, 0, 1, 0]);
    let without_fast = [plans[0].clone(), plans[1].clone(), plans[3].clone()];
    assert_eq!(rented(Cheapest, &world(&without_fast), hour(1)).1, [1, 0, 0]);
    // Two tasks: 2 x 1.00, 1 x 1.90, 2 x 1.00.
    assert_eq!(rented(Cheapest, &world(&without_fast), hour(2)).1, [0, 1, 0]);
    // Three: 3.00, 2 x 1.90, 3.00.
    assert_eq!(rented(Cheapest, &world(&without_fast), hour(3)).1, [3, 0, 0]);
    // Ten hours: the boot no longer matters, 10.00 before 5.50.
    let long = ask(4_000, 1, 36_000);
    assert_eq!(rented(Cheapest, &world(&without_fast), long).1, [0, 0, 1]);
    // Billed by the day, one hour costs 24 hours, whatever the boot: late is cheaper.
    let mut daily = world(&without_fast);
    daily.providers[Id::new(0)].billing.granularity = Span::from_secs(86_400);
    assert_eq!(rented(Cheapest, &daily, hour(1)).1, [0, 0, 1]);
    // Without an estimate, as for an hour.
    let unknown = Ask { estimate: None, ..hour(1) };
    assert_eq!(rented(Cheapest, &world(&without_fast), unknown).1, [1, 0, 0]);
}

#[test]
fn the_cheapest_pays_for_the_way_of_the_data() {
    let there = Plan { provider: "away", zone: "away-a", ..rented_at("there", "0.90", 4_000) };
    let mut world = world(&[rented_at("here", "1.00", 4_000), there]);
    // 1 cent per GiB each way, from here (region 0) to there and back.
    let link = Link { nanos_per_gib: 10_000_000, bytes_per_sec: 0, path: None };
    world.links = vec![Link::default(), link, link, Link::default()];
    let mut part = part(Cheapest);
    for (gib, want) in [(4, [0, 1]), (6, [1, 0])] {
        let mut state = start(&world, Needs::default());
        let home = Some(state.book_mut().home("cloud"));
        let bytes = gib << 30;
        // 1.00 against 0.90 + 2 x 0.04 = 0.98, or + 2 x 0.06 = 1.02.
        let ask = Ask { home, input: bytes, output: bytes, ..ask(4_000, 1, 3_600) };
        let work = submit(&mut state, 0, ask);
        assert_eq!(supply(&mut part, &mut state, work), Provisioned::Rented);
        assert_eq!(live(&state), want, "{gib} GiB");
    }
}

/// Pools of 2, 17 and 40 instances, at 1.00, 1.50 and 2.00. One instance is had 2, 17 and 40 times, two
/// 1, 8.5 and 20 times, three 0.67, 5.67 and 13.33 times.
#[test]
fn depth_and_price_and_evenness_choose_the_pool() {
    let pool = |name, price, most| Plan { capacity: Some(most), ..rented_at(name, price, 4_000) };
    let world = world(&[pool("low", "1.00", 2), pool("mid", "1.50", 17), pool("deep", "2.00", 40)]);
    let job = |tasks| ask(4_000, tasks, 3_600);
    for (tasks, deepest, deep_enough) in
        [(1, [0, 0, 1], [0, 1, 0]), (2, [0, 0, 2], [0, 0, 2]), (3, [0, 0, 3], [0, 0, 3])]
    {
        assert_eq!(rented(CapacityOptimised, &world, job(tasks)).1, deepest, "{tasks} tasks");
        let bucketed = rented(PriceCapacityOptimised, &world, job(tasks)).1;
        assert_eq!(bucketed, deep_enough, "{tasks} tasks");
    }
    // Two of the first are all; of those with one each, the cheaper is next.
    for (tasks, want) in [(1, [1, 0, 0]), (3, [1, 1, 1]), (5, [2, 2, 1]), (7, [2, 3, 2])] {
        let gang = job(tasks);
        assert_eq!(rented(Diversified, &world, gang).1, want, "{tasks} tasks together");
        let array = Ask { gang: false, ..gang };
        assert_eq!(rented(Diversified, &world, array).1, want, "{tasks} tasks one by one");
    }
}

#[test]
fn the_fastest_ends_first() {
    let plans = [
        Plan { boot_secs: 100, ..rented_at("early", "9.00", 4_000) },
        Plan { boot_secs: 300, speed: 2_000_000, ..rented_at("quick", "5.00", 4_000) },
        Plan { boot_secs: 300, speed: 2_000_000, ..rented_at("same", "4.00", 4_000) },
    ];
    let world = world(&plans);
    // 300 s: 100 + 300 before 300 + 150; 600 s: 700 after 600, of which one is cheaper.
    for (secs, want) in [(300, [1, 0, 0]), (600, [0, 0, 1])] {
        let got = rented(Fastest, &world, ask(1_000, 1, secs));
        assert_eq!(got, (Provisioned::Rented, want.to_vec()), "{secs} s");
    }
}

#[test]
fn providers_take_turns() {
    let of = |provider, zone, plan| Plan { provider, zone, ..plan };
    let plans = [
        of("p", "pa", rented_at("p-dear", "2.00", 4_000)),
        of("q", "qa", rented_at("q", "9.00", 4_000)),
        of("p", "pa", rented_at("p-cheap", "1.00", 4_000)),
        of("r", "ra", Plan { capacity: Some(1), ..rented_at("r", "0.50", 4_000) }),
    ];
    let world = world(&plans);
    let mut state = start(&world, Needs::default());
    let mut part = part(RoundRobin::default());
    // p, q, r, p, q, and p again, as r has no more.
    let wants = [[0, 0, 1, 0], [0, 1, 1, 0], [0, 1, 1, 1], [0, 1, 2, 1], [0, 2, 2, 1]];
    for (row, want) in wants.into_iter().chain([[0, 2, 3, 1]]).enumerate() {
        let work = submit(&mut state, row as u64, ask(4_000, 1, 60));
        assert_eq!(supply(&mut part, &mut state, work), Provisioned::Rented);
        assert_eq!(live(&state), want, "row {row}");
    }
}

#[test]
fn refused_launches_are_passed_over() {
    let mut limited = world(&[
        Plan { capacity: Some(2), ..rented_at("a", "1.00", 4_000) },
        rented_at("b", "2.00", 4_000),
        rented_at("c", "3.00", 4_000),
    ]);
    // At most 3 of b and c together.
    limited.quotas.push(Quota {
        name: "b and c".to_owned(),
        unit: QuotaUnit::Instances,
        limit: 3,
        offers: vec![Id::new(1), Id::new(2)],
    });
    let mut part = part(Cheapest);
    // A gang stays together where that can be, and mixes where it cannot.
    for (tasks, want) in [(2, [2, 0, 0]), (3, [0, 3, 0]), (5, [2, 3, 0])] {
        let got = rented(Cheapest, &limited, ask(4_000, tasks, 60));
        assert_eq!(got, (Provisioned::Rented, want.to_vec()), "{tasks} tasks");
    }
    let none = Provisioned::None(WaitReason::NothingToRent);
    assert_eq!(rented(Cheapest, &limited, ask(4_000, 6, 60)), (none, vec![0, 0, 0]));
    // Tasks on their own take what there is.
    let loose = |tasks| Ask { gang: false, ..ask(4_000, tasks, 60) };
    assert_eq!(rented(Cheapest, &limited, loose(3)), (Provisioned::Rented, vec![2, 1, 0]));
    assert_eq!(rented(Cheapest, &limited, loose(6)), (none, vec![2, 3, 0]));
    // No refused launch is on record: none was asked for.
    let mut state = start(&limited, Needs::default());
    let work = submit(&mut state, 0, loose(6));
    supply(&mut part, &mut state, work);
    let mut effects = Vec::new();
    state.take_effects(&mut effects);
    assert!(!effects.iter().any(|one| matches!(one, Effect::LaunchRefused(..))));
}

#[test]
fn rents_no_more_than_it_may_and_not_before() {
    let owned = Plan { running: 3, ..Plan::default() };
    let world = world(&[owned, rented_at("a", "1.00", 4_000)]);
    let mut part = OnDemand::new(Cheapest, &settings(60, &[], Some(2)));
    let mut state = start(&world, Needs::default());
    let first = submit(&mut state, 0, ask(4_000, 2, 60));
    let wait = Provisioned::Later(Time::from_secs(60));
    assert_eq!(supply(&mut part, &mut state, first), wait);
    state.set_now(Time::from_secs(60));
    assert_eq!(supply(&mut part, &mut state, first), Provisioned::Rented);
    assert_eq!(live(&state), [3, 2]);
    let second = submit(&mut state, 1, ask(4_000, 1, 60));
    state.set_now(Time::from_secs(120));
    let none = Provisioned::None(WaitReason::NothingToRent);
    assert_eq!(supply(&mut part, &mut state, second), none);
}

#[test]
fn markets_and_rules_are_kept_to() {
    let spot = Plan { market: Market::Spot, ..rented_at("spot", "0.30", 4_000) };
    let world = world(&[spot, rented_at("a", "1.00", 4_000), rented_at("b", "2.00", 8_000)]);
    let cases: [(&[Market], u32, &str, Vec<u32>); 4] = [
        (&[], 4_000, "", vec![0, 1, 0]),
        (&[Market::OnDemand, Market::Spot], 4_000, "", vec![1, 0, 0]),
        (&[Market::Spot], 8_000, "", vec![0, 0, 0]),
        (&[], 4_000, "a", vec![0, 0, 1]),
    ];
    for (markets, cpu, forbidden, want) in cases {
        let mut state = start(&world, Needs::default());
        let mut set = crate::model::Rules::default();
        set.offers.forbidden = vec![forbidden.to_owned()];
        let rules = rules(&mut state, &set);
        let work = submit(&mut state, 0, Ask { rules, ..ask(cpu, 1, 60) });
        let mut part = OnDemand::new(Cheapest, &settings(0, markets, None));
        supply(&mut part, &mut state, work);
        assert_eq!(live(&state), want, "{markets:?}, {cpu}, not {forbidden:?}");
    }
}

#[test]
fn tasks_share_an_instance_and_parts_of_gpus_their_devices() {
    let gpus = Plan { shape: shape(64_000, 65_536, 4), ..rented_at("gpus", "1", 0) };
    let world = world(&[gpus]);
    // Three per device, 12 per instance: 14 take two instances.
    for (share, gpus, tasks, want) in
        [(300, 1, 14, 2), (1_000, 2, 3, 2), (500, 2, 4, 1), (500, 2, 5, 2)]
    {
        for gang in [true, false] {
            let demand = demand(1_000, 0, gpus, share);
            let ask = Ask { demand, tasks, gang, ..Ask::default() };
            let got = rented(Cheapest, &world, ask);
            assert_eq!(got, (Provisioned::Rented, vec![want]), "{gpus} x {share}, gang {gang}");
        }
    }
}

#[test]
fn tasks_are_spread_over_zones() {
    let zone = |name, zone, price| Plan { zone, ..rented_at(name, price, 8_000) };
    let world = world(&[zone("a", "za", "1"), zone("b", "zb", "2"), zone("c", "zc", "3")]);
    let cases = [
        (Spread::Instances, 3, Provisioned::Rented, [3, 0, 0]),
        (Spread::Zones, 2, Provisioned::Rented, [1, 1, 0]),
        (Spread::Zones, 4, Provisioned::None(WaitReason::NothingToRent), [0, 0, 0]),
        // Two of these fill an instance: three in one zone take two.
        (Spread::EvenZones, 5, Provisioned::Rented, [1, 1, 1]),
        (Spread::EvenZones, 7, Provisioned::Rented, [2, 1, 1]),
    ];
    for (spread, tasks, want, live_after) in cases {
        let mut state = start(&world, Needs::default());
        let set = crate::model::Rules { spread, ..Default::default() };
        let rules = rules(&mut state, &set);
        let work = submit(&mut state, 0, Ask { rules, ..ask(4_000, tasks, 60) });
        assert_eq!(supply(&mut part(Cheapest), &mut state, work), want, "{spread:?}");
        assert_eq!(live(&state), live_after, "{spread:?}");
    }
}

#[test]
fn every_offer_is_explained() {
    let mut world = world(&[
        rented_at("dear", "2", 4_000),
        rented_at("taken", "1", 4_000),
        rented_at("small", "1", 1_000),
        Plan { capacity: Some(0), ..rented_at("gone", "0.5", 4_000) },
        Plan::default(),
    ]);
    world.offers[Id::new(0)].launch = LaunchTerms::taking(Distribution::Constant(3_600.0));
    let mut state = start(&world, Needs::default());
    state.keep_notes();
    let work = submit(&mut state, 0, ask(4_000, 1, 3_600));
    supply(&mut part(Cheapest), &mut state, work);
    let dollars = |dollars: i128| Money::from_nanos(dollars * 1_000_000_000);
    let one = |cost| ExpectedCost { cost, instances: 1, there: 0 };
    let rejected = |row, why, expected| {
        (work, DecisionNote::OfferRejected { offer: Id::new(row), why, expected })
    };
    let gone = OfferRejection::Launch(LaunchRefusal::Capacity);
    let want = [
        rejected(0, OfferRejection::Dearer, Some(one(dollars(4)))), // two hours
        (work, DecisionNote::OfferChosen { offer: Id::new(1), expected: one(dollars(1)) }),
        rejected(2, OfferRejection::TooSmall, None),
        rejected(3, gone, Some(one(Money::from_nanos(500_000_000)))),
        rejected(4, OfferRejection::Owned, None),
    ];
    assert_eq!(state.take_notes(), want);
}

#[test]
fn the_limit_of_the_policy_is_what_speaks_against_an_offer() {
    let full = Plan { capacity: Some(1), ..rented_at("full", "1", 4_000) };
    let world = world(&[rented_at("open", "1", 4_000), full, rented_at("large", "1", 16_000)]);
    let mut state = start(&world, Needs::default());
    state.keep_notes();
    let work = submit(&mut state, 0, ask(8_000, 5, 60));
    let mut part = OnDemand::new(Cheapest, &settings(0, &[], Some(2)));
    assert_eq!(supply(&mut part, &mut state, work), Provisioned::None(WaitReason::NothingToRent));
    let work = submit(&mut state, 1, ask(4_000, 9, 60));
    assert_eq!(supply(&mut part, &mut state, work), Provisioned::None(WaitReason::NothingToRent));
    let why = |(_, note)| match note {
        DecisionNote::OfferRejected { why, .. } => why,
        note => panic!("{note:?}"),
    };
    let (small, few) = (OfferRejection::TooSmall, OfferRejection::TooFew(LaunchRefusal::Capacity));
    let limit = OfferRejection::MaxInstances(2);
    let want = [small, small, limit, limit, few, limit];
    assert_eq!(state.take_notes().into_iter().map(why).collect::<Vec<_>>(), want);
}

/// On random worlds whose prices change, the choice is that of quoting
/// every offer.
#[test]
fn the_ranking_finds_what_a_full_scan_finds() {
    let mut stream = Stream::new(17, "shelf");
    for round in 0..60 {
        let plans: Vec<_> = (0..40)
            .map(|_| Plan {
                speed: 250_000 * (1 + stream.below(8) as u32),
                boot_secs: stream.below(400) as u32,
                ..rented_at("x", "1", 1_000 * (1 + stream.below(32) as u32))
            })
            .collect();
        let mut world = world(&plans);
        for offer in world.offers.ids() {
            let mut rate = || Rate::from_picos(stream.below(4_000_000_000_000) as i64);
            let path = &mut world.offers[offer].price;
            path.first = rate();
            path.changes = (1..5).map(|at| (Time::from_secs(at * 100), rate())).collect();
        }
        let mut state = start(&world, Needs::default());
        let mut part = part(Cheapest);
        for row in 0..20 {
            state.set_now(Time::from_secs(row as i64 * 27));
            let secs = stream.below(20_000) as i64;
            let ask = ask(1_000, 1 + stream.below(40) as u32, secs);
            let work = submit(&mut state, row, ask);
            let turn_stream = &mut Stream::new(1, "policy");
            let turn = Turn::new(&mut state, turn_stream);
            let how = (&part.reach, &boots(turn.world())[..]);
            let mut all = OfferRanking::new(&turn, turn.work(work), how);
            all.refresh(&turn);
            let quoted = |one: &RankedOffer| {
                let quote = one.quote(&ask, ask.tasks);
                (quote.cost, quote.instances, one.offer)
            };
            let want = all.candidates.iter().map(quoted).min().map(|(.., offer)| offer);
            let before = live(&state);
            assert_eq!(supply(&mut part, &mut state, work), Provisioned::Rented);
            let changed = live(&state).iter().zip(&before).position(|(new, old)| new > old);
            assert_eq!(changed, want.map(Id::row), "round {round}, row {row}");
        }
    }
}

/// 0.17 for 4 cores and 2.72 for 64: sixteen of the one cost what one of the other does, though an
/// hour and a second of either is no whole number of nano-dollars.
#[test]
fn of_offers_of_equal_cost_the_fewest_instances_are_rented() {
    let world = world(&[rented_at("small", "0.17", 4_000), rented_at("large", "2.72", 64_000)]);
    for (tasks, want) in [(16, [0, 1]), (32, [0, 2]), (17, [17, 0]), (1, [1, 0])] {
        let ask = ask(4_000, tasks, 3_601);
        assert_eq!(rented(Cheapest, &world, ask).1, want, "{tasks} tasks");
        assert_eq!(rented(RoundRobin::default(), &world, ask).1, want, "{tasks} tasks, in turn");
        assert_eq!(rented(Fastest, &world, ask).1, want, "{tasks} tasks, fastest");
    }
}
