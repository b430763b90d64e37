//! Bars to both sides of a middle, the longest on top.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::super::{Tornado, TornadoRow};
use super::rows::ticks;
use super::{Area, Drawn, Layout, SOFT, Values, colour, line, name_row, shown, text, text_width};

pub(super) fn draw_tornado<DB: DrawingBackend>(
    area: &Area<DB>,
    layout: &Layout,
    tornado: &Tornado,
) -> Drawn<DB> {
    let words = |row: &TornadoRow| [&row.left, &row.right].map(|end| text_width(&shown(end), 24));
    let widest = tornado.rows.iter().flat_map(words).max().unwrap_or(0);
    let rows = tornado.rows.iter().map(|row| [&*row.label, &*row.below, &*row.value]);
    let values = Values::of(layout, rows);
    // Room for the settings beside the bars, and for the values at the edge.
    let inner = Layout {
        left: layout.left + widest + 16,
        right: layout.right - values.room() - widest - 16,
        ..layout.clone()
    };
    let axis = &tornado.axis;
    ticks(area, &inner, axis)?;
    for (at, row) in (0..).zip(&tornado.rows) {
        let middle = layout.middle(at);
        draw_row(area, &inner, tornado, (middle, row))?;
        values.draw(area, layout, middle, &row.value)?;
    }
    let middle = inner.x(axis, 0.0);
    line(area, vec![(middle, layout.top), (middle, layout.bottom)], SOFT, 3)
}

fn draw_row<DB: DrawingBackend>(
    area: &Area<DB>,
    layout: &Layout,
    tornado: &Tornado,
    (middle, row): (i32, &TornadoRow),
) -> Drawn<DB> {
    let x = |value: f64| layout.x(&tornado.axis, value);
    name_row(area, layout, middle, (&row.label, &row.below))?;
    let (low, high) = row.ends;
    for (end, ink) in [(low, row.colours.0), (high, row.colours.1)] {
        let (from, to) = (x(end.min(0.0)), x(end.max(0.0)));
        let corners = [(from, middle - 26), (to, middle + 26)];
        area.draw(&Rectangle::new(corners, colour(ink).filled()))?;
    }
    let place = (x(low.min(0.0)) - 12, middle);
    text(area, &shown(&row.left), place, (24, SOFT), (HPos::Right, VPos::Center))?;
    let place = (x(high.max(0.0)) + 12, middle);
    text(area, &shown(&row.right), place, (24, SOFT), (HPos::Left, VPos::Center))
}
