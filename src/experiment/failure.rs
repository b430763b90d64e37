//! Failures of runs and experiments as errors: what each says in words, and what caused it.

use std::error::Error;
use std::fmt;

use super::compare::ExperimentFailure;
use super::runner::RunnerFailure;
use super::search::SearchFailure;
use super::single::RunFailure;
use super::survey::Unsurveyed;
use super::sweep::SweepFailure;

impl fmt::Display for RunFailure {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(problems) => problems.fmt(to),
            Self::Sim(failure) => failure.fmt(to),
            Self::Law(broken) => write!(
                to,
                "a law was broken at {:.6} s: {}; found {}",
                broken.at.secs_f64(),
                broken.law,
                broken.found
            ),
        }
    }
}

impl Error for RunFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Sim(failure) => failure.source(),
            Self::Input(_) | Self::Law(_) => None,
        }
    }
}

impl fmt::Display for RunnerFailure {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run { policy, seed, failure } => {
                write!(to, "policy `{policy}`, seed {seed}: {failure}")
            }
            Self::Cache(_) => write!(to, "a finished run could not be kept"),
        }
    }
}

impl Error for RunnerFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Run { failure, .. } => failure.source(),
            Self::Cache(error) => Some(error),
        }
    }
}

impl fmt::Display for ExperimentFailure {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Problem(problem) => problem.fmt(to),
            Self::Runs(failure) => failure.fmt(to),
        }
    }
}

impl Error for ExperimentFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Problem(_) => None,
            Self::Runs(failure) => failure.source(),
        }
    }
}

impl fmt::Display for SearchFailure {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Problems(problems) => problems.fmt(to),
            Self::Runs(failure) | Self::Halted(failure, _) => failure.fmt(to),
        }
    }
}

impl Error for SearchFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Problems(_) => None,
            Self::Runs(failure) | Self::Halted(failure, _) => failure.source(),
        }
    }
}

impl fmt::Display for SweepFailure {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Problems(problems) => problems.fmt(to),
            Self::Input(failure) => failure.fmt(to),
            Self::Runs(failure) => failure.fmt(to),
        }
    }
}

impl Error for SweepFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Problems(_) => None,
            Self::Input(failure) => failure.source(),
            Self::Runs(failure) => failure.source(),
        }
    }
}

impl fmt::Display for Unsurveyed {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Problems(problems) => problems.fmt(to),
            Self::Stopped => write!(to, "the work was not read to its end"),
        }
    }
}

impl Error for Unsurveyed {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Problem;
    use crate::sim::Failure;
    use crate::units::Time;

    /// Each failure tells its innermost reason, and a cause of the system is its source.
    #[test]
    fn failures_are_errors_that_tell_their_reason() {
        let why = "it ran out of ideas".to_owned();
        let run = || RunnerFailure::Run {
            policy: "p".to_owned(),
            seed: 7,
            failure: Box::new(RunFailure::Sim(Failure::Policy {
                why: why.clone(),
                at: Time::from_micros(1_500_000),
            })),
        };
        let all: [Box<dyn Error>; 4] = [
            Box::new(run()),
            Box::new(ExperimentFailure::Runs(run())),
            Box::new(SearchFailure::Runs(run())),
            Box::new(SweepFailure::Runs(run())),
        ];
        for one in &all {
            let told = "policy `p`, seed 7: it ran out of ideas, at 1.500000 s";
            assert_eq!((one.to_string(), one.source().is_none()), (told.to_owned(), true));
        }
        let problems = vec![Problem::with("a", "b"), Problem::with("c", "d").hint("e")];
        assert_eq!(RunFailure::Input(problems.into()).to_string(), "a: b\nc: d\n  hint: e");
        let full =
            ExperimentFailure::Runs(RunnerFailure::Cache(std::io::ErrorKind::StorageFull.into()));
        assert_eq!(full.to_string(), "a finished run could not be kept");
        assert!(full.source().is_some());
    }
}
