//! A tensor out of a file: its name, the type of its numbers, its shape, its bytes.

/// One of the types that numbers have in all of these files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Element {
    F64,
    F32,
    F16,
    Bf16,
    I64,
    I32,
    I16,
    I8,
    U8,
    Bool,
}

impl Element {
    pub(crate) fn bytes(self) -> usize {
        match self {
            Element::F64 | Element::I64 => 8,
            Element::F32 | Element::I32 => 4,
            Element::F16 | Element::Bf16 | Element::I16 => 2,
            Element::I8 | Element::U8 | Element::Bool => 1,
        }
    }
}

/// Numbers in row-major order, little-endian.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Tensor {
    pub(crate) name: String,
    pub(crate) element: Element,
    pub(crate) shape: Vec<usize>,
    pub(crate) bytes: Vec<u8>,
}

impl Tensor {
    /// Bytes of a tensor, if they can be counted.
    pub(crate) fn size(element: Element, shape: &[usize]) -> Option<usize> {
        shape.iter().try_fold(element.bytes(), |all, dim| all.checked_mul(*dim))
    }
}
