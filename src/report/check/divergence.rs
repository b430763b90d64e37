//! Where a run first parts from its baseline, step by step.

use super::{Parting, Verdicts};
use crate::experiment::{Reason, Seen, Step};
use crate::report::figure::{amount, clean, count};
use crate::units::Time;

/// Most reasons that are shown of either side.
const MOST_REASONS: usize = 10;

/// Where a run parts from its baseline: a title, and lines indented below it.
pub(super) fn parting_words(verdicts: &Verdicts<'_>, parting: &Parting) -> Vec<String> {
    let who = format!("{} in {}", clean(verdicts.policy), clean(verdicts.scenario));
    let mut lines = vec![format!("First divergence: {who}, seed {}", parting.seed)];
    let agreed = match parting.agreed {
        1 => "the first record agrees".to_owned(),
        agreed => format!("the first {} records agree", count(agreed)),
    };
    let first = count(parting.agreed + 1);
    lines.push(match parting.parted - parting.agreed {
        1 => format!("  {agreed}; they part at record {first}"),
        _ => format!(
            "  {agreed}; they part somewhere in records {first} to {}",
            count(parting.parted)
        ),
    });
    let (base, now) = (parting.base.as_ref(), parting.now.as_ref());
    // Where both sides were looked up, an end is one too.
    let exact =
        parting.parted == parting.agreed + 1 && (base.is_some() || parting.caution.is_none());
    let earlier = [base, now].into_iter().flatten().map(|step| step.time_us).min();
    let side = |name: &str, step: Option<&Step>| match step {
        Some(step) if Some(step.time_us) > earlier => {
            step_words(&format!("{name}: nothing then; next"), step)
        }
        Some(step) => step_words(&format!("{name}:"), step),
        None => format!("  {name}: nothing, the run is over"),
    };
    if base.is_some() || exact {
        lines.push(side("baseline", base));
    }
    if now.is_some() || exact {
        lines.push(side(if base.is_some() || exact { "now" } else { "now, from there on" }, now));
    }
    // Until the earlier of the two, both have seen the same.
    let first = [base, now].into_iter().flatten().min_by_key(|step| step.time_us);
    if let Some(seen) = first.and_then(|step| step.seen.as_ref()) {
        lines.push(format!("  seen: {}", seen_words(seen)));
    }
    let both = || [base, now].into_iter().flatten();
    // An instance is rented for the work that it was chosen for.
    let chosen = |step: &'_ Step| -> Vec<String> {
        let chosen = step.reasons.iter().filter(|reason| weight(reason) == 0);
        chosen.map(|reason| reason.work.clone()).collect()
    };
    let about: Vec<String> = both()
        .flat_map(|step| step.work.clone().map_or_else(|| chosen(step), |one| vec![one]))
        .collect();
    for (name, step) in [("baseline", base), ("now", now)] {
        let reasons = step.map_or(&[][..], |step| &step.reasons);
        let mut told: Vec<_> = reasons
            .iter()
            .filter(|reason| about.is_empty() || about.contains(&reason.work))
            .collect();
        told.sort_by_key(|reason| weight(reason));
        let left_out = told.len().saturating_sub(MOST_REASONS);
        told.truncate(MOST_REASONS);
        lines.extend(told.iter().map(|reason| {
            let (work, why) = (clean(&reason.work), clean(&reason.why));
            format!("    {name}, after {}: {work}: {why}", moment(reason.at()))
        }));
        if left_out > 0 {
            lines.push(format!("    {name}: and {} more", count(left_out as u64)));
        }
    }
    lines.extend(parting.caution.iter().map(|caution| format!("  {}", clean(caution))));
    lines
}

/// What says most comes first: what was chosen, why work waits, what would have cost
/// how much, and then what was out of the question.
fn weight(reason: &Reason) -> u8 {
    match reason.why.as_str() {
        why if why.starts_with("waits: ") => 1,
        why if !why.contains(" not taken") => 0,
        why if why.contains(" not taken, expected cost ") => 2,
        _ => 3,
    }
}

fn step_words(name: &str, step: &Step) -> String {
    let (what, date) = (clean(&step.what), clean(&step.date));
    format!("  {name} after {} ({date}): {what}", moment(step.at()))
}

fn moment(at: Time) -> String {
    (at - Time::ZERO).to_string()
}

fn seen_words(seen: &Seen) -> String {
    let mut queue: Vec<String> = seen.queue.iter().map(|name| clean(name)).collect();
    if seen.waiting > queue.len() as u64 {
        queue.push("...".to_owned());
    }
    let queue = if queue.is_empty() { String::new() } else { format!(" ({})", queue.join(", ")) };
    format!(
        "{}; {} waiting{queue}; {} instances running, {} booting; free: {} cores, {} GiB, {} GPUs",
        clean(&seen.triggers),
        count(seen.waiting),
        count(seen.running),
        count(seen.booting),
        amount(seen.free_cpu_milli as f64 / 1e3),
        amount(seen.free_memory_mib as f64 / 1024.0),
        amount(seen.free_gpu_milli as f64 / 1e3)
    )
}
