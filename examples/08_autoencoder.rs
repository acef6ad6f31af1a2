//! An autoencoder: encoder and decoder are networks of their own, trained as one and used apart. Writes a
//! picture of digits, and below each what sixteen numbers remember of it.
//!
//! ```text
//! cargo run --release --example 08_autoencoder
//! ```

use std::fs::File;
use std::io::BufWriter;

use nn_runtime::data::digits;
use nn_runtime::prelude::*;

const CODE: usize = 16;

network! {
    /// From an image to a few numbers.
    pub struct Encoder: [784] -> [CODE] {
        Dense(128) -> Relu -> Dense(CODE)
    }
}

network! {
    /// And back.
    pub struct Decoder: [CODE] -> [784] {
        Dense(128) -> Relu -> Dense(784) -> Sigmoid
    }
}

network! {
    /// Both, to be trained as one.
    pub struct Autoencoder: [784] -> [784] {
        encoder: Encoder -> decoder: Decoder
    }
}

const SIDE: usize = 28;
const COLUMNS: usize = 12;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let images = |n, seed| {
        let digits = digits::draw(n, seed);
        let pixels = digits.inputs()[0].as_slice().to_vec();
        Dataset::values((pixels.clone(), 784), (pixels, 784))
    };
    let (train, test) = (images(8_000, 1)?, images(1_000, 2)?);

    let mut model = Autoencoder::init(0);
    let mut trainer = Trainer::new(&mut model, Mse::new(), Adam::new(1e-3));
    println!("{}", trainer.fit(&train, Fit::epochs(10).validate(&test))?);

    // Used apart: a code is all that would have to be stored or sent.
    let mut encoder = model.part::<Encoder>("encoder")?.predictor(1);
    let mut decoder = model.part::<Decoder>("decoder")?.predictor(1);
    let mut picture = vec![0u8; COLUMNS * SIDE * 2 * SIDE];
    for column in 0..COLUMNS {
        let image: &[f32; 784] = test.input(0, column).try_into()?;
        let code: &[f32; CODE] = encoder.predict(image);
        let back = decoder.predict(code);
        for (row, image) in [image, back].into_iter().enumerate() {
            for (i, pixel) in image.iter().enumerate() {
                let (y, x) = (row * SIDE + i / SIDE, column * SIDE + i % SIDE);
                picture[y * COLUMNS * SIDE + x] = (255.0 * pixel) as u8;
            }
        }
    }
    let file = "autoencoder.png";
    let mut png = png::Encoder::new(BufWriter::new(File::create(file)?), (COLUMNS * SIDE) as u32, 2 * SIDE as u32);
    png.set_color(png::ColorType::Grayscale);
    png.write_header()?.write_image_data(&picture)?;
    println!("wrote {file}: digits above, and below them what {CODE} numbers remember");
    Ok(())
}
