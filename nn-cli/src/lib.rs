//! What the command `nn` does, as functions: reading files of other tools, and telling what is in them.

pub mod inspect;
mod onnx;

pub use onnx::Damage;
