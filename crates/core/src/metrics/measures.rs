//! Measures of every run of an experiment.

use std::ops::ControlFlow;

use super::fact::{Fact, FactObserver};
use super::{Collector, Fingerprint, Laws, RentWatch, Series, SpendingTally};
use crate::model::{HeldCommitment, World};
use crate::policy::queue::Queue;
use crate::policy::{Policy, Trigger};
use crate::sim::{Failure, Observer, Options, Outcome, RunProgress, run_observed};
use crate::state::{Record, StartPromise, State, WorkRef};
use crate::units::{Span, Time};
use crate::workload::Source;

/// The names of tenants and of classes of work by their rows, which only the state knows; none before
/// the run has ended.
#[derive(Clone, Debug, Default)]
pub struct WorkNames {
    /// Tenants.
    pub tenants: Vec<String>,
    /// Classes of work; the first has no name.
    pub classes: Vec<String>,
}

impl WorkNames {
    /// The names of a state.
    pub fn of(state: &State<'_>) -> Self {
        let book = state.book();
        Self {
            tenants: book.tenants().rows().iter().map(|tenant| tenant.name.clone()).collect(),
            classes: book.classes().rows().iter().map(|class| class.name.clone()).collect(),
        }
    }
}

impl Observer for WorkNames {
    fn ends(&mut self, state: &State<'_>) {
        *self = Self::of(state);
    }
}

/// The observers of a whole run: numbers, numbers over time, laws, the event hash, work that cannot
/// be rented for, what was spent on what, and names of tenants and classes.
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
    /// What was spent.
    pub spending: SpendingTally,
    /// The names of the tenants and classes.
    pub names: WorkNames,
}

impl Measures {
    /// Does a run that these watch, and then `others`, in this order: [`crate::sim::run`], compiled
    /// for them. Those of the others that watch nothing are not called.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn run(
        &mut self,
        world: &World,
        source: &mut dyn Source,
        policy: &mut dyn Policy,
        options: &Options,
        mut others: Vec<&mut dyn Observer>,
        control: &mut dyn FnMut(RunProgress) -> ControlFlow<()>,
    ) -> Result<Outcome, Failure> {
        others.retain(|other| other.watches());
        let mut watched = Watched { measures: self, others };
        run_observed(world, source, policy, options, &mut watched, control)
    }
}

/// The measures, and the others that watch the same run, as one observer. What a record names is
/// looked up once for all measures; a measure is called where it has something to do.
struct Watched<'m, 'o> {
    measures: &'m mut Measures,
    others: Vec<&'o mut dyn Observer>,
}

impl Watched<'_, '_> {
    /// Hands a record to the others: a copy, so that a record which only measures see need not lie in
    /// memory.
    #[inline(never)]
    fn tell(&mut self, state: &State<'_>, record: Record) {
        self.others.iter_mut().for_each(|other| other.record(state, &record));
    }
}

impl Observer for Watched<'_, '_> {
    fn begins(&mut self, state: &State<'_>) {
        self.measures.collector.begins(state);
        self.measures.series.begins(state);
        self.measures.laws.begins(state);
        self.measures.fingerprint.begins(state);
        self.others.iter_mut().for_each(|other| other.begins(state));
    }

    #[inline(always)]
    fn elapse(&mut self, state: &State<'_>, from: Time, to: Time) {
        self.measures.collector.elapse(state, from, to);
        self.measures.series.elapse(state, from, to);
        self.measures.laws.elapse(state, from, to);
        self.others.iter_mut().for_each(|other| other.elapse(state, from, to));
    }

    fn bought(&mut self) -> Vec<HeldCommitment> {
        self.others.iter_mut().flat_map(|other| other.bought()).collect()
    }

    #[inline(always)]
    fn asks(&mut self, state: &State<'_>, triggers: &[Trigger]) {
        self.measures.laws.asks(state, triggers);
        self.others.iter_mut().for_each(|other| other.asks(state, triggers));
    }

    #[inline(always)]
    fn decided(&mut self, state: &State<'_>, queue: Option<&Queue>) {
        self.measures.laws.decided(state, queue);
        self.others.iter_mut().for_each(|other| other.decided(state, queue));
    }

    fn neglected(&mut self, state: &State<'_>, work: WorkRef) {
        self.measures.laws.neglected(state, work);
        self.others.iter_mut().for_each(|other| other.neglected(state, work));
    }

    #[inline(always)]
    fn record(&mut self, state: &State<'_>, record: &Record) {
        let fact = Fact::of(state, record);
        let Measures { collector, series, laws, fingerprint, rents, spending, names: _ } =
            self.measures;
        collector.see(state, fact);
        series.see(state, fact);
        laws.see(state, fact);
        fingerprint.see(state, fact);
        rents.see(state, fact);
        spending.see(state, fact);
        if !self.others.is_empty() {
            self.tell(state, *record);
        }
    }

    fn promised(&mut self, state: &State<'_>, work: WorkRef, promise: StartPromise) {
        self.measures.laws.promised(state, work, promise);
        self.others.iter_mut().for_each(|other| other.promised(state, work, promise));
    }

    fn planned(&mut self, state: &State<'_>) {
        self.measures.laws.planned(state);
        self.others.iter_mut().for_each(|other| other.planned(state));
    }

    fn undone(&mut self, state: &State<'_>, work: WorkRef, left: Option<Span>) {
        self.measures.collector.undone(state, work, left);
        self.others.iter_mut().for_each(|other| other.undone(state, work, left));
    }

    fn ends(&mut self, state: &State<'_>) {
        self.measures.collector.ends(state);
        self.measures.series.ends(state);
        self.measures.laws.ends(state);
        self.measures.names.ends(state);
        self.others.iter_mut().for_each(|other| other.ends(state));
    }
}
