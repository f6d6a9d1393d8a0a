"""Rewrite networks to multiply integers of 7 and 8 bits, faster than single precision on every processor.

    python -m tools.quantize --crops CROPS

Writes ``weights/sface.onnx`` from the registry's file and the ``ages.npz`` of ``tools.prepare_crops``. Other tools use
the functions for the other networks.

A convolution's input becomes unsigned 7-bit or 8-bit numbers with one scale, its weights signed 8-bit numbers with a
scale per output channel, its bias 32-bit numbers. The file contains ``QuantizeLinear`` and ``DequantizeLinear``, from
which onnxruntime makes integer kernels (Jacob et al. 2018, *Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference*).

Processors without VNNI add two products of 8-bit numbers in 16 bits. With inputs up to 255 such sums overflow. With
inputs up to 127 they cannot: 2 x 127 x 127 = 32,258 is below 32,768. So all processors compute the same sums with
their fastest kernels. Kernels of depthwise convolutions add in 32 bits on every processor, so their inputs may have 8
bits (the gender network).

A channel with values ten times larger than the others would leave the others a tenth of the steps. If the function
between two layers lets a positive factor pass (PRelu does), channels are scaled to one range first: divided in the
layer before, multiplied in the layer after (Nagel et al. 2019, *Data-Free Quantization Through Weight Equalization and
Bias Correction*).
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from catalog.engines.local.align import warp
from tools.build_weights import OPSET, build_sface
from tools.manifest import WEIGHTS, write_manifest

Floats = NDArray[np.float64]

_INPUT_LEVELS = 127
"""Largest level of an input of a pointwise or full convolution or of a product: an unsigned 7-bit number."""
_RESULT_LEVELS = 255
"""Largest level of a value that only depthwise convolutions or no integer kernel read: an unsigned 8-bit number."""
_LARGEST = 127
"""Largest level of a weight: a signed 8-bit number with a symmetric range."""
_CALIBRATION_EVERY = 20
"""Ranges are measured on every 20th face of UTKFace."""
_FIRST = "conv_4_batchnorm"
"""The first of SFace's pointwise convolutions that is faster in integers. Earlier ones convert more than they add."""
_LAST_MAP = "bn1"
"""The map that the last product reads."""
_LEAST_SPREAD = 1e-3
"""Lowest range of a channel relative to the largest: channels near zero on all faces are not scaled up further."""


class Graph:
    """A graph with folded constants, for rewriting. ``arrays`` are its initializers by name."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = _folded(model)
        self.arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in self.model.graph.initializer}
        self.nodes = list(self.model.graph.node)
        self._pairs: dict[str, str] = {}

    def maker(self, value: str) -> onnx.NodeProto:
        """Return the node that computes a value."""
        return next(node for node in self.nodes if value in node.output)

    def users(self, value: str) -> list[onnx.NodeProto]:
        return [node for node in self.nodes if value in node.input]

    def constant(self, node: onnx.NodeProto) -> str:
        """Return the name of a node's only constant."""
        (name,) = (name for name in node.input if name in self.arrays)
        return name

    def multiply(self, name: str, factors: Floats, axis: int) -> None:
        """Multiply a constant by factors along an axis."""
        array = self.arrays[name]
        shape = [1] * array.ndim
        shape[axis] = -1
        self.arrays[name] = (array * factors.reshape(shape)).astype(np.float32)

    def insert(self, index: int, kind: str, inputs: list[str], output: str, **attributes: int) -> int:
        """Insert a node before an index. Returns the index after the node."""
        self.nodes.insert(index, helper.make_node(kind, inputs, [output], name=output, **attributes))
        return index + 1

    def index(self, node: onnx.NodeProto) -> int:
        return next(index for index, candidate in enumerate(self.nodes) if candidate is node)

    def in_steps(self, value: str, low: float, high: float, levels: int, *, clip: bool = False) -> float:
        """Quantize a value once, after the node that computes it. Returns the size of a step.

        ``clip`` limits the result to ``levels``, for values that may exceed ``low`` and ``high``.
        """
        if value not in self._pairs:
            low, high = min(low, 0.0), max(high, 0.0)
            step = (high - low) / levels
            after = self.index(self.maker(value)) + 1
            pair = [f"{value}.step", f"{value}.zero"]
            self.arrays[pair[0]] = np.array(step, np.float32)
            self.arrays[pair[1]] = np.array(round(-low / step), np.uint8)
            steps = f"{value}.steps"
            after = self.insert(after, "QuantizeLinear", [value, *pair], steps)
            if clip:
                limits = ["lowest_level", f"largest_level_{levels}"]
                self.arrays |= {limits[0]: np.array(0, np.uint8), limits[1]: np.array(levels, np.uint8)}
                after = self.insert(after, "Clip", [steps, *limits], f"{value}.clipped")
                steps = f"{value}.clipped"
            self.insert(after, "DequantizeLinear", [steps, *pair], f"{value}.stepped")
            self._pairs[value] = f"{value}.stepped"
        return float(self.arrays[f"{value}.step"])

    def in_integers(self, node: onnx.NodeProto, step: float) -> None:
        """Quantize a layer's weights to 8 bits and its bias to 32 bits. ``step`` is the input's size of a step."""
        weights, bias = (self.arrays[name].astype(np.float64) for name in node.input[1:3])
        largest = np.abs(weights).reshape(len(weights), -1).max(axis=1)
        # The bias of a channel with weights near zero must fit into 32 bits.
        scale = np.maximum(largest / _LARGEST, np.maximum(np.abs(bias), 1e-9) / (step * 2**30))
        levels = np.rint(weights / scale.reshape(-1, *[1] * (weights.ndim - 1)))
        position = self.index(node)
        quantized = {
            "weights": (levels.astype(np.int8), scale),
            "shift": (np.rint(bias / (scale * step)).astype(np.int32), scale * step),
        }
        for index, (part, (values, size)) in enumerate(quantized.items(), 1):
            name = f"{node.output[0]}.whole_{part}"
            constants = [f"{name}.levels", f"{name}.scale", f"{name}.zeros"]
            arrays = (values, size.astype(np.float32), np.zeros(len(values), values.dtype))
            self.arrays |= dict(zip(constants, arrays, strict=True))
            position = self.insert(position, "DequantizeLinear", constants, name, axis=0)
            node.input[index] = name

    def read_stepped(self) -> None:
        """Connect the readers of quantized values to the quantized form."""
        for node in self.nodes:
            if node.op_type != "QuantizeLinear":
                for index, name in enumerate(node.input):
                    node.input[index] = self._pairs.get(name, name)

    def ranges(self, values: list[str], faces: NDArray[np.uint8]) -> dict[str, tuple[Floats, Floats]]:
        """Return the lowest and the highest number per channel of ``values`` over ``faces``."""
        watched = onnx.ModelProto()
        watched.CopyFrom(self.model)
        outputs = {output.name for output in watched.graph.output}
        watched.graph.output.extend(helper.make_empty_tensor_value_info(v) for v in values if v not in outputs)
        session = onnxruntime.InferenceSession(watched.SerializeToString(), providers=["CPUExecutionProvider"])
        feed = session.get_inputs()[0].name
        ranges: dict[str, tuple[Floats, Floats]] = {}
        for face in faces:
            for value, numbers in zip(values, session.run(values, {feed: face[None]}), strict=True):
                low, high = numbers.min(axis=(0, 2, 3)), numbers.max(axis=(0, 2, 3))
                before = ranges.get(value, (low, high))
                ranges[value] = np.minimum(before[0], low), np.maximum(before[1], high)
        return ranges

    def finished(self) -> onnx.ModelProto:
        """Return the rewritten model with the constants that it uses."""
        used = {name for node in self.nodes for name in node.input}
        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        for field in ("node", "initializer", "value_info"):
            model.graph.ClearField(field)
        # onnxruntime's folding declares all of its own operator sets.
        model.ClearField("opset_import")
        model.opset_import.append(helper.make_opsetid("", OPSET))
        model.graph.node.extend(self.nodes)
        model.graph.initializer.extend(
            numpy_helper.from_array(values, name) for name, values in self.arrays.items() if name in used
        )
        onnx.checker.check_model(model)
        return model


def _folded(model: onnx.ModelProto) -> onnx.ModelProto:
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = f"{folder}/folded.onnx"
        onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return onnx.load(options.optimized_model_filepath)


def quantize_clipped(
    model: onnx.ModelProto, samples: NDArray[Any] | None = None, *, depthwise_levels: int = _INPUT_LEVELS
) -> onnx.ModelProto:
    """Quantize the convolutions that read a clipped value. The bounds of a Clip are known, so none is calibrated.

    ``depthwise_levels`` is the largest level of the inputs of depthwise convolutions: 127 or 255.
    ``samples`` are inputs of the network, along the first axis. With them, the biases are corrected: rounding moves
    the mean of a channel, and the bias takes the mean back to that of the unrounded network (Nagel et al. 2019,
    section 4.2, with measured means). Each layer is corrected after the layers that it reads.
    """
    if samples is None:
        return _in_integers(Graph(model), depthwise_levels)
    corrected = _folded(model)
    biases = {
        node.output[0]: next(tensor for tensor in corrected.graph.initializer if tensor.name == node.input[2])
        for node in corrected.graph.node
        if node.op_type == "Conv" and len(node.input) > 2
    }
    expected = _channel_means(corrected, list(biases), samples)
    for layer, bias in biases.items():
        (measured,) = _channel_means(_in_integers(Graph(corrected), depthwise_levels), [layer], samples).values()
        values = numpy_helper.to_array(bias) + expected[layer] - measured
        bias.CopyFrom(numpy_helper.from_array(values.astype(np.float32), bias.name))
    return _in_integers(Graph(corrected), depthwise_levels)


def _in_integers(graph: Graph, depthwise_levels: int) -> onnx.ModelProto:
    """Quantize the convolutions that read a clipped value, and the clipped values.

    A Clip becomes a limit on the quantized levels, because onnxruntime joins a convolution with the quantization of its
    result only if no floating-point node is between them.
    """
    clips = [node for node in graph.nodes if node.op_type == "Clip"]
    bounds = {node.output[0]: [float(graph.arrays[name].item()) for name in node.input[1:]] for node in clips}
    levels = {value: depthwise_levels if _only_depthwise_reads(graph, value) else _INPUT_LEVELS for value in bounds}
    for node in [node for node in graph.nodes if node.op_type == "Conv" and node.input[0] in bounds]:
        value = node.input[0]
        graph.in_integers(node, graph.in_steps(value, *bounds[value], levels[value], clip=True))
    outputs = {output.name for output in graph.model.graph.output}
    inner = [clip for clip in clips if clip.output[0] not in outputs]  # an output of the network stays as it is
    for clip in inner:
        # An integer kernel needs its result in steps, too.
        graph.in_steps(clip.output[0], *bounds[clip.output[0]], levels[clip.output[0]], clip=True)
    graph.read_stepped()
    for clip in inner:
        (quantize,) = (
            node for node in graph.nodes if node.op_type == "QuantizeLinear" and node.input[0] in clip.output
        )
        quantize.input[0] = clip.input[0]
        graph.nodes.remove(clip)
    return graph.finished()


def _only_depthwise_reads(graph: Graph, value: str) -> bool:
    """Return True if all readers of a value are convolutions whose kernels have one input channel."""
    readers = graph.users(value)
    return bool(readers) and all(
        reader.op_type == "Conv" and graph.arrays[reader.input[1]].shape[1] == 1 for reader in readers
    )


def _channel_means(model: onnx.ModelProto, values: list[str], samples: NDArray[Any]) -> dict[str, Floats]:
    """Return the mean of each channel of ``values`` over all samples and positions."""
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    watched.graph.output.extend(helper.make_empty_tensor_value_info(value) for value in values)
    session = onnxruntime.InferenceSession(watched.SerializeToString(), providers=["CPUExecutionProvider"])
    feed = session.get_inputs()[0].name
    sums: dict[str, Floats] = {}
    for sample in samples:
        for value, numbers in zip(values, session.run(values, {feed: sample[None]}), strict=True):
            sums[value] = sums.get(value, 0.0) + numbers.mean(axis=(0, 2, 3), dtype=np.float64)
    return {value: total / len(samples) for value, total in sums.items()}


def quantize_sface(model: onnx.ModelProto, faces: NDArray[np.uint8]) -> onnx.ModelProto:
    """Quantize SFace's pointwise convolutions and its last product. ``faces``, (n, 112, 112, 3), calibrate the ranges.

    Depthwise convolutions and PRelu stay in floating point: they are short, and most of the error would come from them.
    """
    graph = Graph(model)
    points = [
        node for node in graph.nodes if node.op_type == "Conv" and graph.arrays[node.input[1]].shape[2:] == (1, 1)
    ]
    points = points[[node.output[0] for node in points].index(_FIRST) :]
    values = [name for node in points for name in (node.input[0], node.output[0])]
    ranges = graph.ranges([*values, _LAST_MAP], faces)
    for node in points:
        source, result = node.input[0], node.output[0]
        into, out = _spread(*ranges[source]), _spread(*ranges[result])
        # Back through the PRelu (a product and a sum) to the depthwise convolution, on to the next layer that reads.
        slant = next(graph.maker(v) for v in graph.maker(source).input if graph.maker(v).op_type == "Mul")
        before = graph.maker(next(name for name in slant.input if name not in graph.arrays))
        for name in before.input[1:3]:
            graph.multiply(name, 1 / into, axis=0)
        graph.multiply(node.input[1], into, axis=1)
        for name in node.input[1:3]:
            graph.multiply(name, 1 / out, axis=0)
        relu = next(user for user in graph.users(result) if user.op_type == "Relu")
        (bent,) = graph.users(relu.output[0])
        _give_back(graph, bent.output[0], out)
        low, high = ranges[source]
        step = graph.in_steps(source, float((low / into).min()), float((high / into).max()), _INPUT_LEVELS, clip=True)
        graph.in_integers(node, step)
        low, high = ranges[result]
        graph.in_steps(result, float((low / out).min()), float((high / out).max()), _RESULT_LEVELS)
    low, high = ranges[_LAST_MAP]
    (last,) = (node for node in graph.nodes if node.op_type == "Gemm")
    step = graph.in_steps(last.input[0], float(low.min()), float(high.max()), _INPUT_LEVELS, clip=True)
    graph.in_integers(last, step)
    graph.read_stepped()
    return graph.finished()


def _spread(low: Floats, high: Floats) -> Floats:
    """Return the range of every channel relative to the mean range."""
    largest: Floats = np.maximum(np.abs(low), np.abs(high)).astype(np.float64)
    largest = np.maximum(largest, _LEAST_SPREAD * largest.max())
    return largest / largest.mean()


def _give_back(graph: Graph, value: str, factors: Floats) -> None:
    """Multiply the channels of a value in the layers that read it."""
    for user in graph.users(value):
        if user.op_type == "Conv":
            graph.multiply(user.input[1], factors, axis=0)  # depthwise: one input channel for each output channel
        elif user.op_type == "Mul":
            graph.multiply(graph.constant(user), factors, axis=1)
        else:
            (scaled,) = graph.users(user.output[0])
            graph.multiply(graph.constant(scaled), factors, axis=1)


def read_faces(crops: Path) -> NDArray[np.uint8]:
    """Return every 20th face of UTKFace, aligned: (n, 112, 112, 3)."""
    data = np.load(crops)
    chosen = slice(None, None, _CALIBRATION_EVERY)
    faces = []
    for image, transform in zip(data["images"][chosen], data["transforms"][chosen], strict=True):
        whole = np.vstack([transform, [0, 0, 1]]) @ np.diag([1 / 112, 1 / 112, 1])
        faces.append(warp(image, np.linalg.inv(whole)[:2]))
    return np.stack(faces)


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the embedding network in integers.")
    parser.add_argument("--crops", type=Path, required=True, help="the ages.npz of tools.prepare_crops")
    faces = read_faces(parser.parse_args().crops)
    model = quantize_sface(build_sface(), faces)
    (WEIGHTS / "sface.onnx").write_bytes(model.SerializeToString(deterministic=True))
    write_manifest("sface.onnx")
    print(f"sface.onnx: {(WEIGHTS / 'sface.onnx').stat().st_size:,} bytes, calibrated on {len(faces)} faces")


if __name__ == "__main__":
    main()
