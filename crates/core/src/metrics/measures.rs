//! What every run of an experiment is measured by.

use std::ops::ControlFlow;

use super::{Collector, Fingerprint, Laws, Series};
use crate::model::World;
use crate::policy::Policy;
use crate::sim::{Failure, Observer, Options, Outcome, RunProgress, run_observed};
use crate::workload::Source;

/// The observers of a whole run: numbers, numbers over time, laws and the event hash.
#[derive(Debug, Default)]
pub struct Measures {
    /// The numbers.
    pub collector: Collector,
    /// The numbers over time.
    pub series: Series,
    /// The laws that the run must keep.
    pub laws: Laws,
    /// The event hash.
    pub fingerprint: Fingerprint,
}

impl Measures {
    /// Does a run that these watch, and then `others`: [`crate::sim::run`], compiled for them.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn run(
        &mut self,
        world: &World,
        source: &mut dyn Source,
        policy: &mut dyn Policy,
        options: &Options,
        others: &mut dyn Observer,
        control: &mut dyn FnMut(RunProgress) -> ControlFlow<()>,
    ) -> Result<Outcome, Failure> {
        let Self { collector, series, laws, fingerprint } = self;
        let mut observers = (((collector, series), (laws, fingerprint)), others);
        run_observed(world, source, policy, options, &mut observers, control)
    }
}
