//! A gradient that is not finite, of one sample among many, under every setting of a trainer at once: the
//! step is refused, and the run goes on as if the batch had never come. In: networks with a trap, settings;
//! out: nothing, or what a refused batch left behind.

use nn_runtime::distributed::LocalCommunicator;
use nn_runtime::prelude::*;
use nn_runtime::train::TrainError;
use nn_runtime::{Layer, LayerContext, LayerSpec, Rule, Shape};
use nn_tests::numbers::numbers;

use super::params;

network! {
    struct Cells: (x: [5, 2], trap: [1]) -> [5, 3] {
        let h = x -> first: Lstm(6);
        (h, trap) -> Trap -> last: DensePerStep(3)
    }
}
network! {
    struct Dense3: (x: [5, 2], trap: [1]) -> [5, 3] {
        let h = x -> Flatten -> first: Dense(30) -> norm: BatchNorm -> Tanh;
        (h, trap) -> Trap -> last: Dense(15) -> Reshape([5, 3])
    }
}

/// Gives on its first input; of a sample whose second is not 0 the gradient is NaN, infinite or too large.
#[derive(Clone, Copy)]
struct Trap;

impl Trap {
    const fn new() -> Self {
        Trap
    }
    const fn rule(&self, [x, _]: [Shape; 2]) -> Rule {
        LayerSpec::output(x).ok()
    }
}

impl Layer<2> for Trap {
    fn forward(&self, _: &mut LayerContext, [x, _]: [&[f32]; 2], [y]: [&mut [f32]; 1]) {
        y.copy_from_slice(x);
    }
    fn backward_input(
        &self,
        _: &mut LayerContext,
        [_, trap]: [&[f32]; 2],
        _: [&[f32]; 1],
        [dy]: [&[f32]; 1],
        [dx, dtrap]: [&mut [f32]; 2],
    ) {
        dx.copy_from_slice(dy);
        dtrap.fill(0.0);
        let row = dx.len() / trap.len();
        for (dx, trap) in dx.chunks_mut(row).zip(trap) {
            match *trap as u32 {
                0 => {}
                1 => dx[row / 2] = f32::NAN,
                2 => dx[0] = f32::NEG_INFINITY,
                _ => dx.fill(3e38),
            }
        }
    }
}

/// NaN, infinite, too large, in turn.
const TRAPS: &[f32] = &[3.0, 1.0, 2.0];

/// 21 samples, the last of which has a trap.
fn data(seed: u64, trap: f32) -> Dataset<Values> {
    const SAMPLES: usize = 21;
    let mut traps = vec![0.0; SAMPLES];
    traps[SAMPLES - 1] = trap;
    let data = Dataset::values((numbers(seed, SAMPLES * 10, 1.0), 10), (numbers(seed + 50, SAMPLES * 15, 1.0), 15));
    data.unwrap().with_input((traps, 1)).unwrap()
}

type Set<N> = for<'m> fn(Trainer<'m, N, Mse, Adam>) -> Trainer<'m, N, Mse, Adam>;

/// What a run comes to, with batches that are refused between its own or without.
fn run<N: Network>(
    set: impl for<'m> Fn(Trainer<'m, N, Mse, Adam>) -> Trainer<'m, N, Mse, Adam>,
    traps: &[f32],
) -> Vec<Vec<f32>>
where
    Mse: Fits<N::Head>,
{
    let mut model = N::init(1);
    let mut trainer = set(Trainer::new(&mut model, Mse::new(), Adam::new(0.01)));
    for seed in 0..5 {
        trainer.step(&data(seed, 0.0)).unwrap();
        if seed == 3 {
            trainer.swa_epoch();
        }
        for &trap in traps {
            let before = params(trainer.model());
            let error = trainer.step(&data(90 + seed, trap)).unwrap_err();
            assert!(matches!(error, TrainError::NotFinite { .. }), "{error}");
            assert_eq!(params(trainer.model()), before);
        }
    }
    let others = [params(&trainer.ema_model()), params(&trainer.swa_model(&data(1, 0.0), 7).unwrap())];
    let told = vec![trainer.steps() as f32, trainer.learning_rate() as f32];
    [vec![told], others.to_vec(), vec![params(&model)]].concat()
}

#[test]
fn whatever_a_trainer_is_set_to() {
    fn all<N: Network>()
    where
        Mse: Fits<N::Head>,
    {
        let settings: [(&str, Set<N>); 12] = [
            ("plain", |t| t.swa(1)),
            ("threads", |t| t.swa(1).threads(2)),
            ("global norm", |t| t.swa(1).clip(Clip::GlobalNorm(0.1)).ema(0.9)),
            ("norm", |t| t.swa(1).clip(Clip::Norm(0.1))),
            ("value", |t| t.swa(1).clip(Clip::Value(0.1)).threads(3)),
            ("accumulated", |t| t.swa(1).accumulate(2).ema(0.5)),
            ("accumulated and clipped", |t| t.swa(1).accumulate(3).clip(Clip::GlobalNorm(0.1)).threads(2)),
            ("L1", |t| t.swa(1).regularize("last", Regularizer::L1(0.1))),
            ("L2", |t| t.swa(1).regularize("first", Regularizer::L2(0.1)).clip(Clip::Value(0.1))),
            ("a factor", |t| t.swa(1).rate_factor("first", 0.1)),
            ("a schedule", |t| t.swa(1).schedule(Warmup::new(3).then(Cosine::new(9)))),
            ("many", |t| {
                let t = t.swa(1).ema(0.9).accumulate(2).clip(Clip::Norm(0.3)).schedule(Exponential::new(0.9));
                t.regularize("first", Regularizer::L2(0.1)).rate_factor("last", 2.0).threads(2)
            }),
        ];
        for (what, set) in settings {
            let truth = run(set, &[]);
            assert!(run(set, TRAPS) == truth, "{what}");
        }
    }
    all::<Cells>();
    all::<Dense3>();
}

/// Windows that are refused leave the state as it was.
#[test]
fn states_that_are_carried() {
    let set: Set<Cells> = |t| t.swa(1).stateful().ema(0.5).threads(2);
    let truth = run(set, &[]);
    let stateless: Set<Cells> = |t| t.swa(1).ema(0.5);
    assert!(truth != run(stateless, &[]), "states count");
    assert!(run(set, TRAPS) == truth);
}

/// The sample lies with the last rank, and all refuse.
#[test]
fn ranks_of_which_one_has_the_sample() {
    let each = |traps: &[f32]| -> Vec<Vec<Vec<f32>>> {
        std::thread::scope(|scope| {
            let ranks = LocalCommunicator::world(3).into_iter();
            let ranks: Vec<_> = ranks
                .map(|rank| {
                    scope.spawn(move || {
                        let rank = std::cell::Cell::new(Some(rank));
                        run::<Cells>(
                            |t| {
                                t.swa(1).clip(Clip::GlobalNorm(0.1)).ema(0.5).distributed(rank.take().unwrap()).unwrap()
                            },
                            traps,
                        )
                    })
                })
                .collect();
            ranks.into_iter().map(|rank| rank.join().unwrap()).collect()
        })
    };
    let truth = each(&[]);
    assert!(each(TRAPS) == truth);
}
