//! How the parameters of a network are cut for a step. In: the table of parameters; out: stretches, each pulled and updated at once.
//! Never a cut where a layout does not allow one, nor a strip of which only a part is taken apart.

use std::ops::Range;
use std::vec::Vec;

use super::apart;
use crate::graph::{CompiledNetwork, Node};
use crate::optim::TensorLayout;
use crate::params::{self, Tensor};
use crate::spec::{LINE, Role};

/// The most floats of gradient held at once: they and their parameters stay in the nearer caches until they are used up.
const STRIP: usize = 32 * 1024;

/// Strips for each lane, at least: the last ones to be done leave little to wait for.
const SHARES: usize = 8;

/// A stretch of the parameters.
pub(super) struct Piece {
    pub(super) range: Range<usize>,
    /// Where it is one whole tensor: how it lies.
    pub(super) form: Option<TensorLayout>,
    /// Whether its gradient is overwritten, and needs not be 0 before.
    pub(super) overwrite: bool,
}

/// One piece for each tensor that is trained.
pub(super) fn by_tensor(map: &'static CompiledNetwork) -> Vec<Piece> {
    of_role(map, Role::Trainable)
        .map(|tensor| {
            let range = tensor.offset..tensor.offset + tensor.len;
            Piece { overwrite: is_fresh(map, &range), range, form: Some(TensorLayout::of(&tensor)) }
        })
        .collect()
}

/// The parameters of a role in strips: several small tensors in one, a large one in several, cut where its layout allows; shorter
/// ones for more lanes, so that each gets its share.
pub(super) fn by_strip(map: &'static CompiledNetwork, role: Role, lanes: usize) -> Vec<Piece> {
    let strip = match lanes {
        1 => STRIP,
        _ => (map.params_len / (lanes * SHARES)).next_multiple_of(LINE).clamp(STRIP / 32, STRIP),
    };
    let apart = apart::stretches(map);
    let stretch = |at: usize| apart.iter().position(|stretch| stretch.contains(&at));
    let mut strips: Vec<Range<usize>> = Vec::new();
    for tensor in of_role(map, role) {
        let end = tensor.offset + tensor.len;
        let mut from = tensor.offset;
        while from < end {
            let to = match end - from {
                rest if rest <= strip => end,
                _ => from + strip / tensor.layout.grain() * tensor.layout.grain(),
            };
            match strips.last_mut() {
                // Between tensors lie less than a cache line of unused floats, which stay zero.
                Some(last)
                    if from - last.end < LINE && to - last.start <= strip && stretch(last.start) == stretch(from) =>
                {
                    last.end = to;
                }
                _ => strips.push(from..to),
            }
            from = to;
        }
    }
    strips.into_iter().map(|range| Piece { overwrite: is_fresh(map, &range), range, form: None }).collect()
}

/// Whether all of a range is of one parameter whose gradient one node alone pulls, afresh, and never by stretches of samples.
fn is_fresh(map: &CompiledNetwork, range: &Range<usize>) -> bool {
    let alone = map.nodes.iter().all(|node| node.shares.is_none());
    let pulls = |node: &Node| {
        let of_node = range.start >= node.params && range.end <= node.params + node.spec.params[0].len;
        node.spec.overwrites_weight_grad
            && !node.reuses()
            && node.spec.inner.is_none()
            && node.spec.times == 1
            && of_node
    };
    alone && map.nodes.iter().any(pulls)
}

fn of_role(map: &'static CompiledNetwork, role: Role) -> impl Iterator<Item = Tensor> {
    params::tensors(map).into_iter().filter(move |tensor| tensor.role == role && !tensor.frozen)
}
