//! Work that was there before a window of a trace begins.

use crate::model::{Work, WorkKind};
use crate::units::{Span, Time};

/// Kind of earlier work that is there when a window begins, if it has not ended by then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Alive {
    /// No earlier work.
    #[default]
    Nothing,
    /// Virtual machines.
    Machines,
    /// Virtual machines and jobs.
    All,
}

impl Alive {
    /// Whether work of this kind may have come before.
    pub(super) fn admits(self, kind: WorkKind) -> bool {
        match self {
            Self::Nothing => false,
            Self::Machines => kind == WorkKind::VirtualMachine,
            Self::All => true,
        }
    }
}

/// Leaves of `work`, as if it had run since it arrived, what is to be done from
/// `from` on; `false` where nothing is.
pub(super) fn cut(work: &mut Work, from: Time) -> bool {
    let since = from - work.arrival;
    let left = |whole: Option<Span>| whole.map(|whole| (whole - since).max(Span::ZERO));
    if left(work.body.length()) == Some(Span::ZERO) {
        return false;
    }
    *work.body.length_mut() = left(work.body.length());
    work.ask.estimate = left(work.ask.estimate);
    work.arrival = from;
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_kept() {
        let mut work = Work { arrival: Time::from_secs(10), ..Work::default() };
        *work.body.length_mut() = Some(Span::from_secs(100));
        work.ask.estimate = Some(Span::from_secs(50));
        assert!(!cut(&mut work.clone(), Time::from_secs(110)));
        assert!(cut(&mut work, Time::from_secs(90)));
        let left = (work.arrival, work.body.length(), work.ask.estimate);
        // Twenty seconds are left; the estimate is used up.
        assert_eq!(left, (Time::from_secs(90), Some(Span::from_secs(20)), Some(Span::ZERO)));
        *work.body.length_mut() = None;
        assert!(cut(&mut work, Time::from_secs(95)));
        assert_eq!(work.body.length(), None);
    }
}
