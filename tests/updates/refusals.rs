//! Settings out of range, and names that are not there: every message, and a model that is as it was.

use nn_runtime::prelude::*;

use super::{Small, data, params};

#[test]
fn settings_out_of_range_are_refused_when_training_begins() {
    let data = data(4, 5, 2);
    type Made<'m> = Trainer<'m, Small, Mse, Sgd>;
    let refused = |set: &dyn Fn(Made) -> Made| {
        let mut model = Small::init(0);
        let mut trainer = set(Trainer::new(&mut model, Mse::new(), Sgd::new(0.1)));
        let error = trainer.step(&data).unwrap_err().to_string();
        assert_eq!(error, trainer.fit(&data, Fit::epochs(1)).unwrap_err().to_string());
        assert_eq!(params(&model), params(&Small::init(0)));
        // So where it is set after a step.
        let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.1));
        trainer.step(&data).unwrap();
        assert_eq!(set(trainer).step(&data).unwrap_err().to_string(), error);
        error
    };
    assert_eq!(
        refused(&|t| t.regularize("hiden", Regularizer::L1(1.0))),
        "regularize: expected the name of a layer or a tensor that is trained in `Small`, found `hiden`\nhelp: did you mean `hidden`?"
    );
    assert_eq!(
        refused(&|t| t.regularize("elephants", Regularizer::L1(1.0))),
        "regularize: expected the name of a layer or a tensor that is trained in `Small`, found `elephants`\nhelp: one of `hidden`, `prelu_1`, `last`, or a tensor of theirs, as `hidden.weight`"
    );
    assert!(
        refused(&|t| t.regularize("last.wieght", Regularizer::L1(1.0))).contains("help: did you mean `last.weight`?")
    );
    assert_eq!(
        refused(&|t| t.regularize("prelu_1", Regularizer::L1(1.0))),
        "regularize: expected a layer with a weight of two axes or more, found `prelu_1`, which has `prelu_1.weight`\nhelp: name the tensor, as `.regularize(\"prelu_1.weight\", …)`"
    );
    assert_eq!(
        refused(&|t| t.regularize("hidden", Regularizer::L2(-1.0))),
        "expected a regulariser of at least 0 on `hidden`, found L2(-1.0)\nhelp: `Regularizer::L2(1e-4)`"
    );
    assert_eq!(
        refused(&|t| t.clip(Clip::GlobalNorm(0.0))),
        "expected a limit above 0 for `Clip::GlobalNorm`, found 0\nhelp: `Clip::GlobalNorm(1.0)`"
    );
    assert!(refused(&|t| t.clip(Clip::Value(f64::NAN))).contains("`Clip::Value`, found NaN"));
    assert!(refused(&|t| t.clip(Clip::Norm(-1.0))).contains("`Clip::Norm`, found -1"));
    assert!(refused(&|t| t.accumulate(0)).contains("at least 1 batch for each step, found 0"));
    assert!(refused(&|t| t.ema(1.0)).contains("expected a decay of the average from 0 up to but without 1, found 1"));
    assert_eq!(
        refused(&|t| t.schedule(StepDecay::new(0, 0.5))),
        "`StepDecay`: expected steps of at least 1, found 0\nhelp: count the steps of training"
    );
    assert!(refused(&|t| t.schedule(Exponential::new(0.0))).contains("`Exponential`: expected a factor above 0"));
    assert!(refused(&|t| t.schedule(Polynomial::new(5).power(-1.0))).contains("expected a power above 0, found -1"));
    assert!(refused(&|t| t.schedule(Cosine::new(0))).contains("a period of at least 1, found 0"));
    assert!(refused(&|t| t.schedule(Cosine::new(5).restarts(0))).contains("help: `.restarts(1)` keeps the length"));
    assert!(refused(&|t| t.schedule(Cosine::new(5).floor(-1.0))).contains("a floor of at least 0, found -1"));
    assert!(refused(&|t| t.schedule(OneCycle::new(5).rise(1.5))).contains("a rise from 0 to 1"));
    assert!(refused(&|t| t.schedule(OneCycle::new(5).end(0.0))).contains("expected `end` above 0, found 0"));
    assert!(refused(&|t| t.schedule(Warmup::new(5).start(-1.0))).contains("a start of at least 0"));
    assert!(refused(&|t| t.schedule(Warmup::new(5).then(Cosine::new(0)))).contains("`Cosine`: expected a period"));
    assert!(refused(&|t| t.schedule(ReduceOnPlateau::new().factor(1.0))).contains("expected a factor below 1"));
    assert!(refused(&|t| t.schedule(ReduceOnPlateau::new().threshold(1.0))).contains("a threshold from 0"));
}

#[test]
fn an_optimiser_changed_between_steps_is_looked_at_again() {
    let (data, mut model) = (data(4, 5, 2), Small::init(0));
    let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.1));
    trainer.step(&data).unwrap();
    *trainer.optimizer() = Sgd::new(-0.1);
    assert!(
        trainer.step(&data).unwrap_err().to_string().contains("expected a learning rate of at least 0, found -0.1")
    );
    *trainer.optimizer() = Sgd::new(0.2);
    trainer.step(&data).unwrap();
}
