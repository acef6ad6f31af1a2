//! Samples in the columns of Parquet files. In: files and names of columns; out: a source that unpacks a row
//! group when one of its samples is wanted. Files are never read as a whole, and what they claim takes no
//! memory.

mod column;
mod leaf;
mod pages;
mod source;
mod table;

use std::borrow::ToOwned;
use std::collections::HashMap;
use std::path::Path;
use std::string::String;
use std::vec::Vec;

use self::leaf::Wanted;
pub use self::source::{ParquetSource, ParquetTargets};
use self::table::{Columns, TableFile, row_groups};
use super::{DataError, DataErrorKind, Labels, Values};

/// Parquet files to be read, as pandas, polars, pyarrow, DuckDB and Spark write them. Needs the feature
/// `parquet`; reads what is not compressed, or by Snappy, gzip, LZ4 or Zstandard.
///
/// A column of numbers gives a number for each sample; one of lists as many as its lists have, which all have
/// one length (images, embeddings; lists of lists row by row). Columns of an input stand side by side, in the
/// order in which they are named. Nothing is guessed at: a null, a number that 32 bits do not hold, a date,
/// a list of another length is an error with its file, row and column.
///
/// ```no_run
/// use nn_runtime::data::Parquet;
/// use nn_runtime::prelude::*;
///
/// network! { struct Flowers: [4] -> [3] { Dense(16) -> Relu -> Dense(3) } }
///
/// let files = ["flowers-0.parquet", "flowers-1.parquet"];
/// let train = Parquet::open_all(files)?
///     .input(["sepal_length", "sepal_width", "petal_length", "petal_width"])
///     .named_classes("species", &["setosa", "versicolor", "virginica"])?;
/// let mut model = Flowers::init(0);
/// let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-2));
/// trainer.fit_source(&train, Fit::epochs(20))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Order and memory
/// A row group, some ten or hundred thousand rows, is unpacked as a whole. So that every one is unpacked once
/// an epoch, [`fit_source`](crate::train::Trainer::fit_source) takes the row groups in an order by chance and
/// the samples of each in another, both exactly as likely as any other; samples of different row groups meet
/// in a batch only where one ends and the next begins. Where neighbours in the file are alike, as in a file
/// sorted by class, [`mixed`](Parquet::mixed) shuffles several row groups as one.
///
/// [Private training](crate::train::privacy) takes samples from everywhere for each batch: for that keep them
/// in memory, by [`to_dataset`](ParquetSource::to_dataset).
///
/// Memory holds the row groups that are shuffled as one and one more, as numbers of 32 bits, and while one is
/// unpacked its packed bytes, its numbers once more and a page: at least two row groups, and as many more as
/// fit in 64 MB.
#[derive(Debug)]
pub struct Parquet {
    files: Vec<TableFile>,
    inputs: Vec<Vec<String>>,
    weights: Option<String>,
    mixed: usize,
}

impl Parquet {
    /// The file at `path`.
    ///
    /// # Errors
    /// A file that cannot be read, or is no Parquet file.
    pub fn open(path: impl AsRef<Path>) -> Result<Parquet, DataError> {
        Parquet::open_all([path])
    }

    /// The files of a table in parts, one after the other.
    ///
    /// # Errors
    /// No file; one that cannot be read, or is no Parquet file.
    pub fn open_all(paths: impl IntoIterator<Item: AsRef<Path>>) -> Result<Parquet, DataError> {
        let files = paths.into_iter().map(|path| TableFile::open(path.as_ref())).collect::<Result<Vec<_>, _>>()?;
        if files.is_empty() {
            return Err(DataError::new(DataErrorKind::Setting, "files", "at least one", "none"));
        }
        Ok(Parquet { files, inputs: Vec::new(), weights: None, mixed: 1 })
    }

    /// The names of the columns.
    #[must_use]
    pub fn columns(&self) -> Vec<String> {
        self.files[0].columns()
    }

    /// The columns of the next input of the network, side by side; a field of a structure is named as
    /// `point.x`. Where no input is named, all columns but targets and weights are one.
    #[must_use]
    pub fn input(mut self, columns: impl IntoIterator<Item: AsRef<str>>) -> Self {
        self.inputs.push(owned(columns));
        self
    }

    /// The column that tells how much each sample counts, or, of lists, each of its steps, as
    /// [`Dataset::with_weights`](super::Dataset::with_weights).
    #[must_use]
    pub fn weights(mut self, column: impl AsRef<str>) -> Self {
        self.weights = Some(column.as_ref().to_owned());
        self
    }

    /// Shuffles so many row groups as one, at least 1; memory holds so many.
    #[must_use]
    pub fn mixed(mut self, row_groups: usize) -> Self {
        self.mixed = row_groups.max(1);
        self
    }

    /// Samples whose targets are the numbers of these columns.
    ///
    /// # Errors
    /// A column that is not there, or is of no numbers; no rows; no columns.
    pub fn values(self, targets: impl IntoIterator<Item: AsRef<str>>) -> Result<ParquetSource<Values>, DataError> {
        self.source(owned(targets), Wanted::Numbers, HashMap::new())
    }

    /// Samples whose classes this column holds, as integers from 0.
    ///
    /// # Errors
    /// A column that is not there, or is of no whole numbers; no rows; no columns.
    pub fn classes(self, target: impl AsRef<str>) -> Result<ParquetSource<Labels>, DataError> {
        self.source(owned([target]), Wanted::Classes, HashMap::new())
    }

    /// Samples whose classes this column holds by name; a class is the place of its name in `names`.
    ///
    /// # Errors
    /// A column that is not there, or is of no text; no rows; no columns.
    pub fn named_classes(
        self,
        target: impl AsRef<str>,
        names: &[impl AsRef<str>],
    ) -> Result<ParquetSource<Labels>, DataError> {
        let classes = names.iter().zip(0..).map(|(name, class)| (name.as_ref().to_owned(), class)).collect();
        self.source(owned([target]), Wanted::Names, classes)
    }

    fn source<T: ParquetTargets>(
        self,
        targets: Vec<String>,
        wanted: Wanted,
        classes: HashMap<String, u32>,
    ) -> Result<ParquetSource<T>, DataError> {
        let groups = row_groups(&self.files);
        if groups.is_empty() {
            return Err(DataError::new(DataErrorKind::Size, "rows", "at least one", "none"));
        }
        let mut names = self.inputs;
        if names.is_empty() {
            let other = |name: &String| !targets.contains(name) && self.weights.as_ref() != Some(name);
            names.push(self.files[0].columns().into_iter().filter(other).collect());
        }
        if names.iter().any(Vec::is_empty) || targets.is_empty() {
            let expected = "at least one column of every input, and of the targets";
            return Err(DataError::new(DataErrorKind::Column, "columns", expected, "none"));
        }
        let find = |names: &[String], wanted| Columns::find(&self.files, &groups, names, wanted);
        let inputs = names.iter().map(|names| find(names, Wanted::Numbers)).collect::<Result<Vec<_>, _>>()?;
        let targets = find(&targets, wanted)?;
        let weights = self.weights.map(|name| find(&[name], Wanted::Numbers)).transpose()?;
        Ok(ParquetSource::new(self.files, groups, (inputs, targets, weights), (classes, self.mixed)))
    }
}

fn owned(names: impl IntoIterator<Item: AsRef<str>>) -> Vec<String> {
    names.into_iter().map(|name| name.as_ref().to_owned()).collect()
}
