//! Images in folders against what Pillow reads of them (`reference/make_image_folder.py`).

use std::fs;
use std::path::{Path, PathBuf};

use nn_runtime::data::{DataErrorKind, ImageFolder, SampleSource};
use nn_runtime::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    colour: Vec<f32>,
    grey: Vec<f32>,
    small: Vec<f32>,
}

fn reference() -> (PathBuf, Vec<Case>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("reference");
    let text = fs::read_to_string(folder.join(format!("{}.json", "image_folder"))).unwrap();
    let reference: Reference = serde_json::from_str(&text).unwrap();
    (folder.join("image_folder"), reference.cases)
}

/// The largest difference, in levels of 8 bits.
fn far(found: &[f32], truth: &[f32]) -> f32 {
    assert_eq!(found.len(), truth.len());
    255.0 * found.iter().zip(truth).map(|(x, truth)| (x - truth).abs()).fold(0.0, f32::max)
}

#[test]
fn images_are_what_pillow_reads() {
    let (folder, cases) = reference();
    let colour = ImageFolder::open(&folder, [3, 7, 9]).unwrap();
    let grey = ImageFolder::open(&folder, [1, 7, 9]).unwrap();
    let small = ImageFolder::open(&folder, [3, 4, 5]).unwrap().resized(true);
    assert_eq!(colour.classes(), ["apple", "pear"]);
    let [all, grey, small] = [colour.to_dataset(), grey.to_dataset(), small.to_dataset()].map(Result::unwrap);
    assert_eq!((all.len(), all.targets().as_slice()), (5, &[0, 0, 1, 1, 1][..]));
    for (i, case) in cases.iter().enumerate() {
        assert!(colour.path(i).ends_with(&case.name), "{:?} {}", colour.path(i), case.name);
        // Two decoders of JPEG round differently; grey is rounded to 8 bits by Pillow, and so is each of the
        // two passes that make an image smaller.
        let decoder = if case.name.ends_with("jpg") { 3.0 } else { 0.0 };
        let off = [(&all, &case.colour, 0.01), (&grey, &case.grey, 0.51), (&small, &case.small, 1.01)];
        for (data, truth, rounding) in off {
            let off = far(data.input(0, i), truth);
            assert!(off <= rounding + decoder, "{}: {off} levels", case.name);
        }
    }
}

#[test]
fn a_network_learns_from_images_as_they_are_read() {
    network! { struct Fruit: [3, 4, 5] -> [2] { Flatten -> Dense(2) } }
    let images = ImageFolder::open(reference().0, [3, 4, 5]).unwrap().resized(true);
    let fit = || Fit::epochs(20).batch(2).shuffle(false).loaders(2);
    let [mut memory, mut read] = [(); 2].map(|()| Fruit::init(0).into_trainer(CrossEntropy::new(), Adam::new(0.05)));
    let truth = memory.fit(&images.to_dataset().unwrap(), fit()).unwrap();
    let found = read.fit_source(&images, fit()).unwrap();
    let losses = |history: &nn_runtime::train::History| -> Vec<u64> {
        history.epochs.iter().map(|epoch| epoch.train.loss.to_bits()).collect()
    };
    assert_eq!(losses(&truth), losses(&found));
    assert!(found.last().unwrap().train.loss < 0.3);
}

#[test]
fn what_is_no_folder_of_images_is_told() {
    let folder = std::env::temp_dir().join(format!("nn-images-{}", std::process::id()));
    let said = |shape| ImageFolder::open(&folder, shape).unwrap_err();
    assert_eq!(said([3, 4, 4]).kind(), DataErrorKind::Unreadable);
    fs::create_dir_all(folder.join("daisy")).unwrap();
    assert!(said([3, 4, 4]).to_string().contains("daisy: expected an image, found none that ends in png, jpg or jpeg"));
    assert!(said([2, 4, 4]).to_string().contains("1 or 3 channels, found [2, 4, 4]"));
    fs::remove_dir(folder.join("daisy")).unwrap();
    assert!(said([3, 4, 4]).to_string().contains("expected a folder for each class, found none"));
    fs::create_dir_all(folder.join("daisy")).unwrap();
    let file = folder.join("daisy/1.png");
    fs::copy(reference().0.join("apple/colour.png"), &file).unwrap();
    let images = ImageFolder::open(&folder, [3, 4, 4]).unwrap();
    let read = |images: &ImageFolder| {
        let (mut x, mut label) = (vec![0.0; images.widths()[0]], [0]);
        images.read(0, &mut [&mut x], &mut label).unwrap_err().to_string()
    };
    let size = read(&images);
    assert!(size.ends_with("1.png: expected 4 by 4 pixels, found 7 by 9\nhelp: `.resized(true)`"), "{size}");
    // Cut short, and mutated: an error or an image, and no panic.
    let whole = fs::read(&file).unwrap();
    let images = ImageFolder::open(&folder, [3, 7, 9]).unwrap();
    for len in 0..whole.len() {
        fs::write(&file, &whole[..len]).unwrap();
        if len < whole.len() - 16 {
            assert!(read(&images).contains("1.png: expected an image of PNG or JPEG, found"), "{len}");
        }
    }
    for i in 0..500 {
        let mut bytes = whole.clone();
        let at = (i * 7919) % bytes.len();
        bytes[at] ^= 1 << (i % 8);
        fs::write(&file, &bytes).unwrap();
        let (mut x, mut label) = (vec![0.0; 7 * 9 * 3], [0]);
        let _ = images.read(0, &mut [&mut x], &mut label);
    }
    fs::remove_dir_all(folder).unwrap();
}
