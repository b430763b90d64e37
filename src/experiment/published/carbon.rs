//! Let's Wait Awhile (Wiesner and others, Middleware 2021): jobs of each night that may be shifted,
//! on the carbon intensity of Great Britain in 2020.

use std::path::Path;

use rayon::prelude::*;

use super::{PublishedResult, ResultOrigin};
use crate::metrics::{Carbon, Collector, Laws};
use crate::model::{OfferSpec, PowerCurve, StepPath, Work, World};
use crate::policy::spec::PolicySpec;
use crate::policy::{self, shift};
use crate::sim::Run;
use crate::units::{Calendar, Demand, Shape, Span, Time};
use crate::weather::read_carbon;
use crate::workload::WorkList;

/// The last day of 2019 at midnight, in UTC.
const START: Calendar = Calendar::from_unix_micros(1_577_750_400_000_000);

/// Nights of 2020, each with a job at one o'clock.
const NIGHTS: i64 = 366;

/// Length of a job.
const JOB: Span = Span::from_secs(1_800);

/// Intensity without a shift in g/kWh, and savings in percent by hours that a job may start earlier or
/// later, of which the best is known.
struct Answers {
    rows: &'static str,
    /// Only the values at whole and half hours are looked at.
    half_hours: bool,
    intensity: f64,
    savings: [(i64, f64); 4],
}

/// The file has a value each half hour, and from the end of October on each quarter. The first answers
/// look at half hours alone, the others at all: both were found by a program that tries every start.
const ANSWERS: [Answers; 2] = [
    Answers {
        rows: "half hours",
        half_hours: true,
        intensity: 184.289,
        savings: [(1, 4.727), (2, 6.533), (4, 8.368), (8, 10.162)],
    },
    Answers {
        rows: "all values",
        half_hours: false,
        intensity: 184.091,
        savings: [(1, 4.605), (2, 6.409), (4, 8.188), (8, 9.993)],
    },
];

/// Half of the last digit.
const TOLERANCE: f64 = 0.000_5;

/// Savings by shifting the jobs of 366 nights, on the intensities in `file` (`gb_ci.csv.gz`).
///
/// # Errors
/// Problems with the file.
pub fn lets_wait_awhile(file: &Path) -> Result<Vec<PublishedResult>, String> {
    let history =
        read_carbon(file, &file.display().to_string()).map_err(|problem| problem.to_string())?;
    let mut results = Vec::new();
    for answers in &ANSWERS {
        let rows = history
            .rows
            .iter()
            .filter(|(micros, _)| !answers.half_hours || micros.rem_euclid(JOB.micros()) == 0);
        let changes = rows.map(|&(micros, value)| (START.time(micros), value));
        let grid = StepPath::known(0, changes);
        let grams = |hours: i64| nights(&grid, hours).map(|carbon| of_kwh(&carbon));
        let unshifted = grams(0)?;
        let row = |name: String, quantity, reference, ours| PublishedResult {
            name,
            quantity,
            origin: ResultOrigin::OtherProgram,
            reference,
            ours,
            tolerance: TOLERANCE,
            own: None,
        };
        let name = format!("Let's Wait Awhile, {}", answers.rows);
        results.push(row(name.clone(), "mean intensity, g/kWh", answers.intensity, unshifted));
        let savings: Result<Vec<f64>, String> =
            answers.savings.par_iter().map(|&(hours, _)| grams(hours)).collect();
        for (&(hours, reference), shifted) in answers.savings.iter().zip(savings?) {
            let saving = (1.0 - shifted / unshifted) * 100.0;
            results.push(row(
                format!("{name}, +- {hours} h"),
                "carbon saved, %",
                reference,
                saving,
            ));
        }
    }
    Ok(results)
}

/// Grams per kWh.
fn of_kwh(carbon: &Carbon) -> f64 {
    carbon.known_kg * 1e3 / carbon.kwh.unwrap_or(f64::NAN)
}

/// Carbon of the jobs on a machine that draws power for them alone; each may start `hours` before or
/// after one o'clock.
fn nights(grid: &StepPath, hours: i64) -> Result<Carbon, String> {
    let shape = Shape { cpu: 1_000, memory: 0, gpus: 0 };
    let world = World::builder().offer(OfferSpec::owned("gb", "machine", shape, 1));
    let world = world.region("gb", |region| region.carbon = Some(grid.clone()));
    let mut world = world.build().map_err(|problems| problems.to_string())?;
    world.calendar = START;
    for machine in world.types.rows_mut() {
        machine.power = Some(PowerCurve::by_load(&[0, 1_000_000]));
    }
    let flexible = Span::from_secs(3_600 * hours);
    let works = (0..NIGHTS).map(|night| {
        let at = Time::from_secs(3_600 * (24 * (night + 1) + 1));
        let demand = Demand { cpu: 1_000, ..Demand::default() };
        let mut work = Work::job(night.unsigned_abs(), at - flexible, demand, JOB);
        work.ask.estimate = Some(JOB);
        work.ask.deadline = Some(at + flexible + JOB);
        work
    });
    let spec = PolicySpec { shift: shift::WAIT_AWHILE.spec(), ..PolicySpec::named("wait awhile") };
    let mut policy = policy::build(&spec);
    let mut source = WorkList::new(works);
    let mut observer = (Collector::default(), Laws::new(false));
    let run = Run::new(&world, &mut source).policy(&mut *policy).observe(&mut observer);
    let outcome = run.run().map_err(|failure| failure.to_string())?;
    let (collector, laws) = observer;
    if let Some(broken) = laws.broken() {
        return Err(format!("broke {}: {}", broken.law, broken.found));
    }
    let summary = collector.summary(&world, &[], &outcome);
    match summary.deadlines.met == NIGHTS.unsigned_abs() {
        true => Ok(summary.carbon),
        false => Err(format!("{} of {NIGHTS} deadlines are met", summary.deadlines.met)),
    }
}
