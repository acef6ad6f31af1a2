//! Whole steps and predictions, by the ids of the workload table, each beside its floor: what the
//! multiply-adds, the curves and the optimiser's bytes that it needs take at the rates this machine reaches
//! in the same run. `-- threads` also compares two threads with one.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use nn_benches::networks::{Cnn, Lenet5, Lstm1, Mlp10, MlpWide, Mnist128, Tfm};
use nn_benches::{Machine, patterns, resident, signal, small};
use nn_runtime::data::{Dataset, Targets};
use nn_runtime::losses::Fits;
use nn_runtime::prelude::*;
use nn_runtime::train::Objective;

/// Multiply-adds of a step, a sample: forward, gradients of the input of all but the first layer, gradients
/// of weights. Behind a max-pool three of four outputs of a convolution have no gradient.
mod needed {
    const fn dense(layers: &[usize]) -> usize {
        let (mut all, mut i) = (0, 0);
        while i + 1 < layers.len() {
            all += if i == 0 { 2 } else { 3 } * layers[i] * layers[i + 1];
            i += 1;
        }
        all
    }
    const fn after(layers: &[usize]) -> usize {
        dense(layers) + layers[0] * layers[1]
    }
    pub const MLP10: usize = dense(&[784, 10, 10, 10]);
    pub const MNIST128: usize = dense(&[784, 128, 10]);
    pub const MLP_WIDE: usize = dense(&[784, 1024, 1024, 10]);
    // 26 × 26 × 32 outputs of 9 inputs, 11 × 11 × 64 outputs of 288; 1600 into the dense layers. Forward
    // whole, pulls a quarter.
    const CONV1: usize = 26 * 26 * 32 * 9;
    const CONV2: usize = 11 * 11 * 64 * 288;
    pub const CNN: usize = CONV1 + CONV1 / 4 + CONV2 + CONV2 / 2 + after(&[1600, 64, 10]);
    const LENET1: usize = 24 * 24 * 6 * 25;
    const LENET2: usize = 8 * 8 * 16 * 150;
    pub const LENET5: usize = LENET1 + LENET1 / 4 + LENET2 + LENET2 / 2 + after(&[256, 120, 84, 10]);
    // Each step: 1 and 32 inputs into 128 gates, 32 into 1.
    pub const LSTM: usize = 64 * (2 * 128 + 3 * 32 * 128 + 3 * 32);
    // Each of 32 steps: 4 · 64 · 64 of projections, 2 · 32 · 64 of attention, 2 · 64 · 256 of the
    // feed-forward part.
    pub const TFM: usize = 3 * 32 * (4 * 64 * 64 + 2 * 32 * 64 + 2 * 64 * 256) + 3 * 640;

    /// Curves of a sample, if there are so many that they count: three sigmoids and two tanh of each unit at
    /// each step; Gelu of the feed-forward part and the exponentials of four heads.
    pub const fn curves(id: &str) -> usize {
        match id.as_bytes() {
            b"lstm" => 64 * 32 * 5,
            b"tfm" => 32 * 256 + 4 * 32 * 32,
            _ => 0,
        }
    }
}

/// One epoch over the resident set, as time per step.
fn step<N: Network, T: Targets, L: Fits<N::Head> + Objective<T> + Copy>(
    c: &mut Criterion,
    (id, batch, needed): (&str, usize, usize),
    data: &Dataset<T>,
    loss: L,
) {
    let steps = data.len() / batch;
    let mut best = f64::INFINITY;
    c.bench_function(&format!("step/{id}/{batch}"), |b| {
        b.iter_custom(|iterations| {
            let mut model = N::init(0);
            let mut trainer = Trainer::new(&mut model, loss, Adam::new(1e-3)).threads(1);
            trainer.fit(data, Fit::epochs(1).batch(batch)).expect("it can be learnt");
            let mut total = Duration::ZERO;
            let mut done = 0;
            while done < iterations {
                let history = trainer.fit(data, Fit::epochs(1).batch(batch)).expect("it can be learnt");
                total += history.epochs[0].time;
                best = best.min(history.epochs[0].time.as_secs_f64() / steps as f64);
                done += steps as u64;
            }
            total.mul_f64(iterations as f64 / done as f64)
        });
    });
    if best.is_finite() {
        // Adam reads and writes three numbers a parameter.
        let bytes = 24.0 * N::param_count() as f64;
        let arithmetic = (batch * needed) as f64 / Machine::measure().multiply_adds;
        let curves = (batch * needed::curves(id)) as f64 / Machine::curves();
        let floor = arithmetic + curves + bytes / Machine::bandwidth(3 * N::param_count());
        println!("  {:.1} us at best, {:.2} times the floor of {:.1} us\n", 1e6 * best, best / floor, 1e6 * floor);
    }
}

/// One call after the other of the smallest networks: what a call costs beside its arithmetic.
fn calls(c: &mut Criterion) {
    for id in small::IDS {
        c.bench_function(id, |b| b.iter(small::call(id)));
    }
}

fn predict<N: Network>(c: &mut Criterion, (id, batch, outputs): (&str, usize, usize), inputs: &[f32]) {
    let model = N::init(0);
    let mut predictor = model.predictor(batch);
    let x_len = inputs.len() / 8_192;
    let mut y = vec![0.0; batch * outputs];
    let mut at = 0;
    c.bench_function(&format!("predict/{id}/{batch}"), |b| {
        b.iter(|| {
            let x = &inputs[at * x_len..][..batch * x_len];
            at = (at + batch) % 8_192;
            predictor.predict_into(&[x], &mut [&mut y]).expect("whole samples");
            black_box(&y);
        });
    });
}

/// How much faster two threads are than one, turn by turn; asked for by name, as it wants two free cores.
fn two_threads<N: Network>(id: &str, batch: usize, data: &Dataset<Labels>)
where
    CrossEntropy: Fits<N::Head>,
{
    let mut best = [f64::INFINITY; 2];
    for _ in 0..5 {
        for (threads, best) in [1, 2].into_iter().zip(&mut best) {
            let mut model = N::init(0);
            let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-3)).threads(threads);
            let history = trainer.fit(data, Fit::epochs(2).batch(batch)).expect("it can be learnt");
            *best = best.min(history.epochs[1].time.as_secs_f64());
        }
    }
    println!("threads/{id}/{batch}: two are {:.2} times as fast as one\n", best[0] / best[1]);
}

fn all(c: &mut Criterion) {
    println!("one core: {:.1} thousand million multiply-adds a second", Machine::measure().multiply_adds / 1e9);
    let digits = resident();
    if std::env::args().any(|argument| argument == "threads") {
        two_threads::<Mnist128>("mnist128", 32, &digits);
        two_threads::<Mnist128>("mnist128", 128, &digits);
        two_threads::<MlpWide>("mlp-wide", 128, &digits);
        two_threads::<Cnn>("cnn", 32, &digits);
        two_threads::<Lenet5>("lenet5", 32, &digits);
    }
    let entropy = CrossEntropy::new();
    calls(c);
    step::<Mlp10, _, _>(c, ("mlp10", 32, needed::MLP10), &digits, entropy);
    step::<Mnist128, _, _>(c, ("mnist128", 32, needed::MNIST128), &digits, entropy);
    step::<Mnist128, _, _>(c, ("mnist128", 128, needed::MNIST128), &digits, entropy);
    step::<MlpWide, _, _>(c, ("mlp-wide", 128, needed::MLP_WIDE), &digits, entropy);
    step::<Cnn, _, _>(c, ("cnn", 32, needed::CNN), &digits, entropy);
    step::<Cnn, _, _>(c, ("cnn", 128, needed::CNN), &digits, entropy);
    step::<Lenet5, _, _>(c, ("lenet5", 32, needed::LENET5), &digits, entropy);
    step::<Lenet5, _, _>(c, ("lenet5", 2048, needed::LENET5), &digits, entropy);
    step::<Lstm1, _, _>(c, ("lstm", 32, needed::LSTM), &signal(64), Mse::new());
    step::<Tfm, _, _>(c, ("tfm", 32, needed::TFM), &patterns(32, 64), entropy);
    let pixels = digits.inputs()[0].as_slice();
    predict::<Mlp10>(c, ("mlp10", 256, 10), pixels);
    predict::<Mnist128>(c, ("mnist128", 256, 10), pixels);
    for batch in [1, 256] {
        predict::<Cnn>(c, ("cnn", batch, 10), pixels);
        predict::<Lenet5>(c, ("lenet5", batch, 10), pixels);
    }
    predict::<MlpWide>(c, ("mlp-wide", 256, 10), pixels);
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_millis(500));
    targets = all
}
criterion_main!(benches);
