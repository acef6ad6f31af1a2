//! What private training refuses, and in which words.

use nn_runtime::prelude::*;
use nn_runtime::train::privacy::Privacy;

use crate::privacy;

network! { struct Line: [1] -> [1] { Dense(1) } }
network! { struct Inner: [4] -> [4] { Dense(4) -> norm: BatchNorm } }
network! { struct Normed: [4] -> [1] { block: Inner -> Relu -> Dense(1) } }

fn data(width: usize) -> Dataset<Values> {
    let x = vec![0.5; 20 * width];
    Dataset::values((&x[..], width), (&[1.0; 20][..], 1)).unwrap()
}

fn refused<N: Network>(
    width: usize,
    change: impl FnOnce(Trainer<'static, N, Mse, Sgd>) -> Trainer<'static, N, Mse, Sgd>,
) -> String
where
    Mse: Fits<N::Head>,
{
    let mut trainer = change(N::init(0).into_trainer(Mse::new(), Sgd::new(0.1)));
    trainer.fit(&data(width), Fit::epochs(1).batch(5)).unwrap_err().to_string()
}

#[test]
fn layers_that_look_at_whole_batches_by_name() {
    let text = refused::<Normed>(4, |trainer| trainer.private(privacy(1.0, 1.0)));
    assert_eq!(
        text,
        "`block.norm`: expected a layer that sees one sample at a time, as private training needs, found one that looks at whole \
         batches or keeps statistics of them\nhelp: `GroupNorm`, `LayerNorm` or `RmsNorm` in place of a `BatchNorm`; or `frozen`"
    );
}

#[test]
fn settings_out_of_range() {
    for (privacy, text) in [
        (privacy(-1.0, 1.0), "expected a noise of at least 0, found -1"),
        (privacy(f64::NAN, 1.0), "expected a noise of at least 0, found NaN"),
        (privacy(1.0, 0.0), "expected a norm above 0 that gradients are cut to, found 0"),
        (privacy(1.0, f64::INFINITY), "expected a norm above 0 that gradients are cut to, found inf"),
        (privacy(1.0, 1.0).delta(0.0), "expected a delta between 0 and 1, found 0"),
        (privacy(1.0, 1.0).delta(1.0), "expected a delta between 0 and 1, found 1"),
    ] {
        let found = refused::<Line>(1, |trainer| trainer.private(privacy));
        assert!(found.starts_with(text) && found.contains("\nhelp: "), "{found}");
    }
    let found = refused::<Line>(1, |trainer| trainer.private(privacy(1.0, 1.0)).accumulate(4));
    assert!(found.starts_with("expected 1 batch for each private step, found 4"), "{found}");
}

#[test]
fn batches_larger_than_the_data_and_steps_that_are_not_drawn() {
    let mut trainer = Line::init(0).into_trainer(Mse::new(), Sgd::new(0.1)).private(privacy(1.0, 1.0));
    let begun = trainer.model().get("dense_1.weight").unwrap();
    let found = trainer.fit(&data(1), Fit::epochs(1).batch(21)).unwrap_err().to_string();
    assert!(found.starts_with("expected batches of at most the 20 samples"), "{found}");
    for found in [trainer.step(&data(1)).unwrap_err(), trainer.step_with(&[&[1.0]], |_, _| 0.0).unwrap_err(), {
        let gradients = trainer.model().gradients(&[&[1.0]], &[&[1.0]]).unwrap();
        trainer.apply(&gradients).unwrap_err()
    }] {
        assert!(found.to_string().starts_with("expected samples that are drawn by chance"), "{found}");
    }
    assert_eq!(trainer.model().get("dense_1.weight").unwrap(), begun);
    assert_eq!(trainer.epsilon(1e-5), 0.0);
}

/// A sample whose gradient is no number ends the run; what was drawn for the step is not drawn again.
#[test]
fn gradients_that_are_not_finite() {
    let mut trainer = Line::init(0).into_trainer(Mse::new(), Sgd::new(1e38)).private(privacy(1.0, 1e10));
    let found = trainer.fit(&data(1), Fit::epochs(50).batch(5)).unwrap_err().to_string();
    assert!(found.contains("expected") && found.contains("the parameters are"), "{found}");
    assert!(trainer.model().get("dense_1.weight").unwrap()[0].is_finite());
    assert!(trainer.epsilon(1e-5) > 0.0);
}

/// The key never shows.
#[test]
fn settings_show_no_key() {
    let path = std::env::temp_dir().join(format!("private-key-{}.ckpt", std::process::id()));
    let key: [u8; 32] = std::array::from_fn(|i| 200 - 3 * i as u8);
    let privacy = Privacy::new(1.0, 1.0).key(key).tell(|_| {});
    let trainer = Line::init(0).into_trainer(Mse::new(), Sgd::new(0.1)).private(privacy);
    trainer.save_checkpoint(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    assert!(key.windows(4).all(|part| !bytes.windows(4).any(|found| found == part)));
}
