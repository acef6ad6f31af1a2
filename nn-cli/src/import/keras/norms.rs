//! Norms, and slopes for each channel.

use super::words::{joined, said};
use super::{Call, Held, Reader};
use crate::import::network::Param;

/// The axis of the channels, where it is not the one that layers take of themselves.
fn axis_arg(axis: usize, rank: usize) -> String {
    let default = if rank == 2 { 1 } else { 0 };
    if axis == default { String::new() } else { format!("axis = {axis}") }
}

/// Refuses an axis that is not the last.
fn last_axis(call: &Call, x: &Held) -> Result<(), String> {
    let rank = x.view.len() as i64;
    match call.settings.list("axis") {
        None => Ok(()),
        Some(axes) if axes == [-1] || axes == [rank - 1] => Ok(()),
        Some(axes) => Err(format!("expected the last axis, found {axes:?}")),
    }
}

fn eps(call: &Call, default: f32) -> String {
    said("eps", call.settings.number("epsilon").unwrap_or(1e-3) as f32, default)
}

pub fn batch_norm(reader: &mut Reader, call: &Call, x: &Held) -> Result<Held, String> {
    last_axis(call, x)?;
    let (x, axis) = reader.channels(x)?;
    let shape = reader.shape(x.base);
    // Keras has the weight of what was, here it is that of the batch.
    let momentum = call.settings.number("momentum").unwrap_or(0.99);
    let momentum = ((1.0 - momentum) * 1e6).round() / 1e6;
    let affine = call.settings.flag("scale", true) || call.settings.flag("center", true);
    let args = joined(&[
        eps(call, 1e-5),
        said("momentum", momentum as f32, 0.1),
        axis_arg(axis, shape.len()),
        if affine { String::new() } else { "affine = false".to_owned() },
    ]);
    let y = reader.layer("BatchNorm", &args, &[x.base], &shape);
    reader.params(call)?;
    Ok(reader.like(y, &x))
}

pub fn layer_norm(reader: &mut Reader, call: &Call, x: &Held) -> Result<Held, String> {
    let rank = x.view.len() as i64;
    let axes = call.settings.list("axis").unwrap_or(vec![-1]);
    let mut dims: Vec<i64> = axes.iter().map(|axis| if *axis < 0 { axis + rank } else { *axis }).collect();
    dims.sort_unstable();
    let count = dims.len() as i64;
    if count == 0 || count >= rank || dims != ((rank - count)..rank).collect::<Vec<i64>>() {
        return Err(format!("expected the last axes, found {axes:?}"));
    }
    let from = reader.as_keras(x)?;
    let shape = reader.shape(from);
    let axes = if count == 1 { String::new() } else { format!("axes = {count}") };
    let rms = call.class == "RMSNormalization" || call.settings.flag("rms_scaling", false);
    let affine = rms || call.settings.flag("scale", true) || call.settings.flag("center", true);
    let affine = if affine { String::new() } else { "affine = false".to_owned() };
    let (kind, eps) = match rms {
        true => ("RmsNorm", said("eps", call.settings.number("epsilon").unwrap_or(1e-6) as f32, 1e-6)),
        false => ("LayerNorm", eps(call, 1e-5)),
    };
    let has_params = affine.is_empty();
    let y = reader.layer(kind, &joined(&[axes, eps, affine]), &[from], &shape);
    if has_params {
        reader.params(call)?;
    }
    let from = reader.plain(from);
    Ok(reader.like(y, &from))
}

pub fn group_norm(reader: &mut Reader, call: &Call, x: &Held) -> Result<Held, String> {
    last_axis(call, x)?;
    let (x, axis) = reader.channels(x)?;
    let shape = reader.shape(x.base);
    let groups = match call.settings.get("groups").and_then(serde_json::Value::as_i64) {
        // Each channel its own.
        Some(-1) => shape[axis],
        _ => call.settings.count("groups")?,
    };
    let affine = call.settings.flag("scale", true) || call.settings.flag("center", true);
    let affine = if affine { String::new() } else { "affine = false".to_owned() };
    let has_params = affine.is_empty();
    let args = joined(&[groups.to_string(), eps(call, 1e-5), axis_arg(axis, shape.len()), affine]);
    let y = reader.layer("GroupNorm", &args, &[x.base], &shape);
    if has_params {
        reader.params(call)?;
    }
    Ok(reader.like(y, &x))
}

pub fn normalization(reader: &mut Reader, call: &Call, x: &Held) -> Result<Held, String> {
    last_axis(call, x)?;
    if call.settings.flag("invert", false) {
        return Err("expected a layer that normalises, found `invert`".to_owned());
    }
    let (x, axis) = reader.channels(x)?;
    let shape = reader.shape(x.base);
    let mut params = reader.taken(call)?;
    if params.is_empty() {
        let given = |name: &str| -> Option<Vec<f32>> {
            let list = call.settings.get(name)?.as_array()?;
            list.iter().map(|value| value.as_f64().map(|value| value as f32)).collect()
        };
        let (mean, variance) = (given("mean"), given("variance"));
        let (Some(mean), Some(variance)) = (mean, variance) else {
            return Err("expected a mean and a variance of each feature".to_owned());
        };
        let std = variance.iter().map(|variance| variance.sqrt()).collect();
        let len = shape[axis];
        params = [("mean", mean), ("std", std)].map(|(name, values)| Param::new(name, &[len], values)).into();
    }
    for param in &mut params {
        if param.values.len() != shape[axis] {
            return Err(format!("expected {} numbers as `{}`, found {}", shape[axis], param.name, param.values.len()));
        }
        // Keras divides by no less, where a deviation of 0 counts as 1 here.
        if param.name == "std" {
            param.values.iter_mut().for_each(|std| *std = std.max(1e-7));
        }
    }
    let y = reader.layer("Normalization", &axis_arg(axis, shape.len()), &[x.base], &shape);
    reader.params_as(call, params)?;
    Ok(reader.like(y, &x))
}

pub fn prelu(reader: &mut Reader, call: &Call, x: &Held) -> Result<Held, String> {
    let (x, axis) = reader.channels(x)?;
    let shape = reader.shape(x.base);
    let args = joined(&["per_channel = true".to_owned(), axis_arg(axis, shape.len())]);
    let y = reader.layer("Prelu", &args, &[x.base], &shape);
    reader.params(call)?;
    Ok(reader.like(y, &x))
}
