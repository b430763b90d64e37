//! How much to commit, in words, tables and files.

use std::io;

use serde_json::{Value, json};

use super::chart::Chart;
use super::document::{Answer, Card, Document, Section, SectionPlace, Table, unquoted};
use super::figure::{amount, share};
use super::recipe::Recipe;
use super::sheet::{Sheet, TextCells};
use super::words::{dollars, several, write_json};
use crate::billing::advice::{Expected, Holding, LEVELS, PayChance, PortfolioAdvice, UnitsOutcome};
use crate::billing::commitment::Benefit;
use crate::billing::offering::Offering;
use crate::billing::rules::shipped;
use crate::experiment::commit::{CommitNote, CommitStudy};

/// Advice on commitments, and what is said beside it.
#[derive(Clone, Copy, Debug)]
pub struct CommitReport<'a> {
    /// Question that the scenario asks, if it says so.
    pub question: Option<&'a str>,
    /// The study.
    pub study: &'a CommitStudy,
    /// Inputs that made it.
    pub recipe: Option<&'a Recipe>,
    /// Assumptions that were made.
    pub assumptions: &'a [String],
}

/// Columns of `commit.csv`.
pub(super) const COLUMNS: [&str; 11] = [
    "offering",
    "units",
    "machines",
    "usd_per_hour",
    "saving_usd_per_year",
    "coverage",
    "utilisation",
    "pays",
    "pays_low",
    "pays_high",
    "mark",
];

impl CommitReport<'_> {
    /// The document; `charts` are those of the study.
    pub fn document(&self, charts: Vec<Chart>) -> Document {
        let study = self.study;
        let mut document = Document::titled(self.question, "How much to commit");
        document.about = format!(
            "{}, {} of {}, looked ahead {}",
            unquoted(&study.policy),
            several(u64::from(study.plan.replications), "future", "futures"),
            time(study.window),
            time(study.horizon),
        );
        document.answer = self.answer();
        document.cautions = self.cautions();
        document.cards = self.cards();
        document.assumptions = self.all_assumptions();
        if let Some(recipe) = self.recipe {
            document.made_by(recipe);
        }
        document.files = vec![
            ("commit.csv".to_owned(), "savings, coverage and utilisation over the amount"),
            ("commit.json".to_owned(), "all of it for programs"),
        ];
        document.add(Section::of(self.together(), SectionPlace::Front).note(format!(
            "It costs that in all its term, used or not. It saves what would be lost without it, the others as they are: what goes together may save more or less than the sum. Prudent is less: the largest amount of which also the last machine (core, GiB), or the last tenth of a cent an hour, pays for itself in {} of futures.",
            share(study.plan.confidence)
        )));
        document.add(Section::of(self.alone(), SectionPlace::Front));
        document.add(Section::of(self.levels(), SectionPlace::Front).note(LEVELS_NOTE));
        document.add(Section::new("By offering, alone", SectionPlace::Page).charts(charts));
        document
    }

    fn answer(&self) -> Answer {
        let study = self.study;
        let (best, prudent) = (&study.advice.cheapest, &study.advice.prudent);
        let held = self.held(best);
        let headline = match held.as_slice() {
            [] => "Commit to nothing: no offering saves anything in the mean.".to_owned(),
            held => format!(
                "Commit to {}: that saves {} a year in the mean, {} of {} on demand.",
                held.join(" and "),
                dollars(best.saving.mean),
                share(best.saving.mean / (best.saving.mean + best.cost.mean)),
                dollars(best.saving.mean + best.cost.mean),
            ),
        };
        let mut bullets = Vec::new();
        if let Some(chance) = best.pays {
            bullets.push(format!(
                "It pays for itself {}; the saving is {} to {} a year in nine futures of ten.",
                chance_words(chance, study.plan.replications),
                dollars(best.saving.low),
                dollars(best.saving.high),
            ));
        }
        let careful = self.held(prudent);
        if careful != held {
            let words = match careful.as_slice() {
                [] => "nothing".to_owned(),
                some => some.join(" and "),
            };
            bullets.push(format!(
                "Prudent is {words}: it saves {} a year.",
                dollars(prudent.saving.mean)
            ));
        }
        let known: Vec<String> = study
            .advice
            .offerings
            .iter()
            .zip(&study.offerings)
            .filter(|(advice, _)| advice.cheapest.units > 0)
            .map(|(advice, offering)| {
                format!("{} {}", unquoted(&offering.name), dollars(advice.regret))
            })
            .collect();
        if !known.is_empty() {
            bullets.push(format!(
                "Knowing the future would save so much more a year, each alone: {}.",
                known.join(", ")
            ));
        }
        Answer { headline, bullets }
    }

    /// What is bought, in words.
    fn held(&self, portfolio: &PortfolioAdvice) -> Vec<String> {
        let rows = portfolio.holdings.iter().zip(&self.study.offerings);
        rows.filter(|(held, _)| held.units > 0)
            .map(|(held, offering)| {
                format!("{} of {}", quantity(offering, held.units), unquoted(&offering.name))
            })
            .collect()
    }

    fn cautions(&self) -> Vec<String> {
        let study = self.study;
        let mut said = Vec::new();
        said.extend(study.notes.iter().map(|note| self.note(note)));
        if study.plan.replications < 20 {
            said.push(format!(
                "Probabilities are shares of {}: `--replications` has more.",
                several(u64::from(study.plan.replications), "future", "futures")
            ));
        }
        if !study.advice.is_settled {
            said.push(
                "The search for what goes together took too long, and was stopped.".to_owned(),
            );
        }
        said
    }

    fn note(&self, note: &CommitNote) -> String {
        match note {
            CommitNote::Short => format!(
                "The work is that of {}: the course of a week is not in it.",
                time(self.study.window)
            ),
            CommitNote::SteadyState => {
                "The beginning of runs counts here: `steady_state` is not applied.".to_owned()
            }
            CommitNote::Idle(idle) => format!("{}.", idle.in_line()),
            CommitNote::CoversNothing(name) => format!(
                "{} covers nothing that can be rented here: look at its provider, region, type and families. Cores and memory are covered where their prices are known and whole machines of the family are neither committed nor for sale.",
                unquoted(name)
            ),
            CommitNote::NoBenefit(name) => format!(
                "The account that is billed has no benefit of {}: look at its account and scope.",
                unquoted(name)
            ),
            CommitNote::NotHeld(name) => format!(
                "The commitment {} does not hold as the run begins: it is left out.",
                unquoted(name)
            ),
            CommitNote::Held(count) => format!(
                "What is held goes on as it is, and covers first: {}.",
                several(*count as u64, "commitment", "commitments")
            ),
            CommitNote::Foreign(code, worth) => format!(
                "What is offered in {} is reckoned in dollars at what one is worth as the run begins, {} USD, for all of its term.",
                unquoted(code),
                worth.picos() as f64 / 1e12
            ),
            CommitNote::Sustained(provider) => format!(
                "{} takes something off for sustained use without any commitment. That is not in here: what is saved on it is less.",
                unquoted(provider)
            ),
            CommitNote::Shorter(name) => format!(
                "Nothing follows {} when its term is over: what it saves a year is spread over the {} that are looked ahead.",
                unquoted(name),
                time(self.study.horizon)
            ),
            CommitNote::Longer(name) => format!(
                "The term of {} is longer than what is looked ahead: it is judged by a part of it.",
                unquoted(name)
            ),
        }
    }

    fn all_assumptions(&self) -> Vec<String> {
        let study = self.study;
        let mut words = vec![
            format!(
                "The work of {} repeats for {}, with {} growth a year and a spread of {} (`--growth`, `--spread`).",
                time(study.window),
                time(study.horizon),
                share(study.plan.growth),
                share(study.plan.spread),
            ),
            "A term is bought once, now; what comes after a shorter one counts for nothing. Prices stay what they are."
                .to_owned(),
            "What goes together is a local optimum: no change of one amount saves more.".to_owned(),
        ];
        if study.shipped {
            words.push(
                "The scenario names no offerings: plans of the providers at their usual discount. Say what you are offered: `[[offering]]`."
                    .to_owned(),
            );
            let names = study.offerings.iter().map(|offering| offering.name.as_str());
            let names: Vec<&str> = names.collect();
            for row in &crate::billing::rules::shipped().plan {
                if names.contains(&row.name.as_str()) && !row.source.assumed.is_empty() {
                    words.push(format!("{}: {}.", row.name, row.source.assumed));
                }
            }
        }
        words.extend(self.assumptions.iter().cloned());
        words
    }

    fn cards(&self) -> Vec<Card> {
        let best = &self.study.advice.cheapest;
        let of_all = format!("of {} on demand", dollars(best.saving.mean + best.cost.mean));
        let pays = best.pays.map_or("–".to_owned(), |chance| share(chance.share));
        vec![
            Card::new("saving a year", dollars(best.saving.mean), of_all),
            Card::new("pays for itself in", pays, "of futures".to_owned()),
            Card::new("covered", share(best.coverage.mean), "of what could be".to_owned()),
        ]
    }

    fn together(&self) -> Table {
        let head = [
            "together",
            "term",
            "cheapest",
            "costs in all",
            "saves a year",
            "used",
            "pays",
            "prudent",
        ];
        let mut table = Table::new("What to buy", &head);
        let advice = &self.study.advice;
        let rows = self.study.offerings.iter().zip(&advice.cheapest.holdings);
        for ((offering, held), careful) in rows.zip(&advice.prudent.holdings) {
            let any = |words: String| if held.units > 0 { words } else { "–".to_owned() };
            table.row([
                unquoted(&offering.name),
                time(offering.hours as usize),
                quantity(offering, held.units),
                any(dollars(offering.cost().dollars() * held.units as f64)),
                any(dollars(held.saving.mean)),
                any(share(held.utilisation.mean)),
                shown(held.pays),
                quantity(offering, careful.units),
            ]);
        }
        table
    }

    fn alone(&self) -> Table {
        let head = [
            "alone",
            "cheapest",
            "saves a year",
            "covers",
            "used",
            "pays",
            "prudent",
            "clairvoyant",
        ];
        let mut table = Table::new("Each offering alone, in a year of its term", &head);
        for (offering, advice) in self.study.offerings.iter().zip(&self.study.advice.offerings) {
            let best = &advice.cheapest;
            table.row([
                unquoted(&offering.name),
                quantity(offering, best.units),
                dollars(best.saving.mean),
                share(best.coverage.mean),
                if best.units > 0 { share(best.utilisation.mean) } else { "–".to_owned() },
                shown(best.pays),
                quantity(offering, advice.prudent.units),
                dollars(advice.clairvoyant),
            ]);
        }
        table
    }

    /// Demand of the first and the last month in the units of each offering.
    fn levels(&self) -> Table {
        let head = ["demand", "mean", "least", "10 %", "25 %", "half", "75 %", "90 %", "most"];
        let mut table = Table::new("Demand by the hour", &head);
        for (offering, advice) in self.study.offerings.iter().zip(&self.study.advice.offerings) {
            let ends =
                [("first month", advice.levels.first()), ("last month", advice.levels.last())];
            let grows = advice.levels.first() != advice.levels.last();
            let shown = if grows { &ends[..] } else { &ends[..1] };
            for (when, levels) in shown {
                let Some(levels) = levels else { continue };
                let [least, _, tenth, quarter, half, most_of, ninety, _, most] =
                    levels.at.map(|units| units_words(offering, units));
                let name = match grows {
                    true => format!("{}, {when}", unquoted(&offering.name)),
                    false => unquoted(&offering.name),
                };
                let mean = units_words(offering, levels.mean);
                table.row([name, mean, least, tenth, quarter, half, most_of, ninety, most]);
            }
        }
        table
    }

    /// Writes `commit.csv`: by offering, what each amount does alone.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn write_csv<W: io::Write>(&self, out: W, cells: TextCells) -> io::Result<W> {
        let mut sheet = Sheet::new(out, cells, COLUMNS);
        for (offering, advice) in self.study.offerings.iter().zip(&self.study.advice.offerings) {
            for point in &advice.curve {
                let (machines, usd) = measures(offering, point.units as f64);
                sheet.text(&offering.name);
                sheet.whole(point.units);
                sheet.number(machines);
                sheet.number(usd);
                sheet.number(Some(point.saving));
                sheet.number(Some(point.coverage));
                sheet.number((point.units > 0).then_some(point.utilisation));
                for of in [
                    |pays: PayChance| pays.share,
                    |pays: PayChance| pays.low,
                    |pays: PayChance| pays.high,
                ] {
                    sheet.number(point.pays.map(of));
                }
                sheet.word(match point.units {
                    units if units == advice.cheapest.units && units == advice.prudent.units => {
                        "both"
                    }
                    units if units == advice.cheapest.units => "cheapest",
                    units if units == advice.prudent.units => "prudent",
                    _ => "",
                });
                sheet.end_row();
            }
        }
        sheet.finish()
    }

    /// Writes all of it for programs.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn write_json(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let study = self.study;
        let answer = self.answer();
        let offerings = study.offerings.iter().zip(&study.advice.offerings);
        let offerings = offerings.map(|(offering, advice)| {
            let levels =
                advice.levels.iter().map(|levels| json!({ "mean": levels.mean, "at": levels.at }));
            json!({
                "name": offering.name,
                "provider": offering.provider,
                "term_h": offering.hours,
                "unit_usd_per_hour": measures(offering, 1.0).1,
                "unit_cost_usd": offering.cost().exact(),
                "cheapest": outcome(offering, &advice.cheapest),
                "prudent": outcome(offering, &advice.prudent),
                "clairvoyant_usd_per_year": advice.clairvoyant,
                "regret_usd_per_year": advice.regret,
                "demand_by_month": levels.collect::<Vec<_>>(),
            })
        });
        let value = json!({
            "answer": answer,
            "policy": study.policy,
            "replications": study.plan.replications,
            "window_h": study.window,
            "horizon_h": study.horizon,
            "growth": study.plan.growth,
            "spread": study.plan.spread,
            "confidence": study.plan.confidence,
            "coverable_usd_per_year": study.coverable,
            "levels": LEVELS,
            "offerings": offerings.collect::<Vec<_>>(),
            "cheapest": self.portfolio(&study.advice.cheapest),
            "prudent": self.portfolio(&study.advice.prudent),
            "cautions": self.cautions(),
            "assumptions": self.all_assumptions(),
            "recipe": self.recipe,
        });
        write_json(&value, out)
    }

    fn portfolio(&self, portfolio: &PortfolioAdvice) -> Value {
        let holding = |(held, offering): (&Holding, &Offering)| {
            let (machines, usd) = measures(offering, held.units as f64);
            json!({
                "name": offering.name,
                "units": held.units,
                "machines": machines,
                "usd_per_hour": usd,
                "cost_usd_in_term": offering.cost().dollars() * held.units as f64,
                "upfront_usd": offering.upfront.dollars() * held.units as f64,
                "saving_usd_per_year": expected(&held.saving),
                "utilisation": expected(&held.utilisation),
                "pays": held.pays.map(chance),
                "last_pays": held.last_pays.map(chance),
            })
        };
        let holdings = portfolio.holdings.iter().zip(&self.study.offerings).map(holding);
        json!({
            "holdings": holdings.collect::<Vec<_>>(),
            "cost_usd_per_year": expected(&portfolio.cost),
            "saving_usd_per_year": expected(&portfolio.saving),
            "coverage": expected(&portfolio.coverage),
            "pays": portfolio.pays.map(chance),
        })
    }
}

const LEVELS_NOTE: &str = "How much of each offering the demand of an hour could use: in half of all hours it is no more than the figure under half.";

fn expected(value: &Expected) -> Value {
    // No minus before nothing.
    let [mean, low, high] = [value.mean, value.low, value.high].map(|value| value + 0.0);
    json!({ "mean": mean, "error": value.error, "p5": low, "p95": high })
}

fn chance(value: PayChance) -> Value {
    json!({ "share": value.share, "low": value.low, "high": value.high })
}

fn outcome(offering: &Offering, outcome: &UnitsOutcome) -> Value {
    let (machines, usd) = measures(offering, outcome.units as f64);
    json!({
        "units": outcome.units,
        "machines": machines,
        "usd_per_hour": usd,
        "cost_usd_per_year": expected(&outcome.cost),
        "saving_usd_per_year": expected(&outcome.saving),
        "coverage": expected(&outcome.coverage),
        "utilisation": expected(&outcome.utilisation),
        "pays": outcome.pays.map(chance),
        "last_pays": outcome.last_pays.map(chance),
    })
}

/// Machines, or dollars by the hour, of so many units.
pub(super) fn measures(offering: &Offering, units: f64) -> (Option<f64>, Option<f64>) {
    match &offering.benefit {
        Benefit::Reserved { .. } => (Some(units), None),
        Benefit::Spending { hourly, .. } => (None, Some(units * hourly.nanos() as f64 / 1e9)),
    }
}

/// One unit of what is reserved, and several; `None` of a plan.
pub(super) fn reserved_words(offering: &Offering) -> Option<[&'static str; 2]> {
    let Benefit::Reserved { matching, .. } = &offering.benefit else { return None };
    let size = matching.size.as_deref().unwrap_or_default();
    let part = size.rsplit_once('-').filter(|_| shipped().is_part(&offering.provider, size));
    Some(match part {
        Some((_, "core")) => ["core", "cores"],
        Some((_, "gpu")) => ["GPU", "GPUs"],
        // Memory, and disks.
        Some(_) => ["GiB", "GiB"],
        None => ["machine", "machines"],
    })
}

fn quantity(offering: &Offering, units: u64) -> String {
    match (reserved_words(offering), units) {
        (_, 0) => "nothing".to_owned(),
        (Some([one, more]), units) => several(units, one, more),
        (None, units) => units_words(offering, units as f64),
    }
}

fn units_words(offering: &Offering, units: f64) -> String {
    match measures(offering, units) {
        (_, Some(usd)) => format!("{}/h", dollars(usd)),
        (machines, None) => amount(machines.unwrap_or(0.0)),
    }
}

fn shown(chance: Option<PayChance>) -> String {
    chance.map_or("–".to_owned(), |chance| share(chance.share))
}

fn chance_words(chance: PayChance, replications: u32) -> String {
    format!(
        "in {} of {} (95 % interval {} to {})",
        share(chance.share),
        several(u64::from(replications), "future", "futures"),
        share(chance.low),
        share(chance.high)
    )
}

/// Hours as days, or as years of 8,760 hours.
fn time(hours: usize) -> String {
    match hours {
        hours if hours.is_multiple_of(8_760) => several(hours as u64 / 8_760, "year", "years"),
        hours if hours.is_multiple_of(24) => several(hours as u64 / 24, "day", "days"),
        hours => several(hours as u64, "hour", "hours"),
    }
}
