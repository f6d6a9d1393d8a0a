"""The contract of engines as tests: subclass :class:`EngineContract` and give it its fixtures.

The same class runs over the fake engine, the local engine and the Rekognition engine over HTTP, each bare and inside
every wrapper.
"""

from __future__ import annotations

import pickle
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
import pytest

from catalog.domain.charges import Charge, Operation
from catalog.domain.engine import Engine, EngineCapabilities
from catalog.domain.errors import NoFaceError
from catalog.domain.faces import BoundingBox, Face
from catalog.domain.opened_photo import OpenedPhoto
from catalog.domain.prepared_photo import Preparer
from tests.contracts.wrappers import WRAPPERS


@dataclass(frozen=True)
class Shot:
    """A photo with the digest under which it is enrolled."""

    photo: OpenedPhoto
    sha256: str


@dataclass(frozen=True)
class Scenes:
    """Photos that an engine's tests bring along."""

    portrait: Shot
    """One face."""
    second_portrait: Shot
    """Another photo of the same person; that face is its largest."""
    stranger: Shot
    """One face of another person."""
    group: Shot
    """Two or more faces of different people: the largest of the person of ``portrait``, another of ``stranger``."""
    empty: Shot
    """No face at all."""


class EngineContract:
    """Subclasses give the fixtures ``scenes``, ``open_bare``, ``free`` and ``declared``.

    ``open_bare`` is a function that opens an engine. All these engines have one gallery, which is empty at first, and
    no quality filter. ``free`` is an engine for the prefilter that finds the faces of the same photos.
    """

    @pytest.fixture
    def scenes(self) -> Scenes:
        pytest.fail("the suite of an engine gives this fixture")

    @pytest.fixture
    def open_bare(self) -> Callable[[], Engine]:
        pytest.fail("the suite of an engine gives this fixture")

    @pytest.fixture
    def free(self) -> Engine:
        pytest.fail("the suite of an engine gives this fixture")

    @pytest.fixture(params=WRAPPERS, ids=lambda wrap: wrap.__name__)
    def open_engine(self, request, open_bare, free) -> Iterator[Callable[[], Engine]]:
        """Opens the bare engine inside the wrapper of the parameter. A wrapper does not close what it wraps."""
        opened = []

        def open_wrapped() -> Engine:
            opened.append(open_bare())
            return request.param(opened[-1], free)

        yield open_wrapped
        for engine in (*opened, free):
            engine.close()

    @pytest.fixture
    def declared(self) -> EngineCapabilities:
        """The capabilities that the engine, and every wrapper around it, must declare."""
        pytest.fail("the suite of an engine gives this fixture")

    @pytest.fixture
    def engine(self, open_engine):
        engine = open_engine()
        yield engine
        engine.close()

    # ------------------------------------------------------------------------------------------------ capabilities

    def test_engine_and_model_have_a_name(self, engine):
        """Both are stored with every face."""
        assert engine.name
        assert engine.model

    def test_capabilities_are_the_declared_ones(self, engine, declared):
        """A wrapper that loses a capability, or the object behind it, fails here."""
        assert engine.capabilities == declared
        assert (engine.group_means is not None) == declared.lends_group_means
        assert (engine.user_vectors is not None) == declared.has_user_vectors

    def test_an_engine_without_lost_calls_has_no_unreported_charges(self, engine, scenes):
        """The charges of every result are in the result."""
        engine.enroll(scenes.portrait.photo, scenes.portrait.sha256)
        assert engine.take_unreported_charges() == ()

    def test_only_a_paid_engine_charges(self, engine, scenes, declared):
        """Results of a paid call carry one call of the operation; other results carry no charge."""
        charges = [
            *engine.analyze(scenes.portrait.photo).charges,
            *engine.enroll(scenes.portrait.photo, scenes.portrait.sha256).charges,
            *engine.search(scenes.portrait.photo, 80).charges,
            *engine.compare(scenes.portrait.photo, scenes.second_portrait.photo, 80).charges,
        ]
        paid = [
            Operation.DETECT_FACES,
            Operation.INDEX_FACES,
            Operation.SEARCH_FACES_BY_IMAGE,
            Operation.COMPARE_FACES,
        ]
        assert [charge.operation for charge in charges] == (paid if declared.is_paid else [])
        assert all(charge.calls == 1 and charge.dollars > 0 for charge in charges)

    # ------------------------------------------------------------------------------------------------ group means

    def test_group_vectors_give_exact_similarities(self, engine, scenes, declared):
        """The dot product of two rows is the pair's similarity, and that of two sums the sum over all pairs."""
        if not declared.lends_group_means:
            assert engine.group_means is None
            return
        shots = (scenes.portrait, scenes.second_portrait, scenes.stranger)
        ids = [engine.enroll(shot.photo, shot.sha256).faces[0].face_id for shot in shots]
        rows = engine.group_means.group_vectors(ids)
        assert rows.dtype == np.float32
        assert rows.shape[0] == len(ids)
        assert (np.linalg.norm(rows, axis=1) <= 1.0 + 1e-6).all()
        shown = {match.face_id: match.similarity for match in engine.neighbors(ids[0], 0).matches}
        for face_id, row in zip(ids[1:], rows[1:], strict=True):
            (similarity,) = engine.group_means.similarities([float(rows[0] @ row)])
            assert similarity == pytest.approx(shown[face_id], rel=0.05, abs=0.5)
        pairs = rows[0] @ rows[2] + rows[1] @ rows[2]
        assert (rows[0] + rows[1]) @ rows[2] == pytest.approx(pairs, abs=1e-5)

    def test_neighbor_edges_are_the_dot_products_at_or_above_the_floor(self, engine, scenes, declared):
        """Each pair comes once, as indexes into the ids, the lower one first."""
        if not declared.lends_group_means:
            assert engine.group_means is None
            return
        shots = (scenes.portrait, scenes.stranger, scenes.second_portrait)
        ids = [engine.enroll(shot.photo, shot.sha256).faces[0].face_id for shot in shots]
        rows = engine.group_means.group_vectors(ids)
        first, second, similarity = engine.group_means.neighbor_edges(ids, per_face=3, floor=0.37)
        assert (first.tolist(), second.tolist()) == ([0], [2])
        assert similarity[0] == pytest.approx(float(rows[0] @ rows[2]), abs=1e-3)
        with pytest.raises(KeyError):
            engine.group_means.group_vectors(["00000000-0000-4000-8000-000000000000"])

    # ------------------------------------------------------------------------------------------------ user vectors

    def test_user_vectors_find_the_person_of_a_face(self, engine, scenes, declared):
        """Persons get a user vector, are found by it, and lose it when they are no longer wanted."""
        if not declared.has_user_vectors:
            assert engine.user_vectors is None
            return
        ann, ann_again, bob = (
            engine.enroll(shot.photo, shot.sha256).faces[0].face_id
            for shot in (scenes.portrait, scenes.second_portrait, scenes.stranger)
        )
        charges: list[Charge] = []
        users = engine.user_vectors
        users.match({"ann": [ann], "bob": [bob]}, charges.append)
        assert users.associated() == {"ann": (ann,), "bob": (bob,)}
        assert [match.person_id for match in users.search_face(ann_again, 80).matches] == ["ann"]
        assert [match.person_id for match in users.search_image(scenes.stranger.photo, 80).matches] == ["bob"]
        paid = len(charges)
        users.match({"ann": [ann], "bob": [bob]}, charges.append)
        assert len(charges) == paid
        users.match({}, charges.append)
        assert users.associated() == {}

    # ------------------------------------------------------------------------------------------------ analyze

    def test_analyze_finds_each_face_largest_first(self, engine, scenes):
        """Faces come in the order of their size."""
        faces = engine.analyze(scenes.group.photo).faces
        assert len(faces) >= 2
        areas = [face.box.area for face in faces]
        assert areas == sorted(areas, reverse=True)

    def test_analyze_keeps_nothing(self, engine, scenes):
        """Analyzing a photo leaves the gallery as it was."""
        engine.analyze(scenes.portrait.photo)
        assert list(engine.enrolled()) == []

    def test_analyze_of_a_photo_without_a_face_is_no_error(self, engine, scenes):
        """No face is an answer."""
        assert engine.analyze(scenes.empty.photo).faces == ()

    def test_geometry_is_in_fractions_of_the_upright_image(self, engine, scenes):
        """Boxes and landmarks lie about within the image, and the landmarks in their box."""
        for face in engine.analyze(scenes.group.photo).faces:
            assert -0.5 < face.box.left < 1
            assert -0.5 < face.box.top < 1
            assert 0 < face.box.width <= 1.5
            assert 0 < face.box.height <= 1.5
            for point in face.landmarks:
                assert face.box.left - 0.2 <= point.x <= face.box.right + 0.2
                assert face.box.top - 0.2 <= point.y <= face.box.bottom + 0.2

    def test_scores_are_percentages(self, engine, scenes):
        """Confidence and quality run from 0 to 100."""
        for face in engine.analyze(scenes.group.photo).faces:
            assert 0 <= face.confidence <= 100
            if face.quality is not None:
                assert 0 <= face.quality.brightness <= 100
                assert 0 <= face.quality.sharpness <= 100

    def test_emotions_are_sorted_by_confidence(self, engine, scenes):
        """The strongest emotion comes first."""
        for face in engine.analyze(scenes.group.photo).faces:
            confidences = [emotion.confidence for emotion in face.attributes.emotions]
            assert confidences == sorted(confidences, reverse=True)

    # ------------------------------------------------------------------------------------------------ enroll

    def test_enrolled_faces_are_in_the_gallery(self, engine, scenes):
        """The gallery holds the faces that enroll returned, with the hash of the photo."""
        enrollment = engine.enroll(scenes.group.photo, scenes.group.sha256)
        face_by_id = {face.face_id: face for face in engine.enrolled()}
        assert set(face_by_id) == {record.face_id for record in enrollment.faces}
        assert len(face_by_id) >= 2
        for record in enrollment.faces:
            assert face_by_id[record.face_id].sha256 == scenes.group.sha256
            assert face_by_id[record.face_id].box.iou(record.face.box) > 0.99

    def test_face_ids_are_lower_case_uuids(self, engine, scenes):
        """Ids can be told to Amazon's clients as they are."""
        for record in engine.enroll(scenes.group.photo, scenes.group.sha256).faces:
            assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", record.face_id)

    def test_enrolling_the_same_content_twice_enrolls_once(self, engine, scenes):
        """The second time gives the same ids for the same faces, and the gallery does not grow."""
        first = engine.enroll(scenes.group.photo, scenes.group.sha256)
        second = engine.enroll(scenes.group.photo, scenes.group.sha256)
        assert [r.face_id for r in first.faces] == [r.face_id for r in second.faces]
        assert len(list(engine.enrolled())) == len(first.faces)

    def test_enrolling_the_same_content_at_once_enrolls_once(self, open_engine, scenes):
        """Two workers that meet the same photo at the same moment get the same ids."""
        engines = [open_engine() for _ in range(4)]
        start = threading.Barrier(len(engines))
        ids: list[list[str]] = []
        failures: list[Exception] = []

        def work(engine: Engine) -> None:
            start.wait()
            try:
                enrollment = engine.enroll(scenes.group.photo, scenes.group.sha256)
                ids.append([record.face_id for record in enrollment.faces])
            except Exception as error:  # noqa: BLE001 - the main thread tells it
                failures.append(error)

        threads = [threading.Thread(target=work, args=(engine,)) for engine in engines]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert len(ids) == len(engines)
        assert all(face_ids == ids[0] for face_ids in ids)
        assert len(list(engines[0].enrolled())) == len(ids[0])
        for engine in engines:
            engine.close()

    def test_enrolling_a_photo_without_a_face_is_a_success(self, engine, scenes):
        """No face is an answer, and nothing is held."""
        enrollment = engine.enroll(scenes.empty.photo, scenes.empty.sha256)
        assert enrollment.faces == ()
        assert enrollment.rejected == ()
        assert list(engine.enrolled()) == []

    def test_a_gallery_outlives_its_engine(self, open_engine, scenes):
        """A second engine on the same gallery finds the faces that the first one enrolled."""
        first = open_engine()
        enrolled = first.enroll(scenes.portrait.photo, scenes.portrait.sha256)
        first.close()
        second = open_engine()
        assert [face.face_id for face in second.enrolled()] == [record.face_id for record in enrolled.faces]
        assert second.search(scenes.second_portrait.photo, 80).matches[0].face_id == enrolled.faces[0].face_id
        second.close()

    def test_engines_on_one_gallery_see_each_others_work(self, open_engine, scenes):
        """A search sees what another engine has enrolled and removed since the last one."""
        reader, writer = open_engine(), open_engine()
        assert reader.search(scenes.portrait.photo, 80).matches == ()
        (record,) = writer.enroll(scenes.portrait.photo, scenes.portrait.sha256).faces
        assert [match.face_id for match in reader.search(scenes.portrait.photo, 80).matches] == [record.face_id]
        writer.remove([record.face_id])
        assert reader.search(scenes.portrait.photo, 80).matches == ()
        reader.close()
        writer.close()

    # ------------------------------------------------------------------------------------------------ search

    def test_neighbors_are_the_same_person_and_not_oneself(self, engine, scenes):
        """At 80 the same person's other face is a neighbor; the face asked about is not."""
        (face,) = engine.enroll(scenes.portrait.photo, scenes.portrait.sha256).faces
        again = engine.enroll(scenes.second_portrait.photo, scenes.second_portrait.sha256).faces[0]
        engine.enroll(scenes.stranger.photo, scenes.stranger.sha256)
        neighbors = engine.neighbors(face.face_id, 80)
        assert neighbors.face_id == face.face_id
        assert [match.face_id for match in neighbors.matches] == [again.face_id]
        assert 80 <= neighbors.matches[0].similarity <= 100
        assert neighbors.complete

    def test_neighbors_are_mutual(self, engine, scenes):
        """A is as similar to B as B to A."""
        (face,) = engine.enroll(scenes.portrait.photo, scenes.portrait.sha256).faces
        again = engine.enroll(scenes.second_portrait.photo, scenes.second_portrait.sha256).faces[0]
        similarity_by_face = {m.face_id: m.similarity for m in engine.neighbors(face.face_id, 0).matches}
        back = {m.face_id: m.similarity for m in engine.neighbors(again.face_id, 0).matches}
        assert similarity_by_face[again.face_id] == pytest.approx(back[face.face_id], abs=0.01)

    def test_a_list_that_is_cut_says_so(self, engine, scenes):
        """At threshold 0 all_neighbors is a neighbor; with a limit of one the list is not complete."""
        (face,) = engine.enroll(scenes.portrait.photo, scenes.portrait.sha256).faces
        engine.enroll(scenes.second_portrait.photo, scenes.second_portrait.sha256)
        engine.enroll(scenes.stranger.photo, scenes.stranger.sha256)
        all_neighbors = engine.neighbors(face.face_id, 0)
        assert all_neighbors.complete
        assert len(all_neighbors.matches) == len(list(engine.enrolled())) - 1
        cut = engine.neighbors(face.face_id, 0, limit=1)
        assert not cut.complete
        assert cut.matches == all_neighbors.matches[:1]

    def test_matches_are_sorted_by_similarity(self, engine, scenes):
        """The most similar face comes first."""
        for shot in (scenes.stranger, scenes.second_portrait, scenes.portrait):
            engine.enroll(shot.photo, shot.sha256)
        similarities = [match.similarity for match in engine.search(scenes.portrait.photo, 0).matches]
        assert len(similarities) >= 3
        assert similarities == sorted(similarities, reverse=True)

    def test_neighbors_of_an_unknown_face_raise_key_error(self, engine):
        """An id that the gallery does not hold is the caller's mistake."""
        with pytest.raises(KeyError):
            engine.neighbors("00000000-0000-4000-8000-000000000000", 80)

    def test_search_finds_the_person_of_the_largest_face(self, engine, scenes):
        """The photo need not be enrolled; the probe is told."""
        (face,) = engine.enroll(scenes.portrait.photo, scenes.portrait.sha256).faces
        engine.enroll(scenes.stranger.photo, scenes.stranger.sha256)
        search = engine.search(scenes.second_portrait.photo, 80)
        assert [match.face_id for match in search.matches] == [face.face_id]
        assert _same_place(search.probe, engine.analyze(scenes.second_portrait.photo).faces[0])

    def test_search_takes_the_face_at_the_box(self, engine, scenes):
        """Any face of a group can be searched for, not only the largest."""
        engine.enroll(scenes.portrait.photo, scenes.portrait.sha256)
        (stranger,) = engine.enroll(scenes.stranger.photo, scenes.stranger.sha256).faces
        found_ids = set()
        for face in engine.analyze(scenes.group.photo).faces:
            search = engine.search(scenes.group.photo, 80, box=face.box)
            assert _same_place(search.probe, face)
            found_ids.update(match.face_id for match in search.matches)
        assert stranger.face_id in found_ids

    def test_search_where_no_face_is_raises_no_face_error(self, engine, scenes):
        """A search needs a face: on the photo, and in the box if one is passed."""
        with pytest.raises(NoFaceError):
            engine.search(scenes.empty.photo, 80)
        with pytest.raises(NoFaceError):
            engine.search(scenes.portrait.photo, 80, box=BoundingBox(0.0, 0.97, 0.02, 0.02))

    # ------------------------------------------------------------------------------------------------ compare

    def test_compare_tells_the_same_person_from_others(self, engine, scenes):
        """The source's largest face matches its person in the target; the others are unmatched."""
        comparison = engine.compare(scenes.portrait.photo, scenes.group.photo, 80)
        assert len(comparison.matches) == 1
        assert comparison.matches[0].similarity >= 80
        assert len(comparison.unmatched) == len(engine.analyze(scenes.group.photo).faces) - 1
        assert _same_place(comparison.source, engine.analyze(scenes.portrait.photo).faces[0])

    def test_compare_without_a_match_is_an_answer(self, engine, scenes):
        """Strangers do not match, and no error is raised."""
        comparison = engine.compare(scenes.portrait.photo, scenes.stranger.photo, 80)
        assert comparison.matches == ()
        assert len(comparison.unmatched) == 1

    def test_compare_at_threshold_zero_scores_every_face(self, engine, scenes):
        """Every face of the target gets its similarity, most similar first."""
        comparison = engine.compare(scenes.portrait.photo, scenes.group.photo, 0)
        assert comparison.unmatched == ()
        similarities = [match.similarity for match in comparison.matches]
        assert similarities == sorted(similarities, reverse=True)
        assert all(0 <= similarity <= 100 for similarity in similarities)

    @pytest.mark.parametrize("swapped", [False, True])
    def test_compare_needs_a_face_on_both_sides(self, engine, scenes, swapped):
        """A source or target without a face raises NoFaceError."""
        pair = (scenes.portrait.photo, scenes.empty.photo)
        with pytest.raises(NoFaceError):
            engine.compare(*(reversed(pair) if swapped else pair), 80)

    # ------------------------------------------------------------------------------------------------ remove

    def test_removed_faces_are_gone(self, engine, scenes):
        """Removal tells which ids were there; searches no longer find them."""
        (face,) = engine.enroll(scenes.portrait.photo, scenes.portrait.sha256).faces
        (stranger,) = engine.enroll(scenes.stranger.photo, scenes.stranger.sha256).faces
        unknown = "00000000-0000-4000-8000-000000000000"
        assert engine.search(scenes.portrait.photo, 80).matches
        assert engine.remove([face.face_id, unknown]) == {face.face_id}
        assert engine.search(scenes.portrait.photo, 80).matches == ()
        assert [face.face_id for face in engine.enrolled()] == [stranger.face_id]
        with pytest.raises(KeyError):
            engine.neighbors(face.face_id, 80)
        assert engine.remove([face.face_id]) == set()

    def test_a_removed_face_can_be_enrolled_again(self, engine, scenes):
        """After removal the same photo brings its face back."""
        (face,) = engine.enroll(scenes.portrait.photo, scenes.portrait.sha256).faces
        engine.remove([face.face_id])
        (back,) = engine.enroll(scenes.portrait.photo, scenes.portrait.sha256).faces
        assert [face.face_id for face in engine.enrolled()] == [back.face_id]

    # ------------------------------------------------------------------------------------------------ price

    def test_prices_grow_with_the_number_of_calls(self, engine):
        """A price is in dollars, at least 0, and no calls cost nothing."""
        for operation in Operation:
            charge = engine.quote(operation, 1000)
            assert charge.operation is operation
            assert charge.calls == 1000
            assert charge.dollars >= Decimal(0)
            assert engine.quote(operation, 0).dollars == Decimal(0)


def _same_place(a: Face, b: Face) -> bool:
    return a.box.iou(b.box) > 0.9


class PreparedContract:
    """For engines whose photos other machines may prepare. Subclasses also give the fixture ``preparer``."""

    @pytest.fixture
    def preparer(self) -> Preparer:
        pytest.fail("the suite of an engine gives this fixture")

    def test_a_prepared_photo_is_enrolled_like_any_other(self, engine, scenes, preparer):
        """After a trip through bytes the same faces are enrolled, under the ids of an earlier enrollment."""
        first = engine.enroll(scenes.group.photo, scenes.group.sha256)
        prepared = pickle.loads(pickle.dumps(preparer.prepare(scenes.group.photo)))
        assert not prepared.photo.pixels.size
        assert not prepared.photo.data
        second = engine.enroll_prepared(replace(prepared, shows_face=True), scenes.group.sha256)
        assert second.faces == first.faces
        assert second.rejected == first.rejected

    def test_a_prepared_photo_is_new_to_a_gallery_without_it(self, engine, scenes, preparer):
        """The vectors or the image are in the prepared photo: the faces can be searched."""
        engine.enroll(scenes.portrait.photo, scenes.portrait.sha256)
        prepared = replace(preparer.prepare(scenes.second_portrait.photo), shows_face=True)
        enrollment = engine.enroll_prepared(prepared, scenes.second_portrait.sha256)
        matches = engine.search(scenes.portrait.photo, 80).matches
        assert enrollment.faces[0].face_id in {match.face_id for match in matches}
