"""Writes recurrent_states.json, recurrent_projection.json and stateful.json beside this file: recurrent layers between states, and training that carries them.

Comes in: nothing, each case seeds the generator from its own name. Goes out: of `recurrent_states` the outputs of all steps (or of the
last), then the state after the last step, for a state that comes in; states are `[batch, ways * units]`, the way forward first. Of
`recurrent_projection` the same for LSTMs with `proj_size`, with and without a state that comes in. Of
`stateful` the parameters after windows that follow each other, the state detached between them, and the loss of each window.
"""

import math

import torch
from torch import nn

from common import File, randn
from make_recurrent import LAYERS, plain

# Steps, features, units, direction, last, lengths per sample or none.
CASES = [
    (1, 1, 1, "forward", 0, None),
    (3, 5, 7, "forward", 0, None),
    (4, 2, 17, "forward", 1, None),
    (3, 2, 5, "backward", 0, None),
    (3, 2, 5, "both", 0, None),
    (4, 3, 3, "both", 1, None),
    (5, 2, 3, "forward", 0, (5, 1, 3)),
    (5, 2, 4, "both", 1, (2, 5, 4)),
]


def answer(module, direction, last, lengths):
    def run(x, p):
        ways = 2 if direction == "both" else 1
        sizes = [module.proj_size or module.hidden_size, module.hidden_size]
        p = {k.replace("_reverse", "_l0_reverse") if k.endswith("_reverse") else f"{k}_l0": v for k, v in p.items()}
        x, states = x[0], [s.reshape(-1, ways, n).transpose(0, 1).contiguous() for s, n in zip(x[1:], sizes)]
        steps = x.shape[1]
        if direction == "backward":
            x = x.flip(1)
        if lengths:
            x = nn.utils.rnn.pack_padded_sequence(x, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
        y, after = torch.func.functional_call(module, p, (x, (states[0] if len(states) == 1 else tuple(states)) if states else None))
        after = after if isinstance(after, tuple) else (after,)
        if lengths:
            y, _ = nn.utils.rnn.pad_packed_sequence(y, batch_first=True, total_length=steps)
        if direction == "backward":
            y = y.flip(1)
        after = [s.transpose(0, 1).reshape(-1, ways * n) for s, n in zip(after, sizes)]
        return (after[0] if last else y, *after)

    return run


def states():
    file = File("recurrent_states", digits=8)
    # PyTorch has no reset before the product.
    for name, make in ((k, v) for k, v in LAYERS.items() if k != "gru_reset_first"):
        for steps, features, units, direction, last, lengths in CASES:
            file.begin("_".join([name, f"{steps}x{features}to{units}", direction] + ["last"] * last + ["lengths"] * bool(lengths)))
            module = make(features, units, batch_first=True, bidirectional=direction == "both")
            shapes = {plain(k): v.shape for k, v in module.named_parameters()}
            params = {k: randn(*s, scale=0.5 / math.sqrt(units), digits=3) for k, s in shapes.items()}
            width = units * (2 if direction == "both" else 1)
            inputs = [randn(3, steps, features, digits=3)] + [randn(3, width, digits=3) for _ in range(2 if name == "lstm" else 1)]
            settings = {"layer": name, "units": units, "direction": direction, "last": last}
            case = file.add(settings, answer(module, direction, last, lengths), inputs, params)
            if lengths:
                case["inputs"].append((torch.arange(steps)[None, :] < torch.tensor(lengths)[:, None]).float())
    return file


# Steps, features, units, outputs, direction, last, bias, lengths per sample or none, whether a state comes in.
PROJECTIONS = [
    (1, 1, 2, 1, "forward", 0, 1, None, 1),
    (3, 5, 7, 3, "forward", 0, 1, None, 0),
    (2, 2, 17, 3, "forward", 1, 1, None, 1),
    (3, 2, 5, 2, "backward", 0, 1, None, 1),
    (2, 1, 18, 17, "both", 0, 0, None, 0),
    (4, 3, 3, 1, "both", 1, 0, None, 1),
    (5, 2, 3, 2, "forward", 0, 1, (5, 1, 3), 1),
    (5, 2, 4, 3, "both", 1, 0, (2, 5, 4), 0),
    (3, 17, 5, 2, "both", 0, 0, None, 1),
]


def projections():
    file = File("recurrent_projection", digits=8)
    for steps, features, units, outputs, direction, last, bias, lengths, state in PROJECTIONS:
        words = ["last"] * last + ["lengths"] * bool(lengths) + ["state"] * state
        file.begin("_".join([f"{steps}x{features}to{units}to{outputs}", direction] + words))
        module = nn.LSTM(features, units, batch_first=True, bidirectional=direction == "both", proj_size=outputs, bias=bool(bias))
        shapes = {plain(k): v.shape for k, v in module.named_parameters()}
        params = {k: randn(*s, scale=0.7 / math.sqrt(units), digits=3) for k, s in shapes.items()}
        ways = 2 if direction == "both" else 1
        states = [randn(3, ways * n, digits=3) for n in (outputs, units)] if state else []
        settings = {"units": units, "outputs": outputs, "direction": direction, "last": last, "bias": bias}
        case = file.add(settings, answer(module, direction, last, lengths), [randn(3, steps, features, digits=3)] + states, params)
        if lengths:
            case["inputs"].append((torch.arange(steps)[None, :] < torch.tensor(lengths)[:, None]).float())
    return file


def projected(features, units, **more):
    return nn.LSTM(features, 2 * units, proj_size=units, **more)


class Net(nn.Module):
    """Two recurrent layers and an output for each step."""

    def __init__(self, first, second, features, units):
        super().__init__()
        self.first, self.second, self.head = first(features, units, batch_first=True), second(units, 3, batch_first=True), nn.Linear(3, 2)

    def forward(self, x, states):
        y, a = self.first(x, states and states[0])
        y, b = self.second(y, states and states[1])
        detach = lambda s: tuple(t.detach() for t in s) if isinstance(s, tuple) else s.detach()
        return self.head(y), [detach(a), detach(b)]


def stateful():
    file, windows, batch, steps, features, units = File("stateful", digits=9), 4, 3, 5, 2, 6
    for name, kinds in {"lstm_gru": (nn.LSTM, nn.GRU), "gru_rnn": (nn.GRU, nn.RNN), "projected_gru": (projected, nn.GRU)}.items():
        file.begin(name)
        net = Net(*kinds, features, units)
        begins = {k: randn(*v.shape, scale=0.4, digits=3) for k, v in net.named_parameters()}
        xs = [randn(batch, steps, features, digits=3) for _ in range(windows)]
        ts = [randn(batch, steps, 2, digits=3) for _ in range(windows)]

        def train(dtype):
            model = Net(*kinds, features, units).to(dtype)
            model.load_state_dict({k: v.to(dtype) for k, v in begins.items()})
            optimizer, states, losses = torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.5), None, []
            for x, t in zip(xs, ts):
                y, states = model(x.to(dtype), states)
                loss = ((y - t.to(dtype)) ** 2).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.detach())
            return torch.stack(losses), {k: v.detach() for k, v in model.named_parameters()}

        losses, ends = train(torch.float64)
        losses32, ends32 = train(torch.float32)
        file.accept(max(torch.linalg.norm(ends32[k].double() - v).item() / torch.linalg.norm(v).item() for k, v in ends.items()))
        file.cases.append({"name": name, "settings": {"lr": 0.3, "momentum": 0.5}, "inputs": xs + ts, "params": begins, "output": losses, "dparams": ends})
    return file


def main():
    torch.set_num_threads(1)
    print(states().write() + projections().write() + stateful().write(), "bytes")


if __name__ == "__main__":
    main()
