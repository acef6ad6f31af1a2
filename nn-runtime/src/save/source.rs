//! Where the numbers of a weight file come from. In: places; out: bytes, or that they cannot be had.

/// What gives the bytes of a file, from one place after the other.
pub(crate) trait ReadAt {
    type Error;
    /// Fills `bytes` from byte `at` on, which lies behind all that was asked for before.
    fn read_at(&mut self, at: u64, bytes: &mut [u8]) -> Result<(), Self::Error>;
}

/// Bytes that are all there: what a header promises of them has been checked.
impl ReadAt for &[u8] {
    type Error = core::convert::Infallible;

    fn read_at(&mut self, at: u64, bytes: &mut [u8]) -> Result<(), Self::Error> {
        let at = at as usize;
        bytes.copy_from_slice(&self[at..at + bytes.len()]);
        Ok(())
    }
}
