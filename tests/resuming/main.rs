//! Runs that are broken off and taken up again: to the same bits, whatever breaks them off, on any number of
//! threads; what does not fit is refused by name.

mod killed;
mod mutants;
mod refusals;
mod resumed;
mod stateful;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

use nn_runtime::prelude::*;
use nn_runtime::train::History;
use nn_tests::numbers::numbers;
use safetensors::SafeTensors;

network! {
    /// Looks at whole batches, and draws noise.
    struct Cnn: [1, 8, 8] -> [5] {
        conv: Conv2d(4, 3) -> norm: BatchNorm -> Relu -> MaxPool2d(2);
        Flatten -> Dropout(0.3) -> hidden: Dense(16) -> Relu -> head: Dense(5)
    }
}
network! {
    /// Is divided among threads.
    struct Mlp: [64] -> [5] { hidden: Dense(24) -> LayerNorm -> Relu -> Dropout(0.2) -> head: Dense(5) }
}

/// A folder of its own, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("nn-resuming-{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Samples, some of which weigh more.
fn data(seed: u64, len: usize) -> Dataset<Labels> {
    let labels = numbers(seed + 100, len, 1.0).into_iter().map(|x| ((x + 1.0) * 2.5) as u32 % 5);
    let weights = (0..len).map(|i| 1.0 + (i % 3) as f32).collect::<Vec<_>>();
    Dataset::classes((numbers(seed, len * 64, 1.0), 64), labels).unwrap().with_weights((weights, 1)).unwrap()
}

/// All that a trainer would write down, but for bounds, which depend on how parameters are dealt out.
fn bits<N: Network, L: Loss, O: Optimizer>(trainer: &Trainer<N, L, O>, folder: &Folder) -> Vec<u8> {
    let path = folder.file("bits");
    trainer.save_checkpoint(&path).unwrap();
    let bytes = std::fs::read(path).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let note = &header.metadata().as_ref().unwrap()["checkpoint"];
    let mut note: serde_json::Value = serde_json::from_str(note).unwrap();
    note["state"]["largest_grad"].take();
    note["waiting"]["largest"].take();
    let mut all = note.to_string().into_bytes();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let tensors: BTreeMap<_, _> = tensors.iter().filter(|(name, _)| *name != "checksum").collect();
    for (name, tensor) in &tensors {
        all.extend(name.bytes().chain(tensor.data().iter().copied()));
    }
    all
}

/// The training loss of an epoch, its validation loss, and its metrics, as bits.
type EpochBits = (u64, Option<u64>, Vec<(String, u64)>);

/// A history but for the clock.
fn losses(history: &History) -> Vec<EpochBits> {
    let epochs = history.epochs.iter().map(|epoch| {
        let metrics = epoch.metrics.iter().map(|(name, number)| (name.clone(), number.to_bits()));
        let validation = epoch.validation.map(|validation| validation.loss.to_bits());
        (epoch.train.loss.to_bits(), validation, metrics.collect())
    });
    epochs.collect()
}

/// Flips bytes, cuts, repeats: one change for each number.
fn mutated(bytes: &[u8], number: u64) -> Vec<u8> {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below.max(1)
    };
    let mut bytes = bytes.to_vec();
    match next(5) {
        0 => bytes.truncate(next(bytes.len())),
        1 => {
            let at = next(bytes.len());
            bytes[at] ^= 1 << next(8);
        }
        2 => {
            let at = next(bytes.len().min(3000));
            bytes[at] = next(256) as u8;
        }
        3 => {
            let (from, at) = (next(bytes.len()), next(bytes.len()));
            let piece = bytes[from..(from + next(40)).min(bytes.len())].to_vec();
            bytes.splice(at..at, piece);
        }
        _ => {
            let at = next(bytes.len());
            let to = (at + 1 + next(40)).min(bytes.len());
            bytes.drain(at..to);
        }
    }
    bytes
}
