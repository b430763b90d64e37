//! Why a job waited, span by span: read from `explain.csv`, told in sentences.

use serde::Serialize;

use super::clock::{RunClock, length};
use super::others::Others;
use super::row::CsvRow;
use crate::cli::exit::Stop;
use windtunnel::report::{Holder, KEPT_TO, clean};
use windtunnel::state::{Ending, WaitReason};
use windtunnel::units::{Span, Time};

/// A span in which a job waited for one cause.
#[derive(Debug)]
pub(super) struct WaitSpan {
    pub(super) from: Time,
    pub(super) until: Time,
    pub(super) reason: WaitReason,
    /// Tasks that waited, and all tasks of the job.
    tasks: u64,
    of: u64,
    /// Whether the job has its machines alone.
    exclusive: bool,
    counted: Option<RoomCount>,
    pub(super) ahead: u64,
    first: Option<String>,
    promised: Option<Time>,
    first_promised: Option<Time>,
    rents: Option<Time>,
}

/// Resources and tasks counted when the span began.
#[derive(Debug)]
struct RoomCount {
    /// Tasks for which there was room.
    room: u64,
    resource: String,
    wanted: f64,
    free: f64,
    /// The most on one instance.
    best: f64,
    held: f64,
    broken: f64,
    /// On machines that had failed.
    down: f64,
    holders: u64,
    largest: Vec<Holder>,
}

/// Start of tasks: its time, and the reason that let them start.
#[derive(Debug)]
pub(super) struct Start {
    pub(super) at: Time,
    tasks: u64,
    of: u64,
    why: String,
    /// Whether the tasks waited or were preempted before.
    waited: bool,
    /// Whether tasks of the job were preempted before.
    again: bool,
}

/// Preemption of tasks, or another end after which they wait again: its time, the work that
/// they yielded to, and the progress lost.
#[derive(Debug)]
pub(super) struct Preemption {
    pub(super) at: Time,
    how: Ending,
    tasks: u64,
    of: u64,
    /// Work that they yielded to; empty where it is not known.
    to: String,
    /// Lost progress of each task; `None` where it is not known.
    pub(super) lost: Option<Span>,
    kept_to: Option<KeptTo>,
}

/// Where work may be placed after it lost its place.
#[derive(Debug)]
struct KeptTo {
    /// Words that follow "only", before the name of the offer.
    only: String,
    offer: String,
    until: Time,
}

/// Event in the life of a job.
#[derive(Debug)]
pub(super) enum JobStep {
    Wait(WaitSpan),
    Start(Start),
    Preempted(Preemption),
}

impl JobStep {
    /// The wait, if it is one.
    pub(super) fn wait(&self) -> Option<&WaitSpan> {
        match self {
            Self::Wait(wait) => Some(wait),
            Self::Start(_) | Self::Preempted(_) => None,
        }
    }

    /// A start after a wait, or a preemption, as a line.
    pub(super) fn event(&self, clock: RunClock) -> Option<(Time, String)> {
        match self {
            Self::Wait(_) => None,
            Self::Start(start) => Some((start.at, format!("  {}\n", start.sentence(clock)?))),
            Self::Preempted(one) => Some((one.at, format!("  {}\n", one.sentence(clock)))),
        }
    }
}

/// A wait as `--json` gives it.
#[derive(Debug, Serialize)]
pub(super) struct WaitJson<'w> {
    from_s: f64,
    until_s: f64,
    why: &'static str,
    tasks: u64,
    room: Option<u64>,
    resource: Option<&'w str>,
    wanted: Option<f64>,
    free: Option<f64>,
    best: Option<f64>,
    held: Option<f64>,
    broken: Option<f64>,
    down: Option<f64>,
    holders: Option<u64>,
    largest: &'w [Holder],
    ahead: u64,
    first: Option<&'w str>,
    promised_s: Option<f64>,
    first_promised_s: Option<f64>,
    rents_s: Option<f64>,
}

/// The steps of `job` from `notes`, its rows of `explain.csv`. A wait lasts until the next row that
/// is a step; the last until the job ended.
///
/// # Errors
/// A row cannot be read, or its waits do not cover the time until its first start.
pub(super) fn steps(job: &CsvRow, notes: &[CsvRow]) -> Result<Vec<JobStep>, Stop> {
    let end = job.time("end_s")?;
    let exclusive = job.cell("exclusive") == "yes";
    let of = job.whole("tasks")?;
    let mut steps = Vec::new();
    for note in notes {
        let at = note.time("time_s")?;
        if let Some(JobStep::Wait(wait)) = steps.last_mut()
            && (matches!(note.cell("note"), "waits" | "starts") || stop_of(note).is_some())
        {
            wait.until = wait.until.min(at);
        }
        match note.cell("note") {
            "waits" => steps.push(JobStep::Wait(WaitSpan::read(note, (of, exclusive), end)?)),
            "starts" => {
                let waited = matches!(steps.last(), Some(JobStep::Wait(_) | JobStep::Preempted(_)));
                let again = steps.iter().any(|step| matches!(step, JobStep::Preempted(_)));
                let (tasks, why) = (note.whole("tasks")?, clean(note.cell("why")));
                steps.push(JobStep::Start(Start { at, tasks, of, why, waited, again }));
            }
            KEPT_TO => {
                if let Some(JobStep::Preempted(one)) = steps.last_mut() {
                    let (only, offer) = (clean(note.cell("why")), clean(note.cell("offer")));
                    one.kept_to = Some(KeptTo { only, offer, until: note.time("until_s")? });
                }
            }
            _ => {
                let Some(how) = stop_of(note) else { continue };
                let (tasks, to) = (note.whole("tasks")?, clean(note.cell("why")));
                let lost = note.maybe_time("lost_s")?.map(|lost| lost - Time::ZERO);
                steps.push(JobStep::Preempted(Preemption {
                    at,
                    how,
                    tasks,
                    of,
                    to,
                    lost,
                    kept_to: None,
                }));
            }
        }
    }
    check(job, &steps, end)?;
    Ok(steps)
}

/// The end of tasks that a row tells of, after which they wait again; `None` if it tells of
/// something else.
fn stop_of(note: &CsvRow) -> Option<Ending> {
    let mut all = Ending::ALL.into_iter().filter(|ending| ending.waits_again());
    all.find(|ending| ending.name() == note.cell("note"))
}

/// Holds the steps to `jobs.csv`: no gap until the job first started or ended.
fn check(job: &CsvRow, steps: &[JobStep], end: Time) -> Result<(), Stop> {
    let mut covered = job.time("submitted_s")?;
    let started = job.maybe_time("first_start_s")?;
    let until = started.unwrap_or(end);
    for step in steps {
        match step {
            JobStep::Wait(wait) if wait.from == covered => covered = wait.until,
            JobStep::Preempted(_) => {}
            JobStep::Wait(_) | JobStep::Start(_) => break,
        }
    }
    let starts = steps.iter().find_map(|step| match step {
        JobStep::Start(start) => Some(start.at),
        JobStep::Wait(_) | JobStep::Preempted(_) => None,
    });
    if covered != until || starts != started {
        let message = "`explain.csv` does not tell of the whole time that this job waited";
        return Err(Stop::usage(message, CUT));
    }
    Ok(())
}

/// The cure for a file that is not as it was written.
pub(super) const CUT: &str =
    "it was edited or cut off, or comes from another version: run again with --explain";

impl WaitSpan {
    fn read(note: &CsvRow, (of, exclusive): (u64, bool), end: Time) -> Result<Self, Stop> {
        let why = note.cell("why");
        let reason = WaitReason::ALL.into_iter().find(|reason| reason.name() == why);
        let Some(reason) = reason else { return Err(note.wrong("why", "a reason to wait")) };
        Ok(Self {
            from: note.time("time_s")?,
            until: end,
            reason,
            tasks: note.whole("tasks")?,
            of,
            exclusive,
            counted: match note.cell("room") {
                "" => None,
                _ => Some(RoomCount::read(note)?),
            },
            ahead: note.maybe_whole("ahead")?.unwrap_or(0),
            first: Some(clean(note.cell("first"))).filter(|first| !first.is_empty()),
            promised: note.maybe_time("promised_s")?,
            first_promised: note.maybe_time("first_promised_s")?,
            rents: note.maybe_time("rents_s")?,
        })
    }

    /// What was broken of that which could hold it, and what on machines that had failed.
    pub(super) fn condition(&self) -> Option<[f64; 2]> {
        let counted = self.counted.as_ref()?;
        Some([counted.broken, counted.down])
    }

    /// Job that held the most.
    pub(super) fn holder(&self) -> Option<&str> {
        self.holders().next()
    }

    /// Jobs that held the most, the largest first.
    pub(super) fn holders(&self) -> impl Iterator<Item = &str> {
        let largest = self.counted.iter().flat_map(|counted| &counted.largest);
        largest.map(|holder| holder.job.as_str())
    }

    /// Causes of the wait, in sentences.
    pub(super) fn sentences(&self, clock: RunClock, others: &Others) -> Vec<String> {
        let mut told = Vec::from_iter(self.lead());
        told.extend(self.tell_more(clock, others));
        told
    }

    /// Holders of what it lacked, and the start that was foreseen, in sentences.
    pub(super) fn tell_more(&self, clock: RunClock, others: &Others) -> Vec<String> {
        let mut told = Vec::new();
        let Some(counted) = &self.counted else { return told };
        // Holders of the rest matter only where room was lacking.
        if counted.room < self.tasks {
            told.extend(counted.tell_holders(clock, self.from, others));
        }
        told.extend(self.tell_promises(clock));
        if let Some(rents) = self.rents {
            told.push(format!(
                "The policy rents for it {} at the earliest (`after_wait`).",
                clock.point(rents)
            ));
        }
        told
    }

    /// The cause, of work that nobody was before, as far as the head of its phase does not say it.
    fn lead(&self) -> Option<String> {
        let Some(has) = self.had() else {
            let part = self.tasks < self.of;
            return part
                .then(|| format!("{} of its {} tasks waited for theirs.", self.tasks, self.of));
        };
        Some(match self.reason {
            WaitReason::NoRoom
            | WaitReason::OverflowLater
            | WaitReason::InOrder
            | WaitReason::Behind
            | WaitReason::Unsaid
            | WaitReason::Booting => format!("{has}."),
            WaitReason::Reserved => {
                format!("{has}, but starting it would have delayed a promised start.")
            }
            WaitReason::ForSpot => format!("{has}. Its policy waited for spot, as there was time."),
            WaitReason::Shifted => format!("{has}. Its policy held it until a better time."),
            WaitReason::BackingOff => format!("{has}. Its policy tried it again later."),
            WaitReason::Stopped => format!(
                "{has}. Its instance was stopped with it, and it waited for that to start again."
            ),
            WaitReason::NothingToRent => {
                format!("{has}, and nothing that fits could be rented.")
            }
            WaitReason::OverBudget => {
                format!("{has}, and a budget had no room for what would be rented.")
            }
        })
    }

    /// Reason that it did not start before its turn.
    pub(super) fn hurdle(&self, others: &Others) -> String {
        let words = match self.reason {
            WaitReason::InOrder => {
                let first = self.first.as_deref().unwrap_or("the first");
                let wanted = others.wanted(first, self.from);
                let wanted = wanted.map_or_else(String::new, |wanted| format!(", which {wanted}"));
                return format!(
                    "nobody might start before {first}, the first of the queue{wanted}: the \
                     policy has no backfilling"
                );
            }
            WaitReason::NoRoom => "there was no room to start it before its turn",
            WaitReason::OverflowLater => {
                "there was no room to start it before its turn, and nothing was to be rented yet"
            }
            WaitReason::NothingToRent => {
                "there was no room to start it before its turn, and nothing to rent"
            }
            WaitReason::OverBudget => {
                "there was no room to start it before its turn, and no budget to rent with"
            }
            WaitReason::Behind => "others were served first",
            WaitReason::Reserved => "there was room, but it would have delayed a promised start",
            WaitReason::ForSpot => "its policy waited for spot, as there was time",
            WaitReason::Shifted => "its policy held it until a better time",
            WaitReason::BackingOff => "it had lost its place, and its policy tried it again later",
            WaitReason::Stopped => {
                "its instance was stopped, and it waited for that to start again"
            }
            WaitReason::Booting => "its instances were booting",
            WaitReason::Unsaid => "the policy gave no reason",
        };
        words.to_owned()
    }

    /// Resources that it wanted, and those there were; `None` where its instances booted.
    pub(super) fn had(&self) -> Option<String> {
        let counted = self.counted.as_ref()?;
        Some(counted.tell_room(self))
    }

    /// The first of the queue, where nobody might start before it.
    pub(super) fn barred_by(&self) -> Option<&str> {
        self.first.as_deref().filter(|_| self.reason == WaitReason::InOrder)
    }

    /// Number of jobs that were before it.
    pub(super) fn tell_ahead(&self) -> Option<String> {
        let first = self.first.as_deref()?;
        Some(match self.ahead {
            1 => format!("1 job was ahead of it: {first}."),
            ahead => format!("{ahead} jobs were ahead of it, the first was {first}."),
        })
    }

    fn tell_promises(&self, clock: RunClock) -> Option<String> {
        let when = |at: Time| match at <= self.from {
            true => "as soon as work ends that is over its estimate".to_owned(),
            false => clock.point(at),
        };
        if let Some(promised) = self.promised {
            return Some(format!("By the estimates it was to start {}.", when(promised)));
        }
        let (first, promised) = (self.first.as_deref()?, self.first_promised?);
        Some(format!("By the estimates {first} was to start {}.", when(promised)))
    }

    pub(super) fn json(&self) -> WaitJson<'_> {
        let counted = self.counted.as_ref();
        WaitJson {
            from_s: self.from.secs_f64(),
            until_s: self.until.secs_f64(),
            why: self.reason.name(),
            tasks: self.tasks,
            room: counted.map(|counted| counted.room),
            resource: counted.map(|counted| counted.resource.as_str()),
            wanted: counted.map(|counted| counted.wanted),
            free: counted.map(|counted| counted.free),
            best: counted.map(|counted| counted.best),
            held: counted.map(|counted| counted.held),
            broken: counted.map(|counted| counted.broken),
            down: counted.map(|counted| counted.down),
            holders: counted.map(|counted| counted.holders),
            largest: counted.map_or(&[], |counted| &counted.largest),
            ahead: self.ahead,
            first: self.first.as_deref(),
            promised_s: self.promised.map(Time::secs_f64),
            first_promised_s: self.first_promised.map(Time::secs_f64),
            rents_s: self.rents.map(Time::secs_f64),
        }
    }
}

/// Resources that waiting work wanted, by its row: `wanted 8 cores`.
///
/// # Errors
/// A cell cannot be read.
pub(super) fn wanted(note: &CsvRow) -> Result<Option<String>, Stop> {
    match note.cell("room") {
        "" => Ok(None),
        _ => Ok(Some(RoomCount::read(note)?.tell_wanted())),
    }
}

impl RoomCount {
    fn read(note: &CsvRow) -> Result<Self, Stop> {
        let largest = note.cell("largest");
        let largest = match largest {
            "" => Vec::new(),
            text => serde_json::from_str(text)
                .map_err(|_| note.wrong("largest", "a JSON list of who holds the most"))?,
        };
        Ok(Self {
            room: note.whole("room")?,
            resource: note.cell("resource").to_owned(),
            wanted: note.number("wanted")?,
            free: note.number("free")?,
            best: note.number("best")?,
            held: note.number("held")?,
            broken: note.number("broken")?,
            down: note.number("down")?,
            holders: note.whole("holders")?,
            largest,
        })
    }

    /// Amount that was wanted.
    fn tell_wanted(&self) -> String {
        let unit = match (self.wanted == 1.0, self.resource.strip_suffix('s')) {
            (true, Some(one)) => one,
            _ => &self.resource,
        };
        format!("wanted {} {unit}", self.wanted)
    }

    /// Amount that was wanted, and the amount there was.
    fn tell_room(&self, wait: &WaitSpan) -> String {
        let WaitSpan { tasks, of, exclusive, reason, .. } = *wait;
        let who = match (tasks, of) {
            (_, 1) => "It".to_owned(),
            _ if tasks == of => format!("Its {of} tasks"),
            _ => format!("{tasks} of its {of} tasks"),
        };
        let wanted = format!("{who} {}", self.tell_wanted());
        if self.free + self.held == 0.0 {
            return format!("{wanted}, {}", self.tell_nothing());
        }
        let (broken, down) = (self.broken, self.down);
        let mut there = format!("{wanted}, {} {} free", self.free, verb(self.free));
        if broken > 0.0 {
            there += &format!(" and {broken} broken");
        }
        if down > 0.0 {
            there += &format!(" and {down} on machines that had failed");
        }
        if self.room >= tasks {
            return match reason {
                WaitReason::NoRoom
                | WaitReason::OverflowLater
                | WaitReason::NothingToRent
                | WaitReason::OverBudget => {
                    format!("{there}, and there was room, but none that its place part uses for it")
                }
                WaitReason::InOrder
                | WaitReason::Behind
                | WaitReason::Reserved
                | WaitReason::ForSpot
                | WaitReason::Shifted
                | WaitReason::BackingOff
                | WaitReason::Stopped
                | WaitReason::Booting
                | WaitReason::Unsaid => format!("{there} and there was room"),
            };
        }
        if exclusive {
            return match self.room {
                0 => format!("{there}, but it takes whole machines and no fitting one was empty"),
                room => format!(
                    "{there}, but it takes whole machines, and empty ones held only {room} tasks"
                ),
            };
        }
        let each = self.wanted / tasks.max(1) as f64;
        if self.free >= each && self.best < each {
            let best = if self.best == 0.0 { "none".to_owned() } else { self.best.to_string() };
            return match tasks {
                1 => format!("{there}, but at most {best} on one machine"),
                _ => format!("{there}, but at most {best} on one machine, and a task needs {each}"),
            };
        }
        match (self.free >= self.wanted, of, self.room) {
            (true, 1, _) | (true, _, 0) => {
                format!("{there}, but no instance had room for all that a task asks")
            }
            (true, _, room) => format!("{there}, but instances had room for only {room} tasks"),
            (false, _, 0) | (false, 1, _) => there,
            (false, _, 1) => format!("{there}: room for 1 task"),
            (false, _, room) => format!("{there}: room for {room} tasks"),
        }
    }

    /// Why nothing that could hold it was there.
    fn tell_nothing(&self) -> String {
        let (broken, down) = (self.broken, self.down);
        let all = |amount: f64| if amount == 1.0 { "the only one" } else { "all" };
        match (broken > 0.0, down > 0.0) {
            (true, false) => format!("and {} there {} broken", all(broken), verb(broken)),
            (false, true) if down == 1.0 => {
                "and the only one was on a machine that had failed".to_owned()
            }
            (false, true) => "and all were on machines that had failed".to_owned(),
            (true, true) => {
                format!("{broken} {} broken and {down} on machines that had failed", verb(broken))
            }
            (false, false) => "no instance that could hold them was there".to_owned(),
        }
    }

    /// Holders of the rest, with their expected and actual ends.
    fn tell_holders(&self, clock: RunClock, now: Time, others: &Others) -> Option<String> {
        let named: Vec<String> = self
            .largest
            .iter()
            .map(|holder| {
                let until = holder.until_s.and_then(windtunnel::units::Span::from_secs_f64);
                let until = until.map(|until| Time::ZERO + until);
                let told = match until {
                    None => "no estimate".to_owned(),
                    Some(until) if until <= now => "over its estimate".to_owned(),
                    Some(until) => format!("expected to end {}", clock.point(until)),
                };
                let name = clean(&holder.job);
                let alone = if holder.alone { " on machines of its own" } else { "" };
                let ended = others.end(&name).filter(|&end| end > now);
                let ended = match (ended, until) {
                    (None, _) => String::new(),
                    (Some(end), None) => format!(", ended {}", clock.point(end)),
                    (Some(end), Some(until)) if end == until => ", and did".to_owned(),
                    (Some(end), Some(until)) if end < until => {
                        format!(", ended {} earlier", length(until - end))
                    }
                    (Some(end), Some(until)) => {
                        format!(", ended {} later", length(end - until))
                    }
                };
                format!("{name} ({}{alone}, {told}{ended})", holder.amount)
            })
            .collect();
        let named = named.join(", ");
        let rest = self.held;
        match (self.holders, self.largest.len()) {
            (0, _) | (_, 0) => None,
            (1, _) => Some(format!("1 job held the other {rest}: {named}.")),
            (all, shown) if all as usize == shown => {
                Some(format!("{all} jobs held the other {rest}: {named}."))
            }
            (all, shown) => {
                Some(format!("{all} jobs held the other {rest}; the {shown} largest: {named}."))
            }
        }
    }
}

fn verb(amount: f64) -> &'static str {
    if amount == 1.0 { "was" } else { "were" }
}

impl Start {
    /// Sentence on the start; `None` where there is nothing to say.
    pub(super) fn sentence(&self, clock: RunClock) -> Option<String> {
        if !self.waited {
            return None;
        }
        let who = match (self.tasks, self.of) {
            (_, 1) => "started".to_owned(),
            (tasks, of) if tasks == of => format!("all {of} tasks started"),
            (tasks, of) => format!("{tasks} of {of} tasks started"),
        };
        let again = if self.again { " again" } else { "" };
        let why = if self.why.is_empty() { String::new() } else { format!(": {}", self.why) };
        Some(format!("{who}{again} {}{why}", clock.point(self.at)))
    }

    /// Time at which all tasks of the work started together; `None` where only some did.
    pub(super) fn whole(&self) -> Option<Time> {
        (self.tasks == self.of).then_some(self.at)
    }
}

impl Preemption {
    /// Sentence on the preemption.
    fn sentence(&self, clock: RunClock) -> String {
        let who = match self.tasks == self.of {
            true => String::new(),
            false => format!("{} of {} tasks ", self.tasks, self.of),
        };
        let to = match &*self.to {
            "" => String::new(),
            what if self.how == Ending::Failed => format!(": {what}"),
            to => format!(", yielding to {to}"),
        };
        let lost = match (self.lost, self.of) {
            (None, _) => String::new(),
            // Lost if it does not go on there.
            _ if self.how == Ending::Hibernated => ", with what it had in memory".to_owned(),
            (Some(Span::ZERO), _) => ", nothing lost".to_owned(),
            (Some(lost), 1) => format!(", {} of its work lost", length(lost)),
            (Some(lost), _) => format!(", {} of work of each task lost", length(lost)),
        };
        let kept_to = match &self.kept_to {
            None => String::new(),
            Some(KeptTo { only, offer, until }) => {
                let until = clock.point(*until);
                format!("; it is tried again only {only} {offer}, and {until} anywhere (`recover`)")
            }
        };
        format!("{who}{} {}{to}{lost}{kept_to}", self.how.name(), clock.point(self.at))
    }
}
