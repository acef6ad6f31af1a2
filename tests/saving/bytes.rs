//! Models to bytes and from bytes, wherever these lie.

use super::*;

#[test]
fn bytes_are_those_of_a_file() {
    let file = File::new("bytes");
    let model = Nested::init(5);
    model.save(&file.0).unwrap();
    let bytes = model.to_bytes();
    assert_eq!(fs::read(&file.0).unwrap(), bytes);
    // At every address that four bytes can have.
    for shift in 0..4 {
        let moved = [&vec![7; shift], &bytes[..]].concat();
        assert_eq!(all(&Model::<Nested>::from_bytes(&moved[shift..]).unwrap()), all(&model));
    }
}

#[test]
fn bytes_are_refused_as_files_are() {
    let whole = Wider::init(0).to_bytes();
    for (bytes, kind) in [
        (&whole[..], WeightsErrorKind::Mismatch),
        (&whole[..whole.len() - 1], WeightsErrorKind::Format),
        (&whole[..100], WeightsErrorKind::Format),
        (b"PK\x03\x04\x14\0\0\0\x08\0\0\0archive/data.pkl", WeightsErrorKind::Format),
        (b"", WeightsErrorKind::Format),
    ] {
        let error = Model::<Net>::from_bytes(bytes).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(error.to_string(), said::<Net>("as-files", bytes));
    }
    let mut nan = Line::init(0).to_bytes();
    let len = nan.len();
    nan[len - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    let error = Model::<Line>::from_bytes(&nan).unwrap_err();
    assert_eq!(error.to_string(), "`line.weight`, element 0: expected a finite number, found NaN");
    assert_eq!(error.kind(), WeightsErrorKind::Number);
}
