//! Sums over so many rows that one chain of `f32` would lose digits: blocks of rows are summed by themselves,
//! and added with what rounding loses. In: how many rows, at which of them blocks may begin, and a function
//! that sums some rows. Out: the sums, added to what is there; equal terms to within about 1e-6.

use core::ops::Range;

use crate::simd::{Isa, Kernel, LANES, Simd};

/// Rows whose sum is one chain. Rounding adds at most half a unit in the last place of the partial sum a
/// term, so that a chain of n equal terms is exact to `n / 2 · 2⁻²⁴`.
pub const BLOCK: usize = 64;

/// The most rows whose blocks are added to what is there one after the other.
const LONG: usize = 1024;

/// Rows whose sum is added with what rounding loses, where there are more, of a kernel that makes blocks.
const LONG_BLOCK: usize = 512;

/// Sums that are computed at a time: a multiple of every alignment that a range of sums may need. Where size
/// counts before speed, so does the stack's.
const PIECE: usize = if cfg!(feature = "small") { SMALL_PIECE } else { 2048 };

/// The same where a kernel prepares each sample anew for every range that it is asked for, and of few sums.
const LARGE_PIECE: usize = if cfg!(feature = "small") { SMALL_PIECE } else { 8192 };
const SMALL_PIECE: usize = 256;

/// Terms, each a sum already, that are one chain.
const FEW_TERMS: usize = 16;

/// Samples, each of which is a sum already, whose sums are one chain: shorter than [`BLOCK`], as another
/// chain lies within each.
const SAMPLES: usize = 32;

/// What a kernel does with sums over rows.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Sums {
    /// What is there is overwritten, not added to.
    pub overwrite: bool,
    /// [`BLOCK`] rows at a time, from the first on, are summed by themselves; else one chain through all rows
    /// continues what is there.
    pub blocks: bool,
}

/// Sums some rows: which, of which sums, to where, and whether in blocks.
type SumBlocks<'a> = dyn FnMut(Range<usize>, Range<usize>, &mut [f32], bool) + 'a;

/// The same by a kernel that makes no blocks.
type SumRows<'a> = dyn FnMut(Range<usize>, Range<usize>, &mut [f32]) + 'a;

/// Sums over rows.
#[derive(Clone, Copy, Debug)]
pub struct RowSums {
    /// What to compute with.
    pub isa: Isa,
    /// How many rows.
    pub rows: usize,
    /// Blocks begin anew after so many rows, wherever the rows of a batch are divided; 0 where one chain
    /// continues what is there.
    pub unit: usize,
}

impl RowSums {
    /// `to[i] += Σ sum(rows, i)`, by a kernel that makes blocks. `sum(rows, range, to, blocks)` adds these
    /// rows to the sums of a range.
    ///
    /// The result follows from the rows and the unit alone, whatever part of the sums `to` is.
    #[inline]
    pub fn add(self, to: &mut [f32], mut sum: impl FnMut(Range<usize>, Range<usize>, &mut [f32], bool)) {
        match self.at_once() {
            Some(blocks) => sum(0..self.rows, 0..to.len(), to, blocks),
            None => self.add_units(to, &mut sum),
        }
    }

    // Once for all kernels, as all below that is for many rows: none is compiled again for it.
    #[inline(never)]
    fn add_units(self, to: &mut [f32], sum: &mut SumBlocks) {
        for rows in self.units() {
            match rows.len() <= LONG {
                true => sum(rows, 0..to.len(), to, true),
                false => self.add_exactly::<PIECE>(rows, LONG_BLOCK, to, &mut |rows, of, to| sum(rows, of, to, true)),
            }
        }
    }

    /// Whether a kernel that makes blocks sums all rows at once, and if it does, whether it makes blocks of
    /// them.
    #[inline(always)]
    pub(crate) fn at_once(self) -> Option<bool> {
        let few = self.rows != 0 && self.rows <= self.unit.min(LONG);
        (few || self.unit == 0 || self.unit == BLOCK).then_some(self.unit != 0)
    }

    /// The same by a kernel that makes no blocks, asked for so many rows at a time.
    #[inline]
    pub fn add_by_blocks(
        self,
        block: usize,
        to: &mut [f32],
        mut sum: impl FnMut(Range<usize>, Range<usize>, &mut [f32]),
    ) {
        if self.unit == 0 || self.unit == usize::MAX && self.rows <= block {
            return sum(0..self.rows, 0..to.len(), to);
        }
        self.add_units_exactly::<PIECE>(block, to, &mut sum);
    }

    /// The same of rows that are samples, of each of which the kernel makes a sum before it adds it.
    #[inline]
    pub fn add_samples(self, to: &mut [f32], mut sum: impl FnMut(Range<usize>, Range<usize>, &mut [f32])) {
        if self.unit == 0 || self.unit == usize::MAX && self.rows <= SAMPLES {
            return sum(0..self.rows, 0..to.len(), to);
        }
        match to.len() {
            ..=SMALL_PIECE => self.add_units_exactly::<SMALL_PIECE>(SAMPLES, to, &mut sum),
            _ => self.add_units_exactly::<LARGE_PIECE>(SAMPLES, to, &mut sum),
        }
    }

    #[inline(never)]
    fn add_units_exactly<const PIECE: usize>(self, block: usize, to: &mut [f32], sum: &mut SumRows) {
        for rows in self.units() {
            self.add_exactly::<PIECE>(rows, block, to, sum);
        }
    }

    /// Whether [`add`](RowSums::add) may sum rows elsewhere before it adds them, so that none of what is
    /// there can be overwritten.
    pub fn adds_elsewhere(self) -> bool {
        self.unit != 0 && self.unit != BLOCK && self.rows.min(self.unit) > LONG
    }

    /// The rows between the places where blocks begin anew.
    pub fn units(self) -> impl Iterator<Item = Range<usize>> {
        let (rows, unit) = (self.rows, if self.unit == 0 { usize::MAX } else { self.unit });
        (0..rows).step_by(unit.min(rows.max(1))).map(move |first| first..rows.min(first.saturating_add(unit)))
    }

    // Never inlined: where there are few rows, nobody needs so large a frame.
    #[inline(never)]
    fn add_exactly<const PIECE: usize>(self, rows: Range<usize>, block: usize, to: &mut [f32], sum: &mut SumRows) {
        let (mut sums, mut excess) = ([0.0f32; PIECE], [0.0f32; PIECE]);
        for start in (0..to.len()).step_by(PIECE) {
            let of = start..to.len().min(start + PIECE);
            let (sums, excess, to) = (&mut sums[..of.len()], &mut excess[..of.len()], &mut to[of.clone()]);
            excess.fill(0.0);
            for first in rows.clone().step_by(block) {
                sums.fill(0.0);
                sum(first..rows.end.min(first + block), of.clone(), sums);
                self.isa.run(AddExactly { sums, to, excess });
            }
        }
    }
}

/// `to[i] += Σ term[i]`, of terms that are sums themselves, in their order: many with what rounding loses.
#[inline]
pub fn add_each<'a>(isa: Isa, terms: impl Iterator<Item = &'a [f32]> + Clone, to: &mut [f32]) {
    match terms.clone().nth(FEW_TERMS) {
        None => terms.for_each(|term| isa.add(term, to)),
        Some(_) => add_many(isa, terms, to),
    }
}

#[inline(never)]
fn add_many<'a>(isa: Isa, terms: impl Iterator<Item = &'a [f32]> + Clone, to: &mut [f32]) {
    let mut excess = [0.0; PIECE];
    for (piece, to) in to.chunks_mut(PIECE).enumerate() {
        let excess = &mut excess[..to.len()];
        excess.fill(0.0);
        for term in terms.clone() {
            isa.run(AddExactly { sums: &term[piece * PIECE..][..to.len()], to, excess });
        }
    }
}

/// Kahan's compensated sum: `excess` is how much larger each total is than what has been added.
struct AddExactly<'a> {
    sums: &'a [f32],
    to: &'a mut [f32],
    excess: &'a mut [f32],
}

impl Kernel for AddExactly<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let places = self.to.chunks_mut(LANES).zip(self.excess.chunks_mut(LANES));
        for (sums, (to, excess)) in self.sums.chunks(LANES).zip(places) {
            let total = s.load_part(to);
            let term = s.sub(s.load_part(sums), s.load_part(excess));
            let next = s.add(total, term);
            s.store_part(s.sub(s.sub(next, total), term), excess);
            s.store_part(next, to);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::{Panels, backward_bias, backward_weight};
    use std::{vec, vec::Vec};

    /// Gradients of a matrix and its biases over equal rows, in ranges of so many, continuing `there`.
    fn gradients(sums: RowSums, p: Panels, piece: usize, there: f32) -> [Vec<f32>; 2] {
        let (rows, cols) = (p.rows(), p.cols());
        let (x, dy) = (vec![0.1; sums.rows * rows], vec![0.1; sums.rows * cols]);
        let (mut dw, mut db) = (vec![there; p.len()], vec![there; cols]);
        for from in (0..dw.len()).step_by(piece) {
            let range = from..p.len().min(from + piece);
            sums.add(&mut dw[range.clone()], |at, of, dw, blocks| {
                let (x, dy) = (&x[at.start * rows..at.end * rows], &dy[at.start * cols..at.end * cols]);
                let sums = Sums { overwrite: false, blocks };
                backward_weight(Isa::detect(), p, x, dy, from + of.start..from + of.end, dw, sums);
            });
        }
        sums.add(&mut db, |at, of, db, blocks| {
            backward_bias(Isa::detect(), cols, &dy[at.start * cols..at.end * cols], of, db, blocks);
        });
        let mut standard = vec![0.0; rows * cols];
        p.unpack(&dw, &mut standard);
        [standard, db]
    }

    #[test]
    fn equal_terms_add_up_whatever_the_unit() {
        let many = if cfg!(miri) { 1500 } else { 50_000 };
        for (rows, unit) in [
            (0, 1),
            (1, usize::MAX),
            (65, usize::MAX),
            (1024, usize::MAX),
            (many, usize::MAX),
            (2000, BLOCK),
            (2000, 100),
            (9000, 3000),
        ] {
            let p = Panels::new(9, 33);
            let sums = RowSums { isa: Isa::detect(), rows, unit };
            let [dw, db] = gradients(sums, p, p.len(), 1.0);
            let tenth = f64::from(0.1_f32);
            for (found, each) in [(&dw, tenth * tenth), (&db, tenth)] {
                let truth = 1.0 + rows as f64 * each;
                for found in found {
                    let off = (f64::from(*found) - truth).abs() / truth;
                    assert!(off <= 1.5e-6, "{rows} rows by {unit}: {found}, expected {truth}, off by {off:e}");
                }
            }
            assert_eq!(gradients(sums, p, Panels::SPLIT_ALIGN, 1.0), [dw, db], "in pieces");
            let mut plain = [1.0];
            sums.add_by_blocks(BLOCK, &mut plain, |rows, _, to| rows.for_each(|_| to[0] += 0.1));
            let truth = 1.0 + rows as f64 * tenth;
            assert!((f64::from(plain[0]) - truth).abs() <= 1.5e-6 * truth, "{rows} rows by {unit}: {}", plain[0]);
        }
    }

    #[test]
    fn a_batch_divided_at_a_unit_has_the_bits_of_the_whole() {
        let p = Panels::new(5, 17);
        for unit in [0, 16, BLOCK, 512, 2048] {
            let [whole, first, second] = [3500, 2048, 1452].map(|rows| RowSums { isa: Isa::detect(), rows, unit });
            let mut once = vec![0.0; p.len()];
            let mut twice = once.clone();
            let x: Vec<f32> = (0..3500 * 5).map(|i| (i as f32).sin()).collect();
            let dy: Vec<f32> = (0..3500 * 17).map(|i| (i as f32).cos()).collect();
            let add = |sums: RowSums, first: usize, dw: &mut [f32]| {
                sums.add(dw, |at, of, dw, blocks| {
                    let (x, dy) = (
                        &x[(first + at.start) * 5..(first + at.end) * 5],
                        &dy[(first + at.start) * 17..(first + at.end) * 17],
                    );
                    backward_weight(sums.isa, p, x, dy, of, dw, Sums { overwrite: false, blocks });
                });
            };
            add(whole, 0, &mut once);
            add(first, 0, &mut twice);
            add(second, 2048, &mut twice);
            assert_eq!(once, twice, "{unit}");
        }
    }
}
