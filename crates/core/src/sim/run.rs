//! A run, put together step by step.

use std::fmt;
use std::ops::ControlFlow;

use super::{Failure, Observer, Options, Outcome, RunProgress, run};
use crate::model::World;
use crate::policy::spec::PolicySpec;
use crate::policy::{self, Policy};
use crate::units::Time;
use crate::workload::Source;

/// Progress of a run, to which the answer says whether it goes on.
type Control<'r> = dyn FnMut(RunProgress) -> ControlFlow<()> + 'r;

/// A run: a world, work and a policy. See the front page of the crate for an example.
///
/// If nothing else is said, work is served first come, first served on what is owned, with seed 1,
/// until all of it is done, and nobody watches.
#[must_use = "nothing happens before `run`"]
pub struct Run<'r, O = ()> {
    world: &'r World,
    source: &'r mut dyn Source,
    policy: Option<&'r mut dyn Policy>,
    options: Options,
    observer: O,
    control: Option<&'r mut Control<'r>>,
}

impl<O: fmt::Debug> fmt::Debug for Run<'_, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { options, observer, .. } = self;
        f.debug_struct("Run")
            .field("options", options)
            .field("observer", observer)
            .finish_non_exhaustive()
    }
}

impl<'r> Run<'r> {
    /// A run of the work of `source` in `world`.
    pub fn new(world: &'r World, source: &'r mut dyn Source) -> Self {
        let options = Options::default();
        Run { world, source, policy: None, options, observer: (), control: None }
    }
}

impl<'r, O: Observer> Run<'r, O> {
    /// The policy that decides.
    pub fn policy(self, policy: &'r mut dyn Policy) -> Self {
        Self { policy: Some(policy), ..self }
    }

    /// All options at once: seed, horizon, limits.
    pub fn options(self, options: Options) -> Self {
        Self { options, ..self }
    }

    /// Seed of every random stream.
    pub fn seed(mut self, seed: u64) -> Self {
        self.options.seed = seed;
        self
    }

    /// Stops then, if the work is not done before.
    pub fn horizon(mut self, horizon: Time) -> Self {
        self.options.horizon = Some(horizon);
        self
    }

    /// Adds an observer, after those that watch already.
    pub fn observe<W: Observer>(self, observer: &'r mut W) -> Run<'r, (O, &'r mut W)> {
        let Self { world, source, policy, options, observer: others, control } = self;
        Run { world, source, policy, options, observer: (others, observer), control }
    }

    /// Called at the first event and now and then with the progress; may stop the run.
    pub fn control(self, control: &'r mut Control<'r>) -> Self {
        Self { control: Some(control), ..self }
    }

    /// Does the run.
    ///
    /// # Errors
    /// See [`Failure`]. Nothing is wrong with what was observed until then.
    pub fn run(self) -> Result<Outcome, Failure> {
        let Self { world, source, policy, options, mut observer, control } = self;
        let mut plain;
        let policy = match policy {
            Some(policy) => policy,
            None => {
                plain = policy::build(&PolicySpec::named("fcfs"));
                &mut *plain
            }
        };
        let mut go_on = |_: RunProgress| ControlFlow::Continue(());
        let control: &mut Control<'_> = match control {
            Some(control) => control,
            None => &mut go_on,
        };
        run(world, source, policy, &options, &mut observer, control)
    }
}
