#!/usr/bin/env python3
"""Writes the files of this folder: small networks as other tools export them, each with an input and what the tool
itself makes of it.

Needs torch, onnxscript, scikit-learn, skl2onnx and onnx. In: nothing; out: NAME.onnx and NAME.txt, lines of inputs
(x) and outputs (y) of a batch of 2.
"""

import pathlib
import sys

import numpy as np
import onnx
import torch
from torch import nn

FOLDER = pathlib.Path(__file__).parent
BATCH = 2


def lines(path, arrays):
    def line(key, array):
        return key + " " + " ".join(str(np.float32(x)) for x in np.asarray(array, dtype=np.float32).ravel())

    path.write_text("".join(line(key, array) + "\n" for key, array in arrays))


def from_torch(name, model, *shapes, dynamo=True, ids=None):
    torch.manual_seed(7)
    for parameter in model.parameters():
        nn.init.uniform_(parameter, -0.5, 0.5)
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    model.eval()
    # Two digits, so that the files stay small.
    x = tuple(torch.randint(0, ids, (BATCH, *shape)) if ids else torch.randn(BATCH, *shape).round(decimals=1) for shape in shapes)
    path = FOLDER / f"{name}.onnx"
    if dynamo:
        batch = torch.export.Dim("batch")
        program = torch.onnx.export(model, x, dynamo=True, dynamic_shapes=tuple({0: batch} for _ in x), verbose=False)
        program.save(path, external_data=False)
    else:
        names = [f"x{i}" for i in range(len(x))]
        torch.onnx.export(
            model, x, path, dynamo=False, input_names=names, dynamic_axes={n: {0: "batch"} for n in names}, opset_version=17
        )
    y = model(*x)
    y = y if isinstance(y, tuple) else (y,)
    # Both exporters' files are of one network.
    answers = FOLDER / f"{name.removesuffix('_script')}.txt"
    lines(answers, [("x", a.numpy()) for a in x] + [("y", a.detach().numpy()) for a in y])
    # What the exporter says of its source is of no use here, and larger than the rest.
    strip(path)


def strip(path):
    model = onnx.load(path)
    for node in model.graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    for function in list(model.functions):
        model.functions.remove(function)
    model.graph.ClearField("value_info")
    model.graph.ClearField("metadata_props")
    model.ClearField("metadata_props")
    onnx.save(model, path)


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 5, padding=2)
        self.conv2 = nn.Conv2d(4, 4, 5)
        self.fc1 = nn.Linear(4 * 5 * 5, 8)
        self.fc2 = nn.Linear(8, 8)
        self.fc3 = nn.Linear(8, 10)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x):
        x = self.pool(torch.relu(self.conv1(x)))
        x = self.pool(torch.relu(self.conv2(x)))
        x = torch.relu(self.fc1(x.flatten(1)))
        return self.fc3(torch.relu(self.fc2(x)))


class Residual(nn.Module):
    def __init__(self, norm=True):
        super().__init__()
        self.stem = nn.Conv2d(2, 6, 3, stride=2, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(6)
        self.depthwise = nn.Conv2d(6, 6, 3, padding=1, groups=6)
        self.pointwise = nn.Conv2d(6, 6, 1)
        self.norm = nn.GroupNorm(2, 6)
        self.up = nn.ConvTranspose2d(6, 4, 2, stride=2)
        self.head = nn.Linear(4, 3)

    def forward(self, x):
        x = nn.functional.silu(self.bn(self.stem(x)))
        y = self.pointwise(nn.functional.gelu(self.depthwise(x)))
        x = nn.functional.hardswish(self.norm(x + y))
        x = nn.functional.leaky_relu(self.up(x), 0.2)
        return torch.softmax(self.head(x.mean(dim=(2, 3))), -1)


class Text(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(11, 6)
        self.lstm = nn.LSTM(6, 5, batch_first=True, bidirectional=True)
        self.gru = nn.GRU(10, 4, batch_first=True)
        self.norm = nn.LayerNorm(4)
        self.head = nn.Linear(4, 3)

    def forward(self, ids):
        x, _ = self.lstm(self.embed(ids))
        x, _ = self.gru(x)
        return self.head(self.norm(x[:, -1]))


class Steps(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(3, 6, 3, padding=1)
        self.deep = nn.Conv1d(6, 6, 3, dilation=2, padding=2)
        self.each = nn.Linear(6, 4)
        self.plain = nn.Linear(4, 4, bias=False)

    def forward(self, x):
        x = torch.relu(self.conv(x))
        x = x + torch.tanh(self.deep(x))
        x = self.each(x.transpose(1, 2))
        return self.plain(nn.functional.elu(x)).mean(1)


class Actor(nn.Module):
    """A policy with its normaliser, as libraries of reinforcement learning write it."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.5, -1.0, 2.0, 0.0]))
        self.register_buffer("std", torch.tensor([1.5, 0.5, 2.0, 1.0]))
        self.net = nn.Sequential(nn.Linear(4, 8), nn.ELU(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 2))

    def forward(self, x):
        x = torch.clamp((x - self.mean) / (self.std + 1e-2), -5.0, 5.0)
        return torch.tanh(self.net(x))


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.both = nn.Linear(4, 4)
        self.head = nn.Linear(8, 2)

    def forward(self, a, b):
        return self.head(torch.cat([self.both(a), torch.sigmoid(self.both(b))], 1)), a * b


class Borders(nn.Module):
    """Borders that are no zeros, pools whose last window reaches beyond the end, images of another size."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(2, 3, 3, padding=1, padding_mode="reflect")
        self.pools = nn.Sequential(nn.MaxPool2d(3, 2, 1, ceil_mode=True), nn.MaxPool2d(2, 1, dilation=2), nn.AvgPool2d(2, 2, ceil_mode=True))
        self.larger = nn.Upsample(size=(7, 5), mode="bilinear", align_corners=True)
        self.edge = nn.ReplicationPad2d((1, 0, 2, 1))
        self.other = nn.Upsample(size=(5, 9), mode="bilinear")
        self.head = nn.Linear(135, 3)

    def forward(self, x):
        return self.head(self.other(self.edge(self.larger(self.pools(self.stem(x))))).flatten(1))


class Encoder(nn.Module):
    """Attention, as exporters take it apart; a step sees itself and those before it."""

    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(4, 2, 6, batch_first=True, norm_first=True)

    def forward(self, x):
        return self.layer(x, src_mask=nn.Transformer.generate_square_subsequent_mask(x.shape[1]))


class Cross(nn.Module):
    """Attention of one sequence to another: rows of one matrix for the queries, the others for keys and values."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(3, 4)
        self.attn = nn.MultiheadAttention(4, 2, batch_first=True)
        self.head = nn.Linear(4, 2)

    def forward(self, x, memory):
        x = self.embed(x)
        return self.head(x + self.attn(x, memory, memory, need_weights=False)[0])


def scikit_learn():
    from skl2onnx import to_onnx
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    draw = np.random.default_rng(3)
    x = draw.normal(size=(60, 5)).astype(np.float32) * 2 + 1
    t = (x[:, 0] * 2 - x[:, 1] > 0).astype(int) + (x[:, 2] > 1)
    for name, model, target in [
        ("sklearn_regressor", MLPRegressor(hidden_layer_sizes=(6, 4), max_iter=60, random_state=1), x[:, 0] * 0.5 - x[:, 3]),
        ("sklearn_classifier", MLPClassifier(hidden_layer_sizes=(6,), activation="tanh", max_iter=60, random_state=1), t),
    ]:
        pipeline = make_pipeline(StandardScaler(), model).fit(x, target)
        options = {"zipmap": False} if "classifier" in name else None
        path = FOLDER / f"{name}.onnx"
        path.write_bytes(to_onnx(pipeline, x[:1], options=options).SerializeToString())
        y = pipeline.predict_proba(x[:BATCH]) if "classifier" in name else pipeline.predict(x[:BATCH])
        lines(path.with_suffix(".txt"), [("x", x[:BATCH]), ("y", y)])


def main():
    from_torch("torch_encoder", Encoder(), (5, 4))
    from_torch("torch_cross", Cross(), (5, 3), (4, 4))
    from_torch("torch_borders", Borders(), (2, 11, 12))
    from_torch("torch_borders_script", Borders(), (2, 11, 12), dynamo=False)
    from_torch("torch_lenet", LeNet(), (1, 28, 28))
    from_torch("torch_residual", Residual(), (2, 8, 8))
    from_torch("torch_residual_script", Residual(), (2, 8, 8), dynamo=False)
    from_torch("torch_text", Text(), (7,), ids=11)
    from_torch("torch_text_script", Text(), (7,), ids=11, dynamo=False)
    from_torch("torch_steps", Steps(), (3, 9))
    from_torch("torch_steps_script", Steps(), (3, 9), dynamo=False)
    from_torch("torch_actor", Actor(), (4,))
    from_torch("torch_shared", Shared(), (4,), (4,))
    scikit_learn()


if __name__ == "__main__":
    sys.exit(main())
