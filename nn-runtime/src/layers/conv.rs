//! What all convolutions have in common: sizes, weights, and how the kernels are asked. In: a window,
//! channels and filters; out: the kernels' description, spec, gradients. Nothing here may know which layer
//! asks.

use super::window::{Stand, Window, too_large};
use crate::fault::Fault;
use crate::init::Init;
use crate::layer::{LayerContext, ParamGrad, ReadContext};
use crate::shape::Shape;
use crate::spec::LayerSpec;
use nn_kernels::conv::fused_max_pool::{self, ConvMaxPool, MaxPoolGrad};
use nn_kernels::conv::{Conv, ConvBiasGrad, ConvWeightGrad};

/// What is learnt, and from where it begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Learnt {
    pub(super) bias: bool,
    pub(super) init: Init,
    pub(super) bias_init: Init,
}

impl Learnt {
    pub(super) const fn new() -> Self {
        Learnt { bias: true, init: Init::GlorotUniform, bias_init: Init::Zeros }
    }
}

/// The arguments of what is learnt, for a layer with a field `learnt`.
macro_rules! learnt_arguments {
    ($name:ident) => {
        impl $name {
            /// Whether a learnt number is added to each channel of the output.
            pub const fn bias(mut self, bias: bool) -> Self {
                self.learnt.bias = bias;
                self
            }

            /// What the weight is drawn from.
            pub const fn init(mut self, init: Init) -> Self {
                self.learnt.init = init;
                self
            }

            /// What the bias is drawn from.
            pub const fn bias_init(mut self, init: Init) -> Self {
                self.learnt.bias_init = init;
                self
            }
        }
    };
}
pub(super) use learnt_arguments;

/// The layer of a type whose rule says which convolution it is, with a field `learnt`, and what more it does.
macro_rules! layer_of_a_convolution {
    ($name:ident $($more:tt)*) => {
        impl crate::layer::Layer for $name {
            fn forward(&self, cx: &mut crate::layer::LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
                let conv = cx.spec.planned_conv();
                let bias = super::conv::bias(cx, &self.learnt, 1);
                let filters = nn_kernels::conv::FilterBank { w: cx.param(0), bias, floor: cx.floor() };
                match cx.epilogue.fused_max_pool() {
                    None => nn_kernels::conv::forward(cx.isa, conv, x, filters, y, cx.scratch),
                    Some(pool) => {
                        let fused = nn_kernels::conv::fused_max_pool::ConvMaxPool { conv, pool };
                        nn_kernels::conv::fused_max_pool::forward(cx.isa, fused, x, filters, y, cx.saved, cx.scratch);
                    }
                }
            }

            fn backward_input(
                &self,
                cx: &mut crate::layer::LayerContext,
                _: [&[f32]; 1],
                _: [&[f32]; 1],
                [dy]: [&[f32]; 1],
                [dx]: [&mut [f32]; 1],
            ) {
                if !dx.is_empty() {
                    let conv = cx.spec.planned_conv();
                    let w = cx.param(0);
                    match cx.epilogue.fused_max_pool() {
                        None => (cx.spec.conv_backward().input)(cx.isa, conv, dy, w, dx, cx.scratch),
                        Some(pool) => {
                            let fused = nn_kernels::conv::fused_max_pool::ConvMaxPool { conv, pool };
                            let grad = super::conv::max_pool_grad(dy, cx.saved);
                            nn_kernels::conv::fused_max_pool::backward_input(cx.isa, fused, grad, w, dx, cx.scratch);
                        }
                    }
                }
            }

            fn backward_params(
                &self,
                cx: &mut crate::layer::ReadContext,
                [x]: [&[f32]; 1],
                [dy]: [&[f32]; 1],
                mut grad: crate::layer::ParamGrad,
            ) {
                let (conv, backward) = (cx.spec.planned_conv(), cx.spec.conv_backward());
                super::conv::pull_weight(cx, 0, (conv, backward.weight), [x, dy], &mut grad);
                if self.learnt.bias {
                    super::conv::pull_bias_of(cx, 1, (conv, backward.bias), dy, &mut grad);
                }
            }

            $($more)*
        }
    };
}
pub(super) use layer_of_a_convolution;

/// What is wrong with the numbers of filters and groups.
pub(super) const fn fault(channels: usize, filters: usize, groups: usize) -> Option<Fault> {
    if filters == 0 {
        let fault = Fault::expected("at least 1 filter").found_num(0);
        return Some(fault.help("give the number of channels of the output, such as 16"));
    }
    if groups == 0 {
        return Some(Fault::expected("at least 1 group").found_num(0).help("use `groups = 1`, or leave it out"));
    }
    if !channels.is_multiple_of(groups) || !filters.is_multiple_of(groups) {
        let (mut common, mut rest) = (channels, filters);
        while rest > 0 {
            (common, rest) = (rest, common % rest);
        }
        let fault = Fault::expected("channels and filters that ").num(groups).str(" groups divide, found ");
        let fault = fault.num(channels).str(" channels and ").num(filters).str(" filters");
        let fault = fault.help("use `groups = ").num(common).str("`");
        // No number of filters helps where the channels are not divided either.
        if !channels.is_multiple_of(groups) {
            return Some(fault);
        }
        let more = filters.div_ceil(groups).saturating_mul(groups);
        return Some(fault.str(", or ").num(more).str(" filters"));
    }
    None
}

/// The convolution of `filters` with this window over an image of these sizes, or over a sequence.
pub(super) const fn conv<const D: usize>(
    window: &Window<D>,
    channels: usize,
    sizes: [usize; D],
    filters: usize,
    groups: usize,
) -> Result<Conv, Fault> {
    if let Some(fault) = fault(channels, filters, groups) {
        return Err(fault);
    }
    match window.on(sizes) {
        Ok(stands) => describe(window, channels, sizes, filters, groups, stands),
        Err(fault) => Err(fault),
    }
}

/// The same where it is known how the window stands.
pub(super) const fn describe<const D: usize>(
    window: &Window<D>,
    channels: usize,
    sizes: [usize; D],
    filters: usize,
    groups: usize,
    stands: [Stand; D],
) -> Result<Conv, Fault> {
    // A sequence is an image of one row, whose channels lie side by side.
    let flat = D == 1;
    let last = D - 1;
    let [height, top, bottom] = if flat { [1, 0, 0] } else { [sizes[0], stands[0].before, stands[0].after] };
    let [width, left, right] = [sizes[last], stands[last].before, stands[last].after];
    let [kernel, stride, dilation] =
        if flat { [1, 1, 1] } else { [window.kernel[0], window.stride[0], window.dilation[0]] };
    let kernel = [kernel, window.kernel[last]];
    // A stride beyond the end is one to the end: the window stands once, and no size of the kernels' grows
    // with it.
    let stride = [smaller(stride, height + top + bottom), smaller(window.stride[last], width + left + right)];
    let out = if flat { 1 } else { stands[0].out };

    let padded = Shape::of([channels, height + top + bottom, width + left + right]);
    let output = Shape::of([filters, out, stands[last].out]);
    let weights = Shape::of([filters, channels / groups, kernel[0], kernel[1]]);
    let fits = padded.checked_len().is_some() && output.checked_len().is_some() && weights.checked_len().is_some();
    if !fits {
        return Err(too_large());
    }
    let conv = Conv {
        stride,
        pad: [top, bottom, left, right],
        dilation: [dilation, window.dilation[last]],
        groups,
        channels_last: flat,
        ..Conv::new([channels, height, width], filters, kernel)
    };
    // The kernels count in 32 bits within one sample.
    if conv.scratch() > u32::MAX as usize || conv.x_len() > u32::MAX as usize { Err(too_large()) } else { Ok(conv) }
}

const fn smaller(a: usize, b: usize) -> usize {
    if a < b { a } else { b }
}

/// The inputs of each filter, and the outputs that each input goes into within its group.
pub(super) const fn fans(conv: &Conv) -> [usize; 2] {
    [conv.rows(), conv.filters / conv.groups * conv.kernel[0] * conv.kernel[1]]
}

/// The spec of a layer that is one convolution, whose output has this shape and whose bias as many numbers as
/// `bias` says.
pub(super) const fn spec(
    y: Shape,
    conv: &Conv,
    learnt: &Learnt,
    weight: Shape,
    [fan_in, fan_out]: [usize; 2],
    bias: usize,
) -> LayerSpec {
    let spec = LayerSpec::output(y)
        .computes()
        .filters("weight", weight, learnt.init)
        .fans(fan_in, fan_out)
        .scratch(0, conv.scratch())
        .macs(conv.y_len().saturating_mul(conv.rows()))
        .accepts_elementwise()
        .backward_without_x();
    if learnt.bias { spec.param("bias", Shape::of([bias]), learnt.bias_init) } else { spec }
}

/// The bias, if there is one: the parameter after the weights.
pub(super) fn bias<'a>(cx: &LayerContext<'a>, learnt: &Learnt, at: usize) -> Option<&'a [f32]> {
    learnt.bias.then(|| cx.param(at))
}

/// Adds the gradients of parameter `at`, the weights of `conv` between `x` and `dy`.
pub(super) fn pull_weight(
    cx: &mut ReadContext,
    at: usize,
    (conv, backward_weight): (Conv, ConvWeightGrad),
    [x, dy]: [&[f32]; 2],
    grad: &mut ParamGrad,
) {
    let (range, dw) = grad.slice(cx, at);
    if range.is_empty() {
        return;
    }
    let (isa, sums, each) = (cx.isa, cx.row_sums(1), [x, dy].map(|all| all.len() / cx.batch.max(1)));
    let (pool, saved, scratch) = (cx.epilogue.fused_max_pool(), cx.saved, &mut *cx.scratch);
    sums.add_samples(dw, |samples, of, dw| {
        let [x_at, y_at] = each.map(|len| samples.start * len..samples.end * len);
        let (x, dy, range) = (&x[x_at], &dy[y_at.clone()], range.start + of.start..range.start + of.end);
        match pool {
            None => backward_weight(isa, conv, x, dy, range, dw, scratch),
            Some(pool) => {
                let (fused, grad) = (ConvMaxPool { conv, pool }, max_pool_grad(dy, &saved[y_at]));
                fused_max_pool::backward_weight(isa, fused, x, grad, range, dw, scratch);
            }
        }
    });
}

/// Adds the gradients of parameter `at`, the bias of a layer whose output is that of `conv`.
pub(super) fn pull_bias_of(
    cx: &ReadContext,
    at: usize,
    (conv, backward_bias): (Conv, ConvBiasGrad),
    dy: &[f32],
    grad: &mut ParamGrad,
) {
    let (range, db) = grad.slice(cx, at);
    if range.is_empty() {
        return;
    }
    let (pool, each) = (cx.epilogue.fused_max_pool(), dy.len() / cx.batch.max(1));
    cx.row_sums(1).add_samples(db, |samples, of, db| {
        let at = samples.start * each..samples.end * each;
        let (dy, range) = (&dy[at.clone()], range.start + of.start..range.start + of.end);
        match pool {
            None => backward_bias(cx.isa, conv, dy, range, db),
            Some(pool) => fused_max_pool::backward_bias(cx.isa, pool, max_pool_grad(dy, &cx.saved[at]), range, db),
        }
    });
}

/// The gradients of a convolution that ends with a pool, whose `forward` has kept where each maximum stood.
pub(super) fn max_pool_grad<'a>(dy: &'a [f32], saved: &'a [f32]) -> MaxPoolGrad<'a> {
    MaxPoolGrad { dy, argmax: &saved[..dy.len()] }
}
