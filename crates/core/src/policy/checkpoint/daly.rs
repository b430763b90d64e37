//! The interval by which the most is done under exponential failures.

use super::{ByFailures, CheckpointPart, MTBF, ON_WARNING, writes_on_notice};
use crate::part::Part;

/// A checkpoint at the interval that is best where failures come at random (Daly, 2006).
pub static DALY: CheckpointPart = Part {
    name: "daly",
    doc: "A checkpoint is written at the interval by which the most is done if failures come at random: \
          Young's, which holds for rare failures, to all orders.",
    parameters: &[MTBF, ON_WARNING],
    make: |settings| {
        let mtbf = settings.span(MTBF.name);
        let on_notice = writes_on_notice(settings);
        mtbf.map(|mtbf| Box::new(ByFailures { mtbf, best: interval, on_notice }) as _)
    },
};

/// Interval for checkpoints that take `write` where failures are `mtbf` apart, on average:
/// M (1 + W0(-exp(-w/M - 1))), with Lambert's W. Its last factor is the u between 0 and 1 for
/// which u + ln(1 - u) = -w/M, and is found by Newton's method: the left side falls and is
/// concave, so steps from above the root stay above it.
fn interval(write: f64, mtbf: f64) -> f64 {
    let ratio = write / mtbf;
    // Young's interval lies above the best one, as 1 - exp(-1 - w/M) does.
    let mut found = libm::sqrt(2.0 * ratio).min(-libm::expm1(-1.0 - ratio));
    for _ in 0..64 {
        let next = found + (found + libm::log1p(-found) + ratio) * (1.0 - found) / found;
        // Also where it is no number, as there is nothing to write.
        if !(next > 0.0 && next < found) {
            break;
        }
        found = next;
    }
    mtbf * found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checkpoints of a minute on nodes of 8 GPUs: failures per 1,000 node-days, GPUs, and the best
    /// interval in minutes. The numbers were computed apart from this code.
    const MINUTES: [(f64, f64, f64); 7] = [
        (6.50, 1_024.0, 58.1701),
        (6.50, 4_096.0, 28.7546),
        (6.50, 16_384.0, 14.0497),
        (6.50, 131_072.0, 4.5561),
        (2.34, 16_384.0, 23.8524),
        (2.34, 131_072.0, 8.0137),
        (3.79, 16_384.0, 18.6016),
    ];

    #[test]
    fn the_best_interval_is_that_of_the_table() {
        for (rate, gpus, minutes) in MINUTES {
            let mtbf = 1_000.0 * 86_400.0 / rate / (gpus / 8.0);
            let found = interval(60.0, mtbf) / 60.0;
            assert!((found - minutes).abs() < 6e-5, "{rate}, {gpus}: {found}, not {minutes}");
        }
    }

    #[test]
    fn the_derivative_of_the_share_of_useful_time_is_zero_there() {
        // d/dt of t / (exp((t + w)/M) - 1) is zero where exp(-(t + w)/M) = 1 - t/M.
        for ratio in [1e-9, 1e-6, 1e-3, 0.1, 1.0, 10.0, 100.0] {
            let found = interval(ratio, 1.0);
            let left = libm::exp(-(found + ratio));
            assert!((left - (1.0 - found)).abs() < 1e-15, "{ratio}: {found}");
            assert!(found <= libm::sqrt(2.0 * ratio) && found <= 1.0);
        }
        assert_eq!(interval(0.0, 3_600.0), 0.0);
    }
}
