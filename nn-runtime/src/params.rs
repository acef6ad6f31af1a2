//! The table of a network's parameters: names, shapes, places. In: a `Map`; out: one visit for each tensor, networks within
//! networks included. Counting, drawing, saving and comparing all walk this one table.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::facts::{Layout, Param, Role};
use crate::graph::Map;
use crate::init::Init;
use crate::shape::Shape;

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

    /// Copies the tensor from a model's block to row-major numbers in its standard shape.
    pub(crate) fn read(&self, block: &[f32], to: &mut [f32]) {
        let stored = &block[self.offset..self.offset + self.len];
        match self.layout {
            Layout::Plain => to.copy_from_slice(stored),
            Layout::Panels(panels) => panels.unpack(stored, to),
        }
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
pub(crate) fn tensors(map: &'static Map) -> Vec<Tensor> {
    let mut all = Vec::new();
    visit(map, "", 0, false, &mut all);
    all
}

/// How many numbers a network has.
pub(crate) fn count(map: &'static Map) -> usize {
    tensors(map).iter().map(Tensor::count).sum()
}

fn visit(map: &'static Map, prefix: &str, base: usize, frozen: bool, all: &mut Vec<Tensor>) {
    for node in map.nodes.iter().filter(|node| node.shares.is_none()) {
        let facts = node.facts;
        let frozen = frozen || node.frozen;
        let each = facts.params_len / facts.times;
        for copy in 0..facts.times {
            let base = base + node.params + copy * each;
            let name = match facts.times {
                1 => format!("{prefix}{}", node.name),
                _ => format!("{prefix}{}.{copy}", node.name),
            };
            match facts.inner {
                Some(inner) => visit(inner, &format!("{name}."), base, frozen, all),
                None => {
                    all.extend(facts.params[..facts.param_count].iter().map(|param| tensor(param, &name, base, frozen)))
                }
            }
        }
    }
}

fn tensor(param: &Param, site: &str, base: usize, frozen: bool) -> Tensor {
    Tensor {
        name: if param.name.is_empty() { site.to_string() } else { format!("{site}.{}", param.name) },
        shape: param.shape,
        role: param.role,
        frozen: frozen || param.role == Role::Fixed,
        init: param.init,
        layout: param.layout,
        offset: base + param.offset,
        len: param.len,
    }
}
