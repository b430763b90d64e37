//! A document as a page: one HTML file, which loads nothing and runs no script.

use std::io;

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, Value, context};

use super::super::figure::clean;
use super::{Cell, Document, Section, SectionPlace, Table, pieces};
use crate::report::chart::Chart;
use crate::text;

impl Document {
    /// Writes the page.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn write_page(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let sections: Vec<Value> = self.sections.iter().map(section).collect::<io::Result<_>>()?;
        let cards = self.cards.iter().map(|card| {
            context! {
                label => html(&card.label), value => html(&card.value),
                detail => html(&card.detail), tone => card.tone.name(),
            }
        });
        let page = context! {
            name => clean(&self.title),
            title => html(&self.title),
            about => html(&self.about),
            headline => html(&self.answer.headline),
            bullets => all(&self.answer.bullets),
            cautions => all(&self.cautions),
            cards => cards.collect::<Vec<_>>(),
            sections,
            assumptions => all(&self.assumptions),
            recipe => self.recipe.iter().map(|(name, value)| [html(name), html(value)]).collect::<Vec<_>>(),
            files => self.files.iter().map(|(name, what)| context! { link => link(name), name => clean(name), what => *what }).collect::<Vec<_>>(),
        };
        let text = rendered(page).map_err(io::Error::other)?;
        out.write_all(text.as_bytes())
    }
}

fn rendered(page: Value) -> Result<String, Error> {
    let mut pages = Environment::new();
    pages.set_auto_escape_callback(|_| AutoEscape::Html);
    pages.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    pages.add_filter("length", |items: Vec<Value>| items.len());
    pages.add_template("style.css", include_str!("page/style.css"))?;
    pages.add_template("page.html", include_str!("page/page.html"))?;
    pages.get_template("page.html")?.render(page)
}

/// Words as HTML, those in backticks as code.
fn html(words: &str) -> Value {
    let mut safe = String::new();
    for (at, piece) in pieces(&clean(words)).into_iter().enumerate() {
        let escaped = text::html(piece);
        match at % 2 {
            0 => safe.push_str(&escaped),
            _ => safe.push_str(&format!("<code>{escaped}</code>")),
        }
    }
    Value::from_safe_string(safe)
}

fn all(sentences: &[String]) -> Vec<Value> {
    sentences.iter().map(|words| html(words)).collect()
}

/// A file's path as a relative address: no name becomes a scheme or leaves the folder.
fn link(path: &str) -> String {
    let mut safe = String::from("./");
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'/' => {
                safe.push(byte.into());
            }
            other => safe.push_str(&format!("%{other:02X}")),
        }
    }
    safe
}

fn section(section: &Section) -> io::Result<Value> {
    let tables = section.tables.iter().map(|table| {
        let title = (table.title != section.title).then(|| html(&table.title));
        context! { title, ..table_of(table) }
    });
    let charts = section.charts.iter().map(chart).collect::<io::Result<Vec<_>>>()?;
    let indented = |note: &String| note.starts_with("  ");
    Ok(context! {
        title => html(&section.title),
        folded => section.place == SectionPlace::Folded,
        steps => section.notes.iter().any(indented),
        notes => all(&section.notes),
        tables => tables.collect::<Vec<_>>(),
        charts,
    })
}

fn table_of(table: &Table) -> Value {
    let cell = |(at, cell): (usize, &Cell)| {
        let name = table.head.get(at).map_or(String::new(), |name| clean(name));
        context! { text => html(&cell.text), below => html(&cell.below), tone => cell.tone.name(), name, word => table.is_words(at) }
    };
    let rows = table.rows.iter().map(|row| row.iter().enumerate().map(cell).collect::<Vec<_>>());
    let head = table.head.iter().enumerate();
    let head = head.map(|(at, name)| context! { text => html(name), word => table.is_words(at) });
    let heads = table.head.iter().any(|name| !name.is_empty());
    context! {
        head => if heads { head.collect::<Vec<_>>() } else { Vec::new() },
        rows => rows.collect::<Vec<_>>(),
        wide => table.head.len() > 3,
    }
}

fn chart(chart: &Chart) -> io::Result<Value> {
    let nothing = chart.nothing();
    let (svg, narrow) = match nothing {
        Some(_) => Default::default(),
        None => (chart.svg()?, chart.narrow_svg()?),
    };
    let narrow = Value::from_safe_string(narrow);
    let (caption, title) = (html(&chart.caption), clean(&chart.title));
    Ok(context! { svg => Value::from_safe_string(svg), narrow, caption, title, nothing })
}

#[cfg(test)]
mod tests {
    use super::super::super::chart::shared_colours;
    use super::*;

    #[test]
    fn what_all_charts_are_drawn_in_has_a_colour_on_dark_paper() {
        let style = include_str!("page/style.css");
        for (red, green, blue) in shared_colours() {
            let colour = format!("[stroke=\"#{red:02X}{green:02X}{blue:02X}\"]");
            assert!(style.contains(&colour), "{colour}");
        }
    }

    #[test]
    fn links_stay_in_the_folder() {
        assert_eq!(link("jobs.csv"), "./jobs.csv");
        assert_eq!(link("javascript:x\"?"), "./javascript%3Ax%22%3F");
    }

    #[test]
    fn a_head_is_set_as_the_cells_below_it() {
        let mut table = Table::new("t", &["policy", "gate", "now"]);
        table.words = 2;
        table.row(["easy", "wait", "1"]);
        let mut document = Document::titled(None, "d");
        document.add(Section::of(table, SectionPlace::Front));
        let mut page = Vec::new();
        document.write_page(&mut page).expect("memory takes everything");
        let page = String::from_utf8(page).expect("a page is text");
        let heads = "class=\"word\">policy</th><th scope=\"col\" class=\"word\">gate</th><th scope=\"col\">now</th>";
        assert!(page.contains(heads), "{page}");
        assert!(page.contains("th.word { text-align: left; }"), "{page}");
    }

    /// Names of the addresses in the contents, or of the parts, in the order of the page.
    fn named<'p>(page: &'p str, before: &str) -> Vec<&'p str> {
        let rest = page.split(before).skip(1);
        rest.map(|rest| rest.split('"').next().expect("a name ends")).collect()
    }

    #[test]
    fn the_contents_are_in_the_order_of_the_page() {
        for sections in 0..3 {
            let mut document = Document::titled(None, "d");
            for title in ["one", "two"].into_iter().take(sections) {
                let mut table = Table::new(title, &["policy", "now"]);
                table.row(["easy", "1"]);
                document.add(Section::of(table, SectionPlace::Front));
            }
            document.assumptions = vec![String::from("All is well.")];
            let mut page = Vec::new();
            document.write_page(&mut page).expect("memory takes everything");
            let page = String::from_utf8(page).expect("a page is text");
            let links = named(&page, "href=\"#");
            assert_eq!(links, named(&page, " id=\""));
            assert_eq!(links.len(), sections + 2, "{links:?}");
        }
    }

    #[test]
    fn words_become_safe_html() {
        assert_eq!(html("a <b> `c & d`").to_string(), "a &lt;b&gt; <code>c &amp; d</code>");
        assert_eq!(html("one ` alone").to_string(), "one ` alone");
    }
}
