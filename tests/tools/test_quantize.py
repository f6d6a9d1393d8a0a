"""Networks in integers give the results of floating point, within one step of the scale."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from tools import quantize
from tools.quantize import Graph, quantize_clipped, quantize_sface

SIDE = 12
STEP = 6 / 127
"""Size of a step of a value between 0 and 6 in 7 bits."""


def model_of(nodes: list[onnx.NodeProto], arrays: dict[str, np.ndarray], result: str) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [1, 4, SIDE, SIDE])],
        [helper.make_tensor_value_info(result, TensorProto.FLOAT, [1, 16, SIDE, SIDE])],
        [numpy_helper.from_array(values, name) for name, values in arrays.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.fixture
def clipped() -> onnx.ModelProto:
    """Three convolutions, each cut at 0 and 6: whole, depthwise, pointwise; one channel of the last is a mere bias."""
    rng = np.random.default_rng(1)
    arrays = {
        "first": rng.normal(0, 0.4, (8, 4, 3, 3)),
        "first_bias": rng.normal(0, 0.5, 8),
        "deep": rng.normal(0, 0.6, (8, 1, 3, 3)),
        "deep_bias": rng.normal(0, 0.5, 8),
        "point": rng.normal(0, 0.5, (16, 8, 1, 1)),
        "point_bias": rng.normal(0, 0.5, 16),
    }
    arrays["point"][3] = 0
    arrays = {name: values.astype(np.float32) for name, values in arrays.items()}
    arrays |= {"least": np.array(0, np.float32), "most": np.array(6, np.float32)}
    nodes, last = [], "pixels"
    for name, groups, pads in (("first", 1, 1), ("deep", 8, 1), ("point", 1, 0)):
        made_by = helper.make_node("Conv", [last, name, f"{name}_bias"], [f"{name}_sum"], group=groups, pads=[pads] * 4)
        nodes += [made_by, helper.make_node("Clip", [f"{name}_sum", "least", "most"], [f"{name}_cut"])]
        last = f"{name}_cut"
    return model_of(nodes, arrays, "point_cut")


def answer(model: onnx.ModelProto, pixels: np.ndarray) -> np.ndarray:
    return answers(model, pixels)[0]


def answers(model: onnx.ModelProto, pixels: np.ndarray) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"pixels": pixels})


def test_a_clipped_network_keeps_its_answers(clipped):
    """The error is a few steps of 6 / 127 at most. A channel that is only a bias keeps its value."""
    pixels = np.random.default_rng(2).normal(0, 1, (1, 4, SIDE, SIDE)).astype(np.float32)
    exact, stepped = answer(clipped, pixels), answer(quantize_clipped(clipped), pixels)
    off = np.abs(exact - stepped)
    assert off.max() < 10 * STEP
    assert off.mean() < STEP
    np.testing.assert_allclose(stepped[:, 3], exact[:, 3], atol=STEP)


def test_all_but_the_first_convolution_have_integer_weights(clipped):
    """The first sees the photo itself, whose values have no bounds that the file knows."""
    model = quantize_clipped(clipped)
    kinds = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    assert [kinds.get(node.input[1]) for node in convolutions] == [TensorProto.FLOAT, None, None]
    assert sum(kind == TensorProto.INT8 and name.endswith("levels") for name, kind in kinds.items()) == 2
    assert sum(kind == TensorProto.INT32 and name.endswith("levels") for name, kind in kinds.items()) == 2


@pytest.mark.parametrize("levels", [127, 255])
def test_only_depthwise_convolutions_have_inputs_of_8_bits(clipped, levels):
    """Their kernels add in 32 bits on every processor. The pointwise convolution's input always has 7 bits."""
    model = quantize_clipped(clipped, depthwise_levels=levels)
    limits = {node.name: node.input[2] for node in model.graph.node if node.op_type == "Clip"}
    assert limits["first_cut.clipped"] == f"largest_level_{levels}"
    assert limits["deep_cut.clipped"] == "largest_level_127"


def test_corrected_biases_keep_the_mean_of_each_channel(clipped):
    """Rounding moves the means of the channels. Biases corrected on samples take them back, on other inputs too."""
    rng = np.random.default_rng(5)
    samples, others = rng.normal(0, 1, (2, 60, 4, SIDE, SIDE)).astype(np.float32)

    def shifts(model: onnx.ModelProto) -> np.ndarray:
        moves = [answer(model, other[None]) - answer(clipped, other[None]) for other in others]
        return np.abs(np.mean(moves, axis=(0, 1, 3, 4)))

    moved, corrected = shifts(quantize_clipped(clipped)), shifts(quantize_clipped(clipped, samples))
    assert corrected.mean() < moved.mean() / 2


def test_a_value_is_put_into_steps_once(clipped):
    """However many layers read it."""
    graph = Graph(clipped)
    first = graph.in_steps("first_cut", 0, 6, 127)
    count = len(graph.nodes)
    assert graph.in_steps("first_cut", 0, 6, 127) == first == pytest.approx(STEP)
    assert len(graph.nodes) == count


def test_ranges_are_those_of_each_channel(clipped):
    """Over all that is shown, one after the other."""
    shown = np.random.default_rng(3).normal(0, 1, (5, 4, SIDE, SIDE)).astype(np.float32)
    low, high = Graph(clipped).ranges(["first_cut"], shown)["first_cut"]
    assert low.shape == high.shape == (8,)
    assert low.min() == 0
    assert 0 < high.max() <= 6


@pytest.fixture
def bent() -> onnx.ModelProto:
    """SFace in small: two blocks of depthwise and pointwise layers with PRelus, its maps, and the last product.

    Channels differ a hundredfold in range, which one scale for all would not survive.
    """
    rng = np.random.default_rng(4)
    arrays: dict[str, np.ndarray] = {}
    nodes: list[onnx.NodeProto] = []

    def add(kind: str, inputs: list[str], output: str, **attributes: object) -> str:
        nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def layer(name: str, last: str, shape: tuple[int, ...], groups: int, spread: np.ndarray) -> str:
        arrays[f"{name}.w"] = rng.normal(0, 0.5, shape) * spread.reshape(-1, 1, 1, 1)
        arrays[f"{name}.b"] = rng.normal(0, 0.5, shape[0]) * spread
        pads = [shape[2] // 2] * 4
        last = add("Conv", [last, f"{name}.w", f"{name}.b"], f"{name}_batchnorm", group=groups, pads=pads)
        arrays[f"{name}.slant"] = rng.uniform(-0.3, 0.3, (1, shape[0], 1, 1))
        positive = add("Relu", [last], f"{name}.positive")
        return add("Add", [add("Mul", [last, f"{name}.slant"], f"{name}.everywhere"), positive], f"{name}_relu")

    even, uneven = np.ones(8), np.geomspace(0.1, 10, 8)
    last = add("Identity", ["pixels"], "copied")
    last = layer("conv_1", last, (8, 4, 3, 3), 1, even)
    for block in (4, 5):
        last = layer(f"conv_{block}_dw", last, (8, 1, 3, 3), 8, uneven)
        last = layer(f"conv_{block}", last, (8, 8, 1, 1), 1, uneven[::-1].copy())
    arrays |= {"bn1.factor": 1 / np.geomspace(10, 0.1, 8).reshape(1, -1, 1, 1), "bn1.shift": np.ones((1, 8, 1, 1))}
    add("Mul", [last, "bn1.factor"], "bn1.scaled")
    add("Add", ["bn1.scaled", "bn1.shift"], "bn1")
    add("AveragePool", ["conv_4_relu"], "means", kernel_shape=[1, SIDE])
    arrays["rest"] = rng.uniform(0.5, 2, (1, 8, 1, 1))
    add("Mul", ["means", "rest"], "rows")
    arrays["fc.w"], arrays["fc.b"] = rng.normal(0, 0.1, (16, 8 * SIDE * SIDE)), rng.normal(0, 0.1, 16)
    add("Gemm", [add("Flatten", ["bn1"], "flat"), "fc.w", "fc.b"], "vector", transB=1)
    arrays = {name: values.astype(np.float32) for name, values in arrays.items()}
    model = model_of(nodes, arrays, "rows")
    model.graph.output[0].CopyFrom(helper.make_tensor_value_info("rows", TensorProto.FLOAT, [1, 8, SIDE, 1]))
    model.graph.output.append(helper.make_tensor_value_info("vector", TensorProto.FLOAT, [1, 16]))
    return model


def test_channels_of_unlike_ranges_keep_their_answers(bent, monkeypatch):
    """Factors that are divided out before a layer are given back after it: vector and maps stay what they were.

    Without bringing channels to one range first the vector is several times as far off.
    """
    rng = np.random.default_rng(5)
    shown = rng.normal(0, 1, (20, 4, SIDE, SIDE)).astype(np.float32)
    exact = [answers(bent, image[None]) for image in shown]

    def off(model: onnx.ModelProto) -> list[float]:
        stepped = [answers(model, image[None]) for image in shown]
        pairs = zip(zip(*exact, strict=True), zip(*stepped, strict=True), strict=True)
        return [float(np.linalg.norm(np.subtract(a, b)) / np.linalg.norm(a)) for a, b in pairs]

    rows, vector = off(quantize_sface(bent, shown))
    assert rows < 0.02
    assert vector < 0.1
    monkeypatch.setattr(quantize, "_spread", lambda low, high: np.ones(len(low)))
    assert off(quantize_sface(bent, shown))[1] > 2 * vector
