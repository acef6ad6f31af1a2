//! Tables of numbers from CSV files: a file or a reader, which columns are the target and which the features,
//! to a dataset. Nothing is guessed at: a field that is no number is an error with its file, line and column.

mod field;
mod header;
mod numbers;
mod records;

use super::error::shown;
use super::{DataError, DataErrorKind, Dataset, Labels, Samples, Values};
use field::Field;
use header::Header;
use numbers::{NumberColumn, Offset};
use records::{Record, Records};
use std::borrow::ToOwned;
use std::format;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::string::{String, ToString};
use std::vec::Vec;

/// A column, by its name in the header or by its place, counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Column {
    /// By name.
    Name(String),
    /// By place.
    Place(usize),
}

impl From<&str> for Column {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl From<usize> for Column {
    fn from(place: usize) -> Self {
        Self::Place(place)
    }
}

/// A CSV file to be read. Unless told otherwise the first line is a header, commas separate the fields, and
/// every column but the targets is a feature. Spaces around fields do not count.
///
/// ```
/// use nn_runtime::data::Csv;
///
/// let file = "rooms,age,price\n 3, 10, 250.5\n 5, 2, 480\n";
/// let houses = Csv::new(file.as_bytes()).values(["price"])?;
/// assert_eq!(houses.input(0, 1), [5.0, 2.0]);
/// assert_eq!(houses.targets().as_slice(), [250.5, 480.0]);
///
/// let file = "5.1;3.5;setosa\n6.2;2.9;virginica\n";
/// let iris = Csv::new(file.as_bytes()).headers(false).delimiter(b';');
/// let iris = iris.named_classes(2, &["setosa", "virginica"])?;
/// assert_eq!(iris.targets().as_slice(), [0, 1]);
/// # Ok::<(), nn_runtime::data::DataError>(())
/// ```
///
/// A network computes with 32 bits, which cannot tell all ids above 16,777,216 apart, nor the minutes of a
/// time stamp. Such a column is refused, and [`subtract`](Csv::subtract) makes it small:
///
/// ```
/// use nn_runtime::data::Csv;
///
/// let file = "time,load\n1700000000,3\n1700000060,4\n";
/// let fault = Csv::new(file.as_bytes()).values(["load"]).unwrap_err().to_string();
/// assert!(fault.starts_with("csv, line 3, column `time`: expected a number that 32 bits can tell from "));
///
/// let loads = Csv::new(file.as_bytes()).subtract("time", 1.7e9).values(["load"])?;
/// assert_eq!(loads.inputs()[0].as_slice(), [0.0, 60.0]);
/// # Ok::<(), nn_runtime::data::DataError>(())
/// ```
#[derive(Debug)]
pub struct Csv<R> {
    source: R,
    options: Options,
}

/// How a file is read, whatever it comes from: what does the work is compiled once, here.
#[derive(Debug)]
struct Options {
    name: String,
    headers: Option<bool>,
    delimiter: u8,
    features: Option<Vec<Column>>,
    offsets: Vec<Offset>,
    rounded: bool,
}

impl Csv<File> {
    /// The file at `path`.
    ///
    /// # Errors
    /// A file that cannot be opened.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, DataError> {
        let name = shown(path.as_ref());
        match File::open(path) {
            Ok(file) => {
                let mut csv = Csv::new(file);
                csv.options.name = name;
                Ok(csv)
            }
            Err(error) => Err(DataError::unreadable(name, error)),
        }
    }
}

impl<R: Read> Csv<R> {
    /// What `source` yields; errors call it `csv`.
    pub fn new(source: R) -> Self {
        let (headers, features) = (None, None);
        let name = "csv".to_owned();
        let options = Options { name, headers, delimiter: b',', features, offsets: Vec::new(), rounded: false };
        Self { source, options }
    }

    /// Whether the first line names the columns. Unless it is said it does, and a first line that holds a
    /// number is refused where no column is asked for by its name, because it may be the first of the data.
    #[must_use]
    pub fn headers(mut self, headers: bool) -> Self {
        self.options.headers = Some(headers);
        self
    }

    /// What separates the fields, a comma by default.
    #[must_use]
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.options.delimiter = delimiter;
        self
    }

    /// The columns to take as features, in this order; by default all but the targets.
    #[must_use]
    pub fn features(mut self, columns: impl IntoIterator<Item: Into<Column>>) -> Self {
        self.options.features = Some(columns.into_iter().map(Into::into).collect());
        self
    }

    /// Takes `number` off every number of a column, before it is rounded to 32 bits: the first day of time
    /// stamps, the smallest of large ids.
    #[must_use]
    pub fn subtract(mut self, column: impl Into<Column>, number: f64) -> Self {
        self.options.offsets.push(Offset { column: column.into(), number });
        self
    }

    /// Whether numbers that 32 bits cannot tell apart are taken as they are rounded, instead of refused; not
    /// by default.
    #[must_use]
    pub fn rounded(mut self, rounded: bool) -> Self {
        self.options.rounded = rounded;
        self
    }

    /// Samples whose targets are the numbers of these columns.
    ///
    /// # Errors
    /// A column that is not there, that is named twice, or that is both feature and target; no features, no
    /// targets or no lines; a line with more or fewer fields than the first; a field that is no finite
    /// number; numbers of a column that 32 bits cannot tell apart; more data than memory. Names the file, the
    /// line and the column.
    pub fn values(mut self, targets: impl IntoIterator<Item: Into<Column>>) -> Result<Dataset<Values>, DataError> {
        let targets: Vec<Column> = targets.into_iter().map(Into::into).collect();
        let width = targets.len();
        let table = self.options.read(&mut self.source, &targets, None)?;
        Dataset::new(table.features, (table.targets, width).into_values()?)
    }

    /// Samples whose classes this column holds, as integers from 0.
    ///
    /// # Errors
    /// As [`values`](Self::values), and a class that is no integer from 0.
    pub fn classes(mut self, target: impl Into<Column>) -> Result<Dataset<Labels>, DataError> {
        self.options.labelled(&mut self.source, target.into(), &|field| field.class())
    }

    /// Samples whose classes this column holds by name; a class is the place of its name in `names`.
    ///
    /// # Errors
    /// As [`values`](Self::values), and a name that is not among `names`.
    pub fn named_classes(mut self, target: impl Into<Column>, names: &[&str]) -> Result<Dataset<Labels>, DataError> {
        self.options.labelled(&mut self.source, target.into(), &|field| field.named(names))
    }
}

impl Options {
    fn labelled(
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
    fn read(
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
        let asked = [targets, self.features.as_deref().unwrap_or(&[])].concat();
        let header = Header::new(record.clone(), self.headers, self.delimiter, &asked)?;
        let plan = ColumnPlan::new(&header, targets, self.features.as_deref())?;
        let mut columns = plan.number_columns(&header, &self.offsets, self.rounded, take.is_none())?;
        let mut flat: [Vec<f32>; 2] = [Vec::new(), Vec::new()];
        // Without a header the first line is the first of the data.
        let mut more = !header.named || records.next(&mut record)?;
        while more {
            if !record.is_blank() {
                if record.len() != header.len() {
                    let expected = format!("{} fields, as in the first line", header.len());
                    let place = format!("line {}", record.line);
                    return Err(DataError::new(DataErrorKind::Format, place, expected, record.len().to_string()));
                }
                let field = |place: usize| Field { record: &record, place, header: &header, delimiter: self.delimiter };
                for (NumberAt { place, target, title }, column) in &mut columns {
                    let number = field(*place).number(column, title)?;
                    let flat = &mut flat[usize::from(*target)];
                    reserve(flat, 1, record.line)?;
                    flat.push(number);
                }
                if let Some(take) = &mut take {
                    plan.targets.iter().try_for_each(|&place| take(&field(place)))?;
                }
            }
            more = records.next(&mut record)?;
        }
        let [features, targets] = flat;
        if features.is_empty() {
            return Err(DataError::new(DataErrorKind::Format, "line 2", "a line of numbers", "none"));
        }
        columns.iter().try_for_each(|(at, column)| column.check(&at.title))?;
        Ok(Table { features: (features, plan.features.len()).into_values()?, targets })
    }
}

/// What is done with a field that names a class.
type TakeLabel<'a, 'b> = &'a mut (dyn FnMut(&Field<'_>) -> Result<(), DataError> + 'b);

/// All numbers of a file.
struct Table {
    features: Values,
    targets: Vec<f32>,
}

/// Which columns are read, by place.
struct ColumnPlan {
    features: Vec<usize>,
    targets: Vec<usize>,
}

/// A column of numbers.
struct NumberAt {
    place: usize,
    target: bool,
    title: String,
}

impl ColumnPlan {
    fn new(header: &Header, targets: &[Column], features: Option<&[Column]>) -> Result<Self, DataError> {
        let fault = |place: &str, expected: &str, found: &str| {
            Err(DataError::new(DataErrorKind::Column, place, expected, found))
        };
        if targets.is_empty() {
            return fault("targets", "at least one column", "none");
        }
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

    /// The columns of numbers, features before targets.
    fn number_columns(
        &self,
        header: &Header,
        offsets: &[Offset],
        rounded: bool,
        targets: bool,
    ) -> Result<Vec<(NumberAt, NumberColumn)>, DataError> {
        let features = self.features.iter().map(|&place| (place, false));
        let targets = self.targets.iter().filter(|_| targets).map(|&place| (place, true));
        let mut columns: Vec<_> = features
            .chain(targets)
            .map(|(place, target)| {
                (NumberAt { place, target, title: header.title(place) }, NumberColumn::new(0.0, rounded))
            })
            .collect();
        for Offset { column, number } in offsets {
            let place = header.place(column)?;
            let Some((_, column)) = columns.iter_mut().find(|(at, _)| at.place == place) else {
                let expected = format!("column {} among the features or targets of numbers", header.title(place));
                return Err(DataError::new(DataErrorKind::Column, "subtract", expected, "it elsewhere"));
            };
            if !number.is_finite() {
                return Err(DataError::new(DataErrorKind::Setting, "subtract", "a finite number", number.to_string()));
            }
            *column = NumberColumn::new(*number, rounded);
        }
        Ok(columns)
    }
}

/// Room for `more` numbers; too little memory is an error.
fn reserve<N>(numbers: &mut Vec<N>, more: usize, line: u64) -> Result<(), DataError> {
    numbers.try_reserve(more).map_err(|_| {
        let found = format!("{} numbers, and no memory for more", numbers.len());
        DataError::new(DataErrorKind::Memory, format!("line {line}"), "a table that fits into memory", found)
    })
}

#[cfg(test)]
mod tests;
