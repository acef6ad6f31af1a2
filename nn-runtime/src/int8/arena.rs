//! Where each value's codes lie. In: who writes and reads which value; out: places in one block, which values
//! share that are not needed at the same time: the largest is placed first, each as low as it can be.

use alloc::vec;
use alloc::vec::Vec;

use super::float::FloatNetwork;
use super::program::CodeRange;

/// What places begin at multiples of.
const ALIGN: usize = 16;

/// The places of all values, and how many bytes they take.
pub(super) fn places(network: &FloatNetwork) -> (Vec<CodeRange>, usize) {
    // From the operator that writes a value to the last one that reads it, counted from 1; inputs are there
    // before.
    let mut lives: Vec<Option<[usize; 2]>> = vec![None; network.lens.len()];
    for input in &network.inputs {
        lives[*input] = Some([0, 0]);
    }
    for (i, op) in network.ops.iter().enumerate() {
        for x in &op.x {
            lives[*x] = lives[*x].map(|[from, _]| [from, i + 1]);
        }
        lives[op.y] = Some([i + 1, i + 1]);
    }
    for output in &network.outputs {
        lives[*output] = lives[*output].map(|[from, _]| [from, network.ops.len() + 1]);
    }
    let mut order: Vec<usize> = (0..lives.len()).filter(|value| lives[*value].is_some()).collect();
    order.sort_by_key(|value| core::cmp::Reverse(network.lens[*value]));
    let mut places = vec![CodeRange::default(); lives.len()];
    let mut placed: Vec<usize> = Vec::new();
    let mut total = 0;
    for value in order {
        let len = network.lens[value];
        let meets = |other: &usize| match (lives[value], lives[*other]) {
            (Some([from, to]), Some([a, b])) => from <= b && a <= to,
            _ => false,
        };
        let mut taken: Vec<CodeRange> =
            placed.iter().filter(|other| meets(other)).map(|other| places[*other]).collect();
        taken.sort_by_key(|place| place.at);
        let mut at = 0;
        for place in taken {
            if at + len <= place.at {
                break;
            }
            at = at.max((place.at + place.len).next_multiple_of(ALIGN));
        }
        places[value] = CodeRange { at, len };
        total = total.max(at + len);
        placed.push(value);
    }
    (places, total)
}
