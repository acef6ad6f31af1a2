//! Files that are damaged, or made to do harm: an error or another network, never a panic, and no more memory
//! than the file takes twice.

use std::fs;
use std::path::Path;

/// How many of each file.
const MUTANTS: u64 = 500;

fn mutated(bytes: &[u8], seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut below = |count: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % count.max(1) as u64) as usize
    };
    let mut bytes = bytes.to_vec();
    for _ in 0..1 + below(4) {
        // Most of a file are weights: what steers the reader stands at its ends.
        let near = bytes.len().min(2000);
        let at = match below(3) {
            0 => below(bytes.len()),
            1 => below(near),
            _ => bytes.len() - 1 - below(near),
        };
        match below(5) {
            0 => bytes[at] ^= 1 << below(8),
            1 => bytes[at] = below(256) as u8,
            2 => bytes.truncate(at.max(1)),
            3 => drop(bytes.remove(at)),
            _ => bytes.splice(at..at, [0xff; 9]).for_each(drop),
        }
        if bytes.is_empty() {
            return bytes;
        }
    }
    bytes
}

#[test]
fn damaged_files_are_refused_or_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("imports/files");
    let nowhere = |_: &str, _: u64, _: usize| Err("expected numbers within the file".to_owned());
    let mut refused = 0;
    for name in
        ["torch_lenet", "torch_residual", "torch_text_script", "torch_steps", "torch_encoder", "sklearn_classifier"]
    {
        let bytes = fs::read(folder.join(format!("{name}.onnx"))).unwrap();
        for seed in 0..MUTANTS {
            let mutant = mutated(&bytes, seed);
            let imported = nn_cli::import(&mutant, "Mutant", &nowhere);
            let inspected = nn_cli::inspect::onnx(&mutant);
            if let Err(error) = &imported {
                refused += 1;
                assert!(error.to_string().contains(' '), "{name}, seed {seed}: {error}");
            }
            if let (Ok(imported), Err(error)) = (&imported, &inspected) {
                panic!("{name}, seed {seed}: read as {}, but not shown: {error}", imported.declaration);
            }
        }
    }
    assert!(refused > 300, "{refused} of the mutants were refused");
}

/// Counts that no file backs.
#[test]
fn what_is_promised_is_not_allocated() {
    let nowhere = |_: &str, _: u64, _: usize| Err("expected numbers within the file".to_owned());
    let field = |number: u8, bytes: &[u8]| [&[number << 3 | 2, bytes.len() as u8], bytes].concat();
    // A tensor of 2^62 numbers, of which none is there; a length beyond the end; names without end.
    let dims = b"\x08\x80\x80\x80\x80\x80\x80\x80\x80\x40";
    let tensor = [dims.as_slice(), b"\x10\x01", &field(8, b"w")].concat();
    let huge = field(7, &field(5, &tensor));
    let beyond = b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f".to_vec();
    let names = [b"\x0a\x00".repeat(300_000)].concat();
    let mut node = vec![0x0a];
    let mut len = names.len();
    while len >= 0x80 {
        node.push(len as u8 | 0x80);
        len >>= 7;
    }
    node.push(len as u8);
    node.extend(names);
    let mut many = vec![0x3a];
    let mut len = node.len();
    while len >= 0x80 {
        many.push(len as u8 | 0x80);
        len >>= 7;
    }
    many.push(len as u8);
    many.extend(node);
    for (bytes, says) in [(huge, "fits into memory"), (beyond, "cut short"), (many, "at most 200000 names")] {
        let error = nn_cli::import(&bytes, "Net", &nowhere).err().expect("it is refused").to_string();
        assert!(error.contains(says), "{error}");
    }
}

/// An operator that is no layer is told by its node, what it computes and what comes nearest.
#[test]
fn an_operator_that_is_no_layer_is_named() {
    let bytes = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("imports/files/torch_lenet.onnx")).unwrap();
    let at = bytes.windows(7).position(|bytes| bytes == b"MaxPool").unwrap();
    let mut other = bytes.clone();
    other[at..at + 7].copy_from_slice(b"CumSum\0");
    let nowhere = |_: &str, _: u64, _: usize| Err("expected numbers within the file".to_owned());
    let error = nn_cli::import(&other, "Net", &nowhere).err().expect("it is refused").to_string();
    assert!(error.contains("no layer is this operator") && error.starts_with("node `"), "{error}");
}
