//! One call over and over, for `calls.sh` to count its instructions: `calls ID COUNT`; or for the time of
//! one: `calls ID`, the least of many rounds. `calls` writes down the ids.

use std::time::Instant;

use nn_benches::small::{IDS, call};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    match &args[..] {
        [id, count] => {
            let mut call = call(id);
            // What is allocated and looked up at the first call is no part of the others.
            call();
            call();
            measured(&mut call, count.parse().expect("a number of calls"));
        }
        [id] => {
            let mut call = call(id);
            let mut least = f64::INFINITY;
            let mut count = 1;
            let begun = Instant::now();
            while begun.elapsed().as_secs_f64() < 1.0 {
                let round = Instant::now();
                measured(&mut call, count);
                let seconds = round.elapsed().as_secs_f64();
                least = least.min(seconds / count as f64);
                if seconds < 2e-4 {
                    count *= 2;
                }
            }
            println!("{id} {:.1} ns", 1e9 * least);
        }
        _ => IDS.iter().for_each(|id| println!("{id}")),
    }
}

#[inline(never)]
fn measured(call: &mut dyn FnMut(), count: usize) {
    for _ in 0..count {
        call();
    }
}
