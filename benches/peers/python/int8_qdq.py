#!/usr/bin/env python3
"""ONNX Runtime on 784-128-10 in its int8 form (QDQ), one sample a call on one thread, beside `cargo bench --bench int8`.

pip install onnxruntime==1.30.0 onnx==1.23.2 numpy==2.4.6; python int8_qdq.py

Prints microseconds a call, the best of thirty times a thousand: of the floats, of the quantised graph, and of a graph
that does nothing, which is what a call itself takes.
"""
import os
import tempfile
import time

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

random = numpy.random.default_rng(0)


def write(path, nodes, constants):
    value = lambda name, width: helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, width])
    initial = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "graph", [value("x", 784)], [value("y", 10)], initial)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)


class Samples(CalibrationDataReader):
    def __init__(self):
        self.left = iter([{"x": random.random((1, 784), dtype=numpy.float32)} for _ in range(64)])

    def get_next(self):
        return next(self.left, None)


folder = tempfile.mkdtemp()
paths = {name: os.path.join(folder, name + ".onnx") for name in ("nothing", "floats", "int8")}
ends = {"from": numpy.array([0]), "to": numpy.array([10]), "axis": numpy.array([1])}
write(paths["nothing"], [helper.make_node("Slice", ["x", *ends], ["y"])], ends)
weights = {
    "w1": (random.normal(size=(784, 128)) / 28).astype(numpy.float32), "b1": numpy.zeros(128, numpy.float32),
    "w2": (random.normal(size=(128, 10)) / 11).astype(numpy.float32), "b2": numpy.zeros(10, numpy.float32),
}
layers = [("Gemm", ["x", "w1", "b1"], "h", {}), ("Relu", ["h"], "a", {}), ("Gemm", ["a", "w2", "b2"], "s", {}), ("Softmax", ["s"], "y", {"axis": 1})]
write(paths["floats"], [helper.make_node(kind, x, [y], **more) for kind, x, y, more in layers], weights)
quantize_static(paths["floats"], paths["int8"], Samples(), quant_format=QuantFormat.QDQ, per_channel=True,
                activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
x = random.random((1, 784), dtype=numpy.float32)
calls = {}
for name, path in paths.items():
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    bound = session.io_binding()
    bound.bind_cpu_input("x", x)
    bound.bind_output("y")
    calls[name] = lambda session=session: session.run(None, {"x": x})
    calls[name + ", bound"] = lambda session=session, bound=bound: session.run_with_iobinding(bound)
best = dict.fromkeys(calls, float("inf"))
for _ in range(30):
    for name, call in calls.items():
        begun = time.perf_counter()
        for _ in range(1000):
            call()
        best[name] = min(best[name], (time.perf_counter() - begun) * 1e3)
for name, microseconds in best.items():
    print(f"{name:16} {microseconds:6.2f} µs")
