//! Little-endian numbers, one after the other, as far as there are bytes.

#[derive(Clone)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    pub at: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8]) -> Cursor<'a> {
        Cursor { bytes, at: 0 }
    }

    pub fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    pub fn bytes(&mut self, count: usize) -> Result<&'a [u8], String> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or_else(|| format!("expected {count} more bytes, found {}", self.left()))?;
        let bytes = &self.bytes[self.at..end];
        self.at = end;
        Ok(bytes)
    }

    pub fn skip(&mut self, count: usize) -> Result<(), String> {
        self.bytes(count).map(drop)
    }

    /// Moves on to a multiple of 8, counted from where this began.
    pub fn align(&mut self) -> Result<(), String> {
        self.skip(self.at.next_multiple_of(8) - self.at)
    }

    pub fn expect(&mut self, mark: &[u8]) -> Result<(), String> {
        let found = self.bytes(mark.len())?;
        let text = |bytes: &[u8]| bytes.escape_ascii().to_string();
        if found == mark { Ok(()) } else { Err(format!("expected `{}`, found `{}`", text(mark), text(found))) }
    }

    pub fn u8(&mut self) -> Result<u8, String> {
        Ok(self.bytes(1)?[0])
    }

    pub fn u16(&mut self) -> Result<usize, String> {
        Ok(self.uint(2)? as usize)
    }

    pub fn u32(&mut self) -> Result<usize, String> {
        Ok(self.uint(4)? as usize)
    }

    pub fn u64(&mut self) -> Result<u64, String> {
        self.uint(8)
    }

    /// A number of so many bytes, at most 8.
    pub fn uint(&mut self, count: usize) -> Result<u64, String> {
        Ok(self.bytes(count)?.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }
}

/// An address that says that there is nothing.
pub const NOWHERE: u64 = u64::MAX;

/// The text before the first zero.
pub fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}
