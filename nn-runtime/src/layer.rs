//! The contract of a layer: three methods over slices. In: a batch of inputs; out: a batch of outputs, or gradients. A layer
//! knows nothing of threads, of the graph around it, or of who owns the memory.

use core::ops::Range;

use crate::graph::Pass;
use crate::spec::LayerSpec;
use nn_kernels::counter_rng::CounterRng;
use nn_kernels::pool::Pool;
use nn_kernels::simd::Isa;

/// A kind of layer with `N` inputs and `M` outputs, at work on slices of `[batch, …]`, row-major, one sample after the other.
///
/// Beside this trait a layer has two inherent `const fn`s that [`network!`](crate::network) calls by name: `new`, with the arguments of
/// the declaration (and one method for each `name = value`), and `rule`, from the inputs' shapes to [`LayerSpec`].
///
/// ```
/// use nn_runtime::prelude::*;
/// use nn_runtime::{LayerContext, LayerSpec, Layer, ParamGrad, Rule, Shape};
///
/// /// `y = x · by`
/// #[derive(Clone, Copy)]
/// pub struct Scale {
///     by: f32,
/// }
///
/// impl Scale {
///     pub const fn new(by: f32) -> Self {
///         Scale { by }
///     }
///     pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
///         LayerSpec::output(x).ok()
///     }
/// }
///
/// impl Layer for Scale {
///     fn forward(&self, _: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
///         y.iter_mut().zip(x).for_each(|(y, x)| *y = x * self.by);
///     }
///     fn backward_input(&self, _: &mut LayerContext, _: [&[f32]; 1], _: [&[f32]; 1], [dy]: [&[f32]; 1], [dx]: [&mut [f32]; 1]) {
///         dx.iter_mut().zip(dy).for_each(|(dx, dy)| *dx = dy * self.by);
///     }
/// }
///
/// network! {
///     pub struct Net: [4] -> [2] { Scale(0.5) -> Dense(2) }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "expected a layer (inputs: {N}, outputs: {M}), found `{Self}`",
    label = "it takes another number of values, or is no layer",
    note = "a layer of one's own is a type that implements `nn_runtime::Layer<{N}, {M}>`"
)]
pub trait Layer<const N: usize = 1, const M: usize = 1> {
    /// Computes every `y` from every `x`.
    fn forward(&self, cx: &mut LayerContext, x: [&[f32]; N], y: [&mut [f32]; M]);

    /// Overwrites every `dx` with the gradient of the loss with respect to `x`, given that with respect to `y`. A `dx` that is
    /// empty is one that nobody asks for.
    fn backward_input(
        &self,
        cx: &mut LayerContext,
        x: [&[f32]; N],
        y: [&[f32]; M],
        dy: [&[f32]; M],
        dx: [&mut [f32]; N],
    );

    /// Adds the gradient with respect to the asked part of the parameters, sample after sample. Runs after `backward_input`.
    ///
    /// It may read no parameter, but a running statistic whose change is asked: parts are pulled and updated one after the other and at the
    /// same time, so some may be new already. What it needs of them `forward` or `backward_input` keeps in `cx.saved` ([`LayerSpec::saves`], [`LayerSpec::backward_input_first`]).
    fn backward_params(&self, cx: &mut ReadContext, x: [&[f32]; N], dy: [&[f32]; M], part: ParamGrad) {
        let _ = (cx, x, dy, part);
    }

    /// One step of a stream, for a layer whose rule says [`LayerSpec::stream_state`] or [`LayerSpec::stream_reduces`]: every `x` and `y` holds one step
    /// instead of a window, and `cx.saved` what is carried from step to step, zeros before the first. It makes what `forward` makes of a
    /// window that begins with the first step. Shapes asked of `cx` are those of the window; of `cx.scratch` there is what does not depend
    /// on the batch.
    fn step(&self, cx: &mut LayerContext, x: [&[f32]; N], y: [&mut [f32]; M]) {
        self.forward(cx, x, y);
    }

    /// `forward` in place, for a layer whose rule says [`LayerSpec::elementwise`].
    fn apply(&self, cx: &mut LayerContext, y: &mut [f32]) {
        let _ = (cx, y);
        unreachable!("a layer whose rule says `elementwise` implements `apply`");
    }

    /// `backward_input` in place, for a layer whose rule says [`LayerSpec::backward_in_place`]: `d` comes in as the gradient with respect to `y` and goes
    /// out as that with respect to `x`.
    fn backward_in_place(&self, cx: &mut LayerContext, x: [&[f32]; N], y: [&[f32]; M], d: &mut [f32]) {
        let _ = (cx, x, y, d);
        unreachable!("a layer whose rule says `backward_in_place` implements `backward_in_place`");
    }
}

/// What a pass is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Prediction: nothing is kept, no noise.
    Infer,
    /// Training: `cx.saved` is kept until the pulls, and noise is keyed by `cx.noise`.
    Train,
}

/// What a layer is given beside its inputs: its site's spec, parameters and memory, and how to compute. Code that serves
/// [`backward_params`](Layer::backward_params) too takes `&LayerContext<'_, impl Sized>`.
pub struct LayerContext<'a, S = &'a mut [f32]> {
    /// How many samples.
    pub batch: usize,
    /// The instruction set to compute with: `cx.isa.map(..)`, `zip`, `run` reach vector code.
    pub isa: Isa,
    /// What the pass is for.
    pub mode: Mode,
    /// The key of this site's random numbers at this step; the sample numbers are those of the whole batch.
    pub noise: CounterRng,
    /// The number of this pass's first sample within the whole batch.
    pub first_sample: usize,
    /// What `forward` keeps for the pulls: as many floats per sample as [`LayerSpec::saves`] said; empty when nothing is kept. In a stream, what
    /// `step` carries on.
    pub saved: S,
    /// Memory to use while the method runs, as much as [`LayerSpec::scratch`] said, with arbitrary contents.
    pub scratch: &'a mut [f32],
    pub(crate) spec: &'static LayerSpec,
    pub(crate) params: &'a [f32],
    /// `forward` of a layer that [`LayerSpec::takes_act`] ends with `max(y, floor)`.
    pub(crate) floor: f32,
    /// … and one that [`LayerSpec::takes_pool`] with these maxima.
    pub(crate) pool: Option<&'static Pool>,
    /// Of which outputs the loss wants the scores before a softmax or sigmoid, one bit each.
    pub(crate) logits: u8,
    /// What a network used as a layer is asked for.
    pub(crate) pass: Pass,
}

/// The context of [`Layer::backward_params`]: what the other methods have kept may be read, by several threads at once, and nothing of it written.
pub type ReadContext<'a> = LayerContext<'a, &'a [f32]>;

impl<'a, S> LayerContext<'a, S> {
    /// The same context for [`Layer::backward_params`], with these parameters.
    #[inline]
    pub(crate) fn read_only<'s>(&'s mut self, params: &'s [f32]) -> ReadContext<'s>
    where
        S: core::ops::Deref<Target = [f32]>,
    {
        LayerContext {
            batch: self.batch,
            isa: self.isa,
            mode: self.mode,
            noise: self.noise,
            first_sample: self.first_sample,
            saved: &self.saved,
            scratch: &mut *self.scratch,
            spec: self.spec,
            params,
            floor: self.floor,
            pool: self.pool,
            logits: self.logits,
            pass: self.pass,
        }
    }

    /// Parameter `i` of the layer, in the order its rule lists them.
    ///
    /// # Panics
    /// `i` is not less than the number of parameters; in `backward_params`, anything but a running statistic whose change is asked
    #[inline]
    pub fn param(&self, i: usize) -> &'a [f32] {
        assert!(i < self.spec.param_count);
        let param = &self.spec.params[i];
        assert!(
            !self.params.is_empty() || param.len == 0,
            "expected `backward_params` to read no parameter but a running statistic whose change is asked, found it reads `{}`",
            param.name
        );
        &self.params[param.offset..param.offset + param.len]
    }

    /// The shape of one sample of input `i`.
    pub fn input_shape(&self, i: usize) -> crate::Shape {
        self.spec.inputs[i]
    }

    /// The shape of one sample of output `i`.
    pub fn output_shape(&self, i: usize) -> crate::Shape {
        self.spec.output_shapes()[i]
    }

    /// True if the pass is a training step.
    pub fn is_training(&self) -> bool {
        self.mode == Mode::Train
    }
}

/// A part of a layer's parameters whose gradient is asked for.
pub struct ParamGrad<'a> {
    pub(crate) range: Range<usize>,
    pub(crate) grad: &'a mut [f32],
    /// Of which of the pass's samples; a layer is given these alone.
    pub(crate) samples: Range<usize>,
    /// Nothing is there yet that could be added to: see [`LayerSpec::overwrites_weight_grad`].
    pub(crate) overwrite: bool,
}

impl<'a> ParamGrad<'a> {
    /// What is asked of parameter `i`: the range within it, and where to add its gradient. The range is empty where nothing of it is asked.
    #[inline]
    pub fn slice(&mut self, cx: &LayerContext<'_, impl Sized>, i: usize) -> (Range<usize>, &mut [f32]) {
        let param = &cx.spec.params[i];
        let (range, grad) = self.within(param.offset, param.len);
        (range, grad)
    }

    /// The overlap with `[offset, offset + len)`, relative to `offset`.
    #[inline]
    pub(crate) fn within(&mut self, offset: usize, len: usize) -> (Range<usize>, &mut [f32]) {
        let from = self.range.start.clamp(offset, offset + len);
        let to = self.range.end.clamp(from, offset + len);
        if from == to {
            return (0..0, &mut []);
        }
        let grad = &mut self.grad[from - self.range.start..to - self.range.start];
        (from - offset..to - offset, grad)
    }
}
