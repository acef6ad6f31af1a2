//! Damaged checkpoints, arrays and tables: errors, nothing changed, and no more memory than twice the file.

use std::fs;

use nn_runtime::data::{Csv, DataError, Rows};
use nn_runtime::prelude::*;

use crate::{Dice, Folder, check_message, most_held};

/// What the file holds, read once, beside what a trainer begins with.
#[test]
fn damaged_checkpoints_take_no_more_than_twice_the_file() {
    network! { struct Wide: [64] -> [5] { hidden: Dense(256) -> Relu -> Dense(5) } }
    let folder = Folder::new("checkpoints");
    let path = folder.0.join("file");
    let data = Dataset::classes((vec![0.5; 40 * 64], 64), (0..40).map(|i| i % 5)).unwrap();
    let mut trainer = Wide::init(0).into_trainer(CrossEntropy::new(), Adam::new(1e-3));
    trainer.fit(&data, Fit::epochs(2).keep_best().checkpoint(Checkpoint::to(&path))).unwrap();
    let whole = fs::read(&path).unwrap();
    let mut trainer = Wide::init(1).into_trainer(CrossEntropy::new(), Adam::new(1e-3));
    let mut before = trainer.model().to_bytes();
    let mut dice = Dice(4);
    let mut refused = 0;
    for i in 0..500 {
        // The header most of the time, which is the smaller part.
        let (start, rest) = if i % 4 == 0 { (&whole[..], &[][..]) } else { whole.split_at(5000) };
        let bytes = [&dice.damage(start), rest].concat();
        fs::write(&path, &bytes).unwrap();
        let (read, most) = most_held(|| trainer.resume(&path));
        assert!(most < 2 * whole.len(), "{i}: {most} bytes for a file of {}, {} when whole", bytes.len(), whole.len());
        match read {
            Err(error) => {
                refused += 1;
                check_message(&error);
                assert!(trainer.model().to_bytes() == before, "{i}: {error}");
            }
            // Damage that changes nothing.
            Ok(()) => {
                assert!(bytes == whole);
                before = trainer.model().to_bytes();
            }
        }
    }
    assert!(refused > 450, "{refused}");
}

#[test]
fn damaged_arrays_take_no_more_than_twice_the_file() {
    let folder = Folder::new("arrays");
    let mut whole = Vec::from(b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2000, 3), }");
    whole.resize(127, b' ');
    whole.push(b'\n');
    whole.extend((0..6000).flat_map(|i| (i as f32).to_le_bytes()));
    let mut dice = Dice(5);
    let (mut refused, mut taken) = (0, 0);
    for i in 0..500 {
        let (start, rest) = if i % 4 == 0 { (&whole[..], &[][..]) } else { whole.split_at(128) };
        let path = folder.write("file", &[&dice.damage(start), rest].concat());
        // Of bytes all may be one row.
        let mut row = vec![0.0; whole.len() + 1000];
        let read = || -> Result<usize, DataError> {
            let rows = Rows::npy(&path)?;
            (0..rows.len()).try_for_each(|i| rows.read(i, &mut row[..rows.width()]))?;
            Ok(rows.len())
        };
        let (read, most) = most_held(read);
        assert!(most < 2 * whole.len(), "{i}: {most} bytes for a file of {}", whole.len());
        match read {
            Err(error) => {
                refused += 1;
                check_message(&error);
            }
            Ok(_) => taken += 1,
        }
    }
    // Damage to the numbers alone is not seen.
    assert!(refused > 250 && taken > 20, "{refused} refused, {taken} taken");
}

/// And a buffer of 64 kB.
#[test]
fn damaged_large_tables_take_no_more_than_twice_the_file() {
    let mut table = String::from("time,load,heat,kind\n");
    (0..2000).for_each(|i| table += &format!("{i},{:.5},{:.4},{}\n", (i as f32).sin(), 20.0 + (i % 37) as f32, i % 3));
    let mut dice = Dice(6);
    let mut refused = 0;
    for i in 0..500 {
        // The first lines most of the time, where a fault ends the reading; else wherever it is.
        let (start, rest) = if i % 2 == 0 { (table.as_bytes(), &[][..]) } else { table.as_bytes().split_at(200) };
        let bytes = [&dice.damage(start), rest].concat();
        let (read, most) = most_held(|| Csv::new(&bytes[..]).classes("kind"));
        assert!(most < 2 * table.len() + (1 << 16), "{i}: {most} bytes for a file of {}", bytes.len());
        if let Err(error) = read {
            refused += 1;
            check_message(&error);
        }
    }
    assert!(refused > 250, "{refused}");
}
