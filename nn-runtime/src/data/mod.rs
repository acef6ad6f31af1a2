//! Where samples come from: arrays, slices, IDX and CSV files, and digits drawn here. All become a
//! [`Dataset`] of flat `f32` rows, with class labels or values as targets. What a file or an array holds
//! never makes a panic, and what a header only claims takes no memory.

pub mod augment;
mod class;
pub mod csv;
mod dataset;
pub mod digits;
mod error;
mod folds;
pub mod idx;
mod normalize;
mod on_disk;
mod rows;
mod samples;
mod source;
mod split;
mod standardize;
mod targets;
mod weights;

pub use self::class::Class;
pub use self::csv::{Column, Csv, Missing};
pub use self::dataset::Dataset;
pub use self::error::{DataError, DataErrorKind};
pub use self::folds::Folds;
pub use self::on_disk::OnDisk;
pub use self::rows::{Dtype, Rows};
pub use self::samples::{Samples, Values};
pub use self::source::SampleSource;
pub use self::standardize::{Standardize, StandardizeTargets};
pub use self::targets::{Labels, OneTarget, Targets};
pub use crate::random::Random;
