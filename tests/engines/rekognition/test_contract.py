"""The Rekognition engine over HTTP keeps the contract of every engine, on real portraits."""

from __future__ import annotations

import hashlib
from functools import cache

import pytest

from catalog.images.decode import open_image
from tests.contracts.engine import EngineContract, Scenes, Shot
from tests.endpoint.wire import group, no_face, portrait


@cache
def shot(data: bytes) -> Shot:
    return Shot(open_image(data, max_side=2048), hashlib.sha256(data).hexdigest())


class TestRekognitionEngine(EngineContract):
    @pytest.fixture
    def scenes(self):
        return Scenes(
            one=shot(portrait("obama_1")),
            again=shot(portrait("obama_2")),
            stranger=shot(portrait("biden")),
            group=shot(group()),
            nobody=shot(no_face()),
        )

    @pytest.fixture
    def open_engine(self, open_rekognition):
        return open_rekognition
