//! Ranks that train together have the same bits, however many there are and however many threads each has.
//! In: networks, settings, worlds of threads; out: nothing, or a panic.

mod costs;
mod reading;
mod runs;
mod shares;

use std::thread;

use nn_runtime::data::{Labels, digits};
use nn_runtime::distributed::{CommunicationError, Communicator, LocalCommunicator};
use nn_runtime::prelude::*;
use nn_runtime::train::Objective;

network! {
    /// Noise that is drawn sample by sample, a fused activation, several chunks of parameters.
    struct Mlp: [1, 28, 28] -> [10] { Flatten -> Dense(40) -> Relu -> Dropout(0.25) -> Dense(32) -> Tanh -> Dense(10) -> Softmax }
}
network! {
    /// Gradients in partial sums, and others.
    struct Cnn: [1, 28, 28] -> [10] {
        Conv2d(4, 5, stride = 2) -> Relu -> MaxPool2d(2) -> Conv2d(5, 3) -> Tanh -> Flatten -> Dense(10)
    }
}
network! { struct Block: [6, 9, 9] -> [6, 9, 9] {
    let x = input;
    let y = x -> Conv2d(6, 3, padding = Same) -> BatchNorm -> Relu;
    (x, y) -> Sum
} }
network! {
    /// Layers that look at whole batches, within a network too.
    struct Normed: [1, 28, 28] -> [10] {
        Conv2d(6, 4, stride = 3) -> BatchNorm -> Relu -> Block -> BatchNorm -> GlobalAvgPool -> Dense(10)
    }
}
network! { struct Sequence: [28, 28] -> [10] { Lstm(12) -> LastStep -> Dense(10) } }
network! {
    /// Parameters used twice, layers that repeat, and attention.
    struct Rows: [28, 28] -> [10] {
        let x = input -> one: DensePerStep(12) -> Tanh -> DensePerStep(28) -> share(one);
        let a = x -> MultiHeadAttention(3);
        (x, a) -> Sum -> LayerNorm -> DensePerStep(12) * 2 -> GlobalAvgPool -> Dense(10)
    }
}

/// Runs a world of so many ranks, each a thread, and returns what each came to.
fn world<R: Send>(ranks: usize, each: impl Fn(LocalCommunicator) -> R + Sync) -> Vec<R> {
    thread::scope(|scope| {
        let threads: Vec<_> =
            LocalCommunicator::world(ranks).into_iter().map(|rank| scope.spawn(|| each(rank))).collect();
        threads.into_iter().map(|rank| rank.join().unwrap()).collect()
    })
}

/// A rank that has no memory together with others, as on several machines.
struct Apart(LocalCommunicator);

impl Communicator for Apart {
    fn rank(&self) -> usize {
        self.0.rank()
    }
    fn size(&self) -> usize {
        self.0.size()
    }
    fn exchange(&self, send: &[&[u8]], receive: &mut [&mut [u8]]) -> Result<(), CommunicationError> {
        self.0.exchange(send, receive)
    }
}

/// Every parameter, bit for bit, and every loss.
type Outcome = (Vec<Vec<u32>>, Vec<u64>);

fn bits<N: Network>(model: &Model<N>) -> Vec<Vec<u32>> {
    let tensors = model.tensors();
    tensors.iter().map(|tensor| model.get(&tensor.name).unwrap().iter().map(|x| x.to_bits()).collect()).collect()
}

/// What the tests of runs have in common.
fn fit<'d>(epochs: usize) -> Fit<'d, Labels, Mlp> {
    Fit::epochs(epochs).batch(70).seed(5)
}

/// What some epochs come to, and an evaluation with metrics.
fn outcome<N: Network, L, O>(
    (data, test): (&Dataset<Labels>, &Dataset<Labels>),
    (epochs, batch): (usize, usize),
    model: &mut Model<N>,
    trainer: impl FnOnce(&mut Model<N>) -> Trainer<'_, N, L, O>,
) -> Outcome
where
    L: Fits<N::Head> + Objective<Labels>,
    O: Optimizer,
{
    let mut training = trainer(model);
    let fit = Fit::epochs(epochs).batch(batch).seed(5).validate(test).metrics(F1::macro_avg());
    let history = training.fit(data, fit).unwrap();
    let mut losses: Vec<f64> = history.epochs.iter().map(|epoch| epoch.train.loss).collect();
    losses.extend(history.epochs.iter().flat_map(|epoch| epoch.metrics.iter().map(|(_, value)| *value)));
    let (evaluation, matrix) = training.evaluate_with(test, Accuracy::new()).unwrap();
    losses.extend([evaluation.loss, evaluation.accuracy.unwrap(), matrix]);
    losses.extend(training.losses(test).unwrap());
    assert!(losses.iter().all(|loss| loss.is_finite()) && losses[epochs - 1] < losses[0], "{losses:?}");
    drop(training);
    (bits(model), losses.into_iter().map(f64::to_bits).collect())
}

/// Trains on 1, 2, 3, 4 and 8 ranks of 1 and 2 threads, that have memory together and by messages.
macro_rules! same {
    ($net:ident, $samples:expr, $run:expr, $optimizer:expr $(, $setting:ident($($value:expr),+))*) => {
        let (data, test) = (digits::draw($samples, 1), digits::draw(70, 2));
        let train = |ranks: usize, threads: usize, apart: bool| {
            let all = world(ranks, |rank| {
                outcome((&data, &test), $run, &mut $net::init(3), |model| {
                    let trainer = Trainer::new(model, CrossEntropy::new(), $optimizer)$(.$setting($($value),+))*;
                    let trainer = trainer.threads(threads);
                    if apart { trainer.distributed(Apart(rank)) } else { trainer.distributed(rank) }.unwrap()
                })
            });
            assert!(all.iter().all(|rank| *rank == all[0]), "{}: ranks of one world differ", stringify!($net));
            all.into_iter().next().unwrap()
        };
        let alone = train(1, 1, false);
        for (ranks, threads) in [(1, 2), (2, 1), (2, 2), (3, 1), (4, 1), (4, 2), (8, 1), (8, 2)] {
            for apart in [false, true] {
                if !apart || threads == 1 {
                    let what = format!("{} on {ranks} ranks of {threads} threads, apart: {apart}", stringify!($net));
                    assert!(train(ranks, threads, apart) == alone, "{what}");
                }
            }
        }
        // Near what one process without a world makes of it.
        let other = outcome((&data, &test), $run, &mut $net::init(3), |model| {
            Trainer::new(model, CrossEntropy::new(), $optimizer)$(.$setting($($value),+))*
        });
        let loss = |of: &Outcome| f64::from_bits(of.1[0]);
        assert!((loss(&alone) / loss(&other) - 1.0).abs() < 1e-4, "{} and {}", loss(&alone), loss(&other));
    };
}

#[test]
fn a_multilayer_perceptron() {
    // A short last batch of fewer leaves than ranks.
    same!(Mlp, 330, (3, 100), Adam::new(1e-3));
    same!(Mlp, 300, (3, 70), Sgd::new(0.05).momentum(0.9), ema(0.9), clip(Clip::GlobalNorm(0.5)), accumulate(2));
}

#[test]
fn a_convolutional_network() {
    same!(Cnn, 300, (2, 260), Adam::new(1e-3));
    same!(Cnn, 90, (3, 90), Lamb::new(3e-3), clip(Clip::Norm(0.5)), regularize("dense_1", Regularizer::L2(1e-3)));
}

#[test]
fn statistics_of_whole_batches() {
    same!(Normed, 150, (3, 70), Adam::new(1e-3));
}

#[test]
fn sequences() {
    same!(Sequence, 140, (3, 70), Adam::new(3e-3), schedule(Cosine::new(6)));
    same!(Rows, 140, (3, 70), Adam::new(1e-3));
}

#[test]
fn objectives_of_ones_own_see_the_whole_batch() {
    let data = digits::draw(90, 1);
    let steps = |ranks: usize| {
        let all = world(ranks, |rank| {
            let mut model = Mlp::init(3);
            let mut trainer = Trainer::new(&mut model, (), Adam::new(1e-3)).distributed(rank).unwrap();
            let x = data.inputs()[0].as_slice();
            let losses = (0..3).map(|_| {
                let loss = trainer.step_with(&[x], |y, dy| {
                    assert_eq!(y[0].len(), 90 * 10);
                    let sum: f64 = y[0].iter().map(|y| f64::from(y * y)).sum();
                    dy[0].iter_mut().zip(y[0]).for_each(|(dy, y)| *dy = 2.0 * y / 90.0);
                    sum / 90.0
                });
                loss.unwrap().to_bits()
            });
            let losses: Vec<u64> = losses.collect();
            drop(trainer);
            (bits(&model), losses)
        });
        assert!(all.iter().all(|rank| *rank == all[0]));
        all.into_iter().next().unwrap()
    };
    let alone = steps(1);
    assert!([2, 3, 8].into_iter().all(|ranks| steps(ranks) == alone));
}
