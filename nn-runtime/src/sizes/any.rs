//! What an enum over the sizes of a network holds, and what is said where there is no such size. In: sizes,
//! and errors of loading; out: types of models, predictors and streams, and texts.

use alloc::format;
use alloc::string::String;
use core::fmt;

use crate::model::{Model, Network};
use crate::predictor::Predictor;
use crate::save::{WeightsError, WeightsErrorKind};
use crate::stream::Streamer;

/// What an enum over the sizes of a network holds of the one that was chosen: [`OwnedModel`],
/// [`OwnedPredictor`] or [`OwnedStreamer`].
pub trait PerNetwork {
    /// What it is of this network.
    type Of<N: Network>;
}

/// A [`Model`] of the network.
pub struct OwnedModel;

/// A [`Predictor`] that owns its model.
pub struct OwnedPredictor;

/// A [`Streamer`] that owns its model.
pub struct OwnedStreamer;

impl PerNetwork for OwnedModel {
    type Of<N: Network> = Model<N>;
}

impl PerNetwork for OwnedPredictor {
    type Of<N: Network> = Predictor<Model<N>>;
}

impl PerNetwork for OwnedStreamer {
    type Of<N: Network> = Streamer<Model<N>>;
}

/// A size that a network was not declared for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SizeError {
    network: &'static str,
    /// Those it was declared for.
    pub expected: &'static [usize],
    /// The one that was asked for.
    pub found: usize,
}

impl SizeError {
    #[doc(hidden)]
    pub const fn new(network: &'static str, expected: &'static [usize], found: usize) -> SizeError {
        SizeError { network, expected, found }
    }
}

/// `16, 32 or 64`
struct OneOf(&'static [usize]);

impl fmt::Display for OneOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, size) in self.0.iter().enumerate() {
            let before = match i {
                0 => "",
                _ if i + 1 == self.0.len() => " or ",
                _ => ", ",
            };
            write!(f, "{before}{size}")?;
        }
        Ok(())
    }
}

impl fmt::Display for SizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SizeError { network, expected, found } = self;
        write!(
            f,
            "expected a `{network}` of {}, found {found}\nhelp: one of these, or {found} among the sizes of its declaration",
            OneOf(expected)
        )
    }
}

impl core::error::Error for SizeError {}

/// Why weights are those of no size: what is said of each, in its first line.
#[doc(hidden)]
pub struct NoSize {
    text: String,
    first: Option<WeightsError>,
}

impl NoSize {
    #[doc(hidden)]
    pub fn new(network: &str, sizes: &'static [usize]) -> NoSize {
        NoSize {
            text: format!("expected the weights of a `{network}` of {}, found those of none", OneOf(sizes)),
            first: None,
        }
    }

    /// Goes on where the weights are not those of this network; else they are not asked about again.
    #[doc(hidden)]
    pub fn add<N: Network>(&mut self, error: WeightsError) -> Result<(), WeightsError> {
        if error.kind() != WeightsErrorKind::Mismatch {
            return Err(error);
        }
        self.text += &format!("\n`{}`: {}", N::COMPILED.name, error.first_line());
        self.first.get_or_insert(error);
        Ok(())
    }

    #[doc(hidden)]
    pub fn told(self) -> WeightsError {
        let error = WeightsError::new(WeightsErrorKind::Mismatch, self.text);
        match self.first {
            Some(first) => error.of_path_of(first),
            None => error,
        }
    }
}
