//! Signals: what alert rules look at.

use super::super::fact::Fact;
use crate::state::{Ending, State};

/// A number of the live world, or a count of what happens in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Work with tasks that have no place.
    Waiting,
    /// Time that the first of it has waited.
    OldestWait,
    /// Running instances.
    Running,
    /// Allocated over running cores.
    UtilisationCpu,
    /// The same of GPUs.
    UtilisationGpu,
    /// Prices of all live instances, per hour.
    Spend,
    /// Machines that are down.
    Down,
    /// Allocations that were ended because a machine failed.
    Failures,
    /// Allocations that lost an instance to its provider.
    Interruptions,
    /// Launches that were refused.
    RefusedLaunches,
    /// Of the work with a deadline that ended, the part that missed it.
    DeadlinesMissed,
    /// Share of a budget that is spent. Its rules are those of the budgets.
    BudgetSpent,
    /// The same of the forecast.
    BudgetForecast,
}

/// Kind of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalKind {
    /// A number that holds until something changes.
    Level,
    /// A time that grows with the clock.
    Age,
    /// A number of things that happen, which is counted over windows.
    Count,
    /// A part of the things that happen, over windows.
    Share,
    /// A share of a budget, which is watched with the budget.
    Budget,
}

impl Signal {
    /// All signals of which a scenario can make rules, in the order of the reference.
    pub const ALL: [Self; 11] = [
        Self::Waiting,
        Self::OldestWait,
        Self::Running,
        Self::UtilisationCpu,
        Self::UtilisationGpu,
        Self::Spend,
        Self::Down,
        Self::Failures,
        Self::Interruptions,
        Self::RefusedLaunches,
        Self::DeadlinesMissed,
    ];

    /// The word of scenarios and files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::OldestWait => "oldest_wait",
            Self::Running => "running",
            Self::UtilisationCpu => "utilisation_cpu",
            Self::UtilisationGpu => "utilisation_gpu",
            Self::Spend => "spend",
            Self::Down => "machines_down",
            Self::Failures => "failures",
            Self::Interruptions => "interruptions",
            Self::RefusedLaunches => "refused_launches",
            Self::DeadlinesMissed => "deadlines_missed",
            Self::BudgetSpent => "budget_spent",
            Self::BudgetForecast => "budget_forecast",
        }
    }

    /// The signal of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|signal| signal.name() == name)
    }

    /// Unit of its values, as of metrics.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Waiting
            | Self::Running
            | Self::Down
            | Self::Failures
            | Self::Interruptions
            | Self::RefusedLaunches => "count",
            Self::OldestWait => "s",
            Self::UtilisationCpu | Self::UtilisationGpu | Self::DeadlinesMissed => "share",
            Self::BudgetSpent | Self::BudgetForecast => "share",
            Self::Spend => "USD per h",
        }
    }

    /// Its kind.
    pub const fn kind(self) -> SignalKind {
        match self {
            Self::Waiting
            | Self::Running
            | Self::UtilisationCpu
            | Self::UtilisationGpu
            | Self::Spend
            | Self::Down => SignalKind::Level,
            Self::OldestWait => SignalKind::Age,
            Self::Failures | Self::Interruptions | Self::RefusedLaunches => SignalKind::Count,
            Self::DeadlinesMissed => SignalKind::Share,
            Self::BudgetSpent | Self::BudgetForecast => SignalKind::Budget,
        }
    }

    /// Numerator and denominator of a level now; nothing of another kind.
    pub(super) fn level(self, state: &State<'_>) -> [i128; 2] {
        let totals = state.totals();
        let ratio = |over: i64, under: i64| [i128::from(over), i128::from(under)];
        match self {
            Self::Waiting => [i128::from(totals.waiting), 1],
            Self::Running => [i128::from(totals.running), 1],
            Self::Down => [i128::from(totals.down), 1],
            Self::UtilisationCpu => ratio(totals.allocated.cpu, totals.capacity.cpu),
            Self::UtilisationGpu => ratio(totals.allocated.gpu, totals.capacity.gpu),
            Self::Spend => {
                [totals.rates.iter().map(|&rate| i128::from(rate)).sum(), 1_000_000_000_000]
            }
            Self::OldestWait
            | Self::Failures
            | Self::Interruptions
            | Self::RefusedLaunches
            | Self::DeadlinesMissed
            | Self::BudgetSpent
            | Self::BudgetForecast => [0, 0],
        }
    }

    /// Numerator and denominator that a fact adds to what is counted.
    pub(super) fn counted(self, state: &State<'_>, fact: Fact<'_>) -> [i128; 2] {
        let one = |is: bool| [i128::from(is), 0];
        match (self, fact) {
            (Self::Failures, Fact::Stopped { ending, .. }) => one(ending == Ending::Failed),
            (Self::Interruptions, Fact::Stopped { ending, .. }) => one(ending.is_interruption()),
            (Self::RefusedLaunches, Fact::LaunchRefused(..)) => one(true),
            (Self::DeadlinesMissed, Fact::Finished(_, live)) => match live.ask.deadline {
                Some(deadline) => [i128::from(state.now() > deadline), 1],
                None => [0, 0],
            },
            (Self::DeadlinesMissed, Fact::Refused(live, _)) => {
                let misses = i128::from(live.ask.deadline.is_some());
                [misses, misses]
            }
            (
                Self::Waiting
                | Self::OldestWait
                | Self::Running
                | Self::UtilisationCpu
                | Self::UtilisationGpu
                | Self::Spend
                | Self::Down
                | Self::Failures
                | Self::Interruptions
                | Self::RefusedLaunches
                | Self::DeadlinesMissed
                | Self::BudgetSpent
                | Self::BudgetForecast,
                _,
            ) => [0, 0],
        }
    }
}
