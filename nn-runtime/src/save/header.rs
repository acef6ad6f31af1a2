//! The header of a safetensors file: which tensors there are, of which type and shape, and where their
//! numbers stand. In: bytes; out: a table of them, or what is wrong. It is const code without memory of its
//! own: one reader for files, for bytes and for what is embedded at compile time.

#[cfg(feature = "alloc")]
use alloc::{string::String, vec::Vec};

use super::entry::{By, CUT_SHORT, Entry, sort};
use super::json::{Json, Unescaped};
use super::list::list;
use super::names::{NOTE, NameText};
use crate::fault::{Fault, Text};
use crate::file_kind::FileKind;

/// Bytes a header may have; what the format allows.
const MOST: u64 = 100_000_000;

/// The text of a header that has been read.
#[derive(Clone, Copy)]
pub(crate) struct TensorHeader<'a> {
    text: &'a [u8],
    /// Where `__metadata__` stands, if it is there.
    metadata: Option<usize>,
}

impl<'a> TensorHeader<'a> {
    /// What stands between the quotes of a tensor's name.
    pub(crate) const fn raw_name(&self, entry: &Entry) -> &'a [u8] {
        self.string_at(entry.name)
    }

    pub(crate) const fn name(&self, entry: &Entry) -> NameText {
        NameText::unescaped(self.raw_name(entry))
    }

    /// What stands between the quotes of a tensor's type.
    pub(crate) const fn dtype(&self, entry: &Entry) -> &'a [u8] {
        self.string_at(entry.dtype)
    }

    /// The dimensions of a tensor, one after the other.
    pub(crate) const fn dims(&self, entry: &Entry) -> Dims<'a> {
        let mut json = Json::new(self.text.split_at(entry.shape as usize).1);
        json.take(b'[');
        Dims(json)
    }

    /// The metadata, key after key.
    pub(crate) const fn notes(&self) -> Notes<'a> {
        match self.metadata {
            Some(at) => {
                let mut json = Json::new(self.text.split_at(at).1);
                json.take(b'{');
                Notes(Some(json))
            }
            None => Notes(None),
        }
    }

    /// What the metadata has under `key`, between its quotes.
    pub(crate) const fn note(&self, key: &[u8]) -> Option<&'a [u8]> {
        let mut notes = self.notes();
        while let Some((found, text)) = notes.next() {
            if NameText::unescaped(found).is(key) {
                return Some(text);
            }
        }
        None
    }

    /// Whether it is the header of a checkpoint.
    pub(crate) const fn is_checkpoint(&self) -> bool {
        self.note(NOTE.as_bytes()).is_some()
    }

    const fn string_at(&self, at: u32) -> &'a [u8] {
        match Json::new(self.text.split_at(at as usize).1).string() {
            Some(raw) => raw,
            None => b"",
        }
    }
}

/// Dimensions that are read when they are asked for.
#[derive(Clone, Copy)]
pub(crate) struct Dims<'a>(Json<'a>);

impl Dims<'_> {
    pub(crate) const fn next(&mut self) -> Option<u64> {
        let dim = self.0.number();
        self.0.take(b',');
        dim
    }
}

/// Keys and texts of the metadata, as they stand between their quotes.
pub(crate) struct Notes<'a>(Option<Json<'a>>);

impl<'a> Notes<'a> {
    pub(crate) const fn next(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        let Some(json) = &mut self.0 else { return None };
        let Some(key) = json.string() else { return None };
        json.take(b':');
        let text = json.string();
        json.take(b',');
        match text {
            Some(text) => Some((key, text)),
            None => None,
        }
    }
}

/// How many bytes of header there are, by the first bytes of a file.
///
/// `len` is the length of the whole file where it is known.
pub(crate) const fn header_len(start: &[u8], len: Option<u64>) -> Result<u64, Fault> {
    let Some((size, rest)) = start.split_first_chunk::<8>() else { return Err(no_header(start)) };
    let size = u64::from_le_bytes(*size);
    let begins = matches!(rest.trim_ascii_start().first(), Some(b'{') | None);
    if size > MOST || !begins {
        return Err(no_header(start));
    }
    match len {
        Some(len) if size > len - 8 => Err(cut_header(size, len - 8)),
        _ => Ok(size),
    }
}

/// A header of `size` bytes of which only `found` are there.
pub(crate) const fn cut_header(size: u64, found: u64) -> Fault {
    let fault = Fault::expected("a header of ").whole(size).str(" bytes, found ").whole(found);
    fault.str(" before the file ends").help(CUT_SHORT)
}

/// The fault of a file that does not begin as safetensors do.
const fn no_header(start: &[u8]) -> Fault {
    let fault = Fault::expected("a safetensors file, found ");
    match FileKind::of(start) {
        _ if start.is_empty() => fault.str("an empty file").help("write it again: `model.save(path)`"),
        Some(kind) => fault.str(kind.name()).help(kind.weights_help()),
        None if start.len() < 8 => fault.num(start.len()).str(" bytes").help(CUT_SHORT),
        None => fault
            .str("another, which begins with no length of a header")
            .help("weights are read from what `model.save(path)` or `safetensors.torch.save_file` has written"),
    }
}

/// The text of the header of a file that is all there.
pub(crate) const fn header_text(bytes: &[u8]) -> Result<&[u8], Fault> {
    let start = if bytes.len() > crate::file_kind::START { bytes.split_at(crate::file_kind::START).0 } else { bytes };
    match header_len(start, Some(bytes.len() as u64)) {
        Ok(size) => Ok(bytes.split_at(8 + size as usize).0.split_at(8).1),
        Err(fault) => Err(fault),
    }
}

/// How many tensors a header lists, if it can be read.
pub(crate) const fn count(text: &[u8]) -> usize {
    match list(text, &mut []) {
        Ok((count, _)) => count,
        Err(_) => 0,
    }
}

/// Reads a header into as many entries as it [counts](count), and checks the places of their numbers, which
/// begin behind the header and follow each other without a gap, to the end of the file if it is known.
pub(crate) const fn read<'a>(
    text: &'a [u8],
    entries: &mut [Entry],
    len: Option<u64>,
) -> Result<TensorHeader<'a>, Fault> {
    let metadata = match list(text, entries) {
        Ok((_, metadata)) => metadata,
        Err(fault) => return Err(fault),
    };
    sort(entries, By::Place);
    let header = TensorHeader { text, metadata };
    let start = 8 + text.len() as u64;
    let (mut end, mut i) = (start, 0);
    while i < entries.len() {
        let entry = &entries[i];
        if entry.from != end {
            let name = header.name(entry);
            let fault = Fault::of(name.as_str(), "its numbers from byte ").whole(end - start);
            return Err(fault.str(" on, where those before it end, found ").whole(entry.from - start));
        }
        end = entry.to;
        i += 1;
    }
    match len {
        Some(len) if len != end => {
            let fault = Fault::expected("").whole(end).str(" bytes, as its header says, found ").whole(len);
            Err(fault.help(if len < end {
                CUT_SHORT
            } else {
                "the file was not written as a whole: write or fetch it again"
            }))
        }
        _ => Ok(header),
    }
}

impl<const ROOM: usize> Text<ROOM> {
    /// A shape of a file, as much of it as a message has room for.
    pub(crate) const fn dims(self, mut dims: Dims) -> Self {
        let (mut this, mut count) = (self.str("["), 0);
        while let Some(dim) = dims.next() {
            if count < crate::quote::LISTED {
                this = this.str(if count > 0 { ", " } else { "" }).whole(dim);
            }
            count += 1;
        }
        match count > crate::quote::LISTED {
            true => this.str(" and ").num(count - crate::quote::LISTED).str(" more]"),
            false => this.str("]"),
        }
    }
}

/// A text of a header that has been read, as it is.
#[cfg(feature = "alloc")]
pub(crate) fn unescaped(raw: &[u8]) -> String {
    let mut bytes = Unescaped::new(raw);
    let all: Vec<u8> = core::iter::from_fn(|| bytes.next()).collect();
    // It was read as UTF-8, and no escape is anything else.
    String::from_utf8(all).unwrap_or_default()
}
