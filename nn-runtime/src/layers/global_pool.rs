//! `GlobalAvgPool` and `GlobalMaxPool`: one number for each channel. In: `[channels, height, width]` or `[steps, features]`; out:
//! `[channels]` or `[features]`. Each is the pool whose window is the whole input, and nothing else.

use super::max_pool;
use crate::facts::{Facts, Rule};
use crate::fault::Fault;
use crate::kernels::pool::{Pool, avg_pool, avg_pull};
use crate::layer::{Cx, Layer};
use crate::shape::Shape;

/// The mean of each channel or feature: `[channels, height, width] -> [channels]`, `[steps, features] -> [features]`.
///
/// No arguments. PyTorch's `AdaptiveAvgPool2d(1)`, then `Flatten()`; Keras's `GlobalAveragePooling2D()` and
/// `GlobalAveragePooling1D()`. Lin et al., "Network In Network", 2014.
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

/// The largest number of each channel or feature: `[channels, height, width] -> [channels]`, `[steps, features] -> [features]`.
///
/// No arguments. PyTorch's `AdaptiveMaxPool2d(1)`, then `Flatten()`; Keras's `GlobalMaxPooling2D()` and `GlobalMaxPooling1D()`.
/// Of equal numbers the first, row by row, takes the gradient.
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
    match (x.dims(), x.dims()) {
        (Some([channels, height, width]), _) => Some(Pool::new([channels, height, width], [height, width])),
        (_, Some([steps, features])) => {
            Some(Pool { channels_last: true, ..Pool::new([features, 1, steps], [1, steps]) })
        }
        _ => None,
    }
}

const fn facts(x: Shape) -> Result<Facts, Fault> {
    match whole(x) {
        Some(_) if x.is_empty() => {
            let fault = Fault::expected("an input of at least one number").found(x);
            Err(fault.help("make every dimension before it at least 1"))
        }
        // Where the kernels count places in 32 bits there are fewer of them than that.
        Some(pool) if x.len() / pool.channels <= u32::MAX as usize => {
            Ok(Facts::output(Shape::of([pool.channels])).pulls_without_x().pulls_without_y())
        }
        Some(_) => Err(super::window::too_large()),
        None => {
            let fault = Fault::expected("an input of [channels, height, width] or [steps, features]").found(x);
            Err(match x.rank() {
                1 => fault.help("leave it out: there is one number for each feature already"),
                _ => fault.help("put `Reshape([channels, height, width])` before it"),
            })
        }
    }
}

fn pool(cx: &Cx) -> Pool {
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

    /// `[channels, height, width] -> [channels]`, `[steps, features] -> [features]`
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        match facts(x) {
            Ok(facts) => facts.ok(),
            Err(fault) => Rule::Err(fault),
        }
    }
}

impl GlobalMaxPool {
    /// There is nothing to choose.
    pub const fn new() -> Self {
        GlobalMaxPool
    }

    /// `[channels, height, width] -> [channels]`, `[steps, features] -> [features]`
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        match facts(x) {
            Ok(facts) => {
                let places = facts.output_shapes()[0].len();
                facts.saves(places).ok()
            }
            Err(fault) => Rule::Err(fault),
        }
    }
}

impl Layer for GlobalAvgPool {
    fn forward(&self, cx: &mut Cx, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        avg_pool(cx.isa, pool(cx), false, x, y);
    }

    fn pull_input(&self, cx: &mut Cx, _: [&[f32]; 1], _: [&[f32]; 1], [dy]: [&[f32]; 1], [dx]: [&mut [f32]; 1]) {
        if !dx.is_empty() {
            avg_pull(cx.isa, pool(cx), false, dy, dx);
        }
    }
}

impl Layer for GlobalMaxPool {
    fn forward(&self, cx: &mut Cx, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        max_pool::forward(cx, pool(cx), x, y);
    }

    fn pull_input(&self, cx: &mut Cx, _: [&[f32]; 1], _: [&[f32]; 1], [dy]: [&[f32]; 1], [dx]: [&mut [f32]; 1]) {
        max_pool::pull(cx, pool(cx), dy, dx);
    }
}
