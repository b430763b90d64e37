//! Several variables: line by line until no line is better, then exchanges,
//! which give up some of one variable and make good for it with the others.
//! A search of single lines alone would stop wherever a promise binds.
//!
//! Pattern search after Hooke and Jeeves, "Direct search solution of numerical
//! and statistical problems", Journal of the ACM 8(2), 1961.

use super::line::{SearchSpace, SearchStart, SetupPoint, along};
use super::score::SetupScore;

/// First step of an exchange, as a share of the levels.
const FIRST_STEP: usize = 4;

/// Goes down from `start`. An exchange is made only for a gain beyond
/// `margin`, a share of the goal.
pub(super) fn descend<L: SearchSpace>(
    land: &mut L,
    start: SetupPoint,
    margin: f64,
) -> Result<(SetupPoint, SetupScore), L::Halt> {
    let score = land.evaluate(std::slice::from_ref(&start))?[0];
    let mut best = (start, score);
    let mut reach = SearchStart::Wide;
    loop {
        while let Some(better) = lines(land, &best, reach)? {
            best = better;
            reach = SearchStart::Near;
        }
        if land.axes().len() == 1 {
            return Ok(best);
        }
        match exchange(land, &best, margin)? {
            Some(better) => best = better,
            None => return Ok(best),
        }
    }
}

/// Searches each line in turn; returns the better point, if one was found.
fn lines<L: SearchSpace>(
    land: &mut L,
    best: &(SetupPoint, SetupScore),
    reach: SearchStart,
) -> Result<Option<(SetupPoint, SetupScore)>, L::Halt> {
    let mut at = best.clone();
    for axis in 0..land.axes().len() {
        let found = along(land, &at.0, axis, reach)?;
        if found.1.beats(&at.1) {
            at = found;
        }
    }
    Ok(at.1.beats(&best.1).then_some(at))
}

/// Moves one variable, by less and less, and lets each of the others answer.
fn exchange<L: SearchSpace>(
    land: &mut L,
    best: &(SetupPoint, SetupScore),
    margin: f64,
) -> Result<Option<(SetupPoint, SetupScore)>, L::Halt> {
    let goal = best.1.goal - margin * best.1.goal.abs();
    let target = if best.1.kept() { SetupScore { goal, ..best.1 } } else { best.1 };
    let most = land.axes().iter().map(|levels| levels.count).max().unwrap_or(1);
    let mut divisor = FIRST_STEP;
    loop {
        for axis in 0..land.axes().len() {
            for moved in moves(land, &best.0, axis, divisor) {
                let mut at = (moved.clone(), land.evaluate(&[moved])?[0]);
                for other in (0..land.axes().len()).filter(|&other| other != axis) {
                    let found = along(land, &at.0, other, SearchStart::Brief)?;
                    if found.1.beats(&at.1) {
                        at = found;
                    }
                }
                if at.1.beats(&target) {
                    return Ok(Some(at));
                }
            }
        }
        if divisor >= most {
            return Ok(None);
        }
        divisor *= 2;
    }
}

/// The points a step to either side of `from`; all others where there is no order.
fn moves<L: SearchSpace>(
    land: &L,
    from: &SetupPoint,
    axis: usize,
    divisor: usize,
) -> Vec<SetupPoint> {
    let levels = land.axes()[axis];
    let here = from[axis];
    let wanted: Vec<usize> = match levels.ordered {
        false if divisor == FIRST_STEP => (0..levels.count).collect(),
        false => Vec::new(),
        // The last round of a variable is the one with steps of one level.
        true if divisor / 2 >= levels.count && divisor > FIRST_STEP => Vec::new(),
        true => {
            let step = (levels.count / divisor).max(1);
            vec![here.saturating_sub(step), (here + step).min(levels.count - 1)]
        }
    };
    let point = |level| {
        let mut point = from.clone();
        point[axis] = level;
        point
    };
    wanted.into_iter().filter(|&level| level != here).map(point).collect()
}

#[cfg(test)]
mod tests {
    use super::super::line::Levels;
    use super::super::line::tests::Formula;
    use super::*;

    #[test]
    fn it_goes_along_a_binding_promise() {
        // 3 x + 2 y >= 120, at 4 and 3 a piece: x alone, at 160, is cheapest,
        // though from the middle both lines end where the promise binds.
        let score = |point: &[usize]| {
            let (x, y) = (point[0] as f64, point[1] as f64);
            SetupScore { excess: 120.0 - 3.0 * x - 2.0 * y, goal: 4.0 * x + 3.0 * y }
        };
        let mut land = Formula::new(&[61, 61], score);
        let Ok((found, best)) = descend(&mut land, vec![30, 30], 0.0);
        assert_eq!((found, best.goal), (vec![40, 0], 160.0));
        assert!(land.seen.len() < 400, "{} of {} points", land.seen.len(), 61 * 61);
    }

    #[test]
    fn a_curved_boundary_is_followed() {
        // x y >= 400 at 1 and 4 a piece: x = 40, y = 10 costs 80.
        let score = |point: &[usize]| {
            let (x, y) = (point[0] as f64, point[1] as f64);
            SetupScore { excess: 400.0 - x * y, goal: x + 4.0 * y }
        };
        let mut land = Formula::new(&[101, 101], score);
        let Ok((_, best)) = descend(&mut land, vec![50, 50], 0.0);
        assert!(best.kept() && best.goal <= 80.0, "{best:?}");
    }

    #[test]
    fn words_are_tried_with_their_own_best_numbers() {
        // The third word needs a quarter of the machines and costs 5 more.
        let score = |point: &[usize]| {
            let needed = [40.0, 40.0, 10.0][point[1]];
            let extra = [0.0, 0.0, 5.0][point[1]];
            SetupScore { excess: needed - point[0] as f64, goal: point[0] as f64 + extra }
        };
        let mut land = Formula::new(&[64, 3], score);
        land.axes[1] = Levels { count: 3, ordered: false };
        let Ok((found, best)) = descend(&mut land, vec![32, 0], 0.0);
        assert_eq!((found, best.goal), (vec![10, 2], 15.0));
    }
}
