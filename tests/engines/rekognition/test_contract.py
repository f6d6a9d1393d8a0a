"""The Rekognition engine over HTTP keeps the contract of every engine, on real portraits."""

from __future__ import annotations

import hashlib
from functools import cache

import pytest
from sqlalchemy import create_engine

from catalog.domain.user_vectors import UserVectorRules
from catalog.engines.local.engine import LocalEngine
from catalog.engines.rekognition.image_preparer import RekognitionPreparer
from catalog.engines.rekognition.spec import CAPABILITIES
from catalog.images.decode import open_image
from tests.contracts.engine import EngineContract, PreparedContract, Scenes, Shot
from tests.endpoint.wire import group, no_face, portrait


@cache
def shot(data: bytes) -> Shot:
    return Shot(open_image(data, max_side=2048), hashlib.sha256(data).hexdigest())


class TestRekognitionEngine(PreparedContract, EngineContract):
    @pytest.fixture
    def preparer(self):
        return RekognitionPreparer(open_image)

    @pytest.fixture
    def scenes(self):
        return Scenes(
            portrait=shot(portrait("obama_1")),
            second_portrait=shot(portrait("obama_2")),
            stranger=shot(portrait("biden")),
            group=shot(group()),
            empty=shot(no_face()),
        )

    @pytest.fixture
    def open_bare(self, open_rekognition):
        return lambda: open_rekognition(user_vector_rules=UserVectorRules(1, 100))

    @pytest.fixture
    def free(self):
        return LocalEngine(create_engine("sqlite://"), attributes="none")

    @pytest.fixture
    def declared(self):
        return CAPABILITIES
