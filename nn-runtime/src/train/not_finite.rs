//! How a step is refused that would end in NaN or infinity, in words. In: names and places; out: text.

use core::fmt;

/// How a loss is refused.
pub(super) const NO_LOSS: &str = "expected a finite loss, found NaN or infinity";
pub(super) const HELP: &str = "\nhelp: use a smaller learning rate, or scale the data";
pub(super) const HELP_OBJECTIVE: &str = "\nhelp: see what the objective divides by and takes roots and logarithms of";

/// How the gradient of an output is refused that an objective has written.
pub(super) fn tell_output_gradient(
    f: &mut fmt::Formatter,
    output: usize,
    sample: usize,
    element: usize,
) -> fmt::Result {
    write!(
        f,
        "sample {sample}, output {output}, element {element}: expected a finite gradient from the objective, found NaN or infinity"
    )
}

/// … that of a tensor.
pub(super) fn tell_gradient(f: &mut fmt::Formatter, name: &dyn fmt::Display) -> fmt::Result {
    write!(f, "expected a finite gradient of `{name}`, found NaN or infinity")
}

/// … and the tensor itself.
pub(super) fn tell_parameter(f: &mut fmt::Formatter, name: &dyn fmt::Display) -> fmt::Result {
    write!(f, "expected finite numbers of `{name}` after the step, found NaN or infinity")
}
