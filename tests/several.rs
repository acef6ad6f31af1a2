//! Several networks that learn together: gradients through one into another, parameters from one to another,
//! tensors that rest or learn at a rate of their own. In: small networks; out: nothing, or a panic.

use nn_runtime::prelude::*;
use nn_runtime::{Differentiator, InputErrorKind, Isa, ParamErrorKind};

network! {
    struct Critic: (state: [3], action: [2]) -> [1] {
        let both = (state, action) -> Concat;
        both -> first: Dense(6) -> Tanh -> last: Dense(1)
    }
}
network! { struct Actor: [3] -> [2] { Dense(5) -> Relu -> Dense(2) -> Tanh } }
network! {
    /// The critic as a layer that does not learn.
    struct Judged: [3] -> [1] {
        let state = input;
        let action = state -> actor: Actor;
        (state, action) -> frozen critic: Critic
    }
}
network! {
    /// Noise and statistics, which are those of prediction in gradients through it.
    struct Image: [1, 6, 6] -> [4] { Conv2d(3, 3) -> BatchNorm -> Relu -> Dropout(0.5) -> MaxPool2d(2) -> Flatten -> Dense(4) }
}

/// Numbers that need rounding.
fn numbers(count: usize, salt: usize) -> Vec<f32> {
    (0..count).map(|i| ((i * 37 + salt * 11) % 101) as f32 / 40.0 - 1.2).collect()
}

fn params<N: Network>(model: &Model<N>) -> Vec<f32> {
    let mut all = vec![0.0; N::param_count()];
    model.read_params(&mut all);
    all
}

/// What the critic says of one sample, in `f64`.
fn truth(model: &Model<Critic>, x: &[f64]) -> f64 {
    let get = |name: &str| -> Vec<f64> { model.get(name).unwrap().into_iter().map(f64::from).collect() };
    let dot = |w: &[f64], x: &[f64]| -> f64 { w.iter().zip(x).map(|(w, x)| w * x).sum() };
    let (w, b) = (get("first.weight"), get("first.bias"));
    let hidden: Vec<f64> = w.chunks(5).zip(b).map(|(w, b)| (dot(w, x) + b).tanh()).collect();
    dot(&get("last.weight"), &hidden) + get("last.bias")[0]
}

#[test]
fn input_gradients_are_finite_differences() {
    let model = Critic::init(3);
    let (state, action, dy) = (numbers(7 * 3, 1), numbers(7 * 2, 2), numbers(7, 3));
    for isa in Isa::available() {
        // More samples than there is memory for, and fewer.
        for batch in [3, 7, 20] {
            let mut through = Differentiator::<Critic>::new_on(batch, isa);
            let (mut d_state, mut d_action) = (vec![f32::NAN; 21], vec![f32::NAN; 14]);
            through.input_gradient(&model, &[&state, &action], &[&dy], &mut [&mut d_state, &mut d_action]).unwrap();
            for sample in 0..7 {
                let x = [&state[sample * 3..][..3], &action[sample * 2..][..2]].concat();
                let found = [&d_state[sample * 3..][..3], &d_action[sample * 2..][..2]].concat();
                for (k, found) in found.into_iter().enumerate() {
                    let moved = |by: f64| {
                        let mut x: Vec<f64> = x.iter().copied().map(f64::from).collect();
                        x[k] += by;
                        truth(&model, &x)
                    };
                    let truth = f64::from(dy[sample]) * (moved(1e-5) - moved(-1e-5)) / 2e-5;
                    assert!((f64::from(found) - truth).abs() < 1e-5, "{} {sample} {k}: {found} {truth}", isa.name());
                }
            }
            // What is not asked for changes nothing of what is.
            let mut alone = vec![f32::NAN; 14];
            through.input_gradient(&model, &[&state, &action], &[&dy], &mut [&mut [], &mut alone]).unwrap();
            assert_eq!(alone, d_action);
        }
    }
}

#[test]
fn a_differentiator_finds_what_gradients_finds() {
    let model = Image::init(1);
    let (x, dy) = (numbers(5 * 36, 1), numbers(5 * 4, 2));
    let expected = model.gradients(&[&x], &[&dy]).unwrap().inputs.remove(0);
    let (mut dx, mut y) = (vec![f32::NAN; 5 * 36], vec![f32::NAN; 5 * 4]);
    let mut through = Differentiator::<Image>::new(5);
    through.input_gradient(&model, &[&x], &[&dy], &mut [&mut dx]).unwrap();
    assert_eq!(dx, expected);
    assert!(dx.iter().any(|dx| *dx != 0.0));
    dx.fill(f32::NAN);
    let value = through.input_gradient_with(
        &model,
        &[&x],
        |seen, dy_now| {
            y.copy_from_slice(seen[0]);
            assert!(dy_now[0].iter().all(|dy| *dy == 0.0));
            dy_now[0].copy_from_slice(&dy);
            7.5
        },
        &mut [&mut dx],
    );
    assert_eq!((value.unwrap(), dx), (7.5, expected));
    let mut predicted = vec![0.0; 20];
    model.predictor(5).predict_into(&[&x], &mut [&mut predicted]).unwrap();
    assert_eq!(y, predicted);
}

/// An actor that learns through a critic is one network, of which the critic is frozen.
#[test]
fn learning_through_a_critic_is_learning_with_a_frozen_one() {
    let critic = Critic::init(1);
    let (mut actor, mut whole) = (Actor::init(2), Judged::init(0));
    whole.set_part("actor", &actor).unwrap();
    whole.set_part("critic", &critic).unwrap();
    let mut through = Differentiator::<Critic>::new(9);
    let mut of_actor = Trainer::new(&mut actor, (), Adam::new(1e-2));
    let mut of_whole = Trainer::new(&mut whole, (), Adam::new(1e-2));
    let value = |q: &[&[f32]], dq: &mut [&mut [f32]]| {
        dq[0].iter_mut().zip(q[0]).for_each(|(dq, q)| *dq = (q - 1.0) / 4.5);
        q[0].iter().map(|q| f64::from(q - 1.0).powi(2)).sum::<f64>() / 9.0
    };
    let mut last = f64::INFINITY;
    for step in 0..20 {
        let state = numbers(27, step % 3);
        let loss = of_actor.step_with(&[&state], |action, d_action| {
            let (x, dx) = ([&state[..], action[0]], &mut [&mut [][..], &mut *d_action[0]]);
            through.input_gradient_with(&critic, &x, value, dx).unwrap()
        });
        let (loss, expected) = (loss.unwrap(), of_whole.step_with(&[&state], value).unwrap());
        assert!((loss - expected).abs() < 1e-5, "step {step}: {loss} {expected}");
        if step % 3 == 0 {
            assert!(loss < last);
            last = loss;
        }
    }
    let part = of_whole.model().part::<Actor>("actor").unwrap().to_model();
    let near = params(of_actor.model()).iter().zip(params(&part)).all(|(a, b)| (a - b).abs() < 1e-4);
    assert!(near);
    assert_eq!(params(&of_whole.model().part::<Critic>("critic").unwrap().to_model()), params(&critic));
}

#[test]
fn slices_that_do_not_fit_are_told() {
    let (model, mut through) = (Critic::init(0), Differentiator::<Critic>::new(2));
    let (state, action) = ([0.5; 9], [0.5; 6]);
    let mut dx = [f32::NAN; 9];
    let mut told = |x: &[&[f32]], dy: &[f32], len: usize, kind: InputErrorKind, text: &str| {
        let error = through.input_gradient(&model, x, &[dy], &mut [&mut dx[..len], &mut []]).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.to_string().contains(text), "{error}");
    };
    use InputErrorKind::{Count, Shape};
    told(&[&state], &[1.0; 3], 9, Count, "expected 2 input slices, found 1");
    told(&[&state, &action[..5]], &[1.0; 3], 9, Shape, "expected whole samples of [2]");
    told(&[&state, &action], &[1.0; 2], 9, Shape, "expected output gradients of 3 samples, as the input has, found 2");
    told(&[&state, &action], &[1.0; 3], 8, Shape, "gradients of 3 samples of input 0, which is 9 numbers, found 8");
    assert!(dx.iter().all(|dx| dx.is_nan()));
    let error = through.input_gradient(&model, &[&state, &action], &[&[1.0; 3]], &mut [&mut dx]).unwrap_err();
    assert!(error.to_string().contains("expected 2 slices for the gradients of inputs, found 1"), "{error}");
    let error = through.input_gradient_with(&model, &[&state, &action], |_, _| 0.0, &mut [&mut dx, &mut []]);
    let text = error.unwrap_err().to_string();
    assert!(text.contains("expected at most 2 samples, which there is memory for, found 3"), "{text}");
}

#[test]
fn a_target_follows() {
    let (start, online) = (Image::init(1), Image::init(2));
    for tau in [0.0, 0.005, 0.3, 0.9, 1.0] {
        let mut target = start.clone();
        target.lerp(&online, tau);
        for ((found, from), to) in params(&target).into_iter().zip(params(&start)).zip(params(&online)) {
            let truth = f64::from(from) + tau * (f64::from(to) - f64::from(from));
            assert!((f64::from(found) - truth).abs() < 1e-6, "{tau}: {found} {truth}");
            assert!(tau != 0.0 || found == from);
            assert!(tau != 1.0 || found == to);
        }
    }
    let mut copy = start.clone();
    copy.copy_from(&online);
    assert_eq!(params(&copy), params(&online));
    let refused = std::panic::catch_unwind(|| start.clone().lerp(&online, 1.5)).unwrap_err();
    assert!(refused.downcast_ref::<String>().unwrap().contains("expected a part from 0 to 1, found 1.5"));
}

network! { struct Short: [8, 2] -> [8, 1] { Gru(40) -> head: DensePerStep(1) } }
network! { struct Long: [32, 2] -> [32, 1] { Gru(40) -> Dropout(0.5) -> head: DensePerStep(1) } }
network! { struct Wide: [8, 2] -> [8, 1] { Gru(41) -> head: DensePerStep(1) } }
network! { struct Other: [8, 2] -> [8, 1] { Gru(40) -> tail: DensePerStep(1) } }
network! { struct More: [8, 2] -> [8, 1] { Gru(40) -> head: DensePerStep(1) -> Prelu } }

#[test]
fn networks_of_the_same_tensors_exchange_them() {
    let from = Short::init(1);
    let mut long = Long::init(2);
    long.copy_tensors_from(&from).unwrap();
    assert_eq!(params(&long), params(&from));
    fn told<N: Network, P: Network>(kind: ParamErrorKind, text: &str) {
        let mut model = N::init(1);
        let error = model.copy_tensors_from(&P::init(2)).unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.to_string().contains(text), "{error}");
        assert_eq!(params(&model), params(&N::init(1)));
    }
    told::<Short, Wide>(
        ParamErrorKind::Shape,
        "`gru_1.weight_ih`: expected the shape [120, 2], as in `Short`, found [123, 2] in",
    );
    told::<Short, Other>(
        ParamErrorKind::Name,
        "expected a parameter `head.weight` in `Other`, as in `Short`, found none",
    );
    told::<Short, More>(
        ParamErrorKind::Name,
        "expected the parameters of `Short`, found `prelu_1.weight` of `More` too",
    );
    told::<More, Short>(ParamErrorKind::Name, "expected a parameter `prelu_1.weight` in `Short`");
    let error = Judged::init(0).set_part("critic", &Actor::init(0)).unwrap_err();
    assert!(error.to_string().contains("expected a `Actor` called `critic` within `Judged`"), "{error}");
}

#[test]
fn all_parameters_are_one_vector() {
    let (from, mut to) = (Image::init(1), Image::init(2));
    let all = params(&from);
    to.write_params(&all).unwrap();
    assert_eq!(params(&to), all);
    let by_name: Vec<f32> = from.tensors().iter().flat_map(|tensor| from.get(&tensor.name).unwrap()).collect();
    assert_eq!(all, by_name);
    let error = to.write_params(&all[1..]).unwrap_err();
    assert_eq!(error.kind(), ParamErrorKind::Shape);
    let mut bad = params(&Image::init(3));
    bad[40] = f32::NAN;
    let error = to.write_params(&bad).unwrap_err();
    assert_eq!(error.kind(), ParamErrorKind::Number);
    assert!(error.to_string().contains("expected a finite number, found NaN"), "{error}");
    assert_eq!(params(&to), all);
}

network! { struct Encoder: [6] -> [40] { wide: Dense(300) -> Tanh -> narrow: Dense(40) -> Tanh } }
network! { struct Free: [6] -> [2] { encoder: Encoder -> mid: Dense(30) -> norm: LayerNorm -> Relu -> head: Dense(2) } }
network! {
    struct Frozen: [6] -> [2] {
        let code = frozen encoder: Encoder;
        code -> mid: Dense(30) -> norm: LayerNorm -> Relu -> head: Dense(2)
    }
}

fn data() -> Dataset<Values> {
    Dataset::values((numbers(20 * 6, 1), 6), (numbers(20 * 2, 2), 2)).unwrap()
}

/// What rests while a trainer runs is what is frozen in a declaration, to the bit.
#[test]
fn what_is_frozen_for_a_while_rests() {
    macro_rules! check {
        ($optimizer:expr, |$t:ident| $set:expr) => {
            for threads in [1, 3] {
                let (mut free, mut frozen) = (Free::init(3), Frozen::init(3));
                let $t = Trainer::new(&mut free, Mse::new(), $optimizer);
                let mut of_free = $set.threads(threads);
                let $t = Trainer::new(&mut frozen, Mse::new(), $optimizer);
                let mut of_frozen = $set.threads(threads);
                of_free.freeze("encoder").unwrap();
                for _ in 0..6 {
                    assert_eq!(of_free.step(&data()).unwrap(), of_frozen.step(&data()).unwrap());
                }
                assert_eq!(params(of_free.model()), params(of_frozen.model()), stringify!($set));
                assert_eq!(params(&of_free.ema_model()), params(&of_frozen.ema_model()), stringify!($set));
                of_free.freeze("head").unwrap();
                of_free.unfreeze("encoder.narrow").unwrap();
                let before = of_free.model().clone();
                for _ in 0..4 {
                    of_free.step(&data()).unwrap();
                }
                for tensor in before.tensors() {
                    let learns = !tensor.name.starts_with("head") && !tensor.name.starts_with("encoder.wide");
                    let same = of_free.model().get(&tensor.name) == before.get(&tensor.name);
                    assert_eq!(learns, !same, "{} {}", tensor.name, stringify!($set));
                }
            }
        };
    }
    check!(Adam::new(1e-2), |t| t);
    check!(Sgd::new(1e-2).momentum(0.9), |t| t.clip(Clip::GlobalNorm(0.05)).ema(0.5));
    check!(AdamW::new(1e-2), |t| t.clip(Clip::Norm(0.05)).accumulate(2));
    check!(Muon::new(1e-2, AdamW::new(1e-2)), |t| t.regularize("mid", Regularizer::L2(0.1)));
    check!(Adam::new(1e-2), |t| t.rate_factor("mid", 0.1));
}

#[test]
fn a_rate_of_its_own_is_a_factor_of_the_schedule() {
    for threads in [1, 3] {
        let (begun, mut plain, mut scaled) = (Free::init(1), Free::init(1), Free::init(1));
        fn set(model: &mut Model<Free>, threads: usize) -> Trainer<'_, Free, Mse, Sgd> {
            Trainer::new(model, Mse::new(), Sgd::new(0.1)).schedule(Warmup::new(4)).threads(threads)
        }
        set(&mut plain, threads).step(&data()).unwrap();
        let trainer = set(&mut scaled, threads).rate_factor("encoder", 0.25).rate_factor("encoder.wide.bias", 0.0);
        let mut trainer = trainer.rate_factor("head.weight", 3.0).rate_factor("mid.bias", 7.0).rate_factor("mid", 1.0);
        trainer.step(&data()).unwrap();
        assert_eq!(trainer.optimizer().learning_rate(), 0.1);
        for tensor in begun.tensors() {
            let factor = match &*tensor.name {
                "encoder.wide.bias" => 0.0,
                "head.weight" => 3.0,
                name if name.starts_with("encoder") => 0.25,
                _ => 1.0,
            };
            let [from, plain, scaled] = [&begun, &plain, trainer.model()].map(|model| model.get(&tensor.name).unwrap());
            for ((from, plain), scaled) in from.into_iter().zip(plain).zip(scaled) {
                let truth = f64::from(from) + factor * (f64::from(plain) - f64::from(from));
                assert!((f64::from(scaled) - truth).abs() < 1e-6, "{}: {scaled} {truth}", tensor.name);
            }
        }
    }
}

#[test]
fn names_and_factors_that_do_not_fit_are_told() {
    let mut model = Free::init(0);
    let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.1));
    let error = trainer.freeze("encodr").unwrap_err().to_string();
    assert_eq!(
        error,
        "freeze: expected the name of a layer or a tensor that is trained in `Free`, found `encodr`\nhelp: did you mean `encoder`?"
    );
    trainer.step(&data()).unwrap();
    for (name, factor, text) in [
        ("hed", 0.5, "rate_factor: expected the name of a layer or a tensor that is trained in `Free`, found `hed`"),
        ("head", -1.0, "expected a factor of at least 0 for the learning rate of `head`, found -1"),
    ] {
        let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.1)).rate_factor(name, factor);
        let error = trainer.step(&data()).unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
    }
    // Where everything rests there is nothing to train.
    let mut trainer = Trainer::new(&mut model, Mse::new(), Sgd::new(0.1));
    for name in ["encoder", "mid", "norm", "head"] {
        trainer.freeze(name).unwrap();
    }
    let error = trainer.step(&data()).unwrap_err().to_string();
    assert!(error.contains("expected a network with parameters to train, found all of `Free` frozen"), "{error}");
    trainer.unfreeze("norm").unwrap();
    trainer.step(&data()).unwrap();
}
