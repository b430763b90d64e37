//! The text form of distributions in scenario files:
//! `exponential(mean=5 min)`, `mixture(0.7: exponential(mean=3), 0.3: 5)`.

mod form;
mod syntax;

use std::str::FromStr;

use super::{Distribution, Made};
use form::{FORMS, Form, ParameterKind};
use syntax::{Argument, CallSyntax, Separator};

/// Mixtures within mixtures: far more than anyone needs, far less than the
/// program's stack.
const DEEPEST: u32 = 16;

/// Laws whose arguments are pairs `p: value`, so not in the table of forms.
const PAIRED: [&str; 2] = ["mixture", "quantiles"];

/// Turns a scalar such as `5 min` into a number of the caller's unit.
type ScalarParser<'a> = &'a dyn Fn(&str) -> Result<f64, String>;

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

fn parse_within(text: &str, unit: ScalarParser<'_>, depth: u32) -> Made {
    if depth > DEEPEST {
        return Err(format!("mixtures are nested more than {DEEPEST} deep"));
    }
    let Some(call) = CallSyntax::read(text)? else {
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
fn bare(text: &str, unit: ScalarParser<'_>) -> Made {
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

/// Notation of a law, for messages: its forms with `..` for values.
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
fn from_form(law: &'static str, call: &CallSyntax<'_>, unit: ScalarParser<'_>) -> Made {
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
fn labels<'a>(law: &str, call: &CallSyntax<'a>) -> Result<Vec<&'a str>, String> {
    let names: Vec<&str> =
        forms(law).flat_map(|form| form.parameters).map(|parameter| parameter.0).collect();
    let mut given = Vec::new();
    for argument in &call.arguments {
        let Some((label, Separator::Equals)) = argument.label else {
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
fn read(
    (name, kind): (&str, ParameterKind),
    text: &str,
    unit: ScalarParser<'_>,
) -> Result<Vec<f64>, String> {
    let number: ScalarParser<'_> = if kind.has_unit() { unit } else { &plain };
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

fn mixture(call: &CallSyntax<'_>, unit: ScalarParser<'_>, depth: u32) -> Made {
    let pairs = pairs("mixture", call)?;
    let part =
        |(weight, text): (&str, &str)| Ok((plain(weight)?, parse_within(text, unit, depth + 1)?));
    Distribution::mixture(pairs.into_iter().map(part).collect::<Result<_, String>>()?)
}

fn quantiles(call: &CallSyntax<'_>, unit: ScalarParser<'_>) -> Made {
    let point = |(p, value): (&str, &str)| Ok((plain(p)?, unit(value)?));
    let points = pairs("quantiles", call)?.into_iter().map(point);
    Distribution::quantiles(&points.collect::<Result<Vec<_>, String>>()?)
}

/// The arguments of a call, each of which must be `label: value`.
fn pairs<'a>(law: &str, call: &CallSyntax<'a>) -> Result<Vec<(&'a str, &'a str)>, String> {
    let pair = |argument: &Argument<'a>| match argument.label {
        Some((label, Separator::Colon)) => Ok((label, argument.value)),
        _ => Err(format!("found `{argument}`; expected {}", usage(law))),
    };
    call.arguments.iter().map(pair).collect()
}

/// A number without a unit.
fn plain(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| format!("expected a plain number, not `{text}`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Spans in seconds and sizes in GiB, as a scenario reader would.
    fn seconds(text: &str) -> Result<f64, String> {
        let split = text.find(|c: char| c.is_alphabetic()).unwrap_or(text.len());
        let (number, unit) = (text[..split].trim(), &text[split..]);
        let scale = match unit {
            "" | "s" | "GiB" => 1.0,
            "ms" => 0.001,
            "min" => 60.0,
            "h" => 3600.0,
            "d" => 86400.0,
            "MiB" => 1.0 / 1024.0,
            _ => return Err(format!("there is no unit `{unit}`")),
        };
        plain(number).map(|number| number * scale)
    }

    fn parse(text: &str) -> Made {
        Distribution::parse(text, &seconds)
    }

    #[test]
    fn every_form_makes_its_distribution() {
        let forms = [
            ("constant(5)", Distribution::constant(5.0)),
            ("5 min", Distribution::constant(300.0)),
            (" uniform( low = 1 min , high = 1 h ) ", Distribution::uniform(60.0, 3600.0)),
            ("exponential(mean=300 s)", Distribution::exponential(300.0)),
            ("Exponential(5 min)", Distribution::exponential(300.0)),
            ("normal(sd=250 ms, mean=2)", Distribution::normal(2.0, 0.25)),
            ("lognormal(median=35, p95=90)", Distribution::lognormal_median_p95(35.0, 90.0)),
            ("log-normal(mean=35, sd=2)", Distribution::lognormal_mean_sd(35.0, 2.0)),
            ("lognormal(mean=35, sigma=2)", Distribution::lognormal_mean_sigma(35.0, 2.0)),
            ("lognormal(median=35, sigma=2)", Distribution::lognormal_median_sigma(35.0, 2.0)),
            ("weibull(shape=0.7, scale=1 d)", Distribution::weibull(0.7, 86400.0)),
            ("weibull(shape=0.7, mean=1 d)", Distribution::weibull_mean(0.7, 86400.0)),
            ("pareto(shape=1.5, minimum=512 MiB)", Distribution::pareto(1.5, 0.5)),
            (
                "bounded_pareto(shape=1.5, low=1 GiB, high=64 GiB)",
                Distribution::bounded_pareto(1.5, 1.0, 64.0),
            ),
            ("gamma(shape=2, mean=1 min)", Distribution::gamma(2.0, 30.0)),
            ("gamma(shape=2, scale=1 min)", Distribution::gamma(2.0, 60.0)),
            ("hyperexponential(mean=300, scv=4)", Distribution::hyperexponential_scv(300.0, 4.0)),
            (
                "hyperexponential(weights=[3, 1], means=[1 s, 1 min])",
                Distribution::hyperexponential(&[(3.0, 1.0), (1.0, 60.0)]),
            ),
            ("erlang(k=3, mean=1 h)", Distribution::erlang(3, 3600.0)),
            ("empirical([2, 1])", Distribution::empirical(&[1.0, 2.0], &[1.0, 1.0])),
            (
                "empirical(values=[2 min, 1 s], weights=[0.5, 3])",
                Distribution::empirical(&[1.0, 120.0], &[3.0, 0.5]),
            ),
            ("quantiles(0: 1 s, 1: 1 min)", Distribution::quantiles(&[(0.0, 1.0), (1.0, 60.0)])),
            (
                "mixture(0.7: exponential(mean=3 min), 0.3: 5)",
                Distribution::exponential(180.0).and_then(|exponential| {
                    Distribution::mixture(vec![
                        (0.7, exponential),
                        (0.3, Distribution::Constant(5.0)),
                    ])
                }),
            ),
        ];
        for (text, expected) in forms {
            assert_eq!(parse(text), expected, "{text}");
            assert!(expected.is_ok(), "{text}");
        }
    }

    #[test]
    fn what_is_displayed_reads_back() {
        let texts = [
            "constant(5)",
            "uniform(low=2, high=6.5)",
            "exponential(mean=300)",
            "normal(mean=-10, sd=3)",
            "lognormal(median=35, p95=90)",
            "weibull(shape=0.7, scale=100)",
            "pareto(shape=1.5, minimum=2)",
            "bounded-pareto(shape=1.1, low=1, high=1000)",
            "gamma(shape=2.5, scale=4)",
            "hyperexponential(weights=[0.5, 2], means=[3, 70])",
            "erlang(k=20, mean=60)",
            "empirical(values=[1, 2, 7])",
            "empirical(values=[1, 2, 7], weights=[1, 0.5, 2])",
            "quantiles(0: 10, 0.5: 30, 0.95: 90, 1: 400)",
            "mixture(0.7: exponential(mean=3), 0.3: mixture(1: constant(5), 2: constant(6)))",
        ];
        for text in texts {
            assert_eq!(text.parse::<Distribution>().unwrap().to_string(), text);
        }
        let long: Vec<f64> = (1..=99).map(f64::from).collect();
        let long = Distribution::empirical_equal(&long).unwrap().to_string();
        assert_eq!(long, "empirical(99 values from 1 to 99, mean 50)");
    }

    #[test]
    fn errors_say_what_was_found_and_what_is_expected() {
        let errors = [
            ("", "nothing found where a distribution is expected, such as exponential(mean=300)"),
            (
                "exponental(mean=3)",
                "there is no distribution `exponental`; did you mean `exponential`?",
            ),
            (
                "lognormal",
                "`lognormal` needs its parameters: lognormal(median=.., p95=..) or lognormal(median=.., sigma=..) or lognormal(mean=.., sd=..) or lognormal(mean=.., sigma=..)",
            ),
            ("exponential()", "exponential: found nothing; expected exponential(mean=..)"),
            (
                "exponential(maen=3)",
                "exponential: there is no parameter `maen`; did you mean `mean`?",
            ),
            (
                "weibull(shape=1)",
                "weibull: found shape; expected weibull(shape=.., scale=..) or weibull(shape=.., mean=..)",
            ),
            (
                "uniform(1, 2)",
                "uniform: `1` has no parameter name; expected uniform(low=.., high=..)",
            ),
            ("uniform(low=1, low=2)", "uniform: `low` is given twice"),
            ("exponential(mean=3 parsec)", "exponential: mean: there is no unit `parsec`"),
            ("exponential(mean=-3)", "exponential: mean must be above 0, not -3"),
            (
                "exponential(mean=[1, 2])",
                "exponential: mean must be one value, not the list [1, 2]",
            ),
            ("weibull(shape=2 s, scale=3)", "weibull: shape: expected a plain number, not `2 s`"),
            ("erlang(k=2.5, mean=3)", "erlang: k must be a whole number from 1 to 1000, not 2.5"),
            ("empirical(values=3)", "empirical: values must be a list such as [1, 2, 3], not `3`"),
            ("empirical(values=[3)", "`values=[3` lacks a closing bracket `]`"),
            ("constant(5", "`constant(5` does not end with its closing bracket `)`"),
            ("constant(5))", "`5)` has a closing bracket `)` too many"),
            ("uniform(low=1,, high=2)", "`low=1,, high=2` has a comma with nothing beside it"),
            (
                "mixture(0.5: expo(3), 1: 2)",
                "mixture: there is no distribution `expo`; did you mean `exponential`?",
            ),
            (
                "mixture(0.5= 3)",
                "mixture: found `0.5=3`; expected mixture(weight: distribution, ..)",
            ),
            ("mixture()", "mixture: the weights must have a positive sum, not 0"),
            (
                "quantiles(0: 1, 0.5: 2)",
                "quantiles: the quantiles must begin at p = 0 and end at p = 1",
            ),
        ];
        for (text, expected) in errors {
            assert_eq!(parse(text), Err(expected.to_owned()), "{text}");
        }
        let unknown = parse("zzz(3)").unwrap_err();
        assert!(unknown.starts_with("there is no distribution `zzz`; expected one of constant, "));
        assert!(unknown.ends_with("empirical, mixture, quantiles"), "{unknown}");
        let deep = "mixture(1: ".repeat(40) + "5" + &")".repeat(40);
        assert!(parse(&deep).unwrap_err().contains("nested more than 16 deep"));
    }

    proptest! {
        /// Any text is a distribution or an error, never a panic; and a
        /// distribution once read is finite to draw from.
        #[test]
        fn any_text_is_read_or_refused(
            text in "(mixture|quantiles|empirical|erlang|é)?[(\\[]?([a-z]{0,5}[=:]?[0-9.é]{0,3}[,()\\[\\]]?){0,6}\\)?"
        ) {
            if let Ok(distribution) = parse(&text) {
                let mut stream = crate::units::Stream::new(1, "fuzz");
                prop_assert!(distribution.sample(&mut stream).is_finite());
            }
        }
    }
}
