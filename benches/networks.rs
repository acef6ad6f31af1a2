//! Whole steps and predictions, by the ids of the workload table.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use nn_benches::resident;
use nn_runtime::losses::{Fits, LossOn};
use nn_runtime::prelude::*;

network! {
    /// 784-10-10-10
    pub struct Mlp10: [784] -> [10] { Dense(10) -> Relu -> Dense(10) -> Relu -> Dense(10) -> Softmax }
}
network! {
    /// 784-128-10
    pub struct Mnist128: [784] -> [10] { Dense(128) -> Relu -> Dense(10) -> Softmax }
}
network! {
    /// 784-1024-1024-10
    pub struct MlpWide: [784] -> [10] { Dense(1024) -> Relu -> Dense(1024) -> Relu -> Dense(10) -> Softmax }
}

network! {
    /// conv32 pool conv64 pool dense64 dense10
    pub struct Cnn: [1, 28, 28] -> [10] {
        Conv2d(32, 3) -> Relu -> MaxPool2d(2) -> Conv2d(64, 3) -> Relu -> MaxPool2d(2);
        Flatten -> Dense(64) -> Relu -> Dense(10) -> Softmax
    }
}

/// One epoch over the resident set, as time per step.
fn step<N: Network>(c: &mut Criterion, id: &str, batch: usize)
where
    CrossEntropy: Fits<N::Head> + LossOn<[u32]>,
{
    let data = resident();
    let steps = data.len() / batch;
    c.bench_with_input(BenchmarkId::new(format!("step/{id}"), batch), &batch, |b, &batch| {
        b.iter_custom(|iterations| {
            let mut model = N::init(0);
            let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-3));
            trainer.fit(&data, Fit::epochs(1).batch(batch)).expect("the digits can be learnt");
            let mut total = Duration::ZERO;
            let mut done = 0;
            while done < iterations {
                let history = trainer.fit(&data, Fit::epochs(1).batch(batch)).expect("the digits can be learnt");
                total += history.epochs[0].time;
                done += steps as u64;
            }
            total.mul_f64(iterations as f64 / done as f64)
        });
    });
}

fn predict<N: Network>(c: &mut Criterion, id: &str, batch: usize) {
    let data = resident();
    let model = N::init(0);
    let mut predictor = model.predictor(batch);
    let mut y = vec![0.0; batch * 10];
    let all = data.inputs()[0].as_slice();
    let mut at = 0;
    c.bench_with_input(BenchmarkId::new(format!("predict/{id}"), batch), &batch, |b, &batch| {
        b.iter(|| {
            let x = &all[at * 784..][..batch * 784];
            at = (at + batch) % data.len();
            predictor.predict_into(&[x], &mut [&mut y]).expect("whole samples");
            black_box(&y);
        });
    });
}

fn networks(c: &mut Criterion) {
    step::<Mlp10>(c, "mlp10", 32);
    step::<Mnist128>(c, "mnist128", 32);
    step::<Mnist128>(c, "mnist128", 128);
    step::<MlpWide>(c, "mlp-wide", 128);
    step::<Cnn>(c, "cnn", 32);
    predict::<Mlp10>(c, "mlp10", 1);
    predict::<Mnist128>(c, "mnist128", 1);
    predict::<Mlp10>(c, "mlp10", 256);
    predict::<Mnist128>(c, "mnist128", 256);
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).measurement_time(Duration::from_secs(2)).warm_up_time(Duration::from_millis(500));
    targets = networks
}
criterion_main!(benches);
