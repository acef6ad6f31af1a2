//! Rows that nothing moves: the padding of an embedding, under every optimiser, with decays, penalties,
//! clipping, averages.

use nn_runtime::optim::Optimizer;
use nn_runtime::prelude::*;

network! { struct Words: [3] -> [3, 5] { table: Embedding(7, 5, padding = 2) } }
network! { struct Free: [3] -> [3, 5] { table: Embedding(7, 5) } }

fn data() -> Dataset<Values> {
    Dataset::values(&[[1., 2., 3.], [2., 2., 6.], [0., 5., 4.]], &[[0.5; 15]; 3]).unwrap()
}

/// The rows of the table before and after thirty steps.
fn trained<N: Network, O: Optimizer>(
    optimizer: O,
    set: impl for<'m> Fn(Trainer<'m, N, Mse, O>) -> Trainer<'m, N, Mse, O>,
) -> [Vec<f32>; 3]
where
    Mse: Fits<N::Head>,
{
    let mut model = N::init(5);
    let before = model.get("table.weight").unwrap();
    let mut trainer = set(Trainer::new(&mut model, Mse::new(), optimizer).ema(0.9));
    trainer.fit(&data(), Fit::epochs(10).batch(1)).unwrap();
    let average = trainer.ema_model().get("table.weight").unwrap();
    [before, model.get("table.weight").unwrap(), average]
}

fn check<O: Optimizer>(
    what: &str,
    optimizer: O,
    set: impl for<'m> Fn(Trainer<'m, Words, Mse, O>) -> Trainer<'m, Words, Mse, O>,
) {
    let [before, after, average] = trained(optimizer, set);
    for row in 0..7 {
        let of = |all: &[f32]| all[row * 5..][..5].to_vec();
        let padding = row == 2;
        assert_eq!(of(&before) == of(&after), padding, "{what}, row {row}: {:?}, {:?}", of(&before), of(&after));
        assert_eq!(of(&before) == of(&average), padding, "{what}, row {row}: the average");
    }
}

#[test]
fn nothing_moves_the_padding_row() {
    check("Sgd", Sgd::new(0.1).weight_decay(0.1), |t| t);
    check("Sgd with momentum", Sgd::new(0.1).momentum(0.9).weight_decay(0.1), |t| t);
    check("RmsProp", RmsProp::new(0.1).weight_decay(0.1), |t| t);
    check("Adagrad", Adagrad::new(0.1), |t| t.regularize("table", Regularizer::L2(0.1)));
    check("Adam", Adam::new(0.1).weight_decay(0.1), |t| t);
    check("AdamW", AdamW::new(0.1).weight_decay(0.1), |t| t);
    check("Adam, AMSGrad", Adam::new(0.1).amsgrad(true), |t| t);
    check("RAdam", RAdam::new(0.1).weight_decay(0.1), |t| t);
    check("ScheduleFree", ScheduleFree::new(0.1).weight_decay(0.1), |t| t);
    check("Adamax", Adamax::new(0.1), |t| t);
    check("Adadelta", Adadelta::new(1.0), |t| t);
    check("Nadam", Nadam::new(0.1).weight_decay(0.1), |t| t);
    check("Lion", Lion::new(0.1).weight_decay(0.1), |t| t);
    check("Lamb", Lamb::new(0.1), |t| t);
    check("Muon", Muon::new(0.1, AdamW::new(0.1)), |t| t);
    check("an L1 penalty", Sgd::new(0.1), |t| t.regularize("table", Regularizer::L1(0.1)));
    check("an L2 penalty and clipping", Sgd::new(0.1), |t| {
        t.regularize("table", Regularizer::L2(0.1)).clip(Clip::GlobalNorm(0.5))
    });
    check("accumulated", AdamW::new(0.1), |t| t.accumulate(2).threads(2));
}

/// Without `padding` every row moves: what is fixed is what was asked for.
#[test]
fn without_padding_all_rows_move() {
    let [before, after, _] = trained::<Free, _>(AdamW::new(0.1).weight_decay(0.1), |t| t);
    assert!(before.iter().zip(&after).all(|(a, b)| a != b), "{before:?}, {after:?}");
}

/// What the model is to be used with keeps the row too, and no other.
#[test]
fn nothing_moves_the_padding_row_of_the_final_model() {
    let mut model = Words::init(5);
    let before = model.get("table.weight").unwrap();
    let mut trainer = Trainer::new(&mut model, Mse::new(), ScheduleFree::new(0.1).weight_decay(0.1));
    trainer.fit(&data(), Fit::epochs(5).batch(1)).unwrap();
    let after = trainer.final_model().get("table.weight").unwrap();
    for row in 0..7 {
        assert_eq!(before[row * 5..][..5] == after[row * 5..][..5], row == 2, "row {row}");
    }
    assert_ne!(after, trainer.model().get("table.weight").unwrap());
}

/// Gradients from elsewhere say nothing of the row, whatever they hold there: it counts in no norm, and is
/// not looked at.
#[test]
fn a_given_gradient_of_the_padding_row_is_none() {
    let apply = |padding: f32, clip: Option<Clip>| {
        let mut model = Words::init(5);
        let mut gradients = model.gradients(&[&[1., 2., 3.]], &[&[0.1; 15]]).unwrap();
        gradients.params[0].1[10..15].fill(padding);
        let mut trainer = Trainer::new(&mut model, (), AdamW::new(0.1)).ema(0.5);
        if let Some(clip) = clip {
            trainer = trainer.clip(clip);
        }
        trainer.apply(&gradients).unwrap();
        let average = trainer.ema_model().get("table.weight").unwrap();
        [average, model.get("table.weight").unwrap()]
    };
    for clip in [None, Some(Clip::GlobalNorm(0.1)), Some(Clip::Norm(0.1)), Some(Clip::Value(0.01))] {
        let truth = apply(0.0, clip);
        for padding in [1.0, 1e30, f32::NAN, f32::INFINITY] {
            assert_eq!(apply(padding, clip), truth, "{clip:?}, {padding}");
        }
    }
}
