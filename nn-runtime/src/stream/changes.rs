//! What a stream carries, as the layers that carry it change it: a ring of steps in the places of the oldest
//! alone, everything else altogether. In: a network, and what is carried; out: a copy that costs what has
//! changed, and whether that is finite. It knows no step and no layer.

use alloc::vec::Vec;
use core::ops::Range;

use crate::finite::first_not_finite;
use crate::graph::CompiledNetwork;
use crate::spec::Pass;

/// Rings of fewer numbers are copied as they are.
const SMALL: usize = 128;

/// Where that lies which is carried, of all voices.
pub(super) struct Changes {
    whole: Vec<Range<usize>>,
    rings: Vec<Ring>,
}

/// The place of the oldest step, and the steps.
struct Ring {
    start: usize,
    features: usize,
    reach: usize,
    /// Steps to a stride.
    steps: usize,
}

impl Ring {
    /// Where the steps of the last strides lie.
    fn newest(&self, carried: &[f32], strides: u64) -> [Range<usize>; 2] {
        let new =
            usize::try_from(strides).map_or(self.reach, |strides| strides.saturating_mul(self.steps).min(self.reach));
        let end = (carried[self.start] as usize).min(self.reach);
        let at = |from: usize, to: usize| {
            let start = self.start + 1;
            start + from * self.features..start + to * self.features
        };
        // From the end of the ring on to its start, where they go round.
        let round = new.saturating_sub(end);
        [at(end - (new - round), end), at(self.reach - round, self.reach)]
    }
}

impl Changes {
    pub(super) fn of(network: &CompiledNetwork, voices: usize) -> Changes {
        let mut changes = Changes { whole: Vec::new(), rings: Vec::new() };
        for (node, plan) in network.nodes.iter().zip(network.step.node_plan) {
            let (spec, saved) = (node.spec, plan.saved.of_batch(voices));
            if saved.len == 0 || !matches!(plan.pass, Pass::Step) {
                continue;
            }
            let each = saved.len / voices;
            match spec.stream.ring {
                Some(features) if each > SMALL => changes.rings.extend((0..voices).map(|voice| Ring {
                    start: saved.offset + voice * each,
                    features,
                    reach: (each - 1) / features,
                    steps: plan.steps as usize,
                })),
                _ => changes.push(saved.offset..saved.offset + saved.len),
            }
        }
        changes
    }

    fn push(&mut self, range: Range<usize>) {
        match self.whole.last_mut() {
            // What lies between is never written.
            Some(last)
                if range.start - last.end < SMALL && self.rings.last().is_none_or(|ring| ring.start < last.end) =>
            {
                last.end = range.end;
            }
            _ => self.whole.push(range),
        }
    }

    /// Copies what these strides have changed, the last before now.
    pub(super) fn copy(&self, carried: &[f32], strides: u64, to: &mut [f32]) {
        for whole in &self.whole {
            to[whole.start..whole.end].copy_from_slice(&carried[whole.start..whole.end]);
        }
        for ring in &self.rings {
            to[ring.start] = carried[ring.start];
            for steps in ring.newest(carried, strides) {
                to[steps.start..steps.end].copy_from_slice(&carried[steps.start..steps.end]);
            }
        }
    }

    /// A number that is not finite, of those that these strides have changed.
    pub(super) fn not_finite(&self, carried: &[f32], strides: u64) -> Option<f32> {
        let odd = |range: Range<usize>| first_not_finite(&carried[range.clone()]).map(|at| carried[range.start + at]);
        let whole = self.whole.iter().find_map(|whole| odd(whole.clone()));
        whole.or_else(|| self.rings.iter().flat_map(|ring| ring.newest(carried, strides)).find_map(odd))
    }
}
