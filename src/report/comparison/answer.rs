//! The answer in one paragraph, and the page that a decision is filed with.

use std::fmt::Write as _;

use super::super::figure::{amount, clean, difference, figure};
use super::Comparison;
use crate::experiment::{Chance, Decision, Influence, Saving};
use crate::metrics::METRICS;

/// `95 %`, `97.5 %`.
fn percent(value: f64) -> String {
    format!("{} %", amount(value * 100.0))
}

/// Assumptions named in the paragraph.
const NAMED: usize = 3;

impl Comparison<'_> {
    /// The paragraph that a comparison opens with; empty where nothing was decided.
    pub fn answer(&self) -> String {
        let Some(decision) = self.decision else { return String::new() };
        let mut said = vec![self.choice(decision)];
        if decision.choice != self.many.baseline {
            said.push(self.money(decision));
            said.push(self.promises(decision));
        }
        said.push(self.unit_costs(decision.choice));
        if !decision.influences.is_empty() {
            said.push(self.assumptions(decision));
        }
        said.push(self.basis());
        said.retain(|sentence| !sentence.is_empty());
        said.join(" ")
    }

    fn name(&self, row: usize) -> String {
        clean(&self.many.policies[row].name)
    }

    fn choice(&self, decision: &Decision) -> String {
        let base = self.name(self.many.baseline);
        if decision.choice == self.many.baseline {
            return format!(
                "Keep {base}: no other policy keeps more promises, or as many for less."
            );
        }
        format!("Take {} instead of {base}.", self.name(decision.choice))
    }

    fn money(&self, decision: &Decision) -> String {
        let Some(saving) = decision.saving else {
            return "The two did not do the same work, so what is saved in all cannot be said."
                .to_owned();
        };
        let way = if saving.monthly < 0.0 { "costs" } else { "saves" };
        let more = if saving.monthly < 0.0 { " more" } else { "" };
        let dollars = |value: f64| figure("USD", Some(value.abs()));
        format!(
            "It {way} {}{more} per month{}, {}{more} per year, scaled from {} of arrivals.",
            dollars(saving.monthly),
            self.interval(&saving),
            dollars(saving.monthly * 12.0),
            figure("s", Some(self.arrivals_s())),
        )
    }

    /// Of the saving: (95 % interval: $1.00 to $2.00 saved).
    fn interval(&self, saving: &Saving) -> String {
        let Some(interval) = saving.interval else { return String::new() };
        let signed = |value: f64| difference("USD", -value);
        let confidence = percent(self.many.judging.confidence);
        let (low, high) = (signed(interval.high), signed(interval.low));
        format!(" ({confidence} interval of the change: {low} to {high})")
    }

    /// Mean time over which work arrived under the baseline.
    fn arrivals_s(&self) -> f64 {
        let all = &self.many.policies[self.many.baseline].measurements;
        all.iter().map(|one| one.arrivals_s).sum::<f64>() / all.len().max(1) as f64
    }

    fn promises(&self, decision: &Decision) -> String {
        let list = |rows: &[usize]| -> String {
            let objectives = self.rows.first().map_or(&[][..], |row| row.objectives);
            let word = |&row: &usize| {
                objectives
                    .get(row)
                    .map_or(String::new(), |one| format!("{} {}", one.label, one.text))
            };
            rows.iter().map(word).collect::<Vec<_>>().join(", ")
        };
        match (decision.gained.is_empty(), decision.lost.is_empty()) {
            _ if decision.promises.is_empty() => String::new(),
            (true, true) => "It keeps the same promises.".to_owned(),
            (false, true) => format!("Promises gained: {}; none lost.", list(&decision.gained)),
            (true, false) => format!("Promises lost: {}; none gained.", list(&decision.lost)),
            (false, false) => format!(
                "Promises gained: {}; lost: {}.",
                list(&decision.gained),
                list(&decision.lost)
            ),
        }
    }

    fn unit_costs(&self, row: usize) -> String {
        let base = self.many.baseline;
        let keys = ["cost_per_job", "cost_per_core_hour", "cost_per_gpu_hour", "savings_rate"];
        let mut said = Vec::new();
        for metric in keys.iter().filter_map(|key| METRICS.iter().find(|one| one.key == *key)) {
            let Some(value) = self.mean(metric, row) else { continue };
            let mut words = format!("{} {}", metric.label, figure(metric.unit, Some(value)));
            if row != base
                && let Some(from) = self.mean(metric, base)
            {
                write!(words, " (was {})", figure(metric.unit, Some(from)))
                    .expect("a string takes everything");
            }
            said.push(words);
        }
        let mut said = said.join(", ");
        if let Some(first) = said.get_mut(0..1) {
            first.make_ascii_uppercase();
            said.push('.');
        }
        said
    }

    fn assumptions(&self, decision: &Decision) -> String {
        let word = |one: &Influence| {
            let moved = difference("USD", one.moved());
            match decision.saving {
                Some(_) => format!("{} ({moved} saved per month)", one.assumption),
                None => format!("{} ({moved} saved per useful core-hour)", one.assumption),
            }
        };
        let named: Vec<String> = decision.influences.iter().take(NAMED).map(word).collect();
        format!("What moves this most: {}.", named.join("; "))
    }

    /// What the numbers rest on.
    pub fn basis(&self) -> String {
        let many = self.many;
        let count = many.replications;
        let told = many.repetition.told();
        let basis = match many.chance {
            Chance::None => "Nothing in this scenario is random: differences are exact for this \
                 workload, and what they would be for another is unknown (`--resample \"1 d\"` draws \
                 others from its blocks)."
                .to_owned(),
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
        if !self.is_judged() {
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
        add(&format!("# {title}\n\n{paragraph}\n"));
        if let Some(caution) = self.caution() {
            add(&format!("{caution}\n"));
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
