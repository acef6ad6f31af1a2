//! Forward: each sample times the weights, plus a bias, cut off at a floor.
//! Comes in: samples and panels; goes out: outputs, one row a sample.
//! Never a padded column in the outputs.

use core::ops::Range;

use super::Panels;
use super::dots::Dots;
use crate::micro::{Broadcast, Depth, Job, Vectors, accumulate, strips, widest};
use crate::simd::{Isa, Kernel, LANES, Simd};

/// `y[s, j] = max(Σ_i x[s, i] · w[i, j] + bias[j], floor)`, for `x` of `[b, rows]` and `y` of `[b, cols]`.
///
/// The sum is one chain of `fma` from i = 0 on, starting at 0; of a [turned](Panels::turned) matrix it is sixteen, of every sixteenth i,
/// added up by pairs of neighbours, of neighbouring pairs, and so on. The bias comes last. A NaN stays a NaN, whatever the floor;
/// `floor = f32::NEG_INFINITY` cuts off nothing, `0.0` makes it a rectified layer.
///
/// ```
/// use nn_kernels::{matrix::{Panels, product}, simd::Isa};
/// let panels = Panels::new(2, 1);
/// let (mut w, mut y) = ([0.0; 32], [0.0; 2]);
/// panels.pack(&[1.0, -2.0], &mut w);
/// product(Isa::detect(), panels, &[3.0, 1.0, 0.0, 1.0], &w, Some(&[0.5]), 0.0, &mut y);
/// assert_eq!(y, [1.5, 0.0]);
/// ```
///
/// # Panics
/// `x.len() != b * rows || y.len() != b * cols` for every `b`; `w.len() != p.len()`; `bias.len() != cols`.
pub fn product(isa: Isa, p: Panels, x: &[f32], w: &[f32], bias: Option<&[f32]>, floor: f32, y: &mut [f32]) {
    let batch = p.batch(x, y);
    p.check_storage(w);
    if let Some(bias) = bias {
        assert!(bias.len() == p.cols, "expected a bias of {} numbers, found {}", p.cols, bias.len());
    }
    isa.run(Product { p, batch, x, w, bias, floor, y });
}

/// Weights gone through at a time: a quarter of a cache of two megabytes.
const CACHE: usize = 1 << 17;

/// [`product`] within a kernel. Whoever makes one has checked the lengths.
pub(crate) struct Product<'a> {
    pub p: Panels,
    pub batch: usize,
    pub x: &'a [f32],
    pub w: &'a [f32],
    pub bias: Option<&'a [f32]>,
    pub floor: f32,
    pub y: &'a mut [f32],
}

impl Kernel for Product<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let p = self.p;
        if p.turned {
            return Dots(self).run(s);
        }
        let mut job = Columns {
            p,
            x: self.x.as_ptr(),
            w: self.w.as_ptr(),
            bias: self.bias,
            floor: self.floor,
            y: self.y.as_mut_ptr(),
            first: 0,
            vectors: 0,
            width: Panels::WIDTH,
        };
        let wide = p.count() - usize::from(p.width(p.count() - 1) < Panels::WIDTH);
        // So many vectors of columns that the weights stay in the cache until the last rows have seen them.
        let at_once = CACHE / (LANES * p.rows);
        // All vectors of the wide panels, as many side by side as the batch leaves registers for.
        let mut vectors = widest(S::REGISTERS, self.batch);
        let mut done = 0;
        while done < 2 * wide {
            let fitting = (2 * wide - done).min(at_once.max(vectors)) / vectors * vectors;
            if fitting != 0 {
                (job.first, job.vectors) = (done, fitting);
                // SAFETY: `product` has checked the lengths, and the vectors end with the last wide panel.
                unsafe { strips(s, job, 0..self.batch, vectors) };
                done += fitting;
            } else {
                vectors /= 2;
            }
        }
        if wide < p.count() {
            (job.first, job.vectors, job.width) = (done, 1, LANES);
            // SAFETY: `product` has checked the lengths, and the one vector is the last panel.
            unsafe { strips(s, job, 0..self.batch, 1) };
        }
    }
}

/// The outputs in `vectors` vectors of columns from vector `first` on, all of them in panels of `width`.
#[derive(Clone, Copy)]
pub(super) struct Columns<'a> {
    pub p: Panels,
    pub x: *const f32,
    pub w: *const f32,
    pub bias: Option<&'a [f32]>,
    pub floor: f32,
    pub y: *mut f32,
    pub first: usize,
    pub vectors: usize,
    pub width: usize,
}

impl Job for Columns<'_> {
    const WIDEST: usize = 4;
    const TALLEST: usize = 12;

    #[inline(always)]
    unsafe fn strip<S: Simd, const R: usize, const V: usize>(self, s: S, rows: Range<usize>) {
        let Panels { rows: depth, cols, .. } = self.p;
        let floor = s.splat(self.floor);
        for vector in (self.first..self.first + self.vectors).step_by(V) {
            let column = vector * LANES;
            // What changes no sum, not even that of zeros below 0.
            let mut bias = [s.splat(-0.0); V];
            if let Some(from) = self.bias {
                for (v, bias) in bias.iter_mut().enumerate() {
                    *bias = s.load_part(&from[(column + v * LANES).min(cols)..]);
                }
            }
            let b = Vectors {
                at: self.w.wrapping_add(self.p.offset(vector / 2) + vector % 2 * LANES),
                step: self.width,
                pair: self.p.offset(1),
                lanes: LANES,
            };
            for row in rows.clone().step_by(R) {
                let a = Broadcast { at: self.x.wrapping_add(row * depth), row: depth, step: 1, run: 0 };
                let zero = [[s.splat(0.0); V]; R];
                // SAFETY: rows below the batch have `depth` inputs each, and panels have `depth` rows with these vectors.
                let sums = unsafe { accumulate::<S, R, V, false>(s, zero, a, b, Depth::once(depth)) };
                let to = self.y.wrapping_add(row * cols + column);
                if column + V * LANES <= cols {
                    for (r, sums) in sums.into_iter().enumerate() {
                        for (v, sum) in sums.into_iter().enumerate() {
                            // The floor first: where the other is NaN, `max` gives the second.
                            let value = s.max(floor, s.add(sum, bias[v]));
                            // SAFETY: the row has these columns.
                            unsafe { s.store_ptr(value, to.wrapping_add(r * cols + v * LANES)) };
                        }
                    }
                } else {
                    for (r, sums) in sums.into_iter().enumerate() {
                        for (v, sum) in sums.into_iter().enumerate() {
                            let value = s.max(floor, s.add(sum, bias[v]));
                            let from = (v * LANES).min(cols - column);
                            let to = to.wrapping_add(r * cols + from);
                            let lanes = (cols - column - from).min(LANES);
                            // SAFETY: the row has this many columns from there on.
                            s.store_part(value, unsafe { core::slice::from_raw_parts_mut(to, lanes) });
                        }
                    }
                }
            }
        }
    }
}
