//! Tables of charges as Parquet: `charges.parquet`, `settled.parquet` and `focus.parquet`.
//!
//! A finished CSV is read again, row group by row group, so both say the same: an empty cell is null, text is
//! text, and amounts are decimals with all their places.

use std::io;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as PhysicalType};
use parquet::data_type::{ByteArray, ByteArrayType, FixedLenByteArray};
use parquet::data_type::{FixedLenByteArrayType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::{WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{Type, TypePtr};

/// Rows of a group. One group is held at once: some tens of megabytes of the widest table.
const ROWS: usize = 16_384;

/// Digits of a decimal, and bytes that hold so many.
const DIGITS: i32 = 38;
const BYTES: i32 = 16;

/// Kind of the cells of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CellKind {
    /// Text.
    Text,
    /// A whole number.
    Whole,
    /// A number with so many places behind the point.
    Decimal(u32),
    /// A moment in UTC, in microseconds.
    Instant,
}

impl CellKind {
    /// The kind of a column of tables of charges: ours, and those of FOCUS.
    fn of(column: &str) -> Self {
        match column {
            "charge" | "line" | "instance" | "bytes" | "source" | "ordinal" | "x_UsageLine" => {
                Self::Whole
            }
            "from" | "until" => Self::Instant,
            "from_s" | "until_s" | "share" => Self::Decimal(6),
            "quantity" => Self::Decimal(15),
            "list_price" | "contracted_price" => Self::Decimal(12),
            "x_Weight" => Self::Decimal(3),
            name if name.ends_with("_usd") || name.ends_with("Cost") => Self::Decimal(9),
            name if name.ends_with("UnitPrice") => Self::Decimal(12),
            name if name.ends_with("Quantity") => Self::Decimal(15),
            name if name.ends_with("PeriodStart") || name.ends_with("PeriodEnd") => Self::Instant,
            _ => Self::Text,
        }
    }

    /// The column of the schema.
    fn column(self, name: &str) -> Result<TypePtr, ParquetError> {
        let (physical, logical) = match self {
            Self::Text => (PhysicalType::BYTE_ARRAY, Some(LogicalType::String)),
            Self::Whole => (PhysicalType::INT64, None),
            Self::Decimal(places) => (
                PhysicalType::FIXED_LEN_BYTE_ARRAY,
                Some(LogicalType::decimal(places as i32, DIGITS)),
            ),
            Self::Instant => {
                (PhysicalType::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS)))
            }
        };
        let column = Type::primitive_type_builder(name, physical)
            .with_repetition(Repetition::OPTIONAL)
            .with_logical_type(logical);
        let column = match self {
            Self::Decimal(places) => {
                column.with_length(BYTES).with_precision(DIGITS).with_scale(places as i32)
            }
            Self::Text | Self::Whole | Self::Instant => column,
        };
        Ok(Arc::new(column.build()?))
    }
}

/// Cells of a column in a row group; nulls are left out.
#[derive(Debug)]
enum GroupCells {
    Text(Vec<ByteArray>),
    Whole(Vec<i64>),
    Decimal(u32, Vec<FixedLenByteArray>),
    Instant(Vec<i64>),
}

/// A column of the row group in the making.
#[derive(Debug)]
struct ChargeColumn {
    name: String,
    cells: GroupCells,
    /// 1 of a cell, 0 of a null.
    levels: Vec<i16>,
}

impl ChargeColumn {
    fn new(name: &str) -> Self {
        let cells = match CellKind::of(name) {
            CellKind::Text => GroupCells::Text(Vec::new()),
            CellKind::Whole => GroupCells::Whole(Vec::new()),
            CellKind::Decimal(places) => GroupCells::Decimal(places, Vec::new()),
            CellKind::Instant => GroupCells::Instant(Vec::new()),
        };
        Self { name: name.to_owned(), cells, levels: Vec::new() }
    }

    fn push(&mut self, cell: &str) -> io::Result<()> {
        self.levels.push(i16::from(!cell.is_empty()));
        if cell.is_empty() {
            return Ok(());
        }
        let known = match &mut self.cells {
            GroupCells::Text(cells) => {
                cells.push(ByteArray::from(cell));
                Some(())
            }
            GroupCells::Whole(cells) => cell.parse().ok().map(|whole| cells.push(whole)),
            GroupCells::Decimal(places, cells) => parts(cell, *places).map(|parts| {
                cells.push(ByteArray::from(parts.to_be_bytes().to_vec()).into());
            }),
            GroupCells::Instant(cells) => {
                let instant = cell.parse::<jiff::Timestamp>().ok();
                instant.map(|instant| cells.push(instant.as_microsecond()))
            }
        };
        known.ok_or_else(|| {
            let cell = crate::problem::clip(cell);
            io::Error::other(format!("`{cell}` in the column `{}` is no such value", self.name))
        })
    }

    /// Writes the cells, and forgets them.
    fn write(&mut self, mut column: SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        let levels = Some(self.levels.as_slice());
        match &mut self.cells {
            GroupCells::Text(cells) => {
                column.typed::<ByteArrayType>().write_batch(cells, levels, None)?;
                cells.clear();
            }
            GroupCells::Whole(cells) | GroupCells::Instant(cells) => {
                column.typed::<Int64Type>().write_batch(cells, levels, None)?;
                cells.clear();
            }
            GroupCells::Decimal(_, cells) => {
                column.typed::<FixedLenByteArrayType>().write_batch(cells, levels, None)?;
                cells.clear();
            }
        }
        self.levels.clear();
        column.close()
    }
}

/// A decimal in units of its last place; `None` of what is none or has more places.
fn parts(text: &str, places: u32) -> Option<i128> {
    let (units, part) = text.split_once('.').unwrap_or((text, ""));
    let whole = units.strip_prefix('-').unwrap_or(units);
    let is_number = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(part) {
        return None;
    }
    let missing = (places as usize).checked_sub(part.len())?;
    let parts: i128 = format!("{units}{part}{:0<missing$}", "").parse().ok()?;
    (parts.unsigned_abs() < 10_u128.pow(DIGITS as u32)).then_some(parts)
}

/// Writes a finished table of charges as Parquet. The same table gives the same bytes.
///
/// # Errors
/// The table cannot be read, a cell is not what its column holds, or the first error of the writer.
pub fn write_parquet<W: io::Write + Send>(csv: impl io::Read, out: W) -> io::Result<W> {
    let mut rows = csv::Reader::from_reader(csv);
    let mut columns: Vec<ChargeColumn> = rows.headers()?.iter().map(ChargeColumn::new).collect();
    let (schema, properties) = (schema(&columns).map_err(io::Error::other)?, properties());
    let file = SerializedFileWriter::new(out, schema, properties);
    let mut file = file.map_err(io::Error::other)?;
    let mut row = csv::StringRecord::new();
    let mut held = 0;
    while rows.read_record(&mut row)? {
        columns.iter_mut().zip(&row).try_for_each(|(column, cell)| column.push(cell))?;
        held += 1;
        if held == ROWS {
            write_group(&mut file, &mut columns).map_err(io::Error::other)?;
            held = 0;
        }
    }
    if held > 0 {
        write_group(&mut file, &mut columns).map_err(io::Error::other)?;
    }
    file.into_inner().map_err(io::Error::other)
}

fn schema(columns: &[ChargeColumn]) -> Result<TypePtr, ParquetError> {
    let fields = columns.iter().map(|column| CellKind::of(&column.name).column(&column.name));
    let fields = fields.collect::<Result<Vec<_>, _>>()?;
    Ok(Arc::new(Type::group_type_builder("charges").with_fields(fields).build()?))
}

fn properties() -> WriterPropertiesPtr {
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY);
    Arc::new(properties.set_created_by("windtunnel".to_owned()).build())
}

/// Writes the rows that are held as one group.
fn write_group<W: io::Write + Send>(
    file: &mut SerializedFileWriter<W>,
    columns: &mut [ChargeColumn],
) -> Result<(), ParquetError> {
    let mut group = file.next_row_group()?;
    for column in columns {
        let Some(writer) = group.next_column()? else { break };
        column.write(writer)?;
    }
    group.close()?;
    Ok(())
}

#[cfg(test)]
mod tests;
