//! A document on a terminal.

use std::fmt::Write as _;

use comfy_table::{
    Attribute, CellAlignment, Color, ColumnConstraint, ContentArrangement, LineStyle, TableStyle,
    Width,
};

use super::super::figure::clean;
use super::{Card, Cell, Document, Table, Tone, pieces};

/// Width and colours with which a document is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// Columns to fill at most.
    pub width: u16,
    /// Whether colours are written.
    pub colour: bool,
}

impl Terminal {
    /// Settings for a file or a pipe: 100 columns, no colours.
    pub const PLAIN: Self = Self { width: 100, colour: false };
}

/// Columns of a card's label and of its value at least.
const CARD: (usize, usize) = (22, 22);

impl Document {
    /// The document in lines of at most `terminal.width` columns.
    pub fn text(&self, terminal: Terminal) -> String {
        let mut text = format!("{}\n", words(&self.title));
        let mut say = |indent: &str, sentence: &str| {
            text.push_str(&wrapped(sentence, terminal.width, indent));
        };
        if !self.about.is_empty() {
            say("", &self.about);
        }
        if !self.answer.headline.is_empty() {
            say("", "");
            let headline = wrapped(&self.answer.headline, terminal.width, "");
            text.push_str(&strong(headline.trim_end(), terminal));
            text.push('\n');
        }
        let mut say = |indent: &str, sentence: &str| {
            text.push_str(&wrapped(sentence, terminal.width, indent));
        };
        for bullet in &self.answer.bullets {
            say("  - ", bullet);
        }
        for caution in &self.cautions {
            say("  ! ", caution);
        }
        if !self.cards.is_empty() {
            text.push('\n');
        }
        let widest = |of: fn(&Card) -> &str, least: usize| {
            self.cards
                .iter()
                .map(|card| words(of(card)).chars().count() + 1)
                .fold(least, usize::max)
        };
        let (labels, values) =
            (widest(|card| &card.label, CARD.0), widest(|card| &card.value, CARD.1));
        for card in &self.cards {
            let (label, value) = (words(&card.label), words(&card.value));
            let gap = |width: usize, of: &str| " ".repeat(width - of.chars().count());
            let painted = paint(&value, card.tone, terminal);
            let line = format!(
                "  {label}{}{painted}{}{}",
                gap(labels, &label),
                gap(values, &value),
                words(&card.detail)
            );
            text.push_str(line.trim_end());
            text.push('\n');
        }
        for section in self.front() {
            if section.tables.is_empty() && !section.notes.is_empty() {
                text.push_str(&format!("\n{}\n", words(&section.title)));
            }
            for table in &section.tables {
                add(&mut text, table, terminal);
            }
            for note in &section.notes {
                text.push_str(&wrapped(note, terminal.width, "  "));
            }
        }
        if !self.assumptions.is_empty() {
            text.push_str(&format!("\nAssumed ({})\n", self.assumptions.len()));
            for assumption in &self.assumptions {
                text.push_str(&wrapped(assumption, terminal.width, "  - "));
            }
        }
        text
    }
}

/// Words fit for a terminal: no control characters, no backticks around commands.
fn words(of: &str) -> String {
    clean(&pieces(of).concat())
}

/// Words in lines of at most `width` columns. The first line begins with `indent`, the others
/// with as much space. Keeps leading space.
fn wrapped(of: &str, width: u16, indent: &str) -> String {
    let of = words(of);
    let own = of.len() - of.trim_start().len();
    let blank = " ".repeat(indent.chars().count() + own);
    let mut lines = format!("{indent}{}", " ".repeat(own));
    let mut column = blank.len();
    for word in of.split_whitespace() {
        let length = word.chars().count();
        if column > blank.len() && column + 1 + length > usize::from(width) {
            lines.push('\n');
            lines.push_str(&blank);
            column = blank.len();
        } else if column > blank.len() {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(word);
        column += length;
    }
    lines.truncate(lines.trim_end().len());
    lines.push('\n');
    lines
}

fn paint(words: &str, tone: Tone, terminal: Terminal) -> String {
    let code = match tone {
        Tone::Good if terminal.colour => 32,
        Tone::Fair if terminal.colour => 33,
        Tone::Bad if terminal.colour => 31,
        Tone::Good | Tone::Fair | Tone::Bad | Tone::Plain => return words.to_owned(),
    };
    format!("\u{1b}[{code}m{words}\u{1b}[0m")
}

fn strong(words: &str, terminal: Terminal) -> String {
    if terminal.colour { format!("\u{1b}[1m{words}\u{1b}[0m") } else { words.to_owned() }
}

fn add(text: &mut String, table: &Table, terminal: Terminal) {
    writeln!(text, "\n{}", words(&table.title)).expect("a string takes everything");
    for (at, columns) in split(table, terminal.width).into_iter().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        writeln!(text, "{}", drawn(table, &columns, terminal)).expect("a string takes everything");
    }
}

/// Space left and right of the words of a column.
const PADDING: usize = 2;
/// Columns of the rule between two columns.
const RULE: usize = 1;

/// The columns of a table in as many tables as it takes to break no word:
/// each begins with the columns that name the rows.
fn split(section: &Table, width: u16) -> Vec<Vec<usize>> {
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

/// Longest number that is not parted from its unit: `± 1 h 16 min`.
const WHOLE: usize = 18;

/// The longest word of a column: narrower it cannot be without a break in one.
fn longest_word(section: &Table, column: usize) -> usize {
    let length = |words: &str| words.chars().count();
    let word = |words: &str| words.split_whitespace().map(length).max().unwrap_or(0);
    let part = |words: &str| match length(words) {
        whole if !section.is_words(column) && whole <= WHOLE => whole,
        _ => word(words),
    };
    let cell = |cell: &Cell| part(&words(&cell.text)).max(part(&words(&cell.below)));
    let head = section.head.get(column).map_or(0, |name| word(&words(name)));
    section.rows.iter().filter_map(|row| row.get(column)).map(cell).fold(head, usize::max)
}

fn drawn(section: &Table, columns: &[usize], terminal: Terminal) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
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
            let cell = comfy_table::Cell::new(words(name));
            if terminal.colour { cell.add_attribute(Attribute::Bold) } else { cell }
        }));
    }
    for row in &section.rows {
        table.add_row(columns.iter().filter_map(|&at| row.get(at)).map(shown));
    }
    for (column, &at) in table.column_iter_mut().zip(columns) {
        let least = (longest_word(section, at) + PADDING).min(usize::from(terminal.width));
        column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(least as u16)));
        if !section.is_words(at) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// Style with a rule below the head and at the end, and none between rows.
fn rules() -> TableStyle {
    let rule = || LineStyle::none().fill('─').junction('─');
    TableStyle::new().top_border(rule()).header_separator(rule()).bottom_border(rule())
}

fn shown(cell: &Cell) -> comfy_table::Cell {
    let text = match cell.below.is_empty() {
        true => words(&cell.text),
        false => format!("{}\n{}", words(&cell.text), words(&cell.below)),
    };
    let shown = comfy_table::Cell::new(text);
    match cell.tone {
        Tone::Plain => shown,
        Tone::Good => shown.fg(Color::Green),
        Tone::Fair => shown.fg(Color::Yellow),
        Tone::Bad => shown.fg(Color::Red),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(policies: usize) -> Table {
        let mut section = Table::new("Policies", &[""]);
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
        add(&mut text, &table(9), Terminal { width: 80, colour: false });
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
        assert_eq!(split(&table(3), 80), [[0, 1, 2, 3]]);
        // No room for anything: a column each.
        assert_eq!(split(&table(2), 10), [[0, 1], [0, 2]]);
    }

    #[test]
    fn long_sentences_hang_below_their_mark() {
        assert_eq!(wrapped("one `two` three", 12, "  - "), "  - one two\n    three\n");
        assert_eq!(wrapped("  in a step", 100, ""), "  in a step\n");
    }
}
