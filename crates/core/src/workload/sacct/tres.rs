//! Trackable resources as Slurm writes them: `cpu=8,mem=32G,gres/gpu:a100=2,node=1`.

use crate::workload::number::{BadValue, Rounding, scaled, unsigned};
use crate::workload::written::{is_missing, memory};

/// Resources that a job holds in all, as far as they are said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tres {
    /// CPU in milli-cores.
    pub(super) cpu: Option<u64>,
    /// Memory in bytes.
    pub(super) memory: Option<i64>,
    pub(super) nodes: Option<u64>,
    pub(super) gpus: Option<u64>,
    /// Models of its GPUs.
    pub(super) models: Vec<String>,
    /// Whether the job holds parts of GPUs that are shared.
    pub(super) shared_gpus: bool,
    /// Whether the job holds other resources that are not modelled.
    pub(super) others: bool,
}

impl Tres {
    /// Reads a list of resources. Entries of usage and those that follow from others are passed
    /// over.
    pub(super) fn read(cell: &[u8]) -> Result<Self, BadValue> {
        let mut found = Self::default();
        if is_missing(cell) {
            return Ok(found);
        }
        let (mut all, mut of_models) = (None, None);
        for entry in cell.split(|&byte| byte == b',') {
            let Some(at) = entry.iter().position(|&byte| byte == b'=') else { continue };
            let (name, value) = (entry[..at].trim_ascii(), entry[at + 1..].trim_ascii());
            if value.starts_with(b"?") {
                continue;
            }
            match name {
                b"cpu" => {
                    let milli = scaled(value, 1_000, 1.0, Rounding::Up)?;
                    found.cpu = Some(u64::try_from(milli).map_err(|_| "is negative")?);
                }
                b"node" => found.nodes = Some(unsigned::<u64>(value)?),
                b"mem" => {
                    let bytes = match memory(value)? {
                        Some((bytes, _)) => bytes,
                        None => unsigned::<i64>(value)?.saturating_mul(1 << 20),
                    };
                    found.memory = Some(bytes);
                }
                b"gres/gpu" => all = Some(unsigned::<u64>(value)?),
                b"billing" | b"energy" | b"fs/disk" | b"pages" | b"vmem" => {}
                _ => {
                    let Some(model) = name.strip_prefix(b"gres/gpu:") else {
                        found.add_other(name.strip_prefix(b"gres/").unwrap_or(name), value);
                        continue;
                    };
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

    /// Notes an amount of a resource that is not modelled, unless it is 0.
    fn add_other(&mut self, name: &[u8], amount: &[u8]) {
        let has_some = amount.iter().any(|byte| !matches!(byte, b'0' | b'.'));
        let kind = name.split(|&byte| byte == b':').next().unwrap_or(name);
        let is_shared = matches!(kind, b"shard" | b"mps");
        self.shared_gpus |= has_some && is_shared;
        self.others |= has_some && !is_shared;
    }

    /// Reads the devices of a column older than TRES: `gpu:2`, `gpu:a100:4(S:0-1),nic:1`.
    pub(super) fn read_gres(cell: &[u8]) -> Result<Self, BadValue> {
        let mut found = Self::default();
        for entry in cell.split(|&byte| byte == b',') {
            let end = entry.iter().position(|&byte| byte == b'(').unwrap_or(entry.len());
            let entry = entry[..end].trim_ascii();
            let entry = entry.strip_prefix(b"gres:").unwrap_or(entry);
            let mut words = entry.split(|&byte| byte == b':');
            let name = words.next().unwrap_or(entry);
            if name != b"gpu" {
                if !is_missing(name) && name != b"0" {
                    found.add_other(name, words.next_back().unwrap_or(b"1"));
                }
                continue;
            }
            let mut count = 1;
            for word in words {
                if word.first().is_some_and(u8::is_ascii_digit) {
                    count = unsigned::<u64>(word)?;
                    continue;
                }
                let model = std::str::from_utf8(word).map_err(|_| "is not UTF-8")?;
                if !found.models.iter().any(|known| known == model) {
                    found.models.push(model.to_owned());
                }
            }
            found.gpus = Some(found.gpus.unwrap_or(0).saturating_add(count));
        }
        Ok(found)
    }

    /// The same resources, with the GPUs of all `nodes` nodes in place of those of one.
    pub(super) fn on_each(self, nodes: u64) -> Self {
        Self { gpus: self.gpus.map(|gpus| gpus.saturating_mul(nodes)), ..self }
    }

    /// Its own amounts, and those of `other` where it has none.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            cpu: self.cpu.filter(|&cpu| cpu > 0).or(other.cpu),
            memory: self.memory.or(other.memory),
            nodes: self.nodes.filter(|&nodes| nodes > 0).or(other.nodes),
            models: if self.gpus.is_some() { self.models } else { other.models },
            gpus: self.gpus.or(other.gpus),
            shared_gpus: self.shared_gpus || other.shared_gpus,
            others: self.others || other.others,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_of_older_columns_are_read() {
        for (cell, gpus, models) in [
            ("gpu:2", Some(2), vec![]),
            ("gpu", Some(1), vec![]),
            ("gpu:tesla:4(S:0-1),nic:1", Some(4), vec!["tesla"]),
            ("craynetwork:1,gpu:a100:1,gpu:v100:2(IDX:0,2)", Some(3), vec!["a100", "v100"]),
            ("gres:gpu:3", Some(3), vec![]),
            ("nic:4", None, vec![]),
            ("", None, vec![]),
        ] {
            let found = Tres::read_gres(cell.as_bytes()).expect("a list");
            assert_eq!(
                (found.gpus, found.models),
                (gpus, models.iter().map(|one: &&str| (*one).to_owned()).collect()),
                "{cell}"
            );
        }
        assert!(Tres::read_gres(b"gpu:9x").is_err());
    }

    /// Lists of resources, each with whether it holds parts of shared GPUs, and whether other
    /// resources.
    #[test]
    fn resources_that_are_not_modelled_are_seen() {
        for (cell, noted) in [
            ("billing=9,cpu=8,energy=412,fs/disk=7,mem=1G,node=1,pages=3,vmem=9", [false, false]),
            ("cpu=8,gres/gpu=2,gres/gpu:a100=2", [false, false]),
            ("cpu=8,gres/shard=2", [true, false]),
            ("cpu=8,gres/mps:a100=50", [true, false]),
            ("cpu=8,gres/shard=0,license/matlab=0", [false, false]),
            ("cpu=8,gres/nic=1", [false, true]),
            ("cpu=8,license/matlab=1,gres/shard:t4=1", [true, true]),
            ("bb/datawarp=100G,cpu=8", [false, true]),
        ] {
            let found = Tres::read(cell.as_bytes()).expect("a list");
            assert_eq!([found.shared_gpus, found.others], noted, "{cell}");
        }
        for (cell, noted) in [
            ("gpu:2", [false, false]),
            ("gpu:2,nic:1", [false, true]),
            ("shard:t4:4", [true, false]),
            ("mps", [true, false]),
            ("craynetwork:0", [false, false]),
            ("0", [false, false]),
        ] {
            let found = Tres::read_gres(cell.as_bytes()).expect("a list");
            assert_eq!([found.shared_gpus, found.others], noted, "{cell}");
        }
    }

    #[test]
    fn resources_are_read() {
        let found = Tres::read(b"billing=9,cpu=8,mem=32G,node=2,gres/gpu=2,gres/gpu:a100=2");
        let want = Tres {
            cpu: Some(8_000),
            memory: Some(32 << 30),
            nodes: Some(2),
            gpus: Some(2),
            models: vec!["a100".to_owned()],
            ..Tres::default()
        };
        assert_eq!(found, Ok(want));
        let part = Tres::read(b"cpu=0.5,mem=?,node=1").expect("a list");
        assert_eq!((part.cpu, part.memory), (Some(500), None));
        let typed = Tres::read(b"gres/gpu:a100=2,gres/gpu:v100=1").expect("a list");
        assert_eq!((typed.gpus, typed.models.len()), (Some(3), 2));
        assert_eq!(Tres::read(b""), Ok(Tres::default()));
        assert!(Tres::read(b"cpu=x").is_err());
        let asked = Tres::read(b"cpu=4,mem=8000M").expect("a list");
        assert_eq!(Tres::read(b"cpu=0").expect("a list").or(asked.clone()), asked);
    }
}
