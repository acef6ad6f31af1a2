//! Where `unsafe` stands and how it is argued: in the kernels only, in short blocks, each with the reason why
//! it is sound.

use crate::source::{CRATES, Source, Token, group, read, sources, text, tokens};

/// How many lines a block may have, its brackets aside.
const LINES: usize = 15;
/// What an argument must say: a number, a name in code, or the words that compare them.
const LEAST: usize = 4;

#[test]
fn crates_but_the_kernels_forbid_unsafe_code() {
    let crates = CRATES.into_iter().filter(|folder| !folder.ends_with("kernels/src"));
    for file in crates.map(|folder| format!("{folder}/lib.rs")) {
        assert!(read(&file).contains("\n#![forbid(unsafe_code)]\n"), "{file} lacks `#![forbid(unsafe_code)]`");
    }
}

/// An unsafe block, impl or function: its first and last line and what it is.
struct Unsafe {
    lines: [usize; 2],
    word: String,
}

fn all(code: &[Token]) -> Vec<Unsafe> {
    let begins = (0..code.len()).filter(|&i| text(code, i) == "unsafe");
    let one = |i: usize| {
        let (word, open) = (text(code, i + 1).to_owned(), i + 1);
        let end = if word == "{" { group(code, open).end } else { open };
        Unsafe { lines: [code[i].line, code[end.min(code.len() - 1)].line], word }
    };
    begins.map(one).collect()
}

/// The comment that stands directly above a line, or ends the statement's first line that leads to it.
fn comment_above(lines: &[&str], line: usize) -> String {
    let mut at = line - 1;
    // A block may be a part of a statement: the argument stands above that.
    while at > 0 && !lines[at - 1].trim_start().starts_with("//") && !ends_statement(lines[at - 1]) {
        at -= 1;
    }
    let from = lines[..at].iter().rposition(|line| !line.trim_start().starts_with("//")).map_or(0, |i| i + 1);
    lines[from..at].iter().map(|line| line.trim_start().trim_start_matches('/').trim()).collect::<Vec<_>>().join(" ")
}

/// Whether what follows a line is a statement of its own.
fn ends_statement(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.ends_with([';', '{', '}', ','])
}

/// What cannot be checked at sight, and how many blocks there are.
fn faults(source: &Source) -> (Vec<String>, usize) {
    let lines: Vec<&str> = source.text.lines().collect();
    let all = all(&tokens(&source.text));
    let blocks: Vec<&Unsafe> = all.iter().filter(|one| ["{", "impl"].contains(&&*one.word)).collect();
    let mut found = Vec::new();
    for one in &blocks {
        let [first, last] = one.lines;
        let comment = comment_above(&lines, first);
        let place = format!("{}:{first}", source.path);
        let elsewhere = ["as above", "as before", "as for the first"];
        match comment.split_once("SAFETY:").map(|(_, reason)| reason.trim()) {
            None => found.push(format!("{place} has no `// SAFETY:` above it")),
            Some(reason) if elsewhere.iter().any(|words| reason.contains(words)) => {
                found.push(format!("{place} argues by pointing elsewhere: `{reason}`"));
            }
            Some(reason) if reason.split_whitespace().count() < LEAST => {
                found.push(format!("{place} argues with `{reason}`"));
            }
            Some(_) => {}
        }
        if (last - first).saturating_sub(1) > LINES {
            found.push(format!("{place} has {} lines", last - first - 1));
        }
    }
    (found, blocks.len())
}

#[test]
fn every_unsafe_block_is_short_and_argued() {
    let sources = sources("nn-runtime/kernels/src");
    let (found, blocks): (Vec<_>, Vec<_>) = sources.iter().map(faults).unzip();
    assert!(blocks.iter().sum::<usize>() > 100, "unsafe blocks are found");
    let found = found.concat();
    assert!(
        found.is_empty(),
        "unsafe code that cannot be checked at sight:\n  {}\n\
        help: split blocks of more than {LINES} lines; above each, `// SAFETY:` names the largest index touched and the \
        length it stays below",
        found.join("\n  ")
    );
}

#[test]
fn a_block_without_an_argument_is_found() {
    let found = |text: &str| faults(&Source { path: "a.rs".to_owned(), text: text.to_owned() }).0;
    let good =
        "fn a() {\n    // SAFETY: i is below the length, 4.\n    let x =\n        unsafe { y.get_unchecked(i) };\n}\n";
    assert!(found(good).is_empty(), "{:?}", found(good));
    assert_eq!(found(&good.replace("SAFETY", "Note")), ["a.rs:4 has no `// SAFETY:` above it"]);
    assert_eq!(found(&good.replace("i is below the length, 4.", "fine.")), ["a.rs:4 argues with `fine.`"]);
    let elsewhere = found(&good.replace("i is below the length, 4.", "as above, for this row."));
    assert_eq!(elsewhere, ["a.rs:4 argues by pointing elsewhere: `as above, for this row.`"]);
    let long = good.replace("{ y.get_unchecked(i) }", &format!("{{{}}}", "\n".repeat(17)));
    assert_eq!(found(&long), ["a.rs:4 has 16 lines"]);
    // The argument of one block is none for the next.
    let two = good.replace("\n}\n", "\n    unsafe { z() };\n}\n");
    assert_eq!(found(&two), ["a.rs:5 has no `// SAFETY:` above it"]);
}

#[test]
fn every_unsafe_function_states_its_contract() {
    let mut found = String::new();
    for source in sources("nn-runtime/kernels/src") {
        let lines: Vec<&str> = source.text.lines().collect();
        for one in all(&tokens(&source.text)).iter().filter(|one| one.word == "fn") {
            // A pointer to a function has no documentation; an implementation's is that of its trait.
            let declares = lines[one.lines[0] - 1].contains("unsafe fn ") && lines[one.lines[0] - 1].contains('(');
            let mut at = one.lines[0] - 1;
            while at > 0 && lines[at - 1].trim_start().starts_with(['#', '/']) {
                at -= 1;
            }
            let above = lines[at..one.lines[0]].join("\n");
            let within_impl = lines[..at].iter().rev().find(|line| !line.starts_with(' ') && line.ends_with('{'));
            let of_trait = within_impl.is_some_and(|line| line.contains("impl") && line.contains(" for "));
            if declares && !of_trait && !above.contains("# Safety") {
                found += &format!("  {}:{}\n", source.path, one.lines[0]);
            }
        }
    }
    assert!(found.is_empty(), "unsafe functions without a `# Safety` section in their docs:\n{found}");
}
