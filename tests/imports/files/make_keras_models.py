#!/usr/bin/env python3
"""Writes `keras_NAME.keras` and others: models and weights as Keras saves them, with inputs (x) and what Keras makes of them (y).

Needs keras, jax, h5py, numpy; keras 3.15.1, jax 0.10.2, h5py 3.16.0, numpy 2.4.6 wrote what is there.
In: nothing; out: the files, and NAME.txt with a line for each input and output of a batch of 2. Archives are
packed again, compressed: HDF5 is mostly zeros.
"""

import os
import pathlib
import zipfile

os.environ["KERAS_BACKEND"] = "jax"

import h5py
import keras
import numpy as np
from keras import layers

FOLDER = pathlib.Path(__file__).parent


def line(key, array):
    return key + " " + " ".join(str(np.float32(value)) for value in np.ravel(array)) + "\n"


def drawn(model, seed):
    draw = np.random.default_rng(seed)
    new = []
    for variable, value in zip(model.weights, model.get_weights()):
        path = variable.path
        if "seed" in path:
            new.append(value)
        elif "variance" in path:
            new.append(abs(value) + draw.uniform(size=value.shape))
        else:
            new.append(value + draw.normal(size=value.shape) * 0.2)
    model.set_weights(new)
    return draw


def answers(name, model, inputs):
    outputs = model.predict_on_batch(inputs if len(inputs) > 1 else inputs[0])
    outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    text = "".join(line("x", x) for x in inputs) + "".join(line("y", y) for y in outputs)
    (FOLDER / f"{name}.txt").write_text(text)


def compressed(path):
    with zipfile.ZipFile(path) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, member in members:
            archive.writestr(name, member)


def images():
    """Every layer over images, channels last."""
    x = keras.Input((9, 8, 3), name="image")
    y = layers.Conv2D(4, 3, padding="same", activation="relu", name="stem")(x)
    y = layers.BatchNormalization(name="norm")(y)
    a = layers.Conv2D(4, (3, 2), dilation_rate=2, padding="same", groups=2, use_bias=False, name="dilated")(y)
    b = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=1, name="depthwise")(y)
    y = layers.Add()([a, b])
    y = layers.GroupNormalization(2, name="groups")(y)
    y = layers.Activation("silu")(y)
    y = layers.MaxPooling2D(2, padding="same")(y)
    y = layers.SeparableConv2D(5, 3, activation="elu", name="apart")(y)
    y = layers.Conv2DTranspose(3, 3, strides=2, padding="same", name="up")(y)
    y = layers.LeakyReLU(negative_slope=0.1)(y)
    y = layers.ZeroPadding2D(((1, 0), (0, 2)))(y)
    y = layers.AveragePooling2D(2)(y)
    y = layers.Dropout(0.3)(y)
    y = layers.Rescaling(0.5, offset=0.1)(y)
    y = layers.Concatenate()([y, layers.Conv2D(2, 1, use_bias=False, activation="hard_silu", name="beside")(y)])
    y = layers.Dense(4, activation="relu6", name="pixel")(y)
    y = layers.Flatten()(y)
    y = layers.Dense(6, activation="gelu", name="hidden")(y)
    y = layers.Dense(3, activation="softmax", name="head")(y)
    return keras.Model(x, y, name="images"), [(9, 8, 3)]


def steps():
    """Recurrences, and convolutions over steps."""
    x = keras.Input((7, 3), name="steps")
    y = layers.Conv1D(4, 3, padding="causal", dilation_rate=2, activation="tanh", name="causal")(x)
    y = layers.LayerNormalization(name="rows")(y)
    y = layers.Bidirectional(layers.LSTM(3, return_sequences=True), name="both")(y)
    y = layers.GRU(4, return_sequences=True, name="gates")(y)
    y = layers.Dense(5, activation="relu", name="each")(y)
    z = layers.SimpleRNN(2, name="plain")(y)
    y = layers.LSTM(3, use_bias=True, name="long")(y)
    y = layers.Concatenate()([y, z])
    y = layers.Dense(2, name="head")(y)
    return keras.Model(x, y, name="steps"), [(7, 3)]


def text():
    """Token ids, attention, and two inputs."""
    x = keras.Input((6,), name="tokens")
    extra = keras.Input((4,), name="extra")
    y = layers.Embedding(11, 8, name="words")(x)
    a = layers.LayerNormalization(epsilon=1e-5, name="before")(y)
    a = layers.MultiHeadAttention(2, 4, name="attention")(a, a)
    y = layers.Add()([y, a])
    a = layers.Dense(12, activation="gelu", name="wide")(y)
    a = layers.Dense(8, use_bias=False, name="narrow")(a)
    y = layers.Add()([y, a])
    y = layers.GlobalAveragePooling1D()(y)
    z = layers.Dense(8, name="beside")(extra)
    z = layers.PReLU(name="bent")(z)
    y = layers.Multiply()([y, z])
    y = layers.Dense(3, name="head")(y)
    return keras.Model([x, extra], y, name="text"), [(6,), (4,)]


def more():
    """What the others have not: models within models, attention to a memory, pools and moves of other kinds."""
    x, memory = keras.Input((6, 8, 2), name="image"), keras.Input((5, 4), name="memory")
    block = keras.Sequential([keras.Input((6, 8, 2)), layers.Conv2D(4, 3, strides=2, padding="same", name="inner"), layers.ReLU(6.0)], name="block")
    y = block(x)
    y = layers.UpSampling2D(2, interpolation="bilinear")(y)
    y = layers.Cropping2D(((1, 0), (0, 2)))(y)
    y = layers.SeparableConv2D(4, 3, depth_multiplier=2, use_bias=False, name="apart")(y)
    y = layers.PReLU(shared_axes=[1, 2], name="bent")(y)
    y = layers.Reshape((12, 4))(y)
    y = layers.Subtract()([y, layers.Conv1DTranspose(4, 3, strides=2, padding="same", name="longer")(layers.MaxPooling1D(2)(y))])
    z = layers.MultiHeadAttention(2, 2, name="outer")(y, memory)
    y = layers.Average()([y, z])
    z = layers.RMSNormalization(name="size")(y)
    z = layers.MultiHeadAttention(4, 1, use_bias=False, name="self")(z, z, use_causal_mask=True)
    y = layers.Add()([y, z])
    y = layers.Bidirectional(layers.GRU(3), name="both")(y)
    y = layers.BatchNormalization(scale=False, name="norm")(y)
    z = layers.GlobalMaxPooling2D()(x)
    y = layers.Concatenate()([y, z])
    y = layers.Dense(4, activation="leaky_relu", name="last")(y)
    shared = layers.Dense(4, activation="softplus", name="shared")
    return keras.Model([x, memory], [shared(shared(y)), layers.Softmax()(y)], name="more"), [(6, 8, 2), (5, 4)]


def sequential():
    model = keras.Sequential(
        [keras.Input((5,)), layers.Dense(4, activation="tanh", name="hidden"), layers.BatchNormalization(), layers.Dense(2, name="head")],
        name="small",
    )
    return model, [(5,)]


def trained():
    """Small, as HDF5 takes kilobytes for each group."""
    return keras.Sequential(
        [keras.Input((5,)), layers.Dense(4, activation="tanh", name="hidden"), layers.BatchNormalization()], name="small"
    )


def gates():
    """GRUs whose reset comes before the product, as in Keras with TensorFlow 1."""
    x = keras.Input((5, 3), name="steps")
    y = layers.Bidirectional(layers.GRU(2, return_sequences=True, reset_after=False), name="both")(x)
    y = layers.GRU(3, reset_after=False, use_bias=False, name="bare")(y)
    return keras.Model(x, y, name="gates"), [(5, 3)]


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.body = [layers.Dense(4)]
        self.cell = layers.GRU(2)

    def call(self, x):
        for layer in self.body:
            x = layer(x)
        return self.cell(x)


def packed():
    """Arrays of every kind that h5py writes: in chunks, compressed, of other types; and what is not read."""
    numbers = (np.arange(70).reshape(7, 10) * 7 % 23 - 11) / 4
    with h5py.File(FOLDER / "h5py_packed.weights.h5", "w") as file:
        group = file.create_group("own/vars")
        for i, (kind, options) in enumerate(
            [
                ("<f4", {"chunks": (3, 4), "compression": "gzip", "shuffle": True, "fletcher32": True}),
                (">f4", {"chunks": (7, 3)}),
                ("<f8", {"chunks": (1, 10), "compression": "gzip"}),
                ("<f2", {}),
                (">f8", {}),
            ]
        ):
            group.create_dataset(str(i), data=numbers.astype(kind), **options)
        brain = (numbers.astype("<f4").view(np.uint32) >> 16).astype("<u2").view("V2")
        group.create_dataset("5", data=brain).attrs["dtype"] = "bfloat16"
    with h5py.File(FOLDER / "h5py_latest.weights.h5", "w", libver="latest") as file:
        file.create_group("own/vars").create_dataset("0", data=numbers.astype("<f4"))
        file.create_group("other/vars").create_dataset("0", data=numbers.astype("<f4"), chunks=(7, 5))


def main():
    packed()
    for name, make, seed in [("images", images, 1), ("steps", steps, 2), ("text", text, 3), ("more", more, 8), ("small", sequential, 4), ("gates", gates, 9)]:
        keras.utils.clear_session()
        keras.utils.set_random_seed(seed)
        model, shapes = make()
        draw = drawn(model, seed)
        inputs = [np.round(draw.normal(size=(2, *shape)), 1).astype(np.float32) for shape in shapes]
        if name == "text":
            inputs[0] = draw.integers(0, 11, size=(2, 6)).astype(np.float32)
        answers(f"keras_{name}", model, inputs)
        model.save(FOLDER / f"keras_{name}.keras")
        compressed(FOLDER / f"keras_{name}.keras")
    keras.utils.clear_session()
    keras.utils.set_random_seed(5)
    model = trained()
    x = np.round(np.random.default_rng(5).normal(size=(2, 5)), 1).astype(np.float32)
    model.compile(optimizer="sgd", loss="mse")
    model.train_on_batch(x, np.zeros((2, 4)))
    drawn(model, 5)
    answers("keras_trained", model, [x])
    model.save_weights(FOLDER / "keras_trained.weights.h5")
    model.save(FOLDER / "keras_trained.h5", include_optimizer=False)
    keras.utils.clear_session()
    model = Subclassed()
    x = np.random.default_rng(6).normal(size=(2, 3, 2)).astype(np.float32)
    model(x)
    drawn(model, 6)
    answers("keras_subclassed", model, [x])
    model.save_weights(FOLDER / "keras_subclassed.weights.h5")


if __name__ == "__main__":
    main()
