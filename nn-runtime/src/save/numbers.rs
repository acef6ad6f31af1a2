//! Numbers of a tensor as they come from a file: the floating-point types that PyTorch's users save, to 32
//! bits.

/// A type of numbers that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumberType {
    F16,
    BF16,
    F32,
    F64,
}

impl NumberType {
    /// The type that a header calls `name`.
    pub(crate) const fn named(name: &[u8]) -> Option<NumberType> {
        match name {
            b"F16" => Some(NumberType::F16),
            b"BF16" => Some(NumberType::BF16),
            b"F32" => Some(NumberType::F32),
            b"F64" => Some(NumberType::F64),
            _ => None,
        }
    }

    /// Bytes of a number.
    pub(crate) const fn size(self) -> usize {
        match self {
            NumberType::F16 | NumberType::BF16 => 2,
            NumberType::F32 => 4,
            NumberType::F64 => 8,
        }
    }

    /// Number `i` of `bytes`, rounded to the nearest of 32 bits.
    ///
    /// # Panics
    /// There are not so many.
    pub(crate) const fn number(self, bytes: &[u8], i: usize) -> f32 {
        match self {
            NumberType::F16 => half(u16::from_le_bytes(bytes.as_chunks().0[i])),
            NumberType::BF16 => brain(u16::from_le_bytes(bytes.as_chunks().0[i])),
            NumberType::F32 => f32::from_le_bytes(bytes.as_chunks().0[i]),
            NumberType::F64 => f64::from_le_bytes(bytes.as_chunks().0[i]) as f32,
        }
    }

    /// The numbers of `bytes`, each rounded to the nearest of 32 bits, written to the first places of `to`.
    pub(crate) fn convert(self, bytes: &[u8], to: &mut [f32]) {
        match self {
            NumberType::F16 => each(bytes, to, |b| half(u16::from_le_bytes(b))),
            NumberType::BF16 => each(bytes, to, |b| brain(u16::from_le_bytes(b))),
            NumberType::F32 => each(bytes, to, f32::from_le_bytes),
            NumberType::F64 => each(bytes, to, |b| f64::from_le_bytes(b) as f32),
        }
    }
}

fn each<const N: usize>(bytes: &[u8], to: &mut [f32], number: impl Fn([u8; N]) -> f32) {
    for (to, bytes) in to.iter_mut().zip(bytes.as_chunks::<N>().0) {
        *to = number(*bytes);
    }
}

/// The upper half of a number of 32 bits.
const fn brain(bits: u16) -> f32 {
    f32::from_bits((bits as u32) << 16)
}

/// A number of IEEE's 16 bits.
const fn half(bits: u16) -> f32 {
    let sign = (bits as u32 >> 15) << 31;
    let (exponent, fraction) = (bits as u32 >> 10 & 0x1f, bits as u32 & 0x3ff);
    match exponent {
        // 2^-24 for each unit: exact.
        0 => f32::from_bits(sign | (fraction as f32 * f32::from_bits((127 - 24) << 23)).to_bits()),
        31 => f32::from_bits(sign | 0x7f80_0000 | fraction << 13),
        _ => f32::from_bits(sign | (exponent + 127 - 15) << 23 | fraction << 13),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_read_exactly() {
        for bits in 0..=u16::MAX {
            let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
            let size = match exponent {
                0 => fraction * 2f64.powi(-24),
                31 if fraction == 0.0 => f64::INFINITY,
                31 => f64::NAN,
                _ => (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
            };
            let expected = if bits >> 15 == 1 { -size } else { size };
            let found = f64::from(half(bits));
            assert!(found == expected || found.is_nan() && expected.is_nan(), "{bits:#06x}");
            assert_eq!(found.is_sign_negative(), bits >> 15 == 1, "{bits:#06x}");
        }
    }

    #[test]
    fn every_type_is_rounded_to_the_nearest() {
        let read = |of: NumberType, bytes: &[u8]| {
            let mut to = [0.0];
            of.convert(bytes, &mut to);
            to[0]
        };
        assert_eq!(read(NumberType::BF16, &[0x80, 0x3f]), 1.0);
        assert_eq!(read(NumberType::BF16, &[0x49, 0xc0]), -3.140625);
        assert_eq!(read(NumberType::F32, &0.1f32.to_le_bytes()), 0.1);
        assert_eq!(read(NumberType::F64, &0.1f64.to_le_bytes()), 0.1);
        assert_eq!(read(NumberType::F64, &1e300f64.to_le_bytes()), f32::INFINITY);
    }
}
