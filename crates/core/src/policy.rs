//! The policy contract: triggers and a turn; and the composed policy, which
//! answers one question per part.

pub mod admit;
pub mod backfill;
pub mod cap;
pub mod checkpoint;
mod compat;
pub mod composed;
mod due;
pub mod external;
mod factory;
mod migrate;
pub mod order;
pub mod place;
pub mod preempt;
pub mod provision;
pub mod queue;
pub mod release;
pub mod scope;
pub mod recover;
pub mod shift;
pub mod spec;
pub mod spot;
mod start;
mod turn;

pub use compat::RlScheduler;
pub use composed::Composed;
pub use factory::PolicyFactory;
pub use turn::{Trigger, Turn};

use crate::model::{Offer, World};
use crate::state::{AllocationRef, CheckpointPlan, Needs, Record, State};
use crate::units::Id;
use external::{ExternalPolicy, Launcher, NoLauncher};
use queue::Queue;
use spec::{Compatibility, PolicyPart};

/// The policy that `spec` describes, where no other process decides: one that
/// should ends the run at its first decision.
pub fn build(spec: &spec::PolicySpec) -> Box<dyn Policy> {
    build_with(spec, &NoLauncher)
}

/// The policy that `spec` describes, or that its factory makes; `launcher` starts what decides for
/// it in other processes.
/// A decider that cannot be started ends the run at its first decision.
pub fn build_with(spec: &spec::PolicySpec, launcher: &dyn Launcher) -> Box<dyn Policy> {
    if let Some(factory) = &spec.factory {
        return factory.make();
    }
    if let Some(who) = spec.external.get(&PolicyPart::Whole) {
        return Box::new(ExternalPolicy::new(who, &spec.name, launcher));
    }
    match spec.compatibility {
        None => Box::new(Composed::new(spec, launcher)),
        Some(Compatibility::RlScheduler { backfill }) => Box::new(RlScheduler::new(spec, backfill)),
    }
}

/// Decides. Sees only what an operator could see at that moment.
pub trait Policy {
    /// Bookkeeping that the state must do for it; asked once, before the run. Return `place.needs()`
    /// of the place parts that you call: [`place::Fit::best`] looks for the least that is left in the
    /// order of the index, which is by age where nothing else is asked for. A built-in part that
    /// meets another order gives up: see [`Turn::give_up`].
    fn needs(&self) -> Needs {
        Needs::default()
    }

    /// Whether the policy may ever have an instance of `offer`; asked once, before the run. Even
    /// spreads count the zones of these alone.
    fn uses(&mut self, world: &World, offer: Id<Offer>) -> bool {
        let _ = (world, offer);
        true
    }

    /// Queue of the policy, if it keeps one of ours: in every run it holds the work that waits in
    /// the state, whenever time moves on.
    fn queue(&self) -> Option<&Queue> {
        None
    }

    /// Whether windtunnel decides all of it: then work that is left waiting beside free resources
    /// is a fault of windtunnel.
    fn is_built_in(&self) -> bool {
        false
    }

    /// When the tasks of `allocation` write checkpoints. Asked when they start, of work that can.
    fn checkpoints(&mut self, state: &State<'_>, allocation: AllocationRef) -> CheckpointPlan {
        let _ = (state, allocation);
        CheckpointPlan::default()
    }

    /// Hears what happened, just before the next decision or while the last one takes effect.
    /// Called if [`Needs::follows`] is set, for all that observers see but charges; progress in a
    /// record is the truth, which no decision may follow.
    fn record(&mut self, state: &State<'_>, record: &Record) {
        let _ = (state, record);
    }

    /// Asked once per instant at which anything happened, with the list of
    /// what did, and again while its own actions make more happen.
    fn decide(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>);
}
