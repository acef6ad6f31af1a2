//! What an agent does with outputs of a network: choose, tell how likely a choice was, and how a change of
//! the outputs would change that; and what it has seen so far. In: scores of choices, or means and deviations
//! of numbers; out: choices, logarithms of probabilities, entropies, and their gradients.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use crate::finite::first_not_finite;
use crate::input::{InputError, InputErrorKind};
use crate::random::Random;

/// Random numbers to choose with: the same seed gives the same ones, on every machine.
pub struct Draws {
    random: Random,
    /// The second of two normal numbers, until it is asked for.
    spare: Option<f64>,
}

impl Draws {
    /// The sequence that belongs to this seed.
    pub const fn new(seed: u64) -> Draws {
        Draws { random: Random::keyed(seed, &[]), spare: None }
    }

    /// Uniform over `[0, 1)`.
    pub fn unit(&mut self) -> f64 {
        self.random.unit()
    }

    /// Normal, of mean 0 and deviation 1.
    pub fn normal(&mut self) -> f64 {
        self.spare.take().unwrap_or_else(|| {
            let [one, other] = self.random.normal_pair();
            self.spare = Some(other);
            one
        })
    }
}

/// One of several choices, each with a score: `p[i] = exp(score[i]) / Σ_j exp(score[j])`, as
/// [`Softmax`](crate::layers::Softmax) has it. The network ends in plain scores; a choice whose score is -∞
/// is never made. PyTorch's `Categorical(logits=scores)`.
///
/// Numbers are `f64`, and exact where probabilities are as small as 1e-300. The gradients are those of the
/// scores; an objective that is to be small takes them with a negative weight.
///
/// ```
/// use nn_runtime::policy::{Categorical, Draws};
///
/// let scores = [0.0, 3f32.ln()];
/// let choices = Categorical::new(&scores);
/// assert!((choices.probability(1) - 0.75).abs() < 1e-6);
/// assert_eq!(choices.most_likely(), 1);
///
/// let mut draws = Draws::new(1);
/// let ones: usize = (0..1000).map(|_| choices.sample(&mut draws)).sum();
/// assert!((700..800).contains(&ones));
///
/// // The gradient of -ln p(1), for a step that makes choice 1 likelier.
/// let mut d = [0.0; 2];
/// choices.add_log_prob_gradient(1, -1.0, &mut d);
/// assert!((d[0] - 0.25).abs() < 1e-6 && (d[1] + 0.25).abs() < 1e-6);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Categorical<'a> {
    scores: &'a [f32],
    /// ln Σ exp(score)
    log_sum: f64,
}

impl<'a> Categorical<'a> {
    /// As many choices as scores.
    ///
    /// # Panics
    /// `scores.is_empty()`
    pub fn new(scores: &'a [f32]) -> Self {
        assert!(!scores.is_empty(), "expected the score of at least one choice");
        let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let most = if most.is_finite() { f64::from(most) } else { 0.0 };
        let sum: f64 = scores.iter().map(|score| libm::exp(f64::from(*score) - most)).sum();
        Categorical { scores, log_sum: most + libm::log(sum) }
    }

    /// `ln p[choice]`.
    ///
    /// # Panics
    /// `choice` is not below the number of scores.
    pub fn log_prob(&self, choice: usize) -> f64 {
        f64::from(self.scores[choice]) - self.log_sum
    }

    /// `p[choice]`.
    ///
    /// # Panics
    /// As [`log_prob`](Categorical::log_prob).
    pub fn probability(&self, choice: usize) -> f64 {
        libm::exp(self.log_prob(choice))
    }

    /// `-Σ p[i] · ln p[i]`: from 0, where one choice is certain, to the logarithm of their number.
    pub fn entropy(&self) -> f64 {
        -(0..self.scores.len()).map(|i| self.weighted_log_prob(i)).sum::<f64>()
    }

    /// `p · ln p`, which is 0 for what is never chosen.
    fn weighted_log_prob(&self, choice: usize) -> f64 {
        let log_prob = self.log_prob(choice);
        if log_prob == f64::NEG_INFINITY { 0.0 } else { libm::exp(log_prob) * log_prob }
    }

    /// The choice with the highest score, the first of equals.
    pub fn most_likely(&self) -> usize {
        let mut best = 0;
        for (i, score) in self.scores.iter().enumerate() {
            if *score > self.scores[best] {
                best = i;
            }
        }
        best
    }

    /// A choice drawn by its probability.
    pub fn sample(&self, draws: &mut Draws) -> usize {
        let mut left = draws.unit();
        let mut last = self.most_likely();
        for i in 0..self.scores.len() {
            let probability = self.probability(i);
            if probability > 0.0 {
                last = i;
                left -= probability;
            }
            if left < 0.0 {
                break;
            }
        }
        // Where rounding has left something, it is that of the last that can be chosen.
        last
    }

    /// Adds `weight · ∂ ln p[choice] / ∂ score[i] = weight · ([i = choice] - p[i])` to each `d[i]`.
    ///
    /// # Panics
    /// `choice` is not below the number of scores, or `d` has another length.
    pub fn add_log_prob_gradient(&self, choice: usize, weight: f64, d: &mut [f32]) {
        assert!(choice < self.scores.len() && d.len() == self.scores.len(), "expected a gradient of every score");
        for (i, d) in d.iter_mut().enumerate() {
            let is_chosen = if i == choice { 1.0 } else { 0.0 };
            *d += (weight * (is_chosen - self.probability(i))) as f32;
        }
    }

    /// Adds `weight · ∂ entropy / ∂ score[i] = -weight · p[i] · (ln p[i] + entropy)` to each `d[i]`.
    ///
    /// # Panics
    /// `d` has another length than the scores.
    pub fn add_entropy_gradient(&self, weight: f64, d: &mut [f32]) {
        assert!(d.len() == self.scores.len(), "expected a gradient of every score");
        let entropy = self.entropy();
        for (i, d) in d.iter_mut().enumerate() {
            *d -= (weight * (self.weighted_log_prob(i) + self.probability(i) * entropy)) as f32;
        }
    }
}

/// Numbers that are normal and independent of each other, each with its mean and the logarithm of its
/// deviation: what an agent does whose actions are numbers. PyTorch's `Independent(Normal(mean,
/// log_deviation.exp()), 1)`.
///
/// The logarithms may be outputs of the network beside the means, or parameters of one's own. Gradients are
/// added to both, times a weight.
///
/// ```
/// use nn_runtime::policy::{Draws, Gaussian};
///
/// let gaussian = Gaussian::new(&[1.0, -2.0], &[0.0, -1.0]);
/// let mut action = [0.0; 2];
/// gaussian.sample(&mut Draws::new(1), &mut action);
/// assert!(gaussian.log_prob(&action) < gaussian.log_prob(&[1.0, -2.0]));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Gaussian<'a> {
    mean: &'a [f32],
    log_deviation: &'a [f32],
}

/// ln √(2π)
const LOG_ROOT: f64 = 0.918_938_533_204_672_8;

impl<'a> Gaussian<'a> {
    /// As many numbers as means.
    ///
    /// # Panics
    /// `mean.len() != log_deviation.len()`
    pub fn new(mean: &'a [f32], log_deviation: &'a [f32]) -> Self {
        assert!(mean.len() == log_deviation.len(), "expected a deviation for each mean");
        Gaussian { mean, log_deviation }
    }

    /// The mean, the logarithm of the deviation, and how many deviations a number lies above the mean.
    fn deviations(&self, action: &[f32]) -> impl Iterator<Item = (f64, f64)> {
        assert!(action.len() == self.mean.len(), "expected a number for each mean");
        self.mean.iter().zip(self.log_deviation).zip(action).map(|((mean, log), x)| {
            let log = f64::from(*log);
            (log, (f64::from(*x) - f64::from(*mean)) * libm::exp(-log))
        })
    }

    /// `Σ -z²/2 - ln σ - ln √(2π)` with `z = (action - mean) / σ`: the logarithm of the density.
    ///
    /// # Panics
    /// `action` has another length than the means.
    pub fn log_prob(&self, action: &[f32]) -> f64 {
        self.deviations(action).map(|(log, z)| -0.5 * z * z - log - LOG_ROOT).sum()
    }

    /// `Σ ln σ + ln √(2π) + 1/2`.
    pub fn entropy(&self) -> f64 {
        self.log_deviation.iter().map(|log| f64::from(*log) + LOG_ROOT + 0.5).sum()
    }

    /// Draws an action.
    ///
    /// # Panics
    /// `action` has another length than the means.
    pub fn sample(&self, draws: &mut Draws, action: &mut [f32]) {
        assert!(action.len() == self.mean.len(), "expected room for a number for each mean");
        for ((mean, log), to) in self.mean.iter().zip(self.log_deviation).zip(action) {
            *to = (f64::from(*mean) + libm::exp(f64::from(*log)) * draws.normal()) as f32;
        }
    }

    /// Adds `weight · ∂ log_prob / ∂ mean = weight · z / σ` to `d_mean`, and `weight · ∂ log_prob / ∂ ln σ =
    /// weight · (z² - 1)` to `d_log_deviation`.
    ///
    /// # Panics
    /// A slice has another length than the means.
    pub fn add_log_prob_gradient(&self, action: &[f32], weight: f64, d_mean: &mut [f32], d_log_deviation: &mut [f32]) {
        let found = [d_mean.len(), d_log_deviation.len()];
        assert!(found == [self.mean.len(); 2], "expected a gradient of every mean and deviation");
        for (((log, z), d_mean), d_log) in self.deviations(action).zip(d_mean).zip(d_log_deviation) {
            *d_mean += (weight * z * libm::exp(-log)) as f32;
            *d_log += (weight * (z * z - 1.0)) as f32;
        }
    }

    /// Adds `weight · ∂ entropy / ∂ ln σ = weight` to each `d_log_deviation`.
    ///
    /// # Panics
    /// `d_log_deviation` has another length than the deviations.
    pub fn add_entropy_gradient(&self, weight: f64, d_log_deviation: &mut [f32]) {
        assert!(d_log_deviation.len() == self.mean.len(), "expected a gradient of every deviation");
        d_log_deviation.iter_mut().for_each(|d| *d += weight as f32);
    }
}

/// Mean and deviation of all that an agent has seen so far, feature by feature: what a
/// [`Normalization`](crate::layers::Normalization) before the network is given from time to time, so that
/// they travel with its weights. Welford, "Note on a Method for Calculating Corrected Sums of Squares and
/// Products", 1962.
///
/// ```
/// use nn_runtime::policy::Observations;
/// use nn_runtime::prelude::*;
///
/// network! { struct Policy: [2] -> [3] { norm: Normalization -> Dense(8) -> Tanh -> Dense(3) } }
///
/// let (mut model, mut seen) = (Policy::init(0), Observations::new(2));
/// seen.see(&[1.0, 10.0, 3.0, 10.0])?;                                     // two of them
/// seen.see(&[5.0, 40.0])?;
/// assert_eq!(seen.mean(), [3.0, 20.0]);
/// model.set("norm.mean", &seen.mean())?;
/// model.set("norm.std", &seen.std())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Observations {
    count: u64,
    /// Of each feature the mean, and the sum of squares of what is off it.
    moments: Vec<[f64; 2]>,
}

impl Observations {
    /// None yet, of so many features.
    ///
    /// # Panics
    /// `features == 0`
    pub fn new(features: usize) -> Observations {
        assert!(features > 0, "expected at least 1 feature");
        Observations { count: 0, moments: vec![[0.0; 2]; features] }
    }

    /// Takes more of them in, `[…, features]` row-major.
    ///
    /// # Errors
    /// No whole observations, or a number that is not finite; nothing is taken in.
    pub fn see(&mut self, observations: &[f32]) -> Result<(), InputError> {
        let features = self.moments.len();
        if !observations.len().is_multiple_of(features) {
            let found = observations.len();
            let text =
                format!("expected observations of {features} numbers each, found {found}\nhelp: give whole ones");
            return Err(InputError::new(InputErrorKind::Shape, text));
        }
        if let Some(at) = first_not_finite(observations) {
            return Err(InputError::new(
                InputErrorKind::NotFinite,
                format!(
                    "observation {}, feature {}: expected a finite number, found {}\nhelp: leave it out, or give a number in its place",
                    at / features,
                    at % features,
                    observations[at]
                ),
            ));
        }
        for observation in observations.chunks_exact(features) {
            self.count += 1;
            for ([mean, squares], x) in self.moments.iter_mut().zip(observation) {
                let off = f64::from(*x) - *mean;
                *mean += off / self.count as f64;
                *squares += off * (f64::from(*x) - *mean);
            }
        }
        Ok(())
    }

    /// How many there have been.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The mean of each feature; 0 before the first.
    pub fn mean(&self) -> Vec<f32> {
        self.moments.iter().map(|[mean, _]| *mean as f32).collect()
    }

    /// The deviation of each feature, that of all that there are: 1 before the first, 0 of what is always the
    /// same.
    pub fn std(&self) -> Vec<f32> {
        let count = self.count as f64;
        let std = |squares: f64| if self.count == 0 { 1.0 } else { libm::sqrt(squares / count) };
        self.moments.iter().map(|[_, squares]| std(*squares) as f32).collect()
    }
}
