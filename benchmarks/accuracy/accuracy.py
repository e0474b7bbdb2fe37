#!/usr/bin/env python3
"""What int8 loses on each model, and what each pass against it buys, as a Markdown table.

usage: accuracy.py PROGRAM MODELS DATASETS [--only NAME,NAME] [--limit N] [--few N]

PROGRAM is bantam; MODELS a folder of NAME.onnx with quantized/NAME.qdq.onnx beside them, DATASETS the folder of their
data. Models that are not there are left out. Cells: top-1 in % (AUC x 100 for the autoencoder) and, after a slash, how
often the top-1 is that of fp32. With --few N, instead of the passes: all calibration samples, then each of four choices
of N of them. Needs the Python package numpy for the autoencoder and for --few.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

CIFAR = ("cifar10/calib_images.npy", "cifar10/test_images.npy", "cifar10/test_labels.npy")
IMAGENET = ("imagenet/calib", "imagenet/test", "imagenet/test/labels.csv")
NORMAL = "--image rgb --mean 123.675,116.28,103.53 --std 58.395,57.12,57.375"
SIGNED = "--image rgb --mean 127.5,127.5,127.5 --std 127.5,127.5,127.5"
MODELS = {
    "resnet8_cifar10": (CIFAR, "--image rgb"),
    "resnet20_cifar10": (CIFAR, NORMAL),
    "resnet56_cifar10": (CIFAR, NORMAL),
    "mobilenetv1_025_vww": (("vww/calib_images.npy", "vww/test_images.npy", "vww/test_labels.npy"),
                            "--image rgb --std 255,255,255"),
    "dscnn_kws": (("kws/calib_inputs.npy", "kws/test_inputs.npy", "kws/test_labels.npy"), ""),
    "mobilenetv1_025_imagenet": (IMAGENET, SIGNED),
    "mobilenetv2_imagenet": (IMAGENET, SIGNED),
    "squeezenet11_imagenet": (IMAGENET, "--image bgr --mean 104,117,123"),
    "autoencoder_toycar": (("ad/calib_frames.npy", "ad/test_frames.npy", "ad/test_labels.npy"), None),
}
CHOICES = 4  # of few samples
STEPS = ["none", "bias", "equalize,bias", "equalize,bias,ranges", "equalize,round,bias,ranges"]


def call(*command):
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode != 0:
        sys.exit(f"{' '.join(command)}: {ended.stderr.strip()}")
    return ended.stdout


def few_of(source, count, choice, folder):
    """Evenly spread `count` samples of an .npy file or a folder of images; another `choice` begins elsewhere."""
    target = os.path.join(folder, f"few{choice}")
    if not os.path.isdir(source):
        import numpy
        samples = numpy.load(source)
        numpy.save(target + ".npy", samples[indices(len(samples), count, choice)])
        return target + ".npy"
    images = sorted(name for name in os.listdir(source) if not name.endswith(".csv"))
    os.mkdir(target)
    for i in indices(len(images), count, choice):
        shutil.copy(os.path.join(source, images[i]), target)
    return target


def indices(total, count, choice):
    return [(i * total // count + choice * total // count // CHOICES) % total for i in range(count)]


class Classifier:
    def __init__(self, program, model, data, image, folder, limit):
        self.program, self.model, self.image, self.folder = program, model, image.split(), folder
        self.calibration, inputs, labels = data
        self.samples = ["--inputs", inputs, "--labels", labels] + (["--limit", str(limit)] if limit else [])
        self.plan, self.fp32 = os.path.join(folder, "int8.bantam"), os.path.join(folder, "fp32.bantam")

    def compile(self, model, plan, *flags):
        call(self.program, "compile", model, "-o", plan, *flags, *self.image)

    def cell(self, plan):
        found = json.loads(call(self.program, "eval", plan, *self.samples, "--against", self.fp32, "--json"))
        return f"{100 * found['top1']:.2f} / {100 * found['agreement']:.1f}"

    def int8(self, calibration, *flags):
        self.compile(self.model, self.plan, "--precision", "int8", "--calibrate", calibration, "--no-doctor", *flags)
        return self.cell(self.plan)

    def row_of_few(self, count):
        self.compile(self.model, self.fp32)
        few = [few_of(self.calibration, count, choice, self.folder) for choice in range(CHOICES)]
        return [self.cell(self.fp32).split(" ")[0]] + [self.int8(samples) for samples in [self.calibration] + few]

    def row(self, quantized):
        self.compile(self.model, self.fp32)
        cells = [self.cell(self.fp32).split(" ")[0]]
        if os.path.exists(quantized):
            self.compile(quantized, self.plan)
        cells.append(self.cell(self.plan) if os.path.exists(quantized) else "")
        for passes in STEPS:
            cells.append(self.int8(self.calibration, "--quantize-passes", passes))
        return cells


class Autoencoder(Classifier):
    """Scores recordings by the mean squared error of their windows of 5 frames."""

    def __init__(self, program, model, data, folder):
        import numpy
        super().__init__(program, model, data, "", folder, 0)
        self.numpy = numpy
        self.windows = os.path.join(folder, "windows.npy")
        self.calibration = os.path.join(folder, "calibration.npy")
        self.labels = numpy.load(data[2])
        numpy.save(self.calibration, self.windows_of(numpy.load(data[0]), 14))
        self.inputs = self.windows_of(numpy.load(data[1]), 1)
        numpy.save(self.windows, self.inputs[:, None])

    def windows_of(self, frames, step):
        starts = range(0, frames.shape[1] - 4, step)
        parts = [frames[:, start:start + 5].reshape(len(frames), 1, -1) for start in starts]
        return self.numpy.concatenate(parts, 1).reshape(-1, parts[0].shape[-1])

    def cell(self, plan):
        call(self.program, "run", plan, "--input", self.windows, "--output", self.folder)
        output = self.numpy.load(os.path.join(self.folder, "output.npy")).reshape(self.inputs.shape)
        scores = ((output - self.inputs) ** 2).mean(1).reshape(len(self.labels), -1).mean(1)
        normal, anomaly = scores[self.labels == 0], scores[self.labels == 1]
        wins = (anomaly[:, None] > normal).mean() + 0.5 * (anomaly[:, None] == normal).mean()
        return f"{100 * wins:.2f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("program", "models", "datasets"):
        parser.add_argument(name)
    parser.add_argument("--only", default=",".join(MODELS), metavar="NAME,NAME", help="these models")
    parser.add_argument("--limit", type=int, default=0, help="only the first N test samples")
    parser.add_argument("--few", type=int, default=0, metavar="N", help="calibrate with N samples, too")
    flags = parser.parse_args()
    columns = ["model", "fp32"]
    columns += ["all"] + [f"{flags.few} samples"] * CHOICES if flags.few else ["ONNX Runtime's int8 file"] + STEPS
    print("| " + " | ".join(columns) + " |")
    print("|---" * len(columns) + "|")
    for name in flags.only.split(","):
        model = os.path.join(flags.models, name + ".onnx")
        if not os.path.exists(model):
            continue
        data, image = MODELS[name]
        data = [os.path.join(flags.datasets, path) for path in data]
        with tempfile.TemporaryDirectory() as folder:
            if image is None:
                measured = Autoencoder(flags.program, model, data, folder)
            else:
                measured = Classifier(flags.program, model, data, image, folder, flags.limit)
            quantized = os.path.join(flags.models, "quantized", name + ".qdq.onnx")
            cells = measured.row_of_few(flags.few) if flags.few else measured.row(quantized)
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
