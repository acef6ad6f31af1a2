//! Samples from anywhere, side by side: all samples and the numbers of some come in, copies of these go out.
//! They lie where the processor does not expect them and mostly in no near cache, so each is prefetched while
//! one before it is copied.

use super::simd::{Isa, Kernel, Simd};

/// How many samples ahead one is prefetched.
const AHEAD: usize = 2;

/// Copies the samples `which` of `from`, each of `width` numbers, to `to`.
///
/// ```
/// use nn_kernels::{gather::gather, simd::Isa};
/// let mut to = [0.0; 4];
/// gather(Isa::detect(), &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2, &[2, 0], &mut to);
/// assert_eq!(to, [5.0, 6.0, 1.0, 2.0]);
/// ```
///
/// # Panics
/// `to.len() != which.len() * width`, or `from` does not have one of the samples.
pub fn gather(isa: Isa, from: &[f32], width: usize, which: &[usize], to: &mut [f32]) {
    assert!(
        Some(to.len()) == which.len().checked_mul(width),
        "expected memory for {} samples of {width} numbers, found {}",
        which.len(),
        to.len()
    );
    isa.run(GatherSamples { from, width, which, to });
}

struct GatherSamples<'a> {
    from: &'a [f32],
    width: usize,
    which: &'a [usize],
    to: &'a mut [f32],
}

impl Kernel for GatherSamples<'_> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        let GatherSamples { from, width, which, to } = self;
        let sample = |i: usize| &from[i.saturating_mul(width)..][..width];
        for (n, to) in to.chunks_exact_mut(width.max(1)).enumerate() {
            let (whole, left) = sample(which[n]).as_chunks();
            let (to, to_left) = to.as_chunks_mut();
            // The last samples have none after them.
            let mut ahead = sample(which[(n + AHEAD).min(which.len() - 1)]).as_ptr();
            for (to, from) in to.iter_mut().zip(whole) {
                s.prefetch(ahead);
                ahead = ahead.wrapping_add(from.len());
                s.store(s.load(from), to);
            }
            to_left.copy_from_slice(left);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::vec;
    use std::vec::Vec;

    use super::*;

    #[test]
    fn any_samples_of_any_width_in_any_order() {
        for isa in Isa::available() {
            for width in [1, 2, 15, 16, 17, 100] {
                let from: Vec<f32> = (0..7 * width).map(|i| i as f32).collect();
                for which in [&[][..], &[3], &[6, 6], &[5, 0, 6, 2, 2, 1]] {
                    let mut to = vec![f32::NAN; which.len() * width];
                    gather(isa, &from, width, which, &mut to);
                    let expected: Vec<f32> =
                        which.iter().flat_map(|i| &from[i * width..(i + 1) * width]).copied().collect();
                    assert_eq!(to, expected, "{which:?} of {width} on {}", isa.name());
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "expected memory for 2 samples of 3 numbers, found 5")]
    fn too_little_memory_is_refused() {
        gather(Isa::PORTABLE, &[0.0; 9], 3, &[0, 1], &mut [0.0; 5]);
    }

    #[test]
    #[should_panic(expected = "out of range")]
    fn a_sample_that_is_not_there_is_refused() {
        gather(Isa::PORTABLE, &[0.0; 9], 3, &[3], &mut [0.0; 3]);
    }
}
