//! `Dropout`: what it drops, what it keeps, and that a mask follows from nothing but the seed, the step and
//! the sample.

use nn_runtime::layers::Dropout;
use nn_runtime::{Isa, Probe, Shape};
use nn_tests::numbers::numbers;

use crate::harness::{BATCHES, fault};

fn probe(rate: f32, len: usize, isa: Isa) -> Probe<Dropout> {
    Probe::new(Dropout::new(rate), Dropout::rule, [Shape::of([len])]).unwrap().isa(isa)
}

#[test]
fn predictions_have_no_noise() {
    for isa in Isa::available() {
        let x = numbers(3, 3 * 17, 2.0);
        assert_eq!(probe(0.9, 17, isa).forward(3, [&x])[0], x);
        assert_eq!(probe(0.0, 17, isa).training(1, 1).forward(3, [&x])[0], x);
    }
}

#[test]
fn drops_as_many_as_asked_and_keeps_the_mean() {
    for isa in Isa::available() {
        for rate in [0.1, 0.5, 0.8] {
            let (batch, len) = (100, 1000);
            let [y] = probe(rate, len, isa).training(7, 3).forward(batch, [&vec![1.0; batch * len]]);
            let kept = 1.0 / (1.0 - rate);
            assert!(y.iter().all(|&y| y == 0.0 || (y - kept).abs() < 1e-6), "{}", isa.name());
            let share = |y: &[f32]| y.iter().filter(|&&y| y == 0.0).count() as f32 / y.len() as f32;
            // Six deviations of a binomial share.
            let within = |n: usize| 6.0 * (rate * (1.0 - rate) / n as f32).sqrt();
            assert!((share(&y) - rate).abs() < within(y.len()), "{} {rate}: {}", isa.name(), share(&y));
            for sample in y.chunks(len) {
                assert!(
                    (share(sample) - rate).abs() < within(len),
                    "{} {rate}: a sample with {}",
                    isa.name(),
                    share(sample)
                );
            }
            for element in 0..len {
                let column: Vec<f32> = y.chunks(len).map(|sample| sample[element]).collect();
                assert!((share(&column) - rate).abs() < within(batch), "{} {rate}: element {element}", isa.name());
            }
        }
    }
}

#[test]
fn the_gradient_is_the_mask() {
    for isa in Isa::available() {
        for batch in BATCHES {
            let ones = vec![1.0; batch * 33];
            let probe = probe(0.4, 33, isa).training(5, 2);
            let [mask] = probe.forward(batch, [&ones]);
            assert_eq!(probe.gradients(batch, [&ones], [&ones]).inputs[0], mask, "{} {batch}", isa.name());
            // Halves of a batch draw what the whole drew.
            probe.check_contract(batch, [&numbers(1, ones.len(), 1.0)], [&numbers(2, ones.len(), 1.0)]).unwrap();
        }
    }
}

#[test]
fn a_mask_follows_from_seed_step_and_sample() {
    let ones = [1.0; 4 * 64];
    for isa in Isa::available() {
        let mask =
            |seed, step, first: usize| probe(0.5, 64, isa).training(seed, step).first_sample(first).forward(4, [&ones]);
        let [whole] = mask(1, 1, 0);
        assert_eq!(mask(1, 1, 0)[0], whole);
        assert_eq!(probe(0.5, 64, Isa::PORTABLE).training(1, 1).forward(4, [&ones])[0], whole, "{}", isa.name());
        let [later] = mask(1, 1, 2);
        assert_eq!(whole[2 * 64..], later[..2 * 64], "{}: samples 2 and 3", isa.name());
        for other in [mask(2, 1, 0), mask(1, 2, 0), mask(1, 1, 4)] {
            let same = other[0].iter().zip(&whole).filter(|(a, b)| a == b).count();
            assert!((64..192).contains(&same), "{}: {same} of 256 as before", isa.name());
        }
    }
}

#[test]
fn rates_out_of_range_are_refused() {
    let x = Shape::of([3]);
    assert_eq!(
        fault(Dropout::new(1.0), Dropout::rule, x),
        "expected a rate from 0 up to but without 1, found 1\nhelp: give the share to drop, such as `Dropout(0.5)`"
    );
    assert!(fault(Dropout::new(-0.5), Dropout::rule, x).contains("found -0.5"));
    assert!(fault(Dropout::new(f32::NAN), Dropout::rule, x).contains("found NaN"));
}
