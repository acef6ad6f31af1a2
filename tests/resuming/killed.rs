//! A process that trains is killed at random moments, also while it writes, and another goes on.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nn_runtime::prelude::*;
use nn_runtime::train::Every;

use crate::{Cnn, Folder, Mlp, bits, data, losses};

const FILE: &str = "NN_TEST_CHECKPOINT";
const THREADS: &str = "NN_TEST_THREADS";

/// Trains to the end from the file, if it is there; what is left behind is `done`, with all bits.
fn train<N: Network>(path: &Path, threads: usize, done: &Path)
where
    CrossEntropy: Fits<N::Head> + LossOn<[u32]>,
{
    let folder = Folder::new();
    let (train, validation) = (data(1, 300), data(2, 60));
    let mut model = N::init(3);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-2)).ema(0.9).threads(threads);
    if path.exists() {
        trainer.resume(path).unwrap();
    }
    let checkpoint = Checkpoint::to(path).every(Every::Steps(1)).keep(2);
    let fit = Fit::epochs(8).batch(8).validate(&validation).metrics(F1::macro_avg());
    let history = trainer.fit(&train, fit.keep_best().checkpoint(checkpoint)).unwrap();
    let mut all = bits(&trainer, &folder);
    all.extend(format!("{:?}", losses(&history)).bytes());
    let beside = done.with_extension("part");
    std::fs::write(&beside, all).unwrap();
    std::fs::rename(beside, done).unwrap();
}

/// What the processes below run; nothing where no file is named.
#[test]
fn child() {
    let Some(path) = env::var_os(FILE) else { return };
    let path = Path::new(&path);
    let threads = env::var(THREADS).unwrap().parse().unwrap();
    match path.file_name().unwrap().to_str().unwrap() {
        "cnn.ckpt" => train::<Cnn>(path, threads, &path.with_extension("done")),
        _ => train::<Mlp>(path, threads, &path.with_extension("done")),
    }
}

/// Kills a process again and again until one comes to the end; how often.
fn killed(path: &Path, seed: u64) -> u64 {
    let done = path.with_extension("done");
    let mut state = seed;
    for kills in 0.. {
        let threads = (1 + kills % 3).to_string();
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["killed::child", "--exact", "--quiet"])
            .env(FILE, path)
            .env(THREADS, threads)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Longer from one to the next, so that a slow machine comes to an end too.
        let wait = Duration::from_micros((state >> 33) % (20_000 + 20_000 * kills));
        let begun = Instant::now();
        loop {
            if let Some(ended) = child.try_wait().unwrap() {
                assert!(ended.success(), "a process that was not killed");
                assert!(done.exists());
                return kills;
            }
            if begun.elapsed() >= wait {
                break;
            }
            sleep(Duration::from_millis(1));
        }
        child.kill().unwrap(); // SIGKILL
        child.wait().unwrap();
    }
    unreachable!("the loop ends when a process does")
}

#[test]
fn a_killed_run_ends_with_the_bits_of_one_that_was_not() {
    for name in ["cnn.ckpt", "mlp.ckpt"] {
        let (undisturbed, folder) = (Folder::new(), Folder::new());
        let truth = undisturbed.file(name);
        match name {
            "cnn.ckpt" => train::<Cnn>(&truth, 2, &truth.with_extension("done")),
            _ => train::<Mlp>(&truth, 2, &truth.with_extension("done")),
        }
        let kills = killed(&folder.file(name), 1 + name.len() as u64);
        assert!(kills > 2, "{kills} kills");
        let [truth, found] =
            [&undisturbed, &folder].map(|folder| std::fs::read(folder.file(name).with_extension("done")).unwrap());
        assert!(truth == found, "{name}: other bits after {kills} kills");
    }
}
