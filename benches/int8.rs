//! Predictions of one sample in floats and in bytes, turn by turn, and how much less memory the latter take.
//! On every instruction set of the machine, so that it is seen what VNNI gains.

use std::hint::black_box;
use std::time::Instant;

use nn_benches::networks::{Cnn, Lenet5, Mlp10, MlpWide, Mnist128};
use nn_benches::resident;
use nn_runtime::Isa;
use nn_runtime::int8::{Calibration, Quantized};
use nn_runtime::prelude::*;

/// The shortest time of a call, in nanoseconds.
fn nanoseconds(calls: usize, mut call: impl FnMut(usize)) -> f64 {
    let begun = Instant::now();
    (0..calls).for_each(&mut call);
    begun.elapsed().as_nanos() as f64 / calls as f64
}

fn compare<N: Network>(id: &str, outputs: usize, inputs: &[f32]) {
    let model = N::init(0);
    let small = Quantized::<N>::quantize(&model, &[&inputs[..64 * 784]], Calibration::MinMax).expect("real samples");
    let calls = (40_000_000 / N::MACS.max(10_000)).clamp(20, 4000);
    for isa in Isa::available() {
        let (mut floats, mut bytes) = (model.predictor_on(1, isa), small.predictor_on(isa));
        let mut y = vec![0.0; outputs];
        let mut best = [f64::INFINITY; 2];
        for _ in 0..15 {
            let sample = |i: usize| &inputs[i % 64 * 784..][..784];
            best[0] = best[0].min(nanoseconds(calls, |i| {
                floats.predict_into(&[sample(i)], &mut [black_box(&mut y)]).expect("whole samples");
            }));
            best[1] = best[1].min(nanoseconds(calls, |i| {
                bytes.predict_into(&[sample(i)], &mut [black_box(&mut y)]).expect("whole samples");
            }));
        }
        let [floats, bytes] = best.map(|time| time / 1000.0);
        let (name, times) = (isa.name(), floats / bytes);
        println!("int8/{id}/1 {name:9} {floats:9.2} µs in floats, {bytes:9.2} µs in bytes: {times:.2} times as fast");
    }
    let [weights, memory] = [small.weight_bytes(), small.predict_bytes()];
    println!(
        "    {weights} bytes of weights (in floats {}), {memory} bytes to predict ({})",
        N::memory(1).parameters(),
        N::PREDICT_BYTES
    );
}

fn main() {
    let digits = resident();
    let pixels = digits.inputs()[0].as_slice();
    compare::<Mlp10>("mlp10", 10, pixels);
    compare::<Mnist128>("mnist128", 10, pixels);
    compare::<MlpWide>("mlp-wide", 10, pixels);
    compare::<Lenet5>("lenet5", 10, pixels);
    compare::<Cnn>("cnn", 10, pixels);
}
