//! Values that work gets where its source says nothing.

use crate::model::gpu::answers;
use crate::model::{Checkpoint, Filter, Home, Interner, Rules, Tenant, Together, Work};
use crate::problem::Problem;
use crate::units::{Id, Span};

use super::transform::{Disposition, WorkStep, scale_span};

/// Values that every piece of work gets where its source says nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Defaults {
    /// Estimate of the runtime, where there is none.
    pub estimate: EstimateRule,
    /// Deadline, where there is none.
    pub deadline: Option<DeadlineRule>,
    /// Whether progress survives a preemption; replaces what the source says.
    pub resumes: Option<bool>,
    /// Cost of a checkpoint, where the work has none.
    pub checkpoint: Option<Checkpoint>,
    /// Whether work has its instances alone; replaces what the source says.
    pub exclusive: Option<bool>,
    /// Milli-cores per task, where the source asks none.
    pub cpu: Option<u32>,
    /// MiB per task, where the source asks none.
    pub memory: Option<u32>,
    /// Priority, where it is 0.
    pub priority: Option<i32>,
    /// Tenant, where the work names none.
    pub tenant: Option<String>,
    /// Location of the data, where the work names no home.
    pub home: Option<String>,
    /// Bytes read before it starts, where it reads none.
    pub input: Option<i64>,
    /// Bytes written when it is done, where it writes none.
    pub output: Option<i64>,
    /// Restrictions that hold for all work, on top of its own.
    pub rules: Rules,
}

/// The estimate of work that has none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum EstimateRule {
    /// No estimate: work stays without one.
    #[default]
    Missing,
    /// True runtime of the work.
    Runtime,
    /// True runtime of the work times this factor, greater than 0.
    Factor(f64),
}

/// `deadline = arrival + slack + factor x runtime`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeadlineRule {
    /// Time added to the scaled runtime; at least zero.
    pub slack: Span,
    /// Factor of the true runtime; at least 0.
    pub factor: f64,
}

impl Defaults {
    /// Problem with the parameters, if there is one.
    pub(super) fn problem(&self) -> Option<Problem> {
        let estimate = match self.estimate {
            EstimateRule::Factor(factor) => factor.is_finite() && factor > 0.0,
            _ => true,
        };
        let deadline = self.deadline.is_none_or(|rule| {
            rule.slack >= Span::ZERO && rule.factor.is_finite() && rule.factor >= 0.0
        });
        let bytes = self.input.unwrap_or(0) >= 0 && self.output.unwrap_or(0) >= 0;
        let checkpoint =
            self.checkpoint.is_none_or(|one| one.write >= Span::ZERO && one.restore >= Span::ZERO);
        let message = match (estimate, deadline, bytes, checkpoint) {
            (false, ..) => "the factor of missing estimates must be greater than 0",
            (_, false, ..) => "slack and factor of deadlines must not be negative",
            (.., false, _) => "input and output must not be negative",
            (.., false) => "times of a checkpoint must not be negative",
            _ => return None,
        };
        Some(Problem::with("workload", message))
    }

    /// Assumptions that the defaults make, in plain sentences.
    pub(super) fn assumptions(&self) -> Vec<String> {
        let mut told = Vec::new();
        match self.estimate {
            EstimateRule::Missing => {}
            EstimateRule::Runtime => {
                told.push("Work without an estimate is estimated exactly.".to_owned());
            }
            EstimateRule::Factor(factor) => {
                told.push(format!(
                    "Work without an estimate is estimated at {factor} times its runtime."
                ));
            }
        }
        if let Some(DeadlineRule { slack, factor }) = self.deadline {
            told.push(format!(
                "Work without a deadline is due {slack} plus {factor} times its runtime after it arrives."
            ));
        }
        if let Some(home) = &self.home {
            told.push(format!("The data of work that names no home lives in {home}."));
        }
        if self.exclusive == Some(true) {
            told.push(
                "All work has its machines alone: a job's tasks share them, nothing else runs \
                 beside them, and the job pays for all of them."
                    .to_owned(),
            );
        }
        if let Some(resumes) = self.resumes {
            let how = if resumes { "resumes where it stopped" } else { "starts again" };
            told.push(format!("Preempted work {how}."));
        }
        if let Some(Checkpoint { write, blocking, restore }) = self.checkpoint {
            let how = if blocking { "stands still" } else { "goes on" };
            told.push(format!(
                "Work of which nothing else is known writes a checkpoint in {write}, {how} \
                 meanwhile, and reads one in {restore}."
            ));
        }
        told
    }
}

/// Assumption made for gangs that may lie further apart than one zone.
pub(super) fn spread_gangs(together: Option<Together>) -> Option<String> {
    let over = match together? {
        Together::Zone => return None,
        Together::Region => "several zones of a region",
        Together::Provider => "several regions of a provider",
        Together::Anywhere => "several providers and clusters, and on unlike GPUs",
    };
    Some(format!(
        "A gang may lie in {over}: its tasks run as fast as side by side, whatever the network \
         between them, and what they send each other costs nothing."
    ))
}

/// Fills in defaults.
pub(super) struct ApplyDefaults {
    defaults: Defaults,
    tenant: Option<Id<Tenant>>,
    home: Option<Id<Home>>,
    checkpoint: Option<Id<Checkpoint>>,
    /// Rules of the work with ours on top, by the row of the former.
    rules: Vec<Option<Id<Rules>>>,
}

impl ApplyDefaults {
    pub(super) fn new(defaults: Defaults) -> Self {
        Self { defaults, tenant: None, home: None, checkpoint: None, rules: Vec::new() }
    }

    fn names(&mut self, book: &mut Interner, work: &mut Work) {
        let ask = &mut work.ask;
        if let (0, Some(name)) = (ask.tenant.raw(), &self.defaults.tenant) {
            ask.tenant = *self.tenant.get_or_insert_with(|| book.tenant(name));
        }
        if let (None, Some(name)) = (ask.home, &self.defaults.home) {
            ask.home = Some(*self.home.get_or_insert_with(|| book.home(name)));
        }
        if let (None, Some(checkpoint)) = (ask.checkpoint, self.defaults.checkpoint) {
            let id = self.checkpoint.get_or_insert_with(|| book.checkpoint(checkpoint));
            ask.checkpoint = Some(*id);
        }
        if self.defaults.rules != Rules::default() {
            let row = ask.rules.row();
            if self.rules.len() <= row {
                self.rules.resize(row + 1, None);
            }
            ask.rules = *self.rules[row].get_or_insert_with(|| {
                let both = both(&book.all_rules()[ask.rules], &self.defaults.rules);
                book.rules(&both)
            });
        }
    }

    fn times(&self, work: &mut Work) -> Result<(), Problem> {
        let (ask, runtime) = (&mut work.ask, work.body.length());
        if ask.estimate.is_none() {
            ask.estimate = match self.defaults.estimate {
                EstimateRule::Missing => None,
                EstimateRule::Runtime => runtime,
                EstimateRule::Factor(factor) => {
                    runtime.map(|runtime| scale_span(runtime, factor)).transpose()?
                }
            };
        }
        if let Some(rule) = self.defaults.deadline
            && ask.deadline.is_none()
            && let Some(runtime) = runtime
        {
            let scaled = scale_span(runtime, rule.factor)?;
            let deadline = work.arrival.saturating_add(rule.slack).saturating_add(scaled);
            ask.deadline = Some(deadline);
        }
        Ok(())
    }
}

impl WorkStep for ApplyDefaults {
    fn step(&mut self, book: &mut Interner, work: &mut Work) -> Result<Disposition, Problem> {
        self.names(book, work);
        self.times(work)?;
        let (ask, defaults) = (&mut work.ask, &self.defaults);
        fill(&mut ask.demand.cpu, defaults.cpu);
        fill(&mut ask.demand.memory, defaults.memory);
        fill(&mut ask.priority, defaults.priority);
        fill(&mut ask.input, defaults.input);
        fill(&mut ask.output, defaults.output);
        ask.resumes = defaults.resumes.unwrap_or(ask.resumes);
        ask.demand.exclusive = defaults.exclusive.unwrap_or(ask.demand.exclusive);
        Ok(Disposition::Pass)
    }
}

/// Sets `value` to `default` where it is zero.
fn fill<T: Default + PartialEq + Copy>(value: &mut T, default: Option<T>) {
    if let Some(default) = default
        && *value == T::default()
    {
        *value = default;
    }
}

/// Rules that admit what both admit. The work's own speeds, spread and togetherness go first.
fn both(own: &Rules, added: &Rules) -> Rules {
    let mut certifications = own.certifications.clone();
    extend(&mut certifications, &added.certifications);
    let mut throughput = own.throughput.clone();
    for entry in &added.throughput {
        if throughput.iter().all(|(model, _)| *model != entry.0) {
            throughput.push(entry.clone());
        }
    }
    let own_spread = own.spread != crate::model::Spread::None;
    Rules {
        providers: both_filters(&own.providers, &added.providers),
        regions: both_filters(&own.regions, &added.regions),
        types: both_filters(&own.types, &added.types),
        offers: both_filters(&own.offers, &added.offers),
        markets: both_filters(&own.markets, &added.markets),
        gpu_models: both_models(&own.gpu_models, &added.gpu_models),
        jurisdictions: both_jurisdictions(&own.jurisdictions, &added.jurisdictions),
        certifications,
        throughput,
        spread: if own_spread { own.spread } else { added.spread },
        together: own.together.or(added.together),
    }
}

/// GPU models that both allow; of two names that may mean one model the longer is kept.
fn both_models(own: &Filter, added: &Filter) -> Filter {
    let narrowed = |names: &[String], by: &[String]| -> Vec<String> {
        let finer = |name: &String| {
            by.iter().filter(|other| answers(other, name)).max_by_key(|other| other.len())
        };
        names
            .iter()
            .map(|name| {
                finer(name).filter(|other| other.len() > name.len()).unwrap_or(name).clone()
            })
            .collect()
    };
    let allowed = narrowed(&own.allowed, &added.allowed);
    let narrow = Filter {
        allowed: narrowed(&added.allowed, &own.allowed),
        forbidden: added.forbidden.clone(),
    };
    both_filters(&Filter { allowed, forbidden: own.forbidden.clone() }, &narrow)
}

fn both_filters(own: &Filter, added: &Filter) -> Filter {
    let mut forbidden = own.forbidden.clone();
    extend(&mut forbidden, &added.forbidden);
    let mut allowed = common(&own.allowed, &added.allowed);
    if allowed.is_empty() && !own.allowed.is_empty() {
        // Lists with nothing in common: every name that the one allows, the other forbids.
        allowed.clone_from(&own.allowed);
        extend(&mut forbidden, &own.allowed);
    }
    Filter { allowed, forbidden }
}

/// Jurisdictions that both lists allow; a name that no region lies in where they share none.
fn both_jurisdictions(own: &[String], added: &[String]) -> Vec<String> {
    let shared = common(own, added);
    if shared.is_empty() && !own.is_empty() {
        vec![format!("{} and {}", own.join("|"), added.join("|"))]
    } else {
        shared
    }
}

/// Names that both lists allow, where an empty list allows everything.
fn common(own: &[String], added: &[String]) -> Vec<String> {
    match (own, added) {
        ([], _) => added.to_vec(),
        (_, []) => own.to_vec(),
        _ => own.iter().filter(|name| added.contains(name)).cloned().collect(),
    }
}

fn extend(names: &mut Vec<String>, more: &[String]) {
    for name in more {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Time;

    fn filter(allowed: &[&str], forbidden: &[&str]) -> Filter {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Filter { allowed: names(allowed), forbidden: names(forbidden) }
    }

    #[test]
    fn filters_admit_what_both_admit() {
        let filters = [
            filter(&[], &[]),
            filter(&["a"], &[]),
            filter(&["b", "c"], &[]),
            filter(&[], &["a"]),
            filter(&["a", "b"], &["b"]),
        ];
        for one in &filters {
            for other in &filters {
                let merged = both_filters(one, other);
                for name in ["a", "b", "c", "d"] {
                    let want = one.admits(name) && other.admits(name);
                    assert_eq!(merged.admits(name), want, "{one:?} {other:?} {name}");
                }
            }
        }
        let lists = |one: &str, other: &str| both_jurisdictions(&[one.into()], &[other.into()]);
        assert_eq!(lists("EU", "EU"), ["EU"]);
        assert_eq!(lists("EU", "US"), ["EU and US"]);
    }

    #[test]
    fn only_gaps_are_filled() {
        let defaults = Defaults {
            estimate: EstimateRule::Factor(2.0),
            deadline: Some(DeadlineRule { slack: Span::from_secs(10), factor: 1.5 }),
            cpu: Some(500),
            tenant: Some("ops".to_owned()),
            resumes: Some(true),
            ..Defaults::default()
        };
        let mut fill_in = ApplyDefaults::new(defaults);
        let mut book = Interner::default();
        let mut work = Work { arrival: Time::from_secs(100), ..Work::default() };
        *work.body.length_mut() = Some(Span::from_secs(20));
        fill_in.step(&mut book, &mut work).expect("filled");
        assert_eq!(work.ask.estimate, Some(Span::from_secs(40)));
        assert_eq!(work.ask.deadline, Some(Time::from_secs(140))); // 100 + 10 + 1.5 x 20
        assert_eq!((work.ask.demand.cpu, work.ask.resumes), (500, true));
        assert_eq!(book.tenants()[work.ask.tenant].name, "ops");
        let before = work.clone();
        fill_in.step(&mut book, &mut work).expect("filled");
        assert_eq!(work, before);
    }
}
