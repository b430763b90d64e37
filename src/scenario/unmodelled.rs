//! Parts of the real world that a scenario leaves out, to be said beside what was assumed.

use super::Scenario;
use crate::model::{Fault, FaultDomain, Offer, World};
use crate::policy::spec::Reach;
use crate::problem::clip;
use crate::units::Id;

/// Words of what takes something off for commitments.
pub const COMMITMENTS: &str = "discounts for commitments";

impl Scenario {
    /// Parts of the real world that are not modelled where the policies in these rows run; in few
    /// words each.
    pub fn unmodelled(&self, rows: &[usize]) -> Vec<String> {
        let world = &self.world;
        let offers = self.rentable(rows);
        let mut told = Vec::new();
        let fails = |fault: &Fault| match fault.domain {
            FaultDomain::Machines(_) | FaultDomain::Device => true,
            FaultDomain::Slots { .. } | FaultDomain::Share(_) => false,
        };
        let stops = |fault: &&Fault| fault.effect.stops_machines() || fault.effect.breaks_devices();
        if !world.faults.iter().filter(stops).any(fails) {
            told.push("failures of machines".to_owned());
        }
        if !offers.is_empty() && !self.is_settled() {
            told.push(COMMITMENTS.to_owned());
        }
        let terms = self.sale.as_ref().filter(|_| self.is_settled());
        if !offers.is_empty() && terms.is_some_and(|terms| terms.attached.is_empty()) {
            told.push("disks and addresses of machines (`[[attached]]`)".to_owned());
        }
        if let Some(names) = without_limit(world, &offers) {
            told.push(format!("what {names} can run out of (no quota or capacity is given)"));
        }
        if let Some(&offer) = offers.iter().find(|offer| is_arm(&world.type_of(**offer).name)) {
            let name = clip(&world.type_of(offer).name);
            told.push(format!("CPU architectures (all work runs on ARM types such as {name} too)"));
        }
        told
    }

    /// Offers that one of the policies in these rows may rent.
    pub fn rentable(&self, rows: &[usize]) -> Vec<Id<Offer>> {
        let reaches: Vec<Reach> = rows.iter().map(|&row| self.policies[row].reach()).collect();
        let may = |offer: &Id<Offer>| reaches.iter().any(|reach| reach.rents(&self.world, *offer));
        self.world.offers.ids().filter(may).collect()
    }
}

/// One sentence of what is not modelled in any of several scenarios; `None` if that is nothing.
pub fn not_modelled(told: impl IntoIterator<Item = String>) -> Option<String> {
    let mut all: Vec<String> = Vec::new();
    for one in told {
        if !all.contains(&one) {
            all.push(one);
        }
    }
    (!all.is_empty()).then(|| format!("Not modelled: {}.", all.join("; ")))
}

/// Names of the providers of offers that may be rented without end; `None` if no offer may.
fn without_limit(world: &World, offers: &[Id<Offer>]) -> Option<String> {
    let mut limited: Vec<Id<Offer>> =
        world.quotas.iter().flat_map(|quota| &quota.offers).copied().collect();
    limited.sort_unstable();
    let mut names: Vec<String> = Vec::new();
    for &offer in offers {
        let name = clip(&world.providers[world.provider_of(offer)].name);
        let free =
            world.offers[offer].capacity.most().is_none() && limited.binary_search(&offer).is_err();
        if free && !names.contains(&name) {
            names.push(name);
        }
    }
    match names.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        [first @ .., last] => Some(format!("{} and {last}", first.join(", "))),
    }
}

/// Types with ARM processors by the providers' rules for names: the `g` after the generation of AWS
/// (`m7g.large`), the series T2A and C4A of Google, the `p` before the features of Azure's D and E (`D4ps_v5`),
/// and the GH200, which is a GPU with such a processor.
fn is_arm(name: &str) -> bool {
    let aws = || {
        let (family, _) = name.split_once('.')?;
        let generation = family.find(|c: char| c.is_ascii_digit())?;
        let rest = family[generation..].trim_start_matches(|c: char| c.is_ascii_digit());
        Some(rest.starts_with('g'))
    };
    let azure = || {
        let size = name.strip_prefix("Standard_")?.split('_').next()?;
        let series = size.starts_with(['D', 'E']).then_some(&size[1..])?;
        Some(series.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with('p'))
    };
    name.contains("gh200")
        || name.starts_with("t2a-")
        || name.starts_with("c4a-")
        || aws().unwrap_or(false)
        || azure().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arm_is_told_by_the_name_of_the_type() {
        for name in [
            "m7g.large",
            "c6gn.xlarge",
            "t4g.small",
            "t2a-standard-4",
            "Standard_D4ps_v5",
            "gpu_1x_gh200",
        ] {
            assert!(is_arm(name), "{name}");
        }
        for name in
            ["m5.large", "g5.xlarge", "g4dn.xlarge", "n2-standard-4", "Standard_D4s_v5", "a100"]
        {
            assert!(!is_arm(name), "{name}");
        }
    }

    #[test]
    fn only_what_applies_is_said() {
        let text = |policy: &str, quota: &str| {
            format!(
                "question = \"?\"\n[workload.synthetic]\ncount = 1\narrivals = {{ per_hour = 3 }}\n\
                 class.a = {{ runtime = \"1 h\", vcpus = 1 }}\n[cluster.c]\nnodes = 1\n\
                 shape = {{ vcpus = 1, memory = \"8 GiB\" }}\n[cloud.aws]\nregions = [\"us-east-1\"]\n{quota}\n\
                 [policy.p]\npreset = \"{policy}\"\n"
            )
        };
        let told = |policy: &str, quota: &str| {
            let text = text(policy, quota);
            let base = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
            let scenario = Scenario::parse(&text, "a.toml", base, &[]).expect("a scenario");
            not_modelled(scenario.unmodelled(&[0])).unwrap_or_default()
        };
        assert_eq!(told("batch-fcfs", ""), "Not modelled: failures of machines.");
        let fails = "[[failure]]\nmtbf = \"30 d\"";
        assert_eq!(told("batch-fcfs", fails), "");
        let all = told("cloud-cheapest", "");
        assert!(
            all.contains("; what aws can run out of (no quota or capacity is given);"),
            "{all}"
        );
        assert!(all.ends_with("ARM types such as m7g.2xlarge too)."), "{all}");
        let narrow = told(
            "cloud-cheapest",
            "types = [\"m5.xlarge\"]\nquota = [ { unit = \"vcpus\", limit = 64 } ]",
        );
        assert!(!narrow.contains("run out of") && !narrow.contains("ARM"), "{narrow}");
        // A fleet is of the types that it names.
        let fleet = "[policy.q]\nprovision = { static = { fleets = { \"aws/us-east-1a/m5.xlarge/on-demand\" = 1 } } }\n";
        let base = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let text = text("batch-fcfs", "") + fleet;
        let scenario = Scenario::parse(&text, "a.toml", base, &[]).expect("a scenario");
        let fleet = not_modelled(scenario.unmodelled(&[1])).expect("a part");
        assert!(fleet.contains("run out of") && !fleet.contains("ARM"), "{fleet}");
    }
}
