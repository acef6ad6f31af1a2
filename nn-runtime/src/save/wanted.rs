//! What a network wants of a file: tensors of a name and a shape, on terms. In: a tensor of the network and
//! one of the file; out: of which type its numbers are, or how it does not fit.

use super::entry::Entry;
use super::header::TensorHeader;
use super::names::NameText;
use super::numbers::NumberType;
use super::rules::Rename;
use crate::fault::Text;
use crate::shape::Shape;

/// A tensor that a network wants.
#[derive(Clone, Copy)]
pub struct WantedTensor<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) shape: Shape,
}

/// What became of a tensor that a network wants.
#[derive(Clone, Copy)]
pub(crate) enum Found {
    /// The file has none of its name.
    Not,
    /// One of its name that does not fit.
    Misfit,
    At(StoredNumbers),
}

/// Where the numbers of a tensor stand in a file, and of which type they are.
#[derive(Clone, Copy)]
pub(crate) struct StoredNumbers {
    pub(crate) from: u64,
    pub(crate) of: NumberType,
}

/// How a file is compared.
#[derive(Clone, Copy)]
pub(crate) struct Terms<'a> {
    /// What the user says of names.
    pub(crate) rules: &'a [Rename<'a>],
    /// The network's name.
    pub(crate) network: &'a str,
    /// How many differences are told.
    pub(crate) most: usize,
    /// What one does with the names that are proposed.
    pub(crate) names_go: &'a str,
}

/// The type of a tensor's numbers, if the file's tensor is what the network's should be.
pub(crate) const fn misfit(header: &TensorHeader, entry: &Entry, shape: Shape) -> Result<NumberType, Text> {
    let dtype = NameText::unescaped(header.dtype(entry));
    let Some(of) = NumberType::named(dtype.bytes()) else {
        return Err(Text::EMPTY.str("expected floats of 16, 32 or 64 bits, found ").quoted(dtype.as_str()));
    };
    if !has_shape(header, entry, shape) {
        let text = Text::EMPTY.str("expected ").shape(shape).str(", found ").dims(header.dims(entry));
        return Err(match order(header, entry, shape) {
            Order::Other => text,
            Order::Reversed => text.str(": transposed?"),
            Order::Permuted => text.str(": the axes in another order?"),
        });
    }
    let (bytes, found) = ((shape.len() * of.size()) as u64, entry.to - entry.from);
    if bytes == found {
        return Ok(of);
    }
    let text = Text::EMPTY.str("expected ").whole(bytes).str(" bytes for ").shape(shape).str(" of ");
    Err(text.str(dtype.as_str()).str(", found ").whole(found))
}

/// Whether the file's tensor has this shape.
pub(crate) const fn has_shape(header: &TensorHeader, entry: &Entry, shape: Shape) -> bool {
    let (mut dims, mut i) = (header.dims(entry), 0);
    while let Some(dim) = dims.next() {
        if i == shape.rank() || dim != shape.dim(i) as u64 {
            return false;
        }
        i += 1;
    }
    i == shape.rank()
}

/// How the dimensions of a tensor that has another shape are those of the wanted one.
enum Order {
    Other,
    Reversed,
    Permuted,
}

const fn order(header: &TensorHeader, entry: &Entry, shape: Shape) -> Order {
    let mut left = shape;
    let (mut dims, mut i, mut reversed) = (header.dims(entry), 0, true);
    while let Some(dim) = dims.next() {
        if i == shape.rank() {
            return Order::Other;
        }
        reversed &= dim == shape.dim(shape.rank() - 1 - i) as u64;
        // Each dimension of the shape is taken once; 0 is none.
        let mut k = 0;
        while k < left.rank() && left.dim(k) as u64 != dim {
            k += 1;
        }
        if k == left.rank() || dim == 0 {
            return Order::Other;
        }
        left = left.with_dim(k, 0);
        i += 1;
    }
    match (i == shape.rank(), reversed && shape.rank() == 2) {
        (false, _) => Order::Other,
        (true, true) => Order::Reversed,
        (true, false) => Order::Permuted,
    }
}

/// A name of the network, which is text.
pub(crate) const fn text_of(name: &[u8]) -> &str {
    match core::str::from_utf8(name) {
        Ok(text) => text,
        Err(_) => "",
    }
}
