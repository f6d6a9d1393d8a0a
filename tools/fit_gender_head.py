"""Fit the gender head on the embedding network's map means, ``weights/gender_head.onnx``.

    python -m tools.fit_gender_head --data ../shared/data

Logistic regression on ``rows`` and ``grid`` of four fifths of UTKFace (the fifth of ``held_out`` is not used). Every
face is used twice, with black and with the extended border beyond its picture: with one filling alone the head is
biased on photos, which show other pixels there. Newton's method with conjugate gradients. About 10 minutes on one core.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from catalog.engines.local.align import warp
from catalog.engines.local.embed import embed_with_maps
from tools.attribute_data import held_out
from tools.manifest import WEIGHTS, write_manifest
from tools.prepare_crops import alignment_of, read_ages

FILE = "gender_head.onnx"
ROWS = 512 * 14
PENALTY = 2000.0
"""Of the squared weights of features with unit spread. 1,000 and 4,000 with one filling gave no better head."""
_MARGIN = 56
Floats = NDArray[np.float32]


def fit_logistic(features: Floats, truth: Floats, penalty: float) -> tuple[Floats, float]:
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


def read_features(data: Path) -> tuple[Floats, Floats]:
    """Return the features of the training faces with both fillings, and 1 for men."""
    people, images = read_ages(data)
    chosen = np.flatnonzero(~held_out(len(people)))
    transforms = [alignment_of(images[index]) for index in chosen]
    features = []
    for mode in ("constant", "edge"):
        for index, transform in zip(chosen, transforms, strict=True):
            wider = np.pad(images[index], ((_MARGIN, _MARGIN), (_MARGIN, _MARGIN), (0, 0)), mode=mode)
            moved = transform.copy()
            moved[:, 2] -= transform[:, :2] @ (_MARGIN, _MARGIN)
            embedded = embed_with_maps(warp(wider, moved)[None], mirrored=False)
            features.append(np.concatenate([embedded.rows[0], embedded.grid[0]]))
    truth = np.array([people[index]["gender"] == "male" for index in chosen], np.float32)
    return np.stack(features), np.concatenate([truth, truth])


def write_head(weights: Floats, bias: float) -> None:
    """Write the head as ONNX: ``rows`` (faces, 7168) and ``grid`` (faces, 4096) to ``male`` (faces, 1)."""
    parts = {"rows": weights[:ROWS], "grid": weights[ROWS:]}
    constants = [
        numpy_helper.from_array(part.astype(np.float32)[:, None], f"{name}.weights") for name, part in parts.items()
    ]
    constants.append(numpy_helper.from_array(np.array([bias], np.float32), "bias"))
    nodes = [helper.make_node("MatMul", [name, f"{name}.weights"], [f"{name}.sum"]) for name in parts]
    nodes.append(helper.make_node("Add", ["rows.sum", "grid.sum"], ["sum"]))
    nodes.append(helper.make_node("Add", ["sum", "bias"], ["male"]))
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["faces", len(part)]) for name, part in parts.items()
    ]
    outputs = [helper.make_tensor_value_info("male", TensorProto.FLOAT, ["faces", 1])]
    graph = helper.make_graph(nodes, "gender_head", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    (WEIGHTS / FILE).write_bytes(model.SerializeToString(deterministic=True))
    write_manifest(FILE)


def main() -> None:
    parser = argparse.ArgumentParser(description="Fit the gender head on UTKFace.")
    parser.add_argument("--data", type=Path, required=True, help="the folder that contains ages/")
    features, truth = read_features(parser.parse_args().data)
    write_head(*fit_logistic(features, truth, PENALTY))
    print(f"{FILE}: fitted on {len(truth)} aligned faces")


if __name__ == "__main__":
    main()
