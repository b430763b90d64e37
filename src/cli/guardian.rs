//! The guardian: a process that ends the policies of a windtunnel that was
//! killed so hard that it could not. It reads which groups of processes there are,
//! and when nobody writes to it any more it ends those that are left.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use super::process::kill_group;

/// The hidden command that is a guardian.
pub(super) const NAME: &str = "guard-policies";

/// The guardian of this process, from its first policy on.
#[derive(Debug)]
enum Guardian {
    NotYet,
    There(Child),
    /// No guardian: it could not be started, or is gone. Nobody watches then.
    None,
}

static GUARDIAN: Mutex<Guardian> = Mutex::new(Guardian::NotYet);

/// Tells the guardian that there is this group, or that it is gone.
pub(super) fn notify(group: u32, is_there: bool) {
    if !cfg!(unix) {
        return;
    }
    let mut guardian = GUARDIAN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Guardian::NotYet = *guardian {
        *guardian = start().map_or(Guardian::None, Guardian::There);
    }
    let Guardian::There(child) = &mut *guardian else { return };
    let mark = if is_there { '+' } else { '-' };
    let told = child.stdin.as_mut().map(|input| writeln!(input, "{mark}{group}"));
    if !matches!(told, Some(Ok(()))) {
        *guardian = Guardian::None;
    }
}

fn start() -> io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(NAME).env_clear().stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    // Signals of the terminal are for windtunnel.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn()
}

/// Acts as a guardian until nobody writes any more.
pub(super) fn guard() {
    let mut groups = BTreeSet::new();
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        match line.split_at_checked(1) {
            Some(("+", group)) => groups.extend(group.parse::<u32>()),
            Some(("-", group)) => groups.retain(|known| group.parse() != Ok(*known)),
            _ => {}
        }
    }
    for group in groups {
        kill_group(group);
    }
}
