//! A network as the few operators that bytes know, still in floats: what is calibrated, and what the codes
//! are compared with. Networks within are laid open, images are channels last. In: samples; out: every value.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::program::turn;
use crate::spec::InPlace;
use nn_kernels::conv::Conv;
use nn_kernels::pool::Pool;
use nn_kernels::simd::Isa;
use nn_kernels::softmax::softmax;

/// Operators in order, of values by their number.
#[derive(Default)]
pub(super) struct FloatNetwork {
    /// How many numbers each value has.
    pub(super) lens: Vec<usize>,
    pub(super) ops: Vec<FloatOp>,
    pub(super) inputs: Vec<usize>,
    pub(super) outputs: Vec<usize>,
}

/// An operator at its place.
pub(super) struct FloatOp {
    /// `block.0.conv1`, and with what was folded into it `conv1 + relu_1`.
    pub(super) path: String,
    pub(super) kind: FloatKind,
    pub(super) x: Vec<usize>,
    pub(super) y: usize,
}

/// What is computed.
pub(super) enum FloatKind {
    /// Weighted sums, of a dense layer too.
    Linear(Linear),
    /// `max(x, floor)`
    Floor(f32),
    /// A function of each number, and its range where that is known.
    Curve(InPlace, Option<[f32; 2]>),
    /// Of rows so long.
    Softmax(usize),
    /// … not below the floor.
    Sum(Option<f32>),
    /// As many numbers of each in turn.
    Concat(Vec<usize>),
    MaxPool(Pool),
    AvgPool(Pool, bool),
    /// The mean of each of so many channels.
    Mean(usize),
    /// A matrix of so many columns, transposed.
    Turn(usize),
}

/// A convolution, channels last; a dense layer is one of a single pixel.
pub(super) struct Linear {
    pub(super) conv: Conv,
    /// `[filters, kernel rows, kernel columns, channels of the group]`
    pub(super) w: Vec<f32>,
    pub(super) bias: Vec<f32>,
    pub(super) floor: Option<f32>,
}

impl FloatNetwork {
    /// Room for all values of a sample.
    pub(super) fn values(&self) -> Vec<Vec<f32>> {
        self.lens.iter().map(|len| vec![0.0; *len]).collect()
    }

    /// Computes every value of a sample from those of the inputs.
    pub(super) fn run(&self, values: &mut [Vec<f32>]) {
        for op in &self.ops {
            let mut y = core::mem::take(&mut values[op.y]);
            let x: Vec<&[f32]> = op.x.iter().map(|x| &values[*x][..]).collect();
            op.kind.run(&x, &mut y);
            values[op.y] = y;
        }
    }

    /// How often each value is read, and once more where it is given out.
    pub(super) fn readers(&self) -> Vec<usize> {
        let mut readers = vec![0; self.lens.len()];
        for value in self.ops.iter().flat_map(|op| &op.x).chain(&self.outputs) {
            readers[*value] += 1;
        }
        readers
    }
}

impl FloatKind {
    fn run(&self, x: &[&[f32]], y: &mut [f32]) {
        match self {
            FloatKind::Linear(linear) => linear.run(x[0], y),
            FloatKind::Floor(floor) => y.iter_mut().zip(x[0]).for_each(|(y, x)| *y = x.max(*floor)),
            FloatKind::Curve(curve, _) => {
                y.copy_from_slice(x[0]);
                curve.apply(Isa::detect(), y);
            }
            FloatKind::Softmax(width) => softmax(Isa::detect(), *width, x[0], y),
            FloatKind::Sum(floor) => {
                for (i, y) in y.iter_mut().enumerate() {
                    *y = x.iter().map(|x| x[i]).sum::<f32>().max(floor.unwrap_or(f32::NEG_INFINITY));
                }
            }
            FloatKind::Concat(runs) => concat(x, runs, y),
            FloatKind::MaxPool(pool) => windows(pool, x[0], y, |_, all| all.fold(f32::NEG_INFINITY, f32::max)),
            FloatKind::AvgPool(pool, count) => windows(pool, x[0], y, |seen, all| {
                let of = if *count { pool.window[0] * pool.window[1] } else { seen };
                all.sum::<f32>() / of as f32
            }),
            FloatKind::Mean(channels) => {
                let pixels = x[0].len() / channels;
                for (c, y) in y.iter_mut().enumerate() {
                    *y = x[0].iter().skip(c).step_by(*channels).sum::<f32>() / pixels as f32;
                }
            }
            FloatKind::Turn(columns) => turn(*columns, x[0], y),
        }
    }
}

/// Joins as many numbers of each value as its run is long, in turn.
fn concat(x: &[&[f32]], runs: &[usize], y: &mut [f32]) {
    let total: usize = runs.iter().sum();
    for (i, y) in y.chunks_exact_mut(total).enumerate() {
        let mut at = 0;
        for (x, run) in x.iter().zip(runs) {
            y[at..at + run].copy_from_slice(&x[i * run..(i + 1) * run]);
            at += run;
        }
    }
}

/// What is made of the numbers that each window sees, and of how many they are.
fn windows(pool: &Pool, x: &[f32], y: &mut [f32], of: impl Fn(usize, &mut dyn Iterator<Item = f32>) -> f32) {
    let width = pool.output()[1];
    for (at, y) in y.iter_mut().enumerate() {
        let (pixel, c) = (at / pool.channels, at % pool.channels);
        let (rows, columns) = (pool.sees(0, pixel / width), pool.sees(1, pixel % width));
        let seen = rows.len() * columns.len();
        let number = |row: usize, column: usize| x[(row * pool.width + column) * pool.channels + c];
        *y = of(seen, &mut rows.flat_map(|row| columns.clone().map(move |column| number(row, column))));
    }
}

impl Linear {
    fn run(&self, x: &[f32], y: &mut [f32]) {
        let conv = &self.conv;
        let (of, each) = (conv.channels / conv.groups, conv.filters / conv.groups);
        let depth = conv.rows();
        let floor = self.floor.unwrap_or(f32::NEG_INFINITY);
        let mut patch = vec![0.0; depth];
        let width = conv.output()[1];
        for (pixel, y) in y.chunks_exact_mut(conv.filters).enumerate() {
            for group in 0..conv.groups {
                for (tap, to) in patch.chunks_exact_mut(of).enumerate() {
                    let (k, l) = (tap / conv.kernel[1], tap % conv.kernel[1]);
                    // What would be below 0 is very large.
                    let row = (pixel / width * conv.stride[0] + k * conv.dilation[0]).wrapping_sub(conv.pad[0]);
                    let column = (pixel % width * conv.stride[1] + l * conv.dilation[1]).wrapping_sub(conv.pad[2]);
                    if row < conv.height && column < conv.width {
                        let at = (row * conv.width + column) * conv.channels + group * of;
                        to.copy_from_slice(&x[at..at + of]);
                    } else {
                        to.fill(0.0);
                    }
                }
                let filters = group * each..(group + 1) * each;
                let w = self.w[filters.start * depth..].chunks_exact(depth);
                for ((y, bias), w) in y[filters.clone()].iter_mut().zip(&self.bias[filters]).zip(w) {
                    *y = (dot(w, &patch) + bias).max(floor);
                }
            }
        }
    }
}

/// A sum of products in sixteen parts, which the compiler makes vectors of.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut parts = [0.0; 16];
    let ((a, a_last), (b, b_last)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    for (a, b) in a.iter().zip(b) {
        for (part, (a, b)) in parts.iter_mut().zip(a.iter().zip(b)) {
            *part += a * b;
        }
    }
    parts.iter().sum::<f32>() + a_last.iter().zip(b_last).map(|(a, b)| a * b).sum::<f32>()
}
