//! Positions of the columns of an accounting log.

use crate::problem::{Problem, Problems};
use crate::workload::table::TextTable;

/// Position of each column, by the name that `sacct` gives it.
#[derive(Debug)]
pub(super) struct SacctColumns {
    pub(super) width: usize,
    pub(super) id: usize,
    pub(super) state: Option<usize>,
    pub(super) submit: Option<usize>,
    pub(super) eligible: Option<usize>,
    pub(super) start: Option<usize>,
    pub(super) end: Option<usize>,
    pub(super) elapsed: Option<usize>,
    pub(super) elapsed_raw: Option<usize>,
    pub(super) limit: Option<usize>,
    pub(super) limit_raw: Option<usize>,
    pub(super) alloc_tres: Option<usize>,
    pub(super) req_tres: Option<usize>,
    /// Older than TRES: devices of the whole job.
    pub(super) alloc_gres: Option<usize>,
    /// Older than TRES: devices asked for on each node.
    pub(super) req_gres: Option<usize>,
    /// Allocated CPUs, then those asked for.
    pub(super) cpus: [Option<usize>; 3],
    pub(super) nodes: [Option<usize>; 3],
    pub(super) req_mem: Option<usize>,
    pub(super) user: Option<usize>,
    pub(super) account: Option<usize>,
    pub(super) partition: Option<usize>,
    pub(super) qos: Option<usize>,
}

/// Names of columns that are read; others are passed over.
pub(super) const USED: [&str; 26] = [
    "JobID",
    "JobIDRaw",
    "State",
    "Submit",
    "Eligible",
    "Start",
    "End",
    "Elapsed",
    "ElapsedRaw",
    "Timelimit",
    "TimelimitRaw",
    "AllocTRES",
    "ReqTRES",
    "AllocGRES",
    "ReqGRES",
    "AllocCPUS",
    "NCPUS",
    "ReqCPUS",
    "AllocNodes",
    "NNodes",
    "ReqNodes",
    "ReqMem",
    "User",
    "Account",
    "Partition",
    "QOS",
];

/// Whether a header is that of `sacct`: it names jobs, when they were
/// submitted, and how long they ran.
pub(super) fn is_header(header: &[String]) -> bool {
    let has = |name: &str| header.iter().any(|column| column.eq_ignore_ascii_case(name));
    (has("JobID") || has("JobIDRaw"))
        && (has("Submit") || has("Eligible"))
        && has("Start")
        && (has("End") || has("Elapsed") || has("ElapsedRaw"))
}

impl SacctColumns {
    /// Finds them in the current row of `table`.
    pub(super) fn find(table: &TextTable) -> Result<Self, Problems> {
        let position = |name: &str| {
            let is = |&index: &usize| table.trimmed(index).eq_ignore_ascii_case(name.as_bytes());
            (0..table.len()).find(is)
        };
        let mut problems = Vec::new();
        let mut need = |found: bool, what: &str| {
            if !found {
                let message = format!("an accounting log needs {what}");
                problems.push(
                    Problem::at(table.shown(), table.line(), 0, message)
                        .hint("sacct --parsable2 --format=JobID,Submit,Eligible,Start,Elapsed,State,AllocTRES,NNodes,..."),
                );
            }
        };
        let id = position("JobID").or_else(|| position("JobIDRaw"));
        let found = Self {
            width: table.len(),
            id: id.unwrap_or(0),
            state: position("State"),
            submit: position("Submit"),
            eligible: position("Eligible"),
            start: position("Start"),
            end: position("End"),
            elapsed: position("Elapsed"),
            elapsed_raw: position("ElapsedRaw"),
            limit: position("Timelimit"),
            limit_raw: position("TimelimitRaw"),
            alloc_tres: position("AllocTRES"),
            req_tres: position("ReqTRES"),
            alloc_gres: position("AllocGRES"),
            req_gres: position("ReqGRES"),
            cpus: [position("AllocCPUS"), position("NCPUS"), position("ReqCPUS")],
            nodes: [position("AllocNodes"), position("NNodes"), position("ReqNodes")],
            req_mem: position("ReqMem"),
            user: position("User"),
            account: position("Account"),
            partition: position("Partition"),
            qos: position("QOS"),
        };
        need(id.is_some(), "the column `JobID`");
        need(found.submit.or(found.eligible).is_some(), "the column `Submit` or `Eligible`");
        need(found.start.is_some(), "the column `Start`");
        let length = found.end.or(found.elapsed).or(found.elapsed_raw);
        need(length.is_some(), "the column `Elapsed` or `End`");
        if problems.is_empty() { Ok(found) } else { Err(problems.into()) }
    }
}
