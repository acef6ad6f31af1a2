//! Weight files: round trips, standard layouts, and every mismatch in words with the model unchanged.

use std::fs;
use std::path::PathBuf;

use nn_runtime::prelude::*;
use nn_runtime::{WeightsError, WeightsErrorKind};

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
fn counters_of_torch_modules_are_passed_over() {
    let model = load::<Normed>("counter", &safetensors(&normed(&[7.0, 8.0]))).unwrap();
    assert_eq!(model.get("norm.weight").unwrap(), [1.0, 2.0]);
    assert_eq!(model.get("norm.running_var").unwrap(), [7.0, 8.0]);
    // What only sounds like a counter is a difference.
    let mut other = normed(&[7.0, 8.0]);
    other[0].0 = "norm.batches_tracked";
    assert!(
        said::<Normed>("counter-like", &safetensors(&other)).starts_with("`norm.batches_tracked`: expected no such")
    );
}

#[test]
fn recurrent_modules_keep_torch_names() {
    let lstm =
        |suffix: &str| ["weight_ih", "weight_hh", "bias_ih", "bias_hh"].map(|name| format!("lstm.{name}{suffix}"));
    for suffix in ["", "_l0"] {
        let names = lstm(suffix);
        let shapes: [&[usize]; 4] = [&[4, 1], &[4, 1], &[4], &[4]];
        let stored: Vec<Stored> =
            (0..4).map(|k| (names[k].as_str(), "F32", shapes[k], f32s(&[k as f32, 0.5, -1.0, 2.0]))).collect();
        let model = load::<Recurrent>("lstm", &safetensors(&stored)).unwrap();
        for (k, name) in lstm("").iter().enumerate() {
            assert_eq!(model.get(name).unwrap(), [k as f32, 0.5, -1.0, 2.0], "{name}{suffix}");
        }
    }
    // Two directions, and several layers, as `torch.nn.GRU(3, 2, bidirectional=True)` and `torch.nn.RNN(2, 2, 3)` name them.
    let model = BothWays::init(1);
    let tensors = model.tensors();
    let names: Vec<String> = tensors
        .iter()
        .map(|t| match t.name.strip_suffix("_reverse") {
            Some(name) => format!("{name}_l0_reverse"),
            None => format!("{}_l0", t.name),
        })
        .collect();
    assert!(names.contains(&"rnn.weight_hh_l0_reverse".to_owned()), "{names:?}");
    let values: Vec<Vec<f32>> = tensors.iter().map(|t| model.get(&t.name).unwrap()).collect();
    let stored = |names: &[String], values: &[Vec<f32>], shapes: &[Vec<usize>]| {
        let all: Vec<Stored> =
            (0..names.len()).map(|i| (names[i].as_str(), "F32", &shapes[i][..], f32s(&values[i]))).collect();
        safetensors(&all)
    };
    let shapes: Vec<Vec<usize>> = tensors.iter().map(|t| t.shape.as_slice().to_vec()).collect();
    assert_eq!(all(&load::<BothWays>("both", &stored(&names, &values, &shapes)).unwrap()), all(&model));

    let model = Stacked::init(1);
    let tensors = model.tensors();
    let torch = |name: &str| {
        let [site, copy, param] = name.split('.').collect::<Vec<_>>()[..] else { panic!("{name}") };
        format!("{site}.{param}_l{copy}")
    };
    let names: Vec<String> = tensors.iter().map(|t| torch(&t.name)).collect();
    assert!(names.contains(&"deep.weight_ih_l2".to_owned()), "{names:?}");
    let values: Vec<Vec<f32>> = tensors.iter().map(|t| model.get(&t.name).unwrap()).collect();
    let shapes: Vec<Vec<usize>> = tensors.iter().map(|t| t.shape.as_slice().to_vec()).collect();
    assert_eq!(all(&load::<Stacked>("stacked", &stored(&names, &values, &shapes)).unwrap()), all(&model));
}

#[test]
fn names_of_wrapped_modules_are_plain_within() {
    for prefix in ["module.", "_orig_mod.", "_orig_mod.module."] {
        let (weight, bias) = (format!("{prefix}line.weight"), format!("{prefix}line.bias"));
        let stored: [Stored; 3] = [
            ("n_averaged", "I64", &[], vec![0; 8]),
            (&bias, "F32", &[1], f32s(&[2.0])),
            (&weight, "F32", &[1, 1], f32s(&[3.0])),
        ];
        let model = load::<Line>("wrapped", &safetensors(&stored)).unwrap();
        assert_eq!((model.get("line.weight").unwrap(), model.get("line.bias").unwrap()), (vec![3.0], vec![2.0]));
    }
}

#[test]
fn tensors_that_are_one_are_written_once_by_torch() {
    let header =
        r#"{"__metadata__":{"b.weight":"a.weight"},"a.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}}"#;
    let bytes = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &f32s(&[1.0, 2.0, 3.0, 4.0])].concat();
    let model = load::<Twins>("tied", &bytes).unwrap();
    assert_eq!(model.get("a.weight").unwrap(), [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(model.get("b.weight").unwrap(), [1.0, 2.0, 3.0, 4.0]);
}

#[test]
fn other_floats_are_converted() {
    let halves = |values: &[u16]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    for (dtype, weight, bias) in [
        ("F32", f32s(&[1.5]), f32s(&[-0.25])),
        ("F16", halves(&[0x3e00]), halves(&[0xb400])),
        ("BF16", halves(&[0x3fc0]), halves(&[0xbe80])),
        ("F64", 1.5f64.to_le_bytes().to_vec(), (-0.25f64).to_le_bytes().to_vec()),
    ] {
        let stored: [Stored; 2] = [("line.bias", dtype, &[1], bias), ("line.weight", dtype, &[1, 1], weight)];
        let model = load::<Line>("floats", &safetensors(&stored)).unwrap();
        assert_eq!((model.get("line.weight").unwrap(), model.get("line.bias").unwrap()), (vec![1.5], vec![-0.25]));
    }
    let stored: [Stored; 2] = [("line.bias", "I32", &[1], vec![0; 4]), ("line.weight", "F8_E4M3", &[1, 1], vec![0])];
    let text = said::<Line>("integers", &safetensors(&stored));
    assert!(text.contains("`line.bias`: expected floats of 16, 32 or 64 bits, found `I32`"), "{text}");
    assert!(text.contains("`line.weight`: expected floats of 16, 32 or 64 bits, found `F8_E4M3`"), "{text}");
}

#[test]
fn numbers_no_model_may_have_are_refused_by_element() {
    let refused = |bytes: &[u8]| {
        let error = load::<Net>("numbers", bytes).unwrap_err();
        assert_eq!(error.kind(), WeightsErrorKind::Number);
        error.to_string()
    };
    for (number, shown) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (f32::NEG_INFINITY, "-inf")] {
        let file = File::new("not-finite");
        let mut model = Net::init(0);
        let mut weight = model.get("hidden.weight").unwrap();
        weight[42] = number;
        model.set("hidden.weight", &weight).unwrap();
        model.save(&file.0).unwrap();
        let text = refused(&fs::read(&file.0).unwrap());
        let expected = format!("`hidden.weight`, element 42: expected a finite number, found {shown}");
        assert!(text.ends_with(&expected), "{text}");
    }
    let wide: [Stored; 2] =
        [("line.bias", "F64", &[1], 1e39f64.to_le_bytes().to_vec()), ("line.weight", "F32", &[1, 1], f32s(&[1.0]))];
    assert_eq!(
        said::<Line>("wide", &safetensors(&wide)),
        "`line.bias`, element 0: expected a finite number, found inf"
    );
    let text = said::<Normed>("variance", &safetensors(&normed(&[1.0, -1e-6])));
    assert!(text.starts_with("`norm.running_var`, element 1: expected a number of at least 0, "), "{text}");
    let std: [Stored; 2] =
        [("norm.mean", "F32", &[2], f32s(&[-1.0, 0.0])), ("norm.std", "F32", &[2], f32s(&[-1.0, 0.0]))];
    let text = said::<Scaled>("deviation", &safetensors(&std));
    assert!(text.starts_with("`norm.std`, element 0: expected a number of at least 0, "), "{text}");
    load::<Normed>("variance-0", &safetensors(&normed(&[0.0, 0.0]))).unwrap();
}

#[test]
fn a_name_that_comes_twice_is_refused() {
    let stored: [Stored; 3] = [
        ("line.bias", "F32", &[1], f32s(&[1.0])),
        ("line.weight", "F32", &[1, 1], f32s(&[1.0])),
        ("line.bias", "F32", &[1], f32s(&[2.0])),
    ];
    assert_eq!(
        said::<Line>("twice", &safetensors(&stored)),
        "`line.bias`: expected one tensor of that name, found two"
    );
}

#[test]
fn the_likely_cause_is_named() {
    let whole = {
        let file = File::new("whole");
        Net::init(0).save(&file.0).unwrap();
        fs::read(&file.0).unwrap()
    };
    for (bytes, found) in [
        (&b""[..], "found an empty file\nhelp: "),
        (b"PK\x03\x04\x14\0\0\0\x08\0\0\0archive/data.pkl", "found a zip archive, which is what `torch.save`"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\x03", "found a gzipped file\nhelp: unpack it first: `gunzip FILE`"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a", "found a pointer of Git LFS"),
        (b"\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0", "found an HDF5 file"),
        (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "found a Python pickle"),
        (b"\x93NUMPY\x01\0v\0{'descr': '<f4'", "found an array of NumPy"),
        (b"{\"metadata\": {\"total_size\": 1}}", "found JSON text"),
        (b"<!DOCTYPE html><html><head>", "found a web page"),
        (b"not at all what it should be", "found another, which begins with no length of a header\nhelp: "),
        (&whole[..5], "found 5 bytes\nhelp: the file is cut short or damaged"),
        (&whole[..100], "found 92 before the file ends\nhelp: the file is cut short or damaged"),
        (&whole[..whole.len() - 1], "bytes, as its header says, found "),
    ] {
        let error = load::<Net>("cause", bytes).unwrap_err();
        assert_eq!(error.kind(), WeightsErrorKind::Format, "{error}");
        assert!(error.to_string().contains(found), "{error}\nlacks: {found}");
    }
    let longer = [&whole[..], b"x"].concat();
    assert!(said::<Net>("longer", &longer).ends_with("write or fetch it again"));
    let folder = Model::<Net>::load(std::env::temp_dir()).unwrap_err();
    assert_eq!(folder.kind(), WeightsErrorKind::Read(std::io::ErrorKind::IsADirectory));
    let gone = Model::<Net>::load("no-such-file").unwrap_err();
    assert_eq!(gone.kind(), WeightsErrorKind::Read(std::io::ErrorKind::NotFound));
}

#[test]
fn headers_that_claim_what_is_not_there_are_refused() {
    let header = |text: &str, numbers: usize| {
        [&(text.len() as u64).to_le_bytes()[..], text.as_bytes(), &vec![0; numbers]].concat()
    };
    for (text, numbers, found) in [
        (
            r#"{"a":{"dtype":"F32","shape":[9],"data_offsets":[0,18446744073709551615]}}"#,
            0,
            "expected a range of bytes",
        ),
        (r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, 4, "expected a range of bytes, found 4 to 0"),
        (r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8, "expected its numbers from byte 0 on"),
        (
            r#"{"line.bias":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}"#,
            8,
            "expected 4 bytes for [1] of F32, found 8",
        ),
        (r#"{"a":{"dtype":"F32","shape":[1]}}"#, 0, "expected a header that lists tensors, found missing field"),
        (r#"{"a":[1,2,3"#, 0, "expected a header that lists tensors"),
        (r#"["a"]"#, 0, "found another, which begins with no length of a header"),
    ] {
        let text = said::<Line>("claims", &header(text, numbers));
        assert!(text.contains(found), "{text}\nlacks: {found}");
    }
}

#[test]
fn ten_differences_are_shown_and_nothing_a_terminal_obeys() {
    let names: Vec<String> = (0..100_000).map(|i| format!("extra.{i:05}")).collect();
    let stored: Vec<Stored> = names.iter().map(|name| (&name[..], "F32", &[][..], vec![0; 4])).collect();
    let text = said::<Line>("extra", &safetensors(&stored));
    assert!(text.len() < 2000 && text.contains("\n… and 99992 more\nhelp: "), "{text}");
    let long = format!("a\u{1b}[2J\n{}", "x".repeat(10_000));
    let stored: [Stored; 1] = [(&long, "F32", &[1; 2000], vec![0; 4])];
    let text = said::<Line>("controls", &safetensors(&stored));
    assert!(text.contains("`a\\u{1b}[2J\\nxxx") && !text.contains('\u{1b}') && text.len() < 1000, "{text}");
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

#[cfg(unix)]
mod on_unix {
    //! What stands at the path before and after.

    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::process::Command;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    /// A folder of its own, gone at the end.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let folder = std::env::temp_dir().join(format!("nn-{}-{name}", std::process::id()));
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir(&folder).unwrap();
            Folder(folder)
        }

        fn names(&self) -> Vec<String> {
            let mut names: Vec<String> =
                fs::read_dir(&self.0).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn links_lead_where_they_led() {
        let folder = Folder::new("links");
        fs::create_dir(folder.0.join("real")).unwrap();
        let (target, link) = (folder.0.join("real/weights"), folder.0.join("link"));
        symlink("real/weights", &link).unwrap();
        symlink("link", folder.0.join("second")).unwrap();
        // A link to what is not there yet, then to what is.
        for (seed, path) in [(1, "link"), (2, "link"), (3, "second")] {
            Net::init(seed).save(folder.0.join(path)).unwrap();
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
            assert!(fs::symlink_metadata(&target).unwrap().is_file());
            assert_eq!(all(&Model::<Net>::load(&target).unwrap()), all(&Net::init(seed)));
        }
        assert_eq!(folder.names(), ["link", "real", "second"]);
        symlink("loop", folder.0.join("loop")).unwrap();
        let error = Net::init(0).save(folder.0.join("loop")).unwrap_err();
        assert!(error.to_string().contains("too many links"), "{error}");
    }

    #[test]
    fn modes_are_kept_and_neighbours_left_alone() {
        let folder = Folder::new("modes");
        let path = folder.0.join("weights");
        let beside = folder.0.join("weights.part");
        fs::write(&beside, "mine").unwrap();
        for mode in [0o600, 0o640, 0o644, 0o400, 0o666] {
            fs::write(&path, "old").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            Net::init(1).save(&path).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, mode);
            fs::remove_file(&path).unwrap();
        }
        assert_eq!(fs::read(&beside).unwrap(), b"mine");
        assert_eq!(folder.names(), ["weights.part"]);
    }

    #[test]
    fn a_save_that_fails_leaves_the_old_file_and_nothing_else() {
        let folder = Folder::new("fails");
        let within = folder.0.join("within");
        fs::create_dir(&within).unwrap();
        let error = Net::init(0).save(&within).unwrap_err();
        assert_eq!(error.kind(), WeightsErrorKind::Write(std::io::ErrorKind::IsADirectory));
        assert_eq!(folder.names(), ["within"]);
        // A name that cannot be: everything is written, and cannot take its place.
        let long = folder.0.join("x".repeat(300));
        assert!(matches!(Net::init(0).save(&long).unwrap_err().kind(), WeightsErrorKind::Write(_)));
        assert_eq!(folder.names(), ["within"]);
        // The longest name there may be is one that can.
        Net::init(0).save(folder.0.join("y".repeat(255))).unwrap();
    }

    #[test]
    fn pipes_and_devices_are_written_to_as_they_stand() {
        Net::init(0).save("/dev/null").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
        if cfg!(target_os = "linux") {
            let full = Net::init(0).save("/dev/full").unwrap_err();
            assert_eq!(full.kind(), WeightsErrorKind::Write(std::io::ErrorKind::StorageFull));
        }
        let folder = Folder::new("pipe");
        let pipe = folder.0.join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        for seed in 0..3 {
            let writer = std::thread::spawn({
                let pipe = pipe.clone();
                move || Net::init(seed).save(pipe).unwrap()
            });
            // Read from a pipe too, of which no length is known.
            assert_eq!(all(&Model::<Net>::load(&pipe).unwrap()), all(&Net::init(seed)));
            writer.join().unwrap();
        }
        assert_eq!(folder.names(), ["pipe"]);
    }

    #[test]
    fn savers_at_once_never_break_the_file() {
        let folder = Folder::new("savers");
        let path = folder.0.join("weights");
        let good: Vec<_> = (0..4).map(|seed| all(&Net::init(seed))).collect();
        Net::init(0).save(&path).unwrap();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let savers: Vec<_> = (0..4)
                .map(|seed| {
                    let path = &path;
                    scope.spawn(move || (0..10).for_each(|_| Net::init(seed).save(path).unwrap()))
                })
                .collect();
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let found = all(&Model::<Net>::load(&path).unwrap());
                    assert!(good.contains(&found));
                }
            });
            savers.into_iter().for_each(|saver| saver.join().unwrap());
            done.store(true, Ordering::Relaxed);
        });
        assert_eq!(folder.names(), ["weights"]);
    }
}
