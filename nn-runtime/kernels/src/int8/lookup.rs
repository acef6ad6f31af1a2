//! Functions of one code as tables of all 256, and softmax, whose exponentials are one.

/// The entry of each code.
///
/// # Panics
/// `x.len() != y.len()`.
pub fn lookup(table: &[u8; 256], x: &[u8], y: &mut [u8]) {
    assert!(x.len() == y.len(), "expected as many codes as entries, found {} and {}", x.len(), y.len());
    for (x, y) in x.iter().zip(y) {
        *y = table[usize::from(*x)];
    }
}

/// The table of [`softmax`]: of each distance below the largest code `exp(-scale · distance) · 2^31`,
/// rounded.
pub fn exponentials(scale: f32) -> [u32; 256] {
    core::array::from_fn(|distance| {
        let value = libm::exp(-f64::from(scale) * distance as f64);
        libm::rint(value * f64::from(1u32 << 31)) as u32
    })
}

/// Probabilities of rows of `width` scores, in codes of 1/256 with zero at 0: the rounded value, as sums and
/// quotients are of whole numbers and far finer than a code.
///
/// # Panics
/// `x.len() != y.len()`, or they are no whole rows.
pub fn softmax(table: &[u32; 256], width: usize, x: &[u8], y: &mut [u8]) {
    assert!(width > 0 && x.len() == y.len() && x.len().is_multiple_of(width), "expected rows of {width} codes");
    for (x, y) in x.chunks_exact(width).zip(y.chunks_exact_mut(width)) {
        let largest = x.iter().copied().max().unwrap_or(0);
        let mut sum = 0u64;
        for x in x {
            sum += u64::from(table[usize::from(largest - x)]);
        }
        for (x, y) in x.iter().zip(y) {
            let code = (512 * u64::from(table[usize::from(largest - x)]) + sum) / (2 * sum);
            *y = code.min(255) as u8;
        }
    }
}
