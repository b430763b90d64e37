//! Statistics of numbers that chance had a part in: intervals, paired comparisons, rules for when
//! to stop, selection of the best of several, and designs of points to look at.
//!
//! Pure functions of samples. A sample is one value per replication: jobs of
//! one run depend on each other and are not a sample. All sums run in index
//! order, so the same values give the same bits however many threads made
//! them. Values must be finite; the caller leaves out what was not measured.

pub mod bootstrap;
pub mod coverage;
pub mod design;
pub mod equivalence;
pub(super) mod law;
pub mod multiple;
pub mod paired;
pub mod promise;
pub mod sample;
pub mod selection;
pub mod steady;
pub mod stopping;
pub mod verdict;

pub use equivalence::Margin;
pub use paired::{Paired, paired};
pub use sample::{Interval, Sample, t_interval};
pub use verdict::{Verdict, verdict};
