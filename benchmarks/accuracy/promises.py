#!/usr/bin/env python3
"""What compiling to int8 costs, and what --max-drop keeps, as two Markdown tables.

usage: promises.py PROGRAM MODELS DATASETS EXPORTED

PROGRAM, MODELS and DATASETS as for accuracy.py; EXPORTED: the folder that benchmarks/peers/export_models.py writes.
First table: resnet18 with 128 images, seconds, processor seconds and peak memory. Second: networks compiled with
--max-drop 0.5%, top-1 and agreement on the test data, which the compiler does not see, and what stays float.
"""
import json
import os
import shutil
import sys
import tempfile
import time

from accuracy import MODELS, NORMAL, Classifier, call

IMAGES = 128
DROP = "0.5%"
HELD_TO_IT = ["mobilenetv1_025_imagenet", "squeezenet11_imagenet"]


def measured(*command):
    """Seconds, processor seconds and the peak of resident memory in MB of a command that has to succeed."""
    started = time.monotonic()
    silent = [(os.POSIX_SPAWN_OPEN, descriptor, os.devnull, os.O_WRONLY, 0) for descriptor in (1, 2)]
    child = os.posix_spawnp(command[0], command, os.environ, file_actions=silent)
    _, status, usage = os.wait4(child, 0)
    if status != 0:
        sys.exit(f"{' '.join(command)}: failed")
    return time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def images_of(datasets, target):
    """A folder with the first IMAGES of the ImageNet data."""
    found = [os.path.join(datasets, "imagenet", part, name) for part in ("calib", "test")
             for name in sorted(os.listdir(os.path.join(datasets, "imagenet", part))) if not name.endswith(".csv")]
    os.mkdir(target)
    for path in found[:IMAGES]:
        shutil.copy(path, target)
    return target


def print_cost(program, exported, datasets, folder):
    print(f"| resnet18, {IMAGES} images | seconds | processor seconds | peak, MB |\n|---|---|---|---|")
    images = images_of(datasets, os.path.join(folder, "images"))
    for passes in ("none", "equalize,round,bias,ranges"):
        seconds, processor, peak = measured(program, "compile", os.path.join(exported, "resnet18.onnx"), "-o",
                                 os.path.join(folder, "resnet18.bantam"), "--precision", "int8", "--calibrate", images,
                                 "--quantize-passes", passes, *NORMAL.split())
        print(f"| {passes} | {seconds:.1f} | {processor:.1f} | {peak:.0f} |", flush=True)


def kept_float(program, plan):
    """How many of the plan's multiply-accumulates and of the ops with weights are not int8, in words."""
    found = json.loads(call(program, "inspect", plan, "--json"))
    with_weights = [op for op in found["ops"] if op["macs"] > 0 and op["weights_count"] > 0]
    floats = [op for op in with_weights if op["dtype"] != "int8"]
    share = 100 * (1 - found["macs_int8"] / found["macs"])
    return f"{len(floats)} of {len(with_weights)} ops, {share:.0f} % of the work"


def print_drops(program, models, datasets, folder):
    print(f"| --max-drop {DROP} | fp32 | int8 throughout | as compiled | kept float |\n|---|---|---|---|---|")
    for name in HELD_TO_IT:
        data, image = MODELS[name]
        data = [os.path.join(datasets, path) for path in data]
        network = Classifier(program, os.path.join(models, name + ".onnx"), data, image, folder, 0)
        network.compile(network.model, network.fp32)
        whole = network.int8(network.calibration)
        held = network.int8(network.calibration, "--max-drop", DROP)
        cells = [network.cell(network.fp32).split(" ")[0], whole, held, kept_float(program, network.plan)]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    program, models, datasets, exported = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        print_cost(program, exported, datasets, folder)
        print()
        print_drops(program, models, datasets, folder)


if __name__ == "__main__":
    main()
