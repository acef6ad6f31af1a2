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
        (
            "",
            "a number, found an empty field\nhelp: `.missing(Missing::Drop)` leaves such lines out; `Missing::Mean` and `Missing::Previous` fill in",
        ),
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
    assert_eq!(
        said(people().values(nothing)),
        "csv, targets: expected at least one column, found none\nhelp: `.inputs()` reads a table without targets"
    );
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
        ("a,b\n1,1\n\n\"x,1\n1,1\n", 4),
    ] {
        let said = said(Csv::new(file.as_bytes()).values(["b"]));
        assert!(said.starts_with(&format!("csv, line {line}")), "{file:?}: {said}");
    }
    let long = format!("a,b\n{},1\n", "é".repeat(1000));
    let said = said(Csv::new(long.as_bytes()).values(["b"]));
    assert!(said.ends_with(&format!("found `{}…`", "é".repeat(60))));
}

#[test]
fn a_first_line_of_numbers_is_not_swallowed() {
    let flowers = || Csv::new(&b"5.1,3.5,0\n6.2,2.9,1\n"[..]);
    assert_eq!(
        said(flowers().classes(2)),
        "csv, line 1: expected names of columns, found `5.1`, `3.5`, `0`\n\
         help: say `.headers(false)` if these are data, `.headers(true)` if they are names"
    );
    assert_eq!(flowers().headers(false).classes(2).unwrap().len(), 2);
    assert_eq!(flowers().headers(true).classes(2).unwrap().len(), 1);
    // A line that names a class is data as well.
    let named = Csv::new(&b"5.1,setosa\n6.2,virginica\n"[..]).named_classes(1, &["setosa", "virginica"]);
    assert!(said(named).starts_with("csv, line 1: expected names of columns, found `5.1`, `setosa`\nhelp: "));
    // Years are names where one of them is asked for.
    let years = || Csv::new(&b"land,2019,2020\nx,1,2\n"[..]).features(["2019"]);
    assert_eq!(years().values(["2020"]).unwrap().targets().as_slice(), [2.0]);
    assert!(said(Csv::new(&b"1,2\n3,4\n"[..]).values(["y"])).contains("`.headers(false)`"));
}

#[test]
fn ids_and_time_stamps_are_never_one() {
    let stamps = || Csv::new(&b"t,y\n1700000000,0\n1700000060,1\n"[..]);
    let fault = stamps().classes("y").unwrap_err();
    assert_eq!(fault.kind(), DataErrorKind::Number);
    assert_eq!(
        fault.to_string(),
        "csv, line 3, column `t`: expected a number that 32 bits can tell from 1700000000, of line 2, found 1700000060\n\
         help: `.subtract(\"t\", 1700000000.0)` takes that off before numbers are rounded, `.rounded(true)` takes them \
         as they are"
    );
    let read = |csv: Csv<&'static [u8]>| csv.classes("y").unwrap().inputs()[0].as_slice().to_vec();
    assert_eq!(read(stamps().subtract("t", 1_700_000_000.0)), [0.0, 60.0]);
    assert_eq!(read(stamps().subtract(0, 1_700_000_030.0)), [-30.0, 30.0]);
    assert_eq!(read(stamps().rounded(true)), [1.7e9, 1.7e9]);

    for (numbers, line) in [
        (&["16777216", "16777217"][..], Some(3)),
        (&["16777217", "5", "16777216"], Some(4)),
        (&["16777217", "16777217", "16777219"], None), // 16777216 and 16777220
        (&["-16777217", "-16777216"], Some(3)),
        (&["9007199254740992", "9007199254740993"], Some(3)), // one in 64 bits too
        (&["12345678901234567890", "12345678901234567891"], Some(3)),
        (&["100000000000", "200000000000"], None),
        (&["1700000000.25", "1700000000.75"], Some(3)),
        (&["1700000000.5", "1700086400.5", "1700000001.5"], Some(4)),
        (&["1000000.01", "1000000.02"], Some(3)),
        (&["2460000.51", "2460000.52", "2460000.53"], Some(4)), // the furthest from the first
        (&["1e-50", "2e-50"], Some(3)),
        (&["1e-50", "2e-50", "1"], None),
        (&["0.1", "0.10000000", "0.1000000001", "7"], None),
        (&["0.1234567891", "0.1234567892", "0.9"], None), // a measurement's last digits
        (&["-73.973902", "-73.973901", "-73.984016"], None),
        (&["5", "5.0", "5.00000000000"], None),
        (&["1e9", "1000000000", "1000000000.0"], None),
    ] {
        let file: String =
            core::iter::once("t,y\n".to_owned()).chain(numbers.iter().map(|n| format!("{n},0\n"))).collect();
        match (Csv::new(file.as_bytes()).classes("y"), line) {
            (Ok(data), None) => assert_eq!(data.len(), numbers.len()),
            (Err(fault), Some(line)) => {
                let fault = fault.to_string();
                assert!(fault.starts_with(&format!("csv, line {line}, column `t`: ")), "{numbers:?}: {fault}");
            }
            (found, _) => panic!("{numbers:?}: {found:?}"),
        }
        // Targets are numbers too.
        let file = file.replace(",0\n", ",0.5\n");
        assert_eq!(Csv::new(file.as_bytes()).features(["y"]).values(["t"]).is_ok(), line.is_none(), "{numbers:?}");
    }
    // Double precision of dense measurements is rounded, as everywhere.
    let mut random = crate::random::Random::keyed(1, &[]);
    let mut file = "a,b,y\n".to_owned();
    for _ in 0..20_000 {
        let unit = random.unit() + random.unit() * 1e-8;
        file.push_str(&format!("{unit},{},0\n", 1e9 * unit));
    }
    assert_eq!(Csv::new(file.as_bytes()).classes("y").unwrap().len(), 20_000);
}

#[test]
fn numbers_are_taken_off_columns_that_are_there() {
    assert_eq!(
        said(people().features(["age"]).subtract("sick", 1.0).classes("sick")),
        "csv, subtract: expected column `sick` among the features or targets of numbers, found it elsewhere"
    );
    assert!(said(people().subtract("agee", 1.0).classes("sick")).contains("expected a column `agee`"));
    assert!(said(people().features(["age"]).subtract("age", f64::NAN).classes("sick")).contains("a finite number"));
    let less = people().features(["age"]).subtract("age", 30.5).classes("sick").unwrap();
    assert_eq!(less.inputs()[0].as_slice(), [3.5, -2.5]);
}

#[test]
fn the_likely_cause_is_named() {
    for (file, expected) in [
        (
            "a;b;y\n1;2;0\n",
            "line 1: expected fields with `,` between them, found one field, `a;b;y`\nhelp: say `.delimiter(b';')`",
        ),
        ("a\tb\ty\n1\t2\t0\n", "found one field, `a\\tb\\ty`\nhelp: say `.delimiter(b'\\t')`"),
        ("a,b,y\r1,2,0\r", "line 1: expected lines that end with a line feed, found carriage returns alone\nhelp: "),
        ("a,b,y\n1,2,0\r3,4,0\r", "line 2: expected lines that end with a line feed, found carriage returns alone"),
        (
            "a,b,y\n1,\"2,0\n3,4,1\n5,6,0\n",
            "line 2: expected a quote `\"` that closes the one opened there, found none",
        ),
        ("a,b,y\n1,2,0\n3,4,\"", "line 3: expected a quote `\"` that closes the one opened there, found none"),
        ("PK\u{3}\u{4}xl/workbook.xml", "start: expected a CSV file, found a zip archive"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:00", "found a pointer of Git LFS"),
        ("<html><body>Not found</body></html>", "found a web page"),
        (
            "a,b,Y\n1,2,0\n",
            "header: expected a column `y`, found `a`, `b`, `Y`\nhelp: names are compared letter by letter: `Y`",
        ),
    ] {
        let said = said(Csv::new(file.as_bytes()).classes("y"));
        assert!(said.starts_with("csv, ") && said.contains(expected), "{said}\nlacks: {expected}");
    }
    let semicolons = Csv::new(&b"a;y\n1,5;0\n"[..]).delimiter(b';').classes("y");
    assert!(said(semicolons).ends_with("found `1,5`\nhelp: write decimals with a point: `1.5`"));
    let commas = Csv::new(&b"a,y\n1,0\n"[..]).delimiter(b';').classes("y");
    assert!(said(commas).contains("help: say `.delimiter(b',')`"));
    let wide = Csv::new(&b"\xff\xfea\0,\0y\0\n\0"[..]).classes("y");
    assert!(said(wide).contains("found text of 16 bits a letter"));
    // A quoted field at the end that holds what an open one would.
    let quoted = Csv::new(&b"a,y,\"n\n\n\"\n1,0,\"\n\n\""[..]).features(["a"]).classes("y");
    assert_eq!(quoted.unwrap().len(), 1);
}

#[test]
fn columns_are_asked_for_once() {
    assert_eq!(
        said(people().features(["age", "height", "age"]).classes("sick")),
        "csv, columns: expected column `age` once, found it named twice"
    );
    assert_eq!(
        said(people().features([1]).values([3, 3])),
        "csv, columns: expected column `sick` once, found it named twice"
    );
    assert!(said(people().features([Column::Place(1), Column::Name("age".to_owned())]).values([3])).contains("once"));
}

#[test]
fn messages_are_short_and_obey_nothing() {
    let names: Vec<String> = (0..100_000).map(|i| format!("column{i}")).collect();
    let file = format!("{}\n", names.join(","));
    let text = said(Csv::new(file.as_bytes()).values(["y"]));
    assert!(text.ends_with("`column9` and 99990 more") && text.len() < 300, "{text}");
    let text = said(Csv::new(&b"a\x1b[2J,b\x07\n1,2\n"[..]).values(["y"]));
    assert_eq!(text, "csv, header: expected a column `y`, found `a\\u{1b}[2J`, `b\\u{7}`");
    let text = said(Csv::new(&b"a,b\n\x1b]0;x\x07,2\n"[..]).values(["b"]));
    assert!(text.ends_with("expected a number, found `\\u{1b}]0;x\\u{7}`"), "{text}");
}

/// One byte at a time, as a slow pipe gives them.
struct Slow(&'static [u8]);

impl Read for Slow {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let count = self.0.len().min(to.len()).min(1);
        to[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

#[test]
fn how_bytes_arrive_does_not_matter() {
    let file = "\u{feff}\"a\"\"b\",y\r\n\r\n1.5,\" 1\"\r\n2,0";
    let slow = Csv::new(Slow(file.as_bytes())).classes("y").unwrap();
    assert_eq!(slow, Csv::new(file.as_bytes()).features(["a\"b"]).classes("y").unwrap());
    assert!(said(Csv::new(Slow(b"PK\x03\x04zip")).classes("y")).contains("found a zip archive"));
    for delimiter in [b'"', b'\n', b'\r'] {
        assert!(said(people().delimiter(delimiter).classes("sick")).starts_with("csv, delimiter: expected "));
    }
}
