//! Small text files, plain or compressed.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// Most that is read of one file: lists of instances are far smaller.
const MOST: u64 = 256 << 20;

/// A reader of the file's text, decompressed by what its first bytes say.
fn open(path: &Path) -> io::Result<Box<dyn Read>> {
    let mut file = BufReader::new(File::open(path)?);
    let magic = io::BufRead::fill_buf(&mut file)?.to_owned();
    Ok(match magic.as_slice() {
        [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd::Decoder::with_buffer(file)?),
        _ => Box::new(file),
    })
}

/// The whole text of a file.
pub(super) fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    open(path)?.take(MOST).read_to_string(&mut text)?;
    Ok(text)
}

/// The first lines of a file, as far as they are text.
pub(super) fn read_head(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    open(path)?.take(64 << 10).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
