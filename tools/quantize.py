"""Rewrites networks to multiply 8-bit integers: about half the time where the processor has instructions for it.

    python -m tools.quantize --crops CROPS

writes ``weights/sface.onnx``, from the registry's file and the ``ages.npz`` of ``tools.prepare_crops``, and
``overflow.onnx``; the functions are for the tools that write the other networks.

A convolution's input becomes unsigned 8-bit numbers with one scale, its weights signed ones with a scale for each
output channel, its bias 32-bit ones; sums are exact. In the file this is written as ``QuantizeLinear`` and
``DequantizeLinear``, which onnxruntime turns into integer kernels (Jacob et al. 2018, *Quantization and Training
of Neural Networks for Efficient Integer-Arithmetic-Only Inference*).

Channels whose values are ten times larger than their neighbors' would leave those a tenth of the 256 steps. Where the
function between two layers lets a positive factor pass (PRelu does), channels are brought to one range first: divided
in the layer before, multiplied again in the layer after (Nagel et al. 2019, *Data-Free Quantization Through Weight
Equalization and Bias Correction*).
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from catalog.engines.local.align import warp
from tools.build_weights import OPSET, build_sface
from tools.manifest import WEIGHTS, write_manifest

Floats = NDArray[np.float64]

_STEPS = 255
"""Between the lowest and the highest of an unsigned 8-bit number."""
_LARGEST = 127
"""Of a signed 8-bit number that its negative matches."""
_CALIBRATION_EVERY = 20
"""So many of UTKFace's faces are one of those that ranges are measured on."""
_FIRST = "conv_4_batchnorm"
"""The first of SFace's pointwise convolutions that is faster so: those before it have more to convert than to add."""
_LAST_MAP = "bn1"
"""The map that the last product reads."""
_LEAST_SPREAD = 1e-3
"""Of the largest: a channel that is next to nothing on all faces is not blown up beyond it."""


class Graph:
    """A graph with its constants multiplied out, open for rewriting; ``arrays`` are its initializers by name."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = _folded(model)
        self.arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in self.model.graph.initializer}
        self.nodes = list(self.model.graph.node)
        self._pairs: dict[str, str] = {}

    def maker(self, value: str) -> onnx.NodeProto:
        """The node that makes a value."""
        return next(node for node in self.nodes if value in node.output)

    def users(self, value: str) -> list[onnx.NodeProto]:
        return [node for node in self.nodes if value in node.input]

    def constant(self, node: onnx.NodeProto) -> str:
        """The name of a node's only constant."""
        (name,) = (name for name in node.input if name in self.arrays)
        return name

    def multiply(self, name: str, factors: Floats, axis: int) -> None:
        """Multiply a constant by a factor for each place along an axis."""
        array = self.arrays[name]
        shape = [1] * array.ndim
        shape[axis] = -1
        self.arrays[name] = (array * factors.reshape(shape)).astype(np.float32)

    def insert(self, place: int, kind: str, inputs: list[str], output: str, **attributes: int) -> int:
        """Put a node before a place; returns the place after it."""
        self.nodes.insert(place, helper.make_node(kind, inputs, [output], name=output, **attributes))
        return place + 1

    def place(self, node: onnx.NodeProto) -> int:
        return next(index for index, other in enumerate(self.nodes) if other is node)

    def in_steps(self, value: str, low: float, high: float) -> float:
        """Put a value into 8-bit steps between two bounds, where it is made, once; returns the size of a step."""
        if value not in self._pairs:
            low, high = min(low, 0.0), max(high, 0.0)
            step = (high - low) / _STEPS
            after = self.place(self.maker(value)) + 1
            pair = [f"{value}.step", f"{value}.zero"]
            self.arrays[pair[0]] = np.array(step, np.float32)
            self.arrays[pair[1]] = np.array(round(-low / step), np.uint8)
            after = self.insert(after, "QuantizeLinear", [value, *pair], f"{value}.steps")
            self.insert(after, "DequantizeLinear", [f"{value}.steps", *pair], f"{value}.stepped")
            self._pairs[value] = f"{value}.stepped"
        return float(self.arrays[f"{value}.step"])

    def in_integers(self, node: onnx.NodeProto, step: float) -> None:
        """A layer's weights as 8-bit numbers and its bias as 32-bit ones, for an input in steps of a size."""
        weights, bias = (self.arrays[name].astype(np.float64) for name in node.input[1:3])
        largest = np.abs(weights).reshape(len(weights), -1).max(axis=1)
        # A channel of next to no weights must still be able to hold its bias.
        scale = np.maximum(largest / _LARGEST, np.maximum(np.abs(bias), 1e-9) / (step * 2**30))
        levels = np.rint(weights / scale.reshape(-1, *[1] * (weights.ndim - 1)))
        place = self.place(node)
        whole = {
            "weights": (levels.astype(np.int8), scale),
            "shift": (np.rint(bias / (scale * step)).astype(np.int32), scale * step),
        }
        for index, (name, (values, size)) in enumerate(whole.items(), 1):
            name = f"{node.output[0]}.whole_{name}"
            constants = [f"{name}.levels", f"{name}.scale", f"{name}.zeros"]
            arrays = (values, size.astype(np.float32), np.zeros(len(values), values.dtype))
            self.arrays |= dict(zip(constants, arrays, strict=True))
            place = self.insert(place, "DequantizeLinear", constants, name, axis=0)
            node.input[index] = name

    def read_stepped(self) -> None:
        """Let the readers of values that were put into steps read the steps."""
        for node in self.nodes:
            if node.op_type != "QuantizeLinear":
                for index, name in enumerate(node.input):
                    node.input[index] = self._pairs.get(name, name)

    def ranges(self, values: list[str], faces: NDArray[np.uint8]) -> dict[str, tuple[Floats, Floats]]:
        """The lowest and the highest of each channel of some values, over some faces."""
        watched = onnx.ModelProto()
        watched.CopyFrom(self.model)
        outputs = {output.name for output in watched.graph.output}
        watched.graph.output.extend(helper.make_empty_tensor_value_info(v) for v in values if v not in outputs)
        session = onnxruntime.InferenceSession(watched.SerializeToString(), providers=["CPUExecutionProvider"])
        feed = session.get_inputs()[0].name
        ranges: dict[str, tuple[Floats, Floats]] = {}
        for face in faces:
            for value, output in zip(values, session.run(values, {feed: face[None]}), strict=True):
                low, high = output.min(axis=(0, 2, 3)), output.max(axis=(0, 2, 3))
                before = ranges.get(value, (low, high))
                ranges[value] = np.minimum(before[0], low), np.maximum(before[1], high)
        return ranges

    def finished(self) -> onnx.ModelProto:
        """The rewritten model, with the constants that it still uses."""
        used = {name for node in self.nodes for name in node.input}
        model = onnx.ModelProto()
        model.CopyFrom(self.model)
        for field in ("node", "initializer", "value_info"):
            model.graph.ClearField(field)
        # onnxruntime declares all of its own when it folds.
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


def quantize_clipped(model: onnx.ModelProto) -> onnx.ModelProto:
    """A network of convolutions that end in a Clip, with those that read a clipped value in integers.

    What is clipped needs no calibration: its bounds are known.
    """
    graph = Graph(model)
    clips = [node for node in graph.nodes if node.op_type == "Clip"]
    bounds = {node.output[0]: [float(graph.arrays[name].item()) for name in node.input[1:]] for node in clips}
    for node in [node for node in graph.nodes if node.op_type == "Conv" and node.input[0] in bounds]:
        step = graph.in_steps(node.input[0], *bounds[node.input[0]])
        graph.in_integers(node, step)
    for value, limits in bounds.items():
        graph.in_steps(value, *limits)  # an integer kernel needs its result in steps, too
    graph.read_stepped()
    return graph.finished()


def quantize_sface(model: onnx.ModelProto, faces: NDArray[np.uint8]) -> onnx.ModelProto:
    """SFace with its pointwise convolutions and its last product in integers, calibrated on aligned faces.

    ``faces`` is (n, 112, 112, 3). Depthwise convolutions and PRelu stay in floating point: they are short, and most of
    the error would come from them.
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
        step = graph.in_steps(source, float((low / into).min()), float((high / into).max()))
        graph.in_integers(node, step)
        low, high = ranges[result]
        graph.in_steps(result, float((low / out).min()), float((high / out).max()))
    low, high = ranges[_LAST_MAP]
    (last,) = (node for node in graph.nodes if node.op_type == "Gemm")
    step = graph.in_steps(last.input[0], float(low.min()), float(high.max()))
    graph.in_integers(last, step)
    graph.read_stepped()
    return graph.finished()


def _spread(low: Floats, high: Floats) -> Floats:
    """The range of each channel, in means of the ranges of all."""
    largest: Floats = np.maximum(np.abs(low), np.abs(high)).astype(np.float64)
    largest = np.maximum(largest, _LEAST_SPREAD * largest.max())
    return largest / largest.mean()


def _give_back(graph: Graph, value: str, factors: Floats) -> None:
    """Multiply channels of a value in the layers that read it."""
    for user in graph.users(value):
        if user.op_type == "Conv":
            graph.multiply(user.input[1], factors, axis=0)  # depthwise: one input channel for each output channel
        elif user.op_type == "Mul":
            graph.multiply(graph.constant(user), factors, axis=1)
        else:
            (scaled,) = graph.users(user.output[0])
            graph.multiply(graph.constant(scaled), factors, axis=1)


def largest_products() -> onnx.ModelProto:
    """A convolution of 64 channels whose weights are all 127, times 1 / 16,384: shows whether its sums overflow."""
    arrays = {
        "one": np.array(1, np.float32),
        "none": np.array(0, np.uint8),
        "weights": np.full((64, 64, 1, 1), _LARGEST, np.int8),
        "share": np.array(1 / 16384, np.float32),
        "zero": np.array(0, np.int8),
    }
    inputs = ["pixels", "one", "none", "weights", "share", "zero", "one", "none"]
    nodes = [
        helper.make_node("QLinearConv", inputs, ["whole"]),
        helper.make_node("DequantizeLinear", ["whole", "one", "none"], ["sum"]),
    ]
    shape = [1, 64, 8, 8]
    graph = helper.make_graph(
        nodes,
        "overflow",
        [helper.make_tensor_value_info("pixels", onnx.TensorProto.UINT8, shape)],
        [helper.make_tensor_value_info("sum", onnx.TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(values, name) for name, values in arrays.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


def read_faces(crops: Path) -> NDArray[np.uint8]:
    """Every so many of UTKFace's faces, aligned: (n, 112, 112, 3)."""
    data = np.load(crops)
    chosen = slice(None, None, _CALIBRATION_EVERY)
    faces = []
    for image, transform in zip(data["images"][chosen], data["transforms"][chosen], strict=True):
        whole = np.vstack([transform, [0, 0, 1]]) @ np.diag([1 / 112, 1 / 112, 1])
        faces.append(warp(image, np.linalg.inv(whole)[:2]))
    return np.stack(faces)


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the embedding network in 8-bit integers.")
    parser.add_argument("--crops", type=Path, required=True, help="the ages.npz that tools.prepare_crops wrote")
    faces = read_faces(parser.parse_args().crops)
    model = quantize_sface(build_sface(), faces)
    graphs = {"sface.onnx": model, "overflow.onnx": largest_products()}
    for file, graph in graphs.items():
        (WEIGHTS / file).write_bytes(graph.SerializeToString(deterministic=True))
    write_manifest(*graphs)
    print(f"sface.onnx: {(WEIGHTS / 'sface.onnx').stat().st_size:,} bytes, calibrated on {len(faces)} faces")


if __name__ == "__main__":
    main()
