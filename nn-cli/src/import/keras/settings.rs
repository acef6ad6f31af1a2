//! A layer's settings, as its configuration has them. In: JSON; out: numbers and words, or what is missing.

use serde_json::{Map, Value};

/// Settings by name.
#[derive(Clone, Copy)]
pub struct Settings<'c>(pub Option<&'c Map<String, Value>>);

impl<'c> Settings<'c> {
    pub fn of(value: Option<&'c Value>) -> Settings<'c> {
        Settings(value.and_then(Value::as_object))
    }

    /// What is said, if anything is.
    pub fn get(&self, name: &str) -> Option<&'c Value> {
        self.0.and_then(|map| map.get(name)).filter(|value| !value.is_null())
    }

    pub fn text(&self, name: &str) -> Option<&'c str> {
        self.get(name).and_then(Value::as_str)
    }

    pub fn flag(&self, name: &str, default: bool) -> bool {
        self.get(name).and_then(Value::as_bool).unwrap_or(default)
    }

    pub fn number(&self, name: &str) -> Option<f64> {
        self.get(name).and_then(Value::as_f64)
    }

    /// A whole number of at least 1.
    pub fn count(&self, name: &str) -> Result<usize, String> {
        let count = self.get(name).and_then(Value::as_u64).and_then(|count| usize::try_from(count).ok());
        count.filter(|count| (1..1 << 32).contains(count)).ok_or_else(|| self.missing(name, "a whole number from 1 on"))
    }

    /// One number, or two, as two.
    pub fn pair(&self, name: &str) -> Result<[usize; 2], String> {
        self.get(name).and_then(super::pair).ok_or_else(|| self.missing(name, "one or two whole numbers"))
    }

    /// One number, perhaps in a list.
    pub fn single(&self, name: &str) -> Result<usize, String> {
        self.get(name).and_then(super::pair).map(|pair| pair[0]).ok_or_else(|| self.missing(name, "a whole number"))
    }

    pub fn list(&self, name: &str) -> Option<Vec<i64>> {
        match self.get(name)? {
            Value::Array(list) => list.iter().map(Value::as_i64).collect(),
            value => Some(vec![value.as_i64()?]),
        }
    }

    /// Refuses a setting that is anything but these.
    pub fn only(&self, name: &str, allowed: &[&str]) -> Result<(), String> {
        let text = match self.get(name) {
            None => return Ok(()),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        if allowed.contains(&text.as_str()) {
            return Ok(());
        }
        let allowed: Vec<String> = allowed.iter().map(|text| format!("`{text}`")).collect();
        Err(format!("expected `{name}` of {}, found `{text}`", allowed.join(" or ")))
    }

    fn missing(&self, name: &str, expected: &str) -> String {
        match self.get(name) {
            Some(value) => format!("expected {expected} as `{name}`, found {value}"),
            None => format!("expected {expected} as `{name}`, found nothing"),
        }
    }
}
