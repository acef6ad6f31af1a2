//! Whether a layer's gradients are gradients. In: a probe and a batch; out: nothing, or which tensor is how
//! far off.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::array;

use super::Probe;
use super::check::near;
use crate::layer::Layer;
use crate::spec::Role;

const DIFFERENCES: &str = "central differences";

impl<const N: usize, const M: usize, L: Layer<N, M>> Probe<L, N, M> {
    /// Compares the gradients with central differences of the outputs. Each tensor may be off by `tolerance`,
    /// as a share of its Euclidean norm: the differences are those of 32-bit numbers, so 1e-2 is a good one,
    /// and 1e-3 is about as far as they carry. Near a kink (0 of ReLU) differences mean nothing: keep inputs
    /// and parameters 0.02 away.
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
            near(&found.inputs[k], &truth, tolerance, DIFFERENCES)
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
            near(&found.params[t], &truth, tolerance, DIFFERENCES)
                .map_err(|off| format!("expected the gradient of `{}` {off}", tensor.name))?;
        }
        Ok(())
    }

    /// The number whose gradient the gradients are: Σ dy · y, of a training step with these parameters.
    fn loss(&self, params: &[f32], batch: usize, x: [&[f32]; N], dy: [&[f32]; M]) -> f64 {
        let y = self.run(params, self.train(0..batch), x);
        y.iter().zip(dy).flat_map(|(y, dy)| y.iter().zip(dy)).map(|(y, dy)| f64::from(*y) * f64::from(*dy)).sum()
    }
}

/// The slope of a function at `at`, with the step that was really taken.
fn difference(at: f32, mut f: impl FnMut(f32) -> f64) -> f64 {
    let step = 0.01 * at.abs().max(1.0);
    let (above, below) = (at + step, at - step);
    (f(above) - f(below)) / (f64::from(above) - f64::from(below))
}
