#!/bin/sh
# torch 2.15.0 (Python, CPU): `LPPool1d` and `LPPool2d` of odd powers are no norm, and `ceil_mode` makes the norm of one number another number.
#
# What one expects: (|x1|^p + |x2|^p + …)^(1/p) of each window, as ONNX's operator `LpPool` says and ONNX Runtime computes: never below 0, never
# less than the largest number, and of a window of one number the number.
# What is so: the powers are of x, not of its size. Of [-1, -2] it is -3 for p = 1, and NaN for p = 3, as is everything behind it; of numbers
# of both signs the sum may be near 0 where the norm is large. Only even powers are norms. With `ceil_mode=True` a window that reaches beyond the
# end is a mean times the kernel's size: that of the last number, 5, under a kernel of 2 is 7.07 for p = 2 and 10 for p = 1.
# What follows: models with `LPPool` of odd powers need `abs` before it, and give other numbers where they are written by hand as ONNX's
# `LpPool`; the same network in ONNX Runtime answers 3, 2.08 and 5.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.15.0 numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0
cat > "$folder/seen.py" <<'PYTHON'
import math

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper

print("torch", torch.__version__, "onnxruntime", onnxruntime.__version__)


def runtime(x, p, ceil_mode=0):
    node = helper.make_node("LpPool", ["x"], ["y"], p=p, kernel_shape=[2], strides=[2], ceil_mode=ceil_mode)
    sides = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in "xy"]
    model = helper.make_model(helper.make_graph([node], "lp", sides[:1], sides[1:]), opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    return onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": np.array([[x]], dtype=np.float32)})[0][0, 0]


def pool(x, p, ceil_mode=False):
    return torch.nn.LPPool1d(p, 2, ceil_mode=ceil_mode)(torch.tensor([[x]]))[0, 0].tolist()


for p in (1, 2, 3):
    print(f"p = {p}: [-1, -2] is {pool([-1.0, -2.0], p)[0]:.2f} in torch, {runtime([-1.0, -2.0], p)[0]:.2f} in ONNX Runtime")
last = [(pool([1.0, 2.0, 3.0, 4.0, 5.0], p, True)[-1], runtime([1.0, 2.0, 3.0, 4.0, 5.0], p, 1)[-1]) for p in (1, 2)]
print("ceil_mode, a last window of the number 5 alone, p = 1 and 2:", last)
assert pool([-1.0, -2.0], 1) == [-3.0] and math.isnan(pool([-1.0, -2.0], 3)[0])
assert abs(runtime([-1.0, -2.0], 1)[0] - 3.0) < 1e-5 and abs(runtime([-1.0, -2.0], 3)[0] - 9 ** (1 / 3)) < 1e-5
assert last[0][0] == 10.0 and abs(last[1][0] - 50**0.5) < 1e-5 and all(abs(other - 5.0) < 1e-5 for _, other in last)
PYTHON
"$folder/venv/bin/python" "$folder/seen.py"
