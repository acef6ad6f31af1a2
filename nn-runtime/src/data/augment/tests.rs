use super::*;
use std::collections::BTreeSet;
use std::vec;

/// Two channels of 3 × 4 pixels, all different.
const SHAPE: [usize; 3] = [2, 3, 4];

fn image() -> Vec<f32> {
    (1..=24).map(|pixel| pixel as f32).collect()
}

/// What many draws make of the image.
fn draws(change: impl Fn(&mut [f32], &mut Random)) -> Vec<Vec<f32>> {
    let draw = |seed| {
        let mut x = image();
        change(&mut x, &mut Random::keyed(seed, &[]));
        x
    };
    (0..500).map(draw).collect()
}

fn bits(images: &[Vec<f32>]) -> BTreeSet<Vec<u32>> {
    images.iter().map(|image| image.iter().map(|pixel| pixel.to_bits()).collect()).collect()
}

/// The image with every pixel from where `of` says, 0 where it says nothing.
fn moved(of: impl Fn(usize, usize) -> Option<[usize; 2]>) -> Vec<f32> {
    let mut to = vec![0.0; 24];
    for (channel, row, column) in (0..2).flat_map(|c| (0..3).flat_map(move |i| (0..4).map(move |j| (c, i, j)))) {
        if let Some([i, j]) = of(row, column) {
            to[(channel * 3 + row) * 4 + column] = image()[(channel * 3 + i) * 4 + j];
        }
    }
    to
}

#[test]
fn shifts_are_all_those_there_are_and_no_others() {
    let truth: Vec<_> = (-1..=1isize)
        .flat_map(|dy| (-1..=1isize).map(move |dx| (dy, dx)))
        .map(|(dy, dx)| {
            moved(|i, j| {
                let (i, j) = (i.checked_add_signed(-dy)?, j.checked_add_signed(-dx)?);
                (i < 3 && j < 4).then_some([i, j])
            })
        })
        .collect();
    assert_eq!(bits(&draws(shift(SHAPE, 1))), bits(&truth));
    assert_eq!(bits(&draws(shift(SHAPE, 0))), bits(&[image()]));
}

#[test]
fn flips_are_the_image_and_its_mirror() {
    assert_eq!(bits(&draws(flip(SHAPE))), bits(&[image(), moved(|i, j| Some([i, 3 - j]))]));
    assert_eq!(bits(&draws(flip_vertical(SHAPE))), bits(&[image(), moved(|i, j| Some([2 - i, j]))]));
}

#[test]
fn turns_are_exact_where_pixels_meet_and_small_ones_interpolate() {
    let square: Vec<f32> = (1..=9).map(|pixel| pixel as f32).collect();
    let turned = |angle: f64| {
        let mut x = square.clone();
        turn([1, 3, 3], angle, &mut x);
        x
    };
    let near = |found: &[f32], truth: &[f32]| found.iter().zip(truth).all(|(a, b)| (a - b).abs() < 1e-5);
    let quarter = core::f64::consts::FRAC_PI_2;
    // To the left: what was at the right is at the top.
    assert!(near(&turned(quarter), &[3.0, 6.0, 9.0, 2.0, 5.0, 8.0, 1.0, 4.0, 7.0]), "{:?}", turned(quarter));
    assert!(near(&turned(2.0 * quarter), &[9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0]));
    assert_eq!(turned(0.0), square);
    // A plane is turned into a plane, as interpolation is linear: 5 + dx + 3 dy, in the middle of the image.
    let mut plane: Vec<f32> = (0..49).map(|i| 50.0 + (i % 7) as f32 - 3.0 + 3.0 * ((i / 7) as f32 - 3.0)).collect();
    turn([1, 7, 7], 0.3, &mut plane);
    let (sin, cos) = 0.3f64.sin_cos();
    for (i, j) in (2..5).flat_map(|i| (2..5).map(move |j| (i, j))) {
        let (y, x) = (i as f64 - 3.0, j as f64 - 3.0);
        let truth = 50.0 + (cos * x - sin * y) + 3.0 * (cos * y + sin * x);
        assert!((f64::from(plane[i * 7 + j]) - truth).abs() < 1e-4, "{i} {j}");
    }
    // Both directions come, within the bound.
    let all = draws(rotate([2, 3, 4], 10.0));
    assert!(bits(&all).len() > 400);
}

#[test]
fn noise_has_the_moments_it_is_said_to_have() {
    let mut x = vec![1.0; 100_001];
    noise(0.5)(&mut x, &mut Random::keyed(3, &[]));
    let n = x.len() as f64;
    let mean = x.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
    let variance = x.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum::<f64>() / n;
    assert!((mean - 1.0).abs() < 0.01 && (variance - 0.25).abs() < 0.01, "{mean} {variance}");
}

#[test]
fn a_square_is_hidden_in_all_channels_and_nothing_else() {
    let truth: Vec<_> = (0..3isize)
        .flat_map(|i| (0..4isize).map(move |j| (i, j)))
        .map(|(y, x)| {
            moved(|i, j| {
                let hidden = |at: usize, centre: isize| (centre - 1..centre + 1).contains(&(at as isize));
                (!(hidden(i, y) && hidden(j, x))).then_some([i, j])
            })
        })
        .collect();
    assert_eq!(bits(&draws(cut_out(SHAPE, 2))), bits(&truth));
}

#[test]
#[should_panic(expected = "flip: expected a sample of [1, 2, 2], 4 numbers, found 5\nhelp: ")]
fn another_shape_is_a_panic_that_says_so() {
    flip([1, 2, 2])(&mut [0.0; 5], &mut Random::keyed(0, &[]));
}
