//! Policies in a file of their own, put into a scenario.

use std::path::Path;

use toml::de::DeTable;
use toml_edit::DocumentMut;

use super::Scenario;
use super::document::ScenarioText;
use crate::problem::{Problem, clip};

impl Scenario {
    /// The scenario with the policies of `text`, whose problems name `shown`, in
    /// place of its own of the same names; and the name of the last of them,
    /// which is what the file is about: those before it are what it extends.
    ///
    /// # Errors
    /// Everything wrong with the policies.
    pub fn with_policies(&self, text: &str, shown: &str) -> Result<(Self, String), Vec<Problem>> {
        let names = names(text, shown)?;
        let Some(last) = names.last().cloned() else {
            let hint = "add `[policy.NAME]` with `preset = \"batch-backfill\"`";
            return Err(vec![Problem::with(shown, "has no policy").hint(hint)]);
        };
        let mut own: DocumentMut = self
            .text
            .parse()
            .map_err(|_| vec![Problem::with(&self.path, "the scenario is not TOML any more")])?;
        let policies = own.get_mut("policy").and_then(|policies| policies.as_table_like_mut());
        if let Some(policies) = policies {
            for name in &names {
                policies.remove(name);
            }
        }
        let own = own.to_string();
        let before = own.matches('\n').count() as u64 + 1;
        let base = Path::new(&self.path).parent().unwrap_or(Path::new(""));
        let read = Self::parse(&format!("{own}\n{text}"), &self.path, base, &[]);
        let read = read.map_err(|problems| {
            let placed = |problem: Problem| match problem.line.checked_sub(before) {
                Some(line) if line > 0 => Problem { path: shown.to_owned(), line, ..problem },
                _ => problem,
            };
            problems.into_iter().map(placed).collect::<Vec<_>>()
        })?;
        let (seed, workload, name) = (self.seed, self.workload.clone(), self.name.clone());
        let edits = self.edits.clone();
        Ok((Self { seed, workload, name, edits, ..read }, last))
    }
}

/// The names of the policies, in the order of the file, which holds nothing else.
fn names(text: &str, shown: &str) -> Result<Vec<String>, Vec<Problem>> {
    let document = ScenarioText::new(text, shown);
    let (root, errors) = DeTable::parse_recoverable(text);
    let mut problems: Vec<Problem> = errors
        .iter()
        .map(|error| {
            let message = error.message().lines().collect::<Vec<_>>().join(", ");
            document.problem(&error.span().unwrap_or(0..0), message)
        })
        .collect();
    let mut names = Vec::new();
    for (key, value) in root.get_ref() {
        match value.get_ref().as_table().filter(|_| key.get_ref() == "policy") {
            Some(policies) => {
                let named =
                    policies.keys().map(|name| (name.span().start, name.get_ref().to_string()));
                names.extend(named);
            }
            None => {
                let message = format!("`{}` is no policy", clip(key.get_ref()));
                let hint = "a file of policies holds `[policy.NAME]` tables only";
                problems.push(document.problem(&key.span(), message).hint(hint));
            }
        }
    }
    names.sort();
    if problems.is_empty() {
        return Ok(names.into_iter().map(|(_, name)| name).collect());
    }
    problems.sort_by_key(|problem| (problem.line, problem.column));
    Err(problems)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::spec::{BackfillSpec, OrderSpec};
    use expect_test::{Expect, expect};

    const TEXT: &str = "question = \"?\"\nbaseline = \"p\"\n\
        [workload.synthetic]\ncount = 10\narrivals = { per_hour = 6 }\nclass.a.runtime = \"1 h\"\n\
        [cluster.c]\nnodes = 2\nshape = { vcpus = 4, memory = \"8 GiB\" }\n\
        [policy.p]\npreset = \"batch-fcfs\"\n[policy.q]\nextends = \"p\"\norder = \"largest\"\n";

    fn with(text: &str) -> Result<(Scenario, String), Vec<Problem>> {
        let mut scenario =
            Scenario::parse(TEXT, "a.toml", Path::new(""), &[]).expect("it is right");
        scenario.seed = 77;
        scenario.with_policies(text, "mine.toml")
    }

    #[test]
    fn policies_are_added_and_replaced() {
        let (scenario, last) =
            with("[policy.p]\npreset = \"batch-backfill\"\n[policy.new]\nextends = \"q\"\n")
                .expect("they are right");
        assert_eq!((last.as_str(), scenario.seed), ("new", 77));
        let names: Vec<&str> = scenario.policies.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["q", "p", "new"]);
        let new = &scenario.policies[2];
        assert_eq!((new.order, new.backfill), (OrderSpec::Largest, BackfillSpec::Easy));
        assert_eq!(scenario.policies[scenario.baseline].name, "p");
    }

    #[track_caller]
    fn check(text: &str, want: Expect) {
        let problems = with(text).err().unwrap_or_default();
        want.assert_eq(&problems.iter().map(|problem| format!("{problem}\n")).collect::<String>());
    }

    #[test]
    fn problems_point_into_the_file_of_the_policies() {
        check(
            "",
            expect![[r#"
            mine.toml: has no policy
              hint: add `[policy.NAME]` with `preset = "batch-backfill"`
        "#]],
        );
        check(
            "[policy.x]\norder = \"lagest\"\n[policy.y]\nextends = \"nobody\"\n",
            expect![[r#"
                mine.toml:2:9: `order` must be `"fcfs"`, `"shortest"`, `"smallest"`, `"largest"`, `"earliest-deadline"`, `"priority"`, `"wfp3"`, `"unicep"` or `"f1"`, found `"lagest"`
                  hint: did you mean `"largest"`?
                mine.toml:4:11: there is no policy called `nobody`
                  hint: there is: p, q, x, y
            "#]],
        );
        check(
            "seed = 1\n[policy.x]\n[cluster.d]\nnodes = 1\n",
            expect![[r#"
            mine.toml:1:1: `seed` is no policy
              hint: a file of policies holds `[policy.NAME]` tables only
            mine.toml:3:2: `cluster` is no policy
              hint: a file of policies holds `[policy.NAME]` tables only
        "#]],
        );
        check(
            "[policy.x]\norder = = 1\n",
            expect![[r#"
            mine.toml:2:9: extra `=`, expected nothing
            mine.toml:2:11: unexpected key or value, expected newline, `#`
        "#]],
        );
    }
}
