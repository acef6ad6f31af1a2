//! Models of amplifiers: streamed sample by sample behind silence they give what their trainer's model gives.
//! In: `files/nam_*` and `files/rtneural_*`, by `make_audio.py`.

use std::fs;
use std::path::Path;

use nn_runtime::policy::Draws;
use nn_runtime::prelude::*;

use crate::memory;

fn file(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("imports/files").join(name)).unwrap()
}

fn import(bytes: &[u8], name: &str) -> Result<nn_cli::Imported, String> {
    nn_cli::import(bytes, name, &|_, _, _| Err("no other file".to_owned())).map_err(|error| error.to_string())
}

fn streams<N: Network>(name: &str, end: &str, silence: usize) {
    let struct_name = std::any::type_name::<N>().rsplit("::").next().unwrap();
    let imported = import(&file(&format!("{name}.{end}")), struct_name).unwrap();
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("imports/files").join(format!("{name}.declaration"));
    if std::env::var_os("BLESS").is_some() {
        fs::write(&kept, &imported.declaration).unwrap();
    }
    assert_eq!(imported.declaration, fs::read_to_string(kept).unwrap(), "accept it with BLESS=1");
    if silence > 0 {
        let note =
            format!("silence: the reference starts as after it; step {silence} zeros through a new stream first");
        assert_eq!(imported.notes, [note]);
    }
    let model = Model::<N>::from_bytes(&imported.weights).unwrap();
    let mut stream = model.streamer().unwrap();
    let text = String::from_utf8(file(&format!("{name}.txt"))).unwrap();
    let numbers = |key: &str| -> Vec<f32> {
        let line = text.lines().find_map(|line| line.strip_prefix(key)).unwrap();
        line.split(' ').map(|number| number.parse().unwrap()).collect()
    };
    let (zeros, mut none) = (vec![0.0; silence], vec![0.0; silence]);
    stream.block(&[&zeros], &mut [&mut none]).unwrap();
    let (x, truth) = (numbers("x "), numbers("y "));
    let mut y = vec![0.0; truth.len()];
    stream.block(&[&x], &mut [&mut y]).unwrap();
    let loudest = truth.iter().fold(0f32, |most, truth| most.max(truth.abs()));
    for (i, (y, truth)) in y.iter().zip(&truth).enumerate() {
        assert!((y - truth).abs() <= 1e-5 * loudest, "{name}, sample {i}: {y} is not {truth}");
    }
}

macro_rules! streamed {
    ($($name:ident $end:literal $network:ident $silence:literal)*) => { $(
        mod $name {
            include!(concat!("files/", stringify!($name), ".declaration"));

            #[test]
            fn streams_as_it_was_trained() {
                super::streams::<$network>(stringify!($name), $end, $silence);
            }
        }
    )* };
}

streamed! {
    nam_wavenet "nam" NamWavenet 57
    nam_gated "nam" NamGated 17
    nam_lstm "nam" NamLstm 24000
    rtneural_chain "json" RtneuralChain 0
}

#[test]
fn what_cannot_be_said_is_named() {
    let text = String::from_utf8(file("nam_gated.nam")).unwrap();
    let refused = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        import(text.replace(from, to).as_bytes(), "Net").err().unwrap()
    };
    let cases = [
        ("\"WaveNet\"", "\"SlimmableContainer\"", "expected the models of a container (`submodels`), found none"),
        ("\"gated\"", "\"blended\"", "expected gates that multiply, found `blended`"),
        ("\"LeakyReLU\"", "\"Snake\"", "expected an activation that is a layer here, found `Snake`"),
        (
            "\"head1x1\": {\"active\": false",
            "\"head1x1\": {\"active\": true",
            "layers 0: expected no `head1x1` and no modulation",
        ),
        ("\"condition_size\": 1", "\"condition_size\": 2", "layers 0: expected no condition of several numbers"),
        ("\"weights\": [", "\"weights\": [1.5, ", "expected 227 weights, found 228"),
        ("\"dilations\": [3]", "\"dilations\": [3, 9]", "expected a whole number as `kernel_size`, found nothing"),
    ];
    for (from, to, says) in cases {
        let error = refused(from, to);
        assert!(error.starts_with(says), "{error}");
    }
    let container = |model: &str| {
        let models = format!("[{{\"max_value\": 0.5, \"model\": {{}}}}, {{\"max_value\": 1.0, \"model\": {model}}}]");
        let text = format!("{{\"architecture\": \"SlimmableContainer\", \"config\": {{\"submodels\": {models}}}}}");
        import(text.as_bytes(), "NamGated")
    };
    let imported = container(&text).unwrap();
    assert_eq!(imported.weights, import(text.as_bytes(), "NamGated").unwrap().weights);
    assert!(imported.notes[1].starts_with("container: the best of its 2 models"), "{:?}", imported.notes);
    let error = container("{\"architecture\": \"SlimmableContainer\", \"config\": {}}").err().unwrap();
    assert!(error.starts_with("expected a model in the container, found another"), "{error}");
    let chain = String::from_utf8(file("rtneural_chain.json")).unwrap();
    let error = import(chain.replace("\"conv1d\"", "\"unknown\"").as_bytes(), "Net").err().unwrap();
    assert!(error.starts_with("layer 1, `unknown`: expected a layer that the exporter knew"), "{error}");
    let error = import(b"{\"model\": 1}", "Net").err().unwrap();
    assert!(error.starts_with("expected a model of Neural Amp Modeler"), "{error}");
}

/// A number of JSON may be one letter; as a value it is 32 bytes, and its list may have room for as many
/// again.
const ROOM: usize = 64;

#[test]
fn damaged_files_are_refused() {
    for name in ["nam_wavenet.nam", "nam_lstm.nam", "rtneural_chain.json"] {
        let (whole, mut refused) = (file(name), 0);
        for seed in 0..500 {
            let mut draws = Draws::new(seed);
            let mut below = |end: usize| (draws.unit() * end as f64) as usize;
            let mut bytes = whole.clone();
            for _ in 0..1 + below(3) {
                let at = below(bytes.len());
                match below(5) {
                    0 if below(4) == 0 => bytes.truncate(at.max(1)),
                    1 => bytes.insert(at, b"9[{\"e-,"[below(7)]),
                    2 => bytes[at] = b"0123456789"[below(10)],
                    3 => drop(bytes.remove(at)),
                    _ => bytes[at] ^= 1 << below(8),
                }
            }
            let (imported, most) = memory::most(|| import(&bytes, "Net"));
            assert!(most < ROOM * whole.len(), "{name} {seed}: {most} bytes for a file of {}", whole.len());
            if let Err(error) = imported {
                assert!(error.contains(' '), "{name} {seed}: {error}");
                refused += 1;
            }
        }
        assert!(refused > 100, "{name}: only {refused} of 500 are refused");
    }
}
