//! Rows of numbers in a file, read one at a time: IDX, npy, or raw. In: a file that may be larger than
//! memory; out: the numbers of a row. A header is not trusted: what it claims has to be there.

mod header;

use super::{DataError, DataErrorKind};
use crate::os::{SharedFile, quoted_path};
use header::RowLayout;
use std::format;
use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::Path;
use std::string::{String, ToString};

/// The numbers of a file, and how its bytes are one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Dtype {
    /// 0 or 1, a byte each.
    Bool,
    /// From 0 to 255.
    U8,
    /// From -128 to 127.
    I8,
    /// 16 bits without sign.
    U16,
    /// 16 bits with sign.
    I16,
    /// 32 bits without sign.
    U32,
    /// 32 bits with sign.
    I32,
    /// 64 bits without sign.
    U64,
    /// 64 bits with sign.
    I64,
    /// Real, 32 bits.
    F32,
    /// Real, 64 bits; rounded to 32.
    F64,
}

impl Dtype {
    fn bytes(self) -> usize {
        match self {
            Dtype::Bool | Dtype::U8 | Dtype::I8 => 1,
            Dtype::U16 | Dtype::I16 => 2,
            Dtype::U32 | Dtype::I32 | Dtype::F32 => 4,
            Dtype::U64 | Dtype::I64 | Dtype::F64 => 8,
        }
    }
}

/// A number as a file has it.
#[derive(Clone, Copy)]
enum RawNumber {
    Whole(i128),
    Real(f64),
}

/// Rows of a file, the same number of numbers each; none of them is in memory. What [`OnDisk`](super::OnDisk)
/// is made of.
///
/// ```
/// use nn_runtime::data::{Dtype, Rows};
///
/// let path = std::env::temp_dir().join(format!("rows-{}.raw", std::process::id()));
/// std::fs::write(&path, [7, 0, 1, 0, 2, 0, 3, 0, 4, 0])?;
///
/// let rows = Rows::raw(&path, 2, Dtype::I16, 2)?; // two numbers a row, after 2 bytes of something else
/// assert_eq!((rows.len(), rows.width()), (2, 2));
/// let mut row = [0.0; 2];
/// rows.scale(0.5).read(1, &mut row)?;
/// assert_eq!(row, [1.5, 2.0]);
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Rows {
    name: String,
    file: SharedFile,
    layout: RowLayout,
    scale: f32,
}

impl Rows {
    /// An IDX file, as MNIST's, not gzipped: the first axis counts the rows.
    ///
    /// # Errors
    /// A file that cannot be read, is no IDX file, or holds fewer or more bytes than its header says.
    pub fn idx(path: impl AsRef<Path>) -> Result<Rows, DataError> {
        Rows::open(path.as_ref(), |file, len| header::idx(file, len))
    }

    /// A file of NumPy's `save`: the first axis counts the rows.
    ///
    /// # Errors
    /// A file that cannot be read, is no npy file, is in Fortran's order, has numbers of another kind than
    /// [`Dtype`]'s, or holds fewer or more bytes than its header says.
    pub fn npy(path: impl AsRef<Path>) -> Result<Rows, DataError> {
        Rows::open(path.as_ref(), |file, len| header::npy(file, len))
    }

    /// Numbers one after the other, the lowest byte of each first, `width` in a row, after `skip` bytes of
    /// something else.
    ///
    /// # Errors
    /// A file that cannot be read, or does not hold whole rows; a width of 0.
    pub fn raw(path: impl AsRef<Path>, width: usize, number: Dtype, skip: u64) -> Result<Rows, DataError> {
        Rows::open(path.as_ref(), |_, len| header::raw(width, number, skip, len))
    }

    fn open(
        path: &Path,
        layout: impl FnOnce(&mut File, u64) -> Result<RowLayout, DataError>,
    ) -> Result<Rows, DataError> {
        let name = quoted_path(path);
        let open = || {
            let mut file = File::open(path)?;
            let len = file.seek(SeekFrom::End(0))?;
            file.rewind()?;
            Ok((file, len))
        };
        let (mut file, len) = open().map_err(|error| DataError::unreadable(name.clone(), error))?;
        let layout = layout(&mut file, len).map_err(|fault| fault.in_file(&name))?;
        Ok(Rows { name, file: SharedFile::new(file), layout, scale: 1.0 })
    }

    /// Multiplies every number by `by`: pixels from 0 to 255 want `scale(1.0 / 255.0)`.
    #[must_use]
    pub fn scale(mut self, by: f32) -> Rows {
        self.scale *= by;
        self
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.layout.rows
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Numbers in a row, at least 1.
    #[must_use]
    pub fn width(&self) -> usize {
        self.layout.width
    }

    /// Reads row `i` into `row`, `[width]`.
    ///
    /// # Errors
    /// The file cannot be read there; a whole number that 32 bits do not hold.
    ///
    /// # Panics
    /// If `i >= self.len()`, or `row` is of another width.
    pub fn read(&self, i: usize, row: &mut [f32]) -> Result<(), DataError> {
        let RowLayout { number, big_endian: big, .. } = self.layout;
        self.pieces(i, row.len(), |at, bytes| {
            let row = &mut row[at..][..bytes.len() / number.bytes()];
            match number {
                // All of these are numbers of 32 bits, F64 once it is rounded.
                Dtype::F32 => read_each(bytes, big, row, f32::from_le_bytes),
                Dtype::F64 => read_each(bytes, big, row, |bytes| f64::from_le_bytes(bytes) as f32),
                Dtype::Bool | Dtype::U8 => read_each(bytes, big, row, |[byte]| byte.into()),
                Dtype::I8 => read_each(bytes, big, row, |bytes| i8::from_le_bytes(bytes).into()),
                Dtype::U16 => read_each(bytes, big, row, |bytes| u16::from_le_bytes(bytes).into()),
                Dtype::I16 => read_each(bytes, big, row, |bytes| i16::from_le_bytes(bytes).into()),
                Dtype::U32 | Dtype::I32 | Dtype::U64 | Dtype::I64 => {
                    for (k, (to, bytes)) in row.iter_mut().zip(bytes.chunks_exact(number.bytes())).enumerate() {
                        *to = match exact(number, big, bytes) {
                            RawNumber::Whole(whole) if whole as f32 as i128 != whole => {
                                return Err(self.fault(i, at + k, "a number that 32 bits hold", whole));
                            }
                            RawNumber::Whole(whole) => whole as f32,
                            RawNumber::Real(real) => real as f32,
                        };
                    }
                }
            }
            row.iter_mut().for_each(|number| *number *= self.scale);
            Ok(())
        })
    }

    /// Reads row `i` as classes, which are not scaled.
    pub(super) fn read_classes(&self, i: usize, row: &mut [u32]) -> Result<(), DataError> {
        let RowLayout { number, big_endian, .. } = self.layout;
        self.pieces(i, row.len(), |at, bytes| {
            for (k, bytes) in bytes.chunks_exact(number.bytes()).enumerate() {
                let whole = match exact(number, big_endian, bytes) {
                    RawNumber::Whole(whole) => u32::try_from(whole).map_err(|_| whole.to_string()),
                    RawNumber::Real(real) => Err(real.to_string()),
                };
                let fault = |found| self.fault(i, at + k, "a class, a whole number from 0", found);
                row[at + k] = whole.map_err(fault)?;
            }
            Ok(())
        })
    }

    fn fault(&self, row: usize, at: usize, expected: &str, found: impl ToString) -> DataError {
        let place = format!("{}, row {row}, number {at}", self.name);
        DataError::new(DataErrorKind::Number, place, expected, found.to_string())
    }

    /// Gives `take` the bytes of a row, some numbers at a time, and how many numbers came before.
    fn pieces(
        &self,
        i: usize,
        width: usize,
        mut take: impl FnMut(usize, &[u8]) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        let RowLayout { begin, rows, width: own, number, .. } = self.layout;
        assert!(i < rows && width == own, "row {i} of {rows}, {width} numbers of {own}");
        let size = number.bytes();
        // A few numbers at a time: no memory is taken, and one call reads a small image.
        let mut bytes = [0; 4096];
        let mut at = 0;
        while at < width {
            let count = (4096 / size).min(width - at);
            let piece = &mut bytes[..count * size];
            // No overflow: the file is as long.
            let read = self.file.read_at(begin + ((i * width + at) * size) as u64, piece);
            read.map_err(|error| DataError::unreadable(self.name.clone(), error))?;
            take(at, piece)?;
            at += count;
        }
        Ok(())
    }
}

/// Numbers of `N` bytes each.
fn read_each<const N: usize>(bytes: &[u8], big_endian: bool, row: &mut [f32], number: impl Fn([u8; N]) -> f32) {
    for (to, bytes) in row.iter_mut().zip(bytes.as_chunks::<N>().0) {
        let mut bytes = *bytes;
        if big_endian {
            bytes.reverse();
        }
        *to = number(bytes);
    }
}

/// The number that these bytes are.
fn exact(number: Dtype, big_endian: bool, bytes: &[u8]) -> RawNumber {
    let mut all = [0; 8];
    all[..bytes.len()].copy_from_slice(bytes);
    if big_endian {
        all[..bytes.len()].reverse();
    }
    let word = u64::from_le_bytes(all);
    match number {
        Dtype::Bool | Dtype::U8 | Dtype::U16 | Dtype::U32 | Dtype::U64 => RawNumber::Whole(word.into()),
        Dtype::I8 => RawNumber::Whole((word as i8).into()),
        Dtype::I16 => RawNumber::Whole((word as i16).into()),
        Dtype::I32 => RawNumber::Whole((word as i32).into()),
        Dtype::I64 => RawNumber::Whole((word as i64).into()),
        Dtype::F32 => RawNumber::Real(f32::from_bits(word as u32).into()),
        Dtype::F64 => RawNumber::Real(f64::from_bits(word)),
    }
}

#[cfg(test)]
mod tests;
