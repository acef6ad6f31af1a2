//! Where the numbers of a file are. In: its first bytes and its length; out: a layout that the file holds.

use super::super::{DataError, DataErrorKind};
use super::Dtype;
use crate::file_kind::{FileKind, START};
use crate::quote::quoted;
use std::format;
use std::io::Read;
use std::string::{String, ToString};
use std::vec::Vec;

/// The place of a number: `begin + (row · width + at) · bytes`, all within the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowLayout {
    pub(super) begin: u64,
    pub(super) rows: usize,
    pub(super) width: usize,
    pub(super) number: Dtype,
    pub(super) big_endian: bool,
}

/// Bytes of a header that is longer than any NumPy writes.
const LONGEST: usize = 1 << 16;

fn fault(place: &str, expected: impl Into<String>, found: impl Into<String>) -> DataError {
    DataError::new(DataErrorKind::Format, place, expected, found)
}

/// Numbers of this shape after `begin`, to the end of a file of `len` bytes.
fn layout(begin: u64, shape: &[u64], number: Dtype, big_endian: bool, len: u64) -> Result<RowLayout, DataError> {
    let Some((rows, rest)) = shape.split_first() else {
        return Err(fault("shape", "an axis that counts the rows", "none"));
    };
    let width = rest.iter().try_fold(1u64, |width, axis| width.checked_mul(*axis));
    let bytes = width.and_then(|width| width.checked_mul(*rows)?.checked_mul(number.bytes() as u64));
    if width == Some(0) {
        return Err(fault("shape", "rows of at least 1 number", format!("{shape:?}")));
    }
    let there = len.saturating_sub(begin);
    match (width.and_then(|width| usize::try_from(width).ok()), usize::try_from(*rows), bytes) {
        (Some(width), Ok(rows), Some(bytes)) if bytes == there => {
            Ok(RowLayout { begin, rows, width, number, big_endian })
        }
        (.., bytes) => {
            let all = bytes.map_or("more than there can be".to_string(), |bytes| bytes.to_string());
            let fault = fault("numbers", format!("{all} bytes, of the shape {shape:?}"), there.to_string());
            Err(fault.help("the file is cut short, or its header is wrong: make it again"))
        }
    }
}

/// A file from its start on, and the first bytes of it, so that what it is can be told.
fn started<'f>(file: &'f mut dyn Read, what: &str, n: usize) -> Result<(Vec<u8>, impl Read + 'f), DataError> {
    let mut start = Vec::with_capacity(START);
    file.take(START as u64).read_to_end(&mut start).map_err(|error| DataError::unreadable("start", error))?;
    if start.is_empty() {
        return Err(fault("start", what, "an empty file").help("make it again"));
    }
    if start.len() < n {
        return Err(other(&start, what));
    }
    Ok((start.clone(), std::io::Cursor::new(start).chain(file)))
}

/// The first `n` bytes from here, which are few, or as many as the file may have.
fn take(file: &mut dyn Read, what: &str, n: usize) -> Result<Vec<u8>, DataError> {
    let mut bytes = Vec::with_capacity(n);
    file.take(n as u64).read_to_end(&mut bytes).map_err(|error| DataError::unreadable(what, error))?;
    match bytes.len() == n {
        true => Ok(bytes),
        false => Err(fault(what, format!("{n} bytes"), format!("{} before the file ends", bytes.len()))),
    }
}

/// What a file is that is not what it should be.
fn other(start: &[u8], what: &str) -> DataError {
    match FileKind::of(&start[..start.len().min(START)]) {
        Some(FileKind::Gzip) => fault("start", what, FileKind::Gzip.name()).help("unpack it: `gunzip FILE`"),
        Some(kind) => fault("start", what, kind.name()).help(kind.help()),
        None => {
            let start = &start[..start.len().min(8)];
            fault("start", what, format!("{start:02x?}")).help("give another file, or `Rows::raw` what it holds")
        }
    }
}

/// Two zero bytes, the type of the numbers, how many axes, the axes; all of it the highest byte first.
pub(super) fn idx(file: &mut dyn Read, len: u64) -> Result<RowLayout, DataError> {
    let expected = "an IDX file: two zero bytes, a type, a number of axes";
    let (start, mut file) = started(file, expected, 4)?;
    let file: &mut dyn Read = &mut file;
    let magic = take(file, "start", 4)?;
    let number = match magic[..] {
        [0, 0, 0x08, _] => Dtype::U8,
        [0, 0, 0x09, _] => Dtype::I8,
        [0, 0, 0x0b, _] => Dtype::I16,
        [0, 0, 0x0c, _] => Dtype::I32,
        [0, 0, 0x0d, _] => Dtype::F32,
        [0, 0, 0x0e, _] => Dtype::F64,
        _ => return Err(other(&start, expected)),
    };
    let axes = usize::from(magic[3]);
    let sizes = take(file, "axes", 4 * axes)?;
    let size = |bytes: &[u8]| bytes.iter().fold(0, |size, byte| size << 8 | u64::from(*byte));
    let shape: Vec<u64> = sizes.chunks_exact(4).map(size).collect();
    layout(4 + sizes.len() as u64, &shape, number, true, len)
}

/// A mark, a version, the length of a header, and that: a dictionary as Python writes it.
pub(super) fn npy(file: &mut dyn Read, len: u64) -> Result<RowLayout, DataError> {
    let (start, mut file) = started(file, "an npy file", 8)?;
    let file: &mut dyn Read = &mut file;
    take(file, "start", 8)?;
    if !start.starts_with(b"\x93NUMPY") {
        return Err(other(&start, "an npy file"));
    }
    let size = match start[6] {
        1 => 2,
        2 | 3 => 4,
        version => return Err(fault("version", "1, 2 or 3", version.to_string())),
    };
    let bytes = take(file, "header", size)?;
    let header = bytes.iter().rev().fold(0, |all, byte| all << 8 | usize::from(*byte));
    if header > LONGEST {
        return Err(fault("header", format!("at most {LONGEST} bytes"), header.to_string()));
    }
    let begin = (8 + size + header) as u64;
    if begin > len {
        let there = len.saturating_sub((8 + size) as u64);
        return Err(fault("header", format!("{header} bytes"), format!("{there} before the file ends")));
    }
    let text = take(file, "header", header)?;
    let text = String::from_utf8(text).map_err(|_| fault("header", "text", "bytes that are none"))?;
    let after = |key: &str| {
        let value = text.split_once(&format!("'{key}':")).map(|(_, value)| value.trim_start());
        value.ok_or_else(|| fault("header", format!("a value of `{key}`"), quoted(&text)))
    };
    let descr = after("descr")?;
    let kind = descr.strip_prefix('\'').and_then(|rest| rest.split_once('\'')).map(|(kind, _)| kind);
    let numbers = "numbers such as `<f4`, `|u1` or `<i8`";
    let Some((order, kind)) = kind.and_then(|kind| kind.split_at_checked(1)) else {
        return Err(fault("descr", numbers, quoted(descr)).help("save one plain array: `np.save(file, array)`"));
    };
    let number = match kind {
        "b1" => Dtype::Bool,
        "u1" => Dtype::U8,
        "i1" => Dtype::I8,
        "u2" => Dtype::U16,
        "i2" => Dtype::I16,
        "u4" => Dtype::U32,
        "i4" => Dtype::I32,
        "u8" => Dtype::U64,
        "i8" => Dtype::I64,
        "f4" => Dtype::F32,
        "f8" => Dtype::F64,
        _ => {
            let fault = fault("descr", numbers, quoted(&format!("{order}{kind}")));
            return Err(fault.help("save it as `array.astype(np.float32)`"));
        }
    };
    let big_endian = match order {
        "<" | "|" | "=" => false,
        ">" => true,
        _ => return Err(fault("descr", numbers, quoted(&format!("{order}{kind}")))),
    };
    let shape = after("shape")?;
    let axes = shape.strip_prefix('(').and_then(|rest| rest.split_once(')')).map(|(axes, _)| axes);
    let axes = axes.ok_or_else(|| fault("shape", "axes between parentheses", quoted(shape)))?;
    let axes = axes.split(',').map(str::trim).filter(|axis| !axis.is_empty()).map(str::parse);
    let axes: Vec<u64> = axes.collect::<Result<_, _>>().map_err(|_| fault("shape", "whole numbers", quoted(shape)))?;
    let order = after("fortran_order")?;
    if !order.starts_with("False") && axes.len() > 1 {
        let fault = fault("fortran_order", "`False`: rows one after the other", quoted(order));
        return Err(fault.help("save it as `np.ascontiguousarray(array)`"));
    }
    layout(begin, &axes, number, big_endian, len)
}

pub(super) fn raw(width: usize, number: Dtype, skip: u64, len: u64) -> Result<RowLayout, DataError> {
    if width == 0 {
        return Err(DataError::new(DataErrorKind::Setting, "width", "at least 1 number in a row", "0"));
    }
    let row = (width as u64).checked_mul(number.bytes() as u64);
    match (row, len.checked_sub(skip)) {
        (Some(row), Some(there)) if there.is_multiple_of(row) => {
            layout(skip, &[there / row, width as u64], number, false, len)
        }
        (row, _) => {
            let row = row.map_or("too many".to_string(), |row| row.to_string());
            let found = format!("{len} bytes, the first {skip} of which are skipped");
            Err(fault("length", format!("rows of {row} bytes"), found))
        }
    }
}
