//! What the command `nn` does, as functions: reading files of other tools, telling what is in them, and
//! writing their tensors as other files.

mod archive;
mod hdf5;
mod import;
pub mod inspect;
mod keras;
mod kind;
mod onnx;
mod tensor;
pub mod tensors;

pub use import::{Imported, import};
pub use kind::Kind;
pub use onnx::Damage;
