//! The rule that accepts the simulator against textbooks also rejects: each
//! mutant here is a small lie told to an oracle, and must be found out.

use windtunnel::experiment::verify::judge::IntervalLimits;
use windtunnel::experiment::verify::oracle::{self, Case};
use windtunnel::experiment::verify::station::{Station, class};
use windtunnel::experiment::verify::{CheckRow, CheckVerdict, exact, failing, replicate};
use windtunnel::model::FaultTimes;
use windtunnel::policy::preempt;
use windtunnel::units::{Distribution, Span};

/// Looser than `windtunnel verify`, so that this takes seconds.
const LIMITS: IntervalLimits = IntervalLimits { mean: 0.05, tail: 0.1 };

fn rows(case: &Case, jobs: u64) -> Vec<CheckRow> {
    let measured = replicate(case, jobs).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(measured.balanced, 32, "Little's law in {}", case.name);
    measured.rows(case, LIMITS)
}

/// The first quantity of the case passes as it is and is wrong when `lie` has
/// been told.
fn found_out(mut case: Case, jobs: u64, lie: impl FnOnce(&mut Case)) {
    let honest = &rows(&case, jobs)[0];
    assert_eq!(honest.verdict, CheckVerdict::Pass, "{honest:?}");
    lie(&mut case);
    let mutant = &rows(&case, jobs)[0];
    assert_eq!(mutant.verdict, CheckVerdict::Wrong, "{mutant:?}");
}

#[test]
fn cases_checked_by_hand_hold() {
    let rows = exact::micro_cases().expect("they run");
    assert_eq!(rows.len(), 21);
    let wrong: Vec<&CheckRow> =
        rows.iter().filter(|row| row.verdict != CheckVerdict::Pass).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn servers_two_percent_too_fast_are_found_out() {
    found_out(oracle::mm1(), 25_000, |case| {
        case.classes = vec![class(oracle::exponential(1.0 / 1.02))];
    });
}

#[test]
fn one_server_too_many_is_found_out() {
    found_out(oracle::mm10(), 40_000, |case| case.station = Station::owned(1, 11));
}

#[test]
fn progress_lost_at_preemption_is_found_out() {
    found_out(oracle::srpt(), 15_000, |case| case.classes[0].resumes = false);
}

#[test]
fn srpt_that_does_not_preempt_is_found_out() {
    found_out(oracle::srpt(), 15_000, |case| case.policy.preempt = preempt::NONE.spec());
}

#[test]
fn a_boot_that_takes_no_time_is_found_out() {
    found_out(oracle::fixed_cold_start(), 10_000, |case| {
        let rented = case.station.rented.as_mut().expect("it is rented");
        rented.boot = Distribution::Constant(0.0);
    });
}

#[test]
fn a_minimum_that_is_not_billed_is_found_out() {
    found_out(oracle::per_second_bill(), 10_000, |case| {
        let rented = case.station.rented.as_mut().expect("it is rented");
        rented.billing.minimum = Span::ZERO;
    });
}

#[test]
fn a_restart_that_takes_no_time_is_found_out() {
    found_out(failing::daily_failures(), 1_000, |case| {
        let checkpoint = case.classes[0].checkpoint.as_mut().expect("it writes checkpoints");
        checkpoint.restore = Span::ZERO;
    });
}

#[test]
fn machines_that_are_repaired_at_once_are_found_out() {
    found_out(failing::one_crew(), 2_000, |case| case.faults[0].crews = None);
}

#[test]
fn a_restart_that_takes_too_long_is_found_out() {
    found_out(failing::saved_on_notice(), 1, |case| {
        let checkpoint = case.classes[0].checkpoint.as_mut().expect("it writes checkpoints");
        checkpoint.restore = Span::from_secs(1_800);
    });
}

#[test]
fn repairs_twice_as_slow_are_found_out() {
    found_out(failing::one_of_two(), 700, |case| {
        let FaultTimes::Drawn { repair, .. } = &mut case.faults[0].times else {
            panic!("they are drawn");
        };
        *repair = oracle::exponential(20.0);
    });
}

#[test]
fn machines_that_boot_for_an_hour_are_found_out() {
    found_out(failing::begun_anew(), 1_000, |case| {
        let rented = case.station.rented.as_mut().expect("it is rented");
        rented.boot = Distribution::Constant(3_600.0);
    });
}
