#!/usr/bin/env python3
"""What pricing channels by kernel work buys a latency budget: the plan that a search finds against one pruned by macs as far.

usage: pricing.py PROGRAM SHARED [--models resnet20_cifar10,resnet8_cifar10] [--latency 0.8] [--rounds 7]

The search within a share of the int8 plan's latency says how much of the macs it took; `compile --prune` takes the same share,
priced by macs. Both are timed in turns, the least median counts, and scored on the test set, as a Markdown table. SHARED: a folder with
models/ and datasets/; the models are those of CIFAR-10.
"""
import argparse
import json
import os
import tempfile

from prediction import MODELS, median_ms, run


def top1(program, shared, plan):
    data = os.path.join(shared, "datasets", "cifar10")
    return 100 * json.loads(run([program, "eval", plan, "--inputs", f"{data}/test_images.npy",
                                 "--labels", f"{data}/test_labels.npy", "--json"]).stdout)["top1"]


def rows(flags, name, folder):
    data, image = MODELS[name]
    whole, searched, by_macs = (os.path.join(folder, plan) for plan in ("whole.bantam", "searched.bantam", "macs.bantam"))
    compile_to = lambda plan, more, may_fail=False: run([flags.program, "compile", "-o", plan, os.path.join(flags.shared, "models", name + ".onnx"),
                                         "--calibrate", os.path.join(flags.shared, "datasets", data), "--no-doctor",
                                         "--precision", "int8"] + image + more, may_fail)
    compile_to(whole, ["--allow-slower"])
    limit = 1000 * flags.latency * median_ms(flags.program, whole)
    ended = compile_to(searched, ["--max-latency", f"{limit:.1f}us", "--json"], may_fail=True)
    if ended.returncode != 0:
        return [f"| {name} | {ended.stderr.strip() or 'no network is as fast'} | | |"]
    share = 100 * json.loads(ended.stdout)["chosen"]["pruned"]
    if share == 0:
        return [f"| {name} | nothing had to be pruned | | |"]
    compile_to(by_macs, ["--allow-slower", "--prune", f"{share:.0f}%"])
    times = {by_macs: [], searched: []}
    for _ in range(flags.rounds):
        for plan, seen in times.items():
            seen.append(median_ms(flags.program, plan))
    label = {by_macs: "macs", searched: "kernel work"}
    return [f"| {name} | {share:.0f} % by {label[plan]} | {top1(flags.program, flags.shared, plan):.2f} | {min(seen):.3f} |"
            for plan, seen in times.items()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("shared")
    parser.add_argument("--models", default="resnet20_cifar10,resnet8_cifar10")
    parser.add_argument("--latency", type=float, default=0.8)
    parser.add_argument("--rounds", type=int, default=7)
    flags = parser.parse_args()
    print("| model | pruned | top-1 | ms |\n|---|---|---|---|", flush=True)
    for name in flags.models.split(","):
        with tempfile.TemporaryDirectory() as folder:
            print("\n".join(rows(flags, name, folder)), flush=True)


if __name__ == "__main__":
    main()
