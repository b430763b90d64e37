//! Lists of machines, to build a fleet from.

use std::path::Path;

use crate::problem::{Problem, Problems};
use crate::units::MAX_GPUS;

use super::super::lines::Lines;
use super::super::names::text;
use super::super::number::{BadValue, unsigned};
use super::super::seen::SeenNames;
use super::super::table::{Bad, TextTable};

/// One machine of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRow {
    /// Name of the machine in the list.
    pub name: String,
    /// Milli-cores.
    pub cpu_milli: u32,
    /// MiB.
    pub memory_mib: u32,
    /// GPU devices, 0 to 32.
    pub gpus: u8,
    /// GPU model; empty when there is none.
    pub model: String,
}

/// Most rows that a list may have.
const MAX_NODES: usize = 10_000_000;
/// Most problems that are reported at once.
const MAX_PROBLEMS: usize = 20;

/// Names of each column, ours first.
const NAME: &[&str] = &["sn", "name", "node_name", "node", "id"];
const CPU_MILLI: &[&str] = &["cpu_milli"];
const CORES: &[&str] = &["vcpus", "cpus", "cpu_num", "cores"];
const MEMORY: &[&str] = &["memory_mib"];
const GPUS: &[&str] = &["gpu", "gpus", "num_gpu", "gpu_capacity_num"];
const MODEL: &[&str] = &["model", "gpu_model"];

/// Reads a list of machines: CSV with a header, in which `name` (or `sn`),
/// `cpu_milli` (or `vcpus`), `memory_mib`, `gpus` and `model` are found under
/// any of their usual names; all but the CPU may be missing.
///
/// # Errors
/// The first 20 malformed rows, or why the file cannot be read.
pub fn read_nodes(path: &Path, shown: &str) -> Result<Vec<NodeRow>, Problems> {
    let lines = Lines::open(path, shown)?;
    let mut table = TextTable::new(lines, b',', true, Some(b'#'));
    let at = NodeColumns::find(&mut table)?;
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    let mut seen = SeenNames::default();
    loop {
        let row = match table.advance() {
            Ok(false) => break,
            Ok(true) => {
                at.read(&table, rows.len()).and_then(|row| at.check(&table, row, &mut seen))
            }
            Err(bad) => Err(bad),
        };
        match row {
            Ok(row) => rows.push(row),
            Err(Bad::Row(problem)) if problems.len() + 1 < MAX_PROBLEMS => problems.push(problem),
            Err(bad) => {
                problems.push(bad.into_problem());
                break;
            }
        }
        if rows.len() > MAX_NODES {
            return Err(Problem::with(shown, "the list has more than 10 million rows").into());
        }
    }
    if problems.is_empty() { Ok(rows) } else { Err(problems.into()) }
}

/// Position of each column.
struct NodeColumns {
    width: usize,
    name: Option<usize>,
    cpu: usize,
    /// Milli-cores per unit of `cpu`.
    per_cpu: u32,
    memory: Option<usize>,
    gpus: Option<usize>,
    model: Option<usize>,
}

impl NodeColumns {
    fn find(table: &mut TextTable) -> Result<Self, Problems> {
        if !table.advance().map_err(Bad::into_problem)? {
            return Err(
                Problem::with(table.shown(), "the file is empty; a header is needed").into()
            );
        }
        let position = |names: &[&str]| {
            (0..table.len())
                .find(|&index| names.iter().any(|name| table.trimmed(index) == name.as_bytes()))
        };
        let (cpu, per_cpu) = match (position(CPU_MILLI), position(CORES)) {
            (Some(cpu), _) => (cpu, 1),
            (None, Some(cpu)) => (cpu, 1_000),
            (None, None) => {
                let message = "column `cpu_milli` (or `vcpus`) is missing";
                return Err(Problem::at(table.shown(), table.line(), 0, message).into());
            }
        };
        Ok(Self {
            width: table.len(),
            name: position(NAME),
            cpu,
            per_cpu,
            memory: position(MEMORY),
            gpus: position(GPUS),
            model: position(MODEL),
        })
    }

    /// Holds a machine against those before it, and itself.
    fn check(&self, table: &TextTable, row: NodeRow, seen: &mut SeenNames) -> Result<NodeRow, Bad> {
        let refused = |index: Option<usize>, name: &str, reason: BadValue| {
            Bad::Row(table.problem(index.unwrap_or(0), name, reason))
        };
        if self.name.is_some() && seen.again(&row.name) {
            return Err(refused(self.name, "name", "is that of an earlier machine"));
        }
        if row.gpus > 0 && row.model.is_empty() {
            return Err(refused(self.gpus, "gpus", "has no model: the column `model` names it"));
        }
        Ok(row)
    }

    fn read(&self, table: &TextTable, row: usize) -> Result<NodeRow, Bad> {
        if table.len() != self.width {
            let message = format!("the row has {} fields, the header {}", table.len(), self.width);
            return Err(Bad::Row(table.row_problem(message)));
        }
        let refused = |index: usize, name: &str, reason: BadValue| {
            Bad::Row(table.problem(index, name, reason))
        };
        let name = |index: Option<usize>, column: &str| match index {
            Some(index) => text(table.trimmed(index))
                .map(str::to_owned)
                .map_err(|reason| refused(index, column, reason)),
            None => Ok(String::new()),
        };
        let number = |index: usize, column: &str| {
            unsigned::<u32>(table.trimmed(index)).map_err(|reason| refused(index, column, reason))
        };
        let cpu = number(self.cpu, "cpu")?.checked_mul(self.per_cpu);
        let cpu_milli = cpu.ok_or_else(|| refused(self.cpu, "cpu", "is too large"))?;
        let gpus = match self.gpus {
            Some(index) => match u8::try_from(number(index, "gpus")?) {
                Ok(gpus) if gpus <= MAX_GPUS => gpus,
                _ => return Err(refused(index, "gpus", "is more than 32")),
            },
            None => 0,
        };
        Ok(NodeRow {
            name: match self.name {
                Some(_) => name(self.name, "name")?,
                None => row.to_string(),
            },
            cpu_milli,
            memory_mib: self.memory.map_or(Ok(0), |index| number(index, "memory_mib"))?,
            gpus,
            model: name(self.model, "model")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<NodeRow>, Problems> {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), text).expect("written");
        read_nodes(file.path(), "nodes.csv")
    }

    #[test]
    fn usual_headers_are_understood() {
        let openb = read("sn,cpu_milli,memory_mib,gpu,model\nn0,64000,262144,2,P100\n");
        let row = NodeRow {
            name: "n0".to_owned(),
            cpu_milli: 64_000,
            memory_mib: 262_144,
            gpus: 2,
            model: "P100".to_owned(),
        };
        assert_eq!(openb, Ok(vec![row]));
        let spot = read("gpu_model,gpu_capacity_num,cpu_num,node_name\nA10,1,128,2\n");
        assert_eq!(spot.expect("nodes")[0].cpu_milli, 128_000);
    }

    #[test]
    fn every_bad_row_is_reported() {
        let problems = read("name,vcpus,gpus\na,x,0\nb,1,33\nc,1\n").expect_err("three bad rows");
        let places: Vec<_> =
            problems.iter().map(|problem| (problem.line, problem.column)).collect();
        assert_eq!(places, [(2, 3), (3, 5), (4, 1)]);
        let twice = "sn,vcpus,gpus,model\na,1,0,\na,1,0,\nb,1,2,\n";
        let problems = read(twice).expect_err("a name twice, and GPUs without a model");
        let places: Vec<_> =
            problems.iter().map(|problem| (problem.line, problem.column)).collect();
        assert_eq!(places, [(3, 1), (4, 5)]);
        assert!(read("name,gpus\n").is_err());
        assert!(read("").is_err());
    }
}
