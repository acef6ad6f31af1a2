//! Sums of many terms that stay exact to the last bits or so: short chains of `f32`, added up with what
//! rounding lost (Kahan's compensated sum), or in `f64`. Vectors come in; totals go out.

use crate::simd::{LANES, Simd};

/// Terms up to which sums of chains are added as they are: to keep what rounding loses would cost more than
/// it gains.
const LONG_SUM: usize = 1024;

/// Terms of a chain. Rounding adds at most half a unit in the last place of the partial sum a term, so that a
/// chain of n equal terms is exact to `n / 2 · 2⁻²⁴`.
pub(crate) const SUM_CHUNK: usize = 64;

/// The totals of a tile of sums of so many terms.
pub(crate) struct ChainedTile<S: Simd, const R: usize, const V: usize> {
    totals: [[S::F; V]; R],
    /// How much larger each total is than what has been added; of few chains it is not known.
    excess: [[S::F; V]; R],
    long: bool,
    empty: bool,
}

impl<S: Simd, const R: usize, const V: usize> ChainedTile<S, R, V> {
    #[inline(always)]
    pub(crate) fn zero(s: S, terms: usize) -> Self {
        let zero = [[s.splat(0.0); V]; R];
        ChainedTile { totals: zero, excess: zero, long: terms > LONG_SUM, empty: true }
    }

    #[inline(always)]
    pub(crate) fn add(&mut self, s: S, sums: [[S::F; V]; R]) {
        if self.empty {
            (self.totals, self.empty) = (sums, false);
            return;
        }
        let rows = self.totals.iter_mut().zip(&mut self.excess).zip(sums);
        for ((totals, excess), sums) in rows {
            for ((total, excess), sum) in totals.iter_mut().zip(excess).zip(sums) {
                if self.long {
                    let term = s.sub(sum, *excess);
                    let next = s.add(*total, term);
                    (*excess, *total) = (s.sub(s.sub(next, *total), term), next);
                } else {
                    *total = s.add(*total, sum);
                }
            }
        }
    }

    #[inline(always)]
    pub(crate) fn totals(self) -> [[S::F; V]; R] {
        self.totals
    }
}

/// Sums lane by lane, in `f64` after a few terms each.
pub(crate) struct WideSum<S: Simd> {
    chain: S::F,
    terms: usize,
    widened: bool,
    totals: [f64; LANES],
}

impl<S: Simd> WideSum<S> {
    /// Terms that are added in `f32` before the sum goes on in `f64`: so few give the bits of one chain.
    pub(crate) const CHAIN: usize = 24;

    #[inline(always)]
    pub(crate) fn zero(s: S) -> Self {
        WideSum { chain: s.splat(0.0), terms: 0, widened: false, totals: [0.0; LANES] }
    }

    #[inline(always)]
    pub(crate) fn add(&mut self, s: S, term: S::F) {
        if self.terms == Self::CHAIN {
            self.widen(s);
        }
        self.chain = s.add(self.chain, term);
        self.terms += 1;
    }

    #[inline(always)]
    fn widen(&mut self, s: S) {
        let mut lanes = [0.0; LANES];
        s.store(self.chain, &mut lanes);
        for (total, lane) in self.totals.iter_mut().zip(lanes) {
            *total += f64::from(lane);
        }
        (self.chain, self.terms, self.widened) = (s.splat(0.0), 0, true);
    }

    /// The sum of all lanes: of a single chain as [`Simd::sum`] takes it.
    #[inline(always)]
    pub(crate) fn sum(self, s: S) -> f32 {
        if self.widened { self.lanes(s).iter().sum::<f64>() as f32 } else { s.sum(self.chain) }
    }

    /// The sum of each lane.
    #[inline(always)]
    pub(crate) fn lanes(mut self, s: S) -> [f64; LANES] {
        self.widen(s);
        self.totals
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{Isa, Kernel};

    struct Tenths(usize);

    impl Kernel for Tenths {
        type Out = (f32, f64);
        #[inline(always)]
        fn run<S: Simd>(self, s: S) -> (f32, f64) {
            let (mut tile, mut wide) = (ChainedTile::<S, 1, 1>::zero(s, self.0), WideSum::zero(s));
            for _ in 0..self.0 {
                tile.add(s, [[s.splat(0.1)]]);
                wide.add(s, s.splat(0.1));
            }
            let mut lanes = [0.0; LANES];
            s.store(tile.totals()[0][0], &mut lanes);
            (lanes[3], wide.lanes(s)[3])
        }
    }

    #[test]
    fn a_million_tenths_are_a_hundred_thousand() {
        for isa in Isa::available() {
            for terms in [0, 1, 24, 25, 2_000, if cfg!(miri) { 2_100 } else { 1_000_000 }] {
                let expected = terms as f64 * f64::from(0.1_f32);
                let (compensated, wide) = isa.run(Tenths(terms));
                let near = if terms > LONG_SUM { 1e-7 } else { 1e-6 };
                assert!((f64::from(compensated) - expected).abs() <= near * expected, "{terms}: {compensated}");
                assert!((wide - expected).abs() <= 1e-6 * expected, "{terms}: {wide}");
            }
        }
    }
}
