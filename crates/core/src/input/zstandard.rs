//! Zstandard, as one frame after the other: a file may hold several.

use std::io::{self, BufRead, Read, Write};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

/// First bytes of a file.
pub(super) const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Bytes of content in one written frame.
const FRAME: usize = 4 << 20;

/// Reader that decompresses `input`.
pub(super) struct Decoder<R> {
    input: R,
    frame: FrameDecoder,
}

impl<R: BufRead> Decoder<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, frame: FrameDecoder::new() }
    }

    /// Begins the next frame with content; false where there is none.
    fn next_frame(&mut self) -> io::Result<bool> {
        loop {
            if self.input.fill_buf()?.is_empty() {
                return Ok(false);
            }
            match self.frame.init(&mut self.input) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let mut skipped = (&mut self.input).take(length.into());
                    if io::copy(&mut skipped, &mut io::sink())? < length.into() {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
    }
}

impl<R: BufRead> Read for Decoder<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.frame.can_collect() == 0 {
            if !self.frame.is_finished() {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                self.frame.decode_blocks(&mut self.input, one).map_err(io::Error::other)?;
                continue;
            }
            let (stored, counted) =
                (self.frame.get_checksum_from_data(), self.frame.get_calculated_checksum());
            if stored.is_some() && stored != counted {
                return Err(io::Error::other("the checksum of a zstandard frame is wrong"));
            }
            if !self.next_frame()? {
                return Ok(0);
            }
        }
        self.frame.read(into)
    }
}

/// Writer that compresses into `out`.
pub struct Encoder<W> {
    out: W,
    content: Vec<u8>,
}

impl<W> std::fmt::Debug for Encoder<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoder").finish_non_exhaustive()
    }
}

impl<W: Write> Encoder<W> {
    /// An encoder of nothing yet.
    pub fn new(out: W) -> Self {
        Self { out, content: Vec::with_capacity(FRAME) }
    }

    /// Writes the rest.
    ///
    /// # Errors
    /// Errors of the writer.
    pub fn finish(mut self) -> io::Result<()> {
        self.write_frame()
    }

    fn write_frame(&mut self) -> io::Result<()> {
        let frame = compress_to_vec(&self.content[..], CompressionLevel::Fastest);
        self.content.clear();
        self.out.write_all(&frame)
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(FRAME - self.content.len());
        self.content.extend_from_slice(&bytes[..taken]);
        if self.content.len() == FRAME {
            self.write_frame()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two lines as `zstd -19` of version 1.5.4 compresses them, with a checksum.
    const BY_ZSTD: [u8; 21] = *b"\x28\xb5\x2f\xfd\x04\x68\x41\0\0one\ntwo\n\xe6\xa6\x0e\x40";

    fn decoded(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        Decoder::new(bytes).read_to_end(&mut content).map(|_| content)
    }

    #[test]
    fn what_is_written_is_read() {
        let mut text = Vec::new();
        for row in 0..900_000_u64 {
            writeln!(text, "{row},{}", row * row % 977).expect("memory takes everything");
        }
        assert!(text.len() > 2 * FRAME);
        let mut packed = Vec::new();
        let mut encoder = Encoder::new(&mut packed);
        encoder.write_all(&text).expect("memory takes everything");
        encoder.finish().expect("memory takes everything");
        assert!(packed.len() < text.len() / 2, "{}", packed.len());
        assert!(decoded(&packed).expect("as written") == text);
        assert!(decoded(&packed[..packed.len() - 5]).is_err());
    }

    #[test]
    fn frames_follow_each_other_and_some_are_skipped() {
        let skipped = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
        let two = [&BY_ZSTD[..], &skipped, &BY_ZSTD].concat();
        assert_eq!(decoded(&two).expect("both"), b"one\ntwo\none\ntwo\n");
        assert!(decoded(&two[..BY_ZSTD.len() + 9]).is_err());
    }

    #[test]
    fn a_wrong_checksum_is_an_error() {
        let mut wrong = BY_ZSTD;
        wrong[20] ^= 1;
        let error = decoded(&wrong).expect_err("refused");
        assert!(error.to_string().contains("checksum"), "{error}");
    }
}
