//! Samples of Parquet files by index. In: columns that have been found; out: the row of a sample, out of a
//! row group that is kept or unpacked now. A row group is unpacked once, whoever else waits for it.

use core::marker::PhantomData;
use std::collections::HashMap;
use std::format;
use std::string::{String, ToString};
use std::sync::{Arc, Mutex, PoisonError};
use std::vec::Vec;

use super::super::{DataError, DataErrorKind, Dataset, Labels, OneTarget, SampleSource, Values};
use super::column::{Cell, CellFault};
use super::table::{Columns, RowGroup, TableFile};
use crate::quote::{listed, quoted};

/// Bytes of row groups that are kept where more than are needed fit.
const ROOM: usize = 64 << 20;

/// Samples in [`Parquet`](super::Parquet) files, for [`fit_source`](crate::train::Trainer::fit_source).
#[derive(Debug)]
pub struct ParquetSource<T: ParquetTargets> {
    files: Vec<TableFile>,
    groups: Vec<RowGroup>,
    /// Samples up to the end of each row group.
    ends: Vec<usize>,
    inputs: Vec<Columns>,
    targets: Columns,
    weights: Option<Columns>,
    /// Classes by name, where the targets are names.
    classes: HashMap<String, u32>,
    mixed: usize,
    /// Row groups that are kept.
    room: usize,
    /// The last ones that were wanted, the latest at the end.
    kept: Mutex<Vec<(usize, Slot<T::Item>)>>,
    of: PhantomData<T>,
}

/// A row group in memory, or on its way there: whoever finds it locked waits for it.
type Slot<I> = Arc<Mutex<Option<Arc<Unpacked<I>>>>>;

/// The rows of a row group, of each input, the targets and the weights.
#[derive(Debug)]
struct Unpacked<I> {
    inputs: Vec<Vec<f32>>,
    targets: Vec<I>,
    weights: Vec<f32>,
}

/// What the targets of a [`Parquet`](super::Parquet) file are: [`Labels`] or [`Values`].
pub trait ParquetTargets: OneTarget + sealed::Cells {}

impl ParquetTargets for Labels {}

impl ParquetTargets for Values {}

pub(super) mod sealed {
    use super::*;

    pub trait Cells: OneTarget {
        #[doc(hidden)]
        fn item(cell: Cell<'_>, classes: &HashMap<String, u32>) -> Result<Self::Item, CellFault>;
    }
}

impl sealed::Cells for Labels {
    fn item(cell: Cell<'_>, classes: &HashMap<String, u32>) -> Result<u32, CellFault> {
        class(cell, classes)
    }
}

impl sealed::Cells for Values {
    fn item(cell: Cell<'_>, _: &HashMap<String, u32>) -> Result<f32, CellFault> {
        number(cell)
    }
}

impl<T: ParquetTargets> ParquetSource<T> {
    /// There is a row group, and each has rows.
    pub(super) fn new(
        files: Vec<TableFile>,
        groups: Vec<RowGroup>,
        (inputs, targets, weights): (Vec<Columns>, Columns, Option<Columns>),
        (classes, mixed): (HashMap<String, u32>, usize),
    ) -> Self {
        let mut samples = 0;
        let end = |group: &RowGroup| {
            samples += group.rows;
            samples
        };
        let ends = groups.iter().map(end).collect();
        let width = inputs.iter().chain(&weights).map(|columns| columns.width).sum::<usize>() + targets.width;
        let largest = groups.iter().map(|group| group.rows).max().unwrap_or(1);
        let room = (ROOM / 4 / width.saturating_mul(largest).max(1)).max(mixed + 1);
        let kept = Mutex::new(Vec::new());
        Self { files, groups, ends, inputs, targets, weights, classes, mixed, room, kept, of: PhantomData }
    }

    /// The row group of a sample, and its row there.
    fn place(&self, index: usize) -> (usize, usize) {
        let group = self.ends.partition_point(|&end| end <= index);
        assert!(group < self.groups.len(), "sample {index} of {}", self.len());
        (group, index + self.groups[group].rows - self.ends[group])
    }

    /// A row group: one that is kept, or unpacked now.
    fn unpacked(&self, group: usize) -> Result<Arc<Unpacked<T::Item>>, DataError> {
        let slot = {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            let found = match kept.iter().position(|(other, _)| *other == group) {
                Some(place) => kept.remove(place),
                None => {
                    if kept.len() >= self.room {
                        kept.remove(0);
                    }
                    (group, Slot::default())
                }
            };
            let slot = Arc::clone(&found.1);
            kept.push(found);
            slot
        };
        let mut there = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(unpacked) = &*there {
            return Ok(Arc::clone(unpacked));
        }
        let unpacked = self.unpack(self.groups[group]).map_err(DataError::elsewhere)?;
        let unpacked = Arc::new(unpacked);
        *there = Some(Arc::clone(&unpacked));
        Ok(unpacked)
    }

    fn unpack(&self, at: RowGroup) -> Result<Unpacked<T::Item>, DataError> {
        let numbers = |columns: &Columns| columns.read(&self.files, at, number);
        let inputs = self.inputs.iter().map(numbers).collect::<Result<_, _>>()?;
        let weights = self.weights.as_ref().map_or(Ok(Vec::new()), numbers)?;
        let targets = self.targets.read(&self.files, at, |cell| T::item(cell, &self.classes))?;
        Ok(Unpacked { inputs, targets, weights })
    }

    /// All samples, in memory.
    ///
    /// # Errors
    /// A value that is none, with its row and column.
    pub fn to_dataset(&self) -> Result<Dataset<T>, DataError> {
        let mut all = Unpacked { inputs: Vec::new(), targets: Vec::new(), weights: Vec::new() };
        for &group in &self.groups {
            let rows = self.unpack(group)?;
            all.inputs.resize(rows.inputs.len(), Vec::new());
            all.inputs.iter_mut().zip(rows.inputs).for_each(|(all, rows)| all.extend(rows));
            all.targets.extend(rows.targets);
            all.weights.extend(rows.weights);
        }
        let mut targets = T::zeros(self.len(), self.targets.width);
        targets.as_mut_slice().copy_from_slice(&all.targets);
        let inputs = self.inputs.iter().zip(all.inputs);
        let mut inputs = inputs.map(|(columns, rows)| Values::new(rows, columns.width));
        let data = Dataset::new(inputs.next().expect("there is an input")?, targets)?;
        let data = inputs.try_fold(data, |data, input| data.with_input(input?))?;
        match &self.weights {
            Some(columns) => data.with_weights((all.weights, columns.width)),
            None => Ok(data),
        }
    }
}

impl<T: ParquetTargets> SampleSource for ParquetSource<T> {
    type Targets = T;

    fn len(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    fn widths(&self) -> Vec<usize> {
        self.inputs.iter().map(|columns| columns.width).collect()
    }

    fn target_width(&self) -> usize {
        self.targets.width
    }

    fn read(&self, index: usize, x: &mut [&mut [f32]], target: &mut [T::Item]) -> Result<(), DataError> {
        let (group, row) = self.place(index);
        let rows = self.unpacked(group)?;
        let of = |width: usize| row * width..(row + 1) * width;
        for ((columns, from), x) in self.inputs.iter().zip(&rows.inputs).zip(x) {
            x.copy_from_slice(&from[of(columns.width)]);
        }
        target.copy_from_slice(&rows.targets[of(self.targets.width)]);
        Ok(())
    }

    fn weights_width(&self) -> usize {
        self.weights.as_ref().map_or(0, |columns| columns.width)
    }

    fn read_weights(&self, index: usize, weights: &mut [f32]) -> Result<(), DataError> {
        let (group, row) = self.place(index);
        let width = weights.len();
        weights.copy_from_slice(&self.unpacked(group)?.weights[row * width..(row + 1) * width]);
        Ok(())
    }

    fn groups(&self) -> Vec<usize> {
        self.groups.iter().map(|group| group.rows).collect()
    }

    fn mixed_groups(&self) -> usize {
        self.mixed
    }
}

/// A number as a network takes it.
fn number(cell: Cell<'_>) -> Result<f32, CellFault> {
    let (exact, found) = match cell {
        Cell::Real(real) if (real as f32).is_finite() => return Ok(real as f32),
        Cell::Real(real) => {
            return Err((DataErrorKind::Number, "a finite number".to_string(), real.to_string()));
        }
        Cell::Whole(whole) => ((whole as f32) as i128 == whole.into(), whole.to_string()),
        Cell::Natural(whole) => ((whole as f32) as u128 == whole.into(), whole.to_string()),
        Cell::Text(_) => (false, "text".to_string()),
    };
    match (exact, cell) {
        (true, Cell::Whole(whole)) => Ok(whole as f32),
        (true, Cell::Natural(whole)) => Ok(whole as f32),
        _ => Err((DataErrorKind::Number, "a number that 32 bits hold".to_string(), found)),
    }
}

/// A class.
fn class(cell: Cell<'_>, names: &HashMap<String, u32>) -> Result<u32, CellFault> {
    let (class, found) = match cell {
        Cell::Whole(whole) => (u32::try_from(whole).ok(), whole.to_string()),
        Cell::Natural(whole) => (u32::try_from(whole).ok(), whole.to_string()),
        Cell::Real(real) => (None, real.to_string()),
        Cell::Text(text) => {
            let text = String::from_utf8_lossy(text);
            let Some(&class) = names.get(&*text) else {
                let mut known: Vec<_> = names.iter().collect();
                known.sort_by_key(|(_, class)| **class);
                let known = listed(known.iter().map(|(name, _)| quoted(name)));
                return Err((DataErrorKind::Label, format!("one of {known}"), quoted(&text)));
            };
            (Some(class), String::new())
        }
    };
    class.ok_or_else(|| (DataErrorKind::Label, "a class, a whole number from 0".to_string(), found))
}
