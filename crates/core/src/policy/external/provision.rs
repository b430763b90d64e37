//! A provision part in another process.

use super::SharedSession;
use super::message::Question;
use crate::policy::place::share_on;
use crate::policy::provision::{self, Provisioned, Reach};
use crate::policy::turn::Turn;
use crate::state::{InstanceRef, Refusal, WaitReason, WorkRef};
use crate::units::Time;

/// Names what is rented, when the run begins and for work that fits nowhere.
#[derive(Debug)]
pub(in crate::policy) struct ExternalProvision {
    session: SharedSession,
}

impl ExternalProvision {
    pub(in crate::policy) fn new(session: SharedSession) -> Self {
        Self { session }
    }

    /// Asks what to rent for `work` and rents it, as far as launches are
    /// accepted. Also returns when to ask again, and whether one was refused.
    fn rent(
        &mut self,
        turn: &mut Turn<'_, '_>,
        work: Option<WorkRef>,
    ) -> (Vec<InstanceRef>, Option<Time>, bool) {
        let (mut rented, mut refused) = (Vec::new(), false);
        let session = &mut *self.session.borrow_mut();
        let question = Question::Provision {
            work: work.map(|work| session.outbox.works.of(work)),
            tasks: work.map_or(0, |work| turn.work(work).waiting),
        };
        let Some(answer) = session.ask(turn, &question) else { return (rented, None, false) };
        for name in &answer.rent {
            let Some(offer) = session.offer(turn, name) else { break };
            match turn.rent(offer) {
                Ok(instance) => rented.push(instance),
                Err(Refusal::Launch(_)) => refused = true,
                Err(refusal) => {
                    let what = format!("does something illegal: renting `{name}`: {refusal}");
                    session.fail(turn, &what, "rent offers whose market is not `owned`");
                    break;
                }
            }
        }
        (rented, session.later(turn, answer.wake), refused)
    }
}

impl provision::Provision for ExternalProvision {
    fn reach(&self) -> Reach {
        Reach::anything()
    }

    fn begin(&mut self, turn: &mut Turn<'_, '_>) {
        let (_, later, _) = self.rent(turn, None);
        if let Some(at) = later {
            turn.wake(at).expect("a timer can be set for later");
        }
    }

    fn supply(&mut self, turn: &mut Turn<'_, '_>, work: WorkRef) -> Provisioned {
        let (rented, later, refused) = self.rent(turn, Some(work));
        place_on(turn, work, &rented);
        match later {
            _ if turn.work(work).waiting == 0 => Provisioned::Rented,
            Some(at) => Provisioned::Later(at),
            None if refused => Provisioned::None(WaitReason::NothingToRent),
            None => Provisioned::None(WaitReason::NoRoom),
        }
    }
}

/// Places waiting tasks of `work` on `rented`, in order; a gang whole or not at all.
fn place_on(turn: &mut Turn<'_, '_>, work: WorkRef, rented: &[InstanceRef]) {
    let gang = turn.work(work).ask.gang;
    turn.attempt(|turn| {
        let opened = gang.then(|| turn.open(work));
        for &instance in rented {
            while turn.work(work).waiting > 0
                && turn.accepts(work, instance)
                && let Some(share) = share_on(turn, work, instance, true)
            {
                let placed = match opened {
                    Some(opened) => turn.add(opened, share),
                    None => turn.place(work, &[share]),
                };
                placed.expect("what the instance accepts can be placed on it");
            }
        }
        match opened {
            Some(opened) if turn.work(work).waiting > 0 => turn.abandon(opened),
            Some(opened) => turn.commit(opened).expect("a gang is whole"),
            None => {}
        }
        Some(())
    });
}
