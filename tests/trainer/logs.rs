//! What a run writes down while it goes on: JSON lines, and event files that TensorBoard reads.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use nn_runtime::prelude::*;
use nn_runtime::train::{History, Log, TrainError};
use nn_tests::numbers::numbers;

use crate::params;

network! { struct Net: [6] -> [3] { Dense(8) -> Relu -> Dense(3) } }

fn data(samples: usize) -> Dataset<Labels> {
    let labels = numbers(9, samples, 1.0).into_iter().map(|x| ((x + 1.0) * 1.5) as u32 % 3);
    Dataset::classes((numbers(1, samples * 6, 1.0), 6), labels).unwrap()
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("nn-logs-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn fit<'d>(epochs: usize, validation: &'d Dataset<Labels>) -> Fit<'d, Labels, Net> {
    Fit::epochs(epochs).batch(8).validate(validation).metrics(F1::macro_avg())
}

fn trainer(model: &mut Model<Net>) -> Trainer<'_, Net, CrossEntropy, Adam> {
    Trainer::new(model, CrossEntropy::new(), Adam::new(1e-2))
}

/// The lines of a log are those of the epochs.
fn assert_tells(path: &Path, history: &History) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.ends_with('\n'));
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), history.epochs.len());
    for (line, epoch) in lines.iter().zip(&history.epochs) {
        let line = line.as_object().unwrap();
        assert_eq!(line["epoch"], epoch.number);
        // Written exactly, but read to the last digit only where serde_json is asked to.
        let same = |found: f64, truth: f64| (found - truth).abs() <= 1e-15 * truth;
        assert!(same(line["seconds"].as_f64().unwrap(), epoch.time.as_secs_f64()));
        for name in ["loss", "accuracy", "val_loss", "val_accuracy", "val_f1"] {
            assert!(same(line[name].as_f64().unwrap(), epoch.get(name).unwrap()), "{name}");
        }
        assert_eq!(line.len(), 7);
    }
}

#[test]
fn json_lines_tell_of_every_epoch_once_also_of_a_run_that_goes_on() {
    let folder = folder("lines");
    let (log, checkpoint, validation) = (folder.join("run.jsonl"), folder.join("run.ckpt"), data(20));
    fs::write(&log, "an older run\n").unwrap();
    let mut model = Net::init(0);
    let history = trainer(&mut model)
        .fit(&data(40), fit(3, &validation).log(&log).checkpoint(Checkpoint::to(&checkpoint)))
        .unwrap();
    assert_tells(&log, &history);
    // Killed in the next epoch: it has logged more than the checkpoint knows.
    fs::write(&log, fs::read_to_string(&log).unwrap() + "{\"epoch\":4}\n").unwrap();
    let mut model = Net::init(0);
    let mut trainer = trainer(&mut model);
    trainer.resume(&checkpoint).unwrap();
    let history = trainer.fit(&data(40), fit(5, &validation).log(&log)).unwrap();
    assert_eq!(history.epochs.len(), 5);
    assert_tells(&log, &history);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_log_that_cannot_be_written_is_refused_before_the_first_step() {
    let mut model = Net::init(0);
    let before = params(&model);
    let fit = Fit::epochs(1).log("/nowhere/to/be/found/run.jsonl");
    let fault = trainer(&mut model).fit(&data(40), fit).unwrap_err();
    assert!(matches!(fault, TrainError::Log { .. }));
    let text = fault.to_string();
    assert!(text.starts_with("`/nowhere/to/be/found/run.jsonl`: expected a log that can be written, found "), "{text}");
    assert!(text.contains("\nhelp: make its folder"), "{text}");
    assert_eq!(params(&model), before);
}

/// All scalars of an event file, by name: steps and numbers. Written against the format, not the writer.
fn scalars(path: &Path) -> BTreeMap<String, Vec<(u64, f32)>> {
    let bytes = fs::read(path).unwrap();
    let (mut at, mut all) = (0, BTreeMap::new());
    let mut events = 0;
    while at < bytes.len() {
        let len = u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
        let event = &bytes[at + 12..at + 12 + len];
        at += 12 + len + 4;
        let fields = fields(event);
        let step = fields.iter().find(|(key, _)| *key == 2).map_or(0, |(_, value)| value.number());
        if events == 0 {
            assert!(fields.iter().any(|(key, value)| *key == 3 && value.bytes() == b"brain.Event:2"));
        }
        events += 1;
        for (_, summary) in fields.iter().filter(|(key, _)| *key == 5) {
            for (_, value) in self::fields(summary.bytes()) {
                let value = self::fields(value.bytes());
                let tag = String::from_utf8(value[0].1.bytes().to_vec()).unwrap();
                let number = f32::from_bits(value[1].1.number() as u32);
                all.entry(tag).or_insert_with(Vec::new).push((step, number));
            }
        }
    }
    assert_eq!(at, bytes.len());
    all
}

enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Field<'a> {
    fn number(&self) -> u64 {
        if let Field::Number(number) = self { *number } else { panic!("bytes") }
    }

    fn bytes(&self) -> &'a [u8] {
        if let Field::Bytes(bytes) = self { bytes } else { panic!("a number") }
    }
}

/// The fields of a protocol buffer.
fn fields(mut bytes: &[u8]) -> Vec<(u64, Field<'_>)> {
    fn varint(bytes: &mut &[u8]) -> u64 {
        let end = bytes.iter().position(|byte| byte & 0x80 == 0).unwrap();
        let number = bytes[..=end].iter().rev().fold(0, |number, byte| number << 7 | u64::from(byte & 0x7f));
        *bytes = &bytes[end + 1..];
        number
    }
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let mut fixed = |n: usize| {
            let (taken, rest) = bytes.split_at(n);
            bytes = rest;
            taken.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
        };
        let value = match key & 7 {
            0 => Field::Number(varint(&mut bytes)),
            1 => Field::Number(fixed(8)),
            5 => Field::Number(fixed(4)),
            2 => {
                let len = varint(&mut bytes) as usize;
                let (taken, rest) = bytes.split_at(len);
                bytes = rest;
                Field::Bytes(taken)
            }
            other => panic!("wire type {other}"),
        };
        fields.push((key >> 3, value));
    }
    fields
}

/// The one file of a folder.
fn only_file(folder: PathBuf) -> PathBuf {
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 1);
    files[0].clone()
}

/// What an event file should hold of a history, by the names there.
fn truth(history: &History, names: &[(&str, &str)]) -> BTreeMap<String, Vec<(u64, f32)>> {
    let of = |name: &str| {
        let numbers = history.epochs.iter().map(|epoch| (epoch.number as u64, epoch.get(name).unwrap() as f32));
        numbers.collect()
    };
    names.iter().map(|(there, here)| (there.to_string(), of(here))).collect()
}

const TRAIN: [(&str, &str); 2] = [("loss", "loss"), ("accuracy", "accuracy")];
const VALIDATION: [(&str, &str); 3] = [("loss", "val_loss"), ("accuracy", "val_accuracy"), ("f1", "val_f1")];

#[test]
fn event_files_hold_the_numbers_of_every_epoch() {
    let folder = folder("events");
    let validation = data(20);
    let mut model = Net::init(0);
    let fit = fit(3, &validation).log(Log::tensorboard(folder.join("runs/one")));
    let history = trainer(&mut model).fit(&data(40), fit).unwrap();
    assert_eq!(scalars(&only_file(folder.join("runs/one/train"))), truth(&history, &TRAIN));
    assert_eq!(scalars(&only_file(folder.join("runs/one/validation"))), truth(&history, &VALIDATION));
    fs::remove_dir_all(folder).unwrap();
}

/// `NN_TEST_PYTHON` is a Python with `tensorboard`.
#[test]
#[ignore = "needs TensorBoard"]
fn tensorboard_reads_what_is_written_and_sees_each_epoch_of_a_resumed_run_once() {
    let folder = folder("board");
    let (checkpoint, validation) = (folder.join("run.ckpt"), data(20));
    let board = || Log::tensorboard(folder.join("run"));
    let mut model = Net::init(0);
    let first = fit(3, &validation).log(board()).checkpoint(Checkpoint::to(&checkpoint));
    trainer(&mut model).fit(&data(40), first).unwrap();
    // Files are told apart by the second in which they were made.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let mut model = Net::init(0);
    let mut trainer = trainer(&mut model);
    trainer.resume(&checkpoint).unwrap();
    let history = trainer.fit(&data(40), fit(5, &validation).log(board())).unwrap();
    let python = std::env::var("NN_TEST_PYTHON").unwrap_or_else(|_| "python3".into());
    for (part, names) in [("train", &TRAIN[..]), ("validation", &VALIDATION)] {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/reference/read_events.py");
        let read = Command::new(&python).arg(script).arg(folder.join("run").join(part)).output().unwrap();
        assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
        let found: BTreeMap<String, Vec<(u64, f32)>> = serde_json::from_slice(&read.stdout).unwrap();
        assert_eq!(found, truth(&history, names));
    }
    fs::remove_dir_all(folder).unwrap();
}
