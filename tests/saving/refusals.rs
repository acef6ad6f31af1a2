//! Files that are refused: what is said, and that it is short.

use super::*;

#[test]
fn numbers_no_model_may_have_are_refused_by_element() {
    let refused = |bytes: &[u8]| {
        let error = load::<Net>("numbers", bytes).unwrap_err();
        assert_eq!(error.kind(), WeightsErrorKind::Number);
        error.to_string()
    };
    for (number, shown) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (f32::NEG_INFINITY, "-inf")] {
        let file = File::new("not-finite");
        let mut model = Net::init(0);
        let mut weight = model.get("hidden.weight").unwrap();
        // No model can be made to hold it, so the file is changed where it holds a number found nowhere else.
        let mark = 1234.5f32;
        weight[42] = mark;
        model.set("hidden.weight", &weight).unwrap();
        model.save(&file.0).unwrap();
        let mut bytes = fs::read(&file.0).unwrap();
        let at = bytes.windows(4).position(|bytes| bytes == mark.to_le_bytes()).unwrap();
        bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
        let text = refused(&bytes);
        let expected = format!("`hidden.weight`, element 42: expected a finite number, found {shown}");
        assert!(text.ends_with(&expected), "{text}");
    }
    let wide: [Stored; 2] =
        [("line.bias", "F64", &[1], 1e39f64.to_le_bytes().to_vec()), ("line.weight", "F32", &[1, 1], f32s(&[1.0]))];
    assert_eq!(
        said::<Line>("wide", &safetensors(&wide)),
        "`line.bias`, element 0: expected a finite number, found inf"
    );
    let text = said::<Normed>("variance", &safetensors(&normed(&[1.0, -1e-6])));
    assert!(text.starts_with("`norm.running_var`, element 1: expected a number of at least 0, "), "{text}");
    let std: [Stored; 2] =
        [("norm.mean", "F32", &[2], f32s(&[-1.0, 0.0])), ("norm.std", "F32", &[2], f32s(&[-1.0, 0.0]))];
    let text = said::<Scaled>("deviation", &safetensors(&std));
    assert!(text.starts_with("`norm.std`, element 0: expected a number of at least 0, "), "{text}");
    load::<Normed>("variance-0", &safetensors(&normed(&[0.0, 0.0]))).unwrap();
}

/// What a file is refused for, `set` refuses in the same words.
#[test]
fn numbers_no_model_may_have_are_not_set() {
    fn refused<N: Network>(name: &str, values: &[f32]) -> String {
        let mut model = N::init(0);
        let error = model.set(name, values).unwrap_err();
        assert_eq!(error.kind(), ParamErrorKind::Number);
        assert_eq!(all(&model), all(&N::init(0)));
        error.to_string()
    }
    for (number, shown) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (f32::NEG_INFINITY, "-inf")] {
        let text = refused::<Line>("line.bias", &[number]);
        let expected = format!("`line.bias`, element 0: expected a finite number, found {shown}\nhelp: ");
        assert!(text.starts_with(&expected), "{text}");
    }
    let spread = "element 1: expected a number of at least 0, as a variance or deviation is, found -0.5\nhelp: ";
    let text = refused::<Normed>("norm.running_var", &[1.0, -0.5]);
    assert!(text.starts_with(&format!("`norm.running_var`, {spread}")), "{text}");
    let text = refused::<Scaled>("norm.std", &[1.0, -0.5]);
    assert!(text.starts_with(&format!("`norm.std`, {spread}")), "{text}");
    Normed::init(0).set("norm.running_var", &[0.0, 1.0]).unwrap();
    Normed::init(0).set("norm.running_mean", &[-1.0, 1.0]).unwrap();
}

#[test]
fn a_name_that_comes_twice_is_refused() {
    let stored: [Stored; 3] = [
        ("line.bias", "F32", &[1], f32s(&[1.0])),
        ("line.weight", "F32", &[1, 1], f32s(&[1.0])),
        ("line.bias", "F32", &[1], f32s(&[2.0])),
    ];
    assert_eq!(
        said::<Line>("twice", &safetensors(&stored)),
        "`line.bias`: expected one tensor of that name, found two"
    );
}

#[test]
fn the_likely_cause_is_named() {
    let whole = {
        let file = File::new("whole");
        Net::init(0).save(&file.0).unwrap();
        fs::read(&file.0).unwrap()
    };
    // As NumPy and Keras begin their archives.
    let archive = |name: &str| {
        let mut bytes = b"PK\x03\x04-\0\0\0\0\0\0\0!\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff".to_vec();
        bytes.extend([name.len() as u8, 0, 20, 0]);
        [&bytes, name.as_bytes(), &[1, 0, 16, 0]].concat()
    };
    let (npz, keras) = (archive("hidden.weight.npy"), archive("metadata.json"));
    for (bytes, found) in [
        (&npz[..], "found an archive of NumPy's arrays, `.npz`\nhelp: in Python: `safetensors.numpy.save_file({name: "),
        (&keras[..], "found a model of Keras, `.keras`\nhelp: in Python, with the model loaded: "),
        (&b""[..], "found an empty file\nhelp: "),
        (b"PK\x03\x04\x14\0\0\0\x08\0\0\0archive/data.pkl", "found a zip archive, which is what `torch.save`"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\x03", "found a gzipped file\nhelp: unpack it first: `gunzip FILE`"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a", "found a pointer of Git LFS"),
        (b"\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0", "found an HDF5 file"),
        (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "found a Python pickle"),
        (b"\x93NUMPY\x01\0v\0{'descr': '<f4'", "found an array of NumPy"),
        (b"{\"metadata\": {\"total_size\": 1}}", "found JSON text"),
        (b"<!DOCTYPE html><html><head>", "found a web page"),
        (b"not at all what it should be", "found another, which begins with no length of a header\nhelp: "),
        (&whole[..5], "found 5 bytes\nhelp: the file is cut short or damaged"),
        (&whole[..100], "found 92 before the file ends\nhelp: the file is cut short or damaged"),
        (&whole[..whole.len() - 1], "bytes, as its header says, found "),
    ] {
        let error = load::<Net>("cause", bytes).unwrap_err();
        assert_eq!(error.kind(), WeightsErrorKind::Format, "{error}");
        assert!(error.to_string().contains(found), "{error}\nlacks: {found}");
    }
    let longer = [&whole[..], b"x"].concat();
    assert!(said::<Net>("longer", &longer).ends_with("write or fetch it again"));
    let folder = Model::<Net>::load(std::env::temp_dir()).unwrap_err();
    assert_eq!(folder.kind(), WeightsErrorKind::Read(std::io::ErrorKind::IsADirectory));
    let gone = Model::<Net>::load("no-such-file").unwrap_err();
    assert_eq!(gone.kind(), WeightsErrorKind::Read(std::io::ErrorKind::NotFound));
}

#[test]
fn headers_that_claim_what_is_not_there_are_refused() {
    let header = |text: &str, numbers: usize| {
        [&(text.len() as u64).to_le_bytes()[..], text.as_bytes(), &vec![0; numbers]].concat()
    };
    for (text, numbers, found) in [
        (
            r#"{"a":{"dtype":"F32","shape":[9],"data_offsets":[0,18446744073709551615]}}"#,
            0,
            "expected a range of bytes",
        ),
        (r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, 4, "expected a range of bytes, found 4 to 0"),
        (r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8, "expected its numbers from byte 0 on"),
        (
            r#"{"line.bias":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}}"#,
            8,
            "expected 4 bytes for [1] of F32, found 8",
        ),
        (
            r#"{"a":{"dtype":"F32","shape":[1]}}"#,
            0,
            "`a`: expected `dtype`, `shape` and `data_offsets`, found not all of them",
        ),
        (r#"{"a":[1,2,3"#, 0, "expected a header that lists tensors"),
        (r#"["a"]"#, 0, "found another, which begins with no length of a header"),
    ] {
        let text = said::<Line>("claims", &header(text, numbers));
        assert!(text.contains(found), "{text}\nlacks: {found}");
    }
}

#[test]
fn ten_differences_are_shown_and_nothing_a_terminal_obeys() {
    let names: Vec<String> = (0..100_000).map(|i| format!("extra.{i:05}")).collect();
    let stored: Vec<Stored> = names.iter().map(|name| (&name[..], "F32", &[][..], vec![0; 4])).collect();
    let text = said::<Line>("extra", &safetensors(&stored));
    assert!(text.len() < 2000 && text.contains("\n… and 99992 more\nhelp: "), "{text}");
    let long = format!("a\u{1b}[2J\n{}", "x".repeat(10_000));
    let stored: [Stored; 1] = [(&long, "F32", &[1; 2000], vec![0; 4])];
    let text = said::<Line>("controls", &safetensors(&stored));
    assert!(text.contains("`a\\u{1b}[2J\\nxxx") && !text.contains('\u{1b}') && text.len() < 1000, "{text}");
}
