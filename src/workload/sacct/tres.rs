//! Trackable resources as Slurm writes them: `cpu=8,mem=32G,gres/gpu:a100=2,node=1`.

use crate::workload::number::{Reason, unsigned};
use crate::workload::written::{is_missing, memory};

/// What a job holds in all, as far as it is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tres {
    pub(super) cpus: Option<u64>,
    /// Bytes.
    pub(super) memory: Option<i64>,
    pub(super) nodes: Option<u64>,
    pub(super) gpus: Option<u64>,
    /// Models of its GPUs.
    pub(super) models: Vec<String>,
}

impl Tres {
    /// Reads a list of resources; those that are not known are passed over.
    pub(super) fn read(cell: &[u8]) -> Result<Self, Reason> {
        let mut found = Self::default();
        if is_missing(cell) {
            return Ok(found);
        }
        let (mut all, mut of_models) = (None, None);
        for entry in cell.split(|&byte| byte == b',') {
            let Some(at) = entry.iter().position(|&byte| byte == b'=') else { continue };
            let (name, value) = (entry[..at].trim_ascii(), entry[at + 1..].trim_ascii());
            match name {
                b"cpu" => found.cpus = Some(unsigned::<u64>(value)?),
                b"node" => found.nodes = Some(unsigned::<u64>(value)?),
                b"mem" => {
                    let bytes = match memory(value)? {
                        Some((bytes, _)) => bytes,
                        None => unsigned::<i64>(value)?.saturating_mul(1 << 20),
                    };
                    found.memory = Some(bytes);
                }
                b"gres/gpu" => all = Some(unsigned::<u64>(value)?),
                _ => {
                    let Some(model) = name.strip_prefix(b"gres/gpu:") else { continue };
                    of_models = Some(of_models.unwrap_or(0) + unsigned::<u64>(value)?);
                    let model = std::str::from_utf8(model).map_err(|_| "is not UTF-8")?;
                    if !found.models.iter().any(|known| known == model) {
                        found.models.push(model.to_owned());
                    }
                }
            }
        }
        found.gpus = all.or(of_models);
        Ok(found)
    }

    /// What it says, and where it says nothing, what `other` says.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            cpus: self.cpus.filter(|&cpus| cpus > 0).or(other.cpus),
            memory: self.memory.or(other.memory),
            nodes: self.nodes.filter(|&nodes| nodes > 0).or(other.nodes),
            models: if self.gpus.is_some() { self.models } else { other.models },
            gpus: self.gpus.or(other.gpus),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_read() {
        let found = Tres::read(b"billing=9,cpu=8,mem=32G,node=2,gres/gpu=2,gres/gpu:a100=2");
        let want = Tres {
            cpus: Some(8),
            memory: Some(32 << 30),
            nodes: Some(2),
            gpus: Some(2),
            models: vec!["a100".to_owned()],
        };
        assert_eq!(found, Ok(want));
        let typed = Tres::read(b"gres/gpu:a100=2,gres/gpu:v100=1").expect("a list");
        assert_eq!((typed.gpus, typed.models.len()), (Some(3), 2));
        assert_eq!(Tres::read(b""), Ok(Tres::default()));
        assert!(Tres::read(b"cpu=x").is_err());
        let asked = Tres::read(b"cpu=4,mem=8000M").expect("a list");
        assert_eq!(Tres::read(b"cpu=0").expect("a list").or(asked.clone()), asked);
    }
}
