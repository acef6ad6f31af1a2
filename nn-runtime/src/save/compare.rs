//! A file's tensors beside those of a network. In: a header and what the network wants; out: where each
//! tensor's numbers stand, or every difference in words. It is const code: what a load says at run time,
//! rustc says of an embedded file.

use super::entry::{By, Entry, sort};
use super::header::TensorHeader;
use super::names::{NameText, behind, is_beside, is_passed_over, spelling};
use super::propose::propose;
use super::rules::{Rename, is_ignored, plain, speaks_of, wrapper};
use super::wanted::{Found, StoredNumbers, Terms, WantedTensor, misfit, text_of};
use crate::fault::Text;

/// Bytes of all that is said.
const ROOM: usize = 1 << 14;

/// Differences in words, a line each.
pub(crate) struct Report {
    text: Text<ROOM>,
    count: usize,
    /// How many are told; the others are counted.
    most: usize,
}

impl Report {
    pub(crate) const fn new(most: usize) -> Report {
        Report { text: Text::EMPTY, count: 0, most }
    }

    pub(crate) const fn add(&mut self, line: &Text) {
        if self.count < self.most {
            if self.count > 0 {
                self.text.push("\n");
            }
            self.text.push(line.as_str());
        }
        self.count += 1;
    }

    /// Whether another one would only be counted.
    pub(crate) const fn is_full(&self) -> bool {
        self.count >= self.most
    }

    pub(crate) const fn skip(&mut self) {
        self.count += 1;
    }

    /// All of it, and what to do.
    pub(crate) const fn help(self, help: &str) -> Text<ROOM> {
        let mut text = self.text;
        if self.count > self.most {
            text = text.str("\n… and ").num(self.count - self.most).str(" more");
        }
        text.str("\nhelp: ").str(help)
    }
}

/// A refusal: whether it is the file that is broken, and everything that is wrong in words.
pub(crate) struct Refused {
    pub(crate) broken: bool,
    pub(crate) text: Text<ROOM>,
}

/// Finds every tensor, or says what is wrong with names, types and shapes. `entries` are those that
/// `header` was read to.
#[allow(clippy::result_large_err, reason = "const code has no box")]
pub(crate) const fn compare(
    header: &TensorHeader,
    entries: &mut [Entry],
    wanted: &[WantedTensor],
    terms: &Terms,
    found: &mut [Found],
) -> Result<(), Refused> {
    let rules = terms.rules;
    if let [Rename::Overflow] = rules {
        let text = Text::EMPTY.str("expected as many renames as there is room for, found more");
        return Err(Refused { broken: false, text: text.str("\nhelp: `Names::<1000>::with_room()`") });
    }
    let wrapper = own_wrapper(header, entries, wanted, rules);
    let checkpoint = header.is_checkpoint();
    let mut i = 0;
    while i < entries.len() {
        let raw = header.raw_name(&entries[i]);
        let name = plain(raw, wrapper, rules);
        let ignored = is_ignored(NameText::unescaped(raw).bytes(), rules);
        entries[i].used = ignored || is_passed_over(name.bytes()) || checkpoint && is_beside(name.bytes());
        // What is ignored is found by no name.
        entries[i].hash = if ignored { !name.hash() } else { name.hash() };
        i += 1;
    }
    sort(entries, By::Hash);
    let mut i = 1;
    while i < entries.len() {
        let (a, b) = (&entries[i - 1], &entries[i]);
        let name = plain(header.raw_name(b), wrapper, rules);
        if a.hash == b.hash && plain(header.raw_name(a), wrapper, rules).is(name.bytes()) && !(a.used && b.used) {
            let text = Text::EMPTY.quoted(name.as_str()).str(": expected one tensor of that name, found two");
            return Err(Refused { broken: rules.is_empty(), text });
        }
        i += 1;
    }
    let mut report = Report::new(terms.most);
    let mut w = 0;
    while w < wanted.len() {
        found[w] = match find(header, entries, &wanted[w], wrapper, rules) {
            Some(at) => {
                entries[at].used = true;
                match misfit(header, &entries[at], wanted[w].shape) {
                    Ok(of) => Found::At(StoredNumbers { from: entries[at].from, of }),
                    Err(fault) => {
                        let name = header.name(&entries[at]);
                        report.add(&Text::EMPTY.quoted(name.as_str()).str(": ").str(fault.as_str()));
                        Found::Misfit
                    }
                }
            }
            None => {
                let text = Text::EMPTY.quoted(text_of(wanted[w].name)).str(": expected ").shape(wanted[w].shape);
                report.add(&text.str(", found no tensor of that name"));
                Found::Not
            }
        };
        w += 1;
    }
    let mut all_used = true;
    let mut i = 0;
    while i < entries.len() {
        all_used &= entries[i].used;
        i += 1;
    }
    if all_used && report.count == 0 {
        return Ok(());
    }
    sort(entries, By::Place);
    let mut i = 0;
    while i < entries.len() {
        if !entries[i].used {
            match report.is_full() {
                true => report.skip(),
                false => {
                    let text = Text::EMPTY.quoted(header.name(&entries[i]).as_str());
                    let text = text.str(": expected no such tensor in `").str(terms.network).str("`, found ");
                    report.add(&text.dims(header.dims(&entries[i])));
                }
            }
        }
        i += 1;
    }
    idle(header, entries, wrapper, rules, &mut report);
    let text = match propose(header, entries, wanted, found, wrapper, terms) {
        Some(help) => report.help(help.as_str()),
        None => report.help("load weights that were saved from this declaration; labels are their names"),
    };
    Err(Refused { broken: false, text })
}

/// Tensors of a file up to which renames that speak of none are looked for.
const FEW: usize = 1000;

/// Tells of each rename that speaks of no tensor of the file: a slip in it is the likely cause.
const fn idle(header: &TensorHeader, entries: &[Entry], wrapper: &[u8], rules: &[Rename], report: &mut Report) {
    let mut r = 0;
    while r < rules.len() && entries.len() <= FEW {
        let (mut any, mut i) = (false, 0);
        while i < entries.len() && !any {
            any = speaks_of(&rules[r], header.raw_name(&entries[i]), wrapper, rules);
            i += 1;
        }
        if !any {
            match report.is_full() {
                true => report.skip(),
                false => {
                    let text = match rules[r] {
                        Rename::Name(from, _) => Text::EMPTY.str("`map(\"").str(from),
                        Rename::Prefix(from, _) => Text::EMPTY.str("`map_prefix(\"").str(from),
                        Rename::Ignored(from) => Text::EMPTY.str("`ignore(\"").str(from),
                        Rename::Overflow => Text::EMPTY,
                    };
                    let end = if matches!(rules[r], Rename::Ignored(_)) { "\")`" } else { "\", …)`" };
                    report.add(&text.str(end).str(": expected a tensor of that name in the file, found none"));
                }
            }
        }
        r += 1;
    }
}

/// What wraps the names of the file; a label of that name is a part of the network, not a wrapper around it.
const fn own_wrapper(
    header: &TensorHeader,
    entries: &[Entry],
    wanted: &[WantedTensor],
    rules: &[Rename],
) -> &'static [u8] {
    let wrapper = wrapper(header, entries, rules);
    let mut w = 0;
    while w < wanted.len() {
        if behind(wanted[w].name, wrapper).is_some() {
            return b"";
        }
        w += 1;
    }
    wrapper
}

const fn find(
    header: &TensorHeader,
    entries: &[Entry],
    wanted: &WantedTensor,
    wrapper: &[u8],
    rules: &[Rename],
) -> Option<usize> {
    let mut choice = 0;
    while let Some(name) = spelling(wanted.name, choice) {
        let at = find_name(header, entries, name.bytes(), wrapper, rules);
        if at.is_some() {
            return at;
        }
        choice += 1;
    }
    // Tensors that are one are written once by PyTorch, with a note of the other's name.
    let mut notes = header.notes();
    while let Some((name, of)) = notes.next() {
        if plain(name, wrapper, rules).is(wanted.name) {
            let of = plain(of, wrapper, rules);
            return find_name(header, entries, of.bytes(), wrapper, rules);
        }
    }
    None
}

/// The entry of this name among those sorted by hash.
const fn find_name(
    header: &TensorHeader,
    entries: &[Entry],
    name: &[u8],
    wrapper: &[u8],
    rules: &[Rename],
) -> Option<usize> {
    let hash = NameText::of(name).hash();
    let (mut from, mut to) = (0, entries.len());
    while from < to {
        let middle = from.midpoint(to);
        if entries[middle].hash < hash {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    while from < entries.len() && entries[from].hash == hash {
        if plain(header.raw_name(&entries[from]), wrapper, rules).is(name) {
            return Some(from);
        }
        from += 1;
    }
    None
}
