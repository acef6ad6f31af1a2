//! Files of Keras: every number of them is read, models become declarations that predict what Keras did, and
//! numbers go back into Keras's own files; damaged ones are refused. In: `files/keras_*`, by
//! `make_keras_models.py`; out: files for `check_keras.py`, which reads them in Keras.

use std::fs;
use std::path::{Path, PathBuf};

use nn_cli::tensors::{convert, inspect};
use nn_runtime::prelude::*;
use nn_tests::damage::damaged;
use safetensors::{Dtype, SafeTensors};

use crate::memory;

fn file(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("imports/files").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What Keras saved.
const FILES: [&str; 9] = [
    "keras_gates.keras",
    "keras_more.keras",
    "keras_images.keras",
    "keras_steps.keras",
    "keras_text.keras",
    "keras_small.keras",
    "keras_trained.weights.h5",
    "keras_trained.h5",
    "keras_subclassed.weights.h5",
];

network! {
    struct Trained: [5] -> [4] {
        hidden: Dense(4) -> Tanh -> batch_normalization: BatchNorm(eps = 1e-3)
    }
}

network! {
    struct Subclassed: [3, 2] -> [2] {
        first: DensePerStep(4) -> cell: Gru(2, last = true)
    }
}

fn predicts<N: Network>(weights: &[u8], names: Names, answers: &str) {
    let model = match Model::<N>::from_bytes_with(weights, names) {
        Ok(model) => model,
        Err(error) => panic!("{answers}: {error}"),
    };
    let text = String::from_utf8(file(answers)).unwrap();
    let numbers = |key: &str| -> Vec<f32> {
        let line = text.lines().find_map(|line| line.strip_prefix(key)).unwrap();
        line.split(' ').map(|number| number.parse().unwrap()).collect()
    };
    let (x, y) = (numbers("x "), numbers("y "));
    let mut found = vec![0.0; y.len()];
    model.predictor(2).predict_into(&[&x], &mut [&mut found]).unwrap();
    for (found, y) in found.iter().zip(&y) {
        assert!((found - y).abs() <= 1e-5 * y.abs().max(1.0), "{answers}: {found} is not {y}");
    }
}

/// Weights alone, whichever way Keras wrote them, behind a declaration of one's own.
#[test]
fn weights_are_those_of_keras() {
    for name in ["keras_trained.weights.h5", "keras_trained.h5"] {
        let weights = convert(&file(name), "weights.safetensors", None).unwrap();
        predicts::<Trained>(&weights, Names::new(), "keras_trained.txt");
    }
    let weights = convert(&file("keras_subclassed.weights.h5"), "weights.safetensors", None).unwrap();
    let names = Names::new().map("body.dense", "first");
    predicts::<Subclassed>(&weights, names, "keras_subclassed.txt");
}

/// Keras writes arrays in one piece; others, with h5py, in chunks, compressed, in other types.
#[test]
fn arrays_in_chunks_are_read() {
    let weights = convert(&file("h5py_packed.weights.h5"), "weights.safetensors", None).unwrap();
    let tensors = SafeTensors::deserialize(&weights).unwrap();
    for (i, dtype) in [Dtype::F32, Dtype::F32, Dtype::F64, Dtype::F16, Dtype::F64, Dtype::BF16].into_iter().enumerate()
    {
        let tensor = tensors.tensor(&format!("own/vars/{i}")).unwrap();
        assert_eq!((tensor.dtype(), tensor.shape()), (dtype, &[7, 10][..]), "{i}");
        for (k, bytes) in tensor.data().chunks_exact(tensor.data().len() / 70).enumerate() {
            let found = match bytes {
                [a, b] if dtype == Dtype::F16 => f64::from(half::f16::from_le_bytes([*a, *b])),
                [a, b] => f64::from(half::bf16::from_le_bytes([*a, *b])),
                [a, b, c, d] => f64::from(f32::from_le_bytes([*a, *b, *c, *d])),
                eight => f64::from_le_bytes(eight.try_into().unwrap()),
            };
            assert_eq!(found, ((k * 7 % 23) as f64 - 11.0) / 4.0, "{i}, number {k}");
        }
    }
    let error = convert(&file("h5py_latest.weights.h5"), "weights.safetensors", None).unwrap_err();
    assert!(
        error.starts_with("`other`: `vars/0`: expected an array as h5py writes it of itself, found chunks of"),
        "{error}"
    );
}

/// There and back gives Keras's own bytes, but for two biases that are one there.
#[test]
fn what_is_written_for_keras_is_its_own_file() {
    for name in FILES {
        let (like, weights) = (file(name), convert(&file(name), "weights.safetensors", None).unwrap());
        let back = convert(&weights, name, Some(&like)).unwrap_or_else(|error| panic!("{name}: {error}"));
        if name.ends_with(".h5") {
            assert!(back == like, "{name}");
        }
        assert_eq!(convert(&back, "weights.safetensors", None).unwrap(), weights, "{name}");
        assert_eq!(inspect(&back).unwrap(), inspect(&like).unwrap(), "{name}");
    }
}

/// Numbers of ours in Keras's files; `check_keras.py` compares what Keras predicts with them.
#[test]
fn other_numbers_are_written_into_the_file() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("keras");
    fs::create_dir_all(&folder).unwrap();
    for name in FILES {
        let weights = convert(&file(name), "weights.safetensors", None).unwrap();
        // Every number times a half, but for weights that Keras has not, which are 1.
        let mut halved = weights.clone();
        for (_, tensor) in SafeTensors::deserialize(&weights).unwrap().tensors() {
            let at = tensor.data().as_ptr() as usize - weights.as_ptr() as usize;
            let numbers = halved[at..at + tensor.data().len()].as_chunks_mut::<4>().0;
            if numbers.iter().any(|bytes| f32::from_le_bytes(*bytes) != 1.0) {
                numbers.iter_mut().for_each(|bytes| *bytes = (f32::from_le_bytes(*bytes) * 0.5).to_le_bytes());
            }
        }
        let written = convert(&halved, name, Some(&file(name))).unwrap();
        assert_ne!(written, file(name));
        assert_eq!(convert(&written, "weights.safetensors", None).unwrap(), halved, "{name}");
        fs::write(folder.join(name), written).unwrap();
    }
    // The state's bias of an LSTM has no place of its own in Keras: it is added to the other.
    let weights = convert(&file("keras_steps.keras"), "weights.safetensors", None).unwrap();
    let tensors = SafeTensors::deserialize(&weights).unwrap();
    let swapped = tensors.tensors().into_iter().map(|(name, view)| match name.as_str() {
        "long.bias_ih" => ("long.bias_hh".to_owned(), view),
        "long.bias_hh" => ("long.bias_ih".to_owned(), view),
        _ => (name, view),
    });
    let swapped = safetensors::serialize(swapped, None).unwrap();
    let back = convert(&swapped, "steps.keras", Some(&file("keras_steps.keras"))).unwrap();
    assert_eq!(convert(&back, "weights.safetensors", None).unwrap(), weights);
}

#[test]
fn what_does_not_fit_is_told() {
    let weights = convert(&file("keras_trained.h5"), "weights.safetensors", None).unwrap();
    let refused = |like: &str| convert(&weights, like, Some(&file(like))).unwrap_err();
    let text = refused("keras_subclassed.weights.h5");
    assert!(
        text.starts_with("expected the parameters of the Keras file\n`body.dense.weight`: expected [4, 2], found no"),
        "{text}"
    );
    assert!(text.contains("`hidden.weight`: the network in Keras has no such parameter"), "{text}");
    let text = convert(&weights, "new.weights.h5", None).unwrap_err();
    assert!(text.starts_with("expected a file of Keras to put the numbers into\nhelp: in Python"), "{text}");
    let import = |bytes: &[u8]| nn_cli::import(bytes, "Net", &|_, _, _| unreachable!()).err().unwrap().to_string();
    let text = import(&file("keras_trained.weights.h5"));
    assert!(text.starts_with("expected a model, found weights alone\nhelp: in Python: `model.save("), "{text}");
}

/// Another configuration in a model: layers that are none here are told by name and class.
#[test]
fn layers_that_are_none_here_are_named() {
    let model = file("keras_trained.h5");
    let changed = |from: &str, to: &str| {
        assert_eq!(from.len(), to.len());
        let at = model.windows(from.len()).position(|bytes| bytes == from.as_bytes()).unwrap();
        let mut other = model.clone();
        other[at..at + to.len()].copy_from_slice(to.as_bytes());
        nn_cli::import(&other, "Net", &|_, _, _| unreachable!()).err().unwrap().to_string()
    };
    let cases = [
        (
            r#""class_name": "Dense""#,
            r#""class_name": "Masks""#,
            "layer `hidden`, `Masks`: no layer is this\nhelp: write a layer",
        ),
        (
            r#""activation": "tanh""#,
            r#""activation": "cube""#,
            "layer `hidden`, `Dense`: expected an activation that is a layer here, found `cube`",
        ),
        (
            r#""units": 4"#,
            r#""units": 0"#,
            "layer `hidden`, `Dense`: expected a whole number from 1 on as `units`, found 0",
        ),
        (
            r#""axis": -1"#,
            r#""axis": -2"#,
            "layer `batch_normalization`, `BatchNormalization`: expected the last axis, found [-2]",
        ),
    ];
    for (from, to, says) in cases {
        let text = changed(from, to);
        assert!(text.starts_with(says), "{text}");
    }
}

/// What may be taken beside an archive: its weights, unpacked, twice more for the numbers and what is written
/// of them, and the configuration as a tree.
fn room_of(bytes: &[u8]) -> usize {
    let Ok(mut archive) = zip::ZipArchive::new(std::io::Cursor::new(bytes)) else { return bytes.len() };
    let mut member = |i| {
        let mut member = archive.by_index(i).ok()?;
        let times = if member.name().ends_with(".json") { 16 } else { 3 };
        Some(times * std::io::copy(&mut member, &mut std::io::sink()).ok()?)
    };
    (0..8).filter_map(&mut member).sum::<u64>() as usize
}

/// Files that were cut, changed in places, or grown are read or refused, and take beside themselves no more
/// memory than twice the file, for the numbers and what is written of them. An archive is the file that it
/// holds, unpacked.
#[test]
fn damaged_files_are_refused() {
    for name in FILES.into_iter().chain(["h5py_packed.weights.h5", "h5py_latest.weights.h5"]) {
        let (whole, mut refused) = (file(name), 0);
        for seed in 0..500 {
            let bytes = damaged(&whole, seed);
            let (converted, most) = memory::most(|| convert(&bytes, "weights.safetensors", None));
            let room = if name.ends_with(".h5") { 2 * whole.len() } else { room_of(&bytes) };
            assert!(most < room + (1 << 17), "{name} {seed}: {most} bytes for a file of {}", whole.len());
            let imported = nn_cli::import(&bytes, "Net", &|_, _, _| Err("no other file".to_owned()));
            for error in [converted.err(), imported.err().map(|error| error.to_string())].into_iter().flatten() {
                assert!(error.contains(' '), "{name} {seed}: {error}");
                refused += 1;
            }
        }
        assert!(refused > 100, "{name}: only {refused} of 500 are refused");
    }
}
