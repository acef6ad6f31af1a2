//! When runs end before their last epoch, what they keep, and who looks on.

use std::ops::ControlFlow;

use nn_runtime::prelude::*;
use nn_runtime::train::metrics::{Metric, MetricOn, MetricRows};
use nn_runtime::train::schedule::Schedule;
use nn_runtime::train::{Ended, StepReport, TrainError};

use super::params;

network! { struct Line: [1] -> [1] { line: Dense(1) } }

fn line() -> Dataset<Values> {
    Dataset::values(&[[0.0], [1.0], [2.0], [3.0]], &[[1.0], [3.0], [5.0], [7.0]]).unwrap()
}

/// One number after the other, whatever the rows.
#[derive(Clone)]
struct Script {
    values: Vec<f64>,
    next: usize,
    lower: bool,
}

impl Metric for Script {
    type Value = f64;

    fn name(&self) -> String {
        "script".into()
    }

    fn lower_is_better(&self) -> bool {
        self.lower
    }

    fn value(&self) -> f64 {
        self.values[self.next.min(self.values.len() - 1)]
    }

    fn reset(&mut self) {
        self.next += 1;
    }
}

impl MetricOn<f32> for Script {
    fn update(&mut self, _: &MetricRows<f32>) {}
}

/// How many epochs a run of these values has, and the best of them, by Keras's rules written out.
fn truth(values: &[f64], patience: usize, delta: f64, lower: bool) -> (usize, Option<usize>) {
    let sign = if lower { 1.0 } else { -1.0 };
    let (mut best, mut wait, mut kept) = (f64::INFINITY, 0, None::<(f64, usize)>);
    for (epoch, value) in values.iter().map(|value| sign * value).enumerate() {
        if kept.is_none_or(|(kept, _)| value < kept) && !value.is_nan() {
            kept = Some((value, epoch + 1));
        }
        wait += 1;
        if value + delta < best || best.is_infinite() && !value.is_nan() {
            (best, wait) = (value, 0);
        }
        if wait >= patience.max(1) {
            return (epoch + 1, kept.map(|(_, epoch)| epoch));
        }
    }
    (values.len(), kept.map(|(_, epoch)| epoch))
}

#[test]
fn early_stopping_is_as_in_keras() {
    let nan = f64::NAN;
    let runs: [&[f64]; 6] = [
        &[5.0, 4.0, 3.0, 3.5, 3.4, 3.3, 3.2, 3.1],
        &[1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5],
        &[-1.0, -2.0, -2.05, -2.2, -2.1, -2.0, -3.0],
        &[nan, nan, 1.0, nan, 0.5, nan, nan, nan],
        &[nan, nan, nan, nan, nan],
        &[0.1, 0.2, 0.4, 0.39, 0.41, 0.405, 0.404],
    ];
    for values in runs {
        for (patience, delta, lower) in
            [(1, 0.0, true), (2, 0.0, true), (2, 0.1, true), (0, 0.0, false), (3, 0.01, false)]
        {
            let script = Script { values: values.to_vec(), next: 0, lower };
            let data = line();
            let mut model = Line::init(0);
            let mut trainer = Trainer::new(&mut model, Mse::new(), Adam::new(0.01));
            let stopping = EarlyStopping::patience(patience).min_delta(delta).monitor("val_script");
            let fit = Fit::epochs(values.len()).validate(&data).metrics(script).early_stopping(stopping).keep_best();
            let history = trainer.fit(&data, fit).unwrap();
            let (epochs, best) = truth(values, patience, delta, lower);
            assert_eq!((history.epochs.len(), history.best), (epochs, best), "{values:?} {patience} {delta} {lower}");
            let early = if epochs < values.len() { Ended::NoProgress } else { history.ended };
            assert_eq!(history.ended, early);
            let seen: Vec<u64> =
                history.epochs.iter().map(|epoch| epoch.get("val_script").unwrap().to_bits()).collect();
            assert_eq!(seen, values[..epochs].iter().map(|value| value.to_bits()).collect::<Vec<_>>());

            // What is kept is the run up to there, and goes on as it would.
            let kept = best.unwrap_or(epochs);
            let mut again = Line::init(0);
            let mut short = Trainer::new(&mut again, Mse::new(), Adam::new(0.01));
            short.fit(&data, Fit::epochs(kept)).unwrap();
            assert_eq!(trainer.steps(), short.steps());
            trainer.fit(&data, Fit::epochs(2)).unwrap();
            short.fit(&data, Fit::epochs(2)).unwrap();
            assert_eq!(params(&model), params(&again));
        }
    }
}

#[test]
fn without_a_name_the_validation_loss_is_monitored() {
    let data = line();
    let far = Dataset::values(&[[0.0], [1.0]], &[[9.0], [9.0]]).unwrap();
    let mut model = Line::init(0);
    let mut trainer = Trainer::new(&mut model, Mse::new(), Adam::new(0.05));
    let fit = Fit::epochs(400).validate(&far).early_stopping(EarlyStopping::patience(5).start_from(10)).keep_best();
    let history = trainer.fit(&data, fit).unwrap();
    let losses: Vec<f64> = history.epochs.iter().map(|epoch| epoch.get("val_loss").unwrap()).collect();
    let best = (0..losses.len()).fold(0, |best, i| if losses[i] < losses[best] { i } else { best });
    assert_eq!(history.best, Some(best + 1));
    assert!(losses.len() >= 15);
    assert_eq!(trainer.evaluate(&far).unwrap().loss, losses[best]);
}

#[test]
fn what_is_not_there_is_not_monitored() {
    let data = line();
    let mut model = Line::init(0);
    let before = params(&model);
    let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.05));
    let mut refused = |fit: Fit<Values, Line>, expected: &str| {
        let error = trainer.fit(&data, fit).unwrap_err();
        assert!(matches!(error, TrainError::Setting(_)), "{error}");
        assert_eq!(error.to_string(), expected);
    };
    refused(
        Fit::epochs(3).early_stopping(EarlyStopping::patience(1).monitor("val_f1")),
        "expected one of loss to monitor, found `val_f1`\nhelp: validate on samples, `.validate(&data)`, or monitor what is of the \
         training samples",
    );
    refused(
        Fit::epochs(3).validate(&data).metrics(R2::new()).keep_best().monitor("r2"),
        "expected one of loss, val_loss, val_r2 to monitor, found `r2`\nhelp: give it to `.metrics(…)`, or monitor one of these",
    );
    refused(
        Fit::epochs(3).early_stopping(EarlyStopping::patience(1).min_delta(-1.0)),
        "`EarlyStopping`: expected a `min_delta` of at least 0, found -1\nhelp: which way is better the metric tells",
    );
    refused(
        Fit::epochs(3).checkpoint(Checkpoint::to("never").keep(0)),
        "`Checkpoint`: expected at least 1 file to keep, found 0\nhelp: `.keep(3)`",
    );
    assert_eq!(params(&model), before);
}

/// Metrics of each epoch are those of the model at its end.
#[test]
fn metrics_are_of_the_end_of_each_epoch() {
    let (data, validation) = (line(), Dataset::values(&[[4.0], [5.0]], &[[9.0], [11.0]]).unwrap());
    for validates in [true, false] {
        let mut model = Line::init(0);
        let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.05));
        let mut copies = Vec::new();
        let fit = Fit::epochs(3).batch(2).metrics((R2::new(), MeanAbsoluteError::new()));
        let fit = if validates { fit.validate(&validation) } else { fit };
        let fit = fit.on_epoch(|epoch, model| {
            copies.push((epoch.metrics.clone(), model.clone()));
            ControlFlow::Continue(())
        });
        trainer.fit(&data, fit).unwrap();
        assert_eq!(copies.len(), 3);
        for (metrics, mut model) in copies {
            let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.05));
            let of = if validates { &validation } else { &data };
            let (_, (r2, mae)) = trainer.evaluate_with(of, (R2::new(), MeanAbsoluteError::new())).unwrap();
            let names = if validates { ["val_r2", "val_mae"] } else { ["r2", "mae"] };
            assert_eq!(metrics, [(names[0].to_string(), r2), (names[1].to_string(), mae)]);
        }
    }
}

#[test]
fn lookers_on_end_a_run() {
    let data = line();
    let mut model = Line::init(0);
    let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.05));
    let mut seen = Vec::new();
    let fit = Fit::epochs(9).batch(2).on_step(|step: &StepReport, model| {
        seen.push((step.epoch, step.step, step.steps, model.get("line.bias").unwrap()[0]));
        if (step.epoch, step.step) == (2, 1) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let history = trainer.fit(&data, fit).unwrap();
    assert_eq!((history.ended, history.epochs.len(), trainer.steps()), (Ended::Stopped, 1, 3));
    let places: Vec<_> = seen.iter().map(|&(epoch, step, steps, _)| (epoch, step, steps)).collect();
    assert_eq!(places, [(1, 1, 2), (1, 2, 2), (2, 1, 2)]);
    assert_eq!(seen[2].3, trainer.model().get("line.bias").unwrap()[0], "the model is the one after the step");
    let fit = Fit::epochs(9)
        .on_epoch(|epoch, _| if epoch.number == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) });
    let history = trainer.fit(&data, fit).unwrap();
    assert_eq!((history.ended, history.epochs.len()), (Ended::Stopped, 2));
    // The last step of an epoch ends it too.
    let history = trainer.fit(&data, Fit::epochs(9).batch(4).on_step(|_, _| ControlFlow::Break(()))).unwrap();
    assert_eq!((history.ended, history.epochs.len()), (Ended::Stopped, 1));
}

#[test]
fn histories_are_written_for_other_programs() {
    let data = line();
    let mut model = Line::init(0);
    let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.05));
    let script = Script { values: vec![0.5, f64::NAN], next: 0, lower: false };
    let history = trainer.fit(&data, Fit::epochs(2).validate(&data).metrics(script)).unwrap();
    let csv = history.to_csv();
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    assert_eq!(reader.headers().unwrap(), vec!["epoch", "loss", "val_loss", "val_script", "seconds"]);
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 2);
    for (row, epoch) in rows.iter().zip(&history.epochs) {
        assert_eq!(row[1].parse::<f64>().unwrap(), epoch.train.loss);
        assert_eq!(row[3].parse::<f64>().unwrap().to_bits(), epoch.metrics[0].1.to_bits());
    }
    let json: serde_json::Value = serde_json::from_str(&history.to_json()).unwrap();
    assert_eq!((&json["ended"], &json["best"]), (&"all_epochs".into(), &serde_json::Value::Null));
    assert_eq!(json["epochs"][1]["epoch"], 2);
    assert_eq!(json["epochs"][0]["val_script"], 0.5);
    assert_eq!(json["epochs"][1]["val_script"], serde_json::Value::Null);
}

/// A schedule's state and settings come back.
#[test]
fn schedules_remember() {
    let mut plateau = Warmup::new(2).then(ReduceOnPlateau::new().patience(0).cooldown(1));
    for loss in [1.0, 2.0, -3.0, f64::NAN, 0.1] {
        plateau.epoch(loss);
        let mut again = Warmup::new(2).then(ReduceOnPlateau::new().patience(0).cooldown(1));
        assert!(again.set_state(&plateau.state()));
        assert_eq!((again, again.settings()), (plateau, plateau.settings()));
    }
    assert!(!plateau.set_state(&[1.0]));
    assert!(!Cosine::new(3).set_state(&[1.0]));
}
