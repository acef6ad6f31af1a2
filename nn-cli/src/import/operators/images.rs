//! Convolutions, pools, frames and enlargements.

use crate::import::graph::{Held, Made, Reader, Value, dim_of, int, ints, is_batch, text};
use crate::import::network::Param;
use crate::import::operators::products::shared;
use crate::import::operators::window::Window;
use crate::import::view::{self, View};
use crate::onnx::Node;

/// The value as images `[channels, height, width]`, or as a sequence `[steps, features]` of channels that
/// come first in the graph.
fn laid(reader: &mut Reader, x: &Value) -> Result<(usize, bool), String> {
    let view = reader.network.atoms.whole_view(&x.view);
    match &view[..] {
        [_, _, _, _] => Ok((reader.laid_out(x, &view)?, false)),
        [batch, channels, steps] => {
            let turned: View = vec![batch.clone(), steps.clone(), channels.clone()];
            Ok((reader.laid_out(x, &turned)?, true))
        }
        _ => Err(format!("expected images or sequences, found {:?}", view::sizes(&view))),
    }
}

/// What a layer over images or turned sequences has made.
fn made<'a>(reader: &Reader<'a, '_>, y: usize, flat: bool) -> Made<'a> {
    let mut view = reader.network.plain(y);
    if flat {
        view.swap(1, 2);
    }
    Ok(vec![reader.made_as(y, view)])
}

fn sizes_of(reader: &Reader, x: usize, flat: bool) -> (usize, Vec<usize>) {
    let shape = &reader.network.shapes[x];
    if flat { (shape[1], vec![shape[0]]) } else { (shape[0], shape[1..].to_vec()) }
}

fn shape_of(channels: usize, sizes: &[usize], flat: bool) -> Vec<usize> {
    if flat { vec![sizes[0], channels] } else { [&[channels], sizes].concat() }
}

struct Weights<'a> {
    dims: Vec<usize>,
    params: Vec<Param>,
    hint: &'a str,
    key: String,
}

fn weights<'a>(reader: &Reader<'a, '_>, node: &Node<'a>) -> Result<Weights<'a>, String> {
    let (origin, (dims, values)) = (reader.constant(node, 1)?.origin, reader.floats(node, 1)?);
    let mut params = vec![Param::new("weight", &dims, values)];
    let mut bias_origin = "";
    if reader.held(node, 2).is_some() {
        let (bias_dims, bias) = reader.floats(node, 2)?;
        bias_origin = reader.constant(node, 2)?.origin;
        params.push(Param::new("bias", &bias_dims, bias));
    }
    let hint = if crate::import::labels::means_something(origin) { origin } else { bias_origin };
    Ok(Weights { dims, params, hint, key: shared(origin, bias_origin) })
}

fn groups(node: &Node) -> Result<usize, String> {
    usize::try_from(int(node, "group", 1)).ok().filter(|groups| *groups > 0).ok_or_else(|| "expected groups".to_owned())
}

pub fn conv<'a>(reader: &mut Reader<'a, '_>, node: &Node<'a>) -> Made<'a> {
    let value = reader.value(node, 0)?;
    let (mut x, flat) = laid(reader, &value)?;
    let weights = weights(reader, node)?;
    let (channels, mut sizes) = sizes_of(reader, x, flat);
    let groups = groups(node)?;
    let fits = weights.dims.len() == sizes.len() + 2 && weights.dims[1].checked_mul(groups) == Some(channels);
    if !fits {
        return Err(format!("expected filters for {channels} channels, found {:?}", weights.dims));
    }
    let (filters, kernel) = (weights.dims[0], weights.dims[2..].to_vec());
    let mut window = Window::read(node, &kernel, &sizes)?;
    let ones = vec![1; sizes.len()];
    let args = match window.args(&sizes, true, &ones) {
        Some(args) => args,
        None => {
            x = window.frame(reader, x, &mut sizes)?;
            window.args(&sizes, true, &ones).unwrap_or_default()
        }
    };
    let mut out = Vec::new();
    for (axis, size) in sizes.iter().enumerate() {
        out.push(window.out(axis, *size, false)?);
    }
    let depthwise = !flat && groups == channels && groups > 1 && filters.is_multiple_of(channels);
    let mut text = if depthwise { kernel[0].to_string() } else { format!("{filters}, {}", kernel[0]) };
    text += &args;
    let kind = match (flat, depthwise) {
        (true, _) => "Conv1d",
        (_, true) => "DepthwiseConv2d",
        _ => "Conv2d",
    };
    if depthwise && filters > channels {
        text += &format!(", multiplier = {}", filters / channels);
    } else if !depthwise && groups > 1 {
        text += &format!(", groups = {groups}");
    }
    if weights.params.len() == 1 {
        text += ", bias = false";
    }
    let y = reader.network.layer(kind, &text, &[x], &shape_of(filters, &out, flat));
    reader.network.params(weights.hint, weights.key, weights.params);
    made(reader, y, flat)
}

pub fn conv_transpose<'a>(reader: &mut Reader<'a, '_>, node: &Node<'a>) -> Made<'a> {
    let value = reader.value(node, 0)?;
    let (x, flat) = laid(reader, &value)?;
    let weights = weights(reader, node)?;
    let (channels, sizes) = sizes_of(reader, x, flat);
    let groups = groups(node)?;
    if flat || weights.dims.len() != 4 || weights.dims[0] != channels {
        return Err(
            "expected images, and filters for their channels\nhelp: the nearest is `ConvTranspose2d`".to_owned()
        );
    }
    if ints(node, "output_shape").is_some() {
        return Err("expected explicit padding, found an output shape".to_owned());
    }
    let (filters, kernel) = (weights.dims[1].saturating_mul(groups), weights.dims[2..].to_vec());
    let window = Window::read(node, &kernel, &sizes)?;
    let more = ints(node, "output_padding").unwrap_or_else(|| vec![0; 2]);
    if more.len() != 2 || more.iter().any(|more| !(0..1 << 16).contains(more)) {
        return Err("expected an output padding for each axis".to_owned());
    }
    let more = [more[0] as usize, more[1] as usize];
    let full =
        [0, 1].map(|axis| (sizes[axis] - 1).saturating_mul(window.stride[axis]) + window.extent(axis) + more[axis]);
    let same_of = |axis: usize| (full[axis] - more[axis]).saturating_sub(sizes[axis] * window.stride[axis]);
    let auto = matches!(text(node, "auto_pad", "NOTSET"), "SAME_UPPER" | "SAME_LOWER");
    let pads = |axis: usize| (window.before[axis], window.after[axis]);
    let is_same = (0..2).all(|axis| {
        let zeros = same_of(axis);
        let given = full[axis] - more[axis] <= sizes[axis] * window.stride[axis];
        let long = sizes[axis] * window.stride[axis] == full[axis] - pads(axis).0 - pads(axis).1;
        pads(axis) == (zeros / 2, zeros - zeros / 2) && long && (more[axis] == 0 || given)
    });
    if auto && !is_same {
        return Err("expected explicit padding".to_owned());
    }
    let alike = window.before == window.after && window.before[0] == window.before[1] && more[0] == more[1];
    let mut args = format!("{filters}, {}", kernel[0]);
    let plain = Window { before: vec![0; 2], after: vec![0; 2], ..window };
    args += &plain.args(&sizes, true, &[1, 1]).unwrap_or_default();
    let zeros = [0, 1].map(|axis| window.before[axis] + window.after[axis]);
    if is_same && (zeros != [0; 2] || more != [0; 2]) {
        args += ", padding = Same";
    } else if alike {
        if window.before[0] > 0 {
            args += &format!(", padding = Pad({})", window.before[0]);
        }
        if more[0] > 0 {
            args += &format!(", output_padding = {}", more[0]);
        }
    } else {
        return Err(
            "expected padding that is alike on both sides\nhelp: the nearest is `ConvTranspose2d` and `Crop2d`"
                .to_owned(),
        );
    }
    if groups > 1 {
        args += &format!(", groups = {groups}");
    }
    if weights.params.len() == 1 {
        args += ", bias = false";
    }
    let out = [0, 1].map(|axis| full[axis].saturating_sub(zeros[axis]));
    let y = reader.network.layer("ConvTranspose2d", &args, &[x], &[filters, out[0], out[1]]);
    reader.network.params(weights.hint, weights.key, weights.params);
    made(reader, y, false)
}

pub fn pool<'a>(reader: &mut Reader<'a, '_>, node: &Node<'a>) -> Made<'a> {
    let value = reader.value(node, 0)?;
    let (x, flat) = laid(reader, &value)?;
    let (channels, sizes) = sizes_of(reader, x, flat);
    let kernel = ints(node, "kernel_shape").unwrap_or_default();
    let kernel: Option<Vec<usize>> = kernel.iter().map(|side| usize::try_from(*side).ok()).collect();
    let kernel = kernel.filter(|kernel| kernel.len() == sizes.len()).ok_or("expected a kernel")?;
    let window = Window::read(node, &kernel, &sizes)?;
    let average = node.operator == "AveragePool";
    if average && window.dilation.iter().any(|dilation| *dilation != 1) {
        return Err("expected windows without gaps\nhelp: the nearest is `AvgPool2d`".to_owned());
    }
    let ceil = int(node, "ceil_mode", 0) != 0;
    let (mut out, mut beyond) = (Vec::new(), false);
    for (axis, size) in sizes.iter().enumerate() {
        let stands = window.out(axis, *size, false)?;
        // A window that begins within the input or its first padding stands too.
        let more = ceil
            && window.out(axis, *size, true)? > stands
            && stands * window.stride[axis] < size + window.before[axis];
        beyond |= more;
        out.push(stands + usize::from(more));
    }
    let mut args =
        window.args(&sizes, true, &window.kernel).ok_or("expected padding that is alike on both sides, or `Same`")?;
    if beyond && args.contains("padding = Same") {
        return Err("expected explicit padding with `ceil_mode`".to_owned());
    }
    args += if beyond { ", ceil_mode = true" } else { "" };
    let kind = match (average, flat) {
        (false, false) => "MaxPool2d",
        (false, true) => "MaxPool1d",
        (true, false) => "AvgPool2d",
        (true, true) => "AvgPool1d",
    };
    let mut text = format!("{}{args}", kernel[0]);
    if average && args.contains("padding") && int(node, "count_include_pad", 0) == 0 {
        text += ", count_include_pad = false";
    }
    let y = reader.network.layer(kind, &text, &[x], &shape_of(channels, &out, flat));
    made(reader, y, flat)
}

/// One number for each channel, over all other dimensions.
pub fn global_pool<'a>(reader: &mut Reader<'a, '_>, node: &Node<'a>) -> Made<'a> {
    let x = reader.value(node, 0)?;
    let view = reader.network.atoms.whole_view(&x.view);
    let global = node.operator.starts_with("Global");
    let axes = match (global, ints(node, "axes")) {
        (true, _) => (2..view.len() as i64).collect(),
        (false, Some(axes)) => axes,
        (false, None) => reader.ints(node, 1)?,
    };
    let mut reduced = Vec::new();
    for axis in axes {
        reduced.push(dim_of(&view, axis)?);
    }
    let kept: Vec<usize> = (0..view.len())
        .filter(|dim| !reduced.contains(dim) && !is_batch(&view[*dim]) && !view[*dim].is_empty())
        .collect();
    let [channel] = kept[..] else {
        return Err(format!(
            "over dimensions {reduced:?} of {:?}\nhelp: the nearest is `GlobalAvgPool`",
            view::sizes(&view)
        ));
    };
    reduced.sort_unstable();
    let mut rest: Vec<_> = reduced.iter().map(|dim| view[*dim].clone()).collect();
    rest.retain(|dim| !dim.is_empty());
    let wanted = match rest.len() {
        // [steps, features]
        0 | 1 => vec![view[0].clone(), rest.concat(), view[channel].clone()],
        _ => vec![view[0].clone(), view[channel].clone(), rest[0].clone(), rest[1..].concat()],
    };
    let from = reader.laid_out(&x, &wanted)?;
    let kind = if node.operator.ends_with("MaxPool") || node.operator == "ReduceMax" {
        "GlobalMaxPool"
    } else {
        "GlobalAvgPool"
    };
    let y = reader.network.layer(kind, "", &[from], &[view::size(&view[channel])]);
    reader.network.axes[y] = vec![view[channel].clone()];
    let keeps = global || int(node, "keepdims", 1) != 0;
    let made = view.iter().enumerate().filter(|(dim, _)| keeps || !reduced.contains(dim));
    let made = made.map(|(dim, atoms)| if reduced.contains(&dim) { Vec::new() } else { atoms.clone() }).collect();
    Ok(vec![reader.made_as(y, made)])
}

pub fn pad<'a>(reader: &mut Reader<'a, '_>, node: &Node<'a>) -> Made<'a> {
    let x = reader.value(node, 0)?;
    let pads = ints(node, "pads").map_or_else(|| reader.ints(node, 1), Ok)?;
    let filled = match reader.held(node, 2) {
        Some(_) => reader.floats(node, 2)?.1 != [0.0],
        None => false,
    };
    let border = match text(node, "mode", "constant") {
        "constant" if !filled => "Zero",
        "reflect" => "Reflection",
        "edge" => "Replication",
        "wrap" => "Circular",
        "constant" => return Err("expected a frame of zeros\nhelp: the nearest is `ZeroPad2d`".to_owned()),
        other => return Err(format!("expected a border that is a layer, found `{other}`")),
    };
    if reader.held(node, 3).is_some() {
        return Err("expected a frame for every dimension, found some of them".to_owned());
    }
    let side = |pad: i64| usize::try_from(pad).ok().filter(|pad| *pad < 1 << 24).ok_or("expected sides of at least 0");
    let ([top, left, bottom, right], flat) = match pads[..] {
        [0, 0, top, left, 0, 0, bottom, right] => ([top, left, bottom, right], false),
        [0, 0, before, 0, 0, after] => ([before, 0, after, 0], true),
        _ => return Err(format!("expected a frame around images, found {pads:?}\nhelp: the nearest is `ZeroPad2d`")),
    };
    let [top, left, bottom, right] = [side(top)?, side(left)?, side(bottom)?, side(right)?];
    let (from, _) = laid(reader, &x)?;
    let (kind, args, shape) = match (&reader.network.shapes[from][..], flat) {
        ([c, h, w], false) => {
            let args = match top == left && left == bottom && bottom == right {
                true => top.to_string(),
                false => format!("0, top = {top}, bottom = {bottom}, left = {left}, right = {right}"),
            };
            ("Pad2d", args, vec![*c, h + top + bottom, w + left + right])
        }
        ([steps, features], true) => {
            let args = match top == bottom {
                true => top.to_string(),
                false => format!("0, before = {top}, after = {bottom}"),
            };
            ("Pad1d", args, vec![steps + top + bottom, *features])
        }
        (found, _) => return Err(format!("expected images or sequences, found {found:?}")),
    };
    let y = reader.network.layer(&format!("{border}{kind}"), &args, &[from], &shape);
    made(reader, y, flat)
}

pub fn resize<'a>(reader: &mut Reader<'a, '_>, node: &Node<'a>) -> Made<'a> {
    let x = reader.value(node, 0)?;
    let from = reader.plain(&x)?;
    let [c, h, w] = reader.network.shapes[from][..] else { return Err("expected images".to_owned()) };
    let place = if node.operator == "Upsample" { 1 } else { 2 };
    let scales: Vec<f32> = match reader.held(node, place) {
        Some(Held::Constant(_)) if !reader.floats(node, place)?.1.is_empty() => reader.floats(node, place)?.1,
        _ => match reader.held(node, 3) {
            Some(Held::Sizes(sizes)) if sizes.len() == 4 => {
                let of = |size: Option<i64>, all: usize| size.unwrap_or(0) as f32 / all as f32;
                vec![1.0, of(sizes[1], c), of(sizes[2], h), of(sizes[3], w)]
            }
            Some(Held::Constant(_)) => {
                let sizes = reader.ints(node, 3)?;
                let sides: Vec<f32> =
                    sizes.iter().skip(1).zip([c, h, w]).map(|(to, from)| *to as f32 / from as f32).collect();
                [vec![1.0], sides].concat()
            }
            _ => return Err("expected scales that are constant".to_owned()),
        },
    };
    let [_, 1.0, rows, columns] = scales[..] else {
        return Err(format!("expected scales of images, found {scales:?}"));
    };
    if !(1.0 / 4096.0..4096.0).contains(&rows) || !(1.0 / 4096.0..4096.0).contains(&columns) {
        return Err(format!("expected scales that fit into memory, found {rows} and {columns}"));
    }
    let size = [rows * h as f32, columns * w as f32];
    let whole = size.iter().all(|size| (size - size.round()).abs() < 1e-4 && size.round() >= 1.0);
    if !whole {
        let help = "help: the nearest is `Resize`, whose sizes are whole";
        return Err(format!("expected sizes that are whole, found {} by {}\n{help}", size[0], size[1]));
    }
    let size = size.map(|size| size.round() as usize);
    let place = text(node, "coordinate_transformation_mode", "half_pixel");
    let (mode, nearest) = (text(node, "mode", "nearest"), text(node, "nearest_mode", "round_prefer_floor"));
    let times = rows.fract() == 0.0 && columns.fract() == 0.0;
    // PyTorch's half pixels are others where one is left.
    let half = place == "half_pixel" || place == "pytorch_half_pixel" && size.iter().all(|size| *size > 1);
    let (mode, corners) = match (mode, place, nearest) {
        ("nearest", "asymmetric", "floor") => ("", false),
        ("nearest", _, "round_prefer_floor") if half && times => ("", false),
        ("linear", ..) if half => (", mode = Bilinear", false),
        ("linear", "align_corners", _) => (", mode = Bilinear", true),
        (mode, ..) => {
            return Err(format!(
                "expected `nearest` or `linear` by half pixels or corners, found `{mode}` by `{place}`"
            ));
        }
    };
    if int(node, "antialias", 0) != 0 {
        return Err("expected images that are not smoothed, found `antialias`".to_owned());
    }
    let (kind, args) = match times && !corners {
        true if rows == columns => ("Upsample", rows.to_string()),
        true => ("Upsample", format!("1, scale_hw = [{rows}, {columns}]")),
        false if size[0] == size[1] => ("Resize", size[0].to_string()),
        false => ("Resize", format!("1, size_hw = {size:?}")),
    };
    let corners = if corners { ", align_corners = true" } else { "" };
    let y = reader.network.layer(kind, &format!("{args}{mode}{corners}"), &[from], &[c, size[0], size[1]]);
    Ok(vec![reader.made(y)])
}
