//! Where the samples of a micro-batch lie. In: inputs, outputs or gradients of all samples; out: slices of
//! some, one for each input or output.

use core::ops::{Deref, DerefMut, Range};

use super::batch_pass::{BatchInputs, MicroBatch};
use crate::graph::{CompiledNetwork, MAX_INPUTS};
use crate::shape::Shape;
use crate::spec::MAX_OUTPUTS;

/// The samples of a micro-batch, of each input.
#[inline(always)]
pub(super) fn inputs<'a>(
    map: &CompiledNetwork,
    x: &BatchInputs<'a>,
    gathered: &'a [impl Deref<Target = [f32]>],
    micro: &MicroBatch,
) -> [&'a [f32]; MAX_INPUTS] {
    let mut some = [&[][..]; MAX_INPUTS];
    for (k, (to, shape)) in some.iter_mut().zip(map.inputs).enumerate() {
        let len = shape.len();
        *to = match x {
            BatchInputs::Part(x, first) => {
                &x[k][(micro.of_batch.start - first) * len..(micro.of_batch.end - first) * len]
            }
            BatchInputs::Slices(x) => &x[k][micro.of_batch.start * len..micro.of_batch.end * len],
            BatchInputs::Indexed(..) => &gathered[k][micro.own.start * len..micro.own.end * len],
        };
    }
    some
}

#[inline(always)]
pub(super) fn slices<'b>(
    blocks: &'b [impl Deref<Target = [f32]>],
    shapes: &[Shape],
    samples: &Range<usize>,
) -> [&'b [f32]; MAX_OUTPUTS] {
    let mut all = [&[][..]; MAX_OUTPUTS];
    for ((to, block), shape) in all.iter_mut().zip(blocks).zip(shapes) {
        *to = &block[samples.start * shape.len()..samples.end * shape.len()];
    }
    all
}

#[inline(always)]
pub(super) fn mut_slices<'b>(
    blocks: &'b mut [impl DerefMut<Target = [f32]>],
    shapes: &[Shape],
    samples: &Range<usize>,
) -> [&'b mut [f32]; MAX_OUTPUTS] {
    let mut all: [&mut [f32]; MAX_OUTPUTS] = Default::default();
    for ((to, block), shape) in all.iter_mut().zip(blocks).zip(shapes) {
        *to = &mut block[samples.start * shape.len()..samples.end * shape.len()];
    }
    all
}
