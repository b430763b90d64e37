//! The parts that policies are composed of, with their parameters: what
//! `windtunnel policies` shows and what a scenario may name.

use std::sync::LazyLock;

use super::key::ValueKind;
use crate::part::{Parameter, Part, SettingKind};
use crate::policy::place::{self, NARROW};
use crate::policy::spec::PolicyPart;
use crate::policy::{
    admit, backfill, cap, checkpoint, order, preempt, provision, recover, release, shift,
};
use crate::purchase;

/// A part that answers one of a policy's questions.
#[derive(Clone, Debug)]
pub struct PartOption {
    /// The question: `order`, `place`, ...
    pub part: &'static str,
    /// Its name in scenarios.
    pub name: &'static str,
    /// Description for readers, in one line.
    pub doc: &'static str,
    /// Parameters that can be set.
    pub parameters: Vec<&'static Parameter>,
}

impl From<SettingKind> for ValueKind {
    fn from(kind: SettingKind) -> Self {
        match kind {
            SettingKind::Flag => Self::Flag,
            SettingKind::Count(low, high) => Self::Count(low, high),
            SettingKind::Vcpus => Self::Vcpus,
            SettingKind::Memory => Self::Memory,
            SettingKind::Span | SettingKind::SpanAboveZero => Self::Span,
            SettingKind::SpanOr(_) | SettingKind::TimeZone => Self::Text,
            SettingKind::Word(words) => Self::Choice(words),
            SettingKind::Providers
            | SettingKind::Regions
            | SettingKind::Types
            | SettingKind::Families => Self::Texts,
            SettingKind::Markets => Self::Choices(MARKETS),
            SettingKind::Fleets | SettingKind::Columns => Self::Table,
            SettingKind::Mix => Self::File,
        }
    }
}

/// The parts of a policy in the order in which they are asked, with their questions.
pub const PARTS: &[(&str, &str)] = &[
    ("preempt", "Who must yield?"),
    ("admit", "Who is let in?"),
    ("shift", "When to start?"),
    ("order", "Who is next?"),
    ("place", "On which instance?"),
    ("backfill", "Who may overtake?"),
    ("provision", "Rent what, and where?"),
    ("cap", "What is not rented, for the sake of budgets?"),
    ("release", "When to give back?"),
    ("checkpoint", "When is progress saved?"),
    ("recover", "What becomes of work that lost its place?"),
    ("commit", "What is committed to?"),
];

/// A key beside the parts: of a program that decides one, and its limits.
#[derive(Clone, Copy, Debug)]
pub(super) struct ExternalKey {
    pub(super) name: &'static str,
    pub(super) kind: ValueKind,
    pub(super) default: &'static str,
    pub(super) doc: &'static str,
}

const EXTERNAL: [ExternalKey; 3] = [
    ExternalKey {
        name: "external",
        kind: ValueKind::Texts,
        default: "",
        doc: "A program that decides this part, and its arguments (see policy.md).",
    },
    ExternalKey {
        name: "deadline",
        kind: ValueKind::Span,
        default: "10 s",
        doc: "Longest time for one answer of the program.",
    },
    ExternalKey {
        name: "max_answer",
        kind: ValueKind::Size,
        default: "16 MiB",
        doc: "Most bytes of one answer of the program.",
    },
];

/// Keys of a program that decides `part`, and of its limits; none where no program can.
pub(super) fn external_keys(part: &str) -> &'static [ExternalKey] {
    let outside = PolicyPart::OUTSIDE.iter().any(|one| one.name() == part);
    if outside { &EXTERNAL } else { &[] }
}

/// Markets that can be rented.
pub(super) const MARKETS: &[&str] = &["on-demand", "spot"];

/// The registry: every part that a scenario may name.
pub static OPTIONS: LazyLock<Vec<PartOption>> = LazyLock::new(|| {
    let mut all = Vec::new();
    list(&mut all, "preempt", preempt::PARTS, &[]);
    list(&mut all, "admit", &[&admit::LIMITS], &[]);
    list(&mut all, "shift", shift::PARTS, &[]);
    list(&mut all, "order", order::PARTS, &[]);
    list(&mut all, "place", place::PARTS, NARROW);
    list(&mut all, "backfill", backfill::PARTS, &[]);
    list(&mut all, "provision", provision::PARTS, &[]);
    list(&mut all, "cap", cap::PARTS, &[]);
    list(&mut all, "release", release::PARTS, &[]);
    list(&mut all, "checkpoint", checkpoint::PARTS, &[]);
    list(&mut all, "recover", recover::PARTS, &[]);
    list(&mut all, "commit", purchase::PARTS, &[]);
    all
});

/// Lists `parts`, which take the parameters `also` besides their own.
fn list<T>(
    all: &mut Vec<PartOption>,
    part: &'static str,
    parts: &[&'static Part<T>],
    also: &'static [Parameter],
) {
    all.extend(parts.iter().map(|row| PartOption {
        part,
        name: row.name,
        doc: row.doc,
        parameters: row.parameters.iter().chain(also).collect(),
    }));
}

/// The options of one part.
pub fn options(part: &str) -> impl Iterator<Item = &'static PartOption> {
    OPTIONS.iter().filter(move |option| option.part == part)
}
