//! Pictures of a training run: learning curves, confusion matrices, sheets of images. In: what training and
//! metrics came to; out: SVG, which browsers, editors and Markdown show, and PNG (feature `plot`).
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
//! plot::first_layer(&model, [1, 28, 28])?.save(folder.join("weights.svg"))?;
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok(()) }
//! ```

mod confusion;
mod curves;
mod png;
#[cfg(feature = "plot")]
mod raster;
mod sheet;
mod svg;
mod weights;

pub use confusion::confusion_matrix;
pub use curves::learning_curves;
pub use sheet::contact_sheet;
pub use weights::first_layer;

use std::path::Path;
use std::string::{String, ToString};
use std::vec::Vec;
use std::{format, fs, io};

/// A drawing: SVG as text ([`Display`](core::fmt::Display)), or a PNG image.
#[derive(Clone, PartialEq, Debug)]
pub struct Picture {
    width: f64,
    height: f64,
    marks: Vec<Mark>,
}

/// Red, green and blue.
type Color = [u8; 3];

/// What is drawn, one upon the other; in pixels from the upper left corner.
#[derive(Clone, PartialEq, Debug)]
enum Mark {
    /// `[x, y, width, height]`
    Rectangle {
        at: [f64; 4],
        fill: Color,
    },
    Line {
        ends: [[f64; 2]; 2],
        color: Color,
        dashed: bool,
    },
    Curve {
        points: Vec<[f64; 2]>,
        color: Color,
    },
    Dot {
        at: [f64; 2],
        color: Color,
    },
    /// Upright text reads from below.
    Text {
        at: [f64; 2],
        size: f64,
        anchor: Anchor,
        color: Color,
        text: String,
        upright: bool,
    },
    /// `[x, y, width, height]` of pixels `[height, width, channels]`.
    Image {
        at: [f64; 4],
        pixels: Vec<u8>,
        shape: [usize; 3],
    },
}

/// How text stands at its point.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Anchor {
    Start,
    Middle,
    End,
}

const INK: Color = [0x33; 3];
const GRID: Color = [0xdd; 3];
const PAPER: Color = [0xff; 3];
/// Half the width of a curve, and of a dot.
const CURVE: f64 = 1.0;
const DOT: f64 = 2.5;

impl Picture {
    fn new(width: f64, height: f64) -> Picture {
        let at = [0.0, 0.0, width, height];
        Picture { width, height, marks: Vec::from([Mark::Rectangle { at, fill: PAPER }]) }
    }

    fn rectangle(&mut self, at: [f64; 4], fill: Color) {
        self.marks.push(Mark::Rectangle { at, fill });
    }

    fn line(&mut self, ends: [[f64; 2]; 2], color: Color, dashed: bool) {
        self.marks.push(Mark::Line { ends, color, dashed });
    }

    fn text(&mut self, at: [f64; 2], size: f64, anchor: Anchor, color: Color, text: &str) {
        self.marks.push(Mark::Text { at, size, anchor, color, text: text.to_string(), upright: false });
    }

    /// Text that reads from below.
    fn upright_text(&mut self, at: [f64; 2], size: f64, anchor: Anchor, text: &str) {
        self.marks.push(Mark::Text { at, size, anchor, color: INK, text: text.to_string(), upright: true });
    }

    /// The picture as a PNG file, two pixels for each of its own. Needs the feature `plot`. Letters of one
    /// width, Noto Sans Mono's, up to Latin Extended-A; others are shown as `?`.
    #[cfg(feature = "plot")]
    pub fn to_png(&self) -> Vec<u8> {
        let (pixels, width, height) = raster::pixels(self);
        png::png(&pixels, width, height, 3)
    }

    /// Writes the file: PNG where its name ends in `.png`, which needs the feature `plot`, else SVG.
    ///
    /// # Errors
    /// The file cannot be written; a name that ends in `.png` without the feature `plot`.
    pub fn save(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let path = path.as_ref();
        if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("png")) {
            #[cfg(feature = "plot")]
            return fs::write(path, self.to_png());
            #[cfg(not(feature = "plot"))]
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                format!("{}: expected the feature `plot` for PNG, found none\nhelp: save as `.svg`", path.display()),
            ));
        }
        fs::write(path, format!("{self}"))
    }
}

#[cfg(test)]
mod tests;
