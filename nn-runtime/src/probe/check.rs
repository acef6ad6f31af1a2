//! Whether a layer keeps the contract, and whether its gradients are gradients. In: a probe and a batch; out: nothing, or a sentence
//! about what does not hold. It judges by numbers alone, and may not know which layer it is.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::array;
use core::ops::Range;

use super::{Probe, of};
use crate::layer::Layer;
use crate::params::Tensor;
use crate::spec::Role;
use nn_kernels::aligned_buffer::AlignedBuffer;

impl<const N: usize, const M: usize, L: Layer<N, M>> Probe<L, N, M> {
    /// Whether the layer keeps what every layer promises: the same bits whatever part of the parameters is asked for at a time and
    /// however a batch is cut (unless its spec couple it); gradients added to what is there; `dx` left alone where it is empty; in place the same bits as not.
    ///
    /// # Errors
    /// Which of these does not hold.
    ///
    /// # Panics
    /// An input or a `dy` has another length.
    pub fn check_contract(&self, batch: usize, x: [&[f32]; N], dy: [&[f32]; M]) -> Result<(), String> {
        let len = self.spec.params_len;
        let all = [0..len; 1];
        let mut expected = AlignedBuffer::zeroed(len);
        let whole = self.pass(0..batch, x, dy, None, &all, &mut expected);

        for ranges in self.cuts() {
            let mut grad = AlignedBuffer::zeroed(len);
            self.pass(0..batch, x, dy, None, &ranges, &mut grad);
            same(&expected, &grad).map_err(|at| {
                format!(
                    "expected the same gradient of the parameters in parts {ranges:?} as at once, found another at {at}"
                )
            })?;
        }

        // The second half adds to the first: a layer that overwrites is found out too. Where samples are coupled no batch is cut.
        let mut grad = AlignedBuffer::zeroed(len);
        let halves = if self.spec.depends_on_batch_anywhere() {
            [0..batch, batch..batch]
        } else {
            [0..batch / 2, batch / 2..batch]
        };
        for samples in
            halves.into_iter().filter(|samples| !samples.is_empty() || !self.spec.depends_on_batch_anywhere())
        {
            let part = self.pass(samples.clone(), x, dy, None, &all, &mut grad);
            for (name, whole, part) in [("y", &whole.y[..], &part.y[..]), ("dx", &whole.dx[..], &part.dx[..])] {
                for (whole, part) in whole.iter().zip(part) {
                    same(of(&samples, batch, whole), part).map_err(|at| {
                        format!(
                            "expected the same {name} for samples {samples:?} of {batch} alone, found another at {at}"
                        )
                    })?;
                }
            }
        }
        same(&expected, &grad).map_err(|at| {
            format!("expected the gradient of the parameters added sample after sample, found other sums at {at} for two half batches")
        })?;

        for k in 0..N {
            let part = self.pass(0..batch, x, dy, Some(k), &[], &mut AlignedBuffer::zeroed(0));
            for (i, (whole, dx)) in whole.dx.iter().zip(&part.dx).enumerate().filter(|(i, _)| *i != k) {
                same(whole, dx).map_err(|at| {
                    format!("expected the same gradient of input {i} where that of input {k} is not asked for, found another at {at}")
                })?;
            }
        }

        if let Some(y) = self.in_place(batch, x[0]) {
            let [expected] = &self.run(&self.params, self.infer(batch), x)[..] else {
                return Err(format!("expected one output of a layer that works in place, found {M}"));
            };
            same(expected, &y).map_err(|at| format!("expected the same output in place, found another at {at}"))?;
        }
        Ok(())
    }

    /// Compares the gradients with central differences of the outputs. Each tensor may be off by `tolerance`, as a share of its
    /// Euclidean norm: the differences are those of 32-bit numbers, so 1e-2 is a good one, and 1e-3 is about as far as they carry.
    /// Near a kink (0 of ReLU) differences mean nothing: keep inputs and parameters 0.02 away.
    ///
    /// # Errors
    /// Which tensor is further off, where most, and what is there.
    ///
    /// # Panics
    /// An input or a `dy` has another length.
    pub fn check_gradients(&self, batch: usize, x: [&[f32]; N], dy: [&[f32]; M], tolerance: f64) -> Result<(), String> {
        let found = self.gradients(batch, x, dy);
        let mut moved: [Vec<f32>; N] = x.map(<[f32]>::to_vec);
        for k in 0..N {
            let mut truth = Vec::with_capacity(x[k].len());
            for i in 0..x[k].len() {
                truth.push(difference(x[k][i], |value| {
                    moved[k][i] = value;
                    self.loss(&self.params, batch, array::from_fn(|k| &moved[k][..]), dy)
                }));
                moved[k][i] = x[k][i];
            }
            near(&found.inputs[k], &truth, tolerance)
                .map_err(|off| format!("expected the gradient of input {k} {off}"))?;
        }
        let mut params = self.params.clone();
        for (t, tensor) in self.tensors.iter().enumerate().filter(|(_, tensor)| tensor.role == Role::Trainable) {
            let mut values = vec![0.0; tensor.count()];
            tensor.read(&self.params, &mut values);
            let mut truth = Vec::with_capacity(values.len());
            for i in 0..values.len() {
                let value = values[i];
                truth.push(difference(value, |value| {
                    values[i] = value;
                    tensor.write(&values, &mut params);
                    self.loss(&params, batch, x, dy)
                }));
                values[i] = value;
            }
            tensor.write(&values, &mut params);
            near(&found.params[t], &truth, tolerance)
                .map_err(|off| format!("expected the gradient of `{}` {off}", tensor.name))?;
        }
        Ok(())
    }

    /// The number whose gradient the gradients are: Σ dy · y, of a training step with these parameters.
    fn loss(&self, params: &[f32], batch: usize, x: [&[f32]; N], dy: [&[f32]; M]) -> f64 {
        let y = self.run(params, self.train(0..batch), x);
        y.iter().zip(dy).flat_map(|(y, dy)| y.iter().zip(dy)).map(|(y, dy)| f64::from(*y) * f64::from(*dy)).sum()
    }

    /// Ways to ask for the parameters in parts: as finely as their layouts allow, and in two parts that may span several.
    fn cuts(&self) -> [Vec<Range<usize>>; 2] {
        let starts = |tensor: &Tensor| (tensor.offset..tensor.offset + tensor.len).step_by(tensor.layout.grain());
        let fine = |tensor: &Tensor| {
            let (end, grain) = (tensor.offset + tensor.len, tensor.layout.grain());
            starts(tensor).map(move |from| from..end.min(from + grain)).collect::<Vec<_>>()
        };
        let middle = self.tensors.first().and_then(|tensor| starts(tensor).nth(starts(tensor).len() / 2)).unwrap_or(0);
        [self.tensors.iter().flat_map(fine).collect(), vec![0..middle, middle..self.spec.params_len]]
    }
}

/// Whether two slices have the same bits, of NaN only that it is one; else where not.
fn same(a: &[f32], b: &[f32]) -> Result<(), usize> {
    assert_eq!(a.len(), b.len());
    match a.iter().zip(b).position(|(a, b)| a.to_bits() != b.to_bits() && !(a.is_nan() && b.is_nan())) {
        Some(at) => Err(at),
        None => Ok(()),
    }
}

/// The slope of a function at `at`, with the step that was really taken.
fn difference(at: f32, mut f: impl FnMut(f32) -> f64) -> f64 {
    let step = 0.01 * at.abs().max(1.0);
    let (above, below) = (at + step, at - step);
    (f(above) - f(below)) / (f64::from(above) - f64::from(below))
}

/// Whether the distance of two tensors is within a share of the second's norm; else how far they are apart, and where most.
fn near(found: &[f32], truth: &[f64], tolerance: f64) -> Result<(), String> {
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
        "within {tolerance} of central differences, found a distance of {distance:.2e}, most at {at}: {} instead of {:.6}",
        found[at], truth[at]
    ))
}
