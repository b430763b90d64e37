//! The files of a drill for programs: `drill.csv`, `drill.json`.

use std::io;

use serde::Serialize;

use super::super::document::Answer;
use super::super::keyed::Keyed;
use super::super::sheet::{Sheet, TextCells};
use super::super::words::write_json;
use super::DrillReport;
use crate::experiment::drill::Breakage;
use crate::metrics::METRICS;

/// The columns of `drill.csv` before the metrics.
pub(in super::super) const RUN_COLUMNS: [&str; 12] = [
    "kind",
    "struck",
    "policy",
    "replication",
    "seed",
    "moment_s",
    "objectives_broken",
    "undone",
    "extra_cost_usd",
    "lost_core_hours_more",
    "recovery_s",
    "event_hash",
];

impl DrillReport<'_> {
    /// Writes `drill.csv`: one row per blow, policy and replication, in this order, after the calm
    /// runs, whose kind is `calm`.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn write_runs<W: io::Write>(&self, out: W, cells: TextCells) -> io::Result<W> {
        let drill = self.drill;
        let mut columns: Vec<&str> = RUN_COLUMNS.to_vec();
        columns.extend(METRICS.iter().map(|metric| metric.key));
        let mut sheet = Sheet::new(out, cells, columns);
        for (policy, name) in drill.policies.iter().enumerate() {
            for (replication, run) in drill.calm_runs(policy).iter().enumerate() {
                ["calm", "", name].into_iter().for_each(|text| sheet.text(text));
                sheet.whole(replication as i128);
                sheet.whole(drill.seeds[replication]);
                sheet.number(None);
                sheet.whole(0);
                (0..4).for_each(|_| sheet.number(None));
                sheet.text(&run.fingerprint);
                run.metrics.iter().for_each(|&value| sheet.number(value));
                sheet.end_row();
            }
        }
        for one in &drill.struck {
            let blow = &drill.blows[one.blow];
            sheet.text(blow.kind.name());
            sheet.text(&blow.name);
            sheet.text(&drill.policies[one.policy]);
            sheet.whole(one.replication as i128);
            sheet.whole(drill.seeds[one.replication]);
            sheet.number(Some(one.moment.micros() as f64 / 1e6));
            sheet.whole(one.broken.len() as i128);
            sheet.number(Some(one.undone));
            sheet.number(one.extra_cost);
            sheet.number(Some(one.lost_core_hours));
            sheet.number(one.recovery);
            sheet.text(&one.run.fingerprint);
            one.run.metrics.iter().for_each(|&value| sheet.number(value));
            sheet.end_row();
        }
        sheet.finish()
    }

    /// Writes `drill.json`.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn write_json(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let (drill, said) = (self.drill, self.statements());
        let mut breakages = Vec::new();
        for blow in 0..drill.blows.len() {
            for policy in 0..drill.policies.len() {
                breakages.push(self.breakage(&drill.breakage(blow, policy)));
            }
        }
        let points = drill.policies.iter().enumerate().map(|(row, policy)| {
            let points = drill.single_points(row).into_iter();
            (policy.as_str(), points.map(|blow| drill.blows[blow].name.as_str()).collect())
        });
        let all = DrillJson {
            question: self.question,
            lasts_s: drill.lasts.map(|lasts| lasts.secs_f64()),
            repetition: drill.repetition.description(),
            replications: drill.replications,
            policies: &drill.policies,
            single_points_of_failure: points.collect(),
            answer: said.answer,
            cautions: said.cautions,
            findings: self.findings(),
            assumptions: self.assumptions,
            breakages,
        };
        write_json(&all, out)
    }

    fn breakage(&self, of: &Breakage) -> BreakageJson<'_> {
        let drill = self.drill;
        let blow = &drill.blows[of.blow];
        let objectives = drill.objectives.iter().zip(&of.broken);
        BreakageJson {
            kind: blow.kind.name(),
            struck: &blow.name,
            policy: &drill.policies[of.policy],
            breaks: drill.breaks(of.blow, of.policy),
            broken_in: objectives.map(|(one, &times)| (one.name(), times)).collect(),
            undone: of.undone,
            deadlines_met_less: of.deadlines,
            extra_cost_usd: of.extra_cost,
            lost_core_hours: of.lost_core_hours,
            recovery_s: of.recovery,
        }
    }
}

#[derive(Serialize)]
struct DrillJson<'a, F> {
    question: Option<&'a str>,
    lasts_s: Option<f64>,
    repetition: String,
    replications: u32,
    policies: &'a [String],
    single_points_of_failure: Keyed<&'a str, Vec<&'a str>>,
    answer: Answer,
    cautions: Vec<String>,
    findings: F,
    assumptions: &'a [String],
    breakages: Vec<BreakageJson<'a>>,
}

#[derive(Serialize)]
struct BreakageJson<'a> {
    kind: &'static str,
    struck: &'a str,
    policy: &'a str,
    breaks: bool,
    broken_in: Keyed<String, u32>,
    undone: f64,
    deadlines_met_less: Option<f64>,
    extra_cost_usd: Option<f64>,
    lost_core_hours: f64,
    recovery_s: Option<f64>,
}
