//! A run that carries states from window to window, broken off at any window.

use std::ops::ControlFlow;

use nn_runtime::prelude::*;
use nn_tests::numbers::numbers;

use crate::{Folder, bits, losses, mutated};

network! { struct Long: [4, 2] -> [4, 3] { Gru(5) -> Dropout(0.2) -> Lstm(4) -> DensePerStep(3) } }

const SAMPLES: usize = 19;

fn data() -> Dataset<Values> {
    let len = 3 * SAMPLES;
    Dataset::values((numbers(1, len * 8, 1.0), 8), (numbers(2, len * 12, 1.0), 12)).unwrap()
}

fn trainer(model: &mut Model<Long>, threads: usize) -> Trainer<'_, Long, Mse, Adam> {
    Trainer::new(model, Mse::new(), Adam::new(1e-2)).stateful().threads(threads)
}

fn fit<'d>() -> Fit<'d, Values, Long> {
    Fit::epochs(2).batch(SAMPLES).shuffle(false)
}

#[test]
fn a_run_goes_on_in_the_middle_of_its_sequences() {
    let (train, folder) = (data(), Folder::new());
    let path = folder.file("run.ckpt");
    let mut model = Long::init(3);
    let mut undisturbed = trainer(&mut model, 2);
    let history = undisturbed.fit(&train, fit()).unwrap();
    let truth = (bits(&undisturbed, &folder), losses(&history));
    for last in 1..6 {
        let mut model = Long::init(3);
        let mut broken = trainer(&mut model, 1 + last % 2);
        let mut count = 0;
        let stop = |_: &_, _: &_| {
            count += 1;
            if count == last { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        broken.fit(&train, fit().on_step(stop).checkpoint(Checkpoint::to(&path))).unwrap();
        let mut model = Long::init(99);
        let mut resumed = trainer(&mut model, 2 - last % 2);
        resumed.resume(&path).unwrap();
        let history = resumed.fit(&train, fit()).unwrap();
        assert!((bits(&resumed, &folder), losses(&history)) == truth, "broken off after window {last}");
    }
}

/// A loop of one's own, whose next window begins where the file was written.
#[test]
fn steps_go_on_from_a_file() {
    let (train, folder) = (data(), Folder::new());
    let path = folder.file("own.ckpt");
    let window = |k: usize| train.select(&(k * SAMPLES..(k + 1) * SAMPLES).collect::<Vec<_>>());
    let mut model = Long::init(3);
    let mut first = trainer(&mut model, 1);
    first.step(&window(0)).unwrap();
    first.save_checkpoint(&path).unwrap();
    let truth = [first.step(&window(1)).unwrap(), first.step(&window(2)).unwrap()];
    let mut model = Long::init(99);
    let mut again = trainer(&mut model, 1);
    again.step(&window(2).select(&[0, 1])).unwrap();
    again.resume(&path).unwrap();
    assert_eq!([again.step(&window(1)).unwrap(), again.step(&window(2)).unwrap()], truth);

    // The weights alone, without what lies beside them.
    let loaded = Model::<Long>::load(&path).unwrap();
    assert_ne!(loaded.get("gru_1.weight_ih"), Long::init(3).get("gru_1.weight_ih"));
    let mut model = Long::init(0);
    let error = Trainer::new(&mut model, Mse::new(), Adam::new(1e-2)).resume(&path).unwrap_err().to_string();
    assert!(error.contains("stateful: expected as in the file, yes, found nothing"), "{error}");
    // What is damaged is refused, and the state stays.
    let bytes = std::fs::read(&path).unwrap();
    for number in 0..40 {
        std::fs::write(&path, mutated(&bytes, number)).unwrap();
        if std::fs::read(&path).unwrap() != bytes {
            assert!(again.resume(&path).is_err(), "{number}");
        }
    }
    let more = again.step(&window(0)).unwrap();
    assert_eq!(first.step(&window(0)).unwrap(), more);
}
