//! Models owned, shared and borrowed by what runs them. In: the same model in every way; out: the same bits,
//! and types that can be named, stored and sent.

use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use nn_runtime::prelude::*;
use nn_runtime::{AsModel, Isa, ModelRef, Predictor, Streamer};

network! {
    struct Filter: [8, 2] -> [8, 1] { Lstm(5) -> DensePerStep(1) }
}
network! {
    struct Chain: [8, 2] -> [8, 1] { filter: Filter -> Tanh }
}

network! {
    struct Delays: [16, 3] -> [16, 4] { Conv1d(7, 3, padding = Causal, dilation = 2) -> Relu -> Gru(5) -> DensePerStep(4) -> Softmax }
}

network! {
    struct Digits: [1, 8, 8] -> [10] { Conv2d(3, 3) -> Relu -> MaxPool2d(2) -> Flatten -> Dense(10) -> Softmax }
}
network! {
    struct Pair: (x: [5], z: [3]) -> (a: [4], b: [19]) {
        let a = x -> Dense(4) -> Tanh;
        let b = (a, z) -> Concat -> Dense(19);
    }
}

network! {
    #[weights("../examples/data/digits.safetensors")]
    struct Embedded: [1, 28, 28] -> [10] { Flatten -> hidden: Dense(12) -> Relu -> head: Dense(10) -> Softmax }
}

/// A host's plug-in: it owns model, streams and what it predicts with, and names their types.
struct Plugin {
    streams: [Streamer<Arc<Model<Filter>>>; 2],
    whole: Predictor<Arc<Model<Filter>>>,
    alone: Option<Streamer<Model<Filter>>>,
}

fn window() -> [f32; 16] {
    core::array::from_fn(|i| (i as f32 * 0.7).sin())
}

fn steps<M: AsModel<Network = Filter>>(mut stream: Streamer<M>) -> Vec<f32> {
    window().as_chunks::<2>().0.iter().map(|x| stream.step(x).unwrap()[0]).collect()
}

#[test]
fn however_a_model_is_held_its_bits_are_the_same() {
    let model = Filter::init(1);
    let whole = *model.predictor(1).predict(&window());
    assert!(whole.iter().any(|y| *y != 0.0));
    assert_eq!(steps(model.streamer().unwrap()), whole);
    assert_eq!(steps(model.clone().into_streamer().unwrap()), whole);
    assert_eq!(steps(Streamer::new(Box::new(model.clone())).unwrap()), whole);
    assert_eq!(steps(Streamer::new(Rc::new(model.clone())).unwrap()), whole);
    assert_eq!(steps(Streamer::new_on(&&model, Isa::detect()).unwrap()), whole);
    let shared = Arc::new(model.clone());
    assert_eq!(steps(Streamer::new(shared.clone()).unwrap()), whole);
    assert_eq!(*Predictor::new(shared.clone(), 1).predict(&window()), whole);
    assert_eq!(*Predictor::new_on(shared, 1, Isa::detect()).predict(&window()), whole);
    let mut owner = model.clone().into_predictor(3);
    assert_eq!(*owner.predict(&window()), whole);
    assert_eq!(owner.model().get("lstm_1.weight_ih").unwrap(), model.get("lstm_1.weight_ih").unwrap());
    assert_eq!(owner.into_model().get("lstm_1.bias_hh").unwrap(), model.get("lstm_1.bias_hh").unwrap());

    let mut chain = Chain::init(0);
    for tensor in model.tensors() {
        chain.set(&format!("filter.{}", tensor.name), &model.get(&tensor.name).unwrap()).unwrap();
    }
    let part = chain.part::<Filter>("filter").unwrap();
    assert_eq!(steps(part.streamer().unwrap()), whole);
    assert_eq!(*Predictor::new(part, 1).predict(&window()), whole, "a part can be had twice");
}

#[test]
fn a_plug_in_owns_its_model_and_goes_to_another_thread() {
    let model = Arc::new(Filter::init(2));
    let mut plugin = Plugin {
        streams: [(); 2].map(|()| Streamer::new(model.clone()).unwrap()),
        whole: Predictor::new(model.clone(), 1),
        alone: Some(Model::clone(&model).into_streamer().unwrap()),
    };
    let whole = *model.predictor(1).predict(&window());
    drop(model);
    let heard = thread::spawn(move || {
        let window = window();
        let heard = window.as_chunks::<2>().0.iter().map(|x| {
            let [left, right] = &mut plugin.streams;
            let y = left.step(x).unwrap()[0];
            assert_eq!(y, right.step(x).unwrap()[0]);
            y
        });
        let heard: Vec<f32> = heard.collect();
        assert_eq!(*plugin.whole.predict(&window), *heard);
        assert_eq!(steps(plugin.alone.take().unwrap()), heard);
        heard
    });
    assert_eq!(heard.join().unwrap(), whole);
}

/// A model that is had back can be changed, and a new stream goes on from the state of the old one.
#[test]
fn a_model_comes_back() {
    let mut stream = Filter::init(3).into_streamer().unwrap();
    stream.step(&[0.5, -0.5]).unwrap();
    let state = stream.state();
    let mut model = stream.into_model();
    model.set("dense_per_step_1.bias", &[4.0]).unwrap();
    let mut stream = model.into_streamer().unwrap();
    stream.restore(&state).unwrap();
    assert_eq!(stream.steps(), 1);
    assert!(stream.step(&[0.0, 0.0]).unwrap()[0] > 2.0);
    assert_eq!(stream.model().get("dense_per_step_1.bias").unwrap(), [4.0]);
}

/// What learns beside what hears, in one struct.
struct Agent {
    learner: Trainer<'static, Filter, Mse, Adam>,
    used: Streamer<Model<Filter>>,
}

#[test]
fn a_trainer_owns_its_model() {
    let data = Dataset::values((&window()[..], 16), (&[0.5; 8][..], 8)).unwrap();
    let mut agent = Agent {
        learner: Filter::init(4).into_trainer(Mse::new(), Adam::new(1e-2)),
        used: Filter::init(4).into_streamer().unwrap(),
    };
    let mut borrowed = Filter::init(4);
    let mut trainer = Trainer::new(&mut borrowed, Mse::new(), Adam::new(1e-2));
    for _ in 0..3 {
        assert_eq!(agent.learner.step(&data).unwrap(), trainer.step(&data).unwrap());
    }
    agent.used = agent.learner.model().clone().into_streamer().unwrap();
    assert_eq!(steps(agent.used), steps(trainer.model().streamer().unwrap()));
    let mut whole = [0.0; 8];
    agent.learner.predict_into(&[&window()], &mut [&mut whole]).unwrap();
    assert_eq!(steps(agent.learner.into_model().into_streamer().unwrap()), whole);
    assert_eq!(*trainer.into_model().predictor(1).predict(&window()), whole);
}

#[test]
fn all_that_runs_a_model_can_be_sent() {
    fn sent<T: Send>() {}
    sent::<Trainer<'static, Filter, Mse, Adam>>();
    sent::<Streamer<Model<Filter>>>();
    sent::<Streamer<Arc<Model<Filter>>>>();
    sent::<Streamer<&Model<Filter>>>();
    sent::<Predictor<Model<Filter>>>();
    sent::<Predictor<Arc<Model<Filter>>>>();
    sent::<Predictor<&Model<Filter>>>();
}

#[test]
fn memory_of_the_callers_gives_the_same_bits() {
    for isa in Isa::available() {
        let model = Digits::init(3);
        let images: Vec<f32> = (0..5 * 64).map(|i| (i as f32 * 0.37).sin()).collect();
        let mut owned = model.predictor_on(2, isa);
        // What lies there, and more of it than needed, changes nothing.
        let mut memory = [f32::NAN; Digits::predict_len(2) + 3];
        let borrowed = ModelRef::<Digits>::new(model.as_params()).unwrap();
        let mut predictor = Predictor::new_in_on(borrowed, 2, &mut memory, isa).unwrap();
        let (mut a, mut b) = ([0.0; 50], [1.0; 50]);
        owned.predict_into(&[&images], &mut [&mut a]).unwrap();
        predictor.predict_into(&[&images], &mut [&mut b]).unwrap();
        assert_eq!(a, b, "{isa:?}");
        let image = images.first_chunk().unwrap();
        assert_eq!(predictor.predict(image), owned.predict(image), "{isa:?}");
    }
    let (model, x, z) = (Pair::init(4), [0.1, -0.2, 0.3, -0.4, 0.5], [1.0, 2.0, -3.0]);
    let mut memory = [f32::NAN; Pair::predict_len(1)];
    let mut predictor = Predictor::new_in(&model, 1, &mut memory).unwrap();
    assert_eq!(predictor.predict((&x, &z)), model.predictor(1).predict((&x, &z)));
}

/// Streams, of cells that keep much and of layers that keep none, before and after a step that is refused.
#[test]
fn a_stream_in_memory_of_the_callers_gives_the_same_bits() {
    macro_rules! same {
        ($net:ident, $width:literal) => {
            for isa in Isa::available() {
                let model = $net::init(5);
                let mut owned = model.streamer_on(isa).unwrap();
                let mut memory = [f32::NAN; $net::stream_len() + 3];
                let borrowed = ModelRef::<$net>::new(model.as_params()).unwrap();
                let mut lent = Streamer::new_in_on(borrowed, &mut memory, isa).unwrap();
                for step in 0..20 {
                    let x: [f32; $width] = core::array::from_fn(|i| ((step * $width + i) as f32 * 0.37).sin());
                    assert_eq!(lent.step(&x).unwrap(), owned.step(&x).unwrap(), "{isa:?}, step {step}");
                    let mut odd = x;
                    odd[0] = f32::NAN;
                    assert_eq!(lent.step(&odd).unwrap_err().to_string(), owned.step(&odd).unwrap_err().to_string());
                    assert_eq!(lent.step_or_hold(&odd), owned.step_or_hold(&odd));
                    if step == 12 {
                        (owned.reset(), lent.reset());
                    }
                }
                assert_eq!((lent.steps(), owned.steps()), (7, 7));
            }
        };
    }
    same!(Filter, 2);
    same!(Chain, 2);
    same!(Delays, 3);
    let model = Filter::init(5);
    let mut memory = [0.0; Filter::stream_len() - 1];
    let short = Streamer::new_in(&model, &mut memory).map(|_| ()).unwrap_err();
    assert_eq!((short.expected, short.found), (Filter::stream_len(), Filter::stream_len() - 1));
    assert!(short.to_string().ends_with("help: `[0.0; Filter::stream_len()]`"), "{short}");
}

#[test]
fn memory_and_parameters_of_another_length_are_refused() {
    let model = Digits::init(3);
    let mut memory = [0.0; Digits::predict_len(4)];
    let short = Predictor::new_in(&model, 5, &mut memory).map(|_| ()).unwrap_err();
    assert_eq!((short.expected, short.found), (Digits::predict_len(5), Digits::predict_len(4)));
    let text = short.to_string();
    assert!(text.starts_with("expected memory of ") && text.contains("`[0.0; Digits::predict_len(5)]`"), "{text}");
    assert!(Predictor::new_in(&model, 0, &mut memory).is_err());
    assert!(Predictor::new_in(&model, 4, &mut memory).is_ok());
    let other = ModelRef::<Digits>::new(&model.as_params()[1..]).map(|_| ()).unwrap_err();
    assert_eq!((other.expected, other.found), (Digits::PARAMS_LEN, Digits::PARAMS_LEN - 1));
    assert!(other.to_string().contains("`Digits`'s parameters"), "{other}");
}

/// What a microcontroller answers (`examples/embedded/run.sh`) is what this machine's portable path does.
#[test]
fn an_embedded_program_has_the_bits_of_the_portable_path() {
    let seven = |at: usize| {
        let (y, x) = (at / 28, at % 28);
        let bar = (5..8).contains(&y) && (7..21).contains(&x);
        let stroke = (8..24).contains(&y) && (0..3).contains(&(x + (y - 8) / 2).wrapping_sub(18));
        f32::from(u8::from(bar || stroke))
    };
    let mut memory = [0.0; Embedded::predict_len(1)];
    let weights = Embedded::embedded_ref();
    let mut predictor = Predictor::new_in_on(weights, 1, &mut memory, Isa::PORTABLE).unwrap();
    let y = predictor.predict(&core::array::from_fn(seven));
    assert!(y[7] > 0.9);
    let shown: String = y.iter().map(|y| format!("{:08x} ", y.to_bits())).collect();
    assert_eq!(shown.trim(), include_str!("../examples/embedded/predicts.txt").trim());
}
