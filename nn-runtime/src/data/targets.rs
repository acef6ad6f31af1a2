//! What a network should have answered: class labels or numbers, by sample.
//! In: integers of any kind, or samples. Out: [`Labels`] or [`Values`], both [`Targets`].
//! Never: a label that wrapped around on its way to `u32`.

use super::{DataError, Values};
use std::format;
use std::string::ToString;
use std::vec::Vec;

/// Targets of a dataset, by sample.
///
/// A network of several outputs has a tuple of them, in the order of its outputs: `(Labels, Values)`.
pub trait Targets: Clone {
    /// The number of samples.
    fn len(&self) -> usize;

    /// Whether there is no sample.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// # Errors
    /// There are not as many targets as samples.
    fn check_len(&self, samples: usize) -> Result<(), DataError> {
        match self.len() == samples {
            true => Ok(()),
            false => {
                let expected = format!("{samples} samples, as many as inputs");
                Err(DataError::new("targets", expected, self.len().to_string()))
            }
        }
    }

    /// Makes `into` the targets of the samples at `indices`; its memory is used again.
    ///
    /// # Panics
    /// If an index is not below `self.len()`.
    fn take_into(&self, indices: &[usize], into: &mut Self);

    /// # Errors
    /// The first item that is no finite number, with its sample and element.
    fn check_finite(&self) -> Result<(), DataError>;
}

/// Targets of one output.
pub trait OneTarget: Targets {
    /// What one sample has `width` of: `u32` for labels, `f32` for values.
    type Item: Copy;

    /// Items per sample, at least 1.
    fn width(&self) -> usize;

    /// Everything, `[samples, width]`.
    fn as_slice(&self) -> &[Self::Item];
}

macro_rules! several {
    ($($name:ident $i:tt),*) => {
        impl<$($name: OneTarget),*> Targets for ($($name,)*) {
            fn len(&self) -> usize {
                self.0.len()
            }

            fn check_len(&self, samples: usize) -> Result<(), DataError> {
                $(self.$i.check_len(samples)?;)*
                Ok(())
            }

            fn take_into(&self, indices: &[usize], into: &mut Self) {
                $(self.$i.take_into(indices, &mut into.$i);)*
            }

            fn check_finite(&self) -> Result<(), DataError> {
                $(self.$i.check_finite()?;)*
                Ok(())
            }
        }
    };
}
several!(A 0, B 1);
several!(A 0, B 1, C 2);
several!(A 0, B 1, C 2, D 3);

impl OneTarget for Values {
    type Item = f32;

    fn width(&self) -> usize {
        self.width()
    }

    fn as_slice(&self) -> &[f32] {
        self.as_slice()
    }
}

impl Targets for Values {
    fn len(&self) -> usize {
        self.len()
    }

    fn take_into(&self, indices: &[usize], into: &mut Self) {
        self.gather(indices, into);
    }

    fn check_finite(&self) -> Result<(), DataError> {
        self.check_finite("target")
    }
}

/// The class of each sample, counted from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels(Vec<u32>);

impl Labels {
    /// # Errors
    /// A label that is negative or does not fit 32 bits; names the sample.
    pub fn new(classes: impl IntoIterator<Item: Class>) -> Result<Self, DataError> {
        let label = |(sample, class): (usize, _)| {
            let number = Class::number(class);
            u32::try_from(number).map_err(|_| {
                let expected = format!("a class from 0 to {}", u32::MAX);
                DataError::new(format!("sample {sample}, label"), expected, number.to_string())
            })
        };
        let labels: Result<_, _> = classes.into_iter().enumerate().map(label).collect();
        labels.map(Self)
    }

    /// # Errors
    /// The first label that is not below `classes`; names the sample.
    pub fn check(&self, classes: usize) -> Result<(), DataError> {
        let Some(sample) = self.0.iter().position(|&label| label as usize >= classes) else {
            return Ok(());
        };
        let expected = format!("a class below {classes}");
        let found = self.0[sample].to_string();
        Err(DataError::new(format!("sample {sample}, label"), expected, found))
    }

    /// The class of each sample, `[samples]`.
    #[must_use]
    pub fn as_slice(&self) -> &[u32] {
        &self.0
    }
}

impl OneTarget for Labels {
    type Item = u32;

    fn width(&self) -> usize {
        1
    }

    fn as_slice(&self) -> &[u32] {
        &self.0
    }
}

impl Targets for Labels {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn take_into(&self, indices: &[usize], into: &mut Self) {
        into.0.clear();
        into.0.reserve_exact(indices.len());
        into.0.extend(indices.iter().map(|&i| self.0[i]));
    }

    fn check_finite(&self) -> Result<(), DataError> {
        Ok(())
    }
}

/// An integer that may count a class: any of Rust's up to 64 bits, or a reference to one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no class label",
    note = "labels are integers that count from 0; targets that are numbers go to `Dataset::values`"
)]
pub trait Class: Copy {
    /// The number as it stands; [`Labels::new`] judges it.
    fn number(self) -> i128;
}

impl<C: Class> Class for &C {
    fn number(self) -> i128 {
        (*self).number()
    }
}

macro_rules! integers {
    ($($integer:ty)*) => {$(
        impl Class for $integer {
            fn number(self) -> i128 {
                self as i128
            }
        }
    )*};
}
integers!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);
