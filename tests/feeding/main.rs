//! Samples that are read or changed while a network learns: the bits are those of samples in memory, whatever
//! the number of threads that read, change and train; what does not fit is named.

mod files;
mod judged;
#[cfg(target_os = "linux")]
mod large;

use std::collections::BTreeSet;
use std::io;
use std::ops::ControlFlow;
use std::sync::Mutex;

use nn_runtime::data::{DataError, Random, SampleSource, augment};
use nn_runtime::prelude::*;
use nn_runtime::train::{Every, History, TrainError};
use nn_tests::numbers::numbers;

network! {
    /// Looks at whole batches, and draws noise.
    struct Net: [6] -> [3] { Dense(8) -> BatchNorm -> Relu -> Dropout(0.2) -> Dense(3) }
}

/// Data as a source, which writes down what is read.
struct Read {
    data: Dataset<Labels>,
    seen: Mutex<Vec<usize>>,
}

impl Read {
    fn new(samples: usize) -> Read {
        Read { data: data(samples), seen: Mutex::default() }
    }
}

impl SampleSource for Read {
    type Targets = Labels;

    fn len(&self) -> usize {
        self.data.len()
    }

    fn widths(&self) -> Vec<usize> {
        vec![6]
    }

    fn target_width(&self) -> usize {
        1
    }

    fn read(&self, i: usize, x: &mut [&mut [f32]], target: &mut [u32]) -> Result<(), DataError> {
        self.seen.lock().unwrap().push(i);
        if self.data.input(0, i)[0] == 77.0 {
            return Err(io::Error::other("a hole in the disk").into());
        }
        x[0].copy_from_slice(self.data.input(0, i));
        target.copy_from_slice(self.data.targets().sample(i));
        Ok(())
    }
}

fn data(samples: usize) -> Dataset<Labels> {
    let labels = numbers(9, samples, 1.0).into_iter().map(|x| ((x + 1.0) * 1.5) as u32 % 3);
    Dataset::classes((numbers(1, samples * 6, 1.0), 6), labels).unwrap()
}

/// All parameters, and the losses of all epochs, as bits.
fn bits(model: &Model<Net>, history: &History) -> (Vec<u32>, Vec<u64>) {
    let losses = history.epochs.iter().map(|epoch| epoch.train.loss.to_bits());
    let tensors = model.tensors();
    let numbers = tensors.iter().flat_map(|tensor| model.get(&tensor.name).unwrap());
    (numbers.map(f32::to_bits).collect(), losses.collect())
}

fn trained(
    threads: usize,
    by: impl FnOnce(&mut Trainer<'_, Net, CrossEntropy, Adam>) -> History,
) -> (Vec<u32>, Vec<u64>) {
    let mut model = Net::init(3);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-2)).threads(threads);
    let history = by(&mut trainer);
    drop(trainer);
    bits(&model, &history)
}

#[test]
fn a_source_trains_to_the_bits_of_the_same_samples_in_memory() {
    for samples in [1 + 32, 50, 64] {
        let source = Read::new(samples);
        let fit = || Fit::epochs(3).batch(32).shuffle(false);
        let truth = trained(1, |trainer| trainer.fit(&source.data, fit()).unwrap());
        for loaders in 1..4 {
            let found = trained(loaders, |trainer| trainer.fit_source(&source, fit().loaders(loaders)).unwrap());
            assert!(found == truth, "{samples} samples, {loaders} loaders");
        }
    }
}

#[test]
fn every_epoch_reads_every_sample_once_in_an_order_of_its_own() {
    let truth = trained(1, |trainer| trainer.fit_source(&Read::new(101), Fit::epochs(3).batch(7)).unwrap());
    for loaders in [1, 2, 5] {
        let source = Read::new(101);
        let fit = Fit::epochs(3).batch(7).loaders(loaders);
        assert!(trained(2, |trainer| trainer.fit_source(&source, fit).unwrap()) == truth, "{loaders} loaders");
        let mut seen = source.seen.into_inner().unwrap();
        // The first sample is looked at before; the last batch again at the end.
        assert_eq!(seen.remove(0), 0);
        assert_eq!(seen.len(), 3 * 101 + 101 % 7);
        let mut epochs: Vec<Vec<usize>> = seen.chunks(101).map(<[_]>::to_vec).collect();
        epochs.pop();
        assert_eq!(epochs.iter().collect::<BTreeSet<_>>().len(), 3, "orders differ");
        for epoch in &mut epochs {
            epoch.sort_unstable();
            assert!(epoch.iter().copied().eq(0..101));
        }
    }
}

#[test]
fn augmentation_has_the_same_bits_for_any_number_of_threads_and_leaves_data_alone() {
    let data = data(75);
    let before = data.clone();
    let fit = || Fit::epochs(3).batch(16).seed(4).validate(&data);
    let plain = trained(1, |trainer| trainer.fit(&data, fit()).unwrap());
    let same = trained(2, |trainer| trainer.fit(&data, fit().augment(|_, _| ())).unwrap());
    assert!(plain == same, "what changes nothing");
    let noisy = |threads, loaders| {
        let change = fit().augment(augment::noise(0.3)).augment(|x, random| x[random.below(6)] = 0.0);
        trained(threads, |trainer| trainer.fit(&data, change.loaders(loaders)).unwrap())
    };
    let truth = noisy(1, 1);
    assert!(truth != plain);
    assert!((1..4).all(|threads| noisy(threads, 4 - threads) == truth));
    assert_eq!(data, before);
    // Other epochs draw other numbers, and so does another seed.
    let drawn = Mutex::new(BTreeSet::new());
    let note = |x: &mut [f32], random: &mut Random| {
        drawn.lock().unwrap().insert((x[0].to_bits(), random.unit().to_bits()));
    };
    trained(1, |trainer| trainer.fit(&data, fit().augment(note)).unwrap());
    assert_eq!(drawn.lock().unwrap().len(), 3 * 75);
}

#[test]
fn a_source_with_augmentation_goes_on_after_any_batch() {
    let path = std::env::temp_dir().join(format!("nn-feeding-{}.ckpt", std::process::id()));
    let source = Read::new(60);
    fn other<'d>(change: impl Fn(&mut [f32], &mut Random) + Sync + 'd) -> Fit<'d, Labels, Net> {
        Fit::epochs(3).batch(8).augment(change)
    }
    let fit = || other(augment::noise(0.3)).loaders(2);
    let truth = trained(1, |trainer| trainer.fit_source(&source, fit()).unwrap());
    for stop in [1, 7, 8, 13] {
        let mut steps = 0;
        trained(2, |trainer| {
            let checkpoint = Checkpoint::to(&path).every(Every::Steps(1));
            let stopped = fit().checkpoint(checkpoint).on_step(|_, _| {
                steps += 1;
                if steps == stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            trainer.fit_source(&source, stopped).unwrap()
        });
        let found = trained(3, |trainer| {
            trainer.resume(&path).unwrap();
            trainer.fit_source(&source, fit()).unwrap()
        });
        assert!(found == truth, "stopped after {stop} steps");
    }
    let fault = {
        let mut model = Net::init(3);
        let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-2));
        trainer.resume(&path).unwrap();
        trainer.fit_source(&source, Fit::epochs(3).batch(8)).unwrap_err().to_string()
    };
    assert!(fault.contains("augmentations: expected as in the file, noise of input 0 ("), "{fault}");
    assert!(fault.contains("), found nothing"), "{fault}");
    // Other settings of the same change are other ones, and so is one of another name or of one's own.
    for (changed, name) in [
        (fit().augment(augment::noise(0.3)), "noise of input 0 ("),
        (other(augment::noise(0.31)), "noise of input 0 ("),
        (other(augment::flip([1, 2, 3])), "flip of input 0 ("),
        (
            other(|x: &mut [f32], _: &mut Random| x[0] = 0.0),
            "a_source_with_augmentation_goes_on_after_any_batch of input 0 (",
        ),
    ] {
        let mut model = Net::init(3);
        let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-2));
        trainer.resume(&path).unwrap();
        let fault = trainer.fit_source(&source, changed).unwrap_err().to_string();
        let found = fault.split("), found ").nth(1).unwrap();
        let digits = |c: char| c.is_ascii_hexdigit();
        let (_, rest) = found.split_once(name).unwrap_or_else(|| panic!("{fault}"));
        assert!(rest.find(')').is_some_and(|end| end == 8 && rest[..8].chars().all(digits)), "{fault}");
    }
    std::fs::remove_file(path).unwrap();
}

/// What training on such a source ends with, and the steps it took before.
fn fault(change: impl FnOnce(&mut Dataset<Labels>)) -> (String, u64) {
    let mut source = Read::new(40);
    change(&mut source.data);
    let mut model = Net::init(3);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-2));
    let fault = trainer.fit_source(&source, Fit::epochs(3).batch(8).shuffle(false).loaders(3)).unwrap_err();
    (fault.to_string(), trainer.steps())
}

#[test]
fn what_is_wrong_with_a_sample_is_named_and_ends_the_run_there() {
    let text = "sample 33, source: expected readable data, found a hole in the disk";
    assert_eq!(fault(|data| data.input_mut(0)[33 * 6] = 77.0), (text.into(), 4));
    let text = "sample 17, input 0, element 2: expected a finite number, found NaN";
    assert_eq!(fault(|data| data.input_mut(0)[17 * 6 + 2] = f32::NAN), (text.into(), 2));
    let (text, steps) = fault(|data| data.targets_mut()[30] = 9);
    assert!(text.starts_with("sample 30: expected a label from 0 to 2, found 9"), "{text}");
    assert_eq!(steps, 3);
    // The first sample is looked at before anything is trained.
    let (text, steps) = fault(|data| data.input_mut(0)[0] = f32::INFINITY);
    assert_eq!((text.as_str(), steps), ("sample 0, input 0, element 0: expected a finite number, found inf", 0));
}

#[test]
fn settings_that_cannot_be_are_refused_before_the_first_step() {
    let source = Read::new(40);
    let refused = |fit: Fit<'_, Labels, Net>| {
        let mut model = Net::init(3);
        let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-2));
        let fault = trainer.fit_source(&source, fit).unwrap_err();
        assert!(matches!(fault, TrainError::Setting(_)), "{fault:?}");
        assert_eq!(trainer.steps(), 0);
        fault.to_string()
    };
    assert_eq!(refused(Fit::epochs(1).loaders(0)), "expected at least 1 loader, found 0\nhelp: `.loaders(2)`");
    assert_eq!(refused(Fit::epochs(1).augment_input(1, |_, _| ())), "augment: expected an input below 1, found 1");
    assert!(refused(Fit::epochs(1).metrics(F1::macro_avg())).ends_with("help: `.validate(&data)`"));
}

#[test]
fn what_augmentation_makes_of_a_sample_is_looked_at() {
    let data = data(20);
    let mut model = Net::init(3);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(1e-2));
    let fit = Fit::epochs(1).batch(4).shuffle(false).augment(|x, _| x[1] /= 0.0);
    let fault = trainer.fit(&data, fit).unwrap_err().to_string();
    assert!(fault.starts_with("sample 0, input 0, element 1: expected a finite number, found "), "{fault}");
    assert!(fault.ends_with("\nhelp: this is what `.augment(..)` has made of it"), "{fault}");
}

#[test]
#[should_panic(expected = "a scoped thread panicked")]
fn a_panic_of_the_users_is_one() {
    trained(1, |trainer| trainer.fit(&data(20), Fit::epochs(1).augment(|_, _| panic!("mine"))).unwrap());
}
