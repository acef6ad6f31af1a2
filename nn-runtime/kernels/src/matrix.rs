//! Products of a batch with a weight matrix, forward and backward: the work of dense layers. In: samples as
//! unpadded rows, weights in panels. Out: the product, or gradients. Every element is one chain of `fma` in a
//! stated order, or sixteen chains and their sum, so no bit depends on how a batch, a matrix or a loop is
//! split. Lengths are checked first; nothing outside the slices is touched.

mod backward_input;
mod backward_weight;
mod few_products;
mod few_weights;
mod layer_grad;
mod product;
mod product_args;
mod product_one;
mod product_transposed;
#[cfg(test)]
mod tests;

#[cfg(feature = "alloc")]
pub(crate) use backward_input::BackwardInput;
pub(crate) use backward_input::transpose_panel;
pub use backward_input::{backward_input, backward_input_scratch};
pub use backward_weight::{backward_bias, backward_weight};
#[cfg(feature = "alloc")]
pub(crate) use layer_grad::LayerGrad;
pub use layer_grad::{add_bias_grad, add_weight_grad};
pub use product::product;
pub(crate) use product_args::{LONG_CHAIN, Product};
pub use product_one::product_of_one;
pub(crate) use product_transposed::sum_lanes_of;

use super::simd::LANES;

/// The most outputs with which [`Panels::best`] stores a matrix transposed.
const FEW_OUTPUTS: usize = 12;

/// The storage layout of a weight matrix of `rows` inputs and `cols` outputs.
///
/// Panel p holds the columns from 32·p on, row after row, so that a product reads it from front to back. A
/// panel is 32 columns wide, the last one 16 or 32; columns past `cols` are padding and always 0. A
/// [transposed](Panels::transposed) matrix is stored the same way with inputs as columns and outputs as rows.
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
    transposed: bool,
    /// Numbers of storage.
    len: usize,
    /// Whether sums over the rows are one chain, whatever their number.
    one_chain: bool,
}

impl Panels {
    /// Columns of every panel but perhaps the last.
    pub const WIDTH: usize = 32;

    /// Gradients may be computed in parts that start at multiples of this many numbers: see
    /// [`backward_weight`].
    pub const SPLIT_ALIGN: usize = 256;

    /// The layout for `rows` inputs and `cols` outputs, not transposed.
    ///
    /// # Panics
    /// `rows == 0 || cols == 0`; numbers of storage that are more than can be counted.
    pub const fn new(rows: usize, cols: usize) -> Panels {
        assert!(rows != 0 && cols != 0, "expected a matrix with inputs and outputs");
        match cols.div_ceil(LANES).saturating_mul(LANES).checked_mul(rows) {
            Some(len) if len < usize::MAX => Panels { rows, cols, transposed: false, len, one_chain: false },
            _ => panic!("expected a matrix of fewer numbers than can be counted"),
        }
    }

    /// The layout with the fastest products: transposed where so few outputs would leave SIMD lanes empty,
    /// and inputs are so many that adding up the lanes of each output costs less than the empty ones.
    ///
    /// # Panics
    /// As [`new`](Panels::new).
    pub const fn best(rows: usize, cols: usize) -> Panels {
        let few = cols <= FEW_OUTPUTS && rows >= 2 * cols && rows >= LANES;
        // To add up an output's lanes takes about as long as four multiplications.
        let transposed = few && (rows > 2 * LANES || cols * (rows.div_ceil(LANES) + 4) < rows);
        match transposed {
            true => Panels { rows, cols, transposed, ..Panels::new(cols, rows) },
            false => Panels::new(rows, cols),
        }
    }

    /// The same layout, of products whose sums are one chain each, as those of a convolution are.
    pub const fn in_one_chain(self) -> Panels {
        Panels { one_chain: true, ..self }
    }

    /// The same storage with its padding as outputs more, as far as they fill a vector of sixteen. Not of a
    /// transposed matrix.
    pub const fn to_whole_vectors(self) -> Panels {
        assert!(!self.transposed, "expected a matrix that is not transposed");
        Panels { cols: self.cols.next_multiple_of(LANES), ..self }
    }

    /// Whether outputs are the rows of the storage.
    pub const fn transposed(&self) -> bool {
        self.transposed
    }

    /// The layout as stored: of a transposed matrix, the plain panels with outputs as rows.
    const fn stored(&self) -> Panels {
        match self.transposed {
            true => Panels { rows: self.cols, cols: self.rows, transposed: false, ..*self },
            false => *self,
        }
    }

    /// Inputs.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Outputs.
    pub const fn cols(&self) -> usize {
        self.cols
    }

    /// Numbers of storage, padding included.
    #[allow(clippy::len_without_is_empty, reason = "it is never empty")]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// How many panels there are. This and what follows about panels is for a matrix that is not transposed.
    pub const fn count(&self) -> usize {
        self.cols.div_ceil(Self::WIDTH)
    }

    /// The chains that a sum over the rows is made of: two, of even and of odd rows, where a single sample
    /// would wait for one long chain. Fewer rows are no long wait, and with more it is the weights that it
    /// waits for.
    pub(crate) const fn chains(&self) -> usize {
        if self.rows >= 32 && self.rows <= 128 && !self.one_chain { 2 } else { 1 }
    }

    /// Columns of panel `p`, padding included: 16 or 32.
    pub const fn width(&self, p: usize) -> usize {
        let left = self.cols.next_multiple_of(16) - p * Self::WIDTH;
        if left < Self::WIDTH { left } else { Self::WIDTH }
    }

    /// Where panel `p` starts in the storage.
    pub const fn offset(&self, p: usize) -> usize {
        p * Self::WIDTH * self.rows
    }

    /// Where the weight from input `i` to output `j` is stored.
    pub const fn index(&self, i: usize, j: usize) -> usize {
        let (p, i, j) = if self.transposed { (self.stored(), j, i) } else { (*self, i, j) };
        let panel = j / Self::WIDTH;
        p.offset(panel) + i * p.width(panel) + j % Self::WIDTH
    }

    /// Fills the storage from a `[cols, rows]` matrix, one row an output: the layout of weight files.
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

    /// The number of samples in `inputs` and `outputs`, which must agree.
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
