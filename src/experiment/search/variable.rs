//! Variable that a plan may decide: a single value of the scenario, and the values that it may
//! have.

use rust_decimal::prelude::ToPrimitive as _;

use super::super::sweep::{Axis, Level, pieces, unquoted};
use crate::problem::{Problem, clip};
use crate::scenario::{Quantity, ValueKind, kind_of};

/// Parts of a scenario that are the question, not the answer.
const GIVEN: [&str; 10] = [
    "question",
    "plan",
    "objectives",
    "alert",
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
    /// The numbers, in the unit of the first; `None` if any is a word.
    pub numbers: Option<Vec<f64>>,
    /// The values that would come before the first and after the last, as far off as the one
    /// next to each; `None` for words.
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
        let refused = |message: String, hint: String| Problem::with(&place, message).hint(hint);
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
            return Err(refused(message.to_owned(), format!("write `{}`", clip(only.trim()))));
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
            return Err(refused(message, hint));
        }
        let axis = Axis::read(key, values)
            .map_err(|problem| Problem { path: place.clone(), ..problem })?;
        let Some(axis) = axis else {
            let message = match unquoted(values) {
                "" => "there is no value to choose from".to_owned(),
                only => format!("there is nothing to choose: only `{}`", clip(only)),
            };
            return Err(refused(message, USAGE.to_owned()));
        };
        let Some(levels) = axis.grid() else {
            let message = "the range does not say which values are meant".to_owned();
            return Err(refused(message, FEW.to_owned()));
        };
        let quantity = |level: &Level| {
            let found = Quantity::read(&level.text)?;
            Some(Quantity { number: found.number.normalize(), ..found })
        };
        let quantities: Option<Vec<Quantity>> = levels.iter().map(quantity).collect();
        let key = key.to_owned();
        let one_unit = |all: &Vec<Quantity>| all.iter().all(|one| one.unit == all[0].unit);
        let Some(mut all) = quantities.filter(one_unit) else {
            let levels = levels.into_iter().map(|level| level.text).collect();
            return Ok(Self { key, levels, numbers: None, beyond: None });
        };
        all.sort_by_key(|one| one.number);
        let numbers = all.iter().map(|one| one.number.to_f64().unwrap_or(f64::MAX)).collect();
        let levels = all.iter().map(Quantity::to_string).collect();
        let past = |end: &Quantity, next: &Quantity| {
            let number = (end.number + end.number - next.number).normalize();
            Quantity { number, unit: end.unit.clone() }.to_string()
        };
        let beyond = (all.len() > 1)
            .then(|| [past(&all[0], &all[1]), past(&all[all.len() - 1], &all[all.len() - 2])]);
        Ok(Self { key, levels, numbers: Some(numbers), beyond })
    }
}

const USAGE: &str = "write `4..40`, `10 min..2 h:12` for 12 values, `8..64 step 8`, or `a, b, c`";
/// Hint for a range without a number of values, or with too many.
const FEW: &str = "add how many values, at most 10,000 (`10 min..2 h:12`), or a step \
    (`10 min..120 min step 10 min`)";

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
        refuse("a,b,a", "`a` is in the list twice");
        refuse("1 min..2 kg:3", "`min` and `kg` cannot be set against each other");
        refuse("1 min..9 min", "the range does not say which values are meant");
        refuse("4..40 step 7", "steps of `7` do not lead from one end to the other");
        refuse("4..40 step 0", "steps of `0` do not lead from one end to the other");
        refuse("4..40:4.5", "a range has from 2 to 10000 values, found `4.5`");
        refuse("log:0..9:3", "`0` has no logarithm");
        refuse("a..b", "`a..b` is no range of numbers");
        refuse("1..1000000", "the range does not say which values are meant");
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
