//! Several processes, on one machine or many, train one network, to the same bits as one process does.
//!
//! ```text
//! mpirun -n 4 cargo run --release --features mpi --example 15_cluster
//! mpirun -n 4 --hostfile hosts target/release/examples/15_cluster --epochs 5 --checkpoint run.ckpt
//! ```
//!
//! It needs an MPI (Debian's `libopenmpi-dev openmpi-bin` or `libmpich-dev mpich`) and `libclang-dev` to
//! build. What it prints last is the same for any number of processes. docs/scaling.md tells when more of
//! them are faster.

use std::path::PathBuf;

use clap::Parser;
use nn_runtime::data::digits;
use nn_runtime::distributed::MpiCommunicator;
use nn_runtime::prelude::*;

network! {
    /// Two convolutions, normalised over the whole batch, on however many machines it is.
    pub struct Digits: [1, 28, 28] -> [10] {
        Conv2d(16, 3) -> BatchNorm -> Relu -> MaxPool2d(2);
        Conv2d(32, 3) -> BatchNorm -> Relu -> MaxPool2d(2);
        Flatten -> head: Dense(10) -> Softmax
    }
}

#[derive(Parser)]
struct Options {
    /// How many times all samples are trained on.
    #[arg(long, default_value_t = 2)]
    epochs: usize,
    /// How many digits are drawn.
    #[arg(long, default_value_t = 4000)]
    samples: usize,
    /// Where the run is written down after each epoch, and gone on with if the file is there, on any number
    /// of processes.
    #[arg(long)]
    checkpoint: Option<PathBuf>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse();
    // Every process makes the same data and the same model.
    let (train, test) = digits::draw(options.samples, 1).split_every(10)?;
    let mut model = Digits::init(7);
    let trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-3));
    // This line is all that a cluster needs.
    let mut trainer = trainer.distributed(MpiCommunicator::world()?)?;

    let mut fit = Fit::epochs(options.epochs).batch(128).validate(&test).progress(true);
    if let Some(path) = &options.checkpoint {
        if path.exists() {
            trainer.resume(path)?;
        }
        fit = fit.checkpoint(Checkpoint::to(path));
    }
    trainer.fit(&train, fit)?;
    let evaluation = trainer.evaluate(&test)?;
    if trainer.rank() == 0 {
        println!("{evaluation}, {:.12}", evaluation.loss);
    }
    Ok(())
}
