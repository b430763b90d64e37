//! Values of parameters, as a scenario gives them.

use super::composition::unknown_name;
use super::section::{ConfigTable, Diagnostics};
use super::value::Value;
use super::work::check_names;
use super::{columns, quantity};
use crate::model::{Market, World};
use crate::part::{DemandMix, Parameter, Setting, SettingKind};
use crate::problem::clip;
use crate::units::Span;
use crate::workload::zone_exists;

/// The value of `parameter` in `table`; `None` if it is not there, or is wrong and reported. Names
/// are looked for in `world`, which is needed only by parameters that are names.
pub(super) fn read(
    parameter: &Parameter,
    table: &ConfigTable,
    world: Option<&World>,
    report: &mut Diagnostics<'_>,
) -> Option<Setting> {
    let name = parameter.name;
    match parameter.kind {
        SettingKind::Flag => table.flag(name).map(Setting::Flag),
        SettingKind::Count(..) => table.count(name).map(Setting::Count),
        SettingKind::Vcpus => table.amount(name).map(Setting::Vcpus),
        SettingKind::Memory => table.amount(name).map(Setting::Memory),
        SettingKind::Span => table.span(name).map(Setting::Span),
        SettingKind::SpanAboveZero => {
            let span = table.span(name)?;
            if span == Span::ZERO {
                let message = format!("`{name}` must be longer than 0");
                report.hint(&table.spot(name), message, "such as `\"30 min\"`");
            }
            (span > Span::ZERO).then_some(Setting::Span(span))
        }
        SettingKind::SpanOr(word) => span_or(word, name, table, report),
        SettingKind::TimeZone => time_zone(name, table, report),
        SettingKind::Word(words) => {
            let text = table.text(name)?;
            words.iter().find(|word| **word == text).map(|word| Setting::Word(word))
        }
        SettingKind::Providers
        | SettingKind::Regions
        | SettingKind::Types
        | SettingKind::Families => table.has(name).then(|| {
            if let Some(world) = world {
                check_names(name, table.texts(name), world, report);
            }
            Setting::Names(table.names(name))
        }),
        SettingKind::Markets => markets(&table.names(name)),
        SettingKind::Fleets => {
            let fleets = world.map(|world| fleets(&table.section(name), world, report))?;
            table.has(name).then_some(fleets.into())
        }
        SettingKind::Mix => table.text(name).map(|source| {
            let source = source.to_owned().into();
            Setting::Mix(DemandMix { source, demands: Vec::new() })
        }),
        SettingKind::Columns => {
            table.has(name).then(|| columns::read(&table.section(name), report).into())
        }
    }
}

fn span_or(
    word: &'static str,
    name: &str,
    table: &ConfigTable,
    report: &mut Diagnostics<'_>,
) -> Option<Setting> {
    let text = table.text(name)?;
    let span = quantity::span(text).map(Setting::Span);
    let found = span.or_else(|| (text == word).then_some(Setting::Unset(word)));
    if found.is_none() {
        let message = format!(
            "`{name}` must be `\"{word}\"` or a span such as `\"10 s\"`, found `{}`",
            clip(text)
        );
        report.at(&table.spot(name), message);
    }
    found
}

fn time_zone(name: &str, table: &ConfigTable, report: &mut Diagnostics<'_>) -> Option<Setting> {
    let zone = table.text(name)?;
    if !zone_exists(zone) {
        let message = format!("there is no time zone called `{}`", clip(zone));
        let hint = "such as `Europe/Berlin` or `America/New_York`";
        report.hint(&table.spot(name), message, hint);
    }
    Some(Setting::Text(zone.to_owned()))
}

fn markets(named: &[String]) -> Option<Setting> {
    let all = [Market::OnDemand, Market::Spot];
    let known = named.iter().filter_map(|name| all.iter().find(|one| one.name() == name));
    let mut markets: Vec<Market> = known.copied().collect();
    markets.dedup();
    (!markets.is_empty()).then(|| markets.into())
}

/// Numbers of instances by offer.
fn fleets(table: &ConfigTable, world: &World, report: &mut Diagnostics<'_>) -> Vec<(String, u32)> {
    let mut fleets = Vec::new();
    for entry in &table.entries {
        let Value::Count(count) = entry.node.value else { continue };
        let offer = world.offers.rows().iter().find(|offer| offer.name == entry.name);
        match offer {
            Some(offer) if offer.market == Market::Owned => {
                report.at(
                    &entry.key,
                    format!("`{}` is owned, it cannot be rented", clip(&entry.name)),
                );
            }
            Some(_) => fleets.push((entry.name.clone(), u32::try_from(count).unwrap_or(u32::MAX))),
            None => {
                let known: Vec<&str> =
                    world.offers.rows().iter().map(|offer| offer.name.as_str()).collect();
                let message = format!("there is no offer called `{}`", clip(&entry.name));
                report.hint(&entry.key, message, unknown_name(&entry.name, &known));
            }
        }
    }
    fleets
}
