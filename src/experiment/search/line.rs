//! One variable at a time: bisection where promises and goal are monotone in
//! it, and a search from coarse to fine where they are not.
//!
//! Nothing is taken to be monotone because it should be: more machines can
//! make a schedule longer (Graham, "Bounds on multiprocessing timing
//! anomalies", SIAM Journal on Applied Mathematics 17(2), 1969). A line counts
//! as monotone as long as all that was seen of it is, the two levels on either
//! side of the answer included.

use std::collections::BTreeMap;

use super::score::SetupScore;

/// One level per variable.
pub type SetupPoint = Vec<usize>;

/// Space of setups that can be looked at. Looking twice costs nothing.
pub(super) trait SearchSpace {
    /// Reason for which the space cannot be looked at any more.
    type Halt;

    /// Scores of several points, in order.
    fn evaluate(&mut self, points: &[SetupPoint]) -> Result<Vec<SetupScore>, Self::Halt>;

    /// Levels of each variable, and whether they have an order.
    fn axes(&self) -> &[Levels];
}

/// The levels of a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Levels {
    /// Number of levels, at least one.
    pub(super) count: usize,
    /// Whether the levels have an order, so that neighbours are alike; if not, all are looked at.
    pub(super) ordered: bool,
}

/// Levels of a line that are looked at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SearchStart {
    /// Levels at the ends and in the middle of the line.
    Wide,
    /// Levels around the point.
    Near,
    /// Levels around the point, and not borne out: for searches in which only a better point
    /// counts.
    Brief,
}

/// The best level of variable `axis`, the others as in `from`.
pub(super) fn along<L: SearchSpace>(
    land: &mut L,
    from: &SetupPoint,
    axis: usize,
    reach: SearchStart,
) -> Result<(SetupPoint, SetupScore), L::Halt> {
    let Levels { count, ordered } = land.axes()[axis];
    let last = count - 1;
    let mut line = SearchLine { from, axis, seen: BTreeMap::new() };
    let here = from[axis];
    let mut wanted = match reach {
        _ if !ordered => (0..count).collect(),
        SearchStart::Wide => vec![0, last / 2, here, last],
        SearchStart::Near | SearchStart::Brief => {
            vec![here.saturating_sub(1), here, (here + 1).min(last)]
        }
    };
    while !wanted.is_empty() {
        line.look(land, wanted)?;
        wanted = if ordered { line.next(last, reach) } else { Vec::new() };
    }
    let best = line.best();
    Ok((line.at(best), line.seen[&best]))
}

struct SearchLine<'a> {
    from: &'a SetupPoint,
    axis: usize,
    seen: BTreeMap<usize, SetupScore>,
}

impl SearchLine<'_> {
    fn at(&self, level: usize) -> SetupPoint {
        let mut point = self.from.clone();
        point[self.axis] = level;
        point
    }

    fn look<L: SearchSpace>(
        &mut self,
        land: &mut L,
        mut levels: Vec<usize>,
    ) -> Result<(), L::Halt> {
        levels.sort_unstable();
        levels.dedup();
        let points: Vec<SetupPoint> = levels.iter().map(|&level| self.at(level)).collect();
        let scores = land.evaluate(&points)?;
        self.seen.extend(levels.into_iter().zip(scores));
        Ok(())
    }

    /// The best level seen, of equals the lowest.
    fn best(&self) -> usize {
        let mut rows = self.seen.iter();
        let first = rows.next().expect("a line is looked at somewhere");
        let better = |best: (usize, SetupScore), (&level, score): (&usize, &SetupScore)| {
            if score.beats(&best.1) { (level, *score) } else { best }
        };
        rows.fold((*first.0, *first.1), better).0
    }

    /// Levels that are still to be looked at; empty at the end.
    fn next(&self, last: usize, reach: SearchStart) -> Vec<usize> {
        let best = self.best();
        let safer = safer_end(&self.seen.values().copied().collect::<Vec<_>>());
        let kept = self.seen[&best].kept();
        let mut wanted = Vec::new();
        for side in [LineEnd::Low, LineEnd::High] {
            // Towards the safer end everything costs more, and where nothing
            // is kept there is nothing to be gained on the other side.
            let useless = match safer {
                Some(safer) if kept => side == safer,
                Some(safer) => side != safer,
                None => false,
            };
            wanted.extend(self.between(best, side, last).filter(|_| !useless));
        }
        if wanted.is_empty() && reach != SearchStart::Brief {
            // Two beyond on each side bear the bisection out, or do not.
            let around = [best.checked_sub(1), best.checked_sub(2), Some(best + 1), Some(best + 2)];
            wanted.extend(around.into_iter().flatten().filter(|&level| level <= last));
        }
        wanted.retain(|level| !self.seen.contains_key(level));
        wanted
    }

    /// Half of the way to the next level seen on one side, or twice as far out if nothing was seen
    /// yet; `None` if nothing lies between.
    fn between(&self, best: usize, side: LineEnd, last: usize) -> Option<usize> {
        let below = self.seen.range(..best).next_back().map(|(&level, _)| level);
        let above = self.seen.range(best + 1..).next().map(|(&level, _)| level);
        match (side, below, above) {
            (LineEnd::Low, Some(below), _) => (best - below > 1).then(|| best - (best - below) / 2),
            (LineEnd::High, _, Some(above)) => {
                (above - best > 1).then(|| best + (above - best) / 2)
            }
            (LineEnd::Low, None, above) => {
                let far = 2 * above.map_or(1, |above| above - best);
                (best > 0).then(|| best.saturating_sub(far))
            }
            (LineEnd::High, below, None) => {
                let far = 2 * below.map_or(1, |below| best - below);
                (best < last).then(|| (best + far).min(last))
            }
        }
    }
}

/// An end of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineEnd {
    Low,
    High,
}

/// The end towards which promises are kept better and the goal grows, where
/// the scores, in the order of their levels, rise or fall without exception.
pub(super) fn safer_end(scores: &[SetupScore]) -> Option<LineEnd> {
    let pairs = || scores.windows(2).map(|pair| (pair[0], pair[1]));
    let safer =
        |(a, b): (SetupScore, SetupScore)| b.shortfall() <= a.shortfall() && b.goal >= a.goal;
    if pairs().all(safer) {
        return Some(LineEnd::High);
    }
    pairs().all(|(a, b)| safer((b, a))).then_some(LineEnd::Low)
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// A landscape in closed form that counts what was looked at.
    pub(in super::super) struct Formula<F> {
        pub(in super::super) axes: Vec<Levels>,
        pub(in super::super) score: F,
        pub(in super::super) seen: BTreeSet<SetupPoint>,
    }

    impl<F: Fn(&[usize]) -> SetupScore> Formula<F> {
        pub(in super::super) fn new(counts: &[usize], score: F) -> Self {
            let levels = |&count: &usize| Levels { count, ordered: true };
            Self { axes: counts.iter().map(levels).collect(), score, seen: BTreeSet::new() }
        }
    }

    impl<F: Fn(&[usize]) -> SetupScore> SearchSpace for Formula<F> {
        type Halt = std::convert::Infallible;

        fn evaluate(&mut self, points: &[SetupPoint]) -> Result<Vec<SetupScore>, Self::Halt> {
            self.seen.extend(points.iter().cloned());
            Ok(points.iter().map(|point| (self.score)(point)).collect())
        }

        fn axes(&self) -> &[Levels] {
            &self.axes
        }
    }

    #[track_caller]
    fn check(count: usize, score: impl Fn(usize) -> SetupScore, want: usize, most: usize) {
        for (start, reach) in
            [(0, SearchStart::Wide), (count / 2, SearchStart::Near), (count - 1, SearchStart::Near)]
        {
            let mut land = Formula::new(&[count], |point: &[usize]| score(point[0]));
            let Ok((found, _)) = along(&mut land, &vec![start], 0, reach);
            assert_eq!(found, [want], "{reach:?} from {start}");
            assert!(land.seen.len() <= most, "{} looked at, {reach:?}", land.seen.len());
        }
    }

    /// Kept from a level on; every level costs one more.
    fn threshold(from: usize) -> impl Fn(usize) -> SetupScore {
        move |level| SetupScore { excess: from as f64 - level as f64, goal: level as f64 }
    }

    #[test]
    fn the_smallest_that_keeps_is_found_by_bisection() {
        for from in [0, 1, 7, 500, 998, 999] {
            // Two to the tenth is 1,024; five more bear it out.
            check(1_000, threshold(from), from, 24);
        }
        check(1, threshold(0), 0, 1);
        check(2, threshold(1), 1, 2);
    }

    #[test]
    fn the_largest_is_found_where_less_is_safer() {
        let score =
            |level: usize| SetupScore { excess: level as f64 - 30.0, goal: 100.0 - level as f64 };
        check(100, score, 30, 20);
    }

    #[test]
    fn the_nearest_miss_is_found_where_nothing_keeps() {
        check(100, threshold(200), 99, 20);
    }

    #[test]
    fn the_bottom_of_a_valley_is_found() {
        let score = |level: usize| {
            let far = level as f64 - 58.0;
            SetupScore { excess: -1.0, goal: far * far }
        };
        check(100, score, 58, 24);
    }

    #[test]
    fn an_anomaly_beside_the_answer_is_seen() {
        // Kept from 40 on, but at 38 as well: a smaller one that bisection
        // alone would pass over.
        let anomaly = |level: usize| match level {
            38 => SetupScore { excess: -1.0, goal: 38.0 },
            _ => threshold(40)(level),
        };
        check(100, anomaly, 38, 24);
        let scores: Vec<SetupScore> = (36..44).map(anomaly).collect();
        assert_eq!(safer_end(&scores), None);
        assert_eq!(safer_end(&[threshold(3)(1), threshold(3)(4)]), Some(LineEnd::High));
    }
}
