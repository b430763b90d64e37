//! A place part in another process.

use std::collections::VecDeque;

use super::SharedSession;
use super::message::{self, Question};
use crate::model::Spread;
use crate::policy::place;
use crate::policy::turn::Turn;
use crate::state::{InstanceRef, Needs, OfferSet, Refusal, Share, WorkRef};

/// Says where work goes. It is not asked where no instance has room.
#[derive(Debug)]
pub(in crate::policy) struct ExternalPlace {
    session: SharedSession,
    /// Shares of the last answer that are still to be given out.
    rest: VecDeque<message::ShareMessage>,
    /// State for which that answer holds: the work, its waiting tasks, and the mark of changes of
    /// instances. In any other state the answer was to something else.
    expected: Option<(WorkRef, u32, u64)>,
}

impl ExternalPlace {
    pub(in crate::policy) fn new(session: SharedSession) -> Self {
        Self { session, rest: VecDeque::new(), expected: None }
    }

    /// Asks where the waiting tasks of `work` go.
    fn ask(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef, reach: &OfferSet) -> Option<()> {
        self.rest.clear();
        turn.first_fit_in(work, 0, reach)?;
        let session = &mut *self.session.borrow_mut();
        let tasks = turn.work(work).waiting;
        let number = session.outbox.works.of(work);
        let not_on = not_on(turn, work, reach);
        let answer = session.ask(turn, &Question::Place { work: number, tasks, not_on })?;
        let placed: u64 = answer.on.iter().map(|share| u64::from(share.tasks)).sum();
        if placed > u64::from(tasks) {
            let what = format!("places {placed} tasks of work {number}, which has {tasks} waiting");
            session.fail(turn, &what, "the tasks of all shares add up to `tasks` at most");
            return None;
        }
        self.rest.extend(answer.on);
        Some(())
    }
}

impl place::Place for ExternalPlace {
    fn needs(&self) -> Needs {
        Needs { follows: true, ..Needs::default() }
    }

    fn pick(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef, reach: &OfferSet) -> Option<Share> {
        let waiting = turn.work(work).waiting;
        if self.expected != Some((work, waiting, turn.touched_mark())) || self.rest.is_empty() {
            self.ask(turn, work, reach)?;
        }
        let asked = self.rest.pop_front()?;
        let session = &mut *self.session.borrow_mut();
        let Some(number) = asked.instance else {
            session.fail(turn, "places work on no instance", "give each share its `instance`");
            return None;
        };
        let instance = session.instance(turn, number)?;
        if !reach.has(turn.instance(instance).offer) {
            let work = session.outbox.works.of(work);
            let what = format!("places work {work} on instance {number}, where it must not look");
            session.fail(turn, &what, "`not_on` names instances with room that are not to be used");
            return None;
        }
        let chosen = share(turn, (work, waiting), instance, &asked)
            .and_then(|share| turn.would_take(work, share).map(|()| share));
        match chosen {
            Ok(share) => {
                // Adding the share changes one instance.
                self.expected = Some((work, waiting - share.tasks, turn.touched_mark() + 1));
                Some(share)
            }
            Err(refusal) => {
                let what = format!(
                    "does something illegal: work {} on instance {number}: {refusal}",
                    session.outbox.works.of(work)
                );
                session.fail(turn, &what, "answer an empty `on` where nothing fits");
                None
            }
        }
    }
}

/// The share of no more than so many tasks of some work that was asked for, with devices: the
/// fullest that have room where none are named.
pub(super) fn share(
    turn: &Turn<'_, '_>,
    (work, most): (WorkRef, u32),
    instance: InstanceRef,
    asked: &message::ShareMessage,
) -> Result<Share, Refusal> {
    let live = turn.work(work);
    if asked.tasks == 0 || asked.tasks > most {
        return Err(Refusal::TaskCount);
    }
    let devices = match &asked.devices {
        None => turn
            .instance(instance)
            .tightest_devices(live.ask.demand, asked.tasks)
            .ok_or(Refusal::NoRoom)?,
        Some(named) => named.iter().try_fold(0_u32, |devices, &device| {
            let bit = 1_u32.checked_shl(u32::from(device)).filter(|bit| devices & bit == 0);
            bit.map(|bit| devices | bit).ok_or(Refusal::Devices)
        })?,
    };
    Ok(Share { instance, tasks: asked.tasks, devices })
}

/// Ordinals of instances with room that the spread of the work's tasks forbids, or
/// that are not looked at.
fn not_on(turn: &Turn<'_, '_>, work: WorkRef, reach: &OfferSet) -> Vec<u32> {
    let ask = &turn.work(work).ask;
    let rules = turn.rules(ask.rules);
    if rules.spread == Spread::None && reach.is_all() {
        return Vec::new();
    }
    let forbidden = turn.instances().filter(|&(reference, instance)| {
        rules.allows(instance.offer)
            && instance.room(ask.demand) > 0
            && (!reach.has(instance.offer) || !turn.accepts(work, reference))
    });
    let mut ordinals: Vec<u32> = forbidden.map(|(_, instance)| instance.ordinal).collect();
    ordinals.sort_unstable();
    ordinals
}
