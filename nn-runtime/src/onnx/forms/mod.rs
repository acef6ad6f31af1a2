//! What each form of a layer is in ONNX's operators, by family. In: a layer at its site; out: the names of
//! what it makes. Nothing here may know a layer but by its form.

mod activations;
mod attention;
mod formula;
mod images;
mod moves;
mod norms;
mod products;
mod recurrent;
mod steps;

use alloc::string::String;
use alloc::vec::Vec;

use super::graph::Attribute;
use super::site::OnnxSite;
use crate::spec::OnnxForm;

/// Writes a layer; its outputs.
pub(super) fn write(site: OnnxSite) -> Vec<String> {
    let mut site = site;
    let site = &mut site;
    let y = match site.spec.onnx {
        OnnxForm::Unsaid => unreachable!("a network with such a layer does not compile"),
        OnnxForm::Same => site.x[0].clone(),
        OnnxForm::Reshape => moves::reshape(site),
        OnnxForm::Transpose(axes) => moves::permute(site, &axes),
        OnnxForm::Operator(operator) => all_inputs(site, operator, &[]),
        OnnxForm::AlongAxis(operator, axis) => all_inputs(site, operator, &[("axis", Attribute::Int(axis))]),
        OnnxForm::Product => moves::product(site),
        OnnxForm::Split(axis) => return moves::split(site, axis),
        OnnxForm::Glu(axis) => moves::glu(site, axis),
        OnnxForm::Dense => products::dense(site),
        OnnxForm::DensePerStep => products::dense_per_step(site),
        OnnxForm::Embedding => products::embedding(site),
        OnnxForm::Positions(waves) => steps::positions(site, waves),
        OnnxForm::LastStep => steps::last_step(site),
        OnnxForm::GlobalPool(operator) => steps::global_pool(site, operator),
        OnnxForm::Conv(conv) => images::conv(site, conv),
        OnnxForm::Separable(along) => images::separable(site, along),
        OnnxForm::ConvTranspose(back) => images::conv_transpose(site, back),
        OnnxForm::MaxPool(pool) => images::pool(site, "MaxPool", pool, &[]),
        OnnxForm::AvgPool(pool, counts) => images::avg_pool(site, pool, counts),
        OnnxForm::LpPool(pool, p) => images::pool(site, "LpPool", pool, &[("p", Attribute::Int(p))]),
        OnnxForm::UnevenMaxPool(pool) => images::max_pool_of_gaps(site, pool),
        OnnxForm::Parts(operator, parts) => images::parts(site, operator, parts),
        OnnxForm::Pad(sides, mode) => images::pad(site, sides, mode),
        OnnxForm::Crop(sides) => images::crop(site, sides),
        OnnxForm::Upsample(scale, bilinear) => images::upsample(site, scale, bilinear),
        OnnxForm::Resize(bilinear, align) => images::resize(site, bilinear, align),
        OnnxForm::LocalResponse(size, numbers, axis) => norms::local_response(site, size, numbers, axis),
        OnnxForm::BatchNorm(axis, eps) => norms::batch_norm(site, axis, eps),
        OnnxForm::Normalization(axis) => norms::normalization(site, axis),
        OnnxForm::LayerNorm(axes, eps) => norms::layer_norm(site, axes, eps),
        OnnxForm::RmsNorm(axes, eps) => norms::rms_norm(site, axes, eps),
        OnnxForm::GroupNorm(groups, axis, eps) => norms::group_norm(site, groups, axis, eps),
        OnnxForm::Prelu(axis) => activations::prelu(site, axis),
        OnnxForm::Gelu(approximate) => activations::gelu(site, approximate),
        OnnxForm::Mish => activations::mish(site),
        OnnxForm::Formula(steps, settings) => formula::formula(site, steps, &settings),
        OnnxForm::Recurrent(of) => return recurrent::recurrent(site, of),
        OnnxForm::Attention { heads, causal, cross, masked } => {
            attention::attention(site, attention::Heads { heads, causal, cross, masked })
        }
    };
    [y].into()
}

fn all_inputs(site: &mut OnnxSite, operator: &'static str, attributes: &[(&'static str, Attribute)]) -> String {
    let x = site.x.clone();
    let x: Vec<&str> = x.iter().map(String::as_str).collect();
    site.node_with(operator, &x, attributes)
}
