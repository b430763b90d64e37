//! Electrical power of a machine by its load.

/// Electrical power of a machine by its load, in microwatts: points at equal steps from none to full,
/// and straight lines between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PowerCurve(Vec<i64>);

impl PowerCurve {
    /// The same power at any load.
    pub fn constant(milliwatts: i64) -> Self {
        Self::by_load(&[milliwatts])
    }

    /// Power in milliwatts at loads that lie equally far apart, from none to full; SPECpower publishes
    /// eleven. One point holds at any load, none is no power at all.
    pub fn by_load(milliwatts: &[i64]) -> Self {
        Self(milliwatts.iter().map(|power| power.saturating_mul(1_000)).collect())
    }

    /// The same times `millionths` / 1,000,000, rounded down.
    #[must_use]
    pub fn scaled(&self, millionths: i64) -> Self {
        let scaled = |power: &i64| to_i64(i128::from(*power) * i128::from(millionths) / 1_000_000);
        Self(self.0.iter().map(scaled).collect())
    }

    /// Microwatts where `held` of `whole` are held, rounded down.
    pub fn at(&self, held: u64, whole: u64) -> i64 {
        let steps = self.0.len().saturating_sub(1) as u64;
        if steps == 0 || whole == 0 {
            return self.0.first().copied().unwrap_or(0);
        }
        let (held, whole) = (u128::from(held.min(whole)), u128::from(whole));
        let along = held * u128::from(steps);
        let (row, rest) = ((along / whole) as usize, (along % whole) as i128);
        let below = i128::from(self.0[row]);
        let above = i128::from(self.0[(row + 1).min(self.0.len() - 1)]);
        to_i64(below + ((above - below) * rest).div_euclid(whole as i128))
    }

    /// Microwatts of a machine that does nothing.
    pub fn idle(&self) -> i64 {
        self.at(0, 1)
    }
}

fn to_i64(power: i128) -> i64 {
    i64::try_from(power).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// HP ProLiant ML110 G4 (SPECpower): 86 W idle, 117 W at full load; at 15 % between 89.4 and 92.6 W.
    #[test]
    fn power_is_read_off_between_points() {
        let points = [
            86_000, 89_400, 92_600, 96_000, 99_500, 102_000, 106_000, 108_000, 112_000, 114_000,
            117_000,
        ];
        let curve = PowerCurve::by_load(&points);
        let at = |percent| curve.at(percent, 100);
        assert_eq!([0, 10, 15, 100].map(at), [86_000_000, 89_400_000, 91_000_000, 117_000_000]);
        assert_eq!((curve.idle(), at(250)), (86_000_000, 117_000_000));
        let line = PowerCurve::by_load(&[100_000, 400_000]);
        assert_eq!(line.at(1, 3), 200_000_000);
        assert_eq!(line.scaled(1_500_000).at(1, 2), 375_000_000);
        assert_eq!(PowerCurve::constant(5).at(1, 2), 5_000);
        // Power may fall with the load; what is between is rounded down.
        assert_eq!(PowerCurve::by_load(&[2, 1]).at(1, 3), 1_666);
    }
}
