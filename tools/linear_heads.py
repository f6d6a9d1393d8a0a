"""Linear heads on the embedding network's map means: logistic regression, and the ONNX file of several heads."""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from tools.manifest import WEIGHTS, write_manifest

ROWS = 512 * 14
Floats = NDArray[np.float32]
Head = tuple[Floats, float]
"""Weights of ``rows`` and ``grid``, in this order, and the bias."""


def fit_logistic(features: Floats, truth: Floats, penalty: float) -> Head:
    """Return weights and bias of a logistic regression with a quadratic penalty on weights of scaled features."""
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-4
    scaled = (features - mean) / spread
    weights, bias = np.zeros(scaled.shape[1], np.float32), 0.0
    for _ in range(12):
        odds = 1 / (1 + np.exp(-(scaled @ weights + bias)))
        gradient = np.append(scaled.T @ (odds - truth) + penalty * weights, (odds - truth).sum())
        step = _solve(scaled, odds * (1 - odds), penalty, -gradient)
        weights, bias = weights + step[:-1].astype(np.float32), bias + float(step[-1])
        if np.abs(step).max() < 1e-4:
            break
    weights = weights / spread
    return weights, bias - float(weights @ mean)


def _solve(scaled: Floats, curvature: Floats, penalty: float, target: NDArray[np.floating]) -> NDArray[np.floating]:
    """Solve the Newton step by conjugate gradients, at most 25 iterations."""
    step, residual = np.zeros_like(target), target.copy()
    direction, norm = residual.copy(), float(residual @ residual)
    for _ in range(25):
        change = curvature * (scaled @ direction[:-1] + direction[-1])
        product = np.append(scaled.T @ change + penalty * direction[:-1], change.sum() + 1e-6 * direction[-1])
        length = norm / float(direction @ product)
        step += length * direction
        residual -= length * product
        previous, norm = norm, float(residual @ residual)
        if norm < max(1e-6 * previous, 1e-8):
            break
        direction = residual + norm / previous * direction
    return step


def write_heads(file: str, heads: dict[str, Head]) -> None:
    """Write heads as ONNX: ``rows`` (faces, 7168) and ``grid`` (faces, 4096) to one output (faces, 1) per head."""
    nodes, constants = [], []
    for name, (weights, bias) in heads.items():
        for part, values in {"rows": weights[:ROWS], "grid": weights[ROWS:]}.items():
            constants.append(numpy_helper.from_array(values.astype(np.float32)[:, None], f"{name}.{part}"))
            nodes.append(helper.make_node("MatMul", [part, f"{name}.{part}"], [f"{name}.{part}.sum"]))
        constants.append(numpy_helper.from_array(np.array([bias], np.float32), f"{name}.bias"))
        nodes.append(helper.make_node("Add", [f"{name}.rows.sum", f"{name}.grid.sum"], [f"{name}.sum"]))
        nodes.append(helper.make_node("Add", [f"{name}.sum", f"{name}.bias"], [name]))
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["faces", size])
        for name, size in (("rows", ROWS), ("grid", 4096))
    ]
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["faces", 1]) for name in heads]
    graph = helper.make_graph(nodes, file.removesuffix(".onnx"), inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    (WEIGHTS / file).write_bytes(model.SerializeToString(deterministic=True))
    write_manifest(file)
