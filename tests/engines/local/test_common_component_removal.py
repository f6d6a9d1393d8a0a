"""Common-component removal separates children, whose own vectors are similar."""

from __future__ import annotations

import io
import json
import tarfile

import numpy as np
import pytest
from PIL import Image

from catalog.engines.local.align import align_faces
from catalog.engines.local.common_component_removal import basis_of, remove_common_components, remove_components
from catalog.engines.local.detect import detect_faces
from catalog.engines.local.embed import embed_faces
from catalog.engines.local.landmark_refinement import refine_landmarks
from catalog.engines.local.networks import WEIGHTS
from catalog.engines.local.similarity import PLAIN
from tests.engines.local.conftest import PORTRAITS, SHARED, portrait


def common_components() -> dict[str, np.ndarray]:
    components = json.loads((WEIGHTS / "common_looks.json").read_text())
    return {kind: np.array(component["mean"]) for kind, component in components.items()}


def removed_shares() -> dict[str, float]:
    components = json.loads((WEIGHTS / "common_looks.json").read_text())
    return {kind: component["share"] for kind, component in components.items()}


def unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def embedded(pixels: np.ndarray) -> np.ndarray:
    placed, _ = refine_landmarks(pixels, detect_faces(pixels)[:1])
    return embed_faces(align_faces(pixels, [face.landmarks for face in placed]), mirrored=False)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)


@pytest.fixture(scope="module")
def toddlers() -> np.ndarray:
    """Vectors of children of up to three years, nearly all of different children."""
    archive = SHARED / "ages" / "utkface_dev.tar"
    if not archive.is_file():
        pytest.skip("data/ages is not beside this checkout")
    vectors = []
    with tarfile.open(archive) as photos:
        names = sorted(name for name in photos.getnames() if name.rpartition("/")[2].split("_")[0] in {"1", "2", "3"})
        for name in names[::12]:
            file = photos.extractfile(name)
            assert file is not None
            with Image.open(io.BytesIO(file.read())) as image:
                pixels = np.pad(np.asarray(image.convert("RGB")), ((40, 40), (40, 40), (0, 0)), mode="edge")
            vectors.append(embedded(pixels))
    return np.concatenate(vectors)


def strangers_above(vectors: np.ndarray, cosine: float) -> float:
    pairs = (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]
    return float((pairs >= cosine).mean())


def test_different_toddlers_do_not_match(toddlers):
    """With the network's own vectors most pairs reach similarity 80; after removal few pairs do."""
    assert len(toddlers) > 40
    assert strangers_above(toddlers, PLAIN.cosine_80) > 0.5
    assert strangers_above(remove_common_components(toddlers), PLAIN.cosine_80) < 0.01


def test_adults_are_recognized():
    """Three photos of one man match one another and do not match another man or a woman."""
    own = remove_common_components(np.concatenate([embedded(np.asarray(portrait(name))) for name in PORTRAITS]))
    similarity = PLAIN.similarity(own @ own.T)
    among_themselves = similarity[:3, :3]
    assert among_themselves.min() > 99
    assert similarity[:3, 3:].max() < 50


def test_common_components_are_removed(rng):
    """Results are orthogonal to the means that are removed as a whole. The direction of the remainder is kept."""
    vectors = unit(rng.standard_normal((20, 128)))
    own = remove_common_components(vectors)
    components, shares = common_components(), removed_shares()
    for name, component in components.items():
        if shares[name] == 1:
            np.testing.assert_allclose(own @ component, 0, atol=1e-5)
    basis = basis_of([component.tolist() for component in components.values()])
    rest = vectors - (vectors @ basis * list(shares.values())) @ basis.T
    np.testing.assert_allclose(np.einsum("ij,ij->i", unit(own), unit(rest)), 1, atol=1e-5)


def test_the_length_of_a_result_is_the_root_of_the_remaining_length(rng):
    """The length lies between the remaining length and 1."""
    common = basis_of([common_components()["children up to 3 years"].tolist()])
    own = unit(rng.standard_normal((1, 128)))
    own = unit(own - (own @ common) @ common.T)
    face = np.sqrt(0.64) * common.T + np.sqrt(0.36) * own
    assert np.linalg.norm(remove_components(common, face.astype(np.float32))) == pytest.approx(np.sqrt(0.6), abs=1e-4)


def test_a_mean_with_a_share_is_removed_in_part():
    """Of the second mean 0.7 of what the first mean has not is removed. The first mean is removed as a whole."""
    first, second = np.eye(128)[0], (np.eye(128)[0] + np.eye(128)[1]) / np.sqrt(2)
    basis = basis_of([first.tolist(), second.tolist()], [1.0, 0.7])
    face = np.zeros((1, 128), np.float32)
    face[0, :3] = 0.6, 0.48, 0.64
    left = unit(remove_components(basis, face))[0, :3]
    np.testing.assert_allclose(left, unit(np.array([0.0, 0.3 * 0.48, 0.64])), atol=1e-5)


def test_means_with_a_share_are_last():
    """An earlier one would keep a part of a later mean, which is removed as a whole."""
    shares = list(removed_shares().values())
    assert sorted(shares, reverse=True) == shares
    assert all(0 < share <= 1 for share in shares)


def test_a_vector_without_remainder_becomes_zero():
    """A vector inside the common components becomes zero without a division error."""
    common = basis_of([[1.0] + [0.0] * 127])
    nothing = remove_components(common, common.T.copy())
    assert np.isfinite(nothing).all()
    np.testing.assert_allclose(nothing, 0, atol=1e-5)


def test_no_vectors_give_none():
    assert remove_common_components(np.zeros((0, 128), np.float32)).shape == (0, 128)
