//! Weight files: round trips, standard layouts, and every mismatch in words with the model unchanged.

mod bytes;
mod foreign;
mod pytorch;
mod refusals;
#[cfg(unix)]
mod replacing;
mod torch;

use std::fs;
use std::path::PathBuf;

use nn_runtime::prelude::*;
use nn_runtime::{ParamErrorKind, WeightsError, WeightsErrorKind};

network! {
    struct Net: [5] -> [3] {
        hidden: Dense(37) -> Relu;
        head: Dense(3)
    }
}
network! {
    struct Wider: [5] -> [3] {
        hidden: Dense(40) -> Relu;
        tail: Dense(3)
    }
}
network! { struct Inner: [4] -> [4] { mix: Dense(4) -> Tanh } }
network! { struct Nested: [4] -> [2] { first: Inner -> middle: Inner * 2 -> out: Dense(2) } }

struct File(PathBuf);

impl File {
    fn new(name: &str) -> File {
        File(std::env::temp_dir().join(format!("nn-{}-{name}.safetensors", std::process::id())))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn all<N: Network>(model: &Model<N>) -> Vec<(String, Vec<f32>)> {
    model.tensors().into_iter().map(|tensor| (tensor.name.clone(), model.get(&tensor.name).unwrap())).collect()
}

#[test]
fn a_round_trip_changes_no_bit() {
    let file = File::new("round");
    let model = Net::init(3);
    model.save(&file.0).unwrap();
    let loaded = Model::<Net>::load(&file.0).unwrap();
    assert_eq!(all(&model), all(&loaded));
    let x = [0.1, -0.2, 0.3, 0.4, -0.5];
    assert_eq!(model.predictor(1).predict(&x), loaded.predictor(1).predict(&x));
}

#[test]
fn layouts_and_names_are_the_fields() {
    let file = File::new("layout");
    let mut model = Net::init(3);
    let weight: Vec<f32> = (0..37 * 5).map(|i| i as f32).collect();
    model.set("hidden.weight", &weight).unwrap();
    model.save(&file.0).unwrap();
    let bytes = fs::read(&file.0).unwrap();
    // The format: eight bytes of length, a JSON header, then the numbers where the header says.
    let len = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + len]).unwrap();
    let tensor = &header["hidden.weight"];
    assert_eq!(tensor["dtype"], "F32");
    assert_eq!(tensor["shape"], serde_json::json!([37, 5]));
    let from = 8 + len + tensor["data_offsets"][0].as_u64().unwrap() as usize;
    let stored: Vec<f32> =
        bytes[from..from + 4 * weight.len()].chunks(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect();
    assert_eq!(stored, weight, "row-major [outputs, inputs]");
    // And the numbers mean what they mean elsewhere: y[o] = Σ_i W[o][i]·x[i] + b[o].
    model.set("hidden.weight", &vec![0.0; 37 * 5]).unwrap();
    model.set("head.weight", &(0..3 * 37).map(|i| if i == 37 { 1.0 } else { 0.0 }).collect::<Vec<_>>()).unwrap();
    model.set("hidden.bias", &(0..37).map(|i| if i == 0 { 2.0 } else { 0.0 }).collect::<Vec<_>>()).unwrap();
    assert_eq!(model.predictor(1).predict(&[0.0; 5]), &[0.0, 2.0, 0.0]);
}

#[test]
fn nested_names_tell_the_way() {
    let names: Vec<String> = Nested::init(0).tensors().into_iter().map(|tensor| tensor.name).collect();
    let expected = [
        "first.mix.weight",
        "first.mix.bias",
        "middle.0.mix.weight",
        "middle.0.mix.bias",
        "middle.1.mix.weight",
        "middle.1.mix.bias",
        "out.weight",
        "out.bias",
    ];
    assert_eq!(names, expected);
}

#[test]
fn every_mismatch_is_named() {
    let file = File::new("mismatch");
    Wider::init(0).save(&file.0).unwrap();
    let error = Model::<Net>::load(&file.0).unwrap_err().to_string();
    for part in [
        "`hidden.weight`: expected [37, 5], found [40, 5]",
        "`hidden.bias`: expected [37], found [40]",
        "`head.weight`: expected [3, 37], found no tensor of that name",
        "`tail.weight`: expected no such tensor in `Net`, found [3, 40]",
        "help: ",
        "mismatch.safetensors",
    ] {
        assert!(error.contains(part), "{error}\nlacks: {part}");
    }
}

#[test]
fn broken_files_are_told_apart() {
    let file = File::new("broken");
    let missing = Model::<Net>::load(&file.0).unwrap_err().to_string();
    assert!(missing.contains("cannot be read"), "{missing}");
    fs::write(&file.0, b"not at all").unwrap();
    let other = Model::<Net>::load(&file.0).unwrap_err().to_string();
    assert!(other.contains("expected a safetensors file"), "{other}");
    Net::init(0).save(&file.0).unwrap();
    let whole = fs::read(&file.0).unwrap();
    for len in [0, 4, 8, 100, whole.len() - 1] {
        fs::write(&file.0, &whole[..len]).unwrap();
        Model::<Net>::load(&file.0).unwrap_err();
    }
}

#[test]
fn a_failed_save_says_where() {
    let nowhere = std::env::temp_dir().join("nn-no-such-folder").join("a.safetensors");
    let error = Net::init(0).save(&nowhere).unwrap_err().to_string();
    assert!(error.contains("cannot be written") && error.contains("nn-no-such-folder"), "{error}");
}

#[test]
fn get_and_set_say_what_there_is() {
    let mut model = Net::init(0);
    let before = all(&model);
    let error = model.get("hiden.weight").unwrap_err().to_string();
    assert!(error.contains("found `hiden.weight`") && error.contains("hidden.weight, hidden.bias"), "{error}");
    let error = model.set("head.bias", &[0.0; 4]).unwrap_err().to_string();
    assert!(error.contains("expected 3 numbers for the shape [3], found 4"), "{error}");
    assert_eq!(before, all(&model));
}

/// A tensor of a file: its name, the type and shape that its header tells, and its bytes.
type Stored<'a> = (&'a str, &'a str, &'a [usize], Vec<u8>);

/// The bytes of a safetensors file.
fn safetensors(tensors: &[Stored]) -> Vec<u8> {
    let (mut entries, mut numbers) = (Vec::new(), Vec::new());
    for (name, dtype, shape, bytes) in tensors {
        let (from, to) = (numbers.len(), numbers.len() + bytes.len());
        let name = serde_json::to_string(name).unwrap();
        entries.push(format!(r#"{name}:{{"dtype":"{dtype}","shape":{shape:?},"data_offsets":[{from},{to}]}}"#));
        numbers.extend_from_slice(bytes);
    }
    let header = format!("{{{}}}", entries.join(","));
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &numbers].concat()
}

fn f32s(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// Loads a file of these bytes.
fn load<N: Network>(name: &str, bytes: &[u8]) -> Result<Model<N>, WeightsError> {
    let file = File::new(name);
    fs::write(&file.0, bytes).unwrap();
    Model::load(&file.0)
}

/// What is said about a file of these bytes, without its path.
fn said<N: Network>(name: &str, bytes: &[u8]) -> String {
    let error = load::<N>(name, bytes).expect_err("a fault").to_string();
    error.split_once(".safetensors: ").expect("the path first").1.to_owned()
}

network! { struct Normed: [2] -> [2] { norm: BatchNorm } }
network! { struct Line: [1] -> [1] { line: Dense(1) } }
network! { struct Recurrent: [5, 1] -> [5, 1] { lstm: Lstm(1) } }
network! { struct BothWays: [5, 3] -> [5, 4] { rnn: Gru(2, direction = Both) } }
network! { struct Stacked: [5, 2] -> [5, 2] { deep: Rnn(2) * 3 } }
network! { struct Scaled: [2] -> [2] { norm: Normalization } }
network! { struct Twins: [2] -> [2] { a: Dense(2, bias = false) -> b: Dense(2, bias = false) } }

fn normed(running_var: &[f32; 2]) -> Vec<Stored<'static>> {
    vec![
        ("norm.num_batches_tracked", "I64", &[], vec![7, 0, 0, 0, 0, 0, 0, 0]),
        ("norm.bias", "F32", &[2], f32s(&[3.0, 4.0])),
        ("norm.running_mean", "F32", &[2], f32s(&[5.0, 6.0])),
        ("norm.running_var", "F32", &[2], f32s(running_var)),
        ("norm.weight", "F32", &[2], f32s(&[1.0, 2.0])),
    ]
}

#[test]
fn files_are_those_of_the_formats_own_library() {
    let file = File::new("library");
    let model = Nested::init(5);
    model.save(&file.0).unwrap();
    let bytes = fs::read(&file.0).unwrap();
    let read = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut views = Vec::new();
    for tensor in model.tensors() {
        let view = read.tensor(&tensor.name).unwrap();
        assert_eq!(view.data(), f32s(&model.get(&tensor.name).unwrap()));
        assert_eq!(view.shape(), tensor.shape.as_slice());
        views.push((tensor.name, view));
    }
    assert_eq!(safetensors::serialize(views, None).unwrap(), bytes);
    assert!(bytes.len().is_multiple_of(4) && u64::from_le_bytes(bytes[..8].try_into().unwrap()).is_multiple_of(8));
}
