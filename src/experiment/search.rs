//! The cheapest setup that keeps its promises: searched on some replications,
//! judged on others that the search never saw.
//!
//! Even replications are searched, odd ones held out, so that both halves have seen all seasons of
//! a trace. The search decides only which few setups are judged. Each of these is judged once, on
//! as many held-out replications as all others: half of the error that is allowed goes to the
//! verdicts that promises are kept (corrected by Holm for the number of setups), three tenths to
//! the choice of the cheapest among them (Kim and Nelson), and the rest to the steps below. So the
//! answer as a whole is wrong with the stated probability at most, as far as Student's t or the
//! binomial law hold.
//!
//! Steps go on down from the cheapest that is shown to keep its promises, while there is budget:
//! its cheaper neighbours are looked at and judged as well, one after the other. A later verdict
//! does not change those before it: each takes half of what is left of the error of the steps, and
//! gives it back if it is shown to keep.

mod evaluations;
mod descent;
mod effect;
mod shortlist;
mod step;
mod line;
mod progress;
mod scope;
mod score;
mod shares;
mod variable;

use super::compare::{Asked, Chance};
use super::replication::Repetition;
use super::runner::{Runner, RunnerFailure};
use super::setting_range;
use super::space::check_all;
use super::statistics::promise;
use crate::problem::{Problem, Problems};
use crate::scenario::{Objective, Scenario};

use effect::{binding, chance, comparable, effect};
use evaluations::{Evaluations, SearchStop, edits, policy_of};
use scope::VariableScope;
use score::Judge;
use shares::{BudgetShares, is_still, plan};
use shortlist::{SetupChoice, judge};

pub use effect::VariableEffect;
pub use evaluations::Candidate;
use line::LineEnd;
pub use line::SetupPoint;
pub use progress::{BestSoFar, SearchProgress};
pub use score::{Keeping, SetupScore};
pub use shortlist::{SetupVerdict, ShortlistEntry};
pub use step::StepEnd;
pub use variable::Variable;

/// Task of a plan: its variables, its goal and its limits.
#[derive(Clone, Debug)]
pub struct Task {
    /// Variables that may be decided; at least one.
    pub variables: Vec<Variable>,
    /// Name of the policy that runs; the scenario's baseline where none is named.
    pub policy: Option<String>,
    /// Row of [`METRICS`](crate::metrics::METRICS) of the goal, which is to be made small.
    pub goal: usize,
    /// Rule by which promises count as kept.
    pub keeping: Keeping,
    /// Confidence of the whole answer; more than 0 and less than 1, such as 0.95.
    pub confidence: f64,
    /// Differences within this share of the goal do not matter, more than 0.
    pub margin: f64,
    /// Most runs.
    pub budget: u32,
    /// Held-out replications, windows and the like, where they are asked for.
    pub asked: Asked,
}

/// Result of a search, with all setups that it looked at.
#[derive(Clone, Debug)]
pub struct Found {
    /// Task as it was asked.
    pub task: Task,
    /// The promises.
    pub objectives: Vec<Objective>,
    /// Every setup that was looked at, in that order; those that differ only in settings
    /// of other policies are one.
    pub candidates: Vec<Candidate>,
    /// Shortlist: the setups that were judged; the cheapest by the search first.
    pub finalists: Vec<ShortlistEntry>,
    /// Row in `finalists` of the answer; `None` if no setup was shown to keep all promises.
    pub choice: Option<usize>,
    /// Whether the choice was told apart from all other finalists that keep
    /// all promises, but for differences within the margin.
    pub separated: bool,
    /// Row of the promise that binds: it was broken most often.
    pub binding: Option<usize>,
    /// Runs done in all.
    pub runs: u32,
    /// Whether the search ended by itself, not by its budget.
    pub converged: bool,
    /// End of the steps down from the answer.
    pub steps: StepEnd,
    /// Repetition of the scenario: seeds, windows or blocks.
    pub repetition: Repetition,
    /// Kind of chance between replications.
    pub chance: Chance,
    /// Replications of each setup that the search saw.
    pub searched: u32,
    /// Replications of each finalist that were held out.
    pub held_out: u32,
    /// Seed of the first replication.
    pub seed: u64,
    /// Observed effects by variable.
    pub effects: Vec<VariableEffect>,
    /// Whether all finalists did the same work in every replication.
    pub comparable: bool,
    /// Scope of each variable: the policies that it concerns.
    scope: VariableScope,
    /// Whether the scenario would take a value below the first, and one above the last, by
    /// variable.
    open_ends: Vec<[bool; 2]>,
}

/// Failure of a search, which gives no answer.
#[derive(Debug)]
pub enum SearchFailure {
    /// The scenario is wrong at some setup, or the task does not fit it.
    Problems(Problems),
    /// A run failed before any setup was looked at.
    Runs(RunnerFailure),
    /// A run failed later, or the search was told to stop.
    Halted(RunnerFailure, Box<SearchProgress>),
}

/// Searches among the setups of `scenario`, and judges.
///
/// # Errors
/// See [`SearchFailure`].
pub fn search(
    runner: &Runner<'_>,
    task: Task,
    scenario: &Scenario,
) -> Result<Found, SearchFailure> {
    let wrong = setting_range::of_task(&task);
    if !wrong.is_empty() {
        return Err(SearchFailure::Problems(wrong.into()));
    }
    let start: SetupPoint = task.variables.iter().map(middle).collect();
    let first = check(&task, &start, scenario)?;
    let policy = policy_of(&first, task.policy.as_deref())?;
    let plan = plan(runner, &first, policy, task.asked)?;
    let still = is_still(runner, &task, &first, plan)?;
    let shares = BudgetShares::of(&task, &first, plan, still)?;
    let error = 1.0 - task.confidence;
    let judging = Judge {
        objectives: first.objectives.clone(),
        keeping: task.keeping,
        goal: task.goal,
        room: match task.keeping {
            _ if still == Some(true) => 0.0,
            Keeping::OnAverage => promise::distance(shares.held_out as usize, error / 4.0),
            Keeping::InShare(share) => {
                promise::distance_of_share(shares.held_out.into(), share, error / 4.0)
            }
        },
        still: still == Some(true),
    };
    let scope = VariableScope::of(&task.variables, task.policy.as_deref(), &first, &start);
    let mut book = Evaluations::new(
        (runner, scenario),
        (&task.variables, task.policy.as_deref(), &scope),
        (judging, plan.repetition),
        &shares,
    );
    let mut finalists = Vec::new();
    let ended = look_and_judge(&mut book, (start.clone(), &task), &shares, &mut finalists);
    let ended = ended.map_err(|failure| match failure {
        SearchFailure::Runs(failure) => {
            match SearchProgress::of(&book, &finalists, &task, shares.held_out) {
                Some(progress) => SearchFailure::Halted(failure, Box::new(progress)),
                None => SearchFailure::Runs(failure),
            }
        }
        SearchFailure::Problems(_) | SearchFailure::Halted(..) => failure,
    })?;
    let SearchEnd { converged, binding, choice: chosen } = ended;
    let rows: Vec<usize> = finalists.iter().map(|one| one.candidate).collect();
    let effects = (0..task.variables.len()).map(|axis| effect(&book, axis)).collect();
    let candidates = std::mem::take(&mut book.candidates);
    let runs = book.used;
    let chance = chance(&candidates, &first, plan.repetition);
    Ok(Found {
        objectives: first.objectives.clone(),
        finalists,
        choice: chosen.choice,
        separated: chosen.separated,
        steps: chosen.steps,
        binding,
        runs,
        converged,
        repetition: plan.repetition,
        chance,
        searched: shares.searched,
        held_out: shares.held_out,
        seed: first.seed,
        effects,
        comparable: comparable(&candidates, &rows),
        candidates,
        scope,
        open_ends: open_ends(&task, &start, scenario),
        task,
    })
}

/// End of a search.
struct SearchEnd {
    /// Whether it came to an end of its own, not to that of its budget.
    converged: bool,
    /// Row of the promise that binds.
    binding: Option<usize>,
    choice: SetupChoice,
}

/// Searches from `start`, and judges the few setups that may be the answer, which are added to
/// `finalists`.
fn look_and_judge(
    book: &mut Evaluations<'_>,
    (start, task): (SetupPoint, &Task),
    shares: &BudgetShares,
    finalists: &mut Vec<ShortlistEntry>,
) -> Result<SearchEnd, SearchFailure> {
    let converged = match descent::descend(book, start, task.margin) {
        Ok(_) => true,
        Err(SearchStop::Budget) => false,
        Err(SearchStop::Failure(failure)) => return Err(failure),
    };
    let binding = binding(book);
    let most = shares.finalists as usize;
    let rows = shortlist::choose(&book.candidates, &book.judge, task.confidence, most);
    book.hold_out(&rows, shares.held_out)?;
    book.most = task.budget;
    let held_out = (shares.held_out, shares.held_out_most);
    let choice = judge(book, (&rows, finalists), task, held_out)?;
    Ok(SearchEnd { converged, binding, choice })
}

impl Found {
    /// The edits of the scenario that lead to a setup.
    pub fn edits(&self, point: &SetupPoint) -> Vec<(String, String)> {
        let edit =
            |(one, level): (&Variable, Option<&str>)| Some((one.key.clone(), level?.to_owned()));
        self.levels(point).filter_map(edit).collect()
    }

    /// Each variable with its value in a setup; `None` if it is no setting of the policy.
    pub fn levels(&self, point: &SetupPoint) -> impl Iterator<Item = (&Variable, Option<&str>)> {
        let levels = self.task.variables.iter().zip(point).zip(self.scope.at(point));
        levels.map(|((one, &level), &own)| (one, own.then(|| one.levels[level].as_str())))
    }

    /// Setups that there are in the ranges, those that were not looked at included.
    pub fn setups(&self) -> f64 {
        self.scope.setups(&self.task.variables)
    }

    /// The setup that a finalist is.
    pub fn candidate(&self, finalist: usize) -> &Candidate {
        &self.candidates[self.finalists[finalist].candidate]
    }

    /// The variables with ranges whose first or last value a setup has, where what lies beyond
    /// may be better: the scenario would take it, and the values seen on this side of the end are
    /// not all the same. `safer` asks for ends towards which promises are kept better, else those
    /// are left out where only one variable matters, for beyond them all is dearer.
    pub fn at_ends(&self, point: &SetupPoint, safer: bool) -> Vec<usize> {
        let own = self.scope.at(point);
        let alone = own.iter().zip(&self.effects);
        let alone =
            alone.filter(|(own, effect)| **own && **effect != VariableEffect::None).count() == 1;
        let may_be_better = |axis: usize, end: LineEnd| {
            let towards_safer = match (self.effects[axis], end) {
                (VariableEffect::None | VariableEffect::Words, _) => return false,
                (VariableEffect::MoreIsSafer, end) => end == LineEnd::High,
                (VariableEffect::LessIsSafer, end) => end == LineEnd::Low,
                (VariableEffect::Mixed, _) => return !safer,
            };
            if safer { towards_safer } else { !towards_safer || !alone }
        };
        let is_end = |&axis: &usize| {
            let last = self.task.variables[axis].levels.len() - 1;
            let (end, inward) = match point[axis] {
                _ if !own[axis] || last == 0 => return false,
                0 => (LineEnd::Low, 1),
                level if level == last => (LineEnd::High, last - 1),
                _ => return false,
            };
            self.open_ends[axis][usize::from(end == LineEnd::High)]
                && may_be_better(axis, end)
                && !self.same_at(point, axis, inward)
        };
        (0..point.len()).filter(is_end).collect()
    }

    /// Whether the setup with another level of a variable was looked at and did the same.
    fn same_at(&self, point: &SetupPoint, axis: usize, level: usize) -> bool {
        let of = |point: &SetupPoint| self.candidates.iter().find(|one| one.point == *point);
        let mut other = point.clone();
        other[axis] = level;
        of(point).zip(of(&other)).is_some_and(|(own, other)| own.score == other.score)
    }
}

/// Whether the scenario takes the value before the first and the one after the last, by variable;
/// zero, a full share and the like are ends of their own.
fn open_ends(task: &Task, start: &SetupPoint, scenario: &Scenario) -> Vec<[bool; 2]> {
    let taken = |variable: &Variable, value: &String| {
        let mut edits = edits(&task.variables, start);
        for own in edits.iter_mut().filter(|(key, _)| *key == variable.key) {
            own.1.clone_from(value);
        }
        scenario.edited(&edits).is_ok()
    };
    let of = |variable: &Variable| {
        variable
            .beyond
            .as_ref()
            .map_or([false; 2], |ends| ends.each_ref().map(|end| taken(variable, end)))
    };
    task.variables.iter().map(of).collect()
}

/// Level at which the search starts: the middle one, or the first word.
fn middle(variable: &Variable) -> usize {
    if variable.numbers.is_some() { (variable.levels.len() - 1) / 2 } else { 0 }
}

/// Reads the scenario at the start and with every end and every word of each
/// variable, so that nothing runs where one is wrong.
fn check(task: &Task, start: &SetupPoint, scenario: &Scenario) -> Result<Scenario, SearchFailure> {
    let mut twice: Vec<Problem> = Vec::new();
    let mut points = vec![start.clone()];
    for (axis, variable) in task.variables.iter().enumerate() {
        if task.variables[..axis].iter().any(|other| other.key == variable.key) {
            let message = format!("`{}` is varied twice", variable.key);
            twice.push(Problem::with("plan", message).hint("each variable once"));
        }
        let levels: Vec<usize> = match variable.numbers {
            Some(_) => vec![0, variable.levels.len() - 1],
            None => (0..variable.levels.len()).collect(),
        };
        points.extend(levels.into_iter().map(|level| {
            let mut point = start.clone();
            point[axis] = level;
            point
        }));
    }
    match check_all(points.iter().map(|point| edits(&task.variables, point)), scenario) {
        Ok(first) if twice.is_empty() => Ok(first),
        found => {
            twice.extend(found.err().into_iter().flatten());
            Err(SearchFailure::Problems(twice.into()))
        }
    }
}

#[cfg(test)]
mod tests;
