//! Pod and node lists of Alibaba's cluster-trace-gpu-v2023 ("openb").

mod nodes;

use crate::model::{Ask, Filter, Interner, Rules, Speedup, Work, WorkKind};
use crate::part::{Parameter, Part, PartSettings, Setting, SettingKind};
use crate::problem::{Problem, Problems};
use crate::units::{Calendar, Demand, MAX_GPUS, Time, WHOLE_GPU};

use super::format::{
    Beginning, ColumnNames, Format, FormatReader, Machines, OtherFormat, ReadFormat, TextLayout,
    work_kind,
};
use super::names::{Names, text};
use super::note::NoteSet;
use super::number::{BadValue, seconds, unsigned};
use super::reader::{ReadRow, Rows};
use super::recognise::{FileHead, Recognised};
use super::table::{Bad, TextTable};
use super::{RowNote, TraceSpec};

pub use nodes::{NodeRow, read_nodes};

/// Pod lists of Alibaba's cluster-trace-gpu-v2023.
pub static OPENB: Format = Format {
    part: Part {
        name: "openb",
        doc: "Pod list of Alibaba's cluster-trace-gpu-v2023 (openb).",
        parameters: PARAMETERS,
        make: |settings| FormatReader(Box::new(OpenbOptions::new(settings))),
    },
    beside: &["kind"],
    sample: "name,cpu_milli,memory_mib,num_gpu,gpu_milli,creation_time,deletion_time\n\
             p,1,2,1,500,,9\nq,1,2,0,0,3,\n",
    recognise,
};

const PARAMETERS: &[Parameter] = &[
    work_kind("vm"),
    Parameter {
        name: "arrivals_only",
        kind: SettingKind::Flag,
        default: Setting::Flag(false),
        doc: "Pods arrive and never leave, as in the experiments of the FGD paper.",
    },
    Parameter {
        name: "qos_priority",
        kind: SettingKind::Flag,
        default: Setting::Flag(false),
        doc: "Whether the quality of service sets the priority.",
    },
];

fn recognise(head: &FileHead) -> Result<Recognised, OtherFormat> {
    let columns = ["name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli"];
    if !columns.into_iter().all(|column| head.has(column)) {
        return Err(None);
    }
    let has_times = head.has("creation_time") && head.has("deletion_time");
    Ok(Recognised {
        format: OPENB.spec().set("arrivals_only", !has_times),
        why: "The header is that of an openb pod list (Alibaba, 2023).".to_owned(),
        is_told: false,
    })
}

/// Rules by which an openb pod list becomes work.
#[derive(Clone, Debug)]
struct OpenbOptions {
    /// Pods arrive one per second in the order of the file and never leave, as
    /// in the experiments of the FGD paper (ATC '23); otherwise they live from
    /// creation to deletion.
    arrivals_only: bool,
    /// Whether pods are jobs instead of virtual machines.
    as_jobs: bool,
    /// Whether the quality of service sets the priority: BE 0, Burstable 1,
    /// LS 2, Guaranteed 3.
    qos_priority: bool,
}

impl OpenbOptions {
    fn new(settings: &PartSettings) -> Self {
        Self {
            arrivals_only: settings.flag("arrivals_only"),
            as_jobs: settings.word("kind") == "job",
            qos_priority: settings.flag("qos_priority"),
        }
    }
}

impl ReadFormat for OpenbOptions {
    fn layout(&self) -> TextLayout {
        TextLayout { delimiter: b',', quoting: true, comment: None, names: ColumnNames::Header }
    }

    fn rows(
        &self,
        trace: &TraceSpec,
        _calendar: Calendar,
        keep_names: bool,
    ) -> Result<Box<dyn Rows>, Problems> {
        Ok(Box::new(OpenbRows::new(trace.table()?, self, keep_names)?))
    }

    fn assumptions(&self) -> Vec<String> {
        let told = match self.arrivals_only {
            true => "Pods arrive one per second and never leave.",
            false => "Pods live from creation to deletion.",
        };
        vec![told.to_owned()]
    }

    fn beginning(&self, _trace: &TraceSpec) -> Result<Beginning, Problem> {
        Ok(Beginning {
            machines: Machines::NodeList,
            known_runtimes: Some("lifetimes are known when pods arrive"),
            ..Beginning::default()
        })
    }
}

/// Pods of an openb list.
struct OpenbRows {
    table: TextTable,
    at: PodColumns,
    options: OpenbOptions,
    names: Names,
    keep_names: bool,
    row: i64,
}

/// Position of each column.
struct PodColumns {
    width: usize,
    name: usize,
    cpu: usize,
    memory: usize,
    gpus: usize,
    share: usize,
    models: Option<usize>,
    qos: Option<usize>,
    created: Option<usize>,
    deleted: Option<usize>,
}

impl PodColumns {
    fn find(table: &TextTable) -> Result<Self, Problems> {
        let position =
            |name: &str| (0..table.len()).find(|&index| table.trimmed(index) == name.as_bytes());
        let mut problems = Vec::new();
        let mut needed = |name: &str| {
            position(name).unwrap_or_else(|| {
                let message = format!("column `{name}` is missing");
                problems.push(Problem::at(table.shown(), table.line(), 0, message));
                0
            })
        };
        let columns = Self {
            width: table.len(),
            name: needed("name"),
            cpu: needed("cpu_milli"),
            memory: needed("memory_mib"),
            gpus: needed("num_gpu"),
            share: needed("gpu_milli"),
            models: position("gpu_spec"),
            qos: position("qos"),
            created: position("creation_time"),
            deleted: position("deletion_time"),
        };
        if problems.is_empty() { Ok(columns) } else { Err(problems.into()) }
    }
}

impl OpenbRows {
    /// Reads the header of `table`.
    fn new(
        mut table: TextTable,
        options: &OpenbOptions,
        keep_names: bool,
    ) -> Result<Self, Problems> {
        if !table.advance().map_err(Bad::into_problem)? {
            return Err(
                Problem::with(table.shown(), "the file is empty; a header is needed").into()
            );
        }
        let at = PodColumns::find(&table)?;
        if !options.arrivals_only && (at.created.is_none() || at.deleted.is_none()) {
            let message = "the list has no columns `creation_time` and `deletion_time`";
            return Err(Problem::at(table.shown(), table.line(), 0, message)
                .hint("`arrivals_only = true` reads it without times")
                .into());
        }
        let options = options.clone();
        Ok(Self { table, at, options, names: Names::default(), keep_names, row: 0 })
    }

    fn read<T>(
        &self,
        index: usize,
        name: &str,
        read: impl FnOnce(&[u8]) -> Result<T, BadValue>,
    ) -> Result<T, Bad> {
        let refused = |reason| Bad::Row(self.table.problem(index, name, reason));
        read(self.table.trimmed(index)).map_err(refused)
    }

    fn demand(&self) -> Result<Demand, Bad> {
        let at = &self.at;
        let gpus: u8 = self.read(at.gpus, "num_gpu", unsigned)?;
        let share: u16 = self.read(at.share, "gpu_milli", unsigned)?;
        if gpus > MAX_GPUS {
            return Err(Bad::Row(self.table.problem(at.gpus, "num_gpu", "is more than 32")));
        }
        if share > WHOLE_GPU || gpus > 0 && share == 0 {
            return Err(Bad::Row(self.table.problem(
                at.share,
                "gpu_milli",
                "is not within 1 to 1000",
            )));
        }
        Ok(Demand {
            cpu: self.read(at.cpu, "cpu_milli", unsigned)?,
            memory: self.read(at.memory, "memory_mib", unsigned)?,
            gpus,
            gpu_share: if gpus == 0 { 0 } else { share },
            exclusive: false,
        })
    }

    /// Arrival and end, where it has them.
    fn times(&self) -> Result<(Option<Time>, Option<Time>), Bad> {
        let (Some(created), Some(deleted), false) =
            (self.at.created, self.at.deleted, self.options.arrivals_only)
        else {
            return Ok((Some(Time::from_secs(self.row)), None));
        };
        let time = |index, name| match self.table.trimmed(index) {
            b"" => Ok(None),
            _ => self.read(index, name, seconds).map(|micros| Some(Time::from_micros(micros))),
        };
        let arrival = time(created, "creation_time")?;
        let end = time(deleted, "deletion_time")?;
        if arrival.zip(end).is_some_and(|(arrival, end)| end < arrival) {
            let reason = "is before the pod's creation";
            return Err(Bad::Row(self.table.problem(deleted, "deletion_time", reason)));
        }
        Ok((arrival, end))
    }

    fn priority(&self) -> Result<i32, Bad> {
        let Some(qos) = self.at.qos.filter(|_| self.options.qos_priority) else { return Ok(0) };
        self.read(qos, "qos", |cell| match cell {
            b"BE" | b"" => Ok(0),
            b"Burstable" => Ok(1),
            b"LS" => Ok(2),
            b"Guaranteed" => Ok(3),
            _ => Err("is not BE, Burstable, LS or Guaranteed"),
        })
    }
}

impl Rows for OpenbRows {
    fn next(&mut self, book: &mut Interner, work: &mut Work) -> Result<ReadRow, Bad> {
        if !self.table.advance()? {
            return Ok(ReadRow::End);
        }
        if self.table.len() != self.at.width {
            let (found, wanted) = (self.table.len(), self.at.width);
            let message = format!("the row has {found} fields, the header has {wanted}");
            return Err(Bad::Row(self.table.row_problem(message)));
        }
        work.name.clear();
        if self.keep_names {
            work.name
                .push_str(&self.read(self.at.name, "name", |cell| text(cell).map(str::to_owned))?);
        }
        let (arrival, end) = self.times()?;
        self.row += 1;
        let row = match arrival {
            Some(_) => ReadRow::Filled,
            None if end.is_some_and(|end| end <= Time::ZERO) => {
                return Ok(ReadRow::Dropped(RowNote::EndedBefore));
            }
            None => ReadRow::Noted(NoteSet::of(RowNote::AliveAtStart)),
        };
        // A pod that was there before the trace is there when it begins.
        work.arrival = arrival.unwrap_or(Time::ZERO);
        let runtime = end.map(|end| end - work.arrival);
        let kind = if self.options.as_jobs { WorkKind::Job } else { WorkKind::VirtualMachine };
        work.body = kind.body(runtime);
        (work.min_tasks, work.speedup) = (0, Speedup::LINEAR);
        work.ask = Ask { demand: self.demand()?, priority: self.priority()?, ..Ask::default() };
        if let Some(models) = self.at.models {
            let (table, names) = (&self.table, &mut self.names);
            work.ask.rules = read_models(names, book, table.trimmed(models))
                .map_err(|reason| Bad::Row(table.problem(models, "gpu_spec", reason)))?;
        }
        Ok(row)
    }

    fn problem(&self, message: String) -> Problem {
        self.table.row_problem(message)
    }

    fn filtered(&self) -> u64 {
        self.table.filtered()
    }
}

/// The rules of a list of GPU models such as `V100M16|V100M32`.
pub(super) fn read_models(
    names: &mut Names,
    book: &mut Interner,
    cell: &[u8],
) -> Result<crate::units::Id<Rules>, BadValue> {
    names.rules(book, cell, || {
        let mut allowed: Vec<String> = Vec::new();
        for model in text(cell)?.split('|').map(str::trim).filter(|model| !model.is_empty()) {
            if allowed.iter().all(|known| known != model) {
                allowed.push(model.to_owned());
            }
        }
        let gpu_models = Filter { allowed, forbidden: Vec::new() };
        Ok(Rules { gpu_models, ..Rules::default() })
    })
}

#[cfg(test)]
mod tests {
    use super::super::lines::Lines;
    use super::super::reader::Reader;
    use super::super::{OnBadRow, Source};
    use super::*;
    use crate::units::Span;
    use proptest::prelude::*;
    use std::io::Cursor;

    impl Default for OpenbOptions {
        fn default() -> Self {
            Self::new(&PartSettings::new(PARAMETERS))
        }
    }

    fn read(text: &[u8], options: &OpenbOptions) -> Result<(Vec<Work>, Interner), Problems> {
        let lines = Lines::new(Box::new(Cursor::new(text.to_vec())), "x")?;
        let rows = OpenbRows::new(TextTable::new(lines, b',', true, None), options, true)?;
        let mut source = Reader::new(rows, OnBadRow::Fail, true);
        let (mut book, mut work, mut found) = (Interner::default(), Work::default(), Vec::new());
        while source.next(&mut book, &mut work)? {
            found.push(work.clone());
        }
        Ok((found, book))
    }

    const PODS: &str = "\
name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time
p0,12000,16384,1,460,V100M16|V100M32|V100M32,LS,Running,0,100,0
p1,6000,12288,0,0,,BE,Pending,7,9,
";

    #[test]
    fn pods_live_from_creation_to_deletion() {
        let options = OpenbOptions { qos_priority: true, ..OpenbOptions::default() };
        let (pods, book) = read(PODS.as_bytes(), &options).expect("pods");
        assert_eq!(
            pods[0].ask.demand,
            Demand { cpu: 12_000, memory: 16_384, gpus: 1, gpu_share: 460, exclusive: false }
        );
        assert_eq!(pods[0].body.length(), Some(Span::from_secs(100)));
        assert_eq!((pods[0].body.kind(), pods[0].ask.priority), (WorkKind::VirtualMachine, 2));
        assert_eq!(book.all_rules()[pods[0].ask.rules].gpu_models.allowed, ["V100M16", "V100M32"]);
        assert_eq!((pods[1].arrival, pods[1].ask.rules.raw()), (Time::from_secs(7), 0));
    }

    #[test]
    fn arrivals_only_need_no_times() {
        let text = b"name,cpu_milli,memory_mib,num_gpu,gpu_milli\np0,1,2,8,1000\np1,1,2,0,0\n";
        assert!(read(text, &OpenbOptions::default()).is_err());
        let options = OpenbOptions { arrivals_only: true, ..OpenbOptions::default() };
        let (pods, _) = read(text, &options).expect("pods");
        assert_eq!((pods[1].arrival, pods[1].body.length()), (Time::from_secs(1), None));
    }

    proptest! {
        #[test]
        fn arbitrary_rows_never_panic(rows in prop::collection::vec("[0-9,A-Z|\"-]{0,60}", 0..5)) {
            let header = PODS.lines().next().unwrap_or_default();
            let text = format!("{header}\n{}", rows.join("\n"));
            let _ = read(text.as_bytes(), &OpenbOptions::default());
        }
    }
}
