//! A plan as a document.

use super::super::chart::Chart;
use super::super::document::{Card, Document, Section, SectionPlace, Tone, unquoted};
use super::super::figure::{figure, figure_against};
use super::super::words::dollars;
use super::PlanReport;
use crate::experiment::search::Variable;

/// Files of a plan, each with what it holds.
const FILES: [(&str, &str); 4] = [
    ("plan.md", "this answer as Markdown"),
    ("candidates.csv", "every setup that was looked at"),
    ("plan.json", "all of it for programs"),
    ("scenario.toml", "the scenario"),
];

impl PlanReport<'_> {
    /// The document; `charts` are those of the plan, in order.
    pub fn document(&self, charts: Vec<Chart>) -> Document {
        let said = self.statements();
        let mut document = Document::titled(self.recipe.question.as_deref(), "Plan");
        document.about = format!(
            "Scenario {}, policy {}: the setup with the lowest {} that keeps its objectives.",
            unquoted(&self.recipe.scenario_words()),
            unquoted(&self.recipe.policy),
            self.goal().label
        );
        document.answer = said.answer;
        document.cautions = said.cautions;
        document.cards = self.cards();
        document.assumptions = self.assumptions.to_vec();
        document.made_by(self.recipe);
        for one in &self.found.task.variables {
            document.recipe.push(("varied".to_owned(), varied(one)));
        }
        document.files = FILES.map(|(name, what)| (name.to_owned(), what)).to_vec();
        document.add(Section::of(self.judged_table(), SectionPlace::Front));
        document.add(Section::new("Charts", SectionPlace::Page).charts(charts));
        document.add(Section::of(self.candidate_table(), SectionPlace::Folded));
        document
    }

    fn cards(&self) -> Vec<Card> {
        let Some(choice) = self.found.choice else { return Vec::new() };
        let candidate = self.found.candidate(choice);
        let judged = self.judged(candidate);
        let mut cards = Vec::new();
        match (self.monthly(judged), self.mean(self.goal(), judged)) {
            (Some(monthly), _) => {
                let yearly = format!("{} per year", dollars(monthly.mean * 12.0));
                cards.push(Card::new("cost per month", dollars(monthly.mean), yearly));
            }
            (None, Some(mean)) => {
                let value = figure(self.goal().unit, Some(mean));
                cards.push(Card::new(self.goal().label, value, String::new()));
            }
            (None, None) => {}
        }
        for row in 0..self.found.objectives.len() {
            let (metric, objective) = (self.promised(row), &self.found.objectives[row]);
            let mean = self.promised_mean(row, judged);
            let kept = mean.is_some_and(|mean| objective.kept(mean));
            let shown = figure_against(metric.unit, mean, Some(objective.bound));
            let card = Card::new(metric.label, shown, self.bound(row));
            cards.push(card.toned(Tone::of(Some(kept))));
        }
        cards
    }
}

fn varied(one: &Variable) -> String {
    match one.levels.as_slice() {
        [first, .., last] if one.numbers.is_some() => {
            unquoted(&format!("{}: {first} to {last}, {} values", one.key, one.levels.len()))
        }
        levels => unquoted(&format!("{}: {}", one.key, levels.join(", "))),
    }
}
