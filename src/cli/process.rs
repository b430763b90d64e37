//! Policies in processes: started, asked under a deadline and limits, and gone
//! with everything that they started, however windtunnel ends.

use std::collections::{BTreeSet, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::guardian;
use windtunnel::halt;
use windtunnel::policy::external::{BrokenConversation, Conversation, Launcher};
use windtunnel::policy::spec::External;

/// Environment variables that a process inherits.
const ENVIRONMENT: [&str; 3] = ["PATH", "HOME", "SYSTEMROOT"];

/// Bytes of standard error that are kept: the last ones.
const MOST_WORDS: usize = 8 << 10;

/// Lines of standard error that are shown: the last ones.
const MOST_LINES: usize = 30;

/// Time for a process to end by itself when its standard input is closed.
const GRACE: Duration = Duration::from_secs(1);

/// Time for the last words of a process that is going to come through.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// Groups of processes that are alive, by the id of the first process of each.
static ALIVE: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// Ends all processes at once, for an interrupt. Whoever waits for an answer
/// gets none.
pub(super) fn end_all() {
    for &group in &*lock(&ALIVE) {
        kill_group(group);
    }
}

/// Starts policies as child processes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Processes;

impl Launcher for Processes {
    fn launch(
        &self,
        who: &External,
        _part: &str,
    ) -> Result<Box<dyn Conversation>, BrokenConversation> {
        Ok(Box::new(Process::start(who)?))
    }
}

/// Message from the threads that read and write for a process.
enum Heard {
    /// A line, without its end.
    Line(String),
    /// A line that is too long.
    TooLong,
    /// A line that is no text.
    NotText,
    /// No more lines; what there was of one.
    Closed(String),
    /// The process takes no more lines.
    Deaf,
}

/// A running process.
#[derive(Debug)]
struct Process {
    child: Child,
    deadline: Duration,
    max_answer: u64,
    /// Lines for the thread that writes; `None` when it is to end.
    lines: Option<Sender<Vec<u8>>>,
    heard: Receiver<Heard>,
    words: Arc<Mutex<Words>>,
    /// Disconnected when standard error has ended.
    words_end: Receiver<()>,
    /// Whether the process takes no more lines.
    deaf: bool,
    /// Exit status, once it has ended.
    ended: Option<ExitStatus>,
}

/// The end of what was written to standard error.
#[derive(Debug, Default)]
struct Words {
    last: VecDeque<u8>,
    dropped: u64,
}

impl Process {
    fn start(who: &External) -> Result<Self, BrokenConversation> {
        let mut command = Command::new(program(who));
        command
            .args(&who.command[1..])
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for name in ENVIRONMENT {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        // Sets of Python have an order of their own in every process otherwise.
        command.env("PYTHONHASHSEED", "0");
        if !who.folder.as_os_str().is_empty() {
            command.current_dir(&who.folder);
        }
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        // The lock keeps an interrupt from missing a process that just started.
        let mut alive = lock(&ALIVE);
        if halt::asked() {
            return Err(BrokenConversation::new(
                "is not started any more",
                "the command is to end",
            ));
        }
        let mut child = command.spawn().map_err(|error| {
            BrokenConversation::new(
                format!("cannot be started: {error}"),
                "a program is looked for in PATH, or from the scenario's folder if it has a `/`",
            )
        })?;
        alive.insert(child.id());
        guardian::notify(child.id(), true);
        drop(alive);
        let (lines, to_write) = channel();
        let (tell, heard) = sync_channel(4);
        let (words_go_on, words_end) = channel();
        let words = Arc::new(Mutex::new(Words::default()));
        let max_answer = who.max_answer;
        if let Some(stdin) = child.stdin.take() {
            let tell = tell.clone();
            thread::spawn(move || write_lines(stdin, &to_write, &tell));
        }
        if let Some(stdout) = child.stdout.take() {
            thread::spawn(move || read_lines(stdout, max_answer, &tell));
        }
        if let Some(stderr) = child.stderr.take() {
            let words = Arc::clone(&words);
            thread::spawn(move || {
                read_words(stderr, &words);
                drop(words_go_on);
            });
        }
        let deadline = Duration::from_micros(who.deadline.micros().unsigned_abs());
        let lines = Some(lines);
        let (deaf, ended) = (false, None);
        Ok(Self { child, deadline, max_answer, lines, heard, words, words_end, deaf, ended })
    }

    /// The next message of the process, within the deadline.
    fn receive(&mut self) -> Result<Heard, RecvTimeoutError> {
        if !self.deaf {
            match self.heard.recv_timeout(self.deadline) {
                Ok(Heard::Deaf) => self.deaf = true,
                heard => return heard,
            }
        }
        // The last words of the process or its ending tell more, if they are to come.
        self.heard.recv_timeout(LAST_WORDS).or(Ok(Heard::Deaf))
    }

    /// Ends the process and all that it started in its group.
    fn end(&mut self) {
        if self.ended.is_some() {
            return;
        }
        self.lines = None;
        let group = self.child.id();
        let mut alive = lock(&ALIVE);
        // Before the process is waited for: until then nobody else gets its id.
        kill_group(group);
        guardian::notify(group, false);
        alive.remove(&group);
        drop(alive);
        // The process may have left the group; an error means that it is gone.
        let _ = self.child.kill();
        self.ended = self.child.wait().ok();
    }

    /// Whether the process has ended, or does so in a moment, without our doing. It is not
    /// waited for, so that its id stays its own.
    #[cfg(target_os = "linux")]
    fn is_over(&self) -> bool {
        use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
        let Ok(id) = i32::try_from(self.child.id()) else { return false };
        let until = Instant::now() + LAST_WORDS;
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT | WaitPidFlag::WNOHANG;
        loop {
            match waitid(Id::Pid(nix::unistd::Pid::from_raw(id)), flags) {
                Ok(WaitStatus::StillAlive) if Instant::now() < until => {
                    thread::sleep(Duration::from_millis(5));
                }
                Ok(WaitStatus::StillAlive) | Err(_) => return false,
                Ok(_) => return true,
            }
        }
    }

    /// Elsewhere that cannot be told without waiting for it.
    #[cfg(not(target_os = "linux"))]
    fn is_over(&self) -> bool {
        false
    }

    /// Ends what gives no answers, and says how it went.
    fn gone(&mut self, what: &str) -> BrokenConversation {
        let by_itself = self.is_over();
        self.end();
        let code = self.ended.and_then(|status| status.code());
        let what = match code {
            Some(0) => "ended without answering".to_owned(),
            Some(code) => format!("ended with status {code} without answering"),
            None => match self.ended.and_then(signal) {
                Some(signal) if by_itself || signal != KILL => {
                    format!("was ended by {} without answering", named(signal))
                }
                _ => what.to_owned(),
            },
        };
        BrokenConversation::new(
            what,
            "it reads lines and answers each until its standard input ends",
        )
    }
}

impl Conversation for Process {
    fn exchange(&mut self, line: &str) -> Result<String, BrokenConversation> {
        let bytes = [line.as_bytes(), b"\n"].concat();
        // A thread that writes no more has said why.
        let _ = self.lines.as_ref().map(|lines| lines.send(bytes));
        match self.receive() {
            Ok(Heard::Line(line)) => Ok(line),
            Ok(Heard::Closed(part)) if !part.is_empty() => {
                self.end();
                let what = format!(
                    "ended in the middle of a line: `{}`",
                    windtunnel::problem::clip(&part)
                );
                Err(BrokenConversation::new(what, "end each answer by a line feed, and flush it"))
            }
            Ok(Heard::Closed(_)) | Err(RecvTimeoutError::Disconnected) => {
                Err(self.gone("closed its standard output"))
            }
            Ok(Heard::Deaf) => Err(self.gone("closed its standard input")),
            Ok(Heard::TooLong) => {
                self.end();
                let what = format!("answers more than {} bytes in a line", self.max_answer);
                Err(BrokenConversation::new(what, "`max_answer` of the scenario sets the limit"))
            }
            Ok(Heard::NotText) => {
                self.end();
                Err(BrokenConversation::new("answers bytes that are not UTF-8", "answers are JSON"))
            }
            Err(RecvTimeoutError::Timeout) => {
                self.end();
                let what = format!("did not answer within {} s", self.deadline.as_secs_f64());
                let hint = "end each answer by a line feed and flush it; `deadline` of the \
                            scenario sets the time";
                Err(BrokenConversation::new(what, hint))
            }
        }
    }

    fn last_words(&mut self) -> String {
        self.end();
        // A process that left the group may hold the pipe open for ever.
        let _ = self.words_end.recv_timeout(LAST_WORDS);
        lock(&self.words).text()
    }
}

impl Drop for Process {
    /// Lets it end by itself, and then ends it and all that it started.
    fn drop(&mut self) {
        self.lines = None;
        let until = Instant::now() + GRACE;
        while self.ended.is_none() && !thread::panicking() {
            let left = until.saturating_duration_since(Instant::now());
            match self.heard.recv_timeout(left) {
                Ok(Heard::Line(_) | Heard::TooLong | Heard::NotText | Heard::Deaf) => {}
                Ok(Heard::Closed(_)) | Err(_) => break,
            }
        }
        self.end();
    }
}

impl Words {
    fn add(&mut self, bytes: &[u8]) {
        self.last.extend(bytes);
        let over = self.last.len().saturating_sub(MOST_WORDS);
        self.last.drain(..over);
        self.dropped += over as u64;
    }

    /// The last lines.
    fn text(&self) -> String {
        let bytes: Vec<u8> = self.last.iter().copied().collect();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        let shown = &lines[lines.len().saturating_sub(MOST_LINES)..];
        let all = self.dropped == 0 && shown.len() == lines.len();
        let head = if all { "" } else { "(and more before)\n" };
        format!("{head}{}", shown.join("\n"))
    }
}

/// The program; a relative path starts from the scenario's folder.
fn program(who: &External) -> PathBuf {
    let name = Path::new(&who.command[0]);
    if name.is_absolute() || name.components().count() < 2 && !who.command[0].contains('/') {
        return name.to_owned();
    }
    let path = who.folder.join(name);
    // The process starts in another folder.
    std::path::absolute(&path).unwrap_or(path)
}

fn write_lines(mut to: ChildStdin, lines: &Receiver<Vec<u8>>, tell: &SyncSender<Heard>) {
    for line in lines {
        if to.write_all(&line).and_then(|()| to.flush()).is_err() {
            // Nobody listens when the process is being ended.
            let _ = tell.send(Heard::Deaf);
            return;
        }
    }
}

fn read_lines(from: ChildStdout, most: u64, tell: &SyncSender<Heard>) {
    let mut from = BufReader::new(from);
    loop {
        let mut line = Vec::new();
        let read = from.by_ref().take(most + 1).read_until(b'\n', &mut line);
        let whole = line.last() == Some(&b'\n');
        if whole {
            line.pop();
        }
        let over = line.len() as u64 > most;
        let heard = match String::from_utf8(line) {
            _ if over => Heard::TooLong,
            Ok(line) if whole && read.is_ok() => Heard::Line(line),
            Err(_) if whole => Heard::NotText,
            part => Heard::Closed(part.unwrap_or_default()),
        };
        let last = !matches!(heard, Heard::Line(_));
        if tell.send(heard).is_err() || last {
            return;
        }
    }
}

fn read_words(mut from: ChildStderr, words: &Mutex<Words>) {
    let mut buffer = [0; 4 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        lock(words).add(&buffer[..count]);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The signal that cannot be caught.
const KILL: i32 = 9;

#[cfg(unix)]
pub(super) fn kill_group(group: u32) {
    use nix::sys::signal::{Signal, killpg};
    use nix::unistd::Pid;
    if let Ok(group) = i32::try_from(group) {
        // An error means that nobody is left.
        let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
    }
}

/// Elsewhere the process alone is ended.
#[cfg(not(unix))]
pub(super) fn kill_group(_group: u32) {}

/// A signal as people know it, such as `signal 9 (SIGKILL)`.
fn named(signal: i32) -> String {
    #[cfg(unix)]
    if let Ok(known) = nix::sys::signal::Signal::try_from(signal) {
        return format!("signal {signal} ({known})");
    }
    format!("signal {signal}")
}

#[cfg(unix)]
fn signal(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
fn signal(_status: ExitStatus) -> Option<i32> {
    None
}
