//! The table of a network's parameters: names, shapes, places. In: a `CompiledNetwork`; out: one visit for
//! each tensor, networks within networks included. Counting, drawing, saving and comparing all walk this one
//! table.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::Range;

use crate::graph::{CompiledNetwork, Node};
use crate::init::Init;
use crate::shape::Shape;
use crate::spec::{Layout, Param, Role, is_spread};

/// One parameter tensor of a network.
#[derive(Clone, Debug)]
pub struct Tensor {
    /// `block.0.conv1.weight`
    pub name: String,
    /// In the field's standard layout: `[outputs, inputs]` for a dense weight.
    pub shape: Shape,
    /// What it is for.
    pub role: Role,
    /// No step changes it.
    pub frozen: bool,
    pub(crate) init: Init,
    /// How many inputs and outputs its distribution is scaled by.
    pub(crate) fans: [usize; 2],
    /// Where in the model's block the numbers of it lie that no step changes.
    pub(crate) fixed: Range<usize>,
    pub(crate) layout: Layout,
    /// Where it begins within the model's block.
    pub(crate) offset: usize,
    /// Floats in storage.
    pub(crate) len: usize,
}

impl Tensor {
    /// How many numbers it has, as the field counts them.
    pub fn count(&self) -> usize {
        self.shape.len()
    }

    /// The first of these numbers, row-major, that no model may have, in words.
    pub(crate) fn fault(&self, values: &[f32]) -> Option<String> {
        let spread = is_spread(self.role, self.name.rsplit('.').next().unwrap_or_default());
        let at = values.iter().position(|value| !value.is_finite() || spread && *value < 0.0)?;
        let expected = match values[at].is_finite() {
            true => "a number of at least 0, as a variance or deviation is",
            false => "a finite number",
        };
        Some(format!("`{}`, element {at}: expected {expected}, found {}", self.name, values[at]))
    }

    /// Copies the tensor from a model's block to row-major numbers in its standard shape.
    pub(crate) fn read(&self, block: &[f32], to: &mut [f32]) {
        self.layout.read(&block[self.offset..self.offset + self.len], to);
    }

    /// Copies row-major numbers into a model's block.
    pub(crate) fn write(&self, from: &[f32], block: &mut [f32]) {
        let stored = &mut block[self.offset..self.offset + self.len];
        match self.layout {
            Layout::Plain => stored.copy_from_slice(from),
            Layout::Panels(panels) => panels.pack(from, stored),
        }
    }
}

/// All parameter tensors of a network, in the order of its sites.
pub(crate) fn tensors(network: &'static CompiledNetwork) -> Vec<Tensor> {
    let mut all = Vec::new();
    visit(network, "", 0, false, &mut all);
    all
}

/// How many numbers a network has.
pub(crate) fn count(network: &'static CompiledNetwork) -> usize {
    tensors(network).iter().map(Tensor::count).sum()
}

/// A network used as a layer, at its place.
pub(crate) struct Within {
    pub(crate) name: String,
    pub(crate) network: &'static CompiledNetwork,
    /// Where its parameters begin within the model's block.
    pub(crate) offset: usize,
}

/// All networks within a network, each before those within it.
pub(crate) fn networks(network: &'static CompiledNetwork) -> Vec<Within> {
    let mut all = Vec::new();
    visit_networks(network, "", 0, &mut all);
    all
}

fn visit_networks(network: &'static CompiledNetwork, prefix: &str, base: usize, all: &mut Vec<Within>) {
    for node in network.nodes.iter().filter(|node| node.shares.is_none()) {
        let Some(inner) = node.network.map(|network| network()) else { continue };
        for (name, offset) in copies(node, prefix, base) {
            let within = format!("{name}.");
            all.push(Within { name, network: inner, offset });
            visit_networks(inner, &within, offset, all);
        }
    }
}

/// The name and the place of a node's parameters; of each copy where it is repeated.
fn copies(node: &Node, prefix: &str, base: usize) -> impl Iterator<Item = (String, usize)> {
    let (times, each) = (node.spec.times, node.spec.params.len / node.spec.times);
    (0..times).map(move |copy| {
        let name = match times {
            1 => format!("{prefix}{}", node.name),
            _ => format!("{prefix}{}.{copy}", node.name),
        };
        (name, base + node.params + copy * each)
    })
}

/// True if two networks have the same name and the same parameters.
pub(crate) fn same(a: &'static CompiledNetwork, b: &'static CompiledNetwork) -> bool {
    let table = |network| tensors(network).into_iter().map(|tensor| (tensor.name, tensor.shape, tensor.offset));
    a.name == b.name && a.params_len == b.params_len && table(a).eq(table(b))
}

fn visit(network: &'static CompiledNetwork, prefix: &str, base: usize, frozen: bool, all: &mut Vec<Tensor>) {
    for node in network.nodes.iter().filter(|node| node.shares.is_none()) {
        let spec = node.spec;
        let frozen = frozen || node.frozen;
        for (name, base) in copies(node, prefix, base) {
            match node.network.map(|network| network()) {
                Some(inner) => visit(inner, &format!("{name}."), base, frozen, all),
                None => all.extend(spec.params.list().iter().map(|param| tensor(param, &name, base, frozen))),
            }
        }
    }
}

fn tensor(param: &Param, site: &str, base: usize, frozen: bool) -> Tensor {
    Tensor {
        name: if param.name.is_empty() { site.to_string() } else { format!("{site}.{}", param.name) },
        shape: param.shape,
        role: param.role,
        frozen: frozen || param.role == Role::Constant,
        init: param.init,
        fans: param.fans,
        fixed: base + param.offset + param.fixed[0]..base + param.offset + param.fixed[0] + param.fixed[1],
        layout: param.layout,
        offset: base + param.offset,
        len: param.len,
    }
}
