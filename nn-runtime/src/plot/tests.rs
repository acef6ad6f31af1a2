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
