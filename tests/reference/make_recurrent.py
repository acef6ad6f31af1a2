"""Writes rnn.json, rnn_relu.json, gru.json, gru_reset_first.json and lstm.json beside this file: what PyTorch answers for the recurrent layers.

Comes in: nothing, each case seeds the generator from its own name. Goes out: one JSON file per layer.
`gru_reset_first`, which PyTorch lacks, is Keras's GRU with reset_after=False, written out.
Outputs are `[batch, steps, units]`, or `[batch, units]` of the last step; with lengths the sequences are packed, and padded again.
"""

import math

import torch
from torch import nn

from common import File, randn



class ResetFirst(nn.GRU):
    """Cho et al., 2014, as Keras computes it: the state goes through the reset gate before its product. Padding is not run."""

    def way(self, x, counts, suffix, back):
        w, u, b, d = [getattr(self, f"{k}_l0{suffix}", None) for k in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        nothing = w.new_zeros(w.shape[0])
        b, d = (nothing, nothing) if b is None else (b, d)
        (ur, uz, un), (dr, dz, dn) = u.chunk(3), d.chunk(3)
        h, all = x.new_zeros(x.shape[0], self.hidden_size), [None] * x.shape[1]
        for s in reversed(range(x.shape[1])) if back else range(x.shape[1]):
            xr, xz, xn = (x[:, s] @ w.T + b).chunk(3, dim=-1)
            r, z = torch.sigmoid(xr + h @ ur.T + dr), torch.sigmoid(xz + h @ uz.T + dz)
            n = torch.tanh(xn + (r * h) @ un.T + dn)
            there = counts[:, s, None]
            h = torch.where(there, (1 - z) * n + z * h, h)
            all[s] = torch.where(there, h, torch.zeros_like(h))
        return torch.stack(all, dim=1), h

    def forward(self, x):
        packed = isinstance(x, nn.utils.rnn.PackedSequence)
        steps = self.steps if packed else x.shape[1]
        counts = torch.ones(x.batch_sizes[0] if packed else x.shape[0], steps, dtype=torch.bool)
        if packed:
            x, lengths = nn.utils.rnn.pad_packed_sequence(x, batch_first=True, total_length=steps)
            counts = torch.arange(steps)[None, :] < lengths[:, None]
        ways = [self.way(x, counts, way, bool(way)) for way in ["", "_reverse"][: 1 + self.bidirectional]]
        y, h = torch.cat([y for y, _ in ways], dim=-1), torch.stack([h for _, h in ways])
        if packed:
            y = nn.utils.rnn.pack_padded_sequence(y, lengths, batch_first=True, enforce_sorted=False)
        return y, h


LAYERS = {"rnn": nn.RNN, "rnn_relu": lambda *args, **more: nn.RNN(*args, nonlinearity="relu", **more), "gru": nn.GRU, "gru_reset_first": ResetFirst, "lstm": nn.LSTM}
# Batch, steps, features, units, direction, last, bias, lengths per sample or none.
CASES = [
    (1, 1, 1, 1, "forward", 0, 1, None),
    (3, 3, 5, 7, "forward", 0, 1, None),
    (3, 3, 5, 7, "forward", 1, 1, None),
    (3, 4, 1, 17, "forward", 0, 1, None),
    (2, 5, 3, 1, "both", 0, 1, None),
    (3, 3, 5, 7, "both", 0, 1, None),
    (3, 3, 5, 7, "both", 1, 1, None),
    (2, 4, 2, 5, "backward", 0, 1, None),
    (2, 4, 2, 5, "backward", 1, 1, None),
    (3, 3, 2, 5, "forward", 0, 0, None),
    (2, 3, 2, 5, "both", 0, 0, None),
    (3, 5, 2, 3, "forward", 0, 1, (5, 1, 3)),
    (3, 5, 2, 3, "forward", 1, 1, (2, 5, 4)),
    (3, 5, 2, 3, "both", 0, 1, (5, 1, 3)),
    (3, 5, 2, 3, "both", 1, 1, (2, 5, 4)),
    (2, 4, 3, 2, "backward", 1, 1, (3, 2)),
]


def plain(name):
    """PyTorch's name of a parameter without the number of its layer, which is always the first."""
    return name.replace("_l0", "")


def answer(module, direction, last, lengths):
    """The function that `File.add` asks. PyTorch has no way backward alone: it is one half of both, whose other half nobody sees."""

    def run(x, p):
        units = module.hidden_size
        if direction == "backward":
            there = {f"{k}_reverse": v for k, v in p.items()}
            p = there | {k: torch.zeros_like(v) for k, v in p.items()}
        p = {k.replace("_reverse", "_l0_reverse") if k.endswith("_reverse") else f"{k}_l0": v for k, v in p.items()}
        x = x[0]
        steps = x.shape[1]
        if lengths:
            x = nn.utils.rnn.pack_padded_sequence(x, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
        y, h = torch.func.functional_call(module, p, (x,))
        h = h[0] if isinstance(h, tuple) else h
        if lengths:
            y, _ = nn.utils.rnn.pad_packed_sequence(y, batch_first=True, total_length=steps)
        if last:
            return h[-1] if direction == "backward" else torch.cat(list(h), dim=-1)
        return y[..., units:] if direction == "backward" else y

    return run


def layer(name):
    file = File(name, digits=8)
    for batch, steps, features, units, direction, last, bias, lengths in CASES:
        words = [direction] + ["last"] * last + ["no_bias"] * (1 - bias) + ["lengths"] * bool(lengths)
        file.begin_batch(batch, f"{steps}x{features}to{units}", *words)
        module = LAYERS[name](features, units, bias=bool(bias), batch_first=True, bidirectional=direction != "forward")
        module.steps = steps
        shapes = {plain(k): v.shape for k, v in module.named_parameters()}
        params = {k: randn(*s, scale=0.5 / math.sqrt(units), digits=3) for k, s in shapes.items()}
        if direction == "backward":
            params = {k: v for k, v in params.items() if not k.endswith("_reverse")}
        settings = {"units": units, "direction": direction, "last": last, "bias": bias}
        case = file.add(settings, answer(module, direction, last, lengths), [randn(batch, steps, features, digits=3)], params)
        if lengths:
            case["inputs"].append((torch.arange(steps)[None, :] < torch.tensor(lengths)[:, None]).float())
    return file


def main():
    torch.set_num_threads(1)
    print(sum(layer(name).write() for name in LAYERS), "bytes")


if __name__ == "__main__":
    main()
