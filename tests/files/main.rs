//! Files as they come: thousands of damaged ones give errors and never a panic, in memory that follows from
//! their length; too little memory is an error; and CSV files are read as the field's own reader reads them.
// The allocator is the one place outside the kernels that cannot be written without `unsafe`.
#![allow(unsafe_code)]

mod bounds;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use nn_runtime::data::{Csv, DataErrorKind, idx};
use nn_runtime::prelude::*;

/// Counts what this thread holds, and the most it has held.
struct Counting;

thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    let _ = HELD.try_with(|held| {
        held.set(held.get() + bytes);
        let _ = MOST.try_with(|most| most.set(most.get().max(held.get())));
    });
}

// SAFETY: every call is handed on to the system's allocator unchanged; counting touches thread-local
// integers.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are the system allocator's.
        let at = unsafe { System.alloc(layout) };
        if !at.is_null() {
            count(layout.size() as isize);
        }
        at
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: `at` came from `System` above.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most bytes that `f` holds at a time beyond what is held now.
fn most_held<T>(f: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.with(Cell::get);
    MOST.with(|most| most.set(before));
    let answer = f();
    (answer, (MOST.with(Cell::get) - before) as usize)
}

/// A folder of its own, gone at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("nn-files-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir(&folder).unwrap();
        Folder(folder)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A small generator: the same damage on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((u128::from(self.0) * bound.max(1) as u128) >> 64) as usize
    }

    /// `bytes`, damaged in one to four places.
    fn damage(&mut self, bytes: &[u8]) -> Vec<u8> {
        const EXTREMES: [&[u8]; 10] = [
            &[0; 8],
            &[0xff; 8],
            &[0xff, 0xff, 0xff, 0x7f],
            b"\"",
            b"\n",
            b"\r",
            b"}",
            b"9999999999999999999",
            b",",
            b"NaN",
        ];
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len() + 1);
            let len = self.below((bytes.len() - at).min(40) + 1);
            match self.below(7) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                1 if at < bytes.len() => bytes[at] = self.below(256) as u8,
                2 => bytes.truncate(at),
                3 => drop(bytes.drain(at..at + len)),
                4 => {
                    let copy = bytes[at..at + len].to_vec();
                    bytes.splice(at..at, copy);
                }
                5 => {
                    let extreme = EXTREMES[self.below(EXTREMES.len())];
                    let end = (at + extreme.len()).min(bytes.len());
                    bytes[at..end].copy_from_slice(&extreme[..end - at]);
                }
                _ => {
                    let extreme = EXTREMES[self.below(EXTREMES.len())];
                    bytes.splice(at..at, extreme.iter().copied());
                }
            }
        }
        bytes
    }
}

/// What a message must be, whatever the file: short, and nothing in it that a terminal would obey.
fn check_message(error: &dyn std::error::Error) {
    let text = error.to_string();
    assert!(text.len() < 6000, "{text}");
    assert!(text.contains("expected ") && text.contains("found "), "{text}");
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
}

network! { struct Net: [5] -> [3] { hidden: Dense(7) -> norm: BatchNorm -> Relu -> steps: Dense(3) } }

/// An array of NumPy.
fn npy() -> Vec<u8> {
    let mut header = b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }".to_vec();
    header.resize(127, b' ');
    header.push(b'\n');
    header.extend((0..6).flat_map(|i| (i as f32).to_le_bytes()));
    header
}

fn images() -> Vec<u8> {
    let mut bytes: Vec<u8> = [0x0803u32, 3, 2, 4].into_iter().flat_map(u32::to_be_bytes).collect();
    bytes.extend((0..24).map(|i| i * 10));
    bytes
}

const TABLE: &str =
    "\u{feff}name,age,\"height, m\",sick\nann,34,1.71,0\r\n\n\"b\"\"ob\",28,1.80,1\neve,\"51\",1.66,1\n";

#[test]
fn damaged_weights_are_refused() {
    let folder = Folder::new("weights");
    let path = folder.0.join("file");
    Net::init(1).save(&path).unwrap();
    let whole = fs::read(&path).unwrap();
    let mut dice = Dice(1);
    let (mut refused, mut taken) = (0, 0);
    for i in 0..1000 {
        let bytes = if i % 5 == 0 { dice.damage(&npy()) } else { dice.damage(&whole) };
        fs::write(&path, &bytes).unwrap();
        let (loaded, most) = most_held(|| Model::<Net>::load(&path));
        assert!(most < 100_000, "{most} bytes for a file of {}", bytes.len());
        // Of bytes that are there the same is said, but for the path.
        let (of_bytes, most) = most_held(|| Model::<Net>::from_bytes(&bytes));
        assert!(most < 20_000, "{most} bytes for a file of {}", bytes.len());
        match (&loaded, of_bytes) {
            (Err(a), Err(b)) => assert!(a.to_string().ends_with(&b.to_string()), "{a}\n{b}"),
            (a, b) => assert!(a.is_ok() && b.is_ok()),
        }
        match loaded {
            Err(error) => {
                refused += 1;
                check_message(&error);
            }
            Ok(model) => {
                taken += 1;
                let finite = |t: nn_runtime::Tensor| model.get(&t.name).unwrap().iter().all(|v| v.is_finite());
                assert!(model.tensors().into_iter().all(finite));
            }
        }
    }
    // Damage to the numbers alone, and none at all, is not seen.
    assert!(refused > 800 && taken > 0, "{refused} refused, {taken} taken");
}

/// The records as the field's own reader has them, blank lines left out.
fn records(bytes: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .terminator(csv::Terminator::Any(b'\n'))
        .from_reader(bytes);
    let fields = |record: csv::ByteRecord| record.iter().map(|field| field.trim_ascii().to_vec()).collect::<Vec<_>>();
    let records = reader.into_byte_records().map(|record| fields(record.unwrap()));
    records.filter(|fields| fields.len() > 1 || !fields.concat().is_empty()).collect()
}

#[test]
fn damaged_tables_are_refused_or_read_as_elsewhere() {
    let mut dice = Dice(2);
    let (mut refused, mut taken) = (0, 0);
    for i in 0..2000 {
        let bytes = if i % 10 == 0 { dice.damage(&npy()) } else { dice.damage(TABLE.as_bytes()) };
        let (read, most) = most_held(|| Csv::new(&bytes[..]).features([1, 2]).classes(3));
        assert!(most < 200_000, "{most} bytes for a file of {}", bytes.len());
        match read {
            Err(error) => {
                refused += 1;
                check_message(&error);
            }
            Ok(data) => {
                taken += 1;
                let records = records(&bytes);
                assert_eq!(data.len(), records.len() - 1);
                for (i, record) in records[1..].iter().enumerate() {
                    let number = |k: usize| str::from_utf8(&record[k]).unwrap().parse::<f32>().unwrap();
                    assert_eq!(data.input(0, i), [number(1), number(2)]);
                    assert_eq!(data.targets().sample(i)[0] as f32, number(3));
                }
            }
        }
    }
    assert!(refused > 500 && taken > 100, "{refused} refused, {taken} taken");
}

#[test]
fn damaged_images_are_refused() {
    let folder = Folder::new("images");
    let mut dice = Dice(3);
    let mut refused = 0;
    let packed = |bytes: &[u8]| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    };
    for i in 0..1000 {
        let bytes = match i % 5 {
            0 => dice.damage(&npy()),
            1 => dice.damage(&packed(&images())),
            2 => packed(&dice.damage(&images())),
            _ => dice.damage(&images()),
        };
        let path = folder.write("file", &bytes);
        let (read, most) = most_held(|| (idx::read_images(&path), idx::read_labels(&path)));
        assert!(most < 200_000, "{most} bytes for a file of {}", bytes.len());
        assert!(read.1.is_err());
        check_message(&read.1.unwrap_err());
        if let Err(error) = read.0 {
            refused += 1;
            check_message(&error);
        }
    }
    assert!(refused > 500, "{refused}");
}

/// A file of three gigabytes costs what the network needs of it, and its header.
#[test]
fn large_files_cost_what_is_needed() {
    let folder = Folder::new("large");
    let path = folder.0.join("file");
    let len = 3u64 << 30;
    let header = format!(r#"{{"large":{{"dtype":"U8","shape":[{len}],"data_offsets":[0,{len}]}}}}"#);
    let mut file = fs::File::create(&path).unwrap();
    file.write_all(&(header.len() as u64).to_le_bytes()).unwrap();
    file.write_all(header.as_bytes()).unwrap();
    file.set_len(8 + header.len() as u64 + len).unwrap();
    let (loaded, most) = most_held(|| Model::<Net>::load(&path));
    let text = loaded.unwrap_err().to_string();
    assert!(text.contains("`large`: expected no such tensor") && most < 100_000, "{most} bytes; {text}");
    // A header that claims to be large is not read either.
    file.set_len(0).unwrap();
    let mut file = fs::File::create(&path).unwrap();
    file.write_all(&99_999_999u64.to_le_bytes()).unwrap();
    file.write_all(b"{").unwrap();
    let (loaded, most) = most_held(|| Model::<Net>::load(&path));
    assert!(loaded.unwrap_err().to_string().contains("expected a header of 99999999 bytes") && most < 100_000);
}

/// A header of nothing but tensors, in any order, costs no more than twice its length.
#[test]
fn large_headers_cost_twice_their_length() {
    let folder = Folder::new("header");
    for step in [1usize, 7919] {
        let count = 20_000;
        let entry = |i: usize| {
            let i = i * step % count;
            format!(r#""{i}":{{"dtype":"","shape":[],"data_offsets":[{},{}]}}"#, 4 * i, 4 * i + 4)
        };
        let entries: Vec<String> = (0..count).map(entry).collect();
        let header = format!("{{{}}}", entries.join(","));
        let mut bytes = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes()].concat();
        bytes.resize(bytes.len() + 4 * count, 0);
        let path = folder.write("file", &bytes);
        let (loaded, most) = most_held(|| Model::<Net>::load(&path));
        let text = loaded.unwrap_err().to_string();
        assert!(text.contains("`0`: expected no such tensor in `Net`, found []\n`1`: "), "{text}");
        assert!(most < 2 * bytes.len(), "{most} bytes for a file of {}", bytes.len());
        let (loaded, most) = most_held(|| Model::<Net>::from_bytes(&bytes));
        assert!(loaded.is_err() && most < 2 * bytes.len(), "{most} bytes for a file of {}", bytes.len());
    }
}

const LIMITED: &str = "NN_TESTS_LIMITED";

/// Runs the tests named `limited_…` again, each in a process that may have little memory.
#[test]
#[cfg(target_os = "linux")]
fn too_little_memory_is_an_error() {
    let folder = Folder::new("memory");
    for (name, header, len) in [
        ("train-images-idx3-ubyte", vec![0x0803u32, 60_000, 28, 28], 60_000 * 784),
        ("train-labels-idx1-ubyte", vec![0x0801, 60_000], 60_000),
        ("t10k-images-idx3-ubyte", vec![0x0803, 10, 28, 28], 7840),
        ("t10k-labels-idx1-ubyte", vec![0x0801, 10], 10),
    ] {
        let header: Vec<u8> = header.into_iter().flat_map(u32::to_be_bytes).collect();
        let path = folder.write(name, &header);
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_len((header.len() + len) as u64).unwrap();
    }
    for name in ["limited_images", "limited_lines", "limited_tables"] {
        let out = Command::new("sh")
            .args(["-c", "ulimit -v 150000 && exec \"$0\" --exact \"$1\" --nocapture --test-threads=1"])
            .arg(std::env::current_exe().unwrap())
            .arg(name)
            .env(LIMITED, &folder.0)
            .output()
            .unwrap();
        let (said, text) = (String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
        assert!(out.status.success() && said.contains("1 passed"), "{name}: {said}\n{text}");
    }
}

#[test]
fn limited_images() {
    let Some(folder) = std::env::var_os(LIMITED) else { return };
    let error = idx::mnist(Path::new(&folder)).unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::Memory, "{error}");
}

/// The same bytes for ever.
struct Endless(&'static [u8]);

impl Read for Endless {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let len = to.len() / self.0.len() * self.0.len();
        to[..len].chunks_exact_mut(self.0.len()).for_each(|to| to.copy_from_slice(self.0));
        Ok(len)
    }
}

#[test]
fn limited_lines() {
    if std::env::var_os(LIMITED).is_none() {
        return;
    }
    // A field that never ends, and one whose quote is never closed.
    for start in ["a,b\n", "a,b\n\""] {
        let error = Csv::new(start.as_bytes().chain(Endless(b"x\n"))).values(["b"]).unwrap_err();
        assert!(start.ends_with('"') == (error.kind() == DataErrorKind::Memory), "{error}");
        let error = Csv::new(start.as_bytes().chain(Endless(b"x"))).values(["b"]).unwrap_err();
        assert_eq!(error.kind(), DataErrorKind::Memory, "{error}");
    }
    let error = Csv::new(Endless(b"x,")).values(["b"]).unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::Memory, "{error}");
}

#[test]
fn limited_tables() {
    if std::env::var_os(LIMITED).is_none() {
        return;
    }
    let error = Csv::new(Endless(b"1,2\n")).headers(false).values([1]).unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::Memory, "{error}");
    let error = Csv::new(Endless(b"1,2\n")).headers(false).classes(1).unwrap_err();
    assert_eq!(error.kind(), DataErrorKind::Memory, "{error}");
}
