//! A step of private training. In: a batch drawn by chance; out: changed parameters, by the sum of what each
//! sample's gradient is cut to, and noise, over the size that a batch has on average.

use super::batch_pass::{Batch, BatchPass, Judgement};
use super::executor::Executor;
use super::grad_source::GivenGrads;
use super::judge::Judge;
use super::loss_sums::LossSums;
use super::passes::Passes;
use super::privacy::ClippedSum;
use super::private_sums::{PrivateBatch, PrivateSums};
use super::refusal::Refusal;
use super::step_result::StepResult;
use crate::model::TrainedSoFar;
use crate::optim::Optimizer;
use nn_kernels::aligned_buffer::AlignedBuffer;
use nn_kernels::chunk_queue::ChunkQueue;
use nn_kernels::counter_rng::CounterRng;

impl Executor {
    /// Takes a private step on a batch that may be empty. `expected` is how many samples a batch has on
    /// average, of `all`.
    ///
    /// # Errors
    /// The loss or the gradient of a sample is not finite, or a new parameter; all is as before, but for the
    /// step's noise, which is not drawn again.
    pub(super) fn train_private_by(
        &mut self,
        network: impl Passes,
        (params, trained): (&mut AlignedBuffer, &mut TrainedSoFar),
        optimizer: &mut (impl Optimizer + ?Sized),
        (seed, expected, all): (u64, usize, usize),
        batch: &Batch<impl Judge + ?Sized>,
    ) -> Result<StepResult, Refusal> {
        let (isa, map) = (self.isa, network.compiled());
        let (Some(run), Some(private)) = (&mut self.update.privacy, &mut self.private) else {
            unreachable!("room has been made for private steps")
        };
        let step = run.take_step(expected as f64 / all as f64);
        let (norm, deviation) = run.norm_and_deviation();
        // More samples than ever come at once: beyond, sums would still be bounded, but not exact.
        let sum = ClippedSum::new(norm, all.min(4 * expected + 1000));
        let regularization = self.update.regularization(isa, params);
        let run = self.update.privacy.as_ref().expect("it was there just now");
        let noise = CounterRng { key: seed }.fold_in(&[trained.batches]);

        // The mean over the rows of a sample, as if there were no other.
        let rows = batch.judge.weight(0..1, map.outputs, None);
        let scale = rows.map(|rows| if rows > 0.0 { 1.0 / rows } else { 0.0 });
        let judged = Judgement { batch, scale: Some(scale) };
        let (x, micro_batching, logits) = (batch.x, &self.micro_batching, batch.judge.logits());
        let pass = BatchPass { network, isa, params, x, logits, micro_batching, noise: Some(noise), carried: None };
        let PrivateSums { workers, learnt, ranges, taken, grads } = private;
        let job = PrivateBatch { pass: &pass, judged: &judged, noise, sum, learnt, ranges };
        let threads = workers.len();
        let each = batch.samples.div_ceil(threads);
        for (i, worker) in workers.iter_mut().enumerate() {
            worker.samples = (i * each).min(batch.samples)..((i + 1) * each).min(batch.samples);
        }
        let active = self.workers.first(threads);
        active.pool.for_each_zip(workers, active.scratch, |worker, scratch| {
            worker.run(&job, &mut scratch.layers);
        });
        if let Some(refused) = workers.iter().find_map(|worker| worker.refused) {
            return Err(refused);
        }
        let mut sums = LossSums::default();
        workers.iter().flat_map(|worker| &worker.losses).for_each(|loss| sums.add(loss));
        let result = StepResult { sums, regularization };
        if !result.loss().is_finite() {
            return Err(Refusal::Loss);
        }

        let queue = ChunkQueue::new([&mut **grads], ranges, taken, threads);
        let workers = &*workers;
        active.pool.for_each(active.scratch, |scratch| {
            queue.each(scratch.worker, |i, [grads]| {
                let (range, start) = (ranges[i].clone(), ranges[i].start);
                run.draws.noise(step, range, |place, normal| {
                    let cut: f64 = workers.iter().map(|worker| worker.sum[place]).sum();
                    let noisy = cut + sum.round(normal * deviation);
                    grads[place - start] = (noisy / expected as f64) as f32 * learnt[place];
                });
            });
        });
        let source = GivenGrads { isa, first: 0, grads };
        self.update.take_batch(isa, self.workers.first(threads), params, optimizer, 1.0, &source)?;
        trained.batches += 1;
        Ok(result)
    }
}
