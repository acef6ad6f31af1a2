#!/usr/bin/env python3
"""Writes models of amplifiers of the published sizes, as Neural Amp Modeler exports them: NAME.nam, and NAME.txt with a signal (x) and
what its own model makes of it behind silence (y). The weights are those that training begins with.

Needs neural-amp-modeler 0.13.0 (with torch 2.15.0). In: a folder; out: the files.
"""

import json
import pathlib
import sys

import nam.train
import numpy as np
import torch
from nam.models.recurrent import LSTM
from nam.models.wavenet import WaveNet
from nam.models.wavenet._packed_wavenet import PackedWaveNet

SAMPLES = 4096
SHORT = [1, 2, 4, 8, 16, 32, 64]
LONG = [128, 256, 512]


def stack(width, channels, head, bias, dilations):
    return {
        "input_size": width,
        "condition_size": 1,
        "channels": channels,
        "head": {"out_channels": head, "kernel_size": 1, "bias": bias},
        "kernel_size": 3,
        "dilations": dilations,
        "activation": "Tanh",
    }


def a1(channels, first, second):
    half = channels // 2
    layers = [stack(1, channels, half, False, first), stack(channels, half, 1, True, second)]
    return WaveNet.init_from_config({"layers_configs": layers, "head_scale": 0.02})


def models():
    yield "standard", a1(16, SHORT + LONG, SHORT + LONG)
    yield "lite", a1(12, SHORT, LONG + SHORT + LONG)
    yield "feather", a1(8, SHORT, LONG + SHORT + LONG)
    yield "nano", a1(4, SHORT, LONG + SHORT + LONG)
    yield "lstm16", LSTM(hidden_size=16, num_layers=1)
    yield "lstm8x2", LSTM(hidden_size=8, num_layers=2)
    config = json.loads((pathlib.Path(nam.train.__file__).parent / "_resources/config_model_packed.json").read_text())
    yield "a2", PackedWaveNet.init_from_config(config["net"]["config"])


def main():
    folder = pathlib.Path(sys.argv[1])
    draw = np.random.default_rng(1)
    for seed, (name, model) in enumerate(models()):
        torch.manual_seed(seed)
        # As new weights are for training, an LSTM's output would be all bias.
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += 0.02 * torch.randn_like(parameter)
        model.eval()
        model.export(folder, basename=name)
        # The best of a container's models is what is imported.
        model = model.extract_submodel(model.num_submodels - 1).eval() if name == "a2" else model
        x = np.round(draw.normal(size=SAMPLES) * 0.3, 3).astype(np.float32)
        silent = torch.cat([torch.zeros(24_000), torch.from_numpy(x)])
        with torch.no_grad():
            y = model(silent[None], pad_start=True)[0, -SAMPLES:].numpy()
        lines = [key + " " + " ".join(str(value) for value in row) for key, row in (("x", x), ("y", y))]
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    sys.exit(main())
