//! Small cases that can be checked by hand: no chance, no tolerance.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::judge::Row;
use super::station::{CORE, Station};
use crate::model::{Ask, Book, Truth, Work, WorkId};
use crate::policy;
use crate::policy::spec::{Backfill, Order, Place, PolicySpec, Scalar};
use crate::problem::Problem;
use crate::sim::{self, Observer, Options};
use crate::state::{Record, State};
use crate::units::{Demand, Span, Time};
use crate::workload::Source;

/// Work given as a list, in order of arrival.
#[derive(Debug)]
struct Listed<'a>(std::slice::Iter<'a, Work>);

impl Source for Listed<'_> {
    fn next(&mut self, _book: &mut Book, work: &mut Work) -> Result<bool, Problem> {
        let Some(next) = self.0.next() else { return Ok(false) };
        work.clone_from(next);
        Ok(true)
    }
}

/// First starts, by ordinal, and the numbers of the instances used.
#[derive(Debug, Default)]
struct Starts {
    at: BTreeMap<u64, Time>,
    on: BTreeMap<u64, u32>,
}

impl Observer for Starts {
    fn record(&mut self, state: &State<'_>, record: &Record) {
        let Record::Started(allocation) = *record else { return };
        let target = state.allocation(allocation);
        let work = state.work(target.work()).id.ordinal;
        self.at.entry(work).or_insert(state.now());
        self.on.insert(work, state.instance(target.held[0].share.instance).ordinal);
    }
}

fn job(ordinal: u64, arrival: i64, tasks: u32, demand: Demand, secs: i64) -> Work {
    let runtime = Span::from_secs(secs);
    Work {
        id: WorkId { source: 0, ordinal },
        name: String::new(),
        arrival: Time::from_secs(arrival),
        ask: Ask { tasks, demand, estimate: runtime, ..Ask::default() },
        truth: Truth { runtime },
    }
}

fn starts(station: &Station, works: &[Work], policy: &PolicySpec) -> Result<Starts, String> {
    let world = station.world();
    let mut source = Listed(works.iter());
    let mut policy = policy::build(policy);
    let mut observer = Starts::default();
    let mut go_on = |_: sim::Progress| ControlFlow::Continue(());
    sim::run(&world, &mut source, &mut *policy, &Options::default(), &mut observer, &mut go_on)
        .map_err(|failure| format!("a case checked by hand: {failure:?}"))?;
    Ok(observer)
}

/// All of them.
///
/// # Errors
/// A sentence on a run that could not be done, which is a bug.
pub fn micro_cases() -> Result<Vec<Row>, String> {
    let mut rows = backfilling()?;
    rows.extend(packing()?);
    Ok(rows)
}

/// Four processors; the last job but one may overtake, the last may not, or
/// would delay the second: J1 3 x 10 s, J2 4 x 10 s, J3 1 x 5 s, J4 1 x 20 s.
fn backfilling() -> Result<Vec<Row>, String> {
    let jobs = [(0, 3, 10), (0, 4, 10), (1, 1, 5), (1, 1, 20)];
    let works: Vec<Work> = (0..)
        .zip(jobs)
        .map(|(ordinal, (arrival, tasks, secs))| job(ordinal, arrival, tasks, CORE, secs))
        .collect();
    let wanted = [
        ("four jobs, no backfilling", Backfill::None, [0, 10, 20, 20]),
        ("four jobs, EASY", Backfill::Easy, [0, 10, 1, 20]),
    ];
    let mut rows = Vec::new();
    for (name, backfill, want) in wanted {
        let policy = PolicySpec { backfill, ..PolicySpec::named(name) };
        let got = starts(&Station::owned(1, 4), &works, &policy)?;
        for (ordinal, want) in (0..).zip(want) {
            let at = got.at.get(&ordinal).map_or(f64::NAN, |at| at.secs_f64());
            let quantity = format!("start of job {}, s", ordinal + 1);
            let source = "by hand (Lifka, JSSPP 1995)";
            rows.push(Row::exact(name, &quantity, source, f64::from(want), at));
        }
    }
    Ok(rows)
}

/// Bins of 420; six items each of 61, 141 and 211.
fn packing() -> Result<Vec<Row>, String> {
    let sizes = [61, 141, 211];
    let works: Vec<Work> = (0..18)
        .map(|ordinal: u64| {
            let cpu = sizes[(ordinal / 6) as usize] * CORE.cpu;
            job(ordinal, 0, 1, Demand { cpu, ..CORE }, 100)
        })
        .collect();
    let best = Place::BestFit { by: Scalar::Cpu };
    let wanted = [
        ("first fit", Order::Fcfs, Place::FirstFit, 10.0),
        ("best fit", Order::Fcfs, best.clone(), 10.0),
        ("first fit, largest first", Order::Largest, Place::FirstFit, 6.0),
        ("best fit, largest first", Order::Largest, best, 6.0),
    ];
    let mut rows = Vec::new();
    for (name, order, place, want) in wanted {
        let policy = PolicySpec { order, place, ..PolicySpec::named(name) };
        let got = starts(&Station::owned(18, 420), &works, &policy)?;
        let mut used: Vec<u32> = got.on.into_values().collect();
        used.sort_unstable();
        used.dedup();
        let source = "by hand (Johnson 1973)";
        rows.push(Row::exact(name, "bins of 420 for 18 items", source, want, used.len() as f64));
    }
    Ok(rows)
}
