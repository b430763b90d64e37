//! Guessing columns by their headers, the units in them, and how large the
//! numbers below them are.

use std::collections::BTreeMap;

use crate::problem::clip;
use crate::workload::format::delimiter_setting;
use crate::workload::number::float;
use crate::workload::written::{duration, is_missing, memory};
use crate::workload::{Column, ColumnOrigin, ColumnUnit, Field, FormatSpec};

use super::MAPPED;
use super::names::{HUNDREDTHS, NAMES, UNITS};

/// A guess, or what is missing for one.
#[derive(Debug)]
pub(super) enum Guess {
    /// Format to read the table in, with its columns, and the reason for it.
    Mapping(FormatSpec, String),
    /// Columns that the table lacks: for when work arrives, or for how long it runs.
    Lacking {
        /// The column that says when work arrives.
        arrival: Option<String>,
        /// The column that says how long it runs, or when it ends.
        runtime: Option<String>,
    },
}

/// A column of the table.
struct NamedColumn<'a> {
    header: &'a str,
    /// The header as words, and without the last one where that is a unit.
    words: String,
    stem: Option<(String, ColumnUnit)>,
}

/// Guesses the meaning of the columns of `rows`; the first row is the header.
pub(super) fn guess(rows: &[Vec<String>], delimiter: u8) -> Guess {
    let header = rows.first().map_or(&[][..], Vec::as_slice);
    let named: Vec<NamedColumn<'_>> =
        header.iter().map(|header| NamedColumn::new(header)).collect();
    let mut found: Vec<(Field, usize, Option<ColumnUnit>)> = Vec::new();
    for &(field, names) in NAMES {
        let taken = |at: usize| found.iter().any(|&(_, other, _)| other == at);
        let free = (0..named.len()).filter(|&at| !taken(at));
        let fits = |at: usize| names.iter().position(|name| named[at].is(name, field));
        let best = free.filter_map(|at| Some((fits(at)?, at))).min();
        let Some((_, at)) = best.filter(|&(_, at)| plausible(field, &cells(rows, at))) else {
            continue;
        };
        let unit = named[at].stem.as_ref().map(|&(_, unit)| unit);
        found.push((field, at, unit.filter(|unit| field.fits(*unit))));
    }
    let has = |field| found.iter().any(|&(known, ..)| known == field);
    let column = |field| {
        let found = found.iter().find(|&&(known, ..)| known == field);
        found.map(|&(_, at, _)| header[at].clone())
    };
    let arrival = column(Field::Arrival);
    let runtime = column(Field::Runtime).or_else(|| column(Field::End));
    if arrival.is_none() || runtime.is_none() {
        return Guess::Lacking { arrival, runtime };
    }
    // Values that two columns give are taken from one: a runtime before an end, a start before a
    // wait.
    let (runtime, start) = (has(Field::Runtime), has(Field::Start));
    found.retain(|&(field, ..)| match field {
        Field::End => !runtime,
        Field::Wait => !start,
        _ => true,
    });
    build(rows, delimiter, &named, &found)
}

fn build(
    rows: &[Vec<String>],
    delimiter: u8,
    named: &[NamedColumn<'_>],
    found: &[(Field, usize, Option<ColumnUnit>)],
) -> Guess {
    let column = |field| found.iter().find(|&&(known, ..)| known == field);
    let bare = |&&(.., unit): &&(Field, usize, Option<ColumnUnit>)| unit.is_none();
    let spans = column(Field::Runtime).filter(bare).map(|&(_, at, _)| span_unit(&cells(rows, at)));
    let mut columns = BTreeMap::new();
    let (mut told, mut reasons) = (Vec::new(), Vec::new());
    for &(field, at, unit) in found {
        let hundredths = HUNDREDTHS.contains(&named[at].words.as_str());
        let (unit, why) = match unit {
            Some(unit) => (unit, None),
            None if hundredths => (ColumnUnit::Cores, None),
            None => unit_of(field, &cells(rows, at), spans),
        };
        let header = named[at].header;
        let shown =
            ColumnUnit::ALL.iter().find(|(_, known)| *known == unit).map_or("", |(name, _)| name);
        told.push(match unit {
            _ if hundredths => format!("{} from `{header}` in hundredths", field.name()),
            ColumnUnit::Text | ColumnUnit::Count => format!("{} from `{header}`", field.name()),
            ColumnUnit::Timestamp => format!("{} from the dates of `{header}`", field.name()),
            _ => format!("{} from `{header}` in {shown}", field.name()),
        });
        reasons.extend(why.map(|why| format!("`{header}` is taken in {shown}: {why}")));
        let again = named.iter().filter(|other| other.header == header).count() > 1;
        let from = match again {
            true => ColumnOrigin::Number(at + 1),
            false => ColumnOrigin::Header(header.to_owned()),
        };
        let scale = if hundredths { 0.01 } else { 1.0 };
        columns.insert(field, Column { scale, ..Column::new(from, unit) });
    }
    let machine = |&(field, at, _): &(Field, usize, Option<ColumnUnit>)| {
        let words = ["vm", "lifetime", "deletion", "deleted", "vmid", "vmdeleted"];
        matches!(field, Field::Id | Field::Runtime | Field::End)
            && named[at].words.split('_').any(|word| words.contains(&word))
    };
    let kind = if found.iter().any(machine) { "vm" } else { "job" };
    reasons.dedup();
    let mut why = format!("Guessed by the header: {}. Check the units.", told.join(", "));
    for reason in reasons {
        why += &format!(" {reason}.");
    }
    let used = |at: usize| found.iter().any(|&(_, other, _)| other == at);
    let rest = named.iter().enumerate().filter(|&(at, one)| !used(at) && !one.header.is_empty());
    let rest: Vec<&str> = rest.map(|(_, one)| one.header).collect();
    if !rest.is_empty() {
        why += &format!(" Not used: {}.", clip(&rest.join(", ")));
    }
    let format = MAPPED
        .spec()
        .set("kind", kind)
        .set("delimiter", delimiter_setting(delimiter))
        .set("columns", columns);
    Guess::Mapping(format, why)
}

impl<'a> NamedColumn<'a> {
    fn new(header: &'a str) -> Self {
        let words = words(header);
        // A unit may look like several words: `RAM (GiB)` is `ram_gi_b`.
        let stem = words.match_indices('_').find_map(|(at, _)| {
            let unit = UNITS.iter().find(|(name, _)| same(&words[at..], name))?.1;
            Some((words[..at].to_owned(), unit))
        });
        Self { header, words, stem }
    }

    /// Whether the column is called `name`, with or without a unit that fits the field.
    fn is(&self, name: &str, field: Field) -> bool {
        let stem = self.stem.as_ref().filter(|&&(_, unit)| field.fits(unit));
        same(&self.words, name) || stem.is_some_and(|(stem, _)| same(stem, name))
    }
}

/// Whether two names are the same but for the breaks between words: `starttime` is `start_time`.
fn same(words: &str, name: &str) -> bool {
    let letters = |text: &str| text.bytes().filter(|&byte| byte != b'_').collect::<Vec<_>>();
    letters(words) == letters(name)
}

/// A header in lower case with `_` between its words: `submitTime [s]` is `submit_time_s`.
fn words(header: &str) -> String {
    let mut words = String::new();
    let mut lower = false;
    for letter in header.chars() {
        let breaks = !letter.is_alphanumeric() || lower && letter.is_uppercase();
        if breaks && !words.is_empty() && !words.ends_with('_') {
            words.push('_');
        }
        if letter.is_alphanumeric() {
            words.extend(letter.to_lowercase());
        }
        lower = letter.is_lowercase();
    }
    words.trim_end_matches('_').to_owned()
}

/// The cells of a column that are not empty.
fn cells(rows: &[Vec<String>], at: usize) -> Vec<&str> {
    let cells = rows[1..].iter().filter_map(|row| row.get(at)).map(String::as_str);
    cells.filter(|cell| !is_missing(cell.as_bytes())).collect()
}

/// The numbers among cells, in order; `None` where most are something else.
fn numbers(cells: &[&str]) -> Option<Vec<f64>> {
    let read = cells.iter().filter_map(|cell| float(cell.as_bytes()).ok());
    let mut numbers: Vec<f64> = read.collect();
    numbers.sort_unstable_by(f64::total_cmp);
    (numbers.len() * 2 > cells.len() || cells.is_empty()).then_some(numbers)
}

/// Whether nine in ten cells can be of a field: numbers, names, dates, or
/// amounts that name their unit.
fn plausible(field: Field, cells: &[&str]) -> bool {
    let reads = |cell: &&&str| {
        let cell = cell.as_bytes();
        let own = match field {
            Field::Runtime | Field::Estimate | Field::Wait => {
                duration(cell).is_ok() || cell.eq_ignore_ascii_case(b"unlimited")
            }
            Field::Memory => matches!(memory(cell), Ok(Some(_))),
            Field::Cpu => cell.strip_suffix(b"m").is_some_and(|milli| float(milli).is_ok()),
            _ => false,
        };
        own || float(cell).is_ok()
    };
    let dated = matches!(field, Field::Arrival | Field::Start | Field::End);
    let bad = cells.len() - cells.iter().filter(reads).count();
    field.fits(ColumnUnit::Text) || dated || bad * 10 <= cells.len()
}

/// The unit of a column whose header names none, and why, where that is not plain.
fn unit_of(field: Field, cells: &[&str], spans: Option<Guessed>) -> Guessed {
    let numbers = numbers(cells);
    match field {
        Field::Arrival | Field::Start | Field::End => match numbers {
            None => (ColumnUnit::Timestamp, None),
            Some(numbers) => since_1970(&numbers).or(spans).unwrap_or((ColumnUnit::Seconds, None)),
        },
        Field::Runtime | Field::Estimate | Field::Wait => {
            spans.unwrap_or((ColumnUnit::Seconds, None))
        }
        Field::Cpu => match numbers.as_deref() {
            Some([least, ..]) if *least >= 100.0 => {
                (ColumnUnit::Milli, Some("no number is below 100"))
            }
            _ => (ColumnUnit::Cores, None),
        },
        Field::Memory => match numbers.as_deref().and_then(<[f64]>::first) {
            Some(least) if *least >= 1e6 => {
                (ColumnUnit::Bytes, Some("no number is below a million"))
            }
            Some(least) if *least >= 128.0 => (ColumnUnit::Mib, Some("no number is below 128")),
            _ => (ColumnUnit::Gib, Some("there are numbers below 128")),
        },
        _ if field.fits(ColumnUnit::Text) => (ColumnUnit::Text, None),
        _ => (ColumnUnit::Count, None),
    }
}

/// A unit, and why, where that is not plain.
type Guessed = (ColumnUnit, Option<&'static str>);

/// The unit of lengths of time by how long they would be.
fn span_unit(cells: &[&str]) -> Guessed {
    let Some(numbers) = numbers(cells).filter(|numbers| !numbers.is_empty()) else {
        return (ColumnUnit::Seconds, None);
    };
    let at = |share: usize| numbers[(numbers.len() * share / 100).min(numbers.len() - 1)];
    let parts = numbers.iter().filter(|number| number.fract() != 0.0).count();
    if at(50) >= 1e9 {
        (ColumnUnit::Micros, Some("half of the times would be longer than 30 years in seconds"))
    } else if at(50) >= 1e6 {
        (ColumnUnit::Millis, Some("half of the times would be longer than 11 days in seconds"))
    } else if at(90) < 100.0 && parts * 4 >= numbers.len() {
        (ColumnUnit::Hours, Some("nine of ten times are below 100, many with fractions"))
    } else {
        (ColumnUnit::Seconds, Some("the header names no unit"))
    }
}

/// The unit of points in time that are as large as those since 1970 are now.
fn since_1970(numbers: &[f64]) -> Option<Guessed> {
    const WHY: Option<&str> = Some("the numbers are as large as times since 1970");
    let (least, most) = (*numbers.first()?, *numbers.last()?);
    let within = |scale: f64| (5e8 * scale..5e9 * scale).contains(&least) && most < 5e9 * scale;
    let units = [
        (1.0, ColumnUnit::UnixSeconds),
        (1e3, ColumnUnit::UnixMillis),
        (1e6, ColumnUnit::UnixMicros),
    ];
    let found = units.into_iter().find(|&(scale, _)| within(scale));
    found.map(|(_, unit)| (unit, WHY))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guessed(text: &str) -> (Vec<(Field, ColumnUnit)>, &'static str, String) {
        let rows: Vec<Vec<String>> =
            text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect();
        let Guess::Mapping(format, why) = guess(&rows, b',') else { panic!("a mapping: {text}") };
        let columns = format.settings.columns("columns").iter();
        let columns = columns.map(|(field, column)| (*field, column.unit));
        (columns.collect(), format.settings.word("kind"), why)
    }

    #[test]
    fn units_are_in_headers() {
        let (columns, kind, _) = guessed(
            "vm,created_s,lifetime_h,cores,memory_gib,owner,importance\nvm-0,450,10.9,8,16,web,0\n",
        );
        let want = [
            (Field::Id, ColumnUnit::Text),
            (Field::Arrival, ColumnUnit::Seconds),
            (Field::Runtime, ColumnUnit::Hours),
            (Field::Cpu, ColumnUnit::Cores),
            (Field::Memory, ColumnUnit::Gib),
            (Field::Priority, ColumnUnit::Count),
            (Field::Tenant, ColumnUnit::Text),
        ];
        assert_eq!((columns.as_slice(), kind), (&want[..], "vm"));
        assert_eq!(words("submitTime [s]"), "submit_time_s");
        let (columns, ..) = guessed("submitTime [ms],Length (Min),RAM (GiB)\n5,1,2\n");
        let units: Vec<ColumnUnit> = columns.iter().map(|&(_, unit)| unit).collect();
        assert_eq!(units, [ColumnUnit::Millis, ColumnUnit::Minutes, ColumnUnit::Gib]);
    }

    #[test]
    fn a_runtime_is_from_start_to_end() {
        let (columns, ..) = guessed("job_id,submit_time,start_time,end_time,cores\n1,0,5,10,2\n");
        let fields: Vec<Field> = columns.iter().map(|&(field, _)| field).collect();
        assert_eq!(fields, [Field::Id, Field::Arrival, Field::End, Field::Start, Field::Cpu]);
    }

    #[test]
    fn units_follow_the_size_of_numbers() {
        let (columns, _, why) =
            guessed("arrival_time,length,cpus\n0.0,0.75,4\n0.5,19.08,4\n1.0,6.0,4\n");
        assert_eq!(
            columns[..2],
            [(Field::Arrival, ColumnUnit::Hours), (Field::Runtime, ColumnUnit::Hours)]
        );
        assert!(why.contains("nine of ten times are below 100"), "{why}");
        let (columns, ..) = guessed("submitted,duration,mem,cpu\n1700000000000,2500000,512,2000\n");
        let units: Vec<ColumnUnit> = columns.iter().map(|&(_, unit)| unit).collect();
        assert_eq!(
            units,
            [ColumnUnit::UnixMillis, ColumnUnit::Millis, ColumnUnit::Milli, ColumnUnit::Mib]
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        let lacks = |header: &[&str]| {
            let row = header.iter().map(|&name| name.to_owned()).collect();
            let Guess::Lacking { arrival, runtime } = guess(&[row], b',') else {
                panic!("no mapping: {header:?}")
            };
            (arrival, runtime)
        };
        let column = |name: &str| Some(name.to_owned());
        assert_eq!(lacks(&["time", "user"]), (column("time"), None));
        assert_eq!(lacks(&["a", "duration"]), (None, column("duration")));
        assert_eq!(lacks(&["a"]), (None, None));
        assert!(matches!(guess(&[], b','), Guess::Lacking { arrival: None, runtime: None }));
    }
}
