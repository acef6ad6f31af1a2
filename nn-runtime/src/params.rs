//! The table of a network's parameters: names, shapes, places. In: a `CompiledNetwork`; out: one visit for
//! each tensor, networks within networks included. Counting, drawing, saving, comparing and training all walk
//! this one table.

#[cfg(feature = "alloc")]
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;
use core::ops::Range;

use crate::graph::CompiledNetwork;
#[cfg(feature = "alloc")]
use crate::graph::Node;
#[cfg(feature = "alloc")]
use crate::init::Init;
use crate::random::Random;
#[cfg(feature = "alloc")]
use crate::shape::Shape;
use crate::spec::{Layout, Param, Role, is_spread};

/// What a tensor lies within: labels of networks, and that of its layer.
#[derive(Clone, Copy)]
pub(crate) struct Path<'a> {
    outer: Option<&'a Path<'a>>,
    label: &'static str,
    /// Which of several copies.
    copy: Option<usize>,
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(outer) = self.outer {
            write!(f, "{outer}.")?;
        }
        f.write_str(self.label)?;
        self.copy.map_or(Ok(()), |copy| write!(f, ".{copy}"))
    }
}

/// One tensor on a visit: what its layer says of it, and where it lies.
#[derive(Clone, Copy)]
pub(crate) struct TensorPlace<'a> {
    path: &'a Path<'a>,
    pub(crate) param: &'a Param,
    /// No step changes it.
    pub(crate) frozen: bool,
    /// Where the parameters of its layer begin.
    base: usize,
}

impl TensorPlace<'_> {
    /// Where it lies in a model's block.
    pub(crate) fn range(&self) -> Range<usize> {
        let offset = self.base + self.param.offset;
        offset..offset + self.param.len
    }

    /// Where its numbers lie that no step changes.
    pub(crate) fn fixed(&self) -> Range<usize> {
        let [from, len] = self.param.fixed;
        let offset = self.base + self.param.offset + from;
        offset..offset + len
    }
}

#[cfg(feature = "train")]
impl TensorPlace<'_> {
    /// How many numbers it has, as the field counts them.
    pub(crate) fn count(&self) -> usize {
        self.param.shape.len()
    }

    /// Copies the tensor from a model's block to row-major numbers in its standard shape.
    pub(crate) fn read(&self, block: &[f32], to: &mut [f32]) {
        self.param.layout.read(&block[self.range()], to);
    }

    /// Copies row-major numbers into a model's block.
    pub(crate) fn write(&self, from: &[f32], block: &mut [f32]) {
        self.param.layout.write(from, &mut block[self.range()]);
    }

    /// The first of these numbers, row-major, that no model may have: where, and what was expected.
    pub(crate) fn fault(&self, values: &[f32]) -> Option<(usize, &'static str)> {
        number_fault(is_spread(self.param.role, self.param.name), values)
    }
}

/// The first number that no model may have, and what was expected; a variance or a deviation is not below 0.
fn number_fault(spread: bool, values: &[f32]) -> Option<(usize, &'static str)> {
    let at = values.iter().position(|value| !value.is_finite() || spread && *value < 0.0)?;
    let expected = match values[at].is_finite() {
        true => "a number of at least 0, as a variance or deviation is",
        false => "a finite number",
    };
    Some((at, expected))
}

impl fmt::Display for TensorPlace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.param.name {
            "" => self.path.fmt(f),
            name => write!(f, "{}.{name}", self.path),
        }
    }
}

/// Visits all tensors of a network, in the order of its sites.
pub(crate) fn each(network: &'static CompiledNetwork, see: &mut dyn FnMut(TensorPlace)) {
    visit(network, None, (0, false), see);
}

fn visit(
    network: &'static CompiledNetwork,
    outer: Option<&Path>,
    (base, frozen): (usize, bool),
    see: &mut dyn FnMut(TensorPlace),
) {
    for node in network.nodes.iter().filter(|node| node.shares.is_none()) {
        let spec = node.spec;
        let frozen = frozen || node.frozen;
        let each = spec.params.len / spec.times;
        for copy in 0..spec.times {
            let path = Path { outer, label: node.name, copy: (spec.times > 1).then_some(copy) };
            let base = base + node.params + copy * each;
            match node.network.map(|network| network()) {
                Some(inner) => visit(inner, Some(&path), (base, frozen), see),
                None => {
                    for param in spec.params.list() {
                        let frozen = frozen || param.role == Role::Constant;
                        see(TensorPlace { path: &path, param, frozen, base });
                    }
                }
            }
        }
    }
}

/// Draws every tensor of a network from its layer's distribution. Each has a generator of its own, keyed by
/// the seed and its place, so that the same seed gives the same bits everywhere. False where one needs memory
/// to be drawn in, and nothing allocates.
pub(crate) fn draw<const NORMALS: bool>(network: &'static CompiledNetwork, seed: u64, block: &mut [f32]) -> bool {
    let (mut number, mut all) = (0, true);
    block.fill(0.0);
    each(network, &mut |tensor| {
        let Param { shape, fans, init, layout, .. } = tensor.param;
        let mut random = Random::keyed(seed, &[number]);
        let stored = &mut block[tensor.range()];
        match layout {
            Layout::Plain => init.draw::<NORMALS>(shape, *fans, &mut random, &mut |i, x| stored[i] = x),
            Layout::Panels(panels) => {
                let inputs = panels.rows();
                let put = &mut |i: usize, x| stored[panels.index(i % inputs, i / inputs)] = x;
                init.draw::<NORMALS>(shape, *fans, &mut random, put);
            }
        }
        all &= cfg!(feature = "alloc") || !init.needs_memory();
        number += 1;
    });
    all
}

/// One parameter tensor of a network.
#[cfg(feature = "alloc")]
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

#[cfg(feature = "alloc")]
impl Tensor {
    /// How many numbers it has, as the field counts them.
    pub fn count(&self) -> usize {
        self.shape.len()
    }

    /// The first of these numbers, row-major, that no model may have, in words.
    pub(crate) fn fault(&self, values: &[f32]) -> Option<String> {
        let spread = is_spread(self.role, self.name.rsplit('.').next().unwrap_or_default());
        let (at, expected) = number_fault(spread, values)?;
        Some(format!("`{}`, element {at}: expected {expected}, found {}", self.name, values[at]))
    }

    /// Copies the tensor from a model's block to row-major numbers in its standard shape.
    pub(crate) fn read(&self, block: &[f32], to: &mut [f32]) {
        self.layout.read(&block[self.offset..self.offset + self.len], to);
    }

    /// Copies row-major numbers into a model's block.
    pub(crate) fn write(&self, from: &[f32], block: &mut [f32]) {
        self.layout.write(from, &mut block[self.offset..self.offset + self.len]);
    }
}

/// All parameter tensors of a network, in the order of its sites.
#[cfg(feature = "alloc")]
pub(crate) fn tensors(network: &'static CompiledNetwork) -> Vec<Tensor> {
    let mut all = Vec::new();
    each(network, &mut |place| {
        let param = place.param;
        all.push(Tensor {
            name: place.to_string(),
            shape: param.shape,
            role: param.role,
            frozen: place.frozen,
            init: param.init,
            fans: param.fans,
            fixed: place.fixed(),
            layout: param.layout,
            offset: place.range().start,
            len: param.len,
        });
    });
    all
}

/// A network used as a layer, at its place.
#[cfg(feature = "alloc")]
pub(crate) struct Within {
    pub(crate) name: String,
    pub(crate) network: &'static CompiledNetwork,
    /// Where its parameters begin within the model's block.
    pub(crate) offset: usize,
}

/// All networks within a network, each before those within it.
#[cfg(feature = "alloc")]
pub(crate) fn networks(network: &'static CompiledNetwork) -> Vec<Within> {
    let mut all = Vec::new();
    visit_networks(network, "", 0, &mut all);
    all
}

#[cfg(feature = "alloc")]
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
#[cfg(feature = "alloc")]
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
#[cfg(feature = "alloc")]
pub(crate) fn same(a: &'static CompiledNetwork, b: &'static CompiledNetwork) -> bool {
    let table = |network| tensors(network).into_iter().map(|tensor| (tensor.name, tensor.shape, tensor.offset));
    a.name == b.name && a.params_len == b.params_len && table(a).eq(table(b))
}
