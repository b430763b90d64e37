//! Sentences: templates that say findings in words.
//!
//! In a template a line that begins with `# ` opens the headline, `- ` a bullet and `! ` a caution;
//! the lines below go on with it. Parts that come out empty are left out. Values are names from
//! outside: they lose control characters, so none can open a line, and backticks, which mark words
//! of ours.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use minijinja::value::Serde;
use minijinja::{Environment, Error, Value};
use serde::Serialize;

use super::document::{Answer, MOST_BULLETS, unquoted};
use super::figure::{
    amount, change, count, difference, figure, figure_against, half_width, rounded,
};

/// Answer and cautions that a template gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Statements {
    pub(super) answer: Answer,
    pub(super) cautions: Vec<String>,
}

/// Starts an item in a rendered text; no value holds it.
const MARK: char = '\u{1}';

/// Puts `found` into the words of `template`.
///
/// A template that asks for what `found` does not have is a bug of ours: tests fail
/// on it; a user, who may have waited for hours, gets the tables and is told.
pub(super) fn render(template: &str, found: &impl Serialize) -> Statements {
    let text = text(template, found);
    let mut said = Statements::default();
    for item in text.split(MARK).skip(1) {
        let words = item[1..].split_whitespace().collect::<Vec<_>>().join(" ");
        match item.as_bytes()[0] {
            _ if words.is_empty() => {}
            b'#' => said.answer.headline = words,
            b'-' => said.answer.bullets.push(words),
            _ => said.cautions.push(words),
        }
    }
    debug_assert!(said.answer.bullets.len() <= MOST_BULLETS, "{:?}", said.answer);
    said
}

/// Puts `found` into the words of `template`, as a title and lines below it: those that open
/// with `-` are indented by two spaces, those with `--` by four.
pub(super) fn lines(template: &str, found: &impl Serialize) -> Vec<String> {
    let text = text(template, found);
    let line = |item: &str| {
        let words = item.trim_start_matches(['#', '-']);
        let depth = item.bytes().take_while(|&byte| byte == b'-').count();
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        (!words.is_empty()).then(|| format!("{}{words}", "  ".repeat(depth)))
    };
    text.split(MARK).skip(1).filter_map(line).collect()
}

fn text(template: &str, found: &impl Serialize) -> String {
    rendered(template, Value::from(Serde(found))).unwrap_or_else(|error| {
        debug_assert!(false, "a template cannot be rendered: {error:#}");
        format!("{MARK}# The answer could not be put into words ({error:#}): see the tables.")
    })
}

fn rendered(template: &str, found: Value) -> Result<String, Error> {
    let marked: String = template
        .lines()
        .map(|line| match line.starts_with(['#', '-', '!']) {
            true => format!("{MARK}{line}\n"),
            false => format!("{line}\n"),
        })
        .collect();
    let mut words = Environment::new();
    words.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    words.set_formatter(|out, _, value| match value.as_str() {
        Some(text) => Ok(out.write_str(&unquoted(text))?),
        None if value.is_none() => Ok(()),
        None => Ok(write!(out, "{value}")?),
    });
    words.add_filter("figure", |value: f64, unit: &str| figure(unit, Some(value)));
    words.add_filter("figure_against", |value: Option<f64>, unit: &str, bound: Option<f64>| {
        figure_against(unit, value, bound)
    });
    words.add_filter("figure_or_nothing", |value: Option<f64>, unit: &str| figure(unit, value));
    words.add_filter("size", |value: f64, unit: &str| figure(unit, Some(value.abs())));
    words.add_filter("difference", |value: f64, unit: &str| difference(unit, value));
    words.add_filter("half_width", |value: f64, unit: &str, beside: f64| {
        half_width(unit, value, beside)
    });
    words.add_filter("figure_of_difference", |value: f64, unit: &str| {
        difference(unit, value.abs()).trim_start_matches(['+', '±']).to_owned()
    });
    words.add_filter("p_value", |p: f64| match p < 0.000_1 {
        true => "p < 0.0001".to_owned(),
        // Short of certainty it is not shown as that.
        false if p > 0.999_9 && p < 1.0 => "p > 0.9999".to_owned(),
        false => format!("p = {p:.4}"),
    });
    words.add_filter("fixed", |value: f64, places: usize| format!("{value:.places$}"));
    words.add_filter("change", |value: f64, base: f64| change(value, base));
    words.add_filter("amount", amount);
    words.add_filter("dollars", dollars);
    words.add_filter("signed", signed);
    words.add_function("joiner", joiner);
    words.add_filter("length", |items: Vec<Value>| items.len());
    words.add_filter("join", |items: Vec<String>, between: &str| items.join(between));
    words.add_filter("those", those);
    words.add_filter("rounded", rounded);
    words.add_filter("count", |value: f64| count(value as u64));
    words.add_filter("percent", percent);
    words.add_filter("listed", listed);
    words.add_filter("several", |number: u64, one: &str, many: &str| several(number, one, many));
    let template = words.template_from_str(&marked)?;
    template.render(found)
}

/// `95 %`, `97.5 %`.
pub(super) fn percent(share: f64) -> String {
    format!("{} %", amount(libm::round(share * 1e6) / 1e4))
}

/// Dollars without their sign, whole from a hundred on: `$15,044`.
pub(super) fn dollars(value: f64) -> String {
    let value = value.abs();
    if value >= 100.0 {
        format!("${}", count(libm::round(value) as u64))
    } else {
        figure("USD", Some(value))
    }
}

/// Dollars with their sign.
fn signed(value: f64) -> String {
    let sign = if value < 0.0 { '−' } else { '+' };
    format!("{sign}{}", dollars(value))
}

/// A function that gives nothing when it is first called, and `between` from then on.
fn joiner(between: String) -> Value {
    let used = AtomicBool::new(false);
    Value::from_function(move || match used.swap(true, Ordering::Relaxed) {
        true => between.clone(),
        false => String::new(),
    })
}

/// The rows that have a key with a value.
fn those(rows: Vec<Value>, key: &str, wanted: Value) -> Result<Vec<Value>, Error> {
    let mut found = Vec::new();
    for row in rows {
        if row.get_attr(key)? == wanted {
            found.push(row);
        }
    }
    Ok(found)
}

/// `1 gate`, `2 gates`.
pub(super) fn several(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// `a, b and c`.
pub(super) fn listed(words: Vec<String>) -> String {
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

/// Writes `value` as JSON, with a newline at the end.
pub(super) fn write_json(value: &impl Serialize, out: &mut dyn io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value).map_err(io::Error::from)?;
    out.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn items_are_told_apart_and_names_stay_names() {
        let template = "# Take {{ name }}:\n  {{ saved | dollars }} less.\n- {% if none %}x{% endif %}\n- {{ name }}\n! `it` is so.\n";
        #[derive(Serialize)]
        struct Found {
            name: &'static str,
            saved: f64,
            none: bool,
        }
        let said = render(template, &Found { name: "a\n- b`c", saved: -1_234.5, none: false });
        assert_eq!(said.answer.headline, "Take a\u{fffd}- b'c: $1,235 less.");
        assert_eq!(said.answer.bullets, ["a\u{fffd}- b'c"]);
        assert_eq!(said.cautions, ["`it` is so."]);
    }

    /// A probability that is not certain is not shown as that, nor one that is not nothing as nothing.
    #[test]
    fn p_values_are_shown_short_of_certainty() {
        let shown =
            |p: f64| render("# {{ p | p_value }}", &BTreeMap::from([("p", p)])).answer.headline;
        for (p, want) in [
            (0.000_099, "p < 0.0001"),
            (0.05, "p = 0.0500"),
            (0.999_9, "p = 0.9999"),
            (0.999_97, "p > 0.9999"),
            (1.0, "p = 1.0000"),
        ] {
            assert_eq!(shown(p), want);
        }
    }
}
