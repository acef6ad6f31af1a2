//! Backward to the inputs: the gradient of the outputs times the transposed weights.
//! Comes in: gradients of the outputs and panels; goes out: gradients of the inputs, overwritten.
//! Of the weights so much is turned at a time as gives two panels of inputs, which are multiplied as forward does.

use super::product::Columns;
use super::{Panels, Product};
use crate::micro::{strips, widest};
use crate::simd::{Isa, Kernel, LANES, Simd};
use crate::transpose::{Transpose, transpose_block};

/// Numbers of scratch that [`backward_input`] needs for `cols` outputs, whatever the batch.
pub const fn backward_input_scratch(cols: usize) -> usize {
    cols * TOGETHER * Panels::WIDTH
}

/// Panels that are multiplied together, so that tiles are as wide as forward.
const TOGETHER: usize = 2;

/// `dx[s, i] = Σ_j dy[s, j] · w[i, j]`, for `dy` of `[b, cols]` and `dx` of `[b, rows]`, which is overwritten.
///
/// The sum is one chain of `fma` from j = 0 on, starting at 0. `scratch` is left with any numbers.
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

/// [`backward_input`] within a kernel. Whoever makes one has checked the lengths.
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
        let turned = Panels::new(p.cols, p.rows);
        if p.turned {
            return Product { p: turned, batch, x: dy, w, bias: None, floor: f32::NEG_INFINITY, y: dx }.run(s);
        }
        let mut first = 0;
        while first < turned.count() {
            let width = turned.width(first);
            let alike =
                (first..turned.count()).take(TOGETHER).take_while(|panel| turned.width(*panel) == width).count();
            for (panel, to) in (first..first + alike).zip(scratch.chunks_mut(p.cols * width)) {
                turn_panel(s, p, w, panel, to);
            }
            let vectors = alike * width / LANES;
            let job = Columns {
                p: turned,
                x: dy.as_ptr(),
                w: scratch.as_ptr().wrapping_sub(turned.offset(first)),
                bias: None,
                floor: f32::NEG_INFINITY,
                y: dx.as_mut_ptr(),
                first: first * Panels::WIDTH / LANES,
                vectors,
                width,
            };
            // SAFETY: `backward_input` has checked the lengths, and the scratch holds these panels of the turned weights.
            unsafe { strips(s, job, 0..batch, vectors.min(widest(S::REGISTERS, batch))) };
            first += alike;
        }
    }
}

/// Panel `panel` of the weights turned, from outputs to inputs, in squares of sixteen. `p` is not turned.
///
/// # Panics
/// `w` or `to` is shorter than the panels say.
#[inline(always)]
pub(crate) fn turn_panel<S: Simd>(s: S, p: Panels, w: &[f32], panel: usize, to: &mut [f32]) {
    let first = panel * Panels::WIDTH;
    let width = Panels::new(p.cols, p.rows).width(panel);
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
