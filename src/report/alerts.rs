//! `alerts.csv`: when the rules of the scenario called; and the same as a table.

use std::io;

use serde::Serialize;

use super::document::{Section, SectionPlace, Table};
use super::figure::{clean, count, figure};
use super::sheet::{Sheet, TextCells};
use crate::experiment::RunResult;
use crate::metrics::{Alert, AlertRule, MOST_ALERTS, SignalKind};
use crate::units::Time;

/// The columns, in order.
pub(super) const COLUMNS: [&str; 7] =
    ["rule", "signal", "from_s", "until_s", "ended", "worst", "unit"];

/// Alerts of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AlertReport {
    /// The rules, in the order of the scenario.
    pub rules: Vec<RuleReport>,
    /// The alerts in order of their beginning, as far as they are kept one by one.
    pub log: Vec<LoggedAlert>,
}

/// A rule, and how often it called.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct RuleReport {
    /// Its name.
    pub rule: String,
    /// What it says, in words.
    pub condition: String,
    /// Number of alerts.
    pub alerts: u64,
    /// Seconds in which there was one.
    pub time_s: f64,
    #[serde(skip)]
    signal: &'static str,
    #[serde(skip)]
    unit: &'static str,
    #[serde(skip)]
    above: bool,
    /// It is a threshold of a budget, which stays crossed to the end of the period.
    #[serde(skip)]
    is_of_budget: bool,
}

/// An alert.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LoggedAlert {
    /// Name of its rule.
    pub rule: String,
    /// When it began, in seconds since the run's start.
    pub from_s: f64,
    /// When it ended, or the run did.
    pub until_s: f64,
    /// Whether it ended before the run.
    pub ended: bool,
    /// The value furthest beyond the threshold.
    pub worst: f64,
    /// Unit of that value.
    pub unit: &'static str,
    #[serde(skip)]
    row: usize,
    #[serde(skip)]
    times: (Time, Time),
}

impl AlertReport {
    /// Report of the alerts of these rules.
    pub fn of(rules: &[AlertRule], result: &RunResult) -> Self {
        let rule = |(rule, count): (&AlertRule, &crate::metrics::AlertCount)| RuleReport {
            rule: rule.name.clone(),
            condition: condition(rule),
            alerts: count.alerts,
            time_s: count.time.secs_f64(),
            signal: rule.signal.name(),
            unit: rule.signal.unit(),
            above: rule.above,
            is_of_budget: rule.signal.kind() == SignalKind::Budget,
        };
        let alert = |alert: &Alert| LoggedAlert {
            rule: rules[alert.rule].name.clone(),
            from_s: alert.from.secs_f64(),
            until_s: alert.until.secs_f64(),
            ended: alert.over,
            worst: alert.worst,
            unit: rules[alert.rule].signal.unit(),
            row: alert.rule,
            times: (alert.from, alert.until),
        };
        Self {
            rules: rules.iter().zip(&result.alert_counts).map(rule).collect(),
            log: result.alerts.iter().map(alert).collect(),
        }
    }

    /// Writes one row per alert.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn write_csv<W: io::Write>(&self, out: W, cells: TextCells) -> io::Result<W> {
        let mut sheet = Sheet::new(out, cells, COLUMNS);
        for alert in &self.log {
            sheet.text(&alert.rule);
            sheet.word(self.rules[alert.row].signal);
            sheet.time(Some(alert.times.0));
            sheet.time(Some(alert.times.1));
            sheet.word(if alert.ended { "yes" } else { "no" });
            sheet.number(Some(alert.worst));
            sheet.word(alert.unit);
            sheet.end_row();
        }
        sheet.finish()
    }

    /// Times of all alerts but those of budgets, those that overlap as one, in order.
    pub(super) fn times(&self) -> Vec<(Time, Time)> {
        let mut times: Vec<(Time, Time)> = Vec::new();
        for alert in self.log.iter().filter(|alert| !self.rules[alert.row].is_of_budget) {
            match times.last_mut().filter(|last| alert.times.0 <= last.1) {
                Some(last) => last.1 = last.1.max(alert.times.1),
                None => times.push(alert.times),
            }
        }
        times
    }

    /// The section of a page and of the terminal, if there are rules.
    pub(super) fn section(&self) -> Option<Section> {
        if self.rules.is_empty() {
            return None;
        }
        let head = ["rule", "alert while", "alerts", "time in alert", "worst"];
        let mut table = Table::new("Alerts", &head);
        table.words = 2;
        for (row, rule) in self.rules.iter().enumerate() {
            let worst = self.log.iter().filter(|alert| alert.row == row).map(|alert| alert.worst);
            let worst = worst.reduce(if rule.above { f64::max } else { f64::min });
            table.row([
                clean(&rule.rule),
                clean(&rule.condition),
                count(rule.alerts),
                figure("s", Some(rule.time_s)),
                figure(rule.unit, worst),
            ]);
        }
        let section = Section::new("Alerts", SectionPlace::Front).tables([table]);
        let all: u64 = self.rules.iter().map(|rule| rule.alerts).sum();
        Some(match all.saturating_sub(MOST_ALERTS as u64) {
            0 => section,
            more => section.note(format!("{} more alerts are not in alerts.csv.", count(more))),
        })
    }
}

/// What a rule says: `waiting > 100 over 1 h and 5 min for 10 min`.
fn condition(rule: &AlertRule) -> String {
    let (unit, is_of_budget) = (rule.signal.unit(), rule.signal.kind() == SignalKind::Budget);
    let side = match rule.above {
        true if is_of_budget => "≥",
        true => ">",
        false => "<",
    };
    let mut words = format!("{} {side} {}", rule.signal.name(), figure(unit, Some(rule.threshold)));
    if !rule.over.is_empty() {
        let over: Vec<String> = rule.over.iter().map(ToString::to_string).collect();
        words += &format!(" over {}", over.join(" and "));
    }
    if rule.lasting.micros() > 0 {
        words += &format!(" for {}", rule.lasting);
    }
    words
}
