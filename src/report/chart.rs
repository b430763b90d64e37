//! Charts: data first (`Chart`), then one drawing function for SVG and PNG.

mod axis;
mod canvas;
mod of_backtest;
mod of_comparison;
mod of_plan;
mod of_replications;
mod of_run;
mod png;

use std::io;

pub use of_backtest::backtest_charts;
pub use of_comparison::comparison_charts;
pub use of_plan::plan_charts;
pub use of_replications::replication_charts;
pub use of_run::{Scene, run_charts};

/// A chart: what is drawn, free of where and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// Name of the file, without an ending.
    pub name: &'static str,
    /// What is shown.
    pub title: String,
    /// What the values are, with their unit.
    pub unit: String,
    /// What a reader should know; below the chart in pages.
    pub caption: String,
    plot: Plot,
    legend: Vec<(String, Colour)>,
}

/// Red, green, blue.
type Colour = (u8, u8, u8);

#[derive(Clone, Debug, PartialEq)]
enum Plot {
    /// Nothing to show, and why.
    Nothing(&'static str),
    /// Marks over two axes.
    Plane { x: Axis, y: Axis, marks: Vec<Mark> },
    /// One bar per row, from the left.
    Bars(Bars),
    /// One interval per row, around zero.
    Forest(Forest),
    /// Planes below each other over one horizontal axis, each with its title.
    Panels { x: Axis, y: Axis, panels: Vec<(String, Vec<Mark>)> },
}

/// An axis from `low` to `high`, with a label at each tick.
#[derive(Clone, Debug, Default, PartialEq)]
struct Axis {
    low: f64,
    high: f64,
    ticks: Vec<Tick>,
    /// Below the ticks of a horizontal axis.
    caption: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Tick {
    at: f64,
    label: String,
    /// Second line, such as the date below an hour.
    below: String,
}

#[derive(Clone, Debug, PartialEq)]
enum Mark {
    /// Points joined by lines.
    Line { points: Vec<(f64, f64)>, colour: Colour, dashed: bool },
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
    /// Where the first part begins: not at the left edge in a waterfall.
    start: f64,
    parts: Vec<(f64, Colour)>,
    value: String,
}

/// Intervals in rows, and the axis that they lie on.
#[derive(Clone, Debug, Default, PartialEq)]
struct Forest {
    rows: Vec<ForestRow>,
    axis: Axis,
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

/// All that has no colour of its own.
const GREY: Colour = (150, 150, 150);

impl Chart {
    fn new(name: &'static str, title: &str, unit: &str, caption: &str) -> Self {
        Self {
            name,
            title: title.to_owned(),
            unit: unit.to_owned(),
            caption: caption.to_owned(),
            plot: Plot::Nothing("no data"),
            legend: Vec::new(),
        }
    }

    /// The chart as an SVG document of 900 points width.
    ///
    /// # Errors
    /// The error of the drawing library, which is a bug.
    pub fn svg(&self) -> io::Result<String> {
        canvas::svg(self)
    }

    /// Writes the chart as a PNG image of 1,800 pixels width.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn write_png(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let (pixels, width, height) = canvas::pixels(self)?;
        png::write(&pixels, width, height, out)
    }
}
