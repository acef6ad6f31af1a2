//! The numbers of an array: in one piece, within its header, or in chunks that may be compressed. In: where
//! they are; out: numbers, row by row and little-endian; or other numbers in their place.

use std::io::Read;

use super::cursor::{Cursor, NOWHERE};
use super::{File, Kind};
use crate::archive::most_unpacked;
use crate::tensor::{Element, Tensor};

/// An array.
pub struct Dataset {
    pub kind: Kind,
    pub shape: Vec<usize>,
    pub place: Place,
    pub filters: Vec<Filter>,
}

/// Where numbers are.
pub enum Place {
    /// In one piece that begins there.
    At(u64),
    /// Within the header: where, and how many bytes.
    Within(Vec<u8>),
    /// In chunks of these sizes, which a tree leads to.
    Chunks { tree: u64, sizes: Vec<usize> },
    /// In a way that is not read here.
    Other(String),
}

/// What was done to each chunk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Filter {
    Deflate,
    Shuffle,
    Checksum,
    Other(usize),
}

/// Takes a chunk: where it begins, which filters were left out, its bytes.
type EachChunk<'f> = dyn FnMut(&[usize], usize, &[u8]) -> Result<(), String> + 'f;

impl Place {
    pub(super) fn read(file: &File, at: &mut Cursor) -> Result<Place, String> {
        let version = at.u8()?;
        if !(3..=5).contains(&version) {
            return Ok(Place::Other(format!("a layout of version {version}")));
        }
        Ok(match at.u8()? {
            0 => {
                let len = at.u16()?;
                file.take(len)?;
                Place::Within(at.bytes(len)?.to_vec())
            }
            1 => Place::At(at.u64()?),
            2 if version == 3 => {
                let rank = usize::from(at.u8()?);
                let tree = at.u64()?;
                let sizes: Result<Vec<usize>, String> = (1..rank).map(|_| at.u32()).collect();
                Place::Chunks { tree, sizes: sizes? }
            }
            class => Place::Other(format!("chunks of `libver=\"latest\"`, class {class}")),
        })
    }
}

impl Filter {
    pub(super) fn read(at: &mut Cursor) -> Result<Vec<Filter>, String> {
        let (version, count) = (at.u8()?, at.u8()?);
        at.skip(if version == 1 { 6 } else { 0 })?;
        let mut filters = Vec::new();
        for _ in 0..count.min(32) {
            let id = at.u16()?;
            let name = if version == 1 || id >= 256 { at.u16()? } else { 0 };
            at.skip(2)?;
            let values = at.u16()?;
            at.skip(if version == 1 { name.next_multiple_of(8) } else { name })?;
            at.skip(4 * values)?;
            at.skip(if version == 1 && values % 2 == 1 { 4 } else { 0 })?;
            filters.push(match id {
                1 => Filter::Deflate,
                2 => Filter::Shuffle,
                3 => Filter::Checksum,
                id => Filter::Other(id),
            });
        }
        Ok(filters)
    }
}

impl Dataset {
    /// Its type, where numbers have it.
    pub fn element(&self) -> Option<Element> {
        self.kind.element
    }

    fn size(&self) -> Result<(Element, usize), String> {
        let element = self.element().ok_or_else(|| {
            format!("expected numbers that are converted here, found a type of {} bytes", self.kind.bytes)
        })?;
        let size = Tensor::size(element, &self.shape).ok_or("expected sizes that can be counted")?;
        Ok((element, size))
    }

    /// How many bytes its numbers are, and whether they may be compressed.
    ///
    /// # Errors
    /// They are no numbers, or more than can be counted.
    pub fn size_in_file(&self) -> Result<(usize, bool), String> {
        Ok((self.size()?.1, matches!(self.place, Place::Chunks { .. })))
    }

    /// The numbers.
    ///
    /// # Errors
    /// They are not there as it is said.
    pub fn read(&self, file: &File) -> Result<Vec<u8>, String> {
        let (element, size) = self.size()?;
        if size > most_unpacked(file.bytes.len()) {
            return Err(format!("expected numbers that the file holds, found {size} bytes of them announced"));
        }
        let mut bytes = match &self.place {
            _ if size == 0 => Vec::new(),
            Place::At(NOWHERE) => return Err("expected numbers, found none written".to_owned()),
            Place::At(at) => file.at(*at)?.bytes(size)?.to_vec(),
            Place::Within(bytes) => bytes.get(..size).ok_or("expected all numbers in the header")?.to_vec(),
            Place::Chunks { tree, sizes } => self.chunks(file, *tree, sizes, element.bytes(), size)?,
            Place::Other(what) => return Err(format!("expected an array as h5py writes it of itself, found {what}")),
        };
        if self.kind.big_endian {
            bytes.chunks_exact_mut(element.bytes()).for_each(<[u8]>::reverse);
        }
        Ok(bytes)
    }

    /// Puts other numbers in the place of these.
    ///
    /// # Errors
    /// They are not in one piece.
    pub fn replace(&self, whole: &mut [u8], numbers: &[u8]) -> Result<(), String> {
        let (_, size) = self.size()?;
        if size == 0 && numbers.is_empty() {
            return Ok(());
        }
        let Place::At(at) = self.place else {
            return Err("expected numbers in one piece, as Keras writes them, found chunks".to_owned());
        };
        if self.kind.big_endian {
            return Err("expected little-endian numbers, as Keras writes them".to_owned());
        }
        let at = usize::try_from(at).ok().and_then(|at| whole.get_mut(at..)?.get_mut(..size));
        match at {
            Some(place) if place.len() == numbers.len() => place.copy_from_slice(numbers),
            _ => return Err(format!("expected {size} bytes of numbers in the file, found {}", numbers.len())),
        }
        Ok(())
    }

    fn chunks(&self, file: &File, tree: u64, sizes: &[usize], element: usize, size: usize) -> Result<Vec<u8>, String> {
        let rank = self.shape.len();
        let chunk = sizes.iter().try_fold(element, |all, dim| all.checked_mul(*dim)).unwrap_or(0);
        if sizes.len() != rank || rank == 0 || chunk == 0 || chunk > most_unpacked(file.bytes.len()) {
            return Err(format!("expected chunks of {rank} dimensions, found {sizes:?}"));
        }
        let mut all = vec![0; size];
        let mut there = 0;
        self.tree(file, tree, 0, &mut |begin, mask, packed| {
            let numbers = self.unpacked(packed, mask, chunk, element)?;
            there += self.put(&mut all, &numbers, begin, sizes, element);
            Ok(())
        })?;
        // Chunks that were never written are zeros; weights have none of them.
        if there == size { Ok(all) } else { Err(format!("expected {size} bytes in chunks, found {there}")) }
    }

    /// Each chunk of a tree: where it begins, which filters were left out, its bytes.
    fn tree(&self, file: &File, tree: u64, depth: usize, each: &mut EachChunk) -> Result<(), String> {
        let mut at = file.at(tree)?;
        at.expect(b"TREE")?;
        let (kind, level, entries) = (at.u8()?, at.u8()?, at.u16()?);
        if kind != 1 || depth > 8 {
            return Err("expected a tree of chunks".to_owned());
        }
        at.skip(16)?;
        for _ in 0..entries {
            let (size, mask) = (at.u32()?, at.u32()?);
            let begin: Result<Vec<u64>, String> = (0..=self.shape.len()).map(|_| at.u64()).collect();
            let begin: Option<Vec<usize>> = begin?.into_iter().map(|at| usize::try_from(at).ok()).collect();
            let child = at.u64()?;
            file.take(24)?;
            if level == 0 {
                // Each chunk's bytes once.
                file.take(size)?;
                let begin = begin.ok_or("expected chunks within the array")?;
                each(&begin[..self.shape.len()], mask, file.at(child)?.bytes(size)?)?;
            } else {
                self.tree(file, child, depth + 1, each)?;
            }
        }
        Ok(())
    }

    fn unpacked(&self, packed: &[u8], mask: usize, size: usize, element: usize) -> Result<Vec<u8>, String> {
        let mut bytes = packed.to_vec();
        for (i, filter) in self.filters.iter().enumerate().rev() {
            if mask >> i & 1 == 1 {
                continue;
            }
            bytes = match filter {
                Filter::Deflate => {
                    let mut wide = Vec::new();
                    let mut reader = flate2::read::ZlibDecoder::new(&bytes[..]).take(size as u64 + 4);
                    reader.read_to_end(&mut wide).map_err(|error| format!("expected a compressed chunk: {error}"))?;
                    wide
                }
                Filter::Shuffle => {
                    let count = bytes.len() / element;
                    (0..count * element).map(|i| bytes[i % element * count + i / element]).collect()
                }
                Filter::Checksum => bytes.split_last_chunk::<4>().ok_or("expected a checksum")?.0.to_vec(),
                Filter::Other(id) => return Err(format!("expected chunks packed by gzip, found filter {id}")),
            };
        }
        if bytes.len() == size {
            Ok(bytes)
        } else {
            Err(format!("expected {size} bytes in a chunk, found {}", bytes.len()))
        }
    }

    /// Copies the part of a chunk that lies within the array; how many bytes that is.
    fn put(&self, all: &mut [u8], chunk: &[u8], begin: &[usize], sizes: &[usize], element: usize) -> usize {
        let rank = self.shape.len();
        let inside: Vec<usize> = (0..rank).map(|i| sizes[i].min(self.shape[i].saturating_sub(begin[i]))).collect();
        if inside.contains(&0) {
            return 0;
        }
        let run = inside[rank - 1] * element;
        let mut at = vec![0; rank - 1];
        let mut copied = 0;
        for _ in 0..inside[..rank - 1].iter().product::<usize>() {
            let (mut from, mut to) = (0, 0);
            for i in 0..rank {
                let index = at.get(i).copied().unwrap_or(0);
                from = from * sizes[i] + index;
                to = to * self.shape[i] + begin[i] + index;
            }
            all[to * element..][..run].copy_from_slice(&chunk[from * element..][..run]);
            copied += run;
            for i in (0..rank - 1).rev() {
                at[i] += 1;
                if at[i] < inside[i] {
                    break;
                }
                at[i] = 0;
            }
        }
        copied
    }
}
