//! Measures of every run of an experiment.

use std::ops::ControlFlow;

use super::fact::{Fact, FactObserver};
use super::{Collector, Fingerprint, Laws, RentWatch, Series};
use crate::model::World;
use crate::policy::queue::Queue;
use crate::policy::{Policy, Trigger};
use crate::sim::{Failure, Observer, Options, Outcome, RunProgress, run_observed};
use crate::state::{Record, StartPromise, State, WorkRef};
use crate::units::{Span, Time};
use crate::workload::Source;

/// The names of tenants, which only the state knows.
#[derive(Debug, Default)]
pub struct TenantNames(Vec<String>);

impl TenantNames {
    /// The names, by row of the tenant; empty before the run has ended.
    pub fn names(&self) -> &[String] {
        &self.0
    }
}

impl Observer for TenantNames {
    fn ends(&mut self, state: &State<'_>) {
        self.0 = state.book().tenants().rows().iter().map(|tenant| tenant.name.clone()).collect();
    }
}

/// The observers of a whole run: numbers, numbers over time, laws, the event hash, work that cannot
/// be rented for, and names of tenants.
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
    /// `others` are not called if they watch nothing.
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
        let mut watched = Watched { others: others.watches().then_some(others), measures: self };
        run_observed(world, source, policy, options, &mut watched, control)
    }
}

/// The measures, and the others that watch the same run, as one observer. What a record names is
/// looked up once for all measures; a measure is called where it has something to do.
struct Watched<'o> {
    measures: &'o mut Measures,
    others: Option<&'o mut dyn Observer>,
}

impl Observer for Watched<'_> {
    fn begins(&mut self, state: &State<'_>) {
        self.measures.collector.begins(state);
        self.measures.series.begins(state);
        self.measures.laws.begins(state);
        self.measures.fingerprint.begins(state);
        self.others.begins(state);
    }

    #[inline(always)]
    fn elapse(&mut self, state: &State<'_>, from: Time, to: Time) {
        self.measures.collector.elapse(state, from, to);
        self.measures.series.elapse(state, from, to);
        self.measures.laws.elapse(state, from, to);
        self.others.elapse(state, from, to);
    }

    #[inline(always)]
    fn asks(&mut self, state: &State<'_>, triggers: &[Trigger]) {
        self.measures.laws.asks(state, triggers);
        self.others.asks(state, triggers);
    }

    #[inline(always)]
    fn decided(&mut self, state: &State<'_>, queue: Option<&Queue>) {
        self.measures.laws.decided(state, queue);
        self.others.decided(state, queue);
    }

    fn neglected(&mut self, state: &State<'_>, work: WorkRef) {
        self.measures.laws.neglected(state, work);
        self.others.neglected(state, work);
    }

    #[inline(always)]
    fn record(&mut self, state: &State<'_>, record: &Record) {
        let fact = Fact::of(state, record);
        let Measures { collector, series, laws, fingerprint, rents, tenants: _ } = self.measures;
        collector.see(state, fact);
        series.see(state, fact);
        laws.see(state, fact);
        fingerprint.see(state, fact);
        rents.see(state, fact);
        self.others.record(state, record);
    }

    fn promised(&mut self, state: &State<'_>, work: WorkRef, promise: StartPromise) {
        self.measures.laws.promised(state, work, promise);
        self.others.promised(state, work, promise);
    }

    fn planned(&mut self, state: &State<'_>) {
        self.measures.laws.planned(state);
        self.others.planned(state);
    }

    fn undone(&mut self, state: &State<'_>, work: WorkRef, left: Option<Span>) {
        self.measures.collector.undone(state, work, left);
        self.others.undone(state, work, left);
    }

    fn ends(&mut self, state: &State<'_>) {
        self.measures.collector.ends(state);
        self.measures.series.ends(state);
        self.measures.laws.ends(state);
        self.measures.tenants.ends(state);
        self.others.ends(state);
    }
}
