//! What a checkpoint's note is made of, as JSON. In: a value; out: JSON; and back, or nothing where it is
//! something else.

use std::string::String;
use std::vec::Vec;

use serde_json::Value;

/// What can be written as JSON and read again.
pub(super) trait NoteValue: Sized {
    fn write(&self) -> Value;
    /// None where it is something else.
    fn read(value: &Value) -> Option<Self>;
}

impl NoteValue for u64 {
    fn write(&self) -> Value {
        (*self).into()
    }
    fn read(value: &Value) -> Option<Self> {
        value.as_u64()
    }
}

impl NoteValue for usize {
    fn write(&self) -> Value {
        (*self).into()
    }
    fn read(value: &Value) -> Option<Self> {
        value.as_u64()?.try_into().ok()
    }
}

impl NoteValue for bool {
    fn write(&self) -> Value {
        (*self).into()
    }
    fn read(value: &Value) -> Option<Self> {
        value.as_bool()
    }
}

impl NoteValue for String {
    fn write(&self) -> Value {
        self.as_str().into()
    }
    fn read(value: &Value) -> Option<Self> {
        value.as_str().map(String::from)
    }
}

impl<T: NoteValue> NoteValue for Option<T> {
    fn write(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::write)
    }
    fn read(value: &Value) -> Option<Self> {
        if value.is_null() { Some(None) } else { T::read(value).map(Some) }
    }
}

impl<T: NoteValue> NoteValue for Vec<T> {
    fn write(&self) -> Value {
        Value::Array(self.iter().map(T::write).collect())
    }
    fn read(value: &Value) -> Option<Self> {
        value.as_array()?.iter().map(T::read).collect()
    }
}

impl<T: NoteValue, const N: usize> NoteValue for [T; N] {
    fn write(&self) -> Value {
        Value::Array(self.iter().map(T::write).collect())
    }
    fn read(value: &Value) -> Option<Self> {
        Vec::read(value)?.try_into().ok()
    }
}

impl<A: NoteValue, B: NoteValue> NoteValue for (A, B) {
    fn write(&self) -> Value {
        Value::Array([self.0.write(), self.1.write()].into())
    }
    fn read(value: &Value) -> Option<Self> {
        let [a, b] = value.as_array()?.as_slice() else { return None };
        Some((A::read(a)?, B::read(b)?))
    }
}
