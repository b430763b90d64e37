//! Findings of a check as test cases, for the test pages of a build server.

use std::io;

use super::divergence::divergence_words;
use super::document::{MOST_MOVED, moved_row, row_of};
use super::{
    BrokenObjective, CheckReport, Finding, FirstDivergence, GateOutcome, GateVerdicts, LeftOut,
};
use crate::report::figure::figure_against;
use crate::scenario::Subject;
use crate::text::xml;

impl CheckReport<'_> {
    /// JUnit's XML: a test suite per scenario, a test case per gate.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn write_junit(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let cases = |verdicts: &GateVerdicts<'_>| verdicts.findings.len() + verdicts.broken.len();
        let all: usize = self.verdicts().map(cases).sum();
        let name = xml(&self.suite.name);
        writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
        let (failures, errors) = (self.failures().count(), self.left_out.len());
        let all = all + errors;
        writeln!(
            out,
            "<testsuites name=\"{name}\" tests=\"{all}\" failures=\"{failures}\" errors=\"{errors}\">"
        )?;
        let names = self.suite.scenarios.iter().map(|tested| tested.name.as_str());
        for name in names.chain(self.suite.unreadable.iter().map(|one| one.name.as_str())) {
            let of = || self.rows.iter().filter(|(verdicts, _)| verdicts.scenario == name);
            let of_it = |(verdicts, _): &(&GateVerdicts<'_>, _)| verdicts.scenario == name;
            let failures = self.failures().filter(of_it).count();
            let left_out = || self.left_out.iter().filter(|one| one.scenario == name);
            let errors = left_out().count();
            let tests = of().map(|(verdicts, _)| cases(verdicts)).sum::<usize>() + errors;
            let broken: usize = of().map(|(verdicts, _)| verdicts.broken.len()).sum();
            writeln!(
                out,
                "  <testsuite name=\"{}\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{broken}\">",
                xml(name)
            )?;
            for one in left_out() {
                write_left_out(out, one)?;
            }
            for (verdicts, parting) in of() {
                for finding in &verdicts.findings {
                    self.write_case(out, verdicts, finding, *parting)?;
                }
                for one in &verdicts.broken {
                    write_broken(out, verdicts, one)?;
                }
            }
            writeln!(out, "  </testsuite>")?;
        }
        writeln!(out, "</testsuites>")
    }

    fn write_case(
        &self,
        out: &mut dyn io::Write,
        verdicts: &GateVerdicts<'_>,
        finding: &Finding<'_>,
        parting: Option<&FirstDivergence>,
    ) -> io::Result<()> {
        let class = format!("{}.{}", verdicts.scenario, verdicts.policy);
        let gate = format!("{} {}", finding.gate.subject.key(), finding.gate.text);
        let (class, gate) = (xml(&class), xml(&gate));
        let cells = row_of(verdicts, finding);
        let words = format!(
            "{}: {}: baseline {}, now {} ({} {})",
            finding.outcome.name(),
            finding.why,
            cells[3].text,
            cells[4].text,
            cells[5].text,
            cells[5].below
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
            for words in parting.iter().flat_map(|parting| divergence_words(verdicts, parting)) {
                write!(out, "\n{}", xml(&words))?;
            }
            write!(out, "</failure>")?;
        } else if finding.outcome != GateOutcome::Same {
            write!(out, "<system-out>{words}</system-out>")?;
        }
        writeln!(out, "</testcase>")
    }
}

/// A test case with an error: what was left out must not look passed.
fn write_left_out(out: &mut dyn io::Write, one: &LeftOut) -> io::Result<()> {
    let (class, name) = match &one.policy {
        Some(policy) => (format!("{}.{policy}", one.scenario), "baseline"),
        None => (one.scenario.clone(), "scenario"),
    };
    let (class, why) = (xml(&class), xml(&one.why));
    writeln!(
        out,
        "    <testcase classname=\"{class}\" name=\"{name}\"><error message=\"{why}\"/></testcase>"
    )
}

/// A promise that was kept and now is not. No gate holds it, so its case is no failure: it counts as
/// skipped.
fn write_broken(
    out: &mut dyn io::Write,
    verdicts: &GateVerdicts<'_>,
    one: &BrokenObjective<'_>,
) -> io::Result<()> {
    let class = xml(&format!("{}.{}", verdicts.scenario, verdicts.policy));
    let name = xml(&format!("promise {} {}", one.metric.key, one.objective.text));
    let unit = one.metric.unit;
    let bound = Some(one.objective.bound);
    let (was, now) =
        (figure_against(unit, Some(one.base), bound), figure_against(unit, one.now, bound));
    let words =
        xml(&format!("was kept and now is not: baseline {was}, now {now}; no gate holds it"));
    writeln!(
        out,
        "    <testcase classname=\"{class}\" name=\"{name}\"><skipped message=\"{words}\"/></testcase>"
    )
}
