//! When a run begins on the clock of its workload.

use crate::model::{Interner, Work};
use crate::problem::Problems;
use crate::units::{Calendar, Span, Time};

use super::{OpenContext, Transform, WorkloadSpec};

impl WorkloadSpec {
    /// Time from time zero of its trace to the beginning of the run.
    pub fn begins(&self) -> Span {
        let begins = |step: &Transform| match step {
            Transform::Begin(span) => *span,
            _ => Span::ZERO,
        };
        self.transforms.iter().map(begins).fold(Span::ZERO, |sum, one| sum + one)
    }

    /// The calendar of the trace, where `run` is the calendar of the run.
    pub(super) fn clock(&self, run: Calendar) -> Calendar {
        Calendar::from_unix_micros(run.unix_micros(Time::ZERO - self.begins()))
    }

    /// Arrival of the first work; `None` without work.
    ///
    /// # Errors
    /// Problems of the specification, or of the input that is read until then.
    pub fn first_arrival(&self, context: &OpenContext) -> Result<Option<Time>, Problems> {
        let mut source = self.open(context)?;
        let mut work = Work::default();
        let found = source.next(&mut Interner::default(), &mut work)?;
        Ok(found.then_some(work.arrival))
    }

    /// Time from time zero of the trace to the beginning of a run that is to begin with its first
    /// arrival. Zero where the transformations say when work arrives, and where work arrives before
    /// time zero.
    pub fn late_beginning(&self, context: &OpenContext) -> Span {
        let placed = |step: &Transform| match step {
            Transform::Window { from, shift, .. } => *shift && *from > Time::ZERO,
            Transform::Shift(_) | Transform::Begin(_) | Transform::Inflate { .. } => true,
            _ => false,
        };
        if self.input.trace().is_none() || self.transforms.iter().any(placed) {
            return Span::ZERO;
        }
        // A problem in reading is reported when the trace is read for a run.
        let first = self.first_arrival(context).ok().flatten().unwrap_or(Time::ZERO);
        (first - Time::ZERO).max(Span::ZERO)
    }
}
