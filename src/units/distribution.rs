//! Distributions.

/// A distribution (filled in by the samplers).
#[derive(Clone, Debug, PartialEq)]
pub enum Distribution {
    /// Always this value.
    Constant(f64),
}
