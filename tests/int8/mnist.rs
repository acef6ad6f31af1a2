//! What networks that have learnt to read digits lose in bytes: drawn ones, and real ones where they are at
//! hand. In: data; out: accuracies, sizes and, printed, the error of each layer.

use nn_runtime::SoftmaxHead;
use nn_runtime::data::idx::mnist;
use nn_runtime::data::{Dataset, Labels, digits};
use nn_runtime::int8::{Calibration, Quantized};
use nn_runtime::prelude::*;

network! {
    struct Mnist128: [1, 28, 28] -> [10] { Flatten -> hidden: Dense(128) -> Relu -> head: Dense(10) -> Softmax }
}
#[path = "../../examples/embedded/mnist/src/network.rs"]
mod network;
pub(super) use network::StMnist;

/// Parts of a hundred that are read right.
fn accuracy(test: &Dataset<Labels>, y: &[f32]) -> f64 {
    let classes = y.len() / test.len();
    let largest = |y: &[f32]| (0..classes).max_by(|a, b| y[*a].total_cmp(&y[*b])).unwrap();
    let right =
        y.chunks_exact(classes).enumerate().filter(|(i, y)| largest(y) == test.targets().as_slice()[*i] as usize);
    100.0 * right.count() as f64 / test.len() as f64
}

/// Trains, quantises, and gives the accuracy in floats and that in bytes.
fn learn<N: Network<Head = SoftmaxHead>>(
    (train, test): &(Dataset<Labels>, Dataset<Labels>),
    classes: usize,
    epochs: usize,
    calibration: Calibration,
) -> (f64, f64, Quantized<N>) {
    let mut model = N::init(1);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(2e-3));
    trainer.fit(train, Fit::epochs(epochs).batch(32).progress(false)).unwrap();
    let x = train.inputs()[0].as_slice();
    let small = Quantized::<N>::quantize(&model, &[&x[..784 * train.len().min(500)]], calibration).unwrap();
    let x = test.inputs()[0].as_slice();
    let (mut floats, mut bytes) = (vec![0.0; test.len() * classes], vec![0.0; test.len() * classes]);
    model.predictor(100).predict_into(&[x], &mut [&mut floats]).unwrap();
    small.predictor().predict_into(&[x], &mut [&mut bytes]).unwrap();
    let (floats, bytes) = (accuracy(test, &floats), accuracy(test, &bytes));
    println!("{floats:.2} % in floats, {bytes:.2} % in bytes; {small:?}, {} bytes to predict", small.predict_bytes());
    println!("{}", small.report());
    (floats, bytes, small)
}

#[test]
fn drawn_digits_are_read_as_well() {
    let data = digits::draw(1200, 1).split_every(4).unwrap();
    let (floats, bytes, _) = learn::<Mnist128>(&data, 10, 8, Calibration::MinMax);
    assert!(floats > 85.0 && bytes > floats - 1.0, "{floats} % in floats, {bytes} % in bytes");
}

/// The real digits; `None`, told, where they are not at hand.
fn real() -> Option<(Dataset<Labels>, Dataset<Labels>)> {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/mnist");
    match mnist(dir) {
        Ok(data) => Some(data),
        Err(error) => {
            eprintln!("left out: {error}");
            None
        }
    }
}

#[test]
#[ignore = "slow: learns real digits; prints accuracies and the error of each layer"]
fn real_digits_are_read_as_well() {
    let Some(data) = real() else { return };
    for calibration in [Calibration::MinMax, Calibration::Percentile(99.9)] {
        let (floats, bytes, _) = learn::<Mnist128>(&data, 10, 8, calibration);
        assert!(floats > 95.0 && bytes > floats - 0.5, "{floats} % in floats, {bytes} % in bytes");
    }
}

/// With `ST_MNIST=file` it is written there.
#[test]
#[ignore = "slow: learns real digits; prints accuracies and the error of each layer"]
fn the_mnist_network_of_st_fits_a_microcontroller() {
    let Some(data) = real() else { return };
    let (floats, bytes, small) = learn::<StMnist>(&data, 36, 8, Calibration::MinMax);
    assert!(floats > 96.0 && bytes > floats - 0.4, "{floats} % in floats, {bytes} % in bytes");
    assert!(small.predict_bytes() <= 17_920 && small.weight_bytes() <= 24_576, "{small:?}");
    if let Ok(path) = std::env::var("ST_MNIST") {
        std::fs::write(path, small.to_bytes()).unwrap();
    }
}
