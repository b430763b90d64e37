//! What happens from a request for an instance until it is ready.

use crate::units::{Distribution, Id, Span};

use super::Offer;

/// A stage between the request and the moment at which work can begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaunchStage {
    /// The provider takes the request in and answers.
    Request,
    /// The machine is found and starts.
    Provision,
    /// Images, drivers and containers are loaded.
    Image,
    /// What has to be warm before work begins.
    WarmUp,
}

impl LaunchStage {
    /// All stages, in their order.
    pub const ALL: [Self; 4] = [Self::Request, Self::Provision, Self::Image, Self::WarmUp];

    /// The word used in scenarios.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Provision => "provision",
            Self::Image => "image",
            Self::WarmUp => "warm_up",
        }
    }

    /// Name of its random stream.
    pub(crate) const fn stream(self) -> &'static str {
        match self {
            Self::Request => "boot request",
            Self::Provision => "boot",
            Self::Image => "boot image",
            Self::WarmUp => "boot warm-up",
        }
    }
}

/// How launches of an offer go.
#[derive(Clone, Debug, PartialEq)]
pub struct LaunchTerms {
    /// Seconds that each stage takes, in order.
    pub stages: [Distribution; 4],
    /// Share of the launches that come to nothing, in millionths.
    pub fails: u32,
    /// Seconds from the request until such a launch is given up.
    pub fails_after: Distribution,
}

impl LaunchTerms {
    /// Launches that all succeed, and take so many seconds.
    pub const fn taking(secs: Distribution) -> Self {
        const NONE: Distribution = Distribution::Constant(0.0);
        Self { stages: [NONE, secs, NONE, NONE], fails: 0, fails_after: NONE }
    }

    /// Seconds that a stage takes.
    pub fn stage(&self, stage: LaunchStage) -> &Distribution {
        &self.stages[stage as usize]
    }

    /// Mean time from the request until an instance is ready that becomes so; of a stage without a mean
    /// its median counts.
    pub fn mean(&self) -> Span {
        self.sum(|stage| stage.mean().or_else(|| stage.quantile(0.5)))
    }

    /// Mean time in seconds, if each stage has a mean.
    pub fn mean_secs(&self) -> Option<f64> {
        self.stages.iter().map(Distribution::mean).sum()
    }

    /// Time within which each stage is over with this probability, or its mean where no quantile is
    /// known, all together: of several stages more than the quantile of their sum, for large shares.
    pub fn within(&self, share: f64) -> Span {
        self.sum(|stage| stage.quantile(share).or_else(|| stage.mean()))
    }

    /// Seconds that no launch takes less than, where no stage is shorter than its quantile of `share`.
    pub fn least(&self, share: f64) -> f64 {
        self.stages.iter().map(|stage| stage.quantile(share).unwrap_or(0.0).max(0.0)).sum()
    }

    fn sum(&self, of: impl Fn(&Distribution) -> Option<f64>) -> Span {
        let secs = self.stages.iter().map(|stage| of(stage).unwrap_or(0.0).max(0.0)).sum();
        Span::from_secs_f64(secs).unwrap_or(Span::ZERO)
    }
}

/// Limit on launches by one account in one region: a bucket that holds so many, and gets one more after
/// a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Throttle {
    /// Most launches at one moment.
    pub burst: u32,
    /// Time after which one more is allowed.
    pub every: Span,
}

/// What a fault does to the launches of others: they come for what is left.
#[derive(Clone, Debug, PartialEq)]
pub struct Surge {
    /// Offers that are sought, ascending.
    pub offers: Vec<Id<Offer>>,
    /// Share of the stretches of ten minutes in which launches of an offer are refused, in millionths.
    pub chance: u32,
    /// Time that it goes on after the fault.
    pub after: Span,
}
