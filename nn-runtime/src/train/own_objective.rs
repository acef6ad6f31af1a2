//! Outputs of a whole batch for an objective that is no loss of rows. In: what the workers have run forward;
//! out: all outputs in one place, and their gradients back where the workers run backward from them.

use alloc::vec::Vec;

use super::refusal::Refusal;
use super::shard::Shard;
use super::world::Lost;
use crate::finite::first_not_finite;
use crate::graph::CompiledNetwork;
use crate::predictor::slices_mut;
use crate::spec::MAX_OUTPUTS;
use nn_kernels::aligned_buffer::AlignedBuffer;
use nn_kernels::simd::Isa;

/// The outputs of a batch, `[samples, …]` each, and their gradients.
#[derive(Default)]
pub(super) struct WholeOutputs {
    y: Vec<AlignedBuffer>,
    dy: Vec<AlignedBuffer>,
}

impl WholeOutputs {
    /// Room for so many samples.
    pub(super) fn new(map: &CompiledNetwork, samples: usize) -> WholeOutputs {
        let room = || map.outputs.iter().map(|shape| AlignedBuffer::zeroed(samples * shape.len())).collect();
        WholeOutputs { y: room(), dy: room() }
    }

    /// Shows all outputs to the objective, which writes their gradients where zeros are. `exchange` fills in
    /// what other ranks have run, given an output and how many numbers a sample has.
    ///
    /// # Errors
    /// A gradient is not finite; other ranks are lost.
    pub(super) fn judge(
        &mut self,
        map: &CompiledNetwork,
        samples: usize,
        shards: &mut [Shard],
        exchange: impl Fn(&mut [f32], usize) -> Result<(), Lost>,
        objective: impl FnOnce(&[&[f32]], &mut [&mut [f32]]) -> f64,
    ) -> Result<f64, Refusal> {
        let mut y = [&[][..]; MAX_OUTPUTS];
        let mut dy = slices_mut(&mut self.dy);
        let outputs = map.outputs.len();
        for (j, (shape, all)) in map.outputs.iter().zip(&mut self.y).enumerate() {
            for shard in &mut *shards {
                let of = shard.samples();
                all[of.start * shape.len()..of.end * shape.len()].copy_from_slice(shard.output(map, j).0);
            }
            exchange(&mut all[..samples * shape.len()], shape.len())?;
            y[j] = &all[..samples * shape.len()];
            dy[j] = &mut core::mem::take(&mut dy[j])[..samples * shape.len()];
            dy[j].fill(0.0);
        }
        let loss = objective(&y[..outputs], &mut dy[..outputs]);
        // The objective may have put other slices there; what counts is what it has written.
        for (j, (dy, shape)) in self.dy.iter().zip(map.outputs).enumerate() {
            if let Some(place) = first_not_finite(&dy[..samples * shape.len()]) {
                return Err(Refusal::OutputGradient { output: j, place });
            }
        }
        Ok(loss)
    }

    /// Gives each worker the gradients of its samples, times `scale`.
    pub(super) fn hand_out(
        &mut self,
        map: &CompiledNetwork,
        samples: usize,
        shards: &mut [Shard],
        (isa, scale): (Isa, f64),
    ) {
        for (j, (shape, all)) in map.outputs.iter().zip(&mut self.dy).enumerate() {
            if scale != 1.0 {
                isa.scale(scale as f32, &mut all[..samples * shape.len()]);
            }
            for shard in &mut *shards {
                let of = shard.samples();
                shard.output(map, j).1.copy_from_slice(&all[of.start * shape.len()..of.end * shape.len()]);
            }
        }
    }
}
