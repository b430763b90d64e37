//! Figures of interruptions that providers publish, as memoryless losses. Each counts something else, so
//! each is converted by itself, and says what that assumes.

use crate::scenario::section::{ConfigTable, Diagnostics};
use crate::units::Span;

/// Bands of AWS's Spot Instance Advisor: the share of instances that were interrupted in the month
/// before.
pub(in crate::scenario) const AWS_BANDS: &[&str] = &["<5%", "5-10%", "10-15%", "15-20%", ">20%"];

/// Bands of Azure's eviction rates: the chance to be evicted within the next hour.
pub(in crate::scenario) const AZURE_BANDS: &[&str] = &["0-5%", "5-10%", "10-15%", "15-20%", "20+%"];

/// Ends of the bands of both that are taken: the upper ones, and of the last band, which has none, the
/// lower one.
const ENDS: [f64; 5] = [0.05, 0.10, 0.15, 0.20, 0.20];

/// Time for which AWS's instances are taken to be used: a month, a twelfth of 365 days.
const MONTH: Span = Span::from_secs(730 * 3_600);

/// Losses at a constant rate, as a provider's figure says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PublishedLosses {
    /// Losses of an instance in an hour of its use.
    pub(super) per_hour: f64,
    /// Mean time until there are instances again, in seconds.
    pub(super) absence: f64,
    /// What was assumed, but for the cloud, which comes before it.
    pub(super) assumed: String,
}

impl PublishedLosses {
    /// The losses that `model.advisor` says.
    pub(super) fn read(advisor: &ConfigTable, report: &mut Diagnostics<'_>) -> Option<Self> {
        let sources = ["aws", "azure", "gcp"];
        if sources.iter().filter(|source| advisor.has(source)).count() != 1 {
            report.hint(
                &advisor.range,
                "an advisor has one figure",
                "give `aws`, the share of instances lost in a month; `azure`, that of an hour; or \
                 `gcp`, the share of stops that were preemptions",
            );
            return None;
        }
        for (key, of) in [("life", "aws"), ("stops_per_day", "gcp")] {
            if advisor.has(key) && !advisor.has(of) {
                report.at(&advisor.spot(key), format!("`{key}` belongs to a figure of `{of}`"));
                return None;
            }
        }
        advisor.require("absence", report);
        let absence = advisor.span("absence")?;
        let (per_hour, what) = if let Some(band) = advisor.text("aws") {
            of_month(band, advisor, report)?
        } else if let Some(band) = advisor.text("azure") {
            let (share, end) = end_of(band, AZURE_BANDS);
            let what = format!("the band {band} of evictions in an hour, {end}");
            (-libm::log1p(-share), what)
        } else {
            of_stops(advisor, report)?
        };
        let apart = Span::from_secs_f64(3_600.0 / per_hour)
            .map_or("ever".to_owned(), |span| span.to_string());
        let assumed = format!(
            "by {what}, at a constant rate of one loss in {apart}; all of an offer go together, for \
             {absence} in the mean"
        );
        Some(Self { per_hour, absence: absence.secs_f64(), assumed })
    }
}

/// Rate by AWS's band: -ln(1 - f) over the time of use in which a share f is lost.
fn of_month(
    band: &str,
    advisor: &ConfigTable,
    report: &mut Diagnostics<'_>,
) -> Option<(f64, String)> {
    let life = advisor.span("life").unwrap_or(MONTH);
    if life == Span::ZERO {
        report.at(&advisor.spot("life"), "`life` must be longer than 0");
        return None;
    }
    let (share, end) = end_of(band, AWS_BANDS);
    let what = format!("the band {band} of a month, {end}, in {life} of use of each instance");
    Some((-libm::log1p(-share) / (life.secs_f64() / 3_600.0), what))
}

/// Rate by Google's share of stops: preempted stops of a day, over 24 hours.
fn of_stops(advisor: &ConfigTable, report: &mut Diagnostics<'_>) -> Option<(f64, String)> {
    let share = advisor.integer("gcp")? as f64 / 1e6;
    if share == 0.0 {
        let message = "no stop was a preemption: nothing is lost";
        report.hint(&advisor.spot("gcp"), message, "leave the row out");
        return None;
    }
    if !advisor.has("stops_per_day") {
        report.hint(
            &advisor.spot("gcp"),
            "a share of stops is no rate of losses",
            "add `stops_per_day`: how often in a day an instance that runs is stopped, whoever does it",
        );
        return None;
    }
    let stops = advisor.number("stops_per_day")?;
    let percent = share * 100.0;
    let what = format!("{percent} % of {stops} stops of an instance in a day");
    Some((share * stops / 24.0, what))
}

/// The end of a band that is taken, and which one that is.
fn end_of(band: &str, bands: &[&str]) -> (f64, &'static str) {
    let row = bands.iter().position(|known| *known == band).unwrap_or(0);
    let end = if row + 1 == bands.len() {
        "the lower end, as it has no upper one"
    } else {
        "the upper end"
    };
    (ENDS[row], end)
}
