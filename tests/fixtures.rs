//! PyTorch's answers, read from `reference/*.json`. In: a file's name; out: its cases. What the fields mean
//! is told in `reference/README.md`; nothing here may round or repair a number.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

/// One case of a file.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What the case is called in its file.
    pub name: String,
    /// Arguments, by PyTorch's names.
    pub settings: BTreeMap<String, Value>,
    /// Inputs; of losses prediction and target, of optimisers the gradients.
    pub inputs: Vec<Tensor>,
    /// Parameters, or where an optimiser begins and what it answers.
    #[serde(default)]
    pub params: BTreeMap<String, Tensor>,
    /// The answer.
    pub output: Option<Tensor>,
    /// The gradient that arrives, where the answer is no single number.
    pub doutput: Option<Tensor>,
    /// The answers of a layer with several outputs.
    #[serde(default)]
    pub outputs: Vec<Tensor>,
    /// The gradients that arrive at them.
    #[serde(default)]
    pub doutputs: Vec<Tensor>,
    /// Running statistics before the pass.
    #[serde(default)]
    pub buffers: BTreeMap<String, Tensor>,
    /// Running statistics after it, where it changes them.
    #[serde(default)]
    pub buffers_after: BTreeMap<String, Tensor>,
    /// Gradients with respect to inputs.
    #[serde(default)]
    pub dinputs: Vec<Tensor>,
    /// Gradients with respect to parameters.
    #[serde(default)]
    pub dparams: BTreeMap<String, Tensor>,
}

/// Numbers, row by row; shape `[]` is one number.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Tensor {
    /// Dimensions, the batch first.
    pub shape: Vec<usize>,
    /// The numbers.
    pub data: Vec<f64>,
}

impl Case {
    /// A setting that is a number; flags are 0 and 1.
    ///
    /// # Panics
    /// There is none of this name, or it is no number.
    pub fn number(&self, setting: &str) -> f64 {
        self.settings
            .get(setting)
            .and_then(Value::as_f64)
            .unwrap_or_else(|| panic!("{}: no number `{setting}`", self.name))
    }

    /// A setting that is a word.
    ///
    /// # Panics
    /// There is none of this name, or it is no word.
    pub fn word(&self, setting: &str) -> &str {
        self.settings
            .get(setting)
            .and_then(Value::as_str)
            .unwrap_or_else(|| panic!("{}: no word `{setting}`", self.name))
    }
}

impl Tensor {
    /// As what they were drawn as.
    pub fn narrow(&self) -> Vec<f32> {
        self.data.iter().map(|&x| x as f32).collect()
    }
}

/// The cases of `reference/<name>.json`.
///
/// # Panics
/// The file is missing, empty or not of this form.
pub fn load(name: &str) -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("reference").join(format!("{name}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let cases: Vec<Case> = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(!cases.is_empty(), "{name} has cases");
    cases
}
