//! Gradients that are summed by stretches of samples before they are summed together: those of layers that compute much for each parameter, such as
//! convolutions, of which there would otherwise be one piece of work that no second lane can help with. In: the table of parameters, a
//! batch; out: sums, in the order of the samples. How a batch is cut depends on its size alone, never on the lanes.

use std::ops::Range;
use std::sync::atomic::AtomicBool;
use std::vec::Vec;

use super::step::CHUNK;
use super::update::Lanes;
use crate::graph::{Map, Node};
use crate::kernels::block::Block;
use crate::kernels::crew::Shares;
use crate::kernels::simd::Isa;

/// The most stretches of a batch: enough for as many lanes.
const MOST: usize = 16;

/// The most floats that all stretches' sums may take.
const LIMIT: usize = 1 << 20;

/// Multiply-adds for each parameter and sample from which on a gradient is worth being taken apart.
const REUSE: usize = 16;

pub(super) struct Apart {
    /// Stretches of the parameters, and where the sums of each begin among those of a stretch of samples.
    places: Vec<(Range<usize>, usize)>,
    /// Floats of a stretch of samples.
    each: usize,
    /// The most stretches of samples.
    most: usize,
    sums: Block,
    /// Each place in each stretch of samples, within `sums`.
    parts: Vec<Range<usize>>,
    taken: Vec<AtomicBool>,
    /// Stretches of the samples of this batch.
    stretches: usize,
}

impl Apart {
    pub(super) fn new(map: &'static Map) -> Apart {
        let mut each = 0;
        let mut places = Vec::new();
        for range in stretches(map) {
            places.push((range.clone(), each));
            each += range.len();
        }
        let most = MOST.min(LIMIT / each.max(1));
        let (sums, parts, taken) = (Block::zeroed(0), Vec::new(), Vec::new());
        Apart { places, each, most, sums, parts, taken, stretches: 0 }
    }

    /// Makes room for a batch.
    pub(super) fn reserve(&mut self, batch: usize) {
        // A smaller batch may have more stretches.
        let stretches = if self.stretches(batch).1 == 0 { 0 } else { self.most.min(batch.div_ceil(CHUNK)) };
        self.sums = Block::zeroed(stretches * self.each);
        let of_place = |stretch: usize, (range, at): &(Range<usize>, usize)| {
            stretch * self.each + at..stretch * self.each + at + range.len()
        };
        self.parts = (0..stretches).flat_map(|i| self.places.iter().map(move |place| of_place(i, place))).collect();
        self.taken = self.parts.iter().map(|_| AtomicBool::new(false)).collect();
    }

    /// The samples of a stretch, and how many stretches there are: none where there is nothing to be gained.
    fn stretches(&self, batch: usize) -> (usize, usize) {
        if self.places.is_empty() || self.most < 2 || batch <= CHUNK {
            return (batch, 0);
        }
        let samples = batch.div_ceil(CHUNK).div_ceil(self.most) * CHUNK;
        (samples, batch.div_ceil(samples))
    }

    /// Has all sums taken, each by one of the lanes: `pull` adds the gradient of some samples with respect to a range of parameters.
    pub(super) fn pull(
        &mut self,
        (crew, benches): Lanes,
        batch: usize,
        pull: &(impl Fn(&mut [f32], &Range<usize>, Range<usize>, &mut [f32]) + Sync),
    ) {
        let (samples, stretches) = self.stretches(batch);
        self.stretches = stretches;
        let places = &self.places;
        let parts = &self.parts[..stretches * places.len()];
        let shares = Shares::new([&mut self.sums], parts, &mut self.taken, benches.len());
        if parts.is_empty() {
            return;
        }
        crew.each(benches, |bench| {
            shares.each(bench.lane, |i, [sum]| {
                let (stretch, place) = (i / places.len(), i % places.len());
                sum.fill(0.0);
                let samples = stretch * samples..((stretch + 1) * samples).min(batch);
                pull(&mut bench.scratch, &places[place].0, samples, sum);
            });
        });
    }

    /// Adds the sums of a range of parameters; false where it has not been taken apart.
    pub(super) fn add(&self, isa: Isa, range: &Range<usize>, grad: &mut [f32]) -> bool {
        let place = self.places.iter().find(|(place, _)| place.contains(&range.start));
        let Some((place, at)) = place.filter(|_| self.stretches > 0) else { return false };
        for stretch in 0..self.stretches {
            let from = stretch * self.each + at + (range.start - place.start);
            isa.add(&self.sums[from..from + range.len()], grad);
        }
        true
    }
}

/// The stretches of the parameters whose gradients are taken apart: no strip of parameters may cross an end of one.
pub(super) fn stretches(map: &'static Map) -> Vec<Range<usize>> {
    let mut all: Vec<Range<usize>> = Vec::new();
    for (i, node) in map.nodes.iter().enumerate() {
        let alone = node.shares.is_none() && map.nodes.iter().all(|other| other.shares != Some(i));
        if alone && reuses(node) {
            let range = node.params..node.params + node.facts.params_len;
            match all.last_mut() {
                Some(last) if last.end == range.start => last.end = range.end,
                _ => all.push(range),
            }
        }
    }
    all
}

/// Whether a node computes much for each parameter. What it keeps must lie sample after sample, which is certain only where it keeps
/// nothing, or where the maxima of its outputs stood.
fn reuses(node: &Node) -> bool {
    let facts = node.facts;
    let learns = facts.params_len > 0 && !node.frozen;
    learns && facts.inner.is_none() && facts.times == 1 && facts.saved == 0 && facts.macs >= REUSE * facts.params_len
}
