//! Charts: data first (`Chart`), then one drawing function for SVG and PNG.

mod axis;
mod canvas;
mod of_backtest;
mod of_breakdown;
mod of_budgets;
mod of_commit;
mod of_comparison;
mod of_courses;
mod of_drill;
mod of_faults;
mod of_fit;
mod of_money;
mod of_occupancy;
mod of_outlook;
mod of_plan;
mod of_replications;
mod of_run;
mod of_sweep;
mod png;

use std::io;

pub use of_backtest::backtest_charts;

pub(super) use of_budgets::BUDGETS;
pub use of_commit::commit_charts;
pub use of_comparison::comparison_charts;
pub use of_drill::drill_charts;
pub(super) use of_fit::fit_charts;
pub use of_money::money_charts;
pub use of_outlook::outlook_charts;
pub use of_plan::plan_charts;
pub use of_replications::replication_charts;
pub(super) use of_run::OBJECTIVES;
pub use of_run::{Scene, run_charts};
pub use of_sweep::sweep_charts;

/// A chart: what is drawn, free of where and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// Name of the file, without an ending.
    pub name: String,
    /// Title that names what is shown.
    pub title: String,
    /// Meaning of the values, with their unit.
    pub unit: String,
    /// Note that a reader should know; below the chart in pages.
    pub caption: String,
    plot: Plot,
    legend: Vec<(String, Colour)>,
}

/// Colour as red, green and blue.
type Colour = (u8, u8, u8);

#[derive(Clone, Debug, PartialEq)]
enum Plot {
    /// No plot, and the reason why there is nothing to show.
    Nothing(&'static str),
    /// Marks over two axes.
    Plane { x: ChartAxis, y: ChartAxis, marks: Vec<ChartMark> },
    /// Bars from the left, one per row.
    Bars(Bars),
    /// Intervals around zero, one per row.
    Forest(Forest),
    /// Planes below each other over one horizontal axis, each with its title.
    Panels { x: ChartAxis, y: ChartAxis, panels: Vec<(String, Vec<ChartMark>)> },
    /// A coloured cell at each pair of values.
    Heat(Heat),
    /// Bars to both sides of a middle.
    Tornado(Tornado),
}

impl Plot {
    /// Whether there are words above the plot at the right.
    fn has_caption(&self) -> bool {
        match self {
            Self::Plane { x, .. } | Self::Panels { x, .. } => !x.caption.is_empty(),
            Self::Nothing(_) | Self::Bars(_) | Self::Forest(_) => false,
            Self::Heat(_) | Self::Tornado(_) => false,
        }
    }
}

/// An axis from `low` to `high`, with a label at each tick.
#[derive(Clone, Debug, Default, PartialEq)]
struct ChartAxis {
    low: f64,
    high: f64,
    ticks: Vec<Tick>,
    /// Below the ticks of a horizontal axis.
    caption: String,
}

/// Points of a line.
type LinePoints = Vec<(f64, f64)>;

/// Whether `line` lies nearly all on one of `others`, which it would hide.
fn hides(line: &[(f64, f64)], others: &[LinePoints]) -> bool {
    let same = |other: &LinePoints| line.iter().zip(other).filter(|(a, b)| a == b).count();
    others.iter().any(|other| 10 * same(other) >= 9 * line.len().min(other.len()).max(1))
}

impl ChartAxis {
    /// Whether a value lies on the axis, up to rounding.
    fn holds(&self, value: f64) -> bool {
        let room = (self.high - self.low) * 1e-6;
        (self.low - room..=self.high + room).contains(&value)
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Tick {
    at: f64,
    label: String,
    /// Second line, such as the date below an hour.
    below: String,
}

#[derive(Clone, Debug, PartialEq)]
enum ChartMark {
    /// Points joined by lines.
    Line { points: Vec<(f64, f64)>, colour: Colour, dashed: bool },
    /// A thin line, such as the edge of a band.
    Edge { points: Vec<(f64, f64)>, colour: Colour },
    /// A name beside a place.
    Words { at: (f64, f64), words: String },
    /// A dot at each point.
    Dots { points: Vec<(f64, f64)>, colour: Colour, radius: i32 },
    /// The area between two lines over the same points.
    Area { upper: Vec<(f64, f64)>, lower: Vec<(f64, f64)>, colour: Colour, opacity: f64 },
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Bars {
    rows: Vec<BarRow>,
    /// Value at the right edge.
    high: f64,
    /// A line across all rows, with its label.
    guide: Option<(f64, String)>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct BarRow {
    label: String,
    below: String,
    /// Position where the first part begins: not at the left edge in a waterfall.
    start: f64,
    parts: Vec<(f64, Colour)>,
    value: String,
}

/// Intervals in rows, and the axis that they lie on.
#[derive(Clone, Debug, Default, PartialEq)]
struct Forest {
    rows: Vec<ForestRow>,
    axis: ChartAxis,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct ForestRow {
    label: String,
    below: String,
    /// Low end, mean and high end.
    interval: (f64, f64, f64),
    /// Single values behind the interval.
    dots: Vec<f64>,
    colour: Colour,
    /// Words at the right edge.
    value: String,
}

/// Values in rows and columns, as colours.
#[derive(Clone, Debug, Default, PartialEq)]
struct Heat {
    /// Labels from the left, and what they are values of.
    columns: Vec<String>,
    across: String,
    /// Labels from below, and what they are values of.
    rows: Vec<String>,
    up: String,
    /// Value and its words, by row, then column; `None` where there is nothing.
    cells: Vec<Vec<Option<(f64, String)>>>,
    /// Value of the darkest colour.
    low: f64,
    /// Value of the lightest colour.
    high: f64,
    /// Values that the legend names.
    ticks: Vec<(f64, String)>,
}

impl Heat {
    /// Shares over time, from none to all: no words in the cells.
    fn of_shares(
        columns: Vec<String>,
        rows: Vec<String>,
        shares: impl Iterator<Item = Vec<Option<f64>>>,
    ) -> Self {
        let cells = |row: Vec<Option<f64>>| {
            row.into_iter().map(|share| share.map(|share| (share, String::new()))).collect()
        };
        let ticks = [(0.0, "0 %"), (0.5, "50 %"), (1.0, "100 %")];
        Self {
            columns,
            across: "UTC".to_owned(),
            rows,
            up: String::new(),
            cells: shares.map(cells).collect(),
            low: 0.0,
            high: 1.0,
            ticks: ticks.map(|(at, label)| (at, label.to_owned())).to_vec(),
        }
    }

    /// Share of the way from the darkest to the lightest colour at which a value lies; half where
    /// all values are one.
    fn share(&self, value: f64) -> f64 {
        if self.high > self.low { (value - self.low) / (self.high - self.low) } else { 0.5 }
    }
}

/// Bars from the lowest to the highest value of each row, around zero.
#[derive(Clone, Debug, Default, PartialEq)]
struct Tornado {
    rows: Vec<TornadoRow>,
    axis: ChartAxis,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct TornadoRow {
    label: String,
    below: String,
    /// Lowest and highest value, with zero between them.
    ends: (f64, f64),
    /// Colours of the part below zero, and of that above.
    colours: (Colour, Colour),
    /// Words beside the bar.
    left: String,
    right: String,
    /// Words at the right edge.
    value: String,
}

/// Colours that people with any colour vision tell apart (Okabe and Ito,
/// "Color Universal Design", 2008), the light yellow replaced by a dark one.
const PALETTE: [Colour; 8] = [
    (0, 114, 178),
    (230, 159, 0),
    (0, 158, 115),
    (204, 121, 167),
    (86, 180, 233),
    (213, 94, 0),
    (94, 60, 153),
    (148, 132, 20),
];

/// Colour of everything without a colour of its own.
const GREY: Colour = (150, 150, 150);

/// Colours that lines and words of every chart are drawn in.
#[cfg(test)]
pub(super) fn shared_colours() -> [Colour; 3] {
    [canvas::INK, canvas::SOFT, canvas::GRID]
}

impl Chart {
    fn new(name: &str, title: &str, unit: &str, caption: &str) -> Self {
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            unit: unit.to_owned(),
            caption: caption.to_owned(),
            plot: Plot::Nothing("no data"),
            legend: Vec::new(),
        }
    }

    /// Reason why there is nothing to draw, in a sentence's words; `None` if there is something.
    pub(super) fn nothing(&self) -> Option<&str> {
        match &self.plot {
            Plot::Nothing(why) => Some(why),
            _ => None,
        }
    }

    /// The chart as an SVG document of 780 points width.
    ///
    /// # Errors
    /// The error of the drawing library, which is a bug.
    pub fn svg(&self) -> io::Result<String> {
        canvas::svg(self)
    }

    /// The chart as an SVG document of 380 points width, for a phone.
    ///
    /// # Errors
    /// The error of the drawing library, which is a bug.
    pub(super) fn narrow_svg(&self) -> io::Result<String> {
        canvas::narrow_svg(self)
    }

    /// Writes the chart as a PNG image of 1,560 pixels width.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn write_png(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let (pixels, width, height) = canvas::pixels(self)?;
        png::write(&pixels, width, height, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_on_one_another_are_known() {
        let line = |by: f64| -> LinePoints { (0..20).map(|at| (f64::from(at), by)).collect() };
        let mut nearly = line(1.0);
        nearly[19].1 = 2.0;
        assert!(hides(&line(1.0), &[line(3.0), nearly]));
        assert!(!hides(&line(1.0), &[line(3.0)]));
        assert!(!hides(&line(1.0), &[]));
        assert!(!hides(&[], &[line(1.0)]));
    }
}
