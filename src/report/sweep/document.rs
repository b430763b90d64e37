//! A sweep as a document.

use super::super::chart::Chart;
use super::super::document::{Card, Document, Section, SectionPlace, Tone, unquoted};
use super::super::figure::{count, figure};
use super::super::words::{dollars, several};
use super::{SweepReport, table};
use crate::experiment::sweep::{best_of_all, row_of};

/// Points up to which a page shows all of them.
const MOST_POINTS: usize = 100;

/// Files of a sweep, each with what it holds.
const FILES: [(&str, &str); 4] = [
    ("sweep.csv", "every run"),
    ("points.csv", "every point: means and intervals"),
    ("sweep.json", "all of it for programs"),
    ("scenario.toml", "the scenario at the first point"),
];

impl SweepReport<'_> {
    /// The document; `charts` are those of the sweep, in order.
    pub fn document(&self, charts: Vec<Chart>) -> Document {
        let (sweep, said) = (self.sweep, self.statements());
        let mut document = Document::titled(self.question, "Sweep");
        document.about = self.size();
        document.answer = said.answer;
        document.cautions = said.cautions;
        document.cards = self.cards();
        document.assumptions = self.assumptions.to_vec();
        if let Some(recipe) = self.recipe {
            document.made_by(recipe);
        }
        for axis in &sweep.axes {
            let words = format!("`{}={}`", unquoted(&axis.key), unquoted(&axis.asked));
            document.recipe.push(("setting".to_owned(), words));
        }
        document.recipe.push(("repetition".to_owned(), sweep.repetition.description()));
        document.files = FILES.map(|(name, what)| (name.to_owned(), what)).to_vec();
        document.add(Section::of(table::best_points(self), SectionPlace::Front));
        document.add(Section::new("Charts", SectionPlace::Page).charts(charts));
        for policy in 0..sweep.policies.len() {
            let effects = table::effects(self, policy);
            let place =
                if policy == self.chosen() { SectionPlace::Front } else { SectionPlace::Folded };
            if !effects.rows.is_empty() {
                document.add(Section::of(effects, place));
            }
        }
        if sweep.points.len() <= MOST_POINTS {
            for policy in 0..sweep.policies.len() {
                document.add(Section::of(table::points(self, policy), SectionPlace::Folded));
            }
        }
        document
    }

    /// Points, policies and replications of the sweep, counted in one line.
    fn size(&self) -> String {
        let sweep = self.sweep;
        format!(
            "{} ({}), {}, {}",
            several(sweep.points.len() as u64, "point", "points"),
            sweep.design.words(),
            several(sweep.policies.len() as u64, "policy", "policies"),
            several(u64::from(sweep.replications), "replication", "replications")
        )
    }

    fn cards(&self) -> Vec<Card> {
        let (sweep, metric) = (self.sweep, self.ranked_by());
        let Some(best) = best_of_all(sweep, self.goal) else { return Vec::new() };
        let place = unquoted(&sweep.description(best.point, best.policy));
        let mut cards =
            vec![Card::new(metric.label, figure(metric.unit, Some(best.goal.mean)), place)];
        let monthly = row_of("cost_monthly").filter(|&row| row != self.goal && sweep.same_work());
        let monthly = monthly.and_then(|row| sweep.estimate(best.point, best.policy, row));
        if let Some(monthly) = monthly {
            let yearly = format!("{} per year", dollars(monthly.mean * 12.0));
            cards.push(Card::new("cost per month", dollars(monthly.mean), yearly));
        }
        if !sweep.objectives.is_empty() {
            let (kept, all) = (best.kept as u64, u64::from(sweep.replications));
            let value = format!("{} of {}", count(kept), count(all));
            let card = Card::new("all promises kept", value, "replications".to_owned());
            cards.push(card.toned(Tone::of_promise(best.keeps, kept, all)));
        }
        cards
    }
}
