#!/usr/bin/env python3
"""The lab: resnet18 whole, pruned, quantized and both, in size and time beside ONNX Runtime's fp32.

usage: lab.py [--build build/release] [--ratio 30] [--rounds 40]

Needs bantam and bantam_bench_worker in the build folder, and what benchmarks/peers/run.sh needs: Node.js with the modules of
benchmarks/peers (npm ci there), python3-torch and python3-torchvision for the first export. All sides run on one core in turns
of about 100 ms; times are medians over rounds, ratios medians of the rounds' ratios. Exit status 1: a bar is missed.
"""
import argparse
import os
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
PEERS = HERE.parent / "peers"
MODELS = HERE.parent / "out" / "models"
PLANS = HERE.parent / "out" / "plans"


class Worker:
    """One side, loaded and ready, that measures runs when asked."""

    def __init__(self, command, core):
        self.process = subprocess.Popen(["taskset", "-c", str(core)] + command, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        if not self.process.stdout.readline().startswith("ready"):
            sys.exit(f"lab.py: {command[0]} did not start")
        self.runs = max(2, round(100 / self.round(3)))

    def round(self, runs=None):
        """Median of a round in milliseconds; its first run is dropped."""
        self.process.stdin.write(f"run {runs or self.runs}\n")
        self.process.stdin.flush()
        return statistics.median(float(x) for x in self.process.stdout.readline().split()[1:]) / 1000

    def quit(self):
        self.process.stdin.write("quit\n")
        self.process.stdin.flush()
        self.process.wait()


def compiled(program, model, name, flags):
    plan = PLANS / f"{name}.bantam"
    if not plan.exists() or plan.stat().st_mtime < max(model.stat().st_mtime, os.stat(program).st_mtime):
        samples = ["--calibrate", MODELS / "resnet18.calib.npy"] if flags else []
        subprocess.run([program, "compile", model, "-o", plan] + samples + flags, check=True)
    return plan


def measure(workers, rounds):
    """Medians of every side's rounds, by round."""
    times = [[] for _ in workers]
    for i in range(rounds):
        order = range(len(workers)) if i % 2 == 0 else range(len(workers) - 1, -1, -1)
        for side in order:
            times[side].append(workers[side].round())
    for worker in workers:
        worker.quit()
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=HERE.parents[1] / "build" / "release", type=pathlib.Path)
    parser.add_argument("--ratio", default="30")
    parser.add_argument("--rounds", default=40, type=int)
    parser.add_argument("--sizes-only", action="store_true", help="compile and compare sizes, measure nothing")
    flags = parser.parse_args()
    model = MODELS / "resnet18.onnx"
    if not model.exists():
        subprocess.run([os.environ.get("PYTHON", "/usr/bin/python3"), PEERS / "export_models.py", "--models", "resnet18"], check=True)
    PLANS.mkdir(parents=True, exist_ok=True)
    program = flags.build / "tools" / "bantam"
    prune = ["--prune", f"{flags.ratio}%"]
    sides = {"fp32": [], f"fp32, {flags.ratio} % pruned": prune, "int8": ["--precision", "int8"],
             f"int8, {flags.ratio} % pruned": ["--precision", "int8"] + prune}
    plans = {name: compiled(program, model, "resnet18-lab" + "".join(more), more) for name, more in sides.items()}
    sizes = [model.stat().st_size] + [plan.stat().st_size for plan in plans.values()]
    names = ["ONNX Runtime, fp32"] + [f"bantam, {name}" for name in plans]
    if flags.sizes_only:
        for name, size in zip(names, sizes):
            print(f"{name}: {size} bytes, {sizes[0] / size:.2f} times smaller")
        return
    core = max(os.sched_getaffinity(0))
    ort = ["node", str(PEERS / "ort_worker.mjs"), str(model), "--input", str(MODELS / "resnet18.input.npy")]
    worker = str(flags.build / "benchmarks" / "bantam_bench_worker")
    times = measure([Worker(c, core) for c in [ort] + [[worker, str(p)] for p in plans.values()]], flags.rounds)
    ratio = lambda a, b: statistics.median(x / y for x, y in zip(times[a], times[b]))
    print("| | MB | times smaller | ms | times as fast |\n|---|---|---|---|---|")
    for side, name in enumerate(names):
        print(f"| {name} | {sizes[side] / 1e6:.1f} | {sizes[0] / sizes[side]:.2f} | "
              f"{statistics.median(times[side]):.2f} | {ratio(0, side):.2f} |")
    saved = 1 - 1 / ratio(3, 4)
    bars = {"time saved in the int8 plan": (saved, 0.25), "int8 and pruned, times as fast": (ratio(0, 4), 5),
            "int8 and pruned, times smaller": (sizes[0] / sizes[4], 5)}
    for name, (value, bar) in bars.items():
        print(f"{name}: {value:.2f}, at least {bar}: {'met' if value >= bar else 'MISSED'}")
    sys.exit(0 if all(value >= bar for value, bar in bars.values()) else 1)


if __name__ == "__main__":
    main()
