#!/usr/bin/env python3
"""What a step of a distributed trainer takes on more machines than there are here: leaves and subtrees dealt out as
`nn-runtime/src/train/leaves.rs` does it, and the slowest rank's time by what was measured on one machine
(`benches/ranks.sh`). Nothing is overlapped, as nothing is. docs/scaling.md shows what it prints.

    benches/scaling.py --name cnn --parameters 121930 --sample 110 --fixed 400 --batch 128 --per-rank 64
"""
import argparse

LOSS_BLOCK, LEAST, CHAIN = 16, 8, 64


def power(n):
    return 1 << max(n - 1, 0).bit_length()


def leaf_of(batch):
    return min(max(power(-(-batch // LEAST)), LOSS_BLOCK), CHAIN)


def of_rank(leaves, rank, ranks):
    return range(rank * leaves // ranks, (rank + 1) * leaves // ranks)


def subtrees(leaves):
    """How many full subtrees a rank sends."""
    widths = []
    for first in leaves:
        width = 1
        while widths and widths[-1][1] == width and widths[-1][0] % (2 * width) == 0:
            first, width = widths.pop()[0], 2 * width
        widths.append((first, width))
    return len(widths)


def step(a, batch, ranks, gigabits):
    """Microseconds, and the part of them that is spent on messages."""
    leaf = leaf_of(batch)
    leaves = -(-batch // leaf)
    own = [of_rank(leaves, rank, ranks) for rank in range(ranks)]
    trees = [subtrees(of) for of in own]
    compute = max(min(batch, of.stop * leaf) - min(batch, of.start * leaf) for of in own) * a.sample + a.fixed
    if ranks == 1:
        return compute, 0.0
    share = 4 * a.parameters / ranks
    bytes_per_us = gigabits * 1e3 / 8
    # Losses; what each sends of every other rank's share, or gets of its own; then the sums.
    scatter = max(max(trees) * share * (ranks - 1), share * (sum(trees) - min(trees)))
    gather = share * (ranks - 1)
    messages = 3 * (a.latency + (ranks - 1) * a.message) + (scatter + gather) / bytes_per_us
    adding = share * sum(trees) / (a.memory * 1e3)
    return compute + messages + adding, messages


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--name", default="network")
    p.add_argument("--parameters", type=int, required=True)
    p.add_argument("--sample", type=float, required=True, help="microseconds for each sample of a step, on one rank")
    p.add_argument("--fixed", type=float, default=0, help="microseconds of a step that all ranks spend: the update")
    p.add_argument("--latency", type=float, default=40, help="microseconds until a small message is there")
    p.add_argument("--message", type=float, default=1, help="microseconds of the processor for each message")
    p.add_argument("--memory", type=float, default=5, help="thousand million bytes a second that are added up")
    p.add_argument("--batch", type=int, required=True, help="samples of a step, on however many ranks")
    p.add_argument("--per-rank", type=int, required=True, help="samples of a step for each rank, where they grow")
    a = p.parse_args()
    print(f"| {a.name}, ranks | batch {a.batch}: 10 Gb/s | 100 Gb/s | {a.per_rank} a rank: 10 Gb/s | 100 Gb/s |")
    print("|---|---|---|---|---|")
    for ranks in (1, 2, 4, 8, 16, 64, 256, 1024):
        cells = []
        for batch in (a.batch, a.per_rank * ranks):
            alone, _ = step(a, batch, 1, 10)
            for gigabits in (10, 100):
                time, messages = step(a, batch, ranks, gigabits)
                cells.append(f"{alone / time:.2f} × ({100 * messages / time:.0f} %)")
        print(f"| {ranks} | " + " | ".join(cells) + " |")


main()
