//! A plane through points: ordinary least squares.

use super::law::t_critical;
use super::sample::Interval;

/// A plane fitted to points.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// Height at the origin.
    pub intercept: f64,
    /// Rise along each input, with its interval.
    pub slopes: Vec<Interval>,
    /// Share of the variance that the plane explains, 0 to 1; 1 where there is none.
    pub explained: f64,
}

/// Fits `y = intercept + sum of slope x input` to rows of inputs. Intervals hold
/// with probability `confidence`, each on its own, for independent normal
/// deviations of equal variance from the plane.
///
/// None where there are no more points than unknowns, or where inputs follow
/// from each other, so that their slopes cannot be told apart.
///
/// Montgomery, "Design and Analysis of Experiments", 8th ed., section 10.3.
pub fn least_squares(inputs: &[Vec<f64>], y: &[f64], confidence: f64) -> Option<Fit> {
    let (n, k) = (y.len(), inputs.first()?.len());
    let freedom = n.checked_sub(k + 1).filter(|&freedom| freedom > 0)?;
    let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / n as f64;
    let centres: Vec<f64> = (0..k).map(|at| mean(&mut inputs.iter().map(|row| row[at]))).collect();
    let centre = mean(&mut y.iter().copied());
    let mut squares = vec![vec![0.0; k]; k];
    let mut products = vec![0.0; k];
    for (row, value) in inputs.iter().zip(y) {
        let apart: Vec<f64> = row.iter().zip(&centres).map(|(x, centre)| x - centre).collect();
        for (at, x) in apart.iter().enumerate() {
            products[at] += x * (value - centre);
            squares[at].iter_mut().zip(&apart).for_each(|(sum, other)| *sum += x * other);
        }
    }
    let inverse = inverse(squares)?;
    let dot = |left: &[f64], right: &[f64]| left.iter().zip(right).map(|(a, b)| a * b).sum::<f64>();
    let slopes: Vec<f64> = inverse.iter().map(|row| dot(row, &products)).collect();
    let intercept = centre - dot(&slopes, &centres);
    let squared = |value: f64| value * value;
    let left: f64 = inputs
        .iter()
        .zip(y)
        .map(|(row, value)| squared(value - intercept - dot(row, &slopes)))
        .sum();
    let all: f64 = y.iter().map(|value| squared(value - centre)).sum();
    let t = t_critical((1.0 - confidence) / 2.0, freedom);
    let error = |at: usize| libm::sqrt(left / freedom as f64 * inverse[at][at]);
    Some(Fit {
        intercept,
        slopes: (0..k).map(|at| Interval::around(slopes[at], t * error(at), n)).collect(),
        explained: if all > 0.0 { (1.0 - left / all).max(0.0) } else { 1.0 },
    })
}

/// The inverse of a matrix of sums of squares, by Gauss and Jordan; none where
/// nearly nothing of a row is left when the others are taken out of it.
fn inverse(mut from: Vec<Vec<f64>>) -> Option<Vec<Vec<f64>>> {
    let k = from.len();
    let whole: Vec<f64> = (0..k).map(|at| from[at][at]).collect();
    let unit = |row: usize| (0..k).map(|at| f64::from(u8::from(at == row))).collect();
    let mut to: Vec<Vec<f64>> = (0..k).map(unit).collect();
    for at in 0..k {
        let pivot = from[at][at];
        if pivot.is_nan() || pivot <= whole[at] * 1e-10 {
            return None;
        }
        for column in 0..k {
            from[at][column] /= pivot;
            to[at][column] /= pivot;
        }
        for row in (0..k).filter(|&row| row != at) {
            let factor = from[row][at];
            for column in 0..k {
                from[row][column] -= factor * from[at][column];
                to[row][column] -= factor * to[at][column];
            }
        }
    }
    Some(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-9, "{found}, not {expected}");
    }

    /// x 1 to 5, y 2 4 5 4 5: Sxx = 10, Sxy = 6, residuals squared sum to 2.4.
    #[test]
    fn a_line_by_hand() {
        let inputs: Vec<Vec<f64>> = (1..=5).map(|x| vec![f64::from(x)]).collect();
        let fit = least_squares(&inputs, &[2.0, 4.0, 5.0, 4.0, 5.0], 0.95).expect("a line");
        close(fit.intercept, 2.2);
        close(fit.slopes[0].mean, 0.6);
        close(fit.explained, 0.6);
        // Standard error sqrt(2.4 / 3 / 10); t with 3 degrees of freedom is 3.182446305.
        close(fit.slopes[0].half_width, 3.182_446_305_284_264 * 0.08_f64.sqrt());
    }

    #[test]
    fn a_plane_is_found_again() {
        let inputs = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.5, 0.25]];
        let inputs = inputs.map(|row| row.to_vec());
        let y: Vec<f64> = inputs.iter().map(|row| 3.0 + 2.0 * row[0] - 5.0 * row[1]).collect();
        let fit = least_squares(&inputs, &y, 0.95).expect("a plane");
        close(fit.intercept, 3.0);
        close(fit.slopes[0].mean, 2.0);
        close(fit.slopes[1].mean, -5.0);
        close(fit.slopes[1].half_width, 0.0);
        close(fit.explained, 1.0);
    }

    #[test]
    fn what_cannot_be_told_apart_is_not_told() {
        let twice: Vec<Vec<f64>> = (0..9).map(|x| vec![f64::from(x), 2.0 * f64::from(x)]).collect();
        assert_eq!(least_squares(&twice, &[1.0; 9], 0.95), None);
        assert_eq!(least_squares(&twice[..3], &[1.0; 3], 0.95), None);
        let still = vec![vec![1.0]; 4];
        assert_eq!(least_squares(&still, &[1.0, 2.0, 3.0, 4.0], 0.95), None);
        assert_eq!(least_squares(&[], &[], 0.95), None);
    }
}
