//! Columns of a Parquet file by name, and what their values are. In: a schema; out: which column is meant, or
//! why it is none of numbers. It reads no values.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use parquet::basic::{ConvertedType, LogicalType, Type};
use parquet::schema::types::{ColumnDescriptor, SchemaDescriptor};

use super::super::{DataError, DataErrorKind};
use crate::quote::{listed, quoted};

/// What the values of a column are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum CellKind {
    /// 0 or 1.
    Truth,
    Whole,
    /// Whole, and never below 0.
    Natural,
    Real,
    /// Real, of 16 bits.
    Half,
    Text,
}

/// What is wanted of a column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wanted {
    Numbers,
    Classes,
    Names,
}

/// Names of the columns at the top.
pub(super) fn names(schema: &SchemaDescriptor) -> Vec<String> {
    schema.root_schema().get_fields().iter().map(|field| field.name().to_string()).collect()
}

/// The leaf that `name` means, which is a column, or a field of a structure as `point.x`.
pub(super) fn find(schema: &SchemaDescriptor, name: &str, wanted: Wanted) -> Result<(usize, CellKind), DataError> {
    let is = |path: &[String]| (1..=path.len()).any(|len| path[..len].join(".") == name);
    let all: Vec<usize> = (0..schema.num_columns()).filter(|&i| is(schema.column(i).path().parts())).collect();
    let (place, expected) = (format!("column {}", quoted(name)), wanted.expected());
    match all[..] {
        [leaf] => match kind(&schema.column(leaf)) {
            Ok(kind) if wanted.takes(kind) => Ok((leaf, kind)),
            Ok(kind) => {
                let fault = DataError::new(DataErrorKind::Format, place, expected, kind.found());
                Err(match (wanted, kind) {
                    (Wanted::Classes, CellKind::Text) => fault.help("`.named_classes(column, &[\"…\", \"…\"])`"),
                    _ => fault,
                })
            }
            Err(found) => {
                let help = "write it as numbers: seconds since the first, a decimal as a float";
                Err(DataError::new(DataErrorKind::Format, place, expected, found).help(help))
            }
        },
        [] => {
            let known = names(schema);
            let found = listed(known.iter().map(|name| quoted(name)));
            let fault = DataError::new(DataErrorKind::Column, "schema", format!("a {place}"), found);
            Err(match known.iter().find(|known| known.eq_ignore_ascii_case(name)) {
                Some(known) => fault.help(format!("names are compared letter by letter: {}", quoted(known))),
                None => fault,
            })
        }
        [first, ..] => {
            let found = format!("a structure of {}", all.len());
            let fault = DataError::new(DataErrorKind::Format, place, "one column", found);
            Err(fault.help(format!("name a field: `{}`", schema.column(first).path().string())))
        }
    }
}

impl Wanted {
    fn takes(self, kind: CellKind) -> bool {
        match self {
            Wanted::Numbers => kind != CellKind::Text,
            Wanted::Classes => matches!(kind, CellKind::Truth | CellKind::Whole | CellKind::Natural),
            Wanted::Names => kind == CellKind::Text,
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Wanted::Numbers => "numbers, or lists of numbers",
            Wanted::Classes => "classes, whole numbers from 0",
            Wanted::Names => "names of classes, as text",
        }
    }
}

impl CellKind {
    fn found(self) -> &'static str {
        match self {
            CellKind::Truth => "true and false",
            CellKind::Whole | CellKind::Natural => "whole numbers",
            CellKind::Real | CellKind::Half => "real numbers",
            CellKind::Text => "text",
        }
    }
}

/// What a leaf holds, or what it holds that is no number.
fn kind(leaf: &ColumnDescriptor) -> Result<CellKind, String> {
    let (physical, logical) = (leaf.physical_type(), leaf.logical_type_ref());
    let plain = match logical {
        None => match leaf.converted_type() {
            ConvertedType::DECIMAL => Err("decimals".to_string()),
            ConvertedType::DATE
            | ConvertedType::TIME_MILLIS
            | ConvertedType::TIME_MICROS
            | ConvertedType::TIMESTAMP_MILLIS
            | ConvertedType::TIMESTAMP_MICROS
            | ConvertedType::INTERVAL => Err("dates or times".to_string()),
            ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 | ConvertedType::UINT_64 => {
                Ok(CellKind::Natural)
            }
            _ => Ok(CellKind::Whole),
        },
        Some(LogicalType::Integer(whole)) if whole.is_signed => Ok(CellKind::Whole),
        Some(LogicalType::Integer(_)) => Ok(CellKind::Natural),
        Some(LogicalType::String | LogicalType::Enum) => Ok(CellKind::Text),
        Some(LogicalType::Float16) => Ok(CellKind::Half),
        Some(LogicalType::Decimal(_)) => Err("decimals".to_string()),
        Some(LogicalType::Date | LogicalType::Time(_) | LogicalType::Timestamp(_)) => Err("dates or times".to_string()),
        Some(LogicalType::Unknown) => Err("nothing but nulls".to_string()),
        Some(other) => Err(format!("{other:?}")),
    };
    match (physical, plain?) {
        (Type::BOOLEAN, _) => Ok(CellKind::Truth),
        (Type::INT32 | Type::INT64, kind @ (CellKind::Whole | CellKind::Natural)) => Ok(kind),
        (Type::FLOAT | Type::DOUBLE, _) => Ok(CellKind::Real),
        // Of two bytes, as the reader has checked; looked at again where values are taken.
        (Type::FIXED_LEN_BYTE_ARRAY, CellKind::Half) => Ok(CellKind::Half),
        (Type::BYTE_ARRAY, CellKind::Text | CellKind::Whole) => Ok(CellKind::Text),
        (Type::INT96, _) => Err("times of 96 bits".to_string()),
        (other, _) => Err(format!("values of the type {other}")),
    }
}
