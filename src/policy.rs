//! The policy contract, the composed policy and its parts.

pub mod spec;
