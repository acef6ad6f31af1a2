//! What each kind of layer computes for one sample, in double precision, from its definition. In: values and
//! parameters; out: values, and how near a number came to where gradients cannot be compared. It shares no
//! line with what it is compared with.

mod sequences;

use crate::graph::{Curve, Kind, Shape};
use crate::random_formulas::{Formula, Setting};

/// The slope of `LeakyRelu` below 0, as it is declared: repeated, the default would leave nothing.
pub const LEAK: f64 = 0.25;

/// One layer on one sample. `margin` falls to how near a number comes to a place without a derivative, or
/// with one that drowns in the rounding of 32 bits.
pub fn layer(kind: &Kind, x: &[&[f64]], shapes: &[&Shape], params: &[Vec<f64>], margin: &mut f64) -> Vec<Vec<f64>> {
    let y = match kind {
        Kind::Dense { .. } => dense(x[0], &params[0], params.get(1)),
        Kind::DensePerStep { .. } => {
            x[0].chunks(shapes[0][1]).flat_map(|step| dense(step, &params[0], params.get(1))).collect()
        }
        Kind::Flatten | Kind::Reshape(_) => x[0].to_vec(),
        Kind::Curve(curve) => x[0].iter().map(|&x| value(*curve, x, margin)).collect(),
        Kind::Softmax => {
            rows(x[0], shapes[0]).flat_map(|row| log_softmax(row, margin).into_iter().map(f64::exp)).collect()
        }
        Kind::LogSoftmax => rows(x[0], shapes[0]).flat_map(|row| log_softmax(row, margin)).collect(),
        Kind::Sum => (0..x[0].len()).map(|i| x.iter().map(|x| x[i]).sum()).collect(),
        Kind::Product => (0..x[0].len()).map(|i| x.iter().map(|x| x[i]).product()).collect(),
        Kind::Concat { axis } => {
            let rows: Vec<usize> = shapes.iter().map(|shape| shape[*axis..].iter().product()).collect();
            let count = x[0].len() / rows[0];
            let part = |i: usize, k: usize| &x[k][i * rows[k]..][..rows[k]];
            (0..count).flat_map(|i| (0..x.len()).flat_map(move |k| part(i, k))).copied().collect()
        }
        Kind::Split { sizes, axis } => return split(x[0], shapes[0], sizes, *axis),
        Kind::Recurrent(of) => sequences::recurrent(of, x[0], x.get(1).copied(), shapes[0], params),
        Kind::Attention { heads, causal, bias } => sequences::attention(
            x,
            shapes,
            sequences::Heads { heads: *heads, causal: *causal, bias: *bias },
            params,
            margin,
        ),
        Kind::CausalConv { kernel, dilation, .. } => {
            sequences::causal_conv(x[0], shapes[0], *kernel, *dilation, params)
        }
        Kind::PositionalEncoding { learnt: true } => x[0].iter().zip(&params[0]).map(|(x, y)| x + y).collect(),
        Kind::PositionalEncoding { learnt: false } => sequences::waves(x[0], shapes[0][1]),
        Kind::LayerNorm => rows(x[0], shapes[0]).flat_map(|row| sequences::normal(row, params, margin)).collect(),
        Kind::LastStep => sequences::last_step(x[0], x.get(1).copied(), shapes[0][1]),
        Kind::GlobalAvgPool => sequences::mean(x[0], x.get(1).copied(), shapes[0]),
        Kind::Embedding { features, .. } => sequences::rows_of(x[0], &params[0], *features),
        Kind::Operation(of) => of.forward(x[0], shapes[0], params, margin),
        Kind::Formula(formula, given) => {
            let setting = setting(formula, *given, params);
            x[0].iter().map(|&x| formula.value(x, setting, margin)).collect()
        }
        Kind::Net(_) => unreachable!("a network is no formula"),
    };
    vec![y]
}

/// `y = W·x + b`, with `W` of `[units, features]`.
fn dense(x: &[f64], weight: &[f64], bias: Option<&Vec<f64>>) -> Vec<f64> {
    let dot = |w: &[f64]| -> f64 { w.iter().zip(x).map(|(w, x)| w * x).sum() };
    weight.chunks(x.len()).enumerate().map(|(i, w)| dot(w) + bias.map_or(0.0, |bias| bias[i])).collect()
}

/// What the setting of a formula is, if it has one.
fn setting(formula: &Formula, given: Option<f64>, params: &[Vec<f64>]) -> f64 {
    match formula.setting {
        Setting::None => 0.0,
        Setting::Constant(unless) => given.unwrap_or(unless),
        Setting::Learnt(_) => params[0][0],
    }
}

fn value(curve: Curve, x: f64, margin: &mut f64) -> f64 {
    if matches!(curve, Curve::Relu | Curve::LeakyRelu) && x != 0.0 {
        // What is exactly 0 comes from another rectifier, and stays there.
        *margin = margin.min(x.abs());
    }
    // The slope near 1 is what 32 bits leave of 1 less the value.
    match curve {
        Curve::Sigmoid => *margin = margin.min(0.04 / (1.0 + x.exp())),
        Curve::Tanh => *margin = margin.min(0.04 * (1.0 - x.tanh().abs())),
        _ => {}
    }
    match curve {
        Curve::Relu => x.max(0.0),
        Curve::LeakyRelu => x.max(LEAK * x),
        Curve::Elu => {
            if x > 0.0 {
                x
            } else {
                x.exp_m1()
            }
        }
        Curve::Gelu => 0.5 * x * libm::erfc(-x / std::f64::consts::SQRT_2),
        Curve::Silu => x / (1.0 + (-x).exp()),
        Curve::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        Curve::Softplus => x.max(0.0) + (-x.abs()).exp().ln_1p(),
        Curve::Tanh => x.tanh(),
    }
}

fn rows<'a>(x: &'a [f64], shape: &Shape) -> impl Iterator<Item = &'a [f64]> {
    x.chunks(shape[shape.len() - 1])
}

fn log_softmax(row: &[f64], margin: &mut f64) -> Vec<f64> {
    let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum = row.iter().map(|x| (x - most).exp()).sum::<f64>().ln() + most;
    if row.len() > 1 {
        // Of all but one in 200 the gradient is what 32 bits cannot tell from 1.
        *margin = margin.min(0.04 * -(most - sum).exp_m1());
    }
    row.iter().map(|x| x - sum).collect()
}

/// The numbers whose index along `axis` falls into each part.
fn split(x: &[f64], shape: &Shape, sizes: &[usize], axis: usize) -> Vec<Vec<f64>> {
    let inside: usize = shape[axis + 1..].iter().product();
    let mut from = 0;
    sizes
        .iter()
        .map(|size| {
            let range = from..from + size;
            from += size;
            let belongs = |i: &usize| range.contains(&(i / inside % shape[axis]));
            (0..x.len()).filter(belongs).map(|i| x[i]).collect()
        })
        .collect()
}
