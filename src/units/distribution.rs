//! units/distribution
