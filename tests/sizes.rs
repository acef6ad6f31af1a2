//! Networks declared for several sizes. In: sizes, weights of one of them; out: the network of that size,
//! with the bits of one that is declared for it alone, or what sizes there are.

use nn_runtime::prelude::*;
use nn_runtime::sizes::{OwnedStreamer, SizeError};
use nn_runtime::{Network, WeightsErrorKind};

network! {
    /// An agent that is small, or large.
    #[budget(params <= 1_000)]
    pub struct Policy<const W: usize in [16, 32, 64]>: [8] -> [2] {
        body: Dense(W) -> Tanh -> head: Dense(2)
    }
}
network! { struct Alone: [8] -> [2] { body: Dense(32) -> Tanh -> head: Dense(2) } }
network! { struct Filter<const CHANNELS: usize in [2, 4]>: [32, 1] -> [32, 1] { Gru(CHANNELS) -> DensePerStep(1) } }
network! { struct Team: [8] -> [2] { left: Policy::<16> -> Dense(8) -> Policy::<64> } }

const X: [f32; 8] = [0.5, -1.0, 0.25, 2.0, -0.125, 0.0, 1.0, -0.75];

#[test]
fn a_size_is_the_network_that_is_declared_for_it_alone() {
    let (of_several, alone) = (Policy::<32>::init(7), Alone::init(7));
    assert_eq!(of_several.predictor(1).predict(&X), alone.predictor(1).predict(&X));
    assert_eq!([Policy::<16>::PARAMS, Policy::<32>::PARAMS, Policy::<64>::PARAMS], [16, 32, 64].map(|w| 11 * w + 2));
    assert_eq!(format!("{of_several:?}"), "Model<Policy<32>>(354 parameters)");
    assert_eq!(Team::PARAMS, 11 * 16 + 2 + 3 * 8 + 11 * 64 + 2);
}

#[test]
fn a_size_is_chosen_when_the_program_runs() {
    assert_eq!(AnyPolicy::SIZES, [16, 32, 64]);
    for size in [16, 32, 64] {
        let any = AnyPolicy::init(size, 3).unwrap();
        assert_eq!(any.size(), size);
        let mut y = [0.0; 2];
        let mut predictor = any.into_predictor(1);
        predictor.predict_into(&[&X], &mut [&mut y]).unwrap();
        let truth = match size {
            16 => *Policy::<16>::init(3).predictor(1).predict(&X),
            32 => *Policy::<32>::init(3).predictor(1).predict(&X),
            _ => *Policy::<64>::init(3).predictor(1).predict(&X),
        };
        assert_eq!((y, predictor.size()), (truth, size));
    }
    let refused: SizeError = AnyPolicy::init(48, 0).err().unwrap();
    assert_eq!((refused.expected, refused.found), (&[16, 32, 64][..], 48));
    assert_eq!(
        refused.to_string(),
        "expected a `Policy` of 16, 32 or 64, found 48\nhelp: one of these, or 48 among the sizes of its declaration"
    );
}

#[test]
fn weights_choose_their_size() {
    for size in [16, 32, 64] {
        let any = AnyPolicy::init(size, 5).unwrap();
        let read = AnyPolicy::from_bytes(&any.to_bytes()).unwrap();
        assert_eq!((read.size(), read.to_bytes()), (size, any.to_bytes()));
        let path = std::env::temp_dir().join(format!("sizes-{}-{size}.safetensors", std::process::id()));
        any.save(&path).unwrap();
        let read = AnyPolicy::load(&path).unwrap();
        assert_eq!((read.size(), read.to_bytes()), (size, any.to_bytes()));
        let other = AnyFilter::load(&path).err().unwrap();
        assert!(
            other.to_string().starts_with(&format!("{}: expected the weights of a `Filter` of 2 or 4", path.display()))
        );
        std::fs::remove_file(path).unwrap();
    }
    network! { struct Wider: [8] -> [2] { body: Dense(48) -> Tanh -> head: Dense(2) } }
    let error = AnyPolicy::from_bytes(&Wider::init(0).to_bytes()).err().unwrap();
    assert_eq!(error.kind(), WeightsErrorKind::Mismatch);
    let told = error.to_string();
    let mut lines = told.lines();
    assert_eq!(lines.next(), Some("expected the weights of a `Policy` of 16, 32 or 64, found those of none"));
    for size in [16, 32, 64] {
        let line = lines.next().unwrap();
        assert!(line.starts_with(&format!("`Policy<{size}>`: ")) && line.contains("found [48"), "{line}");
    }
    let damaged = AnyPolicy::from_bytes(b"no weights").err().unwrap();
    assert_eq!(damaged.kind(), WeightsErrorKind::Format);
}

#[test]
fn a_stream_runs_the_size_that_was_chosen() {
    /// Owns whichever it is.
    struct Plugin(AnyFilter<OwnedStreamer>);

    let mut plugin = Plugin(AnyFilter::init(4, 1).unwrap().into_streamer().unwrap());
    let (x, mut y) = ([0.5, -0.25, 1.0, 0.0], [0.0; 4]);
    plugin.0.block(&[&x], &mut [&mut y]).unwrap();
    let mut truth = Filter::<4>::init(1).into_streamer().unwrap();
    for (x, y) in x.iter().zip(y) {
        assert_eq!(truth.step(&[*x]).unwrap(), &[y]);
    }
    // What one does oneself with the network that it is.
    let AnyFilter::Channels2(model) = AnyFilter::init(2, 1).unwrap() else { panic!("expected that of size 2") };
    assert_eq!(model.tensors().len(), Filter::<2>::init(0).tensors().len());
}
