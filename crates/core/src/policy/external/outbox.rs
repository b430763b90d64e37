//! Events that a policy in another process has not heard yet, and the numbers under which it knows
//! work and allocations.

use rustc_hash::FxHashMap;

use super::message::{
    Allocated, CheckpointMessage, DeviceChange, Ended, EventMessage, InstanceChange, LaunchRefused,
    OutageMessage, Placed, PriceChanged, RulesMessage, ShareMessage, Submitted,
};
use crate::model::{self, Checkpoint, Offer, Spread, WorkKind};
use crate::state::{
    AllocationRef, Ending, Exit, Handle, InstanceRef, LaunchRefusal, Record, State, WorkRef,
};
use crate::units::{Id, Span, Time};

/// Live things by number and back. Numbers are never given twice.
#[derive(Debug)]
pub(super) struct ExternalIds<T> {
    given: u64,
    numbers: FxHashMap<Handle<T>, u64>,
    handles: FxHashMap<u64, Handle<T>>,
    /// Ended, but still named by what has not been sent.
    ended: Vec<Handle<T>>,
}

impl<T> Default for ExternalIds<T> {
    fn default() -> Self {
        let (numbers, handles) = (FxHashMap::default(), FxHashMap::default());
        Self { given: 0, numbers, handles, ended: Vec::new() }
    }
}

impl<T> ExternalIds<T> {
    fn give(&mut self, handle: Handle<T>) -> u64 {
        let number = self.given;
        self.given += 1;
        self.numbers.insert(handle, number);
        self.handles.insert(number, handle);
        number
    }

    /// The number of something that is alive or ended since the last call.
    pub(super) fn of(&self, handle: Handle<T>) -> u64 {
        self.numbers[&handle]
    }

    /// Whether the live thing has a number.
    fn knows(&self, handle: Handle<T>) -> bool {
        self.numbers.contains_key(&handle)
    }

    /// Handle of the live thing with this number, if there is one.
    pub(super) fn find(&self, number: u64) -> Option<Handle<T>> {
        self.handles.get(&number).copied()
    }

    /// Count of the numbers that were given: all of them are lower.
    pub(super) fn given(&self) -> u64 {
        self.given
    }

    fn end(&mut self, handle: Handle<T>) -> u64 {
        let number = self.numbers[&handle];
        self.handles.remove(&number);
        self.ended.push(handle);
        number
    }

    fn forget_ended(&mut self) {
        for handle in self.ended.drain(..) {
            self.numbers.remove(&handle);
        }
    }
}

/// Events since the last call, as JSON.
#[derive(Debug, Default)]
pub(super) struct EventOutbox {
    /// Events with commas between them.
    unsent: Vec<u8>,
    pub(super) works: ExternalIds<crate::state::LiveWork>,
    pub(super) allocations: ExternalIds<crate::state::Allocation>,
    /// Rows of rules that have been told.
    rules: Vec<bool>,
}

impl EventOutbox {
    /// Events that have not been sent, with commas between.
    pub(super) fn heard(&self) -> &[u8] {
        &self.unsent
    }

    /// Forgets the events, which have been sent.
    pub(super) fn sent(&mut self) {
        self.unsent.clear();
        self.works.forget_ended();
        self.allocations.forget_ended();
    }

    fn push(&mut self, event: &EventMessage) {
        if !self.unsent.is_empty() {
            self.unsent.push(b',');
        }
        serde_json::to_writer(&mut self.unsent, event).expect("an event is plain data");
    }

    /// The price of an offer has changed.
    pub(super) fn price(&mut self, state: &State<'_>, offer: Id<Offer>) {
        self.push(&EventMessage::PriceChanged(PriceChanged {
            at: state.now().micros(),
            offer: state.world().offers[offer].name.clone(),
            price: state.price(offer).dollars_per_hour(),
        }));
    }

    /// Takes in a record, as far as an operator sees it.
    pub(super) fn record(&mut self, state: &State<'_>, record: &Record) {
        let at = state.now().micros();
        let event = match *record {
            Record::Submitted(work) => self.submitted(state, work),
            Record::Placed(allocation) => self.placed(state, allocation),
            Record::Started(allocation) => EventMessage::Started(self.allocated(state, allocation)),
            // Tasks that were placed and lost their place at one moment were never told of.
            Record::Stopped { allocation, .. } if !self.allocations.knows(allocation) => return,
            Record::Stopped { allocation, ending, .. } => {
                let allocated = self.allocated(state, allocation);
                self.allocations.end(allocation);
                match ending {
                    Ending::Done => EventMessage::Done(allocated),
                    Ending::Preempted => EventMessage::Preempted(allocated),
                    Ending::Interrupted | Ending::Hibernated => {
                        EventMessage::Interrupted(allocated)
                    }
                    Ending::Failed => EventMessage::Failed(allocated),
                    Ending::Migrated => EventMessage::Migrated(allocated),
                    Ending::Cancelled => EventMessage::Cancelled(allocated),
                    // The run is over: nobody is asked any more.
                    Ending::RunOver => return,
                }
            }
            Record::Finished(work) => {
                EventMessage::Finished(Ended { at, work: self.works.end(work) })
            }
            Record::Refused { work, .. } => {
                EventMessage::Refused(Ended { at, work: self.works.end(work) })
            }
            Record::Requested(instance) => EventMessage::Requested(rented(state, instance)),
            Record::Ready(instance) => EventMessage::Ready(rented(state, instance)),
            Record::Draining { instance, .. } => EventMessage::Draining(rented(state, instance)),
            Record::AtRisk { instance, .. } => EventMessage::AtRisk(rented(state, instance)),
            Record::Released { instance, exit, .. } => match exit {
                Exit::Returned => EventMessage::Released(rented(state, instance)),
                Exit::Reclaimed | Exit::Stopped | Exit::Expired | Exit::NotLaunched => {
                    EventMessage::Reclaimed(rented(state, instance))
                }
                // The run is over: nobody is asked any more.
                Exit::RunOver => return,
                // It was told when it failed.
                Exit::Failed => return,
            },
            Record::Failed { instance, .. } => EventMessage::Broken(rented(state, instance)),
            Record::Repaired(instance) => EventMessage::Repaired(rented(state, instance)),
            Record::Outage { fault, begins } => {
                let name = state.world().faults[fault].name.clone();
                EventMessage::Outage(OutageMessage { at, name, begins })
            }
            Record::LaunchRefused { offer, why } => {
                EventMessage::LaunchRefused(launch_refused(state, offer, why))
            }
            Record::Devices { instance, devices, breaks, .. } => {
                let InstanceChange { at, instance, offer } = rented(state, instance);
                let change = DeviceChange { at, instance, offer, devices: numbers(devices) };
                match breaks {
                    true => EventMessage::DevicesBroken(change),
                    false => EventMessage::DevicesRepaired(change),
                }
            }
            // That a machine is slow, nobody says: who looks at the progress of its tasks can tell.
            Record::Slowed { .. }
            // It is told of the instance, and of the tasks on it.
            | Record::Restarted { .. }
            // What was in memory is lost, as its own placement makes it.
            | Record::GivenUp { .. }
            // The policy said so itself.
            | Record::Migrates { .. }
            | Record::Unfinished(_)
            | Record::Charged(_)
            | Record::Noted(..) => return,
        };
        self.push(&event);
    }

    fn submitted(&mut self, state: &State<'_>, work: WorkRef) -> EventMessage {
        let live = state.work(work);
        let ask = live.ask;
        self.tell_rules(state, ask.rules);
        EventMessage::Submitted(Box::new(Submitted {
            at: live.arrival.micros(),
            work: self.works.give(work),
            ordinal: live.id.ordinal,
            source: live.id.source,
            machine: live.kind == WorkKind::VirtualMachine,
            tasks: ask.tasks,
            min_tasks: state.min_tasks(work),
            gang: ask.gang,
            cpu: ask.demand.cpu,
            memory: ask.demand.memory,
            gpus: ask.demand.gpus,
            gpu_share: ask.demand.gpu_share,
            exclusive: ask.demand.exclusive,
            estimate: ask.estimate.map(Span::micros),
            deadline: ask.deadline.map(Time::micros),
            priority: ask.priority,
            tenant: state.book().tenants()[ask.tenant].name.clone(),
            rules: ask.rules.row() as u32,
            home: ask.home.map(|home| state.book().homes()[home].name.clone()),
            input: ask.input,
            output: ask.output,
            resumes: ask.resumes,
            checkpoint: ask.checkpoint.map(|checkpoint| {
                let Checkpoint { write, blocking, restore } =
                    state.book().checkpoints()[checkpoint];
                let (write, restore) = (write.micros(), restore.micros());
                CheckpointMessage { write, blocking, restore }
            }),
        }))
    }

    /// Rules are told before the first work that has them.
    fn tell_rules(&mut self, state: &State<'_>, id: Id<model::Rules>) {
        if self.rules.len() <= id.row() {
            self.rules.resize(id.row() + 1, false);
        }
        if std::mem::replace(&mut self.rules[id.row()], true) {
            return;
        }
        let (world, rules) = (state.world(), state.rules(id));
        let name = |offer: Id<Offer>| world.offers[offer].name.clone();
        let allowed = world.offers.ids().filter(|&offer| rules.allows(offer));
        let speed = |offer: Id<Offer>| rules.speed(WorkKind::Job, offer);
        let other =
            |&offer: &Id<Offer>| rules.allows(offer) && speed(offer) != world.type_of(offer).speed;
        let speeds = world.offers.ids().filter(other).map(|offer| (name(offer), speed(offer)));
        let told = EventMessage::Rules(RulesMessage {
            rules: id.row() as u32,
            offers: (!rules.anywhere).then(|| allowed.map(name).collect()),
            spread: spread_name(rules.spread).to_owned(),
            together: Some(rules.together.name().to_owned()).filter(|name| name != "zone"),
            speeds: speeds.collect(),
        });
        self.push(&told);
    }

    fn placed(&mut self, state: &State<'_>, reference: AllocationRef) -> EventMessage {
        let allocation = state.allocation(reference);
        let on = allocation.held.iter().map(|held| ShareMessage {
            instance: Some(state.instance(held.share.instance).ordinal),
            rented: None,
            tasks: held.share.tasks,
            devices: Some(held.share.devices).filter(|&devices| devices != 0).map(numbers),
        });
        EventMessage::Placed(Placed {
            at: state.now().micros(),
            work: self.works.of(allocation.work()),
            on: on.collect(),
            allocation: self.allocations.give(reference),
        })
    }

    fn allocated(&self, state: &State<'_>, allocation: AllocationRef) -> Allocated {
        Allocated {
            at: state.now().micros(),
            allocation: self.allocations.of(allocation),
            work: self.works.of(state.allocation(allocation).work()),
        }
    }
}

fn rented(state: &State<'_>, reference: InstanceRef) -> InstanceChange {
    let instance = state.instance(reference);
    InstanceChange {
        at: state.now().micros(),
        instance: instance.ordinal,
        offer: state.world().offers[instance.offer].name.clone(),
    }
}

/// Numbers of the devices of a bit set.
pub(super) fn numbers(devices: u32) -> Vec<u8> {
    (0..32).filter(|at| devices & (1 << at) != 0).collect()
}

/// A refused launch, as it is told.
pub(super) fn launch_refused(
    state: &State<'_>,
    offer: Id<Offer>,
    why: LaunchRefusal,
) -> LaunchRefused {
    let world = state.world();
    LaunchRefused {
        at: state.now().micros(),
        offer: world.offers[offer].name.clone(),
        quota: match why {
            LaunchRefusal::Quota(row) => Some(world.quotas[row].name.clone()),
            LaunchRefusal::Capacity
            | LaunchRefusal::Price
            | LaunchRefusal::Outage
            | LaunchRefusal::Throttle
            | LaunchRefusal::Budget(_) => None,
        },
        budget: match why {
            LaunchRefusal::Budget(row) => Some(world.budgets[row].name.clone()),
            LaunchRefusal::Quota(_)
            | LaunchRefusal::Capacity
            | LaunchRefusal::Price
            | LaunchRefusal::Outage
            | LaunchRefusal::Throttle => None,
        },
        outage: why == LaunchRefusal::Outage,
    }
}

const fn spread_name(spread: Spread) -> &'static str {
    match spread {
        Spread::None => "none",
        Spread::Instances => "instances",
        Spread::Zones => "zones",
        Spread::EvenZones => "even-zones",
    }
}
