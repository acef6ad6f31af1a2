//! Values joined and cut along one dimension: what `Concat`, `Split` and `Glu` have in common. In: parts and
//! the length of a row of each; out: the whole, or the other way. It only moves numbers.

use crate::fault::Fault;
use crate::shape::Shape;

/// Numbers of one row: all dimensions from `axis` on. A value is a list of such rows, and joins and cuts go
/// row by row.
pub(super) const fn row(shape: &Shape, axis: usize) -> usize {
    let mut len = 1;
    let mut i = axis;
    while i < shape.rank() {
        len *= shape.dim(i);
        i += 1;
    }
    len
}

/// What is wrong with an axis that the shape does not have.
pub(super) const fn fault(axis: usize, x: Shape) -> Option<Fault> {
    if axis < x.rank() {
        return None;
    }
    let fault = Fault::expected("an axis below ").num(x.rank()).str(", the dimensions of ").shape(x).found_num(axis);
    let fault = fault.help("use `axis = ").num(x.rank().saturating_sub(1));
    Some(fault.str(if x.rank() > 1 { "` or less" } else { "`" }).str("; axes are counted from 0, without the batch"))
}

/// Row after row: that of part 0, of part 1, …
pub(super) fn join(parts: &[&[f32]], rows: &[usize], whole: &mut [f32]) {
    for (i, mut row) in whole.chunks_exact_mut(rows.iter().sum()).enumerate() {
        for (part, len) in parts.iter().zip(rows.iter().copied()) {
            let (to, rest) = row.split_at_mut(len);
            to.copy_from_slice(&part[i * len..(i + 1) * len]);
            row = rest;
        }
    }
}

/// The inverse of [`join`]; a part that is empty is not asked for.
pub(super) fn cut(whole: &[f32], parts: &mut [&mut [f32]], rows: &[usize]) {
    for (i, mut row) in whole.chunks_exact(rows.iter().sum()).enumerate() {
        for (part, len) in parts.iter_mut().zip(rows.iter().copied()) {
            let (from, rest) = row.split_at(len);
            if !part.is_empty() {
                part[i * len..(i + 1) * len].copy_from_slice(from);
            }
            row = rest;
        }
    }
}
