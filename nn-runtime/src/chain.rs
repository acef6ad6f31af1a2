//! A network that is a chain of products and functions, as it predicts for one sample. In: a network, once;
//! out: the chain that the kernels run, or none. Everything that a pass looks up or checks for each layer is
//! settled when the chain is made, which is most of what a network of a few thousand parameters takes.

use alloc::boxed::Box;

use crate::graph::{CompiledNetwork, Node};
use crate::spec::SampleOp;
use nn_kernels::sample_chain::SampleChain;
use nn_kernels::simd::Isa;

/// A chain, in a place of its own: it is larger than all else of a predictor.
pub(crate) struct Chain(Box<SampleChain>);

impl Chain {
    /// None where the network is no such chain.
    pub(crate) fn of(network: &CompiledNetwork) -> Option<Chain> {
        let last = network.infer.node_plan.last()?;
        let ([input], [_]) = (network.inputs, network.outputs) else { return None };
        if !last.y[0].is_output() || network.infer.copies.iter().any(Option::is_some) {
            return None;
        }
        let mut chain = SampleChain::new(input.len());
        for (i, node) in network.nodes.iter().enumerate() {
            // Values are numbered from the input on.
            if node.n != 1 || node.x[0] != i || node.y != i + 1 || node.spec.output_shapes().len() != 1 {
                return None;
            }
            chain = with_node(chain, node)?;
        }
        (!chain.is_empty()).then(|| Chain(Box::new(chain)))
    }

    /// Floats of memory that [`run`](Chain::run) needs.
    pub(crate) fn memory(&self) -> usize {
        self.0.memory()
    }

    /// Predicts for one sample.
    #[inline]
    pub(crate) fn run(&self, isa: Isa, params: &[f32], x: &[f32], y: &mut [f32], memory: &mut [f32]) {
        self.0.run(isa, params, x, y, memory);
    }
}

fn with_node(chain: SampleChain, node: &Node) -> Option<SampleChain> {
    match node.spec.sample_op()? {
        SampleOp::Product(panels) => {
            let at = |i: usize| {
                let param = node.spec.params.list().get(i)?;
                let start = node.params + param.offset;
                Some(start..start + param.len)
            };
            chain.product(panels, at(0)?, at(1))
        }
        SampleOp::Floor(floor) => chain.floor(floor),
        SampleOp::InPlace(function) => chain.in_place(function, node.spec.chain_curve()),
        SampleOp::Same | SampleOp::Dropout(_) => Some(chain),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    network! { struct Straight: [2, 8] -> [3] { Flatten -> Dense(7) -> Tanh -> Dropout(0.5) -> Dense(3) -> Softmax } }
    network! { struct Curves: [4] -> [2] { Dense(5) -> Elu(alpha = 0.5) -> Dense(40) -> Sigmoid -> Dense(2) } }
    network! { struct Joined: [4] -> [4] { let y = input -> Dense(4); (input, y) -> Sum } }
    network! { struct Normed: [4] -> [4] { LayerNorm -> Dense(4) } }
    network! { struct PerStep: [4, 3] -> [4, 2] { DensePerStep(2) } }
    network! { struct Flat: [4, 3] -> [12] { Flatten } }

    #[test]
    fn a_chain_is_found() {
        // Two products, with the curve after the first within, and a function.
        let chain = Chain::of(Straight::COMPILED).expect("it is one");
        assert_eq!((chain.0.steps(), chain.memory()), (3, 2 * 16));
        let chain = Chain::of(Curves::COMPILED).expect("it is one");
        assert_eq!((chain.0.steps(), chain.memory()), (3, 2 * 48));
        for other in [Joined::COMPILED, Normed::COMPILED, PerStep::COMPILED, Flat::COMPILED] {
            assert!(Chain::of(other).is_none(), "{}", other.name);
        }
    }
}
