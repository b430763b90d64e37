//! The systems with known answers.

use super::Effort;
use super::station::{RentalTerms, Station, UNIT, class, poisson};
use super::{failing, theory};
use crate::model::{Billing, CapacityPath, Fault};
use crate::policy::spec::{AdmitSpec, PolicySpec};
use crate::policy::{order, preempt, provision, release};
use crate::units::{Distribution, Span};
use crate::workload::{Arrivals, SynthClass};

/// A system, and the exact values that theory gives for it.
#[derive(Clone, Debug)]
pub struct Case {
    /// Name in Kendall's notation, or in words.
    pub name: &'static str,
    /// The servers.
    pub station: Station,
    /// Arrivals of work.
    pub arrivals: Arrivals,
    /// Pieces of work per arrival, where not one.
    pub batch: Option<u32>,
    /// Classes of work that arrive.
    pub classes: Vec<SynthClass>,
    /// Policy that serves the work.
    pub policy: PolicySpec,
    /// What fails of the station.
    pub faults: Vec<Fault>,
    /// Pieces of work per replication for a quick check; a full one takes four times as many, for half
    /// the error.
    pub quick_jobs: u64,
    /// Quantities with their exact values from theory.
    pub answers: Vec<ExactAnswer>,
}

impl Case {
    /// Pieces of work per replication.
    pub const fn jobs(&self, effort: Effort) -> u64 {
        match effort {
            Effort::Quick => self.quick_jobs,
            Effort::Full => self.quick_jobs * 4,
        }
    }
}

/// A quantity and its exact value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExactAnswer {
    /// Measured quantity, with its unit where it has one.
    pub quantity: &'static str,
    /// The formula in words.
    pub source: &'static str,
    /// Measure of the quantity in a run.
    pub measure: Measure,
    /// The exact value; times in units of the mean service.
    pub expected: f64,
    /// Held to the limit of tails.
    pub is_tail: bool,
}

/// Measure of finished work, or of the live world. Times are in units of theory's time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measure {
    /// Mean wait.
    Wait,
    /// Mean wait of work with (true) or without a priority.
    WaitOf(bool),
    /// Share of work that waited longer.
    WaitBeyond(f64),
    /// Mean turnaround.
    Turnaround,
    /// Share of work whose turnaround was longer.
    TurnaroundBeyond(f64),
    /// Quantile of the turnaround.
    TurnaroundQuantile(f64),
    /// Share of arrivals that was refused.
    Refused,
    /// Mean number waiting over time.
    Waiting,
    /// Mean number alive over time.
    Alive,
    /// Share of time with more alive.
    AliveBeyond(u32),
    /// Mean bill per rented instance, in dollars.
    Bill,
    /// Mean number of machines that are down.
    Down,
    /// Share of time with more machines down.
    DownBeyond(u32),
    /// Progress that counts, by the time it took.
    Progress,
    /// Mean time of systems of so many machines each, from when all are up until more than `limit` are
    /// down.
    UpFor {
        /// Machines of each system.
        machines: u32,
        /// Machines that may be down.
        limit: u32,
    },
    /// Mean number of failures that cost a piece of work progress.
    Setbacks,
    /// Mean progress that such a failure costs.
    LostEach,
}

pub(super) const fn mean(
    quantity: &'static str,
    source: &'static str,
    measure: Measure,
    expected: f64,
) -> ExactAnswer {
    ExactAnswer { quantity, source, measure, expected, is_tail: false }
}

pub(super) const fn tail(
    quantity: &'static str,
    source: &'static str,
    measure: Measure,
    expected: f64,
) -> ExactAnswer {
    ExactAnswer { quantity, source, measure, expected, is_tail: true }
}

const POLLACZEK: &str = "Pollaczek-Khinchine: rho (1 + cs2) / (2 (1 - rho))";
const ERLANG_B: &str = "Erlang B, B(k) = a B(k-1) / (k + a B(k-1))";

/// Parameters of these laws are constants that the constructors accept.
pub(super) fn law(made: Result<Distribution, String>) -> Distribution {
    made.expect("the parameters of the law are valid")
}

/// Exponential service with a mean of `units`.
pub fn exponential(units: f64) -> Distribution {
    law(Distribution::exponential(units * UNIT.secs_f64()))
}

pub(super) fn fixed(units: f64) -> Distribution {
    Distribution::Constant(units * UNIT.secs_f64())
}

fn lognormal(sigma: f64) -> Distribution {
    law(Distribution::lognormal_mean_sigma(UNIT.secs_f64(), sigma))
}

/// A queue with Poisson arrivals, served first come first served.
pub(super) fn queue(
    name: &'static str,
    station: Station,
    rate: f64,
    service: Distribution,
    thousands: u64,
    answers: Vec<ExactAnswer>,
) -> Case {
    Case {
        name,
        station,
        arrivals: poisson(rate),
        batch: None,
        classes: vec![class(service)],
        policy: PolicySpec::named("first come, first served"),
        faults: Vec::new(),
        quick_jobs: thousands * 1_000,
        answers,
    }
}

/// Every system, in the order of the report.
pub fn cases() -> Vec<Case> {
    let mut cases = vec![mm1(), mm2(), mm10(), mm100(), limited_queue()];
    cases.extend(loss_systems());
    cases.extend(general_service());
    cases.extend(other_arrivals());
    cases.extend([shortest_first(), srpt(), priorities(), elastic_cloud()]);
    cases.extend(cold_starts());
    cases.extend(rounded_bills());
    cases.extend(failing::cases());
    cases
}

/// The M/M/1 queue at a load of 0.8.
pub fn mm1() -> Case {
    let answers = vec![
        mean("mean wait", "rho / (mu - lambda)", Measure::Wait, theory::mmc_wait(1, 0.8)),
        tail(
            "P(turnaround > 10)",
            "exp(-(mu - lambda) 10)",
            Measure::TurnaroundBeyond(10.0),
            theory::mm1_turnaround_beyond(0.8, 10.0),
        ),
        tail(
            "p99 of turnaround",
            "ln(100) / (mu - lambda)",
            Measure::TurnaroundQuantile(0.99),
            theory::mm1_turnaround_quantile(0.8, 0.99),
        ),
    ];
    queue("M/M/1, load 0.8", Station::owned(1, 1), 0.8, exponential(1.0), 90, answers)
}

fn mm2() -> Case {
    let answers = vec![mean(
        "mean wait",
        "Erlang C / (c mu - lambda)",
        Measure::Wait,
        theory::mmc_wait(2, 1.5),
    )];
    queue("M/M/2, 1.5 erlangs", Station::owned(2, 1), 1.5, exponential(1.0), 90, answers)
}

/// The M/M/10 queue on one machine of ten cores.
pub fn mm10() -> Case {
    let answers = vec![
        mean("mean wait", "Erlang C / (c mu - lambda)", Measure::Wait, theory::mmc_wait(10, 8.0)),
        tail(
            "P(wait > 0.5)",
            "Erlang C exp(-(c mu - lambda) 0.5)",
            Measure::WaitBeyond(0.5),
            theory::mmc_wait_beyond(10, 8.0, 0.5),
        ),
    ];
    queue("M/M/10, 8 erlangs", Station::owned(1, 10), 8.0, exponential(1.0), 270, answers)
}

fn mm100() -> Case {
    // One in five waits, so the mean is held to the limit of tails.
    let answers = vec![tail(
        "mean wait",
        "Erlang C / (c mu - lambda)",
        Measure::Wait,
        theory::mmc_wait(100, 90.0),
    )];
    queue("M/M/100, 90 erlangs", Station::owned(100, 1), 90.0, exponential(1.0), 860, answers)
}

fn limited_queue() -> Case {
    let (refused, length, wait) = theory::mmck(10, 5, 8.0);
    let source = "birth-death balance";
    let answers = vec![
        tail("share refused", source, Measure::Refused, refused),
        mean("mean number waiting", source, Measure::Waiting, length),
        mean("mean wait of those let in", source, Measure::Wait, wait),
    ];
    let station = Station::owned(10, 1);
    let mut case = queue("M/M/10/15, 8 erlangs", station, 8.0, exponential(1.0), 80, answers);
    case.policy.admit = AdmitSpec { queue_limit: Some(5), patience: None };
    case
}

fn loss_systems() -> Vec<Case> {
    let systems = [
        ("M/M/10/10, 7 erlangs", 10, 7.0, exponential(1.0), 32),
        ("M/D/10/10, 7 erlangs", 10, 7.0, fixed(1.0), 25),
        ("M/LN/10/10, 7 erlangs", 10, 7.0, lognormal(1.0), 32),
        ("M/M/100/100, 90 erlangs", 100, 90.0, exponential(1.0), 120),
        ("M/D/100/100, 90 erlangs", 100, 90.0, fixed(1.0), 120),
        ("M/LN/100/100, 90 erlangs", 100, 90.0, lognormal(1.0), 120),
    ];
    let case = |(name, servers, load, service, thousands)| {
        let blocked = theory::erlang_b(servers, load);
        let answers = vec![
            tail("share refused", ERLANG_B, Measure::Refused, blocked),
            mean("mean number busy", "a (1 - B)", Measure::Alive, load * (1.0 - blocked)),
        ];
        let mut case = queue(name, Station::owned(1, servers), load, service, thousands, answers);
        case.policy.admit = AdmitSpec { queue_limit: Some(0), patience: None };
        case
    };
    systems.into_iter().map(case).collect()
}

fn general_service() -> Vec<Case> {
    let (unit, e) = (UNIT.secs_f64(), std::f64::consts::E);
    let laws = [
        ("M/D/1, load 0.7", 0.0, fixed(1.0), 16),
        ("M/E2/1, load 0.7", 0.5, law(Distribution::erlang(2, unit)), 30),
        ("M/H2/1, load 0.7", 4.0, law(Distribution::hyperexponential_scv(unit, 4.0)), 140),
        ("M/LN/1, load 0.7", e - 1.0, lognormal(1.0), 110),
    ];
    let case = |(name, scv, service, thousands)| {
        let wait = theory::mg1_wait(0.7, scv);
        let answers = vec![mean("mean wait", POLLACZEK, Measure::Wait, wait)];
        queue(name, Station::owned(1, 1), 0.7, service, thousands, answers)
    };
    laws.into_iter().map(case).collect()
}

fn other_arrivals() -> Vec<Case> {
    let gap = UNIT.secs_f64() / 0.8;
    let base = |name, thousands, answer| {
        queue(name, Station::owned(1, 1), 0.8, exponential(1.0), thousands, vec![answer])
    };
    let source = "s / (mu (1 - s)), s the root of A*(mu (1 - s)) = s";
    let regular = mean("mean wait", source, Measure::Wait, theory::dm1_wait(0.8));
    let erlang = mean("mean wait", source, Measure::Wait, theory::e2m1_wait(0.8));
    let batches = mean(
        "mean turnaround",
        "(1 + (b - 1) / 2) / (mu (1 - rho))",
        Measure::Turnaround,
        theory::batch_turnaround(0.8, 4),
    );
    let every = Span::from_micros(UNIT.micros() * 5 / 4);
    vec![
        Case { arrivals: Arrivals::Every(every), ..base("D/M/1, load 0.8", 80, regular) },
        Case {
            arrivals: Arrivals::Renewal(law(Distribution::erlang(2, gap))),
            ..base("E2/M/1, load 0.8", 90, erlang)
        },
        Case { arrivals: poisson(0.2), batch: Some(4), ..base("M[4]/M/1, load 0.8", 180, batches) },
    ]
}

fn shortest_first() -> Case {
    let answers = vec![mean(
        "mean wait",
        "integral of f(x) lambda E[S2] / 2 / (1 - rho(x))2 dx",
        Measure::Wait,
        theory::sjf_wait(0.8),
    )];
    let station = Station::owned(1, 1);
    let mut case = queue("M/M/1 SJF, load 0.8", station, 0.8, exponential(1.0), 36, answers);
    case.policy.order = order::SHORTEST.spec();
    case.classes[0].estimate = Some(Distribution::Constant(1.0));
    case
}

/// Shortest remaining processing time at a load of 0.8.
pub fn srpt() -> Case {
    let answers = vec![mean(
        "mean turnaround",
        "Schrage-Miller integral",
        Measure::Turnaround,
        theory::srpt_turnaround(0.8),
    )];
    let station = Station::owned(1, 1);
    let mut case = queue("M/M/1 SRPT, load 0.8", station, 0.8, exponential(1.0), 32, answers);
    case.policy.order = order::SHORTEST.spec();
    case.policy.preempt = preempt::SRPT.spec();
    case.classes[0].estimate = Some(Distribution::Constant(1.0));
    case.classes[0].resumes = true;
    case
}

fn priorities() -> Case {
    let (high, low) = theory::priority_waits(0.3, 0.4);
    let answers = vec![
        mean("mean wait, high", "W0 / (1 - rho1)", Measure::WaitOf(true), high),
        mean("mean wait, low", "W0 / ((1 - rho1) (1 - rho))", Measure::WaitOf(false), low),
    ];
    let station = Station::owned(1, 1);
    let mut case = queue("M/M/1 with priorities", station, 0.7, exponential(1.0), 70, answers);
    let low = SynthClass { name: "low".to_owned(), weight: 4.0, ..class(exponential(1.0)) };
    let high = SynthClass { name: "high".to_owned(), weight: 3.0, priority: 1, ..low.clone() };
    case.classes = vec![high, low];
    case.policy.order = order::PRIORITY.spec();
    case
}

/// The policy with renting: the cheapest for every piece of work, given back as soon as it is idle.
pub fn renting(policy: PolicySpec) -> PolicySpec {
    let provision = provision::CHEAPEST.spec();
    PolicySpec { provision, release: release::IDLE.spec(), ..policy }
}

pub(super) const PER_SECOND: Billing =
    Billing { granularity: Span::from_secs(1), minimum: Span::ZERO };

fn elastic_cloud() -> Case {
    let answers = vec![
        mean("mean number rented", "lambda E[S]", Measure::Alive, 60.0),
        tail(
            "P(more than 75 rented)",
            "Poisson tail",
            Measure::AliveBeyond(75),
            theory::poisson_beyond(60.0, 75),
        ),
    ];
    let rented = RentalTerms { billing: PER_SECOND, ..RentalTerms::default() };
    let service = law(Distribution::lognormal_mean_sigma(3.0 * UNIT.secs_f64(), 1.0));
    let station = Station::rented(rented);
    let mut case = queue("M/LN/inf, rented, 60 erlangs", station, 20.0, service, 520, answers);
    case.policy = renting(case.policy);
    case
}

/// A server that is given back when idle and boots for a fixed time.
pub fn fixed_cold_start() -> Case {
    cold_start("cold start, fixed boot", fixed(2.0), 4.0)
}

fn cold_starts() -> Vec<Case> {
    vec![cold_start("cold start, exponential boot", exponential(2.0), 8.0), fixed_cold_start()]
}

fn cold_start(name: &'static str, boot: Distribution, second_moment: f64) -> Case {
    let answers = vec![mean(
        "mean turnaround",
        "1 / (mu - lambda) + (2 s + lambda s2) / (2 (1 + lambda s))",
        Measure::Turnaround,
        theory::setup_turnaround(0.5, 2.0, second_moment),
    )];
    let rented = RentalTerms {
        capacity: CapacityPath::constant(Some(1)),
        boot,
        billing: PER_SECOND,
        ..RentalTerms::default()
    };
    let station = Station::rented(rented);
    let mut case = queue(name, station, 0.5, exponential(1.0), 15, answers);
    case.policy = renting(case.policy);
    case
}

/// Lifetimes billed in seconds, at least a minute.
pub fn per_second_bill() -> Case {
    let billing = Billing { granularity: Span::from_secs(1), minimum: Span::from_secs(60) };
    let source = "60 + exp(-60/L) / (1 - exp(-1/L))";
    let expected = theory::rounded_up_at_least(300.0, 60.0);
    bill("per second, 60 s minimum, 300 s", billing, 300.0, true, source, expected)
}

fn rounded_bills() -> Vec<Case> {
    let hourly = Billing { granularity: Span::HOUR, minimum: Span::ZERO };
    let source = "1 / (1 - exp(-1/L))";
    let by_hour = |name, hours: f64| {
        bill(name, hourly, hours * 3_600.0, false, source, theory::rounded_up(hours))
    };
    vec![
        by_hour("hourly, 30 min lifetimes", 0.5),
        by_hour("hourly, 1 h lifetimes", 1.0),
        by_hour("hourly, 5 h lifetimes", 5.0),
        per_second_bill(),
    ]
}

fn bill(
    name: &'static str,
    billing: Billing,
    secs: f64,
    by_second: bool,
    source: &'static str,
    expected: f64,
) -> Case {
    let answers = vec![mean("mean bill per instance", source, Measure::Bill, expected)];
    let boot = Distribution::Constant(0.0);
    let rented = RentalTerms { boot, billing, by_second, ..RentalTerms::default() };
    let lifetime = law(Distribution::exponential(secs));
    let station = Station::rented(rented);
    let mut case = queue(name, station, 1.0, lifetime, 40, answers);
    case.policy = renting(case.policy);
    case
}
