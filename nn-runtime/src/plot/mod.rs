//! Pictures of a training run: learning curves, confusion matrices, sheets of images. In: what training and
//! metrics came to; out: SVG, which browsers, editors and Markdown show.
//!
//! ```
//! use nn_runtime::data::digits;
//! use nn_runtime::plot;
//! use nn_runtime::prelude::*;
//!
//! network! { struct Digits: [1, 28, 28] -> [10] { Flatten -> Dense(10) } }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (train, test) = digits::draw(400, 1).split_every(5)?;
//! let mut model = Digits::init(0);
//! let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-2));
//! let history = trainer.fit(&train, Fit::epochs(5).validate(&test))?;
//! let (_, matrix) = trainer.evaluate_with(&test, ConfusionMatrix::new())?;
//!
//! let folder = std::env::temp_dir().join(format!("plots-{}", std::process::id()));
//! std::fs::create_dir_all(&folder)?;
//! plot::learning_curves(&history).save(folder.join("curves.svg"))?;
//! let names: Vec<String> = (0..10).map(|digit| digit.to_string()).collect();
//! plot::confusion_matrix(&matrix, &names).save(folder.join("matrix.svg"))?;
//!
//! let answers = model.predictor(64).classes(&test)?;
//! let wrong: Vec<usize> = (0..test.len()).filter(|&i| answers[i] != test.targets().sample(i)[0]).collect();
//! let captions: Vec<String> = wrong.iter().map(|&i| format!("answered {}", answers[i])).collect();
//! let images = test.select(&wrong);
//! plot::contact_sheet(&images.inputs()[0], [1, 28, 28], &captions)?.save(folder.join("wrong.svg"))?;
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok(()) }
//! ```

mod confusion;
mod curves;
mod png;
mod sheet;

pub use confusion::confusion_matrix;
pub use curves::learning_curves;
pub use sheet::contact_sheet;

use core::fmt::{self, Display};
use std::format;
use std::path::Path;
use std::string::String;
use std::{fs, io};

/// A drawing, as SVG.
#[derive(Clone, PartialEq, Debug)]
pub struct Picture {
    width: f64,
    height: f64,
    body: String,
}

/// How text stands at its point.
#[derive(Clone, Copy)]
enum Anchor {
    Start,
    Middle,
    End,
}

const INK: &str = "#333333";
const GRID: &str = "#dddddd";

impl Picture {
    fn new(width: f64, height: f64) -> Picture {
        let mut picture = Picture { width, height, body: String::new() };
        picture.rectangle([0.0, 0.0, width, height], "#ffffff");
        picture
    }

    fn add(&mut self, element: impl Display) {
        self.body += &format!("{element}\n");
    }

    /// `[x, y, width, height]`
    fn rectangle(&mut self, [x, y, width, height]: [f64; 4], fill: &str) {
        self.add(format_args!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{fill}\"/>"
        ));
    }

    fn line(&mut self, [from, to]: [[f64; 2]; 2], color: &str, dashed: bool) {
        let ([x1, y1], [x2, y2]) = (from, to);
        let dashes = if dashed { " stroke-dasharray=\"4 3\"" } else { "" };
        self.add(format_args!(
            "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"{color}\"{dashes}/>"
        ));
    }

    fn text(&mut self, [x, y]: [f64; 2], size: f64, anchor: Anchor, color: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        // What no file of XML may hold.
        let text: String = text.chars().filter(|c| !c.is_control()).collect();
        self.add(format_args!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\" text-anchor=\"{anchor}\" fill=\"{color}\">{text}</text>"
        ));
    }

    /// Writes the file, as [`to_string`](Display) gives it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> io::Result<()> {
        fs::write(path, format!("{self}"))
    }
}

impl Display for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Picture { width, height, body } = self;
        write!(
            f,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\">\n{body}</svg>\n"
        )
    }
}

#[cfg(test)]
mod tests;
