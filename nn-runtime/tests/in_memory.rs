//! What a microcontroller learns in memory of the caller's (`examples/embedded/learn`), here: the same bits.
//! Run with all features, and in `.ci/paths` without an allocator.

use nn_runtime::data::digits::{SIDE, draw_into};
use nn_runtime::prelude::*;
use nn_runtime::train::TrainerIn;
use nn_runtime::{Differentiator, Isa, ModelRef, Network};

network! {
    struct LeNet: [1, 28, 28] -> [10] {
        Conv2d(6, 5, padding = Same) -> Relu -> MaxPool2d(2);
        Conv2d(16, 5) -> Relu -> MaxPool2d(2);
        Flatten -> Dense(64) -> Relu -> head: Dense(10)
    }
}
network! {
    /// Without a convolution that could pool on the way.
    struct Strided: [1, 28, 28] -> [10] {
        Conv2d(6, 5, stride = 2) -> Relu -> Conv2d(16, 5, stride = 2) -> BatchNorm -> Relu -> Flatten -> Dense(10)
    }
}

const BATCH: usize = 8;

/// What it says after so many steps, of which the first and the last tell their losses.
fn learns<N: Network<Head = nn_runtime::PlainHead>>(steps: u64, memory: &mut [f32]) -> String {
    let mut params = vec![f32::NAN; N::PARAMS_LEN];
    let mut model = N::init_in(1, &mut params).unwrap();
    let (loss, optimizer) = (CrossEntropy::new(), Adam::new(2e-3));
    let mut trainer = TrainerIn::new_in_on(memory, BATCH, &mut model, loss, optimizer, Isa::PORTABLE).unwrap();
    let (mut images, mut labels) = ([[0.0; SIDE * SIDE]; BATCH], [0; BATCH]);
    let mut said = String::new();
    for step in 0..steps {
        for (i, (image, label)) in images.iter_mut().zip(&mut labels).enumerate() {
            *label = draw_into(1, step * BATCH as u64 + i as u64, image);
        }
        let loss = trainer.step(&[images.as_flattened()], &labels).unwrap();
        if step == 0 || step + 1 == steps {
            said += &format!("step {}: loss {:016x}\n", step + 1, loss.to_bits());
        }
    }
    let bytes = trainer.as_params().iter().flat_map(|number| number.to_bits().to_le_bytes());
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    said += &format!("parameters {hash:016x}\n");
    let mut right = 0;
    let mut scores = [0.0; 10];
    for i in 0..50 {
        let label = draw_into(2, i, &mut images[0]) as usize;
        trainer.predict_into(&[&images[0]], &mut [&mut scores]).unwrap();
        right += usize::from((0..10).all(|class| class == label || scores[class] < scores[label]));
    }
    said + &format!("reads {right} of 50 digits\n")
}

#[test]
fn a_microcontroller_learns_the_same_bits() {
    let said = learns::<LeNet>(40, &mut vec![f32::NAN; LeNet::train_len(BATCH, 2)]);
    match cfg!(feature = "small") {
        true => assert_eq!(said, include_str!("../../examples/embedded/learns.txt")),
        // Where a convolution pools on the way, its gradients are summed in another order.
        false => assert!(said.contains("parameters 4ae31f363df3a4f0\nreads 30 of 50 digits"), "{said}"),
    }
}

#[test]
fn small_and_fast_kernels_learn_the_same_bits() {
    let said = learns::<Strided>(10, &mut vec![f32::NAN; Strided::train_len(BATCH, 2)]);
    assert!(said.contains("parameters dd3e345b40e19008\n"), "{said}");
}

network! { struct Two: [3] -> [2] { Dense(2) } }

fn numbers(params: &[f32]) -> [f32; Two::PARAMS] {
    let mut all = [0.0; Two::PARAMS];
    ModelRef::<Two>::new(params).unwrap().read_params(&mut all);
    all
}

#[test]
fn a_trainer_begins_anew_with_other_parameters() {
    let (x, y) = ([0.5, -1.0, 2.0, 1.0, 0.0, -0.5], [1.0, 0.0, -1.0, 0.5]);
    let begin = [0.1, -0.2, 0.3, 0.4, 0.5, -0.6, 0.7, -0.8];
    let learn = |before: usize| {
        let (mut params, mut memory) = ([f32::NAN; Two::PARAMS_LEN], [f32::NAN; Two::train_len(2, 2)]);
        let mut model = Two::init_in(before as u64, &mut params).unwrap();
        let mut trainer = TrainerIn::new_in(&mut memory, 2, &mut model, Mse::new(), Adam::new(0.1)).unwrap();
        (0..before).for_each(|_| assert!(trainer.step(&[&x], &y).is_ok()));
        trainer.restart(&begin).unwrap();
        assert_eq!((numbers(trainer.as_params()), trainer.steps()), (begin, 0));
        (0..3).for_each(|_| assert!(trainer.step(&[&x], &y).is_ok()));
        // What is refused changes nothing.
        let learnt = numbers(trainer.as_params());
        for refused in [&begin[1..], &[f32::NAN; Two::PARAMS]] {
            assert!(trainer.restart(refused).is_err());
            assert_eq!((numbers(trainer.as_params()), trainer.steps()), (learnt, 3));
        }
        learnt
    };
    assert_eq!(learn(0), learn(5));
}

#[test]
fn gradients_go_through_in_memory_of_the_callers() {
    let (mut params, mut memory) = ([0.0; Two::PARAMS_LEN], [f32::NAN; Two::differentiate_len(2)]);
    let mut model = Two::init_in(3, &mut params).unwrap();
    model.write_params(&[1.0, 2.0, 3.0, -4.0, 5.0, 6.0, 0.0, 0.0]).unwrap();
    assert!(Differentiator::<Two, _>::new_in(2, &mut memory[1..]).is_err());
    assert!(Differentiator::<Two, _>::new_in(0, &mut memory).is_err());
    let mut through = Differentiator::<Two, _>::new_in(2, &mut memory).unwrap();
    // More samples than there is memory for run one batch after the other.
    let (x, dy, mut dx) = ([0.5; 9], [1.0, 0.0, 0.0, 1.0, 2.0, -1.0], [f32::NAN; 9]);
    through.input_gradient(&model, &[&x], &[&dy], &mut [&mut dx]).unwrap();
    assert_eq!(dx, [1.0, 2.0, 3.0, -4.0, 5.0, 6.0, 6.0, -1.0, 0.0]);
    assert!(through.input_gradient(&model, &[&x], &[&dy[1..]], &mut [&mut dx]).is_err());
    let summed = |y: &[&[f32]], dy: &mut [&mut [f32]]| {
        dy[0].fill(1.0);
        f64::from(y[0].iter().sum::<f32>())
    };
    let sum = through.input_gradient_with(&model, &[&x[..6]], summed, &mut [&mut dx[..6]]).unwrap();
    assert_eq!((sum, &dx[..3]), (13.0, &[-3.0, 7.0, 9.0][..]));
}
