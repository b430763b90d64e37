//! Findings of a check as test cases, for the test pages of a build server.

use std::io;

use super::divergence::divergence_words;
use super::document::{MOST_MOVED, moved_row, row_of};
use super::{CheckReport, Finding, FirstDivergence, GateOutcome, GateVerdicts};
use crate::scenario::Subject;
use crate::text::xml;

impl CheckReport<'_> {
    /// JUnit's XML: a test suite per scenario, a test case per gate.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn write_junit(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let all: usize = self.verdicts().map(|verdicts| verdicts.findings.len()).sum();
        let name = xml(&self.suite.name);
        writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
        let (failures, errors) = (self.failures().count(), self.left_out.len());
        let all = all + errors;
        writeln!(
            out,
            "<testsuites name=\"{name}\" tests=\"{all}\" failures=\"{failures}\" errors=\"{errors}\">"
        )?;
        for tested in &self.suite.scenarios {
            let of = || self.rows.iter().filter(|(verdicts, _)| verdicts.scenario == tested.name);
            let tests: usize = of().map(|(verdicts, _)| verdicts.findings.len()).sum();
            let of_it = |(verdicts, _): &(&GateVerdicts<'_>, _)| verdicts.scenario == tested.name;
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
        self.write_left_out(out)?;
        writeln!(out, "</testsuites>")
    }

    /// A test case with an error for each reason why policies were left out: they must not look
    /// passed.
    fn write_left_out(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let number = self.left_out.len();
        if number == 0 {
            return Ok(());
        }
        writeln!(
            out,
            "  <testsuite name=\"left out\" tests=\"{number}\" failures=\"0\" errors=\"{number}\">"
        )?;
        for why in &self.left_out {
            let name = why.split(": ").next().unwrap_or(why);
            let (name, why) = (xml(name), xml(why));
            writeln!(
                out,
                "    <testcase classname=\"left out\" name=\"{name}\"><error message=\"{why}\"/></testcase>"
            )?;
        }
        writeln!(out, "  </testsuite>")
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
            "{}: baseline {}, now {} ({} {})",
            finding.why, cells[3].text, cells[4].text, cells[5].text, cells[5].below
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
