//! The answer in plain sentences, and the page that it is filed with.

use super::super::figure::{amount, clean, count, figure};
use super::PlanReport;
use crate::experiment::Chance;
use crate::experiment::search::{Candidate, Effect, Keeping, Verdict};
use crate::experiment::statistics::Interval;
use crate::scenario::Comparison;

/// `95 %`, `97.5 %`.
fn percent(value: f64) -> String {
    format!("{} %", amount(libm::round(value * 1e6) / 1e4))
}

impl PlanReport<'_> {
    /// The answer in one paragraph.
    pub fn answer(&self) -> String {
        let mut said = match self.found.choice {
            Some(choice) => self.chosen(choice),
            None => self.nothing(),
        };
        said.push(self.basis());
        said.retain(|sentence| !sentence.is_empty());
        said.join(" ")
    }

    fn chosen(&self, choice: usize) -> Vec<String> {
        let (finalist, candidate) = (&self.found.finalists[choice], self.found.candidate(choice));
        let setup = self.setup(candidate);
        let promises = self.promises();
        let (measured, times) = (
            finalist.binding.map_or(String::new(), |row| self.measured(row, candidate)),
            self.times(candidate),
        );
        let first = match self.found.task.keeping {
            _ if self.found.objectives.is_empty() => format!("{setup} is the cheapest."),
            _ if self.found.chance == Chance::None => {
                format!("{setup} keeps {promises}: {measured}.")
            }
            Keeping::OnAverage => {
                format!("{setup} keeps {promises} on average: {measured}{times}.")
            }
            Keeping::InShare(share) => {
                let (share, all) = (percent(share), self.replications());
                format!(
                    "{setup} keeps {promises} in at least {share} of all {all}: {measured}{times}."
                )
            }
        };
        vec![first, self.next_cheaper(choice), self.price(candidate), self.ties()]
    }

    /// What a binding promise's metric is, on average.
    fn measured(&self, row: usize, candidate: &Candidate) -> String {
        let metric = self.promised(row);
        let Some(interval) = self.interval(metric, self.judged(candidate)) else {
            return String::new();
        };
        let mean = figure(metric.unit, Some(interval.mean));
        if self.found.chance == Chance::None {
            return format!("{} is {mean}", metric.label);
        }
        let ends = Self::ends(metric.unit, &interval);
        let confidence = percent(self.found.task.confidence);
        format!("{} is {mean} ({confidence} interval {ends})", metric.label)
    }

    /// In how many replications all promises were kept.
    fn times(&self, candidate: &Candidate) -> String {
        let (kept, all) = self.kept_in(self.judged(candidate));
        match self.found.chance {
            Chance::None => String::new(),
            _ => format!(", kept in {kept} of {all} held-out {}", self.replications()),
        }
    }

    /// The finalist next below in price, which does not keep the promises.
    fn next_cheaper(&self, choice: usize) -> String {
        let ranked = self.ranked();
        let below = ranked.iter().take_while(|&&row| row != choice).copied();
        let finalists = &self.found.finalists;
        let Some(row) = below.filter(|&row| finalists[row].verdict != Verdict::Kept).last() else {
            return String::new();
        };
        let candidate = self.found.candidate(row);
        let verdict = match finalists[row].verdict {
            Verdict::Broken => "does not",
            _ => "could not be shown to",
        };
        let value = finalists[row].binding.map_or(String::new(), |row| {
            let metric = self.promised(row);
            let mean = figure(metric.unit, self.mean(metric, self.judged(candidate)));
            format!(": {} is {mean}", metric.label)
        });
        let setup = self.brief(candidate);
        format!(
            "The next cheaper one that was judged, {setup}, {verdict}{value}{}.",
            self.times(candidate)
        )
    }

    fn price(&self, candidate: &Candidate) -> String {
        let (goal, judged) = (self.goal(), self.judged(candidate));
        let Some(interval) = self.interval(goal, judged) else { return String::new() };
        let confidence = percent(self.found.task.confidence);
        let shown = |interval: &Interval| {
            let mean = figure(goal.unit, Some(interval.mean));
            match self.found.chance {
                Chance::None => mean,
                _ => format!("{mean} ({confidence} interval {})", Self::ends(goal.unit, interval)),
            }
        };
        match self.monthly(judged) {
            Some(monthly) if goal.key == "cost_total" => format!(
                "It costs {} {}, which is {} a month.",
                shown(&interval),
                self.period(),
                shown(&monthly)
            ),
            Some(monthly) => format!("It costs {} a month.", shown(&monthly)),
            None => format!("Its {} is {}.", goal.label, shown(&interval)),
        }
    }

    fn ties(&self) -> String {
        let margin = percent(self.found.task.margin);
        let mut said = String::new();
        let tied: Vec<String> = (0..self.found.finalists.len())
            .filter(|&row| self.found.finalists[row].tied)
            .map(|row| self.brief(self.found.candidate(row)))
            .collect();
        if !tied.is_empty() {
            said = format!("Within {margin} of that, and as good an answer: {}.", tied.join("; "));
        }
        if !self.found.separated {
            said.push_str(" Which of those that keep the objectives costs least was not shown: on average it is this one.");
        }
        said.trim().to_owned()
    }

    /// What is said where nothing was shown to keep all promises.
    fn nothing(&self) -> Vec<String> {
        let Some((row, nearest)) = self.nearest() else {
            return vec!["Nothing was judged.".to_owned()];
        };
        let all_broken =
            self.found.finalists.iter().all(|finalist| finalist.verdict == Verdict::Broken);
        let promises = self.promises();
        let first = match all_broken {
            true => format!("Nothing that was found in these ranges keeps {promises}."),
            false => {
                format!("Nothing that was found in these ranges could be shown to keep {promises}.")
            }
        };
        let mut said = vec![first];
        if let Some(binding) = self.found.finalists[row].binding {
            said.push(format!(
                "The nearest miss is {}: {}{}. It is {} that binds.",
                self.setup(nearest),
                self.measured(binding, nearest),
                self.times(nearest),
                self.promise(binding)
            ));
        }
        let ends: Vec<String> = self.at_the_end(nearest, true);
        if !ends.is_empty() {
            said.push(format!(
                "It lies at the end of the range of {}: allow more.",
                ends.join(" and ")
            ));
        } else if !all_broken {
            said.push(
                "More held-out replications (`--replications`) may show one that does.".to_owned(),
            );
        }
        said
    }

    /// The finalist that misses its promises by least.
    fn nearest(&self) -> Option<(usize, &Candidate)> {
        let all = 0..self.found.finalists.len();
        let row = all.min_by(|&a, &b| {
            let p = |row: usize| self.found.finalists[row].p_broken;
            let excess = |row: usize| self.found.candidate(row).score.excess;
            p(a).total_cmp(&p(b)).then(excess(a).total_cmp(&excess(b)))
        })?;
        Some((row, self.found.candidate(row)))
    }

    /// Variables that are at the safer (or the cheaper) end of their range.
    fn at_the_end(&self, candidate: &Candidate, safer: bool) -> Vec<String> {
        let variables = &self.found.task.variables;
        let is = |&axis: &usize| {
            let last = variables[axis].levels.len() - 1;
            match (self.found.effects[axis], safer) {
                (Effect::MoreIsSafer, true) | (Effect::LessIsSafer, false) => {
                    candidate.point[axis] == last
                }
                (Effect::LessIsSafer, true) | (Effect::MoreIsSafer, false) => {
                    candidate.point[axis] == 0
                }
                _ => false,
            }
        };
        let name = |axis: usize| format!("`{}`", clean(&variables[axis].key));
        (0..variables.len()).filter(is).map(name).collect()
    }

    /// What the answer rests on.
    fn basis(&self) -> String {
        let found = self.found;
        let of = found.task.variables.iter().map(|one| one.levels.len() as f64).product::<f64>();
        let (looked, judged) = (count(found.candidates.len() as u64), found.finalists.len());
        let replications = self.replications();
        let searched = match found.chance {
            Chance::None => format!(
                "Looked at {looked} of {} setups in {} runs. Nothing in this scenario is random: the answer is \
                 exact for this workload and says nothing about others.",
                amount(of),
                count(u64::from(found.runs))
            ),
            _ => format!(
                "Looked at {looked} of {} setups on {} {replications} each, and judged {judged} of them on {} others \
                 that the search never saw: {} runs. The answer as a whole is meant to be wrong at most {} of the time.",
                amount(of),
                found.searched,
                found.held_out,
                count(u64::from(found.runs)),
                percent(1.0 - found.task.confidence)
            ),
        };
        match found.chance {
            Chance::OneTrace => format!(
                "{searched} All of them are the same trace under other seeds, so the answer holds for this trace \
                 and not for others."
            ),
            _ => searched,
        }
    }

    /// What a reader must know beside the answer.
    pub fn cautions(&self) -> Vec<String> {
        let found = self.found;
        let mut said = Vec::new();
        if found.objectives.is_empty() {
            said.push(
                "The scenario has no objectives: this is the cheapest setup, whatever it breaks."
                    .to_owned(),
            );
        }
        for (variable, effect) in found.task.variables.iter().zip(&found.effects) {
            let key = clean(&variable.key);
            match effect {
                Effect::None => said.push(format!(
                    "`{key}` moved neither {} nor the metric of any objective: leave it out.",
                    self.goal().label
                )),
                Effect::Mixed => said.push(format!(
                    "More of `{key}` is not always safer and dearer (nor is less): it was searched from coarse to \
                     fine, and setups between those looked at may differ."
                )),
                Effect::MoreIsSafer | Effect::LessIsSafer | Effect::Words => {}
            }
        }
        if let Some(choice) = found.choice {
            let ends = self.at_the_end(self.found.candidate(choice), false);
            if !ends.is_empty() {
                said.push(format!(
                    "The answer lies at the end of the range of {}: a wider one may hold a cheaper setup.",
                    ends.join(" and ")
                ));
            }
        }
        if let Some(choice) = found.choice.filter(|_| found.task.keeping == Keeping::OnAverage) {
            let (kept, all) = (found.finalists[choice].kept_in, u64::from(found.held_out));
            if kept * 10 < all * 9 && !found.objectives.is_empty() {
                said.push(format!(
                    "The objectives are kept on average, but broken in {} of {all} held-out {}; `--kept-in 90%` \
                     asks for a setup that keeps them in nearly all.",
                    all - kept,
                    self.replications()
                ));
            }
        }
        if !found.converged {
            said.push(format!(
                "The budget of {} runs ended the search before it had come to an end of its own; a larger \
                 `--budget` may find better.",
                count(u64::from(found.task.budget))
            ));
        }
        if !found.comparable {
            said.push(
                "The setups that were judged did not all do the same work, so that a cheaper one may be cheaper \
                 because it does less: add an objective on `finished`, or minimise `cost_per_core_hour`."
                    .to_owned(),
            );
        }
        said
    }

    /// `plan.md`.
    pub fn page(&self) -> String {
        let title = self.recipe.question.as_deref().map_or_else(|| "Plan".to_owned(), clean);
        let mut text = format!("# {title}\n\n{}\n", self.answer());
        for caution in self.cautions() {
            text.push_str(&format!("\n> {caution}\n"));
        }
        for section in [self.judged_table(), self.candidate_table()] {
            text.push_str(&format!("\n## {}\n\n", section.title));
            let row = |cells: Vec<String>| {
                let cells: Vec<String> =
                    cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
                format!("| {} |\n", cells.join(" | "))
            };
            text.push_str(&row(section.head.clone()));
            text.push_str(&row(vec!["---".to_owned(); section.head.len()]).replace(' ', ""));
            for cells in &section.rows {
                let words = cells.iter().map(|cell| format!("{} {}", cell.text, cell.below));
                text.push_str(&row(words.map(|words| words.trim_end().to_owned()).collect()));
            }
        }
        text
    }

    /// A bound in words: `at most 2 h`.
    pub(in crate::report) fn bound(&self, row: usize) -> String {
        let objective = &self.found.objectives[row];
        let side = match objective.comparison {
            Comparison::AtMost => "at most",
            Comparison::AtLeast => "at least",
        };
        format!("{side} {}", figure(self.promised(row).unit, Some(objective.bound)))
    }
}
