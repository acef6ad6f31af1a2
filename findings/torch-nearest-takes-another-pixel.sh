#!/bin/sh
# PyTorch 2.15.0: enlarging by `nearest` shares two pixels out as 42 and 40 of 82 places, not 41 and 41.
#
# What one expects: place i of an image made n times as wide shows pixel i / n, rounded down: nn.Upsample(scale_factor=41) of
# two pixels repeats each of them 41 times.
# What is so: the place is multiplied by the scale as a float32, and 41 times the rounded 1/41 is just below 1: place 41 shows
# the pixel before. So it is for factors 41, 47, 55 and 61, for 14 pixels of 46 places, and by any power of two of these; `size`
# and `scale_factor` alike. `nearest-exact` and repeat_interleave share them out evenly.
# ONNX Runtime 1.32.0, given the model that torch.onnx exports, takes the pixel that is expected.
# What follows: a label map enlarged by such a factor is a pixel off at its edges, and an exported model disagrees with the
# module it was made from by whole classes, not by rounding. Use `nearest-exact` where factors are whole.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    torch==2.15.0 onnx==1.23.2 onnxscript==0.7.2 onnxruntime==1.32.0 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON' 2>/dev/null
import sys

import onnxruntime
import torch
from torch import nn

x = torch.tensor([0.0, 1.0]).reshape(1, 1, 1, 2)


def second(y):
    """How many places show the second pixel."""
    return int(y.sum())


same = True
for n in (40, 41, 47, 55, 61):
    by_factor = second(nn.Upsample(scale_factor=(1, n), mode="nearest")(x))
    by_size = second(nn.Upsample(size=(1, 2 * n), mode="nearest")(x))
    exact = second(nn.Upsample(scale_factor=(1, n), mode="nearest-exact")(x))
    print(f"{n} times as wide: the second pixel {by_factor} times by factor, {by_size} by size, {exact} by nearest-exact")
    same &= by_factor == by_size == (n if n == 40 else n - 1) and exact == n

model = nn.Upsample(size=(1, 82), mode="nearest")
torch.onnx.export(model, (x,), dynamo=True, verbose=False).save("model.onnx")
session = onnxruntime.InferenceSession("model.onnx")
found = session.run(None, {session.get_inputs()[0].name: x.numpy()})[0]
print("exported, in ONNX Runtime:", int(found.sum()), "of 82")
same &= int(found.sum()) == 41
sys.exit(0 if same else 1)
PYTHON
