//! Matrix products of bytes: rows of codes times panels of weights. Sums of integers are the same in any
//! order, so tiles and chains are cut as registers allow.

use super::panels::{DEEP, Int8Panels, WIDTH, store_part};
use super::requantize::Requantize;
use crate::simd::int8::{Int8Kernel, Int8Simd};
use crate::simd::{Isa, Simd};

/// A product of `rows` rows: row r of the input begins at r · `x_stride`, that of the output at
/// r · `y_stride`.
pub struct Int8Product<'a> {
    /// The matrix.
    pub panels: Int8Panels,
    /// How many rows there are.
    pub rows: usize,
    /// Codes, `depth` in a row.
    pub x: &'a [u8],
    /// From one row of the input to the next.
    pub x_stride: usize,
    /// Weights, as [`Int8Panels::pack`] lays them.
    pub w: &'a [i8],
    /// What becomes of the sums.
    pub requantize: Requantize<'a>,
    /// Codes, `outputs` in a row.
    pub y: &'a mut [u8],
    /// From one row of the output to the next.
    pub y_stride: usize,
}

/// `y[r, j] = requantize(Σ_i x[r, i] · w[j, i] + bias[j])`.
///
/// ```
/// use nn_kernels::int8::{Int8Panels, Int8Product, Requantize, product};
/// let panels = Int8Panels::new(3, 1);
/// let (mut w, mut y) = ([0; 64], [0]);
/// panels.pack(&[1, -2, 3], &mut w);
/// let requantize = Requantize { bias: &[5; 16], scale: &[0.5; 16], zero: 10, bounds: [0, 255] };
/// let product_of = Int8Product { panels, rows: 1, x: &[7, 8, 9], x_stride: 3, w: &w, requantize, y: &mut y,
/// y_stride: 1 }; product(nn_kernels::simd::Isa::detect(), product_of);
/// assert_eq!(y, [10 + 12]); // (7 - 16 + 27 + 5) / 2 is 11.5, and the tie goes to the even one
/// ```
///
/// # Panics
/// `x`, `y`, the weights, biases or scales are shorter than all rows and panels.
pub fn product(isa: Isa, product: Int8Product) {
    let Int8Product { panels, rows, x, x_stride, w, requantize, ref y, y_stride } = product;
    if rows == 0 {
        return;
    }
    let last = rows - 1;
    assert!(
        x.len() >= last * x_stride + panels.depth() && y.len() >= last * y_stride + panels.outputs(),
        "expected {rows} rows of {} inputs and {} outputs, found {} and {} bytes",
        panels.depth(),
        panels.outputs(),
        x.len(),
        y.len()
    );
    assert!(w.len() == panels.len(), "expected {} bytes of weights, found {}", panels.len(), w.len());
    requantize.check(panels.padded_outputs());
    isa.run_int8(product);
}

impl Int8Kernel for Int8Product<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Int8Simd>(mut self, s: S) {
        let mut row = 0;
        if const { S::TILE >= 4 } {
            while row + 4 <= self.rows {
                self.panels_of::<S, 4>(s, row);
                row += 4;
            }
        }
        while row + 2 <= self.rows {
            self.panels_of::<S, 2>(s, row);
            row += 2;
        }
        if row < self.rows {
            self.panels_of::<S, 1>(s, row);
        }
    }
}

impl Int8Product<'_> {
    /// All panels of `R` rows, as many at a time as there is room for.
    #[inline(always)]
    fn panels_of<S: Int8Simd, const R: usize>(&mut self, s: S, row: usize) {
        let count = self.panels.padded_outputs() / WIDTH;
        let mut first = 0;
        while first < count {
            let width = self.panels.group(first);
            let mut at = 0;
            macro_rules! at_a_time {
                ($v:literal, $chains:literal) => {
                    if const { R * $v * $chains <= S::TILE || $v * $chains == 1 } {
                        while width - at >= $v {
                            self.tile::<S, R, $v, $chains>(s, row, [first, width, at]);
                            at += $v;
                        }
                    }
                };
            }
            // Where there is one row, several chains of sums hide the latency of their additions.
            at_a_time!(8, 1);
            at_a_time!(4, 2);
            at_a_time!(4, 1);
            at_a_time!(2, 4);
            at_a_time!(2, 1);
            at_a_time!(1, 8);
            at_a_time!(1, 4);
            at_a_time!(1, 2);
            at_a_time!(1, 1);
            first += width;
        }
    }

    /// `R` rows of `V` panels from `at` of the group of so many panels that begins at `first`, each sum in
    /// `C` chains.
    #[inline(always)]
    fn tile<S: Int8Simd, const R: usize, const V: usize, const C: usize>(
        &mut self,
        s: S,
        row: usize,
        [first, width, at]: [usize; 3],
    ) {
        let (depth, blocks) = (self.panels.depth(), self.panels.blocks());
        let whole = depth / DEEP;
        let group = &self.w.as_chunks::<{ DEEP * WIDTH }>().0[first * blocks..][..width * blocks];
        let (group, last) = group.split_at(whole * width);
        let mut rows = [&self.x[..0]; R];
        let mut inputs = [&self.x.as_chunks::<DEEP>().0[..0]; R];
        for r in 0..R {
            rows[r] = &self.x[(row + r) * self.x_stride..][..depth];
            inputs[r] = &rows[r].as_chunks::<DEEP>().0[..whole];
        }
        let mut sums = [[[s.no_sums(); C]; V]; R];
        let mut k = 0;
        let mut steps = group.chunks_exact(C * width);
        for weights in &mut steps {
            for c in 0..C {
                let weights = &weights[c * width + at..][..V];
                for r in 0..R {
                    let x = inputs[r][k + c];
                    for v in 0..V {
                        sums[r][v][c] = s.add_products(sums[r][v][c], x, &weights[v]);
                    }
                }
            }
            k += C;
        }
        for weights in steps.remainder().chunks_exact(width) {
            for r in 0..R {
                for v in 0..V {
                    sums[r][v][0] = s.add_products(sums[r][v][0], inputs[r][k], &weights[at + v]);
                }
            }
            k += 1;
        }
        if !last.is_empty() {
            for r in 0..R {
                let mut x = [0; DEEP];
                x[..depth - whole * DEEP].copy_from_slice(&rows[r][whole * DEEP..]);
                for v in 0..V {
                    sums[r][v][0] = s.add_products(sums[r][v][0], x, &last[at + v]);
                }
            }
        }
        for (r, sums) in sums.into_iter().enumerate() {
            for (v, chains) in sums.into_iter().enumerate() {
                let mut total = s.total(chains[0]);
                for more in &chains[1..] {
                    total = s.base().add_i(total, s.total(*more));
                }
                self.store(s, row + r, first + at + v, total);
            }
        }
    }

    #[inline(always)]
    fn store<S: Int8Simd>(&mut self, s: S, row: usize, panel: usize, total: <S::Base as Simd>::I) {
        let codes = self.requantize.panel(panel).codes(s, total);
        let left = WIDTH.min(self.panels.outputs() - panel * WIDTH);
        store_part(codes, &mut self.y[row * self.y_stride + panel * WIDTH..][..left]);
    }
}
