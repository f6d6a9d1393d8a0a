"""Networks are checked before they run, and a batch gives the same result as single faces."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from catalog.domain.errors import EngineError
from catalog.engines.local import networks
from catalog.engines.local.align import align_faces
from catalog.engines.local.detect import detect_faces
from catalog.engines.local.embed import embed_faces
from catalog.engines.local.networks import SFACE, WEIGHTS, YUNET, Network, read_checked
from tests.engines.local.conftest import PORTRAITS, portrait
from tests.remembered_networks import RememberedNetworks, computed


@pytest.fixture(autouse=True)
def computing_networks(monkeypatch):
    """Each call of this module computes; other tests remember outputs."""
    monkeypatch.setattr(Network, "run", computed)


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    pixels = [np.asarray(portrait(name)) for name in PORTRAITS]
    return np.concatenate([align_faces(p, [detect_faces(p)[0].landmarks]) for p in pixels])


@pytest.mark.parametrize("module", ["catalog.engines.local.networks", "tools.quantize"])
def test_onnxruntime_sends_no_reports(module, tmp_path):
    """Before a report onnxruntime stores a device id in the home folder. The folder stays empty."""
    code = f"import {module}; from catalog.engines.local.networks import SFACE, open_session; open_session(SFACE.file)"
    home = {"HOME": str(tmp_path), **{key: value for key, value in os.environ.items() if key == "PATH"}}
    subprocess.run([sys.executable, "-c", code], env=home, check=True, timeout=60)
    assert not list(tmp_path.rglob("*"))


@pytest.mark.parametrize("file", [YUNET.file, SFACE.file])
def test_a_damaged_network_is_refused(file, tmp_path):
    """One flipped bit raises EngineError with a remedy."""
    shutil.copytree(WEIGHTS, tmp_path / "weights")
    damaged = bytearray((WEIGHTS / file).read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (tmp_path / "weights" / file).write_bytes(damaged)
    with pytest.raises(EngineError, match=file) as caught:
        read_checked(file, tmp_path / "weights")
    assert "Install" in caught.value.remedy


def test_a_missing_network_is_an_engine_error(tmp_path):
    """A folder without a manifest raises EngineError, too."""
    with pytest.raises(EngineError):
        read_checked("sface.onnx", tmp_path)


def test_every_shipped_network_is_in_the_manifest():
    """Every file has the SHA-256 of the manifest."""
    digests = json.loads((WEIGHTS / "manifest.json").read_text())
    networks = {path.name for path in WEIGHTS.glob("*.onnx")}
    assert {YUNET.file, SFACE.file} <= networks <= set(digests)
    for file in digests:
        read_checked(file, WEIGHTS)


def test_one_session_serves_a_process():
    """A second call returns the same session."""
    assert networks.open_session(YUNET.file) is networks.open_session(YUNET.file)


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_batch_gives_what_single_faces_give(faces, mirrored):
    """Vectors have length 1 and do not depend on other faces of the batch."""
    together = embed_faces(faces, mirrored=mirrored)
    alone = np.concatenate([embed_faces(faces[i : i + 1], mirrored=mirrored) for i in range(len(faces))])
    np.testing.assert_allclose(together, alone, atol=2e-5)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)


def test_a_mirrored_average_is_equal_for_the_mirror_image(faces):
    """A face and its mirror image have the same vector."""
    originals = embed_faces(faces, mirrored=True)
    mirror_images = embed_faces(np.ascontiguousarray(faces[:, :, ::-1]), mirrored=True)
    np.testing.assert_allclose(originals, mirror_images, atol=2e-5)


def test_portraits_of_one_man_match(faces):
    """Pairs of the three portraits of one man have cosines above 0.5, all other pairs below 0.3."""
    vectors = embed_faces(faces, mirrored=False)
    cosines = vectors @ vectors.T
    is_same = np.zeros((5, 5), bool)
    is_same[:3, :3] = True
    assert cosines[is_same].min() > 0.5
    is_other = ~is_same & ~np.eye(5, dtype=bool)
    assert cosines[is_other].max() < 0.3


def test_remembered_outputs_are_the_computed_ones(faces):
    """Other tests get the same numbers for the same input, and for an input that differs in one pixel its own."""
    networks = RememberedNetworks()
    other = faces.copy()
    other[0, 50, 50, 0] ^= 1
    for batch in (faces, faces, other):
        (remembered,) = networks.run(SFACE, batch)
        np.testing.assert_array_equal(remembered, SFACE.run(batch)[0])
        remembered[:] = 0  # a caller changes its own array


QUANTIZED = [("sface.onnx", "face", 112), ("emotions.onnx", "pixels", 96), ("gender.onnx", "pixels", 192)]


@pytest.mark.parametrize(("file", "name", "side"), QUANTIZED)
@pytest.mark.parametrize("content", ["faces", "noise", "stripes"])
def test_sums_of_products_never_overflow(faces, file, name, side, content):
    """The fastest kernels and the exact kernels give the same numbers, to the bit, also for extreme images."""
    images = {
        "faces": np.stack([np.asarray(Image.fromarray(face).resize((side, side))) for face in faces[:2]]),
        "noise": np.random.default_rng(4).integers(0, 256, (2, side, side, 3), np.uint8),
        "stripes": np.tile(np.uint8([0, 255]), (2, side, side // 2 * 3)).reshape(2, side, side, 3),
    }[content]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.x64quantprecision", "1")
    exact = onnxruntime.InferenceSession(str(WEIGHTS / file), options, providers=["CPUExecutionProvider"])
    fast = networks.open_session(file)
    for result, expected in zip(fast.run(None, {name: images}), exact.run(None, {name: images}), strict=True):
        np.testing.assert_array_equal(result, expected)


def test_no_faces_give_no_vectors():
    """An empty batch gives an empty batch of vectors."""
    assert embed_faces(np.zeros((0, 112, 112, 3), np.uint8)).shape == (0, 128)
