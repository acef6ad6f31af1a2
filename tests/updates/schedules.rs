//! Schedules of the learning rate, beside PyTorch's, and what a trainer makes of them.

use nn_runtime::optim::Optimizer;
use nn_runtime::prelude::*;
use nn_runtime::train::schedule::Schedule;
use nn_tests::fixtures::{Case, load};
use nn_tests::numbers::numbers;

use super::{Line, data, params};

fn schedule_of(case: &Case) -> Box<dyn Schedule> {
    let (n, steps) = (|name| case.number(name), |name| case.number(name) as u64);
    match case.name.as_str() {
        "step" => Box::new(StepDecay::new(steps("every"), n("factor"))),
        "exponential" => Box::new(Exponential::new(n("factor"))),
        "polynomial" | "polynomial_cubic" => Box::new(Polynomial::new(steps("steps")).power(n("power"))),
        "cosine" => Box::new(Cosine::new(steps("period")).floor(n("floor"))),
        "cosine_restarts" | "cosine_restarts_longer" => {
            Box::new(Cosine::new(steps("period")).restarts(steps("longer")).floor(n("floor")))
        }
        "one_cycle" => Box::new(OneCycle::new(steps("steps"))),
        "one_cycle_odd" => {
            let cycle = OneCycle::new(steps("steps")).rise(n("pct_start"));
            Box::new(cycle.start(n("div_factor")).end(n("final_div_factor")))
        }
        "one_cycle_momentum" => Box::new(OneCycle::new(steps("steps")).momentum(0.85, 0.95)),
        "one_cycle_three" => Box::new(OneCycle::new(steps("steps")).three_phase(true).momentum(0.85, 0.95)),
        "one_cycle_three_odd" => {
            let cycle = OneCycle::new(steps("steps")).three_phase(true).rise(n("pct_start"));
            let cycle = cycle.momentum(n("base_momentum"), n("max_momentum"));
            Box::new(cycle.start(n("div_factor")).end(n("final_div_factor")))
        }
        "plateau_absolute" => {
            let plateau = ReduceOnPlateau::new().factor(n("factor")).patience(steps("patience"));
            Box::new(plateau.threshold(n("threshold")).absolute(true))
        }
        "plateau_max" => Box::new(ReduceOnPlateau::new().factor(n("factor")).patience(steps("patience"))),
        "warmup" => Box::new(Warmup::new(steps("steps"))),
        "warmup_cosine" => Box::new(Warmup::new(steps("steps")).start(n("start")).then(Cosine::new(steps("period")))),
        "plateau" => Box::new(ReduceOnPlateau::new()),
        "plateau_odd" => {
            let plateau = ReduceOnPlateau::new().factor(n("factor")).patience(steps("patience"));
            Box::new(plateau.threshold(n("threshold")).cooldown(steps("cooldown")).floor(n("min_lr")))
        }
        other => panic!("a schedule for `{other}`"),
    }
}

#[test]
fn schedules_are_pytorchs() {
    for case in load("schedules") {
        let mut schedule = schedule_of(&case);
        schedule.check().unwrap();
        let (rates, momenta) = case.output.as_ref().unwrap().data.split_at(50);
        for step in 0..50 {
            let found = schedule.momentum_at(step as u64);
            assert_eq!(found.is_some(), !momenta.is_empty(), "{}", case.name);
            let off = found.zip(momenta.get(step)).is_some_and(|(found, truth)| (found - truth).abs() > 1e-10);
            assert!(!off, "{} {step}: {found:?}, {momenta:?}", case.name);
        }
        assert!(rates.len() == 50 && rates.iter().any(|rate| *rate != rates[0]), "{}: it changes", case.name);
        for (step, truth) in rates.iter().enumerate() {
            let found = schedule.rate(case.number("base"), step as u64);
            assert!((found - truth).abs() <= 1e-10 * case.number("base"), "{} {step}: {found}, {truth}", case.name);
            if let Some(losses) = case.inputs.first() {
                // A schedule hears the negative of what is better where it is larger.
                let sign = if case.name == "plateau_max" { -1.0 } else { 1.0 };
                schedule.epoch(sign * losses.data[step]);
            }
        }
    }
}

/// Better is better by a share of the loss's size, above 0, at 0 and below.
#[test]
fn a_plateau_is_one_on_both_sides_of_zero() {
    for loss in [1.0, 1e-9, 0.0, -1e-9, -1.0, -1e9] {
        let mut schedule = ReduceOnPlateau::new().patience(2);
        (0..20).for_each(|_| schedule.epoch(loss));
        let rate = schedule.rate(0.8, 0);
        assert!((rate / 8e-7 - 1.0).abs() < 1e-9, "20 times {loss}: {rate:e}");
        // Better by half of the threshold is no progress, by twice as much it is.
        let size = f64::abs(loss);
        for (share, falls) in [(-5e-5, true), (5e-5, true), (2e-4, false)] {
            let mut schedule = ReduceOnPlateau::new().patience(2);
            let mut best = loss;
            schedule.epoch(best);
            for _ in 0..3 {
                schedule.epoch(best - share * size);
                best = if falls { best } else { best - share * size };
            }
            if size > 0.0 {
                assert_eq!(schedule.rate(0.8, 0) < 0.8, falls, "{loss} and better by {share}");
            }
        }
    }
    // It gets slowly worse and worse.
    let mut schedule = ReduceOnPlateau::new().patience(2);
    (0..200).for_each(|i| schedule.epoch(-1.0 + 5e-5 * f64::from(i)));
    assert!(schedule.rate(0.8, 0) < 0.8);
}

/// A floor limits how far a rate falls: it never raises one.
#[test]
fn no_floor_raises_a_rate() {
    let mut plateau = ReduceOnPlateau::new().patience(0).floor(1e-3);
    (0..3).for_each(|_| plateau.epoch(1.0));
    let all: [&dyn Schedule; 4] = [
        &plateau,
        &Cosine::new(100).floor(1e-3),
        &Cosine::new(10).restarts(2).floor(1e-3),
        &Polynomial::new(100).floor(1e-3),
    ];
    for (i, schedule) in all.into_iter().enumerate() {
        for done in 0..200 {
            let (low, high) = (schedule.rate(1e-4, done), schedule.rate(0.1, done));
            assert!((low / 1e-4 - 1.0).abs() < 1e-12, "schedule {i}, step {done}: {low}");
            assert!((1e-3 - 1e-15..=0.1 + 1e-15).contains(&high), "schedule {i}, step {done}: {high}");
        }
    }
}

/// What lies past the last step, and settings at their edges.
#[test]
fn schedules_end_where_they_say() {
    let truth = [0.1, 0.1];
    assert_eq!([0, 1_000_000].map(|done| ConstantRate.rate(0.1, done)), truth);
    assert_eq!(OneCycle::new(10).rate(1.0, 1_000_000), 1.0 / 25.0 / 1e4);
    assert_eq!(OneCycle::new(10).rise(0.0).rate(1.0, 20), 1.0 / 25.0 / 1e4);
    assert!((OneCycle::new(10).rise(1.0).rate(1.0, 9) - 1.0).abs() < 1e-12);
    assert_eq!(Polynomial::new(10).floor(0.25).rate(1.0, 11), 0.25);
    assert_eq!(Cosine::new(10).floor(0.25).rate(1.0, u64::MAX), 0.25);
    assert!(Cosine::new(3).restarts(2).rate(1.0, u64::MAX).is_finite());
    assert_eq!(Warmup::new(4).start(0.0).then(StepDecay::new(2, 0.5)).rate(1.0, 6), 0.5);
}

/// The rate of each step is the schedule's, and the optimiser keeps its own.
#[test]
fn a_schedule_changes_steps_and_not_the_optimiser() {
    let data = data(4, 3, 2);
    let (mut by_schedule, mut by_hand) = (Line::init(1), Line::init(1));
    let schedule = Warmup::new(3).start(0.0).then(StepDecay::new(2, 0.5));
    let mut a = Trainer::new(&mut by_schedule, Mse::new(), Adam::new(0.1)).schedule(schedule);
    let mut b = Trainer::new(&mut by_hand, Mse::new(), Adam::new(0.1));
    for step in 0..10 {
        assert_eq!(a.learning_rate(), schedule.rate(0.1, step));
        b.optimizer().set_learning_rate(schedule.rate(0.1, step));
        assert_eq!(a.step(&data).unwrap(), b.step(&data).unwrap());
        assert_eq!(a.optimizer().learning_rate(), 0.1);
    }
    assert_eq!(params(&by_schedule), params(&by_hand));
}

/// What helps the training samples harms the others: only where these are given has the rate reason to fall.
#[test]
fn a_plateau_is_seen_in_epochs_and_the_validation_counts() {
    let x = numbers(1, 24, 1.0);
    let to = |target: f32| Dataset::values((&x[..], 3), (&[target; 16][..], 2)).unwrap();
    let run = |validate: bool| {
        let mut model = Line::init(1);
        let plateau = ReduceOnPlateau::new().factor(0.5).patience(0);
        let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.01)).schedule(plateau);
        let (train, other) = (to(5.0), to(-5.0));
        let fit = Fit::epochs(4);
        trainer.fit(&train, if validate { fit.validate(&other) } else { fit }).unwrap();
        trainer.learning_rate()
    };
    assert_eq!(run(false), 0.01);
    assert_eq!(run(true), 0.01 / 8.0, "the first epoch is the best, and each of three later ones is bad");
}

/// The momentum of each step is the schedule's, and the optimiser keeps its own.
#[test]
fn a_schedule_changes_the_momentum() {
    let data = data(4, 3, 2);
    let schedule = OneCycle::new(10).momentum(0.5, 0.9);
    fn run<O: Optimizer>(optimizer: impl Fn(f64) -> O, schedule: OneCycle, data: &Dataset<Values>) {
        let (mut by_schedule, mut by_hand) = (Line::init(1), Line::init(1));
        let mut a = Trainer::new(&mut by_schedule, Mse::new(), optimizer(0.1)).schedule(schedule);
        let mut b = Trainer::new(&mut by_hand, Mse::new(), optimizer(0.1));
        for step in 0..10 {
            b.optimizer().set_learning_rate(schedule.rate(0.1, step));
            b.optimizer().set_momentum(schedule.momentum_at(step).unwrap());
            assert_eq!(a.step(data).unwrap(), b.step(data).unwrap());
        }
        assert_eq!(a.optimizer().momentum_setting(), optimizer(0.1).momentum_setting());
        assert_eq!(params(&by_schedule), params(&by_hand));
    }
    run(|rate| Sgd::new(rate).momentum(0.7), schedule, &data);
    run(Adam::new, schedule, &data);
    let mut model = Line::init(1);
    let error = Trainer::new(&mut model, Mse::new(), Sgd::new(0.1)).schedule(schedule).step(&data).unwrap_err();
    assert!(error.to_string().starts_with("expected an optimiser with a momentum that the schedule can change, found"));
}

/// A metric that is better where it is larger, and one that nobody measures.
#[test]
fn a_plateau_hears_a_metric() {
    let x = numbers(1, 24, 1.0);
    let train = Dataset::values((&x[..], 3), (&numbers(2, 16, 5.0)[..], 2)).unwrap();
    let run = |monitor: &'static str| {
        let mut model = Line::init(1);
        let plateau = ReduceOnPlateau::new().factor(0.5).patience(0).monitor(monitor);
        let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.01)).schedule(plateau);
        let fit = Fit::epochs(4).metrics((MeanAbsoluteError::new(), R2::new()));
        trainer.fit(&train, fit).map(|_| trainer.learning_rate())
    };
    // Both become better: the one falls, the other rises.
    assert_eq!([run("mae").unwrap(), run("r2").unwrap()], [0.01; 2]);
    let error = run("val_loss").unwrap_err().to_string();
    assert!(error.contains("to monitor, found `val_loss`"), "{error}");
}
