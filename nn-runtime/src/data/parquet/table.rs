//! Row groups of files, and which of their columns are inputs, targets and weights. In: metadata and names;
//! out: the numbers of a row group, row by row. It keeps none of them.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::string::{String, ToString};
use std::sync::{Mutex, PoisonError};
use std::vec::Vec;
use std::{format, mem};

use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader};

use super::super::{DataError, DataErrorKind};
use super::column::{Cell, CellFault, ColumnRows};
use super::leaf::{CellKind, Wanted, find, names};
use crate::file_kind::{FileKind, START};
use crate::os::quoted_path;

/// A file, whose metadata are in memory.
#[derive(Debug)]
pub(super) struct TableFile {
    name: String,
    file: Mutex<File>,
    metadata: ParquetMetaData,
}

/// Rows that are read together.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowGroup {
    file: usize,
    group: usize,
    /// The row of the file that it begins with.
    first: usize,
    pub(super) rows: usize,
}

/// A column, in each file.
#[derive(Debug)]
struct TableColumn {
    name: String,
    leaves: Vec<(usize, CellKind)>,
    width: usize,
}

/// Columns that stand side by side.
#[derive(Debug)]
pub(super) struct Columns {
    columns: Vec<TableColumn>,
    pub(super) width: usize,
}

impl TableFile {
    pub(super) fn open(path: &Path) -> Result<TableFile, DataError> {
        let name = quoted_path(path);
        let unreadable = |error| DataError::unreadable(name.clone(), error);
        let mut file = File::open(path).map_err(unreadable)?;
        let len = file.seek(SeekFrom::End(0)).map_err(unreadable)?;
        let metadata = match ParquetMetaDataReader::new().parse_and_finish(&file) {
            Ok(metadata) => metadata,
            Err(error) => {
                let mut start = Vec::new();
                file.rewind()
                    .and_then(|()| file.by_ref().take(START as u64).read_to_end(&mut start))
                    .map_err(unreadable)?;
                let fault = |found| DataError::new(DataErrorKind::Format, name.clone(), "a Parquet file", found);
                return Err(match FileKind::of(&start) {
                    Some(kind) => fault(kind.name().to_string()).help(kind.help()),
                    None => fault(error.to_string()),
                });
            }
        };
        let table = TableFile { name, file: Mutex::new(file), metadata };
        table.check(len).map_err(|(expected, found)| {
            let fault = DataError::new(DataErrorKind::Format, "metadata", expected, found).in_file(&table.name);
            fault.help("the file is damaged: write it again")
        })?;
        Ok(table)
    }

    /// Whether what the metadata claim can be: column chunks within the file, of as many values as rows.
    fn check(&self, len: u64) -> Result<(), (String, String)> {
        let mut rows = 0i64;
        for (g, group) in self.metadata.row_groups().iter().enumerate() {
            if group.num_rows() < 0 || usize::try_from(group.num_rows()).is_err() {
                return Err((format!("rows of row group {g}"), group.num_rows().to_string()));
            }
            rows = rows.saturating_add(group.num_rows());
            if group.columns().len() != self.metadata.file_metadata().schema_descr().num_columns() {
                let columns = self.metadata.file_metadata().schema_descr().num_columns();
                return Err((format!("{columns} columns in row group {g}"), group.columns().len().to_string()));
            }
            for chunk in group.columns() {
                let place = || format!("column `{}` of row group {g}", chunk.column_path().string());
                let start = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset());
                let end = start.checked_add(chunk.compressed_size());
                if start < 0 || chunk.compressed_size() < 0 || end.is_none_or(|end| end as u64 > len) {
                    let expected = format!("{} within the {len} bytes of the file", place());
                    return Err((expected, format!("{} bytes from {start}", chunk.compressed_size())));
                }
                if chunk.uncompressed_size() < 0 {
                    return Err((format!("the size of {}", place()), chunk.uncompressed_size().to_string()));
                }
                // A row of a list has at least one value, or a place of none.
                let flat = chunk.column_descr().max_rep_level() == 0;
                let (values, rows) = (chunk.num_values(), group.num_rows());
                if values < rows || flat && values != rows {
                    return Err((format!("{rows} values in {}", place()), values.to_string()));
                }
            }
        }
        match rows == self.metadata.file_metadata().num_rows() {
            true => Ok(()),
            false => Err((format!("{} rows", self.metadata.file_metadata().num_rows()), rows.to_string())),
        }
    }

    pub(super) fn columns(&self) -> Vec<String> {
        names(self.metadata.file_metadata().schema_descr())
    }

    fn bytes(&self, from: u64, len: usize) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        // As long as the file says, which has been looked at.
        bytes.try_reserve_exact(len)?;
        // Whoever panicked had the file stand elsewhere, and so does everybody.
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(from))?;
        file.by_ref().take(len as u64).read_to_end(&mut bytes)?;
        match bytes.len() == len {
            true => Ok(bytes),
            false => Err(std::io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// The bytes of a column chunk.
    fn chunk(&self, chunk: &ColumnChunkMetaData) -> Result<Vec<u8>, DataError> {
        // Neither is negative: both have been looked at.
        let (start, len) = chunk.byte_range();
        self.bytes(start, len as usize).map_err(|error| DataError::unreadable(self.name.clone(), error))
    }
}

/// The row groups of all files that have rows.
pub(super) fn row_groups(files: &[TableFile]) -> Vec<RowGroup> {
    let mut groups = Vec::new();
    for (file, table) in files.iter().enumerate() {
        let mut first = 0;
        for (group, metadata) in table.metadata.row_groups().iter().enumerate() {
            // It has been looked at when the file was opened.
            let rows = metadata.num_rows() as usize;
            if rows > 0 {
                groups.push(RowGroup { file, group, first, rows });
            }
            first += rows;
        }
    }
    groups
}

impl TableColumn {
    /// What is read of it in a row group.
    fn place<'a>(&'a self, files: &'a [TableFile], at: RowGroup) -> (ColumnRows<'a>, &'a ColumnChunkMetaData) {
        let (leaf, kind) = self.leaves[at.file];
        let file = &files[at.file];
        let (column, rows, width) = (&self.name[..], at.rows, self.width);
        let place = ColumnRows { file: &file.name, column, kind, first: at.first, rows, width };
        (place, file.metadata.row_group(at.group).column(leaf))
    }
}

impl Columns {
    /// The columns of these names. How many numbers a list has is what the first row has.
    pub(super) fn find(
        files: &[TableFile],
        groups: &[RowGroup],
        names: &[String],
        wanted: Wanted,
    ) -> Result<Columns, DataError> {
        let mut columns: Vec<TableColumn> = Vec::new();
        for name in names {
            if columns.iter().any(|column| column.name == *name) {
                let place = format!("column `{name}`");
                return Err(DataError::new(DataErrorKind::Column, place, "to be asked for once", "twice"));
            }
            let leaf = |file: &TableFile| {
                let found = find(file.metadata.file_metadata().schema_descr(), name, wanted);
                found.map_err(|fault| fault.in_file(&file.name))
            };
            let leaves = files.iter().map(leaf).collect::<Result<Vec<_>, _>>()?;
            let mut column = TableColumn { name: name.clone(), leaves, width: 1 };
            let (place, chunk) = column.place(files, groups[0]);
            if chunk.column_descr().max_rep_level() > 0 {
                column.width = place.first_row(chunk, files[groups[0].file].chunk(chunk)?)?;
            }
            columns.push(column);
        }
        let width = columns.iter().try_fold(0usize, |all, column| all.checked_add(column.width));
        match width.filter(|&width| width < usize::MAX >> 8) {
            Some(width) => Ok(Columns { columns, width }),
            None => Err(DataError::new(DataErrorKind::Size, "columns", "lists that fit", "longer ones")),
        }
    }

    /// The items of a row group, `[rows, width]`.
    pub(super) fn read<I: Copy>(
        &self,
        files: &[TableFile],
        at: RowGroup,
        convert: impl Fn(Cell<'_>) -> Result<I, CellFault>,
    ) -> Result<Vec<I>, DataError> {
        let file = &files[at.file];
        let mut all = Vec::new();
        for column in &self.columns {
            let (place, chunk) = column.place(files, at);
            all.push(place.items(chunk, file.chunk(chunk)?, &convert)?);
        }
        if let [one] = &mut all[..] {
            return Ok(mem::take(one));
        }
        // All of them are here: there is as much again.
        let mut rows = Vec::with_capacity(at.rows * self.width);
        for row in 0..at.rows {
            for (column, items) in self.columns.iter().zip(&all) {
                rows.extend_from_slice(&items[row * column.width..][..column.width]);
            }
        }
        Ok(rows)
    }
}
