use super::curves::ticks;
use super::png::{base64, png};
use super::*;
use crate::data::{Dataset, Values};
use crate::prelude::*;
use std::string::ToString;
use std::vec;

#[test]
fn ticks_are_round_and_hold_what_they_are_for() {
    assert_eq!(ticks(0.0, 1.0, 5), [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]);
    assert_eq!(ticks(1.0, 10.0, 6), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
    for (low, high) in [(0.13, 0.97), (-3.0, 8.5), (1e-7, 3e-7), (5.0, 5.0), (0.0, 0.0), (-1e9, 1e12), (0.999, 1.0)] {
        let ticks = ticks(low, high, 5);
        assert!((2..=8).contains(&ticks.len()), "{ticks:?}");
        assert!(ticks[0] <= low + 1e-9 * low.abs() && ticks[ticks.len() - 1] >= high - 1e-9 * high.abs(), "{ticks:?}");
    }
}

#[test]
fn letters_of_bytes_are_those_of_the_standard() {
    let examples =
        [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy")];
    examples.iter().for_each(|(bytes, text)| assert_eq!(base64(bytes.as_bytes()), *text));
}

#[test]
fn a_png_has_the_pixels_it_was_made_of() {
    let file = png(&[0, 10, 20, 30, 40, 50], 3, 2, 1);
    assert_eq!(file[..16], *b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR");
    assert_eq!(file[16..29], [0, 0, 0, 3, 0, 0, 0, 2, 8, 0, 0, 0, 0]);
    let at = file.windows(4).position(|name| name == b"IDAT").unwrap();
    let len = u32::from_be_bytes(file[at - 4..at].try_into().unwrap()) as usize;
    let mut rows = vec![];
    io::Read::read_to_end(&mut flate2::read::ZlibDecoder::new(&file[at + 4..at + 4 + len]), &mut rows).unwrap();
    assert_eq!(rows, [0, 0, 10, 20, 0, 30, 40, 50]);
    // A row as the one above it is told as no difference.
    let file = png(&[7, 8, 7, 8], 2, 2, 1);
    let at = file.windows(4).position(|name| name == b"IDAT").unwrap() + 4;
    rows.clear();
    io::Read::read_to_end(&mut flate2::read::ZlibDecoder::new(&file[at..]), &mut rows).unwrap();
    assert_eq!(rows, [0, 7, 8, 2, 0, 0]);
    // The checksum that every PNG ends with.
    assert!(file.ends_with(b"IEND\xae\x42\x60\x82"));
}

network! { struct Net: [2] -> [3] { Dense(3) } }

#[test]
fn every_number_is_drawn() {
    let data = Dataset::classes(&[[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 2]).unwrap();
    let mut model = Net::init(0);
    let mut trainer = Trainer::new(&mut model, CrossEntropy::new(), Adam::new(0.1));
    let history = trainer.fit(&data, Fit::epochs(4).validate(&data).metrics(F1::macro_avg()).keep_best()).unwrap();
    let text = learning_curves(&history).to_string();
    let count = |of: &str| text.matches(of).count();
    // Loss, accuracy and F1, which is of validation samples alone.
    assert_eq!((count("<polyline"), count("<circle"), count("stroke-dasharray")), (5, 20, 3));
    assert!(text.contains(">f1<") && text.starts_with("<svg xmlns=") && text.ends_with("</svg>\n"));

    let (_, matrix) = trainer.evaluate_with(&data, ConfusionMatrix::new()).unwrap();
    let text = confusion_matrix(&matrix, &["a<b", "c & d"]).to_string();
    assert_eq!(text.matches("<rect").count(), 1 + 9);
    assert!(text.contains(">a&lt;b<") && text.contains(">c &amp; d<") && text.contains(">2<"));

    let empty = learning_curves(&crate::train::History::default()).to_string();
    assert!(empty.contains("<svg"));
}

#[test]
fn sheets_show_all_images_or_say_why_not() {
    let images = Values::new(vec![0.0, 1.0, 0.5, 0.5, 1.0, 0.0, 0.25, 0.75], 4).unwrap();
    let text = contact_sheet(&images, [1, 2, 2], &["one"]).unwrap().to_string();
    assert_eq!((text.matches("<image").count(), text.matches("<text").count()), (2, 1));
    let data = base64(&png(&[0, 255, 128, 128], 2, 2, 1));
    assert!(text.contains(&data));
    let none: [&str; 0] = [];
    let said = |shape| contact_sheet(&images, shape, &none).unwrap_err().to_string();
    assert_eq!(said([2, 1, 2]), "contact_sheet: expected 1 channel, or 3, found 2");
    assert_eq!(said([1, 3, 2]), "contact_sheet: expected images of [1, 3, 2], 6 numbers, found 4");
    let nan = Values::new(vec![0.0, f32::NAN], 1).unwrap();
    assert!(contact_sheet(&nan, [1, 1, 1], &none).unwrap_err().to_string().starts_with("sample 1, image, element 0"));
}

#[test]
fn first_layers_are_shown_as_what_they_look_at() {
    network! { struct Seen: [1, 3, 4] -> [2] { Conv2d(5, 2) -> Flatten -> Dense(2) } }
    network! { struct Flat: [1, 3, 4] -> [2] { Flatten -> Dense(7) -> Dense(2) } }
    network! { struct Bare: [2] -> [2] { Relu } }
    let count = |picture: Picture| picture.to_string().matches("<image").count();
    assert_eq!(count(first_layer(&Seen::init(0), [1, 3, 4]).unwrap()), 5);
    let model = Flat::init(0);
    assert_eq!(count(first_layer(&model, [1, 3, 4]).unwrap()), 7);
    let sheet = |captions: &[&str]| {
        let rows = Values::new(model.get("dense_1.weight").unwrap(), 12).unwrap();
        contact_sheet(&rows, [1, 3, 4], captions).unwrap()
    };
    assert_eq!(first_layer(&model, [1, 3, 4]).unwrap(), sheet(&["0", "1", "2", "3", "4", "5", "6"]));
    let text = first_layer(&model, [1, 4, 4]).unwrap_err().to_string();
    assert_eq!(text, "first_layer: expected an image of 12 numbers for `dense_1.weight`, found [1, 4, 4]");
    assert!(first_layer(&Bare::init(0), [1, 1, 2]).unwrap_err().to_string().ends_with("found none"));
}

/// Pixels at places of a picture's own size, 20 by 10.
#[cfg(feature = "plot")]
#[test]
fn pixels_are_where_shapes_are() {
    let mut picture = Picture::new(20.0, 10.0);
    picture.rectangle([2.0, 1.0, 3.25, 2.0], [10, 20, 30]);
    picture.line([[10.0, 0.0], [10.0, 10.0]], INK, false);
    picture.line([[12.0, 5.0], [19.0, 5.0]], INK, true);
    let pixels = vec![0, 50, 100, 150];
    picture.marks.push(Mark::Image { at: [6.0, 6.0, 2.0, 2.0], pixels, shape: [2, 2, 1] });
    let (pixels, width, height) = raster::pixels(&picture);
    assert_eq!((width, height, pixels.len()), (40, 20, 2400));
    let at = |x: usize, y: usize| <[u8; 3]>::try_from(&pixels[3 * (y * 40 + x)..][..3]).unwrap();
    assert_eq!([at(4, 2), at(9, 5), at(3, 2), at(4, 1), at(4, 6)], [[10, 20, 30], [10, 20, 30], PAPER, PAPER, PAPER]);
    // Half of a pixel is covered.
    assert_eq!(at(10, 3), [133, 138, 143]);
    assert_eq!([at(19, 7), at(20, 7), at(17, 7), at(22, 7)], [INK, INK, PAPER, PAPER]);
    // Four of its own are drawn, three are not.
    assert_eq!([at(25, 10), at(31, 10), at(33, 10), at(36, 10)], [INK, INK, PAPER, PAPER]);
    assert_eq!([at(12, 12), at(14, 12), at(13, 14), at(15, 15)], [[0; 3], [50; 3], [100; 3], [150; 3]]);
}

#[cfg(feature = "plot")]
#[test]
fn letters_stand_where_they_are_anchored() {
    // The columns and rows that have ink.
    let inked = |at: [f64; 2], anchor, upright: bool| {
        let mut picture = Picture::new(60.0, 60.0);
        match upright {
            true => picture.upright_text(at, 12.0, anchor, "HHH"),
            false => picture.text(at, 12.0, anchor, INK, "HHH"),
        }
        let (pixels, width, _) = raster::pixels(&picture);
        let dark: Vec<usize> = (0..pixels.len() / 3).filter(|&i| pixels[3 * i] < 128).collect();
        let ends = |of: &dyn Fn(usize) -> usize| {
            let numbers = dark.iter().map(|&i| of(i) as f64 / 2.0);
            numbers.fold([f64::MAX, 0.0], |[low, high], x| [low.min(x), high.max(x + 0.5)])
        };
        (ends(&|i| i % width), ends(&|i| i / width))
    };
    let near = |found: [f64; 2], expected: [f64; 2]| {
        assert!(found.iter().zip(expected).all(|(x, e)| (x - e).abs() <= 1.5), "{found:?}, {expected:?}");
    };
    // Three letters are 20 wide; capitals are 9 high and stand on the line.
    for (anchor, left) in [(Anchor::Start, 30.0), (Anchor::Middle, 20.0), (Anchor::End, 10.0)] {
        let (columns, rows) = inked([30.0, 30.0], anchor, false);
        near(columns, [left, left + 20.0]);
        near(rows, [21.0, 30.0]);
        let (columns, rows) = inked([30.0, 30.0], anchor, true);
        near(columns, [21.0, 30.0]);
        near(rows, [40.0 - left, 60.0 - left]);
    }
}

/// With another decoder.
#[cfg(all(feature = "plot", feature = "image"))]
#[test]
fn a_picture_is_a_png_file() {
    let path = std::env::temp_dir().join(format!("picture-{}.PNG", std::process::id()));
    let picture = Picture::new(30.0, 7.0);
    picture.save(&path).unwrap();
    let image = image::load_from_memory(&fs::read(&path).unwrap()).unwrap();
    assert_eq!((image.width(), image.height()), (60, 14));
    fs::remove_file(path).unwrap();
}
