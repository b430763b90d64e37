//! Accounting logs of Slurm, as `sacct --parsable2` writes them. A job is a gang
//! of one task per node. Its steps, earlier attempts, and what never ran or has
//! not ended are left out.

mod columns;
mod tres;

use rustc_hash::FxHashMap;

use crate::model::{Ask, Filter, Interner, Rules, Speedup, Tenant, Work, WorkBody};
use crate::part::{Parameter, Part, PartSettings, Setting, SettingKind};
use crate::problem::{Problem, Problems, clip};
use crate::units::{Calendar, Demand, Id, MAX_GPUS, Span, Time, WHOLE_GPU};

use super::date::DefaultTimeZone;
use super::format::{
    Beginning, ColumnNames, Format, FormatReader, OtherFormat, ReadFormat, TIME_ZONE, TextLayout,
    delimiter, delimiter_setting, zone_words,
};
use super::names::{Names, text};
use super::note::NoteSet;
use super::number::{BadValue, Rounding, scaled, unsigned, within_reach};
use super::reader::{ReadRow, Rows};
use super::recognise::{FileHead, Recognised};
use super::seen::SeenNames;
use super::table::{Bad, TextTable};
use super::written::{Per, duration, is_missing, memory};
use super::{Observation, RowNote, TraceSpec};

use columns::{SacctColumns, USED, is_header};
use tres::Tres;

/// Accounting logs of Slurm.
pub static SACCT: Format = Format {
    part: Part {
        name: "sacct",
        doc: "Accounting log of Slurm: jobs become gangs of one task per node.",
        parameters: PARAMETERS,
        make: |settings| FormatReader(Box::new(SacctOptions::new(settings))),
    },
    beside: &["delimiter", "time_zone"],
    sample: "JobID|Submit|Start|End|Elapsed|State|AllocTRES\n\
             5_1|2026-03-01T12:00:00|2026-03-01T12:00:00|Unknown|1-00:00:01|FAILED|cpu=8,mem=2G\n",
    recognise,
};

const PARAMETERS: &[Parameter] = &[
    delimiter("|"),
    TIME_ZONE,
    Parameter {
        name: "tenant",
        kind: SettingKind::Word(&["user", "account", "partition", "qos", "nobody"]),
        default: Setting::Word("user"),
        doc: "Which column names the tenant; accounts where there are no users.",
    },
    Parameter {
        name: "arrival",
        kind: SettingKind::Word(&["eligible", "submit"]),
        default: Setting::Word("eligible"),
        doc: "When work arrives: when it was eligible to start, or when it was submitted.",
    },
    Parameter {
        name: "gpu_models",
        kind: SettingKind::Flag,
        default: Setting::Flag(false),
        doc: "Whether work may run only on GPU models of the name that it had.",
    },
];

fn recognise(head: &FileHead) -> Result<Recognised, OtherFormat> {
    let header = head.header();
    if !is_header(header) {
        return Err(None);
    }
    let used = |column: &str| USED.iter().any(|known| known.eq_ignore_ascii_case(column));
    let rest = header.iter().filter(|column| !used(column) && !column.is_empty());
    let rest: Vec<&str> = rest.map(String::as_str).collect();
    let mut why = "The header is that of Slurm's `sacct`.".to_owned();
    if !rest.is_empty() {
        why += &format!(" Not used: {}.", clip(&rest.join(", ")));
    }
    let format = SACCT.spec().set("delimiter", delimiter_setting(head.delimiter));
    Ok(Recognised { format, why, is_told: true })
}

/// Rules by which an accounting log becomes work.
#[derive(Clone, Debug)]
struct SacctOptions {
    /// Delimiter of fields.
    delimiter: u8,
    /// Name of the time zone of its dates, such as `Europe/Berlin`; UTC where none is given.
    time_zone: Option<String>,
    /// Column that names the tenant.
    tenant: SacctTenant,
    /// Whether work arrives when it was submitted, also where it became eligible later.
    at_submit: bool,
    /// Whether work may run only on the GPU models that it had.
    gpu_models: bool,
}

impl SacctOptions {
    fn new(settings: &PartSettings) -> Self {
        Self {
            delimiter: settings.word("delimiter").as_bytes()[0],
            time_zone: settings.text("time_zone").map(str::to_owned),
            tenant: match settings.word("tenant") {
                "account" => SacctTenant::Account,
                "partition" => SacctTenant::Partition,
                "qos" => SacctTenant::Qos,
                "nobody" => SacctTenant::Nobody,
                _ => SacctTenant::User,
            },
            at_submit: settings.word("arrival") == "submit",
            gpu_models: settings.flag("gpu_models"),
        }
    }
}

impl ReadFormat for SacctOptions {
    fn layout(&self) -> TextLayout {
        let names = ColumnNames::Header;
        TextLayout { delimiter: self.delimiter, quoting: false, comment: None, names }
    }

    fn rows(
        &self,
        trace: &TraceSpec,
        calendar: Calendar,
        keep_names: bool,
    ) -> Result<Box<dyn Rows>, Problems> {
        let attempts = attempts(trace.table()?)?;
        Ok(Box::new(SacctRows::new(trace.table()?, self, attempts, calendar, keep_names)?))
    }

    fn assumptions(&self) -> Vec<String> {
        let mut told = vec![
            "A job of the accounting log is a gang of one task per node.".to_owned(),
            zone_words(self.time_zone.as_deref()),
        ];
        if !self.at_submit {
            told.push("Jobs arrive when they were eligible to start.".to_owned());
        }
        if !self.gpu_models {
            told.push("GPU models of the accounting log are not asked for.".to_owned());
        }
        told
    }

    fn zero_unix(&self, trace: &TraceSpec) -> Option<i64> {
        trace.first_unix()
    }

    fn beginning(&self, _trace: &TraceSpec) -> Result<Beginning, Problem> {
        Ok(Beginning { lacks_zone: true, ..Beginning::default() })
    }
}

/// Column that names the tenant.
#[derive(Clone, Copy, Debug)]
enum SacctTenant {
    /// `User`, or `Account` where the log has no users.
    User,
    /// `Account`.
    Account,
    /// `Partition`.
    Partition,
    /// `QOS`.
    Qos,
    /// No column: work has no tenant.
    Nobody,
}

/// Rows of an accounting log.
struct SacctRows {
    table: TextTable,
    at: SacctColumns,
    options: SacctOptions,
    zone: DefaultTimeZone,
    calendar: Calendar,
    /// Jobs of several rows, by hash of their names.
    attempts: FxHashMap<u64, Attempts>,
    names: Names,
    keep_names: bool,
    observed: Option<Observation>,
}

/// Rows of one job that was tried several times.
#[derive(Clone, Copy, Debug, Default)]
struct Attempts {
    /// Rows still to come.
    left: u64,
    /// First submission, in microseconds since 1970.
    first: Option<i64>,
}

/// The jobs of a log that have several rows.
fn attempts(mut table: TextTable) -> Result<FxHashMap<u64, Attempts>, Problems> {
    let (mut seen, mut found) = (SeenNames::default(), FxHashMap::default());
    if !table.advance().map_err(Bad::into_problem)? {
        return Ok(found);
    }
    let id = SacctColumns::find(&table)?.id;
    loop {
        match table.advance() {
            Ok(true) if table.len() > id => {
                let name = table.trimmed(id);
                if is_job(name) && seen.again_bytes(name) {
                    let left = &mut found
                        .entry(SeenNames::hash(name))
                        .or_insert(Attempts { left: 1, first: None })
                        .left;
                    *left += 1;
                }
            }
            Ok(true) | Err(Bad::Row(_)) => {}
            // Told when the rows are read for work.
            Ok(false) | Err(Bad::File(_)) => return Ok(found),
        }
    }
}

/// Whether a row is a job's own: no step of it, and no part of an array that waits.
fn is_job(id: &[u8]) -> bool {
    !id.contains(&b'.') && !id.contains(&b'[')
}

/// Note that the state of a job puts on its row.
fn note_of(state: &[u8]) -> Option<RowNote> {
    let word = state.split(|byte| matches!(byte, b' ' | b'+')).next().unwrap_or(state);
    match word {
        b"PENDING" | b"RESV_DEL_HOLD" | b"REVOKED" => Some(RowNote::NeverRan),
        b"RUNNING" | b"SUSPENDED" | b"COMPLETING" | b"CONFIGURING" | b"RESIZING" | b"SIGNALING"
        | b"STAGE_OUT" | b"STOPPED" => Some(RowNote::NotEnded),
        _ => None,
    }
}

/// Whether a state says that a run of the job ended because it was put back into the queue.
fn is_requeued(state: &[u8]) -> bool {
    let states: [&[u8]; 4] = [b"REQUEUED", b"REQUEUE_HOLD", b"REQUEUE_FED", b"SPECIAL_EXIT"];
    states.iter().any(|known| state.starts_with(known))
}

impl SacctRows {
    /// Reads the header of `table`. `attempts` are the jobs with several rows.
    fn new(
        mut table: TextTable,
        options: &SacctOptions,
        attempts: FxHashMap<u64, Attempts>,
        calendar: Calendar,
        keep_names: bool,
    ) -> Result<Self, Problems> {
        if !table.advance().map_err(Bad::into_problem)? {
            let message = "the file is empty; a header is needed";
            return Err(Problem::with(table.shown(), message).into());
        }
        let at = SacctColumns::find(&table)?;
        let zone = DefaultTimeZone::named(options.time_zone.as_deref(), table.shown())?;
        let (options, names) = (options.clone(), Names::default());
        Ok(Self { table, at, options, zone, calendar, attempts, names, keep_names, observed: None })
    }

    /// Value of a column; `None` where the column is missing or says nothing.
    fn cell<T>(
        &self,
        column: Option<usize>,
        name: &str,
        read: impl FnOnce(&[u8]) -> Result<T, BadValue>,
    ) -> Result<Option<T>, Bad> {
        let Some(index) = column else { return Ok(None) };
        let cell = self.table.trimmed(index);
        if is_missing(cell) {
            return Ok(None);
        }
        let refused = |reason| Bad::Row(self.table.problem(index, name, reason));
        read(cell).map(Some).map_err(refused)
    }

    /// Time in a column, in microseconds since 1970.
    fn date(&self, column: Option<usize>, name: &str) -> Result<Option<i64>, Bad> {
        self.cell(column, name, |cell| self.zone.instant(cell))
    }

    fn count(&self, columns: [Option<usize>; 3], name: &str) -> Result<Option<u64>, Bad> {
        for column in columns {
            let found = self.cell(column, name, unsigned::<u64>)?;
            if found.is_some_and(|count| count > 0) {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Runtime in microseconds; noted where its start and its end say otherwise.
    fn runtime(&self, start: i64, notes: &mut NoteSet) -> Result<Option<i64>, Bad> {
        let spent = self.date(self.at.end, "End")?.map(|end| end.saturating_sub(start));
        let elapsed = self.elapsed()?;
        // Both times are in whole seconds.
        let differ = |(elapsed, spent): (i64, i64)| elapsed.abs_diff(spent) > 1_000_000;
        notes.note(RowNote::OtherElapsed, elapsed.zip(spent).is_some_and(differ));
        Ok(elapsed.or(spent))
    }

    /// Runtime that its own columns say, in microseconds.
    fn elapsed(&self) -> Result<Option<i64>, Bad> {
        let seconds = |cell: &[u8]| scaled(cell, 1_000_000, 1.0, Rounding::Nearest);
        if let Some(raw) = self.cell(self.at.elapsed_raw, "ElapsedRaw", seconds)? {
            return Ok(Some(raw));
        }
        self.cell(self.at.elapsed, "Elapsed", duration)
    }

    /// Limit on the runtime; `None` if it is not limited.
    fn limit(&self) -> Result<Option<Span>, Bad> {
        let minutes = |cell: &[u8]| match cell {
            b"UNLIMITED" | b"Partition_Limit" => Ok(None),
            cell => {
                let micros = scaled(cell, 60_000_000, 1.0, Rounding::Nearest);
                micros.and_then(within_reach).map(Some)
            }
        };
        let written = |cell: &[u8]| match cell {
            b"UNLIMITED" | b"Partition_Limit" => Ok(None),
            cell => duration(cell).and_then(within_reach).map(Some),
        };
        let raw = self.cell(self.at.limit_raw, "TimelimitRaw", minutes)?;
        let limit = raw
            .map_or_else(|| self.cell(self.at.limit, "Timelimit", written), |raw| Ok(Some(raw)))?;
        Ok(limit.flatten().filter(|&micros| micros >= 0).map(Span::from_micros))
    }

    /// Tasks, one per node, the demand of each and its GPU models; `None` without processors.
    fn demand(&self, notes: &mut NoteSet) -> Result<Option<(u32, Demand, Vec<String>)>, Bad> {
        let allocated = self.cell(self.at.alloc_tres, "AllocTRES", Tres::read)?.unwrap_or_default();
        let asked = self.cell(self.at.req_tres, "ReqTRES", Tres::read)?.unwrap_or_default();
        let all = allocated.or(asked);
        let cpu = match all.cpu.filter(|&cpu| cpu > 0) {
            Some(cpu) => Some(cpu),
            None => self.count(self.at.cpus, "AllocCPUS")?.map(|cpus| cpus.saturating_mul(1_000)),
        };
        let says = self.at.cpus.iter().any(Option::is_some) || self.at.alloc_tres.is_some();
        let Some(cpu) = cpu.or((!says).then_some(0)) else { return Ok(None) };
        let nodes = all.nodes.or(self.count(self.at.nodes, "NNodes")?).unwrap_or(1).max(1);
        let devices = self.cell(self.at.alloc_gres, "AllocGRES", Tres::read_gres)?;
        let wanted = self.cell(self.at.req_gres, "ReqGRES", Tres::read_gres)?;
        let all = all.or(devices.unwrap_or_default()).or(wanted.unwrap_or_default().on_each(nodes));
        notes.note(RowNote::SharedGpus, all.shared_gpus);
        notes.note(RowNote::OtherResources, all.others);
        let mut is_unknown = false;
        let asked = self.cell(self.at.req_mem, "ReqMem", |cell| match memory(cell) {
            // Slurm does not know it either.
            _ if cell.starts_with(b"?") => {
                is_unknown = true;
                Ok(None)
            }
            // An amount without a unit is in MiB.
            Ok(None) => {
                scaled(cell, 1 << 20, 1.0, Rounding::Up).map(|bytes| Some((bytes, Per::All)))
            }
            read => read,
        })?;
        let asked = asked.flatten();
        let too_large =
            |_| Bad::Row(self.table.row_problem("the job asks for more than can be counted"));
        let bytes = match (all.memory, asked) {
            (Some(bytes), _) => (bytes.max(0) as u64).div_ceil(nodes),
            (None, Some((bytes, Per::All))) => (bytes.max(0) as u64).div_ceil(nodes),
            (None, Some((bytes, Per::Node))) => bytes.max(0) as u64,
            (None, Some((bytes, Per::Core))) => {
                let of_all = bytes.max(0) as u128 * u128::from(cpu);
                let of_node = of_all.div_ceil(u128::from(nodes) * 1_000);
                u64::try_from(of_node).map_err(too_large)?
            }
            (None, None) => 0,
        };
        let is_told = all.memory.is_some() || asked.is_some() || is_unknown;
        notes.note(RowNote::NoMemory, bytes == 0 && is_told);
        let gpus = all.gpus.unwrap_or(0).div_ceil(nodes);
        // Its tasks are alike: of GPUs that do not divide by its nodes each gets a part, rounded
        // down to a thousandth, so that together they fit on what the job had.
        let parts = all.gpus.unwrap_or(0).saturating_mul(u64::from(WHOLE_GPU));
        let share = (parts / gpus.saturating_mul(nodes).max(1)).max(u64::from(gpus > 0));
        if gpus > u64::from(MAX_GPUS) {
            let message =
                format!("the job has {gpus} GPUs on a node; an instance has at most {MAX_GPUS}");
            return Err(Bad::Row(self.table.row_problem(message)));
        }
        let demand = Demand {
            cpu: u32::try_from(cpu.div_ceil(nodes)).map_err(too_large)?,
            memory: u32::try_from(bytes.div_ceil(1 << 20)).map_err(too_large)?,
            gpus: gpus as u8,
            gpu_share: u16::try_from(share).map_err(too_large)?,
            exclusive: false,
        };
        notes.note(RowNote::UnevenGpus, gpus > 0 && !demand.whole_gpus());
        Ok(Some((u32::try_from(nodes).map_err(too_large)?, demand, all.models)))
    }

    fn tenant(&mut self, book: &mut Interner) -> Result<Id<Tenant>, Bad> {
        let (column, name) = match self.options.tenant {
            SacctTenant::Nobody => return Ok(Id::new(0)),
            SacctTenant::User => (self.at.user.or(self.at.account), "User"),
            SacctTenant::Account => (self.at.account, "Account"),
            SacctTenant::Partition => (self.at.partition, "Partition"),
            SacctTenant::Qos => (self.at.qos, "QOS"),
        };
        let Some(index) = column else { return Ok(Id::new(0)) };
        let cell = self.table.trimmed(index);
        let cell = if is_missing(cell) { b"" } else { cell };
        let named = self.names.tenant(book, cell);
        named.map_err(|reason| Bad::Row(self.table.problem(index, name, reason)))
    }

    /// Arrival: the submission, or the moment from which it could start where that is later; of the
    /// first attempt, in microseconds since 1970.
    fn arrival(&mut self, first: Option<i64>, start: i64, notes: &mut NoteSet) -> Result<i64, Bad> {
        let submitted = self.date(self.at.submit, "Submit")?;
        let eligible = self.date(self.at.eligible, "Eligible")?;
        let late = eligible.filter(|&at| !self.options.at_submit && at <= start);
        let arrival = match first {
            Some(first) => Some(first),
            None => late.max(submitted).or(eligible),
        };
        let passed_over = first.is_none() && !self.options.at_submit && late.is_none();
        notes.note(RowNote::LateEligible, passed_over && submitted.is_some() && eligible.is_some());
        notes.note(RowNote::EarlyStart, arrival.is_some_and(|arrival| arrival > start));
        arrival.ok_or_else(|| Bad::Row(self.table.row_problem("the job was never submitted")))
    }

    /// Notes one row of a job with several; its first submission where it is the last.
    fn attempt(&mut self) -> Result<Option<Option<i64>>, Bad> {
        let hash = SeenNames::hash(self.table.trimmed(self.at.id));
        if !self.attempts.contains_key(&hash) {
            return Ok(Some(None));
        }
        let submitted = self.date(self.at.submit.or(self.at.eligible), "Submit")?;
        let Some(attempts) = self.attempts.get_mut(&hash) else { return Ok(Some(None)) };
        attempts.left = attempts.left.saturating_sub(1);
        attempts.first = attempts.first.or(submitted);
        Ok((attempts.left == 0).then_some(attempts.first))
    }

    fn fill(&mut self, book: &mut Interner, work: &mut Work) -> Result<ReadRow, Bad> {
        let id = self.table.trimmed(self.at.id);
        if id.contains(&b'.') {
            return Ok(ReadRow::Dropped(RowNote::Part));
        }
        if id.contains(&b'[') {
            return Ok(ReadRow::Dropped(RowNote::NeverRan));
        }
        let mut notes = NoteSet::default();
        notes.note(RowNote::Component, id.contains(&b'+'));
        let Some(first) = self.attempt()? else { return Ok(ReadRow::Dropped(RowNote::Attempt)) };
        let state = self.at.state.map_or(&b""[..], |at| self.table.trimmed(at));
        if let Some(note) = note_of(state) {
            return Ok(ReadRow::Dropped(note));
        }
        let (cancelled, requeued) = (state.starts_with(b"CANCELLED"), is_requeued(state));
        let Some(start) = self.date(self.at.start, "Start")? else {
            return Ok(ReadRow::Dropped(RowNote::NeverRan));
        };
        let Some(runtime) = self.runtime(start, &mut notes)? else {
            return Ok(ReadRow::Dropped(RowNote::NotEnded));
        };
        if (cancelled || requeued) && runtime <= 0 {
            return Ok(ReadRow::Dropped(RowNote::NeverRan));
        }
        if runtime < 0 {
            return Err(Bad::Row(self.table.row_problem("the job ends before it starts")));
        }
        let Some((tasks, demand, models)) = self.demand(&mut notes)? else {
            return Ok(ReadRow::Dropped(RowNote::NoProcessors));
        };
        let arrived = self.arrival(first, start, &mut notes)?;
        let on_clock = |unix: i64| {
            let micros = unix.saturating_sub(self.calendar.unix_micros(Time::ZERO));
            within_reach(micros).map_err(|reason| {
                Bad::Row(self.table.row_problem(format!("a time of the job {reason}")))
            })
        };
        work.arrival = Time::from_micros(on_clock(arrived)?);
        let span = within_reach(runtime)
            .map_err(|reason| Bad::Row(self.table.row_problem(format!("its runtime {reason}"))))?;
        work.body = WorkBody::Job { runtime: Some(Span::from_micros(span)) };
        (work.min_tasks, work.speedup) = (0, Speedup::LINEAR);
        work.ask = Ask {
            tasks,
            demand,
            estimate: self.limit()?,
            tenant: self.tenant(book)?,
            ..Ask::default()
        };
        if self.options.gpu_models && !models.is_empty() {
            let key = models.join("|");
            let rules = self.names.rules(book, key.as_bytes(), || {
                let gpu_models = Filter { allowed: models.clone(), forbidden: Vec::new() };
                Ok(Rules { gpu_models, ..Rules::default() })
            });
            work.ask.rules = rules.map_err(|reason: BadValue| {
                Bad::Row(self.table.row_problem(format!("a GPU model {reason}")))
            })?;
        }
        // The wait of a job that had run before is not that of its last attempt.
        let wait = Some(Span::from_micros(start.saturating_sub(arrived)));
        let wait = wait.filter(|&wait| wait >= Span::ZERO && first.is_none());
        self.observed = wait.map(|wait| Observation::of(work, wait));
        notes.note(RowNote::Requeued, requeued);
        Ok(ReadRow::Noted(notes))
    }
}

impl Rows for SacctRows {
    fn next(&mut self, book: &mut Interner, work: &mut Work) -> Result<ReadRow, Bad> {
        if !self.table.advance()? {
            return Ok(ReadRow::End);
        }
        if self.table.len() != self.at.width {
            let (found, wanted) = (self.table.len(), self.at.width);
            let message = format!("the row has {found} fields, the header has {wanted}");
            return Err(Bad::Row(self.table.row_problem(message)));
        }
        work.name.clear();
        if self.keep_names {
            let id = text(self.table.trimmed(self.at.id));
            let id =
                id.map_err(|reason| Bad::Row(self.table.problem(self.at.id, "JobID", reason)))?;
            work.name.push_str(id);
        }
        self.fill(book, work)
    }

    fn problem(&self, message: String) -> Problem {
        self.table.row_problem(message)
    }

    fn filtered(&self) -> u64 {
        self.table.filtered()
    }

    fn is_observed(&self) -> bool {
        true
    }

    fn observed(&self, _work: &Work) -> Result<Option<Observation>, Bad> {
        Ok(self.observed)
    }
}

#[cfg(test)]
mod tests;
