//! Samples that no memory holds: a file of 20 GB, most of which is not on the disk.

use std::fs::{self, File};
use std::ops::ControlFlow;

use nn_runtime::data::{Dtype, OnDisk, Rows};
use nn_runtime::prelude::*;

network! { struct Wide: [1024] -> [10] { Dense(32) -> Relu -> Dense(10) } }

/// The most memory that this process has had so far, in bytes.
fn peak() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

#[test]
#[ignore = "needs Linux and a file system of sparse files"]
fn twenty_gigabytes_train_within_little_memory() {
    const SAMPLES: u64 = 5_000_000;
    const BATCH: usize = 128;
    let folder = std::env::temp_dir().join(format!("nn-large-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let (x, labels) = (folder.join("x.raw"), folder.join("labels.raw"));
    File::create(&x).unwrap().set_len(SAMPLES * 1024 * 4).unwrap();
    File::create(&labels).unwrap().set_len(SAMPLES).unwrap();
    let input = Rows::raw(&x, 1024, Dtype::F32, 0).unwrap();
    let train = OnDisk::classes(input, Rows::raw(&labels, 1, Dtype::U8, 0).unwrap()).unwrap();
    let mut model = Wide::init(0);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-3));
    let (before, mut steps) = (peak(), 0);
    let fit = Fit::epochs(1).batch(BATCH).on_step(|_, _| {
        steps += 1;
        if steps == 2_000 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    trainer.fit_source(&train, fit).unwrap();
    let (taken, bound) = (peak() - before, (64 << 20) + 2 * BATCH * 1024 * 4);
    println!("{:.1} MB more for {steps} steps of {BATCH}", taken as f64 / 1e6);
    fs::remove_dir_all(folder).unwrap();
    assert!(taken < bound, "{taken} bytes");
}
