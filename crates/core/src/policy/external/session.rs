//! Session with one process: greets it, asks it, and checks that it answers the question.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::conversation::{BrokenConversation, Conversation, Launcher};
use super::message::{
    CallAnswer, Hello, InstanceMessage, PROTOCOL, Question, Reply, Request, StandingMessage,
};
use super::outbox::{EventOutbox, numbers};
use super::world;
use crate::model::Offer;
use crate::policy::spec::{External, PolicyPart};
use crate::policy::turn::{Trigger, Turn};
use crate::problem::clip;
use crate::state::{self, InstanceRef, Record, State, WorkRef};
use crate::text::plain;
use crate::units::stream::fnv1a;
use crate::units::{Id, Money, Time};

/// Bytes of records after which a part is told of them without a question.
const MUCH: usize = 1 << 20;

/// A session, for a part that asks and for the policy that passes records on.
pub(in crate::policy) type SharedSession = Rc<RefCell<Session>>;

/// Session with one process, for the part that it serves.
#[derive(Debug)]
pub(in crate::policy) struct Session {
    part: PolicyPart,
    /// Name of the process, for messages.
    title: String,
    /// Gone after the first failure.
    conversation: Option<Result<Box<dyn Conversation>, BrokenConversation>>,
    greeted: bool,
    calls: u64,
    pub(super) outbox: EventOutbox,
    /// Instances that it knows, by their number.
    instances: FxHashMap<u32, InstanceRef>,
    /// Offers by name, made when the first is looked up.
    offers: BTreeMap<String, Id<Offer>>,
    /// Changes of instances up to here were sent.
    mark: u64,
    /// Changes of commitments that were sent.
    commitments: u64,
    line: Vec<u8>,
}

impl Session {
    /// Starts `who` to serve `part` of the policy called `policy`. If it does
    /// not start, the first call says so.
    pub(in crate::policy) fn start(
        who: &External,
        part: PolicyPart,
        policy: &str,
        launcher: &dyn Launcher,
    ) -> SharedSession {
        let command = clip(&who.command.join(" "));
        let title = match part {
            PolicyPart::Whole => format!("policy `{}` (`{command}`)", clip(policy)),
            PolicyPart::Preempt
            | PolicyPart::Admit
            | PolicyPart::Shift
            | PolicyPart::Order
            | PolicyPart::Place
            | PolicyPart::Backfill
            | PolicyPart::Provision
            | PolicyPart::Release
            | PolicyPart::Recover
            | PolicyPart::Cap
            | PolicyPart::Commit
            | PolicyPart::Checkpoint => {
                format!("the {} part of policy `{}` (`{command}`)", part.name(), clip(policy))
            }
        };
        Rc::new(RefCell::new(Self {
            part,
            title,
            conversation: Some(launcher.launch(who, part.name())),
            greeted: false,
            calls: 0,
            outbox: EventOutbox::default(),
            instances: FxHashMap::default(),
            offers: BTreeMap::new(),
            mark: 0,
            commitments: 0,
            line: Vec::new(),
        }))
    }

    /// Takes in a record for the next call.
    pub(in crate::policy) fn record(&mut self, state: &State<'_>, record: &Record) {
        self.outbox.record(state, record);
    }

    /// Takes in what is a trigger and no record, and sends what has gathered
    /// if that is a lot.
    pub(in crate::policy) fn begin(&mut self, triggers: &[Trigger], turn: &mut Turn<'_, '_>) {
        if triggers.contains(&Trigger::PricesChanged) {
            for &offer in turn.repriced() {
                self.outbox.price(turn, offer);
            }
        }
        if self.outbox.heard().len() > MUCH {
            self.ask(turn, &Question::Nothing {});
        }
    }

    /// Asks `question`. `None` if there is no answer: then the run stops after this decision.
    pub(in crate::policy) fn ask(
        &mut self,
        turn: &mut Turn<'_, '_>,
        question: &Question,
    ) -> Option<CallAnswer> {
        if !self.greeted {
            self.greeted = true;
            self.greet(turn)?;
        }
        self.calls += 1;
        self.write_call(turn, question);
        let line = std::mem::take(&mut self.line);
        let answered = self.exchange(turn, &line);
        self.line = line;
        let reply = match answered? {
            Reply::Answer(answer) => *answer,
            Reply::Ready(_) => {
                self.fail(turn, "is ready again, but was asked", "answer a `call` by an `answer`");
                return None;
            }
        };
        if reply.number != self.calls {
            let what = format!("answers call {}, but was asked call {}", reply.number, self.calls);
            self.fail(turn, &what, "write one line for each call, with its `number`");
            return None;
        }
        if let Some(stray) = reply.stray(question) {
            let asked: Vec<String> =
                question.answered_by().iter().map(|name| format!("`{name}`")).collect();
            let hint = match asked.as_slice() {
                [] => "this call is answered by its `number` alone".to_owned(),
                asked => format!("this call is answered by {}", asked.join(" and ")),
            };
            self.fail(turn, &format!("answers `{stray}`, which was not asked"), &hint);
            return None;
        }
        Some(reply)
    }

    /// The policy has failed: the run stops after this decision, and the process goes.
    pub(in crate::policy) fn fail(&mut self, turn: &mut Turn<'_, '_>, what: &str, hint: &str) {
        let mut message = format!("{} {what}", self.title);
        if self.calls > 0 {
            message.push_str(&format!(" (call {})", self.calls));
        }
        message.push_str(&format!("\n  hint: {hint}"));
        if let Some(Ok(mut conversation)) = self.conversation.take() {
            let words = conversation.last_words();
            if !words.is_empty() {
                message.push_str("\n  its standard error:");
            }
            for line in words.lines() {
                message.push_str(&format!("\n    | {}", plain(line)));
            }
        }
        turn.give_up(message);
    }

    /// The work with that number; fails where there is none.
    pub(in crate::policy) fn work(
        &mut self,
        turn: &mut Turn<'_, '_>,
        number: u64,
    ) -> Option<WorkRef> {
        let found = self.outbox.works.find(number).filter(|&work| turn.is_alive(work));
        if found.is_none() {
            let end = self.outbox.works.given();
            let what = match number < end {
                true => format!("names work {number}, which has ended"),
                false => format!("names work {number}, which was never submitted"),
            };
            self.fail(turn, &what, "use the numbers of `submitted` records until they end");
        }
        found
    }

    /// The instance with that number; fails where there is none.
    pub(in crate::policy) fn instance(
        &mut self,
        turn: &mut Turn<'_, '_>,
        number: u32,
    ) -> Option<InstanceRef> {
        let found = self.instances.get(&number).copied();
        let found = found.filter(|&instance| turn.has_instance(instance));
        if found.is_none() {
            let what = format!("names instance {number}, which is not there");
            self.fail(turn, &what, "use the numbers of `instances` until they are in `gone`");
        }
        found
    }

    /// The offer with that name; fails where there is none.
    pub(in crate::policy) fn offer(
        &mut self,
        turn: &mut Turn<'_, '_>,
        name: &str,
    ) -> Option<Id<Offer>> {
        if self.offers.is_empty() {
            let named = turn.world().offers.iter();
            self.offers = named.map(|(offer, facts)| (facts.name.clone(), offer)).collect();
        }
        let found = self.offers.get(name).copied();
        if found.is_none() {
            let what = format!("names the offer `{}`, which is not there", clip(name));
            self.fail(turn, &what, "use the names of `world.offers` in the hello");
        }
        found
    }

    /// The time of an answer's `wake`; fails where it is not later than now.
    pub(in crate::policy) fn later(
        &mut self,
        turn: &mut Turn<'_, '_>,
        wake: Option<i64>,
    ) -> Option<Time> {
        let at = Time::from_micros(wake?);
        if at > turn.now() {
            return Some(at);
        }
        let what = format!("asks to be asked at {}, which is not later than now", at.micros());
        self.fail(turn, &what, "`wake` is in microseconds on the run's clock");
        None
    }

    fn greet(&mut self, turn: &mut Turn<'_, '_>) -> Option<()> {
        let part = self.part.name();
        // A copy, so that nobody else's draws move.
        let seed = (turn.stream().clone().next_u64() ^ fnv1a(part.as_bytes())) >> 11;
        let hello = Request::Hello(Box::new(Hello {
            protocol: PROTOCOL,
            serves: part.to_owned(),
            seed,
            now: turn.now().micros(),
            start: turn.world().calendar.format(Time::ZERO),
            world: world::describe(turn.world(), turn.commitments(), |offer| turn.price(offer)),
        }));
        self.commitments = turn.commitment_changes();
        let line = serde_json::to_vec(&hello).expect("a hello is plain data");
        match self.exchange(turn, &line)? {
            Reply::Ready(ready) if ready.protocol == PROTOCOL => Some(()),
            Reply::Ready(ready) => {
                let what = format!(
                    "speaks version {} of the protocol, windtunnel speaks {PROTOCOL}",
                    ready.protocol
                );
                self.fail(turn, &what, "use a client of this version of windtunnel");
                None
            }
            Reply::Answer(_) => {
                let hint = format!("answer the hello by {{\"ready\":{{\"protocol\":{PROTOCOL}}}}}");
                self.fail(turn, "answers before it was asked", &hint);
                None
            }
        }
    }

    /// Sends a line and reads the reply.
    fn exchange(&mut self, turn: &mut Turn<'_, '_>, line: &[u8]) -> Option<Reply> {
        let line = std::str::from_utf8(line).expect("JSON is UTF-8");
        let answered = match self.conversation.as_mut()? {
            Ok(conversation) => conversation.exchange(line),
            Err(broken) => Err(broken.clone()),
        };
        let text = match answered {
            Ok(text) => text,
            Err(BrokenConversation { what, hint }) => {
                self.fail(turn, &what, &hint);
                return None;
            }
        };
        match serde_json::from_str(&text) {
            Ok(reply) => Some(reply),
            Err(error) => {
                let what = format!("answers `{}`, which is no answer: {error}", clip(&text));
                let hint = "each line is one JSON object as docs/policy.md has it, and nothing \
                            else; numbers are finite; print what is for people to standard error";
                self.fail(turn, &what, hint);
                None
            }
        }
    }

    /// Writes the next call into `line`.
    fn write_call(&mut self, turn: &Turn<'_, '_>, question: &Question) {
        let line = &mut self.line;
        line.clear();
        let head =
            format!("{{\"call\":{{\"number\":{},\"now\":{}", self.calls, turn.now().micros());
        line.extend_from_slice(head.as_bytes());
        if !self.outbox.heard().is_empty() {
            line.extend_from_slice(b",\"records\":[");
            line.extend_from_slice(self.outbox.heard());
            line.push(b']');
        }
        let (reset, touched) = match turn.touched_since(self.mark) {
            Some(touched) => (false, touched),
            None => {
                let all = turn.instances().map(|(reference, one)| (one.ordinal, reference));
                (true, all.collect())
            }
        };
        self.mark = turn.touched_mark();
        let (mut changed, mut gone) = (Vec::new(), Vec::new());
        if reset {
            line.extend_from_slice(b",\"reset\":true");
            self.instances.clear();
        }
        for (number, reference) in touched {
            if is_there(turn, reference) {
                self.instances.insert(number, reference);
                changed.push(picture(turn, turn.instance(reference)));
            } else if self.instances.remove(&number).is_some() {
                gone.push(number);
            }
        }
        if !changed.is_empty() {
            line.extend_from_slice(b",\"instances\":");
            serde_json::to_writer(&mut *line, &changed).expect("an instance is plain data");
        }
        if !gone.is_empty() {
            line.extend_from_slice(b",\"gone\":");
            serde_json::to_writer(&mut *line, &gone).expect("numbers are plain data");
        }
        if turn.has_budgets() {
            let budgets: Vec<StandingMessage> = turn.budgets().map(|one| standing(&one)).collect();
            line.extend_from_slice(b",\"budgets\":");
            serde_json::to_writer(&mut *line, &budgets).expect("a budget is plain data");
        }
        if self.commitments != turn.commitment_changes() {
            self.commitments = turn.commitment_changes();
            let commitments = world::commitments(turn.commitments());
            line.extend_from_slice(b",\"commitments\":");
            serde_json::to_writer(&mut *line, &commitments).expect("a commitment is plain data");
        }
        line.extend_from_slice(b",\"ask\":");
        serde_json::to_writer(&mut *line, question).expect("a question is plain data");
        line.extend_from_slice(b"}}");
        self.outbox.sent();
    }
}

fn standing(one: &state::BudgetStanding<'_>) -> StandingMessage {
    StandingMessage {
        name: one.budget.name.clone(),
        spent: one.spent().dollars(),
        pace: one.spending.pace().dollars_per_hour(),
        from: one.from.micros(),
        until: one.until.map(Time::micros),
        forecast: one.forecast().map(Money::dollars),
    }
}

fn is_there(state: &State<'_>, instance: InstanceRef) -> bool {
    state.has_instance(instance) && state.instance(instance).phase.is_billed()
}

fn picture(state: &State<'_>, instance: &state::Instance) -> InstanceMessage {
    InstanceMessage {
        instance: instance.ordinal,
        offer: state.world().offers[instance.offer].name.clone(),
        booting: instance.phase.is_booting(),
        until: instance.phase.until().map(Time::micros),
        cpu: instance.free.cpu,
        memory: instance.free.memory,
        gpus: instance.devices().to_vec(),
        broken: numbers(instance.broken()),
        allocations: instance.allocations,
    }
}
