#!/usr/bin/env python3
"""Trains the digits network; writes digits.onnx, test/ (PNG, labels.csv) and calib/ (PNG).

The data set comes with scikit-learn: nothing is downloaded.
"""
import argparse
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

SEED, SIDE, BATCH = 1998, 32, 64
TEST_IMAGES, CALIB_IMAGES = 500, 100


def conv_bn(cin, cout, kernel, stride=1, groups=1):
    conv = nn.Conv2d(cin, cout, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(cout))


class Residual(nn.Module):
    def __init__(self, cin, cout, stride=1):
        super().__init__()
        self.conv1 = conv_bn(cin, cout, 3, stride)
        self.conv2 = conv_bn(cout, cout, 3)
        self.skip = nn.Identity() if cin == cout else conv_bn(cin, cout, 1, stride)

    def forward(self, x):
        return F.relu(self.conv2(F.relu(self.conv1(x))) + self.skip(x))


class DigitsNet(nn.Module):
    """Input: N,1,32,32 normalized grey levels. Output: N,10 logits."""
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(conv_bn(1, 16, 3), nn.ReLU())
        self.blocks = nn.Sequential(
            Residual(16, 16), Residual(16, 32, 2), Residual(32, 64, 2), Residual(64, 64))
        self.separable = nn.Sequential(
            conv_bn(64, 64, 3, 2, groups=64), nn.ReLU6(), conv_bn(64, 128, 1), nn.ReLU6())
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.linear = nn.Linear(128, 10)

    def forward(self, x):
        x = self.separable(self.blocks(self.stem(x)))
        return self.linear(torch.flatten(self.pool(x), 1))


def load_split():
    """The 8x8 images (0..16) as 32x32 grey uint8, split by a fixed seed."""
    data = load_digits()
    small = np.round(data.images * (255 / 16)).astype(np.uint8)
    images = np.stack([np.asarray(Image.fromarray(i).resize((SIDE, SIDE), Image.BICUBIC))
                       for i in small])
    train_x, test_x, train_y, test_y = train_test_split(
        images, data.target, test_size=TEST_IMAGES, random_state=SEED, stratify=data.target)
    _, calib_x = train_test_split(
        train_x, test_size=CALIB_IMAGES, random_state=SEED, stratify=train_y)
    return train_x, train_y, calib_x, test_x, test_y


def write_images(folder, images, labels=()):
    folder.mkdir(parents=True, exist_ok=True)
    for i, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{i:03d}.png", optimize=True)
    if len(labels):
        lines = (f"{i:03d}.png,{label}\n" for i, label in enumerate(labels))
        (folder / "labels.csv").write_text("".join(lines))


def read_images(folder):
    rows = [line.split(",") for line in (folder / "labels.csv").read_text().splitlines()]
    images = np.stack([np.asarray(Image.open(folder / name)) for name, _ in rows])
    return images, np.array([int(label) for _, label in rows])


def to_input(images, mean, std):
    return (torch.from_numpy(images.astype(np.float32))[:, None] - mean) / std


def augment(x, gen, std):
    """Rotation up to 12 degrees, scale 0.88..1.12, shift up to 2 pixels, contrast, noise."""
    def uniform(bound):
        return (torch.rand(len(x), generator=gen) * 2 - 1) * bound
    angle, scale = uniform(math.radians(12)), 1 + uniform(0.12)
    cos, sin = torch.cos(angle) * scale, torch.sin(angle) * scale
    shift = 2 * 2 / SIDE  # the grid spans -1..1
    theta = torch.stack([cos, -sin, uniform(shift), sin, cos, uniform(shift)], 1).view(-1, 2, 3)
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    x = F.grid_sample(x, grid, padding_mode="border", align_corners=False)
    x = x * (1 + uniform(0.15))[:, None, None, None]
    return x + torch.randn(x.shape, generator=gen) * (12 / std)


def fit(net, x, y, std, epochs):
    gen = torch.Generator().manual_seed(SEED)
    steps = len(x) // BATCH  # per epoch; the last, incomplete batch is dropped
    optimizer = torch.optim.SGD(net.parameters(), 0.1, 0.9, weight_decay=5e-4, nesterov=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, epochs * steps)
    for epoch in range(epochs):
        total = 0
        for pick in torch.randperm(len(x), generator=gen)[:steps * BATCH].split(BATCH):
            loss = F.cross_entropy(net(augment(x[pick], gen, std)), y[pick])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch + 1}/{epochs} loss {total / steps:.4f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--epochs", type=int, default=30)
    args = parser.parse_args()
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)

    train_x, train_y, calib_x, test_x, test_y = load_split()
    write_images(args.out / "calib", calib_x)
    write_images(args.out / "test", test_x, test_y)
    mean, std = round(float(train_x.mean()), 1), round(float(train_x.std()), 1)
    net = DigitsNet().train()
    print(f"parameters {sum(p.numel() for p in net.parameters())} mean {mean} std {std}")
    fit(net, to_input(train_x, mean, std), torch.from_numpy(train_y), std, args.epochs)
    net.eval()

    # BatchNorm stays unfolded in the file: folding it into the convolutions is the compiler's work.
    torch.onnx.export(
        net, torch.zeros(1, 1, SIDE, SIDE), str(args.out / "digits.onnx"), opset_version=13,
        training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False,
        input_names=["image"], output_names=["logits"],
        dynamic_axes={"image": {0: "N"}, "logits": {0: "N"}})
    images, labels = read_images(args.out / "test")  # the files just written, not the arrays
    with torch.no_grad():
        right = (net(to_input(images, mean, std)).argmax(1).numpy() == labels).sum()
    print(f"test accuracy {right}/{len(labels)} = {right / len(labels):.2%}")


if __name__ == "__main__":
    main()
