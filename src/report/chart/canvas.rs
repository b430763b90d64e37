//! Draws a chart. SVG and PNG come from one function; it works at twice the
//! size shown, so that lines are smooth in both.

mod heat;
mod marks;
mod rows;
mod tornado;

use std::io;
use std::sync::Once;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{FontStyle, register_font};

use super::super::figure::clean;
use super::{Chart, ChartAxis, ChartMark, Colour, Plot, Tick};
use heat::draw_heat;
use marks::{dashes, draw_mark, draw_words};
use rows::{draw_bars, draw_forest};
use tornado::draw_tornado;

/// Width of the drawing; shown at half of it, and so wide that its words are as
/// large as those of the page around it.
const WIDTH: i32 = 1_560;
/// Width of the drawing for a phone.
const NARROW: i32 = 760;
/// Height of the plot itself.
const PLOT: i32 = 560;
/// Height of the cells of a heat map of two to seven rows.
const CELL: i32 = 80;
/// Height of one of several plots, with its title.
const PANEL: i32 = 300;
/// Height of the title of one of several plots.
const PANEL_TITLE: i32 = 60;
/// Height of one bar with its space.
const BAR: i32 = 76;
/// Space left of the plot, for the labels of its axis.
const LEFT: i32 = 170;
/// Space left of bars, for their names; on a phone the names are above them.
const BAR_LEFT: i32 = 480;
/// Height of a name above its bar.
const NAME: i32 = 40;
const RIGHT: i32 = 60;
/// Space left of title and unit.
const MARGIN: i32 = 40;
/// Height of a line of the title, and of the unit.
const TITLE_LINE: i32 = 46;
const UNIT_LINE: i32 = 34;
/// Space above the plot, for title and unit.
const TOP: i32 = 140;
/// Height of one line of the legend.
const LINE: i32 = 42;

pub(super) const INK: Colour = (32, 36, 44);
pub(super) const SOFT: Colour = (90, 98, 110);
pub(super) const GRID: Colour = (226, 229, 234);

/// SVG names this font; what is drawn by ourselves is always the first one.
const FONT: &str = "DejaVu Sans, sans-serif";

type Area<DB> = DrawingArea<DB, Shift>;
type Drawn<DB> = Result<(), DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>>;

fn use_font() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let font = include_bytes!("../../../assets/DejaVuSans-subset.ttf");
        assert!(register_font(FONT, FontStyle::Normal, font).is_ok(), "the font can be read");
    });
}

fn failed(error: impl std::fmt::Display) -> io::Error {
    io::Error::other(error.to_string())
}

/// The chart as an SVG document.
pub(super) fn svg(chart: &Chart) -> io::Result<String> {
    svg_of(chart, WIDTH)
}

/// The chart as an SVG document for a phone.
pub(super) fn narrow_svg(chart: &Chart) -> io::Result<String> {
    svg_of(chart, NARROW)
}

fn svg_of(chart: &Chart, width: i32) -> io::Result<String> {
    use_font();
    let layout = Layout::of(chart, width);
    let mut text = String::new();
    let size = (width as u32, layout.height as u32);
    let area = SVGBackend::with_string(&mut text, size).into_drawing_area();
    draw(&area, chart, &layout).and_then(|()| area.present()).map_err(failed)?;
    drop(area);
    let (full, half) = (
        format!("width=\"{}\" height=\"{}\"", size.0, size.1),
        format!("width=\"{}\" height=\"{}\"", size.0 / 2, size.1 / 2),
    );
    Ok(text.replacen(&full, &half, 1))
}

/// The chart as pixels of three bytes, with width and height.
pub(super) fn pixels(chart: &Chart) -> io::Result<(Vec<u8>, u32, u32)> {
    use_font();
    let layout = Layout::of(chart, WIDTH);
    let (width, height) = (WIDTH as u32, layout.height as u32);
    let mut buffer = vec![0; width as usize * height as usize * 3];
    let area = BitMapBackend::with_buffer(&mut buffer, (width, height)).into_drawing_area();
    draw(&area, chart, &layout).and_then(|()| area.present()).map_err(failed)?;
    drop(area);
    Ok((buffer, width, height))
}

/// Positions of the parts of a chart, in pixels.
#[derive(Clone, Debug, Default)]
struct Layout {
    width: i32,
    /// Lines of the title, then of the unit.
    words: [Vec<String>; 2],
    /// Height of a bar or interval with its space, its name included where that is above.
    row: i32,
    left: i32,
    right: i32,
    top: i32,
    bottom: i32,
    height: i32,
    /// Place of each entry of the legend.
    legend: Vec<(i32, i32)>,
}

impl Layout {
    fn of(chart: &Chart, width: i32) -> Self {
        let narrow = width < WIDTH;
        let (row, names) = if narrow { (BAR + NAME, MARGIN) } else { (BAR, BAR_LEFT) };
        let all_rows = |rows: usize| row * rows.max(1) as i32;
        let (left, plot, below) = match &chart.plot {
            Plot::Bars(bars) => (names, all_rows(bars.rows.len()), 60),
            Plot::Plane { x, .. } if x.ticks.iter().all(|tick| tick.below.is_empty()) => {
                (LEFT, PLOT, 110)
            }
            Plot::Plane { .. } => (LEFT, PLOT, 150),
            Plot::Forest(forest) => (names, all_rows(forest.rows.len()), 90),
            Plot::Panels { panels, .. } => (LEFT, PANEL * panels.len().max(1) as i32, 150),
            Plot::Heat(heat) => (LEFT, CELL * heat.rows.len().clamp(2, 7) as i32, 110),
            Plot::Tornado(tornado) => (names, all_rows(tornado.rows.len()), 90),
            Plot::Nothing(_) => (LEFT, PLOT / 2, 30),
        };
        let left = match &chart.plot {
            Plot::Plane { y, .. } | Plot::Panels { y, .. } if narrow => room_for_labels(y),
            Plot::Plane { y, .. } | Plot::Panels { y, .. } => left.max(room_for_labels(y)),
            Plot::Heat(heat) => {
                let widest = heat.rows.iter().map(|row| text_width(&shown(row), 24)).max();
                left.max(widest.unwrap_or(0) + 18 + 20)
            }
            _ => left,
        };
        // A heat map has the name of its rows above it.
        let mut top = if matches!(chart.plot, Plot::Heat(_)) { TOP + LINE } else { TOP };
        let room = width - 2 * MARGIN;
        let words = match narrow {
            true => [lines(&clean(&chart.title), 36, room), lines(&chart.unit, 26, room)],
            false => [vec![clean(&chart.title)], vec![chart.unit.clone()]],
        };
        top += TITLE_LINE * (words[0].len() as i32 - 1) + UNIT_LINE * (words[1].len() as i32 - 1);
        if narrow && chart.plot.has_caption() {
            top += LINE;
        }
        let right = width - if narrow { MARGIN } else { RIGHT };
        let bottom = top + plot;
        let first = if narrow { MARGIN } else { LEFT.min(left) };
        let mut at = (first, bottom + below);
        let mut legend = Vec::new();
        for (name, _) in &chart.legend {
            let entry = 44 + text_width(&shown(name), 26) + 40;
            if at.0 + entry > right && at.0 > first {
                at = (first, at.1 + LINE);
            }
            legend.push(at);
            at.0 += entry;
        }
        let height = at.1 + if legend.is_empty() { 0 } else { LINE + 16 };
        let height = (height + 1) / 2 * 2;
        Self { width, words, row, left, right, top, bottom, height, legend }
    }

    /// The middle of a row's bar.
    fn middle(&self, row: i32) -> i32 {
        self.top + (row + 1) * self.row - BAR / 2
    }

    fn x(&self, axis: &ChartAxis, value: f64) -> i32 {
        let share = (value - axis.low) / (axis.high - axis.low);
        self.left + libm::round(share.clamp(0.0, 1.0) * f64::from(self.right - self.left)) as i32
    }

    fn y(&self, axis: &ChartAxis, value: f64) -> i32 {
        let share = (value - axis.low) / (axis.high - axis.low);
        self.bottom - libm::round(share.clamp(0.0, 1.0) * f64::from(self.bottom - self.top)) as i32
    }
}

/// Space left of a plot for the labels of its axis.
fn room_for_labels(axis: &ChartAxis) -> i32 {
    let widest = axis.ticks.iter().map(|tick| text_width(&tick.label, 26)).max();
    widest.unwrap_or(0) + 18 + 20
}

/// Longest name that is shown in full.
const LONGEST: usize = 48;

/// A name from outside: without control characters, cut in the middle where
/// it is very long, for its end tells offers apart.
fn shown(name: &str) -> String {
    let name = clean(name);
    let length = name.chars().count();
    if length <= LONGEST {
        return name;
    }
    let head: String = name.chars().take(LONGEST / 2).collect();
    let tail: String = name.chars().skip(length - LONGEST / 2 + 1).collect();
    format!("{head}…{tail}")
}

/// Words in lines of at most `room` pixels; a longer word has a line of its own.
fn lines(words: &str, size: i32, room: i32) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words.split(' ') {
        let last = lines.last_mut().expect("there is a line");
        let longer = if last.is_empty() { word.to_owned() } else { format!("{last} {word}") };
        if last.is_empty() || text_width(&longer, size) <= room {
            *last = longer;
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// The name of a row and what is below it: left of its bar, or above where there is no room.
fn name_row<DB: DrawingBackend>(
    area: &Area<DB>,
    layout: &Layout,
    middle: i32,
    (label, below): (&str, &str),
) -> Drawn<DB> {
    let (label, below) = (shown(label), shown(below));
    if layout.row > BAR {
        let at = name_above(middle);
        text(area, &label, (MARGIN, at), (26, INK), (HPos::Left, VPos::Center))?;
        let place = (MARGIN + text_width(&label, 26) + 20, at);
        return text(area, &below, place, (24, SOFT), (HPos::Left, VPos::Center));
    }
    let names = BAR_LEFT - 20;
    let place = (names, if below.is_empty() { middle } else { middle - 16 });
    text(area, &label, place, (26, INK), (HPos::Right, VPos::Center))?;
    text(area, &below, (names, middle + 18), (24, SOFT), (HPos::Right, VPos::Center))
}

/// Place of the values of rows, at the right edge: beside the bars, or on the line of the names
/// where those are above and every line has room for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Values {
    /// Taking so much room, with space, from the bars.
    Beside(i32),
    Above,
}

impl Values {
    /// Values of rows, each with a name, words below it, and a value.
    fn of<'a>(layout: &Layout, rows: impl Iterator<Item = [&'a str; 3]> + Clone) -> Self {
        let value = |[.., value]: [&str; 3]| text_width(value, 26);
        let whole = |row: [&str; 3]| {
            let [name, below] = [row[0], row[1]].map(shown);
            MARGIN + text_width(&name, 26) + 20 + text_width(&below, 24) + 20 + value(row)
        };
        match layout.row > BAR && rows.clone().all(|row| whole(row) <= layout.right) {
            true => Self::Above,
            false => Self::Beside(rows.map(value).max().unwrap_or(0) + 30),
        }
    }

    /// Room that the bars lose.
    const fn room(self) -> i32 {
        match self {
            Self::Beside(room) => room,
            Self::Above => 0,
        }
    }

    fn draw<DB: DrawingBackend>(
        self,
        area: &Area<DB>,
        layout: &Layout,
        middle: i32,
        value: &str,
    ) -> Drawn<DB> {
        let at = match self {
            Self::Beside(_) => middle,
            Self::Above => name_above(middle),
        };
        text(area, value, (layout.right, at), (26, INK), (HPos::Right, VPos::Center))
    }
}

/// The line of a name above its bar.
const fn name_above(middle: i32) -> i32 {
    middle - BAR / 2 - 4
}

fn text_width(text: &str, size: i32) -> i32 {
    let font: FontDesc<'_> = (FONT, f64::from(size)).into();
    font.box_size(text).map_or(0, |(width, _)| width as i32)
}

fn colour((red, green, blue): Colour) -> RGBColor {
    RGBColor(red, green, blue)
}

fn text<DB: DrawingBackend>(
    area: &Area<DB>,
    words: &str,
    at: (i32, i32),
    (size, ink): (i32, Colour),
    (hpos, vpos): (HPos, VPos),
) -> Drawn<DB> {
    if words.is_empty() {
        return Ok(());
    }
    let ink = colour(ink);
    let style =
        TextStyle::from((FONT, f64::from(size)).into_font()).color(&ink).pos(Pos::new(hpos, vpos));
    area.draw(&Text::new(words.to_owned(), at, style))
}

fn draw<DB: DrawingBackend>(area: &Area<DB>, chart: &Chart, layout: &Layout) -> Drawn<DB> {
    area.fill(&WHITE)?;
    let [title, unit] = &layout.words;
    for (words, at) in title.iter().zip(0..) {
        let place = (MARGIN, 34 + at * TITLE_LINE);
        text(area, words, place, (36, INK), (HPos::Left, VPos::Top))?;
    }
    for (words, at) in unit.iter().zip(0..) {
        let place = (MARGIN, 88 + (title.len() as i32 - 1) * TITLE_LINE + at * UNIT_LINE);
        text(area, words, place, (26, SOFT), (HPos::Left, VPos::Top))?;
    }
    match &chart.plot {
        Plot::Nothing(why) => {
            let middle = ((layout.left + layout.right) / 2, (layout.top + layout.bottom) / 2);
            text(area, why, middle, (32, SOFT), (HPos::Center, VPos::Center))?;
        }
        Plot::Plane { x, y, marks } => {
            plane(area, layout, (x, y), marks)?;
            caption(area, layout, x)?;
        }
        Plot::Bars(bars) => draw_bars(area, layout, bars)?,
        Plot::Forest(forest) => draw_forest(area, layout, forest)?,
        Plot::Heat(heat) => draw_heat(area, layout, heat)?,
        Plot::Tornado(tornado) => draw_tornado(area, layout, tornado)?,
        Plot::Panels { x, y, panels } => {
            for (at, (title, marks)) in (0..).zip(panels) {
                let last = at + 1 == panels.len() as i32;
                draw_panel(area, layout, at, (title, last), (x, y), marks)?;
            }
            caption(area, layout, x)?;
        }
    }
    for ((name, ink), &(x, y)) in chart.legend.iter().zip(&layout.legend) {
        area.draw(&Rectangle::new([(x, y - 12), (x + 28, y + 12)], colour(*ink).filled()))?;
        text(area, &shown(name), (x + 42, y), (26, INK), (HPos::Left, VPos::Center))?;
    }
    Ok(())
}

/// Caption of a horizontal axis, above the plot.
fn caption<DB: DrawingBackend>(area: &Area<DB>, layout: &Layout, x: &ChartAxis) -> Drawn<DB> {
    let place = (layout.right, layout.top - 30);
    text(area, &x.caption, place, (24, SOFT), (HPos::Right, VPos::Center))
}

fn line<DB: DrawingBackend>(
    area: &Area<DB>,
    points: Vec<(i32, i32)>,
    ink: Colour,
    width: u32,
) -> Drawn<DB> {
    area.draw(&PathElement::new(points, colour(ink).stroke_width(width)))
}

fn plane<DB: DrawingBackend>(
    area: &Area<DB>,
    layout: &Layout,
    (x, y): (&ChartAxis, &ChartAxis),
    marks: &[ChartMark],
) -> Drawn<DB> {
    for tick in &y.ticks {
        let at = layout.y(y, tick.at);
        line(area, vec![(layout.left, at), (layout.right, at)], GRID, 2)?;
        let place = (layout.left - 18, at);
        text(area, &tick.label, place, (26, SOFT), (HPos::Right, VPos::Center))?;
    }
    for mark in marks {
        draw_mark(area, layout, (x, y), mark)?;
    }
    line(area, vec![(layout.left, layout.bottom), (layout.right, layout.bottom)], SOFT, 2)?;
    let mut free_from = 0;
    for tick in &x.ticks {
        free_from = x_tick(area, layout, (layout.x(x, tick.at), free_from), tick)?;
    }
    draw_words(area, layout, (x, y), marks)
}

/// Draws one of several planes; only the last has the labels of the horizontal axis.
fn draw_panel<DB: DrawingBackend>(
    area: &Area<DB>,
    layout: &Layout,
    at: i32,
    (title, last): (&str, bool),
    (x, y): (&ChartAxis, &ChartAxis),
    marks: &[ChartMark],
) -> Drawn<DB> {
    let top = layout.top + at * PANEL + PANEL_TITLE;
    let inner = Layout { top, bottom: layout.top + (at + 1) * PANEL, ..layout.clone() };
    let place = (layout.left, top - 14);
    text(area, &shown(title), place, (26, INK), (HPos::Left, VPos::Bottom))?;
    if last {
        return plane(area, &inner, (x, y), marks);
    }
    let silent = |tick: &Tick| Tick { at: tick.at, ..Tick::default() };
    let ticks = x.ticks.iter().map(silent).collect();
    plane(area, &inner, (&ChartAxis { ticks, caption: String::new(), ..*x }, y), marks)
}

/// Draws a tick, its label only where there is room; returns where the next
/// label may begin.
fn x_tick<DB: DrawingBackend>(
    area: &Area<DB>,
    layout: &Layout,
    (at, free_from): (i32, i32),
    tick: &Tick,
) -> Result<i32, DrawingAreaErrorKind<DB::ErrorType>> {
    line(area, vec![(at, layout.bottom), (at, layout.bottom + 10)], SOFT, 2)?;
    let half = text_width(&tick.label, 26).max(text_width(&tick.below, 26)) / 2;
    if at - half < free_from {
        return Ok(free_from);
    }
    // A long label at the right edge moves to the left to be read in full.
    let at = at.min(layout.width - 12 - half);
    let place = |row: i32| (at, layout.bottom + 20 + row * 36);
    text(area, &tick.label, place(0), (26, SOFT), (HPos::Center, VPos::Top))?;
    text(area, &tick.below, place(1), (26, SOFT), (HPos::Center, VPos::Top))?;
    Ok(at + half + 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_labels_of_an_axis_have_room() {
        let layout = |high: f64| {
            let (x, y) = (super::super::axis::counts(5.0), super::super::axis::dollars(high));
            let plot = Plot::Plane { x, y, marks: Vec::new() };
            use_font();
            Layout::of(&Chart { plot, ..Chart::new("", "", "", "") }, WIDTH).left
        };
        assert_eq!(layout(100.0), LEFT);
        assert!(layout(3e9) > LEFT);
    }

    #[test]
    fn narrow_charts_break_words_and_name_rows_above_them() {
        use_font();
        let title = "Queue length and cost, replication 1 of 20, seed 42";
        let rows = vec![super::super::BarRow::default(); 3];
        let bars = super::super::Bars { rows, ..super::super::Bars::default() };
        let chart = Chart { plot: Plot::Bars(bars), ..Chart::new("", title, "", "") };
        let (wide, narrow) = (Layout::of(&chart, WIDTH), Layout::of(&chart, NARROW));
        assert_eq!((wide.words[0].len(), wide.left, wide.row), (1, BAR_LEFT, BAR));
        assert_eq!((narrow.words[0].join(" "), narrow.left), (title.to_owned(), MARGIN));
        let room = NARROW - 2 * MARGIN;
        assert!(narrow.words[0].iter().all(|line| text_width(line, 36) <= room));
        assert!(narrow.words[0].len() > 1 && narrow.row > BAR);
    }
}
