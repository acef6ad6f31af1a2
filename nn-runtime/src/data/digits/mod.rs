//! Handwritten-looking digits, drawn here so that nothing needs downloading: images of 28 × 28 with their
//! classes, the same bits on every machine, because only the operations `+ - × ÷ √`, correctly rounded
//! everywhere, touch a pixel.

mod glyphs;
mod pen;

#[cfg(feature = "alloc")]
use super::{Dataset, Labels, Samples};
use crate::random::Random;
#[cfg(feature = "alloc")]
use alloc::{vec, vec::Vec};
use glyphs::GLYPHS;

/// Pixels along a side of an image.
pub const SIDE: usize = 28;

/// `n` digits, each an image of [`SIDE`] × [`SIDE`] from 0 (paper) to 1 (ink). Every ten in a row are the ten
/// classes in random order, so that any number of them is balanced. Sample `i` depends on `seed` and `i`
/// alone, not on `n`.
///
/// A digit is a few strokes through points that wobble, bent, scaled, slanted, turned and shifted, drawn with
/// a pen of random width, with noise on the paper. Trained on 8,000 of them for 5 epochs, softmax regression
/// gets about 89 % of new ones right, a dense network of 784-128-10 about 97 %.
///
/// ```
/// let digits = nn_runtime::data::digits::draw(100, 7);
/// assert_eq!(digits.inputs()[0].width(), 784);
/// assert_eq!(digits.targets().as_slice().iter().filter(|&&class| class == 3).count(), 10);
/// ```
#[cfg(feature = "alloc")]
#[must_use]
pub fn draw(n: usize, seed: u64) -> Dataset<Labels> {
    const PIXELS: usize = SIDE * SIDE;
    let mut pixels = vec![0.0; n * PIXELS];
    let images = pixels.as_chunks_mut::<PIXELS>().0.iter_mut();
    let labels: Vec<u32> = images.enumerate().map(|(i, image)| draw_into(seed, i as u64, image)).collect();
    let labels = Labels::new(labels).expect("classes are small");
    let pixels = (pixels, PIXELS).into_values().expect("whole images");
    Dataset::new(pixels, labels).expect("a label for every image")
}

/// Sample `i` of those that [`draw`] draws with this seed, into an image of the caller's, which is
/// overwritten; returns its class. Needs no allocator.
///
/// ```
/// use nn_runtime::data::digits;
///
/// let mut image = [0.0; digits::SIDE * digits::SIDE];
/// let class = digits::draw_into(7, 2, &mut image);
/// let digits = digits::draw(3, 7);
/// assert_eq!((digits.targets().as_slice()[2], digits.input(0, 2)), (class, &image[..]));
/// ```
pub fn draw_into(seed: u64, i: u64, image: &mut [f32; SIDE * SIDE]) -> u32 {
    let mut classes = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    Random::keyed(!seed, &[i - i % 10]).shuffle(&mut classes);
    let class = classes[(i % 10) as usize];
    let mut random = Random::keyed(seed, &[i]);
    let variants = GLYPHS[class as usize];
    let glyph = &variants[random.below(variants.len())];
    pen::draw(glyph, &mut random, image);
    class
}

#[cfg(all(test, feature = "alloc"))]
mod tests {
    use super::*;

    /// FNV-1a over the bits of every pixel and label.
    fn checksum(digits: &Dataset<Labels>) -> u64 {
        let pixels = digits.inputs()[0].as_slice().iter().map(|v| v.to_bits());
        let labels = digits.targets().as_slice().iter().copied();
        pixels
            .chain(labels)
            .fold(0xCBF2_9CE4_8422_2325, |hash, bits| (hash ^ u64::from(bits)).wrapping_mul(0x0000_0100_0000_01B3))
    }

    #[test]
    fn a_seed_fixes_every_bit_on_every_machine() {
        assert_eq!(checksum(&draw(500, 7)), 0x02BB_FF96_A918_B73E);
        assert_eq!(checksum(&draw(500, u64::MAX)), 0x5FB9_7FCC_094E_286B);
    }

    #[test]
    fn a_sample_does_not_depend_on_how_many_are_drawn() {
        let many = draw(57, 3);
        assert_eq!(draw(23, 3), many.select(&(0..23).collect::<Vec<_>>()));
        assert!(draw(0, 3).is_empty());
        assert_ne!(draw(57, 4), many);
    }

    #[test]
    fn every_ten_in_a_row_are_the_ten_classes_in_another_order() {
        let digits = draw(200, 11);
        let tens: Vec<&[u32]> = digits.targets().as_slice().chunks(10).collect();
        for ten in &tens {
            let mut sorted = ten.to_vec();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        }
        assert!(tens.windows(2).all(|pair| pair[0] != pair[1]));
    }

    #[test]
    fn every_image_is_ink_on_paper_inside_the_frame() {
        let digits = draw(1000, 5);
        assert!(digits.check().is_ok());
        for i in 0..digits.len() {
            let image = digits.input(0, i);
            assert!(image.iter().all(|v| (0.0..=1.0).contains(v)));
            let ink = |v: &&f32| **v > 0.5;
            let (inked, first, last) = (
                image.iter().filter(ink).count(),
                image[..SIDE].iter().filter(ink).count(),
                image[SIDE * (SIDE - 1)..].iter().filter(ink).count(),
            );
            assert!((15..300).contains(&inked), "sample {i}: {inked} pixels of ink");
            assert!(first + last < inked / 4, "sample {i} leaves the frame");
        }
    }

    /// The mean image of each class must be a poor judge, but no hopeless one: the digits are neither noise
    /// nor stamps.
    #[test]
    fn the_mean_of_a_class_recognises_most_but_not_all() {
        let (train, test) = (draw(1000, 1), draw(500, 2));
        let mut means = vec![[0.0f32; SIDE * SIDE]; 10];
        for (i, &class) in train.targets().as_slice().iter().enumerate() {
            for (mean, pixel) in means[class as usize].iter_mut().zip(train.input(0, i)) {
                *mean += pixel / 100.0;
            }
        }
        let distance =
            |mean: &[f32], image: &[f32]| -> f32 { mean.iter().zip(image).map(|(m, v)| (m - v) * (m - v)).sum() };
        let right = (0..test.len()).filter(|&i| {
            let distances = means.iter().map(|mean| distance(mean, test.input(0, i)));
            let nearest = distances.enumerate().min_by(|a, b| a.1.total_cmp(&b.1));
            nearest.map(|(class, _)| class as u32) == Some(test.targets().as_slice()[i])
        });
        let right = right.count();
        assert!((300..450).contains(&right), "{right} of 500");
    }
}
