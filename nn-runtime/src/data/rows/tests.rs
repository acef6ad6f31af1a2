use super::*;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::vec::Vec;
use std::{env, fs, process, vec};

/// A file of these bytes, gone with it.
struct Temporary(PathBuf);

impl Temporary {
    fn new(bytes: &[u8]) -> Temporary {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("nn-rows-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = env::temp_dir().join(name);
        fs::write(&path, bytes).unwrap();
        Temporary(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn rows(all: &Rows) -> Vec<Vec<f32>> {
    let read = |i| {
        let mut row = vec![0.0; all.width()];
        all.read(i, &mut row).unwrap();
        row
    };
    (0..all.len()).map(read).collect()
}

/// An npy file as NumPy 2.4 writes it: the header is filled up with spaces to a multiple of 64 bytes.
fn npy(descr: &str, shape: &str, numbers: &[u8]) -> Vec<u8> {
    let mut header = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}");
    while (10 + header.len() + 1) % 64 > 0 {
        header.push(' ');
    }
    header.push('\n');
    [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), numbers].concat()
}

#[test]
fn numbers_of_every_kind_are_read() {
    let whole = [[1.0, 0.0], [1.0, 1.0]];
    let le = |bytes: usize| [1u8, 0, 1, 1].iter().flat_map(|&n| [vec![n], vec![0; bytes - 1]].concat()).collect();
    let kinds: [(&str, Vec<u8>); 12] = [
        ("'|b1'", le(1)),
        ("'|u1'", le(1)),
        ("'|i1'", le(1)),
        ("'<u2'", le(2)),
        ("'<i2'", le(2)),
        ("'<u4'", le(4)),
        ("'<i4'", le(4)),
        ("'<u8'", le(8)),
        ("'<i8'", le(8)),
        ("'<f4'", [1.0f32, 0.0, 1.0, 1.0].iter().flat_map(|x| x.to_le_bytes()).collect()),
        ("'<f8'", [1.0f64, 0.0, 1.0, 1.0].iter().flat_map(|x| x.to_le_bytes()).collect()),
        ("'>f4'", [1.0f32, 0.0, 1.0, 1.0].iter().flat_map(|x| x.to_be_bytes()).collect()),
    ];
    for (kind, numbers) in kinds {
        let file = Temporary::new(&npy(kind, "(2, 2)", &numbers));
        assert_eq!(rows(&Rows::npy(&file.0).unwrap()), whole, "{kind}");
    }
    let signed = Temporary::new(&npy("'<i2'", "(2,)", &[0xff, 0xff, 0, 0x80]));
    assert_eq!(rows(&Rows::npy(&signed.0).unwrap().scale(2.0)), [[-2.0], [-65536.0]]);
    let idx = Temporary::new(&[&[0, 0, 0x0b, 2, 0, 0, 0, 1, 0, 0, 0, 2][..], &[0, 5, 0xff, 0xfe]].concat());
    assert_eq!(rows(&Rows::idx(&idx.0).unwrap()), [[5.0, -2.0]]);
}

#[test]
fn rows_longer_than_what_is_read_at_once_are_whole() {
    let numbers: Vec<f64> = (0..3 * 1500).map(f64::from).collect();
    let bytes: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
    let file = Temporary::new(&[&[9; 5][..], &bytes].concat());
    let found = rows(&Rows::raw(&file.0, 1500, Dtype::F64, 5).unwrap()).concat();
    assert!(found.into_iter().map(f64::from).eq(numbers));
}

#[test]
fn what_does_not_fit_is_named() {
    let said = |result: Result<Rows, DataError>| {
        let text = result.unwrap_err().to_string();
        text.split_once("`, ").map(|(_, text)| text.to_string()).unwrap_or(text)
    };
    let npy_of = |bytes: Vec<u8>| said(Rows::npy(&Temporary::new(&bytes).0));
    assert_eq!(
        npy_of(npy("'<f4'", "(2, 2)", &[0; 15])),
        "numbers: expected 16 bytes, of the shape [2, 2], found 15\n\
         help: the file is cut short, or its header is wrong: make it again"
    );
    assert!(
        npy_of(npy("'<c8'", "(2,)", &[0; 16])).ends_with("found `<c8`\nhelp: save it as `array.astype(np.float32)`")
    );
    assert!(npy_of(npy("[('a', '<f4')]", "(2,)", &[0; 8])).contains("help: save one plain array"));
    assert_eq!(npy_of(npy("'<f4'", "()", &[0; 4])), "shape: expected an axis that counts the rows, found none");
    assert_eq!(npy_of(npy("'<f4'", "(3, 0)", &[])), "shape: expected rows of at least 1 number, found [3, 0]");
    assert!(npy_of(npy("'<f4'", "(18446744073709551615, 9)", &[])).contains("expected more than there can be bytes"));
    let mut fortran = npy("'<u1'", "(1, 2)", b"ab");
    let at = fortran.windows(5).position(|bytes| bytes == b"False").unwrap();
    fortran[at..at + 5].copy_from_slice(b"True ");
    assert!(npy_of(fortran).ends_with("help: save it as `np.ascontiguousarray(array)`"));
    let idx_of = |bytes: &[u8]| said(Rows::idx(&Temporary::new(bytes).0));
    assert!(idx_of(&[0x1f, 0x8b, 8, 0]).contains("gunzip"), "{}", idx_of(&[0x1f, 0x8b, 8, 0]));
    assert_eq!(idx_of(&[0, 0, 8, 2, 0]), "axes: expected 8 bytes, found 1 before the file ends");
    let raw = |width, skip| said(Rows::raw(&Temporary::new(&[0; 10]).0, width, Dtype::I32, skip));
    assert_eq!(raw(2, 1), "length: expected rows of 8 bytes, found 10 bytes, the first 1 of which are skipped");
    assert!(raw(0, 0).starts_with("width: expected at least 1 number"));
    assert!(raw(1, 11).starts_with("length: "));
    let big = Temporary::new(&npy("'<i4'", "(1,)", &16_777_217i32.to_le_bytes()));
    let fault = Rows::npy(&big.0).unwrap().read(0, &mut [0.0]).unwrap_err().to_string();
    assert!(fault.ends_with(", row 0, number 0: expected a number that 32 bits hold, found 16777217"), "{fault}");
    let fault = Rows::npy(&Temporary::new(&npy("'<i4'", "(1,)", &[0xff; 4])).0).unwrap();
    let fault = fault.read_classes(0, &mut [0]).unwrap_err().to_string();
    assert!(fault.ends_with("expected a class, a whole number from 0, found -1"), "{fault}");
}

#[test]
fn changed_headers_are_faults_or_other_numbers_and_never_a_panic() {
    let whole = npy("'<f4'", "(3, 2)", &[1; 24]);
    let mut random = crate::random::Random::keyed(5, &[]);
    let mut refused = 0;
    for _ in 0..500 {
        let mut bytes = whole.clone();
        for _ in 0..=random.below(3) {
            let at = random.below(bytes.len().min(80));
            bytes[at] = random.below(256) as u8;
        }
        bytes.truncate(bytes.len() - random.below(2) * random.below(bytes.len()));
        match Rows::npy(&Temporary::new(&bytes).0) {
            Ok(all) => drop(all),
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 250, "{refused}");
}
