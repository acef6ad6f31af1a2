//! What ranks decide together about a step, so that all take it or none. In: what one has found; out: what
//! all have found, the same everywhere.

use super::refusal::Refusal;
use super::world::{Lost, World};

/// A place, or none, as a number of which the least is the first place.
fn number(place: Option<usize>) -> u64 {
    place.map_or(u64::MAX, |place| place as u64)
}

fn place(number: u64) -> Option<usize> {
    (number < u64::MAX).then_some(number as usize)
}

/// What no gradient of any rank is larger than, by what this one has found.
///
/// # Errors
/// One is not finite, at the first of these places; a rank is lost.
pub(super) fn agree_on_grads(world: Option<&World>, bad: Option<usize>, most: f64) -> Result<f64, Refusal> {
    let (mut bad, mut most) = (number(bad), most);
    if let Some(world) = world {
        // Of positive numbers the bits are in the order of sizes.
        let [least, rest] = world.least([bad, !most.to_bits()])?;
        (bad, most) = (least, f64::from_bits(!rest));
    }
    place(bad).map_or(Ok(most), |place| Err(Refusal::Gradient(place)))
}

/// Why a step in doubt is refused, by the first places that any rank has found.
pub(super) fn refused(world: Option<&World>, grad: Option<usize>, param: Option<usize>) -> Option<Refusal> {
    let mut found = [number(grad), number(param)];
    if let Some(world) = world {
        found = match world.least(found) {
            Ok(least) => least,
            Err(Lost) => return Some(Refusal::Lost),
        };
    }
    let [grad, param] = found.map(place);
    grad.map(Refusal::Gradient).or(param.map(Refusal::Parameter))
}
