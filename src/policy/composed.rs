//! The composed policy.
/// x
#[derive(Debug)]
pub struct Composed;
