//! What the sets can do with bytes: sums of products of unsigned and signed ones, exact on every path, and
//! the ways from bytes to sixteen integers and back. Comes in: an `Int8Kernel` and an `Isa`; goes out: what
//! it computes, the same integers everywhere. Never an instruction that saturates between (`pmaddubsw`
//! does: two products of 255 · 127 do not fit into its 16 bits).

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little"))]
mod neon;
mod portable;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod vnni;

#[cfg(target_arch = "x86_64")]
pub use vnni::Vnni;

use super::Simd;

/// A computation with bytes that can run on every instruction set; written as a [`Kernel`](super::Kernel).
pub trait Int8Kernel {
    /// What the computation gives back.
    type Out;
    /// The computation, with the instructions of `s`.
    fn run<S: Int8Simd>(self, s: S) -> Self::Out;
}

/// Sums of products of bytes, sixteen at a time. All integers are the same on every path.
pub trait Int8Simd: Copy + 'static {
    /// The operations of the same set on floats and integers.
    type Base: Simd;
    /// Sixteen sums, perhaps in parts.
    type Sums: Copy;

    /// How many `Sums` fit in the registers at one time, beside what is multiplied.
    const TILE: usize;

    /// The token of the set's other operations.
    fn base(self) -> Self::Base;
    /// Runs `k` with this token in a function of its own, which has the instruction set enabled.
    fn call_int8<K: Int8Kernel>(self, k: K) -> K::Out;

    /// Sixteen sums of nothing.
    fn no_sums(self) -> Self::Sums;
    /// Sum j plus Σ_i x\[i\] · w\[4j + i\], wrapping.
    fn add_products(self, sums: Self::Sums, x: [u8; 4], w: &[i8; 64]) -> Self::Sums;
    /// The sixteen sums as integers.
    fn total(self, sums: Self::Sums) -> <Self::Base as Simd>::I;

    /// Sixteen unsigned bytes as integers.
    fn widen(self, x: &[u8; 16]) -> <Self::Base as Simd>::I;
    /// Sixteen signed bytes as integers.
    fn widen_signed(self, x: &[i8; 16]) -> <Self::Base as Simd>::I;
    /// Sixteen integers from 0 to 255 as bytes.
    fn narrow(self, v: <Self::Base as Simd>::I) -> [u8; 16];
}
