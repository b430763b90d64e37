//! Sums of piecewise linear functions of units, at whole units.
//!
//! In an hour, what is saved is piecewise linear in the units *n* of an offering, and neither concave
//! nor always rising where others come behind it. All pieces of all hours are added up at whole
//! units: a slope that changes by *s* at *x* adds *s* · max(0, *n* - *x*), whose second difference is
//! *s*(1 - frac *x*) at ⌊*x*⌋ + 1 and *s* frac *x* at ⌊*x*⌋ + 2. So each breakpoint is two
//! additions, at the units around it, and two running sums give the exact value of every number of
//! units: no order is needed, and no convexity.

/// A sum of piecewise linear functions that begin at 0, at whole numbers.
#[derive(Debug)]
pub(super) struct LotSums {
    /// Second differences.
    bends: Vec<f64>,
    /// Units in one number.
    lot: f64,
}

impl LotSums {
    pub(super) fn new(lots: usize, lot: u64) -> Self {
        Self { bends: vec![0.0; lots + 3], lot: lot as f64 }
    }

    /// From `units` on, each further unit adds `slope` more than before.
    #[inline]
    pub(super) fn bend(&mut self, units: f64, slope: f64) {
        let at = units / self.lot;
        let below = (at as usize).min(self.bends.len() - 3);
        let (part, slope) = ((at - below as f64).min(1.0), slope * self.lot);
        self.bends[below + 1] += slope * (1.0 - part);
        self.bends[below + 2] += slope * part;
    }

    /// More than `units` are worth so much more.
    pub(super) fn jump(&mut self, units: f64, value: f64) {
        let below = ((units / self.lot) as usize).min(self.bends.len() - 3);
        self.bends[below + 1] += value;
        self.bends[below + 2] -= value;
    }

    /// The values at 0, 1 and so on; the sum is empty again.
    pub(super) fn conclude(&mut self, into: &mut Vec<f64>) {
        let (mut value, mut step) = (0.0, 0.0);
        let lots = self.bends.len() - 2;
        into.extend(self.bends[..lots].iter().map(|bend| {
            step += bend;
            value += step;
            value
        }));
        self.bends.fill(0.0);
    }
}
