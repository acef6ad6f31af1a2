//! A training step and a prediction allocate nothing, counted by the allocator itself.
// The allocator is the one place outside the kernels that cannot be written without `unsafe`.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use nn_runtime::prelude::*;

struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

fn count() -> usize {
    COUNT.with(Cell::get)
}

// SAFETY: every call is handed on to the system's allocator unchanged; counting touches a thread-local
// integer only.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = COUNT.try_with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises are the system allocator's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: `at` came from `System` above.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

network! {
    struct Block: [16] -> [16] {
        let x = input;
        let y = x -> Dense(16) -> Tanh -> Dropout(0.1) -> Dense(16);
        (x, y) -> Join -> Relu
    }
}
network! {
    struct Net: [784] -> [10] {
        Dense(16) -> Relu -> Dropout(0.5) -> Block * 3 -> Dense(10) -> Softmax
    }
}

network! { struct Steps: [4] -> [6, 3] { Dense(18) -> Reshape([6, 3]) } }

/// The sum of two values: a layer of two inputs, written as a user would.
#[derive(Clone, Copy)]
struct Join;

impl Join {
    const fn new() -> Self {
        Join
    }
    const fn rule(&self, [a, _]: [nn_runtime::Shape; 2]) -> nn_runtime::Rule {
        nn_runtime::LayerSpec::output(a).ok()
    }
}

impl nn_runtime::Layer<2> for Join {
    fn forward(&self, _: &mut nn_runtime::LayerContext, [a, b]: [&[f32]; 2], [y]: [&mut [f32]; 1]) {
        for ((y, a), b) in y.iter_mut().zip(a).zip(b) {
            *y = a + b;
        }
    }
    fn backward_input(
        &self,
        _: &mut nn_runtime::LayerContext,
        _: [&[f32]; 2],
        _: [&[f32]; 1],
        [dy]: [&[f32]; 1],
        dx: [&mut [f32]; 2],
    ) {
        for dx in dx.into_iter().filter(|dx| !dx.is_empty()) {
            dx.copy_from_slice(dy);
        }
    }
}

#[test]
fn the_counter_counts() {
    let before = count();
    drop(std::hint::black_box(vec![0u8; 100]));
    assert!(count() > before);
}

#[test]
fn a_training_step_allocates_nothing() {
    let data = nn_runtime::data::digits::draw(33, 1);
    let mut model = Net::init(0);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-3));
    trainer.step(&data).unwrap();
    let before = count();
    for _ in 0..5 {
        trainer.step(&data).unwrap();
    }
    assert_eq!(count() - before, 0);
}

/// From the first parameter drawn to the last prediction.
#[test]
fn training_in_memory_of_the_callers_allocates_nothing() {
    let data = nn_runtime::data::digits::draw(33, 1);
    let (x, labels) = (data.inputs()[0].as_slice(), data.targets().as_slice());
    let (mut params, mut memory) = (vec![0.0; Net::PARAMS_LEN], vec![0.0; Net::train_len(33, 2)]);
    let mut scores = vec![0.0; 330];
    let before = count();
    let mut model = Net::init_in(0, &mut params).unwrap();
    let mut trainer = Trainer::new_in(&mut memory, 33, &mut model, CrossEntropy::new(), Adam::new(1e-3)).unwrap();
    for _ in 0..3 {
        trainer.step(&[x], labels).unwrap();
    }
    trainer.predict_into(&[x], &mut [&mut scores]).unwrap();
    assert_eq!(count() - before, 0);
}

#[test]
fn a_step_by_an_objective_of_ones_own_allocates_nothing() {
    let data = nn_runtime::data::digits::draw(33, 1);
    let x = data.inputs()[0].as_slice();
    let mut model = Net::init(0);
    let mut trainer = Trainer::new(&mut model, (), Adam::new(1e-3)).clip(Clip::GlobalNorm(1.0));
    let mut step = || {
        let loss = trainer.step_with(&[x], |y, dy| {
            y[0].iter().zip(&mut *dy[0]).for_each(|(y, dy)| *dy = y / 33.0);
            y[0].iter().map(|y| f64::from(y * y) / 66.0).sum()
        });
        let mut y = [0.0; 330];
        trainer.predict_into(&[x], &mut [&mut y]).unwrap();
        loss.unwrap()
    };
    let first = step();
    let before = count();
    for _ in 0..5 {
        step();
    }
    assert_eq!(count() - before, 0);
    assert!(step() < first);
}

#[test]
fn gradients_through_a_network_and_soft_updates_allocate_nothing() {
    let (model, mut target) = (Net::init(0), Net::init(1));
    let mut through = nn_runtime::Differentiator::<Net>::new(4);
    let (x, mut dx) = (vec![0.5; 5 * 784], vec![0.0; 5 * 784]);
    let before = count();
    through.input_gradient(&model, &[&x], &[&[1.0; 50]], &mut [&mut dx]).unwrap();
    let value = |_: &[&[f32]], dy: &mut [&mut [f32]]| {
        dy[0].fill(1.0);
        0.0
    };
    through.input_gradient_with(&model, &[&x[..4 * 784]], value, &mut [&mut dx[..4 * 784]]).unwrap();
    target.lerp(&model, 0.25);
    target.copy_from(&model);
    assert_eq!(count() - before, 0);
}

#[test]
fn a_step_by_given_gradients_allocates_nothing() {
    let mut model = Net::init(0);
    let gradients = model.gradients(&[&[0.5; 2 * 784]], &[&[1.0; 2 * 10]]).unwrap();
    let mut trainer = Trainer::new(&mut model, (), Adam::new(1e-3)).clip(Clip::GlobalNorm(1.0));
    trainer.apply(&gradients).unwrap();
    let before = count();
    for _ in 0..3 {
        trainer.apply(&gradients).unwrap();
    }
    assert_eq!(count() - before, 0);
    assert_eq!(trainer.steps(), 4);
}

/// With everything a trainer can do, and every optimiser that works in another way.
#[test]
fn no_setting_makes_a_step_allocate() {
    use nn_runtime::optim::Optimizer;

    fn check<O: Optimizer>(what: &str, optimizer: O, set: impl Fn(Full<O>) -> Full<O>) {
        let data = nn_runtime::data::digits::draw(33, 1);
        let mut model = Net::init(0);
        let mut trainer = set(Trainer::new(&mut model, CrossEntropy::new(), optimizer));
        trainer.step(&data).unwrap();
        let before = count();
        for _ in 0..6 {
            trainer.step(&data).unwrap();
        }
        assert_eq!(count() - before, 0, "{what}");
    }
    type Full<'m, O> = Trainer<'m, Net, CrossEntropy, O>;
    let adam = || Adam::new(1e-3);
    check("amsgrad", Adam::new(1e-3).amsgrad(true), |t| t);
    check("adadelta", Adadelta::new(1.0), |t| t);
    check("nadam", Nadam::new(1e-3), |t| t);
    check("lion", Lion::new(1e-4), |t| t);
    check("lamb", Lamb::new(1e-3), |t| t);
    check("muon", Muon::new(1e-3, AdamW::new(1e-3)), |t| t);
    check("clip by value", adam(), |t| t.clip(Clip::Value(0.1)));
    check("clip by norm", adam(), |t| t.clip(Clip::Norm(0.1)));
    check("clip by global norm", adam(), |t| t.clip(Clip::GlobalNorm(0.1)));
    check("accumulate", adam(), |t| t.accumulate(2));
    check("average", adam(), |t| t.ema(0.9));
    check("penalty", adam(), |t| t.regularize("dense_1", Regularizer::L1L2(1e-4, 1e-4)));
    check("schedule", adam(), |t| t.schedule(Warmup::new(2).then(Cosine::new(3).restarts(2))));
    check("all at once", Muon::new(1e-3, AdamW::new(1e-3)), |t| {
        let t = t.clip(Clip::GlobalNorm(0.1)).accumulate(2).ema(0.9).regularize("block_1.1", Regularizer::L1(1e-4));
        t.schedule(OneCycle::new(5))
    });
}

#[test]
fn a_weighted_batch_and_a_loss_on_whole_samples_allocate_nothing() {
    let labels = Labels::per_step([1, 2, 2, 1, 0, 0, 2, 1, 0], 3).unwrap();
    let data = Dataset::new((vec![0.5; 12], 4), labels).unwrap().with_weights((vec![1.0, 0.0, 2.0], 1)).unwrap();
    let mut batch = data.select(&[0, 1, 2]);
    let mut model = Steps::init(0);
    let mut trainer = Trainer::new(&mut model, Ctc::new(), Adam::new(1e-3));
    trainer.step(&batch).unwrap();
    let before = count();
    for indices in [[2, 1, 0], [0, 0, 2]] {
        data.select_into(&indices, &mut batch);
        trainer.step(&batch).unwrap();
    }
    assert_eq!(count() - before, 0);
}

#[test]
fn a_longer_run_allocates_no_more() {
    let data = nn_runtime::data::digits::draw(330, 1);
    let run = |batches: usize| {
        let part = data.select(&(0..33 * batches).collect::<Vec<_>>());
        let mut model = Net::init(0);
        let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-3));
        let before = count();
        trainer.fit(&part, Fit::epochs(1).batch(33)).unwrap();
        count() - before
    };
    assert_eq!(run(2), run(10), "allocations do not grow with the number of steps");
}

#[test]
fn a_prediction_allocates_nothing() {
    let data = nn_runtime::data::digits::draw(1, 1);
    let model = Net::init(0);
    let mut predictor = model.predictor(1);
    let image: &[f32; 784] = data.input(0, 0).try_into().unwrap();
    let before = count();
    let first = *predictor.predict(image);
    assert_eq!(count() - before, 0);
    assert!((first.iter().sum::<f32>() - 1.0).abs() < 1e-5);
}

network! {
    struct Heard: [6, 3] -> [6, 2] {
        let x = input -> Conv1d(4, 2, padding = Causal);
        let y = x -> Lstm(5) -> PositionalEncoding -> DensePerStep(4);
        (x, y) -> Sum -> MultiHeadAttention(2, causal = true) -> DensePerStep(2)
    }
}

#[test]
fn a_step_of_a_stream_allocates_nothing() {
    let model = Heard::init(0);
    let mut stream = model.streamer().unwrap();
    let before = count();
    for _ in 0..3 {
        for _ in 0..6 {
            stream.step(&[0.1, -0.2, 0.3]).unwrap();
        }
        stream.reset();
    }
    assert_eq!(count() - before, 0);
}

network! { struct Filter: [6, 1] -> [6, 2] { Lstm(5) -> Conv1d(3, 2, padding = Causal) -> DensePerStep(2) } }

#[test]
fn blocks_voices_and_what_is_held_allocate_nothing() {
    let model = Filter::init(0);
    let (mut stream, mut voices) = (model.streamer().unwrap(), model.streamers(5).unwrap());
    let (mut block, mut all) = ([0.0; 16], [0.0; 10]);
    let before = count();
    for _ in 0..3 {
        stream.block(&[&[0.5; 8]], &mut [&mut block]).unwrap();
        for x in [0.25, f32::NAN, f32::INFINITY, -0.5] {
            stream.step_or_hold(&[x]);
        }
        voices.step(&[&[0.1; 5]], &mut [&mut all]).unwrap();
    }
    assert_eq!(count() - before, 0);
}

#[test]
fn windows_that_go_on_and_sums_over_them_allocate_nothing() {
    let data = Dataset::values((vec![0.5; 30], 6), (vec![0.25; 60], 12)).unwrap();
    let mut model = Filter::init(0);
    let mut trainer = Trainer::new(&mut model, Energy::new(), ScheduleFree::new(1e-3)).stateful();
    trainer.step(&data).unwrap();
    let x = [0.5; 30];
    let own = |y: &[&[f32]], dy: &mut [&mut [f32]]| {
        dy[0].copy_from_slice(y[0]);
        0.0
    };
    trainer.step_with(&[&x], own).unwrap();
    let before = count();
    for _ in 0..3 {
        trainer.step(&data).unwrap();
        trainer.step_with(&[&x], own).unwrap();
        trainer.reset_state();
    }
    assert_eq!(count() - before, 0);
}

nn_runtime::loss! { energy(y, t) = sum(square(y - t)) / (sum(square(before(t))) + 1.0) }
