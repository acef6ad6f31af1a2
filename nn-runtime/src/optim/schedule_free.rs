//! `ScheduleFree`: AdamW, or gradient descent, whose average takes the place of a schedule.

use crate::text::String;

use super::adam::Moments;
use super::settings::{above_zero, below_one, learning_rate, none_negative, settings};
use super::{Optimizer, array_of_slots, slot_names};
use nn_kernels::optimizer::{UpdateRule, flush_denormals, update};
use nn_kernels::simd::{Isa, Simd};

/// Learns without a schedule, and without knowing how long: fast steps `z` of gradients that are taken at
/// `y`, between `z` and the average `x` of all `z`. With `d` the direction (of AdamW `g / (√v + eps) +
/// weight_decay · y`, else `g + weight_decay · y`): `z -= learning_rate · d`, `x = (1 - c) · x + c · z`, `y =
/// (1 - β₁) · z + β₁ · x`, where `c` is the step's share of the average, `1 / step` or, while the rate warms
/// up, more.
///
/// The parameters are `y` while training goes on; `x` is what the model is to be used with:
/// [`Trainer::final_model`](crate::train::Trainer::final_model). (The authors' package has `optimizer.eval()`
/// for that.) Running statistics, as of `BatchNorm`, are those at `y`.
///
/// | argument | here | `schedulefree.AdamWScheduleFree` |
/// |---|---|---|
/// | `learning_rate` | must be given | `lr=0.0025` |
/// | `betas` | `0.9, 0.999` | `betas=(0.9, 0.999)` |
/// | `eps` | `1e-8` | `eps=1e-8` |
/// | `weight_decay` | `0.0` | `weight_decay=0` |
/// | `warmup`, steps in which the rate rises | `0` | `warmup_steps=0` |
/// | `adaptive` | `true` | `false` is `SGDScheduleFree`, whose `momentum` is the first beta |
///
/// A trainer's own schedule changes the rate and not the shares. PyTorch and Keras have none. Each step is
/// watched for overflow with a copy of the parameters, as no bound of it is known beforehand. Defazio et al.,
/// "The Road Less Scheduled", 2024.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! { struct Line: [1] -> [1] { line: Dense(1, init = Zeros) } }
///
/// let mut model = Line::init(0);
/// let data = Dataset::values(&[[1.0], [2.0]], &[[3.0], [5.0]]).unwrap();
/// let mut trainer = Trainer::new(&mut model, Mse::new(), ScheduleFree::new(0.1).warmup(10));
/// trainer.fit(&data, Fit::epochs(2_000)).unwrap();
/// let learnt = trainer.final_model();
/// assert!((learnt.get("line.weight").unwrap()[0] - 2.0).abs() < 0.02);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ScheduleFree {
    learning_rate: f64,
    betas: (f64, f64),
    eps: f64,
    weight_decay: f64,
    warmup: u64,
    adaptive: bool,
}

settings!(ScheduleFree: betas, eps, weight_decay);

impl ScheduleFree {
    /// With this learning rate; some ten times as large a one as AdamW's is usual.
    pub const fn new(learning_rate: f64) -> Self {
        ScheduleFree { learning_rate, betas: (0.9, 0.999), eps: 1e-8, weight_decay: 0.0, warmup: 0, adaptive: true }
    }

    /// In so many steps the rate rises to what it is.
    pub const fn warmup(mut self, steps: u64) -> Self {
        self.warmup = steps;
        self
    }

    /// Whether gradients are divided by the roots of their mean squares, as in AdamW.
    pub const fn adaptive(mut self, adaptive: bool) -> Self {
        self.adaptive = adaptive;
        self
    }

    /// The rate of a step, and its share of the average.
    fn rate(&self, step: u64) -> (f64, f64) {
        let (warmup, step) = (self.warmup as f64, step as f64);
        if self.warmup == 0 {
            return (self.learning_rate, 1.0 / step);
        }
        // Steps count by the square of their rates.
        let share = (step / warmup).min(1.0);
        let rising = step.min(warmup);
        let sum = rising * (rising + 1.0) * (2.0 * rising + 1.0) / (6.0 * warmup * warmup) + (step - rising);
        (self.learning_rate * share, share * share / sum)
    }

    /// The rule of a step.
    fn rule<const ADAPTIVE: bool>(&self, step: u64) -> ScheduleFreeStep<ADAPTIVE> {
        let (rate, share) = self.rate(step);
        ScheduleFreeStep {
            moments: Moments::new(step, (0.0, self.betas.1), self.eps),
            share: share as f32,
            left: (1.0 - share) as f32,
            ahead: (rate * self.betas.0) as f32,
            rate: (rate * (self.betas.0 * (1.0 - share) - 1.0)) as f32,
            weight_decay: self.weight_decay as f32,
        }
    }
}

#[diagnostic::do_not_recommend]
impl Optimizer for ScheduleFree {
    learning_rate!();
    slot_names!("z_minus_y", "exp_avg_sq");

    fn slots(&self) -> usize {
        1 + usize::from(self.adaptive)
    }

    fn update(&self, isa: Isa, step: u64, params: &mut [f32], grads: &[f32], slots: &mut [&mut [f32]]) {
        if self.adaptive {
            update::<_, 2>(isa, self.rule::<true>(step), params, grads, array_of_slots(slots));
        } else {
            update::<_, 1>(isa, self.rule::<false>(step), params, grads, array_of_slots(slots));
        }
    }

    fn settle(&self, params: &mut [f32], slots: &[&[f32]]) {
        let beyond = (1.0 - 1.0 / self.betas.0) as f32;
        params.iter_mut().zip(slots[0]).for_each(|(y, ahead)| *y += beyond * ahead);
    }

    fn check(&self) -> Result<(), String> {
        none_negative(&[
            ("a learning rate", self.learning_rate),
            ("an eps", self.eps),
            ("a weight decay", self.weight_decay),
        ])?;
        above_zero("a first beta", self.betas.0, 0.9)?;
        below_one("a first beta", self.betas.0, 0.9)?;
        below_one("a second beta", self.betas.1, 0.999)
    }
}

#[derive(Clone, Copy)]
struct ScheduleFreeStep<const ADAPTIVE: bool> {
    moments: Moments,
    share: f32,
    left: f32,
    ahead: f32,
    rate: f32,
    weight_decay: f32,
}

impl<const ADAPTIVE: bool> ScheduleFreeStep<ADAPTIVE> {
    /// The parameter `y` and `z - y` after the step.
    #[inline(always)]
    fn go<S: Simd>(self, s: S, y: S::F, ahead: S::F, direction: S::F) -> (S::F, S::F) {
        let direction = s.fma(s.splat(self.weight_decay), y, direction);
        let next = s.fma(s.splat(self.rate), direction, s.fma(s.splat(self.share), ahead, y));
        let ahead = s.mul(s.splat(self.left), s.fma(s.splat(-self.ahead), direction, ahead));
        (next, flush_denormals(s, ahead))
    }
}

impl UpdateRule<2> for ScheduleFreeStep<true> {
    #[inline(always)]
    fn step<S: Simd>(self, s: S, y: S::F, g: S::F, [ahead, v]: [S::F; 2]) -> (S::F, [S::F; 2]) {
        // The first moment of no memory is the gradient.
        let (g, v) = self.moments.next(s, g, [s.splat(0.0), v]);
        let (y, ahead) = self.go(s, y, ahead, self.moments.div_by_root(s, g, v));
        (y, [ahead, v.kept])
    }
}

impl UpdateRule<1> for ScheduleFreeStep<false> {
    #[inline(always)]
    fn step<S: Simd>(self, s: S, y: S::F, g: S::F, [ahead]: [S::F; 1]) -> (S::F, [S::F; 1]) {
        let (y, ahead) = self.go(s, y, ahead, g);
        (y, [ahead])
    }
}
