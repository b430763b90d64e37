//! The ways in which an allocation ends.

use super::Why;

/// End of an allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Its tasks are done.
    Done,
    /// The policy took its instances away.
    Preempted,
    /// The provider took an instance of it away.
    Interrupted,
    /// The provider stopped its instance, and keeps what its tasks had in memory.
    Hibernated,
    /// An instance of it broke, or its tasks did.
    Failed,
    /// The policy moves its tasks to other instances.
    Migrated,
    /// Its tasks are not wanted any more.
    Cancelled,
    /// The run ended first.
    RunOver,
}

impl Ending {
    /// All endings.
    pub const ALL: [Self; 8] = [
        Self::Done,
        Self::Preempted,
        Self::Interrupted,
        Self::Hibernated,
        Self::Failed,
        Self::Migrated,
        Self::Cancelled,
        Self::RunOver,
    ];

    /// Whether its tasks are done.
    pub const fn is_done(self) -> bool {
        match self {
            Self::Done => true,
            Self::Preempted
            | Self::Interrupted
            | Self::Hibernated
            | Self::Failed
            | Self::Migrated
            | Self::Cancelled
            | Self::RunOver => false,
        }
    }

    /// Reason why its tasks wait to be placed again; `None` if they do not.
    pub const fn returns(self) -> Option<Why> {
        match self {
            Self::Preempted => Some(Why::Preempted),
            Self::Interrupted | Self::Hibernated => Some(Why::Interrupted),
            Self::Failed => Some(Why::Failed),
            Self::Migrated => Some(Why::Migrated),
            Self::Done | Self::Cancelled | Self::RunOver => None,
        }
    }

    /// Whether its tasks wait to be placed again.
    pub const fn waits_again(self) -> bool {
        self.returns().is_some()
    }

    /// Whether tasks that can resume save their progress before they stop. The others
    /// stop without notice.
    pub const fn saves_progress(self) -> bool {
        match self {
            Self::Preempted | Self::Migrated => true,
            Self::Done
            | Self::Interrupted
            | Self::Hibernated
            | Self::Failed
            | Self::Cancelled
            | Self::RunOver => false,
        }
    }

    /// Whether the provider took an instance away.
    pub const fn is_interruption(self) -> bool {
        match self {
            Self::Interrupted | Self::Hibernated => true,
            Self::Done
            | Self::Preempted
            | Self::Failed
            | Self::Migrated
            | Self::Cancelled
            | Self::RunOver => false,
        }
    }

    /// Whether tasks go on later from what they have in memory.
    pub const fn keeps_memory(self) -> bool {
        match self {
            Self::Hibernated | Self::Migrated => true,
            Self::Done
            | Self::Preempted
            | Self::Interrupted
            | Self::Failed
            | Self::Cancelled
            | Self::RunOver => false,
        }
    }

    /// The word of reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Preempted => "preempted",
            Self::Interrupted => "interrupted",
            Self::Hibernated => "hibernated",
            Self::Failed => "failed",
            Self::Migrated => "migrated",
            Self::Cancelled => "cancelled",
            Self::RunOver => "unfinished",
        }
    }
}
