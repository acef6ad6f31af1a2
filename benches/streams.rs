//! What one step of a stream costs, beside the same layer's share of a window of 64 steps: one step at a
//! time, in blocks, and of sixteen voices at once. With a name and a number it runs that alone, so often, for
//! a profiler: `streams 'lstm16/step' 10000`.
#![allow(missing_docs)]

use std::hint::black_box;
use std::time::Instant;

use nn_runtime::Streamers;
use nn_runtime::prelude::*;

const STEPS: usize = 64;

network! { struct Lstm16: [STEPS, 1] -> [STEPS, 1] { Lstm(16) -> DensePerStep(1) } }
network! { struct Lstm40: [STEPS, 1] -> [STEPS, 1] { Lstm(40) -> DensePerStep(1) } }
network! { struct Gru24: [STEPS, 1] -> [STEPS, 1] { Gru(24) -> DensePerStep(1) } }
network! { struct Dense8: [STEPS, 8] -> [STEPS, 8] { DensePerStep(8) } }
network! {
    struct Convs16: [STEPS, 1] -> [STEPS, 1] {
        Conv1d(16, 3, padding = Causal) -> Tanh -> Conv1d(16, 3, padding = Causal, dilation = 2) -> Tanh
            -> Conv1d(16, 3, padding = Causal, dilation = 4) -> Tanh -> DensePerStep(1)
    }
}

fn numbers(len: usize) -> Vec<f32> {
    (0..len).map(|i| (i as f32 * 0.37).sin()).collect()
}

/// A name, what is run, and how many steps that is.
struct Row {
    name: String,
    steps: usize,
    run: Box<dyn FnMut()>,
}

fn row(name: &str, what: &str, steps: usize, run: impl FnMut() + 'static) -> Row {
    Row { name: format!("{name}/{what}"), steps, run: Box::new(run) }
}

/// The rows of one network of so many inputs and outputs a step.
macro_rules! rows {
    ($name:literal, $network:ty, $inputs:literal -> $outputs:literal) => {{
        let model = <$network>::init(0);
        let x = numbers(STEPS * $inputs);
        let (mut predictor, from, mut to) = (model.clone().into_predictor(1), x.clone(), vec![0.0; STEPS * $outputs]);
        let window = row($name, "window", STEPS, move || {
            predictor.predict_into(&[black_box(&from)], &mut [&mut to]).expect("one window");
        });
        let (mut stream, from, mut at) = (model.clone().into_streamer().expect("it streams"), x.clone(), 0);
        let step = row($name, "step", 1, move || {
            at = (at + 1) % STEPS;
            let x: &[f32; $inputs] = from[at * $inputs..][..$inputs].try_into().expect("one step");
            black_box(stream.step(black_box(x)).expect("finite numbers"));
        });
        let (mut stream, from) = (model.clone().into_streamer().expect("it streams"), x.clone());
        let mut to = vec![0.0; STEPS * $outputs];
        let block = row($name, "block", STEPS, move || {
            stream.block(&[black_box(&from)], &mut [&mut to]).expect("finite numbers");
        });
        let (mut voices, from) = (Streamers::new(model, 16).expect("it streams"), numbers(16 * $inputs));
        let mut to = [0.0; 16 * $outputs];
        let voices = row($name, "16 voices", 1, move || {
            voices.step(&[black_box(&from)], &mut [&mut to]).expect("finite numbers");
        });
        [window, step, block, voices]
    }};
}

fn main() {
    let mut rows: Vec<Row> = [
        rows!("lstm16", Lstm16, 1 -> 1),
        rows!("lstm40", Lstm40, 1 -> 1),
        rows!("gru24", Gru24, 1 -> 1),
        rows!("dense8", Dense8, 8 -> 8),
        rows!("convs16", Convs16, 1 -> 1),
    ]
    .into_iter()
    .flatten()
    .collect();
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    if let [name, times] = &args[..] {
        let times: usize = times.parse().expect("a number of times");
        let row = rows.iter_mut().find(|row| row.name == *name).expect("a row's name");
        (0..times).for_each(|_| (row.run)());
        return;
    }
    for row in &mut rows {
        let best = (0..50).map(|_| {
            let times = 2_000 / row.steps + 1;
            let begun = Instant::now();
            (0..times).for_each(|_| (row.run)());
            begun.elapsed().as_nanos() as f64 / (times * row.steps) as f64
        });
        println!("{:<20} {:>8.1} ns a step", row.name, best.fold(f64::INFINITY, f64::min));
    }
}
