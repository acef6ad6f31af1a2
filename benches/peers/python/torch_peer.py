"""PyTorch on one thread: eager with its fused optimisers, or `torch.compile`d; convolutions also in channels-last memory.

In: turns; out: times. Denormals are flushed, as PyTorch's own advice for the CPU has it.
"""

import torch
from torch import nn

import turns

torch.set_num_threads(1)
torch.set_flush_denormal(True)


class Lstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(1, 32, batch_first=True)
        self.head = nn.Linear(32, 1)

    def forward(self, x):
        return self.head(self.lstm(x)[0])


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = nn.TransformerEncoderLayer(64, 4, 256, 0.0, "gelu", batch_first=True, norm_first=True)
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        return self.head(self.block(x).mean(1))


ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "elu": nn.ELU}


def dense(sizes, net=None):
    layers = []
    for k, n in zip(sizes, sizes[1:]):
        layers += [nn.Linear(k, n), ACTIVATIONS[turns.ACTIVATION.get(net, "relu")]()]
    if net in turns.DROPOUT:
        layers[-2] = nn.Linear(sizes[-2], sizes[-1], bias=False)
        layers.insert(-2, nn.Dropout(turns.DROPOUT[net]))
    return layers[:-1]


def network(net):
    if net in turns.DENSE:
        return nn.Sequential(*dense(turns.DENSE[net], net))
    if net in turns.CONV:
        (first, second), kernel, sizes = turns.CONV[net]
        layers = [nn.Conv2d(1, first, kernel), nn.ReLU(), nn.MaxPool2d(2)]
        layers += [nn.Conv2d(first, second, kernel), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
        return nn.Sequential(*layers, *dense(sizes))
    return Lstm() if net == "lstm" else Encoder()


class Torch(turns.Run):
    def __init__(self, form, workload):
        self.workload = workload
        self.compiled = form.endswith("compile")
        layout = torch.channels_last if form.startswith("channels_last") else torch.contiguous_format
        self.net = network(workload.net).to(memory_format=layout)
        self.initial = {name: value.clone() for name, value in self.net.state_dict().items()}
        y = torch.from_numpy(workload.y.astype("int64") if workload.classes else workload.y)
        x = torch.from_numpy(workload.x)
        self.batches = [(a.contiguous(memory_format=layout) if a.dim() == 4 else a, b) for a, b in zip(x, y)]
        self.next = 0
        self.last = None
        criterion = nn.CrossEntropyLoss() if workload.classes else nn.MSELoss()
        if workload.train:
            work = lambda x, y: criterion(self.net(x), y)
        else:
            self.net.eval()
            work = lambda x: self.net(x).softmax(1) if workload.classes else self.net(x)
        self.work = torch.compile(work) if self.compiled else work

    def fresh(self):
        if self.workload.train:
            with torch.no_grad():
                for name, value in self.net.state_dict().items():
                    value.copy_(self.initial[name])
            if self.workload.net == "linreg":
                self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.1, fused=True)
            else:
                self.optimizer = torch.optim.Adam(self.net.parameters(), lr=1e-3, fused=True)

    def steps(self, steps):
        if not self.workload.train:
            return self.predictions(steps)
        for _ in range(steps):
            x, y = self.batches[self.next]
            self.optimizer.zero_grad(set_to_none=True)
            self.last = self.work(x, y)
            self.last.backward()
            self.optimizer.step()
            self.next = (self.next + 1) % len(self.batches)
        return steps

    @torch.inference_mode()
    def predictions(self, steps):
        for _ in range(steps):
            self.work(self.batches[self.next][0])
            self.next = (self.next + 1) % len(self.batches)
        return steps

    def loss(self):
        return None if self.last is None else self.last.item()


def make(form, workload, _):
    torch.manual_seed(0)
    torch.compiler.reset()
    return Torch(form, workload)


if __name__ == "__main__":
    turns.serve(torch.__version__, make)
