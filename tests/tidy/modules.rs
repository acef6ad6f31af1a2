//! Modules of a crate and what each one names of the others. In: the tokens of its files; out: for each file
//! its module, its declarations, and every path into another file, followed through re-exports.

use std::collections::BTreeMap;

use crate::source::{Token, group, sources, text};

/// The crate's modules by path: `[]` is the root, `["graph", "plan"]` is `graph/plan.rs`.
pub struct Crate {
    pub modules: BTreeMap<Vec<String>, Module>,
}

#[derive(Default)]
pub struct Module {
    pub file: String,
    /// What `use` brings in: the name here, the path it stands for.
    pub imports: Vec<Import>,
    /// Names of items declared at the top of the file.
    pub items: Vec<String>,
    /// Types declared anywhere in it, and on which line.
    pub types: Vec<(String, usize)>,
    /// Paths that begin at `crate`, `super` or something imported.
    pub paths: Vec<Vec<String>>,
}

pub struct Import {
    /// `*` for all of a module.
    pub name: String,
    pub path: Vec<String>,
}

/// One file names something of another.
pub struct Edge {
    pub from: Vec<String>,
    pub to: Vec<String>,
    /// The item that it names; empty for the module itself.
    pub name: String,
}

impl Crate {
    /// Reads the files below a folder of sources.
    pub fn read(folder: &str) -> Crate {
        let mut modules = BTreeMap::new();
        for source in sources(folder).iter().filter(|source| !source.is_test()) {
            let inside = source.path.strip_prefix(folder).unwrap().trim_start_matches('/');
            let mut path: Vec<String> = inside.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
            if ["lib", "mod"].contains(&&**path.last().unwrap()) {
                path.pop();
            }
            let code = source.code();
            let mut module = Module { file: source.path.clone(), ..Module::default() };
            module.scan(&code, &path);
            modules.insert(path, module);
        }
        Crate { modules }
    }

    /// Every path from one file into another, re-exports followed to where the name is declared.
    pub fn edges(&self) -> Vec<Edge> {
        let mut edges = Vec::new();
        for (from, module) in &self.modules {
            for path in module.imports.iter().map(|import| &import.path).chain(&module.paths) {
                let (to, name) = self.resolve(path, 0);
                if to != *from {
                    edges.push(Edge { from: from.clone(), to, name });
                }
            }
        }
        edges
    }

    /// The module in whose file a path from the root ends, and the item of it that is named.
    fn resolve(&self, path: &[String], depth: usize) -> (Vec<String>, String) {
        let known = (0..=path.len()).rev().find(|&n| self.modules.contains_key(&path[..n])).unwrap_or(0);
        let (at, rest) = path.split_at(known);
        let found = (at.to_vec(), rest.first().cloned().unwrap_or_default());
        let Some(name) = rest.first().filter(|name| *name != "*" && depth < 16) else { return found };
        let module = &self.modules[at];
        if !module.items.contains(name) {
            let named = module.imports.iter().find(|import| import.name == *name);
            let globs = module.imports.iter().filter(|import| import.name == "*");
            let open = |import: &Import| self.modules.contains_key(&import.path[..import.path.len() - 1]);
            let mut globs = globs.filter(|import| open(import));
            let glob = globs.find(|import| {
                let of = &self.modules[&import.path[..import.path.len() - 1]];
                of.items.contains(name) || of.imports.iter().any(|import| import.name == *name)
            });
            if let Some(import) = named.or(glob) {
                let end = if import.name == "*" { import.path.len() - 1 } else { import.path.len() };
                let onward = [&import.path[..end], &rest[usize::from(import.name != "*")..]].concat();
                if onward != path {
                    return self.resolve(&onward, depth + 1);
                }
            }
        }
        found
    }
}

impl Module {
    /// Notes what the file declares and names; `at` is its module.
    fn scan(&mut self, code: &[Token], at: &[String]) {
        // Modules within the file, and the depths of brackets at which they and `impl`s or traits end.
        let (mut inline, mut bodies): (Vec<(String, usize)>, Vec<usize>) = (Vec::new(), Vec::new());
        let (mut depth, mut i, mut body) = (0, 0, usize::MAX);
        while i < code.len() {
            let here: Vec<String> = at.iter().chain(inline.iter().map(|(name, _)| name)).cloned().collect();
            let next = text(code, i + 1).to_owned();
            let top = depth == inline.len();
            match text(code, i) {
                "(" | "[" | "{" => {
                    bodies.extend((i == body).then_some(depth));
                    depth += 1;
                }
                ")" | "]" | "}" => {
                    depth -= 1;
                    inline.pop_if(|(_, level)| *level == depth);
                    bodies.pop_if(|level| *level == depth);
                }
                "use" if next != "<" => {
                    i = self.imports_of(code, i + 1, here, top);
                    continue;
                }
                "mod" if text(code, i + 2) == "{" => inline.push((next.clone(), depth)),
                "impl" | "trait" => body = body_of(code, i).unwrap_or(body),
                _ => {}
            }
            let word = text(code, i);
            let declares = ["struct", "enum", "union", "trait", "type"].contains(&word)
                || ["fn", "const", "static", "mod", "macro_rules"].contains(&word);
            let name = if next == "!" { text(code, i + 2) } else { &next };
            // `<const N: usize>` declares nothing.
            let declares = declares && !["<", ","].contains(&text(code, i.wrapping_sub(1)));
            if declares && name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
                if top {
                    self.items.push(name.to_owned());
                }
                if bodies.is_empty() && ["struct", "enum", "union", "trait", "type"].contains(&word) {
                    self.types.push((name.to_owned(), code[i].line));
                }
            }
            if word != "::" && text(code, i.wrapping_sub(1)) != "::" && next == "::" {
                i = self.path_of(code, i, &here);
                continue;
            }
            i += 1;
        }
        // What begins with a name that is no import of this file begins at another crate or at a local type.
        let imports: BTreeMap<&String, &Vec<String>> = self.imports.iter().map(|i| (&i.name, &i.path)).collect();
        let resolved = self.paths.iter().filter_map(|path| match &*path[0] {
            "crate" => Some(path[1..].to_vec()),
            name => Some([imports.get(&name.to_owned())?, &path[1..]].concat()),
        });
        self.paths = resolved.collect();
    }

    /// Notes a path in an expression or a type; the index behind it.
    fn path_of(&mut self, code: &[Token], mut i: usize, here: &[String]) -> usize {
        let mut path = vec![text(code, i).to_owned()];
        while text(code, i + 1) == "::" && text(code, i + 2).starts_with(|c: char| c.is_alphabetic() || c == '_') {
            path.push(text(code, i + 2).to_owned());
            i += 2;
        }
        if ["self", "super"].contains(&&*path[0]) {
            path = ["crate".to_owned()].into_iter().chain(absolute(&path, here)).collect();
        }
        self.paths.push(path);
        i + 1
    }

    /// Notes what `use` brings in, from behind the word on; the index behind its `;`.
    fn imports_of(&mut self, code: &[Token], from: usize, here: Vec<String>, top: bool) -> usize {
        let end = (from..code.len()).find(|&i| text(code, i) == ";").unwrap_or(code.len());
        let mut found = Vec::new();
        use_tree(&code[from..end], &mut Vec::new(), &mut found);
        for (name, path) in found {
            let own = ["crate", "self", "super"].contains(&&*path[0]);
            // In this edition a path may begin with a child module's name.
            let child = self.items.contains(&path[0]);
            if own || child {
                let path = if own { absolute(&path, &here) } else { [here.clone(), path].concat() };
                // Within a function the name is not that of the module, but the path is one all the same.
                let name = if top { name } else { String::new() };
                self.imports.push(Import { name, path });
            }
        }
        end + 1
    }
}

/// `crate::a`, `self::a` and `super::a` from the root.
fn absolute(path: &[String], here: &[String]) -> Vec<String> {
    let supers = path.iter().take_while(|part| *part == "super").count();
    let skip = supers.max(usize::from(["crate", "self"].contains(&&*path[0])));
    let from = if path[0] == "crate" { &[][..] } else { &here[..here.len().saturating_sub(supers)] };
    [from, &path[skip..]].concat()
}

/// The bracket that opens the body of the item that `impl` or `trait` at `i` begins; not of `impl Trait` in a
/// type.
fn body_of(code: &[Token], i: usize) -> Option<usize> {
    let before = text(code, i.wrapping_sub(1));
    let begins = ["", "}", ";", "]", "{", ")", "pub", "unsafe"].contains(&before);
    let mut at = i;
    while begins && at < code.len() && text(code, at) != ";" {
        let argument = ["<", ","].contains(&text(code, at - usize::from(at > 0)));
        match text(code, at) {
            "{" if !argument => return Some(at),
            "{" | "(" | "[" => at = group(code, at).end + 1,
            _ => at += 1,
        }
    }
    None
}

/// The names of a use tree and their paths as written.
fn use_tree(tree: &[Token], prefix: &mut Vec<String>, found: &mut Vec<(String, Vec<String>)>) {
    let depth = prefix.len();
    let mut i = 0;
    while i < tree.len() {
        match text(tree, i) {
            "::" => {}
            "{" => {
                let inside = group(tree, i);
                let mut part = inside.start;
                for at in inside.start..=inside.end {
                    let nested = tree[part..at].iter().filter(|t| t.text == "{").count()
                        == tree[part..at].iter().filter(|t| t.text == "}").count();
                    if nested && (at == inside.end || text(tree, at) == ",") {
                        use_tree(&tree[part..at], prefix, found);
                        part = at + 1;
                    }
                }
                prefix.truncate(depth);
                return;
            }
            "as" => {
                found.push((text(tree, i + 1).to_owned(), prefix.clone()));
                prefix.truncate(depth);
                return;
            }
            "self" if !prefix.is_empty() => {}
            word => prefix.push(word.to_owned()),
        }
        i += 1;
    }
    if let Some(name) = prefix.last().filter(|_| prefix.len() > depth || !tree.is_empty()) {
        found.push((name.clone(), prefix.clone()));
    }
    prefix.truncate(depth);
}

#[test]
fn a_use_tree_is_all_its_names() {
    let tokens = crate::source::tokens("crate::a::{self, b::{C, d as e}, *}");
    let mut found = Vec::new();
    use_tree(&tokens, &mut Vec::new(), &mut found);
    let found: Vec<String> = found.into_iter().map(|(name, path)| format!("{name}={}", path.join("::"))).collect();
    assert_eq!(found, ["a=crate::a", "C=crate::a::b::C", "e=crate::a::b::d", "*=crate::a::*"]);
}

#[test]
fn declarations_are_found_and_associated_types_are_none() {
    let code = crate::source::tokens(
        "use crate::b::C; struct A; impl<const N: usize> T<{ N + 1 }> for A { type Out = C; } pub trait T { type Out; }
        fn f() -> impl T { struct Inner; C::new() } mod m { enum E {} use super::A; }",
    );
    let mut module = Module::default();
    module.scan(&code, &["a".to_owned()]);
    let types: Vec<&str> = module.types.iter().map(|(name, _)| &**name).collect();
    assert_eq!(types, ["A", "T", "Inner", "E"]);
    assert_eq!(module.items, ["A", "T", "f", "m", "E"]);
    let imports: Vec<String> = module.imports.iter().map(|import| import.path.join("::")).collect();
    assert_eq!(imports, ["b::C", "a::A"]);
    assert!(module.paths.contains(&["b", "C", "new"].map(str::to_owned).to_vec()));
}
