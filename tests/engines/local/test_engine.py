"""The local engine fulfills the contract and agrees with Amazon Rekognition on the tutorial's photos."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import create_engine, select, update

from catalog.domain.engine import Engine
from catalog.domain.errors import EngineError
from catalog.domain.faces import BoundingBox, QualityFilter, RejectionReason
from catalog.engines.local.common_component_removal import remove_common_components
from catalog.engines.local.engine import LocalEngine
from catalog.engines.local.face_preparer import LocalPreparer
from catalog.engines.local.spec import CAPABILITIES
from catalog.engines.local.tables import gallery_collections
from catalog.store.database import open_database
from tests.contracts.engine import EngineContract, PreparedContract, Scenes, Shot
from tests.engines.local.conftest import opened, portrait, shot, side_by_side


@pytest.fixture(scope="session")
def group_shot() -> Shot:
    larger = portrait("obama_1").resize((1200, 1500))
    return shot(side_by_side(larger, portrait("biden"), portrait("astronaut")))


class LocalContract(PreparedContract, EngineContract):
    @pytest.fixture
    def preparer(self):
        return LocalPreparer(quality_filter=QualityFilter.NONE, attributes="none")

    @pytest.fixture
    def scenes(self, portraits, group_shot):
        grain = np.random.default_rng(5).integers(90, 160, (300, 400, 3), np.uint8)
        return Scenes(
            portrait=portraits["obama_1"],
            second_portrait=portraits["obama_2"],
            stranger=portraits["biden"],
            group=group_shot,
            empty=shot(Image.fromarray(grain)),
        )

    @pytest.fixture
    def declared(self):
        return CAPABILITIES


class TestLocalEngine(LocalContract):
    """On SQLite, bare and inside every wrapper."""

    @pytest.fixture
    def open_bare(self, sqlite_database):
        return lambda: LocalEngine(sqlite_database, quality_filter=QualityFilter.NONE, attributes="none")

    @pytest.fixture
    def free(self):
        return LocalEngine(create_engine("sqlite://"), attributes="none")


class TestLocalEngineOnPostgreSQL(LocalContract):
    """Bare: what a wrapper does is independent of the database."""

    @pytest.fixture
    def open_bare(self, postgresql_url):
        database = open_database(postgresql_url)
        yield lambda: LocalEngine(database.engine, quality_filter=QualityFilter.NONE, attributes="none")
        database.close()

    @pytest.fixture
    def open_engine(self, open_bare):
        return open_bare


@pytest.fixture
def engine(sqlite_database):
    engine = LocalEngine(sqlite_database, attributes="none")
    yield engine
    engine.close()


def test_it_is_an_engine_that_lends_group_means(engine):
    """The engine declares the capability and lends them."""
    typed: Engine = engine
    assert typed.capabilities.lends_group_means
    assert typed.group_means is not None


def test_group_vectors_come_in_the_requested_order(engine, portraits):
    """The dot product of two photos of one man is far above that of two men."""
    ids = [engine.enroll(s.photo, s.sha256).faces[0].face_id for s in portraits.values()]
    rows = engine.group_vectors(list(reversed(ids)))
    assert rows.shape == (5, 128)
    assert (np.linalg.norm(rows, axis=1) <= 1).all()
    obama_1, biden = rows[4], rows[1]
    assert obama_1 @ rows[3] > 0.5 > obama_1 @ biden
    with pytest.raises(KeyError):
        engine.group_vectors(["00000000-0000-4000-8000-000000000000"])


def test_every_comparison_removes_common_components(engine, portraits):
    """Searching by a photo or by a stored face, and comparing two photos, give the same similarity."""
    ids = {name: engine.enroll(shot.photo, shot.sha256).faces[0].face_id for name, shot in portraits.items()}
    photo, other_photo = (portraits[name].photo for name in ("obama_2", "biden"))
    vectors = np.concatenate([engine.pipeline.vectors(engine.pipeline.find_faces(p)) for p in (photo, other_photo)])
    own, curve = remove_common_components(vectors), engine.pipeline.calibration
    expected = float(curve.similarity(own[0] @ own[1]))
    assert expected + 10 < float(curve.similarity(vectors[0] @ vectors[1]))
    stored = {match.face_id: match.similarity for match in engine.neighbors(ids["obama_2"], 0).matches}
    shown = {match.face_id: match.similarity for match in engine.search(photo, 0).matches}
    assert stored[ids["biden"]] == pytest.approx(expected, rel=0.05)
    assert shown[ids["biden"]] == pytest.approx(expected, rel=0.05)
    assert engine.compare(photo, other_photo, 0).matches[0].similarity == pytest.approx(expected, rel=1e-3)
    group = engine.group_vectors([ids["obama_2"], ids["biden"]])
    assert float(curve.similarity(group[0] @ group[1])) == pytest.approx(expected, rel=0.05)


def test_a_photo_is_100_similar_to_itself(engine, portraits):
    """Also from the gallery, which keeps half precision: a threshold of 100 finds the same picture."""
    photo, sha256 = portraits["obama_1"].photo, portraits["obama_1"].sha256
    engine.enroll(photo, sha256)
    (match,) = engine.search(photo, 100).matches
    assert match.similarity == 100
    assert engine.compare(photo, photo, 100).matches[0].similarity == 100


def test_neighbor_edges_join_the_photos_of_one_man(engine, portraits):
    """A pair of positions comes once, with the lower position first."""
    names = list(portraits)
    ids = [engine.enroll(s.photo, s.sha256).faces[0].face_id for s in portraits.values()]
    edges = {(names[i], names[j]) for i, j, _ in zip(*engine.neighbor_edges(ids, per_face=4, floor=0.37), strict=True)}
    assert edges == {("obama_1", "obama_2"), ("obama_1", "obama_3"), ("obama_2", "obama_3")}


def test_a_gallery_of_another_model_is_refused(sqlite_database, portraits):
    """Search and enrollment raise an error for a gallery of another model."""
    portrait = portraits["obama_1"]
    LocalEngine(sqlite_database, attributes="none", mirrored=True).enroll(portrait.photo, portrait.sha256)
    unmirrored = LocalEngine(sqlite_database, attributes="none", mirrored=False)
    with pytest.raises(EngineError, match="cannot be compared") as caught:
        unmirrored.search(portrait.photo, 80)
    assert caught.value.remedy
    with pytest.raises(EngineError):
        unmirrored.enroll(portraits["biden"].photo, portraits["biden"].sha256)


def test_a_gallery_of_the_earlier_precision_stays_in_use(sqlite_database, portraits):
    """Vectors with 8-bit and with 7-bit inputs are comparable, and the gallery keeps its name."""
    earlier = "yunet-2023mar/facemesh/sface-2021dec"
    first, second = portraits["obama_1"], portraits["obama_2"]
    engine = LocalEngine(sqlite_database, attributes="none")
    engine.enroll(first.photo, first.sha256)
    with sqlite_database.begin() as connection:
        connection.execute(update(gallery_collections).values(model=earlier))
    reopened = LocalEngine(sqlite_database, attributes="none")
    assert reopened.model == f"{earlier}-7bit"
    assert len(reopened.search(second.photo, 80).matches) == 1
    reopened.enroll(second.photo, second.sha256)
    with sqlite_database.connect() as connection:
        assert connection.execute(select(gallery_collections.c.model)).scalar_one() == earlier
    mirrored = LocalEngine(sqlite_database, attributes="none", mirrored=True)
    with pytest.raises(EngineError):
        mirrored.search(second.photo, 80)


def test_a_tiny_face_is_rejected_with_amazons_reason(sqlite_database):
    """A face of a few pixels is detected, reported and not enrolled."""
    small = portrait("obama_1").resize((72, 90))
    canvas = Image.new("RGB", (400, 300), (128, 128, 128))
    canvas.paste(small, (150, 100))
    strict = LocalEngine(sqlite_database, quality_filter=QualityFilter.HIGH, attributes="none")
    enrollment = strict.enroll(opened(canvas), "0" * 64)
    assert enrollment.faces == ()
    (rejected,) = enrollment.rejected
    assert RejectionReason.SMALL_BOUNDING_BOX in rejected.reasons
    assert list(strict.enrolled()) == []


# ------------------------------------------------------------------------------------------------------ data/seed


def opened_file(path):
    with Image.open(path) as image:
        return opened(image)


@pytest.mark.parametrize(("photo", "faces"), [("pic1.jpg", 6), ("pic2.jpg", 1), ("pic3.jpg", 4)])
def test_the_tutorials_photos_show_as_many_faces_as_amazon_found(engine, seed, photo, faces):
    """The number of faces equals Amazon's: six people and a dog are six faces."""
    assert len(engine.analyze(opened_file(seed / photo)).faces) == faces


def test_the_father_is_found_where_amazon_found_him(engine, seed):
    """There is exactly one match at 80. Its similarity is above 99 and its box is Amazon's."""
    answers = json.loads((seed / "rekognition_answers.json").read_text())
    (expected,) = answers["compare"][1]["matches_at_80"]
    comparison = engine.compare(opened_file(seed / "pic3.jpg"), opened_file(seed / "pic1.jpg"), 80)
    (match,) = comparison.matches
    assert match.similarity > 99
    box = BoundingBox(expected["Left"], expected["Top"], expected["Width"], expected["Height"])
    assert match.face.box.iou(box) > 0.7
    assert len(comparison.unmatched) == answers["compare"][1]["unmatched_faces"]


def test_a_stranger_matches_no_family_member(engine, seed):
    """The highest similarity is below 5. Amazon's is 0.6."""
    comparison = engine.compare(opened_file(seed / "pic2.jpg"), opened_file(seed / "pic1.jpg"), 0)
    assert len(comparison.matches) == 6
    assert comparison.matches[0].similarity < 5


def test_people_on_two_of_the_tutorials_photos_are_neighbors(engine, seed):
    """Every one of the four people on the last photo has exactly one neighbor on the other photos."""
    for name in ("pic1.jpg", "pic2.jpg"):
        path = seed / name
        engine.enroll(opened_file(path), hashlib.sha256(path.read_bytes()).hexdigest())
    path = seed / "pic3.jpg"
    enrollment = engine.enroll(opened_file(path), hashlib.sha256(path.read_bytes()).hexdigest())
    assert [len(engine.neighbors(record.face_id, 80).matches) for record in enrollment.faces] == [1, 1, 1, 1]
