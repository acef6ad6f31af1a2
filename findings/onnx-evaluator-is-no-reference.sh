#!/bin/sh
# onnx 1.23.2: the package's own ReferenceEvaluator moves the windows of an AveragePool, and keeps to defaults where a model
# says other.
#
# What one expects: the evaluator that comes with the format, and whose purpose is to say what an operator means, is what tests
# of an exporter or of a runtime are held against.
# What is so: with `ceil_mode` and a last window that lacks two places, an AveragePool without any padding begins one place
# before the input: 1, 2, 3, 4 in windows of 3 by strides of 3 gives 1.5, 3 instead of 2, 4. An LSTM's `activations`, `clip` and
# `input_forget` are not looked at, so that it is always the plain one. Softmax is that of opset 13 in models of opset 11, where
# everything from the axis on was one row. ONNX Runtime is right in all of them.
# What follows: a test against the evaluator can fail a right implementation and pass a wrong one; loops of one's own decide.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator


def answers(op, x, *constants, opset=21, **attributes):
    initial = [numpy_helper.from_array(c, f"c{i}") for i, c in enumerate(constants)]
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    node = helper.make_node(op, ["x"] + [c.name for c in initial], ["y"], **attributes)
    outputs = [value("y", list("abcd")[: 4 if constants else x.ndim])]
    graph = helper.make_graph([node], "g", [value("x", x.shape)], outputs, initial)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=6 if opset < 12 else 10)
    onnx.checker.check_model(model)
    runtime = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x})[0]
    return ReferenceEvaluator(model).run(None, {"x": x})[0], runtime


def off(a, b):
    return float(numpy.abs(a - b).max())


print("onnx", onnx.__version__, "ONNX Runtime", onnxruntime.__version__)
row = numpy.array([[[1, 2, 3, 4]]], numpy.float32)
evaluator, runtime = answers("AveragePool", row, kernel_shape=[3], strides=[3], ceil_mode=1)
print("means of 1, 2, 3 | 4: evaluator", evaluator.ravel(), "ONNX Runtime", runtime.ravel())
seen = [evaluator.ravel().tolist() == [1.5, 3], runtime.ravel().tolist() == [2, 4]]

random = numpy.random.default_rng(0)
steps, inputs, hidden = 5, 2, 3
shapes = (steps, 1, inputs), (1, 4 * hidden, inputs), (1, 4 * hidden, hidden), (1, 8 * hidden)
x, w, r, b = (random.standard_normal(s).astype(numpy.float32) for s in shapes)
sigmoid = lambda z: 1 / (1 + numpy.exp(-z))


def loop(g_of=numpy.tanh, limit=numpy.inf, coupled=False):
    h, c, y = numpy.zeros(hidden), numpy.zeros(hidden), []
    for t in range(steps):
        z = w[0].astype(float) @ x[t, 0] + r[0].astype(float) @ h + b[0, : 4 * hidden] + b[0, 4 * hidden :]
        i, o, f, g = numpy.clip(z, -limit, limit).reshape(4, hidden)
        c = (1 - sigmoid(i) if coupled else sigmoid(f)) * c + sigmoid(i) * g_of(g)
        h = sigmoid(o) * numpy.tanh(numpy.clip(c, -limit, limit))
        y.append(h)
    return numpy.array(y)


for attributes, right in (
    ({}, loop()),
    ({"activations": ["Sigmoid", "Relu", "Tanh"]}, loop(lambda z: numpy.maximum(z, 0))),
    ({"clip": 0.5}, loop(limit=0.5)),
    ({"input_forget": 1}, loop(coupled=True)),
):
    evaluator, runtime = (y[:, 0, 0] for y in answers("LSTM", x, w, r, b, hidden_size=hidden, **attributes))
    print(f"LSTM {attributes}: off by {off(evaluator, right):.1e} in the evaluator, by {off(runtime, right):.1e} in ONNX Runtime")
    seen += [off(evaluator, loop()) < 1e-6, off(runtime, right) < 1e-5]

cube = numpy.zeros((1, 2, 2), numpy.float32)
evaluator, runtime = answers("Softmax", cube, opset=11, axis=1)
print("Softmax of opset 11 of four zeros from axis 1 on: evaluator", evaluator.ravel(), "ONNX Runtime", runtime.ravel())
seen += [(evaluator == 0.5).all(), (runtime == 0.25).all()]
sys.exit(0 if all(seen) else 1)
PYTHON
