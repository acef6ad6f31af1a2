//! Weights as safetensors, under the labels of the declaration. In: a labelled network; out: the bytes of a
//! file.

use serde_json::{Map, Value, json};

use super::network::Network;

pub fn write(network: &Network) -> Vec<u8> {
    let mut header = Map::new();
    let mut numbers: Vec<&[f32]> = Vec::new();
    let mut at = 0;
    for site in &network.sites {
        for param in &site.params {
            let end = at + 4 * param.values.len();
            let entry = json!({ "dtype": "F32", "shape": param.dims, "data_offsets": [at, end] });
            header.insert(format!("{}.{}", site.label, param.name), entry);
            numbers.push(&param.values);
            at = end;
        }
    }
    let mut text = Value::Object(header).to_string();
    while !text.len().is_multiple_of(8) {
        text.push(' ');
    }
    let mut bytes = Vec::with_capacity(8 + text.len() + at);
    bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
    numbers.into_iter().flatten().for_each(|value| bytes.extend_from_slice(&value.to_le_bytes()));
    bytes
}
