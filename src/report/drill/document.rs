//! A drill as a document.

use super::super::chart::Chart;
use super::super::document::{Card, Document, Section, SectionPlace, Tone};
use super::super::figure::{clean, figure};
use super::super::words::several;
use super::{DrillReport, table};

/// Files of a drill, each with what it holds.
const FILES: [(&str, &str); 3] = [
    ("drill.csv", "every run"),
    ("drill.json", "all of it for programs"),
    ("scenario.toml", "the scenario, calm"),
];

impl DrillReport<'_> {
    /// The document; `charts` are those of the drill.
    pub fn document(&self, charts: Vec<Chart>) -> Document {
        let (drill, said) = (self.drill, self.statements());
        let mut document = Document::titled(self.question, "Drill");
        let lasts = drill.lasts.map_or_else(
            || "for ever".to_owned(),
            |lasts| format!("for {}", figure("s", Some(lasts.secs_f64()))),
        );
        document.about = format!(
            "{} struck {lasts}, {}, {}",
            several(drill.blows.len() as u64, "part", "parts"),
            several(drill.policies.len() as u64, "policy", "policies"),
            several(u64::from(drill.replications), "replication", "replications"),
        );
        document.answer = said.answer;
        document.cautions = said.cautions;
        document.cards = (0..drill.policies.len()).map(|policy| self.card(policy)).collect();
        document.assumptions = self.assumptions.to_vec();
        if let Some(recipe) = self.recipe {
            document.made_by(recipe);
        }
        document.recipe.push(("repetition".to_owned(), drill.repetition.description()));
        document.files = FILES.map(|(name, what)| (name.to_owned(), what)).to_vec();
        document.add(Section::new("Charts", SectionPlace::Page).charts(charts));
        for policy in 0..drill.policies.len() {
            document.add(Section::of(table::breakages(self, policy), SectionPlace::Front));
        }
        document
    }

    fn card(&self, policy: usize) -> Card {
        let points = self.drill.single_points(policy).len();
        let tone = if points > 0 { Tone::Bad } else { Tone::Good };
        let name = clean(&self.drill.policies[policy]);
        let blows = self.drill.blows.len();
        let detail = format!("single points of failure among {blows}");
        Card::new(&name, points.to_string(), detail).toned(tone)
    }
}
