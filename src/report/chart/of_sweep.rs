//! The charts of a sweep: how metrics follow each setting, which settings
//! matter, and what two of them do together.

use super::super::figure::{amount, clean, figure, half_width};
use super::super::sweep::SweepReport;
use super::{
    Chart, ChartAxis, ChartMark, Colour, GREY, Heat, PALETTE, Plot, Tick, Tornado, TornadoRow, axis,
};
use crate::experiment::sweep::{
    Axis as Setting, AxisEffect, Interaction, MeanEstimate, Sweep, effects, interaction,
    main_effect,
};
use crate::metrics::{METRICS, Metric};

/// Rows up to which a tornado can be read.
const MOST_ROWS: usize = 14;
/// Lines up to which a chart of an interaction can be read.
const MOST_LINES: usize = 8;
/// Settings, the most important first, whose pairs are drawn.
const MOST_PAIRED: usize = 3;
/// Policies whose pairs of settings are drawn of what points are ranked by.
const MOST_POLICIES: usize = 6;
/// Colours for the lower and for the higher value of a setting.
const ENDS: (Colour, Colour) = (PALETTE[0], PALETTE[1]);

/// All charts of a sweep, in the order of the page.
pub fn sweep_charts(report: &SweepReport<'_>) -> Vec<Chart> {
    let shown = ShownSweep { report, sweep: report.sweep };
    let mut charts: Vec<Chart> =
        report.metrics.iter().map(|&metric| shown.tornado(metric)).collect();
    for &metric in &report.metrics {
        charts.extend((0..shown.sweep.axes.len()).map(|axis| shown.response(metric, axis)));
    }
    for &metric in &report.metrics {
        for policy in shown.paired_policies(metric) {
            for pair in shown.pairs(metric, policy) {
                let Some(found) = interaction(shown.sweep, policy, metric, pair) else {
                    continue;
                };
                charts.push(shown.interaction(metric, policy, &found));
                let is_numeric = |row: usize| shown.sweep.axes[row].is_numeric();
                if is_numeric(pair.0) && is_numeric(pair.1) {
                    charts.push(shown.heat(metric, policy, &found));
                }
            }
        }
    }
    charts
}

struct ShownSweep<'a> {
    report: &'a SweepReport<'a>,
    sweep: &'a Sweep,
}

impl ShownSweep<'_> {
    fn is_grid(&self) -> bool {
        self.sweep.levels(0).is_some()
    }

    fn name(&self, axis: usize) -> String {
        clean(self.sweep.name(axis))
    }

    fn policy(&self, row: usize) -> String {
        clean(&self.sweep.policies[row])
    }

    /// Words below the title: what is measured, and over what it is averaged.
    fn unit(&self, metric: &Metric) -> String {
        let unit = match metric.unit {
            "USD" => "US dollars",
            "s" => "time",
            "share" => "share",
            "count" => "number",
            unit => unit,
        };
        let several = self.sweep.axes.len() > 1;
        match (self.sweep.replications, self.is_grid() && several) {
            (1, false) => unit.to_owned(),
            (1, true) => format!("{unit}, mean over the other settings"),
            (n, false) => format!("{unit}, mean of {n} replications"),
            (n, true) => format!("{unit}, mean of {n} replications over the other settings"),
        }
    }

    /// Chart of how far each setting moves a metric under each policy.
    fn tornado(&self, metric: usize) -> Chart {
        let spec = &METRICS[metric];
        let mut chart = Chart::new(
            &format!("sweep-tornado-{}", spec.key),
            &format!("What moves the {}", spec.label),
            &format!("{}: difference to the mean over all points", self.unit(spec)),
            "Each bar reaches from the mean where the setting makes the metric lowest to the mean \
             where it is highest; the words beside it are those values of the setting.",
        );
        let mut rows = Vec::new();
        for policy in 0..self.sweep.policies.len() {
            for effect in effects(self.sweep, policy, metric) {
                rows.push((effect.swing(), self.tornado_row(spec, policy, &effect)));
            }
        }
        rows.sort_by(|a, b| b.0.total_cmp(&a.0));
        if rows.len() > MOST_ROWS {
            chart
                .caption
                .push_str(&format!(" The {MOST_ROWS} longest of {} are shown.", rows.len()));
            rows.truncate(MOST_ROWS);
        }
        let rows: Vec<TornadoRow> = rows.into_iter().map(|(_, row)| row).collect();
        if rows.is_empty() {
            return chart;
        }
        let low = rows.iter().map(|row| row.ends.0).fold(0.0, f64::min);
        let high = rows.iter().map(|row| row.ends.1).fold(0.0, f64::max);
        if rows.iter().all(|row| row.ends == (0.0, 0.0)) {
            chart.plot = Plot::Nothing("no setting moves it");
            return chart;
        }
        let axis = axis::differences(spec.unit, "pp", low, high);
        let mut legend = Vec::new();
        for (words, colour) in [
            ("lower value of the setting", ENDS.0),
            ("higher value", ENDS.1),
            ("setting without numbers", GREY),
        ] {
            if rows.iter().any(|row| row.colours.0 == colour || row.colours.1 == colour) {
                legend.push((words.to_owned(), colour));
            }
        }
        chart.legend = legend;
        chart.plot = Plot::Tornado(Tornado { rows, axis });
        chart
    }

    fn tornado_row(&self, metric: &Metric, policy: usize, effect: &AxisEffect) -> TornadoRow {
        let setting = &self.sweep.axes[effect.axis];
        let (low, high) = (&effect.lowest, &effect.highest);
        let middle = self.centre(policy, effect, metric);
        let colours = match (setting.is_numeric(), low.at <= high.at) {
            (false, _) => (GREY, GREY),
            (true, true) => ENDS,
            (true, false) => (ENDS.1, ENDS.0),
        };
        let size = match metric.unit {
            "share" => format!("{} pp", amount(libm::round(effect.swing() * 1e3) / 10.0)),
            unit => figure(unit, Some(effect.swing())),
        };
        let half = effect.interval.filter(|interval| interval.half_width > 0.0);
        let half = half.map(|one| half_width(metric.unit, one.half_width, high.mean));
        let (left, right, value) = if effect.swing() == 0.0 {
            (String::new(), String::new(), "none".to_owned())
        } else {
            let half = half.filter(|half| !half.is_empty());
            let words = [Some(size), half].into_iter().flatten().collect::<Vec<_>>().join(" ");
            let shown = if effect.is_shown() { words } else { format!("{words}, not shown") };
            (clean(&low.text), clean(&high.text), shown)
        };
        TornadoRow {
            label: self.name(effect.axis),
            below: self.policy(policy),
            ends: (low.mean - middle, high.mean - middle),
            colours,
            left,
            right,
            value,
        }
    }

    /// The mean of a policy over all points, kept between the ends of an effect.
    fn centre(&self, policy: usize, effect: &AxisEffect, metric: &Metric) -> f64 {
        let row = METRICS.iter().position(|other| other.key == metric.key).unwrap_or(0);
        let all =
            (0..self.sweep.points.len()).filter_map(|at| self.sweep.estimate(at, policy, row));
        let all: Vec<f64> = all.map(|estimate| estimate.mean).collect();
        let mean = all.iter().sum::<f64>() / all.len().max(1) as f64;
        mean.clamp(effect.lowest.mean, effect.highest.mean)
    }

    /// A metric along a setting: lines with their intervals on a grid, a dot per
    /// point of a sample.
    fn response(&self, metric: usize, setting: usize) -> Chart {
        let spec = &METRICS[metric];
        let title = format!("{} by {}", upper(spec.label), self.name(setting));
        let name = self.file_name(&format!("{}-by", spec.key), &[setting]);
        let mut chart = Chart::new(&name, &title, &self.unit(spec), "");
        let policies = self.sweep.policies.len().min(PALETTE.len());
        let lines: Vec<Vec<(f64, MeanEstimate)>> =
            (0..policies).map(|policy| self.along(metric, setting, policy)).collect();
        let Some((low, high)) = range(lines.iter().flatten().map(|(_, estimate)| estimate)) else {
            return chart;
        };
        if self.sweep.policies.len() > policies {
            let all = self.sweep.policies.len();
            chart.unit += &format!("; the first {policies} of {all} policies");
        }
        chart.caption = match (self.is_grid(), self.sweep.replications) {
            (true, 1) => String::new(),
            (true, _) => "Bands and bars: where the mean lies with 95 % confidence, as far as the chart reaches.".to_owned(),
            (false, _) => "One dot per point; the other settings differ between them.".to_owned(),
        };
        let axis = &self.sweep.axes[setting];
        let mut marks = Vec::new();
        for (row, points) in lines.iter().enumerate() {
            let shift = (row as f64 - (policies as f64 - 1.0) / 2.0) * 0.06;
            let shift = if axis.is_numeric() { 0.0 } else { shift };
            marks.extend(self.marks(points, PALETTE[row], shift, axis.is_numeric()));
            chart.legend.push((self.policy(row), PALETTE[row]));
        }
        // Intervals of shares go beyond all, the shares themselves do not.
        let means = || lines.iter().flatten().map(|(_, estimate)| estimate.mean);
        let is_share = spec.unit == "share" && means().all(|mean| mean <= 1.0);
        let y = measured(spec.unit, low, if is_share { high.min(1.0) } else { high });
        chart.caption.push_str(without_zero(&y));
        if let Some((bound, text)) =
            self.bound(spec).filter(|(bound, _)| (y.low..=y.high).contains(bound))
        {
            let ends = [(f64::NEG_INFINITY, bound), (f64::INFINITY, bound)];
            marks.push(ChartMark::Line { points: ends.to_vec(), colour: GREY, dashed: true });
            chart.legend.push((format!("objective: {text}"), GREY));
        }
        chart.plot = Plot::Plane { x: self.across(setting), y, marks };
        chart
    }

    /// Places along a setting with the means there.
    fn along(&self, metric: usize, setting: usize, policy: usize) -> Vec<(f64, MeanEstimate)> {
        if self.is_grid() {
            let levels = main_effect(self.sweep, policy, metric, setting).into_iter().enumerate();
            let place = |(row, one): (usize, crate::experiment::sweep::LevelMean)| {
                Some((self.place(setting, one.level.at, row), one.estimate?))
            };
            return levels.filter_map(place).collect();
        }
        let texts = self.texts(setting);
        let point = |at: usize| {
            let level = &self.sweep.points[at].levels[setting];
            let row = texts.iter().position(|text| *text == level.text).unwrap_or(0);
            Some((self.place(setting, level.at, row), self.sweep.estimate(at, policy, metric)?))
        };
        (0..self.sweep.points.len()).filter_map(point).collect()
    }

    fn marks(
        &self,
        points: &[(f64, MeanEstimate)],
        colour: Colour,
        shift: f64,
        is_numeric: bool,
    ) -> Vec<ChartMark> {
        let dots: Vec<(f64, f64)> =
            points.iter().map(|(at, estimate)| (at + shift, estimate.mean)).collect();
        if !self.is_grid() {
            return vec![ChartMark::Dots { points: dots, colour, radius: 8 }];
        }
        let end = |(at, estimate): &(f64, MeanEstimate), high: bool| {
            let interval = estimate.interval;
            let value = interval.map_or(estimate.mean, |one| if high { one.high } else { one.low });
            (at + shift, value)
        };
        let ends = |high: bool| points.iter().map(|point| end(point, high)).collect::<Vec<_>>();
        let mut marks = Vec::new();
        if is_numeric {
            // Edges still tell bands apart where they lie on one another.
            let (upper, lower) = (ends(true), ends(false));
            marks.extend(
                [&upper, &lower].map(|edge| ChartMark::Edge { points: edge.clone(), colour }),
            );
            marks.push(ChartMark::Area { upper, lower, colour, opacity: 0.1 });
            marks.push(ChartMark::Line { points: dots.clone(), colour, dashed: false });
        } else {
            let bar =
                |(low, high)| ChartMark::Line { points: vec![low, high], colour, dashed: false };
            marks.extend(ends(false).into_iter().zip(ends(true)).map(bar));
        }
        marks.push(ChartMark::Dots { points: dots, colour, radius: 10 });
        marks
    }

    /// The bound that an objective sets to a metric, with its words.
    fn bound(&self, metric: &Metric) -> Option<(f64, String)> {
        let mut own = self.sweep.objectives.iter();
        let found = own.find(|one| one.metric.key == metric.key && one.window.is_none())?;
        Some((found.bound, clean(&found.text)))
    }

    /// The words of a setting without numbers, in their order.
    fn texts(&self, setting: usize) -> Vec<String> {
        let levels = self.sweep.axes[setting].levels().unwrap_or_default();
        levels.into_iter().map(|level| level.text).collect()
    }

    /// Position of a value on the horizontal axis.
    fn place(&self, setting: usize, at: f64, row: usize) -> f64 {
        let axis = &self.sweep.axes[setting];
        if axis.is_numeric() { axis.share_of(at) } else { row as f64 }
    }

    /// The horizontal axis of a setting.
    fn across(&self, setting: usize) -> ChartAxis {
        let axis = &self.sweep.axes[setting];
        let label = |at: f64, text: String| Tick { at, label: text, below: String::new() };
        let caption = clean(&axis.key);
        if !axis.is_numeric() {
            let texts = self.texts(setting);
            let high = texts.len() as f64 - 0.5;
            let ticks = (0..).zip(&texts).map(|(row, text)| label(f64::from(row), clean(text)));
            return ChartAxis { low: -0.5, high, ticks: ticks.collect(), caption };
        }
        let ticks = match axis.levels().filter(|_| self.is_grid()) {
            Some(levels) => levels
                .iter()
                .map(|level| label(axis.share_of(level.at), number(axis, level.at)))
                .collect(),
            None => {
                let at = |step: i32| {
                    let share = f64::from(step) / 4.0;
                    let (low, high) = axis.ends().unwrap_or((0.0, 1.0));
                    let value = match axis.log {
                        true => low * libm::pow(high / low, share),
                        false => low + (high - low) * share,
                    };
                    label(share, number(axis, value))
                };
                (0..=4).map(at).collect()
            }
        };
        ChartAxis { low: -0.04, high: 1.04, ticks, caption }
    }

    /// Policies whose pairs of settings are drawn: that of the best point, and of
    /// what points are ranked by the others too, as far as there is room.
    fn paired_policies(&self, metric: usize) -> Vec<usize> {
        let chosen = self.report.chosen();
        let others = (0..self.sweep.policies.len()).filter(|&policy| policy != chosen);
        let most = if metric == self.report.goal { MOST_POLICIES } else { 1 };
        std::iter::once(chosen).chain(others).take(most).collect()
    }

    /// Pairs of the settings that matter most to a metric under a policy.
    fn pairs(&self, metric: usize, policy: usize) -> Vec<(usize, usize)> {
        if !self.is_grid() {
            return Vec::new();
        }
        let found = effects(self.sweep, policy, metric);
        let mut first: Vec<usize> = found
            .iter()
            .filter(|effect| effect.swing() > 0.0)
            .take(MOST_PAIRED)
            .map(|effect| effect.axis)
            .collect();
        first.sort_unstable();
        let is_main = metric == self.report.goal && policy == self.report.chosen();
        let most = if is_main { usize::MAX } else { 1 };
        let pairs = first
            .iter()
            .enumerate()
            .flat_map(|(row, &one)| first[row + 1..].iter().map(move |&two| (one, two)));
        pairs.take(most).collect()
    }

    /// Chart with one line per value of the second setting along the first.
    fn interaction(&self, metric: usize, policy: usize, found: &Interaction) -> Chart {
        let spec = &METRICS[metric];
        let (first, second) = found.axes;
        let name = self.pair_name(&format!("{}-interaction", spec.key), policy, found.axes);
        let title =
            format!("{} by {} and {}", upper(spec.label), self.name(first), self.name(second));
        let unit = format!("{}, policy {}", self.pair_unit(spec), self.policy(policy));
        let departure = match spec.unit {
            "share" => format!("{} pp", amount(libm::round(found.departure * 1e3) / 10.0)),
            unit => figure(unit, Some(found.departure)),
        };
        let caption = format!(
            "Parallel lines: the effects of the two add up. No mean departs from their sum by more than {departure}."
        );
        let mut chart = Chart::new(&name, &title, &unit, &caption);
        let levels = |axis: usize| self.sweep.levels(axis).unwrap_or_default();
        let others = levels(second);
        let step = others.len().div_ceil(MOST_LINES).max(1);
        let is_numeric = self.sweep.axes[second].is_numeric();
        let mut marks = Vec::new();
        for (at, row) in (0..others.len()).step_by(step).enumerate() {
            let share = row as f64 / (others.len() - 1).max(1) as f64;
            let colour = if is_numeric { ramp(share) } else { PALETTE[at] };
            let points: Vec<(f64, f64)> = (0..)
                .zip(&levels(first))
                .map(|(place, level)| (self.place(first, level.at, place), found.means[place][row]))
                .collect();
            marks.push(ChartMark::Line { points: points.clone(), colour, dashed: false });
            marks.push(ChartMark::Dots { points, colour, radius: 9 });
            chart
                .legend
                .push((format!("{} = {}", self.name(second), clean(&others[row].text)), colour));
        }
        let all = found.means.iter().flatten();
        let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &mean| {
            (low.min(mean), high.max(mean))
        });
        let y = measured(spec.unit, low, high);
        chart.caption.push_str(without_zero(&y));
        chart.plot = Plot::Plane { x: self.across(first), y, marks };
        chart
    }

    fn pair_unit(&self, metric: &Metric) -> String {
        let unit = self.unit(metric);
        match self.sweep.axes.len() {
            2 => unit.replace(" over the other settings", "").replace(", mean,", ","),
            _ => unit,
        }
    }

    /// A coloured cell per pair of values.
    fn heat(&self, metric: usize, policy: usize, found: &Interaction) -> Chart {
        let spec = &METRICS[metric];
        let (first, second) = found.axes;
        let name = self.pair_name(&format!("{}-heat", spec.key), policy, found.axes);
        let title =
            format!("{} over {} and {}", upper(spec.label), self.name(first), self.name(second));
        let unit = format!("{}, policy {}", self.pair_unit(spec), self.policy(policy));
        let mut chart = Chart::new(&name, &title, &unit, "");
        let broken = |column: usize, row: usize| {
            let points = self.sweep.points_at(&[(first, column), (second, row)]);
            points.iter().any(|&point| !self.sweep.keeps(point, policy))
        };
        let promised = !self.sweep.objectives.is_empty();
        if promised {
            chart.caption = "✗: some objective is broken there on average.".to_owned();
        }
        let rows = found.means.first().map_or(0, Vec::len);
        let all = found.means.iter().flatten().copied();
        let (low, high) =
            (all.clone().fold(f64::INFINITY, f64::min), all.fold(f64::NEG_INFINITY, f64::max));
        let step = (high - low) / 4.0;
        let cell = |column: usize, row: usize| {
            let value = found.means[column][row];
            let mark = if promised && broken(column, row) { " ✗" } else { "" };
            Some((value, format!("{}{mark}", short(spec.unit, value, step))))
        };
        let tick = |at: i32| {
            let value = low + step * f64::from(at);
            (value, short(spec.unit, value, step))
        };
        let labels = |axis: usize| {
            let levels = self.sweep.levels(axis).unwrap_or_default();
            levels.iter().map(|level| number(&self.sweep.axes[axis], level.at)).collect()
        };
        chart.plot = Plot::Heat(Heat {
            cells: (0..rows)
                .map(|row| (0..found.means.len()).map(|column| cell(column, row)).collect())
                .collect(),
            columns: labels(first),
            rows: labels(second),
            across: clean(&self.sweep.axes[first].key),
            up: clean(&self.sweep.axes[second].key),
            low,
            high,
            ticks: (0..=4).map(tick).collect(),
        });
        chart
    }

    /// The name of a chart of two settings; of the policy of the best point it is the
    /// plain one.
    fn pair_name(&self, what: &str, policy: usize, (first, second): (usize, usize)) -> String {
        let name = self.file_name(what, &[first, second]);
        if policy == self.report.chosen() { name } else { format!("{name}-policy-{}", policy + 1) }
    }

    /// A name that is fit for a file, whatever the keys are called.
    fn file_name(&self, what: &str, settings: &[usize]) -> String {
        let mut name = format!("sweep-{what}");
        for &setting in settings {
            let plain = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
            let words: String = self.sweep.name(setting).chars().take(40).map(plain).collect();
            name.push_str(&format!("-{}-{words}", setting + 1));
        }
        name
    }
}

/// Colour between that of lower values and that of higher ones, read on light and dark paper alike.
fn ramp(share: f64) -> Colour {
    let mix = |low: u8, high: u8| {
        libm::round(f64::from(low) + (f64::from(high) - f64::from(low)) * share) as u8
    };
    let (low, high) = ENDS;
    (mix(low.0, high.0), mix(low.1, high.1), mix(low.2, high.2))
}

/// Note on an axis that does not begin at zero.
fn without_zero(axis: &ChartAxis) -> &'static str {
    if axis.low > 0.0 { " The vertical axis does not begin at zero." } else { "" }
}

/// A number of a setting with its unit.
fn number(setting: &Setting, at: f64) -> String {
    match setting.unit.as_str() {
        "" => amount(at),
        "%" => format!("{} %", amount(at)),
        unit => format!("{} {}", amount(at), clean(unit)),
    }
}

/// The words with a capital letter.
fn upper(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A value as short as it can be read where others are `step` away.
fn short(unit: &str, value: f64, step: f64) -> String {
    let (scale, unit) = match unit {
        "s" => time_scale(value.abs()),
        "share" => (0.01, "%"),
        unit => (1.0, unit),
    };
    let step = step / scale;
    let most = if unit == "USD" { 4 } else { 2 };
    let places = if step > 0.0 { -libm::floor(libm::log10(step)) } else { 0.0 };
    axis::written(unit, value / scale, places.clamp(0.0, f64::from(most)) as usize)
}

/// Range of the means, widened to their intervals by at most its own width on either side, or 2 %
/// of its upper end where that is more.
fn range<'a>(all: impl Iterator<Item = &'a MeanEstimate>) -> Option<(f64, f64)> {
    let all: Vec<&MeanEstimate> = all.collect();
    let mean = |pick: fn(f64, f64) -> f64| all.iter().map(|one| one.mean).reduce(pick);
    let (low, high) = (mean(f64::min)?, mean(f64::max)?);
    let room = (high - low).max(0.02 * high.abs());
    let intervals = || all.iter().filter_map(|one| one.interval);
    let lowest = intervals().map(|one| one.low).fold(low, f64::min).max(low - room);
    let highest = intervals().map(|one| one.high).fold(high, f64::max).min(high + room);
    // Measured values are never negative.
    Some((if low >= 0.0 { lowest.max(0.0) } else { lowest }, highest))
}

/// The unit in which spans of about so many seconds are read, in seconds, and its name.
fn time_scale(secs: f64) -> (f64, &'static str) {
    match secs {
        secs if secs >= 259_200.0 => (86_400.0, "d"),
        secs if secs >= 5_400.0 => (3_600.0, "h"),
        secs if secs >= 180.0 => (60.0, "min"),
        _ => (1.0, "s"),
    }
}

/// An axis of a metric's unit; from zero where that is near.
fn measured(unit: &str, low: f64, high: f64) -> ChartAxis {
    let low = if low > 0.0 && low < 0.5 * high { 0.0 } else { low };
    axis::measure(unit, low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_differ_where_their_values_do() {
        let cases = [
            ("USD", 0.0844, 0.002, "$0.084"),
            ("USD", 12_345.6, 250.0, "$12,346"),
            ("share", 0.9875, 0.004, "98.8 %"),
            ("s", 5_400.0, 360.0, "1.5 h"),
            ("count", 7.0, 0.0, "7"),
        ];
        for (unit, value, step, want) in cases {
            assert_eq!(short(unit, value, step), want, "{unit}");
        }
    }
}
