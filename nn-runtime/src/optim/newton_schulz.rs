//! What Muon does with a matrix: all its singular values are brought near 1, its directions are kept. In: an
//! `Isa`, a matrix row by row with no more rows than columns, scratch; out: the matrix. Nothing is allocated.

use nn_kernels::matrix::{Panels, backward_input, backward_input_scratch, product};
use nn_kernels::reduce::sum_of_squares;
use nn_kernels::simd::{Isa, LANES};

/// Settings of [`orthogonalize`].
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct NewtonSchulz {
    /// a, b and c: of x, x·xᵀ·x and (x·xᵀ)²·x.
    pub(super) coefficients: (f64, f64, f64),
    /// Iterations.
    pub(super) steps: u32,
    /// What the norm is held at or above.
    pub(super) eps: f64,
}

impl NewtonSchulz {
    /// The coefficients of the paper: singular values come near 1.
    pub(super) const COEFFICIENTS: (f64, f64, f64) = (3.4445, -4.775, 2.0315);
}

/// Numbers of scratch that [`orthogonalize`] needs for a matrix of `[rows, cols]`.
///
/// # Panics
/// `rows == 0 || cols == 0`.
pub(super) const fn orthogonalize_scratch(rows: usize, cols: usize) -> usize {
    let (wide, square) = (Panels::new(rows, cols), Panels::new(rows, rows));
    padded(wide.len())
        + padded(rows * cols)
        + padded(square.len())
        + 2 * padded(rows * rows)
        + backward_input_scratch(cols)
}

/// Newton–Schulz: x ← x / max(‖x‖, eps), and then x ← a·x + b·(x·xᵀ)·x + c·(x·xᵀ)²·x so many times.
///
/// `x` is `[rows, cols]`, row by row. Jordan et al., "Muon: An optimizer for hidden layers in neural
/// networks", 2024.
///
/// # Panics
/// `rows > cols || rows == 0`; `x.len() != rows * cols`; `scratch.len() < orthogonalize_scratch(rows, cols)`.
pub(super) fn orthogonalize(isa: Isa, by: NewtonSchulz, [rows, cols]: [usize; 2], x: &mut [f32], scratch: &mut [f32]) {
    assert!(rows <= cols, "expected a matrix with no more rows than columns, found [{rows}, {cols}]");
    assert!(x.len() == rows * cols, "expected {} numbers, found {}", rows * cols, x.len());
    let (wide, square) = (Panels::new(rows, cols), Panels::new(rows, rows));
    let (panels, scratch) = split_off(scratch, wide.len());
    let (next, scratch) = split_off(scratch, rows * cols);
    let (gram_panels, scratch) = split_off(scratch, square.len());
    let (gram, scratch) = split_off(scratch, rows * rows);
    let (mixed, scratch) = split_off(scratch, rows * rows);

    let (a, b, c) = by.coefficients;
    isa.scale((1.0 / libm::sqrt(sum_of_squares(isa, x)).max(by.eps)) as f32, x);
    for _ in 0..by.steps {
        into_panels(wide, x, panels);
        backward_input(isa, wide, x, panels, gram, scratch);
        into_panels(square, gram, gram_panels);
        product(isa, square, gram, gram_panels, None, f32::NEG_INFINITY, mixed);
        isa.scale(c as f32, mixed);
        isa.axpy(b as f32, gram, mixed);
        product(isa, wide, mixed, panels, None, f32::NEG_INFINITY, next);
        isa.scale(a as f32, x);
        isa.add(next, x);
    }
}

const fn padded(len: usize) -> usize {
    len.next_multiple_of(LANES)
}

/// The first `len` numbers, and what lies behind them from the next whole vector on.
fn split_off(scratch: &mut [f32], len: usize) -> (&mut [f32], &mut [f32]) {
    let (taken, rest) = scratch.split_at_mut(padded(len));
    (&mut taken[..len], rest)
}

/// Lays the matrix `[rows, cols]`, row by row, out in panels of columns.
fn into_panels(panels: Panels, x: &[f32], to: &mut [f32]) {
    for p in 0..panels.count() {
        let (from, width) = (p * Panels::WIDTH, panels.width(p));
        let used = width.min(panels.cols() - from);
        let to = &mut to[panels.offset(p)..][..panels.rows() * width];
        for (to, x) in to.chunks_exact_mut(width).zip(x.chunks_exact(panels.cols())) {
            to[..used].copy_from_slice(&x[from..from + used]);
            to[used..].fill(0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    /// Beside the same in double precision: row by row, without panels.
    #[test]
    fn matrices_are_made_orthogonal() {
        for [rows, cols] in [[1, 1], [1, 17], [3, 5], [15, 16], [16, 33], [17, 70], [40, 41]] {
            let by = NewtonSchulz { coefficients: (3.4445, -4.775, 2.0315), steps: 5, eps: 1e-7 };
            let start: Vec<f32> = (0..rows * cols).map(|i| ((i * i * 31 + i * 7) % 97) as f32 / 48.0 - 1.0).collect();
            let mut truth: Vec<f64> = start.iter().map(|&x| f64::from(x)).collect();
            let norm = truth.iter().map(|x| x * x).sum::<f64>().sqrt();
            truth.iter_mut().for_each(|x| *x /= norm);
            for _ in 0..by.steps {
                let gram: Vec<f64> = (0..rows * rows)
                    .map(|i| (0..cols).map(|k| truth[i / rows * cols + k] * truth[i % rows * cols + k]).sum())
                    .collect();
                let square =
                    |i: usize| (0..rows).map(|k| gram[i / rows * rows + k] * gram[k * rows + i % rows]).sum::<f64>();
                let (a, b, c) = by.coefficients;
                let mixed: Vec<f64> = (0..rows * rows).map(|i| b * gram[i] + c * square(i)).collect();
                let of =
                    |i: usize| (0..rows).map(|k| mixed[i / cols * rows + k] * truth[k * cols + i % cols]).sum::<f64>();
                truth = (0..rows * cols).map(|i| a * truth[i] + of(i)).collect();
            }
            for isa in Isa::available() {
                let mut x = start.clone();
                let mut scratch = vec![f32::NAN; orthogonalize_scratch(rows, cols)];
                orthogonalize(isa, by, [rows, cols], &mut x, &mut scratch);
                let gap = x.iter().zip(&truth).map(|(&x, t)| (f64::from(x) - t).powi(2)).sum::<f64>().sqrt();
                let size = truth.iter().map(|t| t * t).sum::<f64>().sqrt();
                assert!(gap <= 1e-5 * size, "{} [{rows}, {cols}]: {:.1e}", isa.name(), gap / size);
                // No row is longer than the largest singular value, and these iterations bring that to 0.7 to
                // 1.2.
                let longest =
                    x.chunks(cols).map(|row| row.iter().map(|x| x * x).sum::<f32>().sqrt()).fold(0.0, f32::max);
                assert!((0.6..1.25).contains(&longest), "{} [{rows}, {cols}]: {longest}", isa.name());
            }
        }
        let mut zero = [0.0; 6];
        let by = NewtonSchulz { coefficients: (3.4445, -4.775, 2.0315), steps: 5, eps: 1e-7 };
        orthogonalize(Isa::detect(), by, [2, 3], &mut zero, &mut vec![0.0; orthogonalize_scratch(2, 3)]);
        assert_eq!(zero, [0.0; 6], "what has no direction gets none");
    }
}
