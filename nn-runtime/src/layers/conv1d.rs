//! `Conv1d`: filters that see a window of steps, with all their features. In: `[steps, features]`; out:
//! `[steps, filters]` of the places the window stands on. It is the convolution of an image of one row, and
//! nothing else.

use super::conv::{Learnt, conv as checked, fans, layer_of_a_convolution, learnt_arguments, spec};
use super::image::sequence;
use super::window::{Padding, Window};
use crate::fault::Fault;
use crate::graph::Rule;
use crate::init::Init;
use crate::layer::LayerContext;
use crate::shape::Shape;
use crate::spec::{CarriedStep, OneStep};
use nn_kernels::conv::{self, CausalStep, Conv, FilterBank};
use nn_kernels::matrix::product;

/// Convolution over sequences: `y[s, f] = Σ_c Σ_k weight[f, c, k] · x[s · stride + k · dilation - pad, c] +
/// bias[f]`, `[steps, features] -> [steps', filters]`; before the first step and after the last `x` is 0.
///
/// With `pads` zeros in total, `steps' = (steps + pads - dilation · (kernel - 1) - 1) / stride + 1`, rounded
/// down; with `padding = Same` or `Causal` that is `steps / stride`, rounded up.
///
/// | argument | here | PyTorch's `Conv1d` | Keras's `Conv1D` |
/// |---|---|---|---|
/// | shapes | `[steps, features]` | `[features, steps]` | `[steps, features]` |
/// | `filters` | must be given | `out_channels` | `filters` |
/// | `kernel` | must be given | `kernel_size` | `kernel_size` |
/// | `stride` | `1` | `stride=1` | `strides=1` |
/// | `padding`: `Valid`, `Same`, `Pad(n)`, `Causal` | `Valid` | `padding=0`; `"same"` at stride 1 only | `"valid"`, `"same"` or `"causal"` |
/// | `dilation` | `1` | `dilation=1` | `dilation_rate=1`; not with a stride |
/// | `groups`, of features that filters share | `1` | `groups=1` | `groups=1` |
/// | `bias` | `true` | `bias=True` | `use_bias=True` |
/// | `init` (of the weight) | `GlorotUniform` | uniform in ±1/√fan_in | `"glorot_uniform"` |
/// | `bias_init` | `Zeros` | uniform in ±1/√fan_in | `"zeros"` |
///
/// PyTorch's `padding_mode` is a layer before it: [`ReflectionPad1d`](super::ReflectionPad1d),
/// [`ReplicationPad1d`](super::ReplicationPad1d) or [`CircularPad1d`](super::CircularPad1d).
///
/// Parameters: `weight`, `[filters, features / groups, kernel]`, and `bias`, `[filters]`. With `Causal` no
/// output sees a later step, so that it can run step by step, at a stride in
/// [blocks](crate::Streamer::block), with the same bits; van den Oord et
/// al., "WaveNet: A Generative Model for Raw Audio", 2016.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Steps: [4, 1] -> [4, 1] { Conv1d(1, 2, padding = Causal, init = Constant(1.0)) }
/// }
/// assert_eq!(Steps::init(0).predictor(1).predict(&[1.0, 2.0, 3.0, 4.0]), &[1.0, 3.0, 5.0, 7.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Conv1d {
    filters: usize,
    window: Window<1>,
    groups: usize,
    learnt: Learnt,
}

learnt_arguments!(Conv1d);
layer_of_a_convolution! {
    Conv1d

    fn step(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        let features = cx.input_shape(0).dim(1);
        let ([kernel], reach) = (self.window.kernel, self.window.extent(0) - 1);
        let (w, bias) = (cx.param(0), super::conv::bias(cx, &self.learnt, 1));
        let filters = FilterBank { w, bias, floor: cx.floor() };
        let each = 1 + reach * features;
        let [stride] = self.window.stride;
        if cx.steps > 1 && stride == 1 && self.groups == 1 && CausalStep::takes(features, kernel) {
            let (dilation, outputs, steps) = (self.window.dilation[0], self.filters, cx.steps);
            let samples = x.chunks(steps * features).zip(y.chunks_mut(steps * outputs));
            for ((x, y), carried) in samples.zip(cx.saved.chunks_mut(each)) {
                CausalStep { features, kernel, dilation, filters, x, carried, outputs, y }.run(cx.isa);
            }
            return;
        }
        let rows = kernel * features;
        let (seen, scratch) = cx.scratch.split_at_mut(TOGETHER * rows);
        let strides = x.chunks(TOGETHER * stride * features);
        for (i, (x, y)) in strides.zip(y.chunks_mut(TOGETHER * self.filters)).enumerate() {
            let seen = &mut seen[..y.len() / self.filters * rows];
            for (k, (seen, x)) in seen.chunks_exact_mut(rows).zip(x.chunks_exact(stride * features)).enumerate() {
                let carried = &mut cx.saved[(i * TOGETHER + k) * stride / cx.steps * each..][..each];
                let (x, passed) = x.split_at(features);
                see(kernel, self.window.dilation[0], seen, x, carried);
                passed.chunks_exact(features).for_each(|x| carry(x, carried));
            }
            if self.groups == 1 {
                // A convolution at one place is a product, with the same weights and the same sums.
                let panels = CausalStep::panels(features, kernel, self.filters);
                product(cx.isa, panels, seen, w, bias, filters.floor, y);
            } else {
                conv::forward(cx.isa, self.one_place(features), seen, filters, y, scratch);
            }
        }
    }
}

/// Steps that are made together, of one stream or of several.
const TOGETHER: usize = 16;

impl Conv1d {
    /// This many filters, each with a kernel of so many steps.
    pub const fn new(filters: usize, kernel: usize) -> Self {
        Conv1d { filters, window: Window::new(kernel), groups: 1, learnt: Learnt::new() }
    }

    /// How many steps the kernel moves at a time.
    pub const fn stride(mut self, stride: usize) -> Self {
        self.window.stride = [stride];
        self
    }

    /// How far apart the steps are that neighbours in the kernel see.
    pub const fn dilation(mut self, dilation: usize) -> Self {
        self.window.dilation = [dilation];
        self
    }

    /// What is put before the first step and after the last.
    pub const fn padding(mut self, padding: Padding) -> Self {
        self.window.padding = padding;
        self
    }

    /// In how many groups features and filters stand side by side; a filter sees the features of its group
    /// only.
    pub const fn groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }

    /// `[steps, features] -> [steps', filters]`
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        let conv = match self.conv(x) {
            Ok(conv) => conv,
            Err(fault) => return Rule::Err(fault),
        };
        let y = Shape::of([conv.output()[1], self.filters]);
        let weight = Shape::of([self.filters, conv.channels / conv.groups, conv.kernel[1]]);
        let spec = spec(y, &conv, &self.learnt, weight, fans(&conv), self.filters).convolves(conv);
        let [_, _, before, after] = conv.pad;
        let reach = self.window.extent(0) - 1;
        // The place in the ring is a number of 24 bits.
        if before != reach || after != 0 || reach >= 1 << 24 {
            return spec.ok();
        }
        let step = TOGETHER * conv.kernel[1] * conv.channels + self.one_place(conv.channels).scratch();
        let spec = spec
            .scratch(0, if step > conv.scratch() { step } else { conv.scratch() })
            .stream_state(1 + reach * conv.channels)
            .stream_ring(conv.channels)
            .stream_stride(self.window.stride[0])
            .stream_blocks();
        match self.window.stride[0] == 1 && self.groups == 1 && CausalStep::takes(conv.channels, conv.kernel[1]) {
            true => spec
                .steps_by(
                    one_step,
                    [conv.channels, conv.kernel[1], self.window.dilation[0], self.filters],
                    CarriedStep::Causal(CausalStep::panels(conv.channels, conv.kernel[1], self.filters)),
                )
                .ok(),
            false => spec.ok(),
        }
    }

    /// The convolution at one place, over the steps that the kernel sees there, `[features, kernel]`.
    const fn one_place(&self, features: usize) -> Conv {
        let [kernel] = self.window.kernel;
        let conv = Conv::new([features, 1, kernel], self.filters, [1, kernel]);
        Conv { groups: self.groups, ..conv }
    }

    const fn conv(&self, x: Shape) -> Result<Conv, Fault> {
        match sequence(x) {
            Ok([steps, features]) => match self.window.turned([steps, features]) {
                Some(fault) => Err(fault),
                None => checked(&self.window, features, [steps], self.filters, self.groups),
            },
            Err(fault) => Err(fault),
        }
    }
}

/// One step of several streams, with a kernel of one group.
fn one_step(step: OneStep) {
    let OneStep { isa, voices, site, params, carried, scratch, x, y, .. } = step;
    let [features, kernel, dilation, filters] = site.sizes;
    let (w, bias, floor) = (site.weight(params), site.bias(params), f32::NEG_INFINITY);
    let each = 1 + (kernel - 1) * dilation * features;
    let carried = &mut carried[site.carried.start..][..voices * each];
    let (panels, rows) = (CausalStep::panels(features, kernel, filters), kernel * features);
    let groups = x.chunks(TOGETHER * features).zip(y.chunks_mut(TOGETHER * filters));
    for ((x, y), carried) in groups.zip(carried.chunks_mut(TOGETHER * each)) {
        let seen = &mut scratch[..x.len() * kernel];
        let samples = seen.chunks_exact_mut(rows).zip(x.chunks_exact(features));
        for ((seen, x), carried) in samples.zip(carried.chunks_exact_mut(each)) {
            see(kernel, dilation, seen, x, carried);
        }
        product(isa, panels, seen, w, bias, floor, y);
    }
}

/// Writes down what the kernel sees at step `x`, `[features, kernel]`, and carries the step on.
fn see(kernel: usize, dilation: usize, seen: &mut [f32], x: &[f32], carried: &mut [f32]) {
    let (features, reach) = (x.len(), (kernel - 1) * dilation);
    // A ring of the steps before, and where in it the oldest stands, which the window's first tap sees.
    let (oldest, past) = carried.split_at_mut(1);
    let oldest_at = oldest[0] as usize % reach.max(1);
    let mut at = oldest_at;
    for k in 0..kernel - 1 {
        tap(kernel, k, seen, &past[at * features..][..features]);
        at += dilation;
        if at >= reach {
            at -= reach;
        }
    }
    tap(kernel, kernel - 1, seen, x);
    carry(x, carried);
}

/// Carries step `x` on, in the place of the oldest one.
fn carry(x: &[f32], carried: &mut [f32]) {
    let (oldest, past) = carried.split_at_mut(1);
    let reach = past.len() / x.len();
    if reach > 0 {
        let oldest_at = oldest[0] as usize % reach;
        past[oldest_at * x.len()..][..x.len()].copy_from_slice(x);
        oldest[0] = if oldest_at + 1 == reach { 0.0 } else { (oldest_at + 1) as f32 };
    }
}

/// Writes down what tap `k` sees: one number of the kernel's for each feature.
fn tap(kernel: usize, k: usize, seen: &mut [f32], step: &[f32]) {
    // How far apart the numbers are is known at compile time where it is one of the usual kernels.
    match kernel {
        2 => tap_of::<2>(k, seen, step),
        3 => tap_of::<3>(k, seen, step),
        _ => seen[k..].iter_mut().step_by(kernel).zip(step).for_each(|(seen, x)| *seen = *x),
    }
}

fn tap_of<const KERNEL: usize>(k: usize, seen: &mut [f32], step: &[f32]) {
    for (seen, x) in seen.as_chunks_mut::<KERNEL>().0.iter_mut().zip(step) {
        seen[k] = *x;
    }
}
