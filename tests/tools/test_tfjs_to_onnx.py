"""The converter from TensorFlow.js: a small graph, written by hand, computes in ONNX what it says."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from tools.tfjs_to_onnx import convert, padding

SAME = base64.b64encode(b"SAME").decode()


def write_model(folder: Path, nodes: list[dict[str, object]], weights: dict[str, np.ndarray]) -> Path:
    blob = b"".join(values.tobytes() for values in weights.values())
    (folder / "net.bin").write_bytes(blob)
    entries = [
        {"name": name, "shape": list(values.shape), "dtype": str(values.dtype)} for name, values in weights.items()
    ]
    constants = [{"name": name, "op": "Const"} for name in weights]
    model = {
        "modelTopology": {"node": [*constants, *nodes]},
        "weightsManifest": [{"paths": ["net.bin"], "weights": entries}],
    }
    path = folder / "net.json"
    path.write_text(json.dumps(model))
    return path


def placeholder(side: int) -> dict[str, object]:
    dims = [{"size": str(size)} for size in (-1, side, side, 3)]
    return {"name": "x", "op": "Placeholder", "attr": {"shape": {"shape": {"dim": dims}}}}


@pytest.mark.parametrize(("size", "pads"), [((6, 6), [0, 0, 1, 1]), ((7, 7), [1, 1, 1, 1])])
def test_same_padding_is_tensorflows(size, pads):
    """An uneven amount is padded at the end, as TensorFlow does and PyTorch does not."""
    assert padding(SAME, size, 3, 2) == (pads, (-(-size[0] // 2), -(-size[1] // 2)))


def test_valid_padding_is_none():
    """VALID pads nothing and loses the border."""
    assert padding(base64.b64encode(b"VALID").decode(), (6, 6), 3, 1) == ([0, 0, 0, 0], (4, 4))


def test_convolution_bias_clip_and_mean(tmp_path):
    """A strided convolution on BGR, its bias as an Add, a Relu clipped at 6 in three nodes, a global mean."""
    rng = np.random.default_rng(1)
    kernel = rng.normal(size=(3, 3, 3, 2)).astype(np.float32) / 50
    weights = {
        "kernel": kernel,
        "bias": np.array([0.5, -0.25], np.float32),
        "six": np.array(6, np.float32),
        "zero": np.array(0, np.float32),
        "axes": np.array([1, 2], np.int32),
    }
    strides = {"strides": {"list": {"i": ["1", "2", "2", "1"]}}, "padding": {"s": SAME}}
    nodes = [
        placeholder(6),
        {"name": "conv", "op": "Conv2D", "input": ["x", "kernel"], "attr": strides},
        {"name": "sum", "op": "Add", "input": ["conv", "bias"], "attr": {}},
        {"name": "relu", "op": "Relu", "input": ["sum"], "attr": {}},
        {"name": "below", "op": "Minimum", "input": ["relu", "six"], "attr": {}},
        {"name": "above", "op": "Maximum", "input": ["below", "zero"], "attr": {}},
        {"name": "mean", "op": "Mean", "input": ["above", "axes"], "attr": {}},
    ]
    mean = (10.0, 20.0, 30.0)
    model = convert(write_model(tmp_path, nodes, weights), {"mean": "out"}, mean=mean, bgr=True)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    pixels = rng.integers(0, 255, (2, 6, 6, 3)).astype(np.uint8)
    (answer,) = session.run(["out"], {"pixels": pixels})
    padded = np.pad((pixels - np.array(mean))[..., ::-1], ((0, 0), (0, 1), (0, 1), (0, 0)))
    expected = np.zeros((2, 2))
    for row in range(3):
        for column in range(3):
            patch = padded[:, 2 * row : 2 * row + 3, 2 * column : 2 * column + 3]
            value = np.einsum("nrcb,rcbo->no", patch, kernel) + weights["bias"]
            expected += np.clip(value, 0, 6) / 9
    # Weights are stored as float16.
    assert answer == pytest.approx(expected, rel=2e-3, abs=2e-3)


def test_unknown_nodes_are_refused(tmp_path):
    """A kind of node without a rule stops the conversion by name."""
    nodes = [placeholder(4), {"name": "odd", "op": "Einsum", "input": ["x"], "attr": {}}]
    with pytest.raises(ValueError, match="Einsum"):
        convert(write_model(tmp_path, nodes, {"unused": np.zeros(1, np.float32)}), {"odd": "out"})
