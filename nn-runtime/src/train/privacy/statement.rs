//! What a private run promises, in words: before its first step, and whenever somebody asks. In: numbers of a
//! run; out: a text. It keeps and trains nothing.

use std::fmt;
use std::string::String;
use std::vec::Vec;

/// What is promised of a run, and what is not: printed before the first step unless
/// [`tell`](super::Privacy::tell) takes it.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub struct PrivacyStatement {
    /// The network's name.
    pub network: String,
    /// What all steps of the trainer give away once the run has ended; infinite without noise.
    pub epsilon: f64,
    /// The chance that is left out of account.
    pub delta: f64,
    /// What has been given away before this run.
    pub spent: f64,
    /// Samples in the data set.
    pub samples: usize,
    /// The chance with which a sample is part of a batch.
    pub rate: f64,
    /// Steps of this run.
    pub steps: u64,
    /// The norm that the gradient of each sample is cut to.
    pub max_grad_norm: f64,
    /// The deviation of the noise, in norms.
    pub noise_multiplier: f64,
    /// What the promise does not cover, a sentence each.
    pub not_covered: Vec<String>,
}

impl fmt::Display for PrivacyStatement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let PrivacyStatement { network, epsilon, delta, spent, samples, rate, steps, .. } = self;
        let PrivacyStatement { max_grad_norm: norm, noise_multiplier: noise, .. } = self;
        write!(
            f,
            "private training of `{network}`: epsilon {epsilon:.3} for delta {delta:e} by Rényi differential privacy"
        )?;
        if *spent > 0.0 {
            write!(f, ", of which {spent:.3} have been spent before")?;
        }
        write!(
            f,
            "\n  how: {steps} steps, each on every one of {samples} samples with a chance of {rate:.6}; each sample's gradient cut \
             to the norm {norm}, noise of deviation {noise} times that\n  of what: the learnt parameters and all that is \
             computed from them, for whoever knows all samples but one (added or left out)"
        )?;
        if *noise == 0.0 {
            f.write_str("\n  without noise nothing is promised")?;
        }
        f.write_str("\n  not covered:")?;
        self.not_covered.iter().try_for_each(|one| write!(f, "\n  - {one}"))
    }
}
