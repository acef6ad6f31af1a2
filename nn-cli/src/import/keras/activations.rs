//! Activations, by Keras's names for them or as layers.

use super::words::said;
use super::{Call, Held, Reader};
use crate::import::expr::number;

/// An activation by Keras's name for it.
pub fn activation(reader: &mut Reader, name: &str, x: &Held) -> Result<Held, String> {
    let (kind, args) = match name {
        "linear" => return Ok(x.clone()),
        "relu" => ("Relu", ""),
        "sigmoid" => ("Sigmoid", ""),
        "tanh" => ("Tanh", ""),
        "elu" => ("Elu", ""),
        "selu" => ("Selu", ""),
        "softplus" => ("Softplus", ""),
        "gelu" => ("Gelu", ""),
        "silu" | "swish" => ("Silu", ""),
        "mish" => ("Mish", ""),
        "hard_sigmoid" => ("HardSigmoid", ""),
        "hard_silu" | "hard_swish" => ("HardSwish", ""),
        "leaky_relu" => ("LeakyRelu", "slope = 0.2"),
        "softmax" | "log_softmax" => {
            let from = reader.as_keras(x)?;
            let shape = reader.shape(from);
            let kind = if name == "softmax" { "Softmax" } else { "LogSoftmax" };
            let y = reader.layer(kind, "", &[from], &shape);
            let from = reader.plain(from);
            return Ok(reader.like(y, &from));
        }
        "relu6" => return formula(reader, "min(max(x, 0.0), 6.0)", x),
        "exponential" => return formula(reader, "exp(x)", x),
        "softsign" => return formula(reader, "x / (1.0 + abs(x))", x),
        "tanh_shrink" => return formula(reader, "x - tanh(x)", x),
        "log_sigmoid" => return formula(reader, "-softplus(-x)", x),
        other => {
            let help = "help: the nearest is an `activation!` of your own";
            return Err(format!("expected an activation that is a layer here, found `{other}`\n{help}"));
        }
    };
    Ok(reader.same(kind, args, x))
}

/// An activation that is no layer, as a formula.
pub fn formula(reader: &mut Reader, text: &str, x: &Held) -> Result<Held, String> {
    let formulas = &mut reader.network.formulas;
    let name = match formulas.iter().find(|(_, other)| other == text) {
        Some((name, _)) => name.clone(),
        None => {
            formulas.push((format!("Formula{}", formulas.len() + 1), text.to_owned()));
            formulas[formulas.len() - 1].0.clone()
        }
    };
    Ok(reader.same(&name, "", x))
}

pub fn relu(reader: &mut Reader, call: &Call, x: &Held) -> Result<Held, String> {
    let number_of = |name: &str| call.settings.number(name).unwrap_or(0.0) as f32;
    let slope = number_of("negative_slope");
    if number_of("threshold") != 0.0 {
        return Err("expected no `threshold`".to_owned());
    }
    match call.settings.number("max_value") {
        None if slope == 0.0 => Ok(reader.same("Relu", "", x)),
        None => Ok(reader.same("LeakyRelu", &said("slope", slope, 0.01), x)),
        Some(most) if slope == 0.0 => formula(reader, &format!("min(max(x, 0.0), {})", number(most as f32)), x),
        Some(_) => Err("expected `max_value` or `negative_slope`".to_owned()),
    }
}
