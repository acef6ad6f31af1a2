//! The README says what is true: its errors are those of the tests, its layer table leads to pages and tests.

use crate::checklist;
use crate::source::read;
use crate::tree::{Tree, names};

/// The error messages that the README shows are those of the compile-error tests.
#[test]
fn the_readme_shows_real_errors() {
    let readme = read("README.md");
    let mut shown = 0;
    for part in readme.split("<!-- error: ").skip(1) {
        let (file, rest) = part.split_once(" -->\n```text\n").expect("a text block follows");
        let text = rest.split("```").next().unwrap();
        let stderr = read(file);
        assert!(stderr.contains(text.trim_end()), "{file} reads\n{stderr}\nand the README shows\n{text}");
        assert!(text.lines().count() > 4, "the README shows the whole of {file}");
        shown += 1;
    }
    assert!(shown > 0, "the README shows no error");
}

/// Each row of the layer table leads to a page with a runnable example and the shape rule, and to tests.
#[test]
fn the_layer_table_leads_somewhere() {
    let tree = Tree::read();
    let table = tree.get("README.md").split("| page: formula, example, rule |").nth(1).expect("the layer table");
    let rows: Vec<&str> = table.lines().skip(2).take_while(|line| line.starts_with('|')).collect();
    let mut named = Vec::new();
    for row in &rows {
        let links: Vec<&str> = row.split("](").skip(1).map(|part| part.split(')').next().unwrap()).collect();
        let (pages, tests): (Vec<&str>, Vec<&str>) = links.iter().partition(|link| !link.starts_with("tests/"));
        assert!(!pages.is_empty() && !tests.is_empty(), "a row links no page or no test: {row}");
        for link in &links {
            assert!(tree.files.contains_key(*link), "the README links {link}, which is no file");
        }
        let text = |links: &[&str]| links.iter().map(|link| tree.get(link)).collect::<Vec<_>>().join("\n");
        let (page_text, test_text) = (text(&pages), text(&tests));
        let cell = row.split('|').nth(1).unwrap();
        for name in cell.split('`').skip(1).step_by(2).map(|name| name.split('(').next().unwrap()) {
            assert!(checklist::docs(&page_text, name).is_some(), "{pages:?} do not document `{name}`");
            assert!(names(&test_text, name), "{tests:?} do not test `{name}`");
            named.push(name.to_owned());
        }
    }
    for layer in checklist::layers(&tree) {
        assert!(named.contains(&layer), "the README's layer table lacks {layer}");
    }
}
