//! What a run costs beside its steps: `fit` with everything switched off against a bare loop of steps,
//! samples that lie in files against the same in memory, a checkpoint every 30 seconds, and the memory that
//! 20 GB of samples take. In: nothing; out: a line for each, medians of rounds in turn, with what is wanted.
//! To be run where nothing else runs, on a file system of sparse files.
//!
//! ```text
//! cargo bench -p nn-benches --bench feeding
//! ```

use std::fs::{self, File};
use std::ops::ControlFlow;
use std::time::Instant;

use nn_benches::networks::{Cnn, Mnist128};
use nn_benches::resident;
use nn_runtime::data::{Dtype, OnDisk, Rows};
use nn_runtime::prelude::*;

const ROUNDS: usize = 7;
const BATCH: usize = 128;
/// How often a checkpoint is written, in seconds.
const EVERY: f64 = 30.0;

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn run<N: Network>(name: &str) -> Result<(), Box<dyn std::error::Error>>
where
    CrossEntropy: Fits<N::Head>,
{
    let folder = std::env::temp_dir().join(format!("nn-feeding-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let digits = resident();
    assert_eq!(digits.len(), 64 * BATCH, "an epoch of 64 steps");
    let floats: Vec<u8> = digits.inputs()[0].as_slice().iter().flat_map(|x| x.to_le_bytes()).collect();
    let labels: Vec<u8> = digits.targets().as_slice().iter().map(|&label| label as u8).collect();
    fs::write(folder.join("x"), floats)?;
    fs::write(folder.join("labels"), labels)?;
    let x = Rows::raw(folder.join("x"), 784, Dtype::F32, 0)?;
    let files = OnDisk::classes(x, Rows::raw(folder.join("labels"), 1, Dtype::U8, 0)?)?;
    let mut trainer = N::init(0).into_trainer(CrossEntropy::new(), Adam::new(1e-3)).threads(1);
    let (mut bare, mut memory, mut read, mut written) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut batch = digits.select(&[]);
    // An order that no cache foresees; the number is prime.
    let order: Vec<usize> = (0..digits.len()).map(|i| i * 7_919 % digits.len()).collect();
    let epoch = |begun: Instant| begun.elapsed().as_secs_f64() / 64.0;
    let checkpoint = folder.join("run.ckpt");
    for round in 0..=ROUNDS {
        // Samples gathered and learnt from: what `fit` does, without `fit`.
        let begun = Instant::now();
        for indices in order.chunks(BATCH) {
            digits.select_into(indices, &mut batch);
            trainer.step(&batch)?;
        }
        let of_steps = epoch(begun);
        let begun = Instant::now();
        trainer.fit(&digits, Fit::epochs(1).batch(BATCH))?;
        let of_memory = epoch(begun);
        let begun = Instant::now();
        trainer.fit_source(&files, Fit::epochs(1).batch(BATCH))?;
        let of_files = epoch(begun);
        let begun = Instant::now();
        trainer.save_checkpoint(&checkpoint)?;
        // The first round makes room, and has the files read.
        if round > 0 {
            bare.push(of_steps);
            memory.push(of_memory);
            read.push(of_files);
            written.push(begun.elapsed().as_secs_f64());
        }
    }
    let bytes = fs::metadata(&checkpoint)?.len();
    fs::remove_dir_all(folder)?;
    let [bare, memory, read, written] = [bare, memory, read, written].map(median);
    let micros = |seconds: f64| seconds * 1e6;
    println!(
        "{name}, steps of {BATCH}\n  \
         everything off: {:.1} µs a step in `fit`, {:.1} µs in a bare loop: {:+.1} % (wanted: 0)\n  \
         from files: {:.1} µs a step, {:.1} % of the rate in memory (wanted: 95)\n  \
         a checkpoint of {:.2} MB: {:.2} ms, {:.4} % of {EVERY} s (wanted: at most 1)",
        micros(memory),
        micros(bare),
        100.0 * (memory / bare - 1.0),
        micros(read),
        100.0 * memory / read,
        bytes as f64 / 1e6,
        written * 1e3,
        100.0 * written / EVERY
    );
    Ok(())
}

/// The most memory that this process has had so far, in bytes; where it is not told, 0.
fn peak() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
    1024 * kilobytes.unwrap_or(0)
}

/// 20 GB of samples, in a file that is not on the disk.
fn large() -> Result<(), Box<dyn std::error::Error>> {
    const BYTES: u64 = 20_000_000_000;
    const STEPS: usize = 2_000;
    let folder = std::env::temp_dir().join(format!("nn-large-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let samples = BYTES / (784 * 4);
    File::create(folder.join("x"))?.set_len(samples * 784 * 4)?;
    File::create(folder.join("labels"))?.set_len(samples)?;
    let x = Rows::raw(folder.join("x"), 784, Dtype::F32, 0)?;
    let files = OnDisk::classes(x, Rows::raw(folder.join("labels"), 1, Dtype::U8, 0)?)?;
    let mut trainer = Mnist128::init(0).into_trainer(CrossEntropy::new(), Adam::new(1e-3)).threads(1);
    let (before, begun, mut steps) = (peak(), Instant::now(), 0);
    let fit = Fit::epochs(1).batch(BATCH).on_step(|_, _| {
        steps += 1;
        if steps == STEPS { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    trainer.fit_source(&files, fit)?;
    let (taken, seconds) = (peak() - before, begun.elapsed().as_secs_f64());
    fs::remove_dir_all(folder)?;
    let bound = (64 << 20) + 2 * BATCH * 784 * 4;
    println!(
        "{:.1} GB of samples: {:.1} MB of memory more after {STEPS} steps of {BATCH} (wanted: at most {:.1}), {:.1} µs a step",
        BYTES as f64 / 1e9,
        taken as f64 / 1e6,
        bound as f64 / 1e6,
        1e6 * seconds / STEPS as f64
    );
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // First, while little memory has been taken.
    large()?;
    run::<Mnist128>("784-128-10")?;
    run::<Cnn>("cnn")
}
