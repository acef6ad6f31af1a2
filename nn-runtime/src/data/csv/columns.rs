//! Which columns of a CSV file become which numbers, and what stands for a field that is missing. In: a
//! header, settings; out: readers of fields, each with what it has seen so far.

use super::super::{DataError, DataErrorKind};
use super::Column;
use super::field::Field;
use super::header::Header;
use super::numbers::{NumberColumn, Offset};
use super::records::reserve;
use std::boxed::Box;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

/// What is done about fields that are missing: empty ones, and those that say `NA`, `N/A`, `NaN`, `null`,
/// `none` or `?`, in small letters or large.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Missing {
    /// The line is left out. The only one that targets take: none is made up.
    Drop,
    /// The mean of the column's other numbers, over the whole file: of a test file that is another one.
    Mean,
    /// What the line before has, which may have it from the one before that: for series.
    Previous,
}

/// How a column of words becomes numbers; the place of a word among these is its category.
#[derive(Clone, Debug)]
pub(super) struct Category {
    pub(super) column: Column,
    pub(super) names: Vec<String>,
    /// A number for each category, or that of the category.
    pub(super) one_hot: bool,
}

/// Which columns are read, by place.
pub(super) struct ColumnPlan {
    pub(super) features: Vec<usize>,
    pub(super) targets: Vec<usize>,
}

/// A column, and what it has come to so far.
pub(super) struct Reader<'a> {
    pub(super) place: usize,
    pub(super) target: bool,
    title: String,
    kind: ColumnKind<'a>,
    /// What the line before has.
    last: Option<f32>,
    /// Of the numbers that are there.
    sum: f64,
    count: usize,
    /// Where the mean is still to be put.
    holes: Vec<usize>,
}

enum ColumnKind<'a> {
    Number(Box<NumberColumn>),
    Category(&'a Category),
}

impl ColumnPlan {
    pub(super) fn new(header: &Header, targets: &[Column], features: Option<&[Column]>) -> Result<Self, DataError> {
        let fault = |place: &str, expected: &str, found: &str| {
            Err(DataError::new(DataErrorKind::Column, place, expected, found))
        };
        let targets = header.places(targets)?;
        let features = match features {
            Some(features) => header.places(features)?,
            None => (0..header.len()).filter(|place| !targets.contains(place)).collect(),
        };
        if let Some(&both) = features.iter().find(|place| targets.contains(place)) {
            let title = format!("column {}", header.title(both));
            return fault(&title, "a target only", "it among the features as well");
        }
        if features.is_empty() {
            return fault("features", "at least one column", "none");
        }
        Ok(Self { features, targets })
    }

    /// The columns of numbers and categories, features before targets; and whether numbers are taken as they
    /// are rounded.
    pub(super) fn readers<'a>(
        &self,
        header: &Header,
        (categories, offsets, rounded): (&'a [Category], &[Offset], bool),
        targets: bool,
    ) -> Result<Vec<Reader<'a>>, DataError> {
        let features = self.features.iter().map(|&place| (place, false));
        let targets = self.targets.iter().filter(|_| targets).map(|&place| (place, true));
        let mut readers: Vec<Reader<'a>> = features
            .chain(targets)
            .map(|(place, target)| {
                let kind = ColumnKind::Number(Box::new(NumberColumn::new(0.0, rounded)));
                let (title, holes) = (header.title(place), Vec::new());
                Reader { place, target, title, kind, last: None, sum: 0.0, count: 0, holes }
            })
            .collect();
        for category in categories {
            let place = header.place(&category.column)?;
            let Some(reader) = readers.iter_mut().find(|reader| reader.place == place && !reader.target) else {
                let expected = format!("column {} among the features", header.title(place));
                return Err(DataError::new(DataErrorKind::Column, "categories", expected, "it elsewhere"));
            };
            if category.names.is_empty() {
                let place = format!("categories of column {}", reader.title);
                return Err(DataError::new(DataErrorKind::Setting, place, "at least one", "none"));
            }
            reader.kind = ColumnKind::Category(category);
        }
        for offset in offsets {
            let place = header.place(&offset.column)?;
            let reader = readers.iter_mut().find(|reader| reader.place == place);
            let Some(Reader { kind: ColumnKind::Number(column), .. }) = reader else {
                let expected = format!("column {} among the features or targets of numbers", header.title(place));
                return Err(DataError::new(DataErrorKind::Column, "subtract", expected, "it elsewhere"));
            };
            let number = offset.number;
            if !number.is_finite() {
                return Err(DataError::new(DataErrorKind::Setting, "subtract", "a finite number", number.to_string()));
            }
            **column = NumberColumn::new(number, rounded);
        }
        Ok(readers)
    }
}

impl Reader<'_> {
    /// How many numbers a line has of it.
    pub(super) fn width(&self) -> usize {
        match self.kind {
            ColumnKind::Category(Category { one_hot: true, names, .. }) => names.len(),
            _ => 1,
        }
    }

    /// Adds its numbers of a line.
    pub(super) fn read(
        &mut self,
        field: &Field<'_>,
        missing: Option<Missing>,
        flat: &mut Vec<f32>,
    ) -> Result<(), DataError> {
        let missing = missing.filter(|_| field.is_missing());
        let number = match (missing, &mut self.kind) {
            (Some(_), _) if self.target => {
                let fault = field.fault(DataErrorKind::Number, "a target");
                return Err(fault.help("none is made up: `.missing(Missing::Drop)` leaves the line out"));
            }
            (Some(Missing::Previous), _) => self.last.ok_or_else(|| {
                let fault = field.fault(DataErrorKind::Number, "a field, as no line before has one");
                fault.help("`.missing(Missing::Drop)` leaves the line out")
            })?,
            (Some(Missing::Mean), ColumnKind::Number(_)) => {
                reserve(&mut self.holes, 1, field.record.line)?;
                self.holes.push(flat.len());
                0.0
            }
            (_, ColumnKind::Number(column)) => {
                let number = field.number(column, &self.title)?;
                self.sum += f64::from(number);
                self.count += 1;
                number
            }
            (_, ColumnKind::Category(category)) => field.named(&category.names)? as f32,
        };
        self.last = Some(number);
        reserve(flat, self.width(), field.record.line)?;
        match self.kind {
            ColumnKind::Category(Category { one_hot: true, names, .. }) => {
                flat.extend((0..names.len()).map(|place| if place as f32 == number { 1.0 } else { 0.0 }));
            }
            _ => flat.push(number),
        }
        Ok(())
    }

    /// All lines are read: whether 32 bits could tell its numbers apart, and the mean where it is wanted.
    pub(super) fn finish(&self, flat: &mut [f32]) -> Result<(), DataError> {
        if let ColumnKind::Number(column) = &self.kind {
            column.check(&self.title)?;
        }
        if !self.holes.is_empty() && self.count == 0 {
            let place = format!("column {}", self.title);
            return Err(DataError::new(
                DataErrorKind::Number,
                place,
                "at least one number to take the mean of",
                "none",
            ));
        }
        let mean = (self.sum / self.count as f64) as f32;
        self.holes.iter().for_each(|&at| flat[at] = mean);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
