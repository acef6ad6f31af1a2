//! How much of everything there may be at most, and how long a cache line is.

/// The most dimensions a value may have, the batch not counted.
pub const MAX_RANK: usize = 6;
/// The most inputs a layer or a network may have.
pub const MAX_INPUTS: usize = 8;
/// The most outputs a layer or a network may have.
pub const MAX_OUTPUTS: usize = 4;
/// The most parameter tensors one layer may have (a network used as a layer has as many as it likes).
pub const MAX_PARAMS: usize = 8;
/// What one value may have at most: beyond this its bytes cannot be addressed with room for a batch.
pub(crate) const MAX_LEN: usize = (isize::MAX as usize) >> 12;
/// Buffers begin at multiples of this many floats: one cache line.
pub(crate) const LINE: usize = 16;

/// `len` rounded up to whole cache lines.
pub(crate) const fn lines(len: usize) -> usize {
    // Two steps for const evaluation, where a division that rounds up is twenty.
    (len + LINE - 1) & !(LINE - 1)
}
