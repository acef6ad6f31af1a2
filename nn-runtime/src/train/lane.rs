//! A lane's samples, group after group: gathered, run forward, judged, run backward, and the gradients that are taken apart pulled while
//! what they read is still in the cache. In: a stretch of a batch; out: what its rows come to, all that the other gradients are pulled
//! from, and the sums of those taken apart. How samples are grouped changes no bit.

use std::ops::Range;
use std::vec;
use std::vec::Vec;

use super::apart::{Apart, Cut};
use super::objective::{Answers, Objective, Tally};
use super::step::CHUNK;
use crate::data::{Targets, Values};
use crate::graph::{CompiledNetwork, MAX_INPUTS, Pass};
use crate::layer::{LayerContext, Mode, ParamGrad};
use crate::network::Network;
use crate::shape::Shape;
use crate::spec::MAX_OUTPUTS;
use nn_kernels::aligned_buffer::AlignedBuffer;
use nn_kernels::counter_rng::CounterRng;
use nn_kernels::gather::gather;
use nn_kernels::simd::Isa;

/// A stretch of a batch, and what is made of it: written by one lane, and then read by all.
pub(super) struct Lane {
    samples: Range<usize>,
    cut: Cut,
    /// Gathered inputs.
    gathered: Vec<AlignedBuffer>,
    /// The workspace of a group.
    work: AlignedBuffer,
    /// What is kept of it, group after group; of one group alone it stays where it is.
    kept: AlignedBuffer,
    outputs: Vec<AlignedBuffer>,
    output_grads: Vec<AlignedBuffer>,
    /// Of each chunk of samples.
    tallies: Vec<Tally>,
    /// Of the gradients that are taken apart, those of one stretch of samples after the other.
    sums: AlignedBuffer,
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

/// What a training pass is drawn by, and what the gradients of each output's loss are multiplied by.
#[derive(Clone, Copy)]
pub(super) struct Training {
    pub(super) noise: CounterRng,
    pub(super) scale: [f64; MAX_OUTPUTS],
}

impl Lane {
    /// Room for so many samples of a batch.
    pub(super) fn new(map: &CompiledNetwork, samples: usize, (apart, batch): (&Apart, usize)) -> Lane {
        let (together, several) = apart.together(samples, batch);
        let room = |shapes: &[Shape]| shapes.iter().map(|shape| AlignedBuffer::zeroed(samples * shape.len())).collect();
        Lane {
            samples: 0..0,
            cut: Cut::default(),
            gathered: room(map.inputs),
            work: AlignedBuffer::zeroed(map.train.work * together),
            kept: AlignedBuffer::zeroed(if several { map.train.kept * samples } else { 0 }),
            outputs: room(map.outputs),
            output_grads: room(map.outputs),
            tallies: vec![Tally::default(); samples.div_ceil(CHUNK)],
            sums: AlignedBuffer::zeroed(apart.room(samples)),
        }
    }

    /// Gives it these samples of a batch.
    pub(super) fn take(&mut self, samples: Range<usize>, cut: Cut) {
        (self.samples, self.cut) = (samples, cut);
    }

    /// What the rows of its chunks come to.
    pub(super) fn tallies(&self) -> &[Tally] {
        &self.tallies[..self.samples.len().div_ceil(CHUNK)]
    }

    /// Runs the network on its samples; to train, back to the first layer that learns, and to the gradients taken apart.
    pub(super) fn work<N: Network, T: Targets>(
        &mut self,
        isa: Isa,
        params: &[f32],
        (loss, apart): (&impl Objective<T>, &Apart),
        batch: &Batch<T>,
        train: Option<Training>,
        scratch: &mut [f32],
    ) {
        let (map, shapes) = (N::COMPILED, N::COMPILED.outputs);
        for group in groups(self.samples.len(), self.cut) {
            let all = self.samples.start + group.start..self.samples.start + group.end;
            if let Inputs::Among(values, indices) = batch.x {
                for (to, from) in self.gathered.iter_mut().zip(values) {
                    let (width, which) = (from.width(), &indices[all.clone()]);
                    let to = &mut to[group.start * width..group.end * width];
                    gather(isa, from.as_slice(), width, which, to);
                }
            }
            let x = inputs(map, &batch.x, &self.gathered, &group, &all);
            let x = &x[..map.inputs.len()];
            let mut y = mut_slices(&mut self.outputs, shapes, &group);
            let work = if train.is_some() { &mut self.work[..group.len() * map.train.work] } else { &mut [] };
            let mut cx = LayerContext::of_network(map, params, isa, group.len(), work, &mut *scratch);
            match train {
                Some(train) => set_out(&mut cx, train.noise, loss.logits(), all.start),
                None => cx.logits = loss.logits(),
            }
            N::forward(&mut cx, x, &mut y[..shapes.len()]);

            let y = y.map(|y| &*y);
            let mut dy = mut_slices(&mut self.output_grads, shapes, &group);
            let mut finite = true;
            for (chunk, tally) in chunks(group.len()).zip(&mut self.tallies[group.start / CHUNK..]) {
                let at = batch.first + all.start;
                let mut here = [&[][..]; MAX_OUTPUTS];
                for ((here, y), shape) in here.iter_mut().zip(y).zip(shapes) {
                    *here = &y[chunk.start * shape.len()..chunk.end * shape.len()];
                }
                let samples = at + chunk.start..at + chunk.end;
                let answers = Answers { isa, samples, weights: batch.weights, shapes, y: here };
                match train {
                    Some(train) => {
                        let mut dy = dy.each_mut().map(|dy| &mut **dy);
                        for (dy, shape) in dy.iter_mut().zip(shapes) {
                            *dy = &mut core::mem::take(dy)[chunk.start * shape.len()..chunk.end * shape.len()];
                        }
                        loss.gradient(&answers, batch.targets, train.scale, &mut dy, tally);
                    }
                    None => loss.value(&answers, batch.targets, tally),
                }
                finite &= tally.is_finite();
            }
            let Some(train) = train.filter(|_| finite) else { continue };
            let dy = dy.map(|dy| &*dy);
            let m = shapes.len();
            if const { N::COMPILED.train.pulls() } {
                let mut dx: [&mut [f32]; MAX_INPUTS] = Default::default();
                N::backward_input(&mut cx, x, &y[..m], &dy[..m], &mut dx[..x.len()]);
            }

            let work = &self.work[..group.len() * map.train.work];
            let mut cx = LayerContext::of_network(map, &[], isa, group.len(), work, &mut *scratch);
            set_out(&mut cx, train.noise, loss.logits(), all.start);
            for stretch in stretches(group.len(), self.cut) {
                let sums = &mut self.sums[apart.sums_at((group.start + stretch.start) / self.cut.stretch)];
                for (range, place) in apart.places() {
                    let grad = &mut sums[place.clone()];
                    grad.fill(0.0);
                    let part = ParamGrad { range: range.clone(), grad, samples: stretch.clone(), overwrite: false };
                    N::backward_params(&mut cx, x, &dy[..m], part);
                }
            }
            if group.len() < self.samples.len() {
                let kept = group.start * map.train.kept..group.end * map.train.kept;
                let from = &self.work[..kept.len()];
                self.kept[kept].copy_from_slice(from);
            }
        }
    }

    /// Adds the gradient of a range of parameters, in the order of the samples; `overwrite` is true until the first group's are there. `params` are
    /// empty, unless the range is of running statistics.
    pub(super) fn pull<N: Network>(
        &self,
        isa: Isa,
        params: &[f32],
        (x, noise, logits): (&Inputs, CounterRng, u8),
        scratch: &mut [f32],
        range: &Range<usize>,
        (grad, overwrite): (&mut [f32], &mut bool),
    ) {
        let map = N::COMPILED;
        for group in groups(self.samples.len(), self.cut) {
            let all = self.samples.start + group.start..self.samples.start + group.end;
            let x = inputs(map, x, &self.gathered, &group, &all);
            let mut dy = [&[][..]; MAX_OUTPUTS];
            for ((dy, block), shape) in dy.iter_mut().zip(&self.output_grads).zip(map.outputs) {
                *dy = &block[group.start * shape.len()..group.end * shape.len()];
            }
            let saved = match group.len() == self.samples.len() {
                true => &self.work[..group.len() * map.train.work],
                false => &self.kept[group.start * map.train.kept..group.end * map.train.kept],
            };
            let mut cx = LayerContext::of_network(map, params, isa, group.len(), saved, &mut *scratch);
            set_out(&mut cx, noise, logits, all.start);
            let overwrite = core::mem::take(overwrite);
            let part = ParamGrad { range: range.clone(), grad: &mut *grad, samples: 0..group.len(), overwrite };
            N::backward_params(&mut cx, &x[..map.inputs.len()], &dy[..map.outputs.len()], part);
        }
    }

    /// Adds the sums of a range of those taken apart, which begins here among them, in the order of the samples.
    pub(super) fn add_sums(&self, isa: Isa, apart: &Apart, at: usize, grad: &mut [f32]) {
        for i in 0..self.samples.len().div_ceil(self.cut.stretch) {
            let sums = &self.sums[apart.sums_at(i)];
            isa.add(&sums[at..at + grad.len()], grad);
        }
    }
}

/// A training pass over samples from this one on.
#[inline]
fn set_out<S>(cx: &mut LayerContext<'_, S>, noise: CounterRng, logits: u8, first_sample: usize) {
    cx.pass = Pass::Train;
    cx.mode = Mode::Train;
    cx.noise = noise;
    cx.logits = logits;
    cx.first_sample = first_sample;
}

fn by(size: usize, samples: usize) -> impl Iterator<Item = Range<usize>> {
    (0..samples.div_ceil(size)).map(move |i| i * size..samples.min((i + 1) * size))
}

fn groups(samples: usize, cut: Cut) -> impl Iterator<Item = Range<usize>> {
    by(cut.group, samples)
}

/// None where nothing is taken apart.
fn stretches(samples: usize, cut: Cut) -> impl Iterator<Item = Range<usize>> {
    by(cut.stretch, if cut.apart { samples } else { 0 })
}

fn chunks(samples: usize) -> impl Iterator<Item = Range<usize>> {
    by(CHUNK, samples)
}

/// A group of a lane's samples of each input: these of the lane, those of the batch.
#[inline]
fn inputs<'a>(
    map: &CompiledNetwork,
    x: &Inputs<'a>,
    gathered: &'a [AlignedBuffer],
    group: &Range<usize>,
    all: &Range<usize>,
) -> [&'a [f32]; MAX_INPUTS] {
    let mut some = [&[][..]; MAX_INPUTS];
    for (k, (to, shape)) in some.iter_mut().zip(map.inputs).enumerate() {
        *to = match x {
            Inputs::Slices(x) => &x[k][all.start * shape.len()..all.end * shape.len()],
            Inputs::Among(..) => &gathered[k][group.start * shape.len()..group.end * shape.len()],
        };
    }
    some
}

#[inline]
fn mut_slices<'b>(
    blocks: &'b mut [AlignedBuffer],
    shapes: &[Shape],
    group: &Range<usize>,
) -> [&'b mut [f32]; MAX_OUTPUTS] {
    let mut all: [&mut [f32]; MAX_OUTPUTS] = Default::default();
    for ((to, block), shape) in all.iter_mut().zip(blocks).zip(shapes) {
        *to = &mut block[group.start * shape.len()..group.end * shape.len()];
    }
    all
}
