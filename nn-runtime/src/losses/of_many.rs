//! Losses whose formula says something of more than one number: sums over a row or over all of a sample, the
//! number before. In: a formula in parts (the terms of each sum, then itself), outputs and targets; out: the
//! sum over rows or samples of the mean over their numbers, and the gradient. Sums go on in `f64`.

use nn_kernels::simd::{Isa, Kernel, LANE_INDEX, LANES, Simd};

/// The most sums, and arguments: output and target, both of the place before, how many numbers there are,
/// sums.
const SUMS: usize = 8;
const ARGUMENTS: usize = 5 + SUMS;

/// Vectors added in `f32` before the sum goes on in `f64`.
const BLOCK: usize = 16;

/// A loss in parts: part `j` below [`SUMS`](FormulaOfMany::SUMS) is a term of sum `j`, and reads sums before
/// it alone; the last part is the loss of a number. Implementors mark both functions `#[inline(always)]`.
pub trait FormulaOfMany {
    /// How many sums there are.
    const SUMS: usize;
    /// It goes over all numbers of a sample, and not over those of a row.
    const WHOLE: bool;
    /// What each part depends on, a bit each: the output, the output before, each sum.
    const READS: &'static [u32];

    /// The part, of arguments as they are listed above.
    fn part<S: Simd>(&self, s: S, part: usize, x: &[S::F]) -> S::F;

    /// Its derivative by what that bit of [`READS`](FormulaOfMany::READS) stands for.
    fn slope<S: Simd>(&self, s: S, part: usize, by: usize, x: &[S::F]) -> S::F;
}

/// The numbers that go together: a row, or a sample.
struct Together<'a, L> {
    loss: &'a L,
    y: &'a [f32],
    target: &'a [f32],
    /// From a number to the one before it.
    back: usize,
    /// What the gradient is multiplied by, and where it goes.
    gradient: Option<(f32, &'a mut [f32])>,
}

impl<L: FormulaOfMany> Kernel for Together<'_, L> {
    type Out = f64;

    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) -> f64 {
        let count = self.y.len() as f64;
        let mut arguments = [s.splat(0.0); ARGUMENTS];
        arguments[4] = s.splat(count as f32);
        for j in 0..L::SUMS {
            let sum = self.sum(s, &arguments, |x| self.loss.part(s, j, x));
            arguments[5 + j] = s.splat(sum as f32);
        }
        let value = self.sum(s, &arguments, |x| self.loss.part(s, L::SUMS, x)) / count;
        let Some((scale, dy)) = self.gradient.take() else { return value };
        // What the loss changes by with each part, from the last one back.
        let mut by_part = [0.0; SUMS + 1];
        by_part[L::SUMS] = 1.0 / count;
        for j in (0..L::SUMS).rev() {
            for part in j + 1..=L::SUMS {
                if L::READS[part] & 1 << (2 + j) != 0 && by_part[part] != 0.0 {
                    let slope = self.sum(s, &arguments, |x| self.loss.slope(s, part, 2 + j, x));
                    by_part[j] += by_part[part] * slope;
                }
            }
        }
        let by_part = by_part.map(|by| (by * f64::from(scale)) as f32);
        let all = |by: usize, x: &[S::F]| {
            let mut sum = s.splat(0.0);
            for (part, factor) in by_part[..=L::SUMS].iter().enumerate() {
                if L::READS[part] & 1 << by != 0 {
                    sum = s.fma(s.splat(*factor), self.loss.slope(s, part, by, x), sum);
                }
            }
            sum
        };
        self.each(s, &arguments, |at, x| s.store_part(all(0, x), &mut dy[at]));
        if L::READS.iter().any(|reads| reads & 2 != 0) {
            self.each(s, &arguments, |at, x| {
                let mut more = [0.0; LANES];
                s.store(all(1, x), &mut more);
                // The first numbers have none before them.
                let first = self.back.max(at.start);
                if first < at.end {
                    let more = &more[first - at.start..];
                    dy[first - self.back..at.end - self.back].iter_mut().zip(more).for_each(|(dy, more)| *dy += more);
                }
            });
        }
        value
    }
}

impl<L: FormulaOfMany> Together<'_, L> {
    /// Each sixteen numbers: their places, and the arguments there.
    #[inline(always)]
    fn each<S: Simd>(
        &self,
        s: S,
        arguments: &[S::F; ARGUMENTS],
        mut see: impl FnMut(core::ops::Range<usize>, &[S::F]),
    ) {
        let mut x = *arguments;
        for start in (0..self.y.len()).step_by(LANES) {
            let at = start..self.y.len().min(start + LANES);
            for (k, from) in [self.y, self.target].into_iter().enumerate() {
                x[k] = s.load_part(&from[at.clone()]);
                x[2 + k] = match start.checked_sub(self.back) {
                    Some(before) => s.load_part(&from[before..before + at.len()]),
                    None => {
                        let mut before = [0.0; LANES];
                        for place in self.back.min(at.end)..at.end {
                            before[place - start] = from[place - self.back];
                        }
                        s.load(&before)
                    }
                };
            }
            see(at, &x);
        }
    }

    #[inline(always)]
    fn sum<S: Simd>(&self, s: S, arguments: &[S::F; ARGUMENTS], of: impl Fn(&[S::F]) -> S::F) -> f64 {
        let (mut total, mut sum, mut vectors) = (0.0, s.splat(0.0), 0);
        self.each(s, arguments, |at, x| {
            let mut terms = of(x);
            if at.len() < LANES {
                // Lanes past the end are those of 0 and 0, which need not be 0.
                let filled = s.lt_i(s.load_i(&LANE_INDEX), s.splat_i(at.len() as i32));
                terms = s.select(filled, terms, s.splat(0.0));
            }
            sum = s.add(sum, terms);
            vectors += 1;
            if vectors % BLOCK == 0 {
                total += f64::from(s.sum(sum));
                sum = s.splat(0.0);
            }
        });
        total + f64::from(s.sum(sum))
    }
}

/// The sum over rows, or of a formula of windows the value of a sample, and perhaps the gradient times a
/// scale.
///
/// # Panics
/// The lengths disagree.
pub fn of_many<L: FormulaOfMany>(
    loss: &L,
    isa: Isa,
    width: usize,
    y: &[f32],
    target: &[f32],
    mut gradient: Option<(f32, &mut [f32])>,
) -> f64 {
    assert!(width > 0 && y.len().is_multiple_of(width), "expected rows of {width} numbers, found {} numbers", y.len());
    assert_eq!(y.len(), target.len(), "expected as many targets as outputs");
    if let Some((_, dy)) = &gradient {
        assert_eq!(y.len(), dy.len(), "expected as many gradients as outputs");
    }
    let together = if L::WHOLE { y.len() } else { width };
    let mut sum = 0.0;
    for (y, target) in y.chunks(together.max(1)).zip(target.chunks(together.max(1))) {
        let gradient = match &mut gradient {
            Some((scale, dy)) => dy.split_off_mut(..y.len()).map(|dy| (*scale, dy)),
            None => None,
        };
        let back = if L::WHOLE { width } else { 1 };
        sum += isa.run(Together { loss, y, target, back, gradient });
    }
    sum
}
