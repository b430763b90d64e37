//! The points of a sweep: a grid, or draws from its ranges.

use super::super::statistics::design::{Grid, latin_hypercube, random};
use super::axis::{Axis, Level};
use crate::problem::{Problem, clip};

/// Choice of the points of the space that are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Design {
    /// Every combination, the last axis fastest.
    #[default]
    Grid,
    /// Independent draws, so many.
    Random(usize),
    /// Draws, so many, each axis cut into as many slices with one draw each.
    LatinHypercube(usize),
}

/// One value per axis.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepPoint {
    /// Levels in the order of the axes.
    pub levels: Vec<Level>,
}

impl Design {
    /// Reads `random:50` or `lhs:50`.
    ///
    /// # Errors
    /// The form that is expected, in words.
    pub fn sample(text: &str) -> Result<Self, String> {
        let count = |text: &str| text.parse().ok().filter(|&points: &usize| points >= 2);
        let found = text.split_once(':').and_then(|(name, points)| match name {
            "random" => count(points).map(Self::Random),
            "lhs" => count(points).map(Self::LatinHypercube),
            _ => None,
        });
        found.ok_or_else(|| {
            "must be `random:N` or `lhs:N` with at least 2 points, such as `lhs:50`".to_owned()
        })
    }

    /// Name of the design in words.
    pub fn words(self) -> String {
        match self {
            Self::Grid => "grid".to_owned(),
            Self::Random(points) => format!("{points} random points"),
            Self::LatinHypercube(points) => format!("Latin hypercube of {points} points"),
        }
    }

    /// Points of the design on `axes`, at most `most`, each once and in order. Draws follow `seed`.
    ///
    /// # Errors
    /// A part that is missing from an axis, or too many points.
    pub fn points(self, axes: &[Axis], seed: u64, most: usize) -> Result<Vec<SweepPoint>, Problem> {
        let levels: Vec<Option<Vec<Level>>> = axes.iter().map(Axis::levels).collect();
        let shares = match self {
            Self::Grid => return grid(axes, most),
            Self::Random(points) | Self::LatinHypercube(points) if points > most => {
                return Err(too_many(points.to_string(), most));
            }
            Self::Random(points) => random(points, axes.len(), seed),
            Self::LatinHypercube(points) => latin_hypercube(points, axes.len(), seed),
        };
        let mut points: Vec<SweepPoint> = Vec::new();
        for row in shares {
            let value = |((axis, levels), share): ((&Axis, &Option<Vec<Level>>), f64)| match levels
            {
                Some(levels) => {
                    let row = libm::floor(share * levels.len() as f64) as usize;
                    levels[row.min(levels.len() - 1)].clone()
                }
                None => axis.between(share),
            };
            let point =
                SweepPoint { levels: axes.iter().zip(&levels).zip(row).map(value).collect() };
            points.push(point);
        }
        let mut seen = std::collections::BTreeSet::new();
        points.retain(|point| seen.insert(point.texts()));
        Ok(points)
    }
}

impl SweepPoint {
    fn texts(&self) -> Vec<String> {
        self.levels.iter().map(|level| level.text.clone()).collect()
    }

    /// The edits of the scenario that lead to it.
    pub fn edits(&self, axes: &[Axis]) -> Vec<(String, String)> {
        let pair = |(axis, level): (&Axis, &Level)| (axis.key.clone(), level.text.clone());
        axes.iter().zip(&self.levels).map(pair).collect()
    }
}

fn grid(axes: &[Axis], most: usize) -> Result<Vec<SweepPoint>, Problem> {
    let mut all = Vec::new();
    for axis in axes {
        let Some(levels) = axis.grid() else {
            let message = "the range does not say how many values it has";
            let problem = Problem::with(&clip(&format!("--set {}", axis.key)), message);
            return Err(problem
                .hint("write `10..40:4` for 4 values or `10..40 step 10`, or draw points with `--sample lhs:50`"));
        };
        all.push(levels);
    }
    let sizes: Vec<usize> = all.iter().map(|levels| levels.len()).collect();
    let grid = Grid::new(&sizes);
    match grid.points() {
        Some(points) if points <= most => {}
        points => {
            let points = points
                .map_or_else(|| "more than a number holds".to_owned(), |points| points.to_string());
            return Err(too_many(points, most));
        }
    }
    let point = |rows: Vec<usize>| SweepPoint {
        levels: rows.iter().zip(&all).map(|(&row, levels)| levels[row].clone()).collect(),
    };
    Ok(grid.map(point).collect())
}

fn too_many(points: String, most: usize) -> Problem {
    let message = format!("the sweep has too many points: {points}, at most {most} fit");
    Problem::with("windtunnel", message)
        .hint("take fewer values, policies or replications, draw points with `--sample lhs:50`, or raise `--max-runs`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(key: &str, values: &str) -> Axis {
        Axis::read(key, values).ok().flatten().expect("an axis")
    }

    fn texts(points: &[SweepPoint]) -> Vec<String> {
        points.iter().map(|point| point.texts().join(" ")).collect()
    }

    #[test]
    fn a_grid_is_expanded_with_the_last_axis_fastest() {
        let axes = [axis("cluster.c.nodes", "1..2:2"), axis("policy.p.preset", "x,y,z")];
        let points = Design::Grid.points(&axes, 1, 6).expect("it fits");
        assert_eq!(texts(&points), ["1 x", "1 y", "1 z", "2 x", "2 y", "2 z"]);
        let edits = [("cluster.c.nodes", "2"), ("policy.p.preset", "x")];
        let edits = edits.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(points[3].edits(&axes), edits);
        let problem = Design::Grid.points(&axes, 1, 5).expect_err("it is too large");
        assert_eq!(problem.message, "the sweep has too many points: 6, at most 5 fit");
        let endless = vec![axis("a", "1..2:9999"); 9];
        assert!(Design::Grid.points(&endless, 1, 5).is_err());
    }

    #[test]
    fn a_grid_needs_to_know_how_many() {
        let texts = |values| {
            let points = Design::Grid.points(&[axis("cluster.c.nodes", values)], 1, 9);
            texts(&points.expect("it fits"))
        };
        assert_eq!(texts("1..3"), ["1", "2", "3"]);
        assert_eq!(texts("1..9 step 4"), ["1", "5", "9"]);
        let axes = [axis("policy.p.provision.cheapest.after_wait", "1 min..2 min")];
        let problem = Design::Grid.points(&axes, 1, 9).expect_err("it does not say");
        assert_eq!(problem.path, "--set policy.p.provision.cheapest.after_wait");
    }

    /// Every tenth of the range holds one draw of ten; on a logarithmic range,
    /// every tenth of the logarithms.
    #[test]
    fn a_latin_hypercube_fills_every_slice() {
        let axes = [axis("cluster.c.speed", "2..4"), axis("cluster.d.speed", "log:1..1024")];
        let points = Design::LatinHypercube(10).points(&axes, 7, 10).expect("it fits");
        let slices = |place: &dyn Fn(&SweepPoint) -> f64| {
            let mut slices: Vec<usize> =
                points.iter().map(|point| (place(point) * 10.0) as usize).collect();
            slices.sort_unstable();
            slices
        };
        let all: Vec<usize> = (0..10).collect();
        assert_eq!(slices(&|point| (point.levels[0].at - 2.0) / 2.0), all);
        assert_eq!(slices(&|point| point.levels[1].at.log2() / 10.0), all);
    }

    #[test]
    fn the_same_point_is_drawn_once() {
        let axes = [axis("cluster.c.nodes", "1..3")];
        let points = Design::Random(50).points(&axes, 1, 50).expect("it fits");
        let mut found = texts(&points);
        found.sort();
        assert_eq!(found, ["1", "2", "3"]);
        assert!(Design::Random(51).points(&axes, 1, 50).is_err());
    }

    #[test]
    fn samples_are_named() {
        assert_eq!(Design::sample("lhs:50"), Ok(Design::LatinHypercube(50)));
        assert_eq!(Design::sample("random:2"), Ok(Design::Random(2)));
        for text in ["lhs", "lhs:1", "lhs:x", "sobol:9", ""] {
            assert!(Design::sample(text).is_err(), "{text}");
        }
    }
}
