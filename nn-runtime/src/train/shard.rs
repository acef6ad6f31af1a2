//! One worker's samples of a batch, micro-batch after micro-batch: gather the inputs, run forward, take the
//! loss, run backward, sum what is summed block by block. In: a range of a batch; out: the sums of its
//! losses, all that the other gradients are computed from, and partial sums. How samples are put into
//! micro-batches changes no bit. For an objective on whole batches forward and backward are two calls.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use super::batch_outputs::BatchOutputs;
use super::batch_pass::{BatchInputs, BatchPass, GradPass, Judgement, MicroBatch};
use super::loss_sums::LossSums;
use super::magnitude::largest;
use super::microbatch::MicroBatching;
use super::objective::Objective;
use super::sample_slices::{inputs, mut_slices, slices};
use super::split::{BatchSplit, LOSS_BLOCK, loss_blocks};
use crate::data::Targets;
use crate::graph::{CompiledNetwork, MAX_INPUTS};
use crate::layer::{LayerContext, ParamGrad};
use crate::model::Network;
use crate::shape::Shape;
use crate::spec::{MAX_OUTPUTS, Pass};
use nn_kernels::aligned_buffer::AlignedBuffer;
use nn_kernels::counter_rng::CounterRng;
use nn_kernels::gather::gather;
use nn_kernels::simd::Isa;
use nn_kernels::workspace::Region;

/// A worker's samples, and what is made of them: written by one worker, and then read by all.
pub(super) struct Shard {
    samples: Range<usize>,
    split: BatchSplit,
    /// Each micro-batch has a workspace of its own, so that all run forward before any runs backward.
    apart: bool,
    gathered: Vec<AlignedBuffer>,
    /// The workspace of a micro-batch, or of one after the other.
    work: AlignedBuffer,
    /// What is kept of it, of one micro-batch after the other; of a single one it stays where it is.
    kept: AlignedBuffer,
    outputs: Vec<AlignedBuffer>,
    output_grads: Vec<AlignedBuffer>,
    /// Of each loss block.
    losses: Vec<LossSums>,
    /// Of one reduce block after the other.
    partial_sums: AlignedBuffer,
}

impl Shard {
    /// With room for so many samples of a batch of this size, and for all workspaces where these are apart.
    pub(super) fn new(
        map: &CompiledNetwork,
        samples: usize,
        micro_batching: &MicroBatching,
        batch: usize,
        apart: bool,
    ) -> Shard {
        let workspace = micro_batching.workspace(samples, batch);
        let room = |shapes: &[Shape]| shapes.iter().map(|shape| AlignedBuffer::zeroed(samples * shape.len())).collect();
        Shard {
            samples: 0..0,
            split: BatchSplit::default(),
            apart,
            gathered: room(map.inputs),
            work: AlignedBuffer::zeroed(map.train.work * if apart { samples } else { workspace.samples }),
            kept: AlignedBuffer::zeroed(if workspace.several { map.train.kept * samples } else { 0 }),
            outputs: room(map.outputs),
            output_grads: room(map.outputs),
            losses: vec![LossSums::default(); samples.div_ceil(LOSS_BLOCK)],
            partial_sums: AlignedBuffer::zeroed(micro_batching.sums_len(samples)),
        }
    }

    /// Gives it these samples of a batch.
    pub(super) fn assign(&mut self, samples: Range<usize>, split: BatchSplit, apart: bool) {
        (self.samples, self.split, self.apart) = (samples, split, apart);
    }

    pub(super) fn samples(&self) -> Range<usize> {
        self.samples.clone()
    }

    fn micro_batches(&self) -> impl Iterator<Item = MicroBatch> + use<> {
        let first = self.samples.start;
        self.split
            .micro_batches(self.samples.len())
            .map(move |own| MicroBatch { of_batch: first + own.start..first + own.end, own })
    }

    /// The workspace of a micro-batch.
    #[inline]
    fn work_of(&self, map: &CompiledNetwork, micro: &MicroBatch) -> Range<usize> {
        let first = if self.apart { micro.own.start } else { 0 };
        first * map.train.work..(first + micro.len()) * map.train.work
    }

    /// The sums of its loss blocks.
    pub(super) fn losses(&self) -> &[LossSums] {
        &self.losses[..self.samples.len().div_ceil(LOSS_BLOCK)]
    }

    /// The outputs of its samples, as the loss has read them.
    pub(super) fn outputs(&self, shapes: &[Shape]) -> [&[f32]; MAX_OUTPUTS] {
        slices(&self.outputs, shapes, &(0..self.samples.len()))
    }

    /// Runs the network on its samples; to train, back to the first layer that learns, and to the partial
    /// sums. A micro-batch whose loss is not finite is not run backward.
    pub(super) fn forward_backward<N: Network, T: Targets>(
        &mut self,
        pass: &BatchPass,
        judged: &Judgement<impl Objective<T>, T>,
        scratch: &mut [f32],
    ) {
        for micro in self.micro_batches() {
            self.gather(pass.isa, &pass.x, &micro);
            self.forward::<N>(pass, &micro, scratch);
            let finite = self.loss::<N, T>(pass.isa, judged, &micro);
            let Some(noise) = pass.noise.filter(|_| finite) else { continue };
            self.backward::<N>(pass, noise, &micro, scratch);
        }
    }

    /// Runs the network on its samples, with workspaces apart.
    pub(super) fn forward_only<N: Network>(&mut self, pass: &BatchPass, scratch: &mut [f32]) {
        for micro in self.micro_batches() {
            self.forward::<N>(pass, &micro, scratch);
        }
    }

    /// Runs back from what stands in `output_grads`, after `forward_only`.
    pub(super) fn backward_only<N: Network>(&mut self, pass: &BatchPass, noise: CounterRng, scratch: &mut [f32]) {
        for micro in self.micro_batches() {
            self.backward::<N>(pass, noise, &micro, scratch);
        }
    }

    /// Output `j` of its samples, and the place of its gradient.
    pub(super) fn output(&mut self, map: &CompiledNetwork, j: usize) -> (&[f32], &mut [f32]) {
        let len = self.samples.len() * map.outputs[j].len();
        (&self.outputs[j][..len], &mut self.output_grads[j][..len])
    }

    /// Back to the first layer that learns, and to the partial sums.
    fn backward<N: Network>(&mut self, pass: &BatchPass, noise: CounterRng, micro: &MicroBatch, scratch: &mut [f32]) {
        self.backward_input::<N>(pass, noise, micro, scratch);
        self.sum_partial::<N>(pass, noise, micro, scratch);
        self.keep(N::COMPILED, micro);
    }

    #[inline]
    fn gather(&mut self, isa: Isa, x: &BatchInputs, micro: &MicroBatch) {
        if let BatchInputs::Indexed(values, indices) = x {
            for (to, from) in self.gathered.iter_mut().zip(*values) {
                let (width, which) = (from.width(), &indices[micro.of_batch.clone()]);
                let to = &mut to[micro.own.start * width..micro.own.end * width];
                gather(isa, from.as_slice(), width, which, to);
            }
        }
    }

    #[inline]
    fn forward<N: Network>(&mut self, pass: &BatchPass, micro: &MicroBatch, scratch: &mut [f32]) {
        let map = N::COMPILED;
        let x = inputs(map, &pass.x, &self.gathered, micro);
        let work = self.work_of(map, micro);
        let mut y = mut_slices(&mut self.outputs, map.outputs, &micro.own);
        let work = if pass.noise.is_some() { &mut self.work[work] } else { &mut [] };
        let kind = if pass.noise.is_some() { Pass::Train } else { Pass::Infer };
        let cx = LayerContext::for_network(pass.params, pass.isa, micro.len(), kind, work, scratch).logits(pass.logits);
        let mut cx = match pass.noise {
            Some(noise) => cx.training(noise, micro.of_batch.start),
            None => cx,
        };
        N::forward_pass(&mut cx, &x[..map.inputs.len()], &mut y[..map.outputs.len()]);
    }

    /// The loss of each block, and to train its gradient; false where a loss is not finite.
    #[inline]
    fn loss<N: Network, T: Targets>(
        &mut self,
        isa: Isa,
        judged: &Judgement<impl Objective<T>, T>,
        micro: &MicroBatch,
    ) -> bool {
        let (Judgement { loss, batch, scale }, shapes) = (judged, N::COMPILED.outputs);
        let y = slices(&self.outputs, shapes, &micro.own);
        let mut dy = mut_slices(&mut self.output_grads, shapes, &micro.own);
        let mut finite = true;
        for (block, sums) in loss_blocks(micro.len()).zip(&mut self.losses[micro.own.start / LOSS_BLOCK..]) {
            let first = batch.first + micro.of_batch.start;
            let mut here = [&[][..]; MAX_OUTPUTS];
            for ((here, y), shape) in here.iter_mut().zip(y).zip(shapes) {
                *here = &y[block.start * shape.len()..block.end * shape.len()];
            }
            let samples = first + block.start..first + block.end;
            let outputs = BatchOutputs { isa, samples, weights: batch.weights, shapes, y: here };
            match *scale {
                Some(scale) => {
                    let mut dy = dy.each_mut().map(|dy| &mut **dy);
                    for (dy, shape) in dy.iter_mut().zip(shapes) {
                        *dy = &mut core::mem::take(dy)[block.start * shape.len()..block.end * shape.len()];
                    }
                    loss.gradient(&outputs, batch.targets, scale, &mut dy, sums);
                }
                None => loss.value(&outputs, batch.targets, sums),
            }
            finite &= sums.is_finite();
        }
        finite
    }

    #[inline]
    fn backward_input<N: Network>(
        &mut self,
        pass: &BatchPass,
        noise: CounterRng,
        micro: &MicroBatch,
        scratch: &mut [f32],
    ) {
        if const { N::COMPILED.train.runs_backward_input() } {
            let map = N::COMPILED;
            let work = self.work_of(map, micro);
            let x = inputs(map, &pass.x, &self.gathered, micro);
            let y = slices(&self.outputs, map.outputs, &micro.own);
            let dy = slices(&self.output_grads, map.outputs, &micro.own);
            let work = &mut self.work[work];
            let cx = LayerContext::for_network(pass.params, pass.isa, micro.len(), Pass::Train, work, scratch);
            let mut cx = cx.logits(pass.logits).training(noise, micro.of_batch.start);
            let (n, m) = (map.inputs.len(), map.outputs.len());
            let mut dx: [&mut [f32]; MAX_INPUTS] = Default::default();
            N::backward_input(&mut cx, &x[..n], &y[..m], &dy[..m], &mut dx[..n]);
        }
    }

    /// The gradients that are summed block by block, while what they are computed from is still in the cache.
    #[inline]
    fn sum_partial<N: Network>(
        &mut self,
        pass: &BatchPass,
        noise: CounterRng,
        micro: &MicroBatch,
        scratch: &mut [f32],
    ) {
        if !self.split.partial_sums {
            return;
        }
        let map = N::COMPILED;
        let work = self.work_of(map, micro);
        let x = inputs(map, &pass.x, &self.gathered, micro);
        let dy = slices(&self.output_grads, map.outputs, &micro.own);
        let work = &self.work[work];
        let cx = LayerContext::for_network(&[], pass.isa, micro.len(), Pass::Train, work, scratch);
        let mut cx = cx.logits(pass.logits).training(noise, micro.of_batch.start);
        for block in self.split.reduce_blocks(micro.len()) {
            let number = (micro.own.start + block.start) / self.split.reduce_block;
            let sums = &mut self.partial_sums[pass.micro_batching.block(number)];
            for sum in pass.micro_batching.partial_sums() {
                let grad = &mut sums[sum.place.clone()];
                grad.fill(0.0);
                let part = ParamGrad { range: sum.params.clone(), grad, samples: block.clone(), overwrite: false };
                N::backward_params(&mut cx, &x[..map.inputs.len()], &dy[..map.outputs.len()], part);
            }
        }
    }

    /// Keeps what the other gradients are computed from, where another micro-batch will need the workspace.
    #[inline]
    fn keep(&mut self, map: &CompiledNetwork, micro: &MicroBatch) {
        if !self.apart && micro.len() < self.samples.len() {
            let kept = micro.own.start * map.train.kept..micro.own.end * map.train.kept;
            let from = &self.work[..kept.len()];
            self.kept[kept].copy_from_slice(from);
        }
    }

    /// Adds the gradient of a range of parameters, in the order of the samples; `overwrite` is true until
    /// that of the first micro-batch is there.
    pub(super) fn add_param_grad<N: Network>(
        &self,
        pass: &GradPass,
        scratch: &mut [f32],
        range: &Range<usize>,
        grad: &mut [f32],
        overwrite: &mut bool,
    ) {
        for micro in self.micro_batches() {
            self.add_micro_batch::<N>(pass, scratch, &micro, (range, &mut *grad), core::mem::take(overwrite));
        }
    }

    /// Adds the gradient of a range of parameters from one micro-batch, or overwrites it where told.
    fn add_micro_batch<N: Network>(
        &self,
        pass: &GradPass,
        scratch: &mut [f32],
        micro: &MicroBatch,
        (range, grad): (&Range<usize>, &mut [f32]),
        overwrite: bool,
    ) {
        let map = N::COMPILED;
        let x = inputs(map, &pass.x, &self.gathered, micro);
        let dy = slices(&self.output_grads, map.outputs, &micro.own);
        let saved = self.saved(map, micro);
        let cx = LayerContext::for_network(pass.params, pass.isa, micro.len(), Pass::Train, saved, scratch);
        let mut cx = cx.logits(pass.logits).training(pass.noise, micro.of_batch.start).sum_unit(self.split.sum_unit);
        let part = ParamGrad { range: range.clone(), grad, samples: 0..micro.len(), overwrite };
        N::backward_params(&mut cx, &x[..map.inputs.len()], &dy[..map.outputs.len()], part);
    }

    /// As [`add_param_grad`](Shard::add_param_grad), from these samples of the batch, which are a
    /// micro-batch.
    pub(super) fn add_leaf_grad<N: Network>(
        &self,
        pass: &GradPass,
        scratch: &mut [f32],
        samples: Range<usize>,
        part: (&Range<usize>, &mut [f32]),
        overwrite: bool,
    ) {
        let first = self.samples.start;
        let micro = MicroBatch { own: samples.start - first..samples.end - first, of_batch: samples };
        self.add_micro_batch::<N>(pass, scratch, &micro, part, overwrite);
    }

    /// The partial sum of parameters whose place among those of a block is `place`, of the block of the batch
    /// that begins with this sample.
    pub(super) fn partial_sum(&self, micro_batching: &MicroBatching, first: usize, place: usize, len: usize) -> &[f32] {
        let block = (first - self.samples.start) / self.split.reduce_block;
        &self.partial_sums[micro_batching.block(block)][place..place + len]
    }

    /// What no number of the gradient of node `i`'s matrix is larger than: a sum over samples of an input
    /// times the gradient of an output.
    pub(super) fn grad_bound(&self, map: &CompiledNetwork, pass: &GradPass, i: usize) -> f64 {
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

    /// Adds the partial sums of parameters whose place among those of a block is `place`, in the order of the
    /// samples.
    pub(super) fn add_partial_sums(&self, isa: Isa, micro_batching: &MicroBatching, place: usize, grad: &mut [f32]) {
        for i in 0..self.samples.len().div_ceil(self.split.reduce_block) {
            let sums = &self.partial_sums[micro_batching.block(i)];
            isa.add(&sums[place..place + grad.len()], grad);
        }
    }
}
