//! A network as a graph, to be drawn: Mermaid and Graphviz. In: a `CompiledNetwork`; out: text. It computes
//! nothing that is not known at compile time.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::graph::CompiledNetwork;
use crate::shape::Shape;
use crate::summary::{Summary, grouped};

/// What both languages draw: vertices and arrows.
pub(crate) struct Diagram {
    name: &'static str,
    vertices: Vec<Vertex>,
    arrows: Vec<Arrow>,
}

struct Vertex {
    /// What arrows call it.
    id: String,
    lines: Vec<String>,
    /// An input or an output.
    end: bool,
}

struct Arrow {
    from: String,
    to: String,
    shape: Shape,
}

impl Diagram {
    pub(crate) fn of(network: &'static CompiledNetwork) -> Diagram {
        let summary = Summary::of(network);
        // By value: who wrote it, and its shape.
        let mut values: Vec<(String, Shape)> = Vec::new();
        let (mut vertices, mut arrows) = (Vec::new(), Vec::new());
        let numbered = |what: &str, k: usize, all: usize| match all {
            1 => what.to_string(),
            _ => format!("{what} {k}"),
        };
        for (k, shape) in network.inputs.iter().enumerate() {
            let (id, line) = (format!("input{k}"), numbered("input", k, network.inputs.len()));
            values.push((id.clone(), *shape));
            vertices.push(Vertex { id, lines: Vec::from([line]), end: true });
        }
        for (i, (node, layer)) in network.nodes.iter().zip(summary.layers()).enumerate() {
            let id = format!("layer{i}");
            let times = if node.spec.times > 1 { format!(" × {}", node.spec.times) } else { String::new() };
            let mut lines = Vec::from([format!("{}{times}", layer.name)]);
            let within = node.network.map(|network| network().name).filter(|name| *name != layer.name);
            lines.extend(within.map(String::from));
            match &layer.shares {
                Some(other) => lines.push(format!("parameters of {other}")),
                None if layer.parameters > 0 => {
                    let frozen = if layer.learnt == 0 { ", frozen" } else { "" };
                    let s = if layer.parameters == 1 { "" } else { "s" };
                    lines.push(format!("{} parameter{s}{frozen}", grouped(layer.parameters)));
                }
                None => {}
            }
            for &value in &node.x[..node.n] {
                let (from, shape) = values[value].clone();
                arrows.push(Arrow { from, to: id.clone(), shape });
            }
            values.truncate(node.y);
            values.extend(layer.outputs.iter().map(|shape| (id.clone(), *shape)));
            vertices.push(Vertex { id, lines, end: false });
        }
        for (k, &value) in network.output_values[..network.outputs.len()].iter().enumerate() {
            // A declaration with errors has no values.
            let Some((from, shape)) = values.get(value).cloned() else { continue };
            let (id, line) = (format!("output{k}"), numbered("output", k, network.outputs.len()));
            arrows.push(Arrow { from, to: id.clone(), shape });
            vertices.push(Vertex { id, lines: Vec::from([line]), end: true });
        }
        Diagram { name: network.name, vertices, arrows }
    }

    pub(crate) fn mermaid(&self) -> String {
        let mut text = format!("---\ntitle: {}\n---\nflowchart TD\n", self.name);
        for Vertex { id, lines, end } in &self.vertices {
            let (open, close) = if *end { ("([", "])") } else { ("[", "]") };
            text += &format!("    {id}{open}\"{}\"{close}\n", lines.join("<br>"));
        }
        for Arrow { from, to, shape } in &self.arrows {
            text += &format!("    {from} -->|\"{shape}\"| {to}\n");
        }
        text
    }

    pub(crate) fn dot(&self) -> String {
        let mut text = format!("digraph {} {{\n    node [fontname=\"sans-serif\"];\n", self.name);
        text += "    edge [fontname=\"sans-serif\", fontsize=10];\n";
        for Vertex { id, lines, end } in &self.vertices {
            let shape = if *end { "ellipse" } else { "box" };
            text += &format!("    {id} [shape={shape}, label=\"{}\"];\n", lines.join("\\n"));
        }
        for Arrow { from, to, shape } in &self.arrows {
            text += &format!("    {from} -> {to} [label=\" {shape}\"];\n");
        }
        text + "}\n"
    }
}

#[cfg(test)]
mod tests {
    use crate::prelude::*;

    network! { struct Block: [4] -> [4] { Dense(4) -> Tanh } }
    network! {
        struct Net: (a: [3], b: [3]) -> (sum: [4], own: [4]) {
            let left = a -> first: Dense(4);
            let right = b -> share(first);
            let deep = right -> frozen block: Block * 2;
            let sum = (left, deep) -> Sum;
            let own = right -> Tanh;
        }
    }

    #[test]
    fn every_layer_is_a_vertex_and_every_value_that_is_read_an_arrow() {
        let mermaid = Net::mermaid();
        let truth = "---\ntitle: Net\n---\nflowchart TD\n    \
            input0([\"input 0\"])\n    input1([\"input 1\"])\n    \
            layer0[\"first<br>16 parameters\"]\n    \
            layer1[\"dense_1<br>parameters of first\"]\n    \
            layer2[\"block × 2<br>Block<br>40 parameters, frozen\"]\n    \
            layer3[\"sum_1\"]\n    layer4[\"tanh_1\"]\n    \
            output0([\"output 0\"])\n    output1([\"output 1\"])\n    \
            input0 -->|\"[3]\"| layer0\n    input1 -->|\"[3]\"| layer1\n    \
            layer1 -->|\"[4]\"| layer2\n    \
            layer0 -->|\"[4]\"| layer3\n    layer2 -->|\"[4]\"| layer3\n    \
            layer1 -->|\"[4]\"| layer4\n    \
            layer3 -->|\"[4]\"| output0\n    layer4 -->|\"[4]\"| output1\n";
        assert_eq!(mermaid, truth);
        let dot = Net::dot();
        assert!(dot.starts_with("digraph Net {\n") && dot.ends_with("}\n"));
        let count = |text: &str, of: &str| text.matches(of).count();
        assert_eq!(count(&dot, " -> "), count(&mermaid, " -->|"));
        assert_eq!(count(&dot, "shape="), count(&mermaid, "[\""));
        assert!(dot.contains("layer2 [shape=box, label=\"block × 2\\nBlock\\n40 parameters, frozen\"];"), "{dot}");
        assert!(dot.contains("    layer1 -> layer4 [label=\" [4]\"];"), "{dot}");
    }
}
