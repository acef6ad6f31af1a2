//! What the inputs of a recurrent layer are. In: their shapes; out: the steps and features of the sequence,
//! whether states and a mask stand beside it, or what is wrong with them.

use super::{Direction, Recurrent};
use crate::fault::Fault;
use crate::shape::Shape;
use nn_kernels::recurrent::Cell;

/// What stands beside the sequence.
#[derive(Clone, Copy)]
pub(super) struct Given {
    /// The state before the first step, from input 1 on.
    pub(super) states: bool,
    /// The input that is a mask.
    pub(super) mask: Option<usize>,
}

impl<C: Cell> Recurrent<C> {
    /// Numbers of an output of one step, of both ways where there are two.
    pub(super) const fn width(&self) -> usize {
        self.state_width(0)
    }

    /// Numbers of part `k` of a state, of which the first is the output.
    pub(super) const fn state_width(&self, k: usize) -> usize {
        let one = if k == 0 && self.projection > 0 { self.projection } else { self.units };
        one.saturating_mul(if matches!(self.direction, Direction::Both) { 2 } else { 1 })
    }

    /// What the inputs are by their number, and where two are a state or a mask, by their shapes.
    pub(super) const fn roles(&self, inputs: usize, steps: usize, second: Shape) -> Given {
        let states = match inputs {
            0 | 1 => false,
            2 if C::STATES == 1 => match self.initial {
                Some(initial) => initial,
                None => second.equals(&Shape::of([self.width()])) && !second.equals(&Shape::of([steps])),
            },
            2 => false,
            _ => true,
        };
        let before = if states { 1 + C::STATES } else { 1 };
        Given { states, mask: if inputs > before { Some(before) } else { None } }
    }

    /// The steps and features of the first input, and what the others are; or what is wrong with them.
    pub(super) const fn given(&self, x: &[Shape], layer: &str) -> Result<([usize; 2], Given), Fault> {
        if x.is_empty() || x.len() > 2 + C::STATES {
            let fault = Fault::expected("a sequence, and perhaps the state before it and a mask, found ");
            let fault = fault.num(x.len()).str(" inputs").help("write `x -> ");
            let fault = self.called(self.called(fault, layer).str("`, `(x, mask) -> "), layer);
            let fault = fault.str(if C::STATES == 1 { "` or `(x, h0) -> " } else { "` or `(x, h0, c0) -> " });
            return Err(self.called(fault, layer).str("`"));
        }
        let [steps, features] = match self.first(x, layer) {
            Ok(dims) => dims,
            Err(fault) => return Err(fault),
        };
        let second = if x.len() > 1 { x[1] } else { Shape::UNKNOWN };
        let (width, mask) = (Shape::of([self.width()]), Shape::of([steps]));
        if x.len() == 2 && second.equals(&width) {
            if C::STATES == 2 && !second.equals(&mask) {
                let fault = Fault::expected("both parts of a state, or a mask of ").shape(mask).found(second);
                return Err(self.called(fault.help("write `(x, h0, c0) -> "), layer).str("`"));
            }
            if C::STATES == 1 && self.initial.is_none() && second.equals(&mask) {
                let fault =
                    Fault::expected("to be told what the second input is, a mask or the state before the first step");
                let fault = fault.str(", as both are ").shape(mask).help("write `");
                let fault = fault.str(layer).str("(").num(self.units).str(", initial = false)` for a mask, `");
                return Err(fault.str("initial = true` for the state"));
            }
        }
        let given = self.roles(x.len(), steps, second);
        if let Some(at) = given.mask
            && given.states
            && second.equals(&mask)
            && x[at].equals(&width)
            && !mask.equals(&width)
        {
            let fault = Fault::expected("the mask of ").shape(mask).str(" behind the state, found it before the state");
            let fault =
                fault.help(if C::STATES == 1 { "write `(x, h0, mask) -> " } else { "write `(x, h0, c0, mask) -> " });
            return Err(self.called(fault, layer).str("`"));
        }
        let mut k = 1;
        while given.states && k <= C::STATES {
            let width = Shape::of([self.state_width(k - 1)]);
            if !x[k].equals(&width) {
                let of = if k == 1 && self.projection > 0 { "output, " } else { "unit, " };
                let fault = Fault::expected("a state with a number for each ").str(of).shape(width).found(x[k]);
                return Err(fault.help("declare it as ").shape(width));
            }
            k += 1;
        }
        if let Some(at) = given.mask
            && !x[at].equals(&mask)
        {
            let fault = Fault::expected("a mask with a number for each step, ").shape(mask).found(x[at]);
            let fault = fault.help("make it 1 at a step and 0 at padding, and declare it as ").shape(mask);
            return Err(match (x.len(), C::STATES) {
                (2, 1) => fault.str("; the state before the first step is ").shape(width),
                _ => fault,
            });
        }
        Ok(([steps, features], given))
    }

    const fn called(&self, fault: Fault, layer: &str) -> Fault {
        fault.str(layer).str("(").num(self.units).str(")")
    }

    /// What is wrong with the first input, or its steps and features.
    const fn first(&self, x: &[Shape], layer: &str) -> Result<[usize; 2], Fault> {
        let Some([steps, features]) = x[0].dims::<2>() else {
            let fault = Fault::expected("an input of [steps, features]").found(x[0]);
            return Err(match x[0].dims::<1>() {
                Some([steps]) if x.len() == 2 && x[1].rank() == 2 && x[1].dim(0) == steps => {
                    let fault = fault.help("write the sequence before its mask: `(x, mask) -> ");
                    self.called(fault, layer).str("`")
                }
                Some([steps]) => {
                    let fault = fault.help("put `Reshape(").shape(Shape::of([steps, 1])).str(")` before it");
                    fault.str(
                        ", use `Embedding` on token ids, or leave `last = true` out of a recurrent layer before it",
                    )
                }
                None => super::super::image::into_steps(fault, x[0]),
            });
        };
        if x[0].is_empty() && x[0].checked_len().is_some() {
            let fault = Fault::expected("an input of at least one number").found(x[0]);
            return Err(fault.help("make every dimension before it at least 1"));
        }
        Ok([steps, features])
    }
}
