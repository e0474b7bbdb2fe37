#!/usr/bin/env python3
"""Searches within four budgets: predicted against measured latency, and how long each search took, as a Markdown table.

usage: prediction.py PROGRAM SHARED [--models NAME,NAME] [--latency 1.05] [--size 0.85] [--memory 0.95] [--drop 20%]
       [--allow-smaller-input] [--recorded]

The budgets of latency, size and memory are shares of what the model's int8 plan needs. SHARED: a folder with models/ and
datasets/. With --recorded the search takes the ops' times from a device profile of the int8 plan and of one with 40 % pruned, as for
a board, in place of timing its plans.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

CIFAR = ["--image", "rgb", "--mean", "123.675,116.28,103.53", "--std", "58.395,57.12,57.375"]
IMAGENET = ["--image", "rgb", "--mean", "127.5,127.5,127.5", "--std", "127.5,127.5,127.5"]
# Data, image options.
MODELS = {
    "resnet8_cifar10": ("cifar10/calib_images.npy", ["--image", "rgb"]),
    "resnet20_cifar10": ("cifar10/calib_images.npy", CIFAR),
    "resnet56_cifar10": ("cifar10/calib_images.npy", CIFAR),
    "mobilenetv1_025_vww": ("vww/calib_images.npy", ["--image", "rgb", "--mean", "0,0,0", "--std", "255,255,255"]),
    "dscnn_kws": ("kws/calib_inputs.npy", []),
    "mobilenetv1_025_imagenet": ("imagenet/calib", IMAGENET),
    "mobilenetv2_imagenet": ("imagenet/calib", IMAGENET),
}


def run(command, may_fail=False):
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode != 0 and not may_fail:
        sys.exit(" ".join(command) + ": " + ended.stderr.strip())
    return ended


def median_ms(program, plan):
    """The least of three medians: whatever else goes on can only add."""
    return min(json.loads(run([program, "bench", plan, "--json"]).stdout)["latency_ms"]["p50"] for _ in range(3))


def describe(point):
    text = point["precision"] + (" and fp32" if point["mixed"] else "")
    if point["input"]:
        text += f", input {point['input']['height']}x{point['input']['width']}"
    return text + (f", {100 * point['pruned']:.0f} % pruned" if point["pruned"] else "")


def row(flags, name, folder):
    data, image = MODELS[name]
    model = os.path.join(flags.shared, "models", name + ".onnx")
    common = [model, "--calibrate", os.path.join(flags.shared, "datasets", data), "--no-doctor"] + image
    int8, plan = os.path.join(folder, "int8.bantam"), os.path.join(folder, "found.bantam")
    run([flags.program, "compile", "-o", int8, "--precision", "int8", "--allow-slower"] + common)
    inspected = json.loads(run([flags.program, "inspect", int8, "--json"]).stdout)
    memory = 2 * inspected["weights_bytes"] + inspected["plan_bytes"] - inspected["weights_bytes"] + inspected["arena_bytes"]
    budgets = ["--max-latency", f"{1000 * flags.latency * median_ms(flags.program, int8):.1f}us",
               "--max-size", f"{flags.size * inspected['plan_bytes']:.0f}B",
               "--max-memory", f"{flags.memory * memory:.0f}B", "--max-drop", flags.drop]
    if flags.allow_smaller_input:
        budgets.append("--allow-smaller-input")
    if flags.recorded:
        pruned, profile = os.path.join(folder, "pruned.bantam"), os.path.join(folder, "profile.json")
        run([flags.program, "compile", "-o", pruned, "--precision", "int8", "--allow-slower", "--prune", "40%"] + common)
        run([flags.program, "bench", int8, pruned, "--profile-device", profile])
        budgets += ["--device-profile", profile]
    start = time.monotonic()
    ended = run([flags.program, "compile", "-o", plan, "--json"] + common + budgets, may_fail=True)
    seconds = time.monotonic() - start
    if ended.returncode == 1 and ended.stdout:
        return f"| {name} | contradict each other | | | | {len(json.loads(ended.stdout)['points'])} | {seconds:.0f} |"
    if ended.returncode != 0:
        sys.exit(ended.stderr.strip())
    search = json.loads(ended.stdout)
    chosen = search["chosen"]
    predicted, measured = chosen["latency_ms"], median_ms(flags.program, plan)
    return (f"| {name} | {describe(chosen)}, {100 * chosen['drop']:.2f} % lost | {predicted:.3f} | {measured:.3f} | "
            f"{100 * (measured / predicted - 1):+.1f} % | {len(search['points'])} | {seconds:.0f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("shared")
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--latency", type=float, default=1.05)
    parser.add_argument("--size", type=float, default=0.85)
    parser.add_argument("--memory", type=float, default=0.95)
    parser.add_argument("--drop", default="20%")
    parser.add_argument("--allow-smaller-input", action="store_true")
    parser.add_argument("--recorded", action="store_true")
    flags = parser.parse_args()
    print("| model | chosen | predicted, ms | measured, ms | off by | networks finished | search, s |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for name in flags.models.split(","):
        if name not in MODELS:
            sys.exit(f"no model {name}; there are {', '.join(MODELS)}")
        with tempfile.TemporaryDirectory() as folder:
            print(row(flags, name, folder), flush=True)


if __name__ == "__main__":
    main()
