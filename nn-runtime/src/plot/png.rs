//! Small images as PNG, and as text. In: pixels; out: bytes, letters.

use std::io::Write;
use std::string::String;
use std::vec::Vec;

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};

/// A PNG file of pixels `[height, width, channels]`, one channel (grey) or three (red, green, blue): W3C,
/// "Portable Network Graphics (PNG) Specification".
pub(super) fn png(pixels: &[u8], width: usize, height: usize, channels: usize) -> Vec<u8> {
    let mut file = Vec::from(b"\x89PNG\r\n\x1a\n");
    let color = if channels == 1 { 0 } else { 2 };
    let sizes = [width as u32, height as u32].map(u32::to_be_bytes).concat();
    chunk(&mut file, b"IHDR", &[&sizes[..], &[8, color, 0, 0, 0]].concat());
    // Before each row stands the filter it has: none, or, of one that is as the one above, the difference.
    let (mut rows, mut above) = (Vec::new(), &[][..]);
    for row in pixels.chunks_exact((width * channels).max(1)) {
        match row == above {
            true => {
                rows.push(2);
                rows.resize(rows.len() + row.len(), 0);
            }
            false => {
                rows.push(0);
                rows.extend_from_slice(row);
            }
        }
        above = row;
    }
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::best());
    // Memory takes whatever is written.
    let packed = packed.write_all(&rows).and_then(|()| packed.finish()).unwrap_or_default();
    chunk(&mut file, b"IDAT", &packed);
    chunk(&mut file, b"IEND", &[]);
    file
}

fn chunk(file: &mut Vec<u8>, name: &[u8; 4], data: &[u8]) {
    let mut crc = Crc::new();
    crc.update(name);
    crc.update(data);
    file.extend((data.len() as u32).to_be_bytes());
    file.extend(name);
    file.extend(data);
    file.extend(crc.sum().to_be_bytes());
}

/// RFC 4648, with padding.
pub(super) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let word = three.iter().chain(&[0, 0]).take(3).fold(0, |word, &byte| word << 8 | u32::from(byte));
        for i in 0..4 {
            match i <= three.len() {
                true => text.push(char::from(LETTERS[(word >> (18 - 6 * i)) as usize & 63])),
                false => text.push('='),
            }
        }
    }
    text
}
