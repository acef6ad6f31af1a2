//! Names for a file whose tensors are called otherwise. In: what a network lacks and what a file has beside;
//! out: the renames by which they most likely meet, as text to type, and how many tensors fit then. A guess
//! for people: nothing is loaded by it.

use super::entry::Entry;
use super::header::TensorHeader;
use super::likeness::{comes_before, distance};
use super::names::{NameText, behind, same, spelling, split_last, within};
use super::rules::{Rename, plain};
use super::wanted::{Found, Terms, WantedTensor, has_shape};
use crate::fault::Text;

/// Bytes of a proposal.
const ROOM: usize = 4096;
/// Renames that are proposed at most.
const MOST: usize = 16;
/// Tensors of a file up to which its names are looked at.
const FEW: usize = 1000;

/// What is looked through.
struct Search<'a> {
    header: &'a TensorHeader<'a>,
    entries: &'a mut [Entry],
    wanted: &'a [WantedTensor<'a>],
    found: &'a [Found],
    wrapper: &'a [u8],
}

/// The proposal, as a line that begins with what to type; none where no other name fits.
pub(crate) const fn propose(
    header: &TensorHeader,
    entries: &mut [Entry],
    wanted: &[WantedTensor],
    found: &[Found],
    wrapper: &[u8],
    terms: &Terms,
) -> Option<Text<ROOM>> {
    let mut i = 0;
    while i < terms.rules.len() {
        // Renames that were given are not mended.
        if !matches!(terms.rules[i], Rename::Ignored(_)) {
            return None;
        }
        i += 1;
    }
    if entries.len() > FEW {
        return None;
    }
    let (mut fit, mut w) = (0, 0);
    while w < wanted.len() {
        fit += matches!(found[w], Found::At(_)) as usize;
        w += 1;
    }
    let mut search = Search { header, entries, wanted, found, wrapper };
    let mut text: Text<ROOM> = Text::EMPTY.str("`Names::new()");
    let before = fit;
    if let Some((from, to)) = search.prefix() {
        text = text.str(".map_prefix(\"").str(from.as_str()).str("\", \"").str(to.as_str()).str("\")");
        fit += search.take_prefix(&from, &to);
    } else {
        let mut done = [const { NameText::of(b"") }; MOST];
        let (mut renames, mut w) = (0, 0);
        while w < wanted.len() && renames < MOST {
            if !search.is_within(w, done.split_at(renames).0)
                && let Some(site) = search.site_of(w)
            {
                let (from, to) = search.outermost(site, NameText::of(split_last(wanted[w].name).0));
                let count;
                (count, text) = search.take_site(&from, &to, text);
                fit += count;
                done[renames] = to;
                renames += 1;
            }
            w += 1;
        }
    }
    let all = fit == wanted.len();
    if all {
        text = search.ignored(text);
    }
    if fit == before && !(all && text.as_str().len() > "`Names::new()".len()) {
        return None;
    }
    let text = text.str("` makes ").str(if all { "all " } else { "" });
    let text = if all { text } else { text.num(fit).str(" of ") };
    Some(text.num(wanted.len()).str(" tensors fit: ").str(terms.names_go))
}

impl Search<'_> {
    const fn name(&self, e: usize) -> NameText {
        plain(self.header.raw_name(&self.entries[e]), self.wrapper, &[])
    }

    const fn is_missing(&self, w: usize) -> bool {
        matches!(self.found[w], Found::Not)
    }

    /// A prefix to replace, by which all that is missing fits.
    const fn prefix(&self) -> Option<(NameText, NameText)> {
        let mut w = 0;
        while w < self.wanted.len() && !self.is_missing(w) {
            w += 1;
        }
        let mut e = 0;
        while w < self.wanted.len() && e < self.entries.len() {
            if !self.entries[e].used && has_shape(self.header, &self.entries[e], self.wanted[w].shape) {
                let (name, wanted) = (self.name(e), self.wanted[w].name);
                let pair = match (ends_with(name.bytes(), wanted), ends_with(wanted, name.bytes())) {
                    (Some(prefix), _) => Some((NameText::of(prefix), NameText::of(b""))),
                    (_, Some(prefix)) => Some((NameText::of(b""), NameText::of(prefix))),
                    _ => None,
                };
                if let Some((from, to)) = pair
                    && self.fits_all(&from, &to)
                {
                    return Some((from, to));
                }
            }
            e += 1;
        }
        None
    }

    /// Whether all that is missing is there under another prefix.
    const fn fits_all(&self, from: &NameText, to: &NameText) -> bool {
        let mut w = 0;
        while w < self.wanted.len() {
            if self.is_missing(w) && self.behind_prefix(w, from, to).is_none() {
                return false;
            }
            w += 1;
        }
        true
    }

    /// The unused entry that becomes tensor `w` when the prefix `from` is replaced by `to`.
    const fn behind_prefix(&self, w: usize, from: &NameText, to: &NameText) -> Option<usize> {
        let mut choice = 0;
        while let Some(wanted) = spelling(self.wanted[w].name, choice) {
            if let Some(rest) = behind(wanted.bytes(), to.bytes()) {
                let name = NameText::of(from.bytes()).with(rest);
                let (hash, mut e) = (name.hash(), 0);
                while e < self.entries.len() {
                    let entry = &self.entries[e];
                    let same = !entry.used && entry.hash == hash && self.name(e).is(name.bytes());
                    if same && has_shape(self.header, entry, self.wanted[w].shape) {
                        return Some(e);
                    }
                    e += 1;
                }
            }
            choice += 1;
        }
        None
    }

    const fn take_prefix(&mut self, from: &NameText, to: &NameText) -> usize {
        let (mut count, mut w) = (0, 0);
        while w < self.wanted.len() {
            if self.is_missing(w)
                && let Some(e) = self.behind_prefix(w, from, to)
            {
                self.entries[e].used = true;
                count += 1;
            }
            w += 1;
        }
        count
    }

    /// What the file calls the layer of tensor `w`, the first of its layer that is missing: the name most
    /// like its own among those with tensors of the same shapes.
    const fn site_of(&self, w: usize) -> Option<NameText> {
        let (site, param) = split_last(self.wanted[w].name);
        if !self.is_missing(w) || site.is_empty() || self.is_known_site(w) {
            return None;
        }
        let mut best: Option<(usize, NameText)> = None;
        let mut e = 0;
        while e < self.entries.len() {
            let entry = &self.entries[e];
            if !entry.used && has_shape(self.header, entry, self.wanted[w].shape) {
                let name = self.name(e);
                let (other, found) = split_last(name.bytes());
                if is_param(found, param) && !other.is_empty() && self.site_fits(w, other) {
                    let far = distance(other, site);
                    let nearer = match &best {
                        Some((least, best)) => far < *least || far == *least && comes_before(other, best.bytes()),
                        None => true,
                    };
                    if nearer {
                        best = Some((far, NameText::of(other)));
                    }
                }
            }
            e += 1;
        }
        match best {
            Some((_, site)) => Some(site),
            None => None,
        }
    }

    /// Whether an earlier tensor of the same layer was missing too.
    const fn is_known_site(&self, w: usize) -> bool {
        let site = split_last(self.wanted[w].name).0;
        let mut i = 0;
        while i < w {
            if self.is_missing(i) && same(split_last(self.wanted[i].name).0, site) {
                return true;
            }
            i += 1;
        }
        false
    }

    /// Whether the file has all that is missing of the layer of tensor `w` under the name `other`.
    const fn site_fits(&self, w: usize, other: &[u8]) -> bool {
        let site = split_last(self.wanted[w].name).0;
        let mut i = w;
        while i < self.wanted.len() {
            if self.is_missing(i)
                && same(split_last(self.wanted[i].name).0, site)
                && self.behind_prefix(i, &within(other), &within(site)).is_none()
            {
                return false;
            }
            i += 1;
        }
        true
    }

    /// Whether tensor `w` lies within one of these.
    const fn is_within(&self, w: usize, all: &[NameText]) -> bool {
        let mut i = 0;
        while i < all.len() {
            if behind(self.wanted[w].name, within(all[i].bytes()).bytes()).is_some() {
                return true;
            }
            i += 1;
        }
        false
    }

    /// The outermost layers around two that may be renamed in their place: `layers` for `body`, not
    /// `layers.0.norm` for `body.0.norm` and each of the others.
    const fn outermost(&self, mut from: NameText, mut to: NameText) -> (NameText, NameText) {
        loop {
            let ((outer, last), (own, own_last)) = (split_last(from.bytes()), split_last(to.bytes()));
            if outer.is_empty() || own.is_empty() || !same(last, own_last) || !self.all_within(outer, own) {
                return (from, to);
            }
            (from, to) = (NameText::of(outer), NameText::of(own));
        }
    }

    /// Whether all that is missing within `to` is there within `from`, where no tensor has its name already.
    const fn all_within(&self, from: &[u8], to: &[u8]) -> bool {
        let (from, to) = (within(from), within(to));
        let mut i = 0;
        while i < self.wanted.len() {
            if self.is_missing(i)
                && behind(self.wanted[i].name, to.bytes()).is_some()
                && self.behind_prefix(i, &from, &to).is_none()
            {
                return false;
            }
            i += 1;
        }
        let mut e = 0;
        while e < self.entries.len() {
            if self.entries[e].used && behind(self.name(e).bytes(), from.bytes()).is_some() {
                return false;
            }
            e += 1;
        }
        true
    }

    const fn take_site(&mut self, from: &NameText, to: &NameText, text: Text<ROOM>) -> (usize, Text<ROOM>) {
        let (inner, own) = (within(from.bytes()), within(to.bytes()));
        let (mut count, mut i) = (0, 0);
        while i < self.wanted.len() {
            if self.is_missing(i)
                && let Some(e) = self.behind_prefix(i, &inner, &own)
            {
                self.entries[e].used = true;
                count += 1;
            }
            i += 1;
        }
        let text = text.str(".map(\"").str(from.as_str()).str("\", \"").str(to.as_str()).str("\")");
        (count, text)
    }

    /// `.ignore(…)` of all that is left.
    const fn ignored(&mut self, mut text: Text<ROOM>) -> Text<ROOM> {
        let (mut e, mut groups) = (0, 0);
        while e < self.entries.len() && groups < MOST {
            if !self.entries[e].used {
                let name = self.header.name(&self.entries[e]);
                let first = first_word(name.bytes());
                let dotted = first.len() < name.bytes().len() && self.is_free(first);
                let shown = if dotted { NameText::of(first).with(b".*") } else { name };
                text = text.str(".ignore(\"").str(shown.as_str()).str("\")");
                let mut i = e;
                while i < self.entries.len() {
                    let other = self.header.name(&self.entries[i]);
                    self.entries[i].used |= i == e || dotted && same(first_word(other.bytes()), first);
                    i += 1;
                }
                groups += 1;
            }
            e += 1;
        }
        text
    }

    /// Whether no tensor of the file that is used begins with this word.
    const fn is_free(&self, first: &[u8]) -> bool {
        let mut e = 0;
        while e < self.entries.len() {
            let name = self.header.name(&self.entries[e]);
            if self.entries[e].used && same(first_word(name.bytes()), first) {
                return false;
            }
            e += 1;
        }
        true
    }
}

/// Whether a file's name of a parameter means `wanted`.
const fn is_param(found: &[u8], wanted: &[u8]) -> bool {
    let mut choice = 0;
    while let Some(name) = spelling(wanted, choice) {
        if name.is(found) {
            return true;
        }
        choice += 1;
    }
    false
}

/// What stands before `.suffix`, with the point.
const fn ends_with<'a>(name: &'a [u8], suffix: &[u8]) -> Option<&'a [u8]> {
    if name.len() <= suffix.len() {
        return None;
    }
    let (prefix, rest) = name.split_at(name.len() - suffix.len());
    if same(rest, suffix) && prefix[prefix.len() - 1] == b'.' { Some(prefix) } else { None }
}

/// A name before its first point.
const fn first_word(name: &[u8]) -> &[u8] {
    let mut i = 0;
    while i < name.len() && name[i] != b'.' {
        i += 1;
    }
    name.split_at(i).0
}
