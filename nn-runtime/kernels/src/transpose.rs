//! Blocks of up to sixteen rows by sixteen columns, transposed in registers. In: rows in a slice, `stride`
//! numbers apart; out: vectors of columns, or the columns as rows of another slice. Nothing is read or
//! written outside the slices: an index past their end panics.

use crate::simd::{LANES, Simd};

/// Up to sixteen rows of up to sixteen numbers, `stride` apart, as vectors; missing rows and columns are 0.
///
/// # Panics
/// `rows > 16`, `columns > 16`, or `from` is shorter than `(rows - 1) * stride + columns`.
#[inline(always)]
pub(crate) fn load_rows<S: Simd>(s: S, from: &[f32], stride: usize, [rows, columns]: [usize; 2]) -> [S::F; LANES] {
    let mut block = [s.splat(0.0); LANES];
    for (i, row) in block[..rows].iter_mut().enumerate() {
        *row = s.load_part(&from[i * stride..i * stride + columns]);
    }
    block
}

/// The first `columns` numbers of the first `rows` vectors to rows `stride` apart.
///
/// # Panics
/// `rows > 16`, `columns > 16`, or `to` is shorter than `(rows - 1) * stride + columns`.
#[inline(always)]
pub(crate) fn store_rows<S: Simd>(
    s: S,
    block: &[S::F; LANES],
    to: &mut [f32],
    stride: usize,
    [rows, columns]: [usize; 2],
) {
    for (i, row) in block[..rows].iter().enumerate() {
        s.store_part(*row, &mut to[i * stride..i * stride + columns]);
    }
}

/// How a block is transposed: from rows `from_stride` apart to rows `to_stride` apart.
#[derive(Clone, Copy)]
pub(crate) struct Transpose {
    /// Rows of the source, up to sixteen.
    pub rows: usize,
    /// Columns of the source, up to sixteen: the rows that are written.
    pub columns: usize,
    pub from_stride: usize,
    pub to_stride: usize,
    /// Numbers written to each row, from `rows` to sixteen: those past `rows` are 0.
    pub width: usize,
}

/// `to[j * to_stride + i] = from[i * from_stride + j]` for i below `rows` and j below `columns`, and 0 for i
/// from `rows` to `width`.
///
/// # Panics
/// `rows > 16`, `columns > 16`, `width > 16`, or an index lies past the end of its slice.
#[inline(always)]
pub(crate) fn transpose_block<S: Simd>(s: S, t: Transpose, from: &[f32], to: &mut [f32]) {
    let Transpose { rows, columns, from_stride, to_stride, width } = t;
    // A whole block has numbers of rows known at compile time, so that it stays in registers.
    if !cfg!(feature = "small") && rows == LANES && columns == LANES {
        let mut block = load_rows(s, from, from_stride, [LANES; 2]);
        s.transpose(&mut block);
        store_rows(s, &block, to, to_stride, [LANES; 2]);
    } else {
        let mut block = load_rows(s, from, from_stride, [rows, columns]);
        s.transpose(&mut block);
        store_rows(s, &block, to, to_stride, [columns, width]);
    }
}

#[cfg(test)]
mod tests {
    use super::{Transpose, transpose_block};
    use crate::simd::{Isa, Kernel, Simd};
    use alloc::vec;
    use alloc::vec::Vec;

    struct Run<'a>(Transpose, &'a [f32], &'a mut [f32]);

    impl Kernel for Run<'_> {
        type Out = ();
        #[inline(always)]
        fn run<S: Simd>(self, s: S) {
            transpose_block(s, self.0, self.1, self.2);
        }
    }

    #[test]
    fn every_size_of_block_is_transposed_and_nothing_else_is_written() {
        for isa in Isa::available() {
            let step = if cfg!(miri) { 5 } else { 1 };
            for rows in (1..=16).step_by(step) {
                for columns in (1..=16).step_by(step) {
                    for width in [rows, 16] {
                        let (from_stride, to_stride) = (columns + 3, width + 2);
                        let from: Vec<f32> = (1..=(rows - 1) * from_stride + columns).map(|x| x as f32).collect();
                        let mut to = vec![-1.0; columns * to_stride];
                        let t = Transpose { rows, columns, from_stride, to_stride, width };
                        isa.run(Run(t, &from, &mut to));
                        for (at, found) in to.into_iter().enumerate() {
                            let (j, i) = (at / to_stride, at % to_stride);
                            let expected = match i {
                                _ if i < rows => from[i * from_stride + j],
                                _ if i < width => 0.0,
                                _ => -1.0,
                            };
                            assert_eq!(found, expected, "{rows} x {columns} on {}", isa.name());
                        }
                    }
                }
            }
        }
    }
}
