//! `nn convert` and `nn inspect`: files as PyTorch and NumPy wrote them, read to the last bit and written
//! again; damaged ones; and files that are something else. In: `tests/reference/weights/files`, by
//! `make_files.py`.

#[path = "imports/memory.rs"]
mod memory;

use std::collections::BTreeMap;
use std::fs;

use nn_cli::tensors::{convert, inspect};
use nn_tests::damage::damaged;
use safetensors::{Dtype, SafeTensors};

fn file(name: &str) -> Vec<u8> {
    let path = format!("{}/reference/weights/files/{name}", env!("CARGO_MANIFEST_DIR"));
    fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

type Tensors = BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>;

fn tensors(bytes: &[u8]) -> Tensors {
    let file = SafeTensors::deserialize(bytes).unwrap();
    let all = file.tensors().into_iter();
    all.map(|(name, of)| (name, (of.dtype(), of.shape().to_vec(), of.data().to_vec()))).collect()
}

const FILES: [(&str, &str); 7] = [
    ("state.pt", "state.safetensors"),
    ("state_dict.pt", "state_dict.safetensors"),
    ("checkpoint.pt", "checkpoint.safetensors"),
    ("protocol4.pt", "protocol4.safetensors"),
    ("module.pt", "module.safetensors"),
    ("arrays.npz", "arrays.safetensors"),
    ("packed.npz", "arrays.safetensors"),
];

#[test]
fn every_number_is_read() {
    for (from, truth) in FILES {
        let found = convert(&file(from), "weights.safetensors", None).unwrap_or_else(|error| panic!("{from}: {error}"));
        assert_eq!(tensors(&found), tensors(&file(truth)), "{from}");
    }
}

/// The bytes of an archive's members; of another file its own.
fn unpacked(bytes: &[u8]) -> usize {
    let Ok(mut archive) = zip::ZipArchive::new(std::io::Cursor::new(bytes)) else { return bytes.len() };
    let mut member = |i| std::io::copy(&mut archive.by_index(i).ok()?, &mut std::io::sink()).ok();
    (0..64).filter_map(&mut member).sum::<u64>() as usize
}

/// There and back: only bfloat16 becomes float32, of the same number.
#[test]
fn what_is_written_for_numpy_is_read_again() {
    for (_, truth) in FILES {
        let archive = convert(&file(truth), "there.npz", None).unwrap();
        let (mut before, after) =
            (tensors(&file(truth)), tensors(&convert(&archive, "back.safetensors", None).unwrap()));
        for (dtype, _, bytes) in before.values_mut().filter(|(dtype, ..)| *dtype == Dtype::BF16) {
            *dtype = Dtype::F32;
            *bytes = bytes.chunks(2).flat_map(|two| [0, 0, two[0], two[1]]).collect();
        }
        assert_eq!(before, after, "{truth}");
    }
}

#[test]
fn a_file_is_told() {
    let text = inspect(&file("protocol4.pt")).unwrap();
    assert_eq!(text, "weight: F32 [2, 2]\nagain: F32 [3]\n2 tensors, 7 numbers\n");
    assert_eq!(
        inspect(&file("protocol4.safetensors")).unwrap(),
        "again: F32 [3]\nweight: F32 [2, 2]\n2 tensors, 7 numbers\n"
    );
}

#[test]
fn other_files_are_named() {
    let refused = |bytes: &[u8], to: &str| convert(bytes, to, None).unwrap_err();
    assert_eq!(
        refused(&file("state.pt"), "weights.txt"),
        "expected a name that ends in `.safetensors`, `.npz`, `.keras` or `.h5`, found `weights.txt`"
    );
    assert!(refused(b"\x89HDF\r\n\x1a\n", "a.npz").starts_with("expected a whole file of weights: "));
    assert!(
        refused(b"{}", "a.npz")
            .starts_with("expected safetensors, `.npz`, a file of Keras or what `torch.save` writes, found JSON text")
    );
    assert!(refused(&[0x80, 2, b'}', b'.'], "a.npz").contains("as old `torch.save` files are"));
    let import = |name: &str| {
        nn_cli::import(&file(name), "Net", &|_, _, _| unreachable!("no other file")).err().unwrap().to_string()
    };
    assert!(import("state.pt").starts_with(
        "expected a model of ONNX or Keras, found what `torch.save` writes\nhelp: in Python: `torch.onnx.export"
    ));
    assert!(import("arrays.npz").starts_with("expected a model of ONNX or Keras, found an archive of NumPy's arrays"));
    assert!(import("arrays.safetensors").contains("declare the network and load them"));
}

/// What a reader takes beside a file grows with the file, and by no more than twice: the numbers, and what is
/// written of them.
#[test]
fn large_files_are_read_in_twice_their_size() {
    let numbers: Vec<u8> = (0..1 << 18).flat_map(|i| (i as f32).sin().to_le_bytes()).collect();
    let views = ["a", "b", "c"].map(|name| {
        let view = safetensors::tensor::TensorView::new(Dtype::F32, vec![256, 1024], &numbers);
        (name.to_owned(), view.expect("as many bytes as there are"))
    });
    let weights = safetensors::serialize(views, None).unwrap();
    let archive = convert(&weights, "there.npz", None).unwrap();
    assert!(archive.len() > 2 << 20);
    for (name, bytes) in [("safetensors", &weights), ("npz", &archive)] {
        for seed in 0..12 {
            let bytes = if seed == 0 { bytes.clone() } else { damaged(bytes, seed) };
            let (converted, most) = memory::most(|| convert(&bytes, "back.safetensors", None));
            assert!(seed > 0 || converted.is_ok());
            let room = 2 * unpacked(&bytes).max(bytes.len()) + (1 << 16);
            assert!(most < room, "{name} {seed}: {most} bytes for a file of {}", bytes.len());
        }
    }
}

/// Files that were cut, changed in places, or grown are read or refused, and take beside themselves no more
/// memory than twice the file, unpacked.
#[test]
fn damaged_files_are_refused() {
    for (name, _) in FILES {
        let (whole, mut refused) = (file(name), 0);
        for seed in 0..500 {
            let bytes = damaged(&whole, seed);
            let (converted, most) = memory::most(|| convert(&bytes, "weights.safetensors", None));
            // What unpacks has a window of its own.
            let room = 3 * unpacked(&bytes).max(bytes.len()) + (1 << 17);
            assert!(most < room, "{name} {seed}: {most} bytes for a file of {}", bytes.len());
            match converted.and_then(|_| convert(&bytes, "weights.npz", None)) {
                Ok(written) => assert!(written.len() < 100 * whole.len(), "{name} {seed}"),
                Err(error) => {
                    assert!(!error.is_empty(), "{name} {seed}");
                    refused += 1;
                }
            }
        }
        assert!(refused > 100, "{name}: only {refused} of 500 are refused");
    }
}
