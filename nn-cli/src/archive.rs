//! Zip archives, as files of weights come in. In: bytes, which may be anything; out: members, unpacked, and
//! no more of them than a file of this size may hold.

use std::io::{self, Cursor, Read};

use zip::CompressionMethod;
use zip::ZipArchive;
use zip::read::ZipFile;
use zip::result::ZipError;

/// How many times its own size, and a megabyte, a file may hold where it is compressed. Weights give way by a
/// tenth; HDF5 of small models, and networks that were pruned, by a lot.
const MOST_EXPANSION: usize = 16;
const SMALL: usize = 1 << 20;

/// How many bytes a compressed file of so many may hold.
pub fn most_unpacked(len: usize) -> usize {
    len.saturating_mul(MOST_EXPANSION).saturating_add(SMALL)
}

/// An archive, and how much may still be unpacked of it: members may lie over each other.
pub struct Zip<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    /// How many it has itself.
    bytes: usize,
    room: usize,
}

impl<'a> Zip<'a> {
    pub fn open(bytes: &'a [u8]) -> Result<Zip<'a>, ZipError> {
        if !is_listed(bytes) {
            return Err(ZipError::InvalidArchive("the list of its members is damaged"));
        }
        let zip = ZipArchive::new(Cursor::new(bytes))?;
        Ok(Zip { zip, bytes: bytes.len(), room: most_unpacked(bytes.len()) })
    }

    /// The members' names, in any order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.zip.file_names()
    }

    /// How many members there are.
    pub fn len(&self) -> usize {
        self.zip.len()
    }

    /// A member's name and bytes.
    ///
    /// # Errors
    /// It is not there, damaged, or more than such a file may hold.
    pub fn member(&mut self, i: usize) -> Result<(String, Vec<u8>), String> {
        let size = counted(self.zip.by_index(i), self.bytes, &mut self.room)?;
        let member = self.zip.by_index(i).map_err(|error| error.to_string())?;
        Ok((member.name().to_owned(), unpacked(member, size)?))
    }

    /// The bytes of the member of this name.
    ///
    /// # Errors
    /// As [`member`](Zip::member).
    pub fn named(&mut self, name: &str) -> Result<Vec<u8>, String> {
        let size = counted(self.zip.by_name(name), self.bytes, &mut self.room)?;
        let member = self.zip.by_name(name).map_err(|error| error.to_string())?;
        unpacked(member, size)
    }
}

/// Whether all members that an archive announces are in its list, for which the crate `zip` asks for memory
/// before it looks.
fn is_listed(bytes: &[u8]) -> bool {
    let number = |at: usize, len: usize| -> Option<usize> {
        let bytes = bytes.get(at..at.checked_add(len)?)?;
        usize::try_from(bytes.iter().rev().fold(0u64, |all, byte| all << 8 | u64::from(*byte))).ok()
    };
    let starts = |at: usize, with: &[u8]| bytes.get(at..).is_some_and(|bytes| bytes.starts_with(with));
    // Behind the end there may be a comment of 64 kB.
    let last = bytes.len().saturating_sub(22);
    let ends = (last.saturating_sub(1 << 16)..=last).rev().filter(|at| starts(*at, b"PK\x05\x06"));
    let mut all = true;
    for end in ends {
        let far = end.checked_sub(20).filter(|at| starts(*at, b"PK\x06\x07")).and_then(|at| number(at + 8, 8));
        let list = match far.filter(|at| starts(*at, b"PK\x06\x06")) {
            Some(at) => at.checked_add(56).and_then(|_| Some((number(at + 32, 8)?, number(at + 48, 8)?))),
            None => number(end + 10, 2).zip(number(end + 16, 4)),
        };
        let Some((count, mut at)) = list else { return false };
        let mut left = count;
        while left > 0 && starts(at, b"PK\x01\x02") {
            let Some(rest) = [28, 30, 32].iter().try_fold(46, |sum, part| Some(sum + number(at + part, 2)?)) else {
                break;
            };
            at += rest;
            left -= 1;
        }
        all &= left == 0;
    }
    all
}

/// How many bytes a member is, whatever it says itself: what is compressed is unpacked to nowhere first, so
/// that no more memory is taken for it.
fn counted(member: Result<ZipFile, ZipError>, len: usize, room: &mut usize) -> Result<usize, String> {
    let member = member.map_err(|error| error.to_string())?;
    let stored = member.compression() == CompressionMethod::Stored;
    let size = match stored {
        // It lies in the file, however long it says that it is.
        true => member.size().min(len as u64),
        false => io::copy(&mut member.take(*room as u64 + 1), &mut io::sink()).map_err(|error| error.to_string())?,
    };
    let left = usize::try_from(size).ok().and_then(|size| room.checked_sub(size));
    *room = left.ok_or("it unpacks to more than 16 times its size and a megabyte")?;
    Ok(size as usize)
}

fn unpacked(member: ZipFile, size: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(size);
    member.take(size as u64).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}
