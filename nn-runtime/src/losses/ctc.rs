//! `Ctc`: a sequence of labels from more steps than labels, without being told which step belongs to which.
//! In: the scores of the steps of one sample, its labels; out: the loss over all ways to lay the one on the
//! other. It counts in logarithms, in `f64`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::cross_entropy::chosen;
use super::{Link, Loss, LossOn, TargetLabel};
use nn_kernels::scratch_pool::ScratchPool;
use nn_kernels::simd::Isa;
use nn_kernels::softmax;

/// Connectionist temporal classification: `-ln Σ Π_step softmax(z[step])[class]` over all sequences of
/// classes, one for each step, that read as the labels where repetitions are taken once and then blanks left
/// out; and then the mean over samples.
///
/// It reads the scores `z` of an output `[steps, classes]`: a network may end in `Softmax` or `LogSoftmax`,
/// which is then left out while training, or in `DensePerStep`. Class 0 is the blank. Targets: labels, `u32`,
/// from 1 on, as many for each sample as the longest has; what shorter ones lack at the end is 0
/// ([`Labels::per_step`](crate::data::Labels::per_step)). A sample wants as many steps as labels, and one
/// more between equal ones. A sample counts as right where the most probable class of every step reads as the
/// labels. Weights are per sample.
///
/// | | here | PyTorch's `CTCLoss` | Keras's `CTC` |
/// |---|---|---|---|
/// | blank | 0 | `blank=0` | `mask_index=0` |
/// | the mean is over | samples | samples, each first divided by its number of labels (`reduction="sum"` is not) | samples |
/// | what is read | scores | logarithms of probabilities | scores |
///
/// Graves et al., "Connectionist Temporal Classification", 2006.
///
/// ```
/// use nn_runtime::losses::{Ctc, LossOn};
/// use nn_runtime::Isa;
///
/// // Two steps of a blank and a letter, all as probable: "a" is read from a-, -a and aa, three ways of four.
/// let letter: &[u32] = &[1];
/// let loss = Ctc::new().value(Isa::detect(), 2, &[0.0; 4], letter);
/// assert!((loss - (4.0f64 / 3.0).ln()).abs() < 1e-6);
/// ```
#[derive(Clone, Debug)]
pub struct Ctc {
    // Kept between samples, so that training allocates only while it meets longer ones than before.
    scratch: ScratchPool<Scratch>,
}

impl Ctc {
    /// There is nothing to choose.
    #[allow(clippy::new_without_default, reason = "as every loss, it is made by its name")]
    pub fn new() -> Self {
        Ctc { scratch: ScratchPool::new() }
    }
}

/// What one sample needs. A state is a place in the labels with blanks before, between and behind: blank,
/// first label, blank, …
#[derive(Default)]
struct Scratch {
    /// The logarithms of the probabilities of a step, `[classes]`.
    row: Vec<f32>,
    /// … of the class of each state, `[steps, states]`.
    logs: Vec<f64>,
    /// Of all ways to a state at a step, that step included, `[steps, states]`.
    alpha: Vec<f64>,
    /// Of all ways on from a state at a step, that step left out, `[states]`; and of the step after it.
    beta: Vec<f64>,
    next: Vec<f64>,
}

/// The labels of a sample, without what only fills up.
fn labels(target: &[u32]) -> &[u32] {
    let len = target.iter().rposition(|&label| label != 0).map_or(0, |last| last + 1);
    &target[..len]
}

fn class(labels: &[u32], state: usize) -> usize {
    if state % 2 == 1 { labels[state / 2] as usize } else { 0 }
}

/// Whether a way may go to this state from two before it: over a blank, between labels that differ.
fn skips(labels: &[u32], state: usize) -> bool {
    state % 2 == 1 && state >= 3 && labels[state / 2] != labels[state / 2 - 1]
}

const NEVER: f64 = f64::NEG_INFINITY;

/// `ln Σ e^x`; −∞ of nothing but −∞, NaN where one is.
fn log_sum_exp<const N: usize>(x: [f64; N]) -> f64 {
    let most = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if most == f64::NEG_INFINITY {
        return if x.iter().any(|x| x.is_nan()) { f64::NAN } else { most };
    }
    most + libm::log(x.iter().map(|x| libm::exp(x - most)).sum())
}

impl Scratch {
    /// The logarithm of the probability of the labels.
    #[inline(never)]
    fn forward(&mut self, isa: Isa, width: usize, y: &[f32], labels: &[u32]) -> f64 {
        let states = 2 * labels.len() + 1;
        let steps = y.len() / width;
        self.row.resize(width, 0.0);
        self.logs.clear();
        self.alpha.clear();
        for (step, z) in y.chunks_exact(width).enumerate() {
            softmax::log_softmax(isa, width, z, &mut self.row);
            for state in 0..states {
                let log = f64::from(self.row[class(labels, state)]);
                let before = |back: usize| match (step.checked_sub(1), state.checked_sub(back)) {
                    (Some(step), Some(from)) => self.alpha[step * states + from],
                    _ => NEVER,
                };
                let ways = match step {
                    // A way begins with the first blank or the first label.
                    0 if state < 2 => 0.0,
                    0 => NEVER,
                    _ if skips(labels, state) => log_sum_exp([before(0), before(1), before(2)]),
                    _ => log_sum_exp([before(0), before(1)]),
                };
                self.logs.push(log);
                self.alpha.push(ways + log);
            }
        }
        let last = (steps - 1) * states;
        let ends = if states > 1 { self.alpha[last + states - 2] } else { NEVER };
        log_sum_exp([self.alpha[last + states - 1], ends])
    }

    /// Takes `scale ·` the probability of being in a class at a step, given the labels, from `dy`.
    #[inline(never)]
    fn backward(&mut self, width: usize, labels: &[u32], total: f64, scale: f32, dy: &mut [f32]) {
        let states = 2 * labels.len() + 1;
        let steps = dy.len() / width;
        self.next.clear();
        self.next.resize(states, NEVER);
        self.beta.clear();
        self.beta.resize(states, 0.0);
        for step in (0..steps).rev() {
            if step + 1 < steps {
                core::mem::swap(&mut self.beta, &mut self.next);
            }
            for state in 0..states {
                if step + 1 == steps {
                    // A way ends with the last label or the last blank.
                    self.beta[state] = if state + 2 >= states { 0.0 } else { NEVER };
                } else {
                    let logs = &self.logs[(step + 1) * states..];
                    let on =
                        |by: usize| if state + by < states { self.next[state + by] + logs[state + by] } else { NEVER };
                    self.beta[state] = match state + 2 < states && skips(labels, state + 2) {
                        true => log_sum_exp([on(0), on(1), on(2)]),
                        false => log_sum_exp([on(0), on(1)]),
                    };
                }
                let share = self.alpha[step * states + state] + self.beta[state] - total;
                // By rounding only above 0; NaN stays.
                let share = libm::exp(if share > 0.0 { 0.0 } else { share });
                dy[step * width + class(labels, state)] -= scale * share as f32;
            }
        }
    }
}

#[track_caller]
fn check(width: usize, y: &[f32], labels: &[u32]) {
    assert!(
        width > 0 && !y.is_empty() && y.len().is_multiple_of(width),
        "expected steps of {width} scores, found {} numbers",
        y.len()
    );
    if let Some(label) = labels.iter().find(|&&label| label as usize >= width) {
        panic!("expected labels below {width}, found {label}");
    }
}

impl Loss for Ctc {
    const LOGITS: bool = true;
    const LINK: Link = Link::Softmax;
    const WHOLE: bool = true;

    fn settings(&self) -> String {
        alloc::format!("{self:?}")
    }
}

impl<T: TargetLabel> LossOn<[T]> for Ctc {
    fn gradient(&self, isa: Isa, width: usize, y: &[f32], target: &[T], scale: f32, dy: &mut [f32]) -> f64 {
        let labels = labels(T::labels(target));
        check(width, y, labels);
        assert_eq!(y.len(), dy.len(), "expected as many gradients as outputs");
        self.scratch.with(|scratch| {
            let total = scratch.forward(isa, width, y, labels);
            // The softmax less the share of each class among the ways that read as the labels.
            softmax::softmax(isa, width, y, dy);
            dy.iter_mut().for_each(|dy| *dy *= scale);
            scratch.backward(width, labels, total, scale, dy);
            -total
        })
    }

    fn value(&self, isa: Isa, width: usize, y: &[f32], target: &[T]) -> f64 {
        let labels = labels(T::labels(target));
        check(width, y, labels);
        -self.scratch.with(|scratch| scratch.forward(isa, width, y, labels))
    }

    fn fault(&self, width: usize, target: &[T], steps: usize) -> Option<(usize, String)> {
        let labels = labels(T::labels(target));
        if let Some(label) = labels.iter().find(|&&label| label == 0 || label as usize >= width) {
            let most = width - 1;
            let help = "0 is the blank, and fills up behind the labels of a sample";
            return Some((0, format!("expected labels from 1 to {most}, found {label}\nhelp: {help}")));
        }
        let equal = labels.windows(2).filter(|pair| pair[0] == pair[1]).count();
        if labels.len() + equal > steps {
            return Some((
                0,
                format!(
                    "expected labels that fit into {steps} steps, found {} labels, {equal} of them equal to the one before\nhelp: give the output more steps, one for each label and one more between equal ones",
                    labels.len()
                ),
            ));
        }
        None
    }

    fn correct(&self, width: usize, y: &[f32], target: &[T]) -> Option<usize> {
        let mut expected = labels(T::labels(target)).iter();
        let mut before = 0;
        for z in y.chunks_exact(width) {
            let Some(class) = chosen(z) else { return Some(0) };
            if class != before && class != 0 && expected.next().is_none_or(|&label| label as usize != class) {
                return Some(0);
            }
            before = class;
        }
        Some(usize::from(expected.next().is_none()))
    }
}

#[cfg(test)]
mod tests {
    use super::log_sum_exp;

    #[test]
    fn sums_of_any_size() {
        assert!((log_sum_exp([-1000.0, -1000.0]) - (2f64.ln() - 1000.0)).abs() < 1e-12);
        assert_eq!(log_sum_exp([f64::NEG_INFINITY, -3.0]), -3.0);
        assert_eq!(log_sum_exp([f64::NEG_INFINITY; 3]), f64::NEG_INFINITY);
        assert!(log_sum_exp([f64::NEG_INFINITY, f64::NAN]).is_nan() && log_sum_exp([1.0, f64::NAN]).is_nan());
    }
}
