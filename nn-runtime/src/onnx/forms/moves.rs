//! Layers that move numbers or join values.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::limits::MAX_RANK;
use crate::onnx::graph::Attribute;
use crate::onnx::site::{OnnxSite, ints};

/// `Flatten` and `Reshape`.
pub(super) fn reshape(site: &mut OnnxSite) -> String {
    let x = site.x[0].clone();
    match site.output(0).as_slice() {
        [_] => site.node_with("Flatten", &[&x], &[("axis", Attribute::Int(1))]),
        dims => site.reshape(&x, dims),
    }
}

/// `Permute`: the axes count without the batch.
pub(super) fn permute(site: &mut OnnxSite, axes: &[usize; MAX_RANK]) -> String {
    let x = site.x[0].clone();
    let mut all = [0].to_vec();
    all.extend(axes[..site.output(0).rank()].iter().map(|axis| axis + 1));
    site.transpose(&x, &all)
}

pub(super) fn product(site: &mut OnnxSite) -> String {
    let x = site.x.clone();
    let (first, others) = x.split_first().expect("a product has two inputs or more");
    others.iter().fold(first.clone(), |product, x| site.node("Mul", &[&product, x]))
}

pub(super) fn split(site: &mut OnnxSite, axis: usize) -> Vec<String> {
    let sizes: Vec<usize> = site.spec.output_shapes().iter().map(|part| part.dim(axis - 1)).collect();
    let x = site.x[0].clone();
    parts(site, &x, axis, &sizes)
}

/// A value cut into parts of these sizes.
pub(super) fn parts(site: &mut OnnxSite, x: &str, axis: usize, sizes: &[usize]) -> Vec<String> {
    let split = site.ints("sizes", &ints(sizes));
    site.nodes_with("Split", &[x, &split], sizes.len(), &[("axis", Attribute::Int(axis as i64))])
}

/// The first half times the sigmoid of the second.
pub(super) fn glu(site: &mut OnnxSite, axis: usize) -> String {
    let (half, x) = (site.output(0).dim(axis - 1), site.x[0].clone());
    let halves = parts(site, &x, axis, &[half; 2]);
    let gate = site.node("Sigmoid", &[&halves[1]]);
    site.node("Mul", &[&halves[0], &gate])
}

/// What of a value lies from `from` up to `to` along an axis.
pub(super) fn slice(site: &mut OnnxSite, x: &str, axis: usize, [from, to]: [usize; 2]) -> String {
    let [from, to] = [("from", from), ("to", to)].map(|(what, at)| site.ints(&format!("{what}_{axis}"), &[at as i64]));
    let axes = site.ints(&format!("axis_{axis}"), &[axis as i64]);
    site.node("Slice", &[x, &from, &to, &axes])
}
