//! What the command `nn` does, as functions: reading files of other tools, and telling what is in them.

mod import;
pub mod inspect;
mod onnx;

pub use import::{Imported, import};
pub use onnx::Damage;
