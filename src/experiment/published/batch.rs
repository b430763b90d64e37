//! Batch scheduling: the RLScheduler table, and EASY by another implementation.

use std::ops::ControlFlow;
use std::path::Path;

use rayon::prelude::*;

use super::{PublishedResult, ResultOrigin};
use crate::experiment::verify::easy::matching;
use crate::experiment::{RunResult, Settings, run};
use crate::model::{Interner, Work};
use crate::scenario::Scenario;
use crate::units::{Calendar, Id};
use crate::workload::{
    Defaults, OnBadRow, OpenContext, SWF, TraceSpec, Unsorted, WorkloadInput, WorkloadSpec,
};

const RLSCHEDULER: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/published/rlscheduler.toml"));
const EASY: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/published/easy.toml"));

/// First jobs of the ten sequences, counted from 0 (Zhang et al., SC 2020; the
/// draws of their seed).
const FIRSTS: [u64; 10] = [1981, 2756, 4299, 8850, 3316, 2714, 5228, 7762, 4022, 7085];

/// Mean bounded slowdown by policy of the scenario. The paper prints 19753.53,
/// 22274.74, 133.87 and 307.23 for WFP3 and UNICEP, without and with backfill:
/// its program took the wait for -1 less the submit time. These four are that
/// program's with the wait mended.
const SLOWDOWNS: [(&str, f64, ResultOrigin); 10] = [
    ("fcfs", 7273.7714, ResultOrigin::Published),
    ("shortest", 277.3483, ResultOrigin::Published),
    ("f1", 258.3664, ResultOrigin::Published),
    ("wfp3", 337.3411, ResultOrigin::Corrected),
    ("unicep", 381.7066, ResultOrigin::Corrected),
    ("fcfs-backfill", 235.8173, ResultOrigin::Published),
    ("shortest-backfill", 73.3065, ResultOrigin::Published),
    ("f1-backfill", 75.0682, ResultOrigin::Published),
    ("wfp3-backfill", 126.5047, ResultOrigin::Corrected),
    ("unicep-backfill", 103.1007, ResultOrigin::Corrected),
];

/// Mean bounded slowdown, mean wait and makespan in seconds, by policy, as
/// another program has them.
const WHOLE_LOG: [(&str, f64, f64, f64); 4] = [
    ("fcfs", 66_502.475_5, 2_388_443.76, 12_482_549.0),
    ("fcfs-easy", 590.053_8, 97_155.995, 8_730_698.0),
    ("shortest", 53.543_5, 275_304.223, 11_359_058.0),
    ("shortest-easy", 40.559_6, 59_632.195, 10_351_841.0),
];

/// Half of the last digit that the table shows.
const SLOWDOWN_TOLERANCE: f64 = 0.000_1;

/// The RLScheduler table on the log at `log` (`lublin_256.swf.gz`).
///
/// # Errors
/// Problems with the log.
pub fn rlscheduler(log: &Path) -> Result<Vec<PublishedResult>, String> {
    let runs: Vec<(usize, u64)> = (0..SLOWDOWNS.len())
        .flat_map(|row| FIRSTS.iter().map(move |&first| (row, first)))
        .collect();
    let slowdowns: Result<Vec<f64>, String> = runs
        .par_iter()
        .map(|&(row, first)| {
            let text = RLSCHEDULER.replace("skip = 1981", &format!("skip = {first}"));
            let result = result(&text, log, SLOWDOWNS[row].0)?;
            result.summary.bounded_slowdown.mean.ok_or_else(|| "no job finished".to_owned())
        })
        .collect();
    let slowdowns = slowdowns?;
    let cell =
        |(row, &(name, reference, origin)): (usize, &(&str, f64, ResultOrigin))| PublishedResult {
            name: format!("RLScheduler, {name}"),
            quantity: "mean bounded slowdown, ten sequences",
            origin,
            reference,
            ours: slowdowns[row * 10..][..10].iter().sum::<f64>() / 10.0,
            tolerance: SLOWDOWN_TOLERANCE,
            own: None,
        };
    Ok(SLOWDOWNS.iter().enumerate().map(cell).collect())
}

/// The whole log under standard EASY.
///
/// # Errors
/// Problems with the log.
pub fn whole_log(log: &Path) -> Result<Vec<PublishedResult>, String> {
    let rows: Result<Vec<[PublishedResult; 3]>, String> = WHOLE_LOG
        .par_iter()
        .map(|&(name, slowdown, wait, makespan)| {
            let summary = result(EASY, log, name)?.summary;
            let cell = |quantity, reference, ours: Option<f64>, tolerance| PublishedResult {
                name: format!("lublin_256, {name}"),
                quantity,
                origin: ResultOrigin::OtherProgram,
                reference,
                ours: ours.unwrap_or(f64::NAN),
                tolerance,
                own: None,
            };
            let own = summary.bounded_slowdown.mean;
            Ok([
                cell("mean bounded slowdown", slowdown, own, SLOWDOWN_TOLERANCE),
                cell("mean wait, s", wait, summary.wait_s.mean, 0.006),
                cell("makespan, s", makespan, Some(summary.makespan_s), 0.0),
            ])
        })
        .collect();
    Ok(rows?.into_iter().flatten().collect())
}

/// Processors of the machine behind the log of [`users_estimates`].
const SP2: u32 = 100;

/// EASY on the whole log at `log` (`KTH-SP2-1996.swf.gz`) with its users' own
/// estimates, against a slow program that works all out again at every event.
///
/// # Errors
/// Problems with the log.
pub fn users_estimates(log: &Path) -> Result<Vec<PublishedResult>, String> {
    let trace = TraceSpec {
        path: log.to_owned(),
        shown: log.display().to_string(),
        format: SWF.spec().set("drop_zero", true),
        on_bad_row: OnBadRow::Skip,
        unsorted: Unsorted::Sort,
        filters: Vec::new(),
        nameless: true,
    };
    let input = WorkloadInput::Trace(trace);
    let spec = WorkloadSpec { input, defaults: Defaults::default(), transforms: Vec::new() };
    let calendar = Calendar::from_unix_micros(0);
    let context = OpenContext { seed: 1, calendar, keep_names: false, capacity: None };
    let mut source = spec.open(&context).map_err(|problems| format!("{problems:?}"))?;
    let (mut book, mut works) = (Interner::default(), vec![Work::default()]);
    while let Some(last) = works.last_mut()
        && source.next(&mut book, last).map_err(|problem| format!("{problem:?}"))?
    {
        // Nothing here follows from who asked.
        (last.ask.tenant, last.ask.class) = (Id::new(0), 0);
        works.push(Work::default());
    }
    works.pop();
    Ok(vec![PublishedResult {
        name: "KTH-SP2, EASY, users' estimates".to_owned(),
        quantity: "jobs that start when they should",
        origin: ResultOrigin::OtherProgram,
        reference: works.len() as f64,
        ours: matching(SP2, &works)? as f64,
        tolerance: 0.0,
        own: None,
    }])
}

fn result(text: &str, log: &Path, policy: &str) -> Result<RunResult, String> {
    let log = std::path::absolute(log).map_err(|error| error.to_string())?;
    let trace = ("workload.trace".to_owned(), log.display().to_string());
    let scenario = Scenario::parse(text, "published.toml", Path::new(""), &[trace])
        .map_err(|problems| format!("{problems:?}"))?;
    let spec = scenario.policies.iter().find(|spec| spec.name == policy);
    let spec = spec.ok_or_else(|| format!("the scenario has no policy {policy}"))?;
    let settings = Settings::seeded(1);
    run(&scenario, spec, settings, &mut (), &mut |_| ControlFlow::Continue(()))
        .map_err(|failure| format!("{failure:?}"))
}
