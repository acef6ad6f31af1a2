//! The compile errors, word for word, and what becomes of a declaration when their help is typed. They are
//! those of one compiler: under any other this says that it was skipped.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use safetensors::Dtype::{self, F32, F64, I8, I64};
use safetensors::tensor::TensorView;

/// The compiler whose words stand in `ui/`.
const PINNED: &str = "1.95.0";

fn is_pinned() -> bool {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().expect("rustc tells its version");
    let version = String::from_utf8_lossy(&version.stdout);
    let pinned = version.split(' ').nth(1) == Some(PINNED);
    if !pinned {
        println!("skipped: the compile errors are checked under rustc {PINNED}, this is {version}");
    }
    pinned
}

/// What the weight files of `ui/weights` hold: the name, the type and the shape of each tensor.
type FileTensors<'a> = &'a [(&'a str, Dtype, &'a [usize])];

const NET: FileTensors = &[
    ("hidden.weight", F32, &[8, 4]),
    ("hidden.bias", F32, &[8]),
    ("head.weight", F32, &[2, 8]),
    ("head.bias", F32, &[2]),
];

const FILES: [(&str, FileTensors); 13] = [
    ("good", NET),
    ("conv", &[("conv.weight", F32, &[4, 1, 3, 3]), ("conv.bias", F32, &[4])]),
    ("keras_conv", &[("conv.weight", F32, &[3, 3, 1, 4]), ("conv.bias", F32, &[4])]),
    ("wider", &[("hidden.weight", F32, &[16, 4]), ("hidden.bias", F32, &[16]), ("head.weight", F32, &[2, 16]), NET[3]]),
    ("transposed", &[("hidden.weight", F32, &[4, 8]), NET[1], ("head.weight", F32, &[8, 2]), NET[3]]),
    (
        "sequential",
        &[("0.weight", F32, &[8, 4]), ("0.bias", F32, &[8]), ("2.weight", F32, &[2, 8]), ("2.bias", F32, &[2])],
    ),
    (
        "actor",
        &[
            ("actor.hidden.weight", F32, &[8, 4]),
            ("actor.hidden.bias", F32, &[8]),
            ("actor.head.weight", F32, &[2, 8]),
            ("actor.head.bias", F32, &[2]),
            ("critic.0.weight", F32, &[8, 4]),
            ("critic.0.bias", F32, &[8]),
            ("log_std", F32, &[2]),
        ],
    ),
    (
        "blocks",
        &[
            ("stem.weight", F32, &[4, 3]),
            ("stem.bias", F32, &[4]),
            ("body.0.inner.lin.weight", F32, &[4, 4]),
            ("body.0.inner.lin.bias", F32, &[4]),
            ("body.1.inner.lin.weight", F32, &[4, 5]),
            ("body.1.inner.lin.bias", I64, &[4]),
            ("body.2.inner.lin.bias", F32, &[4]),
        ],
    ),
    (
        "within",
        &[
            ("stem.weight", F32, &[4, 3]),
            ("stem.bias", F32, &[4]),
            ("body.0.inner.lin.weight", F32, &[4, 4]),
            ("body.0.inner.lin.bias", F32, &[4]),
            ("body.1.inner.lin.weight", F32, &[4, 4]),
            ("body.1.inner.lin.bias", F32, &[4]),
        ],
    ),
    (
        "layers",
        &[
            ("stem.weight", F32, &[4, 3]),
            ("stem.bias", F32, &[4]),
            ("layers.0.inner.lin.weight", F32, &[4, 4]),
            ("layers.0.inner.lin.bias", F32, &[4]),
            ("layers.1.inner.lin.weight", F32, &[4, 4]),
            ("layers.1.inner.lin.bias", F32, &[4]),
        ],
    ),
    ("extra", &[NET[0], NET[1], NET[2], NET[3], ("scale", F32, &[2])]),
    ("integers", &[("hidden.weight", I8, &[8, 4]), NET[1], ("head.weight", I64, &[2, 8]), NET[3]]),
    (
        "other",
        &[
            ("hidden.weight", I64, &[8, 4]),
            ("hidden.bias", F32, &[9]),
            ("tail.weight", F32, &[2, 9]),
            ("tail.bias", F32, &[2]),
        ],
    ),
];

/// The bytes of a weight file whose numbers are all 0.
fn weights(tensors: FileTensors) -> Vec<u8> {
    let zeros: Vec<Vec<u8>> = tensors
        .iter()
        .map(|(_, dtype, shape)| vec![0; dtype.bitsize() / 8 * shape.iter().product::<usize>()])
        .collect();
    let views = tensors.iter().zip(&zeros).map(|((name, dtype, shape), zeros)| {
        (name.to_string(), TensorView::new(*dtype, shape.to_vec(), zeros).expect("as many bytes as there are"))
    });
    safetensors::serialize(views, None).expect("a file of tensors")
}

/// Writes the files that `ui/weights` names to the package whose programs are compiled.
fn write_weights(package: &Path) {
    let folder = package.join("weights");
    fs::create_dir_all(&folder).expect("target/ can be written");
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        // A file that is as it was is not compiled in anew.
        if fs::read(&path).ok().as_deref() != Some(bytes) {
            fs::write(path, bytes).expect("target/ can be written");
        }
    };
    for (name, tensors) in FILES {
        write(&format!("{name}.safetensors"), &weights(tensors));
    }
    let good = weights(NET);
    write("cut.safetensors", &good[..good.len() - 1]);
    write("archive.pt", b"PK\x03\x04\x14\0\0\0\x08\0\0\0archive/data.pkl");
    // The largest of 64-bit numbers is none of 32 bits; a file has its widest type first.
    let mut changed = weights(&[("hidden.bias", F64, &[8]), NET[0], NET[2], NET[3]]);
    let len = u64::from_le_bytes(changed[..8].try_into().expect("eight bytes")) as usize;
    changed[8 + len + 40..][..8].copy_from_slice(&f64::MAX.to_le_bytes());
    write("not_finite.safetensors", &changed);
    let names = ["norm.bias", "norm.running_mean", "norm.running_var", "norm.weight"];
    let mut norm = weights(&names.map(|name| (name, F32, &[2][..])));
    let at = norm.len() - 12;
    norm[at..at + 4].copy_from_slice(&(-0.5f32).to_le_bytes());
    write("variance.safetensors", &norm);
}

#[test]
fn errors_read_as_they_should() {
    if is_pinned() {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("tmp/ lies within target/");
        write_weights(&target.join("tests/trybuild/nn-error-tests"));
        trybuild::TestCases::new().compile_fail("ui/*/*.rs");
    }
}

/// The files whose lines say what they are when their help has been typed.
fn typed() -> Vec<PathBuf> {
    let ui = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui");
    let folders = fs::read_dir(ui).expect("ui/ is there").map(|folder| folder.expect("a folder").path());
    let folders = folders.filter(|folder| folder.is_dir());
    let files =
        folders.flat_map(|folder| fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file").path()));
    let typed = |file: &PathBuf| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("typed_") && name.ends_with(".rs")
    };
    let mut files: Vec<PathBuf> = files.filter(typed).collect();
    files.sort();
    files
}

/// A line's macro, and its declaration as it is when mended.
fn mended(line: &str) -> Option<(&str, &str)> {
    Some((line.split('!').next()?, line.split_once("// mended: ")?.1))
}

/// What `ui/mended.txt` makes of the cases: each file's name, and its text when its help has been typed.
fn typed_by_table() -> Vec<(String, String)> {
    let ui = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui");
    let table = fs::read_to_string(ui.join("mended.txt")).expect("the table is there");
    let mut cases: Vec<(String, String)> = Vec::new();
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        let (name, change) = line.split_once(": ").expect("`folder/file: before ⇒ after`");
        let (before, after) = change.split_once(" ⇒").expect("`before ⇒ after`");
        if cases.last().is_none_or(|(last, _)| last != name) {
            let text = fs::read_to_string(ui.join(name).with_extension("rs")).expect("a case of that name");
            cases.push((name.to_owned(), text));
        }
        let (_, text) = cases.last_mut().expect("there is one");
        assert!(text.contains(before), "{name}: `{before}` does not stand there");
        *text = text.replacen(before, after.trim_start(), 1);
    }
    cases
}

#[test]
fn every_help_is_typed_somewhere() {
    let ui = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui");
    let named: Vec<String> = typed_by_table().into_iter().map(|(name, _)| name).collect();
    let mut missing = Vec::new();
    for folder in fs::read_dir(&ui).expect("ui/ is there").map(|folder| folder.expect("a folder").path()) {
        for file in fs::read_dir(&folder).into_iter().flatten().map(|file| file.expect("a file").path()) {
            let name = file.with_extension("").strip_prefix(&ui).expect("within ui/").to_string_lossy().into_owned();
            if file.extension().is_none_or(|extension| extension != "stderr") || name.contains("typed_") {
                continue;
            }
            let errors = fs::read_to_string(&file).expect("errors are pinned");
            let help = errors.lines().any(|line| line.starts_with("    ") && line.trim_start().starts_with("help: "));
            if help && !named.contains(&name) {
                missing.push(name);
            }
        }
    }
    assert!(missing.is_empty(), "these say what to type, and ui/mended.txt does not: {missing:?}");
}

#[test]
fn what_the_help_says_compiles() {
    if !is_pinned() {
        return;
    }
    let mut program = "#![allow(dead_code, deprecated, unused)]\n".to_owned();
    let mut count = 0;
    for (i, file) in typed().into_iter().enumerate() {
        program += &format!("mod m{i} {{\n    use nn_runtime::prelude::*;\n");
        for line in fs::read_to_string(file).expect("a file of text").lines() {
            if let Some((name, declaration)) = mended(line) {
                program += &format!("    {name}! {{ {declaration} }}\n");
                count += 1;
            }
        }
        program += "}\n";
    }
    // What a case names beside its own file stands elsewhere from here.
    let root = concat!("\"", env!("CARGO_MANIFEST_DIR"), "/../../");
    for (i, (_, text)) in typed_by_table().iter().enumerate() {
        program += &format!("mod t{i} {{\n{}\n}}\n", text.replace("\"../../../../", root));
    }
    program += "fn main() {}\n";
    assert!(count > 60, "{count} lines are mended");
    assert!(checks(&program), "what is typed does not compile: {}", mended_package().join("main.rs").display());
}

/// The package of what has been typed. trybuild would compile all that it depends on, twice, to run nothing.
fn mended_package() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("mended")
}

/// Whether `cargo check` takes a program.
fn checks(program: &str) -> bool {
    let (package, root) = (mended_package(), Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
    write_weights(&package);
    let manifest = format!(
        "[package]\nname = \"mended\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[[bin]]\nname = \"mended\"\n\
        path = \"main.rs\"\n\n[dependencies]\nnn-runtime = {{ path = {:?}, features = [\"onnx\"] }}\n",
        root.join("nn-runtime")
    );
    fs::write(package.join("Cargo.toml"), manifest).expect("the folder of tests can be written");
    fs::copy(root.join("Cargo.lock"), package.join("Cargo.lock")).expect("the lock file of the workspace");
    fs::write(package.join("main.rs"), program).expect("the folder of tests can be written");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut check = Command::new(cargo);
    check.args(["check", "--offline", "--quiet", "--target-dir"]).arg(package.join("target")).current_dir(&package);
    check.status().expect("cargo runs").success()
}

/// Each error of a mended line says what was typed: the code in its help, or what stands around a `…` in it.
#[test]
fn what_was_typed_is_what_the_help_says() {
    let (mut checked, mut open) = (0, 0);
    for file in typed() {
        let text = fs::read_to_string(&file).expect("a file of text");
        let lines: Vec<&str> = text.lines().collect();
        let errors = fs::read_to_string(file.with_extension("stderr")).expect("errors are pinned");
        for error in errors.split("error").filter(|error| error.contains("help: ")) {
            let place = error.split("--> ui/").nth(1).and_then(|place| place.split(':').nth(1));
            let line = place.and_then(|line| line.parse::<usize>().ok()).expect("an error has a place");
            let Some((_, declaration)) = mended(lines[line - 1]) else {
                panic!("{}:{line} has a help that is typed nowhere", file.display());
            };
            let help = error.split("help: ").nth(1).and_then(|help| help.split("-->").next()).unwrap_or_default();
            let codes: Vec<&str> = help.split('`').skip(1).step_by(2).collect();
            let plain = |text: &str| text.chars().filter(|letter| !letter.is_whitespace()).collect::<String>();
            // What only says what to do has nothing to type.
            if codes.is_empty() {
                continue;
            }
            let typed = |code: &&str| code.split('…').all(|part| plain(declaration).contains(&plain(part)));
            match codes.iter().any(typed) {
                true => checked += 1,
                false => {
                    open += 1;
                    println!("{}:{line}: {}", file.display(), help.trim());
                }
            }
        }
    }
    assert!(checked > 100 && open < 20, "{checked} helps are typed as they stand, {open} are not");
}
