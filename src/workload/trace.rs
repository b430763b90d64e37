//! A workload in a file.

use std::path::PathBuf;

use super::{Mapping, OpenbOptions, SwfOptions};

/// A workload in a file: plain, gzip or zstandard.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceSpec {
    /// The file; `-` is standard input, which can be read only once.
    pub path: PathBuf,
    /// Its name in messages.
    pub shown: String,
    /// How its rows are read.
    pub format: Format,
    /// What a malformed row does.
    pub on_bad_row: OnBadRow,
    /// What a row does that arrives before its predecessor.
    pub unsorted: Unsorted,
}

/// How the rows of a trace are read.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Format {
    /// windtunnel's own CSV (`docs/workload.md`).
    #[default]
    Native,
    /// Standard Workload Format of the Parallel Workloads Archive.
    Swf(SwfOptions),
    /// Pod lists of Alibaba's cluster-trace-gpu-v2023.
    Openb(OpenbOptions),
    /// Any delimited text, column by column.
    Mapped(Mapping),
}

/// What a malformed row does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnBadRow {
    /// It ends the reading.
    #[default]
    Fail,
    /// It is left out and counted.
    Skip,
}

/// What a row does that arrives before its predecessor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unsorted {
    /// It is a malformed row.
    #[default]
    Fail,
    /// All rows are read first and sorted by arrival; rows of one instant
    /// keep their order in the file.
    Sort,
}
