//! IDX files, in which MNIST and its relatives come: images and labels of one byte each, plain or gzipped, as
//! [`Images`], as bytes, or as two datasets. A header is not trusted: memory grows with the bytes that
//! arrive, not with the count it claims.

use super::{DataError, DataErrorKind, Dataset, Labels};
use crate::file_kind::{FileKind, START};
use crate::os::quoted_path as shown;
use flate2::bufread::MultiGzDecoder;
use std::boxed::Box;
use std::format;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::string::{String, ToString};
use std::vec::Vec;

/// Greyscale images of one size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// How many.
    pub count: usize,
    /// Pixels from top to bottom, at least 1.
    pub rows: usize,
    /// Pixels from left to right, at least 1.
    pub columns: usize,
    /// 0 is paper, 255 ink; `[count, rows, columns]`.
    pub pixels: Vec<u8>,
}

/// Reads an IDX file of images (three axes of bytes), gzipped or not, whatever its name.
///
/// # Errors
/// A file that cannot be read, is no IDX file of images, or holds fewer or more bytes than its header says;
/// names the file and the field.
pub fn read_images(path: impl AsRef<Path>) -> Result<Images, DataError> {
    let path = path.as_ref();
    let read = |mut file: Idx| {
        let [count, rows, columns] = file.header("images")?;
        for (field, size) in [("rows", rows), ("columns", columns)] {
            if size == 0 {
                return Err(file.fault(field, "at least 1", "0"));
            }
        }
        let meaning = format!("{count} images of {rows} × {columns}");
        let pixels = file.body("pixels", &[count, rows, columns], &meaning)?;
        // Every size is at most the number of bytes that came, so it fits.
        let [count, rows, columns] = [count, rows, columns].map(|size| size as usize);
        Ok(Images { count, rows, columns, pixels })
    };
    Idx::open(path).and_then(read).map_err(|fault| fault.in_file(&shown(path)))
}

/// Reads an IDX file of labels (one axis of bytes), gzipped or not, whatever its name.
///
/// # Errors
/// A file that cannot be read, is no IDX file of labels, or holds fewer or more bytes than its header says;
/// names the file and the field.
pub fn read_labels(path: impl AsRef<Path>) -> Result<Vec<u8>, DataError> {
    let path = path.as_ref();
    let read = |mut file: Idx| {
        let [count] = file.header("labels")?;
        file.body("labels", &[count], &format!("{count} labels"))
    };
    Idx::open(path).and_then(read).map_err(|fault| fault.in_file(&shown(path)))
}

/// `(train, test)`: MNIST, or a relative of the same ten classes, from the files of `dir` under their usual
/// names, `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
/// `t10k-labels-idx1-ubyte`, each with `.gz` or without. Pixels are scaled to `[0, 1]`. Where only the `t10k`
/// pair is there, its samples with `index % 5 == 4` are the test part and the others the training part.
///
/// # Errors
/// Files that are missing, that [`read_images`] or [`read_labels`] refuses, or that do not belong together.
pub fn mnist(dir: impl AsRef<Path>) -> Result<(Dataset<Labels>, Dataset<Labels>), DataError> {
    let dir = dir.as_ref();
    let (test, test_size) = pair(dir, "t10k")?;
    if find(dir, &images_of("train")).is_none() && find(dir, &labels_of("train")).is_none() {
        return test.split_every(5);
    }
    let (train, size) = pair(dir, "train")?;
    if size != test_size {
        let [expected, found] = [size, test_size].map(|[rows, columns]| format!("{rows} × {columns}"));
        let place = format!("{}, t10k images", shown(dir));
        let expected = format!("images of {expected}, as for training");
        return Err(DataError::new(DataErrorKind::Size, place, expected, found));
    }
    Ok((train, test))
}

fn images_of(part: &str) -> String {
    format!("{part}-images-idx3-ubyte")
}

fn labels_of(part: &str) -> String {
    format!("{part}-labels-idx1-ubyte")
}

/// The file called `name` or `name.gz`.
fn find(dir: &Path, name: &str) -> Option<PathBuf> {
    let candidates = [dir.join(name), dir.join(format!("{name}.gz"))];
    candidates.into_iter().find(|path| path.is_file())
}

/// The samples of a part, and rows and columns of its images.
fn pair(dir: &Path, part: &str) -> Result<(Dataset<Labels>, [usize; 2]), DataError> {
    let names = [images_of(part), labels_of(part)];
    let [Some(images), Some(labels)] = [find(dir, &names[0]), find(dir, &names[1])] else {
        let missing: Vec<&String> = names.iter().filter(|name| find(dir, name).is_none()).collect();
        let expected = missing.iter().map(|name| format!("`{name}` or `{name}.gz`")).collect::<Vec<_>>().join(" and ");
        let found = if dir.is_dir() { "no such file" } else { "no such directory" };
        let help = "give the directory that holds the four files of MNIST, or its `t10k` pair alone";
        return Err(DataError::new(DataErrorKind::Format, shown(dir), expected, found).help(help));
    };
    let Images { count, rows, columns, pixels } = read_images(&images)?;
    let classes = read_labels(&labels)?;
    if classes.len() != count {
        let expected = format!("{count} labels, one for each image of {}", shown(&images));
        return Err(DataError::new(DataErrorKind::Format, shown(&labels), expected, classes.len().to_string()));
    }
    let classes = Labels::new(classes)?;
    classes.check(10).map_err(|fault| fault.in_file(&shown(&labels)))?;
    let mut scaled: Vec<f32> = Vec::new();
    scaled.try_reserve_exact(pixels.len()).map_err(|_| {
        let found = format!("{} pixels, and no memory for them as numbers of 32 bits", pixels.len());
        DataError::new(DataErrorKind::Memory, shown(&images), "images that fit into memory", found)
    })?;
    scaled.extend(pixels.into_iter().map(|pixel| f32::from(pixel) / 255.0));
    Ok((Dataset::new((scaled, rows * columns), classes)?, [rows, columns]))
}

/// An open IDX file, unpacked on the way.
struct Idx {
    bytes: Box<dyn Read>,
    /// Bytes of the file, where it is plain: what is not there is told before memory is taken for it.
    len: Option<u64>,
}

impl Idx {
    fn open(path: &Path) -> Result<Self, DataError> {
        let file = File::open(path).map_err(|error| Self::unreadable("open", error))?;
        let len = file.metadata().ok().filter(|found| found.is_file()).map(|found| found.len());
        let mut file = BufReader::new(file);
        let start = file.fill_buf().map_err(|error| Self::unreadable("start", error))?;
        match FileKind::of(&start[..start.len().min(START)]) {
            None => Ok(Self { bytes: Box::new(file), len }),
            Some(FileKind::Gzip) => Ok(Self { bytes: Box::new(BufReader::new(MultiGzDecoder::new(file))), len: None }),
            Some(kind) => {
                let fault = DataError::new(DataErrorKind::Format, "`start`", "an IDX file", kind.name());
                Err(fault.help(match kind {
                    FileKind::Zip | FileKind::Zstd | FileKind::LfsPointer | FileKind::Html => kind.help(),
                    _ => "an IDX file starts with two zero bytes: give another",
                }))
            }
        }
    }

    /// The sizes of the axes, after the magic number: two zero bytes, the type of the items (8 is unsigned
    /// bytes), the number of axes.
    fn header<const AXES: usize>(&mut self, what: &str) -> Result<[u32; AXES], DataError> {
        let magic = self.number("magic")?;
        let wanted = 0x0800 | AXES as u32;
        if magic != wanted {
            let fault = self.fault("magic", &format!("{wanted:#010x} ({what})"), &format!("{magic:#010x}"));
            return Err(match magic {
                0x0803 => fault.help("this file holds images: read it with `read_images`"),
                0x0801 => fault.help("this file holds labels: read it with `read_labels`"),
                _ if magic & 0xffff_00ff == wanted & 0xff => {
                    fault.help("the third byte is the type of the items: only 08, unsigned bytes, is read")
                }
                _ if magic >> 16 != 0 => fault.help("this is no IDX file: one starts with two zero bytes"),
                _ => fault,
            });
        }
        let fields = ["count", "rows", "columns"];
        let mut sizes = [0; AXES];
        for (size, field) in sizes.iter_mut().zip(fields) {
            *size = self.number(field)?;
        }
        Ok(sizes)
    }

    /// One number of the header, four bytes, the highest first.
    fn number(&mut self, field: &str) -> Result<u32, DataError> {
        let mut number = Vec::with_capacity(4);
        self.read(field, 4, &mut number)?;
        match <[u8; 4]>::try_from(&number[..]) {
            Ok(bytes) => Ok(u32::from_be_bytes(bytes)),
            Err(_) => Err(self.fault(field, "4 bytes", &format!("{} before the file ends", number.len()))),
        }
    }

    /// The items, to the end of the file.
    fn body(&mut self, field: &str, sizes: &[u32], meaning: &str) -> Result<Vec<u8>, DataError> {
        // Three factors of 32 bits fit 128.
        let wanted: u128 = sizes.iter().map(|&size| u128::from(size)).product();
        let expected = format!("{wanted} bytes ({meaning})");
        let mut body = Vec::new();
        let header = 4 + 4 * sizes.len() as u64;
        if let Some(there) = self.len.map(|len| len - header).filter(|&there| u128::from(there) < wanted) {
            return Err(self.cut_short(field, &expected, there));
        }
        // One more than wanted, so that what trails is seen.
        let limit = u64::try_from(wanted).map_or(u64::MAX, |wanted| wanted.saturating_add(1));
        self.read(field, limit, &mut body)?;
        match (body.len() as u128).cmp(&wanted) {
            core::cmp::Ordering::Equal => Ok(body),
            core::cmp::Ordering::Less => Err(self.cut_short(field, &expected, body.len() as u64)),
            core::cmp::Ordering::Greater => Err(self.fault(field, &expected, "more bytes after them")),
        }
    }

    fn cut_short(&self, field: &str, expected: &str, there: u64) -> DataError {
        let fault = self.fault(field, expected, &format!("{there} before the file ends"));
        fault.help("the file is cut short, or its header is wrong: fetch it again")
    }

    /// Up to `limit` bytes, less only at the end of the file; `into` grows as they come.
    fn read(&mut self, field: &str, limit: u64, into: &mut Vec<u8>) -> Result<(), DataError> {
        let read = self.bytes.by_ref().take(limit).read_to_end(into);
        read.map(drop).map_err(|error| Self::unreadable(field, error))
    }

    fn unreadable(field: &str, error: io::Error) -> DataError {
        DataError::unreadable(format!("`{field}`"), error)
    }

    fn fault(&self, field: &str, expected: &str, found: &str) -> DataError {
        DataError::new(DataErrorKind::Format, format!("`{field}`"), expected, found)
    }
}

#[cfg(test)]
mod tests;
