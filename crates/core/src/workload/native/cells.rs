//! Rules as cells: names separated by `|`, in which `\` stands before a `|`,
//! `=` or `\` of the name itself.

use crate::model::{Rules, Spread, Together};

use super::super::names::text;
use super::super::number::{BadValue, seconds};
use super::NativeColumn;

/// Reads `cell` into `rules`; other columns than those of rules are left alone.
pub(super) fn read(column: NativeColumn, cell: &[u8], rules: &mut Rules) -> Result<(), BadValue> {
    if cell.is_empty() {
        return Ok(());
    }
    match column {
        NativeColumn::Throughput => rules.throughput = throughput(cell)?,
        NativeColumn::Spread => {
            let found = SPREADS.into_iter().find(|(name, _)| name.as_bytes() == cell);
            rules.spread = found.ok_or("is not a spread (instances, zones, even-zones)")?.1;
        }
        NativeColumn::Together => {
            let found = Together::ALL.into_iter().find(|one| one.name().as_bytes() == cell);
            rules.together =
                Some(found.ok_or("is not how close (zone, region, provider, anywhere)")?);
        }
        _ => {
            if let Some(list) = list_mut(rules, column) {
                *list = names(cell)?;
            }
        }
    }
    Ok(())
}

/// Writes the cell of `column` to `cell`, which stays empty where the rules say nothing.
pub(super) fn write(column: NativeColumn, rules: &Rules, cell: &mut String) {
    match column {
        NativeColumn::Throughput => {
            for (at, (model, speed)) in rules.throughput.iter().enumerate() {
                cell.push_str(if at > 0 { "|" } else { "" });
                escape(model, cell);
                cell.push('=');
                super::super::number::show_seconds(i64::from(*speed), cell);
            }
        }
        NativeColumn::Spread => {
            let found = SPREADS.into_iter().find(|&(_, spread)| spread == rules.spread);
            cell.push_str(found.map_or("", |(name, _)| name));
        }
        NativeColumn::Together => cell.push_str(rules.together.map_or("", Together::name)),
        _ => {
            for (at, name) in list(rules, column).iter().enumerate() {
                cell.push_str(if at > 0 { "|" } else { "" });
                escape(name, cell);
            }
        }
    }
}

const SPREADS: [(&str, Spread); 3] =
    [("instances", Spread::Instances), ("zones", Spread::Zones), ("even-zones", Spread::EvenZones)];

fn list(rules: &Rules, column: NativeColumn) -> &[String] {
    match column {
        NativeColumn::Providers => &rules.providers.allowed,
        NativeColumn::NotProviders => &rules.providers.forbidden,
        NativeColumn::Regions => &rules.regions.allowed,
        NativeColumn::NotRegions => &rules.regions.forbidden,
        NativeColumn::Types => &rules.types.allowed,
        NativeColumn::NotTypes => &rules.types.forbidden,
        NativeColumn::Offers => &rules.offers.allowed,
        NativeColumn::NotOffers => &rules.offers.forbidden,
        NativeColumn::Markets => &rules.markets.allowed,
        NativeColumn::NotMarkets => &rules.markets.forbidden,
        NativeColumn::GpuModels => &rules.gpu_models.allowed,
        NativeColumn::NotGpuModels => &rules.gpu_models.forbidden,
        NativeColumn::Jurisdictions => &rules.jurisdictions,
        NativeColumn::Certifications => &rules.certifications,
        _ => &[],
    }
}

fn list_mut(rules: &mut Rules, column: NativeColumn) -> Option<&mut Vec<String>> {
    Some(match column {
        NativeColumn::Providers => &mut rules.providers.allowed,
        NativeColumn::NotProviders => &mut rules.providers.forbidden,
        NativeColumn::Regions => &mut rules.regions.allowed,
        NativeColumn::NotRegions => &mut rules.regions.forbidden,
        NativeColumn::Types => &mut rules.types.allowed,
        NativeColumn::NotTypes => &mut rules.types.forbidden,
        NativeColumn::Offers => &mut rules.offers.allowed,
        NativeColumn::NotOffers => &mut rules.offers.forbidden,
        NativeColumn::Markets => &mut rules.markets.allowed,
        NativeColumn::NotMarkets => &mut rules.markets.forbidden,
        NativeColumn::GpuModels => &mut rules.gpu_models.allowed,
        NativeColumn::NotGpuModels => &mut rules.gpu_models.forbidden,
        NativeColumn::Jurisdictions => &mut rules.jurisdictions,
        NativeColumn::Certifications => &mut rules.certifications,
        _ => return None,
    })
}

/// Splits at `separator`, except behind a backslash, which stays.
fn split(cell: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, character) in cell.char_indices() {
        if escaped {
            escaped = false;
        } else if character == '\\' {
            escaped = true;
        } else if character == separator {
            parts.push(&cell[start..at]);
            start = at + character.len_utf8();
        }
    }
    parts.push(&cell[start..]);
    parts
}

fn names(cell: &[u8]) -> Result<Vec<String>, BadValue> {
    split(text(cell)?, '|').into_iter().map(unescape).collect()
}

fn throughput(cell: &[u8]) -> Result<Vec<(String, u32)>, BadValue> {
    let entry = |entry: &str| {
        let parts = split(entry, '=');
        let [model, speed] = parts[..] else {
            return Err("is not a list such as `V100=1|A100=2.5`");
        };
        let speed = u32::try_from(seconds(speed.as_bytes())?);
        Ok((unescape(model)?, speed.map_err(|_| "has a speed out of range (0 to 4294)")?))
    };
    split(text(cell)?, '|').into_iter().map(entry).collect()
}

fn escape(name: &str, cell: &mut String) {
    for character in name.chars() {
        if matches!(character, '|' | '=' | '\\') {
            cell.push('\\');
        }
        cell.push(character);
    }
}

fn unescape(name: &str) -> Result<String, BadValue> {
    let mut plain = String::with_capacity(name.len());
    let mut characters = name.chars();
    while let Some(character) = characters.next() {
        if character == '\\' {
            plain.push(characters.next().ok_or("ends in a backslash")?);
        } else {
            plain.push(character);
        }
    }
    if plain.is_empty() { Err("has an empty name in it") } else { Ok(plain) }
}
