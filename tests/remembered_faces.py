"""Faces of photos, remembered by their pixels: a scan of the same portraits is the first step of hundreds of tests."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from threading import Lock

import numpy as np

from catalog.domain.opened_photo import OpenedPhoto
from catalog.engines.local.face_pipeline import FacePipeline, PipelineFace
from catalog.engines.local.networks import YUNET, provider_of

computed = FacePipeline.find_faces
"""The method that always computes."""

_MOST_PHOTOS = 1_000
"""Photos that are remembered; the longest unused are dropped first. A face takes 50 KB."""


class RememberedFaces:
    """``find_faces`` stands for :meth:`FacePipeline.find_faces`. The faces of known pixels are not computed again.

    Another pipeline, another provider, another size of the original photo and a request for attributes compute them
    again.
    """

    def __init__(self) -> None:
        self._faces: OrderedDict[tuple[object, ...], tuple[PipelineFace, ...]] = OrderedDict()
        self._lock = Lock()

    def find_faces(
        self, pipeline: FacePipeline, photo: OpenedPhoto, *, with_attributes: bool = False
    ) -> list[PipelineFace]:
        reads_attributes = with_attributes and pipeline._reader is not None
        key = (pipeline.model, provider_of(YUNET.file), reads_attributes, photo.width, *_digest(photo))
        with self._lock:
            faces = self._faces.get(key)
            if faces is not None:
                self._faces.move_to_end(key)
        if faces is None:
            faces = tuple(computed(pipeline, photo, with_attributes=with_attributes))
            for face in faces:
                for array in (face.aligned, face.vector):
                    if array is not None:
                        array.setflags(write=False)  # a caller that changes its faces fails
            with self._lock:
                self._faces[key] = faces
                if len(self._faces) > _MOST_PHOTOS:
                    self._faces.popitem(last=False)
        return list(faces)


def _digest(photo: OpenedPhoto) -> tuple[object, ...]:
    pixels = np.ascontiguousarray(photo.pixels)
    return pixels.shape, pixels.dtype.str, hashlib.blake2b(pixels.data, digest_size=16).digest()
