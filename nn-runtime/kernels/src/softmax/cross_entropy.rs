//! Softmax and cross-entropy fused, so that neither a tiny probability nor its logarithm is rounded to 0. In:
//! logits [rows, n] and labels or target distributions. Out: the sum of the losses, and dlogits if asked for.
//! Nothing is averaged: the caller divides, or passes a scale.

use super::narrow::{exponentials, load_columns, store_columns};
use super::{ExpSum, LANES, TRANSPOSED, check_rows, filled, largest, load_tail, without_largest};
use crate::math;
use crate::reduce::LongSum;
use crate::simd::{Isa, Kernel, Simd};

/// The targets of a matrix of logits, vector by vector.
trait ClassTargets {
    /// Whether the targets of a row are known to sum to 1.
    const UNIT: bool;
    /// The targets of row `row` from column `from` on; in lanes past the row's end, anything.
    fn vector<S: Simd>(&self, s: S, row: usize, from: usize) -> S::F;
    /// Column j of the targets of row `row` and the fifteen after it in vector j < n <= 16; in missing rows,
    /// anything.
    fn columns<S: Simd>(&self, s: S, n: usize, row: usize) -> [S::F; LANES];
}

/// One class a row. `hot` is the target of that class, `cold` that of every other.
struct LabelTargets<'a> {
    labels: &'a [u32],
    hot: f32,
    cold: f32,
}

impl<'a> LabelTargets<'a> {
    fn new(n: usize, labels: &'a [u32], smoothing: f32) -> Self {
        let cold = smoothing / n as f32;
        LabelTargets { labels, hot: 1.0 - smoothing + cold, cold }
    }
}

impl ClassTargets for LabelTargets<'_> {
    const UNIT: bool = true;
    #[inline(always)]
    fn vector<S: Simd>(&self, s: S, row: usize, from: usize) -> S::F {
        // Exact where it is small enough to equal a lane.
        let lane = (i64::from(self.labels[row]) - from as i64) as f32;
        let met = s.eq(s.to_f(s.load_i(&crate::simd::LANE_INDEX)), s.splat(lane));
        s.select(met, s.splat(self.hot), s.splat(self.cold))
    }
    #[inline(always)]
    fn columns<S: Simd>(&self, s: S, n: usize, row: usize) -> [S::F; LANES] {
        let mut labels = [0.0; LANES];
        for (to, label) in labels.iter_mut().zip(&self.labels[row..]) {
            *to = *label as f32;
        }
        let labels = s.load(&labels);
        let mut columns = [s.splat(0.0); LANES];
        for (j, column) in columns[..n].iter_mut().enumerate() {
            let met = s.eq(labels, s.splat(j as f32));
            *column = s.select(met, s.splat(self.hot), s.splat(self.cold));
        }
        columns
    }
}

/// A distribution over the n classes a row: `own` times the given target, plus a constant for every class.
struct DistributionTargets<'a> {
    targets: &'a [f32],
    n: usize,
    own: f32,
    shared: f32,
}

impl<'a> DistributionTargets<'a> {
    fn new(n: usize, targets: &'a [f32], smoothing: f32) -> Self {
        DistributionTargets { targets, n, own: 1.0 - smoothing, shared: smoothing / n as f32 }
    }
}

impl ClassTargets for DistributionTargets<'_> {
    const UNIT: bool = false;
    #[inline(always)]
    fn vector<S: Simd>(&self, s: S, row: usize, from: usize) -> S::F {
        let rest = &self.targets[row * self.n + from..(row + 1) * self.n];
        let t = match rest.first_chunk::<LANES>() {
            Some(full) => s.load(full),
            None => s.load_part(rest),
        };
        s.fma(t, s.splat(self.own), s.splat(self.shared))
    }
    #[inline(always)]
    fn columns<S: Simd>(&self, s: S, n: usize, row: usize) -> [S::F; LANES] {
        let mut columns = load_columns(s, n, &self.targets[row * n..]);
        for column in &mut columns[..n] {
            *column = s.fma(*column, s.splat(self.own), s.splat(self.shared));
        }
        columns
    }
}

/// Loss of a row: −Σ t·ln softmax = ln Σ e^z · Σ t − Σ t·z, where z is the row less its largest number.
struct CrossEntropyRows<'a, T, const GRADIENT: bool> {
    n: usize,
    logits: &'a [f32],
    targets: T,
    scale: f32,
    /// As long as the logits; empty without `GRADIENT`.
    dlogits: &'a mut [f32],
}

/// t·z: a class with the target 0 adds nothing, not even when its logit is −∞.
#[inline(always)]
fn product<S: Simd>(s: S, t: S::F, z: S::F) -> S::F {
    let zero = s.splat(0.0);
    s.select(s.eq(t, zero), zero, s.mul(t, z))
}

/// A sum over a row; of a short one number by number, as where sixteen of them lie side by side.
#[inline(always)]
fn total<S: Simd>(s: S, sum: LongSum<S>, short: bool) -> f32 {
    if TRANSPOSED || !short { sum.total(s) } else { sum.in_order(s) }
}

/// Σt·e − t·Σe, which is Σe times the gradient of a logit: with 1 taken from both sums first, it is right
/// where a logit is sure and its target 1.
#[inline(always)]
fn slope<S: Simd, T: ClassTargets>(s: S, e: S::F, t: S::F, target_sum: S::F, exp_sum: ExpSum<S::F>) -> S::F {
    let wanted = if T::UNIT { e } else { s.mul(target_sum, e) };
    s.fma(s.neg(t), exp_sum.above_one, s.sub(wanted, t))
}

impl<T: ClassTargets, const GRADIENT: bool> CrossEntropyRows<'_, T, GRADIENT> {
    /// Up to sixteen rows of at most sixteen classes.
    #[inline(always)]
    fn narrow<S: Simd>(&self, s: S, row: usize, x: &[f32], dx: &mut [f32]) -> f64 {
        let n = self.n;
        let targets = self.targets.columns(s, n, row);
        let mut z = load_columns(s, n, x);
        let (mut exp, exp_sum) = exponentials(s, n, &mut z);
        let (mut target_sum, mut products) = (s.splat(0.0), s.splat(0.0));
        for (t, z) in targets[..n].iter().zip(z) {
            target_sum = s.add(target_sum, *t);
            products = s.add(products, product(s, *t, z));
        }
        let target_sum = if T::UNIT { s.splat(1.0) } else { target_sum };
        let losses = s.sub(s.mul(exp_sum.ln(s), target_sum), products);
        if GRADIENT {
            let share = s.div(s.splat(self.scale), exp_sum.all);
            for (e, t) in exp[..n].iter_mut().zip(targets) {
                *e = s.mul(slope::<S, T>(s, *e, t, target_sum, exp_sum), share);
            }
            store_columns(s, n, exp, dx);
        }
        let mut each = [0.0; LANES];
        s.store(losses, &mut each);
        let mut total = 0.0;
        for loss in &each[..x.len() / n] {
            total += f64::from(*loss);
        }
        total
    }

    /// One row of any length.
    #[inline(always)]
    fn wide<S: Simd>(&self, s: S, row: usize, x: &[f32], dx: &mut [f32]) -> f64 {
        let zero = s.splat(0.0);
        let (full, tail) = x.as_chunks::<LANES>();
        let (dx_full, dx_tail) = dx.as_chunks_mut::<LANES>();
        let last = load_tail(s, tail);
        let most = s.splat(largest(s, full, last));
        let last = s.sub(last, most);
        let last_target = self.targets.vector(s, row, full.len() * LANES);
        let last_target = s.select(filled(s, tail.len()), last_target, zero);
        let last_exp = math::exp(s, last);
        let (mut exp_sum, mut others) = (LongSum::new(last_exp), LongSum::new(without_largest(s, last, last_exp)));
        let (mut target_sum, mut products) = (LongSum::new(last_target), LongSum::new(product(s, last_target, last)));
        for (i, x) in full.iter().enumerate() {
            let z = s.sub(s.load(x), most);
            let e = math::exp(s, z);
            exp_sum.add(s, e);
            others.add(s, without_largest(s, z, e));
            let t = self.targets.vector(s, row, i * LANES);
            products.add(s, product(s, t, z));
            if !T::UNIT {
                target_sum.add(s, t);
            }
            if GRADIENT {
                s.store(e, &mut dx_full[i]);
            }
        }
        let exp_sum = ExpSum::new(s, s.splat(exp_sum.total(s)), s.splat(others.total(s)));
        let short = self.n <= LANES;
        let target_sum = s.splat(if T::UNIT { 1.0 } else { total(s, target_sum, short) });
        let loss = s.sub(s.mul(exp_sum.ln(s), target_sum), s.splat(total(s, products, short)));
        if GRADIENT {
            let share = s.div(s.splat(self.scale), exp_sum.all);
            for (i, dx) in dx_full.iter_mut().enumerate() {
                let t = self.targets.vector(s, row, i * LANES);
                s.store(s.mul(slope::<S, T>(s, s.load(dx), t, target_sum, exp_sum), share), dx);
            }
            s.store_part(s.mul(slope::<S, T>(s, last_exp, last_target, target_sum, exp_sum), share), dx_tail);
        }
        let mut first = [0.0];
        s.store_part(loss, &mut first);
        f64::from(first[0])
    }
}

impl<T: ClassTargets, const GRADIENT: bool> Kernel for CrossEntropyRows<'_, T, GRADIENT> {
    type Out = f64;
    #[inline(always)]
    fn run<S: Simd>(mut self, s: S) -> f64 {
        let dlogits = core::mem::take(&mut self.dlogits);
        let rows = if TRANSPOSED && self.n <= LANES { LANES } else { 1 };
        let mut total = 0.0;
        for (i, x) in self.logits.chunks(rows * self.n).enumerate() {
            let dx = if GRADIENT { &mut dlogits[i * rows * self.n..][..x.len()] } else { &mut [] };
            total += if rows == 1 { self.wide(s, i, x, dx) } else { self.narrow(s, i * rows, x, dx) };
        }
        total
    }
}

#[track_caller]
fn check_labels(n: usize, logits: &[f32], labels: &[u32]) {
    check_rows(n, logits.len(), n * labels.len());
    if let Some(label) = labels.iter().find(|&&label| label as usize >= n) {
        panic!("expected labels below {n}, found {label}");
    }
}

/// The sum over the rows of −Σ t·ln softmax(logits), with t = (1 − smoothing)·onehot(label) + smoothing/n;
/// and dlogits = scale·(softmax(logits) − t). The sum is not scaled.
///
/// logits and dlogits are `[rows, n]`, labels `[rows]`. Smoothing as in Szegedy et al., "Rethinking the
/// Inception Architecture", 2015. A row with NaN or +∞ gives NaN.
///
/// ```
/// use nn_kernels::{softmax::cross_entropy_labels, simd::Isa};
///
/// let mut dlogits = [0.0; 2];
/// let loss = cross_entropy_labels(Isa::detect(), 2, &[0.0, 0.0], &[1], 1.0, 0.0, &mut dlogits);
/// assert!((loss - 2f64.ln()).abs() < 1e-6);
/// assert_eq!(dlogits, [0.5, -0.5]);
/// ```
///
/// # Panics
/// Where `n == 0`, `logits.len() != n * labels.len()`, `logits.len() != dlogits.len()` or a label is not
/// below `n`.
pub fn cross_entropy_labels(
    isa: Isa,
    n: usize,
    logits: &[f32],
    labels: &[u32],
    scale: f32,
    smoothing: f32,
    dlogits: &mut [f32],
) -> f64 {
    check_labels(n, logits, labels);
    check_rows(n, logits.len(), dlogits.len());
    let targets = LabelTargets::new(n, labels, smoothing);
    isa.run(CrossEntropyRows::<_, true> { n, logits, targets, scale, dlogits })
}

/// The sum that [`cross_entropy_labels`] gives, without the gradient.
///
/// # Panics
/// Where `n == 0`, `logits.len() != n * labels.len()` or a label is not below `n`.
pub fn cross_entropy_labels_value(isa: Isa, n: usize, logits: &[f32], labels: &[u32], smoothing: f32) -> f64 {
    check_labels(n, logits, labels);
    let targets = LabelTargets::new(n, labels, smoothing);
    isa.run(CrossEntropyRows::<_, false> { n, logits, targets, scale: 0.0, dlogits: &mut [] })
}

/// The sum over the rows of −Σ t·ln softmax(logits), with t = (1 − smoothing)·target + smoothing/n; and
/// dlogits = scale·(softmax(logits)·Σ t − t). The sum is not scaled.
///
/// logits, targets and dlogits are [rows, n]; a row of targets need not sum to 1. A class with t = 0 adds
/// nothing to the loss, even when its logit is −∞. A row with NaN or +∞ gives NaN.
///
/// # Panics
/// Where `n == 0`, `logits.len() % n != 0`, `logits.len() != targets.len()` or `logits.len() !=
/// dlogits.len()`.
pub fn cross_entropy_distribution(
    isa: Isa,
    n: usize,
    logits: &[f32],
    targets: &[f32],
    scale: f32,
    smoothing: f32,
    dlogits: &mut [f32],
) -> f64 {
    check_rows(n, logits.len(), targets.len());
    check_rows(n, logits.len(), dlogits.len());
    let targets = DistributionTargets::new(n, targets, smoothing);
    isa.run(CrossEntropyRows::<_, true> { n, logits, targets, scale, dlogits })
}

/// The sum that [`cross_entropy_distribution`] gives, without the gradient.
///
/// # Panics
/// Where `n == 0`, `logits.len() % n != 0` or `logits.len() != targets.len()`.
pub fn cross_entropy_distribution_value(isa: Isa, n: usize, logits: &[f32], targets: &[f32], smoothing: f32) -> f64 {
    check_rows(n, logits.len(), targets.len());
    let targets = DistributionTargets::new(n, targets, smoothing);
    isa.run(CrossEntropyRows::<_, false> { n, logits, targets, scale: 0.0, dlogits: &mut [] })
}
