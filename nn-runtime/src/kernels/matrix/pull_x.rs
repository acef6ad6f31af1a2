//! Backward to the inputs: the gradient of the outputs times the transposed weights.
//! Comes in: gradients of the outputs and panels; goes out: gradients of the inputs, overwritten.
//! Of the weights so much is turned at a time as gives a panel of inputs, which is multiplied as forward does.

use super::product::Columns;
use super::{Panels, Product};
use crate::kernels::micro::{strips, widest};
use crate::kernels::simd::{Isa, Kernel, LANES, Simd};

/// Numbers of scratch that [`pull_x`] needs for `cols` outputs, whatever the batch.
pub const fn pull_x_scratch(cols: usize) -> usize {
    cols * Panels::WIDTH
}

/// `dx[s, i] = Σ_j dy[s, j] · w[i, j]`, for `dy` of `[b, cols]` and `dx` of `[b, rows]`, which is overwritten.
///
/// The sum is one chain of `fma` from j = 0 on, starting at 0. `scratch` is left with any numbers.
///
/// # Panics
/// `dx.len() != b * rows || dy.len() != b * cols` for every `b`; `w.len() != p.len()`;
/// `scratch.len() < pull_x_scratch(cols)`.
pub fn pull_x(isa: Isa, p: Panels, dy: &[f32], w: &[f32], dx: &mut [f32], scratch: &mut [f32]) {
    let batch = p.batch(dx, dy);
    p.check_storage(w);
    assert!(
        scratch.len() >= pull_x_scratch(p.cols),
        "expected a scratch of {} numbers, found {}",
        pull_x_scratch(p.cols),
        scratch.len()
    );
    isa.run(PullX { p, batch, dy, w, dx, scratch });
}

/// [`pull_x`] within a kernel. Whoever makes one has checked the lengths.
pub(in crate::kernels) struct PullX<'a> {
    pub p: Panels,
    pub batch: usize,
    pub dy: &'a [f32],
    pub w: &'a [f32],
    pub dx: &'a mut [f32],
    pub scratch: &'a mut [f32],
}

impl Kernel for PullX<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let PullX { p, batch, dy, w, dx, scratch } = self;
        let turned = Panels::new(p.cols, p.rows);
        if p.turned {
            return Product { p: turned, batch, x: dy, w, bias: None, floor: f32::NEG_INFINITY, y: dx }.run(s);
        }
        for panel in 0..turned.count() {
            let width = turned.width(panel);
            for half in (0..width).step_by(LANES) {
                let input = panel * Panels::WIDTH + half;
                let inputs = p.rows.saturating_sub(input).min(LANES);
                for column in (0..p.cols).step_by(LANES) {
                    let (from, step) = (p.index(input.min(p.rows - 1), column), p.width(column / Panels::WIDTH));
                    let from = w[from..].as_ptr();
                    let columns = (p.cols - column).min(LANES);
                    let to = scratch[column * width..(column + columns) * width].as_mut_ptr().wrapping_add(half);
                    // SAFETY: the panel of `w` has so many rows from there on, and the scratch too, of one or two vectors each.
                    unsafe { turn(s, (from, step, inputs), (to, width, columns)) };
                }
            }
            let vectors = width / LANES;
            let job = Columns {
                p: turned,
                x: dy.as_ptr(),
                w: scratch.as_ptr().wrapping_sub(turned.offset(panel)),
                bias: None,
                floor: f32::NEG_INFINITY,
                y: dx.as_mut_ptr(),
                first: panel * Panels::WIDTH / LANES,
                vectors,
                width,
            };
            // SAFETY: `pull_x` has checked the lengths, and the scratch holds this panel of the turned weights.
            unsafe { strips(s, job, 0..batch, vectors.min(widest(S::REGISTERS, batch))) };
        }
    }
}

/// Writes rows of sixteen numbers, as many as there are, as columns: so many rows of that.
///
/// # Safety
/// There are no more than sixteen of either, each so far from the last; sixteen numbers of each row can be read, and be written.
#[inline(always)]
unsafe fn turn<S: Simd>(s: S, (from, step, rows): (*const f32, usize, usize), to: (*mut f32, usize, usize)) {
    let mut block = [s.splat(0.0); LANES];
    for (r, row) in block.iter_mut().enumerate() {
        if r < rows {
            // SAFETY: the caller vouches for it.
            *row = unsafe { s.load_ptr(from.wrapping_add(r * step)) };
        }
    }
    s.transpose(&mut block);
    let (to, step, columns) = to;
    for (c, column) in block.into_iter().enumerate() {
        if c < columns {
            // SAFETY: as above.
            unsafe { s.store_ptr(column, to.wrapping_add(c * step)) };
        }
    }
}
