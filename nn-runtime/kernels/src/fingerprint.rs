//! A number that tells arrays apart. In: numbers of 32 bits; out: 64 bits that follow from theirs. No secret
//! is safe with it.

/// FNV-1a over whole words: Fowler, Noll & Vo's hash, of 4 bytes at a time and begun with their number.
///
/// ```
/// use nn_kernels::fingerprint::{fingerprint, of_words};
/// assert_ne!(fingerprint(&[1.0, 2.0]), fingerprint(&[2.0, 1.0]));
/// assert_ne!(fingerprint(&[0.0]), fingerprint(&[-0.0]));
/// assert_eq!(fingerprint(&[1.0]), of_words([1f32.to_bits()]));
/// ```
pub fn fingerprint(x: &[f32]) -> u64 {
    of_words(x.iter().map(|x| x.to_bits()))
}

/// The same of words.
pub fn of_words(words: impl IntoIterator<Item = u32>) -> u64 {
    let (mut hash, mut count) = (0xcbf2_9ce4_8422_2325u64, 0u64);
    for word in words {
        hash = (hash ^ u64::from(word)).wrapping_mul(0x0100_0000_01b3);
        // The product moves nothing down.
        hash ^= hash >> 32;
        count += 1;
    }
    (hash ^ count).wrapping_mul(0x0100_0000_01b3)
}
