use crate::data::{Csv, DataError, Missing};
use std::string::{String, ToString};

fn said<T>(result: Result<T, DataError>) -> String {
    result.err().expect("a fault").to_string()
}

/// Lines with a hole each.
const HOLES: &str = "time,load,kind,price\n0,10,a,1\n1,NA,b,2\n2,14,,3\n3,15,b,?\n";

fn holes() -> Csv<&'static [u8]> {
    Csv::new(HOLES.as_bytes())
}

#[test]
fn lines_with_holes_are_left_out_filled_in_or_refused() {
    let loads = |missing| holes().missing(missing).features(["load"]).inputs().unwrap();
    assert_eq!(loads(Missing::Drop).as_slice(), [10.0, 14.0, 15.0]);
    assert_eq!(loads(Missing::Mean).as_slice(), [10.0, 13.0, 14.0, 15.0]);
    assert_eq!(loads(Missing::Previous).as_slice(), [10.0, 10.0, 14.0, 15.0]);
    // Holes of columns that are not read do not count.
    assert_eq!(holes().missing(Missing::Drop).features(["time"]).inputs().unwrap().len(), 4);
    let all = holes().missing(Missing::Drop).ids("kind", &["a", "b"]).values(["price"]).unwrap();
    assert_eq!((all.inputs()[0].as_slice(), all.targets().as_slice()), (&[0.0, 10.0, 0.0][..], &[1.0][..]));
    let previous = holes().missing(Missing::Previous).features(["kind"]).one_hot("kind", &["a", "b"]).inputs();
    assert_eq!(previous.unwrap().as_slice(), [1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0]);

    assert_eq!(
        said(holes().features(["load"]).inputs()),
        "csv, line 3, column `load`: expected a number, found `NA`\n\
         help: `.missing(Missing::Drop)` leaves such lines out; `Missing::Mean` and `Missing::Previous` fill in"
    );
    assert_eq!(
        said(holes().missing(Missing::Mean).features(["load"]).values(["price"])),
        "csv, line 5, column `price`: expected a target, found `?`\n\
         help: none is made up: `.missing(Missing::Drop)` leaves the line out"
    );
    let first = Csv::new(&b"a,b\n,1\n2,3\n"[..]).missing(Missing::Previous);
    assert!(
        said(first.values(["b"])).starts_with("csv, line 2, column `a`: expected a field, as no line before has one")
    );
    let none = Csv::new(&b"a,b\n,1\n,3\n"[..]).missing(Missing::Mean);
    assert_eq!(
        said(none.values(["b"])),
        "csv, column `a`: expected at least one number to take the mean of, found none"
    );
    // Means have no words.
    let words = holes().missing(Missing::Mean).features(["kind"]).ids("kind", &["a", "b"]);
    assert_eq!(said(words.inputs()), "csv, line 4, column `kind`: expected one of `a`, `b`, found an empty field");
}

#[test]
fn words_are_found_sorted_and_become_numbers() {
    assert_eq!(holes().missing(Missing::Drop).distinct("kind").unwrap(), ["a", "b"]);
    assert_eq!(holes().distinct("kind").unwrap(), ["", "a", "b"]);
    assert_eq!(holes().distinct(0).unwrap(), ["0", "1", "2", "3"]);
    assert!(said(holes().distinct("sort")).starts_with("csv, header: expected a column `sort`, found `time`"));
    let kinds = || Csv::new(&b"kind,x\nb,1\na,2\nc,3\n"[..]);
    let names = kinds().distinct("kind").unwrap();
    let one_hot = kinds().one_hot("kind", &names).inputs().unwrap();
    assert_eq!(one_hot.sample(0), [0.0, 1.0, 0.0, 1.0]);
    assert_eq!(one_hot.sample(2), [0.0, 0.0, 1.0, 3.0]);
    assert_eq!(kinds().ids("kind", &names).inputs().unwrap().sample(2), [2.0, 3.0]);
    assert_eq!(kinds().features(["x"]).named_classes("kind", &names).unwrap().targets().as_slice(), [1, 0, 2]);
    assert_eq!(
        said(kinds().one_hot("kind", &["a", "b"]).inputs()),
        "csv, line 4, column `kind`: expected one of `a`, `b`, found `c`"
    );
    let elsewhere = kinds().features(["x"]).ids("kind", &names);
    assert_eq!(
        said(elsewhere.inputs()),
        "csv, categories: expected column `kind` among the features, found it elsewhere"
    );
    assert!(said(kinds().values([0usize; 0])).contains("help: `.inputs()` reads a table without targets"));
}
