#!/bin/sh
# OpenVINO 2026.4.1: a MaxPool with `ceil_mode` has a column more than ONNX Runtime's, filled with -3.4e38.
#
# What one expects: with `ceil_mode` a window may reach beyond the input, but one that would begin in the padding behind it is
# left out: ONNX's text says so since opset 22, and ONNX Runtime, ONNX's evaluator and tract do it in the older ones too.
# What is so: the size is rounded up and that is all. A width of 7 padded by 1 on both sides, kernel and stride 2, makes 5
# columns, the last of which lies wholly in the padding: its maximum is float32's lowest number. AveragePool has the right size,
# but with `count_include_pad` it divides a window that reaches beyond the padding by all of its places: 1/3 where the others
# have 1/2.
# What follows: the next layer turns -3.4e38 into infinity or NaN, or a Relu hides it, and the shape is another one; export
# pools with sizes that come out even.
#
# Exits with 0 as long as that is so.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check openvino==2026.4.1 onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import numpy
import onnx
import onnxruntime
import openvino
from onnx import TensorProto, helper


def answers(op, row, kernel, opset, **attributes):
    x = numpy.array(row, numpy.float32).reshape(1, 1, 1, -1)
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    attributes |= {"kernel_shape": [1, kernel], "strides": [1, 2], "pads": [0, 1, 0, 1], "ceil_mode": 1}
    node = helper.make_node(op, ["x"], ["y"], **attributes)
    graph = helper.make_graph([node], "g", [value("x", x.shape)], [value("y", list("abcd"))])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10), "model.onnx")
    runtime = onnxruntime.InferenceSession("model.onnx").run(None, {"x": x})[0].ravel()
    vino = openvino.Core().compile_model("model.onnx", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})([x])[0].ravel()
    print(f"{op}, opset {opset}: ONNX Runtime {runtime}, OpenVINO {vino}")
    return runtime.tolist(), vino.tolist()


onnxruntime.set_default_logger_severity(3)  # of shapes that the older text would have
print("OpenVINO", openvino.__version__, "ONNX Runtime", onnxruntime.__version__)
same = True
for opset in (13, 21, 22):
    runtime, vino = answers("MaxPool", range(1, 8), 2, opset)
    same &= runtime == [1, 3, 5, 7] and vino[:4] == runtime and len(vino) == 5 and vino[4] < -3e38
    runtime, vino = answers("AveragePool", [1] * 6, 3, opset, count_include_pad=1)
    same &= abs(runtime[3] - 1 / 2) < 1e-6 and abs(vino[3] - 1 / 3) < 1e-6
sys.exit(0 if same else 1)
PYTHON
