//! `MultiResolutionStft`: against PyTorch's transforms, against sums in double precision, and in training.

use nn_runtime::Isa;
use nn_runtime::losses::{LossOn, MultiResolutionStft};
use nn_runtime::prelude::*;
use nn_tests::fixtures::load;
use nn_tests::numbers::{assert_near, numbers, slopes, wide};

#[test]
fn spectra_are_pytorchs() {
    for case in load("multi_resolution_stft") {
        let number = |name: &str, i: usize| case.number(&format!("{name}{i}")) as usize;
        let resolutions: Vec<[usize; 3]> =
            (0..case.number("count") as usize).map(|i| ["fft", "hop", "window"].map(|name| number(name, i))).collect();
        let loss = MultiResolutionStft::new().resolutions(&resolutions);
        let loss = loss.spectral_convergence(case.number("convergence")).log_magnitude(case.number("logs"));
        let (y, target) = (case.inputs[0].narrow(), case.inputs[1].narrow());
        let [samples, steps, channels] = [0, 1, 2].map(|i| case.inputs[0].shape[i]);
        // A single channel is a row of its own too.
        for width in if channels == 1 { vec![1, steps] } else { vec![channels] } {
            let (mut dy, mut sum) = (vec![f32::NAN; y.len()], 0.0);
            let one = steps * channels;
            for (i, dy) in dy.chunks_mut(one).enumerate() {
                let (y, target) = (&y[i * one..][..one], &target[i * one..][..one]);
                let found = loss.gradient(Isa::detect(), width, y, target, 1.0 / samples as f32, dy);
                assert_eq!(loss.value(Isa::detect(), width, y, target), found, "{}", case.name);
                sum += found / samples as f64;
            }
            let truth = case.output.as_ref().unwrap().data[0];
            assert!((sum - truth).abs() <= 1e-7 * truth, "{}: {sum} instead of {truth}", case.name);
            assert_near(&dy, &case.dinputs[0].data, &case.name);
        }
    }
}

/// One resolution of one signal, by sums over every number of every frame.
fn truth(y: &[f64], t: &[f64], [fft, hop, window]: [usize; 3]) -> f64 {
    let len = y.len();
    let at = |x: &[f64], i: isize| -> f64 {
        let i = i.unsigned_abs();
        x[if i < len { i } else { 2 * (len - 1) - i }]
    };
    let magnitude = |x: &[f64], frame: usize, k: usize| -> f64 {
        let (mut re, mut im) = (0.0, 0.0);
        for n in 0..window {
            let hann = 0.5 - 0.5 * (std::f64::consts::TAU * n as f64 / window as f64).cos();
            let place = n + (fft - window) / 2;
            let x = hann * at(x, (frame * hop + place) as isize - (fft / 2) as isize);
            let turn = std::f64::consts::TAU * (k * place) as f64 / fft as f64;
            (re, im) = (re + x * turn.cos(), im - x * turn.sin());
        }
        (re * re + im * im).max(1e-8).sqrt()
    };
    let (mut apart, mut size, mut logs, mut count) = (0.0, 0.0, 0.0, 0.0);
    for frame in 0..1 + len / hop {
        for k in 0..=fft / 2 {
            let (a, b) = (magnitude(y, frame, k), magnitude(t, frame, k));
            (apart, size) = (apart + (b - a) * (b - a), size + b * b);
            (logs, count) = (logs + (b.ln() - a.ln()).abs(), count + 1.0);
        }
    }
    (apart / size).sqrt() + logs / count
}

#[test]
fn spectra_are_their_sums() {
    for (len, resolution) in [(3, [4, 1, 3]), (17, [32, 5, 7]), (50, [64, 33, 64])] {
        let (y, t) = (numbers(1, len, 1.0), numbers(2, len, 1.0));
        let loss = MultiResolutionStft::new().resolutions(&[resolution]);
        let mut dy = vec![f32::NAN; len];
        let found = loss.gradient(Isa::detect(), len, &y, &t[..], 1.0, &mut dy);
        let (y, t) = (wide(&y), wide(&t));
        assert_near(&[found as f32], &[truth(&y, &t, resolution)], &format!("{len}, {resolution:?}"));
        assert_near(&dy, &slopes(&y, |y| truth(y, &t, resolution)), &format!("{len}, {resolution:?}: dy"));
    }
}

/// Silence, and equal signals.
#[test]
fn edges() {
    let loss = MultiResolutionStft::new().resolutions(&[[16, 4, 16]]);
    let (x, silence) = (numbers(1, 40, 1.0), vec![0.0; 40]);
    let mut dy = vec![f32::NAN; 40];
    assert_eq!(loss.gradient(Isa::detect(), 40, &x, &x[..], 1.0, &mut dy), 0.0);
    assert!(dy.iter().all(|dy| *dy == 0.0));
    for (y, t) in [(&silence, &x), (&x, &silence), (&silence, &silence)] {
        assert!(loss.gradient(Isa::detect(), 40, y, &t[..], 1.0, &mut dy).is_finite());
        assert!(dy.iter().all(|dy| dy.is_finite()));
    }
}

#[test]
fn signals_that_are_too_short_are_refused() {
    let fault =
        |width, rows, target: &[f32]| MultiResolutionStft::new().fault(width, target, rows).map(|(_, text)| text);
    assert_eq!(fault(1025, 1, &[0.0; 1025]), None);
    assert_eq!(
        fault(1024, 1, &[0.0; 1024]).unwrap(),
        "expected more than 1024 samples for a transform of 2048, found 1024\nhelp: give `resolutions` of shorter transforms, or end the network in longer signals"
    );
    assert!(fault(2, 9, &[0.0; 18]).unwrap().contains("found 9 of 2 channels"));
    assert!(fault(1, 1025, &[0.0; 7]).unwrap().starts_with("expected 1 targets"));
    let made = std::panic::catch_unwind(|| MultiResolutionStft::new().resolutions(&[[24, 4, 8]]));
    let text = *made.unwrap_err().downcast::<String>().unwrap();
    assert!(text.starts_with("expected resolutions [fft, hop, window] of an fft that is a power of 2"), "{text}");
}

network! { struct Filter: [64, 1] -> [64, 1] { Conv1d(1, 5, padding = Causal) } }

/// A filter is found again by how its output sounds, up to its sign.
#[test]
fn a_filter_is_found_by_its_spectrum() {
    let x = numbers(1, 40 * 64, 1.0);
    let mut target = Filter::init(3);
    target.set("conv1d_1.weight", &[0.1, -0.4, 0.2, 0.5, 0.9]).unwrap();
    let t = target.predictor(40).predict_all(&Dataset::values((&x[..], 64), (&x[..], 64)).unwrap()).unwrap();
    let data = Dataset::values((x, 64), (t.as_slice(), 64)).unwrap();
    let mut model = Filter::init(5);
    let loss = MultiResolutionStft::new().resolutions(&[[32, 8, 32], [16, 4, 16]]);
    let mut trainer = Trainer::new(&mut model, loss, Adam::new(0.02));
    let before = trainer.evaluate(&data).unwrap().loss;
    trainer.fit(&data, Fit::epochs(60).batch(20)).unwrap();
    let after = trainer.evaluate(&data).unwrap().loss;
    assert!(after < 0.2 * before, "{before} became {after}");
}
