//! Tensors by name, out of the files that weights come in and into those that are written here. In: bytes,
//! which may be anything; out: tensors, or bytes. Nothing of a file is executed, and no number is changed.

mod npz;
mod pickle;
mod safetensors;
mod torch;

use crate::keras;
use crate::kind::Kind;
use crate::tensor::Tensor;

/// The tensors of a file, in its order.
///
/// # Errors
/// It is no file of tensors that is read here, or damaged.
fn read(bytes: &[u8]) -> Result<Vec<Tensor>, String> {
    match Kind::of(bytes) {
        Kind::Safetensors => safetensors::read(bytes),
        Kind::Npz => npz::read(bytes),
        Kind::Torch => torch::read(bytes),
        Kind::Keras | Kind::Hdf5 => keras::read(bytes),
        Kind::Pickle => {
            Err("expected a file of tensors, found a Python pickle, as old `torch.save` files are\nhelp: in Python: \
                             `torch.save(torch.load(\"FILE\"), \"new.pt\")`"
                .to_owned())
        }
        other => Err(format!(
            "expected safetensors, `.npz`, a file of Keras or what `torch.save` writes, found {}\nhelp: docs/weights.md has a line for each tool",
            other.name()
        )),
    }
}

/// The tensors of a file as another file, whose name ends in `.safetensors` or `.npz`; or in `.keras` or
/// `.h5`, where `like` is such a file of the same network, which Keras wrote.
///
/// # Errors
/// As for what is read; another ending; for Keras each parameter that does not fit.
pub fn convert(bytes: &[u8], to: &str, like: Option<&[u8]>) -> Result<Vec<u8>, String> {
    let tensors = read(bytes)?;
    if tensors.is_empty() {
        return Err("expected a file with tensors, found none in it".to_owned());
    }
    match (to.rsplit_once('.').map(|(_, ending)| ending), like) {
        (Some("safetensors"), _) => safetensors::write(&tensors),
        (Some("npz"), _) => npz::write(&tensors),
        (Some("keras" | "h5"), Some(like)) => keras::write(&tensors, like),
        (Some("keras" | "h5"), None) => Err(format!(
            "expected a file of Keras to put the numbers into\nhelp: in Python `model.save_weights(\"like.weights.h5\")`, \
             then `nn convert FILE {to} --like like.weights.h5`"
        )),
        _ => Err(format!("expected a name that ends in `.safetensors`, `.npz`, `.keras` or `.h5`, found `{to}`")),
    }
}

/// What is in a file: a line for each tensor, and their sum.
///
/// # Errors
/// As [`convert`]'s reading.
pub fn inspect(bytes: &[u8]) -> Result<String, String> {
    use std::fmt::Write;

    let tensors = read(bytes)?;
    let mut text = String::new();
    let mut sum = 0;
    for Tensor { name, element, shape, bytes } in &tensors {
        sum += bytes.len() / element.bytes();
        writeln!(text, "{}: {element:?} {shape:?}", name.escape_debug()).expect("text takes text");
    }
    let s = if tensors.len() == 1 { "" } else { "s" };
    writeln!(text, "{} tensor{s}, {sum} numbers", tensors.len()).expect("text takes text");
    Ok(text)
}
