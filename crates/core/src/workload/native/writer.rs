//! Writing native traces.

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::model::{Checkpoint, Interner, Rules, Spread, Work, WorkBody};
use crate::problem::Problem;
use crate::units::{Span, WHOLE_GPU};

use super::super::Source;
use super::super::number::show_seconds;
use super::{NativeColumn, cells};

/// Writes a native trace, row by row.
#[derive(Debug)]
pub struct NativeWriter<W> {
    out: W,
    columns: Vec<NativeColumn>,
    cell: String,
    row: String,
}

impl<W: Write> NativeWriter<W> {
    /// Writes the header. With all of [`NativeColumn::ALL`], or with the
    /// [`used_columns`] of the work, nothing of it is lost.
    pub fn new(mut out: W, columns: &[NativeColumn]) -> io::Result<Self> {
        let written = |column: &NativeColumn| *column != NativeColumn::Vcpus;
        let columns: Vec<_> = columns.iter().copied().filter(written).collect();
        let names: Vec<_> = columns.iter().map(|column| column.name()).collect();
        writeln!(out, "{}", names.join(","))?;
        Ok(Self { out, columns, cell: String::new(), row: String::new() })
    }

    /// Writes one piece of work with its observed wait.
    pub fn write(
        &mut self,
        book: &Interner,
        work: &Work,
        observed: Option<Span>,
    ) -> io::Result<()> {
        self.row.clear();
        for (at, &column) in self.columns.iter().enumerate() {
            self.cell.clear();
            match (column, observed) {
                (NativeColumn::ObservedWait, Some(wait)) => {
                    show_seconds(wait.micros(), &mut self.cell);
                }
                _ => fill(column, book, work, &mut self.cell),
            }
            if at > 0 {
                self.row.push(',');
            }
            push_quoted(&self.cell, &mut self.row);
        }
        self.row.push('\n');
        self.out.write_all(self.row.as_bytes())
    }

    /// Hands back what was written into.
    pub fn into_inner(self) -> W {
        self.out
    }
}

/// The columns that some work of `source` has a value for. Reads the source to its end. Observed
/// values are not in the work.
///
/// # Errors
/// The problem that the source reports.
pub fn used_columns(
    source: &mut dyn Source,
    book: &mut Interner,
) -> Result<Vec<NativeColumn>, Problem> {
    let mut used = vec![NativeColumn::Arrival];
    let (mut work, mut cell, mut row) = (Work::default(), String::new(), 0);
    while source.next(book, &mut work)? {
        let identified = work.id.source > 0 || work.id.ordinal != row;
        row += 1;
        for column in NativeColumn::ALL {
            let skipped = matches!(column, NativeColumn::Source | NativeColumn::Ordinal)
                && !identified
                || column == NativeColumn::Vcpus;
            if skipped || used.contains(&column) {
                continue;
            }
            cell.clear();
            fill(column, book, &work, &mut cell);
            if !cell.is_empty() {
                used.push(column);
            }
        }
    }
    if !used.contains(&NativeColumn::Lifetime) && !used.contains(&NativeColumn::Runtime) {
        used.push(NativeColumn::Runtime);
    }
    used.sort_unstable();
    Ok(used)
}

/// Writes the cell of `column`, which stays empty where it would say the default.
fn fill(column: NativeColumn, book: &Interner, work: &Work, cell: &mut String) {
    use NativeColumn as C;
    let ask = &work.ask;
    let mut number = |value: i128, default: i128| {
        if value != default {
            write!(cell, "{value}").expect("a string takes any text");
        }
    };
    match column {
        C::Id => cell.push_str(&work.name),
        C::Source => number(work.id.source.into(), -1),
        C::Ordinal => number(work.id.ordinal.into(), -1),
        C::Arrival => show_seconds(work.arrival.micros(), cell),
        C::Runtime | C::Lifetime => match (work.body, column) {
            (WorkBody::Job { runtime: length }, C::Runtime)
            | (WorkBody::VirtualMachine { lifetime: length }, C::Lifetime) => {
                show_span(length, cell);
            }
            (WorkBody::Job { .. } | WorkBody::VirtualMachine { .. }, _) => {}
        },
        C::Vcpus | C::ObservedWait => {}
        C::Estimate => {
            if ask.estimate.is_some() {
                show_span(ask.estimate, cell);
            }
        }
        C::Deadline => {
            if let Some(deadline) = ask.deadline {
                show_seconds(deadline.micros(), cell);
            }
        }
        C::Tasks => number(ask.tasks.into(), 1),
        C::MinTasks => number(work.min_tasks.into(), 0),
        C::ParallelFraction if work.speedup.is_linear() => {}
        C::ParallelFraction => show_seconds(work.speedup.parallel().into(), cell),
        C::Gang => cell.push_str(if ask.gang { "" } else { "false" }),
        C::CpuMilli => number(ask.demand.cpu.into(), 0),
        C::Memory => number(ask.demand.memory.into(), 0),
        C::Gpus => number(ask.demand.gpus.into(), 0),
        C::GpuShare if ask.demand.gpus > 0 => {
            number(ask.demand.gpu_share.into(), WHOLE_GPU.into());
        }
        C::GpuShare => {}
        C::Exclusive => cell.push_str(if ask.demand.exclusive { "true" } else { "" }),
        C::Priority => number(ask.priority.into(), 0),
        C::Tenant if ask.tenant.raw() > 0 => cell.push_str(&book.tenants()[ask.tenant].name),
        C::Tenant => {}
        C::Home => {
            if let Some(home) = ask.home {
                cell.push_str(&book.homes()[home].name);
            }
        }
        C::Input => number(ask.input.into(), 0),
        C::Output => number(ask.output.into(), 0),
        C::Resumes => cell.push_str(if ask.resumes { "true" } else { "" }),
        C::CheckpointWrite | C::CheckpointBlocking | C::CheckpointRestore => {
            if let Some(checkpoint) = ask.checkpoint {
                fill_checkpoint(column, book.checkpoints()[checkpoint], cell);
            }
        }
        _ => fill_rules(column, &book.all_rules()[ask.rules], cell),
    }
}

fn fill_checkpoint(column: NativeColumn, checkpoint: Checkpoint, cell: &mut String) {
    match column {
        NativeColumn::CheckpointWrite => show_seconds(checkpoint.write.micros(), cell),
        NativeColumn::CheckpointBlocking if !checkpoint.blocking => cell.push_str("false"),
        NativeColumn::CheckpointRestore if checkpoint.restore > Span::ZERO => {
            show_seconds(checkpoint.restore.micros(), cell);
        }
        _ => {}
    }
}

fn fill_rules(column: NativeColumn, rules: &Rules, cell: &mut String) {
    if column != NativeColumn::Spread || rules.spread != Spread::None {
        cells::write(column, rules, cell);
    }
}

fn show_span(span: Option<Span>, cell: &mut String) {
    match span {
        Some(span) => show_seconds(span.micros(), cell),
        None => cell.push_str("forever"),
    }
}

/// Appends a field to a row, in quotes where a reader needs them.
fn push_quoted(field: &str, row: &mut String) {
    let plain = !field.contains([',', '"', '\n', '\r', '#']);
    if plain {
        row.push_str(field);
        return;
    }
    row.push('"');
    for character in field.chars() {
        row.push_str(if character == '"' { "\"" } else { "" });
        row.push(character);
    }
    row.push('"');
}
