//! One worker's samples of a batch, micro-batch after micro-batch: gather the inputs, run forward, take the
//! loss, run backward, sum what is summed block by block. In: a range of a batch; out: the sums of its
//! losses, all that the other gradients are computed from, and partial sums. How samples are put into
//! micro-batches changes no bit. For an objective on whole batches forward and backward are two calls.

use core::ops::Range;

use super::batch_outputs::BatchOutputs;
use super::batch_pass::{BatchInputs, BatchPass, Judgement, MicroBatch};
use super::judge::Judge;
use super::loss_sums::LossSums;
use super::microbatch::MicroBatching;
use super::passes::Passes;
use super::sample_slices::{inputs, mut_slices, slices};
use super::shard_memory::{BlockLosses, ShardMemory};
use super::split::{BatchSplit, LOSS_BLOCK, loss_blocks};
use crate::graph::{CompiledNetwork, MAX_INPUTS};
use crate::layer::{CarriedState, LayerContext, ParamGrad, WholeBatch};
use crate::shape::Shape;
use crate::spec::{MAX_OUTPUTS, Pass};
use crate::storage::Allocated;
use nn_kernels::counter_rng::CounterRng;
use nn_kernels::gather::gather;
use nn_kernels::simd::Isa;

/// A worker's samples, and what is made of them: written by one worker, and then read by all.
pub(super) struct Shard<M: ShardMemory = Allocated> {
    pub(super) samples: Range<usize>,
    pub(super) split: BatchSplit,
    /// Each micro-batch has a workspace of its own, so that all run forward before any runs backward.
    pub(super) apart: bool,
    pub(super) gathered: [M::Numbers; MAX_INPUTS],
    /// The workspace of a micro-batch, or of one after the other.
    pub(super) work: M::Numbers,
    /// What is kept of it, of one micro-batch after the other; of a single one it stays where it is.
    pub(super) kept: M::Numbers,
    pub(super) outputs: [M::Numbers; MAX_OUTPUTS],
    pub(super) output_grads: [M::Numbers; MAX_OUTPUTS],
    /// Of each loss block.
    pub(super) losses: M::Losses,
    /// Of one reduce block after the other.
    pub(super) partial_sums: M::Numbers,
    /// What the windows of its samples have ended with, where it is carried on.
    pub(super) carried: M::Numbers,
}

#[cfg(feature = "alloc")]
impl Shard {
    /// With room for so many samples of a batch of this size, and for all workspaces where these are apart;
    /// of each sample so many floats are carried from window to window.
    pub(super) fn new(
        map: &CompiledNetwork,
        samples: usize,
        micro_batching: &MicroBatching,
        batch: usize,
        apart: bool,
        carried: usize,
    ) -> Shard {
        let workspace = micro_batching.workspace(samples, batch);
        fn room<const K: usize>(samples: usize, shapes: &[Shape]) -> [Allocated; K] {
            core::array::from_fn(|k| Allocated::zeroed(shapes.get(k).map_or(0, |shape| samples * shape.len())))
        }
        Shard {
            samples: 0..0,
            split: BatchSplit::default(),
            apart,
            gathered: room(samples, map.inputs),
            work: Allocated::zeroed(map.train.work * if apart { samples } else { workspace.samples }),
            kept: Allocated::zeroed(if workspace.several { map.train.kept * samples } else { 0 }),
            outputs: room(samples, map.outputs),
            output_grads: room(samples, map.outputs),
            losses: alloc::vec![LossSums::default(); samples.div_ceil(LOSS_BLOCK)],
            partial_sums: Allocated::zeroed(micro_batching.sums_len(samples)),
            carried: Allocated::zeroed(samples * carried),
        }
    }

    /// The sums of its loss blocks.
    pub(super) fn losses(&self) -> &[LossSums] {
        &self.losses[..self.samples.len().div_ceil(LOSS_BLOCK)]
    }
}

impl<M: ShardMemory> Shard<M> {
    /// Gives it these samples of a batch.
    pub(super) fn assign(&mut self, samples: Range<usize>, split: BatchSplit, apart: bool) {
        (self.samples, self.split, self.apart) = (samples, split, apart);
    }

    pub(super) fn samples(&self) -> Range<usize> {
        self.samples.clone()
    }

    pub(super) fn micro_batches(&self) -> impl Iterator<Item = MicroBatch> + use<M> {
        let first = self.samples.start;
        self.split
            .micro_batches(self.samples.len())
            .map(move |own| MicroBatch { of_batch: first + own.start..first + own.end, own })
    }

    /// The workspace of a micro-batch.
    #[inline]
    pub(super) fn work_of(&self, map: &CompiledNetwork, micro: &MicroBatch) -> Range<usize> {
        let first = if self.apart { micro.own.start } else { 0 };
        first * map.train.work..(first + micro.len()) * map.train.work
    }

    /// The outputs of its samples, as the loss has read them.
    pub(super) fn outputs(&self, shapes: &[Shape]) -> [&[f32]; MAX_OUTPUTS] {
        slices(&self.outputs, shapes, &(0..self.samples.len()))
    }

    /// Runs the network on its samples; to train, back to the first layer that learns, and to the partial
    /// sums. A micro-batch whose loss is not finite is not run backward.
    pub(super) fn forward_backward(
        &mut self,
        pass: &BatchPass<impl Passes>,
        judged: &Judgement<impl Judge + ?Sized>,
        whole: Option<&dyn WholeBatch>,
        scratch: &mut [f32],
    ) {
        for micro in self.micro_batches() {
            self.gather(pass.isa, &pass.x, &micro);
            self.forward(pass, whole, &micro, scratch);
            let mut finite = self.loss(pass.isa, judged, pass.network.compiled(), &micro);
            let Some(noise) = pass.noise else { continue };
            if let Some(whole) = whole {
                // All parts run backward or none.
                let own = [f32::from(u8::from(finite))];
                whole.gather(&own, &mut |_, part| finite &= part == [1.0]);
            }
            if finite {
                self.backward(pass, whole, noise, &micro, scratch);
            }
        }
    }

    /// Runs the network on its samples, with workspaces apart.
    pub(super) fn forward_only(
        &mut self,
        pass: &BatchPass<impl Passes>,
        whole: Option<&dyn WholeBatch>,
        scratch: &mut [f32],
    ) {
        for micro in self.micro_batches() {
            self.forward(pass, whole, &micro, scratch);
        }
    }

    /// Runs back from what stands in `output_grads`, after `forward_only`.
    pub(super) fn backward_only(
        &mut self,
        pass: &BatchPass<impl Passes>,
        whole: Option<&dyn WholeBatch>,
        noise: CounterRng,
        scratch: &mut [f32],
    ) {
        for micro in self.micro_batches() {
            self.backward(pass, whole, noise, &micro, scratch);
        }
    }

    /// Output `j` of its samples, and the place of its gradient.
    pub(super) fn output(&mut self, map: &CompiledNetwork, j: usize) -> (&[f32], &mut [f32]) {
        let len = self.samples.len() * map.outputs[j].len();
        (&self.outputs[j][..len], &mut self.output_grads[j][..len])
    }

    /// Back to the first layer that learns, and to the partial sums.
    fn backward(
        &mut self,
        pass: &BatchPass<impl Passes>,
        whole: Option<&dyn WholeBatch>,
        noise: CounterRng,
        micro: &MicroBatch,
        scratch: &mut [f32],
    ) {
        self.backward_input(pass, whole, noise, micro, scratch);
        self.sum_partial(pass, noise, micro, scratch);
        self.keep(pass.network.compiled(), micro);
    }

    #[inline(always)]
    pub(super) fn gather(&mut self, isa: Isa, x: &BatchInputs, micro: &MicroBatch) {
        if let BatchInputs::Indexed(values, indices) = x {
            for (to, from) in self.gathered.iter_mut().zip(*values) {
                let (width, which) = (from.width(), &indices[micro.of_batch.clone()]);
                let to = &mut to[micro.own.start * width..micro.own.end * width];
                gather(isa, from.as_slice(), width, which, to);
            }
        }
    }

    #[inline(always)]
    pub(super) fn forward(
        &mut self,
        pass: &BatchPass<impl Passes>,
        whole: Option<&dyn WholeBatch>,
        micro: &MicroBatch,
        scratch: &mut [f32],
    ) {
        let map = pass.network.compiled();
        let x = inputs(map, &pass.x, &self.gathered, micro);
        let work = self.work_of(map, micro);
        let mut y = mut_slices(&mut self.outputs, map.outputs, &micro.own);
        let work = if pass.noise.is_some() { &mut self.work[work] } else { &mut [] };
        let kind = if pass.noise.is_some() { Pass::Train } else { Pass::Infer };
        let carried = pass.carried.map(|carried| {
            let after = &mut self.carried[micro.own.start * carried.row..micro.own.end * carried.row];
            CarriedState::new(carried.of(micro), after, carried.row)
        });
        let cx = LayerContext::for_network(pass.params, pass.isa, micro.len(), kind, work, scratch).logits(pass.logits);
        let mut cx = match pass.noise {
            Some(noise) => cx.training(noise, micro.of_batch.start).part_of(whole).carrying(carried.as_ref()),
            None => cx,
        };
        pass.network.forward(&mut cx, &x[..map.inputs.len()], &mut y[..map.outputs.len()]);
    }

    /// The loss of each block, and to train its gradient; false where a loss is not finite.
    #[inline(always)]
    pub(super) fn loss(
        &mut self,
        isa: Isa,
        judged: &Judgement<impl Judge + ?Sized>,
        map: &CompiledNetwork,
        micro: &MicroBatch,
    ) -> bool {
        let (Judgement { batch, scale }, shapes) = (judged, map.outputs);
        let mut y = slices(&self.outputs, shapes, &micro.own);
        let mut dy = mut_slices(&mut self.output_grads, shapes, &micro.own);
        let first = batch.first + micro.of_batch.start - batch.skipped;
        let mut finite = true;
        for (i, block) in loss_blocks(micro.len()).enumerate() {
            let mut here = [&[][..]; MAX_OUTPUTS];
            let mut grads: [&mut [f32]; MAX_OUTPUTS] = Default::default();
            for (k, shape) in shapes.iter().enumerate() {
                let len = block.len() * shape.len();
                (here[k], y[k]) = y[k].split_at(len);
                if scale.is_some() {
                    (grads[k], dy[k]) = core::mem::take(&mut dy[k]).split_at_mut(len);
                }
            }
            let samples = first + block.start..first + block.end;
            let outputs = BatchOutputs { isa, samples, weights: batch.weights, shapes, y: here };
            finite &= self.losses.of_block(micro.own.start / LOSS_BLOCK + i, |sums| {
                match *scale {
                    Some(scale) => batch.judge.gradient(&outputs, scale, &mut grads, sums),
                    #[cfg(feature = "alloc")]
                    None => batch.judge.value(&outputs, sums),
                    #[cfg(not(feature = "alloc"))]
                    None => {}
                }
                sums.is_finite()
            });
        }
        finite
    }

    #[inline(always)]
    pub(super) fn backward_input(
        &mut self,
        pass: &BatchPass<impl Passes>,
        whole: Option<&dyn WholeBatch>,
        noise: CounterRng,
        micro: &MicroBatch,
        scratch: &mut [f32],
    ) {
        if pass.network.runs_backward_input() {
            let map = pass.network.compiled();
            let work = self.work_of(map, micro);
            let x = inputs(map, &pass.x, &self.gathered, micro);
            let y = slices(&self.outputs, map.outputs, &micro.own);
            let dy = slices(&self.output_grads, map.outputs, &micro.own);
            let work = &mut self.work[work];
            let cx = LayerContext::for_network(pass.params, pass.isa, micro.len(), Pass::Train, work, scratch);
            let carried = pass.carried.map(|carried| CarriedState::new(carried.of(micro), &mut [], carried.row));
            let cx = cx.logits(pass.logits).training(noise, micro.of_batch.start);
            let mut cx = cx.part_of(whole).carrying(carried.as_ref());
            let (n, m) = (map.inputs.len(), map.outputs.len());
            let mut dx: [&mut [f32]; MAX_INPUTS] = Default::default();
            pass.network.backward_input(&mut cx, &x[..n], &y[..m], &dy[..m], &mut dx[..n]);
        }
    }

    /// The gradients that are summed block by block, while what they are computed from is still in the cache.
    #[inline]
    fn sum_partial(
        &mut self,
        pass: &BatchPass<impl Passes>,
        noise: CounterRng,
        micro: &MicroBatch,
        scratch: &mut [f32],
    ) {
        if !pass.network.sums_blocks() || !self.split.partial_sums {
            return;
        }
        let map = pass.network.compiled();
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
                pass.network.backward_params(&mut cx, &x[..map.inputs.len()], &dy[..map.outputs.len()], part);
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
}
