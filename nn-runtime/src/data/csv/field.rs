//! One field of a CSV file as a number or a class, and what is said of one that is neither.

use super::super::{DataError, DataErrorKind};
use super::header::Header;
use super::numbers::{NoNumber, NumberColumn};
use super::records::Record;
use crate::quote::{listed, quoted};
use core::str;
use std::borrow::ToOwned;
use std::format;
use std::string::String;

/// One field and where it stands.
pub(super) struct Field<'a> {
    pub(super) record: &'a Record,
    pub(super) place: usize,
    pub(super) header: &'a Header,
    pub(super) delimiter: u8,
}

impl Field<'_> {
    fn bytes(&self) -> &[u8] {
        self.record.field(self.place)
    }

    /// Whether it says that there is nothing to say.
    pub(super) fn is_missing(&self) -> bool {
        let words = ["", "na", "n/a", "nan", "null", "none", "?"];
        words.iter().any(|word| self.bytes().eq_ignore_ascii_case(word.as_bytes()))
    }

    pub(super) fn text(&self) -> Result<&str, DataError> {
        str::from_utf8(self.bytes()).map_err(|_| self.fault(DataErrorKind::Format, "UTF-8 text"))
    }

    pub(super) fn number(&self, column: &mut NumberColumn, title: &str) -> Result<f32, DataError> {
        let text = self.text()?;
        column.read(text, self.record.line, title).map_err(|fault| match fault {
            NoNumber::Same(fault) => fault,
            NoNumber::Infinite => self.fault(DataErrorKind::Number, "a finite number"),
            NoNumber::Text => {
                let fault = self.fault(DataErrorKind::Number, "a number");
                let comma = self.delimiter != b',' && text.replace(',', ".").parse::<f64>().is_ok();
                match () {
                    () if self.record.line == 1 && !self.header.named => {
                        fault.help("if the first line names the columns, say `.headers(true)`")
                    }
                    () if self.is_missing() => {
                        fault.help("`.missing(Missing::Drop)` leaves such lines out; `Missing::Mean` and `Missing::Previous` fill in")
                    }
                    () if comma => fault.help("write decimals with a point: `1.5`"),
                    () => fault,
                }
            }
        })
    }

    pub(super) fn class(&self) -> Result<u32, DataError> {
        self.text()?.parse().map_err(|_| {
            let help = "read a column of names with `.named_classes(column, &[\"…\", \"…\"])`";
            self.fault(DataErrorKind::Label, "a class, an integer from 0").help(help)
        })
    }

    pub(super) fn named(&self, names: &[impl AsRef<str>]) -> Result<u32, DataError> {
        let text = self.text()?;
        let class = names.iter().position(|name| name.as_ref() == text).and_then(|class| u32::try_from(class).ok());
        class.ok_or_else(|| {
            let names = listed(names.iter().map(|name| quoted(name.as_ref())));
            self.fault(DataErrorKind::Label, &format!("one of {names}"))
        })
    }

    pub(super) fn fault(&self, kind: DataErrorKind, expected: &str) -> DataError {
        let place = format!("line {}, column {}", self.record.line, self.header.title(self.place));
        let text = String::from_utf8_lossy(self.bytes());
        let found = if text.is_empty() { "an empty field".to_owned() } else { quoted(&text) };
        DataError::new(kind, place, expected, found)
    }
}
