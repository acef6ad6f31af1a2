#!/bin/sh
# image 0.25.10 (Rust): `imageops::resize` cuts f32 pixels off at 0 and 1.
#
# What one expects: f32 pixels hold any number, such as depths in metres, or colours less their mean; a resized image is a mean
# of neighbours, as Pillow's mode "F" and OpenCV give it.
# What is so: every filter, `Nearest` included, clamps the result to 0 to 1, without an error: pixels of -2, -1, 0.5, 3 come out
# as 0 and 1. Only if the size does not change are they returned as they were, so a test with an image of the final size passes;
# `thumbnail` and `blur` do not clamp.
# What follows: images are resized before they are normalized, and maps of depth, heat or flow, and labels in f32, are divided
# by their range first.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat > "$folder/Cargo.toml" <<'TOML'
[package]
name = "depth"
version = "0.1.0"
edition = "2021"

[dependencies]
image = { version = "=0.25.10", default-features = false }

[workspace]
TOML
cat > "$folder/src/main.rs" <<'RUST'
use image::imageops::{resize, thumbnail, FilterType};
use image::{ImageBuffer, Luma};

fn main() {
    println!("image 0.25.10");
    let row: ImageBuffer<Luma<f32>, Vec<f32>> = ImageBuffer::from_vec(4, 1, vec![-2.0, -1.0, 0.5, 3.0]).unwrap();
    for filter in [FilterType::Nearest, FilterType::Triangle, FilterType::CatmullRom, FilterType::Gaussian, FilterType::Lanczos3] {
        let (half, same) = (resize(&row, 2, 1, filter).into_raw(), resize(&row, 4, 1, filter).into_raw());
        println!("{filter:?}: -2, -1, 0.5, 3 become {half:?}, with the same size {same:?}");
        assert_eq!(half, [0.0, 1.0]);
        assert_eq!(same, [-2.0, -1.0, 0.5, 3.0]);
    }
    let thumbnail = thumbnail(&row, 2, 1).into_raw();
    println!("thumbnail: {thumbnail:?}");
    assert!(thumbnail[0] < -0.9 && thumbnail[1] > 1.1);
}
RUST
cd "$folder"
CARGO_TARGET_DIR="$folder/target" cargo run --quiet
