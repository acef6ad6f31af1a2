//! `Embedding`: a learnt row for each token. In: `[steps]` of token ids; out: `[steps, features]`. It looks
//! rows up and never multiplies by a matrix of zeros and ones.

use core::ops::Range;

use crate::fault::Fault;
use crate::graph::Rule;
use crate::init::Init;
use crate::layer::{Layer, LayerContext, ParamGrad, ReadContext};
use crate::shape::Shape;
use crate::spec::{LayerSpec, OnnxForm};
use nn_kernels::long_sums::BLOCK;

/// Row `x[s]` of a learnt table at every step: `y[s] = weight[x[s]]`, `[steps] -> [steps, features]`.
///
/// | argument | here | PyTorch's `Embedding` | Keras's `Embedding` |
/// |---|---|---|---|
/// | `vocabulary`: how many ids there are, up to 2²⁴ | must be given | `num_embeddings` | `input_dim` |
/// | `features` | must be given | `embedding_dim` | `output_dim` |
/// | `padding`: the id whose row learns nothing | none | `padding_idx`, its row begins as 0 | `mask_zero` makes a mask |
/// | `init` | `Normal(1.0)` | normal, deviation 1 | uniform in ±0.05 |
///
/// An id is a whole number from 0 up to but without `vocabulary`, as `f32`. Where the input is one of the
/// network's, every sample is checked before it comes in; elsewhere a number that is no id gives a row of
/// NaN. Ids have no gradient: it is answered with zeros. The row of `padding` begins like the others and
/// stays as it is, whatever decays or penalises the others. Parameter: `weight`, `[vocabulary, features]`.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Words: [3] -> [3, 2] { table: Embedding(4, 2) }
/// }
/// let mut words = Words::init(0);
/// words.set("table.weight", &[0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5]).unwrap();
/// assert_eq!(words.predictor(1).predict(&[3.0, 0.0, 1.0]), &[3.0, 3.5, 0.0, 0.5, 1.0, 1.5]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Embedding {
    vocabulary: usize,
    features: usize,
    padding: Option<usize>,
    init: Init,
}

/// The most gradients that are summed at a time: as many as training asks for at once. Every piece of the
/// table looks at all ids anew.
const PIECE: usize = 32 * 1024;

/// The most gradients for which what is lost is cleared for each sample.
const SMALL: usize = 2048;

/// Above this not every whole number is an `f32`.
const MOST: usize = 1 << 24;

impl Embedding {
    /// A table of so many rows of so many numbers.
    pub const fn new(vocabulary: usize, features: usize) -> Self {
        Embedding { vocabulary, features, padding: None, init: Init::Normal(1.0) }
    }

    /// The id whose row no step changes.
    pub const fn padding(mut self, id: usize) -> Self {
        self.padding = Some(id);
        self
    }

    /// What the table is drawn from.
    pub const fn init(mut self, init: Init) -> Self {
        self.init = init;
        self
    }

    /// `[steps] -> [steps, features]`
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        let Some([steps]) = x.dims::<1>() else {
            let fault = Fault::expected("an input of [steps], one token id per step").found(x);
            return Rule::Err(match x.rank() {
                2 => fault.help("use `DensePerStep(").num(self.features).str(")` on [steps, features]"),
                _ => fault.help("declare the input as [steps]"),
            });
        };
        if self.vocabulary == 0 || self.vocabulary > MOST {
            let fault = Fault::expected("a vocabulary of 1 to 16777216 ids").found_num(self.vocabulary);
            return Rule::Err(fault.help("give the number of different ids, such as `Embedding(256, 32)`"));
        }
        if let Some(id) = self.padding
            && id >= self.vocabulary
        {
            let fault = Fault::expected("a padding below the vocabulary, ").num(self.vocabulary).found_num(id);
            return Rule::Err(fault.help("give an id from 0 to ").num(self.vocabulary - 1));
        }
        let table = self.vocabulary.saturating_mul(self.features);
        let mut spec = LayerSpec::output(Shape::of([steps, self.features]))
            .computes()
            .param("weight", Shape::of([self.vocabulary, self.features]), self.init)
            .onnx(OnnxForm::Embedding)
            .scratch(0, if table < PIECE { table } else { PIECE });
        let fits = table < usize::MAX;
        if let (Some(id), true) = (self.padding, fits) {
            spec = spec.fixed(id * self.features, self.features);
        }
        spec.ids(0, self.vocabulary).backward_without_x().backward_without_y().per_step().ok()
    }

    /// The row of an id, if it is one.
    fn row(&self, id: f32) -> Option<Range<usize>> {
        // What is too large or NaN is no number below the vocabulary, and what has a fraction is another one
        // after the way there and back.
        let row = id as usize;
        (row as f32 == id && row < self.vocabulary).then(|| row * self.features..(row + 1) * self.features)
    }

    /// Adds the gradient of each of some steps to a range of the table, and where there is an `excess` keeps
    /// there how much larger each sum is than what has been added (Kahan's compensated sum).
    fn add(&self, x: &[f32], dy: &[f32], range: Range<usize>, dw: &mut [f32], mut excess: Option<&mut [f32]>) {
        let learns = |row: &Range<usize>| self.padding.is_none_or(|id| row.start != id * self.features);
        for (id, dy) in x.iter().zip(dy.chunks_exact(self.features)) {
            let Some(row) = self.row(*id).filter(learns) else { continue };
            // What of the asked range lies in this row.
            let from = row.start.clamp(range.start, range.end);
            let end = row.end.clamp(from, range.end);
            if from == end {
                continue;
            }
            let (dy, of) = (&dy[from - row.start..end - row.start], from - range.start..end - range.start);
            let sums = dw[of.clone()].iter_mut().zip(dy);
            match &mut excess {
                None => sums.for_each(|(sum, dy)| *sum += dy),
                Some(excess) => {
                    for ((sum, dy), excess) in sums.zip(&mut excess[of]) {
                        let (before, term) = (*sum, dy - *excess);
                        *sum += term;
                        *excess = (*sum - before) - term;
                    }
                }
            }
        }
    }
}

impl Layer for Embedding {
    fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        let weight = cx.param(0);
        for (id, y) in x.iter().zip(y.chunks_exact_mut(self.features)) {
            match self.row(*id) {
                Some(row) => y.copy_from_slice(&weight[row]),
                None => y.fill(f32::NAN),
            }
        }
    }

    fn backward_input(
        &self,
        _: &mut LayerContext,
        _: [&[f32]; 1],
        _: [&[f32]; 1],
        _: [&[f32]; 1],
        [dx]: [&mut [f32]; 1],
    ) {
        dx.fill(0.0);
    }

    fn backward_params(&self, cx: &mut ReadContext, [x]: [&[f32]; 1], [dy]: [&[f32]; 1], mut grad: ParamGrad) {
        let sums = cx.row_sums(cx.input_shape(0).len());
        let (range, dw) = grad.slice(cx, 0);
        // Few steps are one chain; and so are those of each sample, where a table is too large to clear what
        // is lost of it for each.
        let exactly =
            sums.unit > 0 && sums.rows.min(sums.unit) > BLOCK && (sums.unit >= sums.rows || dw.len() <= SMALL);
        if !exactly {
            return self.add(x, dy, range, dw, None);
        }
        for (piece, dw) in dw.chunks_mut(PIECE).enumerate() {
            let of = range.start + piece * PIECE..range.start + piece * PIECE + dw.len();
            let excess = &mut cx.scratch[..dw.len()];
            for steps in sums.units() {
                excess.fill(0.0);
                let dy = &dy[steps.start * self.features..steps.end * self.features];
                self.add(&x[steps], dy, of.clone(), dw, Some(&mut *excess));
            }
        }
    }
}
