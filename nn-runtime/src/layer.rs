//! The contract of a layer: three methods over slices. In: a batch of inputs; out: a batch of outputs, or
//! gradients. A layer knows nothing of threads, of the graph around it, or of who owns the memory.

mod carried;
mod context;
mod uses;
mod whole_batch;

pub(crate) use carried::CarriedState;
pub use context::{LayerContext, ParamGrad, ReadContext};
pub(crate) use whole_batch::{BatchSize, Observed, WholeBatch};

#[cfg(doc)]
use crate::spec::LayerSpec;

/// A kind of layer with `N` inputs and `M` outputs, at work on slices of `[batch, …]`, row-major, one sample
/// after the other.
///
/// Beside this trait a layer has two inherent `const fn`s that [`network!`](crate::network) calls by name:
/// `new`, with the arguments of the declaration (and one method for each `name = value`), and `rule`, from
/// the inputs' shapes to [`LayerSpec`]. [`Probe`](crate::Probe) tests a layer of one's own.
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
///     fn backward_input(
///         &self,
///         _: &mut LayerContext,
///         _: [&[f32]; 1],
///         _: [&[f32]; 1],
///         [dy]: [&[f32]; 1],
///         [dx]: [&mut [f32]; 1],
///     ) {
///         dx.iter_mut().zip(dy).for_each(|(dx, dy)| *dx = dy * self.by);
///     }
/// }
///
/// network! {
///     pub struct Net: [4] -> [2] { Scale(0.5) -> Dense(2) }
/// }
/// ```
///
/// A layer may be generic over a number or another type, which stands in the declaration as in any Rust path,
/// `Own::<4>`; arguments are for `new`.
///
/// ```
/// use nn_runtime::prelude::*;
/// use nn_runtime::{Fault, Layer, LayerContext, LayerSpec, Rule, Shape};
///
/// /// The first `K` features.
/// #[derive(Clone, Copy)]
/// pub struct First<const K: usize>;
///
/// impl<const K: usize> First<K> {
///     pub const fn new() -> Self {
///         First
///     }
///     pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
///         match x.dims() {
///             Some([features]) if features >= K => LayerSpec::output(Shape::of([K])).ok(),
///             _ => Rule::Err(Fault::expected("more features").found(x).help("put `Flatten` before it")),
///         }
///     }
/// }
///
/// impl<const K: usize> Layer for First<K> {
///     fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
///         let features = x.len() / cx.batch;
///         y.chunks_exact_mut(K).zip(x.chunks_exact(features)).for_each(|(y, x)| y.copy_from_slice(&x[..K]));
///     }
///     fn backward_input(
///         &self,
///         cx: &mut LayerContext,
///         [x]: [&[f32]; 1],
///         _: [&[f32]; 1],
///         [dy]: [&[f32]; 1],
///         [dx]: [&mut [f32]; 1],
///     ) {
///         let features = x.len() / cx.batch;
///         dx.fill(0.0);
///         let samples = dx.chunks_exact_mut(features).zip(dy.chunks_exact(K));
///         samples.for_each(|(dx, dy)| dx[..K].copy_from_slice(dy));
///     }
/// }
///
/// network! {
///     pub struct Net: [6] -> [2] { First::<4> -> Dense(2) }
/// }
/// assert_eq!(Net::PARAMS, 4 * 2 + 2);
/// ```
#[diagnostic::on_unimplemented(
    message = "expected a layer (inputs: {N}, outputs: {M}), found `{Self}`",
    label = "it takes another number of values, or is no layer",
    note = "a layer of one's own is a type that implements `nn_runtime::Layer<{N}, {M}>`"
)]
pub trait Layer<const N: usize = 1, const M: usize = 1> {
    /// Computes every `y` from every `x`.
    fn forward(&self, cx: &mut LayerContext, x: [&[f32]; N], y: [&mut [f32]; M]);

    /// Overwrites every `dx` with the gradient of the loss with respect to `x`, given that with respect to
    /// `y`. An empty `dx` is one that nobody asks for.
    fn backward_input(
        &self,
        cx: &mut LayerContext,
        x: [&[f32]; N],
        y: [&[f32]; M],
        dy: [&[f32]; M],
        dx: [&mut [f32]; N],
    );

    /// Adds the gradient with respect to the asked part of the parameters, sample after sample. Runs after
    /// `backward_input`, if that runs at all: a layer that needs it to says
    /// [`backward_input_first`](LayerSpec::backward_input_first).
    ///
    /// It may read no parameter, but a running statistic whose change is asked for: the gradients of several
    /// parts are computed one after the other or at the same time, each part is updated at once, and so some
    /// of the parameters may be new already. What it needs of them `forward` or `backward_input` keeps in
    /// `cx.saved` ([`LayerSpec::saves`]).
    fn backward_params(&self, cx: &mut ReadContext, x: [&[f32]; N], dy: [&[f32]; M], part: ParamGrad) {
        let _ = (cx, x, dy, part);
        unreachable!("a layer whose rule says `param` implements `backward_params`");
    }

    /// One step of a stream, for a layer whose rule says [`LayerSpec::stream_state`] or
    /// [`LayerSpec::stream_reduces`]: every `x` and `y` holds one step instead of a window, and `cx.saved`
    /// what is carried from step to step, zeros before the first; `cx.position` is the number of the step. It
    /// makes what `forward` makes of a window that begins with the first step. Shapes asked of `cx` are those
    /// of the window; of `cx.scratch` there is what does not depend on the batch.
    fn step(&self, cx: &mut LayerContext, x: [&[f32]; N], y: [&mut [f32]; M]) {
        self.forward(cx, x, y);
    }

    /// Lays the parameters out as `forward` and `step` read them fastest, for a layer whose rule says
    /// [`LayerSpec::prepares`]: into `cx.saved`, as many floats as it said, once before any number of passes
    /// with these parameters. These find them as `cx.prepared()`, if somebody asked for this; training does
    /// not.
    fn prepare(&self, cx: &mut LayerContext) {
        // A network prepares what it is made of.
        if cx.spec.nested.is_some() {
            self.forward(cx, [&[]; N], core::array::from_fn(|_| &mut [][..]));
        }
    }

    /// `forward` in place, for a layer whose rule says [`LayerSpec::elementwise`].
    fn apply(&self, cx: &mut LayerContext, y: &mut [f32]) {
        let _ = (cx, y);
        unreachable!("a layer whose rule says `elementwise` implements `apply`");
    }

    /// `backward_input` in place, for a layer whose rule says [`LayerSpec::backward_in_place`]: `d` comes in
    /// as the gradient with respect to `y` and goes out as that with respect to `x`.
    fn backward_in_place(&self, cx: &mut LayerContext, x: [&[f32]; N], y: [&[f32]; M], d: &mut [f32]) {
        let _ = (cx, x, y, d);
        unreachable!("a layer whose rule says `backward_in_place` implements `backward_in_place`");
    }
}
