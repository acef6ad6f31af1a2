//! What is in a file, as text: of an ONNX file its ports, its nodes with their attributes, its parameters; of
//! safetensors its tensors. In: bytes; out: text. It judges nothing.

use std::fmt::Write;

use crate::onnx::{Attribute, Damage, Dim, Elements, Model, Node, Port, Tensor};

/// The text for an ONNX file.
///
/// # Errors
/// The bytes are no ONNX file.
pub fn onnx(bytes: &[u8]) -> Result<String, Damage> {
    let model = Model::read(bytes)?;
    let graph = &model.graph;
    let mut text = String::new();
    let mut line = |line: String| writeln!(text, "{line}").expect("text takes text");
    let opsets: Vec<String> = model.opsets.iter().map(|(domain, version)| opset(domain, *version)).collect();
    line(format!("{} (opset {}, IR {})", graph.name, opsets.join(", "), model.ir_version));
    graph.inputs.iter().for_each(|one| line(format!("input {}", port(one))));
    graph.nodes.iter().for_each(|one| line(node(one)));
    graph.outputs.iter().for_each(|one| line(format!("output {}", port(one))));
    graph.initializers.iter().for_each(|one| line(tensor(one)));
    Ok(text)
}

fn opset(domain: &str, version: i64) -> String {
    if domain.is_empty() { version.to_string() } else { format!("{domain} {version}") }
}

fn port(port: &Port) -> String {
    let dims = port.dims.iter().map(|dim| match dim {
        Dim::Size(size) => size.to_string(),
        Dim::Named("") => "?".to_owned(),
        Dim::Named(name) => (*name).to_owned(),
    });
    let dims: Vec<String> = dims.collect();
    let kind = if port.element == 1 { "" } else { " whole" };
    format!("{} [{}]{kind}", port.name, dims.join(", "))
}

/// `y = Gemm(x, w, transB = 1)`
fn node(node: &Node) -> String {
    let mut inside: Vec<String> =
        node.inputs.iter().map(|name| if name.is_empty() { "-" } else { name }.into()).collect();
    inside.extend(node.attributes.iter().map(|(name, value)| format!("{name} = {}", attribute(value))));
    let domain = if node.domain.is_empty() { String::new() } else { format!("{}.", node.domain) };
    format!("{} = {domain}{}({})", node.outputs.join(", "), node.operator, inside.join(", "))
}

fn attribute(value: &Attribute) -> String {
    match value {
        Attribute::Float(value) => format!("{value:?}"),
        Attribute::Int(value) => value.to_string(),
        Attribute::Text(text) => format!("{text:?}"),
        Attribute::Floats(values) => format!("{values:?}"),
        Attribute::Ints(values) => format!("{values:?}"),
        Attribute::Texts(texts) => format!("{texts:?}"),
        Attribute::Tensor(value) => tensor(value),
        Attribute::Other => "…".to_owned(),
    }
}

/// How many numbers of a tensor are shown.
const SHOWN: usize = 4;

/// A tensor, with its numbers where they are few and whole, as shapes and axes are, or the first of them.
fn tensor(tensor: &Tensor) -> String {
    let nowhere = |_: &str, _, _| Err(Damage::new("numbers within the file"));
    let numbers = match &tensor.elements {
        Elements::External { file, .. } => format!(" in {file}"),
        _ if tensor.is_whole() && tensor.count().is_ok_and(|count| count <= 2 * SHOWN) => {
            tensor.to_ints(&nowhere).map_or(String::new(), |values| format!(" = {values:?}"))
        }
        _ => tensor.to_floats(&nowhere).map_or(String::new(), |values| first(&values)),
    };
    format!("{}: {} {:?}{numbers}", tensor.name, tensor.type_name(), tensor.dims)
}

fn first(values: &[f32]) -> String {
    let shown: Vec<String> = values.iter().take(SHOWN).map(|value| format!("{value:?}")).collect();
    format!(" = [{}{}]", shown.join(", "), if values.len() > SHOWN { ", …" } else { "" })
}
