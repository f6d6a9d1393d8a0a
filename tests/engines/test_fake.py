"""The fake engine keeps the contract of the real ones, so what other rooms test on it holds."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from io import BytesIO
from itertools import combinations

import pytest
from PIL import Image

from catalog.domain.engine import EngineCapabilities
from tests.contracts.engine import EngineContract, Scenes, Shot
from tests.fakes import PEOPLE, Drawn, FakeEngine, FakeGallery, draw, drawing_bytes, opened, shade


def shot(*faces: Drawn, note: int = 0) -> Shot:
    image = draw(faces, note=note)
    return Shot(opened(image), hashlib.sha256(image.tobytes()).hexdigest())


class FakeContract(EngineContract):
    @pytest.fixture
    def scenes(self):
        return Scenes(
            portrait=shot(Drawn("ann")),
            second_portrait=shot(Drawn(shade("ann", 95), left=100, size=80), Drawn("finn", left=250, size=40), note=1),
            stranger=shot(Drawn("bob")),
            group=shot(Drawn("ann", size=80), Drawn("bob", left=160), Drawn("cleo", left=250, size=50)),
            empty=shot(note=7),
        )

    @pytest.fixture
    def free(self):
        return FakeEngine()


class TestFakeEngine(FakeContract):
    @pytest.fixture
    def open_bare(self):
        gallery = FakeGallery()
        return lambda: FakeEngine(gallery)

    @pytest.fixture
    def declared(self):
        return EngineCapabilities()


class TestPaidFakeEngineWithEveryCapability(FakeContract):
    @pytest.fixture
    def open_bare(self):
        gallery = FakeGallery()
        return lambda: FakeEngine(gallery, dollars=Decimal("0.5"), lends_group_means=True, has_user_vectors=True)

    @pytest.fixture
    def declared(self):
        return EngineCapabilities(is_paid=True, lends_group_means=True, has_user_vectors=True)


@pytest.mark.parametrize(("a", "b"), list(combinations(PEOPLE, 2)))
def test_people_of_the_palette_are_strangers(a, b):
    """No two colors reach a similarity of 20."""
    matches = FakeEngine().compare(opened(draw([Drawn(a)])), opened(draw([Drawn(b)])), 0).matches
    assert matches[0].similarity < 20


@pytest.mark.parametrize("person", PEOPLE)
def test_a_person_survives_jpeg_and_halving(person):
    """A drawing may be compressed and reduced on its way, and shows the same person, smiling."""
    data = drawing_bytes([Drawn(person, smiling=True)])
    image = Image.open(BytesIO(data))
    smaller = image.resize((image.width // 2, image.height // 2))
    (match,) = FakeEngine().compare(opened(draw([Drawn(person)])), opened(smaller), 99).matches
    assert match.face.attributes.smile is not None
    assert match.face.attributes.smile.value


def test_a_note_makes_another_photo_with_the_same_faces():
    """The bytes differ, the faces do not."""
    assert drawing_bytes([Drawn("ann")], note=1) != drawing_bytes([Drawn("ann")], note=2)
    engine = FakeEngine()
    (first,), (second,) = (engine.analyze(opened(draw([Drawn("ann")], note=note))).faces for note in (1, 2))
    assert first == second
