//! The parameters that steps change number by number. In: a network; out: ranges in order, none of which
//! holds numbers that no step changes, such as the padding row of an embedding.

use core::ops::Range;

use crate::graph::CompiledNetwork;
use crate::params;
use crate::spec::Role;

/// Shows each range.
pub(super) fn each_learnt_part(map: &'static CompiledNetwork, mut see: impl FnMut(Range<usize>)) {
    params::each(map, &mut |tensor| {
        if tensor.param.role != Role::Trainable || tensor.frozen {
            return;
        }
        let (all, fixed) = (tensor.range(), tensor.fixed());
        let parts = if fixed.is_empty() { [all, 0..0] } else { [all.start..fixed.start, fixed.end..all.end] };
        parts.into_iter().filter(|part| !part.is_empty()).for_each(&mut see);
    });
}

/// Shows where each tensor of this role lies that is not frozen.
pub(super) fn each_tensor_range(map: &'static CompiledNetwork, role: Role, mut see: impl FnMut(Range<usize>)) {
    params::each(map, &mut |tensor| {
        if tensor.param.role == role && !tensor.frozen {
            see(tensor.range());
        }
    });
}
