//! Whether all of some numbers are finite. In: numbers; out: the place of the first that is not.

use nn_kernels::simd::{Isa, Kernel, Simd};

/// Numbers looked at between two chances to stop.
const CHUNK: usize = 1024;

/// The place of the first number that is infinite or NaN. Never inlined, so that a debug build of another
/// crate does not slow it down.
#[inline(never)]
pub(crate) fn first_not_finite(numbers: &[f32]) -> Option<usize> {
    if cfg!(feature = "small") {
        return numbers.iter().position(|v| !v.is_finite());
    }
    // Whole chunks without an early way out are vectorised; a data set is looked through at every call that
    // trains, a stream at every step.
    let from = match numbers.len() {
        0..512 if all_finite(numbers) => return None,
        0..512 => 0,
        _ => Isa::detect().run(FirstChunk(numbers))? * CHUNK,
    };
    numbers[from..].iter().position(|v| !v.is_finite()).map(|at| from + at)
}

const EXPONENT: u32 = f32::INFINITY.to_bits();

/// Whether all are, of a few: with the vectors that every processor of its kind has.
fn all_finite(numbers: &[f32]) -> bool {
    let mut odd = [false; 8];
    let (eights, rest) = numbers.as_chunks::<8>();
    for eight in eights {
        for (odd, v) in odd.iter_mut().zip(eight) {
            *odd |= v.to_bits() & EXPONENT == EXPONENT;
        }
    }
    !odd.contains(&true) && rest.iter().all(|v| v.is_finite())
}

/// The first chunk with a number that is not finite.
struct FirstChunk<'a>(&'a [f32]);

impl Kernel for FirstChunk<'_> {
    type Out = Option<usize>;

    // The compiler makes vectors of the inner loop.
    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> Option<usize> {
        for (i, chunk) in self.0.chunks(CHUNK).enumerate() {
            let mut most = 0;
            for v in chunk {
                most = most.max(v.to_bits() & EXPONENT);
            }
            if most == EXPONENT {
                return Some(i);
            }
        }
        None
    }
}
