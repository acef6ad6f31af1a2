//! Convolutions, pools, frames and enlargements. A sequence `[steps, features]`, whose channels lie side by
//! side, is turned for its operator and back again.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::moves::slice;
use crate::onnx::graph::Attribute;
use crate::onnx::site::{OnnxSite, ints};
use nn_kernels::conv::Conv;
use nn_kernels::pool::Pool;

/// The numbers of all axes; of a sequence those of its steps alone.
fn along(flat: bool, sizes: [usize; 2]) -> Attribute {
    Attribute::Ints(ints(if flat { &sizes[1..] } else { &sizes }))
}

/// Zeros before all axes, then behind all.
fn pads(flat: bool, [top, bottom, left, right]: [usize; 4]) -> Attribute {
    Attribute::Ints(if flat { ints(&[left, right]) } else { ints(&[top, left, bottom, right]) })
}

/// An operator on `[batch, channels, …]`, of an input whose channels come last where that is said.
fn turned(site: &mut OnnxSite, flat: bool, write: impl FnOnce(&mut OnnxSite, &str) -> String) -> String {
    let x = site.x[0].clone();
    if !flat {
        return write(site, &x);
    }
    let x = site.transpose(&x, &[0, 2, 1]);
    let y = write(site, &x);
    site.transpose(&y, &[0, 2, 1])
}

fn conv_attributes(conv: Conv) -> Vec<(&'static str, Attribute)> {
    let flat = conv.channels_last;
    [
        ("kernel_shape", along(flat, conv.kernel)),
        ("strides", along(flat, conv.stride)),
        ("pads", pads(flat, conv.pad)),
        ("dilations", along(flat, conv.dilation)),
        ("group", Attribute::Int(conv.groups as i64)),
    ]
    .into()
}

/// What stands behind the input: a weight, and a bias where there is one.
fn weighed(site: &mut OnnxSite, operator: &'static str, x: &str, names: [&str; 2], conv: Conv) -> String {
    let [weight, bias] = names.map(|name| site.param(name));
    let all: &[&str] = &[x, &weight, &bias];
    let there = if bias.is_empty() { &all[..2] } else { all };
    site.node_with(operator, there, &conv_attributes(conv))
}

pub(super) fn conv(site: &mut OnnxSite, conv: Conv) -> String {
    turned(site, conv.channels_last, |site, x| weighed(site, "Conv", x, ["weight", "bias"], conv))
}

pub(super) fn separable(site: &mut OnnxSite, along: Conv) -> String {
    let x = site.x[0].clone();
    let middle = weighed(site, "Conv", &x, ["depthwise.weight", "depthwise.bias"], along);
    let [height, width] = along.output();
    let across = Conv::new([along.filters, height, width], site.output(0).dim(0), [1, 1]);
    weighed(site, "Conv", &middle, ["pointwise.weight", "pointwise.bias"], across)
}

pub(super) fn conv_transpose(site: &mut OnnxSite, back: Conv) -> String {
    let (x, [weight, bias]) = (site.x[0].clone(), ["weight", "bias"].map(|name| site.param(name)));
    let all: &[&str] = &[&x, &weight, &bias];
    let there = if bias.is_empty() { &all[..2] } else { all };
    // What the kernels and the zeros that are cut off do not reach at the end.
    let y = site.output(0);
    let [before, after] = [[back.pad[0], back.pad[2]], [back.pad[1], back.pad[3]]];
    let more = [0, 1].map(|axis| {
        let reach = (back.kernel[axis] - 1) * back.dilation[axis] + 1;
        let full = (site.input(0).dim(axis + 1) - 1) * back.stride[axis] + reach;
        (y.dim(axis + 1) + before[axis] + after[axis]).saturating_sub(full)
    });
    let mut attributes = conv_attributes(back);
    attributes.push(("output_padding", Attribute::Ints(ints(&more))));
    site.node_with("ConvTranspose", there, &attributes)
}

pub(super) fn pool(
    site: &mut OnnxSite,
    operator: &'static str,
    pool: Pool,
    more: &[(&'static str, Attribute)],
) -> String {
    let flat = pool.channels_last;
    let mut attributes = more.to_vec();
    attributes.push(("kernel_shape", along(flat, pool.window)));
    attributes.push(("strides", along(flat, pool.stride)));
    attributes.push(("pads", pads(flat, pool.pad)));
    turned(site, flat, |site, x| site.node_with(operator, &[x], &attributes))
}

pub(super) fn pad(site: &mut OnnxSite, [top, bottom, left, right]: [usize; 4]) -> String {
    let x = site.x[0].clone();
    let pads = site.ints("pads", &ints(&[0, 0, top, left, 0, 0, bottom, right]));
    site.node("Pad", &[&x, &pads])
}

pub(super) fn crop(site: &mut OnnxSite, [top, _, left, _]: [usize; 4]) -> String {
    let (x, y) = (site.x[0].to_string(), site.output(0));
    let rows = slice(site, &x, 2, [top, top + y.dim(1)]);
    slice(site, &rows, 3, [left, left + y.dim(2)])
}

pub(super) fn upsample(site: &mut OnnxSite, [rows, columns]: [usize; 2], bilinear: bool) -> String {
    let x = site.x[0].clone();
    let scales = site.floats("scales", &[4], [1.0, 1.0, rows as f32, columns as f32].into());
    let text = |name, value| (name, Attribute::Text(value));
    let attributes = match bilinear {
        true => [text("mode", "linear"), text("coordinate_transformation_mode", "half_pixel")].to_vec(),
        false => [
            text("mode", "nearest"),
            text("coordinate_transformation_mode", "asymmetric"),
            text("nearest_mode", "floor"),
        ]
        .to_vec(),
    };
    // The second input, a region, is for another mode.
    site.node_with("Resize", &[&x, "", &scales], &attributes)
}
