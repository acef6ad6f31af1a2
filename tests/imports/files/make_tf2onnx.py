#!/usr/bin/env python3
"""Writes `tf2onnx_images.onnx` as tf2onnx exports it from Keras, with an input and what Keras itself makes of it.

Needs tensorflow and tf2onnx. In: nothing; out: the file, and lines of inputs (x) and outputs (y) of a batch of 2.
"""

import os
import pathlib

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
import tensorflow as tf
import tf2onnx
from keras import layers

FOLDER = pathlib.Path(__file__).parent


def main():
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            layers.Conv2D(4, 3, padding="same", activation="relu", name="stem"),
            layers.BatchNormalization(name="norm"),
            layers.DepthwiseConv2D(3, strides=2, padding="same", name="depthwise"),
            layers.LeakyReLU(),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(6, activation="elu", name="hidden"),
            layers.Dense(3, activation="softmax", name="head"),
        ]
    )
    draw = np.random.default_rng(1)
    weights = zip(model.weights, model.get_weights())
    drawn = [abs(w) + 0.5 if "var" in v.path else w + draw.normal(size=w.shape) * 0.3 for v, w in weights]
    model.set_weights(drawn)
    x = draw.normal(size=(2, 8, 8, 2)).astype(np.float32)
    signature = [tf.TensorSpec((None, 8, 8, 2), tf.float32, name="image")]
    function = tf.function(lambda x: model(x, training=False), input_signature=signature)
    exported, _ = tf2onnx.convert.from_function(function, input_signature=signature, opset=15)
    (FOLDER / "tf2onnx_images.onnx").write_bytes(exported.SerializeToString())
    y = model(x, training=False).numpy()

    def line(key, array):
        return key + " " + " ".join(repr(float(value)) for value in np.ravel(array)) + "\n"

    (FOLDER / "tf2onnx_images.txt").write_text(line("x", x) + line("y", y))


if __name__ == "__main__":
    main()
