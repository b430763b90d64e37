//! Results of a comparison that was run: what its report is made of, and its files.

use std::io;

use serde_json::Value;

use super::{Between, ComparisonReport, PolicyResult};
use crate::experiment::{
    Arm, CautionedRun, ComparedArms, Facts, FullRun, backlog, cautions, estimated_prices, waiting,
};
use crate::problem::Problem;
use crate::report::backtest::Calibrated;
use crate::report::chart::{comparison_charts, replication_charts};
use crate::report::files::{ResultFiles, write_page};
use crate::report::recipe::Recipe;
use crate::report::run::RunReport;
use crate::report::sheet::TextCells;
use crate::scenario::not_modelled;
use crate::text::file_name;

/// Results of a comparison.
#[derive(Debug)]
pub struct ComparisonResults<'a> {
    /// Runs of the arms, and the decision.
    pub compared: ComparedArms<'a>,
    /// Reports on the first replication of each arm.
    pub reports: Vec<RunReport>,
    /// Cautions to say beside the answer.
    pub cautions: Vec<String>,
    /// Differences between the scenarios, where there are two.
    pub between: Option<Between>,
    /// Calibration: how far the model was from what was observed; `None` if there was no backtest.
    pub calibration: Option<Calibrated>,
}

impl<'a> ComparisonResults<'a> {
    /// Results of arms that were compared. Reads the input files of their scenarios.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn of(compared: ComparedArms<'a>) -> Result<Self, Problem> {
        let many = &compared.comparison;
        let arms = || compared.arms.iter().zip(&compared.exhibits);
        let report =
            |(arm, run): (&Arm<'_>, &FullRun)| RunReport::of(arm.scenario, arm.policy, &run.result);
        let mut reports: Vec<RunReport> = arms().map(report).collect::<Result<_, _>>()?;
        if let Some(unmodelled) = unmodelled(&compared.arms) {
            reports[0].assumptions.insert(0, unmodelled);
        }
        let facts: Vec<Facts> =
            many.policies.iter().map(|one| Facts::over(&one.measurements)).collect();
        let shown: Vec<CautionedRun<'_>> = arms()
            .zip(&facts)
            .map(|((arm, _), facts)| CautionedRun {
                name: arm.name,
                scenario: arm.scenario,
                policy: arm.policy,
                facts,
            })
            .collect();
        let choice = compared.decision.iter().map(|decision| &shown[decision.choice]);
        let mut told: Vec<String> = choice.filter_map(estimated_prices).collect();
        told.extend(cautions(&shown));
        told.extend(backlog(many.policies.iter().map(|one| {
            let runs = one.measurements.iter().map(|run| waiting(&run.course, many.repetition));
            (one.name.as_str(), runs.collect())
        })));
        Ok(Self { compared, reports, cautions: told, between: None, calibration: None })
    }

    /// The report.
    pub fn report(&self) -> ComparisonReport<'_> {
        let ComparedArms { arms, comparison, exhibits, decision } = &self.compared;
        let question = arms[0].scenario.question.as_str();
        let rows = arms.iter().zip(exhibits).zip(&self.reports);
        ComparisonReport {
            question: Some(question).filter(|question| !question.is_empty()),
            many: comparison,
            decision: decision.as_ref(),
            between: self.between.as_ref(),
            calibration: self.calibration.as_ref(),
            cautions: self.cautions.clone(),
            rows: rows
                .map(|((arm, run), report)| PolicyResult::of(arm, run, &report.objectives))
                .collect(),
            reports: &self.reports,
        }
    }

    /// Writes all files but the manifest, which it gives: tables, data, `decision.md`, charts and
    /// the page `compare.html`.
    ///
    /// # Errors
    /// The first that cannot be written, or an input file that cannot be read again.
    pub fn write<F: ResultFiles>(&self, files: &F) -> Result<Value, F::Failure> {
        let (report, cells) = (self.report(), TextCells::Guarded);
        let arms = &self.compared.arms;
        let names = &self.compared.exhibits[report.baseline()].names;
        files.take("compare.csv", &mut |out| report.write_csv(out, cells).map(drop))?;
        files
            .take("replications.csv", &mut |out| report.write_replications(out, cells).map(drop))?;
        files.take("breakdown.csv", &mut |out| report.write_breakdown(out, cells).map(drop))?;
        files.take("waterfall.csv", &mut |out| report.write_waterfall(out, cells).map(drop))?;
        files.take("effects.csv", &mut |out| report.write_effects(out, cells).map(drop))?;
        let mut changes =
            |out: &mut dyn io::Write| report.write_outcome_changes(out, names, cells).map(drop);
        files.take("fates.csv", &mut changes)?;
        files.take("compare.json", &mut |out| report.write_json(out))?;
        files.take_bytes("decision.md", report.document(Vec::new()).markdown().as_bytes())?;
        for (arm, run) in arms.iter().zip(&self.reports) {
            let name = format!("policies/{}/summary.json", file_name(arm.name));
            files.take(&name, &mut |out| run.write_json(out))?;
        }
        let scenario = arms[0].scenario;
        files.take_bytes("scenario.toml", scenario.text.as_bytes())?;
        if let Some(other) = arms.iter().find(|arm| arm.scenario.text != scenario.text) {
            files.take_bytes("other.toml", other.scenario.text.as_bytes())?;
        }
        let mut charts = replication_charts(&scenario.world, &report);
        charts.extend(comparison_charts(&scenario.world, &report));
        write_page(files, "compare.html", charts, |charts| report.document(charts))?;
        let names: Vec<&str> = arms.iter().map(|arm| arm.name).collect();
        let recipe = Recipe { policy: names.join(", "), ..self.reports[0].recipe.clone() };
        Ok(recipe.manifest(None))
    }
}

/// Sentence on the effects that none of the scenarios models.
fn unmodelled(arms: &[Arm<'_>]) -> Option<String> {
    let of = |arms: &[Arm<'_>]| {
        let scenario = arms[0].scenario;
        let policies = || scenario.policies.iter().enumerate();
        let row = |arm: &Arm<'_>| policies().find(|(_, one)| std::ptr::eq(*one, arm.policy));
        let rows = arms.iter().filter_map(row).map(|(row, _)| row);
        scenario.unmodelled(&rows.collect::<Vec<_>>())
    };
    not_modelled(arms.chunk_by(|a, b| std::ptr::eq(a.scenario, b.scenario)).flat_map(of))
}
