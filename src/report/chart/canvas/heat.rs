//! Cells in colours: a value at each pair of two settings.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::super::{Colour, Heat};
use super::{Area, Drawn, INK, Layout, SOFT, colour, line, shown, text, text_width};

/// Width of the legend with its labels, right of the cells.
const LEGEND: i32 = 240;
/// Width of the legend's colours.
const STRIP: i32 = 36;
/// Words on a light cell, which stays light on a dark page.
const ON_LIGHT: Colour = (0, 0, 0);
/// Steps in which the legend is drawn.
const STEPS: i32 = 128;

pub(super) fn draw_heat<DB: DrawingBackend>(
    area: &Area<DB>,
    layout: &Layout,
    heat: &Heat,
) -> Drawn<DB> {
    let right = layout.right - LEGEND;
    let (columns, rows) = (heat.columns.len().max(1) as i32, heat.rows.len().max(1) as i32);
    let x = |column: i32| layout.left + (right - layout.left) * column / columns;
    // The first row is the lowest, as on an axis.
    let y = |row: i32| layout.bottom - (layout.bottom - layout.top) * row / rows;
    for (row, cells) in (0..).zip(&heat.cells) {
        for (column, cell) in (0..).zip(cells) {
            let corners = [(x(column), y(row + 1)), (x(column + 1), y(row))];
            let Some((value, words)) = cell else { continue };
            let ink = shade(heat.share(*value));
            area.draw(&Rectangle::new(corners, colour(ink).filled()))?;
            let room = x(column + 1) - x(column) - 12;
            let is_room = y(row) - y(row + 1) >= 34 && text_width(words, 24) <= room;
            if is_room {
                let middle = ((corners[0].0 + corners[1].0) / 2, (corners[0].1 + corners[1].1) / 2);
                let ink = if is_dark(ink) { (255, 255, 255) } else { ON_LIGHT };
                text(area, words, middle, (24, ink), (HPos::Center, VPos::Center))?;
            }
        }
    }
    let mut free_from = 0;
    for (column, label) in (0..).zip(&heat.columns) {
        let at = (x(column) + x(column + 1)) / 2;
        let half = text_width(label, 24) / 2;
        if at - half >= free_from {
            text(
                area,
                &shown(label),
                (at, layout.bottom + 16),
                (24, SOFT),
                (HPos::Center, VPos::Top),
            )?;
            free_from = at + half + 20;
        }
    }
    let step = (34 * rows / (layout.bottom - layout.top).max(1) + 1) as usize;
    for (row, label) in (0..).zip(&heat.rows).step_by(step) {
        let at = (y(row) + y(row + 1)) / 2;
        text(area, &shown(label), (layout.left - 18, at), (24, SOFT), (HPos::Right, VPos::Center))?;
    }
    let place = (right, layout.bottom + 52);
    text(area, &shown(&heat.across), place, (26, INK), (HPos::Right, VPos::Top))?;
    let place = (layout.left, layout.top - 10);
    text(area, &shown(&heat.up), place, (26, INK), (HPos::Left, VPos::Bottom))?;
    legend(area, layout, heat)
}

fn legend<DB: DrawingBackend>(area: &Area<DB>, layout: &Layout, heat: &Heat) -> Drawn<DB> {
    let left = layout.right - LEGEND + 50;
    let height = layout.bottom - layout.top;
    for step in 0..STEPS {
        // A little below the last one: no gap shines through.
        let below = layout.bottom - height * step / STEPS + 2;
        let corners = [
            (left, layout.bottom - height * (step + 1) / STEPS),
            (left + STRIP, below.min(layout.bottom)),
        ];
        let ink = shade(f64::from(step) / f64::from(STEPS - 1));
        area.draw(&Rectangle::new(corners, colour(ink).filled()))?;
    }
    for (value, label) in &heat.ticks {
        let share = heat.share(*value);
        let at = layout.bottom - libm::round(share * f64::from(height)) as i32;
        line(area, vec![(left + STRIP, at), (left + STRIP + 10, at)], SOFT, 2)?;
        let place = (left + STRIP + 20, at);
        text(area, label, place, (24, SOFT), (HPos::Left, VPos::Center))?;
    }
    Ok(())
}

/// Dark blue to yellow, in even steps of lightness for any colour vision
/// ("cividis": Nuñez, Anderton and Renslow, PLOS ONE 13(7), 2018; every eighth of it).
fn shade(share: f64) -> Colour {
    const STOPS: [(f64, f64, f64); 9] = [
        (0.0, 34.0, 78.0),
        (18.0, 53.0, 112.0),
        (59.0, 73.0, 108.0),
        (87.0, 93.0, 109.0),
        (112.0, 113.0, 115.0),
        (138.0, 134.0, 120.0),
        (165.0, 156.0, 116.0),
        (201.0, 182.0, 97.0),
        (254.0, 232.0, 56.0),
    ];
    // A share that is no number gets the darkest colour.
    let place = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) * 8.0 };
    let from = (libm::floor(place) as usize).min(7);
    let rest = place - from as f64;
    let mix = |a: f64, b: f64| libm::round(a + (b - a) * rest) as u8;
    let (a, b) = (STOPS[from], STOPS[from + 1]);
    (mix(a.0, b.0), mix(a.1, b.1), mix(a.2, b.2))
}

/// Whether white words are read better on this colour than dark ones.
fn is_dark((red, green, blue): Colour) -> bool {
    // Luma of ITU-R BT.601.
    299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue) < 128_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shades_grow_lighter() {
        let light = |share: f64| {
            let (red, green, blue) = shade(share);
            299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue)
        };
        assert_eq!(shade(0.0), (0, 34, 78));
        assert_eq!(shade(1.0), (254, 232, 56));
        assert!(
            (0..100)
                .all(|step| light(f64::from(step) / 100.0) < light(f64::from(step + 1) / 100.0))
        );
    }
}
