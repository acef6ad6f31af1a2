//! `Regularizer`: what large parameters cost. In: the name of a tensor or of a layer; out: where its numbers
//! lie, or which names there are.

use std::format;
use std::ops::Range;
use std::string::String;
use std::vec::Vec;

use crate::graph::CompiledNetwork;
use crate::params;
use crate::spec::Role;
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
        let trained: Vec<_> = params::tensors(map)
            .into_iter()
            .filter(|tensor| tensor.role == Role::Trainable && !tensor.frozen)
            .collect();
        let within = |tensor: &str| tensor.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        let placed: Vec<PlacedRegularizer> = trained
            .iter()
            .filter(|tensor| tensor.name == name || within(&tensor.name) && tensor.shape.rank() > 1)
            .map(|tensor| PlacedRegularizer { range: tensor.offset..tensor.offset + tensor.len, l1, l2 })
            .collect();
        if !placed.is_empty() {
            return Ok(placed);
        }
        let small: Vec<&str> = trained.iter().map(|tensor| tensor.name.as_str()).filter(|name| within(name)).collect();
        if !small.is_empty() {
            return Err(format!(
                "regularize: expected a layer with a weight of two axes or more, found `{name}`, which has {}\nhelp: name the tensor, as `.regularize(\"{}\", …)`",
                list(&small),
                small[0]
            ));
        }
        let all = trained.iter().flat_map(|tensor| prefixes(&tensor.name));
        let nearest = all.clone().map(|known| (edits(known, name), known)).min_by_key(|(edits, _)| *edits);
        let mut layers: Vec<&str> = all.filter(|known| !known.contains('.')).collect();
        layers.dedup();
        let help = match nearest {
            Some((edits, known)) if edits <= 1 + name.len() / 3 => format!("did you mean `{known}`?"),
            Some(_) => format!("one of {}, or a tensor of theirs, as `{}`", list(&layers), trained[0].name),
            None => "nothing of it is trained".into(),
        };
        Err(format!(
            "regularize: expected the name of a layer or a tensor that is trained in `{}`, found `{name}`\nhelp: {help}",
            map.name
        ))
    }
}

/// Everything a tensor can be meant by: `block`, `block.0`, `block.0.weight`.
fn prefixes(name: &str) -> impl Iterator<Item = &str> + Clone {
    name.match_indices('.').map(|(dot, _)| &name[..dot]).chain([name])
}

fn list(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// How many letters have to be changed, added or left out to get from one name to the other.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, b) in b.iter().enumerate() {
            let replaced = corner + usize::from(a != *b);
            corner = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}
