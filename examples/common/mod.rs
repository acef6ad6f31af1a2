//! What the digit examples share: their flags, their data, and one training run. In: a network; out: its
//! accuracy, in words and, with `--json`, in one last line for programs.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Parser;
use nn_runtime::data::{digits, idx};
use nn_runtime::losses::{Fits, LossOn};
use nn_runtime::plot;
use nn_runtime::prelude::*;
use nn_runtime::train::{Ended, History, StopHandle};

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
    /// Writes the numbers of every epoch to this file, a line of JSON each
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Draws learning curves, which digits were taken for which, some of those, and the weights of the first
    /// layer, into this folder
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
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
        if let Some(file) = &flags.log {
            fit = fit.log(file);
        }
        // The first Ctrl-C ends training after the step that is running, with all that was learnt; the
        // second ends the program.
        let stop = StopHandle::new();
        let handle = stop.clone();
        ctrlc::set_handler(move || match handle.is_stopped() {
            false => handle.stop(),
            true => std::process::exit(130),
        })?;
        let history = trainer.fit(&train, fit.stop_by(&stop))?;
        if let Some(folder) = &flags.plots {
            draw(folder, &history, &mut trainer, &test)?;
        }
        if history.ended == Ended::Stopped {
            let help = if flags.checkpoint.is_some() { "; `--resume` goes on where it was" } else { "" };
            println!("stopped after {} steps{help}", trainer.steps());
        }
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

/// Draws how training went, and what the network mistakes.
fn draw<N: Network>(
    folder: &Path,
    history: &History,
    trainer: &mut Trainer<N, CrossEntropy, Adam>,
    test: &Dataset<Labels>,
) -> Result<(), Box<dyn Error>>
where
    CrossEntropy: Fits<N::Head> + LossOn<[u32]>,
{
    std::fs::create_dir_all(folder)?;
    plot::learning_curves(history).save(folder.join("curves.png"))?;
    let (_, matrix) = trainer.evaluate_with(test, ConfusionMatrix::new())?;
    let digits: Vec<String> = (0..10).map(|digit| digit.to_string()).collect();
    plot::confusion_matrix(&matrix, &digits).save(folder.join("confusion.png"))?;
    let answers = trainer.model().predictor(256).classes(test)?;
    let right = |i: usize| test.targets().sample(i)[0];
    let wrong: Vec<usize> = (0..test.len()).filter(|&i| answers[i] != right(i)).take(40).collect();
    let captions: Vec<String> = wrong.iter().map(|&i| format!("{} read as {}", right(i), answers[i])).collect();
    let images = test.select(&wrong);
    plot::contact_sheet(&images.inputs()[0], [1, 28, 28], &captions)?.save(folder.join("mistaken.png"))?;
    plot::first_layer(trainer.model(), [1, 28, 28])?.save(folder.join("first_layer.png"))?;
    println!("drawn into {}", folder.display());
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
