//! Tables of numbers from CSV files: a file or a reader, which columns are the target and which the features,
//! to a dataset. Nothing is guessed at: a field that is no number is an error with its file, line and column.

mod columns;
mod field;
mod header;
mod numbers;
mod records;
mod table;

use super::{DataError, DataErrorKind, Dataset, Labels, Samples, Values};
use crate::quote::quoted_path as shown;
use columns::Category;
pub use columns::Missing;
use field::Field;
use numbers::Offset;
use std::borrow::ToOwned;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::string::String;
use std::vec::Vec;
use table::Options;

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
        let (offsets, categories) = (Vec::new(), Vec::new());
        let options =
            Options { name, headers, delimiter: b',', features, offsets, rounded: false, missing: None, categories };
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

    /// What is done about [missing](Missing) fields; unless it is said they are errors.
    ///
    /// ```
    /// use nn_runtime::data::{Csv, Missing};
    ///
    /// let file = "hour,load\n0,10\n1,NA\n2,14\n";
    /// let loads = Csv::new(file.as_bytes()).missing(Missing::Mean).features(["load"]).inputs()?;
    /// assert_eq!(loads.as_slice(), [10.0, 12.0, 14.0]);
    /// let loads = Csv::new(file.as_bytes()).missing(Missing::Drop).values(["load"])?;
    /// assert_eq!(loads.inputs()[0].as_slice(), [0.0, 2.0]);
    /// # Ok::<(), nn_runtime::data::DataError>(())
    /// ```
    #[must_use]
    pub fn missing(mut self, missing: Missing) -> Self {
        self.options.missing = Some(missing);
        self
    }

    /// Takes a feature of words as a number for each of these: 1 for the word that stands there, 0 for the
    /// others. Scikit-learn's `OneHotEncoder`, pandas's `get_dummies`; [`distinct`](Csv::distinct) finds the
    /// words.
    ///
    /// ```
    /// use nn_runtime::data::Csv;
    ///
    /// let file = "color,size,price\nred,2,10\nblue,3,12\nred,4,15\n";
    /// let colors = Csv::new(file.as_bytes()).distinct("color")?;
    /// assert_eq!(colors, ["blue", "red"]);
    /// let cars = Csv::new(file.as_bytes()).one_hot("color", &colors).values(["price"])?;
    /// assert_eq!(cars.input(0, 0), [0.0, 1.0, 2.0]);
    /// # Ok::<(), nn_runtime::data::DataError>(())
    /// ```
    #[must_use]
    pub fn one_hot(self, column: impl Into<Column>, names: &[impl AsRef<str>]) -> Self {
        self.category(column.into(), names, true)
    }

    /// Takes a feature of words as the place of the word among these, counted from 0: the ids that an
    /// [`Embedding`](crate::layers::Embedding) reads.
    #[must_use]
    pub fn ids(self, column: impl Into<Column>, names: &[impl AsRef<str>]) -> Self {
        self.category(column.into(), names, false)
    }

    fn category(mut self, column: Column, names: &[impl AsRef<str>], one_hot: bool) -> Self {
        let names = names.iter().map(|name| name.as_ref().to_owned()).collect();
        self.options.categories.push(Category { column, names, one_hot });
        self
    }

    /// The different words of a column, sorted: the names of classes, or of categories. To be kept: a model
    /// knows only their places. Fields that are [missing](Missing) are none, where [`missing`](Csv::missing)
    /// says something about them.
    ///
    /// ```
    /// use nn_runtime::data::Csv;
    ///
    /// let file = "width,kind\n5.1,setosa\n6.2,virginica\n4.9,setosa\n";
    /// let kinds = Csv::new(file.as_bytes()).distinct("kind")?;
    /// let flowers = Csv::new(file.as_bytes()).named_classes("kind", &kinds)?;
    /// assert_eq!((kinds.len(), flowers.targets().as_slice()), (2, &[0, 1, 0][..]));
    /// # Ok::<(), nn_runtime::data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// A column that is not there; no lines; a line with more or fewer fields than the first.
    pub fn distinct(mut self, column: impl Into<Column>) -> Result<Vec<String>, DataError> {
        let missing = self.options.missing;
        let mut names = BTreeSet::new();
        let mut take = |field: &Field<'_>| {
            if missing.is_none() || !field.is_missing() {
                let name = field.text()?;
                if !names.contains(name) {
                    names.insert(name.to_owned());
                }
            }
            Ok(())
        };
        self.options.each_field(&mut self.source, column.into(), &mut take)?;
        Ok(names.into_iter().collect())
    }

    /// The features alone, of a table that has no targets: what a trained network is asked about. Columns
    /// that are not read are left out by [`features`](Csv::features).
    ///
    /// # Errors
    /// As [`values`](Self::values).
    pub fn inputs(mut self) -> Result<Values, DataError> {
        Ok(self.options.read(&mut self.source, &[], None)?.features)
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
        if width == 0 {
            let fault = DataError::new(DataErrorKind::Column, "targets", "at least one column", "none");
            let fault = fault.help("`.inputs()` reads a table without targets");
            return Err(fault.in_file(&self.options.name));
        }
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
    pub fn named_classes(
        mut self,
        target: impl Into<Column>,
        names: &[impl AsRef<str>],
    ) -> Result<Dataset<Labels>, DataError> {
        self.options.labelled(&mut self.source, target.into(), &|field| field.named(names))
    }
}

#[cfg(test)]
mod tests;
