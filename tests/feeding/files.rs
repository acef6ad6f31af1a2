//! Samples in files train to the bits of the same samples in memory.

use std::fs;

use nn_runtime::data::{OnDisk, Rows};
use nn_runtime::prelude::*;

use crate::{Net, bits, data};

/// An npy file as NumPy writes it.
fn npy(descr: &str, shape: &str, numbers: Vec<u8>) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}");
    let header = format!("{header:<117}\n");
    [b"\x93NUMPY\x01\x00\x76\x00".to_vec(), header.into_bytes(), numbers].concat()
}

#[test]
fn files_train_to_the_bits_of_the_same_samples_in_memory() {
    let folder = std::env::temp_dir().join(format!("nn-files-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let data = data(45);
    let (x, labels) = (folder.join("x.npy"), folder.join("labels.npy"));
    let numbers = data.inputs()[0].as_slice().iter().flat_map(|x| x.to_le_bytes()).collect();
    fs::write(&x, npy("<f4", "(45, 2, 3)", numbers)).unwrap();
    let classes = data.targets().as_slice().iter().flat_map(|&label| i64::from(label).to_le_bytes()).collect();
    fs::write(&labels, npy("<i8", "(45,)", classes)).unwrap();
    let source = OnDisk::classes(Rows::npy(&x).unwrap(), Rows::npy(&labels).unwrap()).unwrap();
    let fit = || Fit::epochs(3).batch(8).shuffle(false);
    let trained = |on_disk: bool| {
        let mut model = Net::init(1);
        let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-2));
        let history = match on_disk {
            true => trainer.fit_source(&source, fit().loaders(2)),
            false => trainer.fit(&data, fit()),
        };
        let history = history.unwrap();
        drop(trainer);
        bits(&model, &history)
    };
    assert!(trained(true) == trained(false));
    // A file that becomes shorter while it is read ends the run, and says which.
    fs::OpenOptions::new().write(true).open(&x).unwrap().set_len(500).unwrap();
    let mut model = Net::init(1);
    let fault = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-2)).fit_source(&source, fit());
    let fault = fault.unwrap_err().to_string();
    assert!(fault.starts_with("sample 15, ") && fault.contains("x.npy"), "{fault}");
    let other = Rows::npy(&labels).unwrap();
    let fault = OnDisk::values(Rows::raw(&x, 1, nn_runtime::data::Dtype::U8, 0).unwrap(), other).unwrap_err();
    assert_eq!(fault.to_string(), "input 0: expected 45 rows, as many as targets, found 500");
    fs::remove_dir_all(folder).unwrap();
}

/// What is no file of rows is told by what it is, with what to do.
#[test]
fn another_file_is_told_by_what_it_is() {
    let path = std::env::temp_dir().join(format!("nn-rows-{}", std::process::id()));
    for (bytes, help) in [
        (&b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n"[..], "git lfs pull"),
        (b"<!DOCTYPE html><html></html>", "fetch the file again"),
        (b"PK\x03\x04\x14\0\0\0\x08\0\0\0", "unpack it"),
        (b"\x80\x02\x8a\x0a", "export"),
        (b"\x89PNG\r\n\x1a\n", "give another file"),
        (b"", "make it again"),
    ] {
        fs::write(&path, bytes).unwrap();
        for fault in [Rows::npy(&path).unwrap_err(), Rows::idx(&path).unwrap_err()] {
            let text = fault.to_string();
            assert!(text.contains("start: expected an ") && text.contains(help), "{text}");
        }
    }
    fs::remove_file(path).unwrap();
}
