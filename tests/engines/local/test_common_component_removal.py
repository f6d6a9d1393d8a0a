"""Children, whom the network takes for one another, are told apart as adults are."""

from __future__ import annotations

import io
import json
import tarfile

import numpy as np
import pytest
from PIL import Image

from catalog.engines.local.align import align_faces
from catalog.engines.local.common_component_removal import basis_of, remove_common_components, without
from catalog.engines.local.detect import detect_faces
from catalog.engines.local.embed import embed_faces
from catalog.engines.local.landmark_refinement import place_landmarks
from catalog.engines.local.networks import WEIGHTS
from catalog.engines.local.similarity import PLAIN
from tests.engines.local.conftest import PORTRAITS, SHARED, portrait


def looks() -> dict[str, np.ndarray]:
    return {kind: np.array(look) for kind, look in json.loads((WEIGHTS / "common_looks.json").read_text()).items()}


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def embedded(pixels: np.ndarray) -> np.ndarray:
    placed, _ = place_landmarks(pixels, detect_faces(pixels)[:1])
    return embed_faces(align_faces(pixels, [face.landmarks for face in placed]), mirrored=False)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)


@pytest.fixture(scope="module")
def toddlers() -> np.ndarray:
    """Vectors of faces of up to three years, of about as many children."""
    archive = SHARED / "ages" / "utkface_dev.tar"
    if not archive.is_file():
        pytest.skip("data/ages is not beside this checkout")
    found = []
    with tarfile.open(archive) as photos:
        names = sorted(name for name in photos.getnames() if name.rpartition("/")[2].split("_")[0] in {"1", "2", "3"})
        for name in names[::12]:
            file = photos.extractfile(name)
            assert file is not None
            with Image.open(io.BytesIO(file.read())) as image:
                pixels = np.pad(np.asarray(image.convert("RGB")), ((40, 40), (40, 40), (0, 0)), mode="edge")
            found.append(embedded(pixels))
    return np.concatenate(found)


def strangers_above(vectors: np.ndarray, cosine: float) -> float:
    pairs = (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]
    return float((pairs >= cosine).mean())


def test_toddlers_are_not_taken_for_one_another(toddlers):
    """By the network's own vectors most pairs of them pass the bar of 80; of adults one in 1,000 does."""
    assert len(toddlers) > 40
    assert strangers_above(toddlers, PLAIN.cosine_80) > 0.5
    assert strangers_above(remove_common_components(toddlers), PLAIN.cosine_80) < 0.01


def test_adults_are_recognized_as_before():
    """Three photos of one man are alike, two men and a woman are not."""
    own = remove_common_components(np.concatenate([embedded(np.asarray(portrait(name))) for name in PORTRAITS]))
    similarity = PLAIN.similarity(own @ own.T)
    same = similarity[:3, :3]
    assert same.min() > 99
    assert similarity[:3, 3:].max() < 50


def test_nothing_of_the_common_looks_is_left(rng):
    """Whatever a face has of them is taken out, and of the rest the direction stays."""
    vectors = unit(rng.standard_normal((20, 128)))
    own = remove_common_components(vectors)
    for look in looks().values():
        np.testing.assert_allclose(own @ look, 0, atol=1e-5)
    basis = basis_of([look.tolist() for look in looks().values()])
    rest = vectors - (vectors @ basis) @ basis.T
    np.testing.assert_allclose(np.einsum("ij,ij->i", unit(own), unit(rest)), 1, atol=1e-5)


def test_what_is_left_of_a_common_face_counts_for_less(rng):
    """Its length is the root of what was left: between nothing taken out and everything scaled up again."""
    common = basis_of([looks()["children up to 3 years"].tolist()])
    own = unit(rng.standard_normal((1, 128)))
    own = unit(own - (own @ common) @ common.T)
    face = np.sqrt(0.64) * common.T + np.sqrt(0.36) * own
    assert np.linalg.norm(without(common, face.astype(np.float32))) == pytest.approx(np.sqrt(0.6), abs=1e-4)


def test_a_vector_that_is_all_common_does_no_harm():
    """It is like nothing, not even itself, and no division goes wrong."""
    common = basis_of([[1.0] + [0.0] * 127])
    nothing = without(common, common.T.copy())
    assert np.isfinite(nothing).all()
    np.testing.assert_allclose(nothing, 0, atol=1e-5)


def test_no_vectors_give_none():
    assert remove_common_components(np.zeros((0, 128), np.float32)).shape == (0, 128)
