//! Variable that a plan may decide: a single value of the scenario, and the values that it may
//! have.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::super::sweep::{Axis, Level};
use crate::problem::{Problem, clip};
use crate::scenario::{ValueKind, kind_of};

/// Most values of one variable.
const MOST_LEVELS: u32 = 10_000;

/// Parts of a scenario that are the question, not the answer.
const GIVEN: [&str; 9] = [
    "question",
    "plan",
    "objectives",
    "seed",
    "replications",
    "start",
    "horizon",
    "limits",
    "steady_state",
];

/// A key of the scenario and the values that it may have.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// Dotted path of the key.
    pub key: String,
    /// Values as the scenario is given them; numbers rise.
    pub levels: Vec<String>,
    /// The numbers, in the unit of the first; none where any is a word.
    pub numbers: Option<Vec<f64>>,
    /// The values that would come before the first and after the last, as far off as the one
    /// next to each; none of words.
    pub beyond: Option<[String; 2]>,
}

impl Variable {
    /// Reads what a sweep takes: `4..40`, `10 min..2 h:12` (so many values), `8..64 step 8`,
    /// `log:1..100:3`, a range within a distribution, or `a, b, c`.
    ///
    /// # Errors
    /// Problems with the values, with a hint.
    pub fn read(key: &str, values: &str) -> Result<Self, Problem> {
        let place = clip(&format!("vary {key} = {values}"));
        let refused = |(message, hint): VariableProblem| Problem::with(&place, message).hint(hint);
        let first = key.split('.').next().unwrap_or("").trim();
        if GIVEN.contains(&first) {
            let message = format!("`{}` is given, not decided", clip(key));
            let hint = "vary what can be bought or set: nodes, quotas, fleets, parts of a policy";
            return Err(Problem::with(&place, message).hint(hint));
        }
        let items = pieces(values);
        let quoted = |text: &str| text.trim().starts_with('"');
        if let [only] = items[..]
            && quoted(only)
            && only.contains("..")
        {
            let message = "a range stands by itself, without a list around it";
            return Err(refused(wrong(message, format!("write `{}`", clip(only.trim())))));
        }
        let takes_lists = matches!(kind_of(key), Some(ValueKind::Texts | ValueKind::Choices(_)));
        if let Some(single) = items.iter().find(|item| takes_lists && !item.trim().starts_with('['))
        {
            let name = key.rsplit('.').next().unwrap_or(key);
            let message = format!("`{}` takes lists, and `{}` is none", clip(name), clip(single));
            let inner = |item: &&str| match quoted(item) {
                true => format!("[{}]", item.trim()),
                false => format!("[\"{}\"]", item.trim()),
            };
            let lists: Vec<String> = items.iter().map(inner).collect();
            let hint = format!("each value is a list: `[{}]`", clip(&lists.join(", ")));
            return Err(refused(wrong(message, hint)));
        }
        let levels = match (items.len(), values.split_once("..")) {
            (1, Some((low, rest))) => {
                let swept = || Axis::read(key, values).ok().flatten()?.grid();
                let texts = |all: Vec<Level>| all.into_iter().map(|level| level.text).collect();
                range(low, rest)
                    .or_else(|wrong| swept().map(texts).ok_or(wrong))
                    .map_err(refused)?
            }
            _ => list(&items).map_err(refused)?,
        };
        let quantities: Option<Vec<RangeQuantity>> =
            levels.iter().map(|text| quantity(text)).collect();
        let unit = quantities.as_ref().map(|all| all[0].unit.clone());
        let same =
            |all: &Vec<RangeQuantity>| all.iter().all(|one| Some(&one.unit) == unit.as_ref());
        let Some(mut all) = quantities.filter(same) else {
            return Ok(Self { key: key.to_owned(), levels, numbers: None, beyond: None });
        };
        all.sort_by_key(|one| one.number);
        let numbers = all.iter().map(|one| one.number.to_f64().unwrap_or(f64::MAX)).collect();
        let levels = all.iter().map(RangeQuantity::words).collect();
        let past = |end: &RangeQuantity, next: &RangeQuantity| {
            RangeQuantity { number: end.number + end.number - next.number, unit: end.unit.clone() }
                .words()
        };
        let beyond = (all.len() > 1)
            .then(|| [past(&all[0], &all[1]), past(&all[all.len() - 1], &all[all.len() - 2])]);
        Ok(Self { key: key.to_owned(), levels, numbers: Some(numbers), beyond })
    }
}

/// A message and a hint.
type VariableProblem = (String, String);

fn wrong(message: impl Into<String>, hint: impl Into<String>) -> VariableProblem {
    (message.into(), hint.into())
}

const USAGE: &str = "write `4..40`, `10 min..2 h:12` for 12 values, `8..64 step 8`, or `a, b, c`";

fn list(items: &[&str]) -> Result<Vec<String>, VariableProblem> {
    let texts: Vec<String> = items.iter().map(|item| unquoted(item).to_owned()).collect();
    if texts.iter().any(String::is_empty) {
        return Err(wrong("there is no value to choose from", USAGE));
    }
    if texts.len() > MOST_LEVELS as usize {
        return Err(wrong(format!("there are more than {MOST_LEVELS} values"), "leave some out"));
    }
    if let Some(again) = texts.iter().enumerate().find(|(row, text)| texts[..*row].contains(text)) {
        return Err(wrong(format!("`{}` is there twice", clip(again.1)), "each value once"));
    }
    if texts.len() == 1 {
        let message = format!("there is nothing to choose: only `{}`", clip(&texts[0]));
        return Err(wrong(message, USAGE));
    }
    Ok(texts)
}

/// `high`, `high:n` or `high step s` after `low..`.
fn range(low: &str, rest: &str) -> Result<Vec<String>, VariableProblem> {
    let (high, count, step) = match (rest.rsplit_once(':'), rest.split_once(" step ")) {
        (Some((high, count)), _) => (high, Some(count), None),
        (None, Some((high, step))) => (high, None, Some(step)),
        (None, None) => (rest, None, None),
    };
    let read = |text: &str| {
        let text = unquoted(text);
        quantity(text).ok_or_else(|| wrong(format!("`{}` is no number", clip(text)), USAGE))
    };
    let (mut low, mut high) = (read(low)?, read(high)?);
    if low.unit.is_empty() {
        low.unit.clone_from(&high.unit);
    } else if high.unit.is_empty() {
        high.unit.clone_from(&low.unit);
    }
    if low.unit != high.unit {
        let message =
            format!("`{}` and `{}` are different units", clip(&low.unit), clip(&high.unit));
        return Err(wrong(message, "write both ends in the same unit"));
    }
    if low.number >= high.number {
        let message =
            format!("the range does not rise from `{}` to `{}`", low.words(), high.words());
        return Err(wrong(message, "write the lower end first"));
    }
    let width = high.number - low.number;
    let step = match (count, step) {
        (Some(count), _) => {
            let count = count.trim().parse().ok().filter(|count| (2..=MOST_LEVELS).contains(count));
            let Some(count) = count else {
                return Err(wrong(format!("a range has from 2 to {MOST_LEVELS} values"), USAGE));
            };
            width / Decimal::from(count - 1)
        }
        (None, Some(step)) => {
            let step = read(step)?;
            let same_unit = step.unit == low.unit || step.unit.is_empty();
            if step.number <= Decimal::ZERO || !same_unit || !(width % step.number).is_zero() {
                let message = format!(
                    "steps of `{}` do not lead from `{}` to `{}`",
                    step.words(),
                    low.words(),
                    high.words()
                );
                return Err(wrong(message, "give a step that divides the range, in its unit"));
            }
            step.number
        }
        (None, None)
            if low.number.is_integer() && high.number.is_integer() && low.unit.is_empty() =>
        {
            Decimal::ONE
        }
        (None, None) => {
            let hint =
                "add how many values, `10 min..2 h:12`, or a step, `10 min..120 min step 10 min`";
            return Err(wrong("the range does not say which values are meant", hint));
        }
    };
    let steps = (width / step).round().to_u32().filter(|&steps| steps < MOST_LEVELS);
    let Some(steps) = steps else {
        let message = format!("there are more than {MOST_LEVELS} values");
        return Err(wrong(message, "make the range shorter or its steps larger"));
    };
    let whole = low.number.is_integer() && high.number.is_integer() && low.unit.is_empty();
    let level = |at: u32| {
        let number = low.number + width * Decimal::from(at) / Decimal::from(steps);
        if whole && !number.is_integer() {
            let message = format!("`{}` is not a whole number", number.round_dp(4).normalize());
            return Err(wrong(message, "choose a number of values that divides the range evenly"));
        }
        let number = number.round_sf(9).unwrap_or(number).normalize();
        Ok(RangeQuantity { number, unit: low.unit.clone() }.words())
    };
    (0..=steps).map(level).collect()
}

/// A number and what stands behind it.
#[derive(Clone, Debug, PartialEq)]
struct RangeQuantity {
    number: Decimal,
    unit: String,
}

impl RangeQuantity {
    fn words(&self) -> String {
        format!("{} {}", self.number.normalize(), self.unit).trim_end().to_owned()
    }
}

fn quantity(text: &str) -> Option<RangeQuantity> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || "._-+".contains(c)));
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let plain: String = number.chars().filter(|&c| c != '_').collect();
    let number: Decimal = plain.parse().ok()?;
    (number.abs() < Decimal::from(1_000_000_000_000_000_i64))
        .then(|| RangeQuantity { number, unit: unit.trim().to_owned() })
}

/// `text` at its commas, but for those within quotes and brackets.
fn pieces(text: &str) -> Vec<&str> {
    let (mut quoted, mut depth, mut from) = (false, 0_i32, 0);
    let mut found = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                found.push(&text[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    found.push(&text[from..]);
    found
}

/// Without the quotes around it, if it has any.
fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    inner.filter(|inner| !inner.contains('"')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "cluster.dc1.nodes";

    #[track_caller]
    fn check(values: &str, want: &[&str]) {
        let found = Variable::read(KEY, values).unwrap_or_else(|problem| panic!("{problem}"));
        assert_eq!(found.levels, want);
    }

    #[track_caller]
    fn refuse(values: &str, want: &str) {
        let problem = Variable::read(KEY, values).expect_err("it is wrong");
        assert_eq!(problem.message, want);
        assert!(problem.hint.is_some());
    }

    #[test]
    fn ranges_and_lists() {
        check("4..7", &["4", "5", "6", "7"]);
        check("8..32 step 8", &["8", "16", "24", "32"]);
        check("0..100:3", &["0", "50", "100"]);
        check("0.5..1.5:3", &["0.5", "1", "1.5"]);
        check("10 min..40 min:4", &["10 min", "20 min", "30 min", "40 min"]);
        check("10..30 min step 10", &["10 min", "20 min", "30 min"]);
        check("0 %..20 %:3", &["0 %", "10 %", "20 %"]);
        check("16, 4, 8", &["4", "8", "16"]);
        check("4..9:3", &["4", "7", "9"]);
        check("10 min..2 h:3", &["10 min", "65 min", "120 min"]);
        check("log:1..100:3", &["1", "10", "100"]);
        check(
            "lognormal(median=20 min..40 min:2, p95=4 h)",
            &["lognormal(median=20 min, p95=4 h)", "lognormal(median=40 min, p95=4 h)"],
        );
        check("fcfs, sjf", &["fcfs", "sjf"]);
        check(
            "[\"spot\"], [\"spot\", \"on-demand\"]",
            &["[\"spot\"]", "[\"spot\", \"on-demand\"]"],
        );
        let numbers = |values| Variable::read(KEY, values).ok().and_then(|one| one.numbers);
        assert_eq!(numbers("16, 4, 8"), Some(vec![4.0, 8.0, 16.0]));
        assert_eq!(numbers("fcfs, sjf"), None);
        let beyond = |values| Variable::read(KEY, values).ok().and_then(|one| one.beyond);
        assert_eq!(beyond("0 min..60 min:4"), Some(["-20 min".to_owned(), "80 min".to_owned()]));
        assert_eq!(beyond("4, 8, 9"), Some(["0".to_owned(), "10".to_owned()]));
        assert_eq!(beyond("fcfs, sjf"), None);
    }

    #[test]
    fn what_is_wrong_is_said() {
        refuse("40..4", "the range does not rise from `40` to `4`");
        refuse("4..4", "the range does not rise from `4` to `4`");
        refuse("", "there is no value to choose from");
        refuse("12", "there is nothing to choose: only `12`");
        refuse("a,b,a", "`a` is there twice");
        refuse("1 min..2 kg:3", "`min` and `kg` are different units");
        refuse("1 min..9 min", "the range does not say which values are meant");
        refuse("4..40 step 7", "steps of `7` do not lead from `4` to `40`");
        refuse("4..40 step 0", "steps of `0` do not lead from `4` to `40`");
        refuse("4..40:4.5", "a range has from 2 to 10000 values");
        refuse("log:0..9:3", "`log:0` is no number");
        refuse("a..b", "`a` is no number");
        refuse("1..1000000", "there are more than 10000 values");
        refuse("\"1..3\"", "a range stands by itself, without a list around it");
        let lists = "policy.p.provision.cheapest.providers";
        let problem = Variable::read(lists, "\"aws\",\"gcp\"").expect_err("no lists");
        assert_eq!(problem.message, "`providers` takes lists, and `\"aws\"` is none");
        let hint = "each value is a list: `[[\"aws\"], [\"gcp\"]]`";
        assert_eq!(problem.hint.as_deref(), Some(hint));
        let problem = Variable::read("objectives.wait_p95", "1..2").expect_err("it is given");
        assert_eq!(problem.message, "`objectives.wait_p95` is given, not decided");
    }
}
