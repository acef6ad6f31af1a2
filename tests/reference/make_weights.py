"""Weight files as PyTorch writes them, and what its modules compute with them.

Writes weights/NAME.safetensors for each module and weights/answers.json: inputs, and outputs in evaluation mode, [batch, ...].
Needs torch and safetensors (`pip install torch safetensors`); torch 2.15.0, safetensors 0.8.0 wrote what is there.
"""

import json
import pathlib

import torch
from safetensors.torch import save_file, save_model
from torch import nn

FOLDER = pathlib.Path(__file__).resolve().parent / "weights"


class Pixels(nn.Module):
    """Convolutions of every kind, and both norms of channels."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 4, 3, padding=1, bias=False)
        self.batch = nn.BatchNorm2d(4)
        self.depth = nn.Conv2d(4, 8, 3, groups=4)
        self.group = nn.GroupNorm(2, 8)
        self.wide = nn.Conv2d(8, 4, 2, dilation=2)
        self.up = nn.ConvTranspose2d(4, 3, 2, stride=2)
        self.act = nn.PReLU()

    def forward(self, x):
        x = torch.relu(self.batch(self.conv(x)))
        return self.act(self.up(self.wide(self.group(self.depth(x)))))


class Steps(nn.Module):
    """Two recurrent layers, one of both directions."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(4, 4, num_layers=2, batch_first=True)
        self.gru = nn.GRU(4, 3, batch_first=True, bidirectional=True)
        self.head = nn.Linear(6, 2)

    def forward(self, x):
        return self.head(self.gru(self.lstm(x)[0])[0])


class Words(nn.Module):
    """An embedding, attention to itself, a norm."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(11, 8)
        self.norm = nn.LayerNorm(8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        x = self.words(x.long())
        y = self.norm(x)
        return self.head(x + self.attention(y, y, y, need_weights=False)[0])


class Policy(nn.Module):
    """An actor and a critic, and the actor alone is wanted."""

    def __init__(self):
        super().__init__()
        self.actor = nn.Sequential(nn.Linear(5, 8), nn.ELU(), nn.Linear(8, 8), nn.ELU(), nn.Linear(8, 2))
        self.critic = nn.Sequential(nn.Linear(5, 8), nn.ELU(), nn.Linear(8, 1))
        self.log_std = nn.Parameter(torch.zeros(2))

    def forward(self, x):
        return self.actor(x)


class Inner(nn.Module):
    def __init__(self):
        super().__init__()
        self.lin = nn.Linear(4, 4)
        self.norm = nn.BatchNorm1d(4)

    def forward(self, x):
        return torch.tanh(self.norm(self.lin(x)))


class Mid(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = Inner()
        self.mix = nn.Linear(4, 4, bias=False)

    def forward(self, x):
        return self.mix(self.inner(x))


class Blocks(nn.Module):
    """Modules within modules: one that is called twice, and two of a kind with others within."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(3, 4)
        self.twice = Inner()
        self.body = nn.ModuleList([Mid(), Mid()])
        self.out = nn.Linear(4, 2)

    def forward(self, x):
        x = self.twice(self.twice(self.stem(x)))
        for mid in self.body:
            x = mid(x)
        return self.out(x)


def settle(module, x):
    """Statistics and parameters that are not those of a new module."""
    module.train()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
        for _ in range(3):
            module(x)
    return module.eval()


def main():
    FOLDER.mkdir(exist_ok=True)
    answers = {}

    def write(name, module, x, dtype=None):
        module = settle(module, x)
        state = module.state_dict()
        if dtype is not None:
            # What is saved in few bits is what the answer is of.
            module.load_state_dict({k: v.to(dtype).to(v.dtype) for k, v in state.items()})
            state = {k: v.to(dtype) if v.is_floating_point() else v for k, v in state.items()}
        save_file({k: v.contiguous() for k, v in state.items()}, FOLDER / f"{name}.safetensors")
        with torch.no_grad():
            y = module.double()(x.double())
        answers[name] = {"input": x.flatten().tolist(), "output": [float(f"{v:.9g}") for v in y.flatten().tolist()]}

    torch.manual_seed(1)
    tabular = nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
    write("sequential", tabular, torch.randn(4, 5))
    write("pixels", Pixels(), torch.randn(2, 2, 6, 6))
    write("steps", Steps(), torch.randn(2, 5, 4))
    write("words", Words(), torch.randint(0, 11, (2, 6)).float())
    write("policy", Policy(), torch.randn(3, 5))
    write("half", nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 3)), torch.randn(3, 5), torch.float16)
    write("brain", nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 3)), torch.randn(3, 5), torch.bfloat16)
    # As a compiled, data-parallel module saves itself, in double precision.
    double = settle(nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 3)), torch.randn(3, 5)).double()
    save_file({f"_orig_mod.module.{k}": v for k, v in double.state_dict().items()}, FOLDER / "double.safetensors")
    x = torch.randn(3, 5)
    with torch.no_grad():
        y = double(x.double())
    answers["double"] = {"input": x.flatten().tolist(), "output": [float(f"{v:.9g}") for v in y.flatten().tolist()]}
    # Two layers that are one: `save_model` writes it once.
    tied = nn.Module()
    tied.one = nn.Linear(4, 4)
    tied.two = nn.Linear(4, 4)
    tied.two.weight = tied.one.weight
    save_model(tied, str(FOLDER / "tied.safetensors"))
    x = torch.randn(3, 4)
    with torch.no_grad():
        y = tied.double().two(torch.tanh(tied.one(x.double())))
    answers["tied"] = {"input": x.flatten().tolist(), "output": [float(f"{v:.9g}") for v in y.flatten().tolist()]}
    write("blocks", Blocks(), torch.randn(3, 3))
    (FOLDER / "answers.json").write_text(json.dumps(answers) + "\n")


main()
