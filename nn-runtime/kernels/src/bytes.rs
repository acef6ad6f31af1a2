//! Numbers as the bytes that memory holds them in, to hand them to another process of the same machine code.
//! In: slices of `f32`; out: the same memory as bytes. Nothing is copied, and no order of bytes is settled.

/// The bytes of some numbers.
///
/// ```
/// assert_eq!(nn_kernels::bytes::of(&[1.0, -2.0]).len(), 8);
/// ```
pub fn of(x: &[f32]) -> &[u8] {
    // SAFETY: `size_of_val(x)` bytes from `x.as_ptr()` on are those of the `x.len()` numbers, all written;
    // a byte may stand at any address, and the slice is borrowed for as long as `x`.
    unsafe { core::slice::from_raw_parts(x.as_ptr().cast(), size_of_val(x)) }
}

/// The bytes of some numbers, to be written over: any four of them are a number.
pub fn of_mut(x: &mut [f32]) -> &mut [u8] {
    // SAFETY: as in `of`, `size_of_val(x)` bytes are all of `x`, which is borrowed mutably; whatever is
    // written, every 4 bytes are an `f32`.
    unsafe { core::slice::from_raw_parts_mut(x.as_mut_ptr().cast(), size_of_val(x)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn bytes_are_those_of_each_number() {
        let x = [1.5f32, -0.0, f32::from_bits(0x7fc0_1234), f32::MIN_POSITIVE];
        let expected: Vec<u8> = x.iter().flat_map(|x| x.to_ne_bytes()).collect();
        assert_eq!(of(&x), expected);
        let mut copy = [0.0; 4];
        of_mut(&mut copy).copy_from_slice(&expected);
        assert_eq!(copy.map(f32::to_bits), x.map(f32::to_bits));
        assert!(of(&[]).is_empty() && of_mut(&mut []).is_empty());
    }
}
