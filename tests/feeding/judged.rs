//! Samples that are read and count differently, and samples that are read to validate on: as in memory.

use nn_runtime::data::{DataError, Dtype, OnDisk, Rows, SampleSource};
use nn_runtime::prelude::*;
use nn_runtime::train::{History, TrainError};

use crate::{Net, data, trained};

/// A data set as a source, weights included.
struct Weighed(Dataset<Labels>);

impl SampleSource for Weighed {
    type Targets = Labels;

    fn len(&self) -> usize {
        self.0.len()
    }

    fn widths(&self) -> Vec<usize> {
        vec![6]
    }

    fn target_width(&self) -> usize {
        1
    }

    fn read(&self, i: usize, x: &mut [&mut [f32]], target: &mut [u32]) -> Result<(), DataError> {
        x[0].copy_from_slice(self.0.input(0, i));
        target.copy_from_slice(self.0.targets().sample(i));
        Ok(())
    }

    fn weights_width(&self) -> usize {
        self.0.weights().map_or(0, Values::width)
    }

    fn read_weights(&self, i: usize, weights: &mut [f32]) -> Result<(), DataError> {
        weights.copy_from_slice(self.0.weights().unwrap().sample(i));
        Ok(())
    }
}

fn weighed(samples: usize) -> Dataset<Labels> {
    let weights: Vec<f32> = (0..samples).map(|i| [1.0, 0.5, 0.0, 3.0][i % 4]).collect();
    data(samples).with_weights((weights, 1)).unwrap()
}

fn numbers_of(history: &History) -> Vec<(u64, Vec<(String, u64)>)> {
    let bits = |(name, number): &(String, f64)| (name.clone(), number.to_bits());
    let epochs = history.epochs.iter();
    epochs.map(|epoch| (epoch.validation.unwrap().loss.to_bits(), epoch.metrics.iter().map(bits).collect())).collect()
}

#[test]
fn weights_are_read_with_their_samples() {
    let source = Weighed(weighed(70));
    let fit = || Fit::epochs(3).batch(16).shuffle(false);
    let truth = trained(1, |trainer| trainer.fit(&source.0, fit()).unwrap());
    let plain = trained(1, |trainer| trainer.fit(&data(70), fit()).unwrap());
    assert_ne!(truth, plain);
    for loaders in [1, 3] {
        let found = trained(2, |trainer| trainer.fit_source(&source, fit().loaders(loaders)).unwrap());
        assert!(found == truth, "{loaders} loaders");
    }
}

#[test]
fn weights_lie_in_files_too() {
    let folder = std::env::temp_dir().join(format!("nn-weights-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let data = weighed(50);
    let file = |name: &str, bytes: Vec<u8>| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let floats = |numbers: &[f32]| numbers.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    let x = Rows::raw(file("x", floats(data.inputs()[0].as_slice())), 6, Dtype::F32, 0).unwrap();
    let labels = data.targets().as_slice().iter().map(|&label| label as u8).collect();
    let labels = Rows::raw(file("labels", labels), 1, Dtype::U8, 0).unwrap();
    let of = |samples: usize| {
        let weights = &data.weights().unwrap().as_slice()[..samples];
        Rows::raw(file("weights", floats(weights)), 1, Dtype::F32, 0).unwrap()
    };
    let short = OnDisk::classes(Rows::raw(folder.join("x"), 6, Dtype::F32, 0).unwrap(), labels).unwrap();
    let refused = short.with_weights(of(49)).unwrap_err().to_string();
    assert_eq!(refused, "weights: expected 50 rows, as many as targets, found 49");
    let labels = Rows::raw(folder.join("labels"), 1, Dtype::U8, 0).unwrap();
    let source = OnDisk::classes(x, labels).unwrap().with_weights(of(50)).unwrap();
    let fit = || Fit::epochs(2).batch(16).shuffle(false);
    let truth = trained(1, |trainer| trainer.fit(&data, fit()).unwrap());
    let found = trained(1, |trainer| trainer.fit_source(&source, fit()).unwrap());
    std::fs::remove_dir_all(folder).unwrap();
    assert!(found == truth);
}

/// More samples than are evaluated at once, in memory or read, all alike or not.
#[test]
fn samples_that_are_read_validate_as_in_memory() {
    for val in [data(300), weighed(300)] {
        let (train, source) = (data(60), Weighed(val.clone()));
        let stopping = || EarlyStopping::patience(2).monitor("val_f1");
        let metrics = || (F1::macro_avg(), LogLoss::new());
        let fit = || Fit::epochs(4).batch(16).metrics(metrics()).keep_best().early_stopping(stopping());
        let (mut truth, mut found, mut both) = (None, None, None);
        let of_memory = trained(1, |trainer| truth.insert(trainer.fit(&train, fit().validate(&val)).unwrap()).clone());
        let of_source =
            trained(2, |trainer| found.insert(trainer.fit(&train, fit().validate_source(&source)).unwrap()).clone());
        assert!(of_memory == of_source);
        assert_eq!(numbers_of(truth.as_ref().unwrap()), numbers_of(found.as_ref().unwrap()));
        assert_eq!(truth.unwrap().best, found.unwrap().best);
        let train = Weighed(train);
        trained(1, |trainer| both.insert(trainer.fit_source(&train, fit().validate_source(&source)).unwrap()).clone());
        assert_eq!(both.unwrap().epochs[0].metrics.len(), 2);
    }
}

#[test]
fn what_is_wrong_with_them_is_named() {
    let ended = |val: Dataset<Labels>| {
        let mut model = Net::init(0);
        let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(0.1));
        trainer.fit(&data(40), Fit::epochs(2).validate_source(&Weighed(val))).unwrap_err()
    };
    // The first one is looked at before the first step, the others when they are read.
    let mut val = data(20);
    val.targets_mut()[0] = 7;
    let TrainError::Mismatch(text) = ended(val) else { panic!("looked at before the first step") };
    assert!(text.starts_with("sample 0: expected") && text.contains("found 7"), "{text}");
    let mut val = data(20);
    val.targets_mut()[13] = 7;
    let TrainError::Read { error, history, .. } = ended(val) else { panic!("read in the first epoch") };
    assert!(error.contains("sample 13") && error.contains("found 7"), "{error}");
    assert!(history.epochs.is_empty());
    let ended = |weights: &[f32]| {
        let source = Weighed(data(4).with_weights((&[1.0; 4][..], 1)).unwrap());
        struct Wrong<'a>(Weighed, &'a [f32]);
        impl SampleSource for Wrong<'_> {
            type Targets = Labels;
            fn len(&self) -> usize {
                4
            }
            fn widths(&self) -> Vec<usize> {
                vec![6]
            }
            fn target_width(&self) -> usize {
                1
            }
            fn read(&self, i: usize, x: &mut [&mut [f32]], target: &mut [u32]) -> Result<(), DataError> {
                self.0.read(i, x, target)
            }
            fn weights_width(&self) -> usize {
                1
            }
            fn read_weights(&self, i: usize, weights: &mut [f32]) -> Result<(), DataError> {
                weights[0] = self.1[i];
                Ok(())
            }
        }
        let mut model = Net::init(0);
        let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Sgd::new(0.1));
        trainer.fit_source(&Wrong(source, weights), Fit::epochs(1).batch(4)).unwrap_err().to_string()
    };
    let text = ended(&[1.0, 1.0, -1.0, 1.0]);
    assert!(text.contains("sample 2") && text.contains("-1"), "{text}");
    let text = ended(&[1.0, 1.0, 1.0, f32::NAN]);
    assert!(text.contains("sample 3") && text.contains("NaN"), "{text}");
}
