//! What PyTorch writes is loaded as it stands: names, counters, wrapped modules, tied tensors, other floats.

use super::*;

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
    // Two directions, and several layers, as `torch.nn.GRU(3, 2, bidirectional=True)` and
    // `torch.nn.RNN(2, 2, 3)` name them.
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
