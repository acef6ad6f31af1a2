//! Gradients that are summed by stretches of samples before they are summed together: those of layers that compute much for each parameter, such as
//! convolutions. Their lane pulls them as soon as it has what they are pulled from, and none waits as the one piece of work that no
//! second lane can help with. In: the table of parameters; out: how a batch is cut, which depends on its size alone, never on the lanes.

use std::ops::Range;
use std::vec::Vec;

use super::lane::Lane;
use super::step::{CHUNK, one_lane};
use crate::graph::{CompiledNetwork, Node};
use nn_kernels::simd::Isa;

/// The most stretches of a batch.
const MOST: usize = 64;

/// The most floats that all stretches' sums may take.
const LIMIT: usize = 1 << 20;

/// Floats that the workspace of a group of samples should not exceed: so it stays in the cache, where the next group finds it.
const WARM: usize = 1 << 18;

/// How many times as much as it keeps a network's workspace must be for groups to be worth the copies of what is kept.
const GAIN: usize = 4;

pub(super) struct Apart {
    /// Stretches of the parameters, and where the sums of each lie among those of a stretch of samples.
    places: Vec<(Range<usize>, Range<usize>)>,
    /// Floats of a stretch of samples.
    each: usize,
    /// The most stretches of samples.
    most: usize,
    /// Samples that should be run together.
    warm: usize,
}

/// As many samples as there may be.
const ALL: usize = usize::MAX / 2;

/// How the samples of a batch are cut.
#[derive(Clone, Copy)]
pub(super) struct Cut {
    /// Whether gradients are taken apart.
    pub(super) apart: bool,
    /// Samples whose gradients are summed first: chunks, in a power of two, so that a smaller batch has room where a larger one has.
    /// Lanes take whole stretches.
    pub(super) stretch: usize,
    /// Samples that are run together; whole stretches.
    pub(super) group: usize,
}

impl Default for Cut {
    fn default() -> Cut {
        Cut { apart: false, stretch: CHUNK, group: ALL }
    }
}

impl Apart {
    pub(super) fn new(map: &'static CompiledNetwork) -> Apart {
        let mut each = 0;
        let mut places = Vec::new();
        for range in stretches(map) {
            places.push((range.clone(), each..each + range.len()));
            each += range.len();
        }
        let most = MOST.min(LIMIT / each.max(1));
        if most < 2 {
            (places, each) = (Vec::new(), 0);
        }
        let (kept, work) = (map.train.kept, map.train.work);
        let warm = if places.is_empty() {
            ALL
        } else if map.nodes.iter().any(Node::reuses_groups) {
            // A group is a stretch.
            0
        } else if GAIN * kept <= work {
            WARM / work
        } else {
            ALL
        };
        Apart { places, each, most, warm }
    }

    /// How a batch is cut: all of it one group where there is nothing to be gained.
    pub(super) fn cut(&self, batch: usize) -> Cut {
        if self.places.is_empty() || batch <= CHUNK {
            return Cut::default();
        }
        let stretch = batch.div_ceil(CHUNK).div_ceil(self.most).next_power_of_two() * CHUNK;
        Cut { apart: true, stretch, group: (self.warm / stretch).max(1) * stretch }
    }

    /// The most samples that are run together, of so many that a lane has of a batch, or of a smaller one; and whether there may be several groups.
    pub(super) fn together(&self, samples: usize, batch: usize) -> (usize, bool) {
        let most = self.warm.max(self.cut(batch).stretch);
        (samples.min(most), self.warm < ALL)
    }

    /// Floats of the sums of so many samples, of whatever batch.
    pub(super) fn room(&self, samples: usize) -> usize {
        self.each * samples.div_ceil(CHUNK).min(self.most)
    }

    /// Stretches of the parameters, and where their sums lie among those of a stretch of samples.
    pub(super) fn places(&self) -> &[(Range<usize>, Range<usize>)] {
        &self.places
    }

    /// Where the sums of the i-th stretch of a lane's samples lie.
    pub(super) fn sums_at(&self, i: usize) -> Range<usize> {
        i * self.each..(i + 1) * self.each
    }

    /// Adds the sums of a range of parameters; false where it has not been taken apart.
    pub(super) fn add(&self, isa: Isa, (lanes, cut): (&[Lane], Cut), range: &Range<usize>, grad: &mut [f32]) -> bool {
        let place = self.places.iter().find(|(place, _)| place.contains(&range.start));
        let Some((place, at)) = place.filter(|_| cut.apart) else { return false };
        lanes.iter().for_each(|lane| lane.add_sums(isa, self, at.start + range.start - place.start, grad));
        true
    }
}

/// The stretches of the parameters whose gradients are taken apart: no strip of parameters may cross an end of one.
pub(super) fn stretches(map: &'static CompiledNetwork) -> Vec<Range<usize>> {
    let mut all: Vec<Range<usize>> = Vec::new();
    // Where one lane has all samples, the others help with pieces of the parameters.
    if one_lane(map) {
        return all;
    }
    for node in map.nodes {
        if node.reuses() {
            let range = node.params..node.params + node.spec.params_len;
            match all.last_mut() {
                Some(last) if last.end == range.start => last.end = range.end,
                _ => all.push(range),
            }
        }
    }
    all
}
