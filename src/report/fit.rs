//! What was seen of zones, as laws of their capacity.

use std::io;

use serde_json::{Value, json};

use super::chart::{Chart, fit_charts};
use super::document::{Document, Section, SectionPlace, Table, unquoted};
use super::figure::{count, decimals, rounded, share};
use super::words::{several, write_json};
use crate::model::{CapacityState, Comovement};
use crate::weather::{StateFit, Weather, ZoneFit, phi};

/// Weather that somebody has seen, and laws fitted to it.
#[derive(Clone, Copy, Debug)]
pub struct FitReport<'a> {
    /// Name of the file.
    pub file: &'a str,
    /// Cloud that the fragment of a scenario is for.
    pub cloud: &'a str,
    /// What was seen.
    pub weather: &'a Weather,
    /// The law of each zone, in the order of the file.
    pub zones: &'a [ZoneFit],
}

impl FitReport<'_> {
    /// Charts of what was seen against the laws.
    pub fn charts(&self) -> Vec<Chart> {
        fit_charts(self.zones)
    }

    /// Fit as a document; `charts` are those of the fit, in order.
    pub fn document(&self, charts: Vec<Chart>) -> Document {
        let mut document = Document::titled(Some("Laws of capacity"), "");
        let weather = self.weather;
        document.about = format!(
            "{}: {}, {} of them watched",
            unquoted(self.file),
            several(weather.zones.len() as u64, "zone", "zones"),
            weather.watched_for()
        );
        let steady = self.zones.iter().filter(|zone| zone.constant().is_some()).count() as u64;
        let moving = self.zones.len() as u64 - steady;
        document.answer.headline = format!(
            "Laws of {}; the capacity of {} never changes.",
            several(moving, "zone", "zones"),
            count(steady)
        );
        let closed = |zone: &&ZoneFit| zone.states.iter().flatten().any(|state| state.is_closed);
        let guessed: Vec<String> =
            self.zones.iter().filter(closed).map(|zone| unquoted(&zone.name)).collect();
        if !guessed.is_empty() {
            let message = "A state was seen to begin or to end in no other; a step was added in";
            document.cautions.push(format!("{message} {}.", guessed.join(", ")));
        }
        for zone in self.zones.iter().filter(|zone| zone.constant().is_none()) {
            if let Err(why) = zone.law() {
                document.cautions.push(format!("{}: no law: {why}.", unquoted(&zone.name)));
            }
        }
        document.add(Section::of(self.states(), SectionPlace::Front).note(STATES));
        document.add(Section::of(self.correlations(), SectionPlace::Front));
        document.add(Section::new("Charts", SectionPlace::Page).charts(charts));
        document.sections.retain(|section| {
            section.tables.iter().any(|one| !one.rows.is_empty()) || !section.charts.is_empty()
        });
        document
    }

    fn states(&self) -> Table {
        let head = [
            "zone",
            "state",
            "law",
            "time",
            "by the law",
            "spells",
            "mean seen",
            "mean of the law",
            "distance",
        ];
        let mut table = Table::new("States", &head);
        table.words = 3;
        for zone in self.zones {
            let law = zone.law().ok();
            for (state, fit) in states(zone) {
                let best = fit.lasts.laws.first();
                let mean = best.and_then(|best| best.law.mean());
                table.row([
                    unquoted(&zone.name),
                    state.name().to_owned(),
                    best.map_or("–".to_owned(), |best| best.words.clone()),
                    share(fit.share),
                    law.as_ref()
                        .map_or("–".to_owned(), |law| share(law.shares()[state as usize])),
                    format!("{} + {}", fit.lasts.whole, fit.lasts.cut),
                    rounded(fit.mean),
                    mean.map_or("–".to_owned(), rounded),
                    best.map_or("–".to_owned(), |best| decimals(best.distance, 3)),
                ]);
            }
        }
        table
    }

    fn correlations(&self) -> Table {
        let mut table = Table::new("Correlation of whether any is there", &["zones", "phi"]);
        let mut pairs = self.pairs();
        pairs.sort_by(|one, other| other.1.abs().total_cmp(&one.1.abs()));
        for ((one, other), phi) in pairs.into_iter().take(MOST_PAIRS) {
            let names = [one, other].map(|row| unquoted(&self.weather.zones[row].name));
            table.row([names.join(", "), decimals(phi, 3)]);
        }
        table
    }

    /// Phi coefficients of pairs of zones, by their rows, where both change.
    fn pairs(&self) -> Vec<ZonePair> {
        let zones = &self.weather.zones;
        let pairs =
            (0..zones.len()).flat_map(|one| (one + 1..zones.len()).map(move |two| (one, two)));
        pairs
            .filter_map(|(one, two)| {
                Some(((one, two), phi(self.weather, &zones[one], &zones[two])?))
            })
            .collect()
    }

    /// The coefficient of a pair, as far as the shares of time of the two laws allow it.
    fn in_reach(&self, ((one, other), phi): ZonePair) -> Option<ZonePair> {
        let absent = |row: usize| Some(self.zones[row].law().ok()?.shares()[0]);
        let (low, high) = Comovement::reach((absent(one)?, absent(other)?))?;
        Some(((one, other), phi.clamp(low * REACH, high * REACH)))
    }

    /// A piece of a scenario in which the zones have these laws.
    pub fn fragment(&self) -> String {
        let cloud = self.cloud;
        let mut text =
            format!("# Laws of capacity, fitted by `windtunnel trace fit` to {}.\n", self.file);
        for zone in self.zones.iter().filter(|zone| zone.constant().is_some() || zone.law().is_ok())
        {
            text += &format!(
                "\n[[cloud.{cloud}.availability]]\nzone = {:?}\nmarket = \"spot\"\n",
                zone.name
            );
            for row in zone.rows() {
                text += &row;
                text.push('\n');
            }
        }
        let pairs = self.pairs().into_iter().filter_map(|pair| self.in_reach(pair));
        let strong: Vec<_> = pairs.filter(|pair| pair.1.abs() >= STRONG).collect();
        if strong.is_empty() {
            return text;
        }
        text += "\n# Zones moved together as follows. With this, how long states last goes by `relaxation`.\n";
        text += &format!("# [cloud.{cloud}.comovement]\n# relaxation = \"2 h\"\n# pairs = [\n");
        for ((one, other), phi) in strong {
            let names = [one, other].map(|row| &self.weather.zones[row].name);
            text += &format!("#   {{ zones = {names:?}, correlation = {phi:.3} }},\n");
        }
        text + "# ]\n"
    }

    /// Everything for programs.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn write_json(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let zones: Vec<Value> = self.zones.iter().map(zone_json).collect();
        let name = |row: usize| &self.weather.zones[row].name;
        let pairs = self.pairs().into_iter();
        let pairs: Vec<Value> = pairs
            .map(|((one, other), phi)| json!({ "zones": [name(one), name(other)], "phi": phi }))
            .collect();
        let value = json!({
            "file": self.file,
            "watched_s": self.weather.watched_for().secs_f64(),
            "zones": zones,
            "correlations": pairs,
            "fragment": self.fragment(),
        });
        write_json(&value, out)
    }
}

/// Rows of two zones, and their phi coefficient.
type ZonePair = ((usize, usize), f64);

/// Part of what the shares of time of two laws allow that a fragment asks for at most: their laws are
/// not quite what was seen.
const REACH: f64 = 0.9;
/// Correlations in a table at most.
const MOST_PAIRS: usize = 20;
/// Correlations that a fragment names are at least as strong.
const STRONG: f64 = 0.1;

/// Words below the table of states.
const STATES: &str = "Time is the share of the time in which somebody looked. Spells were seen whole + cut; those whose \
    begin was not seen count for the time alone. The distance is that of Kolmogorov and Smirnov between the law and the \
    estimate of Kaplan and Meier, from 0 to 1.";

fn states(zone: &ZoneFit) -> impl Iterator<Item = (CapacityState, &StateFit)> {
    let states = CapacityState::ALL.into_iter().zip(&zone.states);
    states.filter_map(|(state, fit)| Some((state, fit.as_ref()?)))
}

fn zone_json(zone: &ZoneFit) -> Value {
    let law = zone.law().ok();
    let state = |(state, fit): (CapacityState, &StateFit)| {
        let laws = fit.lasts.laws.iter().map(|fitted| {
            json!({
                "law": fitted.words,
                "mean_s": fitted.law.mean(),
                "log_likelihood": fitted.log_likelihood,
                "ks_distance": fitted.distance,
            })
        });
        let value = json!({
            "share": fit.share,
            "share_by_law": law.as_ref().map(|law| law.shares()[state as usize]),
            "spells": fit.spells,
            "mean_s": fit.mean,
            "whole": fit.lasts.whole,
            "cut": fit.lasts.cut,
            "next": fit.next,
            "step_added": fit.is_closed,
            "longer": fit.lasts.longer,
            "laws": laws.collect::<Vec<_>>(),
        });
        (state.name().to_owned(), value)
    };
    json!({
        "zone": zone.name,
        "instances": zone.full,
        "states": states(zone).map(state).collect::<serde_json::Map<String, Value>>(),
    })
}
