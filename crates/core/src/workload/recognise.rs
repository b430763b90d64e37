//! Guessing what a file is.

use std::path::Path;

use crate::problem::Problem;

use super::FORMATS;
use super::format::FormatSpec;
use super::lines::Lines;
use super::native;
use super::table::{Bad, TextTable};

/// Format that a file seems to have.
#[derive(Clone, Debug, PartialEq)]
pub struct Recognised {
    /// Format to read it in.
    pub format: FormatSpec,
    /// Reason for it, and points to check, in plain sentences.
    pub why: String,
    /// Whether a scenario should name the format, and a run tells the reason.
    pub is_told: bool,
}

/// The first rows of a file.
#[derive(Debug)]
pub(super) struct FileHead {
    /// Name of the file in messages.
    pub(super) shown: String,
    /// Lines that are neither empty nor comments, without blanks around them.
    pub(super) lines: Vec<Vec<u8>>,
    /// Whether there are lines that begin with `;`.
    pub(super) comments: bool,
    /// Delimiter that the first line seems to have: `,`, `;`, `|` or a tab.
    pub(super) delimiter: u8,
    /// The lines as fields, as far as they can be read; empty if they are no text.
    pub(super) rows: Vec<Vec<String>>,
}

/// Rows that are looked at.
const LOOKED_AT: usize = 200;

/// Guesses what the file at `path` is by its first rows.
///
/// # Errors
/// The file cannot be read, or lacks something that a workload needs.
pub fn recognise(path: &Path, shown: &str) -> Result<Recognised, Problem> {
    let head = FileHead::read(path, shown)?;
    let mut lacks = None;
    for format in FORMATS {
        match (format.recognise)(&head) {
            Ok(found) => return Ok(found),
            Err(problem) => lacks = problem.or(lacks),
        }
    }
    let Some(first) = head.lines.first() else {
        return Err(Problem::with(shown, "the file is empty: a workload has rows"));
    };
    if first.contains(&0) {
        let problem = Problem::at(shown, 1, 0, "is no text: it has NUL bytes");
        return Err(problem.hint("unpack an archive first, and name one file of it"));
    }
    let unknown = || Problem::with(shown, "no format of traces is recognised");
    native::recognise_nearly(&head).ok_or_else(|| lacks.map_or_else(unknown, |problem| *problem))
}

impl FileHead {
    /// Reads the first rows of the file at `path`.
    fn read(path: &Path, shown: &str) -> Result<Self, Problem> {
        let mut file = Lines::open(path, shown)?;
        let (mut lines, mut comments) = (Vec::new(), false);
        for _ in 0..LOOKED_AT {
            if !file.advance()? {
                break;
            }
            let line = file.current().trim_ascii();
            match line.first() {
                None => {}
                Some(b';') => comments = true,
                Some(b'#') => {}
                Some(_) => lines.push(line.to_vec()),
            }
        }
        let first = lines.first().map_or(&[][..], Vec::as_slice);
        let delimiter = [b',', b';', b'\t', b'|']
            .into_iter()
            .max_by_key(|delimiter| first.iter().filter(|byte| *byte == delimiter).count())
            .unwrap_or(b',');
        let is_text = !first.contains(&0);
        let rows = if is_text { rows(&lines.join(&b'\n'), delimiter, shown) } else { Vec::new() };
        Ok(Self { shown: shown.to_owned(), lines, comments, delimiter, rows })
    }

    /// The first row.
    pub(super) fn header(&self) -> &[String] {
        self.rows.first().map_or(&[], Vec::as_slice)
    }

    /// Whether the first row names a column `name`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.header().iter().any(|column| column == name)
    }
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

#[cfg(test)]
mod tests {
    use super::super::{
        ColumnUnit, Defaults, Field, Format, OnBadRow, OpenContext, TraceSpec, WorkloadInput,
        WorkloadSpec,
    };
    use super::*;
    use crate::model::{Interner, Work};

    fn guessed(text: &str) -> Result<Recognised, Problem> {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), text).expect("written");
        recognise(file.path(), "x")
    }

    /// The format that `text` is recognised as. No other does, but the last, which takes any table.
    #[track_caller]
    fn only(text: &str) -> Recognised {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), text).expect("written");
        let head = FileHead::read(file.path(), "x").expect("it can be read");
        let found = FORMATS.iter().filter_map(|format| (format.recognise)(&head).ok());
        let mut found: Vec<Recognised> = found.collect();
        let last = FORMATS.last().expect("there is one").part.name;
        found.dedup_by(|later, _| later.format.name() == last);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        found.remove(0)
    }

    #[test]
    fn each_format_recognises_its_own_sample_and_no_others() {
        for format in FORMATS {
            assert_eq!(only(format.sample).format.name(), format.part.name);
        }
    }

    #[test]
    fn what_is_in_a_file_becomes_settings() {
        let native = only("# ours\nid,arrival_s,lifetime_s\n");
        assert_eq!(native.format, Format::named("native").expect("it is one").spec());
        let openb = only("name,cpu_milli,memory_mib,num_gpu,gpu_milli\n").format;
        assert!(openb.name() == "openb" && openb.settings.flag("arrivals_only"));
        assert_eq!(only("; Version: 2\n").format.name(), "swf");
        let azure = only("a,b,c,0,300,9,1,2,Unknown,>24,4\n").format;
        assert!(azure.name() == "mapped" && !azure.settings.flag("header"));
    }

    /// Texts of every format, with some bytes replaced by others.
    fn mutated() -> impl proptest::strategy::Strategy<Value = Vec<u8>> {
        use proptest::prelude::*;
        let text = proptest::sample::select(FORMATS).prop_map(|format| format.sample);
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
        /// A file is read to its end or refused, whatever it holds.
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
        let Recognised { format, why, .. } = only(text);
        let columns = format.settings.columns("columns").iter();
        let found: Vec<_> = columns.map(|(field, column)| (*field, column.unit)).collect();
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
        assert_eq!(guessed("id,arrival_s,vcpus\n").expect("native").format.name(), "native");
    }
}
