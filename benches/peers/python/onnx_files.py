"""Writes the networks that are predicted with as ONNX files, next to the data: for ONNX Runtime, tract and rten.

In: a directory; out: `NAME.onnx` with an input `x` [n, …], an output `y`, and weights that are drawn here.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import turns

random = np.random.default_rng(0)


class Graph:
    """Nodes and weights, gathered as layers are added to one chain."""

    def __init__(self):
        self.nodes, self.weights, self.at = [], [], "x"

    def weight(self, *shape):
        fan = sum(shape[:2]) * int(np.prod(shape[2:]))
        values = random.uniform(-1, 1, shape) * (6 / fan) ** 0.5 if len(shape) > 1 else np.zeros(shape)
        return self.constant(values.astype("float32"))

    def constant(self, values):
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def add(self, op, *weights, **attributes):
        output = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, [self.at, *weights], [output], **attributes))
        self.at = output

    def dense(self, sizes, activation="relu"):
        for i, (k, n) in enumerate(zip(sizes, sizes[1:])):
            if i:
                self.add(activation.capitalize())
            self.add("Gemm", self.weight(k, n), self.weight(n))


def network(net):
    graph = Graph()
    if net in turns.DENSE:
        shape, outputs = turns.DENSE[net][:1], turns.DENSE[net][-1:]
        graph.dense(turns.DENSE[net], turns.ACTIVATION.get(net, "relu"))
    elif net in turns.CONV:
        shape, outputs = turns.INPUT[net], [10]
        (first, second), kernel, sizes = turns.CONV[net]
        # What an operator has by default, as rten 0.27 wants it said.
        plain = {"strides": [1, 1], "dilations": [1, 1], "pads": [0, 0, 0, 0]}
        for k, n in ((1, first), (first, second)):
            graph.add("Conv", graph.weight(n, k, kernel, kernel), graph.weight(n), **plain)
            graph.add("Relu")
            graph.add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
        graph.add("Flatten")
        graph.dense(sizes)
    else:
        # [n, steps, 1] -> [steps, n, 1] -> [steps, 1 direction, n, 32] -> [n, steps, 32]
        shape, outputs = turns.INPUT[net], [64, 1]
        graph.add("Transpose", perm=[1, 0, 2])
        graph.add("LSTM", graph.weight(1, 128, 1), graph.weight(1, 128, 32), hidden_size=32)
        graph.add("Squeeze", graph.constant(np.array([1])))
        graph.add("Transpose", perm=[1, 0, 2])
        graph.add("MatMul", graph.weight(32, 1))
        graph.add("Add", graph.weight(1))
    if net not in turns.NUMBERS:
        graph.add("Softmax", axis=-1)
    graph.nodes[-1].output[0] = "y"
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", *shape])
    made = helper.make_graph(graph.nodes, net, [value("x", shape)], [value("y", outputs)], graph.weights)
    # Versions that the readers have known for years.
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


if __name__ == "__main__":
    for net in ("mlp10", "mnist128", "mlp-wide", "cnn", "lenet5", "lstm", "tiny", "policy"):
        onnx.save(network(net), Path(sys.argv[1]) / f"{net}.onnx")
