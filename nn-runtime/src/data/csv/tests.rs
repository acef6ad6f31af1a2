//! CSV files, and what is said about those that are none.

use super::*;
use std::{env, fs, process};

const PEOPLE: &str = "name,age,height,sick\nann,34,1.71,0\n\nbob,28,1.80,1\n";

fn people() -> Csv<&'static [u8]> {
    Csv::new(PEOPLE.as_bytes())
}

fn said<T>(result: Result<T, DataError>) -> String {
    result.err().expect("a fault").to_string()
}

#[test]
fn columns_by_name_by_place_and_by_default() {
    let expected = Dataset::classes(&[[34.0, 1.71], [28.0, 1.8]], [0, 1]).unwrap();
    assert_eq!(people().features(["age", "height"]).classes("sick").unwrap(), expected);
    assert_eq!(people().features([1, 2]).classes(3).unwrap(), expected);
    assert_eq!(people().features(1..3).classes("sick").unwrap(), expected);
    let swapped = people().features(["height", "age"]).classes("sick").unwrap();
    assert_eq!(swapped.input(0, 1), [1.8, 28.0]);

    let rest = Csv::new(&b"1,2,3\n4,5,6"[..]).headers(false).values([1]).unwrap();
    assert_eq!(rest, Dataset::values(&[[1.0, 3.0], [4.0, 6.0]], &[[2.0], [5.0]]).unwrap());
    let two = Csv::new(&b"1;2;3\r\n 4; 5 ;6e-1\r\n"[..]).headers(false).delimiter(b';');
    let two = two.values([2, 0]).unwrap();
    assert_eq!(two, Dataset::values(&[[2.0], [5.0]], &[[3.0, 1.0], [0.6, 4.0]]).unwrap());
}

#[test]
fn classes_by_name() {
    let dataset = people().features(["age"]).named_classes("name", &["bob", "eve", "ann"]);
    assert_eq!(dataset.unwrap().targets().as_slice(), [2, 0]);
    assert_eq!(
        said(people().features(["age"]).named_classes("name", &["ann", "eve"])),
        "csv, line 4, column `name`: expected one of `ann`, `eve`, found `bob`"
    );
}

#[test]
fn quotes_and_a_byte_order_mark_are_understood() {
    let file = "\u{feff}\"a\",\"b, c\"\n\"1\",2\n";
    let dataset = Csv::new(file.as_bytes()).features(["a"]).values(["b, c"]).unwrap();
    assert_eq!(dataset, Dataset::values(&[[1.0]], &[[2.0]]).unwrap());
}

#[test]
fn a_field_that_is_no_number_is_named() {
    let file = |field: &str| format!("age,sick\n34,0\n1,1\n\n2,0\n3,1\n{field},0\n");
    for (field, complaint) in [
        ("abc", "a number, found `abc`"),
        ("", "a number, found an empty field"),
        ("1,5", ""), // a decimal comma: one field too many
        ("NaN", "a finite number, found `NaN`"),
        ("1e99", "a finite number, found `1e99`"),
    ] {
        let said = said(Csv::new(file(field).as_bytes()).classes("sick"));
        let expected = if complaint.is_empty() {
            "csv, line 7: expected 2 fields, as in the first line, found 3".to_owned()
        } else {
            format!("csv, line 7, column `age`: expected {complaint}")
        };
        assert_eq!(said, expected);
    }
    assert_eq!(said(people().features([1]).values([0])), "csv, line 2, column `name`: expected a number, found `ann`");
    assert_eq!(
        said(people().headers(false).values([3])),
        "csv, line 1, column 0: expected a number, found `name`\n\
         help: if the first line names the columns, say `.headers(true)`"
    );
}

#[test]
fn a_class_that_is_none_is_named() {
    for field in ["2.5", "-1", "x"] {
        let file = format!("a,b\n1,{field}\n");
        assert_eq!(
            said(Csv::new(file.as_bytes()).classes("b")),
            format!(
                "csv, line 2, column `b`: expected a class, an integer from 0, found `{field}`\n\
                 help: read a column of names with `.named_classes(column, &[\"…\", \"…\"])`"
            )
        );
    }
}

#[test]
fn columns_that_cannot_be_meant_are_refused() {
    assert_eq!(
        said(people().values(["agee"])),
        "csv, header: expected a column `agee`, found `name`, `age`, `height`, `sick`"
    );
    assert_eq!(said(people().values([4])), "csv, columns: expected a column below 4, found 4");
    assert!(
        said(people().headers(false).values(["age"]))
            .starts_with("csv, columns: expected a place, found the name `age` in a file without a header\nhelp: ")
    );
    assert_eq!(
        said(people().features([1, 2]).values(["age"])),
        "csv, column `age`: expected a target only, found it among the features as well"
    );
    assert!(
        said(Csv::new(&b"a,b,a\n1,2,3\n"[..]).values(["a"]))
            .starts_with("csv, header: expected one column `a`, found columns 0 and 2\nhelp: ")
    );
    let nothing: [usize; 0] = [];
    assert_eq!(said(people().values(nothing)), "csv, targets: expected at least one column, found none");
    assert_eq!(said(Csv::new(&b"a\n1\n"[..]).values(["a"])), "csv, features: expected at least one column, found none");
}

#[test]
fn files_without_lines_are_refused() {
    for empty in ["", "\n\n", "\r\n"] {
        for headers in [true, false] {
            assert_eq!(
                said(Csv::new(empty.as_bytes()).headers(headers).values([0])),
                "csv, line 1: expected a line of fields, found none"
            );
        }
    }
    assert_eq!(said(Csv::new(&b"a,b\n"[..]).values(["b"])), "csv, line 2: expected a line of numbers, found none");
}

#[test]
fn ragged_lines_and_other_bytes_are_refused() {
    assert_eq!(
        said(Csv::new(&b"a,b\n1,2\n3\n"[..]).values(["b"])),
        "csv, line 3: expected 2 fields, as in the first line, found 1"
    );
    assert_eq!(
        said(Csv::new(&b"a,b\n1,2\n3,\xff\n"[..]).values(["b"])),
        "csv, line 3, column `b`: expected UTF-8 text, found `\u{fffd}`"
    );
    let unused = Csv::new(&b"a,b,\xe9\n1,2,\xff\n"[..]).features(["a"]).values(["b"]);
    assert_eq!(unused.unwrap().len(), 1);
}

#[test]
fn a_file_is_named_in_what_is_said() {
    let path = env::temp_dir().join(format!("people-{}.csv", process::id()));
    fs::write(&path, PEOPLE).unwrap();
    let read = Csv::open(&path).unwrap().features(["age"]).classes("sick");
    let fault = Csv::open(&path).unwrap().values(["height"]);
    fs::remove_file(&path).unwrap();
    assert_eq!(read.unwrap().len(), 2);
    let expected = format!("`{}`, line 2, column `name`: expected a number, found `ann`", path.display());
    assert_eq!(said(fault), expected);
    let gone = said(Csv::open(&path));
    assert!(gone.starts_with(&format!("`{}`: expected readable data, found ", path.display())));
}

#[test]
fn lines_are_counted_whatever_ends_them_and_whatever_is_left_blank() {
    for (file, line) in [
        ("a,b\nx,1", 2),
        ("a,b\r\nx,1", 2),
        ("a,b\r\n1,1\r\nx,1\r\n", 3),
        ("a,b\r\n\r\n1,1\r\n\r\nx,1\r\n\r\n", 5),
        ("\n\na,b\n\n\nx,1", 6),
        ("a,b\n\"1\",\"1\n\n\"\nx,1\n", 5),
        ("a,b\n1,1\n\"x\n\",1\n", 3),
        ("a,b\n1,1\n\n\n1,1\n\"x\ny\",1", 6),
        ("a,b\n1,1\n\"x,1\n1,1\n", 3),
    ] {
        let said = said(Csv::new(file.as_bytes()).values(["b"]));
        assert!(said.starts_with(&format!("csv, line {line}")), "{file:?}: {said}");
    }
    let long = format!("a,b\n{},1\n", "é".repeat(1000));
    let said = said(Csv::new(long.as_bytes()).values(["b"]));
    assert!(said.ends_with(&format!("found `{}…`", "é".repeat(40))));
}
