//! The names in a group: an old group's, in a tree whose leaves point into a heap of texts; a new group's,
//! one message each. In: a header; out: names and where they lead.

use super::File;
use super::cursor::{Cursor, NOWHERE, text};
use super::header::Header;

impl Header {
    /// The names; nothing where this is no group.
    pub fn links(&self, file: &File) -> Result<Option<Vec<(String, u64)>>, String> {
        if let Some([tree, heap]) = self.symbols {
            let mut at = file.at(heap)?;
            at.expect(b"HEAP")?;
            at.skip(4)?;
            let size = usize::try_from(at.u64()?).map_err(|_| "expected a heap that fits into memory")?;
            at.skip(8)?;
            let names = file.at(at.u64()?)?.bytes(size)?;
            let mut links = Vec::new();
            leaves(file, tree, 0, &mut |leaf| symbols(file, leaf, names, &mut links))?;
            return Ok(Some(links));
        }
        match self.many_links {
            None if self.links.is_empty() => Ok(None),
            None | Some(NOWHERE) => Ok(Some(self.links.clone())),
            Some(_) => Err("expected a group as h5py writes it of itself, found one of `libver=\"latest\"`\nhelp: in \
                            Python: `with h5py.File(\"FILE\") as a, h5py.File(\"new.h5\", \"w\") as b: [a.copy(name, \
                            b) for name in a]`"
                .to_owned()),
        }
    }
}

/// Each leaf of a tree of names.
fn leaves(file: &File, tree: u64, depth: usize, leaf: &mut dyn FnMut(u64) -> Result<(), String>) -> Result<(), String> {
    let mut at = file.at(tree)?;
    at.expect(b"TREE")?;
    let (kind, level, entries) = (at.u8()?, at.u8()?, at.u16()?);
    if kind != 0 || depth > 8 {
        return Err("expected a tree of names".to_owned());
    }
    at.skip(24)?;
    for _ in 0..entries {
        file.take(8)?;
        let child = at.u64()?;
        at.skip(8)?;
        if level == 0 {
            leaf(child)?;
        } else {
            leaves(file, child, depth + 1, leaf)?;
        }
    }
    Ok(())
}

fn symbols(file: &File, leaf: u64, names: &[u8], links: &mut Vec<(String, u64)>) -> Result<(), String> {
    let mut at = file.at(leaf)?;
    at.expect(b"SNOD")?;
    at.skip(2)?;
    for _ in 0..at.u16()? {
        let (name, address, soft) = (at.u64()?, at.u64()?, at.u32()? == 2);
        at.skip(20)?;
        let name = usize::try_from(name).ok().and_then(|name| names.get(name..));
        let name = Cursor::new(name.ok_or("expected a name within its heap")?);
        let name = text_of(name)?;
        file.take(8 + name.len())?;
        if !soft {
            links.push((name, address));
        }
    }
    Ok(())
}

fn text_of(mut name: Cursor) -> Result<String, String> {
    let left = name.left().min(1 << 12);
    Ok(text(name.bytes(left)?))
}
