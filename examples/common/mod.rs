//! What the digit examples share: their flags, their data, and one training run. In: a network; out: its
//! accuracy, in words and, with `--json`, in one last line for programs.

use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Parser;
use nn_runtime::data::{digits, idx};
use nn_runtime::losses::{Fits, LossOn};
use nn_runtime::prelude::*;

/// The flags of the digit examples.
#[derive(Parser)]
#[command(about = "Learns to read handwritten digits")]
pub struct Flags {
    /// A folder of IDX files under MNIST's usual names, gzipped or not; the drawn digits where it is not
    /// given
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// How often every sample is trained on
    #[arg(long, default_value_t = 5)]
    epochs: usize,
    /// Samples per step
    #[arg(long, default_value_t = 32)]
    batch: usize,
    /// Of the first parameters and of the order of samples
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Writes the trained parameters to this file, as safetensors
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Begins with the parameters in this file; `--epochs 0` only evaluates them
    #[arg(long, value_name = "FILE")]
    load: Option<PathBuf>,
    /// Writes the run to this folder every 30 seconds, to go on after whatever breaks it off
    #[arg(long, value_name = "DIR")]
    checkpoint: Option<PathBuf>,
    /// Goes on with the run in the folder of `--checkpoint`, if there is one
    #[arg(long, requires = "checkpoint")]
    resume: bool,
    /// Ends with one line of JSON
    #[arg(long)]
    json: bool,
}

/// Trains the network on digits as the flags say.
pub fn run<N>() -> Result<(), Box<dyn Error>>
where
    N: Network,
    CrossEntropy: Fits<N::Head> + LossOn<[u32]>,
{
    let flags = Flags::parse();
    let (train, test) = match &flags.data {
        Some(folder) => idx::mnist(folder)?,
        None => digits::draw(10_000, 1).split_every(5)?,
    };
    println!("{} training and {} test images, {} parameters", train.len(), test.len(), N::param_count());

    let mut model = match &flags.load {
        Some(file) => Model::<N>::load(file)?,
        None => N::init(flags.seed),
    };
    let begun = Instant::now();
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-3).eps(1e-7));
    if flags.epochs > 0 {
        let mut fit = Fit::epochs(flags.epochs).batch(flags.batch).seed(flags.seed).validate(&test).progress(true);
        if let Some(folder) = &flags.checkpoint {
            std::fs::create_dir_all(folder)?;
            let file = folder.join("run.ckpt");
            if flags.resume && file.exists() {
                trainer.resume(&file)?;
                println!("going on after {} steps", trainer.steps());
            }
            fit = fit.checkpoint(Checkpoint::to(file).every(Duration::from_secs(30)));
        }
        let history = trainer.fit(&train, fit)?;
        println!("{history}");
    }
    let seconds = begun.elapsed().as_secs_f64();
    let on_train = trainer.evaluate(&train)?;
    let on_test = trainer.evaluate(&test)?;
    println!("on digits it has never seen: {on_test}");

    if let Some(file) = &flags.save {
        model.save(file)?;
        println!("saved to {}", file.display());
    }
    if flags.json {
        let line = serde_json::json!({
            "train_loss": on_train.loss,
            "test_loss": on_test.loss,
            "test_accuracy": on_test.accuracy,
            "epochs": flags.epochs,
            "seed": flags.seed,
            "seconds": seconds,
        });
        println!("{line}");
    }
    Ok(())
}

/// Prints an error as a person would want to read it, and fails.
pub fn report(result: Result<(), Box<dyn Error>>) -> std::process::ExitCode {
    match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}
