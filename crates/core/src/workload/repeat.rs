//! A workload several times over.

use crate::model::{Interner, Work};
use crate::problem::{Problem, Problems};
use crate::units::{Span, Time};

use super::transform::{move_to, out_of_reach};
use super::{BoxedSource, RowNotes, Source};

/// Opens the workload that is repeated.
pub(super) type Reopen = Box<dyn Fn() -> Result<BoxedSource, Problems> + Send>;

/// Reads a source several times, each time later.
pub(super) struct Repeat {
    open: Reopen,
    inner: BoxedSource,
    times: u32,
    period: Option<Span>,
    /// Repetitions done, and the amounts that they add to arrivals and source numbers.
    done: u32,
    shift: Span,
    sources: u32,
    count: u64,
    first: Time,
    last: Time,
    /// Skipped rows of the first repetition; the others say the same.
    skipped: Option<(u64, RowNotes, Vec<Problem>)>,
}

impl Repeat {
    pub(super) fn new(open: Reopen, times: u32, period: Option<Span>) -> Result<Self, Problems> {
        let inner = open()?;
        Ok(Self {
            open,
            inner,
            times,
            period,
            done: 0,
            shift: Span::ZERO,
            sources: 1,
            count: 0,
            first: Time::ZERO,
            last: Time::ZERO,
            skipped: None,
        })
    }

    /// Counts a piece of work of the first repetition.
    fn note(&mut self, work: &Work) {
        if self.count == 0 {
            self.first = work.arrival;
        }
        self.count += 1;
        self.sources = self.sources.max(work.id.source.saturating_add(1));
    }

    /// The shift from one repetition to the next.
    fn period(&self) -> Result<Span, Problem> {
        if let Some(period) = self.period {
            return Ok(period);
        }
        let span = self.last - self.first;
        match i64::try_from(self.count).unwrap_or(i64::MAX) {
            ..=1 => {
                Err(Problem::with("workload", "repeat: one piece of work has no span to repeat")
                    .hint("give a `period`"))
            }
            count => Ok(span + Span::from_micros(span.micros() / (count - 1))),
        }
    }

    /// Starts the next repetition; `false` when there is none.
    fn again(&mut self) -> Result<bool, Problem> {
        if self.skipped.is_none() {
            let problems = self.inner.skips().to_vec();
            self.skipped = Some((self.inner.skipped(), self.inner.notes(), problems));
        }
        self.done += 1;
        if self.done >= self.times || self.count == 0 {
            return Ok(false);
        }
        // Measured once, at the end of the first repetition.
        let period = self.period()?;
        self.period = Some(period);
        let shift = self.shift.micros().checked_add(period.micros());
        self.shift = Span::from_micros(shift.ok_or_else(|| out_of_reach("repeat"))?);
        self.inner = (self.open)().map_err(|problems| problems[0].clone())?;
        Ok(true)
    }
}

impl Source for Repeat {
    fn next(&mut self, book: &mut Interner, work: &mut Work) -> Result<bool, Problem> {
        while !self.inner.next(book, work)? {
            if self.done >= self.times || !self.again()? {
                return Ok(false);
            }
        }
        if self.done == 0 {
            self.note(work);
        } else {
            let source = self.done.checked_mul(self.sources);
            let source = source.and_then(|source| source.checked_add(work.id.source));
            work.id.source = source.ok_or_else(|| out_of_reach("repeat"))?;
            let arrival = work.arrival.saturating_add(self.shift);
            if arrival < self.last {
                let message = "repeat: the period is shorter than the workload";
                return Err(Problem::with("workload", message));
            }
            move_to(work, arrival)?;
        }
        self.last = work.arrival;
        Ok(true)
    }

    fn skipped(&self) -> u64 {
        self.skipped.as_ref().map_or_else(|| self.inner.skipped(), |(skipped, ..)| *skipped)
    }

    fn notes(&self) -> RowNotes {
        self.skipped.as_ref().map_or_else(|| self.inner.notes(), |(_, notes, _)| *notes)
    }

    fn skips(&self) -> &[Problem] {
        self.skipped.as_ref().map_or_else(|| self.inner.skips(), |(.., problems)| problems)
    }
}
