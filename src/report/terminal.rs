//! Reports for a terminal, in the words of the pages.

use std::fmt::Write as _;

use comfy_table::{
    Attribute, CellAlignment, Color, ColumnConstraint, ContentArrangement, LineStyle, Table,
    TableStyle, Width,
};

use super::backtest::BacktestReport;
use super::comparison::Comparison;
use super::figure::clean;
use super::plan::PlanReport;
use super::run::RunReport;
use super::section::{self, Cell, Section, Tone};
use super::sweep::{self, SweepReport};

/// Policies whose verdicts the terminal shows in full; of more, only those of the chosen one.
const MOST_VERDICTS: usize = 3;
/// Rows up to which the terminal shows a table of details.
const MOST_ROWS: usize = 24;

/// How a report is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// Columns to fill at most.
    pub width: u16,
    /// Whether colours are welcome.
    pub colour: bool,
}

impl Terminal {
    /// What a file or a pipe gets: 100 columns, no colours.
    pub const PLAIN: Self = Self { width: 100, colour: false };
}

/// A run on the terminal.
pub fn run_text(report: &RunReport, terminal: Terminal) -> String {
    let (recipe, summary) = (&report.recipe, &report.summary);
    let mut text = String::new();
    if let Some(question) = &recipe.question {
        line(&mut text, &clean(question));
    }
    let what = format!(
        "{}, policy {}, seed {}, {} to {}",
        clean(&recipe.scenario),
        clean(&recipe.policy),
        recipe.seed,
        summary.started,
        summary.ended
    );
    line(&mut text, &what);
    if !summary.drained {
        line(&mut text, "The run ended before the work did.");
    }
    text.push('\n');
    for tile in section::tiles(report) {
        let value = paint(&tile.value, tile.tone, terminal);
        let pad = " ".repeat(18_usize.saturating_sub(tile.value.chars().count()));
        line(&mut text, format!("  {:<18}{value}{pad}{}", tile.label, tile.detail).trim_end());
    }
    let sections = section::objectives(report)
        .into_iter()
        .chain([section::times(summary)])
        .chain(section::costs(&summary.cost))
        .chain([section::work(summary), section::resources(summary)]);
    for section in sections.filter(|section| !section.rows.is_empty()) {
        add(&mut text, &section, terminal);
    }
    if !report.assumptions.is_empty() {
        line(&mut text, "\nAssumptions");
        for assumption in &report.assumptions {
            line(&mut text, &format!("  - {}", clean(assumption)));
        }
    }
    add_left_out(&mut text, report);
    text
}

/// A comparison on the terminal.
pub fn comparison_text(comparison: &Comparison<'_>, terminal: Terminal) -> String {
    let mut text = String::new();
    if let Some(question) = comparison.question {
        line(&mut text, &clean(question));
    }
    if let Some(between) = comparison.between {
        line(&mut text, &format!("\n{}", wrapped(&between.told(), terminal.width)));
    }
    let answer = comparison.answer();
    if !answer.is_empty() {
        line(&mut text, &format!("\n{}", wrapped(&answer, terminal.width)));
    }
    add(&mut text, &section::comparison(comparison), terminal);
    if comparison.is_judged() {
        let others: Vec<usize> = (0..comparison.many.policies.len())
            .filter(|&row| row != comparison.baseline())
            .collect();
        let chosen = comparison.decision.map(|decision| decision.choice);
        let shown = |row: &&usize| others.len() <= MOST_VERDICTS || Some(**row) == chosen;
        for &row in others.iter().filter(shown) {
            add(&mut text, &section::verdicts(comparison, row), terminal);
        }
    }
    let details =
        [section::between(comparison), section::waterfalls(comparison), section::fates(comparison)];
    for section in details {
        if !section.rows.is_empty() && section.rows.len() <= MOST_ROWS {
            add(&mut text, &section, terminal);
        }
    }
    if let Some(saved) = comparison.saved_by_pairing() {
        line(&mut text, &format!("\n{}", wrapped(&saved, terminal.width)));
    }
    if let Some(caution) = comparison.caution() {
        line(&mut text, &format!("\n{}", wrapped(&caution, terminal.width)));
    }
    text
}

/// A plan on the terminal.
pub fn plan_text(report: &PlanReport<'_>, terminal: Terminal) -> String {
    let mut text = String::new();
    if let Some(question) = &report.recipe.question {
        line(&mut text, &clean(question));
    }
    line(&mut text, &format!("\n{}", wrapped(&report.answer(), terminal.width)));
    add(&mut text, &report.judged_table(), terminal);
    for caution in report.cautions() {
        line(&mut text, &format!("\n{}", wrapped(&caution, terminal.width)));
    }
    text
}

/// A backtest on the terminal.
pub fn backtest_text(report: &BacktestReport<'_>, terminal: Terminal) -> String {
    let mut text = String::new();
    if let Some(question) = &report.run.recipe.question {
        line(&mut text, &clean(question));
    }
    line(&mut text, &format!("\n{}", wrapped(&report.answer(), terminal.width)));
    add(&mut text, &section::readings(report.backtest), terminal);
    for section in section::backtest(report.backtest) {
        add(&mut text, &section, terminal);
    }
    add_left_out(&mut text, report.run);
    text
}

/// Rows of the workload that are not in the results.
fn add_left_out(text: &mut String, report: &RunReport) {
    if report.skipped_rows > 0 {
        line(text, &format!("\nMalformed rows left out: {}", report.skipped_rows));
    }
    for (note, rows) in report.row_notes.rows() {
        line(text, &format!("\nRows {}: {rows}", note.told()));
    }
}

/// Words in lines of at most `width` columns.
fn wrapped(words: &str, width: u16) -> String {
    let mut lines = String::new();
    let mut column = 0;
    for word in words.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > usize::from(width) {
            lines.push('\n');
            column = 0;
        } else if column > 0 {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(word);
        column += length;
    }
    lines
}

/// A sweep on the terminal.
pub fn sweep_text(report: &SweepReport<'_>, terminal: Terminal) -> String {
    let mut text = String::new();
    if let Some(question) = report.question {
        line(&mut text, &clean(question));
    }
    line(&mut text, &sweep::size(report));
    text.push('\n');
    for sentence in sweep::answer(report) {
        line(&mut text, &wrapped(&sentence, terminal.width));
    }
    add(&mut text, &sweep::best_points(report), terminal);
    let effects = sweep::effects(report, report.chosen());
    if !effects.rows.is_empty() {
        add(&mut text, &effects, terminal);
    }
    text.push('\n');
    for sentence in sweep::caution(report) {
        line(&mut text, &wrapped(&sentence, terminal.width));
    }
    text
}

pub(super) fn line(text: &mut String, words: &str) {
    text.push_str(words);
    text.push('\n');
}

fn paint(words: &str, tone: Tone, terminal: Terminal) -> String {
    let code = match tone {
        Tone::Good if terminal.colour => 32,
        Tone::Bad if terminal.colour => 31,
        _ => return words.to_owned(),
    };
    format!("\u{1b}[{code}m{words}\u{1b}[0m")
}

pub(super) fn add(text: &mut String, section: &Section, terminal: Terminal) {
    writeln!(text, "\n{}", section.title).expect("a string takes everything");
    for (at, columns) in split(section, terminal.width).into_iter().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        writeln!(text, "{}", table(section, &columns, terminal))
            .expect("a string takes everything");
    }
}

/// Space left and right of the words of a column.
const PADDING: usize = 2;
/// Between two columns.
const RULE: usize = 1;

/// The columns of a section in as many tables as it takes to break no word:
/// each begins with the columns that name the rows.
fn split(section: &Section, width: u16) -> Vec<Vec<usize>> {
    let columns = section.rows.iter().map(Vec::len).max().unwrap_or(0).max(section.head.len());
    let needed = |column: usize| longest_word(section, column) + PADDING + RULE;
    let room = usize::from(width) + RULE;
    let mut names: Vec<usize> = (0..section.words.clamp(1, columns.max(1))).collect();
    if names.iter().map(|&column| needed(column)).sum::<usize>() > room / 2 {
        names.truncate(1);
    }
    let mut tables = vec![names.clone()];
    for column in names.len()..columns {
        let table = tables.last_mut().expect("there is one");
        let filled: usize = table.iter().map(|&column| needed(column)).sum();
        if filled + needed(column) > room && table.len() > names.len() {
            tables.push(names.clone());
        }
        tables.last_mut().expect("there is one").push(column);
    }
    tables
}

/// Longest number that is not parted from its unit: `1 h 16 min`.
const WHOLE: usize = 16;

/// The longest word of a column: narrower it cannot be without a break in one.
fn longest_word(section: &Section, column: usize) -> usize {
    let length = |words: &str| words.chars().count();
    let word = |words: &str| words.split_whitespace().map(length).max().unwrap_or(0);
    let cell = |cell: &Cell| match length(&cell.text) {
        whole if column >= section.words && whole <= WHOLE => whole.max(word(&cell.below)),
        _ => word(&cell.text).max(word(&cell.below)),
    };
    let head = section.head.get(column).map_or(0, |name| word(name));
    section.rows.iter().filter_map(|row| row.get(column)).map(cell).fold(head, usize::max)
}

fn table(section: &Section, columns: &[usize], terminal: Terminal) -> Table {
    let mut table = Table::new();
    table
        .load_style(rules())
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(terminal.width);
    if terminal.colour {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    if section.head.iter().any(|name| !name.is_empty()) {
        table.set_header(columns.iter().filter_map(|&at| section.head.get(at)).map(|name| {
            let cell = comfy_table::Cell::new(name);
            if terminal.colour { cell.add_attribute(Attribute::Bold) } else { cell }
        }));
    }
    for row in &section.rows {
        table.add_row(columns.iter().filter_map(|&at| row.get(at)).map(shown));
    }
    for (column, &at) in table.column_iter_mut().zip(columns) {
        let least = (longest_word(section, at) + PADDING).min(usize::from(terminal.width));
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least as u16)));
        if at >= section.words {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// A rule below the head and at the end, none between rows.
fn rules() -> TableStyle {
    let rule = || LineStyle::none().fill('─').junction('─');
    TableStyle::new().top_border(rule()).header_separator(rule()).bottom_border(rule())
}

fn shown(cell: &Cell) -> comfy_table::Cell {
    let words = if cell.below.is_empty() {
        cell.text.clone()
    } else {
        format!("{}\n{}", cell.text, cell.below)
    };
    let shown = comfy_table::Cell::new(words);
    match cell.tone {
        Tone::Plain => shown,
        Tone::Good => shown.fg(Color::Green),
        Tone::Bad => shown.fg(Color::Red),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(policies: usize) -> Section {
        let mut section = Section::new("Policies", &[""]);
        section.head.extend((0..policies).map(|at| format!("policy-number-{at}")));
        let mut row = |name: &str, value: &str| {
            section.row(std::iter::once(name).chain(std::iter::repeat_n(value, policies)));
        };
        row("CPU utilisation", "60.6 %");
        row("turnaround, mean", "1 h 16 min");
        section
    }

    #[test]
    fn wide_tables_come_in_parts_that_break_no_word() {
        let mut text = String::new();
        add(&mut text, &section(9), Terminal { width: 80, colour: false });
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        for at in 0..9 {
            assert_eq!(text.matches(&format!("policy-number-{at}")).count(), 1, "{text}");
        }
        assert_eq!(text.matches("CPU").count(), 3, "{text}");
        assert_eq!(text.matches("utilisation").count(), 3, "{text}");
        assert_eq!(text.matches("1 h 16 min").count(), 9, "{text}");
    }

    #[test]
    fn narrow_tables_stay_whole() {
        assert_eq!(split(&section(3), 80), [[0, 1, 2, 3]]);
        // No room for anything: a column each.
        assert_eq!(split(&section(2), 10), [[0, 1], [0, 2]]);
    }
}
