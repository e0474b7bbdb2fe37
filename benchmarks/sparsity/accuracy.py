#!/usr/bin/env python3
"""Accuracy, plan size and time over sparsity, by magnitude and by second order, as a Markdown table.

usage: accuracy.py PROGRAM MODEL.onnx --calibrate PATH --inputs PATH --labels PATH [--shares 50,70,80]
                   [--precision fp32|int8] [--time] [image options of bantam]
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile


def output_of(command):
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode != 0:
        sys.exit(f"{' '.join(command)}: {ended.stderr.strip()}")
    return ended.stdout


def measured(flags, image, more, folder):
    """Of the plan that `more` makes: top-1 in %, its bytes, and the least ms of a run, or None."""
    plan = os.path.join(folder, "sparse.bantam")
    command = [flags.program, "compile", flags.model, "-o", plan, "--precision", flags.precision, "--no-doctor"] + more
    if flags.precision == "int8":
        command += ["--allow-slower"]
    if flags.precision == "int8" or "second-order" in more:
        command += ["--calibrate", flags.calibrate]
    output_of(command + image)
    score = [flags.program, "eval", plan, "--inputs", flags.inputs, "--labels", flags.labels, "--json"]
    top1 = 100 * json.loads(output_of(score))["top1"]
    ms = None
    if flags.time:
        ms = json.loads(output_of([flags.program, "bench", plan, "--json"]))["latency_ms"]["min"]
    return top1, os.path.getsize(plan), ms


def row(name, result, whole):
    top1, size, ms = result
    cells = [name, f"{top1:.2f}", f"{whole[0] - top1:+.2f}", f"{size:,}", f"{100 * size / whole[1]:.0f} %"]
    if ms is not None:
        cells.append(f"{ms:.3f}")
    print("| " + " | ".join(cells) + " |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("model")
    for name in ("--calibrate", "--inputs", "--labels"):
        parser.add_argument(name, required=True)
    parser.add_argument("--shares", default="50,70,80")
    parser.add_argument("--precision", default="fp32", choices=["fp32", "int8"])
    parser.add_argument("--time", action="store_true")
    flags, image = parser.parse_known_args()
    heads = [f"{os.path.basename(flags.model)}, {flags.precision}", "top-1 %", "lost", "plan bytes", "of dense"]
    if flags.time:
        heads.append("ms")
    print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    with tempfile.TemporaryDirectory() as folder:
        whole = measured(flags, image, [], folder)
        row("dense", whole, whole)
        for share in flags.shares.split(","):
            for criterion in ("magnitude", "second-order"):
                result = measured(flags, image, ["--sparsity", f"{share}%", "--sparsity-by", criterion], folder)
                row(f"{share} %, {criterion}", result, whole)


if __name__ == "__main__":
    main()
