//! The phases of a wait: spans in which one cause held, and how much of the wait each
//! covers. The longest are told.

use serde::Serialize;

use super::clock::{RunClock, length};
use super::others::{Meanwhile, Others};
use super::wait::{JobStep, WaitSpan};
use windtunnel::state::WaitReason;
use windtunnel::units::{Span, Time};

/// Phases that are told.
pub(super) const TOLD: usize = 5;

/// Cause of the wait in a phase.
#[derive(Clone, Debug, PartialEq, Eq)]
enum WaitCause {
    /// Others were before it in the queue.
    Turn,
    /// No other job was before it; the reason, and the job that held the most.
    Next(WaitReason, Option<String>),
}

/// A span in which one cause held.
#[derive(Debug)]
pub(super) struct WaitPhase<'s> {
    cause: WaitCause,
    /// Spans that were written of it, in order: one after the other without a gap.
    waits: Vec<&'s WaitSpan>,
}

/// A phase as `--json` gives it.
#[derive(Debug, Serialize)]
pub(super) struct PhaseJson {
    from_s: f64,
    until_s: f64,
    /// Part of the whole wait, from 0 to 1.
    share: f64,
    cause: &'static str,
    started_before: u64,
    started_after: u64,
    text: String,
}

/// The phases of `steps`: neighbours with one cause are one, but where the job was next and machines or GPUs
/// failed or worked again.
pub(super) fn phases(steps: &[JobStep]) -> Vec<WaitPhase<'_>> {
    let mut phases: Vec<WaitPhase<'_>> = Vec::new();
    for wait in steps.iter().filter_map(JobStep::wait) {
        let cause = WaitCause::of(wait);
        match phases.last_mut() {
            Some(last)
                if last.cause == cause && last.until() == wait.from && last.is_alike(wait) =>
            {
                last.waits.push(wait);
            }
            Some(_) | None => phases.push(WaitPhase { cause, waits: vec![wait] }),
        }
    }
    phases
}

/// The longest phases, in order, and the length and number of all others.
pub(super) fn longest(mut phases: Vec<WaitPhase<'_>>) -> (Vec<WaitPhase<'_>>, Span, usize) {
    phases.sort_by_key(|phase| (std::cmp::Reverse(phase.span()), phase.from()));
    let rest = phases.split_off(phases.len().min(TOLD));
    phases.sort_by_key(WaitPhase::from);
    let left = rest.iter().map(WaitPhase::span).fold(Span::ZERO, |sum, one| sum + one);
    (phases, left, rest.len())
}

impl WaitCause {
    fn of(wait: &WaitSpan) -> Self {
        match wait.reason {
            WaitReason::Booting => Self::Next(WaitReason::Booting, None),
            _ if wait.ahead > 0 => Self::Turn,
            reason => Self::Next(reason, wait.holder().map(str::to_owned)),
        }
    }

    /// The cause in a few words.
    const fn name(&self) -> &'static str {
        match self {
            Self::Turn => "waiting for its turn",
            Self::Next(reason, _) => match reason {
                WaitReason::NoRoom => "next to start, without room for it",
                WaitReason::InOrder => "nobody may pass the first of the queue",
                WaitReason::Behind => "others were served first",
                WaitReason::Reserved => "held back for a promised start",
                WaitReason::OverflowLater => {
                    "next to start, without room for it, too early to rent"
                }
                WaitReason::NothingToRent => {
                    "next to start, without room for it and nothing to rent"
                }
                WaitReason::OverBudget => {
                    "next to start, without room for it and no budget to rent with"
                }
                WaitReason::Booting => "its instances booted",
                WaitReason::ForSpot => "its policy waited for spot",
                WaitReason::Shifted => "its policy held it until a better time",
                WaitReason::BackingOff => "its policy tried it again later",
                WaitReason::Stopped => "its instance was stopped",
                WaitReason::Unsaid => "for no reason that the policy gave",
            },
        }
    }
}

impl WaitPhase<'_> {
    pub(super) fn from(&self) -> Time {
        self.waits.first().map_or(Time::ZERO, |wait| wait.from)
    }

    pub(super) fn until(&self) -> Time {
        self.waits.last().map_or(Time::ZERO, |wait| wait.until)
    }

    pub(super) fn span(&self) -> Span {
        self.until() - self.from()
    }

    /// Whether as much had failed in its last span as in `wait`, where that matters.
    fn is_alike(&self, wait: &WaitSpan) -> bool {
        let last = self.waits.last().map(|last| last.condition());
        self.cause == WaitCause::Turn || last == Some(wait.condition())
    }

    /// Work that held something at its beginning.
    pub(super) fn holders(&self) -> impl Iterator<Item = &str> {
        self.waits.iter().flat_map(|wait| wait.holders())
    }

    /// Its waits, in order.
    pub(super) fn waits(&self) -> &[&WaitSpan] {
        &self.waits
    }

    /// Part of `all` that the phase lasts, from 0 to 1.
    fn share(&self, all: Span) -> f64 {
        self.span().micros() as f64 / all.micros().max(1) as f64
    }

    /// Head line of the phase: its length, its part of `all`, its time and its cause.
    pub(super) fn head(&self, all: Span, clock: RunClock) -> String {
        let share = match self.span() == all {
            true => String::new(),
            false => match (100.0 * self.share(all)).round() {
                0.0 => " (less than 1 %)".to_owned(),
                share => format!(" ({share} %)"),
            },
        };
        let (long, between) = (length(self.span()), clock.between(self.from(), self.until()));
        format!("{long}{share}, {between}: {}", self.cause.name())
    }

    /// Causes of the wait, in sentences.
    pub(super) fn sentences(
        &self,
        clock: RunClock,
        meanwhile: &Meanwhile,
        others: &Others,
    ) -> Vec<String> {
        let mut told = Vec::new();
        match self.cause {
            WaitCause::Turn => {
                told.extend(self.tell_queue());
                told.extend(self.tell_overtaking(clock, others));
                told.extend(meanwhile.sentence("Meanwhile", ""));
            }
            WaitCause::Next(reason, _) => {
                if let Some(first) = self.waits.first() {
                    told.extend(first.sentences(clock, others));
                }
                let lacked = match reason {
                    WaitReason::NoRoom
                    | WaitReason::OverflowLater
                    | WaitReason::NothingToRent
                    | WaitReason::OverBudget
                        if !others.preempts =>
                    {
                        ", in room that was too little for this one"
                    }
                    WaitReason::NoRoom
                    | WaitReason::OverflowLater
                    | WaitReason::NothingToRent
                    | WaitReason::OverBudget
                    | WaitReason::InOrder
                    | WaitReason::Behind
                    | WaitReason::Reserved
                    | WaitReason::Booting
                    | WaitReason::ForSpot
                    | WaitReason::Shifted
                    | WaitReason::BackingOff
                    | WaitReason::Stopped
                    | WaitReason::Unsaid => "",
                };
                if reason != WaitReason::Booting {
                    told.extend(meanwhile.sentence("Meanwhile", lacked));
                }
            }
        }
        told
    }

    /// Number of jobs that were before it, at first and at last.
    fn tell_queue(&self) -> Option<String> {
        let (first, last) = (self.waits.first()?, self.waits.last()?);
        let mut told = first.tell_ahead()?;
        if last.ahead != first.ahead {
            told += &format!(
                " Near the end {} {}.",
                last.ahead,
                if last.ahead == 1 { "was" } else { "were" }
            );
        }
        Some(told)
    }

    /// Reasons that it did not start before its turn, each with the time that it held, the longest
    /// first, as its longest span had it.
    fn tell_overtaking(&self, clock: RunClock, others: &Others) -> Vec<String> {
        let mut reasons: Vec<(WaitReason, Span, &WaitSpan)> = Vec::new();
        for &wait in &self.waits {
            let span = wait.until - wait.from;
            match reasons.iter_mut().find(|(reason, ..)| *reason == wait.reason) {
                Some((_, sum, longest)) => {
                    *sum += span;
                    if span > longest.until - longest.from {
                        *longest = wait;
                    }
                }
                None => reasons.push((wait.reason, span, wait)),
            }
        }
        reasons.sort_by_key(|&(_, sum, _)| std::cmp::Reverse(sum));
        let alone = reasons.len() == 1;
        let mut told = Vec::new();
        for (_, sum, wait) in reasons {
            let long = if alone { String::new() } else { format!("For {} ", length(sum)) };
            let when = match wait.from == self.from() {
                true => "At first".to_owned(),
                false if clock.calendar.is_some() => format!("At {}", clock.at(wait.from)),
                false => sentence(&clock.at(wait.from)),
            };
            let hurdle = sentence(&(long + &wait.hurdle(others)));
            let had =
                wait.had().map_or_else(String::new, |had| format!(" {when} {}.", lower(&had)));
            // The wanted resources are those of the first of the queue, the rest is told of this
            // job.
            told.push(match wait.barred_by() {
                Some(_) => format!("{} {hurdle}.", had.trim_start()),
                None => format!("{hurdle}.{had}"),
            });
            told.extend(wait.tell_more(clock, others));
        }
        told
    }

    pub(super) fn json(
        &self,
        all: Span,
        clock: RunClock,
        (meanwhile, others): (&Meanwhile, &Others),
    ) -> PhaseJson {
        PhaseJson {
            from_s: self.from().secs_f64(),
            until_s: self.until().secs_f64(),
            share: self.share(all),
            cause: self.cause.name(),
            started_before: meanwhile.before,
            started_after: meanwhile.after,
            text: self.sentences(clock, meanwhile, others).join(" "),
        }
    }
}

/// The words with a capital in front.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The words with a small letter in front.
fn lower(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
