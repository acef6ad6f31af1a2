//! Which samples a rank reads and changes. In: sources that count; out: nothing, or a panic.

use std::sync::atomic::{AtomicUsize, Ordering};

use nn_runtime::data::{DataError, Labels, SampleSource, augment, digits};
use nn_runtime::prelude::*;

use crate::{Mlp, Normed, bits, fit, world};

/// Digits that are read one by one, and counted.
struct Counted<'a> {
    digits: &'a Dataset<Labels>,
    read: AtomicUsize,
}

impl SampleSource for Counted<'_> {
    type Targets = Labels;

    fn len(&self) -> usize {
        self.digits.len()
    }
    fn widths(&self) -> Vec<usize> {
        vec![784]
    }
    fn target_width(&self) -> usize {
        1
    }
    fn read(&self, index: usize, x: &mut [&mut [f32]], target: &mut [u32]) -> Result<(), DataError> {
        self.read.fetch_add(1, Ordering::Relaxed);
        x[0].copy_from_slice(self.digits.input(0, index));
        target.copy_from_slice(self.digits.targets().sample(index));
        Ok(())
    }
}

#[test]
fn each_rank_reads_its_samples_alone() {
    let data = digits::draw(300, 1);
    let train = |ranks: usize| {
        let all = world(ranks, |rank| {
            let mut mlp = Mlp::init(3);
            let source = Counted { digits: &data, read: AtomicUsize::new(0) };
            let trainer = Trainer::new(&mut mlp, CrossEntropy::new(), Adam::new(1e-3));
            trainer.distributed(rank).unwrap().fit_source(&source, fit(2)).unwrap();
            (bits(&mlp), source.read.into_inner())
        });
        assert!(all.iter().all(|(mlp, _)| *mlp == all[0].0));
        let read: Vec<usize> = all.iter().map(|(_, read)| *read).collect();
        (all.into_iter().next().unwrap().0, read)
    };
    let (alone, all) = train(1);
    for ranks in [2, 3, 8] {
        let (bits, read) = train(ranks);
        assert!(bits == alone, "{ranks} ranks");
        // The first sample is looked at by all.
        assert_eq!(read.iter().map(|read| read - 1).sum::<usize>(), all[0] - 1, "{ranks} ranks: {read:?}");
        assert!(read.iter().all(|read| *read < all[0]));
    }
}

#[test]
fn samples_are_changed_alike_wherever_they_are() {
    let data = digits::draw(150, 1);
    let train = |ranks: usize| {
        let all = world(ranks, |rank| {
            let mut model = Normed::init(3);
            let trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-3));
            let fit = Fit::epochs(2).batch(70).augment(augment::shift([1, 28, 28], 2));
            trainer.distributed(rank).unwrap().fit(&data, fit).unwrap();
            bits(&model)
        });
        assert!(all.iter().all(|model| *model == all[0]));
        all.into_iter().next().unwrap()
    };
    let alone = train(1);
    // Of the last batch there is one leaf.
    assert!(train(2) == alone && train(8) == alone);
}
