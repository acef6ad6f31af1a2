//! `GlobalAvgPool` and `GlobalMaxPool`: one number for each channel. In: `[channels, height, width]` or
//! `[steps, features]`, and of steps perhaps a mask; out: `[channels]` or `[features]`. Each is the pool
//! whose window is the whole input, or what a mask leaves of it.

use super::any_inputs::{AnyInputs, layer_of_any_inputs};
use super::mask::{is_step, mask_fault};
use super::max_pool;
use crate::fault::Fault;
use crate::graph::Rule;
use crate::layer::LayerContext;
use crate::shape::Shape;
use crate::spec::{LayerSpec, OnnxForm};
use nn_kernels::pool::{Pool, avg_pool, avg_pool_backward, masked_mean};

/// The mean of each channel or feature: `[channels, height, width] -> [channels]`, `[steps, features] ->
/// [features]`.
///
/// Of steps there may be a mask, `([steps, features], [steps]) -> [features]`, 1 a step and 0 padding: the
/// mean is that of the steps, 0 where there is none. A mask has no gradient: it is answered with zeros.
///
/// No arguments. PyTorch's `AdaptiveAvgPool2d(1)`, then `Flatten()`; Keras's `GlobalAveragePooling2D()` and
/// `GlobalAveragePooling1D()`, which takes a mask too. Lin et al., "Network In Network", 2014.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Means: [2, 1, 2] -> [2] { GlobalAvgPool }
/// }
/// assert_eq!(Means::init(0).predictor(1).predict(&[1.0, 2.0, 5.0, 7.0]), &[1.5, 6.0]);
/// ```
#[derive(Clone, Copy, Default, Debug)]
pub struct GlobalAvgPool;

/// The largest number of each channel or feature: `[channels, height, width] -> [channels]`, `[steps,
/// features] -> [features]`.
///
/// Of steps there may be a mask, `([steps, features], [steps]) -> [features]`, 1 a step and 0 padding: the
/// largest is that of the steps, 0 where there is none. A mask has no gradient: it is answered with zeros.
///
/// No arguments. PyTorch's `AdaptiveMaxPool2d(1)`, then `Flatten()`; Keras's `GlobalMaxPooling2D()` and
/// `GlobalMaxPooling1D()`. Of equal numbers the first, row by row, takes the gradient.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Largest: [2, 2] -> [2] { GlobalMaxPool }
/// }
/// assert_eq!(Largest::init(0).predictor(1).predict(&[1.0, 7.0, 5.0, 2.0]), &[5.0, 7.0]);
/// ```
#[derive(Clone, Copy, Default, Debug)]
pub struct GlobalMaxPool;

/// The pool whose window is the whole input, if it has one.
const fn whole(x: Shape) -> Option<Pool> {
    match (x.dims::<3>(), x.dims::<2>()) {
        (Some([channels, height, width]), _) => Some(Pool::new([channels, height, width], [height, width])),
        (_, Some([steps, features])) => {
            Some(Pool { channels_last: true, ..Pool::new([features, 1, steps], [1, steps]) })
        }
        _ => None,
    }
}

const fn spec(x: &[Shape], layer: &str, reduces: &'static str) -> Result<LayerSpec, Fault> {
    if x.len() > 1
        && let Some(fault) = mask_fault(x, layer)
    {
        return Err(fault);
    }
    let x0 = x[0];
    match whole(x0) {
        Some(_) if x0.is_empty() => {
            let fault = Fault::expected("an input of at least one number").found(x0);
            Err(fault.help("make every dimension before it at least 1"))
        }
        // Where the kernels count places in 32 bits there are fewer of them than that.
        Some(pool) if x0.len() / pool.channels <= u32::MAX as usize => {
            let spec = LayerSpec::output(Shape::of([pool.channels])).computes().onnx(OnnxForm::GlobalPool(reduces));
            Ok(spec.backward_without_x().backward_without_y())
        }
        Some(_) => Err(super::window::too_large()),
        None => {
            let fault = Fault::expected("an input of [channels, height, width] or [steps, features]").found(x0);
            Err(match x0.rank() {
                1 => fault.help("leave it out: there is one number for each feature already"),
                _ => fault.help("put `Reshape([channels, height, width])` before it"),
            })
        }
    }
}

fn pool(cx: &LayerContext) -> Pool {
    match whole(cx.input_shape(0)) {
        Some(pool) => pool,
        None => unreachable!("the rule has accepted this input"),
    }
}

impl GlobalAvgPool {
    /// There is nothing to choose.
    pub const fn new() -> Self {
        GlobalAvgPool
    }

    /// `[channels, height, width] -> [channels]`, `[steps, features] -> [features]`, `([steps, features],
    /// [steps]) -> [features]`
    pub const fn rule<const N: usize>(&self, x: [Shape; N]) -> Rule {
        match spec(&x, "GlobalAvgPool", "ReduceMean") {
            // The mask, for the way back.
            Ok(spec) if N > 1 => spec.saves(x[1].len()).ok(),
            Ok(spec) => spec.ok(),
            Err(fault) => Rule::Err(fault),
        }
    }
}

impl GlobalMaxPool {
    /// There is nothing to choose.
    pub const fn new() -> Self {
        GlobalMaxPool
    }

    /// `[channels, height, width] -> [channels]`, `[steps, features] -> [features]`, `([steps, features],
    /// [steps]) -> [features]`
    pub const fn rule<const N: usize>(&self, x: [Shape; N]) -> Rule {
        match spec(&x, "GlobalMaxPool", "ReduceMax") {
            Ok(spec) => {
                let places = spec.output_shapes()[0].len();
                spec.saves(places).ok()
            }
            Err(fault) => Rule::Err(fault),
        }
    }
}

layer_of_any_inputs!(GlobalAvgPool);

impl AnyInputs for GlobalAvgPool {
    fn forward_any(&self, cx: &mut LayerContext, x: &[&[f32]], y: &mut [f32]) {
        let pool = pool(cx);
        if x.len() == 1 {
            return avg_pool(cx.isa, pool, false, x[0], y);
        }
        if !cx.saved.is_empty() {
            cx.saved[..x[1].len()].copy_from_slice(x[1]);
        }
        let steps = pool.width;
        let samples = x[0].chunks_exact(steps * pool.channels).zip(x[1].chunks_exact(steps));
        for ((x, mask), y) in samples.zip(y.chunks_exact_mut(pool.channels)) {
            masked_mean(cx.isa, x, mask, y);
        }
    }

    fn backward_input_any(&self, cx: &mut LayerContext, x: &[&[f32]], dy: &[f32], dx: &mut [&mut [f32]]) {
        let pool = pool(cx);
        if x.len() == 1 {
            if !dx[0].is_empty() {
                avg_pool_backward(cx.isa, pool, false, dy, dx[0]);
            }
            return;
        }
        let steps = pool.width;
        let samples = dx[0].chunks_exact_mut(steps * pool.channels).zip(cx.saved.chunks_exact(steps));
        for ((dx, mask), dy) in samples.zip(dy.chunks_exact(pool.channels)) {
            dx.fill(0.0);
            let count = mask.iter().filter(|mask| is_step(mask)).count() as f32;
            for (dx, _) in dx.chunks_exact_mut(pool.channels).zip(mask).filter(|(_, mask)| is_step(mask)) {
                dx.iter_mut().zip(dy).for_each(|(dx, dy)| *dx = dy / count);
            }
        }
        dx[1].fill(0.0);
    }
}

layer_of_any_inputs!(GlobalMaxPool);

impl AnyInputs for GlobalMaxPool {
    fn forward_any(&self, cx: &mut LayerContext, x: &[&[f32]], y: &mut [f32]) {
        let pool = pool(cx);
        if x.len() == 1 {
            return max_pool::forward(cx, pool, x[0], y);
        }
        let steps = pool.width;
        let samples = x[0].chunks_exact(steps * pool.channels).zip(x[1].chunks_exact(steps));
        for (i, ((x, mask), y)) in samples.zip(y.chunks_exact_mut(pool.channels)).enumerate() {
            for (feature, y) in y.iter_mut().enumerate() {
                let at = largest(x, mask, feature, pool.channels);
                *y = at.map_or(0.0, |step| x[step * pool.channels + feature]);
                if !cx.saved.is_empty() {
                    // By its bits, which hold any number of steps; past the last is none.
                    cx.saved[i * pool.channels + feature] = f32::from_bits(at.unwrap_or(steps) as u32);
                }
            }
        }
    }

    fn backward_input_any(&self, cx: &mut LayerContext, x: &[&[f32]], dy: &[f32], dx: &mut [&mut [f32]]) {
        let pool = pool(cx);
        if x.len() == 1 {
            return max_pool::backward(cx, pool, dy, dx[0]);
        }
        let (steps, features) = (pool.width, pool.channels);
        let samples = dx[0].chunks_exact_mut(steps * features).zip(cx.saved.chunks_exact(features));
        for ((dx, places), dy) in samples.zip(dy.chunks_exact(features)) {
            dx.fill(0.0);
            for (feature, (place, dy)) in places.iter().zip(dy).enumerate() {
                if let Some(dx) = dx.get_mut(place.to_bits() as usize * features + feature) {
                    *dx = *dy;
                }
            }
        }
        dx[1].fill(0.0);
    }
}

/// The step with the largest number of a feature, the first of equals; of several NaN, which are above all,
/// the last.
fn largest(x: &[f32], mask: &[f32], feature: usize, features: usize) -> Option<usize> {
    let mut best: Option<usize> = None;
    for step in (0..mask.len()).filter(|step| is_step(&mask[*step])) {
        let at = |step: usize| x[step * features + feature];
        if best.is_none_or(|best| at(step) > at(best) || at(step).is_nan()) {
            best = Some(step);
        }
    }
    best
}
