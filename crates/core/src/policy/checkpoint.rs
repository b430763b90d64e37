//! Checkpoint part: when progress is saved. One part per file.

mod daly;
mod on_notice;
mod periodic;
mod young;

use crate::part::{Parameter, Part, PartSettings, PartSpec, Setting, SettingKind};
use crate::state::{AllocationRef, State};
use crate::units::Span;

pub use daly::DALY;
pub use on_notice::ON_NOTICE;
pub use periodic::PERIODIC;
pub use young::YOUNG;

/// A row of [`PARTS`].
pub type CheckpointPart = Part<Option<Box<dyn CheckpointRule>>>;
/// A checkpoint part with its settings.
pub type CheckpointSpec = PartSpec<Option<Box<dyn CheckpointRule>>>;

/// Every checkpoint part.
pub static PARTS: &[&CheckpointPart] = &[&NEVER, &PERIODIC, &YOUNG, &DALY, &ON_NOTICE];

/// No checkpoints.
pub static NEVER: CheckpointPart =
    Part { name: "never", doc: "No checkpoints are written.", parameters: &[], make: |_| None };

/// Says when tasks write checkpoints.
pub trait CheckpointRule: std::fmt::Debug {
    /// Time that the tasks of `allocation`, whose work can write checkpoints, compute between the end
    /// of one and the beginning of the next; `None` if they are to write none. Asked when they start.
    /// Less than a microsecond counts as one.
    fn every(&self, state: &State<'_>, allocation: AllocationRef) -> Option<Span>;

    /// Whether tasks write one when they are warned that their instance goes.
    fn on_notice(&self) -> bool;
}

/// What tasks do when they are warned.
const ON_WARNING: Parameter = Parameter {
    name: "on_notice",
    kind: SettingKind::Word(&["nothing", "write"]),
    default: Setting::Word("nothing"),
    doc: "`write`: tasks also write a checkpoint when their spot instance is warned, if it is over before the instance goes.",
};

/// Whether tasks write when they are warned.
fn writes_on_notice(settings: &PartSettings) -> bool {
    settings.word(ON_WARNING.name) == "write"
}

/// Mean time between failures of one instance. The default is about what Meta measured on its
/// research clusters: 6.5 failures per 1,000 node-days, one in 154 days (Kokolis and others, 2024).
const MTBF: Parameter = Parameter {
    name: "mtbf",
    kind: SettingKind::SpanAboveZero,
    default: Setting::Span(Span::from_secs(150 * 86_400)),
    doc: "Mean time between failures of one instance.",
};

/// An interval that follows from the time to write a checkpoint and the mean time between failures.
#[derive(Debug)]
struct ByFailures {
    /// Mean time between failures of one instance.
    mtbf: Span,
    /// Interval by the time to write a checkpoint and the mean time between failures, in seconds.
    best: fn(f64, f64) -> f64,
    /// Whether tasks write when they are warned.
    on_notice: bool,
}

impl CheckpointRule for ByFailures {
    fn every(&self, state: &State<'_>, allocation: AllocationRef) -> Option<Span> {
        let target = state.allocation(allocation);
        let checkpoint = state.checkpoint(target.work())?;
        // Of tasks that run together on several instances, each fails with any of these.
        let mtbf = self.mtbf.secs_f64() / target.held.len() as f64;
        Span::from_secs_f64((self.best)(checkpoint.write.secs_f64(), mtbf))
    }

    fn on_notice(&self) -> bool {
        self.on_notice
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Ask, Checkpoint};
    use crate::state::testing::{demand, owned, shape, start, submit};
    use crate::state::{Needs, Share};

    /// Interval in seconds of a gang on so many instances whose checkpoints take a minute.
    fn every(rule: &CheckpointSpec, instances: u32) -> Option<f64> {
        let world = owned(&vec![shape(1_000, 0, 0); instances as usize]);
        let mut state = start(&world, Needs::default());
        let checkpoint = Checkpoint::blocking(Span::from_secs(60));
        let checkpoint = Some(state.book_mut().checkpoint(checkpoint));
        let (tasks, demand) = (instances, demand(1_000, 0, 0, 0));
        let work = submit(&mut state, 0, Ask { tasks, demand, checkpoint, ..Ask::default() });
        let opened = state.open(work);
        let all: Vec<_> = state.instances().map(|(instance, _)| instance).collect();
        for instance in all {
            state.add(opened, Share { instance, tasks: 1, devices: 0 }).expect("it fits");
        }
        state.commit(opened).expect("it is whole");
        rule.build()?.every(&state, opened).map(Span::secs_f64)
    }

    #[test]
    fn intervals_follow_from_the_instances_of_an_allocation() {
        let day = Span::from_secs(86_400);
        assert_eq!(every(&NEVER.spec(), 4), None);
        assert_eq!(every(&PERIODIC.spec().set("every", day), 4), Some(86_400.0));
        // sqrt(2 * 60 * 86,400 / n)
        assert_eq!(every(&YOUNG.spec().set("mtbf", day), 1), Some(3_219.937_888));
        assert_eq!(every(&YOUNG.spec().set("mtbf", day), 4), Some(1_609.968_944));
        let daly = every(&DALY.spec().set("mtbf", day), 4).expect("it writes");
        assert!((1_569.0..1_571.0).contains(&daly), "{daly}");
    }
}
