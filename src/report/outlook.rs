//! The weather that a scenario will have, before any policy runs.

use std::io;

use serde_json::{Value, json};

use super::chart::{Chart, outlook_charts};
use super::document::{Card, Document, Section, SectionPlace, Table, unquoted};
use super::figure::{amount, count, rounded, share};
use super::recipe::Recipe;
use super::words::{dollars, several, write_json};
use crate::model::{CapacityState, Fault, FaultDomain, FaultEffect, FaultTimes, World};
use crate::units::{Distribution, Time};
use crate::weather::{CapacityOutlook, FaultRibbon, FaultRow, Outlook, PoolOutlook};

/// Rows of a table in documents at most.
const MOST_ROWS: usize = 40;

/// The weather of a scenario for one seed.
#[derive(Clone, Copy, Debug)]
pub struct OutlookReport<'a> {
    /// Name of the scenario.
    pub scenario: &'a str,
    /// World that it is the weather of.
    pub world: &'a World,
    /// Seed of the run that will meet it.
    pub seed: u64,
    /// What was drawn.
    pub outlook: &'a Outlook,
    /// What will be out.
    pub faults: &'a FaultRibbon,
    /// Assumptions of the scenario that a reader must know.
    pub assumptions: &'a [String],
    /// Inputs that made it.
    pub recipe: Option<&'a Recipe>,
}

impl OutlookReport<'_> {
    /// Charts of the weather.
    pub fn charts(&self) -> Vec<Chart> {
        outlook_charts(self.world, self.outlook, self.faults)
    }

    /// The document; `charts` are those of the weather, in order.
    pub fn document(&self, charts: Vec<Chart>) -> Document {
        let title = format!("Weather of {}", unquoted(self.scenario));
        let mut document = Document::titled(Some(title.as_str()), "");
        let calendar = self.world.calendar;
        let (from, until) = (self.outlook.from, self.outlook.until);
        document.about =
            format!("{} to {}, seed {}", calendar.format(from), calendar.format(until), self.seed);
        document.answer.headline = self.headline();
        document.answer.bullets = self.bullets();
        document.cards = self.cards();
        document.assumptions = vec![
            "Weather does not depend on what a policy does: every policy of this seed meets it."
                .to_owned(),
        ];
        document.assumptions.extend_from_slice(self.assumptions);
        if let Some(recipe) = self.recipe {
            document.made_by(recipe);
            document.files = vec![("weather.json".to_owned(), "all of it for programs")];
        }
        document.add(Section::of(self.capacities(), SectionPlace::Front).note(SPELLS));
        document.add(Section::of(self.prices(), SectionPlace::Front));
        document.add(Section::of(self.failures(), SectionPlace::Front));
        document.add(Section::new("Charts", SectionPlace::Page).charts(charts));
        document.sections.retain(|section| {
            section.tables.iter().any(|table| !table.rows.is_empty()) || !section.charts.is_empty()
        });
        document
    }

    /// Everything for programs.
    ///
    /// # Errors
    /// The first error of the writer.
    pub fn write_json(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let (calendar, outlook) = (self.world.calendar, self.outlook);
        let pools: Vec<Value> = outlook.pools.iter().map(|pool| self.pool(pool)).collect();
        let value = json!({
            "scenario": self.scenario,
            "seed": self.seed,
            "from": calendar.format(outlook.from),
            "until": calendar.format(outlook.until),
            "seconds": self.seconds(),
            "steady_offers": outlook.steady,
            "pools": pools,
            "faults": self.world.faults.iter().map(|fault| self.fault(fault)).collect::<Vec<_>>(),
            "out": self.faults.rows().map(|row| self.out(row)).collect::<Vec<_>>(),
        });
        write_json(&value, out)
    }

    fn pool(&self, pool: &PoolOutlook) -> Value {
        let mut value = json!({ "offer": self.world.offers[pool.offer].name });
        if let Some(capacity) = &pool.capacity {
            let state = |(state, sums): (CapacityState, &crate::weather::SpellSums)| {
                let sums = json!({
                    "share": self.share(sums),
                    "spells": sums.count,
                    "mean_s": mean(sums),
                    "longest_s": sums.longest.secs_f64(),
                });
                (state.name().to_owned(), sums)
            };
            let states = CapacityState::ALL.into_iter().zip(&capacity.states).map(state);
            value["capacity"] = json!({
                "most": capacity.most,
                "falls": capacity.falls,
                "mean_share": mean_share(capacity),
                "states": states.collect::<serde_json::Map<String, Value>>(),
                "shares": capacity.shares,
            });
        }
        if let Some(price) = &pool.price {
            let part =
                |of: fn(&(f64, f64, f64)) -> f64| price.parts.iter().map(of).collect::<Vec<_>>();
            value["price"] = json!({
                "low": price.low,
                "mean": price.mean,
                "high": price.high,
                "changes": price.changes,
                "means": part(|part| part.0),
                "lows": part(|part| part.1),
                "highs": part(|part| part.2),
            });
        }
        value
    }

    /// What is out over time, in parts of so many seconds.
    fn out(&self, (row, shares): (FaultRow, Vec<f64>)) -> Value {
        let (name, slot) = match row {
            FaultRow::Outage(fault) => (&self.world.faults[fault].name, None),
            FaultRow::Machines(offer, slot) => (&self.world.offers[offer].name, slot),
        };
        json!({
            "name": name,
            "slot": slot,
            "part_s": self.faults.parts().1.secs_f64(),
            "shares_out": shares,
        })
    }

    fn fault(&self, fault: &Fault) -> Value {
        let calendar = self.world.calendar;
        let mut value = json!({
            "name": fault.name,
            "offers": fault.offers.len(),
            "stops_machines": fault.effect.stops_machines(),
            "breaks_devices": fault.effect.breaks_devices(),
            "refuses_launches": fault.effect.refuses_launches(),
            "slows": fault.effect.slows(),
        });
        if let Some(surge) = &fault.surge {
            value["surge"] = json!({
                "offers": surge.offers.len(),
                "share_of_stretches": f64::from(surge.chance) / 1e6,
                "after_s": surge.after.secs_f64(),
            });
        }
        match &fault.times {
            FaultTimes::Periods(periods) => {
                let period = |&(from, until): &(Time, Option<Time>)| {
                    json!({
                        "from": calendar.format(from),
                        "until": until.map(|until| calendar.format(until)),
                    })
                };
                value["periods"] = periods.iter().map(period).collect();
            }
            FaultTimes::Listed(parts) => {
                value["machines"] = json!(parts.iter().filter(|part| !part.is_empty()).count());
                value["failures"] = json!(parts.iter().map(Vec::len).sum::<usize>());
            }
            FaultTimes::Drawn { life, repair, .. } => {
                value["mean_life_s"] = json!(life.mean());
                value["mean_repair_s"] = json!(repair.mean());
            }
        }
        value
    }

    /// What fails in this time: known outages with their dates, and laws with their means.
    fn failures(&self) -> Table {
        let head = ["what fails", "offers", "by itself", "meanwhile", "when"];
        let mut table = Table::new("Failures and outages", &head);
        let (start, end) = (self.outlook.from, self.outlook.until);
        let mut rows = 0;
        for fault in &self.world.faults {
            let whens: Vec<String> = match &fault.times {
                FaultTimes::Periods(periods) => {
                    let here = |&&(from, until): &&(Time, Option<Time>)| {
                        from < end && until.is_none_or(|until| until > start)
                    };
                    periods.iter().filter(here).map(|period| self.period(*period)).collect()
                }
                FaultTimes::Listed(parts) => {
                    let failures = parts.iter().map(Vec::len).sum::<usize>();
                    vec![several(failures as u64, "known failure", "known failures")]
                }
                FaultTimes::Drawn { life, repair, .. } => vec![drawn(life, repair)],
            };
            for when in whens {
                rows += 1;
                if rows <= MOST_ROWS {
                    table.row([
                        unquoted(&fault.name),
                        count(fault.offers.len() as u64),
                        domain(fault.domain),
                        meanwhile(fault),
                        when,
                    ]);
                }
            }
        }
        left_out(table, rows)
    }

    fn period(&self, (from, until): (Time, Option<Time>)) -> String {
        let calendar = self.world.calendar;
        let from = calendar.format(from.max(self.outlook.from));
        match until {
            Some(until) => format!("{from} to {}", calendar.format(until)),
            None => format!("from {from} on, for ever"),
        }
    }

    fn seconds(&self) -> f64 {
        (self.outlook.until - self.outlook.from).secs_f64()
    }

    fn share(&self, sums: &crate::weather::SpellSums) -> f64 {
        sums.time.secs_f64() / self.seconds().max(1e-6)
    }

    fn with_capacity(&self) -> impl Iterator<Item = (&PoolOutlook, &CapacityOutlook)> {
        self.outlook.pools.iter().filter_map(|pool| Some((pool, pool.capacity.as_ref()?)))
    }

    fn headline(&self) -> String {
        let steady = self.outlook.steady as u64;
        let all = self.outlook.pools.len() as u64 + steady;
        let (moves, priced) = (
            self.with_capacity().count() as u64,
            self.outlook.pools.iter().filter(|pool| pool.price.is_some()).count() as u64,
        );
        let fails = self.failures().rows.len();
        let failing = match fails {
            0 => String::new(),
            rows => format!(" {} of failures and outages.", several(rows as u64, "row", "rows")),
        };
        if moves + priced == 0 {
            return format!(
                "Nothing changes of capacity and price: {} with one of each.{failing}",
                several(all, "offer", "offers")
            );
        }
        let told = |what: &str, number: u64| match number {
            0 => format!("no {what}"),
            number => format!("the {what} of {}", count(number)),
        };
        format!(
            "Of {}, {} and {} will change.{failing}",
            several(all, "offer", "offers"),
            told("capacity", moves),
            told("price", priced)
        )
    }

    fn bullets(&self) -> Vec<String> {
        let name =
            |pool: &PoolOutlook| format!("`{}`", unquoted(&self.world.offers[pool.offer].name));
        let mut bullets = Vec::new();
        let by_share = |one: &(_, &CapacityOutlook), other: &(_, &CapacityOutlook)| {
            mean_share(one.1).total_cmp(&mean_share(other.1))
        };
        let least = self.with_capacity().min_by(by_share);
        let most = self.with_capacity().max_by(by_share);
        if let (Some((least, low)), Some((most, high))) = (least, most)
            && least.offer != most.offer
        {
            bullets.push(format!(
                "Least of its capacity is there of {}, {} on average; most of {}, {}.",
                name(least),
                share(mean_share(low)),
                name(most),
                share(mean_share(high))
            ));
        }
        let longest = self.with_capacity().max_by_key(|(_, capacity)| capacity.states[0].longest);
        if let Some((pool, capacity)) = longest.filter(|(_, one)| one.states[0].count > 0) {
            bullets.push(format!(
                "The longest time without any is {}, of {}.",
                rounded(capacity.states[0].longest.secs_f64()),
                name(pool)
            ));
        }
        let ratio = |pool: &&PoolOutlook| {
            pool.price.as_ref().map_or(0.0, |price| price.high / price.low.max(1e-9))
        };
        let priced = self.outlook.pools.iter().max_by(|a, b| ratio(a).total_cmp(&ratio(b)));
        if let Some((pool, price)) = priced.and_then(|pool| Some((pool, pool.price.as_ref()?))) {
            bullets.push(format!(
                "The price that moves most is that of {}: {} to {} per hour, {} on average.",
                name(pool),
                dollars(price.low),
                dollars(price.high),
                dollars(price.mean)
            ));
        }
        bullets
    }

    fn cards(&self) -> Vec<Card> {
        let mut cards = Vec::new();
        let pools = self.with_capacity().count();
        if pools > 0 {
            let mean = self.with_capacity().map(|(_, one)| mean_share(one)).sum::<f64>();
            let falls: u64 = self.with_capacity().map(|(_, one)| one.falls).sum();
            let of = format!("mean of {}", several(pools as u64, "offer", "offers"));
            cards.push(Card::new("capacity there", share(mean / pools as f64), of));
            let each = falls as f64 / pools as f64 / (self.seconds() / 86_400.0);
            let detail = format!("{} per offer and day", amount(each));
            cards.push(Card::new("falls of capacity", count(falls), detail));
        }
        cards
    }

    fn capacities(&self) -> Table {
        let head = [
            "offer",
            "most",
            "none",
            "some",
            "all",
            "falls",
            "mean absence",
            "longest absence",
            "mean spell of all",
        ];
        let mut table = Table::new("Capacity", &head);
        for (pool, capacity) in self.with_capacity().take(MOST_ROWS) {
            let [none, some, all] = &capacity.states;
            let spell = |sums: &crate::weather::SpellSums, secs: f64| match sums.count {
                0 => "–".to_owned(),
                _ => rounded(secs),
            };
            table.row([
                unquoted(&self.world.offers[pool.offer].name),
                capacity.most.map_or("unlimited".to_owned(), |most| count(u64::from(most))),
                share(self.share(none)),
                share(self.share(some)),
                share(self.share(all)),
                count(capacity.falls),
                spell(none, mean(none)),
                spell(none, none.longest.secs_f64()),
                spell(all, mean(all)),
            ]);
        }
        left_out(table, self.with_capacity().count())
    }

    fn prices(&self) -> Table {
        let head = ["offer", "lowest", "mean", "highest", "changes"];
        let mut table = Table::new("Prices per hour", &head);
        let priced =
            || self.outlook.pools.iter().filter_map(|one| Some((one, one.price.as_ref()?)));
        for (pool, price) in priced().take(MOST_ROWS) {
            table.row([
                unquoted(&self.world.offers[pool.offer].name),
                dollars(price.low),
                dollars(price.mean),
                dollars(price.high),
                count(price.changes),
            ]);
        }
        left_out(table, priced().count())
    }
}

/// Means of the laws by which something fails.
fn drawn(life: &Distribution, repair: &Distribution) -> String {
    let mean = |law: &Distribution| law.mean().map_or_else(|| "ever".to_owned(), rounded);
    format!("drawn: after {}, for {} in the mean", mean(life), mean(repair))
}

fn domain(domain: FaultDomain) -> String {
    match domain {
        FaultDomain::Machines(1) => "each machine".to_owned(),
        FaultDomain::Machines(many) => format!("{} machines", count(u64::from(many))),
        FaultDomain::Device => "each GPU".to_owned(),
        FaultDomain::Slots { count: many, .. } => {
            several(u64::from(many), "machine of each offer", "machines of each offer")
        }
        FaultDomain::Share(1_000_000) => "everything at once".to_owned(),
        FaultDomain::Share(part) => format!("{} of the machines", share_of(part)),
    }
}

fn share_of(millionths: u32) -> String {
    share(f64::from(millionths) / 1e6)
}

/// What a fault does, here and to launches elsewhere.
fn meanwhile(fault: &Fault) -> String {
    let here = effect(fault.effect);
    let Some(surge) = &fault.surge else { return here };
    let offers = several(surge.offers.len() as u64, "other offer", "other offers");
    format!("{here}; launches of {offers} fail in {} of ten minutes", share_of(surge.chance))
}

fn effect(effect: FaultEffect) -> String {
    match effect {
        FaultEffect::Machines => "machines stop".to_owned(),
        FaultEffect::Devices => "GPUs break, machines go on".to_owned(),
        FaultEffect::Launches => "launches fail".to_owned(),
        FaultEffect::MachinesAndLaunches => "machines stop, launches fail".to_owned(),
        FaultEffect::Speed(part) => format!("machines work at {} of their speed", share_of(part)),
        FaultEffect::Security => "work is exposed".to_owned(),
        FaultEffect::NetworkSpeed(part) => {
            format!("work over several machines comes on at {} of its speed", share_of(part))
        }
    }
}

/// Words below the title of capacities.
const SPELLS: &str = "Shares are of the time; an absence is a spell in which there is none. The first and \
    the last spell count as far as they lie in this time.";

/// Says how many rows a table has not.
fn left_out(mut table: Table, all: usize) -> Table {
    if all > MOST_ROWS {
        let more = format!("and {} more: `weather.json`", count((all - MOST_ROWS) as u64));
        let blank = std::iter::repeat_n(String::new(), table.head.len() - 1);
        table.row(std::iter::once(more).chain(blank));
    }
    table
}

fn mean(sums: &crate::weather::SpellSums) -> f64 {
    sums.time.secs_f64() / sums.count.max(1) as f64
}

fn mean_share(capacity: &CapacityOutlook) -> f64 {
    capacity.shares.iter().sum::<f64>() / capacity.shares.len().max(1) as f64
}
