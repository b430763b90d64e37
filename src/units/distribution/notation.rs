//! The text form of distributions in scenario files:
//! `exponential(mean=5 min)`, `mixture(0.7: exponential(mean=3), 0.3: 5)`.

mod form;
mod syntax;

use std::str::FromStr;

use super::{Distribution, Made};
use form::{FORMS, Form, Kind};
use syntax::{Argument, Call, Mark};

/// Mixtures within mixtures: far more than anyone needs, far less than the
/// program's stack.
const DEEPEST: u32 = 16;

/// Laws whose arguments are pairs `p: value`, so not in the table of forms.
const PAIRED: [&str; 2] = ["mixture", "quantiles"];

/// Turns a scalar such as `5 min` into a number of the caller's unit.
type Unit<'a> = &'a dyn Fn(&str) -> Result<f64, String>;

impl Distribution {
    /// Reads a distribution such as `lognormal(median=35 s, p95=90 s)`.
    ///
    /// `unit` turns a scalar (`5 min`, `4 GiB`, `300`) into a number; it is
    /// asked for every value of the distribution, while shapes, weights and
    /// probabilities are plain numbers. A scalar alone is a constant. The
    /// error is a sentence on what was found and what is expected.
    pub fn parse(text: &str, unit: &dyn Fn(&str) -> Result<f64, String>) -> Result<Self, String> {
        parse_within(text, unit, 0)
    }
}

impl FromStr for Distribution {
    type Err = String;

    /// Reads a distribution of plain numbers, as `Display` writes it.
    fn from_str(text: &str) -> Result<Self, String> {
        Self::parse(text, &plain)
    }
}

fn parse_within(text: &str, unit: Unit<'_>, depth: u32) -> Made {
    if depth > DEEPEST {
        return Err(format!("mixtures are nested more than {DEEPEST} deep"));
    }
    let Some(call) = Call::read(text)? else {
        return bare(text, unit);
    };
    let law = known(call.name)?;
    let made = match law {
        "mixture" => mixture(&call, unit, depth),
        "quantiles" => quantiles(&call, unit),
        _ => from_form(law, &call, unit),
    };
    made.map_err(|problem| format!("{law}: {problem}"))
}

/// A scalar alone is a constant; the name of a law alone is a mistake.
fn bare(text: &str, unit: Unit<'_>) -> Made {
    match known(text) {
        Ok(law) => Err(format!("`{law}` needs its parameters: {}", usage(law))),
        Err(_) if text.is_empty() => {
            Err("nothing found where a distribution is expected, such as exponential(mean=300)"
                .to_owned())
        }
        Err(unknown) if text.starts_with(char::is_alphabetic) => Err(unknown),
        Err(_) => Distribution::constant(unit(text)?),
    }
}

/// The law called `name`, in any case and with or without hyphens.
fn known(name: &str) -> Result<&'static str, String> {
    let simple = |name: &str| name.replace(['-', '_', ' '], "").to_lowercase();
    let mut laws = laws();
    let wanted = simple(name);
    laws.find(|law| simple(law) == wanted).ok_or_else(|| {
        let names: Vec<&str> = self::laws().collect();
        let hint = nearest(&wanted, &names)
            .unwrap_or_else(|| format!("expected one of {}", names.join(", ")));
        format!("there is no distribution `{}`; {hint}", name.trim())
    })
}

/// The name of each law, once.
fn laws() -> impl Iterator<Item = &'static str> {
    let mut last = "";
    FORMS.iter().map(|form| form.law).chain(PAIRED).filter(move |law| {
        let new = *law != last;
        last = law;
        new
    })
}

/// `did you mean ...?` for a name close to one of `names`.
fn nearest(found: &str, names: &[&str]) -> Option<String> {
    let closeness = |name: &str| strsim::jaro_winkler(found, name);
    let best = names.iter().max_by(|a, b| closeness(a).total_cmp(&closeness(b)))?;
    (closeness(best) > 0.75).then(|| format!("did you mean `{best}`?"))
}

/// How a law is written, for messages: its forms with `..` for values.
fn usage(law: &str) -> String {
    match law {
        "mixture" => return "mixture(weight: distribution, ..)".to_owned(),
        "quantiles" => return "quantiles(0: value, .., 1: value)".to_owned(),
        _ => {}
    }
    let forms: Vec<String> = forms(law).map(Form::usage).collect();
    forms.join(" or ")
}

fn forms(law: &str) -> impl Iterator<Item = &'static Form> {
    FORMS.iter().filter(move |form| form.law == law)
}

/// Chooses the form whose parameters are the ones given, and fills it.
fn from_form(law: &'static str, call: &Call<'_>, unit: Unit<'_>) -> Made {
    let lone = forms(law).find(|form| form.parameters.len() == 1);
    if let ([Argument { label: None, value }], Some(form)) = (&call.arguments[..], lone) {
        return form.make(&[read(form.parameters[0], value, unit)?]);
    }
    let given = labels(law, call)?;
    let matches = |form: &&Form| {
        form.parameters.len() == given.len()
            && form.parameters.iter().all(|(name, _)| given.contains(name))
    };
    let Some(form) = forms(law).find(matches) else {
        let found = if given.is_empty() { "nothing".to_owned() } else { given.join(", ") };
        return Err(format!("found {found}; expected {}", usage(law)));
    };
    let mut values = Vec::new();
    for parameter in form.parameters {
        let argument = call.arguments.iter().find(|argument| argument.is(parameter.0));
        let text = argument.map_or("", |argument| argument.value);
        values.push(read(*parameter, text, unit)?);
    }
    form.make(&values)
}

/// The labels of a call, each known to `law` and given once.
fn labels<'a>(law: &str, call: &Call<'a>) -> Result<Vec<&'a str>, String> {
    let names: Vec<&str> =
        forms(law).flat_map(|form| form.parameters).map(|parameter| parameter.0).collect();
    let mut given = Vec::new();
    for argument in &call.arguments {
        let Some((label, Mark::Equals)) = argument.label else {
            return Err(format!("`{}` has no parameter name; expected {}", argument, usage(law)));
        };
        if !names.contains(&label) {
            let hint = nearest(label, &names).unwrap_or_else(|| format!("expected {}", usage(law)));
            return Err(format!("there is no parameter `{label}`; {hint}"));
        }
        if given.contains(&label) {
            return Err(format!("`{label}` is given twice"));
        }
        given.push(label);
    }
    Ok(given)
}

/// The numbers of one parameter; a single one where it is not a list.
fn read((name, kind): (&str, Kind), text: &str, unit: Unit<'_>) -> Result<Vec<f64>, String> {
    let number: Unit<'_> = if kind.has_unit() { unit } else { &plain };
    let scalars = match (kind.is_list(), syntax::list(text)?) {
        (true, Some(items)) => items,
        (false, None) => vec![text],
        (true, None) => {
            return Err(format!("{name} must be a list such as [1, 2, 3], not `{text}`"));
        }
        (false, Some(_)) => return Err(format!("{name} must be one value, not the list {text}")),
    };
    let numbers = scalars.into_iter().map(number);
    numbers.collect::<Result<_, _>>().map_err(|problem| format!("{name}: {problem}"))
}

fn mixture(call: &Call<'_>, unit: Unit<'_>, depth: u32) -> Made {
    let pairs = pairs("mixture", call)?;
    let part =
        |(weight, text): (&str, &str)| Ok((plain(weight)?, parse_within(text, unit, depth + 1)?));
    Distribution::mixture(pairs.into_iter().map(part).collect::<Result<_, String>>()?)
}

fn quantiles(call: &Call<'_>, unit: Unit<'_>) -> Made {
    let point = |(p, value): (&str, &str)| Ok((plain(p)?, unit(value)?));
    let points = pairs("quantiles", call)?.into_iter().map(point);
    Distribution::quantiles(&points.collect::<Result<Vec<_>, String>>()?)
}

/// The arguments of a call, each of which must be `label: value`.
fn pairs<'a>(law: &str, call: &Call<'a>) -> Result<Vec<(&'a str, &'a str)>, String> {
    let pair = |argument: &Argument<'a>| match argument.label {
        Some((label, Mark::Colon)) => Ok((label, argument.value)),
        _ => Err(format!("found `{argument}`; expected {}", usage(law))),
    };
    call.arguments.iter().map(pair).collect()
}

/// A number without a unit.
fn plain(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| format!("expected a plain number, not `{text}`"))
}
