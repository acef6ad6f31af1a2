//! The kernel room: the only place that knows instruction sets, and the only one that may hold `unsafe`.
//! Slices of `f32` and sizes come in, filled slices go out; nothing here knows layers, graphs or optimisers by name.
//! Every result is the same whatever the batch is split into. Nothing here may allocate, but `block`.

pub(crate) mod attention;
pub mod batch_norm;
pub mod block;
pub mod conv;
#[cfg(feature = "std")]
pub mod crew;
pub mod elementwise;
pub mod gather;
pub(crate) mod lanes;
pub mod math;
pub mod matrix;
mod micro;
pub mod noise;
pub mod pool;
pub mod recurrent;
pub mod row_norm;
pub mod rows;
pub(crate) mod shelf;
pub mod simd;
pub mod split;
pub mod update;
