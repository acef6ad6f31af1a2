#!/bin/sh
# MNN 3.6.1 (mnnconvert and the CPU): Softplus of 1,000 is 87, and some ONNX operators are converted into others.
#
# What one expects: Softplus of a large number is that number; what the converter does not know is refused, as Mish, Hardmax and
# GroupNormalization are.
# What is so: Softplus never exceeds 87. Shrink has its condition the wrong way round below zero: it drops the large negative numbers
# and keeps the small ones. Conv with `auto_pad = SAME_LOWER` pads as SAME_UPPER. A Gemm whose first factor is to be transposed gives numbers of no such product.
# What follows: a Softplus head (a deviation, a rate, a price) saturates silently where its unit makes it large; scale targets to
# around 1. Write pads as numbers and transposes as nodes of their own, and compare outputs once before shipping.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    MNN==3.6.1 onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6
cd "$folder"
PATH="$folder/venv/bin:$PATH" "$folder/venv/bin/python" - <<'PYTHON' 2>/dev/null
import os
import subprocess
import sys

import MNN
import MNN.expr
import MNN.nn
import numpy as np
import onnxruntime
from onnx import helper, numpy_helper

print("MNN", MNN.version(), "beside ONNX Runtime", onnxruntime.__version__)
rng = np.random.default_rng(0)


def normal(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def answers(op, x, y_shape=None, constants=(), **settings):
    """What ONNX Runtime and MNN make of one operator."""
    kept = [numpy_helper.from_array(array, f"c{i}") for i, array in enumerate(constants)]
    node = helper.make_node(op, ["x", *(array.name for array in kept)], ["y"], **settings)
    value = lambda name, shape: helper.make_tensor_value_info(name, 1, shape)
    graph = helper.make_graph([node], "g", [value("x", x.shape)], [value("y", y_shape or list(x.shape))], kept)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    with open("model.onnx", "wb") as file:
        file.write(model)
    if os.path.exists("model.mnn"):
        os.remove("model.mnn")
    words = "-f ONNX --modelFile model.onnx --MNNModel model.mnn --bizCode one".split()
    subprocess.run(["mnnconvert", *words], capture_output=True)
    net = MNN.nn.load_module_from_file("model.mnn", ["x"], ["y"])
    y = net.forward([MNN.expr.const(x.ravel().tolist(), list(x.shape), MNN.expr.NCHW)])[0]
    wanted = onnxruntime.InferenceSession(model).run(None, {"x": x})[0]
    y = MNN.expr.convert(y, MNN.expr.NCHW) if x.ndim == 4 else y
    return wanted, np.array(y.read()).reshape(wanted.shape)


numbers = np.array([[1, 50, 88, 100, 1000]], np.float32)
right, softplus = answers("Softplus", numbers)
print("Softplus of", *numbers[0], "is", *softplus[0].round(3))
same = np.allclose(right[0, 2:], numbers[0, 2:]) and np.allclose(softplus[0, 2:], 87)

numbers = np.array([[-20, -2, -0.1, 0.1, 2, 20]], np.float32)
right, shrink = answers("Shrink", numbers, bias=0.0, lambd=0.5)
print("Shrink of", *numbers[0], "is", *shrink[0], "and should be", *right[0])
same &= bool((shrink[0, :2] == 0).all() and shrink[0, 2] == numbers[0, 2] and (right[0, :2] == numbers[0, :2]).all())

image, weight = normal(1, 2, 7, 7), normal(3, 2, 2, 2)
right, lower = answers("Conv", image, [1, 3, 7, 7], [weight], auto_pad="SAME_LOWER")
upper, _ = answers("Conv", image, [1, 3, 7, 7], [weight], auto_pad="SAME_UPPER")
off, near = np.abs(lower - right).max(), np.abs(lower - upper).max()
print(f"Conv with SAME_LOWER: off by {off:.2f}, from SAME_UPPER by {near:.0e}")
same &= bool(off > 0.5 and near < 1e-4)

right, product = answers("Gemm", normal(3, 2), [2, 5], [normal(3, 5)], transA=1)
print(f"Gemm with transA: off by {np.abs(right - product).max():.2f}")
same &= bool(np.abs(right - product).max() > 0.1)
sys.exit(0 if same else 1)
PYTHON
