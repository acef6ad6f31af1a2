//! Whether all of some numbers are finite. In: numbers; out: the place of the first that is not.

/// Numbers looked at between two chances to stop.
const CHUNK: usize = 1024;

/// The place of the first number that is infinite or NaN. Never inlined, so that a debug build of another
/// crate does not slow it down.
#[inline(never)]
pub(crate) fn first_not_finite(numbers: &[f32]) -> Option<usize> {
    // Whole chunks without an early way out are vectorised; a data set is looked through at every call that
    // trains, a stream at every step.
    let any = |chunk: &[f32]| chunk.iter().fold(false, |any, v| any | !v.is_finite());
    let chunk = numbers.chunks(CHUNK).position(any)?;
    let rest = numbers[chunk * CHUNK..].iter();
    Some(chunk * CHUNK + rest.take_while(|v| v.is_finite()).count())
}
