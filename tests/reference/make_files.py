"""Files of tensors as PyTorch and NumPy write them, and what is in them.

Writes weights/files/NAME.pt and NAME.npz, and for each weights/files/NAME.safetensors with the same numbers, row by row.
Needs torch, numpy and safetensors; torch 2.15.0, numpy 2.4.6, safetensors 0.8.0 wrote what is there.
"""

import collections
import pathlib

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

FOLDER = pathlib.Path(__file__).resolve().parent / "weights" / "files"


def write(name, saved, tensors, **options):
    torch.save(saved, FOLDER / f"{name}.pt", **options)
    save_file({key: value.detach().contiguous().clone() for key, value in tensors.items()}, FOLDER / f"{name}.safetensors")


def numbers(*shape, dtype=torch.float32):
    count = int(np.prod(shape))
    return (torch.arange(count) * 7 % 23 - 11).to(dtype).reshape(shape) / (4 if dtype.is_floating_point else 1)


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
        self.scale = nn.Parameter(numbers(2))


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    shared = numbers(4, 6)
    state = {
        "plain": numbers(2, 3),
        "turned": numbers(3, 2).T,
        "part": shared[1:3, ::2],
        "whole": shared,
        "half": numbers(5, dtype=torch.float16),
        "brain": numbers(5, dtype=torch.bfloat16),
        "double": numbers(2, 2, dtype=torch.float64),
        "long": torch.tensor(7),
        "int": numbers(3, dtype=torch.int32).to(torch.int32),
        "bytes": torch.tensor([0, 255, 3], dtype=torch.uint8),
        "flags": torch.tensor([True, False]),
        "none": torch.zeros(0, 4),
    }
    write("state", state, state)
    small = Small()
    named = dict(small.state_dict())
    write("state_dict", small.state_dict(), named)
    # A checkpoint: state within dictionaries and lists, beside what is no tensor.
    optimizer = torch.optim.Adam(small.parameters(), lr=0.1)
    small.body(numbers(5, 3)).sum().backward()
    optimizer.step()
    checkpoint = {"epoch": 3, "loss": 0.25, "model": small.state_dict(), "optimizer": optimizer.state_dict(), "extra": [numbers(2), None, {"a": numbers(1)}]}
    found = {f"model.{name}": value for name, value in small.state_dict().items()}
    for i, of in optimizer.state_dict()["state"].items():
        found |= {f"optimizer.state.{i}.{name}": value for name, value in of.items()}
    found |= {"extra.0": numbers(2), "extra.2.a": numbers(1)}
    write("checkpoint", checkpoint, found)
    write("protocol4", {"weight": numbers(2, 2), "again": numbers(3)}, {"weight": numbers(2, 2), "again": numbers(3)}, pickle_protocol=4)
    # A whole module: its class is not known here, its tensors are.
    write("module", small, small.state_dict())
    arrays = {
        "plain": np.arange(6, dtype=np.float32).reshape(2, 3),
        "fortran": np.asfortranarray(np.arange(12, dtype=np.float64).reshape(2, 3, 2)),
        "big": np.arange(4, dtype=">f4"),
        "half": np.array([0.5, -2], dtype=np.float16),
        "one": np.array(3, dtype=np.int64),
        "flags": np.array([True, False]),
        "layer/kernel:0": np.arange(2, dtype=np.int8),
    }
    np.savez(FOLDER / "arrays.npz", **arrays)
    np.savez_compressed(FOLDER / "packed.npz", **arrays)
    plain = {name: torch.from_numpy(np.ascontiguousarray(value.astype(value.dtype.newbyteorder("=")))) for name, value in arrays.items()}
    plain["one"] = plain["one"].reshape(())
    save_file(plain, FOLDER / "arrays.safetensors")


if __name__ == "__main__":
    main()
