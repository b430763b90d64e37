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
    why: String,
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
        let chosen = step.reasons.iter().filter(|one| step.work.is_none() && one.rank() == 0);
        all.extend(chosen.map(|reason| reason.work.as_str()));
    }
    all
}

fn decided<'a>(name: &'static str, step: Option<&'a EventLogEntry>, about: &[&str]) -> Decided<'a> {
    let all = step.map_or(&[][..], |step| &step.reasons).iter();
    let mut told: Vec<&EntryReason> =
        all.filter(|reason| about.is_empty() || about.contains(&reason.work.as_str())).collect();
    told.sort_by_key(|reason| reason.rank());
    let mut folded: Vec<Folded<'a>> = Vec::new();
    for reason in told {
        let (offer, zone, rest) = parted(&reason.why);
        let known = folded.iter_mut().find(|one| {
            zone.is_some()
                && (&one.offer, one.rest, &one.reason.work) == (&offer, rest, &reason.work)
                && one.reason.time_us == reason.time_us
        });
        match known {
            Some(known) => known.zones.extend(zone),
            None => {
                folded.push(Folded { reason, offer, zones: zone.into_iter().collect(), rest });
            }
        }
    }
    let more = folded.len().saturating_sub(MOST_REASONS);
    Decided { name, reasons: folded.iter().take(MOST_REASONS).map(Folded::words).collect(), more }
}

/// One reason against the same offer in some zones, or any other reason.
struct Folded<'a> {
    reason: &'a EntryReason,
    /// The offer without its zone; empty of other reasons.
    offer: String,
    zones: Vec<&'a str>,
    rest: &'a str,
}

impl<'a> Folded<'a> {
    fn words(&self) -> ReasonWords<'a> {
        let why = match &self.zones[..] {
            [] | [_] => self.reason.why.clone(),
            [first, ..] => {
                format!("{} in {} zones ({first}, ...){}", self.offer, self.zones.len(), self.rest)
            }
        };
        ReasonWords { after: moment(self.reason.at()), work: &self.reason.work, why }
    }
}

/// The offer without its zone, its zone, and the rest of a reason against one: `provider/zone/type/market`
/// of clouds. All of any other reason is rest.
fn parted(why: &str) -> (String, Option<&str>, &str) {
    let offer = why.find(" not taken").map_or("", |at| &why[..at]);
    match offer.split('/').collect::<Vec<_>>()[..] {
        [provider, zone, kind, market] => {
            (format!("{provider}/{kind}/{market}"), Some(zone), &why[offer.len()..])
        }
        _ => (String::new(), None, why),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_chosen_comes_first_and_zones_are_folded() {
        let reason = |why: &str| EntryReason { time_us: 0, work: "j".into(), why: why.into() };
        let mut reasons = vec![reason("190 offers not taken: not among what the policy rents")];
        for zone in ["a", "b", "c"] {
            let why = format!(
                "aws/{zone}/big/spot not taken, expected cost $2.00 for 1 instance: the policy prefers another offer"
            );
            reasons.push(reason(&why));
        }
        reasons.push(reason("aws/a/small/spot chosen, expected cost $1.00 for 1 instance"));
        let entry = EventLogEntry {
            record: 1,
            time_us: 0,
            date: String::new(),
            what: String::new(),
            work: Some("j".into()),
            seen: None,
            reasons,
        };
        let told = decided("now", Some(&entry), &["j"]);
        let told: Vec<&str> = told.reasons.iter().map(|one| one.why.as_str()).collect();
        assert_eq!(
            told,
            [
                "aws/a/small/spot chosen, expected cost $1.00 for 1 instance",
                "aws/big/spot in 3 zones (a, ...) not taken, expected cost $2.00 for 1 instance: the policy prefers another offer",
                "190 offers not taken: not among what the policy rents",
            ]
        );
    }
}
