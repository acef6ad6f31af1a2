//! Where declarations become programs: a package with a few of them, built once and run. In: tasks; out: what each graph said. It
//! may not look into a graph.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::task::Task;

/// What one graph said: keys and numbers in order, and whether it came to the end.
#[derive(Default)]
pub struct Said {
    lines: Vec<(String, Vec<f32>)>,
    pub panic: Option<String>,
    /// Why it cannot be run as a stream.
    pub refused: Option<String>,
}

impl Said {
    pub fn get(&self, key: &str) -> Result<&[f32], String> {
        let line = self.lines.iter().find(|(name, _)| name == key);
        line.map(|(_, values)| &values[..]).ok_or_else(|| format!("nothing was said of `{key}`"))
    }

    /// The keys that begin so, in order.
    pub fn keys(&self, begin: &str) -> Vec<String> {
        self.lines.iter().filter(|(key, _)| key.starts_with(begin)).map(|(key, _)| key.clone()).collect()
    }
}

/// Compiles all tasks into so many programs, runs them, and gives what was said by the name of the task.
pub fn run(tasks: &[Task], programs: usize) -> BTreeMap<String, Said> {
    let at = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("graphs");
    let _ = fs::remove_dir_all(at.join("src"));
    let _ = fs::remove_dir_all(at.join("cases"));
    let parts: Vec<&[Task]> = tasks.chunks(tasks.len().div_ceil(programs)).collect();
    lay_out(&at, &parts);
    build(&at);
    let mut all = BTreeMap::new();
    for part in 0..parts.len() {
        let program = at.join("target/debug").join(format!("part{part}"));
        let output = Command::new(program).arg(at.join("cases")).output().expect("the program runs");
        listen(&output, &mut all);
    }
    all
}

fn lay_out(at: &Path, parts: &[&[Task]]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let runtime = root.join("nn-runtime");
    // The declarations are checked as a user's debug build is; the runtime is the optimised one.
    let manifest = format!(
        "[package]\nname = \"graphs\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
        [dependencies]\nnn-runtime = {{ path = {runtime:?} }}\n\n\
        [profile.dev]\ndebug = false\nincremental = false\n\n[profile.dev.package.nn-runtime]\nopt-level = 3\n"
    );
    put(&at.join("Cargo.toml"), &manifest);
    fs::copy(root.join("Cargo.lock"), at.join("Cargo.lock")).expect("the lock file of the workspace");
    put(&at.join("src/driver.rs"), include_str!("driver.rs"));
    for (i, part) in parts.iter().enumerate() {
        let mut main = "#[path = \"../driver.rs\"]\nmod driver;\n".to_owned();
        let mut list = String::new();
        for task in *part {
            let seed = task.seed;
            main += &format!("#[allow(dead_code)]\n#[path = \"../graphs/g{seed}.rs\"]\nmod g{seed};\n");
            list += &format!("(\"{seed}\", g{seed}::run), ");
            put(&at.join(format!("src/graphs/g{seed}.rs")), &task.module());
            put(&at.join(format!("cases/{seed}")), &task.case());
        }
        put(&at.join(format!("src/bin/part{i}.rs")), &format!("{main}fn main() {{\n    driver::run(&[{list}]);\n}}\n"));
    }
}

fn put(at: &Path, text: &str) {
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

fn listen(output: &Output, all: &mut BTreeMap<String, Said>) {
    let text = String::from_utf8_lossy(&output.stdout);
    let mut said = &mut Said::default();
    for line in text.lines() {
        let (key, rest) = line.split_once(' ').unwrap_or((line, ""));
        match key {
            "graph" => said = all.entry(rest.to_owned()).or_default(),
            "panic" => said.panic = Some(rest.to_owned()),
            "refused" => said.refused = Some(rest.to_owned()),
            _ => {
                let values = rest.split(' ').map(|word| word.parse().expect("a number")).collect();
                said.lines.push((key.to_owned(), values));
            }
        }
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "a program ended early\n{errors}");
}
