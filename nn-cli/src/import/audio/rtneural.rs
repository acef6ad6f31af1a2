//! RTNeural's JSON: layers one after the other, each with its weights as Keras has them. In: JSON; out: a
//! network of steps.

use serde_json::Value;

use super::{Chain, count};
use crate::import::expr::number;
use crate::import::network::{Network, Param};
use crate::keras::layout::{self, Array};
use crate::tensor::Element;

pub fn read(json: &Value) -> Result<(Network, Vec<String>), String> {
    let layers = json.get("layers").and_then(Value::as_array).ok_or("expected `layers`")?;
    let shape = json.get("in_shape").and_then(Value::as_array).filter(|shape| (2..=3).contains(&shape.len()));
    let shape = shape.ok_or("expected [batch, steps, features] as `in_shape`")?;
    let mut chain = Chain::new(count(shape.last(), "in_shape")?);
    let mut x = 0;
    for (i, layer) in layers.iter().enumerate() {
        let kind = layer.get("type").and_then(Value::as_str).unwrap_or("");
        x = one(&mut chain, layer, kind, x, i).map_err(|why| format!("layer {i}, `{}`: {why}", kind.escape_debug()))?;
    }
    let note = "silence: a stream begins as zeros, as RTNeural does behind `reset`".to_owned();
    Ok((chain.done(x)?, vec![note]))
}

fn one(chain: &mut Chain, layer: &Value, kind: &str, x: usize, i: usize) -> Result<usize, String> {
    let width = chain.features(x);
    let class = match kind {
        "dense" | "time-distributed-dense" => "Dense",
        "conv1d" => "Conv1D",
        "lstm" => "LSTM",
        "gru" => "GRU",
        "batchnorm" => "BatchNormalization",
        "prelu" => "PReLU",
        "activation" => return activation(chain, layer, x),
        "unknown" => {
            let help = "help: RTNeural passes over it, and predicts something else than what was trained";
            return Err(format!("expected a layer that the exporter knew, found one that it did not\n{help}"));
        }
        other => {
            return Err(format!(
                "expected dense, conv1d, lstm, gru, batchnorm, prelu or activation, found `{}`",
                other.escape_debug()
            ));
        }
    };
    let arrays = arrays(layer.get("weights").ok_or("expected `weights`")?)?;
    let shapes: Vec<&[usize]> = arrays.iter().map(|array| &array.shape[..]).collect();
    // Without scale and center it has a mean and a variance alone.
    let mut params = Vec::new();
    for param in layout::params(class, &shapes, None)? {
        let tensor = param.read("", &arrays)?;
        params.push(Param { name: param.name, dims: tensor.shape.clone(), values: tensor.to_f32()? });
    }
    let dims = params.first().map(|param| param.dims.clone()).ok_or("expected weights, found none")?;
    let label = format!("{}{}", class.to_lowercase(), i + 1).replace("batchnormalization", "norm");
    let fits = |inputs: usize| match inputs == width {
        true => Ok(()),
        false => Err(format!("expected weights for {width} features, found them for {inputs}")),
    };
    let y = match (class, &dims[..]) {
        ("Dense", [units, inputs]) => {
            fits(*inputs)?;
            let bias = if params.len() == 1 { ", bias = false" } else { "" };
            chain.layer("DensePerStep", &format!("{units}{bias}"), &[x], *units)
        }
        ("Conv1D", [filters, inputs, kernel]) => {
            let groups = layer.get("groups").map_or(Ok(1), |groups| count(Some(groups), "groups"))?;
            fits(inputs.checked_mul(groups).ok_or("expected groups that can be counted")?)?;
            let dilation = layer.get("dilation").map(|of| of.get(0).unwrap_or(of));
            let dilation = dilation.map_or(Ok(1), |dilation| count(Some(dilation), "dilation"))?;
            if layer.get("strides").is_some_and(|of| of.get(0).unwrap_or(of) != 1) {
                return Err("expected a stride of 1".to_owned());
            }
            let dilation = if dilation == 1 { String::new() } else { format!(", dilation = {dilation}") };
            let causal = if *kernel == 1 { "" } else { ", padding = Causal" };
            let groups = if groups == 1 { String::new() } else { format!(", groups = {groups}") };
            let bias = if params.len() == 1 { ", bias = false" } else { "" };
            chain.layer("Conv1d", &format!("{filters}, {kernel}{dilation}{causal}{groups}{bias}"), &[x], *filters)
        }
        ("LSTM" | "GRU", [rows, inputs]) => {
            fits(*inputs)?;
            let (name, gates) = if class == "LSTM" { ("Lstm", 4) } else { ("Gru", 3) };
            let bias = if params.len() == 2 { ", bias = false" } else { "" };
            chain.layer(name, &format!("{}{bias}", rows / gates), &[x], rows / gates)
        }
        ("BatchNormalization", [features]) => {
            fits(*features)?;
            let eps = layer.get("epsilon").and_then(Value::as_f64).unwrap_or(1e-3) as f32;
            let affine = if params.len() == 2 { ", affine = false" } else { "" };
            chain.layer("BatchNorm", &format!("eps = {}{affine}", number(eps)), &[x], width)
        }
        ("PReLU", [slopes]) => {
            let one = *slopes == 1 && width > 1;
            if !one {
                fits(*slopes)?;
            }
            chain.layer("Prelu", if one { "" } else { "per_channel = true" }, &[x], width)
        }
        _ => return Err(format!("expected the weights of `{kind}`, found shapes {shapes:?}")),
    };
    chain.params(&label, params);
    match class {
        // The cell's own, which is told as if it came after.
        "LSTM" | "GRU" => match layer.get("activation").and_then(Value::as_str) {
            None | Some("" | "tanh") => Ok(y),
            Some(other) => Err(format!("expected a cell with tanh, found `{}`", other.escape_debug())),
        },
        _ => activation(chain, layer, y),
    }
}

fn activation(chain: &mut Chain, layer: &Value, x: usize) -> Result<usize, String> {
    let name = layer.get("activation").and_then(Value::as_str).unwrap_or("");
    let kind = match name.to_ascii_lowercase().as_str() {
        "" | "linear" => return Ok(x),
        "tanh" => "Tanh",
        "relu" => "Relu",
        "sigmoid" => "Sigmoid",
        "softmax" => "Softmax",
        "elu" => "Elu",
        _ => return Err(format!("expected an activation that is a layer here, found `{}`", name.escape_debug())),
    };
    let features = chain.features(x);
    Ok(chain.layer(kind, "", &[x], features))
}

/// Arrays that are lists within lists.
fn arrays(value: &Value) -> Result<Vec<Array>, String> {
    let list = value.as_array().ok_or("expected a list of arrays as `weights`")?;
    list.iter().map(array).collect()
}

fn array(value: &Value) -> Result<Array, String> {
    let mut shape = Vec::new();
    let mut inner = value;
    while let Some(list) = inner.as_array() {
        if shape.len() == 8 {
            return Err("expected arrays of at most 8 dimensions".to_owned());
        }
        shape.push(list.len());
        inner = list.first().ok_or("expected arrays of at least one number")?;
    }
    let mut bytes = Vec::new();
    flat(value, &shape, &mut bytes)?;
    Ok(Array { element: Element::F32, shape, bytes })
}

fn flat(value: &Value, shape: &[usize], to: &mut Vec<u8>) -> Result<(), String> {
    match (shape, value) {
        ([], value) => {
            let number = value.as_f64().filter(|number| number.is_finite());
            to.extend((number.ok_or("expected finite numbers as weights")? as f32).to_le_bytes());
            Ok(())
        }
        ([len, rest @ ..], Value::Array(list)) if list.len() == *len => {
            list.iter().try_for_each(|value| flat(value, rest, to))
        }
        _ => Err("expected arrays whose rows are equally long".to_owned()),
    }
}
