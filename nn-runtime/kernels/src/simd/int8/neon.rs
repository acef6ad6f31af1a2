//! The NEON path: a product of an unsigned and a signed byte fits into 16 bits (from -32,640 to 32,385), so
//! bytes are widened, multiplied there, and added in pairs to sums of 32 bits.
//! Tested under emulation (qemu), never on Arm hardware: what it computes is known, how fast is not.

use core::arch::aarch64::*;

use super::super::Neon;
use super::{Int8Kernel, Int8Simd};

#[inline(never)]
fn apart<K: Int8Kernel>(s: Neon, k: K) -> K::Out {
    k.run(s)
}

/// Intrinsics that need nothing but the instructions.
macro_rules! with {
    ($intrinsic:expr) => {
        // SAFETY: the module is there only where `target_feature = "neon"`, so every CPU that runs this has
        // the instructions.
        unsafe { $intrinsic }
    };
}

impl Int8Simd for Neon {
    type Base = Neon;
    /// Register v: of the outputs 2v and 2v + 1, the sums over the inputs 0 and 1, and over 2 and 3.
    type Sums = [int32x4_t; 8];
    const TILE: usize = 2;

    #[inline(always)]
    fn base(self) -> Neon {
        self
    }
    #[inline(always)]
    fn call_int8<K: Int8Kernel>(self, k: K) -> K::Out {
        apart(self, k)
    }

    #[inline(always)]
    fn no_sums(self) -> [int32x4_t; 8] {
        with!([vdupq_n_s32(0); 8])
    }
    #[inline(always)]
    fn add_products(self, mut sums: [int32x4_t; 8], x: [u8; 4], w: &[i8; 64]) -> [int32x4_t; 8] {
        let x = with!(vreinterpretq_s16_u16(vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(u32::from_le_bytes(x))))));
        for (sums, w) in sums.iter_mut().zip(w.as_chunks::<8>().0) {
            // SAFETY: the reference is valid for 8 bytes, and every CPU that runs this has the instructions.
            let w = unsafe { vmovl_s8(vld1_s8(w.as_ptr())) };
            *sums = with!(vpadalq_s16(*sums, vmulq_s16(w, x)));
        }
        sums
    }
    #[inline(always)]
    fn total(self, s: [int32x4_t; 8]) -> [int32x4_t; 4] {
        with!([vpaddq_s32(s[0], s[1]), vpaddq_s32(s[2], s[3]), vpaddq_s32(s[4], s[5]), vpaddq_s32(s[6], s[7])])
    }

    #[inline(always)]
    fn widen(self, x: &[u8; 16]) -> [int32x4_t; 4] {
        // SAFETY: the reference is valid for 16 bytes, and every CPU that runs this has the instructions.
        let x = unsafe { vld1q_u8(x.as_ptr()) };
        with!({
            let (low, high) = (vmovl_u8(vget_low_u8(x)), vmovl_u8(vget_high_u8(x)));
            [
                vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(low))),
                vreinterpretq_s32_u32(vmovl_u16(vget_high_u16(low))),
                vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(high))),
                vreinterpretq_s32_u32(vmovl_u16(vget_high_u16(high))),
            ]
        })
    }
    #[inline(always)]
    fn widen_signed(self, x: &[i8; 16]) -> [int32x4_t; 4] {
        // SAFETY: the reference is valid for 16 bytes, and every CPU that runs this has the instructions.
        let x = unsafe { vld1q_s8(x.as_ptr()) };
        with!({
            let (low, high) = (vmovl_s8(vget_low_s8(x)), vmovl_s8(vget_high_s8(x)));
            [
                vmovl_s16(vget_low_s16(low)),
                vmovl_s16(vget_high_s16(low)),
                vmovl_s16(vget_low_s16(high)),
                vmovl_s16(vget_high_s16(high)),
            ]
        })
    }
    #[inline(always)]
    fn narrow(self, v: [int32x4_t; 4]) -> [u8; 16] {
        let mut to = [0; 16];
        // SAFETY: the array has room for the 16 bytes, and every CPU that runs this has the instructions.
        unsafe {
            let low = vcombine_s16(vmovn_s32(v[0]), vmovn_s32(v[1]));
            let high = vcombine_s16(vmovn_s32(v[2]), vmovn_s32(v[3]));
            let bytes = vcombine_s8(vmovn_s16(low), vmovn_s16(high));
            vst1q_u8(to.as_mut_ptr(), vreinterpretq_u8_s8(bytes));
        }
        to
    }
}
