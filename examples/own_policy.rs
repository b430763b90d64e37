//! A policy as a Rust type, against those of the built-in scenario.
//!
//! `JustInTime` keeps work on the owned cluster while its deadline allows that,
//! and rents the cheapest machine for what would be late otherwise.
//!
//! ```sh
//! cargo run --release --example own_policy
//! ```

use std::path::Path;

use windtunnel::metrics::{Collector, Summary};
use windtunnel::model::Market;
use windtunnel::policy::place::{Fit, place_all};
use windtunnel::policy::{self, Policy, Trigger, Turn};
use windtunnel::scenario::{Scenario, quickstart};
use windtunnel::sim::{Options, Run};
use windtunnel::state::{InstanceRef, WorkRef};
use windtunnel::units::{Span, Time};

fn main() {
    let read = Scenario::parse(quickstart(), "quickstart.toml", Path::new(""), &[]);
    let scenario = read.unwrap_or_else(|problems| panic!("{problems:?}"));
    println!("{:<14} {:>10} {:>14} {:>14}", "policy", "cost USD", "mean wait min", "deadlines met");
    for spec in &scenario.policies {
        show(&spec.name, &run(&scenario, &mut *policy::build(spec)));
    }
    show("just in time", &run(&scenario, &mut JustInTime::default()));
}

fn run(scenario: &Scenario, policy: &mut dyn Policy) -> Summary {
    let source = scenario.workload.open(&scenario.context(scenario.seed, false));
    let mut source = source.unwrap_or_else(|problems| panic!("{problems:?}"));
    let options = Options {
        seed: scenario.seed,
        horizon: scenario.horizon.map(|horizon| Time::ZERO + horizon),
        ..Options::default()
    };
    let mut collector = Collector::default();
    let run = Run::new(&scenario.world, source.as_mut()).policy(policy).options(options);
    let done = run.observe(&mut collector).run();
    let outcome = done.unwrap_or_else(|failure| panic!("{failure:?}"));
    collector.summary(&scenario.world, &[], &outcome)
}

fn show(name: &str, summary: &Summary) {
    let wait = summary.wait_s.mean.unwrap_or(0.0) / 60.0;
    let (with, met) = (summary.deadlines.with as f64, summary.deadlines.met as f64);
    let met = format!("{:.1} %", 100.0 * met / with);
    println!("{name:<14} {:>10.2} {wait:>14.1} {met:>14}", summary.cost.total.dollars());
}

/// Owned machines first come, first served, whoever fits; rented ones for what
/// would be late otherwise.
#[derive(Debug, Default)]
struct JustInTime {
    waiting: Vec<WorkRef>,
    emptied: Vec<InstanceRef>,
}

impl Policy for JustInTime {
    fn decide(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) {
        for trigger in triggers {
            if let Trigger::Arrived(work) | Trigger::Eligible(work, _) = *trigger {
                self.waiting.push(work);
                if let Some(latest) = latest_start(turn, work)
                    && turn.now() < latest
                {
                    turn.wake(latest).expect("a timer can be set for later");
                }
            }
        }
        self.waiting.retain(|&work| {
            !place_all(&mut Fit::first(), turn, work)
                && (latest_start(turn, work).is_none_or(|latest| turn.now() < latest)
                    || !rent(turn, work))
        });
        turn.take_emptied(&mut self.emptied);
        for &instance in &self.emptied {
            if turn.instance(instance).allocations == 0 {
                turn.release(instance).expect("a rented, empty instance can be given back");
            }
        }
    }
}

/// When it must start at the latest, by its estimate and its deadline, if it has both.
fn latest_start(turn: &Turn<'_, '_>, work: WorkRef) -> Option<Time> {
    let ask = turn.work(work).ask;
    Some(ask.deadline? - ask.estimate? - BOOT)
}

/// What a machine takes to boot, roughly.
const BOOT: Span = Span::from_secs(120);

/// Rents machines of the cheapest offer for all tasks of `work`, or none.
fn rent(turn: &mut Turn<'_, '_>, work: WorkRef) -> bool {
    let offers = turn.world().offers.iter();
    let rented = offers
        .filter(|&(offer, facts)| facts.market == Market::OnDemand && turn.could_hold(work, offer));
    let mut offers: Vec<_> = rented.map(|(offer, _)| (turn.price(offer), offer)).collect();
    offers.sort_unstable();
    offers.into_iter().any(|(_, offer)| {
        let all = turn.attempt(|turn| {
            (0..turn.work(work).ask.tasks).find_map(|_| {
                turn.rent(offer).ok()?;
                place_all(&mut Fit::first(), turn, work).then_some(())
            })
        });
        all.is_some()
    })
}
