//! Shapes: the numbers rustc knows. In: dimensions as const expressions; out: comparable, printable shapes.
//! Everything here runs at compile time; nothing here may know a layer.

use core::fmt;

use crate::limits::{MAX_LEN, MAX_RANK};

/// The shape of one sample of a value: `[features]`, `[steps, features]`, `[channels, height, width]`, …
///
/// The batch is a run-time number and never part of a shape.
///
/// ```
/// use nn_runtime::Shape;
///
/// const IMAGE: Shape = Shape::of([1, 28, 28]);
/// assert_eq!(IMAGE.len(), 784);
/// assert_eq!(IMAGE.dims::<3>(), Some([1, 28, 28]));
/// assert_eq!(IMAGE.dims::<1>(), None);
/// assert_eq!(IMAGE.to_string(), "[1, 28, 28]");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    dims: [usize; MAX_RANK],
    /// All dimensions multiplied, as passes ask for it at each step; [`TOO_MANY`] where that does not fit
    /// into memory.
    len: usize,
    rank: u8,
    known: bool,
}

/// More numbers than any value has.
const TOO_MANY: usize = usize::MAX;

/// How many numbers there are of these dimensions, or [`TOO_MANY`].
const fn product(dims: &[usize]) -> usize {
    let (mut len, mut i) = (1, 0);
    while i < dims.len() {
        let dim = dims[i];
        if dim > 0 && len > MAX_LEN / dim {
            return TOO_MANY;
        }
        len *= dim;
        i += 1;
    }
    len
}

impl Shape {
    /// The shape behind a rule that failed: later rules keep silent about it, so that one mistake is told
    /// once.
    pub const UNKNOWN: Shape = Shape { dims: [0; MAX_RANK], len: 0, rank: 0, known: false };

    /// The shape with these dimensions.
    ///
    /// # Panics
    /// `R > MAX_RANK`
    pub const fn of<const R: usize>(dims: [usize; R]) -> Shape {
        assert!(R <= MAX_RANK, "expected at most 6 dimensions");
        let mut all = [0; MAX_RANK];
        let mut i = 0;
        while i < R {
            all[i] = dims[i];
            i += 1;
        }
        Shape { dims: all, len: product(&dims), rank: R as u8, known: true }
    }

    /// The shape with the dimensions of a slice.
    ///
    /// # Panics
    /// `dims.len() > MAX_RANK`
    pub const fn of_slice(dims: &[usize]) -> Shape {
        assert!(dims.len() <= MAX_RANK, "expected at most 6 dimensions");
        let mut all = [0; MAX_RANK];
        let mut i = 0;
        while i < dims.len() {
            all[i] = dims[i];
            i += 1;
        }
        Shape { dims: all, len: product(dims), rank: dims.len() as u8, known: true }
    }

    /// False behind a rule that failed.
    pub const fn is_known(&self) -> bool {
        self.known
    }

    /// How many dimensions there are.
    #[inline]
    pub const fn rank(&self) -> usize {
        self.rank as usize
    }

    /// Dimension `i`, from the left.
    ///
    /// # Panics
    /// `i >= rank()`
    #[inline]
    pub const fn dim(&self, i: usize) -> usize {
        assert!(i < self.rank());
        self.dims[i]
    }

    /// The dimensions, if there are exactly `R` of them and they are known.
    pub const fn dims<const R: usize>(&self) -> Option<[usize; R]> {
        if !self.known || self.rank() != R {
            return None;
        }
        let mut dims = [0; R];
        let mut i = 0;
        while i < R {
            dims[i] = self.dims[i];
            i += 1;
        }
        Some(dims)
    }

    /// The dimensions as a slice.
    #[inline]
    pub const fn as_slice(&self) -> &[usize] {
        self.dims.split_at(self.rank()).0
    }

    /// How many numbers one sample has; `None` where that does not fit into memory.
    #[inline]
    pub const fn checked_len(&self) -> Option<usize> {
        match self.len {
            TOO_MANY => None,
            len => Some(len),
        }
    }

    /// How many numbers one sample has; 0 where it is unknown or does not fit into memory.
    #[inline]
    pub const fn len(&self) -> usize {
        match self.checked_len() {
            Some(len) => len,
            None => 0,
        }
    }

    /// How many numbers one step of a sequence has, whose steps are the first dimension; all of it where
    /// there is none.
    pub(crate) const fn step_len(&self) -> usize {
        if self.rank == 0 || self.dims[0] == 0 { self.len() } else { self.len() / self.dims[0] }
    }

    /// True if one sample has no numbers.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// `==` for const contexts.
    pub const fn equals(&self, other: &Shape) -> bool {
        if self.known != other.known || self.rank != other.rank {
            return false;
        }
        let mut i = 0;
        while i < self.rank() {
            if self.dims[i] != other.dims[i] {
                return false;
            }
            i += 1;
        }
        true
    }

    /// The same shape with dimension `i` changed to `to`.
    ///
    /// # Panics
    /// `i >= rank()`
    pub const fn with_dim(mut self, i: usize, to: usize) -> Shape {
        assert!(i < self.rank());
        self.dims[i] = to;
        self.len = product(self.as_slice());
        self
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.known {
            return f.write_str("[?]");
        }
        f.debug_list().entries(self.as_slice()).finish()
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
