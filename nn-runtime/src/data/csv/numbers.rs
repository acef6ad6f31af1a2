//! Numbers of one column of a CSV file, from text to 32 bits, and whether 32 bits can tell them apart: ids
//! above 16,777,216 and time stamps become the same number as their neighbours, and a network would learn
//! from one where there are two.

use super::super::{DataError, DataErrorKind};
use super::Column;
use std::collections::HashMap;
use std::format;
use std::string::{String, ToString};

/// From here on not every whole number is one of 32 bits.
const WHOLE: f64 = 16_777_216.0;
/// Different numbers of 32 bits up to which all are remembered.
const FEW: usize = 64;
/// Letters of a number that has at most six digits and a point.
const SHORT: usize = 7;
/// Real numbers that become one matter if they are further apart than the column's range divided by this,
/// where the column has few different numbers …
const COARSE: f64 = 32.0;
/// … and where it is far from 0, as time stamps are.
const FAR: f64 = (1 << 21) as f64;

/// A number as the file has it.
#[derive(Clone, Copy, Debug)]
struct Exact {
    real: f64,
    /// What a whole number is more than `real`, which has 53 bits.
    rest: i64,
    whole: bool,
    line: u64,
}

impl Exact {
    /// The number that `text` is, less `offset`.
    fn read(text: &str, offset: f64, line: u64) -> Option<Exact> {
        let real: f64 = text.parse().ok()?;
        let exact = offset.fract() == 0.0 && offset.abs() < 1e30;
        // Whole numbers are compared to their last digit.
        let whole = if exact && real.abs() >= WHOLE { text.parse::<i128>().ok() } else { None };
        Some(match whole.map(|whole| whole.saturating_sub(offset as i128)) {
            Some(whole) => {
                let real = whole as f64;
                Exact { real, rest: (whole - real as i128) as i64, whole: true, line }
            }
            None => Exact { real: real - offset, rest: 0, whole: false, line },
        })
    }

    fn differs(&self, other: &Exact) -> bool {
        (self.real, self.rest) != (other.real, other.rest)
    }

    fn text(&self) -> String {
        match self.whole {
            true => (self.real as i128 + i128::from(self.rest)).to_string(),
            false => self.real.to_string(),
        }
    }
}

/// Two numbers that become one.
#[derive(Clone, Copy, Debug)]
struct Clash {
    first: Exact,
    second: Exact,
    apart: f64,
}

/// The numbers of one column so far.
pub(super) struct NumberColumn {
    /// Taken off every number.
    offset: f64,
    /// Whether numbers that become one are taken all the same.
    rounded: bool,
    least: f64,
    most: f64,
    /// By the bits of what they became: all as long as there are few, afterwards those far from 0.
    seen: HashMap<u32, Exact>,
    few: bool,
    near: Option<Clash>,
    far: Option<Clash>,
}

/// What is wrong with a field that should be a number.
pub(super) enum NoNumber {
    Text,
    Infinite,
    /// The number cannot be told from an earlier one.
    Same(DataError),
}

impl NumberColumn {
    pub(super) fn new(offset: f64, rounded: bool) -> Self {
        let (least, most) = (f64::INFINITY, f64::NEG_INFINITY);
        Self { offset, rounded, least, most, seen: HashMap::new(), few: true, near: None, far: None }
    }

    /// The number that the field `text` of `line` becomes.
    pub(super) fn read(&mut self, text: &str, line: u64, title: &str) -> Result<f32, NoNumber> {
        // Rounded once, from the text, where nothing is taken off.
        let number: f32 = text.parse().map_err(|_| NoNumber::Text)?;
        let exact = Exact::read(text, self.offset, line).ok_or(NoNumber::Text)?;
        let number = if self.offset == 0.0 { number } else { exact.real as f32 };
        if !number.is_finite() {
            return Err(NoNumber::Infinite);
        }
        if !self.rounded {
            self.note(number, exact, text, title).map_err(NoNumber::Same)?;
        }
        Ok(number)
    }

    fn note(&mut self, number: f32, exact: Exact, text: &str, title: &str) -> Result<(), DataError> {
        self.least = self.least.min(exact.real);
        self.most = self.most.max(exact.real);
        let far = exact.real.abs() >= WHOLE;
        // Numbers of so few digits never become one.
        let short = text.len() <= SHORT && !text.contains(['e', 'E']);
        if !far && (short || !self.few) {
            return Ok(());
        }
        // A zero is a zero.
        let bits = (number + 0.0).to_bits();
        if let Some(first) = self.seen.get(&bits) {
            if first.differs(&exact) {
                let clash = Clash { first: *first, second: exact, apart: (exact.real - first.real).abs() };
                if clash.first.whole && clash.second.whole {
                    return Err(self.fault(&clash, title));
                }
                let worst = if far { &mut self.far } else { &mut self.near };
                if worst.is_none_or(|worst| worst.apart < clash.apart) {
                    *worst = Some(clash);
                }
            }
            return Ok(());
        }
        if self.few && self.seen.len() == FEW {
            self.few = false;
            self.near = None;
            self.seen.retain(|_, exact| exact.real.abs() >= WHOLE);
            self.seen.shrink_to_fit();
            if !far {
                return Ok(());
            }
        }
        if self.seen.try_reserve(1).is_err() {
            let found = "too little";
            return Err(DataError::new(DataErrorKind::Memory, title, "memory to compare its numbers", found));
        }
        self.seen.insert(bits, exact);
        Ok(())
    }

    /// Whether numbers that became one are too far apart for it, now that all are read.
    pub(super) fn check(&self, title: &str) -> Result<(), DataError> {
        let range = self.most - self.least;
        let near = self.near.filter(|clash| clash.apart * COARSE >= range);
        let far = self.far.filter(|clash| clash.apart * FAR >= range);
        match near.or(far) {
            Some(clash) => Err(self.fault(&clash, title)),
            None => Ok(()),
        }
    }

    fn fault(&self, clash: &Clash, title: &str) -> DataError {
        let (first, second) = (clash.first, clash.second);
        let place = format!("line {}, column {title}", second.line);
        let expected = format!("a number that 32 bits can tell from {}, of line {}", first.text(), first.line);
        let fault = DataError::new(DataErrorKind::Number, place, expected, second.text());
        let offset = self.offset + if self.least.is_finite() { self.least.floor() } else { 0.0 };
        let column = title.replace('`', "\"");
        fault.help(format!(
            "`.subtract({column}, {offset:?})` takes that off before numbers are rounded, `.rounded(true)` takes them as they are"
        ))
    }
}

/// What is taken off a column, and where that is said.
#[derive(Clone, Debug)]
pub(super) struct Offset {
    pub(super) column: Column,
    pub(super) number: f64,
}
