//! A policy as a Rust type, against those of the built-in scenario.
//!
//! `JustInTime` keeps work on the owned cluster while its deadline allows that,
//! and rents the cheapest machine for what would be late otherwise.
//!
//! ```sh
//! cargo run --release --example own_policy out/own-policy
//! ```

use std::error::Error;
use std::path::PathBuf;

use windtunnel::experiment::{Asked, ComparedArms, Judging, Runner};
use windtunnel::model::Market;
use windtunnel::policy::place::{Fit, place_all};
use windtunnel::policy::{Policy, Trigger, Turn};
use windtunnel::report::{ComparisonResults, ResultFolder, Terminal};
use windtunnel::scenario::{Scenario, quickstart};
use windtunnel::state::{InstanceRef, WorkRef};
use windtunnel::units::{Span, Time};

/// Compares it with the policies of the scenario. With the name of a folder, writes the results
/// into it: the page, `decision.md`, data and charts.
fn main() -> Result<(), Box<dyn Error>> {
    let mut scenario = Scenario::parse(quickstart(), "quickstart.toml", "".as_ref(), &[])?;
    scenario.add_policy("just in time", "1", || Box::new(JustInTime::default()));
    let compared =
        ComparedArms::of(&Runner::default(), &mut scenario, Asked::default(), Judging::default())?;
    let results = ComparisonResults::of(compared)?;
    println!("{}", results.report().document(Vec::new()).text(Terminal::PLAIN));
    if let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) {
        let folder = ResultFolder::create(&folder)?;
        let manifest = results.write(&folder)?;
        folder.finish(manifest)?;
    }
    Ok(())
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
