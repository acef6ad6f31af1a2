//! One stride of a stream, through the chain of its layers where there is one. In: an engine and slices; out:
//! the stride taken, or what is wrong, with nothing changed.

use super::engine::{Engine, StepFault, output_steps};
#[cfg(feature = "alloc")]
use crate::finite::first_not_finite;
#[cfg(feature = "alloc")]
use crate::graph::CompiledNetwork;
use crate::model::Network;
use crate::storage::Storage;
#[cfg(feature = "alloc")]
use nn_kernels::stream_chain::StreamMemory;

impl<S: Storage> Engine<S> {
    /// Takes one stride of all voices, or leaves all as it is. Outputs may have room behind them.
    #[inline]
    pub(super) fn step<N: Network>(
        &mut self,
        params: &[f32],
        x: &[&[f32]],
        y: &mut [&mut [f32]],
    ) -> Result<(), StepFault> {
        let network = N::COMPILED;
        #[cfg(feature = "alloc")]
        if let Some(chain) = &self.chain {
            let (carried, values) = self.saved.split_at_mut(self.before.len());
            let memory = StreamMemory { params, prepared: &self.prepared, carried, before: &mut self.before, values };
            let finite = chain.run(self.isa, memory, x, y, self.strides % 2 == 1);
            self.before_at = None;
            if !finite {
                self.look_closely(network, x, y)?;
            }
            self.strides = self.strides.saturating_add(1);
            return Ok(());
        }
        self.check(network, 1, x)?;
        self.begin();
        for (y, len) in y.iter_mut().zip(output_steps(network)) {
            *y = &mut core::mem::take(y)[..len * self.voices];
        }
        self.walk::<N>(params, 1, x, y);
        self.finish(network, 1, y.iter().map(|y| &**y))
    }

    /// Whether a number of the chain's last step is not finite that somebody reads; the step has then not
    /// been taken.
    #[cfg(feature = "alloc")]
    #[cold]
    fn look_closely(&mut self, network: &CompiledNetwork, x: &[&[f32]], y: &[&mut [f32]]) -> Result<(), StepFault> {
        let Some(chain) = &self.chain else { return Ok(()) };
        let (carried, values) = self.saved.split_at_mut(self.before.len());
        let odd = |numbers: &[f32]| first_not_finite(numbers).map(|at| numbers[at]);
        let outputs = || y.iter().zip(output_steps(network)).find_map(|(y, len)| odd(&y[..len]));
        let of_input = x
            .iter()
            .enumerate()
            .find_map(|(input, x)| first_not_finite(x).map(|at| StepFault::NotFinite { input, at, found: x[at] }));
        let fault = of_input.or_else(|| chain.not_finite(values).or_else(outputs).map(StepFault::Overflow));
        match fault {
            None => Ok(()),
            Some(fault) => {
                chain.undo(carried, &self.before);
                Err(fault)
            }
        }
    }
}
