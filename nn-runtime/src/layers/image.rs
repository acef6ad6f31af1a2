//! What layers of images and sequences ask of an input before anything else. In: a shape; out: its
//! dimensions, or what to type so that there are as many as needed. Nothing here may know which layer asks.

use crate::fault::Fault;
use crate::shape::Shape;

/// The sides of an input of `[channels, height, width]`.
pub(super) const fn image(x: Shape) -> Result<[usize; 3], Fault> {
    match x.dims::<3>() {
        Some(dims) => some(x, dims),
        None => {
            let fault = Fault::expected("an input of [channels, height, width]").found(x);
            Err(match x.dims::<2>() {
                Some([height, width]) => reshape(fault, Shape::of([1, height, width])),
                None => match (x.dims::<1>(), side(x.len())) {
                    (Some([_]), Some(side)) => reshape(fault, Shape::of([1, side, side])),
                    _ if x.rank() == 4 => {
                        let sample = Shape::of([x.dim(1), x.dim(2), x.dim(3)]);
                        fault.help("a shape is that of one sample: leave the batch out, ").shape(sample)
                    }
                    _ => fault.help("put `Reshape([channels, height, width])` before it"),
                },
            })
        }
    }
}

/// The length and width of an input of `[steps, features]`.
pub(super) const fn sequence(x: Shape) -> Result<[usize; 2], Fault> {
    match x.dims::<2>() {
        Some(dims) => some(x, dims),
        None => {
            let fault = Fault::expected("an input of [steps, features]").found(x);
            Err(match x.dims::<1>() {
                Some([steps]) => reshape(fault, Shape::of([steps, 1])),
                None => match x.rank() {
                    3 => fault.help("use the layer that ends in `2d` on [channels, height, width]"),
                    _ => fault.help("put `Reshape([steps, features])` before it"),
                },
            })
        }
    }
}

/// How an input that is no sequence becomes one: of an image each column is a step.
pub(super) const fn into_steps(fault: Fault, x: Shape) -> Fault {
    match x.dims() {
        Some([channels, height, width]) => {
            let columns = Shape::of([width, channels.saturating_mul(height)]);
            let fault = fault.help("put `Permute([2, 0, 1]) -> Reshape(").shape(columns);
            fault.str(")` before it: each column is a step")
        }
        None => fault.help("put `Reshape([steps, features])` before it"),
    }
}

/// The dimensions, if there is a number at all.
const fn some<const R: usize>(x: Shape, dims: [usize; R]) -> Result<[usize; R], Fault> {
    if x.is_empty() && x.checked_len().is_some() {
        let fault = Fault::expected("an input of at least one number").found(x);
        return Err(fault.help("make every dimension before it at least 1"));
    }
    Ok(dims)
}

const fn reshape(fault: Fault, to: Shape) -> Fault {
    fault.help("put `Reshape(").shape(to).str(")` before it")
}

/// The side of a square of this many pixels, if it is one and more than a pixel.
const fn side(pixels: usize) -> Option<usize> {
    let side = pixels.isqrt();
    if side > 1 && side * side == pixels { Some(side) } else { None }
}
