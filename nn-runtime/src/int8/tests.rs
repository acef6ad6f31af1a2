//! Networks of every kind of layer, laid open and folded, against the predictor, which knows nothing of that;
//! and their codes against the floats, by the steps that codes are apart. In: networks with drawn parameters.

use alloc::vec;
use alloc::vec::Vec;

use super::file::Int8File;
use super::program::{ProgramPath, ProgramRef};
use super::quantized::load;
use super::{Calibration, QuantizeErrorKind, Quantized, lower};
use crate::Isa;
use crate::prelude::*;
use crate::random::Random;
use crate::shape::Shape;

network! {
    struct Mlp: [30] -> [10] { Dense(37) -> Relu -> Dense(19) -> Tanh -> Dense(10) -> Softmax }
}
network! {
    struct Cnn: [3, 9, 8] -> [5] {
        Conv2d(6, 3, padding = Same) -> BatchNorm -> Relu -> MaxPool2d(2) -> Conv2d(4, 2) -> BatchNorm
            -> Flatten -> Dense(5) -> Sigmoid
    }
}
network! { struct Block: [4, 6, 5] -> [4, 6, 5] {
    let y = DepthwiseConv2d(3, padding = Same) -> BatchNorm -> Relu -> Conv2d(4, 1) -> BatchNorm;
    (input, y) -> Sum -> Relu
} }
network! {
    struct Residual: [2, 12, 10] -> [3] {
        Conv2d(4, 3, stride = 2, padding = Pad(1)) -> Block * 2 -> GlobalAvgPool -> Dense(3)
    }
}
network! {
    struct Joined: [4, 6] -> [7, 6, 2] {
        let a = DensePerStep(6) -> Gelu -> Reshape([2, 3, 4]) -> AvgPool2d(2, stride = 1, padding = Same);
        let b = Normalization -> Silu -> Reshape([2, 3, 4]);
        let c = (a, b) -> Concat(axis = 0) -> Conv2d(7, 1, groups = 1);
        let d = (a, b) -> Concat(axis = 2) -> SeparableConv2d(7, 3, kernel_hw = [1, 5]) -> LeakyRelu;
        let e = (c, d) -> Concat(axis = 1);
        e -> Conv2d(14, 1, groups = 7) -> MaxPool2d(1, kernel_hw = [1, 3]) -> Reshape([7, 6, 2])
    }
}
network! {
    struct Sequence: [12, 3] -> [6] {
        Conv1d(5, 3, padding = Causal, dilation = 2) -> BatchNorm -> Elu -> MaxPool1d(2) -> Dropout(0.5)
            -> Conv1d(6, 2, stride = 2) -> GlobalMaxPool -> Relu
    }
}
network! {
    struct Several: (a: [8], b: [2, 3, 2]) -> (p: [6], q: [2, 3, 2]) {
        let p = a -> Dense(6) -> Relu;
        let q = b -> DepthwiseConv2d(1, bias = false) -> Relu;
    }
}

/// A model all of whose parameters are drawn, running statistics too.
fn drawn<N: Network>(seed: u64) -> Model<N> {
    let mut model = N::init(seed);
    let mut random = Random::keyed(seed, &[1]);
    for tensor in model.tensors() {
        let positive = tensor.name.ends_with("running_var") || tensor.name.ends_with("std");
        let mut values = vec![0.0; tensor.count()];
        Normal(0.3).draw::<true>(&tensor.shape, [1, 1], &mut random, &mut |i, x| values[i] = x);
        if positive {
            values.iter_mut().for_each(|value| *value = 0.5 + value.abs());
        }
        if tensor.shape.rank() < 2 {
            model.set(&tensor.name, &values).unwrap();
        }
    }
    model
}

fn samples<N: Network>(count: usize) -> Vec<Vec<f32>> {
    let mut random = Random::keyed(9, &[]);
    N::COMPILED
        .inputs
        .iter()
        .map(|shape| {
            let mut x = vec![0.0; count * shape.len()];
            Normal(1.0).draw::<true>(shape, [1, 1], &mut random, &mut |i, drawn| x[i] = drawn);
            x
        })
        .collect()
}

/// Every kind of step, as a microcontroller's program runs those it has.
struct Plainly;

impl ProgramPath for Plainly {
    const KINDS: u32 = !0;
    const PLAIN: bool = true;
}

/// What a file says, run in plain loops: the same bits.
fn check_plainly<N: Network>(small: &Quantized<N>, x: &[&[f32]], truth: &[Vec<f32>]) {
    let bytes = small.to_bytes();
    let file = Int8File::open(N::COMPILED, &bytes).unwrap();
    fn all<T>(count: usize, of: impl FnMut(usize) -> T) -> Vec<T> {
        (0..count).map(of).collect()
    }
    let [steps, terms, weights, sums, tables, exponentials, inputs, outputs, values, _] = *file.lens();
    let program = ProgramRef {
        steps: &all(steps, |i| file.step(i)),
        terms: &all(terms, |i| file.term(i)),
        weights: &all(weights, |i| file.weight(i)),
        biases: &all(sums, |i| file.bias(i)),
        scales: &all(sums, |i| file.sum_scale(i)),
        tables: &all(tables, |i| file.table(i)),
        exponentials: &all(exponentials, |i| file.exponentials_of(i)),
        inputs: &all(inputs, |i| file.input(i)),
        outputs: &all(outputs, |i| file.output(i)),
        values,
    };
    let mut memory = vec![7; values];
    let network = N::COMPILED;
    for sample in 0..x[0].len() / network.inputs[0].len() {
        let of = |(x, shape): (&&'_ [f32], &Shape)| x[sample * shape.len()..][..shape.len()].to_vec();
        let x: Vec<Vec<f32>> = x.iter().zip(network.inputs).map(of).collect();
        let x: Vec<&[f32]> = x.iter().map(|x| &x[..]).collect();
        assert!(program.quantize::<Plainly>(Isa::detect(), &x, &mut memory));
        program.run::<Plainly>(Isa::detect(), &mut memory);
        for (k, (truth, shape)) in truth.iter().zip(network.outputs).enumerate() {
            let mut y = vec![7.0; shape.len()];
            program.dequantize::<Plainly>(k, true, &memory, &mut y);
            assert_eq!(y, truth[sample * shape.len()..][..shape.len()], "{}, output {k}", network.name);
        }
    }
}

/// Folded floats are the predictor's, and codes stay near them.
fn check<N: Network>(steps: f32) {
    const COUNT: usize = 20;
    let (model, x) = (drawn::<N>(3), samples::<N>(COUNT));
    let x: Vec<&[f32]> = x.iter().map(|x| &x[..]).collect();
    let network = N::COMPILED;
    let room = || -> Vec<Vec<f32>> { network.outputs.iter().map(|shape| vec![0.0; COUNT * shape.len()]).collect() };
    let mut truth = room();
    model.predictor(4).predict_into(&x, &mut truth.iter_mut().map(|y| &mut y[..]).collect::<Vec<_>>()).unwrap();

    let mut floats = lower::lower(network, &model.params);
    floats.fold();
    let mut values = floats.values();
    for sample in 0..COUNT {
        load(&floats, network, &x, sample, &mut values);
        floats.run(&mut values);
        for ((value, truth), shape) in floats.outputs.iter().zip(&truth).zip(network.outputs) {
            let truth = &truth[sample * shape.len()..][..shape.len()];
            let mut turned = values[*value].clone();
            if shape.rank() == 3 {
                super::program::turn(shape.dim(0), &values[*value], &mut turned);
            }
            for (found, truth) in turned.iter().zip(truth) {
                assert!((found - truth).abs() < 1e-5 * (1.0 + truth.abs()), "{}: {found}, {truth}", network.name);
            }
        }
    }

    let small = Quantized::quantize(&model, &x, Calibration::MinMax).unwrap();
    let mut first: Option<Vec<Vec<f32>>> = None;
    for isa in Isa::available() {
        let mut y = room();
        let mut to: Vec<&mut [f32]> = y.iter_mut().map(|y| &mut y[..]).collect();
        small.predictor_on(isa).predict_into(&x, &mut to).unwrap();
        for ((y, truth), port) in y.iter().zip(&truth).zip(&small.program.outputs) {
            let worst = y.iter().zip(truth).fold(0.0, |worst: f32, (y, truth)| worst.max((y - truth).abs()));
            let found = worst / port.scale.scale;
            assert!(found < steps, "{}: off by {found} codes\n{}", network.name, small.report());
        }
        assert_eq!(*first.get_or_insert_with(|| y.clone()), y, "{} on {}", network.name, isa.name());
    }
    check_plainly(&small, &x, &first.unwrap());
}

#[test]
fn networks_in_bytes_are_near_those_in_floats() {
    check::<Mlp>(12.0);
    check::<Cnn>(12.0);
    check::<Residual>(12.0);
    check::<Joined>(12.0);
    check::<Sequence>(12.0);
    check::<Several>(2.0);
}

#[test]
fn what_is_folded_is_no_step() {
    let (model, x) = (drawn::<Cnn>(3), samples::<Cnn>(3));
    let small = Quantized::quantize(&model, &[&x[0]], Calibration::MinMax).unwrap();
    let names: Vec<&str> = small.report().layers.iter().map(|row| &*row.layer).collect();
    let expected =
        ["conv2d_1 + batch_norm_1 + relu_1", "max_pool2d_1", "conv2d_2 + batch_norm_2", "dense_1", "sigmoid_1"];
    assert_eq!(names, expected);
}

#[test]
fn bad_samples_are_refused() {
    let model = Mlp::init(0);
    let refused = |x: &[&[f32]], calibration| Quantized::quantize(&model, x, calibration).unwrap_err();
    let fault = |x: &[&[f32]]| refused(x, Calibration::MinMax);
    assert_eq!(fault(&[]).kind(), QuantizeErrorKind::Samples);
    assert!(fault(&[&[]]).to_string().starts_with("expected samples to take the ranges of values from, found none"));
    assert!(fault(&[&[0.0; 31]]).to_string().contains("30 numbers each, found 31"));
    let mut x = [0.0; 60];
    x[32] = f32::NAN;
    assert!(fault(&[&x]).to_string().starts_with("sample 1, input 0, element 2: expected a finite number, found NaN"));
    for percent in [f32::NAN, 50.0, 101.0] {
        let error = refused(&[&[0.0; 30]], Calibration::Percentile(percent));
        assert_eq!(error.kind(), QuantizeErrorKind::Calibration);
    }
}

/// A byte would stand for some number or other.
#[test]
fn nan_stays_nan() {
    let (model, x) = (drawn::<Mlp>(3), samples::<Mlp>(3));
    let small = Quantized::quantize(&model, &[&x[0]], Calibration::MinMax).unwrap();
    let mut odd: [f32; 60] = x[0][..60].try_into().unwrap();
    let outputs = Mlp::COMPILED.outputs[0].len();
    let (mut plain, mut y) = (vec![0.0; 2 * outputs], vec![0.0; 2 * outputs]);
    small.predictor().predict_into(&[&odd], &mut [&mut plain]).unwrap();
    odd[32] = f32::NAN;
    small.predictor().predict_into(&[&odd], &mut [&mut y]).unwrap();
    assert_eq!(y[..outputs], plain[..outputs]);
    assert!(y[outputs..].iter().all(|y| y.is_nan()));
    assert!(small.predictor().predict(odd[30..].try_into().unwrap()).iter().all(|y| y.is_nan()));
}

#[test]
fn a_percentile_leaves_out_what_is_rare() {
    let mut x = vec![0.0; 30 * 1000];
    x.iter_mut().enumerate().for_each(|(i, x)| *x = (i % 100) as f32 * 0.01);
    x[17] = 1e6;
    let model = Mlp::init(0);
    let wide = Quantized::quantize(&model, &[&x], Calibration::MinMax).unwrap();
    let narrow = Quantized::quantize(&model, &[&x], Calibration::Percentile(99.9)).unwrap();
    assert!(wide.program.inputs[0].scale.scale > 3000.0);
    assert!(narrow.program.inputs[0].scale.scale < 0.005);
}

#[test]
fn bytes_are_the_same_model_or_refused() {
    let (model, x) = (drawn::<Cnn>(3), samples::<Cnn>(9));
    let small = Quantized::quantize(&model, &[&x[0]], Calibration::MinMax).unwrap();
    let bytes = small.to_bytes();
    let again = Quantized::<Cnn>::from_bytes(&bytes).unwrap();
    let (mut first, mut second) = ([0.0; 45], [0.0; 45]);
    small.predictor().predict_into(&[&x[0]], &mut [&mut first]).unwrap();
    again.predictor().predict_into(&[&x[0]], &mut [&mut second]).unwrap();
    assert_eq!(first, second);
    // Steps take some hundred bytes each.
    assert!(bytes.len() < small.weight_bytes() + 1000, "{} bytes", bytes.len());

    let fault = |bytes: &[u8]| Quantized::<Cnn>::from_bytes(bytes).unwrap_err().to_string();
    for len in 0..bytes.len() {
        assert!(fault(&bytes[..len]).starts_with("expected"), "{len} bytes");
    }
    for at in 0..bytes.len() {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        assert!(fault(&bytes).starts_with("expected"), "byte {at}");
    }
    let other = Quantized::<Mlp>::from_bytes(&bytes).unwrap_err();
    assert_eq!(other.kind(), QuantizeErrorKind::Bytes);
    assert!(other.to_string().starts_with("expected a quantised model of `Mlp`, found one of another network"));
}

#[test]
fn memory_that_is_too_small_is_refused() {
    let (model, x) = (drawn::<Mlp>(3), samples::<Mlp>(1));
    let small = Quantized::quantize(&model, &[&x[0]], Calibration::MinMax).unwrap();
    let (mut y, mut memory) = ([7.0; 10], vec![0; small.predict_bytes()]);
    let error = small.predict_in(Isa::detect(), &mut memory[1..], &[&x[0]], &mut [&mut y]).unwrap_err();
    assert!(error.to_string().contains("bytes of memory, found"), "{error}");
    assert_eq!(y, [7.0; 10]);
    small.predict_in(Isa::detect(), &mut memory, &[&x[0]], &mut [&mut y]).unwrap();
    assert!((y.iter().sum::<f32>() - 1.0).abs() < 0.05);
}
