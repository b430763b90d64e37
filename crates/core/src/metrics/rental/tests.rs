use super::*;
use crate::model::{Market, Quota, QuotaUnit};
use crate::policy::provision::CHEAPEST;
use crate::state::testing::{Plan, demand, shape, world};

/// Two owned machines of 64 cores. For rent: instances of 4 cores within a quota of 8, one
/// of 8 cores, and one of 16 elsewhere.
fn offers() -> World {
    let rented = |name, cores: u32, capacity| Plan {
        name,
        provider: name,
        zone: name,
        shape: shape(cores * 1_000, 65_536, 0),
        market: Market::OnDemand,
        price: "1",
        capacity,
        ..Plan::default()
    };
    let own = Plan { shape: shape(64_000, 65_536, 0), running: 2, ..Plan::default() };
    let plans =
        [own, rented("four", 4, None), rented("eight", 8, Some(1)), rented("far", 16, Some(1))];
    let world = world(&plans);
    let unit = QuotaUnit::Instances;
    let quota = Quota { name: "q".into(), unit, limit: 8, offers: vec![Id::new(1)] };
    World { quotas: vec![quota], ..world }
}

/// Rents at most `most` instances at once.
fn policy(most: u32) -> PolicySpec {
    let mut provision = CHEAPEST.spec();
    provision.settings.set("max_instances", most.into());
    PolicySpec { provision, ..PolicySpec::named("rent") }
}

fn gang(tasks: u32, milli_cores: u32) -> Ask {
    Ask { demand: demand(milli_cores, 0, 0, 0), tasks, gang: true, ..Ask::default() }
}

/// Counts pieces of work of no rules, whose tasks may lie in any place or in one.
fn count(renting: &mut Renting, world: &World, asks: &[Ask], together: bool) {
    let rules = Rules::default();
    let resolved = ResolvedRules::new(world, &rules);
    let site = |offer: Id<Offer>| together.then_some(offer.row() as u32);
    for ask in asks {
        let limits = RentalLimits { rules: &rules, resolved: &resolved, site: &site };
        renting.count(world, limits, ask);
    }
}

#[test]
fn reasons_are_those_that_each_piece_has_by_itself() {
    let world = offers();
    for (together, most) in [(false, 2), (false, 30), (true, 30)] {
        let mut all = Renting::new(&policy(most)).expect("it rents");
        let (mut apart, mut whys) = (Rentals::default(), Vec::new());
        for cores in [1, 2, 4, 8, 16, 17, 64, 65] {
            for tasks in [1, 2, 3, 5, 9, 12, 40, 5, 1] {
                let ask = gang(tasks, cores * 1_000);
                count(&mut all, &world, &[ask], together);
                let mut one = Renting::new(&policy(most)).expect("it rents");
                count(&mut one, &world, &[ask], together);
                let one = one.found();
                apart.pieces += one.pieces;
                apart.impossible += one.impossible;
                for lack in one.lacks {
                    match apart.lacks.iter_mut().find(|known| known.why == lack.why) {
                        Some(known) => known.pieces += lack.pieces,
                        None => {
                            whys.push(lack.why.clone());
                            apart.lacks.push(lack);
                        }
                    }
                }
            }
        }
        assert_eq!(all.found(), apart);
        let said = |part: &str| whys.iter().any(|why| why.contains(part));
        assert!(said("holds a task, the largest is far with 16 vCPUs"), "{whys:?}");
        assert!(most > 2 || said("`max_instances` of the policy"), "{whys:?}");
        assert!(most == 2 || said("the quota q of 8"), "{whys:?}");
        assert!(most == 2 || said("the capacity of what it may rent"), "{whys:?}");
    }
}

#[test]
fn kinds_of_work_beyond_those_remembered_are_counted_all_the_same() {
    let world = offers();
    let mut renting = Renting::new(&policy(2)).expect("it rents");
    let kinds = REMEMBERED as u32 + 1_000;
    // 2 to 4 tasks of more than 8 cores and less than half of an owned machine.
    let ask = |kind: u32| gang(2 + kind / 22_200, 8_001 + kind % 22_200);
    let asks: Vec<Ask> = (0..kinds).map(ask).collect();
    count(&mut renting, &world, &asks, false);
    count(&mut renting, &world, &asks[..1_000], false);
    assert!(renting.known.len() <= REMEMBERED, "{} are remembered", renting.known.len());
    let found = renting.found();
    assert_eq!((found.pieces, found.impossible), (67_536, 0));
    // Of each number of tasks 8,000 kinds ask for at most 16 cores, and the first 1,000 came twice.
    let counts: Vec<u64> = found.lacks.iter().map(|lack| lack.pieces).collect();
    assert_eq!(counts, [9_000, 42_536, 16_000], "{:?}", found.lacks);
}
