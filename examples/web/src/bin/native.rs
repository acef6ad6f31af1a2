//! The page's network on this machine, for `test.sh`: what it comes to after a lesson, and what it makes of a
//! file that the page has saved.
//!
//! ```text
//! native learn FILE STEPS     # writes the network after so many steps, two samples of its own among them
//! native read FILE            # prints what the network of a file makes of a pattern, as bits
//! ```

use std::error::Error;
use std::{env, fs};

use nn_runtime::prelude::*;
use nn_web::{Digits, Memory, PIXELS, Page};

/// An image that is as easy to make elsewhere: every `k`th pixel is ink.
fn pattern(k: usize) -> [f32; PIXELS] {
    core::array::from_fn(|at| f32::from(u8::from(at % k == 0)))
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (memory, place) = (Box::leak(Box::new(Memory::ZEROS)), Box::leak(Box::new(None)));
    let mut page = Page::new(memory, place)?;
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["learn", file, steps] => {
            let steps: usize = steps.parse()?;
            for step in 0..steps {
                if let Some(label) = [2, 3].iter().position(|part| steps / 5 * part == step) {
                    *page.image = pattern(3 + label);
                    page.keep(label as u32);
                }
                page.step();
            }
            page.save();
            let mut model = Digits::init(0);
            model.write_params(page.numbers)?;
            fs::write(file, model.to_bytes())?;
        }
        ["read", file] => {
            Model::<Digits>::from_bytes(&fs::read(file)?)?.read_params(page.numbers);
            if !page.load() {
                return Err("expected finite numbers".into());
            }
            *page.image = pattern(5);
            let answer = page.read().ok_or("expected an answer")?;
            let bits =
                |numbers: &[f32]| numbers.iter().map(|x| format!("{:08x}", x.to_bits())).collect::<Vec<_>>().join(" ");
            println!("{answer} {} {}", bits(&page.probabilities), bits(page.saliency));
        }
        _ => return Err("expected `learn FILE STEPS` or `read FILE`".into()),
    }
    Ok(())
}
