use std::path::Path;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use super::*;
use crate::billing::charge::BilledCharge;
use crate::billing::focus::{FocusCsv, FocusVersion};
use crate::billing::rules::shipped;
use crate::billing::settle::Biller;
use crate::billing::table::{Row, UsageTable};
use crate::experiment::bill::{AccountBill, bill};
use crate::problem::Problem;
use crate::report::testing::{simulate, tiny};
use crate::report::{BillCsv, ChargesCsv, TextCells};
use crate::scenario::BillingTerms;
use crate::units::Money;

fn written(csv: &[u8]) -> Vec<u8> {
    write_parquet(csv, Vec::new()).expect("it is a table of charges")
}

/// Cells of a file, row by row, with the name of their column; and the number of row groups.
fn read(bytes: Vec<u8>) -> (Vec<Vec<(String, Field)>>, usize) {
    let mut file = tempfile::tempfile().expect("a file");
    io::Write::write_all(&mut file, &bytes).expect("written");
    let reader = SerializedFileReader::new(file).expect("a file");
    let rows = reader.get_row_iter(None).expect("rows").map(|row| {
        let row = row.expect("a row");
        row.get_column_iter().map(|(name, field)| (name.clone(), field.clone())).collect()
    });
    (rows.collect(), reader.num_row_groups())
}

/// A decimal in units of its last place.
fn unscaled(field: &Field) -> i128 {
    let Field::Decimal(decimal) = field else { panic!("{field:?} is no decimal") };
    let bytes: [u8; 16] = decimal.data().try_into().expect("sixteen bytes");
    i128::from_be_bytes(bytes)
}

/// A number without the zeros behind its last place.
fn trimmed(text: &str) -> &str {
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => text,
    }
}

/// What a cell of a CSV would be that says the same.
fn text(field: &Field) -> String {
    match field {
        Field::Null => String::new(),
        Field::Str(text) => text.clone(),
        Field::Long(whole) => whole.to_string(),
        Field::TimestampMicros(micros) => {
            jiff::Timestamp::from_microsecond(*micros).expect("a moment").to_string()
        }
        Field::Decimal(decimal) => {
            let (parts, places) = (unscaled(field), decimal.scale() as usize);
            let digits = format!("{:0>width$}", parts.unsigned_abs(), width = places + 1);
            let (units, part) = digits.split_at(digits.len() - places);
            let sign = if parts < 0 { "-" } else { "" };
            trimmed(&format!("{sign}{units}.{part}")).to_owned()
        }
        other => panic!("{other:?} is in no table of charges"),
    }
}

/// Every cell of the file says what that of the table says.
fn assert_same(csv: &[u8]) -> Vec<Vec<(String, Field)>> {
    let (rows, _) = read(written(csv));
    let mut table = csv::Reader::from_reader(csv);
    let head = table.headers().expect("a header").clone();
    let mut count = 0;
    for (record, row) in table.records().zip(&rows) {
        let record = record.expect("a row");
        assert_eq!(row.len(), head.len());
        for ((name, cell), (column, field)) in head.iter().zip(&record).zip(row) {
            assert_eq!(name, column);
            let cell = match CellKind::of(name) {
                CellKind::Decimal(_) => trimmed(cell),
                CellKind::Text | CellKind::Whole | CellKind::Instant => cell,
            };
            assert_eq!(text(field), cell, "{name} of row {count}");
        }
        count += 1;
    }
    assert_eq!(count, rows.len());
    rows
}

/// The shipped example of a bill: its sums, `charges.csv` and `focus.csv`.
fn example(version: FocusVersion) -> (AccountBill, Vec<u8>, Vec<u8>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/bill");
    let terms = BillingTerms::load(&folder.join("terms.toml")).expect("terms");
    let usage = UsageTable::open(&folder.join("usage.csv"), "usage.csv").expect("a table");
    let mut charges = BillCsv::new(Vec::new());
    let mut focus = FocusCsv::new(Vec::new(), version).expect("memory takes everything");
    let mut sink = |charge: &BilledCharge, biller: &Biller| {
        charges.write(charge, biller);
        focus.write(charge, biller).expect("memory takes everything");
        Ok::<(), Problem>(())
    };
    let (bill, _) = bill(usage, terms, false, &mut sink, &mut |_| Ok(())).expect("a bill");
    let files = (charges.finish(), focus.finish());
    (bill, files.0.expect("memory takes everything"), files.1.expect("memory takes everything"))
}

fn total(rows: &[Vec<(String, Field)>], column: &str) -> Money {
    let cells = rows.iter().flatten().filter(|(name, _)| name == column);
    Money::from_nanos(cells.map(|(_, field)| unscaled(field)).sum())
}

#[test]
fn a_bill_is_the_same_as_parquet() {
    for version in FocusVersion::ALL {
        let (bill, charges, focus) = example(version);
        let charges = assert_same(&charges);
        assert_eq!(charges.len() as u64, bill.charges);
        let sums = bill.total;
        for (column, sum) in [
            ("list_usd", sums.list),
            ("contracted_usd", sums.contracted),
            ("effective_usd", sums.effective),
            ("billed_usd", sums.billed),
        ] {
            assert_eq!(total(&charges, column), sum, "{column}");
        }
        let focus = assert_same(&focus);
        assert_eq!(total(&focus, "BilledCost"), sums.billed);
        assert_eq!(total(&focus, "EffectiveCost"), sums.effective);
    }
}

#[test]
fn the_charges_of_a_run_are_the_same_as_parquet() {
    let world = tiny();
    let charges = ChargesCsv::new(Vec::new(), TextCells::Guarded);
    let (charges, collector, _, _, outcome) = simulate(&world, 40, Some(6_000), charges);
    let rows = assert_same(&charges.finish().expect("memory takes everything"));
    let summary = collector.summary(&world, &["default".to_owned()], &outcome);
    assert_eq!(total(&rows, "amount_usd"), summary.cost.total);
}

/// What reads the CSV of a bill reads its Parquet: the usage in it is the same.
#[test]
fn parquet_is_read_as_the_table() {
    let (_, _, focus) = example(FocusVersion::default());
    let folder = tempfile::tempdir().expect("a folder");
    let usage = |name: &str, bytes: &[u8]| -> Vec<Row> {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        let mut table = UsageTable::open(&path, name).expect("a table");
        std::iter::from_fn(|| table.next(shipped()).expect("a row")).collect()
    };
    let parquet = usage("focus.parquet", &written(&focus));
    assert!(!parquet.is_empty());
    assert_eq!(parquet, usage("focus.csv", &focus));
}

/// Three groups, the last of five rows: nothing is lost between them, and the bytes are the same again.
#[test]
fn groups_hold_all_rows() {
    let mut csv = b"charge,kind,amount_usd,job,from_s,share\n".to_vec();
    let rows = 2 * ROWS + 5;
    for row in 0..rows {
        let job = ["\"=a, \"\"b\"\"\n\"", "", "plain", "ü"][row % 4];
        let share = if row % 3 == 0 { "" } else { "0.1" };
        csv.extend(format!("{row},work,{}.000000001,{job},-{row}.5,{share}\n", row % 7).bytes());
    }
    let (found, groups) = read(written(&csv));
    assert_eq!((found.len(), groups), (rows, 3));
    let units: usize = (0..rows).map(|row| row % 7).sum();
    let nanos = units as i128 * 1_000_000_000 + rows as i128;
    assert_eq!(total(&found, "amount_usd"), Money::from_nanos(nanos));
    assert_eq!(found[0][3].1, Field::Str("=a, \"b\"\n".to_owned()));
    assert_eq!(text(&found[rows - 1][4].1), format!("-{}.5", rows - 1));
    assert_same(&csv);
    assert_eq!(written(&csv), written(&csv));
}

#[test]
fn cells_that_are_something_else_are_refused() {
    for (csv, told) in [
        ("amount_usd\nmuch\n", "`much` in the column `amount_usd` is no such value"),
        ("amount_usd\n0.0000000001\n", "`0.0000000001` in the column"),
        ("amount_usd\n1.-5\n", "`1.-5` in the column"),
        ("charge\n1.5\n", "`1.5` in the column `charge`"),
        ("from\nyesterday\n", "`yesterday` in the column `from`"),
        ("share\nhalf\n", "`half` in the column `share`"),
        ("charge,kind\n1\n", "found record with 1 fields"),
    ] {
        let error = write_parquet(csv.as_bytes(), Vec::new()).expect_err(csv).to_string();
        assert!(error.contains(told), "{error}");
    }
    assert_eq!(read(written(b"charge,amount_usd\n")), (Vec::new(), 0));
}

#[test]
fn decimals_are_exact() {
    for (text, places, want) in [
        ("12.5", 9, Some(12_500_000_000)),
        ("-0.000000001", 9, Some(-1)),
        ("-0.5", 3, Some(-500)),
        ("7", 0, Some(7)),
        ("", 3, None),
        ("-", 3, None),
        (".5", 3, None),
        ("1e5", 3, None),
        ("99999999999999999999999999999.999999999", 9, Some(10_i128.pow(38) - 1)),
        ("100000000000000000000000000000", 9, None),
    ] {
        assert_eq!(parts(text, places), want, "{text}");
    }
}
