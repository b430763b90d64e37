//! A single value of a scenario file: TOML and a unit in, a typed value out,
//! or a problem that says what was found and what is expected.

use std::ops::Range;

use toml::de::DeValue;

use super::key::{BoundUnit, Key, ValueKind};
use super::objective::BoundDirection;
use super::quantity;
use super::section::{ConfigTable, Diagnostics};
use crate::problem::{clip, did_you_mean};
use crate::units::{Distribution, Rate, Span};

/// Unit in which a whole number is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// No unit: a plain number.
    One,
    /// Nano-dollars.
    NanoDollars,
    /// Bytes.
    Bytes,
    /// Millionths of a whole.
    Millionths,
    /// Microseconds since 1970, in UTC.
    Instant,
}

/// A typed value.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Texts(Vec<(String, Range<usize>)>),
    Numbers(Vec<f64>),
    Flag(bool),
    Count(u64),
    /// A whole number of the unit, as it is kept.
    Whole(i64, Unit),
    /// Cores in milli-cores.
    Cores(u32),
    /// Memory in MiB.
    Memory(u32),
    Number(f64),
    Span(Span),
    Rate(Rate),
    /// Powers in milliwatts, at equal steps of load.
    Powers(Vec<i64>),
    Gpus(u8, String),
    Distribution(Distribution),
    Capacity(Option<u32>),
    Bound(BoundDirection, f64, String),
    Table(ConfigTable),
    List(Vec<ConfigTable>),
    /// A wrong value, which was reported.
    Bad,
}

/// Reads a scalar or a list of scalars.
pub(super) fn read(
    value: &DeValue<'_>,
    range: &Range<usize>,
    key: &Key,
    report: &mut Diagnostics<'_>,
) -> Value {
    let read = match key.kind {
        ValueKind::Texts | ValueKind::Choices(_) | ValueKind::Numbers => {
            return list(value, range, key, report);
        }
        ValueKind::Values => values(value),
        kind => scalar(value, kind),
    };
    match read {
        Ok(value) => value,
        Err(detail) => {
            refuse(value, range, key, detail, report);
            Value::Bad
        }
    }
}

/// A typed scalar, or what is wrong with it beyond its type (may be empty).
fn scalar(value: &DeValue<'_>, kind: ValueKind) -> Result<Value, String> {
    let none = String::new;
    let text = match value {
        DeValue::String(text) => Some(text.as_ref()),
        _ => None,
    };
    let number = number_text(value);
    match kind {
        ValueKind::Text | ValueKind::File | ValueKind::Column => {
            text.map(|text| Value::Text(text.to_owned())).ok_or_else(none)
        }
        ValueKind::Choice(words) => choice(text, words),
        ValueKind::Part(part) => {
            let words: Vec<&str> = super::part::options(part).map(|option| option.name).collect();
            choice(text, &words)
        }
        ValueKind::Flag => match value {
            DeValue::Boolean(flag) => Ok(Value::Flag(*flag)),
            _ => Err(none()),
        },
        ValueKind::Count(low, high) => {
            let count = integer(value).and_then(|count| u64::try_from(count).ok());
            count.filter(|count| (low..=high).contains(count)).map(Value::Count).ok_or_else(none)
        }
        ValueKind::Integer => {
            integer(value).map(|whole| Value::Whole(whole, Unit::One)).ok_or_else(none)
        }
        ValueKind::Number(low, high) => float(value)
            .filter(|number| (low..=high).contains(number))
            .map(Value::Number)
            .ok_or_else(none),
        ValueKind::Positive => match float(value) {
            Some(number) if number > 1e12 => Err("it may be at most 1,000,000,000,000".to_owned()),
            Some(number) if number > 0.0 => Ok(Value::Number(number)),
            _ => Err(none()),
        },
        ValueKind::Vcpus => {
            number.as_deref().and_then(quantity::vcpus).map(Value::Cores).ok_or_else(none)
        }
        ValueKind::Dollars => {
            let number = number.as_deref().or(text);
            let nanos = number.and_then(quantity::dollars);
            nanos.map(|nanos| Value::Whole(nanos, Unit::NanoDollars)).ok_or_else(none)
        }
        ValueKind::Capacity if text == Some("unlimited") => Ok(Value::Capacity(None)),
        ValueKind::Capacity => {
            let count = integer(value).and_then(|count| u32::try_from(count).ok());
            count.map(|count| Value::Capacity(Some(count))).ok_or_else(none)
        }
        ValueKind::Spans
        | ValueKind::Sizes
        | ValueKind::Memories
        | ValueKind::Cores
        | ValueKind::Draws => distribution(text.or(number.as_deref()), kind),
        ValueKind::Instant | ValueKind::Moment => moment(value, text, kind),
        ValueKind::Memory => measured(text, |text| quantity::memory(text).map(Value::Memory)),
        ValueKind::Size => {
            let bytes = |text: &str| Some(Value::Whole(quantity::size(text)?, Unit::Bytes));
            measured(text, bytes)
        }
        ValueKind::Span => measured(text, |text| quantity::span(text).map(Value::Span)),
        ValueKind::Rate => measured(text, |text| quantity::rate(text).map(Value::Rate)),
        ValueKind::Power => {
            let power = |item: &DeValue<'_>| match item {
                DeValue::String(text) => quantity::power(text),
                _ => None,
            };
            let powers: Option<Vec<i64>> = match value {
                DeValue::Array(items) => items.iter().map(|item| power(item.get_ref())).collect(),
                _ => power(value).map(|power| vec![power]),
            };
            powers.filter(|all| !all.is_empty()).map(Value::Powers).ok_or_else(none)
        }
        ValueKind::Gpus => measured(text, |text| {
            quantity::gpus(text).map(|(count, model)| Value::Gpus(count, model))
        }),
        ValueKind::Percent(low, high) => measured(text, |text| {
            quantity::percent(text)
                .filter(|share| (low * 10_000..=high * 10_000).contains(share))
                .map(|share| Value::Whole(share, Unit::Millionths))
        }),
        ValueKind::Bound(unit) | ValueKind::WindowBound(unit) => {
            measured(text, |text| bound(text, unit))
        }
        ValueKind::Threshold => {
            text.or(number.as_deref()).map(|text| Value::Text(text.to_owned())).ok_or_else(none)
        }
        ValueKind::Texts
        | ValueKind::Choices(_)
        | ValueKind::Numbers
        | ValueKind::Values
        | ValueKind::Table
        | ValueKind::List => Err(none()),
    }
}

/// A range, or a list as the command line takes it: `"fcfs","shortest"`.
fn values(value: &DeValue<'_>) -> Result<Value, String> {
    let one = |item: &DeValue<'_>| match item {
        DeValue::String(text) => Some(format!("\"{text}\"")),
        DeValue::Boolean(flag) => Some(flag.to_string()),
        _ => number_text(item),
    };
    // A value may be a list itself.
    let item = |item: &DeValue<'_>| match item {
        DeValue::Array(items) => {
            let items: Option<Vec<String>> = items.iter().map(|item| one(item.get_ref())).collect();
            items.map(|items| format!("[{}]", items.join(", ")))
        }
        _ => one(item),
    };
    match value {
        DeValue::String(text) => Ok(Value::Text(text.to_string())),
        DeValue::Array(items) => {
            let items: Option<Vec<String>> = items.iter().map(|one| item(one.get_ref())).collect();
            items.map(|items| Value::Text(items.join(","))).ok_or_else(|| {
                "write `[\"a\", \"b\"]`, or where each value is a list `[[\"a\"], [\"a\", \"b\"]]`".into()
            })
        }
        DeValue::Table(_) => {
            Err("put the whole key into quotes: `\"cluster.dc1.nodes\" = \"4..40\"`".into())
        }
        _ => Err(String::new()),
    }
}

fn measured(text: Option<&str>, read: impl Fn(&str) -> Option<Value>) -> Result<Value, String> {
    text.and_then(read).ok_or_else(String::new)
}

fn choice(text: Option<&str>, words: &[&str]) -> Result<Value, String> {
    let text = text.ok_or_else(String::new)?;
    if words.contains(&text) {
        return Ok(Value::Text(text.to_owned()));
    }
    let lower = text.to_lowercase();
    let same = SYNONYMS.iter().find(|(other, ours)| *other == lower && words.contains(ours));
    let meant = same.map(|(_, ours)| *ours).or_else(|| did_you_mean(text, words.iter().copied()));
    Err(meant.map_or_else(String::new, |word| format!("did you mean `\"{word}\"`?")))
}

fn moment(value: &DeValue<'_>, text: Option<&str>, kind: ValueKind) -> Result<Value, String> {
    let written = match value {
        DeValue::Datetime(datetime) => Some(datetime.to_string()),
        _ => text.map(str::to_owned),
    };
    let written = written.as_deref();
    if let Some(micros) = written.and_then(quantity::instant) {
        return Ok(Value::Whole(micros, Unit::Instant));
    }
    let span = written.filter(|_| kind == ValueKind::Moment).and_then(quantity::span);
    span.map(Value::Span).ok_or_else(String::new)
}

fn distribution(text: Option<&str>, kind: ValueKind) -> Result<Value, String> {
    let text = text.ok_or_else(String::new)?;
    let unit = |text: &str| -> Result<f64, String> {
        let (number, example) = match kind {
            ValueKind::Spans => {
                (quantity::span(text).map(Span::secs_f64), "a span such as `30 min`")
            }
            ValueKind::Sizes => {
                (quantity::size(text).map(|bytes| bytes as f64), "a size such as `4 GiB`")
            }
            ValueKind::Memories => (
                quantity::size(text).map(|bytes| bytes as f64 / (1 << 20) as f64),
                "memory such as `4 GiB`",
            ),
            _ => {
                let scale = if kind == ValueKind::Cores { 1_000.0 } else { 1.0 };
                let number: Option<f64> = text.trim().parse().ok();
                let number = number.map(|number| number * scale);
                (number.filter(|number| number.is_finite()), "a number")
            }
        };
        number.ok_or_else(|| format!("expected {example}, found `{}`", clip(text)))
    };
    Distribution::parse(text, &unit).map(Value::Distribution)
}

/// A bound such as `>= 99 %`, in its base unit: a share from 0 to 1, seconds,
/// dollars, or a ratio.
fn bound(text: &str, unit: BoundUnit) -> Option<Value> {
    let text = text.trim();
    let (comparison, rest) = match text.split_at_checked(2)? {
        (">=", rest) => (BoundDirection::AtLeast, rest.trim()),
        ("<=", rest) => (BoundDirection::AtMost, rest.trim()),
        _ => return None,
    };
    let amount = match unit {
        BoundUnit::Share => {
            quantity::percent(rest).filter(|share| (0..=1_000_000).contains(share))? as f64 / 1e6
        }
        BoundUnit::Time => quantity::span(rest)?.secs_f64(),
        BoundUnit::Dollars => {
            let number = rest.strip_suffix("USD").or_else(|| rest.strip_prefix('$'))?;
            quantity::dollars(number)? as f64 / 1e9
        }
        BoundUnit::Hours => quantity::span(rest)?.secs_f64() / 3_600.0,
        BoundUnit::Ratio => rest.parse().ok().filter(|ratio: &f64| ratio.is_finite())?,
    };
    Some(Value::Bound(comparison, amount, text.to_owned()))
}

fn list(
    value: &DeValue<'_>,
    range: &Range<usize>,
    key: &Key,
    report: &mut Diagnostics<'_>,
) -> Value {
    let DeValue::Array(items) = value else {
        refuse(value, range, key, String::new(), report);
        return Value::Bad;
    };
    if key.kind == ValueKind::Numbers {
        let mut numbers = Vec::new();
        for item in items.iter() {
            match float(item.get_ref()).filter(|number| (0.0..=1e12).contains(number)) {
                Some(number) => numbers.push(number),
                None => refuse(item.get_ref(), &item.span(), key, String::new(), report),
            }
        }
        return if numbers.len() == items.len() { Value::Numbers(numbers) } else { Value::Bad };
    }
    let mut texts = Vec::new();
    for item in items.iter() {
        let text = match (item.get_ref(), key.kind) {
            (DeValue::String(text), ValueKind::Choices(words)) => {
                choice(Some(text), words).map(|_| text.as_ref())
            }
            (DeValue::String(text), _) => Ok(text.as_ref()),
            _ => Err(String::new()),
        };
        match text {
            Ok(text) => texts.push((text.to_owned(), item.span())),
            Err(detail) => refuse(item.get_ref(), &item.span(), key, detail, report),
        }
    }
    Value::Texts(texts)
}

/// Reports a value that is not what its key wants.
fn refuse(
    value: &DeValue<'_>,
    range: &Range<usize>,
    key: &Key,
    detail: String,
    report: &mut Diagnostics<'_>,
) {
    let name = last_name(&key.path);
    let expected = key.kind.expected();
    let message = format!("`{name}` must be {expected}, found {}", describe(value));
    let hint = match detail.is_empty() {
        true => nearly(value, key).or_else(|| missing_unit(value, key.kind)),
        false => Some(detail),
    };
    match hint {
        Some(hint) => report.hint(range, message, hint),
        None => report.at(range, message),
    }
}

/// Hint on what to write where a value is right but for its form.
fn nearly(value: &DeValue<'_>, key: &Key) -> Option<String> {
    let written = match value {
        DeValue::Table(_) => {
            let is_bound = matches!(key.kind, ValueKind::Bound(_));
            return is_bound.then(|| {
                format!("it cannot be told of each window; what can be: {}", per_window())
            });
        }
        DeValue::String(text) => text.trim().to_owned(),
        DeValue::Datetime(datetime) => datetime.to_string(),
        _ => number_text(value)?,
    };
    match key.kind {
        ValueKind::Bound(unit) | ValueKind::WindowBound(unit) => {
            let path = key.path.strip_suffix(".bound").or(key.path.strip_suffix(".each"));
            bound_meant(&written, unit, last_name(path.unwrap_or(&key.path)))
        }
        ValueKind::Rate => rate_meant(&written),
        ValueKind::Memory | ValueKind::Size => size_meant(&written),
        ValueKind::Instant | ValueKind::Moment => date_meant(&written),
        ValueKind::Dollars if written.starts_with('-') => Some("it may not be negative".to_owned()),
        ValueKind::Part("release") => quantity::span(&written)
            .map(|_| format!("write `release = {{ idle = {{ after = \"{written}\" }} }}`")),
        _ => None,
    }
}

/// The objectives that can be told of each window.
fn per_window() -> String {
    let all = super::objective::metrics().filter(|(metric, _)| metric.window.is_some());
    all.map(|(metric, _)| format!("`{}`", metric.key)).collect::<Vec<_>>().join(", ")
}

/// A bound whose side, sign or unit is missing: `95 %`, `< 2 h`, `<= 7000`.
fn bound_meant(written: &str, unit: BoundUnit, metric: &str) -> Option<String> {
    let amount = written.trim_start_matches(['<', '>', '=']).trim();
    let side = match &written[..written.len() - written.trim_start_matches(['<', '>', '=']).len()] {
        side if side.contains('>') => ">=",
        side if side.contains('<') => "<=",
        _ if super::objective::high_is_good(metric) => ">=",
        _ => "<=",
    };
    let with = |unit: &str| format!("{side} {amount} {unit}").trim_end().to_owned();
    let number = quantity::decimal(amount);
    let candidates = match (unit, number) {
        (BoundUnit::Share, Some(share)) if share <= rust_decimal::Decimal::ONE => {
            let percent = (share * rust_decimal::Decimal::ONE_HUNDRED).normalize();
            vec![format!("{side} {percent} %")]
        }
        (BoundUnit::Share, Some(_)) => vec![with("%")],
        (BoundUnit::Time, Some(_)) => vec![with("s")],
        (BoundUnit::Dollars, Some(_)) => vec![with("USD")],
        (BoundUnit::Hours, Some(_)) => vec![with("h")],
        _ => vec![with("")],
    };
    if let Some(right) = candidates.into_iter().find(|text| bound(text, unit).is_some()) {
        return Some(format!("write `\"{right}\"`"));
    }
    let is_share = unit == BoundUnit::Share && (number.is_some() || amount.ends_with('%'));
    is_share.then(|| "a share lies from `0 %` to `100 %`".to_owned())
}

/// A price in other money, per another time, or below nothing.
fn rate_meant(written: &str) -> Option<String> {
    let lower = written.to_lowercase();
    if written.contains('-') {
        return Some("a price is not negative".to_owned());
    }
    let other = ["eur", "€", "gbp", "£", "chf", "jpy", "¥", "cny"];
    if other.iter().any(|money| lower.contains(money)) {
        return Some("prices are in US dollars: convert it, and write `\"... USD/h\"`".to_owned());
    }
    let digits: String =
        written.chars().filter(|letter| letter.is_ascii_digit() || matches!(letter, '.')).collect();
    let number = quantity::decimal(&digits)?;
    // A month is a twelfth of 365.25 days.
    let hours =
        [("month", 730.5), ("mo", 730.5), ("year", 8_766.0), ("day", 24.0), ("min", 1.0 / 60.0)]
            .into_iter()
            .find(|(word, _)| lower.contains(word));
    let Some((word, hours)) = hours else {
        let right = format!("{digits} USD/h");
        let hint = format!("say per what time: `\"{right}\"` is per hour");
        return quantity::rate(&right).map(|_| hint);
    };
    let hours = rust_decimal::Decimal::from_f64_retain(hours)?;
    let hourly = number.checked_div(hours)?.round_dp(6).normalize();
    Some(format!("prices are per hour: `\"{hourly} USD/h\"` is as much per {word}"))
}

/// A size whose unit is written in other letters: `1 tb`.
fn size_meant(written: &str) -> Option<String> {
    let right = quantity::in_its_letters(written)?;
    Some(format!("units have capital letters: `\"{right}\"`"))
}

/// A date in another order, without its zone, or of a day that there is not.
fn date_meant(written: &str) -> Option<String> {
    let day = written.get(..8).is_some_and(|month| {
        quantity::instant(&format!("{month}01")).is_some() && written.len() >= 10
    });
    if day && written.get(..10).is_some_and(|date| quantity::instant(date).is_none()) {
        return Some("that month has no such day".to_owned());
    }
    let spaced = written.replacen(' ', "T", 1);
    let zoned = [format!("{spaced}Z"), format!("{spaced}:00Z"), format!("{spaced}T00:00:00Z")];
    if let Some(right) = zoned.iter().find(|text| quantity::instant(text).is_some()) {
        return Some(format!("say the zone: `\"{right}\"` for UTC"));
    }
    let parts: Vec<&str> = written.split(['.', '/']).collect();
    if let [day, month, year] = parts.as_slice()
        && year.len() == 4
    {
        let right = format!("{year}-{month:0>2}-{day:0>2}");
        let right = Some(right).filter(|right| quantity::instant(right).is_some());
        return Some(right.map_or_else(
            || "dates are written year-month-day".to_owned(),
            |right| format!("dates are written year-month-day: `\"{right}\"`"),
        ));
    }
    None
}

/// Other names for the words of parts, each with the word that a scenario uses.
const SYNONYMS: [(&str, &str); 14] = [
    ("sjf", "shortest"),
    ("spt", "shortest"),
    ("edf", "earliest-deadline"),
    ("edd", "earliest-deadline"),
    ("fifo", "fcfs"),
    ("ljf", "largest"),
    ("bestfit", "best-fit"),
    ("firstfit", "first-fit"),
    ("worstfit", "worst-fit"),
    ("ondemand", "on-demand"),
    ("fcfs", "batch-fcfs"),
    ("easy", "batch-backfill"),
    ("conservative", "batch-conservative"),
    ("kubernetes", "kube-default"),
];

/// Hint on what to write where a bare number was given for a quantity with a unit.
fn missing_unit(value: &DeValue<'_>, kind: ValueKind) -> Option<String> {
    let bare = match value {
        DeValue::String(text) => {
            Some(text.as_ref()).filter(|text| quantity::decimal(text).is_some())?.to_owned()
        }
        _ => number_text(value)?,
    };
    let unit = match kind {
        ValueKind::Span | ValueKind::Moment | ValueKind::Spans => "s",
        ValueKind::Memory | ValueKind::Size | ValueKind::Sizes | ValueKind::Memories => "GiB",
        ValueKind::Rate => "USD/h",
        ValueKind::Percent(..) => "%",
        ValueKind::Power => "W",
        ValueKind::Gpus => return Some(format!("name the model: `\"{bare} x A100-80GB\"`")),
        // TOML ends at 63 bits: what is larger came as text from the command line.
        ValueKind::Count(_, high)
            if bare.parse::<i64>().is_err() && bare.parse::<u128>().is_ok() =>
        {
            return Some(format!("it may be at most {}", high.min(i64::MAX.unsigned_abs())));
        }
        ValueKind::Vcpus | ValueKind::Count(..) | ValueKind::Number(..) | ValueKind::Positive => {
            return matches!(value, DeValue::String(_))
                .then(|| format!("write `{bare}` without quotes"));
        }
        _ => return None,
    };
    Some(format!("give its unit: `\"{bare} {unit}\"`"))
}

/// The last part of a key's path that is a name.
pub(super) fn last_name(path: &str) -> &str {
    let path = path.trim_end_matches("[]");
    path.rsplit('.').find(|part| *part != "*").unwrap_or(path).trim_end_matches("[]")
}

/// A TOML value for a message.
pub(super) fn describe(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("`\"{}\"`", clip(text)),
        DeValue::Integer(number) => format!("`{}`", clip(&number.to_string())),
        DeValue::Float(number) => format!("`{}`", clip(&number.to_string())),
        DeValue::Boolean(flag) => format!("`{flag}`"),
        DeValue::Datetime(datetime) => format!("`{datetime}`"),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// A decimal number as it was written.
fn number_text(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned()),
        DeValue::Integer(_) => integer(value).map(|number| number.to_string()),
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        _ => None,
    }
}

fn integer(value: &DeValue<'_>) -> Option<i64> {
    match value {
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
        _ => None,
    }
}

fn float(value: &DeValue<'_>) -> Option<f64> {
    let number: f64 = number_text(value)?.parse().ok()?;
    number.is_finite().then_some(number)
}
