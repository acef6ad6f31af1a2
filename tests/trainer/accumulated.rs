//! Schedules, gradients of several batches and averages in memory of the caller's: the bits of the trainer
//! that allocates; what is refused changes nothing.

use nn_runtime::data::digits;
use nn_runtime::losses::Fits;
use nn_runtime::prelude::*;
use nn_runtime::train::schedule::Schedule;
use nn_runtime::train::{StepErrorKind, TrainerIn};
use nn_runtime::{Isa, ModelRef};

network! {
    /// Sums made block by block, statistics, noise.
    struct Cnn: [1, 28, 28] -> [10] {
        Conv2d(4, 5, stride = 3) -> BatchNorm -> Relu -> Dropout(0.1) -> Flatten -> Dense(10)
    }
}
network! {
    /// A row of padding, which no step changes.
    struct Words: [6] -> [3] { Embedding(11, 4, padding = 2) -> Flatten -> Dense(3) }
}

fn data(count: usize) -> [(Vec<f32>, Vec<u32>); 2] {
    let drawn = digits::draw(count, 3);
    let ids = (0..6 * count).map(|i| (i * i % 11) as f32).collect();
    let labels = (0..count as u32).map(|i| i % 3).collect();
    [(drawn.inputs()[0].as_slice().to_vec(), drawn.targets().as_slice().to_vec()), (ids, labels)]
}

/// Batches of these sizes, of which three make a step, with an average of the steps.
fn same<N: Network>(x: &[f32], labels: &[u32], schedule: impl Schedule + Copy + 'static, clip: Option<Clip>, isa: Isa)
where
    CrossEntropy: Fits<N::Head>,
{
    let (width, loss, optimizer) = (x.len() / labels.len(), CrossEntropy::new(), Adam::new(1e-2));
    let (mut a, mut b) = (N::init(7), vec![f32::NAN; N::PARAMS_LEN]);
    let mut b = N::init_in(7, &mut b).unwrap();
    let mut memory = vec![f32::NAN; nn_runtime::train::training_len(N::COMPILED, 40, 2, false)];
    let mut allocated = Trainer::new_on(&mut a, loss, optimizer, isa).threads(1).schedule(schedule);
    let mut lent = TrainerIn::new_in_on(&mut memory, 40, &mut b, loss, optimizer, isa).unwrap().schedule(schedule);
    allocated = allocated.accumulate(3).ema(0.75);
    if let Some(clip) = clip {
        (allocated, lent) = (allocated.clip(clip), lent.clip(clip));
    }
    let (mut held, mut average) = (vec![f32::NAN; N::PARAMS_LEN], vec![f32::NAN; N::PARAMS_LEN]);
    let mut grads = lent.accumulator(&mut held).unwrap();
    let mut at = 0;
    for (i, size) in [40, 3, 17, 5, 20, 33, 2, 2, 2].into_iter().enumerate() {
        let (x, labels) = (&x[at * width..(at + size) * width], &labels[at..at + size]);
        at += size;
        let batch = Dataset::classes((x.to_vec(), width), labels.to_vec()).unwrap();
        let expected = allocated.step(&batch).unwrap();
        // What is refused is no part of a sum.
        let bad = vec![f32::MAX; x.len()];
        let refused = lent.accumulate(&[&bad], labels, &mut grads).unwrap_err().kind();
        assert!(matches!(refused, StepErrorKind::NotFinite | StepErrorKind::Input));
        let found = lent.accumulate(&[x], labels, &mut grads).unwrap();
        assert_eq!(expected.to_bits(), found.to_bits(), "{isa:?}, batch {i}");
        if i % 3 == 2 {
            lent.step_accumulated(&mut grads).unwrap();
            lent.average_into(&mut average, if lent.steps() == 1 { 0.0 } else { 0.75 }).unwrap();
            assert!(allocated.model().as_params() == lent.as_params(), "{isa:?}, batch {i}");
            assert!(allocated.ema_model().as_params() == average, "{isa:?}, batch {i}");
            assert_eq!(allocated.learning_rate().to_bits(), lent.learning_rate().to_bits());
        }
    }
    assert_eq!((allocated.steps(), lent.steps()), (3, 3));
    // Nothing waits, so that no step is taken.
    lent.step_accumulated(&mut grads).unwrap();
    assert_eq!(lent.steps(), 3);
    assert!(ModelRef::<N>::new(&average).is_ok());
    for wrong in [N::PARAMS_LEN - 1, 0] {
        assert!(lent.accumulator(&mut vec![0.0; wrong]).is_err());
        assert!(lent.average_into(&mut vec![0.0; wrong], 0.5).is_err());
    }
}

#[test]
fn schedules_sums_of_batches_and_averages_are_the_same_bits() {
    for isa in Isa::available() {
        let [(images, digits), (ids, labels)] = data(124);
        let schedule = Warmup::new(2).start(0.5).then(Cosine::new(9));
        same::<Cnn>(&images, &digits, schedule, None, isa);
        same::<Cnn>(&images, &digits, OneCycle::new(5), Some(Clip::GlobalNorm(0.1)), isa);
        same::<Words>(&ids, &labels, StepDecay::new(1, 0.5), Some(Clip::Norm(0.1)), isa);
    }
}

#[test]
fn a_schedule_out_of_range_is_told_before_anything_changes() {
    let (mut params, mut memory) = ([0.0; Words::PARAMS_LEN], [0.0; Words::train_len(1, 0)]);
    let mut model = Words::init_in(3, &mut params).unwrap();
    let trainer = TrainerIn::new_in(&mut memory, 1, &mut model, CrossEntropy::new(), Sgd::new(0.1)).unwrap();
    let mut trainer = trainer.schedule(StepDecay::new(0, 0.5));
    let before = trainer.as_params().to_vec();
    let refused = trainer.step(&[&[1.0; 6]], &[0]).unwrap_err();
    assert_eq!(refused.kind(), StepErrorKind::Setting);
    assert!(refused.to_string().starts_with("`StepDecay`: expected"), "{refused}");
    assert!(trainer.as_params() == before);
}
