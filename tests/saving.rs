//! Weight files: round trips, standard layouts, and every mismatch in words with the model unchanged.

use std::fs;
use std::path::PathBuf;

use nn_runtime::prelude::*;

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
