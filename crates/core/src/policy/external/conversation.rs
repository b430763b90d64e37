//! Conversation of lines with a policy. The core knows no processes: a launcher is handed in, by
//! the command line or by a test.

use std::fmt;

use crate::policy::spec::External;

/// Starts policies outside the core, such as those in other processes.
pub trait Launcher: Sync {
    /// Starts `who`, which is to serve `part` (`policy` for all of it).
    ///
    /// # Errors
    /// It cannot be started.
    fn launch(
        &self,
        who: &External,
        part: &str,
    ) -> Result<Box<dyn Conversation>, BrokenConversation>;
}

/// Lines to and fro. Dropping it ends the other side.
pub trait Conversation: fmt::Debug {
    /// Sends `line`, which has no end of line in it, and waits for the answer.
    ///
    /// # Errors
    /// There is no answer, and there will be none.
    fn exchange(&mut self, line: &str) -> Result<String, BrokenConversation>;

    /// Output of the other side apart from its answers, for an error.
    fn last_words(&mut self) -> String {
        String::new()
    }
}

/// Reason why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenConversation {
    /// Description of what happened, to be read after the name of the policy.
    pub what: String,
    /// Advice on it.
    pub hint: String,
}

impl BrokenConversation {
    /// A reason in words, with a hint.
    pub fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { what: what.into(), hint: hint.into() }
    }
}

/// Starts nothing: for programs whose policies are all their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoLauncher;

impl Launcher for NoLauncher {
    fn launch(
        &self,
        _who: &External,
        _part: &str,
    ) -> Result<Box<dyn Conversation>, BrokenConversation> {
        Err(BrokenConversation::new(
            "cannot be started: this program starts no processes",
            "pass a launcher to `policy::build_with`",
        ))
    }
}
