//! What a network should have answered for each sample: class labels, or numbers. Integers of any kind become
//! [`Labels`], and one that does not fit 32 bits is refused.

use super::{Class, DataError, DataErrorKind, Values};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use nn_kernels::fingerprint::{fingerprint, of_words};

/// Targets of a dataset, by sample.
///
/// A network of several outputs has a tuple of them, in the order of its outputs: `(Labels, Values)`.
pub trait Targets: Clone + Send + Sync {
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
                Err(DataError::new(DataErrorKind::Size, "targets", expected, self.len().to_string()))
            }
        }
    }

    /// Makes `into` the targets of the samples at `indices`; its memory is used again.
    ///
    /// # Panics
    /// If an index is not below `self.len()`.
    fn select_into(&self, indices: &[usize], into: &mut Self);

    /// Adds the targets of more samples behind these.
    ///
    /// # Errors
    /// Targets of another width; nothing is changed then.
    fn append(&mut self, more: &Self) -> Result<(), DataError>;

    /// Whether every target that counts is a number; those of weight 0 need not be.
    ///
    /// # Errors
    /// The first item that is no finite number, with its sample and element.
    fn check_finite(&self, weights: Option<&Values>) -> Result<(), DataError>;

    /// A number that others than these do not have, but by chance: what the ranks of a distributed run
    /// compare. Where a type of one's own does not say, it is how many there are.
    fn fingerprint(&self) -> u64 {
        self.len() as u64
    }
}

/// Targets of one output.
pub trait OneTarget: Targets {
    /// What one sample has `width` of: `u32` for labels, `f32` for values.
    type Item: Copy + Send + Sync;

    /// What messages call them.
    const WHAT: &'static str;

    /// Items per sample, at least 1.
    fn width(&self) -> usize;

    /// Everything, `[samples, width]`.
    fn as_slice(&self) -> &[Self::Item];

    /// Everything, to be changed in place, `[samples, width]`.
    fn as_mut_slice(&mut self) -> &mut [Self::Item];

    /// Targets that are all 0, to be written; `width` is at least 1.
    fn zeros(samples: usize, width: usize) -> Self;
}

macro_rules! several {
    ($($name:ident $i:tt),*) => {
        impl<$($name: OneTarget),*> Targets for ($($name,)*) {
            fn len(&self) -> usize {
                self.0.len()
            }

            fn fingerprint(&self) -> u64 {
                let each = [$(self.$i.fingerprint()),*];
                of_words(each.into_iter().flat_map(|one| [one as u32, (one >> 32) as u32]))
            }

            fn check_len(&self, samples: usize) -> Result<(), DataError> {
                $(self.$i.check_len(samples)?;)*
                Ok(())
            }

            fn select_into(&self, indices: &[usize], into: &mut Self) {
                $(self.$i.select_into(indices, &mut into.$i);)*
            }

            fn append(&mut self, more: &Self) -> Result<(), DataError> {
                let mut longer = self.clone();
                $(longer.$i.append(&more.$i)?;)*
                *self = longer;
                Ok(())
            }

            fn check_finite(&self, weights: Option<&Values>) -> Result<(), DataError> {
                $(Targets::check_finite(&self.$i, weights)?;)*
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

    const WHAT: &'static str = "targets";

    #[inline]
    fn width(&self) -> usize {
        self.width()
    }

    #[inline]
    fn as_slice(&self) -> &[f32] {
        self.as_slice()
    }

    fn as_mut_slice(&mut self) -> &mut [f32] {
        self.as_mut_slice()
    }

    fn zeros(samples: usize, width: usize) -> Self {
        let mut values = Values::of_width(width);
        values.resize(samples);
        values
    }
}

impl Targets for Values {
    fn fingerprint(&self) -> u64 {
        fingerprint(self.as_slice())
    }

    #[inline]
    fn len(&self) -> usize {
        self.len()
    }

    fn select_into(&self, indices: &[usize], into: &mut Self) {
        self.gather(indices, into);
    }

    fn append(&mut self, more: &Self) -> Result<(), DataError> {
        *self = self.concat(more, || "targets".into())?;
        Ok(())
    }

    fn check_finite(&self, weights: Option<&Values>) -> Result<(), DataError> {
        let checked = self.check_finite("target");
        let (Err(_), Some(weights)) = (&checked, weights) else { return checked };
        // Something is no number, which is seldom: look again, at what counts.
        let counts = |at: usize| {
            let (sample, element) = (at / self.width(), at % self.width());
            weights.sample(sample)[element * weights.width() / self.width()] != 0.0
        };
        let mut numbers = self.as_slice().iter().enumerate();
        match numbers.position(|(at, value)| !value.is_finite() && counts(at)) {
            Some(at) => Err(self.no_number(at, "target")),
            None => Ok(()),
        }
    }
}

impl Values {
    /// The class of each sample: the place of its largest number, of equal ones the first. NaN is never the
    /// largest.
    ///
    /// ```
    /// use nn_runtime::data::{OneTarget, Values};
    ///
    /// let scores = Values::new(vec![0.1, 0.7, 0.2, 0.5, 0.4, 0.1], 3)?;
    /// assert_eq!(scores.argmax().as_slice(), [1, 0]);
    /// # Ok::<(), nn_runtime::data::DataError>(())
    /// ```
    #[must_use]
    pub fn argmax(&self) -> Labels {
        let largest = |row: &[f32]| {
            let greater = |best: (usize, f32), (at, &value): (usize, &f32)| match value > best.1 {
                true => (at, value),
                false => best,
            };
            row.iter().enumerate().fold((0, f32::NEG_INFINITY), greater).0 as u32
        };
        Labels::from_classes(self.as_slice().chunks_exact(self.width()).map(largest).collect())
    }
}

/// The class of each sample, or of each step of each sample, counted from 0.
///
/// ```
/// use nn_runtime::data::{Dataset, Labels};
///
/// // Three steps a sample: the letter that comes next at each of them.
/// let next = Labels::per_step([1, 2, 0, 2, 0, 1], 3)?;
/// let letters = Dataset::new(&[[0.0, 1.0, 2.0], [1.0, 2.0, 0.0]], next)?;
/// assert_eq!((letters.len(), letters.targets().sample(1)), (2, &[2, 0, 1][..]));
/// # Ok::<(), nn_runtime::data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    flat: Vec<u32>,
    width: usize,
}

impl Labels {
    /// One label per sample.
    ///
    /// # Errors
    /// A label that is negative or does not fit 32 bits; names the sample.
    pub fn new(classes: impl IntoIterator<Item: Class>) -> Result<Self, DataError> {
        Self::read(classes, 1)
    }

    /// `steps` labels per sample, those of the first sample first: what an output `[steps, classes]` learns
    /// from. An `ndarray` of `[samples, steps]` is such a list, and so are nested arrays by way of
    /// `labels.as_flattened()`.
    ///
    /// # Errors
    /// No steps, labels that are no multiple of them, a label that is negative or does not fit 32 bits; names
    /// the sample and the step.
    pub fn per_step(classes: impl IntoIterator<Item: Class>, steps: usize) -> Result<Self, DataError> {
        if steps == 0 {
            let fault = DataError::new(DataErrorKind::Size, "labels", "at least 1 step per sample", "0");
            return Err(fault.help("`Labels::new(labels)` is one label per sample"));
        }
        let labels = Self::read(classes, steps)?;
        match labels.flat.len() % steps {
            0 => Ok(labels),
            over => {
                let expected = format!("a multiple of the {steps} steps of a sample");
                let fault =
                    DataError::new(DataErrorKind::Size, "labels", expected, format!("{} labels", labels.flat.len()));
                Err(fault.help(format!("leave out the last {over}, or say how many steps a sample has")))
            }
        }
    }

    fn read(classes: impl IntoIterator<Item: Class>, width: usize) -> Result<Self, DataError> {
        let label = |(at, class): (usize, _)| {
            let number = Class::number(class);
            u32::try_from(number).map_err(|_| {
                let expected = format!("a class from 0 to {}", u32::MAX);
                let fault = DataError::new(DataErrorKind::Label, place(at, width), expected, number.to_string());
                match number < 0 {
                    true => fault
                        .help("a label that is to be ignored may be any class: give it a weight of 0, `with_weights`"),
                    false => fault,
                }
            })
        };
        let flat: Result<_, _> = classes.into_iter().enumerate().map(label).collect();
        flat.map(|flat| Self { flat, width })
    }

    /// One label per sample, of classes that are counted already.
    pub(super) fn from_classes(flat: Vec<u32>) -> Self {
        Self { flat, width: 1 }
    }

    /// # Errors
    /// The first label that is not below `classes`; names the sample.
    pub fn check(&self, classes: usize) -> Result<(), DataError> {
        let Some(at) = self.flat.iter().position(|&label| label as usize >= classes) else {
            return Ok(());
        };
        Err(self.no_class(at, classes))
    }

    /// The fault of label `at`, which is none of so many classes.
    pub(super) fn no_class(&self, at: usize, classes: usize) -> DataError {
        let expected = format!("a class below {classes}");
        DataError::new(DataErrorKind::Label, place(at, self.width), expected, self.flat[at].to_string())
    }

    /// As probabilities: of each label `classes` numbers, 1 at its class and 0 elsewhere, so that a sample is
    /// `[classes]`, or `[steps, classes]`. [`Values::argmax`] is the way back. Keras's `to_categorical`.
    ///
    /// # Errors
    /// The first label that is not below `classes`; names the sample.
    pub fn one_hot(&self, classes: usize) -> Result<Values, DataError> {
        self.check(classes)?;
        // Where there is no label there may be no class either.
        let mut flat = vec![0.0; self.flat.len() * classes];
        for (row, &label) in flat.chunks_exact_mut(classes.max(1)).zip(&self.flat) {
            row[label as usize] = 1.0;
        }
        Values::new(flat, self.width * classes.max(1))
    }

    /// The classes of one sample, `[steps]`.
    ///
    /// # Panics
    /// If `i >= self.len()`.
    #[must_use]
    pub fn sample(&self, i: usize) -> &[u32] {
        &self.flat[i * self.width..(i + 1) * self.width]
    }

    /// The class of each sample, `[samples]`, or of each step, `[samples, steps]`.
    #[must_use]
    pub fn as_slice(&self) -> &[u32] {
        &self.flat
    }
}

/// Where label number `at` stands.
fn place(at: usize, width: usize) -> String {
    match width {
        1 => format!("sample {at}, label"),
        _ => format!("sample {}, label {}", at / width, at % width),
    }
}

impl OneTarget for Labels {
    type Item = u32;

    const WHAT: &'static str = "labels";

    #[inline]
    fn width(&self) -> usize {
        self.width
    }

    #[inline]
    fn as_slice(&self) -> &[u32] {
        &self.flat
    }

    fn as_mut_slice(&mut self) -> &mut [u32] {
        &mut self.flat
    }

    fn zeros(samples: usize, width: usize) -> Self {
        Self { flat: vec![0; samples * width], width }
    }
}

impl Targets for Labels {
    fn fingerprint(&self) -> u64 {
        of_words(self.flat.iter().copied())
    }

    #[inline]
    fn len(&self) -> usize {
        self.flat.len() / self.width
    }

    fn select_into(&self, indices: &[usize], into: &mut Self) {
        into.flat.clear();
        into.flat.reserve_exact(indices.len() * self.width);
        for &i in indices {
            into.flat.extend_from_slice(self.sample(i));
        }
        into.width = self.width;
    }

    fn append(&mut self, more: &Self) -> Result<(), DataError> {
        if self.width != more.width {
            let expected = format!("{} labels per sample, as before", self.width);
            return Err(DataError::new(DataErrorKind::Size, "labels", expected, more.width.to_string()));
        }
        self.flat.extend_from_slice(&more.flat);
        Ok(())
    }

    fn check_finite(&self, _: Option<&Values>) -> Result<(), DataError> {
        Ok(())
    }
}
