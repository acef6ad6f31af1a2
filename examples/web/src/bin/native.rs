//! The page's network on this machine, for `test.sh`: what it comes to after a lesson, and what it makes of a
//! file that the page has saved.
//!
//! ```text
//! native learn FILE     # writes the network after 500 steps, two samples of its own among them
//! native read FILE      # prints what the network of a file makes of a pattern, as bits
//! ```

use std::error::Error;
use std::{env, fs};

use nn_web::{PIXELS, Page};

/// An image that is as easy to make elsewhere: every `k`th pixel is ink.
fn pattern(k: usize) -> Vec<f32> {
    (0..PIXELS).map(|at| f32::from(u8::from(at % k == 0))).collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let mut page = Page::default();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["learn", file] => {
            for step in 0..500 {
                if let Some(label) = [200, 300].iter().position(|at| *at == step) {
                    page.image = pattern(3 + label);
                    page.keep(label as u32);
                }
                page.step();
            }
            page.save();
            fs::write(file, &page.file)?;
        }
        ["read", file] => {
            page.file = fs::read(file)?;
            if !page.load() {
                return Err(page.message.into());
            }
            page.image = pattern(5);
            let answer = page.read();
            let bits =
                |numbers: &[f32]| numbers.iter().map(|x| format!("{:08x}", x.to_bits())).collect::<Vec<_>>().join(" ");
            println!("{answer} {} {}", bits(&page.probabilities), bits(&page.saliency));
        }
        _ => return Err("expected `learn FILE` or `read FILE`".into()),
    }
    Ok(())
}
