//! Neural Amp Modeler: WaveNets and LSTMs, whose numbers are one list. In: JSON; out: a network. A stream of
//! it begins as zeros, the reference as after silence: the notes say how many zeros lead there.

use serde_json::Value;

use super::{Chain, count};
use crate::import::network::{Network, Param};

pub fn read(json: &Value) -> Result<(Network, Vec<String>), String> {
    let config = json.get("config").ok_or("expected a `config`, found none")?;
    if json.get("architecture").and_then(Value::as_str) == Some(CONTAINER) {
        return largest(config);
    }
    let mut weights = Weights::of(json)?;
    let (network, silence) = match json.get("architecture").and_then(Value::as_str) {
        Some("WaveNet") => wavenet(config, &mut weights)?,
        Some("LSTM") => lstm(config, &mut weights, json.get("sample_rate").and_then(Value::as_f64))?,
        Some(other) => return Err(refusal(other)),
        None => return Err("expected an architecture by its name".to_owned()),
    };
    if weights.at != weights.values.len() {
        return Err(format!("expected {} weights, found {}", weights.at, weights.values.len()));
    }
    let note = format!("silence: the reference starts as after it; step {silence} zeros through a new stream first");
    Ok((network, vec![note]))
}

/// What holds models of several sizes, of which a program runs one: the architecture A2.
const CONTAINER: &str = "SlimmableContainer";

/// The best model of a container.
fn largest(config: &Value) -> Result<(Network, Vec<String>), String> {
    let models = config.get("submodels").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let most = |model: &&Value| model.get("max_value").and_then(Value::as_f64).unwrap_or(0.0);
    let best = models.iter().max_by(|a, b| most(a).total_cmp(&most(b))).and_then(|model| model.get("model"));
    let best = best.ok_or("expected the models of a container (`submodels`), found none")?;
    if best.get("architecture").and_then(Value::as_str) == Some(CONTAINER) {
        return Err("expected a model in the container, found another container".to_owned());
    }
    let (network, mut notes) = read(best)?;
    let count = models.len();
    notes.push(format!("container: the best of its {count} models is taken; for another, import its own `model`"));
    Ok((network, notes))
}

fn refusal(architecture: &str) -> String {
    let why = match architecture {
        "ConvNet" => "a `ConvNet`\nhelp: the nearest are `Conv1d(channels, 2, dilation = d)` and `BatchNorm`",
        "Linear" => "an impulse response\nhelp: the nearest is `Conv1d(1, taps, padding = Causal)`",
        _ => return format!("expected a `WaveNet` or an `LSTM`, found `{}`", architecture.escape_debug()),
    };
    format!("expected a `WaveNet` or an `LSTM`, found {why}")
}

/// The numbers of a file, taken one after the other.
struct Weights {
    values: Vec<f32>,
    at: usize,
}

impl Weights {
    fn of(json: &Value) -> Result<Weights, String> {
        let list = json.get("weights").and_then(Value::as_array).ok_or("expected a list of `weights`")?;
        let values: Option<Vec<f32>> = list.iter().map(|value| value.as_f64().map(|value| value as f32)).collect();
        let values = values.filter(|values| values.iter().all(|value| value.is_finite()));
        Ok(Weights { values: values.ok_or("expected weights that are finite numbers")?, at: 0 })
    }

    fn take(&mut self, what: &str, dims: &[usize]) -> Result<Vec<f32>, String> {
        let len = dims.iter().try_fold(1usize, |len, dim| len.checked_mul(*dim));
        let taken = len.and_then(|len| self.values.get(self.at..self.at.checked_add(len)?));
        let taken = taken.ok_or_else(|| {
            format!("`{what}`: expected weights of {dims:?} from {} on, found {} in all", self.at, self.values.len())
        })?;
        self.at += taken.len();
        Ok(taken.to_vec())
    }
}

/// A layer array's settings, under the names of either version.
struct Stack<'c> {
    config: &'c Value,
    place: usize,
    channels: usize,
    inner: usize,
    head: usize,
    head_kernel: usize,
    head_bias: bool,
    dilations: Vec<usize>,
}

impl<'c> Stack<'c> {
    fn read(config: &'c Value, i: usize) -> Result<Stack<'c>, String> {
        let within = |why: String| format!("layers {i}: {why}");
        let get = |name: &str| config.get(name).filter(|value| !value.is_null());
        let number = |name: &str| count(get(name), name).map_err(within);
        let channels = number("channels")?;
        let head = get("head");
        let (width, kernel, bias) = match head {
            Some(head) => (
                count(head.get("out_channels"), "out_channels").map_err(within)?,
                count(head.get("kernel_size"), "kernel_size").map_err(within)?,
                head.get("bias"),
            ),
            None => (number("head_size")?, 1, get("head_bias")),
        };
        let dilations = get("dilations").and_then(Value::as_array).filter(|list| list.len() < 1 << 12);
        let dilations: Result<Vec<usize>, String> = dilations
            .into_iter()
            .flatten()
            .map(|dilation| count(Some(dilation), "dilations").map_err(within))
            .collect();
        let refused = |what: &str| Err(within(format!("expected no {what}\nhelp: write it as layers of your own")));
        let active = |name: &str| get(name).and_then(|of| of.get("active")?.as_bool()).unwrap_or(false);
        if get("condition_size").is_some_and(|size| size != 1) {
            return refused("condition of several numbers");
        }
        if ["groups_input", "groups_input_mixin"].iter().any(|name| get(name).is_some_and(|groups| groups != 1)) {
            return refused("groups");
        }
        if active("head1x1")
            || config.as_object().is_some_and(|map| map.keys().any(|key| key.ends_with("film") && active(key)))
        {
            return refused("`head1x1` and no modulation (`film`)");
        }
        let product = get("layer1x1");
        if product
            .is_some_and(|of| of.get("active") == Some(&Value::Bool(false)) || of.get("groups").is_some_and(|n| n != 1))
        {
            return refused("layer without its product (`layer1x1`)");
        }
        let inner = if get("bottleneck").is_some() { number("bottleneck")? } else { channels };
        let (head, head_kernel, head_bias) = (width, kernel, bias.and_then(Value::as_bool).unwrap_or(false));
        Ok(Stack { config, place: i, channels, inner, head, head_kernel, head_bias, dilations: dilations? })
    }

    /// A setting of one layer, which may be that of all.
    fn at(&self, names: [&str; 2], i: usize) -> Option<&'c Value> {
        let value = names.iter().find_map(|name| self.config.get(*name))?;
        match value {
            Value::Array(list) => list.get(i),
            value => Some(value),
        }
    }
}

/// The network, and how many samples it looks back.
fn wavenet(config: &Value, weights: &mut Weights) -> Result<(Network, usize), String> {
    for name in ["head", "condition_dsp"] {
        if config.get(name).is_some_and(|value| !value.is_null()) {
            return Err(format!(
                "expected no `{name}` behind the layers or before them\nhelp: write it as layers of your own"
            ));
        }
    }
    let stacks = config.get("layers").and_then(Value::as_array).ok_or("expected `layers`")?;
    let mut chain = Chain::new(1);
    // What comes in conditions every layer.
    let (input, mut x, mut heads) = (0, 0, None);
    let mut past = 0;
    for (i, config) in stacks.iter().enumerate() {
        let stack = Stack::read(config, i)?;
        let label = |part: &str| format!("{part}{}", i + 1);
        let width = chain.features(x);
        let rows = [stack.channels, width];
        let weight = Param::new("weight", &rows, weights.take("rechannel", &rows)?);
        x = chain.layer("DensePerStep", &format!("{}, bias = false", stack.channels), &[x], stack.channels);
        chain.params(&label("rechannel"), vec![weight]);
        for (k, dilation) in stack.dilations.iter().enumerate() {
            let kernel = count(stack.at(["kernel_sizes", "kernel_size"], k), "kernel_size")?;
            past += (kernel - 1) * dilation;
            let label = |part: &str| format!("{part}{}_{}", i + 1, k + 1);
            let after = gated(&mut chain, &stack, [x, input], k, [kernel, *dilation], weights)?;
            heads = Some(match heads {
                None => after,
                Some(heads) if chain.features(heads) == stack.inner => {
                    chain.layer("Sum", "", &[heads, after], stack.inner)
                }
                Some(heads) => {
                    let (found, wanted) = (chain.features(heads), stack.inner);
                    return Err(format!("layers {i}: expected {wanted} channels of the layers before, found {found}"));
                }
            });
            let rows = [stack.channels, stack.inner];
            let weight = Param::new("weight", &rows, weights.take("1x1", &rows)?);
            let bias = Param::new("bias", &rows[..1], weights.take("1x1", &rows[..1])?);
            let product = chain.layer("DensePerStep", &stack.channels.to_string(), &[after], stack.channels);
            chain.params(&label("mix"), vec![weight, bias]);
            x = chain.layer("Sum", "", &[x, product], stack.channels);
        }
        let from = heads.ok_or_else(|| format!("layers {i}: expected dilations, found none"))?;
        heads = Some(head(&mut chain, &stack, from, &label("head"), weights, i + 1 == stacks.len())?);
        past += stack.head_kernel - 1;
    }
    let y = heads.ok_or("expected `layers`, found none")?;
    Ok((chain.done(y)?, past + 1))
}

/// What a layer makes of its convolution and of the input: an activation, perhaps of a gate's size.
fn gated(
    chain: &mut Chain,
    stack: &Stack,
    [x, input]: [usize; 2],
    k: usize,
    [kernel, dilation]: [usize; 2],
    weights: &mut Weights,
) -> Result<usize, String> {
    let mode = match stack.at(["gating_mode", "gated"], k) {
        Some(Value::String(mode)) => mode.as_str(),
        Some(Value::Bool(true)) => "gated",
        _ => "none",
    };
    let parts = match mode {
        "none" => 1,
        "gated" => 2,
        other => return Err(format!("expected gates that multiply, found `{}`", other.escape_debug())),
    };
    let (channels, inner) = (stack.channels, stack.inner);
    let i = stack.place + 1;
    let filters = weights.take("conv", &[parts, inner, channels, kernel])?;
    let biases = weights.take("conv", &[parts, inner])?;
    let mixins = weights.take("input_mixin", &[parts, inner])?;
    let mut made = Vec::new();
    for part in 0..parts {
        let piece = |all: &[f32]| all[part * all.len() / parts..(part + 1) * all.len() / parts].to_vec();
        let gate = if part == 0 { "" } else { "gate_" };
        let dilated = if dilation == 1 { String::new() } else { format!(", dilation = {dilation}") };
        let causal = if kernel == 1 { "" } else { ", padding = Causal" };
        let conv = chain.layer("Conv1d", &format!("{inner}, {kernel}{dilated}{causal}"), &[x], inner);
        let weight = Param::new("weight", &[inner, channels, kernel], piece(&filters));
        chain.params(&format!("{gate}conv{i}_{}", k + 1), vec![weight, Param::new("bias", &[inner], piece(&biases))]);
        let mixin = chain.layer("DensePerStep", &format!("{inner}, bias = false"), &[input], inner);
        chain.params(&format!("{gate}input{i}_{}", k + 1), vec![Param::new("weight", &[inner, 1], piece(&mixins))]);
        let sum = chain.layer("Sum", "", &[conv, mixin], inner);
        let name = match part {
            0 => stack.at(["activation", "activation"], k),
            _ => stack.at(["secondary_activation", "secondary_activation"], k).filter(|value| !value.is_null()),
        };
        let sigmoid = Value::from("Sigmoid");
        let name = name.unwrap_or(if part == 0 { &Value::Null } else { &sigmoid });
        made.push(activation(chain, name, sum)?);
    }
    Ok(match made[..] {
        [one] => one,
        _ => chain.layer("Product", "", &made, inner),
    })
}

fn activation(chain: &mut Chain, value: &Value, x: usize) -> Result<usize, String> {
    let name = value.as_str().or_else(|| value.get("type").or_else(|| value.get("name"))?.as_str()).unwrap_or("");
    let slope = value.get("negative_slope").and_then(Value::as_f64).unwrap_or(0.01) as f32;
    let (kind, args) = match name {
        "Tanh" => ("Tanh", String::new()),
        "Sigmoid" => ("Sigmoid", String::new()),
        "ReLU" => ("Relu", String::new()),
        "SiLU" => ("Silu", String::new()),
        "Hardswish" | "HardSwish" => ("HardSwish", String::new()),
        "LeakyReLU" if slope == 0.01 => ("LeakyRelu", String::new()),
        "LeakyReLU" => ("LeakyRelu", format!("slope = {slope:?}")),
        "Hardtanh" | "HardTanh" => return Ok(chain.formula("max(min(x, 1.0), -1.0)", x)),
        "Softsign" => return Ok(chain.formula("x / (1.0 + abs(x))", x)),
        other => {
            let help = "help: the nearest is an `activation!` of your own";
            return Err(format!(
                "expected an activation that is a layer here, found `{}`\n{help}",
                other.escape_debug()
            ));
        }
    };
    let features = chain.features(x);
    Ok(chain.layer(kind, &args, &[x], features))
}

/// What a stack gives to the output; the last one's is scaled by the file's last number.
fn head(
    chain: &mut Chain,
    stack: &Stack,
    x: usize,
    label: &str,
    weights: &mut Weights,
    last: bool,
) -> Result<usize, String> {
    let (out, kernel) = (stack.head, stack.head_kernel);
    let dims = [out, stack.inner, kernel];
    let mut weight = weights.take("head", &dims)?;
    let mut bias = if stack.head_bias { weights.take("head", &[out])? } else { Vec::new() };
    if last {
        let scale = weights.take("head_scale", &[1])?[0];
        weight.iter_mut().chain(&mut bias).for_each(|value| *value *= scale);
    }
    let no_bias = if stack.head_bias { "" } else { ", bias = false" };
    let (y, dims) = match kernel {
        1 => (chain.layer("DensePerStep", &format!("{out}{no_bias}"), &[x], out), &dims[..2]),
        _ => (chain.layer("Conv1d", &format!("{out}, {kernel}, padding = Causal{no_bias}"), &[x], out), &dims[..]),
    };
    let mut params = vec![Param::new("weight", dims, weight)];
    params.extend(stack.head_bias.then(|| Param::new("bias", &[out], bias)));
    chain.params(label, params);
    Ok(y)
}

/// The network, and how many zeros the reference steps through it first: half a second of them.
fn lstm(config: &Value, weights: &mut Weights, rate: Option<f64>) -> Result<(Network, usize), String> {
    let units = count(config.get("hidden_size"), "hidden_size")?;
    let layers = count(config.get("num_layers"), "num_layers")?;
    let mut width = count(config.get("input_size"), "input_size")?;
    let mut chain = Chain::new(width);
    let mut x = 0;
    for layer in 0..layers {
        let rows = 4 * units;
        let both = weights.take("lstm", &[rows, width + units])?;
        let (mut input, mut state) = (Vec::new(), Vec::new());
        for row in both.chunks_exact(width + units) {
            input.extend(&row[..width]);
            state.extend(&row[width..]);
        }
        let bias = weights.take("lstm", &[rows])?;
        // The state that it starts with: what silence leads to.
        weights.take("lstm", &[2, units])?;
        x = chain.layer("Lstm", &units.to_string(), &[x], units);
        let params = vec![
            Param::new("weight_ih", &[rows, width], input),
            Param::new("weight_hh", &[rows, units], state),
            Param::new("bias_ih", &[rows], bias),
            Param::new("bias_hh", &[rows], vec![0.0; rows]),
        ];
        chain.params(&format!("lstm{}", layer + 1), params);
        width = units;
    }
    let params = vec![
        Param::new("weight", &[1, units], weights.take("head", &[1, units])?),
        Param::new("bias", &[1], weights.take("head", &[1])?),
    ];
    let y = chain.layer("DensePerStep", "1", &[x], 1);
    chain.params("head", params);
    let rate = rate.filter(|rate| (1.0..1e6).contains(rate)).unwrap_or(48_000.0);
    Ok((chain.done(y)?, (rate / 2.0) as usize))
}
