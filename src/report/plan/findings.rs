//! Findings of a plan as data: `findings` of `plan.json`, which the sentences of `words/plan.txt`
//! are made from.

use serde::Serialize;

use super::super::words::{Statements, render};
use super::PlanReport;
use crate::experiment::search::{Candidate, Keeping, SetupVerdict, StepEnd, VariableEffect};
use crate::experiment::statistics::Interval;
use crate::experiment::{Chance, Measurement, least_difference};

/// Setups that are as good an answer and named.
const TIES_NAMED: usize = 3;
/// Neighbours of the answer that were not looked at and are named.
const LEFT_NAMED: usize = 3;

#[derive(Clone, Debug, Serialize)]
struct PlanFindings {
    /// The setup to take, or that misses its promises by least; `None` if nothing was judged.
    setup: Option<String>,
    /// Whether the setup is an answer.
    found: bool,
    /// Whether every setup that was judged breaks a promise.
    all_broken: bool,
    promises: Vec<String>,
    /// Least share of replications that must keep the promises; `None` for means.
    kept_in_share: Option<f64>,
    random: bool,
    one_trace: bool,
    confidence: f64,
    margin: f64,
    replications: String,
    held_out: u32,
    searched: u32,
    binding: Option<MeasuredMetric>,
    kept: usize,
    cost: Option<MeasuredMetric>,
    monthly: Option<MeasuredMetric>,
    period: String,
    next: Option<NextCheaper>,
    aside: Option<Aside>,
    ties: Vec<String>,
    ties_more: usize,
    separated: bool,
    /// The dearest setup that was judged, where there is no answer.
    dearest: Option<String>,
    /// Budget that has room to judge dearer ones, where the budget ended it.
    dearer_for_budget: Option<u32>,
    /// Held-out replications that have, where a verdict takes more of them; and their budget.
    dearer_for_replications: Option<u32>,
    wider_budget: u32,
    /// Steps down from the answer; `None` if there is no answer.
    steps: Option<Steps>,
    looked: u64,
    of: f64,
    judged: usize,
    runs: u32,
    budget: u32,
    converged: bool,
    comparable: bool,
    goal: &'static str,
    goal_unit: &'static str,
    /// Variables at the end of their range that would allow a cheaper setup, or
    /// where nothing was found a safer one.
    ends: Vec<String>,
    idle: Vec<String>,
    mixed: Vec<String>,
    assumptions: usize,
}

/// Steps down from the answer to its neighbours on the grid.
#[derive(Clone, Debug, Serialize)]
struct Steps {
    /// Whether every cheaper neighbour was judged; if not, the budget ended the steps.
    all: bool,
    /// Neighbours that cost less, and those of them that only the search saw.
    cheaper: usize,
    by_search: usize,
    /// Neighbours that were not looked at or not judged, and how many are not named.
    left: Vec<String>,
    left_more: usize,
}

/// A metric's mean and, where there was chance, its interval.
#[derive(Clone, Debug, Serialize)]
struct MeasuredMetric {
    label: &'static str,
    unit: &'static str,
    promise: String,
    /// Bound of the promise, in the unit; `None` of what is made small.
    bound: Option<f64>,
    mean: f64,
    low: f64,
    high: f64,
}

/// The next cheaper setup, and why it is not the answer.
#[derive(Clone, Debug, Serialize)]
struct NextCheaper {
    setup: String,
    /// Whether the setup was judged; if not, no cheaper one was, and only the search has seen it.
    judged: bool,
    broken: bool,
    kept: usize,
    /// Whether its means keep all promises, shown or not.
    means_keep: bool,
    /// Its mean of what is made small.
    goal: Option<f64>,
    binding: Option<MeasuredMetric>,
}

/// Variables that are no settings of the answer's policy, and the best setup that has one.
#[derive(Clone, Debug, Serialize)]
struct Aside {
    keys: Vec<String>,
    /// The best such setup of those that were looked at.
    setup: String,
    goal: Option<f64>,
    unit: &'static str,
    /// Whether the setup kept all promises in the replications that the search saw.
    kept: bool,
}

impl PlanReport<'_> {
    pub(super) fn statements(&self) -> Statements {
        let mut said = render(include_str!("../words/plan.txt"), &self.findings());
        said.cautions.extend(self.cautions.iter().cloned());
        said
    }

    /// Findings as data.
    pub(super) fn findings(&self) -> impl Serialize {
        let found = self.found;
        let row = found.choice.or_else(|| self.nearest());
        let candidate = row.map(|row| found.candidate(row));
        let judged = candidate.map_or(&[][..], |candidate| self.judged(candidate));
        let binding = row.and_then(|row| found.finalists[row].binding);
        let ties: Vec<String> = (0..found.finalists.len())
            .filter(|&row| found.finalists[row].tied)
            .map(|row| self.setup(found.candidate(row)))
            .collect();
        let wider = found.task.budget.saturating_mul(3).next_multiple_of(100);
        let of_effect = |wanted: VariableEffect| {
            let variables = found.task.variables.iter().zip(&found.effects);
            let which = variables.filter(move |(_, effect)| **effect == wanted);
            which.map(|(variable, _)| variable.key.clone()).collect::<Vec<_>>()
        };
        PlanFindings {
            setup: candidate.map(|candidate| self.setup(candidate)),
            found: found.choice.is_some(),
            all_broken: found.finalists.iter().all(|one| one.verdict == SetupVerdict::Broken),
            promises: (0..found.objectives.len()).map(|row| self.promise(row)).collect(),
            kept_in_share: match found.task.keeping {
                Keeping::OnAverage => None,
                Keeping::InShare(share) => Some(share),
            },
            random: found.chance != Chance::None,
            one_trace: found.chance == Chance::OneTrace,
            confidence: found.task.confidence,
            margin: found.task.margin,
            replications: self.replications(),
            held_out: found.held_out,
            searched: found.searched,
            binding: binding.and_then(|row| self.measured(row, judged)),
            kept: self.kept_in(judged).0,
            cost: self.interval(self.goal(), judged).map(|interval| self.shown_goal(&interval)),
            monthly: self.monthly(judged).map(|interval| self.shown_goal(&interval)),
            period: self.period(),
            next: found.choice.and_then(|choice| self.next_cheaper(choice)),
            aside: candidate.and_then(|candidate| self.aside(candidate)),
            ties_more: ties.len().saturating_sub(TIES_NAMED),
            ties: ties.into_iter().take(TIES_NAMED).collect(),
            separated: found.separated,
            dearest: (found.choice.is_none()).then(|| self.dearest()).flatten(),
            dearer_for_budget: (found.steps == StepEnd::NoAnswerInBudget).then_some(wider),
            dearer_for_replications: match found.steps {
                StepEnd::NoAnswerShown { fewest } => Some(2 * fewest),
                StepEnd::NoAnswer
                | StepEnd::NoAnswerInBudget
                | StepEnd::AllJudged { .. }
                | StepEnd::Budget(_) => None,
            },
            wider_budget: wider,
            steps: self.steps(),
            looked: found.candidates.len() as u64,
            of: found.setups(),
            judged: found.finalists.len(),
            runs: found.runs,
            budget: found.task.budget,
            converged: found.converged,
            comparable: found.comparable,
            goal: self.goal().label,
            goal_unit: self.goal().unit,
            ends: candidate.map_or(Vec::new(), |candidate| self.at_the_end(candidate)),
            idle: of_effect(VariableEffect::None),
            mixed: of_effect(VariableEffect::Mixed),
            assumptions: self.assumptions.len(),
        }
    }

    fn steps(&self) -> Option<Steps> {
        let (left, left_more) = (Vec::new(), 0);
        match &self.found.steps {
            StepEnd::NoAnswer | StepEnd::NoAnswerInBudget | StepEnd::NoAnswerShown { .. } => None,
            &StepEnd::AllJudged { cheaper, by_search } => {
                Some(Steps { all: true, cheaper, by_search, left, left_more })
            }
            StepEnd::Budget(points) => Some(Steps {
                all: false,
                cheaper: 0,
                by_search: 0,
                left: points.iter().take(LEFT_NAMED).map(|point| self.setup_at(point)).collect(),
                left_more: points.len().saturating_sub(LEFT_NAMED),
            }),
        }
    }

    /// The dearest setup that was judged.
    fn dearest(&self) -> Option<String> {
        let ranked = self.ranked();
        ranked.last().map(|&row| self.setup(self.found.candidate(row)))
    }

    fn aside(&self, answer: &Candidate) -> Option<Aside> {
        let levels = self.found.levels(&answer.point);
        let keys: Vec<&str> = levels
            .filter(|(_, level)| level.is_none())
            .map(|(variable, _)| variable.key.as_str())
            .collect();
        let has_one = |one: &&Candidate| {
            let mut levels = self.found.levels(&one.point);
            levels.any(|(variable, level)| level.is_some() && keys.contains(&variable.key.as_str()))
        };
        let all = self.found.candidates.iter().filter(has_one);
        let best = all.reduce(|best, one| if one.score.beats(&best.score) { one } else { best })?;
        Some(Aside {
            setup: self.setup(best),
            goal: self.mean(self.goal(), &best.searched),
            unit: self.goal().unit,
            kept: best.score.kept(),
            keys: keys.into_iter().map(str::to_owned).collect(),
        })
    }

    fn shown_goal(&self, interval: &Interval) -> MeasuredMetric {
        let goal = self.goal();
        MeasuredMetric {
            label: goal.label,
            unit: goal.unit,
            promise: String::new(),
            bound: None,
            mean: interval.mean,
            low: interval.low,
            high: interval.high,
        }
    }

    /// Mean and interval of a promise's metric over some replications of a setup.
    fn measured(&self, row: usize, all: &[Measurement]) -> Option<MeasuredMetric> {
        let metric = self.promised(row);
        let Interval { mean, low, high, .. } = self.promised_interval(row, all)?;
        let promise = self.promise(row);
        let bound = Some(self.found.objectives[row].bound);
        let (label, unit) = (metric.label, metric.unit);
        Some(MeasuredMetric { label, unit, promise, bound, mean, low, high })
    }

    /// The finalist next below in price, which does not keep the promises; where all that were
    /// judged cost more, the cheaper setup that misses its promises by least.
    fn next_cheaper(&self, choice: usize) -> Option<NextCheaper> {
        self.next_judged(choice).or_else(|| self.nearest_not_judged(choice))
    }

    fn nearest_not_judged(&self, choice: usize) -> Option<NextCheaper> {
        let answer = self.found.candidate(choice).score.goal;
        let judged = |row: usize| self.found.finalists.iter().any(|one| one.candidate == row);
        let cheaper = self.found.candidates.iter().enumerate();
        let least = least_difference(self.goal(), answer);
        let cheaper = cheaper.filter(|&(row, one)| !judged(row) && one.score.goal < answer - least);
        let (_, one) = cheaper.min_by(|(_, a), (_, b)| {
            a.score.excess.total_cmp(&b.score.excess).then(b.score.goal.total_cmp(&a.score.goal))
        })?;
        Some(NextCheaper {
            setup: self.setup(one),
            judged: false,
            broken: false,
            kept: self.kept_in(&one.searched).0,
            goal: self.mean(self.goal(), &one.searched),
            binding: one.binding.and_then(|row| self.measured(row, &one.searched)),
            means_keep: self.means_keep(&one.searched),
        })
    }

    fn next_judged(&self, choice: usize) -> Option<NextCheaper> {
        let finalists = &self.found.finalists;
        let ranked = self.ranked();
        let goal = |row: usize| finalists[row].goal.map_or(f64::INFINITY, |goal| goal.mean);
        // Setups that cost the same to the cent are no cheaper ones.
        let least = least_difference(self.goal(), goal(choice));
        let cheaper = |&row: &usize| goal(row) < goal(choice) - least;
        let mut below = ranked.iter().copied().filter(cheaper);
        let row = below.rfind(|&row| finalists[row].verdict != SetupVerdict::Kept)?;
        let candidate = self.found.candidate(row);
        Some(NextCheaper {
            setup: self.setup(candidate),
            judged: true,
            means_keep: self.means_keep(self.judged(candidate)),
            goal: self.mean(self.goal(), self.judged(candidate)),
            broken: finalists[row].verdict == SetupVerdict::Broken,
            kept: self.kept_in(self.judged(candidate)).0,
            binding: finalists[row]
                .binding
                .and_then(|row| self.measured(row, self.judged(candidate))),
        })
    }

    fn means_keep(&self, all: &[Measurement]) -> bool {
        let keeps = |row: usize| {
            let mean = self.promised_mean(row, all);
            mean.is_some_and(|mean| self.found.objectives[row].kept(mean))
        };
        (0..self.found.objectives.len()).all(keeps)
    }

    /// The finalist that misses its promises by least.
    fn nearest(&self) -> Option<usize> {
        let all = 0..self.found.finalists.len();
        all.min_by(|&a, &b| {
            let p = |row: usize| self.found.finalists[row].p_broken;
            let excess = |row: usize| self.found.candidate(row).score.excess;
            p(a).total_cmp(&p(b)).then(excess(a).total_cmp(&excess(b)))
        })
    }

    /// Variables at an end of their range: of the answer at either, of a near miss at the safer
    /// one.
    fn at_the_end(&self, candidate: &Candidate) -> Vec<String> {
        let variables = &self.found.task.variables;
        let axes = self.found.at_ends(&candidate.point, self.found.choice.is_none());
        axes.into_iter().map(|axis| variables[axis].key.clone()).collect()
    }
}
