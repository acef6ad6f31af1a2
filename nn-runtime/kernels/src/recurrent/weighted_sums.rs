//! Weighted sums of rows: the gradients of recurrent biases, and of weights from a single input. In: rows,
//! and a weight for each. Out: sums in the order of the rows, added to what is there, whatever columns are
//! asked for.

use core::ops::Range;

use crate::simd::{Isa, Kernel, LANES, Simd};

/// `d[j] += Σ_r x[r] · dy[r, j]` for the columns j in `range`, for `dy` of `[rows, cols]`; without `x` every
/// weight is 1.
///
/// The sum is one chain of `fma` in the order of the rows, starting at what is there; of a `block`, at 0, and
/// then added to what is there.
///
/// # Panics
/// `dy.len()` is no multiple of `cols`; `x` has another length than there are rows; `range.end > cols`;
/// `d.len() != range.len()`.
pub fn weighted_sums(
    isa: Isa,
    cols: usize,
    x: Option<&[f32]>,
    dy: &[f32],
    range: Range<usize>,
    d: &mut [f32],
    block: bool,
) {
    let rows = dy.len() / cols;
    assert!(dy.len() == rows * cols, "expected rows of {cols} numbers, found {} numbers", dy.len());
    let found = x.map_or(rows, <[f32]>::len);
    assert!(found == rows, "expected a number for each of {rows} rows, found {found}");
    assert!(
        range.start <= range.end && range.end <= cols && d.len() == range.len(),
        "expected a range of 0..{cols} and as many numbers, found {range:?} and {}",
        d.len()
    );
    let (x, step) = match x {
        Some(x) => (x, 1),
        None => (&[1.0][..], 0),
    };
    isa.run(WeightedSums { cols, x, step, dy, start: range.start, d, block });
}

struct WeightedSums<'a> {
    cols: usize,
    x: &'a [f32],
    /// From the weight of a row to that of the next: 0 where all are the same.
    step: usize,
    dy: &'a [f32],
    start: usize,
    d: &'a mut [f32],
    block: bool,
}

impl Kernel for WeightedSums<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) {
        let mut done = 0;
        // As many chains as hide the latency of an addition and fit in registers.
        if const { S::REGISTERS >= 32 } {
            done = self.vectors::<S, 8>(s, done);
        }
        if const { S::REGISTERS >= 8 } {
            done = self.vectors::<S, 4>(s, done);
        }
        done = self.vectors::<S, 1>(s, done);
        let (from, left) = (self.start + done, self.d.len() - done);
        if left > 0 {
            let there = s.load_part(&self.d[done..]);
            let mut sum = if self.block { s.splat(0.0) } else { there };
            for (r, dy) in self.dy.chunks_exact(self.cols).enumerate() {
                sum = s.fma(s.splat(self.x[r * self.step]), s.load_part(&dy[from..from + left]), sum);
            }
            s.store_part(if self.block { s.add(there, sum) } else { sum }, &mut self.d[done..]);
        }
    }
}

impl WeightedSums<'_> {
    /// The sums from `done` on, `V` vectors at a time as long as there are as many; returns how many are
    /// done.
    #[inline(always)]
    fn vectors<S: Simd, const V: usize>(&mut self, s: S, done: usize) -> usize {
        let mut at = done;
        while at + V * LANES <= self.d.len() {
            let (to, from) = (&mut self.d[at..at + V * LANES], self.start + at);
            let mut sums = [s.splat(0.0); V];
            for (sum, to) in sums.iter_mut().zip(to.as_chunks().0).filter(|_| !self.block) {
                *sum = s.load(to);
            }
            for (r, dy) in self.dy.chunks_exact(self.cols).enumerate() {
                let x = s.splat(self.x[r * self.step]);
                for (sum, dy) in sums.iter_mut().zip(dy[from..from + V * LANES].as_chunks().0) {
                    *sum = s.fma(x, s.load(dy), *sum);
                }
            }
            for (sum, to) in sums.into_iter().zip(to.as_chunks_mut().0) {
                s.store(if self.block { s.add(s.load(to), sum) } else { sum }, to);
            }
            at += V * LANES;
        }
        at
    }
}
