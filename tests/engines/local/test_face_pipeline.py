"""The faces that tests get without a computation are the computed ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from catalog.engines.local.face_pipeline import FacePipeline
from tests.engines.local.conftest import opened, portrait
from tests.remembered_faces import RememberedFaces, computed


def test_remembered_faces_are_the_computed_ones():
    """Of the same pixels. One other pixel, another size of the original and attributes are other faces."""
    remembered, pipeline, photo = RememberedFaces(), FacePipeline(), opened(portrait("biden"))
    pixels = photo.pixels.copy()
    pixels[200:230, 180:260] //= 2
    other = replace(photo, pixels=pixels)
    enlarged = replace(photo, width=photo.width * 2)
    for request in (photo, photo, other, enlarged, photo):
        for with_attributes in (True, False):
            (face,) = remembered.find_faces(pipeline, request, with_attributes=with_attributes)
            (expected,) = computed(pipeline, request, with_attributes=with_attributes)
            assert (face.face, face.side) == (expected.face, expected.side)
            np.testing.assert_array_equal(face.aligned, expected.aligned)
            np.testing.assert_array_equal(face.vector, expected.vector)
            assert (face.vector is not None) == with_attributes


def test_a_remembered_face_cannot_be_changed():
    (face,) = RememberedFaces().find_faces(FacePipeline(), opened(portrait("biden")))
    with pytest.raises(ValueError, match="read-only"):
        face.aligned[:] = 0
