#!/bin/sh
# image 0.25.10 (Rust) and Pillow 13.0.0: the same picture in grey differs by up to 32 of 255.
#
# What one expects: grey is one formula, so that a network trained on Python's `Image.convert("L")` may be fed by `to_luma8`.
# What is so: Pillow (like OpenCV) weighs red, green and blue by 0.299, 0.587, 0.114 (BT.601), the crate by 0.2126, 0.7152,
# 0.0722 (BT.709): red is 76 there and 54 here, green 150 and 182, blue 29 and 18. Only what is grey already stays the same.
# What follows: a camera's pictures lose their contrast between red and green against what was learnt; make grey with the
# formula of the training.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat > "$folder/Cargo.toml" <<'TOML'
[package]
name = "grey"
version = "0.1.0"
edition = "2021"

[dependencies]
image = { version = "=0.25.10", default-features = false, features = ["pnm"] }

[workspace]
TOML
cat > "$folder/src/main.rs" <<'RUST'
fn main() {
    let picture = image::open(std::env::args().nth(1).unwrap()).unwrap();
    let grey: Vec<String> = picture.to_luma8().iter().map(u8::to_string).collect();
    println!("{}", grey.join(" "));
}
RUST
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pillow==13.0.0
printf 'P3 5 1 255\n255 0 0  0 255 0  0 0 255  200 120 40  90 90 90\n' > "$folder/colours.ppm"
cd "$folder"
crate=$(CARGO_TARGET_DIR="$folder/target" cargo run --quiet -- colours.ppm)
pillow=$("$folder/venv/bin/python" -c "from PIL import Image; print(*Image.open('colours.ppm').convert('L').tobytes())")
echo "red, green, blue, brown and grey: image 0.25.10 $crate, Pillow 13.0.0 $pillow"
test "$crate" = "54 182 18 131 90" && test "$pillow" = "76 150 29 135 90"
