//! Attention in standard operators: `Attention` itself is one from opset 23 on only.

use alloc::string::String;
use alloc::vec::Vec;

use super::moves::parts;
use super::products::affine;
use crate::onnx::graph::Attribute;
use crate::onnx::site::OnnxSite;

pub(super) struct Heads {
    pub(super) heads: usize,
    pub(super) causal: bool,
    pub(super) cross: bool,
    pub(super) masked: bool,
}

pub(super) fn attention(site: &mut OnnxSite, of: Heads) -> String {
    let [queries, features] = [site.input(0).dim(0), site.input(0).dim(1)];
    let keys = if of.cross { site.input(1).dim(0) } else { queries };
    let width = features / of.heads;
    let all = projected(site, features, of.cross);
    let mut heads = |what: usize, steps: usize, axes: [usize; 4]| {
        let heads = site.reshape(&all[what], &[steps, of.heads, width]);
        site.transpose(&heads, &axes)
    };
    let (q, k, v) = (heads(0, queries, [0, 2, 1, 3]), heads(1, keys, [0, 2, 3, 1]), heads(2, keys, [0, 2, 1, 3]));
    let scale = site.number("scale", (1.0 / libm::sqrt(width as f64)) as f32);
    let q = site.node("Mul", &[&q, &scale]);
    let mut scores = site.node("MatMul", &[&q, &k]);
    let seen = seen(site, &of, [queries, keys]);
    if let Some(seen) = &seen {
        let nothing = site.number("nothing", f32::NEG_INFINITY);
        scores = site.node("Where", &[seen, &scores, &nothing]);
    }
    let mut weights = site.node_with("Softmax", &[&scores], &[("axis", Attribute::Int(-1))]);
    if let Some(seen) = &seen {
        // A query that sees nothing gets zeros, not NaN.
        let zero = site.number("zero", 0.0);
        weights = site.node("Where", &[seen, &weights, &zero]);
    }
    let mixed = site.node("MatMul", &[&weights, &v]);
    let mixed = site.transpose(&mixed, &[0, 2, 1, 3]);
    let mixed = site.reshape(&mixed, &[queries, features]);
    let [weight, bias] = ["out_proj.weight", "out_proj.bias"].map(|name| site.param(name));
    affine(site, &mixed, &weight, &bias)
}

/// Queries, keys and values of `[batch, steps, features]`.
fn projected(site: &mut OnnxSite, features: usize, cross: bool) -> Vec<String> {
    let [weight, bias] = ["in_proj_weight", "in_proj_bias"].map(|name| site.param(name));
    let x = site.x.clone();
    if !cross {
        let all = affine(site, &x[0], &weight, &bias);
        return parts(site, &all, 2, &[features; 3]);
    }
    let weights = parts(site, &weight, 0, &[features; 3]);
    let biases = if bias.is_empty() { alloc::vec![bias; 3] } else { parts(site, &bias, 0, &[features; 3]) };
    let read = [&x[0], &x[1], &x[1]];
    (0..3).map(|k| affine(site, read[k], &weights[k], &biases[k])).collect()
}

/// Which keys a query sees, over `[batch, heads, queries, keys]`; nothing where it sees all.
fn seen(site: &mut OnnxSite, of: &Heads, [queries, keys]: [usize; 2]) -> Option<String> {
    let before = of.causal.then(|| {
        let all = (0..queries).flat_map(|query| (0..keys).map(move |key| key <= query)).collect();
        site.bools("before", &[queries, keys], all)
    });
    let there = of.masked.then(|| {
        let mask = site.x.last().cloned().unwrap_or_default();
        let there = site.is_step(&mask);
        site.unsqueeze(&there, &[1, 2])
    });
    match (before, there) {
        (Some(before), Some(there)) => Some(site.node("And", &[&there, &before])),
        (before, there) => before.or(there),
    }
}
