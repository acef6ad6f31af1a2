//! Weights within the program. In: a network and the bytes of a file, at compile time; out: where each
//! tensor's numbers stand, or a build that stops with every difference; at run time a model with them. Of the
//! file only the header is read number by number.

use super::compare::compare;
use super::entry::Entry;
use super::header;
use super::names::NameText;
use super::numbers::NumberType;
use super::rows::{BlockPlace, TensorRow, TensorRows, hidden_network, is_sound};
use super::rules::Names;
use super::wanted::{Found, StoredNumbers, Terms, WantedTensor};
use crate::fault::{Fault, Text};
use crate::graph::NetworkTree;
use crate::shape::Shape;

/// Differences that are told at compile time, where nobody runs the program to see the next ones.
const TOLD: usize = 50;

/// Bytes at a multiple of a cache line.
#[repr(C, align(64))]
pub struct Aligned<T>(pub T);

/// The bytes of a file that is within the program, and where the tensors of a network stand in them.
pub struct Embedded<const TENSORS: usize> {
    pub(super) bytes: &'static [u8],
    pub(super) places: [StoredNumbers; TENSORS],
    /// Where each lies in a model's block.
    pub(super) in_block: [BlockPlace; TENSORS],
}

/// How many tensors a network has.
pub const fn tensor_count(tree: &NetworkTree) -> usize {
    TensorRows::room(tree)[0]
}

/// Bytes of their names.
pub const fn name_bytes(tree: &NetworkTree) -> usize {
    TensorRows::room(tree)[1]
}

/// How many tensors a file has, if its header can be read.
pub const fn entry_count(bytes: &[u8]) -> usize {
    match header::header_text(bytes) {
        Ok(text) => header::count(text),
        Err(_) => 0,
    }
}

/// How much room const code needs for the names of a network and for the tensors of a file.
#[derive(Clone, Copy)]
pub struct Room<const NAMES: usize, const ENTRIES: usize>;

/// Finds every tensor of the network in the file `path`, or stops the build with every difference in words.
///
/// # Panics
/// The bytes are no weights of this network.
#[track_caller]
pub const fn embed<const TENSORS: usize, const NAMES: usize, const ENTRIES: usize, const ROOM: usize>(
    tree: &NetworkTree,
    bytes: &'static [u8],
    path: &str,
    names: Names<'_, ROOM>,
    _: Room<NAMES, ENTRIES>,
) -> Embedded<TENSORS> {
    let mut places = [StoredNumbers { from: 0, of: NumberType::F32 }; TENSORS];
    let mut in_block = [BlockPlace::NONE; TENSORS];
    if !is_sound(tree) {
        // That has been told.
        return Embedded { bytes, places, in_block };
    }
    if let Some(within) = hidden_network(tree) {
        let text: Text = Text::EMPTY.str("expected layers and networks, found a layer around a network, `").str(within);
        stop(
            path,
            text.str("`\nhelp: read it where the program runs: `Model::from_bytes(include_bytes!(\"…\"))`").as_str(),
        );
    }
    let mut entries = [Entry::NONE; ENTRIES];
    let header = match header::header_text(bytes) {
        Ok(text) => header::read(text, &mut entries, Some(bytes.len() as u64)),
        Err(fault) => Err(fault),
    };
    let header = match header {
        Ok(header) => header,
        Err(fault) => stop(path, fault.as_str()),
    };
    let mut text = [0; NAMES];
    let mut rows = [TensorRow::NONE; TENSORS];
    TensorRows { rows: &mut rows, names: &mut text, count: 0, len: 0 }.visit(tree, &NameText::of(b""), 0);
    let mut wanted = [WantedTensor { name: b"", shape: Shape::UNKNOWN }; TENSORS];
    let mut i = 0;
    while i < TENSORS {
        let [from, to] = rows[i].name;
        in_block[i] = rows[i].place;
        wanted[i] = WantedTensor { name: text.split_at(to).0.split_at(from).1, shape: rows[i].shape };
        i += 1;
    }
    let mut found = [Found::Not; TENSORS];
    let terms =
        Terms { rules: names.rules(), network: tree.network.name, most: TOLD, names_go: "give them behind the path" };
    if let Err(refused) = compare(&header, &mut entries, &wanted, &terms, &mut found) {
        stop(path, refused.text.as_str());
    }
    let mut i = 0;
    while i < TENSORS {
        if let Found::At(place) = found[i] {
            if let Some(fault) = unsound(bytes, &place, &rows[i], wanted[i].name) {
                stop(path, fault.as_str());
            }
            places[i] = place;
        }
        i += 1;
    }
    Embedded { bytes, places, in_block }
}

/// The name of the file, then what is wrong.
#[track_caller]
const fn stop(path: &str, fault: &str) -> ! {
    let text: Text<{ 1 << 14 }> = Text::EMPTY.str(path).str(": ").str(fault);
    panic!("{}", text.as_str())
}

/// The first number that no model may have: one that is not finite, a variance below 0.
const fn unsound(bytes: &[u8], place: &StoredNumbers, row: &TensorRow, name: &[u8]) -> Option<Fault> {
    let len = row.shape.len() * place.of.size();
    let numbers = bytes.split_at(place.from as usize + len).0.split_at(place.from as usize).1;
    let at = if row.spread { first_below_0(place.of, numbers) } else { first_not_finite(place.of, numbers) };
    let Some(at) = at else { return None };
    let (name, number) = (super::wanted::text_of(name), place.of.number(numbers, at));
    let text: Text = Text::EMPTY.str(", element ").num(at).str(": expected ");
    let text = match number.is_finite() {
        true => text.str("a number of at least 0, as a variance or deviation is, found ").real(number),
        false => text.str("a finite number, found ").str(match (number.is_nan(), number > 0.0) {
            (true, _) => "NaN",
            (_, true) => "inf",
            (_, false) => "-inf",
        }),
    };
    Some(Fault::quoted(name).str(text.as_str()))
}

const fn first_below_0(of: NumberType, numbers: &[u8]) -> Option<usize> {
    let mut i = 0;
    while i < numbers.len() / of.size() {
        let number = of.number(numbers, i);
        if !number.is_finite() || number < 0.0 {
            return Some(i);
        }
        i += 1;
    }
    None
}

/// Sixteen bytes at once and eight such in a turn, as const code takes a microsecond for each call and each
/// turn: the top bit of each number's `(number & mask) + carry` shows one that is not finite as 32 bits.
const fn first_not_finite(of: NumberType, numbers: &[u8]) -> Option<usize> {
    let (bits, mask, carry): (u32, u64, u64) = match of {
        NumberType::F16 => (16, 0x7fff, 0x8000 - 0x7c00),
        NumberType::BF16 => (16, 0x7fff, 0x8000 - 0x7f80),
        NumberType::F32 => (32, 0x7fff_ffff, 0x8000_0000 - 0x7f80_0000),
        // From here on a number is rounded to infinity.
        NumberType::F64 => (64, i64::MAX as u64, (1 << 63) - 0x47ef_ffff_f000_0000),
    };
    let (mut ones, mut i) = (0u128, 0);
    while i < 128 / bits {
        ones |= 1 << (i * bits);
        i += 1;
    }
    let (mask, carry, top) = (ones * mask as u128, ones * carry as u128, ones << (bits - 1));
    macro_rules! carried {
        ($chunk:expr) => {
            ((u128::from_ne_bytes(*$chunk) & mask) + carry)
        };
    }
    let chunks = numbers.as_chunks::<16>().0;
    let mut left = chunks;
    // Where the first byte is the highest, numbers are looked at one by one.
    while cfg!(target_endian = "little")
        && let [a, b, c, d, e, f, g, h, rest @ ..] = left
    {
        let first = carried!(a) | carried!(b) | carried!(c) | carried!(d);
        let second = carried!(e) | carried!(f) | carried!(g) | carried!(h);
        if (first | second) & top != 0 {
            break;
        }
        left = rest;
    }
    let mut i = (chunks.len() - left.len()) * 16 / of.size();
    while i < numbers.len() / of.size() {
        if !of.number(numbers, i).is_finite() {
            return Some(i);
        }
        i += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn the_first_number_that_is_not_finite_is_found() {
        let of = |of: NumberType, numbers: &[u64]| {
            let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()[..of.size()].to_vec()).collect();
            let truth = (0..numbers.len()).find(|&i| !of.number(&bytes, i).is_finite());
            assert_eq!(first_not_finite(of, &bytes), truth, "{of:?} {numbers:x?}");
            truth
        };
        let top = f64::from(f32::MAX);
        let f64s = [top, top.next_up(), 3.402823567797337e38, -3.5e38, 1e39, f64::NAN].map(f64::to_bits);
        for (kind, bad) in [
            (NumberType::F16, vec![0x7c00, 0xfc00, 0x7e01, 0x7bff, 0xfbff, 0x8000]),
            (NumberType::BF16, vec![0x7f80, 0xff80, 0x7fc0, 0x7f7f, 0xff7f, 0x8000]),
            (NumberType::F32, vec![0x7f80_0000, 0xff80_0000, 0x7fc0_0000, 0x7f7f_ffff, 0xff7f_ffff]),
            (NumberType::F64, f64s.to_vec()),
        ] {
            let mut found = 0;
            for len in [1, 2, 3, 7, 8, 9, 40, 75] {
                for at in 0..len {
                    for &number in &bad {
                        let mut numbers = vec![0; len];
                        numbers[at] = number;
                        found += usize::from(of(kind, &numbers) == Some(at));
                    }
                }
            }
            assert!(found >= 2 * 145 && found < 145 * bad.len(), "{kind:?} {found}");
        }
    }
}
