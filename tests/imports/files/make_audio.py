#!/usr/bin/env python3
"""Writes `nam_NAME.nam` and `rtneural_NAME.json`: models of amplifiers as their trainers export them, with a signal (x) and what
the trainer's own model makes of it behind silence (y).

`nam` needs neural-amp-modeler 0.13.0 (with torch 2.15.0), `rtneural` keras 3.15.1 with jax 0.10.2: run the one that is
there by its name. In: a name; out: the files.
"""

import json
import pathlib
import sys

import numpy as np

FOLDER = pathlib.Path(__file__).parent
SAMPLES = 120


def line(key, array):
    return key + " " + " ".join(str(np.float32(value)) for value in np.ravel(array)) + "\n"


def short(value):
    """The same numbers of 32 bits in fewer digits."""
    if isinstance(value, list):
        return [short(one) for one in value]
    return float(str(np.float32(value)))


def signal(seed):
    draw = np.random.default_rng(seed)
    return np.round(draw.normal(size=SAMPLES) * 0.3, 2).astype(np.float32)


def nam():
    import torch
    from nam.models.recurrent import LSTM
    from nam.models.wavenet import WaveNet

    def stack(width, channels, head, bias, dilations, activation, kernel=3, head_kernel=1):
        return {
            "input_size": width,
            "condition_size": 1,
            "channels": channels,
            "head": {"out_channels": head, "kernel_size": head_kernel, "bias": bias},
            "kernel_size": kernel,
            "dilations": dilations,
            "activation": activation,
        }

    gated = {"name": "PairMultiply", "primary": "Tanh", "secondary": "Sigmoid"}
    models = {
        # As the standard architecture, with fewer channels and shorter.
        "wavenet": [stack(1, 4, 2, False, [1, 2, 4, 8], "Tanh"), stack(4, 2, 1, True, [8, 4, 1], "Tanh")],
        "gated": [stack(1, 3, 2, False, [1, 2, 4], gated, 2), stack(3, 2, 1, True, [3], "LeakyReLU", 3, 4)],
    }
    for seed, (name, stacks) in enumerate(models.items()):
        torch.manual_seed(seed)
        model = WaveNet.init_from_config({"layers_configs": stacks, "head_scale": 0.02})
        write_nam(name, model, seed)
    # The names that files of version 0.5 have: the same numbers.
    path = FOLDER / "nam_wavenet.nam"
    saved = json.loads(path.read_text())
    layers = [
        {
            "input_size": of["input_size"],
            "condition_size": 1,
            "head_size": of["head"]["out_channels"],
            "channels": of["channels"],
            "kernel_size": of["kernel_sizes"][0],
            "dilations": of["dilations"],
            "activation": "Tanh",
            "gated": False,
            "head_bias": of["head"]["bias"],
        }
        for of in saved["config"]["layers"]
    ]
    saved["version"], saved["config"]["layers"] = "0.5.4", layers
    path.write_text(json.dumps(saved))
    torch.manual_seed(7)
    write_nam("lstm", LSTM(hidden_size=3, num_layers=2), 7)


def write_nam(name, model, seed):
    import torch

    model.eval()
    model.export(FOLDER, basename=f"nam_{name}")
    path = FOLDER / f"nam_{name}.nam"
    saved = json.loads(path.read_text())
    saved.pop("metadata")
    saved["weights"] = short(saved["weights"])
    path.write_text(json.dumps(saved))
    x = signal(seed)
    # Half a second of silence first, as the plugin has it.
    silent = torch.cat([torch.zeros(24_000), torch.from_numpy(x)])
    with torch.no_grad():
        y = model(silent[None], pad_start=True)[0, -SAMPLES:]
    (FOLDER / f"nam_{name}.txt").write_text(line("x", x) + line("y", y.numpy()))


def rtneural():
    """The layout that RTNeural's `model_utils.py` writes."""
    import keras
    from keras import layers

    kinds = {"Dense": "dense", "GRU": "gru", "LSTM": "lstm", "Conv1D": "conv1d", "BatchNormalization": "batchnorm", "PReLU": "prelu"}
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((SAMPLES, 1)),
            layers.Dense(4, activation="tanh"),
            layers.Conv1D(4, 3, dilation_rate=2, padding="causal", activation="relu"),
            layers.BatchNormalization(),
            layers.GRU(3, return_sequences=True),
            layers.PReLU(shared_axes=[1]),
            layers.LSTM(3, return_sequences=True),
            layers.Dense(1),
        ]
    )
    draw = np.random.default_rng(4)
    model.set_weights([abs(w + draw.uniform(size=w.shape) * 0.3) if w.ndim == 1 else w + draw.normal(size=w.shape) * 0.1 for w in model.get_weights()])
    written = []
    for layer in model.layers:
        of = {"type": kinds[type(layer).__name__], "activation": "", "shape": list(layer.output.shape)}
        if hasattr(layer, "activation"):
            name = layer.activation.__name__
            of["activation"] = "" if name == "linear" else name
        if isinstance(layer, layers.Conv1D):
            of |= {"kernel_size": list(layer.kernel_size), "dilation": list(layer.dilation_rate), "groups": 1}
        if isinstance(layer, layers.BatchNormalization):
            of["epsilon"] = layer.epsilon
        of["weights"] = [short(w.tolist()) for w in layer.get_weights()]
        written.append(of)
    (FOLDER / "rtneural_chain.json").write_text(json.dumps({"in_shape": [None, SAMPLES, 1], "layers": written}))
    x = signal(9)
    y = model.predict_on_batch(x[None, :, None])
    (FOLDER / "rtneural_chain.txt").write_text(line("x", x) + line("y", y))


if __name__ == "__main__":
    {"nam": nam, "rtneural": rtneural}[sys.argv[1]]()
