//! Sizes of convolutions and pools, computed without wrapping around: a product or sum that does not fit is
//! `usize::MAX`, which is longer than any slice, so that every later check of a length refuses it.

/// The product, or `usize::MAX` where it is larger than that.
pub(crate) const fn product<const N: usize>(factors: [usize; N]) -> usize {
    let (mut product, mut i) = (1, 0);
    while i < N {
        // A factor of 0 makes the product 0 whatever the others are.
        product = if factors[i] == 0 { return 0 } else { factors[i].saturating_mul(product) };
        i += 1;
    }
    product
}

/// The sum, or `usize::MAX` where it is larger than that.
pub(crate) const fn sum<const N: usize>(terms: [usize; N]) -> usize {
    let (mut sum, mut i): (usize, usize) = (0, 0);
    while i < N {
        sum = sum.saturating_add(terms[i]);
        i += 1;
    }
    sum
}

/// `n` rounded up to a multiple of `of`, or `usize::MAX` where that does not fit.
pub(crate) const fn round_up(n: usize, of: usize) -> usize {
    product([n.div_ceil(of), of])
}

/// The larger one.
pub(crate) const fn max(a: usize, b: usize) -> usize {
    if a > b { a } else { b }
}

/// The smaller one.
pub(crate) const fn min(a: usize, b: usize) -> usize {
    if a < b { a } else { b }
}

/// Positions of a window that reaches over `reach` of `size` numbers, `stride` apart: `(size − reach) /
/// stride + 1`.
///
/// # Panics
/// `reach > size || stride == 0`.
pub(crate) const fn positions(size: usize, reach: usize, stride: usize) -> usize {
    (size - reach) / stride + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_the_largest_number() {
        const HALF: usize = 1 << (usize::BITS / 2);
        assert_eq!((product([3, 4, 5]), sum([3, 4, 5]), round_up(17, 16)), (60, 12, 32));
        assert_eq!((product([HALF, HALF]), product([HALF, HALF, 0])), (usize::MAX, 0));
        assert_eq!((sum([usize::MAX, 1]), round_up(usize::MAX, 16)), (usize::MAX, usize::MAX));
    }
}
