//! The observed bill of a backtest beside that of the run: what is said of it, and its part of `backtest.json`.

use serde::Serialize;
use serde_json::{Value, json};

use super::findings::ReadFigure;
use crate::experiment::backtest::{HeldBill, HeldLine, Uncompared, UncomparedWhy};
use crate::report::figure::difference;
use crate::report::run::document::to_the_minute;
use crate::units::{Calendar, Money, Time};

/// What is said of a bill.
#[derive(Clone, Debug, Serialize)]
pub(super) struct BillFindings<'a> {
    /// Beginning and end of what is compared.
    from: String,
    until: String,
    total: ReadFigure<'a>,
    /// The line that is furthest off, where there are several, and by how much.
    furthest: Option<(String, String)>,
    /// What the bill and the run are known of, where that is not the same.
    stretches: Option<[String; 2]>,
    /// Lines that the bill alone has, and those that the run alone has.
    one_sided: [Vec<String>; 2],
    /// What is left out, by why.
    outside: Vec<String>,
    providers: Vec<String>,
    not_modelled: Vec<String>,
    divided: u64,
}

impl BillFindings<'_> {
    pub(super) fn of(bill: &HeldBill) -> Self {
        let minute = |at| to_the_minute(&instant(at));
        let stretch = |(from, until)| format!("{} to {}", minute(from), minute(until));
        let [observed, simulated] = bill.total(None);
        let off = |line: &&HeldLine| {
            let error = line.simulated.unwrap_or_default() - line.observed.unwrap_or_default();
            error.nanos()
        };
        let furthest = bill.lines.iter().max_by_key(|line| off(line).abs());
        let furthest = furthest.filter(|line| bill.lines.len() > 1 && off(line) != 0);
        let one_sided = |is: fn(&HeldLine) -> Option<Money>| {
            let lines = bill.lines.iter();
            let lines = lines.filter_map(|line| Some((line, is(line)?)));
            let lines = lines.filter(|(_, amount)| *amount != Money::ZERO);
            lines.map(|(line, amount)| format!("{} {amount}", name(line))).collect()
        };
        let left = |why: UncomparedWhy| {
            let left = bill.left_out.iter().filter(|left| left.why == why);
            left.map(amounts_left).collect()
        };
        let is_same = bill.bill == bill.run;
        Self {
            from: minute(bill.stretch.0),
            until: minute(bill.stretch.1),
            total: ReadFigure {
                label: "bill",
                unit: "USD",
                observed: observed.dollars(),
                simulated: Some(simulated.dollars()),
            },
            furthest: furthest.map(|line| {
                let error = Money::from_nanos(off(&line)).dollars();
                (name(line), difference("USD", error))
            }),
            stretches: (!is_same).then(|| [stretch(bill.bill), stretch(bill.run)]),
            one_sided: [
                one_sided(|line| line.observed.filter(|_| line.simulated.is_none())),
                one_sided(|line| line.simulated.filter(|_| line.observed.is_none())),
            ],
            outside: left(UncomparedWhy::Outside),
            providers: left(UncomparedWhy::Provider),
            not_modelled: left(UncomparedWhy::NotModelled),
            divided: bill.divided,
        }
    }
}

fn name(line: &HeldLine) -> String {
    format!("{}: {}", line.provider, line.group)
}

/// `aws Tax (observed $3.00)`.
fn amounts_left(left: &Uncompared) -> String {
    let sides = [("observed", left.observed), ("simulated", left.simulated)];
    let sides = sides.into_iter().filter(|(_, amount)| *amount != Money::ZERO);
    let sides: Vec<String> = sides.map(|(side, amount)| format!("{side} {amount}")).collect();
    format!("{} ({})", left.what, sides.join(", "))
}

fn instant(at: Time) -> String {
    Calendar::from_unix_micros(0).format(at)
}

/// The bill, observed and simulated, in exact amounts.
pub(super) fn json(bill: &HeldBill) -> Value {
    let stretch = |(from, until): (Time, Time)| json!([instant(from), instant(until)]);
    let amounts = |[observed, simulated]: [Option<Money>; 2]| {
        let error = simulated.unwrap_or_default() - observed.unwrap_or_default();
        let [observed, simulated] = [observed, simulated].map(|side| side.map(Money::exact));
        json!({ "observed_usd": observed, "simulated_usd": simulated, "error_usd": error.exact() })
    };
    let line = |line: &HeldLine| {
        let mut json = amounts([line.observed, line.simulated]);
        (json["provider"], json["group"]) =
            (line.provider.as_str().into(), line.group.as_str().into());
        json
    };
    let left = |left: &Uncompared| {
        let mut json = amounts([left.observed, left.simulated].map(Some));
        (json["why"], json["what"]) = (json!(left.why), left.what.as_str().into());
        json
    };
    json!({
        "stretch": stretch(bill.stretch),
        "bill_stretch": stretch(bill.bill),
        "run_stretch": stretch(bill.run),
        "total": amounts(bill.total(None).map(Some)),
        "lines": bill.lines.iter().map(line).collect::<Vec<_>>(),
        "left_out": bill.left_out.iter().map(left).collect::<Vec<_>>(),
        "divided": bill.divided,
    })
}
