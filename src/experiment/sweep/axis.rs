//! Axis of a sweep: a key of the scenario and the values that it takes, read from `key=10..40:4`,
//! `key=10..40 step 10`, `key=log:1..100:3` or `key=a,b,c`.

use rust_decimal::prelude::{FromPrimitive as _, ToPrimitive as _};
use rust_decimal::{Decimal, RoundingStrategy};

use crate::problem::{Problem, clip};
use crate::scenario::{Quantity, ValueKind, kind_of};

/// Most values of one axis.
const MOST_LEVELS: usize = 10_000;
/// Largest number that a range may reach.
const LARGEST: Decimal = Decimal::from_parts(2_808_348_672, 232_830_643, 0, false, 0);

/// A key of the scenario, and what it is set to.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// Dotted path of the key.
    pub key: String,
    /// The values as they were asked for: `10..40:4`.
    pub asked: String,
    /// Unit of the numbers, or empty.
    pub unit: String,
    /// Values are spaced evenly in their logarithms.
    pub log: bool,
    /// Text before and after the number in the value, such as `exponential(mean=` and `)`.
    around: (String, String),
    /// Only whole numbers are meant.
    whole: bool,
    spread: Spacing,
}

/// A value of an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    /// Value as the scenario is given it.
    pub text: String,
    /// Place of the value on the axis: the number in the axis' unit, or the place in the list, from
    /// 0.
    pub at: f64,
}

#[derive(Clone, Debug, PartialEq)]
enum Spacing {
    /// Listed values, with their numbers if all are numbers.
    List(Vec<Level>, bool),
    /// Numbers from one to another, in this many steps if it says so.
    Range { low: Decimal, high: Decimal, levels: Option<usize> },
}

impl Axis {
    /// Reads `key=values`; `None` for a single value, which is an edit.
    ///
    /// # Errors
    /// Problems with the range, with a hint.
    pub fn read(key: &str, values: &str) -> Result<Option<Self>, Problem> {
        let whole = matches!(
            kind_of(key),
            Some(ValueKind::Count(..) | ValueKind::Integer | ValueKind::Capacity | ValueKind::Gpus)
        );
        let refused = |(message, hint): (String, String)| {
            Problem::with(&clip(&format!("--set {key}={values}")), message).hint(hint)
        };
        let axis = Self {
            key: key.to_owned(),
            asked: values.to_owned(),
            unit: String::new(),
            log: false,
            around: Default::default(),
            whole,
            spread: Spacing::List(Vec::new(), false),
        };
        let items = pieces(values);
        if items.len() > 1 {
            return axis.list(&items).map(Some).map_err(refused);
        }
        match find_range(values) {
            Some(range) => axis.range(values, range).map(Some).map_err(refused),
            // A number has no two dots in it, so that a range was meant.
            None if whole && values.contains("..") && !values.contains(['/', '"']) => {
                Err(refused(wrong(
                    format!("`{}` is no range of numbers", clip(values)),
                    "a range is `10..40`, or `10..40:4` for so many values",
                )))
            }
            None => Ok(None),
        }
    }

    /// Values separated by commas.
    fn list(mut self, items: &[&str]) -> Result<Self, AxisProblem> {
        let texts: Vec<&str> = items.iter().map(|item| unquoted(item)).collect();
        for (row, text) in texts.iter().enumerate() {
            if text.is_empty() {
                return Err(wrong("a value of the list is empty", "write `a,b,c`"));
            }
            if texts[..row].contains(text) {
                let message = format!("`{}` is in the list twice", clip(text));
                return Err(wrong(message, "each value once; repeat runs with `--replications`"));
            }
            if find_range(items[row]).is_some() {
                let message = format!("`{}` is a range within a list", clip(text));
                return Err(wrong(message, "give a range such as `10..40:4`, or single values"));
            }
        }
        if texts.len() > MOST_LEVELS {
            return Err(wrong(
                format!("a list has at most {MOST_LEVELS} values"),
                "leave some out",
            ));
        }
        let first = Quantity::read(texts[0]);
        let unit = first.map_or_else(String::new, |first| first.unit);
        let number = |text: &&str| Quantity::read(text)?.in_unit(&unit)?.to_f64();
        let numbers: Option<Vec<f64>> = texts.iter().map(number).collect();
        let is_numeric = numbers.is_some();
        let places = numbers.unwrap_or_else(|| (0..texts.len()).map(|at| at as f64).collect());
        let level = |(text, at): (&&str, f64)| Level { text: (*text).to_owned(), at };
        self.spread = Spacing::List(texts.iter().zip(places).map(level).collect(), is_numeric);
        self.unit = if is_numeric { unit } else { String::new() };
        Ok(self)
    }

    /// `low..high`, `low..high:n` or `log:low..high:n` within a value.
    fn range(mut self, values: &str, at: LevelRange) -> Result<Self, AxisProblem> {
        let text = &values[at.from..at.to];
        self.around = (values[..at.from].to_owned(), values[at.to..].to_owned());
        let (text, log) = match text.trim().strip_prefix("log:") {
            Some(rest) => (rest, true),
            None => (text.trim(), false),
        };
        self.log = log;
        let (low, rest) = text.split_once("..").expect("a range has two dots");
        let (high, mut levels, step) = match (rest.rsplit_once(':'), rest.split_once(" step ")) {
            (Some((high, levels)), _) => (high, Some(self.count(levels)?), None),
            (None, Some((high, step))) => (high, None, Some(self.quantity(step)?)),
            (None, None) => (rest, None, None),
        };
        let (low, high) = (self.quantity(low)?, self.quantity(high)?);
        let (low, high) = self.common(low, high)?;
        if low >= high {
            let message = format!("the range does not rise from `{low}` to `{high}`");
            return Err(wrong(message, "write the lower end first"));
        }
        if log && low <= Decimal::ZERO {
            let message = format!("`{low}` has no logarithm");
            return Err(wrong(message, "a `log:` range begins above 0"));
        }
        if let Some(step) = step {
            levels = Some(self.steps(high - low, step)?);
        }
        self.spread = Spacing::Range { low, high, levels };
        Ok(self)
    }

    /// Number of values that lie `step` apart over `width`, both ends included.
    fn steps(&self, width: Decimal, mut step: Quantity) -> Result<usize, AxisProblem> {
        if step.unit.is_empty() {
            step.unit.clone_from(&self.unit);
        }
        let size = step.in_unit(&self.unit).filter(|size| *size > Decimal::ZERO && !self.log);
        let steps = size.filter(|size| (width % size).is_zero()).map(|size| width / size);
        let levels = steps.and_then(|steps| steps.to_usize()).map(|steps| steps + 1);
        levels.filter(|levels| *levels <= MOST_LEVELS).ok_or_else(|| {
            let message = format!("steps of `{step}` do not lead from one end to the other");
            wrong(message, "give a step that divides the range, or how many values: `10..40:4`")
        })
    }

    fn count(&self, text: &str) -> Result<usize, AxisProblem> {
        let levels = text.trim().parse().ok().filter(|levels| (2..=MOST_LEVELS).contains(levels));
        levels.ok_or_else(|| {
            let found = clip(text.trim());
            let message = format!("a range has from 2 to {MOST_LEVELS} values, found `{found}`");
            wrong(message, format!("such as `{}=10..40:4`", clip(&self.key)))
        })
    }

    fn quantity(&self, text: &str) -> Result<Quantity, AxisProblem> {
        let text = unquoted(text);
        Quantity::read(text).ok_or_else(|| {
            let message = format!("`{}` is not a number with a unit or without", clip(text));
            wrong(
                message,
                "a range is `10..40:4`, `10 min..2 h:5` or `log:1..100:3`; texts are listed: `a,b`",
            )
        })
    }

    /// Ends of a range in one unit, the finer of the two; an end without one has that of the other.
    fn common(
        &mut self,
        mut low: Quantity,
        mut high: Quantity,
    ) -> Result<(Decimal, Decimal), AxisProblem> {
        if low.unit.is_empty() {
            low.unit.clone_from(&high.unit);
        } else if high.unit.is_empty() {
            high.unit.clone_from(&low.unit);
        }
        let one = |unit: &str| Quantity { number: Decimal::ONE, unit: unit.to_owned() };
        let Some(step) = one(&high.unit).in_unit(&low.unit) else {
            let message = format!(
                "`{}` and `{}` cannot be set against each other",
                clip(&low.unit),
                clip(&high.unit)
            );
            return Err(wrong(message, "give both ends of a range in units of one kind"));
        };
        let unit = if step >= Decimal::ONE { low.unit.clone() } else { high.unit.clone() };
        let ends = low.in_unit(&unit).zip(high.in_unit(&unit));
        self.unit = unit;
        ends.filter(|(low, high)| low.abs() <= LARGEST && high.abs() <= LARGEST)
            .ok_or_else(|| wrong("the ends are too large", "stay below a billion billions"))
    }

    /// The values of a grid, in order; those that a whole number makes the same
    /// are one. `None` if the range does not say how many it has.
    pub fn levels(&self) -> Option<Vec<Level>> {
        match &self.spread {
            Spacing::List(levels, _) => Some(levels.clone()),
            &Spacing::Range { levels, .. } => {
                let steps = levels? - 1;
                let at = |step| self.level(step as f64 / steps as f64, Some((step, steps)));
                let mut levels: Vec<Level> = (0..=steps).map(at).collect();
                levels.dedup_by(|a, b| a.text == b.text);
                Some(levels)
            }
        }
    }

    /// The values of a grid: [`Axis::levels`], or every whole number of a range between two of
    /// them that says no more.
    pub fn grid(&self) -> Option<Vec<Level>> {
        let every = || {
            let &Spacing::Range { low, high, levels: None } = &self.spread else { return None };
            let whole = low.is_integer() && high.is_integer() && self.unit.is_empty() && !self.log;
            let steps = (high - low).to_usize().filter(|steps| whole && *steps < MOST_LEVELS)?;
            let at = |step| self.level(step as f64 / steps as f64, Some((step, steps)));
            Some((0..=steps).map(at).collect())
        };
        self.levels().or_else(every)
    }

    /// The value of a range at a share of the way, 0 <= `share` < 1.
    pub(super) fn between(&self, share: f64) -> Level {
        self.level(share, None)
    }

    /// The value at a share of a range; at an exact step of many where there are steps.
    fn level(&self, share: f64, step: Option<(usize, usize)>) -> Level {
        let Spacing::Range { low, high, .. } = self.spread else {
            unreachable!("a list has its levels")
        };
        let width = high - low;
        let number = match (self.log, step) {
            (_, Some((0, _))) => low,
            (_, Some((step, steps))) if step == steps => high,
            (false, Some((step, steps))) => {
                digits(low + width * Decimal::from(step) / Decimal::from(steps), 9)
            }
            (false, None) => {
                // A ten-thousandth of the range is fine enough, and can be read.
                let places = 4 - libm::floor(libm::log10(width.to_f64().unwrap_or(1.0))) as i32;
                let number = low + width * Decimal::from_f64(share).unwrap_or_default();
                number.round_dp(places.clamp(0, 12) as u32)
            }
            (true, _) => {
                let ratio = (high / low).to_f64().unwrap_or(1.0);
                let factor = libm::exp(libm::log(ratio) * share);
                digits(low * Decimal::from_f64(factor).unwrap_or_default(), 5)
            }
        };
        let number = match self.whole {
            true => number.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero),
            false => number,
        };
        let value = Quantity { number: number.normalize(), unit: self.unit.clone() };
        let (before, after) = &self.around;
        Level { text: format!("{before}{value}{after}"), at: number.to_f64().unwrap_or_default() }
    }

    /// Whether the axis has numbers as values, with an order and distances.
    pub fn is_numeric(&self) -> bool {
        match &self.spread {
            Spacing::List(_, numeric) => *numeric,
            Spacing::Range { .. } => true,
        }
    }

    /// Lowest and highest number; `None` if the values are no numbers.
    pub fn ends(&self) -> Option<(f64, f64)> {
        match &self.spread {
            Spacing::Range { low, high, .. } => low.to_f64().zip(high.to_f64()),
            Spacing::List(_, false) => None,
            Spacing::List(levels, true) => {
                let of =
                    |pick: fn(f64, f64) -> f64| levels.iter().map(|level| level.at).reduce(pick);
                of(f64::min).zip(of(f64::max))
            }
        }
    }

    /// Share of the way from the low end to the high one at which a number lies, 0 to 1, evenly in
    /// what the axis is even in; 0 where the values are no numbers.
    pub fn share_of(&self, at: f64) -> f64 {
        let Some((low, high)) = self.ends() else { return 0.0 };
        match self.log {
            true => libm::log(at / low) / libm::log(high / low),
            false => (at - low) / (high - low),
        }
    }
}

/// A message and a hint.
type AxisProblem = (String, String);

fn wrong(message: impl Into<String>, hint: impl Into<String>) -> AxisProblem {
    (message.into(), hint.into())
}

/// So many significant digits, without zeros at the end.
fn digits(number: Decimal, digits: u32) -> Decimal {
    number.round_sf(digits).unwrap_or(number).normalize()
}

/// Place of a range in a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct LevelRange {
    from: usize,
    to: usize,
}

/// The first `..` outside of quotes that stands behind or before a number, and
/// how far what belongs to it reaches: to the next bracket, comma or `=`.
fn find_range(values: &str) -> Option<LevelRange> {
    let mut quoted = false;
    let mut from = 0;
    for (at, c) in values.char_indices() {
        match c {
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' | '{' | ',' | '=' => from = at + 1,
            '.' if values[at..].starts_with("..") => {
                let ends =
                    values[at..].find([',', ')', ']', '}']).map_or(values.len(), |to| at + to);
                let low = values[from..at].trim();
                let low = low.strip_prefix("log:").unwrap_or(low);
                let digit = |text: &str| {
                    unquoted(text).starts_with(|c: char| c.is_ascii_digit() || c == '-')
                };
                let is_range = digit(low) || digit(&values[at + 2..ends]) && !low.is_empty();
                return is_range.then_some(LevelRange { from, to: ends });
            }
            _ => {}
        }
    }
    None
}

/// `text` at its commas, but for those within quotes and brackets.
pub(in crate::experiment) fn pieces(text: &str) -> Vec<&str> {
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

/// The text without quotes around it, if it has any.
pub(in crate::experiment) fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    inner.filter(|inner| !inner.contains('"')).unwrap_or(text)
}

#[cfg(test)]
mod tests;
