//! Networks as ONNX files: what is written of each layer, in words that are kept; and files for `check.py`,
//! which runs them in ONNX Runtime. In: declarations; out: nothing, or what differs.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use nn_runtime::prelude::*;
use nn_tests::numbers::numbers;

/// `name: [sizes] -> size; declaration { layers }`
macro_rules! cases {
    ($group:literal $($name:ident [$($input:expr),+] -> $output:expr; ($($declaration:tt)+) { $($layers:tt)+ })+) => {
        #[test]
        fn files_are_those_that_are_kept() {
            let mut text = String::new();
            $({
                network! { struct Case: $($declaration)+ { $($layers)+ } }
                text += concat!("# ", stringify!($name), "\n");
                text += &crate::export(concat!($group, "_", stringify!($name)), &crate::drawn::<Case>(), &[$($input),+], &[$output]);
                text += "\n";
            })+
            crate::kept($group, &text);
        }
    };
}

// After the macro, so that they see it.
mod layers;
mod networks;

/// Samples of a case.
const BATCH: usize = 3;

/// What an input holds.
#[derive(Clone, Copy)]
enum Drawn {
    Numbers(usize),
    /// Whole numbers below the second.
    Ids(usize, usize),
    /// 1 at some of the steps: at all, at some that lie anywhere, at none.
    Mask(usize),
}
use Drawn::{Ids, Mask, Numbers};

impl Drawn {
    fn draw(self, seed: u64) -> Vec<f32> {
        match self {
            Numbers(len) => numbers(seed, BATCH * len, 2.0),
            Ids(len, count) => (0..BATCH * len).map(|i| (i * 7 % count) as f32).collect(),
            Mask(len) => {
                let there = |i: usize| [true, i % 3 != 1, false][i / len];
                (0..BATCH * len).map(|i| f32::from(u8::from(there(i)))).collect()
            }
        }
    }
}

/// A model whose parameters are nowhere 0 or 1 by themselves.
fn drawn<N: Network>() -> Model<N> {
    let mut model = N::init(1);
    for (seed, tensor) in (50..).zip(model.tensors()) {
        let mut values = numbers(seed, tensor.count(), 0.5);
        if tensor.name.ends_with("running_var") || tensor.name.ends_with("std") {
            values.iter_mut().for_each(|value| *value = 0.5 + value.abs());
        }
        model.set(&tensor.name, &values).unwrap();
    }
    model
}

/// Where the files of the slow check go.
fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("onnx");
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Writes the file, with an input and what is predicted of it beside it; what is in the file, as text.
fn export<N: Network>(name: &str, model: &Model<N>, inputs: &[Drawn], outputs: &[usize]) -> String {
    let bytes = model.to_onnx();
    let x: Vec<Vec<f32>> = inputs.iter().zip(7..).map(|(input, seed)| input.draw(seed)).collect();
    let slices: Vec<&[f32]> = x.iter().map(|x| &x[..]).collect();
    let mut y: Vec<Vec<f32>> = outputs.iter().map(|len| vec![0.0; BATCH * len]).collect();
    let mut slots: Vec<&mut [f32]> = y.iter_mut().map(|y| &mut y[..]).collect();
    model.predictor(BATCH).predict_into(&slices, &mut slots).unwrap();
    let mut text = String::new();
    for (key, values) in x.iter().map(|x| ("x", x)).chain(y.iter().map(|y| ("y", y))) {
        let values: Vec<String> = values.iter().map(f32::to_string).collect();
        writeln!(text, "{key} {}", values.join(" ")).unwrap();
    }
    fs::write(folder().join(format!("{name}.onnx")), &bytes).unwrap();
    fs::write(folder().join(format!("{name}.txt")), text).unwrap();
    nn_cli::inspect::onnx(&bytes).unwrap()
}

/// Compares the texts of all cases of a group with those that are kept.
fn kept(group: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("onnx").join(format!("{group}.txt"));
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, found).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap();
    for (kept, found) in kept.split("\n\n").zip(found.split("\n\n")) {
        assert_eq!(kept, found, "run tests/onnx/check.py, then accept the new text with BLESS=1");
    }
    assert_eq!(kept.len(), found.len(), "there are other cases: accept them with BLESS=1");
}
