//! The memory that parameters, gradients and activations live in. Comes in: a length; goes out: that many
//! zeros on the heap, at an address that is a multiple of a cache line. Never a copy by way of the stack,
//! however large, and never a number that has not been written.

use alloc::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use core::fmt;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;
use core::slice;

/// A fixed number of `f32` on the heap, zero at first, starting at a multiple of [`AlignedBuffer::ALIGN`]
/// bytes.
///
/// ```
/// use nn_kernels::aligned_buffer::AlignedBuffer;
/// let mut block = AlignedBuffer::zeroed(3);
/// block[1] = 2.0;
/// assert_eq!(*block, [0.0, 2.0, 0.0]);
/// ```
pub struct AlignedBuffer {
    at: NonNull<f32>,
    len: usize,
}

// SAFETY: a block owns its numbers alone, as a `Box<[f32]>` does.
unsafe impl Send for AlignedBuffer {}
// SAFETY: a shared block can only be read.
unsafe impl Sync for AlignedBuffer {}

impl AlignedBuffer {
    /// Bytes that the address is a multiple of: one cache line, which is also one vector of sixteen.
    pub const ALIGN: usize = 64;

    /// `len` zeros.
    ///
    /// # Panics
    /// `len * 4 > isize::MAX`. Where the memory is refused, the process ends as it does for a `Vec`.
    pub fn zeroed(len: usize) -> AlignedBuffer {
        if len == 0 {
            return AlignedBuffer { at: Self::dangling(), len };
        }
        let layout = Self::layout(len);
        // SAFETY: the layout is not empty, as `len` is not 0.
        let bytes = unsafe { alloc_zeroed(layout) };
        let Some(at) = NonNull::new(bytes.cast()) else { handle_alloc_error(layout) };
        AlignedBuffer { at, len }
    }

    fn layout(len: usize) -> Layout {
        Layout::array::<f32>(len)
            .and_then(|layout| layout.align_to(Self::ALIGN))
            .unwrap_or_else(|_| panic!("expected a block that fits in memory, found {len} numbers"))
    }

    /// Where an empty block stands: aligned as every other, and never read.
    const fn dangling() -> NonNull<f32> {
        #[repr(align(64))]
        struct Line;
        const { assert!(align_of::<Line>() == AlignedBuffer::ALIGN) };
        NonNull::<Line>::dangling().cast()
    }
}

impl Drop for AlignedBuffer {
    fn drop(&mut self) {
        if self.len != 0 {
            // SAFETY: `zeroed` allocated this address with this very layout, as `len` never changes.
            unsafe { dealloc(self.at.as_ptr().cast(), Self::layout(self.len)) }
        }
    }
}

impl Deref for AlignedBuffer {
    type Target = [f32];
    #[inline]
    fn deref(&self) -> &[f32] {
        // SAFETY: `zeroed` made `len` numbers at this address, zero is a number, and `self` is borrowed for
        // as long.
        unsafe { slice::from_raw_parts(self.at.as_ptr(), self.len) }
    }
}

impl DerefMut for AlignedBuffer {
    #[inline]
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as for `deref`, and `self` is borrowed mutably.
        unsafe { slice::from_raw_parts_mut(self.at.as_ptr(), self.len) }
    }
}

impl Clone for AlignedBuffer {
    fn clone(&self) -> AlignedBuffer {
        let mut copy = AlignedBuffer::zeroed(self.len);
        copy.copy_from_slice(self);
        copy
    }

    fn clone_from(&mut self, from: &AlignedBuffer) {
        if self.len == from.len {
            self.copy_from_slice(from);
        } else {
            *self = from.clone();
        }
    }
}

impl Default for AlignedBuffer {
    fn default() -> AlignedBuffer {
        AlignedBuffer::zeroed(0)
    }
}

impl fmt::Debug for AlignedBuffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::AlignedBuffer;

    #[test]
    fn blocks_are_zero_aligned_and_apart() {
        for len in [0, 1, 15, 16, 17, 1000] {
            let mut block = AlignedBuffer::zeroed(len);
            assert_eq!(block.len(), len);
            assert_eq!(block.as_ptr() as usize % AlignedBuffer::ALIGN, 0);
            assert!(block.iter().all(|x| x.to_bits() == 0));
            block.fill(3.0);
            let mut copy = block.clone();
            assert_eq!(*copy, *block);
            copy.fill(4.0);
            assert!(block.iter().all(|x| *x == 3.0));
            copy.clone_from(&block);
            assert_eq!(*copy, *block);
            copy.clone_from(&AlignedBuffer::zeroed(2));
            assert_eq!(*copy, [0.0; 2]);
        }
        assert_eq!(alloc::format!("{:?}", AlignedBuffer::zeroed(2)), "[0.0, 0.0]");
    }

    #[test]
    #[should_panic(expected = "expected a block that fits in memory")]
    fn a_block_beyond_the_address_space_is_refused() {
        let _ = AlignedBuffer::zeroed(usize::MAX / 2);
    }
}
