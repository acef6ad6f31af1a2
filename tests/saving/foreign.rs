//! Files whose tensors are called otherwise: what is proposed, and that it is so.

use nn_runtime::Names;

use super::*;

/// A file of zeros with these tensors.
fn file(tensors: &[(&str, &[usize])]) -> Vec<u8> {
    let stored: Vec<Stored> = tensors
        .iter()
        .map(|(name, shape)| (*name, "F32", *shape, vec![0; 4 * shape.iter().product::<usize>()]))
        .collect();
    safetensors(&stored)
}

fn refused<N: Network>(bytes: &[u8]) -> String {
    let error = Model::<N>::from_bytes(bytes).unwrap_err();
    assert_eq!(error.kind(), WeightsErrorKind::Mismatch, "{error}");
    error.to_string()
}

network! { struct Policy: [4] -> [2] { hidden: Dense(8) -> Tanh -> again: Dense(8) -> Tanh -> mean: Dense(2) } }
network! { struct Convs: [1, 8, 8] -> [4, 6, 6] { conv: Conv2d(4, 3) } }
network! { struct Deep: [4] -> [4] { Dense(4, bias = false) -> Dense(4, bias = false) -> Dense(4, bias = false) } }

#[test]
fn a_sequential_is_renamed_by_its_shapes() {
    let bytes = file(&[
        ("0.weight", &[8, 4]),
        ("0.bias", &[8]),
        ("2.weight", &[8, 8]),
        ("2.bias", &[8]),
        ("4.weight", &[2, 8]),
        ("4.bias", &[2]),
    ]);
    let text = refused::<Policy>(&bytes);
    let expected = "`hidden.weight`: expected [8, 4], found no tensor of that name\n\
        `hidden.bias`: expected [8], found no tensor of that name\n\
        `again.weight`: expected [8, 8], found no tensor of that name\n\
        `again.bias`: expected [8], found no tensor of that name\n\
        `mean.weight`: expected [2, 8], found no tensor of that name\n\
        `mean.bias`: expected [2], found no tensor of that name\n\
        `0.weight`: expected no such tensor in `Policy`, found [8, 4]\n\
        `0.bias`: expected no such tensor in `Policy`, found [8]\n\
        `2.weight`: expected no such tensor in `Policy`, found [8, 8]\n\
        `2.bias`: expected no such tensor in `Policy`, found [8]\n\
        … and 2 more\n\
        help: `Names::new().map(\"0\", \"hidden\").map(\"2\", \"again\").map(\"4\", \"mean\")` makes all 6 tensors fit: \
        give them to `Model::load_with(path, names)`";
    assert_eq!(text, expected);
    let names = Names::new().map("0", "hidden").map("2", "again").map("4", "mean");
    Model::<Policy>::from_bytes_with(&bytes, names).unwrap();
    let path = File::new("sequential");
    fs::write(&path.0, &bytes).unwrap();
    Model::<Policy>::load_with(&path.0, names).unwrap();
}

#[test]
fn of_equal_shapes_the_names_and_then_the_order_decide() {
    let square: &[usize] = &[4, 4];
    let text = refused::<Deep>(&file(&[("net.10.weight", square), ("net.2.weight", square), ("net.4.weight", square)]));
    let help = "help: `Names::new().map(\"net.2\", \"dense_1\").map(\"net.4\", \"dense_2\").map(\"net.10\", \"dense_3\")` makes all 3";
    assert!(text.contains(help), "{text}");
    let text =
        refused::<Deep>(&file(&[("dens_3.weight", square), ("dens_1.weight", square), ("dense_2.weight", square)]));
    let help = "help: `Names::new().map(\"dens_1\", \"dense_1\").map(\"dens_3\", \"dense_3\")` makes all 3 tensors fit";
    assert!(text.contains(help), "{text}");
}

network! { struct Inner: [4] -> [4] { lin: Dense(4) -> norm: LayerNorm } }
network! { struct Mid: [4] -> [4] { inner: Inner -> mix: Dense(4, bias = false) } }
network! { struct Blocks: [4] -> [4] { stem: Dense(4) -> body: Mid * 20 } }

/// Twenty blocks of a model are renamed by one name, however many layers they have; where one is not there,
/// layer by layer.
#[test]
fn networks_within_are_renamed_as_a_whole() {
    let model = Model::<Blocks>::init(0);
    let names: Vec<String> = model.tensors().iter().map(|tensor| tensor.name.clone()).collect();
    let shapes: Vec<Vec<usize>> = model.tensors().iter().map(|tensor| tensor.shape.as_slice().to_vec()).collect();
    let renamed: Vec<String> = names.iter().map(|name| name.replace("body.", "net.layers.")).collect();
    let mut tensors: Vec<(&str, &[usize])> = renamed.iter().zip(&shapes).map(|(n, s)| (&**n, &**s)).collect();
    let bytes = file(&tensors);
    let text = refused::<Blocks>(&bytes);
    let help = "help: `Names::new().map(\"net.layers\", \"body\")` makes all 102 tensors fit";
    assert!(text.contains(help), "{text}");
    Model::<Blocks>::from_bytes_with(&bytes, Names::new().map("net.layers", "body")).unwrap();
    tensors.retain(|(name, _)| *name != "net.layers.7.mix.weight");
    let text = refused::<Blocks>(&file(&tensors));
    let help = "help: `Names::new().map(\"net.layers.0\", \"body.0\").map(\"net.layers.1\", \"body.1\")";
    assert!(text.contains(help), "{text}");
    assert!(text.contains(".map(\"net.layers.7.inner\", \"body.7.inner\")"), "{text}");
}

#[test]
fn a_prefix_and_what_else_is_there_are_told() {
    let bytes = file(&[
        ("actor.hidden.weight", &[8, 4]),
        ("actor.hidden.bias", &[8]),
        ("actor.again.weight", &[8, 8]),
        ("actor.again.bias", &[8]),
        ("actor.mean.weight", &[2, 8]),
        ("actor.mean.bias", &[2]),
        ("critic.0.weight", &[8, 4]),
        ("critic.0.bias", &[8]),
        ("log_std", &[2]),
    ]);
    let text = refused::<Policy>(&bytes);
    let help = "help: `Names::new().map_prefix(\"actor.\", \"\").ignore(\"critic.*\").ignore(\"log_std\")` makes all 6 tensors fit";
    assert!(text.contains(help), "{text}");
    let names = Names::new().map_prefix("actor.", "").ignore("critic.*").ignore("log_std");
    Model::<Policy>::from_bytes_with(&bytes, names).unwrap();
    // Without the last one it is named, and nothing else.
    let error = Model::<Policy>::from_bytes_with(&bytes, Names::new().map_prefix("actor.", "").ignore("critic.*"));
    let text = error.unwrap_err().to_string();
    assert!(text.starts_with("`log_std`: expected no such tensor in `Policy`, found [2]\nhelp: "), "{text}");
    // A prefix that the network has and the file has not.
    let text = refused::<Nested>(&file(&[
        ("mix.weight", &[4, 4]),
        ("mix.bias", &[4]),
        ("middle.0.mix.weight", &[4, 4]),
        ("middle.0.mix.bias", &[4]),
        ("middle.1.mix.weight", &[4, 4]),
        ("middle.1.mix.bias", &[4]),
        ("out.weight", &[2, 4]),
        ("out.bias", &[2]),
    ]));
    assert!(text.contains("help: `Names::new().map_prefix(\"\", \"first.\")` makes all 8 tensors fit"), "{text}");
}

/// A slip in a rename is told beside what it leads to; where everything fits, nothing is.
#[test]
fn renames_that_speak_of_no_tensor_are_told() {
    let bytes = file(&[
        ("actor.0.weight", &[8, 4]),
        ("actor.0.bias", &[8]),
        ("actor.2.weight", &[8, 8]),
        ("actor.2.bias", &[8]),
        ("actor.4.weight", &[2, 8]),
        ("actor.4.bias", &[2]),
        ("log_std", &[2]),
    ]);
    let renames = |last: &'static str, ignored: &'static str| {
        let names = Names::new().map_prefix("actor.", "").map_prefix("critic.", "").ignore(ignored);
        names.map("0", "hidden").map("2", "again").map(last, "mean")
    };
    let text = Model::<Policy>::from_bytes_with(&bytes, renames("3", "log_sdt")).unwrap_err().to_string();
    for line in [
        "`map(\"3\", …)`: expected a tensor of that name in the file, found none",
        "`map_prefix(\"critic.\", …)`: expected a tensor of that name in the file, found none",
        "`ignore(\"log_sdt\")`: expected a tensor of that name in the file, found none",
    ] {
        assert!(text.lines().any(|other| other == line), "{text}");
    }
    assert!(!text.contains("`map(\"0\"") && !text.contains("`map_prefix(\"actor.\""), "{text}");
    Model::<Policy>::from_bytes_with(&bytes, renames("4", "log_std")).unwrap();
}

#[test]
fn only_what_fits_is_proposed() {
    let text = refused::<Policy>(&file(&[
        ("hidden.weight", &[8, 4]),
        ("hidden.bias", &[8]),
        ("fc.weight", &[8, 8]),
        ("fc.bias", &[8]),
        ("out.weight", &[3, 8]),
        ("out.bias", &[3]),
    ]));
    assert!(text.contains("help: `Names::new().map(\"fc\", \"again\")` makes 4 of 6 tensors fit"), "{text}");
    let text = refused::<Policy>(&file(&[("a", &[7])]));
    assert!(
        text.ends_with("help: load weights that were saved from this declaration; labels are their names"),
        "{text}"
    );
}

#[test]
fn other_orders_of_axes_are_asked_for() {
    let text = refused::<Policy>(&file(&[
        ("hidden.weight", &[4, 8]),
        ("hidden.bias", &[8]),
        ("again.weight", &[8, 8]),
        ("again.bias", &[8]),
        ("mean.weight", &[8, 3]),
        ("mean.bias", &[2]),
    ]));
    assert!(text.starts_with("`hidden.weight`: expected [8, 4], found [4, 8]: transposed?\n"), "{text}");
    assert!(text.contains("`mean.weight`: expected [2, 8], found [8, 3]\n"), "{text}");
    let text = refused::<Convs>(&file(&[("conv.weight", &[3, 3, 1, 4]), ("conv.bias", &[4])]));
    let expected = "`conv.weight`: expected [4, 1, 3, 3], found [3, 3, 1, 4]: the axes in another order?";
    assert!(text.starts_with(expected), "{text}");
}

#[test]
fn renames_that_meet_or_overflow_are_refused() {
    let bytes = file(&[("a.weight", &[1, 1]), ("b.weight", &[1, 1]), ("line.bias", &[1])]);
    let names = Names::new().map("a", "line").map("b", "line");
    let text = Model::<Line>::from_bytes_with(&bytes, names).unwrap_err().to_string();
    assert_eq!(text, "`line.weight`: expected one tensor of that name, found two");
    let full = Names::<1>::with_room().map("a", "line").ignore("b.weight");
    let text = Model::<Line>::from_bytes_with(&bytes, full).unwrap_err().to_string();
    let expected = "expected as many renames as there is room for, found more\nhelp: `Names::<1000>::with_room()`";
    assert_eq!(text, expected);
    Model::<Line>::from_bytes_with(&bytes, Names::<1000>::with_room().map("a", "line").ignore("b.weight")).unwrap();
}

/// Layers change places by their names: each name is replaced once.
#[test]
fn names_may_be_swapped() {
    let mut model = Twins::init(0);
    model.set("a.weight", &[1.0, 2.0, 3.0, 4.0]).unwrap();
    let bytes = model.to_bytes();
    let swapped = Model::<Twins>::from_bytes_with(&bytes, Names::new().map("a", "b").map("b", "a")).unwrap();
    assert_eq!(swapped.get("b.weight").unwrap(), [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(swapped.get("a.weight"), model.get("b.weight"));
}

/// What is said of names with a wrapper is said of the whole name; otherwise of what is wrapped.
#[test]
fn wrapped_names_may_be_renamed_either_way() {
    let bytes = file(&[("module.0.weight", &[1, 1]), ("module.0.bias", &[1])]);
    for names in [Names::new().map("0", "line"), Names::new().map("module.0", "line")] {
        Model::<Line>::from_bytes_with(&bytes, names).unwrap();
    }
    let text = refused::<Line>(&bytes);
    assert!(text.contains("help: `Names::new().map(\"0\", \"line\")` makes all 2 tensors fit"), "{text}");
}

#[test]
fn recurrent_layers_are_proposed_by_torch_names() {
    let text = refused::<Recurrent>(&file(&[
        ("rnn.bias_hh_l0", &[4]),
        ("rnn.bias_ih_l0", &[4]),
        ("rnn.weight_hh_l0", &[4, 1]),
        ("rnn.weight_ih_l0", &[4, 1]),
    ]));
    assert!(text.contains("help: `Names::new().map(\"rnn\", \"lstm\")` makes all 4 tensors fit"), "{text}");
}
