//! The rules that are shipped: by provider, as data with their sources.

mod path;
mod sla;
mod storage;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::account::Account;
use crate::commitment::{Benefit, Matching, PlanPrice, PlanRate};
use crate::offering::Offering;
use crate::rate::TimeRule;
use crate::terms::{Sharing, SustainedUse, TierTable};
use crate::units::{Id, Money, Rate, Span};
use crate::usage::{Product, Sale, Service, UsageUnit};

pub use path::{PairsRow, PathRow, to_region};
pub use sla::{SlaRow, SlaScope};
pub use storage::{AddressRow, StorageRow};

/// Where a rule comes from.
#[derive(Clone, Debug, Deserialize)]
pub struct RuleSource {
    /// Source.
    pub source: String,
    /// Month in which it was looked at.
    pub as_of: String,
    /// What is assumed in it; empty where nothing is.
    #[serde(default)]
    pub assumed: String,
}

/// Rule of a provider on the time that is billed.
#[derive(Clone, Debug, Deserialize)]
pub struct TimeRow {
    /// The provider.
    pub provider: String,
    /// Operating system; `None` is any.
    pub system: Option<String>,
    granularity: u32,
    minimum: u32,
    free_if_taken_within: Option<u32>,
    /// Where it comes from.
    #[serde(flatten)]
    pub source: RuleSource,
}

/// Order in which the accounts of a provider have the benefit of commitments.
#[derive(Clone, Debug, Deserialize)]
pub struct SharingRow {
    /// The provider.
    pub provider: String,
    order: SharingWord,
    /// Where it comes from.
    #[serde(flatten)]
    pub source: RuleSource,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum SharingWord {
    OwnerFirst,
    NarrowestFirst,
}

/// How a provider counts the sizes of a family.
#[derive(Clone, Debug, Deserialize)]
pub struct SizeRow {
    /// The provider.
    pub provider: String,
    by: SizeBy,
    #[serde(default)]
    factors: BTreeMap<String, f64>,
    /// Last words of the names of what is sold, and committed, apart from machines, by the unit.
    #[serde(default)]
    parts: Vec<String>,
    /// Sizes of whole machines without a number, by family.
    #[serde(default)]
    metal: BTreeMap<String, f64>,
    /// Where it comes from.
    #[serde(flatten)]
    pub source: RuleSource,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum SizeBy {
    Suffix,
    Number,
}

/// When the reservations of a provider hold for all sizes of a family.
#[derive(Clone, Debug, Deserialize)]
pub struct FlexibleRow {
    /// The provider.
    pub provider: String,
    system: Option<String>,
    tenancy: Option<String>,
    #[serde(default)]
    families_not: Vec<String>,
    /// Where it comes from.
    #[serde(flatten)]
    pub source: RuleSource,
}

/// A spending plan on all machines of a provider that can be bought.
#[derive(Clone, Debug, Deserialize)]
pub struct PlanRow {
    /// Its name.
    pub name: String,
    /// The provider.
    pub provider: String,
    /// Years of 8,760 hours of its term.
    pub years: i64,
    /// Share that it takes off the list price.
    discount: f64,
    /// Where it comes from.
    #[serde(flatten)]
    pub source: RuleSource,
}

/// Spending of one unit of a plan: a tenth of a cent an hour.
pub const PLAN_STEP: Money = Money::from_nanos(1_000_000);

impl PlanRow {
    /// The plan as it is sold to an account, for all that its organisation uses.
    pub fn offering(&self, owner: Id<Account>, scope: Id<Account>) -> Offering {
        let share = ((1.0 - self.discount) * 1e6).round() as u32;
        let rates =
            vec![PlanRate { matching: Matching::default(), price: PlanPrice::Share(share) }];
        Offering {
            currency: None,
            name: self.name.clone(),
            provider: self.provider.clone(),
            owner,
            scope,
            hours: 8_760 * self.years,
            benefit: Benefit::Spending { hourly: PLAN_STEP, rates },
            upfront: Money::ZERO,
            hourly: PLAN_STEP,
        }
    }
}

/// Discount for sustained use.
#[derive(Clone, Debug, Deserialize)]
pub struct SustainedRow {
    /// Name.
    pub name: String,
    /// The provider.
    pub provider: String,
    /// Families that have it.
    pub families: Vec<String>,
    /// Share of the month, and share of the price that is paid up to it.
    pub steps: Vec<(f64, f64)>,
    /// Where it comes from.
    #[serde(flatten)]
    pub source: RuleSource,
}

/// Prices by the quantity of a month: of a path of transfers, a class of storage or a kind of requests.
#[derive(Clone, Debug, Deserialize)]
pub struct TierRow {
    /// Name.
    pub name: String,
    /// The provider.
    pub provider: String,
    /// The path, class or kind; `None` is any.
    pub path: Option<String>,
    /// The word of a service; transfers where it says none.
    service: Option<String>,
    /// The word of a unit; what is usual for the service where it says none.
    unit: Option<String>,
    /// Regions that the bytes leave; all where it names none.
    #[serde(default)]
    pub regions: Vec<String>,
    /// Quantity up to which a price holds, in units, and the price.
    pub steps: Vec<(f64, f64)>,
    /// Where it comes from.
    #[serde(flatten)]
    pub source: RuleSource,
}

impl TierRow {
    /// The service whose prices these are.
    pub fn service(&self) -> Service {
        let word = self.service.as_deref();
        let named = Service::ALL.into_iter().find(|known| Some(known.name()) == word);
        named.unwrap_or(Service::Transfer)
    }

    /// The table of what leaves a region, or any.
    fn table(&self, region: Option<String>) -> TierTable {
        let service = self.service();
        let unit = self.unit.as_deref();
        let unit = UsageUnit::ALL.into_iter().find(|known| Some(known.name()) == unit);
        let unit = unit.unwrap_or(service.usual_unit());
        let step = |(up_to, price): &(f64, f64)| (quantity(*up_to, unit), dollars(*price));
        TierTable {
            currency: None,
            name: self.name.clone(),
            provider: self.provider.clone(),
            matching: Matching {
                services: vec![service],
                region,
                families: self.path.clone().map(|path| vec![path]),
                ..Matching::default()
            },
            unit,
            steps: self.steps.iter().map(step).collect(),
        }
    }
}

/// All rules that are shipped.
#[derive(Clone, Debug, Deserialize)]
pub struct BillingRules {
    /// On time.
    pub time: Vec<TimeRow>,
    /// On commitments that are shared.
    pub sharing: Vec<SharingRow>,
    /// On sizes.
    pub size: Vec<SizeRow>,
    /// On reservations of families.
    pub flexible: Vec<FlexibleRow>,
    /// On sustained use.
    pub sustained: Vec<SustainedRow>,
    /// On transfers.
    pub tier: Vec<TierRow>,
    /// On transfers on paths that are asked for.
    pub path: Vec<PathRow>,
    /// On transfers between regions.
    pub pairs: Vec<PairsRow>,
    /// On what is kept.
    pub storage: Vec<StorageRow>,
    /// On addresses.
    pub address: Vec<AddressRow>,
    /// Spending plans that are sold.
    pub plan: Vec<PlanRow>,
    /// On promises.
    pub sla: Vec<SlaRow>,
}

/// The shipped rules.
pub fn shipped() -> &'static BillingRules {
    static RULES: LazyLock<BillingRules> = LazyLock::new(|| {
        toml::from_str(include_str!("../data/rules.toml")).expect("the shipped rules can be read")
    });
    &RULES
}

/// Time that is billed where no rule is known: every microsecond.
const EXACT: TimeRule = TimeRule {
    granularity: Span::from_micros(1),
    minimum: Span::from_micros(0),
    free_if_taken_within: None,
};

impl BillingRules {
    /// Rule on the time of a machine; where none is known all of its time is billed.
    pub fn time_of(&self, provider: &str, system: &str) -> TimeRule {
        let holds = |row: &&TimeRow| {
            row.provider == provider && row.system.as_ref().is_none_or(|of| of == system)
        };
        self.time.iter().find(holds).map_or(EXACT, |row| {
            let secs = |secs: u32| Span::from_secs(i64::from(secs));
            TimeRule {
                granularity: secs(row.granularity),
                minimum: secs(row.minimum),
                free_if_taken_within: row.free_if_taken_within.map(secs),
            }
        })
    }

    /// Orders of all providers.
    pub fn sharing_orders(&self) -> Vec<(String, Sharing)> {
        let order = |row: &SharingRow| match row.order {
            SharingWord::OwnerFirst => Sharing::OwnerFirst,
            SharingWord::NarrowestFirst => Sharing::NarrowestFirst,
        };
        self.sharing.iter().map(|row| (row.provider.clone(), order(row))).collect()
    }

    /// Size of an instance type within its family, in thousandths: a whole machine is 1,000 where the
    /// provider's sizes are not known. `None` of a name that has no size by its rule.
    pub fn weight_of(&self, provider: &str, size: &str) -> Option<u64> {
        let Some(row) = self.size.iter().find(|row| row.provider == provider) else {
            return Some(1_000);
        };
        if self.is_part(provider, size) {
            return Some(1_000);
        }
        match row.by {
            SizeBy::Suffix => {
                let (family, word) = size.split_once('.')?;
                // `metal-24xl` is as large as `24xlarge`.
                let word =
                    match word.strip_prefix("metal-").and_then(|rest| rest.strip_suffix("xl")) {
                        Some(number) => format!("{number}xlarge"),
                        None => word.to_owned(),
                    };
                let metal = row.metal.get(family).filter(|_| word == "metal");
                let factor = metal.or_else(|| row.factors.get(&word))?;
                Some((factor * 1_000.0).round() as u64)
            }
            SizeBy::Number => {
                let number = numbers(size).first().copied();
                number.filter(|number| *number > 0).map(|number| number.saturating_mul(1_000))
            }
        }
    }

    /// Whether it is no machine but what its provider sells, and commits, apart from machines: cores,
    /// memory and the like of a family.
    pub fn is_part(&self, provider: &str, size: &str) -> bool {
        let parts = self.size.iter().find(|row| row.provider == provider).map(|row| &row.parts);
        let last = size.rsplit_once('-').map(|(_, last)| last);
        parts.zip(last).is_some_and(|(parts, last)| parts.iter().any(|part| part == last))
    }

    /// Family of an instance type, by its name. What is sold apart from machines is by itself.
    pub fn family_of(&self, provider: &str, size: &str) -> String {
        match provider {
            _ if self.is_part(provider, size) => size.to_owned(),
            "azure" => azure_family(size),
            _ => size.split(['.', '-']).next().unwrap_or_default().to_owned(),
        }
    }

    /// Whether a reservation of one size holds for all of its family.
    pub fn is_flexible(&self, provider: &str, family: &str, system: &str, tenancy: &str) -> bool {
        self.flexible.iter().any(|row| {
            row.provider == provider
                && row.system.as_ref().is_none_or(|of| of == system)
                && row.tenancy.as_ref().is_none_or(|of| of == tenancy)
                && !row.families_not.iter().any(|not| not == family)
        })
    }

    /// Discounts for sustained use.
    pub fn sustained_use(&self) -> impl Iterator<Item = SustainedUse> {
        self.sustained.iter().map(|row| SustainedUse {
            name: row.name.clone(),
            provider: row.provider.clone(),
            matching: Matching { families: Some(row.families.clone()), ..Matching::default() },
            steps: row
                .steps
                .iter()
                .map(|(share, paid)| (millionths(*share), millionths(*paid)))
                .collect(),
        })
    }

    /// Promises for a product.
    pub fn promises<'r>(&'r self, product: &'r Product) -> impl Iterator<Item = &'r SlaRow> {
        let is_spot = product.sale == Sale::Spot;
        self.sla.iter().filter(move |row| {
            row.provider == product.provider
                && row.service == product.service.name()
                && !(is_spot && row.not_spot)
        })
    }

    /// Prices by the quantity of a month: a table for each region that has its own, before that of all others.
    pub fn tiers(&self) -> impl Iterator<Item = TierTable> {
        self.tier.iter().flat_map(|row| {
            let named = row.regions.iter().cloned().map(Some);
            let all = row.regions.is_empty().then_some(None);
            named.chain(all).map(|region| row.table(region))
        })
    }
}

fn millionths(share: f64) -> u32 {
    (share * 1e6).round() as u32
}

/// Units as a quantity; without end, the largest one.
fn quantity(units: f64, unit: UsageUnit) -> i128 {
    match units.is_finite() {
        true => (units * unit.whole() as f64).round() as i128,
        false => i128::MAX,
    }
}

fn dollars(price: f64) -> Rate {
    Rate::from_picos((price * 1e12).round() as i64)
}

/// Family of a type of Azure: its name without the number of its cores. `Standard_D8s_v5` is of
/// `Dsv5`, `E16-4ads_v5` of `E-4adsv5`.
fn azure_family(size: &str) -> String {
    let name = size.strip_prefix("Standard_").unwrap_or(size);
    let letters = name.find(|letter: char| letter.is_ascii_digit()).unwrap_or(name.len());
    let (first, rest) = name.split_at(letters);
    let rest = rest.trim_start_matches(|letter: char| letter.is_ascii_digit());
    format!("{first}{}", rest.replace('_', ""))
}

/// The numbers in a name, but for that of a version: `Standard_D8s_v3` has 8.
fn numbers(name: &str) -> Vec<u64> {
    let versionless = name
        .rsplit_once("_v")
        .filter(|(_, rest)| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()));
    let name = versionless.map_or(name, |(name, _)| name);
    // The first word of Google's types names the family.
    let name = name.split_once('-').map_or(name, |(_, rest)| rest);
    let digits = name.split(|letter: char| !letter.is_ascii_digit());
    digits.filter_map(|digits| digits.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_follow_the_names_of_types() {
        for (provider, size, weight) in [
            ("aws", "m4.large", 4_000),
            ("aws", "t3.nano", 250),
            ("aws", "u7i.112xlarge", 896_000),
            ("aws", "m5.metal", 192_000),
            ("aws", "m7i.metal-24xl", 192_000),
            ("azure", "Standard_D8s_v3", 8_000),
            ("azure", "D4s_v3", 4_000),
            ("gcp", "n2-standard-16", 16_000),
            ("gcp", "n2-core", 1_000),
            ("gcp", "n2-memory", 1_000),
            ("lambda", "gpu_8x_a100", 1_000),
        ] {
            assert_eq!(shipped().weight_of(provider, size), Some(weight), "{size}");
        }
        for (provider, size) in [("aws", "c5.unheard"), ("aws", ""), ("gcp", "f1-micro")] {
            assert_eq!(shipped().weight_of(provider, size), None, "{size}");
        }
        for (provider, size, family) in [
            ("aws", "m5.large", "m5"),
            ("gcp", "n2-standard-16", "n2"),
            ("gcp", "n2-core", "n2-core"),
            ("aws", "n2-core", "n2"),
            ("azure", "Standard_D8s_v5", "Dsv5"),
            ("azure", "D2s_v5", "Dsv5"),
            ("azure", "Standard_NC24ads_A100_v4", "NCadsA100v4"),
        ] {
            assert_eq!(shipped().family_of(provider, size), family);
        }
    }

    #[test]
    fn families_are_flexible_where_the_provider_says_so() {
        let aws = |family, system, tenancy| shipped().is_flexible("aws", family, system, tenancy);
        assert!(aws("m5", "linux", "default"));
        assert!(!aws("m5", "windows", "default"));
        assert!(!aws("m5", "linux", "dedicated"));
        assert!(!aws("g4dn", "linux", "default"));
        assert!(!shipped().is_flexible("lambda", "gpu", "linux", "default"));
    }

    #[test]
    fn every_rule_says_where_it_comes_from_and_steps_rise() {
        let rules = shipped();
        let sources = rules
            .time
            .iter()
            .map(|row| &row.source)
            .chain(rules.sharing.iter().map(|row| &row.source))
            .chain(rules.size.iter().map(|row| &row.source))
            .chain(rules.flexible.iter().map(|row| &row.source))
            .chain(rules.sustained.iter().map(|row| &row.source))
            .chain(rules.plan.iter().map(|row| &row.source))
            .chain(rules.path.iter().map(|row| &row.source))
            .chain(rules.pairs.iter().map(|row| &row.source))
            .chain(rules.tier.iter().map(|row| &row.source))
            .chain(rules.sla.iter().map(|row| &row.source));
        for source in sources {
            assert!(!source.source.is_empty() && source.as_of.len() == 7, "{source:?}");
        }
        for table in rules.tiers() {
            assert!(table.steps.is_sorted_by(|a, b| a.0 < b.0), "{}", table.name);
        }
        for discount in rules.sustained_use() {
            assert!(discount.steps.is_sorted_by(|a, b| a.0 < b.0), "{}", discount.name);
            assert_eq!(discount.steps.last().map(|step| step.0), Some(1_000_000));
        }
        for row in &rules.sla {
            let falls = row.steps.is_sorted_by(|a, b| a.0 > b.0 && a.1 < b.1);
            assert!(falls && row.steps.iter().all(|step| step.0 < 1.0 && step.1 <= 1.0), "{row:?}");
            let service = Service::ALL.iter().find(|service| service.name() == row.service);
            assert!(service.is_some(), "{row:?}");
        }
        let suse = rules.time_of("aws", "suse");
        assert_eq!(suse.granularity, Span::from_secs(3_600));
        assert_eq!(rules.time_of("aws", "linux").minimum, Span::from_secs(60));
        assert_eq!(rules.time_of("nobody", "linux"), EXACT);
    }
}
