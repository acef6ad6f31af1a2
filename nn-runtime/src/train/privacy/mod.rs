//! Differentially private training: what a model gives away of any single sample is bounded, whatever else is
//! known. In: noise, a norm, a key; out: settings for [`Trainer::private`](super::Trainer::private), and
//! epsilon. Abadi et al., "Deep Learning with Differential Privacy", 2016 (DP-SGD).
//!
//! Each step takes every sample with the same chance (Poisson), computes the gradient of each by itself, cuts
//! it to a norm, adds noise to the sum and divides by the expected size of a batch. What Opacus calls
//! `PrivacyEngine.make_private` and TensorFlow Privacy `DPKerasOptimizer`; one's own layers take part without
//! writing anything, as each sample runs forward and backward alone.
//!
//! ```
//! use nn_runtime::data::digits;
//! use nn_runtime::prelude::*;
//! use nn_runtime::train::privacy::{Privacy, epsilon};
//!
//! network! { struct Digits: [1, 28, 28] -> [10] { Flatten -> Dense(16) -> Relu -> Dense(10) -> Softmax } }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let train = digits::draw(500, 1);
//! let mut model = Digits::init(0);
//! let privacy = Privacy::new(1.1, 1.0).delta(1e-4).tell(|statement| println!("{statement}"));
//! # let privacy = privacy.seed(1);
//! let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(3e-3)).private(privacy);
//! trainer.fit(&train, Fit::epochs(2).batch(50))?;
//! let spent = trainer.epsilon(1e-4);
//! assert!((spent - epsilon(1.1, 50.0 / 500.0, 20, 1e-4)).abs() < 1e-12 && spent < 4.0);
//! # Ok(()) }
//! ```

use std::format;
use std::fs::File;
use std::io::Read;
use std::string::String;
use std::sync::Arc;
use std::vec::Vec;

mod accountant;
mod chacha;
mod clipped_sum;
mod draws;
mod statement;

use accountant::SampledSteps;
pub(super) use clipped_sum::ClippedSum;
pub(super) use draws::PrivateDraws;
pub use statement::PrivacyStatement;

/// What so many private steps give away, for this `delta`: each on a Poisson batch with the chance `rate` of
/// every sample, with noise of `noise_multiplier` times the norm. For data sets that differ by one sample
/// more or less.
///
/// By Rényi differential privacy at the orders of Google's `dp-accounting`: the value of Opacus, and of
/// `dp-accounting`'s `RdpAccountant` to 1e-3 or so, which adds up a little too much at broken orders.
/// Infinite without noise, 0 without steps.
///
/// # Panics
/// `rate` is not from 0 to 1, `delta` not between 0 and 1, or `noise_multiplier` below 0.
pub fn epsilon(noise_multiplier: f64, rate: f64, steps: u64, delta: f64) -> f64 {
    epsilon_of_runs(&[(noise_multiplier, rate, steps)], delta)
}

/// [`epsilon`] of several runs on the same samples, one after the other: noise, chance of a sample and steps
/// of each. What the runs of several trainers give away together.
///
/// # Panics
/// As [`epsilon`].
pub fn epsilon_of_runs(runs: &[(f64, f64, u64)], delta: f64) -> f64 {
    assert!(delta > 0.0 && delta < 1.0, "expected a delta between 0 and 1, found {delta}");
    let all = runs.iter().map(|&(noise_multiplier, rate, count)| {
        assert!(noise_multiplier >= 0.0, "expected noise of at least 0, found {noise_multiplier}");
        assert!((0.0..=1.0).contains(&rate), "expected a chance from 0 to 1, found {rate}");
        SampledSteps { rate, noise_multiplier, count }
    });
    accountant::epsilon(&all.collect::<Vec<_>>(), delta)
}

/// The least noise, up to a thousandth, with which [`epsilon`] stays within `target`. Opacus's
/// `get_noise_multiplier`.
///
/// ```
/// use nn_runtime::train::privacy::{epsilon, noise_multiplier};
///
/// let noise = noise_multiplier(2.0, 0.01, 3000, 1e-5);
/// let spent = epsilon(noise, 0.01, 3000, 1e-5);
/// assert!(spent <= 2.0 && spent > 1.99);
/// ```
///
/// # Panics
/// As [`epsilon`]; `target` is not above 0.
pub fn noise_multiplier(target: f64, rate: f64, steps: u64, delta: f64) -> f64 {
    assert!(target > 0.0, "expected an epsilon above 0, found {target}");
    let (mut low, mut high) = (0.0, 1.0);
    while epsilon(high, rate, steps, delta) > target && high < 1e6 {
        (low, high) = (high, 2.0 * high);
    }
    while high - low > 1e-3 * high.min(1.0) {
        let middle = (low + high) / 2.0;
        if epsilon(middle, rate, steps, delta) > target {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// Takes a statement.
type Tell = dyn Fn(&PrivacyStatement) + Send + Sync;

/// How [training is private](super::Trainer::private).
///
/// | setting | default | Opacus |
/// |---|---|---|
/// | `noise_multiplier`, `max_grad_norm` | – | the same |
/// | `delta` | a tenth of one sample | `get_epsilon(delta)` |
/// | `key`, `seed` | from the operating system | `secure_mode`, `noise_generator` |
/// | `tell` | to standard error | – |
///
/// Samples and noise are drawn by ChaCha20 (RFC 8439) with a key of 256 bits; the noise is rounded to the
/// units in which the gradients are summed up exactly, so that its last digits tell nothing (Mironov, "On
/// Significance of the Least Significant Bits for Differential Privacy", 2012). Whoever knows the key knows
/// the noise, and nothing is private to them; a key used for two runs on different data gives both away.
#[derive(Clone)]
pub struct Privacy {
    noise_multiplier: f64,
    max_grad_norm: f64,
    delta: Option<f64>,
    key: Option<[u8; 32]>,
    tell: Option<Arc<Tell>>,
}

impl Privacy {
    /// Cuts each sample's gradient to `max_grad_norm`, and adds noise of `noise_multiplier` times that to
    /// their sum. Common are 0.5 to 2 and 0.1 to 1.5; [`noise_multiplier`] finds the first for an epsilon.
    ///
    /// The key is drawn from the operating system where there is `/dev/urandom`; elsewhere give it
    /// ([`key`](Privacy::key)).
    pub fn new(noise_multiplier: f64, max_grad_norm: f64) -> Privacy {
        Privacy { noise_multiplier, max_grad_norm, delta: None, key: system_key(), tell: None }
    }

    /// The chance that is left out of account. Should be well below one in the number of samples, which is
    /// why it is a tenth of that if nothing is said.
    pub fn delta(mut self, delta: f64) -> Self {
        self.delta = Some(delta);
        self
    }

    /// A key of one's own, from a generator fit for secrets: a run goes on after a checkpoint with the same
    /// key only, and no file holds it.
    pub fn key(mut self, key: [u8; 32]) -> Self {
        self.key = Some(key);
        self
    }

    /// A key made of a number: to see the same run twice, in tests and examples. Who guesses the number knows
    /// the noise: for real data leave it out, or give a [`key`](Privacy::key).
    pub fn seed(self, seed: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        self.key(key)
    }

    /// Takes the statement before the first step of each run; otherwise it is printed on standard error.
    pub fn tell(mut self, tell: impl Fn(&PrivacyStatement) + Send + Sync + 'static) -> Self {
        self.tell = Some(Arc::new(tell));
        self
    }

    /// What is wrong with these settings, if anything.
    fn check(&self) -> Result<(), String> {
        let Privacy { noise_multiplier: noise, max_grad_norm: norm, delta, key, .. } = self;
        let positive = |x: f64| x > 0.0 && x.is_finite();
        if !positive(*noise) && *noise != 0.0 {
            return Err(format!("expected a noise of at least 0, found {noise}\nhelp: `Privacy::new(1.1, 1.0)`"));
        }
        if !positive(*norm) {
            return Err(format!(
                "expected a norm above 0 that gradients are cut to, found {norm}\nhelp: `Privacy::new(1.1, 1.0)`"
            ));
        }
        if let Some(delta) = delta.filter(|&delta| !(positive(delta) && delta < 1.0)) {
            return Err(format!("expected a delta between 0 and 1, found {delta}\nhelp: `.delta(1e-5)`"));
        }
        match key {
            Some(_) => Ok(()),
            None => {
                Err("expected a key for private training, and this system gives none\nhelp: `.key([..])`, 32 bytes \
                         from a generator fit for secrets"
                    .into())
            }
        }
    }
}

/// 32 bytes of the operating system's generator, where it is a file.
fn system_key() -> Option<[u8; 32]> {
    let mut key = [0; 32];
    File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut key)).ok().map(|()| key)
}

/// Private training as a trainer keeps it: settings, and what has been spent.
#[derive(Clone)]
pub(super) struct PrivateRun {
    settings: Privacy,
    pub(super) draws: PrivateDraws,
    /// SampledSteps taken, also those whose model has been given up: no noise is drawn twice.
    spent: Vec<SampledSteps>,
    /// SampledSteps whose numbers have been drawn.
    pub(super) steps: u64,
}

impl PrivateRun {
    pub(super) fn new(settings: Privacy) -> PrivateRun {
        let draws = PrivateDraws::new(&settings.key.unwrap_or_default());
        PrivateRun { settings, draws, spent: Vec::new(), steps: 0 }
    }

    pub(super) fn check(&self) -> Result<(), String> {
        self.settings.check()
    }

    /// The norm of a sample's gradient, and the deviation of the noise.
    pub(super) fn norm_and_deviation(&self) -> (f64, f64) {
        (self.settings.max_grad_norm, self.settings.max_grad_norm * self.settings.noise_multiplier)
    }

    /// Counts a step with this chance of each sample; returns its number.
    pub(super) fn take_step(&mut self, rate: f64) -> u64 {
        let noise_multiplier = self.settings.noise_multiplier;
        match self.spent.last_mut() {
            Some(last) if last.rate == rate && last.noise_multiplier == noise_multiplier => last.count += 1,
            _ => self.spent.push(SampledSteps { rate, noise_multiplier, count: 1 }),
        }
        self.steps += 1;
        self.steps - 1
    }

    /// What has been given away so far.
    pub(super) fn epsilon(&self, delta: f64) -> f64 {
        accountant::epsilon(&self.spent, delta)
    }

    /// What will have been promised after so many steps more.
    pub(super) fn tell(&self, network: &str, (samples, rate): (usize, f64), steps: u64, not_covered: Vec<String>) {
        let Privacy { noise_multiplier, max_grad_norm, delta, tell, .. } = &self.settings;
        let delta = delta.unwrap_or(0.1 / samples as f64);
        let mut all = self.spent.clone();
        all.push(SampledSteps { rate, noise_multiplier: *noise_multiplier, count: steps });
        let statement = PrivacyStatement {
            network: network.into(),
            epsilon: accountant::epsilon(&all, delta),
            delta,
            spent: self.epsilon(delta),
            samples,
            rate,
            steps,
            max_grad_norm: *max_grad_norm,
            noise_multiplier: *noise_multiplier,
            not_covered,
        };
        match tell {
            Some(tell) => tell(&statement),
            None => std::eprintln!("{statement}"),
        }
    }

    /// The settings that the bits of a run depend on, in words; of the key what it is known by.
    pub(super) fn settings(&self) -> String {
        let Privacy { noise_multiplier, max_grad_norm, .. } = &self.settings;
        format!("noise {noise_multiplier:?}, norm {max_grad_norm:?}, key {:016x}", self.draws.name())
    }

    /// What has been spent, as numbers: steps drawn, and three for each kind of step.
    pub(super) fn numbers(&self) -> Vec<u64> {
        let of = |steps: &SampledSteps| [steps.rate.to_bits(), steps.noise_multiplier.to_bits(), steps.count];
        [self.steps].into_iter().chain(self.spent.iter().flat_map(of)).collect()
    }

    /// Goes on where these numbers were taken.
    pub(super) fn go_on(&mut self, numbers: &[u64]) {
        let Some((steps, kinds)) = numbers.split_first() else { return };
        let of = |[rate, noise, count]: &[u64; 3]| SampledSteps {
            rate: f64::from_bits(*rate),
            noise_multiplier: f64::from_bits(*noise),
            count: *count,
        };
        (self.steps, self.spent) = (*steps, kinds.as_chunks().0.iter().map(of).collect());
    }
}
