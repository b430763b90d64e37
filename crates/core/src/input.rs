//! Files that nobody vouches for: the one place where they are opened.
//!
//! Only regular files and standard input are read, so that no device or pipe
//! holds a command up for ever; compressed ones unfold within limits; and
//! reading stops when the process is asked to end.

#[cfg(feature = "parquet")]
mod parquet;
mod stdin;
mod zstandard;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use crate::halt;
use crate::problem::Problem;

use stdin::{Stdin, is_stdin};

pub use zstandard::Encoder as ZstandardEncoder;

/// Most bytes that compressed or standard input may unfold to.
pub const MAX_BYTES: u64 = 16 << 30;
/// Most bytes that a compressed file may unfold to per byte of its own ...
pub const MAX_RATIO: u64 = 200;
/// ... once past this many bytes.
pub const RATIO_FROM: u64 = 64 << 20;

/// Beginning of a Parquet file.
const PARQUET: [u8; 4] = *b"PAR1";

const CHUNK: usize = 1 << 16;

/// Content of a file, from its beginning.
pub type Input = Box<dyn Read + Send>;

/// Opens the regular file at `path`, `-` for standard input, as it is; and its
/// size in bytes, where it is known.
///
/// # Errors
/// The file cannot be read.
pub fn open(path: &Path, shown: &str) -> Result<(Input, Option<u64>), Problem> {
    let failed = |error: io::Error| Problem::with(shown, format!("cannot be read: {error}"));
    if is_stdin(path) {
        let input = Stdin::open().map_err(failed)?;
        return Ok((Box::new(Halting { input: input.take(MAX_BYTES) }), None));
    }
    let not_a_file = || {
        Problem::with(shown, "is not a regular file")
            .hint("pipes and devices are not read: copy it to a file")
    };
    // Before it is opened: to open a pipe is to wait for whoever writes to it.
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(not_a_file());
    }
    let file = File::open(path).map_err(failed)?;
    let facts = file.metadata().map_err(failed)?;
    if !facts.is_file() {
        return Err(not_a_file());
    }
    Ok((Box::new(Halting { input: file }), Some(facts.len())))
}

/// Opens the file at `path` as [`open`] does, and decompresses gzip and
/// zstandard within limits. A Parquet file reads as a CSV, with the feature `parquet`.
///
/// # Errors
/// The file cannot be read.
pub fn unfold(path: &Path, shown: &str) -> Result<Input, Problem> {
    let (input, size) = open(path, shown)?;
    unfolded(input, size).map_err(|error| Problem::with(shown, format!("cannot be read: {error}")))
}

/// The text of a file of at most `most` bytes, such as a scenario (`what`).
///
/// # Errors
/// The file cannot be read.
pub fn text(path: &Path, what: &str, most: u64) -> Result<String, Problem> {
    let shown = path.display().to_string();
    let (input, size) = open(path, &shown)?;
    let long = |size: String| {
        Problem::with(&shown, format!("has {size} bytes; a {what} has at most {most}"))
    };
    if let Some(size) = size.filter(|&size| size > most) {
        return Err(long(size.to_string()));
    }
    let mut bytes = Vec::new();
    let read = input.take(most + 1).read_to_end(&mut bytes);
    read.map_err(|error| Problem::with(&shown, format!("cannot read the {what}: {error}")))?;
    // Files of the system say that they are empty, and others grow.
    if bytes.len() as u64 > most {
        return Err(long(format!("more than {most}")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..good].iter().filter(|&&byte| byte == b'\n').count();
        Problem::at(&shown, line as u64 + 1, 0, format!("the {what} is not UTF-8 text"))
    })
}

/// Hash (BLAKE3, in hexadecimal digits) of all bytes of a file.
///
/// # Errors
/// The file cannot be read.
pub fn hash(path: &Path) -> Result<String, Problem> {
    let shown = path.display().to_string();
    let (input, _) = open(path, &shown)?;
    let mut hasher = blake3::Hasher::new();
    hasher
        .update_reader(input)
        .map_err(|error| Problem::with(&shown, format!("cannot be read: {error}")))?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// Fails once the process is asked to end.
struct Halting<R> {
    input: R,
}

impl<R: Read> Read for Halting<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match halt::asked() {
            true => Err(io::Error::other("stopped, for the command is to end")),
            false => self.input.read(into),
        }
    }
}

/// `input` decompressed, if it is compressed; `size` is its length, if known.
fn unfolded(input: Input, size: Option<u64>) -> io::Result<Input> {
    let mut input = BufReader::with_capacity(CHUNK, input);
    let head = input.fill_buf()?;
    let ratio_limit =
        size.map_or(MAX_BYTES, |size| (size.saturating_mul(MAX_RATIO)).max(RATIO_FROM));
    let limit = ratio_limit.min(MAX_BYTES);
    if head.starts_with(&[0x1f, 0x8b]) {
        let decoder = flate2::bufread::MultiGzDecoder::new(input);
        return Ok(Box::new(Limited { input: decoder, left: limit }));
    }
    if head.starts_with(&zstandard::MAGIC) {
        let decoder = zstandard::Decoder::new(input);
        return Ok(Box::new(Limited { input: decoder, left: limit }));
    }
    if head.starts_with(&PARQUET) {
        return table(Box::new(input), limit);
    }
    Ok(Box::new(input))
}

/// The rows of a Parquet file as a CSV of at most `limit` bytes.
#[cfg(feature = "parquet")]
fn table(input: Input, limit: u64) -> io::Result<Input> {
    Ok(Box::new(Limited { input: parquet::ParquetText::open(input)?, left: limit }))
}

#[cfg(not(feature = "parquet"))]
fn table(_: Input, _: u64) -> io::Result<Input> {
    let message =
        "this build reads no Parquet: build with `--features parquet`, or write it as CSV";
    Err(io::Error::other(message))
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
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Default::default());
        encoder.write_all(bytes).expect("compressed");
        encoder.finish().expect("compressed")
    }

    #[test]
    fn a_compressed_file_reads_as_its_content_and_a_bomb_is_refused() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let read = |name: &str, bytes: &[u8]| {
            let path = dir.path().join(name);
            std::fs::write(&path, bytes).expect("written");
            let mut read = Vec::new();
            let result = unfold(&path, name).map_err(|error| error.message)?.read_to_end(&mut read);
            result.map(|_| read).map_err(|error| error.to_string())
        };
        let text = b"one\ntwo\n";
        let want = Ok(text.to_vec());
        assert_eq!(read("a", text), want);
        assert_eq!(read("a.gz", &gzip(text)), want);
        assert_eq!(read("two.gz", &[gzip(text), gzip(text)].concat()), Ok(text.repeat(2)));
        let mut packed = Vec::new();
        let mut encoder = ZstandardEncoder::new(&mut packed);
        encoder.write_all(text).and_then(|()| encoder.finish()).expect("compressed");
        assert_eq!(read("a.zst", &packed), want);
        assert!(read("cut.gz", &gzip(text)[..15]).is_err());
        assert!(read("x.parquet", b"PAR1 and no more").is_err());
        let bomb = gzip(&vec![b'\n'; (RATIO_FROM as usize) + 3_000_000]);
        assert!(read("bomb.gz", &bomb).expect_err("a bomb").contains("200 times"));
    }

    #[test]
    fn only_regular_files_of_the_right_size_are_texts() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("a");
        std::fs::write(&path, "12345678").expect("written");
        assert_eq!(text(&path, "note", 8).as_deref(), Ok("12345678"));
        let message = |found: Result<String, Problem>| found.expect_err("refused").message;
        assert_eq!(message(text(&path, "note", 7)), "has 8 bytes; a note has at most 7");
        std::fs::write(&path, b"a\nb\xff").expect("written");
        assert_eq!(text(&path, "note", 8).expect_err("no text").line, 2);
        assert_eq!(message(text(dir.path(), "note", 8)), "is not a regular file");
        if cfg!(target_os = "linux") {
            for device in ["/dev/zero", "/dev/full", "/dev/null"] {
                let device = Path::new(device);
                assert_eq!(message(text(device, "note", 8)), "is not a regular file");
                assert_eq!(message(hash(device)), "is not a regular file");
                assert!(unfold(device, "x").is_err());
            }
            // The file says that it has no bytes, and has many.
            let maps = Path::new("/proc/self/maps");
            assert_eq!(
                message(text(maps, "note", 8)),
                "has more than 8 bytes; a note has at most 8"
            );
        }
    }

    #[test]
    fn a_hash_is_that_of_all_bytes() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("a");
        std::fs::write(&path, "abc").expect("written");
        assert_eq!(hash(&path), Ok(blake3::hash(b"abc").to_hex().to_string()));
        assert!(hash(&dir.path().join("b")).is_err());
    }
}
