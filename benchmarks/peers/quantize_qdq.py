#!/usr/bin/env python3
"""Quantizes the exported models for ONNX Runtime, by the rules of its own quantize_static.

NAME.onnx becomes NAME.int8.onnx: QDQ format, activations unsigned 8 bits asymmetric per tensor, weights signed 8 bits
symmetric per output channel, bias 32 bits with scale = input scale * weight scale, ranges from minimum and maximum over
the calibration samples. ONNX Runtime runs the graph optimizations that its pre-processing prescribes and the
calibration (calibrate.mjs). Which tensors get a QuantizeLinear/DequantizeLinear pair:

  Conv, Gemm, MatMul       input, weights, bias, output
  Relu, Clip               removed: the following QuantizeLinear clips, as the zero point sits at the range's end
  DIRECT                   output like the input, if the input is quantized
  GENERIC                  every float input and output
  all others               nothing

A careful user leaves out what is slower quantized (FASTER_WITHOUT); --plain doesn't.
"""
import argparse
import json
import pathlib
import subprocess
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = pathlib.Path(__file__).resolve().parent
GEMM_LIKE = {"Conv", "ConvTranspose", "Gemm", "MatMul"}
REMOVABLE = {"Relu", "Clip"}
DIRECT = {"Reshape", "Transpose", "Squeeze", "Unsqueeze", "Resize", "MaxPool", "AveragePool", "Slice", "Pad", "Split"}
GENERIC = {"Add", "Mul", "Sigmoid", "LeakyRelu", "GlobalAveragePool", "Concat", "Softmax", "Where"}
ALL_OPS = GEMM_LIKE | REMOVABLE | DIRECT | GENERIC
# What makes ONNX Runtime faster when left in float. Tried on every model: leaving out Add, Mul, Sigmoid, Concat, the
# pools, squeeze-and-excite blocks and all but convolutions.
FASTER_WITHOUT = {"shufflenet_v2_x1_0": {"Concat"}}


def node_tool(*arguments: str) -> str:
    command = ["node", str(HERE / "calibrate.mjs"), *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def preprocess(path: pathlib.Path, scratch: pathlib.Path) -> onnx.ModelProto:
    """Folds constants and batch normalization, then infers all shapes and types."""
    optimized = scratch / "optimized.onnx"
    node_tool("optimize", str(path), str(optimized))
    model = onnx.load(str(optimized))
    used = {node.domain for node in model.graph.node}
    opsets = [opset for opset in model.opset_import if opset.domain in used or opset.domain == ""]
    del model.opset_import[:]
    model.opset_import.extend(opsets)
    return onnx.shape_inference.infer_shapes(model)


def activation_ranges(model: onnx.ModelProto, calibration: pathlib.Path, scratch: pathlib.Path) -> dict:
    exposed = onnx.ModelProto()
    exposed.CopyFrom(model)
    known = {output.name for output in exposed.graph.output}
    for value in model.graph.value_info:
        if value.type.tensor_type.elem_type == TensorProto.FLOAT and value.name not in known:
            exposed.graph.output.append(value)
    path = scratch / "exposed.onnx"
    onnx.save(exposed, str(path))
    return json.loads(node_tool("ranges", str(path), str(calibration)))


class Quantizer:
    def __init__(self, model: onnx.ModelProto, ranges: dict, op_types: set, exclude: set):
        self.graph = model.graph
        self.ranges = ranges
        self.op_types = op_types
        self.exclude = exclude
        self.initializers = {tensor.name: tensor for tensor in self.graph.initializer}
        self.outputs = {output.name for output in self.graph.output}
        self.like = {}  # quantized activation -> the tensor whose scale and zero point it takes
        self.weights = {}  # initializer -> axis, or None for one scale and zero point
        self.biases = {}  # initializer -> (input activation, weights)
        self.replaced = {}  # output of a removed activation's producer -> its new name
        self.new_initializers = []
        self.dequantized_weights = []

    def is_float(self, name: str) -> bool:
        if name in self.initializers:
            return self.initializers[name].data_type == TensorProto.FLOAT
        return name in self.ranges

    def consumers(self, name: str) -> list:
        return [node for node in self.graph.node if name in node.input]

    # --- which tensors ---

    def mark(self, name: str, like: str = None) -> None:
        if not name or not self.is_float(name):
            return
        if name in self.initializers:
            self.weights.setdefault(name, None)
        else:
            self.like.setdefault(name, like or name)

    def mark_gemm_like(self, node: onnx.NodeProto) -> None:
        self.mark(node.input[0])
        self.mark(node.output[0])
        weights = node.input[1]
        if weights not in self.initializers:
            self.mark(weights)
            return
        if node.op_type == "Gemm":
            self.weights[weights] = 0 if any(a.name == "transB" and a.i for a in node.attribute) else 1
        else:
            self.weights[weights] = {"Conv": 0, "ConvTranspose": 1, "MatMul": -1}[node.op_type]
        if len(node.input) > 2 and node.input[2] in self.initializers:
            self.biases[node.input[2]] = (node.input[0], weights)

    def mark_removable(self, node: onnx.NodeProto) -> bool:
        source, result = node.input[0], node.output[0]
        if source not in self.like:
            return False
        if len(self.consumers(source)) != 1 or source in self.outputs or self.ranges[result][0] < 0:
            self.mark(result)
            return False
        producer = next(other for other in self.graph.node if source in other.output)
        producer.output[list(producer.output).index(source)] = result
        like = self.like.pop(source)
        self.like.setdefault(result, result if like == source else like)
        return True

    def mark_all(self) -> None:
        removed = []
        for node in self.graph.node:
            if node.op_type not in self.op_types or node.name in self.exclude:
                continue
            if node.op_type in GEMM_LIKE:
                self.mark_gemm_like(node)
            elif node.op_type in REMOVABLE:
                if self.mark_removable(node):
                    removed.append(node)
            elif node.op_type in DIRECT:
                if node.input[0] in self.like:
                    for output in node.output:
                        self.mark(output, self.like[node.input[0]])
            else:
                for name in [*node.input, *node.output]:
                    self.mark(name)
        for node in removed:
            self.graph.node.remove(node)

    # --- their parameters ---

    def add(self, name: str, array: np.ndarray) -> str:
        self.new_initializers.append(numpy_helper.from_array(array, name))
        return name

    def unsigned_parameters(self, low: float, high: float) -> tuple:
        low, high = min(low, 0.0), max(high, 0.0)
        scale = np.float32((high - low) / 255) if high > low else np.float32(1)
        return scale, np.uint8(np.clip(np.round(-low / float(scale)), 0, 255))

    def dequantize(self, stored: str, scale: str, zero_point: str, name: str, axis: int = None) -> None:
        attributes = {} if axis is None else {"axis": axis}
        self.dequantized_weights.append(
            helper.make_node("DequantizeLinear", [stored, scale, zero_point], [name + "_DequantizeLinear_Output"],
                             name + "_DequantizeLinear", **attributes))

    def smallest_weight_scale(self, weights: str, activation_scales: dict) -> np.ndarray:
        """Below it the bias would overflow 32 bits, as it does in nearly dead channels."""
        for bias, (source, name) in self.biases.items():
            if name == weights:
                largest = np.abs(numpy_helper.to_array(self.initializers[bias]).astype(np.float64))
                return largest * 1.0001 / (2 ** 31 - 1) / activation_scales[source]
        return np.float64(0)

    def quantize_weights(self, activation_scales: dict) -> dict:
        scales = {}
        for name, axis in self.weights.items():
            array = numpy_helper.to_array(self.initializers[name]).astype(np.float64)
            if axis is None:
                scale, zero_point = self.unsigned_parameters(array.min(), array.max())
                stored = np.clip(np.round(array / scale) + zero_point, 0, 255).astype(np.uint8)
            else:
                axis %= array.ndim
                others = tuple(i for i in range(array.ndim) if i != axis)
                largest = np.abs(array).max(axis=others)
                scale = np.where(largest > 0, largest / 127, 1)
                scale = np.maximum(scale, self.smallest_weight_scale(name, activation_scales)).astype(np.float32)
                shape = [-1 if i == axis else 1 for i in range(array.ndim)]
                stored = np.clip(np.round(array / scale.reshape(shape)), -127, 127).astype(np.int8)
                zero_point = np.zeros_like(scale, np.int8)
            scales[name] = np.asarray(scale, np.float32)
            self.dequantize(self.add(name + "_quantized", stored), self.add(name + "_scale", scales[name]),
                            self.add(name + "_zero_point", np.asarray(zero_point)), name, axis)
        return scales

    def quantize_biases(self, weight_scales: dict, activation_scales: dict) -> None:
        for name, (source, weights) in self.biases.items():
            array = numpy_helper.to_array(self.initializers[name]).astype(np.float64)
            scale = (activation_scales[source] * weight_scales[weights]).astype(np.float32)
            stored = np.clip(np.round(array / scale), -2 ** 31, 2 ** 31 - 1).astype(np.int32)
            self.dequantize(self.add(name + "_quantized", stored), self.add(name + "_scale", scale),
                            self.add(name + "_zero_point", np.zeros(scale.shape, np.int32)), name, 0)

    def quantize_activations(self) -> tuple:
        """Returns the scales, the new nodes and new names for consumers and producers of the tensors."""
        scales, nodes, consumed, produced = {}, [], {}, {}
        for name, like in self.like.items():
            if like == name:
                scales[name], zero_point = self.unsigned_parameters(*self.ranges[name])
                self.add(name + "_scale", scales[name])
                self.add(name + "_zero_point", zero_point)
        for name, like in self.like.items():
            scales[name] = scales[like]
            parameters = [like + "_scale", like + "_zero_point"]
            source, quantized, result = name, name + "_QuantizeLinear_Output", name + "_DequantizeLinear_Output"
            if name in self.outputs:
                source, result = name + "_QuantizeLinear_Input", name
                produced[name] = source
            consumed[name] = result
            nodes.append(helper.make_node("QuantizeLinear", [source, *parameters], [quantized],
                                          name + "_QuantizeLinear"))
            nodes.append(helper.make_node("DequantizeLinear", [quantized, *parameters], [result],
                                          name + "_DequantizeLinear"))
        return scales, nodes, consumed, produced

    def run(self) -> None:
        self.mark_all()
        activation_scales, pairs, consumed, produced = self.quantize_activations()
        self.quantize_biases(self.quantize_weights(activation_scales), activation_scales)
        gone = {*self.weights, *self.biases}
        consumed.update({name: name + "_DequantizeLinear_Output" for name in gone})
        for node in self.graph.node:
            for index, name in enumerate(node.input):
                node.input[index] = consumed.get(name, name)
            for index, name in enumerate(node.output):
                node.output[index] = produced.get(name, name)
        nodes = sort_topologically([*self.dequantized_weights, *pairs, *self.graph.node])
        del self.graph.node[:]
        self.graph.node.extend(nodes)
        used = {name for node in nodes for name in node.input}
        kept = [tensor for tensor in self.graph.initializer if tensor.name in used and tensor.name not in gone]
        del self.graph.initializer[:]
        self.graph.initializer.extend([*kept, *self.new_initializers])
        del self.graph.value_info[:]


def sort_topologically(nodes: list) -> list:
    producers = {output for node in nodes for output in node.output}
    done, result, waiting = set(), [], list(nodes)
    while waiting:
        later = []
        for node in waiting:
            if all(name in done or name not in producers for name in node.input):
                result.append(node)
                done.update(node.output)
            else:
                later.append(node)
        if len(later) == len(waiting):
            raise ValueError("the graph has a cycle")
        waiting = later
    return result


def quantize(path: pathlib.Path, calibration: pathlib.Path, output: pathlib.Path, op_types: set, exclude: set) -> None:
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        model = preprocess(path, scratch)
        ranges = activation_ranges(model, calibration, scratch)
    Quantizer(model, ranges, op_types, exclude).run()
    model.producer_name = "bantam peers"
    onnx.checker.check_model(model)
    partial = output.with_suffix(".partial")
    onnx.save(model, str(partial))
    partial.rename(output)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", type=pathlib.Path, help="NAME.onnx with NAME.calib.npy beside it "
                        "(default: all of benchmarks/out/models)")
    parser.add_argument("--output", type=pathlib.Path, help="for one model; default NAME.int8.onnx")
    parser.add_argument("--op-types", help="only these operators, comma-separated")
    parser.add_argument("--exclude-ops", default="", help="all but these operators")
    parser.add_argument("--plain", action="store_true", help="what quantize_static does when told nothing else")
    parser.add_argument("--exclude-nodes", default="", help="all but these nodes")
    parser.add_argument("--force", action="store_true", help="quantize again what is already there")
    arguments = parser.parse_args()
    models = arguments.models or sorted(path for path in (HERE.parent / "out" / "models").glob("*.onnx")
                                        if not path.name.endswith(".int8.onnx"))
    op_types = set(arguments.op_types.split(",")) if arguments.op_types else ALL_OPS
    op_types = op_types - set(arguments.exclude_ops.split(","))
    tuned = not (arguments.plain or arguments.op_types or arguments.exclude_ops or arguments.exclude_nodes)
    for path in models:
        output = arguments.output or path.with_suffix(".int8.onnx")
        if not arguments.force and output.exists() and output.stat().st_mtime >= path.stat().st_mtime:
            continue
        left_out = FASTER_WITHOUT.get(path.stem, set()) if tuned else set()
        quantize(path, path.with_suffix(".calib.npy"), output, op_types - left_out,
                 set(arguments.exclude_nodes.split(",")))
        print(f"{path.stem}: {path.stat().st_size} -> {output.stat().st_size} bytes", flush=True)


if __name__ == "__main__":
    main()
