//! Parquet files as pyarrow and polars write them (`reference/make_parquet.py`): the numbers that NumPy has,
//! trained on as in memory; what is no number is named, and damaged files are refused in little memory.
// The allocator cannot be written without `unsafe`.
#![allow(unsafe_code)]

#[path = "imports/memory.rs"]
mod memory;

use std::collections::HashMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use nn_runtime::data::{DataError, DataErrorKind, Parquet, SampleSource};
use nn_runtime::prelude::*;
use nn_runtime::train::{Every, History};
use nn_tests::damage::damaged;
use serde::Deserialize;

const FILES: [&str; 6] = ["snappy", "gzip", "lz4", "plain", "split", "polars"];
const KINDS: [&str; 3] = ["birch", "oak", "pine"];

#[derive(Deserialize)]
struct Reference {
    rows: usize,
    kinds: Vec<u32>,
    numbers: HashMap<String, Vec<Vec<f32>>>,
}

fn reference() -> Reference {
    let text = fs::read_to_string(folder().with_extension("json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("reference/parquet")
}

fn open(name: &str) -> Parquet {
    Parquet::open(folder().join(name).with_extension("parquet")).unwrap()
}

/// The input of the networks below: 1 + 6 + 4 numbers.
const COLUMNS: [&str; 3] = ["girth", "leaf", "spectrum"];

#[test]
fn numbers_are_those_that_were_written() {
    let truth = reference();
    for file in FILES {
        for (name, rows) in &truth.numbers {
            let data = open(file).input([name]).values([name]).unwrap().to_dataset().unwrap();
            assert_eq!(data.inputs()[0].as_slice(), rows.concat(), "{file}, {name}");
            assert_eq!(data.targets(), &data.inputs()[0], "{file}, {name}");
        }
        // Side by side, two inputs, weights, and classes by name or as they are.
        let trees = || open(file).input(COLUMNS).input(["felled"]).weights("counts");
        let data = trees().named_classes("kind", &KINDS).unwrap().to_dataset().unwrap();
        assert_eq!((data.len(), data.targets().as_slice()), (truth.rows, &truth.kinds[..]));
        assert_eq!(data.weights().unwrap().as_slice(), truth.numbers["counts"].concat());
        for i in 0..truth.rows {
            assert_eq!(data.input(0, i), COLUMNS.map(|name| truth.numbers[name][i].clone()).concat(), "{file}, {i}");
            assert_eq!(data.input(1, i), truth.numbers["felled"][i]);
        }
        let labels = trees().classes("label").unwrap().to_dataset().unwrap();
        assert!(labels.targets().as_slice().iter().map(|&label| label as f32).eq(truth.numbers["label"].concat()));
        let source = trees().classes("ring").unwrap();
        let (mut x, mut felled, mut ring) = ([0.0; 11], [0.0], [0]);
        source.read(77, &mut [&mut x, &mut felled], &mut ring).unwrap();
        assert_eq!((x.to_vec(), ring[0] as f32), (data.input(0, 77).to_vec(), truth.numbers["ring"][77][0]));
    }
    // A field of a structure; several files; and without columns of text all others.
    let data = open("snappy").input(["point.y"]).values(["point.x"]).unwrap().to_dataset().unwrap();
    assert_eq!(data.inputs()[0].as_slice(), truth.numbers["ring"].concat());
    assert_eq!(data.targets().as_slice(), truth.numbers["height"].concat());
    let both = Parquet::open_all(["split", "polars"].map(|name| folder().join(name).with_extension("parquet")));
    let both = both.unwrap().input(["leaf"]).values(["rough"]).unwrap();
    assert_eq!((both.len(), both.groups()), (206, vec![60, 43, 37, 37, 29]));
    let both = both.to_dataset().unwrap();
    assert_eq!(both.input(0, 5), both.input(0, 108));
    assert_eq!(open("polars").columns().len(), 11);
}

network! { struct Trees: [11] -> [3] { Dense(8) -> BatchNorm -> Relu -> Dropout(0.2) -> Dense(3) } }

fn losses(history: &History) -> Vec<u64> {
    history.epochs.iter().map(|epoch| epoch.train.loss.to_bits()).collect()
}

fn trained(by: impl FnOnce(&mut Trainer<'_, Trees, CrossEntropy, Adam>) -> History) -> (Vec<u64>, Vec<u8>) {
    let mut trainer = Trees::init(3).into_trainer(CrossEntropy::new(), Adam::new(1e-2));
    let history = by(&mut trainer);
    (losses(&history), trainer.model().to_bytes())
}

/// Which samples are read, and of a source that is read in groups.
struct Watched<S>(S, Mutex<Vec<usize>>);

impl<S: SampleSource<Targets = Labels>> SampleSource for Watched<S> {
    type Targets = Labels;
    fn len(&self) -> usize {
        self.0.len()
    }
    fn widths(&self) -> Vec<usize> {
        self.0.widths()
    }
    fn target_width(&self) -> usize {
        1
    }
    fn read(&self, i: usize, x: &mut [&mut [f32]], target: &mut [u32]) -> Result<(), DataError> {
        self.1.lock().unwrap().push(i);
        self.0.read(i, x, target)
    }
    fn groups(&self) -> Vec<usize> {
        self.0.groups()
    }
    fn mixed_groups(&self) -> usize {
        self.0.mixed_groups()
    }
}

#[test]
fn a_file_trains_to_the_bits_of_the_same_rows_in_memory() {
    for file in ["snappy", "polars"] {
        let source = open(file).input(COLUMNS).named_classes("kind", &KINDS).unwrap();
        let data = source.to_dataset().unwrap();
        let fit = || Fit::epochs(3).batch(16).shuffle(false);
        let truth = trained(|trainer| trainer.fit(&data, fit()).unwrap());
        for loaders in 1..4 {
            assert!(trained(|trainer| trainer.fit_source(&source, fit().loaders(loaders)).unwrap()) == truth);
        }
    }
}

#[test]
fn row_groups_are_read_one_after_the_other_in_an_order_by_chance() {
    for mixed in [1, 2] {
        let open = || open("gzip").input(COLUMNS).mixed(mixed).named_classes("kind", &KINDS).unwrap();
        let fit = || Fit::epochs(4).batch(10);
        let truth = trained(|trainer| trainer.fit_source(&open(), fit()).unwrap());
        for loaders in [1, 3] {
            let source = Watched(open(), Mutex::default());
            assert!(trained(|trainer| trainer.fit_source(&source, fit().loaders(loaders)).unwrap()) == truth);
            let mut seen = source.1.into_inner().unwrap();
            // The first sample is looked at before, the last batch once more at the end.
            seen.remove(0);
            let mut orders = Vec::new();
            for epoch in seen.chunks_exact(103).take(4) {
                let mut sorted = epoch.to_vec();
                sorted.sort_unstable();
                assert!(sorted.into_iter().eq(0..103));
                if loaders == 1 {
                    let mut groups: Vec<usize> = epoch.iter().map(|i| i / 29).collect();
                    groups.dedup();
                    assert_eq!(groups.len() == 4, mixed == 1, "{groups:?}");
                    orders.push(groups);
                }
            }
            orders.dedup();
            assert!(loaders > 1 || orders.len() > 1, "{orders:?}");
        }
    }
}

#[test]
fn a_run_goes_on_where_it_was_and_not_on_other_row_groups() {
    let path = std::env::temp_dir().join(format!("nn-parquet-{}.ckpt", std::process::id()));
    let source = |file: &str| open(file).input(COLUMNS).named_classes("kind", &KINDS).unwrap();
    let fit = || Fit::epochs(2).batch(10);
    let truth = trained(|trainer| trainer.fit_source(&source("gzip"), fit()).unwrap());
    let mut steps = 0;
    trained(|trainer| {
        let stop = |_: &_, _: &_| {
            steps += 1;
            if steps == 14 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let fit = fit().checkpoint(Checkpoint::to(&path).every(Every::Steps(1))).on_step(stop);
        trainer.fit_source(&source("gzip"), fit).unwrap()
    });
    let found = trained(|trainer| {
        trainer.resume(&path).unwrap();
        trainer.fit_source(&source("gzip"), fit().loaders(2)).unwrap()
    });
    assert!(found == truth);
    trained(|trainer| {
        trainer.resume(&path).unwrap();
        let text = trainer.fit_source(&source("snappy"), fit()).unwrap_err().to_string();
        assert!(text.contains("groups: expected as in the file, 4 of samples ("), "{text}");
        assert!(text.contains("shuffled as one, found 3 of samples ("), "{text}");
        trainer.fit_source(&source("gzip"), fit()).unwrap()
    });
    fs::remove_file(path).unwrap();
}

#[test]
fn what_is_no_number_is_named_by_row_and_column() {
    let file = || open("ragged");
    let read = |column: &str| file().input([column]).values(["good"]).and_then(|source| source.to_dataset());
    for (column, kind, text) in [
        ("x", DataErrorKind::Number, "row 2, column `x`: expected a value, found nothing (null)\nhelp: fill it or"),
        (
            "list",
            DataErrorKind::Size,
            "row 2, column `list`: expected 2 numbers, as many as in the first row, found 1\n",
        ),
        ("holes", DataErrorKind::Number, "row 1, column `holes`: expected a value, found nothing (null, or an empty"),
        ("id", DataErrorKind::Number, "row 2, column `id`: expected a number that 32 bits hold, found 16777217"),
        ("nan", DataErrorKind::Number, "row 1, column `nan`: expected a finite number, found NaN"),
        (
            "time",
            DataErrorKind::Format,
            "column `time`: expected numbers, or lists of numbers, found dates or times\nhelp",
        ),
        ("price", DataErrorKind::Format, "column `price`: expected numbers, or lists of numbers, found decimals\nhelp"),
        ("word", DataErrorKind::Format, "column `word`: expected numbers, or lists of numbers, found text"),
        ("Good", DataErrorKind::Column, "help: names are compared letter by letter: `good`"),
        ("weight", DataErrorKind::Column, "schema: expected a column `weight`, found `x`, `list`, `holes`, "),
    ] {
        let fault = read(column).unwrap_err();
        assert!(fault.to_string().contains(text), "{fault}");
        assert!(fault.to_string().contains("ragged.parquet`, "), "{fault}");
        assert_eq!(fault.kind(), kind, "{fault}");
    }
    let classes = |column: &str| file().input(["good"]).classes(column).and_then(|source| source.to_dataset());
    let text = classes("class").unwrap_err().to_string();
    assert!(text.ends_with("row 2, column `class`: expected a class, a whole number from 0, found -1"), "{text}");
    let text = classes("nan").unwrap_err().to_string();
    assert!(text.ends_with("column `nan`: expected classes, whole numbers from 0, found real numbers"), "{text}");
    let text = classes("word").unwrap_err().to_string();
    assert!(text.ends_with("found text\nhelp: `.named_classes(column, &[\"…\", \"…\"])`"), "{text}");
    let named = file().input(["good"]).named_classes("word", &["a", "b", "d"]).unwrap();
    let text = named.to_dataset().unwrap_err().to_string();
    assert!(text.ends_with("row 2, column `word`: expected one of `a`, `b`, `d`, found `c`"), "{text}");
    let text = open("snappy").input(["height"]).values(["point"]).unwrap_err().to_string();
    assert!(
        text.ends_with("column `point`: expected one column, found a structure of 2\nhelp: name a field: `point.x`")
    );
    let text = file().input(["x", "good", "x"]).values(["good"]).unwrap_err().to_string();
    assert_eq!(text, "column `x`: expected to be asked for once, found twice");
    assert_eq!(open("empty").values(["good"]).unwrap_err().to_string(), "rows: expected at least one, found none");
    // A run tells the row of the file, whichever sample was wanted.
    network! { struct One: [1] -> [1] { Dense(1) } }
    let source = file().input(["id"]).values(["good"]).unwrap();
    let mut trainer = One::init(0).into_trainer(Mse::new(), Adam::new(0.1));
    let text = trainer.fit_source(&source, Fit::epochs(1)).unwrap_err().to_string();
    assert!(text.contains("ragged.parquet`, row 2, column `id`") && !text.contains("sample"), "{text}");
}

#[test]
fn what_is_no_parquet_file_is_told() {
    let path = std::env::temp_dir().join(format!("nn-no-{}.parquet", std::process::id()));
    let open = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        Parquet::open(&path).unwrap_err()
    };
    assert_eq!(open(b"").kind(), DataErrorKind::Format);
    assert!(open(b"a,b,c\n1,2,3\n4,5,6\n7,8,9\n").to_string().contains("expected a Parquet file, found "));
    let text = open(b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False}").to_string();
    assert!(text.contains("expected a Parquet file, found an array of NumPy"), "{text}");
    fs::remove_file(&path).unwrap();
    assert_eq!(Parquet::open(&path).unwrap_err().kind(), DataErrorKind::Unreadable);
}

/// Whatever comes of it, it takes little more memory than the whole file did.
#[test]
fn damaged_files_are_refused() {
    let path = std::env::temp_dir().join(format!("nn-damaged-{}.parquet", std::process::id()));
    let (mut refused, mut worst) = (0, 0);
    for file in FILES {
        let whole = fs::read(folder().join(file).with_extension("parquet")).unwrap();
        let columns = ["height", "girth", "age", "leaf", "spectrum", "rough"];
        let read = || Parquet::open(&path)?.input(columns).named_classes("kind", &KINDS)?.to_dataset();
        fs::write(&path, &whole).unwrap();
        let (_, of_whole) = memory::most(|| read().unwrap());
        for seed in 0..250 {
            let bytes = damaged(&whole, seed);
            fs::write(&path, &bytes).unwrap();
            let (read, most) = memory::most(read);
            assert!(most < of_whole + 2 * bytes.len(), "{file} {seed}: {most} bytes, {of_whole} of the whole");
            worst = worst.max(most);
            if let Err(fault) = read {
                let text = fault.to_string();
                assert!(text.contains("expected ") && text.contains("found ") && text.len() < 3000, "{text}");
                refused += 1;
            }
        }
    }
    fs::remove_file(&path).unwrap();
    println!("{refused} of {} refused, {worst} bytes at most", 250 * FILES.len());
    assert!(refused > 500, "{refused}");
}
