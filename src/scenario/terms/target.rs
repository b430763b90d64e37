//! What tables of terms are for, held against what a scenario has: a table that matches nothing there does
//! nothing, which is told with its place.

use std::ops::Range;

use super::{BillingTerms, flexible_family, kept_product, product_of};
use crate::billing::parts::MachinePart;
use crate::billing::usage::{Product, Sale, Service, UsageUnit};
use crate::model::World;
use crate::problem::{Problem, clip};
use crate::scenario::composition::unknown_name;
use crate::scenario::section::{ConfigTable, Diagnostics};

/// Something that a table may say of what it matches.
#[derive(Clone, Copy, Debug)]
enum MatchedBy {
    Service,
    Region,
    Zone,
    Family,
    Size,
    System,
    Tenancy,
}

impl MatchedBy {
    /// All of them, the widest first, each with the keys that say it.
    const ALL: [(Self, &'static [&'static str]); 7] = [
        (Self::Service, &["service", "services"]),
        (Self::Region, &["region"]),
        (Self::Zone, &["zone"]),
        (Self::Family, &["family", "families", "path", "class"]),
        (Self::Size, &["type"]),
        (Self::System, &["system"]),
        (Self::Tenancy, &["tenancy"]),
    ];

    /// What a product has there; empty where that does not apply.
    fn of(self, product: &Product) -> &str {
        match self {
            Self::Service => product.service.name(),
            Self::Region => &product.region,
            Self::Zone => &product.zone,
            Self::Family => &product.family,
            Self::Size => &product.size,
            Self::System => &product.system,
            Self::Tenancy => &product.tenancy,
        }
    }
}

/// The lists of terms with a provider, and the service that rows are for that do not say it; none is any.
pub(super) const LISTS: [(&str, Option<Service>); 8] = [
    ("commitment", Some(Service::Compute)),
    ("offering", Some(Service::Compute)),
    ("block", Some(Service::Compute)),
    ("kept", Some(Service::Compute)),
    ("negotiated", None),
    ("attached", Some(Service::Compute)),
    ("tier", Some(Service::Transfer)),
    ("storage_price", None),
];

/// What is told of tables that match nothing that runs of this world could use.
pub(in crate::scenario) fn unmatched(
    root: &ConfigTable,
    world: &World,
    terms: &BillingTerms,
    report: &Diagnostics<'_>,
) -> Vec<Problem> {
    let mut told = Vec::new();
    if report.partial_world {
        return told;
    }
    let used = products(world, terms);
    // What is kept is paid for, though nothing may run in it.
    let mut paid = used.clone();
    paid.extend(terms.kept.iter().map(|kept| kept.product.clone()));
    for (list, service) in LISTS {
        let products = if list == "kept" { &used } else { &paid };
        let names = world.providers.rows().iter().map(|one| one.name.as_str());
        let mut names: Vec<&str> =
            names.chain(products.iter().map(|product| product.provider.as_str())).collect();
        names.sort_unstable();
        names.dedup();
        for row in root.list(list) {
            let Some(provider) = row.text("provider") else { continue };
            if !names.contains(&provider) {
                let found = clip(provider);
                let words =
                    format!("`provider` `{found}` of this `[[{list}]]` matches nothing here");
                let problem = report.document.problem(&row.spot("provider"), words);
                told.push(problem.hint(unknown_name(provider, &names)));
                continue;
            }
            let is_meant =
                |product: &&Product| product.provider == provider && is_for(list, product);
            let here: Vec<&Product> = products.iter().filter(is_meant).collect();
            let (prices, family) = match list {
                "commitment" | "offering" => (row.list("price"), flexible_family(row)),
                _ => (&[][..], None),
            };
            let target = TermsTarget { list, service, provider, family };
            // A plan with prices of its own is for what these are for, and for the rest if it has a discount.
            let is_for_rest = prices.is_empty() || row.has("discount");
            for row in prices.iter().chain(is_for_rest.then_some(row)) {
                told.extend(target.idle(row, &here, report));
            }
        }
    }
    told
}

/// Whether tables of a list may be for such a product in runs.
fn is_for(list: &str, product: &Product) -> bool {
    let is_part = product.machine_family().is_some();
    match list {
        // What machines have with them is theirs on every market.
        "attached" => !is_part,
        // No market of a run is of blocks.
        "block" => false,
        // Machines are priced whole, and then taken apart.
        "negotiated" => product.sale == Sale::OnDemand && !is_part,
        // What machines have with them is paid for at one price.
        "tier" => {
            product.sale == Sale::OnDemand
                && !matches!(product.service, Service::Address | Service::BlockStorage)
        }
        "storage_price" => {
            !matches!(product.service, Service::Compute | Service::Transfer | Service::Address)
        }
        _ => product.sale == Sale::OnDemand,
    }
}

/// What may be used in runs of a world on these terms, by what matches it.
fn products(world: &World, terms: &BillingTerms) -> Vec<Product> {
    let machines = world.offers.ids().map(|offer| product_of(world, offer));
    let mut all: Vec<Product> = machines.collect();
    all.sort_unstable();
    all.dedup();
    let parts = all.iter().flat_map(|machine| {
        let made = terms.terms.parts_of(machine);
        let parts = made.map(|made| MachinePart::both(machine, made).map(|part| part.product()));
        parts.into_iter().flatten()
    });
    let mut others: Vec<Product> = parts.collect();
    for region in world.regions.rows() {
        let provider = world.providers[region.provider].name.as_str();
        let paths = world.paths.rows().iter().map(|path| path.name.as_str()).chain(["link"]);
        let moved = paths.map(|path| (Service::Transfer, path, UsageUnit::Gigabyte));
        let beside = terms.attached.iter().filter(|one| one.provider == provider);
        let beside = beside.flat_map(|one| {
            let disk = one.disk.as_ref();
            let disk = disk.map(|(_, class, _)| {
                (Service::BlockStorage, class.as_str(), UsageUnit::GigabyteMonth)
            });
            let address = one.addresses.map(|_| (Service::Address, "", UsageUnit::Hour));
            disk.into_iter().chain(address)
        });
        others.extend(moved.chain(beside).map(|(service, class, unit)| {
            kept_product((provider, &region.name), service, class, unit)
        }));
    }
    all.extend(others);
    all.extend(terms.data.iter().map(|data| data.product.clone()));
    all.sort_unstable();
    all.dedup();
    all
}

/// What a table is for.
struct TermsTarget<'t> {
    /// The list that it is in.
    list: &'static str,
    /// The service, where it does not say one; `None` is any.
    service: Option<Service>,
    provider: &'t str,
    /// The family of its type, where all sizes of it are meant.
    family: Option<String>,
}

impl TermsTarget<'_> {
    /// What is told of the values of a table that nothing has of what its provider has here, up to the
    /// first key that leaves nothing.
    fn idle(&self, row: &ConfigTable, here: &[&Product], report: &Diagnostics<'_>) -> Vec<Problem> {
        let mut left: Vec<&Product> = here.to_vec();
        // The class of a disk is no family of machines.
        let is_key = |name: &str| !(self.list == "attached" && name == "class");
        let says = |keys: &[&str]| row.entries.iter().any(|entry| keys.contains(&&*entry.name));
        if let Some(service) = self.service.filter(|_| !says(&["service", "services"])) {
            left.retain(|product| product.service == service);
        }
        if left.is_empty() && row.has("provider") {
            let words = format!(
                "this `[[{}]]` matches nothing: `{}` has nothing here that it could be for",
                self.list,
                clip(self.provider)
            );
            let hint = match self.list {
                "block" => "runs rent on demand and on spot: bill blocks by `windtunnel bill`",
                "storage_price" => "nothing is kept there: see `[[data_set]]` and `[[attached]]`",
                "tier" => "nothing moves or is kept there",
                _ => "spot machines have the price of their market",
            };
            return vec![report.document.problem(&row.spot("provider"), words).hint(hint)];
        }
        let (mut told, mut before) = (Vec::new(), Vec::new());
        for (by, keys) in MatchedBy::ALL {
            let is_meant = |name: &str| keys.contains(&name) && is_key(name);
            for entry in row.entries.iter().filter(|entry| is_meant(&entry.name)) {
                let values = self.values(row, &entry.name);
                let mut known: Vec<&str> = left.iter().map(|one| by.of(one)).collect();
                known.retain(|name| !name.is_empty());
                known.sort_unstable();
                known.dedup();
                let idle =
                    values.iter().filter(|one| !left.iter().any(|product| one.is(by, product)));
                for one in idle {
                    let words = format!(
                        "`{}` `{}` of this `[[{}]]` matches nothing that `{}` has here{}",
                        entry.name,
                        clip(one.word),
                        self.list,
                        clip(self.provider),
                        before.concat(),
                    );
                    let problem = report.document.problem(&one.spot, words);
                    told.push(problem.hint(unknown_name(one.word, &known)));
                }
                left.retain(|product| values.iter().any(|one| one.is(by, product)));
                if left.is_empty() {
                    return told;
                }
                let words: Vec<String> =
                    values.iter().map(|one| format!("`{}`", clip(one.word))).collect();
                let with = if before.is_empty() { " with" } else { " and" };
                before.push(format!("{with} `{}` {}", entry.name, words.join(" or ")));
            }
        }
        told
    }

    /// The values that a table says of a key.
    fn values<'r>(&self, row: &'r ConfigTable, key: &str) -> Vec<TermsValue<'r>> {
        let family = self.family.clone().filter(|_| key == "type");
        let one = row.text(key).map(|word| TermsValue { word, family, spot: row.spot(key) });
        let several = row.texts(key).iter();
        let several =
            several.map(|(word, spot)| TermsValue { word, family: None, spot: spot.clone() });
        one.into_iter().chain(several).collect()
    }
}

/// A value of a key.
struct TermsValue<'r> {
    word: &'r str,
    /// The family whose machines are meant all, where it is one type of it.
    family: Option<String>,
    spot: Range<usize>,
}

impl TermsValue<'_> {
    /// Whether a product has it.
    fn is(&self, by: MatchedBy, product: &Product) -> bool {
        match &self.family {
            Some(family) => product.family == *family,
            None => by.of(product) == self.word,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::scenario::Scenario;

    const CLOUDS: &str = "question = \"?\"\n[workload.synthetic]\ncount = 1\narrivals = { per_hour = 3 }\nclass.a = { runtime = \"1 h\", vcpus = 1 }\n[cloud.aws]\nregions = [\"us-east-1\", \"us-west-2\"]\ntypes = [\"m5.large\", \"c6i.xlarge\"]\n[cloud.gcp]\nregions = [\"us-central1\"]\ntypes = [\"n2-standard-4\"]\n[policy.p]\npreset = \"cloud-cheapest\"\n[[account]]\nname = \"a\"\n";

    /// What is said of a table: problems, or else what is warned of. The table begins at line 16.
    fn told(table: &str) -> Vec<String> {
        let text = format!("{CLOUDS}{table}\n");
        let base = Path::new(env!("CARGO_MANIFEST_DIR"));
        match Scenario::parse(&text, "s.toml", base, &[]) {
            Ok(scenario) => scenario.idle_terms.iter().map(ToString::to_string).collect(),
            Err(problems) => problems.iter().map(ToString::to_string).collect(),
        }
    }

    /// A table of each list that names a provider, with what else it needs.
    fn of_each_list(provider: &str) -> Vec<String> {
        let more = [
            "[[commitment]]\naccount = \"a\"\nfrom = \"2026-01-01\"\nspend = \"1 USD/h\"\ndiscount = \"9 %\"",
            "[[offering]]\ndiscount = \"9 %\"",
            "[[block]]\naccount = \"a\"\ntype = \"m5.large\"\nmachines = 1\nfrom = \"2026-01-01\"\nuntil = \"2026-01-02\"\nprice = [{ usd = 1 }]",
            "[[kept]]\naccount = \"a\"\nregion = \"us-east-1\"\ntype = \"m5.large\"\nmachines = 1\nfrom = \"2026-01-01\"\nuntil = \"2026-01-02\"\nprice = \"1 USD/h\"",
            "[[negotiated]]\ndiscount = \"9 %\"",
            "[[attached]]\naddresses = 1\naddress = \"1 USD/h\"",
            "[[tier]]\npath = \"internet\"\nusd = [1]",
            "[[storage_price]]\nusd_per_gb_month = 1",
        ];
        more.map(|table| format!("{table}\nprovider = \"{provider}\"")).to_vec()
    }

    #[test]
    fn providers_that_nobody_is_are_problems_and_those_that_are_not_here_are_told() {
        for table in of_each_list("GCP") {
            let line = 15 + table.lines().count();
            let found = told(&table);
            let place = format!("s.toml:{line}:12: there is no provider or cluster called `GCP`");
            assert_eq!(found, [format!("{place}\n  hint: did you mean `gcp`?")], "{table}");
        }
        for table in of_each_list("google") {
            let found = told(&table).concat();
            assert!(found.contains("called `google`\n  hint: there is: aws, gcp"), "{found}");
        }
        for table in of_each_list("azure") {
            let found = told(&table);
            // What machines have with them is of nobody else.
            let words = match table.starts_with("[[attached") {
                true => {
                    "there is no provider or cluster called `azure`\n  hint: there is: aws, gcp"
                }
                false => "]]` matches nothing here\n  hint: there is: aws, gcp",
            };
            assert!(found.len() == 1 && found[0].contains(words), "{found:?}");
        }
        for table in of_each_list("aws") {
            let found = told(&table).concat();
            // Nothing of a run is in a block, and nothing is kept here.
            let words = "matches nothing: `aws` has nothing here that it could be for";
            let is_idle = ["[[block", "[[storage_price"].iter().any(|list| table.starts_with(list));
            assert_eq!(found.contains(words), is_idle, "{table}: {found}");
            assert!(is_idle || found.is_empty(), "{table}: {found}");
        }
    }

    #[test]
    fn what_matches_nothing_is_told_with_its_place() {
        let negotiated = |more: &str| told(&format!("[[negotiated]]\ndiscount = \"9 %\"\n{more}"));
        let commitment = |more: &str| {
            told(&format!(
                "[[commitment]]\naccount = \"a\"\nfrom = \"2026-01-01\"\nprovider = \"aws\"\n{more}"
            ))
        };
        let plan = |more: &str| commitment(&format!("spend = \"1 USD/h\"\n{more}"));
        let machine = |more: &str| commitment(&format!("machines = 1\n{more}"));
        let wrong = [
            (
                negotiated("provider = \"aws\"\nregion = \"us-eats-1\""),
                "s.toml:19:10: `region` `us-eats-1` of this `[[negotiated]]` matches nothing that `aws` has here\n  hint: did you mean `us-east-1`?",
            ),
            (
                negotiated("provider = \"gcp\"\nregion = \"us-central1\"\nfamily = \"N2\""),
                "s.toml:20:10: `family` `N2` of this `[[negotiated]]` matches nothing that `gcp` has here with `region` `us-central1`\n  hint: did you mean `n2`?",
            ),
            (
                negotiated("provider = \"aws\"\nservice = \"license\""),
                "s.toml:19:11: `service` `license` of this `[[negotiated]]` matches nothing that `aws` has here\n  hint: there is: compute, transfer",
            ),
            (
                plan("discount = \"9 %\"\nfamilies = [\"m5\", \"c6\"]"),
                "s.toml:22:19: `families` `c6` of this `[[commitment]]` matches nothing that `aws` has here\n  hint: did you mean `c6i`?",
            ),
            (
                plan("price = [{ family = \"m5\", usd = 1 }, { type = \"m5.larg\", usd = 1 }]"),
                "s.toml:21:47: `type` `m5.larg` of this `[[commitment]]` matches nothing that `aws` has here\n  hint: did you mean `m5.large`?",
            ),
            (
                plan("discount = \"9 %\"\nsystem = \"windows\""),
                "s.toml:22:10: `system` `windows` of this `[[commitment]]` matches nothing that `aws` has here\n  hint: there is: linux",
            ),
            (
                machine("type = \"m5.large\"\nregion = \"us-west-2\"\nzone = \"us-east-1a\""),
                "s.toml:23:8: `zone` `us-east-1a` of this `[[commitment]]` matches nothing that `aws` has here with `region` `us-west-2`\n  hint: there is: us-west-2a, us-west-2b, us-west-2c, us-west-2d",
            ),
            (
                machine("type = \"r5.large\""),
                "s.toml:21:8: `type` `r5.large` of this `[[commitment]]` matches nothing that `aws` has here\n  hint: did you mean `m5.large`?",
            ),
            (
                told(
                    "[[tier]]\nprovider = \"aws\"\npath = \"internet\"\nusd = [1]\nregion = \"eu-west-1\"",
                ),
                "s.toml:20:10: `region` `eu-west-1` of this `[[tier]]` matches nothing that `aws` has here\n  hint: did you mean `us-east-1`?",
            ),
            (
                negotiated("provider = \"gcp\"\ntype = \"n2-core\""),
                "s.toml:19:8: `type` `n2-core` of this `[[negotiated]]` matches nothing that `gcp` has here\n  hint: there is: n2-standard-4",
            ),
            (
                told("[[tier]]\nprovider = \"aws\"\npath = \"zone\"\nusd = [1]"),
                "s.toml:18:8: `path` `zone` of this `[[tier]]` matches nothing that `aws` has here\n  hint: there is: internet, link, region/us-east-1, region/us-west-2",
            ),
            (
                told("[[attached]]\nprovider = \"aws\"\ntype = \"m5.xlarge\"\naddresses = 1"),
                "s.toml:18:8: `type` `m5.xlarge` of this `[[attached]]` matches nothing that `aws` has here\n  hint: did you mean `m5.large`?",
            ),
        ];
        for (found, words) in wrong {
            assert_eq!(found, [words]);
        }
        // A price is for what is kept too.
        let kept = "[[kept]]\naccount = \"a\"\nprovider = \"aws\"\nregion = \"us-east-1\"\ntype = \"r5.large\"\n\
            machines = 1\nfrom = \"2026-01-01\"\nuntil = \"2026-01-02\"\nprice = \"1 USD/h\"\n";
        let found = told(&format!(
            "{kept}[[negotiated]]\nprovider = \"aws\"\ntype = \"r5.large\"\ndiscount = \"9 %\""
        ));
        assert!(found.len() == 1 && found[0].contains("of this `[[kept]]`"), "{found:?}");
        // All of these match something: a size of a flexible family, the cores of a machine, a path.
        for right in [
            machine("type = \"m5.xlarge\""),
            plan("discount = \"9 %\"\nfamilies = [\"m5\"]"),
            negotiated("provider = \"aws\"\nfamily = \"internet\""),
            told("[[attached]]\nprovider = \"aws\"\ndisk = \"10 GiB\"\nclass = \"gp3\""),
            negotiated("provider = \"aws\"\nservice = \"transfer\"\nregion = \"us-west-2\""),
        ] {
            assert_eq!(right, [""; 0]);
        }
    }
}
