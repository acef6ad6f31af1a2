//! One flat row of numbers per sample, and everything it can be read from: arrays, slices with a width,
//! `ndarray` views of any layout. All become [`Values`], `[samples, width]`.

use super::{DataError, DataErrorKind};
use crate::finite::first_not_finite;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Display;
#[cfg(feature = "std")]
use ndarray::{ArrayBase, Data, Dimension};

/// Numbers, `[samples, width]`, row by row: an input of a network, or targets that are numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Values {
    flat: Vec<f32>,
    samples: usize,
    width: usize,
}

impl Values {
    /// `flat` holds samples of `width` numbers each, one after the other.
    ///
    /// # Errors
    /// A width of 0, or a length that is no multiple of it.
    pub fn new(flat: Vec<f32>, width: usize) -> Result<Self, DataError> {
        if width == 0 {
            return Err(DataError::new(DataErrorKind::Size, "samples", "a width of at least 1", "0"));
        }
        let samples = flat.len() / width;
        if samples * width != flat.len() {
            let found = format!("{} numbers", flat.len());
            return Err(DataError::new(
                DataErrorKind::Size,
                "samples",
                format!("a multiple of the width {width}"),
                found,
            ));
        }
        Ok(Self { flat, samples, width })
    }

    /// The number of samples.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        self.samples
    }

    /// Whether there is no sample.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.samples == 0
    }

    /// Numbers per sample, at least 1.
    #[must_use]
    #[inline]
    pub fn width(&self) -> usize {
        self.width
    }

    /// One sample, `[width]`.
    ///
    /// # Panics
    /// If `i >= self.len()`.
    #[must_use]
    #[inline]
    pub fn sample(&self, i: usize) -> &[f32] {
        &self.flat[i * self.width..(i + 1) * self.width]
    }

    /// Everything, `[samples, width]`.
    #[must_use]
    #[inline]
    pub fn as_slice(&self) -> &[f32] {
        &self.flat
    }

    /// Everything, to be changed in place, `[samples, width]`.
    #[must_use]
    pub fn as_mut_slice(&mut self) -> &mut [f32] {
        &mut self.flat
    }

    /// Every `steps` samples in a row as one, `[steps, width]`, `stride` samples after the one before: a
    /// series in windows. Samples at the end that fill none are left out.
    ///
    /// ```
    /// use nn_runtime::data::Values;
    ///
    /// let series = Values::new(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 1)?;
    /// assert_eq!(series.windows(3, 2)?, Values::new(vec![1.0, 2.0, 3.0, 3.0, 4.0, 5.0], 3)?);
    /// # Ok::<(), nn_runtime::data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// No steps, a stride of 0, fewer samples than steps, or more windows than memory.
    pub fn windows(&self, steps: usize, stride: usize) -> Result<Values, DataError> {
        if steps == 0 || stride == 0 {
            let found = format!("{steps} steps, a stride of {stride}");
            return Err(DataError::new(DataErrorKind::Setting, "windows", "at least 1 step and a stride of 1", found));
        }
        if self.len() < steps {
            let expected = format!("at least {steps} samples, for one window");
            return Err(DataError::new(DataErrorKind::Size, "windows", expected, self.len().to_string()));
        }
        let mut windows = Values::none();
        let count = (self.len() - steps) / stride + 1;
        // No overflow: as many numbers are here.
        let width = steps * self.width;
        if !windows.reserve(count, width) {
            let found = format!("{count} of {width} numbers, and no memory for them");
            return Err(DataError::new(DataErrorKind::Memory, "windows", "windows that fit", found));
        }
        for from in (0..count).map(|i| i * stride * self.width) {
            windows.flat.extend_from_slice(&self.flat[from..from + width]);
        }
        (windows.samples, windows.width) = (count, width);
        Ok(windows)
    }

    /// One sample, to be changed in place.
    pub(super) fn sample_mut(&mut self, i: usize) -> &mut [f32] {
        &mut self.flat[i * self.width..(i + 1) * self.width]
    }

    /// Makes room for so many samples, whatever they are.
    pub(super) fn resize(&mut self, samples: usize) {
        self.flat.resize(samples * self.width, 0.0);
        self.samples = samples;
    }

    /// These samples and then those of another.
    pub(super) fn concat(&self, other: &Self, place: impl Fn() -> String) -> Result<Self, DataError> {
        if self.width != other.width {
            let expected = format!("a width of {}, as before", self.width);
            return Err(DataError::new(DataErrorKind::Size, place(), expected, other.width.to_string()));
        }
        Self::new([&self.flat[..], &other.flat].concat(), self.width)
    }

    /// Makes `into` the samples at `indices`; its memory is used again.
    pub(super) fn gather(&self, indices: &[usize], into: &mut Self) {
        into.flat.clear();
        into.flat.reserve_exact(indices.len() * self.width);
        for &i in indices {
            into.flat.extend_from_slice(self.sample(i));
        }
        into.samples = indices.len();
        into.width = self.width;
    }

    /// The first number that is none, as an error about `what` of its sample.
    pub(crate) fn check_finite(&self, what: impl Display) -> Result<(), DataError> {
        let Some(at) = first_not_finite(&self.flat) else { return Ok(()) };
        Err(self.no_number(at, what))
    }

    /// The fault of number `at`, which is none, about `what` of its sample.
    pub(super) fn no_number(&self, at: usize, what: impl Display) -> DataError {
        let place = format!("sample {}, {what}, element {}", at / self.width, at % self.width);
        DataError::new(DataErrorKind::Number, place, "a finite number", self.flat[at].to_string())
    }

    /// Takes memory for so many samples; false where there is too little.
    pub(super) fn reserve(&mut self, samples: usize, width: usize) -> bool {
        let numbers = samples.checked_mul(width);
        numbers.is_some_and(|numbers| self.flat.try_reserve_exact(numbers).is_ok())
    }

    /// What an unused slot holds until it is gathered into.
    pub(super) fn none() -> Self {
        Self::of_width(1)
    }

    /// No samples yet, of a width of at least 1.
    pub(super) fn of_width(width: usize) -> Self {
        Self { flat: Vec::new(), samples: 0, width }
    }
}

/// What can be read as one row of numbers per sample; the first axis counts the samples.
///
/// | from | samples | width |
/// |---|---|---|
/// | `&[[f32; N]]`, `&[[f32; N]; M]`, `Vec<[f32; N]>` | its length | `N` |
/// | `(&[f32], width)`, `(Vec<f32>, width)` | its length / `width` | `width` |
/// | an `ndarray` array or view, or a reference to one | first axis | product of the others |
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read as rows of `f32`, one per sample",
    note = "a flat slice comes with its width: `(&pixels[..], 784)`; one number per sample is `(&numbers[..], 1)`",
    note = "class labels go to `Dataset::classes(inputs, labels)`",
    note = "`f64` arrays are converted first: `array.mapv(|v| v as f32)`"
)]
pub trait Samples {
    /// The rows.
    ///
    /// # Errors
    /// Rows of width 0, a flat slice whose length is no multiple of its width, an array without axes.
    fn into_values(self) -> Result<Values, DataError>;
}

impl Samples for Values {
    fn into_values(self) -> Result<Values, DataError> {
        Ok(self)
    }
}

impl Samples for (Vec<f32>, usize) {
    fn into_values(self) -> Result<Values, DataError> {
        Values::new(self.0, self.1)
    }
}

impl Samples for (&[f32], usize) {
    fn into_values(self) -> Result<Values, DataError> {
        Values::new(self.0.to_vec(), self.1)
    }
}

impl<const N: usize> Samples for &[[f32; N]] {
    fn into_values(self) -> Result<Values, DataError> {
        Values::new(self.as_flattened().to_vec(), N)
    }
}

impl<const N: usize, const M: usize> Samples for &[[f32; N]; M] {
    fn into_values(self) -> Result<Values, DataError> {
        self.as_slice().into_values()
    }
}

impl<const N: usize> Samples for Vec<[f32; N]> {
    fn into_values(self) -> Result<Values, DataError> {
        Values::new(self.into_flattened(), N)
    }
}

#[cfg(feature = "std")]
impl<S: Data<Elem = f32>, D: Dimension> Samples for &ArrayBase<S, D> {
    fn into_values(self) -> Result<Values, DataError> {
        let Some((&samples, rest)) = self.shape().split_first() else {
            return Err(DataError::new(
                DataErrorKind::Size,
                "samples",
                "an array whose first axis counts the samples",
                "an array of no axes",
            ));
        };
        let width = rest.iter().product();
        if width == 0 {
            let found = format!("the shape {:?}", self.shape());
            return Err(DataError::new(DataErrorKind::Size, "samples", "a width of at least 1", found));
        }
        let flat = self.iter().copied().collect();
        Ok(Values { flat, samples, width })
    }
}

#[cfg(feature = "std")]
impl<S: Data<Elem = f32>, D: Dimension> Samples for ArrayBase<S, D> {
    fn into_values(self) -> Result<Values, DataError> {
        (&self).into_values()
    }
}
