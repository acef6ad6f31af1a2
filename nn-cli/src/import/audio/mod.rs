//! Models of amplifiers and effects, which are JSON: `.nam` of Neural Amp Modeler, and what RTNeural reads.
//! In: text; out: a network that takes one sample a step. What cannot be said is told by its name.

mod nam;
mod rtneural;

use serde_json::Value;

use super::network::{Network, Param};

/// Steps that the declaration has: a stream takes any number of them.
const STEPS: usize = 64;

/// The network of a file, and notes about it.
///
/// # Errors
/// It is neither of the two, or damaged, or something in it is no layer.
pub fn read(bytes: &[u8]) -> Result<(Network, Vec<String>), String> {
    let json: Value = serde_json::from_slice(bytes).map_err(|error| format!("expected JSON, found: {error}"))?;
    if json.get("architecture").is_some() {
        return nam::read(&json);
    }
    if json.get("layers").and_then(Value::as_array).is_some() {
        return rtneural::read(&json);
    }
    Err("expected a model of Neural Amp Modeler (`architecture`) or of RTNeural (`layers`), found other JSON\nhelp: \
         export the network as ONNX where it was trained"
        .to_owned())
}

/// A network of steps that is being made.
pub struct Chain {
    pub network: Network,
}

impl Chain {
    pub fn new(features: usize) -> Chain {
        let mut network = Network::default();
        network.value(&[STEPS, features]);
        network.inputs.push("input".to_owned());
        Chain { network }
    }

    /// Adds a layer that makes so many features each step.
    pub fn layer(&mut self, kind: &str, args: &str, x: &[usize], features: usize) -> usize {
        self.network.layer(kind, args, x, &[STEPS, features])
    }

    /// Gives the layer that was added last its label and parameters.
    pub fn params(&mut self, label: &str, params: Vec<Param>) {
        self.network.params(label, String::new(), params);
        if let Some(site) = self.network.sites.last_mut() {
            site.label = label.to_owned();
        }
    }

    pub fn formula(&mut self, text: &str, x: usize) -> usize {
        let formulas = &mut self.network.formulas;
        let at = formulas.iter().position(|(_, other)| other == text).unwrap_or_else(|| {
            formulas.push((format!("Formula{}", formulas.len() + 1), text.to_owned()));
            formulas.len() - 1
        });
        let (name, features) = (formulas[at].0.clone(), self.features(x));
        self.layer(&name, "", &[x], features)
    }

    pub fn features(&self, x: usize) -> usize {
        self.network.shapes[x][1]
    }

    pub fn done(mut self, y: usize) -> Result<Network, String> {
        if self.network.sites.is_empty() {
            return Err("expected a network of at least one layer".to_owned());
        }
        self.network.outputs.push(("output".to_owned(), y));
        Ok(self.network)
    }
}

/// A whole number from 1 on.
pub fn count(value: Option<&Value>, name: &str) -> Result<usize, String> {
    let count = value.and_then(Value::as_u64).and_then(|count| usize::try_from(count).ok());
    count.filter(|count| (1..1 << 20).contains(count)).ok_or_else(|| match value {
        Some(value) => format!("expected a whole number from 1 on as `{name}`, found {value}"),
        None => format!("expected a whole number as `{name}`, found nothing"),
    })
}
