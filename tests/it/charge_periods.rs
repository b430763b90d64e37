//! Charges that are cut at clock hours and days: the pieces sum to what was not cut, in random
//! worlds and in cases that were worked out by hand.

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;

use windtunnel::experiment::{self, Settings};
use windtunnel::metering::ChargePeriod;
use windtunnel::metrics::{ChargePeriods, DailyCosts, Fingerprint, Laws};
use windtunnel::model::{Work, WorkId};
use windtunnel::policy;
use windtunnel::scenario::Scenario;
use windtunnel::sim::{self, Observer, Options};
use windtunnel::state::{Charge, ChargeKind, Record, State};
use windtunnel::units::{Calendar, Money, Rate, Span, Time};
use windtunnel::workload::WorkList;

use crate::dice::Dice;
use crate::swarm;

/// Work, ordinal of the instance, and kind.
type LineKey = (Option<WorkId>, u32, ChargeKind);

/// Sums of charges: money, bytes and, of work and transfers, microseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Sums {
    by_line: BTreeMap<LineKey, (Money, i64, i64)>,
    total: Money,
}

impl Sums {
    fn add(&mut self, state: &State<'_>, charge: &Charge) {
        let work = charge.work.map(|work| state.work(work).id);
        let ordinal = state.instance(charge.instance).ordinal;
        let span = match charge.kind {
            ChargeKind::Work | ChargeKind::Transfer => (charge.until - charge.from).micros(),
            ChargeKind::Boot | ChargeKind::Idle => 0,
        };
        let line = self.by_line.entry((work, ordinal, charge.kind)).or_default();
        *line = (line.0 + charge.amount, line.1 + charge.bytes, line.2 + span);
        self.total += charge.amount;
    }
}

/// Adds charges up, and counts the lines.
#[derive(Debug, Default)]
struct Adds {
    sums: Sums,
    lines: usize,
    /// Each lies in one period of this length.
    within: Option<ChargePeriod>,
}

impl Observer for Adds {
    fn record(&mut self, state: &State<'_>, record: &Record) {
        let Record::Charged(charge) = record else { return };
        self.sums.add(state, charge);
        self.lines += 1;
        assert!(charge.from <= charge.until, "{charge:?}");
        if let Some(period) = self.within {
            let end = period.end(state.world().calendar, charge.from);
            assert!(charge.until <= end, "{charge:?} ends after its {period:?}");
        }
    }
}

/// The swarm's scenarios, twenty times as long, with prices that leave remainders, at a random
/// moment of the day.
fn long_scenario(seed: u64) -> swarm::Scenario {
    let mut scenario = swarm::scenario(seed);
    let mut dice = Dice::new(seed ^ 0x5eed);
    let start = 1_772_323_200 + dice.within(0, 86_399) as i64;
    scenario.world.calendar = Calendar::from_unix_micros(start * 1_000_000);
    // Machines live for hours and days, so that charges come to ends of periods.
    swarm::stretch_faults(&mut scenario.world, 400);
    swarm::stretch_spot(&mut scenario.world, 20);
    for offer in scenario.world.offers.ids().collect::<Vec<_>>() {
        // What is drawn has times of its own.
        scenario.world.offers[offer].capacity.drawn.clear();
        let price = &mut scenario.world.offers[offer].price;
        price.drawn.clear();
        let odd = |rate: Rate, dice: &mut Dice| {
            Rate::from_picos(rate.picos() / 7 + dice.within(0, 999_999) as i64)
        };
        price.first = odd(price.first, &mut dice);
        for (at, rate) in &mut price.changes {
            (*at, *rate) = (later(*at), odd(*rate, &mut dice));
        }
    }
    scenario.works.iter_mut().for_each(lengthen);
    scenario.options.horizon = scenario.options.horizon.map(later);
    scenario
}

fn later(at: Time) -> Time {
    Time::from_micros(at.micros() * 20)
}

fn lengthen(work: &mut Work) {
    let long = |span: Span| Span::from_micros(span.micros() * 20);
    work.arrival = later(work.arrival);
    *work.body.length_mut() = work.body.length().map(long);
    work.ask.estimate = work.ask.estimate.map(long);
    work.ask.deadline = work.ask.deadline.map(later);
}

#[test]
fn the_pieces_of_a_charge_sum_to_it() {
    let (mut whole_lines, mut pieces, mut days) = (0, 0, 0);
    for seed in 0..600 {
        let scenario = long_scenario(seed);
        let mut hashes = Vec::new();
        for period in ChargePeriod::ALL {
            let watch = |period| {
                let adds = Adds { within: Some(period), ..Adds::default() };
                ChargePeriods::new(period, ((adds, DailyCosts::default()), Laws::new(false)))
            };
            let mut observer = ((Adds::default(), Fingerprint::default()), watch(period));
            let mut source = WorkList::new(&scenario.works).named(scenario.names.clone());
            let mut policy = policy::build(&scenario.policy);
            let outcome = sim::run(
                &scenario.world,
                &mut source,
                &mut *policy,
                &Options { max_simulated: Some(Span::from_secs(100 * 86_400)), ..scenario.options },
                &mut observer,
                &mut |_| ControlFlow::Continue(()),
            );
            let outcome = outcome.unwrap_or_else(|failure| panic!("seed {seed}: {failure:?}"));
            let ((whole, hash), cut) = observer;
            let ((cut, daily), laws) = cut.into_inner();
            assert_eq!(laws.broken(), None, "seed {seed} by {period:?}");
            assert_eq!(whole.sums, cut.sums, "seed {seed} by {period:?}");
            assert_eq!(daily.total(), whole.sums.total, "seed {seed} by {period:?}");
            let all: Vec<_> = daily.days().collect();
            assert_eq!(all.first().map(|day| day.from), Some(outcome.started), "seed {seed}");
            let last = all.last().map(|day| day.until);
            assert_eq!(last, Some(outcome.ended), "seed {seed} by {period:?}");
            let follow = all.windows(2).all(|days| days[0].until == days[1].from);
            assert!(follow, "seed {seed} by {period:?}");
            hashes.push(hash.hex());
            whole_lines += whole.lines;
            pieces += cut.lines;
            days += all.len();
        }
        assert_eq!(hashes[0], hashes[1], "seed {seed}");
    }
    assert!(pieces > whole_lines * 3 / 2, "{pieces} pieces of {whole_lines} charges");
    assert!(days > 1_300, "{days} days");
}

// ---------------------------------------------------------------------------
// By hand.
// ---------------------------------------------------------------------------

/// Keeps the lines: kind, times in minutes from the start, and dollars.
#[derive(Default)]
struct Lines(Vec<(&'static str, f64, f64, f64)>);

impl Observer for Lines {
    fn record(&mut self, _: &State<'_>, record: &Record) {
        let Record::Charged(charge) = record else { return };
        let minutes = |time: Time| time.secs_f64() / 60.0;
        let (from, until) = (minutes(charge.from), minutes(charge.until));
        self.0.push((charge.kind.name(), from, until, charge.amount.dollars()));
    }
}

/// The lines and the sums by day of the only policy of a scenario with this text.
fn lines(
    period: ChargePeriod,
    scenario: &str,
    trace: &str,
) -> (Vec<(&'static str, f64, f64, f64)>, DailyCosts) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    fs::write(dir.path().join("w.csv"), trace).expect("written");
    let text = format!("question = \"q\"\n{scenario}\n[workload]\ntrace = \"w.csv\"\n");
    let scenario = Scenario::parse(&text, "s.toml", dir.path(), &[]).expect("it is valid");
    let settings = Settings { audit: true, ..Settings::seeded(1) };
    let mut go_on = |_| ControlFlow::Continue(());
    let mut observer = ChargePeriods::new(period, (Lines::default(), DailyCosts::default()));
    experiment::run(&scenario, &scenario.policies[0], settings, &mut observer, &mut go_on)
        .expect("it runs");
    let (lines, daily) = observer.into_inner();
    (lines.0, daily)
}

/// Sums of the days, in dollars.
fn by_day(daily: &DailyCosts, kind: ChargeKind) -> Vec<f64> {
    let provider = daily.columns().next().expect("something was charged").0;
    (0..daily.days().len()).map(|day| daily.sum(day, provider, kind).dollars()).collect()
}

/// A machine of four cores at 1.20 USD an hour until 23:00 and at 2.40 USD after that, which
/// boots for six minutes.
const DEARER_AT_NIGHT: &str = "start = 2026-03-01T22:30:00Z\n\
    [cloud.aws]\nregions = [\"us-east-1\"]\nzones = [\"us-east-1a\"]\ntypes = [\"m6i.xlarge\"]\n\
    boot = \"6 min\"\n\
    [[cloud.aws.price]]\nusd_per_hour = 1.20\n\
    [[cloud.aws.price]]\nfrom = \"30 min\"\nusd_per_hour = 2.40\n\
    [policy.p]\nprovision = \"cheapest\"\n[policy.p.release.idle]\nafter = \"15 min\"\n";

/// Two cores for 2 h 24 min; and, at 02:15, work that fits nowhere, until which the run goes on.
const WORK_AT_NIGHT: &str = "arrival_s,runtime_s,vcpus,memory_mib\n0,8640,2,1\n13500,1,100,1\n";

#[test]
fn an_instance_over_midnight_is_charged_on_both_days() {
    // 22:30 to 01:15: boot until 22:36, two of three cores in use until 01:00, idle until 01:15.
    let (lines, daily) = lines(ChargePeriod::Day, DEARER_AT_NIGHT, WORK_AT_NIGHT);
    // Boot 0.1 h x 1.20. Until midnight 0.4 h x 1.20 + 1 h x 2.40 = 2.88; after that 2.40 for
    // the hour of work and 0.60 for the quarter. What the system keeps makes the share no half.
    let total: f64 = lines.iter().map(|line| line.3).sum();
    assert!((total - (0.12 + 2.88 + 2.40 + 0.60)).abs() < 1e-9, "{lines:?}");
    let sum = |from: f64, until: f64| -> f64 {
        lines.iter().filter(|line| line.1 >= from && line.2 <= until).map(|line| line.3).sum()
    };
    assert!((sum(0.0, 90.0) - 3.00).abs() < 1e-9, "{lines:?}");
    assert!((sum(90.0, 165.0) - 3.00).abs() < 1e-9, "{lines:?}");
    let found: Vec<_> = lines.iter().map(|&(kind, from, until, _)| (kind, from, until)).collect();
    let want = [
        ("boot", 0.0, 6.0),
        ("work", 6.0, 90.0),
        ("idle", 6.0, 90.0),
        ("work", 90.0, 150.0),
        ("idle", 90.0, 165.0),
    ];
    assert_eq!(found, want);
    assert_eq!(by_day(&daily, ChargeKind::Boot), [0.12, 0.0]);
}

#[test]
fn an_instance_is_charged_by_the_hour() {
    // The same, by the hour: 0.60 USD until 23:00, then 2.40 each, and 0.60 of the last quarter.
    let (lines, _) = lines(ChargePeriod::Hour, DEARER_AT_NIGHT, WORK_AT_NIGHT);
    for (from, until, want) in
        [(0.0, 30.0, 0.60), (30.0, 90.0, 2.40), (90.0, 150.0, 2.40), (150.0, 165.0, 0.60)]
    {
        let all = lines.iter().filter(|line| line.1 >= from && line.2 <= until);
        let sum: f64 = all.map(|line| line.3).sum();
        assert!((sum - want).abs() < 1e-9, "{from} to {until}: {sum} of {lines:?}");
    }
}

#[test]
fn a_job_over_three_days_pays_for_its_share_of_each() {
    // Four cores at 4 USD an hour. One core from noon on day 0 for 48 h; two cores on day 1, for
    // 24 h; the rest is idle. The run ends when the job does, at noon on day 2.
    let scenario = "start = 2026-03-01T12:00:00Z\n\
        [cluster.dc]\nnodes = 1\nshape = { vcpus = 4, memory = \"16 GiB\" }\ncost = \"4 USD/h\"\n\
        [policy.p]\n";
    let trace = "arrival_s,runtime_s,vcpus,memory_mib\n0,172800,1,1\n43200,86400,2,1\n";
    let (lines, daily) = lines(ChargePeriod::Day, scenario, trace);
    let (noon, day) = (720.0, 1_440.0);
    let want = [
        ("work", 0.0, noon, 12.0),
        ("idle", 0.0, noon, 36.0),
        // The charge of a job that ends with the day comes before the day is cut.
        ("work", noon, noon + day, 48.0),
        ("work", noon, noon + day, 24.0),
        ("idle", noon, noon + day, 24.0),
        ("work", noon + day, 2.0 * day, 12.0),
        ("idle", noon + day, 2.0 * day, 36.0),
    ];
    assert_eq!(lines, want);
    assert_eq!(by_day(&daily, ChargeKind::Work), [12.0, 72.0, 12.0]);
    assert_eq!(by_day(&daily, ChargeKind::Idle), [36.0, 24.0, 36.0]);
}

#[test]
fn a_transfer_over_midnight_is_charged_on_both_days() {
    // 80 GiB at 0.10 USD in 8,000 s from 23:30 on: 1,800 s of it before midnight, 18 GiB.
    let scenario = "start = 2026-03-01T23:30:00Z\n\
        [cluster.dc]\nnodes = 1\nshape = { vcpus = 4, memory = \"16 GiB\" }\n\
        [cluster.store]\nnodes = 1\nshape = { vcpus = 1, memory = \"4 GiB\" }\n\
        [[transfer.link]]\nfrom = \"store\"\nto = \"dc\"\nusd_per_gib = 0.1\n\
        gbps = 0.08589934592\n[policy.p]\n";
    let trace = "arrival_s,runtime_s,vcpus,home,input_bytes\n0,1000,4,store,85899345920\n";
    let (lines, daily) = lines(ChargePeriod::Day, scenario, trace);
    let transfers: Vec<_> = lines.iter().filter(|line| line.0 == "transfer").collect();
    let [one, other] = transfers[..] else { panic!("{lines:?}") };
    assert_eq!((one.1, one.2, other.1), (0.0, 30.0, 30.0));
    // A link moves whole bytes per second.
    assert!((one.3 - 1.8).abs() < 1e-6 && (one.3 + other.3 - 8.0).abs() < 1e-12, "{lines:?}");
    let store = daily.columns().find(|(_, kind)| *kind == ChargeKind::Transfer).expect("moved").0;
    assert!((daily.sum(1, store, ChargeKind::Transfer).dollars() - 6.2).abs() < 1e-6);
}

#[test]
fn the_minimum_and_the_last_midnight_belong_to_the_day_before() {
    // A run that ends at midnight has no second day; days without charges are there.
    let scenario = "start = 2026-03-01T12:00:00Z\nhorizon = \"60 h\"\n\
        [cluster.dc]\nnodes = 1\nshape = { vcpus = 4, memory = \"16 GiB\" }\ncost = \"1 USD/h\"\n\
        [policy.p]\n";
    let trace = "arrival_s,runtime_s,vcpus\n0,300000,4\n";
    let (_, daily) = lines(ChargePeriod::Day, scenario, trace);
    assert_eq!(by_day(&daily, ChargeKind::Work), [12.0, 24.0, 24.0]);
}
