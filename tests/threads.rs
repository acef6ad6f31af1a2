//! The same seed gives the same bits for any number of threads: parameters and losses after a hundred steps.
//! In: networks, optimisers, settings; out: nothing, or a panic.

use nn_runtime::data::{Labels, Targets, digits};
use nn_runtime::prelude::*;
use nn_runtime::train::Objective;

network! {
    /// Layers that draw noise, that are fused; two chunks of parameters or more.
    struct Mlp: [784] -> [10] {
        Dense(48) -> Relu -> Dropout(0.25) -> Dense(48) -> Gelu -> deep: Dense(48) -> Tanh -> Dense(10) -> Softmax
    }
}
network! { struct Narrow: [784] -> [10] { Dense(4) -> Tanh -> Dense(10) } }
network! {
    /// Parameters used twice.
    struct Shared: [784] -> [10] {
        Dense(32) -> Relu -> one: Dense(32) -> Tanh -> share(one) -> Tanh -> Dense(10)
    }
}
network! {
    struct Cnn: [1, 28, 28] -> [10] {
        Conv2d(8, 3) -> Relu -> MaxPool2d(2) -> Conv2d(6, 3, stride = 2) -> BatchNorm -> Relu -> GlobalAvgPool -> Dense(10)
    }
}
network! {
    /// Gradients in partial sums: one reduce block ends within the samples of a worker.
    struct Plain: [1, 28, 28] -> [10] {
        Conv2d(4, 5, stride = 2) -> Relu -> MaxPool2d(2) -> Conv2d(5, 3) -> Tanh -> Flatten -> Dense(10)
    }
}
network! {
    /// So much for each sample that a batch goes through in micro-batches.
    struct Large: [1, 28, 28] -> [10] {
        Conv2d(16, 3) -> Relu -> Dropout(0.25) -> Conv2d(6, 3, stride = 3) -> Tanh -> Flatten -> Dense(10) -> Softmax
    }
}
network! {
    struct Rows: [28, 28] -> [28, 4] {
        let x = input -> DensePerStep(12) -> PositionalEncoding;
        let a = x -> MultiHeadAttention(3, causal = true);
        (x, a) -> Sum -> LayerNorm -> Gru(10, direction = Both) -> DensePerStep(4)
    }
}

network! {
    // Every layer but the last computes or reads much for each of its parameters.
    struct Encoder: [49, 16] -> [10] {
        let x = input;
        let a = x -> LayerNorm -> MultiHeadAttention(2);
        let h = (x, a) -> Sum;
        let f = h -> LayerNorm -> DensePerStep(24) -> Gelu -> DensePerStep(16);
        (h, f) -> Sum -> GlobalAvgPool -> Dense(10)
    }
}

network! {
    // A chain, which one thread trains in a way of its own: functions of every kind, noise, an end that a
    // loss leaves out.
    struct Curved: [6] -> [3] {
        Tanh -> Dense(9) -> Silu -> Dropout(0.1) -> Dense(17, bias = false) -> Elu(alpha = 0.5) -> Dense(8);
        Relu -> Dropout(0.2) -> Dense(40) -> Mish -> Sigmoid -> Dense(3) -> Sigmoid
    }
}
network! { struct Shaped: [2, 3] -> [4] { Dropout(0.1) -> Flatten -> Dense(4) -> Flatten -> LogSoftmax } }

/// What a hundred steps come to: every parameter, and every loss.
fn trained<N: Network, L, O, T: Targets>(
    data: &Dataset<T>,
    batch: usize,
    trainer: impl Fn(&mut Model<N>) -> Trainer<'_, N, L, O>,
) -> (Vec<Vec<f32>>, Vec<f64>)
where
    L: Fits<N::Head> + Objective<T>,
    O: Optimizer,
{
    let mut model = N::init(3);
    let steps = data.len().div_ceil(batch);
    let epochs = 100usize.div_ceil(steps);
    let mut training = trainer(&mut model);
    let history = training.fit(data, Fit::epochs(epochs).batch(batch).seed(5)).unwrap();
    let mut losses: Vec<f64> = history.epochs.iter().map(|epoch| epoch.train.loss).collect();
    losses.push(training.evaluate(data).unwrap().loss);
    drop(training);
    (model.tensors().iter().map(|tensor| model.get(&tensor.name).unwrap()).collect(), losses)
}

/// Trains with 1, 2, 3 and 4 threads, and with as many as are thought best.
macro_rules! same {
    ($net:ident, $data:expr, $batch:expr, $loss:expr, $optimizer:expr $(, $setting:ident($($value:expr),+))*) => {
        let one = trained::<$net, _, _, _>($data, $batch, |model| {
            Trainer::new(model, $loss, $optimizer)$(.$setting($($value),+))*.threads(1)
        });
        assert!(one.1.iter().all(|loss| loss.is_finite()) && one.1[0] > one.1[one.1.len() - 1], "{:?}", one.1);
        for threads in 2..=4 {
            let more = trained::<$net, _, _, _>($data, $batch, |model| {
                Trainer::new(model, $loss, $optimizer)$(.$setting($($value),+))*.threads(threads)
            });
            assert!(one == more, "{} with {threads} threads: {:?} and {:?}", stringify!($net), one.1, more.1);
        }
        let best = trained::<$net, _, _, _>($data, $batch, |model| {
            Trainer::new(model, $loss, $optimizer)$(.$setting($($value),+))*
        });
        assert!(one == best, "{} with the threads thought best", stringify!($net));
    };
}

fn some(samples: usize) -> Dataset<Labels> {
    digits::draw(samples, 1)
}

#[test]
fn partial_sums() {
    same!(Plain, &some(500), 300, CrossEntropy::new(), Adam::new(1e-3));
    same!(Large, &some(90), 70, CrossEntropy::new(), Adam::new(1e-3));
}

#[test]
fn micro_batches() {
    same!(Encoder, &some(120), 50, CrossEntropy::new(), Adam::new(1e-3));
    // A batch that is run in micro-batches comes to what smaller ones do, which are not.
    let data = some(40);
    let step = |batch: usize, accumulate: usize| -> Vec<(String, Vec<f32>)> {
        let mut model = Encoder::init(3);
        let trainer = Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(1.0)).accumulate(accumulate);
        trainer.threads(1).fit(&data, Fit::epochs(1).batch(batch)).unwrap();
        model.tensors().iter().map(|tensor| (tensor.name.clone(), model.get(&tensor.name).unwrap())).collect()
    };
    let before = Encoder::init(3);
    for ((name, whole), (_, parts)) in step(40, 1).iter().zip(&step(10, 4)) {
        let distance = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        let (gap, moved) = (distance(whole, parts), distance(whole, &before.get(name).unwrap()));
        assert!(moved > 0.0 && gap <= 1e-4 * moved, "{name}: {gap} apart, having moved by {moved}");
    }
}

#[test]
fn chunks_of_parameters() {
    // A short last batch, and workers without samples.
    same!(Mlp, &some(330), 50, CrossEntropy::new(), Adam::new(1e-3));
    // So many samples that their gradients are summed in blocks, and in blocks of blocks.
    same!(Narrow, &some(600), 300, CrossEntropy::new(), Adam::new(1e-3));
    same!(Narrow, &some(2300), 2300, CrossEntropy::new(), Adam::new(1e-3));
    same!(Mlp, &some(100), 7, CrossEntropy::new(), Sgd::new(0.05).momentum(0.9), ema(0.9));
}

#[test]
fn chains() {
    let number = |i: usize| ((i * 37) % 101) as f32 / 50.0 - 1.0;
    let x: Vec<f32> = (0..600 * 6).map(number).collect();
    let y: Vec<f32> =
        x.chunks(6).flat_map(|x| [x[0] * x[1], x[2] + x[3], x[4] - x[5]]).map(|y| 0.5 + y / 4.0).collect();
    let labels: Vec<u32> = x.chunks(6).map(|x| u32::from(x[0] > 0.0) + 2 * u32::from(x[1] > x[2])).collect();
    let values = Dataset::values((&x[..], 6), (y, 3)).unwrap();
    let labels = Dataset::classes((&x[..], 6), labels).unwrap();
    same!(Curved, &values, 40, Mse::new(), Adam::new(1e-2));
    same!(Curved, &values, 300, Mse::half(), Sgd::new(0.2).momentum(0.9));
    same!(Curved, &values, 100, BinaryCrossEntropy::new(), AdamW::new(1e-2));
    same!(Shaped, &labels, 33, CrossEntropy::new(), Adam::new(1e-2));
}

#[test]
fn accumulated() {
    same!(Mlp, &some(200), 40, CrossEntropy::new(), Adam::new(1e-3), clip(Clip::GlobalNorm(0.5)));
    same!(Mlp, &some(200), 33, CrossEntropy::new(), Nadam::new(1e-3), accumulate(3), clip(Clip::Value(0.01)));
}

#[test]
fn tensors() {
    same!(Mlp, &some(200), 40, CrossEntropy::new(), Lamb::new(1e-3));
    same!(
        Mlp,
        &some(200),
        40,
        CrossEntropy::new(),
        Muon::new(1e-3, AdamW::new(1e-3)),
        regularize("deep", Regularizer::L2(1e-4))
    );
}

#[test]
fn shared_parameters() {
    same!(Shared, &some(160), 48, CrossEntropy::new(), Adam::new(1e-3));
}

#[test]
fn batch_statistics() {
    same!(Cnn, &some(160), 32, CrossEntropy::new(), Adam::new(1e-3));
}

#[test]
fn sequences_with_weights() {
    let images = some(120);
    let steps = images.targets().as_slice().iter().flat_map(|label| (0..28).map(move |s| (label + s / 14) % 4));
    let labels = Labels::per_step(steps.collect::<Vec<_>>(), 28).unwrap();
    let weights: Vec<f32> = (0..120 * 28).map(|i| [1.0, 0.0, 0.5, 2.0][i / 9 % 4]).collect();
    let data = Dataset::new((images.inputs()[0].as_slice(), 784), labels).unwrap();
    let data = data.with_weights((weights, 28)).unwrap();
    same!(Rows, &data, 36, CrossEntropy::new(), Adam::new(2e-3), clip(Clip::Norm(1.0)), schedule(Cosine::new(100)));
}
