//! Work made in code as a source.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use super::Source;
use crate::model::{Interner, Work, WorkId};
use crate::problem::Problem;
use crate::units::Span;

/// A list, a slice or any iterator of [`Work`] in order of arrival, as a [`Source`].
///
/// Each piece needs an id of its own, which its random draws and its records go by; the first that was
/// there before ends the run with a problem. Runs of consecutive ids take no memory. Tenants, classes,
/// homes, rules and checkpoints that the work refers to are those of an [`Interner`] that [`WorkList::named`] takes;
/// without one they are the defaults.
#[derive(Clone, Debug)]
pub struct WorkList<I> {
    works: I,
    names: Interner,
    seen: SeenIds,
}

impl<I> WorkList<I> {
    /// The work of `works`, which must come in order of arrival.
    pub fn new<L: IntoIterator<IntoIter = I>>(works: L) -> Self {
        Self { works: works.into_iter(), names: Interner::default(), seen: SeenIds::default() }
    }

    /// The same with the names that the ids in the work stand for.
    #[must_use]
    pub fn named(mut self, names: Interner) -> Self {
        self.names = names;
        self
    }
}

/// Ids that were there before: the first and the last ordinal of each run of consecutive ones.
#[derive(Clone, Debug, Default)]
struct SeenIds {
    runs: BTreeMap<WorkId, u64>,
}

impl SeenIds {
    /// Notes `id`, and tells whether it was noted before.
    fn again(&mut self, id: WorkId) -> bool {
        let before = self.runs.range_mut(..=id).next_back();
        let before = before.filter(|(first, _)| first.source == id.source);
        let (first, own) = match before {
            Some((_, last)) if *last >= id.ordinal => return true,
            Some((first, last)) if *last + 1 == id.ordinal => (*first, Some(last)),
            Some(_) | None => (id, None),
        };
        let after = id.ordinal.checked_add(1).map(|ordinal| WorkId { ordinal, ..id });
        match own {
            Some(last) => *last = id.ordinal,
            None => drop(self.runs.insert(id, id.ordinal)),
        }
        if let Some(last) = after.and_then(|after| self.runs.remove(&after)) {
            self.runs.insert(first, last);
        }
        false
    }
}

impl<W: Borrow<Work>, I: Iterator<Item = W>> Source for WorkList<I> {
    fn next(&mut self, book: &mut Interner, work: &mut Work) -> Result<bool, Problem> {
        let Some(next) = self.works.next() else { return Ok(false) };
        work.clone_from(next.borrow());
        if self.seen.again(work.id) {
            let WorkId { source, ordinal } = work.id;
            let message = format!("two pieces of work have the id {ordinal} of source {source}");
            let hint = "give each its own ordinal, as the first argument of `Work::job`";
            return Err(Problem::with("workload", message).hint(hint));
        }
        let wrong =
            |what: &str| Problem::with("workload", format!("work `{}` {what}", work.label()));
        if work.ask.tasks == 0 {
            return Err(wrong("has no task").hint("`ask.tasks` is at least one"));
        }
        if work.body.length().is_some_and(|length| length < Span::ZERO) {
            return Err(wrong("runs for less than no time").hint("a length of zero or more"));
        }
        let lacks = |what: &str| {
            let message = format!("work of a list has a {what} that its names lack");
            Problem::with("workload", message).hint("give the names to `WorkList::named`")
        };
        let (names, ask) = (&self.names, &mut work.ask);
        // Row 0 is the default in every book; other rows may lie elsewhere in this one.
        if ask.tenant.row() > 0 {
            let known = names.tenants().rows().get(ask.tenant.row());
            ask.tenant = book.tenant(&known.ok_or_else(|| lacks("tenant"))?.name);
        }
        if ask.class > 0 {
            let known = names.classes().rows().get(usize::from(ask.class));
            ask.class = book.class(&known.ok_or_else(|| lacks("class"))?.name);
        }
        if ask.rules.row() > 0 {
            let known = names.all_rules().rows().get(ask.rules.row());
            ask.rules = book.rules(known.ok_or_else(|| lacks("set of rules"))?);
        }
        if let Some(home) = ask.home {
            let known = names.homes().rows().get(home.row());
            ask.home = Some(book.home(&known.ok_or_else(|| lacks("home"))?.name));
        }
        if let Some(checkpoint) = ask.checkpoint {
            let known = names.checkpoints().rows().get(checkpoint.row());
            ask.checkpoint = Some(book.checkpoint(*known.ok_or_else(|| lacks("checkpoint"))?));
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Rules;
    use crate::units::{Demand, Span, Time};

    #[test]
    fn names_of_a_list_become_those_of_the_run() {
        let mut names = Interner::default();
        let one = names.rules(&Rules { jurisdictions: vec!["EU".to_owned()], ..Rules::default() });
        let (red, blue) = (names.tenant("red"), names.tenant("blue"));
        let (class, home) = (names.class("batch"), names.home("dc"));
        let job = |ordinal| Work::job(ordinal, Time::ZERO, Demand::default(), Span::HOUR);
        let mut works = vec![job(0), job(1), job(2)];
        (works[0].ask.tenant, works[0].ask.rules, works[0].ask.home) = (blue, one, Some(home));
        (works[2].ask.tenant, works[2].ask.class) = (red, class);
        // The run has met others before.
        let mut book = Interner::default();
        book.tenant("green");
        book.class("service");
        book.home("aws/us-east-1");
        let (mut list, mut work) = (WorkList::new(&works).named(names), Work::default());
        let mut told = Vec::new();
        while list.next(&mut book, &mut work).expect("a list is readable") {
            let tenant = book.tenants()[work.ask.tenant].name.clone();
            let class = book.classes().rows()[usize::from(work.ask.class)].name.clone();
            let home = work.ask.home.map(|home| book.homes()[home].name.clone());
            let laws = book.all_rules()[work.ask.rules].jurisdictions.len();
            told.push((work.id.ordinal, tenant, class, home.unwrap_or_default(), laws));
        }
        let row = |ordinal, tenant: &str, class: &str, home: &str, laws| {
            (ordinal, tenant.to_owned(), class.to_owned(), home.to_owned(), laws)
        };
        let expected = [
            row(0, "blue", "", "dc", 1),
            row(1, "default", "", "", 0),
            row(2, "red", "batch", "", 0),
        ];
        assert_eq!(told, expected);
        // Without the names, a problem tells so.
        let problem = WorkList::new(&works).next(&mut book, &mut work).expect_err("no names");
        assert!(problem.to_string().contains("a tenant that its names lack"), "{problem}");
    }

    #[test]
    fn work_without_tasks_or_of_negative_length_is_a_problem() {
        let job = Work::job(0, Time::ZERO, Demand::default(), Span::HOUR);
        let mut none = job.clone();
        none.ask.tasks = 0;
        let early = Work::job(0, Time::ZERO, Demand::default(), Span::ZERO - Span::HOUR);
        let read =
            |work: Work| WorkList::new([work]).next(&mut Interner::default(), &mut Work::default());
        assert_eq!(read(job), Ok(true));
        for (work, what) in [(none, "has no task"), (early, "runs for less than no time")] {
            let problem = read(work).expect_err(what);
            assert!(problem.message.contains(what), "{problem}");
        }
    }

    #[test]
    fn an_id_that_was_there_before_is_a_problem() {
        let work = |(source, ordinal)| {
            let job = Work::job(ordinal, Time::ZERO, Demand::default(), Span::HOUR);
            Work { id: WorkId { source, ordinal }, ..job }
        };
        let first_twice = |ids: &[(u32, u64)]| {
            let (mut list, mut book) =
                (WorkList::new(ids.iter().copied().map(work)), Interner::default());
            let read = |_: &usize| list.next(&mut book, &mut Work::default()).is_err();
            (0..ids.len()).find(read)
        };
        let far = u64::MAX;
        assert_eq!(first_twice(&[(0, 0), (0, 1), (0, 2), (1, 0), (0, far), (0, far - 1)]), None);
        assert_eq!(first_twice(&[(0, 5), (0, 3), (0, 4), (0, 1), (0, 4)]), Some(4));
        assert_eq!(first_twice(&[(0, 5), (0, 3), (0, 4), (0, 6), (0, 5)]), Some(4));
        assert_eq!(first_twice(&[(0, far), (1, 0), (0, far)]), Some(2));
        let mut seen = SeenIds::default();
        for ordinal in (0..1_000).rev().chain(1_000..2_000) {
            assert!(!seen.again(WorkId { source: 3, ordinal }));
        }
        assert_eq!(seen.runs.len(), 1);
        let twice = [work((0, 7)), work((0, 7))];
        let (mut list, mut book) = (WorkList::new(&twice), Interner::default());
        let mut filled = Work::default();
        assert!(list.next(&mut book, &mut filled).expect("the first"));
        let problem = list.next(&mut book, &mut filled).expect_err("the same id");
        assert!(problem.to_string().contains("two pieces of work have the id 7 of source 0"));
    }
}
