//! Observed starts and sizes of the work in a trace. They are read apart from the work, so that no
//! run and no policy can see them.

use crate::model::{Interner, Work, WorkId};
use crate::problem::{Problem, Problems};
use crate::units::{Calendar, Span};

use super::reader::{Reader, Rows};
use super::{Alive, MAX_HELD, Source, Transform, WorkloadSpec};

/// Observed wait, runtime and size of one piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation {
    /// Time from submission to start, at least zero.
    pub wait: Span,
    /// Time from start to end; `None` if it had no end.
    pub runtime: Option<Span>,
    /// Milli-cores that it held.
    pub cpu: u64,
}

impl Observation {
    /// Observation of work that waited for `wait` and otherwise was as the trace says.
    pub(super) fn of(work: &Work, wait: Span) -> Self {
        let cpu = u64::from(work.ask.demand.cpu) * u64::from(work.ask.tasks);
        Self { wait, runtime: work.body.length(), cpu }
    }
}

/// Observations of the work in a trace, by its identity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observations {
    /// Observations in the order of the identities.
    rows: Vec<(WorkId, Observation)>,
    missing: u64,
}

impl Observations {
    /// Observation of this piece of work; `None` where nothing was observed of it.
    pub fn get(&self, id: WorkId) -> Option<Observation> {
        let row = self.rows.binary_search_by_key(&id, |row| row.0).ok()?;
        Some(self.rows[row].1)
    }

    /// Whether nothing was observed.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Pieces of work in the trace whose start was not observed.
    pub fn missing(&self) -> u64 {
        self.missing
    }
}

impl<R: Rows> Reader<R> {
    /// Reads all rows for what was observed of them.
    fn observations(mut self) -> Result<Observations, Problem> {
        let mut found = Observations::default();
        if !self.rows().is_observed() {
            return Ok(found);
        }
        let (mut book, mut work) = (Interner::default(), Work::default());
        while self.next(&mut book, &mut work)? {
            match self.observed(&work)? {
                Some(_) if found.rows.len() == MAX_HELD => {
                    let message = format!("more than {MAX_HELD} pieces of work were observed");
                    return Err(
                        Problem::with("workload", message).hint("cut the trace before it is read")
                    );
                }
                Some(observation) => found.rows.push((work.id, observation)),
                None => found.missing += 1,
            }
        }
        found.rows.sort_unstable_by_key(|row| row.0);
        found.rows.dedup_by_key(|row| row.0);
        Ok(found)
    }
}

impl WorkloadSpec {
    /// Observations of the workload, under the identities that its work has in runs. Empty where it
    /// is no trace, and where the trace says nothing.
    ///
    /// # Errors
    /// Problems of the trace.
    pub fn observations(&self, calendar: Calendar) -> Result<Observations, Problems> {
        match self.input.trace() {
            Some(trace) => {
                let reader = trace.reader(self.clock(calendar), false)?;
                reader.observations().map_err(Problems::from)
            }
            None => Ok(Observations::default()),
        }
    }

    /// The first transformation that makes other work of what was observed, if
    /// there is one. Leaving work out, or moving all of it, does not.
    pub fn distortion(&self) -> Option<&Transform> {
        use Transform as T;
        let distorts = |step: &&Transform| match step {
            T::Window { alive, .. } => *alive != Alive::Nothing,
            T::Skip(_) | T::Take(_) | T::Keep(_) | T::Shift(_) | T::Begin(_) => false,
            T::ScaleArrivals(_) | T::ScaleRuntimes(_) | T::ScaleSizes { .. } => true,
            T::Repeat { .. } | T::Shuffle | T::Resample { .. } | T::Inflate { .. } => true,
        };
        self.transforms.iter().find(distorts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    use crate::workload::{
        Column, ColumnOrigin, ColumnUnit, Defaults, Field, FormatSpec, MAPPED, NATIVE,
        NativeColumn, NativeWriter, OnBadRow, OpenContext, SWF, TraceSpec, WorkloadInput,
        used_columns,
    };

    fn spec(text: &str, format: FormatSpec) -> (tempfile::NamedTempFile, WorkloadSpec) {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), text).expect("written");
        let input = WorkloadInput::Trace(TraceSpec::new(file.path(), format));
        let spec = WorkloadSpec { input, defaults: Defaults::default(), transforms: Vec::new() };
        (file, spec)
    }

    fn calendar() -> Calendar {
        Calendar::from_unix_micros(0)
    }

    /// Waits by ordinal in seconds, and the number of missing ones.
    fn waits(text: &str, format: FormatSpec) -> (Vec<(u64, f64)>, u64) {
        let (_file, spec) = spec(text, format);
        let found = spec.observations(calendar()).expect("it can be read");
        let rows = found.rows.iter().map(|(id, one)| (id.ordinal, one.wait.secs_f64()));
        (rows.collect(), found.missing)
    }

    fn works(spec: &WorkloadSpec) -> Vec<Work> {
        let context =
            OpenContext { seed: 1, calendar: calendar(), keep_names: true, capacity: None };
        let mut source = spec.open(&context).expect("it opens");
        let (mut book, mut work, mut all) = (Interner::default(), Work::default(), Vec::new());
        while source.next(&mut book, &mut work).expect("it can be read") {
            all.push(work.clone());
        }
        all
    }

    const LOG: &str = "; a log\n\
        1 0 30 100 4 -1 -1 8 200 -1 1 1 1 1 1 1 -1 -1\n\
        2 5 -1 100 8 -1 -1 8 200 -1 1 1 1 1 1 1 -1 -1\n\
        3 6 70 -1 8 -1 -1 8 200 -1 5 1 1 1 1 1 -1 -1\n\
        4 7 80 0 8 -1 -1 8 200 -1 5 1 1 1 1 1 -1 -1\n\
        5 8 0.5 1 -1 -1 -1 8 200 -1 1 1 1 1 1 1 -1 -1\n";

    /// The second has no wait, the third is left out, the fourth was cancelled before its start.
    #[test]
    fn swf_waits_keep_the_ordinals_of_runs() {
        let format = || SWF.spec();
        assert_eq!(waits(LOG, format()), (vec![(0, 30.0), (4, 0.5)], 2));
        let (_file, spec) = spec(LOG, format());
        let found = spec.observations(calendar()).expect("it can be read");
        let ids: Vec<u64> = works(&spec).iter().map(|work| work.id.ordinal).collect();
        assert_eq!(ids, [0, 1, 3, 4]);
        // Four processors were held, eight were asked for; the last log entry does not say.
        let cpu = |ordinal| found.get(WorkId { source: 0, ordinal }).map(|one| one.cpu);
        assert_eq!((cpu(0), cpu(1), cpu(4)), (Some(4_000), None, Some(8_000)));
    }

    #[test]
    fn malformed_waits_are_malformed_rows() {
        let bad = LOG.replace(" 30 100", " x 100");
        let (_file, mut spec) = spec(&bad, SWF.spec());
        let problem = spec.observations(calendar()).expect_err("it is malformed");
        assert_eq!((problem[0].line, problem[0].column), (2, 5), "{}", problem[0]);
        let WorkloadInput::Trace(trace) = &mut spec.input else { panic!("it is a trace") };
        trace.on_bad_row = OnBadRow::Skip;
        let found = spec.observations(calendar()).expect("it is skipped");
        assert_eq!((found.rows.len(), found.missing), (1, 3));
    }

    fn mapped(fields: &[Field]) -> FormatSpec {
        let column = |&field: &Field| {
            let from = ColumnOrigin::Header(field.name().to_owned());
            (field, Column::new(from, ColumnUnit::Seconds))
        };
        let columns: BTreeMap<Field, Column> = fields.iter().map(column).collect();
        MAPPED.spec().set("columns", columns)
    }

    #[test]
    fn a_mapping_has_waits_or_starts_or_ends() {
        use Field::{Arrival, End, Runtime, Start, Wait};
        let text = "arrival,runtime,wait,start,end\n10,5,3,13,18\n20,5,-1,19,24\n30,5,,,\n";
        let found = |fields: &[Field]| waits(text, mapped(fields));
        let want = (vec![(0, 3.0)], 2);
        assert_eq!(found(&[Arrival, Runtime, Wait]), want);
        assert_eq!(found(&[Arrival, Runtime, Start]), want);
        assert_eq!(found(&[Arrival, Runtime, End]), want);
        assert_eq!(found(&[Arrival, Runtime]), (vec![], 0));
        let ended = "arrival,wait,start,end\n10,3,13,18\n20,4,24,30\n";
        for fields in [[Arrival, Wait, End], [Arrival, Start, End]] {
            let (_file, spec) = spec(ended, mapped(&fields));
            let runtimes: Vec<_> =
                works(&spec).iter().filter_map(|one| one.body.length()).collect();
            assert_eq!(runtimes, [Span::from_secs(5), Span::from_secs(6)]);
            assert_eq!(waits(ended, mapped(&fields)).0, [(0, 3.0), (1, 4.0)]);
        }
    }

    #[test]
    fn native_waits_are_written_and_read_back_and_no_run_sees_them() {
        let text = "arrival_s,runtime_s,tasks,observed_wait_s\n0,5,1,0\n1,5,2,\n2,5,1,7.25\n";
        let plain = "arrival_s,runtime_s,tasks\n0,5,1\n1,5,2\n2,5,1\n";
        let (_file, seen) = spec(text, NATIVE.spec());
        let (_plain, unseen) = spec(plain, NATIVE.spec());
        assert_eq!(works(&seen), works(&unseen));
        let found = seen.observations(calendar()).expect("it can be read");
        assert_eq!(waits(text, NATIVE.spec()), (vec![(0, 0.0), (2, 7.25)], 1));
        assert_eq!(waits(plain, NATIVE.spec()), (vec![], 0));
        let context =
            OpenContext { seed: 1, calendar: calendar(), keep_names: true, capacity: None };
        let mut source = seen.open(&context).expect("it opens");
        let mut columns =
            used_columns(source.as_mut(), &mut Interner::default()).expect("it can be read");
        columns.push(NativeColumn::ObservedWait);
        let mut writer = NativeWriter::new(Vec::new(), &columns).expect("written");
        for work in works(&seen) {
            let wait = found.get(work.id).map(|one| one.wait);
            writer.write(&Interner::default(), &work, wait).expect("written");
        }
        let written = String::from_utf8(writer.into_inner()).expect("it is text");
        assert_eq!(waits(&written, NATIVE.spec()), waits(text, NATIVE.spec()));
        let (_bad, bad) = spec(&text.replace("7.25", "-1"), NATIVE.spec());
        let problem = bad.observations(calendar()).expect_err("it is negative");
        assert!(problem[0].to_string().contains("must not be negative"), "{}", problem[0]);
    }
}
