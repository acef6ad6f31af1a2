//! Where samples come from: arrays, slices, IDX and CSV files, and digits drawn here. All become a
//! [`Dataset`] of flat `f32` rows, with class labels or values as targets. What a file or an array holds
//! never makes a panic, and what a header only claims takes no memory. Files, and what is read or changed
//! while [`fit`](crate::train::Trainer::fit) runs, need the feature `std`.

#[cfg(feature = "std")]
pub mod augment;
#[cfg(feature = "alloc")]
mod class;
#[cfg(feature = "std")]
pub mod csv;
#[cfg(feature = "alloc")]
mod dataset;
pub mod digits;
#[cfg(feature = "alloc")]
mod error;
#[cfg(feature = "alloc")]
mod folds;
#[cfg(feature = "std")]
pub mod idx;
#[cfg(feature = "image")]
mod image_folder;
#[cfg(feature = "alloc")]
mod normalize;
#[cfg(feature = "std")]
mod on_disk;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(feature = "std")]
mod rows;
#[cfg(feature = "alloc")]
mod samples;
#[cfg(feature = "std")]
mod source;
#[cfg(feature = "alloc")]
mod split;
#[cfg(feature = "alloc")]
mod standardize;
#[cfg(feature = "alloc")]
mod targets;
#[cfg(feature = "std")]
mod unreadable;
#[cfg(feature = "alloc")]
mod weights;

#[cfg(feature = "alloc")]
pub use self::class::Class;
#[cfg(feature = "std")]
pub use self::csv::{Column, Csv, Missing};
#[cfg(feature = "alloc")]
pub use self::dataset::Dataset;
#[cfg(feature = "alloc")]
pub use self::error::{DataError, DataErrorKind};
#[cfg(feature = "alloc")]
pub use self::folds::Folds;
#[cfg(feature = "image")]
pub use self::image_folder::ImageFolder;
#[cfg(feature = "std")]
pub use self::on_disk::OnDisk;
#[cfg(feature = "parquet")]
pub use self::parquet::{Parquet, ParquetSource, ParquetTargets};
#[cfg(feature = "std")]
pub use self::rows::{Dtype, Rows};
#[cfg(feature = "alloc")]
pub use self::samples::{Samples, Values};
#[cfg(feature = "std")]
pub use self::source::SampleSource;
#[cfg(feature = "alloc")]
pub use self::standardize::{Standardize, StandardizeTargets};
#[cfg(feature = "alloc")]
pub use self::targets::{Labels, OneTarget, Targets};
#[cfg(feature = "std")]
pub(crate) use self::weights::check_weights;
pub use crate::random::Random;
