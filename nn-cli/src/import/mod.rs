//! A model of another tool as a declaration and its weights. In: a file's bytes; out: source text that you
//! own, and safetensors that go with it. It follows the graph: names of initialisers are read for labels
//! alone.

mod audio;
mod constants;
mod expr;
mod graph;
mod keras;
mod labels;
mod network;
mod operators;
mod safetensors;
mod shown;
mod view;
mod write;

use crate::kind::Kind;
use crate::onnx::{Damage, Model, Tensor};

/// A network that was read.
pub struct Imported {
    /// What it is called.
    pub name: String,
    /// The declaration, with the formulas it needs.
    pub declaration: String,
    /// The weights, as safetensors.
    pub weights: Vec<u8>,
    /// What was left out, and what else to know, in sentences.
    pub notes: Vec<String>,
}

/// Bytes of another file, in which the numbers of a large model lie: its name, where they begin, how many.
pub type Fetch<'f> = dyn Fn(&str, u64, usize) -> Result<Vec<u8>, String> + 'f;

/// Reads a file of ONNX, Keras, Neural Amp Modeler or RTNeural as a network of this name, followed by `Net`
/// where a layer of it, or one of its arguments, is called so.
///
/// # Errors
/// The file is damaged, or a node is no layer: its name, what it computes, and the nearest layer.
pub fn import(bytes: &[u8], name: &str, fetch: &Fetch) -> Result<Imported, Damage> {
    let (mut network, notes) = match Kind::of(bytes) {
        Kind::Other => onnx(bytes, fetch)?,
        Kind::Keras | Kind::Hdf5 => keras::read(bytes).map_err(Damage::saying)?,
        Kind::Json => audio::read(bytes).map_err(Damage::saying)?,
        kind => {
            let (found, help) = (kind.name(), kind.to_onnx());
            return Err(Damage::saying(format!("expected a model of ONNX or Keras, found {found}\nhelp: {help}")));
        }
    };
    operators::finish(&mut network);
    network.keep_needed();
    labels::label(&mut network);
    let weights = safetensors::write(&network);
    let name = network.free_name(name);
    Ok(Imported { declaration: write::declaration(&network, &name), name, weights, notes })
}

fn onnx(bytes: &[u8], fetch: &Fetch) -> Result<(network::Network, Vec<String>), Damage> {
    let model = Model::read(bytes)?;
    let fetch = |file: &str, at: u64, len: usize| fetch(file, at, len).map_err(Damage::saying);
    // What lies in other files counts too: no more is read there than is there.
    let beside: usize = model.graph.initializers.iter().map(Tensor::external_len).sum();
    graph::read(&model, bytes.len().saturating_add(beside), &fetch, operators::node)
}
