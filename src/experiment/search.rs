//! The cheapest setup that keeps its promises: searched on some replications,
//! judged on others that the search never saw.
//!
//! Even replications are searched, odd ones held out, so that both halves have
//! seen all seasons of a trace. What the search believes decides only which
//! few setups are judged. Each of these is judged once, on as many held-out
//! replications as all others: half of the error that is allowed goes to the
//! verdicts that promises are kept (corrected by Holm for the number of
//! setups), the other half to the choice of the cheapest among them (Kim and
//! Nelson). So the answer as a whole is wrong with the stated probability at
//! most, as far as Student's t or the binomial law hold.

mod book;
mod descent;
mod finalist;
mod line;
mod score;
mod variable;

use super::compare::{self, Asked, Chance, NoPlan, Side};
use super::lab::{Cell, Lab, LabFailure, is_synthetic};
use super::replication::Repetition;
use crate::problem::Problem;
use crate::scenario::{Objective, Scenario};
use crate::units::Span;

use book::{Book, Halt, edits, policy_of};
use finalist::judge;
use line::{End, safer_end};
use score::Judge;

pub use book::Candidate;
pub use finalist::{Finalist, Verdict};
pub use line::Point;
pub use score::{Keeping, Score};
pub use variable::Variable;

/// Replications of each setup that the search sees.
const SEARCHED: u32 = 5;
/// Replications of each finalist that the search does not see.
const HELD_OUT: u32 = 20;
/// Setups that are judged.
const FINALISTS: u32 = 5;
/// Fewest windows that are shared between searching and judging.
const FEWEST_WINDOWS: u32 = 8;
/// Most windows that are held out without being asked for.
const MOST_WINDOWS: u32 = 30;

/// Reads the scenario with some of its single values edited.
pub type Open<'a> = &'a dyn Fn(&[(String, String)]) -> Result<Scenario, Vec<Problem>>;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Task {
    /// What may be decided; at least one.
    pub variables: Vec<Variable>,
    /// Which policy runs; the scenario's baseline where none is named.
    pub policy: Option<String>,
    /// Row in the table of metrics of what is to be made small.
    pub goal: usize,
    /// When promises count as kept.
    pub keeping: Keeping,
    /// Of the whole answer; such as 0.95.
    pub confidence: f64,
    /// Differences within this share of the goal do not matter, more than 0.
    pub margin: f64,
    /// Most runs.
    pub budget: u32,
    /// Held-out replications, windows and the like, where they are asked for.
    pub asked: Asked,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// As it was asked.
    pub task: Task,
    /// The promises.
    pub objectives: Vec<Objective>,
    /// Every setup that was looked at, in that order.
    pub candidates: Vec<Candidate>,
    /// Those that were judged; the cheapest by the search first.
    pub finalists: Vec<Finalist>,
    /// Row in `finalists` of the answer; none where none was shown to keep all promises.
    pub choice: Option<usize>,
    /// Whether the choice was told apart from all other finalists that keep
    /// all promises, but for differences within the margin.
    pub separated: bool,
    /// Runs done in all.
    pub runs: u32,
    /// Whether the search ended by itself, not by its budget.
    pub converged: bool,
    /// How replications differ.
    pub repetition: Repetition,
    /// What chance there was.
    pub chance: Chance,
    /// Replications of each setup that the search saw.
    pub searched: u32,
    /// Replications of each finalist that were held out.
    pub held_out: u32,
    /// Seed of the first replication.
    pub seed: u64,
    /// By variable: what was seen of its effect.
    pub effects: Vec<Effect>,
    /// Whether all finalists did the same work in every replication.
    pub comparable: bool,
}

/// What was seen of a variable's effect, all others as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Neither the goal nor a promise's metric moved with it.
    None,
    /// More never kept promises worse, and never cost less.
    MoreIsSafer,
    /// Less never kept promises worse, and never cost less.
    LessIsSafer,
    /// Neither holds of all that was seen.
    Mixed,
    /// Its values have no order.
    Words,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum SearchFailure {
    /// The scenario is wrong at some setup, or the task does not fit it.
    Problems(Vec<Problem>),
    /// A run failed.
    Lab {
        /// What happened.
        failure: LabFailure,
        /// The scenario of that run.
        scenario: Box<Scenario>,
    },
}

/// Searches and judges. `open` reads the scenario at a setup.
///
/// # Errors
/// See [`SearchFailure`].
pub fn search(lab: &Lab<'_>, task: Task, open: Open<'_>) -> Result<Found, SearchFailure> {
    let start: Point = task.variables.iter().map(middle).collect();
    let scenario = check(&task, &start, open)?;
    let policy = policy_of(&scenario, task.policy.as_deref())?;
    let plan = plan(lab, &scenario, policy, task.asked)?;
    let still = is_still(lab, &scenario, policy, plan)?;
    let shares = Shares::of(&task, &scenario, plan, still)?;
    let judging = Judge {
        objectives: scenario.objectives.clone(),
        keeping: task.keeping,
        goal: task.goal,
    };
    let mut book = Book::new(
        (lab, open),
        (&task.variables, task.policy.as_deref()),
        (judging, plan.repetition),
        &shares,
    );
    let converged = match descent::descend(&mut book, start) {
        Ok(_) => true,
        Err(Halt::Budget) => false,
        Err(Halt::Failure(failure)) => return Err(failure),
    };
    let rows = finalist::choose(&book, task.confidence, shares.finalists as usize);
    book.hold_out(&rows, shares.held_out)?;
    let verdicts = judge(&mut book, &rows, &task, shares.held_out_most)?;
    let effects = (0..task.variables.len()).map(|axis| effect(&book, axis)).collect();
    let candidates = std::mem::take(&mut book.candidates);
    let runs = book.used;
    let chance = chance(&candidates, &rows, &scenario, plan.repetition);
    Ok(Found {
        objectives: scenario.objectives.clone(),
        finalists: verdicts.finalists,
        choice: verdicts.choice,
        separated: verdicts.separated,
        runs,
        converged,
        repetition: plan.repetition,
        chance,
        searched: shares.searched,
        held_out: shares.held_out,
        seed: scenario.seed,
        effects,
        comparable: comparable(&candidates, &rows),
        candidates,
        task,
    })
}

impl Found {
    /// The setup that a finalist is.
    pub fn candidate(&self, finalist: usize) -> &Candidate {
        &self.candidates[self.finalists[finalist].candidate]
    }

    /// The edits of the scenario that lead to a setup.
    pub fn edits(&self, point: &Point) -> Vec<(String, String)> {
        edits(&self.task.variables, point)
    }

    /// A setup in words: `cluster.dc1.nodes = 12, policy.p.order = sjf`.
    pub fn told(&self, point: &Point) -> String {
        let one = |(variable, &level): (&Variable, &usize)| variable.told(level);
        self.task.variables.iter().zip(point).map(one).collect::<Vec<_>>().join(", ")
    }
}

/// Where the search starts: in the middle, or at the first word.
fn middle(variable: &Variable) -> usize {
    if variable.numbers.is_some() { (variable.levels.len() - 1) / 2 } else { 0 }
}

/// Reads the scenario at the start and with every end and every word of each
/// variable, so that nothing runs where one is wrong.
fn check(task: &Task, start: &Point, open: Open<'_>) -> Result<Scenario, SearchFailure> {
    let mut problems: Vec<Problem> = Vec::new();
    for (axis, variable) in task.variables.iter().enumerate() {
        let again = task.variables[..axis].iter().any(|other| other.key == variable.key);
        if again {
            let message = format!("`{}` is varied twice", variable.key);
            problems.push(Problem::with("plan", message).hint("each variable once"));
        }
        let levels: Vec<usize> = match variable.numbers {
            Some(_) => vec![0, variable.levels.len() - 1],
            None => (0..variable.levels.len()).collect(),
        };
        for level in levels {
            let mut point = start.clone();
            point[axis] = level;
            let wrong = open(&edits(&task.variables, &point)).err().unwrap_or_default();
            problems.extend(wrong.into_iter().filter(|one| !problems.contains(one)).collect::<Vec<_>>());
        }
    }
    match open(&edits(&task.variables, start)) {
        Ok(scenario) if problems.is_empty() => Ok(scenario),
        Ok(_) => Err(SearchFailure::Problems(problems)),
        Err(more) => {
            problems.extend(more);
            problems.dedup();
            Err(SearchFailure::Problems(problems))
        }
    }
}

/// How replications differ, and how many there can be.
fn plan(
    lab: &Lab<'_>,
    scenario: &Scenario,
    policy: &crate::policy::spec::PolicySpec,
    asked: Asked,
) -> Result<compare::Plan, SearchFailure> {
    let failed = |failure, scenario: &Scenario| SearchFailure::Lab {
        failure,
        scenario: Box::new(scenario.clone()),
    };
    let mut scenario = scenario.clone();
    super::lab::share_inputs(&mut scenario).map_err(|failure| {
        let run = LabFailure::Run { policy: policy.name.clone(), seed: scenario.seed, failure };
        failed(run, &scenario)
    })?;
    let side = Side { name: &policy.name, scenario: &scenario, policy };
    let every = Asked { replications: Some(u32::MAX), ..asked };
    let found = compare::plan(lab, &[side], every).map_err(|no_plan| match no_plan {
        NoPlan::Problem(problem) => SearchFailure::Problems(vec![problem]),
        NoPlan::Lab(failure) => failed(failure, &scenario),
    })?;
    let windows = matches!(found.repetition, Repetition::Windows { .. });
    if !windows || found.replications >= FEWEST_WINDOWS {
        return Ok(found);
    }
    if asked.window.is_some() {
        let message = format!("the trace has {} such windows", found.replications);
        let hint = format!("give a shorter `--window`: half of the windows are held out, and at least {FEWEST_WINDOWS} are needed");
        return Err(SearchFailure::Problems(vec![Problem::with(&scenario.path, message).hint(hint)]));
    }
    let repetition = Repetition::Seeds { warm_up: asked.warm_up.unwrap_or(Span::ZERO) };
    Ok(compare::Plan { repetition, replications: u32::MAX })
}

/// Whether nothing is random at the start: none where that is known not to be so.
fn is_still(
    lab: &Lab<'_>,
    scenario: &Scenario,
    policy: &crate::policy::spec::PolicySpec,
    plan: compare::Plan,
) -> Result<Option<bool>, SearchFailure> {
    if is_synthetic(scenario) || !matches!(plan.repetition, Repetition::Seeds { .. }) {
        return Ok(None);
    }
    let repetition = plan.repetition;
    let cell = |replication| Cell { scenario, policy, repetition, replication };
    let two = lab.measure(&[cell(0), cell(1)]).map_err(|failure| SearchFailure::Lab {
        failure,
        scenario: Box::new(scenario.clone()),
    })?;
    Ok(Some(two[0].fingerprint == two[1].fingerprint))
}

/// How the budget is shared between searching and judging.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shares {
    /// Runs that were done before.
    pilot: u32,
    /// Replications of each setup that the search sees.
    searched: u32,
    /// Even replications from one that is seen to the next.
    stride: u32,
    /// Runs until the search ends.
    search_runs: u32,
    /// Setups that are judged.
    finalists: u32,
    /// Held-out replications of each of these.
    held_out: u32,
    /// Held-out replications that there can be.
    held_out_most: u32,
}

impl Shares {
    fn of(
        task: &Task,
        scenario: &Scenario,
        plan: compare::Plan,
        still: Option<bool>,
    ) -> Result<Self, SearchFailure> {
        let even = plan.replications.div_ceil(2);
        let held_out_most = plan.replications / 2;
        let windows = matches!(plan.repetition, Repetition::Windows { .. });
        let usual = if windows { held_out_most.min(MOST_WINDOWS) } else { HELD_OUT };
        let wanted = task.asked.replications.or(scenario.replications).unwrap_or(usual);
        let (searched, held_out) = match still {
            Some(true) => (1, 2),
            _ => (SEARCHED.min(even), wanted.max(2).min(held_out_most)),
        };
        let pilot = if still.is_some() { 2 } else { 0 };
        // A line is looked at in three places at least, and one step further.
        let looks = |one: &Variable| match one.numbers {
            Some(_) => one.levels.len().min(4) as u32,
            None => one.levels.len() as u32,
        };
        let looks: u32 = task.variables.iter().map(looks).sum();
        let least = looks.saturating_mul(searched).saturating_add(held_out.saturating_mul(2)) + pilot;
        if task.budget < least {
            let message = format!("a budget of {} runs is too small", task.budget);
            let hint = format!(
                "it takes {least} at least: {looks} setups with {searched} runs each to search, and two \
                 of them with {held_out} held-out runs each to judge"
            );
            return Err(SearchFailure::Problems(vec![Problem::with("plan", message).hint(hint)]));
        }
        let left = task.budget - pilot - looks * searched;
        let finalists = (left / held_out / 2).clamp(2, FINALISTS);
        let search_runs = task.budget - finalists * held_out;
        let stride = if windows { (even / searched).max(1) } else { 1 };
        Ok(Self { pilot, searched, stride, search_runs, finalists, held_out, held_out_most })
    }
}

/// What was seen of one variable in all pairs of setups that differ in it alone.
fn effect(book: &Book<'_>, axis: usize) -> Effect {
    let mut lines = std::collections::BTreeMap::<Point, Vec<usize>>::new();
    for (row, candidate) in book.candidates.iter().enumerate() {
        let mut line = candidate.point.clone();
        line[axis] = 0;
        lines.entry(line).or_default().push(row);
    }
    let mut lines: Vec<Vec<usize>> = lines.into_values().filter(|rows| rows.len() > 1).collect();
    for rows in &mut lines {
        rows.sort_by_key(|&row| book.candidates[row].point[axis]);
    }
    let shown = |row: usize| book.judge.shown(&book.candidates[row].searched);
    let still = |rows: &Vec<usize>| rows.iter().all(|&row| shown(row) == shown(rows[0]));
    if lines.iter().all(still) {
        return Effect::None;
    }
    if book.variables[axis].numbers.is_none() {
        return Effect::Words;
    }
    let scores = |rows: &Vec<usize>| -> Vec<Score> {
        rows.iter().map(|&row| book.candidates[row].score).collect()
    };
    let towards = |end: End| {
        lines.iter().all(|rows| {
            let mut scores = scores(rows);
            if end == End::Low {
                scores.reverse();
            }
            safer_end(&scores) == Some(End::High)
        })
    };
    match (towards(End::High), towards(End::Low)) {
        (true, _) => Effect::MoreIsSafer,
        (_, true) => Effect::LessIsSafer,
        _ => Effect::Mixed,
    }
}

fn chance(
    candidates: &[Candidate],
    rows: &[usize],
    scenario: &Scenario,
    repetition: Repetition,
) -> Chance {
    let same = |&row: &usize| {
        let all = candidates[row].searched.iter().chain(&candidates[row].held_out);
        let mut prints = all.map(|one| &one.fingerprint);
        let first = prints.next();
        prints.all(|print| Some(print) == first)
    };
    match repetition {
        _ if rows.iter().all(same) => Chance::None,
        Repetition::Seeds { .. } if is_synthetic(scenario) => Chance::Workload,
        Repetition::Seeds { .. } => Chance::OneTrace,
        Repetition::Windows { .. } | Repetition::Blocks { .. } => Chance::Resampled,
    }
}

/// Whether the setups did the same work in every held-out replication.
fn comparable(candidates: &[Candidate], rows: &[usize]) -> bool {
    let first = rows.first().map_or(&[][..], |&row| &candidates[row].held_out);
    rows.iter().all(|&row| {
        let mine = &candidates[row].held_out;
        mine.iter().zip(first).all(|(a, b)| a.done == b.done)
    })
}

#[cfg(test)]
mod tests;
