//! Lines of a file that nobody vouches for: plain, gzip or zstandard, within limits.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use memchr::memchr;

use super::stdin::{Stdin, is_stdin};
use crate::problem::Problem;

/// Longest row, in bytes.
pub const MAX_ROW: usize = 1 << 20;
/// Most bytes that compressed or standard input may unfold to.
pub const MAX_BYTES: u64 = 16 << 30;
/// Most bytes that a compressed file may unfold to per byte of its own ...
pub const MAX_RATIO: u64 = 200;
/// ... once past this many bytes.
pub const RATIO_FROM: u64 = 64 << 20;

const CHUNK: usize = 1 << 16;

/// Lines one after the other, each a slice of one buffer.
pub(super) struct Lines {
    input: Box<dyn Read + Send>,
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
        let failed = |error: io::Error| Problem::with(shown, format!("cannot be read: {error}"));
        if is_stdin(path) {
            let input = Stdin::open().map_err(failed)?;
            return Self::new(unfold(Box::new(input), None).map_err(failed)?, shown);
        }
        let about = std::fs::metadata(path).map_err(failed)?;
        if !about.is_file() {
            return Err(Problem::with(shown, "is not a regular file"));
        }
        let file = File::open(path).map_err(failed)?;
        Self::new(unfold(Box::new(file), Some(about.len())).map_err(failed)?, shown)
    }

    /// The lines of `input`, which is called `shown` in messages.
    pub(super) fn new(input: Box<dyn Read + Send>, shown: &str) -> Result<Self, Problem> {
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

/// `input` decompressed, if it is compressed; `size` is its length, if known.
fn unfold(input: Box<dyn Read + Send>, size: Option<u64>) -> io::Result<Box<dyn Read + Send>> {
    let mut input = BufReader::with_capacity(CHUNK, input);
    let head = input.fill_buf()?;
    let ratio_limit =
        size.map_or(MAX_BYTES, |size| (size.saturating_mul(MAX_RATIO)).max(RATIO_FROM));
    let limit = ratio_limit.min(MAX_BYTES);
    if head.starts_with(&[0x1f, 0x8b]) {
        let decoder = flate2::bufread::MultiGzDecoder::new(input);
        return Ok(Box::new(Limited { input: decoder, left: limit }));
    }
    if head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        let decoder = zstd::stream::read::Decoder::with_buffer(input)?;
        return Ok(Box::new(Limited { input: decoder, left: limit }));
    }
    match size {
        Some(_) => Ok(Box::new(input)),
        None => Ok(Box::new(Limited { input, left: MAX_BYTES })),
    }
}

/// Fails once more than `left` bytes have been read.
struct Limited<R> {
    input: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(into)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => self.left = left,
            None => {
                return Err(io::Error::other(format!(
                    "it unfolds to more than {MAX_RATIO} times its size (past {} MiB) or more than {} GiB",
                    RATIO_FROM >> 20,
                    MAX_BYTES >> 30
                )));
            }
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Cursor, Write};

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

    #[test]
    fn a_compressed_file_reads_as_its_content_and_a_bomb_is_refused() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let read = |name: &str, bytes: &[u8]| {
            let path = dir.path().join(name);
            std::fs::write(&path, bytes).expect("written");
            let mut lines = Lines::open(&path, name)?;
            let mut count = 0;
            while lines.advance()? {
                count += 1;
            }
            Ok::<u64, Problem>(count)
        };
        let gzip = |bytes: &[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Default::default());
            encoder.write_all(bytes).expect("compressed");
            encoder.finish().expect("compressed")
        };
        let text = b"one\ntwo\n";
        assert_eq!(read("a", text), Ok(2));
        assert_eq!(read("a.gz", &gzip(text)), Ok(2));
        assert_eq!(read("two.gz", &[gzip(text), gzip(text)].concat()), Ok(4));
        assert_eq!(read("a.zst", &zstd::encode_all(&text[..], 1).expect("compressed")), Ok(2));
        assert!(read("cut.gz", &gzip(text)[..15]).is_err());
        let bomb = gzip(&vec![b'\n'; (RATIO_FROM as usize) + 3_000_000]);
        assert!(read("bomb.gz", &bomb).expect_err("a bomb").message.contains("200 times"));
        assert!(Lines::open(dir.path(), "dir").is_err());
    }
}
