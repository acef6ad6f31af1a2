#!/usr/bin/env python3
"""Reads in Keras what `cargo test -p nn-tests --test imports` wrote for it: the weights are halves of those that Keras saved.

Needs keras and jax (keras 3.15.1, jax 0.10.2). In: a folder, `target/tmp/keras`; out: a line for each file, or what differs.
"""

import os
import pathlib
import sys

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np
from keras import layers

FILES = pathlib.Path(__file__).parent / "files"


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.body = [layers.Dense(4)]
        self.cell = layers.GRU(2)

    def call(self, x):
        for layer in self.body:
            x = layer(x)
        return self.cell(x)


def read(path):
    if path.name.endswith(".weights.h5"):
        if "subclassed" in path.name:
            model = Subclassed()
            model(np.zeros((1, 3, 2), np.float32))
        else:
            model = keras.models.load_model(FILES / "keras_trained.h5")
            model.compile(optimizer="sgd", loss="mse")
        model.load_weights(path)
        return model
    return keras.models.load_model(path)


def main():
    for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
        before, after = read(FILES / path.name), read(path)
        compared = 0
        for old, new in zip(before.weights, after.weights):
            if "seed" not in old.path:
                np.testing.assert_array_equal(np.asarray(old) / 2, np.asarray(new), err_msg=f"{path.name}: {old.path}")
                compared += 1
        print(f"{path.name}: {compared} arrays are halves")


if __name__ == "__main__":
    main()
