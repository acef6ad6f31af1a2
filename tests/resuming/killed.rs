//! A process that trains is killed at random moments, also while it writes, and another goes on.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nn_runtime::prelude::*;
use nn_runtime::train::Every;

use crate::{Cnn, Folder, Mlp, bits, data, losses};

network! {
    /// As the example `05_cnn`, smaller; looks at whole batches, and draws noise.
    struct Digits: [1, 8, 8] -> [5] {
        conv1: Conv2d(4, 3, padding = Same) -> BatchNorm -> Relu -> MaxPool2d(2);
        conv2: Conv2d(8, 3, padding = Same) -> BatchNorm -> Relu -> MaxPool2d(2) -> [8, 2, 2];
        Flatten -> hidden: Dense(16) -> Relu -> Dropout(0.5);
        head: Dense(5) -> Softmax
    }
}

/// Epochs of the run that is killed often, and how often it is.
const LONG: usize = 50;
const KILLS: u64 = 50;

const FILE: &str = "NN_TEST_CHECKPOINT";
const THREADS: &str = "NN_TEST_THREADS";

/// Trains to the end from the file, if it is there; what is left behind is `done`, with all bits.
fn train<N: Network>(path: &Path, epochs: usize, threads: usize, done: &Path)
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
    let fit = Fit::epochs(epochs).batch(8).validate(&validation).metrics(F1::macro_avg());
    let history = trainer.fit(&train, fit.keep_best().checkpoint(checkpoint)).unwrap();
    let mut all = bits(&trainer, &folder);
    all.extend(format!("{:?}", losses(&history)).bytes());
    let beside = done.with_extension("part");
    std::fs::write(&beside, all).unwrap();
    std::fs::rename(beside, done).unwrap();
}

/// Trains the network that a file is called after.
fn train_named(path: &Path, threads: usize) {
    let done = path.with_extension("done");
    match path.file_name().unwrap().to_str().unwrap() {
        "cnn.ckpt" => train::<Cnn>(path, 8, threads, &done),
        "mlp.ckpt" => train::<Mlp>(path, 8, threads, &done),
        _ => train::<Digits>(path, LONG, threads, &done),
    }
}

/// What the processes below run; nothing where no file is named.
#[test]
fn child() {
    let Some(path) = env::var_os(FILE) else { return };
    train_named(Path::new(&path), env::var(THREADS).unwrap().parse().unwrap());
}

/// Kills processes, the next after at most `longest(kills)` of each, until one comes to its end before that
/// or `most` are killed. How many were, and how many of them while they wrote a file: every third is killed
/// as soon as one is there that is not whole.
fn killed(path: &Path, seed: u64, most: u64, longest: impl Fn(u64) -> Duration) -> (u64, u64) {
    let done = path.with_extension("done");
    let (mut state, mut writing) = (seed, 0);
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
        let wait = longest(kills).mul_f64((state >> 33) as f64 / (1u64 << 31) as f64);
        let begun = Instant::now();
        loop {
            if let Some(ended) = child.try_wait().unwrap() {
                assert!(ended.success(), "a process that was not killed");
                assert!(done.exists());
                return (kills, writing);
            }
            let ripe = kills < most && begun.elapsed() >= wait;
            if ripe && (kills % 3 < 2 || !unfinished(path, child.id()).is_empty()) {
                break;
            }
            if !ripe {
                sleep(Duration::from_millis(1));
            }
        }
        child.kill().unwrap(); // SIGKILL
        child.wait().unwrap();
        let left = unfinished(path, child.id());
        writing += u64::from(!left.is_empty());
        left.iter().for_each(|file| std::fs::remove_file(file).unwrap());
    }
    unreachable!("the loop ends when a process does")
}

/// Files beside `path` that this process has begun and not ended.
fn unfinished(path: &Path, process: u32) -> Vec<PathBuf> {
    let files = std::fs::read_dir(path.parent().unwrap()).unwrap().map(|file| file.unwrap().path());
    let begun = format!(".saving-{process:x}-");
    files.filter(|file| file.file_name().unwrap().to_string_lossy().starts_with(&begun)).collect()
}

/// The bits of a run that nothing disturbs, on two threads.
fn undisturbed(name: &str) -> Vec<u8> {
    let folder = Folder::new();
    train_named(&folder.file(name), 2);
    std::fs::read(folder.file(name).with_extension("done")).unwrap()
}

#[test]
fn a_killed_run_ends_with_the_bits_of_one_that_was_not() {
    for name in ["cnn.ckpt", "mlp.ckpt"] {
        let folder = Folder::new();
        // Longer from one to the next, so that a slow machine comes to an end too.
        let longest = |kills| Duration::from_millis(20 + 20 * kills);
        let (kills, _) = killed(&folder.file(name), 1 + name.len() as u64, u64::MAX, longest);
        assert!(kills > 2, "{kills} kills");
        let found = std::fs::read(folder.file(name).with_extension("done")).unwrap();
        assert!(undisturbed(name) == found, "{name}: other bits after {kills} kills");
    }
}

#[test]
#[ignore = "takes a minute"]
fn fifty_kills_change_no_bit() {
    let begun = Instant::now();
    let truth = undisturbed("digits.ckpt");
    let alone = begun.elapsed();
    let (mut kills, mut writing, mut runs) = (0, 0, 0);
    // A little less in all than the run takes alone; where the machine has become faster meanwhile, the run
    // ends before, and another one is killed as often as is left.
    while kills < KILLS {
        let folder = Folder::new();
        let longest = |_| alone / (KILLS as u32 * 3 / 5);
        let (of_run, in_files) = killed(&folder.file("digits.ckpt"), 5 + kills, KILLS - kills, longest);
        (kills, writing, runs) = (kills + of_run, writing + in_files, runs + 1);
        assert!(truth == std::fs::read(folder.file("digits.done")).unwrap(), "other bits after {kills} kills");
        assert!(runs < 10, "{kills} kills in {runs} runs");
    }
    println!("{kills} kills, {writing} of them in the middle of a file, of {runs} runs of {alone:.1?}");
    assert!(writing >= KILLS / 4, "{writing} kills in the middle of a file");
}
