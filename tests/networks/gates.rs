//! Gates that other libraries have as layers, of the layers there are: features scaled and moved by a
//! condition (FiLM), and the gated unit of WaveNet.

use nn_runtime::prelude::*;
use nn_tests::numbers::wide;

use crate::by_hand::{check, dense, model};

network! {
    /// Perez et al., "FiLM: Visual Reasoning with a General Conditioning Layer", 2018, over an image: a
    /// number for each channel becomes an image of it.
    struct Film: (x: [3, 4, 5], condition: [2]) -> [3, 4, 5] {
        let scale = condition -> gamma: Dense(3) -> Reshape([3, 1, 1]) -> Resize(1, size_hw = [4, 5]);
        let shift = condition -> beta: Dense(3) -> Reshape([3, 1, 1]) -> Resize(1, size_hw = [4, 5]);
        let scaled = (x, scale) -> Product;
        (scaled, shift) -> Sum
    }
}

#[test]
fn a_condition_scales_and_moves_channels() {
    check(&mut model::<Film>(), &[60, 2], &[60], |m, x| {
        let (gamma, beta) = (dense(m, "gamma", &x[1]), dense(m, "beta", &x[1]));
        vec![x[0].iter().enumerate().map(|(at, x)| gamma[at / 20] * x + beta[at / 20]).collect()]
    });
}

network! {
    /// The same over steps.
    struct FilmOfSteps: (x: [4, 3], condition: [2]) -> [4, 3] {
        let scale = condition -> gamma: Dense(3) -> Reshape([1, 3]) -> ReplicationPad1d(0, after = 3);
        let shift = condition -> beta: Dense(3) -> Reshape([1, 3]) -> ReplicationPad1d(0, after = 3);
        let scaled = (x, scale) -> Product;
        (scaled, shift) -> Sum
    }
}

#[test]
fn a_condition_scales_and_moves_features() {
    check(&mut model::<FilmOfSteps>(), &[12, 2], &[12], |m, x| {
        let (gamma, beta) = (dense(m, "gamma", &x[1]), dense(m, "beta", &x[1]));
        vec![x[0].iter().enumerate().map(|(at, x)| gamma[at % 3] * x + beta[at % 3]).collect()]
    });
}

network! {
    /// van den Oord et al., "WaveNet: A Generative Model for Raw Audio", 2016: `tanh(f) · σ(g)` of one causal
    /// convolution, the residual way and the skipped one.
    struct Gated: [6, 2] -> (way: [6, 2], skip: [6, 3]) {
        let (f, g) = both: Conv1d(4, 2, dilation = 2, padding = Causal) -> Split(2, axis = 1);
        let signal = f -> Tanh;
        let gate = g -> Sigmoid;
        let unit = (signal, gate) -> Product;
        let through = unit -> out: Conv1d(2, 1);
        let way = (through, input) -> Sum;
        let skip = unit -> skipped: Conv1d(3, 1);
    }
}

#[test]
fn the_gated_unit_of_wavenet() {
    check(&mut model::<Gated>(), &[12], &[12, 18], |m, x| {
        let param = |name: &str| wide(&m.get(name).unwrap());
        let conv = |name: &str, x: &[f64], features: usize, kernel: usize| -> Vec<f64> {
            let (weight, bias) = (param(&format!("{name}.weight")), param(&format!("{name}.bias")));
            let mut y = Vec::new();
            for s in 0..6 {
                for (f, bias) in bias.iter().enumerate() {
                    let tap = |k: usize, c: usize| match (s + 2 * k).checked_sub(2 * (kernel - 1)) {
                        Some(from) => weight[(f * features + c) * kernel + k] * x[from * features + c],
                        None => 0.0,
                    };
                    y.push(bias + (0..kernel).flat_map(|k| (0..features).map(move |c| tap(k, c))).sum::<f64>());
                }
            }
            y
        };
        let both = conv("both", &x[0], 2, 2);
        let unit: Vec<f64> =
            both.chunks(4).flat_map(|y| [0, 1].map(|c| y[c].tanh() / (1.0 + (-y[c + 2]).exp()))).collect();
        let way = conv("out", &unit, 2, 1).iter().zip(&x[0]).map(|(y, x)| y + x).collect();
        vec![way, conv("skipped", &unit, 2, 1)]
    });
}
