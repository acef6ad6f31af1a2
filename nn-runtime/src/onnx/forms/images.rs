//! Convolutions, pools, frames and enlargements. A sequence `[steps, features]`, whose channels lie side by
//! side, is turned for its operator and back again.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::moves::slice;
use crate::onnx::graph::Attribute;
use crate::onnx::site::{OnnxSite, ints};
use nn_kernels::conv::Conv;
use nn_kernels::pool::{Pool, Spacing, UnevenPool};

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
    let flat = back.channels_last;
    // What the kernels and the zeros that are cut off do not reach at the end.
    let (x, y) = (site.input(0), site.output(0));
    let [before, after] = [[back.pad[0], back.pad[2]], [back.pad[1], back.pad[3]]];
    let more = [0, 1].map(|axis| {
        let at = if flat { 0 } else { axis + 1 };
        let reach = (back.kernel[axis] - 1) * back.dilation[axis] + 1;
        let full = (x.dim(at) - 1) * back.stride[axis] + reach;
        (y.dim(at) + before[axis] + after[axis]).saturating_sub(full)
    });
    turned(site, flat, |site, x| {
        let [weight, bias] = ["weight", "bias"].map(|name| site.param(name));
        let all: &[&str] = &[x, &weight, &bias];
        let there = if bias.is_empty() { &all[..2] } else { all };
        let mut attributes = conv_attributes(back);
        attributes.push(("output_padding", along(flat, more)));
        site.node_with("ConvTranspose", there, &attributes)
    })
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

pub(super) fn avg_pool(site: &mut OnnxSite, pool_of: Pool, counts: bool) -> String {
    let Pool { pad: [top, bottom, left, right], beyond: [below, beside], channels_last, .. } = pool_of;
    let count = |counts: bool| [("count_include_pad", Attribute::Int(i64::from(counts)))];
    if !counts || (below, beside) == (0, 0) {
        return pool(site, "AveragePool", pool_of, &count(counts));
    }
    // `AveragePool` counts either all of its padding or nothing of it: what counts is zeros before it.
    let x = site.x[0].clone();
    site.x[0] = match channels_last {
        false => pad(site, [top, bottom - below, left, right - beside], "constant"),
        true => pad(site, [left, right - beside, 0, 0], "constant"),
    };
    let y = pool(site, "AveragePool", Pool { pad: [0, below, 0, beside], ..pool_of }, &count(false));
    site.x[0] = x;
    y
}

pub(super) fn max_pool_of_gaps(site: &mut OnnxSite, pool_of: UnevenPool) -> String {
    let of = |axis: usize| match pool_of.along[axis] {
        Spacing::Gaps { window, dilation, stride, before, out } => {
            let reach = (out - 1) * stride + (window - 1) * dilation + 1;
            (window, dilation, stride, [before, reach.saturating_sub(pool_of.size[axis] + before)])
        }
        Spacing::Parts(_) => unreachable!("parts have a form of their own"),
    };
    let [down, across] = [of(0), of(1)];
    let plain = Pool {
        stride: [down.2, across.2],
        pad: [down.3[0], down.3[1], across.3[0], across.3[1]],
        channels_last: pool_of.channels_last,
        ..Pool::new([pool_of.channels, pool_of.size[0], pool_of.size[1]], [down.0, across.0])
    };
    let dilations = along(pool_of.channels_last, [down.1, across.1]);
    pool(site, "MaxPool", plain, &[("dilations", dilations)])
}

/// One number of each part of rows, then of columns; or of steps.
pub(super) fn parts(site: &mut OnnxSite, operator: &'static str, parts: [usize; 2]) -> String {
    let (mut x, shape) = (site.x[0].clone(), site.input(0));
    let axes = if shape.rank() == 3 { [(1, parts[0]), (2, parts[1])] } else { [(0, parts[1]), (0, 0)] };
    for (axis, parts) in axes.into_iter().filter(|(_, parts)| *parts > 0) {
        let size = shape.dim(axis);
        let part = |o: usize| [o * size / parts, ((o + 1) * size).div_ceil(parts)];
        let each: Vec<String> = (0..parts)
            .map(|o| {
                let of = slice(site, &x, axis + 1, part(o));
                site.reduce(operator, &of, &[axis as i64 + 1], true)
            })
            .collect();
        let each: Vec<&str> = each.iter().map(String::as_str).collect();
        x = site.node_with("Concat", &each, &[("axis", Attribute::Int(axis as i64 + 1))]);
    }
    x
}

/// A frame around images, or steps before and after a sequence.
pub(super) fn pad(site: &mut OnnxSite, [top, bottom, left, right]: [usize; 4], mode: &'static str) -> String {
    let (mut x, shape) = (site.x[0].clone(), site.input(0));
    let of_images = shape.rank() == 3;
    if mode != "wrap" {
        let (images, steps) = ([0, 0, top, left, 0, 0, bottom, right], [0, top, 0, 0, bottom, 0]);
        let pads = site.ints("pads", &ints(if of_images { &images } else { &steps }));
        let attributes = [("mode", Attribute::Text(mode))];
        return site.node_with("Pad", &[&x, &pads], if mode == "constant" { &[] } else { &attributes });
    }
    // `Pad` does this from a later version of ONNX on.
    let axis = shape.rank() - 2;
    for (axis, [before, after]) in [(axis, [top, bottom]), (axis + 1, [left, right])] {
        let size = if axis < shape.rank() { shape.dim(axis) } else { 0 };
        let mut parts = Vec::from([x.clone()]);
        if before > 0 {
            parts.insert(0, slice(site, &x, axis + 1, [size - before, size]));
        }
        if after > 0 {
            parts.push(slice(site, &x, axis + 1, [0, after]));
        }
        if parts.len() > 1 {
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            x = site.node_with("Concat", &parts, &[("axis", Attribute::Int(axis as i64 + 1))]);
        }
    }
    x
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

pub(super) fn resize(site: &mut OnnxSite, bilinear: bool, align_corners: bool) -> String {
    let (x, y) = (site.x[0].clone(), site.output(0));
    let sizes = site.ints("sizes", &ints(&[y.dim(1), y.dim(2)]));
    let text = |name, value| (name, Attribute::Text(value));
    let place = match (bilinear, align_corners) {
        (false, _) => "asymmetric",
        (true, true) => "align_corners",
        (true, false) => "half_pixel",
    };
    let attributes = [
        ("axes", Attribute::Ints([2, 3].into())),
        text("mode", if bilinear { "linear" } else { "nearest" }),
        text("coordinate_transformation_mode", place),
        text("nearest_mode", "floor"),
    ];
    // The second input, a region, is for another mode; the third are scales.
    site.node_with("Resize", &[&x, "", "", &sizes], &attributes[..if bilinear { 3 } else { 4 }])
}
