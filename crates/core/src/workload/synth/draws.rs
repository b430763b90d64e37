//! Demand of a class of work, and the parts of it that are drawn for each piece.

use super::super::number::FAR;
use super::SynthClass;
use crate::model::{Ask, Speedup, WorkKind};
use crate::units::stream::Streams;
use crate::units::{Distribution, MAX_GPUS, WHOLE_GPU};

/// Demand of one class of work: all that is the same for each piece of it, and the attributes that
/// are drawn.
pub(super) struct Draws {
    pub(super) ask: Ask,
    pub(super) min_tasks: u32,
    pub(super) speedup: Speedup,
    pub(super) kind: WorkKind,
    /// Whether rules and home have their ids in `ask`.
    pub(super) named: bool,
    pub(super) runtime: Attribute,
    pub(super) sizes: Vec<(Size, Attribute)>,
    pub(super) estimate: Option<Attribute>,
    pub(super) deadline: Option<Attribute>,
}

impl Draws {
    pub(super) fn new(class: &SynthClass, seed: u64) -> Self {
        let real = |name, law: &Distribution, high| Attribute::new(seed, name, law, (0.0, high));
        let factor =
            |name, law: &Option<Distribution>| law.as_ref().map(|law| real(name, law, 1e12));
        let mut ask = Ask {
            gang: class.gang,
            priority: class.priority,
            resumes: class.resumes,
            ..Ask::default()
        };
        ask.demand.exclusive = class.exclusive;
        let mut sizes = Vec::new();
        for size in Size::ALL {
            let (name, law, low, high) = size.of(class);
            let rounds = true;
            let attribute = Attribute { rounds, ..Attribute::new(seed, name, law, (low, high)) };
            match law {
                Distribution::Constant(_) => size.set(&mut ask, attribute.draw(0)),
                Distribution::Law(_) => sizes.push((size, attribute)),
            }
        }
        Self {
            ask,
            min_tasks: class.min_tasks,
            speedup: class.speedup,
            kind: class.kind,
            named: false,
            runtime: real("workload runtime", &class.runtime, FAR as f64 / 1e6),
            sizes,
            estimate: factor("workload estimate", &class.estimate),
            deadline: factor("workload deadline", &class.deadline),
        }
    }
}

/// A whole number that work asks.
#[derive(Clone, Copy, Debug)]
pub(super) enum Size {
    Tasks,
    Cpu,
    Memory,
    Gpus,
    GpuShare,
    Input,
    Output,
}

impl Size {
    pub(super) const ALL: [Self; 7] = [
        Self::Tasks,
        Self::Cpu,
        Self::Memory,
        Self::Gpus,
        Self::GpuShare,
        Self::Input,
        Self::Output,
    ];

    /// The name of its streams, its law, and its range.
    pub(super) fn of(self, class: &SynthClass) -> (&'static str, &Distribution, f64, f64) {
        let most = f64::from(u32::MAX);
        match self {
            Self::Tasks => ("workload tasks", &class.tasks, 1.0, most),
            Self::Cpu => ("workload cpu", &class.cpu, 0.0, most),
            Self::Memory => ("workload memory", &class.memory, 0.0, most),
            Self::Gpus => ("workload gpus", &class.gpus, 0.0, f64::from(MAX_GPUS)),
            Self::GpuShare => ("workload gpu share", &class.gpu_share, 1.0, f64::from(WHOLE_GPU)),
            Self::Input => ("workload input", &class.input, 0.0, 1e18),
            Self::Output => ("workload output", &class.output, 0.0, 1e18),
        }
    }

    pub(super) fn set(self, ask: &mut Ask, value: f64) {
        match self {
            Self::Tasks => ask.tasks = value as u32,
            Self::Cpu => ask.demand.cpu = value as u32,
            Self::Memory => ask.demand.memory = value as u32,
            Self::Gpus => ask.demand.gpus = value as u8,
            Self::GpuShare => ask.demand.gpu_share = value as u16,
            Self::Input => ask.input = value as i64,
            Self::Output => ask.output = value as i64,
        }
    }
}

/// An attribute and the streams that it is drawn from, one per piece of work.
pub(super) struct Attribute {
    law: Distribution,
    streams: Streams,
    range: (f64, f64),
    rounds: bool,
}

impl Attribute {
    fn new(seed: u64, name: &str, law: &Distribution, range: (f64, f64)) -> Self {
        Self { law: law.clone(), streams: Streams::new(seed, name), range, rounds: false }
    }

    /// The draw of the piece of work with this ordinal, within the range.
    #[inline]
    pub(super) fn draw(&self, ordinal: u64) -> f64 {
        let drawn = self.law.sample_first(self.streams, ordinal);
        let value = drawn.clamp(self.range.0, self.range.1);
        if self.rounds { libm::round(value) } else { value }
    }
}
