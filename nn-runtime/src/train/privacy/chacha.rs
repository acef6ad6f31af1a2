//! Bits that nobody can tell from random ones without the key: ChaCha20 (Bernstein, "ChaCha, a Variant of
//! Salsa20", 2008; RFC 8439). In: a key, a stream, a place in it; out: 64 bytes, the same everywhere.

/// ChaCha20 with one key, with a block counter and a stream number of 64 bits each.
#[derive(Clone)]
pub(super) struct ChaCha20 {
    key: [u32; 8],
}

/// "expand 32-byte k"
const CONSTANTS: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];

impl ChaCha20 {
    pub(super) fn new(key: &[u8; 32]) -> ChaCha20 {
        let (words, _) = key.as_chunks::<4>();
        ChaCha20 { key: core::array::from_fn(|i| u32::from_le_bytes(words[i])) }
    }

    /// Block `counter` of a stream.
    pub(super) fn block(&self, stream: u64, counter: u64) -> [u64; 8] {
        let halves = |word: u64| [word as u32, (word >> 32) as u32];
        let words = self.words([halves(counter), halves(stream)].as_flattened());
        core::array::from_fn(|i| u64::from(words[2 * i]) | u64::from(words[2 * i + 1]) << 32)
    }

    /// The block of these last four words of the state.
    fn words(&self, last: &[u32]) -> [u32; 16] {
        let mut start = [0; 16];
        start[..4].copy_from_slice(&CONSTANTS);
        start[4..12].copy_from_slice(&self.key);
        start[12..].copy_from_slice(last);
        let mut x = start;
        for _ in 0..10 {
            for (a, b, c, d) in [(0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)] {
                quarter_round(&mut x, a, b, c, d);
            }
            for (a, b, c, d) in [(0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)] {
                quarter_round(&mut x, a, b, c, d);
            }
        }
        core::array::from_fn(|i| x[i].wrapping_add(start[i]))
    }
}

#[inline(always)]
fn quarter_round(x: &mut [u32; 16], a: usize, b: usize, c: usize, d: usize) {
    for (add, to, turn) in [((b, d), a, 16), ((d, b), c, 12), ((b, d), a, 8), ((d, b), c, 7)] {
        let (from, other) = add;
        x[to] = x[to].wrapping_add(x[from]);
        x[other] = (x[other] ^ x[to]).rotate_left(turn);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> [u8; 32] {
        core::array::from_fn(|i| i as u8)
    }

    /// RFC 8439, 2.3.2.
    #[test]
    fn the_block_of_the_standard() {
        let words = ChaCha20::new(&key()).words(&[1, 0x0900_0000, 0x4a00_0000, 0]);
        let expected = [
            0xe4e7_f110,
            0x1559_3bd1,
            0x1fdd_0f50,
            0xc471_20a3,
            0xc7f4_d1c7,
            0x0368_c033,
            0x9aaa_2204,
            0x4e6c_d4c3,
            0x4664_82d2,
            0x09aa_9f07,
            0x05d7_c214,
            0xa202_8bd9,
            0xd19c_12b5,
            0xb94e_16de,
            0xe883_d0cb,
            0x4e3c_50a2,
        ];
        assert_eq!(words, expected);
    }

    #[test]
    fn blocks_follow_from_key_stream_and_counter() {
        // RFC 8439, A.1, test vector 1: all zeros.
        let zero = ChaCha20::new(&[0; 32]).block(0, 0);
        assert_eq!(zero[0].to_le_bytes(), [0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90]);
        assert_eq!(zero[7].to_le_bytes(), [0xc3, 0x87, 0xb6, 0x69, 0xb2, 0xee, 0x65, 0x86]);
        let chacha = ChaCha20::new(&key());
        let all = [chacha.block(0, 0), chacha.block(0, 1), chacha.block(1, 0), chacha.block(0, 1 << 32), zero];
        assert!((0..5).all(|i| (0..i).all(|j| all[i] != all[j])));
    }
}
