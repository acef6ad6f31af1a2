//! One batch, without allocation, on one lane or several: forward, loss, input gradients on each lane's samples; then each piece of the
//! parameters pulled from all samples (stretch by stretch where it pays, see `apart`) by the lane that takes it, and updated while it is
//! warm or gathered. In: a batch; out: changed parameters and the loss, the same bits for any number of lanes.

use std::num::NonZero;
use std::ops::Range;
use std::thread;

use super::apart::Apart;
use super::objective::{Answers, Objective, Tally};
use super::pieces;
use super::update::{Bench, Update};
use crate::data::{Targets, Values};
use crate::facts::{MAX_OUTPUTS, Role};
use crate::graph::{MAX_INPUTS, Map, Purpose};
use crate::kernels::block::Block;
use crate::kernels::crew::Crew;
use crate::kernels::noise::Noise;
use crate::kernels::simd::Isa;
use crate::layer::{Cx, Mode, Part};
use crate::network::Network;
use crate::optim::Optimizer;

/// Samples whose loss is summed at once. Lanes take whole ones, so that how many lanes there are changes no sum.
pub(super) const CHUNK: usize = 16;

/// Multiply-adds of a step for which a lane more is worth its while, if nobody has said how many there are to be: some 20 µs.
const LANE_MACS: usize = 3_000_000;

/// The memory of a step: workspace, outputs and their gradients, what becomes of the gradients of parameters.
pub(super) struct Stage {
    pub(super) isa: Isa,
    /// How many lanes the user wants; as many as are worth it where none is said.
    pub(super) threads: Option<NonZero<usize>>,
    cores: usize,
    /// Samples there is room for, in all and on each lane.
    capacity: usize,
    each: usize,
    crew: Crew,
    /// Each lane's samples: written by one lane, and then read by all.
    lanes: Vec<Lane>,
    /// Each lane's memory for what it does alone.
    benches: Vec<Bench>,
    running: Vec<Range<usize>>,
    /// The change of one strip of running statistics.
    change: Block,
    apart: Apart,
    pub(super) update: Update,
    /// Batches trained on: what their noise is drawn by.
    pub(super) batches: u64,
}

/// A stretch of a batch, and what is made of it.
struct Lane {
    samples: Range<usize>,
    /// Gathered inputs.
    gathered: Vec<Block>,
    saved: Block,
    outputs: Vec<Block>,
    output_grads: Vec<Block>,
    /// Of each chunk of samples.
    tallies: Vec<Tally>,
}

/// What a batch has come to.
pub(super) struct Taken {
    pub(super) sums: Tally,
    /// What the penalties on parameters added to the loss.
    pub(super) penalty: f64,
}

impl Taken {
    /// The mean loss of a row, and the penalties.
    #[inline]
    pub(super) fn loss(&self) -> f64 {
        self.sums.mean() + self.penalty
    }
}

/// Where the inputs of a batch are.
pub(super) enum Inputs<'a> {
    /// One slice for each input.
    Slices(&'a [&'a [f32]]),
    /// These samples of each input; each lane gathers its own.
    Among(&'a [Values], &'a [usize]),
}

/// The samples of a batch: how many, their inputs, and where their targets and weights begin among all.
pub(super) struct Batch<'a, T> {
    pub(super) samples: usize,
    pub(super) x: Inputs<'a>,
    pub(super) first: usize,
    pub(super) targets: &'a T,
    pub(super) weights: Option<&'a Values>,
}

impl Stage {
    pub(super) fn new<N: Network>(optimizer: &impl Optimizer, isa: Isa) -> Stage {
        let running: Vec<_> = pieces::by_strip(N::MAP, Role::Running, 1).into_iter().map(|piece| piece.range).collect();
        Stage {
            isa,
            threads: None,
            cores: thread::available_parallelism().map_or(1, NonZero::get),
            capacity: 0,
            each: 0,
            crew: Crew::new(1),
            lanes: Vec::new(),
            benches: Vec::new(),
            change: Block::zeroed(running.iter().map(Range::len).max().unwrap_or(0)),
            running,
            apart: Apart::new(N::MAP),
            update: Update::new(N::MAP, optimizer),
            batches: 0,
        }
    }

    /// Makes room for batches of up to this many samples, and lanes for them.
    pub(super) fn reserve<N: Network>(&mut self, batch: usize, optimizer: &impl Optimizer) {
        if batch <= self.capacity {
            return;
        }
        let map = N::MAP;
        let wanted = self.worth_it(map, batch);
        let (new, more) = (self.capacity == 0, self.crew.lanes() < wanted);
        if more || self.threads.is_some() && self.crew.lanes() != wanted {
            self.crew = Crew::new(wanted);
        }
        if new || more {
            self.update.arrange(optimizer, self.crew.lanes());
        }
        let lanes = if one_lane(map) { 1 } else { self.crew.lanes() };
        let each = share(batch, lanes).min(batch);
        let outputs = || map.outputs.iter().map(|shape| Block::zeroed(each * shape.len())).collect();
        let lane = |_| Lane {
            samples: 0..0,
            gathered: map.inputs.iter().map(|shape| Block::zeroed(each * shape.len())).collect(),
            saved: Block::zeroed(map.train.work * each),
            outputs: outputs(),
            output_grads: outputs(),
            tallies: vec![Tally::default(); each.div_ceil(CHUNK)],
        };
        self.lanes = (0..lanes).map(lane).collect();
        let scratch = map.train.scratch_for(each).max(map.infer.len(each));
        self.benches = (0..self.crew.lanes()).map(|lane| self.update.bench(lane, scratch, optimizer)).collect();
        self.apart.reserve(batch);
        (self.capacity, self.each) = (batch, each);
    }

    /// How many lanes of so many work on a batch: as many as are wanted, and enough to have room for it.
    fn working(&self, lanes: usize, map: &Map, samples: usize) -> usize {
        self.worth_it(map, samples).max(samples.div_ceil(self.each)).min(lanes)
    }

    /// The lanes that the user wants, or else those that a step's operations keep busy, as far as the machine has cores.
    fn worth_it(&self, map: &Map, samples: usize) -> usize {
        self.threads.map_or_else(
            || {
                let busy = map.macs.saturating_mul(3 * samples) / LANE_MACS;
                busy.min(self.cores).min(samples.div_ceil(CHUNK)).max(1)
            },
            NonZero::get,
        )
    }

    /// Makes room anew at the next batch, as a setting has changed.
    pub(super) fn rearrange(&mut self) {
        self.capacity = 0;
    }

    /// Trains on the samples of a batch, `targets` and `weights` all its own, and returns what its rows come to. Where a loss is not
    /// finite, or no row has a weight, nothing is changed.
    pub(super) fn train<N: Network, T: Targets>(
        &mut self,
        params: &mut [f32],
        loss: &impl Objective<T>,
        optimizer: &mut impl Optimizer,
        seed: u64,
        batch: &Batch<T>,
    ) -> Taken {
        let weight = loss.weight(0..batch.samples, N::MAP.outputs, batch.weights);
        let all: f64 = weight.iter().sum();
        if all == 0.0 {
            return Taken { sums: Tally::default(), penalty: 0.0 };
        }
        let penalty = self.update.penalty(self.isa, params);
        let noise = Noise { key: seed }.keyed(&[self.batches]);
        // Of an output where no row has a weight every gradient is 0, whatever the scale.
        let share = self.update.share(all);
        let scale = weight.map(|weight| if weight > 0.0 { share / weight } else { 0.0 });
        let sums = self.answer::<N, T>(params, loss, batch, Some((noise, scale)));
        if !(sums.mean() + penalty).is_finite() {
            return Taken { sums, penalty };
        }
        self.batches += 1;

        let (isa, lanes, logits) = (self.isa, &self.lanes, loss.logits());
        // In the order of the samples, whoever pulls.
        let pull =
            |params: &[f32], scratch: &mut [f32], range: &Range<usize>, samples: Range<usize>, grad: &mut [f32]| {
                for lane in lanes {
                    let (from, to) = (samples.start.max(lane.samples.start), samples.end.min(lane.samples.end));
                    if from >= to {
                        continue;
                    }
                    let x = inputs(N::MAP, &batch.x, &lane.gathered, &lane.samples);
                    let dy = slices(&lane.output_grads, N::MAP, lane.samples.len());
                    let mut cx = Cx::of_network(N::MAP, params, isa, lane.samples.len(), &lane.saved[..], scratch);
                    set_out(&mut cx, noise, logits, lane.samples.start);
                    let samples = from - lane.samples.start..to - lane.samples.start;
                    let part = Part { range: range.clone(), grad: &mut *grad, samples };
                    N::pull_params(&mut cx, &x[..N::MAP.inputs.len()], &dy[..N::MAP.outputs.len()], part);
                }
            };
        // Parameters can be shared where samples cannot.
        let working = self.working(self.benches.len(), N::MAP, batch.samples);
        let benches = &mut self.benches[..working];
        // What is learnt is not shown to whoever pulls: it changes meanwhile.
        self.apart.pull((&mut self.crew, &mut *benches), batch.samples, &|scratch, range, samples, grad| {
            pull(&[], scratch, range, samples, grad);
        });
        let apart = &self.apart;
        self.update.batch(isa, (&mut self.crew, benches), params, optimizer, all, &|scratch, range, grad| {
            if !apart.add(isa, range, grad) {
                pull(&[], scratch, range, 0..batch.samples, grad);
            }
        });
        let scratch = &mut self.benches[0].scratch;
        for range in &self.running {
            let change = &mut self.change[..range.len()];
            change.fill(0.0);
            pull(params, scratch, range, 0..batch.samples, change);
            isa.add(change, &mut params[range.clone()]);
        }
        Taken { sums, penalty }
    }

    /// Takes the step of gradients that wait for more batches, if any do.
    pub(super) fn settle(&mut self, params: &mut [f32], optimizer: &mut impl Optimizer) {
        self.update.settle(self.isa, (&mut self.crew, &mut self.benches), params, optimizer);
    }

    /// What the rows of a stretch of samples come to, as the network predicts.
    pub(super) fn evaluate<N: Network, T: Targets>(
        &mut self,
        params: &[f32],
        loss: &impl Objective<T>,
        batch: &Batch<T>,
    ) -> Tally {
        self.answer::<N, T>(params, loss, batch, None)
    }

    /// Deals the samples out to the lanes, which run the network on theirs; to train, with this noise and the gradients of the loss
    /// multiplied by this, back to the first layer that learns.
    fn answer<N: Network, T: Targets>(
        &mut self,
        params: &[f32],
        loss: &impl Objective<T>,
        batch: &Batch<T>,
        train: Option<(Noise, [f64; MAX_OUTPUTS])>,
    ) -> Tally {
        let (isa, shapes) = (self.isa, N::MAP.outputs);
        let working = self.working(self.lanes.len(), N::MAP, batch.samples);
        let each = share(batch.samples, working);
        for (i, lane) in self.lanes.iter_mut().enumerate() {
            lane.samples = (i * each).min(batch.samples)..((i + 1) * each).min(batch.samples);
        }
        let job = |lane: &mut Lane, bench: &mut Bench| {
            let Lane { samples, gathered, saved, outputs, output_grads, tallies } = lane;
            if samples.start == samples.end {
                return;
            }
            if let Inputs::Among(all, indices) = batch.x {
                for (to, from) in gathered.iter_mut().zip(all) {
                    let rows = to.chunks_exact_mut(from.width());
                    rows.zip(&indices[samples.clone()]).for_each(|(to, i)| to.copy_from_slice(from.sample(*i)));
                }
            }
            let x = inputs(N::MAP, &batch.x, gathered, samples);
            let x = &x[..N::MAP.inputs.len()];
            let mut y = mut_slices(outputs, N::MAP, samples.len());
            let saved = if train.is_some() { &mut saved[..] } else { &mut [][..] };
            let mut cx = Cx::of_network(N::MAP, params, isa, samples.len(), saved, &mut bench.scratch);
            match train {
                Some((noise, _)) => set_out(&mut cx, noise, loss.logits(), samples.start),
                None => cx.logits = loss.logits(),
            }
            N::forward(&mut cx, x, &mut y[..shapes.len()]);

            let mut finite = true;
            for (chunk, tally) in chunks(samples.len()).zip(tallies) {
                let at = batch.first + samples.start;
                let answers = Answers {
                    isa,
                    samples: at + chunk.start..at + chunk.end,
                    weights: batch.weights,
                    shapes,
                    y: within(&y, shapes, &chunk),
                };
                match train {
                    Some((_, scale)) => {
                        let mut dy = mut_slices(output_grads, N::MAP, samples.len());
                        for (dy, shape) in dy.iter_mut().zip(shapes) {
                            *dy = &mut core::mem::take(dy)[chunk.start * shape.len()..chunk.end * shape.len()];
                        }
                        loss.gradient(&answers, batch.targets, scale, &mut dy, tally);
                    }
                    None => loss.value(&answers, batch.targets, tally),
                }
                finite &= tally.is_finite();
            }
            if train.is_some() && finite && const { N::MAP.train.pulls() } {
                let y = y.each_ref().map(|y| &**y);
                let dy = slices(output_grads, N::MAP, samples.len());
                let mut dx: [&mut [f32]; MAX_INPUTS] = Default::default();
                let m = shapes.len();
                N::pull_input(&mut cx, x, &y[..m], &dy[..m], &mut dx[..x.len()]);
            }
        };
        self.crew.pairs(&mut self.lanes[..working], &mut self.benches[..working], job);
        let mut sums = Tally::default();
        for lane in &self.lanes {
            lane.tallies[..lane.samples.len().div_ceil(CHUNK)].iter().for_each(|tally| sums.add(tally));
        }
        sums
    }
}

/// A training pass over samples from this one on.
#[inline]
fn set_out<S>(cx: &mut Cx<'_, S>, noise: Noise, logits: u8, first_sample: usize) {
    cx.purpose = Purpose::Train;
    cx.mode = Mode::Train;
    cx.noise = noise;
    cx.logits = logits;
    cx.first_sample = first_sample;
}

/// Samples of each lane, whole chunks.
#[inline]
fn share(samples: usize, lanes: usize) -> usize {
    samples.div_ceil(CHUNK).div_ceil(lanes) * CHUNK
}

/// Whether one lane takes all samples: where a sample's output depends on the others of its batch, where a statistic follows whole batches,
/// and where sites share parameters, whose gradients are added site by site and not sample by sample.
fn one_lane(map: &Map) -> bool {
    map.nodes.iter().any(|node| {
        let facts = node.facts;
        let follows = facts.params[..facts.param_count].iter().any(|param| param.role == Role::Running);
        !node.frozen && (facts.couples() || follows || node.shares.is_some() || facts.inner.is_some_and(one_lane))
    })
}

fn chunks(samples: usize) -> impl Iterator<Item = Range<usize>> {
    (0..samples.div_ceil(CHUNK)).map(move |i| i * CHUNK..((i + 1) * CHUNK).min(samples))
}

/// A lane's samples of each input.
#[inline]
fn inputs<'a>(map: &Map, x: &Inputs<'a>, gathered: &'a [Block], samples: &Range<usize>) -> [&'a [f32]; MAX_INPUTS] {
    let mut some = [&[][..]; MAX_INPUTS];
    for (k, (to, shape)) in some.iter_mut().zip(map.inputs).enumerate() {
        *to = match x {
            Inputs::Slices(all) => &all[k][samples.start * shape.len()..samples.end * shape.len()],
            Inputs::Among(..) => &gathered[k][..samples.len() * shape.len()],
        };
    }
    some
}

/// Some samples of each output.
#[inline]
fn within<'a>(
    y: &'a [&mut [f32]; MAX_OUTPUTS],
    shapes: &[crate::Shape],
    samples: &Range<usize>,
) -> [&'a [f32]; MAX_OUTPUTS] {
    let mut some = [&[][..]; MAX_OUTPUTS];
    for ((to, from), shape) in some.iter_mut().zip(y).zip(shapes) {
        *to = &from[samples.start * shape.len()..samples.end * shape.len()];
    }
    some
}

#[inline]
fn mut_slices<'b>(blocks: &'b mut [Block], map: &Map, samples: usize) -> [&'b mut [f32]; MAX_OUTPUTS] {
    let mut all: [&mut [f32]; MAX_OUTPUTS] = Default::default();
    for ((to, block), shape) in all.iter_mut().zip(blocks).zip(map.outputs) {
        *to = &mut block[..samples * shape.len()];
    }
    all
}

#[inline]
fn slices<'b>(blocks: &'b [Block], map: &Map, samples: usize) -> [&'b [f32]; MAX_OUTPUTS] {
    let mut all = [&[][..]; MAX_OUTPUTS];
    for ((to, block), shape) in all.iter_mut().zip(blocks).zip(map.outputs) {
        *to = &block[..samples * shape.len()];
    }
    all
}
