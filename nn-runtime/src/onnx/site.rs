//! One layer at its place while it is written in ONNX. In: the names of what it reads, its parameters; out:
//! nodes, and the names of what it makes.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::graph::{Attribute, Elements, OnnxGraph};
use crate::shape::Shape;
use crate::spec::{LayerSpec, Param};

/// A layer that writes itself down.
pub(super) struct OnnxSite<'a> {
    pub(super) graph: &'a mut OnnxGraph,
    pub(super) spec: &'a LayerSpec,
    /// `block.0.conv1`
    pub(super) path: String,
    /// What its parameters are called after: its own path, or that of the layer that has them.
    pub(super) owner: String,
    /// The names of what it reads.
    pub(super) x: Vec<String>,
    /// Its parameters in storage.
    pub(super) block: &'a [f32],
}

/// Whole numbers as the attributes have them.
pub(super) fn ints(values: &[usize]) -> Vec<i64> {
    values.iter().map(|value| *value as i64).collect()
}

impl OnnxSite<'_> {
    pub(super) fn input(&self, k: usize) -> Shape {
        self.spec.shapes.inputs[k]
    }

    pub(super) fn output(&self, k: usize) -> Shape {
        self.spec.output_shapes()[k]
    }

    /// A node with one output, whose name comes back.
    pub(super) fn node(&mut self, operator: &'static str, x: &[&str]) -> String {
        self.node_with(operator, x, &[])
    }

    pub(super) fn node_with(
        &mut self,
        operator: &'static str,
        x: &[&str],
        attributes: &[(&'static str, Attribute)],
    ) -> String {
        self.graph.node(&self.path, operator, x, 1, attributes).remove(0)
    }

    pub(super) fn nodes_with(
        &mut self,
        operator: &'static str,
        x: &[&str],
        outputs: usize,
        attributes: &[(&'static str, Attribute)],
    ) -> Vec<String> {
        self.graph.node(&self.path, operator, x, outputs, attributes)
    }

    /// A parameter under its own name and in its standard layout; an empty name where it has none.
    pub(super) fn param(&mut self, name: &str) -> String {
        let Some(param) = self.find(name) else { return String::new() };
        let full = if name.is_empty() { self.owner.clone() } else { format!("{}.{name}", self.owner) };
        let block = self.block;
        self.graph.initializer(&full, || (param.shape.as_slice().to_vec(), Elements::Floats(numbers(param, block))))
    }

    fn find(&self, name: &str) -> Option<Param> {
        self.spec.params.list().iter().find(|param| param.name == name).copied()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// The numbers of a parameter, row-major in its standard shape.
    pub(super) fn numbers(&self, name: &str) -> Vec<f32> {
        self.find(name).map_or(Vec::new(), |param| numbers(param, self.block))
    }

    pub(super) fn floats(&mut self, what: &str, dims: &[usize], values: Vec<f32>) -> String {
        self.graph.constant(&self.path, what, dims, Elements::Floats(values))
    }

    /// A single number.
    pub(super) fn number(&mut self, what: &str, value: f32) -> String {
        self.floats(what, &[], [value].into())
    }

    /// Whole numbers in a row.
    pub(super) fn ints(&mut self, what: &str, values: &[i64]) -> String {
        self.graph.constant(&self.path, what, &[values.len()], Elements::Ints(values.to_vec()))
    }

    pub(super) fn bools(&mut self, what: &str, dims: &[usize], values: Vec<bool>) -> String {
        self.graph.constant(&self.path, what, dims, Elements::Bools(values))
    }

    /// The same numbers in other dimensions behind the batch.
    pub(super) fn reshape(&mut self, x: &str, dims: &[usize]) -> String {
        let mut all = ints(dims);
        // Of the batch there are as many as before.
        all.insert(0, 0);
        let shape = self.ints("shape", &all);
        self.node("Reshape", &[x, &shape])
    }

    /// The dimensions in another order, the batch as axis 0 among them.
    pub(super) fn transpose(&mut self, x: &str, axes: &[usize]) -> String {
        self.node_with("Transpose", &[x], &[("perm", Attribute::Ints(ints(axes)))])
    }

    /// `of` with the axis behind the batch, or back again; as it is where it stands there already.
    pub(super) fn axis_first(&mut self, x: &str, rank: usize, axis: usize) -> String {
        if axis == 0 {
            return x.to_string();
        }
        let mut axes: Vec<usize> = (0..=rank).filter(|i| *i != axis + 1).collect();
        axes.insert(1, axis + 1);
        self.transpose(x, &axes)
    }

    pub(super) fn axis_back(&mut self, x: &str, rank: usize, axis: usize) -> String {
        if axis == 0 {
            return x.to_string();
        }
        let mut axes: Vec<usize> = (0..=rank).filter(|i| *i != 1).collect();
        axes.insert(axis + 1, 1);
        self.transpose(x, &axes)
    }

    /// A parameter of one number a channel, so that it meets the channels of the axis.
    pub(super) fn per_channel(&mut self, name: &str, rank: usize, axis: usize) -> String {
        let param = self.param(name);
        if axis + 1 == rank {
            return param;
        }
        let mut dims = alloc::vec![1; rank - axis];
        dims[0] = -1;
        let shape = self.ints("shape", &dims);
        self.node("Reshape", &[&param, &shape])
    }

    /// Whether a mask's numbers say that a step is there.
    pub(super) fn is_step(&mut self, mask: &str) -> String {
        let zero = self.number("zero", 0.0);
        let padding = self.node("Equal", &[mask, &zero]);
        self.node("Not", &[&padding])
    }

    /// `x` with an axis of 1.
    pub(super) fn unsqueeze(&mut self, x: &str, axes: &[i64]) -> String {
        let axes = self.ints("axes", axes);
        self.node("Unsqueeze", &[x, &axes])
    }

    /// What `ReduceMean` and its like make of some axes.
    pub(super) fn reduce(&mut self, operator: &'static str, x: &str, axes: &[i64], keep: bool) -> String {
        let axes = self.ints("axes", axes);
        self.node_with(operator, &[x, &axes], &[("keepdims", Attribute::Int(i64::from(keep)))])
    }
}

fn numbers(param: Param, block: &[f32]) -> Vec<f32> {
    let mut values = alloc::vec![0.0; param.shape.len()];
    param.layout.read(&block[param.offset..param.offset + param.len], &mut values);
    values
}
