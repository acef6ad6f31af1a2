//! What one step of a stream costs, beside the same layer's share of a window of 64 steps: one step at a
//! time, in blocks, and of sixteen voices at once. With a name and a number it runs that alone, so often, for
//! a profiler: `streams 'lstm16/step' 10000`; with a name alone it measures the rows that have it.
#![allow(missing_docs)]

use std::hint::black_box;
use std::time::Instant;

use nn_runtime::Streamers;
use nn_runtime::prelude::*;

const STEPS: usize = 64;

macro_rules! recurrent {
    ($($lstm:ident $gru:ident: $units:literal),*) => {
        $(
            network! { struct $lstm: [STEPS, 1] -> [STEPS, 1] { Lstm($units) -> DensePerStep(1) } }
            network! { struct $gru: [STEPS, 1] -> [STEPS, 1] { Gru($units) -> DensePerStep(1) } }
        )*
    };
}
recurrent!(Lstm8 Gru8: 8, Lstm16 Gru16: 16, Lstm24 Gru24: 24, Lstm32 Gru32: 32, Lstm40 Gru40: 40, Lstm64 Gru64: 64);

macro_rules! convolutions {
    ($($name:ident: $filters:literal),*) => {
        $(network! {
            struct $name: [STEPS, 1] -> [STEPS, 1] {
                Conv1d($filters, 3, padding = Causal) -> Tanh
                    -> Conv1d($filters, 3, padding = Causal, dilation = 2) -> Tanh
                    -> Conv1d($filters, 3, padding = Causal, dilation = 4) -> Tanh
                    -> Conv1d($filters, 3, padding = Causal, dilation = 8) -> Tanh -> DensePerStep(1)
            }
        })*
    };
}
convolutions!(Conv8: 8, Conv16: 16, Conv32: 32);

macro_rules! dense {
    ($($name:ident: $units:literal),*) => {
        $(network! {
            struct $name: [STEPS, 1] -> [STEPS, 1] {
                DensePerStep($units) -> Tanh -> DensePerStep($units) -> Tanh -> DensePerStep($units) -> Tanh -> DensePerStep(1)
            }
        })*
    };
}
dense!(Dense8: 8, Dense16: 16, Dense32: 32, Dense64: 64);

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

/// The rows of one network.
fn rows<N>(name: &str) -> Vec<Row>
where
    N: for<'a> Network<Step<'a> = &'a [f32; 1]> + 'static,
{
    let model = N::init(0);
    let x = numbers(STEPS);
    let (mut predictor, from, mut to) = (model.clone().into_predictor(1), x.clone(), vec![0.0; STEPS]);
    let window = row(name, "window", STEPS, move || {
        predictor.predict_into(&[black_box(&from)], &mut [&mut to]).expect("one window");
    });
    let (mut stream, from, mut at) = (model.clone().into_streamer().expect("it streams"), x.clone(), 0);
    let step = row(name, "step", 1, move || {
        at = (at + 1) % STEPS;
        black_box(stream.step(black_box(&[from[at]])).expect("finite numbers"));
    });
    let (mut stream, from) = (model.clone().into_streamer().expect("it streams"), x);
    let mut to = vec![0.0; STEPS];
    let block = row(name, "block", STEPS, move || {
        stream.block(&[black_box(&from)], &mut [&mut to]).expect("finite numbers");
    });
    let (mut voices, from) = (Streamers::new(model, 16).expect("it streams"), numbers(16));
    let mut to = [0.0; 16];
    let voices = row(name, "16 voices", 1, move || {
        voices.step(&[black_box(&from)], &mut [&mut to]).expect("finite numbers");
    });
    vec![window, step, block, voices]
}

/// So many runs of a row, for a profiler to count.
#[inline(never)]
fn measured(row: &mut Row, times: usize) {
    (0..times).for_each(|_| (row.run)());
}

/// The rows of every network.
macro_rules! all {
    ($($network:ident)*) => { [$((stringify!($network), rows::<$network> as fn(&str) -> Vec<Row>)),*] };
}

fn main() {
    let all = all!(
        Lstm8 Lstm16 Lstm24 Lstm32 Lstm40 Lstm64 Gru8 Gru16 Gru24 Gru32 Gru40 Gru64
        Conv8 Conv16 Conv32 Dense8 Dense16 Dense32 Dense64
    );
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    if let [name, times] = &args[..] {
        let times: usize = times.parse().expect("a number of times");
        let (network, _) = name.split_once('/').expect("a network and what is run, as in `lstm16/step`");
        let (_, rows) = all.iter().find(|(name, _)| name.to_lowercase() == network).expect("a network's name");
        let mut rows = rows(network);
        let row = rows.iter_mut().find(|row| row.name == *name).expect("a row's name");
        // What happens at the first time alone is not counted.
        (row.run)();
        return measured(row, times);
    }
    println!("Nanoseconds a step.\n");
    println!("| network | window | step | block | 16 voices | step ÷ window | 16 voices ÷ step |");
    println!("|---|---|---|---|---|---|---|");
    for (name, rows) in all {
        let name = name.to_lowercase();
        if args.first().is_some_and(|wanted| !name.contains(wanted.as_str())) {
            continue;
        }
        let mut rows = rows(&name);
        let mut best = [f64::INFINITY; 4];
        for _ in 0..60 {
            for (row, best) in rows.iter_mut().zip(&mut best) {
                let times = 2_000 / row.steps + 1;
                let begun = Instant::now();
                measured(row, times);
                *best = best.min(begun.elapsed().as_nanos() as f64 / (times * row.steps) as f64);
            }
        }
        let [window, step, block, voices] = best;
        let (share, of_one) = (step / window, voices / step);
        println!("| {name} | {window:.1} | {step:.1} | {block:.1} | {voices:.1} | {share:.2} | {of_one:.2} |");
    }
}
