#!/usr/bin/env python3
"""Two builds of this project, side by side. In: two programs of benches/peers/ours; out: a Markdown table, a row for each workload, with the
microseconds of a step before and after (median and minimum over all turns) and the ratio of each. Both live at the same time and
take turns on one core: what disturbs one disturbs the other.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers"))
from measure import IDS  # noqa: E402


class Program:
    def __init__(self, path, data, form, core):
        command = ["taskset", "-c", str(core), path, data, form]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen(command, text=True, **pipes)
        self.process.stdout.readline()

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline() or '{"error": "stopped"}')
        if line.startswith("make") and "error" in answer:
            return None  # an earlier revision may not know it
        if "error" in answer:
            raise SystemExit(f"{line}: {answer['error']}")
        return answer

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def row(workload, options):
    form = "fit" if workload.startswith("step/") else "step"
    programs = [Program(path, options.data, form, options.core) for path in options.programs]
    times = [[], []]
    known = [program.ask(f"make {workload}") is not None for program in programs]
    if not all(known):
        for program in programs:
            program.stop()
        return f"| `{workload}` | {' | '.join('–' if one else 'unknown' for one in known)} | – |"
    for number in range(options.rounds):
        # Who goes first changes, so that neither always finds the caches cold.
        for i in (0, 1) if number % 2 == 0 else (1, 0):
            times[i] += programs[i].ask(f"go {options.millis}")["us"]
    for program in programs:
        program.stop()
    (before, after) = ((statistics.median(t), min(t)) for t in times)
    cells = [f"{m:.3g} ({least:.3g})" for m, least in (before, after)]
    return f"| `{workload}` | {cells[0]} | {cells[1]} | {after[0] / before[0]:.3f} ({after[1] / before[1]:.3f}) |"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--core", type=int, default=(os.cpu_count() or 1) - 1)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--millis", type=int, default=150)
    parser.add_argument("ids", nargs="*")
    # What comes before `--` are settings, behind it the two programs.
    at = sys.argv.index("--")
    options = parser.parse_args(sys.argv[1:at])
    options.programs = sys.argv[at + 1 :]
    chosen = [w for w in IDS if not options.ids or any(part in w for part in options.ids)]
    print("| workload | before: µs, median (minimum) | after | after ÷ before |\n|---|---|---|---|")
    for workload in chosen:
        print(row(workload, options), flush=True)


if __name__ == "__main__":
    main()
