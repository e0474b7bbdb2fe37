#!/usr/bin/env python3
"""Exports well-known torchvision networks to ONNX, with calibration and test data beside them.

The weights are random (seeded): speed does not depend on them. What must be realistic is the range of the
activations, since a collapsed or exploding network would make every numeric comparison meaningless; batch
normalization therefore gets its statistics from a batch of the same kind of images that calibration uses.

For each model NAME in the output folder:
  NAME.onnx        fp32, opset 13, batch 1, input 1x3x224x224, output 1x1000
  NAME.calib.npy   16 samples, float32, 16x3x224x224, normalized
  NAME.input.npy   one more sample, 1x3x224x224
  NAME.output.npy  what torch computes for it, 1x1000
"""
import argparse
import pathlib

import numpy as np
import torch
import torchvision

MODELS = ["resnet18", "resnet50", "mobilenet_v2", "mobilenet_v3_small", "squeezenet1_1", "shufflenet_v2_x1_0",
          "efficientnet_b0"]
SEED = 20240607
MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)


def smooth_images(count: int, generator: torch.Generator, size: int = 224) -> torch.Tensor:
    """Random images with most of their energy in low frequencies, as photographs have it; 0..1, NCHW."""
    image = torch.zeros(count, 3, size, size)
    for octave in (2, 4, 8, 16, 32, 64, 224):
        noise = torch.rand(count, 3, octave, octave, generator=generator) - 0.5
        gray = torch.rand(count, 1, octave, octave, generator=generator) - 0.5
        layer = 0.4 * noise + 0.8 * gray
        image += torch.nn.functional.interpolate(layer, size=(size, size), mode="bicubic",
                                                 align_corners=False) / octave ** 0.5
    contrast = 0.3 + 0.9 * torch.rand(count, 1, 1, 1, generator=generator)
    brightness = 0.3 + 0.4 * torch.rand(count, 1, 1, 1, generator=generator)
    image = (image * contrast * 1.2 + brightness).clamp(0, 1)
    return torch.round(image * 255) / 255


def initialize(model: torch.nn.Module) -> None:
    """He initialization with spread channel scales: trained networks' channels differ in range, which is what makes
    per-channel quantization matter."""
    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
            if module.bias is not None:
                torch.nn.init.normal_(module.bias, std=0.05)
        elif isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0  # the statistics of the one large batch below, not an average
            torch.nn.init.uniform_(module.weight, 0.6, 1.4)
            torch.nn.init.normal_(module.bias, mean=0.0, std=0.25)
        elif isinstance(module, torch.nn.Linear):
            torch.nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="linear")
            torch.nn.init.normal_(module.bias, std=0.05)


def settle_batch_norm(model: torch.nn.Module, batch: torch.Tensor) -> None:
    """Running statistics from real activations; everything else stays as in inference (no dropout)."""
    model.eval()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.train()
    with torch.no_grad():
        model(batch)
    model.eval()


def export(name: str, folder: pathlib.Path, force: bool) -> None:
    path = folder / f"{name}.onnx"
    parts = {part: folder / f"{name}.{part}.npy" for part in ("calib", "input", "output")}
    if not force and path.exists() and all(p.exists() for p in parts.values()):
        return
    torch.manual_seed(SEED)
    generator = torch.Generator().manual_seed(SEED)
    normalized = lambda count: (smooth_images(count, generator) - MEAN) / STD
    model = getattr(torchvision.models, name)(weights=None)
    initialize(model)
    settle_batch_norm(model, normalized(64))
    calib, sample = normalized(16), normalized(1)
    with torch.no_grad():
        output = model(sample)
        spread = model(calib).std(dim=0).mean()
    np.save(parts["calib"], calib.numpy())
    np.save(parts["input"], sample.numpy())
    np.save(parts["output"], output.numpy())
    partial = path.with_suffix(".partial")
    torch.onnx.export(model, sample, str(partial), opset_version=13, input_names=["input"], output_names=["output"],
                      do_constant_folding=True)
    partial.rename(path)
    print(f"{name}: {path.stat().st_size} bytes, output std {output.std():.3f}, between images {spread:.3f}",
          flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parents[1] / "out" / "models")
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--force", action="store_true", help="export again what is already there")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    for name in arguments.models.split(","):
        export(name, arguments.output, arguments.force)


if __name__ == "__main__":
    main()
