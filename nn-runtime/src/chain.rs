//! A network that is a chain of products and functions, as it predicts for one sample. In: a network, once;
//! parameters and a sample; out: its prediction, with the bits that a pass would give it. Everything that a
//! pass looks up or checks for each layer is settled when the chain is made, which is most of what a network
//! of a few thousand parameters takes.

use alloc::vec::Vec;
use core::ops::Range;

use crate::graph::{CompiledNetwork, Node};
use crate::spec::{InPlace, SampleOp, lines};
use nn_kernels::matrix::{Panels, product_of_one};
use nn_kernels::simd::Isa;

/// A chain of stages, each from one buffer into another.
pub(crate) struct Chain {
    stages: Vec<Stage>,
    /// Of all stages, one after the other.
    functions: Vec<InPlace>,
    /// Floats of each of the two buffers between stages.
    between: usize,
}

/// A product, or a copy, and the functions after it.
struct Stage {
    product: Option<StageProduct>,
    functions: Range<usize>,
    inputs: usize,
    outputs: usize,
}

/// A matrix and a bias among the network's parameters.
struct StageProduct {
    panels: Panels,
    weight: Range<usize>,
    bias: Option<Range<usize>>,
    floor: f32,
}

impl Chain {
    /// None where the network is no such chain.
    pub(crate) fn of(network: &'static CompiledNetwork) -> Option<Chain> {
        let last = network.infer.node_plan.last()?;
        let one = network.inputs.len() == 1 && network.outputs.len() == 1;
        let output_is_last = last.y[0].is_output() && network.infer.copies.iter().all(Option::is_none);
        if !one || !output_is_last {
            return None;
        }
        let mut chain = Chain { stages: Vec::new(), functions: Vec::new(), between: 0 };
        for (i, node) in network.nodes.iter().enumerate() {
            // Values are numbered from the input on.
            if node.n != 1 || node.x[0] != i || node.y != i + 1 || node.spec.output_shapes().len() != 1 {
                return None;
            }
            chain.push(node, node.spec.sample_op()?);
        }
        Some(chain)
    }

    fn push(&mut self, node: &Node, op: SampleOp) {
        let (inputs, outputs) = (node.spec.shapes.inputs[0].len(), node.spec.output_shapes()[0].len());
        let functions = self.functions.len()..self.functions.len();
        if let SampleOp::Product(panels) = op {
            let first = node.params;
            let at = |i: usize| {
                let param = node.spec.params.list().get(i)?;
                Some(first + param.offset..first + param.offset + param.len)
            };
            let weight = at(0).expect("a product has a matrix");
            let product = StageProduct { panels, weight, bias: at(1), floor: f32::NEG_INFINITY };
            self.between = self.between.max(lines(if self.stages.is_empty() { 0 } else { inputs }));
            return self.stages.push(Stage { product: Some(product), functions, inputs, outputs });
        }
        if self.stages.is_empty() {
            self.stages.push(Stage { product: None, functions, inputs, outputs });
        }
        let stage = self.stages.last_mut().expect("one has just been put there");
        match (op, &mut stage.product) {
            (SampleOp::InPlace(function), _) => self.functions.push(function),
            (SampleOp::Floor(floor), Some(product)) if stage.functions.is_empty() => {
                product.floor = product.floor.max(floor);
            }
            (SampleOp::Floor(floor), _) => self.functions.push(InPlace::floor(floor)),
            (SampleOp::Same | SampleOp::Product(_), _) => {}
        }
        stage.functions.end = self.functions.len();
        stage.outputs = outputs;
    }

    /// Floats of memory that [`run`](Chain::run) needs.
    pub(crate) fn memory(&self) -> usize {
        2 * self.between
    }

    /// Predicts for one sample.
    pub(crate) fn run(&self, isa: Isa, params: &[f32], x: &[f32], y: &mut [f32], memory: &mut [f32]) {
        let (mut from, mut to) = memory[..2 * self.between].split_at_mut(self.between);
        let last = self.stages.len() - 1;
        for (i, stage) in self.stages.iter().enumerate() {
            let x = if i == 0 { x } else { &from[..stage.inputs] };
            let y = if i == last { &mut *y } else { &mut to[..stage.outputs] };
            match &stage.product {
                Some(StageProduct { panels, weight, bias, floor }) => {
                    let bias = bias.as_ref().map(|bias| &params[bias.clone()]);
                    product_of_one(isa, *panels, x, &params[weight.clone()], bias, *floor, y);
                }
                None => y.copy_from_slice(x),
            }
            for function in &self.functions[stage.functions.clone()] {
                function.apply(isa, y);
            }
            core::mem::swap(&mut from, &mut to);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    network! { struct Straight: [2, 8] -> [3] { Flatten -> Dense(7) -> Tanh -> Dropout(0.5) -> Dense(3) -> Softmax } }
    network! { struct Joined: [4] -> [4] { let y = input -> Dense(4); (input, y) -> Sum } }
    network! { struct Normed: [4] -> [4] { LayerNorm -> Dense(4) } }
    network! { struct PerStep: [4, 3] -> [4, 2] { DensePerStep(2) } }

    #[test]
    fn a_chain_is_found() {
        let chain = Chain::of(Straight::COMPILED).expect("it is one");
        assert_eq!((chain.stages.len(), chain.functions.len(), chain.between), (3, 2, 16));
        for other in [Joined::COMPILED, Normed::COMPILED, PerStep::COMPILED] {
            assert!(Chain::of(other).is_none(), "{}", other.name);
        }
    }
}
