//! What a comparison rests on, and the page that it is filed with.

use super::super::figure::clean;
use super::Comparison;
use super::answer::percent;
use crate::experiment::{Chance, Repetition};

impl Comparison<'_> {
    /// What the numbers rest on.
    pub fn basis(&self) -> String {
        let many = self.many;
        let count = many.replications;
        let told = match many.repetition {
            // Some of those that were spread, where a precision was reached.
            Repetition::Windows { of, taken, .. } if count < taken => {
                format!("{} ({count} of {of})", many.repetition.told())
            }
            _ => many.repetition.told(),
        };
        let basis = match many.chance {
            Chance::None => format!(
                "Nothing in this scenario is random: more replications would all come out the same{}. \
                 Differences are exact for this workload, and what they would be for another is \
                 unknown (`--resample \"1 d\"` draws others from its blocks).",
                match many.judging.precision {
                    Some(_) => ", and a precision has no effect",
                    None => "",
                }
            ),
            Chance::Unknown => "There was one replication, so how much of this is chance is \
                 unknown."
                .to_owned(),
            Chance::Workload => format!("Based on {count} replications, {told}."),
            Chance::OneTrace => format!(
                "Based on {count} replications, {told}, of one trace: the verdicts hold for this \
                 trace, not for others."
            ),
            Chance::Resampled => format!("Based on {count} replications, {told}."),
        };
        let precision = match (many.precise, many.judging.precision) {
            (Some(true), Some(precision)) => {
                format!(" Stopped by rule when intervals were within {}.", percent(precision))
            }
            (Some(false), Some(precision)) => format!(
                " The precision asked for, {}, was not reached in as many replications as allowed.",
                percent(precision)
            ),
            _ => String::new(),
        };
        let calibration = match self.calibration {
            Some(words) => format!(" {words}"),
            None => " The model is uncalibrated: it was never held against what was observed \
                 (`windtunnel backtest`)."
                .to_owned(),
        };
        basis + &precision + &calibration
    }

    /// What common random numbers saved, where there is something to say.
    pub fn saved_by_pairing(&self) -> Option<String> {
        let one_work = self.between.is_none_or(|between| between.same_work);
        if !self.is_judged() || !one_work {
            return None;
        }
        let mut ratios: Vec<f64> = Vec::new();
        for policy in &self.many.policies {
            let contrasts = policy.contrasts.iter().flatten();
            let judged = contrasts.filter(|contrast| contrast.verdict.is_some());
            ratios.extend(judged.filter_map(|contrast| contrast.paired?.variance_ratio));
        }
        ratios.sort_by(f64::total_cmp);
        let (least, most) = (ratios.first()?, ratios.last()?);
        let median = ratios[ratios.len() / 2];
        Some(format!(
            "All policies met the same random numbers. Without that, intervals as narrow would have needed \
             {median:.1} times the replications (median over the judged metrics; {least:.1} to {most:.1})."
        ))
    }

    /// `decision.md`.
    pub fn decision_page(&self) -> String {
        let mut text = String::new();
        let title = self.question.map_or_else(|| "Decision".to_owned(), clean);
        let paragraph = self.answer();
        let mut add = |line: &str| {
            text.push_str(line);
            text.push('\n');
        };
        add(&format!("# {title}\n"));
        if let Some(between) = self.between {
            add(&format!("{}\n", between.told()));
        }
        if !paragraph.is_empty() {
            add(&format!("{paragraph}\n"));
        }
        if let Some(caution) = self.caution() {
            add(&format!("{caution}\n"));
        }
        if let Some(between) = self.between {
            add("## What differs between the scenarios\n");
            add(&between.page());
        }
        for row in (0..self.many.policies.len()).filter(|&row| row != self.many.baseline) {
            let name = self.name(row);
            add(&format!("## {name} against {}\n", self.name(self.many.baseline)));
            add("| metric | baseline | policy | difference | verdict |");
            add("|---|---|---|---|---|");
            for metric in self.metrics() {
                let cells = [
                    metric.label.to_owned(),
                    self.figure(metric, self.many.baseline),
                    self.figure(metric, row),
                    self.difference(metric, row),
                    self.verdict(metric, row).to_owned(),
                ];
                add(&format!("| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | ")));
            }
            add("");
        }
        if let Some(saved) = self.saved_by_pairing() {
            add(&saved);
        }
        text
    }
}
