#!/bin/sh
# tract 0.23.9 (Rust, here by its Python wheel): ReduceLogSumExp of 100 is infinite, LogSoftmax of a class 104 below is
# -infinity.
#
# What one expects: both are there because the plain formula overflows, and are computed after the largest number is taken off.
# What is so: they are the plain formula. ReduceLogSumExp is infinite from 89 on and -infinity below -104; LogSoftmax is the
# logarithm of a softmax, so that classes further than 104 below the best, which have the log-probability -104 and less, become
# -infinity.
# What follows: logits of 100 are nothing rare, and attention masks are often -1e4 or -1e9; sums of log-probabilities (beam
# search, CTC, energies) become infinite, and 0 times them NaN, while argmax, the usual test, is as before. Subtract the maximum
# in the model.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tract==0.23.9 onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy
import onnx
import onnxruntime
import tract
from onnx import TensorProto, helper, numpy_helper


def answers(op, row):
    x = numpy.array([row], numpy.float32)
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    reduced = op.startswith("Reduce")
    axes = [numpy_helper.from_array(numpy.array([1]), "axes")] if reduced else []
    node = helper.make_node(op, ["x"] + [a.name for a in axes], ["y"], **({} if reduced else {"axis": 1}))
    graph = helper.make_graph([node], "g", [value("x", x.shape)], [value("y", [1, 1] if reduced else x.shape)], axes)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10), "model.onnx")
    rust = tract.onnx().load("model.onnx").into_model().into_runnable().run([x])[0].to_numpy()
    runtime = onnxruntime.InferenceSession("model.onnx").run(None, {"x": x})[0]
    top = max(row)
    total = top + numpy.log(sum(numpy.exp(v - top) for v in row))
    right = [total] if reduced else [v - total for v in row]
    rust, runtime = rust.ravel(), runtime.ravel()
    print(f"{op} of {row}: tract {rust.tolist()}, ONNX Runtime {runtime.tolist()}, right {[round(float(v), 4) for v in right]}")
    return rust, numpy.allclose(runtime, right, rtol=1e-5)


print("tract 0.23.9, ONNX Runtime", onnxruntime.__version__)
high, a = answers("ReduceLogSumExp", [100.0, 99.0])
low, b = answers("ReduceLogSumExp", [-200.0, -201.0])
logs, c = answers("LogSoftmax", [60.0, 0.0, -60.0])
same = high[0] == numpy.inf and low[0] == -numpy.inf and logs[2] == -numpy.inf and a and b and c
sys.exit(0 if same else 1)
PYTHON
