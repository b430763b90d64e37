//! Models of GPUs, and when two names mean the same one.

/// A model of GPU, by its canonical name: `A100-80GB`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GpuModel {
    /// Canonical name.
    pub name: String,
}

impl GpuModel {
    /// Whether `asked` names this very model, however it is written:
    /// `NVIDIA A100-SXM4-80GB` is `A100-80GB`, and `V100M16` is `V100-16GB`.
    pub fn is_called(&self, asked: &str) -> bool {
        Parts::of(&self.name) == Parts::of(asked)
    }

    /// Whether `asked` may mean this model: it is called so, or one of the two
    /// names leaves open how much memory there is (`A100` and `A100-80GB`).
    pub fn answers_to(&self, asked: &str) -> bool {
        answers(&self.name, asked)
    }

    /// Whether the name says how much memory the model has.
    pub fn says_memory(&self) -> bool {
        Parts::of(&self.name).memory.is_some()
    }
}

/// Whether the two names may mean one model (see [`GpuModel::answers_to`]).
pub fn answers(one: &str, other: &str) -> bool {
    let (one, other) = (Parts::of(one), Parts::of(other));
    let memory = one.memory.zip(other.memory);
    one.chip == other.chip && memory.is_none_or(|(one, other)| one == other)
}

/// Whether the two names are of one chip, with whatever memory.
pub fn same_chip(one: &str, other: &str) -> bool {
    Parts::of(one).chip == Parts::of(other).chip
}

/// The name of a model, taken apart.
#[derive(Debug, PartialEq, Eq)]
struct Parts {
    chip: String,
    /// Memory in GB, if the name says it.
    memory: Option<u32>,
}

/// Words around a chip's name that do not tell models apart here.
const NOISE: [&str; 9] =
    ["NVIDIA", "TESLA", "GEFORCE", "SXM", "SXM2", "SXM4", "SXM5", "PCIE", "NVLINK"];

impl Parts {
    fn of(name: &str) -> Self {
        let upper = name.to_ascii_uppercase();
        // `A100 80 GB` is `A100 80GB`.
        let upper = upper.replace(" GB", "GB").replace(" GIB", "GIB").replace("-GB", "GB");
        let (mut chip, mut memory) = (String::new(), None);
        for word in upper.split(['-', '_', ' ']).filter(|word| !NOISE.contains(word)) {
            let size = ["GIB", "GB", "G"].iter().find_map(|unit| word.strip_suffix(unit));
            let size = size.and_then(|size| size.parse().ok());
            match size.filter(|_| !chip.is_empty()) {
                Some(size) => memory = Some(size),
                None => chip.push_str(word),
            }
        }
        // The GPU traces of Alibaba write a V100 with 16 GB as `V100M16`.
        let short = chip.rsplit_once('M').and_then(|(before, size)| {
            let size = size.parse().ok().filter(|size| [16, 32].contains(size))?;
            before.ends_with(|last: char| last.is_ascii_digit()).then(|| (before.to_owned(), size))
        });
        match short {
            Some((chip, size)) => Self { chip, memory: Some(size) },
            None => Self { chip, memory },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_model_has_many_spellings() {
        let cases = [
            // (has, asked, is called so, answers to it)
            ("A100-80GB", "a100-80gb", true, true),
            ("A100-80GB", "NVIDIA A100-SXM4-80GB", true, true),
            ("A100-80GB", "A100 80 GB", true, true),
            ("A100-80GB", "A100", false, true),
            ("A100", "A100-80GB", false, true),
            ("A100-40GB", "A100-80GB", false, false),
            ("V100-16GB", "V100M16", true, true),
            ("V100M32", "V100M16", false, false),
            ("V100-32GB", "Tesla_V100", false, true),
            ("A10", "A100", false, false),
            ("A10", "A10G", false, false),
            ("L40S", "L40", false, false),
            ("G2", "G3", false, false),
            ("RTX4090-24GB", "GeForce RTX 4090", false, true),
            ("", "T4", false, false),
        ];
        for (has, asked, called, answers) in cases {
            let model = GpuModel { name: has.to_owned() };
            let found = (model.is_called(asked), model.answers_to(asked));
            assert_eq!(found, (called, answers), "{has} asked for as {asked}");
        }
    }
}
