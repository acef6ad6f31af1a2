//! The values of one column of one row group. In: the bytes of its pages; out: an item for each number of
//! each row, or the row and the column of what is none. No more is kept than has been unpacked.

use std::boxed::Box;
use std::format;
use std::string::{String, ToString};
use std::sync::Arc;
use std::vec::Vec;

use bytes::{Buf, Bytes};
use parquet::basic::Type;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use parquet::data_type::DataType;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;

use super::super::{DataError, DataErrorKind};
use super::leaf::CellKind;
use super::pages;
use crate::save::numbers::NumberType;

/// Numbers that are unpacked at once.
const PIECE: usize = 1 << 14;

/// A value as the file has it.
#[derive(Clone, Copy)]
pub enum Cell<'a> {
    Whole(i64),
    Natural(u64),
    Real(f64),
    Text(&'a [u8]),
}

/// What keeps a value from being taken: what was expected, and what was found.
pub type CellFault = (DataErrorKind, String, String);

/// A column chunk in memory, which stands at `start` of its file.
struct Chunk {
    start: u64,
    bytes: Bytes,
}

impl Length for Chunk {
    fn len(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}

impl Chunk {
    fn from(&self, start: u64) -> ParquetResult<Bytes> {
        let from = start.checked_sub(self.start).and_then(|from| usize::try_from(from).ok());
        let from = from.filter(|&from| from <= self.bytes.len());
        from.map(|from| self.bytes.slice(from..)).ok_or_else(|| ParquetError::EOF("a page elsewhere".to_string()))
    }
}

impl ChunkReader for Chunk {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        Ok(self.from(start)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        let mut from = self.from(start)?;
        if length > from.len() {
            return Err(ParquetError::EOF("a page that ends too early".to_string()));
        }
        Ok(from.split_to(length))
    }
}

/// Which column of which rows is read, for messages too.
pub(super) struct ColumnRows<'a> {
    pub(super) file: &'a str,
    pub(super) column: &'a str,
    pub(super) kind: CellKind,
    /// The row of the file that this group begins with.
    pub(super) first: usize,
    pub(super) rows: usize,
    /// Numbers in each row.
    pub(super) width: usize,
}

impl ColumnRows<'_> {
    fn fault(&self, row: usize, (kind, expected, found): CellFault) -> DataError {
        let place = format!("{}, row {}, column `{}`", self.file, self.first + row, self.column);
        DataError::new(kind, place, expected, found)
    }

    /// Where a number should be, there is none.
    fn missing(&self, row: usize) -> DataError {
        let found = if self.width == 1 { "nothing (null)" } else { "nothing (null, or an empty list)" };
        let fault = self.fault(row, (DataErrorKind::Number, "a value".to_string(), found.to_string()));
        fault.help("fill it or leave the row out before it is written: `df.drop_nulls()`, `df.dropna()`")
    }

    /// Whether the row before this one has as many numbers as the first of the file.
    fn whole_row(&self, row: usize, found: usize) -> Result<(), DataError> {
        if found == self.width {
            return Ok(());
        }
        let expected = format!("{} numbers, as many as in the first row", self.width);
        let fault = self.fault(row.saturating_sub(1), (DataErrorKind::Size, expected, found.to_string()));
        Err(fault.help("fill up or cut lists before they are written, so that all have one length"))
    }

    /// What is wrong with the pages of the column.
    pub(super) fn damaged(&self, found: impl ToString) -> DataError {
        let rows = self.first..self.first + self.rows;
        let place = format!("{}, rows {rows:?}, column `{}`", self.file, self.column);
        let fault = DataError::new(DataErrorKind::Format, place, "pages of Parquet", found.to_string());
        fault.help("the file is damaged: write it again")
    }

    /// The items of all rows, `[rows, width]`, each as `convert` makes it of a value. `bytes` are those of
    /// the chunk, from where it starts in the file.
    pub(super) fn items<I>(
        &self,
        chunk: &ColumnChunkMetaData,
        bytes: Vec<u8>,
        convert: impl Fn(Cell<'_>) -> Result<I, CellFault>,
    ) -> Result<Vec<I>, DataError> {
        let reader = self.reader(chunk, bytes)?;
        let of_i64 = |whole: i64| match self.kind {
            CellKind::Natural => Cell::Natural(whole as u64),
            _ => Cell::Whole(whole),
        };
        let of_i32 = |whole: i32| match self.kind {
            CellKind::Natural => Cell::Natural(u64::from(whole as u32)),
            _ => Cell::Whole(whole.into()),
        };
        let full = chunk.column_descr().max_def_level();
        match reader {
            ColumnReader::BoolColumnReader(reader) => self.read(reader, full, |&v| convert(Cell::Natural(v.into()))),
            ColumnReader::Int32ColumnReader(reader) => self.read(reader, full, |&v| convert(of_i32(v))),
            ColumnReader::Int64ColumnReader(reader) => self.read(reader, full, |&v| convert(of_i64(v))),
            ColumnReader::FloatColumnReader(reader) => self.read(reader, full, |&v| convert(Cell::Real(v.into()))),
            ColumnReader::DoubleColumnReader(reader) => self.read(reader, full, |&v| convert(Cell::Real(v))),
            ColumnReader::ByteArrayColumnReader(reader) => self.read(reader, full, |v| convert(Cell::Text(v.data()))),
            ColumnReader::FixedLenByteArrayColumnReader(reader) => self.read(reader, full, |v| {
                // Of another length, which the schema does not have, it is no number.
                let half = v.data().get(..2).map_or(f32::NAN, |bytes| NumberType::F16.number(bytes, 0));
                convert(Cell::Real(half.into()))
            }),
            ColumnReader::Int96ColumnReader(_) => Err(self.damaged(Type::INT96)),
        }
    }

    fn reader(&self, chunk: &ColumnChunkMetaData, bytes: Vec<u8>) -> Result<ColumnReader, DataError> {
        pages::check(&bytes, chunk.uncompressed_size().unsigned_abs()).map_err(|found| self.damaged(found))?;
        let of_file = Arc::new(Chunk { start: chunk.byte_range().0, bytes: bytes.into() });
        let pages = SerializedPageReader::new(of_file, chunk, self.rows, None);
        let pages = pages.map_err(|error| self.damaged(error))?;
        Ok(get_column_reader(chunk.column_descr_ptr(), Box::new(pages)))
    }

    /// Numbers in the list of the first row, at least 1.
    pub(super) fn first_row(&self, chunk: &ColumnChunkMetaData, bytes: Vec<u8>) -> Result<usize, DataError> {
        fn levels<T: DataType>(mut reader: ColumnReaderImpl<T>) -> ParquetResult<usize> {
            let (mut values, mut defined, mut repeated) = (Vec::new(), Vec::new(), Vec::new());
            let read = reader.read_records(1, Some(&mut defined), Some(&mut repeated), &mut values);
            Ok(read?.2.max(1))
        }
        let levels = match self.reader(chunk, bytes)? {
            ColumnReader::BoolColumnReader(reader) => levels(reader),
            ColumnReader::Int32ColumnReader(reader) => levels(reader),
            ColumnReader::Int64ColumnReader(reader) => levels(reader),
            ColumnReader::Int96ColumnReader(reader) => levels(reader),
            ColumnReader::FloatColumnReader(reader) => levels(reader),
            ColumnReader::DoubleColumnReader(reader) => levels(reader),
            ColumnReader::ByteArrayColumnReader(reader) => levels(reader),
            ColumnReader::FixedLenByteArrayColumnReader(reader) => levels(reader),
        };
        levels.map_err(|error| self.damaged(error))
    }

    fn read<T: DataType, I>(
        &self,
        mut reader: ColumnReaderImpl<T>,
        full: i16,
        take: impl Fn(&T::T) -> Result<I, CellFault>,
    ) -> Result<Vec<I>, DataError> {
        let mut items: Vec<I> = Vec::new();
        let (mut values, mut defined, mut repeated) = (Vec::new(), Vec::new(), Vec::new());
        let (mut rows, mut in_row) = (0, self.width);
        loop {
            values.clear();
            defined.clear();
            repeated.clear();
            let piece = (PIECE / self.width).max(1);
            let read = reader.read_records(piece, Some(&mut defined), Some(&mut repeated), &mut values);
            let (records, _, levels) = read.map_err(|error| self.damaged(error))?;
            if levels == 0 {
                break;
            }
            if rows + records > self.rows {
                return Err(self.damaged(format!("more than {} rows", self.rows)));
            }
            if items.try_reserve(levels).is_err() {
                let found = format!("{} numbers, and no memory for them", self.rows * self.width);
                return Err(self.fault(rows, (DataErrorKind::Memory, "row groups that fit".to_string(), found)));
            }
            let mut values = values.iter();
            for level in 0..levels {
                if repeated.get(level).is_none_or(|&level| level == 0) {
                    self.whole_row(rows, in_row)?;
                    (rows, in_row) = (rows + 1, 0);
                }
                let row = rows.saturating_sub(1);
                if defined.get(level).is_some_and(|&level| level < full) {
                    return Err(self.missing(row));
                }
                in_row += 1;
                let value = values.next().ok_or_else(|| self.damaged("fewer values than it says"))?;
                items.push(take(value).map_err(|refused| self.fault(row, refused))?);
            }
        }
        self.whole_row(rows, in_row)?;
        match rows == self.rows {
            true => Ok(items),
            false => Err(self.damaged(format!("{rows} rows instead of {}", self.rows))),
        }
    }
}
