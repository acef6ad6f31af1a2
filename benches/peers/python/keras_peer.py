"""Keras on its JAX backend, one thread: `fit` with many steps to an execution, or `train_on_batch` and `predict_on_batch`.

In: turns; out: times. Images are channels-last, as Keras has them.
"""

import os

os.environ["KERAS_BACKEND"] = "jax"

import keras
from keras import layers

import turns


def network(net):
    if net in turns.DENSE:
        inputs = keras.Input(turns.DENSE[net][:1])
        return inputs, dense(turns.DENSE[net][1:], inputs, net)
    if net in turns.CONV:
        filters, kernel, sizes = turns.CONV[net]
        x = inputs = keras.Input([28, 28, 1])
        for count in filters:
            x = layers.MaxPooling2D(2)(layers.Conv2D(count, kernel, activation="relu")(x))
        return inputs, dense(sizes[1:], layers.Flatten()(x), net)
    inputs = keras.Input(turns.INPUT[net])
    if net == "lstm":
        return inputs, layers.Dense(1)(layers.LSTM(32, return_sequences=True)(inputs))
    x = layers.LayerNormalization(epsilon=1e-5)(inputs)
    x = layers.Add()([inputs, layers.MultiHeadAttention(4, 16)(x, x)])
    y = layers.Dense(256, activation="gelu")(layers.LayerNormalization(epsilon=1e-5)(x))
    x = layers.Add()([x, layers.Dense(64)(y)])
    return inputs, dense([10], layers.GlobalAveragePooling1D()(x), net)


def dense(sizes, x, net):
    for size in sizes[:-1]:
        x = layers.Dense(size, activation=turns.ACTIVATION.get(net, "relu"))(x)
    if net in turns.DROPOUT:
        return layers.Dense(sizes[-1], use_bias=False)(layers.Dropout(turns.DROPOUT[net])(x))
    return layers.Dense(sizes[-1], activation=None if net in turns.NUMBERS else "softmax")(x)


class Keras(turns.Run):
    def __init__(self, form, workload):
        self.workload, self.form = workload, form
        self.x = workload.x.transpose(0, 1, 3, 4, 2) if workload.x.ndim == 5 else workload.x
        self.y = workload.y.astype("int32") if workload.classes else workload.y
        self.model = keras.Model(*network(workload.net))
        optimizer = keras.optimizers.SGD(0.1) if workload.net == "linreg" else keras.optimizers.Adam(1e-3)
        self.model.compile(
            optimizer,
            "sparse_categorical_crossentropy" if workload.classes else "mse",
            steps_per_execution=min(32, len(self.x)) if form == "fit" else 1,
        )
        optimizer.build(self.model.trainable_variables)
        self.initial = [value.numpy() for value in self.variables()]
        self.next = 0
        self.last = None

    def variables(self):
        return [*self.model.variables, *self.model.optimizer.variables]

    def fresh(self):
        for variable, value in zip(self.variables(), self.initial):
            variable.assign(value)

    def steps(self, steps):
        if self.form == "fit" and self.workload.train:
            flat = lambda a: a.reshape(-1, *a.shape[2:])
            epochs = -(-steps // len(self.x))
            settings = {"batch_size": self.workload.batch, "shuffle": False, "verbose": 0}
            history = self.model.fit(flat(self.x), flat(self.y), epochs=epochs, **settings)
            self.last = history.history["loss"][-1]
            return epochs * len(self.x)
        for _ in range(steps):
            if self.workload.train:
                self.last = self.model.train_on_batch(self.x[self.next], self.y[self.next])
            else:
                self.model.predict_on_batch(self.x[self.next])
            self.next = (self.next + 1) % len(self.x)
        return steps

    def loss(self):
        return self.last if self.workload.train else None


def make(form, workload, _):
    keras.utils.clear_session()
    keras.utils.set_random_seed(0)
    return Keras(form, workload)


if __name__ == "__main__":
    turns.serve(keras.__version__, make)
