//! The kernels: the only crate that knows instruction sets, and the only one that may hold `unsafe`. Slices
//! of `f32` and sizes come in, filled slices go out; nothing here knows layers, graphs or optimisers by name.
//! Every result is the same whatever the batch is split into. Nothing here allocates, but `aligned_buffer`,
//! `scratch_pool`, `shared_memory`, `stream_chain` and `thread_pool`.
//!
//! Not for use on its own: `nn_runtime::kernels` is what writers of layers need of it. The rest changes
//! without notice.
#![cfg_attr(not(feature = "std"), no_std)]

#[cfg(any(feature = "alloc", test))]
extern crate alloc;

#[cfg(feature = "alloc")]
pub mod aligned_buffer;
pub mod attention;
pub mod batch_norm;
pub mod bytes;
pub mod chunk_queue;
mod compensated;
pub mod conv;
pub mod counter_rng;
pub mod dropout;
pub mod elementwise;
pub mod fingerprint;
#[cfg(test)]
mod fuzz;
pub mod gather;
pub mod int8;
pub mod long_sums;
pub mod math;
pub mod matrix;
mod micro;
pub mod one_thread;
pub mod optimizer;
pub mod pool;
pub mod recurrent;
pub mod reduce;
pub mod row_norm;
pub mod sample_chain;
#[cfg(feature = "alloc")]
pub mod scratch_pool;
#[cfg(feature = "std")]
pub mod shared_memory;
pub mod simd;
mod sizes;
pub mod softmax;
#[cfg(feature = "alloc")]
pub mod stream_chain;
#[cfg(feature = "std")]
pub mod thread_pool;
#[cfg(feature = "alloc")]
pub mod train_chain;
mod transpose;
pub mod workspace;
