//! Files as a broken disk or an ill will leaves them. In: the bytes of a whole one, and a seed; out: others.
//! It never looks at what they mean.

use nn_runtime::policy::Draws;

/// One to four changes: an end cut off, a byte more, a byte or eight of another value, a bit turned over.
pub fn damaged(whole: &[u8], seed: u64) -> Vec<u8> {
    let mut draws = Draws::new(seed);
    let mut below = |end: usize| (draws.unit() * end as f64) as usize;
    let mut bytes = whole.to_vec();
    for _ in 0..1 + below(4) {
        let at = below(bytes.len());
        match below(6) {
            0 => bytes.truncate(at.max(1)),
            1 => bytes.insert(at, below(256) as u8),
            2 => bytes[at] = [0, 0xff, 0x7f, 0x80][below(4)],
            3 => bytes[at..].iter_mut().take(8).for_each(|byte| *byte = 0xff),
            _ => bytes[at] ^= 1 << below(8),
        }
    }
    bytes
}
