//! What a microcontroller learns in memory of the caller's (`examples/embedded/learn`), here: the same bits.
//! Run with all features, and in `.ci/paths` without an allocator.

use nn_runtime::data::digits::{SIDE, draw_into};
use nn_runtime::prelude::*;
use nn_runtime::train::TrainerIn;
use nn_runtime::{Isa, Network};

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
        false => assert!(said.contains("parameters 027f1b31c5a937b8\nreads 30 of 50 digits"), "{said}"),
    }
}

#[test]
fn small_and_fast_kernels_learn_the_same_bits() {
    let said = learns::<Strided>(10, &mut vec![f32::NAN; Strided::train_len(BATCH, 2)]);
    assert!(said.contains("parameters f51bac2e25537bca\n"), "{said}");
}
