//! Rows from every source, batches in memory that is kept, and what is said of data that does not fit.

use super::*;
use ndarray::{Array0, Array2, Array3, Array4, Axis, Slice, array};

fn message<T>(result: Result<T, DataError>) -> String {
    result.err().expect("a fault").to_string()
}

#[test]
fn every_source_gives_the_same_rows() {
    let expected = Dataset::values(&[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], &[[1.0]; 3]).unwrap();
    let y = || (vec![1.0; 3], 1);
    let flat = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let array = array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
    let columns = array![[1.0, 3.0, 5.0], [2.0, 4.0, 6.0]];
    for dataset in [
        Dataset::values((&flat[..], 2), y()),
        Dataset::values((flat.to_vec(), 2), array![1.0, 1.0, 1.0]),
        Dataset::values(vec![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], y()),
        Dataset::values(&array, y()),
        Dataset::values(array.view(), y()),
        Dataset::values(columns.t(), y()),
        Dataset::values(array.clone().into_dyn(), y()),
        Dataset::values(array.insert_axis(Axis(1)), y()),
    ] {
        assert_eq!(dataset.unwrap(), expected);
    }
    assert_eq!(expected.inputs()[0].width(), 2);
    assert_eq!(expected.input(0, 1), [3.0, 4.0]);
    assert_eq!(expected.targets().sample(2), [1.0]);
}

#[test]
fn an_array_of_any_layout_is_read_in_logical_order() {
    let images = Array4::from_shape_fn((5, 2, 3, 4), |(n, c, h, w)| (n * 1000 + c * 100 + h * 10 + w) as f32);
    let mut strided = images.view();
    strided.slice_axis_inplace(Axis(0), Slice::from(..).step_by(2));
    strided.invert_axis(Axis(2));
    let dataset = Dataset::classes(strided, [0, 1, 2]).unwrap();
    assert_eq!(dataset.inputs()[0].width(), 24);
    assert_eq!(dataset.input(0, 1)[..5], [2020.0, 2021.0, 2022.0, 2023.0, 2010.0]);
    assert_eq!(dataset.input(0, 2)[23], 4103.0);
}

#[test]
fn labels_come_from_any_integers() {
    let x = || (vec![0.0; 3], 1);
    let expected = Dataset::classes(x(), [4, 0, 9]).unwrap();
    assert_eq!(Dataset::classes(x(), [4u8, 0, 9]).unwrap(), expected);
    assert_eq!(Dataset::classes(x(), vec![4usize, 0, 9]).unwrap(), expected);
    assert_eq!(Dataset::classes(x(), [4i64, 0, 9].iter()).unwrap(), expected);
    assert_eq!(Dataset::classes(x(), &array![4u32, 0, 9]).unwrap(), expected);
    assert_eq!(Dataset::classes(x(), array![4u64, 0, 9].view()).unwrap(), expected);
    assert_eq!(expected.targets().as_slice(), [4, 0, 9]);
    assert_eq!(
        message(Dataset::classes(x(), [4, -1, 9])),
        "sample 1, label: expected a class from 0 to 4294967295, found -1\n\
         help: a label that is to be ignored may be any class: give it a weight of 0, `with_weights`"
    );
    assert_eq!(
        message(Dataset::classes(x(), [4, 1, u64::MAX])),
        "sample 2, label: expected a class from 0 to 4294967295, found 18446744073709551615"
    );
}

#[test]
fn lengths_that_disagree_are_told_in_numbers() {
    let four = &[[0.0; 2]; 4];
    assert_eq!(message(Dataset::classes(four, [0, 1, 2])), "targets: expected 4 samples, as many as inputs, found 3");
    assert_eq!(
        message(Dataset::values(four, four).unwrap().with_input(&[[0.0]; 5])),
        "input 1: expected 4 samples, as many as targets, found 5"
    );
    assert_eq!(
        message(Dataset::values((vec![0.0; 7], 2), four)),
        "samples: expected a multiple of the width 2, found 7 numbers"
    );
    for zero in [
        Dataset::values((vec![], 0), four),
        Dataset::values(&[[]; 4], four),
        Dataset::values(Array2::zeros((4, 0)), four),
    ] {
        assert!(message(zero).starts_with("samples: expected a width of at least 1, found "));
    }
    assert_eq!(
        message(Dataset::values(Array0::zeros(()), four)),
        "samples: expected an array whose first axis counts the samples, found an array of no axes"
    );
}

#[test]
fn no_samples_are_a_dataset_of_length_zero() {
    let none = Dataset::classes(Array3::zeros((0, 28, 28)), Vec::<u32>::new()).unwrap();
    assert!(none.is_empty());
    assert_eq!(none.inputs()[0].width(), 784);
    assert!(none.check().is_ok());
}

#[test]
fn a_batch_is_gathered_into_memory_that_is_kept() {
    let rows: Vec<[f32; 3]> = (0..10).map(|i| [i as f32, 0.5, -(i as f32)]).collect();
    let more: Vec<[f32; 1]> = (0..10).map(|i| [i as f32 * 10.0]).collect();
    let dataset = Dataset::classes(rows, 0..10).unwrap().with_input(more).unwrap();
    let mut batch = dataset.select(&[7, 7, 1, 0]);
    assert_eq!(batch.targets().as_slice(), [7, 7, 1, 0]);
    assert_eq!(batch.inputs()[1].as_slice(), [70.0, 70.0, 10.0, 0.0]);
    assert_eq!(batch.input(0, 1), [7.0, 0.5, -7.0]);
    let memory = |batch: &Dataset<Labels>| {
        let inputs = batch.inputs();
        (inputs[0].as_slice().as_ptr(), inputs[1].as_slice().as_ptr(), batch.targets().as_slice().as_ptr())
    };
    let before = memory(&batch);
    for indices in [&[3, 2, 9, 4][..], &[5], &[]] {
        dataset.select_into(indices, &mut batch);
        assert_eq!(batch, dataset.select(indices));
        assert_eq!(batch.len(), indices.len());
        assert_eq!(memory(&batch), before);
    }
}

#[test]
fn the_first_number_that_is_none_is_named() {
    let mut dataset =
        Dataset::values(&[[1.0, 2.0]; 4], &[[0.0, 0.0, 0.0]; 4]).unwrap().with_input(&[[1.0]; 4]).unwrap();
    assert!(dataset.check().is_ok());
    dataset.targets.as_mut_slice()[11] = f32::NEG_INFINITY;
    assert_eq!(message(dataset.check()), "sample 3, target, element 2: expected a finite number, found -inf");
    dataset.input_mut(1)[2] = f32::INFINITY;
    assert_eq!(message(dataset.check()), "sample 2, input 1, element 0: expected a finite number, found inf");
    dataset.input_mut(0)[5] = f32::NAN;
    assert_eq!(message(dataset.check()), "sample 2, input 0, element 1: expected a finite number, found NaN");
}

#[test]
fn targets_of_weight_0_need_not_be_numbers() {
    let data = |targets: [[f32; 4]; 2], weights: &[f32]| {
        let weights = (weights, weights.len() / 2);
        Dataset::values(&[[0.0]; 2], &targets).unwrap().with_weights(weights).unwrap()
    };
    let (nan, inf) = (f32::NAN, f32::INFINITY);
    assert!(data([[1.0; 4], [nan, inf, nan, 0.0]], &[1.0, 0.0]).check().is_ok());
    assert!(data([[1.0, 1.0, nan, nan], [inf, inf, 0.0, 0.0]], &[1.0, 0.0, 0.0, 1.0]).check().is_ok());
    // The first that counts is told, not the first there is.
    let fault = |targets, weights: &[f32]| message(data(targets, weights).check());
    let expected = "sample 1, target, element 3: expected a finite number, found inf";
    assert_eq!(fault([[nan; 4], [0.0, 0.0, 0.0, inf]], &[0.0, 1.0]), expected);
    assert_eq!(fault([[1.0, 1.0, nan, nan], [nan, nan, 0.0, inf]], &[1.0, 0.0, 0.0, 0.5]), expected);
    // Of several outputs each.
    let both = ([[nan], [1.0]].into_values().unwrap(), [[nan; 2], [1.0; 2]].into_values().unwrap());
    let several = Dataset::new(&[[0.0]; 2], both).unwrap();
    assert!(several.check().is_err());
    assert!(several.with_weights(&[[0.0], [1.0]]).unwrap().check().is_ok());
}

#[test]
fn a_label_out_of_range_is_named() {
    let labels = Labels::new([0, 9, 3, 10, 11]).unwrap();
    assert!(labels.check(12).is_ok());
    assert_eq!(message(labels.check(10)), "sample 3, label: expected a class below 10, found 10");
    assert!(message(labels.check(0)).starts_with("sample 0, label: "));
}

#[test]
fn scaling_reaches_every_input_and_no_target() {
    let mut dataset = Dataset::values(&[[256.0, 64.0]], &[[256.0]]).unwrap().with_input(&[[-512.0]]).unwrap();
    dataset.scale(1.0 / 256.0);
    assert_eq!(dataset.input(0, 0), [1.0, 0.25]);
    assert_eq!(dataset.input(1, 0), [-2.0]);
    assert_eq!(dataset.targets().as_slice(), [256.0]);
}

#[test]
fn several_outputs_have_several_targets() {
    let both = (Labels::new([0, 1, 2]).unwrap(), [[0.5], [1.5], [2.5]].into_values().unwrap());
    let dataset = Dataset::new(&[[0.0; 2]; 3], both.clone()).unwrap();
    let taken = dataset.select(&[2, 0]);
    assert_eq!((taken.targets().0.as_slice(), taken.targets().1.as_slice()), (&[2, 0][..], &[2.5, 0.5][..]));
    let short = (both.0.clone(), [[0.5]].into_values().unwrap());
    assert_eq!(message(Dataset::new(&[[0.0; 2]; 3], short)), "targets: expected 3 samples, as many as inputs, found 1");
}

#[test]
fn debug_shows_sizes_only() {
    let dataset = Dataset::classes((vec![0.0; 6], 2), [0, 1, 2]).unwrap();
    assert_eq!(format!("{dataset:?}"), "Dataset { samples: 3, inputs: [2] }");
    let weighted = dataset.with_weights(&[[1.0], [0.5], [2.0]]).unwrap();
    assert_eq!(format!("{weighted:?}"), "Dataset { samples: 3, inputs: [2], weights: 1 }");
}
