#!/bin/sh
# opencv-python-headless 5.0.0.93: `warpAffine` moves a float64 image in steps of 1/32 pixel, a float32 one exactly.
#
# What one expects: the wider type gives the same image with more digits.
# What is so: float32 and uint8 are interpolated where the matrix says. For float64 the positions are first rounded to 1/32
# pixel: of a ramp moved by 0.015 pixels nothing moves, by 0.02 it moves 0.03125. `remap` of float64 rounds too; `resize` does
# not.
# What follows: augmentations and the alignment of frames by parts of a pixel (flow, stabilisation, super-resolution) are off by
# up to 1/64 pixel when an array happens to be of NumPy's default type, 30,000 times float32's error; convert to float32 first.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check opencv-python-headless==5.0.0.93 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import cv2
import numpy

print("OpenCV", cv2.__version__)
ramp = numpy.tile(numpy.arange(32.0), (32, 1))
size, at = (32, 32), numpy.mgrid[0:32, 0:32].astype(numpy.float32)
worst = {}
for by in (0.01, 0.015, 0.02, 0.3):
    moved = {}
    for kind in ("float32", "float64"):
        image = ramp.astype(kind)
        moved["warpAffine", kind] = cv2.warpAffine(image, numpy.array([[1, 0, by], [0, 1, 0]]), size)
        moved["remap", kind] = cv2.remap(image, at[1] - numpy.float32(by), at[0], cv2.INTER_LINEAR)
    shown = {f"{name} {kind}": round(16 - float(image[16, 16]), 5) for (name, kind), image in moved.items()}
    print(f"a ramp moved by {by}:", shown)
    for name, kind in moved:
        worst[name, kind] = max(worst.get((name, kind), 0), abs(16 - float(moved[name, kind][16, 16]) - by))
edge = numpy.where(ramp < 16, 0, 255).astype(numpy.uint8)
grey = 255 - int(cv2.warpAffine(edge, numpy.array([[1, 0, 0.015], [0, 1, 0]]), size)[16, 16])
print("worst errors:", {f"{name} {kind}": f"{error:.1e}" for (name, kind), error in worst.items()})
print("a uint8 edge of 255 moved by 0.015:", grey, "(right 3.8)")
print("resize of both kinds:", numpy.abs(cv2.resize(ramp, (21, 21)) - cv2.resize(ramp.astype(numpy.float32), (21, 21))).max())
same = worst["warpAffine", "float32"] < 1e-5 and grey == 4
same &= worst["warpAffine", "float64"] > 1e-2 and worst["remap", "float64"] > 1e-2
sys.exit(0 if same else 1)
PYTHON
