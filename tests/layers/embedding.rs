//! `Embedding`.

use nn_runtime::layers::Embedding;
use nn_runtime::{Init, Isa, Probe, Shape};
use nn_tests::fixtures::load;
use nn_tests::numbers::assert_near;

use crate::harness::fault;

#[test]
fn embedding_is_pytorchs() {
    for case in load("embedding") {
        let [vocabulary, features] = ["vocabulary", "features"].map(|name| case.number(name) as usize);
        let padding = case.number("padding");
        let layer = Embedding::new(vocabulary, features);
        let layer = if padding < 0.0 { layer } else { layer.padding(padding as usize) };
        let [batch, steps] = case.inputs[0].shape[..] else { panic!("{}: ids of [batch, steps]", case.name) };
        let (ids, dy) = (case.inputs[0].narrow(), case.doutput.as_ref().unwrap().narrow());
        for isa in Isa::available() {
            let probe = Probe::new(layer, Embedding::rule, [Shape::of([steps])]).unwrap().isa(isa);
            let probe = probe.param(0, &case.params["weight"].narrow());
            let what = |of: &str| format!("{} {}: {of}", case.name, isa.name());
            assert_near(&probe.forward(batch, [&ids])[0], &case.output.as_ref().unwrap().data, &what("y"));
            let found = probe.gradients(batch, [&ids], [&dy]);
            assert_near(&found.params[0], &case.dparams["weight"].data, &what("weight"));
            assert_eq!(found.inputs[0], vec![0.0; ids.len()], "{}", what("dx"));
            probe.check_contract(batch, [&ids], [&dy]).unwrap_or_else(|fault| panic!("{}", what(&fault)));
        }
    }
}

#[test]
fn what_is_no_id_gives_no_number_and_learns_nothing() {
    let probe = Probe::new(Embedding::new(3, 2), Embedding::rule, [Shape::of([7])]).unwrap();
    let probe = probe.param(0, &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    let ids = [-1.0, 0.5, 3.0, f32::NAN, f32::INFINITY, 2.0, -0.0];
    let y = &probe.forward(1, [&ids])[0];
    assert!(y[..10].iter().all(|y| y.is_nan()), "{y:?}");
    assert_eq!(y[10..], [4.0, 5.0, 0.0, 1.0]);
    assert_eq!(probe.gradients(1, [&ids], [&[1.0; 14]]).params[0], [1.0, 1.0, 0.0, 0.0, 1.0, 1.0]);
}

#[test]
fn the_table_begins_as_asked() {
    let probe = Probe::new(Embedding::new(50, 40), Embedding::rule, [Shape::of([3])]).unwrap();
    let table = &probe.params()[0];
    let variance = table.iter().map(|w| w * w).sum::<f32>() / table.len() as f32;
    assert!((variance - 1.0).abs() < 0.1, "{variance}");
    let probe = Probe::new(Embedding::new(2, 2).init(Init::Constant(3.0)), Embedding::rule, [Shape::of([3])]).unwrap();
    assert_eq!(probe.params()[0], [3.0; 4]);
}

#[test]
fn faults_say_what_to_type() {
    assert_eq!(
        fault(Embedding::new(10, 4), Embedding::rule, Shape::of([5, 8])),
        "expected an input of [steps], one token id per step, found [5, 8]\nhelp: use `DensePerStep(4)` on [steps, features]"
    );
    for vocabulary in [0, (1 << 24) + 1] {
        assert_eq!(
            fault(Embedding::new(vocabulary, 4), Embedding::rule, Shape::of([5])),
            format!(
                "expected a vocabulary of 1 to 16777216 ids, found {vocabulary}\n\
                 help: give the number of different ids, such as `Embedding(256, 32)`"
            )
        );
    }
    assert_eq!(
        fault(Embedding::new(10, 4).padding(10), Embedding::rule, Shape::of([5])),
        "expected a padding below the vocabulary, 10, found 10\nhelp: give an id from 0 to 9"
    );
    fault(Embedding::new(10, 0), Embedding::rule, Shape::of([5]));
    fault(Embedding::new(10, 4), Embedding::rule, Shape::UNKNOWN);
}
