//! What layers over `[steps, features]` compute for one sample, in double precision, step by step from their
//! definitions. In: values, masks and parameters; out: values. Masks and ids are rounded: what differences
//! move them by makes no other number of them.

use super::dense;
use crate::graph::{Cell, Recurrent, Shape};

/// What attention is declared with.
#[derive(Clone, Copy)]
pub struct Heads {
    pub heads: usize,
    pub causal: bool,
    pub bias: bool,
}

fn is_step(mask: Option<&[f64]>, step: usize) -> bool {
    mask.is_none_or(|mask| mask[step].round() != 0.0)
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Every step's output, those of both ways side by side, or what each way ends with.
pub fn recurrent(of: &Recurrent, x: &[f64], mask: Option<&[f64]>, shape: &Shape, params: &[Vec<f64>]) -> Vec<f64> {
    let steps: Vec<&[f64]> = x.chunks(shape[1]).collect();
    let ways: Vec<(Vec<Vec<f64>>, Vec<f64>)> = of
        .ways()
        .iter()
        .zip(params.chunks(of.tensors()))
        .map(|(&reverse, params)| one_way(of, &steps, mask, reverse, params))
        .collect();
    match of.last {
        true => ways.into_iter().flat_map(|(_, last)| last).collect(),
        false => (0..steps.len()).flat_map(|s| ways.iter().flat_map(move |(all, _)| all[s].clone())).collect(),
    }
}

fn one_way(
    of: &Recurrent,
    x: &[&[f64]],
    mask: Option<&[f64]>,
    reverse: bool,
    params: &[Vec<f64>],
) -> (Vec<Vec<f64>>, Vec<f64>) {
    let units = of.units;
    let (mut h, mut c) = (vec![0.0; units], vec![0.0; units]);
    let mut all = vec![vec![0.0; units]; x.len()];
    let mut order: Vec<usize> = (0..x.len()).collect();
    if reverse {
        order.reverse();
    }
    for s in order.into_iter().filter(|&s| is_step(mask, s)) {
        let (a, b) = (dense(x[s], &params[0], params.get(2)), dense(&h, &params[1], params.get(3)));
        for i in 0..units {
            let gate = |g: usize| a[g * units + i] + b[g * units + i];
            h[i] = match of.cell {
                Cell::Rnn => gate(0).tanh(),
                Cell::Gru => {
                    let (r, z) = (sigmoid(gate(0)), sigmoid(gate(1)));
                    let n = (a[2 * units + i] + r * b[2 * units + i]).tanh();
                    (1.0 - z) * n + z * h[i]
                }
                Cell::Lstm => {
                    c[i] = sigmoid(gate(1)) * c[i] + sigmoid(gate(0)) * gate(2).tanh();
                    sigmoid(gate(3)) * c[i].tanh()
                }
            };
        }
        all[s].clone_from(&h);
    }
    (all, h)
}

/// Of the inputs, one of one dimension is a mask; a second of two is what keys and values are made of.
pub fn attention(x: &[&[f64]], shapes: &[&Shape], of: Heads, params: &[Vec<f64>], margin: &mut f64) -> Vec<f64> {
    let features = shapes[0][1];
    let memory = if shapes.len() > 1 && shapes[1].len() == 2 { x[1] } else { x[0] };
    let mask = (shapes[shapes.len() - 1].len() == 1).then(|| x[x.len() - 1]);
    let (bias, out) = if of.bias { (Some(&params[1]), &params[2..]) } else { (None, &params[1..]) };
    // Of each step the third of the product that is queries, keys or values.
    let part = |third: usize, x: &[f64]| -> Vec<Vec<f64>> {
        let weight = &params[0][third * features * features..][..features * features];
        let bias = bias.map(|bias| bias[third * features..][..features].to_vec());
        x.chunks(features).map(|step| dense(step, weight, bias.as_ref())).collect()
    };
    let (q, k, v) = (part(0, x[0]), part(1, memory), part(2, memory));
    let width = features / of.heads;
    let mut y = Vec::new();
    for (i, q) in q.iter().enumerate() {
        let seen: Vec<usize> = (0..k.len()).filter(|&j| is_step(mask, j) && !(of.causal && j > i)).collect();
        let mut context = vec![0.0; features];
        for head in 0..of.heads {
            let own = head * width..(head + 1) * width;
            let score =
                |j: &usize| -> f64 { own.clone().map(|f| q[f] * k[*j][f]).sum::<f64>() / (width as f64).sqrt() };
            let scores: Vec<f64> = seen.iter().map(score).collect();
            let weights = super::log_softmax(&scores, margin);
            for (j, weight) in seen.iter().zip(weights) {
                own.clone().for_each(|f| context[f] += weight.exp() * v[*j][f]);
            }
        }
        y.extend(dense(&context, &out[0], out.get(1)));
    }
    y
}

/// Each output sees its own step and those before it that the dilation leaves, the last of the kernel the
/// newest.
pub fn causal_conv(x: &[f64], shape: &Shape, kernel: usize, dilation: usize, params: &[Vec<f64>]) -> Vec<f64> {
    let [steps, features] = shape[..] else { unreachable!("a sequence") };
    let mut y = Vec::new();
    for s in 0..steps {
        for (filter, bias) in params[0].chunks(features * kernel).zip(&params[1]) {
            let mut sum = *bias;
            for k in 0..kernel {
                if let Some(from) = s.checked_sub((kernel - 1 - k) * dilation) {
                    sum += (0..features).map(|c| filter[c * kernel + k] * x[from * features + c]).sum::<f64>();
                }
            }
            y.push(sum);
        }
    }
    y
}

/// Sine and cosine in turns, each pair slower than the one before.
pub fn waves(x: &[f64], features: usize) -> Vec<f64> {
    let wave = |i: usize| {
        let (s, f) = ((i / features) as f64, i % features);
        let angle = s / 10000f64.powf((f / 2 * 2) as f64 / features as f64);
        if f.is_multiple_of(2) { angle.sin() } else { angle.cos() }
    };
    x.iter().enumerate().map(|(i, x)| x + wave(i)).collect()
}

/// A row brought to mean 0 and deviation 1, then weighted.
pub fn normal(row: &[f64], params: &[Vec<f64>], margin: &mut f64) -> Vec<f64> {
    let count = row.len() as f64;
    let mean = row.iter().sum::<f64>() / count;
    let variance = row.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count;
    // Numbers that differ little leave little of 32 bits; padding is 0 and stays there.
    if row.len() > 1 && row.iter().any(|x| *x != 0.0) {
        *margin = margin.min(0.002 * variance.sqrt());
    }
    let scale = 1.0 / (variance + f64::from(1e-5f32)).sqrt();
    row.iter().zip(params[0].iter().zip(&params[1])).map(|(x, (w, b))| (x - mean) * scale * w + b).collect()
}

/// The last step that counts, or zeros.
pub fn last_step(x: &[f64], mask: Option<&[f64]>, features: usize) -> Vec<f64> {
    let last = (0..x.len() / features).rfind(|&s| is_step(mask, s));
    last.map_or(vec![0.0; features], |s| x[s * features..][..features].to_vec())
}

/// The mean of the steps that count, or of the pixels of each channel.
pub fn mean(x: &[f64], mask: Option<&[f64]>, shape: &Shape) -> Vec<f64> {
    if let [_, height, width] = shape[..] {
        return x.chunks(height * width).map(|all| all.iter().sum::<f64>() / all.len() as f64).collect();
    }
    let seen: Vec<&[f64]> =
        x.chunks(shape[1]).enumerate().filter(|(s, _)| is_step(mask, *s)).map(|(_, step)| step).collect();
    (0..shape[1]).map(|f| seen.iter().map(|step| step[f]).sum::<f64>() / seen.len().max(1) as f64).collect()
}

/// The row of each id.
pub fn rows_of(ids: &[f64], table: &[f64], features: usize) -> Vec<f64> {
    ids.iter().flat_map(|id| &table[id.round() as usize * features..][..features]).copied().collect()
}
