//! One rank of a measurement: what a step takes on however many ranks have been started, and what messages
//! take. In: a network, a batch, threads; out: microseconds, on rank 0. `benches/ranks.sh` starts it and
//! compares.
//!
//! ```text
//! mpirun -n 2 ranks cnn 128 1         a step of a distributed trainer
//! ranks cnn 128 2 alone               a step of one that is not
//! mpirun -n 2 ranks messages          what messages of several lengths take between two ranks
//! ```

use std::time::Instant;

use nn_benches::networks::{Cnn, MlpWide};
use nn_benches::resident;
use nn_runtime::distributed::{Communicator, MpiCommunicator};
use nn_runtime::prelude::*;

/// The fastest of some epochs, in microseconds a step.
fn step<N: Network>(
    batch: usize,
    threads: usize,
    world: Option<MpiCommunicator>,
) -> Result<(), Box<dyn std::error::Error>>
where
    CrossEntropy: Fits<N::Head>,
{
    let digits = resident();
    let samples: Vec<usize> = (0..32 * batch.min(digits.len() / 32)).collect();
    let digits = digits.select(&samples);
    let mut model = N::init(0);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-3)).threads(threads);
    if let Some(world) = world {
        trainer = trainer.distributed(world)?;
    }
    let history = trainer.fit(&digits, Fit::epochs(5).batch(batch))?;
    let steps = digits.len().div_ceil(batch) as f64;
    // The first epoch makes room.
    let times = history.epochs[1..].iter().map(|epoch| epoch.time.as_secs_f64() / steps * 1e6);
    if trainer.rank() == 0 {
        println!("{:.0}", times.fold(f64::INFINITY, f64::min));
    }
    Ok(())
}

fn messages(world: &MpiCommunicator) -> Result<(), Box<dyn std::error::Error>> {
    for bytes in [8, 1 << 12, 1 << 16, 1 << 20, 1 << 23] {
        let send = vec![0; bytes];
        let mut received = vec![vec![0; bytes]; world.size()];
        let times = 20.max((1 << 22) / (bytes + 1024));
        let mut best = f64::INFINITY;
        for _ in 0..5 {
            let begun = Instant::now();
            for _ in 0..times {
                let mut receive: Vec<&mut [u8]> = received.iter_mut().map(|bytes| &mut bytes[..]).collect();
                world.exchange(&vec![&send[..]; world.size()], &mut receive)?;
            }
            best = best.min(begun.elapsed().as_secs_f64() / f64::from(times as u32) * 1e6);
        }
        if world.rank() == 0 {
            println!("{bytes} bytes to each of {} ranks: {best:.1} µs", world.size());
        }
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["messages"] => messages(&MpiCommunicator::world()?),
        [network, batch, threads, ..] => {
            let world = if words.get(3) == Some(&"alone") { None } else { Some(MpiCommunicator::world()?) };
            let (batch, threads) = (batch.parse()?, threads.parse()?);
            match network {
                "cnn" => step::<Cnn>(batch, threads, world),
                "mlp-wide" => step::<MlpWide>(batch, threads, world),
                other => Err(format!("expected `cnn` or `mlp-wide`, found `{other}`").into()),
            }
        }
        _ => Err("expected `messages`, or a network, a batch and a number of threads".into()),
    }
}
