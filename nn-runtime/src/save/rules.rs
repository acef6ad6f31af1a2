//! What a user says of the names in a file. In: renames, one after the other; out: for each name what it
//! becomes. It is const code, so that an embedded file can be renamed as well.

use super::entry::Entry;
use super::header::TensorHeader;
use super::names::{NameText, behind};

/// What `DataParallel`, averaged and compiled modules put before every name of theirs.
const WRAPPERS: [&[u8]; 4] = [b"module._orig_mod.", b"_orig_mod.module.", b"_orig_mod.", b"module."];

/// What the tensors of a file are called that come from elsewhere: renames for
/// [`Model::load_with`](crate::Model::load_with) and for `#[weights("…", names)]` of
/// [`network!`](crate::network).
///
/// Of every name of the file the first prefix that fits is replaced, then the first name. A tensor that is
/// ignored may be anything, and the rest has to be exactly the network's. The order of the calls only
/// matters where two of a kind fit.
///
/// ```
/// use nn_runtime::prelude::*;
///
/// network! { struct Actor: [4] -> [2] { hidden: Dense(8) -> Tanh -> mean: Dense(2) } }
///
/// // Of a policy whose file also has a critic: `actor.0.weight`, …, `critic.4.bias`.
/// let names = Names::new().map_prefix("actor.", "").map("0", "hidden").map("2", "mean").ignore("critic.*");
/// // What has the network's names already keeps them.
/// let bytes = Actor::init(0).to_bytes();
/// assert!(Model::<Actor>::from_bytes_with(&bytes, names).is_ok());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Names<'a, const ROOM: usize = 32> {
    rules: [Rename<'a>; ROOM],
    len: usize,
}

/// One thing that is said of names.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rename<'a> {
    /// `from` and all within it is called `to`.
    Name(&'a str, &'a str),
    /// Whatever begins with `from` begins with `to`.
    Prefix(&'a str, &'a str),
    /// Whatever is called so is passed over.
    Ignored(&'a str),
    /// More than there was room for.
    Overflow,
}

impl<'a> Names<'a> {
    /// Names as they stand in the file.
    pub const fn new() -> Names<'a> {
        Names::with_room()
    }
}

impl Default for Names<'_> {
    fn default() -> Self {
        Names::new()
    }
}

impl<'a, const ROOM: usize> Names<'a, ROOM> {
    /// As [`new`](Names::new), with room for as many renames as the type says: `Names::<100>::with_room()`.
    pub const fn with_room() -> Names<'a, ROOM> {
        Names { rules: [Rename::Overflow; ROOM], len: 0 }
    }

    /// The layer, or the tensor, that the file calls `from` is called `to` here: `map("0", "hidden")` makes
    /// `hidden.weight` of `0.weight`.
    #[must_use]
    pub const fn map(self, from: &'a str, to: &'a str) -> Self {
        self.with(Rename::Name(from, to))
    }

    /// Names that begin with `from` in the file begin with `to` here: `map_prefix("actor.", "")`.
    #[must_use]
    pub const fn map_prefix(self, from: &'a str, to: &'a str) -> Self {
        self.with(Rename::Prefix(from, to))
    }

    /// Tensors that the file calls so are passed over; `*` stands for any letters: `ignore("critic.*")`.
    #[must_use]
    pub const fn ignore(self, pattern: &'a str) -> Self {
        self.with(Rename::Ignored(pattern))
    }

    const fn with(mut self, rule: Rename<'a>) -> Self {
        if self.len < ROOM {
            self.rules[self.len] = rule;
        }
        self.len += 1;
        self
    }

    /// What was said; the last is [`Rename::Overflow`] where there was no room for all.
    pub(crate) const fn rules(&self) -> &[Rename<'a>] {
        match self.len > ROOM {
            true => &[Rename::Overflow],
            false => self.rules.split_at(self.len).0,
        }
    }
}

/// The name that a file's tensor has within the network, by what wraps all names and what is said of
/// them.
pub(crate) const fn plain(raw: &[u8], wrapper: &[u8], rules: &[Rename]) -> NameText {
    let name = prefixed(unwrapped(raw, wrapper), rules);
    let mut i = 0;
    while i < rules.len() {
        if let Rename::Name(from, to) = rules[i]
            && let Some(rest) = within(name.bytes(), from.as_bytes())
        {
            return NameText::of(to.as_bytes()).with(rest);
        }
        i += 1;
    }
    name
}

const fn unwrapped(raw: &[u8], wrapper: &[u8]) -> NameText {
    let name = NameText::unescaped(raw);
    match behind(name.bytes(), wrapper) {
        Some(rest) => NameText::of(rest),
        None => name,
    }
}

/// What the first prefix that fits makes of a name.
const fn prefixed(name: NameText, rules: &[Rename]) -> NameText {
    let mut i = 0;
    while i < rules.len() {
        if let Rename::Prefix(from, to) = rules[i]
            && let Some(rest) = behind(name.bytes(), from.as_bytes())
        {
            return NameText::of(to.as_bytes()).with(rest);
        }
        i += 1;
    }
    name
}

/// What stands behind a layer's name, or nothing where it is the tensor's whole one.
const fn within<'n>(name: &'n [u8], layer: &[u8]) -> Option<&'n [u8]> {
    match behind(name, layer) {
        Some(rest) if rest.is_empty() || rest[0] == b'.' => Some(rest),
        _ => None,
    }
}

/// Whether what was said speaks of this tensor of a file.
pub(crate) const fn speaks_of(rule: &Rename, raw: &[u8], wrapper: &[u8], rules: &[Rename]) -> bool {
    match rule {
        Rename::Ignored(pattern) => fits(NameText::unescaped(raw).bytes(), pattern.as_bytes()),
        Rename::Prefix(from, _) => behind(unwrapped(raw, wrapper).bytes(), from.as_bytes()).is_some(),
        Rename::Name(from, _) => within(prefixed(unwrapped(raw, wrapper), rules).bytes(), from.as_bytes()).is_some(),
        Rename::Overflow => true,
    }
}

/// Whether a file's tensor is one that the user ignores.
pub(crate) const fn is_ignored(name: &[u8], rules: &[Rename]) -> bool {
    let mut i = 0;
    while i < rules.len() {
        if let Rename::Ignored(pattern) = rules[i]
            && fits(name, pattern.as_bytes())
        {
            return true;
        }
        i += 1;
    }
    false
}

/// Whether `name` is what a pattern says, in which `*` stands for any letters.
const fn fits(name: &[u8], pattern: &[u8]) -> bool {
    let (mut n, mut p) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        if p < pattern.len() && pattern[p] == b'*' {
            star = Some((p, n));
            p += 1;
        } else if p < pattern.len() && pattern[p] == name[n] {
            (n, p) = (n + 1, p + 1);
        } else if let Some((at, from)) = star {
            // The last star takes one more letter.
            star = Some((at, from + 1));
            (n, p) = (from + 1, at + 1);
        } else {
            return false;
        }
    }
    while p < pattern.len() && pattern[p] == b'*' {
        p += 1;
    }
    p == pattern.len()
}

/// What wraps every name of a file; nothing where names are plain, or the user says what becomes of it.
pub(crate) const fn wrapper(header: &TensorHeader, entries: &[Entry], rules: &[Rename]) -> &'static [u8] {
    let mut w = 0;
    while w < WRAPPERS.len() {
        let (mut all, mut any, mut i) = (true, false, 0);
        while i < entries.len() && all {
            let name = header.name(&entries[i]);
            if !name.is(b"n_averaged") {
                any = true;
                all = behind(name.bytes(), WRAPPERS[w]).is_some();
            }
            i += 1;
        }
        if all && any && !is_said(WRAPPERS[w], rules) {
            return WRAPPERS[w];
        }
        w += 1;
    }
    b""
}

/// Whether the user speaks of names with this wrapper.
const fn is_said(wrapper: &[u8], rules: &[Rename]) -> bool {
    let mut i = 0;
    while i < rules.len() {
        if let Rename::Name(from, _) | Rename::Prefix(from, _) = rules[i]
            && behind(from.as_bytes(), wrapper).is_some()
        {
            return true;
        }
        i += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_star_stands_for_any_letters() {
        for (name, pattern, fit) in [
            ("critic.0.bias", "critic.*", true),
            ("critic", "critic.*", false),
            ("my.critic.0", "critic.*", false),
            ("my.critic.0", "*critic*", true),
            ("a.b.c", "a.*.c", true),
            ("a.b.c.d", "a.*.c", false),
            ("a.c.b.c", "a.*.c", true),
            ("", "*", true),
            ("a", "", false),
            ("log_std", "log_std", true),
        ] {
            assert_eq!(fits(name.as_bytes(), pattern.as_bytes()), fit, "{name} {pattern}");
        }
    }

    #[test]
    fn the_first_prefix_and_then_the_first_name_are_replaced() {
        const NAMES: Names = Names::new().map("0", "1").map("1", "0").map_prefix("actor.", "").map_prefix("a", "b");
        let renamed = |name: &str| plain(name.as_bytes(), b"", NAMES.rules()).as_str().to_string();
        assert_eq!(renamed("actor.0.weight"), "1.weight");
        assert_eq!(renamed("1.weight"), "0.weight");
        assert_eq!(renamed("10.weight"), "10.weight");
        assert_eq!(renamed("alpha"), "blpha");
        assert_eq!(renamed("0"), "1");
        let full = (0..3).fold(Names::<2>::with_room(), |names, _| names.ignore("x"));
        assert!(matches!(full.rules(), [Rename::Overflow]));
    }
}
