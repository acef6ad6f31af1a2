//! Activations that are no formulas.

use alloc::string::String;

use crate::onnx::site::OnnxSite;

pub(super) fn prelu(site: &mut OnnxSite, axis: usize) -> String {
    let (x, rank) = (site.x[0].clone(), site.input(0).rank());
    let slope = match site.numbers("weight").len() {
        // One for all.
        1 => site.param("weight"),
        _ => site.per_channel("weight", rank, axis),
    };
    site.node("PRelu", &[&x, &slope])
}

/// `Gelu` is an operator from opset 20 on only.
pub(super) fn gelu(site: &mut OnnxSite, approximate: bool) -> String {
    let x = site.x[0].clone();
    let (half, one) = (site.number("half", 0.5), site.number("one", 1.0));
    let share = match approximate {
        false => {
            let root = site.number("root_half", core::f32::consts::FRAC_1_SQRT_2);
            let scaled = site.node("Mul", &[&x, &root]);
            site.node("Erf", &[&scaled])
        }
        true => {
            let (bend, scale) = (site.number("bend", 0.044_715), site.number("scale", 0.797_884_6));
            let square = site.node("Mul", &[&x, &x]);
            let bent = site.node("Mul", &[&square, &bend]);
            let factor = site.node("Add", &[&bent, &one]);
            let argument = site.node("Mul", &[&x, &factor]);
            let argument = site.node("Mul", &[&argument, &scale]);
            site.node("Tanh", &[&argument])
        }
    };
    let above = site.node("Add", &[&share, &one]);
    let halved = site.node("Mul", &[&x, &half]);
    site.node("Mul", &[&halved, &above])
}

pub(super) fn mish(site: &mut OnnxSite) -> String {
    let x = site.x[0].clone();
    let soft = site.node("Softplus", &[&x]);
    let gate = site.node("Tanh", &[&soft]);
    site.node("Mul", &[&x, &gate])
}
