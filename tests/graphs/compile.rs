//! Compiles declarations: a package of a few programs, built once and run. In: cases; out: a report of each.
//! It may not look into a graph.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::case::Case;

/// What one graph printed: keys and numbers in order, and whether it came to the end.
#[derive(Default)]
pub struct Report {
    lines: Vec<(String, Vec<f32>)>,
    pub panic: Option<String>,
    /// Why it cannot be run as a stream.
    pub refused: Option<String>,
}

impl Report {
    pub fn get(&self, key: &str) -> Result<&[f32], String> {
        let line = self.lines.iter().find(|(name, _)| name == key);
        line.map(|(_, values)| &values[..]).ok_or_else(|| format!("nothing was printed of `{key}`"))
    }

    /// The keys that begin so, in order.
    pub fn keys(&self, begin: &str) -> Vec<String> {
        self.lines.iter().filter(|(key, _)| key.starts_with(begin)).map(|(key, _)| key.clone()).collect()
    }
}

/// Compiles all cases into so many programs, runs them, and gives their reports by the name of the case.
/// Their models go into a folder as ONNX files, if one is given.
pub fn run(cases: &[Case], programs: usize, models: Option<&Path>) -> BTreeMap<String, Report> {
    let at = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("graphs");
    let _ = fs::remove_dir_all(at.join("src"));
    let _ = fs::remove_dir_all(at.join("numbers"));
    let parts: Vec<&[Case]> = cases.chunks(cases.len().div_ceil(programs)).collect();
    write_package(&at, &parts);
    build(&at);
    let mut all = BTreeMap::new();
    for part in 0..parts.len() {
        let program = at.join("target/debug").join(format!("part{part}"));
        let output = Command::new(program).arg(at.join("numbers")).args(models).output().expect("the program runs");
        parse_output(&output, &mut all);
    }
    all
}

fn write_package(at: &Path, parts: &[&[Case]]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let runtime = root.join("nn-runtime");
    // The declarations are checked as a user's debug build is; the runtime is optimised as far as pays here.
    let manifest = format!(
        "[package]\nname = \"graphs\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
        [dependencies]\nnn-runtime = {{ path = {runtime:?}, features = [\"onnx\"] }}\n\n\
        [profile.dev]\ndebug = false\nincremental = false\n\n[profile.dev.package.nn-runtime]\nopt-level = 1\n\n[profile.dev.package.nn-kernels]\nopt-level = 1\n"
    );
    write_file(&at.join("Cargo.toml"), &manifest);
    fs::copy(root.join("Cargo.lock"), at.join("Cargo.lock")).expect("the lock file of the workspace");
    write_file(&at.join("src/generated_main.rs"), include_str!("generated_main.rs"));
    for (i, part) in parts.iter().enumerate() {
        let mut main = "#[path = \"../generated_main.rs\"]\nmod generated_main;\n".to_owned();
        let mut list = String::new();
        for case in *part {
            let seed = case.seed;
            main += &format!("#[allow(dead_code)]\n#[path = \"../graphs/g{seed}.rs\"]\nmod g{seed};\n");
            list += &format!("(\"{seed}\", g{seed}::run), ");
            write_file(&at.join(format!("src/graphs/g{seed}.rs")), &case.module());
            write_file(&at.join(format!("numbers/{seed}")), &case.numbers_file());
        }
        write_file(
            &at.join(format!("src/bin/part{i}.rs")),
            &format!("{main}fn main() {{\n    generated_main::run(&[{list}]);\n}}\n"),
        );
    }
}

fn write_file(at: &Path, text: &str) {
    fs::create_dir_all(at.parent().expect("a file lies in a folder")).expect("a folder to write to");
    fs::write(at, text).unwrap_or_else(|error| panic!("{}: {error}", at.display()));
}

fn build(at: &Path) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--offline", "--bins", "--keep-going", "--quiet", "--color=never"])
        .arg("--target-dir")
        .arg(at.join("target"))
        .current_dir(at)
        .output()
        .expect("cargo runs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the declarations do not compile (the number of a file is its seed)\n{text}");
}

fn parse_output(output: &Output, all: &mut BTreeMap<String, Report>) {
    let text = String::from_utf8_lossy(&output.stdout);
    let mut report = &mut Report::default();
    for line in text.lines() {
        let (key, rest) = line.split_once(' ').unwrap_or((line, ""));
        match key {
            "graph" => report = all.entry(rest.to_owned()).or_default(),
            "panic" => report.panic = Some(rest.to_owned()),
            "refused" => report.refused = Some(rest.to_owned()),
            _ => {
                let values = rest.split(' ').map(|word| word.parse().expect("a number")).collect();
                report.lines.push((key.to_owned(), values));
            }
        }
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "a program ended early\n{errors}");
}
