"""Writes images/*.json beside this file: what PyTorch answers for the layers of images and tables.

Comes in: nothing, each case seeds the generator from its own name. Goes out: one JSON file per layer.
Inputs are exact as float32, answers are computed from them in float64. No test needs this script to run.
"""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from common import HERE, activation, by, call, draw, few, short, spread, table
from windows import windows


def flat(*shape, channel, value):
    """Ordinary numbers, but for one channel without variance."""
    x = few(*shape)
    x[:, channel] = value
    return x


def batch_norm():
    file = table("batch_norm")
    defaults = (1, 1e-5, 0.1, 1)
    cases = [(b, s, *rest) for b, s in [(3, (5,)), (7, (3,)), (33, (2,)), (1, (2, 3, 5)), (3, (3, 2, 3)), (5, (2, 1, 1)), (3, (4, 5))] for rest in [defaults, (0, *defaults[1:])]]
    cases += [(1, (6,), 0, 1e-5, 0.1, 1), (3, (3, 2, 3), 1, 1e-3, 0.01, 1), (3, (3, 2, 3), 0, 1e-3, 0.01, 1), (3, (3, 2, 3), 1, 1e-5, 0.1, 0), (3, (5,), 0, 1e-5, 0.1, 0)]
    plain = [(*case, "", 0.0) for case in cases]
    plain += [(17, (3,), 1, 1e-5, 0.1, 1, "_far", 10.0), (3, (2, 3, 5), 1, 1e-5, 0.1, 1, "_far", 10.0), (3, (2, 3, 5), 1, 1e-3, 0.1, 1, "_flat", 0.0)]
    for batch, shape, training, eps, momentum, affine, tag, around in plain:
        file.begin_batch(batch, by(shape), "training" if training else "inference", f"eps{eps}", f"momentum{momentum}{tag}" + ("" if affine else "_plain"))
        module = (nn.BatchNorm2d if len(shape) == 3 else nn.BatchNorm1d)(shape[0], eps, momentum, bool(affine)).train(bool(training))
        x = flat(batch, *shape, channel=0, value=1.5) if tag == "_flat" else short(few(batch, *shape) + around, 4)
        before = {"running_mean": few(shape[0]), "running_var": short(torch.rand(shape[0], dtype=torch.float64) + 0.5, 3)}
        after = {}

        def fn(x, p):
            after.update({k: v.to(x[0].dtype, copy=True) for k, v in before.items()})  # written to, not in place of the drawn ones
            return torch.func.functional_call(module, p | after, (x[0],))

        settings = {"training": training, "eps": eps, "momentum": momentum, "affine": affine}
        case = file.add(settings, fn, [x], draw(module, around=1.0))
        with torch.no_grad():
            fn([x.double()], {k: v.double() for k, v in case["params"].items()})
        case |= {"buffers": before} | ({"buffers_after": after} if training else {})
    return file


def normalized(name, variants):
    """`variants` lists (settings, sample shape, module): layers that look at one sample at a time."""
    file = table(f"{name}")
    for settings, shape, module in variants:
        for batch, around in [(1, 0.0), (3, 0.0), (1, 10.0)]:
            words = [f"{k}{v}" for k, v in settings.items()]
            file.begin_batch(batch, by(shape), *words, *(["far"] if around else []))
            x = short(few(batch, *shape) + around, 4)
            file.add(settings, call(module), [x], draw(module, around=1.0))
    return file


def norms():
    layer = [((5,), 1), ((17,), 1), ((4, 7), 1), ((2, 3, 5), 1), ((4, 7), 2), ((2, 3, 5), 3)]
    layers = [({"axes": n, "eps": 1e-5, "affine": 1, "bias": 1}, s, nn.LayerNorm(s[-n:])) for s, n in layer]
    layers += [({"axes": 1, "eps": e, "affine": a, "bias": b}, (9,), nn.LayerNorm(9, e, bool(a), bool(b))) for e, a, b in [(1e-3, 1, 1), (1e-5, 0, 0), (1e-5, 1, 0)]]
    # Without an eps PyTorch takes the epsilon of the type, so that of float32 is written out.
    rms = [({"axes": n, "eps": 1e-6, "affine": 1}, s, nn.RMSNorm(s[-n:], 1e-6)) for s, n in layer]
    rms += [({"axes": 1, "eps": e, "affine": a}, (9,), nn.RMSNorm(9, e, bool(a))) for e, a in [(2.0**-23, 1), (1e-3, 1), (1e-6, 0)]]
    shapes = [((4, 3, 3), 1), ((4, 3, 3), 2), ((4, 3, 3), 4), ((6, 7), 3), ((14,), 2)]
    group = [({"groups": g, "eps": 1e-5, "affine": 1}, s, nn.GroupNorm(g, s[0])) for s, g in shapes]
    group += [({"groups": 2, "eps": e, "affine": a}, (4, 2, 3), nn.GroupNorm(2, 4, e, bool(a))) for e, a in [(1e-3, 1), (1e-5, 0)]]
    kinds = {3: nn.InstanceNorm2d, 2: nn.InstanceNorm1d}
    instance = [({"eps": e, "affine": a}, s, kinds[len(s)](s[0], e, affine=bool(a))) for s in [(3, 3, 4), (2, 9)] for e, a in [(1e-5, 0), (1e-5, 1), (1e-3, 1)]]
    return [normalized("layer_norm", layers), normalized("rms_norm", rms), normalized("group_norm", group), normalized("instance_norm", instance)]


def upsample():
    file = table("upsample")
    for mode in ("nearest", "bilinear"):
        for shape in [(2, 2, 3), (1, 5, 3), (3, 1, 1), (1, 1, 7)]:
            for scale in [(2, 2), (3, 3), (2, 3)] if shape != (3, 1, 1) else [(2, 2)]:
                batch = 3 if shape == (2, 2, 3) and scale != (3, 3) else 1
                file.begin_batch(batch, mode, by(shape), "scale" + by(scale))
                module = nn.Upsample(scale_factor=scale, mode=mode, align_corners=False if mode == "bilinear" else None)
                file.add({"mode": mode, "scale_h": scale[0], "scale_w": scale[1]}, call(module), [few(batch, *shape)])
    return file


def resize():
    """To any size: those for which PyTorch's rounding of a factor takes another pixel than the fraction are left out."""
    file = table("resize")
    for mode, align in [("nearest", 0), ("bilinear", 0), ("bilinear", 1)]:
        for batch, shape, to in [(1, (2, 2, 3), (3, 5)), (3, (2, 5, 3), (3, 7)), (1, (1, 7, 5), (3, 2)), (1, (1, 4, 4), (1, 1)), (1, (2, 1, 7), (4, 33)), (1, (1, 3, 2), (3, 2)), (1, (1, 9, 9), (4, 6))]:
            file.begin_batch(batch, mode, f"align{align}", by(shape), "to" + by(to))
            options = {"align_corners": bool(align)} if mode == "bilinear" else {}
            settings = {"mode": mode, "align_corners": align, "size_h": to[0], "size_w": to[1]}
            file.add(settings, lambda x, p: F.interpolate(x[0], to, mode=mode, **options), [few(batch, *shape)])
    return file


def local_response():
    file = table("local_response_norm")
    for batch, shape, size, alpha, beta, k in [
        (1, (5, 3, 3), 3, 1e-4, 0.75, 1.0), (3, (7, 2, 3), 5, 0.5, 0.75, 1.0), (1, (4, 3, 2), 2, 1.0, 0.5, 2.0), (1, (3, 2, 17), 9, 0.25, 1.5, 0.5), (3, (6,), 4, 1.0, 0.75, 1.0), (1, (5, 4), 3, 2.0, 1.0, 1.0), (1, (2, 2, 2), 1, 1.0, 0.75, 2.0),
    ]:
        file.begin_batch(batch, by(shape), f"size{size}", f"alpha{alpha}", f"beta{beta}", f"k{k}")
        # PyTorch wants three dimensions; a flat sample has one place of each channel.
        whole = lambda x: x if x.dim() > 2 else x.unsqueeze(2)
        fn = lambda x, p: F.local_response_norm(whole(x[0]), size, alpha, beta, k).reshape(x[0].shape)
        file.add({"size": size, "alpha": alpha, "beta": beta, "k": k}, fn, [few(batch, *shape)])
    return file


def frames():
    """Zeros around an image, and an image without its edge."""
    files = []
    for name, shape, sign in [("zero_pad", (2, 3, 5), 1), ("crop", (2, 7, 6), -1)]:
        file = table(f"{name}")
        for batch, sides in zip((1, 3, 1, 3, 1), [(1, 1, 1, 1), (2, 2, 2, 2), (0, 1, 0, 1), (1, 2, 3, 0), (0, 0, 2, 1)]):
            file.begin_batch(batch, by(shape), "_".join(map(str, sides)))
            top, bottom, left, right = (sign * n for n in sides)
            settings = dict(zip(("top", "bottom", "left", "right"), sides))
            file.add(settings, lambda x, p: F.pad(x[0], (left, right, top, bottom)), [few(batch, *shape)])
        files.append(file)
    return files


def borders():
    """What stands around an image or a sequence that is not zeros, and zeros around a sequence."""
    images, steps = table("border2d"), table("border1d")
    for mode in ("reflect", "replicate", "circular"):
        for batch, shape, sides in [(1, (2, 3, 5), (1, 1, 1, 1)), (3, (2, 3, 5), (2, 2, 2, 2)), (1, (1, 3, 5), (0, 1, 4, 0)), (3, (2, 4, 2), (1, 2, 0, 1)), (1, (1, 2, 17), (1, 0, 9, 16))]:
            images.begin_batch(batch, mode, by(shape), "_".join(map(str, sides)))
            top, bottom, left, right = sides
            images.add({"mode": mode} | dict(zip(("top", "bottom", "left", "right"), sides)), lambda x, p: F.pad(x[0], (left, right, top, bottom), mode), [few(batch, *shape)])
    for mode in ("constant", "reflect", "replicate", "circular"):
        for batch, shape, sides in [(1, (2, 5), (1, 1)), (3, (3, 5), (4, 2)), (1, (1, 2), (1, 0)), (3, (2, 17), (0, 16))]:
            steps.begin_batch(batch, mode, by(shape), "_".join(map(str, sides)))
            steps.add({"mode": mode} | dict(zip(("before", "after"), sides)), lambda x, p: F.pad(x[0], sides, mode), [few(batch, *shape)])
    for file, mode, shape, sides in [(images, "replicate", (1, 1, 1), (3, 2, 1, 4)), (images, "circular", (1, 2, 3), (2, 2, 3, 3)), (steps, "replicate", (2, 1), (3, 5)), (steps, "circular", (2, 4), (4, 4))]:
        file.begin_batch(1, mode, by(shape), "most")
        order = sides[2:] + sides[:2]
        names = ("top", "bottom", "left", "right") if file is images else ("before", "after")
        file.add({"mode": mode} | dict(zip(names, sides)), lambda x, p: F.pad(x[0], order, mode), [few(1, *shape)])
    return [images, steps]


def permute():
    file = table("permute")
    orders = [((2, 3, 5), axes) for axes in [(0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]] + [((3, 7), (1, 0)), ((3, 2, 1, 4), (3, 1, 0, 2))]
    for number, (shape, axes) in enumerate(orders):
        batch = 1 + 2 * (number % 2)
        file.begin_batch(batch, by(shape), "axes" + "_".join(map(str, axes)))
        settings = {f"axis_{n}": axis for n, axis in enumerate(axes)}
        file.add(settings, lambda x, p: x[0].permute(0, *(axis + 1 for axis in axes)), [few(batch, *shape)])
    return file


def prelu():
    file = table("prelu")
    for batch, shape in [(1, (3, 3, 5)), (3, (2, 5, 3)), (1, (17,)), (3, (5,)), (3, (4, 3))]:
        for slopes in (1, shape[0]):
            file.begin_batch(batch, by(shape), f"slopes{slopes}")
            file.add({"slopes": slopes}, call(module := nn.PReLU(slopes)), [few(batch, *shape, scale=2.0)], draw(module))
    file.begin("zeros")
    x = few(3, 4, 5)
    x[:, :, ::2] = 0
    file.add({"slopes": 4}, call(module := nn.PReLU(4)), [x], draw(module), smooth=False)
    return file


def activations():
    hard = [("hard_sigmoid", F.hardsigmoid), ("hard_swish", F.hardswish)]
    files = [activation(f"images/{name}", [("", {}, fn, smooth)]) for name, fn, smooth in [("selu", F.selu, False), ("mish", F.mish, True), *((*h, True) for h in hard)]]
    for file, (_, fn) in zip(files[2:], hard):
        file.begin("kinks")
        x = torch.tensor([[-3.0, 3.0]])
        x = torch.cat([x, torch.nextafter(x, -x), torch.nextafter(x, 2 * x)], dim=1)
        file.add({}, lambda x, p: fn(x[0]), [x], smooth=False)
    return files


def glu():
    file = table("glu")
    for batch, shape, axis in [(1, (4, 3, 5), 0), (3, (2, 3, 3), 0), (3, (2, 3, 4), 2), (1, (3, 6), 1), (3, (6, 5), 0), (1, (2,), 0), (3, (34,), 0)]:
        file.begin_batch(batch, by(shape), f"axis{axis}")
        file.add({"axis": axis}, lambda x, p: F.glu(x[0], dim=axis + 1), [few(batch, *shape, scale=2.0)])
    file.begin_batch(1, "within90")
    x = torch.cat([torch.linspace(-3, 3, 13), torch.linspace(-90, 90, 13)]).reshape(1, 26)
    file.add({"axis": 0}, lambda x, p: F.glu(x[0], dim=1), [x])
    return file


def joints():
    """Several values in one, one in several."""
    concat, split = table("concat"), table("split")
    for batch, shape, axis, widths in [
        (1, (2, 3, 5), 0, (2, 1)), (3, (2, 3, 3), 0, (1, 2, 3)), (3, (2, 3, 4), 1, (1, 4)), (1, (2, 3, 4), 2, (3, 1, 2)),
        (1, (5,), 0, (5, 2)), (3, (7,), 0, (1, 16, 3)), (3, (3, 4), 0, (2, 1)), (1, (3, 4), 1, (4, 5)),
    ]:
        shapes = [[*shape[:axis], width, *shape[axis + 1 :]] for width in widths]
        concat.begin_batch(batch, "_".join(map(by, shapes)), f"axis{axis}")
        concat.add({"axis": axis}, lambda x, p: torch.cat(x, dim=axis + 1), [few(batch, *s) for s in shapes])
        whole = [*shape[:axis], sum(widths), *shape[axis + 1 :]]
        split.begin_batch(batch, by(whole), f"axis{axis}", "into" + "_".join(map(str, widths)))
        settings = {"axis": axis, "parts": len(widths)} | {f"size_{n}": w for n, w in enumerate(widths)}
        split.add(settings, lambda x, p: x[0].split(widths, dim=axis + 1), [few(batch, *whole)])

    files = [concat, split]
    for name, how in [("sum", torch.sum), ("product", torch.prod)]:
        file = table(f"{name}")
        for batch, shape, sources in [(1, (2, 3, 5), 2), (3, (2, 3, 3), 3), (1, (17,), 3), (3, (5,), 2), (3, (3, 4), 4)]:
            file.begin_batch(batch, by(shape), f"{sources}sources")
            file.add({"sources": sources}, lambda x, p: how(torch.stack(x), dim=0), [few(batch, *shape) for _ in range(sources)])
        file.begin_batch(1, "3sources_zeros")
        x = few(3, 1, 7)
        x[0, 0, 1:4] = x[1, 0, 2] = x[2, 0, 3] = x[1, 0, 5] = 0
        file.add({"sources": 3}, lambda x, p: how(torch.stack(x), dim=0), list(x.contiguous()))  # a gradient by division is lost here
        files.append(file)
    return files


def main():
    torch.set_num_threads(1)  # one order of summation, whatever the machine
    (HERE / "images").mkdir(exist_ok=True)
    files = [*windows(), batch_norm(), *norms(), upsample(), resize(), local_response(), *frames(), *borders(), permute(), prelu(), *activations(), glu(), *joints()]
    total = sum(file.write() for file in files)
    print(f"{total} bytes, torch {torch.__version__}, numpy {np.__version__}")


if __name__ == "__main__":
    main()
