//! Any bytes, given to every reader: an error or a network, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nn_cli::tensors::{convert, inspect};
use nn_runtime::prelude::*;

network! {
    struct Small: [5] -> [2] {
        hidden: Dense(4) -> Tanh -> batch_normalization: BatchNorm(eps = 1e-3) -> head: Dense(2)
    }
}

fuzz_target!(|bytes: &[u8]| {
    let nowhere = |_: &str, _: u64, _: usize| Err("expected numbers within the file".to_owned());
    let converted = convert(bytes, "weights.safetensors", None);
    // What was written can be read again, and put back where it came from.
    if let Ok(weights) = &converted {
        convert(weights, "weights.npz", None).expect("what was written is whole");
        let _ = convert(weights, "back.keras", Some(bytes));
        let _ = Model::<Small>::from_bytes(weights);
    }
    let _ = inspect(bytes);
    let _ = nn_cli::inspect::onnx(bytes);
    let _ = nn_cli::import(bytes, "Net", &nowhere);
    let _ = Model::<Small>::from_bytes(bytes);
});
