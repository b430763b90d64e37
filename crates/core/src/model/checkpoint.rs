//! What it costs work to save its progress.

use crate::units::Span;

/// Cost of a checkpoint, by which tasks save what they have done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Checkpoint {
    /// Time to write one, at least zero.
    pub write: Span,
    /// Whether tasks stand still while they write. Where they do not, what is saved is the progress
    /// at the beginning of the write, once the write is over.
    pub blocking: bool,
    /// Time to read one, at least zero, before tasks that have saved progress compute again.
    pub restore: Span,
}

impl Checkpoint {
    /// A checkpoint for which tasks stand still, and which is read in no time.
    pub const fn blocking(write: Span) -> Self {
        Self { write, blocking: true, restore: Span::ZERO }
    }
}
