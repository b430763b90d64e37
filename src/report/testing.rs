//! A tiny world that runs within a test: an owned group and two clouds.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use super::{AlertReport, InputHash, PolicyResult, Recipe, RunReport};
use crate::experiment::backtest::{
    Backtest, HeldBill, HeldLine, Pair, Uncompared, UncomparedWhy, WorkLife,
};
use crate::experiment::{
    self, Assessment, Chance, Decision, Evidence, Influence, Judging, Measurement, Repetition,
    Sensitivity,
};
use crate::metrics::{Collector, Fingerprint, Series, Summary};
use crate::model::{Interner, Market, OfferSpec, Work, WorkId, World, WorldBuilder};
use crate::policy::{Policy, Trigger, Turn};
use crate::scenario::Observed;
use crate::sim::{Observer, Options, Outcome, run};
use crate::state::{DecisionNote, RefusalReason, Share, Wait, WaitReason, WorkRef};
use crate::units::{Demand, Distribution, Id, Money, Shape, Span, Stream, Time};
use crate::workload::{RowNotes, WorkList};

/// Two owned machines that boot at once, and two clouds, one of them with a
/// name that a spreadsheet would run.
pub(super) fn tiny() -> World {
    let shape = |cpu, memory, gpus| Shape { cpu, memory, gpus };
    let owned = OfferSpec::owned("dc/dc/dc-a", "dc", shape(8_000, 32_768, 2), 2);
    let (plain, aws) = (shape(4_000, 4_096, 0), "aws/us-east-1a/m5.xlarge/on-demand");
    let rented = OfferSpec::on_demand("aws/aws/us-east-1a", aws, plain, "0.192");
    let (gpu, gcp) = (shape(8_000, 32_768, 1), "=cmd|<script>");
    let spot = OfferSpec::spot("<gcp>/<gcp>/us-central1-a", gcp, gpu, "0.51").at_most(1);
    let world = World::builder()
        .offer(owned.named("dc").price("0.40").at_most(None))
        .offer(rented.named(aws).boot(Distribution::Constant(60.0)))
        .offer(spot.named(gcp).boot(Distribution::Constant(90.0)));
    let law = |world: WorldBuilder, place| {
        world.region(place, |region| "EU".clone_into(&mut region.jurisdiction))
    };
    let world = ["dc", "aws", "<gcp>"].into_iter().fold(world, law);
    world.build().expect("the offers are right")
}

/// Jobs that come every 200 s on average; every third asks for a GPU.
pub(super) fn jobs(count: u64) -> WorkList<impl Iterator<Item = Work>> {
    let (mut stream, mut at, mut names) = (Stream::new(7, "jobs"), Time::ZERO, Interner::default());
    let tenants = ["team-a", "+team b"].map(|name| names.tenant(name));
    let works = (0..count).map(move |row| {
        at = at + Span::from_secs(stream.below(400) as i64);
        let runtime = Span::from_secs(60 + stream.below(7_200) as i64);
        let gpus = u8::from(row.is_multiple_of(3));
        let gpu_share = u16::from(gpus) * 1_000;
        let demand = Demand { cpu: 2_000, memory: 2_048, gpus, gpu_share, exclusive: false };
        let mut job = Work::job(row, at, demand, runtime);
        job.name = if row == 1 { "-job".to_owned() } else { String::new() };
        job.ask.deadline = Some(at + Span::from_secs(5_400));
        job.ask.tenant = tenants[usize::from(!row.is_multiple_of(2))];
        job
    });
    WorkList::new(works).named(names)
}

/// First come first served; rents the first offer that holds the work and has
/// room; refuses what finds 6 others waiting.
#[derive(Debug, Default)]
pub(super) struct Simple {
    queue: VecDeque<WorkRef>,
}

impl Simple {
    fn place(&self, turn: &mut Turn<'_, '_>, work: WorkRef) -> bool {
        let found = turn.first_fit(work, 0).map(|(instance, _)| instance).or_else(|| {
            let offers = turn.world().offers.ids();
            let mut fitting = offers.filter(|&offer: &Id<_>| {
                turn.world().offers[offer].market != Market::Owned && turn.could_hold(work, offer)
            });
            let offer = fitting.find(|&offer| turn.offer(offer).live < 3)?;
            turn.rent(offer).ok()
        });
        let Some(instance) = found else { return false };
        let devices = turn.instance(instance).tightest_devices(turn.work(work).ask.demand, 1);
        devices.is_some_and(|devices| {
            turn.place(work, &[Share { instance, tasks: 1, devices }]).is_ok()
        })
    }
}

impl Policy for Simple {
    fn decide(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) {
        for trigger in triggers {
            match *trigger {
                Trigger::Arrived(work) if self.queue.len() < 6 => self.queue.push_back(work),
                Trigger::Arrived(work) => {
                    turn.refuse(work, RefusalReason::QueueFull).expect("it waits");
                }
                Trigger::Idle(instance) => turn.release(instance).expect("it is idle"),
                Trigger::Begins
                | Trigger::Eligible(..)
                | Trigger::Freed(_)
                | Trigger::Ready(_)
                | Trigger::Draining(_)
                | Trigger::AtRisk(_)
                | Trigger::Resumed(_)
                | Trigger::Cancelled(_)
                | Trigger::Lost(_)
                | Trigger::PricesChanged
                | Trigger::Timer
                | Trigger::Acted => (),
            }
        }
        while let Some(&head) = self.queue.front() {
            if !self.place(turn, head) {
                turn.note(head, DecisionNote::Waits(Wait::of(WaitReason::NoRoom)));
                break;
            }
            self.queue.pop_front();
        }
    }
}

/// Runs `count` jobs, until the horizon at the latest.
pub(super) fn simulate<O: Observer>(
    world: &World,
    count: u64,
    horizon: Option<i64>,
    observer: O,
) -> (O, Collector, Series, Fingerprint, Outcome) {
    let horizon = horizon.map(Time::from_secs);
    let options = Options { explain: true, horizon, ..Options::default() };
    let mut all = ((observer, Collector::default()), (Series::default(), Fingerprint::default()));
    let mut control = |_| ControlFlow::Continue(());
    let (source, policy) = (&mut jobs(count), &mut Simple::default());
    let outcome = run(world, source, policy, &options, &mut all, &mut control);
    let ((observer, collector), (series, fingerprint)) = all;
    (observer, collector, series, fingerprint, outcome.expect("the run is legal"))
}

/// A decision for the first row.
pub(super) fn decided() -> Decision {
    let influence = Influence { assumption: "prices".to_owned(), before: 1.0, after: 2.0 };
    let sensitivity = Sensitivity {
        influences: vec![influence],
        unfit: vec!["sizes".to_owned()],
        replications: 1,
    };
    Decision { choice: 0, assessments: vec![Assessment::default()], saving: None, sensitivity }
}

/// The rows as `replications` of the same each, held against the one in row
/// `baseline`; more than one pass for seeds of a drawn workload.
pub(super) fn judged(
    rows: &[PolicyResult<'_>],
    baseline: usize,
    replications: usize,
) -> experiment::Comparison {
    let measure = |row: &PolicyResult<'_>| {
        let kept = row.objectives.iter().map(|objective| objective.met).collect();
        vec![Measurement::of(row.summary, row.series, kept, None); replications]
    };
    let evidence = Evidence {
        names: rows.iter().map(|row| row.name.to_owned()).collect(),
        baseline,
        measurements: rows.iter().map(measure).collect(),
        repetition: Repetition::Seeds { warm_up: Span::ZERO },
        seed: 1,
        chance: if replications > 1 { Chance::Workload } else { Chance::None },
    };
    let judging = Judging { confidence: 0.95, margin: None, precision: None };
    experiment::Comparison::judge(evidence, judging)
}

/// A bill of that provider, with all that may be said of one.
fn held_bill(name: &str) -> HeldBill {
    let dollars = |dollars: i128| Money::from_nanos(dollars * 1_000_000_000);
    let days =
        |from: i64, until: i64| (Time::from_secs(from * 86_400), Time::from_secs(until * 86_400));
    let line = |group: &str, observed, simulated| HeldLine {
        provider: name.to_owned(),
        group: group.to_owned(),
        observed,
        simulated,
    };
    let left = |why, what: &str, [observed, simulated]: [i128; 2]| Uncompared {
        why,
        what: what.to_owned(),
        observed: dollars(observed),
        simulated: dollars(simulated),
    };
    HeldBill {
        stretch: days(1, 12),
        bill: days(0, 12),
        run: days(1, 13),
        lines: vec![
            line("compute", Some(dollars(40)), Some(dollars(44))),
            line(name, Some(dollars(2)), None),
            line("transfer", None, Some(dollars(1))),
        ],
        left_out: vec![
            left(UncomparedWhy::Outside, name, [3, 2]),
            left(UncomparedWhy::Provider, name, [0, 7]),
            left(UncomparedWhy::NotModelled, name, [5, 0]),
        ],
        divided: 1,
    }
}

/// Twelve days of jobs under a policy, a scenario, a tenant and a provider of
/// this name, some of which wait longer or less long than observed.
pub(super) fn backtested(name: &str) -> (RunReport, Backtest) {
    let pair = |row: i64| {
        let (runtime, cpu) = (Span::from_secs(600 * row), 1_000 * row as u64);
        let wait = Span::from_secs(100 * row);
        let off = Span::from_secs(if row % 3 == 0 { 30 * row } else { -7 * row });
        let observed = WorkLife { wait, runtime, cpu };
        Pair {
            id: WorkId { source: 0, ordinal: row as u64 },
            name: if row == 1 { name.to_owned() } else { String::new() },
            tenant: (row % 2) as usize,
            tasks: 1,
            arrival: Time::from_secs(row * 86_400),
            observed: (row != 5).then_some(observed),
            simulated: (row != 7).then_some(WorkLife { wait: wait + off, runtime, cpu }),
        }
    };
    let seen = Observed {
        figures: vec![("instance_hours", 10.0)],
        provider_cost: vec![(name.to_owned(), Money::from_nanos(5_000_000_000))],
        bill: None,
    };
    let summary = Summary { instance_hours: 12.0, ..Summary::default() };
    let tenants = vec!["default".to_owned(), name.to_owned()];
    let pairs = (1..=12).map(pair).collect();
    let judged =
        Backtest::judge(pairs, tenants, Some(16_000), (&summary, &seen, Some(held_bill(name))));
    let recipe = Recipe {
        scenario: name.to_owned(),
        policy: name.to_owned(),
        question: Some(name.to_owned()),
        inputs: vec![InputHash { name: name.to_owned(), hash: "00".to_owned() }],
        ..Recipe::default()
    };
    let run = RunReport {
        alerts: AlertReport::default(),
        budgets: Vec::new(),
        calendar: crate::units::Calendar::from_unix_micros(0),
        recipe,
        summary,
        objectives: Vec::new(),
        assumptions: vec![name.to_owned()],
        cautions: Vec::new(),
        fingerprint: String::new(),
        daily: None,
        bill: None,
        chargeback: None,
        skipped_rows: 1,
        dropped_rows: 0,
        row_notes: RowNotes::default(),
    };
    (run, judged)
}
