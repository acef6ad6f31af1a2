//! Rates along a cosine: `Cosine`, once or with restarts, and `OneCycle`. In: the optimiser's rate and the
//! steps done; out: the next rate.

use core::f64::consts::PI;

use crate::text::{String, format};

use super::{Schedule, floor, settings_are_fields, some_steps};

/// From `from` to `to` along half a cosine, `share` of the way.
fn between(from: f64, to: f64, share: f64) -> f64 {
    let left = 0.5 * (1.0 + libm::cos(PI * share));
    left * from + (1.0 - left) * to
}

/// `floor + (base - floor) · (1 + cos(π · done / period)) / 2`, and `floor` from `period` on; with restarts
/// it begins again there, and each period is longer than the last by a factor.
///
/// | argument | here | PyTorch's `CosineAnnealingWarmRestarts` | Keras's `CosineDecayRestarts` |
/// |---|---|---|---|
/// | `period` | must be given, in steps | `T_0`, must be given | `first_decay_steps`, must be given |
/// | `restarts` | none: `floor` is kept | `T_mult=1` | `t_mul=2.0`, and `m_mul=1.0` |
/// | `floor` | `0.0` | `eta_min=0.0` | `alpha=0.0`, as a share of the rate |
///
/// Without restarts it is Keras's `CosineDecay`; PyTorch's `CosineAnnealingLR` goes up again after `T_max`.
/// Loshchilov & Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017.
///
/// ```
/// use nn_runtime::train::schedule::{Cosine, Schedule};
///
/// let schedule = Cosine::new(100).floor(0.2);
/// assert_eq!([0, 50, 100, 101].map(|done| schedule.rate(0.8, done)), [0.8, 0.5, 0.2, 0.2]);
/// let schedule = Cosine::new(100).restarts(2); // from 0, 100, 300, 700, … on
/// assert_eq!([0, 100, 200, 300].map(|done| schedule.rate(0.8, done)), [0.8, 0.8, 0.4, 0.8]);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Cosine {
    period: u64,
    restarts: Option<u64>,
    floor: f64,
}

impl Cosine {
    /// Down in `period` steps.
    pub const fn new(period: u64) -> Self {
        Cosine { period, restarts: None, floor: 0.0 }
    }

    /// Begins again after each period; the next one is `longer` times as long.
    pub const fn restarts(mut self, longer: u64) -> Self {
        self.restarts = Some(longer);
        self
    }

    /// The lowest rate.
    pub const fn floor(mut self, floor: f64) -> Self {
        self.floor = floor;
        self
    }
}

#[diagnostic::do_not_recommend]
impl Schedule for Cosine {
    settings_are_fields!();

    fn rate(&self, base: f64, done: u64) -> f64 {
        // Settings out of range are refused when training begins; until then they must not hang or divide by
        // 0.
        let (mut at, mut period) = (done, self.period.max(1));
        match self.restarts {
            None => at = at.min(period),
            Some(0 | 1) => at %= period,
            Some(longer) => {
                while at >= period {
                    at -= period;
                    period = period.saturating_mul(longer);
                }
            }
        }
        // A floor above the rate is no reason to raise it.
        between(base, self.floor.min(base), at as f64 / period as f64)
    }

    fn check(&self) -> Result<(), String> {
        some_steps("Cosine", "a period", self.period)?;
        floor("Cosine", self.floor)?;
        match self.restarts {
            Some(0) => Err(
                "`Cosine`: expected each period at least 1 times as long as the last, found 0\nhelp: `.restarts(1)` keeps the length"
                    .into(),
            ),
            _ => Ok(()),
        }
    }
}

/// One rise and one fall, each along half a cosine: from `base / start` to `base`, which is the peak, and
/// down to `base / start / end`, where it stays. In three phases it falls to `base / start` first, in as many
/// steps as it rises, and to the end then. The momentum goes the other way round: lowest at the peak.
///
/// | argument | here | PyTorch's `OneCycleLR` |
/// |---|---|---|
/// | `steps` | must be given | `total_steps`, or `epochs` and `steps_per_epoch` |
/// | peak | the optimiser's rate | `max_lr`, must be given |
/// | `rise` | `0.3` | `pct_start=0.3` |
/// | `start` | `25.0` | `div_factor=25` |
/// | `end` | `1e4` | `final_div_factor=1e4` |
/// | `three_phase` | `false` | `three_phase=False` |
/// | `momentum`, lowest and highest | is not touched | `cycle_momentum=True, base_momentum=0.85, max_momentum=0.95` |
///
/// Keras has none. Past the last step PyTorch stops with an error. Smith & Topin, "Super-Convergence: Very
/// Fast Training of Neural Networks Using Large Learning Rates", 2018.
///
/// ```
/// use nn_runtime::train::schedule::{OneCycle, Schedule};
///
/// let schedule = OneCycle::new(100).rise(0.31).start(4.0).end(2.0);
/// assert_eq!([0, 30, 99, 100].map(|done| schedule.rate(0.8, done)), [0.2, 0.8, 0.1, 0.1]);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct OneCycle {
    steps: u64,
    rise: f64,
    start: f64,
    end: f64,
    three_phase: bool,
    momentum: Option<(f64, f64)>,
}

impl OneCycle {
    /// Up and down in so many steps.
    pub const fn new(steps: u64) -> Self {
        OneCycle { steps, rise: 0.3, start: 25.0, end: 1e4, three_phase: false, momentum: None }
    }

    /// The share of the steps in which the rate rises.
    pub const fn rise(mut self, rise: f64) -> Self {
        self.rise = rise;
        self
    }

    /// How many times smaller than the peak the first rate is.
    pub const fn start(mut self, start: f64) -> Self {
        self.start = start;
        self
    }

    /// How many times smaller than the first the last rate is.
    pub const fn end(mut self, end: f64) -> Self {
        self.end = end;
        self
    }

    /// Whether it falls to where it began before it falls to the end.
    pub const fn three_phase(mut self, three_phase: bool) -> Self {
        self.three_phase = three_phase;
        self
    }

    /// Moves the momentum of the optimiser between these: of `Sgd` its momentum, of `Adam` and its like the
    /// first beta.
    pub const fn momentum(mut self, lowest: f64, highest: f64) -> Self {
        self.momentum = Some((lowest, highest));
        self
    }

    /// In which of three phases a step is, of which the second may be left out, and how far within it.
    fn phase(&self, done: u64) -> (usize, f64) {
        // As in PyTorch the peak stands between two steps where it is no whole one.
        let (at, top, end) = (done as f64, self.rise * self.steps as f64 - 1.0, self.steps as f64 - 1.0);
        let middle = if self.three_phase { 2.0 * top } else { top };
        if at <= top && top > 0.0 {
            (0, at / top)
        } else if at <= middle && self.three_phase {
            (1, (at - top) / (middle - top))
        } else if at < end {
            (2, (at - middle) / (end - middle))
        } else {
            (2, 1.0)
        }
    }
}

#[diagnostic::do_not_recommend]
impl Schedule for OneCycle {
    settings_are_fields!();

    fn rate(&self, base: f64, done: u64) -> f64 {
        let (first, last) = (base / self.start, base / self.start / self.end);
        match self.phase(done) {
            (0, share) => between(first, base, share),
            (1, share) => between(base, first, share),
            (_, 1.0) => last,
            (_, share) => between(if self.three_phase { first } else { base }, last, share),
        }
    }

    fn momentum_at(&self, done: u64) -> Option<f64> {
        let (lowest, highest) = self.momentum?;
        Some(match self.phase(done) {
            (0, share) => between(highest, lowest, share),
            (1, share) => between(lowest, highest, share),
            (_, _) if self.three_phase => highest,
            (_, share) => between(lowest, highest, share),
        })
    }

    fn check(&self) -> Result<(), String> {
        some_steps("OneCycle", "steps", self.steps)?;
        if !(0.0..=1.0).contains(&self.rise) {
            return Err(format!(
                "`OneCycle`: expected a rise from 0 to 1, a share of the steps, found {}\nhelp: 0.3 is usual",
                self.rise
            ));
        }
        if self.three_phase && self.rise > 0.5 {
            return Err(format!(
                "`OneCycle`: expected a rise of at most half of the steps in three phases, found {}\nhelp: 0.3 is usual",
                self.rise
            ));
        }
        if let Some((lowest, highest)) = self.momentum
            && !(0.0 < lowest && lowest <= highest && highest < 1.0)
        {
            return Err(format!(
                "`OneCycle`: expected a momentum from above 0 up to below 1, the lowest first, found {lowest} and {highest}\nhelp: \
                 `.momentum(0.85, 0.95)` is usual"
            ));
        }
        for (what, value, usual) in [("start", self.start, 25.0), ("end", self.end, 1e4)] {
            if !(value > 0.0 && value.is_finite()) {
                return Err(format!("`OneCycle`: expected `{what}` above 0, found {value}\nhelp: {usual} is usual"));
            }
        }
        Ok(())
    }
}
