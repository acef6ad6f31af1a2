//! Names of tensors as files have them: which one a tensor of a network goes by, and which tensors are no
//! part of a function. What PyTorch's modules are called by is taken as it stands in a `state_dict`. It is
//! const code without memory of its own.

use super::json::Unescaped;

/// Parameters of a recurrent layer. `torch.nn.LSTM`, `GRU` and `RNN` write the layer's number behind them.
const RECURRENT: [&[u8]; 5] = [b"weight_ih", b"weight_hh", b"bias_ih", b"bias_hh", b"weight_hr"];

/// The tensor at the end of a checkpoint: the CRC-32 of every byte before it.
pub(crate) const CHECKSUM: &str = "checksum";

/// What tells a checkpoint from weights alone: an entry of this name among the metadata.
pub(crate) const NOTE: &str = "checkpoint";

/// Bytes of a name that are compared and shown; no layer is called by a longer one.
const LONGEST: usize = 512;

/// A name, as it is without escapes, cut where it is too long for any tensor of a network.
#[derive(Clone, Copy)]
pub(crate) struct NameText {
    bytes: [u8; LONGEST],
    len: usize,
}

impl NameText {
    const EMPTY: NameText = NameText { bytes: [0; LONGEST], len: 0 };

    pub(crate) const fn of(name: &[u8]) -> NameText {
        NameText::EMPTY.with(name)
    }

    pub(crate) const fn unescaped(raw: &[u8]) -> NameText {
        let (mut name, mut bytes) = (NameText::EMPTY, Unescaped::new(raw));
        while let Some(byte) = bytes.next() {
            name.push(byte);
        }
        name
    }

    const fn push(&mut self, byte: u8) {
        if self.len < LONGEST {
            self.bytes[self.len] = byte;
            self.len += 1;
        }
    }

    pub(crate) const fn with(mut self, more: &[u8]) -> NameText {
        let mut i = 0;
        while i < more.len() {
            self.push(more[i]);
            i += 1;
        }
        self
    }

    pub(crate) const fn bytes(&self) -> &[u8] {
        self.bytes.split_at(self.len).0
    }

    pub(crate) const fn as_str(&self) -> &str {
        match core::str::from_utf8(self.bytes()) {
            Ok(text) => text,
            // Cut within a character.
            Err(cut) => match core::str::from_utf8(self.bytes().split_at(cut.valid_up_to()).0) {
                Ok(text) => text,
                Err(_) => "",
            },
        }
    }

    pub(crate) const fn is(&self, name: &[u8]) -> bool {
        same(self.bytes(), name)
    }

    /// FNV-1a, by which names are sorted and found.
    pub(crate) const fn hash(&self) -> u64 {
        let (mut hash, mut i) = (0xcbf2_9ce4_8422_2325u64, 0);
        while i < self.len {
            hash = (hash ^ self.bytes[i] as u64).wrapping_mul(0x0100_0000_01b3);
            i += 1;
        }
        hash
    }
}

/// `==` for const code.
pub(crate) const fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// What stands behind `prefix`, if `name` begins with it.
pub(crate) const fn behind<'a>(name: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    if name.len() < prefix.len() {
        return None;
    }
    let (start, rest) = name.split_at(prefix.len());
    if same(start, prefix) { Some(rest) } else { None }
}

/// What stands before `suffix`, if `name` ends with it.
const fn before<'a>(name: &'a [u8], suffix: &[u8]) -> Option<&'a [u8]> {
    if name.len() < suffix.len() {
        return None;
    }
    let (rest, end) = name.split_at(name.len() - suffix.len());
    if same(end, suffix) { Some(rest) } else { None }
}

/// A name before its last point, and what stands behind; all of it behind where there is no point.
pub(crate) const fn split_last(name: &[u8]) -> (&[u8], &[u8]) {
    let mut at = name.len();
    while at > 0 {
        at -= 1;
        if name[at] == b'.' {
            return (name.split_at(at).0, name.split_at(at + 1).1);
        }
    }
    (b"", name)
}

/// What a tensor called `name` here may be called in a file: its name, then, by `choice`, as PyTorch's
/// modules call it.
pub(crate) const fn spelling(name: &[u8], choice: usize) -> Option<NameText> {
    if choice == 0 {
        return Some(NameText::of(name));
    }
    let (site, param) = split_last(name);
    let (param, reverse): (&[u8], &[u8]) = match before(param, b"_reverse") {
        Some(param) => (param, b"_reverse"),
        None => (param, b""),
    };
    let mut i = 0;
    while !same(RECURRENT[i], param) {
        i += 1;
        if i == RECURRENT.len() {
            return None;
        }
    }
    if choice == 1 {
        return Some(within(site).with(param).with(b"_l0").with(reverse));
    }
    // `lstm: Lstm(32) * 3` is `num_layers=3`: copy 2, `lstm.2.weight_ih`, is `lstm.weight_ih_l2` there.
    let (outer, copy) = split_last(site);
    let mut i = 0;
    while i < copy.len() {
        if !copy[i].is_ascii_digit() {
            return None;
        }
        i += 1;
    }
    match choice == 2 && !copy.is_empty() {
        true => Some(within(outer).with(param).with(b"_l").with(copy).with(reverse)),
        false => None,
    }
}

/// The start of what is called within `site`.
pub(crate) const fn within(site: &[u8]) -> NameText {
    if site.is_empty() { NameText::EMPTY } else { NameText::of(site).with(b".") }
}

/// Whether a tensor that the network lacks is no part of the function: counters that PyTorch's modules save
/// along.
pub(crate) const fn is_passed_over(name: &[u8]) -> bool {
    same(split_last(name).1, b"num_batches_tracked") || same(name, b"n_averaged")
}

/// Tensors of a checkpoint that are no parameters of its model.
pub(crate) const fn is_beside(name: &[u8]) -> bool {
    let beside: [&[u8]; 5] = [b"optimizer.", b"ema.", b"accumulated.", b"best.", b"carried."];
    let mut i = 0;
    while i < beside.len() {
        if behind(name, beside[i]).is_some() {
            return true;
        }
        i += 1;
    }
    same(name, CHECKSUM.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;

    fn spellings(name: &str) -> Vec<String> {
        (0..3).filter_map(|k| spelling(name.as_bytes(), k)).map(|name| name.as_str().to_string()).collect()
    }

    #[test]
    fn recurrent_layers_go_by_torch_names_too() {
        assert_eq!(spellings("lstm.weight_ih"), ["lstm.weight_ih", "lstm.weight_ih_l0"]);
        assert_eq!(spellings("weight_ih"), ["weight_ih", "weight_ih_l0"]);
        assert_eq!(spellings("a.weight_hr"), ["a.weight_hr", "a.weight_hr_l0"]);
        assert_eq!(spellings("a.bias_hh_reverse"), ["a.bias_hh_reverse", "a.bias_hh_l0_reverse"]);
        assert_eq!(
            spellings("deep.rnn.2.weight_hh"),
            ["deep.rnn.2.weight_hh", "deep.rnn.2.weight_hh_l0", "deep.rnn.weight_hh_l2"]
        );
        assert_eq!(spellings("head.weight"), ["head.weight"]);
    }
}
