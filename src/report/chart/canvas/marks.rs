//! Marks over two axes: lines, dots, areas and the names beside them.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::super::{ChartAxis, ChartMark, Colour};
use super::{Area, Drawn, INK, Layout, colour, line, text, text_width};

pub(super) fn draw_mark<DB: DrawingBackend>(
    area: &Area<DB>,
    layout: &Layout,
    (x, y): (&ChartAxis, &ChartAxis),
    mark: &ChartMark,
) -> Drawn<DB> {
    let place = |points: &[(f64, f64)]| {
        let mut placed: Vec<(i32, i32)> =
            points.iter().map(|point| (layout.x(x, point.0), layout.y(y, point.1))).collect();
        placed.dedup();
        placed
    };
    match mark {
        ChartMark::Line { points, colour, dashed: false } => line(area, place(points), *colour, 4),
        ChartMark::Line { points, colour, dashed: true } => dashes(area, &place(points), *colour),
        ChartMark::Dots { points, colour: ink, radius } => {
            for point in points {
                let at = (layout.x(x, point.0), layout.y(y, point.1));
                area.draw(&Circle::new(at, *radius, colour(*ink).filled()))?;
            }
            Ok(())
        }
        ChartMark::Edge { points, colour } => line(area, place(points), *colour, 2),
        ChartMark::Area { upper, lower, colour: ink, opacity } => {
            for (upper, lower) in open_pieces(&place(upper), &place(lower)) {
                let outline = upper.into_iter().chain(lower.into_iter().rev()).collect::<Vec<_>>();
                area.draw(&Polygon::new(outline, colour(*ink).mix(*opacity)))?;
            }
            Ok(())
        }
        // All words come after all marks.
        ChartMark::Words { .. } => Ok(()),
    }
}

/// Length of a dash, and of a dash with the gap behind it.
const DASH: (f64, f64) = (14.0, 24.0);

/// A dashed line through all points.
pub(super) fn dashes<DB: DrawingBackend>(
    area: &Area<DB>,
    points: &[(i32, i32)],
    ink: Colour,
) -> Drawn<DB> {
    let mut walked = 0.0;
    for pair in points.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let (width, height) = (f64::from(to.0 - from.0), f64::from(to.1 - from.1));
        let length = libm::hypot(width, height);
        let at = |far: f64| {
            let share = far.clamp(0.0, length) / length;
            let part = |from: i32, by: f64| from + libm::round(by * share) as i32;
            (part(from.0, width), part(from.1, height))
        };
        // Dashes go on around corners.
        let mut start = -(walked % DASH.1);
        while start < length {
            if start + DASH.0 > 0.0 {
                line(area, vec![at(start), at(start + DASH.0)], ink, 3)?;
            }
            start += DASH.1;
        }
        walked += length;
    }
    Ok(())
}

type PixelPoints = Vec<(i32, i32)>;

/// The pieces of an area that have a height: a layer that is nothing for a
/// while would leave a hairline there.
fn open_pieces(upper: &[(i32, i32)], lower: &[(i32, i32)]) -> Vec<(PixelPoints, PixelPoints)> {
    let mut at: Vec<i32> = upper.iter().chain(lower).map(|point| point.0).collect();
    at.sort_unstable();
    at.dedup();
    let mut pieces: Vec<(PixelPoints, PixelPoints)> = Vec::new();
    let mut is_open = false;
    for pair in at.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let over = [height(upper, from, true), height(upper, to, false)];
        let under = [height(lower, from, true), height(lower, to, false)];
        if over == under {
            is_open = false;
            continue;
        }
        if !is_open {
            pieces.push((Vec::new(), Vec::new()));
        }
        is_open = true;
        if let Some(piece) = pieces.last_mut() {
            piece.0.extend([(from, over[0]), (to, over[1])]);
            piece.1.extend([(from, under[0]), (to, under[1])]);
        }
    }
    for (upper, lower) in &mut pieces {
        straighten(upper);
        straighten(lower);
    }
    pieces
}

/// Height of a line at a place; at a step, that after it or that before it.
fn height(points: &[(i32, i32)], at: i32, after: bool) -> i32 {
    let right = match after {
        true => points.partition_point(|point| point.0 <= at),
        false => points.partition_point(|point| point.0 < at),
    };
    let (Some(&a), Some(&b)) = (points.get(right.saturating_sub(1)), points.get(right)) else {
        return points.last().map_or(0, |point| point.1);
    };
    match b.0 - a.0 {
        0 => b.1,
        width => a.1 + (b.1 - a.1) * (at - a.0) / width,
    }
}

/// Leaves out points that say nothing: doubles, and those within a level line.
fn straighten(points: &mut PixelPoints) {
    points.dedup();
    let mut kept: PixelPoints = Vec::with_capacity(points.len());
    for &point in points.iter() {
        if let [.., a, b] = kept[..]
            && a.1 == b.1
            && b.1 == point.1
        {
            kept.pop();
        }
        kept.push(point);
    }
    *points = kept;
}

/// A box that words or dots fill: left, top, right, bottom.
type Box4 = (i32, i32, i32, i32);

/// Writes names beside their places, each where it covers no dot and no other
/// name, as long as there is such a place.
pub(super) fn draw_words<DB: DrawingBackend>(
    area: &Area<DB>,
    layout: &Layout,
    (x, y): (&ChartAxis, &ChartAxis),
    marks: &[ChartMark],
) -> Drawn<DB> {
    let mut taken: Vec<Box4> = Vec::new();
    for mark in marks {
        let ChartMark::Dots { points, radius, .. } = mark else { continue };
        taken.extend(points.iter().map(|point| {
            let (x, y) = (layout.x(x, point.0), layout.y(y, point.1));
            (x - radius, y - radius, x + radius, y + radius)
        }));
    }
    for mark in marks {
        let ChartMark::Words { at, words } = mark else { continue };
        let (x, y) = (layout.x(x, at.0), layout.y(y, at.1));
        let place = place_words(layout, (x, y), text_width(words, 24), &taken);
        taken.push(place);
        let middle = (place.0, (place.1 + place.3) / 2);
        text(area, words, middle, (24, INK), (HPos::Left, VPos::Center))?;
    }
    Ok(())
}

/// Box beside a place for words of this width; it overlaps none of `taken` if any box can.
fn place_words(layout: &Layout, (x, y): (i32, i32), width: i32, taken: &[Box4]) -> Box4 {
    let (right, left) = (x + 20, x - 20 - width);
    let around = [(right, y - 24), (right, y + 24), (left, y - 24), (left, y + 24)];
    let further = [(right, y - 60), (right, y + 60), (left, y - 60), (left, y + 60)];
    let candidates = around.into_iter().chain(further).map(|(x, y)| (x, y - 15, x + width, y + 15));
    let fits = |&(left, top, right, bottom): &Box4| {
        left >= layout.left && right <= layout.right && top >= layout.top && bottom <= layout.bottom
    };
    let apart =
        |one: &Box4, two: &Box4| one.2 < two.0 || two.2 < one.0 || one.3 < two.1 || two.3 < one.1;
    let is_free = |place: &Box4| taken.iter().all(|other| apart(place, other));
    let mut fitting = candidates.filter(fits).collect::<Vec<_>>();
    fitting.sort_by_key(|place| !is_free(place));
    fitting.first().copied().unwrap_or((right, y - 15, right + width, y + 15))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_have_no_hairlines() {
        // Steps from 0 to 10 high, and to 0 again.
        let upper = [(0, 50), (10, 50), (10, 40), (20, 40), (20, 50), (30, 50)];
        let lower = [(0, 50), (30, 50)];
        let piece = (vec![(10, 40), (20, 40)], vec![(10, 50), (20, 50)]);
        assert_eq!(open_pieces(&upper, &lower), [piece]);
        assert_eq!(open_pieces(&lower, &lower), []);
        let slope = open_pieces(&[(0, 50), (30, 20)], &lower);
        assert_eq!(slope, [(vec![(0, 50), (30, 20)], vec![(0, 50), (30, 50)])]);
    }

    #[test]
    fn words_keep_out_of_each_others_way() {
        let layout = Layout { right: 400, bottom: 200, height: 200, ..Layout::default() };
        let first = place_words(&layout, (100, 100), 80, &[]);
        assert_eq!(first, (120, 61, 200, 91));
        let second = place_words(&layout, (100, 100), 80, &[first]);
        assert_eq!(second, (120, 109, 200, 139));
        let at_the_edge = place_words(&layout, (390, 100), 80, &[]);
        assert_eq!(at_the_edge, (290, 61, 370, 91));
    }
}
