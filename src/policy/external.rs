//! Policies and parts that another process decides, asked in JSON lines. The
//! contract is `docs/policy.md`.
//!
//! Nothing here starts a process: a [`Launcher`] is handed in, by the command
//! line, by a test, or by a program that uses the library.

mod admit;
mod backfill;
mod conversation;
mod hearing;
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

pub use conversation::{Broken, Conversation, Launcher, NoLauncher};
pub use recorded::{FROM, Recorded, TO};
pub use whole::Whole;

pub(super) use admit::Admit;
pub(super) use backfill::Backfill;
pub(super) use order::Order;
pub(super) use place::Place;
pub(super) use preempt::Preempt;
pub(super) use provision::Provision;
pub(super) use release::Release;
pub(super) use session::{Session, Shared};
