//! Dense layers and tables.

use alloc::string::String;

use crate::onnx::graph::Attribute;
use crate::onnx::site::OnnxSite;

/// INT64 as an attribute of `Cast`.
const TO_INT64: i64 = 7;

pub(super) fn dense(site: &mut OnnxSite) -> String {
    let (x, weight, bias) = (site.x[0].clone(), site.param("weight"), site.param("bias"));
    let all: &[&str] = &[&x, &weight, &bias];
    let there = if bias.is_empty() { &all[..2] } else { all };
    site.node_with("Gemm", there, &[("transB", Attribute::Int(1))])
}

pub(super) fn dense_per_step(site: &mut OnnxSite) -> String {
    let (x, weight, bias) = (site.x[0].clone(), site.param("weight"), site.param("bias"));
    affine(site, &x, &weight, &bias)
}

/// `x · weightᵀ + bias` for each step; no bias where it has no name.
pub(super) fn affine(site: &mut OnnxSite, x: &str, weight: &str, bias: &str) -> String {
    let turned = site.transpose(weight, &[1, 0]);
    let product = site.node("MatMul", &[x, &turned]);
    if bias.is_empty() { product } else { site.node("Add", &[&product, bias]) }
}

pub(super) fn embedding(site: &mut OnnxSite) -> String {
    let (x, weight) = (site.x[0].clone(), site.param("weight"));
    let ids = site.node_with("Cast", &[&x], &[("to", Attribute::Int(TO_INT64))]);
    site.node("Gather", &[&weight, &ids])
}
