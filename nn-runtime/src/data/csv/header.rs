//! The first line of a CSV file: names of columns, or only as many fields as there are columns. Finds columns
//! by name and by place, and says what is likely wrong where one is not there.

use super::super::{DataError, DataErrorKind};
use super::Column;
use super::records::Record;
use crate::quote::{listed, quoted};
use core::str;
use std::borrow::Cow;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

/// The first line, and whether it names the columns.
pub(super) struct Header {
    first: Record,
    pub(super) named: bool,
}

impl Header {
    /// `named` is what the user says, if anything; `asked` are the columns that are asked for.
    pub(super) fn new(first: Record, named: Option<bool>, delimiter: u8, asked: &[Column]) -> Result<Self, DataError> {
        let header = Header { first, named: named.unwrap_or(true) };
        header.refuse_other_delimiter(delimiter)?;
        if named.is_none() && header.holds_numbers() && !asked.iter().any(|column| header.names(column)) {
            let fault = DataError::new(DataErrorKind::Column, header.line(), "names of columns", header.all());
            return Err(fault.help("say `.headers(false)` if these are data, `.headers(true)` if they are names"));
        }
        Ok(header)
    }

    /// The number of columns.
    pub(super) fn len(&self) -> usize {
        self.first.len()
    }

    /// The place of each column; none is asked for twice.
    pub(super) fn places(&self, columns: &[Column]) -> Result<Vec<usize>, DataError> {
        let places: Vec<usize> = columns.iter().map(|column| self.place(column)).collect::<Result<_, _>>()?;
        let mut sorted = places.clone();
        sorted.sort_unstable();
        match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => {
                let expected = format!("column {} once", self.title(pair[0]));
                Err(DataError::new(DataErrorKind::Column, "columns", expected, "it named twice"))
            }
            None => Ok(places),
        }
    }

    pub(super) fn place(&self, column: &Column) -> Result<usize, DataError> {
        match column {
            Column::Place(place) if *place < self.len() => Ok(*place),
            Column::Place(place) => {
                let expected = format!("a column below {}", self.len());
                Err(DataError::new(DataErrorKind::Column, "columns", expected, place.to_string()))
            }
            Column::Name(name) if !self.named => {
                let found = format!("the name {} in a file without a header", quoted(name));
                let help = "say `.headers(true)`, or give the place of the column, counted from 0";
                Err(DataError::new(DataErrorKind::Column, "columns", "a place", found).help(help))
            }
            Column::Name(name) => self.place_of(name),
        }
    }

    /// The column as messages show it: its name, or its place.
    pub(super) fn title(&self, place: usize) -> String {
        if self.named { quoted(&self.name(place)) } else { place.to_string() }
    }

    fn place_of(&self, name: &str) -> Result<usize, DataError> {
        let mut places = (0..self.len()).filter(|&place| self.name(place) == name);
        match (places.next(), places.next()) {
            (Some(place), None) => Ok(place),
            (Some(one), Some(other)) => {
                let found = format!("columns {one} and {other}");
                let help = "give the place of the column instead, counted from 0";
                let expected = format!("one column {}", quoted(name));
                Err(DataError::new(DataErrorKind::Column, "header", expected, found).help(help))
            }
            (None, _) => {
                let expected = format!("a column {}", quoted(name));
                let fault = DataError::new(DataErrorKind::Column, "header", expected, self.all());
                Err(match (0..self.len()).find(|&place| self.name(place).eq_ignore_ascii_case(name)) {
                    Some(place) => fault.help(format!("names are compared letter by letter: {}", self.title(place))),
                    None => fault,
                })
            }
        }
    }

    fn line(&self) -> String {
        format!("line {}", self.first.line)
    }

    fn name(&self, place: usize) -> Cow<'_, str> {
        String::from_utf8_lossy(self.first.field(place))
    }

    fn names(&self, column: &Column) -> bool {
        matches!(column, Column::Name(name) if (0..self.len()).any(|place| self.name(place) == *name))
    }

    fn all(&self) -> String {
        listed((0..self.len()).map(|place| quoted(&self.name(place))))
    }

    fn holds_numbers(&self) -> bool {
        let number = |place| str::from_utf8(self.first.field(place)).is_ok_and(|text| text.parse::<f64>().is_ok());
        (0..self.len()).any(number)
    }

    /// One field that another delimiter would cut in several.
    fn refuse_other_delimiter(&self, delimiter: u8) -> Result<(), DataError> {
        if self.len() != 1 {
            return Ok(());
        }
        let count = |byte: u8| self.first.field(0).iter().filter(|&&found| found == byte).count();
        let shown = |byte: u8| byte.escape_ascii().to_string();
        let other = [b';', b'\t', b'|', b','].into_iter().filter(|&byte| byte != delimiter && count(byte) > 0);
        let Some(other) = other.max_by_key(|&byte| count(byte)) else { return Ok(()) };
        let expected = format!("fields with `{}` between them", shown(delimiter));
        let found = format!("one field, {}", quoted(&self.name(0)));
        let fault = DataError::new(DataErrorKind::Format, self.line(), expected, found);
        Err(fault.help(format!("say `.delimiter(b'{}')`", shown(other))))
    }
}
