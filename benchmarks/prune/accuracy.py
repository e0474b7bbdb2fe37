#!/usr/bin/env python3
"""Accuracy over pruning ratio, with and without reconstruction, as a Markdown table and, with --svg, as a figure.

usage: accuracy.py PROGRAM MODEL.onnx --calibrate PATH --inputs PATH --labels PATH [--unit macs|params|channels]
                   [--ratios 15,30,50] [--svg FILE] [image options of bantam]
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile


def top1(program, model, flags, image):
    command = [program, "eval", model, "--inputs", flags.inputs, "--labels", flags.labels, "--json"]
    return 100 * json.loads(subprocess.run(command + image, check=True, capture_output=True).stdout)["top1"]


def pruned(flags, image, ratio, more, folder):
    """Top-1 accuracy in % of the pruned plan, and the share of the macs that really went, in %."""
    plan = os.path.join(folder, "pruned.bantam")
    command = [flags.program, "compile", flags.model, "-o", plan, "--prune", f"{ratio}%{flags.unit}",
               "--calibrate", flags.calibrate]
    ended = subprocess.run(command + more + image, capture_output=True, text=True)
    if ended.returncode != 0:
        sys.exit(ended.stderr.strip())
    gone = re.search(r"pruned ([0-9.]+) % of the macs", ended.stdout + ended.stderr)
    return top1(flags.program, plan, flags, []), gone.group(1) if gone else "?"


def figure(title, whole, rows):
    """Both curves, 480 x 320; `rows`: (ratio, accuracy without, accuracy with), all in %."""
    right = max(row[0] for row in rows)
    x = lambda ratio: 50 + 410 * ratio / right
    y = lambda accuracy: 290 - 2.6 * accuracy
    curve = lambda column: " ".join(f"{x(r[0]):.1f},{y(r[column]):.1f}" for r in [(0, whole, whole)] + rows)
    parts = [f'<text x="240" y="18" text-anchor="middle">{title}</text>']
    for accuracy in range(0, 101, 20):
        parts.append(f'<path d="M50 {y(accuracy)}H460" stroke="#ddd"/><text x="44" y="{y(accuracy) + 4}" '
                     f'text-anchor="end">{accuracy}</text>')
    for row in rows:
        parts.append(f'<text x="{x(row[0]):.1f}" y="306" text-anchor="middle">{row[0]:g}</text>')
    for column, colour, name in ((1, "#c33", "weights as they are"), (2, "#26c", "solved again")):
        parts.append(f'<polyline points="{curve(column)}" fill="none" stroke="{colour}" stroke-width="2"/>'
                     f'<text x="60" y="{240 + 18 * column}" fill="{colour}">{name}</text>')
    return ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 320" font-family="sans-serif" font-size="12">'
            + "".join(parts) + "</svg>\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("model")
    for name in ("--calibrate", "--inputs", "--labels"):
        parser.add_argument(name, required=True)
    parser.add_argument("--unit", default="macs", choices=["macs", "params", "channels"])
    parser.add_argument("--ratios", default="15,30,50")
    parser.add_argument("--svg")
    flags, image = parser.parse_known_args()
    whole = top1(flags.program, flags.model, flags, image)
    title = f"{os.path.basename(flags.model)}, {whole:.2f} %"
    print(f"| {title} | macs gone | not solved again | lost | solved again | lost | brought back |\n|" + "---|" * 7)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for ratio in flags.ratios.split(","):
            bare, _ = pruned(flags, image, ratio, ["--no-reconstruct"], folder)
            solved, gone = pruned(flags, image, ratio, [], folder)
            share = f"{100 * (solved - bare) / (whole - bare):.0f} %" if whole > bare else "nothing lost"
            print(f"| {ratio} % of the {flags.unit} | {gone} % | {bare:.2f} | {whole - bare:.2f} | {solved:.2f} | "
                  f"{whole - solved:.2f} | {share} |", flush=True)
            rows.append((float(ratio), bare, solved))
    if flags.svg:
        with open(flags.svg, "w", encoding="utf-8") as file:
            file.write(figure(title, whole, rows))


if __name__ == "__main__":
    main()
