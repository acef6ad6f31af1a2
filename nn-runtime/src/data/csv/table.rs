//! A CSV file line by line: its first line, and what is done with those after it. In: settings, a reader;
//! out: the numbers of features and targets.

use super::super::{DataError, DataErrorKind, Dataset, Labels, Samples, Values};
use super::Column;
use super::columns::{Category, ColumnPlan, Missing};
use super::field::Field;
use super::header::Header;
use super::numbers::Offset;
use super::records::{Record, Records, reserve};
use std::format;
use std::io::Read;
use std::string::{String, ToString};
use std::vec::Vec;

/// How a file is read, whatever it comes from: what does the work is compiled once, here.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) name: String,
    pub(super) headers: Option<bool>,
    pub(super) delimiter: u8,
    pub(super) features: Option<Vec<Column>>,
    pub(super) offsets: Vec<Offset>,
    pub(super) rounded: bool,
    pub(super) missing: Option<Missing>,
    pub(super) categories: Vec<Category>,
}

/// What is done with a field that names a class.
type TakeLabel<'a, 'b> = &'a mut (dyn FnMut(&Field<'_>) -> Result<(), DataError> + 'b);

/// All numbers of a file.
pub(super) struct Table {
    pub(super) features: Values,
    pub(super) targets: Vec<f32>,
}

/// A file whose first line has been read.
struct Begun<'a> {
    header: Header,
    records: Records<'a>,
    record: Record,
}

impl Options {
    pub(super) fn labelled(
        self,
        source: &mut dyn Read,
        target: Column,
        class: &dyn Fn(&Field<'_>) -> Result<u32, DataError>,
    ) -> Result<Dataset<Labels>, DataError> {
        let mut labels: Vec<u32> = Vec::new();
        let mut take = |field: &Field<'_>| {
            let class = class(field)?;
            reserve(&mut labels, 1, field.record.line)?;
            labels.push(class);
            Ok(())
        };
        let table = self.read(source, &[target], Some(&mut take))?;
        Dataset::new(table.features, Labels::from_classes(labels))
    }

    /// Features and targets line by line; targets that are no numbers are given to `take`.
    pub(super) fn read(
        self,
        source: &mut dyn Read,
        targets: &[Column],
        take: Option<TakeLabel<'_, '_>>,
    ) -> Result<Table, DataError> {
        self.table(source, targets, take).map_err(|fault| fault.in_file(&self.name))
    }

    fn table(
        &self,
        source: &mut dyn Read,
        targets: &[Column],
        mut take: Option<TakeLabel<'_, '_>>,
    ) -> Result<Table, DataError> {
        let asked = [targets, self.features.as_deref().unwrap_or(&[])].concat();
        let begun = self.begin(source, &asked)?;
        let plan = ColumnPlan::new(&begun.header, targets, self.features.as_deref())?;
        let mut readers =
            plan.readers(&begun.header, (&self.categories, &self.offsets, self.rounded), take.is_none())?;
        let mut flat: [Vec<f32>; 2] = [Vec::new(), Vec::new()];
        self.each_record(begun, |header, record| {
            let field = |place: usize| Field { record, place, header, delimiter: self.delimiter };
            let mut read = plan.features.iter().chain(&plan.targets);
            if self.missing == Some(Missing::Drop) && read.any(|&place| field(place).is_missing()) {
                return Ok(());
            }
            for reader in &mut readers {
                reader.read(&field(reader.place), self.missing, &mut flat[usize::from(reader.target)])?;
            }
            match &mut take {
                Some(take) => plan.targets.iter().try_for_each(|&place| take(&field(place))),
                None => Ok(()),
            }
        })?;
        let [mut features, mut targets] = flat;
        if features.is_empty() {
            return Err(DataError::new(DataErrorKind::Format, "line 2", "a line of numbers", "none"));
        }
        for reader in &readers {
            reader.finish(if reader.target { &mut targets } else { &mut features })?;
        }
        let width = readers.iter().filter(|reader| !reader.target).map(|reader| reader.width()).sum::<usize>();
        Ok(Table { features: (features, width).into_values()?, targets })
    }

    /// Gives `take` one field of every line.
    pub(super) fn each_field(
        self,
        source: &mut dyn Read,
        column: Column,
        take: TakeLabel<'_, '_>,
    ) -> Result<(), DataError> {
        let all = || {
            let asked = [column];
            let begun = self.begin(source, &asked)?;
            let place = begun.header.place(&asked[0])?;
            self.each_record(begun, |header, record| take(&Field { record, place, header, delimiter: self.delimiter }))
        };
        all().map_err(|fault| fault.in_file(&self.name))
    }

    /// Reads as far as the first line.
    fn begin<'a>(&self, source: &'a mut dyn Read, asked: &[Column]) -> Result<Begun<'a>, DataError> {
        if matches!(self.delimiter, b'"' | b'\n' | b'\r') {
            let found = format!("`{}`", self.delimiter.escape_ascii());
            return Err(DataError::new(
                DataErrorKind::Setting,
                "delimiter",
                "what neither quotes nor ends a line",
                found,
            ));
        }
        let mut records = Records::new(source, self.delimiter)?;
        let mut record = Record::default();
        loop {
            if !records.next(&mut record)? {
                return Err(DataError::new(DataErrorKind::Format, "line 1", "a line of fields", "none"));
            }
            if !record.is_blank() {
                break;
            }
        }
        let header = Header::new(record.clone(), self.headers, self.delimiter, asked)?;
        Ok(Begun { header, records, record })
    }

    /// Gives `each` the records that are data, none of them blank, each with as many fields as the first.
    fn each_record(
        &self,
        Begun { header, mut records, mut record }: Begun<'_>,
        mut each: impl FnMut(&Header, &Record) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        // Without a header the first line is the first of the data.
        let mut more = !header.named || records.next(&mut record)?;
        while more {
            if !record.is_blank() {
                if record.len() != header.len() {
                    let expected = format!("{} fields, as in the first line", header.len());
                    let place = format!("line {}", record.line);
                    return Err(DataError::new(DataErrorKind::Format, place, expected, record.len().to_string()));
                }
                each(&header, &record)?;
            }
            more = records.next(&mut record)?;
        }
        Ok(())
    }
}
