//! What a run costs beside its steps: samples that lie in files against the same in memory, and a checkpoint
//! every 30 seconds. In: nothing; out: a line for each, medians of rounds in turn. To be run where nothing
//! else runs.
//!
//! ```text
//! cargo bench -p nn-benches --bench feeding
//! ```

use std::fs;
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
    let samples: Vec<usize> = (0..64 * BATCH).map(|i| i % resident().len()).collect();
    let digits = resident().select(&samples);
    let floats: Vec<u8> = digits.inputs()[0].as_slice().iter().flat_map(|x| x.to_le_bytes()).collect();
    let labels: Vec<u8> = digits.targets().as_slice().iter().map(|&label| label as u8).collect();
    fs::write(folder.join("x"), floats)?;
    fs::write(folder.join("labels"), labels)?;
    let x = Rows::raw(folder.join("x"), 784, Dtype::F32, 0)?;
    let files = OnDisk::classes(x, Rows::raw(folder.join("labels"), 1, Dtype::U8, 0)?)?;
    let mut trainer = N::init(0).into_trainer(CrossEntropy::new(), Adam::new(1e-3)).threads(1);
    let (mut memory, mut read, mut written) = (Vec::new(), Vec::new(), Vec::new());
    let epoch = |begun: Instant| begun.elapsed().as_secs_f64() / 64.0;
    let checkpoint = folder.join("run.ckpt");
    for round in 0..=ROUNDS {
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
            memory.push(of_memory);
            read.push(of_files);
            written.push(begun.elapsed().as_secs_f64());
        }
    }
    let bytes = fs::metadata(&checkpoint)?.len();
    fs::remove_dir_all(folder)?;
    let (memory, read, written) = (median(memory), median(read), median(written));
    println!(
        "{name}: a step of {BATCH} takes {:.1} µs in memory and {:.1} µs from files, {:.1} % of the rate; a checkpoint of {:.2} MB \
         takes {:.2} ms, {:.4} % of {EVERY} s",
        memory * 1e6,
        read * 1e6,
        100.0 * memory / read,
        bytes as f64 / 1e6,
        written * 1e3,
        100.0 * written / EVERY
    );
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    run::<Mnist128>("784-128-10")?;
    run::<Cnn>("cnn")
}
