//! The queue and the cores in use over time, as observed and as simulated.

use super::{Backtest, Matched};
use crate::units::{Span, Time};

/// Means over steps of equal width, of the work whose waits are both known.
#[derive(Clone, Debug, PartialEq)]
pub struct Lived {
    /// Start of the first step: the first submission.
    pub from: Time,
    /// Width of a step.
    pub step: Span,
    /// Waiting work, as observed and as simulated.
    pub queue: [Vec<f64>; 2],
    /// Cores in use, as observed and as simulated.
    pub cores: [Vec<f64>; 2],
}

impl Backtest {
    /// The course in `steps` steps; `None` if no work has both waits.
    pub fn course(&self, steps: usize) -> Option<Lived> {
        let end = |one: &Matched<'_>| {
            let observed = one.observed.wait + one.observed.runtime;
            let simulated = one.simulated.wait + one.simulated.runtime;
            one.pair.arrival.saturating_add(observed.max(simulated))
        };
        let from = self.matched().map(|one| one.pair.arrival).min()?;
        let until = self.matched().map(|one| end(&one)).max()?;
        let width = ((until - from).micros() / steps as i64 + 1).max(1);
        let sums = || CourseSums { from, width, sums: vec![0.0; steps] };
        let (mut queue, mut cores) = ([sums(), sums()], [sums(), sums()]);
        for one in self.matched() {
            let (observed, simulated) = (one.observed, one.simulated);
            let sides = [
                (observed.wait, observed.runtime, observed.cpu),
                (simulated.wait, simulated.runtime, simulated.cpu),
            ];
            for (side, (wait, runtime, cpu)) in sides.into_iter().enumerate() {
                let start = one.pair.arrival.saturating_add(wait);
                queue[side].add(one.pair.arrival, start, 1.0);
                cores[side].add(start, start.saturating_add(runtime), cpu as f64 / 1e3);
            }
        }
        let means = |sums: [CourseSums; 2]| sums.map(CourseSums::means);
        let step = Span::from_micros(width);
        Some(Lived { from, step, queue: means(queue), cores: means(cores) })
    }
}

/// Value times microseconds, by step.
struct CourseSums {
    from: Time,
    width: i64,
    sums: Vec<f64>,
}

impl CourseSums {
    fn add(&mut self, from: Time, until: Time, value: f64) {
        let (mut at, end) = ((from - self.from).micros(), (until - self.from).micros());
        while at < end {
            let step = at / self.width;
            let stop = ((step + 1) * self.width).min(end);
            if let Some(sum) = self.sums.get_mut(step as usize) {
                *sum += (stop - at) as f64 * value;
            }
            at = stop;
        }
    }

    fn means(self) -> Vec<f64> {
        self.sums.into_iter().map(|sum| sum / self.width as f64).collect()
    }
}
