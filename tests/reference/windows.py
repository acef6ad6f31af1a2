"""The layers that slide a window, for make_images.py: convolutions and pools.

Comes in: nothing. Goes out: files of cases, over stride, padding, dilation, groups, odd sizes and batches.
PyTorch pads where it can; `same` for a stride and `causal` are Keras', and are padded here before PyTorch is asked.
"""

import itertools
from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import nn

from common import by, call, draw, few, spread, table

CONVOLUTIONS = {1: nn.Conv1d, 2: nn.Conv2d}
AXES = {1: [""], 2: ["_h", "_w"]}
SIDES = {1: [("pad_left", "pad_right")], 2: [("pad_top", "pad_bottom"), ("pad_left", "pad_right")]}


def turns(*values):
    """Repeats for ever: in lengths that share no factor with the grid's, so that every setting meets every value."""
    return itertools.cycle(values)


def images():
    return turns((5, 5), (5, 7), (6, 5), (5, 6), (7, 5))


def sequences():
    return turns((7,), (9,), (5,), (8,), (6,))


def batches():
    return turns(1, 1, 3, 1, 1, 1, 1)


def biases():
    return turns(*[1] * 8, 0, 0, 0)


def each_axis(value, over):
    return [value] * over if isinstance(value, int) else value


def pads(padding, size, kernel, stride, dilation):
    """What is added (before, after) along one axis. Keras' `same` gives ceil(size / stride), an odd one at the end."""
    reach = (kernel - 1) * dilation
    if padding == "same":
        total = max((-(-size // stride) - 1) * stride + reach + 1 - size, 0)
        return total // 2, total - total // 2
    return (reach, 0) if padding == "causal" else (padding, padding)


def window(sizes, kernel, stride, padding, dilation=1):
    """The words of a name, the settings of a window over the last axes, and its padding in the order of `F.pad`."""
    around = [pads(padding, *axis, dilation) for axis in zip(sizes, kernel, stride)]
    settings = {}
    for word, values in [("kernel", kernel), ("stride", stride)]:
        settings |= {word + axis: value for axis, value in zip(AXES[len(kernel)], values)}
    settings["padding"] = padding
    for names, values in zip(SIDES[len(kernel)], around):
        settings |= dict(zip(names, values))
    words = ["k" + by(kernel), "s" + by(stride), f"p{padding}"]
    return words, settings, [p for pair in reversed(around) for p in pair]


def convolution(file, batch, channels, sizes, kernel, stride=1, padding=0, dilation=1, groups=1, bias=1):
    """One case of a convolution over as many axes as `sizes` has."""
    kernel, stride = each_axis(kernel, len(sizes)), each_axis(stride, len(sizes))
    words, settings, around = window(sizes, kernel, stride, padding, dilation)
    file.begin_batch(batch, *words, f"d{dilation}", f"g{groups}", f"{channels[0]}to{channels[1]}", "in" + by(sizes), *([] if bias else ["no_bias"]))
    own = padding != "causal" and (padding != "same" or max(stride) == 1)
    module = CONVOLUTIONS[len(sizes)](*channels, kernel, stride, padding if own else 0, dilation, groups, bool(bias))
    settings = {"in_channels": channels[0], "out_channels": channels[1]} | settings | {"dilation": dilation, "groups": groups, "bias": bias}
    fn = call(module) if own else call(module, lambda x: F.pad(x, around))
    file.add(settings, fn, [few(batch, channels[0], *sizes)], draw(module))


def conv2d():
    file, size, batch, bias = table("conv2d"), images(), batches(), biases()
    grid = itertools.product((1, 2, 3), (0, 1, 2, "same"), (1, 2), ((1, (2, 3)), (2, (4, 2)), (2, (2, 2))))
    for stride, padding, dilation, (groups, channels) in grid:
        convolution(file, next(batch), channels, next(size), 3, stride, padding, dilation, groups, next(bias))
    for kernel, stride, padding, dilation in [
        (1, 1, 0, 1), (1, 2, 0, 1), (1, 1, 1, 1), (1, 3, "same", 1),
        (2, 1, 0, 1), (2, 2, 0, 1), (2, 1, "same", 1), (2, 2, "same", 1), (2, 3, 2, 1), (2, 1, "same", 2),
        (5, 1, 0, 1), (5, 1, 2, 1), (5, 2, 1, 1), (5, 1, "same", 1), (5, 2, "same", 1), (5, 3, "same", 2),
        ([3, 5], 1, 0, 1), ([3, 5], 1, "same", 1), ([1, 3], 2, "same", 1), ([3, 1], 1, 1, 2), ([5, 2], 2, "same", 1), ([2, 3], 1, "same", 2),
        (3, [2, 1], 1, 1), ([3, 2], [1, 3], "same", 1),
    ]:
        convolution(file, next(batch), (2, 3), next(size), kernel, stride, padding, dilation)
    convolution(file, 1, (3, 2), (1, 1), 3, padding="same")  # mostly padding
    convolution(file, 1, (1, 1), (3, 3), 3)  # one window
    convolution(file, 3, (2, 2), (1, 9), [1, 3], 2)
    convolution(file, 1, (1, 2), (3, 33), 3, padding=1)  # longer than a register, and a rest
    convolution(file, 1, (9, 17), (2, 3), 1)
    convolution(file, 1, (1, 17), (4, 5), 3)
    convolution(file, 5, (2, 3), (5, 5), 3, bias=0)
    convolution(file, 1, (4, 6), (5, 6), 3, 2, 1, groups=2)
    convolution(file, 3, (2, 6), (5, 5), 3, groups=2)
    return file


def depthwise():
    file, size, batch, bias = table("depthwise"), images(), batches(), biases()
    for multiplier, stride, padding, dilation in itertools.product((1, 2), (1, 2, 3), (0, 1, "same"), (1, 2)):
        convolution(file, next(batch), (2, 2 * multiplier), next(size), 3, stride, padding, dilation, 2, next(bias))
    for kernel, stride, padding in [(1, 1, 0), (2, 2, "same"), (5, 1, 2), ([3, 5], 1, "same")]:
        convolution(file, next(batch), (3, 6), next(size), kernel, stride, padding, groups=3)
    for case in file.cases:
        case["settings"]["multiplier"] = case["settings"]["out_channels"] // case["settings"]["in_channels"]
    return file


def separable():
    file, size, batch = table("separable"), images(), batches()
    grid = [(3, *rest) for rest in itertools.product((1, 2), (0, 1, "same"), (1, 2), (1, 2))]
    grid += [(1, 1, 0, 1, 1), (2, 2, "same", 1, 2), (5, 1, 2, 1, 1), (3, 3, 1, 1, 2), ([3, 5], 1, "same", 1, 1)]
    for (kernel, stride, padding, dilation, multiplier), bias in zip(grid, biases()):
        b, sizes, kernel, stride = next(batch), next(size), each_axis(kernel, 2), each_axis(stride, 2)
        words, settings, around = window(sizes, kernel, stride, padding, dilation)
        file.begin_batch(b, *words, f"d{dilation}", f"m{multiplier}", "in" + by(sizes), *([] if bias else ["no_bias"]))
        # One bias, at the end, as in Keras. PyTorch has no such layer: these are two of its own.
        first = nn.Conv2d(2, 2 * multiplier, kernel, stride, 0, dilation, 2, bias=False)
        module = nn.Sequential(OrderedDict(depthwise=first, pointwise=nn.Conv2d(2 * multiplier, 3, 1, bias=bool(bias))))
        settings = {"in_channels": 2, "out_channels": 3} | settings | {"dilation": dilation, "multiplier": multiplier, "bias": bias}
        file.add(settings, call(module, lambda x: F.pad(x, around)), [few(b, 2, *sizes)], draw(module))
    return file


def mirrored(module, wide, around):
    """Keras' `same` gives `wide` = size * stride: the mirror of the convolution that would come from there."""
    def fn(x, p):
        y = F.conv_transpose2d(x[0], p["weight"], None, module.stride, 0, 0, module.groups, module.dilation)
        # Cuts off what that convolution would have padded; where the kernel is shorter than its stride, zeros reach to the end.
        ends = [wide[1] - y.shape[3] + around[0], wide[0] - y.shape[2] + around[2]]
        return F.pad(y, [-around[0], ends[0], -around[2], ends[1]]) + p["bias"].reshape(-1, 1, 1)

    return fn


def conv_transpose2d():
    file, size, batch, bias = table("conv_transpose2d"), turns((2, 3), (3, 3), (3, 2), (1, 5), (4, 2)), batches(), biases()
    # PyTorch refuses an output padding that reaches both stride and dilation.
    grid = [(3, *rest) for rest in itertools.product((1, 2, 3), (0, 1), (0, 1), (1, 2), (1, 2)) if rest[2] < max(rest[0], rest[3])]
    grid += [(1, 1, 0, 0, 1, 1), (1, 2, 0, 1, 1, 1), (2, 2, 0, 0, 1, 1), (2, 2, 0, 0, 1, 3), (2, 3, 0, 1, 1, 1), (5, 2, 2, 1, 1, 1), (4, 2, 1, 0, 1, 1)]
    grid += [([3, 5], 2, 1, 1, 1, 1), ([2, 3], 1, 0, 0, 1, 1), (3, [2, 1], 1, 0, 1, 1)]
    grid += [(kernel, stride, "same", 0, 1, 1) for kernel in (2, 3, 4) for stride in (1, 2, 3)] + [(3, 2, "same", 0, 2, 1), (3, 2, "same", 0, 1, 2)]
    for kernel, stride, padding, extra, dilation, groups in grid:
        b, sizes, kernel, stride = next(batch), next(size), each_axis(kernel, 2), each_axis(stride, 2)
        same = padding == "same"
        biased = next(bias) or int(same)
        channels = {1: (3, 2), 2: (4, 2), 3: (3, 3)}[groups]
        wide = [n * s for n, s in zip(sizes, stride)] if same else sizes
        words, settings, around = window(wide, kernel, stride, padding, dilation)
        file.begin_batch(b, *words, f"op{extra}", f"d{dilation}", f"g{groups}", "in" + by(sizes), *([] if biased else ["no_bias"]))
        module = nn.ConvTranspose2d(*channels, kernel, stride, 0 if same else padding, extra, groups, bool(biased), dilation)
        settings = {"in_channels": channels[0], "out_channels": channels[1]} | settings
        settings |= {"output_padding": extra, "dilation": dilation, "groups": groups, "bias": biased}
        fn = mirrored(module, wide, around) if same else call(module)
        file.add(settings, fn, [few(b, channels[0], *sizes)], draw(module))
    return file


def conv_transpose1d():
    file, size, batch, bias = table("conv_transpose1d"), turns((3,), (5,), (1,), (4,)), batches(), biases()
    grid = [(3, *rest) for rest in itertools.product((1, 2, 3), (0, 1), (0, 1), (1, 2), (1, 2)) if rest[2] < max(rest[0], 1)]
    grid += [(1, 1, 0, 0, 1, 1), (1, 2, 0, 1, 1, 1), (2, 2, 0, 0, 1, 3), (5, 2, 2, 1, 1, 1), (4, 2, 1, 0, 1, 1)]
    for kernel, stride, padding, extra, dilation, groups in grid:
        b, sizes, wide = next(batch), next(size), {1: (3, 2), 2: (4, 2), 3: (3, 3)}[groups]
        if (sizes[0] - 1) * stride + dilation * (kernel - 1) + 1 + extra <= 2 * padding:
            sizes = (5,)
        biased = next(bias)
        words, settings, _ = window(sizes, [kernel], [stride], padding, dilation)
        file.begin_batch(b, *words, f"op{extra}", f"d{dilation}", f"g{groups}", "in" + by(sizes), *([] if biased else ["no_bias"]))
        module = nn.ConvTranspose1d(*wide, kernel, stride, padding, extra, groups, bool(biased), dilation)
        settings = {"in_channels": wide[0], "out_channels": wide[1]} | settings
        settings |= {"output_padding": extra, "dilation": dilation, "groups": groups, "bias": biased}
        file.add(settings, call(module), [few(b, wide[0], *sizes)], draw(module))
    return file


def conv1d():
    file, size, batch, bias = table("conv1d"), sequences(), batches(), biases()
    for stride, padding, dilation, groups in itertools.product((1, 2, 3), (0, 1, 2, "same", "causal"), (1, 2), (1, 2)):
        convolution(file, next(batch), {1: (3, 2), 2: (4, 2)}[groups], next(size), 3, stride, padding, dilation, groups, next(bias))
    for kernel, stride, padding, dilation, groups in [
        (1, 1, 0, 1, 1), (1, 2, 0, 1, 1), (2, 1, "causal", 1, 1), (2, 2, "same", 1, 1), (2, 1, "causal", 4, 1),
        (5, 1, 2, 1, 1), (5, 2, "causal", 1, 1), (3, 1, "same", 1, 3),
    ]:
        convolution(file, next(batch), (3, 6), next(size), kernel, stride, padding, dilation, groups)
    convolution(file, 1, (1, 2), (33,), 3)
    convolution(file, 1, (9, 17), (3,), 2)
    convolution(file, 1, (2, 2), (1,), 3, padding="causal")
    return file


def tied(*shape):
    """Few different numbers, all below zero: a padding by zeros would win."""
    return torch.floor(torch.rand(*shape, dtype=torch.float64) * 3 - 3).float()


def pool(file, how, batch, channels, sizes, kernel, stride, padding, count=None, values=spread):
    """One case of max pooling (`count` is None) or of average pooling, which counts the padding (1) or not (0)."""
    kernel, stride = each_axis(kernel, len(sizes)), each_axis(stride, len(sizes))
    words, settings, around = window(sizes, kernel, stride, padding)
    options = {} if count is None else {"count_include_pad": bool(count)}
    file.begin_batch(batch, *words, *([] if count is None else [f"count{count}"]), "in" + by(sizes), *(["ties"] if values is tied else []))

    def fn(x, p):
        if padding != "same":
            return how(x[0], kernel, stride, padding, **options)
        y = how(F.pad(x[0], around, value=-torch.inf if count is None else 0.0), kernel, stride)
        return y / how(F.pad(torch.ones_like(x[0]), around), kernel, stride) if count == 0 else y

    file.add(settings | {k: int(v) for k, v in options.items()}, fn, [values(batch, channels, *sizes)], smooth=values is spread)


def max_pool(over):
    file, size, batch = table(f"max_pool{over}d"), sequences() if over == 1 else images(), batches()
    how = F.max_pool1d if over == 1 else F.max_pool2d
    for kernel, stride, padding in [*itertools.product((2, 3), (1, 2, 3), (0, 1, "same")), (1, 2, 0), (5, 1, 2), (4, 2, "same")]:
        pool(file, how, next(batch), 2, next(size), kernel, stride, padding)
    for kernel, stride, padding in [(2, 2, 0), (3, 1, 1), (3, 2, "same")]:
        pool(file, how, 1, 2, [5] * over, kernel, stride, padding, values=tied)
    if over == 2:
        for kernel, stride, padding in [([2, 3], [2, 1], 0), ([1, 3], [1, 2], "same"), (2, [1, 2], 0)]:
            pool(file, how, 3, 1, next(size), kernel, stride, padding)
        pool(file, how, 1, 1, (3, 33), 2, 2, 0)
    return file


def avg_pool(over):
    file, size, batch = table(f"avg_pool{over}d"), sequences() if over == 1 else images(), batches()
    how = F.avg_pool1d if over == 1 else F.avg_pool2d
    for kernel, stride in itertools.product((2, 3), (1, 2, 3)):
        for padding, count in [(0, 1), (1, 0), (1, 1), ("same", 0), ("same", 1)]:
            pool(file, how, next(batch), 1, next(size), kernel, stride, padding, count)
    for kernel, stride, padding, count in [(1, 2, 0, 1), (5, 1, 2, 0), (4, 2, "same", 0)]:
        pool(file, how, next(batch), 2, next(size), kernel, stride, padding, count)
    if over == 2:
        for kernel, stride, padding, count in [([2, 3], [2, 1], 0, 1), ([1, 3], [1, 2], "same", 0), (3, [1, 2], 1, 0)]:
            pool(file, how, 3, 1, next(size), kernel, stride, padding, count)
        pool(file, how, 1, 1, (3, 33), 2, 2, 0, 1)
    return file


def ceil_pool(over, average):
    """Windows that reach beyond the end; of maxima some with gaps too, and those without `ceil_mode`."""
    file = table(f"{'avg' if average else 'max'}_pool{over}d_ceil")
    how = {(1, 0): F.max_pool1d, (2, 0): F.max_pool2d, (1, 1): F.avg_pool1d, (2, 1): F.avg_pool2d}[over, average]
    size, batch = sequences() if over == 1 else images(), batches()
    grid = [(k, s, p, d, c, None) for k, s, p, d in [(2, 2, 0, 1), (3, 2, 0, 1), (3, 2, 1, 1), (2, 3, 0, 1), (2, 3, 1, 1), (3, 3, 1, 1), (5, 4, 2, 1), (2, 1, 0, 2), (3, 2, 1, 2), (2, 2, 1, 3), (3, 1, 1, 2), (2, 4, 0, 1)] for c in (1, 0) if c or d > 1]
    if average:
        grid = [(k, s, p, d, c, count) for k, s, p, d, c, _ in grid for count in (1, 0) if d == 1]
    for kernel, stride, padding, dilation, ceil, count in grid:
        sizes = next(size)
        kernel, stride = each_axis(kernel, over), each_axis(stride, over)
        words, settings, _ = window(sizes, kernel, stride, padding, dilation)
        options = {} if count is None else {"count_include_pad": count}
        b = next(batch)
        file.begin_batch(b, *words, f"d{dilation}", f"ceil{ceil}", *([] if count is None else [f"count{count}"]), "in" + by(sizes))
        settings |= options | {"dilation": dilation, "ceil_mode": ceil}
        more = {"count_include_pad": bool(count)} if average else {"dilation": dilation}
        file.add(settings, lambda x, p: how(x[0], kernel, stride, padding, ceil_mode=bool(ceil), **more), [spread(b, 2, *sizes)])
    return file


def adaptive_pool(name, one, two):
    """As many parts as are asked for: where they divide the sizes, where they overlap, and more than there are places."""
    file = table(f"{name}")
    for batch, shape, parts in [(1, (2, 4, 6), (2, 3)), (3, (2, 5, 7), (3, 2)), (1, (1, 7, 5), (7, 3)), (1, (3, 3, 2), (5, 2)), (1, (2, 5, 5), (1, 1)), (3, (5, 8), (4,)), (1, (17, 7), (3,)), (3, (2, 5), (4,)), (1, (3, 2), (5,))]:
        file.begin_batch(batch, by(shape), "into" + by(parts))
        how = two if len(parts) == 2 else one
        file.add({f"size_{n}": part for n, part in enumerate(parts)}, lambda x, p: how(x[0], parts if len(parts) == 2 else parts[0]), [spread(batch, *shape)])
    return file


def global_pool(name, one, two):
    file = table(f"{name}")
    for values in [spread, tied] if "max" in name else [spread]:
        for batch, shape in [(1, (3, 5, 7)), (3, (2, 5, 5)), (1, (17, 1, 1)), (3, (4, 2, 3)), (1, (2, 9)), (3, (5, 7))][: 2 if values is tied else None]:
            file.begin_batch(batch, by(shape), *(["ties"] if values is tied else []))
            how = two if len(shape) == 3 else one
            file.add({}, lambda x, p: how(x[0], 1).flatten(1), [values(batch, *shape)], smooth=values is spread)
    return file


def lp_pool(over):
    """Norms of windows; of odd powers numbers above 0, as PyTorch does not take their size."""
    file, size, batch = table(f"lp_pool{over}d"), sequences() if over == 1 else images(), batches()
    how = F.lp_pool1d if over == 1 else F.lp_pool2d
    for power, kernel, stride, ceil in [(1.0, 2, 2, 0), (2.0, 2, 2, 0), (2.0, 3, 2, 0), (2.0, 3, 1, 0), (3.0, 2, 1, 0), (1.5, 3, 2, 0), (2.0, 3, 2, 1), (1.0, 2, 3, 1), (4.0, 2, 3, 1)]:
        sizes, count = next(size), next(batch)
        file.begin_batch(count, f"p{power}", f"kernel{kernel}", f"stride{stride}", *["ceil"] * ceil, "in" + by(sizes))
        values = few(count, 2, *sizes)
        values = values if power in (2.0, 4.0) else values.abs() + 0.125
        settings = {"p": power, "kernel": kernel, "stride": stride, "ceil_mode": ceil}
        file.add(settings, lambda x, p: how(x[0], power, kernel, stride, bool(ceil)), [values])
    return file


def windows():
    return [
        conv2d(), depthwise(), separable(), conv_transpose2d(), conv_transpose1d(), conv1d(), max_pool(2), avg_pool(2), max_pool(1), avg_pool(1), lp_pool(2), lp_pool(1),
        *[ceil_pool(over, average) for average in (0, 1) for over in (1, 2)],
        adaptive_pool("adaptive_avg_pool", F.adaptive_avg_pool1d, F.adaptive_avg_pool2d),
        adaptive_pool("adaptive_max_pool", F.adaptive_max_pool1d, F.adaptive_max_pool2d),
        global_pool("global_avg_pool", F.adaptive_avg_pool1d, F.adaptive_avg_pool2d),
        global_pool("global_max_pool", F.adaptive_max_pool1d, F.adaptive_max_pool2d),
    ]
