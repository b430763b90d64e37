//! Charts in rows: bars from the left, and intervals around zero.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::super::{Bars, ChartAxis, Forest, ForestRow, GREY};
use super::{
    Area, Drawn, GRID, INK, Layout, SOFT, Values, colour, dashes, line, name_row, text, text_width,
};

pub(super) fn draw_bars<DB: DrawingBackend>(
    area: &Area<DB>,
    layout: &Layout,
    bars: &Bars,
) -> Drawn<DB> {
    // The longest bar leaves room for the value behind it.
    let values = bars.rows.iter().map(|row| text_width(&row.value, 26)).max().unwrap_or(0);
    let room = f64::from((layout.right - layout.left - values - 30).max(100));
    let high = if bars.high > 0.0 { bars.high } else { 1.0 };
    let x = |value: f64| layout.left + libm::round((value / high).clamp(0.0, 1.0) * room) as i32;
    for (at, row) in bars.rows.iter().enumerate() {
        let middle = layout.middle(at as i32);
        let (top, bottom) = (middle - 28, middle + 28);
        name_row(area, layout, middle, (&row.label, &row.below))?;
        let mut sum = row.start;
        for &(part, ink) in &row.parts {
            let from = x(sum);
            sum += part;
            let corners = [(from, top), (x(sum).max(from), bottom)];
            area.draw(&Rectangle::new(corners, colour(ink).filled()))?;
        }
        // A guide would cross values behind the bars.
        let behind = if bars.guide.is_some() { layout.left + room as i32 } else { x(sum) };
        text(area, &row.value, (behind + 16, middle), (26, INK), (HPos::Left, VPos::Center))?;
    }
    line(area, vec![(layout.left, layout.top), (layout.left, layout.bottom)], SOFT, 2)?;
    if let Some((value, label)) = &bars.guide {
        let at = x(*value);
        dashes(area, &[(at, layout.top), (at, layout.bottom + 8)], INK)?;
        let place = (at, layout.bottom + 14);
        text(area, label, place, (24, SOFT), (HPos::Center, VPos::Top))?;
    }
    Ok(())
}

/// Space right of the intervals, for their values.
pub(super) fn draw_forest<DB: DrawingBackend>(
    area: &Area<DB>,
    layout: &Layout,
    forest: &Forest,
) -> Drawn<DB> {
    let rows = forest.rows.iter().map(|row| [&*row.label, &*row.below, &*row.value]);
    let values = Values::of(layout, rows);
    let inner = Layout { right: layout.right - values.room(), ..layout.clone() };
    ticks(area, &inner, &forest.axis)?;
    for (at, row) in forest.rows.iter().enumerate() {
        let middle = layout.middle(at as i32);
        forest_row(area, &inner, forest, (middle, row))?;
        values.draw(area, layout, middle, &row.value)?;
    }
    Ok(())
}

/// Lines up from the ticks of an axis around zero, and as many of their labels
/// as there is room for, that of zero among them.
pub(super) fn ticks<DB: DrawingBackend>(
    area: &Area<DB>,
    layout: &Layout,
    axis: &ChartAxis,
) -> Drawn<DB> {
    let places: Vec<i32> = axis.ticks.iter().map(|tick| layout.x(axis, tick.at)).collect();
    let widest = axis.ticks.iter().map(|tick| text_width(&tick.label, 24)).max().unwrap_or(0);
    let apart = places.windows(2).map(|pair| pair[1] - pair[0]).min().unwrap_or(1).max(1);
    let stride = ((widest + 16) as usize).div_ceil(apart as usize).max(1);
    let zero = axis.ticks.iter().position(|tick| tick.at == 0.0).unwrap_or(0);
    for (row, (tick, &at)) in axis.ticks.iter().zip(&places).enumerate() {
        let ink = if tick.at == 0.0 { SOFT } else { GRID };
        line(area, vec![(at, layout.top), (at, layout.bottom)], ink, 2)?;
        if row.abs_diff(zero).is_multiple_of(stride) {
            let place = (at, layout.bottom + 16);
            text(area, &tick.label, place, (24, SOFT), (HPos::Center, VPos::Top))?;
        }
    }
    Ok(())
}

fn forest_row<DB: DrawingBackend>(
    area: &Area<DB>,
    layout: &Layout,
    forest: &Forest,
    (middle, row): (i32, &ForestRow),
) -> Drawn<DB> {
    let x = |value: f64| layout.x(&forest.axis, value);
    name_row(area, layout, middle, (&row.label, &row.below))?;
    for &dot in &row.dots {
        area.draw(&Circle::new((x(dot), middle), 6, colour(GREY).mix(0.7).filled()))?;
    }
    let (low, mean, high) = row.interval;
    line(area, vec![(x(low), middle), (x(high), middle)], row.colour, 5)?;
    let axis = &forest.axis;
    for (end, outwards) in [(low, -1), (high, 1)] {
        let at = x(end);
        if axis.holds(end) {
            line(area, vec![(at, middle - 12), (at, middle + 12)], row.colour, 4)?;
        } else {
            let tip = at + 14 * outwards;
            let arrow = vec![(tip, middle), (at, middle - 14), (at, middle + 14)];
            area.draw(&Polygon::new(arrow, colour(row.colour).filled()))?;
        }
    }
    if !axis.holds(mean) {
        return Ok(());
    }
    area.draw(&Circle::new((x(mean), middle), 10, colour(row.colour).filled()))
}
