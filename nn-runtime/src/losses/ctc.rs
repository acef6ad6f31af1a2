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
/// which is then left out while training, or in `DensePerStep`. Targets: labels, `u32`, of any class but the
/// blank's, as many for each sample as the longest has; what shorter ones lack at the end is the blank
/// ([`Labels::per_step`](crate::data::Labels::per_step)). A sample wants as many steps as labels, and one
/// more between equal ones. A sample counts as right where the most probable class of every step reads as the
/// labels. Weights are per sample.
///
/// | | here | PyTorch's `CTCLoss` | Keras's `CTC` |
/// |---|---|---|---|
/// | `blank`, which class is none | 0 | `blank=0` | `mask_index=0` |
/// | `input_lengths`: how many steps of a sample count | `false`: all | `input_lengths`, an input of the loss | all |
/// | `zero_infinity`: labels that do not fit are passed over | `false`: refused | `zero_infinity=False`: infinite | 100,000 (Keras 3.15) |
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
    blank: u32,
    zero_infinity: bool,
    input_lengths: bool,
    // Kept between samples, so that training allocates only while it meets longer ones than before.
    scratch: ScratchPool<Scratch>,
}

impl Ctc {
    /// With class 0 as the blank, over all steps.
    #[allow(clippy::new_without_default, reason = "as every loss, it is made by its name")]
    pub fn new() -> Self {
        Ctc { blank: 0, zero_infinity: false, input_lengths: false, scratch: ScratchPool::new() }
    }

    /// Which class is the blank: no label, and what fills up behind the labels of a sample.
    pub fn blank(mut self, class: u32) -> Self {
        self.blank = class;
        self
    }

    /// Whether a sample whose labels fit into its steps in no way adds nothing, instead of being refused.
    pub fn zero_infinity(mut self, zero: bool) -> Self {
        self.zero_infinity = zero;
        self
    }

    /// Whether the first target of each sample is no label but how many of its steps count, from 1 on; its
    /// labels stand behind it. What is at later steps has no influence and no gradient.
    ///
    /// ```
    /// use nn_runtime::losses::{Ctc, LossOn};
    /// use nn_runtime::Isa;
    ///
    /// // Of three steps two count.
    /// let (loss, scores) = (Ctc::new().input_lengths(true), [0.0, 0.0, 0.0, 0.0, 9.0, -9.0]);
    /// let target: &[u32] = &[2, 1];
    /// assert!((loss.value(Isa::detect(), 2, &scores, target) - (4.0f64 / 3.0).ln()).abs() < 1e-6);
    /// ```
    pub fn input_lengths(mut self, given: bool) -> Self {
        self.input_lengths = given;
        self
    }

    /// How many of so many steps count, and the labels of a sample, without what only fills up.
    fn split<'t>(&self, target: &'t [u32], steps: usize) -> (usize, Labelled<'t>) {
        let (steps, target) = match (self.input_lengths, target.split_first()) {
            (true, Some((length, target))) => (*length as usize, target),
            _ => (steps, target),
        };
        let len = target.iter().rposition(|&label| label != self.blank).map_or(0, |last| last + 1);
        (steps, Labelled { labels: &target[..len], blank: self.blank })
    }

    /// The same where both have been checked.
    #[track_caller]
    fn checked<'t>(&self, width: usize, y: &[f32], target: &'t [u32]) -> (usize, Labelled<'t>) {
        let steps = y.len().checked_div(width).unwrap_or(0);
        let (counted, labelled) = self.split(target, steps);
        assert!(
            width > 0 && !y.is_empty() && y.len().is_multiple_of(width),
            "expected steps of {width} scores, found {} numbers",
            y.len()
        );
        assert!((1..=steps).contains(&counted), "expected a length of 1 to {steps} steps, found {counted}");
        let too_large = labelled.labels.iter().chain([&labelled.blank]).find(|&&label| label as usize >= width);
        if let Some(label) = too_large {
            panic!("expected labels below {width}, found {label}");
        }
        (counted * width, labelled)
    }
}

/// The labels of a sample.
#[derive(Clone, Copy)]
struct Labelled<'t> {
    labels: &'t [u32],
    blank: u32,
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

impl Labelled<'_> {
    fn states(self) -> usize {
        2 * self.labels.len() + 1
    }

    fn class(self, state: usize) -> usize {
        let class = if state % 2 == 1 { self.labels[state / 2] } else { self.blank };
        class as usize
    }

    /// Whether a way may go to this state from two before it: over a blank, between labels that differ.
    fn skips(self, state: usize) -> bool {
        state % 2 == 1 && state >= 3 && self.labels[state / 2] != self.labels[state / 2 - 1]
    }
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
    fn forward(&mut self, isa: Isa, width: usize, y: &[f32], labels: Labelled) -> f64 {
        let states = labels.states();
        let steps = y.len() / width;
        self.row.resize(width, 0.0);
        self.logs.clear();
        self.alpha.clear();
        for (step, z) in y.chunks_exact(width).enumerate() {
            softmax::log_softmax(isa, width, z, &mut self.row);
            for state in 0..states {
                let log = f64::from(self.row[labels.class(state)]);
                let before = |back: usize| match (step.checked_sub(1), state.checked_sub(back)) {
                    (Some(step), Some(from)) => self.alpha[step * states + from],
                    _ => NEVER,
                };
                let ways = match step {
                    // A way begins with the first blank or the first label.
                    0 if state < 2 => 0.0,
                    0 => NEVER,
                    _ if labels.skips(state) => log_sum_exp([before(0), before(1), before(2)]),
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
    fn backward(&mut self, width: usize, labels: Labelled, total: f64, scale: f32, dy: &mut [f32]) {
        let states = labels.states();
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
                    self.beta[state] = match state + 2 < states && labels.skips(state + 2) {
                        true => log_sum_exp([on(0), on(1), on(2)]),
                        false => log_sum_exp([on(0), on(1)]),
                    };
                }
                let share = self.alpha[step * states + state] + self.beta[state] - total;
                // By rounding only above 0; NaN stays.
                let share = libm::exp(if share > 0.0 { 0.0 } else { share });
                dy[step * width + labels.class(state)] -= scale * share as f32;
            }
        }
    }
}

impl Loss for Ctc {
    const LOGITS: bool = true;
    const LINK: Link = Link::Softmax;
    const WHOLE: bool = true;

    fn settings(&self) -> String {
        let Ctc { blank, zero_infinity, input_lengths, .. } = self;
        format!("Ctc {{ blank: {blank}, zero_infinity: {zero_infinity}, input_lengths: {input_lengths} }}")
    }
}

impl<T: TargetLabel> LossOn<[T]> for Ctc {
    fn gradient(&self, isa: Isa, width: usize, y: &[f32], target: &[T], scale: f32, dy: &mut [f32]) -> f64 {
        let (counted, labels) = self.checked(width, y, T::labels(target));
        assert_eq!(y.len(), dy.len(), "expected as many gradients as outputs");
        let (dy, beyond) = dy.split_at_mut(counted);
        beyond.fill(0.0);
        let y = &y[..counted];
        self.scratch.with(|scratch| {
            let total = scratch.forward(isa, width, y, labels);
            if self.zero_infinity && total == NEVER {
                dy.fill(0.0);
                return 0.0;
            }
            // The softmax less the share of each class among the ways that read as the labels.
            softmax::softmax(isa, width, y, dy);
            dy.iter_mut().for_each(|dy| *dy *= scale);
            scratch.backward(width, labels, total, scale, dy);
            -total
        })
    }

    fn value(&self, isa: Isa, width: usize, y: &[f32], target: &[T]) -> f64 {
        let (counted, labels) = self.checked(width, y, T::labels(target));
        let total = self.scratch.with(|scratch| scratch.forward(isa, width, &y[..counted], labels));
        if self.zero_infinity && total == NEVER { 0.0 } else { -total }
    }

    fn fault(&self, width: usize, target: &[T], steps: usize) -> Option<(usize, String)> {
        let blank = self.blank;
        if blank as usize >= width {
            let help = format!("give the class that is none, such as `blank({})`", width - 1);
            return Some((0, format!("expected a blank below the {width} classes, found {blank}\nhelp: {help}")));
        }
        let (counted, Labelled { labels, .. }) = self.split(T::labels(target), steps);
        if !(1..=steps).contains(&counted) {
            let help = "the first target of a sample is how many steps count, and its labels stand behind it";
            return Some((0, format!("expected a length of 1 to {steps} steps, found {counted}\nhelp: {help}")));
        }
        if let Some(label) = labels.iter().find(|&&label| label == blank || label as usize >= width) {
            let most = width - 1;
            let expected = match blank {
                0 => format!("labels from 1 to {most}"),
                _ if blank as usize == most => format!("labels from 0 to {}", most - 1),
                _ => format!("labels from 0 to {most} but {blank}"),
            };
            let help = format!("{blank} is the blank, and fills up behind the labels of a sample");
            return Some((0, format!("expected {expected}, found {label}\nhelp: {help}")));
        }
        let equal = labels.windows(2).filter(|pair| pair[0] == pair[1]).count();
        if labels.len() + equal > counted && !self.zero_infinity {
            return Some((
                0,
                format!(
                    "expected labels that fit into {counted} steps, found {} labels, {equal} of them equal to the one before\nhelp: give the output more steps, one for each label and one more between equal ones, or pass over such samples with `zero_infinity(true)`",
                    labels.len()
                ),
            ));
        }
        None
    }

    fn correct(&self, width: usize, y: &[f32], target: &[T]) -> Option<usize> {
        let (counted, labelled) = self.split(T::labels(target), y.len() / width);
        let (blank, mut expected) = (self.blank as usize, labelled.labels.iter());
        let mut before = blank;
        for z in y.chunks_exact(width).take(counted) {
            let Some(class) = chosen(z) else { return Some(0) };
            if class != before && class != blank && expected.next().is_none_or(|&label| label as usize != class) {
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
