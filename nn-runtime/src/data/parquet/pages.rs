//! The headers of the pages of a column, looked at before anything is unpacked. In: the bytes of a column
//! chunk; out: whether its pages lie within it and claim no more than it does. It reads no values.

use std::format;
use std::string::String;

/// Structures within structures; a header of Parquet has four.
const DEEPEST: usize = 16;

/// Thrift's compact protocol, in which headers are written.
struct Compact<'a> {
    rest: &'a [u8],
}

impl Compact<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }

    fn pass(&mut self, len: u64) -> Option<()> {
        self.rest = self.rest.get(usize::try_from(len).ok()?..)?;
        Some(())
    }

    /// Seven bits a byte, the lowest first.
    fn varint(&mut self) -> Option<u64> {
        let mut word = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            word |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(word);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let word = self.varint()?;
        Some((word >> 1) as i64 ^ -((word & 1) as i64))
    }

    /// Passes over a value of this type.
    fn skip(&mut self, kind: u8, depth: usize) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        match kind {
            1 | 2 => Some(()),
            3 => self.pass(1),
            4..=6 => self.varint().map(drop),
            7 => self.pass(8),
            8 => {
                let len = self.varint()?;
                self.pass(len)
            }
            9 | 10 => {
                let head = self.byte()?;
                let count = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
                // In a list a truth takes a byte.
                let kind = if matches!(head & 15, 1 | 2) { 3 } else { head & 15 };
                (0..count).try_for_each(|_| self.skip(kind, depth + 1))
            }
            12 => self.fields(depth + 1, |_, _| ()),
            _ => None,
        }
    }

    /// The fields of a structure, those that are numbers told by their id.
    fn fields(&mut self, depth: usize, mut number: impl FnMut(i64, i64)) -> Option<()> {
        let mut id = 0;
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Some(());
            }
            id = if head >> 4 == 0 { self.signed()? } else { id + i64::from(head >> 4) };
            match head & 15 {
                4..=6 => number(id, self.signed()?),
                kind => self.skip(kind, depth)?,
            }
        }
    }
}

/// What is wrong with the pages of a column chunk, which are `claimed` bytes when they are unpacked.
pub(super) fn check(chunk: &[u8], claimed: u64) -> Result<(), String> {
    let mut compact = Compact { rest: chunk };
    while !compact.rest.is_empty() {
        let at = chunk.len() - compact.rest.len();
        let (mut unpacked, mut packed) = (-1, -1);
        let header = compact.fields(0, |id, number| match id {
            2 => unpacked = number,
            3 => packed = number,
            _ => (),
        });
        let unpacked = u64::try_from(unpacked).ok().filter(|&unpacked| unpacked <= claimed);
        if header.is_none() || unpacked.is_none() {
            return Err(format!("a header that is none, {at} bytes behind its beginning"));
        }
        if u64::try_from(packed).ok().and_then(|packed| compact.pass(packed)).is_none() {
            return Err(format!("a page that ends behind it, {at} bytes behind its beginning"));
        }
    }
    Ok(())
}
