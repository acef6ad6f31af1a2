//! Weights as safetensors: bytes compared with a network, and a model to bytes and back, under standard names
//! and in standard layouts. What does not fit is refused, every difference named. No operating system is
//! needed; `files` has the paths.

mod compare;
pub(crate) mod embedded;
pub(crate) mod entry;
#[cfg(feature = "alloc")]
pub(crate) mod error;
#[cfg(feature = "alloc")]
pub(crate) mod file_header;
pub(crate) mod header;
pub(crate) mod in_place;
mod json;
mod likeness;
mod list;
#[cfg(feature = "alloc")]
mod model;
pub(crate) mod names;
pub(crate) mod numbers;
mod propose;
mod rows;
mod rules;
#[cfg(feature = "alloc")]
pub(crate) mod source;
pub(crate) mod wanted;
#[cfg(feature = "alloc")]
pub(crate) mod write;

#[cfg(feature = "alloc")]
pub use error::{WeightsError, WeightsErrorKind};
#[cfg(feature = "alloc")]
pub(crate) use model::{Unsound, numbers, read};
pub use rules::Names;

/// Bytes read at once.
pub(crate) const PIECE: usize = 1 << 16;
