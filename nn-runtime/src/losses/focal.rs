//! `Focal`: which of several classes, where most samples are easy. In: scores and labels; out: a loss in
//! which the easy ones fade.

use crate::text::String;

use super::{CrossEntropy, Link, Loss, LossOn, TargetLabel};
use nn_kernels::math;
use nn_kernels::reduce::LongSum;
use nn_kernels::simd::{Isa, Kernel, LANE_INDEX, LANES, Simd};

/// `-(1 - p)^gamma · ln p` of a row, with `p = softmax(z)[label]`, and then the mean over rows.
///
/// It reads the scores `z`: a network may end in `Softmax` or `LogSoftmax`, which is then left out while
/// training, or in `Dense`. Targets: labels, `u32`, one class for each row. There are at least two classes.
///
/// | argument | here | PyTorch | Keras's `CategoricalFocalCrossentropy` |
/// |---|---|---|---|
/// | `gamma`, at least 0; 0 is [`CrossEntropy`](super::CrossEntropy) | `2.0` | none (torchvision has the binary one) | `gamma=2.0` |
/// | a weight for each class | `Dataset::class_weights` | – | `alpha=0.25`, without dividing by the sum of weights |
///
/// Lin et al., "Focal Loss for Dense Object Detection", 2017.
///
/// ```
/// use nn_runtime::losses::{Focal, LossOn};
/// use nn_runtime::Isa;
///
/// let labels: &[u32] = &[1];
/// let loss = Focal::new().value(Isa::detect(), 2, &[0.0, 0.0], labels);
/// assert!((loss - 0.25 * 2f64.ln()).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Focal {
    gamma: f32,
}

/// A gamma, if it is one.
#[track_caller]
pub(super) fn checked(gamma: f32) -> f32 {
    assert!(gamma >= 0.0 && gamma.is_finite(), "expected a finite gamma of at least 0, found {gamma}");
    gamma
}

impl Focal {
    /// With a gamma of 2.
    #[allow(clippy::new_without_default, reason = "as every loss, it is made by its name")]
    pub const fn new() -> Self {
        Focal { gamma: 2.0 }
    }

    /// How little counts what is answered well.
    ///
    /// # Panics
    /// `!(gamma >= 0.0 && gamma.is_finite())`
    #[track_caller]
    pub fn gamma(mut self, gamma: f32) -> Self {
        self.gamma = checked(gamma);
        self
    }
}

/// `dy` is as long as `y` with `GRADIENT`, and empty without.
struct FocalRows<'a, const GRADIENT: bool> {
    gamma: f32,
    width: usize,
    y: &'a [f32],
    labels: &'a [u32],
    scale: f32,
    dy: &'a mut [f32],
}

impl<const GRADIENT: bool> Kernel for FocalRows<'_, GRADIENT> {
    type Out = f64;

    #[inline(always)]
    fn run<S: Simd>(self, s: S) -> f64 {
        let FocalRows { gamma, width, y, labels, scale, dy } = self;
        let mut total = 0.0;
        for (row, (z, &label)) in y.chunks_exact(width).zip(labels).enumerate() {
            let dz = if GRADIENT { &mut dy[row * width..][..width] } else { &mut [] };
            total += f64::from(one::<S, GRADIENT>(s, gamma, z, label as usize, scale, dz));
        }
        total
    }
}

/// The first lane.
#[inline(always)]
fn first<S: Simd>(s: S, x: S::F) -> f32 {
    let mut first = [0.0];
    s.store_part(x, &mut first);
    first[0]
}

#[inline(always)]
fn one<S: Simd, const GRADIENT: bool>(s: S, gamma: f32, z: &[f32], label: usize, scale: f32, dz: &mut [f32]) -> f32 {
    let (full, tail) = z.as_chunks::<LANES>();
    let (dz_full, dz_tail) = dz.as_chunks_mut::<LANES>();
    let mut last = [f32::NEG_INFINITY; LANES];
    last[..tail.len()].copy_from_slice(tail);
    let last = s.load(&last);
    let mut most = last;
    for z in full {
        most = s.max(most, s.load(z));
    }
    let most = s.splat(s.largest(most));

    // The exponentials of all classes but the label's: 1 - p of them is right where p is so near to 1 that it
    // rounds to it.
    let (zero, one) = (s.splat(0.0), s.splat(1.0));
    let mut others = LongSum::new(zero);
    for (i, z) in full.iter().enumerate() {
        let e = math::exp(s, s.sub(s.load(z), most));
        let met = s.eq(s.to_f(s.load_i(&LANE_INDEX)), s.splat(label as f32 - (i * LANES) as f32));
        others.add(s, s.select(met, zero, e));
        if GRADIENT {
            s.store(e, &mut dz_full[i]);
        }
    }
    let last_exp = math::exp(s, s.sub(last, most));
    let met = s.eq(s.to_f(s.load_i(&LANE_INDEX)), s.splat(label as f32 - (full.len() * LANES) as f32));
    others.add(s, s.select(met, zero, last_exp));

    let others = s.splat(others.total(s));
    let own = s.sub(s.splat(z[label]), most);
    let own_exp = math::exp(s, own);
    let sum = s.add(own_exp, others);
    let log = s.sub(own, math::ln_1p(s, s.add(others, s.sub(own_exp, one))));
    let missing = s.div(others, sum);
    // The limit stands first: NaN stays.
    let above = s.max(s.splat(f32::MIN_POSITIVE), missing);
    let focus = math::exp(s, s.mul(s.splat(gamma), math::ln(s, above)));
    let loss = first(s, s.neg(s.mul(focus, log)));
    if GRADIENT {
        // d/d ln p = -(1 - p)^gamma · (1 + gamma · p · -ln p / (1 - p)), and d ln p / dz = t - softmax(z).
        let share = s.div(own_exp, sum);
        let slope = s.fma(s.mul(s.splat(gamma), share), s.div(s.neg(log), above), one);
        let slope = s.mul(s.mul(focus, slope), s.splat(scale));
        let factor = s.div(slope, sum);
        for dz in dz_full {
            s.store(s.mul(s.load(dz), factor), dz);
        }
        s.store_part(s.mul(last_exp, factor), dz_tail);
        dz[label] = -first(s, s.mul(slope, missing));
    }
    loss
}

#[track_caller]
fn check(width: usize, y: &[f32], labels: &[u32]) {
    assert_eq!(y.len(), width * labels.len(), "expected {width} scores for each label");
    if let Some(label) = labels.iter().find(|&&label| label as usize >= width) {
        panic!("expected labels below {width}, found {label}");
    }
}

impl Loss for Focal {
    const LOGITS: bool = true;
    const LINK: Link = Link::Softmax;

    fn settings(&self) -> String {
        crate::text::format!("{self:?}")
    }
}

// What is not generic is compiled once, in this crate.
impl Focal {
    #[inline(never)]
    fn gradient_of(&self, isa: Isa, width: usize, y: &[f32], labels: &[u32], scale: f32, dy: &mut [f32]) -> f64 {
        check(width, y, labels);
        assert_eq!(y.len(), dy.len(), "expected as many gradients as outputs");
        isa.run(FocalRows::<true> { gamma: self.gamma, width, y, labels, scale, dy })
    }

    #[inline(never)]
    fn value_of(&self, isa: Isa, width: usize, y: &[f32], labels: &[u32]) -> f64 {
        check(width, y, labels);
        isa.run(FocalRows::<false> { gamma: self.gamma, width, y, labels, scale: 0.0, dy: &mut [] })
    }
}

impl<T: TargetLabel> LossOn<[T]> for Focal {
    fn gradient(&self, isa: Isa, width: usize, y: &[f32], target: &[T], scale: f32, dy: &mut [f32]) -> f64 {
        self.gradient_of(isa, width, y, T::labels(target), scale, dy)
    }

    fn value(&self, isa: Isa, width: usize, y: &[f32], target: &[T]) -> f64 {
        self.value_of(isa, width, y, T::labels(target))
    }

    fn fault(&self, width: usize, target: &[T], rows: usize) -> Option<(usize, String)> {
        CrossEntropy::new().fault(width, T::labels(target), rows)
    }

    fn correct(&self, width: usize, y: &[f32], target: &[T]) -> Option<usize> {
        CrossEntropy::new().correct(width, y, T::labels(target))
    }
}
