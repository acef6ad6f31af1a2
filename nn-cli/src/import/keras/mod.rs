//! A model of Keras as a network: its configuration is followed call by call, its parameters lie as they do
//! here. In: a file's bytes; out: a network. What cannot be said is told by the layer's name and class.

mod activations;
mod calls;
mod images;
mod joins;
mod norms;
mod rows;
mod settings;
mod words;

use std::collections::HashMap;

use serde_json::Value;

use super::network::{Network, Param};
use super::view::{self, View};
use crate::keras::Archive;
use settings::Settings;

/// A value as Keras has it: channels last, the batch first.
#[derive(Clone)]
pub struct Held {
    pub base: usize,
    pub view: View,
}

/// What is being made of a model.
pub struct Reader {
    pub network: Network,
    /// The parameters of each layer that has some, by its label; or why they are none here.
    params: HashMap<String, Result<Vec<Param>, String>>,
    pub notes: Vec<String>,
}

/// The layer that is being read: its settings and what it is called.
pub struct Call<'c> {
    pub class: &'c str,
    pub label: &'c str,
    pub settings: Settings<'c>,
    /// What was given beside the values.
    pub kwargs: Settings<'c>,
}

/// The network of a file, and notes about what is left out.
///
/// # Errors
/// The file is damaged, or holds weights alone, or a layer is none of these here.
pub fn read(bytes: &[u8]) -> Result<(Network, Vec<String>), String> {
    let mut archive = Archive::open(bytes)?;
    let tree = archive.tree()?;
    let config = archive.config.take().ok_or(
        "expected a model, found weights alone\nhelp: in Python: `model.save(\"model.keras\")`; or declare the network \
         and load them: `nn convert FILE weights.safetensors`",
    )?;
    archive.config = Some(config.clone());
    let mut params = HashMap::new();
    for layer in archive.layers(&tree)? {
        let made = archive.params(&layer);
        let made = made.map(|made| made.map(|(name, dims, values)| Param { name, dims, values }).collect());
        params.insert(layer.label.clone(), made);
    }
    let mut reader = Reader { network: Network::default(), params, notes: Vec::new() };
    calls::model(&mut reader, &config)?;
    Ok((reader.network, reader.notes))
}

impl Reader {
    /// Adds a layer whose output is laid out as this says.
    pub fn layer(&mut self, kind: &str, args: &str, x: &[usize], shape: &[usize]) -> usize {
        self.network.layer(kind, args, x, shape)
    }

    /// Gives the layer that was added last the parameters of this one, and its name.
    pub fn params(&mut self, call: &Call) -> Result<(), String> {
        let params = self.params.get(call.label).cloned().ok_or("expected weights in the file, found none of it")?;
        self.params_as(call, params?)
    }

    /// They, if there are some, to be changed.
    pub fn taken(&self, call: &Call) -> Result<Vec<Param>, String> {
        self.params.get(call.label).cloned().unwrap_or(Ok(Vec::new()))
    }

    pub fn params_as(&mut self, call: &Call, params: Vec<Param>) -> Result<(), String> {
        self.network.params(call.label, call.label.to_owned(), params);
        if let Some(site) = self.network.sites.last_mut() {
            site.label = words::label(call.label);
        }
        Ok(())
    }

    /// What a layer made whose dimensions are Keras's.
    pub fn plain(&self, base: usize) -> Held {
        Held { base, view: self.network.plain(base) }
    }

    /// A layer's output whose dimensions are those of `from`, so that the view stays as well.
    pub fn like(&mut self, base: usize, from: &Held) -> Held {
        self.network.axes[base] = self.network.axes[from.base].clone();
        Held { base, view: from.view.clone() }
    }

    /// Adds a layer that changes each number where it is.
    pub fn same(&mut self, kind: &str, args: &str, x: &Held) -> Held {
        let shape = self.shape(x.base);
        let y = self.layer(kind, args, &[x.base], &shape);
        self.like(y, x)
    }

    /// The value in these dimensions, behind the batch.
    pub fn laid_out(&mut self, x: &Held, view: &View) -> Result<usize, String> {
        self.network.laid_out(x.base, view).ok_or_else(|| "expected the batch as the first dimension".to_owned())
    }

    /// The value as Keras has it.
    pub fn as_keras(&mut self, x: &Held) -> Result<usize, String> {
        self.laid_out(x, &x.view.clone())
    }

    /// The value as `[channels, height, width]`.
    pub fn image(&mut self, x: &Held) -> Result<usize, String> {
        let view = self.network.atoms.whole_view(&x.view);
        let [batch, h, w, c] = &view[..] else {
            return Err(format!("expected images, found {:?}", self.sizes(x)));
        };
        self.laid_out(x, &vec![batch.clone(), c.clone(), h.clone(), w.clone()])
    }

    /// What a layer over images made, with the channels last again.
    pub fn made_image(&self, base: usize) -> Held {
        let mut view = self.network.plain(base);
        let channels = view.remove(1);
        view.push(channels);
        Held { base, view }
    }

    /// The value as `[steps, features]`.
    pub fn steps(&mut self, x: &Held) -> Result<usize, String> {
        match x.view.len() {
            3 => self.as_keras(x),
            _ => Err(format!("expected [steps, features], found {:?}", self.sizes(x))),
        }
    }

    /// Its dimensions in Keras, without the batch.
    pub fn sizes(&self, x: &Held) -> Vec<usize> {
        x.view.iter().skip(1).map(|dim| view::size(dim)).collect()
    }

    pub fn shape(&self, base: usize) -> Vec<usize> {
        self.network.shapes[base].clone()
    }

    /// Which of the value's own dimensions is this one of Keras's, the batch not counted in either.
    pub fn axis(&self, x: &Held, dim: usize) -> Option<usize> {
        let wanted = self.network.atoms.whole(x.view.get(dim + 1)?);
        let own = &self.network.axes[x.base];
        let found = own.iter().position(|axis| !wanted.is_empty() && self.network.atoms.whole(axis) == wanted);
        // Dimensions of 1 cannot be told from each other: those of a value as it is are where they are.
        found.or_else(|| (x.view == self.network.plain(x.base)).then_some(dim))
    }

    /// The value, and which of its dimensions are the channels, Keras's last ones.
    pub fn channels(&mut self, x: &Held) -> Result<(Held, usize), String> {
        let last = x.view.len() - 2;
        if let Some(axis) = self.axis(x, last) {
            return Ok((x.clone(), axis));
        }
        let base = self.as_keras(x)?;
        Ok((self.plain(base), last))
    }
}

/// A layer that none here is.
pub fn refused(call: &Call) -> String {
    words::refusal(call.class)
}

/// A setting that is a list of two, or one number for both.
pub fn pair(value: &Value) -> Option<[usize; 2]> {
    let one = |value: &Value| value.as_u64().and_then(|n| usize::try_from(n).ok()).filter(|n| *n < 1 << 24);
    match value {
        Value::Array(list) => match &list[..] {
            [a, b] => Some([one(a)?, one(b)?]),
            [a] => Some([one(a)?; 2]),
            _ => None,
        },
        value => Some([one(value)?; 2]),
    }
}
