//! First point at which a run parts from its baseline, step by step: data that the lines of
//! `words/divergence.txt` are made from.

use serde::Serialize;

use super::{FirstDivergence, GateVerdicts};
use crate::experiment::{EntryReason, EventLogEntry, PolicyView};
use crate::report::words::lines;
use crate::units::Time;

/// Most reasons that are shown of either side.
const MOST_REASONS: usize = 10;

#[derive(Clone, Debug, Serialize)]
struct Divergence<'a> {
    policy: &'a str,
    scenario: &'a str,
    seed: u64,
    /// Records that agree, and the first by which the two have parted.
    agreed: u64,
    parted: u64,
    sides: Vec<DivergentSide<'a>>,
    /// View that both had seen.
    seen: Option<Sight<'a>>,
    decided: [Decided<'a>; 2],
    caution: Option<&'a str>,
}

/// Next step of one side.
#[derive(Clone, Debug, Serialize)]
struct DivergentSide<'a> {
    name: &'static str,
    /// Next step; `None` if the run is over.
    step: Option<NextEntry<'a>>,
    /// Whether the other side does something before that.
    later: bool,
}

#[derive(Clone, Debug, Serialize)]
struct NextEntry<'a> {
    after: String,
    date: &'a str,
    what: &'a str,
}

#[derive(Clone, Debug, Serialize)]
struct Sight<'a> {
    triggers: &'a str,
    waiting: u64,
    /// The first of those that wait.
    queue: &'a [String],
    running: u64,
    booting: u64,
    free_cores: f64,
    free_memory_gib: f64,
    free_gpus: f64,
}

/// Reasons of one side's decisions about the work in question.
#[derive(Clone, Debug, Serialize)]
struct Decided<'a> {
    name: &'static str,
    reasons: Vec<ReasonWords<'a>>,
    /// Reasons that are left out.
    more: usize,
}

#[derive(Clone, Debug, Serialize)]
struct ReasonWords<'a> {
    after: String,
    work: &'a str,
    why: &'a str,
}

/// Words on where a run parts from its baseline: a title, and lines indented below it.
pub(super) fn divergence_words(
    verdicts: &GateVerdicts<'_>,
    parting: &FirstDivergence,
) -> Vec<String> {
    lines(include_str!("../words/divergence.txt"), &divergence(verdicts, parting))
}

fn divergence<'a>(verdicts: &GateVerdicts<'a>, parting: &'a FirstDivergence) -> Divergence<'a> {
    let both = [parting.base.as_ref(), parting.now.as_ref()];
    // Until the earlier of the two, both have seen the same; one side may have kept no log of it.
    let first = both.into_iter().flatten().min_by_key(|step| step.time_us);
    let seen = both.into_iter().flatten().find_map(|step| {
        step.seen.as_ref().filter(|_| Some(step.time_us) == first.map(|step| step.time_us))
    });
    let about = about(both);
    let decided = |name, step: Option<&'a EventLogEntry>| decided(name, step, &about);
    Divergence {
        policy: verdicts.policy,
        scenario: verdicts.scenario,
        seed: parting.seed,
        agreed: parting.agreed,
        parted: parting.parted,
        sides: sides(parting, first),
        seen: seen.map(sight),
        decided: [decided("baseline", both[0]), decided("now", both[1])],
        caution: parting.caution.as_deref(),
    }
}

/// The sides that are known. If both were looked up, an end is one too.
fn sides<'a>(
    parting: &'a FirstDivergence,
    first: Option<&EventLogEntry>,
) -> Vec<DivergentSide<'a>> {
    let (base, now) = (parting.base.as_ref(), parting.now.as_ref());
    let exact =
        parting.parted == parting.agreed + 1 && (base.is_some() || parting.caution.is_none());
    let side = |name, step: Option<&'a EventLogEntry>| DivergentSide {
        name,
        step: step.map(|step| NextEntry {
            after: moment(step.at()),
            date: &step.date,
            what: &step.what,
        }),
        later: step.map(|step| step.time_us) > first.map(|step| step.time_us),
    };
    let name = if base.is_some() || exact { "now" } else { "now, from there on" };
    let known = [("baseline", base), (name, now)].into_iter();
    known.filter(|(_, step)| step.is_some() || exact).map(|(name, step)| side(name, step)).collect()
}

/// The work that the steps are about; empty if that is not known. An instance is rented
/// for the work that it was chosen for.
fn about(both: [Option<&EventLogEntry>; 2]) -> Vec<&str> {
    let mut all = Vec::new();
    for step in both.into_iter().flatten() {
        all.extend(step.work.as_deref());
        let chosen = step.reasons.iter().filter(|one| step.work.is_none() && weight(one) == 0);
        all.extend(chosen.map(|reason| reason.work.as_str()));
    }
    all
}

fn decided<'a>(name: &'static str, step: Option<&'a EventLogEntry>, about: &[&str]) -> Decided<'a> {
    let all = step.map_or(&[][..], |step| &step.reasons).iter();
    let mut told: Vec<&EntryReason> =
        all.filter(|reason| about.is_empty() || about.contains(&reason.work.as_str())).collect();
    told.sort_by_key(|reason| weight(reason));
    let more = told.len().saturating_sub(MOST_REASONS);
    let why = |one: &&'a EntryReason| ReasonWords {
        after: moment(one.at()),
        work: &one.work,
        why: &one.why,
    };
    Decided { name, reasons: told.iter().take(MOST_REASONS).map(why).collect(), more }
}

/// Rank of a reason, from 0; what says most comes first: what was chosen, why work waits, what
/// would have cost how much, and then what was out of the question.
fn weight(reason: &EntryReason) -> u8 {
    match reason.why.as_str() {
        why if why.starts_with("waits: ") => 1,
        why if !why.contains(" not taken") => 0,
        why if why.contains(" not taken, expected cost ") => 2,
        _ => 3,
    }
}

fn moment(at: Time) -> String {
    (at - Time::ZERO).to_string()
}

fn sight(seen: &PolicyView) -> Sight<'_> {
    Sight {
        triggers: &seen.triggers,
        waiting: seen.waiting,
        queue: &seen.queue,
        running: seen.running,
        booting: seen.booting,
        free_cores: seen.free_cpu_milli as f64 / 1e3,
        free_memory_gib: seen.free_memory_mib as f64 / 1024.0,
        free_gpus: seen.free_gpu_milli as f64 / 1e3,
    }
}
