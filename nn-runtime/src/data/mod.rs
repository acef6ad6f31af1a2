//! Where samples come from: arrays, slices, IDX and CSV files, and digits drawn here. All become a
//! [`Dataset`] of flat `f32` rows, with class labels or values as targets. What a file or an array holds
//! never makes a panic, and what a header only claims takes no memory.

pub mod csv;
mod dataset;
pub mod digits;
mod error;
pub mod idx;
mod samples;
mod split;
mod standardize;
mod targets;
mod weights;

pub use self::csv::{Column, Csv};
pub use self::dataset::Dataset;
pub use self::error::{DataError, DataErrorKind};
pub use self::samples::{Samples, Values};
pub use self::standardize::{Standardize, StandardizeTargets};
pub use self::targets::{Class, Labels, OneTarget, Targets};
