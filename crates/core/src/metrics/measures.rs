//! What every run of an experiment is measured by.

use std::ops::ControlFlow;

use super::{Collector, Fingerprint, Laws, RentWatch, Series};
use crate::model::World;
use crate::policy::Policy;
use crate::sim::{Failure, Observer, Options, Outcome, RunProgress, run_observed};
use crate::state::State;
use crate::workload::Source;

/// The names of tenants, which only the state knows.
#[derive(Debug, Default)]
pub struct TenantNames(Vec<String>);

impl TenantNames {
    /// The names, by row of the tenant; none before the run has ended.
    pub fn names(&self) -> &[String] {
        &self.0
    }
}

impl Observer for TenantNames {
    fn ends(&mut self, state: &State<'_>) {
        self.0 = state.book().tenants().rows().iter().map(|tenant| tenant.name.clone()).collect();
    }
}

/// The observers of a whole run: numbers, numbers over time, laws, the event hash, and what the
/// numbers are told with.
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
    /// The work that the policy can and cannot rent for.
    pub rents: RentWatch,
    /// The names of the tenants.
    pub tenants: TenantNames,
}

impl Measures {
    /// Does a run that these watch, and then `others`: [`crate::sim::run`], compiled for them.
    /// Others that watch nothing are not called.
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
        let Self { collector, series, laws, fingerprint, rents, tenants } = self;
        let others = others.watches().then_some(others);
        let numbers = ((collector, series), (laws, fingerprint));
        let mut observers = (numbers, ((rents, tenants), others));
        run_observed(world, source, policy, options, &mut observers, control)
    }
}
