//! Layers over images: convolutions, pools, frames.

use super::{Call, Held, Reader, pair};
use crate::import::network::Param;

/// What a layer over images makes; nothing where it is another one.
pub fn layer(reader: &mut Reader, call: &Call, x: &Held) -> Option<Result<Held, String>> {
    Some(match call.class {
        "Conv2D" => conv(reader, call, x),
        "DepthwiseConv2D" => depthwise(reader, call, x),
        "SeparableConv2D" => separable(reader, call, x),
        "Conv2DTranspose" => transpose(reader, call, x),
        "MaxPooling2D" => pool(reader, call, x, "MaxPool2d"),
        "AveragePooling2D" => pool(reader, call, x, "AvgPool2d"),
        "GlobalAveragePooling2D" => global(reader, call, x, "GlobalAvgPool"),
        "GlobalMaxPooling2D" => global(reader, call, x, "GlobalMaxPool"),
        "ZeroPadding2D" => frame(reader, call, x, "ZeroPad2d", "padding"),
        "Cropping2D" => frame(reader, call, x, "Crop2d", "cropping"),
        "UpSampling2D" => upsample(reader, call, x),
        "SpatialDropout2D" => {
            let rate = call.settings.number("rate").unwrap_or(0.0) as f32;
            reader.image(x).map(|from| {
                let shape = reader.shape(from);
                let y = reader.layer("Dropout2d", &crate::import::expr::number(rate), &[from], &shape);
                reader.made_image(y)
            })
        }
        _ => return None,
    })
}

fn both(name: &str, [a, b]: [usize; 2], default: usize) -> String {
    match (a == b, a == default) {
        (true, true) => String::new(),
        (true, false) => format!(", {name} = {a}"),
        (false, _) => format!(", {name}_hw = [{a}, {b}]"),
    }
}

/// A window: its arguments behind the kernel, and the size of what it makes.
struct Moved {
    args: String,
    out: [usize; 2],
}

fn moved(call: &Call, [h, w]: [usize; 2], kernel: [usize; 2]) -> Result<Moved, String> {
    let (stride, dilation) =
        (call.settings.pair("strides")?, call.settings.get("dilation_rate").and_then(pair).unwrap_or([1; 2]));
    call.settings.only("padding", &["same", "valid"])?;
    let same = call.settings.text("padding") == Some("same");
    let mut args = if kernel[0] == kernel[1] { String::new() } else { format!(", kernel_hw = {kernel:?}") };
    args += &both("stride", stride, 1);
    args += &both("dilation", dilation, 1);
    if same && (kernel != [1; 2] || stride != [1; 2]) {
        args += ", padding = Same";
    }
    let mut out = [0; 2];
    for axis in 0..2 {
        let (size, kernel, stride) = ([h, w][axis], kernel[axis], stride[axis]);
        if kernel == 0 || stride == 0 || dilation[axis] == 0 {
            return Err("expected kernels, strides and dilations of at least 1".to_owned());
        }
        let extent = (kernel - 1) * dilation[axis] + 1;
        out[axis] = match same {
            true => size.div_ceil(stride),
            false => match size.checked_sub(extent) {
                Some(room) => room / stride + 1,
                None => return Err(format!("expected an input of at least {extent}, found {size}")),
            },
        };
    }
    Ok(Moved { args, out })
}

fn image(reader: &mut Reader, x: &Held) -> Result<(usize, usize, [usize; 2]), String> {
    let from = reader.image(x)?;
    let [c, h, w] = reader.shape(from)[..] else { return Err("expected images".to_owned()) };
    Ok((from, c, [h, w]))
}

fn bias(call: &Call) -> &'static str {
    if call.settings.flag("use_bias", true) { "" } else { ", bias = false" }
}

fn conv(reader: &mut Reader, call: &Call, x: &Held) -> Result<Held, String> {
    let (from, _, size) = image(reader, x)?;
    let (filters, kernel) = (call.settings.count("filters")?, call.settings.pair("kernel_size")?);
    let moved = moved(call, size, kernel)?;
    let groups = call.settings.get("groups").map_or(Ok(1), |_| call.settings.count("groups"))?;
    let groups = if groups == 1 { String::new() } else { format!(", groups = {groups}") };
    let args = format!("{filters}, {}{}{groups}{}", kernel[0], moved.args, bias(call));
    let y = reader.layer("Conv2d", &args, &[from], &[filters, moved.out[0], moved.out[1]]);
    reader.params(call)?;
    Ok(reader.made_image(y))
}

fn depthwise(reader: &mut Reader, call: &Call, x: &Held) -> Result<Held, String> {
    let (from, channels, size) = image(reader, x)?;
    let (kernel, multiplier) = (call.settings.pair("kernel_size")?, call.settings.count("depth_multiplier")?);
    let moved = moved(call, size, kernel)?;
    let times = if multiplier == 1 { String::new() } else { format!(", multiplier = {multiplier}") };
    let args = format!("{}{}{times}{}", kernel[0], moved.args, bias(call));
    let y = reader.layer(
        "DepthwiseConv2d",
        &args,
        &[from],
        &[channels.saturating_mul(multiplier), moved.out[0], moved.out[1]],
    );
    reader.params(call)?;
    Ok(reader.made_image(y))
}

fn separable(reader: &mut Reader, call: &Call, x: &Held) -> Result<Held, String> {
    let (from, _, size) = image(reader, x)?;
    let (filters, kernel) = (call.settings.count("filters")?, call.settings.pair("kernel_size")?);
    let multiplier = call.settings.count("depth_multiplier")?;
    let moved = moved(call, size, kernel)?;
    let times = if multiplier == 1 { String::new() } else { format!(", multiplier = {multiplier}") };
    let args = format!("{filters}, {}{}{times}{}", kernel[0], moved.args, bias(call));
    let y = reader.layer("SeparableConv2d", &args, &[from], &[filters, moved.out[0], moved.out[1]]);
    reader.params(call)?;
    Ok(reader.made_image(y))
}

fn transpose(reader: &mut Reader, call: &Call, x: &Held) -> Result<Held, String> {
    let (from, _, size) = image(reader, x)?;
    let (filters, kernel, stride) =
        (call.settings.count("filters")?, call.settings.pair("kernel_size")?, call.settings.pair("strides")?);
    if call.settings.get("output_padding").is_some() {
        return Err(
            "expected no `output_padding`\nhelp: the nearest is `ConvTranspose2d` with `output_padding`".to_owned()
        );
    }
    if call.settings.get("dilation_rate").and_then(pair).is_some_and(|dilation| dilation != [1; 2]) {
        return Err("expected no dilation".to_owned());
    }
    call.settings.only("padding", &["same", "valid"])?;
    if (0..2).any(|axis| kernel[axis] < stride[axis]) {
        return Err(format!("expected a kernel of at least the stride, found {kernel:?} and {stride:?}"));
    }
    let same = call.settings.text("padding") == Some("same");
    let mut args = format!("{filters}, {}", kernel[0]);
    args += &if kernel[0] == kernel[1] { String::new() } else { format!(", kernel_hw = {kernel:?}") };
    args += &both("stride", stride, 1);
    args += if same { ", padding = Same" } else { "" };
    args += bias(call);
    let out =
        [0, 1].map(|axis| size[axis].saturating_mul(stride[axis]) + if same { 0 } else { kernel[axis] - stride[axis] });
    let y = reader.layer("ConvTranspose2d", &args, &[from], &[filters, out[0], out[1]]);
    reader.params(call)?;
    Ok(reader.made_image(y))
}

fn pool(reader: &mut Reader, call: &Call, x: &Held, kind: &str) -> Result<Held, String> {
    let (from, channels, size) = image(reader, x)?;
    let (kernel, stride) = (call.settings.pair("pool_size")?, call.settings.pair("strides")?);
    let moved = moved(call, size, kernel)?;
    // The stride is the kernel where nothing is said.
    let mut args = moved.args.replacen(&both("stride", stride, 1), "", 1);
    if stride != kernel {
        let said = if stride[0] == stride[1] {
            format!(", stride = {}", stride[0])
        } else {
            format!(", stride_hw = {stride:?}")
        };
        let at = args.find(", padding").unwrap_or(args.len());
        args.insert_str(at, &said);
    }
    if kind == "AvgPool2d" && args.contains("padding") {
        args += ", count_include_pad = false";
    }
    let y = reader.layer(kind, &format!("{}{args}", kernel[0]), &[from], &[channels, moved.out[0], moved.out[1]]);
    Ok(reader.made_image(y))
}

fn global(reader: &mut Reader, call: &Call, x: &Held, kind: &str) -> Result<Held, String> {
    let (from, channels, _) = image(reader, x)?;
    let y = reader.layer(kind, "", &[from], &[channels]);
    let mut made = reader.plain(y);
    if call.settings.flag("keepdims", false) {
        made.view.insert(1, Vec::new());
        made.view.insert(1, Vec::new());
    }
    Ok(made)
}

fn frame(reader: &mut Reader, call: &Call, x: &Held, kind: &str, setting: &str) -> Result<Held, String> {
    let (from, channels, [h, w]) = image(reader, x)?;
    let sides = call.settings.get(setting).and_then(serde_json::Value::as_array);
    let sides: Option<Vec<[usize; 2]>> = sides.and_then(|sides| sides.iter().map(pair).collect());
    let Some([[top, bottom], [left, right]]) = sides.as_deref() else {
        return Err(format!("expected rows and columns as `{setting}`"));
    };
    let alike = [bottom, left, right].iter().all(|side| *side == top);
    let args = match alike {
        true => top.to_string(),
        false => format!("0, top = {top}, bottom = {bottom}, left = {left}, right = {right}"),
    };
    let out = match kind {
        "Crop2d" => [h.checked_sub(top + bottom), w.checked_sub(left + right)],
        _ => [Some(h + top + bottom), Some(w + left + right)],
    };
    let [Some(rows), Some(columns)] = out else { return Err("expected less to cut off than there is".to_owned()) };
    let y = reader.layer(kind, &args, &[from], &[channels, rows, columns]);
    Ok(reader.made_image(y))
}

fn upsample(reader: &mut Reader, call: &Call, x: &Held) -> Result<Held, String> {
    let (from, channels, [h, w]) = image(reader, x)?;
    let [rows, columns] = call.settings.pair("size")?;
    call.settings.only("interpolation", &["nearest", "bilinear"])?;
    let mode = if call.settings.text("interpolation") == Some("bilinear") { ", mode = Bilinear" } else { "" };
    let scale = if rows == columns { rows.to_string() } else { format!("1, scale_hw = [{rows}, {columns}]") };
    let shape = [channels, h.saturating_mul(rows), w.saturating_mul(columns)];
    let y = reader.layer("Upsample", &format!("{scale}{mode}"), &[from], &shape);
    Ok(reader.made_image(y))
}

/// A dense layer at each pixel: a convolution of one pixel.
pub fn pixelwise(reader: &mut Reader, call: &Call, x: &Held, units: usize) -> Result<Held, String> {
    let (from, _, [h, w]) = image(reader, x)?;
    let params = reader.taken(call)?.into_iter().map(|param| match param.name {
        "weight" => Param { dims: [&param.dims[..], &[1, 1]].concat(), ..param },
        _ => param,
    });
    let params: Vec<Param> = params.collect();
    let y = reader.layer("Conv2d", &format!("{units}, 1{}", bias(call)), &[from], &[units, h, w]);
    reader.params_as(call, params)?;
    Ok(reader.made_image(y))
}
