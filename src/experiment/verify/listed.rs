//! Work given as a list, and what became of each piece of it.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use crate::metrics::Laws;
use crate::model::{Ask, Work, World};
use crate::policy;
use crate::policy::spec::PolicySpec;
use crate::sim::{self, Observer, Options};
use crate::state::{Record, State};
use crate::units::{Demand, Money, Span, Time};
use crate::workload::WorkList;

/// First starts by ordinal, numbers of the instances used, and the bill of
/// instances that were given back.
#[derive(Debug, Default)]
pub struct ListedOutcome {
    /// First starts by ordinal of the work.
    pub starts: BTreeMap<u64, Time>,
    /// Instance of the last task of each piece of work, by ordinal.
    pub instances: BTreeMap<u64, u32>,
    /// Rent in all.
    pub bill: Money,
}

impl Observer for ListedOutcome {
    fn record(&mut self, state: &State<'_>, record: &Record) {
        match *record {
            Record::Started(allocation) => {
                let target = state.allocation(allocation);
                let work = state.work(target.work()).id.ordinal;
                self.starts.entry(work).or_insert(state.now());
                let instance = target.held[0].share.instance;
                self.instances.insert(work, state.instance(instance).ordinal);
            }
            Record::Released { amount, .. } => self.bill += amount,
            Record::Submitted(_)
            | Record::Placed(_)
            | Record::Stopped { .. }
            | Record::Finished(_)
            | Record::Refused { .. }
            | Record::Unfinished(_)
            | Record::Requested(_)
            | Record::Ready(_)
            | Record::Draining { .. }
            | Record::Failed { .. }
            | Record::Repaired(_)
            | Record::Outage { .. }
            | Record::Slowed { .. }
            | Record::Devices { .. }
            | Record::Restarted { .. }
            | Record::GivenUp { .. }
            | Record::Migrates { .. }
            | Record::AtRisk { .. }
            | Record::Charged(_)
            | Record::LaunchRefused { .. }
            | Record::Noted(..) => {}
        }
    }
}

/// A gang whose estimate is its runtime.
pub fn job(ordinal: u64, arrival: i64, tasks: u32, demand: Demand, secs: i64) -> Work {
    let runtime = Span::from_secs(secs);
    let ask = Ask { tasks, demand, estimate: Some(runtime), ..Ask::default() };
    Work { ask, ..Work::job(ordinal, Time::from_secs(arrival), demand, runtime) }
}

/// The outcome of `works` in `world` under `policy`.
///
/// # Errors
/// A sentence on a run that could not be done, or that broke a law.
pub fn outcome(
    world: &World,
    works: &[Work],
    policy: &PolicySpec,
) -> Result<ListedOutcome, String> {
    let mut source = WorkList::new(works);
    let mut policy = policy::build(policy);
    let mut observer = (ListedOutcome::default(), Laws::new(false));
    let mut go_on = |_: sim::RunProgress| ControlFlow::Continue(());
    sim::run(world, &mut source, &mut *policy, &Options::default(), &mut observer, &mut go_on)
        .map_err(|failure| format!("a list of work: {failure:?}"))?;
    let (outcome, laws) = observer;
    match laws.broken() {
        Some(broken) => Err(format!("a list of work broke {}: {}", broken.law, broken.found)),
        None => Ok(outcome),
    }
}
