//! Guessing what a file is.

use std::path::Path;

use crate::model::Kind;
use crate::problem::Problem;

use super::lines::Lines;
use super::number::float;
use super::table::{Bad, Table};
use super::{Column, Field, Format, Mapping, NativeColumn, OpenbOptions, Origin, SwfOptions, Unit};

/// What a file seems to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Recognised {
    /// How to read it.
    pub format: Format,
    /// Why, and what to check, in plain sentences.
    pub why: String,
}

/// Rows that are looked at.
const LOOKED_AT: usize = 200;

/// Guesses what the file at `path` is by its first rows; `None` where it
/// looks like no workload.
///
/// # Errors
/// Why the file cannot be read.
pub fn recognise(path: &Path, shown: &str) -> Result<Option<Recognised>, Problem> {
    let mut lines = Lines::open(path, shown)?;
    let mut head = Vec::new();
    let mut comments = false;
    for _ in 0..LOOKED_AT {
        if !lines.advance()? {
            break;
        }
        let line = lines.current().trim_ascii();
        match line.first() {
            None => {}
            Some(b';') => comments = true,
            Some(b'#') => {}
            Some(_) => head.push(line.to_vec()),
        }
    }
    let Some(first) = head.first() else {
        return Ok(comments.then(swf));
    };
    if is_swf(first) {
        return Ok(Some(swf()));
    }
    let delimiter = [b',', b';', b'\t']
        .into_iter()
        .max_by_key(|delimiter| first.iter().filter(|byte| *byte == delimiter).count())
        .unwrap_or(b',');
    Ok(by_header(&rows(&head.join(&b'\n'), delimiter, shown), delimiter))
}

fn swf() -> Recognised {
    Recognised {
        format: Format::Swf(SwfOptions::default()),
        why: "Lines of 18 numbers: a log in Standard Workload Format.".to_owned(),
    }
}

fn is_swf(line: &[u8]) -> bool {
    let mut fields =
        line.split(|byte| byte.is_ascii_whitespace()).filter(|field| !field.is_empty());
    let count = fields.clone().count();
    (17..=19).contains(&count) && fields.all(|field| float(field).is_ok())
}

/// The rows of `text` as far as they can be read.
fn rows(text: &[u8], delimiter: u8, shown: &str) -> Vec<Vec<String>> {
    let input = Box::new(std::io::Cursor::new(text.to_vec()));
    let Ok(lines) = Lines::new(input, shown) else { return Vec::new() };
    let mut table = Table::new(lines, delimiter, true, None);
    let mut rows = Vec::new();
    loop {
        match table.advance() {
            Ok(true) => rows.push(
                (0..table.len())
                    .map(|index| String::from_utf8_lossy(table.trimmed(index)).into_owned())
                    .collect(),
            ),
            Err(Bad::Row(_)) => {}
            Ok(false) | Err(Bad::File(_)) => return rows,
        }
    }
}

fn by_header(rows: &[Vec<String>], delimiter: u8) -> Option<Recognised> {
    let header = rows.first()?;
    let has = |name: &str| header.iter().any(|column| column == name);
    let native = [NativeColumn::Runtime, NativeColumn::Lifetime].iter().any(|c| has(c.name()));
    if native && has(NativeColumn::Arrival.name()) {
        let why = "The header is that of a native trace.".to_owned();
        return Some(Recognised { format: Format::Native, why });
    }
    if ["name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli"].into_iter().all(has) {
        let arrivals_only = !(has("creation_time") && has("deletion_time"));
        let format = Format::Openb(OpenbOptions { arrivals_only, ..OpenbOptions::default() });
        let why = "The header is that of an openb pod list (Alibaba, 2023).".to_owned();
        return Some(Recognised { format, why });
    }
    azure(rows, delimiter).or_else(|| by_synonyms(rows, delimiter))
}

/// The VM list of the Azure public traces: 11 columns without a header.
fn azure(rows: &[Vec<String>], delimiter: u8) -> Option<Recognised> {
    let first = rows.first()?;
    let number = |index: usize| {
        first.get(index).is_some_and(|cell| float(cell.trim_start_matches('>').as_bytes()).is_ok())
    };
    if first.len() != 11 || ![3, 4, 5, 9, 10].into_iter().all(number) {
        return None;
    }
    let column = |number, unit| Column { from: Origin::Number(number), unit, scale: 1.0 };
    let columns = [
        (Field::Id, column(1, Unit::Text)),
        (Field::Tenant, column(2, Unit::Text)),
        (Field::Arrival, column(4, Unit::Seconds)),
        (Field::End, column(5, Unit::Seconds)),
        (Field::Cpu, column(10, Unit::Cores)),
        (Field::Memory, column(11, Unit::Gib)),
    ];
    let mapping = Mapping {
        kind: Kind::VirtualMachine,
        columns: columns.into(),
        has_header: false,
        delimiter,
        quoting: true,
    };
    let why = "Eleven columns without a header, numbers where the Azure VM traces have them: \
        check that columns 4 and 5 are creation and deletion in seconds.";
    Some(Recognised { format: Format::Mapped(mapping), why: why.to_owned() })
}

/// Usual headers of each field, best first, and the unit of their numbers.
const SYNONYMS: &[(Field, Unit, &[&str])] = &[
    (
        Field::Id,
        Unit::Text,
        &["id", "job_id", "jobid", "job_name", "name", "vm_id", "vmid", "instance_sn"],
    ),
    (
        Field::Arrival,
        Unit::Seconds,
        &[
            "arrival",
            "arrival_time",
            "submit_time",
            "submission_time",
            "submitted",
            "submit",
            "creation_time",
            "created",
            "vmcreated",
            "timestamp",
            "time",
            "start_time",
            "start",
        ],
    ),
    (
        Field::Runtime,
        Unit::Seconds,
        &["runtime", "run_time", "duration", "length", "lifetime", "elapsed"],
    ),
    (Field::End, Unit::Seconds, &["end_time", "end", "deletion_time", "vmdeleted", "finish_time"]),
    (Field::Tasks, Unit::Count, &["tasks", "num_tasks", "worker_num", "num_replicas", "instances"]),
    (
        Field::Cpu,
        Unit::Cores,
        &["cpus", "cpu", "vcpus", "cores", "cpu_request", "cpu_count", "num_cpus"],
    ),
    (Field::Memory, Unit::Gib, &["memory_gib", "memory_gb", "mem_gib", "memory_request"]),
    (Field::Gpus, Unit::Count, &["gpus", "num_gpus", "gpu", "num_gpu", "gpu_request"]),
    (Field::GpuModels, Unit::Text, &["gpu_model", "gpu_type"]),
    (Field::Tenant, Unit::Text, &["tenant", "user", "organization", "vc", "group", "cluster"]),
    (Field::Priority, Unit::Count, &["priority"]),
];

fn by_synonyms(rows: &[Vec<String>], delimiter: u8) -> Option<Recognised> {
    let header = rows.first()?;
    let mut mapping = Mapping { delimiter, ..Mapping::default() };
    let mut told = Vec::new();
    for &(field, unit, names) in SYNONYMS {
        let found = names
            .iter()
            .find_map(|name| header.iter().position(|column| column.eq_ignore_ascii_case(name)));
        let Some(index) = found else { continue };
        let both = field == Field::End && mapping.columns.contains_key(&Field::Runtime);
        let taken = mapping.columns.values().any(
            |column| matches!(&column.from, Origin::Header(header) if *header == rows[0][index]),
        );
        if both || taken {
            continue;
        }
        let cells: Vec<&str> =
            rows[1..].iter().filter_map(|row| row.get(index)).map(String::as_str).collect();
        let Some(unit) = fitting_unit(unit, &cells) else { continue };
        told.push(format!("{} from `{}`", field.name(), header[index]));
        let from = Origin::Header(header[index].clone());
        mapping.columns.insert(field, Column { from, unit, scale: 1.0 });
    }
    let has = |field| mapping.columns.contains_key(&field);
    if !has(Field::Arrival) || !(has(Field::Runtime) || has(Field::End)) {
        return None;
    }
    let why = format!(
        "Guessed by the header: {}. Check the units: numbers of time are taken as seconds.",
        told.join(", ")
    );
    Some(Recognised { format: Format::Mapped(mapping), why })
}

/// `unit`, or a date where the cells of a time are no numbers; `None` where
/// the cells do not fit.
fn fitting_unit(unit: Unit, cells: &[&str]) -> Option<Unit> {
    let numbers = cells.iter().all(|cell| cell.is_empty() || float(cell.as_bytes()).is_ok());
    match unit {
        Unit::Text => Some(unit),
        Unit::Seconds if !numbers => Some(Unit::Timestamp),
        _ => numbers.then_some(unit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(text: &str) -> Option<Recognised> {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), text).expect("written");
        recognise(file.path(), "x").expect("readable")
    }

    #[test]
    fn known_formats_are_recognised() {
        let swf = "; Version: 2\n 1 0 -1 12072 16 -1 -1 -1 -1 -1 1 -1 -1 -1 0 -1 -1 -1\n";
        assert!(matches!(guess(swf).expect("SWF").format, Format::Swf(_)));
        let native = "# ours\nid,arrival_s,lifetime_s\n";
        assert_eq!(guess(native).expect("native").format, Format::Native);
        let openb = "name,cpu_milli,memory_mib,num_gpu,gpu_milli\n";
        let format = guess(openb).expect("openb").format;
        assert!(matches!(format, Format::Openb(options) if options.arrivals_only));
        let azure = "a,b,c,0,300,9,1,2,Unknown,>24,4\n";
        assert!(matches!(guess(azure).expect("azure").format, Format::Mapped(_)));
        for nothing in ["", "a,b\n1,2\n", "\u{0}\u{1}"] {
            assert_eq!(guess(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn headers_are_guessed_with_dates() {
        let text = "timestamp,duration,num_gpus,gpu_time,cluster\n2017-10-09 07:01:55,66.0,1,66.0,11cb48\n";
        let Some(Recognised { format: Format::Mapped(mapping), why }) = guess(text) else {
            panic!("a mapping")
        };
        let found: Vec<_> =
            mapping.columns.iter().map(|(field, column)| (*field, column.unit)).collect();
        let want = [
            (Field::Arrival, Unit::Timestamp),
            (Field::Runtime, Unit::Seconds),
            (Field::Gpus, Unit::Count),
            (Field::Tenant, Unit::Text),
        ];
        assert_eq!(found, want);
        assert!(why.contains("arrival from `timestamp`"), "{why}");
    }
}
