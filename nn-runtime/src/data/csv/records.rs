//! Records of a CSV file, as RFC 4180 has them: fields between delimiters, quoted where they hold one, a
//! record to a line. Says on which line each begins, and what stops it from being read: a quote that is never
//! closed, or lines that do not end. Memory grows with what comes, and too little of it is an error.

use super::super::{DataError, DataErrorKind};
use crate::file_kind::{FileKind, START};
use std::format;
use std::io::{BufRead, BufReader, Chain, Cursor, ErrorKind, Read};
use std::string::ToString;
use std::vec::Vec;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The fields of a record and the line on which it begins, counted from 1.
#[derive(Clone, Default)]
pub(super) struct Record {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    pub(super) line: u64,
}

impl Record {
    /// The number of fields.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Field `i`, without the blanks around it.
    pub(super) fn field(&self, i: usize) -> &[u8] {
        let from = if i == 0 { 0 } else { self.ends[i - 1] };
        self.bytes[from..self.ends[i]].trim_ascii()
    }

    /// Whether the line holds nothing, not even a delimiter.
    pub(super) fn is_blank(&self) -> bool {
        self.len() <= 1 && self.bytes.trim_ascii().is_empty()
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), DataError> {
        self.bytes.try_reserve(bytes.len()).map_err(|_| self.too_large())?;
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn end_field(&mut self) -> Result<(), DataError> {
        self.ends.try_reserve(1).map_err(|_| self.too_large())?;
        self.ends.push(self.bytes.len());
        Ok(())
    }

    fn too_large(&self) -> DataError {
        let found = format!("{} bytes, and no memory for more", self.bytes.len());
        DataError::new(DataErrorKind::Memory, format!("line {}", self.line), "a line that fits into memory", found)
    }
}

/// Where within a field the next byte stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Plain,
    Quoted,
    /// Behind a quote within a quoted field: the second of two, or the closing one.
    Quote,
}

/// The records of `source`, one at a time.
pub(super) struct Records<'a> {
    source: BufReader<Chain<Cursor<Vec<u8>>, &'a mut dyn Read>>,
    delimiter: u8,
    /// The line that comes next.
    line: u64,
}

impl<'a> Records<'a> {
    pub(super) fn new(source: &'a mut dyn Read, delimiter: u8) -> Result<Self, DataError> {
        // However few bytes a pipe gives at first.
        let mut start = Vec::new();
        let read = (&mut *source).take(START as u64).read_to_end(&mut start);
        read.map_err(|error| DataError::unreadable("reading", error))?;
        refuse_other_files(&start)?;
        if start.starts_with(BYTE_ORDER_MARK) {
            start.drain(..BYTE_ORDER_MARK.len());
        }
        let source = BufReader::with_capacity(1 << 16, Cursor::new(start).chain(source));
        Ok(Records { source, delimiter, line: 1 })
    }

    /// Reads the next record, blank lines included; false at the end of the file.
    pub(super) fn next(&mut self, record: &mut Record) -> Result<bool, DataError> {
        record.bytes.clear();
        record.ends.clear();
        record.line = self.line;
        let (mut state, mut quote_line) = (State::Start, self.line);
        loop {
            let chunk = match self.source.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(DataError::unreadable("reading", error)),
            };
            let mut at = 0;
            if chunk.is_empty() {
                return match state {
                    State::Quoted => Err(never_closed(quote_line)),
                    State::Start if record.ends.is_empty() && record.bytes.is_empty() => Ok(false),
                    _ => record.end_field().map(|()| true),
                };
            }
            while at < chunk.len() {
                let rest = &chunk[at..];
                let special = |byte: &u8| match state {
                    State::Quoted => *byte == b'"',
                    _ => *byte == self.delimiter || matches!(*byte, b'\n' | b'"'),
                };
                let plain = rest.iter().position(special).unwrap_or(rest.len());
                if plain > 0 {
                    let text = &rest[..plain];
                    match state {
                        State::Quoted => self.line += text.iter().filter(|&&byte| byte == b'\n').count() as u64,
                        _ => {
                            refuse_bare_returns(record, text)?;
                            state = State::Plain;
                        }
                    }
                    record.push(text)?;
                    at += plain;
                    continue;
                }
                at += 1;
                match (state, rest[0]) {
                    (State::Quoted, _) => state = State::Quote,
                    (State::Start, b'"') => (state, quote_line) = (State::Quoted, self.line),
                    (State::Quote, b'"') => {
                        record.push(b"\"")?;
                        state = State::Quoted;
                    }
                    (State::Plain, b'"') => record.push(b"\"")?,
                    (_, b'\n') => {
                        record.end_field()?;
                        self.line += 1;
                        self.source.consume(at);
                        return Ok(true);
                    }
                    _ => {
                        record.end_field()?;
                        state = State::Start;
                    }
                }
            }
            self.source.consume(at);
        }
    }
}

/// A file that is no text is told before its bytes are taken for names.
fn refuse_other_files(start: &[u8]) -> Result<(), DataError> {
    match FileKind::of(start) {
        // These may begin like a header.
        None | Some(FileKind::Json | FileKind::Gguf) => Ok(()),
        Some(kind) => {
            let fault = DataError::new(DataErrorKind::Format, "start", "a CSV file", kind.name());
            Err(fault.help(kind.help()))
        }
    }
}

/// Lines that end with carriage returns alone would be one line.
fn refuse_bare_returns(record: &Record, text: &[u8]) -> Result<(), DataError> {
    let bare = |pair: &[u8]| pair[0] == b'\r' && pair[1] != b'\r';
    let before = record.bytes.last() == Some(&b'\r') && record.ends.last() != Some(&record.bytes.len());
    if text.windows(2).any(bare) || before && text[0] != b'\r' {
        let found = "carriage returns alone";
        let fault = DataError::new(
            DataErrorKind::Format,
            format!("line {}", record.line),
            "lines that end with a line feed",
            found.to_string(),
        );
        return Err(fault.help("old programs end lines so: convert the file with `tr '\\r' '\\n'`"));
    }
    Ok(())
}

fn never_closed(line: u64) -> DataError {
    let fault = DataError::new(
        DataErrorKind::Format,
        format!("line {line}"),
        "a quote `\"` that closes the one opened there",
        "none before the file ends",
    );
    fault.help("a quote within a quoted field is written twice: `\"5\"\" pipe\"`")
}

/// Room for `more` numbers; too little memory is an error.
pub(super) fn reserve<N>(numbers: &mut Vec<N>, more: usize, line: u64) -> Result<(), DataError> {
    numbers.try_reserve(more).map_err(|_| {
        let found = format!("{} numbers, and no memory for more", numbers.len());
        DataError::new(DataErrorKind::Memory, format!("line {line}"), "a table that fits into memory", found)
    })
}
