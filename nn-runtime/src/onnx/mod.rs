//! A model as an ONNX file, for runtimes that are not this one. In: the compiled network, which says of each
//! layer what it is in ONNX, and the parameters; out: bytes. What cannot be said stops the build.

mod forms;
mod graph;
mod protobuf;
mod site;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::fault::Text;
use crate::graph::{CompiledNetwork, Node};
use crate::model::{Model, Network};
use graph::OnnxGraph;
use site::OnnxSite;

/// What a file holds at most, less room for the graph.
const MOST_FLOATS: usize = ((1 << 31) - (1 << 24)) / 4;

impl<N: Network> Model<N> {
    /// The model as an [ONNX](https://onnx.ai) file that predicts what [`predictor`](Model::predictor) does:
    /// opset 18, IR version 8, weights inside, a batch of any size.
    ///
    /// Inputs and outputs are called as in the declaration (`input` and `output` where it gives no names),
    /// and are `[batch, …]` of floats, token ids too. Parameters keep their names and layouts
    /// (`head.weight`), but for those of recurrent layers, whose gates ONNX has in another order; a node is
    /// called after its layer (`block.0.conv1/Conv`). Formulas of one's own become operators.
    ///
    /// Dropout is left out, and batch normalisation uses the running statistics. An id outside of the
    /// vocabulary, for which an `Embedding` gives zeros, is an error in most runtimes.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! {
    ///     pub struct Digits: [1, 28, 28] -> [10] { Flatten -> hidden: Dense(16) -> Relu -> head: Dense(10) }
    /// }
    /// let bytes = Digits::init(7).to_onnx();
    /// assert!(bytes.len() > 4 * Digits::param_count());
    /// ```
    ///
    /// # Panics
    /// Never at run time. A layer that does not say what it is in ONNX, as one of your own, stops the build
    /// here, as do more parameters than the format's 2 GB hold:
    ///
    /// ```compile_fail
    /// use nn_runtime::prelude::*;
    /// use nn_runtime::{Layer, LayerContext, LayerSpec, Rule, Shape};
    ///
    /// #[derive(Clone, Copy)]
    /// pub struct Own;
    /// impl Own {
    ///     pub const fn new() -> Self {
    ///         Own
    ///     }
    ///     pub const fn rule(&self, [x]: [Shape; 1]) -> Rule {
    ///         LayerSpec::output(x).ok()
    ///     }
    /// }
    /// impl Layer for Own {
    ///     fn forward(&self, _: &mut LayerContext, [x]: [&[f32]; 1], [y]: [&mut [f32]; 1]) {
    ///         y.copy_from_slice(x);
    ///     }
    ///     fn backward_input(
    ///         &self,
    ///         _: &mut LayerContext,
    ///         _: [&[f32]; 1],
    ///         _: [&[f32]; 1],
    ///         [dy]: [&[f32]; 1],
    ///         [dx]: [&mut [f32]; 1],
    ///     ) {
    ///         dx.copy_from_slice(dy);
    ///     }
    /// }
    ///
    /// network! { pub struct Net: [2] -> [2] { Own } }
    /// Net::init(0).to_onnx(); // `own_1`: expected a layer that ONNX can say …
    /// ```
    pub fn to_onnx(&self) -> Vec<u8> {
        const { check(N::COMPILED) };
        write(N::COMPILED, &self.params)
    }

    /// Writes [`to_onnx`](Model::to_onnx) to a file. The file that was there before stays whole until the new
    /// one takes its place, as by [`save`](Model::save).
    ///
    /// # Errors
    /// The file cannot be written; a file that was there before is left as it was.
    ///
    /// # Panics
    /// Never at run time; see [`to_onnx`](Model::to_onnx) for what stops the build.
    #[cfg(feature = "std")]
    pub fn save_onnx(&self, path: impl AsRef<std::path::Path>) -> Result<(), crate::WeightsError> {
        crate::files::save_bytes(path.as_ref(), &self.to_onnx())
    }
}

/// Stops the build where the network cannot be written.
const fn check(network: &CompiledNetwork) {
    if network.params_len > MOST_FLOATS {
        let text: Text =
            Text::EMPTY.str("`").str(network.name).str("`: expected at most 2 GB of parameters, as an ONNX ");
        let text = text.str("file holds, found ").num(network.params_len).str(" numbers");
        panic!("{}", text.as_str());
    }
    if let Some(name) = network.nested.unsaid {
        let text: Text = Text::EMPTY.str("`").str(name).str("`: expected a layer that ONNX can say, found one ");
        let text = text.str("whose rule does not tell its operators\nhelp: write it as layers and formulas that are ");
        panic!("{}", text.str("there, such as `activation!`, or export the networks around it").as_str());
    }
}

fn write(network: &'static CompiledNetwork, params: &[f32]) -> Vec<u8> {
    let mut graph = OnnxGraph::default();
    let [inputs, outputs] = network.names;
    let inputs: Vec<String> = inputs.iter().map(|name| graph.fresh(name)).collect();
    let results = write_network(&mut graph, network, "", params, &inputs);
    let results = graph.outputs("output", &results, outputs);
    let ports =
        |names: Vec<String>, shapes: &[_]| -> Vec<_> { names.into_iter().zip(shapes.iter().copied()).collect() };
    graph.to_bytes(network.name, &ports(inputs, network.inputs), &ports(results, network.outputs))
}

/// Writes the nodes of a network whose inputs have these names; those of its outputs.
fn write_network(
    graph: &mut OnnxGraph,
    network: &'static CompiledNetwork,
    prefix: &str,
    params: &[f32],
    inputs: &[String],
) -> Vec<String> {
    let mut values = inputs.to_vec();
    for node in network.nodes {
        let mut x: Vec<String> = node.x[..node.n].iter().map(|x| values[*x].clone()).collect();
        let owner = node.shares.map_or(node.name, |earlier| owner_of(network, earlier).name);
        let (times, each) = (node.spec.times, node.spec.params.len / node.spec.times);
        for copy in 0..times {
            let path = |name: &str| match times {
                1 => format!("{prefix}{name}"),
                _ => format!("{prefix}{name}.{copy}"),
            };
            let block = &params[node.params + copy * each..][..each];
            x = match node.network {
                Some(inner) => write_network(graph, inner(), &format!("{}.", path(owner)), block, &x),
                None => {
                    let (path, owner) = (path(node.name), path(owner));
                    let site = OnnxSite { graph: &mut *graph, spec: node.spec, path, owner, x, block };
                    forms::write(site)
                }
            };
        }
        values.extend(x);
    }
    network.output_values[..network.outputs.len()].iter().map(|value| values[*value].clone()).collect()
}

/// The node whose parameters these are.
fn owner_of(network: &'static CompiledNetwork, node: usize) -> &'static Node {
    match network.nodes[node].shares {
        Some(earlier) => owner_of(network, earlier),
        None => &network.nodes[node],
    }
}
