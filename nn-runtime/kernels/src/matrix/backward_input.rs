//! Backward to the inputs: the gradient of the outputs times the transposed weights.
//! In: gradients of the outputs, weights in panels. Out: gradients of the inputs, overwritten.
//! The weights are transposed two panels of inputs at a time, which are then multiplied as in forward.

use super::product::ColumnTiles;
use super::{Panels, Product};
use crate::micro::{for_each_tile, widest};
use crate::simd::{Isa, Kernel, LANES, Simd};
use crate::transpose::{Transpose, transpose_block};

/// Numbers of scratch that [`backward_input`] needs for `cols` outputs, whatever the batch.
pub const fn backward_input_scratch(cols: usize) -> usize {
    cols * PANELS_AT_ONCE * Panels::WIDTH
}

/// Panels that are multiplied together, so that tiles are as wide as in forward.
const PANELS_AT_ONCE: usize = 2;

/// `dx[s, i] = Σ_j dy[s, j] · w[i, j]`, for `dy` of `[b, cols]` and `dx` of `[b, rows]`, which is
/// overwritten.
///
/// The sum is one chain of `fma` from j = 0 on, starting at 0; of 32 to 128 outputs two, of even and of odd
/// j. The contents of `scratch` are arbitrary before and after.
///
/// # Panics
/// `dx.len() != b * rows || dy.len() != b * cols` for every `b`; `w.len() != p.len()`;
/// `scratch.len() < backward_input_scratch(cols)`.
pub fn backward_input(isa: Isa, p: Panels, dy: &[f32], w: &[f32], dx: &mut [f32], scratch: &mut [f32]) {
    let batch = p.batch(dx, dy);
    p.check_storage(w);
    assert!(
        scratch.len() >= backward_input_scratch(p.cols),
        "expected a scratch of {} numbers, found {}",
        backward_input_scratch(p.cols),
        scratch.len()
    );
    isa.run(BackwardInput { p, batch, dy, w, dx, scratch });
}

/// The arguments of [`backward_input`]. The lengths must be those that it asks for.
pub(crate) struct BackwardInput<'a> {
    pub p: Panels,
    pub batch: usize,
    pub dy: &'a [f32],
    pub w: &'a [f32],
    pub dx: &'a mut [f32],
    pub scratch: &'a mut [f32],
}

impl Kernel for BackwardInput<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let BackwardInput { p, batch, dy, w, dx, scratch } = self;
        let transposed = Panels::new(p.cols, p.rows);
        if p.transposed {
            return Product { p: transposed, batch, x: dy, w, bias: None, floor: f32::NEG_INFINITY, y: dx }.run(s);
        }
        let mut first = 0;
        while first < transposed.count() {
            let width = transposed.width(first);
            let alike = (first..transposed.count())
                .take(PANELS_AT_ONCE)
                .take_while(|panel| transposed.width(*panel) == width)
                .count();
            for (panel, to) in (first..first + alike).zip(scratch.chunks_mut(p.cols * width)) {
                transpose_panel(s, p, w, panel, to);
            }
            let vectors = alike * width / LANES;
            let w = scratch.as_ptr().wrapping_sub(transposed.offset(first));
            // SAFETY: by the checks of `backward_input`, `dy` is batch · cols long and `dx` batch · rows. The
            // panels asked for, `first` to `first + alike`, are the first `alike · cols · width` numbers of
            // the scratch, at most its length.
            let mut tiles = unsafe { ColumnTiles::new(transposed, dy.as_ptr(), w, dx.as_mut_ptr()) };
            (tiles.first, tiles.vectors, tiles.width) = (first * Panels::WIDTH / LANES, vectors, width);
            // SAFETY: the rows are those of the batch, and the vectors those of the panels in the scratch.
            unsafe { for_each_tile(s, tiles, 0..batch, vectors.min(widest(S::REGISTERS, batch))) };
            first += alike;
        }
    }
}

/// Writes panel `panel` of the transposed weights, outputs as rows and inputs as columns. `p` itself is not
/// transposed.
///
/// # Panics
/// `w` or `to` is shorter than the panels say.
#[inline(always)]
pub(crate) fn transpose_panel<S: Simd>(s: S, p: Panels, w: &[f32], panel: usize, to: &mut [f32]) {
    let first = panel * Panels::WIDTH;
    let width = Panels::new(p.cols, p.rows).width(panel);
    if cfg!(feature = "small") {
        for (column, to) in to.chunks_exact_mut(width).take(p.cols).enumerate() {
            for (row, to) in (first..).zip(to) {
                *to = if row < p.rows { w[p.index(row, column)] } else { 0.0 };
            }
        }
        return;
    }
    for half in (0..width).step_by(LANES) {
        let rows = first + half..p.rows.min(first + half + LANES);
        for column in (0..p.cols).step_by(LANES) {
            let (columns, from) = (LANES.min(p.cols - column), p.index(rows.start, column));
            // Rows of a panel lie as far apart as it is wide. Columns of padding are loaded, but not stored.
            let block = Transpose {
                rows: rows.len(),
                columns,
                from_stride: p.width(column / Panels::WIDTH),
                to_stride: width,
                width: LANES,
            };
            transpose_block(s, block, &w[from..], &mut to[column * width + half..]);
        }
    }
}
