//! Lines of a file that nobody vouches for, within limits.

use std::io;
use std::path::Path;

use memchr::memchr;

use crate::input::{self, Input};
use crate::problem::Problem;

/// Longest row, in bytes.
pub const MAX_ROW: usize = 1 << 20;

const CHUNK: usize = 1 << 16;

/// Lines one after the other, each a slice of one buffer.
pub(super) struct Lines {
    input: Input,
    shown: String,
    buffer: Vec<u8>,
    /// The current line is `buffer[start..stop]`, without its line break; the
    /// next begins at `next`.
    start: usize,
    stop: usize,
    next: usize,
    filled: usize,
    /// Number of the current line, and of the one after it.
    line: u64,
    next_line: u64,
}

impl Lines {
    /// The lines of the file at `path`, `-` for standard input.
    pub(super) fn open(path: &Path, shown: &str) -> Result<Self, Problem> {
        Self::new(input::unfold(path, shown)?, shown)
    }

    /// The lines of `input`, which is called `shown` in messages.
    pub(super) fn new(input: Input, shown: &str) -> Result<Self, Problem> {
        let mut lines = Self {
            input,
            shown: shown.to_owned(),
            buffer: vec![0; CHUNK],
            start: 0,
            stop: 0,
            next: 0,
            filled: 0,
            line: 0,
            next_line: 1,
        };
        while lines.filled < 3 && lines.fill()? {}
        match &lines.buffer[..lines.filled] {
            [0xef, 0xbb, 0xbf, ..] => lines.next = 3,
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
                return Err(Problem::at(shown, 1, 1, "the text is UTF-16")
                    .hint("convert the file to UTF-8"));
            }
            _ => {}
        }
        Ok(lines)
    }

    /// Moves to the next line; `false` at the end.
    pub(super) fn advance(&mut self) -> Result<bool, Problem> {
        self.start = self.next;
        self.line = self.next_line;
        self.find_end()
    }

    /// Lets the current line reach to the end of the one after it (for line
    /// breaks within quotes); `false` where there is none.
    pub(super) fn extend(&mut self) -> Result<bool, Problem> {
        self.find_end()
    }

    /// The current line, without its line break.
    pub(super) fn current(&self) -> &[u8] {
        &self.buffer[self.start..self.stop]
    }

    /// Number of the current line, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Name of the file in messages.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// Sets `stop` to the next line break at or after `next`.
    #[inline]
    fn find_end(&mut self) -> Result<bool, Problem> {
        let mut searched = self.next;
        loop {
            if let Some(found) = memchr(b'\n', &self.buffer[searched..self.filled]) {
                self.end_at(searched + found);
                self.next = searched + found + 1;
                return Ok(true);
            }
            if self.filled - self.start > MAX_ROW {
                let message = format!("the row is longer than {MAX_ROW} bytes");
                return Err(Problem::at(&self.shown, self.line, 0, message)
                    .hint("a quote that is never closed, or not a text file?"));
            }
            let already = self.filled - self.start;
            if !self.fill()? {
                let found = self.next < self.filled;
                self.end_at(self.filled);
                self.next = self.filled;
                return Ok(found);
            }
            searched = self.start + already;
        }
    }

    /// The current line ends before `at`, or before the carriage return there.
    fn end_at(&mut self, at: usize) {
        let returns = at > self.start && self.buffer[at - 1] == b'\r';
        self.stop = at - usize::from(returns);
        self.next_line += 1;
    }

    /// Reads more; `false` at the end of the input.
    fn fill(&mut self) -> Result<bool, Problem> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.filled, 0);
            self.next -= self.start;
            self.filled -= self.start;
            self.start = 0;
        }
        if self.buffer.len() - self.filled < CHUNK / 2 {
            let longer = self.buffer.len() * 2;
            self.buffer.resize(longer, 0);
        }
        loop {
            match self.input.read(&mut self.buffer[self.filled..]) {
                Ok(read) => {
                    self.filled += read;
                    return Ok(read > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    let message = format!("cannot be read on: {error}");
                    return Err(Problem::at(&self.shown, self.next_line, 0, message));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn lines_of(bytes: &[u8]) -> Result<Vec<(u64, String)>, Problem> {
        let mut lines = Lines::new(Box::new(Cursor::new(bytes.to_vec())), "x")?;
        let mut found = Vec::new();
        while lines.advance()? {
            found.push((lines.line(), String::from_utf8_lossy(lines.current()).into_owned()));
        }
        Ok(found)
    }

    #[test]
    fn lines_end_in_any_way() {
        let want = [(1, "a".to_owned()), (2, String::new()), (3, "b".to_owned())];
        for text in ["a\n\nb", "a\r\n\r\nb\r\n", "\u{feff}a\n\nb\n"] {
            assert_eq!(lines_of(text.as_bytes()).expect("text"), want);
        }
        assert_eq!(lines_of(b"").expect("nothing"), []);
        assert!(lines_of(b"\xff\xfea\0").is_err());
    }

    #[test]
    fn long_lines_cross_chunks_up_to_the_limit() {
        let text = format!("{}\n{}\nz", "x".repeat(200_000), "y".repeat(70_000));
        let found = lines_of(text.as_bytes()).expect("under the limit");
        assert_eq!(
            found.iter().map(|(_, line)| line.len()).collect::<Vec<_>>(),
            [200_000, 70_000, 1]
        );
        let error = lines_of(&vec![b'x'; 3 * MAX_ROW]).expect_err("over the limit");
        assert!(error.message.contains("longer than"), "{error}");
    }
}
