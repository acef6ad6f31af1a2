//! How much two names are alike. In: names; out: letters between them, or which comes first. What they name
//! is not known here.

use super::names::split_last;

/// Whether `a` comes before `b` where numbers are counted: `2` before `10`.
pub(super) const fn comes_before(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return a.len() < b.len();
    }
    let mut i = 0;
    while i < a.len() {
        if a[i] != b[i] {
            return a[i] < b[i];
        }
        i += 1;
    }
    false
}

/// Letters to insert, delete or change (Levenshtein), of the first 40 of each. A number tells nothing of
/// what a layer is called.
pub(super) const fn distance(a: &[u8], b: &[u8]) -> usize {
    const LONGEST: usize = 40;
    let (a, b) = (split_last(a).1, split_last(b).1);
    let a = if a.len() > LONGEST { a.split_at(LONGEST).0 } else { a };
    let b = if b.len() > LONGEST { b.split_at(LONGEST).0 } else { b };
    let mut row = [0; LONGEST + 1];
    let mut j = 0;
    while j <= b.len() {
        row[j] = j;
        j += 1;
    }
    let mut i = 0;
    while i < a.len() {
        let mut corner = row[0];
        row[0] = i + 1;
        let mut j = 0;
        while j < b.len() {
            let changed = corner + (a[i] != b[j]) as usize;
            corner = row[j + 1];
            let one = if row[j] < row[j + 1] { row[j] } else { row[j + 1] } + 1;
            row[j + 1] = if changed < one { changed } else { one };
            j += 1;
        }
        i += 1;
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_differ_are_counted() {
        for (a, b, far) in [("kitten", "sitting", 3), ("", "abc", 3), ("net.hiden", "hidden", 1), ("a", "a", 0)] {
            assert_eq!(distance(a.as_bytes(), b.as_bytes()), far, "{a} {b}");
        }
    }
}
