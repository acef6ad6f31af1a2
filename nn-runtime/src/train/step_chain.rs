//! A network that is a chain of products and functions, as a plain step trains it. In: a network, once; out:
//! the chain that the kernels run both ways, or none. What a pass looks up and checks for each layer is
//! settled when the chain is made, which is most of what a step of a few thousand multiply-adds takes.

use crate::graph::{CompiledNetwork, Node};
use crate::spec::SampleOp;
use nn_kernels::train_chain::TrainChain;

/// The chain of a network whose loss wants these outputs as scores, one bit each; none where it is no such
/// chain.
pub(super) fn step_chain(map: &CompiledNetwork, logits: u8) -> Option<TrainChain> {
    let ([input], [_]) = (map.inputs, map.outputs) else { return None };
    if map.output_values[0] != map.nodes.len() || map.train.copies.iter().any(Option::is_some) {
        return None;
    }
    let mut chain = TrainChain::new(input.len());
    for (i, (node, plan)) in map.nodes.iter().zip(map.train.node_plan).enumerate() {
        let alone = node.network.is_none() && node.shares.is_none() && node.spec.times == 1 && !node.frozen;
        // Values are numbered from the input on.
        if !alone || node.n != 1 || node.x[0] != i || node.y != i + 1 || node.spec.output_shapes().len() != 1 {
            return None;
        }
        let left_out = logits & plan.head != 0;
        if !left_out {
            add(&mut chain, i, node)?;
        }
    }
    chain.learns().then_some(chain)
}

fn add(chain: &mut TrainChain, i: usize, node: &Node) -> Option<()> {
    match node.spec.sample_op()? {
        SampleOp::Product(panels) => {
            let at = |i: usize| {
                let param = node.spec.params.list().get(i)?;
                let start = node.params + param.offset;
                Some(start..start + param.len)
            };
            chain.product(panels, at(0)?, at(1));
        }
        SampleOp::Floor(floor) => {
            let curve = node.spec.train_curve()?;
            if !chain.floor(floor, curve) {
                chain.curve(curve);
            }
        }
        SampleOp::InPlace(_) => chain.curve(node.spec.train_curve()?),
        SampleOp::Dropout(rate) => chain.dropout(rate, i as u64),
        SampleOp::Same => {}
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::step_chain;
    use crate::graph::CompiledNetwork;
    use crate::model::Network;
    use crate::prelude::*;

    network! { struct Straight: [2, 8] -> [3] { Flatten -> Dense(7) -> Tanh -> Dropout(0.5) -> Dense(3) -> Softmax } }
    network! { struct Curves: [4] -> [2] { Tanh -> Dense(5) -> Silu -> Dense(40) -> Relu -> Dense(2) -> Sigmoid } }
    network! { struct Joined: [4] -> [4] { let y = input -> Dense(4); (input, y) -> Sum } }
    network! { struct Normed: [4] -> [4] { LayerNorm -> Dense(4) } }
    network! { struct PerStep: [4, 3] -> [4, 2] { DensePerStep(2) } }
    network! { struct Shared: [4] -> [4] { one: Dense(4) -> Tanh -> share(one) } }
    network! { struct Frozen: [4] -> [4] { frozen Straightest -> Dense(4) } }
    network! { struct Straightest: [4] -> [4] { Dense(4) } }

    #[test]
    fn a_chain_is_found() {
        let found = |map: &CompiledNetwork, logits| step_chain(map, logits).is_some();
        // Softmax has no gradient by itself, but the loss leaves it out.
        assert_eq!((found(Straight::COMPILED, 0), found(Straight::COMPILED, 1)), (false, true));
        assert_eq!((found(Curves::COMPILED, 0), found(Curves::COMPILED, 1)), (true, true));
        for other in [Joined::COMPILED, Normed::COMPILED, PerStep::COMPILED, Shared::COMPILED, Frozen::COMPILED] {
            assert!(!found(other, 0), "{}", other.name);
        }
    }
}
