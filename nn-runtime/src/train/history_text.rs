//! A history for other programs: as CSV and as JSON. In: a history; out: text.

use std::fmt::Write;
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use super::{Ended, Epoch, History};

impl History {
    /// As CSV, a line for each epoch: `epoch`, `loss` and what else there is (`accuracy`, `val_loss`,
    /// `val_accuracy`, metrics), `seconds`. Numbers are written so that reading them gives the same again;
    /// what an epoch has not is left empty.
    ///
    /// ```
    /// use nn_runtime::prelude::*;
    ///
    /// network! { struct Line: [1] -> [1] { Dense(1) } }
    ///
    /// let data = Dataset::values(&[[1.0], [2.0]], &[[2.0], [4.0]]).unwrap();
    /// let mut model = Line::init(0);
    /// let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.1));
    /// let history = trainer.fit(&data, Fit::epochs(2).validate(&data)).unwrap();
    /// assert!(history.to_csv().starts_with("epoch,loss,val_loss,seconds\n1,"));
    /// ```
    pub fn to_csv(&self) -> String {
        let names = self.names();
        let mut text = String::from("epoch");
        for name in &names {
            match name.contains([',', '"', '\n', '\r']) {
                true => text += &format!(",\"{}\"", name.replace('"', "\"\"")),
                false => text += &format!(",{name}"),
            }
        }
        text += ",seconds\n";
        for epoch in &self.epochs {
            text += &epoch.number.to_string();
            for name in &names {
                text.push(',');
                if let Some(number) = epoch.get(name) {
                    text += &number.to_string();
                }
            }
            let _ = writeln!(text, ",{}", epoch.time.as_secs_f64());
        }
        text
    }

    /// As JSON: `ended`, `best`, and `epochs`, each as by [`Epoch::to_json`].
    pub fn to_json(&self) -> String {
        let ended = match self.ended {
            Ended::AllEpochs => "all_epochs",
            Ended::NoProgress => "no_progress",
            Ended::Stopped => "stopped",
        };
        let epochs: Vec<_> = self.epochs.iter().map(Epoch::object).collect();
        serde_json::json!({ "ended": ended, "best": self.best, "epochs": epochs }).to_string()
    }

    /// What the numbers of any epoch are called, in a fixed order.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for name in ["loss", "accuracy", "val_loss", "val_accuracy"] {
            if self.epochs.iter().any(|epoch| epoch.get(name).is_some()) {
                names.push(name.to_string());
            }
        }
        for (name, _) in self.epochs.iter().flat_map(|epoch| &epoch.metrics) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }
}

impl Epoch {
    /// Its numbers by name, in a fixed order: `loss`, `accuracy`, `val_loss`, `val_accuracy`, metrics.
    pub(crate) fn numbers(&self) -> Vec<(&str, f64)> {
        let own = ["loss", "accuracy", "val_loss", "val_accuracy"];
        let own = own.into_iter().filter_map(|name| Some((name, self.get(name)?)));
        own.chain(self.metrics.iter().map(|(name, number)| (name.as_str(), *number))).collect()
    }

    /// As a JSON object: `epoch`, `loss` and what else there is (`accuracy`, `val_loss`, `val_accuracy`,
    /// metrics), `seconds`. What is not finite, which JSON does not know, is `null`.
    pub fn to_json(&self) -> String {
        self.object().to_string()
    }

    fn object(&self) -> serde_json::Value {
        let mut fields = serde_json::Map::new();
        fields.insert("epoch".into(), self.number.into());
        self.numbers().into_iter().for_each(|(name, number)| {
            fields.insert(name.into(), number.into());
        });
        fields.insert("seconds".into(), self.time.as_secs_f64().into());
        fields.into()
    }
}
