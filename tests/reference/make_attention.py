"""Writes embedding, positional_encoding, attention, attention_general and transformer .json beside this file: what PyTorch answers for the layers of sequences
that are not recurrent, and for the blocks made of them.

Comes in: nothing, each case seeds the generator from its own name. Goes out: one JSON file per subject.
Inputs are exact as float32, answers are computed from them in float64. No test needs this script to run.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from common import File, draw, few


def embedding():
    file = File("embedding", few, digits=8)
    for batch, steps, vocabulary, features, padding in [(1, 1, 1, 1, -1), (3, 5, 7, 6, -1), (2, 9, 4, 15, -1), (3, 7, 40, 3, -1), (3, 5, 7, 6, 2), (2, 9, 4, 17, 0)]:
        file.begin_batch(batch, f"{steps}steps", f"{vocabulary}to{features}" + (f"_padding{padding}" if padding >= 0 else ""))
        ids = torch.randint(vocabulary, (batch, steps))
        if padding >= 0:
            ids[:, -2:] = padding
        settings = {"vocabulary": vocabulary, "features": features, "padding": padding}

        def fn(x, p):
            return F.embedding(x[0], p["weight"], padding_idx=padding if padding >= 0 else None)

        # Where a row has no gradient, differences see one all the same.
        file.add(settings, fn, [ids], {"weight": few(vocabulary, features)}, wrt=0, smooth=padding < 0)
    return file


def positional_encoding():
    """The sum as PyTorch's tutorial writes it, in float64."""
    file = File("positional_encoding", few, digits=8)
    for batch, steps, features in [(1, 1, 1), (3, 5, 6), (2, 9, 7), (1, 700, 3)]:
        file.begin_batch(batch, f"{steps}x{features}")
        place = torch.arange(steps, dtype=torch.float64)[:, None]
        rate = torch.exp(torch.arange(0, features, 2, dtype=torch.float64) * (-np.log(10000.0) / features))
        table = torch.zeros(steps, features, dtype=torch.float64)
        table[:, 0::2] = torch.sin(place * rate)
        table[:, 1::2] = torch.cos(place * rate)[:, : features // 2]
        file.add({}, lambda x, p: x[0] + table.to(x[0].dtype), [few(batch, steps, features)])
    return file


def padded(batch, keys):
    """A step is 1; every sample has at least its first one, and not all have the last."""
    lengths = torch.randint(1, keys, (batch,))
    return (torch.arange(keys) < lengths[:, None]).float()


def hide(mask):
    return None if mask is None else mask == 0


def hide_future(steps, keys):
    return torch.triu(torch.ones(steps, keys, dtype=torch.bool), diagonal=1)


def attention():
    file = File("attention", few, digits=8)
    cases = [
        # batch, steps, keys (0: self), features, heads, causal, masked, bias
        (1, 1, 0, 1, 1, 0, 0, 1), (3, 5, 0, 6, 1, 0, 0, 1), (3, 5, 0, 6, 2, 0, 0, 1), (3, 5, 0, 6, 3, 0, 0, 1), (3, 5, 0, 6, 2, 0, 0, 0),
        (3, 5, 0, 6, 2, 1, 0, 1), (3, 5, 0, 6, 3, 0, 1, 1), (2, 7, 0, 6, 2, 1, 1, 1), (1, 19, 0, 6, 2, 1, 0, 1), (1, 35, 0, 4, 2, 0, 1, 0),
        (3, 5, 7, 6, 2, 0, 0, 1), (3, 5, 4, 6, 3, 0, 1, 1), (2, 5, 7, 6, 1, 0, 1, 0), (2, 5, 7, 6, 2, 1, 0, 1),
        (2, 5, 0, 15, 3, 0, 1, 1), (2, 4, 3, 15, 5, 0, 0, 0),
    ]  # fmt: skip
    for batch, steps, keys, features, heads, causal, masked, bias in cases:
        cross, keys = keys > 0, keys or steps
        words = ["cross" if cross else "self", *(word for word, on in [("causal", causal), ("masked", masked), ("plain", not bias)] if on)]
        file.begin_batch(batch, f"{steps}to{keys}x{features}", f"heads{heads}", *words)
        module = nn.MultiheadAttention(features, heads, bias=bool(bias), batch_first=True)
        future = hide_future(steps, keys) if causal else None
        inputs = [few(batch, steps, features), *([few(batch, keys, features)] if cross else [])]
        wrt = len(inputs)
        mask = padded(batch, keys) if masked else None

        def fn(x, p):
            memory = x[1] if cross else x[0]
            options = {"need_weights": False, "attn_mask": future, "key_padding_mask": hide(mask)}
            return torch.func.functional_call(module, p, (x[0], memory, memory), options)[0]

        settings = {"heads": heads, "causal": causal, "masked": masked, "cross": int(cross), "bias": bias}
        file.add(settings, fn, [*inputs, *([mask] if masked else [])], draw(module), wrt=wrt)
    return file


def general():
    """Attention with its own mask (1: seen), with numbers added to the scores, values of their own, and the mean weights as an output."""
    file = File("attention_general", few, digits=8)
    cases = [
        # batch, steps, keys (0: self), features, heads, causal, padded, bias, values, allowed, added (1: each, 2: each of each head), weights
        (1, 1, 0, 1, 1, 0, 0, 1, 0, 0, 1, 1), (3, 5, 0, 6, 2, 0, 0, 1, 0, 1, 0, 0), (2, 5, 0, 6, 3, 0, 0, 1, 0, 2, 2, 1),
        (2, 4, 7, 6, 2, 0, 1, 1, 0, 0, 2, 0), (2, 3, 4, 6, 1, 0, 0, 0, 1, 0, 0, 0), (2, 4, 7, 10, 2, 0, 1, 1, 1, 1, 1, 1),
        (2, 7, 0, 6, 2, 1, 1, 1, 0, 0, 1, 1), (1, 3, 35, 17, 1, 0, 0, 1, 1, 2, 1, 1), (2, 5, 0, 15, 5, 0, 1, 0, 0, 1, 0, 1),
        (1, 2, 3, 18, 2, 0, 0, 1, 1, 0, 0, 1),
    ]  # fmt: skip
    for batch, steps, keys, features, heads, causal, masked, bias, values, allowed, added, weights in cases:
        cross, keys = keys > 0, keys or steps
        words = [word for word, on in [("causal", causal), ("masked", masked), ("plain", not bias), ("values", values), (f"allowed{allowed}", allowed), (f"added{added}", added), ("weights", weights)] if on]
        file.begin_batch(batch, f"{steps}to{keys}x{features}", f"heads{heads}", *words)
        module = nn.MultiheadAttention(features, heads, bias=bool(bias), batch_first=True)
        inputs = [few(batch, steps, features)] + [few(batch, keys, features) for _ in range(cross + values)]
        each = lambda kind: (batch, heads, steps, keys) if kind == 2 else (batch, steps, keys)
        inputs += [few(*each(added))] if added else []
        seen = (torch.rand(*each(allowed)) < 0.6).float() if allowed else None
        if allowed:
            seen[..., 0] = 1.0
        mask = padded(batch, keys) if masked else None

        def fn(x, p):
            bias = torch.zeros(batch, heads, steps, keys, dtype=x[0].dtype)
            of = lambda t: t if t.dim() == 4 else t[:, None]
            if added:
                bias = bias + of(x[-1])
            if allowed:
                bias = bias.masked_fill(of(seen) == 0, float("-inf"))
            if causal:
                bias = bias.masked_fill(hide_future(steps, keys), float("-inf"))
            memory = x[1] if cross else x[0]
            hidden = None if mask is None else torch.zeros(batch, keys, dtype=x[0].dtype).masked_fill(hide(mask), float("-inf"))
            options = {"need_weights": bool(weights), "attn_mask": bias.reshape(batch * heads, steps, keys), "key_padding_mask": hidden}
            y, told = torch.func.functional_call(module, p, (x[0], memory, x[2] if values else memory), options)
            return (y, told) if weights else y

        settings = {"heads": heads, "causal": causal, "bias": bias, "values": values, "allowed": allowed, "added": added, "weights": weights, "masked": masked}
        # Scores of wide rows would be too large for float32.
        params = {k: few(*v.shape, scale=0.5 if features < 16 else 0.15) for k, v in module.named_parameters()}
        case = file.add(settings, fn, inputs, params)
        if allowed:
            case["inputs"].insert(1 + cross + values, seen)
        if masked:
            case["inputs"].append(mask)
    return file


def transformer():
    file = File("transformer", few, digits=8)
    for name, first, activation in [("encoder_pre", True, "gelu"), ("encoder_post", False, "relu"), ("decoder_post", False, "gelu"), ("decoder_pre", True, "relu")]:
        file.begin(name)
        decodes = name.startswith("decoder")
        kind = nn.TransformerDecoderLayer if decodes else nn.TransformerEncoderLayer
        module = kind(6, 2, dim_feedforward=7, dropout=0.0, activation=activation, norm_first=first, batch_first=True)
        inputs = [few(3, 5, 6), few(3, 4, 6)] if decodes else [few(3, 5, 6)]
        future = hide_future(5, 5)

        def fn(x, p):
            return torch.func.functional_call(module, p, tuple(x), {"tgt_mask": future} if decodes else {})

        file.add({"heads": 2}, fn, inputs, draw(module), smooth=activation == "gelu")
    return file


def main():
    torch.set_num_threads(1)  # one order of summation, whatever the machine
    total = sum(file.write() for file in [embedding(), positional_encoding(), attention(), general(), transformer()])
    print(f"{total} bytes, torch {torch.__version__}, numpy {np.__version__}")


if __name__ == "__main__":
    main()
