//! Tables of numbers from CSV files.
//! In: a file or a reader, which columns are the target and which the features. Out: a dataset.
//! Never: a field guessed at. One that is no number is an error with its file, line and column.

use super::error::shown;
use super::{DataError, DataErrorKind, Dataset, Labels, Samples, Values};
use ::csv::{ByteRecord, ErrorKind, Position, Reader, ReaderBuilder, Terminator};
use core::str;
use std::borrow::{Cow, ToOwned};
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
#[derive(Debug)]
pub struct Csv<R> {
    name: String,
    source: R,
    headers: bool,
    delimiter: u8,
    features: Option<Vec<Column>>,
}

impl Csv<File> {
    /// The file at `path`.
    ///
    /// # Errors
    /// A file that cannot be opened.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, DataError> {
        let name = shown(path.as_ref());
        match File::open(path) {
            Ok(file) => Ok(Self { name, ..Csv::new(file) }),
            Err(error) => Err(DataError::unreadable(name, error)),
        }
    }
}

impl<R: Read> Csv<R> {
    /// What `source` yields; errors call it `csv`.
    pub fn new(source: R) -> Self {
        Self { name: "csv".to_owned(), source, headers: true, delimiter: b',', features: None }
    }

    /// Whether the first line names the columns; it does by default.
    #[must_use]
    pub fn headers(self, headers: bool) -> Self {
        Self { headers, ..self }
    }

    /// What separates the fields, a comma by default.
    #[must_use]
    pub fn delimiter(self, delimiter: u8) -> Self {
        Self { delimiter, ..self }
    }

    /// The columns to take as features, in this order; by default all but the targets.
    #[must_use]
    pub fn features(self, columns: impl IntoIterator<Item: Into<Column>>) -> Self {
        let features = Some(columns.into_iter().map(Into::into).collect());
        Self { features, ..self }
    }

    /// Samples whose targets are the numbers of these columns.
    ///
    /// # Errors
    /// A column that is not there, that is named twice in the header, or that is both feature and target; no
    /// features, no targets or no lines; a line with more or fewer fields than the first; a field that is no
    /// finite number. Names the file, the line and the column.
    pub fn values(self, targets: impl IntoIterator<Item: Into<Column>>) -> Result<Dataset<Values>, DataError> {
        let mut values = Vec::new();
        let targets: Vec<Column> = targets.into_iter().map(Into::into).collect();
        let width = targets.len();
        let inputs = self.read(&targets, |cell| cell.number().map(|it| values.push(it)))?;
        Dataset::new(inputs, (values, width).into_values()?)
    }

    /// Samples whose classes this column holds, as integers from 0.
    ///
    /// # Errors
    /// As [`values`](Self::values), and a class that is no integer from 0.
    pub fn classes(self, target: impl Into<Column>) -> Result<Dataset<Labels>, DataError> {
        let mut labels: Vec<u32> = Vec::new();
        let inputs = self.read(&[target.into()], |cell| cell.class().map(|it| labels.push(it)))?;
        Dataset::new(inputs, Labels::new(labels)?)
    }

    /// Samples whose classes this column holds by name; a class is the place of its name in `names`.
    ///
    /// # Errors
    /// As [`values`](Self::values), and a name that is not among `names`.
    pub fn named_classes(self, target: impl Into<Column>, names: &[&str]) -> Result<Dataset<Labels>, DataError> {
        let mut labels = Vec::new();
        let inputs = self.read(&[target.into()], |cell| cell.named(names).map(|it| labels.push(it)))?;
        Dataset::new(inputs, Labels::new(labels)?)
    }

    /// The features, and every field of `targets` given to `take`, line by line.
    fn read(
        self,
        targets: &[Column],
        take: impl FnMut(Cell<'_>) -> Result<(), DataError>,
    ) -> Result<Values, DataError> {
        let reader = ReaderBuilder::new()
            .has_headers(self.headers)
            .delimiter(self.delimiter)
            // A line ends with its line feed, which `line_of` counts; a carriage return before it is trimmed
            // as a space.
            .terminator(Terminator::Any(b'\n'))
            // Lengths are compared here, where the line is known.
            .flexible(true)
            .from_reader(self.source.chain(&b"\n"[..]));
        read(reader, self.headers, self.features, targets, take).map_err(|fault| fault.in_file(&self.name))
    }
}

fn read<R: Read>(
    mut reader: Reader<R>,
    headers: bool,
    features: Option<Vec<Column>>,
    targets: &[Column],
    mut take: impl FnMut(Cell<'_>) -> Result<(), DataError>,
) -> Result<Values, DataError> {
    // Without headers this is the first line, which is read again below.
    let first = reader.byte_headers().map_err(unreadable)?.clone();
    if is_blank(&first) {
        return Err(DataError::new(DataErrorKind::Column, "line 1", "a line of fields", "none"));
    }
    let columns = Columns { first, headers };
    if targets.is_empty() {
        return Err(DataError::new(DataErrorKind::Column, "targets", "at least one column", "none"));
    }
    let targets = columns.places(targets)?;
    let features = match features {
        Some(features) => columns.places(&features)?,
        None => (0..columns.first.len()).filter(|place| !targets.contains(place)).collect(),
    };
    if let Some(&both) = features.iter().find(|place| targets.contains(place)) {
        let found = "it among the features as well";
        return Err(DataError::new(DataErrorKind::Column, columns.title(both), "a target only", found));
    }
    if features.is_empty() {
        return Err(DataError::new(DataErrorKind::Column, "features", "at least one column", "none"));
    }
    let mut flat = Vec::new();
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(unreadable)? {
        if is_blank(&record) {
            continue;
        }
        let line = line_of(&record, reader.position());
        if record.len() != columns.first.len() {
            let expected = format!("{} fields, as in the first line", columns.first.len());
            let found = record.len().to_string();
            return Err(DataError::new(DataErrorKind::Column, format!("line {line}"), expected, found));
        }
        let cell = |place: usize| Cell { bytes: &record[place], line, place, columns: &columns };
        for &place in &features {
            flat.push(cell(place).number()?);
        }
        for &place in &targets {
            take(cell(place))?;
        }
    }
    if flat.is_empty() {
        return Err(DataError::new(DataErrorKind::Column, "line 2", "a line of numbers", "none"));
    }
    (flat, features.len()).into_values()
}

/// Whether a line holds nothing, not even a delimiter.
fn is_blank(record: &ByteRecord) -> bool {
    record.len() <= 1 && record.iter().all(|field| field.trim_ascii().is_empty())
}

/// The line on which `record` starts, if the reader now stands at `end`. The position of the record itself is
/// that of the blank lines before it, so it is only a bound: for a quote that is never closed, and so has no
/// line feed after it.
fn line_of(record: &ByteRecord, end: &Position) -> u64 {
    let within: usize = record.iter().flatten().filter(|&&byte| byte == b'\n').count();
    let bound = record.position().map_or(1, Position::line);
    end.line().saturating_sub(1 + within as u64).max(bound)
}

/// The first line of a file: names, or only as many fields as there are columns.
struct Columns {
    first: ByteRecord,
    headers: bool,
}

impl Columns {
    fn places(&self, columns: &[Column]) -> Result<Vec<usize>, DataError> {
        columns.iter().map(|column| self.place(column)).collect()
    }

    fn place(&self, column: &Column) -> Result<usize, DataError> {
        match column {
            Column::Place(place) if *place < self.first.len() => Ok(*place),
            Column::Place(place) => {
                let expected = format!("a column below {}", self.first.len());
                Err(DataError::new(DataErrorKind::Column, "columns", expected, place.to_string()))
            }
            Column::Name(name) if !self.headers => {
                let found = format!("the name `{name}` in a file without a header");
                let help = "say `.headers(true)`, or give the place of the column, counted from 0";
                Err(DataError::new(DataErrorKind::Column, "columns", "a place", found).help(help))
            }
            Column::Name(name) => self.named(name),
        }
    }

    fn named(&self, name: &str) -> Result<usize, DataError> {
        let mut places = (0..self.first.len()).filter(|&place| self.name(place) == name);
        match (places.next(), places.next()) {
            (Some(place), None) => Ok(place),
            (Some(one), Some(other)) => {
                let found = format!("columns {one} and {other}");
                let help = "give the place of the column instead, counted from 0";
                Err(DataError::new(DataErrorKind::Column, "header", format!("one column `{name}`"), found).help(help))
            }
            (None, _) => {
                let found = (0..self.first.len()).map(|place| format!("`{}`", self.name(place)));
                let found = found.collect::<Vec<_>>().join(", ");
                Err(DataError::new(DataErrorKind::Column, "header", format!("a column `{name}`"), found))
            }
        }
    }

    fn name(&self, place: usize) -> Cow<'_, str> {
        String::from_utf8_lossy(self.first[place].trim_ascii())
    }

    fn title(&self, place: usize) -> String {
        if self.headers { format!("column `{}`", self.name(place)) } else { format!("column {place}") }
    }
}

/// One field and where it stands.
struct Cell<'a> {
    bytes: &'a [u8],
    line: u64,
    place: usize,
    columns: &'a Columns,
}

impl Cell<'_> {
    fn text(&self) -> Result<&str, DataError> {
        let text = str::from_utf8(self.bytes.trim_ascii());
        text.map_err(|_| self.fault("UTF-8 text"))
    }

    fn number(&self) -> Result<f32, DataError> {
        match self.text()?.parse() {
            Ok(number) if f32::is_finite(number) => Ok(number),
            Ok(_) => Err(self.fault("a finite number")),
            Err(_) if self.line == 1 && !self.columns.headers => {
                let help = "if the first line names the columns, say `.headers(true)`";
                Err(self.fault("a number").help(help))
            }
            Err(_) => Err(self.fault("a number")),
        }
    }

    fn class(&self) -> Result<u32, DataError> {
        self.text()?.parse().map_err(|_| {
            let help = "read a column of names with `.named_classes(column, &[\"…\", \"…\"])`";
            self.fault("a class, an integer from 0").help(help)
        })
    }

    fn named(&self, names: &[&str]) -> Result<usize, DataError> {
        let text = self.text()?;
        names.iter().position(|&name| name == text).ok_or_else(|| {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            self.fault(&format!("one of {}", names.join(", ")))
        })
    }

    fn fault(&self, expected: &str) -> DataError {
        /// A quote that is never closed makes a field of the rest of the file.
        const SHOWN: usize = 40;
        let place = format!("line {}, {}", self.line, self.columns.title(self.place));
        let text = String::from_utf8_lossy(self.bytes.trim_ascii());
        let found = match text.char_indices().nth(SHOWN) {
            _ if text.is_empty() => "an empty field".to_owned(),
            Some((end, _)) => format!("`{}…`", &text[..end]),
            None => format!("`{text}`"),
        };
        DataError::new(DataErrorKind::Column, place, expected, found)
    }
}

fn unreadable(error: ::csv::Error) -> DataError {
    match error.into_kind() {
        ErrorKind::Io(error) => DataError::unreadable("reading", error),
        // Bytes of any lengths have no other fault.
        other => DataError::new(DataErrorKind::Column, "reading", "readable text", format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests;
