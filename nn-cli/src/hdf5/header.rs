//! The header of a group or an array: messages, each of which says one thing of it. In: where it begins; out:
//! what it says.

use super::cursor::{Cursor, text};
use super::data::{Dataset, Filter, Place};
use super::{File, Kind, Text};
use crate::tensor::Element;

/// What the messages of a header say.
#[derive(Default)]
pub struct Header {
    pub attributes: Vec<(String, Vec<String>)>,
    /// The tree of an old group's names, and their texts.
    pub symbols: Option<[u64; 2]>,
    /// A new group's names, and where they are if they are many.
    pub links: Vec<(String, u64)>,
    pub many_links: Option<u64>,
    shape: Option<Vec<usize>>,
    kind: Option<Kind>,
    place: Option<Place>,
    filters: Vec<Filter>,
}

impl Header {
    pub fn read(file: &File, address: u64) -> Result<Header, String> {
        let mut header = Header::default();
        let mut at = file.at(address)?;
        let start = at.clone();
        if at.bytes(4)? == b"OHDR" {
            header.read_new(file, at)?;
        } else {
            at = start;
            header.read_old(file, at)?;
        }
        // NumPy has no bfloat16: it is written as two bytes of no type, and an attribute says so.
        if let Some(kind) = &mut header.kind
            && kind.element.is_none()
            && kind.bytes == 2
            && header.attributes.iter().any(|(name, texts)| name == "dtype" && texts[..] == ["bfloat16"])
        {
            kind.element = Some(Element::Bf16);
        }
        Ok(header)
    }

    fn read_old(&mut self, file: &File, mut at: Cursor) -> Result<(), String> {
        let version = at.u8()?;
        if version != 1 {
            return Err(format!("expected a header, found byte {version} where its version is"));
        }
        at.skip(1)?;
        let mut count = at.u16()?;
        at.skip(4)?;
        let size = at.u32()?;
        at.skip(4)?;
        let mut blocks = vec![Cursor::new(at.bytes(size)?)];
        while let Some(mut at) = blocks.pop() {
            while count > 0 && at.left() >= 8 {
                count -= 1;
                let (kind, size) = (at.u16()?, at.u16()?);
                let flags = at.u8()?;
                at.skip(3)?;
                let message = Cursor::new(at.bytes(size)?);
                file.take(8)?;
                if let Some(block) = self.message(file, kind, flags, message)? {
                    blocks.push(at);
                    at = block;
                }
            }
        }
        Ok(())
    }

    fn read_new(&mut self, file: &File, mut at: Cursor) -> Result<(), String> {
        let version = at.u8()?;
        let flags = at.u8()?;
        if version != 2 {
            return Err(format!("expected a header of version 2, found {version}"));
        }
        at.skip(if flags & 0x20 != 0 { 16 } else { 0 })?;
        at.skip(if flags & 0x10 != 0 { 4 } else { 0 })?;
        let size = at.uint(1 << (flags & 3))?;
        let size = usize::try_from(size).map_err(|_| "expected a header that fits into memory")?;
        let mut blocks = vec![Cursor::new(at.bytes(size)?)];
        while let Some(mut at) = blocks.pop() {
            let order = if flags & 4 != 0 { 2 } else { 0 };
            while at.left() >= 4 + order {
                let kind = usize::from(at.u8()?);
                let size = at.u16()?;
                let of = at.u8()?;
                at.skip(order)?;
                let message = Cursor::new(at.bytes(size)?);
                file.take(4)?;
                if let Some(mut block) = self.message(file, kind, of, message)? {
                    block.expect(b"OCHK")?;
                    let inner = block.left().saturating_sub(4);
                    blocks.push(Cursor::new(block.bytes(inner)?));
                }
            }
        }
        Ok(())
    }

    /// Takes what a message says; or gives the block in which more of them are.
    fn message<'a>(
        &mut self,
        file: &File<'a>,
        kind: usize,
        flags: u8,
        mut at: Cursor<'a>,
    ) -> Result<Option<Cursor<'a>>, String> {
        if flags & 2 != 0 && matches!(kind, 0x01 | 0x03 | 0x08 | 0x0b | 0x0c) {
            return Err("expected what is said of an array beside it, found it shared with others".to_owned());
        }
        match kind {
            0x01 => self.shape = dataspace(&mut at)?,
            0x02 => {
                at.skip(1)?;
                let flags = at.u8()?;
                at.skip(if flags & 1 != 0 { 8 } else { 0 })?;
                self.many_links = Some(at.u64()?);
            }
            0x03 => self.kind = Some(datatype(&mut at)?),
            0x06 => self.links.extend(link(file, &mut at)?),
            0x08 => self.place = Some(Place::read(file, &mut at)?),
            0x0b => self.filters = Filter::read(&mut at)?,
            0x0c => self.attributes.extend(attribute(file, &mut at)?),
            0x10 => {
                let (address, size) = (at.u64()?, at.u64()?);
                let size = usize::try_from(size).map_err(|_| "expected a header that fits into memory")?;
                file.take(16)?;
                return Ok(Some(Cursor::new(file.at(address)?.bytes(size)?)));
            }
            0x11 => self.symbols = Some([at.u64()?, at.u64()?]),
            _ => {}
        }
        Ok(None)
    }

    /// The array that this is the header of; nothing where it is none.
    pub fn dataset(self) -> Result<Option<Dataset>, String> {
        let (Some(kind), Some(shape), Some(place)) = (self.kind, self.shape, self.place) else { return Ok(None) };
        Ok(Some(Dataset { kind, shape, place, filters: self.filters }))
    }
}

/// Dimensions; nothing where there is no number at all.
fn dataspace(at: &mut Cursor) -> Result<Option<Vec<usize>>, String> {
    let version = at.u8()?;
    let rank = usize::from(at.u8()?);
    at.skip(1)?;
    match version {
        1 => at.skip(5)?,
        2 if at.u8()? == 2 => return Ok(None),
        2 => {}
        _ => return Err(format!("expected dimensions of version 1 or 2, found {version}")),
    }
    if rank > 16 {
        return Err(format!("expected at most 16 dimensions, found {rank}"));
    }
    let dims: Result<Vec<usize>, String> = (0..rank)
        .map(|_| usize::try_from(at.u64()?).map_err(|_| "expected dimensions that can be counted".to_owned()))
        .collect();
    dims.map(Some)
}

fn datatype(at: &mut Cursor) -> Result<Kind, String> {
    let class = at.u8()? & 15;
    let bits = at.uint(3)?;
    let bytes = at.u32()?;
    if bytes == 0 || bytes > 1 << 20 {
        return Err(format!("expected a type of 1 to 2^20 bytes, found {bytes}"));
    }
    let (signed, big_endian) = (bits & 8 != 0, bits & 1 != 0);
    let plain = |element| Kind { element, bytes, big_endian, text: None };
    Ok(match (class, bytes) {
        (0, 8) if signed => plain(Some(Element::I64)),
        (0, 4) if signed => plain(Some(Element::I32)),
        (0, 2) if signed => plain(Some(Element::I16)),
        (0, 1) if signed => plain(Some(Element::I8)),
        (0, 1) => plain(Some(Element::U8)),
        (1, _) => {
            at.skip(4)?;
            let layout = [at.u8()?, at.u8()?, at.u8()?, at.u8()?];
            plain(match (bytes, layout) {
                (8, [52, 11, 0, 52]) => Some(Element::F64),
                (4, [23, 8, 0, 23]) => Some(Element::F32),
                (2, [10, 5, 0, 10]) => Some(Element::F16),
                (2, [7, 8, 0, 7]) => Some(Element::Bf16),
                _ => None,
            })
        }
        (3, _) => Kind { text: Some(Text::Fixed), ..plain(None) },
        // Truth is an enumeration of FALSE and TRUE.
        (8, 1) => plain(Some(Element::Bool)),
        (9, 16) if bits & 15 == 1 => Kind { text: Some(Text::Elsewhere), ..plain(None) },
        _ => plain(None),
    })
}

/// A name and where it leads; nothing where it leads through another name.
fn link(file: &File, at: &mut Cursor) -> Result<Option<(String, u64)>, String> {
    at.skip(1)?;
    let flags = at.u8()?;
    let hard = flags & 8 == 0 || at.u8()? == 0;
    at.skip(if flags & 4 != 0 { 8 } else { 0 })?;
    at.skip(if flags & 16 != 0 { 1 } else { 0 })?;
    let len = usize::try_from(at.uint(1 << (flags & 3))?).map_err(|_| "expected a name that fits into memory")?;
    let name = at.bytes(len)?;
    file.take(len)?;
    Ok(if hard { Some((text(name), at.u64()?)) } else { None })
}

/// A name and its texts; nothing where it is no text.
fn attribute(file: &File, at: &mut Cursor) -> Result<Option<(String, Vec<String>)>, String> {
    let version = at.u8()?;
    let flags = at.u8()?;
    let (name_len, kind_len, shape_len) = (at.u16()?, at.u16()?, at.u16()?);
    match version {
        1 | 2 => {}
        3 => at.skip(1)?,
        _ => return Err(format!("expected an attribute of version 1 to 3, found {version}")),
    }
    if flags & 3 != 0 && version > 1 {
        return Ok(None);
    }
    let mut part = |len: usize| -> Result<Cursor, String> {
        let bytes = at.bytes(len)?;
        if version == 1 {
            at.align()?;
        }
        Ok(Cursor::new(bytes))
    };
    let name = text(part(name_len)?.bytes(name_len)?);
    let kind = datatype(&mut part(kind_len)?)?;
    let shape = dataspace(&mut part(shape_len)?)?;
    let (Some(how), Some(shape)) = (kind.text, shape) else { return Ok(None) };
    let mut texts = Vec::new();
    let count = shape.iter().try_fold(1usize, |count, dim| count.checked_mul(*dim));
    for _ in 0..count.ok_or("expected texts that can be counted")? {
        let one = at.bytes(kind.bytes)?;
        file.take(kind.bytes.max(8))?;
        texts.push(match how {
            Text::Fixed => text(one),
            Text::Elsewhere => elsewhere(file, one)?,
        });
    }
    Ok(Some((name, texts)))
}

/// A text in a heap of the file: its length, the heap, its number there.
fn elsewhere(file: &File, reference: &[u8]) -> Result<String, String> {
    let mut reference = Cursor::new(reference);
    let (len, heap, wanted) = (reference.u32()?, reference.u64()?, reference.u32()?);
    if len == 0 {
        return Ok(String::new());
    }
    let mut at = file.at(heap)?;
    at.expect(b"GCOL")?;
    at.skip(4)?;
    let size = usize::try_from(at.u64()?).ok().and_then(|size| size.checked_sub(16));
    let mut at = Cursor::new(at.bytes(size.ok_or("expected a heap of texts")?)?);
    while at.left() >= 16 {
        let number = at.u16()?;
        at.skip(6)?;
        let size = usize::try_from(at.u64()?).unwrap_or(usize::MAX);
        file.take(1)?;
        if number == wanted && number != 0 {
            file.take(len)?;
            return Ok(text(at.bytes(size.min(len))?));
        }
        if number == 0 {
            break;
        }
        at.skip(size)?;
        at.align()?;
    }
    Err(format!("expected text {wanted} in the heap at {heap}"))
}
