//! `Muon`: a matrix moves along its momentum with all singular values brought near 1; what is no matrix is
//! stepped by `AdamW`.

use crate::text::String;

use super::newton_schulz::{NewtonSchulz, orthogonalize, orthogonalize_scratch};
use super::settings::{below_one, learning_rate, none_negative, not_negative, settings};
use super::{AdamW, Optimizer, ROOT_OF_LARGEST, TensorLayout, TensorUpdate, slot_names, wants_whole_tensor};
use nn_kernels::elementwise::Map;
use nn_kernels::optimizer::update_ema;
use nn_kernels::simd::{Isa, Simd};

/// Muon: `m = momentum · m + (1 - momentum) · g`, `u = momentum · m + (1 - momentum) · g` after Nesterov,
/// else `m`; `p *= 1 - learning_rate · weight_decay`, `p -= learning_rate · √max(1, out / in) ·
/// orthogonalised(u)`.
///
/// It steps every tensor of two or more axes, as the matrix `[out, in]` of all but the first flattened;
/// **every other tensor (biases, scales) is stepped by the [`AdamW`] that is given**, with its own learning
/// rate and settings. Embeddings are matrices to it.
///
/// | argument | here | PyTorch's `Muon` | Keras's `Muon` |
/// |---|---|---|---|
/// | `learning_rate` | must be given | `lr=1e-3` | `learning_rate=0.001` |
/// | `others` | must be given | none: it takes matrices alone | `adam_beta_1=0.9`, `adam_lr_ratio=1`, … |
/// | `momentum` | `0.95` | `momentum=0.95` | `momentum=0.95`, without `1 - momentum` |
/// | `nesterov` | `true` | `nesterov=True` | `nesterov=True` |
/// | `weight_decay` (decoupled) | `0.1` | `weight_decay=0.1` | `weight_decay=0.004` |
/// | `match_rms` | `false` | `adjust_lr_fn=None`; `true` is `"match_rms_adamw"` | `rms_rate=0.2`, as `true` |
/// | `newton_schulz` | `(3.4445, -4.775, 2.0315), 5` | `ns_coefficients`, `ns_steps=5` | `muon_a`, `muon_b`, `muon_c`, `ns_steps=5` |
/// | `eps` | `1e-7`, the least norm | `eps=1e-7`, likewise | `1e-7`, added |
///
/// PyTorch orthogonalises in `bfloat16`, this in `f32`: where gradients have low rank, its first step is up
/// to 36 % away (PyTorch 2.15). Its third `adjust_lr_fn`, `"spectral_unclamped"`, is `√(out / in)`; it is not
/// offered here. Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! { struct Line: [1] -> [1] { line: Dense(1, init = Constant(1.0)) } }
///
/// let mut model = Line::init(0);
/// let data = Dataset::values(&[[1.0], [2.0]], &[[3.0], [5.0]]).unwrap();
/// let muon = Muon::new(0.05, AdamW::new(0.05));
/// let history = Trainer::new(&mut model, Mse::new(), muon).fit(&data, Fit::epochs(50)).unwrap();
/// assert!(history.epochs[49].train.loss < 0.1 * history.epochs[0].train.loss);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Muon {
    learning_rate: f64,
    /// The learning rate that `others` were given beside.
    base_learning_rate: f64,
    others: AdamW,
    momentum: f64,
    nesterov: bool,
    weight_decay: f64,
    match_rms: bool,
    newton_schulz: NewtonSchulz,
}

settings!(Muon: weight_decay);

impl Muon {
    /// With this learning rate for matrices, and `others` for all other tensors. Where the learning rate is
    /// changed, theirs changes in proportion.
    pub const fn new(learning_rate: f64, others: AdamW) -> Self {
        Muon {
            learning_rate,
            base_learning_rate: learning_rate,
            others,
            momentum: 0.95,
            nesterov: true,
            weight_decay: 0.1,
            match_rms: false,
            newton_schulz: NewtonSchulz { coefficients: NewtonSchulz::COEFFICIENTS, steps: 5, eps: 1e-7 },
        }
    }

    /// What is left of the mean gradient from step to step: from 0 up to but without 1.
    pub const fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self
    }

    /// Whether a step looks ahead along the mean gradient.
    pub const fn nesterov(mut self, nesterov: bool) -> Self {
        self.nesterov = nesterov;
        self
    }

    /// Steps by `0.2 · √max(out, in)` instead of `√max(1, out / in)`, so that a learning rate means what it
    /// means to `AdamW`. Liu et al., "Muon is Scalable for LLM Training", 2025.
    pub const fn match_rms(mut self, match_rms: bool) -> Self {
        self.match_rms = match_rms;
        self
    }

    /// The coefficients and the number of the iterations that orthogonalise.
    pub const fn newton_schulz(mut self, coefficients: (f64, f64, f64), steps: u32) -> Self {
        (self.newton_schulz.coefficients, self.newton_schulz.steps) = (coefficients, steps);
        self
    }

    /// The least norm that a matrix is divided by.
    pub const fn eps(mut self, eps: f64) -> Self {
        self.newton_schulz.eps = eps;
        self
    }

    /// The step of a matrix, `[out, rest]` in its standard layout.
    fn step_matrix(&self, isa: Isa, [out, rest]: [usize; 2], tensor: TensorUpdate, mean: &mut [f32]) {
        let TensorUpdate { layout, params, grads, scratch } = tensor;
        update_ema(isa, 1.0 - self.momentum, grads, mean);
        match self.nesterov {
            true => update_ema(isa, self.momentum, mean, grads),
            false => grads.copy_from_slice(mean),
        }
        let (standard, scratch) = scratch.split_at_mut(out * rest);
        layout.read(grads, standard);
        if out <= rest {
            orthogonalize(isa, self.newton_schulz, [out, rest], standard, scratch);
        } else {
            let (transposed, scratch) = scratch.split_at_mut(out * rest);
            transpose([out, rest], standard, transposed);
            orthogonalize(isa, self.newton_schulz, [rest, out], transposed, scratch);
            transpose([rest, out], transposed, standard);
        }
        layout.write(standard, grads);
        let (out, rest) = (out as f64, rest as f64);
        let ratio = match self.match_rms {
            true => 0.2 * libm::sqrt(out.max(rest)),
            false => libm::sqrt((out / rest).max(1.0)),
        };
        let shrink = (1.0 - self.learning_rate * self.weight_decay) as f32;
        isa.zip_in_place(&ShrinkAndStep { shrink, step: (self.learning_rate * ratio) as f32 }, params, grads);
    }
}

/// `shrink · p - step · direction`.
struct ShrinkAndStep {
    shrink: f32,
    step: f32,
}

impl Map<2> for ShrinkAndStep {
    #[inline(always)]
    fn apply<S: Simd>(&self, s: S, [p, direction]: [S::F; 2]) -> S::F {
        s.fma(s.splat(-self.step), direction, s.mul(p, s.splat(self.shrink)))
    }
}

/// `to[j, i] = from[i, j]`.
fn transpose([rows, cols]: [usize; 2], from: &[f32], to: &mut [f32]) {
    for (i, row) in from.chunks_exact(cols).enumerate() {
        for (j, x) in row.iter().enumerate() {
            to[j * rows + i] = *x;
        }
    }
}

#[diagnostic::do_not_recommend]
impl Optimizer for Muon {
    learning_rate!();
    slot_names!("exp_avg", "exp_avg_sq");

    /// As many as `AdamW` keeps; a matrix uses one.
    fn slots(&self) -> usize {
        self.others.slots()
    }

    fn per_tensor(&self) -> bool {
        true
    }

    fn scratch(&self, layout: &TensorLayout) -> usize {
        match layout.matrix() {
            Some([out, rest]) if out <= rest => out * rest + orthogonalize_scratch(out, rest),
            Some([out, rest]) => 2 * out * rest + orthogonalize_scratch(rest, out),
            None => 0,
        }
    }

    fn update(&self, _: Isa, _: u64, _: &mut [f32], _: &[f32], _: &mut [&mut [f32]]) {
        wants_whole_tensor()
    }

    fn update_tensor(&self, isa: Isa, step: u64, tensor: TensorUpdate, slots: &mut [&mut [f32]]) {
        match tensor.layout.matrix() {
            Some(sizes) => self.step_matrix(isa, sizes, tensor, slots[0]),
            None => {
                let mut others = self.others;
                if self.learning_rate != self.base_learning_rate {
                    let scale = self.learning_rate / self.base_learning_rate;
                    others.set_learning_rate(others.learning_rate() * scale);
                }
                others.update(isa, step, tensor.params, tensor.grads, slots);
            }
        }
    }

    // The numbers of a matrix whose singular values are about 1 are about 1 at most.
    fn change_limit(&self, grad: f64, param: f64) -> Option<f64> {
        let matrix = self.learning_rate * (2.0 * ROOT_OF_LARGEST + self.weight_decay * param);
        let others = self.others.change_limit(grad, param)?;
        let others = others * (self.learning_rate / self.base_learning_rate).max(1.0);
        (self.newton_schulz.coefficients == NewtonSchulz::COEFFICIENTS).then_some(matrix.max(others))
    }

    fn check(&self) -> Result<(), String> {
        not_negative("a learning rate", self.learning_rate)?;
        if self.base_learning_rate == 0.0 {
            return Err(
                "expected a learning rate above 0 for `Muon`, found 0\nhelp: `Muon::new(0.02, AdamW::new(1e-3))`"
                    .into(),
            );
        }
        none_negative(&[("a weight decay", self.weight_decay), ("an eps", self.newton_schulz.eps)])?;
        below_one("a momentum", self.momentum, 0.95)?;
        self.others.check()
    }
}
