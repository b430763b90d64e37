//! The policy contract: triggers and a turn; and the composed policy, which
//! answers one question per part.

pub mod backfill;
mod compat;
pub mod composed;
mod order;
pub mod place;
mod preempt;
pub mod provision;
pub mod queue;
pub mod spec;
mod turn;

pub use compat::RlScheduler;
pub use composed::Composed;
pub use turn::{Trigger, Turn};

use crate::state::Needs;
use spec::Compatibility;

/// The policy that `spec` describes.
pub fn build(spec: &spec::PolicySpec) -> Box<dyn Policy> {
    match spec.compatibility {
        None => Box::new(Composed::new(spec)),
        Some(Compatibility::RlScheduler { backfill }) => Box::new(RlScheduler::new(spec, backfill)),
    }
}

/// Decides. Sees only what an operator could see at that moment.
pub trait Policy {
    /// What the state must keep for it; asked once, before the run.
    fn needs(&self) -> Needs {
        Needs::default()
    }

    /// Asked once per instant at which anything happened, with the list of
    /// what did, and again while its own actions make more happen.
    fn decide(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>);
}
