//! The calls of a model: which layer is given what, in an order in which each value is there before it is
//! read. In: a configuration; out: calls, one after the other. It knows no layer but models.

use std::collections::HashMap;

use serde_json::Value;

use super::settings::Settings;
use super::{Call, Held, Reader, activations, images, joins, rows};

/// A layer's answer: its name, which of its calls, which of its outputs.
type Key<'c> = (&'c str, u64, u64);

/// The deepest model within models.
const DEEPEST: usize = 16;

pub fn model(reader: &mut Reader, config: &Value) -> Result<(), String> {
    let outputs = match class(config) {
        "Sequential" => sequential(reader, config, None, "", 0)?,
        "Functional" | "Model" if config.pointer("/config/layers").is_some() => {
            functional(reader, config, None, "", 0)?
        }
        other => {
            return Err(format!(
                "expected a sequential or functional model, found the class `{}`, whose calls are Python\nhelp: in \
                 Python: `model.export(\"model.onnx\", format=\"onnx\")`; or declare it, and take its weights with `nn convert`",
                other.escape_debug()
            ));
        }
    };
    for (name, value) in outputs {
        let made = reader.as_keras(&value)?;
        let input = !reader.network.sites.iter().any(|site| (site.y..site.y + site.made).contains(&made));
        if input {
            return Err(format!("output `{name}`: expected a value that a layer makes, found an input"));
        }
        reader.network.outputs.push((name, made));
    }
    Ok(())
}

fn class(layer: &Value) -> &str {
    layer.get("class_name").and_then(Value::as_str).unwrap_or("")
}

fn name(layer: &Value) -> &str {
    let own = layer.pointer("/config/name").or_else(|| layer.get("name"));
    own.and_then(Value::as_str).unwrap_or("")
}

fn layers(model: &Value) -> Result<&Vec<Value>, String> {
    model.pointer("/config/layers").and_then(Value::as_array).ok_or_else(|| "expected layers in a model".to_owned())
}

/// A value that comes from outside.
fn input(reader: &mut Reader, name: &str, shape: Option<&Value>) -> Result<Held, String> {
    let within = |why: String| format!("input `{}`: {why}", name.escape_debug());
    let dims = shape.and_then(Value::as_array).filter(|dims| !dims.is_empty());
    let dims = dims.ok_or_else(|| within("expected a shape in the configuration, found none".to_owned()))?;
    let mut shape = Vec::new();
    for (i, dim) in dims.iter().enumerate().skip(1) {
        match dim.as_u64().and_then(|dim| usize::try_from(dim).ok()).filter(|dim| (1..1 << 24).contains(dim)) {
            Some(dim) => shape.push(dim),
            None => {
                let help = "help: save the model with all sizes but the batch fixed";
                return Err(within(format!("expected a size for dimension {i}, found {dim}\n{help}")));
            }
        }
    }
    if shape.is_empty() {
        shape.push(1);
    }
    if shape.len() > 6 {
        return Err(within("expected at most 6 dimensions beside the batch".to_owned()));
    }
    let value = reader.network.value(&shape);
    reader.network.inputs.push(name.to_owned());
    Ok(reader.plain(value))
}

fn sequential(
    reader: &mut Reader,
    model: &Value,
    given: Option<&[Held]>,
    outer: &str,
    depth: usize,
) -> Result<Vec<(String, Held)>, String> {
    let layers = layers(model)?;
    let mut value = given.and_then(|given| given.first().cloned());
    for layer in layers {
        if class(layer) == "InputLayer" {
            let shape = layer.pointer("/config/batch_shape").or_else(|| layer.pointer("/config/batch_input_shape"));
            if value.is_none() {
                value = Some(input(reader, name(layer), shape)?);
            }
            continue;
        }
        let x = match value {
            Some(value) => value,
            None => {
                let shape =
                    model.pointer("/config/build_input_shape").or_else(|| model.pointer("/build_config/input_shape"));
                let shape = shape.or_else(|| layer.pointer("/config/batch_input_shape"));
                let shape = shape.or_else(|| layer.pointer("/build_config/input_shape"));
                input(reader, "input", shape)?
            }
        };
        let mut made = call(reader, layer, Settings(None), &[x], outer, depth)?;
        value = Some(made.swap_remove(0));
    }
    Ok(vec![("output".to_owned(), value.ok_or("expected a model of at least one layer")?)])
}

fn functional(
    reader: &mut Reader,
    model: &Value,
    given: Option<&[Held]>,
    outer: &str,
    depth: usize,
) -> Result<Vec<(String, Held)>, String> {
    let layers = layers(model)?;
    let mut values: HashMap<Key, Held> = HashMap::new();
    let inputs = keys(model.pointer("/config/input_layers"));
    for (i, key) in inputs.iter().enumerate() {
        let value = match given {
            Some(given) => given.get(i).cloned().ok_or("expected a value for each input of a model within")?,
            None => {
                let layer = layers.iter().find(|layer| name(layer) == key.0).ok_or("expected the layer of an input")?;
                let shape = layer.pointer("/config/batch_shape").or_else(|| layer.pointer("/config/batch_input_shape"));
                input(reader, key.0, shape)?
            }
        };
        values.insert(*key, value);
    }
    // Calls whose values are there, until there are no more.
    let mut waiting: Vec<(&Value, u64, &Value)> = Vec::new();
    for layer in layers.iter().filter(|layer| class(layer) != "InputLayer") {
        let nodes = layer.get("inbound_nodes").and_then(Value::as_array);
        waiting.extend(nodes.into_iter().flatten().enumerate().map(|(i, node)| (layer, i as u64, node)));
    }
    while !waiting.is_empty() {
        let before = waiting.len();
        let mut later = Vec::new();
        for (layer, i, node) in waiting {
            let read = keys(Some(node));
            let x: Option<Vec<Held>> = read.iter().map(|key| values.get(key).cloned()).collect();
            match x {
                Some(x) => {
                    let kwargs = Settings::of(node.get("kwargs"));
                    for (k, made) in call(reader, layer, kwargs, &x, outer, depth)?.into_iter().enumerate() {
                        values.insert((name(layer), i, k as u64), made);
                    }
                }
                None => later.push((layer, i, node)),
            }
        }
        if later.len() == before {
            let (layer, ..) = later[0];
            return Err(named(layer, "expected inputs that other layers make, found none"));
        }
        waiting = later;
    }
    let outputs = keys(model.pointer("/config/output_layers"));
    let find = |key: &Key| {
        let value = values.get(key).cloned().ok_or_else(|| format!("output `{}`: expected it to be made", key.0))?;
        Ok((key.0.to_owned(), value))
    };
    let outputs: Result<Vec<(String, Held)>, String> = outputs.iter().map(find).collect();
    match outputs? {
        none if none.is_empty() => Err("expected a model with an output".to_owned()),
        some => Ok(some),
    }
}

/// All values that are named in a part of the configuration, in order.
fn keys(value: Option<&Value>) -> Vec<Key<'_>> {
    let mut keys = Vec::new();
    if let Some(value) = value {
        collect(value, &mut keys, 0);
    }
    keys
}

fn collect<'c>(value: &'c Value, keys: &mut Vec<Key<'c>>, depth: usize) {
    match value {
        _ if depth > 32 => {}
        Value::Array(list) => match (&list[..], list.first().and_then(Value::as_str)) {
            ([_, node, tensor, ..], Some(name)) if node.is_u64() && tensor.is_u64() => {
                keys.push((name, node.as_u64().unwrap_or(0), tensor.as_u64().unwrap_or(0)));
            }
            _ => list.iter().for_each(|item| collect(item, keys, depth + 1)),
        },
        Value::Object(map) => match value.pointer("/config/keras_history") {
            Some(key) => collect(key, keys, depth + 1),
            // Positions first, then what has a name.
            None => {
                ["args", "kwargs"].iter().filter_map(|name| map.get(*name)).for_each(|it| collect(it, keys, depth + 1));
                let others = map.iter().filter(|(name, _)| *name != "args" && *name != "kwargs");
                others.for_each(|(_, item)| collect(item, keys, depth + 1));
            }
        },
        _ => {}
    }
}

fn named(layer: &Value, why: &str) -> String {
    format!("layer `{}`, `{}`: {why}", name(layer).escape_debug(), class(layer).escape_debug())
}

/// What a layer makes of these values.
fn call(
    reader: &mut Reader,
    layer: &Value,
    kwargs: Settings,
    x: &[Held],
    outer: &str,
    depth: usize,
) -> Result<Vec<Held>, String> {
    let label = if outer.is_empty() { name(layer).to_owned() } else { format!("{outer}.{}", name(layer)) };
    if matches!(class(layer), "Functional" | "Model" | "Sequential") {
        if depth >= DEEPEST {
            return Err(named(layer, "expected models at most 16 deep"));
        }
        let made = match class(layer) {
            "Sequential" => sequential(reader, layer, Some(x), &label, depth + 1)?,
            _ => functional(reader, layer, Some(x), &label, depth + 1)?,
        };
        return Ok(made.into_iter().map(|(_, value)| value).collect());
    }
    let settings = Settings::of(layer.get("config"));
    let call = Call { class: class(layer), label: &label, settings, kwargs };
    one(reader, &call, x).map(|made| vec![made]).map_err(|why| named(layer, &why))
}

fn one(reader: &mut Reader, call: &Call, x: &[Held]) -> Result<Held, String> {
    call.settings.only("data_format", &["channels_last"])?;
    if call.kwargs.get("mask").is_some() || call.kwargs.get("attention_mask").is_some() {
        return Err("expected no mask\nhelp: declare it as a second input, `(x, mask) -> …`".to_owned());
    }
    let Some(first) = x.first() else { return Err("expected a value of the network, found constants".to_owned()) };
    let made = match joins::join(reader, call, x) {
        Some(made) => made?,
        None if x.len() > 1 => return Err(super::refused(call)),
        None => match images::layer(reader, call, first).or_else(|| rows::layer(reader, call, first)) {
            Some(made) => made?,
            None => return Err(super::refused(call)),
        },
    };
    // Layers that are an activation have settings of their own.
    match call.class {
        "Activation" | "LSTM" | "GRU" | "SimpleRNN" | "Bidirectional" => Ok(made),
        _ => match call.settings.get("activation") {
            Some(Value::String(name)) => activations::activation(reader, name, &made),
            Some(other) => match other.pointer("/class_name").and_then(Value::as_str) {
                Some(class) => Err(format!("expected an activation by its name, found `{class}`")),
                None => Err(format!("expected an activation by its name, found {other}")),
            },
            None => Ok(made),
        },
    }
}
