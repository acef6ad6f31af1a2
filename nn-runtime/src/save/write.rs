//! Safetensors as they are written. In: tensors of several blocks, and a note; out: bytes, one piece after
//! the other, to whatever takes them.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use super::PIECE;
use super::names::{CHECKSUM, NOTE};
use crate::params::Tensor;

/// A tensor that is written: what it is called in the file, and the block its numbers lie in.
pub(crate) struct Piece<'a> {
    pub(crate) name: String,
    pub(crate) tensor: &'a Tensor,
    pub(crate) block: &'a [f32],
}

/// Writes the header and the numbers of all tensors; with a note the header tells of a checksum too, which is
/// the caller's to write.
pub(crate) fn write_pieces<E>(
    pieces: &[Piece],
    note: Option<&str>,
    to: &mut dyn FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let header = header(pieces, note);
    to(&(header.len() as u64).to_le_bytes())?;
    to(header.as_bytes())?;
    let (mut values, mut bytes) = (Vec::new(), Vec::new());
    for piece in pieces {
        values.resize(piece.tensor.count(), 0.0);
        piece.tensor.read(piece.block, &mut values);
        for values in values.chunks(PIECE / 4) {
            bytes.clear();
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            to(&bytes)?;
        }
    }
    Ok(())
}

fn header(pieces: &[Piece], note: Option<&str>) -> String {
    let mut entries = Vec::with_capacity(pieces.len() + 2);
    if let Some(text) = note {
        entries.push(format!("\"__metadata__\":{{\"{NOTE}\":{}}}", json(text)));
    }
    let mut at = 0;
    for piece in pieces {
        let shape: Vec<String> = piece.tensor.shape.as_slice().iter().map(|dim| format!("{dim}")).collect();
        let (name, shape, end) = (json(&piece.name), shape.join(","), at + 4 * piece.tensor.count());
        entries.push(format!("{name}:{{\"dtype\":\"F32\",\"shape\":[{shape}],\"data_offsets\":[{at},{end}]}}"));
        at = end;
    }
    if note.is_some() {
        let end = at + 4;
        entries.push(format!("\"{CHECKSUM}\":{{\"dtype\":\"U32\",\"shape\":[1],\"data_offsets\":[{at},{end}]}}"));
    }
    let mut header = format!("{{{}}}", entries.join(","));
    // The numbers begin at a multiple of eight bytes, for readers that map files into memory.
    while !header.len().is_multiple_of(8) {
        header.push(' ');
    }
    header
}

/// A text as JSON has it.
fn json(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\0'..='\u{1f}' => {
                // No write to a text fails.
                let _ = write!(quoted, "\\u{:04x}", c as u32);
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::json;
    use alloc::string::String;

    #[test]
    fn texts_are_read_back_by_another_reader() {
        let text = "a\"b\\c\n\r\t\0\u{1f}\u{7f}größe 😀/";
        assert_eq!(serde_json::from_str::<String>(&json(text)).unwrap(), text);
    }
}
