//! When a run begins on the clock of its workload.

use crate::model::{Interner, Work};
use crate::problem::Problem;
use crate::units::{Calendar, Span, Time};

use super::{OpenContext, Transform, WorkloadSpec};

impl WorkloadSpec {
    /// How long after time zero of its trace the run begins.
    pub fn begins(&self) -> Span {
        let begins = |step: &Transform| match step {
            Transform::Begin(span) => *span,
            _ => Span::ZERO,
        };
        self.transforms.iter().map(begins).fold(Span::ZERO, |sum, one| sum + one)
    }

    /// The calendar of the trace, of which that of the run is `run`.
    pub(super) fn clock(&self, run: Calendar) -> Calendar {
        Calendar::from_unix_micros(run.unix_micros(Time::ZERO - self.begins()))
    }

    /// When the first work arrives; none without work.
    ///
    /// # Errors
    /// What is wrong with the specification, or with what is read until then.
    pub fn first_arrival(&self, context: &OpenContext) -> Result<Option<Time>, Vec<Problem>> {
        let mut source = self.open(context)?;
        let mut work = Work::default();
        let found = source.next(&mut Interner::default(), &mut work).map_err(|one| vec![one])?;
        Ok(found.then_some(work.arrival))
    }

    /// How long after time zero of the trace a run of it begins that is to
    /// begin with its first arrival. Not at all where the transformations say
    /// when work arrives, and where work arrives before time zero.
    pub fn late_beginning(&self, context: &OpenContext) -> Span {
        let placed = |step: &Transform| match step {
            Transform::Window { from, shift, .. } => *shift && *from > Time::ZERO,
            Transform::Shift(_) | Transform::Begin(_) | Transform::Inflate { .. } => true,
            _ => false,
        };
        if self.input.trace().is_none() || self.transforms.iter().any(placed) {
            return Span::ZERO;
        }
        // What cannot be read is told when it is read for a run.
        let first = self.first_arrival(context).ok().flatten().unwrap_or(Time::ZERO);
        (first - Time::ZERO).max(Span::ZERO)
    }
}
