//! An ONNX graph while it is written: nodes, initialisers, names; and its bytes. In: operators; out: a file.
//! It knows no layer.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::protobuf::WireMessage;
use crate::shape::Shape;

/// The lowest version of the operators that has all that are written here; IR 8 belongs to it.
pub(super) const OPSET: i64 = 18;
const IR_VERSION: i64 = 8;

/// The types of elements.
const FLOAT: i64 = 1;
const INT64: i64 = 7;
const BOOL: i64 = 9;

#[derive(Clone, Debug)]
pub(super) enum Attribute {
    Int(i64),
    Float(f32),
    Text(&'static str),
    Texts(Vec<&'static str>),
    Ints(Vec<i64>),
}

struct OnnxNode {
    operator: &'static str,
    name: String,
    inputs: Vec<String>,
    outputs: Vec<String>,
    attributes: Vec<(&'static str, Attribute)>,
}

pub(super) enum Elements {
    Floats(Vec<f32>),
    Ints(Vec<i64>),
    Bools(Vec<bool>),
}

struct Initializer {
    name: String,
    dims: Vec<usize>,
    numbers: Elements,
}

/// Its values have names; an empty name is an input that is left out.
#[derive(Default)]
pub(super) struct OnnxGraph {
    nodes: Vec<OnnxNode>,
    initializers: Vec<Initializer>,
    names: BTreeSet<String>,
}

impl OnnxGraph {
    /// The name itself, or with a number behind it where it is taken; it is taken from now on.
    pub(super) fn fresh(&mut self, name: &str) -> String {
        let mut free = name.to_string();
        let mut number = 2;
        while !self.names.insert(free.clone()) {
            free = format!("{name}_{number}");
            number += 1;
        }
        free
    }

    /// Adds a node with so many outputs, and gives their names.
    pub(super) fn node(
        &mut self,
        site: &str,
        operator: &'static str,
        inputs: &[&str],
        outputs: usize,
        attributes: &[(&'static str, Attribute)],
    ) -> Vec<String> {
        let name = self.fresh(&format!("{site}/{operator}"));
        let outputs: Vec<String> = match outputs {
            1 => [name.clone()].into(),
            _ => (0..outputs).map(|k| self.fresh(&format!("{name}.{k}"))).collect(),
        };
        let inputs = inputs.iter().map(|input| input.to_string()).collect();
        let (given, attributes) = (outputs.clone(), attributes.to_vec());
        self.nodes.push(OnnxNode { operator, name, inputs, outputs, attributes });
        given
    }

    /// The initialiser of this name, which is made where it is not there yet: parameters may be shared.
    pub(super) fn initializer(&mut self, name: &str, make: impl FnOnce() -> (Vec<usize>, Elements)) -> String {
        if self.initializers.iter().all(|other| other.name != name) {
            self.names.insert(name.to_string());
            let (dims, numbers) = make();
            self.initializers.push(Initializer { name: name.to_string(), dims, numbers });
        }
        name.to_string()
    }

    /// A constant of this site, under a name of its own.
    pub(super) fn constant(&mut self, site: &str, what: &str, dims: &[usize], numbers: Elements) -> String {
        let name = self.fresh(&format!("{site}/{what}"));
        self.initializers.push(Initializer { name: name.clone(), dims: dims.to_vec(), numbers });
        name
    }

    /// Calls a value `name` from now on, where it is made and where it is read.
    fn rename(&mut self, value: &str, name: &str) {
        for node in &mut self.nodes {
            let both = node.inputs.iter_mut().chain(&mut node.outputs);
            both.filter(|other| *other == value).for_each(|other| *other = name.to_string());
        }
    }

    /// The values that leave the graph get their declared names, where these are free; the names they have
    /// then.
    pub(super) fn outputs(&mut self, site: &str, values: &[String], names: &[&str]) -> Vec<String> {
        let mut given: Vec<String> = Vec::new();
        for (value, name) in values.iter().zip(names) {
            let name = self.fresh(name);
            let made = self.nodes.iter().any(|node| node.outputs.contains(value)) && !given.contains(value);
            if made {
                self.rename(value, &name);
            } else {
                // An input that leaves as it came, or a value that leaves twice.
                let copy = self.node(site, "Identity", &[value], 1, &[]).remove(0);
                self.rename(&copy, &name);
            }
            given.push(name);
        }
        given
    }

    /// The file, with a batch of any size as the first dimension of every input and output.
    pub(super) fn to_bytes(&self, name: &str, inputs: &[(String, Shape)], outputs: &[(String, Shape)]) -> Vec<u8> {
        let mut model = WireMessage::default();
        model.int(1, IR_VERSION);
        model.text(2, "nn-runtime");
        model.text(3, env!("CARGO_PKG_VERSION"));
        model.message(7, |graph| {
            self.nodes.iter().for_each(|node| graph.message(1, |to| node.write(to)));
            graph.text(2, name);
            self.initializers.iter().for_each(|one| graph.message(5, |to| one.write(to)));
            inputs.iter().for_each(|port| graph.message(11, |to| write_port(to, port)));
            outputs.iter().for_each(|port| graph.message(12, |to| write_port(to, port)));
        });
        model.message(8, |opset| {
            opset.text(1, "");
            opset.int(2, OPSET);
        });
        model.bytes
    }
}

impl OnnxNode {
    fn write(&self, to: &mut WireMessage) {
        self.inputs.iter().for_each(|name| to.text(1, name));
        self.outputs.iter().for_each(|name| to.text(2, name));
        to.text(3, &self.name);
        to.text(4, self.operator);
        for (name, attribute) in &self.attributes {
            to.message(5, |to| {
                to.text(1, name);
                match attribute {
                    Attribute::Float(value) => {
                        to.float(2, *value);
                        to.int(20, 1);
                    }
                    Attribute::Int(value) => {
                        to.int(3, *value);
                        to.int(20, 2);
                    }
                    Attribute::Text(value) => {
                        to.text(4, value);
                        to.int(20, 3);
                    }
                    Attribute::Texts(values) => {
                        values.iter().for_each(|value| to.text(9, value));
                        to.int(20, 8);
                    }
                    Attribute::Ints(values) => {
                        values.iter().for_each(|value| to.int(8, *value));
                        to.int(20, 7);
                    }
                }
            });
        }
    }
}

impl Initializer {
    fn write(&self, to: &mut WireMessage) {
        self.dims.iter().for_each(|dim| to.int(1, *dim as i64));
        let number_type = match &self.numbers {
            Elements::Floats(_) => FLOAT,
            Elements::Ints(_) => INT64,
            Elements::Bools(_) => BOOL,
        };
        to.int(2, number_type);
        to.text(8, &self.name);
        match &self.numbers {
            Elements::Floats(values) => {
                to.data(9, 4 * values.len(), |to| values.iter().for_each(|x| to.extend_from_slice(&x.to_le_bytes())));
            }
            Elements::Ints(values) => {
                to.data(9, 8 * values.len(), |to| values.iter().for_each(|x| to.extend_from_slice(&x.to_le_bytes())));
            }
            Elements::Bools(values) => to.data(9, values.len(), |to| to.extend(values.iter().map(|x| u8::from(*x)))),
        }
    }
}

/// An input or output: `[batch, …]` of floats.
fn write_port(to: &mut WireMessage, (name, shape): &(String, Shape)) {
    to.text(1, name);
    to.message(2, |to| {
        to.message(1, |to| {
            to.int(1, FLOAT);
            to.message(2, |to| {
                to.message(1, |dim| dim.text(2, "batch"));
                shape.as_slice().iter().for_each(|size| to.message(1, |dim| dim.int(1, *size as i64)));
            });
        });
    });
}
