#!/usr/bin/env python3
"""Accuracy over pruning ratio, with and without reconstruction, as a table.

usage: accuracy.py PROGRAM MODEL.onnx --calibrate PATH --inputs PATH --labels PATH [--unit macs|params|channels]
                   [--ratios 15,30,50] [image options of bantam]
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile


def top1(program, model, flags, image):
    command = [program, "eval", model, "--inputs", flags.inputs, "--labels", flags.labels, "--json"]
    return 100 * json.loads(subprocess.run(command + image, check=True, capture_output=True).stdout)["top1"]


def pruned(program, model, flags, image, ratio, more, folder):
    plan = os.path.join(folder, "pruned.bantam")
    command = [program, "compile", model, "-o", plan, "--prune", f"{ratio}%{flags.unit}", "--calibrate", flags.calibrate]
    ended = subprocess.run(command + more + image, capture_output=True, text=True)
    if ended.returncode != 0:
        sys.exit(ended.stderr.strip())
    return top1(program, plan, flags, [])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("model")
    for name in ("--calibrate", "--inputs", "--labels"):
        parser.add_argument(name, required=True)
    parser.add_argument("--unit", default="macs", choices=["macs", "params", "channels"])
    parser.add_argument("--ratios", default="15,30,50")
    flags, image = parser.parse_known_args()
    whole = top1(flags.program, flags.model, flags, image)
    print(f"{os.path.basename(flags.model)}: {whole:.2f} % top-1")
    print(f"{'% ' + flags.unit:>10} {'without':>9} {'lost':>7} {'solved':>9} {'lost':>7} {'recovered':>10}")
    with tempfile.TemporaryDirectory() as folder:
        for ratio in flags.ratios.split(","):
            bare = pruned(flags.program, flags.model, flags, image, ratio, ["--no-reconstruct"], folder)
            solved = pruned(flags.program, flags.model, flags, image, ratio, [], folder)
            share = (solved - bare) / (whole - bare) if whole > bare else 1.0
            print(f"{ratio:>10} {bare:9.2f} {whole - bare:7.2f} {solved:9.2f} {whole - solved:7.2f} {100 * share:9.0f}%",
                  flush=True)


if __name__ == "__main__":
    main()
