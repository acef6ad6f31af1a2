//! Files of other tools (`files/`, written by the scripts there): the declaration that is read of each,
//! kept as it is printed and compiled here, predicts what the tool itself did. In: files; out: nothing, or
//! what differs.

use std::fs;
use std::path::{Path, PathBuf};

use nn_runtime::prelude::*;

const BATCH: usize = 2;

fn path(name: &str, end: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("imports/files").join(format!("{name}.{end}"))
}

fn no_other_file(name: &str, _: u64, _: usize) -> Result<Vec<u8>, String> {
    Err(format!("expected numbers within the file, found them in `{name}`"))
}

fn is_read_and_predicts<N: Network>(name: &str, end: &str, answers: &str) {
    let struct_name = std::any::type_name::<N>().rsplit("::").next().unwrap();
    let bytes = fs::read(path(name, end)).unwrap();
    let imported = nn_cli::import(&bytes, struct_name, &no_other_file).unwrap();
    if std::env::var_os("BLESS").is_some() {
        fs::write(path(name, "declaration"), &imported.declaration).unwrap();
    }
    let kept = fs::read_to_string(path(name, "declaration")).unwrap();
    assert_eq!(imported.declaration, kept, "accept it with BLESS=1");

    let weights = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("imported_{name}.safetensors"));
    fs::write(&weights, &imported.weights).unwrap();
    let model = Model::<N>::load(&weights).unwrap();
    let text = fs::read_to_string(path(answers, "txt")).unwrap();
    let all = |key: &str| -> Vec<Vec<f32>> {
        let lines = text.lines().filter_map(|line| line.strip_prefix(key));
        lines.map(|line| line.split(' ').map(|word| word.parse().unwrap()).collect()).collect()
    };
    let (x, y) = (all("x "), all("y "));
    let x: Vec<&[f32]> = x.iter().map(|x| &x[..]).collect();
    let mut found: Vec<Vec<f32>> = y.iter().map(|y| vec![0.0; y.len()]).collect();
    let mut slots: Vec<&mut [f32]> = found.iter_mut().map(|y| &mut y[..]).collect();
    model.predictor(BATCH).predict_into(&x, &mut slots).unwrap();
    for (found, y) in found.iter().flatten().zip(y.iter().flatten()) {
        assert!((found - y).abs() <= 1e-5 * y.abs().max(1.0), "{name}: {found} is not {y}");
    }
}

macro_rules! imported {
    ($($name:ident $end:literal $network:ident $answers:literal)*) => { $(
        mod $name {
            include!(concat!("files/", stringify!($name), ".declaration"));

            #[test]
            fn is_read_and_predicts() {
                super::is_read_and_predicts::<$network>(stringify!($name), $end, $answers);
            }
        }
    )* };
}

imported! {
    keras_images "keras" KerasImages "keras_images"
    keras_steps "keras" KerasSteps "keras_steps"
    keras_text "keras" KerasText "keras_text"
    keras_more "keras" KerasMore "keras_more"
    keras_small "keras" KerasSmall "keras_small"
    keras_gates "keras" KerasGates "keras_gates"
    keras_trained "h5" KerasTrained "keras_trained"
    tf2onnx_images "onnx" Tf2onnxImages "tf2onnx_images"
    rsl_rl_actor "onnx" RslRlActor "rsl_rl_actor"
    sb3_ppo "onnx" Sb3Ppo "sb3_ppo"
    sb3_sac "onnx" Sb3Sac "sb3_sac"
    torch_borders "onnx" TorchBorders "torch_borders"
    torch_borders_script "onnx" TorchBordersScript "torch_borders"
    torch_cross "onnx" TorchCross "torch_cross"
    torch_encoder "onnx" TorchEncoder "torch_encoder"
    torch_lenet "onnx" TorchLenet "torch_lenet"
    torch_residual "onnx" TorchResidual "torch_residual"
    torch_residual_script "onnx" TorchResidualScript "torch_residual"
    torch_text "onnx" TorchText "torch_text"
    torch_text_script "onnx" TorchTextScript "torch_text"
    torch_steps "onnx" TorchSteps "torch_steps"
    torch_steps_script "onnx" TorchStepsScript "torch_steps"
    torch_actor "onnx" TorchActor "torch_actor"
    torchrl_actor "onnx" TorchrlActor "torchrl_actor"
    torch_shared "onnx" TorchShared "torch_shared"
    sklearn_regressor "onnx" SklearnRegressor "sklearn_regressor"
    sklearn_classifier "onnx" SklearnClassifier "sklearn_classifier"
}

/// A layer is a line: LeNet is 15 at most, the first included.
#[test]
fn declarations_are_short() {
    let text = fs::read_to_string(path("torch_lenet", "declaration")).unwrap();
    assert!(text.lines().count() <= 15, "{text}");
}

/// `struct Relu` would hold itself, and `padding = Same` would be the network `Same`.
#[test]
fn a_network_is_not_called_as_what_it_holds() {
    let bytes = fs::read(path("torch_lenet", "onnx")).unwrap();
    for (asked, called) in [("Relu", "ReluNet"), ("Same", "SameNet"), ("Self", "SelfNet"), ("Gru", "Gru")] {
        let imported = nn_cli::import(&bytes, asked, &no_other_file).unwrap();
        assert_eq!(imported.name, called);
        assert!(imported.declaration.contains(&format!("pub struct {called}: ")), "{}", imported.declaration);
    }
}
