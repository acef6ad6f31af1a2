//! The normalisations of groups of channels of a sample, wherever the channels are: what `GroupNorm` and
//! `InstanceNorm` share. In: a shape, the axis of its channels, how many groups; out: spec and filled slices.

use super::axis;
use super::norm::Norm;
use crate::fault::Fault;
use crate::graph::Rule;
use crate::layer::{LayerContext, ParamGrad, ReadContext};
use crate::shape::Shape;
use crate::spec::OnnxForm;
use nn_kernels::row_norm::{NormRows, SAVED_PER_ROW};

/// A sample as `[before, channels, after]`, whose channels are normalised in groups, over `before` and
/// `after` too.
#[derive(Clone, Copy)]
pub(super) struct ChannelNorm {
    pub(super) norm: Norm,
    pub(super) groups: usize,
    axis: usize,
    before: usize,
    channels: usize,
    after: usize,
}

impl ChannelNorm {
    /// The channels of `x` at an axis that it has.
    pub(super) const fn new(norm: Norm, x: &Shape, axis: usize, groups: usize) -> Self {
        let (channels, row) = (x.dim(axis), axis::row(x, axis));
        // Behind a fault there may be none.
        let before = if let Some(count) = x.len().checked_div(row) { count } else { 0 };
        let after = if let Some(count) = row.checked_div(channels) { count } else { 0 };
        ChannelNorm { norm, groups, axis, before, channels, after }
    }

    /// The spec, where the groups divide the channels.
    pub(super) const fn rule(&self, x: Shape, too_few: &str) -> Rule {
        let form = OnnxForm::GroupNorm(self.groups, self.axis, self.norm.eps);
        match self.norm.rule(x, self.groups, Shape::of([self.channels]), too_few, form) {
            // The channels are brought together: of input and output, or of input and both gradients.
            Rule::Ok(spec) if self.before > 1 => match x.len().checked_mul(3) {
                Some(scratch) => spec.scratch(0, scratch).ok(),
                None => Rule::Err(Fault::expected("an input that fits into memory three times").found(x)),
            },
            rule => rule,
        }
    }

    /// Groups of channels as rows, where the channels come first.
    fn rows(&self) -> NormRows {
        let span = self.before * self.after;
        let row = self.channels / self.groups * span;
        // Without weights a row is one piece.
        let (span, weights) = if self.norm.weight { (span, self.channels) } else { (row, 1) };
        NormRows { row, span, weights, centred: true, eps: self.norm.eps }
    }

    fn sample(&self) -> usize {
        self.before * self.channels * self.after
    }

    /// `[before, channels, after]` to `[channels, before, after]`.
    fn channels_first(&self, from: &[f32], to: &mut [f32]) {
        let Self { before, channels, after, .. } = *self;
        for (b, from) in from.chunks_exact(channels * after).enumerate() {
            for (c, from) in from.chunks_exact(after).enumerate() {
                to[(c * before + b) * after..][..after].copy_from_slice(from);
            }
        }
    }

    /// The inverse of [`channels_first`](Self::channels_first).
    fn channels_back(&self, from: &[f32], to: &mut [f32]) {
        let Self { before, channels, after, .. } = *self;
        for (b, to) in to.chunks_exact_mut(channels * after).enumerate() {
            for (c, to) in to.chunks_exact_mut(after).enumerate() {
                to.copy_from_slice(&from[(c * before + b) * after..][..after]);
            }
        }
    }

    pub(super) fn forward(&self, cx: &mut LayerContext, x: &[f32], y: &mut [f32]) {
        if self.before == 1 {
            return self.norm.forward(cx, self.rows(), x, y);
        }
        let (len, row) = (self.sample(), self.groups * SAVED_PER_ROW);
        let (floor, params) = (cx.floor(), self.norm.params(cx));
        let (from, to) = cx.scratch[..2 * len].split_at_mut(len);
        for (i, (x, y)) in x.chunks_exact(len).zip(y.chunks_exact_mut(len)).enumerate() {
            self.channels_first(x, from);
            let saved = cx.saved.get_mut(i * row..(i + 1) * row).unwrap_or(&mut []);
            nn_kernels::row_norm::row_norm(cx.isa, self.rows(), from, params, floor, to, saved);
            self.channels_back(to, y);
        }
    }

    pub(super) fn backward_input(&self, cx: &mut LayerContext, x: &[f32], dy: &[f32], dx: &mut [f32]) {
        if self.before == 1 {
            return self.norm.backward_input(cx, self.rows(), x, dy, dx);
        }
        let (len, row) = (self.sample(), self.groups * SAVED_PER_ROW);
        let [weight, _] = self.norm.params(cx);
        let (of_x, rest) = cx.scratch[..3 * len].split_at_mut(len);
        let (of_dy, of_dx) = rest.split_at_mut(len);
        let samples = x.chunks_exact(len).zip(dy.chunks_exact(len)).zip(dx.chunks_exact_mut(len));
        for (i, ((x, dy), dx)) in samples.enumerate() {
            self.channels_first(x, of_x);
            self.channels_first(dy, of_dy);
            let saved = &cx.saved[i * row..][..row];
            nn_kernels::row_norm::row_norm_backward(cx.isa, self.rows(), of_x, weight, of_dy, saved, of_dx);
            self.channels_back(of_dx, dx);
        }
    }

    pub(super) fn backward_params(&self, cx: &mut ReadContext, x: &[f32], dy: &[f32], mut grad: ParamGrad) {
        if self.before == 1 {
            return self.norm.backward_params(cx, self.rows(), x, dy, grad);
        }
        for k in 0..usize::from(self.norm.weight) + usize::from(self.norm.weight && self.norm.bias) {
            let (range, to) = grad.slice(cx, k);
            cx.row_sums(1).add_samples(to, |samples, of, to| {
                for (c, to) in of.map(|at| range.start + at).zip(to) {
                    for i in samples.clone() {
                        let [x, dy] = [x, dy].map(|all| &all[i * self.sample()..(i + 1) * self.sample()]);
                        let saved = &cx.saved[(i * self.groups + c / (self.channels / self.groups)) * SAVED_PER_ROW..];
                        *to += self.channel_grad([x, dy], c, (k == 0).then_some(saved));
                    }
                }
            });
        }
    }

    /// What a sample adds to the gradient of the weight of channel `c`, or without the moments that were
    /// saved of its bias.
    fn channel_grad(&self, [x, dy]: [&[f32]; 2], c: usize, saved: Option<&[f32]>) -> f32 {
        let mut sum = 0.0;
        for b in 0..self.before {
            let of = (b * self.channels + c) * self.after;
            for (x, dy) in x[of..of + self.after].iter().zip(&dy[of..]) {
                let x = saved.map_or(1.0, |saved| f64::from(*x) - f64::from(saved[0]) - f64::from(saved[1]));
                sum += f64::from(*dy) * x;
            }
        }
        (sum * saved.map_or(1.0, |saved| f64::from(saved[2]))) as f32
    }
}

/// The axis of the channels, and the passes, of a layer that has an `axis` and a `channel_norm`.
macro_rules! channel_norm_layer {
    ($layer:ident) => {
        impl Layer for $layer {
            fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
                self.channel_norm(&cx.input_shape(0)).forward(cx, x, y);
            }

            fn backward_input(
                &self,
                cx: &mut LayerContext,
                [x]: [&[f32]; 1],
                _: [&[f32]; 1],
                [dy]: [&[f32]; 1],
                [dx]: [&mut [f32]; 1],
            ) {
                if !dx.is_empty() {
                    self.channel_norm(&cx.input_shape(0)).backward_input(cx, x, dy, dx);
                }
            }

            fn backward_params(&self, cx: &mut ReadContext, [x]: [&[f32]; 1], [dy]: [&[f32]; 1], grad: ParamGrad) {
                self.channel_norm(&cx.input_shape(0)).backward_params(cx, x, dy, grad);
            }
        }
    };
}
pub(super) use channel_norm_layer;
