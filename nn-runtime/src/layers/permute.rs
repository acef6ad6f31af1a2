//! `Permute`: the same numbers with their dimensions in another order. In: any shape; out: its dimensions as
//! asked. It may not change a number.

use crate::fault::Fault;
use crate::graph::Rule;
use crate::layer::{Layer, LayerContext};
use crate::limits::MAX_RANK;
use crate::shape::Shape;
use crate::spec::{Head, LayerSpec, OnnxForm, Range};

/// Dimension `i` of the output is dimension `axes[i]` of the input: `Permute([1, 2, 0])` is `[c, h, w] -> [h,
/// w, c]`.
///
/// | argument | here | PyTorch's `Tensor.permute` | Keras's `Permute` |
/// |---|---|---|---|
/// | `axes` | must be given, from 0, without the batch | from 0, the batch counted | `dims`, from 1, without the batch |
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! {
///     pub struct Turned: [2, 3] -> [3, 2] { Permute([1, 0]) }
/// }
/// let x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
/// assert_eq!(Turned::init(0).predictor(1).predict(&x), &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Permute {
    /// The first `MAX_RANK` of them.
    axes: [usize; MAX_RANK],
    rank: usize,
}

impl Permute {
    /// These dimensions of the input, counted from 0, in the order of the output.
    pub const fn new<const R: usize>(axes: [usize; R]) -> Self {
        let mut kept = [0; MAX_RANK];
        let mut i = 0;
        while i < R && i < MAX_RANK {
            kept[i] = axes[i];
            i += 1;
        }
        Permute { axes: kept, rank: R }
    }

    /// `[…] -> […]` in another order
    pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
        let rank = self.rank;
        if x.rank() != rank {
            let fault = Fault::expected("an input of as many dimensions as there are axes, ").num(rank).found(x);
            return Rule::Err(turned(fault, x.rank()));
        }
        let mut y = x;
        let mut i = 0;
        while i < rank {
            let axis = self.axes[i];
            if axis >= rank {
                let fault = Fault::expected("axes below ").num(rank).found_num(axis);
                return Rule::Err(turned(fault, rank));
            }
            let mut j = 0;
            while j < i {
                if self.axes[j] == axis {
                    let fault = Fault::expected("each axis once, found ").num(axis).str(" twice");
                    return Rule::Err(turned(fault, rank));
                }
                j += 1;
            }
            y = y.with_dim(i, x.dim(axis));
            i += 1;
        }
        // Probabilities that sum to 1 along the last dimension do so only while it stays the last.
        let head = if rank > 0 && self.axes[rank - 1] == rank - 1 { Head::Same } else { Head::Other };
        let spec = LayerSpec::output(y).head(head).range(Range::First).onnx(OnnxForm::Transpose(self.axes));
        spec.backward_without_x().backward_without_y().ok()
    }

    /// Calls `each(row of y, where its first number stands in x, how far apart they stand there)`, row after
    /// row of a sample.
    fn rows(&self, [x, y]: [Shape; 2], mut each: impl FnMut(usize, usize, usize)) {
        let rank = self.rank;
        let mut strides = [1; MAX_RANK];
        for i in (1..rank).rev() {
            strides[i - 1] = strides[i] * x.dim(i);
        }
        let steps = self.axes.map(|axis| strides[axis]);
        let mut index = [0; MAX_RANK];
        let mut at = 0;
        for row in 0..y.len() / y.dim(rank - 1) {
            each(row, at, steps[rank - 1]);
            for i in (0..rank - 1).rev() {
                index[i] += 1;
                at += steps[i];
                if index[i] < y.dim(i) {
                    break;
                }
                at -= index[i] * steps[i];
                index[i] = 0;
            }
        }
    }
}

/// The help of every fault: the axes turned around, which is right in form and easily made what is meant.
const fn turned(fault: Fault, rank: usize) -> Fault {
    let mut fault = fault.help("give all axes, from 0, in the order of the output, such as `Permute([");
    let mut i = rank;
    while i > 0 {
        i -= 1;
        fault = fault.num(i).str(if i > 0 { ", " } else { "" });
    }
    fault.str("])`")
}

impl Layer for Permute {
    fn forward(&self, cx: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
        let shapes = [cx.input_shape(0), cx.output_shape(0)];
        let len = shapes[1].dim(self.rank - 1);
        for (x, y) in x.chunks_exact(shapes[0].len()).zip(y.chunks_exact_mut(shapes[0].len())) {
            self.rows(shapes, |row, at, step| {
                let row = &mut y[row * len..][..len];
                row.iter_mut().zip(x[at..].iter().step_by(step)).for_each(|(y, x)| *y = *x);
            });
        }
    }

    fn backward_input(
        &self,
        cx: &mut LayerContext,
        _: [&[f32]; 1],
        _: [&[f32]; 1],
        [dy]: [&[f32]; 1],
        [dx]: [&mut [f32]; 1],
    ) {
        let shapes = [cx.input_shape(0), cx.output_shape(0)];
        let len = shapes[1].dim(self.rank - 1);
        for (dx, dy) in dx.chunks_exact_mut(shapes[0].len()).zip(dy.chunks_exact(shapes[0].len())) {
            self.rows(shapes, |row, at, step| {
                let row = &dy[row * len..][..len];
                dx[at..].iter_mut().step_by(step).zip(row).for_each(|(dx, dy)| *dx = *dy);
            });
        }
    }
}
