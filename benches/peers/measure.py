#!/usr/bin/env python3
"""Measures all peers side by side. In: data, programs and their settings from `run.sh`; out: a Markdown table and the figures as JSON
lines. All live at the same time and take turns on one core, workload by workload, round by round: what disturbs one round disturbs
all alike. Never: a peer that vanishes silently; the table says why a number is missing.
"""

import argparse
import json
import math
import os
import platform
import re
import select
import statistics
import subprocess
import tempfile
import time
from datetime import date
from pathlib import Path

HERE = Path(__file__).parent
IDS = [
    "step/linreg/4",
    "step/sc24/200",
    "step/sc4/10000",
    "step/mlp10/32",
    "step/mnist128/32",
    "step/mnist128/128",
    "step/cnn/32",
    "step/cnn/128",
    "step/lenet5/32",
    "step/lenet5/2048",
    "step/mlp-wide/128",
    "step/lstm/32",
    "step/tfm/32",
    *(f"predict/{net}/1" for net in ("tiny", "policy", "mlp10", "mnist128", "cnn", "lenet5", "lstm")),
    *(f"predict/{net}/256" for net in ("mlp10", "mnist128", "cnn", "lenet5", "mlp-wide")),
]
# A loss that only who learns gets below within so many steps; a guess among ten classes costs 2.30, the mean of the series 0.25.
LEARNT = {"linreg": 0.5, "lstm": 0.2, "sc24": 0.6, "sc4": 0.6}
LEARNT_CLASSES = 2.2
# How many times as slow as the fastest other a form may be in the first round to be measured in the next ones.
REACH = 3
LEARNT_STEPS = 100
# glibc gives memory back and asks for it again at every step of a peer that allocates; these keep it.
KEEP = {"MALLOC_TRIM_THRESHOLD_": str(1 << 30), "MALLOC_MMAP_THRESHOLD_": str(1 << 25)}
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "RAYON_NUM_THREADS": "1",
    "RTEN_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
OURS = "ours"
NETS_OF_IMAGES = ("cnn", "lenet5")


def step(workload):
    return workload.startswith("step/")


def images(workload):
    return workload.split("/")[1] in NETS_OF_IMAGES


class Form:
    """One way to run a peer: a process of its own, started when first needed."""

    def __init__(self, peer, form, program, env=None, takes=lambda workload: True):
        self.peer, self.form, self.program, self.env, self.takes = peer, form, program, env or {}, takes
        self.version, self.process, self.missing = None, None, None
        self.errors = tempfile.TemporaryFile()

    def start(self, options):
        env = {**os.environ, **ONE_THREAD, **self.env}
        command = ["taskset", "-c", str(options.core), *self.program, str(options.data), self.form.split("+")[0]]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": self.errors}
        self.process = subprocess.Popen(command, env=env, **pipes)
        self.version = self.read(120).get("version")

    def read(self, seconds):
        """The next line of the peer, or why there is none."""
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        line = self.process.stdout.readline() if ready else b""
        if line:
            return json.loads(line)
        self.process.kill()
        self.process.wait()
        self.errors.seek(0)
        last = self.errors.read().decode(errors="replace").strip().splitlines()[-1:]
        self.missing = f"no answer within {seconds} s" if not ready else f"stopped: {last[0] if last else 'without a word'}"
        return {"error": self.missing}

    def say(self, line, options):
        """Sends a line, whose answer is read next."""
        if self.process is None and not self.missing:
            self.start(options)
        if self.missing:
            return
        try:
            self.process.stdin.write(f"{line}\n".encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # its last words are read next

    def answer(self):
        return {"error": self.missing} if self.missing else self.read(600)

    def keep_to(self, cores):
        """Lets all its threads run on these cores alone."""
        if self.missing:
            return
        for thread in os.listdir(f"/proc/{self.process.pid}/task"):
            try:
                os.sched_setaffinity(int(thread), cores)
            except ProcessLookupError:
                pass  # a thread that has ended meanwhile

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait()


def forms(options):
    """Every way in which every peer is run."""

    def rust(name):
        return [str(options.bin / f"peer-{name}")]

    def python(name):
        return [str(options.venv / "bin" / "python"), str(HERE / "python" / f"{name}_peer.py")]

    both = lambda peer, form, program: [Form(peer, form, program), Form(peer, f"{form}+malloc", program, KEEP)]
    predict = lambda workload: not step(workload)
    return [
        Form(OURS, "fit", rust("ours"), takes=step),
        Form(OURS, "step", rust("ours")),
        *both("burn", "flex", rust("burn")),
        *both("burn", "ndarray", rust("burn")),
        *both("candle", "cpu", rust("candle")),
        Form("dfdx", "cpu", rust("dfdx")),
        Form("tract", "cpu", rust("tract"), takes=predict),
        Form("rten", "cpu", rust("rten"), takes=predict),
        Form("PyTorch", "eager", python("torch")),
        Form("PyTorch", "compile", python("torch")),
        Form("PyTorch", "channels_last", python("torch"), takes=images),
        Form("PyTorch", "channels_last_compile", python("torch"), takes=images),
        Form("JAX", "jit", python("jax")),
        # Not of images: within a scan XLA has no fast convolution, and a step takes a hundred times as long.
        Form("JAX", "scan", python("jax"), takes=lambda workload: step(workload) and not images(workload)),
        Form("Keras", "fit", python("keras"), takes=step),
        Form("Keras", "batch", python("keras")),
        Form("ONNX Runtime", "cpu", python("onnx"), takes=predict),
        Form("ExecuTorch", "xnnpack", python("executorch"), takes=predict),
        Form("scikit-learn", "partial_fit", python("sklearn"), takes=step),
    ]


def measure(workload, forms, options):
    """The records of a row: for each form its figures, or why there are none."""
    row, running = {}, []
    takers = [form for form in forms if form.takes(workload)]
    # Several compile for seconds: they may side by side, on all cores.
    for form in takers:
        form.say(f"make {workload}", options)
        form.keep_to(options.cores)
    for form in takers:
        answer = form.answer()
        form.keep_to({options.core})
        row[form] = {"error": answer.get("error"), "medians": [], "minimum": math.inf, "samples": 0, "loss": None}
        if not answer.get("error"):
            running.append(form)
    for number in range(options.rounds):
        # Whoever comes first in one round comes last in the next.
        first = number % max(len(running), 1)
        for form in running[first:] + running[:first]:
            form.say(f"go {options.millis}", options)
            answer = form.answer()
            if answer.get("error"):
                row[form]["error"] = answer["error"]
                continue
            row[form]["medians"].append(statistics.median(answer["us"]))
            row[form]["minimum"] = min(row[form]["minimum"], *answer["us"])
            row[form]["samples"] += len(answer["us"])
            loss = row[form]["loss"] = answer["loss"]
            bound = LEARNT.get(workload.split("/")[1], LEARNT_CLASSES) if answer["steps"] >= LEARNT_STEPS else math.inf
            if loss is not None and not loss < bound:
                row[form]["error"] = f"did not learn: a loss of {loss:.3g}"
        running = [form for form in running if not row[form]["error"]]
        if number == 0:
            running = in_reach(running, row)
    return [record(workload, form, figures) for form, figures in row.items()]


def in_reach(running, row):
    """Who is measured again: us, and who may still be the fastest of a row or of its peer."""
    once = {form: row[form]["medians"][0] for form in running}
    others = [time for form, time in once.items() if form.peer != OURS]
    fastest = min(others, default=math.inf)
    own = lambda form: min(time for other, time in once.items() if other.peer == form.peer)
    return [
        form for form in running if form.peer == OURS or once[form] < REACH * fastest and once[form] < REACH * own(form)
    ]


def record(workload, form, figures):
    """A line of the figures."""
    known = {"id": workload, "peer": form.peer, "form": form.form, "version": form.version, "date": str(date.today())}
    if figures["error"]:
        return known | {"error": figures["error"]}
    known |= {"median_us": statistics.median(figures["medians"]), "min_us": figures["minimum"]}
    return known | {"rounds": len(figures["medians"]), "samples": figures["samples"], "loss": figures["loss"]}


def best(row, peer):
    """A peer's fastest form, or nothing and the reason."""
    of = [known for known in row if known["peer"] == peer]
    good = [known for known in of if "error" not in known]
    if not good:
        return None, next((known["error"] for known in of), "not its work")
    return min(good, key=lambda known: known["median_us"]), None


def micros(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(rows, peers, options):
    """`rows` are lists of records by id."""
    others = [peer for peer in peers if peer != OURS]
    notes = {}

    def cell(row, peer):
        known, error = best(row, peer)
        if known is None:
            number = notes.setdefault(error, len(notes) + 1)
            return f"– [{number}]"
        return f"{micros(known['median_us'])} ({micros(known['min_us'])}) {known['form']}"

    every = [known for row in rows.values() for known in row]
    dates = sorted({known["date"] for known in every})
    when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    lines = [
        f"Microseconds for a step or a prediction, median (minimum), one thread, best form of each; {options.rounds} rounds in turns"
        f" of {options.millis} ms, one round for who was {REACH} times as slow as the fastest other in it. {when}, {processor()},"
        f" {platform.machine()}, {platform.system()} {platform.release()}.",
        "",
        "| id | ours | fastest peer | median ÷ ours | minimum ÷ ours |",
        "|---|---|---|---|---|",
    ]
    for workload, row in rows.items():
        rivals = [known for known, _ in (best(row, peer) for peer in others) if known]
        cells = [f"`{workload}`", cell(row, OURS), "–", "–", "–"]
        if rivals:
            rival = min(rivals, key=lambda known: known["median_us"])
            cells[2] = f"{rival['peer']} {cell(row, rival['peer'])}"
            own, _ = best(row, OURS)
            if own:
                cells[3] = f"{rival['median_us'] / own['median_us']:.2f}"
                cells[4] = f"{rival['min_us'] / own['min_us']:.2f}"
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", f"| id | {' | '.join(others)} |", "|---" * (len(others) + 1) + "|"]
    for workload, row in rows.items():
        lines.append(f"| `{workload}` | {' | '.join(cell(row, peer) for peer in others)} |")
    lines.append("")
    lines += [f"[{number}] {reason}  " for reason, number in notes.items()]
    known = {peer: next((r["version"] for r in every if r["peer"] == peer and r["version"]), "not run") for peer in peers}
    lines += ["", "Versions: " + ", ".join(f"{peer} {version}" for peer, version in known.items()) + "."]
    lines.append(
        "`+malloc`: with raised `MALLOC_TRIM_THRESHOLD_` and `MALLOC_MMAP_THRESHOLD_`. Not measured: burn's `cpu` backend,"
    )
    lines.append("whose build downloads LLVM; tract, rten, ONNX Runtime and ExecuTorch do not train.")
    return "\n".join(lines) + "\n"


def processor():
    found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else "unknown processor"


def main():
    parser = argparse.ArgumentParser(description="Measures all peers side by side; started by run.sh.")
    parser.add_argument("ids", nargs="*", metavar="ID", help="workloads such as step/cnn/32, or a part of their names; all")
    parser.add_argument("--data", type=Path, required=True, help="directory with the data and ONNX files")
    parser.add_argument("--bin", type=Path, required=True, help="directory with the Rust peers")
    parser.add_argument("--venv", type=Path, required=True, help="virtual environment with the Python peers")
    parser.add_argument(
        "--missing", type=Path, required=True, help="file of `peer: reason` lines for what could not be installed"
    )
    parser.add_argument("--out", type=Path, required=True, help="the table; the figures go beside it as .jsonl, where rows that are not asked for are taken from")
    parser.add_argument("--core", type=int, required=True, help="the core on which all take turns")
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--millis", type=int, required=True, help="length of a turn")
    options = parser.parse_args()
    options.cores = os.sched_getaffinity(0)
    # Off the core that is measured, where there is another.
    os.sched_setaffinity(0, options.cores - {options.core} or {options.core})

    ids = [known for known in IDS if not options.ids or any(wanted in known for wanted in options.ids)]
    if not ids:
        parser.error(f"expected a part of an id of {', '.join(IDS)}, found {' '.join(options.ids)}")
    all_forms = forms(options)
    for line in options.missing.read_text().splitlines():
        peer, _, reason = line.partition(": ")
        for form in all_forms:
            if form.peer == peer:
                form.missing = f"not installed: {reason}"

    figures = options.out.with_suffix(".jsonl")
    rows = {}
    if options.ids and figures.exists():
        # Rows that are not asked for stay as they were measured.
        for line in figures.read_text().splitlines():
            rows.setdefault(json.loads(line)["id"], []).append(json.loads(line))
    peers = list(dict.fromkeys(form.peer for form in all_forms))
    for workload in ids:
        begun = time.monotonic()
        rows[workload] = measure(workload, all_forms, options)
        rows = {known: rows[known] for known in IDS if known in rows}
        # Written after each row: who stops in the middle keeps what has been measured.
        figures.write_text("".join(f"{json.dumps(known)}\n" for row in rows.values() for known in row))
        options.out.write_text(table(rows, peers, options))
        print(f"{workload}: {time.monotonic() - begun:.0f} s", flush=True)
    for form in all_forms:
        form.stop()


if __name__ == "__main__":
    main()
