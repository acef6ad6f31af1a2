//! `Split`: one value cut into several along a dimension, the inverse of `Concat`. In: any shape; out: two to
//! four values. It only moves numbers.

use super::axis::{self, cut, join, row};
use crate::fault::Fault;
use crate::graph::Rule;
use crate::layer::{Layer, LayerContext};
use crate::shape::Shape;
use crate::spec::{LayerSpec, MAX_OUTPUTS, OnnxForm};

/// Cut along `axis` into `parts`: `[n, …] -> ([n / parts, …], …)`, or into parts of the given `sizes`.
///
/// | argument | here | PyTorch's `split`, `chunk` | Keras's `ops.split` |
/// |---|---|---|---|
/// | `parts`, 2 to 4, as many as names take them | must be given | `chunks` | `indices_or_sections` |
/// | `sizes` | all equal | `split_size_or_sections` | by indices where they begin |
/// | `axis`, from 0, the batch not counted | `0`: of images the channels | `dim=0`, the batch | `axis=0`, the batch |
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Turned: [3] -> [3] {
///         let (head, tail) = Split(2, sizes = [1, 2]);
///         (tail, head) -> Concat
///     }
/// }
/// assert_eq!(Turned::init(0).predictor(1).predict(&[1.0, 2.0, 3.0]), &[2.0, 3.0, 1.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Split {
    parts: usize,
    axis: usize,
    /// How many sizes were given, and the first of them.
    sizes: Option<(usize, [usize; MAX_OUTPUTS])>,
}

impl Split {
    /// So many equal parts of the first dimension.
    pub const fn new(parts: usize) -> Self {
        Split { parts, axis: 0, sizes: None }
    }

    /// Along this dimension, the batch not counted.
    pub const fn axis(mut self, axis: usize) -> Self {
        self.axis = axis;
        self
    }

    /// How long each part is, instead of equal ones.
    pub const fn sizes<const K: usize>(mut self, sizes: [usize; K]) -> Self {
        let mut first = [0; MAX_OUTPUTS];
        let mut k = 0;
        while k < K && k < MAX_OUTPUTS {
            first[k] = sizes[k];
            k += 1;
        }
        self.sizes = Some((K, first));
        self
    }

    /// `[n, …] -> ([n / parts, …], …)`
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        if self.parts < 2 || self.parts > MAX_OUTPUTS {
            return Rule::Err(
                Fault::expected("2 to 4 parts").found_num(self.parts).help("write `let (a, b) = x -> Split(2)`"),
            );
        }
        if let Some(fault) = axis::fault(self.axis, x) {
            return Rule::Err(fault);
        }
        let sizes = match self.cut(x) {
            Ok(sizes) => sizes,
            Err(fault) => return Rule::Err(fault),
        };
        let [a, b, c, d] = [
            x.with_dim(self.axis, sizes[0]),
            x.with_dim(self.axis, sizes[1]),
            x.with_dim(self.axis, sizes[2]),
            x.with_dim(self.axis, sizes[3]),
        ];
        let spec = match self.parts {
            2 => LayerSpec::outputs([a, b]),
            3 => LayerSpec::outputs([a, b, c]),
            _ => LayerSpec::outputs([a, b, c, d]),
        };
        let spec = spec.backward_without_x().backward_without_y().onnx(OnnxForm::Split(self.axis + 1));
        if self.axis == 0 { spec.ok() } else { spec.per_step().ok() }
    }

    /// The sizes of the parts.
    const fn cut(&self, x: Shape) -> Result<[usize; MAX_OUTPUTS], Fault> {
        let (len, parts) = (x.dim(self.axis), self.parts);
        let Some((given, sizes)) = self.sizes else {
            if len.is_multiple_of(parts) {
                return Ok([len / parts; MAX_OUTPUTS]);
            }
            let fault = Fault::expected("an axis of a multiple of ").num(parts).found_num(len).str(" in ").shape(x);
            if len < parts {
                return Err(fault.help("split another axis, or make this one longer"));
            }
            let fault = fault.help("say how long each part is, such as `Split(").num(parts).str(", sizes = [");
            let mut fault = fault.num(len / parts + len % parts);
            let mut k = 1;
            while k < parts {
                fault = fault.str(", ").num(len / parts);
                k += 1;
            }
            return Err(fault.str("])`"));
        };
        if given != parts {
            let fault = Fault::expected("as many sizes as parts, ").num(parts).found_num(given);
            return Err(fault.help("write `Split(").num(given).str(", …)`, or give ").num(parts).str(" sizes"));
        }
        let mut sum: usize = 0;
        let mut k = 0;
        while k < parts {
            sum = sum.saturating_add(sizes[k]);
            k += 1;
        }
        if sum != len {
            let fault =
                Fault::expected("sizes that sum to ").num(len).str(", axis ").num(self.axis).str(" of ").shape(x);
            return Err(fault.found_num(sum).help("change the sizes so that their sum is ").num(len));
        }
        Ok(sizes)
    }

    fn rows<const M: usize>(&self, cx: &LayerContext) -> [usize; M] {
        core::array::from_fn(|j| row(&cx.output_shape(j), self.axis))
    }
}

impl<const M: usize> Layer<1, M> for Split {
    fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], mut y: [&mut [f32]; M]) {
        cut(x, &mut y, &self.rows::<M>(cx));
    }

    fn backward_input(
        &self,
        cx: &mut LayerContext,
        _: [&[f32]; 1],
        _: [&[f32]; M],
        dy: [&[f32]; M],
        [dx]: [&mut [f32]; 1],
    ) {
        if !dx.is_empty() {
            join(&dy, &self.rows::<M>(cx), dx);
        }
    }
}
