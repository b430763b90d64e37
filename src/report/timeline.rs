//! `timeseries.csv`: what a run looked like over time, one row per bucket.

use std::io;

use super::sheet::{Sheet, TextCells};
use crate::metrics::Series;
use crate::model::World;

/// The columns before those of providers and offers, in order.
pub(super) const COLUMNS: [&str; 13] = [
    "time_utc",
    "start_s",
    "length_s",
    "waiting_mean",
    "waiting_max",
    "allocated_cores",
    "capacity_cores",
    "allocated_gib",
    "capacity_gib",
    "allocated_gpus",
    "capacity_gpus",
    "interruptions",
    "failures",
];

/// Writes one row per bucket of `series`: means over the bucket, rounded to
/// the decimals shown; then USD per hour by provider (`usd_per_h aws`) and
/// live instances by offer (`live aws/...`), for those that were used.
///
/// # Errors
/// The first error of the writer.
pub fn write_timeseries<W: io::Write>(
    out: W,
    world: &World,
    series: &Series,
    cells: TextCells,
) -> io::Result<W> {
    let providers = used_providers(world, series);
    let offers = series.offers();
    let mut head: Vec<String> = COLUMNS.map(str::to_owned).to_vec();
    head.extend(
        providers.iter().map(|&row| format!("usd_per_h {}", world.providers.rows()[row].name)),
    );
    head.extend(offers.iter().map(|&offer| format!("live {}", world.offers[offer].name)));
    let mut sheet = Sheet::new(out, cells, head);
    for (from, length, bucket) in series.buckets() {
        let span = i128::from(length.micros());
        if span <= 0 {
            continue;
        }
        sheet.text(&world.calendar.format(from));
        sheet.time(Some(from));
        sheet.span(Some(length));
        sheet.decimal(rounded(bucket.waiting * 1_000, span), 3);
        sheet.whole(bucket.waiting_max);
        for (row, per_unit) in [1_000, 1_024, 1_000].into_iter().enumerate() {
            sheet.decimal(rounded(bucket.allocated[row] * 1_000, span * per_unit), 3);
            sheet.decimal(rounded(bucket.capacity[row] * 1_000, span * per_unit), 3);
        }
        sheet.whole(bucket.stopped.interruptions);
        sheet.whole(bucket.stopped.failures);
        for &row in &providers {
            let picos = bucket.rates.get(row).copied().unwrap_or(0);
            sheet.decimal(rounded(picos, span * 1_000_000), 6);
        }
        for offer in &offers {
            let live = bucket.live.get(offer.row()).copied().unwrap_or(0);
            sheet.decimal(rounded(live * 1_000, span), 3);
        }
        sheet.end_row();
    }
    sheet.finish()
}

/// Rows of the providers that ever cost anything.
pub(super) fn used_providers(world: &World, series: &Series) -> Vec<usize> {
    let costs = |&row: &usize| {
        series.buckets().any(|(_, _, bucket)| bucket.rates.get(row).is_some_and(|&sum| sum > 0))
    };
    (0..world.providers.len()).filter(costs).collect()
}

/// `over / under`, half up.
fn rounded(over: i128, under: i128) -> i128 {
    (2 * over + under).div_euclid(2 * under)
}
