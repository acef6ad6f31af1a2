//! The gradients of parameters from what a shard has run. In: a range of parameters; out: its gradient from
//! all samples of the shard in their order, from one leaf, or what none of its numbers is larger than. It
//! changes no shard.

use core::ops::Range;

use super::batch_pass::{GradPass, MicroBatch};
use super::magnitude::largest;
use super::microbatch::MicroBatching;
use super::passes::Passes;
use super::sample_slices::{inputs, slices};
use super::shard::Shard;
use super::shard_memory::ShardMemory;
use crate::graph::CompiledNetwork;
use crate::layer::{BatchSize, LayerContext, ParamGrad};
use crate::spec::Pass;
use nn_kernels::workspace::Region;

impl<M: ShardMemory> Shard<M> {
    /// Adds the gradient of a range of parameters, in the order of the samples; `overwrite` is true until
    /// that of the first micro-batch is there.
    pub(super) fn add_param_grad(
        &self,
        pass: &GradPass<impl Passes>,
        scratch: &mut [f32],
        range: &Range<usize>,
        grad: &mut [f32],
        overwrite: &mut bool,
    ) {
        for micro in self.micro_batches() {
            self.add_micro_batch(pass, scratch, &micro, (range, &mut *grad), core::mem::take(overwrite));
        }
    }

    /// Adds the gradient of a range of parameters from one micro-batch, or overwrites it where told.
    fn add_micro_batch(
        &self,
        pass: &GradPass<impl Passes>,
        scratch: &mut [f32],
        micro: &MicroBatch,
        part: (&Range<usize>, &mut [f32]),
        overwrite: bool,
    ) {
        self.add_samples(pass, scratch, (micro, 0..micro.len()), part, overwrite);
    }

    /// The same from these samples of a micro-batch.
    pub(super) fn add_samples(
        &self,
        pass: &GradPass<impl Passes>,
        scratch: &mut [f32],
        (micro, samples): (&MicroBatch, Range<usize>),
        (range, grad): (&Range<usize>, &mut [f32]),
        overwrite: bool,
    ) {
        let map = pass.network.compiled();
        let x = inputs(map, &pass.x, &self.gathered, micro);
        let dy = slices(&self.output_grads, map.outputs, &micro.own);
        let saved = self.saved(map, micro);
        let cx = LayerContext::for_network(pass.params, pass.isa, micro.len(), Pass::Train, saved, scratch);
        let size = BatchSize(pass.samples);
        let cx = cx.logits(pass.logits).training(pass.noise, micro.of_batch.start).sum_unit(self.split.sum_unit);
        let mut cx = cx.part_of(Some(&size));
        cx.earlier_batches = pass.earlier_batches;
        let part = ParamGrad { range: range.clone(), grad, samples, overwrite };
        pass.network.backward_params(&mut cx, &x[..map.inputs.len()], &dy[..map.outputs.len()], part);
    }

    /// As [`add_param_grad`](Shard::add_param_grad), from these samples of the batch, which lie within a
    /// micro-batch.
    pub(super) fn add_leaf_grad(
        &self,
        pass: &GradPass<impl Passes>,
        scratch: &mut [f32],
        samples: Range<usize>,
        part: (&Range<usize>, &mut [f32]),
        overwrite: bool,
    ) {
        let holds = |micro: &MicroBatch| micro.of_batch.start <= samples.start && samples.end <= micro.of_batch.end;
        let micro = self.micro_batches().find(holds).expect("a leaf lies within one micro-batch");
        let first = micro.of_batch.start;
        let samples = samples.start - first..samples.end - first;
        self.add_samples(pass, scratch, (&micro, samples), part, overwrite);
    }

    /// Where the partial sum lies of so many parameters whose place among those of a block is `place`, of the
    /// block of the batch that begins with this sample.
    pub(super) fn partial_sum(
        &self,
        micro_batching: &MicroBatching,
        first: usize,
        place: usize,
        len: usize,
    ) -> Range<usize> {
        let block = (first - self.samples.start) / self.split.reduce_block;
        let start = micro_batching.block(block).start + place;
        start..start + len
    }

    /// What no number of the gradient of node `i`'s matrix is larger than: a sum over samples of an input
    /// times the gradient of an output.
    pub(super) fn grad_bound(&self, pass: &GradPass<impl Passes>, i: usize) -> f64 {
        let map = pass.network.compiled();
        let plan = &map.train.node_plan[i];
        let mut bound = 0.0;
        for micro in self.micro_batches() {
            let x = inputs(map, &pass.x, &self.gathered, &micro);
            let dy = slices(&self.output_grads, map.outputs, &micro.own);
            let [x, dy] = [plan.x[0], plan.dy[0]].map(|place| {
                let place = place.of_batch(micro.len());
                let from = match place.region {
                    Region::Work => self.saved(map, &micro),
                    Region::X => x[place.index],
                    Region::Dy => dy[place.index],
                    // What a gradient is never computed from, so that nothing is known of it.
                    Region::Y | Region::Dx => return f64::INFINITY,
                };
                largest(pass.isa, &from[place.offset..place.offset + place.len])
            });
            // 0 · ∞ is NaN, which is above every limit.
            bound += micro.len() as f64 * x * dy;
        }
        bound
    }

    #[inline]
    fn saved(&self, map: &CompiledNetwork, micro: &MicroBatch) -> &[f32] {
        match self.apart || micro.len() == self.samples.len() {
            true => &self.work[self.work_of(map, micro)],
            false => &self.kept[micro.own.start * map.train.kept..micro.own.end * map.train.kept],
        }
    }

    /// The partial sums of so many parameters whose place among those of a block is `place`, block after
    /// block.
    pub(super) fn partial_sums_of<'a>(
        &'a self,
        micro_batching: &'a MicroBatching,
        place: usize,
        len: usize,
    ) -> impl Iterator<Item = &'a [f32]> + Clone {
        let blocks = 0..self.samples.len().div_ceil(self.split.reduce_block);
        blocks.map(move |i| &self.partial_sums[micro_batching.block(i)][place..place + len])
    }
}
