//! A comparison as a document.

use super::super::breakdown::Breakdown;
use super::super::chart::Chart;
use super::super::document::{Card, Cell, Document, Section, SectionPlace, Table, Tone, unquoted};
use super::super::figure::{amount, difference, figure};
use super::super::run::tables;
use super::super::words::{dollars, several};
use super::ComparisonReport;
use crate::experiment::{HALF_A_CENT, PromiseChange, leading};
use crate::metrics::Metric;

/// Policies whose metrics are set side by side; of more, the page has a table each.
pub(super) const MOST_COLUMNS: usize = 6;

/// Files of a comparison, each with what it holds.
const FILES: [(&str, &str); 9] = [
    ("decision.md", "this answer as Markdown"),
    ("compare.csv", "every metric of every policy against the baseline"),
    ("replications.csv", "every metric of every replication"),
    ("breakdown.csv", "cost by provider, waits by class and tenant, hours and data"),
    ("waterfall.csv", "what the difference in the cost of the runs is made of"),
    ("effects.csv", "the same by product: volume, mix, price and terms"),
    ("fates.csv", "jobs that ended otherwise than under the baseline"),
    ("compare.json", "all of it for programs"),
    ("scenario.toml", "the scenario"),
];

impl ComparisonReport<'_> {
    /// The document; `charts` are those of the comparison, in order.
    pub fn document(&self, charts: Vec<Chart>) -> Document {
        let said = self.statements();
        let mut document = Document::titled(self.question, "Decision");
        document.about = self.about();
        document.answer = said.answer;
        document.cautions = said.cautions;
        document.cards = self.cards();
        if let Some(first) = self.reports.first() {
            document.left_out(first);
            document.made_by(&first.recipe);
            document.recipe.retain(|(name, _)| name != "policy");
        }
        for report in self.reports {
            let words = format!("{} `{}`", unquoted(&report.recipe.policy), report.fingerprint);
            document.recipe.push(("event hash".to_owned(), words));
        }
        document.assumptions = self.assumptions();
        document.files = FILES.map(|(name, what)| (name.to_owned(), what)).to_vec();
        document.add(Section::of(self.policies_table(), SectionPlace::Front));
        document.add(
            Section::new("What differs between the scenarios", SectionPlace::Front)
                .tables(self.between.map(|between| between.table())),
        );
        let parts = self.breakdowns();
        document.add(Section::of(self.cost_table(&parts), SectionPlace::Front));
        self.add_charts(&mut document, charts, &parts);
        if self.many.policies.len() <= MOST_COLUMNS {
            document.add(Section::of(self.metrics_table(), SectionPlace::Page));
        }
        for row in (0..self.many.policies.len()).filter(|&row| row != self.many.baseline) {
            let chosen = row == self.choice() && self.is_judged();
            let place = if chosen { SectionPlace::Front } else { SectionPlace::Folded };
            let section = Section::of(self.verdicts(row), place);
            let bounded = self.metrics().iter().any(|one| !self.possible(one, row).0.is_empty());
            document.add(match bounded {
                true => section.note(
                    "Best possible is a bound that no policy can beat. That of waits can lie far below \
                     what any policy could reach: being far from it is no proof of a bad policy.",
                ),
                false => section,
            });
        }
        if let Some(ratios) = self.saved_by_pairing()
            && let Some(last) = document.sections.last_mut()
        {
            last.notes.push(format!(
                "All policies met the same random numbers. Without that, intervals as narrow would have \
                 needed {:.1} times the replications (median over the judged metrics; {:.1} to {:.1}).",
                ratios[0], ratios[1], ratios[2]
            ));
        }
        let details = [self.waterfalls(), self.outcome_changes()];
        for table in details.into_iter().filter(|table| !table.rows.is_empty()) {
            document.add(Section::of(table, SectionPlace::Folded));
        }
        for row in (0..self.many.policies.len()).filter(|&row| row != self.many.baseline) {
            document.add(self.effects(row));
        }
        self.add_policies(&mut document);
        document
    }

    /// Subject of the comparison, in one line.
    fn about(&self) -> String {
        let scenario = self.reports.first().map(|report| unquoted(&report.recipe.scenario_words()));
        let scenario = scenario.map_or(String::new(), |name| format!("Scenario {name}: "));
        let work = if self.between.is_some() { "" } else { " over the same workload" };
        let count = self.many.policies.len();
        let against = match count {
            1 => String::new(),
            _ => format!("; differences are against {}", unquoted(&self.name(self.many.baseline))),
        };
        format!("{scenario}{}{work}{against}.", several(count as u64, "policy", "policies"))
    }

    /// The leading cost of a row against the baseline.
    pub(in crate::report) fn leading(&self, row: usize) -> &'static Metric {
        let key = leading(self.many, row);
        Metric::named(key).expect("the leading cost is a metric")
    }

    fn cards(&self) -> Vec<Card> {
        let Some(decision) = self.decision else { return Vec::new() };
        let (base, choice) = (self.many.baseline, self.choice());
        let metric = self.leading(choice);
        let mut cards = Vec::new();
        if let (Some(now), Some(was)) = (self.mean(metric, choice), self.mean(metric, base)) {
            let detail = match (choice == base, metric.key) {
                (true, "cost_monthly") => format!("{} per year", dollars(now * 12.0)),
                (true, _) => String::new(),
                (false, _) => format!("was {}", dollars(was)),
            };
            let tone = Tone::of(self.many.shown(choice, metric.key));
            cards.push(Card::new(metric.label, dollars(now), detail).toned(tone));
        }
        let standing = decision.chosen();
        if !standing.promises.is_empty() {
            let kept = standing.promises.iter().filter(|one| one.kept).count();
            let counted = [
                (PromiseChange::Gained, "gained"),
                (PromiseChange::Lost, "lost"),
                (PromiseChange::MoreOften, "more often"),
                (PromiseChange::LessOften, "less often"),
            ];
            let mut detail = Vec::new();
            for (change, words) in counted.into_iter().filter(|_| choice != base) {
                let count = standing.rows(change).len();
                let always = matches!(change, PromiseChange::Gained | PromiseChange::Lost);
                if always || count > 0 {
                    detail.push(format!("{count} {words}"));
                }
            }
            if self.many.replications > 1 {
                detail.push("by their means".to_owned());
            }
            let (detail, value) =
                (detail.join(", "), format!("{kept} of {}", standing.promises.len()));
            let least = standing.promises.iter().map(|one| one.after).min().unwrap_or(0);
            let all = u64::from(self.many.replications);
            let tone = Tone::of_promise(kept == standing.promises.len(), u64::from(least), all);
            cards.push(Card::new("promises kept", value, detail).toned(tone));
        }
        for key in ["wait_p95", "deadlines_met"] {
            let Some(metric) = Metric::named(key) else { continue };
            let Some(now) = self.mean(metric, choice) else { continue };
            let was = figure(metric.unit, self.mean(metric, base));
            let detail = if choice == base { String::new() } else { format!("was {was}") };
            let tone = Tone::of(self.many.shown(choice, key));
            cards.push(Card::new(metric.label, figure(metric.unit, Some(now)), detail).toned(tone));
        }
        let held = match self.calibration {
            Some(calibrated) => calibrated.brief.as_str(),
            None => "not calibrated",
        };
        let runs = match self.is_judged() {
            true => format!("{} replications", self.many.replications),
            false => "1 replication".to_owned(),
        };
        cards.push(Card::new("how sure", runs, held.to_owned()));
        cards
    }

    fn add_charts(
        &self,
        document: &mut Document,
        charts: Vec<Chart>,
        breakdowns: &[(String, Breakdown)],
    ) {
        let [waits, hours, data] = self.breakdown_tables(breakdowns);
        let paged = |title| Section::new(title, SectionPlace::Page);
        let mut parts = [
            (paged("Cost"), vec!["cost", "waterfall", "effects", "paired"]),
            (paged("Service"), vec!["pareto", "waits", "service"]),
            (waits, vec!["waits-by-class", "waits-by-tenant"]),
            (hours, vec!["hours-cpu", "hours-gpu"]),
            (data, vec!["moved"]),
            (paged("Differences"), vec!["intervals"]),
        ];
        let mut rest = Section::new("Over time", SectionPlace::Folded);
        for chart in charts {
            let name = chart.name.trim_start_matches("compare-").to_owned();
            let part = parts.iter_mut().find(|(_, names)| names.contains(&name.as_str()));
            part.map_or(&mut rest, |(section, _)| section).charts.push(chart);
        }
        for (mut section, names) in parts {
            let place = |chart: &Chart| {
                let name = chart.name.trim_start_matches("compare-");
                names.iter().position(|one| *one == name)
            };
            section.charts.sort_by_key(place);
            document.add(section);
        }
        document.add(rest);
    }

    /// A row per policy: the leading cost, the service and the promises.
    fn policies_table(&self) -> Table {
        let objectives = self.rows.first().map_or(&[][..], |row| row.objectives);
        let title = match (self.many.replications, objectives) {
            (1, _) => "Policies".to_owned(),
            (n, []) => format!("Policies, means of {n} replications"),
            (n, _) => {
                format!(
                    "Policies: means of {n} replications, and how many of them keep each promise"
                )
            }
        };
        let mut table = Table::new(&title, &[""]);
        let leads = match self.many.comparable() {
            true => "cost_monthly",
            false => leading(self.many, self.worst_compared()),
        };
        let shown: Vec<&Metric> = [leads, "wait_mean", "wait_p95", "deadlines_met", "finished"]
            .iter()
            .filter_map(|key| self.metrics().into_iter().find(|metric| metric.key == *key))
            .filter(|metric| metric.key != "finished" || !self.all_finish_alike())
            .collect();
        table.head.extend(shown.iter().map(|metric| metric.label.to_owned()));
        table.head.extend(objectives.iter().map(|one| format!("{} {}", one.label, one.text)));
        for (row, policy) in self.many.policies.iter().enumerate() {
            let role = match (
                row == self.choice() && self.decision.is_some(),
                row == self.many.baseline,
            ) {
                (true, true) => "keep",
                (true, false) => "take",
                (false, true) => "baseline",
                (false, false) => "",
            };
            let mut cells = vec![Cell::plain(unquoted(&policy.name)).below(role)];
            cells.extend(shown.iter().map(|metric| self.cell_of(metric, row)));
            cells.extend((0..objectives.len()).map(|at| self.kept_cell(row, at)));
            table.rows.push(cells);
        }
        table
    }

    /// Whether all policies finish as much of the work, to a tenth of a percent.
    fn all_finish_alike(&self) -> bool {
        let finished = Metric::named("finished");
        let share = |row| finished.and_then(|metric| self.mean(metric, row)).unwrap_or(0.0);
        let base = share(self.many.baseline);
        (0..self.many.policies.len()).all(|row| (share(row) - base).abs() < 0.000_5)
    }

    /// A row whose work is not the baseline's.
    pub(super) fn worst_compared(&self) -> usize {
        let other = self.many.policies.iter().position(|policy| !policy.comparable);
        other.unwrap_or(self.many.baseline)
    }

    fn cell_of(&self, metric: &Metric, row: usize) -> Cell {
        let better = self.tone(metric, row).filter(|_| row != self.many.baseline);
        Cell::plain(self.figure(metric, row))
            .below(self.change(metric, row))
            .toned(Tone::of(better))
    }

    /// Cell on whether a policy kept an objective, and in how many replications.
    fn kept_cell(&self, row: usize, at: usize) -> Cell {
        let (objective, policy) = (&self.rows[0].objectives[at], &self.many.policies[row]);
        let (all, count) = (self.many.replications, policy.kept.get(at).copied().unwrap_or(0));
        let Some(kept) = self.keeps(row, at) else {
            let deadlines = objective.metric == "deadlines_met";
            let text = if deadlines { "no deadlines" } else { "nothing to measure" };
            return Cell::plain(text).toned(Tone::of(Some(count == all)));
        };
        let below = if all == 1 { String::new() } else { format!("{count} of {all}") };
        let text = if kept { "kept" } else { "broken" };
        let tone = Tone::of_promise(kept, u64::from(count), u64::from(all));
        Cell::plain(text).below(below).toned(tone)
    }

    /// Policies as columns, all judged metrics as rows, differences below the values.
    fn metrics_table(&self) -> Table {
        let baseline = self.many.baseline;
        let mut table = Table::new("All metrics", &[""]);
        let columns = self.columns();
        table.head.extend(columns.iter().map(|&row| {
            let name = unquoted(&self.name(row));
            if row == baseline { format!("{name} (baseline)") } else { name }
        }));
        for metric in self.metrics() {
            let mut cells = vec![Cell::plain(metric.label)];
            cells.extend(columns.iter().map(|&row| self.cell_of(metric, row)));
            table.rows.push(cells);
        }
        table
    }

    /// Table of one policy against the baseline, metric by metric, with the verdict in words.
    fn verdicts(&self, row: usize) -> Table {
        let (mine, base) = (unquoted(&self.name(row)), unquoted(&self.name(self.many.baseline)));
        let head = ["", &base, &mine, "difference", "verdict", "best possible"];
        let mut table = Table::new(&format!("{mine} against {base}"), &head);
        for metric in self.metrics() {
            let tone = Tone::of(self.tone(metric, row));
            let (possible, behind) = self.possible(metric, row);
            table.rows.push(vec![
                Cell::plain(metric.label),
                Cell::plain(self.figure(metric, self.many.baseline)),
                Cell::plain(self.figure(metric, row)),
                Cell::plain(self.amount(metric, row)).below(self.spread(metric, row)),
                Cell::plain(self.verdict(metric, row)).toned(tone),
                Cell::plain(possible).below(behind),
            ]);
        }
        table
    }

    /// Pieces of work that went from one outcome to another, per policy and replication.
    fn outcome_changes(&self) -> Table {
        let all = f64::from(self.many.replications);
        let head = ["policy", "under the baseline", "now", "jobs per replication"];
        let mut table = Table::new("Work whose fate changed", &head);
        table.words = 3;
        for policy in &self.many.policies {
            for &(from, to, count) in policy.outcome_changes.iter().flatten() {
                let mean = amount(count as f64 / all);
                table.row([
                    unquoted(&policy.name),
                    from.name().to_owned(),
                    to.name().to_owned(),
                    mean,
                ]);
            }
        }
        table
    }

    /// Parts of the difference in the leading cost to the baseline, per policy.
    fn waterfalls(&self) -> Table {
        let head = ["policy", "provider", "for", "difference"];
        let label = self.leading_of_all().label;
        let title = format!("What the difference in {label} is made of");
        let mut table = Table::new(&title, &head);
        table.words = 3;
        let rows = 0..self.many.policies.len();
        for row in rows.filter(|&row| row != self.many.baseline) {
            let name = unquoted(&self.name(row));
            let steps = self.cost_steps(row);
            let steps = steps.iter().filter(|step| step.usd.abs() >= HALF_A_CENT);
            let mut sum = 0.0;
            for step in steps {
                sum += step.usd;
                let by = difference("USD", step.usd);
                table.row([name.clone(), unquoted(&step.provider), step.kind.clone(), by]);
            }
            if sum != 0.0 {
                table.row([name, "all".to_owned(), "in all".to_owned(), difference("USD", sum)]);
            }
        }
        table
    }

    /// The first replication of each policy, on its own.
    fn add_policies(&self, document: &mut Document) {
        let first = if self.many.replications > 1 { ", first replication" } else { "" };
        for (report, row) in self.reports.iter().zip(0..) {
            let title = format!("Policy {}{first}", unquoted(&self.name(row)));
            let tables = tables::objectives(report)
                .into_iter()
                .chain([tables::times(&report.summary)])
                .chain(tables::costs(&report.summary.cost));
            document.add(Section::new(&title, SectionPlace::Folded).tables(tables));
        }
    }
}
