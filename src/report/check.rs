//! What a check of a suite found: on the terminal, as a comment on a change,
//! for the test pages of a build server, and as data.

use std::fmt::Write as _;
use std::io;

use serde_json::{Value, json};

use super::figure::{NOTHING, amount, change, clean, count, difference, figure, half_width};
use super::section::{Cell, Section, Tone};
use super::terminal::{Terminal, add, line};
use crate::experiment::check::{Finding, Moved, Outcome, Parting, Verdicts};
use crate::experiment::{Reason, Seen, Step};
use crate::scenario::{Subject, Suite};
use crate::text::{markdown, xml};
use crate::units::Time;

/// Most metrics that are shown of what moved.
const MOST_MOVED: usize = 12;
/// Most reasons that are shown of either side of a divergence.
const MOST_REASONS: usize = 10;

/// What a check of a suite found.
#[derive(Clone, Debug)]
pub struct CheckReport<'a> {
    /// The suite.
    pub suite: &'a Suite,
    /// By policy, in the order of the suite; and where it parts from its baseline.
    pub rows: Vec<(&'a Verdicts<'a>, Option<&'a Parting>)>,
}

impl CheckReport<'_> {
    fn verdicts(&self) -> impl Iterator<Item = &Verdicts<'_>> {
        self.rows.iter().map(|(verdicts, _)| *verdicts)
    }

    /// Whether the gate does not hold.
    fn fails(&self, finding: &Finding<'_>) -> bool {
        match finding.outcome {
            Outcome::Regressed => true,
            Outcome::Unclear => self.suite.unclear_fails,
            Outcome::Same | Outcome::Passed => false,
        }
    }

    /// The gates that do not hold, with their policies.
    fn failures(&self) -> impl Iterator<Item = (&Verdicts<'_>, &Finding<'_>)> {
        self.verdicts().flat_map(|verdicts| {
            verdicts
                .findings
                .iter()
                .filter(|finding| self.fails(finding))
                .map(move |finding| (verdicts, finding))
        })
    }

    /// What to act on, in one line; none where every gate holds.
    pub fn finding(&self) -> Option<String> {
        let failures: Vec<String> = self
            .failures()
            .map(|(verdicts, finding)| {
                let key = finding.gate.subject.key();
                format!("{key} of {} in {}", clean(verdicts.policy), clean(verdicts.scenario))
            })
            .collect();
        (!failures.is_empty()).then(|| format!("worse than the baseline: {}", failures.join(", ")))
    }

    /// How many gates came out how.
    fn tally(&self) -> String {
        let findings = || self.verdicts().flat_map(|verdicts| &verdicts.findings);
        let all = [Outcome::Regressed, Outcome::Unclear, Outcome::Passed, Outcome::Same];
        let counted = all.map(|outcome| {
            (outcome, findings().filter(|finding| finding.outcome == outcome).count() as u64)
        });
        let shown: Vec<String> = counted
            .iter()
            .filter(|(_, number)| *number > 0)
            .map(|(outcome, number)| format!("{} {}", count(*number), outcome.name()))
            .collect();
        format!(
            "{} of {} in {}: {}",
            several(findings().count(), "gate", "gates"),
            several(self.rows.len(), "policy", "policies"),
            several(self.suite.scenarios.len(), "scenario", "scenarios"),
            shown.join(", ")
        )
    }

    /// For a terminal.
    pub fn text(&self, terminal: Terminal) -> String {
        let mut text = String::new();
        line(&mut text, &format!("check of {}: {}", clean(&self.suite.name), self.tally()));
        add(&mut text, &self.gates(), terminal);
        for words in self.words() {
            line(&mut text, &format!("  - {words}"));
        }
        for (verdicts, parting) in self.rows.iter().filter(|(one, _)| told(one)) {
            if !verdicts.moved.is_empty() {
                add(&mut text, &moved(verdicts), terminal);
            }
            if let Some(parting) = parting {
                text.push('\n');
                for words in parting_words(verdicts, parting) {
                    line(&mut text, &words);
                }
            }
        }
        text
    }

    /// For a comment on a change: GitHub's and GitLab's Markdown.
    pub fn markdown(&self) -> String {
        let mut text = String::new();
        let verdict = if self.finding().is_some() { "regressed" } else { "passed" };
        line(&mut text, &format!("### {}: {verdict}\n", markdown(&self.suite.name)));
        line(&mut text, &format!("{}.\n", self.tally()));
        add_markdown(&mut text, &self.gates());
        text.push('\n');
        for words in self.words() {
            line(&mut text, &format!("- {}", markdown(&words)));
        }
        for (verdicts, parting) in self.rows.iter().filter(|(one, _)| told(one)) {
            if !verdicts.moved.is_empty() {
                let table = moved(verdicts);
                let title = markdown(&table.title);
                line(&mut text, &format!("\n<details><summary>{title}</summary>\n"));
                add_markdown(&mut text, &table);
                line(&mut text, "\n</details>");
            }
            if let Some(parting) = parting {
                let words = parting_words(verdicts, parting);
                let title = markdown(words[0].trim());
                line(&mut text, &format!("\n<details><summary>{title}</summary>\n"));
                for words in &words[1..] {
                    let depth = words.len() - words.trim_start().len();
                    let indent = " ".repeat(depth.saturating_sub(2));
                    line(&mut text, &format!("{indent}- {}", markdown(words.trim())));
                }
                line(&mut text, "\n</details>");
            }
        }
        text
    }

    /// JUnit's XML: a test suite per scenario, a test case per gate.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn write_junit(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let all: usize = self.verdicts().map(|verdicts| verdicts.findings.len()).sum();
        let name = xml(&self.suite.name);
        writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
        let failures = self.failures().count();
        writeln!(out, "<testsuites name=\"{name}\" tests=\"{all}\" failures=\"{failures}\">")?;
        for tested in &self.suite.scenarios {
            let of = || self.rows.iter().filter(|(verdicts, _)| verdicts.scenario == tested.name);
            let tests: usize = of().map(|(verdicts, _)| verdicts.findings.len()).sum();
            let of_it = |(verdicts, _): &(&Verdicts<'_>, _)| verdicts.scenario == tested.name;
            let failures = self.failures().filter(of_it).count();
            writeln!(
                out,
                "  <testsuite name=\"{}\" tests=\"{tests}\" failures=\"{failures}\">",
                xml(&tested.name)
            )?;
            for (verdicts, parting) in of() {
                for finding in &verdicts.findings {
                    self.write_case(out, verdicts, finding, *parting)?;
                }
            }
            writeln!(out, "  </testsuite>")?;
        }
        writeln!(out, "</testsuites>")
    }

    fn write_case(
        &self,
        out: &mut dyn io::Write,
        verdicts: &Verdicts<'_>,
        finding: &Finding<'_>,
        parting: Option<&Parting>,
    ) -> io::Result<()> {
        let class = format!("{}.{}", verdicts.scenario, verdicts.policy);
        let gate = format!("{} {}", finding.gate.subject.key(), finding.gate.text);
        let (class, gate) = (xml(&class), xml(&gate));
        let cells = row_of(verdicts, finding);
        let words = format!(
            "{}: baseline {}, now {} ({} {})",
            finding.why, cells[4].text, cells[5].text, cells[6].text, cells[6].below
        );
        let words = match finding.gate.subject {
            Subject::Events => xml(&finding.why),
            Subject::Metric(_) => xml(words.replace(" )", ")").trim_end_matches(" ()")),
        };
        write!(out, "    <testcase classname=\"{class}\" name=\"{gate}\">")?;
        if self.fails(finding) {
            let kind = finding.outcome.name();
            write!(out, "<failure type=\"{kind}\" message=\"{words}\">")?;
            for one in verdicts.moved.iter().take(MOST_MOVED) {
                let cells = moved_row(one).map(|cell| cell.text);
                write!(out, "\n{}", xml(&cells.join("  ")))?;
            }
            for words in parting.iter().flat_map(|parting| parting_words(verdicts, parting)) {
                write!(out, "\n{}", xml(&words))?;
            }
            write!(out, "</failure>")?;
        } else if finding.outcome != Outcome::Same {
            write!(out, "<system-out>{words}</system-out>")?;
        }
        writeln!(out, "</testcase>")
    }

    /// As one JSON object.
    pub fn json(&self) -> Value {
        let finding = |finding: &Finding<'_>| {
            json!({
                "gate": finding.gate.subject.key(),
                "margin": finding.gate.text,
                "outcome": finding.outcome.name(),
                "why": finding.why,
                "baseline": finding.base,
                "now": finding.now,
                "half_width": finding.half_width,
                "p_adjusted": finding.p,
                "holds": !self.fails(finding),
            })
        };
        let moved =
            |one: &Moved| json!({ "metric": one.metric.key, "baseline": one.base, "now": one.now });
        let policy = |(verdicts, parting): &(&Verdicts<'_>, Option<&Parting>)| {
            json!({
                "scenario": verdicts.scenario,
                "policy": verdicts.policy,
                "outcome": verdicts.outcome().name(),
                "redefined": verdicts.redefined,
                "replications": verdicts.replications,
                "gates": verdicts.findings.iter().map(finding).collect::<Vec<_>>(),
                "moved": verdicts.moved.iter().map(moved).collect::<Vec<_>>(),
                "first_divergence": parting.map(parting_json),
            })
        };
        json!({
            "kind": "windtunnel check",
            "version": env!("CARGO_PKG_VERSION"),
            "suite": self.suite.name,
            "confidence": self.suite.confidence,
            "holds": self.finding().is_none(),
            "policies": self.rows.iter().map(policy).collect::<Vec<_>>(),
        })
    }

    /// A sentence per gate that did not simply pass, and per policy that is another one.
    fn words(&self) -> Vec<String> {
        let mut all = Vec::new();
        for verdicts in self.verdicts() {
            let who = format!("{} in {}", clean(verdicts.policy), clean(verdicts.scenario));
            if verdicts.redefined {
                all.push(format!("{who} is defined otherwise than in its baseline"));
            }
            let told = verdicts.findings.iter().filter(|one| one.outcome >= Outcome::Unclear);
            all.extend(told.map(|finding| {
                let chance = finding.p.map_or_else(String::new, |p| format!(" (p = {p:.4})"));
                format!("{who}, {}: {}{chance}", finding.gate.subject.key(), finding.why)
            }));
        }
        all
    }

    /// A row per gate; of policies in which nothing differs, one row.
    fn gates(&self) -> Section {
        let head =
            ["scenario", "policy", "gate", "allowed", "baseline", "now", "difference", "outcome"];
        let mut section = Section {
            title: "Gates".to_owned(),
            head: head.map(str::to_owned).to_vec(),
            rows: Vec::new(),
            words: 4,
        };
        for verdicts in self.verdicts() {
            if verdicts.outcome() == Outcome::Same {
                let gates = match verdicts.findings.len() {
                    1 => verdicts.findings[0].gate.subject.key().to_owned(),
                    all => format!("all {all}"),
                };
                let words = [
                    &clean(verdicts.scenario),
                    &clean(verdicts.policy),
                    &gates,
                    "",
                    "",
                    "",
                    "",
                    "same",
                ];
                section.rows.push(words.map(Cell::plain).to_vec());
                continue;
            }
            for finding in &verdicts.findings {
                section.rows.push(row_of(verdicts, finding));
            }
        }
        section
    }
}

fn row_of(verdicts: &Verdicts<'_>, finding: &Finding<'_>) -> Vec<Cell> {
    let names =
        [verdicts.scenario, verdicts.policy, finding.gate.subject.key(), &finding.gate.text];
    let mut cells: Vec<Cell> = names.map(|name| Cell::plain(clean(name))).to_vec();
    cells.extend(match finding.gate.subject {
        Subject::Events => ["", "", ""].map(Cell::plain),
        Subject::Metric(metric) => {
            let shown = |value| Cell::plain(figure(metric.unit, value));
            let mut moved = changed(metric.unit, finding.base, finding.now);
            if let Some(width) = finding.half_width {
                moved.below = half_width(metric.unit, width);
            }
            [shown(finding.base), shown(finding.now), moved]
        }
    });
    let tone = match finding.outcome {
        Outcome::Regressed | Outcome::Unclear => Tone::Bad,
        Outcome::Same | Outcome::Passed => Tone::Good,
    };
    cells.push(Cell { tone, ..Cell::plain(finding.outcome.name()) });
    cells
}

/// A change in percent, or where that says nothing, as a difference.
fn changed(unit: &str, base: Option<f64>, now: Option<f64>) -> Cell {
    let (Some(base), Some(now)) = (base, now) else { return Cell::plain(NOTHING) };
    match change(now, base) {
        share if share.is_empty() => Cell::plain(difference(unit, now - base)),
        share => Cell::plain(share),
    }
}

/// Whether more is said of a policy than how its gates came out.
fn told(verdicts: &Verdicts<'_>) -> bool {
    verdicts.outcome() >= Outcome::Unclear
}

/// Where a run parts from its baseline: a title, and lines indented below it.
fn parting_words(verdicts: &Verdicts<'_>, parting: &Parting) -> Vec<String> {
    let who = format!("{} in {}", clean(verdicts.policy), clean(verdicts.scenario));
    let mut lines = vec![format!("First divergence: {who}, seed {}", parting.seed)];
    let agreed = match parting.agreed {
        1 => "the first record agrees".to_owned(),
        agreed => format!("the first {} records agree", count(agreed)),
    };
    let first = count(parting.agreed + 1);
    lines.push(match parting.parted - parting.agreed {
        1 => format!("  {agreed}; they part at record {first}"),
        _ => format!(
            "  {agreed}; they part somewhere in records {first} to {}",
            count(parting.parted)
        ),
    });
    let (base, now) = (parting.base.as_ref(), parting.now.as_ref());
    // Where both sides were looked up, an end is one too.
    let exact =
        parting.parted == parting.agreed + 1 && (base.is_some() || parting.caution.is_none());
    let earlier = [base, now].into_iter().flatten().map(|step| step.time_us).min();
    let side = |name: &str, step: Option<&Step>| match step {
        Some(step) if Some(step.time_us) > earlier => {
            step_words(&format!("{name}: nothing then; next"), step)
        }
        Some(step) => step_words(&format!("{name}:"), step),
        None => format!("  {name}: nothing, the run is over"),
    };
    if base.is_some() || exact {
        lines.push(side("baseline", base));
    }
    if now.is_some() || exact {
        lines.push(side(if base.is_some() || exact { "now" } else { "now, from there on" }, now));
    }
    // Until the earlier of the two, both have seen the same.
    let first = [base, now].into_iter().flatten().min_by_key(|step| step.time_us);
    if let Some(seen) = first.and_then(|step| step.seen.as_ref()) {
        lines.push(format!("  seen: {}", seen_words(seen)));
    }
    let both = || [base, now].into_iter().flatten();
    // An instance is rented for the work that it was chosen for.
    let chosen = |step: &'_ Step| -> Vec<String> {
        let chosen = step.reasons.iter().filter(|reason| weight(reason) == 0);
        chosen.map(|reason| reason.work.clone()).collect()
    };
    let about: Vec<String> = both()
        .flat_map(|step| step.work.clone().map_or_else(|| chosen(step), |one| vec![one]))
        .collect();
    for (name, step) in [("baseline", base), ("now", now)] {
        let reasons = step.map_or(&[][..], |step| &step.reasons);
        let mut told: Vec<_> = reasons
            .iter()
            .filter(|reason| about.is_empty() || about.contains(&reason.work))
            .collect();
        told.sort_by_key(|reason| weight(reason));
        let left_out = told.len().saturating_sub(MOST_REASONS);
        told.truncate(MOST_REASONS);
        lines.extend(told.iter().map(|reason| {
            let (work, why) = (clean(&reason.work), clean(&reason.why));
            format!("    {name}, after {}: {work}: {why}", moment(reason.at()))
        }));
        if left_out > 0 {
            lines.push(format!("    {name}: and {} more", count(left_out as u64)));
        }
    }
    lines.extend(parting.caution.iter().map(|caution| format!("  {}", clean(caution))));
    lines
}

/// What says most comes first: what was chosen, why work waits, what would have cost
/// how much, and then what was out of the question.
fn weight(reason: &Reason) -> u8 {
    match reason.why.as_str() {
        why if why.starts_with("waits: ") => 1,
        why if !why.contains(" not taken") => 0,
        why if why.contains(" not taken, expected cost ") => 2,
        _ => 3,
    }
}

fn step_words(name: &str, step: &Step) -> String {
    let (what, date) = (clean(&step.what), clean(&step.date));
    format!("  {name} after {} ({date}): {what}", moment(step.at()))
}

fn moment(at: Time) -> String {
    (at - Time::ZERO).to_string()
}

fn seen_words(seen: &Seen) -> String {
    let mut queue: Vec<String> = seen.queue.iter().map(|name| clean(name)).collect();
    if seen.waiting > queue.len() as u64 {
        queue.push("...".to_owned());
    }
    let queue = if queue.is_empty() { String::new() } else { format!(" ({})", queue.join(", ")) };
    format!(
        "{}; {} waiting{queue}; {} instances running, {} booting; free: {} cores, {} GiB, {} GPUs",
        clean(&seen.triggers),
        count(seen.waiting),
        count(seen.running),
        count(seen.booting),
        amount(seen.free_cpu_milli as f64 / 1e3),
        amount(seen.free_memory_mib as f64 / 1024.0),
        amount(seen.free_gpu_milli as f64 / 1e3)
    )
}

fn parting_json(parting: &Parting) -> Value {
    json!({
        "replication": parting.replication,
        "seed": parting.seed,
        "same_up_to_record": parting.agreed,
        "differs_by_record": parting.parted,
        "baseline": parting.base,
        "now": parting.now,
        "caution": parting.caution,
    })
}

/// `1 gate`, `2 gates`.
fn several(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(number as u64), if number == 1 { one } else { many })
}

/// The metrics of a policy that are not what they were.
fn moved(verdicts: &Verdicts<'_>) -> Section {
    let shown = verdicts.moved.len().min(MOST_MOVED);
    let more = match verdicts.moved.len() - shown {
        0 => String::new(),
        more => format!(" (the first {shown} of {})", shown + more),
    };
    Section {
        title: format!(
            "What moved: {} in {}{more}",
            clean(verdicts.policy),
            clean(verdicts.scenario)
        ),
        head: ["metric", "baseline", "now", "change"].map(str::to_owned).to_vec(),
        rows: verdicts.moved[..shown].iter().map(|one| moved_row(one).to_vec()).collect(),
        words: 1,
    }
}

fn moved_row(one: &Moved) -> [Cell; 4] {
    let shown = |value| Cell::plain(figure(one.metric.unit, value));
    let mut moved = changed(one.metric.unit, one.base, one.now);
    moved.tone = match one.is_worse() {
        Some(true) => Tone::Bad,
        Some(false) => Tone::Good,
        None => Tone::Plain,
    };
    [Cell::plain(one.metric.key), shown(one.base), shown(one.now), moved]
}

fn add_markdown(text: &mut String, section: &Section) {
    let row = |text: &mut String, cells: Vec<String>| {
        writeln!(text, "| {} |", cells.join(" | ")).expect("a string takes everything");
    };
    row(text, section.head.clone());
    let rule = |at: usize| if at < section.words { "---" } else { "---:" };
    row(text, (0..section.head.len()).map(|at| rule(at).to_owned()).collect());
    for cells in &section.rows {
        let shown = |cell: &Cell| {
            let words = markdown(&cell.text);
            let words = if cell.tone == Tone::Bad { format!("**{words}**") } else { words };
            match cell.below.as_str() {
                "" => words,
                below => format!("{words}<br>{}", markdown(below)),
            }
        };
        row(text, cells.iter().map(shown).collect());
    }
}

#[cfg(test)]
mod tests;
