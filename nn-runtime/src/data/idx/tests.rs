//! IDX files, well formed and broken in every field.

use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use std::{env, fs, process, vec};

/// A directory of its own, gone at the end.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        let dir = env::temp_dir().join(format!("idx-{}-{name}", process::id()));
        let _ = fs::remove_dir_all(&dir);
        fs::create_dir(&dir).unwrap();
        Self(dir)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn idx(magic: u32, sizes: &[u32], body: &[u8]) -> Vec<u8> {
    let header = [&[magic], sizes].concat();
    let header = header.into_iter().flat_map(u32::to_be_bytes);
    header.chain(body.iter().copied()).collect()
}

fn images(n: u32) -> Vec<u8> {
    let body: Vec<u8> = (0..n * 6).map(|i| (i * 7 % 256) as u8).collect();
    idx(0x0803, &[n, 2, 3], &body)
}

fn labels(n: u32) -> Vec<u8> {
    let body: Vec<u8> = (0..n).map(|i| (i % 10) as u8).collect();
    idx(0x0801, &[n], &body)
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

/// What is said about images of these bytes, plain and packed, less the file's name.
fn faults(dir: &Dir, bytes: &[u8]) -> String {
    let said = [bytes.to_vec(), gz(bytes)].map(|bytes| {
        let path = dir.write("file", &bytes);
        let fault = read_images(&path).expect_err("a fault").to_string();
        let file = format!("`{}`, ", path.display());
        fault.strip_prefix(&file).expect("the file's name").to_string()
    });
    assert_eq!(said[0], said[1]);
    said[0].clone()
}

#[test]
fn plain_and_packed_hold_the_same_whatever_the_name() {
    let dir = Dir::new("same");
    let expected = Images { count: 5, rows: 2, columns: 3, pixels: images(5)[16..].to_vec() };
    for (name, bytes) in [
        ("a", images(5)),
        ("a.gz", images(5)),
        ("b.gz", gz(&images(5))),
        ("b", gz(&images(5))),
        ("members", [gz(&images(5)[..20]), gz(&images(5)[20..])].concat()),
    ] {
        assert_eq!(read_images(dir.write(name, &bytes)).unwrap(), expected);
    }
    let digits = read_labels(dir.write("l", &gz(&labels(12)))).unwrap();
    assert_eq!(digits, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]);
    assert!(read_labels(dir.write("l", &labels(0))).unwrap().is_empty());
}

#[test]
fn every_way_to_cut_a_file_short_is_noticed() {
    let dir = Dir::new("short");
    let whole = images(2);
    for length in 0..whole.len() {
        let said = faults(&dir, &whole[..length]);
        let expected = match length / 4 {
            0 => format!("`magic`: expected 4 bytes, found {} before the file ends", length % 4),
            1 => format!("`count`: expected 4 bytes, found {} before the file ends", length % 4),
            2 => format!("`rows`: expected 4 bytes, found {} before the file ends", length % 4),
            3 => format!("`columns`: expected 4 bytes, found {} before the file ends", length % 4),
            _ => format!(
                "`pixels`: expected 12 bytes (2 images of 2 × 3), found {} before the file ends\n\
                 help: the file is cut short, or its header is wrong: fetch it again",
                length - 16
            ),
        };
        assert_eq!(said, expected);
    }
}

#[test]
fn a_packed_file_cut_short_or_damaged_is_noticed() {
    let dir = Dir::new("packed");
    let whole = gz(&images(40));
    for length in 2..whole.len() {
        let fault = read_images(dir.write("cut.gz", &whole[..length])).unwrap_err();
        assert!(fault.to_string().contains("cut.gz`, `"), "{fault}");
    }
    let check = whole.len() - 8;
    for at in check..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        let fault = read_images(dir.write("bad.gz", &bytes)).unwrap_err();
        assert!(fault.to_string().contains("`pixels`: expected readable data, found "), "{fault}");
    }
    let trailing = [&whole[..], b"more"].concat();
    assert!(read_images(dir.write("more.gz", &trailing)).is_err());
}

#[test]
fn what_trails_is_noticed() {
    let dir = Dir::new("trails");
    let long = [images(2), vec![0]].concat();
    assert_eq!(faults(&dir, &long), "`pixels`: expected 12 bytes (2 images of 2 × 3), found more bytes after them");
    let long = dir.write("labels", &[labels(3), vec![9; 100_000]].concat());
    let fault = read_labels(long).unwrap_err().to_string();
    assert!(fault.ends_with("`labels`: expected 3 bytes (3 labels), found more bytes after them"));
}

#[test]
fn a_header_that_claims_too_much_costs_nothing() {
    let dir = Dir::new("claims");
    let most = u32::MAX;
    for (sizes, bytes) in [
        ([most, 1, 1], "4294967295 bytes (4294967295 images of 1 × 1)"),
        ([4_000_000_000, 28, 28], "3136000000000 bytes (4000000000 images of 28 × 28)"),
        ([most; 3], "79228162458924105385300197375 bytes (4294967295 images of 4294967295 × 4294967295)"),
    ] {
        let said = faults(&dir, &idx(0x0803, &sizes, &[1, 2, 3]));
        let expected = format!("`pixels`: expected {bytes}, found 3 before the file ends\nhelp: ");
        assert!(said.starts_with(&expected), "{said}");
    }
    let path = dir.write("labels", &idx(0x0801, &[most], &[]));
    assert!(read_labels(path).is_err());
}

#[test]
fn memory_grows_with_what_arrives() {
    let path = Dir::new("memory");
    let path = path.write("file", &idx(0x0803, &[u32::MAX; 3], &[7; 1000]));
    let mut file = Idx::open(&path).unwrap();
    let mut body = Vec::new();
    file.read("pixels", u64::MAX, &mut body).unwrap();
    assert_eq!(body.len(), 1016);
    assert!(body.capacity() < 10_000, "{}", body.capacity());
}

#[test]
fn a_wrong_magic_number_says_what_to_do() {
    let dir = Dir::new("magic");
    assert_eq!(
        faults(&dir, &labels(3)),
        "`magic`: expected 0x00000803 (images), found 0x00000801\n\
         help: this file holds labels: read it with `read_labels`"
    );
    let path = dir.write("images", &images(3));
    let fault = read_labels(path).unwrap_err().to_string();
    assert!(fault.ends_with(
        "`magic`: expected 0x00000801 (labels), found 0x00000803\n\
         help: this file holds images: read it with `read_images`"
    ));
    assert_eq!(
        faults(&dir, &idx(0x0d03, &[1, 1, 1], &[0; 4])),
        "`magic`: expected 0x00000803 (images), found 0x00000d03\n\
         help: the third byte is the type of the items: only 08, unsigned bytes, is read"
    );
    assert_eq!(
        faults(&dir, b"\x89PNG\r\n\x1a\n"),
        "`magic`: expected 0x00000803 (images), found 0x89504e47\n\
         help: this is no IDX file: one starts with two zero bytes"
    );
    assert_eq!(
        faults(&dir, &idx(0x0804, &[1, 1, 1, 1], &[0])),
        "`magic`: expected 0x00000803 (images), found 0x00000804"
    );
}

#[test]
fn a_file_of_another_kind_is_named() {
    let dir = Dir::new("kinds");
    for (bytes, found) in [
        (&b"PK\x03\x04\x14\0"[..], "found a zip archive, which is what `torch.save` and `.xlsx` files are\nhelp: "),
        (b"version https://git-lfs.github.com/spec/v1\n", "found a pointer of Git LFS"),
        (b"<!doctype html>", "found a web page"),
        (b"\x93NUMPY\x01\0v\0", "found an array of NumPy, `.npy`\nhelp: an IDX file starts with two zero bytes"),
    ] {
        let fault = read_images(dir.write("file", bytes)).unwrap_err();
        assert_eq!(fault.kind(), DataErrorKind::Format);
        assert!(
            fault.to_string().contains("`start`: expected an IDX file, ") && fault.to_string().contains(found),
            "{fault}"
        );
    }
}

#[test]
fn images_without_pixels_are_refused() {
    let dir = Dir::new("zero");
    let said = |sizes| faults(&dir, &idx(0x0803, sizes, &[]));
    assert_eq!(said(&[3, 0, 28]), "`rows`: expected at least 1, found 0");
    assert_eq!(said(&[3, 28, 0]), "`columns`: expected at least 1, found 0");
}

#[test]
fn bytes_at_random_never_panic() {
    let dir = Dir::new("random");
    let mut random = crate::random::Random::keyed(0, &[]);
    for _ in 0..300 {
        let mut bytes = images(3);
        for _ in 0..1 + random.below(3) {
            let at = random.below(bytes.len());
            bytes[at] = random.below(256) as u8;
        }
        // Only the pixels are free to be anything.
        let intact = bytes[..16] == images(3)[..16];
        let read = read_images(dir.write("file", &bytes));
        assert_eq!(read.is_ok(), intact);
        let mut packed = gz(&images(3));
        let at = random.below(packed.len());
        packed[at] ^= 1 << random.below(8);
        if let Ok(images_read) = read_images(dir.write("file", &packed)) {
            assert_eq!(images_read.pixels, images(3)[16..], "damage went unnoticed");
        }
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let dir = Dir::new("absent");
    let fault = read_images(dir.0.join("nothing")).unwrap_err();
    assert!(fault.to_string().contains("nothing`, `open`: expected readable data, found "));
    assert!(std::error::Error::source(&fault).is_some());
    assert!(read_labels(&dir.0).is_err());
}

const NAMES: [&str; 4] =
    ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"];

#[test]
fn mnist_of_four_files() {
    let dir = Dir::new("four");
    dir.write(NAMES[0], &images(30));
    dir.write("train-labels-idx1-ubyte.gz", &gz(&labels(30)));
    dir.write("t10k-images-idx3-ubyte.gz", &gz(&images(7)));
    dir.write(NAMES[3], &labels(7));
    let (train, test) = mnist(&dir.0).unwrap();
    assert_eq!((train.len(), test.len()), (30, 7));
    assert_eq!(train.targets().as_slice()[..3], [0, 1, 2]);
    assert_eq!(test.input(0, 1)[0], 42.0 / 255.0);
    let all = train.inputs()[0].as_slice();
    assert!(all.iter().all(|v| (0.0..=1.0).contains(v)));
}

#[test]
fn mnist_of_the_t10k_pair_alone() {
    let dir = Dir::new("pair");
    dir.write(NAMES[2], &images(12));
    dir.write(NAMES[3], &labels(12));
    let (train, test) = mnist(&dir.0).unwrap();
    assert_eq!(test.targets().as_slice(), [4, 9]);
    assert_eq!(train.targets().as_slice(), [0, 1, 2, 3, 5, 6, 7, 8, 0, 1]);
}

#[test]
fn mnist_that_is_incomplete_or_does_not_fit_is_told() {
    let dir = Dir::new("incomplete");
    let said = || mnist(&dir.0).unwrap_err().to_string();
    let help = "\nhelp: give the directory that holds the four files of MNIST, or its `t10k` pair alone";
    let place = format!("`{}`: ", dir.0.display());
    let absent = |name| format!("`{name}` or `{name}.gz`");
    let both = format!("{} and {}", absent(NAMES[2]), absent(NAMES[3]));
    assert_eq!(said(), format!("{place}expected {both}, found no such file{help}"));
    dir.write(NAMES[3], &labels(4));
    let one = absent(NAMES[2]);
    assert_eq!(said(), format!("{place}expected {one}, found no such file{help}"));

    dir.write(NAMES[2], &images(5));
    assert!(said().contains("t10k-labels-idx1-ubyte`: expected 5 labels, one for each image of `"));
    assert!(said().ends_with("t10k-images-idx3-ubyte`, found 4"));

    dir.write(NAMES[3], &idx(0x0801, &[5], &[0, 1, 12, 3, 4]));
    assert!(said().ends_with("t10k-labels-idx1-ubyte`, sample 2, label: expected a class below 10, found 12"));

    // Half a training pair is a mistake, not a reason to train on the test images.
    dir.write(NAMES[3], &labels(5));
    dir.write(NAMES[1], &labels(3));
    let one = absent(NAMES[0]);
    assert_eq!(said(), format!("{place}expected {one}, found no such file{help}"));

    dir.write(NAMES[0], &idx(0x0803, &[3, 2, 2], &[0; 12]));
    assert!(said().ends_with("t10k images: expected images of 2 × 2, as for training, found 2 × 3"));
    // As many pixels, but of another shape.
    dir.write(NAMES[0], &idx(0x0803, &[3, 3, 2], &[0; 18]));
    assert!(said().ends_with("t10k images: expected images of 3 × 2, as for training, found 2 × 3"));
    dir.write(NAMES[0], &images(3));
    assert!(mnist(&dir.0).is_ok());

    let fault = mnist(dir.0.join("elsewhere")).unwrap_err().to_string();
    assert!(fault.contains(", found no such directory\nhelp: "));
}
