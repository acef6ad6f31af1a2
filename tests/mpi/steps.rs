//! A rank of a world of MPI: trains three networks and prints, on rank 0, what every bit of their parameters
//! comes to. `tests/mpi/run.sh` starts it on several numbers of ranks and compares.
//!
//! ```text
//! mpirun -n 2 steps STEPS                 the bits of a perceptron, a normalised convolution, an LSTM
//! mpirun -n 2 steps STEPS run.ckpt [MS]   the perceptron alone, with a file every 5 steps; slowly
//! ```
//!
//! With `BY_MESSAGES` in the environment ranks of one machine send gradients and parameters, as others do.

use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::Duration;

use nn_runtime::data::{Labels, digits};
use nn_runtime::distributed::{CommunicationError, Communicator, MpiCommunicator, Parts, SharedParts};
use nn_runtime::prelude::*;
use nn_runtime::train::{Every, Objective, TrainError};

network! { struct Mlp: [1, 28, 28] -> [10] { Flatten -> Dense(96) -> Relu -> Dropout(0.25) -> Dense(48) -> Tanh -> Dense(10) -> Softmax } }
network! {
    struct Cnn: [1, 28, 28] -> [10] {
        Conv2d(8, 3, stride = 2) -> BatchNorm -> Relu -> Conv2d(12, 3) -> BatchNorm -> Relu -> GlobalAvgPool -> Dense(10)
    }
}
network! { struct Sequence: [28, 28] -> [10] { Lstm(24) -> LastStep -> Dense(10) } }

/// Several networks in one process take turns with one world.
#[derive(Clone)]
struct Turn(std::sync::Arc<MpiCommunicator>);

impl Communicator for Turn {
    fn rank(&self) -> usize {
        self.0.rank()
    }
    fn size(&self) -> usize {
        self.0.size()
    }
    fn exchange(&self, send: &[&[u8]], receive: &mut [&mut [u8]]) -> Result<(), CommunicationError> {
        self.0.exchange(send, receive)
    }
    fn exchange_while(
        &self,
        send: &mut Parts,
        receive: &mut Parts,
        work: &mut dyn FnMut(),
    ) -> Result<(), CommunicationError> {
        self.0.exchange_while(send, receive, work)
    }
    fn shared(&self, len: usize) -> Result<Option<SharedParts>, CommunicationError> {
        let shared = self.0.shared(len)?;
        Ok(shared.filter(|_| std::env::var_os("BY_MESSAGES").is_none()))
    }
}

/// FNV-1a of all parameters' bits.
fn hash<N: Network>(model: &Model<N>) -> u64 {
    let tensors = model.tensors();
    let numbers = tensors.iter().flat_map(|tensor| model.get(&tensor.name).unwrap_or_default());
    let bytes = numbers.flat_map(|x| x.to_bits().to_le_bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn bits<N: Network, L>(
    name: &str,
    loss: L,
    world: &Turn,
    data: &Dataset<Labels>,
    steps: usize,
) -> Result<(), TrainError>
where
    L: Fits<N::Head> + Objective<Labels>,
{
    let mut model = N::init(3);
    let batch = 100;
    let epochs = steps.div_ceil(data.len().div_ceil(batch));
    let mut trainer = Trainer::new(&mut model, loss, Adam::new(1e-3)).distributed(world.clone())?;
    let history = trainer.fit(data, Fit::epochs(epochs).batch(batch).seed(5))?;
    let loss = trainer.evaluate(data)?.loss;
    assert!(loss < history.epochs[0].train.loss, "{name} learns nothing");
    drop(trainer);
    if world.rank() == 0 {
        println!("{name} {:016x} {:016x}", hash(&model), loss.to_bits());
    }
    Ok(())
}

fn resumed(world: &Turn, data: &Dataset<Labels>, (steps, pause): (usize, u64), path: &Path) -> Result<(), TrainError> {
    let mut model = Mlp::init(3);
    let batch = 100;
    let epochs = steps.div_ceil(data.len().div_ceil(batch));
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-3)).distributed(world.clone())?;
    if path.exists() {
        trainer.resume(path)?;
    }
    let checkpoint = Checkpoint::to(path).every(Every::Steps(5));
    let slowly = |_: &nn_runtime::train::StepReport, _: &Model<Mlp>| {
        sleep(Duration::from_millis(pause));
        ControlFlow::Continue(())
    };
    trainer.fit(data, Fit::epochs(epochs).batch(batch).seed(5).checkpoint(checkpoint).on_step(slowly))?;
    drop(trainer);
    if world.rank() == 0 {
        println!("mlp {:016x}", hash(&model));
    }
    Ok(())
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let steps = arguments.first().map_or(Ok(100), |steps| steps.parse())?;
    let data = digits::draw(430, 1);
    let world = Turn(MpiCommunicator::world()?.into());
    match arguments.get(1) {
        None => {
            bits::<Mlp, _>("mlp", CrossEntropy::new(), &world, &data, steps)?;
            bits::<Cnn, _>("cnn", CrossEntropy::new(), &world, &data, steps)?;
            bits::<Sequence, _>("lstm", CrossEntropy::new(), &world, &data, steps)?;
        }
        Some(path) => {
            let pause = arguments.get(2).map_or(Ok(0), |pause| pause.parse())?;
            println!("rank {} is process {}", world.rank(), std::process::id());
            resumed(&world, &data, (steps, pause), path.as_ref())?;
        }
    }
    Ok(())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
