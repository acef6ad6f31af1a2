//! Layers over rows and steps: products, recurrences, moves.

use super::words::said;
use super::{Call, Held, Reader, activations, images, norms};
use crate::import::expr::number;
use crate::import::view::{self, BATCH};

/// What a layer makes of one value; nothing where it is another one.
pub fn layer(reader: &mut Reader, call: &Call, x: &Held) -> Option<Result<Held, String>> {
    let settings = &call.settings;
    let setting = |name: &str, default: f64| settings.number(name).unwrap_or(default) as f32;
    Some(match call.class {
        "Dense" => dense(reader, call, x),
        "Embedding" => embedding(reader, call, x),
        "Conv1D" => conv1d(reader, call, x),
        "Conv1DTranspose" => conv1d_transpose(reader, call, x),
        "MaxPooling1D" => pool(reader, call, x, "MaxPool1d"),
        "AveragePooling1D" => pool(reader, call, x, "AvgPool1d"),
        "GlobalAveragePooling1D" => global(reader, call, x, "GlobalAvgPool"),
        "GlobalMaxPooling1D" => global(reader, call, x, "GlobalMaxPool"),
        "LSTM" | "GRU" | "SimpleRNN" => recurrent(reader, call, x, call.class, settings, None),
        "Bidirectional" => both_ways(reader, call, x),
        "BatchNormalization" => norms::batch_norm(reader, call, x),
        "LayerNormalization" | "RMSNormalization" => norms::layer_norm(reader, call, x),
        "GroupNormalization" => norms::group_norm(reader, call, x),
        "Normalization" => norms::normalization(reader, call, x),
        "PReLU" => norms::prelu(reader, call, x),
        "Activation" => match settings.text("activation") {
            Some(name) => activations::activation(reader, name, x),
            None => Err("expected an activation by its name".to_owned()),
        },
        "ReLU" => activations::relu(reader, call, x),
        "LeakyReLU" => {
            let slope = setting("negative_slope", f64::from(setting("alpha", 0.3)));
            Ok(reader.same("LeakyRelu", &said("slope", slope, 0.01), x))
        }
        "ELU" => Ok(reader.same("Elu", &said("alpha", setting("alpha", 1.0), 1.0), x)),
        "Softmax" => match settings.list("axis") {
            None => activations::activation(reader, "softmax", x),
            Some(axes) if axes == [-1] => activations::activation(reader, "softmax", x),
            Some(axes) => Err(format!("expected the last axis, found {axes:?}")),
        },
        "Dropout" => Ok(reader.same("Dropout", &number(setting("rate", 0.0)), x)),
        "GaussianNoise" | "GaussianDropout" | "AlphaDropout" | "SpatialDropout1D" => {
            let note =
                format!("left out: `{}`, a `{}`, which does nothing where it is not trained", call.label, call.class);
            reader.notes.push(note);
            Ok(x.clone())
        }
        "ActivityRegularization" | "Identity" => Ok(x.clone()),
        "Rescaling" => match (settings.number("scale"), settings.number("offset")) {
            (Some(scale), offset) => {
                let offset = offset.unwrap_or(0.0) as f32;
                let more = if offset == 0.0 { String::new() } else { format!(" + {}", number(offset)) };
                activations::formula(reader, &format!("x * {}{more}", number(scale as f32)), x)
            }
            _ => Err("expected one number as `scale`".to_owned()),
        },
        "Flatten" => flatten(reader, x),
        "Reshape" => reshape(reader, call, x),
        "Permute" => permute(reader, call, x),
        _ => return None,
    })
}

fn bias(call: &Call) -> &'static str {
    if call.settings.flag("use_bias", true) { "" } else { ", bias = false" }
}

fn dense(reader: &mut Reader, call: &Call, x: &Held) -> Result<Held, String> {
    let units = call.settings.count("units")?;
    let kind = match x.view.len() {
        2 => "Dense",
        3 => "DensePerStep",
        4 => return images::pixelwise(reader, call, x, units),
        _ => return Err(format!("expected at most images, found {:?}", reader.sizes(x))),
    };
    let from = reader.as_keras(x)?;
    let mut shape = reader.shape(from);
    if let Some(last) = shape.last_mut() {
        *last = units;
    }
    let y = reader.layer(kind, &format!("{units}{}", bias(call)), &[from], &shape);
    reader.params(call)?;
    Ok(reader.plain(y))
}

fn embedding(reader: &mut Reader, call: &Call, x: &Held) -> Result<Held, String> {
    if call.settings.flag("mask_zero", false) {
        let help = "help: declare the mask as an input, `(x, mask) -> …`, and import without `mask_zero`";
        return Err(format!("expected no mask, found `mask_zero`\n{help}"));
    }
    let (rows, features) = (call.settings.count("input_dim")?, call.settings.count("output_dim")?);
    let from = reader.as_keras(x)?;
    let [steps] = reader.shape(from)[..] else { return Err("expected ids of [steps]".to_owned()) };
    let y = reader.layer("Embedding", &format!("{rows}, {features}"), &[from], &[steps, features]);
    reader.params(call)?;
    Ok(reader.plain(y))
}

/// What a window along the steps says behind the kernel, and how many steps it makes.
fn window(call: &Call, steps: usize, kernel: usize, default_stride: usize) -> Result<(String, usize), String> {
    let stride = call.settings.single("strides")?;
    let dilation = call.settings.get("dilation_rate").map_or(Ok(1), |_| call.settings.single("dilation_rate"))?;
    if kernel == 0 || stride == 0 || dilation == 0 {
        return Err("expected kernels, strides and dilations of at least 1".to_owned());
    }
    call.settings.only("padding", &["same", "valid", "causal"])?;
    let mut args = if stride == default_stride { String::new() } else { format!(", stride = {stride}") };
    args += &if dilation == 1 { String::new() } else { format!(", dilation = {dilation}") };
    let extent = (kernel - 1) * dilation + 1;
    let padding = call.settings.text("padding").unwrap_or("valid");
    Ok(match padding {
        "valid" => match steps.checked_sub(extent) {
            Some(room) => (args, room / stride + 1),
            None => return Err(format!("expected at least {extent} steps, found {steps}")),
        },
        padding => {
            let word = if padding == "same" { ", padding = Same" } else { ", padding = Causal" };
            (args + if kernel == 1 && stride == 1 { "" } else { word }, steps.div_ceil(stride))
        }
    })
}

fn conv1d(reader: &mut Reader, call: &Call, x: &Held) -> Result<Held, String> {
    let from = reader.steps(x)?;
    let (filters, kernel) = (call.settings.count("filters")?, call.settings.single("kernel_size")?);
    let (args, steps) = window(call, reader.shape(from)[0], kernel, 1)?;
    let groups = call.settings.get("groups").map_or(Ok(1), |_| call.settings.count("groups"))?;
    let groups = if groups == 1 { String::new() } else { format!(", groups = {groups}") };
    let y =
        reader.layer("Conv1d", &format!("{filters}, {kernel}{args}{groups}{}", bias(call)), &[from], &[steps, filters]);
    reader.params(call)?;
    Ok(reader.plain(y))
}

fn conv1d_transpose(reader: &mut Reader, call: &Call, x: &Held) -> Result<Held, String> {
    let from = reader.steps(x)?;
    let (filters, kernel, stride) =
        (call.settings.count("filters")?, call.settings.single("kernel_size")?, call.settings.single("strides")?);
    if call.settings.get("output_padding").is_some() || kernel < stride {
        return Err("expected a kernel of at least the stride, and no `output_padding`".to_owned());
    }
    if call.settings.get("dilation_rate").and_then(super::pair).is_some_and(|dilation| dilation != [1; 2]) {
        return Err("expected no dilation".to_owned());
    }
    call.settings.only("padding", &["same", "valid"])?;
    let same = call.settings.text("padding") == Some("same");
    let steps = reader.shape(from)[0].saturating_mul(stride) + if same { 0 } else { kernel - stride };
    let mut args = format!("{filters}, {kernel}");
    args += &if stride == 1 { String::new() } else { format!(", stride = {stride}") };
    args += if same { ", padding = Same" } else { "" };
    let y = reader.layer("ConvTranspose1d", &(args + bias(call)), &[from], &[steps, filters]);
    reader.params(call)?;
    Ok(reader.plain(y))
}

fn pool(reader: &mut Reader, call: &Call, x: &Held, kind: &str) -> Result<Held, String> {
    let from = reader.steps(x)?;
    let kernel = call.settings.single("pool_size")?;
    let shape = reader.shape(from);
    let (mut args, steps) = window(call, shape[0], kernel, kernel)?;
    if kind == "AvgPool1d" && args.contains("padding") {
        args += ", count_include_pad = false";
    }
    let y = reader.layer(kind, &format!("{kernel}{args}"), &[from], &[steps, shape[1]]);
    Ok(reader.plain(y))
}

fn global(reader: &mut Reader, call: &Call, x: &Held, kind: &str) -> Result<Held, String> {
    let from = reader.steps(x)?;
    let features = reader.shape(from)[1];
    let y = reader.layer(kind, "", &[from], &[features]);
    let mut made = reader.plain(y);
    if call.settings.flag("keepdims", false) {
        made.view.insert(1, Vec::new());
    }
    Ok(made)
}

fn both_ways(reader: &mut Reader, call: &Call, x: &Held) -> Result<Held, String> {
    call.settings.only("merge_mode", &["concat"])?;
    let inner = |name: &str| call.settings.get(name);
    let class = inner("layer").and_then(|layer| layer.get("class_name")).and_then(serde_json::Value::as_str);
    let class = class.filter(|class| matches!(*class, "LSTM" | "GRU" | "SimpleRNN"));
    let class = class.ok_or("expected an `LSTM`, `GRU` or `SimpleRNN` both ways")?;
    let settings = super::Settings::of(inner("layer").and_then(|layer| layer.get("config")));
    recurrent(reader, call, x, class, &settings, Some("Both"))
}

fn recurrent(
    reader: &mut Reader,
    call: &Call,
    x: &Held,
    class: &str,
    settings: &super::Settings,
    direction: Option<&str>,
) -> Result<Held, String> {
    let kind = match class {
        "LSTM" => "Lstm",
        "GRU" => "Gru",
        _ => "Rnn",
    };
    let relu = class == "SimpleRNN" && settings.text("activation") == Some("relu");
    settings.only("activation", if class == "SimpleRNN" { &["tanh", "relu"] } else { &["tanh"] })?;
    settings.only("recurrent_activation", &["sigmoid"])?;
    settings.only("stateful", &["false"])?;
    settings.only("return_state", &["false"])?;
    settings.only("time_major", &["false"])?;
    let (units, all) = (settings.count("units")?, settings.flag("return_sequences", false));
    let backward = settings.flag("go_backwards", false);
    if backward && (all || direction.is_some()) {
        let help = "help: the nearest is `direction = Backward`, whose steps stay in their order";
        return Err(format!("expected the last output alone of `go_backwards`\n{help}"));
    }
    let mut args = units.to_string();
    let way = direction.or(backward.then_some("Backward"));
    args += &way.map_or(String::new(), |way| format!(", direction = {way}"));
    args += if all { "" } else { ", last = true" };
    args += if relu { ", relu = true" } else { "" };
    args += if class == "GRU" && !settings.flag("reset_after", true) { ", reset_after = false" } else { "" };
    args += if settings.flag("use_bias", true) { "" } else { ", bias = false" };
    let from = reader.steps(x)?;
    let width = if direction.is_some() { 2 * units } else { units };
    let steps = reader.shape(from)[0];
    let shape = if all { vec![steps, width] } else { vec![width] };
    let y = reader.layer(kind, &args, &[from], &shape);
    reader.params(call)?;
    Ok(reader.plain(y))
}

fn flatten(reader: &mut Reader, x: &Held) -> Result<Held, String> {
    let view = reader.network.atoms.whole_view(&x.view);
    let flat = vec![view[0].clone(), view[1..].concat()];
    // What is one line already may stay as it is; else it becomes one when it is read.
    let base = reader.laid_out(x, &flat)?;
    Ok(reader.plain(base))
}

fn reshape(reader: &mut Reader, call: &Call, x: &Held) -> Result<Held, String> {
    let sizes = call.settings.list("target_shape").ok_or("expected sizes as `target_shape`")?;
    let all: usize = reader.sizes(x).iter().product();
    let known: usize = sizes.iter().filter(|size| **size > 0).map(|size| *size as usize).product();
    let of = |size: &i64| match *size {
        -1 => all.checked_div(known).unwrap_or(0),
        size => usize::try_from(size).unwrap_or(0),
    };
    let shape: Vec<usize> = sizes.iter().map(of).collect();
    if shape.is_empty() || shape.iter().product::<usize>() != all || shape.len() > 6 {
        return Err(format!("expected a shape of {all} numbers, found {sizes:?}"));
    }
    let wanted: Vec<view::Size> = std::iter::once(None).chain(shape.iter().map(|size| Some(*size as i64))).collect();
    if let Some(view) = reader.network.atoms.reshape(&x.view, &wanted) {
        return Ok(Held { view, ..x.clone() });
    }
    let from = reader.as_keras(x)?;
    let y = reader.layer("Reshape", &format!("{shape:?}"), &[from], &shape);
    Ok(reader.plain(y))
}

fn permute(reader: &mut Reader, call: &Call, x: &Held) -> Result<Held, String> {
    let dims = call.settings.list("dims").ok_or("expected dimensions as `dims`")?;
    let mut sorted = dims.clone();
    sorted.sort_unstable();
    if sorted != (1..x.view.len() as i64).collect::<Vec<i64>>() {
        return Err(format!("expected each dimension once, found {dims:?}"));
    }
    let view = reader.network.atoms.whole_view(&x.view);
    let turned = std::iter::once(vec![BATCH]).chain(dims.iter().map(|dim| view[*dim as usize].clone()));
    Ok(Held { view: turned.collect(), ..x.clone() })
}
