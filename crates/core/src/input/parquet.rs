//! Parquet files as text: a CSV whose head are the names of the columns, one line a row.
//!
//! So whoever reads a CSV reads Parquet too. Instants become text in UTC, missing values nothing; columns
//! that hold lists or records, and bytes that are no text, are not read.

use std::io::{self, Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use jiff::Timestamp;
use parquet::basic::{LogicalType, TimeUnit};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use parquet::record::reader::RowIter;
use parquet::schema::types::TypePtr;

use super::Input;
use crate::halt;

/// Most bytes of a file: it is held whole, as its directory is at its end.
const MOST_BYTES: u64 = 1 << 30;

/// Rows that are written at once.
const ROWS: usize = 1_024;

/// The text of a Parquet file.
pub(super) struct ParquetText {
    columns: Vec<ParquetColumn>,
    rows: RowIter<'static>,
    text: Cursor<Vec<u8>>,
    /// Line of the text that is written next.
    line: u64,
}

/// A column of the file.
struct ParquetColumn {
    name: String,
    /// Instants in nanoseconds since 1970, which are read as whole numbers.
    is_nanos: bool,
}

impl ParquetText {
    /// Reads a file to its end, and writes the head of the text.
    pub(super) fn open(input: Input) -> io::Result<Self> {
        let mut bytes = Vec::new();
        input.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > MOST_BYTES {
            let most = MOST_BYTES >> 30;
            return Err(io::Error::other(format!("a Parquet file has at most {most} GiB")));
        }
        let reader = decoded(|| SerializedFileReader::new(bytes::Bytes::from(bytes)))?;
        let schema = reader.metadata().file_metadata().schema();
        let columns: Vec<ParquetColumn> =
            schema.get_fields().iter().map(ParquetColumn::new).collect();
        let mut text = csv::Writer::from_writer(Vec::new());
        text.write_record(columns.iter().map(|column| &column.name))?;
        let text = Cursor::new(text.into_inner().map_err(|error| error.into_error())?);
        let rows = decoded(|| Ok(RowIter::from_file_into(Box::new(reader))))?;
        Ok(Self { columns, rows, text, line: 2 })
    }

    /// Writes the next rows in place of those that were read; none at the end.
    fn refill(&mut self) -> io::Result<()> {
        if halt::asked() {
            return Err(io::Error::other("stopped, for the command is to end"));
        }
        let mut old = std::mem::take(self.text.get_mut());
        old.clear();
        let mut text = csv::Writer::from_writer(old);
        for _ in 0..ROWS {
            let Some(row) = decoded(|| self.rows.next().transpose())? else { break };
            for (column, (_, field)) in self.columns.iter().zip(row.get_column_iter()) {
                let cell = column.cell(field).ok_or_else(|| {
                    let (line, name) = (self.line, &column.name);
                    io::Error::other(format!("line {line}: column `{name}` holds no plain value"))
                })?;
                text.write_field(cell)?;
            }
            text.write_record(None::<&[u8]>)?;
            self.line += 1;
        }
        self.text = Cursor::new(text.into_inner().map_err(|error| error.into_error())?);
        Ok(())
    }
}

impl Read for ParquetText {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.text.position() == self.text.get_ref().len() as u64 {
            self.refill()?;
        }
        self.text.read(into)
    }
}

impl ParquetColumn {
    fn new(field: &TypePtr) -> Self {
        let unit = match field.get_basic_info().logical_type_ref() {
            Some(LogicalType::Timestamp(instant)) => Some(&instant.unit),
            _ => None,
        };
        Self { name: field.name().to_owned(), is_nanos: unit == Some(&TimeUnit::NANOS) }
    }

    /// A value as text; `None` for a list, a record, bytes or an instant beyond the calendar.
    fn cell(&self, field: &Field) -> Option<String> {
        let instant = |moment: Result<Timestamp, jiff::Error>| Some(moment.ok()?.to_string());
        match field {
            Field::Null => Some(String::new()),
            Field::Str(text) => Some(text.clone()),
            Field::TimestampMillis(millis) => instant(Timestamp::from_millisecond(*millis)),
            Field::TimestampMicros(micros) => instant(Timestamp::from_microsecond(*micros)),
            Field::Long(nanos) if self.is_nanos => {
                instant(Timestamp::from_nanosecond(i128::from(*nanos)))
            }
            Field::Group(_) | Field::ListInternal(_) | Field::MapInternal(_) | Field::Bytes(_) => {
                None
            }
            Field::Bool(_)
            | Field::Byte(_)
            | Field::Short(_)
            | Field::Int(_)
            | Field::Long(_)
            | Field::UByte(_)
            | Field::UShort(_)
            | Field::UInt(_)
            | Field::ULong(_)
            | Field::Float16(_)
            | Field::Float(_)
            | Field::Double(_)
            | Field::Decimal(_)
            | Field::Date(_)
            | Field::TimeMillis(_)
            | Field::TimeMicros(_) => Some(field.to_string()),
        }
    }
}

/// What `decode` reads. A file that nobody vouches for may break what the decoder takes for granted.
fn decoded<T>(decode: impl FnOnce() -> Result<T, ParquetError>) -> io::Result<T> {
    let done = catch_unwind(AssertUnwindSafe(decode));
    let done = done.map_err(|_| io::Error::other("it is no sound Parquet file"))?;
    done.map_err(|error| io::Error::other(error.to_string()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    use super::*;

    /// A file of instants in milliseconds and in nanoseconds, a number and a text that may be missing.
    fn file() -> Vec<u8> {
        let schema = "message m {
            required int64 at (timestamp(millis, true));
            required int64 exact (timestamp(nanos, true));
            required double value;
            optional binary note (utf8);
        }";
        let schema = Arc::new(parse_message_type(schema).expect("a schema"));
        let mut bytes = Vec::new();
        let properties = Arc::new(WriterProperties::builder().build());
        let mut writer =
            SerializedFileWriter::new(&mut bytes, schema, properties).expect("a writer");
        let mut group = writer.next_row_group().expect("a group");
        for nanos in [1_000_000_i64, 1] {
            let mut column = group.next_column().expect("a column").expect("one more");
            let at = [1_600_000_000_000 * 1_000_000 / nanos, 1_600_000_000_250 * 1_000_000 / nanos];
            column.typed::<Int64Type>().write_batch(&at, None, None).expect("written");
            column.close().expect("closed");
        }
        let mut column = group.next_column().expect("a column").expect("one more");
        column.typed::<DoubleType>().write_batch(&[120.5, 3.0], None, None).expect("written");
        column.close().expect("closed");
        let mut column = group.next_column().expect("a column").expect("one more");
        let notes = [ByteArray::from("a \"b\", c")];
        column.typed::<ByteArrayType>().write_batch(&notes, Some(&[1, 0]), None).expect("written");
        column.close().expect("closed");
        group.close().expect("closed");
        writer.close().expect("closed");
        bytes
    }

    fn text(bytes: &[u8]) -> io::Result<String> {
        let mut text = String::new();
        ParquetText::open(Box::new(Cursor::new(bytes.to_vec())))?.read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn a_file_reads_as_its_table() {
        let want = "at,exact,value,note\n\
            2020-09-13T12:26:40Z,2020-09-13T12:26:40Z,120.5,\"a \"\"b\"\", c\"\n\
            2020-09-13T12:26:40.25Z,2020-09-13T12:26:40.25Z,3.0,\n";
        assert_eq!(text(&file()).expect("it is sound"), want);
    }

    /// Files that are cut off, or of which a byte is another, are refused or read as something else.
    #[test]
    fn a_broken_file_is_an_error() {
        let whole = file();
        for most in 0..whole.len() {
            assert!(text(&whole[..most]).is_err(), "{most} bytes");
        }
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        for at in 0..whole.len() {
            for change in [1, 0x80, 0xff] {
                let mut other = whole.clone();
                other[at] ^= change;
                if let Ok(text) = text(&other) {
                    assert!(text.len() < 10_000);
                }
            }
        }
        std::panic::set_hook(hook);
    }
}
