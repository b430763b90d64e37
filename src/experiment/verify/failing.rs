//! Systems that fail, with known answers: machines under repair, work that goes on from its
//! checkpoints, and spot instances that come and go.

use std::sync::Arc;

use super::oracle::{
    Case, Measure, PER_SECOND, exponential, fixed, law, mean, queue, renting, tail,
};
use super::station::{RentalTerms, Station, UNIT};
use super::{renewal, theory};
use crate::model::{
    CapacityLaw, CapacityPath, Checkpoint, DrawnCapacity, Fault, FaultDomain, FaultEffect,
    FaultTimes, Market, StateLaw,
};
use crate::policy::spec::CheckpointSpec;
use crate::policy::{checkpoint, provision};
use crate::units::{Distribution, Id, Span, Time};

/// All of them, in the order of the report.
pub fn cases() -> Vec<Case> {
    let mut cases = checkpoints();
    cases.push(begun_anew());
    cases.extend(repairs());
    cases.extend(lasting());
    cases.extend([saved_on_notice(), spot(Warned::TooLate)]);
    cases.extend(NOTICES.map(noticed));
    cases
}

/// Failures of the station by a law of lives, in seconds, with repairs by another, or at once.
fn fault(domain: FaultDomain, life: Distribution, repair: Option<Distribution>) -> Fault {
    let repair = repair.unwrap_or(Distribution::Constant(0.0));
    Fault {
        name: "failure".to_owned(),
        offers: vec![Id::new(0)],
        domain,
        effect: FaultEffect::Machines,
        times: FaultTimes::Drawn { life, repair, lemons: None },
        loses_data_of: Vec::new(),
        surge: None,
        crews: None,
    }
}

/// Machines that fail one by one and are repaired, whatever runs on them.
fn repairs() -> Vec<Case> {
    let unit = UNIT.secs_f64();
    let lasting = law(Distribution::weibull_mean(1.5, 20.0 * unit));
    let one = theory::down_shares(1, 1, 20.0, 0.2);
    let renewed = "mean repair over mean life and repair, whatever the laws";
    let answers = vec![mean("mean number down", renewed, Measure::Down, one[1])];
    let alone = repaired("one machine, Weibull lives", 1, (lasting, fixed(0.2)), None, answers);
    let any = theory::down_shares(5, 5, 1.8, 0.2);
    let laws = (exponential(1.8), exponential(0.2));
    let answers = down("binomial", &any, 2, "P(fewer than 3 of 5 up)");
    let apart = repaired("5 machines, each up for 9/10", 5, laws, None, answers);
    vec![alone, one_crew(), apart, spares()]
}

/// Five machines, one of which is repaired at a time.
pub fn one_crew() -> Case {
    let shares = theory::down_shares(5, 1, 10.0, 1.0);
    let answers = down("birth-death balance", &shares, 1, "P(more than 1 of 5 down)");
    let laws = (exponential(10.0), exponential(1.0));
    repaired("5 machines, one who repairs them", 5, laws, Some(1), answers)
}

/// Nodes of 8 GPUs of which 6.5 in 1,000 fail a day and are out for a day.
fn spares() -> Case {
    let day = 86_400.0 / UNIT.secs_f64();
    let shares = theory::down_shares(2_048, 2_048, day * 1_000.0 / 6.5, day);
    let answers = down("binomial", &shares, 22, "P(more than 22 down)");
    let laws = (exponential(day * 1_000.0 / 6.5), fixed(day));
    let mut case = repaired("2,048 nodes, out for a day", 2_048, laws, None, answers);
    (case.quick_jobs, case.arrivals) = (6_000, super::station::poisson(1.0 / day));
    case
}

/// Systems of machines from when all are up, side by side.
fn lasting() -> Vec<Case> {
    let never = law(Ok(Distribution::Constant(f64::MAX)));
    // A thousand systems once each, and then a hundred again and again.
    let mut once = outlived("2 of 3 machines, not repaired", (3, 3_000), never, 0.0, 100.0);
    once.quick_jobs = 120;
    let repaired = || exponential(10.0);
    let two_of_three = outlived("2 of 3 machines, repaired", (3, 300), repaired(), 0.1, 50.0);
    vec![once, two_of_three, one_of_two()]
}

/// One machine of two is enough.
pub fn one_of_two() -> Case {
    outlived("1 of 2 machines, repaired", (2, 200), exponential(10.0), 0.1, 150.0)
}

/// Systems of as many machines each, of so many in all, that stand one failure, with a piece of work
/// `every` so many units, by which time passes.
fn outlived(
    name: &'static str,
    (machines, all): (u32, u32),
    repair: Distribution,
    repairs: f64,
    every: f64,
) -> Case {
    let limit = 1;
    let answers = vec![tail(
        "mean time until 2 are down",
        "m(k) = (1 + k mu m(k-1)) / ((n - k) lambda)",
        Measure::UpFor { machines, limit },
        theory::time_to_failure(machines, limit, 1_000.0, repairs),
    )];
    let mut case = repaired(name, all, (exponential(1_000.0), repair), None, answers);
    (case.quick_jobs, case.arrivals) = (1_050, super::station::poisson(1.0 / every));
    case
}

/// The mean number that are down, and the share of time with more than `limit` down.
fn down(
    source: &'static str,
    shares: &[f64],
    limit: u32,
    quantity: &'static str,
) -> Vec<super::ExactAnswer> {
    let number = shares.iter().enumerate().map(|(down, share)| down as f64 * share).sum();
    let beyond = shares[limit as usize + 1..].iter().sum();
    vec![
        mean("mean number down", source, Measure::Down, number),
        tail(quantity, source, Measure::DownBeyond(limit), beyond),
    ]
}

/// Machines with these laws of lives and repairs, and work that takes no time, by which time passes.
fn repaired(
    name: &'static str,
    machines: u32,
    (life, repair): (Distribution, Distribution),
    crews: Option<u32>,
    answers: Vec<super::ExactAnswer>,
) -> Case {
    let station = Station::owned(machines, 1);
    let mut case = queue(name, station, 1.0, Distribution::Constant(0.0), 10, answers);
    case.faults = vec![Fault { crews, ..fault(FaultDomain::Machines(1), life, Some(repair)) }];
    case
}

/// Whether the warning leaves time to write a checkpoint.
#[derive(Clone, Copy)]
enum Warned {
    InTime,
    TooLate,
}

/// Work on a spot instance whose notice is long enough to save it.
pub fn saved_on_notice() -> Case {
    spot(Warned::InTime)
}

/// One piece of work on a spot instance that is there for exponential times of three hours and away
/// for an hour. A checkpoint takes 45 s, a restart six minutes. Either the warning comes two minutes
/// before the end, which is enough, or 30 s, and checkpoints are written every 16 minutes.
fn spot(warned: Warned) -> Case {
    let (up, away, restart, write) = (3.0 * 3_600.0, 3_600.0, 360.0, 45.0);
    let every = Span::from_secs(958);
    let (name, notice, part): (_, _, CheckpointSpec) = match warned {
        Warned::InTime => ("spot, saved on notice", 120, checkpoint::ON_NOTICE.spec()),
        Warned::TooLate => {
            let part = checkpoint::PERIODIC.spec().set("every", every).set("on_notice", "write");
            ("spot, the notice is too short", 30, part)
        }
    };
    let of = renewal::SpotCourse { up, away, notice: notice as f64, retry: 10.0 };
    let (source, expected) = match warned {
        Warned::InTime => {
            ("u exp(-r/u) / cycle, in the long run", of.saved_on_notice(restart) / of.cycle())
        }
        Warned::TooLate => (
            "tau exp((n-r)/u) g / (1-g) / cycle, g = exp(-(tau+w)/u)",
            of.saved_at_intervals(every.secs_f64(), write, restart) / of.cycle(),
        ),
    };
    on_spot((name, source, expected), of, (write, restart), part)
}

/// Times to write on notice, in seconds.
const NOTICES: [(f64, &str); 5] = [
    (20.0, "spot, 20 s before the end"),
    (45.0, "spot, 45 s before the end"),
    (90.0, "spot, 90 s before the end"),
    (180.0, "spot, 180 s before the end"),
    (300.0, "spot, 300 s before the end"),
];

/// One piece of work on a spot instance whose time up, three hours in the mean, is over with the notice,
/// which is as long as the checkpoint takes; it is away for an hour.
fn noticed((write, name): (f64, &'static str)) -> Case {
    let (up, away, restart) = (3.0 * 3_600.0, 3_600.0, 360.0);
    let of = renewal::SpotCourse::by_the_end(up, away, write, 60.0);
    let expected = renewal::saved_by_the_end(up, away, write, restart);
    let source = "u exp(-(r+c)/u) / (u + d), in the long run";
    on_spot((name, source, expected), of, (write, restart), checkpoint::ON_NOTICE.spec())
}

/// One piece of work on a spot instance of this course, with checkpoints of these times to write and
/// to restart, in seconds, written as the part says.
fn on_spot(
    (name, source, expected): (&'static str, &'static str, f64),
    of: renewal::SpotCourse,
    (write, restart): (f64, f64),
    part: CheckpointSpec,
) -> Case {
    let rented = RentalTerms {
        market: Market::Spot,
        notice: Span::from_secs(of.notice as i64),
        capacity: coming_and_going(of.up, of.away),
        billing: PER_SECOND,
        ..RentalTerms::default()
    };
    let answers = vec![mean("progress per time", source, Measure::Progress, expected)];
    let work = Distribution::Constant(4_000.0 * Span::HOUR.secs_f64());
    let mut case = queue(name, Station::rented(rented), 1.0, work, 1, answers);
    let checkpoint = Checkpoint::blocking(Span::from_secs(write as i64));
    let restore = Span::from_secs(restart as i64);
    case.classes[0].checkpoint = Some(Checkpoint { restore, ..checkpoint });
    case.policy = renting(case.policy);
    case.policy.checkpoint = part;
    case.policy.provision = provision::CHEAPEST
        .spec()
        .set("markets", vec![Market::Spot])
        .set("retry", Span::from_secs(of.retry as i64));
    case.quick_jobs = 1;
    case
}

/// One instance, there and away for exponential times with these means in seconds.
fn coming_and_going(up: f64, away: f64) -> CapacityPath {
    let state = |mean: f64, next: [f64; 3]| {
        Some(StateLaw { lasts: law(Distribution::exponential(mean)), next })
    };
    let states = [state(away, [0.0, 0.0, 1.0]), None, state(up, [1.0, 0.0, 0.0])];
    let law = Arc::new(CapacityLaw::new(1, states, None).expect("two states that alternate"));
    let (from, until, anchor, key) = (None, None, Time::ZERO, [1, 0]);
    let drawn = vec![DrawnCapacity { from, until, anchor, key, law, moves_with: None }];
    CapacityPath { drawn, ..CapacityPath::default() }
}

/// Jobs of 100 h on machines that fail once a day; a checkpoint takes 5 min, a restart 10 min.
pub fn daily_failures() -> Case {
    let day = Span::from_secs(86_400);
    let (write, restore) = (Span::from_secs(300), Span::from_secs(600));
    let checkpoint = Checkpoint { restore, ..Checkpoint::blocking(write) };
    let name = "failures once a day, checkpoints at the best interval";
    with_failures(name, 100 * 3_600, day, checkpoint, None, 1)
}

/// Jobs of 10 h without checkpoints on machines of their own that fail once a day and boot for 10 min,
/// the first of which is the wait.
pub fn begun_anew() -> Case {
    let (rate, length, boot) = (1.0 / 24.0, 10.0, 1.0 / 6.0);
    let units = 3_600.0 / UNIT.secs_f64();
    let wait = renewal::stretch(rate, boot, 0.0);
    let time = renewal::stretch(rate, length, boot);
    let answers = vec![
        mean(
            "mean turnaround",
            "(exp(lam R) - 1 + exp(lam R) (exp(lam L) - 1)) / lam",
            Measure::Turnaround,
            (wait + time) * units,
        ),
        mean("mean wait", "(exp(lam R) - 1) / lam", Measure::Wait, wait * units),
        tail(
            "failures while it computes",
            "exp(lam L) - 1",
            Measure::Setbacks,
            renewal::setbacks(rate, length),
        ),
        mean(
            "mean loss by each",
            "1 / lam - L / (exp(lam L) - 1)",
            Measure::LostEach,
            renewal::lost_each(rate, length) * units,
        ),
    ];
    let boots = Distribution::Constant(boot * 3_600.0);
    let rented = RentalTerms { boot: boots, billing: PER_SECOND, ..RentalTerms::default() };
    let (station, work) = (Station::rented(rented), Distribution::Constant(length * 3_600.0));
    // About ten at once.
    let arrivals = 10.0 / ((wait + time) * units);
    let mut case = queue("10 h, begun anew", station, arrivals, work, 1, answers);
    case.policy = renting(case.policy);
    case.faults = vec![fault(FaultDomain::Machines(1), exponential(24.0 * units), None)];
    case
}

/// Trainings on many GPUs, of which 6.5 of 1,000 nodes of 8 fail a day; a checkpoint takes a minute.
fn checkpoints() -> Vec<Case> {
    let mtbf = |gpus: f64| Span::from_secs_f64(86_400.0 / (6.5 / 1_000.0 * gpus / 8.0));
    let mtbf = |gpus: f64| mtbf(gpus).expect("it is a time");
    let restarts = |minutes: i64| {
        let restore = Span::from_secs(60 * minutes);
        Checkpoint { restore, ..Checkpoint::blocking(Span::from_secs(60)) }
    };
    let hourly = "16,384 GPUs, checkpoints every hour";
    let best = "131,072 GPUs, checkpoints at the best interval";
    let often = |name, every| {
        let (day, restore) = (Span::from_secs(86_400), Span::from_secs(600));
        let cost = Checkpoint { restore, ..Checkpoint::blocking(Span::from_secs(300)) };
        with_failures(name, 100 * 3_600, day, cost, Some(every), 1)
    };
    vec![
        daily_failures(),
        often("failures once a day, 25 parts", Span::from_secs(4 * 3_600)),
        often("failures once a day, 100 parts", Span::HOUR),
        with_failures(hourly, 36_000, mtbf(16_384.0), restarts(5), Some(Span::HOUR), 1),
        with_failures(best, 3_600, mtbf(131_072.0), restarts(20), None, 3),
    ]
}

/// Jobs of `work` seconds that never wait, on machines that fail at a constant rate and come back at
/// once, with checkpoints `every` so often or else at the best interval.
fn with_failures(
    name: &'static str,
    work: i64,
    mtbf: Span,
    cost: Checkpoint,
    every: Option<Span>,
    thousands: u64,
) -> Case {
    let secs = |span: Span| span.secs_f64();
    let (write, restore, work) = (secs(cost.write), secs(cost.restore), work as f64);
    let rate = 1.0 / secs(mtbf);
    let interval = every.map_or_else(|| renewal::best_interval(rate, write), secs);
    let part: CheckpointSpec = match every {
        Some(every) => checkpoint::PERIODIC.spec().set("every", every),
        None => checkpoint::DALY.spec().set("mtbf", mtbf),
    };
    let time = renewal::time_of(work, rate, interval, write, restore);
    let source = "sum of exp(lam R) (exp(lam (tau + w)) - 1) / lam";
    let answers =
        vec![mean("mean turnaround", source, Measure::Turnaround, time / UNIT.secs_f64())];
    // About ten at once.
    let arrivals = 10.0 * UNIT.secs_f64() / time;
    let service = Distribution::Constant(work);
    let station = Station::owned(1, 1_000);
    let mut case = queue(name, station, arrivals, service, thousands, answers);
    case.classes[0].checkpoint = Some(cost);
    case.policy.checkpoint = part;
    // All machines at once, which are there again in no time.
    case.faults =
        vec![fault(FaultDomain::Share(1_000_000), exponential(secs(mtbf) / UNIT.secs_f64()), None)];
    case
}
