//! Typical mixes of demands, counted from a workload: foresight that a policy
//! is given and a report names.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::composition::Policies;
use super::section::Diagnostics;
use crate::model::{Interner, Work};
use crate::policy::spec::DemandMix;
use crate::problem::{Problems, clip};
use crate::units::Demand;
use crate::workload::{
    Defaults, NATIVE, OnBadRow, OpenContext, TraceSpec, Unsorted, WorkloadInput, WorkloadSpec,
    recognise,
};

/// Notes that were made while counting.
#[derive(Debug, Default)]
pub(super) struct MixNotes {
    /// Assumptions by row of the policy.
    pub(super) assumptions: Vec<(usize, String)>,
    pub(super) inputs: Vec<PathBuf>,
}

/// Fills the mix of every policy that wants one.
pub(super) fn fill(
    policies: &mut Policies,
    workload: &WorkloadSpec,
    context: &OpenContext,
    base: &Path,
    report: &mut Diagnostics<'_>,
) -> MixNotes {
    let mut notes = MixNotes::default();
    let mut counted: BTreeMap<Cow<'static, str>, DemandMix> = BTreeMap::new();
    for (row, range) in &policies.mixes {
        let policy = &mut policies.specs[*row];
        let Some(mix) = policy.place.settings.mixes().next() else { continue };
        if !counted.contains_key(&mix.source) {
            let of_workload = mix.source == "workload";
            let spec = if of_workload { workload.clone() } else { pods(&mix.source, base) };
            match count(&mix.source, &spec, context) {
                Ok(found) => {
                    counted.insert(mix.source.clone(), found);
                }
                Err(problems) => {
                    let message = format!("the mix `{}` cannot be counted", clip(&mix.source));
                    report.at(range, message);
                    report.problems.extend(problems);
                    continue;
                }
            }
            if !of_workload {
                notes.inputs.push(base.join(&*mix.source));
            }
        }
        if let Some(found) = counted.get(&mix.source) {
            *mix = found.clone();
            let whose = if mix.source == "workload" { "this very workload" } else { &mix.source };
            let told = format!(
                "Policy {} knows the typical mix of demands beforehand (foresight): {} kinds, counted from {whose}.",
                policy.name,
                mix.demands.len()
            );
            notes.assumptions.push((*row, told));
        }
    }
    notes
}

/// A file of work as a workload of its own.
fn pods(source: &str, base: &Path) -> WorkloadSpec {
    let path = base.join(source);
    let shown = path.display().to_string();
    // A file that cannot be recognised says what is wrong with it when it is opened.
    let recognised = recognise(&path, &shown).ok();
    let format = recognised.map_or_else(|| NATIVE.spec(), |recognised| recognised.format);
    WorkloadSpec {
        input: WorkloadInput::Trace(TraceSpec {
            shown,
            path,
            format,
            on_bad_row: OnBadRow::Fail,
            unsorted: Unsorted::Sort,
            filters: Vec::new(),
            nameless: false,
        }),
        defaults: Defaults::default(),
        transforms: Vec::new(),
    }
}

/// Counts the demands of all tasks with the GPU models that they may use.
fn count(source: &str, spec: &WorkloadSpec, context: &OpenContext) -> Result<DemandMix, Problems> {
    let mut stream = spec.open(context)?;
    let mut book = Interner::default();
    let mut work = Work::default();
    let mut counts: BTreeMap<(Demand, Vec<String>), u64> = BTreeMap::new();
    while stream.next(&mut book, &mut work).map_err(Problems::from)? {
        let models = book.all_rules()[work.ask.rules].gpu_models.allowed.clone();
        *counts.entry((work.ask.demand, models)).or_default() += u64::from(work.ask.tasks);
    }
    let demands =
        counts.into_iter().map(|((demand, models), count)| (demand, models, count)).collect();
    Ok(DemandMix { source: source.to_owned().into(), demands })
}
