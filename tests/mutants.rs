//! Declarations with one random mistake each, compiled: where the errors stand and how many there are. Slow:
//! it compiles three hundred programs. `cargo test -p nn-tests --test mutants -- --ignored --nocapture`
//! prints what was measured; `SEED=2` before it makes other mistakes.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const COUNT: usize = 300;

const SOUND: [&str; 19] = [
    "network! { struct Net: [1, 28, 28] -> [10] { Conv2d(8, 3, padding = Same) -> Relu -> MaxPool2d(2); Flatten -> head: Dense(10) -> Softmax; } }",
    "network! { struct Net: [16] -> [16] { let x = input; let y = x -> Dense(16) -> Relu -> Dense(16); (x, y) -> Sum -> Relu } }",
    "network! { struct Net: (image: [1, 8, 8], tags: [16]) -> [4] { let a = image -> Flatten -> Dense(32); let b = tags -> Dense(32); (a, b) -> Concat -> Dense(4) } }",
    "network! { struct Net: [12, 5] -> (class: [3], slope: [1]) { let h = Lstm(16, last = true); let class = h -> Dense(3); let slope = h -> Dense(1); } }",
    "network! { struct Net: [8] -> [8] { code: Dense(8) -> Tanh; let (p, q) = share(code) -> Split(2); (p, q) -> Concat -> frozen Dense(8) * 2 } }",
    "network! { struct Net: [6, 4] -> [2] { let keys = DensePerStep(4, bias = false); (input, keys) -> Sum -> MultiHeadAttention(2) -> LastStep -> Dropout(0.1) -> Dense(2) } }",
    "network! { struct Net: (x: [6, 4], mask: [6]) -> [2] { let h = (x, mask) -> Lstm(8, direction = Both); (h, mask) -> GlobalAvgPool -> Dense(2) } }",
    "network! { struct Net: [WIDTH] -> [4] { stem: Dense(WIDTH * 2, init = HeNormal) -> Relu -> [32]; Dense(16) -> Block * 3 -> head: Dense(4) -> Softmax } }",
    "network! { struct Net: (left: [8], right: [8]) -> [1] { let p = left -> tower: Dense(8) -> Tanh; let q = right -> share(tower) -> Tanh; (p, q) -> Product -> Dense(1) -> Sigmoid } }",
    "network! { #[budget(params <= 50_000, macs <= 2_000_000, predict_bytes(batch = 8) <= 64 * 1024)] pub struct Net: [16] -> [4] { Dense(16) -> Relu -> Dense(4) } }",
    "network! { struct Net: (x: [6, 8], mask: [6]) -> [6, 8] { let n = (x, mask) -> MultiHeadAttention(2, causal = true) -> Dropout(0.1); (x, n) -> Sum -> LayerNorm } }",
    "network! { #[cfg(all())] pub struct Net: [16] -> [4] { let (a, _) = Pair; let body = a -> frozen enc: Dense(16) -> Block; body -> nn_runtime::layers::Gelu -> Dense(4) } }",
    "network! { struct Net: [12] -> [3] { Embedding(100, 8) -> PositionalEncoding -> Conv1d(4, 3, padding = Causal, dilation = 2) -> Gru(5, last = true) -> Dense(3) } }",
    "network! { struct Net: [3, 16, 16] -> [3, 16, 16] { let down = Conv2d(8, 3, stride = 2, padding = Same) -> BatchNorm -> Relu; let up = down -> ConvTranspose2d(3, 2, stride = 2); (input, up) -> Sum -> Sigmoid } }",
    "network! { struct Net: [16] -> (a: [4], b: [4]) { let (p, q) = Split(2, sizes = [12, 4]); let a = p -> Dense(4) -> Softmax; let b = q -> Dense(4); } }",
    "activation! { pub swish(x; beta = 1.0) where beta > 0.0 = x * sigmoid(beta * x); pub bent(x; learn alpha = 0.25) = if x > 0.0 { x } else { alpha * expm1(x) } }",
    "activation! { gate(x; low = 0.1, high = 2.0) where low > 0.0, high > 1.0 = { let e = exp(-x); let s = 1.0 / (1.0 + e); if s < low && x < 0.0 { low * x } else { max(x, high) } } }",
    "loss! { pub log_cosh(y, t; delta = 1.0) where delta > 0.0 = delta * ln(cosh((y - t) / delta)) }",
    "loss! { pub esr(y, t; rise = 0.85) = { let error = (y - t) - rise * (before(y) - before(t)); sum(square(error)) / (sum(square(t)) + 0.001) } }",
];

/// What some of them are made of.
const AROUND: &str = "const WIDTH: usize = 16; network! { struct Block: [16] -> [16] { Dense(16) -> Relu } } \
    network! { struct Pair: [16] -> (a: [8], b: [8]) { let (a, b) = Split(2); } }";

/// What may change in a network without a fault, as another one is meant that is as sound: the last `;`,
/// who may see it, its name or a label's, that a layer learns, and an input or a dimension that need not be
/// there. A formula without one of its functions or with two signs is another formula, of which no error can
/// tell.
const LEGAL: [&str; 8] = [
    "without `;`",
    "without `frozen`",
    "without `pub`",
    "for `Net`",
    "for `head`",
    "for `stem`",
    "for `enc`",
    "without `mask`",
];

/// A linear congruential generator (Knuth, MMIX), its upper bits.
struct Rng(u64);

impl Rng {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % end
    }
}

/// Signs that are read as one.
const PAIRS: [&str; 5] = ["->", "::", "<=", ">=", "&&"];

/// Words, numbers, and signs as they are read.
fn tokens(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(first) = letters.next() {
        let mut token = first.to_string();
        let word = |c: char| c.is_alphanumeric() || c == '_';
        if word(first) {
            let number = first.is_ascii_digit();
            while let Some(next) = letters.next_if(|c| word(*c) || number && *c == '.') {
                token.push(next);
            }
        } else {
            token.extend(letters.next_if(|second| PAIRS.contains(&&*format!("{first}{second}"))));
        }
        if !first.is_whitespace() {
            all.push(token);
        }
    }
    all
}

/// The tokens with one mistake, which of them it touches, and what it is.
fn mutate(sound: &[String], rng: &mut Rng) -> Option<(Vec<String>, Range<usize>, String)> {
    let mut list = sound.to_vec();
    // Which macro it is, is no mistake in it.
    let at = 3 + rng.below(list.len() - 4);
    let token = list[at].clone();
    // Without its bracket a file is not read as Rust, and rustc says so.
    let bracket = |token: &str| "()[]{}".contains(token);
    if bracket(&token) {
        return None;
    }
    Some(match rng.below(4) {
        0 => {
            list.remove(at);
            (list, at..at, format!("without `{token}`"))
        }
        1 => {
            list.insert(at, token.clone());
            (list, at..at + 2, format!("`{token}` twice"))
        }
        2 => {
            let next = list.get(at + 1).filter(|next| !bracket(next) && **next != token)?.clone();
            list.swap(at, at + 1);
            (list, at..at + 2, format!("`{token}` and `{next}` swapped"))
        }
        _ => {
            let letters: Vec<char> = token.chars().filter(|c| c.is_alphabetic()).collect();
            if letters.len() < 3 {
                return None;
            }
            let mut letters: Vec<char> = token.chars().collect();
            let i = 1 + rng.below(letters.len() - 2);
            letters.swap(i, i + 1);
            let misspelt: String = letters.into_iter().collect();
            if misspelt == token {
                return None;
            }
            list[at] = misspelt.clone();
            (list, at..at + 1, format!("`{misspelt}` for `{token}`"))
        }
    })
}

/// A program of these tokens, and the columns from the token before a mistake to the one behind it.
fn program(list: &[String], mistake: &Range<usize>) -> (String, Range<usize>) {
    let mut line = String::new();
    let mut columns = Vec::new();
    for token in list {
        columns.push(line.len() + 1..line.len() + 1 + token.len());
        line += token;
        line.push(' ');
    }
    let first = columns[mistake.start.saturating_sub(1).min(columns.len() - 1)].start;
    let last = columns[mistake.end.min(columns.len() - 1)].end;
    (format!("#![allow(unused)]\nuse nn_runtime::prelude::*;\n{line}\n{AROUND}\nfn main() {{}}\n"), first..last)
}

/// The text of an error, and its columns in the declaration.
type Told = (String, Vec<Range<usize>>);

/// What cargo says of each program.
fn check(folder: &Path) -> BTreeMap<usize, Vec<Told>> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args(["check", "--offline", "--bins", "--keep-going", "--message-format=json"])
        .current_dir(folder)
        .output()
        .expect("cargo runs");
    let mut errors: BTreeMap<usize, Vec<_>> = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Ok(message) = serde_json::from_str::<Value>(line) else { continue };
        let number = message["target"]["name"].as_str().and_then(|name| name.strip_prefix('m')?.parse::<usize>().ok());
        let (Some(number), "error") = (number, message["message"]["level"].as_str().unwrap_or_default()) else {
            continue;
        };
        let text = message["message"]["message"].as_str().unwrap_or_default().to_owned();
        let spans = message["message"]["spans"].as_array().cloned().unwrap_or_default();
        let column = |span: &Value, end: &str| span[end].as_u64().unwrap_or_default() as usize;
        let columns = spans.iter().filter(|span| span["line_start"] == 3 && span["is_primary"] == true);
        let columns = columns.map(|span| column(span, "column_start")..column(span, "column_end")).collect();
        if !text.starts_with("aborting") {
            errors.entry(number).or_default().push((text, columns));
        }
    }
    errors
}

#[test]
#[ignore = "slow: compiles three hundred programs"]
fn one_mistake_is_one_error_where_it_is() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutants");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("src/bin")).expect("the folder of tests can be written");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let runtime = root.join("nn-runtime").canonicalize().expect("the runtime is there");
    let manifest = format!(
        "[package]\nname = \"mutants\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[dependencies]\nnn-runtime = {{ path = {:?} }}\n[workspace]\n",
        runtime
    );
    fs::write(folder.join("Cargo.toml"), manifest).expect("a file can be written");
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).expect("the lock file is there");
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let mut rng = Rng(seed.unwrap_or(11));
    let mut mutants = Vec::new();
    while mutants.len() < COUNT {
        let sound = tokens(SOUND[rng.below(SOUND.len())]);
        let Some((list, mistake, what)) = mutate(&sound, &mut rng) else { continue };
        let (text, columns) = program(&list, &mistake);
        fs::write(folder.join(format!("src/bin/m{}.rs", mutants.len())), &text).expect("a file can be written");
        mutants.push((what, columns, text.lines().nth(2).unwrap_or_default().to_owned()));
    }
    let errors = check(&folder);
    let (mut told, mut one, mut near) = (0, 0, 0);
    for (i, (what, columns, line)) in mutants.iter().enumerate() {
        let Some(errors) = errors.get(&i) else {
            println!("taken: {what}\n    {line}");
            let legal = !line.starts_with("network") || LEGAL.iter().any(|legal| what.ends_with(legal));
            assert!(legal, "taken without a word: {what}: {line}");
            continue;
        };
        told += 1;
        one += usize::from(errors.len() == 1);
        let overlaps = |span: &Range<usize>| span.start <= columns.end && columns.start <= span.end;
        let beside = errors.iter().any(|(_, spans)| spans.iter().any(overlaps));
        near += usize::from(beside);
        assert!(!errors.iter().any(|(text, _)| text.contains("proc macro panicked")), "the macro panics: {line}");
        if errors.len() > 1 || !beside {
            let texts: Vec<&str> = errors.iter().map(|(text, _)| text.as_str()).collect();
            println!("{} errors, beside the mistake: {beside}: {what}\n    {line}\n    {texts:#?}", errors.len());
        }
    }
    println!("{COUNT} mistakes: {} taken, {told} told; one error {one}, on or beside the mistake {near}", COUNT - told);
    assert!(10 * near >= 9 * told, "{near} of {told} errors stand on or beside the mistake");
    assert!(10 * one >= 8 * told, "{one} of {told} mistakes are told by one error");
}
