//! Policies put into a scenario that was read: those of a file of their own, and Rust types.

use std::path::PathBuf;

use toml::de::DeTable;
use toml_edit::DocumentMut;

use super::document::ScenarioText;
use super::{RunLimits, Scenario};
use crate::policy::spec::{External, PolicySpec};
use crate::policy::{Policy, PolicyFactory};
use crate::problem::{Problem, Problems, clip};

impl Scenario {
    /// The scenario with the policies of `text`, whose problems name `shown`, in
    /// place of its own of the same names; and the name of the last of them,
    /// which is what the file is about: those before it are what it extends.
    ///
    /// # Errors
    /// Everything wrong with the policies.
    pub fn with_policies(&self, text: &str, shown: &str) -> Result<(Self, String), Problems> {
        let names = names(text, shown)?;
        let Some(last) = names.last().cloned() else {
            let hint = "add `[policy.NAME]` with `preset = \"batch-backfill\"`";
            return Err(Problem::with(shown, "has no policy").hint(hint).into());
        };
        let mut own: DocumentMut = self
            .text
            .parse()
            .map_err(|_| Problem::with(&self.path, "the scenario is not TOML any more"))?;
        let policies = own.get_mut("policy").and_then(|policies| policies.as_table_like_mut());
        if let Some(policies) = policies {
            for name in &names {
                policies.remove(name);
            }
        }
        let own = own.to_string();
        let before = own.matches('\n').count() as u64 + 1;
        let read = self.read_again(&format!("{own}\n{text}"), &[], &[]);
        let read = read.map_err(|problems| {
            let placed = |problem: Problem| match problem.line.checked_sub(before) {
                Some(line) if line > 0 => Problem { path: shown.to_owned(), line, ..problem },
                _ => problem,
            };
            problems.into_iter().map(placed).collect::<Vec<_>>()
        })?;
        let workload = self.workload.clone();
        Ok((Self { workload, ..read }, last))
    }

    /// The scenario after more `key = value` edits of single values, each in place of one of the same
    /// key that it was read with. Its name, `seed` and `limits` stay if no edit sets them, and so do policies
    /// that were added; other changes that were made in code are lost, as it is read anew.
    ///
    /// # Errors
    /// Every problem in the edits, and in what they make of the scenario.
    pub fn edited(&self, edits: &[(String, String)]) -> Result<Self, Problems> {
        let document = &self.document;
        let all = replaced(&document.edits, edits);
        let read = self.read_again(&document.original, &all, edits)?;
        Ok(Self { edits: replaced(&self.edits, edits), ..read })
    }

    /// Reads `text` with `edits` in place of its own; what does not stand in the file stays, unless one of
    /// `new` sets it.
    fn read_again(
        &self,
        text: &str,
        edits: &[(String, String)],
        new: &[(String, String)],
    ) -> Result<Self, Problems> {
        let mut read = Self::parse(text, &self.path, &self.base, edits)?;
        for policy in &self.policies {
            if let Some(factory) = &policy.factory {
                read.put(&policy.name, factory.clone());
            }
        }
        let (own, limits) = (self.limits, read.limits);
        let limits = RunLimits {
            max_events: newer(new, "limits.max_events", own.max_events, limits.max_events),
            max_alive: newer(new, "limits.max_alive", own.max_alive, limits.max_alive),
            max_jobs: newer(new, "limits.max_jobs", own.max_jobs, limits.max_jobs),
            max_simulated: newer(
                new,
                "limits.max_simulated",
                own.max_simulated,
                limits.max_simulated,
            ),
        };
        let seed = newer(new, "seed", self.seed, read.seed);
        Ok(Self { seed, limits, edits: self.edits.clone(), name: self.name.clone(), ..read })
    }

    /// Adds a policy that is a Rust type, or has parts that are rows of your own, in the place of one of the same name; gives its row.
    /// `make` makes it anew for every run. `version` names what it does: change that with it, for
    /// by it kept runs and baselines are known again.
    ///
    /// ```
    /// # use std::path::Path;
    /// # use windtunnel::policy;
    /// # use windtunnel::policy::spec::PolicySpec;
    /// # use windtunnel::scenario::{Scenario, quickstart};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut scenario = Scenario::parse(quickstart(), "quickstart.toml", Path::new(""), &[])?;
    /// let row = scenario.add_policy("mine", "1", || policy::build(&PolicySpec::named("mine")));
    /// assert_eq!(scenario.policies[row].name, "mine");
    /// # Ok(())
    /// # }
    /// ```
    pub fn add_policy(
        &mut self,
        name: &str,
        version: &str,
        make: impl Fn() -> Box<dyn Policy> + Send + Sync + 'static,
    ) -> usize {
        self.put(name, PolicyFactory::new(version, make))
    }

    /// Puts the policy that `factory` makes in the place of the one called `name`, or at the end.
    pub(super) fn put(&mut self, name: &str, factory: PolicyFactory) -> usize {
        let told = format!(
            "policy `{}` is decided by a Rust type, version {}",
            clip(name),
            clip(factory.version())
        );
        let spec = PolicySpec::made_by(name, factory);
        let row = self.policies.iter().position(|policy| policy.name == name);
        let row = row.unwrap_or(self.policies.len());
        if row == self.policies.len() {
            self.policies.push(spec);
        } else {
            let old = std::mem::replace(&mut self.policies[row], spec);
            let programs = |policy: &PolicySpec| -> Vec<PathBuf> {
                policy.external.values().flat_map(External::paths).collect()
            };
            let kept: Vec<PathBuf> = self.policies.iter().flat_map(programs).collect();
            let gone = programs(&old);
            self.inputs.retain(|path| !gone.contains(path) || kept.contains(path));
            self.policy_assumptions.retain(|(of, _)| *of != row);
        }
        self.policy_assumptions.push((row, told));
        self.policy_assumptions.sort();
        row
    }
}

/// The value of `key` that was `read` if one of the edits sets it, else its `own`.
fn newer<T>(edits: &[(String, String)], key: &str, own: T, read: T) -> T {
    if edits.iter().any(|(set, _)| set == key) { read } else { own }
}

/// Edits without those whose keys `new` has, and then `new`.
fn replaced(edits: &[(String, String)], new: &[(String, String)]) -> Vec<(String, String)> {
    let stays = |(key, _): &&(String, String)| !new.iter().any(|(set, _)| set == key);
    edits.iter().filter(stays).chain(new).cloned().collect()
}

/// The names of the policies, in the order of the file, which holds nothing else.
fn names(text: &str, shown: &str) -> Result<Vec<String>, Problems> {
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
    Err(problems.into())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::policy::{backfill, order};
    use crate::scenario::definition;
    use expect_test::{Expect, expect};

    const TEXT: &str = "question = \"?\"\nbaseline = \"p\"\n\
        [workload.synthetic]\ncount = 10\narrivals = { per_hour = 6 }\nclass.a.runtime = \"1 h\"\n\
        [cluster.c]\nnodes = 2\nshape = { vcpus = 4, memory = \"8 GiB\" }\n\
        [policy.p]\npreset = \"batch-fcfs\"\n[policy.q]\nextends = \"p\"\norder = \"largest\"\n";

    fn with(text: &str) -> Result<(Scenario, String), Problems> {
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
        assert!(new.order.is(&order::LARGEST) && new.backfill.is(&backfill::EASY));
        assert_eq!(scenario.policies[scenario.baseline].name, "p");
    }

    /// A Rust type keeps its place, and stays where the file is read again.
    #[test]
    fn a_rust_type_is_a_policy_like_others() {
        let text = format!("{TEXT}[policy.r]\nexternal = [\"Cargo.toml\"]\n");
        let base = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut scenario = Scenario::parse(&text, "a.toml", base, &[]).expect("it is right");
        assert_eq!(scenario.inputs.len(), 1, "the program of r");
        let make = || crate::policy::build(&PolicySpec::named("x"));
        assert_eq!(scenario.add_policy("new", "1", make), 3);
        assert_eq!(scenario.add_policy("r", "a \"b\"", make), 2);
        assert_eq!(scenario.inputs, [""; 0].map(PathBuf::from));
        let told = |scenario: &Scenario| [scenario.assumed(&[2]), scenario.assumed(&[3])].concat();
        let assumed = told(&scenario);
        let ends = ["Rust type, version a \"b\"", "Rust type, version 1"];
        for end in ends {
            assert!(assumed.iter().any(|told| told.ends_with(end)), "{assumed:?}");
        }
        assert_eq!(definition(&scenario, "r"), "[policy.r]\nversion = \"a \\\"b\\\"\"\n");
        let edit = ("cluster.c.nodes".to_owned(), "3".to_owned());
        let edited = scenario.edited(std::slice::from_ref(&edit)).expect("it is right");
        assert_eq!(edited.policies, scenario.policies);
        assert_eq!((told(&edited), edited.edits), (assumed, vec![edit]));
        let (with, _) = scenario.with_policies("[policy.z]\n", "z.toml").expect("it is right");
        let names: Vec<&str> = with.policies.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["p", "q", "r", "z", "new"]);
        assert_eq!(with.policies[4], scenario.policies[3]);
        assert!(scenario.edited(&[("nonsense".to_owned(), "1".to_owned())]).is_err());
    }

    /// Limits and a seed that were set in code stay, an edit of a key is replaced, and problems tell
    /// the line of the file and the last edit.
    #[test]
    fn an_edited_scenario_keeps_what_stands_in_no_file() {
        let edit = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let edits = [edit("limits.max_jobs", "500"), edit("cluster.c.nodes", "3")];
        let mut scenario = Scenario::parse(TEXT, "a.toml", Path::new(""), &edits).expect("right");
        (scenario.limits.max_events, scenario.limits.max_alive, scenario.seed) = (7, 8, 9);
        let more = [edit("cluster.c.nodes", "4"), edit("limits.max_alive", "80")];
        let edited = scenario.edited(&more).expect("it is right");
        let limits = edited.limits;
        assert_eq!((limits.max_events, limits.max_alive, limits.max_jobs), (7, 80, 500));
        assert_eq!((edited.seed, edited.world.offers.rows()[0].running_at_start), (9, 4));
        assert_eq!(edited.edits, [edits[0].clone(), more[0].clone(), more[1].clone()]);
        let all = [edits[0].clone(), more[0].clone(), more[1].clone()];
        let whole = Scenario::parse(TEXT, "a.toml", Path::new(""), &all).expect("right");
        assert_eq!(edited.text, whole.text);
        let nonsense = [edit("cluster.c.nodes", "many"), edit("seed", "2")];
        let problems = edited.edited(&nonsense).expect_err("no number");
        assert!(problems.to_string().contains("--set cluster.c.nodes=many"), "{problems}");
        assert_eq!(edited.edited(&nonsense[1..]).expect("right").seed, 2);
        // Limits stay with policies of another file too.
        let (with, _) = edited.with_policies("[policy.z]\n", "z.toml").expect("it is right");
        assert_eq!((with.limits, with.edits.len()), (edited.limits, 3));
        let again = with.edited(&[edit("cluster.c.nodes", "5")]).expect("it is right");
        assert_eq!((again.limits, again.policies.len()), (edited.limits, with.policies.len()));
        assert_eq!(again.world.offers.rows()[0].running_at_start, 5);
    }

    #[track_caller]
    fn check(text: &str, want: Expect) {
        let problems = with(text).err().into_iter().flatten();
        want.assert_eq(&problems.map(|problem| format!("{problem}\n")).collect::<String>());
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
