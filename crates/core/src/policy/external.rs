//! Policies and parts that another process decides, asked in JSON lines. The
//! contract is `docs/policy.md`.
//!
//! Nothing here starts a process: a [`Launcher`] is handed in, by the command
//! line, by a test, or by a program that uses the library.

mod admit;
mod backfill;
mod conversation;
mod outbox;
pub mod message;
mod order;
mod place;
mod preempt;
mod provision;
mod recorded;
mod release;
mod session;
#[cfg(test)]
mod tests;
mod whole;
mod world;

pub use conversation::{BrokenConversation, Conversation, Launcher, NoLauncher};
pub use recorded::{FROM, Recorded, TO};
pub use whole::ExternalPolicy;

pub(super) use admit::ExternalAdmit;
pub(super) use backfill::ExternalBackfill;
pub(super) use order::ExternalOrder;
pub(super) use place::ExternalPlace;
pub(super) use preempt::ExternalPreempt;
pub(super) use provision::ExternalProvision;
pub(super) use release::ExternalRelease;
pub(super) use session::{Session, SharedSession};
