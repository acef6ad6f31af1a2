//! What Muon does with a matrix: all its singular values are brought near 1.
//! Comes in: an `Isa`, a matrix row by row, scratch; goes out: the matrix with its directions kept and their sizes evened out.
//! Never an allocation, and never a matrix with more rows than columns: the caller turns it first.

use super::norm::sum_of_squares;
use crate::matrix::{Panels, backward_input, backward_input_scratch, product};
use crate::simd::{Isa, LANES};

/// The coefficients a, b, c and the number of iterations of [`orthogonalize`], and the least norm that is divided by.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct NewtonSchulz {
    /// Of x, x·xᵀ·x and (x·xᵀ)²·x.
    pub coefficients: (f64, f64, f64),
    /// Iterations.
    pub steps: u32,
    /// What the norm is held at or above.
    pub eps: f64,
}

/// Numbers of scratch that [`orthogonalize`] needs for a matrix of `[rows, cols]`.
///
/// # Panics
/// `rows == 0 || cols == 0`.
pub const fn orthogonalize_scratch(rows: usize, cols: usize) -> usize {
    let (wide, square) = (Panels::new(rows, cols), Panels::new(rows, rows));
    lines(wide.len()) + lines(rows * cols) + lines(square.len()) + 2 * lines(rows * rows) + backward_input_scratch(cols)
}

/// Newton–Schulz: x ← x / max(‖x‖, eps), and then x ← a·x + b·(x·xᵀ)·x + c·(x·xᵀ)²·x so many times.
///
/// `x` is `[rows, cols]`, row by row. Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024.
///
/// # Panics
/// `rows > cols || rows == 0`; `x.len() != rows * cols`; `scratch.len() < orthogonalize_scratch(rows, cols)`.
pub fn orthogonalize(isa: Isa, by: NewtonSchulz, [rows, cols]: [usize; 2], x: &mut [f32], scratch: &mut [f32]) {
    assert!(rows <= cols, "expected a matrix with no more rows than columns, found [{rows}, {cols}]");
    assert!(x.len() == rows * cols, "expected {} numbers, found {}", rows * cols, x.len());
    let (wide, square) = (Panels::new(rows, cols), Panels::new(rows, rows));
    let (panels, scratch) = take(scratch, wide.len());
    let (next, scratch) = take(scratch, rows * cols);
    let (gram_panels, scratch) = take(scratch, square.len());
    let (gram, scratch) = take(scratch, rows * rows);
    let (mixed, scratch) = take(scratch, rows * rows);

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

const fn lines(len: usize) -> usize {
    len.next_multiple_of(LANES)
}

/// The first `len` numbers, and what lies behind them from the next line on.
fn take(scratch: &mut [f32], len: usize) -> (&mut [f32], &mut [f32]) {
    let (taken, rest) = scratch.split_at_mut(lines(len));
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
