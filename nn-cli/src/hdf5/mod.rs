//! HDF5 files, the part of the format that h5py writes for weights: groups, arrays of numbers, attributes
//! that are text. In: bytes, which may be anything; out: a tree of names, and numbers where they are asked
//! for. What is read of a file is never larger than the file, but for numbers that are compressed in it.

mod cursor;
mod data;
mod header;
mod links;

use std::cell::Cell;
use std::collections::BTreeSet;

pub use data::Dataset;

use crate::tensor::Element;
use cursor::Cursor;
use header::Header;

/// The deepest group within groups.
const DEEPEST: usize = 32;

/// What a name in a group stands for.
pub enum Item {
    Group(Group),
    Dataset(Dataset),
}

/// A group: texts that were written on it, and what it holds, by name in the file's order.
#[derive(Default)]
pub struct Group {
    pub attributes: Vec<(String, Vec<String>)>,
    pub items: Vec<(String, Item)>,
}

impl Group {
    pub fn group(&self, name: &str) -> Option<&Group> {
        self.items.iter().find_map(|(other, item)| match item {
            Item::Group(group) if other == name => Some(group),
            _ => None,
        })
    }

    pub fn groups(&self) -> impl Iterator<Item = (&str, &Group)> {
        self.items.iter().filter_map(|(name, item)| match item {
            Item::Group(group) => Some((name.as_str(), group)),
            Item::Dataset(_) => None,
        })
    }

    pub fn datasets(&self) -> impl Iterator<Item = (&str, &Dataset)> {
        self.items.iter().filter_map(|(name, item)| match item {
            Item::Dataset(dataset) => Some((name.as_str(), dataset)),
            Item::Group(_) => None,
        })
    }

    /// The first text of an attribute.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.texts(name).first().map(String::as_str)
    }

    pub fn texts(&self, name: &str) -> &[String] {
        self.attributes.iter().find(|(other, _)| other == name).map_or(&[], |(_, texts)| texts)
    }
}

/// A file's bytes, and how much may still be made of them.
pub struct File<'a> {
    pub bytes: &'a [u8],
    /// Bytes that names, texts and entries may still take.
    room: Cell<usize>,
}

impl<'a> File<'a> {
    pub fn new(bytes: &'a [u8]) -> File<'a> {
        File { bytes, room: Cell::new(bytes.len()) }
    }

    /// Everything that is in the file, but for the numbers.
    ///
    /// # Errors
    /// The file is damaged, or written in a way that is not read here.
    pub fn tree(&self) -> Result<Group, String> {
        match self.item(self.root()?, &mut BTreeSet::new(), 0)? {
            Some(Item::Group(group)) => Ok(group),
            _ => Err("expected a group at the root".to_owned()),
        }
    }

    /// Where the root's header is.
    fn root(&self) -> Result<u64, String> {
        let mut at = self.at(8)?;
        let version = at.u8()?;
        let sizes = |at: &mut Cursor| -> Result<(), String> {
            match (at.u8()?, at.u8()?) {
                (8, 8) => Ok(()),
                found => Err(format!("expected offsets and lengths of 8 bytes, found {found:?}")),
            }
        };
        match version {
            0 | 1 => {
                at.skip(4)?;
                sizes(&mut at)?;
                at.skip(if version == 0 { 9 } else { 13 })?;
            }
            2 | 3 => {
                sizes(&mut at)?;
                at.skip(1)?;
            }
            _ => return Err(format!("expected a superblock of version 0 to 3, found {version}")),
        }
        if at.u64()? != 0 {
            return Err("expected a file that begins at its first byte".to_owned());
        }
        // Free space or extension, end of the file, driver; then the root's entry begins with its name.
        at.skip(if version < 2 { 32 } else { 16 })?;
        at.u64()
    }

    fn at(&self, address: u64) -> Result<Cursor<'a>, String> {
        let at = usize::try_from(address).ok().and_then(|at| self.bytes.get(at..));
        at.map(Cursor::new).ok_or_else(|| format!("expected byte {address}, found a file of {}", self.bytes.len()))
    }

    /// Counts bytes of what is made, so that a file which leads in circles comes to an end.
    fn take(&self, bytes: usize) -> Result<(), String> {
        let left = self.room.get().checked_sub(bytes);
        self.room.set(left.ok_or("expected each part of the file once, found more of them than it has bytes")?);
        Ok(())
    }

    /// What is at an address; nothing where it is of a kind that weights are not.
    fn item(&self, address: u64, above: &mut BTreeSet<u64>, depth: usize) -> Result<Option<Item>, String> {
        if depth > DEEPEST || !above.insert(address) {
            return Err(format!("expected groups at most {DEEPEST} deep, none of which is within itself"));
        }
        let header = Header::read(self, address)?;
        let made = match header.links(self)? {
            Some(links) => {
                let mut group = Group { attributes: header.attributes, items: Vec::new() };
                for (name, address) in links {
                    let item = self.item(address, above, depth + 1).map_err(|why| match why.starts_with('`') {
                        true => format!("`{}/{}", name.escape_debug(), &why[1..]),
                        false => format!("`{}`: {why}", name.escape_debug()),
                    })?;
                    group.items.extend(item.map(|item| (name, item)));
                }
                Some(Item::Group(group))
            }
            None => header.dataset()?.map(Item::Dataset),
        };
        above.remove(&address);
        Ok(made)
    }
}

/// A type of numbers, or another that is passed over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kind {
    /// None where no weight has it.
    pub element: Option<Element>,
    pub bytes: usize,
    pub big_endian: bool,
    text: Option<Text>,
}

/// How texts are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Text {
    Fixed,
    Elsewhere,
}
