#!/bin/sh
# PyTorch 2.15.0: torch.onnx (dynamo) leaves arguments out that ONNX's operators have no attribute for, without a word.
#
# What one expects: what an operator cannot say is written with others, or the export fails, as it does for `torch.cdist`.
# What is so: `AvgPool2d(divisor_override=3)` becomes a plain AveragePool, so every number is 3/4 of what it was. Cross-entropy
# with `label_smoothing` becomes SoftmaxCrossEntropyLoss, which has none: the loss is the one without smoothing, in a graph that
# is exported for on-device training or for judging. `interpolate(scale_factor=0.5, antialias=True)` of 9 rows, which gives 4,
# is off by 0.3 in ONNX Runtime 1.32.0; asked for by `size` it is right.
# What follows: outputs of an exported file are compared with the module's once; divide after the pool by oneself, and ask for
# sizes, not for scales.
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

import numpy as np
import onnx
import onnxruntime
import torch
from torch.nn import functional

print("torch", torch.__version__, "ONNX Runtime", onnxruntime.__version__)
torch.manual_seed(0)


def both(function, x):
    """What PyTorch and the exported file make of it, and the operators of the file."""

    class Module(torch.nn.Module):
        def forward(self, x):
            return function(x)

    torch.onnx.export(Module(), (x,), dynamo=True, verbose=False).save("model.onnx")
    session = onnxruntime.InferenceSession("model.onnx")
    found = session.run(None, {session.get_inputs()[0].name: x.numpy()})[0]
    operators = [node.op_type for node in onnx.load("model.onnx").graph.node]
    return function(x).numpy(), found, operators


image = torch.randn(1, 4, 9, 10)
wanted, found, operators = both(lambda x: functional.avg_pool2d(x, 2, 2, divisor_override=3), image)
ratio = found / wanted
print(f"divisor_override=3: {ratio.min():.3f} to {ratio.max():.3f} of what it was; {operators}")
same = abs(ratio - 0.75).max() < 1e-3

scores, labels = torch.randn(5, 4), torch.tensor([1, 2, 0, 3, 1])
wanted, found, operators = both(lambda x: functional.cross_entropy(x, labels, label_smoothing=0.1), scores)
plain = functional.cross_entropy(scores, labels).item()
print(f"label_smoothing=0.1: {wanted:.4f} becomes {found:.4f}, without smoothing {plain:.4f}; {operators}")
same &= abs(found - plain) < 1e-5 and abs(found - wanted) > 1e-2

for asked in ({"scale_factor": 0.5}, {"size": (4, 5)}):
    wanted, found, _ = both(lambda x: functional.interpolate(x, mode="bilinear", antialias=True, **asked), image)
    off = np.abs(found - wanted).max()
    print(f"antialias with {asked}: off by {off:.1e}")
    same &= bool(off > 0.1 if "scale_factor" in asked else off < 1e-5)
sys.exit(0 if same else 1)
PYTHON
