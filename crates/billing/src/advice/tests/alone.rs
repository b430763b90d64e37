//! One offering alone.

use super::*;

/// Machines of one size that cost a dollar an hour.
fn demands(rows: &[Vec<u64>], term: i64, hourly: i64) -> Case {
    let hours = rows[0].len();
    let mut case = Case::new(vec![machine("m", 1_000)], [rows.len(), hours], term as usize);
    for (replication, row) in rows.iter().enumerate() {
        for (hour, machines) in row.iter().enumerate() {
            case.uses([replication, hour], 0, i128::from(*machines) * HOUR, 10_000);
        }
    }
    case.reserve(term, "m", 1_000, hourly);
    case
}

fn drawn(seed: u64, [replications, hours]: [usize; 2], most: u64) -> Vec<Vec<u64>> {
    let mut draw = Stream::of(seed, "demands", 0);
    let mut row = || (0..hours).map(|_| draw.below(most)).collect();
    (0..replications).map(|_| row()).collect()
}

fn near(found: f64, wanted: f64) {
    assert!((found - wanted).abs() <= 1e-9 * (1.0 + wanted.abs()), "{found} {wanted}");
}

/// The newsvendor: the fewest L with #{d > L} <= c n, where a machine costs the share c of its
/// price for all n hours.
#[test]
fn machines_are_reserved_up_to_the_quantile_of_their_cost() {
    for seed in 0..200 {
        let rows = drawn(seed, [1 + seed as usize % 4, 24], 2 + seed % 17);
        let cost = 500 + (seed as i64 * 977) % 9_900;
        let case = demands(&rows, 24, cost);
        let all: Vec<u64> = rows.concat();
        let over = |level: u64| all.iter().filter(|machines| **machines > level).count() as i64;
        let wanted = (0..).find(|level| over(*level) * 10_000 <= cost * all.len() as i64);
        let found = &case.advice().offerings[0];
        assert_eq!(Some(found.cheapest.units), wanted, "{seed}");
        let units = found.cheapest.units;
        let saved: u64 = all.iter().map(|machines| units.min(*machines)).sum();
        let net = saved as f64 - all.len() as f64 * units as f64 * cost as f64 / 10_000.0;
        near(found.cheapest.saving.mean, net / rows.len() as f64 * 365.0);
        // By hand, whoever knows a replication buys by its own quantile.
        let best = rows.iter().map(|row| {
            let net = |units: u64| {
                let saved: u64 = row.iter().map(|machines| units.min(*machines)).sum();
                saved as f64 - 24.0 * units as f64 * cost as f64 / 10_000.0
            };
            (0..20).map(net).fold(0.0, f64::max)
        });
        let clairvoyant = best.sum::<f64>() / rows.len() as f64 * 365.0;
        near(found.clairvoyant, clairvoyant);
        near(found.regret, found.clairvoyant - found.cheapest.saving.mean);
    }
}

#[test]
fn of_a_flat_demand_all_is_committed_and_the_discount_is_saved() {
    let case = demands(&[vec![7; 5]], 8_760, 7_200);
    let found = &case.advice().offerings[0];
    assert_eq!((found.cheapest.units, found.prudent.units), (7, 7));
    near(found.cheapest.saving.mean, 7.0 * 8_760.0 * 0.28);
    near(found.cheapest.cost.mean, 7.0 * 8_760.0 * 0.72);
    near(found.cheapest.coverage.mean, 1.0);
    near(found.cheapest.utilisation.mean, 1.0);
    near(found.regret, 0.0);
    let level = found.levels[5];
    assert_eq!((level.mean, level.at), (7.0, [7.0; 9]));
    assert_eq!(found.levels.len(), 12);
}

#[test]
fn demand_of_some_hours_is_committed_if_they_are_more_than_the_cost() {
    for (present, units) in [(11, 0), (12, 0), (13, 3), (20, 3)] {
        let row = (0..20).map(|hour| if hour < present { 3 } else { 0 }).collect();
        let found = &demands(&[row], 20, 6_000).advice().offerings[0];
        assert_eq!(found.cheapest.units, units, "{present}");
        near(found.cheapest.utilisation.mean, if units > 0 { present as f64 / 20.0 } else { 0.0 });
    }
}

/// Ten futures of 1 to 10 machines in all hours; one costs half a dollar. The k-th pays where there
/// are k or more, in 11 - k of ten; five together pay where there are at least 3, in eight.
#[test]
fn probabilities_are_counted() {
    let rows: Vec<Vec<u64>> = (1..=10).map(|machines| vec![machines; 4]).collect();
    let mut case = demands(&rows, 8, 5_000);
    let found = case.advice();
    let best = &found.offerings[0].cheapest;
    assert_eq!(best.units, 5);
    assert_eq!(best.last_pays, Some(PayChance::of(6, 10)));
    assert_eq!(best.pays, Some(PayChance::of(8, 10)));
    assert_eq!(found.offerings[0].prudent.units, 3);
    assert_eq!(found.offerings[0].prudent.last_pays, Some(PayChance::of(8, 10)));
    near(best.coverage.mean, (1..=10).map(|d| 5_f64.min(d as f64) / d as f64).sum::<f64>() / 10.0);
    near(best.utilisation.mean, (1..=10).map(|d| 5_f64.min(d as f64) / 5.0).sum::<f64>() / 10.0);
    assert_eq!(found.prudent.holdings[0].units, 3);
    case.confidence = 1.0;
    assert_eq!(case.advice().offerings[0].prudent.units, 1);
}

/// Any number of units of any offering, against the biller.
#[test]
fn no_number_of_units_is_cheaper_by_the_biller() {
    for seed in 0..60 {
        let case = world(seed);
        let advice = case.advice();
        for (row, found) in advice.offerings.iter().enumerate() {
            let cost = |count: u64| {
                let mut units = vec![0; case.offerings.len()];
                units[row] = count;
                let hours = (case.offerings[row].hours as usize).min(case.horizon);
                let mut short = case.clone();
                short.horizon = hours;
                let all = (0..case.demand.replications).map(|row| short.billed(row, &units));
                all.sum::<f64>() / case.demand.replications as f64 * 8_760.0 / hours as f64
            };
            let none = cost(0);
            let most = found.curve.last().map_or(0, |point| point.units);
            let near = |found: f64, wanted: f64| {
                assert!((found - wanted).abs() < 1e-3, "{seed} {row}: {found} {wanted}");
            };
            near(found.cheapest.saving.mean, none - cost(found.cheapest.units));
            for point in found.curve.iter().filter(|point| point.units <= 40) {
                near(point.saving, none - cost(point.units));
                assert!(point.saving <= found.cheapest.saving.mean + 1e-6, "{seed} {row}");
            }
            let covers = |pair: &[UnitsPoint]| pair[0].coverage <= pair[1].coverage + 1e-12;
            assert!(found.curve.windows(2).all(covers), "{seed} {row}");
            let used = |pair: &[UnitsPoint]| pair[0].utilisation >= pair[1].utilisation - 1e-12;
            assert!(found.curve[1.min(most as usize)..].windows(2).all(used), "{seed} {row}");
            assert!(found.clairvoyant >= found.cheapest.saving.mean - 1e-6);
        }
    }
}

/// A family of two sizes: the small one first, though the large one is dearer per unit.
#[test]
fn a_family_is_covered_from_the_smallest_size() {
    let mut case = Case::new(vec![machine("m", 1_000), machine("m", 4_000)], [1, 2], 2);
    for hour in 0..2 {
        case.uses([0, hour], 0, 2 * HOUR, 1_000);
        case.uses([0, hour], 1, HOUR, 8_000);
    }
    // A unit costs 0.15: the two small ones, at 0.10, do not pay, the large one does, at 0.20 each.
    case.reserve(2, "m", 1_000, 1_500);
    let found = &case.advice().offerings[0];
    assert_eq!(found.cheapest.units, 6);
    near(found.cheapest.saving.mean, (0.2 + 0.8 - 0.9) * 8_760.0);
    let saving = |units| found.curve.iter().find(|point| point.units == units).map(|at| at.saving);
    near(saving(2).expect("a point"), (0.2 - 0.3) * 8_760.0);
    near(saving(4).expect("a point"), (0.2 + 0.4 - 0.6) * 8_760.0);
}

/// The mean of exp(s z - s^2/2) over a normal z is 1, by Gauss-Hermite quadrature of ten nodes.
#[test]
fn growth_is_that_of_its_closed_form() {
    let growth = DemandGrowth { growth: 0.1, ..DemandGrowth::default() };
    let factors = growth.factors(0, 13 * MONTH_HOURS);
    assert_eq!(factors[0], 1.0);
    near(factors[12], 1.1);
    near(factors[6], libm::sqrt(1.1));
    // Nodes and weights of the physicists' polynomial (Abramowitz and Stegun, table 25.10).
    let nodes = [
        (0.342_901_327_223_705, 0.610_862_633_735_326),
        (1.036_610_829_789_514, 0.240_138_611_082_315),
        (1.756_683_649_299_882, 0.033_874_394_455_481_06),
        (2.532_731_674_232_79, 0.001_343_645_746_781_233),
        (3.436_159_118_837_738, 7.640_432_855_232_62e-6),
    ];
    let both = nodes.iter().flat_map(|(at, weight)| [(-at, weight), (*at, weight)]);
    let mean: f64 = both
        .map(|(at, weight)| {
            let normals = vec![vec![at * libm::sqrt(2.0)]];
            let growth = DemandGrowth { growth: 0.0, spread: 0.8, normals };
            weight * growth.factors(0, 2 * MONTH_HOURS)[1]
        })
        .sum::<f64>()
        / libm::sqrt(std::f64::consts::PI);
    assert!((mean - 1.0).abs() < 1e-9, "{mean}");
    // A walk: the steps of a year together have the spread of a year.
    let normals = vec![vec![1.0; 12]];
    let growth = DemandGrowth { growth: 0.0, spread: 0.3, normals };
    near(growth.factors(0, 13 * MONTH_HOURS)[12], libm::exp(0.3 * libm::sqrt(12.0) - 0.045));
    assert_eq!([1, 730, 731, 26_280].map(DemandGrowth::steps), [0, 0, 1, 35]);
}

/// One machine that grows by half in a year: a second one is never worth it, as 1.5 machines for
/// the last of twelve months are half a machine.
#[test]
fn windows_are_repeated_and_grow() {
    let mut case = demands(&[vec![2, 0, 1]], 8_760, 4_000);
    case.growth.growth = 0.5;
    let found = &case.advice().offerings[0];
    let hours = |month: f64| libm::pow(1.5, month / 12.0);
    for (month, level) in found.levels.iter().enumerate() {
        near(level.at[8], 2.0 * hours(month as f64));
        assert_eq!(level.at[0], 0.0);
    }
    // 8,760 hours are 2,920 windows, and 730 hours 243 and one third.
    for units in [1, 2, 3] {
        let wanted: f64 = (0..8_760)
            .map(|hour| {
                let grown = [2.0, 0.0, 1.0][hour % 3] * hours((hour / 730) as f64);
                grown.min(units as f64) - 0.4 * units as f64
            })
            .sum();
        let point = found.curve.iter().find(|point| point.units == units).expect("a point");
        near(point.saving, wanted);
    }
}

#[test]
fn too_many_units_are_tried_by_the_lot() {
    let mut case = demands(&[vec![3, 1, 2], vec![1, 1, 5]], 3, 4_000);
    case.offerings[0].benefit = Benefit::Reserved { matching: of_family("m"), weight: 1 };
    case.offerings[0].hourly = Money::from_nanos(400_000);
    let mut large = case.clone();
    for good in &mut large.demand.quantities {
        good.iter_mut().for_each(|quantity| *quantity *= 1_000.0);
    }
    let (small, large) = (case.advice(), large.advice());
    assert_eq!((small.offerings[0].lot, large.offerings[0].lot), (1, 5));
    assert_eq!(small.offerings[0].cheapest.units * 1_000, large.offerings[0].cheapest.units);
    near(small.offerings[0].clairvoyant * 1_000.0, large.offerings[0].clairvoyant);
}

#[test]
fn what_covers_nothing_is_of_no_use() {
    let mut case = demands(&[vec![3; 4]], 4, 100);
    case.reserve(4, "c", 1_000, 100);
    case.reserve(4, "m", 0, 100);
    case.reserve(0, "m", 1_000, 100);
    let elsewhere = case.terms.accounts.add("other", None);
    case.reserve(4, "m", 1_000, 1);
    case.offerings[4].scope = elsewhere;
    case.offerings[4].owner = elsewhere;
    let found = case.advice();
    assert_eq!(
        found.cheapest.holdings.iter().map(|held| held.units).collect::<Vec<_>>(),
        [3, 0, 0, 0, 0]
    );
    assert!(found.offerings[1..].iter().all(|one| one.cheapest.units == 0 && one.hours == 0));
    case.horizon = 0;
    assert_eq!(advise(&case.input()), Err(AdviceError::NoTime));
    case.horizon = 731;
    case.growth.spread = 0.1;
    assert_eq!(advise(&case.input()), Err(AdviceError::FewNormals));
    case.growth = DemandGrowth { growth: -1.0, ..DemandGrowth::default() };
    assert_eq!(advise(&case.input()), Err(AdviceError::NoGrowth));
}
