//! Masks of steps: what the layers that take one have in common. In: shapes, or the numbers of a mask; out:
//! what is wrong, or which steps are there.

use crate::fault::Fault;
use crate::shape::Shape;

/// 0 is padding; any other number is a step.
pub(super) fn is_step(mask: &f32) -> bool {
    *mask != 0.0
}

/// What is wrong with the inputs of a layer that takes `[steps, features]` and a mask of the steps.
pub(super) const fn mask_fault(x: &[Shape], layer: &str) -> Option<Fault> {
    if x.len() > 2 {
        let fault = Fault::expected("an input of [steps, features], and perhaps a mask of [steps]");
        let fault = fault.str(", found ").num(x.len()).str(" inputs");
        return Some(fault.help("write `(x, mask) -> ").str(layer).str("`"));
    }
    let Some([steps, _]) = x[0].dims::<2>() else {
        let fault = Fault::expected("an input of [steps, features] beside a mask").found(x[0]);
        return Some(fault.help("leave the mask out, as in `x -> ").str(layer).str("`"));
    };
    match x[1].dims::<1>() {
        Some([len]) if len == steps => None,
        _ => {
            let fault = Fault::expected("a mask of one number for each of ").num(steps).str(" steps").found(x[1]);
            Some(fault.help("declare it as [").num(steps).str("]: 1 a step, 0 padding"))
        }
    }
}
