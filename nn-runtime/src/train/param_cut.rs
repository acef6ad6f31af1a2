//! The chunks of the parameters and what a step does with each before any changes. In: chunks; out: where
//! they lie, whose gradients are held, which nodes bound the others, which learning rates there are.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

use super::param_chunks::ParamChunk;
use crate::graph::CompiledNetwork;

/// The parameters, cut.
#[derive(Default)]
pub(super) struct ParamCut {
    pub(super) chunks: Vec<ParamChunk>,
    /// Where the chunks lie in what is kept of them: from the first parameter of the share on.
    pub(super) places: Vec<Range<usize>>,
    /// The chunks whose gradients are there before any parameter changes, and where they lie there.
    pub(super) held: Vec<usize>,
    pub(super) held_places: Vec<Range<usize>>,
    /// The nodes that bound the gradients of all others.
    pub(super) bounding: Vec<usize>,
    /// The factors of learning rates, each once, the largest first; at least one.
    pub(super) factors: Vec<f64>,
    /// All gradients are held, all tensors have one learning rate, and none is updated as a whole.
    pub(super) plain: bool,
}

impl ParamCut {
    /// For batches of so many samples; without a number all gradients are held. The share begins with
    /// parameter `first`, and the factors are those of all ranks' chunks.
    pub(super) fn new(
        map: &CompiledNetwork,
        chunks: Vec<ParamChunk>,
        (first, factors): (usize, Vec<f64>),
        samples: Option<usize>,
    ) -> ParamCut {
        let mut cut = ParamCut { factors, ..ParamCut::default() };
        let place = |chunk: &ParamChunk| chunk.range.start - first..chunk.range.end - first;
        for (i, chunk) in chunks.iter().enumerate() {
            match samples.and_then(|samples| chunk.bounded_by(map, samples)) {
                Some(node) => cut.bounding.push(node),
                None => {
                    cut.held.push(i);
                    cut.held_places.push(place(chunk));
                }
            }
        }
        cut.bounding.dedup();
        cut.places = chunks.iter().map(place).collect();
        let whole = chunks.iter().any(|chunk| chunk.layout.is_some());
        let plain = cut.held.len() == chunks.len() && cut.factors.len() == 1 && !whole;
        ParamCut { chunks, plain, ..cut }
    }
}

/// The factors of learning rates of some chunks, each once, the largest first; at least one.
pub(super) fn factors(chunks: &[ParamChunk]) -> Vec<f64> {
    let mut factors: Vec<f64> = chunks.iter().map(|chunk| chunk.factor).collect();
    factors.sort_unstable_by(|a, b| b.total_cmp(a));
    factors.dedup();
    if factors.is_empty() { vec![1.0] } else { factors }
}
