//! Damaged files: an error, no panic, nothing changed.

use nn_runtime::prelude::*;
use nn_runtime::train::TrainError;

use crate::{Folder, Mlp, bits, data, mutated};

#[test]
fn five_hundred_damaged_files_are_refused() {
    let folder = Folder::new();
    let path = folder.file("run.ckpt");
    let mut model = Mlp::init(3);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-2)).ema(0.9);
    let checkpoint = Checkpoint::to(&path);
    trainer.fit(&data(1, 40), Fit::epochs(2).keep_best().checkpoint(checkpoint)).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let mut model = Mlp::init(4);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-2)).ema(0.9);
    let before = bits(&trainer, &folder);
    let mut damaged = 0;
    for number in 0..600 {
        let bytes = mutated(&whole, number);
        if bytes == whole {
            continue;
        }
        std::fs::write(&path, &bytes).unwrap();
        let error = trainer.resume(&path).expect_err("damage is seen");
        assert!(matches!(error, TrainError::Checkpoint { .. }), "{error}");
        damaged += 1;
    }
    assert!(damaged >= 500, "{damaged}");
    assert!(bits(&trainer, &folder) == before, "nothing has changed");
    std::fs::write(&path, &whole).unwrap();
    trainer.resume(&path).unwrap();
    assert!(bits(&trainer, &folder) != before);
}
