//! `Dropout2d`: it is `Dropout` of one number a channel.

use nn_runtime::layers::{Dropout, Dropout2d};
use nn_runtime::{Isa, Probe, Shape};
use nn_tests::numbers::numbers;

use crate::harness::{BATCHES, fault};

const SHAPE: [usize; 3] = [19, 3, 5];

fn probe(rate: f32, isa: Isa) -> Probe<Dropout2d> {
    Probe::new(Dropout2d::new(rate), Dropout2d::rule, [Shape::of(SHAPE)]).unwrap().isa(isa)
}

#[test]
fn predictions_have_no_noise() {
    for isa in Isa::available() {
        let x = numbers(3, 3 * 19 * 15, 2.0);
        assert_eq!(probe(0.9, isa).forward(3, [&x])[0], x);
        assert_eq!(probe(0.0, isa).training(1, 1).forward(3, [&x])[0], x);
    }
}

#[test]
fn channels_are_dropped_as_numbers_are() {
    for isa in Isa::available() {
        for batch in BATCHES {
            let ones = vec![1.0; batch * 19];
            let numbers_of_channels = Probe::new(Dropout::new(0.4), Dropout::rule, [Shape::of([19])]).unwrap();
            let [factors] = numbers_of_channels.isa(isa).training(5, 2).forward(batch, [&ones]);
            assert!(batch < 3 || factors.contains(&0.0) && factors.iter().any(|&f| f > 1.0));

            let (x, dy) = (numbers(1, batch * 19 * 15, 1.0), numbers(2, batch * 19 * 15, 1.0));
            let times = |x: &[f32]| -> Vec<f32> {
                x.chunks(15).zip(&factors).flat_map(|(x, f)| x.iter().map(move |x| x * f)).collect()
            };
            let probe = probe(0.4, isa).training(5, 2);
            assert_eq!(probe.forward(batch, [&x])[0], times(&x), "{} {batch}", isa.name());
            assert_eq!(probe.gradients(batch, [&x], [&dy]).inputs[0], times(&dy), "{} {batch}", isa.name());
            // Halves of a batch draw what the whole drew.
            probe.check_contract(batch, [&x], [&dy]).unwrap();
        }
    }
}

#[test]
fn what_is_dropped_is_zero_whatever_it_was() {
    let [y] = probe(0.9, Isa::PORTABLE).training(1, 1).forward(1, [&[f32::INFINITY; 19 * 15]]);
    assert!(y.contains(&0.0) && y.iter().all(|&y| y == 0.0 || y == f32::INFINITY));
}

#[test]
fn faults_say_what_to_type() {
    assert_eq!(
        fault(Dropout2d::new(1.0), Dropout2d::rule, Shape::of(SHAPE)),
        "expected a rate from 0 up to but without 1, found 1\n\
         help: give the share of channels to drop, such as `Dropout2d(0.2)`"
    );
    assert!(fault(Dropout2d::new(f32::NAN), Dropout2d::rule, Shape::of(SHAPE)).contains("found NaN"));
    assert_eq!(
        fault(Dropout2d::new(0.5), Dropout2d::rule, Shape::of([2, 8])),
        "expected an input of [channels, height, width], found [2, 8]\nhelp: put `Reshape([1, 2, 8])` before it"
    );
}
