//! Names in the rules of work: providers, regions, GPU models, jurisdictions.
//! A name that nothing has admits nothing and forbids nothing, so it is told.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::catalog::{Catalog, SHIPPED};
use super::composition::unknown_name;
use crate::model::gpu::{answers, same_chip};
use crate::model::{Filter, Interner, Market, Rules, Work, World};
use crate::problem::{Problem, clip, did_you_mean};
use crate::workload::{BoxedSource, RowNotes, Source};

/// Kind of thing that a name names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Naming {
    /// A cloud or a cluster.
    Provider,
    /// A region as `provider/region`, or a cluster.
    Region,
    /// An instance type.
    Type,
    /// A family of instance types.
    Family,
    /// An offer by its full name.
    Offer,
    /// A market: `on-demand`, `spot` or `owned`.
    Market,
    /// A model of GPU.
    GpuModel,
    /// Law that holds in a region.
    Jurisdiction,
    /// Certification of a region.
    Certification,
}

impl Naming {
    const ALL: [Self; 9] = [
        Self::Provider,
        Self::Region,
        Self::Type,
        Self::Family,
        Self::Offer,
        Self::Market,
        Self::GpuModel,
        Self::Jurisdiction,
        Self::Certification,
    ];

    /// Noun for a sentence.
    pub const fn what(self) -> &'static str {
        match self {
            Self::Provider => "provider or cluster",
            Self::Region => "region or cluster",
            Self::Type => "instance type",
            Self::Family => "family",
            Self::Offer => "offer",
            Self::Market => "market",
            Self::GpuModel => "GPU model",
            Self::Jurisdiction => "jurisdiction",
            Self::Certification => "certification",
        }
    }

    /// The key of a scenario that lists such names.
    pub(super) const fn key(self) -> &'static str {
        match self {
            Self::Provider => "providers",
            Self::Region => "regions",
            Self::Type => "types",
            Self::Family => "families",
            Self::Offer => "offers",
            Self::Market => "markets",
            Self::GpuModel => "gpu_models",
            Self::Jurisdiction => "jurisdictions",
            Self::Certification => "certifications",
        }
    }

    pub(super) fn of_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|naming| naming.key() == key)
    }

    /// The names that rules allow and forbid.
    fn listed(self, rules: &Rules) -> (&[String], &[String]) {
        fn both(filter: &Filter) -> (&[String], &[String]) {
            (&filter.allowed, &filter.forbidden)
        }
        match self {
            Self::Provider => both(&rules.providers),
            Self::Region => both(&rules.regions),
            Self::Type => both(&rules.types),
            Self::Family => (&[], &[]),
            Self::Offer => both(&rules.offers),
            Self::Market => both(&rules.markets),
            Self::GpuModel => both(&rules.gpu_models),
            Self::Jurisdiction => (&rules.jurisdictions, &[]),
            Self::Certification => (&rules.certifications, &[]),
        }
    }

    /// All names of this kind in a world, each once, in its order.
    pub(super) fn names(self, world: &World) -> Vec<String> {
        let mut names: Vec<String> = match self {
            Self::Provider => world.providers.rows().iter().map(|one| one.name.clone()).collect(),
            Self::Region => world.regions.ids().map(|id| world.region_name(id)).collect(),
            Self::Type => world.types.rows().iter().map(|one| one.name.clone()).collect(),
            Self::Family => world.types.rows().iter().map(|one| one.family.clone()).collect(),
            Self::Offer => world.offers.rows().iter().map(|one| one.name.clone()).collect(),
            Self::Market => [Market::OnDemand, Market::Spot, Market::Owned]
                .map(|market| market.name().to_owned())
                .to_vec(),
            Self::GpuModel => world.gpu_models.rows().iter().map(|one| one.name.clone()).collect(),
            Self::Jurisdiction => {
                world.regions.rows().iter().map(|one| one.jurisdiction.clone()).collect()
            }
            Self::Certification => {
                world.regions.rows().iter().flat_map(|one| one.certifications.clone()).collect()
            }
        };
        let mut seen = std::collections::BTreeSet::new();
        names.retain(|name| !name.is_empty() && seen.insert(name.clone()));
        names
    }

    /// Whether a thing of this kind in the world is called `name`.
    pub(super) fn is_in(self, world: &World, name: &str) -> bool {
        self.among(name, &self.names(world))
    }

    fn among(self, name: &str, names: &[String]) -> bool {
        match self {
            Self::GpuModel => names.iter().any(|known| answers(known, name)),
            _ => names.iter().any(|known| known == name),
        }
    }

    /// Whether the shipped catalogs know the name: it is spelt right, though the scenario may have
    /// nothing of that name.
    pub(super) fn is_real(self, name: &str) -> bool {
        match self {
            Self::Offer => false,
            _ => self.among(name, shipped(self)),
        }
    }

    /// Hint on what may be meant by a name that nothing in the world has.
    pub(super) fn hint(self, world: &World, name: &str) -> String {
        let mut names = self.names(world);
        if matches!(self, Self::Jurisdiction | Self::Certification) {
            names.extend(shipped(self).iter().cloned());
            names.sort();
            names.dedup();
        }
        unknown_name(name, &names.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

/// The names of one kind in the shipped catalogs; read once, where it is asked for.
fn shipped(naming: Naming) -> &'static [String] {
    static NAMES: OnceLock<BTreeMap<Naming, Vec<String>>> = OnceLock::new();
    let names = NAMES.get_or_init(|| {
        let mut names: BTreeMap<Naming, Vec<String>> = BTreeMap::new();
        for catalog in SHIPPED.iter().filter_map(|name| Catalog::shipped_unpriced(name)) {
            let mut note = |naming, name: &str| {
                let names = names.entry(naming).or_default();
                if !name.is_empty() && !names.iter().any(|known| known == name) {
                    names.push(name.to_owned());
                }
            };
            note(Naming::Provider, &catalog.name);
            for region in &catalog.regions {
                note(Naming::Region, &format!("{}/{}", catalog.name, region.name));
                note(Naming::Jurisdiction, &region.jurisdiction);
                for certification in &region.certifications {
                    note(Naming::Certification, certification);
                }
            }
            for known in &catalog.types {
                note(Naming::Type, &known.name);
                note(Naming::GpuModel, &known.gpu_model);
            }
        }
        names
    });
    names.get(&naming).map_or(&[], Vec::as_slice)
}

/// GPU models of the world that leave open how much memory they have, where the
/// shipped catalogs tell several apart: an assumption for each.
pub(super) fn vague_models(world: &World) -> Vec<String> {
    let models = world.gpu_models.rows().iter().filter(|model| !model.says_memory());
    let told = models.filter_map(|model| {
        let known = shipped(Naming::GpuModel).iter();
        let finer: Vec<&str> =
            known.filter(|name| model.answers_to(name)).map(String::as_str).collect();
        (finer.len() > 1).then(|| {
            format!(
                "The GPU model {} does not say how much memory it has: it does for work that asks for {}.",
                clip(&model.name),
                finer.join(" or ")
            )
        })
    });
    told.collect()
}

/// The models in the shipped catalogs that may be meant by a name of a GPU model that is not in
/// them: those of the same chip with other memory, or one that is written almost so.
pub fn meant_models(name: &str) -> Vec<&'static str> {
    let known = shipped(Naming::GpuModel);
    if Naming::GpuModel.is_real(name) {
        return Vec::new();
    }
    let chips = known.iter().filter(|known| same_chip(known, name)).map(String::as_str);
    let chips: Vec<&str> = chips.collect();
    match chips.is_empty() {
        true => did_you_mean(name, known.iter().map(String::as_str)).into_iter().collect(),
        false => chips,
    }
}

/// A name in the rules of work that nothing here has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName {
    /// Kind of thing that it should name.
    pub naming: Naming,
    /// The name, as the work has it.
    pub name: String,
    /// Pieces of work that ask for it.
    pub pieces: u64,
    /// Hint on what may be meant.
    pub hint: String,
}

impl UnknownName {
    /// Number of pieces of work that ask for the name, in words, without the hint.
    pub fn counted(&self) -> String {
        let (pieces, ask) = match self.pieces {
            1 => ("piece", "asks"),
            _ => ("pieces", "ask"),
        };
        let (what, name) = (self.naming.what(), clip(&self.name));
        format!(
            "{} {pieces} of work {ask} for the {what} `{name}`, which nothing here has",
            self.pieces
        )
    }
}

impl std::fmt::Display for UnknownName {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(to, "{} ({})", self.counted(), self.hint)
    }
}

/// A source whose work's rules are held against the names of a world.
pub struct NamedSource<'w> {
    inner: BoxedSource,
    world: &'w World,
    /// Pieces of work, by row of their rules.
    pieces: Vec<u64>,
    /// Names that nothing has, and the rows of the rules with them.
    unknown: BTreeMap<(Naming, String), Vec<usize>>,
}

impl std::fmt::Debug for NamedSource<'_> {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.debug_struct("Named").field("unknown", &self.unknown).finish_non_exhaustive()
    }
}

impl<'w> NamedSource<'w> {
    /// Source of the same work, watched.
    pub fn new(inner: BoxedSource, world: &'w World) -> Self {
        Self { inner, world, pieces: Vec::new(), unknown: BTreeMap::new() }
    }

    /// The names so far that nothing here has, most asked for first.
    pub fn unknown(&self) -> Vec<UnknownName> {
        let mut all: Vec<UnknownName> = self
            .unknown
            .iter()
            .map(|((naming, name), rows)| UnknownName {
                naming: *naming,
                name: name.clone(),
                pieces: rows.iter().map(|&row| self.pieces[row]).sum(),
                hint: naming.hint(self.world, name),
            })
            .collect();
        all.sort_by_key(|unknown| std::cmp::Reverse(unknown.pieces));
        all
    }

    /// Looks at rules that no work had before.
    ///
    /// # Errors
    /// They forbid what nothing has: a rule that silently does nothing.
    fn check(&mut self, rules: &Rules, work: &Work) -> Result<(), Problem> {
        for naming in Naming::ALL {
            let (allowed, forbidden) = naming.listed(rules);
            if allowed.is_empty() && forbidden.is_empty() {
                continue;
            }
            let names = naming.names(self.world);
            let here = |name: &String| naming.among(name, &names);
            for name in forbidden.iter().filter(|name| !here(name) && !allowed.contains(name)) {
                if !naming.is_real(name) {
                    return Err(forbids_nothing(naming, name, self.world, work));
                }
            }
            // One name of several that are allowed is enough; certifications are needed all.
            let enough = naming != Naming::Certification && allowed.iter().any(here);
            for name in allowed.iter().filter(|name| !here(name)) {
                if !enough || !naming.is_real(name) {
                    let rows = self.unknown.entry((naming, name.clone())).or_default();
                    rows.push(work.ask.rules.row());
                }
            }
        }
        Ok(())
    }
}

/// Work whose rules forbid a name that nothing has.
fn forbids_nothing(naming: Naming, name: &str, world: &World, work: &Work) -> Problem {
    let message = format!(
        "work `{}` forbids the {} `{}`, which nothing has: the rule would do nothing",
        clip(&work.label()),
        naming.what(),
        clip(name)
    );
    Problem::with("workload", message).hint(naming.hint(world, name))
}

impl Source for NamedSource<'_> {
    fn next(&mut self, book: &mut Interner, work: &mut Work) -> Result<bool, Problem> {
        if !self.inner.next(book, work)? {
            return Ok(false);
        }
        let row = work.ask.rules.row();
        if self.pieces.len() <= row {
            self.pieces.resize(row + 1, 0);
        }
        if self.pieces[row] == 0 {
            self.check(&book.all_rules()[work.ask.rules], work)?;
        }
        self.pieces[row] += 1;
        Ok(true)
    }

    fn skipped(&self) -> u64 {
        self.inner.skipped()
    }

    fn notes(&self) -> RowNotes {
        self.inner.notes()
    }

    fn skips(&self) -> &[Problem] {
        self.inner.skips()
    }
}
