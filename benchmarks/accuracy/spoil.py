#!/usr/bin/env python3
"""Writes a copy of a model that computes the same in float32 and is hard to quantize.

After every depthwise convolution one channel is multiplied by 100 and the next divided by 100 (through its
BatchNormalization where it has one), and the convolution that reads them makes up for it. Where a Clip (ReLU6)
stands between, only the division is possible.

usage: spoil.py MODEL.onnx SPOILT.onnx     needs the Python packages onnx and numpy
"""
import sys

import numpy
import onnx
from onnx import numpy_helper


def scale(model, name, axis, channel, factor):
    for tensor in model.graph.initializer:
        if tensor.name == name:
            data = numpy_helper.to_array(tensor).copy()
            index = [slice(None)] * data.ndim
            index[axis] = channel
            data[tuple(index)] *= numpy.float32(factor)
            tensor.CopyFrom(numpy_helper.from_array(data, name))


def attribute(node, name, default):
    return next((a.i for a in node.attribute if a.name == name), default)


def spoil(model):
    readers = {}
    for node in model.graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    spoilt = 0
    for node in model.graph.node:
        if node.op_type != "Conv" or attribute(node, "group", 1) == 1:
            continue
        scaled, value, clipped = [(node.input[1], 0)] + [(name, 0) for name in node.input[2:3]], node.output[0], False
        while len(readers.get(value, [])) == 1:
            reader = readers[value][0]
            if reader.op_type == "BatchNormalization":
                scaled = [(reader.input[1], 0), (reader.input[2], 0)]
            elif reader.op_type == "Clip":
                clipped = True
            elif reader.op_type != "Relu":
                break
            value = reader.output[0]
        if len(readers.get(value, [])) != 1 or reader.op_type != "Conv" or attribute(reader, "group", 1) != 1:
            continue
        for channel, factor in ((1, 0.01),) if clipped else ((0, 100), (1, 0.01)):
            for name, axis in scaled:
                scale(model, name, axis, channel, factor)
            scale(model, reader.input[1], 1, channel, 1 / factor)
        spoilt += 1
    return spoilt


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    model = onnx.load(sys.argv[1])
    print(f"{spoil(model)} layers spoilt")
    onnx.save(model, sys.argv[2])


if __name__ == "__main__":
    main()
