//! Guessing what a file is.

mod guess;
mod names;

use std::path::Path;

use crate::model::WorkKind;
use crate::problem::{Problem, clip};

use super::lines::Lines;
use super::number::float;
use super::sacct::{USED, is_header};
use super::table::{Bad, TextTable};
use super::{
    Column, ColumnOrigin, ColumnUnit, Field, Format, Mapping, NativeColumn, OpenbOptions,
    SacctOptions, SwfOptions,
};

use guess::{Guess, guess};

/// Format that a file seems to have.
#[derive(Clone, Debug, PartialEq)]
pub struct Recognised {
    /// Format to read it in.
    pub format: Format,
    /// Reason for it, and points to check, in plain sentences.
    pub why: String,
}

/// Columns that are named where none of them is what is needed.
const TOLD_COLUMNS: usize = 30;
/// Rows that are looked at.
const LOOKED_AT: usize = 200;

/// Guesses what the file at `path` is by its first rows.
///
/// # Errors
/// Why the file cannot be read, or what it lacks to be a workload.
pub fn recognise(path: &Path, shown: &str) -> Result<Recognised, Problem> {
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
        return match comments {
            true => Ok(swf()),
            false => Err(Problem::with(shown, "the file is empty: a workload has rows")),
        };
    };
    // One bad line among good ones is a bad line of a log.
    let records = head.iter().filter(|line| is_swf(line)).count();
    if records * 2 > head.len() {
        return Ok(swf());
    }
    if first.contains(&0) {
        let problem = Problem::at(shown, 1, 0, "is no text: it has NUL bytes");
        return Err(problem.hint("unpack an archive first, and name one file of it"));
    }
    let delimiter = [b',', b';', b'\t', b'|']
        .into_iter()
        .max_by_key(|delimiter| first.iter().filter(|byte| *byte == delimiter).count())
        .unwrap_or(b',');
    by_header(&rows(&head.join(&b'\n'), delimiter, shown), delimiter, shown)
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
    let mut table = TextTable::new(lines, delimiter, true, None);
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

fn by_header(rows: &[Vec<String>], delimiter: u8, shown: &str) -> Result<Recognised, Problem> {
    let header = rows.first().map_or(&[][..], Vec::as_slice);
    let has = |name: &str| header.iter().any(|column| column == name);
    let runs = [NativeColumn::Runtime, NativeColumn::Lifetime].iter().any(|c| has(c.name()));
    if runs && has(NativeColumn::Arrival.name()) && delimiter == b',' {
        return Ok(native());
    }
    if ["name", "cpu_milli", "memory_mib", "num_gpu", "gpu_milli"].into_iter().all(has) {
        let arrivals_only = !(has("creation_time") && has("deletion_time"));
        let format = Format::Openb(OpenbOptions { arrivals_only, ..OpenbOptions::default() });
        let why = "The header is that of an openb pod list (Alibaba, 2023).".to_owned();
        return Ok(Recognised { format, why });
    }
    if is_header(header) {
        let format = Format::Sacct(SacctOptions { delimiter, ..SacctOptions::default() });
        let used = |column: &str| USED.iter().any(|known| known.eq_ignore_ascii_case(column));
        let rest = header.iter().filter(|column| !used(column) && !column.is_empty());
        let rest: Vec<&str> = rest.map(String::as_str).collect();
        let mut why = "The header is that of Slurm's `sacct`.".to_owned();
        if !rest.is_empty() {
            why += &format!(" Not used: {}.", clip(&rest.join(", ")));
        }
        return Ok(Recognised { format, why });
    }
    if let Some(azure) = azure(rows, delimiter) {
        return Ok(azure);
    }
    match guess(rows, delimiter) {
        Guess::Mapping(mapping, why) => Ok(Recognised { format: Format::Mapped(mapping), why }),
        // Read as a native trace it says which column is missing.
        _ if runs || has(NativeColumn::Arrival.name()) => Ok(native()),
        Guess::Lacking { arrival, runtime } => Err(lacking(header, arrival, runtime, shown)),
    }
}

/// The columns that a table lacks to be a workload, and those that it has.
fn lacking(
    header: &[String],
    arrival: Option<String>,
    runtime: Option<String>,
    shown: &str,
) -> Problem {
    const ARRIVAL: &str = "`arrival = \"...\"`";
    const RUNTIME: &str = "`runtime = \"...\"` or `end = \"...\"`";
    let (lacks, hint) = match (arrival, runtime) {
        (Some(arrival), _) => (
            format!(
                "work arrives at `{}`, but no column says how long it runs or when it ends",
                clip(&arrival)
            ),
            format!("name the column in `[workload.columns]`: {RUNTIME}"),
        ),
        (None, Some(runtime)) => (
            format!(
                "`{}` says how long work runs or when it ends, but no column when it arrives",
                clip(&runtime)
            ),
            format!("name the column in `[workload.columns]`: {ARRIVAL}"),
        ),
        (None, None) => (
            "no column says when work arrives, and none how long it runs or when it ends"
                .to_owned(),
            format!("name the columns in `[workload.columns]`: {ARRIVAL}, and {RUNTIME}"),
        ),
    };
    let shown_names = header.iter().take(TOLD_COLUMNS).map(|name| format!("`{}`", clip(name)));
    let mut columns = shown_names.collect::<Vec<_>>().join(", ");
    if let more @ 1.. = header.len().saturating_sub(TOLD_COLUMNS) {
        columns += &format!(" and {more} more");
    }
    let message = format!("{lacks}; the columns are {columns}");
    Problem::at(shown, 1, 0, message).hint(hint)
}

fn native() -> Recognised {
    let why = "The header is that of a native trace.".to_owned();
    Recognised { format: Format::Native, why }
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
    let column = |number, unit| Column::new(ColumnOrigin::Number(number), unit);
    let columns = [
        (Field::Id, column(1, ColumnUnit::Text)),
        (Field::Tenant, column(2, ColumnUnit::Text)),
        (Field::Arrival, column(4, ColumnUnit::Seconds)),
        (Field::End, column(5, ColumnUnit::Seconds)),
        (Field::Cpu, column(10, ColumnUnit::Cores)),
        (Field::Memory, column(11, ColumnUnit::Gib)),
    ];
    let mapping = Mapping {
        kind: WorkKind::VirtualMachine,
        columns: columns.into(),
        has_header: false,
        delimiter,
        quoting: true,
        gpus_per_task: None,
        time_zone: None,
    };
    let why = "Eleven columns without a header, numbers where the Azure VM traces have them: \
        check that columns 4 and 5 are creation and deletion in seconds.";
    Some(Recognised { format: Format::Mapped(mapping), why: why.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::super::{Defaults, OnBadRow, OpenContext, TraceSpec, WorkloadInput, WorkloadSpec};
    use super::*;
    use crate::model::{Interner, Work};

    fn guessed(text: &str) -> Result<Recognised, Problem> {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), text).expect("written");
        recognise(file.path(), "x")
    }

    #[test]
    fn known_formats_are_recognised() {
        let swf = "; Version: 2\n 1 0 -1 12072 16 -1 -1 -1 -1 -1 1 -1 -1 -1 0 -1 -1 -1\n";
        assert!(matches!(guessed(swf).expect("SWF").format, Format::Swf(_)));
        let native = "# ours\nid,arrival_s,lifetime_s\n";
        assert_eq!(guessed(native).expect("native").format, Format::Native);
        let openb = "name,cpu_milli,memory_mib,num_gpu,gpu_milli\n";
        let format = guessed(openb).expect("openb").format;
        assert!(matches!(format, Format::Openb(options) if options.arrivals_only));
        let azure = "a,b,c,0,300,9,1,2,Unknown,>24,4\n";
        assert!(matches!(guessed(azure).expect("azure").format, Format::Mapped(_)));
    }

    /// Texts of every format, with some bytes replaced by others.
    fn mutated() -> impl proptest::strategy::Strategy<Value = Vec<u8>> {
        use proptest::prelude::*;
        let seeds = [
            "; UnixStartTime: 0\n1 0 5 100 2 -1 -1 2 200 -1 1 3 1 -1 1 1 -1 -1\n2 50 5 1 2 -1 -1 2 2 -1 1 3 1 -1 1 1 -1 -1\n",
            "id,arrival_s,runtime_s,vcpus\na,0,5,1\nb,1.5,7,2\n",
            "name,cpu_milli,memory_mib,num_gpu,gpu_milli,creation_time,deletion_time\np,1,2,1,500,,9\nq,1,2,0,0,3,\n",
            "JobID|Submit|Start|End|Elapsed|State|AllocTRES\n5_1|2026-03-01T12:00:00|2026-03-01T12:00:00|Unknown|1-00:00:01|FAILED|cpu=8,mem=2G\n",
            "vm,created_s,lifetime_h,cores,memory_gib\nv,NULL,10.9,8,16Gn\nw,4e2,1-01:00:00,100m,-\n",
        ];
        let text = proptest::sample::select(seeds.to_vec());
        let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
        (text, edits).prop_map(|(text, edits)| {
            let mut bytes = text.as_bytes().to_vec();
            for (at, byte) in edits {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes
        })
    }

    proptest::proptest! {
        /// Whatever a file holds, it is read to its end or refused.
        #[test]
        fn mutated_files_never_panic(bytes in mutated()) {
            let file = tempfile::NamedTempFile::new().expect("a temporary file");
            std::fs::write(file.path(), &bytes).expect("written");
            let Ok(found) = recognise(file.path(), "x") else { return Ok(()) };
            let mut trace = TraceSpec::new(file.path(), found.format);
            trace.on_bad_row = OnBadRow::Skip;
            let _ = trace.zero_unix();
            let input = WorkloadInput::Trace(trace);
            let spec = WorkloadSpec { input, defaults: Defaults::default(), transforms: Vec::new() };
            let calendar = crate::units::Calendar::from_unix_micros(0);
            let context = OpenContext { seed: 1, calendar, keep_names: true, capacity: None };
            let _ = spec.late_beginning(&context);
            let _ = spec.observations(calendar);
            let Ok(mut source) = spec.open(&context) else { return Ok(()) };
            let (mut book, mut work) = (Interner::default(), Work::default());
            let mut rows = 0;
            while let Ok(true) = source.next(&mut book, &mut work) {
                rows += 1;
            }
            proptest::prop_assert!(rows <= 4);
        }
    }

    #[test]
    fn headers_are_guessed_with_dates() {
        let text = "timestamp,duration,num_gpus,gpu_time,cluster\n2017-10-09 07:01:55,66.0,1,66.0,11cb48\n";
        let Ok(Recognised { format: Format::Mapped(mapping), why }) = guessed(text) else {
            panic!("a mapping")
        };
        let found: Vec<_> =
            mapping.columns.iter().map(|(field, column)| (*field, column.unit)).collect();
        let want = [
            (Field::Arrival, ColumnUnit::Timestamp),
            (Field::Runtime, ColumnUnit::Seconds),
            (Field::Gpus, ColumnUnit::Count),
            (Field::Tenant, ColumnUnit::Text),
        ];
        assert_eq!(found, want);
        assert!(why.contains("arrival from the dates of `timestamp`"), "{why}");
    }

    #[test]
    fn what_is_missing_is_said() {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), "time,user\n1,a\n").expect("written");
        let problem = recognise(file.path(), "x").expect_err("no runtime");
        assert!(problem.message.contains("no column says how long it runs"), "{problem}");
        for (text, message, hint) in [
            (
                "Job Nr,Requested,Began\n1,2,3\n",
                "no column says when work arrives, and none how long it runs or when it ends; \
                 the columns are `Job Nr`, `Requested`, `Began`",
                "`arrival = \"...\"`, and `runtime = \"...\"` or `end",
            ),
            (
                "Requested,duration,cpus\n0,5,1\n",
                "`duration` says how long work runs or when it ends, but no column when it arrives; \
                 the columns are `Requested`, `duration`, `cpus`",
                "`[workload.columns]`: `arrival",
            ),
            ("", "the file is empty", ""),
            (
                "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,aa,bb,cc,dd,ee,ff\n",
                "no column says when work arrives, and none",
                "`arrival",
            ),
        ] {
            let problem = guessed(text).expect_err("it lacks columns");
            assert!(problem.message.starts_with(message), "{problem}");
            assert!(problem.hint.unwrap_or_default().contains(hint), "{text}");
        }
        std::fs::write(file.path(), "a.csv\0\0ustar time,user\n").expect("written");
        assert!(recognise(file.path(), "x").expect_err("an archive").hint.is_some());
        assert_eq!(guessed("id,arrival_s,vcpus\n").expect("native").format, Format::Native);
    }
}
