//! Figures, what is left as it is, shapes, and the way back.

use super::*;
use crate::random::Random;
use std::string::ToString;
use std::vec;

#[test]
fn the_training_part_gets_mean_0_and_deviation_1() {
    let mut random = Random::keyed(5, &[]);
    for (n, width) in [(2, 1), (3, 5), (101, 7), (1000, 2)] {
        let flat: Vec<f32> =
            (0..n * width).map(|i| 1e4 * (i % width) as f32 + (1.0 + (i % width) as f32) * random.bell()).collect();
        let mut data = Dataset::values((flat, width), (vec![3.0; n], 1)).unwrap();
        Standardize::fit(&data).unwrap().apply(&mut data).unwrap();
        for j in 0..width {
            let column: Vec<f64> = (0..n).map(|i| f64::from(data.input(0, i)[j])).collect();
            let mean = column.iter().sum::<f64>() / n as f64;
            let var = column.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / n as f64;
            assert!(mean.abs() < 1e-5 && (var - 1.0).abs() < 1e-5, "{mean} {var}");
        }
        assert!(data.targets().as_slice().iter().all(|&y| y == 3.0));
    }
}

#[test]
fn a_constant_feature_becomes_zero_and_others_follow_the_training_part() {
    // 0.1 has no exact sum: a variance of the column would be tiny, not zero.
    let train: Vec<[f32; 2]> = (0..1000).map(|i| [0.1, i as f32]).collect();
    let mut train = Dataset::classes(train, vec![0; 1000]).unwrap();
    let mut test = Dataset::classes(&[[0.1, 0.0], [1.1, 999.0]], [0, 0]).unwrap();
    let standardize = Standardize::fit(&train).unwrap();
    standardize.apply(&mut train).unwrap();
    standardize.apply(&mut test).unwrap();
    assert!((0..1000).all(|i| train.input(0, i)[0] == 0.0));
    assert_eq!(test.input(0, 0), train.input(0, 0));
    assert_eq!(test.input(0, 1), [1.0, train.input(0, 999)[1]]);
}

#[test]
fn several_inputs_and_single_rows() {
    let data = Dataset::values(&[[0.0], [2.0]], &[[0.0], [0.0]]).unwrap();
    let mut data = data.with_input(&[[5.0, 10.0], [7.0, 30.0]]).unwrap();
    let standardize = Standardize::fit(&data).unwrap();
    let mut row = [6.0, 30.0];
    standardize.apply_to(1, &mut row).unwrap();
    assert_eq!(row, [0.0, 1.0]);
    standardize.apply(&mut data).unwrap();
    assert_eq!(data.inputs()[0].as_slice(), [-1.0, 1.0]);
    assert_eq!(data.inputs()[1].as_slice(), [-1.0, -1.0, 1.0, 1.0]);
}

#[test]
fn a_misfit_is_named_and_changes_nothing() {
    let fitted = Dataset::values(&[[0.0], [2.0]], &[[0.0]; 2]).unwrap();
    let fitted = fitted.with_input(&[[1.0, 2.0], [3.0, 4.0]]).unwrap();
    let standardize = Standardize::fit(&fitted).unwrap();

    let other = Dataset::values(&[[0.0], [2.0]], &[[0.0]; 2]).unwrap();
    let mut wide = other.clone().with_input(&[[1.0, 2.0, 3.0]; 2]).unwrap();
    let before = wide.clone();
    assert_eq!(
        standardize.apply(&mut wide).unwrap_err().to_string(),
        "standardize, input 1: expected a width of 2, as it was fitted to, found 3"
    );
    assert_eq!(wide, before);

    let mut fewer = other.clone();
    assert_eq!(
        standardize.apply(&mut fewer).unwrap_err().to_string(),
        "standardize: expected 2 inputs, as it was fitted to, found 1"
    );
    assert_eq!(fewer, other);
    assert!(standardize.apply_to(1, &mut [0.0; 3]).is_err());
}

#[test]
fn nothing_is_fitted_to_nothing_nor_to_nan() {
    let none = Dataset::classes((vec![], 3), Vec::<u32>::new()).unwrap();
    assert_eq!(
        Standardize::fit(&none).unwrap_err().to_string(),
        "standardize: expected at least one sample, found none"
    );
    let nan = Dataset::classes(&[[1.0, f32::NAN]], [0]).unwrap();
    assert_eq!(
        Standardize::fit(&nan).unwrap_err().to_string(),
        "sample 0, input 0, element 1: expected a finite number, found NaN"
    );
}

#[test]
fn masks_beside_other_inputs_are_left_as_they_are() {
    let values = [[1.0, 2.0, 9.0, 9.0], [3.0, 4.0, 8.0, 9.0]];
    for mask in [[[1.0, 1.0, 0.0, 0.0], [1.0, 1.0, 1.0, 0.0]], [[1.0; 4]; 2], [[0.0; 4]; 2]] {
        let mut data = Dataset::values(&values, &[[0.0]; 2]).unwrap().with_input(&mask).unwrap();
        let before = data.clone();
        let standardize = Standardize::fit(&data).unwrap();
        standardize.apply(&mut data).unwrap();
        assert_eq!(data.inputs()[1], before.inputs()[1]);
        assert_eq!(data.inputs()[0].as_slice(), [-1.0, -1.0, 1.0, 0.0, 1.0, 1.0, -1.0, 0.0]);
        assert_eq!((standardize.mean(1), standardize.std(1)), (vec![0.0; 4], vec![1.0; 4]));
        standardize.undo(&mut data).unwrap();
        assert_eq!(data, before);
    }
    // Alone it is no mask of anything.
    let mut alone = Dataset::values(&[[0.0], [1.0]], &[[0.0]; 2]).unwrap();
    Standardize::fit(&alone).unwrap().apply(&mut alone).unwrap();
    assert_eq!(alone.inputs()[0].as_slice(), [-1.0, 1.0]);
}

#[test]
fn only_the_inputs_that_are_named() {
    let data = Dataset::values(&[[2.0], [4.0]], &[[0.0]; 2]).unwrap();
    let data = data.with_input(&[[3.0], [1.0]]).unwrap().with_input(&[[0.0], [1.0]]).unwrap();
    let mut changed = data.clone();
    Standardize::fit_inputs(&data, [0, 2]).unwrap().apply(&mut changed).unwrap();
    assert_eq!(changed.inputs()[0].as_slice(), [-1.0, 1.0]);
    assert_eq!(changed.inputs()[1].as_slice(), [3.0, 1.0]); // ids, which stay
    assert_eq!(changed.inputs()[2].as_slice(), [-1.0, 1.0]);
    let fault = Standardize::fit_inputs(&data, [3]).unwrap_err().to_string();
    assert_eq!(fault, "standardize: expected an input below 3, found 3");
}

#[test]
fn features_of_steps_and_channels_of_pixels() {
    let flat: Vec<f32> = (0..60).map(|i| i as f32).collect();
    let data = Dataset::values((flat.clone(), 12), (vec![0.0; 5], 1)).unwrap();
    for (shape, features, of) in [
        (Shape::of([12]), 12, &(|i| i) as &dyn Fn(usize) -> usize),
        (Shape::of([6, 2]), 2, &|i| i % 2),
        (Shape::of([3, 2, 2]), 3, &|i| i / 4),
        (Shape::of([2, 3, 2, 1]), 2, &|i| i / 6),
    ] {
        let standardize = Standardize::fit_shapes(&data, [(0, shape)]).unwrap();
        let mut changed = data.clone();
        standardize.apply(&mut changed).unwrap();
        for j in 0..features {
            let mine = |flat: &[f32]| -> Vec<f64> {
                (0..60).filter(|i| of(i % 12) == j).map(|i| f64::from(flat[i])).collect()
            };
            let (before, after) = (mine(&flat), mine(changed.inputs()[0].as_slice()));
            let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
            let var = |v: &[f64]| v.iter().map(|x| (x - mean(v)) * (x - mean(v))).sum::<f64>() / v.len() as f64;
            assert!(mean(&after).abs() < 1e-6 && (var(&after) - 1.0).abs() < 1e-6, "{shape} {j}");
            assert!((f64::from(standardize.mean(0)[j]) - mean(&before)).abs() < 1e-5);
            assert!((f64::from(standardize.std(0)[j]) - var(&before).sqrt()).abs() < 1e-5);
        }
        assert_eq!(standardize.mean(0).len(), features);
        standardize.undo(&mut changed).unwrap();
        let back = changed.inputs()[0].as_slice();
        assert!(back.iter().zip(&flat).all(|(a, b)| (a - b).abs() < 1e-5), "{shape}");
    }
    let fault = Standardize::fit_shapes(&data, [(0, Shape::of([3, 5]))]).unwrap_err().to_string();
    assert_eq!(fault, "standardize, input 0: expected a shape of its 12 numbers, found [3, 5]");
}

#[test]
fn a_number_of_a_signal_is_one_number_wherever_it_stands() {
    let signal = [0.0, 1.0, 4.0, 9.0, 16.0, 25.0, 36.0];
    let windows: Vec<[f32; 4]> = signal.windows(4).map(|w| w.try_into().unwrap()).collect();
    let mut data = Dataset::values(windows, (vec![0.0; 4], 1)).unwrap();
    let standardize = Standardize::fit_shapes(&data, [(0, Shape::of([4, 1]))]).unwrap();
    let mut step = [9.0];
    standardize.apply_to(0, &mut step).unwrap();
    standardize.apply(&mut data).unwrap();
    for i in 0..4 {
        assert_eq!(data.input(0, i)[3 - i], step[0]);
    }
    standardize.undo_to(0, &mut step).unwrap();
    assert!((step[0] - 9.0).abs() < 1e-6);
}

crate::network! { struct Reader: (words: [3], image: [2, 2, 2], mask: [3]) -> [3, 2] {
    let a = words -> Embedding(10, 2);
    let b = image -> norm: Normalization -> Flatten -> Dense(6) -> Reshape([3, 2]);
    let c = (a, b) -> Sum;
    (c, mask) -> MultiHeadAttention(1)
} }
use crate::layers::*;

#[test]
fn a_network_tells_what_its_inputs_are() {
    let images: Vec<f32> = (0..16).map(|i| (i * i) as f32).collect();
    let mut data = Dataset::values(&[[1.0, 2.0, 3.0], [4.0, 5.0, 9.0]], &[[0.0]; 2]).unwrap();
    data = data.with_input((images, 8)).unwrap().with_input(&[[1.0, 1.0, 0.0], [1.0, 0.0, 0.0]]).unwrap();
    let before = data.clone();
    let standardize = Standardize::fit_network::<Reader>(&data).unwrap();
    standardize.apply(&mut data).unwrap();
    assert_eq!(data.inputs()[0], before.inputs()[0]);
    assert_eq!(data.inputs()[2], before.inputs()[2]);
    assert_eq!(standardize.mean(1).len(), 2);
    let mut model = crate::Model::<Reader>::init(0);
    model.set("norm.mean", &standardize.mean(1)).unwrap();
    model.set("norm.std", &standardize.std(1)).unwrap();

    let one = Dataset::values(&[[1.0]], &[[0.0]]).unwrap();
    assert_eq!(
        Standardize::fit_network::<Reader>(&one).unwrap_err().to_string(),
        "standardize: expected 3 inputs, as `Reader` declares, found 1\nhelp: inputs are added by `Dataset::with_input`"
    );
    let narrow = one.with_input(&[[1.0; 8]]).unwrap().with_input(&[[0.5; 4]]).unwrap();
    assert_eq!(
        Standardize::fit_network::<Reader>(&narrow).unwrap_err().to_string(),
        "standardize, input 2: expected a shape of its 4 numbers, found [3]"
    );
}

#[test]
fn targets_go_and_come_back() {
    let train = Dataset::values(&[[0.0]; 3], &[[1.0, -5.0], [2.0, -5.0], [6.0, -5.0]]).unwrap();
    let mut changed = train.clone();
    let scale = StandardizeTargets::fit(&train).unwrap();
    assert_eq!((scale.mean(), scale.std()[1]), (vec![3.0, -5.0], 1.0));
    scale.apply(&mut changed).unwrap();
    assert_eq!(changed.inputs(), train.inputs());
    let mut rows = changed.targets().as_slice().to_vec();
    assert!(rows.iter().step_by(2).sum::<f32>().abs() < 1e-6);
    scale.undo_to(&mut rows).unwrap();
    assert!(rows.iter().zip(train.targets().as_slice()).all(|(a, b)| (a - b).abs() < 1e-6));
    let fault = scale.undo_to(&mut [0.0; 3]).unwrap_err().to_string();
    assert_eq!(fault, "standardize, targets: expected a width of 2, as it was fitted to, found 3");
    let other = Dataset::values(&[[0.0]; 3], &[[1.0]; 3]).unwrap();
    assert!(scale.apply(&mut other.clone()).is_err());
}
