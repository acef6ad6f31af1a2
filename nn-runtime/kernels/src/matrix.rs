//! Products of a batch with a weight matrix, forward and backward: what dense layers are made of.
//! Comes in: rows of numbers, unpadded, one a sample, and weights in panels; goes out: the product, or gradients.
//! Every element is one chain of `fma` in a stated order, or sixteen and their sum in one, so how a batch, a matrix or a loop is cut changes no bit.
//! Never an allocation, and never a number read or written outside the slices, whose lengths are checked first.

mod backward_input;
mod backward_weight;
mod dots;
mod product;
#[cfg(test)]
mod tests;

pub(crate) use backward_input::turn_panel;
pub use backward_input::{backward_input, backward_input_scratch};
pub use backward_weight::{backward_bias, backward_weight};
pub(crate) use product::Product;
pub use product::product;

use super::simd::LANES;

/// Outputs up to which a matrix is turned where that is [`fit`](Panels::fit).
const FEW: usize = 12;

/// How a weight matrix of `rows` inputs and `cols` outputs lies in memory.
///
/// Panel p holds the columns from 32·p on, one row after the other, so that a product reads it from front to back. A panel is 32
/// columns wide, the last one 16 or 32; columns beyond `cols` are padding, and 0 always.
/// A matrix that is [turned](Panels::turned) lies so with inputs for columns and outputs for rows.
///
/// ```
/// use nn_kernels::matrix::Panels;
/// let panels = Panels::new(3, 40);
/// assert_eq!(panels.len(), 3 * 48);
/// assert_eq!(panels.index(2, 33), 3 * 32 + 2 * 16 + 1);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Panels {
    rows: usize,
    cols: usize,
    turned: bool,
}

impl Panels {
    /// Columns of a panel, but perhaps the last.
    pub const WIDTH: usize = 32;

    /// Numbers of storage whose multiples are where gradients may be cut: see [`backward_weight`].
    pub const GRAIN: usize = 256;

    /// The storage for `rows` inputs and `cols` outputs.
    ///
    /// # Panics
    /// `rows == 0 || cols == 0`.
    pub const fn new(rows: usize, cols: usize) -> Panels {
        assert!(rows != 0 && cols != 0, "expected a matrix with inputs and outputs");
        Panels { rows, cols, turned: false }
    }

    /// The storage that suits products best: turned where there are few outputs, which would leave lanes empty.
    ///
    /// # Panics
    /// `rows == 0 || cols == 0`.
    pub const fn fit(rows: usize, cols: usize) -> Panels {
        Panels { turned: cols <= FEW && rows >= 2 * cols && rows >= LANES, ..Panels::new(rows, cols) }
    }

    /// Whether the rows of the storage are the outputs.
    pub const fn turned(&self) -> bool {
        self.turned
    }

    /// The matrix of which the storage is the panels.
    const fn stored(&self) -> Panels {
        if self.turned { Panels::new(self.cols, self.rows) } else { *self }
    }

    /// Inputs.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Outputs.
    pub const fn cols(&self) -> usize {
        self.cols
    }

    /// Numbers of storage, with the padding.
    #[allow(clippy::len_without_is_empty, reason = "it is never empty")]
    pub const fn len(&self) -> usize {
        let Panels { rows, cols, .. } = self.stored();
        rows * cols.next_multiple_of(LANES)
    }

    /// Panels, if it is not turned; so with what is said of them below.
    pub const fn count(&self) -> usize {
        self.cols.div_ceil(Self::WIDTH)
    }

    /// Columns of panel `p`, with the padding: 16 or 32.
    pub const fn width(&self, p: usize) -> usize {
        let left = self.cols.next_multiple_of(16) - p * Self::WIDTH;
        if left < Self::WIDTH { left } else { Self::WIDTH }
    }

    /// Where panel `p` starts.
    pub const fn offset(&self, p: usize) -> usize {
        p * Self::WIDTH * self.rows
    }

    /// Where the weight from input `i` to output `j` lies.
    pub const fn index(&self, i: usize, j: usize) -> usize {
        let (p, i, j) = if self.turned { (self.stored(), j, i) } else { (*self, i, j) };
        let panel = j / Self::WIDTH;
        p.offset(panel) + i * p.width(panel) + j % Self::WIDTH
    }

    /// Fills the storage from `[cols, rows]`: one row an output, as weights are saved and shown.
    ///
    /// # Panics
    /// `standard.len() != rows * cols || storage.len() != self.len()`.
    pub fn pack(&self, standard: &[f32], storage: &mut [f32]) {
        self.check(standard, storage);
        storage.fill(0.0);
        for (j, output) in standard.chunks_exact(self.rows).enumerate() {
            for (i, weight) in output.iter().enumerate() {
                storage[self.index(i, j)] = *weight;
            }
        }
    }

    /// The reverse of [`pack`](Panels::pack).
    ///
    /// # Panics
    /// `standard.len() != rows * cols || storage.len() != self.len()`.
    pub fn unpack(&self, storage: &[f32], standard: &mut [f32]) {
        self.check(standard, storage);
        for (j, output) in standard.chunks_exact_mut(self.rows).enumerate() {
            for (i, weight) in output.iter_mut().enumerate() {
                *weight = storage[self.index(i, j)];
            }
        }
    }

    fn check(&self, standard: &[f32], storage: &[f32]) {
        assert!(
            standard.len() == self.rows * self.cols,
            "expected {} numbers in standard layout, found {}",
            self.rows * self.cols,
            standard.len()
        );
        self.check_storage(storage);
    }

    fn check_storage(&self, storage: &[f32]) {
        assert!(storage.len() == self.len(), "expected {} numbers of storage, found {}", self.len(), storage.len());
    }

    /// The samples in `inputs` and `outputs`, which must agree.
    fn batch(&self, inputs: &[f32], outputs: &[f32]) -> usize {
        let batch = inputs.len() / self.rows;
        assert!(
            inputs.len() == batch * self.rows && outputs.len() == batch * self.cols,
            "expected samples of {} inputs and {} outputs, found {} and {} numbers",
            self.rows,
            self.cols,
            inputs.len(),
            outputs.len()
        );
        batch
    }
}
