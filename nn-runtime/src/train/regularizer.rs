//! `Regularizer`: what large parameters cost. In: the name of a tensor or of a layer; out: where its numbers
//! lie, or which names there are.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use super::tensor_names::{find, list};
use crate::graph::CompiledNetwork;
use nn_kernels::reduce::{sum_of_abs, sum_of_squares};
use nn_kernels::simd::Isa;

/// A cost on the size of a layer's parameters, added to the loss.
///
/// | here | the loss grows by | Keras |
/// |---|---|---|
/// | `Regularizer::L1(a)` | `a · Σ\|p\|` | `L1(a)`, default 0.01 |
/// | `Regularizer::L2(b)` | `b · Σp²` | `L2(b)`, default 0.01 |
/// | `Regularizer::L1L2(a, b)` | both | `L1L2(a, b)`, default 0 and 0 |
///
/// PyTorch has none: there it is written into the loss. An optimiser's weight decay `w`, where it is L2, is
/// `Regularizer::L2(w / 2)` on every parameter, except that the reported loss does not show it.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! { struct Line: [1] -> [1] { line: Dense(1, init = Constant(3.0)) } }
///
/// let mut model = Line::init(0);
/// let data = Dataset::values(&[[1.0]], &[[3.0]]).unwrap();
/// let trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.5));
/// let mut trainer = trainer.regularize("line", Regularizer::L2(0.25));
/// assert_eq!(trainer.step(&data).unwrap(), 0.25 * 9.0);
/// assert_eq!(model.get("line.weight").unwrap(), [3.0 - 0.5 * (2.0 * 0.25 * 3.0)]);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
#[non_exhaustive]
pub enum Regularizer {
    /// On the sum of sizes: it draws parameters to 0 itself.
    L1(f64),
    /// On the sum of squares.
    L2(f64),
    /// On both.
    L1L2(f64, f64),
}

/// A regulariser and the parameters it is on.
#[derive(Debug)]
pub(super) struct PlacedRegularizer {
    pub(super) range: Range<usize>,
    pub(super) l1: f64,
    pub(super) l2: f64,
}

impl PlacedRegularizer {
    /// What it adds to the loss.
    pub(super) fn value(&self, isa: Isa, params: &[f32]) -> f64 {
        let params = &params[self.range.clone()];
        let size = if self.l1 > 0.0 { self.l1 * sum_of_abs(isa, params) } else { 0.0 };
        size + if self.l2 > 0.0 { self.l2 * sum_of_squares(isa, params) } else { 0.0 }
    }
}

impl PlacedRegularizer {
    /// The largest number that it adds to a gradient, where no parameter is larger than `param`.
    pub(super) fn largest_gradient(&self, param: f64) -> f64 {
        self.l1 + 2.0 * self.l2 * param
    }
}

impl Regularizer {
    fn factors(self) -> (f64, f64) {
        match self {
            Regularizer::L1(l1) => (l1, 0.0),
            Regularizer::L2(l2) => (0.0, l2),
            Regularizer::L1L2(l1, l2) => (l1, l2),
        }
    }

    /// The tensors it is on: the one of that name, or of a layer of that name all with two axes or more.
    pub(super) fn place(self, map: &'static CompiledNetwork, name: &str) -> Result<Vec<PlacedRegularizer>, String> {
        let (l1, l2) = self.factors();
        if ![l1, l2].iter().all(|factor| *factor >= 0.0 && factor.is_finite()) {
            return Err(format!(
                "expected a regulariser of at least 0 on `{name}`, found {self:?}\nhelp: `Regularizer::L2(1e-4)`"
            ));
        }
        let found = find(map, "regularize", name)?;
        let placed: Vec<PlacedRegularizer> = found
            .iter()
            .filter(|tensor| tensor.name == name || tensor.shape.rank() > 1)
            .map(|tensor| PlacedRegularizer { range: tensor.offset..tensor.offset + tensor.len, l1, l2 })
            .collect();
        if placed.is_empty() {
            let small: Vec<&str> = found.iter().map(|tensor| tensor.name.as_str()).collect();
            return Err(format!(
                "regularize: expected a layer with a weight of two axes or more, found `{name}`, which has {}\nhelp: name the tensor, as `.regularize(\"{}\", …)`",
                list(&small),
                small[0]
            ));
        }
        Ok(placed)
    }
}
