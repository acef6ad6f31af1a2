#!/usr/bin/env python3
"""What LiteRT makes of random operators in int8, one case a line of litert.txt, for `litert.rs` to compare with.

pip install ai-edge-litert==2.3.0 flatbuffers==25.12.19 numpy; python make_litert.py > litert.txt

A line is the operator, its sizes, the seed, a colon, and the codes (int8 plus 128) in hexadecimal. Everything else
is drawn from the seed, here and in `litert.rs` alike: bytes of a linear congruence, in the order of the code. The
interpreter is the default one, in which XNNPACK computes what it can.
"""
import math
import os
import sys

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

RESOLVER = getattr(OpResolverType, os.environ.get("RESOLVER", "AUTO"))


class Bytes:
    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state * 1664525 + 1013904223) & 0xFFFFFFFF
        return self.state >> 24

    def bytes(self, count):
        return np.array([self.next() for _ in range(count)], dtype=np.int32)

    def scale(self, exponent):
        """From 1/2 to 1, times 2^exponent: all 24 bits of it random."""
        bits = (1 << 23) | ((self.next() & 127) << 16) | (self.next() << 8) | self.next()
        return np.float32(math.ldexp(bits, exponent - 24))


class Model:
    """A graph of one operator."""

    def __init__(self):
        self.model, self.graph = schema.ModelT(), schema.SubGraphT()
        self.model.version, self.model.subgraphs = 3, [self.graph]
        self.model.buffers = [schema.BufferT()]
        self.graph.tensors, self.graph.operators, self.graph.inputs, self.graph.outputs = [], [], [], []

    def tensor(self, shape, kind, scale, zero, data=None, axis=0):
        tensor, quantization = schema.TensorT(), schema.QuantizationParametersT()
        tensor.shape, tensor.type, tensor.name = list(shape), kind, f"t{len(self.graph.tensors)}"
        if scale is not None:
            quantization.scale = [float(s) for s in np.atleast_1d(scale)]
            quantization.zeroPoint = [int(z) for z in np.atleast_1d(zero)] * (len(quantization.scale) if np.ndim(zero) == 0 else 1)
            quantization.quantizedDimension = axis
            tensor.quantization = quantization
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = list(np.ascontiguousarray(data).tobytes())
            self.model.buffers.append(buffer)
            tensor.buffer = len(self.model.buffers) - 1
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def codes(self, shape, scale, zero):
        """A tensor of int8; `zero` is a code from 0 to 255."""
        return self.tensor(shape, schema.TensorType.INT8, scale, int(zero) - 128)

    def run(self, operator, version, options_type, options, inputs, outputs, data):
        code = schema.OperatorCodeT()
        code.builtinCode, code.deprecatedBuiltinCode, code.version = operator, operator, version
        self.model.operatorCodes = [code]
        op = schema.OperatorT()
        op.inputs, op.outputs = inputs, outputs
        op.builtinOptionsType, op.builtinOptions = options_type, options
        self.graph.operators = [op]
        self.graph.inputs, self.graph.outputs = inputs[: len(data)], outputs
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), file_identifier=b"TFL3")
        interpreter = Interpreter(model_content=bytes(builder.Output()), experimental_op_resolver_type=RESOLVER, num_threads=1)
        interpreter.allocate_tensors()
        for detail, x in zip(interpreter.get_input_details(), data):
            interpreter.set_tensor(detail["index"], (x - 128).astype(np.int8).reshape(detail["shape"]))
        interpreter.invoke()
        y = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
        return (y.astype(np.int32) + 128).reshape(-1)


def exponent(depth):
    """Of an output scale that spreads sums of so many products over the codes; inputs are 2^-5, weights 2^-7."""
    return -12 + round(math.log2(5476 * math.sqrt(depth) / 60))


def weighted(r, depth, outputs, weight_shape, axis, model, x_scale):
    """Weights, a scale for each output, biases."""
    weights = np.maximum((r.bytes(depth * outputs) ^ 128) - 128, -127)
    scales = np.array([r.scale(-7) for _ in range(outputs)], dtype=np.float32)
    biases = (r.bytes(outputs) - 128) * (4 * depth)
    if axis == 3:  # depthwise: [1, rows, columns, channels], drawn channel by channel
        weights = weights.reshape(outputs, depth).T
    w = model.tensor(weight_shape, schema.TensorType.INT8, scales, 0, weights.astype(np.int8), axis)
    bias_scales = (np.float32(x_scale) * scales).astype(np.float32)
    b = model.tensor([outputs], schema.TensorType.INT32, bias_scales, 0, biases.astype(np.int32))
    return w, b


def dense(seed, depth, outputs, rows, relu):
    r, m = Bytes(seed), Model()
    x_scale, x_zero, y_scale, y_zero = r.scale(-5), r.next(), r.scale(exponent(depth)), r.next()
    data = r.bytes(rows * depth)
    x = m.codes([rows, depth], x_scale, x_zero)
    w, b = weighted(r, depth, outputs, [outputs, depth], 0, m, x_scale)
    y = m.codes([rows, outputs], y_scale, y_zero)
    options = schema.FullyConnectedOptionsT()
    options.fusedActivationFunction = relu
    return m.run(schema.BuiltinOperator.FULLY_CONNECTED, 12, schema.BuiltinOptions.FullyConnectedOptions, options, [x, w, b], [y], [data])


def same(size, kernel, stride, dilation):
    out = -(-size // stride)
    return out


def conv(seed, channels, height, width, filters, kernel, stride, dilation, pads, relu):
    r, m = Bytes(seed), Model()
    depth = channels * kernel * kernel
    x_scale, x_zero, y_scale, y_zero = r.scale(-5), r.next(), r.scale(exponent(depth)), r.next()
    data = r.bytes(height * width * channels)
    x = m.codes([1, height, width, channels], x_scale, x_zero)
    w, b = weighted(r, depth, filters, [filters, kernel, kernel, channels], 0, m, x_scale)
    y = m.codes([1, *outputs(height, width, kernel, stride, dilation, pads), filters], y_scale, y_zero)
    options = schema.Conv2DOptionsT()
    options.padding = schema.Padding.SAME if pads else schema.Padding.VALID
    options.strideH = options.strideW = stride
    options.dilationHFactor = options.dilationWFactor = dilation
    options.fusedActivationFunction = relu
    return m.run(schema.BuiltinOperator.CONV_2D, 3, schema.BuiltinOptions.Conv2DOptions, options, [x, w, b], [y], [data])


def outputs(height, width, kernel, stride, dilation, pads):
    reach = dilation * (kernel - 1) + 1
    return [-(-n // stride) if pads else (n - reach) // stride + 1 for n in (height, width)]


def depthwise(seed, channels, height, width, kernel, stride, dilation, pads, relu):
    r, m = Bytes(seed), Model()
    depth = kernel * kernel
    x_scale, x_zero, y_scale, y_zero = r.scale(-5), r.next(), r.scale(exponent(depth)), r.next()
    data = r.bytes(height * width * channels)
    x = m.codes([1, height, width, channels], x_scale, x_zero)
    w, b = weighted(r, depth, channels, [1, kernel, kernel, channels], 3, m, x_scale)
    y = m.codes([1, *outputs(height, width, kernel, stride, dilation, pads), channels], y_scale, y_zero)
    options = schema.DepthwiseConv2DOptionsT()
    options.padding = schema.Padding.SAME if pads else schema.Padding.VALID
    options.strideH = options.strideW = stride
    options.depthMultiplier = 1
    options.dilationHFactor = options.dilationWFactor = dilation
    options.fusedActivationFunction = relu
    return m.run(schema.BuiltinOperator.DEPTHWISE_CONV_2D, 3, schema.BuiltinOptions.DepthwiseConv2DOptions, options, [x, w, b], [y], [data])


def add(seed, count, exponent_of_first, relu):
    r, m = Bytes(seed), Model()
    scales = [r.scale(exponent_of_first), r.scale(-5), r.scale(-4)]
    zeros = [r.next(), r.next(), r.next()]
    data = [r.bytes(count), r.bytes(count)]
    tensors = [m.codes([1, count], s, z) for s, z in zip(scales, zeros)]
    options = schema.AddOptionsT()
    options.fusedActivationFunction = relu
    return m.run(schema.BuiltinOperator.ADD, 2, schema.BuiltinOptions.AddOptions, options, tensors[:2], tensors[2:], data)


def concat(seed, rows, first, second):
    r, m = Bytes(seed), Model()
    scale, zero = r.scale(-5), r.next()
    data = [r.bytes(rows * first), r.bytes(rows * second)]
    tensors = [m.codes([rows, n], scale, zero) for n in (first, second, first + second)]
    options = schema.ConcatenationOptionsT()
    options.axis = 1
    return m.run(schema.BuiltinOperator.CONCATENATION, 2, schema.BuiltinOptions.ConcatenationOptions, options, tensors[:2], tensors[2:], data)


def softmax(seed, rows, width):
    r, m = Bytes(seed), Model()
    scale, zero = r.scale(-6 + r.next() % 5), r.next()
    data = r.bytes(rows * width)
    x, y = m.codes([rows, width], scale, zero), m.codes([rows, width], 1 / 256, 0)
    options = schema.SoftmaxOptionsT()
    options.beta = 1.0
    return m.run(schema.BuiltinOperator.SOFTMAX, 2, schema.BuiltinOptions.SoftmaxOptions, options, [x], [y], [data])


def curve(seed, operator, y_scale, y_zero, count):
    r, m = Bytes(seed), Model()
    scale, zero = r.scale(-6 + r.next() % 5), r.next()
    data = r.bytes(count)
    x, y = m.codes([1, count], scale, zero), m.codes([1, count], y_scale, y_zero)
    return m.run(operator, 2, 0, None, [x], [y], [data])


def pool(seed, operator, channels, height, width, kernel, stride, pads):
    r, m = Bytes(seed), Model()
    scale, zero = r.scale(-5), r.next()
    data = r.bytes(height * width * channels)
    x = m.codes([1, height, width, channels], scale, zero)
    y = m.codes([1, *outputs(height, width, kernel, stride, 1, pads), channels], scale, zero)
    options = schema.Pool2DOptionsT()
    options.padding = schema.Padding.SAME if pads else schema.Padding.VALID
    options.strideH = options.strideW = stride
    options.filterHeight = options.filterWidth = kernel
    return m.run(operator, 2, schema.BuiltinOptions.Pool2DOptions, options, [x], [y], [data])


def mean(seed, channels, height, width):
    r, m = Bytes(seed), Model()
    x_scale, x_zero, y_scale, y_zero = r.scale(-5), r.next(), r.scale(-7), r.next()
    data = r.bytes(height * width * channels)
    x = m.codes([1, height, width, channels], x_scale, x_zero)
    axes = m.tensor([2], schema.TensorType.INT32, None, None, np.array([1, 2], dtype=np.int32))
    y = m.codes([1, channels], y_scale, y_zero)
    options = schema.ReducerOptionsT()
    options.keepDims = False
    return m.run(schema.BuiltinOperator.MEAN, 2, schema.BuiltinOptions.ReducerOptions, options, [x, axes], [y], [data])


def cases():
    operators = schema.BuiltinOperator
    r = Bytes(2026)
    seed = 0
    for i in range(1000):
        seed += 1
        pick = lambda low, high: low + r.next() % (high - low + 1)
        relu = r.next() % 2
        if i < 260:
            sizes = [pick(1, 96), pick(1, 12), pick(1, 2), relu]
            yield "dense", sizes, seed, dense(seed, *sizes)
        elif i < 460:
            kernel = pick(1, 3)
            dilation = pick(1, 2) if kernel > 1 else 1
            stride = 1 if dilation > 1 else pick(1, 2)
            sizes = [pick(1, 9), pick(5, 6), pick(5, 6), pick(1, 3), kernel, stride, dilation, pick(0, 1), relu]
            yield "conv", sizes, seed, conv(seed, *sizes)
        elif i < 600:
            kernel = pick(2, 3)
            dilation = pick(1, 2)
            stride = 1 if dilation > 1 else pick(1, 2)
            sizes = [pick(1, 5), pick(5, 6), pick(5, 6), kernel, stride, dilation, pick(0, 1), relu]
            yield "depthwise", sizes, seed, depthwise(seed, *sizes)
        elif i < 740:
            sizes = [pick(1, 40), pick(0, 8) - 9, relu]
            yield "add", sizes, seed, add(seed, *sizes)
        elif i < 760:
            sizes = [pick(1, 3), pick(1, 8), pick(1, 8)]
            yield "concat", sizes, seed, concat(seed, *sizes)
        elif i < 830:
            sizes = [pick(1, 2), pick(2, 20)]
            yield "softmax", sizes, seed, softmax(seed, *sizes)
        elif i < 880:
            yield "tanh", [40], seed, curve(seed, operators.TANH, 1 / 128, 128, 40)
        elif i < 930:
            yield "logistic", [40], seed, curve(seed, operators.LOGISTIC, 1 / 256, 0, 40)
        elif i < 945:
            sizes = [pick(1, 4), pick(5, 6), pick(5, 6), pick(2, 3), pick(1, 2), pick(0, 1)]
            yield "max_pool", sizes, seed, pool(seed, operators.MAX_POOL_2D, *sizes)
        elif i < 970:
            sizes = [pick(1, 4), pick(5, 6), pick(5, 6), pick(2, 3), pick(1, 2), pick(0, 1)]
            yield "avg_pool", sizes, seed, pool(seed, operators.AVERAGE_POOL_2D, *sizes)
        else:
            sizes = [pick(1, 12), pick(2, 7), pick(2, 7)]
            yield "mean", sizes, seed, mean(seed, *sizes)


for name, sizes, seed, y in cases():
    print(name, *sizes, seed, ":", "".join(f"{code:02x}" for code in y))
