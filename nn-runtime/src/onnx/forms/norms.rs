//! Normalisations.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::onnx::graph::Attribute;
use crate::onnx::site::OnnxSite;

fn epsilon(eps: f32) -> (&'static str, Attribute) {
    ("epsilon", Attribute::Float(eps))
}

/// Scale and bias, which the operator wants whether or not the layer has them.
fn scale_and_bias(site: &mut OnnxSite, dims: &[usize], own: bool) -> [String; 2] {
    let len = dims.iter().product();
    [("weight", "ones", 1.0), ("bias", "zeros", 0.0)].map(|(name, what, value)| match own && site.has(name) {
        true => site.param(name),
        false => site.floats(what, dims, vec![value; len]),
    })
}

pub(super) fn batch_norm(site: &mut OnnxSite, axis: usize, eps: f32) -> String {
    let (shape, x) = (site.input(0), site.x[0].clone());
    let x = site.axis_first(&x, shape.rank(), axis);
    let [scale, bias] = scale_and_bias(site, &[shape.dim(axis)], true);
    let [mean, var] = ["running_mean", "running_var"].map(|name| site.param(name));
    let y = site.node_with("BatchNormalization", &[&x, &scale, &bias, &mean, &var], &[epsilon(eps)]);
    site.axis_back(&y, shape.rank(), axis)
}

pub(super) fn normalization(site: &mut OnnxSite, axis: usize) -> String {
    let (rank, x) = (site.input(0).rank(), site.x[0].clone());
    let constant = site.numbers("std").contains(&0.0);
    let [mean, mut std] = ["mean", "std"].map(|name| site.per_channel(name, rank, axis));
    if constant {
        // What does not vary is divided by 1.
        let (zero, one) = (site.number("zero", 0.0), site.number("one", 1.0));
        let varies_not = site.node("Equal", &[&std, &zero]);
        std = site.node("Where", &[&varies_not, &one, &std]);
    }
    let centred = site.node("Sub", &[&x, &mean]);
    site.node("Div", &[&centred, &std])
}

pub(super) fn layer_norm(site: &mut OnnxSite, axes: usize, eps: f32) -> String {
    let (shape, x) = (site.input(0), site.x[0].clone());
    let last = shape.as_slice()[shape.rank() - axes..].to_vec();
    let (weight, bias) = (site.param("weight"), site.param("bias"));
    let weight = if weight.is_empty() { site.floats("ones", &last, vec![1.0; last.iter().product()]) } else { weight };
    let all: &[&str] = &[&x, &weight, &bias];
    let there = if bias.is_empty() { &all[..2] } else { all };
    site.node_with("LayerNormalization", there, &[("axis", Attribute::Int(-(axes as i64))), epsilon(eps)])
}

pub(super) fn rms_norm(site: &mut OnnxSite, axes: usize, eps: f32) -> String {
    let (x, weight) = (site.x[0].clone(), site.param("weight"));
    let last: Vec<i64> = (1..=axes as i64).map(|axis| -axis).rev().collect();
    let squares = site.node("Mul", &[&x, &x]);
    let mean = site.reduce("ReduceMean", &squares, &last, true);
    let eps = site.number("eps", eps);
    let sum = site.node("Add", &[&mean, &eps]);
    let size = site.node("Sqrt", &[&sum]);
    let y = site.node("Div", &[&x, &size]);
    if weight.is_empty() { y } else { site.node("Mul", &[&y, &weight]) }
}

/// Groups of channels are instances of one channel each; `GroupNormalization` itself has another meaning in
/// opset 18 than in 21, and squares before it centres in some runtimes.
pub(super) fn group_norm(site: &mut OnnxSite, groups: usize, axis: usize, eps: f32) -> String {
    let (shape, x) = (site.input(0), site.x[0].clone());
    let (rank, channels) = (shape.rank(), shape.dim(axis));
    let x = site.axis_first(&x, rank, axis);
    if groups == channels && axis == 0 {
        let [scale, bias] = scale_and_bias(site, &[channels], true);
        return site.node_with("InstanceNormalization", &[&x, &scale, &bias], &[epsilon(eps)]);
    }
    let rows = site.reshape(&x, &[groups, shape.len() / groups]);
    let [scale, bias] = scale_and_bias(site, &[groups], false);
    let y = site.node_with("InstanceNormalization", &[&rows, &scale, &bias], &[epsilon(eps)]);
    let mut dims = shape.as_slice().to_vec();
    dims.remove(axis);
    dims.insert(0, channels);
    let y = site.reshape(&y, &dims);
    let mut y = site.axis_back(&y, rank, axis);
    for (name, operator) in [("weight", "Mul"), ("bias", "Add")] {
        if site.has(name) {
            let param = site.per_channel(name, rank, axis);
            y = site.node(operator, &[&y, &param]);
        }
    }
    y
}

/// Squares, their means over neighbouring channels, a power, a quotient: `LRN` puts a window of even size
/// elsewhere.
pub(super) fn local_response(site: &mut OnnxSite, size: usize, [alpha, beta, k]: [f32; 3], axis: usize) -> String {
    let (shape, x) = (site.input(0), site.x[0].clone());
    let dims = shape.as_slice().to_vec();
    let squares = site.node("Mul", &[&x, &x]);
    // As an image whose rows are channels, or whose columns are.
    let after: usize = dims[axis + 1..].iter().product();
    let before: usize = dims[..axis].iter().product();
    let rows = [1, before * dims[axis], after];
    let columns = [1, before, dims[axis]];
    let (image, window) = if before == 1 { (rows, [size, 1]) } else { (columns, [1, size]) };
    let squares = site.reshape(&squares, &image);
    let both = |n: usize| if before == 1 { [n as i64, 0] } else { [0, n as i64] };
    let pads = [both(size / 2), both((size - 1) / 2)].concat();
    let attributes = [
        ("kernel_shape", Attribute::Ints(window.map(|side| side as i64).to_vec())),
        ("pads", Attribute::Ints(pads)),
        ("count_include_pad", Attribute::Int(1)),
    ];
    let means = site.node_with("AveragePool", &[&squares], &attributes);
    let means = site.reshape(&means, &dims);
    let (alpha, beta, k) = (site.number("alpha", alpha), site.number("beta", beta), site.number("k", k));
    let scaled = site.node("Mul", &[&means, &alpha]);
    let base = site.node("Add", &[&scaled, &k]);
    let divisor = site.node("Pow", &[&base, &beta]);
    site.node("Div", &[&x, &divisor])
}
