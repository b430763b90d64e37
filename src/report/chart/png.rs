//! The smallest PNG writer that does the job (ISO/IEC 15948: 8-bit RGB).

use std::io::{self, Write as _};

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};

/// Writes `pixels`, three bytes each, row by row.
pub(super) fn write(
    pixels: &[u8],
    width: u32,
    height: u32,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut head = Vec::with_capacity(13);
    head.extend(width.to_be_bytes());
    head.extend(height.to_be_bytes());
    head.extend([8, 2, 0, 0, 0]);
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    for row in pixels.chunks(width as usize * 3) {
        packed.write_all(&[0])?;
        packed.write_all(row)?;
    }
    out.write_all(b"\x89PNG\r\n\x1a\n")?;
    chunk(*b"IHDR", &head, out)?;
    chunk(*b"IDAT", &packed.finish()?, out)?;
    chunk(*b"IEND", &[], out)
}

fn chunk(kind: [u8; 4], data: &[u8], out: &mut dyn io::Write) -> io::Result<()> {
    let length = u32::try_from(data.len()).map_err(io::Error::other)?;
    let mut crc = Crc::new();
    crc.update(&kind);
    crc.update(data);
    out.write_all(&length.to_be_bytes())?;
    out.write_all(&kind)?;
    out.write_all(data)?;
    out.write_all(&crc.sum().to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_red_pixel() {
        let mut out = Vec::new();
        write(&[255, 0, 0], 1, 1, &mut out).expect("memory takes everything");
        assert_eq!(&out[..8], b"\x89PNG\r\n\x1a\n");
        assert_eq!(&out[12..29], b"IHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0");
        // The checksum of an empty IEND chunk, from the standard.
        assert_eq!(out[out.len() - 4..], [0xae, 0x42, 0x60, 0x82]);
    }
}
