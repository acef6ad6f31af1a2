//! Whether a layer keeps what every layer promises. In: a probe and a batch; out: nothing, or a sentence
//! about what does not hold. It judges by numbers alone, and does not know which layer it is.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use super::Probe;
use super::trial::{InputGrads, Outcome, Trial, of};
use crate::layer::Layer;
use crate::params::Tensor;
use nn_kernels::aligned_buffer::AlignedBuffer;

/// A batch, and what comes of it in an ordinary training step, which every other way to run the layer must
/// agree with.
pub(super) struct Expected<'a, const N: usize, const M: usize> {
    pub(super) batch: usize,
    pub(super) x: [&'a [f32]; N],
    pub(super) dy: [&'a [f32]; M],
    pub(super) whole: Outcome<N, M>,
    pub(super) grad: AlignedBuffer,
}

impl<const N: usize, const M: usize, L: Layer<N, M>> Probe<L, N, M> {
    /// Whether the layer keeps what every layer promises, and everything that its rule claims of it:
    ///
    /// - the same bits whatever part of the parameters is asked for at a time, without reading a parameter in
    ///   [`backward_params`](Layer::backward_params), and however a batch is cut (unless its rule says
    ///   [`depends_on_batch`](crate::LayerSpec::depends_on_batch));
    /// - gradients that are added to what is there; nothing written to a `dx` that is empty; no need for
    ///   `backward_input` before `backward_params`, unless its rule says
    ///   [`backward_input_first`](crate::LayerSpec::backward_input_first);
    /// - the same bits in place as not, where its rule says [`elementwise`](crate::LayerSpec::elementwise) or
    ///   [`backward_in_place`](crate::LayerSpec::backward_in_place);
    /// - the same as with the layer after it, where its rule says
    ///   [`accepts_elementwise`](crate::LayerSpec::accepts_elementwise);
    /// - the same step by step as of a window, where its rule says that it [streams](Probe::stream).
    ///
    /// Numbers should be such that something would be seen: different ones, positive and negative, none of
    /// them 0.
    ///
    /// # Errors
    /// Which of these does not hold.
    ///
    /// # Panics
    /// An input or a `dy` has another length; `backward_params` reads a parameter.
    pub fn check_contract(&self, batch: usize, x: [&[f32]; N], dy: [&[f32]; M]) -> Result<(), String> {
        self.check_lengths(batch, x, Some(dy));
        let mut grad = AlignedBuffer::zeroed(self.spec.params.len);
        let whole = self.run_trial(&self.ordinary(batch), x, dy, &mut grad);
        let expected = Expected { batch, x, dy, whole, grad };
        self.check_param_ranges(&expected)?;
        self.check_half_batches(&expected)?;
        self.check_inputs_not_asked(&expected)?;
        self.check_claims(&expected)
    }

    fn check_param_ranges(&self, expected: &Expected<N, M>) -> Result<(), String> {
        for ranges in self.cuts() {
            let trial = Trial { ranges, ..self.ordinary(expected.batch) };
            let (_, grad) = self.repeat(expected, &trial);
            same(&expected.grad, &grad).map_err(|at| {
                let ranges = &trial.ranges;
                format!(
                    "expected the same gradient of the parameters in parts {ranges:?} as at once, found another at {at}"
                )
            })?;
        }
        Ok(())
    }

    /// The second half adds to the first, so that a layer that overwrites is found out too.
    fn check_half_batches(&self, expected: &Expected<N, M>) -> Result<(), String> {
        let Expected { batch, x, dy, .. } = *expected;
        let middle = if self.spec.depends_on_batch_anywhere() { batch } else { batch / 2 };
        let mut grad = AlignedBuffer::zeroed(self.spec.params.len);
        for samples in [0..middle, middle..batch].into_iter().filter(|samples| !samples.is_empty()) {
            let parts = core::iter::once(0..samples.len()).collect();
            let trial = Trial { samples: samples.clone(), parts, ..self.ordinary(batch) };
            let part = self.run_trial(&trial, x, dy, &mut grad);
            let outcomes = [("y", &expected.whole.y[..], &part.y[..]), ("dx", &expected.whole.dx[..], &part.dx[..])];
            for (name, whole, part) in outcomes {
                for (whole, part) in whole.iter().zip(part) {
                    same(of(&samples, batch, whole), part).map_err(|at| {
                        format!(
                            "expected the same {name} for samples {samples:?} of {batch} alone, found another at {at}"
                        )
                    })?;
                }
            }
        }
        same(&expected.grad, &grad).map_err(|at| {
            format!(
                "expected the gradient of the parameters added sample after sample, found other sums at {at} for two half batches"
            )
        })
    }

    fn check_inputs_not_asked(&self, expected: &Expected<N, M>) -> Result<(), String> {
        for k in 0..N {
            let trial = Trial { input_grads: InputGrads::AllBut(k), ..self.ordinary(expected.batch) };
            let (part, _) = self.repeat(expected, &trial);
            for (i, (whole, dx)) in expected.whole.dx.iter().zip(&part.dx).enumerate().filter(|(i, _)| *i != k) {
                same(whole, dx).map_err(|at| {
                    format!(
                        "expected the same gradient of input {i} where that of input {k} is not asked for, found another at {at}"
                    )
                })?;
            }
        }
        Ok(())
    }

    /// The same batch run in another way.
    pub(super) fn repeat(&self, expected: &Expected<N, M>, trial: &Trial) -> (Outcome<N, M>, AlignedBuffer) {
        let mut grad = AlignedBuffer::zeroed(self.spec.params.len);
        let outcome = self.run_trial(trial, expected.x, expected.dy, &mut grad);
        (outcome, grad)
    }

    /// Ways to ask for the parameters in parts: as finely as their layouts allow, and in two parts that may
    /// span several.
    fn cuts(&self) -> [Vec<Range<usize>>; 2] {
        let starts = |tensor: &Tensor| (tensor.offset..tensor.offset + tensor.len).step_by(tensor.layout.grain());
        let fine = |tensor: &Tensor| {
            let (end, grain) = (tensor.offset + tensor.len, tensor.layout.grain());
            starts(tensor).map(move |from| from..end.min(from + grain)).collect::<Vec<_>>()
        };
        let middle = self.tensors.first().and_then(|tensor| starts(tensor).nth(starts(tensor).len() / 2)).unwrap_or(0);
        [self.tensors.iter().flat_map(fine).collect(), vec![0..middle, middle..self.spec.params.len]]
    }
}

/// Whether two slices have the same bits, of NaN only that it is one; else where not.
pub(super) fn same(a: &[f32], b: &[f32]) -> Result<(), usize> {
    assert_eq!(a.len(), b.len());
    match a.iter().zip(b).position(|(a, b)| a.to_bits() != b.to_bits() && !(a.is_nan() && b.is_nan())) {
        Some(at) => Err(at),
        None => Ok(()),
    }
}

/// Whether the distance of two tensors is within a share of the second's norm; else how far they are apart,
/// and where most.
pub(super) fn near(found: &[f32], truth: &[f64], tolerance: f64, of: &str) -> Result<(), String> {
    let norm = |x: &mut dyn Iterator<Item = f64>| libm::sqrt(x.map(|x| x * x).sum());
    let gap = |(found, truth): (&f32, &f64)| f64::from(*found) - truth;
    let size = norm(&mut truth.iter().copied());
    let distance = norm(&mut found.iter().zip(truth).map(gap)) / if size > 0.0 { size } else { 1.0 };
    // Not `distance > tolerance`: NaN is not near.
    if distance <= tolerance {
        return Ok(());
    }
    let worst = (0..truth.len()).max_by(|&a, &b| {
        let off = |i: usize| gap((&found[i], &truth[i])).abs();
        off(a).total_cmp(&off(b))
    });
    let at = worst.unwrap_or(0);
    Err(format!(
        "within {tolerance} of {of}, found a distance of {distance:.2e}, most at {at}: {} instead of {:.6}",
        found[at], truth[at]
    ))
}
