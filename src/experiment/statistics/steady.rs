//! One long run of a system that goes on for ever: where its start stops
//! mattering. Never for runs that end by themselves, such as the replay of a trace.

/// Observations in a batch of MSER-5.
const BATCH: usize = 5;

/// Batches at the end that are no candidates for the truncation point: the
/// spread of so few is small by chance.
const TAIL: usize = 5;

/// Batches below which there is nothing to choose from.
const FEWEST: usize = 2 * TAIL;

/// The run ended before its start stopped mattering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooShort {
    /// Observations in the run.
    pub observations: usize,
    /// Number of observations that would have been left out, past the middle; `None` if the run is
    /// too short to tell.
    pub truncation: Option<usize>,
}

/// Number of observations to leave out at the start: MSER-5.
///
/// White, Cobb and Spratt, "A comparison of five steady-state truncation
/// heuristics for simulation", WSC 2000: of the means Y of `m` batches of five,
/// leave out the first d that minimise the sum of (Y - mean)^2 over the rest,
/// divided by (m - d)^2. The first of equal minima; observations that fill no
/// batch are left aside.
///
/// # Errors
/// [`TooShort`] below ten batches, or when d lies past the middle: what follows
/// is then too little to tell a trend from an end.
pub fn mser5(values: &[f64]) -> Result<usize, TooShort> {
    let batches = means(values, BATCH);
    let m = batches.len();
    if m < FEWEST {
        return Err(TooShort { observations: values.len(), truncation: None });
    }
    let (mut n, mut mean, mut squares) = (0_usize, 0.0, 0.0);
    let (mut best, mut least) = (m, f64::INFINITY);
    for at in (0..m).rev() {
        n += 1;
        let before = batches[at] - mean;
        mean += before / n as f64;
        squares += before * (batches[at] - mean);
        let score = squares / (n * n) as f64;
        if n >= TAIL && score <= least {
            (best, least) = (at, score);
        }
    }
    let truncation = best * BATCH;
    if best > m / 2 {
        return Err(TooShort { observations: values.len(), truncation: Some(truncation) });
    }
    Ok(truncation)
}

fn means(values: &[f64], size: usize) -> Vec<f64> {
    values.chunks_exact(size).map(|batch| batch.iter().sum::<f64>() / size as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each of `means` five times.
    fn run(means: &[f64]) -> Vec<f64> {
        means.iter().flat_map(|&mean| [mean; BATCH]).collect()
    }

    #[test]
    fn a_transient_is_cut_where_it_ends() {
        // Two batches away, then a steady +-1: with d = 2 the score is
        // 18 / 18^2 = 0.056; keeping a batch of 9 more adds about 76.7 / 19^2.
        let mut means = vec![20.0, 9.0];
        means.extend((0..18).map(|at| if at % 2 == 0 { 1.0 } else { -1.0 }));
        assert_eq!(mser5(&run(&means)), Ok(10));
        // A whole batch more or less of leftovers changes nothing.
        let mut longer = run(&means);
        longer.extend([500.0; 4]);
        assert_eq!(mser5(&longer), Ok(10));
        assert_eq!(mser5(&run(&[3.0; 10])), Ok(0));
    }

    #[test]
    fn a_run_that_never_settles_is_too_short() {
        let ramp: Vec<f64> = (0..40).map(f64::from).collect();
        // The sum of squares on a ramp is n(n^2 - 1)/12, so the score grows with n and the shortest
        // rest wins: batch 35.
        let late = TooShort { observations: 200, truncation: Some(175) };
        assert_eq!(mser5(&run(&ramp)), Err(late));
        let few = TooShort { observations: 49, truncation: None };
        assert_eq!(mser5(&[1.0; 49]), Err(few));
        assert_eq!(mser5(&[]), Err(TooShort { observations: 0, truncation: None }));
    }
}
