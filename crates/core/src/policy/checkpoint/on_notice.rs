//! A checkpoint when the provider warns.

use super::{CheckpointPart, CheckpointRule};
use crate::part::Part;
use crate::state::{AllocationRef, State};
use crate::units::Span;

/// A checkpoint when tasks are warned that their instance goes.
pub static ON_NOTICE: CheckpointPart = Part {
    name: "on-notice",
    doc: "A checkpoint is written when a spot instance is warned, if it is over before the instance goes.",
    parameters: &[],
    make: |_| Some(Box::new(OnNotice)),
};

#[derive(Debug)]
struct OnNotice;

impl CheckpointRule for OnNotice {
    fn every(&self, _: &State<'_>, _: AllocationRef) -> Option<Span> {
        None
    }

    fn on_notice(&self) -> bool {
        true
    }
}
