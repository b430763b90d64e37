//! Parts of costs, waits, hours and data, policies side by side.

use std::io;

use super::super::breakdown::{Breakdown, CostSlice};
use super::super::document::{Cell, Section, SectionPlace, Table, unquoted};
use super::super::figure::{decimals, difference, figure};
use super::super::run::breakdown::{MOST_SHOWN, left_out, named};
use super::super::sheet::{Sheet, TextCells};
use super::ComparisonReport;
use super::document::MOST_COLUMNS;
use crate::experiment::HALF_A_CENT;
use crate::metrics::{GroupWait, Metric, ProviderHours};

/// The columns of `breakdown.csv`, in order.
pub(in crate::report) const COLUMNS: [&str; 6] = ["policy", "what", "of", "part", "unit", "mean"];

/// A row of a table: its name, its unit, and the value under each policy that is shown.
type BreakdownRow = (String, &'static str, Vec<f64>);

/// The waits of a policy by one sort of group.
type WaitGroups = fn(&Breakdown) -> &Vec<GroupWait>;

impl ComparisonReport<'_> {
    /// The cost that leads for all policies together.
    pub(in crate::report) fn leading_of_all(&self) -> &'static Metric {
        self.leading(self.worst_compared())
    }

    /// Breakdowns of each policy, by name; costs are parts of the one that leads.
    pub(in crate::report) fn breakdowns(&self) -> Vec<(String, Breakdown)> {
        let cost = self.leading_of_all().key;
        let of = |policy: &crate::experiment::ComparedPolicy| {
            (policy.name.clone(), Breakdown::of(&policy.measurements, cost))
        };
        self.many.policies.iter().map(of).collect()
    }

    /// Parts of the leading cost of the baseline and of a policy, in the metric by which the two
    /// compare.
    pub(in crate::report) fn parts_against_baseline(&self, row: usize) -> [Vec<CostSlice>; 2] {
        let cost = self.leading(row).key;
        [self.many.baseline, row]
            .map(|row| Breakdown::of(&self.many.policies[row].measurements, cost).cost)
    }

    /// The steps from the leading cost of the baseline to that of a policy; they sum
    /// to the difference.
    pub(in crate::report) fn cost_steps(&self, row: usize) -> Vec<CostSlice> {
        let [base, mine] = self.parts_against_baseline(row);
        let mut steps: Vec<CostSlice> = Vec::new();
        for (part, sign) in
            base.iter().map(|one| (one, -1.0)).chain(mine.iter().map(|one| (one, 1.0)))
        {
            let is =
                |step: &&mut CostSlice| step.provider == part.provider && step.kind == part.kind;
            match steps.iter_mut().find(is) {
                Some(step) => step.usd += sign * part.usd,
                None => steps.push(CostSlice { usd: sign * part.usd, ..part.clone() }),
            }
        }
        let providers: Vec<String> = steps.iter().map(|step| step.provider.clone()).collect();
        steps.sort_by_key(|step| providers.iter().position(|one| *one == step.provider));
        steps
    }

    /// Rows of the policies that a table has columns for: the baseline, the one to take, and, unless
    /// there are too many, the others.
    pub(super) fn columns(&self) -> Vec<usize> {
        let mut rows = vec![self.many.baseline, self.choice()];
        rows.dedup();
        let all = self.many.policies.len();
        let others: Vec<usize> = (0..all).filter(|row| !rows.contains(row)).collect();
        rows.extend(others.into_iter().filter(|_| all <= MOST_COLUMNS));
        rows
    }

    fn table(&self, title: &str) -> Table {
        let title = match self.many.replications {
            1 => title.to_owned(),
            n => format!("{title}, means of {n} replications"),
        };
        let mut table = Table::new(&title, &[""]);
        table.head.extend(self.columns().into_iter().map(|row| {
            let name = unquoted(&self.name(row));
            match row == self.many.baseline {
                true => format!("{name} (baseline)"),
                false => name,
            }
        }));
        table
    }

    /// Values under each policy, with the difference to the baseline below.
    fn filled(&self, title: &str, rows: Vec<BreakdownRow>) -> Table {
        let mut table = self.table(title);
        let columns = self.columns();
        let base = columns.iter().position(|&row| row == self.many.baseline).unwrap_or(0);
        for (name, unit, values) in rows {
            let mut cells = vec![Cell::plain(name)];
            cells.extend(values.iter().enumerate().map(|(at, &value)| {
                let by = value - values[base];
                let below = match at == base || (unit == "USD" && by.abs() < HALF_A_CENT) {
                    true => String::new(),
                    false => difference(unit, by),
                };
                Cell::plain(figure(unit, Some(value))).below(below)
            }));
            table.rows.push(cells);
        }
        table
    }

    /// The leading cost by provider: own clusters and clouds, and data that is moved.
    pub(super) fn cost_table(&self, all: &[(String, Breakdown)]) -> Table {
        let shown: Vec<&Breakdown> = self.columns().into_iter().map(|row| &all[row].1).collect();
        let mut providers: Vec<&str> = Vec::new();
        for part in shown.iter().flat_map(|one| &one.cost) {
            if !providers.contains(&part.provider.as_str()) {
                providers.push(&part.provider);
            }
        }
        let values = |of: &dyn Fn(&Breakdown) -> f64| shown.iter().map(|one| of(one)).collect();
        let mut rows: Vec<BreakdownRow> = providers
            .iter()
            .map(|&name| (unquoted(name), "USD", values(&|one| one.machines(name))))
            .collect();
        rows.push(("moving data".to_owned(), "USD", values(&Breakdown::transfers)));
        rows.retain(|(.., values)| values.iter().any(|&value| value != 0.0));
        let sum = |one: &Breakdown| one.cost.iter().map(|part| part.usd).sum();
        rows.push(("in all".to_owned(), "USD", values(&sum)));
        let label = self.leading_of_all().label;
        self.filled(&format!("{}{} by provider", label[..1].to_uppercase(), &label[1..]), rows)
    }

    /// Waits, hours and data, with their charts left to the caller.
    pub(super) fn breakdown_tables(&self, all: &[(String, Breakdown)]) -> [Section; 3] {
        let shown: Vec<&Breakdown> = self.columns().into_iter().map(|row| &all[row].1).collect();
        let mut waits = Section::new("Waits by class and tenant", SectionPlace::Page);
        let by: [(&str, WaitGroups); 2] =
            [("class", |one| &one.waits_by_class), ("tenant", |one| &one.waits_by_tenant)];
        for (by, of) in by {
            let groups = of(&all[self.many.baseline].1);
            if groups.len() > 1 {
                waits.tables.push(self.waits_table(by, groups, &shown, of));
                waits = left_out(waits, groups.len(), by);
            }
        }
        let hours = Section::new("Own and rented hours", SectionPlace::Page);
        let data = Section::new("Data moved", SectionPlace::Page);
        let [hours, data] =
            [hours.tables([self.hours_table(&shown)]), data.tables([self.moved_table(&shown)])];
        [waits, hours, data]
    }

    fn waits_table(
        &self,
        by: &str,
        groups: &[GroupWait],
        shown: &[&Breakdown],
        of: WaitGroups,
    ) -> Table {
        let mut table = self.table(&format!("Wait by {by}, p95 (p50 and mean below)"));
        for group in groups.iter().take(MOST_SHOWN) {
            let work = format!("{} started", decimals(group.count as f64, 0));
            let mut cells = vec![Cell::plain(named(group)).below(work)];
            cells.extend(shown.iter().map(|one| {
                let found = of(one).iter().find(|other| other.name == group.name);
                let wait = |value: f64| figure("s", Some(value));
                found.map_or_else(
                    || Cell::plain(figure("s", None)),
                    |one| {
                        let below = format!("{}, {}", wait(one.p50), wait(one.mean));
                        Cell::plain(wait(one.p95)).below(below)
                    },
                )
            }));
            table.rows.push(cells);
        }
        table
    }

    fn hours_table(&self, shown: &[&Breakdown]) -> Table {
        type Of = fn(&ProviderHours) -> f64;
        let parts: [(&str, Of); 4] = [
            ("core-hours used", |one| one.core_hours_used),
            ("core-hours idle", |one| one.core_hours_idle),
            ("GPU-hours used", |one| one.gpu_hours_used),
            ("GPU-hours idle", |one| one.gpu_hours_idle),
        ];
        let mut rows: Vec<BreakdownRow> = Vec::new();
        for (name, of) in parts {
            for at in 0..2 {
                let sums = shown.iter().map(|one| one.own_and_rented());
                let values: Vec<f64> = sums.map(|sums| of(&sums[at])).collect();
                let whose = ["own", "rented"][at];
                let whole = values.iter().map(|value| libm::round(value * 10.0) / 10.0).collect();
                if values.iter().any(|&value| value != 0.0) {
                    rows.push((format!("{whose} {name}"), "count", whole));
                }
            }
        }
        self.filled("Hours of own and rented machines", rows)
    }

    fn moved_table(&self, shown: &[&Breakdown]) -> Table {
        let mut paths: Vec<(&str, &str, f64)> = Vec::new();
        for one in shown.iter().flat_map(|one| &one.moved) {
            match paths.iter_mut().find(|path| (path.0, path.1) == (&one.from, &one.to)) {
                Some(path) => path.2 += one.usd,
                None => paths.push((&one.from, &one.to, one.usd)),
            }
        }
        paths.sort_by(|a, b| b.2.total_cmp(&a.2).then_with(|| (a.0, a.1).cmp(&(b.0, b.1))));
        let mut table = self.table("Data moved: cost (and how much below)");
        for (from, to, _) in paths.into_iter().take(MOST_SHOWN) {
            let mut cells = vec![Cell::plain(format!("{} to {}", unquoted(from), unquoted(to)))];
            cells.extend(shown.iter().map(|one| {
                let found =
                    one.moved.iter().find(|one| (one.from.as_str(), one.to.as_str()) == (from, to));
                found.map_or_else(
                    || Cell::plain(figure("USD", None)),
                    |one| {
                        let below = format!("{} GiB", decimals(one.gib, 1));
                        Cell::plain(figure("USD", Some(one.usd))).below(below)
                    },
                )
            }));
            table.rows.push(cells);
        }
        table
    }

    /// Writes `breakdown.csv`: one row per policy and part, means of the replications.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn write_breakdown<W: io::Write>(&self, out: W, cells: TextCells) -> io::Result<W> {
        let mut sheet = Sheet::new(out, cells, COLUMNS);
        let leading = self.leading_of_all().key;
        for (policy, one) in self.breakdowns() {
            let mut row =
                |what: &'static str, of: &str, part: &str, unit: &'static str, mean: f64| {
                    sheet.text(&policy);
                    sheet.word(what);
                    sheet.text(of);
                    sheet.text(part);
                    sheet.word(unit);
                    sheet.number(Some(mean));
                    sheet.end_row();
                };
            for part in &one.cost {
                row(leading, &part.provider, &part.kind, "USD", part.usd);
            }
            for (what, all) in
                [("wait_by_class", &one.waits_by_class), ("wait_by_tenant", &one.waits_by_tenant)]
            {
                for group in all {
                    row(what, &group.name, "count", "count", group.count as f64);
                    for (part, value) in [
                        ("mean", group.mean),
                        ("p50", group.p50),
                        ("p95", group.p95),
                        ("max", group.max),
                    ] {
                        row(what, &group.name, part, "s", value);
                    }
                }
            }
            for hours in &one.hours_by_provider {
                for (part, value) in [
                    ("core_hours_used", hours.core_hours_used),
                    ("core_hours_idle", hours.core_hours_idle),
                    ("gpu_hours_used", hours.gpu_hours_used),
                    ("gpu_hours_idle", hours.gpu_hours_idle),
                ] {
                    row("hours", &hours.provider, part, "h", value);
                }
            }
            for path in &one.moved {
                row("moved", &path.from, &path.to, "GiB", path.gib);
                row("moved", &path.from, &path.to, "USD", path.usd);
            }
        }
        sheet.finish()
    }
}
