//! Findings of a check as a document.

use std::collections::BTreeSet;

use serde::Serialize;

use super::divergence::divergence_words;
use super::{CheckReport, Finding, GateOutcome, GateVerdicts, LeftOut, MovedMetric};
use crate::report::document::{Card, Cell, Document, Section, SectionPlace, Table, Tone, unquoted};
use crate::report::figure::{NOTHING, change, clean, count, difference, figure, half_width};
use crate::report::words::{Statements, render, several};
use crate::scenario::{Subject, Tolerance, not_modelled};

/// Most metrics that are shown of what moved.
pub(super) const MOST_MOVED: usize = 12;
/// Gates that are named in the answer.
const NAMED: usize = 3;

/// Facts that are said of a check first.
#[derive(Clone, Debug, Serialize)]
pub(super) struct CheckFindings {
    suite: String,
    holds: bool,
    gates: u64,
    policies: u64,
    scenarios: u64,
    /// Policies of the suite that were not compared.
    left_out: u64,
    /// Scenarios of the suite that could not be read.
    unreadable: usize,
    /// Baselines of policies that a scenario does not have.
    orphans: usize,
    regressed: u64,
    unclear: u64,
    passed: u64,
    same: u64,
    unclear_fails: bool,
    confidence: f64,
    /// The gates that regressed or are unclear.
    told: Vec<NamedGate>,
    more: usize,
    redefined: Vec<String>,
    /// Objectives that the baselines kept and the means now break.
    broken: Vec<NamedObjective>,
    more_broken: usize,
    /// Fewest and most replications of a scenario.
    replications: [u32; 2],
    assumptions: usize,
}

#[derive(Clone, Debug, Serialize)]
struct NamedGate {
    who: String,
    gate: String,
    why: String,
    p: Option<f64>,
}

#[derive(Clone, Debug, Serialize)]
struct NamedObjective {
    who: String,
    words: String,
    unit: &'static str,
    bound: f64,
    was: f64,
    now: Option<f64>,
}

impl CheckReport<'_> {
    pub(super) fn statements(&self) -> Statements {
        let mut said = render(include_str!("../words/check.txt"), &self.findings());
        said.cautions.extend(self.cautions.iter().cloned());
        said
    }

    pub(super) fn findings(&self) -> CheckFindings {
        let all = || self.verdicts().flat_map(|verdicts| &verdicts.findings);
        let number = |outcome| all().filter(|one| one.outcome == outcome).count() as u64;
        let mut told: Vec<NamedGate> = Vec::new();
        for verdicts in self.verdicts() {
            let bad = verdicts.findings.iter().filter(|one| one.outcome >= GateOutcome::Unclear);
            told.extend(bad.map(|finding| NamedGate {
                who: who(verdicts),
                gate: subject(finding).to_owned(),
                why: finding.why.clone(),
                // A p-value that the correction takes to 1 says no more than the words do.
                p: finding.p.filter(|&p| p < 1.0),
            }));
        }
        let broken: Vec<NamedObjective> = self
            .verdicts()
            .flat_map(|verdicts| verdicts.broken.iter().map(move |one| (verdicts, one)))
            .map(|(verdicts, one)| NamedObjective {
                who: who(verdicts),
                words: format!("{} {}", one.metric.label, one.objective.text),
                unit: one.metric.unit,
                bound: one.objective.bound,
                was: one.base,
                now: one.now,
            })
            .collect();
        let counts = || self.verdicts().map(|one| one.replications);
        let scenarios: BTreeSet<&str> = self.verdicts().map(|one| one.scenario).collect();
        let tested: u64 = self.suite.scenarios.iter().map(|one| one.policies.len() as u64).sum();
        let is_checked = |one: &LeftOut| {
            let scenario = self.suite.scenarios.iter().find(|tested| tested.name == one.scenario);
            scenario.is_some_and(|tested| {
                let policies = &tested.scenario.policies;
                policies.iter().any(|policy| Some(&policy.name) == one.policy.as_ref())
            })
        };
        let orphans = self.left_out.iter().filter(|one| {
            let is_read = self.suite.unreadable.iter().all(|other| other.name != one.scenario);
            is_read && one.policy.is_some() && !is_checked(one)
        });
        let redefined = self.verdicts().filter(|verdicts| !verdicts.redefined.is_empty());
        let changed = |verdicts: &GateVerdicts<'_>| {
            let named = verdicts.redefined.iter().take(NAMED).map(String::as_str);
            let named = named.collect::<Vec<_>>().join("; ");
            let more = match verdicts.redefined.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!("; and {more} more"),
            };
            format!("{} ({}{more})", who(verdicts), unquoted(&named))
        };
        CheckFindings {
            suite: self.suite.name.clone(),
            holds: self.finding().is_none(),
            gates: all().count() as u64,
            policies: self.rows.len() as u64,
            scenarios: scenarios.len() as u64,
            left_out: tested - self.rows.len() as u64,
            unreadable: self.suite.unreadable.len(),
            orphans: orphans.count(),
            regressed: number(GateOutcome::Regressed),
            unclear: number(GateOutcome::Unclear),
            passed: number(GateOutcome::Passed),
            same: number(GateOutcome::Same),
            unclear_fails: self.suite.unclear_fails,
            confidence: self.suite.confidence,
            redefined: redefined.map(changed).collect(),
            more_broken: broken.len().saturating_sub(NAMED),
            broken: broken.into_iter().take(NAMED).collect(),
            replications: [counts().min().unwrap_or(0), counts().max().unwrap_or(0)],
            assumptions: self.assumptions().len(),
            more: told.len().saturating_sub(NAMED),
            told: told.into_iter().take(NAMED).collect(),
        }
    }

    /// Assumptions in any scenario of the suite, each once; with the scenarios where it is not of
    /// all of them.
    pub(super) fn assumptions(&self) -> Vec<String> {
        let scenarios = &self.suite.scenarios;
        let mut all: Vec<(String, Vec<&str>)> = Vec::new();
        for tested in scenarios {
            let scenario = &tested.scenario;
            let rows = scenario.assumed(&tested.policies);
            let first = not_modelled(scenario.unmodelled(&tested.policies));
            for assumed in first.into_iter().chain(rows) {
                let at = all.iter().position(|(known, _)| *known == assumed);
                let at = at.unwrap_or_else(|| {
                    all.push((assumed, Vec::new()));
                    all.len() - 1
                });
                if all[at].1.last() != Some(&tested.name.as_str()) {
                    all[at].1.push(&tested.name);
                }
            }
        }
        let told = all.into_iter().map(|(assumed, of)| {
            if of.len() == scenarios.len() {
                return assumed;
            }
            format!("{}: {assumed}", of.join(", "))
        });
        told.collect()
    }

    /// The document.
    pub fn document(&self) -> Document {
        let said = self.statements();
        let mut document =
            Document::titled(None, &format!("Check of {}", unquoted(&self.suite.name)));
        document.answer = said.answer;
        document.cautions = said.cautions;
        document.cards = self.cards();
        document.assumptions = self.assumptions();
        document.recipe.push(("version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()));
        document.recipe.push(("suite".to_owned(), unquoted(&self.suite.path)));
        if !self.left_out.is_empty() {
            // A terminal shows them as errors.
            let mut section = Section::new("Not compared", SectionPlace::Page);
            section.notes = self.left_out.iter().map(|one| one.why.clone()).collect();
            document.add(section);
        }
        document.add(Section::of(self.gates(), SectionPlace::Front));
        for (verdicts, parting) in &self.rows {
            if verdicts.outcome() < GateOutcome::Unclear {
                continue;
            }
            if !verdicts.moved.is_empty() {
                document.add(Section::of(moved(verdicts), SectionPlace::Front));
            }
            if let Some(parting) = parting {
                let words = divergence_words(verdicts, parting);
                let mut section = Section::new(&words[0], SectionPlace::Front);
                section.notes = words[1..].to_vec();
                document.add(section);
            }
        }
        document
    }

    fn cards(&self) -> Vec<Card> {
        let found = self.findings();
        let card = |label: &str, number: u64, tone: Tone| {
            let tone = if number > 0 { tone } else { Tone::Plain };
            Card::new(label, count(number), format!("of {}", several(found.gates, "gate", "gates")))
                .toned(tone)
        };
        let unclear = if found.unclear_fails { Tone::Bad } else { Tone::Plain };
        vec![
            card("regressed", found.regressed, Tone::Bad),
            card("unclear", found.unclear, unclear),
            card("passed", found.passed, Tone::Good),
            card("same", found.same, Tone::Good),
        ]
    }

    /// A row per gate; of policies in which nothing differs, one row.
    fn gates(&self) -> Table {
        let head = ["policy", "gate", "outcome", "baseline", "now", "difference"];
        let mut table = Table::new("Gates", &head);
        table.words = 3;
        // Gates that do not hold come first.
        let mut all: Vec<&GateVerdicts<'_>> = self.verdicts().collect();
        all.sort_by_key(|verdicts| std::cmp::Reverse(verdicts.outcome()));
        let mut left_out: Vec<String> = self.left_out.iter().map(LeftOut::who).collect();
        left_out.dedup();
        for who in left_out {
            let mut cells = vec![Cell::plain(who), Cell::plain("")];
            cells.push(Cell::plain("not compared").toned(Tone::Bad));
            cells.extend(["", "", ""].map(Cell::plain));
            table.rows.push(cells);
        }
        for verdicts in all {
            if verdicts.outcome() == GateOutcome::Same {
                let gates = match verdicts.findings.len() {
                    1 => subject(&verdicts.findings[0]).to_owned(),
                    all => format!("all {all}"),
                };
                let same = Cell::plain("same").toned(Tone::Good);
                let mut cells = vec![Cell::plain(who(verdicts)), Cell::plain(gates), same];
                cells.extend(["", "", ""].map(Cell::plain));
                table.rows.push(cells);
                continue;
            }
            for finding in &verdicts.findings {
                table.rows.push(row_of(verdicts, finding));
            }
        }
        table
    }
}

impl LeftOut {
    /// `easy in quickstart`, or `quickstart`.
    fn who(&self) -> String {
        unquoted(&match &self.policy {
            Some(policy) => format!("{policy} in {}", self.scenario),
            None => self.scenario.clone(),
        })
    }
}

/// Words for what a gate is about: `wait, p95`.
fn subject<'a>(finding: &'a Finding<'_>) -> &'a str {
    match finding.gate.subject {
        Subject::Events => finding.gate.subject.key(),
        Subject::Metric(metric) => metric.label,
    }
}

/// Name of a policy in its scenario: `easy in quickstart`.
fn who(verdicts: &GateVerdicts<'_>) -> String {
    unquoted(&format!("{} in {}", verdicts.policy, verdicts.scenario))
}

/// A gate: what it is about and what is allowed, how it came out, and the numbers.
pub(super) fn row_of(verdicts: &GateVerdicts<'_>, finding: &Finding<'_>) -> Vec<Cell> {
    let gate = format!("{} {}", subject(finding), finding.gate.text);
    let tone = match finding.outcome {
        GateOutcome::Regressed | GateOutcome::Unclear => Tone::Bad,
        GateOutcome::Same | GateOutcome::Passed => Tone::Good,
    };
    let mut cells = vec![
        Cell::plain(who(verdicts)),
        Cell::plain(clean(gate.trim_end())),
        Cell {
            below: finding.below().to_owned(),
            ..Cell::plain(finding.outcome.name()).toned(tone)
        },
    ];
    cells.extend(match finding.gate.subject {
        Subject::Events => ["", "", ""].map(Cell::plain),
        Subject::Metric(metric) => {
            let shown = |value| Cell::plain(figure(metric.unit, value));
            let mut moved = changed(metric.unit, finding.base, finding.now);
            if let Some(exact) = beyond_digits(finding, metric.unit) {
                moved.text = exact;
            }
            if let Some(width) = finding.half_width.filter(|&width| width > 0.0) {
                moved.below = half_width(metric.unit, width, finding.base.unwrap_or(0.0));
            }
            [shown(finding.base), shown(finding.now), moved]
        }
    });
    cells
}

/// The difference of a gate that is beyond its margin, with as many digits as it takes to see that;
/// `None` if the usual ones do, or if it is in another unit than the margin.
fn beyond_digits(finding: &Finding<'_>, unit: &str) -> Option<String> {
    let (base, now) = (finding.base?, finding.now?);
    let (size, margin, words) = match finding.gate.tolerance {
        Tolerance::Absolute(margin) if unit == "share" => ((now - base) * 1e2, margin * 1e2, "pp"),
        Tolerance::Relative(margin) if base != 0.0 && unit != "share" => {
            ((now - base) / base.abs() * 1e2, margin * 1e2, "%")
        }
        Tolerance::Absolute(_) | Tolerance::Relative(_) | Tolerance::Exact => return None,
    };
    let shows = |digits: usize| {
        let shown: f64 = format!("{:.digits$}", size.abs()).parse().unwrap_or(0.0);
        shown > margin + 1e-9
    };
    if finding.outcome < GateOutcome::Unclear || shows(1) {
        return None;
    }
    let digits = (2..=6).find(|&digits| shows(digits))?;
    let sign = if size < 0.0 { "−" } else { "+" };
    Some(format!("{sign}{:.digits$} {words}", size.abs()))
}

/// A change in percent, or where that says nothing, as a difference.
pub(super) fn changed(unit: &str, base: Option<f64>, now: Option<f64>) -> Cell {
    let (Some(base), Some(now)) = (base, now) else { return Cell::plain(NOTHING) };
    // A gate on a share is in percentage points, and so is what it is held against.
    match change(now, base) {
        share if share.is_empty() || unit == "share" => Cell::plain(difference(unit, now - base)),
        share => Cell::plain(share),
    }
}

/// The metrics of a policy that are not what they were.
fn moved(verdicts: &GateVerdicts<'_>) -> Table {
    let shown = verdicts.moved.len().min(MOST_MOVED);
    let more = match verdicts.moved.len() - shown {
        0 => String::new(),
        more => format!(" (the first {shown} of {})", shown + more),
    };
    Table {
        title: format!("What moved: {}{more}", who(verdicts)),
        head: ["metric", "baseline", "now", "change"].map(str::to_owned).to_vec(),
        rows: verdicts.moved[..shown].iter().map(|one| moved_row(one).to_vec()).collect(),
        words: 1,
        numbers: Vec::new(),
    }
}

pub(super) fn moved_row(one: &MovedMetric) -> [Cell; 4] {
    let shown = |value| Cell::plain(figure(one.metric.unit, value));
    let mut moved = changed(one.metric.unit, one.base, one.now);
    moved.tone = match one.is_worse() {
        Some(true) => Tone::Bad,
        Some(false) => Tone::Good,
        None => Tone::Plain,
    };
    [Cell::plain(one.metric.label), shown(one.base), shown(one.now), moved]
}
