//! `Clip`: a limit on gradients. In: a limit; out: whether it can be one.

use crate::text::{String, format};
#[cfg(feature = "alloc")]
use core::ops::Range;

#[cfg(feature = "alloc")]
use super::fixed_range::FixedRange;
use super::param_chunks::{ChunkCut, each_chunk};
#[cfg(feature = "alloc")]
use super::regularizer::PlacedRegularizer;
use crate::graph::CompiledNetwork;
use crate::spec::Role;
#[cfg(feature = "alloc")]
use nn_kernels::optimizer::add_penalty;
use nn_kernels::optimizer::clamp;
use nn_kernels::reduce::sum_of_squares;
use nn_kernels::simd::Isa;

/// A limit on the gradients of a step, which are those of the mean loss and of all regularisers.
///
/// | | here | PyTorch | Keras |
/// |---|---|---|---|
/// | each number within ± the limit | `Clip::Value(v)` | `clip_grad_value_` | `clipvalue` |
/// | each tensor's norm | `Clip::Norm(v)` | `clip_grad_norm_` of one tensor | `clipnorm` |
/// | the norm of all gradients | `Clip::GlobalNorm(v)` | `clip_grad_norm_` | `global_clipnorm` |
///
/// `Norm` makes each tensor's gradient `g · v / max(‖g‖, v)`, and `GlobalNorm` the whole gradient as one
/// vector `g · min(1, v / (‖g‖ + 1e-6))`.
///
/// `GlobalNorm` needs the whole gradient at once, as much memory as the parameters; the others do not. Norms
/// are sums of `f64` in one order, so that the same seed gives the same bits. Pascanu et al., "On the
/// difficulty of training recurrent neural networks", 2013.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! { struct Line: [1] -> [1] { line: Dense(1, init = Zeros) } }
///
/// let mut model = Line::init(0);
/// let far = Dataset::values(&[[1.0]], &[[1000.0]]).unwrap();
/// Trainer::new(&mut model, Mse::new(), Sgd::new(0.5)).clip(Clip::Value(1.0)).step(&far).unwrap();
/// assert_eq!(model.get("line.weight").unwrap(), [0.5]);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub enum Clip {
    /// Each number is held within ± this.
    Value(f64),
    /// Each tensor whose norm is above this is scaled down to it.
    Norm(f64),
    /// All gradients are scaled down together where their common norm is above this.
    GlobalNorm(f64),
}

impl Clip {
    pub(super) fn check(self) -> Result<(), String> {
        let (name, limit) = match self {
            Clip::Value(limit) => ("Value", limit),
            Clip::Norm(limit) => ("Norm", limit),
            Clip::GlobalNorm(limit) => ("GlobalNorm", limit),
        };
        match limit > 0.0 && limit.is_finite() {
            true => Ok(()),
            false => {
                Err(format!("expected a limit above 0 for `Clip::{name}`, found {limit}\nhelp: `Clip::{name}(1.0)`"))
            }
        }
    }
}

impl Clip {
    /// Clips a chunk's gradient by itself.
    #[inline]
    pub(super) fn take(self, isa: Isa, grad: &mut [f32]) {
        match self {
            Clip::GlobalNorm(_) => {}
            Clip::Value(limit) => clamp(isa, limit as f32, grad),
            Clip::Norm(limit) => {
                let norm = libm::sqrt(sum_of_squares(isa, grad));
                if norm > limit {
                    isa.scale((limit / norm) as f32, grad);
                }
            }
        }
    }

    /// What all gradients are scaled by whose squares come to this, if by anything.
    pub(super) fn global_factor(self, squares: f64) -> Option<f32> {
        let Clip::GlobalNorm(limit) = self else { return None };
        let factor = limit / (libm::sqrt(squares) + 1e-6);
        (factor < 1.0).then_some(factor as f32)
    }
}

/// A limit, and the functions that know what to do with it: what is not asked for is not in a program.
#[derive(Clone, Copy)]
pub(super) struct Clipping {
    pub(super) clip: Clip,
    pub(super) check: fn(Clip) -> Result<(), String>,
    /// Clips all gradients, laid out as parameters are.
    pub(super) take: fn(Isa, &'static CompiledNetwork, Clip, &mut [f32]),
}

impl Clipping {
    pub(super) fn by(clip: Clip) -> Clipping {
        Clipping { clip, check: Clip::check, take: clip_all }
    }
}

/// The bits of a trainer that allocates: squares are summed in the order of its chunks.
fn clip_all(isa: Isa, map: &'static CompiledNetwork, clip: Clip, grads: &mut [f32]) {
    let chunks = match clip {
        Clip::Norm(_) => ChunkCut::ByTensor,
        _ => ChunkCut::for_workers(map, 1),
    };
    let mut squares = 0.0;
    each_chunk(map, Role::Trainable, chunks, |chunk| {
        let grad = &mut grads[chunk.range];
        clip.take(isa, grad);
        if let Clip::GlobalNorm(_) = clip {
            squares += sum_of_squares(isa, grad);
        }
    });
    if let Some(factor) = clip.global_factor(squares) {
        each_chunk(map, Role::Trainable, chunks, |chunk| isa.scale(factor, &mut grads[chunk.range]));
    }
}

/// Makes a chunk's gradient that of the whole loss, and clips it by itself.
#[cfg(feature = "alloc")]
#[inline]
pub(super) fn regularize_and_clip(
    isa: Isa,
    (regularizers, fixed): (&[PlacedRegularizer], &[FixedRange]),
    clip: Option<Clip>,
    range: &Range<usize>,
    params: &[f32],
    grad: &mut [f32],
) {
    for regularizer in regularizers {
        let (from, to) = (regularizer.range.start.max(range.start), regularizer.range.end.min(range.end));
        if from < to {
            let within = from - range.start..to - range.start;
            add_penalty(isa, regularizer.l1, regularizer.l2, &params[within.clone()], &mut grad[within]);
        }
    }
    if !regularizers.is_empty() {
        // What is not changed is no part of a norm either.
        fixed.iter().for_each(|fixed| fixed.clear(range, grad));
    }
    if let Some(clip) = clip {
        clip.take(isa, grad);
    }
}
