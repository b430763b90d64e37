//! A document in Markdown, as GitHub and GitLab show it.

use std::fmt::Write as _;

use super::{Cell, Document, Section, SectionPlace, Table, Tone, pieces};
use crate::text;

impl Document {
    /// The document without its charts.
    pub fn markdown(&self) -> String {
        let mut text = format!("# {}\n", words(&self.title));
        let mut add = |words: String| {
            writeln!(text, "{words}").expect("a string takes everything");
        };
        if !self.about.is_empty() {
            add(format!("\n{}", words(&self.about)));
        }
        if !self.answer.headline.is_empty() {
            add(format!("\n**{}**\n", words(&self.answer.headline)));
        }
        for bullet in &self.answer.bullets {
            add(format!("- {}", words(bullet)));
        }
        for caution in &self.cautions {
            add(format!("\n> {}", words(caution)));
        }
        if !self.cards.is_empty() {
            add("\n| | | |\n|---|---:|---|".to_owned());
        }
        for card in &self.cards {
            let cells = [&card.label, &card.value, &card.detail].map(|cell| words(cell));
            add(format!("| {} |", cells.join(" | ")));
        }
        for section in &self.sections {
            add_section(&mut text, section);
        }
        if !self.assumptions.is_empty() {
            let count = self.assumptions.len();
            writeln!(text, "\n## Assumed ({count})\n").expect("a string takes everything");
            for assumption in &self.assumptions {
                writeln!(text, "- {}", words(assumption)).expect("a string takes everything");
            }
        }
        text
    }
}

fn add_section(text: &mut String, section: &Section) {
    let folded = section.place == SectionPlace::Folded;
    let mut add = |words: String| writeln!(text, "{words}").expect("a string takes everything");
    if section.tables.is_empty() && section.notes.is_empty() {
        return;
    }
    let title = words(&section.title);
    add(match folded {
        true => format!("\n<details><summary>{title}</summary>"),
        false => format!("\n## {title}"),
    });
    for note in &section.notes {
        let depth = (note.len() - note.trim_start().len()).saturating_sub(2);
        add(match folded {
            true => format!("{}- {}", " ".repeat(depth), words(note.trim())),
            false => format!("\n{}", words(note.trim())),
        });
    }
    for table in &section.tables {
        if table.title != section.title {
            add(format!("\n### {}", words(&table.title)));
        }
        add(String::new());
        add_table(&mut add, table);
    }
    if folded {
        add("\n</details>".to_owned());
    }
}

fn add_table(add: &mut impl FnMut(String), table: &Table) {
    let row = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let columns = table.rows.iter().map(Vec::len).max().unwrap_or(0).max(table.head.len());
    let head = |at: usize| table.head.get(at).map_or(String::new(), |name| words(name));
    add(row((0..columns).map(head).collect()));
    let rule = |at: usize| if table.is_words(at) { "---" } else { "---:" }.to_owned();
    add(row((0..columns).map(rule).collect()));
    for cells in &table.rows {
        let shown = |cell: &Cell| {
            let text = words(&cell.text);
            let text = if cell.tone == Tone::Bad { format!("**{text}**") } else { text };
            match cell.below.as_str() {
                "" => text,
                below => format!("{text}<br>{}", words(below)),
            }
        };
        add(row(cells.iter().map(shown).collect()));
    }
}

/// Words with their code kept as such.
fn words(of: &str) -> String {
    let of = text::plain(of);
    let piece = |(at, piece): (usize, &str)| match at % 2 {
        0 => text::markdown(piece),
        // A bar ends a cell even in code.
        _ => format!("`{}`", piece.replace('|', "\\|")),
    };
    pieces(&of).into_iter().enumerate().map(piece).collect()
}
