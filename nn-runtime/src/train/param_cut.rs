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
    /// Where the chunks lie.
    pub(super) ranges: Vec<Range<usize>>,
    /// The chunks whose gradients are there before any parameter changes, and where they lie.
    pub(super) held: Vec<usize>,
    pub(super) held_ranges: Vec<Range<usize>>,
    /// The nodes that bound the gradients of all others.
    pub(super) bounding: Vec<usize>,
    /// The factors of learning rates, each once, the largest first; at least one.
    pub(super) factors: Vec<f64>,
}

impl ParamCut {
    /// For batches of so many samples; without a number all gradients are held.
    pub(super) fn new(map: &CompiledNetwork, chunks: Vec<ParamChunk>, samples: Option<usize>) -> ParamCut {
        let mut cut = ParamCut { factors: vec![1.0], ..ParamCut::default() };
        for (i, chunk) in chunks.iter().enumerate() {
            match samples.and_then(|samples| chunk.bounded_by(map, samples)) {
                Some(node) => cut.bounding.push(node),
                None => {
                    cut.held.push(i);
                    cut.held_ranges.push(chunk.range.clone());
                }
            }
        }
        cut.bounding.dedup();
        if !chunks.is_empty() {
            cut.factors = chunks.iter().map(|chunk| chunk.factor).collect();
            cut.factors.sort_unstable_by(|a, b| b.total_cmp(a));
            cut.factors.dedup();
        }
        cut.ranges = chunks.iter().map(|chunk| chunk.range.clone()).collect();
        ParamCut { chunks, ..cut }
    }
}
