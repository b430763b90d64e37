//! A backtest as a document.

use super::{BacktestReport, tables};
use crate::experiment::backtest::Likeness;
use crate::report::chart::Chart;
use crate::report::document::{Card, Document, Section, SectionPlace, Tone, unquoted};
use crate::report::figure::{count, figure, share};
use crate::report::run::document::to_the_minute;

/// Files of a backtest, each with what it holds.
const FILES: [(&str, &str); 5] = [
    ("backtest.csv", "every figure, observed and simulated"),
    ("jobs.csv", "every job, observed and simulated"),
    ("groups.csv", "errors of the waits by size, runtime and tenant"),
    ("backtest.json", "all of it for programs"),
    ("scenario.toml", "the scenario"),
];

impl BacktestReport<'_> {
    /// The document; `charts` are those of the backtest, in order.
    pub fn document(&self, charts: Vec<Chart>) -> Document {
        let (run, said) = (self.run, self.statements());
        let recipe = &run.recipe;
        let mut document = Document::titled(recipe.question.as_deref(), &recipe.scenario);
        document.about = format!(
            "Backtest of policy {}, scenario {}, seed {}, {} to {} UTC",
            unquoted(&recipe.policy),
            unquoted(&recipe.scenario_words()),
            recipe.seed,
            to_the_minute(&run.summary.started),
            to_the_minute(&run.summary.ended)
        );
        document.answer = said.answer;
        document.cautions = said.cautions;
        document.left_out(run);
        document.cards = self.cards();
        document.assumptions.clone_from(&run.assumptions);
        document.made_by(recipe);
        document.recipe.push(("event hash".to_owned(), format!("`{}`", run.fingerprint)));
        document.files = FILES.map(|(name, what)| (name.to_owned(), what)).to_vec();
        document.add(Section::of(tables::readings(self.backtest), SectionPlace::Front));
        document.add(Section::new("Charts", SectionPlace::Page).charts(charts));
        for table in tables::backtest(self.backtest) {
            document.add(Section::of(table, SectionPlace::Front));
        }
        document
    }

    fn cards(&self) -> Vec<Card> {
        let likeness = self.backtest.likeness;
        let tone = match likeness {
            Likeness::Exact | Likeness::Close => Tone::Good,
            Likeness::Rough => Tone::Plain,
            Likeness::Poor => Tone::Bad,
        };
        let name = likeness.name().to_owned();
        let mut cards = vec![Card::new("the model is", name, String::new()).toned(tone)];
        if let Some(waits) = &self.backtest.waits {
            let of = format!("of {} jobs, to 10 % or a minute", count(waits.compared));
            cards.push(Card::new("waits as observed", share(waits.within), of));
            let median = figure("s", Some(waits.median_absolute_s));
            cards.push(Card::new("error of a wait, median", median, String::new()));
        }
        cards
    }
}
