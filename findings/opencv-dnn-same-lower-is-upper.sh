#!/bin/sh
# OpenCV 5.0.0 (cv2.dnn, both engines): valid ONNX operators are read as others, without a word.
#
# What one expects: an operator whose attributes the importer does not know is refused, as `activations` of an LSTM and RNN are.
# What is so: `auto_pad = SAME_LOWER` of Conv, MaxPool and AveragePool is taken for SAME_UPPER, so every place is moved by one
# where the window is even. A PRelu with a slope for each of the last axis' features (`[2, 4, 5]` and 5 slopes) uses one for each
# of axis 1, the first four. `clip` and `input_forget` of an LSTM are left out. Of a GRU whose last state nobody asks for, the
# output that should be the states of all steps is that last state alone: the mean over steps, say, is taken over one.
# What follows: shapes fit and nothing is raised; outputs are compared with another runtime's once before a model is shipped
# through OpenCV, pads are written out as numbers, and a GRU is exported with both of its outputs.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    opencv-python-headless==5.0.0.93 onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON' 2>/dev/null
import sys

import cv2
import numpy as np
import onnxruntime
from onnx import helper, numpy_helper

print("OpenCV", cv2.__version__, "beside ONNX Runtime", onnxruntime.__version__)
rng = np.random.default_rng(0)


def normal(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def graph_of(nodes, x, y_shape, constants, y="y"):
    value = lambda name, shape: helper.make_tensor_value_info(name, 1, shape)
    kept = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "g", [value("x", x.shape)], [value(y, y_shape)], kept)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def answers(nodes, x, y_shape, constants):
    """What ONNX Runtime and OpenCV make of a graph from x to y."""
    model = graph_of(nodes, x, y_shape, constants)
    wanted = onnxruntime.InferenceSession(model).run(None, {"x": x})[0]
    found = []
    for engine in (cv2.dnn.ENGINE_CLASSIC, cv2.dnn.ENGINE_NEW):
        net = cv2.dnn.readNetFromONNX(np.frombuffer(model, np.uint8), engine=engine)
        net.setInput(x)
        found.append(net.forward().reshape(wanted.shape))
    assert np.array_equal(*found)
    return wanted, found[0]


same = True


def told(what, wanted, found, instead):
    global same
    off, near = np.abs(found - wanted).max(), np.abs(found - instead).max()
    print(f"{what}: off by {off:.2f}, from what it is read as by {near:.1e}")
    same &= bool(off > 0.1 and near < 1e-5)


image, weight = normal(1, 2, 7, 7), normal(3, 2, 2, 2)
for op, settings, constants in (
    ("Conv", {}, {"w": weight}),
    ("MaxPool", {"kernel_shape": [2, 2]}, {}),
    ("AveragePool", {"kernel_shape": [2, 2]}, {}),
):
    shape = [1, 3 if constants else 2, 7, 7]
    both = []
    for pad in ("SAME_LOWER", "SAME_UPPER"):
        node = helper.make_node(op, ["x", *constants], ["y"], auto_pad=pad, **settings)
        both.append(answers([node], image, shape, constants))
    told(f"{op} with SAME_LOWER", *both[0], both[1][0])

x, slopes = normal(2, 4, 5), np.abs(normal(5))
prelu = helper.make_node("PRelu", ["x", "s"], ["y"])
told("PRelu of 5 features", *answers([prelu], x, x.shape, {"s": slopes}), np.where(x < 0, x * slopes[:4, None], x))

x = normal(5, 2, 3)
gates = {"w": normal(1, 16, 3), "r": normal(1, 16, 4), "b": normal(1, 32)}
lstm = lambda **settings: helper.make_node("LSTM", ["x", "w", "r", "b"], ["y"], hidden_size=4, **settings)
plain = answers([lstm()], x, [5, 1, 2, 4], gates)[0]
for settings in ({"clip": 0.2}, {"input_forget": 1}):
    told(f"LSTM with {settings}", *answers([lstm(**settings)], x, [5, 1, 2, 4], gates), plain)

gates = {"w": normal(1, 12, 3), "r": normal(1, 12, 4), "b": normal(1, 24)}
gru = helper.make_node("GRU", ["x", "w", "r", "b"], ["states"], hidden_size=4)
mean = helper.make_node("ReduceMean", ["states"], ["y"], axes=[0], keepdims=0)
x = normal(5, 1, 3)
by_step = onnxruntime.InferenceSession(graph_of([gru], x, [5, 1, 1, 4], gates, "states")).run(None, {"x": x})[0]
told("mean over the steps of a GRU", *answers([gru, mean], x, [1, 1, 4], gates), by_step[-1])
sys.exit(0 if same else 1)
PYTHON
